"""Строка «кластер» программы 7: настоящий планировщик и настоящие исполнители на этой машине."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from conftest import cells, conclusions, load, run, script

pytestmark = pytest.mark.timeout(120)
KINDS = 3  # видов работы


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Адрес планировщика и процессы двух его исполнителей."""
    pytest.importorskip("distributed")
    with contextlib.ExitStack() as stack:

        def start(*args: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "dask", *args, "--no-dashboard"]
            log = stack.enter_context((tmp_path / "log").open("a", encoding="utf-8"))
            process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        listening = re.compile(r"Scheduler at: +tcp://(127\.0\.0\.1:\d+)")
        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        while not (found := listening.search((tmp_path / "log").read_text("utf-8"))):
            pass
        address = found[1]
        worker = ("worker", f"tcp://{address}", "--nthreads", "1", "--no-nanny")
        yield address, [start(*worker), start(*worker)]


def test_cluster_row_is_measured_like_the_others(
    cluster: tuple[str, list[subprocess.Popen[str]]],
) -> None:
    address, _ = cluster
    done = run(7, "--cluster", f"tcp://{address}")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    workers, threads, *row = cells(done.stdout, "кластер")
    assert workers in (1, 2) and threads == workers  # второй мог ещё не подключиться
    assert len(row) == 2 * KINDS and all(0 < number < 30 for number in row)
    assert any("кластер ×" in text for text in conclusions(done.stdout))

    # расчёт следует своей формуле: h·P·W/(W-P)
    (handing,) = (float(ms) for ms in re.findall(r"h = ([\d.]+) мс", done.stdout))
    (here,) = (int(count) for count in re.findall(r"P = (\d+)", done.stdout))
    sizes, pays = cells(done.stdout, "W  "), cells(done.stdout, "задание дольше, мс")
    assert len(sizes) == len(pays) >= 1
    for size, ms in zip(sizes, pays, strict=True):
        assert ms == pytest.approx(handing * here * size / (size - here), rel=0.1, abs=0.2)


def test_killed_worker_does_not_spoil_the_row(
    cluster: tuple[str, list[subprocess.Popen[str]]], tmp_path: Path
) -> None:
    address, (first, _) = cluster
    once = tmp_path / "once.py"  # та же программа, но в один круг: так быстрее
    once.write_text(script(7).read_text("utf-8").replace("ROUNDS = 3", "ROUNDS = 1"), "utf-8")
    command = [sys.executable, str(once), "--cluster", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout
        text = ""
        while "кластер" not in text:
            text += process.stdout.read(1)
        first.kill()  # строка начата: задания уже у исполнителей
        text += process.stdout.read()
    assert process.returncode == 0
    assert len(cells(text, "кластер")) == 2 + 2 * KINDS  # верность ответов проверила программа


def test_functions_travel_to_workers_that_do_not_have_the_script(
    cluster: tuple[str, list[subprocess.Popen[str]]],
) -> None:
    _, workers = cluster
    for worker in workers:
        files = [*psutil.Process(worker.pid).cmdline(), psutil.Process(worker.pid).cwd()]
        assert not any("7_parallel" in text or text == str(script(7).parent) for text in files)


def test_without_the_library_there_is_one_clear_line(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(script(7)), "--cluster", "127.0.0.1:8786"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert done.stderr == "Для --cluster нужна библиотека: python3 -m pip install distributed\n"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1:port", "127.0.0.1:99999"])
def test_without_a_scheduler_there_is_one_clear_line(address: str) -> None:
    pytest.importorskip("distributed")
    done = run(7, "--cluster", address)
    assert done.returncode == 2
    assert done.stderr == f"По адресу {address} нет планировщика кластера.\n"


def test_library_is_not_imported_without_the_option() -> None:
    before = set(sys.modules)
    load(7)
    assert not {"distributed", "dask"} & (set(sys.modules) - before)
