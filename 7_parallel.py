"""Чем ускорять: потоками, корутинами, процессами, интерпретаторами — смотря что.

Раздел урока: «CPU-операции с потоками» и заключение.
Смотрите: в клетке — ускорение и занято ядер; где ускорение есть, а где нет.
Попробуйте: --work 3 — чьё преимущество вырастет, чьё нет?

Параметры: --workers N  сколько процессов и интерпретаторов, 1…60 (по умолчанию
                        по ядрам, до 8); потоков 16, корутин — сколько заданий
           --work K     сделать каждое задание K раз, 1…10 (по умолчанию 1)
           --cluster АДРЕС:ПОРТ  добавить строку: кластер dask.distributed
"""

import signal

if __name__ == "__main__":  # Ctrl-C, пока идут остальные import, — без трассировки
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import asyncio
import hashlib
import multiprocessing
import os
import platform
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from math import isqrt
from multiprocessing.connection import Connection
from multiprocessing.util import get_temp_dir
from textwrap import fill
from threading import Thread
from time import perf_counter, process_time, thread_time
from typing import Any, NamedTuple, NoReturn

JOBS = 16  # заданий каждого вида
DELAY = 0.008  # через сколько секунд отвечает сервер
ROUNDS = 3  # «по очереди» и другой способ чередуются; сравниваем лучшие

Server = tuple[str, int]  # адрес и порт; сколько серверов в списке, столько и заданий
Answer = tuple[str, str, float]  # ответ, кто его нашёл и за сколько секунд процессорного времени
Job = Callable[[Server], str]
Way = Callable[[Job, list[Server]], list[Answer]]


def python_code(_: Server) -> str:
    """Счёт на Python: простых чисел меньше 10 000 — 1229."""
    count = 0
    for number in range(2, 10_000):
        for divisor in range(2, isqrt(number) + 1):
            if number % divisor == 0:
                break
        else:
            count += 1
    return str(count)


def c_code(_: Server) -> str:
    """Счёт в C: SHA3-256 миллиона букв «a» (ответ известен); hashlib на это время отпускает GIL."""
    text = b"a" * 1_000_000
    hashlib.sha3_256(text)  # первый раз — только чтобы задание было длиннее
    return hashlib.sha3_256(text).hexdigest()[:8]


def waiting(server: Server) -> str:
    """Ожидание: подключиться и прочитать ответ, который придёт не сразу."""
    with socket.create_connection(server) as conn, conn.makefile() as stream:
        return stream.read()


async def waiting_async(server: Server) -> str:
    """То же в корутине: пока она ждёт, работают другие."""
    reader, writer = await asyncio.open_connection(*server)
    answer = (await reader.read()).decode()
    writer.close()
    return answer


def work(job: Job, server: Server) -> Answer:
    """Выполнить задание и измерить, во что оно обошлось."""
    begin = thread_time()
    text = job(server)
    return text, whoami(), thread_time() - begin


async def work_async(job: Job, server: Server) -> Answer:
    """То же в корутине. Счёту нечего ждать, поэтому уступать место другим он не станет."""
    text = await waiting_async(server) if job is waiting else job(server)
    return text, whoami(), 0


def whoami() -> str:
    """Имя машины и pid: кто выполняет этот код."""
    return f"{platform.node()}:{os.getpid()}"


def one_after_another(job: Job, servers: list[Server]) -> list[Answer]:
    return [work(job, server) for server in servers]


def coroutines(job: Job, servers: list[Server]) -> list[Answer]:
    async def together() -> list[Answer]:
        return await asyncio.gather(*(work_async(job, server) for server in servers))

    return asyncio.run(together())


def in_pool(pool: Executor, job: Job, servers: list[Server]) -> list[Answer]:
    """Потоки, процессы, интерпретаторы: у всех один и тот же интерфейс Executor (PEP 3148)."""
    return list(pool.map(partial(work, job), servers, timeout=60))


# --- Измерения и вывод -----------------------------------------------------------------


JOB_KINDS: dict[str, tuple[Job, str]] = {  # вид работы: функция и верный ответ
    "счёт на Python": (python_code, "1229"),
    "счёт в C": (c_code, "5c8875ae"),
    "ожидание": (waiting, "OK"),
}
UNCLEAR = "неясно (ядра заняты чужим или квота?)"


