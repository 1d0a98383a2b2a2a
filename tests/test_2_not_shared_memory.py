"""Утверждения раздела «Разделяемая память»: P4, M2, P5, R1, M5."""

import multiprocessing
import os
import re
from pathlib import Path

import pytest
from conftest import conclusions, numbers, output, rows, run, run_changed

METHODS = multiprocessing.get_all_start_methods()
BEFORE, AFTER = "[1, 2] {'x': 1} 7", "[1, 2, 3] {'x': 1, 'y': 2} 8"


def test_P4_M2_child_changes_are_seen_by_the_child_and_not_by_the_parent() -> None:
    lines = [line for line in output(2).splitlines() if re.search(r"ребёнок|родитель \d", line)]
    assert len(lines) == 2 * len(METHODS)
    for child, parent in zip(lines[::2], lines[1::2], strict=True):
        assert re.findall(r"\[.*?\] \{.*?\} \d", child) == [BEFORE, AFTER]
        assert re.findall(r"\[.*?\] \{.*?\} \d", parent) == [BEFORE, BEFORE]
    assert f"способов {len(METHODS)} из {len(METHODS)}" in conclusions(output(2))[0]


def test_P4_every_child_is_a_process_of_its_own() -> None:
    pids = re.findall(r"(?:ребёнок|родитель) +(\d+)", output(2))
    assert len(set(pids)) == len(METHODS) + 1


@pytest.mark.parametrize(
    ("mechanism", "before", "after"),
    [
        ("Queue", "[1, 2]", "[1, 2, 3]"),
        ("Pipe", "{'x': 1}", "{'x': 1, 'y': 2}"),
        ("Value", "7", "8"),
        ("shared_memory", "7", "8"),
    ],
)
def test_P5_mechanism_makes_the_change_visible(mechanism: str, before: str, after: str) -> None:
    (words,) = rows(output(2), mechanism)
    assert words == [mechanism, *before.split(), *after.split()]
    assert mechanism in conclusions(output(2))[1]


def test_R1_queue_is_dearer_than_shared_memory_for_large_data() -> None:
    size, queue, shared = numbers(r"(\d+) МБ через Queue (\d+) мс, .* (\d+) мс", output(2))
    assert size >= 10
    assert queue > shared
    (ratio,) = numbers(r"([\d.]+) к 1", conclusions(output(2))[2])
    assert queue / (shared + 1) < ratio + 0.1 and ratio - 0.1 < (queue + 1) / max(shared - 1, 0.5)


def test_R1_amount_of_data_is_the_readers_choice() -> None:
    assert "64 МБ через Queue" in run(2, "--work", "2").stdout


def test_M5_reader_of_a_killed_sender_gets_part_and_an_error() -> None:
    whole, sent = numbers(r"целыми дошло (\d+) из (\d+) МБ", output(2))
    assert 0 < whole < sent
    (line,) = (line for line in output(2).splitlines() if line.startswith("от убитого"))
    assert re.search("OSError|EOFError|BrokenPipeError|ConnectionResetError", line)
    assert f"не всё: {whole:.0f} из {sent:.0f}" in conclusions(output(2))[3]


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="блоки видны только в /dev/shm")
def test_no_shared_memory_block_is_left_behind() -> None:
    before = set(Path("/dev/shm").glob("psm_*"))
    # о забытых блоках говорит предупреждением служебный процесс multiprocessing: он их и убирает
    done = run(2, env={**os.environ, "PYTHONWARNINGS": "default"})
    assert done.stderr == ""
    assert set(Path("/dev/shm").glob("psm_*")) <= before


def test_tables_show_what_really_happened(tmp_path: Path) -> None:
    text = run_changed(
        tmp_path,
        2,
        ("    numbers.append(3)\n    letters", "    numbers.append(33)\n    letters"),
        ("    numbers.append(3)\n    queue", "    numbers.append(34)\n    queue"),
        ("value.value += 1", "value.value += 0"),
        ("received == 3", "received == 5"),
    )
    children = [line for line in text.splitlines() if "ребёнок" in line]
    assert children and all("[1, 2, 33]" in line for line in children)
    assert rows(text, "Queue")[0][-1] == "34]"
    assert "передают: Pipe, Queue, shared_memory." in conclusions(text)[1]
    assert "5 из 32" in conclusions(text)[-1]


def test_P4_conclusion_follows_the_measurement(tmp_path: Path) -> None:
    said = "conn.send((os.getpid(), before, memory()))"
    text = run_changed(tmp_path, 2, (said, said.replace("memory()", "before")))
    assert "способов 0 из" in conclusions(text)[0]
