"""Утверждения раздела «Процессы»: P1, P2, M1, M3, R2, R3."""

import multiprocessing
import os
import re

import pytest
from conftest import *

METHODS = sorted(multiprocessing.get_all_start_methods())
ONCE = ("ROUNDS = 5", "ROUNDS = 1")
zombies_known = pytest.mark.skipif(not hasattr(os, "waitid"), reason="о зомби здесь не узнать")


def births(text: str) -> dict[str, list[str]]:
    """Таблица запусков: способ — pid, родитель, чей он, setting, мс."""
    rows = re.findall(r"(?m)^(\w+) +(\d+) +(\d+) +(мы|не мы) +(\S+) +([\d.]+) мс$", text)
    assert [method for method, *_ in rows] == METHODS
    return {method: cells for method, *cells in rows}


def fates(text: str) -> dict[str, list[str]]:
    """Таблица судеб: чья — код возврата, что осталось до join() и после."""
    rows = re.findall(r"(?m)^(дошёл до конца|убит) +(\w+) +(-?\d+)   (.{10})  (.*)$", text)
    return {f"{fate} {method}": [c, b.strip(), a] for fate, method, c, b, a in rows}


def named(text: str, word: str) -> list[str]:
    """Какие способы названы в выводе с этим словом."""
    return re.findall("|".join(rf"\b{m}\b" for m in METHODS), conclusion(text, word))


def test_P1_P2_each_process_has_its_own_pid_and_only_fork_inherits_changes() -> None:
    text, noted = watched(1)
    (own, starter, _), parents = noted[0], {pid: parent for pid, parent, _ in noted}
    assert starter == str(os.getpid()) and f"pid {own}, его родитель {starter}," in text
    for method, (pid, parent, whose, setting, _) in births(text).items():
        assert pid != own and parents[pid] == parent  # таковы они для системы
        assert (parent == own) is (whose == "мы") is (method != "forkserver")
        assert setting == ("изменено" if method == "fork" else "исходное")
    assert named(text, "setting видит") == [m for m in METHODS if m == "fork"]
    asked, distinct = said(conclusion(text, "разных pid"))
    assert asked == distinct >= 3 * len(METHODS)


def test_P1_P2_R2_R3_output_tells_what_happened_and_not_what_the_lesson_teaches() -> None:
    text = changed(
        1,
        ONCE,
        ("os.getpid(), os.getppid(), setting))", '42, 43, "чужое"))'),
        ('"""Ребёнок: прожить жизнь, какая досталась."""', "sys.exit(7)"),
        ("    wait([process.sentinel])", "    process.join()"),  # убрали раньше, чем спросили
        ("target = lambda: None", "target = os.getpid"),
    )
    assert {(*row[:4],) for row in births(text).values()} == {("42", "43", "не мы", "чужое")}
    assert said(conclusion(text, "разных pid")) == [len(METHODS), 1]
    assert not named(text, "setting видит") and not named(text, "зомби")
    ended = [cells for who, cells in fates(text).items() if "убит" not in who]
    assert {(code, before) for code, before, _ in ended} <= {("7", "ничего"), ("7", "не узнать")}
    assert all("принята, код возврата 0" in line for line in lines(text, "лямбда, "))
    assert named(text, "лямбду") == METHODS


@zombies_known
def test_R2_ended_child_is_a_zombie_until_its_parent_joins_it() -> None:
    assert len(fates(output(1))) == len(METHODS) + 1
    for who, (code, before, after) in fates(output(1)).items():
        assert code == ("-9" if "убит" in who else "0")
        assert (before, after) == ("ничего" if "forkserver" in who else "зомби", "ничего")
    assert named(output(1), "зомби") == [m for m in METHODS if m != "forkserver"]
    hidden = ("    process.join()  # спросить", "    #"), ("return process.exitcode,", "return 0,")
    assert ["0", "зомби", "зомби"] in fates(changed(1, ONCE, *hidden)).values()  # так и не убрали


def test_R3_lambda_is_accepted_by_fork_only_and_refusal_is_shown() -> None:
    for method in METHODS:
        (answer,) = lines(output(1), f"лямбда, {method} ")
        assert "принята, код возврата 0" in answer if method == "fork" else "Error: " in answer
    assert named(output(1), "лямбду") == [m for m in METHODS if m == "fork"]


def test_M1_time_includes_the_whole_start() -> None:
    slow = """if True:
        import time
        from multiprocessing.process import BaseProcess
        def slow(self, start=BaseProcess.start): time.sleep(0.1), start(self)
        BaseProcess.start = slow
    """
    assert min(float(ms) for *_, ms in births(changed(1, ONCE, startup=slow)).values()) >= 99


def test_M1_fork_is_cheapest_and_conclusion_repeats_the_table() -> None:
    def cheapest(text: str) -> bool:
        cost = {method: float(ms) for method, (*_, ms) in births(text).items()}
        fastest, *others = sorted(cost, key=lambda method: cost[method])
        assert named(text, "запуск ") == [fastest, *others]
        for method, ratio in zip(others, said(conclusion(text, "запуск ")), strict=True):
            assert is_ratio(ratio, cost[method], cost[fastest], half=0.05)
        return min(cost.values()) > 0 and ("fork" not in cost or fastest == "fork")

    some(cheapest, 1)


@posix
def test_M3_limit_on_processes_is_the_one_in_force() -> None:
    from resource import RLIMIT_NPROC, getrlimit

    hard = getrlimit(RLIMIT_NPROC)[1]
    limit = 43_210 if hard < 0 else min(43_210, hard)
    startup = f"import resource as r; r.setrlimit(r.RLIMIT_NPROC, ({limit}, {hard}))"
    text = changed(1, ONCE, startup=startup)
    assert lines(text, "процессов разрешено пользователю: ") == [str(limit)]
