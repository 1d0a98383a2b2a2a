"""Проверка заданий на дом: верное принимает, неверное отвергает, и отвергает по делу."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_all_start_methods
from pathlib import Path
from typing import NamedTuple

import homework
import psutil
import pytest
from conftest import eventually, new_file, posix

CHECKER = Path(homework.__file__)
GIVEN = sorted(CHECKER.with_suffix("").glob("[1-5]_*.py"))
EXERCISES = range(1, 6)


class Solution(NamedTuple):
    exercise: int
    name: str
    text: str
    fails: set[str] = set()  # noqa: RUF012 — какие проверки не пройдены; пусто — решение верное


# --- Верные решения: по два и больше на задание ------------------------------------------

RIGHT = [
    Solution(
        1,
        "submit",
        """
from concurrent.futures import ProcessPoolExecutor

def count_all(count, letters):
    answers = []
    with ProcessPoolExecutor() as pool:
        for task in [pool.submit(count, letter) for letter in letters]:
            try:
                answers.append(task.result())
            except ValueError:
                answers.append(None)
    return answers
""",
    ),
    Solution(
        1,
        "starmap",
        """
from multiprocessing import Pool

def safe(count, letter):
    try:
        return count(letter)
    except ValueError:
        return None

def count_all(count, letters):
    with Pool() as pool:
        return pool.starmap(safe, [(count, letter) for letter in letters], chunksize=1)
""",
    ),
    Solution(
        1,
        "queues",
        """
from multiprocessing import Process, Queue

def worker(count, jobs, answers):
    for number, letter in iter(jobs.get, None):
        try:
            answers.put((number, count(letter)))
        except ValueError:
            answers.put((number, None))

def count_all(count, letters):
    jobs, answers = Queue(), Queue()
    workers = [Process(target=worker, args=(count, jobs, answers)) for _ in range(2)]
    for process in workers:
        process.start()
    for job in enumerate(letters):
        jobs.put(job)
    for process in workers:
        jobs.put(None)
    found = dict(answers.get() for _ in letters)
    for process in workers:
        process.join()
    return [found[number] for number in range(len(letters))]
""",
    ),
    Solution(
        2,
        "lock",
        """
from threading import Lock, Thread

lock = Lock()

def transfer(approve, balances, who, whom, amount):
    if approve(who, whom, amount):
        with lock:
            balances[who] -= amount
            balances[whom] += amount

def transfer_all(approve, balances, transfers):
    threads = [Thread(target=transfer, args=(approve, balances, *one)) for one in transfers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
    ),
    Solution(
        2,
        "main_thread",
        """
from concurrent.futures import ThreadPoolExecutor

def transfer_all(approve, balances, transfers):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: approve(*one), transfers))
    for (who, whom, amount), yes in zip(transfers, answers):
        if yes:
            balances[who] -= amount
            balances[whom] += amount
""",
    ),
    Solution(
        2,
        "lock_each",
        """
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

def transfer_all(approve, balances, transfers):
    locks = {name: Lock() for name in balances}

    def add(name, amount):
        with locks[name]:
            balances[name] += amount

    def transfer(one):
        who, whom, amount = one
        if approve(*one):
            add(who, -amount)
            add(whom, amount)

    with ThreadPoolExecutor() as pool:
        list(pool.map(transfer, transfers))
""",
    ),
    Solution(
        3,
        "pool",
        """
from concurrent.futures import ThreadPoolExecutor

def download_all(download, addresses):
    pages, failed = {}, []
    with ThreadPoolExecutor(5) as pool:
        tasks = {address: pool.submit(download, address) for address in addresses}
    for address, task in tasks.items():
        try:
            pages[address] = task.result()
        except OSError:
            failed.append(address)
    return pages, failed
""",
    ),
    Solution(
        3,
        "coroutines",
        """
import asyncio

async def gather_all(download, addresses):
    five = asyncio.Semaphore(5)

    async def one(address):
        async with five:
            return await asyncio.to_thread(download, address)

    return await asyncio.gather(*map(one, addresses), return_exceptions=True)

def download_all(download, addresses):
    answers = dict(zip(addresses, asyncio.run(gather_all(download, addresses))))
    failed = [address for address, answer in answers.items() if isinstance(answer, OSError)]
    pages = {address: answer for address, answer in answers.items() if address not in failed}
    return pages, failed
""",
    ),
    Solution(
        3,
        "queue",
        """
from queue import Queue
from threading import Thread

def download_all(download, addresses):
    pages, failed, queue = {}, [], Queue()

    def worker():
        for address in iter(queue.get, None):
            try:
                pages[address] = download(address)
            except OSError:
                failed.append(address)

    threads = [Thread(target=worker) for _ in range(5)]
    for thread in threads:
        thread.start()
    for address in [*addresses, *[None] * 5]:
        queue.put(address)
    for thread in threads:
        thread.join()
    return pages, failed
""",
    ),
]
KITCHEN = """
from threading import Lock, Thread

one_cook = Lock()

def salad(cook, knife, board, portions):
    for _ in range(portions):
        with knife, board:
            cook("салат")

def soup(cook, knife, board, portions):
    for _ in range(portions):
        with knife, board:
            cook("суп")

def dinner(*args):
    cooks = [Thread(target=way, args=args) for way in (salad, soup)]
    for thread in cooks:
        thread.start()
    for thread in cooks:
        thread.join()
"""
SOUP = """        with knife, board:
            cook("суп")
"""
PHOTOS = """
from multiprocessing import Process, Queue

def worker(shrink, photos, small):
    while (photo := photos.get()) is not None:
        small.put(shrink(photo))

def shrink_all(shrink, photos):
    queue, small = Queue(), Queue()
    workers = [Process(target=worker, args=(shrink, queue, small)) for _ in range(2)]
    for process in workers:
        process.start()
    for photo in photos:
        queue.put(photo)
    for _ in workers:
        queue.put(None)
    answer = [small.get() for _ in photos]
    for process in workers:
        process.join()
    return answer
"""


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Решение, в котором кое-что заменено."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def right(name: str) -> str:
    """Верное решение по имени: из него делаются неверные."""
    return next(one.text for one in RIGHT if one.name == name)


