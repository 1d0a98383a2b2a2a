"""Счёт в процессах: те же задания, что в 3_synchronous.py, на всех ядрах сразу.

Смотрите: сколько ядер занято, почти во столько раз и быстрее; если процессов
больше, чем ядер, у них только чаще отнимают ядро.
Попробуйте: --workers 4. Ядер от этого больше не станет.
"""

import os
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from math import isqrt, nan
from multiprocessing import get_context, get_start_method, parent_process
from statistics import median
from string import ascii_uppercase
from threading import Thread
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


def solve(job: Callable, limits: list[int], pool: ProcessPoolExecutor) -> list:
    """Сделать все задания: процесс пула, освободившись, берёт следующее."""
    return list(pool.map(job, limits))


def open_pool(workers: int) -> ProcessPoolExecutor:
    """Пул на workers процессов; убьют программу — завершатся и они."""
    context = get_context("spawn")  # пул заведёт поток, с ним fork опасен
    return ProcessPoolExecutor(workers, context, initializer=follow_parent)


# --- Измерения и вывод ------------------------------------------------------

ROUNDS = 12  # в каждом круге все пулы по разу, до и после — без пула
FAIR = 0.95  # если счёту без пула досталась меньшая доля ядра, круг не в счёт


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
    """Все задания одним способом: сколько секунд шли и записи о каждом."""

    seconds: float
    records: list[Record]

    @property
    def cpu(self) -> float:
        """Сколько секунд задания занимали ядра, все вместе."""
        return sum(record.cpu for record in self.records)

    @property
    def busy(self) -> float:
        """Сколько ядер было занято в среднем."""
        return self.cpu / self.seconds

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


Round = dict[int, Run]  # сколько процессов в пуле (0 — без пула): прогон


class Facts(NamedTuple):
    """Всё измеренное. tick — шаг часов процессорного времени, с."""

    rounds: list[Round]
    workers: int  # сколько процессов сравниваем со счётом без пула
    cores: int
    tick: float


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


def measure(limits: list[int], pool: ProcessPoolExecutor | None) -> Run:
    """Сделать все задания в пуле, а если его нет, то самим, одно за другим."""
    job = partial(timed, count_primes)
    begin = perf_counter()
    records = solve(job, limits, pool) if pool else list(map(job, limits))
    return Run(perf_counter() - begin, records)


def average(before: Run, after: Run) -> Run:
    """Среднее двух прогонов без пула: до круга и после него."""
    records = []
    for one, other in zip(before.records, after.records, strict=True):
        cpu = (one.cpu + other.cpu) / 2
        preempted = (one.preemptions + other.preemptions) / 2
        records.append(one._replace(cpu=cpu, preemptions=preempted))
    return Run((before.seconds + after.seconds) / 2, records)


def experiment(limits: list[int], sizes: list[int]) -> Iterator[Round]:
    """Круг за кругом: все пулы по разу; через круг в обратном порядке.

    Без пула считают между кругами: скорость ядер меняется, а среднее того, что
    было до круга и после него, ближе всего к тому, что было во время круга.
    """
    with ExitStack() as stack:
        pools = {n: stack.enter_context(open_pool(n)) for n in sizes}
        for pool in pools.values():
            solve(count_primes, limits, pool)  # чтобы процессы уже запустились
        before = measure(limits, None)
        for number in range(ROUNDS):
            order = sizes if number % 2 == 0 else sizes[::-1]
            runs = {n: measure(limits, pools[n]) for n in order}
            after = measure(limits, None)
            yield {0: average(before, after), **runs}
            before = after


def pool_sizes(workers: int) -> list[int]:
    """1, 2, 4… процесса до workers и вдвое больше, но не больше заданий."""
    sizes = [n for n in (1, 2, 4, 8) if n < workers]
    sizes.append(workers)
    if workers < len(LIMITS):
        sizes.append(min(2 * workers, len(LIMITS)))
    return sizes


def tick() -> float:
    """Шаг часов процессорного времени, с: микросекунды, в Windows 0,0156."""
    steps: list[float] = []
    before = process_time()
    while len(steps) < 3:
        now = process_time()
        if now > before:
            steps.append(now - before)
            before = now
    return min(steps)


