"""Утверждения о счёте в процессах: P6b, R4, M3, M4, O1."""

import os
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import nan
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from conftest import (
    CORES,
    bars,
    conclusion,
    copy,
    good,
    lines,
    load,
    new_file,
    output,
    primes_below,
    run,
    said,
    several_cores,
)

LESSON = load(4)
FINE = 1e-6  # шаг часов процессорного времени, с: Linux и macOS
COARSE = 1 / 64  # Windows
ONCE = ("ROUNDS = 12", "ROUNDS = 1")


def made(seconds: float, busy: float, preempted: float = 0, right: int = 12) -> Any:
    """Прогон из 12 заданий поровну: столько-то секунд, столько-то ядер занято."""
    records = []
    for place, (limit, answer) in enumerate(zip(LESSON.LIMITS, LESSON.ANSWERS)):
        answer -= place >= right
        begin, end = place * seconds / 12, (place + 1) * seconds / 12
        cpu = seconds * busy / 12
        records.append(LESSON.Record(limit, answer, 5, begin, end, cpu, preempted))
    return LESSON.Run(seconds, records)


def rounds(*times: dict[int, tuple]) -> list[dict[int, Any]]:
    """Круги: {сколько процессов: (секунды, занято ядер, …)}."""
    return [{n: made(*numbers) for n, numbers in one.items()} for one in times]


def report(
    facts: list[dict[int, Any]], workers: int = 2, cores: int = 2, tick: float = FINE
) -> str:
    return "\n".join(LESSON.report(LESSON.Facts(facts, workers, cores, tick)))


def told(text: str) -> str:
    """Все выводы одной строкой; каждый помещается на экране."""
    texts = [line for line in text.splitlines() if line.startswith("Вывод: ")]
    assert texts and max(map(len, texts)) <= 80
    return " ".join(texts)


def rows(text: str) -> dict[int, list[float]]:
    """Таблица: сколько процессов — медиана, ускорение, от и до (если есть), ядра, цена, …"""
    table = {}
    for line in text.replace("–", " ").replace("—", "-1").splitlines():  # «—»: не сосчитать
        if line.startswith("без пула"):
            table[0] = said(line)
        elif re.match(r"\d+ ", line):
            n, *numbers = said(line)
            table[int(n)] = numbers
    return table


def test_P6b_answers_are_known_from_elsewhere_and_the_jobs_are_those_of_3() -> None:
    """Ответы — из решета Эратосфена; программы 3 и 4 считают одно и то же."""
    assert [primes_below(limit) for limit in LESSON.LIMITS] == LESSON.ANSWERS
    assert load(3).ANSWERS == LESSON.ANSWERS and load(3).LIMITS == LESSON.LIMITS


def test_P6b_M4_table_shows_medians_of_the_rounds() -> None:
    """Время, ускорение и цена — медианы кругов, а не лучший и не худший; ядра — по всем."""
    times = rounds(
        {0: (1, 1.0, 1), 2: (0.5, 1.8, 2)},
        {0: (3, 1.0, 1), 2: (2.0, 1.8, 4)},
        {0: (2, 1.0, 1), 2: (1.6, 1.0, 9)},
    )
    table = rows(report(times))
    assert table[0] == [2000, 1, 1, 1, 12, 12]
    assert table[2] == [1600, 1.5, 1.25, 2, 1.49, 0.9, 48, 12]


def test_P6b_wrong_answers_are_counted_in_the_worst_round() -> None:
    """«Верно» — сколько ответов сошлось с известными, в худшем из кругов."""
    times = rounds(*[{0: (1, 1), 2: (0.5, 1.9, 0, right)} for right in (12, 9, 12)])
    assert rows(report(times))[2][-1] == 9
    assert rows(report(times))[0][-1] == 12


QUIET = {0: (1, 1.0), 1: (1, 0.98), 2: (0.55, 1.9, 9), 4: (0.55, 1.9, 50)}


def changed(**ways: tuple) -> dict[int, tuple]:
    """Спокойный круг, в котором одному из способов пришлось иначе."""
    return {**QUIET, **{int(way[1:]): numbers for way, numbers in ways.items()}}


