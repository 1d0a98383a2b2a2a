"""Где программу запускают: не в терминале, в папке с трудным именем, в Windows, в macOS."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copy

import psutil
import pytest
from conftest import (
    CORES,
    GIL,
    TICKING_CLOCKS,
    conclusions,
    environment,
    eventually,
    every_script,
    good,
    new_file,
    output,
    posix,
    quick,
    run,
    script,
    source,
    windows,
)
from readme import TEXT

LINE = "Запустите прямо в терминале: python3 имя_файла.py"
WITH_PROCESSES = [number for number in range(1, 8) if "get_start_method" in source(number)]


# --- Не терминал: IDLE, блокнот, профилировщик, стандартный ввод ---


def told_where_to_run(done: subprocess.CompletedProcess[str]) -> bool:
    """Сказано одной строкой, где запускать, и больше ничего не сделано."""
    text = done.stdout + done.stderr
    return text.count(LINE) == 1 and "Вывод: " not in text and "Traceback (most" not in text


@every_script
def test_standard_input_gets_one_line(number: int) -> None:
    """python3 < N_….py: одна строка и код 1 вместо PicklingError из каждого ребёнка."""
    with script(number).open() as stdin:
        done = subprocess.run(
            [sys.executable, "-"],
            stdin=stdin,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env=environment(),
        )
    assert (done.returncode, done.stderr, done.stdout) == (1, "", f"{LINE}\n")


HOST = """
import runpy, signal, sys
try:
    runpy.run_path(sys.argv[1], run_name="__main__")
except SystemExit as end:
    print(end.code, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@every_script
def test_host_like_jupyter_or_idle_is_left_unharmed(number: int) -> None:
    """Внутри чужой программы: одна строка, код 1, а Ctrl-C хозяина остаётся при нём."""
    done = run(new_file("host.py", HOST), str(script(number)))
    assert good(done) == f"{LINE}\n1 True\n"


HOSTS = {
    "cProfile": ["-m", "cProfile", "FILE"],
    "profile": ["-m", "profile", "FILE"],
    "trace": ["-m", "trace", "--listfuncs", "FILE"],
    "pdb": ["-m", "pdb", "-c", "continue", "-c", "quit", "FILE"],
    "exec": ["-c", "exec(open('FILE', encoding='utf-8').read())"],
    "-m": ["-m", "MODULE"],
}


@pytest.mark.parametrize("number", [3, pytest.param(7, marks=pytest.mark.long)])
@pytest.mark.parametrize("host", HOSTS)
def test_what_takes_the_place_of_main_gets_one_line(host: str, number: int, tmp_path: Path) -> None:
    """Профилировщик, отладчик и exec(): одна строка, а не десятки строк PicklingError."""
    path = Path(copy(script(number), tmp_path))
    words = {"FILE": path.as_posix(), "MODULE": path.stem}
    command = [re.sub("FILE|MODULE", lambda m: words[m[0]], one) for one in HOSTS[host]]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=environment(),
    )
    assert told_where_to_run(done), done.stdout + done.stderr
    if host in ("exec", "-m"):
        assert done.returncode == 1


def test_the_line_can_be_read_where_there_is_no_cyrillic() -> None:
    """И эта строка — не «?» и не UnicodeEncodeError."""
    done = run(new_file("host.py", HOST), str(script(3)), PYTHONIOENCODING="cp1252")
    assert told_where_to_run(done), done.stderr


@pytest.mark.parametrize("number", [3, pytest.param(4, marks=pytest.mark.long)])
def test_interactive_python_runs_truly_and_keeps_its_ctrl_c(number: int) -> None:
    """python3 -i N_….py: настоящий прогон, потом приглашение, и Ctrl-C его не убьёт."""
    question = "import signal; signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
    done = subprocess.run(
        [sys.executable, "-i", str(quick(number))],
        input=question,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env=environment(),
    )
    assert done.returncode == 0 and conclusions(done.stdout)
    assert "True" in done.stdout and "Traceback" not in done.stderr


