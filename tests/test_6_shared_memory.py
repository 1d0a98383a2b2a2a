"""Утверждения об общей памяти потоков: T4, T5a, T5b, T5c (T5d — в test_6_step.py)."""

from collections.abc import Callable
from statistics import median
from threading import Barrier, current_thread, get_ident, main_thread
from typing import Any

import pytest
from conftest import (
    GIL,
    cells,
    changed,
    conclusion,
    copy,
    good,
    lines,
    load,
    output,
    primes_below,
    run,
    said,
    source,
    with_gil,
)

LESSON: Any = load(6)
FINE = 1e-6  # шаг часов процессорного времени, с: Linux и macOS
COARSE = 1 / 64  # Windows
ONCE = ("ROUNDS = 7", "ROUNDS = 1")


def made(lost: int = 0, seconds: float = 1, busy: float = 1, total: int = 100) -> Any:
    """Прогон: столько-то обновлений из ста потеряно, столько-то секунд и ядер."""
    return LESSON.Run(total, total - lost, seconds, seconds * busy)


def circle(
    lost: int = 50,
    locked: int = 0,
    plain: int = 0,
    seconds: float = 1,
    ratio: float = 3,
    busy: float = 1,
) -> Any:
    """Круг: сколько потеряли три способа, время без замка, во сколько раз дольше с замком."""
    with_lock = made(locked, seconds * ratio)
    return LESSON.Round(made(lost, seconds, busy), with_lock, made(plain, 1, 1, 1000))


def report(
    rounds: list[Any],
    guests: list[tuple[str, int]] | None = None,
    taken: list[int] | None = None,
    tick: float = FINE,
) -> str:
    """Что сказано о таких фактах; потоков — два."""
    if guests is None:
        guests = [("один", 7), ("другой", 7)]
    if taken is None:
        taken = list(range(LESSON.ITEMS))
    text = "\n".join(LESSON.report(LESSON.Facts(2, guests, rounds, taken, tick)))
    assert max(map(len, text.splitlines())) <= 80
    return text


def circles(text: str) -> list[list[float]]:
    """Строки кругов: потеряно тремя способами, два времени, во сколько раз дольше."""
    return [said(line)[1:] for line in lines(text, "круг ")]


# --- T4 ---


def test_T4_every_thread_finds_the_same_list() -> None:
    """Сколько потоков пущено, столько разных и записалось; список — тот, что вернули."""
    guests = LESSON.gather(3)
    assert len({name for name, _ in guests}) == len(guests) == 3
    assert {which for _, which in guests} == {id(guests)}


