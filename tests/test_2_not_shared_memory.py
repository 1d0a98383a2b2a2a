"""Утверждения раздела «Разделяемая память»: P4, M2, P5, R1, M5."""

import multiprocessing
import re
from itertools import pairwise
from typing import Any

import pytest
from conftest import (
    changed,
    conclusion,
    conclusions,
    copy,
    lines,
    load,
    new_file,
    output,
    posix,
    run,
    said,
    windows,
)

METHODS = sorted(multiprocessing.get_all_start_methods())
SMALL = ("MEGABYTES = 32", "MEGABYTES = 1")
MECHANISMS = ["Queue", "Pipe", "Value", "shared_memory"]

# Код, который каждый процесс программы выполнит первым: опыты с известным исходом.
NOTE_WHO_RUNS = """
import os
def note(file={file!r}):
    with open(file, "a") as notes:
        print(os.getpid(), file=notes)
note()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=note)
"""

# «Ребёнок» каждого способа выполняется в самом родителе: память у них общая.
NO_CHILDREN = """
from multiprocessing import context
for name in ("ForkProcess", "SpawnProcess", "ForkServerProcess"):
    if hasattr(context, name):
        kind = getattr(context, name)
        kind.start = kind.run
        kind.join = lambda self, timeout=None: None
        kind.exitcode = 0
"""

# Ребёнок отправляет не то, что изменил, а до общей памяти не дотягивается.
UNFAITHFUL = """
from multiprocessing import connection, parent_process, queues
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.sharedctypes import Synchronized
def put(self, data, *other, put=queues.Queue.put):
    put(self, [99] if parent_process() else data, *other)
def send(self, data, send=connection._ConnectionBase.send):
    send(self, {"q": 0} if isinstance(data, dict) else data)
def change(self, new, change=Synchronized.value.fset):
    if not parent_process():
        change(self, new)
def look(self):
    return bytearray(self.size) if parent_process() else self._buf
queues.Queue.put, connection._ConnectionBase.send = put, send
Synchronized.value = property(Synchronized.value.fget, change)
SharedMemory.buf = property(look)
"""

# Вместо сообщений по мегабайту ребёнок одним махом пишет в канал то, что скажет опыт.
IN_ONE_GO = """
import os
from multiprocessing.connection import Connection
def send_bytes(self, data, whole=[], send_bytes=Connection.send_bytes):
    if len(data) != 1_000_000:
        return send_bytes(self, data)
    whole.append(b"\\0\\0\\0\\1!")  # целое сообщение: его длина и один байт
    if len(whole) == {whole}:
        os.write(self.fileno(), b"".join(whole) + {rest!r})
Connection.send_bytes = send_bytes
"""
TORN = IN_ONE_GO.format(whole=5, rest=b"\0\0\0\x09torn")
WHOLE = IN_ONE_GO.format(whole=10, rest=b"")

# Часы, которые двигает сама передача: упаковка в круге k длится 0,1·k с, заполнение блока —
# 0,1 с, дремота — сколько просили. Что, в каком порядке и сколько байтов передано, записано.
CLOCK = """
import time
from multiprocessing import parent_process, reduction
from multiprocessing.shared_memory import SharedMemory
class clock: now = 0.0
def passed(seconds, way, data):
    clock.now += seconds
    with open(FILE, "a") as notes:
        print(way, len(data), file=notes)
def dumps(data, protocol=None, dumps=reduction.ForkingPickler.dumps):
    if isinstance(data, bytes):
        passed(0.1 * data[-1] or 1000, "очередь", data)
    return dumps(data, protocol)
class Filled:
    def __init__(self, buf): self.buf = buf
    def __getitem__(self, place): return self.buf[place]
    def __setitem__(self, place, data):
        self.buf[place] = data
        if isinstance(place, slice):
            passed(0.1 * (data[-1] > 0) or 1000, "блок", data)
def sleep(seconds): clock.now += seconds
if not parent_process():
    time.perf_counter, time.sleep = lambda: clock.now, sleep
    reduction.ForkingPickler.dumps = dumps
    SharedMemory.buf = property(lambda self: Filled(self._buf))
"""

