"""README.md, разобранный на блоки, записи вывода и опыты: тесты берут его отсюда.

Метки <!-- … --> перед блоками ```:
  вывод: КОМАНДА        записанный вывод этой команды
  ошибка                программа кончится ошибкой; сверяется конец вывода
  зависает              программа напечатает обещанное и не кончится
  не запускать: ПРИЧИНА
  только: ЧТО НУЖНО     3.14 | до 3.14 | linux | posix | gil | fork | два ядра
  опыт: ПРОГРАММА       правка ```diff; «выше» — ближайшая программа из текста
  кластер               программа для test_7_cluster.py
Перед таблицей — опыты: ПРОГРАММА.

Запущенный как программа, записывает свежий вывод тем Python, которым запущен:
  python3.14 tests/readme.py               все «вывод: python3 …» и static/recorded
  python3.11 tests/readme.py python3.11    все «вывод: python3.11 …»
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
TOKENS = MarkdownIt("commonmark").enable("table").parse(TEXT)
STEPS = ["Предскажите", "Запустите", "Смотрите", "Объясните", "Напишите сами"]
STEPS += ["Попробуйте", "Проверьте себя", "Что где видно"]
STEP = re.compile(rf"\*\*({'|'.join(STEPS)})\b")
MARKS = {"вывод", "ошибка", "зависает", "не запускать", "только", "опыт", "кластер"}
RECORDED = re.compile(r"(<!-- вывод: (\S+) (.+?) -->\n```text\n)(.*?)(?=```\n)", re.DOTALL)


class Block(NamedTuple):
    """Блок ```; gap — сколько абзацев отделяет его от предыдущего блока."""

    line: int
    lang: str
    text: str
    marks: dict[str, str]
    section: str
    step: str
    gap: int

    def needs(self) -> list[str]:
        """Всё, что стоит в метках «только: …»."""
        return re.findall(r"[^,]+", self.marks.get("только", ""))


class Experiment(NamedTuple):
    """Опыт: какую программу и как изменить, с чем запустить, что увидим и что для этого нужно."""

    line: int
    name: str  # «выше» — ближайшая программа из текста, в которой есть что менять
    options: list[str]
    changes: list[tuple[str, str]]
    promises: list[tuple[str, str]]  # («не » или ничего, строки)
    needs: list[str]


def read_blocks() -> Iterator[Block]:
    """Все блоки ``` по порядку."""
    marks: dict[str, str] = {}
    section, step, gap, heading = "", "", 0, False
    for token in TOKENS:
        line = (token.map or [0])[0] + 1
        if token.type == "html_block":
            for mark in re.findall(r"<!-- (?!опыты: )(.*?) -->", token.content):
                name, _, value = mark.partition(": ")
                assert name in MARKS, f"README.md, строка {line}: такой метки нет: {mark}"
                marks[name] = f"{marks[name]},{value}" if name in marks else value
        elif token.type == "fence":
            yield Block(line, token.info, token.content, marks, section, step, gap)
            marks, gap = {}, 0
        elif token.type == "inline":
            assert not marks, f"README.md, строка {line}: метка {marks} не перед блоком"
            section = token.content if heading else section
            step = "" if heading else [step, *STEP.findall(token.content)][-1]
            gap += 99 if heading else 1
        heading = token.type == "heading_open"


BLOCKS = list(read_blocks())
PROGRAMS = [block for block in BLOCKS if block.lang == "python"]
OUTPUTS = {  # вывод программ без ключей на том Python, который здесь главный
    block.marks["вывод"].removeprefix("python3 "): block.text
    for block in BLOCKS
    if re.fullmatch(r"python3 \S+", block.marks.get("вывод", ""))
}


def answers(block: Block, gap: int = 2) -> list[Block]:
    """Блоки ```text сразу за этим: что он печатает; несколько — у каждого своё «только: …»."""
    found: list[Block] = []
    for after in BLOCKS[BLOCKS.index(block) + 1 :]:
        if after.lang != "text" or after.gap >= gap or (found and not after.needs()):
            break
        found.append(after)
        gap = 2
    return found


def marked(mark: str) -> list[Block]:
    """Блоки с такой меткой."""
    return [block for block in BLOCKS if mark in block.marks]


def sections(level: str = "###") -> dict[str, str]:
    """Заголовки этого уровня и текст под каждым, до следующего такого же или старшего."""
    pieces = re.split(rf"(?m)^(#{{1,{len(level)}}}) (.+)\n", TEXT)
    triples = zip(pieces[1::3], pieces[2::3], pieces[3::3])
    return {title: body for marks, title, body in triples if marks == level}


def change(hunk: str) -> tuple[str, str]:
    """Строки программы до правки и после неё."""
    rows = hunk.splitlines()
    assert all(row[:1] in ("", " ", "-", "+") for row in rows), hunk
    old = "".join(f"\n{row[1:]}" for row in rows if row[:1] != "+") + "\n"
    return old, "".join(f"\n{row[1:]}" for row in rows if row[:1] != "-") + "\n"


def experiments_in_blocks() -> Iterator[Experiment]:
    """Опыты из блоков ```diff и ```text с меткой «опыт»."""
    for block in marked("опыт"):
        name, *options = block.marks["опыт"].split()
        hunks = re.split(r"^ ?…\n", block.text, flags=re.MULTILINE)
        changes = [change(hunk) for hunk in hunks] if block.lang == "diff" else []
        found = [block] if block.lang == "text" else answers(block, 99)
        assert found, f"README.md, строка {block.line}: нет блока ```text: что увидим?"
        needs = block.needs() + found[0].needs()
        yield Experiment(block.line, name, options, changes, [("", found[0].text)], needs)