def test_T4_each_thread_signs_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Записываются сами потоки, каждый один раз, а не кто-то за всех."""
    signed: list[Any] = []
    monkeypatch.setattr(LESSON, "sign_in", lambda guests: signed.append(current_thread()))
    LESSON.gather(3)
    assert len(set(signed)) == len(signed) == 3
    assert main_thread() not in signed


def test_T4_what_is_said_of_the_list_is_counted() -> None:
    """«Записались» и «списков» сосчитаны по записям, а не известны заранее."""
    assert said(conclusion(report([circle()]), "общий список")) == [2, 2, 1]
    strange = [("один", 7), ("один", 8)]
    assert said(conclusion(report([circle()], strange), "общий список")) == [1, 2, 2]


@pytest.mark.parametrize("workers", [2, 4])
def test_T4_T5a_the_program_starts_as_many_threads_as_it_says(workers: int) -> None:
    """«Потоков N» — это сколько их запущено на самом деле, каждым из способов."""
    text = output(6)
    if workers != 4:
        text = good(run(copy(6, ONCE), "--workers", str(workers)))
    (title,) = lines(text, "потоков ")
    assert said(title) == [workers]
    assert said(conclusion(text, "общий список")) == [workers, workers, 1]
    wanted = [workers * LESSON.PRIMES] * 2 + [workers * len(LESSON.ADDITIONS)]
    assert cells(text, "всего было ") == wanted


# --- T5a ---


def test_T5a_totals_are_known_from_elsewhere() -> None:
    """Сколько простых найдёт поток, известно из решета Эратосфена."""
    first, last = LESSON.NUMBERS[0], LESSON.NUMBERS[-1]
    assert primes_below(last + 1) - primes_below(first) == LESSON.PRIMES


def test_T5a_run_without_lock_loses_and_nobody_helps_it() -> None:
    """Потери есть в каждом запуске; их не подстроили ни сном, ни частой сменой потоков."""
    lost = [without for without, *_ in circles(output(6))]
    assert LESSON.LEAST <= len(lost) <= LESSON.ROUNDS
    assert sum(lost) > 0
    assert "sleep" not in source(6)
    assert "setswitchinterval" not in source(6)


def test_T5a_share_is_that_of_all_rounds_with_the_least_and_the_greatest() -> None:
    """Доля потерь — по всем кругам, рядом наименьшая и наибольшая."""
    text = report([circle(lost) for lost in (10, 20, 60)])
    assert said(conclusion(text, "без замка потеряно")) == [30, 10, 60]
    text = report([circle(lost) for lost in (0, 0, 0)])
    assert said(conclusion(text, "без замка потеряно")) == [0, 0, 0]


def test_T5a_shares_of_a_run_follow_from_its_rounds() -> None:
    """В выводе программы — доли, которые получаются из строк её же таблицы."""
    total, *_ = cells(output(6), "всего было ")
    shares = [100 * without / total for without, *_ in circles(output(6))]
    wanted = [sum(shares) / len(shares), min(shares), max(shares)]
    for number, share in zip(said(conclusion(output(6), "без замка потеряно")), wanted):
        assert abs(number - share) <= 0.51


@with_gil
def test_T5a_nothing_is_lost_while_threads_are_not_switched() -> None:
    """Виновата смена потоков: без неё те же строки не теряют ничего."""
    text = changed(6, ONCE, startup="import sys; sys.setswitchinterval(1000)")
    assert [row[0] for row in circles(text)] == [0]
    assert said(conclusion(text, "без замка потеряно")) == [0, 0, 0]


def test_T5a_lost_is_what_was_added_less_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Потеряно — разность того, что прибавляли, и того, что в счётчике."""

    def forgetful(numbers: range) -> None:
        with LESSON.lock:
            LESSON.counter += LESSON.PRIMES - 5

    result = LESSON.measure(forgetful, 3)
    assert (result.total, result.lost) == (3 * LESSON.PRIMES, 15)
    monkeypatch.setattr(LESSON, "ADDITIONS", range(10))
    result = LESSON.measure(LESSON.plus_one, 3)
    assert result.total == 30


def test_T5a_plain_addition_is_told_as_it_was_measured() -> None:
    """counter += 1: сумма потерь по кругам, из суммы прибавлений."""
    text = report([circle(plain=plain) for plain in (0, 4, 7)])
    assert said(conclusion(text, "counter +=")) == [1, 11, 3000]
    shown = [plain for _, _, plain, *_ in circles(output(6))]
    *_, total = cells(output(6), "всего было ")
    wanted = [1, sum(shown), len(shown) * total]
    assert said(conclusion(output(6), "counter +=")) == wanted


@with_gil
def test_T5a_additions_that_were_skipped_would_be_noticed() -> None:
    """Поток, который прибавил на 50 меньше, — это 50 потерянных обновлений."""
    text = changed(6, ONCE, ("    for _ in numbers:", "    for _ in numbers[50:]:"))
    *_, additions = said(conclusion(text, "counter +="))
    assert said(conclusion(text, "counter +=")) == [1, 200, additions]


# --- T5b ---