BACK_OFF = """        while True:
            board.acquire()
            if knife.acquire(timeout=0.01):
                break
            board.release()
        cook("суп")
        knife.release()
        board.release()
"""
RIGHT += [
    Solution(4, "one_order", KITCHEN),
    Solution(4, "back_off", changed(KITCHEN, (SOUP, BACK_OFF))),
    Solution(
        4,
        "one_cook",
        changed(
            KITCHEN,
            (SOUP, SOUP.replace("knife, board", "one_cook, board, knife")),
            (
                'knife, board:\n            cook("салат")',
                'one_cook, knife, board:\n            cook("салат")',
            ),
        ),
    ),
    Solution(5, "none_each", PHOTOS),
    Solution(
        5,
        "pool",
        """
from concurrent.futures import ProcessPoolExecutor

def shrink_all(shrink, photos):
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(shrink, photos))
""",
    ),
    Solution(
        5,
        "none_handed_on",
        changed(
            PHOTOS,
            (
                "        small.put(shrink(photo))",
                "        small.put(shrink(photo))\n    photos.put(None)",
            ),
            ("    for _ in workers:\n        queue.put(None)", "    queue.put(None)"),
            (
                "    for process in workers:\n        process.join()",
                "    queue.get()\n    for process in workers:\n        process.join()",
            ),
        ),
    ),
]

# --- Неверные решения: не меньше трёх обычных на задание ---------------------------------

