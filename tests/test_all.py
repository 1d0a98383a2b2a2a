"""Что верно для всех семи программ: только стандартная библиотека, вид вывода, параметры."""

import ast
import os
import platform
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import (
    CORES,
    GIL,
    ROOT,
    SCRIPTS,
    cells,
    conclusions,
    numbers,
    output,
    posix,
    rows,
    run,
    run_after,
    script,
    timed_output,
)

every_script = pytest.mark.parametrize("number", range(1, 8))


def test_seven_scripts_and_nothing_else_at_the_top_level() -> None:
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert visible - {"uv.lock"} == {
        *(path.name for path in SCRIPTS),
        *("README.md", "static", "tests", "pyproject.toml"),
    }
    assert [path.name[0] for path in SCRIPTS] == list("1234567")


@every_script
def test_script_imports_nothing_but_the_standard_library(number: int) -> None:
    for node in ast.walk(ast.parse(script(number).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        else:
            continue
        for name in names:
            known = name.split(".")[0] in sys.stdlib_module_names
            assert known or (name == "distributed" and node.col_offset)  # только ради --cluster


@every_script
def test_script_runs_on_a_bare_python_from_any_directory(number: int, tmp_path: Path) -> None:
    copy = tmp_path / "урок о потоках" / script(number).name
    copy.parent.mkdir()
    copy.write_bytes(script(number).read_bytes())
    elsewhere = tmp_path / "read only"
    elsewhere.mkdir(mode=0o555)
    command = [sys.executable, "-I", "-S", "-O", "-W", "error", str(copy)]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Вывод: " in done.stdout.decode()


@every_script
def test_first_line_tells_the_truth_about_this_interpreter(number: int) -> None:
    first = output(number).splitlines()[0]
    gil = "включён" if GIL else "выключен"
    assert first.startswith(
        f"Python {platform.python_version()}, GIL {gil}, {platform.system()}, ядер: {CORES}"
    )
    if "import multiprocessing" in script(number).read_text("utf-8"):
        code = "import multiprocessing as m; print(m.get_start_method())"
        method = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
        assert first.endswith(f", способ запуска: {method}")


@every_script
def test_output_comes_at_once_and_is_never_silent_for_long(number: int) -> None:
    _, moments = timed_output(number)
    assert moments[0] < 2  # обычно меньше 0.2 с
    assert max(after - before for before, after in pairwise(moments)) < 6  # обычно меньше 2 с
    assert moments[-1] < 30  # обычно меньше 5 с, у последней — меньше 10 с


@every_script
def test_output_fits_80_columns_and_ends_with_conclusions(number: int) -> None:
    lines = output(number).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(re.search(r"\s$|\t|\x1b", line) for line in lines)
    assert 10 <= len(lines) <= 26
    assert conclusions(output(number))
    assert lines[-1].startswith(("Вывод: ", "  "))


@every_script
def test_help_is_the_docstring_in_russian(number: int) -> None:
    for option in ("-h", "--help"):
        done = run(number, option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == (
            ast.get_docstring(ast.parse(script(number).read_text("utf-8")))
        )
        assert max(map(len, done.stdout.splitlines())) <= 80
        for known in re.findall(r'add_argument\(\s*"(--\w+)"', script(number).read_text("utf-8")):
            assert known in done.stdout
    for heading in ("Раздел", "Смотрите: ", "Попробуйте: ", "Параметр"):
        assert heading in done.stdout


@every_script
@pytest.mark.parametrize(
    "bad",
    [
        *(["--work", value] for value in ("0", "-1", "abc", "", "1000000")),
        *(["--workers", value] for value in ("0", "-1", "1.5", "99999")),
        *(["--work"], ["--unknown"], ["лишнее"]),
    ],
)
def test_bad_value_gets_one_clear_line_and_status_2(number: int, bad: list[str]) -> None:
    done = run(number, *bad)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Непонятно: ") and "--help" in done.stderr
    assert "usage" not in done.stderr and "error" not in done.stderr


WATCH = """
import itertools, os, time
time.perf_counter = lambda real=time.perf_counter: 1e6 * real()
def note():
    with open(os.environ["PIDS"], "a") as file:
        print(os.getpid(), os.getppid(), file=file)
note()
if os.name == "posix":
    import resource, types
    os.register_at_fork(after_in_child=note)
    switches = itertools.count(step=1000)
    usage = lambda _: types.SimpleNamespace(ru_nvcsw=0, ru_nivcsw=next(switches))
    resource.getrusage = usage
"""


@cache
def watched(number: int) -> tuple[str, list[list[str]]]:
    """Вывод, если часы быстрее в миллион раз, а переключений всякий раз на тысячу больше.

    И ещё pid всех процессов программы с pid их родителей, начиная с неё самой.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        args = ["--workers", "16"] if number == 6 else []
        text = run_after(WATCH, folder, number, *args, PIDS=str(folder / "pids"))
        return text, [line.split() for line in (folder / "pids").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("number", range(1, 7))  # у седьмой часы проверены в её тестах
def test_every_time_is_measured_by_the_clock(number: int) -> None:
    text, _ = watched(number)
    said = " ".join(conclusions(text))
    if number == 1:
        times = [float(words[-2]) for words in rows(text, "fork", "spawn") if words[-1] == "мс"]
        assert min(times) > 10_000
    if number == 2:
        assert min(numbers(r"Queue (\d+) мс, .* (\d+) мс", text)) > 10_000
    if number == 3:
        assert numbers(r"занято ядер ([\d.]+)", text) == [0] and "не целиком" in said
    if number == 4:
        assert not any(cells(text, "занято ядер")) and min(cells(text, "запуск, мс")[1:]) > 1000
        assert "судить нельзя" in said or CORES == 1
    if number == 5:
        assert min(numbers(r"поток (\d+) мкс, процесс ([\d.]+) мс", text)) > 10_000
        assert not any(cells(text, "занято ядер")) and "почти не сменяли" in said
    if number == 6:
        assert min(cells(text, "секунд")) > 1000
        assert max(map(len, text.splitlines())) <= 80  # и при шестнадцати потоках


@posix
@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_pids_are_those_that_the_system_gave(number: int) -> None:
    text, noted = watched(number)
    parents, own = dict(noted), noted[0][0]
    assert parents[own] == str(os.getpid())
    if number == 1:
        assert f"pid {own}, его родитель {os.getpid()}," in text
        for words in rows(text, "fork", "spawn"):
            if words[-1] == "мс":
                assert parents[words[1]] == words[2]
    else:
        pids = re.findall(r"(?:^pid|ребёнок|родитель|процесса) +(\d+)", text, re.MULTILINE)
        assert pids and set(pids) <= set(parents)


@posix
@pytest.mark.parametrize(("number", "title"), [(4, "вытеснений"), (5, "переключений")])
def test_M4_T3_switches_are_those_that_the_system_counted(number: int, title: str) -> None:
    text, _ = watched(number)
    jobs = numbers(r"задания \((\d+)\)", text)[0] if number == 4 else 1
    assert set(cells(text, title)) == {1000 * jobs}


def functions(number: int) -> dict[str, str]:
    """Исходный текст функций и классов программы."""
    text = script(number).read_text("utf-8")
    return {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def test_service_functions_are_the_same_in_every_script() -> None:
    texts: dict[str, set[str]] = {}
    for number in range(1, 8):
        for name, text in functions(number).items():
            texts.setdefault(name, set()).add(text)
    for name in (
        "first_line",
        "Options",
        "signals_held",
        "process_pool",
        "as_child",
        "start_forkserver",
        "run_threads",
    ):
        assert len(texts[name]) == 1, name
    for name in ("stop", "give_up", "run"):  # с процессами и без них
        assert len(texts[name]) == 2, name
    for number in range(1, 8):
        assert {"first_line", "Options", "stop", "give_up", "run", "main"} <= set(functions(number))
    lines = [line for n in range(1, 8) for line in script(n).read_text("utf-8").splitlines()]
    for name in ("CORES", "SIGNALS"):
        assert len({line for line in lines if line.startswith(f"{name} = ")}) == 1


@every_script
def test_script_is_one_page_of_idea_followed_by_the_rest(number: int) -> None:
    text = script(number).read_text("utf-8")
    assert text.index("# --- Измерения") < text.index("# --- Служебное") < text.index("def run(")
    assert text.count("\n") < 430
    assert '\nif __name__ == "__main__":\n    run(main)\n' in text[-200:]
    assert max(map(len, text.splitlines())) <= 100


WINDOWS = """
import multiprocessing, os, signal, sys
sys.modules["resource"] = None
for module, names in (
    (os, ["sched_getaffinity", "waitid", "process_cpu_count"]),
    (signal, ["SIGHUP", "pthread_sigmask", "setitimer"]),
):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
multiprocessing.set_start_method("spawn")
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""


@every_script
def test_script_runs_where_there_is_only_what_windows_has(number: int, tmp_path: Path) -> None:
    text = run_after(WINDOWS, tmp_path, number, *(["--workers", "3"] if number == 7 else []))
    assert conclusions(text)
    if number == 1:
        assert text.count("не узнать") == 7 and "система не сообщает" in text
        assert "изменено  " not in text
    if number in (4, 5):  # 0 переключений было бы неправдой: их никто не считал
        (row,) = rows(text, "вытеснений", "переключений")
        assert set(" ".join(row[1:]).split("не узнать")) <= {"", " "}
        assert "вытеснений" not in " ".join(conclusions(text))
    if number == 7:
        assert "процессы, 3 " in text


@pytest.mark.skipif(sys.version_info < (3, 14), reason="нужна 3.14: там есть интерпретаторы")
def test_row_of_interpreters_is_there_only_where_they_are() -> None:
    assert "интерпретаторы, " in output(7)


@every_script
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp866", "cp1251", "koi8-r"])
def test_output_that_cannot_show_cyrillic_is_no_reason_to_crash(number: int, encoding: str) -> None:
    whole = encoding in ("ascii", "cp866") and number in (1, 2, 5)
    args = [] if whole else ["--help"]  # остальные печатают так же, но дольше
    done = run(number, *args, env={**os.environ, "PYTHONIOENCODING": encoding}, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    if number == 5 and whole:
        bars = [line.split("|")[1] for line in done.stdout.splitlines() if line.count("|") == 2]
        assert bars and (set("".join(bars)) <= {*" ░▒▓█"} or set("".join(bars)) <= {*" .:*#"})
