"""Утверждения о том, какой способ для какой работы: O3, T6, T6x, T7."""
# ruff: noqa: F403, F405

import re
import sys

import pytest
from conftest import *

ONCE, TWICE = ("ROUNDS = 8", "ROUNDS = 1"), ("ROUNDS = 8", "ROUNDS = 2")
PYTHON, C, WAITING = KINDS = ("счёт на Python", "счёт в C", "ожидание")
WAYS = ["потоки", "корутины", "процессы"] + ["интерпретаторы"] * (sys.version_info >= (3, 14))
ALONE = "одно за другим"
Table = dict[str, dict[str, dict[str, float]]]


def table(text: str) -> Table:
    """Клетки: вид работы — строка — способ; у «одно за другим» мс и занято ядер."""
    _, head, *rows = text[text.index("заданий каждого вида") :].splitlines()
    found: Table = {}
    for kind, line in zip(KINDS, range(0, 12, 4), strict=True):
        assert rows[line].startswith(kind)
        ms, busy = said(rows[line].split(". ")[1])
        found[kind] = {ALONE: {"мс": ms, "занято ядер": busy}}
        for row in rows[line + 1 : line + 4]:
            title, numbers = row[:16].strip(), row[16:].split()
            spread = [float(number.split("–")[-1]) for number in numbers]
            found[kind][title] = dict(zip(head.split(), spread, strict=True))
    return found


def test_T6_T6x_T7_speedups_and_cores_are_those_of_the_clocks() -> None:
    """Прогон m длится 1000·(4m + 1) с и занимает 0.7 ядра; лучшие прогоны — в первом круге."""
    cells = table(changed(7, TWICE, startup=LEAPING_CLOCKS))
    n = len(WAYS) + 1
    for place, kind in enumerate(KINDS):
        first = 2 * n * place
        alone = 4 * first + 1
        assert cells[kind][ALONE] == {"мс": 1e6 * alone, "занято ядер": 0.7}
        for m, way in enumerate(WAYS):
            lasted = 4 * (first + 1 + m) + 1
            assert cells[kind]["ускорение"][way] == round(alone / lasted, 2)
            assert cells[kind]["занято ядер"][way] == 0.7
            later = (alone + 4 * n) / (lasted + 4 * n)
            assert cells[kind]["по кругам"][way] == round(later, 2)


WRONG = [('"430"', '"431"'), ('"7707', '"7708'), ('(b"OK")', '(b"NO")')]


@pytest.mark.parametrize(("old", "new"), WRONG)
def test_T6_T6x_T7_wrong_answer_is_refused(old: str, new: str) -> None:
    done = run(copy(7, ONCE, (old, new)))
    assert done.returncode == 1 and "верный ответ" in done.stderr


def test_T6_T6x_answers_are_known_from_elsewhere() -> None:
    (_, python), (_, c), _ = load(7).KINDS.values()
    assert python == str(primes_below(3_000))
    assert c == "7707d6ae4e027c70eea2a935c2296f21"  # NESSIE, Set 1, vector 8


def test_O3_T7_every_answer_comes_from_the_server_and_threads_are_threads() -> None:
    file = new_file("connections")
    note = ('writer.write(b"OK")', f'open({str(file)!r}, "a").write("x"); writer.write(b"OK")')
    text, noted = watched(7, ONCE, note)
    assert len(file.read_text("utf-8")) == (len(WAYS) + 1) * load(7).JOBS
    least = 1000 * load(7).DELAY * load(7).JOBS
    assert table(text)[WAITING][ALONE]["мс"] >= 0.95 * least
    here = {thread for pid, _, thread in noted if pid == noted[0][0]}
    assert len(here) > load(7).JOBS / 2  # освободившийся поток пул берёт снова


def test_T7_threads_are_counted() -> None:
    few = ("futures.ThreadPoolExecutor(JOBS)", "futures.ThreadPoolExecutor(4)")
    loop = "lambda *task: asyncio.run(in_coroutines(*task))"
    text = changed(7, ONCE, few, (loop, "partial(in_pool, futures.ThreadPoolExecutor(3))"))
    assert said(conclusion(text, "чтобы ждать")) == [4, 3]


def verdict(line: str) -> dict[str, list[str]]:
    """Какие способы, по этому выводу, ускоряют, какие нет и о каких судить нельзя."""
    groups = re.findall(r"(не ускоряют|ускоряют|повторите)([^;]*)", line)
    return {words: re.findall("потоки|корутины|процессы", ways) for words, ways in groups}


