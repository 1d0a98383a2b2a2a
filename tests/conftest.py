"""Общее для тестов: запуск программ урока так, как их запускает читатель, и чтение вывода.

Переменная LESSON_DIR указывает папку с программами; так test_lies.py подсовывает им ложь.
"""

import importlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LESSON = Path(os.environ.get("LESSON_DIR", ROOT))
SCRIPTS = sorted(LESSON.glob("[1-7]_*.py"))
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
sys.path.insert(0, str(LESSON))  # для load()
TEMP = TemporaryDirectory(ignore_cleanup_errors=True)  # исчезнет вместе с pytest

several_cores = pytest.mark.skipif(CORES < 2, reason="нужно хотя бы два ядра")
with_gil = pytest.mark.skipif(not GIL, reason="у этого интерпретатора нет GIL")
posix = pytest.mark.skipif(os.name != "posix", reason="сигналы и зомби есть только в POSIX")
every_script = pytest.mark.parametrize("number", range(1, 8))

# Код, который каждый процесс программы выполнит первым (sitecustomize): опыты с известным исходом.
# Часы, которые с каждым взглядом прыгают всё дальше: k-й показывает k², прогон m длится 4m + 1.
LEAPING_CLOCKS = """
import time
from itertools import count
def leaping(step, calls): return lambda: step * next(calls) ** 2
time.perf_counter, time.process_time = leaping(1000.0, count()), leaping(700.0, count())
"""
PREEMPTED = """
import sys, types
from itertools import count
def usage(who, calls=count(step=1000)): return types.SimpleNamespace(ru_nivcsw=next(calls))
sys.modules["resource"] = types.SimpleNamespace(getrusage=usage, RUSAGE_SELF=0)
"""
TELL_OF_NAPS = """
import sys, time
def nap(seconds, sleep=time.sleep):
    print("дремота", seconds, file=sys.stderr)
    sleep(seconds)
time.sleep = nap
"""
NOTE_WHO_RUNS = """
import os, threading
def note(file={file!r}):
    with open(file, "a") as notes:
        print(os.getpid(), os.getppid(), threading.get_native_id(), file=notes)
note()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=note)
def run_and_note(self, run=threading.Thread.run):
    note()
    run(self)
threading.Thread.run = run_and_note
"""


def script(number: int) -> Path:
    """Путь к программе урока по её номеру."""
    return next(path for path in SCRIPTS if path.name.startswith(f"{number}_"))


def new_file(name: str, text: str = "") -> Path:
    """Файл в новой папке."""
    path = Path(mkdtemp(dir=TEMP.name)) / name
    path.write_text(text, "utf-8")
    return path


def copy(number: int, *changes: tuple[str, str]) -> Path:
    """Копия программы, в которой кое-что заменено."""
    text = script(number).read_text("utf-8")
    for old, new in changes:
        if text.count(old) != 1 and ROOT != LESSON:
            pytest.skip(f"ложь не даёт поставить опыт: {old}")  # это ещё не значит, что поймана
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return new_file(script(number).name, text)


