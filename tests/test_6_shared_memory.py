"""Утверждения об общей памяти потоков: T4, T5a, T5b, T5c."""

import queue
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from conftest import (
    GIL,
    cells,
    conclusions,
    load,
    numbers,
    output,
    run,
    run_changed,
    script,
    with_gil,
)
from test_3_synchronous import primes_below

ROUNDS = ("круг 1", "круг 2", "круг 3")


def test_T4_all_threads_change_the_same_list() -> None:
    (line,) = (line for line in output(6).splitlines() if line.startswith("список"))
    ids = re.findall(r"от (\d+)", line)
    assert len(set(ids)) == 4
    assert "процессов 1, адресов списка 1" in output(6)


def test_T4_conclusion_is_drawn_from_what_the_threads_saw(tmp_path: Path) -> None:
    seen = ("(os.getpid(), id(common))", "(perf_counter(), perf_counter())")  # у всех разное
    assert "процессов 4, адресов списка 4" in run_changed(tmp_path, 6, seen)


def test_T5a_unsynchronised_updates_are_lost_in_every_round() -> None:
    for title in ROUNDS:
        lost, _, _ = cells(output(6), title)
        assert lost > 0
    assert "кругов 3 из 3" in conclusions(output(6))[0]


def test_T5a_expected_number_of_updates_is_known_from_elsewhere() -> None:
    module = load(6)
    assert primes_below(module.LIMIT) == module.PRIMES
    assert cells(output(6), "из  ")[:2] == [module.PRIMES] * 2


def test_T5a_nothing_but_the_race_itself_loses_updates() -> None:
    module = load(6)
    assert module.count_together(module.without_lock, 1, 1)[0] == module.PRIMES
    text = script(6).read_text("utf-8")
    assert "sleep" not in text and "setswitchinterval" not in text


def test_T5a_plain_addition_is_reported_as_it_is() -> None:
    lost = sum(cells(output(6), title)[2] for title in ROUNDS)
    (text,) = (text for text in conclusions(output(6)) if "counter += 1" in text)
    assert ("не потерял ничего" in text) is (lost == 0)
    if GIL:
        assert lost == 0


def test_T5b_lock_loses_nothing_and_costs_time() -> None:
    assert [cells(output(6), title)[1] for title in ROUNDS] == [0, 0, 0]
    without, with_lock, _ = cells(output(6), "секунд")
    assert without > 0.01 and with_lock > 0.01
    assert conclusions(output(6))[1].startswith("Вывод: с замком потеряно 0; ")


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_T5c_queue_hands_over_everything_once(workers: int) -> None:
    taken = load(6).through_queue(2, workers)
    copies = Counter(number for own in taken for number in own)
    assert copies == Counter(range(2 * load(6).ITEMS))


def test_T5c_consumers_share_the_work() -> None:
    (line,) = (line for line in output(6).splitlines() if line.startswith("через очередь"))
    total, *shares = map(int, re.findall(r"\d+", line))
    assert total == sum(shares) == 2 * load(6).ITEMS and len(shares) == 4
    assert "потеряно 0, дважды выдано 0" in conclusions(output(6))[3]


def test_conclusions_follow_the_measurement() -> None:
    def say(unsafe: list[int], safe: list[int], plain: list[int], taken: list[int]) -> str:
        lost = {"без замка": unsafe, "с замком": safe, "counter += 1": plain}
        return " ".join(load(6).conclusions(lost, 1.5, Counter(taken)))

    whole = list(range(2 * load(6).ITEMS))
    assert "кругов 2 из 3" in say([5, 0, 7], [0] * 3, [0] * 3, whole)
    assert "с замком потеряно 4" in say([5, 0, 7], [0, 4, 0], [0] * 3, whole)
    assert "потерял: за все круги 9" in say([5] * 3, [0] * 3, [9, 0, 0], whole)
    assert "потеряно 1, дважды выдано 1" in say([5] * 3, [0] * 3, [0] * 3, [*whole[1:], 7])


def test_number_of_threads_and_amount_of_work_are_the_readers_choice() -> None:
    done = run(6, "--workers", "2", "--work", "2").stdout
    assert cells(done, "из  ")[0] == 2 * load(6).PRIMES
    assert len(re.findall(r"от \d+", done)) == 2


@with_gil
def test_T5a_nothing_is_lost_while_threads_are_not_switched() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        assert load(6).count_together(load(6).without_lock, 4, 1)[0] == load(6).PRIMES
    finally:
        sys.setswitchinterval(usual)


def test_T5b_every_step_is_counted_and_locked_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    module, lock = load(6), MagicMock()
    monkeypatch.setattr(module, "lock", lock)

    def numbers_watched(counts: list[int]) -> Iterator[int]:
        for number, count in enumerate(counts):
            assert module.counter == count
            yield number

    primes = [0, 0, 0, 1, 2, 2, 3, 3, 4, 4]  # сколько их меньше 0, 1, 2…
    expected = {"plus_one": [*range(10)], "with_lock": primes, "without_lock": primes}
    for way, counts in expected.items():
        monkeypatch.setattr(module, "counter", 0)
        getattr(module, way)(numbers_watched(counts))
    assert lock.__enter__.call_count == lock.__exit__.call_count == 10


def test_T5b_price_in_the_conclusion_is_that_of_the_table() -> None:
    without, with_lock, _ = cells(output(6), "секунд")
    text = conclusions(output(6))[1]
    lowest = (with_lock - 0.006) / (without + 0.006)  # в таблице секунды округлены
    highest = (with_lock + 0.006) / (without - 0.006)
    if "×" in text:
        assert lowest - 0.06 <= numbers(r"× (\d+\.\d+)", text)[0] <= highest + 0.06
    else:
        assert lowest <= 1.06  # «цена не больше погрешности»


def test_T5c_threads_do_use_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    module, seen = load(6), Counter[tuple[str, int]]()

    class Watched(queue.Queue[int | None]):
        def put(self, item: int | None, block: bool = True, timeout: float | None = None) -> None:
            seen["put", threading.get_ident()] += 1
            super().put(item, block, timeout)

        def get(self, block: bool = True, timeout: float | None = None) -> int | None:
            seen["get", threading.get_ident()] += 1
            return super().get(block, timeout)

    monkeypatch.setattr(module, "Queue", Watched)
    module.through_queue(2, 3)
    total = 2 * module.ITEMS + 3
    for kind in ("put", "get"):
        assert sum(count for (what, _), count in seen.items() if what == kind) == total
    assert ("get", threading.get_ident()) not in seen


def test_failed_thread_is_reported_and_nobody_waits_for_it(tmp_path: Path) -> None:
    failing = script(6).read_text("utf-8").replace("taken.append(number)", 'raise OSError("beda")')
    (tmp_path / "failing.py").write_text(failing, "utf-8")
    command = [sys.executable, str(tmp_path / "failing.py")]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=30)
    assert (done.returncode, done.stderr) == (1, "Дальше не вышло: OSError beda\n")
