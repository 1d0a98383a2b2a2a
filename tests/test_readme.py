"""README.md говорит правду: файлы, ссылки, команды, вывод программ, метки утверждений.

Запущенный как программа (python tests/test_readme.py), записывает в README.md свежий вывод.
"""

import re
import subprocess
import sys
from itertools import pairwise
from urllib.parse import unquote

import pytest
from conftest import CORES, GIL, ROOT, output
from markdown_it import MarkdownIt
from markdown_it.token import Token

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
RECORDED = re.compile(
    r"(<!-- вывод: (\S+) (\d_\w+\.py)(.*?) -->\n```text\n)(.*?)(?=```\n)", re.DOTALL
)
CLAIMS = re.findall(
    r"\w+",
    "O1 O2 O3 P1 P2 M1 R2 R3 M3 P4 M2 P5 R1 M5 P6a P6b R4 M4 T1 T2 T3 T4 T5a T5b T5c T6 T6x T7",
)


def tokens() -> list[Token]:
    """Разобранный README.md: и блоки, и то, что внутри строк."""
    blocks = MarkdownIt("commonmark").enable("table").parse(TEXT)
    return [*blocks, *(child for block in blocks for child in block.children or [])]


def anchors() -> set[str]:
    """Якоря заголовков, какими их делает GitHub."""
    found: set[str] = set()
    blocks = tokens()
    for block, inline in pairwise(blocks):
        if block.type == "heading_open":
            title = "".join(child.content for child in inline.children or [])
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            assert slug not in found, f"два одинаковых заголовка: {title}"
            found.add(slug)
    return found


def links() -> list[str]:
    """Куда ведут ссылки, что показывают картинки."""
    inside = [token.attrs for token in tokens() if token.type in ("link_open", "image")]
    html = re.findall(r'(?:href|src|srcset)="([^"]+)"', TEXT)
    return [str(attrs.get("href") or attrs.get("src")) for attrs in inside] + html


def test_every_local_link_and_picture_exists() -> None:
    for link in links():
        if not re.match(r"https?://", link):
            path, _, anchor = unquote(link).partition("#")
            assert (ROOT / path).exists() if path else True, link
            assert not anchor or path or anchor in anchors(), link


def test_links_lead_to_documentation_and_peps_by_https() -> None:
    outside = [link for link in links() if "://" in link]
    assert all(link.startswith("https://") for link in outside)
    for pep in (703, 779, 684, 734):
        assert any(f"pep-{pep:04}" in link for link in outside)


def test_every_picture_is_shown_and_described() -> None:
    shown = {str(t.attrs["src"]): t.content for t in tokens() if t.type == "image"}
    shown |= dict(re.findall(r'<img[^>]*src="([^"]+)"[^>]*alt="([^"]+)"', TEXT))
    assert set(shown) == {f"static/{path.name}" for path in (ROOT / "static").glob("*.png")}
    assert all(len(alt) > 20 for alt in shown.values())


def test_every_script_named_exists_and_every_script_is_named() -> None:
    named = set(re.findall(r"\b\d_\w+\.py\b", TEXT))
    assert named == {path.name for path in ROOT.glob("[1-7]_*.py")}


def test_commands_use_options_that_scripts_have() -> None:
    commands = re.findall(
        r"(?:python3?\S*|py) (\d_\w+\.py)((?: --?[\w-]+(?: [^\s`#&|;-]+)?)*)", TEXT
    )
    assert len(commands) >= 14
    for name, args in commands:
        known = {
            "--help",
            *re.findall(r'add_argument\(\s*"(--\w+)"', (ROOT / name).read_text("utf-8")),
        }
        assert set(re.findall(r"--\w+", args)) <= known, f"{name}{args}"


def shape(text: str) -> list[str]:
    """Вывод без того, что меняется от запуска к запуску: чисел, pid, полос, слов о помехах."""
    text = re.sub(r"\n  (?=\S)", " ", text)  # перенос внутри вывода
    text = re.sub(r"\|[^|\n]*\|", "| |", text)
    text = re.sub(r"(Вывод: \S+).*", r"\1", text)  # дальше — по измеренному в этот раз
    text = re.sub(r"(отказ, \w+).*", r"\1", text)  # слова об ошибке меняются от версии к версии
    text = re.sub(r"\d+(\.\d+)?", "0", text)
    return [re.sub(r" +", " ", line).rstrip() for line in text.splitlines()]


