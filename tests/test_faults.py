"""Беды: слово Python целиком, код 1, ни зависаний, ни оставленных процессов (правило 13 урока)."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_all_start_methods, get_start_method
from pathlib import Path
from typing import IO, NamedTuple

import psutil
import pytest
from conftest import (
    environment,
    eventually,
    every_script,
    new_file,
    posix,
    script,
    source,
)
from readme import TEXT

pytestmark = [posix, pytest.mark.timeout(60)]
PARENTS = (1, 2, 4, 7)  # у остальных детей нет или почти нет
OTHERS = sorted({"spawn", "forkserver"} & {*get_all_start_methods()} - {get_start_method()})


class Program(NamedTuple):
    """Запущенная программа и файл, куда она и её дети пишут об ошибках."""

    process: subprocess.Popen[str]
    stdout: IO[str]
    errors: Path

    def ends(self, code: int, seconds: float = 35) -> str:
        """Ждать конца с этим кодом; вернуть написанное об ошибках."""
        if not self.stdout.closed:
            self.stdout.read()
        assert self.process.wait(timeout=seconds) == code
        return self.errors.read_text("utf-8", "replace")

    def gets_pythons_word(self) -> str:
        """Кончается сама, с кодом 1 и трассировкой целиком; последняя её строка.

        Рядом бывают и трассировки детей: у них первой строкой не сама программа.
        """
        text = self.ends(1)
        own = re.search(r'(?m)^  File ".*_\w+\.py", line \d+, in <module>$', text)
        assert own and "Traceback (most recent call last):\n" in text, text
        return re.findall(r"(?m)^[\w.]+(?:Error|Exception|Pool)\b.*", text[own.end() :])[0]


@contextmanager
def started(
    path: Path, method: str = "", startup: str = "", children: bool = False
) -> Iterator[Program]:
    """Программа в своём сеансе, уже напечатавшая первую строку; после with от неё ничего нет.

    Способ запуска сменит она сама: детям и серверу этого делать незачем.
    """
    once = f"m.set_start_method({method!r}, force=True)" if method else "pass"
    startup += f"\nimport multiprocessing as m, sys\nif '-c' not in sys.orig_argv: {once}"
    options: dict = {"stdout": subprocess.PIPE, "encoding": "utf-8", "env": environment(startup)}
    options["preexec_fn"] = lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)  # и под nohup
    command = [sys.executable, str(path)]
    file = new_file("errors")  # не канал: его конца ждали бы и от тех, кто остался
    with (
        file.open("w") as errors,
        subprocess.Popen(command, stderr=errors, start_new_session=True, **options) as process,
    ):
        assert process.stdout
        try:
            assert process.stdout.readline()
            if children:
                assert eventually(lambda: bool(alive(process.pid)))
            yield Program(process, process.stdout, file)
            assert eventually(lambda: not alive(process.pid, service=True)), "остались процессы"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def alive(leader: int, service: bool = False) -> list[psutil.Process]:
    """Живые процессы сеанса, кроме самой программы; service — и служебные у multiprocessing."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.Error):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                command = " ".join(process.cmdline())
                server = "forkserver import" in command and process.ppid() == leader
                if service or not (server or "resource_tracker" in command):
                    found.append(process)
    return [process for process in found if process.pid != leader]


def assert_readme_knows(last: str) -> None:
    """Имя исключения из последней строки есть в README.md: «Если что-то не так»."""
    name = last.partition(":")[0].rpartition(".")[2]
    assert name in TEXT, f"«Если что-то не так» в README.md не знает последней строки «{last}»"


# --- Программу кончают снаружи ---


def ends() -> list:
    """Сигнал, программа, способ запуска; Ctrl-C и kill -9 у родителей — в обычном наборе."""
    cases = []
    for name in ("SIGINT", "SIGKILL", "SIGTERM", "SIGHUP"):
        for number in range(1, 8):
            usual = number in PARENTS and name in ("SIGINT", "SIGKILL")
            for method in ["", *OTHERS] if number == 7 else [""]:
                marks = [] if usual and not method else [pytest.mark.long]
                cases.append(pytest.param(name, number, method, marks=marks))
    return cases


@pytest.mark.parametrize(("name", "number", "method"), ends())
def test_program_that_was_ended_leaves_nothing(name: str, number: int, method: str) -> None:
    """Ctrl-C, kill, kill -9, закрытый терминал: убита сигналом, и через 5 с ничего от неё нет."""
    with started(script(number), method, children=number in PARENTS) as program:
        # Ctrl-C и закрытый терминал достаются всем его процессам, kill — одному.
        end = os.killpg if name in ("SIGINT", "SIGHUP") else os.kill
        end(program.process.pid, getattr(signal, name))
        program.ends(-getattr(signal, name), 10)


