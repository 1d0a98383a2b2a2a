"""Как устроены README.md и страницы программ: порядок, длина, ссылки; для тех, кто их правит."""

import difflib
import re
import tomllib
from itertools import pairwise
from urllib.parse import unquote

import pytest
from conftest import ROOT, SCRIPTS, every_script, script
from test_experiments import PAIRS, PROGRAMS, STEP, STEPS
from test_readme import OUTPUTS, TEXT, TOKENS

pytestmark = pytest.mark.long
SERVICE = "# --- Служебное: одно и то же во всех файлах"
LIMITS = dict(zip(range(1, 8), (155, 175, 95, 175, 170, 165, 230), strict=True))


def source(number: int) -> str:
    return script(number).read_text("utf-8")


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


def test_command_for_the_tests_is_the_one_that_ci_runs() -> None:
    (command,) = re.findall(r"^python3 -m venv .*-m pytest$", TEXT, re.MULTILINE)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    wanted = [re.split(r"[<>=~]", package)[0] for package in groups["test"]]
    assert re.findall(r"pip install (.*?) &&", command)[0].split() == wanted
    ours = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "grep -m 1 '^python3 -m venv .*-m pytest$' README.md" in ours


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