WRONG = [
    Solution(
        1,
        "threads",
        right("submit").replace("ProcessPoolExecutor", "ThreadPoolExecutor"),
        {"cores"},
    ),
    Solution(
        1,
        "pool_for_each",
        """
from concurrent.futures import ProcessPoolExecutor

def count_all(count, letters):
    answers = []
    for letter in letters:
        with ProcessPoolExecutor() as pool:
            try:
                answers.append(pool.submit(count, letter).result())
            except ValueError:
                answers.append(None)
    return answers
""",
        {"cores"},
    ),
    Solution(
        1,
        "typed_in",
        "def count_all(count, letters):\n    return [9000, 8000, 7000]\n",
        {"answers", "cores", "bad"},
    ),
    Solution(
        1,
        "map_loses_others",
        """
from concurrent.futures import ProcessPoolExecutor

def count_all(count, letters):
    with ProcessPoolExecutor() as pool:
        return list(pool.map(count, letters))
""",
        {"bad"},
    ),
    Solution(
        1,
        "bad_left_out",
        changed(right("submit"), ("answers.append(None)", "pass")),
        {"bad"},
    ),
    Solution(
        1,
        "lambda",
        changed(right("submit"), ("pool.submit(count,", "pool.submit(lambda one: count(one),")),
        {"ended"},
    ),
    Solution(
        1,
        "no_shutdown",
        changed(
            right("queues"),
            ("    for process in workers:\n        jobs.put(None)\n", ""),
            ("    for process in workers:\n        process.join()\n", ""),
        ),
        {"alone"},
    ),
    Solution(
        2,
        "lock_made_anew",
        changed(right("lock"), ("        with lock:", "        with Lock():")),
        {"money"},
    ),
    Solution(
        2,
        "all_under_lock",
        changed(
            right("lock"),
            (
                "    if approve(who, whom, amount):\n        with lock:",
                "    with lock:\n        if approve(who, whom, amount):",
            ),
        ),
        {"approvals"},
    ),
    Solution(
        2, "no_lock", changed(right("lock"), ("        with lock:", "        if True:")), {"money"}
    ),
    Solution(
        2,
        "one_by_one",
        """
def transfer_all(approve, balances, transfers):
    for who, whom, amount in transfers:
        if approve(who, whom, amount):
            balances[who] -= amount
            balances[whom] += amount
""",
        {"approvals"},
    ),
    Solution(
        2,
        "forgotten_approval",
        changed(
            right("lock"),
            ("    if approve(who, whom, amount):", "    approve(who, whom, amount)\n    if True:"),
        ),
        {"money"},
    ),
    Solution(
        3,
        "too_many",
        changed(right("pool"), ("ThreadPoolExecutor(5)", "ThreadPoolExecutor(15)")),
        {"limit"},
    ),
    Solution(
        3,
        "gather_loses_others",
        changed(right("coroutines"), (", return_exceptions=True", "")),
        {"others", "failed"},
    ),
    Solution(
        3,
        "blocking_coroutine",
        changed(
            right("coroutines"), ("await asyncio.to_thread(download, address)", "download(address)")
        ),
        {"waits"},
    ),
    Solution(
        3,
        "failures_swallowed",
        changed(right("pool"), ("failed.append(address)", "pass")),
        {"failed"},
    ),
    Solution(
        3,
        "one_by_one",
        """
def download_all(download, addresses):
    pages, failed = {}, []
    for address in addresses:
        try:
            pages[address] = download(address)
        except OSError:
            failed.append(address)
    return pages, failed
""",
        {"waits"},
    ),
    Solution(
        3,
        "failures_not_returned",
        changed(right("pool"), ("return pages, failed", "return pages")),
        {"pages", "others", "failed"},
    ),
    Solution(
        4,
        "daemons_hide_it",
        changed(
            KITCHEN,
            (SOUP, SOUP.replace("knife, board", "board, knife")),
            ("args=args)", "args=args, daemon=True)"),
            ("thread.join()", "thread.join(1)"),
        ),
        {"locks", "ended"},
    ),
    Solution(
        4,
        "gives_up",
        changed(
            KITCHEN,
            (
                SOUP,
                BACK_OFF.replace("while True:", "for _ in range(1):").replace(
                    "board.release()\n        cook",
                    "board.release()\n        else:\n            continue\n        cook",
                ),
            ),
        ),
        {"dishes"},
    ),
    Solution(4, "no_locks", changed(KITCHEN, (SOUP, '        cook("суп")\n')), {"hands"}),
    Solution(4, "only_knife", changed(KITCHEN, (SOUP, SOUP.replace(", board", ""))), {"hands"}),
    Solution(
        4,
        "one_after_another",
        changed(
            KITCHEN,
            ("        thread.start()\n    for thread in cooks:\n", "        thread.start()\n"),
        ),
        {"cooks"},
    ),
    Solution(
        5,
        "none_once",
        changed(PHOTOS, ("    for _ in workers:\n        queue.put(None)", "    queue.put(None)")),
        {"ended"},
    ),
    Solution(
        5,
        "join_before_get",
        changed(
            PHOTOS,
            ("    answer = [small.get() for _ in photos]\n", ""),
            ("    return answer", "    return [small.get() for _ in photos]"),
        ),
        {"ended"},
    ),
    Solution(
        5,
        "daemons_hide_it",
        changed(
            PHOTOS,
            ("small))", "small), daemon=True)"),
            ("    for _ in workers:\n        queue.put(None)\n", ""),
            ("    for process in workers:\n        process.join()\n", ""),
        ),
        {"alone"},
    ),
    Solution(5, "one_process", changed(PHOTOS, ("range(2)", "range(1)")), {"workers"}),
    Solution(
        5,
        "threads",
        changed(
            PHOTOS,
            (
                "from multiprocessing import Process, Queue",
                "from queue import Queue\nfrom threading import Thread as Process",
            ),
        ),
        {"workers"},
    ),
    Solution(
        5,
        "one_photo_lost",
        changed(PHOTOS, ("    return answer", "    return answer[1:]")),
        {"photos"},
    ),
]
GIVEN_FAILS = {
    1: {"cores", "bad"},
    2: {"money"},
    3: {"waits", "others", "failed"},
    4: {"locks", "ended"},
    5: {"ended"},
}
DEFAULT = [  # что проверяется без -m long; "given" — программа из tests/homework
    ("given", "submit", "threads"),
    ("given", "lock", "lock_made_anew"),
    ("given", "pool", "failures_swallowed"),
    ("given", "one_order", "no_locks"),
    ("given", "none_each", "none_once"),
]