QUIET = [circle()] * 8
CASES = {  # круги; шаг часов; что должно быть сказано и чего быть не должно
    "спокойно": (QUIET, FINE, "в 3,0 раза|в 8 кругах из 8", "нельзя"),
    "медиана, не лучший круг": (
        [circle(ratio=ratio) for ratio in (1.5, 1.5, 2, 4, 8)],
        FINE,
        "в 2,0 раза|в 5 кругах из 5",
        "нельзя",
    ),
    "один круг не такой": (
        [*QUIET[:7], circle(ratio=0.9)],
        FINE,
        "в 3,0 раза|в 7 кругах из 8",
        "нельзя",
    ),
    "замок почти даром": (
        [circle(ratio=ratio) for ratio in (0.95, 1, 1.05, 1.15)],
        FINE,
        "почти столько же|в 4 кругах из 4",
        "нельзя|больше",
    ),
    "замок стоит немногого": (
        [circle(ratio=ratio) for ratio in (1.01, 1.35, 1.18, 1.03, 1.38, 1.2, 1.04)],
        FINE,
        "ненамного больше|1,01–1,38",
        "нельзя|столько же",
    ),
    "круги расходятся": (
        [circle(ratio=ratio) for ratio in (0.8, 0.9, 2, 3)],
        FINE,
        "судить нельзя|расходятся",
        "больше|столько же",
    ),
    "у большинства кругов отняли ядро": (
        [*[circle(busy=0.6)] * 5, *QUIET[:3]],
        FINE,
        "судить нельзя|закройте лишнее",
        "больше|столько же",
    ),
    "круги, где ядро отняли, не в счёт": (
        [*[circle(busy=0.9, ratio=1)] * 3, *QUIET[:5]],
        FINE,
        "в 3,0 раза|в 5 кругах из 5|не в счёт кругов: 3",
        "нельзя",
    ),
    "часы шагают: по одному кругу не судят": (
        [circle(seconds=0.1, busy=busy) for busy in (0.6, 1.4, 0.6, 1.4)],
        COARSE,
        "в 3,0 раза|в 4 кругах из 4",
        "нельзя",
    ),
    "часы шагают, и всем вместе ядра не хватило": (
        [circle(seconds=0.1, busy=busy) for busy in (0.6, 1.2, 0.6, 1.2)],
        COARSE,
        "судить нельзя",
        "больше|столько же",
    ),
    "часы шагают шире, чем длилось всё": (
        [circle(seconds=0.01, busy=busy) for busy in (0, 0, 1.5, 0)],
        COARSE,
        "в 3,0 раза|в 4 кругах из 4",
        "нельзя",
    ),
}


@pytest.mark.parametrize(("rounds", "tick", "words", "never"), CASES.values(), ids=CASES)
def test_T5b_price_of_the_lock_is_said_only_if_the_rounds_agree(
    rounds: list[Any], tick: float, words: str, never: str
) -> None:
    """Цена — медиана отношений по кругам в счёт, и только если они согласны."""
    text = report(rounds, tick=tick)
    told = conclusion(text, "с замком потеряно")
    assert [word for word in words.split("|") if word not in text] == []
    assert [word for word in never.split("|") if word in told] == []


def test_T5b_losses_under_the_lock_are_summed_over_all_rounds() -> None:
    """«С замком потеряно» — сумма по всем кругам, и по тем, что не в счёт."""
    text = report([circle(locked=1), circle(locked=2), circle(locked=4, busy=0.5)])
    assert said(conclusion(text, "с замком потеряно"))[0] == 7


def test_T5a_T5b_row_of_medians_shows_medians() -> None:
    """В строке «медиана» — медианы кругов, а не лучшие и не худшие."""
    rounds = [
        circle(10, 1, 5, seconds=1, ratio=2),
        circle(20, 2, 6, seconds=2, ratio=3),
        circle(60, 9, 9, seconds=9, ratio=7),
    ]
    assert cells(report(rounds), "медиана ") == [20, 2, 6, 2000, 6000, 3]