@pytest.mark.skipif(CORES != 2 or not GIL, reason="вывод записан на двух ядрах с GIL")
@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info >= (3, 14), reason="вывод записан на Linux с 3.11"
)
@pytest.mark.parametrize("number", range(1, 8))
def test_shown_output_has_the_shape_of_a_fresh_run(number: int) -> None:
    recorded = [
        match[5]
        for match in RECORDED.finditer(TEXT)
        if match[2] == "python3" and match[3].startswith(str(number)) and not match[4]
    ]
    assert len(recorded) == 1
    assert shape(recorded[0]) == shape(output(number))


def test_shown_outputs_fit_80_columns() -> None:
    for match in RECORDED.finditer(TEXT):
        assert max(map(len, match[5].splitlines())) <= 80
        assert re.match(r"Python 3\.\d+\.\d+, GIL в", match[5])


def test_every_claim_has_its_sentence_and_its_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    for claim in CLAIMS:
        assert re.search(rf"\*\*\([^)]*\b{claim}\b[^)]*\)\*\*", TEXT), (
            f"нет предложения для {claim}"
        )
        assert re.search(rf"def test_(\w+_)?{claim}_", tests), f"нет теста для {claim}"
    for tested in set(re.findall(r"def test_((?:[OPMRT]\d[abcx]?_)+)", tests)):
        for claim in tested.strip("_").split("_"):
            assert claim in CLAIMS


def plain(text: str) -> str:
    """Текст без переносов, чисел и пробелов по краям."""
    return re.sub(r"\s+", " ", re.sub(r"\d+([.,]\d+)?", "0", text)).strip(" .")


def test_every_line_that_the_text_points_at_is_in_the_recorded_output() -> None:
    pointers = re.findall(r"Видно:\s+(программа.*?)(?=\.\s+[А-Я]|\n\n|\n\d\. )", TEXT, re.DOTALL)
    assert len(pointers) >= len(CLAIMS)
    for pointer in pointers:
        for number, details in re.findall(
            r"программа\s+(\d)(.*?)(?=программа|$)", pointer, re.DOTALL
        ):
            shown = plain("\n".join(m[5] for m in RECORDED.finditer(TEXT) if m[3][0] == number))
            for quoted in re.findall(r"[«`]([^»`]+)[»`]", details):
                for piece in quoted.split("…"):
                    assert plain(piece) in shown, f"программа {number}: нет «{quoted}»"


def test_command_for_the_tests_is_the_one_that_ci_runs() -> None:
    (command,) = re.findall(r"^python3 -m venv .*-m pytest$", TEXT, re.MULTILINE)
    wanted = re.search(
        r"^test = \[(.*)\]", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )
    assert wanted
    packages = re.search(r"pip install ([\w -]+) &&", command)
    assert packages
    assert packages[1].split() == re.findall(r'"([\w-]+)>=', wanted[1])
    assert "README.md" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "uv run pytest" in TEXT


def test_folded_answers_are_balanced_and_every_script_has_its_six_steps() -> None:
    assert TEXT.count("<details>") == TEXT.count("</details>") == TEXT.count("</summary>") >= 14
    for step in (
        "Предскажите",
        "Запустите",
        "Смотрите",
        "Объясните",
        "Попробуйте",
        "Проверьте себя",
    ):
        assert len(re.findall(rf"^\*\*{step}\*\*", TEXT, re.MULTILINE)) >= 7


def record() -> None:
    """Записать в README.md свежий вывод каждой команды python3; остальные не трогать."""

    def fresh(match: re.Match[str]) -> str:
        if match[2] != "python3" or match[4]:
            return match[0]
        command = [sys.executable, str(ROOT / match[3])]
        return match[1] + subprocess.check_output(command, encoding="utf-8")

    README.write_text(RECORDED.sub(fresh, TEXT), "utf-8")


if __name__ == "__main__":
    record()
