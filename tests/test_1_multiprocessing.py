"""Утверждения раздела «Процессы»: P1, P2, M1, M3, R2, R3."""

import multiprocessing
import os
from pathlib import Path

import pytest
from conftest import conclusions, output, posix, rows, run_changed

METHODS = sorted(multiprocessing.get_all_start_methods())


def births() -> dict[str, dict[str, str]]:
    """Строки таблицы запусков: способ — pid, родитель, чей он, переменная, мс."""
    table = {}
    for words in rows(output(1), "fork", "spawn"):
        if words[-1] == "мс":
            method, pid, parent, *whose, setting, ms, _ = words
            table[method] = {"pid": pid, "parent": parent, "whose": " ".join(whose)}
            table[method] |= {"setting": setting, "ms": ms}
    return table


def test_P1_every_process_has_its_own_pid() -> None:
    (own,) = rows(output(1), "Родитель: pid")
    pids = [birth["pid"] for birth in births().values()]
    assert len({*pids, own[2].rstrip(",")}) == len(METHODS) + 1
    launched, distinct = (int(word.strip(",.")) for word in conclusions(output(1))[0].split()[2::3])
    assert launched == distinct >= 3 * len(METHODS)


def test_P1_parents_pid_is_that_of_the_script_except_for_forkserver() -> None:
    own = rows(output(1), "Родитель: pid")[0][2].rstrip(",")
    for method, birth in births().items():
        ours = method != "forkserver"
        assert (birth["parent"] == own) is ours
        assert birth["whose"] == ("мы" if ours else "не мы")


def test_P2_only_fork_inherits_what_the_parent_changed_at_run_time() -> None:
    table = births()
    assert sorted(table) == METHODS
    for method, birth in table.items():
        assert birth["setting"] == ("изменено" if method == "fork" else "исходное")
    seeing = "fork" if "fork" in METHODS else "нигде"
    assert f"видно: {seeing};" in conclusions(output(1))[1]


def test_M1_start_is_cheapest_by_fork_and_dearest_by_spawn() -> None:
    price = {method: float(birth["ms"]) for method, birth in births().items()}
    assert all(ms > 0 for ms in price.values())
    if "fork" in price:
        assert price["fork"] < price["spawn"]
        cheapest = min(price, key=price.__getitem__)
        assert conclusions(output(1))[2].startswith(f"Вывод: запуск, мс: {cheapest} ")


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="о зомби система не говорит")
def test_R2_ended_child_is_a_zombie_until_joined() -> None:
    for start in ("дошёл до конца", "исключение", "убит"):
        (words,) = rows(output(1), start)
        assert words[-3:] == ["зомби", "нет", "такого"]
    assert "3 из 3" in conclusions(output(1))[3]


@posix
def test_R2_exit_code_tells_how_the_child_ended() -> None:
    codes = [rows(output(1), start)[0][-4] for start in ("дошёл до конца", "исключение", "убит")]
    assert codes == ["0", "1", "-9"]


def test_R3_lambda_is_accepted_by_fork_only() -> None:
    for method in METHODS:
        (words,) = (w for w in rows(output(1), method) if w[0] == method and w[-1] != "мс")
        if method == "fork":
            assert words[1:] == ["принята,", "код", "возврата", "0"]
        else:
            assert words[1] == "отказ," and "Error:" in words[2]


def test_M3_limit_is_the_one_in_force() -> None:
    (words,) = rows(output(1), "предел ulimit")
    try:
        from resource import RLIM_INFINITY, RLIMIT_NPROC, getrlimit
    except ImportError:
        assert words[-1] == "сообщает"
    else:
        limit = getrlimit(RLIMIT_NPROC)[0]
        assert words[-1] == ("угодно" if limit == RLIM_INFINITY else str(limit))


def test_table_shows_what_the_children_said_and_did(tmp_path: Path) -> None:
    text = run_changed(
        tmp_path,
        1,
        ('setting = "исходное"', 'setting = "иное"'),
        ("try_target(method, lambda: None)", "try_target(method, succeed)"),
        ('"""Ребёнок, который дойдёт до конца."""', "sys.exit(7)"),
    )
    for words in rows(text, "fork", "spawn"):
        if words[-1] == "мс":
            assert words[-3] == ("изменено" if words[0] == "fork" else "иное")
        else:
            assert words[1:] == ["принята,", "код", "возврата", "7"]
    assert rows(text, "дошёл до конца")[0][3] == "7"


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="о зомби система не говорит")
def test_R2_without_join_the_zombie_stays(tmp_path: Path) -> None:
    join = "    process.join()\n    return process.exitcode, before"
    text = run_changed(tmp_path, 1, (join, "    return 0, before"))
    ends = [words[-2:] for words in rows(text, "дошёл", "исключение", "убит")]
    assert ends == [["зомби", "зомби"]] * 3
    assert "0 из 3" in conclusions(text)[3]
