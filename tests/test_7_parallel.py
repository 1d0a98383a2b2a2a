"""Утверждения о том, какой способ для какой работы: O3, T6, T6x, T7."""

import hashlib
import re
import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest
from conftest import (
    CORES,
    GIL,
    LEAPING_CLOCKS,
    TEMP,
    changed,
    conclusion,
    copy,
    lines,
    load,
    output,
    primes_below,
    run,
    said,
    several_cores,
    tries,
    with_gil,
)

ONCE, TWICE = ("ROUNDS = 6", "ROUNDS = 1"), ("ROUNDS = 6", "ROUNDS = 2")
PYTHON, C, WAITING = KINDS = ("счёт на Python", "счёт в C", "ожидание")
Table = dict[str, dict[str, dict[str, float]]]


def table(text: str) -> Table:
    """Клетки: вид работы — строка — способ; у «одно за другим» мс и занято ядер."""
    (start,) = (n for n, line in enumerate(text.splitlines()) if line.split()[:1] == ["потоки"])
    head, *rows = text.splitlines()[start:]
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
    n = len(cells[PYTHON]["ускорение"]) + 1
    for place, kind in enumerate(KINDS):
        first = 2 * n * place
        seconds = {way: 4 * (first + 1 + m) + 1 for m, way in enumerate(cells[kind]["ускорение"])}
        alone = 4 * first + 1
        assert cells[kind]["одно за другим"] == {"мс": 1e6 * alone, "занято ядер": 0.7}
        for way, lasted in seconds.items():
            assert cells[kind]["ускорение"][way] == round(alone / lasted, 2)
            assert cells[kind]["занято ядер"][way] == 0.7
            later = (alone + 4 * n) / (lasted + 4 * n)
            assert cells[kind]["по кругам"][way] == round(later, 2)


@pytest.mark.parametrize(("old", "new"), [('"550"', '"551"'), ('"5c88', '"5c89'), ("b'OK'", "NO")])
def test_T6_T6x_T7_wrong_answer_is_refused(old: str, new: str) -> None:
    wrong = ('writer.write(b"OK")', 'writer.write(b"NO")') if new == "NO" else (old, new)
    done = run(copy(7, ONCE, wrong))
    assert done.returncode == 1 and "верный ответ" in done.stderr


def test_T7_every_answer_comes_from_the_server_and_no_sooner_than_it_may() -> None:
    file = Path(mkdtemp(dir=TEMP.name)) / "connections"
    note = ('writer.write(b"OK")', f'open({str(file)!r}, "a").write("x"); writer.write(b"OK")')
    text = changed(7, ONCE, note)
    ways = len(table(text)[WAITING]["ускорение"]) + 1
    assert len(file.read_text("utf-8")) == ways * load(7).JOBS
    least = 1000 * load(7).DELAY * load(7).JOBS
    assert table(text)[WAITING]["одно за другим"]["мс"] >= 0.95 * least


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
    assert (
        re.search(r"(?<!не )ускоряют процессы в 2.0 раза", usual) and "не ускоряют потоки" in usual
    )
    free = say(kind, одно=base, потоки=(0.6, 1.8), процессы=(1.1, 1.0))
    assert re.search(r"(?<!не )ускоряют потоки в 1.7", free) and "не ускоряют процессы" in free
    assert "повторите" in say(kind, одно=base, потоки=(1.0, 1.0), процессы=(1.0, 1.0))
    assert "повторите" not in say(kind, cores=1, одно=base, потоки=base, процессы=base)
    noise = say(kind, одно=base, потоки=(0.6, 1.0), процессы=(0.5, 1.9))  # ядро-то занято одно
    assert re.search("неясно: +потоки", noise)


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

    assert any(busy(text) for text in tries(7))


@with_gil
def test_O3_T6_threads_do_not_speed_up_python_code() -> None:
    def no_gain(text: str) -> bool:
        assert table(text)[PYTHON]["занято ядер"]["потоки"] < 1.15
        line = conclusion(text, f"Вывод: {PYTHON}")
        assert not re.search(r"(?<!не )ускоряют[^;]*потоки", line)
        return CORES == 1 or bool(re.search(r"не ускоряют[^;]*потоки", line))

    assert any(no_gain(text) for text in tries(7))


@several_cores
def test_T6x_threads_keep_several_cores_busy_where_the_gil_is_let_go() -> None:
    kinds = (C,) if GIL else (C, PYTHON)
    found = ([table(text)[kind]["занято ядер"]["потоки"] for kind in kinds] for text in tries(7))
    assert any(min(busy) > 1.3 for busy in found)


@several_cores
def test_T6x_interpreters_keep_several_cores_busy() -> None:
    if sys.version_info < (3, 14):
        assert "интерпретаторы" not in output(7)
    else:
        found = (table(text)[PYTHON]["занято ядер"]["интерпретаторы"] for text in tries(7))
        assert any(busy > 1.3 for busy in found)


def test_O3_T7_threads_and_coroutines_speed_up_waiting() -> None:
    def gain(text: str) -> bool:
        cells = table(text)[WAITING]
        assert cells["одно за другим"]["занято ядер"] < 0.5
        line = conclusion(text, f"Вывод: {WAITING}")
        assert re.search(r"(?<!не )ускоряют потоки[^;]*корутины", line)
        assert max(cells["ускорение"].values()) <= 1.3 * load(7).JOBS
        assert said(conclusion(text, "чтобы ждать")) == [load(7).JOBS, 1]
        return min(cells["ускорение"][way] for way in ("потоки", "корутины")) > 3

    assert any(gain(text) for text in tries(7))
