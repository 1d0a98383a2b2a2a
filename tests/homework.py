"""Проверка задания на дом: python3 tests/homework.py 1 my.py

Ваша функция получит данные, которых ещё не видела, а проверка измерит, что вышло. Сами задания —
в папке tests/homework. Код возврата 0, если верно всё.
"""

import argparse
import faulthandler
import json
import os
import random
import reprlib
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_all_start_methods, get_start_method
from multiprocessing import set_start_method as choose_start_method
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, NamedTuple

LIMIT = 15  # столько секунд даётся на всё
WORK = 0.12  # секунд процессорного времени на одно письмо; часы Windows идут шагами по 0,0156 с
SLOW_START = 1  # если Python запускается дольше, ждём вдвое
GRACE = 2  # столько секунд процессы и потоки могут ещё заканчиваться
TOO_BUSY = 0.3  # свободно ядер меньше — опоздать могло бы и верное решение
ENOUGH_CORES = 1.3  # занято больше — значит, считали одновременно; попеременно выходит 1,0
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

# Разделы README.md, к которым отсылает проверка
PROCESSES = "Память процессов"
COUNTING = "Счёт в процессах"
SHARED = "Общая память"
TWO_LOCKS = "Два замка"
COROUTINES = "Корутины"
MISTAKES = "Частые ошибки"


class Check(NamedTuple):
    exercise: int  # номер задания; 0 — любое
    title: str  # что должно быть верно
    section: str  # какой раздел перечитать, если неверно


class Line(NamedTuple):
    check: str  # имя проверки, ключ таблицы CHECKS
    holds: bool | None  # None — судить нельзя
    words: str  # что именно не так
    noisy: bool = False  # могла ли в этом быть виновата занятая машина


class Visit(NamedTuple):
    process: int
    thread: int
    begin: float  # секунды, часы у всех процессов общие
    end: float
    cpu: float  # секунды процессорного времени


# --- Что выполняется в отдельном процессе, вместе с функцией ученика ---------------------


def notes() -> Path:
    """Папка, в которую пишут и читают все процессы проверки."""
    return Path(os.environ["HOMEWORK_NOTES"])


def note(**fact: object) -> None:
    """Записать для проверки, до чего дошло дело или что вышло."""
    with (notes() / "facts").open("a", encoding="utf-8") as file:
        file.write(json.dumps(fact) + "\n")


def verdict(check: str, holds: bool | None, words: str = "", noisy: bool = False) -> None:
    """Записать, верно ли это, а если нет, то что не так."""
    note(check=check, holds=holds, words="" if holds else words, noisy=noisy)


