"""Память у потоков общая: удобно, пока двое не меняют одно и то же.

Смотрите: без замка обновления пропадают, с замком нет, но за него платят
временем; очередь ничего не теряет и не выдаёт дважды.
Попробуйте: --step without_lock, и решайте сами, чей ход, первого потока или
второго (клавиши 1 и 2). Пропадёт ли обновление?
"""

import os
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, cycle, islice
from linecache import getline
from math import isqrt
from queue import Queue
from statistics import median
from textwrap import fill
from threading import Barrier, Lock, Semaphore, Thread, current_thread
from time import perf_counter, process_time
from types import FrameType
from typing import Any, NamedTuple

NUMBERS = range(100_000, 112_000)  # каждый поток найдёт среди них простые…
PRIMES = 1_028  # …их столько (OEIS A000720), столько раз он увеличит счётчик
ADDITIONS = range(200_000)  # столько раз поток прибавит единицу без проверок
ITEMS = 10_000  # сколько чисел пройдёт через очередь

# --step узнаёт строки по словам counter и with и показывает before.
counter = 0  # общий счётчик: его видят и меняют все потоки
lock = Lock()  # замок: держать его может только один поток


def start(work: Callable, arguments: list[tuple]) -> list[Thread]:
    """Запустить потоки: каждый выполнит work со своими аргументами."""
    threads = []
    for args in arguments:
        # daemon: если программа упадёт, поток её не удержит.
        thread = Thread(target=work, args=args, daemon=True)
        thread.start()
        threads.append(thread)
    return threads


def join(threads: list[Thread]) -> None:
    """Дождаться всех потоков."""
    for thread in threads:
        thread.join()


def sign_in(guests: list) -> None:
    """Поток: записать в общий список своё имя и id списка."""
    guests.append((current_thread().name, id(guests)))


def is_prime(number: int) -> bool:
    """Простое ли число: пробуем делители от 2 до корня из числа."""
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, isqrt(number) + 1))


def without_lock(numbers: range) -> None:
    """Поток: сосчитать простые. Пока он проверяет число, считают и другие."""
    global counter
    for number in numbers:
        before = counter
        found = is_prime(number)  # True — это 1, False — 0
        counter = before + found  # прибавив даже 0, можно затереть чужое


def with_lock(numbers: range) -> None:
    """То же под замком: пока он у одного потока, остальные ждут."""
    global counter
    for number in numbers:
        with lock:
            before = counter
            found = is_prime(number)
            counter = before + found


def plus_one(numbers: range) -> None:
    """Поток: прибавлять единицу без замка, зато и без долгих проверок.

    При GIL CPython (с 3.10) не сменит поток посреди counter += 1, и потерь не
    видно. Язык этого не обещает, а без GIL они есть.
    """
    global counter
    for _ in numbers:
        counter += 1


# Два замка: солонка и перечница, каждую держит кто-то один.
salt = Lock()
pepper = Lock()


def two_locks(first: Lock, second: Lock) -> None:
    """Поток: взять один замок и, не отдавая его, другой."""
    global counter
    with first:
        with second:
            counter += 1


# Обратный порядок: бывает, что один взял соль и ждёт перца, а другой взял перец
# и ждёт соли. Ждать они будут вечно, это взаимная блокировка (deadlock).
OPPOSITE = [(salt, pepper), (pepper, salt)]
# Один порядок для всех: кто взял соль, тот дождётся и перца.
SAME = [(salt, pepper), (salt, pepper)]


# Очередь: данные не делят, а передают, и замок у неё внутри.
def produce(queue: Queue, numbers: range) -> None:
    """Производитель: положить числа в очередь."""
    for number in numbers:
        queue.put(number)


def consume(queue: Queue, taken: list) -> None:
    """Потребитель: перекладывать числа из очереди в общий список."""
    while True:
        number = queue.get()  # если очередь пуста, get() подождёт
        if number is None:  # «больше не будет»
            break
        # append() в CPython не теряет и без замка; язык этого не обещает.
        taken.append(number)


def pass_through_queue(consumers: int) -> list[int]:
    """Провести числа через очередь; вернуть всё, что из неё взяли."""
    queue: Queue = Queue()
    taken: list[int] = []  # один список на всех потребителей
    even = range(0, ITEMS, 2)
    odd = range(1, ITEMS, 2)
    writers = start(produce, [(queue, even), (queue, odd)])
    readers = start(consume, [(queue, taken)] * consumers)
    join(writers)
    for _ in readers:  # по None на каждого; с 3.13 есть queue.shutdown()
        queue.put(None)
    join(readers)
    return taken