# Блок длиннее, чем просили: целые страницы по 16 КиБ, у всех (как в macOS) или только у того,
# кто нашёл его по имени (как в Windows).
PAGES = """
from multiprocessing.shared_memory import SharedMemory
def init(self, name=None, create=False, size=0, init=SharedMemory.__init__):
    init(self, name, create, -(-size // 16384) * 16384)
    assert self.size % 16384 == 0
    if create and {exact}:
        self._size, self._buf = size, self._buf[:size]
SharedMemory.__init__ = init
"""

# Ребёнок умирает: забирая данные из очереди или запирая замок у Value.
DIES_AT_GET = """
import os
from multiprocessing import parent_process, queues
def get(self, block=True, timeout=None, get=queues.Queue.get):
    return os._exit(9) if parent_process() else get(self, block, timeout)
queues.Queue.get = get
"""
DIES_AT_LOCK = """
import os
from multiprocessing.sharedctypes import SynchronizedBase
SynchronizedBase.get_lock = lambda self: os._exit(5)
"""


def memories(text: str) -> dict[str, list[str]]:
    """Чья память — pid, что было, что стало; родитель последним."""
    pattern = r"(?m)^(ребёнок, \w+|родитель) +(\d+) +(\[.*?\] \{.*?\} \d+) +(\[.*\] \{.*\} \d+)$"
    rows = re.findall(pattern, text)
    assert [name for name, *_ in rows] == [*(f"ребёнок, {m}" for m in METHODS), "родитель"]
    return {name: cells for name, *cells in rows}


def exchanged(text: str) -> dict[str, str]:
    """Механизм обмена — что у родителя и что он получил."""
    return {name: " ".join(lines(text, f"{name} ")[0].split()) for name in MECHANISMS}


def delivered(text: str, way: str) -> list[float]:
    """Числа строки о передаче: мс и края, (ратио и края), сколько верных и из скольких."""
    (line,) = lines(text, f"{way} ")
    return said(line)


def facts(**new: Any):
    """Факты, как если бы программа узнала их на какой-то машине; new — что в них другое."""
    two = load(2)
    child = two.Memory("fork", 101, "[1]", "[1, 3]")
    parent = two.Memory("родитель", 100, "[1]", "[1]")
    seen = [two.Exchange("Queue", "[1]", "[1, 3]"), two.Exchange("Pipe", "7", "8")]
    fine = two.Broken(3, 10, "OSError")
    return two.Facts([child, child], parent, seen, fine, 32, rounds([80, 8]))._replace(**new)


def rounds(*times: list[float], right: bool = True) -> list[dict]:
    """Круги, в которых передача очередью и через общую память заняла столько мс."""
    two = load(2)
    return [
        {"очередь": two.Delivery(queue, True), "общая память": two.Delivery(block, right)}
        for queue, block in times
    ]


def told(**new: Any) -> str:
    """Что программа скажет об этих фактах."""
    return "\n".join(load(2).report(facts(**new)))


def test_P4_M2_child_changes_its_memory_and_the_parent_sees_nothing() -> None:
    """У каждого ребёнка свой настоящий pid, своё изменение; у родителя всё как было."""
    notes = new_file("notes")
    text = changed(2, SMALL, startup=NOTE_WHO_RUNS.format(file=str(notes)))
    noted = notes.read_text().split()
    *children, (own, *parents) = memories(text).values()
    before, after = "[1, 2] {'x': 1} 7", "[1, 2, 3] {'x': 1, 'y': 2} 8"
    assert own == noted[0] and parents == [before, before]
    assert all(cells == [before, after] for _, *cells in children)
    pids = {pid for pid, *_ in children}
    assert len(pids) == len(METHODS) and pids <= {*noted} - {own}
    line = conclusion(text, "родител")
    assert "прежнее" in line and said(line) == [len(METHODS), len(METHODS)]


def test_P4_M2_if_memory_were_shared_the_parent_would_see_the_change() -> None:
    """Дети выполнены в самом родителе: в его строке видны все изменения, и вывод не «прежнее»."""
    text = changed(2, SMALL, startup=NO_CHILDREN)
    _, before, after = memories(text)["родитель"]
    threes = ", 3" * len(METHODS)
    assert before == "[1, 2] {'x': 1} 7"
    assert after == f"[1, 2{threes}] {{'x': 1, 'y': 2}} {7 + len(METHODS)}"
    assert "прежнее" not in conclusion(text, "родител")


