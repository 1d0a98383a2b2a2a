"""Тесты, которые ни разу не падали, ничего не доказывают: подсунем им ложь из lies.py."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CLAIMS, SCRIPTS, script, source
from lies import LIES, Lie


def test_every_claim_is_attacked() -> None:
    """На каждое утверждение урока нападает хотя бы одна ложь."""
    attacked = {claim for lie in LIES for claim in lie.claims.split()}
    assert attacked == set(CLAIMS), "допишите ложь в lies.py"


@pytest.mark.lies
def test_every_lie_finds_its_place_in_the_code() -> None:
    """То, что ложь заменяет, стоит в программе ровно один раз."""
    for lie in LIES:
        times = source(lie.number).count(lie.old)
        assert times == 1, f"в программе {lie.number} это стоит раз: {times}\n{lie.old}"


def name(lie: Lie) -> str:
    return f"{lie.number} {lie.claims}: {lie.pretends}"


@pytest.mark.lies
@pytest.mark.parametrize("lie", LIES, ids=name)
def test_lie_is_caught_by_the_tests_of_its_claims(lie: Lie, tmp_path: Path) -> None:
    """Хотя бы один тест утверждения, на которое нападает ложь, падает."""
    for path in SCRIPTS:
        shutil.copy(path, tmp_path)
    altered = tmp_path / script(lie.number).name
    altered.write_text(source(lie.number).replace(lie.old, lie.new), "utf-8")
    compile(altered.read_text("utf-8"), altered.name, "exec")  # ложь — не опечатка
    tests = sorted(map(str, Path(__file__).parent.glob(f"test_{lie.number}_*.py")))
    claims = " or ".join(f"_{claim}_" for claim in lie.claims.split())
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    command += ["-k", claims, "-m", "not lies and not long"]
    env = {**os.environ, "LESSON_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False)
    if done.returncode == 0 and "ядра заняты" in done.stdout:
        pytest.skip("ядра заняты: тест не взялся судить")
    assert done.returncode == 1, f"не поймана:\n{done.stdout[-2000:]}{done.stderr}"
    caught = re.findall(r"^(?:FAILED|ERROR) \S+::(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    why = re.findall(r"^E  +(.*)", done.stdout, re.MULTILINE)[:1]
    print(f"{name(lie)}: поймал {caught} {why}")