def describe(error: BaseException) -> str:
    """Исключение словами Python; к частым — совет."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, EOFError):
        text += " (input() здесь некому ответить: оставьте его под if __name__)"
    if isinstance(error, SystemExit):
        text += " (sys.exit() оставьте под if __name__)"
    return text


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Дождаться, чтобы true() стало истинным, но не дольше seconds секунд."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def noted(kind: str) -> int:
    """Сколько записей такого рода."""
    return len(list(notes().glob(f"*.{kind}")))


def note_starts() -> None:
    """Записывать каждый запуск процесса."""
    start = BaseProcess.start

    def noted_start(process: BaseProcess) -> None:
        (notes() / f"{time.perf_counter_ns()}.started").touch()
        start(process)

    BaseProcess.start = noted_start  # type: ignore


def startup() -> float:
    """За сколько секунд здесь, на этой машине и сейчас, запускается Python."""
    return float((notes() / "startup").read_text())


@contextmanager
def visit() -> Iterator[None]:
    """Записать, кто и когда был внутри. Самый первый подождёт второго: тот, может быть, в пути."""
    name = f"{os.getpid()}-{threading.get_ident()}-{time.perf_counter_ns()}"
    (notes() / f"{name}.in").touch()
    met = notes() / "met"
    if not wait_until(lambda: met.exists() or noted("in") > 1, 0.5) and noted("started") > 1:
        wait_until(lambda: noted("in") > 1, 20 * startup())  # второй ещё только запускается
    met.touch()
    begin, cpu = time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        end, cpu = time.perf_counter(), time.thread_time() - cpu
        seen = Visit(os.getpid(), threading.get_ident(), begin, end, cpu)
        (notes() / f"{name}.part").write_text(json.dumps(seen), "utf-8")
        (notes() / f"{name}.part").replace(notes() / f"{name}.out")


def visits() -> list[Visit]:
    """Все, кто побывал внутри и вышел."""
    return [Visit(*json.loads(path.read_text("utf-8"))) for path in notes().glob("*.out")]


def most_at_once(seen: list[Visit]) -> int:
    """Сколько самое большее было внутри в один и тот же миг."""
    moments = sorted([(one.begin, +1) for one in seen] + [(one.end, -1) for one in seen])
    inside = most = 0
    for _, step in moments:
        inside += step
        most = max(most, inside)
    return most


def expect(check: str, got: object, right: object) -> None:
    """Ответ должен быть именно таким."""
    words = f"ждали {reprlib.repr(right)}, вышло {reprlib.repr(got)}"
    verdict(check, got == right, words)


def print_error(error: BaseException) -> None:
    """Напечатать исключение так, как его увидел бы ученик: начиная с его собственных строк."""
    steps = error.__traceback__
    while steps and Path(steps.tb_frame.f_code.co_filename).name != "my.py":
        steps = steps.tb_next
    traceback.print_exception(error.with_traceback(steps or error.__traceback__))


@contextmanager
def must_not_fail(*checks: str) -> Iterator[None]:
    """Исключение значит, что ни одна из этих проверок не пройдена."""
    try:
        yield
    except Exception as error:
        print_error(error)
        for check in checks:
            verdict(check, False, f"исключение {describe(error)}")


def count(letter: str) -> int:
    """Сосчитать, сколько в письме разных слов, занимая ядро WORK секунд."""
    if not letter:
        raise ValueError("пустое письмо")
    with visit():
        begin = time.thread_time()
        while time.thread_time() < begin + WORK:
            for _ in range(1000):
                pass
    return len(set(letter.split()))


def judge_cores(seen: list[Visit]) -> None:
    """Занято ядер: процессорное время всех, делённое на время от первого начала до конца."""
    if not seen:
        return verdict("cores", False, "функция count() не вызвана ни разу")
    wall = max(one.end for one in seen) - min(one.begin for one in seen)
    busy = sum(one.cpu for one in seen) / wall
    words = f"занято ядер {busy:.2f}".replace(".", ",")
    if GIL:  # одновременно считают только процессы; без GIL — и потоки
        seen = [one._replace(thread=0) for one in seen]
    could = any(
        (one.process, one.thread) != (other.process, other.thread)
        and one.begin <= other.begin < one.end
        for one in seen
        for other in seen
    )
    if busy < ENOUGH_CORES and could:  # всё верно, но ядер не досталось
        return verdict("cores", None, f"{words}, больше не досталось", noisy=True)
    return verdict("cores", busy >= ENOUGH_CORES, f"считали по одному, {words}", noisy=True)


def examine_words(count_all: Callable) -> None:
    letters = [" ".join(random.choices("абвгдежзиклмно", k=14)) for _ in range(6)]
    expect("answers", count_all(count, [*letters]), [len(set(one.split())) for one in letters])
    judge_cores(visits())
    some = letters[:3]
    some.insert(random.randrange(3), "")  # не последним: за ним должны сосчитать и других
    with must_not_fail("bad"):
        right = [len(set(one.split())) or None for one in some]
        expect("bad", count_all(count, [*some]), right)


class Balances(dict):
    """Словарь, в котором после каждого чтения успевают и другие потоки."""

    def __getitem__(self, name: str) -> int:
        money = super().__getitem__(name)
        time.sleep(0)
        return money


def examine_bank(transfer_all: Callable) -> None:
    sys.setswitchinterval(1e-6)  # потоки меняются как можно чаще
    wrong = []

    def approve(who: str, whom: str, amount: int) -> bool:
        with visit():
            time.sleep(0.001)
        return amount % 7 != 0

    for _ in range(20):
        names = [f"имя {number}" for number in random.sample(range(100), 3)]
        pairs = [random.sample(names, 2) for _ in range(20)]
        transfers = [(who, whom, random.randint(1, 100)) for who, whom in pairs]
        right = dict.fromkeys(names, 1000)
        for who, whom, amount in transfers:
            if amount % 7 != 0:
                right[who] -= amount
                right[whom] += amount
        balances = Balances.fromkeys(names, 1000)
        transfer_all(approve, balances, transfers)
        if balances != right:
            wrong.append(f"ждали {right}, вышло {dict(balances)}")
    verdict("money", not wrong, f"неверно раз: {len(wrong)} из 20; {(wrong or [''])[0]}")
    verdict("approvals", most_at_once(visits()) > 1, "разрешений ждали по одному", True)


def examine_downloads(download_all: Callable) -> None:
    addresses = [f"/{number}" for number in random.sample(range(1000), 15)]
    pages = {address: str(random.random()) for address in addresses}
    broken: set[str] = set()

    def download(address: str) -> str:
        with visit():
            time.sleep(0.05)
        if address in broken:
            raise OSError(f"не отвечает {address}")
        return pages[address]

    expect("pages", download_all(download, [*addresses]), (pages, []))
    most = most_at_once(visits())
    verdict("waits", most > 1, "страниц скачивалось не больше одной сразу", True)
    verdict("limit", most <= 5, f"сразу скачивалось страниц: {most}")
    broken.update(random.sample(addresses, 3))
    with must_not_fail("others", "failed"):
        some, failed = download_all(download, [*addresses])
        expect("others", some, {one: pages[one] for one in addresses if one not in broken})
        expect("failed", sorted(failed), sorted(broken))


class Tool:
    """Замок, который помнит, кто его держит и кто ждёт, и замечает взаимную блокировку."""

    guard = threading.Lock()
    wanted: ClassVar[dict[int, "Tool"]] = {}  # кто какого замка ждёт

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner: int | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = threading.get_ident()
        if blocking and timeout < 0:
            with self.guard:
                self.wanted[me] = self
                his = self.wanted.get(self.owner or 0)
                deadlock = his is not None and his.owner == me
            if deadlock:
                give_up("каждый держит одно и ждёт другого; так вечно")
        taken = self.lock.acquire(blocking, timeout)
        with self.guard:
            self.wanted.pop(me, None)
            if taken:
                self.owner = me
        time.sleep(0.0005)  # тем временем другой успеет взять второй замок
        return taken

    def release(self) -> None:
        with self.guard:
            self.owner = None
        self.lock.release()
        time.sleep(0)

    def locked(self) -> bool:
        return self.lock.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def give_up(words: str) -> None:
    """Взаимная блокировка: ждать больше нечего."""
    verdict("locks", False, words)
    verdict("ended", False, "потоки ждут друг друга")
    note(stage="done")
    os._exit(0)


def examine_kitchen(dinner: Callable) -> None:
    knife, board = Tool(), Tool()
    portions = random.randint(30, 40)
    cooked: list[str] = []
    empty_handed: list[str] = []
    together: list[bool] = []
    before = threading.active_count()

    def cook(dish: str) -> None:
        if {knife.owner, board.owner} != {threading.get_ident()}:
            empty_handed.append(dish)
        if not cooked:  # запустят ли второго повара, пока занят первый
            together.append(wait_until(lambda: threading.active_count() >= before + 2, 1))
        cooked.append(dish)
        time.sleep(0.001)

    dinner(cook, knife, board, portions)
    verdict("locks", True)
    got = {dish: cooked.count(dish) for dish in sorted(set(cooked))}
    expect("dishes", got, {"салат": portions, "суп": portions})
    verdict("hands", not empty_handed, f"без ножа или доски порций: {len(empty_handed)}")
    verdict("cooks", any(together), "пока работал первый поток, второго не было", True)


def shrink(photo: bytes) -> bytes:
    """Уменьшить фотографию вдвое."""
    with visit():
        time.sleep(0.02)
    return photo[::2]


def examine_photos(shrink_all: Callable) -> None:
    photos = [random.randbytes(random.randint(300_000, 400_000)) for _ in range(8)]
    got = shrink_all(shrink, [*photos])
    right = sorted(photo[::2] for photo in photos)
    same = isinstance(got, list) and sorted(map(bytes, got)) == right
    verdict("photos", same, f"ждали список из 8 фотографий, вышло {reprlib.repr(got)}")
    processes = len({one.process for one in visits()})
    verdict("workers", processes > 1, f"уменьшало процессов: {processes}", True)


def leftovers(before: set[threading.Thread]) -> list[str]:
    """Процессы и потоки ученика, которые не закончились и за GRACE секунд."""

    def left() -> list[str]:
        threads = {one for one in threading.enumerate() if one.name != "QueueFeederThread"}
        return [one.name for one in active_children()] + [one.name for one in threads - before]

    wait_until(lambda: not left(), GRACE)
    return left()


def inside() -> None:
    """Главное в отдельном процессе: импортировать файл ученика и испытать его функцию."""
    number, folder, method, limit = sys.argv[1:]
    name, examine_function = EXERCISES[int(number)]
    seconds = time.time() - float(os.environ["HOMEWORK_BEGUN"])
    (notes() / "startup").write_text(str(seconds))
    if hasattr(signal, "alarm"):
        signal.alarm(int(2 * float(limit)) + 5)  # на случай, если проверку убьют
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1)  # проверка спросит, где мы повисли
    if method:
        choose_start_method(method)
    note_starts()
    sys.argv[:] = ["my.py"]
    sys.path.append(folder)  # рядом с my.py могут лежать и другие файлы ученика
    before = {*threading.enumerate()}
    try:
        function = getattr(__import__("my"), name, None)
    except BaseException as error:
        print_error(error)
        return verdict("imported", False, describe(error))
    if not callable(function):
        return verdict("imported", False, f"функции {name}() в нём нет")
    verdict("imported", True)
    note(stage="called")
    try:
        examine_function(function)
    except BaseException as error:
        print_error(error)
        verdict("ended", False, describe(error))
    left = leftovers(before)
    verdict("alone", not left, f"остались: {', '.join(left)}", True)
    note(stage="done")
    if left:
        os._exit(0)  # иначе Python ждал бы их
    return None


# --- Проверка ----------------------------------------------------------------------------

EXERCISES = {  # номер: какую функцию вызываем и кто её испытывает
    1: ("count_all", examine_words),
    2: ("transfer_all", examine_bank),
    3: ("download_all", examine_downloads),
    4: ("dinner", examine_kitchen),
    5: ("shrink_all", examine_photos),
}
CHECKS = {
    "imported": Check(0, "файл импортируется, и нужная функция в нём есть", MISTAKES),
    "answers": Check(1, "ответы верны и стоят в порядке писем", COUNTING),
    "cores": Check(1, "считали одновременно, занято больше одного ядра", COUNTING),
    "bad": Check(1, "пустое письмо не погубило остальных", COUNTING),
    "money": Check(2, "деньги не пропали и не появились", SHARED),
    "approvals": Check(2, "разрешений ждали одновременно, не под замком", SHARED),
    "pages": Check(3, "без неудач скачаны все страницы", COROUTINES),
    "waits": Check(3, "скачивали одновременно", COROUTINES),
    "limit": Check(3, "но не больше пяти сразу", COROUTINES),
    "others": Check(3, "при неудачах скачано всё остальное", COROUTINES),
    "failed": Check(3, "и названы все неудачи", COROUTINES),
    "locks": Check(4, "повара не ждут друг друга вечно", TWO_LOCKS),
    "dishes": Check(4, "готовы все порции", TWO_LOCKS),
    "hands": Check(4, "у того, кто готовит, и нож, и доска", SHARED),
    "cooks": Check(4, "второго повара позвали, пока готовил первый", TWO_LOCKS),
    "photos": Check(5, "вернулись все фотографии, уменьшенные", PROCESSES),
    "workers": Check(5, "уменьшали хотя бы два процесса", PROCESSES),
    "ended": Check(0, "проверка дошла до конца", MISTAKES),
    "alone": Check(0, "ни процессов, ни потоков не осталось", MISTAKES),
    "spawn": Check(-1, "так же и способом spawn, как в Windows и macOS", MISTAKES),
}
WITH_PROCESSES = (1, 5)  # эти задания стоит испытать и способом spawn


class Outcome(NamedTuple):
    verdicts: dict[str, Line]
    stage: str  # до чего дошло дело: "", "called" или "done"
    status: int | None  # код возврата; None — не закончилась вовремя
    output: str  # конец того, что напечатал файл ученика


def free_cores() -> float:
    """Сколько ядер достаётся сейчас двум процессам, которые не имеют отношения к заданию."""
    code = (
        "from time import perf_counter, process_time\n"
        "begin, cpu = perf_counter(), process_time()\n"
        "while perf_counter() < begin + 0.4: pass\n"
        "print((process_time() - cpu) / (perf_counter() - begin))"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    return sum(float(process.communicate()[0] or 0) for process in both)


def kill_group(process: subprocess.Popen, job: object) -> None:
    """Завершить процесс и всех, кого он породил."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.TerminateJobObject(job, 1)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def new_job(process: subprocess.Popen) -> object:
    """В Windows: «задание», в которое войдут и все потомки процесса; оно кончится вместе с нами."""
    if sys.platform != "win32":
        return None
    import ctypes

    kernel32 = ctypes.windll.kernel32
    kernel32.CreateJobObjectW.restype = ctypes.c_void_p
    job = ctypes.c_void_p(kernel32.CreateJobObjectW(None, None))
    limits = ctypes.create_string_buffer(144)  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION, 64 бита
    limits[16:20] = (0x2000).to_bytes(4, "little")  # KILL_ON_JOB_CLOSE
    kernel32.SetInformationJobObject(job, 9, limits, 144)
    kernel32.AssignProcessToJobObject(job, ctypes.c_void_p(int(process._handle)))
    return job


