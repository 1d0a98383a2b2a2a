"""Как устроен README.md: порядок, длина, ссылки; и одно ли говорят он, pyproject.toml и .ci/run."""

import re
import tomllib
from itertools import pairwise
from urllib.parse import unquote

import pytest
from conftest import ROOT, SCRIPTS
from readme import BLOCKS, OUTPUTS, PROGRAMS, STEP, STEPS, TEXT, TOKENS, sections

pytestmark = pytest.mark.long
PAGES = {title: body for title, body in sections().items() if title.startswith("Программа ")}
LEARNERS, FOR_TEACHERS = TEXT.partition("\n## Преподавателю\n")[::2]


def test_recorded_outputs_are_there_and_fit_the_screen() -> None:
    """Вывод каждой программы записан, по 80 столбцов и 22 строки, и никогда не «судить нельзя»."""
    assert sorted(OUTPUTS) == [path.name for path in SCRIPTS]
    for block in BLOCKS:
        where = f"README.md, строка {block.line}"
        rows = block.text.splitlines()
        assert block.lang in ("text", "python", "diff", "sh", "bat"), where
        assert block.lang != "diff" or "опыт" in block.marks, f"{where}: какую программу править?"
        assert block.lang != "text" or max(map(len, rows)) <= 80, f"{where}: шире 80 столбцов"
        if "вывод" in block.marks:
            assert len(rows) <= 22, f"{where}: длиннее экрана"
            assert re.match(r"Python 3\.\d+\.\d+, GIL в", block.text), where
            assert "судить нельзя" not in block.text, f"{where}: запишите, когда ядра свободны"


def test_programs_to_write_are_whole_and_short() -> None:
    """«Напишите сами» — целые программы, по 8–15 непустых строк."""
    own = [block for block in PROGRAMS if block.step == "Напишите сами"]
    assert len(own) >= 8
    for block in own:
        size = len(re.findall(r"(?m)^.*\S", block.text))
        assert 8 <= size <= 15, f"README.md, строка {block.line}: строк {size}"


@pytest.mark.parametrize("title", PAGES, ids=lambda title: title.split()[1])
def test_section_goes_by_its_steps(title: str) -> None:
    """Шаги раздела — по порядку; до «Объясните» нет картинок, записанный вывод сложен."""
    steps, body = STEP.findall(PAGES[title]), PAGES[title]
    optional = [] if "Напишите сами" in steps else ["Напишите сами"]
    assert steps == [step for step in STEPS if step not in optional]
    before = body.partition("**Запустите")[0]
    assert all(f"{letter})" in before for letter in "АБВ"), "«Предскажите»: варианты А) Б) В)"
    assert "```text" not in before, "ответ до вопроса"
    assert not re.search(r"!\[|<img", body.partition("**Объясните")[0]), "картинка до «Объясните»"
    assert re.search("<!-- опыты?: ", body), "«Попробуйте»: нет опытов"


def test_there_are_seven_sections_in_order() -> None:
    """Разделов семь, и в каждом записан вывод своей программы."""
    assert [title[:11] for title in PAGES] == [f"Программа {n}" for n in range(1, 8)]
    for name, body in zip(OUTPUTS, PAGES.values()):
        assert f"<!-- вывод: python3 {name} -->" in body


def test_recorded_outputs_are_folded() -> None:
    """Записанный вывод сложен: сначала увидеть свой."""
    folded = "".join(re.findall(r"<details>.*?</details>", TEXT, re.DOTALL))
    for mark in re.findall(r"<!-- вывод: python.*? -->", TEXT):
        assert mark in folded, f"{mark}: не внутри <details>"
    assert TEXT.count("<details>") == TEXT.count("</details>") == TEXT.count("</summary>")


def test_text_is_not_too_long() -> None:
    """Путь ученика — 950 строк, всё — 1250; проза — 120 столбцов."""
    assert FOR_TEACHERS, "нет раздела «## Преподавателю»"
    assert LEARNERS.count("\n") <= 950
    assert TEXT.count("\n") <= 1250
    prose = re.sub(r"(?ms)^```.*?^```$", lambda match: "\n" * match[0].count("\n"), TEXT)
    for number, line in enumerate(prose.split("\n"), 1):
        free = line.startswith(("|", "![", "<img", "<!--")) or "](http" in line
        assert free or len(line) <= 120, f"README.md, строка {number}: шире 120 столбцов"


def test_one_word_for_one_thing() -> None:
    """«По очереди» — не то же, что «попеременно» или «одно за другим»: очередь — это queue."""
    assert "по очереди" not in re.sub(r"\s+", " ", TEXT)


def links() -> list[str]:
    """Куда ведут ссылки и что показывают картинки."""
    inside = [child.attrs for token in TOKENS for child in token.children or []]
    found = [str(attrs.get("href") or attrs.get("src") or "") for attrs in inside]
    return [*filter(None, found), *re.findall(r'(?:href|src)="([^"]+)"', TEXT)]


def test_links_lead_where_they_should() -> None:
    """Каждая ссылка внутри текста и в папку ведёт туда, где что-то есть."""
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
        assert any(f"pep-{pep:04}" in link for link in links()), f"нет ссылки на PEP {pep}"


def test_every_picture_is_shown_and_described_and_every_script_is_named() -> None:
    """Картинки — все, и у каждой сказано словами, что на ней; программы названы верно."""
    children = [child for token in TOKENS for child in token.children or []]
    shown = {str(child.attrs["src"]): child.content for child in children if child.type == "image"}
    for tag in re.findall(r"<img [^>]+>", TEXT):
        shown |= {re.findall(r'src="([^"]+)"', tag)[0]: "".join(re.findall(r'alt="([^"]+)"', tag))}
    stored = [path for path in ROOT.glob("static/*.*") if path.suffix in (".png", ".svg")]
    assert set(shown) == {f"static/{path.name}" for path in stored}
    assert all(len(words) > 20 for words in shown.values())
    named = set(re.findall(r"(?<![\w/])\d_\w+\.py\b", TEXT))
    assert {path.name for path in SCRIPTS} <= named
    exercises = {path.name for path in ROOT.glob("tests/homework/*.py")}
    assert named <= {path.name for path in SCRIPTS} | exercises


def test_command_for_the_tests_is_the_one_that_ci_runs() -> None:
    """Команда из текста ставит те же пакеты, что группа test, и .ci/run берёт её из текста."""
    (command,) = re.findall(r"(?m)^python3 -m venv .*-m pytest$", TEXT)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    wanted = [re.split(r"[<>=~]", package)[0] for package in groups["test"]]
    assert re.findall(r"pip install (.*?) &&", command)[0].split() == wanted
    ours = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "grep -m 1 '^python3 -m venv .*-m pytest$' README.md" in ours
