"""Утверждения о том, какой способ для какой работы: O3, T6, T6x, T7."""

import asyncio
import math
import os
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import (
    CORES,
    GIL,
    TICKING_CLOCKS,
    conclusion,
    conclusions,
    copy,
    good,
    judged,
    load,
    new_file,
    output,
    posix,
    primes_below,
    run,
    said,
    script,
    several_cores,
    source,
    with_gil,
)

LESSON = load(7)
KINDS = PYTHON, C, WAITING = ("счёт на Python", "счёт в C", "ожидание")
BASE, THREADS, COROUTINES, PROCESSES, INTERPRETERS = WAYS = (
    "одно за другим",
    "потоки",
    "корутины",
    "процессы",
    "интерпретаторы",
)
HAVE = WAYS if sys.version_info >= (3, 14) else WAYS[:-1]
FINE, COARSE = 1e-6, 1 / 64  # шаг часов процессорного времени, с: Linux и macOS; Windows

# Как всё идёт на двух свободных ядрах: вид работы, способ, секунды, занято ядер, потоков.
IDLE: dict[str, dict[str, tuple]] = {
    PYTHON: {BASE: (1, 1, 1), THREADS: (1, 1, 16), COROUTINES: (1, 1, 1), PROCESSES: (0.6, 1.8, 2)},
    C: {BASE: (1, 1, 1), THREADS: (0.6, 1.8, 16), COROUTINES: (1, 1, 1), PROCESSES: (0.6, 1.8, 2)},
    WAITING: {
        BASE: (1.6, 0.1, 1),
        THREADS: (0.16, 0.4, 16),
        COROUTINES: (0.16, 0.4, 1),
        PROCESSES: (0.8, 0.1, 2),
    },
}


def facts(*changes: dict[str, dict[str, tuple]], rounds: int = 8, **other: Any) -> Any:
    """Факты о кругах, в которых всё идёт как на свободных ядрах, кроме сказанного.

    changes — по словарю на круг, снова и снова: {вид: {способ: (секунды, ядер[, потоков])}}.
    """
    made: dict[str, list] = {kind: [] for kind in IDLE}
    for number in range(rounds):
        change = changes[number % len(changes)] if changes else {}
        for kind, ways in IDLE.items():
            runs = {}
            for way in WAYS if INTERPRETERS in str(changes) else WAYS[:-1]:
                usual = ways.get(way, (1, 1, 2))
                told = change.get(kind, {}).get(way, usual)
                seconds, busy, threads = (*told, usual[2])[:3]
                runs[way] = LESSON.Run(seconds, seconds * busy, threads)
            made[kind].append(runs if number % 2 == 0 else dict(reversed(runs.items())))
    usual_facts = {"jobs": 16, "cores": 2, "tick": FINE, "lack": ""}
    return LESSON.Facts(rounds=made, **(usual_facts | other))


def report(*changes: dict[str, dict[str, tuple]], **other: Any) -> str:
    return "\n".join(LESSON.report(facts(*changes, **other)))


def cell(text: str, kind: str, way: str) -> list[float]:
    """Клетка таблицы: ускорение, от, до, занято ядер; у «одно за другим» — мс и занято ядер."""
    head = next(line for line in text.splitlines() if all(name in line for name in KINDS))
    (row,) = (line for line in text.splitlines() if line.startswith(f"{way} "))
    starts = [*(head.index(name) for name in KINDS), 99]
    place = KINDS.index(kind)
    return said(row[starts[place] : starts[place + 1]].replace("–", " "))


def verdict(text: str, kind: str) -> dict[str, str]:
    """Что сказано о каждом способе в выводе: «да», «нет», «зря» или «судить нельзя»."""
    line = conclusion(text, f"Вывод: {kind}")
    found: dict[str, str] = {}
    for group in line.split(";"):
        (word,) = re.findall("не ускоряют|ускоряют|не всегда|судить нельзя", group)
        told = {"ускоряют": "да", "не ускоряют": "нет", "не всегда": "зря"}.get(word, word)
        found |= dict.fromkeys(re.findall("|".join(WAYS[1:]), group), told)
    if not found:  # судить нельзя ни о чём
        return {way: "судить нельзя" for way in WAYS[1:] if f"\n{way} " in text}
    return found


def named(text: str, kind: str) -> dict[str, float]:
    """Способы, которые, по этому выводу, ускоряют, и во сколько раз."""
    line = conclusion(text, f"Вывод: {kind}")
    gains = re.findall(rf"({'|'.join(WAYS[1:])}) [а-я ]*в (\d+,\d+) раза", line)
    return {way: said(number)[0] for way, number in gains}