# --- Измерения и вывод ------------------------------------------------------

ROUNDS = 7  # в каждом круге все способы по разу
LEAST = 3  # столько кругов будет, сколько бы они ни длились
LONGEST = 5  # через столько секунд новый круг уже не начинают
FAIR = 0.95  # если счёту без замка досталось меньше ядра, круг не в счёт
WAYS = [without_lock, with_lock, plus_one]


class Run(NamedTuple):
    """Все потоки одним способом: сколько прибавляли, сколько стало, время."""

    total: int
    counted: int
    seconds: float
    cpu: float  # сколько секунд занимали ядра

    @property
    def lost(self) -> int:
        """Сколько обновлений потеряно."""
        return self.total - self.counted


class Round(NamedTuple):
    """Круг: по прогону каждым способом."""

    without_lock: Run
    with_lock: Run
    plus_one: Run

    @property
    def ratio(self) -> float:
        """Во сколько раз дольше с замком, чем без него."""
        return self.with_lock.seconds / self.without_lock.seconds


class Facts(NamedTuple):
    """Всё измеренное. tick — шаг часов процессорного времени, с."""

    workers: int
    guests: list[tuple[str, int]]  # кто записался и в какой список
    rounds: list[Round]
    taken: list[int]  # что взяли из очереди
    tick: float


def at_once(work: Callable, args: tuple, workers: int) -> None:
    """Выполнить work в нескольких потоках, пустив их одновременно."""
    gate = Barrier(workers, timeout=10)  # откроется, когда подойдут все
    errors = []

    def wait_and_work() -> None:
        try:
            gate.wait()
            work(*args)
        except Exception as error:
            errors.append(error)

    join(start(wait_and_work, [()] * workers))
    if errors:
        raise errors[0]


def gather(workers: int) -> list[tuple[str, int]]:
    """Пусть все потоки запишутся в общий список."""
    guests: list[tuple[str, int]] = []
    at_once(sign_in, (guests,), workers)
    return guests


def measure(way: Callable, workers: int) -> Run:
    """Считать одним из способов, начав с нуля."""
    global counter
    counter = 0
    numbers = ADDITIONS if way is plus_one else NUMBERS
    primes = len(ADDITIONS) if way is plus_one else PRIMES
    cpu = process_time()
    begin = perf_counter()
    at_once(way, (numbers,), workers)
    seconds = perf_counter() - begin
    return Run(workers * primes, counter, seconds, process_time() - cpu)


def experiment(workers: int) -> Iterator[Round]:
    """Круг за кругом: все способы по разу, через круг в обратном порядке.

    Если замок очень дорог или машина занята, кругов меньше.
    """
    begin = perf_counter()
    for number in range(ROUNDS):
        if number >= LEAST and perf_counter() - begin > LONGEST:
            break
        order = WAYS if number % 2 == 0 else WAYS[::-1]
        runs = {way.__name__: measure(way, workers) for way in order}
        yield Round(**runs)


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
    """Круги в счёт: те, в которых у счёта без замка не отнимали ядро.

    Если прогоны короче двадцати шагов часов, судим по всем вместе; а если и
    вместе они короче, часам не верим, и в счёт идут все круги.
    """
    runs = [one.without_lock for one in facts.rounds]
    seconds = sum(run.seconds for run in runs)
    if median(run.seconds for run in runs) < 20 * facts.tick:
        busy = sum(run.cpu for run in runs) / seconds
        enough = busy >= FAIR or seconds < 20 * facts.tick
        return facts.rounds if enough else []
    return [
        one
        for one, run in zip(facts.rounds, runs)
        if run.cpu / run.seconds >= FAIR
    ]


def comma(value: float, digits: int = 2) -> str:
    """Число с запятой: 1,88."""
    return f"{value:.{digits}f}".replace(".", ",")


def wrapped(text: str) -> str:
    """Вывод шириной не больше экрана."""
    return fill(f"Вывод: {text}.", 80, subsequent_indent="  ")


def row(title: str, cells: list) -> str:
    """Строка таблицы."""
    widths = [9, 10, 14, 14, 10, 12]
    places = [f"{cell:>{width}}" for cell, width in zip(cells, widths)]
    return f"{title:11}" + "".join(places)


def head() -> list[str]:
    """Заголовок таблицы."""
    names = ["без замка", "с замком", "counter += 1", "без замка", "с замком"]
    above = f"{'потеряно обновлений':>29}{'время, мс':>36}{'во сколько':>15}"
    return [above, row("", [*names, "раз дольше"])]


