"""Картинки урока: шесть PNG рядом с этим файлом. Нужна matplotlib.

python3 static/draw.py   перерисовать все картинки

Шкалы времени и ускорения нарисованы по выводу настоящих прогонов: он лежит в recorded/, и это те
же прогоны, что в README.md (их вместе записывает tests/readme.py). PNG вдвое шире, чем показывает
README.md (1440 точек вместо 720), чтобы и на проекторе были чёткими.

Язык один на все картинки: цвет и штриховка — чья работа или чья память, рамка с круглыми
углами — процесс, волна — поток, толстая полоса — работает, тонкая линия или волна — ждёт.
"""

import re
import sys
from collections.abc import Callable
from math import pi, sin
from pathlib import Path
from typing import Any

from matplotlib import rcdefaults, rcParams
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, PathPatch, Polygon
from matplotlib.patches import Rectangle as Rect
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, Bbox

HERE = Path(__file__).resolve().parent
RECORDED = {  # программа: слова, без которых запись не годится
    "4_math": "задания шли одновременно",
    "5_threads": "потоки работали попеременно",
    "7_parallel": "счёт на Python ускоряют процессы",
}
INK, GREY = "#1A1A1A", "#595959"
BLUE, ORANGE, GREEN, COMMON, PURPLE = range(5)  # COMMON — общее для всех
COLORS = ["#0072B2", "#E69F00", "#009E73", "#999999", "#A0357A"]  # их различают и дальтоники
TINTS = ["#DCEBF5", "#FCEFD2", "#D5EFE6", "#F2F2F2"]
HATCHES = ["", "/", ".", "", ""]
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}  # какую часть столбца поток работал
SIZE, TITLE = 4.2, 6.2  # размер шрифта в единицах листа; мельче нельзя: не прочесть с телефона

Box = tuple[float, float, float, float]  # левый нижний угол, ширина, высота
Span = tuple[float, float, str]  # отрезок работы: начало и конец (доли шкалы), буква задания


def after(title: str, text: str) -> str:
    """Всё, что стоит в записи после слов title."""
    if title not in text:
        sys.exit(f"в записи нет слов «{title.strip()}»: нужны два свободных ядра и tests/readme.py")
    return text.split(title, 1)[1]


def load(script: str) -> str:
    """Сохранённый вывод программы."""
    return (HERE / "recorded" / f"{script}.txt").read_text("utf-8")


def timelines(text: str, columns: int | None = None) -> list[list[Span]]:
    """Когда работали двое: строки шкалы (или только их начало) программы 4 или 5."""
    rows = re.findall(r"^(?:pid|поток) +\d+ *\|(.+)\|", text, re.MULTILINE)
    if len(rows) != 2:
        sys.exit(f"на картинке место двоим, а на шкале записи {len(rows)}")
    return [spans(row[:columns]) for row in rows]


def spans(marks: str) -> list[Span]:
    """Разобрать строку шкалы; неполные столбцы (░▒▓) прижаты к полным."""
    found = []
    for run in re.finditer(r"([A-Z])\1*|[░▒▓]█*[░▒▓]?|█+[░▒▓]?", marks):
        first, last = (SHADES.get(mark, 1) for mark in (run[0][0], run[0][-1]))
        begin = run.start() + (1 - first if len(run[0]) > 1 else 0)
        end = run.end() - 1 + last
        found.append((begin / len(marks), end / len(marks), run[1] or ""))
    return found


def speedups(text: str) -> dict[str, dict[str, str]]:
    """Ускорения из таблицы программы 7: {вид работы: {способ: ускорение}}."""
    kinds = re.findall(r"^ +(счёт на Python) +(счёт в C) +(ожидание)", text, re.MULTILINE)
    if len(kinds) != 1:
        sys.exit("в записи программы 7 нет заголовка таблицы")
    table: dict[str, dict[str, str]] = {kind: {} for kind in kinds[0]}
    for way, cells in re.findall(r"^([а-я]+) +(\d+,\d+ \(.+)$", text, re.MULTILINE):
        found = re.findall(r"(\d+,\d+) \(", cells)  # перед скобками — медиана, в них — по кругам
        for kind, speedup in zip(table, found, strict=True):
            table[kind][way] = speedup
    return table


