"""Что верно для всех семи программ: вид вывода, вид страницы, кодировки, число ядер."""

import ast
import difflib
import multiprocessing
import platform
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from conftest import (
    CORES,
    GIL,
    SCRIPTS,
    conclusions,
    environment,
    every_script,
    good,
    judged,
    many_cores,
    quick,
    run,
    script,
    source,
    timed_output,
)

MEASURING = "# --- Измерения и вывод"
SERVICE = "# --- Служебное: одно и то же во всех файлах"


def assert_fits_the_screen(text: str) -> None:
    """Не больше 22 строк по 80 столбцов, простой текст; десятичные знаки — после запятой."""
    first, *rows = text.splitlines()
    assert len(rows) < 22, f"строк {len(rows) + 1}, а с командой и приглашением помещается 22"
    assert max(map(len, [first, *rows])) <= 80
    assert not [row for row in rows if re.search(r"\s$|\t|\x1b", row)], "пробел в конце, Tab, ESC"
    numbers = [re.sub(r"Python 3\.\d+", "", row) for row in rows]  # у версии — точка
    assert not [row for row in numbers if re.search(r"\d\.\d", row)], "точка вместо запятой"


# --- Вывод ---


@every_script
def test_first_line_comes_at_once_and_names_the_interpreter(number: int) -> None:
    """Первая строка — без промедления, и в ней правда об этом Python."""
    text, moments = timed_output(number)
    gil = "включён" if GIL else "выключен"
    system = {"Darwin": "macOS"}.get(platform.system(), platform.system())
    wanted = f"Python {platform.python_version()}, GIL {gil}, {system}, ядер: {CORES}"
    if "get_start_method" in source(number):
        wanted += f", способ запуска: {multiprocessing.get_start_method()}"
    assert text.splitlines()[0] == wanted
    if moments[0] > 1:  # обычно меньше 0,2 с
        judged(text)
    assert moments[0] < 1, "первая строка должна появиться сразу"


@every_script
def test_output_is_live_and_not_too_long_in_coming(number: int) -> None:
    """Никогда нет тишины дольше двух секунд, а вся программа — это секунды."""
    text, moments = timed_output(number)
    silence = max(after - before for before, after in pairwise(moments))
    if silence > 3 or moments[-1] > 15:
        judged(text)
    assert silence < 3, "обычно меньше двух секунд"
    assert moments[-1] < 15, "обычно меньше пяти секунд, у последней — десяти"


@every_script
def test_output_fits_the_screen_and_ends_with_conclusions(number: int) -> None:
    """На экран 80 × 24 помещается всё, и в конце — выводы, от одного до пяти."""
    text, _ = timed_output(number)
    assert_fits_the_screen(text)
    assert 1 <= len(conclusions(text)) <= 5
    *_, last = text.splitlines()
    assert last.startswith(("Вывод: ", "  "))
    assert text.rpartition("\nВывод: ")[2].count("\n") <= 3, "за выводами ещё что-то"


@pytest.mark.long
@pytest.mark.parametrize("cores", [1, 2, 8, 64, 256])
@every_script
def test_any_number_of_cores_gets_an_output_that_fits_the_screen(number: int, cores: int) -> None:
    """Работа не растёт с ядрами: на любом их числе программа кончается за свои секунды."""
    text = good(run(quick(number), startup=many_cores(cores)))
    assert f"ядер: {cores}" in text.splitlines()[0]
    assert_fits_the_screen(text)
    assert 1 <= len(conclusions(text)) <= 5


# --- Кодировки ---


