"""Каждое утверждение README.md видно в записанном выводе, и есть тест, который за ним следит."""

import re

from conftest import CLAIMS, ROOT
from readme import BLOCKS, OUTPUTS, TEXT, bars_of, sections

ID = r"[A-Z]\d\w?"
POINTER = re.compile(rf"({ID}(?:, {ID})*) — (.*?)(?=[.;]\s+{ID}[ ,]|$)", re.DOTALL)


def plain(text: str) -> str:
    """Текст без чисел и лишних пробелов."""
    return re.sub(r"\s+", " ", re.sub(r"\d+([.,]\d+)?", "0", text)).strip(" .")


def pointers() -> list[tuple[str, str, str]]:
    """Утверждение, где его видно, и весь вывод, который показан в его разделе."""
    found = []
    for title, body in [*sections("###").items(), *sections("##").items()]:
        shown = plain("\n".join(block.text for block in BLOCKS if block.section == title))
        own = re.split(r"(?m)^### ", body)[0]
        for told in re.findall(r"\*\*Что где видно\.?\*\*(.*?)(?=\n\n|\Z)", own, re.DOTALL):
            for claims, places in POINTER.findall(told.strip(". :\n")):
                found += [(claim, places, shown) for claim in claims.split(", ")]
    return found


def test_every_claim_is_shown_once() -> None:
    """«Что где видно» в концах разделов называет каждое утверждение ровно один раз."""
    told = sorted(claim for claim, _, _ in pointers())
    assert told == sorted(CLAIMS), "допишите в «Что где видно» или уберите лишнее"


def test_every_pointer_leads_to_the_output_of_its_section() -> None:
    """Кавычки в «Что где видно» — слова, которые действительно есть в выводе раздела."""
    for claim, places, shown in pointers():
        quotes = re.findall(r"[«`]([^»`]+)[»`]", places)
        assert quotes, f"{claim}: что именно смотреть?"
        for piece in "…".join(quotes).split("…"):
            assert plain(piece) in shown, f"{claim}: в выводе раздела нет «{piece}»"


def test_every_claim_has_its_test() -> None:
    """Имя теста называет утверждение: test_P4_…"""
    tests = "\n".join(path.read_text("utf-8") for path in ROOT.glob("tests/test_*.py"))
    names = re.findall(r"def (test_\w+)", tests)
    for claim in CLAIMS:
        assert any(f"_{claim}_" in name for name in names), f"нет теста test_{claim}_…"


def test_pictures_are_drawn_from_the_outputs_in_the_text() -> None:
    """Числа на картинках — из тех же прогонов, что в тексте."""
    for path in ROOT.glob("static/recorded/*.txt"):
        same = OUTPUTS[f"{path.stem}.py"] == path.read_text("utf-8")
        assert same, f"{path.name}: запишите заново (tests/readme.py), потом static/draw.py"


def test_riddle_of_the_first_screen_is_recorded_too() -> None:
    """Шкалы на первом экране — из записанных выводов программ 4 и 5."""
    riddle = re.findall(r"(?m)^\|.*\|$", BLOCKS[0].text)
    shown = [bar for name in sorted(OUTPUTS)[3:5] for bar in bars_of(OUTPUTS[name])]
    assert riddle == shown, "запишите заново: tests/readme.py"


def test_text_has_no_ids_inside_its_sentences() -> None:
    """Метки утверждений не прерывают фраз: они только в «Что где видно» и в таблицах."""
    inside = [claim for claim in CLAIMS if re.search(rf"\(\**{claim}\b", TEXT)]
    assert not inside, "перенесите в строку «Что где видно»"
