"""Картинки: draw.py рисует их по записям выводов, и на них всё видно — хоть с телефона."""

import importlib.util
import re
from functools import cache
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import judged, output

pytest.importorskip("matplotlib", reason="картинки рисует matplotlib")

from matplotlib.testing.compare import compare_images

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"

# Среднеквадратичная разница, из 255: сглаживание у версий matplotlib разное. Исчезнувшие
# точки над «ё» дают 0.7, другая цифра в надписи — 1 и больше.
TOLERANCE = 0.5


def load_draw() -> ModuleType:
    """draw.py как модуль: папка static — не пакет."""
    spec = importlib.util.spec_from_file_location("draw", STATIC / "draw.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAW = load_draw()
each_picture = pytest.mark.parametrize("function", DRAW.PICTURES, ids=lambda f: f.__name__)


@cache
def recorded(script: str) -> str:
    """Записанный вывод, по которому нарисованы картинки."""
    return str(DRAW.load(script))


def test_every_stored_picture_is_drawn_and_light() -> None:
    """Картинок столько, сколько рисует draw.py, и все вместе они легче полутора мегабайт."""
    stored = {path.stem: path.stat().st_size for path in STATIC.glob("*.png")}
    assert sorted(stored) == sorted(function.__name__ for function in DRAW.PICTURES)
    assert max(stored.values()) < 350_000 and sum(stored.values()) < 1_500_000


@each_picture
def test_picture_drawn_again_is_the_same_and_its_words_can_be_read(
    function: Any, tmp_path: Path
) -> None:
    """Картинка в папке — та, что рисует draw.py; надписи крупные и не налезают друг на друга."""
    name = f"{function.__name__}.png"
    (tmp_path / "again").mkdir()
    picture = DRAW.draw(function, tmp_path)
    DRAW.draw(function, tmp_path / "again")
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    difference = compare_images(str(STATIC / name), str(tmp_path / name), tol=TOLERANCE)
    assert difference is None, f"{difference}\nперерисуйте: python3 static/draw.py"

    assert len(picture.labels) >= 3
    for text, box in picture.labels:  # 2,2 % от 400 точек телефона — 9 точек
        assert box.height >= 0.022 * picture.width, f"мелко: {text}"
        assert box.x0 > 1 and box.x1 < picture.width - 1, f"за краем: {text}"
        assert box.y0 > 1 and box.y1 < picture.height - 1, f"за краем: {text}"
    for (one, place), (two, other) in combinations(picture.labels, 2):
        assert not place.padded(0.3).overlaps(other), f"«{one}» закрывает «{two}»"


def check(four: str, five: str, seven: str) -> None:
    """draw.py находит в выводах программ всё, что рисует."""
    assert [letter for row in DRAW.timelines(four) for _, _, letter in row if letter]
    for row in DRAW.timelines(five):
        assert len(row) > 3 and all(0 <= begin < end <= 1 for begin, end, _ in row)
    table = DRAW.speedups(seven)
    assert len(table) == 3
    for row in table.values():
        assert {"потоки", "корутины", "процессы"} <= set(row)
        assert all(DRAW.number(speedup) > 0 for speedup in row.values())


def test_recordings_are_whole_outputs_and_draw_py_reads_them() -> None:
    """Записи сделаны, когда ядра были свободны: в них те слова, ради которых картинки."""
    check(*(recorded(script) for script in DRAW.RECORDED))
    for script, words in DRAW.RECORDED.items():
        assert re.match(r"Python 3\.\d+\.\d+, GIL включён, \w+, ядер: 2", recorded(script))
        assert words in recorded(script), f"{script}: запишите заново, tests/readme.py"


@pytest.mark.parametrize("script", DRAW.RECORDED)
def test_draw_py_can_read_the_present_output(script: str) -> None:
    """draw.py прочтёт и новую запись: вид вывода у программ не изменился."""
    fresh = {name: recorded(name) for name in DRAW.RECORDED}
    fresh[script] = judged(output(int(script[0])))
    if "ядер: 2" not in fresh[script]:
        pytest.skip("на картинке место двоим: нужны два ядра")
    check(*fresh.values())


def test_pictures_are_shown_twice_smaller_than_drawn() -> None:
    """В PNG 1440 точек по ширине, README.md показывает 720: на проекторе чётко."""
    text = (ROOT / "README.md").read_text("utf-8")
    for path in STATIC.glob("*.png"):
        width = int.from_bytes(path.read_bytes()[16:20], "big")  # из заголовка PNG
        assert width == 1440, path.name
        shown = rf'<img src="static/{path.name}" width="720" alt="[^"]+">'
        assert re.search(shown, text), path.name


def test_picture_of_the_ways_shows_the_numbers_of_the_recording() -> None:
    """Под каждым видом работы — те ускорения, которые намерила программа 7."""
    shown = [text for text, _ in DRAW.which_way().labels]
    for kind, row in DRAW.speedups(recorded("7_parallel")).items():
        begin = shown.index(kind) + 1
        pairs = [word for pair in row.items() for word in pair]
        assert shown[begin : begin + len(pairs)] == pairs


def test_time_line_is_read_column_by_column() -> None:
    """Неполный столбец шкалы прижат к полному соседу."""
    assert DRAW.spans("AAB ") == [(0, 0.5, "A"), (0.5, 0.75, "B")]
    assert DRAW.spans("█ ░▓") == [(0, 0.25, ""), (0.6875, 0.9375, "")]
    assert DRAW.spans(" ▒█▒") == [(0.375, 0.875, "")]
