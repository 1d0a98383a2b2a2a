"""Утверждения раздела «Разделяемая память»: P4, M2, P5, R1, M5."""
# ruff: noqa: F403, F405

import multiprocessing
import re
from pathlib import Path

import pytest
from conftest import *

METHODS = sorted(multiprocessing.get_all_start_methods())
BEFORE, AFTER = "[1, 2] {'x': 1} 7", "[1, 2, 3] {'x': 1, 'y': 2} 8"
SMALL = ("MEGABYTES = 32", "MEGABYTES = 1")


def table(text: str) -> dict[str, list[str]]:
    """Кто — pid, что было, что стало."""
    pattern = r"^(ребёнок, \w+|родитель) +(\d+) +(\[.*\] \{.*\} \d+) +(\[.*\] \{.*\} \d+)$"
    return {who: rest for who, *rest in re.findall(pattern, text, re.MULTILINE)}


def test_P4_M2_child_changes_its_memory_and_the_parent_sees_nothing() -> None:
    rows = table(output(2))
    assert len(rows) == len(METHODS) + 1 == len({pid for pid, *_ in rows.values()})
    for method in METHODS:
        assert rows[f"ребёнок, {method}"][1:] == [BEFORE, AFTER]
    assert rows["родитель"][1:] == [BEFORE, BEFORE]
    assert "прежнее" in conclusion(output(2), "у родителя")


def test_P4_M2_pids_are_those_that_the_system_gave() -> None:
    text, noted = watched(2, SMALL)
    rows = {who: pid for who, (pid, *_) in table(text).items()}
    assert rows.pop("родитель") == noted[0][0]
    children = {pid for pid, *_ in noted} - {noted[0][0]}
    assert len(set(rows.values())) == len(METHODS) and set(rows.values()) <= children


def test_P4_M2_if_threads_replace_processes_the_parent_does_see_the_change() -> None:
    thread = (
        "receiver, sender = get_context().Pipe(duplex=False); "
        "process = Thread(target=change, args=(sender,)); process.start()"
    )
    text = changed(2, SMALL, ("process, receiver = start(change, method=method)", thread))
    _, before, after = table(text)["родитель"]
    threes = ", 3" * len(METHODS)
    assert before == BEFORE
    assert after == f"[1, 2{threes}] {{'x': 1, 'y': 2}} {7 + len(METHODS)}"
    assert "прежнее" not in conclusion(text, "у родителя")


def test_P4_P5_tables_show_what_the_children_really_did() -> None:
    text = changed(
        2,
        SMALL,
        ("numbers.append(3)", "numbers.append(33)"),
        ("value.value = counter + 1", "value.value = counter"),
        ("block.buf[0] = counter + 1", "block.buf[0] = counter + 6"),
        ("[*numbers, 3]", "[*numbers, 34]"),
        ('{**letters, "y": 2}', '{**letters, "z": 5}'),
    )
    for method in METHODS:
        assert "[1, 2, 33]" in table(text)[f"ребёнок, {method}"][2]
    seen = {name: lines(text, f"{name} ")[0].split() for name in ("Value", "shared_memory")}
    assert seen == {"Value": ["7", "7"], "shared_memory": ["7", "13"]}
    assert lines(text, "Queue ")[0].endswith(" [1, 2, 34]")
    assert lines(text, "Pipe ")[0].endswith(" {'x': 1, 'z': 5}")
    assert conclusion(text, "через Pipe").endswith(" через Pipe, Queue, shared_memory.")


def test_P5_every_mechanism_makes_the_change_visible() -> None:
    changes = {"Queue": "[1, 2] [1, 2, 3]", "Pipe": "{'x': 1} {'x': 1, 'y': 2}"}
    for mechanism, change in (changes | {"Value": "7 8", "shared_memory": "7 8"}).items():
        (line,) = lines(output(2), f"{mechanism} ")
        assert line.split() == change.split()
        assert mechanism in conclusion(output(2), "изменения доходят")


def times(text: str, way: str) -> list[float]:
    """Мс по кругам для способа передачи."""
    (line,) = (line for line in text.splitlines() if f"МБ через {way}, мс" in line)
    return said(line)[1:]


SLOW = """
import time
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
class Slow:
    def __init__(self, buf): self.buf = buf
    def __getitem__(self, place): return self.buf[place]
    def __setitem__(self, place, data):
        time.sleep(0.1 if isinstance(place, slice) else 0)
        self.buf[place] = data
def dumps(obj, protocol=None, dumps=ForkingPickler.dumps):
    packed = dumps(obj, protocol)
    time.sleep(0.2 if len(packed) >= 1_000_000 else 0)
    return packed
ForkingPickler.dumps = dumps
SharedMemory.buf = property(lambda self: Slow(self._buf))
"""


def test_R1_time_includes_packing_for_the_queue_and_filling_of_the_block() -> None:
    text = changed(2, SMALL, startup=SLOW)
    assert min(times(text, "очередь")) >= 200
    assert min(times(text, "общую память")) >= 100


def test_R1_times_are_those_of_the_clock_without_naps_and_best_is_compared_with_best() -> None:
    done = run(copy(2, SMALL), startup=LEAPING_CLOCKS + TELL_OF_NAPS)
    assert done.stderr.split() == ["дремота", "0.1"]  # перед тем как убить ребёнка, и только
    text = done.stdout
    assert times(text, "очередь") == [1e6, 7e6, 13e6]
    assert times(text, "общую память") == [3e6, 9e6, 15e6]
    assert said(conclusion(text, "дольше")) == [0.3]


def test_R1_large_data_by_queue_is_dearer_than_by_shared_memory() -> None:
    def dearer(text: str) -> bool:
        by_queue, by_block = min(times(text, "очередь")), min(times(text, "общую память"))
        assert is_ratio(said(conclusion(text, "дольше"))[0], by_queue, by_block, half=0.5)
        return by_queue > by_block

    some(dearer, tries(2))


def test_R1_small_data_takes_little_time() -> None:
    some(lambda text: min(times(text, "очередь")) < 25, attempts(2, SMALL))


def test_M5_what_the_killed_was_sending_arrives_damaged() -> None:
    line = conclusion(output(2), "от убитого")
    assert said(line) == [3]
    assert re.search(r"\b(OSError|EOFError|\w+Error)\b", line)
    line = conclusion(changed(2, SMALL, ("received == 3", "received == 5")), "от убитого")
    assert said(line) == [5]


@posix
def test_M5_error_is_the_one_that_the_reader_got() -> None:
    assert "OSError" in conclusion(output(2), "от убитого")  # обрыв посреди сообщения
    text = changed(
        2, SMALL, ("    while True:\n        sender", "    for _ in 1, 2:\n        sender")
    )
    line = conclusion(text, "от убитого")  # умер между сообщениями
    assert "EOFError" in line and said(line) == [2]


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="блоки видны только в /dev/shm")
def test_no_block_of_shared_memory_is_left_behind() -> None:
    before = set(Path("/dev/shm").glob("psm_*"))
    done = run(2, PYTHONWARNINGS="default")  # о забытом блоке предупредит уборщик
    assert (done.stderr, len(conclusions(done.stdout))) == ("", 4)
    assert set(Path("/dev/shm").glob("psm_*")) <= before