# --- Папки ---


def in_folder(number: int, folder: str, **env: str) -> str:
    """Вывод копии в два круга из папки с таким именем."""
    path = quick(number)
    place = path.parent / folder
    place.mkdir()
    there = path.rename(place / path.name)
    done = subprocess.run(
        [sys.executable, str(there)],
        capture_output=True,
        check=False,
        cwd=place,
        env=environment(**env),
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


@pytest.mark.long
@every_script
def test_folder_with_spaces_and_decomposed_cyrillic(number: int) -> None:
    """Пробелы, кавычки и «й» из двух знаков (так имена хранит macOS)."""
    folder = "мои\u0306 урок 'и' й"
    assert "и\u0306" in folder
    assert conclusions(in_folder(number, folder))


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="имена не из UTF-8 бывают в Linux")
@every_script
def test_folder_whose_name_is_not_utf8(number: int) -> None:
    """Имя папки в cp1251: pickle, интерпретаторы и блоки памяти должны это пережить."""
    assert conclusions(in_folder(number, os.fsdecode("урок".encode("cp1251"))))


@pytest.mark.long
@posix
@every_script
def test_cyrillic_folder_where_python_thinks_that_all_is_ascii(number: int) -> None:
    """LC_ALL=C без UTF-8: имя папки для Python — байты, а вывод всё равно в UTF-8."""
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert conclusions(in_folder(number, "урок", **env))


@pytest.mark.long
@posix
@every_script
def test_path_like_that_of_a_network_folder(number: int) -> None:
    """Путь с двумя косыми чертами в начале."""
    path = quick(number)
    assert conclusions(good(run(Path("//") / path.relative_to("/"))))


OWN = ("queue", "random", "socket", "threading", "signal", "statistics", "typing", "math")
SEEN = ("cannot import name", "has no attribute")  # одно из этого будет в последней строке


@pytest.mark.long
@pytest.mark.parametrize("name", OWN)
@every_script
def test_learners_own_file_beside_gets_pythons_word(number: int, name: str) -> None:
    """Свой queue.py рядом не мешает, или видна трассировка с тем, что ищут в README.md."""
    path = quick(number)
    (path.parent / f"{name}.py").write_text("print('моя программа')\n", "utf-8")
    done = run(path)
    if done.returncode:
        assert done.returncode == 1
        assert any(words in done.stderr.splitlines()[-1] for words in SEEN)


def test_readme_knows_the_line_that_is_seen_beside_ones_own_file() -> None:
    """«Если что-то не так» называет строку, которую увидит тот, чей queue.py лежит рядом."""
    for words in (*SEEN, "consider renaming", "queue.py"):
        assert words in TEXT, f"в README.md нет «{words}»"


# --- Чего нет в Windows и macOS ---

POORER = """
import multiprocessing, os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.cpu_count = lambda: 1
for name in {"sched_getaffinity", "waitid"} & {*dir(os)}:
    delattr(os, name)
multiprocessing.set_start_method("spawn", force=True)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""
MACOS = """
import multiprocessing, os, sys
if hasattr(os, "sched_getaffinity"):
    del os.sched_getaffinity
multiprocessing.set_start_method("spawn", force=True)
from multiprocessing import queues, shared_memory
def no_size(self):
    raise NotImplementedError  # sem_getvalue