def test_T5a_T5b_rows_of_a_run_agree_with_each_other() -> None:
    """Круги пронумерованы; «раз дольше» — частное двух времён; медиана — их медиана."""
    numbers = [said(line)[0] for line in lines(output(6), "круг ")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert LESSON.LEAST <= len(numbers) <= LESSON.ROUNDS
    rows = circles(output(6))
    for _, locked, _, before, after, ratio in rows:
        assert locked == 0
        assert (after - 0.5) / (before + 0.5) - 0.01 <= ratio
        assert ratio <= (after + 0.5) / (before - 0.5) + 0.01
    if not lines(output(6), "о цене не в счёт"):
        medians = [median(column) for column in zip(*rows)]
        assert cells(output(6), "медиана ") == pytest.approx(medians, abs=0.011)
    assert said(conclusion(output(6), "с замком потеряно"))[0] == 0


def test_T5b_price_of_a_run_follows_from_its_rounds() -> None:
    """Число в выводе — «раз дольше» из строки «медиана», и согласных кругов — сколько есть."""
    told = conclusion(output(6), "с замком потеряно")
    if "раза больше" not in told or lines(output(6), "о цене не в счёт"):
        pytest.skip("программа не назвала числа: ядра заняты или замок почти даром")
    ratios = [row[-1] for row in circles(output(6))]
    _, price, agree, rounds = said(told)
    assert abs(price - median(ratios)) <= 0.06
    assert sum(r > 1.11 for r in ratios) <= agree <= sum(r >= 1.1 for r in ratios)
    assert rounds == len(ratios)


def test_T5b_lock_that_protects_nothing_would_be_noticed() -> None:
    """Новый замок на каждый виток никем не заперт: потери вернутся."""
    place = "        with {}:\n            before"
    new_lock = (place.format("lock"), place.format("Lock()"))
    text = changed(6, ("ROUNDS = 7", "ROUNDS = 2"), new_lock)
    assert sum(row[1] for row in circles(text)) > 0
    lost = said(conclusion(text, "с замком потеряно"))[0]
    assert lost == sum(row[1] for row in circles(text))


class Clock:
    """Часы, которые идут, только если их переводят."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_T5b_time_is_that_of_the_threads_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Секунды прогона — сколько шла работа всех потоков; столько же — процессорных."""
    wall, cpu = Clock(), Clock()
    monkeypatch.setattr(LESSON, "perf_counter", wall)
    monkeypatch.setattr(LESSON, "process_time", cpu)

    def job(numbers: range) -> None:
        with LESSON.lock:
            wall.now += 2
            cpu.now += 1.5

    result = LESSON.measure(job, 3)
    assert (result.seconds, result.cpu) == (6, 4.5)


def test_T5b_ways_take_turns_and_the_order_is_turned_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Способы чередуются, в чётном круге — в обратном порядке; каждый под своим именем."""
    order: list[Callable] = []

    def measure(way: Callable, workers: int) -> Any:
        order.append(way)
        return made(len(order), workers)

    monkeypatch.setattr(LESSON, "measure", measure)
    rounds = list(LESSON.experiment(5))
    ways = [LESSON.without_lock, LESSON.with_lock, LESSON.plus_one]
    assert len(rounds) == LESSON.ROUNDS
    assert order[:9] == ways + ways[::-1] + ways
    assert [run.lost for run in rounds[0]] == [1, 2, 3]
    assert [run.lost for run in rounds[1]] == [6, 5, 4]
    assert rounds[0].without_lock.seconds == 5


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, 7), (2.0, 3), (60.0, 3)])
def test_T5b_dear_lock_gets_fewer_rounds(
    seconds: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Где замок дорог, программа не считает минутами, но трёх кругов дождётся."""
    wall = Clock()

    def measure(way: Callable, workers: int) -> Any:
        wall.now += seconds / 3
        return made(1, workers)

    monkeypatch.setattr(LESSON, "perf_counter", wall)
    monkeypatch.setattr(LESSON, "measure", measure)
    assert len(list(LESSON.experiment(2))) == expected


def test_T5a_T5b_all_threads_are_let_go_at_once() -> None:
    """Потоков столько, сколько просили, и работают они одновременно, а не друг за другом."""
    meeting = Barrier(3, timeout=20)
    seen = set()

    def job() -> None:
        meeting.wait()
        seen.add(get_ident())

    LESSON.at_once(job, (), 3)
    assert len(seen) == 3


def test_T5a_mistake_in_a_thread_ends_the_program_with_its_line() -> None:
    """Ошибка ученика в потоке: traceback с её строкой и код 1."""
    done = run(
        copy(
            6,
            ONCE,
            (
                "before = counter\n        found = is_prime(",
                "before = counter\n        found = is_prim(",
            ),
        )
    )
    assert done.returncode == 1
    assert "NameError" in done.stderr
    assert "is_prim(number)" in done.stderr


# --- T5c ---


@pytest.mark.parametrize("consumers", [1, 3])
def test_T5c_every_number_passes_exactly_once(consumers: int) -> None:
    """Взяли ровно то, что положили; кому сколько досталось, не обещано."""
    assert sorted(LESSON.pass_through_queue(consumers)) == list(range(LESSON.ITEMS))


def test_T5c_run_of_the_program_loses_nothing() -> None:
    """Программа так и говорит: потеряно 0, выдано дважды 0."""
    assert said(conclusion(output(6), "очередь")) == [0, LESSON.ITEMS, 0]


def test_T5c_lost_and_doubled_numbers_are_counted() -> None:
    """Потерянное и выданное дважды сосчитано по тому, что взяли."""
    taken = [*range(3, LESSON.ITEMS), 5, 5]
    assert said(conclusion(report(QUIET, taken=taken), "очередь")) == [3, LESSON.ITEMS, 2]


def test_T5c_numbers_lost_on_the_way_would_be_noticed() -> None:
    """Производитель, забывший первое число, — потерянное число и код 1."""
    forgot = ("        queue.put(number)", "        queue.put(number) if number > 1 else 0")
    done = run(copy(6, ONCE, forgot))
    assert (done.returncode, done.stderr) == (1, "")
    assert said(conclusion(done.stdout, "очередь")) == [2, LESSON.ITEMS, 0]


def test_T5c_consumer_that_fell_does_not_hang_the_program() -> None:
    """Ошибка в потребителе: её traceback и код 1, и никто не ждёт вечно."""
    done = run(copy(6, ONCE, ("taken.append(number)", "taken.apend(number)")))
    assert done.returncode == 1
    assert "AttributeError" in done.stderr


FEW_THREADS = """
import threading
start, left = threading.Thread.start, [{}]
def refuse(self):
    left[0] -= 1
    if left[0] < 0:
        raise RuntimeError("can't start new thread")
    start(self)
threading.Thread.start = refuse
"""


@pytest.mark.parametrize("allowed", [2, 3 * 4 + 4 + 2 + 1], ids=["гонка", "очередь"])
def test_T5a_T5c_refusal_of_threads_ends_the_program(allowed: int) -> None:
    """Система не дала потока: traceback и код 1, запущенные потоки программу не держат."""
    done = run(copy(6, ONCE), startup=FEW_THREADS.format(allowed))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "RuntimeError: can't start new thread"


# --- вид ---


def test_T5a_T5b_output_fits_the_screen_with_any_number_of_threads() -> None:
    """Не больше 22 строк и 80 столбцов; выводы не переносятся и у восьми потоков."""
    assert len(output(6).splitlines()) + (not lines(output(6), "о цене не в счёт")) <= 22
    assert max(map(len, output(6).splitlines())) <= 80
    counts = made(7_196, 9.876, 0.5, 8_224)
    rounds = [LESSON.Round(counts, made(0, 29.6, 1, 8_224), made(1_599_999, 1, 1, 1_600_000))] * 7
    kept = [one._replace(without_lock=made(7_196, 9, 1, 8_224)) for one in rounds]
    for one in (rounds, kept):
        guests = [(str(number), 7) for number in range(8)]
        facts = LESSON.Facts(8, guests, one, list(range(LESSON.ITEMS)), FINE)
        told = "\n".join(LESSON.report(facts)).splitlines()
        assert max(map(len, told)) <= 80
        assert [line for line in told if line.startswith("  ") and line[2] != " "] == []


def test_T5a_free_threaded_build_loses_even_in_plain_addition() -> None:
    """Без GIL теряет и counter += 1; с GIL — сколько измерено, обычно ничего."""
    if GIL:
        pytest.skip("у этого интерпретатора есть GIL")
    assert said(conclusion(output(6), "counter +="))[1] > 0