def fair(facts: Facts) -> list[Round]:
    """Круги в счёт: те, в которых у счёта без пула не отнимали ядро.

    Если прогон короче двадцати шагов часов, круги по отдельности не проверить;
    тогда судим по всем вместе.
    """
    seconds = [one[0].seconds for one in facts.rounds]
    if min(seconds) < 20 * facts.tick:
        blur = facts.tick * len(seconds) ** 0.5 / sum(seconds)  # ошибка часов
        return facts.rounds if busy(facts.rounds, 0) + blur >= FAIR else []
    return [one for one in facts.rounds if one[0].busy >= FAIR]


def busy(rounds: list[Round], n: int) -> float:
    """Сколько ядер занимал способ в среднем по кругам."""
    seconds = sum(one[n].seconds for one in rounds)
    return sum(one[n].cpu for one in rounds) / seconds


def speedups(rounds: list[Round], slow: int, fast: int) -> list[float]:
    """Во сколько раз второй способ быстрее первого, по кругам."""
    return [one[slow].seconds / one[fast].seconds for one in rounds]


def cost(rounds: list[Round], n: int) -> float:
    """Во сколько раз больше процессорного времени, чем без пула; медиана."""
    return median(one[n].cpu / one[0].cpu for one in rounds)


def comma(value: float, digits: int = 2) -> str:
    """Число с запятой: 1,88."""
    return f"{value:.{digits}f}".replace(".", ",")


def processes(count: int) -> str:
    """«2 процесса», «12 процессов»."""
    if count in (2, 3, 4):
        return f"{count} процесса"
    return f"{count} процессов"


def table(rounds: list[Round]) -> list[str]:
    """Строка на способ; время, ускорение, цена и «отнято» — медианы кругов."""
    heads = ["процессов", "медиана, мс", "ускорение (по кругам)"]
    rows = ["  ".join([*heads, "занято ядер", "цена", "отнято", "верно"])]
    for n in sorted(rounds[0]):
        runs = [one[n] for one in rounds]
        ratios = speedups(rounds, 0, n)
        preempted = median(run.preemptions for run in runs)
        spread = f"({comma(min(ratios))}–{comma(max(ratios))})" if n else ""
        cells = [
            f"{n or 'без пула':<9}",
            f"{1000 * median(run.seconds for run in runs):13.0f}",
            f"{comma(median(ratios)):>9} {spread:13}",
            f"{comma(busy(rounds, n)):>13}",
            f"{comma(cost(rounds, n)):>6}",
            f"{preempted:8.0f}".replace("nan", "  —"),
            f"{min(run.right for run in runs):7}",
        ]
        rows.append("".join(cells))
    return rows


def timeline(run: Run, width: int = 56) -> list[str]:
    """Строка на процесс: буква — задание, пробел — простой; и сколько их."""
    start = min(record.begin for record in run.records)
    column = (max(record.end for record in run.records) - start) / width
    rows = {record.pid: [" "] * width for record in run.records}
    done = dict.fromkeys(rows, 0)
    for letter, record in zip(ascii_uppercase, run.records):
        left = round((record.begin - start) / column)
        right = round((record.end - start) / column)
        rows[record.pid][left:right] = letter * (right - left)
        done[record.pid] += 1
    lines = []
    for pid, row in rows.items():
        lines.append(f"pid {pid:<8}|{''.join(row)}| {done[pid]}")
    return lines


