"""Память процессов не общая: что изменил ребёнок, родитель не увидит.

Раздел урока: «Разделяемая память».
Смотрите: «стало» у ребёнка и у родителя; как изменение всё-таки передать; чего
стоит передача; что дошло от процесса, убитого посреди отправки.
Попробуйте: --work 4. Что подорожает вчетверо?

Параметр: --work K   передавать K × 32 МБ, K от 1 до 10 (по умолчанию 1)
"""

import signal

if __name__ == "__main__":  # Ctrl-C, пока идут остальные import, — без трассировки
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import multiprocessing
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.util import get_temp_dir
from queue import Empty
from textwrap import fill
from threading import Thread
from time import perf_counter
from typing import Any, NoReturn

MEGABYTE = 1 << 20
MEGABYTES = 32  # сколько мегабайт передавать
ROUNDS = 3  # способы передачи чередуются; сравниваем лучшие

numbers = [1, 2]
letters = {"x": 1}
counter = 7


def memory() -> str:
    """Что сейчас лежит в переменных этого процесса."""
    return f"{numbers} {letters} {counter}"


def change(conn: Connection) -> None:
    """Ребёнок: изменить всё и рассказать, что было и что стало."""
    global counter
    before = memory()
    numbers.append(3)
    letters["y"] = 2
    counter += 1
    conn.send((os.getpid(), before, memory()))


def change_and_share(queue: Any, value: Any, block_name: str, conn: Connection) -> None:
    """Ребёнок: изменить то же самое, но передать родителю, каждое — своим механизмом."""
    numbers.append(3)
    queue.put(numbers)
    letters["y"] = 2
    conn.send(letters)
    with value.get_lock():  # += — это чтение и запись; у каждого Value для этого есть замок
        value.value += 1
    with closing(SharedMemory(block_name)) as block:
        block.buf[0] += 1


def send(conn: Connection) -> None:
    """Ребёнок, которого убьют: отправлять сообщение за сообщением, по мегабайту."""
    for _ in range(MEGABYTES):
        conn.send_bytes(bytes(MEGABYTE))


def add_up(queue: Any, conn: Connection) -> None:
    """Ребёнок: получить данные или имя блока с ними и ответить контрольной суммой."""
    while parcel := queue.get():  # складываем каждый 4095-й байт: с шагом 4096 все они — нули
        if isinstance(parcel, str):
            with closing(SharedMemory(parcel)) as block:
                conn.send(sum(block.buf[::4095]))
        else:
            conn.send(sum(parcel[::4095]))


# --- Измерения и вывод -----------------------------------------------------------------


