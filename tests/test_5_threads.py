"""Утверждения о потоках: T1, T2, T3, O2."""

import re
from itertools import pairwise

import pytest
from conftest import *

ONCE, FEW = ("ROUNDS = 3", "ROUNDS = 1"), ("PORTIONS = 6_000", "PORTIONS = 800")
WORKERS = max(2, min(4, CORES))
STARTED = "запустить и дождаться: "  # мс: поток, процесс
FAST_CLOCKS = """if True:
    import time
    time.perf_counter = lambda now=time.perf_counter: 1000 * now()
    time.process_time = lambda now=time.process_time: 1000 * now()
"""


def test_T1_T3_times_are_medians_by_the_clock() -> None:
    text = changed(5, FEW, startup=LEAPING_CLOCKS)
    assert cells(text, STARTED) == [17e6, 21e6]  # прогоны 4 и 5: 1000·(4m + 1) с
    assert said(conclusion(text, "процесс и дождаться")) == [1.2]
    assert max(cells(text, "занято ядер")) < 0.02


def test_T1_T3_wrong_answers_and_threads_of_two_processes_would_be_noticed() -> None:
    wrong = ("number > 1 and all", "number > 2 and all")
    text = changed(5, FEW, wrong, ("notes[os.getpid(), ", "notes[get_native_id(), "))
    assert said(conclusion(text, "потоков ")) == [WORKERS, WORKERS]
    assert "общий" not in conclusion(text, "потоков ")
    assert cells(text, "верных ответов") == [0, 0]
    assert primes_below(50) == load(5).ANSWER


def test_T1_threads_live_in_one_process_and_start_sooner_than_one() -> None:
    text, noted = watched(5, FEW)
    threads = re.findall(r"(?m)^поток (\d+) +\|", text)
    own = noted[0][0]
    assert len(set(threads)) == WORKERS and f"процесс {own}," in text
    assert set(threads) <= {thread for pid, _, thread in noted if pid == own} - {noted[0][2]}

    def cheap(text: str) -> bool:
        thread, process = cells(text, STARTED)
        (ratio,) = said(conclusion(text, "процесс и дождаться"))
        assert is_ratio(ratio, process, thread, half=0.0005)
        assert "общий" in conclusion(text, "потоков ")
        assert len(bars(text)) == said(conclusion(text, "потоков "))[0] == WORKERS
        return process > thread

    some(cheap, 5)


def test_T2_T3_threads_that_wait_for_each_other_hand_over_once() -> None:
    serial = ("gate = Barrier(workers)", "gate = Barrier(1)")
    join = ("        thread.start()", "        thread.start()\n        thread.join()")
    text = changed(5, ONCE, serial, join)
    assert cells(text, "смен потока") == [0, WORKERS - 1]
    first, *others = bars(text)
    assert first.count("█") > 5
    for one, other in pairwise([first, *others]):  # начал, когда предыдущий кончил
        assert len(other) - len(other.lstrip()) >= len(one.rstrip()) - 1


@with_gil
def test_T2_turns_are_measured_and_the_interval_is_that_of_the_interpreter() -> None:
    def long_turns(text: str) -> bool:
        assert cells(text, "при GIL ждущий поток потребует его через ") == [20]
        if "обычно по" not in text:
            return False  # ядра отнимали
        return said(conclusion(text, "обычно по"))[0] > 10_000  # часы спешат в тысячу раз

    some(long_turns, 5, ONCE, startup=FAST_CLOCKS + "import sys; sys.setswitchinterval(0.02)")


CASES = [  # круги (секунды, занято ядер, мс подряд) одного потока и двух; ядер; что говорить
    ([(1, 1.0, 5)], [(1, 1.0, 7.3)], 2, "попеременно|по 7.3 мс|1.00 из 2", "одновременно"),
    ([(1, 1.0, 5)], [(0.5, 1.9, 0.1)], 2, "одновременно|ускорение 2.00", "попеременно"),
    ([(1, 0.6, 5)], [(1, 1.0, 5)], 2, "повторите", "попеременно|одновременно"),
    ([(1, 1.0, 5)], [(1, 1.2, 5)], 2, "повторите", "попеременно|одновременно"),
    ([(1, 1.0, 5)], [(1, 1.0, 5)], 1, "попеременно|1.00 из 1", "одновременно"),
    ([(1, 1, 5), (3, 1, 5)], [(1.2, 1, 5), (1, 1, 5)], 2, "1.00; по кругам: 0.83; 3.00", "нельзя"),
]


@pytest.mark.parametrize(("one", "two", "cores", "words", "never"), CASES)
def test_O2_T2_T3_conclusions_follow_the_measurement(
    one: list, two: list, cores: int, words: str, never: str
) -> None:
    runs = [[load(5).Run(s, busy, 9, [ms] * 9, 6, {}) for s, busy, ms in r] for r in (one, two)]
    tell(load(5).conclusions(*runs, cores), words, never)


def alternate(text: str) -> bool:
    """Правда ли, что первые два потока работали попеременно и сменились хотя бы 4 раза."""
    first, second, *_ = bars(text)
    full = [(a in "▓█", b in "▓█") for a, b in zip(first, second, strict=True)]
    order = [a for a, b in full if a != b]
    handovers = sum(one != other for one, other in pairwise(order))
    return len(order) > 10 and full.count((True, True)) <= 3 and handovers >= 4


@with_gil
def test_O2_T2_T3_under_the_gil_threads_take_turns_on_one_core() -> None:
    def in_turn(text: str) -> bool:
        one, many = cells(text, "занято ядер")
        assert max(one, many) < 1.15
        assert set(cells(text, "верных ответов")) == {load(5).PORTIONS}
        if "повторите" in text:
            return False
        rounds = [cells(text, f"круг {n}, с")[-2:] for n in (1, 2, 3)]
        speedup = said(conclusion(text, "ускорение"))[0]
        best = [min(column) for column in zip(*rounds, strict=True)]
        assert is_ratio(speedup, best[0], best[1], half=0.005, own=0.005)
        assert said(conclusion(text, "попеременно"))[-2:] == [many, CORES]
        return alternate(text) and cells(text, "смен потока")[1] > 4

    some(in_turn, 5)


@several_cores
@pytest.mark.skipif(GIL, reason="нужен Python без GIL")
def test_O2_T2_T3_without_gil_threads_work_in_the_same_instant() -> None:
    some(lambda t: cells(t, "занято ядер")[1] > 1.3 and "одновременно" in str(conclusions(t)), 5)