CASES = {  # круги; сколько ядер; что должно быть сказано и чего быть не должно
    "спокойно": (
        [QUIET] * 8,
        2,
        "одновременно|в 1,82 раза|в 8 кругах из 8|вместо 2 не быстрее",
        "нельзя",
    ),
    "медиана, не лучший круг": (
        [changed(n2=(t, 1.9)) for t in (0.55, 0.8, 0.8, 0.8)],
        2,
        "в 1,25 раза|в 4 кругах из 4",
        "1,82",
    ),
    "быстрее занятых ядер не бывает": (
        [changed(n2=(0.4, 1.9))] * 8,
        2,
        "в 1,90 раза|не больше|менялась скорость",
        "2,50",
    ),
    "в одном круге из восьми не быстрее": (
        [changed(n2=(0.95, 1.9))] + [QUIET] * 7,
        2,
        "в 1,82 раза|в 7 кругах из 8",
        "нельзя",
    ),
    "у базы отнимали ядро": ([changed(n0=(2, 0.6))] * 8, 2, "судить нельзя", "быстрее|времен"),
    "у базы отнимали в трёх кругах": (
        [changed(n0=(2, 0.6))] * 3 + [QUIET] * 5,
        2,
        "одновременно|в 5 кругах из 5",
        "3,6",
    ),
    "у базы отнимали в пяти": (
        [changed(n0=(2, 0.6))] * 5 + [QUIET] * 3,
        2,
        "судить нельзя",
        "быстрее",
    ),
    "второе ядро не досталось": (
        [changed(n2=(1, 1.0))] * 8,
        2,
        "видимо, отнимали: судить нельзя",
        "одновременно|быстрее",
    ),
    "круги расходятся": (
        [changed(n2=(t, 1.5)) for t in (0.6, 0.6, 1.0, 1.0)],
        2,
        "судить нельзя",
        "быстрее в",
    ),
    "ядра вместе медленнее": (
        [changed(n2=(0.8, 1.9))] * 8,
        2,
        "одновременно|в 1,25 раза|медленнее|в 1,52 раза",
        "нельзя",
    ),
    "ядра заняты, а выигрыша нет": (
        [changed(n2=(1.0, 1.9))] * 8,
        2,
        "одновременно|не быстрее|в 1,90 раза",
        "нельзя",
    ),
    "лишние помогли": (
        [changed(n4=(0.3, 1.9, 50))] * 8,
        2,
        "4 процесса вместо 2 быстрее",
        "не быстрее",
    ),
    "лишним досталось больше ядер": (
        [changed(n2=(0.7, 1.4), n4=(0.5, 1.9))] * 8,
        2,
        "о лишних процессах судить нельзя",
        "вместо 2 быстрее",
    ),
    "ядро отняли": ([QUIET] * 8, 2, "4800 вместо 864", "попеременно"),
    "вытеснений не сосчитать": (
        [changed(n2=(0.55, 1.9, nan), n4=(0.55, 1.9, nan))] * 8,
        2,
        "вместо 2 не быстрее",
        "отняли|nan",
    ),
    "ядер больше, чем процессов": ([QUIET] * 8, 4, "1,90 из 4", "вместо"),
    "одно ядро": (
        [{0: (1, 1.0), 2: (1, 0.97), 4: (1, 0.97)}] * 8,
        1,
        "попеременно|0,97 из 1|вместо 2 не быстрее",
        "одновременно|быстрее в",
    ),
    "одно ядро, и оно занято": (
        [{0: (t, 0.5), 2: (1, 0.8), 4: (1, 0.9)} for t in (1, 2, 1, 3)],
        1,
        "судить нельзя",
        "быстрее|попеременно",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_P6b_O1_M3_M4_conclusions_follow_the_rounds(case: str) -> None:
    """Что сказано, следует из кругов, которые в счёт; одна удача ничего не доказывает."""
    times, cores, words, never = CASES[case]
    text = told(report(rounds(*times), cores=cores))
    assert [word for word in words.split("|") if word not in text] == [], text
    assert [word for word in never.split("|") if word in text] == [], text


def test_P6b_M3_M4_longest_conclusions_fit_the_screen() -> None:
    """Восемь ядер, двенадцать процессов, вытеснений тысячи: каждый вывод — в строку экрана."""
    one = {0: (1, 1.0), 8: (0.2, 7.5, 99), 12: (0.2, 7.5, 104)}
    text = told(report(rounds(*[one] * 8), workers=8, cores=8))
    assert "9984 вместо 9504" in text and "12 процессов вместо 8" in text


def test_P6b_no_named_speedup_is_past_the_cores_that_were_busy() -> None:
    """Какие бы круги ни выпали, названное ускорение не больше занятых ядер."""
    dice = random.Random(4)
    named = 0
    for _ in range(300):
        times = []
        for _ in range(8):
            base = dice.uniform(0.5, 1.5), dice.uniform(0.9, 1.0)
            fast = dice.uniform(0.2, 1.5), dice.uniform(0.8, 2.0)
            times.append({0: base, 2: fast, 4: fast})
        text = told(report(rounds(*times)))
        for speedup in re.findall(r"быстрее в (\d+,\d+)", text):
            (seen,) = said(conclusion(text.replace(" Вывод", "\nВывод"), "занято ядер"))[:1]
            assert said(speedup)[0] <= seen + 0.005
            named += 1
    assert named > 20


@pytest.mark.parametrize(("tick", "counted"), [(FINE, "4 из 8"), (COARSE, "8 из 8")])
def test_P6b_short_runs_are_not_judged_singly_by_a_coarse_clock(tick: float, counted: str) -> None:
    """Где часы процессорного времени идут шагами по 15,6 мс, судят по всем кругам вместе."""
    times = [{0: (0.11, busy), 2: (0.06, 1.9), 4: (0.06, 1.9)} for busy in (0.9, 1.05)] * 4
    text = report(rounds(*times), tick=tick)
    assert text.splitlines()[0].endswith(f"в счёт {counted}")
    assert "одновременно" in told(text)


def test_P6b_coarse_clock_still_notices_a_busy_machine() -> None:
    """И по всем кругам вместе видно, что у счёта без пула отнимали ядро."""
    times = [{0: (0.11, busy), 2: (0.06, 1.9), 4: (0.06, 1.9)} for busy in (0.4, 0.9)] * 4
    text = report(rounds(*times), tick=COARSE)
    assert "судить нельзя" in told(text)


def test_P6b_line_with_the_dots_fits_the_screen_even_if_no_round_counts() -> None:
    """Точек столько, сколько кругов, и за ними — сколько кругов в счёт, ни одного тоже."""
    (line,) = [line for line in output(4).splitlines() if "точка — круг" in line]
    title = line.partition(" в счёт ")[0]
    assert title.endswith(LESSON.ROUNDS * ".")
    spoiled = report(rounds(*[changed(n0=(2, 0.6))] * LESSON.ROUNDS)).splitlines()[0]
    assert said(spoiled) == [0, LESSON.ROUNDS]
    assert len(title + spoiled) <= 80


def test_P6b_step_of_the_clock_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Шаг часов — самое малое, на что они сдвигаются."""
    looks = iter(range(10_000))
    monkeypatch.setattr(LESSON, "process_time", lambda: next(looks) // 40 / 4)
    assert LESSON.tick() == 0.25


@pytest.mark.parametrize(
    ("workers", "sizes"),
    [(2, [1, 2, 4]), (4, [1, 2, 4, 8]), (8, [1, 2, 4, 8, 12]), (12, [1, 2, 4, 8, 12])],
)
def test_P6b_M4_rows_answer_the_question_on_any_machine(workers: int, sizes: list[int]) -> None:
    """Один, два, четыре процесса есть всегда; больше, чем заданий, не бывает."""
    assert LESSON.pool_sizes(workers) == sizes


def test_P6b_rounds_go_there_and_back_and_each_way_gets_its_own_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Пулы идут туда и обратно, без пула — между кругами; имя способа — размер его пула."""
    order: list[int] = []

    @contextmanager
    def open_pool(workers: int) -> Iterator[Any]:
        yield workers

    def measure(limits: list[int], pool: int | None) -> Any:
        order.append(pool or 0)
        return made(len(order), 1) if pool is None else f"в пуле {pool}"

    monkeypatch.setattr(LESSON, "open_pool", open_pool)
    monkeypatch.setattr(LESSON, "solve", lambda job, limits, pool: [])
    monkeypatch.setattr(LESSON, "measure", measure)
    yielded = list(LESSON.experiment([], [1, 2]))
    assert order == [0, 1, 2, 0, 2, 1] * (LESSON.ROUNDS // 2) + [0]
    assert [one[1] for one in yielded] == ["в пуле 1"] * LESSON.ROUNDS
    assert [one[2] for one in yielded] == ["в пуле 2"] * LESSON.ROUNDS
    between = [3 * number + 2.5 for number in range(LESSON.ROUNDS)]  # 1 и 4, 4 и 7, …
    assert [one[0].seconds for one in yielded] == between


def test_P6b_M4_without_a_pool_is_the_average_of_before_and_after() -> None:
    """Секунды, процессорное время и «отняли» — средние того, что было до круга и после."""
    both = LESSON.average(made(1.0, 0.9, preempted=2), made(3.0, 0.7, preempted=5))
    assert both.seconds == 2 and both.cpu == pytest.approx((0.9 + 2.1) / 2)
    assert both.preemptions == 12 * 3.5
    assert both.right == 12


def test_P6b_M4_run_is_timed_whole_and_its_job_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Часы двигает само задание: секунды прогона — все, процессорное время — один раз."""
    now = {"wall": 100.0, "cpu": 50.0, "taken": 7}

    def job(limit: int) -> int:
        now["wall"] += 4
        now["cpu"] += 3
        now["taken"] += 5
        return 0

    def solve(job: Any, limits: list[int], pool: Any) -> list:
        now["wall"] += 2  # раздать задания
        return [job(limit) for limit in limits]

    monkeypatch.setattr(LESSON, "perf_counter", lambda: now["wall"])
    monkeypatch.setattr(LESSON, "process_time", lambda: now["cpu"])
    monkeypatch.setattr(LESSON, "preemptions", lambda: now["taken"])
    monkeypatch.setattr(LESSON, "count_primes", job)
    monkeypatch.setattr(LESSON, "solve", solve)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("никто не дремлет"))
    alone, pooled = LESSON.measure([1, 2], None), LESSON.measure([1, 2], "пул")
    assert (alone.seconds, alone.cpu, alone.preemptions) == (8, 6, 10)
    assert (pooled.seconds, pooled.cpu, pooled.preemptions) == (10, 6, 10)
    assert [record.limit for record in pooled.records] == [1, 2]


def test_O1_R4_timeline_is_drawn_from_the_records() -> None:
    """Буква стоит там, где задание шло, в строке того, кто его делал; в конце — сколько."""
    times = [(1, 0, 4), (2, 0, 2), (2, 2, 3), (2, 3, 4)]  # pid, начало, конец
    records = [LESSON.Record(9_000, 0, pid, begin, end, 1, 0) for pid, begin, end in times]
    assert LESSON.timeline(LESSON.Run(4, records), width=8) == [
        "pid 1       |AAAAAAAA| 1",
        "pid 2       |BBBBCCDD| 3",
    ]


def test_O1_timeline_is_that_of_the_middle_round_and_what_is_cut_is_told() -> None:
    """Шкала — круга с ускорением посередине; не вошедшие процессы упомянуты."""
    times = rounds(*[{0: (1, 1), 8: (t, 4)} for t in (0.9, 0.5, 0.2)])
    for one in times:
        records = [r._replace(pid=place % 8) for place, r in enumerate(one[8].records)]
        one[8] = one[8]._replace(records=records)
    text = report(times, workers=8, cores=8)
    (title,) = [line for line in text.splitlines() if "буква" in line]
    assert said(title) == [2, 8, 4, 8]
    assert len(bars(text)) == 4


def wait_for_the_others(place: int, marks: Path) -> tuple[int, int]:
    """Нулевое задание не кончится раньше, чем начнутся остальные три (или пройдёт 10 с)."""
    if place > 0:
        (marks / str(place)).touch()
    end = monotonic() + 10
    while place == 0 and len(list(marks.iterdir())) < 3 and monotonic() < end:
        pass
    return place, os.getpid()


class Job:
    """Задание, которое можно отправить процессу: знает папку для отметок."""

    def __init__(self, marks: Path) -> None:
        self.marks = marks

    def __call__(self, place: int) -> tuple[int, int]:
        return wait_for_the_others(place, self.marks)


def test_R4_next_job_is_taken_by_whoever_is_free(tmp_path: Path) -> None:
    """Пока один делает первое задание, второй берёт все остальные: их не раздали заранее."""
    with LESSON.open_pool(2) as pool:
        answers = LESSON.solve(Job(tmp_path), [0, 1, 2, 3], pool)
    places, pids = zip(*answers)
    assert places == (0, 1, 2, 3)
    assert len(set(pids[1:])) == 1 and pids[0] != pids[1]


NOTE_CHILDREN = """
import os, sys
if "--multiprocessing-fork" in sys.orig_argv:
    with open({file!r}, "a") as notes:
        print(os.getpid(), file=notes)
"""


def test_P6b_M4_R4_as_many_processes_work_as_the_rows_say() -> None:
    """«4» в строке — это 4 запущенных процесса; шкала показывает только их."""
    file = new_file("notes")
    startup = NOTE_CHILDREN.format(file=str(file))
    text = good(run(copy(4, ONCE), "--workers", "2", startup=startup))
    children = file.read_text("utf-8").split()
    assert len(set(children)) == len(children) == sum(rows(text)) == 1 + 2 + 4
    shown = re.findall(r"(?m)^pid (\d+)", text)
    assert 1 <= len(set(shown)) == len(shown) <= 2 and set(shown) <= set(children)


@several_cores
def test_P6b_O1_R4_M4_processes_keep_several_cores_busy_in_the_same_instant() -> None:
    """Программа целиком: ответы верны, заняты несколько ядер, задания идут внахлёст."""
    text = output(4)
    table = rows(text)
    workers = max(2, min(CORES, 12))
    assert list(table) == [0, *LESSON.pool_sizes(workers)]
    assert {row[-1] for row in table.values()} == {12}
    assert all(row[-4] <= max(n, 1) + 0.3 for n, row in table.items())
    letters = [set(bar) - {" "} for bar in bars(text)]
    if workers <= 4:  # каждое задание сделано один раз
        assert sum(map(len, letters)) == len(set.union(*letters)) == 12
        done = re.findall(r"(?m)^pid .*\| (\d+)$", text)
        assert [int(number) for number in done] == [*map(len, letters)]
    if "судить нельзя" in text:
        pytest.skip("ядра заняты: программа не взялась судить")
    assert said(conclusion(text, "занято ядер")) == [table[workers][-4], CORES]
    assert table[workers][-4] > 1.3 and "одновременно" in conclusion(text, "занято ядер")
    columns = list(zip(*bars(text), strict=True))
    together = sum(len(column) - column.count(" ") > 1 for column in columns)
    assert together > 0.5 * len(columns)


def test_P6b_M4_one_core_and_many_are_no_reason_to_work_longer() -> None:
    """На 64 ядрах столько же работы, сколько на двух, и всё, что урезано, сказано."""
    many = "import os; os.cpu_count = lambda: 64; os.sched_getaffinity = lambda pid: range(64)"
    text = good(run(copy(4, ONCE), startup=many))
    assert list(rows(text)) == [0, 1, 2, 4, 8, 12]
    assert len(text.splitlines()) <= 22 and max(map(len, text.splitlines())) <= 80
    assert "из 64" in text or "судить нельзя" in text
    assert lines(text, "Python ")[0].count("ядер: 64") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="в Windows вытеснений не сосчитать")
def test_M4_preemptions_are_those_that_the_system_counts() -> None:
    """«Отнято» — счётчик самой системы."""
    from resource import RUSAGE_SELF, getrusage

    before = getrusage(RUSAGE_SELF).ru_nivcsw
    assert before <= LESSON.preemptions() <= getrusage(RUSAGE_SELF).ru_nivcsw
