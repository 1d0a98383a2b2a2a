"""Потоки: живут в одном процессе; дёшевы, но при GIL счёт на Python не ускоряют.

Смотрите: на шкале времени потоки передают друг другу GIL, замок интерпретатора:
пока один работает, другие ждут. Без GIL строки сплошные, ядер занято больше.
Попробуйте: --workers 8; если есть Python без GIL (python3.14t), запустите им.
"""

import os
import platform
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections import namedtuple
from itertools import pairwise
from math import isqrt
from multiprocessing import Process, get_start_method
from statistics import median
from threading import Barrier, Thread, get_native_id
from time import perf_counter, process_time

PORTIONS = 6_000  # сколько порций счёта (каждая — доля миллисекунды) поделить между потоками
ANSWER = 15  # в каждой порции один и тот же вопрос: сколько простых чисел меньше 50
ROUNDS = 3  # один поток и несколько чередуются; сравниваем лучшие прогоны


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    return number > 1 and all(number % divisor != 0 for divisor in range(2, isqrt(number) + 1))


def compute(portions: int, notes: dict, gate: Barrier) -> None:
    """Поток: считать порцию за порцией и после каждой записывать время и ответ."""
    own: list[tuple[float, int]] = []
    notes[os.getpid(), get_native_id()] = own  # словарь общий; ключ — пара: pid и номер потока
    gate.wait()  # ворота: откроются, когда подойдут все
    for _ in range(portions):
        primes = sum(is_prime(number) for number in range(50))  # True — это 1, False — 0
        own.append((perf_counter(), primes))


def work_together(portions: int, workers: int) -> dict:
    """Разделить порции между потоками поровну; вернуть записи, ключ — pid и номер потока."""
    notes: dict = {}
    gate = Barrier(workers)
    args = (portions // workers, notes, gate)
    threads = [Thread(target=compute, args=args) for _ in range(workers)]
    for thread in threads:  # сначала запустить всех…
        thread.start()
    for thread in threads:  # …и только потом ждать
        thread.join()
    return notes


def do_nothing() -> None:
    """Пустая работа: измеряем только запуск и конец."""


def lifetime(kind) -> float:
    """За сколько мс запускается и заканчивается поток или процесс; kind — Thread или Process."""
    begin = perf_counter()
    worker = kind(target=do_nothing)
    worker.start()
    worker.join()
    return 1000 * (perf_counter() - begin)


# --- Измерения и вывод -----------------------------------------------------------------

# Прогон: секунды, занято ядер, смен потока, по сколько мс он работал подряд, верных ответов…
Run = namedtuple("Run", "seconds busy switches turns right notes")


def measure(portions: int, workers: int) -> Run:
    """Один прогон; поток сменился там, где сменился автор записей."""
    begin, cpu = perf_counter(), process_time()
    notes = work_together(portions, workers)
    seconds, cpu = perf_counter() - begin, process_time() - cpu
    merged = sorted((time, thread) for thread, own in notes.items() for time, _ in own)
    handovers = [time for (_, one), (time, other) in pairwise(merged) if one != other]
    turns = [1000 * (after - before) for before, after in pairwise(handovers)]
    right = sum(primes == ANSWER for own in notes.values() for _, primes in own)
    return Run(seconds, cpu / seconds, len(handovers), turns, right, notes)


def timeline(run: Run, column: float = 0.002, width: int = 60) -> list[str]:
    """Строка на поток, столбец — 2 мс: чем плотнее знак, тем дольше поток в это время работал."""
    start = min(own[0][0] for own in run.notes.values())
    rows = []
    for (_, thread), own in run.notes.items():
        worked = [0.0] * width
        for (before, _), (after, _) in pairwise(own):
            place = int((before - start) / column)
            if after - before < column / 2 and place < width:  # дольше — значит, работали другие
                worked[place] += (after - before) / column
        row = "".join(" ░▒▓█"[min(4, round(4 * share))] for share in worked)
        rows.append(f"поток {thread:<8}|{row}|")
    return rows


def conclusions(one: list[Run], many: list[Run], cores: int) -> list[str]:
    """Что следует из кругов с одним потоком и с несколькими."""
    run, alone = min(many), min(one)
    turn = median(run.turns or [1000 * run.seconds])
    seen = f"занято ядер {run.busy:.2f} из {cores}"
    if run.busy > 1.3:  # занять больше одного ядра можно только одновременно
        texts = [f"потоки работали одновременно: {seen}"]
    elif run.busy > 1.1 or min(other.busy for other in one + many) < 0.9:
        return ["ядра отнимали, судить нельзя: закройте лишнее и повторите"]
    else:
        texts = [f"потоки работали попеременно, обычно по {turn:.1f} мс: {seen}"]
    speedups = [f"{single.seconds / several.seconds:.2f}" for single, several in zip(one, many)]
    texts.append(f"ускорение {alone.seconds / run.seconds:.2f}; по кругам: {'; '.join(speedups)}")
    return texts


def print_row(title: str, cells: list) -> None:
    print(f"{title:18}" + "".join(f"{cell:>12}" for cell in cells))


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, choices=(2, 4, 8), help="сколько потоков")
    workers = parser.parse_args().workers or max(2, min(4, CORES))
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}", end=", ")
    print(f"ядер: {CORES}, способ запуска: {get_start_method()}")

    lives = [(lifetime(Thread), lifetime(Process)) for _ in range(5)]
    thread, process = (median(kind) for kind in zip(*lives))
    print(f"\nзапустить и дождаться: поток {thread:.3f} мс, процесс {process:.3f} мс")
    print(f"при GIL ждущий поток потребует его через {1000 * sys.getswitchinterval():g} мс")
    runs: dict[int, list[Run]] = {1: [], workers: []}
    print_row("потоков", list(runs))
    for number in range(1, ROUNDS + 1):
        for n, tries in runs.items():
            tries.append(measure(PORTIONS, n))
        print_row(f"круг {number}, с", [f"{tries[-1].seconds:.2f}" for tries in runs.values()])
    best = [min(tries) for tries in runs.values()]
    print_row("занято ядер", [f"{run.busy:.2f}" for run in best])
    print_row("смен потока", [run.switches for run in best])
    print_row("верных ответов", [run.right for run in best])
    print(
        f"\nпроцесс {os.getpid()}, начало прогона; столбец — 2 мс: чем плотнее, тем дольше работал"
    )
    print(*timeline(best[1]), sep="\n", end="\n\n")

    pids = {pid for pid, _ in best[1].notes}
    common = "процесс у них общий" if len(pids) == 1 else f"процессов {len(pids)}"
    texts = [f"потоков {len(best[1].notes)}, а {common}"]
    texts += [f"запустить процесс и дождаться его в {process / thread:.1f} раза дольше, чем поток"]
    for text in texts + conclusions(*runs.values(), CORES):
        print(f"Вывод: {text.replace('.', ',')}.")


# --- Служебное: одно и то же во всех файлах ----------------------------------------------
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GIL = "включён" if sys.version_info < (3, 13) or sys._is_gil_enabled() else "выключен"
if __name__ in ("__main__", "__mp_main__"):  # в программе и в детях, которые импортируют её заново
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C завершает сразу — и родителя, и детей
if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):  # в IDLE его нет
        sys.stdout.reconfigure(errors="replace", line_buffering=True)  # нет буквы — будет «?»
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")  # без его предупреждений
    try:
        main()
    except (EOFError, ImportError, OSError, RuntimeError) as error:  # отказ системы, смерть детей
        print(f"Дальше не вышло: {type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)  # не дожидаясь детей: они кончатся вслед за нами
