"""Чем ускорить работу: потоками, корутинами, процессами? Смотря какая работа.

Смотрите: во сколько раз быстрее, чем одно за другим, и сколько ядер занято.
Попробуйте: --work 4, заданий вчетверо больше. Чьё ускорение вырастет?
"""

import asyncio
import hashlib
import os
import platform
import signal
import socket
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections import namedtuple
from concurrent import futures
from functools import partial
from math import isqrt
from multiprocessing import Pipe, Process, get_start_method, parent_process
from textwrap import fill
from threading import Thread, get_native_id
from time import perf_counter, process_time, thread_time

JOBS = 16  # заданий каждого вида (--work умножит); потоков в пуле — не больше
DELAY = 0.005  # через сколько секунд отвечает сервер
ROUNDS = 8  # способы чередуются, чтобы помехи достались всем поровну; сравниваем лучшие прогоны


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    return number > 1 and all(number % divisor != 0 for divisor in range(2, isqrt(number) + 1))


def python_code(_) -> str:
    """Счёт на Python: сколько простых чисел меньше 3000. Адрес сервера ни к чему."""
    return str(sum([is_prime(number) for number in range(3_000)]))


def c_code(_) -> str:
    """Счёт в C: контрольная сумма MD5 миллиона букв «a»; hashlib на это время отпускает GIL."""
    return hashlib.md5(b"a" * 1_000_000, usedforsecurity=False).hexdigest()


def waiting(address: tuple) -> str:
    """Ожидание: подключиться к серверу и прочитать ответ, который придёт не сразу."""
    with socket.create_connection(address, timeout=10) as conn, conn.makefile() as file:
        return file.read()  # до конца: пока сервер не закроет соединение


async def waiting_async(address: tuple) -> str:
    """То же в корутине (async def): пока await ждёт ответа, поток она отдаёт другим."""
    reader, writer = await asyncio.open_connection(*address)
    answer = await reader.read()
    writer.close()
    return answer.decode()


KINDS = {  # вид работы: функция и ответ, известный заранее
    "счёт на Python": (python_code, "430"),
    "счёт в C": (c_code, "7707d6ae4e027c70eea2a935c2296f21"),
    "ожидание": (waiting, "OK"),
}


def work(job, address: tuple) -> tuple:
    """Сделать задание (вызвать job): ответ, чей он (процесс и поток), секунды на ядре."""
    begin = thread_time()
    answer = job(address)
    return answer, os.getpid(), get_native_id(), thread_time() - begin


def one_after_another(job, address: tuple, count: int) -> list[tuple]:
    """Сделать задание, потом следующее, в этом же потоке."""
    return [work(job, address) for _ in range(count)]


def in_pool(pool: futures.Executor, job, address: tuple, count: int) -> list[tuple]:
    """Раздать задания пулу и собрать ответы; пул — потоков, процессов, с 3.14 интерпретаторов."""
    tasks = [pool.submit(work, job, address) for _ in range(count)]  # взять обещания и не ждать…
    return [task.result(timeout=25) for task in tasks]  # …а теперь дождаться каждого ответа


async def work_async(job, address: tuple) -> tuple:
    """Сделать задание в корутине. Счёту ждать нечего, и поток он никому не отдаст."""
    answer = await waiting_async(address) if job is waiting else job(address)
    return answer, os.getpid(), get_native_id(), 0  # поток один на всех: время сочтёт measure()


async def in_coroutines(job, address: tuple, count: int) -> list[tuple]:
    """Запустить по корутине на задание и дождаться всех; эту корутину запускает asyncio.run()."""
    return await asyncio.gather(*[work_async(job, address) for _ in range(count)])


# --- Измерения и вывод -----------------------------------------------------------------

Run = namedtuple("Run", "seconds busy threads")


def measure(way, job, right: str, address: tuple, count: int) -> Run:
    """Прогон одним способом: секунды, занято ядер, сколько потоков делали задания."""
    begin, cpu = perf_counter(), process_time()
    answers, pids, threads, spent = zip(*way(job, address, count))
    seconds, cpu = perf_counter() - begin, process_time() - cpu
    if set(answers) != {right}:
        raise RuntimeError(f"верный ответ {right}, а получены {set(answers)}")
    cpu += sum(own for pid, own in zip(pids, spent) if pid != os.getpid())
    return Run(seconds, cpu / seconds, len(set(zip(pids, threads))))


def serve(host: str, sender) -> None:
    """Ребёнок: сервер, который отвечает «OK» через DELAY секунд после подключения."""
    follow_parent()  # убьют родителя — кончиться и самому

    async def answer(_, writer) -> None:
        await asyncio.sleep(DELAY)
        writer.write(b"OK")
        writer.close()

    async def listen() -> None:
        server = await asyncio.start_server(answer, host, 0)  # 0 — любой свободный порт
        sender.send(server.sockets[0].getsockname())
        await server.serve_forever()

    asyncio.run(listen())


