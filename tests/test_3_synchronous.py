"""Утверждение P6a: синхронно задания идут одно за другим на одном ядре."""

import os
import re
from itertools import pairwise

from conftest import *


def jobs(text: str) -> list[list[float]]:
    """Строки заданий: простых меньше, ответ, начало, конец."""
    return [said(line) for line in re.findall(r"(?m)^[A-F] .*", text)]


def test_P6a_every_number_is_that_of_the_clock_and_of_the_system() -> None:
    text = changed(3, startup=LEAPING_CLOCKS + PREEMPTED)
    for n, (_, _, begin, end) in enumerate(jobs(text)):
        assert (begin, end) == (1000 * (2 * n) ** 2, 1000 * (2 * n + 1) ** 2)
    assert cells(text, "верных ответов ") == [6, 6000 if os.name == "posix" else 0]
    assert said(conclusion(text, "занято ядер")) == [0.38, CORES]  # 0.7 · 66 / 11²
    assert "ядро отнимали" in conclusion(text, "занято ядер")


def test_P6a_wrong_answers_and_jobs_in_threads_would_be_noticed() -> None:
    together = (
        "from concurrent.futures import ThreadPoolExecutor; "
        "return list(ThreadPoolExecutor(6).map(work, jobs))"
    )
    fewer = ("number > 1 and all", "number > 2 and all")  # двойка пропала
    text = changed(3, fewer, ("return [work(job) for job in jobs]", together))
    assert [answer + 1 for _, answer, *_ in jobs(text)] == [*load(3).ANSWERS.values()]
    assert cells(text, "верных ответов")[0] == 0
    overlaps = sum(after[2] < before[3] for before, after in pairwise(jobs(text)))
    assert overlaps > 0 and said(conclusion(text, "внахлёст"))[0] == overlaps
    assert "одно за другим" not in conclusion(text, "занято ядер")


def test_P6a_jobs_go_one_after_another_on_one_core() -> None:
    def synchronous(text: str) -> bool:
        rows, words = jobs(text), conclusion(text, "занято ядер")
        assert {limit: primes for limit, primes, *_ in rows} == load(3).ANSWERS
        assert all(primes == primes_below(int(limit)) for limit, primes, *_ in rows)
        assert rows[0][2] == 0 and all(begin < end for *_, begin, end in rows)
        assert all(after[2] >= before[3] for before, after in pairwise(rows))
        busy, cores = said(words)
        assert "строго одно за другим" in words and cores == CORES and busy < 1.05
        return busy > 0.9

    some(synchronous, 3)
