"""Программы, опыты и команды из README.md выполнены по его же тексту: всё, что обещано, видно.

Метки <!-- … --> перед блоками: вывод: КОМАНДА; ошибка (программа кончится ею);
не запускать: ПРИЧИНА; только: ЧТО НУЖНО; опыт: ПРОГРАММА; перед таблицей — опыты: ПРОГРАММА.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby, pairwise
from multiprocessing import get_start_method
from pathlib import Path
from shutil import copy
from typing import Any, NamedTuple

import pytest
from conftest import CORES, GIL, ROOT, SCRIPTS, output
from test_readme import OUTPUTS, TOKENS

pytestmark = pytest.mark.long
STEPS = ["Предскажите", "Запустите", "Смотрите", "Объясните", "Напишите сами", "Попробуйте"]
STEPS += ["Проверьте себя"]
STEP = re.compile(rf"\*\*({'|'.join(STEPS)})\b")
HERE = {  # что бывает в метке «только: …», кроме версии
    "linux": sys.platform == "linux",
    "posix": os.name == "posix",
    "gil": GIL,
    "fork": get_start_method() == "fork",
    "два ядра": CORES == 2,
}


class Block(NamedTuple):
    """Блок ```; gap — сколько абзацев отделяет его от предыдущего блока."""

    line: int
    lang: str
    text: str
    marks: dict[str, str]
    step: str
    gap: int

    def needs(self) -> list[str]:
        """Всё, что стоит в метках «только: …»."""
        return re.findall(r"[^,]+", self.marks.get("только", ""))


def blocks() -> Iterator[Block]:
    """Все блоки ``` по порядку, в конце — пустой."""
    marks: dict[str, str] = {}
    step, gap, heading = "", 0, False
    for token in TOKENS:
        line = (token.map or [0])[0] + 1
        if token.type == "html_block":
            for mark in re.findall(r"<!-- (?!опыты: )(.*?) -->", token.content):
                name, _, value = mark.partition(": ")
                assert name in ("вывод", "опыт", "ошибка", "не запускать", "только"), mark
                marks[name] = f"{marks[name]},{value}" if name in marks else value
        elif token.type == "fence":
            yield Block(line, token.info, token.content, marks, step, gap)
            marks, gap = {}, 0
        elif token.type == "inline":
            assert not marks, f"строка {line}: метка {marks} не перед блоком"
            step = "" if heading else [step, *STEP.findall(token.content)][-1]
            gap += 99 if heading else 1
        heading = token.type == "heading_open"
    yield Block(0, "", "", {}, "", 99)


PAIRS = list(pairwise(blocks()))
PROGRAMS = [pair for pair in PAIRS if pair[0].lang == "python"]
RUNS = [(*pair, "") for pair in PROGRAMS]  # и ещё раз, если от способа запуска что-то зависит
RUNS += [(*pair, "spawn") for pair in PROGRAMS if "Process" in pair[0].text]


def require(needs: list[str], why_not: str = "") -> None:
    """Пропустить тест, если нужно то, чего здесь нет, или есть причина не запускать."""
    if why_not:
        pytest.skip(why_not)
    for need in needs:
        version = re.fullmatch(r"(до )?3\.(\d+)", need)
        new = version and sys.version_info >= (3, int(version[2]))
        if not (bool(new) != bool(version[1]) if version else HERE[need]):
            pytest.skip(f"только: {need}")


def lines(text: str) -> list[str]:
    """Строки; «Вывод: …» одной строкой, пробелов подряд нет."""
    while text != (text := re.sub(r"^(Вывод: .*)\n  (?=\S)", r"\1 ", text, flags=re.MULTILINE)):
        pass
    return [re.sub(r"\s+", " ", line).rstrip() for line in text.strip("\n").splitlines()]


def pattern(expected: str) -> str:
    """Образец: «…» — что угодно в строке, строка из одного «…» — сколько угодно строк."""
    each = (re.escape(line).replace("…", ".*") + "\n" for line in lines(expected))
    return "".join("(?:.*\n)*" if line == ".*\n" else line for line in each)


def run(*words: str, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Выполнить команду; ошибки — вместе с выводом."""
    options: dict[str, Any] = {"check": False, "timeout": 100, "encoding": "utf-8", "cwd": folder}
    options |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(words, env={**os.environ, "PYTHONUTF8": "1", **env}, **options)


