"""Картинки: нарисованы этим draw.py по этим записям, и на них всё видно."""

import importlib.util
import re
import sys
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

pytest.importorskip("matplotlib", reason="картинки рисует matplotlib")

from matplotlib.image import imread
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.testing.compare import compare_images
from matplotlib.transforms import Bbox

STATIC = Path(__file__).resolve().parent.parent / "static"
PICTURES = [
    "parallel_concurrent",
    "parallel_concurrent_reallife",
    "thread",
    "start_methods",
    "memory",
]

# Среднеквадратичная разница, из 255. Matplotlib 3.8 и 3.10 вместо 3.11 дают до 0.25,
# исчезнувшие точки над «ё» — 0.7, другая цифра в надписи — 1 и больше.
TOLERANCE = 0.5


def load() -> ModuleType:
    """draw.py как модуль: папка static — не пакет."""
    spec = importlib.util.spec_from_file_location("draw", STATIC / "draw.py")
    assert spec and spec.loader
    sys.modules["draw"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAW = load()


class Drawn(NamedTuple):
    """Картинка, нарисованная заново: что на ней (draw.Picture) и файл."""

    picture: Any
    path: Path


def redraw(name: str, folder: Path) -> Drawn:
    """Нарисовать картинку в folder."""
    (function,) = (function for function in DRAW.PICTURES if function.__name__ == name)
    return Drawn(DRAW.draw(function, folder), folder / f"{name}.png")


@pytest.fixture(scope="module", params=PICTURES)
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Каждая картинка по очереди; на все тесты рисуется один раз."""
    return redraw(request.param, tmp_path_factory.mktemp("drawn"))


def share_of_time(script: str, workers: int) -> float:
    """Какую часть записанного времени работали сразу столько исполнителей."""
    rows = DRAW.load(script).rows.values()
    instants = [(n + 0.5) / 1000 for n in range(1000)]
    busy = [sum(any(a <= t < b for a, b, _ in row) for row in rows) for t in instants]
    return busy.count(workers) / len(busy)


def test_every_picture_is_drawn_and_nothing_else_is_stored() -> None:
    assert [function.__name__ for function in DRAW.PICTURES] == PICTURES
    assert {path.stem for path in STATIC.glob("*.png")} == set(PICTURES)


def test_stored_picture_is_what_draw_py_draws(drawn: Drawn) -> None:
    stored = STATIC / drawn.path.name
    difference = compare_images(str(stored), str(drawn.path), tol=TOLERANCE)
    assert difference is None, f"{difference}\nперерисуйте: python3 static/draw.py"


def test_drawing_again_gives_the_same_bytes(drawn: Drawn, tmp_path: Path) -> None:
    again = redraw(drawn.path.stem, tmp_path).path.read_bytes()
    assert again == drawn.path.read_bytes()
    assert not {b"tEXt", b"iTXt", b"tIME"} & set(re.findall(rb"[a-zA-Z]{4}", again[:200]))


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_a_light_opaque_png_for_a_projector(name: str) -> None:
    path = STATIC / f"{name}.png"
    assert path.read_bytes().startswith(b"\x89PNG\r\n")
    assert path.stat().st_size < 300_000
    pixels = imread(path)
    height, width = pixels.shape[:2]
    assert width >= 1600 and 1.3 < width / height < 1.9
    assert pixels.shape[2] == 3 or pixels[..., 3].min() == 1  # на тёмной странице читается
    edges = [pixels[:12], pixels[-12:], pixels[:, :12], pixels[:, -12:]]
    assert all(edge.min() == 1 for edge in edges)  # поля белые


def test_labels_are_large_whole_and_apart(drawn: Drawn) -> None:
    labels = drawn.picture.labels
    assert len(labels) > 8
    assert not [text for text, box in labels if box.height < 1.5]  # 1/60 картинки и больше
    assert not [text for text, box in labels if not holds(Bbox([[2, 1], [158, 89]]), box)]
    pairs = combinations(labels, 2)
    assert not [(a, b) for (a, one), (b, two) in pairs if one.padded(0.3).overlaps(two)]


def test_no_frame_or_arrow_crosses_a_label(drawn: Drawn) -> None:
    units = drawn.picture.ax.transData.inverted()
    places: dict[type, list[Bbox]] = {FancyArrowPatch: [], FancyBboxPatch: []}
    for patch in drawn.picture.ax.patches:
        if type(patch) in places:
            places[type(patch)].append(units.transform_bbox(patch.get_window_extent()))
    arrows, frames = places.values()
    chips = [frame for frame in frames if frame.height < 7]
    assert arrows
    for text, box in drawn.picture.labels:
        assert not [arrow for arrow in arrows if arrow.overlaps(box)], text
        around = chips if any(holds(chip, box) for chip in chips) else frames
        assert all(holds(frame, box) for frame in around if frame.overlaps(box)), text


def holds(frame: Bbox, box: Bbox) -> bool:
    """Лежит ли box внутри frame, не касаясь края."""
    return bool(
        frame.x0 + 0.4 < box.x0 < box.x1 < frame.x1 - 0.4
        and frame.y0 + 0.4 < box.y0 < box.y1 < frame.y1 - 0.4
    )


@pytest.mark.parametrize("script", ["4_math", "5_threads"])
def test_recording_is_the_whole_output_of_a_run(script: str) -> None:
    lines = (STATIC / "recorded" / f"{script}.txt").read_text("utf-8").splitlines()
    assert re.match(r"Python 3\.\d+\.\d+, GIL включён, \w+, ядер: 2", lines[0])
    assert any(line.startswith("Вывод: ") for line in lines[-5:])
    assert max(map(len, lines)) <= 80


def test_recorded_processes_work_at_the_same_time() -> None:
    assert share_of_time("4_math", 2) > 0.9
    assert float(DRAW.load("4_math").busy.split()[2].replace(",", ".")) > 1.7


def test_recorded_threads_take_turns() -> None:
    assert share_of_time("5_threads", 1) > 0.9
    assert float(DRAW.load("5_threads").busy.split()[2].replace(",", ".")) < 1.1
    assert all(len(row) >= 5 for row in DRAW.load("5_threads").rows.values())


def test_pictures_name_the_run_they_are_drawn_from(drawn: Drawn) -> None:
    named = [text for text, _ in drawn.picture.labels if text.startswith("записано")]
    scripts = {"parallel_concurrent": ["4_math", "5_threads"], "thread": ["5_threads"]}
    assert len(named) == len(scripts.get(drawn.path.stem, []))
    for text, script in zip(named, scripts.get(drawn.path.stem, [])):
        assert re.match(rf"записано: python3 {script}\.py, CPython 3\.\d+\.\d+, 2 ядра", text)


def test_time_line_is_read_column_by_column() -> None:
    assert DRAW.spans("AAB ") == [(0, 0.5, "A"), (0.5, 0.75, "B")]
    assert DRAW.spans("█ ░▓") == [(0, 0.25, ""), (0.6875, 0.9375, "")]
    assert DRAW.spans(" ▒█▒") == [(0.375, 0.875, "")]
