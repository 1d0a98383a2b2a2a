"""Чем ускорить работу: потоками, корутинами, процессами? Смотря какая работа.

Смотрите: во сколько раз быстрее, чем одно за другим, и сколько ядер занято.
Попробуйте: --workers 16. Процессов станет больше; что пойдёт быстрее?
"""

import asyncio
import hashlib
import os
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from math import isqrt, sqrt
from multiprocessing import Pipe, Process, get_start_method, parent_process
from multiprocessing.connection import Connection
from socket import create_connection
from statistics import median
from textwrap import fill
from threading import Thread, get_native_id
from time import perf_counter, process_time
from typing import Any, NamedTuple

JOBS = 16  # заданий каждого вида
THREADS = 16  # потоков в пуле
DELAY = 0.005  # через сколько секунд отвечает сервер


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, isqrt(number) + 1))


def count_primes(limit: int) -> int:
    """Счёт на Python: сколько простых чисел меньше limit."""
    return sum([is_prime(number) for number in range(limit)])  # True — это 1


def checksum(size: int) -> str:
    """Счёт в C: SHA-3 от size букв «a»; hashlib на это время отпускает GIL."""
    return hashlib.sha3_512(b"a" * size).hexdigest()


def ask(address: tuple) -> str:
    """Ожидание: подключиться и прочесть ответ; recv() ждёт, отпустив GIL."""
    with create_connection(address, timeout=10) as server:
        answer = server.recv(100)
    return answer.decode()


async def count_primes_async(limit: int) -> int:
    """Тот же счёт в корутине: await в ней нет, и другие ждут её конца."""
    return count_primes(limit)


async def checksum_async(size: int) -> str:
    """И эта корутина, пока не закончит, другим не уступит."""
    return checksum(size)


async def ask_async(address: tuple) -> str:
    """То же ожидание: пока await ждёт ответа, работают другие корутины."""
    reader, writer = await asyncio.open_connection(*address)
    answer = await reader.read(100)
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def one_after_another(job: Callable, inputs: list) -> list:
    """Сделать задание, потом следующее: в этом же потоке."""
    return [job(value) for value in inputs]


def in_pool(job: Callable, inputs: list, pool: Executor) -> list:
    """Раздать задания потокам, процессам или интерпретаторам пула."""
    return list(pool.map(job, inputs))  # ответы — в порядке заданий


