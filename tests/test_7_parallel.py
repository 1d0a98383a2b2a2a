"""Утверждения о том, какой способ для какой работы: O3, T6, T6x, T7."""

import re
import sys

import pytest
from conftest import *

ONCE, TWICE = ("ROUNDS = 8", "ROUNDS = 1"), ("ROUNDS = 8", "ROUNDS = 2")
PYTHON, C, WAITING = KINDS = ("счёт на Python", "счёт в C", "ожидание")
WAYS = ["потоки", "корутины", "процессы"] + ["интерпретаторы"] * (sys.version_info >= (3, 14))


def row(text: str, kind: str, title: str) -> dict[str, float]:
    """Строка таблицы: способ — число; «от–до» — последнее. Для «одно за другим» есть cells()."""
    head, table = text.split("точка — круг\n")[1].split("\n", 1)
    line = table.split(f"{kind} .")[1].split(f"  {title} ")[1].splitlines()[0]
    numbers = [float(cell.split("–")[-1]) for cell in line.split()]
    return dict(zip(head.split(), numbers, strict=True))


def test_T6_T6x_T7_speedups_and_cores_are_those_of_the_clocks() -> None:
    """Прогон m длится 1000·(4m + 1) с и занимает 0.7 ядра; лучшие прогоны — в первом круге."""
    text, n = changed(7, TWICE, startup=LEAPING_CLOCKS), len(WAYS) + 1
    for place, kind in enumerate(KINDS):
        lasted = [4 * m + 1 for m in range(2 * place * n, 2 * (place + 1) * n)]
        best, later = lasted[:n], lasted[n:]
        assert cells(text, f"{kind} .") == [1e6 * best[0], 0.7]
        assert set(row(text, kind, "занято ядер").values()) == {0.7}
        for title, (alone, *others) in (("ускорение", best), ("по кругам", later)):
            ratios = [round(alone / own, 2) for own in others]
            assert row(text, kind, title) == dict(zip(WAYS, ratios))


@pytest.mark.parametrize("change", [('"430"', '"431"'), ('"7707', '"7708'), ('(b"OK")', '(b"NO")')])
def test_T6_T6x_T7_wrong_answer_is_refused(change: tuple[str, str]) -> None:
    done = run(copy(7, ONCE, change))
    assert done.returncode == 1 and "верный ответ" in done.stderr


def test_T6_T6x_answers_are_known_from_elsewhere() -> None:
    (_, python), (_, c), _ = load(7).KINDS.values()
    assert python == str(primes_below(3_000))
    assert c == "7707d6ae4e027c70eea2a935c2296f21"  # NESSIE, Set 1, vector 8


def test_O3_T7_every_answer_comes_from_the_server_and_threads_are_threads() -> None:
    file, jobs = new_file("connections"), load(7).JOBS
    note = ('writer.write(b"OK")', f'open({str(file)!r}, "a").write("x"); writer.write(b"OK")')
    text, noted = watched(7, ONCE, note)
    assert len(file.read_text("utf-8")) == (len(WAYS) + 1) * jobs
    assert cells(text, f"{WAITING} .")[0] >= 0.95 * 1000 * load(7).DELAY * jobs
    here = {thread for pid, _, thread in noted if pid == noted[0][0]}
    assert len(here) > jobs / 2  # освободившийся поток пул берёт снова


def test_T7_threads_are_counted() -> None:
    few = ("futures.ThreadPoolExecutor(JOBS)", "futures.ThreadPoolExecutor(4)")
    loop = "lambda *task: asyncio.run(in_coroutines(*task))"
    text = changed(7, ONCE, few, (loop, "partial(in_pool, futures.ThreadPoolExecutor(3))"))
    assert said(conclusion(text, "чтобы ждать")) == [4, 3]


