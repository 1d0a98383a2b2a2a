"""Утверждения о потоках: T1, T2, T3, O2."""
# ruff: noqa: F403, F405

import re
from itertools import pairwise

import pytest
from conftest import *

ONCE, FEW = ("ROUNDS = 3", "ROUNDS = 1"), ("PORTIONS = 6_000", "PORTIONS = 800")
WORKERS = max(2, min(4, CORES))
FAST_CLOCKS = """if True:
    import time
    time.perf_counter = lambda now=time.perf_counter: 1000 * now()
    time.process_time = lambda now=time.process_time: 1000 * now()
"""


def lifetimes(text: str) -> list[float]:
    """Мс, за которые живут поток и процесс."""
    return cells(text, "запустить и дождаться: ")


def test_T1_T3_times_are_medians_by_the_clock() -> None:
    text = changed(5, FEW, startup=LEAPING_CLOCKS)
    assert lifetimes(text) == [17e6, 21e6]  # прогоны 4 и 5: 1000·(4m + 1) с
    assert said(conclusion(text, "процесс и дождаться")) == [1.2]
    assert max(cells(text, "занято ядер")) < 0.02


def test_T1_T3_wrong_answers_and_threads_of_two_processes_would_be_noticed() -> None:
    wrong = ("number > 1 and all", "number > 2 and all")
    text = changed(5, FEW, wrong, ("notes[os.getpid(), ", "notes[get_native_id(), "))
    assert said(conclusion(text, "потоков ")) == [WORKERS, WORKERS]
    assert "общий" not in conclusion(text, "потоков ")
    assert cells(text, "верных ответов") == [0, 0]
    assert primes_below(50) == load(5).ANSWER


def test_T1_if_a_thread_plays_the_process_it_costs_no_more() -> None:
    thread = "from threading import *; import multiprocessing as m; "
    thread += "m.Process = type('P', (Thread,), {})"
    some(lambda text: lifetimes(text)[1] < 4 * lifetimes(text)[0], 5, FEW, startup=thread)


def test_T1_threads_live_in_one_process_and_start_sooner_than_one() -> None:
    text, noted = watched(5, FEW)
    threads = re.findall(r"(?m)^поток (\d+) +\|", text)
    own = noted[0][0]
    assert len(set(threads)) == WORKERS and f"процесс {own}," in text
    assert set(threads) <= {thread for pid, _, thread in noted if pid == own} - {noted[0][2]}

    def cheap(text: str) -> bool:
        thread, process = lifetimes(text)
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
        assert cells(text, "GIL, если он включён, требуют через ") == [20]
        if "обычно по" not in text:
            return False  # ядра отнимали
        return said(conclusion(text, "обычно по"))[0] > 10_000  # часы спешат в тысячу раз

    some(long_turns, 5, ONCE, startup=FAST_CLOCKS + "import sys; sys.setswitchinterval(0.02)")


def test_T2_timeline_is_drawn_from_the_notes() -> None:
    early = [(n * 0.0002, 15) for n in range(300)]  # работал первые 60 мс
    late = [(0.06 + n * 0.0002, 15) for n in range(300)]  # и следующие 60
    half = load(5).Run(0.12, 1.0, 1, [], 6, {(1, 1): early, (1, 2): [(0.0, 15), *late]})
    one, two = bars("\n".join(load(5).timeline(half)))
    assert 28 <= len(one.rstrip()) <= 31 and 28 <= len(two.lstrip()) <= 31
    assert set(one + two) <= set(" ░▒▓█") and min(one.count("█"), two.count("█")) > 25


def conclude(one: list[tuple], many: list[tuple], cores: int = 2) -> str:
    """Выводы из придуманных прогонов: секунды, занято ядер, по сколько мс подряд."""
    runs = [
        [load(5).Run(seconds, busy, 9, [turn] * 9, 6, {}) for seconds, busy, turn in tries]
        for tries in (one, many)
    ]
    return on_screen(load(5).conclusions(*runs, cores))


def test_O2_T2_T3_conclusions_follow_the_measurement() -> None:
    usual = conclude([(1.0, 1.0, 5)], [(1.0, 1.0, 7.3)])
    assert "попеременно" in usual and "по 7.3 мс" in usual and "1.00 из 2" in usual
    free = conclude([(1.0, 1.0, 5)], [(0.5, 1.9, 0.1)])
    assert "одновременно" in free and "ускорение 2.00" in free and "попеременно" not in free
    for one, many in ((0.6, 1.0), (1.0, 1.2)):
        taken = conclude([(1.0, one, 5)], [(1.0, many, 5)])
        assert "повторите" in taken and "попеременно" not in taken
    assert "1.00 из 1" in conclude([(1.0, 1.0, 5)], [(1.0, 1.0, 5)], cores=1)
    rounds = conclude([(1.0, 1.0, 5), (3.0, 1.0, 5)], [(1.2, 1.0, 5), (1.0, 1.0, 5)])
    assert said(rounds.split("ускорение")[1])[:3] == [1.0, 0.83, 3.0]


def alternate(text: str) -> bool:
    """Правда ли, что первые два потока работали попеременно и сменились хотя бы 4 раза."""
    first, second, *_ = bars(text)
    full = [(a in "▓█", b in "▓█") for a, b in zip(first, second, strict=True)]
    order = [a for a, b in full if a != b]
    handovers = sum(one != other for one, other in pairwise(order))
    return len(order) > 10 and full.count((True, True)) <= 3 and handovers >= 4


@with_gil
def test_O2_T2_T3_under_the_gil_threads_take_turns_and_are_no_faster() -> None:
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
        return alternate(text) and cells(text, "смен потока")[1] > 4 and speedup < 1.25

    some(in_turn, 5)


@several_cores
@pytest.mark.skipif(GIL, reason="нужен Python без GIL")
def test_O2_T2_T3_without_gil_threads_work_in_the_same_instant() -> None:
    some(lambda t: cells(t, "занято ядер")[1] > 1.3 and "одновременно" in str(conclusions(t)), 5)
