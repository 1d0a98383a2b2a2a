"""Потоки: в одном процессе, дёшевы, но при GIL счёт на Python не ускоряют.

GIL — замок интерпретатора: код на Python выполняет тот поток, который его
держит.
Смотрите: на шкале времени потоки передают друг другу GIL, и пока один
работает, другие ждут. Без GIL строки сплошные, и ядер занято больше одного.
Попробуйте: --workers 8; если есть Python без GIL (python3.14t), запустите им.
"""

import os
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections.abc import Iterator
from itertools import pairwise
from math import isqrt, sqrt
from multiprocessing import Process, get_start_method
from statistics import median
from threading import Barrier, Thread, get_native_id
from time import perf_counter, process_time
from typing import NamedTuple

LIMIT = 50  # порция счёта, доля миллисекунды: сколько простых меньше 50?
ANSWER = 15  # ответ известен заранее


class Notes(NamedTuple):
    """Записи одного потока: кто он, его ответы и когда (с) они были готовы."""

    pid: int
    thread: int
    answers: list[int]
    times: list[float]


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, isqrt(number) + 1))


def count_primes(limit: int) -> int:
    """Порция: сколько простых чисел меньше limit."""
    return sum(is_prime(number) for number in range(limit))  # True — это 1


def compute(portions: int, journal: list[Notes], gate: Barrier) -> None:
    """Поток: считать порцию за порцией и после каждой записывать время."""
    notes = Notes(os.getpid(), get_native_id(), [], [])
    journal.append(notes)  # список общий: память у потоков одна
    gate.wait()  # ворота откроются, когда подойдут все
    for _ in range(portions):
        notes.answers.append(count_primes(LIMIT))
        notes.times.append(perf_counter())