def first_words(number: int, encoding: str) -> bytes:
    """Начало вывода программы, которой досталась такая кодировка; дальше не ждём."""
    env = environment(PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    command = [sys.executable, str(script(number))]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        return process.stdout.readline()  # канал закроется, и программа кончится


@pytest.mark.long
@every_script
def test_output_without_cyrillic_turns_into_utf8(number: int) -> None:
    """Вместо «?» на месте каждой буквы — UTF-8."""
    assert "GIL в" in first_words(number, "ascii").decode("utf-8")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp437"])
def test_no_western_encoding_eats_the_letters(encoding: str) -> None:
    """То же для кодировок без кириллицы, какие бывают в Windows."""
    assert "GIL в" in first_words(3, encoding).decode("utf-8")


@pytest.mark.parametrize("encoding", ["cp866", "cp1251", "koi8-r", "utf-16"])
def test_encoding_with_cyrillic_is_kept(encoding: str) -> None:
    """Русская консоль остаётся русской: весь вывод читается в её кодировке."""
    path = quick(3)
    command, env = [sys.executable, str(path)], environment(PYTHONIOENCODING=encoding)
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    text = done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "GIL в" in text and "Вывод: " in text


# --- Страница; где нужны черты-комментарии — в долгих ---


def above(number: int) -> list[str]:
    """Часть программы до черты, без описания."""
    top = source(number).partition(MEASURING)[0]
    return top[top.index('"""', 3) + 3 :].splitlines()


@pytest.mark.long
@every_script
def test_page_is_idea_then_measuring_then_service(number: int) -> None:
    """Три части страницы — в порядке чтения; строки помещаются на проектор."""
    text = source(number)
    assert text.index(f"\n{MEASURING}") < text.index("\ndef main(") < text.index(f"\n{SERVICE}")
    wide = [n for n, line in enumerate(text.splitlines(), 1) if len(line) > 80]
    assert not wide, f"шире 80 столбцов: строки {wide}"
    assert "ArgumentParser(" not in "\n".join(above(number)), "до черты — ничего о ключах"
    assert "print(" not in "\n".join(above(number)), "до черты — ничего о печати"


@every_script
def test_docstring_tells_what_to_look_at_and_what_to_try(number: int) -> None:
    """Описание: что показано, на что смотреть, что попробовать; оно же — справка."""
    words = ast.get_docstring(ast.parse(source(number))) or ""
    assert "\nСмотрите: " in words and "\nПопробуйте: " in words
    assert max(map(len, words.splitlines())) <= 80


@pytest.mark.long
@every_script
def test_functions_are_short_and_named_alike(number: int) -> None:
    """До черты — по 15 строк, main() — 25, остальные — 40; experiment, report и main есть везде."""
    text = source(number)
    line = text[: text.index(MEASURING)].count("\n") + 1
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, functions):
            size = (node.end_lineno or 0) - node.lineno + 1
            limit = 15 if node.lineno < line else 25 if node.name == "main" else 40
            assert size <= limit, (
                f"{script(number).name}:{node.lineno}: в {node.name}() {size} строк"
            )
    names = {node.name for node in ast.parse(text).body if isinstance(node, functions)}
    assert {"experiment", "report", "main"} <= names


@every_script
def test_report_knows_only_its_facts(number: int) -> None:
    """report() и всё, что он зовёт, не смотрит на часы, ядра и параметры: только на факты."""
    tree = ast.parse(source(number))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    reached, names = {"report"}, set[str]()
    waiting = ["report"]
    while waiting:
        for node in ast.walk(functions[waiting.pop()]):
            if isinstance(node, ast.Name):
                names.add(node.id)
                if node.id in functions and node.id not in reached:
                    reached.add(node.id)
                    waiting.append(node.id)
    world = {"CORES", "GIL", "HAS_AFFINITY", "INTERPRETER", "os", "sys", "print"}
    assert not names & (world | {"perf_counter", "process_time", "thread_time", "monotonic"})


@every_script
def test_script_needs_only_the_standard_library(number: int) -> None:
    """Ни пакетов, ни других файлов урока."""
    for node in ast.walk(ast.parse(source(number))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            assert module.partition(".")[0] in sys.stdlib_module_names, module


@pytest.mark.long
def test_service_part_is_the_same_to_the_letter_and_short() -> None:
    """Кто прочитал служебное в одном файле, прочитал во всех."""
    parts = {source(number).partition(SERVICE)[2] for number in range(1, 8)}
    assert len(SCRIPTS) == 7 and len(parts) == 1, "служебное разное: перенесите правку во все семь"
    assert parts.pop().count("\n") <= 18 + 1  # и черта


@pytest.mark.long
def test_diff_of_3_and_4_is_a_slide_on_which_the_change_is_seen() -> None:
    """Части 3 и 4 до черты отличаются не больше чем в 20 строках: видно, чего стоят процессы."""
    diff = difflib.unified_diff(above(3), above(4), n=0, lineterm="")
    marked = [line for line in diff if re.match(r"[-+](?![-+]{2})", line)]
    assert len(marked) <= 20
    assert any("ProcessPoolExecutor" in line for line in marked)
    assert not any(re.search("is_prime|count_primes|ANSWERS", line) for line in marked)


WITH_OPTIONS = [n for n in range(1, 8) if "ArgumentParser(" in source(n)]


@pytest.mark.parametrize("number", WITH_OPTIONS)
def test_help_is_the_docstring_and_a_wrong_option_gets_argparse_word(number: int) -> None:
    """Справка — описание целиком; чужой ключ — код 2 и слово argparse."""
    words = ast.get_docstring(ast.parse(source(number))) or ""
    assert words in good(run(script(number), "--help"))
    done = run(script(number), "--nothing")
    assert (done.returncode, done.stdout) == (2, "") and "--nothing" in done.stderr
