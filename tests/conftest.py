"""Общее для тестов: запуск программ урока так, как их запускает читатель, и чтение вывода.

Переменная LESSON_DIR указывает папку с программами; так test_lies.py подсовывает им ложь.
"""

import importlib
import os
import re
import signal
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
# У запущенного в фоне (pytest &) Ctrl-C заглушён, и заглушённым его получили бы программы.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Утверждения урока. Где каждое видно, говорит README.md; проверяют его тесты с ним в имени.
CLAIMS = re.findall(r"\w+", "O1 O2 O3 P1 P2 P4 P5 P6a P6b M1 M2 M3 M4 M5 R1 R2 R3 R4")
CLAIMS += re.findall(r"\w+", "T1 T2 T3 T4 T5a T5b T5c T5d T6 T6x T7")

several_cores = pytest.mark.skipif(CORES < 2, reason="нужно хотя бы два ядра")
with_gil = pytest.mark.skipif(not GIL, reason="у этого интерпретатора нет GIL")
posix = pytest.mark.skipif(os.name != "posix", reason="сигналы и зомби есть только в POSIX")
windows = pytest.mark.skipif(os.name != "nt", reason="так бывает только в Windows")
every_script = pytest.mark.parametrize("number", range(1, 8))

# startup — код, который каждый процесс программы выполнит первым: опыты с известным исходом.
# Часы процессорного времени, как в Windows: они идут шагами по 15,625 мс.
TICKING_CLOCKS = """
import time
def ticking(clock):
    return lambda: clock() // 0.015625 * 0.015625
def ticking_ns(clock):
    return lambda: clock() // 15_625_000 * 15_625_000
time.process_time, time.thread_time = ticking(time.process_time), ticking(time.thread_time)
time.process_time_ns = ticking_ns(time.process_time_ns)
time.thread_time_ns = ticking_ns(time.thread_time_ns)
"""
# Столько ядер, сколько скажем, что бы ни было на самом деле: many_cores(64).
MANY_CORES = """
import os
os.cpu_count = os.process_cpu_count = lambda: {0}
if hasattr(os, "sched_getaffinity"):
    os.sched_getaffinity = lambda pid: set(range({0}))
"""


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Под ложью сперва идут тесты, которые программу не запускают: обычно её видят и они."""

    def starts_the_script(item: pytest.Function) -> bool:
        names = {"run", "output", "timed_output", "changed"}
        return bool(names & set(item.function.__code__.co_names))

    if LESSON != ROOT:
        items.sort(key=starts_the_script)


def many_cores(cores: int) -> str:
    """startup, после которого программа видит столько ядер."""
    return MANY_CORES.format(cores)


def script(number: int) -> Path:
    """Путь к программе урока по её номеру."""
    return next(path for path in SCRIPTS if path.name.startswith(f"{number}_"))


def source(number: int) -> str:
    """Текст программы урока."""
    return script(number).read_text("utf-8")


def load(number: int) -> ModuleType:
    """Программа как модуль: для проверки её функций; main() не вызывается."""
    return importlib.import_module(script(number).stem)


def new_file(name: str, text: str = "") -> Path:
    """Файл в новой папке."""
    path = Path(mkdtemp(dir=TEMP.name)) / name
    path.write_text(text, "utf-8")
    return path


def copy(number: int, *changes: tuple[str, str]) -> Path:
    """Копия программы, в которой кое-что заменено."""
    text = source(number)
    for old, new in changes:
        if text.count(old) != 1 and ROOT != LESSON:
            pytest.skip(f"ложь не даёт поставить опыт: {old}")  # это ещё не значит, что поймана
        assert text.count(old) == 1, f"{script(number).name}: нет или не одно: {old}"
        text = text.replace(old, new)
    return new_file(script(number).name, text)


def quick(number: int, *changes: tuple[str, str]) -> Path:
    """Копия программы, в которой только два круга: там, где важен ход, а не числа."""
    (rounds,) = re.findall(r"(?m)^ROUNDS = \d+", source(number))
    return copy(number, (rounds, "ROUNDS = 2"), *changes)


def environment(startup: str = "", **env: str) -> dict[str, str]:
    """Переменные среды; startup выполнит каждый процесс программы."""
    whole = {**os.environ, "PYTHONUTF8": "1", **env}
    if startup:
        folder = str(new_file("sitecustomize.py", startup).parent)
        whole["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, whole.get("PYTHONPATH")]))
    return whole


def run(path: Path, *args: str, startup: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Выполнить программу урока или её копию до конца."""
    command, env = [sys.executable, str(path), *args], environment(startup, **env)
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=env)


def good(done: subprocess.CompletedProcess[str]) -> str:
    """Вывод программы, которая кончилась благополучно."""
    assert (done.returncode, done.stderr) == (0, ""), "должна была кончиться молча и с кодом 0"
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


def free_cores() -> float:
    """Сколько ядер достаётся сейчас двум процессам, которые не имеют отношения к уроку."""
    spin = "begin, cpu = perf_counter(), process_time()\nwhile perf_counter() < begin + 0.3: pass"
    code = f"from time import *\n{spin}\nprint((process_time() - cpu) / (perf_counter() - begin))"
    command = [sys.executable, "-I", "-S", "-c", code]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    return sum(float(process.communicate()[0]) for process in both)


@cache
def free_cores_after(text: str) -> float:
    """Сколько ядер было свободно сразу после прогона, который дал этот вывод."""
    return free_cores()


def judged(text: str) -> str:
    """Тот же вывод, если по нему можно судить; если ядра заняты чужим, тест будет пропущен."""
    if "судить нельзя" in text:
        pytest.skip("ядра заняты: программа сама говорит, что судить нельзя")
    if (free := free_cores_after(text)) < 0.9 * min(CORES, 2):
        pytest.skip(f"ядра заняты: двум посторонним процессам досталось {free:.2f} ядра")
    return text


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


def bars(text: str) -> list[str]:
    """Полосы шкалы времени."""
    return re.findall(r"\|(.*)\|", text)


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
