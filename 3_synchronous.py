"""Счёт в одном процессе: задания идут одно за другим, занято одно ядро.

Смотрите: начало каждого задания — конец предыдущего; занято одно ядро из всех.
Попробуйте: сравните функцию solve() здесь и в 4_math.py.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import isqrt, nan
from string import ascii_uppercase
from time import perf_counter, process_time
from typing import NamedTuple

# Задания: сколько простых чисел меньше 9 000? меньше 8 500? …меньше 3 500?
LIMITS = list(range(9_000, 3_000, -500))
# Ответы известны заранее (OEIS A000720).
ANSWERS = [1117, 1059, 1007, 950, 900, 842, 783, 725, 669, 610, 550, 489]


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, isqrt(number) + 1))


def count_primes(limit: int) -> int:
    """Задание: сколько простых чисел меньше limit."""
    return sum(is_prime(number) for number in range(limit))  # True — это 1


def solve(job: Callable, limits: list[int]) -> list:
    """Сделать все задания: одно за другим, в этом процессе."""
    return list(map(job, limits))


# --- Измерения и вывод ------------------------------------------------------

ROUNDS = 8  # сколько раз сделать все задания
FAIR = 0.95  # если счёту досталась меньшая доля ядра, ядро отнимали


class Record(NamedTuple):
    """Как шло задание: когда и в каком процессе; время и cpu — в секундах."""

    limit: int
    primes: int
    pid: int
    begin: float
    end: float
    cpu: float  # сколько занимало ядро
    preemptions: float  # сколько раз ядро отняли


class Run(NamedTuple):
    """Круг: все задания по разу, сколько секунд шли и записи о каждом."""

    seconds: float
    records: list[Record]

    @property
    def cpu(self) -> float:
        """Сколько секунд задания занимали ядра, все вместе."""
        return sum(record.cpu for record in self.records)

    @property
    def preemptions(self) -> float:
        """Сколько раз у заданий отняли ядро."""
        return sum(record.preemptions for record in self.records)

    @property
    def right(self) -> int:
        """Сколько ответов верны."""
        known = dict(zip(LIMITS, ANSWERS, strict=True))
        return sum(
            known[record.limit] == record.primes for record in self.records
        )


class Facts(NamedTuple):
    """Всё измеренное."""

    rounds: list[Run]
    cores: int


def preemptions() -> float:
    """Сколько раз система отняла ядро у процесса; Windows не считает: nan."""
    if sys.platform == "win32":
        return nan
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_nivcsw


def timed(job: Callable, limit: int) -> Record:
    """Сделать задание и записать, как оно шло."""
    preempted = preemptions()
    cpu = process_time()
    begin = perf_counter()  # эти часы общие для всех процессов
    primes = job(limit)
    end = perf_counter()
    cpu = process_time() - cpu
    preempted = preemptions() - preempted
    return Record(limit, primes, os.getpid(), begin, end, cpu, preempted)


def experiment(limits: list[int]) -> Iterator[Run]:
    """Круг за кругом: все задания одно за другим."""
    job = partial(timed, count_primes)
    for _ in range(ROUNDS):
        begin = perf_counter()
        records = solve(job, limits)
        yield Run(perf_counter() - begin, records)


def comma(value: float, digits: int = 2) -> str:
    """Число с запятой: 1,88."""
    return f"{value:.{digits}f}".replace(".", ",")


def table(run: Run) -> list[str]:
    """Строка на задание; секунды — от начала первого."""
    rows = ["задание   простых меньше   ответ   начало, с   конец, с"]
    start = run.records[0].begin
    for letter, record in zip(ascii_uppercase, run.records):
        cells = [
            f"{letter:7}",
            f"{record.limit:17}",
            f"{record.primes:8}",
            f"{comma(record.begin - start, 3):>12}",
            f"{comma(record.end - start, 3):>11}",
        ]
        rows.append("".join(cells))
    return rows


def report(facts: Facts) -> list[str]:
    """Таблица последнего круга и вывод по всем."""
    last = facts.rounds[-1]
    seconds = sum(run.seconds for run in facts.rounds)
    busy = sum(run.cpu for run in facts.rounds) / seconds
    overlaps = 0
    for run in facts.rounds:
        for before, after in pairwise(run.records):
            overlaps += after.begin < before.end
    order = "строго одно за другим"
    if overlaps:
        order = f"внахлёст (раз: {overlaps})"
    lines = table(last)
    taken = f"{last.preemptions:.0f}".replace("nan", "не узнать")
    right = f"{last.right} из {len(last.records)}"
    lines += [f"верных ответов {right}, сколько раз отняли ядро: {taken}", ""]
    text = f"задания шли {order}, занято ядер {comma(busy)} из {facts.cores}"
    if busy < FAIR:
        text += " (ядро отнимали)"
    lines.append(f"Вывод: {text}.")
    return lines


def main() -> None:
    print(INTERPRETER)
    print("\nтаблица последнего круга; точка — круг: ", end="")
    rounds = []
    for run in experiment(LIMITS):
        rounds.append(run)
        print(".", end="", flush=True)
    print()
    print(*report(Facts(rounds, CORES)), sep="\n")


# --- Служебное: одно и то же во всех файлах ---------------------------------
HAS_AFFINITY = hasattr(os, "sched_getaffinity")  # нет в Windows и macOS
CORES = len(os.sched_getaffinity(0)) if HAS_AFFINITY else os.cpu_count() or 1
GIL = sys.version_info < (3, 13) or sys._is_gil_enabled()
STATE = "включён" if GIL else "выключен"
SYSTEM = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, "Linux")
VERSION = sys.version.split()[0]
INTERPRETER = f"Python {VERSION}, GIL {STATE}, {SYSTEM}, ядер: {CORES}"
DIRECT = sys.argv[0] not in ("", "-") and sys._getframe().f_back is None
if (DIRECT and not sys.flags.inspect) or __name__ == "__mp_main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C завершает сразу всех
if __name__ == "__main__":
    if "я".encode(sys.stdout.encoding, "replace") == b"?":  # нет кириллицы
        sys.stdout.reconfigure(encoding="utf-8")
    if not DIRECT:  # IDLE, Jupyter, отладчик, python3 < файл
        print("Запустите прямо в терминале: python3 имя_файла.py")
        sys.exit(1)
    sys.stdout.reconfigure(errors="replace", line_buffering=True)
    main()
