"""Процессы: кто их порождает, что они наследуют, чего стоят и чем кончаются.

Разделы урока: «Процессы», «Порождение процессов».
Смотрите: у каждого процесса свой pid; то, что родитель изменил на ходу, ребёнок
видит только при fork; между концом процесса и join() остаётся зомби.
Попробуйте: перенесите setting = "изменено" из main() на уровень модуля.

Параметр один: --help
"""

import signal

if __name__ == "__main__":  # Ctrl-C, пока идут остальные import, — без трассировки
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import multiprocessing
import os
import pickle
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from statistics import median
from textwrap import fill, shorten
from time import perf_counter
from typing import Any, NoReturn

ROUNDS = 5  # сколько раз запускать процесс каждым способом: сравниваем медианы

setting = "исходное"  # родитель изменит это значение на ходу; увидит ли его ребёнок?


def introduce_myself(conn: Connection) -> None:
    """Ребёнок: первым делом засечь время, потом рассказать о себе родителю."""
    now = perf_counter()  # эти часы — общие для всех процессов
    conn.send((now, os.getpid(), os.getppid(), setting))


def succeed() -> None:
    """Ребёнок, который дойдёт до конца."""


def fail() -> None:
    """Ребёнок, который не дойдёт. Трассировку прячем: обо всём скажет код возврата."""
    sys.stderr = StringIO()
    raise ZeroDivisionError


def wait_for_death() -> None:
    """Ребёнок, который ждёт, пока его убьют; не станет родителя — завершится и он."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()


def give_birth(method: str) -> tuple[float, int, int, str]:
    """Породить процесс; вернуть мс от start() до начала его функции и что он рассказал."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=introduce_myself, args=(theirs,))
    start = perf_counter()
    with signals_held(), theirs:  # закроем theirs: не то не узнаем о смерти ребёнка
        process.start()
    with ours:
        now, pid, parent, seen = ours.recv()
    process.join()
    return (now - start) * 1000, pid, parent, seen


def live_and_die(target: Callable[[], None]) -> tuple[int | None, str, str]:
    """Код возврата процесса и что помнит о нём система до join() и после."""
    process = multiprocessing.get_context("spawn").Process(target=target)  # spawn есть везде
    with signals_held():
        process.start()
    if target is wait_for_death:
        process.kill()
    before = state(process.pid)
    process.join()
    return process.exitcode, before, state(process.pid)


# --- Измерения и вывод -----------------------------------------------------------------


def state(pid: int | None) -> str:
    """Дождаться конца процесса и узнать, остался ли он в таблице процессов (man 2 waitid)."""
    if pid is None or not hasattr(os, "waitid"):
        return "не узнать"  # Windows, а до Python 3.13 и macOS
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # WNOWAIT: спросить, но не убирать
        return "зомби"
    except ChildProcessError:
        return "нет такого"


def try_target(method: str, target: Callable[[], None]) -> str:
    """Запустить процесс с такой функцией и вернуть, что вышло."""
    context: Any = multiprocessing.get_context(method)
    process = context.Process(target=target)
    try:
        if sys.platform == "win32":
            pickle.dumps(target)  # не то недособранный ребёнок напечатает трассировку
        with signals_held():
            process.start()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return f"отказ, {type(error).__name__}: {error}"
    process.join()
    return f"принята, код возврата {process.exitcode}"


def start_forkserver() -> None:
    """Запустить forkserver заранее: тогда об исчерпанном пределе узнает сама программа."""
    from multiprocessing.forkserver import ensure_running

    with signals_held():
        ensure_running()


def process_limit() -> str:
    """Предел ulimit -u: сколько процессов (в Linux — с потоками) позволено пользователю."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_NPROC, getrlimit
    except ImportError:
        return "система не сообщает"
    limit, _ = getrlimit(RLIMIT_NPROC)
    return "сколько угодно" if limit == RLIM_INFINITY else str(limit)


def listed(names: list[str]) -> str:
    """Имена через запятую; если их нет — «нигде»."""
    return ", ".join(names) or "нигде"


def main() -> None:
    """Рождение, жизнь и смерть процессов; лямбды; предел."""
    global setting
    Options(usage="--help").parse_args()
    print(f"{first_line()}, способ запуска: {multiprocessing.get_start_method()}")
    setting = "изменено"

    methods = sorted(multiprocessing.get_all_start_methods())
    if "forkserver" in methods:
        start_forkserver()
    rounds = [[give_birth(method) for method in methods] for _ in range(ROUNDS)]
    print(f"\nРодитель: pid {os.getpid()}, его родитель {os.getppid()}, setting = {setting!r}")
    print("способ запуска      pid   родитель          setting        до начала функции")
    price, seeing = {}, []
    for method, births in zip(methods, zip(*rounds)):
        _, pid, parent, seen = births[-1]
        price[method] = median(birth[0] for birth in births)
        whose = "мы" if parent == os.getpid() else "не мы"
        print(f"{method:11}{pid:12}   {parent:<8} {whose:8} {seen:10}{price[method]:12.1f} мс")
        seeing += [method] * (seen == setting)

    print("\nжизнь процесса    код возврата   до join()   после join()")
    tales = {"дошёл до конца": succeed, "исключение": fail, "убит": wait_for_death}
    deaths = []
    for tale, target in tales.items():
        code, before, after = live_and_die(target)
        print(f"{tale:18}{code!s:>12}   {before:12}{after}")
        deaths.append((before, after))

    print("\nлямбда вместо функции")
    outcomes = {method: try_target(method, lambda: None) for method in methods}
    for method, outcome in outcomes.items():
        print(f"{method:11}{shorten(outcome, 69, placeholder=' …')}")
    print(f"предел ulimit -u, один из нескольких: {process_limit()}\n")

    pids = {birth[1] for births in rounds for birth in births}
    cheapest_first = sorted(methods, key=price.__getitem__)
    cost = ", ".join(f"{method} {price[method]:.1f}" for method in cheapest_first)
    known = [death for death in deaths if "не узнать" not in death]
    accepting = [method for method in methods if outcomes[method].startswith("принята")]
    zombies = f"{known.count(('зомби', 'нет такого'))} из {len(known)}" if known else "не узнать"
    for text in (
        f"процессов {ROUNDS * len(methods)}, разных pid {len(pids)}.",
        f"новое значение setting видно: {listed(seeing)}; лямбда принята: {listed(accepting)}.",
        f"запуск, мс: {cost}.",
        f"зомби до join() и никого после: {zombies}.",
    ):
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