def verdict(line: str) -> dict[str, list[str]]:
    """Какие способы, по этому выводу, ускоряют, какие нет и о каких судить нельзя."""
    groups = re.findall(r"(не ускоряют|ускоряют|повторите)([^;]*)", line)
    return {words: re.findall("потоки|корутины|процессы", ways) for words, ways in groups}


CASES = [  # ядер; прогоны (секунды, занято ядер) одно за другим, потоками, процессами; что сказать
    (2, (1.0, 1.0), (1.0, 1.0), (0.5, 1.9), "ускоряют процессы 2.0; не ускоряют потоки"),
    (2, (1.0, 1.0), (0.6, 1.8), (1.1, 1.0), "ускоряют потоки 1.7; не ускоряют процессы"),
    (2, (1.0, 1.0), (0.6, 1.0), (0.5, 1.9), "ускоряют процессы 2.0; не ускоряют потоки"),  # помеха
    (2, (1.0, 1.0), (1.0, 1.0), (1.0, 0.7), "повторите потоки, процессы"),
    (2, (1.0, 0.45), (0.6, 0.6), (0.9, 0.5), "повторите потоки, процессы"),  # и это счёт
    (1, (1.0, 1.0), (1.0, 1.0), (1.0, 1.0), "не ускоряют потоки, процессы"),
    (2, (1.0, 0.1), (0.1, 0.4), (1.0, 0.1), "ускоряют потоки 10.0; не ускоряют процессы"),
    (2, (1.0, 0.1), (1.0, 0.4), (0.2, 0.1), "ускоряют процессы 5.0; не ускоряют потоки"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_T6_T6x_T7_conclusion_follows_the_measurement(
    kind: str, case: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores, *best, words = case
    monkeypatch.setattr(load(7), "CORES", cores)
    runs = [[load(7).Run(*run, 1), load(7).Run(9.0, 1.0, 1)] for run in best]
    line = load(7).conclusion(kind, dict(zip(("одно за другим", "потоки", "процессы"), runs)))
    assert (verdict(line), said(line)) == (verdict(words), said(words))


def told(text: str, kind: str) -> dict[str, list[str]]:
    """Что сказано о работе; числа — те же, что в таблице."""
    line = conclusion(text, f"Вывод: {kind}")
    for way, ratio in re.findall(r"(\w+) в (\d+,\d) раза", line):
        assert abs(said(ratio)[0] - row(text, kind, "ускорение")[way]) < 0.06
    return verdict(line)


@several_cores
def test_O3_T6_T6x_processes_and_threads_without_gil_keep_several_cores_busy() -> None:
    def busy(text: str) -> bool:
        told(text, C)
        python, c = (row(text, kind, "занято ядер") for kind in (PYTHON, C))
        alone = [cells(text, f"{kind} .")[1] for kind in (PYTHON, C)]
        assert max(*alone, python["корутины"], c["корутины"]) < 1.15
        threads = [c["потоки"]] if GIL else [c["потоки"], python["потоки"]]
        return min(*threads, *(python[way] for way in WAYS[2:])) > 1.3

    some(busy, 7)


@with_gil
def test_O3_T6_threads_do_not_speed_up_python_code() -> None:
    assert row(output(7), PYTHON, "занято ядер")["потоки"] < 1.15
    words = told(output(7), PYTHON)
    assert "потоки" in words.get("не ускоряют", []) + words.get("повторите", [])


def test_O3_T7_threads_and_coroutines_speed_up_waiting() -> None:
    def gain(text: str) -> bool:
        assert cells(text, f"{WAITING} .")[1] < 0.5
        assert told(text, WAITING)["ускоряют"][:2] == WAYS[:2]
        speedups = row(text, WAITING, "ускорение")
        assert max(speedups.values()) <= 1.3 * load(7).JOBS
        assert said(conclusion(text, "чтобы ждать")) == [load(7).JOBS, 1]
        return min(speedups[way] for way in WAYS[:2]) > 3

    some(gain, 7)
