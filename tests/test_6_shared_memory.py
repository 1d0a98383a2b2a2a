"""Утверждения об общей памяти потоков: T4, T5a, T5b, T5c."""

from conftest import *

ONCE = ("ROUNDS = 3", "ROUNDS = 1")
WORKERS, ITEMS = 4, load(6).ITEMS


def lost(text: str) -> list[list[float]]:
    """Потеряно по кругам: без замка, с замком, counter += 1."""
    return [said(line)[1:] for line in lines(text, "круг")]


def test_T4_T5c_every_thread_changes_the_same_list_and_the_queue_loses_nothing() -> None:
    total, *own = cells(output(6), "в общем списке записей ")
    assert total == ITEMS == sum(own) and len(own) == WORKERS
    assert said(conclusion(output(6), "очередь потеряла")) == [0, 0]


def test_T4_T5a_T5c_records_of_one_thread_and_lost_additions_would_be_noticed() -> None:
    only = ("        taken.append(", "        if consumer == 0:\n            taken.append(")
    text = changed(6, ONCE, only, ("range(ADDITIONS)", "range(ADDITIONS - 50)"))
    total, *own = cells(text, "в общем списке записей ")
    assert own == [total] and total < ITEMS
    assert said(conclusion(text, "очередь потеряла")) == [ITEMS - total, 0]
    ((*_, plain),) = lost(text)
    assert plain >= 50 * WORKERS
    assert said(conclusion(text, "counter +="))[1:] == [plain, WORKERS * load(6).ADDITIONS]


def test_T5b_T5c_losses_under_the_lock_and_doubled_numbers_would_be_noticed() -> None:
    twice = "for number in numbers[1:]:\n        queue.put(number)"
    no_two = ("        with lock:\n", "        if number > 2:\n")  # двойка пропала
    text = changed(6, ONCE, ("for number in numbers:", twice), no_two)
    expected = ITEMS - 2  # у каждого из двух производителей нет первого числа
    assert said(conclusion(text, "очередь потеряла")) == [2, expected]
    assert cells(text, "в общем списке записей ")[0] == 2 * expected
    ((_, with_lock, _),) = lost(text)
    assert with_lock == said(conclusion(text, "с замком"))[0] >= WORKERS


def test_T5b_times_are_those_of_the_clock_and_best_is_compared_with_best() -> None:
    text = changed(6, ("LIMIT = 17_000", "LIMIT = 2_000"), startup=LEAPING_CLOCKS)
    assert cells(text, "лучшее время, с") == [1000, 5000, 9000]
    assert said(conclusion(text, "с замком"))[1] == 5


def test_T5b_lock_loses_nothing_and_costs_time() -> None:
    assert [with_lock for _, with_lock, _ in lost(output(6))] == [0, 0, 0]
    without, with_lock, _ = cells(output(6), "лучшее время, с")
    none, *price = said(conclusion(output(6), "с замком"))
    assert none == 0 and min(without, with_lock) > 0
    if price:
        assert is_ratio(price[0], with_lock, without, half=0.005)
    else:  # с 3.14 бывает и быстрее
        assert with_lock < 1.2 * without + 0.01


@with_gil
def test_T5a_nothing_is_lost_while_threads_are_not_switched() -> None:
    text = changed(6, ONCE, startup="import sys; sys.setswitchinterval(1000)")
    assert lost(text)[0][0] == said(conclusion(text, "без замка"))[0] == 0


def test_T5a_totals_are_known_from_elsewhere() -> None:
    module = load(6)
    assert primes_below(module.LIMIT) == module.PRIMES
    for workers, text in ((4, output(6)), (2, good(run(script(6), "--workers", "2")))):
        wanted = [module.PRIMES, module.PRIMES, module.ADDITIONS]
        assert cells(text, "всего обновлений") == [workers * number for number in wanted]
        assert cells(text, "потоков ")[0] == workers


def test_T5a_unsynchronised_updates_are_lost_in_every_round_and_plain_addition_as_it_is() -> None:
    total, _, additions = cells(output(6), "всего обновлений")
    shares = [100 * without / total for without, *_ in lost(output(6))]
    assert all(0 < share < 100 for share in shares)
    wanted = (sum(shares) / 3, min(shares), max(shares))
    for number, share in zip(said(conclusion(output(6), "без замка")), wanted, strict=True):
        assert abs(number - share) <= 0.51
    source = script(6).read_text("utf-8")
    assert "sleep" not in source and "setswitchinterval" not in source
    plain = sum(plain for *_, plain in lost(output(6)))
    assert said(conclusion(output(6), "counter +="))[1:] == [plain, 3 * additions]
    assert plain == 0 or not GIL