queues.Queue.qsize = no_size
def pages(fd, size, ftruncate=os.ftruncate):
    ftruncate(fd, -(-size // 16384) * 16384)
os.ftruncate = pages
def shm_open(name, *args, open=shared_memory._posixshmem.shm_open, **options):
    assert len(name) <= 31, name
    return open(name, *args, **options)
shared_memory._posixshmem.shm_open = shm_open
"""


@pytest.mark.long
@posix
@every_script
def test_one_core_no_cyrillic_and_what_windows_lacks_are_no_reason_to_fail(number: int) -> None:
    """Одно ядро, spawn, нет resource и waitid: ни трассировки, ни вопросительных знаков."""
    text = good(run(quick(number), startup=POORER, PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert "ядер: 1" in text.splitlines()[0] and conclusions(text)


@pytest.mark.long
@posix
@every_script
def test_what_macos_has_otherwise_is_no_reason_to_fail(number: int) -> None:
    """Блоки памяти целыми страницами по 16 КиБ, очередь без длины, имена до 31 знака."""
    text = good(run(quick(number), startup=MACOS))
    assert conclusions(text)


def of_cores(text: str) -> list[tuple[float, float]]:
    """Все «занято ядер … из …» выводов."""
    pairs = re.findall(r"занято ядер (\d+,\d+) из (\d+)", " ".join(conclusions(text)))
    return [(float(busy.replace(",", ".")), float(cores)) for busy, cores in pairs]


@pytest.mark.long
@pytest.mark.parametrize("number", [3, 4, 5, 7])
def test_clocks_that_tick_as_in_windows_never_give_a_wrong_conclusion(number: int) -> None:
    """Часы процессорного времени идут шагами по 15,6 мс: верно или «судить нельзя»."""
    text = good(run(script(number), startup=TICKING_CLOCKS))
    told = " ".join(conclusions(text))
    assert told
    for busy, cores in of_cores(text):
        assert 0 < busy <= 1.05 * cores, text
    if "судить нельзя" in told:
        return
    if number == 3:
        assert "одно за другим" in told
    if number == 4:
        assert ("одновременно" in told) == (CORES > 1), text
    if number == 5:
        assert ("попеременно" in told) == (GIL or CORES == 1), text


# --- Windows ---


def children_of(process: subprocess.Popen) -> list[psutil.Process]:
    """Дети программы, как только появятся."""
    own = psutil.Process(process.pid)
    assert eventually(lambda: bool(own.children(recursive=True)), 20)
    return own.children(recursive=True)


def gone(processes: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not any(process.is_running() for process in processes)


@windows
@pytest.mark.parametrize("number", WITH_PROCESSES)
def test_windows_has_only_spawn(number: int) -> None:
    """В первой строке — spawn: других способов запуска в Windows нет."""
    assert output(number).splitlines()[0].endswith("способ запуска: spawn")


@windows
@pytest.mark.parametrize("number", [1, 2, 4, 7])
def test_windows_children_end_after_their_parent(number: int) -> None:
    """TerminateProcess программы: её дети кончаются сами, за 5 с."""
    with subprocess.Popen(
        [sys.executable, str(script(number))], stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout
        process.stdout.readline()
        children = children_of(process)
        process.kill()
        assert eventually(gone(children))


# Ctrl-C получают все процессы консоли; эта программа заводит свою, чтобы не задеть pytest.
CONSOLE = """
import ctypes, os, signal, subprocess, sys
script, answer = sys.argv[1:]
program = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
program.stdout.readline()
ctypes.windll.kernel32.SetConsoleCtrlHandler(None, 1)  # самому Ctrl-C не нужен
os.kill(0, signal.CTRL_C_EVENT)
code = program.wait(20)
with open(answer, "w") as file:
    print(code & 0xFFFFFFFF, file=file)
"""


@windows
@pytest.mark.parametrize("number", [3, 4, 5, 6, 7])  # 1 и 2 заняты рождением детей: Wine не вынесет
def test_windows_ctrl_c_in_a_console_ends_the_program(number: int) -> None:
    """Ctrl-C в консоли: программа убита им (0xC000013A), а не дожила до конца."""
    answer = new_file("answer")
    flags = getattr(subprocess, "CREATE_NEW_CONSOLE", 0)
    command = [sys.executable, str(new_file("console.py", CONSOLE)), str(script(number))]
    command.append(str(answer))
    subprocess.run(command, creationflags=flags, check=True, timeout=60, env=environment())
    assert int(answer.read_text()) == 0xC000013A
