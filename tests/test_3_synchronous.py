"""Утверждение P6a: синхронно задания идут одно за другим на одном ядре."""

from itertools import pairwise
from typing import Any

import pytest
from conftest import CORES, conclusion, load, output, primes_below, said

LESSON = load(3)


def run(*spans: tuple[float, float], cpu: float = 1.0, right: bool = True) -> Any:
    """Прогон из заданий с такими началами и концами; cpu — доля ядра, которая досталась."""
    records = []
    for (begin, end), limit, answer in zip(spans, LESSON.LIMITS, LESSON.ANSWERS):
        took = cpu * (end - begin)
        records.append(LESSON.Record(limit, answer - 1 + right, 77, begin, end, took, 2))
    return LESSON.Run(spans[-1][1] - spans[0][0], records)


def report(*rounds: Any, cores: int = 2) -> str:
    return "\n".join(LESSON.report(LESSON.Facts([*rounds], cores)))


def table(text: str) -> list[list[float]]:
    """Строки заданий: простых меньше, ответ, начало, конец."""
    return [said(line) for line in text.splitlines() if line[:1] in LESSON.ascii_uppercase]


def rows(text: str) -> list[list[float]]:
    return [row for row in table(text) if len(row) == 4]


def test_P6a_answers_are_known_from_elsewhere() -> None:
    """Ответы — из решета Эратосфена, а не из самой программы."""
    assert [primes_below(limit) for limit in LESSON.LIMITS] == LESSON.ANSWERS


def test_P6a_table_shows_what_was_measured() -> None:
    """Начало и конец — от начала первого задания; ответ напечатан тот, что получен."""
    text = report(run((5, 6), (6, 8), right=False))
    assert rows(text) == [[9_000, 1116, 0, 1], [8_500, 1058, 1, 3]]
    (line,) = [line for line in text.splitlines() if "верных" in line]
    assert said(line) == [0, 2, 4]
    assert said(next(x for x in report(run((5, 6), (6, 8))).splitlines() if "верных" in x))[0] == 2


@pytest.mark.parametrize("spoiled", [0, 1])
def test_P6a_overlap_in_any_round_is_told(spoiled: int) -> None:
    """«Одно за другим» говорится, только если ни одно задание не началось раньше времени."""
    rounds = [run((0, 1), (1, 2), (2, 3)), run((0, 1), (1, 2), (2, 3))]
    assert "одно за другим" in conclusion(report(*rounds), "занято ядер")
    rounds[spoiled] = run((0, 1), (0.5, 2), (1.5, 3))
    line = conclusion(report(*rounds), "занято ядер")
    assert "одно за другим" not in line and said(line)[0] == 2


@pytest.mark.parametrize(("cpu", "taken"), [(1.0, False), (0.97, False), (0.6, True)])
def test_P6a_busy_cores_are_those_of_all_rounds(cpu: float, taken: bool) -> None:
    """Занято ядер: процессорное время всех кругов, делённое на их время по часам."""
    text = report(run((0, 1), (1, 2), cpu=cpu), run((0, 3), (3, 6), cpu=cpu), cores=16)
    line = conclusion(text, "занято ядер")
    assert said(line) == [cpu, 16]
    assert ("отнимали" in line) is taken
    unequal = report(run((0, 9), (9, 12), cpu=0.5), run((0, 4), (4, 6)))
    assert said(conclusion(unequal, "занято ядер"))[0] == 0.67


def test_P6a_job_is_timed_from_its_start_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Часы двигает само задание: обёртка ничего не прибавляет и не теряет."""
    now = {"wall": 100.0, "cpu": 50.0, "taken": 7}

    def job(limit: int) -> int:
        now["wall"] += 4
        now["cpu"] += 3
        now["taken"] += 5
        return limit + 1

    monkeypatch.setattr(LESSON, "perf_counter", lambda: now["wall"])
    monkeypatch.setattr(LESSON, "process_time", lambda: now["cpu"])
    monkeypatch.setattr(LESSON, "preemptions", lambda: now["taken"])
    record = LESSON.timed(job, 10)
    assert record[:2] == (10, 11)
    assert record[3:] == (100, 104, 3, 5)


def test_P6a_rounds_are_whole_and_as_many_as_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Каждый круг — все задания; секунды круга — от начала до конца всего."""
    now = [0.0]

    def job(limit: int) -> int:
        now[0] += limit
        return 0

    monkeypatch.setattr(LESSON, "perf_counter", lambda: now[0])
    monkeypatch.setattr(LESSON, "count_primes", job)
    rounds = list(LESSON.experiment([3, 2, 1]))
    assert [run.seconds for run in rounds] == [6] * LESSON.ROUNDS
    assert [record.limit for record in rounds[-1].records] == [3, 2, 1]


def test_P6a_jobs_go_one_after_another_on_one_core() -> None:
    """Программа целиком: верные ответы, строгий порядок, занято не больше одного ядра."""
    text = output(3)
    shown = rows(text)
    answers = [[limit, answer] for limit, answer in zip(LESSON.LIMITS, LESSON.ANSWERS)]
    assert [row[:2] for row in shown] == answers
    assert shown[0][2] == 0 and all(begin < end for *_, begin, end in shown)
    assert all(after[2] >= before[3] for before, after in pairwise(shown))
    line = conclusion(text, "занято ядер")
    busy, cores = said(line)
    assert "строго одно за другим" in line and cores == CORES and 0 < busy < 1.05
    assert said(next(x for x in text.splitlines() if "верных" in x))[0] == 12