def counted(text: str, kind: str) -> list[float]:
    """В скольких кругах так и сколько их пошло в счёт."""
    (words,) = re.findall(r"\(так (.*?)\)", conclusion(text, f"Вывод: {kind}"))
    return said(words) * 2 if "во всех" in words else said(words)


# --- Таблица и выводы: факты написаны здесь же --------------------------------------------------


def test_O3_T6_T6x_T7_table_and_conclusions_of_an_idle_machine() -> None:
    """На двух свободных ядрах сказано то, чему учит урок; числа вывода — из таблицы."""
    text = report()
    assert verdict(text, PYTHON) == {PROCESSES: "да", THREADS: "нет", COROUTINES: "нет"}
    assert verdict(text, C) == {THREADS: "да", PROCESSES: "да", COROUTINES: "нет"}
    assert verdict(text, WAITING) == {THREADS: "да", COROUTINES: "да", PROCESSES: "да"}
    assert named(text, C) == {THREADS: 1.67, PROCESSES: 1.67}
    assert named(text, WAITING) == {THREADS: 10, COROUTINES: 10, PROCESSES: 2}
    assert [counted(text, kind) for kind in KINDS] == [[8, 8]] * 3
    assert cell(text, PYTHON, BASE) == [1000, 1]
    assert cell(text, PYTHON, PROCESSES) == [1.67, 1.7, 1.7, 1.8]
    assert cell(text, WAITING, THREADS) == [10, 10, 10, 0.4]
    assert len(conclusions(text)) == 4


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_O3_T6_T6x_speedup_is_the_median_of_the_rounds_own_ratios(kind: str) -> None:
    """Круги разные: ускорения 1,2; 1,5; 4, если делить в своём круге; 2,4 — лучший на лучший."""
    rounds = [
        {kind: {BASE: (1.2, 1), PROCESSES: (1.0, 1.9)}},
        {kind: {BASE: (1.5, 1), PROCESSES: (1.0, 1.9)}},
        {kind: {BASE: (2.0, 1), PROCESSES: (0.5, 1.4)}},
    ]
    text = report(*rounds, rounds=9)
    busy = (1.9 + 1.9 + 0.5 * 1.4) / 2.5  # секунды ядер за все круги, делённые на секунды
    assert cell(text, kind, PROCESSES) == [1.5, 1.2, 4.0, pytest.approx(busy, abs=0.006)]
    assert cell(text, kind, BASE)[0] == 1500, "у «одно за другим» — медиана"
    assert named(text, kind)[PROCESSES] == 1.5 and counted(text, kind) == [9, 9]


def test_O3_T7_waiting_is_measured_like_the_rest() -> None:
    """И у ожидания ускорение — медиана отношений, а «в скольких кругах» сосчитано."""
    slow, usual = {WAITING: {COROUTINES: (1.5, 0.3)}}, {WAITING: {COROUTINES: (0.2, 0.3)}}
    faster = {WAITING: {COROUTINES: (0.125, 0.3)}}
    text = report(slow, usual, usual, faster)
    assert cell(text, WAITING, COROUTINES)[:3] == [8, 1.1, 12.8]
    assert named(text, WAITING)[COROUTINES] == 8
    assert counted(text, WAITING) == [6, 8], "у самого ненадёжного из способов"


