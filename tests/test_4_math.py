"""Утверждения о счёте в процессах: P6b, R4, M3, M4, O1."""

import os
import re
from string import ascii_uppercase

import pytest
from conftest import *

ONCE, TWICE = ("ROUNDS = 3", "ROUNDS = 1"), ("ROUNDS = 3", "ROUNDS = 2")
FEW = ("35_000: 3732, 31_000: 3340, 27_000: 2961, ", "")  # половина заданий
WORKERS = min(max(2, CORES), 30)
COLUMN = 2  # столбец, где новых процессов WORKERS; перед ним «нет» и 1, за ним вдвое больше


def done(text: str) -> list[int]:
    """Сколько заданий сделал каждый процесс шкалы."""
    return [int(number) for number in re.findall(r"(?m)^pid .*\| (\d+)$", text)]


def overlap(text: str) -> float:
    """Доля шкалы, в которой заняты сразу хотя бы два процесса."""
    columns = list(zip(*bars(text), strict=True))
    return sum(len(column) - column.count(" ") > 1 for column in columns) / len(columns)


def test_P6b_M3_M4_every_number_is_that_of_the_clock_and_of_the_system() -> None:
    text = changed(4, TWICE, FEW, startup=LEAPING_CLOCKS + PREEMPTED + TELL_OF_NAPS)
    rounds = [cells(text, f"круг {n}, с")[-4:] for n in (1, 2)]
    jobs = int(cells(text, "заданий ")[0])
    n = 2 * jobs  # взглядов на часы за прогон
    assert [alone for alone, *_ in rounds] == [1000 * (n - 1) ** 2, 1000 * (3 * n - 1) * (n - 1)]
    best = [min(column) for column in zip(*rounds, strict=True)]
    for ratio, seconds in zip(cells(text, "ускорение"), best, strict=True):
        assert abs(ratio - best[0] / seconds) < 0.006
    assert cells(text, "занято ядер")[0] == round(0.7 * n / 2 / (n - 1), 2)
    preempted = 1000 * jobs if os.name == "posix" else 0
    assert set(cells(text, "ядро отнято, раз")) == {preempted}


@several_cores
def test_P6b_O1_wrong_answers_and_jobs_one_at_a_time_would_be_noticed() -> None:
    one = ("return list(", "return [solve([job], 1)[0] for job in jobs] if jobs[1:] else list(")
    text = changed(4, ONCE, FEW, one, ("number > 1 and all", "number > 2 and all"))
    assert set(cells(text, "верных ответов")) == {0}
    assert overlap(text) < 0.1  # соседние задания могут попасть в один столбец
    assert cells(text, "занято ядер")[COLUMN] < 1.1
    assert "одновременно" not in " ".join(conclusions(text))


def test_R4_next_job_is_taken_by_whoever_is_free() -> None:
    file = new_file("marks")
    waiting = f"""if limit < 35_000:
        open({str(file)!r}, "a").write("x")
    end = perf_counter() + 5
    while limit == 35_000 and perf_counter() < end and os.path.getsize({str(file)!r}) < 3:
        pass
    begin, cpu, preempted = """  # первое задание не кончится раньше, чем начнутся остальные
    only = "def main() -> None:\n    print(*[r.pid for r in solve([35_000] + 3 * [15_000], 2)])\n"
    jobs = ("begin, cpu, preempted = ", waiting), ("def main() -> None:\n", only + "    return\n")
    first, *others = changed(4, *jobs).split()
    assert len(set(others)) == 1 and first not in others


