"""Утверждения раздела «Процессы»: P1, P2, M1, M3, R2, R3."""

import multiprocessing
import os
import pickle
import re
from functools import cache
from itertools import pairwise, takewhile

import pytest
from conftest import changed, conclusion, conclusions, load, new_file, output, posix, said, windows

METHODS = sorted(multiprocessing.get_all_start_methods())
zombies_known = pytest.mark.skipif(not hasattr(os, "waitid"), reason="о зомби здесь не узнать")

# Код, который каждый процесс программы выполнит первым: опыты с известным исходом.
NOTE_WHO_RUNS = """
import os
def note(file={file!r}):
    with open(file, "a") as notes:
        print(os.getpid(), os.getppid(), file=notes)
note()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=note)
"""

# Часы, которые двигает сама работа: запуск fork длится 2 мс, forkserver — 5, spawn — 50, и ядро
# занято SHARE этого времени. Кто начал отсчёт после start(), засёк время после send() или
# вздремнул, ошибётся на много секунд.
CLOCK = """
import time
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
import multiprocessing.connection
COST = {"fork": 0.002, "forkserver": 0.005, "spawn": 0.05}
class clock: now, cpu, method = 0.0, 0.0, None
def look():
    if clock.method:
        with open(FILE, "a") as notes:
            print(clock.method, file=notes)
    return clock.now
def start(self, start=BaseProcess.start):
    self.born = clock.now
    self.share = SHARE
    start(self)
    clock.now += 1000
def run(self, run=BaseProcess.run):
    clock.method = self._start_method
    clock.now = self.born + COST.get(clock.method, 0)
    clock.cpu = self.share * COST.get(clock.method, 0)
    run(self)
def send(self, *data, send=multiprocessing.connection._ConnectionBase.send):
    send(self, *data)
    clock.now += 1000
def sleep(seconds, sleep=time.sleep):
    clock.now += 1000
    sleep(seconds)
time.perf_counter, time.process_time, time.sleep = look, lambda: clock.cpu, sleep
BaseProcess.start, BaseProcess.run = start, run
multiprocessing.connection._ConnectionBase.send = send
"""

# Мир наоборот: зомби виден только после join(); кто не дремлет, кончается с кодом 7.
INVERTED = """
import os, sys, time
from multiprocessing.process import BaseProcess
joined = set()
def join(self, timeout=None, join=BaseProcess.join):
    join(self, timeout)
    joined.add(self.pid)
def waitid(kind, pid, options):
    if pid not in joined:
        raise ChildProcessError
def sleep(seconds, sleep=time.sleep):
    if seconds == 0:
        sys.exit(7)
    sleep(seconds)
BaseProcess.join, os.waitid, time.sleep = join, waitid, sleep
"""

