"""Память потоков общая: это удобно, пока двое не меняют одно и то же сразу.

Раздел урока: «Общая память».
Смотрите: список у всех потоков один; сколько обновлений потеряно без замка и с
ним; очередь ничего не теряет и не выдаёт дважды.
Попробуйте: вынесите is_prime(number) из-под замка. Потерь нет; что со временем?

Параметры: --workers N  сколько потоков, 2…16 (по умолчанию 4)
           --work K     сделать работу K раз, 1…10 (по умолчанию 1)
"""

import signal

if __name__ == "__main__":  # Ctrl-C, пока идут остальные import, — без трассировки
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import os
import platform
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import pairwise, starmap
from math import isqrt
from queue import Queue
from textwrap import fill
from threading import Barrier, Lock, Thread, get_native_id
from time import perf_counter
from typing import Any, NoReturn

LIMIT = 150_000  # ищем простые числа меньше LIMIT
PRIMES = 13_848  # их столько (OEIS A000720), столько раз и должен увеличиться счётчик
ITEMS = 5_000  # сколько чисел каждый производитель положит в очередь
ROUNDS = 3  # способы чередуются; время сравниваем лучшее

counter = 0  # общий счётчик: его видят и меняют все потоки
lock = Lock()


def is_prime(number: int) -> bool:
    """Простое ли число."""
    for divisor in range(2, isqrt(number) + 1):
        if number % divisor == 0:
            return False
    return number > 1


def without_lock(numbers: range) -> None:
    """Прочитать counter, проверить число, записать сумму; пока проверяем, пишут и другие."""
    global counter
    for number in numbers:
        counter += is_prime(number)  # True — это 1, False — 0


def with_lock(numbers: range) -> None:
    """То же, но чтение, проверка и запись заперты: пока замок у одного, другие ждут."""
    global counter
    for number in numbers:
        with lock:
            counter += is_prime(number)


def plus_one(numbers: range) -> None:
    """Между чтением и записью нет вызова. Хватит ли этого, чтобы ничего не потерять?"""
    global counter
    for _ in numbers:
        counter += 1


def produce(queue: Queue[int | None], numbers: range) -> None:
    """Производитель: положить числа в очередь."""
    for number in numbers:
        queue.put(number)


def consume(queue: Queue[int | None], taken: list[int]) -> None:
    """Потребитель: забирать числа из очереди, пока не попадётся None."""
    while (number := queue.get()) is not None:
        taken.append(number)


# --- Измерения и вывод -----------------------------------------------------------------


