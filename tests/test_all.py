"""Что верно для всех семи программ: голый Python, вид вывода и текста, параметры."""
# ruff: noqa: F403, F405

import ast
import difflib
import multiprocessing
import platform
import re
import sys
from itertools import pairwise

import pytest
from conftest import *

SERVICE = "# --- Служебное: одно и то же во всех файлах"
LIMITS = dict(zip(range(1, 8), (155, 175, 95, 175, 170, 165, 230), strict=True))


def source(number: int) -> str:
    return script(number).read_text("utf-8")


@every_script
def test_first_line_tells_the_truth_about_this_interpreter(number: int) -> None:
    first = output(number).splitlines()[0]
    gil = "включён" if GIL else "выключен"
    wanted = f"Python {platform.python_version()}, GIL {gil}, {platform.system()}, ядер: {CORES}"
    if "multiprocessing" in source(number):
        wanted += f", способ запуска: {multiprocessing.get_start_method()}"
    assert first == wanted


@every_script
def test_output_comes_at_once_and_is_never_silent_for_long(number: int) -> None:
    _, moments = timed_output(number)
    assert moments[0] < 1.5  # обычно меньше 0.2 с
    assert max(after - before for before, after in pairwise(moments)) < 5  # обычно меньше 2 с
    assert moments[-1] < 30  # обычно меньше 5 с, у последней — меньше 10 с


@every_script
def test_output_fits_the_screen_and_ends_with_conclusions(number: int) -> None:
    lines = output(number).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 24
    assert not any(re.search(r"\s$|\t|\x1b", line) for line in lines)
    assert 1 <= len(conclusions(output(number))) <= 5
    assert lines[-1].startswith(("Вывод: ", "  "))


@every_script
def test_script_imports_only_the_standard_library_and_no_other_script(number: int) -> None:
    names = re.findall(r"^( *)(?:from|import) ([\w.]+)", source(number), re.MULTILINE)
    assert names
    for indent, name in names:
        known = name.split(".")[0] in sys.stdlib_module_names
        assert known or (indent and name == "distributed")  # только ради --cluster


@every_script
def test_script_is_a_page_of_idea_then_measuring_then_the_common_service(number: int) -> None:
    text = source(number)
    assert text.count("\n") <= LIMITS[number]
    assert max(map(len, text.splitlines())) <= 100
    assert text.index("# --- Измерения и вывод") < text.index("\ndef main") < text.index(SERVICE)
    service = text[text.index(SERVICE) :]
    assert service == source(1)[source(1).index(SERVICE) :]
    assert len(service.splitlines()) <= 18 + 1  # и заголовок
    assert [path.name[0] for path in SCRIPTS] == [*"1234567"] and LESSON.is_dir()


def test_diff_of_3_and_4_is_a_slide_on_which_the_change_is_seen() -> None:
    diff = list(difflib.unified_diff(source(3).splitlines(), source(4).splitlines(), n=0))
    marked = [line for line in diff if re.match(r"[-+](?![-+]{2})", line)]
    assert len(marked) <= 100
    assert any("ProcessPoolExecutor(workers) as pool" in line for line in marked)
    assert not any(re.search("is_prime|def work|ANSWERS =", line) for line in marked)


@every_script
def test_help_is_the_docstring_and_a_bad_option_ends_with_status_2(number: int) -> None:
    text = good(run(number, "--help"))
    assert (ast.get_docstring(ast.parse(source(number))) or "?") in text
    for option in re.findall(r'add_argument\("(--\w+)"', source(number)):
        assert option in text
    for bad in (["--unknown"], ["--workers", "0"]):
        done = run(number, *bad)
        assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr


@pytest.mark.skipif(sys.version_info < (3, 14), reason="нужна 3.14: там есть интерпретаторы")
def test_column_of_interpreters_is_there_where_they_are() -> None:
    assert "интерпретаторы" in output(7)