# Что изменилось, ядер и что сказать («да», «нет», «?») о корутинах, потоках, процессах,
# интерпретаторах. Остальное — как у счёта на Python на двух свободных ядрах.
CASES: dict[str, tuple[dict[str, tuple], int, str]] = {
    # Был неверный вывод «счёт в C не ускоряют процессы»: ядро отняли, хотя потокам и повезло.
    "ядро отняли у процессов": ({THREADS: (0.58, 1.72), PROCESSES: (1.02, 0.98)}, 2, "-+?"),
    "ядро отняли у всех": ({PROCESSES: (1.0, 1.0)}, 2, "-??"),
    "ядро отнимали": ({PROCESSES: (0.8, 1.35)}, 2, "-?+"),
    "у процессов отняли оба": ({PROCESSES: (1.4, 0.7)}, 2, "-??"),
    "у потоков отняли оба": ({THREADS: (1.4, 0.7)}, 2, "-?+"),
    "у корутин отняли оба": ({COROUTINES: (1.4, 0.7)}, 2, "?-+"),
    "ядра есть, а быстрее не стало": ({PROCESSES: (1.0, 1.8)}, 2, "--="),
    "и у потоков": ({THREADS: (1.0, 1.9), PROCESSES: (1.02, 1.8)}, 2, "-=="),
    "потоки быстрее на одном ядре": ({THREADS: (0.6, 1.0)}, 2, "--+"),
    "корутины быстрее на одном ядре": ({COROUTINES: (0.8, 1.0)}, 2, "--+"),
    "процессы быстрее на одном ядре": ({PROCESSES: (0.6, 1.0)}, 2, "-??"),
    "потоки без GIL": ({THREADS: (0.55, 1.9)}, 2, "-++"),
    "интерпретаторы": ({INTERPRETERS: (0.55, 1.9)}, 2, "--++"),
    "ядро отняли у интерпретаторов": ({INTERPRETERS: (1.0, 1.0)}, 2, "--+?"),
    "ядро одно": ({PROCESSES: (1.0, 1.0, 1)}, 1, "---"),
    "ядро одно, а занято будто полтора": ({THREADS: (0.6, 1.6)}, 1, "-??"),
    "и его отнимали": ({PROCESSES: (1.2, 0.9, 1)}, 1, "--?"),
    "ядер восемь": ({PROCESSES: (0.14, 7.6)}, 8, "--+"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", [PYTHON, C])
def test_O3_T6_T6x_verdict_follows_the_measurement(kind: str, case: str) -> None:
    """О счёте: «да» — быстрее и на лишних ядрах; «нет» — ядро было, и больше не взять."""
    changes, cores, signs = CASES[case]
    text = report({kind: IDLE[PYTHON] | changes}, cores=cores)
    meaning = {"+": "да", "-": "нет", "=": "зря", "?": "судить нельзя"}
    order = (COROUTINES, THREADS, PROCESSES, INTERPRETERS)
    assert verdict(text, kind) == {way: meaning[sign] for way, sign in zip(order, signs)}


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_O3_T6_T6x_rounds_that_disagree_decide_nothing(kind: str) -> None:
    """Видели «в 2,4 раза» на двух ядрах из кругов от 0,67 до 2,45: так не скажут."""
    lucky, unlucky = {kind: {PROCESSES: (0.41, 1.9)}}, {kind: {PROCESSES: (1.5, 1.2)}}
    assert verdict(report(lucky, unlucky), kind)[PROCESSES] == "судить нельзя"
    assert verdict(report(lucky, unlucky, lucky), kind)[PROCESSES] == "судить нельзя"
    busy, idle = {kind: {PROCESSES: (0.5, 1.9)}}, {kind: {PROCESSES: (0.95, 1.9)}}
    quick = report(busy, idle, busy, idle, busy, idle, busy, busy)
    assert verdict(quick, kind)[PROCESSES] == "судить нельзя", "вместе ядра не медленнее"
    mostly = report(lucky, lucky, lucky, unlucky)
    assert verdict(mostly, kind)[PROCESSES] == "да"
    assert counted(mostly, kind) == [6, 8], "у самого ненадёжного из способов"


@pytest.mark.parametrize("kind", [PYTHON, C])
@pytest.mark.parametrize("way", [THREADS, COROUTINES])
def test_O3_T6_T6x_one_busy_core_is_no_gain_whatever_the_rounds_say(kind: str, way: str) -> None:
    """Одно ядро не считает за два: вышло быстрее — значит, менялась его скорость."""
    usual = {kind: IDLE[PYTHON]}
    assert "скорость" not in conclusion(report(usual), f"Вывод: {kind}")
    quick = {kind: IDLE[PYTHON] | {way: (0.8, 1)}}
    slow = {kind: IDLE[PYTHON] | {way: (1.5, 1)}}
    for rounds in ([quick], [quick, quick, slow]):
        text = report(*rounds, rounds=9)
        assert verdict(text, kind)[way] == "нет"
        assert "скорость" in conclusion(text, f"Вывод: {kind}")
    assert "скорость" not in conclusion(report(quick, slow, slow, rounds=9), f"Вывод: {kind}")


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_O3_T6_T6x_named_speedup_is_not_past_the_cores(kind: str) -> None:
    """Ускорение больше занятых ядер — это менялась скорость ядер; больше двух не назовут."""
    text = report({kind: {PROCESSES: (0.4, 1.8)}})
    assert cell(text, kind, PROCESSES)[0] == 2.5
    assert named(text, kind)[PROCESSES] == 1.8 and "не больше чем" in conclusion(text, kind)
    rounded_clocks = report({kind: {PROCESSES: (0.4, 2.26)}}, tick=COARSE)
    assert named(rounded_clocks, kind)[PROCESSES] == 2


def test_O3_T7_waiting_is_not_sped_up_past_those_who_wait() -> None:
    """Двое не ждут больше чем вдвоём, хотя бы и намерилось втрое."""
    text = report({WAITING: {PROCESSES: (0.5, 0.1), THREADS: (0.08, 0.5), COROUTINES: (0.08, 0.5)}})
    assert named(text, WAITING) == {THREADS: 16, COROUTINES: 16, PROCESSES: 2}


@pytest.mark.parametrize(
    ("way", "run_of_way", "word"),
    [
        (PROCESSES, (1.6, 0.1, 1), "нет"),  # один процесс ждёт так же, одно за другим
        (PROCESSES, (1.6, 0.1, 2), "судить нельзя"),  # двое не могли ждать столько же
        (THREADS, (1.6, 1.9, 16), "судить нельзя"),  # и занятые ядра — не ускорение
        (COROUTINES, (1.6, 0.1, 1), "нет"),
        (COROUTINES, (0.8, 0.1, 1), "да"),
    ],
)
def test_O3_T7_verdict_on_waiting_follows_the_measurement(
    way: str, run_of_way: tuple, word: str
) -> None:
    """Об ожидании судят по времени и по тому, сколько потоков ждало."""
    assert verdict(report({WAITING: {way: run_of_way}}), WAITING)[way] == word


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_O3_T6_T6x_rounds_without_their_core_do_not_count(kind: str) -> None:
    """Круг, в котором у «одно за другим» отняли ядро, не в счёт — ни в таблице, ни в выводе."""
    good_one = {kind: {PROCESSES: (0.6, 1.8)}}
    spoiled = {kind: {BASE: (2.0, 0.9), PROCESSES: (0.5, 1.9)}}
    text = report(good_one, spoiled)
    assert cell(text, kind, PROCESSES) == [1.67, 1.7, 1.7, 1.8]
    assert cell(text, kind, BASE) == [1000, 1]
    assert named(text, kind)[PROCESSES] == 1.67 and counted(text, kind) == [4, 4]
    lost = report(good_one, spoiled, spoiled)
    assert set(verdict(lost, kind).values()) == {"судить нельзя"}
    assert said(conclusion(lost, f"Вывод: {kind}")) == [5, 8], "в скольких кругах отнимали"
    nothing = report({kind: {BASE: (1, 0.4)}})  # и таблица, хотя считать нечего
    assert set(verdict(nothing, kind).values()) == {"судить нельзя"}
    assert cell(nothing, kind, BASE) == [1000, 0.4]


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_O3_T6_T6x_clocks_that_tick_are_believed_only_over_all_rounds(kind: str) -> None:
    """Windows: прогон в 60 мс занял «0,78 или 1,04 ядра»; вместе — ядро, и суд идёт по сумме."""
    runs = {COROUTINES: (0.06, 1), PROCESSES: (0.036, 1.8)}
    less = {kind: runs | {BASE: (0.06, 3 * COARSE / 0.06), THREADS: (0.06, 3 * COARSE / 0.06)}}
    more = {kind: runs | {BASE: (0.06, 4 * COARSE / 0.06), THREADS: (0.06, 5 * COARSE / 0.06)}}
    coarse = report(less, more, rounds=16, tick=COARSE)
    assert verdict(coarse, kind) == {THREADS: "нет", COROUTINES: "нет", PROCESSES: "да"}
    assert counted(coarse, kind) == [16, 16]
    fine = report(less, more, rounds=16)  # часам без шагов верят в каждом круге
    assert counted(fine, kind) == [8, 8]
    taken = {kind: {BASE: (0.06, 0.6)}}
    assert set(verdict(report(taken, tick=COARSE), kind).values()) == {"судить нельзя"}


def test_T7_threads_that_waited_are_counted_and_the_delay_is_measured() -> None:
    """Сколько потоков ждало и сколько ждал один ответ — из прогонов, а не из настроек."""
    few = {WAITING: {BASE: (0.8, 0.1), THREADS: (0.2, 0.3, 5), COROUTINES: (0.2, 0.3, 3)}}
    more = {WAITING: {BASE: (0.6, 0.1), THREADS: (0.2, 0.3, 7), COROUTINES: (0.2, 0.3, 1)}}
    text = report(few, few, more, jobs=10)
    assert said(conclusion(text, "понадобилось")) == [10, 80, 7, 3]


def test_O3_lack_of_interpreters_is_told() -> None:
    """Если интерпретаторов нет, сказано почему, а остальное — как всегда."""
    text = report(lack="NotShareableError: object " + "does not support " * 5)
    (place,) = (n for n, line in enumerate(text.splitlines()) if "NotShareableError" in line)
    assert text.splitlines()[place].startswith("интерпретаторов нет: ")
    assert len(conclusions(text)) == 4
    assert "интерпретатор" not in report()


def test_O3_T6_T6x_T7_longest_report_fits_the_screen() -> None:
    """Пять способов, длиннее выводов не бывает: с четырьмя строками до таблицы — 22 по 80."""
    pools = (THREADS, PROCESSES, INTERPRETERS)
    counting = dict.fromkeys(pools, (0.44, 1.85, 16)) | {COROUTINES: (1.4, 0.7, 1)}
    waiting = dict.fromkeys(pools, (0.09, 0.5, 15)) | {COROUTINES: (0.09, 0.5, 1)}
    text = report({PYTHON: counting, C: counting, WAITING: waiting}, rounds=32)
    told = " ".join(conclusions(text))
    assert told.count("не больше чем") == 10 and told.count("закройте лишнее") == 2
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) + 4 <= 22


# --- Измерения: часы, которые двигает само задание ----------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Часы программы: идут, только когда их двигает тест."""
    now = SimpleNamespace(seconds=1000.0, cpu=50.0)
    monkeypatch.setattr(LESSON, "perf_counter", lambda: now.seconds)
    monkeypatch.setattr(LESSON, "process_time", lambda: now.cpu)
    return now


def some_kind(**other: Any) -> Any:
    usual = {"name": "работа", "job": abs, "job_async": None, "value": -7, "right": 7}
    return LESSON.Kind(**(usual | other))


def test_T6_T6x_T7_processor_time_is_counted_once(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Своё время, всех потоков, — по часам процесса; прибавлено время одних чужих процессов."""
    here = os.getpid()
    answers = [
        LESSON.Answer(7, here, 1, 0.5),  # поток; часы процесса его уже сочли…
        LESSON.Answer(7, here, 2, 0.5),  # …и этот тоже
        LESSON.Answer(7, here, 2, 0.1),
        LESSON.Answer(7, here + 1, 3, 0.25),
        LESSON.Answer(7, here + 2, 3, 0.5),
    ]

    def perform(way: str, kind: Any, pools: dict) -> list[Any]:
        clock.seconds += 2
        clock.cpu += 1.25
        return answers

    monkeypatch.setattr(LESSON, "perform", perform)
    measured = LESSON.measure(THREADS, some_kind(), {})
    assert (measured.seconds, measured.cpu, measured.threads) == (2, 2, 4)
    assert measured.busy == 1


def test_T6_T6x_job_is_timed_from_its_beginning_to_its_end(clock: SimpleNamespace) -> None:
    """Время задания — то, что занимало ядро оно само; записано, чьё оно."""

    def job(value: int) -> int:
        clock.cpu += 0.25
        return -value

    async def job_async(value: int) -> int:
        return job(value)

    here = (os.getpid(), threading.get_native_id())
    assert LESSON.timed(job, -7) == (7, *here, 0.25)
    assert asyncio.run(LESSON.timed_async(job_async, -7)) == (7, *here, 0.25)


@pytest.mark.parametrize("wrong", [8, "7", None])
@pytest.mark.parametrize("way", [BASE, COROUTINES])
def test_T6_T6x_T7_wrong_answer_is_refused(way: str, wrong: Any) -> None:
    """Хотя бы один неверный ответ — исключение, в котором оба значения."""
    left = iter([7] * (LESSON.JOBS - 1) + [wrong])

    async def job_async(value: int) -> Any:
        return next(left)

    kind = some_kind(job=lambda value: next(left), job_async=job_async)
    with pytest.raises(ValueError, match=f"верный ответ 7, а получен {wrong!r}"):
        LESSON.measure(way, kind, {})


def test_T6_T6x_answers_are_known_from_elsewhere() -> None:
    """Решето — для простых чисел; NIST — для SHA3-512 миллиона букв «a»."""
    python, c, waiting = LESSON.kinds(("127.0.0.1", 1))
    assert [python.name, c.name, waiting.name] == list(KINDS)
    assert python.right == primes_below(python.value)
    assert (c.value, c.right[:32]) == (1_000_000, "3c3a876da14034ab60627c077bb98f7e")
    assert (LESSON.count_primes(python.value), LESSON.checksum(c.value)) == (python.right, c.right)
    assert [LESSON.count_primes(n) for n in (0, 2, 3, 100)] == [0, 0, 1, 25]
    # Пример из FIPS 202: SHA3-512 пустой строки.
    assert LESSON.checksum(0).startswith("a69f73cca23a9ac5c8b567dc185a756e")


def played(monkeypatch: pytest.MonkeyPatch, step: float, **seconds: float) -> list[tuple[str, str]]:
    """В каком порядке experiment() измеряет, если счёт длится столько секунд."""
    order = []

    def measure(way: str, kind: Any, pools: dict) -> Any:
        order.append((kind.name, way))
        return LESSON.Run(seconds.get(kind.name, 0.5), 0.5, 1)

    monkeypatch.setattr(LESSON, "measure", measure)
    works = [some_kind(name=name) for name in ("python", "c", "waiting")]
    rounds = list(LESSON.experiment(works, {INTERPRETERS: None}, step))
    assert all(set(one) == set(WAYS) for _, one in rounds)
    assert [name for name, _ in rounds for _ in WAYS] == [name for name, _ in order]
    return order


def test_O3_T6_T6x_T7_rounds_turn_the_order_of_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Способы идут в круге подряд, в каждом втором круге — в обратном порядке."""
    order = played(monkeypatch, FINE)
    for name in ("python", "c", "waiting"):
        ways = [way for kind, way in order if kind == name]
        assert len(ways) == LESSON.ROUNDS * len(WAYS) and LESSON.ROUNDS >= 8
        turned = [*WAYS, *reversed(WAYS)] * LESSON.ROUNDS
        assert ways == turned[: len(ways)]


def test_O3_T6_T6x_clocks_that_tick_get_more_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Пока короткий счёт за все круги не занял двадцать шагов часов; но не без конца."""
    order = played(monkeypatch, COARSE, python=0.06, c=0.03, waiting=0.06)
    rounds = {name: count / len(WAYS) for name, count in Counter(k for k, _ in order).items()}
    usual = LESSON.ROUNDS
    assert rounds == {"python": usual, "c": math.ceil(20 * COARSE / 0.03), "waiting": usual}
    assert len(played(monkeypatch, COARSE, python=0.0001)) <= 6 * usual * len(WAYS)


def test_O3_T6_step_of_the_clock_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Шаг часов, которые идут по 1/64 с, — 1/64 с, с какого места ни начни."""
    monkeypatch.setattr(LESSON, "process_time", lambda: time.process_time() // COARSE * COARSE)
    steps = [LESSON.tick() / COARSE for _ in range(3)]
    assert min(steps) == 1 and all(step == int(step) for step in steps)


# --- Способы: настоящие потоки, процессы, корутины и сервер, который всё считает ----------------


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[str, Executor]]:
    """Пулы программы: процессов и интерпретаторов по три, потоков — сколько в ней."""
    works = [some_kind()]
    with ExitStack() as stack:
        opened = LESSON.start_pools(3, works, stack)
        lack = LESSON.start_interpreters(3, works, opened, stack)
        assert (lack == "") == (INTERPRETERS in HAVE), lack
        yield opened


@contextmanager
def server(at_once: int) -> Iterator[tuple[tuple, list[str]]]:
    """Адрес сервера и его ответы: отвечает, лишь когда ждут at_once сразу, всем по-разному."""
    told: list[str] = []
    waiting: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.settimeout(5)

    def serve() -> None:
        try:
            while True:
                waiting.append(listener.accept()[0])
                while len(waiting) == at_once and waiting:
                    told.extend(f"ответ {len(told) + n}" for n in range(at_once))
                    for connection, word in zip(waiting, told[-at_once:]):
                        connection.sendall(word.encode())
                        connection.close()
                    waiting.clear()
        except OSError:  # больше никто не пришёл, или тест кончился
            for connection in waiting:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname(), told
    finally:
        if hasattr(socket, "SHUT_RDWR") and os.name == "posix":
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


AT_ONCE = {BASE: 1, THREADS: 16, COROUTINES: 16, PROCESSES: 3, INTERPRETERS: 3}


@pytest.mark.parametrize("way", HAVE)
@pytest.mark.timeout(20)  # по одному они ждали бы друг друга вечно
def test_O3_T7_answers_come_from_the_server_and_that_many_wait_at_once(
    way: str, pools: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Сервер отвечает, лишь когда ждут все сразу: потоков и корутин 16, процессов 3."""
    monkeypatch.setattr(LESSON, "JOBS", 48)
    at_once = 48 if way == COROUTINES else AT_ONCE[way]  # корутин — сколько заданий
    with server(at_once) as (address, told):
        kind = LESSON.kinds(address)[2]
        answers = LESSON.perform(way, kind, pools)
    assert sorted(answer.value for answer in answers) == sorted(told)
    assert len(told) == 48, "на каждое задание — своё подключение"
    workers = {(answer.pid, answer.thread) for answer in answers}
    pids, here = {answer.pid for answer in answers}, os.getpid()
    assert len(workers) == {BASE: 1, COROUTINES: 1}.get(way, at_once)
    assert (pids == {here}) if way != PROCESSES else (len(pids) == 3 and here not in pids)
    if way in (BASE, COROUTINES):
        assert workers == {(here, threading.get_native_id())}, "этот же поток"


def who(value: Any) -> tuple[int, int]:
    """Задание: сказать, кто его делает."""
    return os.getpid(), threading.get_native_id()


@pytest.mark.parametrize("way", HAVE[1:2] + HAVE[3:4])
def test_O3_T7_worker_of_an_answer_is_the_one_who_made_it(way: str, pools: dict) -> None:
    """Чей ответ, записал тот самый поток, который его нашёл."""
    answers = LESSON.perform(way, some_kind(job=who), pools)
    assert all(answer.value == (answer.pid, answer.thread) for answer in answers)


def test_O3_interpreters_that_cannot_be_had_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Интерпретаторов нет: остальные способы на месте, и сказано почему."""

    class Refusing:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def map(self, job: Callable, inputs: list) -> list:
            raise RuntimeError("не дают")

    monkeypatch.setattr(LESSON, "open_interpreters", lambda workers: Refusing())
    others: dict = {}
    with ExitStack() as stack:
        lack = LESSON.start_interpreters(2, [some_kind()], others, stack)
    assert (lack, others) == ("RuntimeError: не дают", {})
    if INTERPRETERS not in HAVE:
        monkeypatch.undo()
        assert (
            LESSON.start_interpreters(2, [some_kind()], others, stack)
            == "нужен Python 3.14 или новее"
        )


@posix
@pytest.mark.skipif(INTERPRETERS not in HAVE, reason="интерпретаторы есть с Python 3.14")
def test_O3_folder_that_interpreters_cannot_read_is_no_reason_to_fail() -> None:
    """Папка с русским именем при кодировке ASCII: столбца нет, сказано почему, код 0."""
    folder = new_file("x").parent / "папка"
    folder.mkdir()
    path = folder / script(7).name
    path.write_text(copy(7, ("ROUNDS = 8", "ROUNDS = 1")).read_text("utf-8"), "utf-8")
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    text = good(run(Path(os.fsencode(path).decode("utf-8")), **poor))
    assert "интерпретаторов нет: NotShareableError" in text
    assert len(cell(text, WAITING, PROCESSES)) == 4 and len(conclusions(text)) == 4


@pytest.mark.parametrize(
    ("options", "cores", "workers", "cut"),
    [
        ([], 1, 1, False),
        ([], 2, 2, False),
        ([], 8, 8, False),
        ([], 64, 8, True),
        ([], 256, 8, True),
        (["--workers", "4"], 2, 4, False),
        (["--workers", "16"], 64, 16, False),
    ],
)
def test_O3_heading_tells_what_was_done(
    options: list[str],
    cores: int,
    workers: int,
    cut: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Сколько заданий, потоков и процессов — из того же, чем пользуются; ядер хоть 256."""
    opened: list[int] = []

    def start_pools(count: int, works: list, stack: ExitStack) -> dict:
        opened.append(count)
        return {}

    def start_interpreters(count: int, works: list, pools: dict, stack: ExitStack) -> str:
        opened.append(count)
        return ""

    rounds = [(kind, one) for kind, ones in facts().rounds.items() for one in ones]
    monkeypatch.setattr(LESSON, "CORES", cores)
    monkeypatch.setattr(LESSON, "JOBS", 12)
    monkeypatch.setattr(LESSON, "THREADS", 11)
    monkeypatch.setattr(LESSON, "start_server", lambda: ("127.0.0.1", 1))
    monkeypatch.setattr(LESSON, "start_pools", start_pools)
    monkeypatch.setattr(LESSON, "start_interpreters", start_interpreters)
    monkeypatch.setattr(LESSON, "experiment", lambda works, pools, step: iter(rounds))
    monkeypatch.setattr(sys, "argv", ["7_parallel.py", *options])
    LESSON.main()
    text = capsys.readouterr().out
    (heading,) = (line for line in text.splitlines() if line.startswith("заданий по "))
    assert said(heading) == [12, 11, workers] and opened == [workers, workers]
    (dots,) = (line for line in text.splitlines() if "точка — круг: " in line)
    assert dots.endswith(": ........ ........ ........"), "точка — круг, промежуток — вид работы"
    assert said(dots) == ([8] if cut else []), "сказано, что процессов не больше восьми"
    assert said(conclusion(text, "понадобилось"))[0] == 12


# --- Программа целиком --------------------------------------------------------------------------


def truth() -> dict[str, dict[str, str]]:
    """Чему на этой машине быть: верный вывод о каждом способе."""
    several = "да" if CORES > 1 else "нет"
    with_own_gil = dict.fromkeys((PROCESSES, INTERPRETERS), several)
    python = {THREADS: "нет" if GIL else several, COROUTINES: "нет"} | with_own_gil
    c = {THREADS: several, COROUTINES: "нет"} | with_own_gil
    waiting = {THREADS: "да", COROUTINES: "да"} | with_own_gil
    return {PYTHON: python, C: c, WAITING: waiting}


def check_that_nothing_is_wrong(text: str) -> None:
    """Нет ни одного неверного вывода: верные или «судить нельзя», и не больше ядер."""
    for kind, ways in truth().items():
        for way, word in verdict(text, kind).items():
            if word == "зря":  # ядра заняты, но они — половины одного физического
                _, low, _, busy = cell(text, kind, way)
                assert ways[way] == "да" and kind != WAITING, (kind, way, word)
                assert busy > 1.4 and low < 1.2, (kind, way, busy, low)
            else:
                assert word in (ways[way], "судить нельзя"), (kind, way, word)
        if named(text, kind):
            wins, of = counted(text, kind)
            assert 0.75 * of <= wins <= of
        for way, speedup in named(text, kind).items():
            measured, low, high, busy = cell(text, kind, way)
            assert low - 0.06 <= measured <= high + 0.06
            assert speedup <= measured + 0.06
            if kind != WAITING:
                assert speedup <= min(busy + 0.01, CORES)


def test_O3_T6_T6x_T7_no_conclusion_is_wrong() -> None:
    """Что бы ни творилось с машиной, неверного вывода нет."""
    check_that_nothing_is_wrong(output(7))
    assert set(verdict(output(7), WAITING)) == set(HAVE[1:])
    assert (INTERPRETERS in HAVE) != ("интерпретаторов нет: " in output(7))


@with_gil
def test_O3_T6_threads_and_coroutines_keep_one_core_busy() -> None:
    """Счёт на Python: у потоков при GIL и у корутин — не больше ядра на всех."""
    assert cell(output(7), PYTHON, THREADS)[-1] < 1.2
    assert cell(output(7), PYTHON, COROUTINES)[-1] < 1.2
    assert cell(output(7), C, COROUTINES)[-1] < 1.2


@several_cores
def test_O3_T6_T6x_processes_and_code_without_gil_keep_several_cores_busy() -> None:
    """На свободной машине сказано всё и верно: «судить нельзя» там быть не должно."""
    text = judged(output(7))
    check_that_nothing_is_wrong(text)
    for kind in KINDS:
        assert set(verdict(text, kind)) == set(HAVE[1:])
    for kind in (PYTHON, C):
        assert cell(text, kind, PROCESSES)[-1] > 1.3


def test_O3_T7_threads_and_coroutines_speed_up_waiting() -> None:
    """Настоящее ожидание: ядро свободно, ответ не раньше срока, потоков 16 против одного."""
    text = output(7)
    milliseconds, busy = cell(text, WAITING, BASE)
    least = 1000 * LESSON.DELAY * LESSON.JOBS
    assert busy < 0.5 and milliseconds >= 0.95 * least, "сервер отвечает раньше срока"
    jobs, delay, pool, loop = said(conclusion(text, "понадобилось"))
    assert (jobs, pool, loop) == (LESSON.JOBS, LESSON.THREADS, 1)
    assert delay == pytest.approx(milliseconds / jobs, abs=0.1)
    assert min(cell(judged(text), WAITING, way)[0] for way in (THREADS, COROUTINES)) > 3


@pytest.mark.long
def test_O3_T6_T6x_T7_no_conclusion_is_wrong_with_clocks_that_tick() -> None:
    """Часы процессорного времени идут шагами, как в Windows: неверного вывода нет."""
    check_that_nothing_is_wrong(good(run(script(7), startup=TICKING_CLOCKS)))


def test_O3_needs_nothing_but_python() -> None:
    """Стандартная библиотека, и никакого кластера."""
    names = set(re.findall(r"(?m)^ *(?:from|import) (\w+)", source(7)))
    assert names <= set(sys.stdlib_module_names)