@pytest.mark.parametrize(
    ("block", "after", "method"),
    RUNS,
    ids=[f"README:{block.line} {method}" for block, _, method in RUNS],
)
def test_program_from_the_text_prints_what_is_promised(
    block: Block, after: Block, method: str, tmp_path: Path
) -> None:
    require(block.needs(), block.marks.get("не запускать", ""))
    assert after.lang == "text" and after.gap < 2, "нет блока ```text с тем, что печатается"
    if method:
        setup = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
        (tmp_path / "sitecustomize.py").write_text(setup, "utf-8")
    (tmp_path / "program.py").write_text(block.text, "utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path, PYTHONPATH=str(tmp_path))
    begin = r"(?s:.*\n)?" if "ошибка" in block.marks else ""
    shown = "".join(f"{line}\n" for line in lines(done.stdout))
    assert re.fullmatch(begin + pattern(after.text), shown), shown
    assert bool(done.returncode) == ("ошибка" in block.marks)


SAID = {"(Linux, macOS)": "posix", "(при GIL)": "gil", "(на двух ядрах)": "два ядра"}  # в таблицах
SHELL = [  # где за командой — её записанный вывод, его сверит другой тест
    (block, after)
    for block, after in PAIRS
    if block.lang == "sh" and f"{after.marks.get('вывод')}\n" != block.text
]


def shape(text: str) -> list[str]:
    """Вывод до строк «Вывод: …» без того, что меняется от запуска к запуску."""
    table = re.sub(r"\|[^|\n]*\|", "| |", text.partition("\nВывод: ")[0])  # шкала времени
    table = re.sub(r"(отказ, \w+).*", r"\1", table)  # слова об ошибке
    table = re.sub(r"0(, 0)+", "0", re.sub(r"\d+(\.\d+)?", "0", table))
    return [line for line, _ in groupby(lines(table))]  # сколько строк у шкалы, решает система


@pytest.mark.skipif(
    sys.platform != "linux" or not GIL or CORES != 2 or sys.version_info >= (3, 14),
    reason="вывод записан на Linux, Python с GIL не новее 3.13, на двух ядрах",
)
@pytest.mark.parametrize("name", OUTPUTS)
def test_recorded_output_looks_like_a_fresh_one(name: str) -> None:
    assert shape(OUTPUTS[name]) == shape(output(int(name[0])))
    source = (ROOT / name).read_text("utf-8")  # выводы — словами этой программы
    assert not [word for word in re.findall("[а-яё]{4,}", OUTPUTS[name]) if word not in source]


class Experiment(NamedTuple):
    """Опыт: какую программу и как изменить, с чем запустить, что увидим и что для этого нужно."""

    line: int
    name: str  # «выше» — ближайшая программа из текста, в которой есть что менять
    options: list[str]
    changes: list[tuple[str, str]]
    promises: list[tuple[str, str]]  # («не » или ничего, строки)
    needs: list[str]


def experiments() -> Iterator[Experiment]:
    """Опыты из блоков ```diff и ```text, потом из таблиц."""
    for block, after in PAIRS:
        if "опыт" in block.marks:
            name, *options = block.marks["опыт"].split()
            answer = block if block.lang == "text" else after
            hunks = re.split(r"^ ?…\n", block.text, flags=re.MULTILINE)
            changes = [change(hunk) for hunk in hunks] if block.lang == "diff" else []
            assert answer.lang == "text" and answer.gap < 99, f"строка {block.line}: что увидим?"
            needs, promises = block.needs() + answer.needs(), [("", answer.text)]
            yield Experiment(block.line, name, options, changes, promises, needs)
    name, line, cells = "", 0, list[str]()
    for token in TOKENS:
        if token.type == "html_block":
            name = "".join(re.findall(r"<!-- опыты: (\S+) -->", token.content))
        elif token.type == "inline" and name:
            line, cells = (token.map or [0])[0] + 1, [*cells, token.content]
        elif token.type == "tr_close" and name:
            (old, new), words = (cell.strip("`") for cell in cells[:2]), cells[2]
            options, changes = ([], [(old, new)]) if new else (old.split(), [])
            pieces = re.findall(r"(не )?`([^`]+)`", words)
            promises = [(no, f"…{piece}…") for no, piece in pieces]
            needs = [need for said, need in SAID.items() if said in words]
            if old != "Было":
                yield Experiment(line, name, options, changes, promises, needs)
            cells = []
        elif token.type == "table_close":
            name = ""


def change(hunk: str) -> tuple[str, str]:
    """Строки программы до правки и после неё."""
    rows = hunk.splitlines()
    assert all(row[:1] in ("", " ", "-", "+") for row in rows), hunk
    old = "".join(f"\n{row[1:]}" for row in rows if row[:1] != "+") + "\n"
    return old, "".join(f"\n{row[1:]}" for row in rows if row[:1] != "-") + "\n"


def changed(name: str, changes: list[tuple[str, str]], line: int) -> tuple[str, str]:
    """Программа после правки и вывод без неё; что меняют, стоит в программе ровно один раз."""
    above = [(block.text, after.text) for block, after in PROGRAMS if block.line < line]
    if name != "выше":
        above = [((ROOT / name).read_text("utf-8"), OUTPUTS[name])]
    codes = [("\n" + re.sub(r'^""".*?"""\n', "", text, flags=re.DOTALL), o) for text, o in above]
    fit = [(code, o) for code, o in codes if all(code.count(old) == 1 for old, _ in changes)]
    assert fit, f"этого в программе нет или оно там не одно: {changes}"
    code, shown = fit[-1]
    for old, new in changes:
        code = code.replace(old, new)
    return code, shown


def missing(expected: str, shown: str) -> str:
    """Первая из строк expected, которой нет в выводе вслед за предыдущими."""
    rest = iter(lines(shown))
    for line in (line for line in lines(expected) if line.strip("… ")):
        if not any(re.fullmatch(pattern(line), f"{one}\n") for one in rest):
            return line
    return ""


def broken(promises: list[tuple[str, str]], shown: str) -> list[str]:
    """Какие обещания вывод не сдержал."""
    return [no + text for no, text in promises if bool(missing(text, shown)) != bool(no)]


@pytest.mark.parametrize("experiment", [*experiments()], ids=lambda e: f"README:{e.line}")
def test_experiment_shows_what_is_promised(experiment: Experiment, tmp_path: Path) -> None:
    line, name, options, changes, promises, needs = experiment
    script, before = changed(name, changes, line)
    assert broken(promises, before), "всё обещанное видно и без опыта"
    require(needs)
    (tmp_path / "experiment.py").write_text(script, "utf-8")
    unclear = "судить нельзя" not in str(promises)
    for _ in range(3):  # ядра бывают нужны и другим: хватит одного раза из трёх
        done = run(sys.executable, "experiment.py", *options, folder=tmp_path)
        wrong = broken(promises, done.stdout)
        unclear &= "судить нельзя" in done.stdout
        if done.returncode:  # об ошибке текст должен сказать
            wrong += filter(None, [missing(lines(promises[-1][1])[-1], lines(done.stdout)[-1])])
        if not wrong:
            return
    if unclear:
        pytest.skip("ядра заняты: программа трижды сказала, что судить нельзя")
    pytest.fail(f"не так: {wrong}\n{done.stdout}")


@pytest.mark.skipif(os.name != "posix", reason="команды — для sh")
@pytest.mark.parametrize(("block", "after"), SHELL, ids=lambda block: f"README:{block.line}")
def test_shell_commands_print_what_is_promised(block: Block, after: Block, tmp_path: Path) -> None:
    require(block.needs(), block.marks.get("не запускать", ""))
    assert after.lang == "text" and after.gap < 99 and re.search(r"\w", after.text)
    for script in SCRIPTS:
        copy(script, tmp_path)
    python3 = tmp_path / "bin" / "python3"
    python3.parent.mkdir()
    python3.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python3.chmod(0o755)
    path = f"{python3.parent}{os.pathsep}{os.environ['PATH']}"
    for _ in range(3):
        shown = run("bash", "-ec", block.text, folder=tmp_path, PATH=path).stdout
        if not (wrong := missing(after.text, shown)):
            return
    pytest.fail(f"нет строки «{wrong}»:\n{shown}")