def wait(process: subprocess.Popen, seconds: float) -> int | None:
    """Код возврата; None — за столько секунд процесс не закончился."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    return None


def ask_where(process: subprocess.Popen) -> None:
    """Пусть зависший процесс напечатает, на каких строках стоят его потоки (Linux, macOS)."""
    if hasattr(faulthandler, "register"):
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)


def keep_tail(process: subprocess.Popen, tail: bytearray) -> None:
    """Читать всё, что печатает файл ученика, и хранить только конец."""
    assert process.stdout
    while piece := os.read(process.stdout.fileno(), 65536):
        tail += piece
        del tail[:-3000]


def run(number: int, path: Path, method: str, limit: float) -> Outcome:
    """Испытать копию файла в отдельном процессе, от которого потом ничего не останется."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        (folder / "notes").mkdir()
        (folder / "notes" / "startup").write_text(str(limit))  # пока не запустился, не известно
        (folder / "my.py").write_bytes(path.read_bytes())
        paths = [str(folder), str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8:backslashreplace",
            "HOMEWORK_NOTES": str(folder / "notes"),
            "HOMEWORK_BEGUN": str(time.time()),
        }
        command = [sys.executable, "-P", "-c", "import homework; homework.inside()"]
        command += [str(number), str(path.resolve().parent), method, str(limit)]
        own: dict = {"start_new_session": True}
        if sys.platform == "win32":
            own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        job = None
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **own,
        )
        tail = bytearray()
        reader = threading.Thread(target=keep_tail, args=(process, tail), daemon=True)
        status = None
        try:
            job = new_job(process)
            reader.start()
            status = wait(process, limit)
            if status is None and float((folder / "notes" / "startup").read_text()) > SLOW_START:
                status = wait(process, limit)  # на такой машине всё идёт медленно
            if status is None:
                ask_where(process)
        finally:
            kill_group(process, job)
        reader.join(1)
        output = bytes(tail).decode("utf-8", "replace").replace(str(folder / "my.py"), str(path))
        return Outcome(*read_facts(folder / "notes" / "facts"), status, output)