def test_O1_R4_timeline_is_drawn_from_the_records_and_names_the_children() -> None:
    times = [(1, 0, 4), (2, 0, 2), (2, 2, 3), (2, 3, 4)]  # pid, начало, конец
    records = [load(4).Record(15_000, 1754, pid, *moments, 1, 0) for pid, *moments in times]
    rows = "\n".join(load(4).timeline(load(4).Run(4, 2, 0, 4, records), 8))
    assert bars(rows) == ["AAAAAAAA", "BBBBCCDD"] and done(rows) == [1, 3]
    text, noted = watched(4, ONCE, FEW)
    pids = re.findall(r"(?m)^pid (\d+)", text)
    assert 1 <= len(set(pids)) == len(pids) <= WORKERS  # кому-то могло и не достаться
    assert set(pids) <= {pid for pid, *_ in noted} - {noted[0][0]}


ALONE, ONE = [(1.0, 1.0, 3), (3.0, 1.0, 3)], [(1.0, 1.0, 9)]
TWO, MORE = [(0.5, 1.9, 9), (0.8, 1.9, 9)], [(0.5, 1.9, 50)]
CASES = [  # круги (секунды, занято ядер, отнято) двух процессов и четырёх; ядер; что говорить
    (TWO, MORE, 2, "одновременно|1.90 из 2|2.00; по кругам: 2.00; 3.75; 2.00", "стало быстрее"),
    (TWO, MORE, 2, "быстрее не стало|× 1.00|50 вместо 9", "попеременно"),
    (TWO[:1], [(0.44, 1.9, 50)], 2, "быстрее не стало|× 0.88", "стало быстрее"),  # помеха
    (TWO[:1], [(0.3, 1.9, 50)], 2, "стало быстрее|× 0.60", "не стало"),
    (TWO, MORE, 4, "1.90 из 4", "вместо"),  # лишних-то не было
    (ONE, ONE, 2, "повторите", "одновременно|стало быстрее"),
    (ONE, ONE, 1, "ускорение 1.00|1.00 из 1", "одновременно|стало быстрее"),
]


@pytest.mark.parametrize(("two", "four", "cores", "words", "never"), CASES)
def test_P6b_O1_M3_M4_conclusions_follow_the_rounds(
    two: list, four: list, cores: int, words: str, never: str
) -> None:
    every = [[load(4).Run(*run, 6, []) for run in (r * 3)[:3]] for r in (ALONE, ONE, two, four)]
    tell(load(4).conclusions(dict(zip((0, 1, 2, 4), every)), 2, cores), words, never)


@several_cores
def test_P6b_O1_R4_processes_keep_several_cores_busy_in_the_same_instant() -> None:
    def parallel(text: str) -> bool:
        alone, one, busy, _ = cells(text, "занято ядер")
        jobs = cells(text, "заданий ")[0]
        assert max(alone, one) < 1.1 and busy < CORES + 0.1
        assert set(cells(text, "верных ответов")) == {jobs} and jobs >= 6
        assert load(4).ANSWERS == load(3).ANSWERS
        letters = [set(bar) - {" "} for bar in bars(text)]
        if WORKERS <= 4 and jobs <= 26:  # каждое задание сделано один раз
            assert sum(map(len, letters)) == len(set.union(*letters)) == sum(done(text)) == jobs
        if "повторите" in text:
            return False
        assert said(conclusion(text, "занято ядер")) == [busy, CORES]
        first = sorted(bar.strip()[0] for bar in bars(text))
        assert all(done(text)) and first == [*ascii_uppercase[: len(first)]]
        return busy > 1.3 and overlap(text) > 0.5 and cells(text, "ускорение")[COLUMN] > 1.1

    some(parallel, 4)


@several_cores
def test_M3_M4_surplus_processes_bring_nothing_but_switching() -> None:
    def in_vain(text: str) -> bool:
        _, _, enough, surplus = cells(text, "ядро отнято, раз")
        _, _, fast, no_faster = cells(text, "ускорение")
        line = " ".join(line for line in conclusions(text) if "вместо" in line)
        if "ядро отняли" in line:
            assert said(line.split("раз:")[-1]) == [surplus, enough]
        return no_faster < 1.25 * fast and (surplus > enough or not surplus) and "не стало" in line

    some(in_vain, 4)