@posix
def test_P4_P5_M5_told_is_what_was_in_the_memory_and_in_the_pipe() -> None:
    """Другие значения в файле — другие в таблицах; дошли все сообщения — так и сказано."""
    others = ("numbers = [1, 2]", "numbers = [5]"), ("counter = 7", "counter = 40")
    text = changed(2, SMALL, *others, ('{"x": 1}', '{"z": 0}'), startup=WHOLE)
    *children, parent = memories(text).values()
    before = "[5] {'z': 0} 40"
    assert parent[1:] == [before, before]
    assert all(cells == [before, "[5, 3] {'z': 0, 'y': 2} 41"] for _, *cells in children)
    assert exchanged(text) == {
        "Queue": "[5] [5, 3]",
        "Pipe": "{'z': 0} {'z': 0, 'y': 2}",
        "Value": "40 41",
        "shared_memory": "40 41",
    }
    assert said(conclusion(text, "убитого")) == [10, 10]
    assert "EOFError" in conclusion(text, "убитого")


def test_P4_P5_conclusions_follow_the_facts() -> None:
    """Вывод считает тех, кто изменил, и называет то, что дошло."""
    child, lazy = load(2).Memory("a", 1, "x", "y"), load(2).Memory("b", 2, "x", "x")
    assert said(conclusion(told(children=[child, lazy, child]), "родител")) == [3, 2]
    text = told(parent=load(2).Memory("родитель", 100, "x", "y"))
    assert "прежнее" not in conclusion(text, "родител")
    lost = [load(2).Exchange("Queue", "7", "7"), load(2).Exchange("Value", "7", "8")]
    line = conclusion(told(exchanges=lost), "доходят")
    assert "Value" in line and "Queue" not in line


def test_P5_every_mechanism_makes_the_change_visible() -> None:
    """Queue, Pipe, Value и shared_memory: родитель получает то, что изменил ребёнок."""
    assert exchanged(output(2)) == {
        "Queue": "[1, 2] [1, 2, 3]",
        "Pipe": "{'x': 1} {'x': 1, 'y': 2}",
        "Value": "7 8",
        "shared_memory": "7 8",
    }
    assert re.findall(r"\w+", conclusion(output(2), "доходят"))[-4:] == MECHANISMS


def test_P5_R1_what_did_not_arrive_is_not_called_arrived() -> None:
    """Ребёнок прислал другое и не дотянулся до общей памяти: так и напечатано, и это не верно."""
    text = changed(2, SMALL, startup=UNFAITHFUL)
    assert exchanged(text) == {
        "Queue": "[1, 2] [99]",
        "Pipe": "{'x': 1} {'q': 0}",
        "Value": "7 7",
        "shared_memory": "7 7",
    }
    assert re.findall(r"\w+", conclusion(text, "доходят"))[-2:] == ["Queue", "Pipe"]
    assert delivered(text, "очередь")[-2] == delivered(text, "очередь")[-1] > 0
    assert delivered(text, "общая память")[-2] == 0


def test_M5_the_killed_never_sends_all() -> None:
    """Убит посреди отправки: дошло не всё, и читатель получил ошибку, а не ждёт вечно."""
    line = conclusion(output(2), "убитого")
    of, whole = said(line)
    assert 3 <= whole < of and re.search(r"\b(OSError|EOFError)\b", line)


@posix
def test_M5_what_the_killed_was_sending_arrives_damaged() -> None:
    """Пять сообщений целы, шестое оборвано: сосчитаны пять, а на шестом OSError."""
    line = conclusion(changed(2, SMALL, startup=TORN), "убитого")
    assert said(line) == [10, 5] and "OSError" in line


@windows
def test_P4_M5_on_windows_there_is_spawn_only_and_the_end_of_the_pipe() -> None:
    """Только spawn; убитый обрывает канал, и читатель получает EOFError."""
    assert [*memories(output(2))] == ["ребёнок, spawn", "родитель"]
    assert "EOFError" in conclusion(output(2), "убитого")


