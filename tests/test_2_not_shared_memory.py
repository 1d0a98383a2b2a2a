"""Утверждения раздела «Разделяемая память»: P4, M2, P5, R1, M5."""

import multiprocessing
import os
import re

from conftest import *

METHODS = sorted(multiprocessing.get_all_start_methods())
BEFORE, AFTER = "[1, 2] {'x': 1} 7", "[1, 2, 3] {'x': 1, 'y': 2} 8"
SMALL = ("MEGABYTES = 32", "MEGABYTES = 1")


def memories(text: str) -> dict[str, list[str]]:
    """Чья память — pid, что было, что стало; родитель — последним."""
    pattern = r"(?m)^(ребёнок, \w+|родитель) +(\d+) +(\[.*\] \{.*\} \d+) +(\[.*\] \{.*\} \d+)$"
    rows = re.findall(pattern, text)
    assert "ребёнок, spawn" in text and rows[-1][0] == "родитель"
    return {who: cells for who, *cells in rows}


def exchanged(text: str) -> dict[str, str]:
    """Механизм обмена — что было и что увидел родитель."""
    names = ("Pipe", "Queue", "Value", "shared_memory")
    return {name: " ".join(lines(text, f"{name} ")[0].split()) for name in names}


def times(text: str, way: str) -> list[float]:
    """Мс по кругам для способа передачи."""
    (line,) = (line for line in text.splitlines() if f"МБ через {way}, мс" in line)
    return said(line)[1:]


def test_P4_M2_child_changes_its_memory_and_the_parent_sees_nothing() -> None:
    text, noted = watched(2, SMALL)
    *children, (own, *parents) = memories(text).values()
    assert own == noted[0][0] and parents == [BEFORE, BEFORE]
    assert all(cells == [BEFORE, AFTER] for _, *cells in children)
    pids = {pid for pid, *_ in children}
    assert len(pids) == len(METHODS) and pids <= {pid for pid, *_ in noted} - {own}
    assert "прежнее" in conclusion(text, "у родителя")


def test_P4_M2_if_threads_replace_processes_the_parent_does_see_the_change() -> None:
    thread = (
        "receiver, sender = get_context().Pipe(duplex=False); "
        "process = Thread(target=change, args=(sender,)); process.start()"
    )
    text = changed(2, SMALL, ("process, receiver = start(change, method=method)", thread))
    _, before, after = memories(text)["родитель"]
    threes = ", 3" * len(METHODS)
    assert before == BEFORE
    assert after == f"[1, 2{threes}] {{'x': 1, 'y': 2}} {7 + len(METHODS)}"
    assert "прежнее" not in conclusion(text, "у родителя")


def test_P5_every_mechanism_makes_the_change_visible() -> None:
    assert exchanged(output(2)) == {
        "Pipe": "{'x': 1} {'x': 1, 'y': 2}",
        "Queue": "[1, 2] [1, 2, 3]",
        "Value": "7 8",
        "shared_memory": "7 8",
    }
    assert "Pipe, Queue, Value, shared_memory" in conclusion(output(2), "изменения доходят")


def test_P4_P5_M5_output_tells_what_the_children_really_did() -> None:
    text = changed(
        2,
        SMALL,
        ("numbers.append(3)", "numbers.append(33)"),
        ("value.value = counter + 1", "value.value = counter"),
        ("block.buf[0] = counter + 1", "block.buf[0] = counter + 6"),
        ("[*numbers, 3]", "[*numbers, 34]"),
        ('{**letters, "y": 2}', '{**letters, "z": 5}'),
        ("    while True:\n        sender", "    for _ in 1, 2:\n        sender"),
    )
    *children, _ = memories(text).values()
    assert all("[1, 2, 33]" in after for *_, after in children)
    assert exchanged(text) == {
        "Pipe": "{'x': 1} {'x': 1, 'z': 5}",
        "Queue": "[1, 2] [1, 2, 34]",
        "Value": "7 7",
        "shared_memory": "7 13",
    }
    assert conclusion(text, "через Pipe").endswith(" через Pipe, Queue, shared_memory.")
    line = conclusion(text, "от убитого")  # на этот раз умер сам, между сообщениями
    assert "EOFError" in line and said(line) == [2]


def test_M5_what_the_killed_was_sending_arrives_damaged() -> None:
    line = conclusion(output(2), "от убитого")
    assert said(line) == [3] and re.search(r"\b\w+Error\b", line)
    if os.name == "posix":
        assert "OSError" in line  # обрыв посреди сообщения


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

    some(dearer, 2)
