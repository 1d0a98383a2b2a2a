"""Утверждения о счёте в процессах: P6b, R4, M3, M4, O1."""
# ruff: noqa: F403, F405

import os
import re
from collections.abc import Callable
from string import ascii_uppercase

import pytest
from conftest import *

ONCE, TWICE = ("ROUNDS = 3", "ROUNDS = 1"), ("ROUNDS = 3", "ROUNDS = 2")
FEW = ("40_000: 4203, 35_000: 3732, 30_000: 3245, ", "")  # половина заданий
WORKERS = min(max(2, CORES), 30)
COLUMN = 2  # столбец, где новых процессов WORKERS; перед ним «нет» и 1, за ним вдвое больше


def jobs(text: str) -> float:
    return cells(text, "заданий ")[0]


def done(text: str) -> list[int]:
    """Сколько заданий сделал каждый процесс шкалы."""
    return [int(line.split("|")[2]) for line in text.splitlines() if line.startswith("pid ")]


def overlap(text: str) -> float:
    """Доля шкалы, в которой заняты сразу хотя бы два процесса."""
    columns = list(zip(*bars(text), strict=True))
    return sum(len(column) - column.count(" ") > 1 for column in columns) / len(columns)


def test_P6b_one_new_process_is_as_fast_as_none() -> None:
    some(lambda text: 0.7 < cells(text, "ускорение")[1] < 1.1, attempts(4, ONCE))


def test_P6b_M3_M4_every_number_is_that_of_the_clock_and_of_the_system() -> None:
    text = changed(4, TWICE, FEW, startup=LEAPING_CLOCKS + PREEMPTED + TELL_OF_NAPS)
    rounds = [cells(text, f"круг {n}, с") for n in (1, 2)]
    n = 2 * int(jobs(text))  # взглядов на часы за прогон
    assert [alone for alone, *_ in rounds] == [1000 * (n - 1) ** 2, 1000 * (3 * n - 1) * (n - 1)]
    best = [min(column) for column in zip(*rounds, strict=True)]
    for ratio, seconds in zip(cells(text, "ускорение"), best, strict=True):
        assert abs(ratio - best[0] / seconds) < 0.006
    assert cells(text, "занято ядер")[0] == round(0.7 * n / 2 / (n - 1), 2)
    preempted = 1000 * jobs(text) if os.name == "posix" else 0
    assert set(cells(text, "ядро отнято, раз")) == {preempted}


def test_P6b_wrong_answers_are_noticed() -> None:
    text = changed(4, ONCE, FEW, ("number > 1 and all", "number > 2 and all"))
    assert set(cells(text, "верных ответов")) == {0}
    assert load(4).ANSWERS == load(3).ANSWERS


@several_cores
def test_O1_jobs_that_go_one_at_a_time_are_not_called_simultaneous() -> None:
    one = ("return list(", "return [solve([job], 1)[0] for job in jobs] if jobs[1:] else list(")
    text = changed(4, ONCE, one)
    assert overlap(text) < 0.1  # соседние задания могут попасть в один столбец
    assert cells(text, "занято ядер")[COLUMN] < 1.1
    assert "одновременно" not in " ".join(conclusions(text))


def test_R4_next_job_is_taken_by_whoever_is_free() -> None:
    file = folder_for("marks", "") / "marks"
    waiting = f"""if limit < 40_000:
        open({str(file)!r}, "a").write("x")
    end = perf_counter() + 5
    while limit == 40_000 and perf_counter() < end and os.path.getsize({str(file)!r}) < 3:
        pass
    begin, cpu, preempted = """  # первое задание не кончится раньше, чем начнутся остальные
    only = "def main() -> None:\n    print(*[r.pid for r in solve([40_000] + 3 * [15_000], 2)])\n"
    jobs = ("begin, cpu, preempted = ", waiting), ("def main() -> None:\n", only + "    return\n")
    first, *others = changed(4, *jobs).splitlines()[0].split()
    assert len(set(others)) == 1 and first not in others


def test_O1_R4_timeline_is_drawn_from_the_records() -> None:
    times = [(1, 0, 4), (2, 0, 2), (2, 2, 3), (2, 3, 4)]  # pid, начало, конец
    records = [load(4).Record(15_000, 1754, pid, *moments, 1, 0) for pid, *moments in times]
    rows = load(4).timeline(load(4).Run(4, 2, 0, 4, records), 8)
    assert bars("\n".join(rows)) == ["AAAAAAAA", "BBBBCCDD"]
    assert done("\n".join(rows)) == [1, 3]


def test_O1_R4_pids_are_those_of_children() -> None:
    text, noted = watched(4, ONCE, FEW)
    pids = re.findall(r"^pid (\d+)", text, re.MULTILINE)
    assert len(set(pids)) == len(pids) == min(WORKERS, 4)
    assert set(pids) <= {pid for pid, *_ in noted} - {noted[0][0]}


Conclude = Callable[..., str]