class Cell(NamedTuple):
    """Клетка таблицы: ускорение, занято ядер, мс процессорного времени на задание."""

    speedup: float
    busy: float
    cpu: float


def timed(way: Way, job: Job, right: str, servers: list[Server]) -> tuple[float, float]:
    """Секунды по часам и процессорные, если все ответы верны; иначе RuntimeError."""
    begin, cpu = perf_counter(), process_time()
    answers = way(job, servers)
    seconds, cpu = perf_counter() - begin, process_time() - cpu
    texts = {text for text, _, _ in answers}
    if texts != {right}:
        raise RuntimeError(f"верный ответ {right}, а получены {texts}")
    return seconds, cpu + sum(spent for _, who, spent in answers if who != whoami())


def fill_row(title: str, way: Way, servers: list[Server]) -> dict[str, Cell]:
    """Напечатать строку таблицы клетка за клеткой: «по очереди» и way чередуются."""
    print(f"{title:22}", end="", flush=True)
    cells = {}
    for kind, (job, right) in JOB_KINDS.items():
        pairs = [
            (timed(one_after_another, job, right, servers), timed(way, job, right, servers))
            for _ in range(ROUNDS)
        ]
        base = min(seconds for (seconds, _), _ in pairs)
        seconds, cpu = min(other for _, other in pairs)
        least = min(spent for _, (_, spent) in pairs)
        cell = cells[kind] = Cell(base / seconds, cpu / seconds, 1000 * least / len(servers))
        print(f"{cell.speedup:11.2f}{cell.busy:8.2f}", end="", flush=True)
    print()
    return cells


@contextmanager
def late_server(host: str = "127.0.0.1") -> Iterator[Server]:
    """Сервер в отдельном процессе: отвечает «OK» через DELAY секунд."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=as_child, args=(serve, host, theirs))
    with signals_held(), theirs:
        process.start()
    with ours:
        address = ours.recv()
    try:
        yield address
    finally:
        process.kill()
        process.join()


def serve(host: str, conn: Connection) -> None:
    """Ребёнок: принимать подключения, пока жив родитель."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(DELAY)
        writer.write(b"OK")
        writer.close()

    async def listen() -> None:
        server = await asyncio.start_server(answer, host, 0)
        conn.send(server.sockets[0].getsockname()[:2])
        await server.serve_forever()

    asyncio.run(listen())


def host_seen_from(cluster: str) -> str:
    """Под каким адресом нас видит кластер. Нет библиотеки или планировщика — код возврата 2."""
    if not find_spec("distributed"):
        stop(2, "Для --cluster нужна библиотека: python3 -m pip install distributed")
    try:
        host, port = cluster.removeprefix("tcp://").rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=3) as conn:
            return str(conn.getsockname()[0])
    except (OSError, ValueError, OverflowError):
        stop(2, f"По адресу {cluster} нет планировщика кластера.")


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """Клиент кластера dask.distributed."""
    from distributed import Client

    try:
        client = Client(address.removeprefix("tcp://"), timeout=5)
        client.wait_for_workers(1, timeout=5)
    except OSError:
        stop(2, f"По адресу {address} нет планировщика с исполнителями.")
    with client:
        try:
            yield client
        except ConnectionRefusedError as error:
            stop(1, f"Исполнитель не смог подключиться к серверу этой программы: {error}")


