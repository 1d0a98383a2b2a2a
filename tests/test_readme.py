"""Каждое утверждение README.md видно в записанном выводе, и есть тест, который за ним следит.

Запущенный как программа (python tests/test_readme.py), записывает в README.md свежий вывод.
"""

import re

from conftest import ROOT, good, run
from markdown_it import MarkdownIt

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
TOKENS = MarkdownIt("commonmark").enable("table").parse(TEXT)
CLAIMS = "O1 O2 O3 P1 P2 M1 R2 R3 M3 P4 M2 P5 R1 M5 P6a P6b R4 M4 T1 T2 T3 T4 T5a T5b T5c T6 T6x T7"
PYTHON3 = re.compile(r"(<!-- вывод: python3 (\S+\.py) -->\n```text\n)(.*?)(?=```\n)", re.DOTALL)
OUTPUTS = {match[2]: match[3] for match in PYTHON3.finditer(TEXT)}


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


def record() -> None:
    """Записать в README.md свежий вывод каждой команды python3."""
    fresh = PYTHON3.sub(lambda match: match[1] + good(run(ROOT / match[2])), TEXT)
    README.write_text(fresh, "utf-8")


if __name__ == "__main__":
    record()