def conclusion(kind: str, runs: dict[str, list[Run]]) -> str:
    """Чем эту работу стоит ускорять; runs — {способ: прогоны}, первый — одно за другим."""
    alone, *others = runs.values()
    counting = min(alone).busy > 0.2  # это счёт: работа занимает ядро, а не ждёт
    free = CORES == 1 or max(min(tries).busy for tries in others) > 1.3  # были ли ядра свободны
    words: dict = {"ускоряют": [], "не ускоряют": [], "судить нельзя, повторите:": []}
    for way, tries in zip(list(runs)[1:], others):
        speedup, busy = min(alone).seconds / min(tries).seconds, min(tries).busy
        shares = [run.busy for run in alone + tries]
        if speedup > 1.1 and (busy > 1.3 or not counting):  # счёт ускоряют только лишние ядра
            words["ускоряют"].append(f"{way} в {speedup:.1f} раза")
        elif counting and not (free and 0.8 < min(shares) <= max(shares) < 1.1):
            words["судить нельзя, повторите:"].append(way)
        else:
            words["не ускоряют"].append(way)
    return f"{kind} " + "; ".join(f"{w} {', '.join(ways)}" for w, ways in words.items() if ways)


def print_row(title: str, cells: list) -> None:
    print(f"{title:16}" + "".join(f"{cell:>16}" for cell in cells))


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, choices=(2, 4, 8, 16), help="сколько процессов")
    parser.add_argument("--work", type=int, default=1, choices=(1, 2, 4), help="больше заданий")
    parser.add_argument("--cluster", metavar="АДРЕС:ПОРТ", help="планировщик dask.distributed")
    options = parser.parse_args()
    workers, count, host = options.workers or min(CORES, 8), JOBS * options.work, "127.0.0.1"
    if options.cluster is not None:
        try:
            host, port = options.cluster.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=3) as conn:
                host = conn.getsockname()[0]  # под этим адресом нас видит кластер
        except (OSError, ValueError, OverflowError) as error:
            parser.exit(2, f"По адресу «{options.cluster}» нет планировщика: {error}\n")
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}", end=", ")
    print(f"ядер: {CORES}, способ запуска: {get_start_method()}")
    receiver, sender = Pipe(duplex=False)
    Process(target=serve, args=(host, sender), daemon=True).start()
    sender.close()
    address = receiver.recv()
    processes = futures.ProcessPoolExecutor(workers, initializer=follow_parent)
    in_pool(processes, python_code, address, workers)  # процессы — раньше, чем появятся потоки
    ways = {
        "одно за другим": one_after_another,
        "потоки": partial(in_pool, futures.ThreadPoolExecutor(JOBS)),
        "корутины": lambda *task: asyncio.run(in_coroutines(*task)),
        "процессы": partial(in_pool, processes),
    }
    if options.cluster:
        from distributed import Client

        client = Client(options.cluster, timeout=5)
        ways["кластер"] = partial(in_pool, client.get_executor(pure=False))
    elif sys.version_info >= (3, 14):
        ways["интерпретаторы"] = partial(in_pool, futures.InterpreterPoolExecutor(workers))
        ways["интерпретаторы"](python_code, address, workers)  # запустить заранее
    print(f"\nзаданий каждого вида {count}, потоков {JOBS}, процессов {workers}; точка — круг")
    print_row("", list(ways)[1:])
    texts = []
    for kind, task in KINDS.items():
        runs: dict[str, list[Run]] = {way: [] for way in ways}
        print(kind, end=" ")
        for _ in range(ROUNDS):
            print(end=".", flush=True)  # начат ещё один круг: видно, что программа не стоит
            for way, perform in ways.items():
                runs[way].append(measure(perform, *task, address, count))
        alone, *others = runs.values()
        seconds, best = min(alone).seconds, [min(tries) for tries in others]
        print(f" одно за другим {1000 * seconds:.0f} мс, занято ядер {min(alone).busy:.2f}")
        print_row("  ускорение", [f"{seconds / run.seconds:.2f}" for run in best])
        spreads = [[a.seconds / b.seconds for a, b in zip(alone, tries)] for tries in others]
        print_row("  по кругам", [f"{min(many):.2f}–{max(many):.2f}" for many in spreads])
        print_row("  занято ядер", [f"{run.busy:.2f}" for run in best])
        texts.append(conclusion(kind, runs))
    processes.shutdown()
    pool, loop = (min(runs[way]).threads for way in ("потоки", "корутины"))
    texts.append(f"чтобы ждать, пулу понадобилось потоков {pool}, а корутинам {loop}")
    print()
    for text in texts:
        print(fill(f"Вывод: {text.replace('.', ',')}.", 80, subsequent_indent="  "))


def follow_parent() -> None:
    """Ребёнок: если родителя убьют, кончиться вслед за ним."""
    Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


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