def read_facts(path: Path) -> tuple[dict[str, Line], str]:
    """Что записал испытатель: выводы и до чего дошло дело."""
    verdicts: dict[str, Line] = {}
    stage = ""
    if path.exists():
        for text in path.read_text("utf-8").splitlines():
            fact = json.loads(text)
            if "stage" in fact:
                stage = fact["stage"]
            else:
                verdicts.setdefault(fact["check"], Line(**fact))
    return verdicts, stage


def why_broken(outcome: Outcome, limit: float) -> str:
    """Почему испытатель не дошёл до конца сам; пустая строка — дошёл."""
    if outcome.status is None and outcome.stage == "done":
        return "функция вернулась, а программа не заканчивается: какой-то поток ещё работает"
    if outcome.status is None:
        return f"не закончилось и за {limit:g} с"
    if outcome.stage != "done":
        return f"процесс прекратился на полпути, код возврата {outcome.status}"
    return ""


def judge(number: int, outcome: Outcome, limit: float) -> list[Line]:
    """По строке на каждую проверку этого задания."""
    verdicts = dict(outcome.verdicts)
    broken = why_broken(outcome, limit)
    where = "ended" if "imported" in verdicts else "imported"
    if broken:
        verdicts.setdefault(where, Line(where, False, broken, outcome.status is None))
    verdicts.setdefault("ended", Line("ended", True, ""))
    if not verdicts["imported"].holds:
        return excuse([verdicts["imported"]])
    names = [name for name, check in CHECKS.items() if check.exercise in (0, number)]
    return excuse([verdicts.get(name, Line(name, None, "до этого не дошло")) for name in names])


