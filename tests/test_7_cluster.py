"""Столбец «кластер» программы 7: настоящий планировщик и настоящий исполнитель на этой машине."""

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import conclusion, copy, eventually, good, run, script
from test_7_parallel import KINDS, ONCE, WAITING, row


@pytest.mark.long
def test_cluster_column_is_measured_like_the_others(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    log = tmp_path / "log"

    def address() -> list[str]:
        return re.findall(r"Scheduler at: +tcp://(127\.0\.0\.1:\d+)", log.read_text("utf-8"))

    with log.open("w") as file, ExitStack() as stack:

        def start(*args: str) -> None:
            command = [sys.executable, "-m", "dask", *args, "--no-dashboard"]
            process = subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file)
            stack.callback(process.wait)
            stack.callback(process.kill)

        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        assert eventually(lambda: bool(address()), seconds=30)
        start("worker", f"tcp://{address()[0]}", "--no-nanny")
        text = good(run(copy(7, ONCE), "--cluster", address()[0]))
    assert all("кластер" in row(text, kind, "ускорение") for kind in KINDS)
    assert "кластер" in conclusion(text, f"Вывод: {WAITING}")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1:port"])
def test_without_a_scheduler_there_is_one_clear_line(address: str) -> None:
    done = run(script(7), "--cluster", address)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"По адресу «{address}» нет планировщика: ")
