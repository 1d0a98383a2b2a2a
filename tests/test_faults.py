"""Что бы ни случилось: ни трассировки, ни оставленных процессов, ни блоков памяти, ни зависаний."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_start_method
from pathlib import Path

import psutil
import pytest
from conftest import posix, run, script

pytestmark = [posix, pytest.mark.timeout(60)]
every_script = pytest.mark.parametrize("number", range(1, 8))
SHARED_MEMORY = Path("/dev/shm")
GIVING_UP = ("Ребёнок убит, или система не дала ему начаться", "Дальше не вышло")


@contextmanager
def started(number: int, lines: int = 1) -> Iterator[subprocess.Popen[str]]:
    """Программа в своём сеансе, уже напечатавшая столько строк; после with от неё ничего нет."""
    command = [sys.executable, str(script(number))]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(command, start_new_session=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            for _ in range(lines):
                process.stdout.readline()
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def session(leader: int) -> list[psutil.Process]:
    """Живые процессы сеанса, кроме самой программы."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            alive = process.status() != psutil.STATUS_ZOMBIE
            if process.pid != leader and os.getsid(process.pid) == leader and alive:
                found.append(process)
    return found


def eventually(check: Callable[[], bool], seconds: float = 2) -> bool:
    """Стало ли check() истинным за seconds секунд."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
    return True


def shared_blocks() -> set[Path]:
    """Блоки общей памяти и семафоры, которые видит система."""
    return set(SHARED_MEMORY.iterdir()) if SHARED_MEMORY.exists() else set()


@every_script
@pytest.mark.parametrize("lines", [1, 3, 5])
def test_interrupt_from_the_terminal_leaves_nothing_behind(number: int, lines: int) -> None:
    before = shared_blocks()
    with started(number, lines) as process:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C достаётся всем процессам терминала
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 128 + signal.SIGINT
        assert errors == "Прервано.\n"
        assert eventually(lambda: not session(process.pid))
        assert eventually(lambda: shared_blocks() <= before)


INTERRUPT_WHILE_IMPORTING = """
import signal, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "argparse":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
"""


@every_script
def test_interrupt_while_modules_are_being_imported(number: int, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT_WHILE_IMPORTING, "utf-8")
    done = run(number, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("number", [1, 4, 5, 7])
def test_closed_terminal_leaves_nothing_behind(number: int) -> None:
    terminal, inside = os.openpty()
    command = [sys.executable, str(script(number))]
    enter = partial(os.login_tty, inside)
    with subprocess.Popen(command, preexec_fn=enter) as process:  # noqa: PLW1509
        os.close(inside)
        with os.fdopen(terminal, encoding="utf-8") as screen:
            for _ in range(3):
                screen.readline()
        assert process.wait(timeout=10) == 128 + signal.SIGHUP
        assert eventually(lambda: not session(process.pid))


@every_script
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signal_to_the_script_alone_ends_its_children_too(number: int, name: str) -> None:
    number_of_signal = getattr(signal, name)
    before = shared_blocks()
    with started(number, 3) as process:
        process.send_signal(number_of_signal)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (128 + number_of_signal, "Прервано.\n")
        assert eventually(lambda: not session(process.pid))
        assert eventually(lambda: shared_blocks() <= before)


def workers(leader: int) -> list[psutil.Process]:
    """Дети программы, кроме служебных процессов multiprocessing."""
    found = []
    for process in session(leader):
        with contextlib.suppress(psutil.Error):
            command = " ".join(process.cmdline())
            service = "resource_tracker" in command or (
                process.ppid() == leader
                and ("forkserver import" in command or get_start_method() == "forkserver")
            )
            if not service:
                found.append(process)
    return found


@pytest.mark.parametrize(
    ("number", "lines", "count"),
    [(1, 1, 1), (2, 1, 1), (2, 15, 1), (4, 1, 1), (4, 1, 2), (7, 1, 1)],
)
def test_children_of_a_killed_script_end_by_themselves(number: int, lines: int, count: int) -> None:
    with started(number, lines) as process:
        while process.poll() is None and len(workers(process.pid)) < count:
            pass
        process.kill()
        assert process.wait(timeout=10) in (-signal.SIGKILL, 0)  # 0: дети так и не попались
        assert eventually(lambda: not session(process.pid), seconds=5)


@pytest.mark.parametrize("number", [4, 7])
def test_child_killed_from_outside_is_reported(number: int) -> None:
    with started(number, 3) as process:
        while process.poll() is None:
            for child in workers(process.pid):
                with contextlib.suppress(psutil.Error):
                    child.kill()
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 1
        assert len(errors.splitlines()) == 1
        assert errors.startswith(GIVING_UP)
        assert eventually(lambda: not session(process.pid))


@every_script
def test_output_closed_early_is_no_reason_to_crash(number: int) -> None:
    with started(number, 1) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=20) in (0, 141)
        assert errors == ""
        assert eventually(lambda: not session(process.pid))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="нужен /dev/full")
@every_script
def test_full_disk_gets_one_line(number: int) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(number, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("Дальше не вышло: OSError")


def test_few_open_files_are_enough() -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    for number in (1, 2, 5):
        done = run(number, preexec_fn=limit)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_sandbox_without_semaphores_gets_one_clear_line(number: int, tmp_path: Path) -> None:
    absent = "import _multiprocessing; del _multiprocessing.SemLock"
    (tmp_path / "sitecustomize.py").write_text(absent, "utf-8")
    done = run(number, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.stdout.startswith("Python ")
    if number == 4:
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("Дальше не вышло: ImportError This platform lacks")
    else:  # остальное показано
        assert (done.returncode, done.stderr) == (0, "")
        assert "Вывод: " in done.stdout


REFUSE = """
import os, threading
from multiprocessing import util