def excuse(lines: list[Line]) -> list[Line]:
    """То, в чём могла быть виновата занятая машина, не ставить в вину ученику."""
    if not any(line.noisy and not line.holds for line in lines):
        return lines
    free = free_cores()
    if free > TOO_BUSY and all(line.holds is not None or not line.noisy for line in lines):
        return lines
    state = "закройте лишнее и повторите"
    if free < 0.85 * min(CORES, 2):
        state = f"машина занята, свободно ядер {free:.1f}; {state}".replace(".", ",")
    if CORES == 1:
        state = "ядро у Python одно"
    return [
        Line(one.check, None, f"{one.words}; судить нельзя: {state}")
        if one.noisy and (one.holds is None or (not one.holds and free <= TOO_BUSY))
        else one
        for one in lines
    ]


def prepare_output() -> None:
    """Вывод, в котором нет кириллицы, сделать UTF-8; остальному хватит замены."""
    encoding = sys.stdout.encoding
    try:
        "Ж".encode(encoding)
    except UnicodeEncodeError:
        encoding = "utf-8"
    sys.stdout.reconfigure(encoding=encoding, errors="replace")  # type: ignore[union-attr]


def show(text: str) -> None:
    """Напечатать; чего кодировка вывода не знает, заменить похожим."""
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = text.translate(str.maketrans("✓✗«»—", '+-""-'))
    print(text, flush=True)