def number(text: str) -> float:
    """«1,88» — 1.88."""
    return float(text.replace(",", "."))


class Picture:
    """Белый лист шириной 100 единиц (1440 точек) и всё, что на нём рисуют."""

    width = 100

    def __init__(self, height: float) -> None:
        rcdefaults()  # чужие настройки matplotlib картинок не изменят
        rcParams["hatch.linewidth"] = 2.5
        self.height = height
        self.figure = Figure(figsize=(self.width / 10, height / 10), dpi=144)
        self.ax = self.figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(0, height))
        self.ax.axis("off")
        self.labels: list[tuple[str, Bbox]] = []  # надписи и место, которое заняли их буквы

    def shape(self, patch: Any, face: str = "white", edge: str = INK, **style: Any) -> None:
        patch.set(**({"facecolor": face, "edgecolor": edge, "linewidth": 2.5} | style))
        self.ax.add_patch(patch)

    def line(self, points: list[Any], color: str = INK, width: float = 3, **style: Any) -> None:
        (line,) = self.ax.plot(*zip(*points), color=color, linewidth=width, zorder=3)
        line.set(solid_capstyle="round", **style)

    def text(self, x: float, y: float, text: str, size: float = SIZE, **style: Any) -> None:
        """Надпись; y — середина строки, align — какая доля строки левее x, halo — подложка.

        Буквы — контуры, а не шрифт: место и вид надписи не зависят от версии matplotlib.
        """
        align, halo, color = style.get("align", 0), style.get("halo"), style.get("color", INK)
        bold = "bold" if style.get("bold", size > SIZE) else "normal"
        path = TextPath((0, 0), text, size, FontProperties(family="DejaVu Sans", weight=bold))
        ink = path.get_extents()
        left = min(x - align * ink.width, self.width - 2 - ink.width)  # не за край листа
        move = Affine2D().translate(left - ink.x0, y - 0.36 * size)
        if halo:
            self.shape(PathPatch(path.transformed(move)), halo, halo, linewidth=10, zorder=8)
        self.shape(PathPatch(path.transformed(move)), color, "none", zorder=9)
        self.labels.append((text, ink.transformed(move)))

    def arrow(self, x: float, y: float, length: float, heads: str = "-|>") -> None:
        arrow = FancyArrowPatch((x, y), (x + length, y), arrowstyle=heads, shrinkA=0, shrinkB=0)
        self.shape(arrow, INK, linewidth=4, mutation_scale=26, zorder=5)

    def dashes(self, x: float, bottom: float, top: float) -> None:
        self.line([(x, bottom), (x, top)], INK, 5, linestyle=(0, (2, 1)), zorder=6)

    def process(self, box: Box, who: int, name: str) -> None:
        """Процесс: рамка с круглыми углами, имя на верхней кромке."""
        frame = FancyBboxPatch(box[:2], *box[2:], boxstyle="round,pad=0,rounding_size=3")
        self.shape(frame, TINTS[who], COLORS[who], linewidth=5)
        self.text(box[0] + 3, box[1] + box[3], name)
        label, y = self.labels[-1][1], box[1] + box[3] - SIZE / 2
        tag = FancyBboxPatch((label.x0, y), label.width, SIZE, boxstyle="round,pad=1")
        self.shape(tag, edge=COLORS[who], linewidth=3, zorder=7)

    def bar(self, box: Box, who: int, label: str = "") -> None:
        """Полоса или ячейка: исполнитель работает, или это его память."""
        x, y, w, h = box
        cell = Rect((x, y), w, h, hatch=HATCHES[who], zorder=4)
        self.shape(cell, COLORS[who], "white", linewidth=1.5)
        if label:
            ink, halo = "white" if who in (BLUE, PURPLE) else INK, COLORS[who]
            self.text(x + w / 2, y + h / 2, label, align=0.5, bold=True, color=ink, halo=halo)

    def cells(self, box: Box, values: str, *owners: int) -> None:
        """Память: ряд ячеек, box — первая из них; цвет — кто её заполнил."""
        x, y, w, h = box
        for n, (value, who) in enumerate(zip(values, owners)):
            self.bar((x + w * n, y, w, h), who, value.strip())

    def worker(self, box: Box, who: int, row: list[Span], wavy: bool) -> None:
        """Шкала времени исполнителя: поток ждёт волной, процесс — прямой линией."""
        x, y, w, h = box
        steps = [0.4 + (w - 0.8) * n / 400 for n in range(401)]
        wave = [(x + s, y + h / 2 + 0.9 * wavy * sin(s * pi / 1.5)) for s in steps]
        self.line(wave, COLORS[who], 4)
        for begin, end, letter in row:
            self.bar((x + begin * w, y, (end - begin) * w, h), who, letter)

    def cook(self, x: float, y: float, side: int, who: int, ghost: bool = False) -> None:
        """Повар и сковорода слева от него (side = -1) или справа (1); призрак будет тут потом."""
        ink, skin, red = ("#999999", "white", "white") if ghost else (INK, "#F6D7B8", "#E8836B")
        where: Any = {"transform": Affine2D().scale(side, 1).translate(x, y) + self.ax.transData}
        look = where | {"edge": ink, "linestyle": "--" if ghost else "-"}
        self.shape(Polygon([(-8, 0), (-6, 15), (6, 15), (8, 0)]), **look)
        self.shape(Polygon([(-4.5, 15), (0, 10), (4.5, 15)]), red, **look)
        self.shape(Ellipse((0, 20), 12, 12), skin, **look)
        self.shape(Ellipse((0, 31), 17, 9), **look)
        self.shape(Rect((-5.2, 23.4), 10.4, 6), **look)
        for eye in -1, 3.4:
            self.shape(Ellipse((eye, 20.8), 1.6, 1.6), ink, ink, **where)
        self.line([(-0.6, 17.9), (0.4, 17.2), (1.8, 17.2), (2.8, 17.9)], ink, **where)
        self.line([(20, 3), (6.5, 3.6)], INK, 9, **where)
        for color, width in (ink, 23), ("white", 18):
            self.line([(5, 12), (9, 8), (9, 3)], color, width, **where)
            self.line([(-5, 12), (-7, 6), (-4.5, 0)], color, width, **where)
        self.shape(Ellipse((9, 3.6), 3.4, 3.4), skin, zorder=5, **look)
        pan = Polygon([(12, 5), (14, 0.4), (26, 0.4), (28, 5)])
        self.shape(pan, COLORS[who], "white", hatch=HATCHES[who], zorder=4, **where)
        pancake = Ellipse((20, 5.8 if ghost else 19), 13, 2.8, angle=0 if ghost else -20)
        self.shape(pancake, "#F2C14E", "#8A5A00", zorder=3, **where)
        for dx in () if ghost else (16, 20, 24):
            self.line([(dx, 8), (dx, 13)], GREY, **where)