@pytest.mark.parametrize("number", [2, 4, 7])
def test_killed_child_gets_pythons_word_and_nobody_waits_for_ever(number: int) -> None:
    """Ребёнка убили снаружи: трассировка, код 1, никто не ждёт его вечно."""
    with started(script(number), children=True) as program:
        begin, seen = time.monotonic(), dict[int, float]()
        while program.process.poll() is None:
            for child in alive(program.process.pid):
                now = time.monotonic()
                if now - seen.setdefault(child.pid, now) > 0.03:  # уже не только что родился
                    with suppress(psutil.Error):
                        child.kill()
            time.sleep(0.005)
            assert time.monotonic() - begin < 35, "ждёт убитого"
        assert_readme_knows(program.gets_pythons_word())


# --- Вывод некуда деть ---


@pytest.mark.long
@every_script
def test_output_that_nobody_reads_gets_pythons_word(number: int) -> None:
    """python3 N_….py | head -1: BrokenPipeError и код 1."""
    with started(script(number)) as program:
        program.stdout.close()
        assert program.gets_pythons_word().startswith("BrokenPipeError: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="нужен /dev/full")
@every_script
def test_full_disk_gets_pythons_word(number: int) -> None:
    """Диск переполнен: OSError с трассировкой и код 1."""
    command = [sys.executable, str(script(number))]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("OSError: ")


# --- Система отказала ---

REFUSALS = {
    "семафоров": "import _multiprocessing; del _multiprocessing.SemLock",
    "процессов": """
import os
from multiprocessing import util
def refuse(*_, **__): raise BlockingIOError(11, "Resource temporarily unavailable")
os.fork = util.spawnv_passfds = refuse
""",
    "потоков": """
import threading
def refuse(*_, **__): raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
""",
}
REFUSED = [*(("семафоров", n) for n in (2, 4, 7)), *(("процессов", n) for n in (1, 2, 4, 5, 7))]
REFUSED += [("потоков", n) for n in (4, 5, 6, 7)]


@pytest.mark.parametrize(("what", "number"), REFUSED)
def test_refusal_of_the_system_gets_pythons_word(what: str, number: int) -> None:
    """Предел на процессы или потоки, нет семафоров: трассировка, код 1, ничего не осталось."""
    with started(script(number), startup=REFUSALS[what]) as program:
        assert_readme_knows(program.gets_pythons_word())


# --- Ошибки самого ученика ---

MISTAKES = {
    "FileNotFoundError": 'open("нет такого файла")',
    "RecursionError": "(lambda again: again(again))(lambda again: again(again))",
    "dictionary changed size during iteration": "d = {1: 2}; [d.update({k + 1: 3}) for k in d]",
    "TypeError": 'len(1, "лишнее")',
    "NameError": "print(wrok)",
}
PLACES = dict.fromkeys(range(1, 8), ("experiment", "report"))
CASES = [
    pytest.param(number, error, marks=[] if number % 5 == place else [pytest.mark.long])
    for number in range(1, 8)
    for place, error in enumerate(MISTAKES)
]


def spoiled(number: int, function: str, code: str) -> tuple[Path, int]:
    """Копия, где функция начинается с ошибки, и номер строки с нею."""
    text = source(number)
    (node,) = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function
    )
    first = node.body[1] if ast.get_docstring(node) else node.body[0]
    rows = text.splitlines(keepends=True)
    rows.insert(first.lineno - 1, f"{' ' * first.col_offset}{code}\n")
    return new_file(script(number).name, "".join(rows)), first.lineno


@pytest.mark.parametrize(("number", "error"), CASES)
def test_learners_mistake_keeps_its_line_number(number: int, error: str) -> None:
    """Ошибка в копии программы: трассировка с номером её строки, код 1, ничего не осталось."""
    path, line = spoiled(number, "experiment", MISTAKES[error])
    with started(path) as program:
        assert error in program.gets_pythons_word()
        assert f"line {line}, in " in program.errors.read_text("utf-8")


def ideas() -> list[tuple[int, str]]:
    """Все функции до черты: номер программы и имя."""
    found = []
    for number in range(1, 8):
        top = source(number).partition("# --- Измерения и вывод")[0]
        found += [(number, name) for name in re.findall(r"(?m)^(?:async )?def (\w+)", top)]
    return found


@pytest.mark.long
@pytest.mark.parametrize(("number", "function"), ideas())
def test_mistake_in_any_function_of_the_page_is_seen_and_hangs_nothing(
    number: int, function: str
) -> None:
    """Описка в любой функции до черты, хоть в ребёнке, хоть в потоке: NameError с её строкой.

    Если ошибка в потоке никому не помешала, код остаётся 0: так решает сам Python.
    """
    called = new_file("called")
    path, line = spoiled(number, function, f"open({str(called)!r}, 'w').write('да'); wrok")
    with started(path) as program:
        program.stdout.read()
        code = program.process.wait(timeout=35)
        text = program.errors.read_text("utf-8")
    if not called.read_text():
        assert (code, text) == (0, "")
        pytest.skip("в обычном прогоне её не зовут")
    assert (
        code == 1 or "Exception in thread" in text
    )  # поток с ошибкой Python не считает бедой всех
    assert "NameError: name 'wrok' is not defined" in text and f"line {line}, in " in text
