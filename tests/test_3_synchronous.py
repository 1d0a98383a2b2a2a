"""Утверждение P6a: синхронно задания идут одно за другим на одном ядре."""
# ruff: noqa: F403, F405

import os
import re
from itertools import pairwise

from conftest import *


def jobs(text: str) -> list[list[float]]:
    """Строки заданий: простых меньше, ответ, начало, конец."""
    return [
        [float(word) for word in line.split()[1:]] for line in re.findall(r"(?m)^[A-F] .*", text)
    ]


def test_P6a_every_number_is_that_of_the_clock_and_of_the_system() -> None:
    text = changed(3, startup=LEAPING_CLOCKS + PREEMPTED)
    for n, (_, _, begin, end) in enumerate(jobs(text)):
        assert (begin, end) == (1000 * (2 * n) ** 2, 1000 * (2 * n + 1) ** 2)
    preempted = 6000 if os.name == "posix" else 0
    assert said(text.split("верных ответов ")[1])[:2] == [6, preempted]
    assert said(conclusion(text, "занято ядер")) == [0.38, CORES]  # 0.7 · 66 / 11²
    assert "ядро отнимали" in conclusion(text, "занято ядер")


def test_P6a_wrong_answers_are_noticed() -> None:
    text = changed(3, ("number > 1 and all", "number > 2 and all"))
    assert [answer for _, answer, *_ in jobs(text)] == [
        load(3).ANSWERS[limit] - 1 for limit, *_ in jobs(text)
    ]
    assert cells(text, "верных ответов")[0] == 0


def test_P6a_jobs_in_threads_are_not_one_after_another() -> None:
    together = (
        "from concurrent.futures import ThreadPoolExecutor; "
        "return list(ThreadPoolExecutor(6).map(work, jobs))"
    )
    text = changed(3, ("return [work(job) for job in jobs]", together))
    assert "одно за другим" not in conclusion(text, "занято ядер")
    overlaps = sum(b[2] < a[3] for a, b in pairwise(jobs(text)))
    assert overlaps > 0 and said(conclusion(text, "внахлёст"))[0] == overlaps


def test_P6a_answers_are_right() -> None:
    known = {
        limit: primes_below(limit) for limit in (40_000, 35_000, 30_000, 25_000, 20_000, 15_000)
    }
    assert {limit: answer for limit, answer, *_ in jobs(output(3))} == known == load(3).ANSWERS
    assert cells(output(3), "верных ответов")[0] == 6


def test_P6a_jobs_go_one_after_another_on_one_core() -> None:
    def synchronous(text: str) -> bool:
        rows, words = jobs(text), conclusion(text, "занято ядер")
        busy, cores = said(words)
        assert rows[0][2] == 0 and all(begin < end for *_, begin, end in rows)
        assert all(after[2] >= before[3] for before, after in pairwise(rows))
        assert "строго одно за другим" in words and cores == CORES and busy < 1.05
        return busy > 0.9

    some(synchronous, tries(3))