async def in_coroutines(job: Callable, inputs: list) -> list:
    """Запустить по корутине на задание; все они живут в одном потоке."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job(value)) for value in inputs]
    return [task.result() for task in tasks]  # TaskGroup дождался всех


def open_pools(workers: int) -> dict[str, Executor]:
    """Пулы: их процессы и потоки запустятся с первыми заданиями.

    Задания дают пулам в этом порядке: процессы раньше потоков. Ведь fork
    копирует лишь тот поток, что его вызвал, и замки, взятые остальными,
    в копии никто не отпустит.
    """
    return {
        "процессы": ProcessPoolExecutor(workers, initializer=follow_parent),
        "потоки": ThreadPoolExecutor(THREADS),
    }


def open_interpreters(workers: int) -> Executor:
    """Пул интерпретаторов одного процесса: у каждого свой поток и свой GIL."""
    if sys.version_info >= (3, 14):
        from concurrent.futures import InterpreterPoolExecutor

        return InterpreterPoolExecutor(workers)
    raise NotImplementedError("нужен Python 3.14 или новее")


# --- Измерения и вывод ------------------------------------------------------

ROUNDS = 8  # в каждом круге все способы по разу
FAIR = 0.95  # если одному за другим досталось меньше ядра, круг не засчитан
MOST = 8  # больше процессов для такой короткой работы не нужно
BASE, THREAD_POOL, COROUTINES = "одно за другим", "потоки", "корутины"
PROCESSES, INTERPRETERS = "процессы", "интерпретаторы"
WAITING = "ожидание"
GAIN, NO_GAIN = "ускоряют", "не ускоряют"
IN_VAIN = "ядра заняты, а быстрее не всегда"
AGAIN = "судить нельзя: закройте лишнее и повторите"


class Kind(NamedTuple):
    """Вид работы: чем её делать, над чем и какой ответ известен заранее."""

    name: str
    job: Callable
    job_async: Callable
    value: Any
    right: Any


class Answer(NamedTuple):
    """Ответ, чей он и сколько секунд занимал ядро процесс, пока его искал."""

    value: Any
    pid: int
    thread: int
    cpu: float


class Run(NamedTuple):
    """Все задания одного вида одним способом; время — в секундах."""

    seconds: float
    cpu: float  # сколько занимали ядра, все вместе
    threads: int  # сколько потоков, пусть и разных процессов, делали задания

    @property
    def busy(self) -> float:
        """Сколько ядер было занято в среднем."""
        return self.cpu / self.seconds


Round = dict[str, Run]  # круг: способ и его прогон


class Facts(NamedTuple):
    """Всё измеренное. tick — шаг часов процессорного времени, с."""

    rounds: dict[str, list[Round]]  # вид работы и его круги
    jobs: int
    cores: int
    tick: float
    lack: str  # почему нет интерпретаторов; пусто, если они есть


class Cell(NamedTuple):
    """Клетка таблицы: способ рядом с «одно за другим» того же круга."""

    speedups: list[float]  # во сколько раз быстрее, по кругам
    busy: float  # занято ядер за все круги…
    error: float  # …и на сколько это может быть неточно
    threads: int  # сколько потоков делали задания

    @property
    def wins(self) -> int:
        """В скольких кругах заметно быстрее."""
        return sum(speedup > 1.1 for speedup in self.speedups)


def kinds(address: tuple) -> list[Kind]:
    """Три вида работы; ответы известны заранее.

    Сколько простых — из OEIS A000720; SHA3-512 миллиона букв «a» — из
    контрольных примеров на di-mgt.com.au/sha_testvectors.html.
    """
    digest = (
        "3c3a876da14034ab60627c077bb98f7e120a2a5370212dffb3385a18d4f38859"
        "ed311d0a9d5141ce9cc5c66ee689b266a8aa18ace8282a0e0db596c90b0a7b87"
    )
    return [
        Kind("счёт на Python", count_primes, count_primes_async, 4_000, 550),
        Kind("счёт в C", checksum, checksum_async, 1_000_000, digest),
        Kind(WAITING, ask, ask_async, address, "OK"),
    ]


def timed(job: Callable, value: Any) -> tuple:
    """Сделать задание; вернуть поля Answer (сам Answer не передать)."""
    cpu = process_time()
    answer = job(value)
    cpu = process_time() - cpu
    return answer, os.getpid(), get_native_id(), cpu


async def timed_async(job: Callable, value: Any) -> tuple:
    """То же в корутине."""
    cpu = process_time()
    answer = await job(value)
    cpu = process_time() - cpu
    return answer, os.getpid(), get_native_id(), cpu


def perform(way: str, kind: Kind, pools: dict) -> list[Answer]:
    """Сделать все задания этого вида этим способом."""
    inputs = [kind.value] * JOBS
    job: Callable = partial(timed, kind.job)
    if way == COROUTINES:
        job = partial(timed_async, kind.job_async)
        answers = asyncio.run(in_coroutines(job, inputs))
    elif way == BASE:
        answers = one_after_another(job, inputs)
    else:
        answers = in_pool(job, inputs, pools[way])
    return [Answer(*fields) for fields in answers]


def measure(way: str, kind: Kind, pools: dict) -> Run:
    """Сделать все задания, сверить ответы и сказать, сколько это заняло."""
    cpu = process_time()
    begin = perf_counter()
    answers = perform(way, kind, pools)
    seconds = perf_counter() - begin
    cpu = process_time() - cpu  # всех потоков этого процесса
    for answer in answers:
        if answer.value != kind.right:
            text = f"верный ответ {kind.right!r}, а получен {answer.value!r}"
            raise ValueError(f"{kind.name}, {way}: {text}")
        if answer.pid != os.getpid():  # а это процессы пула
            cpu += answer.cpu
    return Run(seconds, cpu, len({(one.pid, one.thread) for one in answers}))


def experiment(
    works: list[Kind], pools: dict, step: float
) -> Iterator[tuple[str, Round]]:
    """Вид работы и его круг; в каждом втором порядок способов обратный."""
    ways = [BASE, THREAD_POOL, COROUTINES, PROCESSES]
    if INTERPRETERS in pools:
        ways.append(INTERPRETERS)
    for kind in works:
        seconds = 0.0  # сколько шло «одно за другим» во всех кругах
        for number in range(2 * ROUNDS):
            # Счёту нужно хотя бы двадцать шагов часов процессорного времени.
            if number >= ROUNDS and seconds >= 20 * step:
                break
            order = ways if number % 2 == 0 else ways[::-1]
            one = {way: measure(way, kind, pools) for way in order}
            yield kind.name, one
            seconds += one[BASE].seconds


def tick() -> float:
    """Шаг часов процессорного времени, с: микросекунды, а в Windows 15,6 мс."""
    begin = now = process_time()
    while now == begin:
        now = process_time()
    begin = now
    while now == begin:
        now = process_time()
    return now - begin


def fair(kind: str, facts: Facts) -> list[Round]:
    """Засчитанные круги: в них у «одно за другим» ядро не отнимали.

    Прогон короче двадцати шагов часов так не проверить: судят по всем вместе.
    """
    rounds = facts.rounds[kind]
    if kind == WAITING:
        return rounds
    if min(one[BASE].seconds for one in rounds) < 20 * facts.tick:
        share = busy(rounds, BASE) + blur(rounds, BASE, facts.tick)
        return rounds if share >= FAIR else []
    return [one for one in rounds if one[BASE].busy >= FAIR]


def blur(rounds: list[Round], way: str, step: float) -> float:
    """На сколько ядер может ошибиться busy(), если часы идут шагами по step, с.

    Прогон ошибается на шаг то в одну сторону, то в другую, и отчасти ошибки
    гасят друг друга: у суммы их ошибка растёт как корень из числа прогонов.
    """
    return step * sqrt(len(rounds)) / sum(one[way].seconds for one in rounds)


def busy(rounds: list[Round], way: str) -> float:
    """Сколько ядер было занято в среднем по всем кругам."""
    cpu = sum(one[way].cpu for one in rounds)
    return cpu / sum(one[way].seconds for one in rounds)


def cells(kind: str, facts: Facts) -> dict[str, Cell]:
    """Столбец таблицы: способ и его клетка, по засчитанным кругам."""
    rounds = fair(kind, facts) or facts.rounds[kind]
    column = {}
    for way in facts.rounds[kind][0]:
        speedups = [one[BASE].seconds / one[way].seconds for one in rounds]
        threads = max(one[way].threads for one in rounds)
        share, error = busy(rounds, way), blur(rounds, way, facts.tick)
        column[way] = Cell(speedups, share, error, threads)
    return column


def comma(value: float, digits: int = 2) -> str:
    """Число с запятой: 1,88."""
    return f"{value:.{digits}f}".replace(".", ",")


def table(facts: Facts) -> list[str]:
    """Строка на способ, столбец на вид работы."""
    ways = list(facts.rounds[WAITING][0])
    rows = {way: f"{way:16}" for way in ways}
    head = " " * 16
    for kind in facts.rounds:
        digits, width = (1, 17) if kind == WAITING else (2, 15)
        head += f"{kind:{width + 6}}"
        rounds = fair(kind, facts) or facts.rounds[kind]
        for way, cell in cells(kind, facts).items():
            low, high = min(cell.speedups), max(cell.speedups)
            text = f"{comma(median(cell.speedups), digits):>4} "
            text += f"({comma(low, 1)}–{comma(high, 1)})"
            if way == BASE:
                milliseconds = 1000 * median(one[way].seconds for one in rounds)
                text = f"{milliseconds:4.0f} мс"
            rows[way] += f"{text:{width}}{comma(cell.busy)}  "
    return [line.rstrip() for line in (head, *rows.values())]


def verdict(kind: str, way: str, column: dict[str, Cell], cores: int) -> str:
    """Ускоряет ли способ эту работу; если не видно, то «судить нельзя»."""
    cell = column[way]
    share = cell.wins / len(cell.speedups)
    if kind == WAITING:
        if share >= 0.75:
            return GAIN
        return NO_GAIN if share <= 0.25 and cell.threads == 1 else AGAIN
    if share >= 0.75 and cell.busy > 1.3 and cores > 1:
        return GAIN  # счёт ускоряют только лишние ядра
    dearer = cell.busy > 1.1 * median(cell.speedups)  # вместе ядра медленнее
    if cell.busy > 1.5 and dearer and cores > 1:
        return IN_VAIN  # два логических ядра бывают одним физическим
    # Не ускоряет тот, кто получил одно ядро и не занял второго. Один поток его
    # и не займёт. А пул потоков мог бы, если ядра были свободны, и это видно по
    # процессам: их не больше, и достаётся им не больше. Иначе судить нельзя.
    most = max(cell.busy for cell in column.values())
    only = cell.threads == 1 or (cores == 1 and most <= 1.3)
    free = way == THREAD_POOL and column[PROCESSES].busy > 1.5
    kept = FAIR - cell.error <= cell.busy <= 1.1 + cell.error
    return NO_GAIN if kept and (only or free) else AGAIN


def gain(kind: str, way: str, cell: Cell, facts: Facts) -> str:
    """Во сколько раз ускоряет: медиана, но не больше возможного."""
    limit = min(cell.busy, facts.cores)
    if kind == WAITING:  # сразу ждут столько, сколько потоков или корутин
        limit = facts.jobs if way == COROUTINES else cell.threads
    speedup = median(cell.speedups)
    most = "не больше чем " if speedup > limit else ""
    times = comma(min(speedup, limit), 1 if kind == WAITING else 2)
    return f"{way} {most}в {times} раза"


def no_gain(ways: list[str], column: dict[str, Cell]) -> str:
    """Кто не ускоряет; быстрее на одном ядре — это менялась его скорость."""
    text = f"{NO_GAIN} {', '.join(ways)}"
    if any(median(column[way].speedups) > 1.1 for way in ways):
        text += " (где быстрее, там менялась скорость ядра)"
    return text


def conclusion(kind: str, facts: Facts) -> str:
    """Чем эту работу стоит ускорять, чем не стоит, о чём судить нельзя."""
    total = len(facts.rounds[kind])
    spoiled = total - len(fair(kind, facts))
    if spoiled > total / 2:
        where = f"в {spoiled} из {total} кругов"
        return f"{kind}: похоже, ядра отнимали ({where}), {AGAIN}"
    column = cells(kind, facts)
    verdicts = (GAIN, NO_GAIN, IN_VAIN, AGAIN)
    groups: dict[str, list[str]] = {one: [] for one in verdicts}
    for way in list(column)[1:]:  # первый — одно за другим
        groups[verdict(kind, way, column, facts.cores)].append(way)
    parts = []
    if groups[GAIN]:
        gains = [gain(kind, way, column[way], facts) for way in groups[GAIN]]
        wins = min(column[way].wins for way in groups[GAIN])
        counted = len(column[BASE].speedups)
        where = f"хотя бы в {wins} из {counted} кругов"
        if wins == counted:
            where = f"во всех {counted} кругах"
        parts.append(f"{GAIN} {', '.join(gains)} (так {where})")
    if groups[NO_GAIN]:
        parts.append(no_gain(groups[NO_GAIN], column))
    if groups[IN_VAIN]:
        ways = ", ".join(groups[IN_VAIN])
        parts.append(f"{IN_VAIN}: {ways} (вместе ядра медленнее)")
    if not parts:
        return f"{kind} — {AGAIN}"
    if groups[AGAIN]:
        what, advice = AGAIN.split(": ")
        parts.append(f"{what}: {', '.join(groups[AGAIN])} ({advice})")
    colon = "" if groups[GAIN] or groups[NO_GAIN] else ":"
    return f"{kind}{colon} {'; '.join(parts)}"


def waiters(facts: Facts) -> str:
    """Сколько потоков ждало ответов у пула и у корутин."""
    rounds = fair(WAITING, facts)
    delay = 1000 * median(one[BASE].seconds for one in rounds) / facts.jobs
    pool = max(one[THREAD_POOL].threads for one in rounds)
    loop = max(one[COROUTINES].threads for one in rounds)
    text = f"на {facts.jobs} ожиданий по {comma(delay, 1)} мс"
    return f"{text} пулу понадобилось потоков {pool}, а корутинам {loop}"


def report(facts: Facts) -> list[str]:
    """Таблица и выводы — только по измеренному."""
    lines = table(facts)
    if facts.lack:
        lines.append(fill(f"интерпретаторов нет: {facts.lack}", 80))
    lines.append("")
    texts = [conclusion(kind, facts) for kind in facts.rounds]
    texts.append(waiters(facts))
    return lines + [
        fill(f"Вывод: {text}.", 80, subsequent_indent="  ") for text in texts
    ]


def start_server() -> tuple:
    """Запустить сервер отдельным процессом; вернуть его адрес."""
    receiver, sender = Pipe(duplex=False)
    Process(target=serve, args=(sender,), daemon=True).start()
    sender.close()  # если сервер умрёт, recv() не будет ждать вечно
    return receiver.recv()


def serve(sender: Connection) -> None:
    """Сервер: отвечает «OK» через DELAY секунд после подключения."""
    follow_parent()

    async def answer(reader, writer) -> None:
        await asyncio.sleep(DELAY)
        writer.write(b"OK")
        writer.close()

    async def listen() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        sender.send(server.sockets[0].getsockname())  # порт — любой свободный
        await server.serve_forever()

    asyncio.run(listen())


def start_interpreters(
    workers: int, works: list[Kind], pools: dict, stack: ExitStack
) -> str:
    """Прибавить пул интерпретаторов; если их не дают, вернуть почему."""
    try:
        pool = stack.enter_context(open_interpreters(workers))
        for kind in works:
            perform(INTERPRETERS, kind, {INTERPRETERS: pool})
    except NotImplementedError as error:
        return str(error)
    except (OSError, RuntimeError, TypeError) as error:  # система не дала
        return f"{type(error).__name__}: {error}"
    pools[INTERPRETERS] = pool
    return ""


def start_pools(workers: int, works: list[Kind], stack: ExitStack) -> dict:
    """Открыть пулы и дать пробные задания, чтобы в них все запустились."""
    pools = open_pools(workers)
    for way, pool in pools.items():
        stack.enter_context(pool)
        for kind in works:
            perform(way, kind, pools)
    return pools


def main() -> None:
    parser = ArgumentParser(
        description=__doc__, formatter_class=RawTextHelpFormatter
    )
    parser.add_argument(
        "--workers", type=int, choices=(2, 4, 8, 16), help="сколько процессов"
    )
    workers = parser.parse_args().workers or min(CORES, MOST)
    print(f"{INTERPRETER}, способ запуска: {get_start_method()}")
    counts = f"заданий по {JOBS}, потоков {THREADS}, процессов {workers}"
    print(f"\n{counts}; ускорение (по кругам) и занято ядер")
    if workers == MOST < CORES:
        print(f"процессов не больше {MOST}", end="; ")
    print("точка — круг:", end="", flush=True)
    works = kinds(start_server())
    with ExitStack() as stack:
        pools = start_pools(workers, works, stack)
        lack = start_interpreters(workers, works, pools, stack)
        rounds: dict[str, list[Round]] = {kind.name: [] for kind in works}
        step = tick()
        for name, one in experiment(works, pools, step):
            first = not rounds[name]  # между видами работы — пробел
            rounds[name].append(one)
            print(" ." if first else ".", end="", flush=True)
    print("", *report(Facts(rounds, JOBS, CORES, step, lack)), sep="\n")


def follow_parent() -> None:
    """Дочерний процесс: если программу убьют, завершиться вслед за ней."""

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
