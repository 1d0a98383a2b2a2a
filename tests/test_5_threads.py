"""Утверждения о потоках: T1, T2, T3, O2."""

import os
import re
import sys
import threading
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from conftest import (
    CORES,
    GIL,
    cells,
    conclusions,
    load,
    numbers,
    output,
    run,
    run_changed,
    several_cores,
    tries,
    with_gil,
)

Run = load(5).Run


def bars(text: str) -> list[str]:
    """Полосы шкалы времени."""
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("поток ")]


def alternate(text: str) -> bool:
    """Правда ли, что первые два потока работали по очереди и GIL передавали хотя бы 4 раза."""
    first, second, *_ = bars(text)
    full = [(a in "▓█", b in "▓█") for a, b in zip(first, second, strict=True)]
    order = [a for a, b in full if a != b]
    handovers = sum(one != other for one, other in pairwise(order))
    return len(order) > 10 and full.count((True, True)) <= 3 and handovers >= 4


def test_T1_threads_live_in_one_process_under_different_native_ids() -> None:
    ids = re.findall(r"^поток (\d+)", output(5), re.MULTILINE)
    assert len(set(ids)) == len(ids) >= 2
    assert f"потоков {len(ids)}, процессов 1;" in conclusions(output(5))[0]
    pids = {pid for pid, _ in load(5).work_together(2)}
    assert len(pids) == 1


def test_T1_thread_starts_sooner_than_process() -> None:
    pattern = r"поток (\d+) мкс, процесс ([\d.]+) мс"
    assert any(thread < 1000 * ms for thread, ms in (numbers(pattern, text) for text in tries(5)))


@with_gil
def test_T2_O2_timeline_shows_threads_taking_turns() -> None:
    assert any(alternate(text) for text in tries(5))


@with_gil
def test_T2_turns_last_about_the_switch_interval() -> None:
    said = next(said for text in tries(5) if "по очереди" in (said := conclusions(text)[1]))
    (span,) = numbers(r"медиана ([\d.]+) мс", said)
    assert 1 < span < 50 and "GIL" in said


def test_T2_timeline_is_drawn_from_the_notes_of_the_threads() -> None:
    module = load(5)
    step, half = module.COLUMN / 10, module.COLUMN * module.COLUMNS / 2
    early = [n * step for n in range(int(half / step))]
    late = [half + n * step for n in range(int(half / step))]
    rows = list(module.timeline({(1, 1): [0.0, *early], (1, 2): [0.0, *late]}))
    one, two = (row.split("|")[1] for row in rows)
    assert one.rstrip() == "█" * len(one.rstrip()) and len(one.rstrip()) in (29, 30, 31)
    assert two.lstrip() == "█" * len(two.lstrip()) and len(two.lstrip()) in (29, 30, 31)
    assert max(module.turns({(1, 1): early, (1, 2): late}), default=0) == 0


@several_cores
def test_T2_without_gil_rows_are_solid() -> None:
    if GIL:
        step = load(5).COLUMN / 20
        notes = {(1, n): [k * step for k in range(20 * load(5).COLUMNS)] for n in (1, 2)}
        shown = iter(["\n".join(load(5).timeline(notes))])
    else:
        shown = tries(5)
    solid = ([bar.count("█") + bar.count("▓") > len(bar) / 2 for bar in bars(s)] for s in shown)
    assert any(all(rows[:2]) for rows in solid)


@with_gil
def test_T3_cores_busy_is_one_however_many_threads() -> None:
    one, many = cells(output(5), "занято ядер")
    assert 0.3 < one < 1.15 and 0.3 < many < 1.15
    assert "не ускоряют" in conclusions(output(5))[2] or "шумно" in conclusions(output(5))[2]


@several_cores
def test_T3_without_gil_several_cores_are_busy() -> None:
    if not GIL:
        assert any(cells(text, "занято ядер")[1] > 1.15 for text in tries(5))