# Чего нет в Windows и macOS.
POORER = """
import multiprocessing, os
for name in {"sched_getaffinity", "waitid", "sysconf", "sysconf_names"} & {*dir(os)}:
    delattr(os, name)
multiprocessing.set_start_method("spawn", force=True)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""


def rows(text: str, word: str) -> dict[str, list[str]]:
    """Таблица, в заголовке которой есть слово: имя строки — её ячейки."""
    found = text.splitlines()
    head = next(place for place, line in enumerate(found) if word in line)
    names = "fork|forkserver|spawn|spawn, убит|родитель"
    table = [re.match(rf"({names})(?!,) +(.*)$", line) for line in found[head + 1 :]]
    return {row[1]: re.split(r" +", row[2]) for row in takewhile(bool, table) if row}


def family(text: str) -> dict[str, list[str]]:
    """Кто есть кто: имя — pid, pid родителя, чей, setting, что с лямбдой."""
    return {
        name: [*cells[:2], *re.findall(r"\((.*)\) +(\S+) +(.*)", " ".join(cells))[0]]
        for name, cells in rows(text, "setting").items()
        if name != "родитель"
    }


def deaths(text: str) -> dict[str, list[str]]:
    """Как кончились: имя — код возврата, что осталось до join() и после."""
    known = r"(-?\d+) +(зомби|ничего|не узнать) +(зомби|ничего|не узнать)$"
    return {
        name: list(re.findall(known, " ".join(cells))[0])
        for name, cells in rows(text, "join()").items()
    }


def named(text: str, word: str) -> list[str]:
    """Какие способы названы в выводе с этим словом."""
    return re.findall("|".join(rf"\b{m}\b" for m in METHODS), conclusion(text, word))


def rounds(*times: tuple[float, float], busy: float = 1.0) -> list[dict]:
    """Круги, в которых fork и spawn запускались столько мс, а ядро работало долю busy."""
    start = load(1).Start
    return [{"fork": start(f, f), "spawn": start(s, busy * s)} for f, s in times]


def facts(**new: object):
    """Факты, как если бы программа узнала их на какой-то машине; new — что в них другое."""
    one = load(1)
    own = one.Person("родитель", 100, 99, "новое", "")
    born = [
        one.Person("fork", 101, 100, "новое", "принята, код 0"),
        one.Person("spawn", 102, 100, "старое", "отказ, PicklingError: нельзя"),
    ]
    ended = [
        one.Death("fork", False, 0, "зомби", "ничего"),
        one.Death("spawn", False, 0, "зомби", "ничего"),
        one.Death("spawn", True, -9, "зомби", "ничего"),
    ]
    return one.Facts(own, born, ended, rounds((2, 40)), "без предела")._replace(**new)


def told(found) -> str:
    """Что программа скажет об этих фактах."""
    return "\n".join([*load(1).family(found.parent, found.children), "", *load(1).report(found)])


@cache
def watched(limit: int) -> tuple[str, dict[str, str]]:
    """Вывод при пределе на процессы и то, что видно изнутри каждого процесса: pid — родитель."""
    notes = new_file("notes")
    startup = NOTE_WHO_RUNS.format(file=str(notes))
    if limit:
        startup += f"import resource as r\nr.setrlimit(r.RLIMIT_NPROC, ({limit}, {hard_limit()}))"
    text = changed(1, startup=startup)
    return text, dict(line.split() for line in notes.read_text().splitlines())


def hard_limit() -> int:
    """Выше этого предела на число процессов не подняться; -1 — его нет."""
    from resource import RLIMIT_NPROC, getrlimit

    return getrlimit(RLIMIT_NPROC)[1]


def some_limit() -> int:
    """Предел, какого сам никто не поставит; 0 — здесь его не поставить."""
    if os.name != "posix":
        return 0
    return 43_210 if hard_limit() < 0 else min(43_210, hard_limit())


def test_P1_each_process_has_its_own_pid_and_its_parent() -> None:
    """pid и родитель в таблице — те, какие видны изнутри самих процессов."""
    text, noted = watched(some_limit())
    own, starter, *_ = rows(text, "setting")["родитель"]
    assert noted[own] == starter
    assert [*family(text)] == METHODS
    for method, (pid, parent, whose, *_) in family(text).items():
        assert pid != own and noted[pid] == parent
        assert (whose == "мы") is (parent == own) is (method != "forkserver")
    pids = {own, *(pid for pid, *_ in family(text).values())}
    assert said(conclusion(text, "свой pid")) == [len(pids)] == [1 + len(METHODS)]


def test_P1_shared_pid_is_not_called_own() -> None:
    """Если pid совпали, вывод говорит, сколько их на самом деле."""
    twin = facts().children[0]
    text = told(facts(children=[twin, twin]))
    assert not [line for line in conclusions(text) if "свой pid" in line]
    assert said(conclusion(text, " pid ")) == [3, 2]


def test_P2_only_child_of_fork_sees_what_the_parent_changed() -> None:
    """fork — копия родителя, каков он сейчас; остальным достаётся то, что в файле."""
    seen = {method: cells[3] for method, cells in family(output(1)).items()}
    own = rows(output(1), "setting")["родитель"][2]
    for method in METHODS:
        assert (seen[method] == own) is (method == "fork"), seen
    assert named(output(1), "setting") == [m for m in METHODS if m == "fork"]


def test_P2_R3_told_is_what_the_children_did_and_not_what_the_lesson_teaches() -> None:
    """В файле другое слово и не лямбда: все видят новое значение, и все приняли задание."""
    word = ('setting = "исходное"', 'setting = "чужое"'), ('setting = "изменено"', "pass")
    text = changed(1, *word, ("job = lambda: None", "job = os.getpid"))
    assert rows(text, "setting")["родитель"][2] == "чужое"
    assert {cells[3] for cells in family(text).values()} == {"чужое"}
    assert {cells[4] for cells in family(text).values()} == {"принята, код 0"}
    assert named(text, "setting") == named(text, "лямбду") == METHODS


def test_P2_R3_conclusions_follow_the_facts() -> None:
    """Вывод называет тех детей, которые увидели и приняли, кто бы это ни был."""
    fork, spawn = facts().children
    swapped = [fork._replace(setting="старое"), spawn._replace(setting="новое")]
    assert named(told(facts(children=swapped)), "setting") == ["spawn"]
    refused = [fork._replace(answer="отказ, AttributeError: нет"), spawn]
    assert named(told(facts(children=refused)), "лямбду") == []
    assert "AttributeError" in told(facts(children=[refused[0]]))


def test_R3_lambda_is_accepted_by_fork_only_and_refusal_is_shown() -> None:
    """У лямбды нет имени, по которому новый Python её нашёл бы: pickle отказывает."""
    with pytest.raises((AttributeError, pickle.PicklingError)) as error:
        pickle.dumps(lambda: None)
    refused = f"отказ, {error.typename}"
    for method, (*_, answer) in family(output(1)).items():
        assert answer == ("принята, код 0" if method == "fork" else refused)
    assert named(output(1), "лямбду") == [m for m in METHODS if m == "fork"]
    assert re.search(r"(?m)^отказ, \w+Error: Can't \w+ local object", output(1))


def test_M1_time_is_from_start_to_first_line_and_the_order_is_turned_round() -> None:
    """Часы двигает сам запуск: в таблице ровно его миллисекунды; круги чередуются."""
    notes = new_file("notes")
    text = changed(1, startup=f"FILE, SHARE = {str(notes)!r}, 1\n{CLOCK}")
    cost = {"fork": 2.0, "forkserver": 5.0, "spawn": 50.0}
    for method, cells in rows(text, "join()").items():
        if method in METHODS:
            assert said(cells[0]) == [cost[method]]
    order = notes.read_text().split()
    found = [order[n : n + len(METHODS)] for n in range(0, len(order), len(METHODS))]
    assert len(found) >= 5 and found[0] == METHODS
    for before, after in pairwise(found):
        assert after == before[::-1], "порядок способов не повёрнут"
    if len(METHODS) > 1:
        ratio = cost["spawn"] / cost["fork"]
        assert said(" ".join(rows(text, "join()")["spawn"]))[1] == ratio
        assert said(conclusion(text, "дольше")) == [ratio, len(found), len(found)]


@posix
def test_M1_rounds_in_which_the_core_was_taken_away_do_not_count() -> None:
    """Ядро работало 0,45 времени запуска: судить нельзя, а время сосчитано не дважды."""
    notes = new_file("notes")
    text = changed(1, startup=f"FILE, SHARE = {str(notes)!r}, 0.45\n{CLOCK}")
    assert "судить нельзя" in conclusion(text, "запуск")
    assert not [line for line in conclusions(text) if "дольше" in line]
    spoiled = rounds((2, 400), (2, 500), busy=0.2)
    text = told(facts(rounds=[*spoiled, *rounds((2, 40), (2, 40))]))
    assert said(conclusion(text, "дольше")) == [20, 2, 2]
    text = told(facts(rounds=[*spoiled, *rounds((2, 40))]))
    assert "судить нельзя" in conclusion(text, "запуск")


def test_M1_conclusion_is_the_median_of_the_rounds_own_ratios() -> None:
    """Частное медиан, лучших, худших или средних дало бы другое число."""
    found = rounds((2, 20), (1, 30), (4, 80), (5, 50), (1, 90))  # в 10, 30, 20, 10, 90 раз
    text = told(facts(rounds=found))
    assert said(conclusion(text, "дольше")) == [20, 5, 5]
    assert said(rows(text, "join()")["fork"][0]) == [2]
    assert said(" ".join(rows(text, "join()")["spawn"]))[:4] == [50, 20, 10, 90]


def test_M1_nothing_is_said_when_the_rounds_disagree() -> None:
    """На занятой машине один удачный круг — ещё не доказательство."""
    bad, fine = (50, 40), (2, 40)
    text = told(facts(rounds=rounds(bad, bad, bad, fine, fine, fine)))
    assert "судить нельзя" in conclusion(text, "запуск")
    assert not [line for line in conclusions(text) if "дольше" in line]
    text = told(facts(rounds=rounds(bad, fine, fine, fine, fine, fine)))
    assert said(conclusion(text, "дольше")) == [20, 5, 6]


def test_M1_starting_a_new_python_is_dearest() -> None:
    """Так на самом деле; если машина занята, программа сама говорит, что судить нельзя."""
    if len(METHODS) == 1:
        pytest.skip("способ запуска здесь один")
    if "судить нельзя" in output(1):
        pytest.skip("машина занята: программа сама сказала, что судить нельзя")
    slowest, fastest = named(output(1), "дольше")
    ratio, held, of = said(conclusion(output(1), "дольше"))
    assert (slowest, fastest) == ("spawn", "fork")
    assert ratio > 1.1 and of >= held >= 0.75 * of
    median, least, most = said(" ".join(rows(output(1), "join()")["spawn"]))[1:4]
    assert least <= median == ratio <= most


@zombies_known
def test_R2_ended_child_is_a_zombie_until_its_parent_joins_it() -> None:
    """Детей forkserver убирает сервер: у нас от них не остаётся ничего."""
    found = deaths(output(1))
    assert [*found] == [*METHODS, "spawn, убит"]
    for name, (code, before, after) in found.items():
        assert code == ("-9" if "убит" in name else "0")
        assert before == ("ничего" if name == "forkserver" else "зомби")
        assert after == "ничего"
    assert named(output(1), "зомби") == [m for m in METHODS if m != "forkserver"]


@zombies_known
def test_R2_program_looks_before_and_after_join_and_asks_the_exit_code() -> None:
    """Мир наоборот: зомби появляется после join(), ребёнок кончается с кодом 7."""
    text = changed(1, startup=INVERTED)
    for name, cells in deaths(text).items():
        assert cells == ["-9" if "убит" in name else "7", "ничего", "зомби"]
    before, after = conclusion(text, "зомби").split("после")
    assert "никто" in before
    assert re.findall(r"\w+", after) == METHODS


def test_R2_conclusion_follows_the_facts() -> None:
    """Кто остался зомби, видно из фактов; где о зомби не узнать, так и сказано."""
    killed = facts().deaths[-1]
    kept = [killed._replace(method="spawn", killed=False, after="зомби")]
    assert named(told(facts(deaths=kept)), "зомби") == ["spawn", "spawn"]
    unknown = [death._replace(before="не узнать") for death in facts().deaths]
    assert "не узнать" in conclusion(told(facts(deaths=unknown)), "зомби")


@posix
def test_M3_limit_on_processes_is_the_one_in_force() -> None:
    """Предел, поставленный снаружи, и есть тот, что напечатан."""
    (line,) = re.findall(r"(?m)^процессов разрешено пользователю: (.*)$", watched(some_limit())[0])
    assert line == str(some_limit())


def test_P2_M1_M3_R2_where_windows_and_macos_lack_something_it_is_said() -> None:
    """Способ один, waitid и sysconf нет: программа говорит, что может, и не больше."""
    text = changed(1, startup=POORER)
    assert [*family(text)] == ["spawn"] and said(conclusion(text, "свой pid")) == [2]
    assert {tuple(cells[1:]) for cells in deaths(text).values()} == {("не узнать", "не узнать")}
    assert "не узнать" in conclusion(text, "зомби")
    assert "не сообщает" in text
    assert not [line for line in conclusions(text) if "дольше" in line]
    assert "никто" in conclusion(text, "setting") and "никто" in conclusion(text, "лямбду")


@windows
def test_P2_R2_R3_on_windows_there_is_spawn_only_and_no_zombies() -> None:
    """Только spawn, зомби нет, а убитый кончается с кодом TerminateProcess: -15."""
    assert [*family(output(1))] == ["spawn"]
    assert deaths(output(1)) == {
        "spawn": ["0", "не узнать", "не узнать"],
        "spawn, убит": ["-15", "не узнать", "не узнать"],
    }
    assert "никто" in conclusion(output(1), "лямбду")


def test_P1_M1_lines_fit_the_screen() -> None:
    """Длинные pid, долгие запуски и длинный отказ не шире 80 столбцов."""
    refusal = "отказ, PicklingError: " + "очень длинное объяснение " * 5
    child = load(1).Person("forkserver", 4_194_304, 4_194_303, "исходное", refusal)
    fork = facts().children[0]._replace(pid=4_194_302)
    death = load(1).Death("forkserver", False, 0, "не узнать", "не узнать")
    start = load(1).Start
    found = [
        {"forkserver": start(1234.5, 1234.5), "fork": start(2222.2, 2222.2)},
        {"forkserver": start(12.3, 12.3), "fork": start(1.5, 1.5)},
    ]
    text = told(facts(children=[fork, child], deaths=[death], rounds=found, limit="4194304"))
    assert max(map(len, text.splitlines())) <= 80
