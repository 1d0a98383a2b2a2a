"""Программа README.md, которая отдаёт задания dask.distributed: настоящий планировщик и два
исполнителя на этой машине; во второй раз одного из них убивают на полпути."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT, environment, eventually, new_file, primes_below, said

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]
ADDRESS = "127.0.0.1:8786"  # адрес планировщика в README.md


def program() -> str:
    """Блок ```python, в котором есть get_executor."""
    text = (ROOT / "README.md").read_text("utf-8")
    (found,) = (
        block
        for block in re.findall(r"(?ms)^```python\n(.*?)^```$", text)
        if "get_executor" in block
    )
    return found


class Cluster(NamedTuple):
    """Адрес планировщика, его исполнители и журнал, в который пишут все."""

    address: str
    workers: list[subprocess.Popen[bytes]]
    log: Path


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Планировщик и два исполнителя по одному потоку; после with их нет."""
    log = folder / "log"
    started = []
    with log.open("w") as file:

        def start(*args: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "dask", *args, "--no-dashboard"]
            process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file)
            started.append(process)
            return process

        def address() -> list[str]:
            return re.findall(r"Scheduler at: +tcp://(127\.0\.0\.1:\d+)", log.read_text("utf-8"))

        try:
            start("scheduler", "--host", "127.0.0.1", "--port", "0")
            assert eventually(lambda: bool(address()), seconds=60), log.read_text("utf-8")
            url = f"tcp://{address()[0]}"
            workers = [start("worker", url, "--no-nanny", "--nthreads", "1") for _ in range(2)]
            registered = "Register worker"
            both = eventually(lambda: log.read_text("utf-8").count(registered) == 2, seconds=60)
            assert both, log.read_text("utf-8")
            yield Cluster(address()[0], workers, log)
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()


def run_program(used: Cluster, meanwhile: Callable[[], None]) -> str:
    """Вывод программы из README.md; meanwhile — что сделать, пока она работает."""
    text = program()
    assert text.count(ADDRESS) == 1, f"в программе README.md должен стоять адрес {ADDRESS}"
    path = new_file("cluster.py", text.replace(ADDRESS, used.address))
    command = [sys.executable, str(path)]
    pipe, env = subprocess.PIPE, environment()
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, encoding="utf-8", env=env) as process:
        try:
            meanwhile()
            stdout, stderr = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0, stderr
    return stdout


def limit_and_answer() -> tuple[int, int]:
    """Что программа считает и сколько это на самом деле."""
    (limit,) = re.findall(r"count_primes, \[([\d_]+)\]", program())
    return int(limit), primes_below(int(limit))


def test_program_is_short_and_whole() -> None:
    """Не больше пятнадцати строк, не шире 100 столбцов, с ответом, временем и исполнителями."""
    assert len(program().splitlines()) <= 15
    compile(program(), "README.md", "exec")


def test_program_of_readme_gets_the_answer_from_two_workers(tmp_path: Path) -> None:
    """Ответ кластера тот же, что у обычного map(), и считали оба исполнителя."""
    pytest.importorskip("distributed")
    with cluster(tmp_path) as used:
        text = run_program(used, lambda: None)
    alone, together = text.splitlines()
    (answer, seconds, one), (same, faster, both) = said(alone), said(together)
    assert answer == same == limit_and_answer()[1]
    assert seconds > 0 and faster > 0
    assert (one, both) == (1, 2), "исполнителей: один у map, двое у кластера"


def test_program_of_readme_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    """Исполнителя убили посреди счёта: его задания достались другому, ответ тот же."""
    distributed = pytest.importorskip("distributed")
    with cluster(tmp_path) as used:
        victim = used.workers[0]

        def kill() -> None:
            with distributed.Client(used.address) as client:

                def both_have_jobs() -> bool:
                    given = client.processing()
                    return len(given) == 2 and all(given.values())

                assert eventually(both_have_jobs, seconds=60), "исполнителям так ничего и не дали"
                victim.kill()
                victim.wait()

        text = run_program(used, kill)
        alone, together = text.splitlines()
        assert said(alone)[0] == said(together)[0] == limit_and_answer()[1]