def test_T3_same_work_in_one_thread_and_in_many() -> None:
    numbers = [cells(output(5), f"круг {n}, с") for n in (1, 2, 3)]
    assert all(seconds > 0.02 for row in numbers for seconds in row)
    one, many = (min(column) for column in zip(*numbers, strict=True))
    busy_one, busy_many = cells(output(5), "занято ядер")
    assert 0.6 < (many * busy_many) / (one * busy_one) < 1.5  # секунд процессора поровну
    switches = cells(output(5), "переключений")
    if CORES > 1 and GIL and any(switches):
        assert switches[1] > switches[0]


def test_conclusions_follow_the_measurement() -> None:
    def say(gil: bool, cores: int, span: float, many: tuple[float, float]) -> str:
        runs = Run(1, 1, 10), Run(*many, 100)
        return " ".join(load(5).conclusions(gil, cores, [span] * 20, *runs))

    usual = say(True, 2, 5, (1.02, 1.0))
    assert "по очереди" in usual and "не ускоряют" in usual and "GIL" in usual
    free = say(False, 2, 0.01, (0.55, 1.9))
    assert "записи чередуются" in free and "считали одновременно" in free
    one_core = say(False, 1, 4, (1.02, 1.0))
    assert "ядро одно" in one_core and "таков GIL" not in one_core
    busy = say(False, 2, 4, (1.02, 1.0))
    assert "GIL выключен, но ядра заняты чужим" in busy
    assert "шумно" in say(True, 2, 5, (0.6, 1.0))
    assert "шумно" in next(load(5).conclusions(True, 2, [], Run(1, 1, 1), Run(1, 1, 1)))


def test_number_of_threads_is_the_readers_choice() -> None:
    assert len(bars(run(5, "--workers", "3").stdout)) == 3


def test_amount_of_work_is_the_readers_choice(tmp_path: Path) -> None:
    start = "    answers: list[int] = []\n"
    text = run_changed(
        tmp_path,
        5,
        ('"--work", type=int, default=1', '"--work", type=int, default=2'),
        ("LIMIT = 20_000", "LIMIT = 1_000"),
        ("PRIMES = 2262", "PRIMES = 168"),
        (start, f'{start}    print(f"заданий {{jobs}} у {{workers}}")\n'),
    )
    assert re.findall(r"заданий (\d+) у (\d)", text)[::2] == [("48", "1")] * 3


def test_T2_notes_are_made_by_the_threads_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    module, calls, count_primes = load(5), Counter[tuple[int, int]](), load(5).count_primes

    def counted(limit: int) -> int:
        calls[os.getpid(), threading.get_native_id()] += 1
        return int(count_primes(limit))

    monkeypatch.setattr(module, "count_primes", counted)
    assert {who: len(own) for who, own in module.work_together(2).items()} == calls


def test_T3_shares_of_the_work_are_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module, gate = load(5), threading.Barrier(3)
    monkeypatch.setattr(module, "count_primes", lambda _: gate.wait(10) * 0 + module.PRIMES)
    module.solve(6, 3)  # иди потоки друг за другом, ни один не дождался бы остальных


@with_gil
def test_T2_switch_interval_governs_the_turns() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.012)
    try:
        turns = load(5).turns(load(5).work_together(2))
    finally:
        sys.setswitchinterval(usual)
    assert median(turns) > 9  # раньше, чем через интервал, GIL не отбирают


def test_conclusions_repeat_the_numbers_measured() -> None:
    turns, speed = load(5).conclusions(True, 2, [7.3] * 9, Run(1, 1, 1), Run(1.25, 1, 2))
    assert "медиана 7.3 мс" in turns and "ускорение 0.80" in speed
    us, ms = numbers(r"поток (\d+) мкс, процесс ([\d.]+) мс", output(5))
    (ratio,) = numbers(r"([\d.]+) к 1", conclusions(output(5))[0])
    assert (ms - 0.06) * 1000 / (us + 0.6) - 0.1 <= ratio <= (ms + 0.06) * 1000 / (us - 0.6) + 0.1