def round_row(title: str, rounds: list[Round]) -> str:
    """Строка таблицы: медианы кругов; одного круга — он сам."""
    runs = list(zip(*rounds))
    cells = [f"{median(run.lost for run in way):.0f}" for way in runs]
    for way in runs[:2]:
        cells.append(f"{1000 * median(run.seconds for run in way):.0f}")
    cells.append(comma(median(one.ratio for one in rounds)))
    return row(title, cells)


def shared(facts: Facts) -> str:
    """Все ли потоки записались и один ли у них список."""
    names = len({name for name, _ in facts.guests})
    lists = len({which for _, which in facts.guests})
    text = f"в общий список записалось потоков: {names} из {facts.workers}"
    return f"{text}, списков: {lists}"


def losses(rounds: list[Round]) -> str:
    """Какая доля обновлений потеряна без замка."""
    shares = [one.without_lock.lost / one.without_lock.total for one in rounds]
    mean = 100 * sum(shares) / len(shares)
    least = 100 * min(shares)
    most = 100 * max(shares)
    text = f"без замка потеряно {mean:.0f} % обновлений"
    return f"{text}, по кругам от {least:.0f} до {most:.0f} %"


def price(facts: Facts) -> str:
    """Сколько потеряно с замком и чего он стоил."""
    lost = sum(one.with_lock.lost for one in facts.rounds)
    text = f"с замком потеряно {lost}"
    rounds = fair(facts)
    if len(rounds) < len(facts.rounds) / 2:
        return f"{text}, о цене судить нельзя: закройте лишнее и повторите"
    dearer = sum(one.ratio > 1.1 for one in rounds)
    same = sum(one.ratio <= 1.2 for one in rounds)
    if 4 * dearer >= 3 * len(rounds):
        ratio = comma(median(one.ratio for one in rounds), 1)
        agree = f"так в {dearer} кругах из {len(rounds)}"
        return f"{text}, времени ушло в {ratio} раза больше: {agree}"
    if 4 * same >= 3 * len(rounds):
        agree = f"так в {same} кругах из {len(rounds)}"
        return f"{text}, времени ушло почти столько же: {agree}"
    ratios = [one.ratio for one in rounds]
    if median(ratios) > 1 and max(ratios) < 1.6:
        spread = f"по кругам в {comma(min(ratios))}–{comma(max(ratios))} раза"
        return f"{text}, времени ушло ненамного больше: {spread}"
    return f"{text}, о цене судить нельзя: круги расходятся, повторите"


def report(facts: Facts) -> list[str]:
    """Итог таблицы и выводы — только по измеренному."""
    rounds = facts.rounds
    counting = fair(facts)
    once = len(set(facts.taken))
    plain = sum(one.plus_one.lost for one in rounds)
    additions = sum(one.plus_one.total for one in rounds)
    texts = [
        shared(facts),
        losses(rounds),
        price(facts),
        f"counter += 1 без замка потерял за все круги {plain} из {additions}",
        f"очередь потеряла чисел: {ITEMS - once} из {ITEMS}, "
        f"выдала дважды: {len(facts.taken) - once}",
    ]
    shown = counting if 2 * len(counting) >= len(rounds) else rounds
    lines = [round_row("медиана", shown)]
    lines.append(row("всего было", [run.total for run in rounds[0]]))
    if len(counting) < len(rounds):
        spoiled = len(rounds) - len(counting)
        lines.append(f"о цене не в счёт кругов: {spoiled}, там отнимали ядро")
    return [*lines, "", *[wrapped(text) for text in texts]]


# --- По ходам: --step -------------------------------------------------------

SMALL = range(2, 3)  # числа каждого потока в игре: одно, простое
MOST = 99  # больше ходов в игре не бывает
GAMES: dict[str, tuple] = {  # что выполняют два потока и с чем
    "without_lock": (without_lock, [(SMALL,), (SMALL,)]),
    "with_lock": (with_lock, [(SMALL,), (SMALL,)]),
    "two_locks": (two_locks, OPPOSITE),
}
SEATS = ["у потока 1", "у потока 2"]
NAMES = {lock: "lock", salt: "salt", pepper: "pepper"}


