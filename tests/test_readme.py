"""README.md говорит правду: программы для чтения выполнены, утверждения видны в выводах.

Запущенный как программа (python tests/test_readme.py), записывает в README.md свежий вывод.
Метки <!-- … --> перед блоками: вывод: КОМАНДА; ошибка (программа кончится ею);
не запускать: ПРИЧИНА; только: ЧТО НУЖНО; опыт и опыты — см. test_experiments.py.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import groupby, pairwise
from multiprocessing import get_start_method
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import CORES, GIL, ROOT, output
from markdown_it import MarkdownIt

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
TOKENS = MarkdownIt("commonmark").enable("table").parse(TEXT)
STEPS = ["Предскажите", "Запустите", "Смотрите", "Объясните", "Напишите сами", "Попробуйте"]
STEPS += ["Проверьте себя"]
STEP = re.compile(rf"\*\*({'|'.join(STEPS)})\b")
CLAIMS = "O1 O2 O3 P1 P2 M1 R2 R3 M3 P4 M2 P5 R1 M5 P6a P6b R4 M4 T1 T2 T3 T4 T5a T5b T5c T6 T6x T7"
PYTHON3 = re.compile(r"(<!-- вывод: python3 (\S+\.py) -->\n```text\n)(.*?)(?=```\n)", re.DOTALL)
OUTPUTS = {match[2]: match[3] for match in PYTHON3.finditer(TEXT)}
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


def shape(text: str) -> list[str]:
    """Вывод до строк «Вывод: …» без того, что меняется от запуска к запуску."""
    table = re.sub(r"\|[^|\n]*\|", "| |", text.partition("\nВывод: ")[0])  # шкала времени
    table = re.sub(r"(отказ, \w+).*", r"\1", table)  # слова об ошибке
    table = re.sub(r"0(, 0)+", "0", re.sub(r"\d+(\.\d+)?", "0", table))
    return [line for line, _ in groupby(lines(table))]  # сколько строк у шкалы, решает система


@pytest.mark.skipif(
    not (HERE["linux"] and HERE["gil"] and HERE["два ядра"]) or sys.version_info >= (3, 14),
    reason="вывод записан на Linux, Python с GIL не новее 3.13, на двух ядрах",
)
@pytest.mark.parametrize("name", OUTPUTS)
def test_recorded_output_looks_like_a_fresh_one(name: str) -> None:
    assert shape(OUTPUTS[name]) == shape(output(int(name[0])))
    source = (ROOT / name).read_text("utf-8")  # выводы — словами этой программы
    assert not [word for word in re.findall("[а-яё]{4,}", OUTPUTS[name]) if word not in source]


def plain(text: str) -> str:
    """Текст без чисел и лишних пробелов."""
    return re.sub(r"\s+", " ", re.sub(r"\d+([.,]\d+)?", "0", text)).strip(" .")


def test_every_claim_points_at_the_output_and_has_its_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in ROOT.glob("tests/test_*.py"))
    shown = {name[0]: plain(text) for name, text in OUTPUTS.items()}
    told: list[str] = []
    for token in TOKENS:
        _, *texts = re.split(r"\*\*\((\w+(?:, \w+)*)\)\*\*", token.content)
        for claims, text in zip(texts[::2], texts[1::2]):
            told += claims.split(", ")
            assert re.match(r"\s*\[\d:\s", text), f"({claims}): в скобках — где это видно"
        for number, pointer in re.findall(r"\[(\d):\s+([^\]]*)\]", token.content):
            quotes = re.findall(r"[«`]([^»`]+)[»`]", pointer)
            assert quotes, f"[{number}: {pointer}]: что именно?"
            for piece in "…".join(quotes).split("…"):
                assert plain(piece) in shown[number], f"программа {number}: нет «{piece}»"
    assert sorted(told) == sorted(CLAIMS.split())
    for claim in told:
        assert re.search(rf"def test_(\w+_)?{claim}_", tests), f"нет теста для {claim}"


def test_command_for_the_tests_is_the_one_that_ci_runs() -> None:
    (command,) = re.findall(r"^python3 -m venv .*-m pytest$", TEXT, re.MULTILINE)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    wanted = [re.split(r"[<>=~]", package)[0] for package in groups["test"]]
    assert re.findall(r"pip install (.*?) &&", command)[0].split() == wanted
    ours = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "grep -m 1 '^python3 -m venv .*-m pytest$' README.md" in ours


def record() -> None:
    """Записать в README.md свежий вывод каждой команды python3."""
    fresh = PYTHON3.sub(lambda match: match[1] + run(sys.executable, match[2]).stdout, TEXT)
    README.write_text(fresh, "utf-8")


if __name__ == "__main__":
    record()