def refuse(*_, **__):
    raise BlockingIOError(11, "Resource temporarily unavailable")

def refuse_thread(*_, **__):
    raise RuntimeError("can't start new thread")

os.fork = util.spawnv_passfds = refuse
threading.Thread.start = refuse_thread
"""


@every_script
def test_limit_on_processes_gets_one_clear_line(number: int, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSE, "utf-8")
    done = run(number, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.stdout.startswith("Python ")
    if number == 3:  # ей не нужны ни процессы, ни потоки
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("Дальше не вышло")


REFUSE_THREADS_TO_CHILDREN = """
import os, threading
parent = os.environ.setdefault("LESSON_PARENT", str(os.getpid()))
start = threading.Thread.start

def refuse(thread):
    if str(os.getpid()) != parent:
        raise RuntimeError("can't start new thread")
    start(thread)

threading.Thread.start = refuse
"""


@pytest.mark.parametrize("number", [2, 4])
def test_children_whom_the_system_refuses_threads(number: int, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSE_THREADS_TO_CHILDREN, "utf-8")
    done = run(number, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    if number == 2:  # очереди поток нужен
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(GIVING_UP)
    else:
        assert (done.returncode, done.stderr) == (0, "")


REFUSE_LATER_THREADS = """
import os, threading
parent, left = os.getpid(), [{allowed}]
start = threading.Thread.start

def refuse(thread):
    if os.getpid() == parent:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("can't start new thread")
    start(thread)

threading.Thread.start = refuse
"""


@pytest.mark.parametrize(("number", "allowed"), [(4, 1), (4, 3), (5, 2), (6, 2), (6, 7), (7, 5)])
def test_thread_refused_in_the_middle_is_no_reason_to_wait_for_ever(
    number: int, allowed: int, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        REFUSE_LATER_THREADS.format(allowed=allowed), "utf-8"
    )
    with_path = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = run(number, env=with_path)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(GIVING_UP)


REFUSE_FORK_TO_SERVER = """
import os, sys

def refuse():
    raise BlockingIOError(11, "Resource temporarily unavailable")

if "forkserver" in " ".join(sys.orig_argv):
    os.fork = refuse
"""


@pytest.mark.skipif(get_start_method() != "forkserver", reason="нужен forkserver по умолчанию")
@pytest.mark.parametrize("number", [1, 2, 4, 5, 7])
def test_forkserver_that_may_not_fork_is_reported_in_one_line(number: int, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSE_FORK_TO_SERVER, "utf-8")
    done = run(number, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(GIVING_UP)
