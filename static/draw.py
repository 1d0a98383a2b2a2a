"""Картинки урока: пять PNG рядом с этим файлом. Нужна matplotlib.

python3 draw.py            перерисовать все картинки
python3 draw.py --record   сперва выполнить 4_math.py и 5_threads.py и сохранить их вывод

Шкалы времени нарисованы по выводу настоящих прогонов: recorded/4_math.txt и 5_threads.txt.
Язык один на все картинки: цвет и штриховка — чья работа или чья память, рамка с круглыми
углами — процесс, волна — поток, толстая полоса — работает, тонкая линия или волна — ждёт.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from math import cos, pi, sin
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rcdefaults
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, PathPatch, Polygon
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, Bbox

HERE = Path(__file__).resolve().parent
INK, GREY, GIL = "#1A1A1A", "#595959", "#A0357A"
BLUE, ORANGE, GREEN, COMMON = range(4)  # исполнители 1, 2, 3 и то, что у них общее
COLORS = ["#0072B2", "#E69F00", "#009E73", GREY]  # палитра Окабе — Ито, различима дальтоникам
TINTS = ["#DCEBF5", "#FCEFD2", "#D5EFE6", "#F2F2F2"]
HATCHES = ["", "//", "..", ""]
SHADES = " ░▒▓█"  # как в 5_threads.py: какую часть столбца поток работал

Box = tuple[float, float, float, float]  # левый нижний угол, ширина, высота
Points = list[tuple[float, float]]


class Span(NamedTuple):
    """Отрезок работы: начало и конец (в долях шкалы), буква задания."""

    begin: float
    end: float
    letter: str = ""


class Record(NamedTuple):
    """Что взято из сохранённого вывода."""

    rows: dict[str, list[Span]]  # номер процесса или потока: когда он работал
    seconds: float  # длина шкалы
    busy: str  # занято ядер
    origin: str  # откуда запись
    text: str


def spans(marks: str) -> list[Span]:
    """Разобрать строку шкалы; неполный столбец (░▒▓) прижат к более полному соседу."""
    found: list[Span] = []
    fill = [SHADES.index(mark) / 4 if mark in SHADES else 1.0 for mark in marks]
    for n, (left, share, right) in enumerate(zip([0, *fill], fill, [*fill[1:], 0])):
        letter, begin = marks[n].strip(SHADES), n + (1 - share if right > left else 0)
        span = Span(begin / len(marks), (begin + share) / len(marks), letter)
        if found and found[-1].letter == letter and span.begin - found[-1].end < 1e-9:
            found[-1] = Span(found[-1].begin, span.end, letter)
        elif share:
            found.append(span)
    return found


def load(script: str) -> Record:
    """Прочитать сохранённый вывод 4_math.py или 5_threads.py."""
    text = (HERE / "recorded" / f"{script}.txt").read_text("utf-8")
    rows = dict(re.findall(r"^(?:pid|поток) +(\d+) *\|(.*)\|", text, re.MULTILINE))
    if len(rows) != 2:
        sys.exit(f"{script}: на картинке место двоим, а в записи {len(rows)}; нужны два ядра")
    version, cores = re.findall(r"Python ([\d.]+).*ядер: (\d+)", text)[0]
    table = {line[:18].strip(): line[18:].split() for line in text.splitlines()}
    two = table["процессов" if "процессов" in table else "потоков"].index("2")
    seconds = min(float(cells[two]) for title, cells in table.items() if title.startswith("круг"))
    if column := re.search(r"столбец — (\d+) мс", text):
        seconds = int(column[1]) / 1000 * len(next(iter(rows.values())))
    return Record(
        rows={number: spans(marks) for number, marks in rows.items()},
        seconds=seconds,
        busy=f"занято ядер {table['занято ядер'][two]} из {cores}".replace(".", ","),
        origin=f"записано: python3 {script}.py, CPython {version}, {cores} ядра",
        text=text,
    )


def rect(x: float, y: float, w: float, h: float) -> Points:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


class Picture:
    """Белый лист 160 × 90 единиц (1920 × 1080 точек) и всё, что на нём рисуют."""

    def __init__(self) -> None:
        rcdefaults()  # чужие настройки matplotlib картинок не изменят
        self.figure = Figure(figsize=(16, 9), dpi=120)
        self.ax = self.figure.add_axes((0, 0, 1, 1), xlim=(0, 160), ylim=(0, 90))
        self.ax.axis("off")
        self.labels: list[tuple[str, Bbox]] = []  # надписи и место, которое они заняли

    def text(self, x: float, y: float, text: str, size: float = 20, **style: Any) -> None:
        """Надпись; y — середина первой строки, size — в пунктах, align — 0, 1/2 или 1.

        Буквы — контуры, а не шрифт: место и вид надписи не зависят от версии matplotlib.
        """
        align, halo = style.pop("align", 0), style.pop("halo", None)
        color, font = style.pop("color", INK), FontProperties(family="DejaVu Sans", **style)
        for n, line in enumerate(text.splitlines()):
            outline = TextPath((0, 0), line, size=size / 7.2, prop=font)
            ink = outline.get_extents()
            left, baseline = x - ink.x0 - align * ink.width, y - size * (0.05 + 0.2 * n)
            path = Affine2D().translate(left, baseline).transform_path(outline)
            if halo:
                self.shape(PathPatch(path), halo, halo, linewidth=6, zorder=8)
            self.shape(PathPatch(path), color, linewidth=0, zorder=9)
            self.labels.append((line, path.get_extents()))

    def title(self, x: float, y: float, text: str, note: str = "") -> None:
        self.text(x, y, text, 34, weight="bold")
        self.text(x, y - 6, note, color=GREY)

    def shape(self, patch: Any, face: str = "white", edge: str = INK, **style: Any) -> None:
        patch.set(**({"facecolor": face, "edgecolor": edge, "linewidth": 2.5} | style))
        self.ax.add_patch(patch)

    def polygon(self, points: Points, *colors: str, **style: Any) -> None:
        self.shape(Polygon(points), *colors, **style)

    def oval(self, x: float, y: float, width: float, *colors: str, **style: Any) -> None:
        self.shape(Ellipse((x, y), width, style.pop("height", width)), *colors, **style)

    def line(self, points: Points, color: str, width: float = 3, **style: Any) -> None:
        (line,) = self.ax.plot(*zip(*points), color=color, linewidth=width, zorder=3)
        line.set(solid_capstyle="round", **style)

    def arrow(self, x: float, y: float, dx: float, dy: float = 0, heads: str = "-|>") -> None:
        arrow = FancyArrowPatch((x, y), (x + dx, y + dy), arrowstyle=heads, shrinkA=0, shrinkB=0)
        self.shape(arrow, INK, linewidth=4, mutation_scale=30, zorder=5)

    def rounded(self, box: Box, radius: float, *colors: str, **style: Any) -> None:
        frame = FancyBboxPatch(box[:2], *box[2:], boxstyle=f"round,pad=0,rounding_size={radius}")
        self.shape(frame, *colors, **style)

    def chip(self, x: float, y: float, text: str, face: str, edge: str) -> None:
        """Ярлык: надпись в рамке."""
        self.text(x, y, text, 22, weight="bold", color="white" if face == edge else INK)
        width = self.labels[-1][1].width + 2
        self.rounded((x - 1, y - 2.5, width, 5), 0.8, face, edge, linewidth=3, zorder=7)

    def process(self, box: Box, who: int, name: str) -> None:
        """Процесс: рамка с круглыми углами, имя на верхней кромке."""
        self.rounded(box, 3, TINTS[who], COLORS[who], linewidth=5)
        self.chip(box[0] + 4, box[1] + box[3], name, "white", COLORS[who])

    def bar(self, box: Box, who: int, label: str = "") -> None:
        """Полоса или ячейка: исполнитель работает, или это его память."""
        style = {"hatch": HATCHES[who], "linewidth": 1.5, "zorder": 4}
        self.polygon(rect(*box), COLORS[who], "white", **style)
        style = {"color": "white" if who == BLUE else INK, "halo": COLORS[who], "weight": "bold"}
        self.text(box[0] + box[2] / 2, box[1] + box[3] / 2, label, 22, align=0.5, **style)

    def bars(self, box: Box, who: int, row: list[Span], wavy: bool = False) -> None:
        """Шкала времени одного исполнителя."""
        x, y, w, h = box
        self.wave(x + 0.4, y + h / 2, w - 0.8, who, 0.9 * wavy)
        for begin, end, letter in row:
            self.bar((x + begin * w, y, (end - begin) * w, h), who, letter)

    def wave(self, x: float, y: float, length: float, who: int, height: float = 0.9) -> None:
        """Поток: волна (а процесс, который ждёт, — линия без волны)."""
        steps = [length * n / 400 for n in range(401)]
        self.line([(x + s, y + height * sin(s * pi / 1.5)) for s in steps], COLORS[who], 4)

    def instant(self, x: float, bottom: float, top: float, label: str) -> None:
        """Одно мгновение: пунктир поперёк шкалы."""
        self.line([(x, bottom), (x, top)], INK, 4, linestyle=(0, (2, 1)), zorder=6)
        self.text(x, top + 2, label, 21, align=0.5, weight="bold")

    def cells(self, x: float, y: float, values: str, *owners: int) -> None:
        """Память: ряд ячеек; цвет — кто её заполнил."""
        for n, (value, who) in enumerate(zip(values, owners)):
            self.bar((x + 7 * n, y, 7, 7), who, value.strip())

    def stack(self, x: float, y: float, who: int) -> None:
        for n in range(3):
            self.bar((x, y + 1.6 * n, 6, 1.6), who)
        self.text(x + 8, y + 2.4, "свой стек")

    def envelope(self, x: float, y: float) -> None:
        """Письмо: копия, упакованная pickle."""
        self.polygon(rect(x, y - 2, 6, 4), zorder=6)
        self.line([(x, y + 2), (x + 3, y - 0.5), (x + 6, y + 2)], INK, zorder=7)

    def cook(self, x: float, y: float, side: int, ghost: bool = False) -> None:
        """Повар у сковороды слева (side = -1) или справа (1); призрак — он будет здесь потом."""
        ink, skin, red = ("#999999", "white", "white") if ghost else (INK, "#F6D7B8", "#E8836B")
        where = Affine2D().scale(side, 1).translate(x, y) + self.ax.transData
        look = {"edge": ink, "linestyle": "--" if ghost else "-", "transform": where}
        self.polygon([(-8, 0), (-6, 15), (6, 15), (8, 0)], **look)
        self.polygon([(-4.5, 15), (0, 10), (4.5, 15)], red, **look)
        self.oval(0, 20, 12, skin, **look)
        self.polygon(rect(-5.2, 23.4, 10.4, 7.6), **look)
        for left, up in (-4, 31), (4, 31), (0, 33):
            self.oval(left, up, 8, **look)
        self.polygon(rect(-4.9, 26, 9.8, 5), "white", "none", transform=where)  # колпак без швов
        for eye, cheek in (-1.2, -3.2), (3.2, 4.2):
            self.oval(eye, 20.8, 1.4, ink, ink, transform=where)
            self.oval(cheek, 18.2, 1.8, red, "none", alpha=0.6, transform=where)
        smile = [(1 + 2 * sin(n / 9), 18.4 - 1.4 * cos(n / 9)) for n in range(-9, 10)]
        self.line(smile, ink, transform=where)
        for color, width in (ink, 23), ("white", 18):
            self.line([(5, 12), (9, 8), (9, 3)], color, width, transform=where)
            self.line([(-5, 12), (-7, 6), (-4.5, 0)], color, width, transform=where)
        self.oval(9, 3.6, 3.4, skin, zorder=5, **look)

    def pan(self, x: float, y: float, who: int, side: int, toss: bool) -> None:
        """Сковорода с ручкой в сторону side; toss — блин в воздухе, с ней сейчас работают."""
        self.line([(x, y + 3), (x + side * 13.5, y + 3.6)], INK, 9)
        body = [(x - 8, y + 5), (x - 6, y + 0.4), (x + 6, y + 0.4), (x + 8, y + 5)]
        self.polygon(body, COLORS[who], "white", hatch=HATCHES[who], zorder=4)
        style = {"height": 2.8, "angle": -20 * side * toss, "zorder": 3}
        self.oval(x, y + (19 if toss else 5.8), 13, "#F2C14E", "#8A5A00", **style)
        for dx in (-4, 0, 4) if toss else ():
            self.line([(x + dx, y + 8), (x + dx, y + 13)], GREY)


def parallel_concurrent(p: Picture) -> None:
    """Вверху процессы 4_math.py, внизу потоки 5_threads.py."""
    for y, script, worker, title, note, legend in (
        (46, "4_math", "процесс", "Параллельно", "в один и тот же миг", "; буква — задание"),
        (0, "5_threads", "поток", "Конкурентно", "все начаты, идут по очереди", ""),
    ):
        record = load(script)
        rows = list(record.rows.values())
        p.title(4, y + 38.5, title, note)
        p.text(156, y + 38.5, record.busy, 30, align=1, weight="bold")
        for n, row in enumerate(rows):
            p.text(4, y + 23 - 10 * n, f"{worker} {n + 1}", 24)
            p.bars((30, y + 19 - 10 * n, 120, 8.5), n, row, wavy=worker == "поток")
        now = 0.54  # какой миг показать; сколько исполнителей работало — по записи
        count = sum(any(span.begin <= now < span.end for span in row) for row in rows)
        working = ("никто не работает", "работает один", "работают двое")[count]
        p.instant(30 + 120 * now, y + 7.5, y + 29, f"в этот миг {working}")
        p.arrow(30, y + 7, 125)
        p.text(150, y + 3.5, f"{record.seconds:.2f} с".replace(".", ","), align=1)
        p.text(30, y + 3.5, record.origin + legend, color=GREY)


def parallel_concurrent_reallife(p: Picture) -> None:
    """Блины на двух сковородах: у двух поваров и у одного."""
    work = [[Span(0, 1)], [Span(0, 1)]]
    turns = [[Span(n / 6, (n + 1) / 6) for n in range(who, 6, 2)] for who in (0, 1)]
    for x, rows, title, note in (
        (4, work, "Параллельно", "два повара — два блина в воздухе"),
        (84, turns, "Конкурентно", "один повар: то одна сковорода, то другая"),
    ):
        alone = rows is turns
        p.title(x, 85, title, note)
        p.cook(x + 45, 38, 1, ghost=alone)
        p.cook(x + 27, 38, -1)
        p.polygon(rect(x, 28, 72, 10), TINTS[COMMON], zorder=3)
        p.pan(x + 9, 38, BLUE, 1, toss=True)
        p.pan(x + 63, 38, ORANGE, -1, toss=not alone)
        for dx, label in (9, "задание 1"), (27, "ядро 1"), (63, "задание 2"):
            p.text(x + dx, 33, label, 20, align=0.5)
        if alone:
            p.arrow(x + 35, 33, 17, heads="<|-|>")
        else:
            p.text(x + 45, 33, "ядро 2", 20, align=0.5)
        for n, row in enumerate(rows):
            p.bars((x, 15 - 7 * n, 70, 5.5), n, row)
        p.instant(x + 9, 7.5, 22.5, "этот миг")
        p.arrow(x, 7, 73)
        p.text(x + 72, 3.6, "время", align=1, color=GREY)


def thread(p: Picture) -> None:
    """Потоки одного процесса, их память и GIL, который они передают друг другу."""
    record = load("5_threads")
    pid = re.findall(r"процесс (\d+), столбец", record.text)[0]
    turn, term = re.findall(r"по ([\d.]+) мс.*срок (\d+) мс", record.text)[0]
    p.title(4, 85, "Потоки одного процесса", "память общая; код Python выполняет тот, у кого GIL")
    p.process((4, 13, 152, 59), COMMON, f"процесс {pid}")
    p.polygon(rect(9, 18, 26, 48))
    p.text(22, 60.5, "общая\nпамять", 22, align=0.5, weight="bold")
    for n, name in enumerate(("код", "список", "счётчик")):
        p.polygon(rect(12, 43 - 11 * n, 20, 9), TINTS[COMMON])
        p.text(22, 47.5 - 11 * n, name, 22, align=0.5)
    heights, holds = (47, 38), []
    for n, (number, row) in enumerate(record.rows.items()):
        y = 48 - 21 * n
        p.bars((48, y, 104, 9), n, row, wavy=True)
        p.arrow(36, y + 4.5, 11, heads="<|-|>")
        p.text(48, (62, 22)[n], f"поток {n + 1}, номер в системе {number}", 22)
        p.stack(128, (59.6, 19.6)[n], n)
        holds += [(span.begin, n) for span in row]
    path = [(48.0, heights[min(holds)[1]])]
    for (_, before), (begin, n) in pairwise(sorted(holds)):
        path += [(48 + 104 * begin, heights[before]), (48 + 104 * begin, heights[n])]
    p.line([*path, (152, path[-1][1])], GIL, 7)
    p.chip(38.5, 42.5, "GIL", GIL, GIL)
    p.text(4, 8.5, f"{record.origin}; вся шкала {1000 * record.seconds:.0f} мс", color=GREY)
    held = f"поток держал GIL {turn.replace('.', ',')} мс (медиана): "
    asked = f"ждущий требует его через {term} мс — sys.getswitchinterval()"
    p.text(4, 4, held + asked, color=GREY)


def start_methods(p: Picture) -> None:
    """Кто кого запускает и что достаётся ребёнку."""
    for x, w, pages, name, note, value in (
        (4, 42, BLUE, "fork", "по умолчанию: Linux до 3.14", "x = 2"),
        (50, 46, ORANGE, "spawn", "по умолчанию: macOS, Windows", "x = 1"),
        (100, 56, GREEN, "forkserver", "по умолчанию: Linux с 3.14", "x = 1"),
    ):
        p.title(x, 86, name, note)
        p.process((x, 60, w, 13), BLUE, "родитель")
        p.cells(x + 4, 62, "   ", BLUE, BLUE, BLUE)
        p.text(x + 29, 65.5, "x = 2", 26, weight="bold")
        p.process((x, 9, w, 13), ORANGE, "ребёнок")
        p.cells(x + 4, 11, "   ", pages, pages, ORANGE)
        p.text(x + 29, 14.5, value, 26, weight="bold")
    p.process((100, 34.5, 56, 13), GREEN, "сервер, запущен один раз")
    p.cells(104, 36.5, "   ", GREEN, GREEN, GREEN)
    p.text(129, 42, "новый Python,\nодин поток")
    p.arrow(9, 59, 0, -34)
    p.arrow(55, 59, 0, -34)
    p.arrow(105, 59, 0, -8.5, heads="->")
    p.arrow(105, 33.5, 0, -8.5)
    p.text(12, 48, "fork(): копия родителя\nв этот миг; страницы\nобщие до записи\n(copy-on-write)")
    p.text(58, 48, "новый интерпретатор;\nскрипт импортирован\nзаново; аргументы —\nчерез pickle")
    p.text(108, 54.7, "просит; аргументы — pickle")
    p.text(108, 29, "fork(): копия сервера")
    note = "в скрипте x = 1, родитель сделал x = 2; цвет ячейки — чья память; 3.14 — версия Python"
    p.text(80, 4, note, align=0.5, color=GREY)


def memory(p: Picture) -> None:
    """Второй исполнитель добавил в список 3. Кто это увидит?"""
    p.title(4, 85, "Процессы: у каждого своя память")
    for n, (x, note) in enumerate(((4, "перемены не видит"), (108, "data.append(3)"))):
        p.process((x, 46, 48, 31), n, f"процесс {n + 1}")
        p.text(x + 4, 64, "data", 24)
        p.cells(x + 16, 60.5, "123"[: n + 2], n, n, n)
        p.text(x + 4, 52, note, 22)
    p.text(80, 77, "обмен — особым механизмом", align=0.5, color=GREY)
    for y, name in (67, "Queue — копии"), (58, "Pipe — копии"), (49, "shared_memory — общий блок"):
        p.arrow(53, y, 54, heads="<|-|>")
        p.text(57, y + 4.3, name)
    for x, y in (80, 67), (87, 67), (94, 67), (94, 58):
        p.envelope(x, y)
    for x in 88, 91, 94, 97:
        p.polygon(rect(x, 47.2, 3, 3.6), zorder=6)

    p.title(4, 39, "Потоки: память одна на всех")
    p.process((4, 4, 152, 28), COMMON, "процесс")
    for n, (x, note) in enumerate(((10, "перемену видит"), (116, "data.append(3)"))):
        p.text(x, 26, f"поток {n + 1}", 22, weight="bold")
        p.wave(x, 20.5, 34, n)
        p.text(x, 15.5, note, 22)
        p.stack(x, 6.5, n)
        p.arrow((46, 93)[n], 20.5, 21, heads="<|-|>")
    p.text(80, 27, "data", 24, align=0.5)
    p.cells(69.5, 17, "123", BLUE, BLUE, ORANGE)


PICTURES = [parallel_concurrent, parallel_concurrent_reallife, thread, start_methods, memory]


def draw(picture: Callable[[Picture], None], folder: Path = HERE) -> Picture:
    """Нарисовать и записать в folder; в PNG нет ни дат, ни версий — при повторе он тот же."""
    p = Picture()
    picture(p)
    p.figure.savefig(folder / f"{picture.__name__}.png", metadata={"Software": None})
    return p


def record() -> None:
    """Выполнить обе программы и сохранить их вывод целиком."""
    for script in ("4_math", "5_threads"):
        command = [sys.executable, str(HERE.parent / f"{script}.py")]
        utf8 = os.environ | {"PYTHONUTF8": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=utf8)
        (HERE / "recorded" / f"{script}.txt").write_bytes(done.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--record", action="store_true")
    if parser.parse_args().record:
        record()
    for picture in PICTURES:
        draw(picture)
