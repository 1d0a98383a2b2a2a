"""Потоки: живут в одном процессе, стоят дёшево, а код Python выполняют по очереди.

Раздел урока: «Потоки».
Смотрите: на шкале времени потоки передают друг другу GIL (без GIL все строки
сплошные); занято ядер — около 1.00 при любом числе потоков (без GIL больше).
Попробуйте: --workers 4; ещё лучше — свободнопоточный python3.14t 5_threads.py.

Параметры: --workers N  сколько потоков, 2…8 (по умолчанию по ядрам, 2…4)
           --work K     сделать работу K раз, 1…10 (по умолчанию 1)
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
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from math import isqrt
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from statistics import median
from textwrap import fill
from threading import Barrier, Thread, get_native_id
from time import perf_counter, process_time
from typing import Any, NamedTuple, NoReturn

COLUMN = 0.002  # секунд в столбце шкалы времени
COLUMNS = 60  # столбцов в шкале
SHADES = " ░▒▓█"  # какую часть столбца поток работал
ROUNDS = 3  # способы чередуются; сравниваем лучшие результаты
LIMIT = 20_000  # простых чисел меньше LIMIT
PRIMES = 2262  # вот сколько (OEIS A000720)

Notes = dict[tuple[int, int], list[float]]  # (pid, номер потока в системе): время порций


def count_primes(limit: int) -> int:
    """Сколько простых чисел меньше limit: счёт на чистом Python."""
    count = 0
    for number in range(2, limit):
        for divisor in range(2, isqrt(number) + 1):
            if number % divisor == 0:
                break
        else:
            count += 1
    return count


def note_time(notes: Notes, gate: Barrier) -> None:
    """Поток: считать понемногу и после каждой порции (доли мс) записывать время."""
    own: list[float] = []
    notes[os.getpid(), get_native_id()] = own
    gate.wait()  # все начинают вместе
    end = perf_counter() + COLUMN * COLUMNS
    while not own or own[-1] < end:
        count_primes(50)
        own.append(perf_counter())


def work_together(workers: int) -> Notes:
    """Записи времени всех потоков; общий словарь им виден без всякой передачи."""
    notes: Notes = {}
    gate = Barrier(workers)
    run_threads([partial(note_time, notes, gate)] * workers)
    return notes


def solve(jobs: int, workers: int) -> None:
    """Сосчитать простые jobs раз; работа разделена между потоками почти поровну."""
    answers: list[int] = []

    def share(first: int) -> None:
        for _ in range(first, jobs, workers):
            answers.append(count_primes(LIMIT))

    run_threads([partial(share, first) for first in range(workers)])
    if answers != [PRIMES] * jobs:
        raise RuntimeError(f"неверные ответы: {answers}")


def run_threads(jobs: list[Callable[[], None]]) -> None:
    """По потоку на задание; вернуться, когда завершатся все."""
    threads = [Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- Измерения и вывод -----------------------------------------------------------------


COUNTED = find_spec("resource") is not None  # считает ли система переключения: Windows — нет


def timeline(notes: Notes) -> Iterator[str]:
    """Строка на поток: чем плотнее знак, тем большую часть столбца поток работал."""
    start = max(own[0] for own in notes.values())
    shades = SHADES if can_show(SHADES) else " .:*#"
    for (_, thread), own in notes.items():
        ran = [0.0] * COLUMNS
        for before, after in pairwise(own):
            column = int((after - start) / COLUMN)
            if after - before < COLUMN / 2 and 0 <= column < COLUMNS:  # иначе поток не работал
                ran[column] += (after - before) / COLUMN
        yield f"поток {thread:<8}|{''.join(shades[min(4, round(share * 4))] for share in ran)}|"


def can_show(text: str) -> bool:
    """Есть ли эти знаки в кодировке вывода."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def turns(notes: Notes) -> list[float]:
    """По сколько мс поток работал подряд, пока время не запишет другой."""
    merged = sorted((time, thread) for thread, own in notes.items() for time in own)
    handovers = [time for (_, one), (time, other) in pairwise(merged) if one != other]
    return [1000 * (after - before) for before, after in pairwise(handovers)]


def start_prices() -> tuple[float, float]:
    """Мс от start() до начала функции: медианы для потока и для процесса, по очереди."""
    threads, processes = [], []
    first: list[float] = []
    for _ in range(5):
        begin = perf_counter()
        run_threads([lambda: first.append(perf_counter())])
        threads.append(first.pop() - begin)
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=tell_time, args=(theirs,))
        begin = perf_counter()
        with signals_held(), theirs:
            process.start()
        with ours:
            processes.append(ours.recv() - begin)
        process.join()
    return 1000 * median(threads), 1000 * median(processes)