def test_R1_time_is_that_of_handing_over_and_the_order_is_turned_round() -> None:
    """Часы двигает сама передача: в таблице ровно её время, все байты, медиана кругов в счёт."""
    notes = new_file("notes")
    text = changed(2, SMALL, startup=f"FILE = {str(notes)!r}\n{CLOCK}")
    assert "1 МБ" in conclusion(text, "дольше")
    assert delivered(text, "очередь") == [450, 100, 800, 4.5, 1, 8, 8, 8]
    assert delivered(text, "общая память") == [100, 100, 100, 8, 8]
    assert said(conclusion(text, "дольше")) == [1, 4.5, 7, 8]
    events = notes.read_text().splitlines()
    assert {event.split()[1] for event in events} == {"1000000"}
    ways = [event.split()[0] for event in events]
    pairs = [ways[n : n + 2] for n in range(0, len(ways), 2)]
    assert len(pairs) == 9, "восемь кругов и ещё один не в счёт"
    for before, after in pairwise(pairs):
        assert after == before[::-1], "порядок способов не повёрнут"


def test_R1_conclusion_is_the_median_of_the_rounds_own_ratios() -> None:
    """Частное медиан, лучших, худших или средних дало бы другое число."""
    found = rounds([80, 8], [60, 2], [400, 20], [70, 7], [90, 1])
    text = told(rounds=found)
    assert said(conclusion(text, "дольше")) == [32, 20, 5, 5]
    assert delivered(text, "очередь") == [80, 60, 400, 20, 10, 90, 5, 5]
    assert delivered(text, "общая память") == [7, 1, 20, 5, 5]


def test_R1_nothing_is_said_when_the_rounds_disagree() -> None:
    """На занятой машине один удачный круг — ещё не доказательство."""
    text = told(rounds=rounds([80, 90], [80, 90], [80, 90], [80, 2], [80, 2], [80, 2]))
    assert not [line for line in conclusions(text) if "дольше" in line]
    assert "судить нельзя" in conclusion(text, "очеред")
    text = told(rounds=rounds([80, 90], [80, 8], [80, 8], [80, 8], [80, 8], [80, 8]))
    assert said(conclusion(text, "дольше")) == [32, 10, 5, 6]
    wrong = delivered(told(rounds=rounds([80, 8], [80, 8], right=False)), "общая память")
    assert wrong[-2:] == [0, 2]


def test_R1_large_data_by_queue_is_dearer_than_by_shared_memory() -> None:
    """Так на самом деле; если машина занята, программа сама говорит, что судить нельзя."""
    if "судить нельзя" in output(2):
        pytest.skip("машина занята: программа сама сказала, что судить нельзя")
    megabytes, ratio, held, of = said(conclusion(output(2), "дольше"))
    assert megabytes == 32 and ratio > 1.1 and of >= held >= 0.75 * of
    *_, median, least, most, right, whole = delivered(output(2), "очередь")
    assert least <= median == ratio <= most and right == whole == of
    assert delivered(output(2), "общая память")[-2:] == [of, of]


@pytest.mark.parametrize("exact", [False, True], ids=["как в macOS", "как в Windows"])
def test_P5_R1_block_may_be_longer_than_was_asked_for(exact: bool) -> None:
    """Блок занимает целые страницы памяти: последний байт данных — не последний байт блока."""
    text = changed(2, SMALL, startup=PAGES.format(exact=exact))
    assert exchanged(text)["shared_memory"] == "7 8"
    for way in ("очередь", "общая память"):
        right, of = delivered(text, way)[-2:]
        assert right == of > 0, way


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("startup", "error"), [(DIES_AT_GET, "EOFError"), (DIES_AT_LOCK, "ChildProcessError")]
)
def test_P5_R1_death_of_a_child_is_an_error_and_nobody_waits_for_ever(
    startup: str, error: str
) -> None:
    """Ребёнок умер, не взяв данных: ошибка Python целиком, код 1, и программа не висит."""
    done = run(copy(2), startup=startup)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and error in done.stderr.splitlines()[-1]


def test_P4_R1_lines_fit_the_screen() -> None:
    """Длинные pid и долгая передача не шире 80 столбцов."""
    slow = rounds([9999, 500], [2500, 80])
    before, after = "[1, 2] {'x': 1} 7", "[1, 2, 3] {'x': 1, 'y': 2} 8"
    child = load(2).Memory("forkserver", 4_194_304, before, after)
    texts = [*load(2).memories([child], child), *load(2).report(facts(rounds=slow))]
    assert max(len(line) for text in texts for line in text.splitlines()) <= 80