def run_threads(jobs: list[Callable[[], None]]) -> None:
    """По потоку на задание; вернуться, когда завершатся все."""
    threads = [Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count_together(way: Callable[[range], None], workers: int, work: int) -> tuple[int, float]:
    """Разделить числа между потоками и считать: сколько сосчитано и за сколько секунд."""
    global counter
    counter = 0
    gate = Barrier(workers)
    edges = [LIMIT * n // workers for n in range(workers + 1)]

    def job(own: range) -> None:
        gate.wait()  # все начинают вместе
        for _ in range(work):
            way(own)

    begin = perf_counter()
    run_threads([partial(job, own) for own in starmap(range, pairwise(edges))])
    return counter, perf_counter() - begin


def through_queue(producers: int, consumers: int) -> list[list[int]]:
    """Что досталось из очереди каждому потребителю."""
    queue: Queue[int | None] = Queue(100)
    taken: list[list[int]] = [[] for _ in range(consumers)]
    readers = [Thread(target=consume, args=(queue, own), daemon=True) for own in taken]
    for reader in readers:
        reader.start()
    run_threads(
        [partial(produce, queue, range(n, producers * ITEMS, producers)) for n in range(producers)]
    )
    for _ in readers:
        queue.put(None)  # по одному «больше не будет» на потребителя
    for reader in readers:
        reader.join()
    return taken


def main() -> None:
    """Общий список; потерянные обновления; очередь."""
    options = Options(usage="--workers 2…16, --work 1…10, --help")
    options.add_argument("--workers", type=int, default=4, choices=range(2, 17))
    options.add_argument("--work", type=int, default=1, choices=range(1, 11))
    given = options.parse_args()
    workers, work = given.workers, given.work
    print(first_line())

    common: list[str] = []
    seen: list[tuple[int, int]] = []

    def add_mine() -> None:
        common.append(f"от {get_native_id()}")
        seen.append((os.getpid(), id(common)))

    run_threads([add_mine] * workers)
    print(f"\nсписок после {workers} потоков: {', '.join(common)}"[:80])
    print(
        f"процессов {len({pid for pid, _ in seen})}, адресов списка {len({at for _, at in seen})}"
    )

    ways = {
        "без замка": (without_lock, PRIMES),
        "с замком": (with_lock, PRIMES),
        "counter += 1": (plus_one, LIMIT),
    }
    print(f"\nпотоков {workers}, каждый увеличивает общий счётчик; потеряно обновлений")
    print(f"{'':18}" + "".join(f"{way:>16}" for way in ways))
    results: dict[str, list[tuple[int, float]]] = {way: [] for way in ways}
    for round_number in range(1, ROUNDS + 1):
        print(f"{f'круг {round_number}':18}", end="", flush=True)
        for way, (function, expected) in ways.items():
            counted, seconds = count_together(function, workers, work)
            results[way].append((expected * work - counted, seconds))
            print(f"{expected * work - counted:16}", end="", flush=True)
        print()
    print(f"{'из':18}" + "".join(f"{expected * work:16}" for _, expected in ways.values()))
    best = {way: min(seconds for _, seconds in tries) for way, tries in results.items()}
    print(f"{'секунд':18}" + "".join(f"{seconds:16.2f}" for seconds in best.values()))

    taken = through_queue(producers=2, consumers=workers)
    shares = ", ".join(str(len(own)) for own in taken)
    passed = f"через очередь прошло {sum(map(len, taken))} чисел, по потребителям: {shares}"
    print(f"\n{fill(passed, 80, subsequent_indent='  ')}\n")
    copies = Counter(number for own in taken for number in own)
    lost = {way: [missing for missing, _ in tries] for way, tries in results.items()}
    for text in conclusions(lost, best["с замком"] / best["без замка"], copies):
        print(fill(f"Вывод: {text}", 80, subsequent_indent="  "))


def conclusions(lost: dict[str, list[int]], price: float, copies: Counter[int]) -> Iterator[str]:
    """Что следует из потерь в каждом круге, из цены замка и из того, что прошло через очередь."""
    unsafe, safe, plain = lost["без замка"], lost["с замком"], lost["counter += 1"]
    yield f"без замка потери: кругов {sum(n > 0 for n in unsafe)} из {len(unsafe)}."
    cost = f"времени × {price:.1f}" if price > 1.05 else "цена не больше погрешности"
    yield f"с замком потеряно {sum(safe)}; {cost}."
    if any(plain):
        yield f"counter += 1 потерял: за все круги {sum(plain)}."
    else:
        yield "counter += 1 на этот раз не потерял ничего, но язык этого не обещает."
    missing, twice = 2 * ITEMS - len(copies), copies.total() - len(copies)
    yield f"через очередь прошло {copies.total()}: потеряно {missing}, дважды выдано {twice}."


# --- Служебное: одно и то же в обоих файлах, где процессы не нужны -----------------------

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


def stop(status: int, why: str = "") -> NoReturn:
    """Выйти сейчас же; причину, если есть, — одной строкой в stderr."""
    EXIT.acquire()  # если гибнут сразу несколько потоков, пусть скажет один
    with suppress(OSError):
        print(why, end="\n" if why else "", file=sys.stderr, flush=True)
    os._exit(status)


def give_up(kind: type[BaseException], error: Any, trace: Any) -> NoReturn:
    """Одна строка вместо трассировки; трассировка — только при ошибке в самой программе."""
    if issubclass(kind, BrokenPipeError):
        stop(141)  # вывод никто не читает: | head
    if issubclass(kind, (OSError, RuntimeError)):
        stop(1, f"Дальше не вышло: {kind.__name__} {error}".rstrip())
    sys.__excepthook__(kind, error, trace)
    stop(1)


def run(main: Callable[[], None]) -> None:
    """Выполнить main(), что бы ни случилось: сигнал, ошибка, чужая кодировка."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # в IDLE его нет
            stream.reconfigure(errors="replace", line_buffering=True)  # чего нет в кодировке — «?»
    for number in SIGNALS:
        signal.signal(number, lambda number, _: stop(128 + number, "Прервано."))
    sys.excepthook = give_up
    threading.excepthook = lambda failure: give_up(*failure[:3])
    main()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # дело сделано, прерывать нечего


if __name__ == "__main__":
    run(main)
