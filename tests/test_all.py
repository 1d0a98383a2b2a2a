"""Что верно для всех семи программ: голый Python, вид вывода и текста, параметры."""
# ruff: noqa: F403, F405

import ast
import difflib
import multiprocessing
import platform
import re
import sys
from itertools import pairwise

from conftest import *

SERVICE = "# --- Служебное: одно и то же во всех файлах"
LIMITS = dict(zip(range(1, 8), (155, 175, 95, 175, 170, 165, 230), strict=True))


def source(number: int) -> str:
    return script(number).read_text("utf-8")


@every_script
def test_output_comes_at_once_names_the_interpreter_and_fits_the_screen(number: int) -> None:
    text, moments = timed_output(number)
    assert moments[0] < 1.5  # обычно меньше 0.2 с
    assert max(after - before for before, after in pairwise(moments)) < 5  # обычно меньше 2 с
    assert moments[-1] < 30  # обычно меньше 5 с, у последней — меньше 10 с
    first, *lines = text.splitlines()
    gil = "включён" if GIL else "выключен"
    wanted = f"Python {platform.python_version()}, GIL {gil}, {platform.system()}, ядер: {CORES}"
    if "multiprocessing" in source(number):
        wanted += f", способ запуска: {multiprocessing.get_start_method()}"
    assert first == wanted
    assert max(map(len, [first, *lines])) <= 80 and len(lines) < 24
    assert not any(re.search(r"\s$|\t|\x1b", line) for line in lines)
    assert 1 <= len(conclusions(text)) <= 5
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
    assert text.index("# --- Измерения и вывод") < text.index("\ndef main") < text.index(SERVICE)
    service = text[text.index(SERVICE) :]
    assert service == source(1)[source(1).index(SERVICE) :]
    assert len(service.splitlines()) <= 18 + 1  # и заголовок


def test_diff_of_3_and_4_is_a_slide_on_which_the_change_is_seen() -> None:
    diff = list(difflib.unified_diff(source(3).splitlines(), source(4).splitlines(), n=0))
    marked = [line for line in diff if re.match(r"[-+](?![-+]{2})", line)]
    assert len(marked) <= 100
    assert any("ProcessPoolExecutor(workers) as pool" in line for line in marked)
    assert not any(re.search("is_prime|def work|ANSWERS =", line) for line in marked)


@every_script
def test_help_is_the_docstring_and_a_bad_option_ends_with_status_2(number: int) -> None:
    text = good(run(script(number), "--help"))
    assert (ast.get_docstring(ast.parse(source(number))) or "?") in text
    assert all(option in text for option in re.findall(r'_argument\("(--\w+)"', source(number)))
    done = run(script(number), "--workers", "0")
    assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr
