"""CPU-операции с multiprocessing: работа из 3_synchronous.py на всех ядрах сразу.

Раздел урока: «CPU-операции с multiprocessing».
Смотрите: занято ядер — почти столько, сколько их есть; времени уходит во
столько же раз меньше; процессов больше, чем ядер, — только вытеснений больше.
Попробуйте: taskset -c 0 python3 4_math.py (Linux) — тот же счёт на одном ядре.

Параметры: --workers N  сколько процессов, 1…200 (по умолчанию по числу ядер)
           --work K     сделать работу K раз, 1…10 (по умолчанию 1…8, по ядрам)
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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import cycle
from math import ceil, floor, isqrt
from multiprocessing.util import get_temp_dir
from string import ascii_uppercase
from textwrap import fill
from threading import Thread
from time import perf_counter, process_time
from typing import Any, NamedTuple, NoReturn

ROUNDS = 3  # прогоны чередуются, чтобы помехи достались всем поровну; сравниваем лучшие

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


def solve(jobs: list[int], workers: int) -> Iterator[Result]:
    """Выполнить все задания: дети берут их из очереди, кто освободился — тот и взял."""
    with process_pool(workers) as pool:
        yield from pool.map(work, jobs)


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


@contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Пул, все процессы которого уже запущены и ждут заданий."""
    try:
        with signals_held():
            gate = multiprocessing.Barrier(workers)
            pool = ProcessPoolExecutor(workers, initializer=as_child, initargs=(gate.wait,))
            started = [pool.submit(int) for _ in range(workers)]  # по заданию на каждого
        for future in started:
            future.result(timeout=30)
        yield pool
        pool.shutdown()
    except BrokenExecutor:
        stop(1, CHILD_LOST)


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


def main() -> None:
    """Прогоны по кругу, лучший из них на шкале времени, выводы."""
    options = Options(usage="--workers 1…200, --work 1…10, --help")
    options.add_argument("--workers", type=int, default=CORES, choices=range(1, 201))
    options.add_argument(
        "--work", type=int, choices=range(1, 11), default=max(1, min(CORES // 2, 8))
    )
    given = options.parse_args()
    print(f"{first_line()}, способ запуска: {multiprocessing.get_start_method()}")
    jobs = sorted(list(PRIMES_BELOW) * given.work, reverse=True)
    most = 61 if sys.platform == "win32" else 1000  # больше процессов пул в Windows не примет
    counts = sorted({min(n, most) for n in (1, 2, given.workers, 2 * given.workers)})

    print(f"\nодни и те же задания ({len(jobs)}), по очереди и в нескольких процессах")
    print(f"{'процессов':18}{'нет':>12}" + "".join(f"{count:12}" for count in counts))
    runs: dict[int, list[list[Result]]] = {count: [] for count in (0, *counts)}
    starts: dict[int, list[float]] = {count: [] for count in runs}
    for number in range(1, ROUNDS + 1):
        print(f"{f'круг {number}, с':18}", end="", flush=True)
        for count, tries in runs.items():
            begin = perf_counter()
            tries.append(list(solve(jobs, count) if count else map(work, jobs)))
            starts[count].append(tries[-1][0].begin - begin)
            print(f"{measure(tries[-1]).seconds:12.2f}", end="", flush=True)
        print()
    best = {count: min(tries, key=measure) for count, tries in runs.items()}
    totals = {count: measure(results) for count, results in best.items()}
    alone = totals[0].seconds
    print(row("ускорение", [f"{alone / run.seconds:.2f}" for run in totals.values()]))
    print(row("занято ядер", [f"{run.busy:.2f}" for run in totals.values()]))
    switches = [run.switches if COUNTED else "не узнать" for run in totals.values()]
    print(row("вытеснений", switches))
    print(row("запуск, мс", [f"{1000 * min(tries):.0f}" for tries in starts.values()]))
    print(f"верных ответов {sum(len(tries) * len(jobs) for tries in runs.values())}")

    n = max(count for count in counts if count <= CORES)
    print(f"\nлучший прогон, процессов {n}; буква — задание (строчная: ядра не хватало)")
    for line in timeline(best[n]):
        print(line)
    print()
    cpu = [result.cpu for result in best[0]]
    useful = sum(cpu) / max(cpu)  # больше ядер не занять: самое длинное задание не разделить
    for text in conclusions(totals, CORES, useful):
        print(fill(f"Вывод: {text}", 80, subsequent_indent="  "))


def row(title: str, cells: Iterable[object]) -> str:
    return f"{title:18}" + "".join(f"{cell!s:>12}" for cell in cells)


def conclusions(totals: dict[int, Run], cores: int, useful: float) -> Iterator[str]:
    """Что следует из прогонов (ключ — число процессов); useful — сколько ядер есть чем занять."""
    n = max(count for count in totals if count <= cores)
    run, speedup, full = totals[n], totals[0].seconds / totals[n].seconds, min(n, useful)
    lack = "ядра достались не целиком (заняты чужим или квота?), судить нельзя"
    if cores == 1:
        verdict = "ядро одно, ускоряться не на чем"
    else:
        verdict = "задания шли одновременно" if run.busy > 0.7 * full and speedup > 1.2 else lack
    seen = f"занято ядер {run.busy:.2f} из {cores}, ускорение {speedup:.2f}"
    yield f"процессов {n}: {seen} — {verdict}."
    many = min((count for count in totals if count > cores), default=0)
    if not many or n < cores:
        return
    ratio = totals[many].seconds / run.seconds
    if cores > 1 and run.busy < 0.7 * full:
        verdict = lack
    elif ratio > 0.87:
        verdict = "сверх числа ядер процессы не ускоряют"
    elif run.busy < 0.85 * full:
        verdict = "ядра делим с чужими: чем больше процессов, тем больше доля"
    else:
        verdict = "похоже на помехи, повторите"
    switches = f", вытеснений {totals[many].switches} вместо {run.switches}" if COUNTED else ""
    yield f"процессов {many} вместо {n}: время × {ratio:.2f}{switches} — {verdict}."


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
