"""Утверждения о счёте в процессах: P6b, R4, M3, M4, O1."""

import os
import re
from functools import partial
from string import ascii_uppercase

import pytest
from conftest import (
    CORES,
    cells,
    conclusions,
    load,
    numbers,
    output,
    run,
    several_cores,
    tries,
)

Run = load(4).Run


def counts() -> list[int]:
    """Числа процессов в шапке таблицы."""
    return [int(cell) for cell in cells(output(4), "процессов  ")]


def busy_at_cores(text: str) -> float:
    """Занято ядер, когда процессов столько же, сколько ядер."""
    return cells(text, "занято ядер")[1 + counts().index(max(n for n in counts() if n <= CORES))]


def bars(text: str) -> list[str]:
    """Полосы шкалы времени."""
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("pid ")]


def overlap(text: str) -> float:
    """Доля шкалы, в которой заняты сразу оба первых процесса."""
    first, second, *_ = bars(text)
    return sum(a != " " != b for a, b in zip(first, second, strict=True)) / len(first)


def test_P6b_row_for_one_process_the_cores_and_more_than_the_cores() -> None:
    assert {1, CORES} <= set(counts()) and max(counts()) > CORES
    assert len(cells(output(4), "ускорение")) == len(counts()) + 1


@several_cores
def test_P6b_processes_keep_several_cores_busy() -> None:
    assert max(cells(output(4), "занято ядер")[:2]) < 1.1
    assert busy_at_cores(output(4)) < CORES + 0.2
    assert any(busy_at_cores(text) > 1.15 for text in tries(4))


def test_P6b_speedup_is_computed_from_the_rounds() -> None:
    seconds = [cells(output(4), f"круг {n}, с") for n in (1, 2, 3)]
    best = [min(column) for column in zip(*seconds, strict=True)]
    for ratio, time in zip(cells(output(4), "ускорение"), best, strict=True):
        low, high = (best[0] - 0.006) / (time + 0.006), (best[0] + 0.006) / (time - 0.006)
        assert low - 0.01 <= ratio <= high + 0.01


def test_P6b_answers_are_the_known_ones_everywhere() -> None:
    (jobs,) = numbers(r"задания \((\d+)\)", output(4))
    assert cells(output(4), "верных ответов") == [3 * jobs * (len(counts()) + 1)]
    assert load(4).PRIMES_BELOW == load(3).PRIMES_BELOW


def test_P6b_wrong_answer_is_not_accepted() -> None:
    wrong = load(4).Result(10_000, 1228, 1, 0, 1, 1, 0)
    try:
        load(4).measure([wrong])
    except RuntimeError as error:
        assert "1228" in str(error)
    else:
        raise AssertionError("неверный ответ принят")


@several_cores
def test_R4_every_child_takes_jobs_and_each_job_is_done_once() -> None:
    done = [int(line.split("|")[2]) for line in output(4).splitlines() if line.startswith("pid ")]
    (jobs,) = numbers(r"задания \((\d+)\)", output(4))
    assert len(done) == min(CORES, 4) and all(done)
    if CORES <= 4:
        assert sum(done) == jobs
    letters = [set(bar.upper()) - {" "} for bar in bars(output(4))]
    if jobs <= 26:  # одно задание — у одного ребёнка
        assert sum(map(len, letters)) == len(set.union(*letters))


@several_cores
def test_O1_timeline_shows_children_working_in_the_same_instant() -> None:
    assert any(overlap(text) > 0.5 and busy_at_cores(text) > 1.15 for text in tries(4))


@several_cores
def test_O1_pids_of_children_differ() -> None:
    pids = re.findall(r"^pid (\d+)", output(4), re.MULTILINE)
    assert len(set(pids)) == len(pids) >= 2


def test_M3_M4_conclusion_about_surplus_processes_is_drawn_from_measurement() -> None:
    (text,) = (text for text in conclusions(output(4)) if "вместо" in text)
    assert f"процессов {max(counts())} вместо" in text or CORES == 1 or len(counts()) > 3
    (ratio,) = numbers(r"время × ([\d.]+)", text)
    assert ("не ускоряют" in text) is (ratio > 0.87 and "судить нельзя" not in text)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="нужна привязка к ядрам")
