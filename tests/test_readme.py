"""README.md говорит правду: каждый блок и каждый опыт выполнены по его же тексту.

Запущенный как программа (python tests/test_readme.py), записывает в README.md свежий вывод.
Метки <!-- … --> перед блоками: вывод: КОМАНДА; опыт: ПРОГРАММА; ошибка; не запускать: ПРИЧИНА;
только: ЧТО НУЖНО; перед таблицей «Было, Стало, Что увидите» — опыты: ПРОГРАММА.
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
from shutil import copy
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from conftest import CORES, GIL, ROOT, SCRIPTS, output
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
SAID = {"(Linux, macOS)": "posix", "(при GIL)": "gil", "(на двух ядрах)": "два ядра"}  # в таблицах


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


def run(*words: str, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Выполнить команду; ошибки — вместе с выводом."""
    options: dict[str, Any] = {"check": False, "timeout": 100, "encoding": "utf-8", "cwd": folder}
    options |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(words, env={**os.environ, "PYTHONUTF8": "1", **env}, **options)


def each_block(pairs: list[tuple[Block, Block]]) -> pytest.MarkDecorator:
    """По тесту на блок; в имени — строка README.md."""
    ids = [f"README:{block.line}" for block, _ in pairs]
    return pytest.mark.parametrize(("block", "after"), pairs, ids=ids)


@pytest.mark.parametrize("method", ["", "spawn"])
@each_block(PROGRAMS)
def test_program_from_the_text_prints_what_is_promised(
    block: Block, after: Block, method: str, tmp_path: Path
) -> None:
    require(block.needs(), block.marks.get("не запускать", ""))
    assert after.lang == "text" and after.gap < 2, "нет блока ```text с тем, что печатается"
    if method:
        setup = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
        (tmp_path / "sitecustomize.py").write_text(setup, "utf-8")
    (tmp_path / "program.py").write_text(block.text, "utf-8")
    done = run(sys.executable, "-Werror", "program.py", folder=tmp_path, PYTHONPATH=str(tmp_path))
    begin = r"(?s:.*\n)?" if "ошибка" in block.marks else ""
    shown = "".join(f"{line}\n" for line in lines(done.stdout))
    assert re.fullmatch(begin + pattern(after.text), shown), shown
    assert bool(done.returncode) == ("ошибка" in block.marks)


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="команды — для sh")
@each_block(SHELL)
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


def test_recorded_outputs_are_there_and_fit_80_columns() -> None:
    assert sorted(OUTPUTS) == [path.name for path in SCRIPTS]
    for block, _ in PAIRS:
        where = f"строка {block.line}"
        assert block.lang in ("text", "python", "diff", "sh"), where
        assert block.lang != "diff" or "опыт" in block.marks, f"{where}: что править?"
        assert block.lang != "text" or max(map(len, block.text.split("\n"))) <= 80, where
        if "вывод" in block.marks:
            assert re.match(r"Python 3\.\d+\.\d+, GIL в", block.text), where
            assert "судить нельзя" not in block.text, f"{where}: запишите, когда ядра свободны"


def test_programs_to_write_are_whole_and_short() -> None:
    own = [block for block, _ in PROGRAMS if block.step == "Напишите сами"]
    assert 6 <= len(own) <= 10
    for block in own:
        assert 8 <= len(re.findall(r"^.*\S", block.text, re.MULTILINE)) <= 15, block.line


def links() -> list[str]:
    """Куда ведут ссылки и что показывают картинки."""
    inside = [child.attrs for token in TOKENS for child in token.children or []]
    found = [str(attrs.get("href") or attrs.get("src") or "") for attrs in inside]
    return [*filter(None, found), *re.findall(r'(?:href|src)="([^"]+)"', TEXT)]


def test_links_lead_where_they_should() -> None:
    titles = [inline for opened, inline in pairwise(TOKENS) if opened.type == "heading_open"]
    texts = ["".join(part.content for part in title.children or []) for title in titles]
    anchors = [re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts]
    assert len(set(anchors)) == len(anchors), "два одинаковых заголовка"
    for link in links():
        path, _, anchor = unquote(link).partition("#")
        if "://" in link:
            assert link.startswith("https://"), link
        else:
            assert (ROOT / path).exists() if path else anchor in anchors, link
    for pep in (703, 779, 684, 734):
        assert any(f"pep-{pep:04}" in link for link in links()), pep


def test_every_picture_is_shown_and_described_and_every_script_is_named() -> None:
    children = [child for token in TOKENS for child in token.children or []]
    shown = {str(child.attrs["src"]): child.content for child in children if child.type == "image"}
    assert set(shown) == {f"static/{path.name}" for path in ROOT.glob("static/*.png")}
    assert all(len(words) > 20 for words in shown.values())
    assert set(re.findall(r"\b\d_\w+\.py\b", TEXT)) == {path.name for path in SCRIPTS}


def test_every_section_goes_by_its_steps_and_the_text_is_not_too_long() -> None:
    sections = re.findall(r"^### Программа \d.*?(?=^##)", TEXT + "\n##", re.MULTILINE | re.DOTALL)
    assert len(sections) == 7
    for section in sections:
        steps = STEP.findall(section)
        optional = [] if "Напишите сами" in steps else ["Напишите сами"]
        assert steps == [step for step in STEPS if step not in optional], section[:60]
        assert not re.search(r"!\[|<img", section.split("**Объясните")[0]), section[:60]
        assert re.search("<!-- опыты?: ", section), section[:60]
    assert TEXT.count("<details>") == TEXT.count("</details>") == TEXT.count("</summary>")
    assert "по очереди" not in re.sub(r"\s+", " ", TEXT)
    assert "\n## Преподавателю\n" in TEXT
    assert TEXT.partition("\n## Преподавателю\n")[0].count("\n") <= 950
    assert TEXT.count("\n") <= 1200


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