class Row(NamedTuple):
    """Строка таблицы опытов."""

    line: int
    old: str
    new: str
    last: str


def rows_of(tokens: list[Token]) -> list[Row]:
    """Строки первой таблицы."""
    found, cells, line = list[Row](), list[str](), 0
    for token in tokens:
        if token.type == "tr_open":
            cells, line = [], (token.map or [0])[0] + 1
        elif token.type == "inline":
            cells.append(token.content)
        elif token.type == "tr_close":
            old, new, last = cells
            found.append(Row(line, old.strip("`"), new.strip("`"), last))
        elif token.type == "table_close":
            break
    return found


def items_of(tokens: list[Token]) -> list[str]:
    """Пункты первого нумерованного списка."""
    found = list[str]()
    for token in tokens[[token.type for token in tokens].index("ordered_list_open") :]:
        if token.type == "list_item_open":
            found.append("")
        elif token.type == "inline":
            found[-1] += f" {token.content}"
        elif token.type == "ordered_list_close":
            break
    return found


SAID = {"(Linux, macOS)": "posix", "(при GIL)": "gil", "(на двух ядрах)": "два ядра"}


def experiments_in_tables() -> Iterator[Experiment]:
    """Опыты из таблиц; что увидим, стоит в третьем столбце или в списке под таблицей."""
    for place, token in enumerate(TOKENS):
        name = "".join(re.findall(r"<!-- опыты: (\S+) -->", token.content))
        if token.type != "html_block" or not name:
            continue
        header, *rows = rows_of(TOKENS[place:])
        told = [row.last for row in rows]
        if header.last != "Что увидите":
            told = items_of(TOKENS[place:])
            assert len(told) == len(rows), f"README.md, строка {header.line}: опыты и ответы"
        for row, words in zip(rows, told):
            changes = [(row.old, row.new)] if row.new else []
            options = [] if row.new else row.old.split()
            promises = [(no, f"…{piece}…") for no, piece in re.findall(r"(не )?`([^`]+)`", words)]
            needs = [need for said, need in SAID.items() if said in words]
            yield Experiment(row.line, name, options, changes, promises, needs)


EXPERIMENTS = [*experiments_in_blocks(), *experiments_in_tables()]


def bars_of(output: str) -> list[str]:
    """Полосы шкалы времени вместе с их краями."""
    return re.findall(r"\|.*\|", output)


def record(python: str = "python3") -> None:
    """Записать в README.md свежий вывод каждой команды этого python."""
    env = {**os.environ, "PYTHONUTF8": "1"}
    fresh: dict[str, str] = {}

    def run(match: re.Match[str]) -> str:
        if match[2] != python:
            return match[0]
        command = [sys.executable, *match[3].split()]
        fresh[match[3]] = subprocess.check_output(command, cwd=ROOT, env=env, encoding="utf-8")
        return match[1] + fresh[match[3]]

    text = RECORDED.sub(run, TEXT)
    if python == "python3":  # шкалы первого экрана и записи для картинок — из тех же прогонов
        four, five = (bars_of(fresh[name]) for name in sorted(OUTPUTS)[3:5])
        riddle = "\n".join([*four, "", *five]) + "\n"
        text = text.replace(BLOCKS[0].text, riddle, 1)
        for stored in (ROOT / "static" / "recorded").glob("*.txt"):
            stored.write_text(fresh[f"{stored.stem}.py"], "utf-8")
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    record(*sys.argv[1:])
