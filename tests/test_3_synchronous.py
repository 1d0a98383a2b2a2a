"""Утверждение P6a: синхронно задания идут одно за другим на одном ядре."""

import difflib
from functools import partial
from string import ascii_uppercase

import pytest
from conftest import cells, conclusions, load, numbers, output, rows, run, script


def primes_below(limit: int) -> int:
    """Решето Эратосфена: независимая проверка ответов."""
    sieve = bytearray([1]) * limit
    sieve[:2] = bytes(2)
    for n in range(2, int(limit**0.5) + 1):
        sieve[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return sum(sieve)


def test_P6a_known_answers_are_right_and_given() -> None:
    known = load(3).PRIMES_BELOW
    assert known == {limit: primes_below(limit) for limit in known}
    printed = {int(w[1]): int(w[2]) for w in rows(output(3), *"ABCDEFGH") if len(w) == 4}
    assert printed == known


def test_P6a_jobs_are_real_work_whose_seconds_add_up_to_the_total() -> None:
    seconds = [float(w[3]) for w in rows(output(3), *"ABCDEFGH") if len(w) == 4]
    (total,) = numbers(r"всего ([\d.]+) с", output(3))
    assert sum(seconds) > 0.05
    assert abs(sum(seconds) - total) < 0.05 * total + 0.02
    assert seconds[0] > seconds[-1]  # большие задания — первыми


def test_P6a_timeline_has_one_process_doing_one_job_after_another() -> None:
    (line,) = (line for line in output(3).splitlines() if line.startswith("pid"))
    bar = line.split("|")[1].strip().upper()
    assert sorted(bar) == list(bar)
    assert set("ABC") < set(bar)


def test_P6a_one_core_is_busy() -> None:
    (busy,) = numbers(r"занято ядер ([\d.]+)", output(3))
    assert 0.3 < busy < 1.1
    assert f"{busy:.2f}" in conclusions(output(3))[0]


def test_P6a_conclusion_follows_the_measurement() -> None:
    def say(step: float, cpu: float) -> str:
        make = partial(load(3).Result, 10_000, 1229, 1)
        runs = [make(n * step, n * step + 1, cpu, 0) for n in range(3)]
        return str(load(3).conclusion(runs))

    assert "по одному; занято ядер 1.00" in say(step=1, cpu=1)
    assert "наложений" in say(step=0.5, cpu=1)
    assert "не целиком" in say(step=1, cpu=0.5)


def test_diff_with_script_4_shows_only_what_parallelism_costs() -> None:
    ideas = []
    for number in (3, 4):
        text = script(number).read_text("utf-8")
        start, end = text.index("# Задание:"), text.index("# --- Измерения")
        ideas.append(text[start:end].splitlines())
    one, other = ideas
    changed = [line for line in difflib.ndiff(one, other) if line[0] in "+-"]
    assert 0 < len(changed) <= 8, changed
    assert any("process_pool" in line for line in changed)


def test_amount_of_work_is_the_readers_choice() -> None:
    done = run(3, "--work", "2").stdout
    jobs = [words for words in rows(done, *ascii_uppercase) if len(words) == 4]
    assert len(jobs) == cells(done, "pid")[-1] == 2 * len(load(3).PRIMES_BELOW)


@pytest.mark.parametrize("number", [3, 4, 5])
def test_primes_are_counted_and_not_looked_up(number: int) -> None:
    for limit in (100, 1000, 12_345):
        assert load(number).count_primes(limit) == primes_below(limit)
