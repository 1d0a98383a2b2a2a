"""Утверждения о потоках: T1, T2, T3, O2."""

import os
import random
import re
import subprocess
import sys
import threading
from itertools import count, cycle, pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import (
    CORES,
    GIL,
    bars,
    conclusion,
    copy,
    environment,
    good,
    load,
    many_cores,
    new_file,
    output,
    primes_below,
    run,
    said,
    script,
    several_cores,
    with_gil,
)

LESSON = load(5)
SHADES = " abcd"
FINE = 1e-6  # шаг часов процессорного времени, с: Linux и macOS
COARSE = 1 / 64  # Windows
SHORT = (f"SPAN = {LESSON.SPAN}", "SPAN = 0.01")
FEW = (f"ROUNDS = {LESSON.ROUNDS}", "ROUNDS = 2")
PAIR = LESSON.Pair(thread=0.25, process=2.0)


def journal(seconds: float, n: int, turn: float = 5, right: int = 99, pids: int = 1) -> list[Any]:
    """Записи n потоков, которые сменяются каждые turn мс; верны первые right ответов каждого."""
    notes = [LESSON.Notes(700 + place % pids, 900 + place, [], []) for place in range(n)]
    for moment in range(round(1000 * seconds / turn)):
        own = notes[moment % n]
        own.times.append(moment * turn / 1000)
        own.answers.append(LESSON.ANSWER - (len(own.answers) >= right))
    return notes


def made(n: int, seconds: float, busy: float, **how: Any) -> Any:
    """Прогон в n потоках: столько-то секунд, столько-то ядер занято."""
    return LESSON.Run(seconds, seconds * busy, journal(seconds, n, **how))


def facts(rounds: list[dict[int, Any]], **other: Any) -> Any:
    """Факты о таких кругах: {сколько потоков: (секунды, занято ядер, ещё что-то)}."""
    runs = []
    for one in rounds:
        made_of_one = {}
        for n, (seconds, busy, *how) in one.items():
            made_of_one[n] = made(n, seconds, busy, **(how[0] if how else {}))
        runs.append(made_of_one)
    usual = {"pairs": [PAIR], "workers": max(runs[0]), "cores": 2, "gil": True}
    usual |= {"interval": 5.0, "tick": FINE}
    return LESSON.Facts(rounds=runs, **(usual | other))


def report(rounds: list[dict[int, Any]], **other: Any) -> str:
    return "\n".join(LESSON.report(facts(rounds, **other), SHADES))


def told(text: str) -> str:
    """Все выводы одной строкой; каждый помещается на экране."""
    texts = [line for line in text.splitlines() if line.startswith("Вывод: ")]
    assert texts and max(map(len, texts)) <= 80, "вывод не помещается в строку экрана"
    return " ".join(texts)


def rows(text: str) -> dict[int, list[float]]:
    """Таблица: сколько потоков — медиана, ускорение, от и до (если есть), ядра, смены, верно."""
    table = {}
    for line in text.splitlines():
        if re.match(r"\d+ ", line):
            n, *numbers = said(line.replace("–", " "))
            table[int(n)] = numbers
    return table


QUIET = {1: (1, 1.0), 2: (1, 1.0)}
FREE = {1: (1, 1.0), 2: (0.55, 1.9)}


# --- T1: один процесс; поток запустить дешевле, чем процесс ----------------------------------


