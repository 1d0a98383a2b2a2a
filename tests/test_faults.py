"""Обыкновенные беды кончаются хорошо: ни оставленных процессов, ни зависаний, ни лишних слов."""

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
ENDED = [(name, *way) for name in ("SIGINT", "SIGKILL") for way in WAYS]
ENDED += [("SIGHUP", 7, ""), ("SIGTERM", 7, "")]


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
    options: dict = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    options["preexec_fn"] = lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)  # и под nohup
    command = [sys.executable, str(script(number))]
    with subprocess.Popen(command, env=env, start_new_session=True, **options) as process:
        try:
            assert process.stdout.readline()
            if number in PARENTS:
                assert eventually(lambda: bool(alive(process.pid)))
            yield process
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


@pytest.mark.parametrize(("name", "number", "method"), ENDED)
def test_program_that_was_ended_leaves_nothing(name: str, number: int, method: str) -> None:
    with started(number, method) as process:
        # Ctrl-C и закрытый терминал достаются всем его процессам, kill — одному.
        end = os.killpg if name in ("SIGINT", "SIGHUP") else os.kill
        end(process.pid, getattr(signal, name))
        assert process.wait(timeout=10) == -getattr(signal, name)
        if name == "SIGINT" and number > 2 and not method and get_start_method() == "fork":
            assert process.stderr.read() == ""  # никто как раз не рождался


@pytest.mark.parametrize("number", [2, 4, 7])
def test_killed_child_is_reported_in_one_line_and_nobody_waits_for_ever(number: int) -> None:
    with started(number) as process:
        begin, seen = time.monotonic(), dict[int, float]()
        while process.poll() is None:
            for child in alive(process.pid):
                now = time.monotonic()
                if now - seen.setdefault(child.pid, now) > 0.03:  # уже не только что родился
                    with suppress(psutil.Error):
                        child.kill()
            time.sleep(0.005)
            assert time.monotonic() - begin < 35
        assert process.returncode == 1
        assert process.stderr.read().splitlines()[-1].startswith("Дальше не вышло: ")


@every_script
def test_output_that_nobody_reads_gets_one_line(number: int) -> None:
    with started(number) as process:
        process.stdout.close()  # как | head -1
        assert re.fullmatch("Дальше не вышло: BrokenPipeError: .*\n", process.stderr.read())
        assert process.wait(timeout=20) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="нужен /dev/full")
@every_script
def test_full_disk_gets_one_line(number: int) -> None:
    command = [sys.executable, str(script(number))]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert re.fullmatch("Дальше не вышло: OSError: .*\n", done.stderr.decode())


POORER = """
import multiprocessing, os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.cpu_count = lambda: 1
for name in {"sched_getaffinity", "waitid"} & {*dir(os)}:
    delattr(os, name)
sys.modules["resource"] = None
multiprocessing.set_start_method("spawn", force=True)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""


@every_script
def test_one_core_no_cyrillic_and_what_windows_lacks_are_no_reason_to_fail(number: int) -> None:
    windows = ('if sys.platform == "win32":', "if True:")
    path = quick(number, *[windows] * (number in (1, 3, 4)))
    text = good(run(path, startup=POORER, PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert text.isascii() and text.startswith("Python 3.") and ": 1" in text.splitlines()[0]


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