def environment(startup: str = "", **env: str) -> dict[str, str]:
    """Переменные среды; startup выполнит каждый процесс программы."""
    path = str(new_file("sitecustomize.py", startup).parent)
    return {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": path, **env}


def run(path: Path, *args: str, startup: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Выполнить программу урока или её копию до конца."""
    command, env = [sys.executable, str(path), *args], environment(startup, **env)
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=env)


def good(done: subprocess.CompletedProcess[str]) -> str:
    """Вывод программы, которая кончилась благополучно."""
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def changed(number: int, *changes: tuple[str, str], startup: str = "") -> str:
    """Вывод изменённой копии: опыт с известным исходом."""
    return good(run(copy(number, *changes), startup=startup))


@cache
def timed_output(number: int) -> tuple[str, list[float]]:
    """Вывод и секунды, когда он приходил: голый Python, чужая папка, предупреждение — беда."""
    flags = ["-I", "-S", "-W", "error", "-X", "utf8"]
    command, start = [sys.executable, *flags, str(script(number))], time.perf_counter()
    text, moments, pipe = b"", list[float](), subprocess.PIPE
    with subprocess.Popen(command, cwd=TEMP.name, stdout=pipe, stderr=subprocess.STDOUT) as process:
        assert process.stdout
        while piece := os.read(process.stdout.fileno(), 65536):
            text += piece
            moments.append(time.perf_counter() - start)
    assert process.returncode == 0, text.decode()
    return text.decode().replace(os.linesep, "\n"), moments


def output(number: int) -> str:
    """Вывод программы без параметров: один прогон на все тесты."""
    return timed_output(number)[0]


@cache
def another_output(attempt: int, number: int, *changes: tuple[str, str], startup: str = "") -> str:
    """Ещё один прогон, если предыдущий не задался."""
    usual = attempt == 0 and not changes and not startup
    return output(number) if usual else changed(number, *changes, startup=startup)


def free_cores() -> float:
    """Сколько ядер достаётся сейчас двум процессам, которые не имеют отношения к уроку."""
    spin = "begin, cpu = perf_counter(), thread_time()\nwhile perf_counter() < begin + 0.3: pass"
    code = f"from time import *\n{spin}\nprint((thread_time() - cpu) / (perf_counter() - begin))"
    command = [sys.executable, "-I", "-S", "-c", code]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    return sum(float(process.communicate()[0]) for process in both)


def some(
    holds: Callable[[str], bool], number: int, *changes: tuple[str, str], startup: str = ""
) -> None:
    """Честному хватит одного удачного прогона, а ложь не пройдёт ни в одном.

    Неудача в счёт, только если ядра сразу после неё свободны. Заняты — судить нельзя.
    """
    quiet = 0
    for attempt in range(5):
        if holds(another_output(attempt, number, *changes, startup=startup)):
            return
        quiet += free_cores() > 0.9 * min(CORES, 2)
        if quiet == 3:
            pytest.fail("не так ни в одном из прогонов на свободной машине")
    pytest.skip("ядра заняты чужим: судить нельзя")


def said(text: str) -> list[float]:
    """Числа текста по порядку; дробная часть и после точки, и после запятой."""
    return [float(number.replace(",", ".")) for number in re.findall(r"-?\d+(?:[.,]\d+)?", text)]


def lines(text: str, title: str) -> list[str]:
    """Строки с таким началом, без него."""
    return [line[len(title) :] for line in text.splitlines() if line.startswith(title)]


def cells(text: str, title: str) -> list[float]:
    """Числа единственной строки с таким началом."""
    (line,) = lines(text, title)
    return said(line)


def conclusions(text: str) -> list[str]:
    """Выводы, каждый одной строкой."""
    joined = re.sub(r"\n  (?=\S)", " ", text)
    return [line for line in joined.splitlines() if line.startswith("Вывод: ")]


def conclusion(text: str, word: str) -> str:
    """Единственный вывод с таким словом."""
    (line,) = (line for line in conclusions(text) if word in line)
    return line


def tell(texts: list[str], words: str, never: str) -> None:
    """Выводы помещаются в строки экрана; в них есть эти слова и нет тех (слова — через «|»)."""
    assert max(map(len, texts)) <= 80 - len("Вывод: .")
    missing = [word for word in words.split("|") if word not in " ".join(texts)]
    assert (missing, [word for word in never.split("|") if word in " ".join(texts)]) == ([], [])


def bars(text: str) -> list[str]:
    """Полосы шкалы времени."""
    return re.findall(r"\|(.*)\|", text)


def is_ratio(ratio: float, above: float, below: float, half: float, own: float = 0.05) -> bool:
    """Может ли ratio быть частным чисел, которые напечатаны округлёнными до half?"""
    least = max(below - half, half / 10)
    return (above - half) / (below + half) - own <= ratio <= (above + half) / least + own


@cache
def watched(number: int, *changes: tuple[str, str]) -> tuple[str, list[list[str]]]:
    """Вывод и «pid, pid родителя, номер потока» всех процессов и потоков, начиная с главного."""
    file = new_file("notes")
    text = changed(number, *changes, startup=NOTE_WHO_RUNS.format(file=str(file)))
    return text, [line.split() for line in file.read_text("utf-8").splitlines()]


def eventually(check: Callable[[], bool], seconds: float = 5) -> bool:
    """Стало ли check() истинным за seconds секунд."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def primes_below(limit: int) -> int:
    """Решето Эратосфена: независимая проверка ответов."""
    composite = {m for n in range(2, isqrt(limit) + 1) for m in range(n * n, limit, n)}
    return limit - 2 - len(composite)


def load(number: int) -> ModuleType:
    """Программа как модуль: для проверки её функций; main() не вызывается."""
    return importlib.import_module(script(number).stem)
