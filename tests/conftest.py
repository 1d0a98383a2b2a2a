"""Общее для всех тестов: запуск программ урока так, как их запускает читатель."""

import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(ROOT.glob("[1-7]_*.py"))
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

several_cores = pytest.mark.skipif(CORES < 2, reason="нужно хотя бы два ядра")
with_gil = pytest.mark.skipif(not GIL, reason="у этого интерпретатора нет GIL")
posix = pytest.mark.skipif(os.name != "posix", reason="сигналы и зомби есть только в POSIX")


def script(number: int) -> Path:
    """Путь к программе урока по её номеру."""
    return next(path for path in SCRIPTS if path.name.startswith(f"{number}_"))


def run(number: int, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Выполнить программу с параметрами args до конца; options — для subprocess.run()."""
    command = [sys.executable, str(script(number)), *args]
    settings: dict[str, Any] = {"capture_output": True, "encoding": "utf-8", "timeout": 60}
    return subprocess.run(command, check=False, **(settings | options))


def run_after(startup: str, folder: Path, number: int, *args: str, **env: str) -> str:
    """Вывод программы, если каждый её процесс сначала выполнит startup (как sitecustomize)."""
    (folder / "sitecustomize.py").write_text(startup, "utf-8")
    done = run(number, *args, env={**os.environ, "PYTHONPATH": str(folder), **env})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def run_changed(folder: Path, number: int, *changes: tuple[str, str]) -> str:
    """Вывод копии программы, в которой заменены такие-то строки: опыт с известным исходом."""
    text = script(number).read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "changed.py").write_text(text, "utf-8")
    command = [sys.executable, str(folder / "changed.py")]
    return subprocess.check_output(command, encoding="utf-8", timeout=60)


@cache
def timed_output(number: int) -> tuple[str, list[float]]:
    """Вывод программы без параметров и секунды, когда приходили его части; один прогон на всех."""
    command = [sys.executable, str(script(number))]
    start, parts, moments = time.perf_counter(), [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        while part := os.read(process.stdout.fileno(), 1 << 16):
            parts.append(part)
            moments.append(time.perf_counter() - start)
        assert process.stderr.read() == b""
        watchdog.cancel()
    assert process.returncode == 0
    return b"".join(parts).decode().replace("\r\n", "\n"), moments


def output(number: int) -> str:
    """Вывод программы без параметров: один прогон на все тесты."""
    return timed_output(number)[0]


def tries(number: int) -> Iterator[str]:
    """До пяти прогонов: ядра бывают заняты чужим, но не должны быть заняты им всякий раз."""
    yield output(number)
    for _ in range(4):
        yield run(number).stdout


def rows(text: str, *starts: str) -> list[list[str]]:
    """Слова тех строк вывода, которые начинаются с одного из starts."""
    return [line.split() for line in text.splitlines() if line.startswith(starts)]


def cells(text: str, title: str) -> list[float]:
    """Числа строки таблицы с заголовком title."""
    (line,) = (line for line in text.splitlines() if line.startswith(title))
    return [float(word) for word in re.findall(r"-?\d+\.?\d*", line.removeprefix(title))]


def conclusions(text: str) -> list[str]:
    """Выводы, каждый одной строкой."""
    joined = re.sub(r"\n  (?=\S)", " ", text)
    return [line for line in joined.splitlines() if line.startswith("Вывод: ")]


def numbers(pattern: str, text: str) -> list[float]:
    """Числа из скобок образца в том месте текста, где он встретился впервые."""
    match = re.search(pattern, text, re.MULTILINE)
    assert match, f"в выводе нет {pattern!r}"
    return [float(group) for group in match.groups()]


@cache
def load(number: int) -> ModuleType:
    """Программа как модуль: для проверки её функций; main() не вызывается."""
    spec = importlib.util.spec_from_file_location(f"script_{number}", script(number))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
