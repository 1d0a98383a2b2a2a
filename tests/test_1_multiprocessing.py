"""Утверждения раздела «Процессы»: P1, P2, M1, M3, R2, R3."""
# ruff: noqa: F403, F405

import multiprocessing
import os

import pytest
from conftest import *

METHODS = sorted(multiprocessing.get_all_start_methods())
ONCE = ("ROUNDS = 5", "ROUNDS = 1")
zombies_known = pytest.mark.skipif(not hasattr(os, "waitid"), reason="о зомби здесь не узнать")


def births(text: str) -> dict[str, dict[str, str]]:
    """Таблица запусков: способ — pid, родитель, чей он, setting, мс."""
    table = {}
    for line in text.splitlines():
        if line.endswith(" мс"):
            method, pid, parent, *whose, setting, ms, _ = line.split()
            table[method] = {"pid": pid, "parent": parent, "setting": setting, "ms": ms}
            table[method]["whose"] = " ".join(whose)
    return table


def fates(text: str) -> list[list[str]]:
    """Последние слова строк о судьбах: код возврата, до join(), после join()."""
    return [line.split()[-3:] for line in text.splitlines() if line.startswith(("дошёл", "убит"))]


def test_P1_pids_are_those_that_the_system_gave() -> None:
    text, noted = watched(1)
    (own, starter, _), parents = noted[0], {pid: parent for pid, parent, _ in noted}
    assert starter == str(os.getpid())
    assert f"родитель: pid {own}, его родитель {starter}," in text
    for birth in births(text).values():
        assert parents.get(birth["pid"]) == birth["parent"] and birth["pid"] != own


def test_P1_every_process_has_its_own_pid_and_parent() -> None:
    table = births(output(1))
    (own, _) = said(lines(output(1), "родитель: ")[0])
    assert sorted(table) == METHODS
    assert len({own, *(float(birth["pid"]) for birth in table.values())}) == len(METHODS) + 1
    for method, birth in table.items():
        assert (float(birth["parent"]) == own) is (method != "forkserver")
    asked, distinct = said(conclusion(output(1), "разных pid"))
    assert asked == distinct >= 3 * len(METHODS)


def test_P1_P2_table_and_conclusions_tell_what_the_child_said() -> None:
    told = "os.getpid(), os.getppid(), setting))"
    text = changed(1, ONCE, (told, '42, 43, "чужое"))'))
    for birth in births(text).values():
        assert birth["whose"] == "не мы"
        assert (birth["pid"], birth["parent"], birth["setting"]) == ("42", "43", "чужое")
    assert said(conclusion(text, "разных pid")) == [len(METHODS), 1]
    assert not any(method in conclusion(text, "setting") for method in METHODS)


def test_P2_only_fork_inherits_what_the_parent_changed_at_run_time() -> None:
    for method, birth in births(output(1)).items():
        assert birth["setting"] == ("изменено" if method == "fork" else "исходное")
        assert birth["whose"] == ("не мы" if method == "forkserver" else "мы")
        seeing = conclusion(output(1), "setting").strip(".").split(": ")[-1].split(", ")
        assert (method in seeing) is (method == "fork")


def test_M1_time_includes_the_whole_start() -> None:
    slow = """if True:
        import time
        from multiprocessing.process import BaseProcess
        def slow(self, start=BaseProcess.start): time.sleep(0.1), start(self)
        BaseProcess.start = slow
    """
    for birth in births(changed(1, ONCE, startup=slow)).values():
        assert float(birth["ms"]) >= 99


def test_M1_fork_is_cheapest_and_conclusion_repeats_the_table() -> None:
    def cheapest(text: str) -> bool:
        cost = {method: float(birth["ms"]) for method, birth in births(text).items()}
        fastest, *others = sorted(cost, key=lambda method: cost[method])
        words = conclusion(text, "запуск ")
        assert f"запуск {fastest} " in words and all(f"быстрее {m}" in words for m in others)
        for method, ratio in zip(others, said(words), strict=True):
            assert is_ratio(ratio, cost[method], cost[fastest], half=0.05)
        return min(cost.values()) > 0 and ("fork" not in cost or fastest == "fork")

    some(cheapest, tries(1))


@zombies_known
def test_R2_ended_child_is_a_zombie_until_its_parent_joins_it() -> None:
    text = output(1)
    for words in (line.split() for line in text.splitlines() if line.startswith(("дошёл", "убит"))):
        before = "ничего" if "forkserver" in words else "зомби"
        assert words[-2:] == [before, "ничего"]
    assert len(fates(text)) == len(METHODS) + 1
    named = conclusion(text, "зомби").strip(".").split(": ")[-1].split(", ")
    assert set(named) == set(METHODS) - {"forkserver"}


@zombies_known
def test_R2_zombies_are_looked_for_and_not_guessed() -> None:
    waiting = ("    wait([process.sentinel])", "    process.join()")
    text = changed(1, ONCE, waiting)  # убрали раньше, чем спросили
    assert {before for _, before, _ in fates(text)} == {"ничего"}
    assert not any(method in conclusion(text, "зомби") for method in METHODS)
    code = ("    process.join()  # спросить", "    #"), ("return process.exitcode,", "return 0,")
    text = changed(1, ONCE, *code)  # так и не убрали
    assert {tuple(words[1:]) for words in fates(text)} <= {("зомби",) * 2, ("ничего",) * 2}
    assert ["0", "зомби", "зомби"] in fates(text)


@posix
def test_R2_exit_code_is_that_of_the_child() -> None:
    assert [code for code, *_ in fates(output(1))] == ["0"] * len(METHODS) + ["-9"]
    how = '"""Ребёнок: прожить жизнь, какая досталась."""'
    text = changed(1, ONCE, (how, 'sys.exit(7 if fate != "убит" else 0)'))
    assert [code for code, *_ in fates(text)[:-1]] == ["7"] * len(METHODS)


def test_R3_lambda_is_accepted_by_fork_only_and_refusal_is_shown() -> None:
    for method in METHODS:
        (answer,) = lines(output(1), f"лямбда, {method} ")
        wanted = "принята, код возврата 0" if method == "fork" else "отказ, "
        assert answer.strip().startswith(wanted)
        assert ("Error: " in answer) is (method != "fork")
        accepting = conclusion(output(1), "лямбду").strip(".").split(": ")[-1].split(", ")
        assert (method in accepting) is (method == "fork")


def test_R3_what_can_be_pickled_is_accepted_by_every_method() -> None:
    text = changed(1, ONCE, ("target = lambda: None", "target = os.getpid"))
    assert all("принята, код возврата 0" in line for line in lines(text, "лямбда, "))
    accepting = conclusion(text, "лямбду").strip(".").split(": ")[-1].split(", ")
    assert accepting == METHODS


@posix
def test_M3_limit_on_processes_is_the_one_in_force() -> None:
    from resource import RLIMIT_NPROC, getrlimit

    hard = getrlimit(RLIMIT_NPROC)[1]
    limit = 43_210 if hard < 0 else min(43_210, hard)
    startup = f"import resource as r; r.setrlimit(r.RLIMIT_NPROC, ({limit}, {hard}))"
    text = changed(1, ONCE, startup=startup)
    assert lines(text, "процессов разрешено пользователю: ") == [str(limit)]