def show_line(line: Line) -> None:
    """✓ верно, ✗ неверно, ? судить нельзя."""
    check = CHECKS[line.check]
    if line.holds:
        return show(f"✓ {check.title}")
    show(f"{'?' if line.holds is None else '✗'} {check.title}: {line.words}")
    if line.holds is False:
        show(f"    Перечитайте в README.md раздел «{check.section}».")
    return None


def examine(number: int, path: Path, method: str, limit: float) -> list[Line]:
    """Испытать файл и напечатать по строке на каждую проверку."""
    show(f"Задание {number}, функция {EXERCISES[number][0]}() из {path}")
    outcome = run(number, path, method, limit)
    lines = judge(number, outcome, limit)
    fork = not method and get_start_method() == "fork"
    if fork and number in WITH_PROCESSES and all(line.holds for line in lines):
        outcome = run(number, path, "spawn", limit)
        again = judge(number, outcome, limit)
        worst = min(again, key=lambda line: (line.holds is not False, line.holds is not None))
        lines.append(worst._replace(check="spawn"))
    for line in lines:
        show_line(line)
    if outcome.output and not all(line.holds for line in lines):
        show(f"Последнее, что напечатали ваш файл и Python:\n{outcome.output}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, choices=EXERCISES, help="номер задания")
    parser.add_argument("file", type=Path, help="ваш файл, например my.py")
    parser.add_argument("--start-method", default="", choices=get_all_start_methods())
    parser.add_argument("--limit", type=float, default=LIMIT, help="сколько секунд ждать")
    options = parser.parse_args()
    if not options.file.is_file():
        parser.error(f"нет такого файла: {options.file}")
    lines = examine(options.number, options.file, options.start_method, options.limit)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.default_int_handler)  # закрыли терминал
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prepare_output()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("проверка прервана")
