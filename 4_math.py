"""Счёт в процессах: те же задания, что в 3_synchronous.py, на всех ядрах сразу.

Смотрите: занято почти столько ядер, сколько их есть, и почти во столько же раз
быстрее; если процессов больше, чем ядер, у них только чаще отнимают ядро.
Попробуйте: taskset -c 0 python3 4_math.py (Linux): тот же счёт на одном ядре.
"""

import os
import platform
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections import namedtuple
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import isqrt
from multiprocessing import get_start_method, parent_process
from string import ascii_uppercase
from threading import Thread
from time import perf_counter, process_time

ROUNDS = 3  # прогоны с пулом и без него чередуются, чтобы помехи достались всем; сравним лучшие

# Задания: сколько простых чисел меньше 35 000? меньше 31 000? Ответы известны (OEIS A000720).
ANSWERS = {35_000: 3732, 31_000: 3340, 27_000: 2961, 23_000: 2564, 19_000: 2158, 15_000: 1754}

# Запись о задании и итог прогона: cpu — сколько секунд занимали ядро, busy — сколько ядер
# занимали в среднем, preempted — сколько раз ядро отняли.
Record = namedtuple("Record", "limit primes pid begin end cpu preempted")
Run = namedtuple("Run", "seconds busy preempted right records")


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    return number > 1 and all(number % divisor != 0 for divisor in range(2, isqrt(number) + 1))


def work(limit: int) -> Record:
    """Сделать задание — сосчитать простые числа меньше limit — и записать, как оно шло."""
    begin, cpu, preempted = perf_counter(), process_time(), preemptions()  # показания до
    primes = sum(is_prime(number) for number in range(limit))  # True — это 1, False — 0
    cpu, preempted = process_time() - cpu, preemptions() - preempted  # сколько прибавилось
    return Record(limit, primes, os.getpid(), begin, perf_counter(), cpu, preempted)


def solve(jobs: list[int], workers: int) -> list[Record]:
    """Сделать все задания: дети берут их из очереди; кто освободился, берёт следующее."""
    with ProcessPoolExecutor(workers) as pool:  # пул: дети, которые ждут заданий
        return list(pool.map(work, jobs, timeout=25))  # по порядку заданий; не за 25 с — ошибка


# --- Измерения и вывод -----------------------------------------------------------------


def preemptions() -> int:
    """Сколько раз система уже отняла ядро у этого процесса (Windows не считает: 0)."""
    if sys.platform == "win32":
        return 0
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_nivcsw


def measure(records: list[Record]) -> Run:
    """Итог прогона; секунды — от начала первого задания до конца последнего."""
    seconds = max(r.end for r in records) - min(r.begin for r in records)
    busy = sum(r.cpu for r in records) / seconds
    right = sum(r.primes == ANSWERS[r.limit] for r in records)
    return Run(seconds, busy, sum(r.preempted for r in records), right, records)


def timeline(run: Run, width: int = 56) -> list[str]:
    """Строка на процесс: буква — задание, пробел — простой, в конце — сколько заданий."""
    start, column = min(r.begin for r in run.records), run.seconds / width
    rows: dict[int, list[str]] = {}
    for letter, r in zip(ascii_uppercase * len(run.records), run.records):
        left, right = round((r.begin - start) / column), round((r.end - start) / column)
        rows.setdefault(r.pid, [" "] * width)[left:right] = letter * (right - left)
    done = [r.pid for r in run.records]
    return [f"pid {pid:<8}|{''.join(row)}| {done.count(pid)}" for pid, row in rows.items()]


def conclusions(runs: dict[int, list[Run]], workers: int, cores: int) -> list[str]:
    """Что следует из кругов; runs — {сколько процессов: прогоны}, 0 — без новых."""
    alone, run, more = min(runs[0]), min(runs[workers]), min(runs[2 * workers])
    if cores > 1 and run.busy < 1.3:
        return ["второе ядро не досталось, судить нельзя: закройте лишнее и повторите"]
    together = "шли одновременно" if run.busy > 1.3 else "шли попеременно"
    speedups = [f"{one.seconds / many.seconds:.2f}" for one, many in zip(runs[0], runs[workers])]
    texts = [f"задания {together}: занято ядер {run.busy:.2f} из {cores}"]
    texts.append(f"ускорение {alone.seconds / run.seconds:.2f}; по кругам: {'; '.join(speedups)}")
    if workers >= cores:
        ratio = max(b.seconds / a.seconds for *_, a, b in zip(*runs.values()))  # худший
        faster = "стало быстрее" if ratio < 0.8 else "заметно быстрее не стало"
        texts.append(f"процессов {2 * workers} вместо {workers}: {faster}, время до × {ratio:.2f}")
        if more.preempted:  # в Windows счёта нет
            texts.append(f"при этом ядро отняли раз: {more.preempted} вместо {run.preempted}")
    return texts


def print_row(title: str, cells: list) -> None:
    print(f"{title:18}" + "".join(f"{cell:>12}" for cell in cells))


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, choices=(2, 4, 8, 16), help="сколько процессов")
    parser.add_argument("--work", type=int, choices=(1, 2, 4), help="повторить задания")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}", end=", ")
    print(f"ядер: {CORES}, способ запуска: {get_start_method()}")

    workers = options.workers or min(max(2, CORES), 30)  # а вдвое больше — 60; в Windows предел 61
    jobs = sorted([*ANSWERS] * (options.work or 1 + CORES // 4), reverse=True)  # большие — первыми
    runs: dict[int, list[Run]] = {0: [], 1: [], workers: [], 2 * workers: []}
    print(f"\nзаданий {len(jobs)}, одних и тех же: в самой программе и в новых процессах")
    print_row("новых процессов", [n or "нет" for n in runs])
    for number in range(1, ROUNDS + 1):
        for n, tries in runs.items():
            tries.append(measure(solve(jobs, n) if n else [work(job) for job in jobs]))
        print_row(f"круг {number}, с", [f"{tries[-1].seconds:.2f}" for tries in runs.values()])
    best = {n: min(tries) for n, tries in runs.items()}
    print_row("ускорение", [f"{best[0].seconds / run.seconds:.2f}" for run in best.values()])
    print_row("занято ядер", [f"{run.busy:.2f}" for run in best.values()])
    print_row("ядро отнято, раз", [run.preempted for run in best.values()])
    print_row("верных ответов", [run.right for run in best.values()])
    print(f"\nлучший прогон, новых процессов {workers}: буква — задание, в конце — сколько их")
    print(*timeline(best[workers])[:4], sep="\n", end="\n\n")
    for text in conclusions(runs, workers, CORES):
        print(f"Вывод: {text.replace('.', ',')}.")


def follow_parent() -> None:
    """Ребёнок: если родителя убьют, кончиться вслед за ним."""
    Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


ProcessPoolExecutor = partial(ProcessPoolExecutor, initializer=follow_parent)  # он и в solve()


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
