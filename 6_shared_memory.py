"""Память у потоков общая: удобно, пока двое не меняют одно и то же.

Смотрите: какая доля обновлений пропала без замка и сколько стоит замок; очередь
ничего не теряет и не выдаёт дважды; в общем списке записи всех потребителей.
Попробуйте: --workers 2, потом 8. Какая доля теряется?
"""

import os
import platform
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections import Counter
from math import isqrt
from queue import Queue
from threading import Barrier, Lock, Thread
from time import perf_counter

LIMIT = 17_000  # каждый поток ищет простые числа меньше LIMIT…
PRIMES = 1_960  # …их столько (OEIS A000720); столько раз он и увеличит счётчик
ADDITIONS = 200_000  # сколько раз поток прибавит единицу, не проверяя чисел
ITEMS = 10_000  # сколько чисел пройдёт через очередь
ROUNDS = 3  # способы чередуются; время сравниваем лучшее

counter = 0  # общий счётчик: его видят и меняют все потоки
lock = Lock()  # замок: держать его может только один поток


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    return number > 1 and all(number % divisor != 0 for divisor in range(2, isqrt(number) + 1))


def without_lock() -> None:
    """Поток: сосчитать простые числа. Пока он проверяет число, счётчик меняют и другие."""
    global counter
    for number in range(LIMIT):
        before = counter
        found = is_prime(number)  # True — это 1, False — 0
        counter = before + found  # пишем и тогда, когда прибавили 0: и это затрёт чужое


def with_lock() -> None:
    """То же самое, и даже проверка, под замком: пока он у одного потока, остальные ждут."""
    global counter
    for number in range(LIMIT):
        with lock:
            before = counter
            found = is_prime(number)
            counter = before + found


def plus_one() -> None:
    """Между чтением и записью GIL не отберут: нет вызова функции. Но язык этого не обещает."""
    global counter
    for _ in range(ADDITIONS):
        counter += 1


def count_together(way, workers: int) -> tuple[int, float]:
    """Считать функцией way в нескольких потоках: до скольких досчитали и за сколько секунд."""
    global counter
    counter, gate, begin = 0, Barrier(workers), perf_counter()  # счёт — снова с нуля

    def start_together() -> None:
        gate.wait()  # ворота: откроются, когда подойдут все
        way()

    threads = [Thread(target=start_together) for _ in range(workers)]
    for thread in threads:  # сначала запустить всех…
        thread.start()
    for thread in threads:  # …и только потом ждать
        thread.join()
    return counter, perf_counter() - begin


def produce(queue: Queue, numbers: range) -> None:
    """Производитель: положить числа в очередь."""
    for number in numbers:
        queue.put(number)


def consume(queue: Queue, consumer: int, taken: list) -> None:
    """Потребитель: забирать числа и записывать в общий список, пока не попадётся None."""
    while True:
        number = queue.get()  # если очередь пуста, get() подождёт
        if number is None:
            break
        taken.append((consumer, number))  # append() неделим, замок ему не нужен


def pass_through_queue(producers: int, consumers: int) -> list[tuple[int, int]]:
    """Провести через очередь ITEMS чисел; вернуть список: кто из потребителей какое взял."""
    queue: Queue = Queue(maxsize=100)  # если в очереди уже сто чисел, put() подождёт
    taken: list[tuple[int, int]] = []  # один на всех потребителей
    readers = [Thread(target=consume, args=(queue, n, taken)) for n in range(consumers)]
    parts = [range(n, ITEMS, producers) for n in range(producers)]  # 0, 2, 4… и 1, 3, 5…
    writers = [Thread(target=produce, args=(queue, part)) for part in parts]
    for thread in readers + writers:
        thread.start()
    for writer in writers:
        writer.join()
    for _ in readers:
        queue.put(None)  # «больше не будет», по одному на каждого; с 3.13 есть queue.shutdown()
    for reader in readers:
        reader.join()
    return taken


# --- Измерения и вывод -----------------------------------------------------------------


def print_row(title: str, cells: list) -> None:
    print(f"{title:18}" + "".join(f"{cell:>16}" for cell in cells))


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=4, choices=(2, 4, 8), help="сколько потоков")
    workers = parser.parse_args().workers
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}, ядер: {CORES}")

    print(f"\nпотоков {workers}, счётчик один на всех; сколько обновлений потеряно")
    print_row("", ["без замка", "с замком", "counter += 1"])
    totals = {without_lock: workers * PRIMES, with_lock: workers * PRIMES}
    totals[plus_one] = workers * ADDITIONS
    lost: dict = {way: [] for way in totals}
    times: dict = {way: [] for way in totals}
    for number in range(1, ROUNDS + 1):
        for way, total in totals.items():
            counted, seconds = count_together(way, workers)
            lost[way].append(total - counted)
            times[way].append(seconds)
        print_row(f"круг {number}", [tries[-1] for tries in lost.values()])
    print_row("всего обновлений", list(totals.values()))
    print_row("лучшее время, с", [f"{min(tries):.2f}" for tries in times.values()])

    taken = pass_through_queue(producers=2, consumers=workers)
    own, once = Counter(who for who, _ in taken), len({number for _, number in taken})
    print(f"\nв общем списке записей {len(taken)}, от каждого потока: {[*own.values()]}\n")
    shares = [100 * count / totals[without_lock] for count in lost[without_lock]]
    ratio = min(times[with_lock]) / min(times[without_lock])
    price = f"в {ratio:.1f} раза больше".replace(".", ",") if ratio > 1.05 else "не больше"
    print(f"Вывод: без замка потеряно {sum(shares) / ROUNDS:.0f} % обновлений", end="; ")
    print(f"по кругам от {min(shares):.0f} до {max(shares):.0f} %.")
    print(f"Вывод: с замком потеряно {sum(lost[with_lock])}, а времени ушло {price}.")
    print(f"Вывод: counter += 1 потерял {sum(lost[plus_one])} из {ROUNDS * totals[plus_one]}.")
    print(f"Вывод: очередь потеряла чисел: {ITEMS - once}, выдала дважды: {len(taken) - once}.")


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
