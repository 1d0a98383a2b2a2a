"""Опыты и команды из README.md выполнены по его же тексту: каждый кончается тем, что обещано.

Метка перед блоками ```diff и ```text — опыт: ПРОГРАММА; перед таблицей — опыты: ПРОГРАММА.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import NamedTuple

import pytest
from conftest import ROOT, SCRIPTS
from test_readme import (
    OUTPUTS,
    PAIRS,
    PROGRAMS,
    TOKENS,
    Block,
    lines,
    pattern,
    require,
    run,
)

pytestmark = pytest.mark.long
SAID = {"(Linux, macOS)": "posix", "(при GIL)": "gil", "(на двух ядрах)": "два ядра"}  # в таблицах
SHELL = [  # где за командой — её записанный вывод, его сверит другой тест
    (block, after)
    for block, after in PAIRS
    if block.lang == "sh" and f"{after.marks.get('вывод')}\n" != block.text
]


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