class Player(Thread):
    """Поток, который ждёт хода перед каждой строкой со счётчиком или with."""

    def __init__(self, work: Callable, args: tuple) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.args = args
        self.go = Semaphore(0)  # ход разрешён
        self.stopped = Semaphore(0)  # ход сделан
        self.line = ""  # строка, перед которой стоит; пусто — дошёл до конца
        self.before: int | None = None  # его собственная переменная
        self.held: list[Any] = []  # замки, которые он держит
        self.wanted: Any = None  # замок, которого он ждёт
        self.error: Exception | None = None

    def run(self) -> None:
        sys.settrace(self.trace)
        try:
            self.work(*self.args)
        except Exception as error:
            self.error = error
        sys.settrace(None)
        self.line = ""
        self.stopped.release()

    def trace(self, frame: FrameType, event: str, arg: object) -> Any:
        """Python вызывает её в начале функций и перед каждой строкой."""
        if frame.f_code is not self.work.__code__:
            return None  # is_prime() идёт без остановок
        code = getline(frame.f_code.co_filename, frame.f_lineno)
        line = code.partition("#")[0].strip()
        if event == "line" and ("counter" in line or line.startswith("with ")):
            self.line = line
            self.before = frame.f_locals.get("before")
            self.pause()
            word = line.removeprefix("with ").removesuffix(":")
            seen = {**frame.f_globals, **frame.f_locals}
            self.take_or_give(seen.get(word))
        return self.trace

    def pause(self) -> None:
        """Стоять, пока не дадут хода."""
        self.stopped.release()
        self.go.acquire()

    def take_or_give(self, wanted: Any) -> None:
        """Запомнить, какой замок поток ждёт, какой держит; берёт его with."""
        if wanted in self.held:
            self.held.remove(wanted)
        elif wanted in NAMES:
            while wanted.locked():  # ход дали, а замок у другого
                self.wanted = wanted
                self.pause()
            self.wanted = None
            self.held.append(wanted)

    def move(self) -> str:
        """Пойти до следующей остановки; вернуть пройденную строку."""
        line = self.line
        held = len(self.held)
        if not line:
            return "уже дошёл до конца"
        self.go.release()
        if not self.stopped.acquire(timeout=20):
            raise TimeoutError(f"поток застрял: {line}")
        if self.error:
            raise self.error
        if self.wanted:
            return f"{line} ждёт"
        return f"{line} конец" if len(self.held) < held else line

    def state(self) -> str:
        """Чему равно before, какие замки держит и какого ждёт."""
        texts = [] if self.before is None else [f"before {self.before}"]
        texts += [NAMES[one] for one in self.held]
        if self.wanted:
            texts.append(f"ждёт {NAMES[self.wanted]}")
        return ", ".join(texts) or "—"


class Move(NamedTuple):
    """Ход: чей, какая строка; счётчик был и стал; что у потоков после хода."""

    number: int
    who: int
    line: str
    was: int
    counter: int
    states: list[str]
    deadlock: bool  # каждый ждёт замка, который держит другой
    ended: bool  # оба дошли до конца

    def shown(self) -> list:
        """Что видно в таблице."""
        return [self.number, self.who, self.line, self.counter, *self.states]


def play(
    work: Callable, arguments: list[tuple], turns: Iterable[int]
) -> Iterator[Move]:
    """Играть, пока оба потока не дойдут до конца или не застрянут."""
    global counter
    counter = 0
    players = [Player(work, args) for args in arguments]
    one, two = players
    for player in players:
        player.start()
        player.stopped.acquire()
    for number, who in enumerate(islice(turns, MOST), 1):
        was = counter
        line = players[who - 1].move()
        states = [player.state() for player in players]
        deadlock = one.wanted in two.held and two.wanted in one.held
        ended = not any(player.line for player in players)
        yield Move(number, who, line, was, counter, states, deadlock, ended)
        if deadlock or ended:
            break
    for player in players:
        for held in player.held:  # застрял; отдать замок можно и за него
            held.release()


def step_row(*cells: Any) -> str:
    """Строка таблицы ходов."""
    widths = [">3", ">3", "<24", ">7", "<19", "<19"]
    places = [f"{cell:{width}}" for cell, width in zip(cells, widths)]
    return " ".join(places).rstrip()