@pytest.fixture
def conclude() -> Conclude:
    """Выводы о двух процессах из трёх придуманных прогонов: (секунды, занято ядер, отнято)."""

    def say(one: list, many: list, more: list, workers: int = 2, cores: int = 2) -> str:
        every = (one, [(1.0, 1.0, 0)], many, more)
        runs = [[load(4).Run(*run, 6, []) for run in (tries * 3)[:3]] for tries in every]
        named = dict(zip((0, 1, workers, 2 * workers), runs, strict=True))
        return on_screen(load(4).conclusions(named, workers, cores))

    return say


def test_P6b_conclusions_follow_the_rounds_and_compare_best_with_best(conclude: Conclude) -> None:
    one, many = [(1.0, 1.0, 3), (3.0, 1.0, 3)], [(0.5, 1.9, 9), (0.8, 1.9, 9)]
    text = conclude(one, many, [(0.5, 1.9, 50)])
    assert said(text.split("ускорение")[1])[:4] == [2.0, 2.0, 3.75, 2.0]
    assert "одновременно" in text and "1.90 из 2" in text


def test_O1_conclusion_does_not_carry_the_lessons_answer(conclude: Conclude) -> None:
    taken_away = conclude([(1.0, 1.0, 3)], [(1.0, 1.0, 9)], [(1.0, 1.0, 50)])
    assert "повторите" in taken_away
    one_core = conclude([(1.0, 1.0, 3)], [(1.0, 1.0, 9)], [(1.0, 1.0, 50)], cores=1)
    assert "ускорение 1.00" in one_core and "1.00 из 1" in one_core
    assert not {"одновременно", "стало быстрее"} & set(re.findall(r"\w+", taken_away + one_core))


def test_M3_M4_conclusion_about_surplus_processes_follows_the_rounds(conclude: Conclude) -> None:
    one, many = [(1.0, 1.0, 3)], [(0.5, 1.9, 9)]
    no_faster, faster = (conclude(one, many, [(s, 1.9, 50)]) for s in (0.5, 0.3))
    assert "быстрее не стало" in no_faster and "× 1.00" in no_faster and "50 вместо 9" in no_faster
    assert "стало быстрее" in faster and "не стало" not in faster and "× 0.60" in faster
    assert "вместо" not in conclude(one, many, [(0.5, 1.9, 50)], cores=4)  # лишних-то не было


def test_P6b_table_and_conclusions_follow_from_the_rounds() -> None:
    text = output(4)
    rounds = [cells(text, f"круг {n}, с") for n in (1, 2, 3)]
    best = [min(column) for column in zip(*rounds, strict=True)]
    for ratio, seconds in zip(cells(text, "ускорение"), best, strict=True):
        assert is_ratio(ratio, best[0], seconds, half=0.005, own=0.005)
    assert set(cells(text, "верных ответов")) == {jobs(text)} and jobs(text) >= 6
    if "повторите" not in text:
        busy, cores = said(conclusion(text, "занято ядер"))
        assert (busy, cores) == (cells(text, "занято ядер")[COLUMN], CORES)
        first, *spread = said(conclusion(text, "по кругам"))
        assert first == cells(text, "ускорение")[COLUMN]
        for ratio, seconds in zip(spread, rounds, strict=True):
            assert is_ratio(ratio, seconds[0], seconds[COLUMN], half=0.005, own=0.005)


@several_cores
def test_P6b_O1_processes_keep_several_cores_busy_in_the_same_instant() -> None:
    def parallel(text: str) -> bool:
        alone, one, busy, _ = cells(text, "занято ядер")
        assert max(alone, one) < 1.1 and busy < CORES + 0.1
        together = "одновременно" in " ".join(conclusions(text))
        assert together is (busy > 1.3) or busy in (1.29, 1.3, 1.31)
        return busy > 1.3 and overlap(text) > 0.5 and cells(text, "ускорение")[COLUMN] > 1.2

    some(parallel, tries(4))


@several_cores
def test_R4_each_job_is_done_once_by_whoever_is_free() -> None:
    def shared(text: str) -> bool:
        letters = [set(bar) - {" "} for bar in bars(text)]
        if WORKERS <= 4 and jobs(text) <= 26:
            assert sum(done(text)) == jobs(text)
            assert [len(own) for own in letters] == done(text)
            assert sum(map(len, letters)) == len(set.union(*letters))
        first = sorted(bar.strip()[0] for bar in bars(text))
        return all(done(text)) and first == [*ascii_uppercase[: len(first)]]

    some(shared, tries(4))


@several_cores
def test_M3_M4_surplus_processes_bring_nothing_but_switching() -> None:
    def in_vain(text: str) -> bool:
        _, _, enough, surplus = cells(text, "ядро отнято, раз")
        _, _, fast, no_faster = cells(text, "ускорение")
        line = " ".join(line for line in conclusions(text) if "вместо" in line)
        if "ядро отняли" in line:
            assert said(line.split("раз:")[-1]) == [surplus, enough]
        return no_faster < 1.25 * fast and (surplus > enough or not surplus) and "не стало" in line

    some(in_vain, tries(4))
