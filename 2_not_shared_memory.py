"""Память процессов не общая: что изменил ребёнок, родитель не увидит.

Смотрите: что стало у ребёнка и что у родителя; как всё-таки передать изменение.
Попробуйте: MEGABYTES = 8 вместо 32. Что станет быстрее вчетверо?
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import (
    Pipe,
    Process,
    Queue,
    Value,
    get_all_start_methods,
    get_context,
    get_start_method,
    parent_process,
)
from multiprocessing.shared_memory import SharedMemory
from statistics import median
from textwrap import fill
from threading import Thread
from time import perf_counter, sleep
from typing import NamedTuple

MEGABYTES = 32  # сколько данных передать очередью и через общую память

numbers = [1, 2]  # всё это ребёнок изменит
letters = {"x": 1}
counter = 7


def memory() -> str:
    """Что сейчас лежит в переменных этого процесса."""
    return f"{numbers} {letters} {counter}"


# Память у каждого процесса своя.


def change(sender) -> None:
    """Ребёнок: изменить всё и рассказать, что было и что стало."""
    global counter
    before = memory()
    numbers.append(3)
    letters["y"] = 2
    counter += 1
    sender.send((os.getpid(), before, memory()))


def ask_child(method: str) -> tuple:
    """Запустить процесс этим способом и узнать, что он изменил у себя."""
    context = get_context(method)  # multiprocessing с этим способом запуска
    receiver, sender = context.Pipe(duplex=False)  # канал: sender → receiver
    process = context.Process(target=change, args=(sender,), daemon=True)
    process.start()  # daemon: завершаясь сами, мы завершим и его
    sender.close()  # пишет теперь только ребёнок: умрёт — recv() не зависнет
    answer = receiver.recv()
    finish(process)
    return answer


def finish(process) -> None:
    """Дождаться ребёнка; если код возврата не 0, это ошибка."""
    process.join()
    if process.exitcode != 0:
        raise ChildProcessError(f"код возврата ребёнка {process.exitcode}")


# Queue — очередь: писать и читать могут многие процессы.


def put_numbers(queue) -> None:
    """Ребёнок: изменить список и положить его в очередь."""
    numbers.append(3)
    queue.put(numbers)  # уйдёт копия, упакованная pickle


def through_queue() -> list:
    """Что родитель получит из очереди."""
    queue = Queue()
    process = Process(target=put_numbers, args=(queue,), daemon=True)
    process.start()
    answer = queue.get(timeout=10)  # сначала забрать: положивший много…
    finish(process)  # …не завершится, пока его данные не прочтут
    return answer


# Pipe — канал: у этого в один конец пишут, из другого читают.


def send_letters(sender) -> None:
    """Ребёнок: изменить словарь и отправить его в канал."""
    letters["y"] = 2
    sender.send(letters)  # тоже копия


def through_pipe() -> dict:
    """Что родитель получит из канала."""
    receiver, sender = Pipe(duplex=False)
    process = Process(target=send_letters, args=(sender,), daemon=True)
    process.start()
    sender.close()
    answer = receiver.recv()
    finish(process)
    return answer


# Value — число в общей памяти и замок к нему.


def increase(value) -> None:
    """Ребёнок: увеличить общее число."""
    with value.get_lock():  # += — чтение и запись: никто не вклинится
        value.value += 1


def through_value() -> int:
    """Что родитель прочтёт в Value после ребёнка."""
    value = Value("i", counter)  # "i" — целое число
    process = Process(target=increase, args=(value,), daemon=True)
    process.start()
    finish(process)
    return value.value


# shared_memory — блок байтов, который виден всякому, кто знает его имя.


def increase_byte(name: str) -> None:
    """Ребёнок: найти блок по имени и увеличить первый байт."""
    block = SharedMemory(name)
    block.buf[0] += 1  # здесь меняет он один; замка у блока нет
    block.close()


def through_shared_memory() -> int:
    """Что родитель прочтёт в блоке после ребёнка."""
    block = SharedMemory(create=True, size=1)  # один байт, от 0 до 255
    try:
        block.buf[0] = counter
        process = Process(target=increase_byte, args=(block.name,), daemon=True)
        process.start()
        finish(process)
        return block.buf[0]
    finally:  # и после ошибки тоже
        block.close()  # больше не нужен нам…
        block.unlink()  # …и никому: убрать имя


# --- Измерения и вывод ------------------------------------------------------

ROUNDS = 8  # в каждом круге данные идут и очередью, и через общую память
LONGER = 1.1  # круг говорит «дольше», если дольше хотя бы во столько раз
MESSAGES = 10  # сколько сообщений по мегабайту хочет отправить тот, кого убьют
KILLED_AFTER = 3  # сколько из них получить, прежде чем его убить


class Memory(NamedTuple):
    """Что было в памяти процесса и что в ней стало."""

    name: str
    pid: int
    before: str
    after: str


class Exchange(NamedTuple):
    """Что у родителя в переменной и что он получил от ребёнка."""

    name: str
    own: str
    received: str


class Broken(NamedTuple):
    """Сколько сообщений дошло целыми и из скольких, какая ошибка потом."""

    whole: int
    of: int
    error: str


class Delivery(NamedTuple):
    """За сколько мс дошли данные и верен ли их последний байт."""

    ms: float
    right: bool


Round = dict[str, Delivery]  # способ: как дошли данные


class Facts(NamedTuple):
    """Всё, что узнали: память детей и родителя, обмен, убитый, круги."""

    children: list[Memory]
    parent: Memory
    exchanges: list[Exchange]
    broken: Broken
    megabytes: int
    rounds: list[Round]


def ask_children() -> tuple[list[Memory], Memory]:
    """Что изменил у себя ребёнок каждого способа и что стало у родителя."""
    before = memory()
    children = []
    for method in sorted(get_all_start_methods()):
        children.append(Memory(method, *ask_child(method)))
    return children, Memory("родитель", os.getpid(), before, memory())


def exchange() -> list[Exchange]:
    """То же изменение, сделанное видимым каждым из механизмов."""
    return [
        Exchange("Queue", str(numbers), str(through_queue())),
        Exchange("Pipe", str(letters), str(through_pipe())),
        Exchange("Value", str(counter), str(through_value())),
        Exchange("shared_memory", str(counter), str(through_shared_memory())),
    ]


def send_messages(sender) -> None:
    """Ребёнок, которого убьют: отправлять сообщения по мегабайту."""
    follow_parent()
    for _ in range(MESSAGES):
        sender.send_bytes(bytes(1_000_000))


def receive_from_killed() -> Broken:
    """Получить несколько сообщений, убить отправителя, прочесть остальное."""
    receiver, sender = Pipe(duplex=False)
    process = Process(target=send_messages, args=(sender,), daemon=True)
    process.start()
    sender.close()
    for _ in range(KILLED_AFTER):
        receiver.recv_bytes()
    receiver.poll(10)  # дождаться начала следующего…
    sleep(0.1)  # …пусть заполнит канал: целиком оно не поместится
    process.kill()
    process.join()  # kill() не ждёт его смерти, а читать надо после неё
    whole = KILLED_AFTER
    while True:
        try:
            receiver.recv_bytes()
        except (EOFError, OSError) as error:  # данных нет или они оборваны
            return Broken(whole, MESSAGES, type(error).__name__)
        whole += 1


def take(queue, name: str, size: int, sender) -> None:
    """Ребёнок: получать данные и отвечать их последним байтом.

    block.buf бывает длиннее, чем просили (целые страницы памяти), поэтому
    сколько в блоке данных, ребёнку говорят отдельно: size.
    """
    follow_parent()
    block = SharedMemory(name)
    for _ in range(2 * (1 + ROUNDS)):
        data = queue.get()
        if data is None:  # знак, что данные в блоке
            data = block.buf[:size]
        sender.send(data[-1])
        del data  # пока на блок смотрят, его не закрыть
    block.close()


def by_queue(data: bytes, queue, block: SharedMemory) -> None:
    """Очередью: упаковать (pickle), пропустить через канал, распаковать."""
    queue.put(data)


def by_block(data: bytes, queue, block: SharedMemory) -> None:
    """Через общую память: записать в блок, который виден обоим."""
    block.buf[: len(data)] = data
    queue.put(None)


def deliver(way: Callable, data: bytes, queue, block, receiver) -> Delivery:
    """Передать данные и дождаться от ребёнка их последнего байта."""
    begin = perf_counter()
    way(data, queue, block)
    last = receiver.recv()
    ms = 1000 * (perf_counter() - begin)
    return Delivery(ms, last == data[-1])


def experiment(size: int) -> Iterator[Round]:
    """Передать столько байтов в каждом круге обоими способами."""
    block = SharedMemory(create=True, size=size)
    try:
        yield from deliver_in_turn(block, size)
    finally:
        block.close()
        block.unlink()


def deliver_in_turn(block: SharedMemory, size: int) -> Iterator[Round]:
    """Круг за кругом: оба способа по разу, через круг в обратном порядке.

    Нулевой круг не в счёт: ребёнок ещё запускается, а память под блок система
    выделяет при первой записи.
    """
    queue = Queue()
    queue.cancel_join_thread()  # умрёт ребёнок — не ждать, что он всё прочтёт
    receiver, sender = Pipe(duplex=False)
    arguments = (queue, block.name, size, sender)
    process = Process(target=take, args=arguments, daemon=True)
    process.start()
    sender.close()
    ways = {"очередь": by_queue, "общая память": by_block}
    for number in range(1 + ROUNDS):
        data = bytes([number]) * size  # в каждом круге другие
        order = list(ways) if number % 2 == 0 else list(ways)[::-1]
        deliveries = {}
        for way in order:
            deliveries[way] = deliver(ways[way], data, queue, block, receiver)
        if number > 0:
            yield deliveries
    finish(process)


def comma(value: float, digits: int = 1) -> str:
    """Число с запятой: 11,1."""
    return f"{value:.{digits}f}".replace(".", ",")


def spread(values: list[float], digits: int) -> str:
    """Медиана и края: 11,1 (9,2–12,5)."""
    least = comma(min(values), digits)
    most = comma(max(values), digits)
    return f"{comma(median(values), digits)} ({least}–{most})"


def ratios(rounds: list[Round]) -> list[float]:
    """Во сколько раз очередь дольше общей памяти, по кругам."""
    return [one["очередь"].ms / one["общая память"].ms for one in rounds]


def memories(children: list[Memory], parent: Memory) -> list[str]:
    """Строка на процесс: что было в его памяти и что стало."""
    rows = [f"{'процесс':19}{'pid':>9}   {'было':18} стало"]
    for one in [*children, parent]:
        name = one.name if one is parent else f"ребёнок, {one.name}"
        rows.append(f"{name:19}{one.pid:9}   {one.before:18} {one.after}")
    return rows


def received(exchanges: list[Exchange]) -> list[str]:
    """Строка на механизм: что у родителя и что он получил."""
    rows = [f"{'механизм':16}{'у родителя':15}получил от ребёнка"]
    for one in exchanges:
        rows.append(f"{one.name:16}{one.own:15}{one.received}")
    return rows


def deliveries(rounds: list[Round]) -> list[str]:
    """Строка на способ: мс, во сколько раз дольше, верен ли последний байт."""
    rows = []
    for way in ("очередь", "общая память"):
        times = spread([one[way].ms for one in rounds], 0)
        longer = ""
        if way == "очередь":
            longer = f", дольше в {spread(ratios(rounds), 1)} раза"
        right = sum(one[way].right for one in rounds)
        answers = f"верно {right} из {len(rounds)}"
        rows.append(f"{way:14}{times} мс{longer}, {answers}")
    return rows


def private(children: list[Memory], parent: Memory) -> str:
    """Что стало с памятью родителя, когда дети изменили свою."""
    changed = sum(child.after != child.before for child in children)
    kept = "прежнее" if parent.after == parent.before else "другое"
    count = len(children)
    own = f"детей {count}, свою память изменили {changed}"
    return f"{own}, у родителя всё {kept}"


def dearer(megabytes: int, rounds: list[Round]) -> str:
    """Во сколько раз дольше данные идут очередью."""
    found = ratios(rounds)
    held = sum(ratio > LONGER for ratio in found)
    if held < 0.75 * len(found):
        return "о цене очереди судить нельзя: закройте лишнее и повторите"
    return (
        f"через очередь {megabytes} МБ идут в {comma(median(found))} раза "
        f"дольше, чем через общую память: так в {held} кругах из {len(found)}"
    )


def report(facts: Facts) -> list[str]:
    """Передача данных и выводы — только по тому, что узнали."""
    exchanges = facts.exchanges
    arrived = [one.name for one in exchanges if one.own != one.received]
    broken = facts.broken
    ending = f"дошло {broken.whole}, потом ошибка {broken.error}"
    texts = [
        private(facts.children, facts.parent),
        f"изменения доходят через {', '.join(arrived) or 'ничто'}",
        f"из {broken.of} сообщений убитого {ending}",
        dearer(facts.megabytes, facts.rounds),
    ]
    lines = deliveries(facts.rounds)
    for text in texts:
        lines.append(fill(f"Вывод: {text}.", 80, subsequent_indent="  "))
    return lines


def main() -> None:
    print(f"{INTERPRETER}, способ запуска: {get_start_method()}\n")
    children, parent = ask_children()
    print(*memories(children, parent), "", sep="\n")
    exchanges = exchange()
    print(*received(exchanges), "", sep="\n")
    broken = receive_from_killed()

    print(f"{MEGABYTES} МБ, медиана (по кругам); точка — круг: ", end="")
    rounds = []
    for one in experiment(MEGABYTES * 1_000_000):
        rounds.append(one)
        print(".", end="", flush=True)
    print()
    facts = Facts(children, parent, exchanges, broken, MEGABYTES, rounds)
    print(*report(facts), sep="\n")


def follow_parent() -> None:
    """Ребёнок: если родителя убьют, завершиться вслед за ним."""

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
