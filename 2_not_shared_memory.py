"""Память процессов не общая: что изменил ребёнок, родитель не увидит.

Смотрите: что стало у ребёнка и что у родителя; как всё-таки передать изменение.
Попробуйте: MEGABYTES = 8 вместо 32. Что подешевеет вчетверо?
"""

import os
import platform
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from multiprocessing import Queue, Value, get_all_start_methods, get_context, parent_process
from multiprocessing.shared_memory import SharedMemory
from threading import Thread
from time import perf_counter, sleep

MEGABYTES = 32  # сколько данных передать очередью и через общую память
ROUNDS = 3  # два способа передачи чередуются; сравниваем лучшие круги

numbers, letters, counter = [1, 2], {"x": 1}, 7  # это ребёнок и изменит


def memory() -> str:
    """Что сейчас лежит в переменных этого процесса."""
    return f"{numbers} {letters} {counter}"


def start(target, *args, method: str | None = None) -> tuple:
    """Породить ребёнка, которому есть куда отвечать; вернуть процесс и канал, откуда читать."""
    context = get_context(method)  # всё, что есть в multiprocessing, но с этим способом запуска
    receiver, sender = context.Pipe(duplex=False)  # канал: пишут в sender, читают из receiver
    process = context.Process(target=target, args=(*args, sender))
    process.start()
    sender.close()  # пишет теперь один ребёнок: умрёт — recv() не станет ждать, а даст ошибку
    return process, receiver


def change(sender) -> None:
    """Ребёнок: изменить всё и рассказать, что было и что стало."""
    global counter
    before = memory()
    numbers.append(3)
    letters["y"] = 2
    counter += 1
    sender.send((os.getpid(), before, memory()))


def change_and_share(value, name: str, queue, sender) -> None:
    """Ребёнок: показать родителю новые значения, каждое своим путём."""
    value.value = counter + 1
    block = SharedMemory(name)  # тот же блок: ребёнок нашёл его по имени
    block.buf[0] = counter + 1
    queue.put([*numbers, 3])
    sender.send({**letters, "y": 2})


def exchange() -> dict[str, tuple]:
    """Четыре механизма обмена: что было у родителя и что он увидел после ребёнка."""
    value = Value("i", counter)  # "i" — целое число; лежит в общей памяти
    block = SharedMemory(create=True, size=1)  # один байт; блок виден тому, кто знает имя
    block.buf[0] = counter
    queue = Queue()  # очередь: писать и читать могут многие, а в канале — по одному
    process, receiver = start(change_and_share, value, block.name, queue)
    seen = {"Pipe": (letters, receiver.recv()), "Queue": (numbers, queue.get(timeout=10))}
    process.join()
    seen.update(Value=(counter, value.value), shared_memory=(counter, block.buf[0]))
    block.close()
    block.unlink()  # убрать имя; память вернётся системе, когда блок закроют все
    return seen


def send_messages(sender) -> None:
    """Ребёнок, которого убьют: без конца отправлять сообщения по мегабайту."""
    follow_parent()  # убьют родителя — кончиться и самому
    while True:
        sender.send_bytes(bytes(1_000_000))


def receive_from_killed() -> tuple[int, str]:
    """Сколько сообщений убитого дошло целыми и какую ошибку получил читатель."""
    process, receiver = start(send_messages)
    received = 0
    try:
        while receiver.recv_bytes():  # выйдем отсюда по ошибке: писать станет некому
            received += 1
            if received == 3:
                sleep(0.1)  # четвёртое начато, но целиком в канал не помещается
                process.kill()
    except (EOFError, OSError) as error:
        return received, type(error).__name__


def take(name: str, queue, sender) -> None:
    """Ребёнок: получать данные то очередью, то через общий блок; отвечать последним байтом."""
    follow_parent()  # убьют родителя — кончиться и самому
    block = SharedMemory(name)
    for _ in range(ROUNDS):
        sender.send(queue.get()[-1])
        queue.get()  # знак, что данные уже в блоке
        sender.send(block.buf[-1])


def deliver(megabytes: int) -> list[tuple[float, float]]:
    """За сколько мс данные доходят до ребёнка очередью и через общий блок, по кругам."""
    block, queue, times = SharedMemory(create=True, size=megabytes * 1_000_000), Queue(), []
    process, receiver = start(take, block.name, queue)
    for number in range(1, ROUNDS + 1):
        data = bytes([number]) * block.size  # все байты равны номеру круга
        begin = perf_counter()
        queue.put(data)  # упаковать (pickle), пропустить через канал, распаковать
        by_queue = receiver.recv()
        middle = perf_counter()
        block.buf[:] = data  # записать в сам блок: он виден обоим
        queue.put("лежит в блоке")
        by_block = receiver.recv()
        times.append((1000 * (middle - begin), 1000 * (perf_counter() - middle)))
        if not by_queue == by_block == number:
            raise RuntimeError("дошли не те данные")
    process.join()
    block.unlink()
    return times


# --- Измерения и вывод -----------------------------------------------------------------


def main() -> None:
    ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter).parse_args()
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}", end=", ")
    print(f"ядер: {CORES}, способ запуска: {get_context().get_start_method()}")
    print(f"\n{'процесс':22}{'pid':8}{'было':19}стало")
    original = memory()
    for method in sorted(get_all_start_methods()):
        process, receiver = start(change, method=method)
        pid, before, after = receiver.recv()
        process.join()
        print(f"{f'ребёнок, {method}':20}{pid:7}   {before:19}{after}")
    print(f"{'родитель':20}{os.getpid():7}   {original:19}{memory()}")
    print(f"\n{'механизм':17}{'было':15}родитель увидел")
    seen = exchange()
    for name, (old, new) in seen.items():
        print(f"{name:17}{old!s:15}{new}")
    arrived = [name for name, (old, new) in seen.items() if old != new]
    received, error = receive_from_killed()
    by_queue, by_block = zip(*deliver(MEGABYTES))
    print(f"\n{MEGABYTES} МБ через очередь, мс: {', '.join(f'{ms:.0f}' for ms in by_queue)}")
    print(f"{MEGABYTES} МБ через общую память, мс: {', '.join(f'{ms:.0f}' for ms in by_block)}")
    kept = "прежнее" if memory() == original else "новое"
    print(f"\nВывод: после всех детей у родителя всё {kept}.")
    print(f"Вывод: изменения доходят через {', '.join(arrived) or 'ничто'}.")
    print(f"Вывод: от убитого целых сообщений {received}, потом ошибка {error}.")
    ratio = f"{min(by_queue) / min(by_block):.1f}".replace(".", ",")
    print(f"Вывод: данные через очередь идут в {ratio} раза дольше, чем через общую память.")


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