@contextmanager
def child(target: Callable[..., None], *args: Any, method: str | None = None) -> Iterator[Any]:
    """Запустить процесс; выдать его и канал, из которого слышно, что он шлёт."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=as_child, args=(target, *args, theirs))
    with signals_held(), theirs:
        process.start()
    with ours:
        yield process, ours
    process.join()


def as_child(function: Callable[..., object], *args: Any) -> None:
    """Ребёнок: выполнить function; если родителя убьют, кончиться вслед за ним."""
    parent: Any = multiprocessing.parent_process()
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: parent.is_alive() or os._exit(1))
        signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)  # смотрим дважды в секунду
    else:  # Windows
        Thread(target=lambda: parent.join() or os._exit(1), daemon=True).start()
    with suppress(RuntimeError):  # система не дала поток; об этом скажет родитель
        function(*args)


def start_forkserver() -> None:
    """Запустить forkserver заранее: тогда об исчерпанном пределе узнает сама программа."""
    from multiprocessing.forkserver import ensure_running

    with signals_held():
        ensure_running()


@contextmanager
def shared_block(size: int) -> Iterator[Any]:
    """Блок общей памяти, size байт; после with его больше нет."""
    block = SharedMemory(create=True, size=size)
    try:
        yield block
    finally:
        block.close()
        block.unlink()


def exchange() -> dict[str, tuple[Any, Any]]:
    """Механизм: что было у родителя и что он увидел после ребёнка."""
    queue: Any = multiprocessing.Queue()
    value = multiprocessing.Value("i", counter)
    with shared_block(1) as block:
        block.buf[0] = counter
        with child(change_and_share, queue, value, block.name) as (process, conn):
            seen: dict[str, Any] = {
                "Pipe": (letters, conn.recv()),
                "Queue": (numbers, queue.get(timeout=10)),
            }
            process.join()
            return seen | {
                "Value": (counter, value.value),
                "shared_memory": (counter, block.buf[0]),
            }


def receive_from_killed() -> tuple[int, str]:
    """Сколько мегабайт пришло целыми от убитого отправителя и какую ошибку получил читатель."""
    received = 0
    with child(send) as (process, conn):
        try:
            while conn.recv_bytes():
                received += 1
                if received == 3:
                    process.join(0.1)  # за это время он начнёт четвёртое и упрётся: никто не читает
                    process.kill()
        except (EOFError, OSError) as error:
            return received, f"{type(error).__name__} {error}"
    return received, "ошибки нет"


def deliver(data: bytes) -> tuple[float, float]:
    """Лучшее время доставки data ребёнку, мс: через очередь и через блок общей памяти."""
    times = []
    queue: Any = multiprocessing.Queue()
    with child(add_up, queue) as (_, conn), shared_block(len(data)) as block:
        for _ in range(ROUNDS):
            begin = perf_counter()
            queue.put(data)
            sums = [conn.recv()]
            middle = perf_counter()
            block.buf[: len(data)] = data
            queue.put(block.name)
            sums.append(conn.recv())
            times.append((middle - begin, perf_counter() - middle))
            if sums != [sum(data[::4095])] * 2:
                raise RuntimeError("данные дошли не те")
        queue.put("")
    queue.close()
    queue.join_thread()  # поток, который пишет в канал, должен кончиться раньше нового fork
    by_queue, by_block = (1000 * min(way) for way in zip(*times))
    return by_queue, by_block


def main() -> None:
    """Изоляция; механизмы обмена; убитый отправитель; цена передачи."""
    options = Options(usage="--work 1…10, --help")
    options.add_argument("--work", type=int, default=1, choices=range(1, 11))
    megabytes = options.parse_args().work * MEGABYTES
    print(f"{first_line()}, способ запуска: {multiprocessing.get_start_method()}")

    print(f"\n{'способ':13}{'процесс, pid':19}{'было':19}стало")
    original, isolated, methods = memory(), [], sorted(multiprocessing.get_all_start_methods())
    if "forkserver" in methods:
        start_forkserver()
    for method in methods:
        with child(change, method=method) as (_, conn):
            pid, before, after = conn.recv()
        print(f"{method:13}{f'ребёнок  {pid}':19}{before:19}{after}")
        print(f"{'':13}{f'родитель {os.getpid()}':19}{original:19}{memory()}")
        isolated += [method] * (before == original == memory() != after)

    conclusions = [f"родитель не увидел изменений: способов {len(isolated)} из {len(methods)}."]
    try:
        print(f"\n{'механизм':17}{'было':15}родитель увидел")
        seen = exchange()
        for name, (old, new) in seen.items():
            print(f"{name:17}{old!s:15}{new}")
        visible = [name for name, (old, new) in seen.items() if old != new]
        conclusions += [f"изменение передают: {', '.join(visible) or 'ничто'}."]
        by_queue, by_block = deliver(bytes(range(256)) * (megabytes << 12))
        print(
            f"{megabytes} МБ через Queue {by_queue:.0f} мс, через shared_memory {by_block:.0f} мс"
        )
        ratio = by_queue / by_block
        conclusions += [f"время доставки через Queue и через shared_memory — {ratio:.1f} к 1."]
    except (OSError, ImportError, Empty) as error:
        print(f"здесь не работает: {type(error).__name__} {error}".rstrip())

    received, trouble = receive_from_killed()
    print(f"от убитого целыми дошло {received} из {MEGABYTES} МБ; {trouble}\n")
    lost = "не всё" if received < MEGABYTES else "всё"
    for text in (*conclusions, f"от убитого целыми дошло {lost}: {received} из {MEGABYTES} МБ."):
        print(fill(f"Вывод: {text}", 80, subsequent_indent="  "))


# --- Служебное: одно и то же во всех файлах, где нужны процессы --------------------------

CHILD_LOST = "Ребёнок убит, или система не дала ему начаться: дальше не продолжить."
SIGNALS = [getattr(signal, s) for s in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, s)]
EXIT = threading.RLock()
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def first_line() -> str:
    """Какой это Python, есть ли GIL, какая система и сколько ядер ему разрешено занять."""
    gil = "включён" if getattr(sys, "_is_gil_enabled", lambda: True)() else "выключен"
    return f"Python {platform.python_version()}, GIL {gil}, {platform.system()}, ядер: {CORES}"


class Options(argparse.ArgumentParser):
    """Справка — docstring файла; ошибка — одна строка в stderr и код возврата 2."""

    def format_help(self) -> str:
        return __doc__ or ""

    def error(self, message: str) -> NoReturn:
        stop(2, f"Непонятно: {' '.join(sys.argv[1:])}. Можно: {self.usage}")


@contextmanager
def signals_held() -> Iterator[None]:
    """Рождённый здесь процесс не заметит Ctrl-C и kill: о нём позаботится родитель."""
    mask = getattr(signal, "pthread_sigmask", None)  # в Windows её нет
    if mask:
        from multiprocessing.resource_tracker import ensure_running

        mask(signal.SIG_BLOCK, SIGNALS)
        ensure_running()
        mask(signal.SIG_BLOCK, SIGNALS)  # в старых версиях ensure_running() его снимает
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_UNBLOCK, SIGNALS)


def stop(status: int, why: str = "") -> NoReturn:
    """Выйти сейчас же: детей убить, причину, если есть, — одной строкой в stderr."""
    EXIT.acquire()  # если гибнут сразу несколько потоков, пусть скажет один
    for child in multiprocessing.active_children():
        child.kill()
    with suppress(OSError):
        shutil.rmtree(get_temp_dir())  # тут остался бы сокет forkserver
    with suppress(OSError):
        print(why, end="\n" if why else "", file=sys.stderr, flush=True)
    os._exit(status)


def give_up(kind: type[BaseException], error: Any, trace: Any) -> None:
    """Одна строка вместо трассировки; трассировка — только при ошибке в самой программе."""
    if __name__ != "__main__" or multiprocessing.parent_process():  # forkserver или ребёнок
        if not issubclass(kind, (EOFError, OSError)):  # про эти скажет родитель
            sys.__excepthook__(kind, error, trace)
        return
    if issubclass(kind, (EOFError, ConnectionError)):
        with suppress(BrokenPipeError):
            print()  # если вывод читают, дело в ребёнке
            stop(1, CHILD_LOST)
        stop(141)  # вывод никто не читает: | head
    if issubclass(kind, (ImportError, OSError, RuntimeError)):
        stop(1, f"Дальше не вышло: {kind.__name__} {error}".rstrip())
    sys.__excepthook__(kind, error, trace)
    stop(1)


def run(main: Callable[[], None]) -> None:
    """Выполнить main(), что бы ни случилось: сигнал, ошибка, чужая кодировка."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # в IDLE его нет
            stream.reconfigure(errors="replace", line_buffering=True)  # чего нет в кодировке — «?»
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")  # приберёт и без слов
    for number in SIGNALS:
        signal.signal(number, lambda number, _: stop(128 + number, "Прервано."))
    sys.excepthook = give_up
    threading.excepthook = lambda failure: give_up(*failure[:3])
    main()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # дело сделано, прерывать нечего


if __name__ == "__main__":
    run(main)
elif __name__ == "__mp_main__":  # этот файл прочёл forkserver или spawn
    sys.excepthook = give_up