@pytest.mark.parametrize("name", ["Thread", "Process"])
def test_T1_lifetime_is_from_before_the_start_to_after_the_join(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Часы двигает сам запускаемый: 1 с при start(), 0,2 с при join(); ни больше ни меньше."""
    now = SimpleNamespace(seconds=50.0)

    class Worker:
        def __init__(self, target: Any) -> None:
            self.target = target

        def start(self) -> None:
            now.seconds += 1

        def join(self) -> None:
            now.seconds += 0.2

    monkeypatch.setattr(LESSON, name, Worker)
    monkeypatch.setattr(LESSON, "perf_counter", lambda: now.seconds)
    assert LESSON.lifetime(Worker) == pytest.approx(1200), "join() — тоже часть жизни"


def test_T1_pairs_are_of_both_kinds_and_change_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Поток, процесс; процесс, поток; …: помехи достаются обоим; никто не перепутан."""
    order = []
    thread, process = LESSON.Thread, LESSON.Process
    times = {thread: cycle([1, 8]), process: cycle([7, 2])}

    def lifetime(kind: type) -> float:
        order.append(kind)
        return next(times[kind])

    monkeypatch.setattr(LESSON, "lifetime", lifetime)
    first, second = LESSON.Pair(thread=1, process=7), LESSON.Pair(thread=8, process=2)
    assert list(LESSON.lifetimes()) == [first, second] * (LESSON.PAIRS // 2)
    assert order == [thread, process, process, thread] * (LESSON.PAIRS // 2)


def test_T1_start_is_told_by_medians_of_the_pairs() -> None:
    """Ни лучшая пара, ни худшая, ни последняя: медиана; и отношение — медиана отношений."""
    pairs = [LESSON.Pair(*times) for times in [(1, 3), (2, 20), (9, 36), (3, 60), (1, 5)]]
    assert said(LESSON.births(pairs)) == [2, 20, 5]
    assert said(LESSON.dearer(pairs)) == [5, 5, 5]  # в 5 раз: так в 5 парах из 5


def test_T1_pairs_that_disagree_prove_nothing() -> None:
    """Если не почти во всех парах процесс дольше потока, судить нельзя."""
    pairs = [LESSON.Pair(1, 3)] * 4 + [LESSON.Pair(3, 1)] * 2
    assert "судить нельзя" in LESSON.dearer(pairs) and "дольше" not in LESSON.dearer(pairs)
    assert said(LESSON.dearer([*pairs[:4], *pairs[:1], *pairs[5:]])) == [3, 5, 6]


def test_T1_threads_of_two_processes_would_be_noticed() -> None:
    """Общий ли у потоков процесс и сколько их, видно по записям самих потоков."""
    one = told(report([{1: (1, 1.0), 4: (1, 1.0)}]))
    two = told(report([{1: (1, 1.0), 4: (1, 1.0, {"pids": 2})}]))
    assert "потоков 4, а процесс у них общий" in one
    assert "общий" not in two and "потоков 4, процессов 2" in two


def test_T1_threads_write_who_they_are_and_live_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ни одна порция не кончится, пока не начнёт каждый: потоки запущены до первого join()."""
    meeting = threading.Barrier(3)
    answers = iter(range(9))

    def meet(limit: int) -> int:
        meeting.wait(10)
        return next(answers)

    monkeypatch.setattr(LESSON, "count_primes", meet)
    notes = LESSON.work_together(9, 3)
    assert [len(own.answers) for own in notes] == [3, 3, 3]
    assert sorted(answer for own in notes for answer in own.answers) == list(range(9))
    assert {own.pid for own in notes} == {os.getpid()}
    threads = {own.thread for own in notes}
    assert len(threads) == 3 and threading.get_native_id() not in threads
    assert all(own.times == sorted(own.times) for own in notes)


NOTE_THREADS = """
import os, threading
def run_and_note(self, run=threading.Thread.run):
    with open({file!r}, "a") as notes:
        print(os.getpid(), threading.get_native_id(), file=notes)
    run(self)
threading.Thread.run = run_and_note
"""


def test_T1_T3_as_many_threads_work_as_the_row_says() -> None:
    """«4» в строке — 4 запущенных потока; на шкале только они, и процесс там назван верно."""
    file = new_file("notes")
    startup = NOTE_THREADS.format(file=str(file))
    text = good(run(copy(5, SHORT, FEW), "--workers", "4", startup=startup))
    started = [line.split() for line in file.read_text("utf-8").splitlines()]
    ((own, _),) = [pair for pair in started if pair == started[0]]  # номера не повторяются
    assert {pid for pid, _ in started} == {own}
    calibration = 3
    assert len(started) == LESSON.PAIRS + calibration + 2 * (1 + 4)
    shown = re.findall(r"(?m)^поток (\d+) +\|", text)
    assert len(set(shown)) == 4 and set(shown) <= {thread for _, thread in started}
    assert f"процесс {own}," in text
    assert list(rows(text)) == [1, 4]
    assert said(conclusion(text, "потоков ")) == [4]


def test_T1_thread_that_cannot_start_ends_the_program_at_once() -> None:
    """Предел на потоки: строка Python и код 1, а не вечное ожидание у ворот."""
    startup = """if True:
        import threading
        from itertools import count
        def start(self, start=threading.Thread.start, calls=count(1)):
            if next(calls) == 12:
                raise RuntimeError("can't start new thread")
            start(self)
        threading.Thread.start = start
    """
    done = run(script(5), "--workers", "4", startup=startup)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("RuntimeError: can't start new thread")


# --- T2, O2: кто работал и сколько подряд ----------------------------------------------------


def test_T2_O2_switches_and_turns_follow_from_the_notes() -> None:
    """Сменой считается смена автора записей; ход — от смены до смены; медиана по всем кругам."""
    times = [[0, 1, 4, 5], [2, 3, 9, 10]]  # мс
    notes = [LESSON.Notes(1, n, [], [ms / 1000 for ms in own]) for n, own in enumerate(times)]
    run = LESSON.Run(0.01, 0.01, notes)
    assert LESSON.switches(run) == pytest.approx([0.002, 0.004, 0.009])
    long = made(2, 1, 1, turn=20)  # 50 ходов, из них 48 между сменами
    assert LESSON.turn([{2: run}], 2) == pytest.approx(3.5)  # медиана 2 и 5
    assert LESSON.turn([{2: run}, {2: long}], 2) == pytest.approx(20)


def test_T2_interval_is_told_as_it_was_set_and_as_it_was_measured() -> None:
    """В Windows настроено 5 мс, а выходит 15,6: сказано и то и другое."""
    late = {1: (1, 1.0), 2: (1, 1.0, {"turn": 15.6})}
    text = report([late] * 8, interval=7.0)
    (line,) = [line for line in text.splitlines() if "настроено" in line]
    assert said(line) == [7, 15.6] and "медиана" in line
    assert line.index("настроено 7,0") < line.index("измерено 15,6")
    assert "обычно по 15,6 мс" in told(text)


def test_T2_without_the_gil_nothing_is_said_about_its_interval() -> None:
    """Нет замка — нет и срока, через который его отбирают."""
    assert "GIL" not in report([FREE] * 8, gil=False)


def noted(columns: str) -> Any:
    """Записи потока, который в столбцах с «+» писал каждые 0,25 мс, с «-» — первую половину."""
    own = LESSON.Notes(1, 77, [], [])
    for place, mark in enumerate(columns):
        for quarter in range({"+": 9, "-": 5, " ": 0}[mark]):
            own.times.append((2 * place + quarter / 4) / 1000)
    return own


def test_T2_O2_timeline_is_drawn_from_the_notes() -> None:
    """Где поток писал, там и закрашено: весь столбец или половина; у ждавшего — пусто."""
    run = LESSON.Run(0.012, 0.012, [noted("++ -++"), noted("  +-  ")])
    first, second = bars("\n".join(LESSON.timeline(run, SHADES)))
    assert first.rstrip() == "dd bdd"
    assert second.rstrip() == "  db"
    assert {len(first), len(second)} == {LESSON.WIDTH}


def test_T2_label_of_the_column_is_what_it_was_drawn_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """«Столбец — 4 мс» и столбец вдвое шире: одна и та же переменная."""
    monkeypatch.setattr(LESSON, "COLUMN", 4)
    run = LESSON.Run(9, 9, [noted("++  ++")])
    lines = LESSON.picture(facts([QUIET])._replace(workers=1, rounds=[{1: run}]), {1: run}, SHADES)
    assert bars(lines[-1])[0].rstrip() == "d d"
    assert "столбец — 4 мс" in lines[1]
    assert f"первые {4 * LESSON.WIDTH} мс" in lines[0]


def test_T2_what_does_not_fit_the_timeline_is_told() -> None:
    """Начало долгого прогона и четыре потока из восьми: то и другое сказано."""
    text = report([{1: (1, 1.0), 8: (1, 1.0)}])
    assert (
        f"первые {LESSON.COLUMN * LESSON.WIDTH} мс" in text
        and "4 потока из 8" in text
        and len(bars(text)) == 4
    )
    text = report([{1: (0.1, 1.0), 4: (0.1, 1.0)}])
    assert "первые" not in text and len(bars(text)) == 4


def test_T2_timeline_is_that_of_the_middle_round() -> None:
    """Показан круг с ускорением посередине, и назван он."""
    known = facts([{1: (1, 1.0), 2: (seconds, 1.0)} for seconds in (1.3, 0.9, 1.1)])
    for place, one in enumerate(known.rounds):
        one[2] = one[2]._replace(journal=[noted(" " * place + "+"), noted("+")])
    text = "\n".join(LESSON.report(known, SHADES))
    (title,) = [line for line in text.splitlines() if line.startswith("процесс 1,")]
    assert said(title)[:2] == [1, 3]
    assert bars(text)[0].rstrip() == "  d"


def test_T2_shades_are_those_that_the_output_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """В cp1251 знаков «░▒▓█» нет: вместо вопросительных — простые."""
    command = [sys.executable, str(copy(5, SHORT, FEW))]
    env = environment(PYTHONIOENCODING="cp1251")
    done = subprocess.run(command, capture_output=True, check=True, env=env)
    text = done.stdout.decode("cp1251")
    assert "?" not in text and set("".join(bars(text))) <= set(" .:+#")
    assert any(bar.strip() for bar in bars(text))
    monkeypatch.setattr(LESSON.sys, "stdout", SimpleNamespace(encoding="utf-8"))
    assert LESSON.drawable(" ░▒▓█", "") == " ░▒▓█"


@with_gil
def test_T2_setting_of_the_interpreter_is_what_is_printed_and_what_happens() -> None:
    """Настроено 20 мс — и поток работает подряд хотя бы 15."""
    startup = "import sys; sys.setswitchinterval(0.02)"
    text = good(run(copy(5, FEW), "--workers", "2", startup=startup))
    (line,) = [line for line in text.splitlines() if "настроено" in line]
    setting, measured = said(line)
    assert setting == 20
    if "судить нельзя" in text:
        pytest.skip("ядра заняты: программа не взялась судить")
    assert measured > 15
    assert f"обычно по {measured}".replace(".", ",") in conclusion(text, "попеременно")


# --- T3, O2: сколько ядер занято и что это дало ----------------------------------------------


def test_T3_answer_is_known_from_elsewhere() -> None:
    """Ответ порции — из решета Эратосфена."""
    assert primes_below(LESSON.LIMIT) == LESSON.ANSWER == LESSON.count_primes(LESSON.LIMIT)


def test_T3_wrong_answers_are_counted_in_the_worst_round() -> None:
    """«Верно» — сколько ответов сошлось с известным, в худшем из кругов."""
    rounds = [{1: (1, 1.0), 2: (1, 1.0, {"right": right})} for right in (99, 30, 99)]
    table = rows(report(rounds))
    assert (table[1][-1], table[2][-1]) == (99, 60)


def test_T3_table_shows_medians_of_the_rounds() -> None:
    """Время, ускорение, смены — медианы кругов, не лучший и не худший; ядра — по всем кругам."""
    rounds = [
        {1: (1, 1.0), 2: (0.5, 0.8)},
        {1: (3, 1.0), 2: (2.0, 0.8)},
        {1: (2, 1.0), 2: (1.6, 1.6)},
    ]
    table = rows(report(rounds))
    assert table[1][:4] == [2000, 1, 1, 0]
    assert table[2][:6] == [1600, 1.5, 1.25, 2, 1.11, 319]


def test_T3_rounds_go_there_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 N, N 1, …: помехи достаются всем поровну; под числом потоков — его прогон."""
    order: list[int] = []

    def measure(portions: int, workers: int) -> str:
        order.append(workers)
        return f"порций {portions}, потоков {workers}"

    monkeypatch.setattr(LESSON, "measure", measure)
    yielded = list(LESSON.experiment(80, 4))
    assert order == [1, 4, 4, 1] * (LESSON.ROUNDS // 2)
    whole = {1: "порций 80, потоков 1", 4: "порций 80, потоков 4"}
    assert yielded == [whole] * LESSON.ROUNDS


def test_T3_O2_run_is_timed_whole_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Часы двигает сама порция: секунды прогона — все, процессорное время — один раз."""
    now = {"wall": 100.0, "cpu": 50.0}
    lock = threading.Lock()

    def job(limit: int) -> int:
        with lock:
            now["wall"] += 4
            now["cpu"] += 3
        return 15

    monkeypatch.setattr(LESSON, "perf_counter", lambda: now["wall"])
    monkeypatch.setattr(LESSON, "process_time", lambda: now["cpu"])
    monkeypatch.setattr(LESSON, "count_primes", job)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("никто не дремлет"))
    for workers in (1, 4):
        run = LESSON.measure(8, workers)
        assert (run.seconds, run.cpu, run.busy, run.right) == (32, 24, 0.75, 8)
        assert len(run.journal) == workers


def test_T3_exception_in_a_thread_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """join() об исключении в потоке не скажет; программа — скажет, и код будет 1."""
    calls = count(1)

    def fail_once(limit: int) -> int:
        return 15 // (next(calls) != 3)

    monkeypatch.setattr(LESSON, "count_primes", fail_once)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with pytest.raises(RuntimeError, match="исключение"):
        LESSON.measure(8, 2)


def test_T3_work_is_sized_to_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Порций столько, чтобы один поток был занят SPAN секунд, и поровну любому числу потоков."""
    monkeypatch.setattr(
        LESSON, "measure", lambda portions, workers: LESSON.Run(portions / 40_000, 1, [])
    )
    portions = LESSON.enough()
    assert all(portions % workers == 0 for workers in (2, 3, 4, 8))
    assert portions / 40_000 == pytest.approx(LESSON.SPAN, rel=0.01)


CASES: dict[
    str, tuple
] = {  # круги; ядер; включён ли GIL; что должно быть сказано и чего быть не должно
    "при GIL": (
        [QUIET] * 8,
        2,
        True,
        "попеременно, обычно по 5,0 мс|1,00 из 2|не быстрее|ускорение 1,00",
        "одновременно|нельзя",
    ),
    "при GIL, круги разные": (
        [{1: (1, 1.0), 2: (s, 1.0)} for s in (1.25, 1.02, 0.99, 1, 1.03, 0.98, 1.1, 0.8)],
        2,
        True,
        "попеременно|не быстрее|ускорение 0,99|по кругам 0,80–1,25",
        "одновременно|нельзя",
    ),
    "при GIL медленнее": (
        [{1: (1, 1.0), 2: (1.25, 1.0)}] * 8,
        2,
        True,
        "попеременно|не быстрее|ускорение 0,80",
        "нельзя",
    ),
    "при GIL, но скорость ядер менялась": (
        [{1: (1.5, 1.0), 2: (1.0, 1.0)}] * 8,
        2,
        True,
        "попеременно|не быстрее|скорость ядер менялась, занято 1,00",
        "быстрее в|1,50|нельзя",
    ),
    "при GIL, скорость ядер менялась, но в среднем не быстрее": (
        [{1: (1, 1.0), 2: (s, 1.0)} for s in (0.7, 0.7, 0.7, 1.0, 1.0, 1.0, 1.1, 1.1)],
        2,
        True,
        "попеременно|не быстрее|ускорение 1,00|по кругам 0,91–1,43",
        "быстрее в|менялась|нельзя",
    ),
    "без GIL": (
        [FREE] * 7 + [{1: (1, 1.0), 2: (0.95, 1.9)}],
        2,
        False,
        "одновременно|1,90 из 2|быстрее в 1,82 раза|в 7 кругах из 8",
        "попеременно|нельзя",
    ),
    "без GIL: быстрее занятых ядер не бывает": (
        [{1: (1, 1.0), 2: (0.4, 1.9)}] * 8,
        2,
        False,
        "одновременно|не больше чем в 1,90 раза",
        "2,50",
    ),
    "без GIL: медиана, не лучший круг": (
        [{1: (1, 1.0), 2: (s, 1.9)} for s in (0.55, 0.8, 0.8, 0.8)],
        2,
        False,
        "быстрее в 1,25 раза|в 4 кругах из 4",
        "1,82",
    ),
    "без GIL: ядра заняты, а выигрыша нет": (
        [{1: (1, 1.0), 2: (1, 1.9)}] * 8,
        2,
        False,
        "одновременно|не быстрее|ускорение 1,00",
        "быстрее в|нельзя",
    ),
    "без GIL: круги расходятся": (
        [{1: (1, 1.0), 2: (s, 1.5)} for s in (0.6, 0.6, 1.0, 1.0)],
        2,
        False,
        "судить нельзя",
        "быстрее в",
    ),
    "без GIL: второе ядро не досталось": (
        [QUIET] * 8,
        2,
        False,
        "второе ядро|судить нельзя",
        "попеременно|одновременно|быстрее",
    ),
    "без GIL, одно ядро": (
        [QUIET] * 8,
        1,
        False,
        "попеременно|1,00 из 1|не быстрее",
        "одновременно|нельзя",
    ),
    "одно ядро": (
        [QUIET] * 8,
        1,
        True,
        "попеременно|1,00 из 1|не быстрее",
        "одновременно|нельзя",
    ),
    "много ядер": (
        [{1: (1, 1.0), 4: (0.3, 3.6)}] * 8,
        64,
        False,
        "3,60 из 64|в 4 потоках быстрее в 3,33",
        "нельзя",
    ),
    "у одного потока отнимали ядро": (
        [{1: (1, 0.6), 2: (1, 1.0)}] * 8,
        2,
        True,
        "судить нельзя",
        "попеременно|одновременно|быстрее",
    ),
    "отнимали в пяти кругах": (
        [{1: (2, 0.6), 2: (1, 1.9)}] * 5 + [FREE] * 3,
        2,
        False,
        "судить нельзя",
        "одновременно|быстрее",
    ),
    "отнимали в трёх": (
        [{1: (2, 0.6), 2: (0.55, 1.9)}] * 3 + [FREE] * 5,
        2,
        False,
        "одновременно|1,82|в 5 кругах из 5",
        "3,6|нельзя",
    ),
    "ни одно ядро, ни два": (
        [{1: (1, 1.0), 2: (1, 1.2)}] * 8,
        2,
        True,
        "судить нельзя",
        "попеременно|одновременно|быстрее",
    ),
    "у нескольких отнимали ядро": (
        [{1: (1, 1.0), 2: (1.5, 0.7)}] * 8,
        2,
        True,
        "судить нельзя",
        "попеременно|одновременно|быстрее",
    ),
    "потоки ждали друг друга": (
        [{1: (1, 1.0), 2: (1, 1.0, {"turn": 500})}] * 8,
        2,
        True,
        "один за другим|1,00 из 2",
        "попеременно|одновременно",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_O2_T2_T3_conclusions_follow_the_rounds(case: str) -> None:
    """Что сказано, следует из кругов, которые в счёт, и больше ни из чего."""
    rounds, cores, gil, words, never = CASES[case]
    known = facts(rounds, cores=cores, gil=gil)
    texts = LESSON.conclusions(known, LESSON.fair(known))
    assert max(map(len, texts)) <= 80 - len("Вывод: ."), "вывод не помещается в строку экрана"
    text = " ".join(texts)
    assert [word for word in words.split("|") if word not in text] == [], text
    assert [word for word in never.split("|") if word in text] == [], text


def test_T3_no_named_gain_is_past_the_cores_that_were_busy() -> None:
    """Какие бы круги ни выпали, «быстрее в …» не больше занятых ядер."""
    dice = random.Random(5)
    named = 0
    for _ in range(300):
        rounds = []
        for _ in range(8):
            base = dice.uniform(0.5, 1.5), dice.uniform(0.9, 1.0)
            fast = dice.uniform(0.2, 1.5), dice.uniform(0.8, 2.0)
            rounds.append({1: base, 2: fast})
        text = report(rounds, gil=False)
        for speedup in re.findall(r"быстрее (?:не больше чем )?в (\d+,\d+)", told(text)):
            seen = said(conclusion(text, "занято ядер"))[0]
            assert said(speedup)[0] <= seen + 0.005
            named += 1
    assert named > 20


@pytest.mark.parametrize(("tick", "counted"), [(FINE, "4 из 8"), (COARSE, "8 из 8")])
def test_T3_O2_short_runs_are_not_judged_singly_by_a_coarse_clock(
    tick: float, counted: str
) -> None:
    """Где часы процессорного времени идут шагами по 15,6 мс, судят по всем кругам вместе."""
    rounds: list = [{1: (0.17, busy), 2: (0.17, 1.0)} for busy in (0.92, 1.01)] * 4
    text = report(rounds, tick=tick)
    assert text.splitlines()[0].endswith(f"в счёт {counted}")
    assert "попеременно" in told(text)


def test_T3_O2_coarse_clock_still_notices_a_busy_machine() -> None:
    """И по всем кругам вместе видно, что у одного потока отнимали ядро."""
    rounds: list = [{1: (0.17, busy), 2: (0.17, 1.0)} for busy in (0.4, 1.0)] * 4
    text = told(report(rounds, tick=COARSE))
    assert "судить нельзя" in text and "попеременно" not in text


def test_T3_step_of_the_clock_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Шаг часов — самое малое, на что они сдвигаются."""
    looks = iter(range(10_000))
    monkeypatch.setattr(LESSON, "process_time", lambda: next(looks) // 40 / 4)
    assert LESSON.tick() == 0.25


def test_T3_many_cores_are_no_reason_to_work_longer_and_all_fits_the_screen() -> None:
    """На 64 ядрах потоков четыре; с --workers 8 всё помещается и урезанное названо."""
    short = copy(5, SHORT, FEW)
    four = good(run(short, startup=many_cores(64)))
    assert list(rows(four)) == [1, 4] and "ядер: 64" in four.splitlines()[0]
    eight = good(run(short, "--workers", "8"))
    assert list(rows(eight)) == [1, 8] and len(bars(eight)) == 4 and "4 потока из 8" in eight
    for text in (four, eight):
        assert len(text.splitlines()) <= 22 and max(map(len, text.splitlines())) <= 80


# --- Программа целиком, как её запускает читатель --------------------------------------------


def test_T1_T3_whole_run_agrees_with_itself() -> None:
    """Все порции посчитаны верно; что сказано в выводах, стоит в таблице; поток дешевле."""
    text = output(5)
    table = rows(text)
    workers = max(2, min(4, CORES))
    (portions,) = said(text.split("порций ")[1].split(";")[0])
    assert list(table) == [1, workers]
    assert {row[-1] for row in table.values()} == {portions}
    assert len(text.splitlines()) <= 22 and max(map(len, text.splitlines())) <= 80
    assert len(bars(text)) == workers and said(conclusion(text, "потоков ")) == [workers]
    assert text.partition("круг: ")[2].partition(" ")[0] == LESSON.ROUNDS * "."
    assert text.partition("дождаться: ")[2].partition(" ")[0] == LESSON.PAIRS * "."
    assert table[1][-3] < 1.1, "один поток не займёт больше ядра"
    assert table[workers][-3] < (1.1 if GIL else min(workers, CORES) + 0.1)
    if "судить нельзя" in text:
        pytest.skip("ядра заняты: программа не взялась судить")
    assert said(conclusion(text, "парах"))[0] > 1
    assert said(conclusion(text, "занято ядер"))[-2:] == [table[workers][-3], CORES]
    if GIL:
        line = conclusion(text, "не быстрее")
        if "ускорение" in line:
            assert said(line.partition("ускорение")[2])[0] == table[workers][1]
        else:  # скорость ядер менялась
            assert said(line)[-1] == table[workers][-3] and table[workers][1] >= 1.1


def work(first: str, second: str) -> list[tuple[bool, bool]]:
    """По столбцам: весь ли (почти) столбец работали первый и второй."""
    return [(a in "▓█", b in "▓█") for a, b in zip(first, second, strict=True)]


@with_gil
def test_O2_T2_T3_under_the_gil_threads_take_turns_on_one_core() -> None:
    """При GIL: попеременно, занято одно ядро, быстрее не стало; шкала — шахматная."""
    text = output(5)
    if "судить нельзя" in text:
        pytest.skip("ядра заняты: программа не взялась судить")
    workers = max(rows(text))
    assert "попеременно" in conclusion(text, "занято ядер")
    assert conclusion(text, "не быстрее")
    assert rows(text)[workers][-2] >= workers, "потоки сменились хотя бы по разу"
    assert rows(text)[1][-2] == 0
    first, second, *_ = bars(text)
    columns = work(first, second)
    assert columns.count((True, True)) <= 3
    order = [a for a, b in columns if a != b]
    assert sum(one != other for one, other in pairwise(order)) >= 2


@several_cores
@pytest.mark.skipif(GIL, reason="нужен Python без GIL")
def test_O2_T2_T3_without_gil_threads_work_in_the_same_instant() -> None:
    """Без GIL: одновременно, занято больше одного ядра, строки шкалы сплошные."""
    text = output(5)
    if "судить нельзя" in text:
        pytest.skip("ядра заняты: программа не взялась судить")
    assert "одновременно" in conclusion(text, "занято ядер")
    assert rows(text)[max(rows(text))][-3] > 1.3
    first, second, *_ = bars(text)
    columns = work(first, second)
    assert columns.count((True, True)) > 0.5 * sum(a or b for a, b in columns)
