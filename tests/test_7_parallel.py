"""Утверждения о том, какой способ для какой работы: O3, T6, T6x, T7."""
# ruff: noqa: F403, F405

import hashlib
import re
import sys

import pytest
from conftest import *

ONCE, TWICE = ("ROUNDS = 6", "ROUNDS = 1"), ("ROUNDS = 6", "ROUNDS = 2")
PYTHON, C, WAITING = KINDS = ("счёт на Python", "счёт в C", "ожидание")
WAYS = ["потоки", "корутины", "процессы"] + ["интерпретаторы"] * (sys.version_info >= (3, 14))
Table = dict[str, dict[str, dict[str, float]]]


def table(text: str) -> Table:
    """Клетки: вид работы — строка — способ; у «одно за другим» мс и занято ядер."""
    _, head, *rows = text[text.index("заданий каждого вида") :].splitlines()
    found: Table = {}
    for kind, line in zip(KINDS, range(0, 12, 4), strict=True):
        assert rows[line].startswith(kind)
        ms, busy = said(rows[line].split(":")[1])
        found[kind] = {"одно за другим": {"мс": ms, "занято ядер": busy}}
        for row in rows[line + 1 : line + 4]:
            title, numbers = row[:16].strip(), row[16:].split()
            spread = [float(number.split("–")[-1]) for number in numbers]
            found[kind][title] = dict(zip(head.split(), spread, strict=True))
    return found


def test_T6_T7_speedups_and_cores_are_those_of_the_clocks() -> None:
    """Прогон m длится 1000·(4m + 1) с и занимает 0.7 ядра; лучшие прогоны — в первом круге."""
    cells = table(changed(7, TWICE, startup=LEAPING_CLOCKS))
    n = len(WAYS) + 1
    for place, kind in enumerate(KINDS):
        first = 2 * n * place
        seconds = {way: 4 * (first + 1 + m) + 1 for m, way in enumerate(WAYS)}
        alone = 4 * first + 1
        assert cells[kind]["одно за другим"] == {"мс": 1e6 * alone, "занято ядер": 0.7}
        for way, lasted in seconds.items():
            assert cells[kind]["ускорение"][way] == round(alone / lasted, 2)
            assert cells[kind]["занято ядер"][way] == 0.7
            later = (alone + 4 * n) / (lasted + 4 * n)
            assert cells[kind]["по кругам"][way] == round(later, 2)


WRONG = [('"550"', '"551"'), ('"5c88', '"5c89'), ('(b"OK")', '(b"NO")')]


@pytest.mark.parametrize(("old", "new"), WRONG)
def test_T6_T6x_T7_wrong_answer_is_refused(old: str, new: str) -> None:
    done = run(copy(7, ONCE, (old, new)))
    assert done.returncode == 1 and "верный ответ" in done.stderr


def test_O3_T7_every_answer_comes_from_the_server_and_threads_are_threads() -> None:
    file = folder_for("connections", "") / "connections"
    note = ('writer.write(b"OK")', f'open({str(file)!r}, "a").write("x"); writer.write(b"OK")')
    text, noted = watched(7, ONCE, note)
    assert len(file.read_text("utf-8")) == (len(WAYS) + 1) * load(7).JOBS
    least = 1000 * load(7).DELAY * load(7).JOBS
    assert table(text)[WAITING]["одно за другим"]["мс"] >= 0.95 * least
    here = {thread for pid, _, thread in noted if pid == noted[0][0]}
    assert len(here) > load(7).JOBS  # главный и по потоку на задание


def test_T7_threads_are_counted() -> None:
    few = ("futures.ThreadPoolExecutor(JOBS)", "futures.ThreadPoolExecutor(4)")
    loop = "lambda *task: asyncio.run(in_coroutines(*task))"
    text = changed(7, ONCE, few, (loop, "partial(in_pool, futures.ThreadPoolExecutor(3))"))
    assert said(conclusion(text, "чтобы ждать")) == [4, 3]


def say(kind: str, cores: int = 2, **runs: tuple[float, float]) -> str:
    """Вывод о работе из придуманных прогонов: (секунды, занято ядер)."""
    module = load(7)
    named = {way: [module.Run(*run, 1), module.Run(9.0, 1.0, 1)] for way, run in runs.items()}
    usual, module.CORES = module.CORES, cores
    try:
        return str(module.conclusion(kind, named))
    finally:
        module.CORES = usual