def check(exercise: int, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Запустить проверку, как это делает ученик."""
    command = [sys.executable, str(CHECKER), str(exercise), str(path), *options]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=env, timeout=60)


def marks(output: str) -> dict[str, str]:
    """Имя проверки и её знак: ✓, ✗ или ?."""
    names = {check.title: name for name, check in homework.CHECKS.items()}
    found = re.findall(r"(?m)^([✓✗?]) (.+?)(?:: .*)?$", output)
    return {names[title]: mark for mark, title in found}


def failed(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Непройденные проверки; если машина занята и судить нельзя, тест пропускается."""
    assert done.stderr == ""
    if "судить нельзя" in done.stdout:
        pytest.skip("машина занята: судить нельзя")
    found = marks(done.stdout)
    assert done.returncode == (0 if set(found.values()) == {"✓"} else 1), done.stdout
    return {name for name, mark in found.items() if mark == "✗"}


def given(exercise: int) -> Solution:
    """Программа из tests/homework, как она есть."""
    text = GIVEN[exercise - 1].read_text("utf-8")
    return Solution(exercise, "given", text, GIVEN_FAILS[exercise])


def judged(solution: Solution, *options: str) -> subprocess.CompletedProcess[str]:
    """Проверить решение; зависшее ждём недолго."""
    hangs = solution.exercise == 5 and "ended" in solution.fails
    limit = ["--limit", "2"] if hangs else []
    return check(solution.exercise, new_file("my.py", solution.text), *limit, *options)


def name_of(solution: Solution) -> str:
    return f"{solution.exercise}-{solution.name}"


# Обычному прогону хватит двух самых быстрых; остальные — в -m long.
@pytest.mark.parametrize(
    "exercise",
    [n if n in (2, 4) else pytest.param(n, marks=pytest.mark.long) for n in EXERCISES],
)
def test_given_fails_right_passes_wrong_fails(exercise: int) -> None:
    """Данная программа и неверное решение не проходят, каждая по-своему; верное проходит."""
    everything = [given(exercise), *RIGHT, *WRONG]
    chosen = [
        one for one in everything if one.exercise == exercise and one.name in DEFAULT[exercise - 1]
    ]
    at_once = 1 if exercise == 1 else 3  # где меряются ядра, там по одной
    with ThreadPoolExecutor(at_once) as pool:
        runs = list(pool.map(lambda one: judged(one, "--start-method", "spawn"), chosen))
    assert len(runs) == 3
    for solution, done in zip(chosen, runs):
        if solution.name == "threads" and not homework.GIL:
            continue
        assert failed(done) == solution.fails, done.stdout


@pytest.mark.long
@pytest.mark.parametrize("method", get_all_start_methods())
@pytest.mark.parametrize("solution", RIGHT, ids=name_of)
def test_right_solution_passes(solution: Solution, method: str) -> None:
    """Верное решение проходит при любом способе запуска."""
    done = judged(solution, "--start-method", method)
    assert failed(done) == set(), done.stdout


@pytest.mark.long
@pytest.mark.parametrize("solution", WRONG, ids=name_of)
def test_wrong_solution_fails(solution: Solution) -> None:
    """Неверное решение не проходит именно там, где оно неверно."""
    if (solution.exercise, solution.name) == (1, "threads") and not homework.GIL:
        pytest.skip("без GIL считают одновременно и потоки")
    done = judged(solution, "--start-method", "spawn")
    assert failed(done) == solution.fails, done.stdout


@pytest.mark.long
def test_each_check_has_failed() -> None:
    """Нет проверки, которая никогда не находит ошибки."""
    found = set().union(*GIVEN_FAILS.values(), *(one.fails for one in WRONG))
    assert found | {"imported", "spawn"} == {*homework.CHECKS}


@pytest.mark.long
@pytest.mark.parametrize("exercise", homework.WITH_PROCESSES)
def test_fork_only_solution_fails_under_spawn(exercise: int) -> None:
    """Что работает только при fork, отвергается и там, где fork по умолчанию."""
    by_default = [sys.executable, "-c", "import multiprocessing as m; print(m.get_start_method())"]
    if subprocess.check_output(by_default, text=True).strip() != "fork":
        pytest.skip("способ запуска по умолчанию и так не fork")
    text = right("queues") if exercise == 1 else PHOTOS
    target = re.search(r"target=worker, args=(.*?\))\)", text)
    assert target
    text = changed(text, (target[0], f"target=lambda: worker{target[1]})"))
    done = check(exercise, new_file("my.py", text), "--limit", "5")
    assert failed(done) == {"spawn"}, done.stdout


SURVIVED = {
    "syntax": ("def count_all(:\n", "imported", "SyntaxError"),
    "empty": ("", "imported", "count_all() в нём нет"),
    "input": ("name = input()\n", "imported", "EOFError"),
    "exit": ("import sys\nsys.exit()\n", "imported", "SystemExit"),
    "hard_exit": ("import os\nos._exit(0)\n", "imported", "код возврата 0"),
    "endless": ("while True:\n    pass\n", "imported", "не закончилось"),
    "flood": ("while True:\n    print('вода ' * 1000)\n", "imported", "не закончилось"),
    "signature": ("def count_all():\n    pass\n", "ended", "TypeError"),
    "exit_in_function": ("def count_all(count, letters):\n    exit()\n", "ended", "SystemExit"),
    "hard_exit_in_function": (
        "import os\ndef count_all(count, letters):\n    os._exit(7)\n",
        "ended",
        "код возврата 7",
    ),
    "thread_left": (
        "import threading, time\n"
        "def count_all(count, letters):\n"
        "    threading.Thread(target=time.sleep, args=(60,), name='долгий').start()\n",
        "alone",
        "долгий",
    ),
    "nothing": ("def count_all(count, letters):\n    pass\n", "answers", "вышло None"),
}
QUICK = ("syntax", "input")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in SURVIVED],
)
def test_survives_any_file(name: str) -> None:
    """Что бы ни было в файле, проверка кончается сама и говорит, в чём дело."""
    text, where, words = SURVIVED[name]
    done = check(1, new_file("4 my-file.py", text), "--limit", "3")
    assert where in failed(done)
    (line,) = (line for line in done.stdout.splitlines() if homework.CHECKS[where].title in line)
    assert words in line