def cluster_row(client: Any, here: int, servers: list[Server]) -> dict[str, Cell]:
    """Строка таблицы и расчёт: с какого задания кластер выгоднее, чем here процессов здесь."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    threads = sum(worker["nthreads"] for worker in workers)
    pool = client.get_executor(pure=False)  # pure: одинаковые задания кластер счёл бы одним
    row = fill_row(f"кластер {len(workers)}, потоков {threads}", partial(in_pool, pool), servers)
    begin = perf_counter()
    list(pool.map(int, range(100)))
    handing = 1000 * (perf_counter() - begin) / 100
    sizes = [size for size in (4, 16, 64, 256) if size > here]
    pays = [handing * here * size / (size - here) for size in sizes]
    print(f"\nраздать кластеру одно задание стоит h = {handing:.1f} мс; из W исполнителей он")
    print(f"выгоднее P = {here} процессов здесь, если задание дольше h·P·W/(W-P) (расчёт):")
    print(f"{'W':22}" + "".join(f"{size:10}" for size in sizes))
    print(f"{'задание дольше, мс':22}" + "".join(f"{ms:10.1f}" for ms in pays))
    return row


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
    """Таблица: каким способом выгодно делать какую работу."""
    options = Options(usage="--workers 1…60, --work 1…10, --cluster АДРЕС:ПОРТ, --help")
    options.add_argument("--workers", type=int, default=min(CORES, 8), choices=range(1, 61))
    options.add_argument("--work", type=int, default=1, choices=range(1, 11))
    options.add_argument("--cluster")
    given = options.parse_args()
    workers = given.workers
    host = host_seen_from(given.cluster) if given.cluster else "127.0.0.1"
    print(f"{first_line()}, способ запуска: {multiprocessing.get_start_method()}")

    print(f"\n{JOBS * given.work} заданий каждого вида; в клетках — ускорение и занято ядер")
    print(f"{'':22}" + "".join(f"{kind:>19}" for kind in JOB_KINDS))
    with late_server(host) as server:
        servers = [server] * JOBS * given.work
        table = {"по очереди": fill_row("по очереди", one_after_another, servers)}
        with ThreadPoolExecutor(JOBS) as pool:
            table["потоки"] = fill_row(f"потоки, {JOBS}", partial(in_pool, pool), servers)
        table["корутины"] = fill_row(f"корутины, {len(servers)}", coroutines, servers)
        with process_pool(workers) as pool:
            table["процессы"] = fill_row(f"процессы, {workers}", partial(in_pool, pool), servers)
        if sys.version_info >= (3, 14):
            from concurrent.futures import InterpreterPoolExecutor

            with InterpreterPoolExecutor(workers) as pool:
                way = partial(in_pool, pool)
                table["интерпретаторы"] = fill_row(f"интерпретаторы, {workers}", way, servers)
        if given.cluster:
            with cluster(given.cluster) as client:
                table["кластер"] = cluster_row(client, workers, servers)
    print()
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    for text in conclusions(table, gil, CORES, workers):
        print(fill(f"Вывод: {text}", 80, subsequent_indent="  "))


def conclusions(
    table: dict[str, dict[str, Cell]], gil: bool, cores: int, workers: int
) -> Iterator[str]:
    """Чем выгодно делать каждую работу; gil — включён ли он, workers — сколько процессов."""
    noise = max(abs(table["по очереди"][kind].speedup - 1) for kind in JOB_KINDS)
    yield f"«по очереди» против себя же расходится на {noise:.0%}: различия мельче не в счёт."
    for kind in JOB_KINDS:
        verdicts: dict[str, list[str]] = {"ускоряют": [], "не ускоряют": [], UNCLEAR: []}
        for way, row in table.items():
            if way != "по очереди":
                alone = cores == 1 or (workers == 1 and way in ("процессы", "интерпретаторы"))
                word = verdict(kind, way, row[kind], gil, alone)
                verdicts[word].append(f"{way} × {row[kind].speedup:.1f}")
        seen = "; ".join(f"{word} {', '.join(ways)}" for word, ways in verdicts.items() if ways)
        yield f"{kind}: {seen}{'; ядро одно' if cores == 1 else ''}."
    threads, tasks = (table[way]["ожидание"].cpu for way in ("потоки", "корутины"))
    if threads and tasks:  # часы Windows считают процессорное время по 16 мс и могут показать 0
        yield f"ожидание берёт у процессора {threads:.2f} мс в потоке, {tasks:.2f} в корутине."


def verdict(kind: str, way: str, cell: Cell, gil: bool, alone: bool) -> str:
    """Что говорит клетка; если свидетели расходятся или ядер не досталось — «неясно»."""
    faster, parallel = cell.speedup > 1.25, cell.busy > 1.1
    if kind == "ожидание" or way == "кластер":
        return "ускоряют" if faster else "не ускоряют"
    in_turn = alone or way == "корутины" or (way == "потоки" and kind != "счёт в C" and gil)
    if faster and parallel:
        return "ускоряют"
    return UNCLEAR if faster or parallel or not in_turn else "не ускоряют"


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
