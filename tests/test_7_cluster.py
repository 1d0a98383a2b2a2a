"""Столбец «кластер» программы 7: настоящий планировщик и настоящие исполнители на этой машине."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import conclusion, copy, eventually, good, run, script
from test_7_parallel import ONCE, WAITING, table


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Адрес планировщика и процессы двух его исполнителей, у которых нет файлов урока."""
    pytest.importorskip("distributed")
    with contextlib.ExitStack() as stack:

        def start(*args: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "dask", *args, "--no-dashboard"]
            log = stack.enter_context((tmp_path / "log").open("a", encoding="utf-8"))
            process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        def address() -> re.Match[str] | None:
            log = (tmp_path / "log").read_text("utf-8")
            return re.search(r"Scheduler at: +tcp://(127\.0\.0\.1:\d+)", log)

        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        assert eventually(lambda: address() is not None, seconds=30)
        found = address()
        assert found
        worker = ("worker", f"tcp://{found[1]}", "--nthreads", "1", "--no-nanny")
        yield found[1], [start(*worker), start(*worker)]


def test_cluster_column_is_measured_like_the_others(
    cluster: tuple[str, list[subprocess.Popen[str]]],
) -> None:
    address, workers = cluster
    for worker in workers:
        files = [*psutil.Process(worker.pid).cmdline(), psutil.Process(worker.pid).cwd()]
        assert not any("7_parallel" in text or text == str(script(7).parent) for text in files)
    text = good(run(copy(7, ONCE), "--cluster", address))
    assert all("кластер" in rows["ускорение"] for rows in table(text).values())
    assert "кластер" in conclusion(text, f"Вывод: {WAITING}")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1:port"])
def test_without_a_scheduler_there_is_one_clear_line(address: str) -> None:
    done = run(7, "--cluster", address)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"По адресу «{address}» нет планировщика: ")
