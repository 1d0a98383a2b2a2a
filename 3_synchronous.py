"""Синхронный счёт: задания выполняются одно за другим, занято одно ядро.

Раздел урока: «CPU-операции с multiprocessing».
Смотрите: каждое задание начинается, когда кончилось предыдущее; занято ядер —
около 1.00.
Попробуйте: сравните solve() здесь и в 4_math.py. Вот и вся плата в коде.

Параметр: --work K   сделать работу K раз, K от 1 до 10 (по умолчанию 1)
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
from importlib.util import find_spec
from itertools import cycle, pairwise
from math import ceil, floor, isqrt
from string import ascii_uppercase
from textwrap import fill
from time import perf_counter, process_time
from typing import Any, NamedTuple, NoReturn

# Задание: сколько простых чисел меньше limit. Ответы известны заранее: OEIS A000720.
# Большие задания — первыми: так в конце ядра меньше ждут друг друга.
PRIMES_BELOW = {
    80_000: 7837,
    70_000: 6935,
    60_000: 6057,
    50_000: 5133,
    40_000: 4203,
    30_000: 3245,
    20_000: 2262,
    10_000: 1229,
}


class Result(NamedTuple):
    """Ответ и протокол задания: pid исполнителя, начало, конец и процессорное время в секундах."""

    limit: int
    primes: int
    pid: int
    begin: float
    end: float
    cpu: float
    switches: int  # сколько раз система отняла ядро, не спросив


def count_primes(limit: int) -> int:
    """Сколько простых чисел меньше limit: ищем у каждого делитель не больше корня из него."""
    count = 0
    for number in range(2, limit):
        for divisor in range(2, isqrt(number) + 1):
            if number % divisor == 0:
                break
        else:
            count += 1
    return count


def work(limit: int) -> Result:
    """Выполнить задание и записать, кто, когда и какой ценой его выполнил."""
    begin, cpu, switches = perf_counter(), process_time(), switches_so_far()
    primes = count_primes(limit)
    cpu, switches = process_time() - cpu, switches_so_far() - switches
    return Result(limit, primes, os.getpid(), begin, perf_counter(), cpu, switches)


def solve(jobs: list[int]) -> Iterator[Result]:
    """Выполнить все задания: одно за другим, в этом процессе."""
    yield from map(work, jobs)


# --- Измерения и вывод -----------------------------------------------------------------


LEAST = 0.016 if sys.platform == "win32" else 0.001  # секунд: мельче часы не различают
COUNTED = find_spec("resource") is not None  # считает ли система вытеснения: Windows — нет


def switches_so_far() -> int:
    """Сколько раз система отняла ядро у этого процесса (0, если она не считает)."""
    if not COUNTED:
        return 0
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_nivcsw


class Run(NamedTuple):
    """Один прогон всех заданий: секунды, занято ядер, вытеснения (система отняла ядро)."""

    seconds: float
    busy: float
    switches: int


def measure(results: list[Result]) -> Run:
    """Подвести итог прогона; неверный ответ — RuntimeError."""
    for result in results:
        if result.primes != PRIMES_BELOW[result.limit]:
            raise RuntimeError(f"простых меньше {result.limit} насчитано {result.primes}")
    seconds = max(r.end for r in results) - min(r.begin for r in results)
    return Run(seconds, sum(r.cpu for r in results) / seconds, sum(r.switches for r in results))


def timeline(results: list[Result], width: int = 56) -> Iterator[str]:
    """Строка на процесс: буква — задание (строчная — ему не хватало ядра), пробел — простой."""
    start, scale = min(r.begin for r in results), width / measure(results).seconds
    rows: dict[int, list[str]] = {}
    for letter, r in zip(cycle(ascii_uppercase), results):
        lacked = r.end - r.begin - r.cpu > max(0.25 * (r.end - r.begin), LEAST)
        mark = letter.lower() if lacked else letter
        left, right = floor((r.begin - start) * scale), ceil((r.end - start) * scale - 1e-9)
        rows.setdefault(r.pid, [" "] * width)[left:right] = mark * (right - left)
    jobs = Counter(r.pid for r in results)
    for pid, row in list(rows.items())[:4]:
        yield f"pid {pid:<8}|{''.join(row)}| {jobs[pid]}"
    if len(rows) > 4:
        yield f"... и ещё процессов: {len(rows) - 4}"


def main() -> None:
    """Каждое задание, весь прогон на одной шкале времени, итог."""
    options = Options(usage="--work 1…10, --help")
    options.add_argument("--work", type=int, default=1, choices=range(1, 11))
    jobs = sorted(list(PRIMES_BELOW) * options.parse_args().work, reverse=True)
    print(first_line())

    print("\nзадание   простых меньше    ответ   секунд")
    results = []
    for letter, r in zip(cycle(ascii_uppercase), solve(jobs)):
        print(f"{letter:7}{r.limit:17}{r.primes:9}{r.end - r.begin:9.3f}")
        results.append(r)
    print("\nкто чем занят: буква — задание, в конце — сколько заданий выполнено")
    for row in timeline(results):
        print(row)
    run = measure(results)
    print(f"\nвсего {run.seconds:.2f} с, занято ядер {run.busy:.2f} из {CORES}\n")
    print(fill(f"Вывод: {conclusion(results)}", 80, subsequent_indent="  "))


def conclusion(results: list[Result]) -> str:
    """Правда ли, что задания шли по одному и заняли одно ядро."""
    busy = measure(results).busy
    overlaps = sum(later.begin < earlier.end for earlier, later in pairwise(results))
    if overlaps:
        return f"наложений заданий друг на друга {overlaps} — это не синхронный счёт."
    if busy < 0.85:
        return f"задания шли по одному, но и одно ядро досталось не целиком: занято {busy:.2f}."
    return f"задания шли по одному; занято ядер {busy:.2f} из {CORES}."


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