def parallel_concurrent() -> Picture:
    """Вверху процессы 4_math.py, внизу потоки 5_threads.py."""
    p = Picture(100)
    for y, title, note, script, name in (
        (51.5, "Параллельно:", "в один и тот же миг", "4_math", "процесс"),
        (1.5, "Конкурентно:", "попеременно", "5_threads", "поток"),
    ):
        rows = timelines(load(script))
        p.text(4, y + 43, title, TITLE)
        p.text(4, y + 35.5, note, 5, bold=True)
        p.text(96, y + 43, f"{script}.py", align=1, color=GREY)
        for n, row in enumerate(rows):
            p.text(4, y + 19.5 - 10 * n, f"{name} {n + 1}")
            p.worker((28, y + 15 - 10 * n, 65, 9), n, row, wavy=name == "поток")
        # Миг, когда работает второй, ближе к середине шкалы; сколько тогда работало, сочтём.
        now = min((0.7 * a + 0.3 * b for a, b, _ in rows[1]), key=lambda time: abs(time - 0.5))
        count = sum(a <= now < b for row in rows for a, b, _ in row)
        p.dashes(28 + 65 * now, y + 3, y + 25.5)
        working = "работают двое" if count == 2 else "работает один"
        p.text(28 + 65 * now, y + 28.5, f"в этот миг {working}", align=0.5)
        p.text(4, y + 3, "время", color=GREY)
        p.arrow(28, y + 3, 68)
    return p