@pytest.mark.parametrize("path", ["no_such_file.py", "."])
def test_bad_usage(path: str) -> None:
    """Нет файла или это папка — код возврата 2."""
    done = check(1, Path(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "нет такого файла" in done.stderr


@pytest.mark.long
def test_error_is_shown_with_learners_own_line() -> None:
    """Ошибка в файле ученика показана целиком, с его файлом и номером строки."""
    path = new_file("my.py", "def count_all(count, letters):\n    return letters[99]\n")
    output = check(1, path).stdout
    assert f'File "{path}", line 2, in count_all' in output
    assert output.rstrip().endswith("IndexError: list index out of range")


@pytest.mark.long
@pytest.mark.parametrize(("encoding", "mark"), [("cp1251", "-"), ("ascii", "✗")])
def test_any_encoding(encoding: str, mark: str) -> None:
    """Кодировка без ✗ получит минус, без кириллицы — станет UTF-8."""
    command = [sys.executable, str(CHECKER), "1", str(new_file("my.py"))]
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=env, check=False)
    text = done.stdout.decode("cp1251" if encoding == "cp1251" else "utf-8")
    assert f"{mark} {homework.CHECKS['imported'].title}" in text
    assert done.stderr == b""


@posix
@pytest.mark.long
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_interrupted_leaves_nothing(name: str) -> None:
    """Ctrl-C посреди проверки: не остаётся ни одного процесса."""
    command = [sys.executable, str(CHECKER), "5", str(GIVEN[4])]
    quiet: dict = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:
        checker = psutil.Process(process.pid)
        assert eventually(lambda: len(checker.children(recursive=True)) >= 3, 20)
        family = checker.children(recursive=True)
        process.send_signal(getattr(signal, name))
        assert process.wait(10) != 0
    assert eventually(lambda: not any(one.is_running() and alive(one) for one in family))


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@pytest.mark.long
def test_busy_machine_is_not_blamed_on_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Процессы работали одновременно, но ядер им не досталось: судить нельзя."""
    line = homework.Line("cores", None, "занято ядер 0,9", noisy=True)
    monkeypatch.setattr(homework, "free_cores", lambda: 1.0)
    monkeypatch.setattr(homework, "CORES", 2)
    (excused,) = homework.excuse([line])
    assert excused.holds is None
    assert "судить нельзя: машина занята, свободно ядер 1,0" in excused.words