def test_P6b_M4_on_one_core_processes_bring_only_switches() -> None:
    settle = partial(os.sched_setaffinity, 0, {min(os.sched_getaffinity(0))})
    more_switches = False
    for text in (run(4, preexec_fn=settle).stdout for _ in range(3)):
        assert "ядер: 1," in text.splitlines()[0]
        assert max(cells(text, "занято ядер")) < 1.2
        assert "ядро одно" in conclusions(text)[0]
        one, _, two = cells(text, "вытеснений")
        if more_switches := two > one:
            break
    assert more_switches


def test_conclusions_follow_the_measurement() -> None:
    def say(cores: int, most: float = 32, **busy_and_seconds: tuple[float, float]) -> str:
        totals = {int(n[1:]): Run(s, b, 10) for n, (s, b) in busy_and_seconds.items()}
        return " ".join(load(4).conclusions(totals, cores, most))

    usual = say(2, _0=(1, 1), _1=(1, 1), _2=(0.52, 1.95), _4=(0.53, 1.95))
    assert "шли одновременно" in usual and "не ускоряют" in usual
    assert "ядро одно" in say(1, _0=(1, 1), _1=(1, 1), _2=(1.02, 1))
    busy_neighbour = say(2, _0=(1, 1), _1=(1, 1), _2=(0.95, 1.05), _4=(0.7, 1.4))
    assert busy_neighbour.count("судить нельзя") == 2
    assert "делим с чужими" in say(2, _0=(1, 1), _1=(1, 1), _2=(0.7, 1.5), _4=(0.5, 1.8))
    assert "помехи" in say(2, _0=(1, 1), _1=(1, 1), _2=(0.52, 1.95), _4=(0.3, 1.95))
    many = say(64, 32, _0=(8, 1), _1=(8, 1), _2=(4, 2), _64=(0.25, 32), _128=(0.25, 32))
    assert "процессов 64: занято ядер 32.00 из 64, ускорение 32.00 — задания шли" in many
    assert "сверх числа ядер" in many  # заданий хватило не на все ядра, но чужие тут ни при чём
    spare = say(4, _0=(1, 1), _1=(1, 1), _2=(0.5, 2), _3=(0.35, 2.9), _6=(0.26, 3.9))
    assert "вместо" not in spare  # шести процессам достались свободные ядра


def test_letters_turn_small_when_a_job_has_to_wait_for_a_core() -> None:
    make = load(4).Result
    alone, waiting = make(10_000, 1229, 1, 0, 1, 1, 0), make(10_000, 1229, 2, 0, 1, 0.5, 0)
    first, second = (line.split("|")[1] for line in load(4).timeline([alone, waiting]))
    assert set(first) == {"A"} and set(second) == {"b"}


def test_number_of_workers_and_amount_of_work_are_the_readers_choice() -> None:
    text = run(4, "--workers", "3", "--work", "2").stdout
    assert cells(text, "процессов  ") == [1, 2, 3, 6]
    assert "(16)" in text
    assert cells(text, "верных ответов") == [16 * 5 * load(4).ROUNDS]  # «нет» и ещё четыре столбца
    if "... и ещё" not in text:
        assert sum(int(row.split()[-1]) for row in text.splitlines() if row.startswith("pid")) == 16


def test_timeline_shows_who_worked_when() -> None:
    make = load(4).Result
    one, other = make(10_000, 1229, 1, 0, 2, 2, 0), make(10_000, 1229, 2, 2, 4, 2, 0)
    assert bars("\n".join(load(4).timeline([one, other], 8))) == ["AAAA    ", "    BBBB"]


@several_cores
def test_R4_next_job_goes_to_whoever_is_free() -> None:
    firsts = ([bar.strip()[0].upper() for bar in bars(text)] for text in tries(4))
    assert any(sorted(first) == [*ascii_uppercase[: len(first)]] for first in firsts)


def test_conclusions_repeat_the_numbers_of_the_table() -> None:
    text = output(4)
    head = [0, *cells(text, "процессов  ")]
    enough, surplus = conclusions(text)
    n = head.index(numbers(r"процессов (\d+)", enough)[0])
    assert numbers(r"ядер ([\d.]+) из", enough)[0] == cells(text, "занято ядер")[n]
    assert numbers(r"ускорение ([\d.]+)", enough)[0] == cells(text, "ускорение")[n]
    many = head.index(numbers(r"процессов (\d+)", surplus)[0])
    if "вытеснений" in surplus:
        switches = cells(text, "вытеснений")
        assert numbers(r"ний (\d+) вместо (\d+)", surplus) == [switches[many], switches[n]]