def parallel_concurrent_reallife() -> Picture:
    """Блины на двух сковородах: у двух поваров и у одного."""
    p = Picture(112)
    for y, title in (65, "Параллельно: два повара"), (12, "Конкурентно: один повар"):
        p.text(4, y + 42, title, TITLE)
        p.cook(62, y, 1, ORANGE, ghost="один" in title)
        p.cook(38, y, -1, BLUE)
        p.shape(Rect((4, y - 3), 92, 3), TINTS[COMMON], zorder=3)
    p.arrow(45, 32, 10, "<|-|>")
    p.text(50, 4, "повар — ядро, блин — задание", align=0.5)
    return p


def thread() -> Picture:
    """Потоки одного процесса, их память и GIL, который они передают друг другу."""
    p, text, columns = Picture(100), load("5_threads"), 30
    turn, column = (after(words, text).split()[0] for words in ("обычно по ", "столбец — "))
    p.text(4, 94, "Потоки одного процесса", TITLE)
    p.process((4, 17, 92, 67), COMMON, "процесс")
    p.shape(Rect((7, 22), 23, 54))
    for y, word in (70, "общая"), (64, "память"), (51, "код"), (41, "список"), (31, "счётчик"):
        p.text(18.5, y, word, align=0.5, bold=y > 60)
    gil = []  # в какой миг линия GIL переходит и на какую высоту
    for n, row in enumerate(timelines(text, columns)):
        y = (53, 27)[n]
        p.worker((42, y, 51, 12), n, row, wavy=True)
        p.arrow(31, y + 6, 10, "<|-|>")
        p.text(42, (70, 22.5)[n], f"поток {n + 1}")
        gil += [(42 + 51 * begin, (50, 42)[n]) for begin, _, _ in row]
    p.line([*sorted(gil), (93, max(gil)[1])], COLORS[PURPLE], 7, drawstyle="steps-post")
    p.bar((31, 43, 9.4, 6), PURPLE, "GIL")
    p.text(4, 11, f"поток держит GIL обычно по {turn} мс")
    p.text(4, 5, f"5_threads.py, первые {columns * int(column)} мс", color=GREY)
    return p


def start_methods() -> Picture:
    """Кто кого запускает и что достаётся ребёнку."""
    p = Picture(128)
    for y, name, system, note, pages in (
        (90, "fork", "Linux, Python по 3.13", "копия; ребёнку досталось всё, что было", BLUE),
        (50, "spawn", "macOS и Windows", "новый Python; файл импортирован заново", ORANGE),
        (10, "forkserver", "Linux, Python с 3.14", "; сервер копирует себя", GREEN),
    ):
        p.text(4, y + 33, name, TITLE)
        p.text(4, y + 27, f"по умолчанию: {system}", color=GREY)
        p.text(4, y + 1.5, note.split("; ")[1])
        for x, who, role, value, cells in (
            (4, BLUE, "родитель", 2, (BLUE, BLUE)),
            (69, ORANGE, "ребёнок", 2 if name == "fork" else 1, (pages, ORANGE)),
        ):
            p.process((x, y + 6, 27, 14), who, role)
            p.cells((x + 1.8, y + 9, 5.5, 5.5), "  ", *cells)
            p.text(x + 14.5, y + 11.8, f"x = {value}")
        if name == "forkserver":
            p.process((36.5, 16, 27, 14), GREEN, "сервер")
            p.cells((38.3, 19, 5.5, 5.5), "  ", GREEN, GREEN)
            p.arrow(31.5, 22.5, 4.6)
            p.arrow(64, 22.5, 4.6)
        else:
            p.text(50, y + 17, note.split("; ")[0], align=0.5)
            p.arrow(32, y + 12.5, 36)
    p.text(4, 4, "в файле x = 1, родитель сделал x = 2", color=GREY)
    return p