def tell_time(conn: Connection) -> None:
    """Ребёнок: сообщить время своего начала."""
    conn.send(perf_counter())


class Run(NamedTuple):
    """Прогон: секунды, занято ядер, переключений (0, если система их не считает)."""

    seconds: float
    busy: float
    switches: int


def timed(action: Callable[[], None]) -> Run:
    """Выполнить action и вернуть, чего это стоило."""
    begin, cpu, switches = perf_counter(), process_time(), switches_so_far()
    action()
    seconds = perf_counter() - begin
    return Run(seconds, (process_time() - cpu) / seconds, switches_so_far() - switches)


def switches_so_far() -> int:
    """Сколько раз ядро переходило от потоков этого процесса к другим (0: система не считает)."""
    if not COUNTED:
        return 0
    from resource import RUSAGE_SELF, getrusage

    usage = getrusage(RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def main() -> None:
    """Что такое потоки; как они передают друг другу GIL; быстрее ли с ними."""
    options = Options(usage="--workers 2…8, --work 1…10, --help")
    options.add_argument("--workers", type=int, default=max(2, min(4, CORES)), choices=range(2, 9))
    options.add_argument("--work", type=int, default=1, choices=range(1, 11))
    given = options.parse_args()
    print(f"{first_line()}, способ запуска: {multiprocessing.get_start_method()}")

    thread, process = start_prices()
    print(f"\nзапуск до начала функции: поток {1000 * thread:.0f} мкс, процесс {process:.1f} мс")
    notes = work_together(given.workers)
    print(f"потоки процесса {os.getpid()}; столбец {1000 * COLUMN:.0f} мс", end=", ")
    print(f"интервал переключения {1000 * sys.getswitchinterval():g} мс")
    for line in timeline(notes):
        print(line)
    spans = turns(notes)

    print(f"\n{'потоков':18}{1:12}{given.workers:12}")
    runs: dict[int, list[Run]] = {1: [], given.workers: []}
    for number in range(1, ROUNDS + 1):
        print(f"{f'круг {number}, с':18}", end="", flush=True)
        for workers, done in runs.items():
            done.append(timed(partial(solve, 24 * given.work, workers)))
            print(f"{done[-1].seconds:12.2f}", end="", flush=True)
        print()
    one, many = (min(done) for done in runs.values())
    print(f"{'занято ядер':18}{one.busy:12.2f}{many.busy:12.2f}")
    switches = (one.switches, many.switches) if COUNTED else ("не узнать",) * 2
    print(f"{'переключений':18}{switches[0]:>12}{switches[1]:>12}\n")

    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    pids = {pid for pid, _ in notes}
    yours = f"потоков {len(notes)}, процессов {len(pids)}; время запуска процесса и потока"
    print(fill(f"Вывод: {yours} — {process / thread:.1f} к 1.", 80, subsequent_indent="  "))
    for text in conclusions(gil, CORES, spans, one, many):
        print(fill(f"Вывод: {text}", 80, subsequent_indent="  "))


def conclusions(gil: bool, cores: int, spans: list[float], one: Run, many: Run) -> Iterator[str]:
    """Что следует из шкалы (spans — мс подряд) и из прогонов одним потоком и несколькими."""
    why = "GIL, да и ядро одно" if cores == 1 else "таков GIL"
    if not gil:
        why = "GIL выключен, но " + ("ядро одно" if cores == 1 else "ядра заняты чужим или квота?")
    if len(spans) < 5:
        yield "потоки почти не сменяли друг друга: слишком шумно, повторите."
    elif median(spans) > 0.5 or (gil and many.busy < 1.25):
        yield f"потоки работали по очереди, медиана {median(spans):.1f} мс подряд ({why})."
    else:
        yield f"потоки работали одновременно: записи чередуются через {median(spans):.3f} мс."
    speedup = one.seconds / many.seconds
    seen = f"занято ядер {many.busy:.2f} из {cores}, ускорение {speedup:.2f}"
    if many.busy > 1.5 and speedup > 1.2:
        yield f"{seen}: потоки считали одновременно."
    elif many.busy < 1.25 and speedup < 1.2:
        yield f"{seen}: потоки не ускоряют счёт ({why})."
    else:
        yield f"{seen}: слишком шумно, чтобы судить, повторите."


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