@pytest.mark.parametrize("kind", [PYTHON, C])
def test_T6_T6x_conclusion_about_counting_follows_the_measurement(kind: str) -> None:
    base = (1.0, 1.0)
    usual = say(kind, одно=base, потоки=(1.0, 1.0), процессы=(0.5, 1.9))
    assert re.search(r"(?<!не )ускоряют процессы в 2.0", usual) and "не ускоряют потоки" in usual
    free = say(kind, одно=base, потоки=(0.6, 1.8), процессы=(1.1, 1.0))
    assert re.search(r"(?<!не )ускоряют потоки в 1.7", free) and "не ускоряют процессы" in free
    taken_away = say(kind, одно=base, потоки=(1.0, 1.0), процессы=(1.0, 0.7))
    assert "повторите: потоки, процессы" in taken_away
    stolen = say(kind, одно=(1.0, 0.45), потоки=(0.6, 0.6), процессы=(0.9, 0.5))
    assert "повторите" in stolen  # счёт остаётся счётом, даже если и полядра не дали
    assert "повторите" not in say(kind, cores=1, одно=base, потоки=base, процессы=base)
    noise = say(kind, одно=base, потоки=(0.6, 1.0), процессы=(0.5, 1.9))  # ядро-то занято одно
    assert "ускоряют потоки" not in noise.replace("не ускоряют потоки", "")


def test_T7_conclusion_about_waiting_follows_the_measurement() -> None:
    text = say(WAITING, одно=(1.0, 0.1), потоки=(0.1, 0.4), корутины=(1.0, 0.1))
    assert "ускоряют потоки в 10.0 раза" in text and "не ускоряют корутины" in text
    text = say(WAITING, одно=(1.0, 0.1), потоки=(1.0, 0.4), корутины=(0.2, 0.1))
    assert "ускоряют корутины в 5.0 раза" in text and "не ускоряют потоки" in text


def test_answers_are_known_from_elsewhere() -> None:
    assert load(7).KINDS[PYTHON][1] == str(primes_below(4_000))
    known = "5c8875ae474a3634ba4fd55ec85bffd661f32aca75c6d699d0cdcb6c115891c1"  # NIST
    assert hashlib.sha3_256(b"a" * 1_000_000).hexdigest() == known
    assert known.startswith(load(7).KINDS[C][1])


def test_O3_T6_T6x_T7_conclusions_repeat_the_table() -> None:
    text = output(7)
    for kind, rows in table(text).items():
        line = conclusion(text, f"Вывод: {kind}")
        for way, ratio in re.findall(r"(\w+) в (\d+,\d) раза", line):
            assert abs(said(ratio)[0] - rows["ускорение"][way]) < 0.06
    assert len(lines(text, "  ускорение")) == 3


@several_cores
def test_O3_T6_processes_keep_several_cores_busy_and_coroutines_never() -> None:
    def busy(text: str) -> bool:
        cells = table(text)
        for kind in (PYTHON, C):
            assert cells[kind]["одно за другим"]["занято ядер"] < 1.15
            assert cells[kind]["занято ядер"]["корутины"] < 1.15
        return cells[PYTHON]["занято ядер"]["процессы"] > 1.3

    some(busy, tries(7))


@with_gil
def test_O3_T6_threads_do_not_speed_up_python_code() -> None:
    assert table(output(7))[PYTHON]["занято ядер"]["потоки"] < 1.15
    line = conclusion(output(7), f"Вывод: {PYTHON}")
    assert "потоки" in line and not re.search(r"(?<!не )ускоряют[^;]*потоки", line)


@several_cores
def test_T6x_threads_keep_several_cores_busy_where_the_gil_is_let_go() -> None:
    def parallel(text: str) -> bool:
        kinds = (C,) if GIL else (C, PYTHON)
        return min(table(text)[kind]["занято ядер"]["потоки"] for kind in kinds) > 1.3

    some(parallel, tries(7))


@several_cores
def test_T6x_interpreters_keep_several_cores_busy() -> None:
    if sys.version_info < (3, 14):
        assert "интерпретаторы" not in output(7)
    else:
        some(lambda t: table(t)[PYTHON]["занято ядер"]["интерпретаторы"] > 1.3, tries(7))


def test_O3_T7_threads_and_coroutines_speed_up_waiting() -> None:
    def gain(text: str) -> bool:
        cells = table(text)[WAITING]
        assert cells["одно за другим"]["занято ядер"] < 0.5
        line = conclusion(text, f"Вывод: {WAITING}")
        assert re.search(r"(?<!не )ускоряют потоки[^;]*корутины", line)
        assert max(cells["ускорение"].values()) <= 1.3 * load(7).JOBS
        assert said(conclusion(text, "чтобы ждать")) == [load(7).JOBS, 1]
        return min(cells["ускорение"][way] for way in ("потоки", "корутины")) > 3

    some(gain, tries(7))