def memory() -> Picture:
    """Второй исполнитель добавил в список 3. Кто это увидит?"""
    p = Picture(104)
    p.text(4, 98, "Процессы: память своя", TITLE)
    for n, (x, note) in enumerate(((4, "не видит"), (68, "append(3)"))):
        p.process((x, 50, 28, 40), n, f"процесс {n + 1}")
        p.text(x + 3.5, 80, "data")
        p.cells((x + 3.5, 68, 7, 7), "123"[: n + 2], n, n, n)
        p.text(x + 3.5, 58, note)
    for y, name, places in (
        (79, "Queue: копии", (40, 47, 54)),
        (66.5, "Pipe: копии", (47,)),
        (54, "shared_memory", (41, 47, 53)),
    ):
        p.arrow(33, y, 34, "<|-|>")
        p.text(50, y + 5, name, align=0.5)
        for x in places:
            p.shape(Rect((x, y - 2), 6, 4), zorder=6)
            if "копии" in name:  # письмо
                p.line([(x, y + 2), (x + 3, y - 0.5), (x + 6, y + 2)], zorder=7)
    p.text(50, 48.5, "общий блок", align=0.5)

    p.text(4, 38, "Потоки: память общая", TITLE)
    p.process((4, 4, 92, 26), COMMON, "процесс")
    for n, (x, note) in enumerate(((8, "видит"), (71, "append(3)"))):
        p.text(x, 22, f"поток {n + 1}")
        p.worker((x, 13.5, 19, 4), n, [], wavy=True)
        p.text(x, 9, note)
        p.arrow((28.5, 62)[n], 15.5, 8, "<|-|>")
    p.text(50, 22, "data", align=0.5)
    p.cells((39.5, 12, 7, 7), "123", BLUE, BLUE, ORANGE)
    return p


def which_way() -> Picture:
    """Какой способ какую работу ускоряет; у ожидания масштаб другой, иначе остальных не видно."""
    table = speedups(load("7_parallel"))
    owners = {"потоки": BLUE, "корутины": GREEN, "процессы": ORANGE}
    *counting, waiting = (max(map(number, row.values())) for row in table.values())
    ways = len(table["ожидание"])
    left, p = 28 if ways == 3 else 43, Picture(56 + 25.5 * ways)
    p.text(4, p.height - 6, "Что чем ускорять", TITLE)
    p.dashes(6, p.height - 16.5, p.height - 11.5)
    p.text(9, p.height - 14, "ускорение 1: как одно за другим")
    for group, (kind, row) in enumerate(table.items()):
        y = p.height - 23 - group * (11 + 8.5 * ways)
        unit = (78 - left) / (waiting if kind == "ожидание" else max(counting))
        p.text(4, y, kind, 5)
        p.dashes(left + unit, y - 4 - 8.5 * ways, y - 4)
        for n, (way, speedup) in enumerate(row.items(), 1):
            faster, length = number(speedup) > 1.2, unit * number(speedup)
            p.text(4, y - 8.5 * n, way)
            p.bar((left, y - 3 - 8.5 * n, length, 6), owners.get(way, PURPLE) if faster else COMMON)
            p.text(left + max(length, unit) + 1.5, y - 8.5 * n, speedup, bold=faster)
    p.text(96, y, "другой масштаб", align=1, color=GREY)
    return p


PICTURES = [
    *(parallel_concurrent, parallel_concurrent_reallife, thread),
    *(start_methods, memory, which_way),
]


def draw(picture: Callable[[], Picture], folder: Path = HERE) -> Picture:
    """Нарисовать и записать в folder; в PNG нет ни дат, ни версий — при повторе он тот же."""
    p = picture()
    p.figure.savefig(folder / f"{picture.__name__}.png", metadata={"Software": None})
    return p


if __name__ == "__main__":
    for picture in PICTURES:
        draw(picture)
