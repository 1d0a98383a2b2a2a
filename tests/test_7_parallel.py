"""Утверждения о том, какой способ для какой работы: T6, T6x, T7, O3."""

import asyncio
import hashlib
import multiprocessing
import os
import re
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import MagicMock, call

import pytest
from conftest import (
    GIL,
    cells,
    conclusions,
    load,
    numbers,
    output,
    run_changed,
    several_cores,
    tries,
    with_gil,
)
from test_3_synchronous import primes_below

Cell = load(7).Cell


def table_row(way: str, text: str = "") -> list[tuple[float, float]]:
    """Клетки строки: (ускорение, занято ядер) для счёта на Python, счёта в C, ожидания."""
    found = cells(text or output(7), way)
    if way != "по очереди":
        found = found[1:]  # первое — сколько потоков, процессов…
    return list(zip(found[::2], found[1::2], strict=True))


def keeps_cores_busy(way: str, *kinds: int, least: float = 1.15) -> bool:
    """Заняла ли строка way хотя бы least ядра в каждом из столбцов kinds."""
    return any(all(table_row(way, text)[kind][1] > least for kind in kinds) for text in tries(7))


def test_O3_three_ways_of_multitasking_are_measured_for_three_kinds_of_work() -> None:
    for way in ("по очереди", "потоки", "корутины", "процессы"):
        assert len(table_row(way)) == 3


@with_gil
def test_T6_threads_do_not_speed_up_python_code() -> None:
    _, busy = table_row("потоки")[0]
    assert 0.3 < busy < 1.15
    said = (conclusions(text)[1] for text in tries(7))
    assert any(re.search(r"счёт на Python:.*не ускоряют[^;]*потоки", text) for text in said)


def test_T6_coroutines_do_not_speed_up_any_computing() -> None:
    for _, busy in table_row("корутины")[:2]:
        assert busy < 1.15


@several_cores
def test_T6_processes_keep_several_cores_busy() -> None:
    assert keeps_cores_busy("процессы", 0, 1)


@several_cores
def test_T6x_threads_keep_several_cores_busy_with_c_code_that_lets_the_gil_go() -> None:
    assert keeps_cores_busy("потоки", 1, least=1.35)


@several_cores
def test_T6x_threads_keep_several_cores_busy_without_gil() -> None:
    if GIL:
        pytest.skip("у этого интерпретатора есть GIL")
    assert keeps_cores_busy("потоки", 0)


@several_cores
def test_T6x_interpreters_keep_several_cores_busy() -> None:
    if sys.version_info < (3, 14):
        assert "интерпретаторы" not in output(7)
        pytest.skip("InterpreterPoolExecutor появился в 3.14")
    assert keeps_cores_busy("интерпретаторы", 0)


def test_T7_threads_and_coroutines_speed_up_waiting() -> None:
    for way in ("потоки", "корутины"):
        speedup, _ = table_row(way)[2]
        assert 3 < speedup <= 1.3 * load(7).JOBS
    (text,) = (text for text in conclusions(output(7)) if "Вывод: ожидание:" in text)
    assert re.search(r"ускоряют потоки[^;]*корутины", text)


def test_T7_one_after_another_waits_with_an_idle_core() -> None:
    assert table_row("по очереди")[2][1] < 0.7


def test_T7_price_of_waiting_is_measured() -> None:
    text = conclusions(output(7))[-1]
    if os.name == "nt" and "мс в потоке" not in text:
        pytest.skip("часы Windows считают процессорное время по 16 мс")
    threads, coroutines = numbers(r"([\d.]+) мс в потоке, ([\d.]+) в корутине", text)
    assert 0 < threads < 20 and 0 < coroutines < 20


@pytest.mark.skipif(
    multiprocessing.get_start_method() != "fork", reason="иначе ребёнок не найдёт модуль script_7"
)
def test_T7_waiting_is_on_a_real_socket() -> None:
    module = load(7)
    with module.late_server() as server:
        assert module.waiting(server) == "OK"
        seconds, _ = module.timed(module.one_after_another, module.waiting, "OK", [server] * 3)
    assert seconds >= 3 * module.DELAY
    with pytest.raises(OSError):
        module.waiting(server)


def test_answers_are_known_from_elsewhere() -> None:
    module = load(7)
    assert module.JOB_KINDS["счёт на Python"][1] == str(primes_below(10_000))
    # NIST: SHA3-256 миллиона букв «a»
    known = "5c8875ae474a3634ba4fd55ec85bffd661f32aca75c6d699d0cdcb6c115891c1"
    assert hashlib.sha3_256(b"a" * 1_000_000).hexdigest() == known
    assert known.startswith(module.JOB_KINDS["счёт в C"][1])
    with pytest.raises(RuntimeError, match="верный ответ"):
        module.timed(module.one_after_another, lambda _: "1230", "1229", [("", 0)])


