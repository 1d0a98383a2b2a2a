"""Обыкновенные беды кончаются хорошо: ни оставленных процессов, ни зависаний, ни лишних слов."""
# ruff: noqa: F403, F405

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

import psutil
import pytest
from conftest import *

pytestmark = [posix, pytest.mark.timeout(60)]
OTHERS = sorted({"spawn", "forkserver"} & {*get_all_start_methods()} - {get_start_method()})
WAYS = [*((n, "") for n in range(1, 8)), *((n, way) for n in (4, 7) for way in OTHERS)]
PARENTS = (1, 2, 4, 7)  # у остальных детей нет или почти нет


def quick(number: int, *changes: tuple[str, str]) -> Path:
    """Копия программы в один круг."""
    (rounds,) = re.findall(r"(?m)^ROUNDS = \d", script(number).read_text("utf-8")) or [""]
    return copy(number, *[(rounds, "ROUNDS = 1")] * bool(rounds), *changes)


@contextmanager
def started(number: int, method: str = "") -> Iterator[subprocess.Popen[str]]:
    """Программа в своём сеансе, уже напечатавшая первую строку; после with от неё ничего нет.

    Способ запуска сменит она сама: детям и серверу этого делать незачем.
    """
    once = f"m.set_start_method({method!r}, force=True)" if method else "pass"
    env = environment(f"import multiprocessing as m, sys\nif '-c' not in sys.orig_argv: {once}")
    command, pipe = [sys.executable, str(script(number))], subprocess.PIPE
    with subprocess.Popen(
        command, env=env, start_new_session=True, stdout=pipe, stderr=pipe, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout.readline()
            if number in PARENTS:
                assert eventually(lambda: bool(children(process.pid)))
            yield process
            assert eventually(lambda: not session(process.pid)), "остались процессы"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def session(leader: int) -> list[psutil.Process]:
    """Живые процессы сеанса, кроме самой программы."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if process.pid != leader and os.getsid(process.pid) == leader and alive:
                found.append(process)
    return found


def children(leader: int) -> list[psutil.Process]:
    """Дети программы, кроме служебных процессов multiprocessing."""
    found = []
    for process in session(leader):
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            server = "forkserver import" in command and process.ppid() == leader
            if "resource_tracker" not in command and not server:
                found.append(process)
    return found


@pytest.mark.parametrize(("number", "method"), WAYS)
def test_interrupt_from_the_terminal_ends_at_once_and_leaves_nothing(
    number: int, method: str
) -> None:
    with started(number, method) as process:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C достаётся всем процессам терминала
        assert process.wait(timeout=10) == -signal.SIGINT
        if number > 2 and not method and get_start_method() == "fork":  # никто не рождался
            assert process.stderr.read() == ""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize(("number", "method"), [way for way in WAYS if way[0] in PARENTS])
def test_children_of_a_killed_program_end_by_themselves(
    number: int, method: str, name: str
) -> None:
    with started(number, method) as process:
        process.send_signal(getattr(signal, name))
        assert process.wait(timeout=10) == -getattr(signal, name)


@pytest.mark.parametrize("number", [2, 4, 7])
def test_killed_child_is_reported_in_one_line_and_nobody_waits_for_ever(number: int) -> None:
    with started(number) as process:
        begin = time.monotonic()
        while process.poll() is None:
            for child in children(process.pid):
                with suppress(psutil.Error):
                    child.kill()
            time.sleep(0.005)
            assert time.monotonic() - begin < 35
        assert process.returncode == 1
        assert process.stderr.read().splitlines()[-1].startswith("Дальше не вышло: ")


@every_script
def test_output_that_nobody_reads_is_no_reason_to_complain(number: int) -> None:
    with started(number) as process:
        process.stdout.close()  # как | head -1
        assert process.stderr.read() == "" and process.wait(timeout=20) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="нужен /dev/full")
@every_script
def test_full_disk_gets_one_line(number: int) -> None:
    command = [sys.executable, str(script(number))]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert re.fullmatch("Дальше не вышло: OSError: .*\n", done.stderr.decode())


ONE_CORE = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
"""
WINDOWS = """
import multiprocessing, os, sys
sys.modules["resource"] = None
for name in ("sched_getaffinity", "waitid"):
    if hasattr(os, name):
        delattr(os, name)
multiprocessing.set_start_method("spawn", force=True)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""


@every_script
def test_one_core_and_no_cyrillic_are_enough(number: int) -> None:
    text = good(run(quick(number), startup=ONE_CORE, PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert text.isascii() and text.startswith("Python 3.")
    assert ": 1" in text.splitlines()[0] or not hasattr(os, "sched_setaffinity")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_what_windows_lacks_is_no_reason_to_fail(number: int) -> None:
    windows = [('if sys.platform == "win32":', "if True:")] if number in (1, 3, 4) else []
    startup = WINDOWS + ("del os.sysconf" if number == 1 else "")  # в 7 его спросит asyncio
    assert "Вывод: " in good(run(quick(number, *windows), startup=startup))


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
REFUSED += [("потоков", 5), ("потоков", 6)]


@pytest.mark.parametrize(("what", "number"), REFUSED)
def test_refusal_of_the_system_gets_one_line(what: str, number: int) -> None:
    done = run(script(number), startup=REFUSALS[what])
    assert done.returncode == 1 and done.stdout.startswith("Python 3.")
    assert re.fullmatch("Дальше не вышло: .*\n", done.stderr)


@pytest.mark.parametrize(("number", "line"), [(3, "return [work(job)"), (4, "primes = sum(")])
def test_learners_mistake_gets_pythons_traceback_with_its_line(number: int, line: str) -> None:
    text = script(number).read_text("utf-8")
    place = text[: text.index(line)].count("\n") + 1
    done = run(copy(number, (line, line.replace("work", "wrok").replace("sum", "smu"))))
    assert done.returncode == 1 and f"line {place}, in " in done.stderr
    assert "NameError" in done.stderr
