"""Счёт в одном процессе: задания идут одно за другим, занято одно ядро.

Смотрите: начало каждого задания — конец предыдущего; занято одно ядро из всех.
Попробуйте: сравните функцию solve() здесь и в 4_math.py.
"""

import os
import platform
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections import namedtuple
from math import isqrt
from time import perf_counter, process_time

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


def solve(jobs: list[int]) -> list[Record]:
    """Сделать все задания: одно за другим, в этом процессе."""
    return [work(job) for job in jobs]


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


def main() -> None:
    ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter).parse_args()
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}, ядер: {CORES}")

    print("\nзадание   простых меньше    ответ   начало, с   конец, с")
    run = measure(solve(list(ANSWERS)))
    start = run.records[0].begin
    for letter, r in zip("ABCDEF", run.records):
        print(f"{letter:10}{r.limit:14}{r.primes:9}{r.begin - start:12.3f}{r.end - start:11.3f}")
    print(f"верных ответов {run.right}, ядро отнято раз: {run.preempted}\n")

    overlaps = sum(after.begin < before.end for before, after in zip(run.records, run.records[1:]))
    order = f"внахлёст {overlaps} раз" if overlaps else "строго одно за другим"
    lack = "" if run.busy > 0.9 else " (ядро отнимали)"
    text = f"задания шли {order}, занято ядер {run.busy:.2f} из {CORES}{lack}"
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