def conclude(kind: str, **runs: tuple[float, float]) -> tuple[dict[str, list[str]], list[float]]:
    """Что сказано о работе и какие числа при этом; прогоны (секунды, занято ядер) придуманы."""
    module = load(7)
    named = {way: [module.Run(*run, 1), module.Run(9.0, 1.0, 1)] for way, run in runs.items()}
    line = module.conclusion(kind, named)
    return verdict(line), said(line)


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_T6_T6x_conclusion_about_counting_follows_the_measurement(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = (1.0, 1.0)
    monkeypatch.setattr(load(7), "CORES", 2)
    usual = conclude(kind, одно=base, потоки=base, процессы=(0.5, 1.9))
    assert usual == ({"ускоряют": ["процессы"], "не ускоряют": ["потоки"]}, [2.0])
    free = conclude(kind, одно=base, потоки=(0.6, 1.8), процессы=(1.1, 1.0))
    assert free == ({"ускоряют": ["потоки"], "не ускоряют": ["процессы"]}, [1.7])
    noise = conclude(kind, одно=base, потоки=(0.6, 1.0), процессы=(0.5, 1.9))  # ядро-то одно
    assert noise == usual
    taken_away = conclude(kind, одно=base, потоки=base, процессы=(1.0, 0.7))
    assert taken_away == ({"повторите": ["потоки", "процессы"]}, [])
    stolen = conclude(kind, одно=(1.0, 0.45), потоки=(0.6, 0.6), процессы=(0.9, 0.5))
    assert stolen == taken_away  # счёт остаётся счётом, даже если и полядра не дали
    monkeypatch.setattr(load(7), "CORES", 1)
    one_core = conclude(kind, одно=base, потоки=base, процессы=base)
    assert one_core == ({"не ускоряют": ["потоки", "процессы"]}, [])


def test_T7_conclusion_about_waiting_follows_the_measurement() -> None:
    text = conclude(WAITING, одно=(1.0, 0.1), потоки=(0.1, 0.4), корутины=(1.0, 0.1))
    assert text == ({"ускоряют": ["потоки"], "не ускоряют": ["корутины"]}, [10.0])
    text = conclude(WAITING, одно=(1.0, 0.1), потоки=(1.0, 0.4), корутины=(0.2, 0.1))
    assert text == ({"ускоряют": ["корутины"], "не ускоряют": ["потоки"]}, [5.0])


def test_O3_T6_T6x_T7_conclusions_repeat_the_table() -> None:
    for kind, rows in table(output(7)).items():
        line = conclusion(output(7), f"Вывод: {kind}")
        for way, ratio in re.findall(r"(\w+) в (\d+,\d) раза", line):
            assert abs(said(ratio)[0] - rows["ускорение"][way]) < 0.06


@several_cores
def test_O3_T6_T6x_processes_keep_several_cores_busy_and_coroutines_never() -> None:
    def busy(text: str) -> bool:
        for kind in (PYTHON, C):
            rows = table(text)[kind]
            assert rows[ALONE]["занято ядер"] < 1.15 and rows["занято ядер"]["корутины"] < 1.15
        count = table(text)[PYTHON]["занято ядер"]
        return min(count[way] for way in WAYS[2:]) > 1.3  # процессы и интерпретаторы

    some(busy, 7)


@with_gil
def test_O3_T6_threads_do_not_speed_up_python_code() -> None:
    assert table(output(7))[PYTHON]["занято ядер"]["потоки"] < 1.15
    told = verdict(conclusion(output(7), f"Вывод: {PYTHON}"))
    assert "потоки" in told.get("не ускоряют", []) + told.get("повторите", [])


@several_cores
def test_T6x_threads_keep_several_cores_busy_where_the_gil_is_let_go() -> None:
    def parallel(text: str) -> bool:
        kinds = (C,) if GIL else (C, PYTHON)
        return min(table(text)[kind]["занято ядер"]["потоки"] for kind in kinds) > 1.3

    some(parallel, 7)


def test_O3_T7_threads_and_coroutines_speed_up_waiting() -> None:
    def gain(text: str) -> bool:
        rows = table(text)[WAITING]
        assert rows[ALONE]["занято ядер"] < 0.5
        assert verdict(conclusion(text, f"Вывод: {WAITING}"))["ускоряют"][:2] == WAYS[:2]
        assert max(rows["ускорение"].values()) <= 1.3 * load(7).JOBS
        assert said(conclusion(text, "чтобы ждать")) == [load(7).JOBS, 1]
        return min(rows["ускорение"][way] for way in ("потоки", "корутины")) > 3

    some(gain, 7)