def outcome(moves: list[Move]) -> list[str]:
    """Чем кончилась игра; запись поверх того, чего поток не видел, — потеря."""
    last = moves[-1]
    if last.deadlock:
        one, two = [state.replace(", ", " и ") for state in last.states]
        who = f"поток 1 держит {one}, поток 2 держит {two}"
        return ["взаимная блокировка (deadlock): идти некому", who]
    reads: dict[int, Move] = {}  # ход, в котором поток прочитал счётчик
    writes: list[Move] = []
    added = 0
    texts = []
    for move in moves:
        if move.line.endswith("= counter") or "+=" in move.line:
            reads[move.who] = move
        if move.line.startswith("counter "):
            read = reads[move.who]
            added += move.counter - read.was
            unseen = [one for one in writes if one.number > read.number]
            if unseen:
                over = ", ".join(str(one.number) for one in unseen)
                texts.append(
                    f"в ходе {move.number} поток {move.who} записал "
                    f"{move.counter} и затёр записанное потоком "
                    f"{unseen[-1].who} в ходе {over}"
                )
            writes.append(move)
    lost = added - last.counter
    text = f"прибавлено {added}, в счётчике {last.counter}, потеряно {lost}"
    return [text, *texts]


def keys() -> Generator[str, None, None]:
    """Знаки ввода, с клавиатуры — без Enter; Ctrl-C там тоже знак."""
    sys.stdin.reconfigure(errors="replace")
    if not sys.stdin.isatty():
        while sign := sys.stdin.read(1):
            yield sign
    elif sys.platform == "win32":
        import msvcrt

        while True:
            yield msvcrt.getwch()
    else:
        import termios

        usual = termios.tcgetattr(sys.stdin)
        by_key = termios.tcgetattr(sys.stdin)
        # [3] — флаги: не ждать Enter, не показывать знак, Ctrl-C — просто знак.
        by_key[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, by_key)
        try:
            while sign := sys.stdin.read(1):
                yield sign
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, usual)


def turns() -> Generator[int, None, None]:
    """Чей ход: 1 или 2; не та клавиша не мешает, а в файле это ошибка."""
    with closing(keys()) as signs:
        for sign in signs:
            if sign in "12":
                yield int(sign)
            elif sign in "\x03\x04\x1a":  # Ctrl-C, Ctrl-D, Ctrl-Z
                print("\nигра прервана")
                sys.exit(1)
            elif not sign.isspace() and sys.stdin.isatty():
                # Строка следующего хода ляжет поверх этой.
                print(f"{sign!r} — не ход: нажмите 1 или 2", end="\r")
                sys.stdout.flush()
            elif not sign.isspace():
                print(f"{sign!r} — не ход: ход — это 1 или 2")
                sys.exit(1)


def step(work: Callable, arguments: list[tuple]) -> None:
    """Сыграть: строка таблицы на ход, в конце — чем кончилось."""
    print("\nчей ход, решаете вы: 1 или 2 (выйти — Ctrl-C)")
    print("ход: строка с counter или with и всё до следующей такой строки")
    head = step_row("ход", "чей", "строка", "counter", *SEATS)
    print(head)
    moves: list[Move] = []
    with closing(turns()) as called:
        for move in play(work, arguments, called):
            if len(moves) in (15, 30, 45, 60, 75, 90):  # ушёл бы с экрана
                print(head)
            moves.append(move)
            print(step_row(*move.shown()))
    if not moves or not (moves[-1].deadlock or moves[-1].ended):
        print(f"ходов не хватило: сделано {len(moves)}, а игра не окончена")
        sys.exit(1)
    texts = outcome(moves)
    if moves[-1].deadlock:
        again = chain([move.who for move in moves], cycle([1, 2]))
        ended = list(play(work, SAME, again))[-1].ended
        end = "оба дошли до конца" if ended else "и это не помогло"
        texts.append(f"те же ходы, но один порядок для всех: {end}")
    print("", *[wrapped(text) for text in texts], sep="\n")


def main() -> None:
    parser = ArgumentParser(
        description=__doc__, formatter_class=RawTextHelpFormatter
    )
    parser.add_argument(
        "--workers", type=int, default=4, choices=(2, 4, 8), help="потоков"
    )
    parser.add_argument("--step", choices=GAMES, help="решать самим, чей ход")
    options = parser.parse_args()
    print(INTERPRETER)
    if options.step:
        step(*GAMES[options.step])
        return
    workers = options.workers
    print(f"\nпотоков {workers}, счётчик один на всех")
    print(*head(), sep="\n")
    rounds = []
    for one in experiment(workers):
        rounds.append(one)
        print(round_row(f"круг {len(rounds)}", [one]))
    guests = gather(workers)
    taken = pass_through_queue(workers)
    print(*report(Facts(workers, guests, rounds, taken, tick())), sep="\n")
    if len(taken) < ITEMS:
        sys.exit(1)  # поток упал, его ошибка выше


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