def typical(facts: Facts, rounds: list[Round]) -> list[str]:
    """Шкала времени того круга, в котором ускорение — посередине."""
    workers = facts.workers
    ratios = speedups(rounds, 0, workers)
    middle = rounds[ratios.index(sorted(ratios)[len(ratios) // 2])]
    rows = timeline(middle[workers])
    place = f"круг {facts.rounds.index(middle) + 1}, {processes(workers)}"
    if len(rows) > 4:
        place += f" (первые 4 из {len(rows)})"
    return [f"{place}; буква — задание, в конце — сколько их:", *rows[:4]]


def faster(rounds: list[Round], workers: int) -> str:
    """Насколько процессы быстрее: медиана кругов, но не больше занятых ядер."""
    ratios = speedups(rounds, 0, workers)
    wins = sum(ratio > 1.1 for ratio in ratios)
    if 4 * wins <= len(ratios):
        return f"{processes(workers)} не быстрее, чем одно за другим"
    if 4 * wins < 3 * len(ratios):
        return "круги расходятся, о скорости судить нельзя: повторите"
    speedup, most = median(ratios), busy(rounds, workers)
    text = f"{processes(workers)} быстрее в {comma(min(speedup, most))} раза"
    if speedup > 1.05 * most:  # столько ядер и работало
        return f"{text}, не больше: у ядер менялась скорость"
    return f"{text}: так в {wins} кругах из {len(ratios)}"


def surplus(rounds: list[Round], workers: int, more: int) -> str:
    """Что дали лишние процессы; «отняли» Windows не считает."""
    if busy(rounds, more) > 1.1 * busy(rounds, workers):
        return "о лишних процессах судить нельзя: ядра отнимали, повторите"
    ratio = median(speedups(rounds, workers, more))
    gain = "быстрее" if ratio > 1.25 else "не быстрее"
    text = f"{processes(more)} вместо {workers} {gain}"
    before = sum(one[workers].preemptions for one in rounds)
    after = sum(one[more].preemptions for one in rounds)
    if after > before:
        text += f", а ядро отняли раз: {after} вместо {before}"
    return text


def conclusions(facts: Facts, rounds: list[Round]) -> list[str]:
    """Что следует из кругов, которые в счёт."""
    workers, most = facts.workers, max(facts.rounds[0])
    if len(rounds) < len(facts.rounds) / 2:
        return ["похоже, ядра отнимали: судить нельзя, повторите"]
    seen = f"занято ядер {comma(busy(rounds, workers))} из {facts.cores}"
    if busy(rounds, workers) < 1.3 and facts.cores > 1:
        return [f"{seen}, остальные, видимо, отнимали: судить нельзя"]
    if busy(rounds, workers) < 1.3:
        texts = [f"ядро одно, задания шли попеременно: {seen}"]
    else:
        texts = [f"задания шли одновременно: {seen}"]
        texts.append(faster(rounds, workers))
        price = cost(rounds, workers)
        if price > 1.15:
            more = f"процессорного времени в {comma(price)} раза больше"
            texts.append(f"вместе ядра медленнее: {more}")
    if most > workers >= facts.cores:
        texts.append(surplus(rounds, workers, most))
    return texts


def report(facts: Facts) -> list[str]:
    """Сколько кругов в счёт, таблица, шкала времени и выводы."""
    rounds = fair(facts)
    shown = rounds or facts.rounds
    lines = [f" в счёт {len(rounds)} из {len(facts.rounds)}"]
    if not rounds:
        lines = [f" в счёт 0, в таблице {len(shown)}"]
    lines += table(shown)
    lines += ["", *typical(facts, shown), ""]
    lines += [f"Вывод: {text}." for text in conclusions(facts, rounds)]
    return lines


def main() -> None:
    parser = ArgumentParser(
        description=__doc__, formatter_class=RawTextHelpFormatter
    )
    parser.add_argument(
        "--workers", type=int, choices=(2, 4, 8), help="сколько процессов"
    )
    workers = parser.parse_args().workers or max(2, min(CORES, len(LIMITS)))
    print(f"{INTERPRETER}, способ запуска: {get_start_method()}")

    sizes = pool_sizes(workers)
    print(f"\nзаданий {len(LIMITS)}, процессы spawn; точка — круг: ", end="")
    rounds = []
    for one in experiment(LIMITS, sizes):
        rounds.append(one)
        print(".", end="", flush=True)
    print(*report(Facts(rounds, workers, CORES, tick())), sep="\n")


def follow_parent() -> None:
    """Процесс пула: если программу убьют, завершиться вслед за ней."""

    def wait_and_exit() -> None:
        parent_process().join()
        os._exit(1)

    Thread(target=wait_and_exit, daemon=True).start()


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