def work_together(portions: int, workers: int) -> list[Notes]:
    """Разделить порции между потоками поровну; вернуть записи потоков."""
    journal: list[Notes] = []
    args = (portions // workers, journal, Barrier(workers))
    threads = []
    for _ in range(workers):
        thread = Thread(target=compute, args=args, daemon=True)
        threads.append(thread)  # daemon: не задержит программу, если она упала
    for thread in threads:  # сначала запустить всех…
        thread.start()
    for thread in threads:  # …и только потом ждать
        thread.join()
    return journal


# --- Измерения и вывод ------------------------------------------------------

PAIRS = 8  # сколько раз запустить по потоку и по процессу
ROUNDS = 8  # в каждом круге один поток и несколько
SPAN = 0.16  # за сколько секунд один поток делает все порции
FAIR = 0.95  # если одному потоку досталось меньше ядра, круг не в счёт
COLUMN = 2  # столбец шкалы времени, мс
WIDTH = 60  # столбцов на шкале


class Pair(NamedTuple):
    """За сколько мс запустился и завершился поток и рядом с ним процесс."""

    thread: float
    process: float


class Run(NamedTuple):
    """Прогон: сколько секунд шёл, сколько занимал ядра и записи потоков."""

    seconds: float
    cpu: float
    journal: list[Notes]

    @property
    def busy(self) -> float:
        """Сколько ядер было занято в среднем."""
        return self.cpu / self.seconds

    @property
    def right(self) -> int:
        """Сколько ответов верны."""
        return sum(notes.answers.count(ANSWER) for notes in self.journal)


Round = dict[int, Run]  # сколько потоков: прогон


class Facts(NamedTuple):
    """Всё измеренное."""

    pairs: list[Pair]
    rounds: list[Round]
    workers: int
    cores: int
    gil: bool
    interval: float  # через сколько мс поток потребует GIL: настройка
    tick: float  # шаг часов процессорного времени, с


def do_nothing() -> None:
    """Пустая работа: измеряем только запуск и завершение."""


def lifetime(kind: type) -> float:
    """За сколько мс запускается и завершается поток или процесс."""
    begin = perf_counter()
    worker = kind(target=do_nothing)
    worker.start()
    worker.join()
    return 1000 * (perf_counter() - begin)


def lifetimes() -> Iterator[Pair]:
    """Пара за парой: поток и процесс, через пару — наоборот."""
    for number in range(PAIRS):
        order = (Thread, Process) if number % 2 == 0 else (Process, Thread)
        taken = {kind: lifetime(kind) for kind in order}
        yield Pair(taken[Thread], taken[Process])


def measure(portions: int, workers: int) -> Run:
    """Сделать все порции в workers потоках."""
    cpu = process_time()  # часы всех потоков процесса
    begin = perf_counter()
    journal = work_together(portions, workers)
    seconds = perf_counter() - begin
    cpu = process_time() - cpu
    if (
        sum(len(notes.times) for notes in journal)
        < portions // workers * workers
    ):
        raise RuntimeError("поток не досчитал: его исключение напечатано выше")
    return Run(seconds, cpu, journal)


def enough() -> int:
    """Сколько порций один поток успевает за SPAN секунд; делится на 24."""
    portions = 300
    seconds = min(measure(portions, 1).seconds for _ in range(3))
    return round(SPAN / seconds * portions / 24) * 24


def experiment(portions: int, workers: int) -> Iterator[Round]:
    """Круг за кругом: 1 и workers потоков, через круг в обратном порядке."""
    for number in range(ROUNDS):
        order = (1, workers) if number % 2 == 0 else (workers, 1)
        yield {n: measure(portions, n) for n in order}


def tick() -> float:
    """Шаг часов процессорного времени, с: микросекунды, а в Windows 15,6 мс."""
    begin = now = process_time()
    while now == begin:
        now = process_time()
    begin = now
    while now == begin:
        now = process_time()
    return now - begin


def fair(facts: Facts) -> list[Round]:
    """Круги в счёт: те, в которых у одного потока не отнимали ядро.

    Прогон короче двадцати шагов часов по отдельности не проверить; тогда судим
    по всем вместе.
    """
    seconds = [one[1].seconds for one in facts.rounds]
    if median(seconds) < 20 * facts.tick:
        blur = facts.tick * sqrt(len(seconds)) / sum(seconds)  # ошибка часов
        return facts.rounds if busy(facts.rounds, 1) + blur >= FAIR else []
    return [one for one in facts.rounds if one[1].busy >= FAIR]


def busy(rounds: list[Round], n: int) -> float:
    """Сколько ядер занимали потоки в среднем по кругам."""
    cpu = sum(one[n].cpu for one in rounds)
    return cpu / sum(one[n].seconds for one in rounds)


def speedups(rounds: list[Round], n: int) -> list[float]:
    """Во сколько раз несколько потоков быстрее одного, по кругам."""
    return [one[1].seconds / one[n].seconds for one in rounds]


def switches(run: Run) -> list[float]:
    """Когда (с) сменялся тот, кто делает записи."""
    records = []
    for notes in run.journal:
        records += [(time, notes.thread) for time in notes.times]
    records.sort()
    moments = []
    for (_, before), (time, after) in pairwise(records):
        if before != after:
            moments.append(time)
    return moments


def turn(rounds: list[Round], n: int) -> float:
    """По сколько мс поток работал без перерыва: медиана по всем кругам."""
    turns = []
    for one in rounds:
        for begin, end in pairwise(switches(one[n])):
            turns.append(1000 * (end - begin))
    return median(turns) if turns else 0.0


def comma(value: float, digits: int = 2) -> str:
    """Число с запятой: 1,88."""
    return f"{value:.{digits}f}".replace(".", ",")


def table(rounds: list[Round], workers: int) -> list[str]:
    """Строка на 1 поток и на несколько; время и прочее — медианы кругов."""
    heads = ["потоков", "медиана, мс", "ускорение (по кругам)"]
    rows = ["  ".join([*heads, "занято ядер", "смен потока", "верно"])]
    for n in (1, workers):
        runs = [one[n] for one in rounds]
        ratios = speedups(rounds, n)
        spread = f"({comma(min(ratios))}–{comma(max(ratios))})" if n > 1 else ""
        cells = [
            f"{n:<7}",
            f"{1000 * median(run.seconds for run in runs):13.0f}",
            f"{comma(median(ratios)):>9} {spread:13}",
            f"{comma(busy(rounds, n)):>13}",
            f"{median(len(switches(run)) for run in runs):13.0f}",
            f"{min(run.right for run in runs):7}",
        ]
        rows.append("".join(cells))
    return rows


def shade(share: float, shades: str) -> str:
    """Знак для доли от 0 до 1; больше — если порция зашла в другой столбец."""
    darkest = len(shades) - 1
    return shades[min(darkest, round(darkest * share))]


def timeline(run: Run, shades: str) -> list[str]:
    """Строка на поток: чем плотнее знак, тем дольше поток в это время работал.

    Между двумя записями прошло много — значит, поток ждал: GIL или ядра.
    """
    start = min(notes.times[0] for notes in run.journal)
    rows = []
    for notes in run.journal:
        worked = [0.0] * WIDTH  # сколько мс работал в каждом столбце
        for before, after in pairwise(notes.times):
            place = int(1000 * (before - start) / COLUMN)
            spent = 1000 * (after - before)
            if spent < COLUMN / 2 and place < WIDTH:
                worked[place] += spent
        row = "".join(shade(ms / COLUMN, shades) for ms in worked)
        rows.append(f"поток {notes.thread:<8}|{row}|")
    return rows


def typical(facts: Facts, rounds: list[Round]) -> Round:
    """Тот круг, в котором ускорение — посередине."""
    n = facts.workers
    ranked = sorted(rounds, key=lambda one: one[1].seconds / one[n].seconds)
    return ranked[len(ranked) // 2]


def picture(facts: Facts, one: Round, shades: str) -> list[str]:
    """Шкала времени этого круга и что на ней."""
    run = one[facts.workers]
    rows = timeline(run, shades)
    place = f"процесс {run.journal[0].pid}, круг {facts.rounds.index(one) + 1}"
    if 1000 * run.seconds > COLUMN * WIDTH:
        place += f", первые {COLUMN * WIDTH} мс"
    if len(rows) > 4:
        place += f", первые 4 потока из {len(rows)}"
    legend = f"столбец — {COLUMN} мс: чем плотнее, тем дольше поток работал"
    return [f"{place};", f"{legend}:", *rows[:4]]


def births(pairs: list[Pair]) -> str:
    """Сколько стоят запуск и завершение; медианы."""
    thread = comma(median(pair.thread for pair in pairs))
    process = comma(median(pair.process for pair in pairs))
    costs = f"поток {thread} мс, процесс {process} мс"
    return f" {costs} (медианы {len(pairs)} пар)"


def handover(facts: Facts, rounds: list[Round]) -> str:
    """Через сколько у потока отбирают GIL: как настроено и как вышло."""
    setting = f"настроено {comma(facts.interval, 1)} мс"
    measured = "измерить не вышло: потоки не сменялись"
    if found := turn(rounds, facts.workers):
        measured = f"измерено {comma(found, 1)} мс (медиана)"
    return f"GIL отбирают через: {setting}, {measured}"


def together(journal: list[Notes]) -> str:
    """Сколько было потоков и процессов."""
    threads = len({notes.thread for notes in journal})
    processes = len({notes.pid for notes in journal})
    if processes == 1:
        return f"потоков {threads}, а процесс у них общий"
    return f"потоков {threads}, процессов {processes}"


def dearer(pairs: list[Pair]) -> str:
    """Насколько запуск и завершение процесса дольше, чем потока: медиана."""
    ratios = [pair.process / pair.thread for pair in pairs]
    wins = sum(ratio > 1.1 for ratio in ratios)
    if 4 * wins < 3 * len(ratios):
        return "пары расходятся, о запуске судить нельзя: повторите"
    how = f"в {comma(median(ratios), 1)} раза дольше потока"
    score = f"так в {wins} парах из {len(pairs)}"
    return f"запуск и конец процесса {how}: {score}"


def faster(rounds: list[Round], n: int) -> str:
    """Насколько потоки быстрее одного: медиана, но не больше занятых ядер."""
    ratios = speedups(rounds, n)
    ratio = median(ratios)
    most = busy(rounds, n)
    wins = sum(one > 1.1 for one in ratios)
    spread = f"(по кругам {comma(min(ratios))}–{comma(max(ratios))})"
    if most <= 1.1 and ratio > 1.1:  # одно ядро за два не считает
        how = "не быстрее, чем в 1: скорость ядер менялась, "
        how += f"занято {comma(most)}"
    elif most <= 1.1 or (ratio <= 1.1 and 4 * wins <= len(ratios)):
        how = f"не быстрее, чем в 1: ускорение {comma(ratio)} {spread}"
    elif 4 * wins < 3 * len(ratios):
        return "круги расходятся, об ускорении судить нельзя: повторите"
    elif ratio > most:
        how = f"быстрее не больше чем в {comma(most)} раза"
        how += ": скорость ядер менялась"
    else:
        how = f"быстрее в {comma(ratio)} раза"
        how += f": так в {wins} кругах из {len(ratios)}"
    return f"в {n} потоках {how}"


def conclusions(facts: Facts, rounds: list[Round]) -> list[str]:
    """Что следует из кругов, которые в счёт."""
    n = facts.workers
    again = "судить нельзя: закройте лишнее и повторите"
    if len(rounds) < len(facts.rounds) / 2:
        return [f"ядра отнимали, {again}"]
    cores = busy(rounds, n)
    if cores > 1.3:  # больше одного ядра можно занять только одновременно
        how = "одновременно"
    elif cores > 1.1 or cores < 0.9:
        return [f"ядра отнимали, {again}"]
    elif facts.cores > 1 and not facts.gil:
        return [f"второе ядро не досталось, {again}"]
    elif median(len(switches(one[n])) for one in rounds) < n:
        how = "один за другим"
    else:
        how = f"попеременно, обычно по {comma(turn(rounds, n), 1)} мс"
    seen = f"занято ядер {comma(cores)} из {facts.cores}"
    return [f"потоки работали {how}: {seen}", faster(rounds, n)]


def report(facts: Facts, shades: str) -> list[str]:
    """Сколько кругов в счёт, таблица, шкала времени и выводы."""
    rounds = fair(facts)
    shown = rounds or facts.rounds
    one = typical(facts, shown)
    lines = [f" в счёт {len(rounds)} из {len(facts.rounds)}"]
    if not rounds:
        lines = [f"{lines[0]}, в таблице все круги"]
    lines += table(shown, facts.workers)
    if facts.gil:
        lines.append(handover(facts, shown))
    lines += ["", *picture(facts, one, shades), ""]
    texts = [together(one[facts.workers].journal), dearer(facts.pairs)]
    texts += conclusions(facts, rounds)
    return lines + [f"Вывод: {text}." for text in texts]


def dotted(measurements: Iterator) -> list:
    """Собрать измеренное; как только что-то есть, напечатать точку."""
    results = []
    for one in measurements:
        results.append(one)
        print(".", end="", flush=True)
    return results


def drawable(shades: str, plain: str) -> str:
    """Знаки, которые можно напечатать: в cp1251, например, нет «█»."""
    missing = b"?" in shades.encode(sys.stdout.encoding, "replace")
    return plain if missing else shades


def main() -> None:
    parser = ArgumentParser(
        description=__doc__, formatter_class=RawTextHelpFormatter
    )
    parser.add_argument(
        "--workers", type=int, choices=(2, 4, 8), help="сколько потоков"
    )
    workers = parser.parse_args().workers or max(2, min(4, CORES))
    print(f"{INTERPRETER}, способ запуска: {get_start_method()}")

    print("\nзапустить и дождаться: ", end="", flush=True)
    pairs = dotted(lifetimes())
    print(births(pairs))
    portions = enough()
    print(f"порций {portions}; точка — круг: ", end="", flush=True)
    rounds = dotted(experiment(portions, workers))
    interval = 1000 * sys.getswitchinterval()
    facts = Facts(pairs, rounds, workers, CORES, GIL, interval, tick())
    print(*report(facts, drawable(" ░▒▓█", " .:+#")), sep="\n")


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
