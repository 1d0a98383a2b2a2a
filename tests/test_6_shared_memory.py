"""Утверждения об общей памяти потоков: T4, T5a, T5b, T5c."""
# ruff: noqa: F403, F405

from conftest import *

ONCE = ("ROUNDS = 3", "ROUNDS = 1")
ROUNDS = ("круг 1", "круг 2", "круг 3")


def lost(text: str, column: int) -> list[float]:
    """Потеряно по кругам: без замка, с замком, counter += 1."""
    return [cells(text, title)[column] for title in ROUNDS if lines(text, title)]


def records(text: str) -> list[float]:
    """Записей в общем списке: всего и от каждого потока."""
    return said(lines(text, "в общем списке записей ")[0])


def test_T4_T5c_records_of_one_thread_only_would_be_noticed() -> None:
    only = ("        taken.append(", "        if consumer == 0:\n            taken.append(")
    text = changed(6, ONCE, only)
    total, *own = records(text)
    assert own == [total] and total < load(6).ITEMS
    assert said(conclusion(text, "очередь потеряла")) == [load(6).ITEMS - total, 0]


def test_T4_every_thread_changes_the_same_list() -> None:
    total, *own = records(output(6))
    assert total == load(6).ITEMS == sum(own) and len(own) == 4


def test_T5c_numbers_lost_and_numbers_doubled_are_counted() -> None:
    twice = "for number in numbers[1:]:\n        queue.put(number)"
    text = changed(6, ONCE, ("for number in numbers:", twice))
    expected = load(6).ITEMS - 2  # у каждого из двух производителей нет первого числа
    assert said(conclusion(text, "очередь потеряла")) == [2, expected]
    assert records(text)[0] == 2 * expected


def test_T5c_queue_loses_nothing_and_gives_nothing_twice() -> None:
    assert said(conclusion(output(6), "очередь потеряла")) == [0, 0]


def test_T5b_times_are_those_of_the_clock_and_best_is_compared_with_best() -> None:
    text = changed(6, ("LIMIT = 20_000", "LIMIT = 2_000"), startup=LEAPING_CLOCKS)
    assert cells(text, "лучшее время, с") == [1000, 5000, 9000]
    assert said(conclusion(text, "с замком"))[1] == 5


def test_T5b_losses_under_the_lock_would_be_shown() -> None:
    text = changed(6, ONCE, ("        with lock:\n", "        if number > 2:\n"))  # двойка пропала
    assert lost(text, 1)[0] == said(conclusion(text, "с замком"))[0] >= 4


def test_T5b_lock_loses_nothing_and_costs_time() -> None:
    text = output(6)
    assert lost(text, 1) == [0, 0, 0]
    without, with_lock, plain = cells(text, "лучшее время, с")
    assert min(without, with_lock, plain) > 0
    none, *price = said(conclusion(text, "с замком"))
    assert none == 0
    assert is_ratio(price[0] if price else 1, with_lock, without, half=0.005, own=0.11)


@with_gil
def test_T5a_nothing_is_lost_while_threads_are_not_switched() -> None:
    text = changed(6, ONCE, startup="import sys; sys.setswitchinterval(1000)")
    assert lost(text, 0) == [0]
    assert said(conclusion(text, "без замка"))[0] == 0


def test_T5a_losses_of_plain_addition_are_counted() -> None:
    text = changed(6, ONCE, ("range(ADDITIONS)", "range(ADDITIONS - 50)"))
    assert lost(text, 2)[0] >= 200
    assert said(conclusion(text, "counter +="))[1:] == [lost(text, 2)[0], 4 * load(6).ADDITIONS]


def test_T5a_totals_are_known_from_elsewhere() -> None:
    module = load(6)
    assert primes_below(module.LIMIT) == module.PRIMES
    wanted = [module.PRIMES, module.PRIMES, module.ADDITIONS]
    assert cells(output(6), "всего обновлений") == [4 * number for number in wanted]
    two = run(6, "--workers", "2").stdout
    assert cells(two, "всего обновлений") == [2 * number for number in wanted]
    assert cells(output(6), "потоков ")[0] == 4 and cells(two, "потоков ")[0] == 2


def test_T5a_unsynchronised_updates_are_lost_in_every_round() -> None:
    text = output(6)
    total = cells(text, "всего обновлений")[0]
    shares = [100 * number / total for number in lost(text, 0)]
    assert all(0 < share < 100 for share in shares)
    wanted = (sum(shares) / 3, min(shares), max(shares))
    for number, share in zip(said(conclusion(text, "без замка")), wanted, strict=True):
        assert abs(number - share) <= 0.51
    source = script(6).read_text("utf-8")
    assert "sleep" not in source and "setswitchinterval" not in source


def test_T5a_plain_addition_is_reported_as_it_is() -> None:
    _, number, total = said(conclusion(output(6), "counter +="))
    assert (number, total) == (sum(lost(output(6), 2)), 12 * load(6).ADDITIONS)
    if GIL:
        assert number == 0