def test_conclusions_follow_the_measurement() -> None:
    module = load(7)

    def say(way: str, speedup: float, busy: float, gil: bool = True, cores: int = 2) -> str:
        kinds = dict.fromkeys(module.JOB_KINDS, Cell(1, 1, 0.2))
        table = {name: dict(kinds) for name in ("по очереди", "потоки", "корутины", "процессы")}
        table[way]["счёт на Python"] = Cell(speedup, busy, 1)
        return " ".join(module.conclusions(table, gil, cores, workers=2))

    assert "ускоряют процессы × 1.8; не ускоряют потоки" in say("процессы", 1.8, 1.9)
    assert "ускоряют потоки × 1.9" in say("потоки", 1.9, 1.95, gil=False)
    assert "(ядра заняты чужим или квота?) потоки × 1.0" in say("потоки", 1.0, 1.0, gil=False)
    assert "(ядра заняты чужим или квота?) процессы × 1.0" in say("процессы", 1.0, 1.0)
    assert "(ядра заняты чужим или квота?) процессы × 1.1" in say("процессы", 1.1, 1.9)
    assert "квота?) потоки × 1.4" in say("потоки", 1.4, 1.0)  # помехи: ядро-то занято одно
    assert "не ускоряют потоки × 0.9" in say("потоки", 0.9, 1.0)
    assert "процессы × 1.0; ядро одно" in say("процессы", 1.0, 1.0, cores=1)
    assert "расходится на 30%" in say("по очереди", 1.3, 1.0)


def test_T7_waiting_reads_what_the_server_says() -> None:
    module = load(7)

    def serve(server: socket.socket) -> None:
        for _ in range(2):
            with server.accept()[0] as conn:
                conn.sendall("известно только здесь".encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        one = module.waiting(server.getsockname())
        other = asyncio.run(module.waiting_async(server.getsockname()))
    assert one == other == "известно только здесь"


def test_T7_coroutines_live_in_one_thread_and_threads_in_many() -> None:
    module, gate = load(7), threading.Barrier(4)

    def alone(_: object) -> str:
        return str(threading.get_ident())

    def together(_: object) -> str:
        gate.wait(10)
        return alone(_)

    in_one = module.coroutines(alone, [("", 0)] * 4)
    assert {text for text, _, _ in in_one} == {alone(None)}
    with ThreadPoolExecutor(4) as pool:
        in_many = module.in_pool(pool, together, [("", 0)] * 4)
    assert len({text for text, _, _ in in_many}) == 4


def test_cells_are_computed_and_rounds_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    module, calls = load(7), []

    def timed(way: object, *_: object) -> tuple[float, float]:
        calls.append(way is module.one_after_another)
        return (3.0, 3.0) if calls[-1] else (1.5, 2.7)

    monkeypatch.setattr(module, "timed", timed)
    table = module.fill_row("строка", module.coroutines, [("", 0)] * 10)
    assert calls == [True, False] * 3 * 3
    assert set(table.values()) == {Cell(2, 1.8, 270)}


def test_cpu_of_other_processes_is_added_and_own_is_not_counted_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = load(7)
    monkeypatch.setattr(module, "perf_counter", iter([10.0, 14.0]).__next__)
    monkeypatch.setattr(module, "process_time", iter([1.0, 1.5]).__next__)
    answers = [("a", "elsewhere:1", 2.0), ("a", module.whoami(), 9.0)]
    assert module.timed(lambda *_: answers, None, "a", []) == (4.0, 2.5)


def test_conclusions_repeat_the_numbers_of_the_table() -> None:
    for column, kind in enumerate(load(7).JOB_KINDS):
        (line,) = (s for s in conclusions(output(7)) if s.startswith(f"Вывод: {kind}:"))
        for way in ("потоки", "корутины", "процессы"):
            (said,) = numbers(rf"{way} × (\d+\.\d+)", line)
            assert abs(said - table_row(way)[column][0]) < 0.06
    kinds = dict.fromkeys(load(7).JOB_KINDS, Cell(1, 1, 0.1))
    table = {way: dict(kinds) for way in ("по очереди", "потоки", "корутины", "процессы")}
    table["потоки"]["ожидание"], table["корутины"]["ожидание"] = Cell(8, 1, 0.52), Cell(8, 1, 0.21)
    *_, last = load(7).conclusions(table, True, 2, 2)
    assert "0.52 мс в потоке, 0.21 в корутине" in last


def test_python_code_really_divides(monkeypatch: pytest.MonkeyPatch) -> None:
    isqrt = MagicMock(wraps=load(7).isqrt)
    monkeypatch.setattr(load(7), "isqrt", isqrt)
    assert load(7).python_code(("", 0)) == "1229"
    assert isqrt.call_args_list == [call(number) for number in range(2, 10_000)]


def test_amount_of_work_is_the_readers_choice(tmp_path: Path) -> None:
    work = ('"--work", type=int, default=1', '"--work", type=int, default=2')
    text = run_changed(tmp_path, 7, work, ("ROUNDS = 3", "ROUNDS = 1"))
    assert "\n32 заданий" in text and cells(text, "корутины")[0] == 32
