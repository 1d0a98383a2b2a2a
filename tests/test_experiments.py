"""Программы, опыты и команды из README.md выполнены по его же тексту: всё, что обещано, видно.

Метки перед блоками объясняет readme.py. Ничто не повторяется, пока не выйдет: если программа
говорит «судить нельзя» или ядра заняты чужим, тест виден как пропущенный.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from itertools import groupby
from multiprocessing import get_start_method
from pathlib import Path
from typing import Any

import pytest
from conftest import CORES, GIL, ROOT, SCRIPTS, eventually, judged, output
from readme import (
    BLOCKS,
    EXPERIMENTS,
    OUTPUTS,
    PROGRAMS,
    RECORDED,
    TEXT,
    Block,
    Experiment,
    answers,
)

pytestmark = pytest.mark.long
HERE = {  # что бывает в метке «только: …», кроме версии
    "linux": sys.platform == "linux",
    "posix": os.name == "posix",
    "gil": GIL,
    "fork": get_start_method() == "fork",
    "два ядра": CORES == 2,
}


def lacking(needs: list[str]) -> list[str]:
    """Чего из нужного здесь нет."""
    found = []
    for need in needs:
        version = re.fullmatch(r"(до )?3\.(\d+)", need)
        if version:
            new = sys.version_info >= (3, int(version[2]))
            fits = not new if version[1] else new
        else:
            fits = HERE[need]
        if not fits:
            found.append(need)
    return found


def require(block: Block) -> None:
    """Пропустить тест, если нужно то, чего здесь нет, или есть причина не запускать."""
    if why := block.marks.get("не запускать"):
        pytest.skip(why)
    if needs := lacking(block.needs()):
        pytest.skip(f"только: {', '.join(needs)}")


def expected(block: Block, gap: int = 2) -> str:
    """Что печатает блок здесь: первый из ```text за ним, чьи условия выполнены."""
    texts = [after.text for after in answers(block, gap) if not lacking(after.needs())]
    assert answers(block, gap), f"README.md, строка {block.line}: нет ```text с тем, что печатается"
    if not texts:
        pytest.skip("для этого Python вывод в тексте не обещан")
    return texts[0]


def lines(text: str) -> list[str]:
    """Строки; «Вывод: …» одной строкой, пробелов подряд нет."""
    while text != (text := re.sub(r"^(Вывод: .*)\n  (?=\S)", r"\1 ", text, flags=re.MULTILINE)):
        pass
    return [re.sub(r"\s+", " ", line).rstrip() for line in text.strip("\n").splitlines()]


def pattern(text: str) -> str:
    """Образец: «…» — что угодно в строке, строка из одного «…» — сколько угодно строк."""
    each = (re.escape(line).replace("…", ".*") + "\n" for line in lines(text))
    return "".join("(?:.*\n)*" if line == ".*\n" else line for line in each)


def missing(text: str, shown: str) -> str:
    """Первая из строк text, которой нет в выводе вслед за предыдущими."""
    rest = iter(lines(shown))
    for line in (line for line in lines(text) if line.strip("… ")):
        if not any(re.fullmatch(pattern(line), f"{one}\n") for one in rest):
            return line
    return ""


def broken(promises: list[tuple[str, str]], shown: str) -> list[str]:
    """Какие обещания вывод не сдержал."""
    return [no + text for no, text in promises if bool(missing(text, shown)) != bool(no)]


def run(*words: str, folder: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Выполнить команду; ошибки — вместе с выводом."""
    options: dict[str, Any] = {"check": False, "timeout": 100, "encoding": "utf-8", "cwd": folder}
    options |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(words, env={**os.environ, "PYTHONUTF8": "1", **env}, **options)


def program(block: Block, folder: Path, method: str = "") -> list[str]:
    """Команда, которая выполнит программу из текста; способ запуска можно сменить."""
    first = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
    (folder / "sitecustomize.py").write_text(first if method else "", "utf-8")
    (folder / "program.py").write_text(block.text, "utf-8")
    return [sys.executable, "program.py"]


WHOLE = [block for block in PROGRAMS if not {"зависает", "кластер"} & set(block.marks)]
RUNS = [(block, "") for block in WHOLE]  # и ещё раз, если от способа запуска что-то зависит
RUNS += [(block, "spawn") for block in WHOLE if "Process" in block.text]


@pytest.mark.parametrize(
    ("block", "method"), RUNS, ids=[f"README:{block.line} {method}" for block, method in RUNS]
)
def test_program_from_the_text_prints_what_is_promised(
    block: Block, method: str, tmp_path: Path
) -> None:
    """Каждая программа из текста печатает то, что стоит под ней; ошибка — если обещана."""
    require(block)
    text = expected(block)
    done = run(*program(block, tmp_path, method), folder=tmp_path, PYTHONPATH=str(tmp_path))
    begin = r"(?s:.*\n)?" if "ошибка" in block.marks else ""
    shown = "".join(f"{line}\n" for line in lines(done.stdout))
    assert re.fullmatch(begin + pattern(text), shown), f"обещано:\n{text}\nнапечатано:\n{shown}"
    assert bool(done.returncode) == ("ошибка" in block.marks)


HANGING = [block for block in PROGRAMS if "зависает" in block.marks]


@pytest.mark.skipif(os.name != "posix", reason="убить зависшую программу целиком: killpg")
@pytest.mark.parametrize("block", HANGING, ids=lambda block: f"README:{block.line}")
def test_program_that_hangs_says_what_is_promised_and_does_not_end(
    block: Block, tmp_path: Path
) -> None:
    """Программа из «Частых ошибок» действительно зависает, и видно то, что под ней."""
    require(block)
    text = expected(block)
    output = tmp_path / "output"
    with output.open("wb") as file:
        env = {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
        command = program(block, tmp_path)
        process = subprocess.Popen(
            command, cwd=tmp_path, env=env, stdout=file, stderr=file, start_new_session=True
        )
        try:
            assert eventually(lambda: not missing(text, output.read_text("utf-8")), 20)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


SHELL = [  # где за командой — её записанный вывод, его сверит другой тест
    block
    for block in BLOCKS
    if block.lang == "sh"
    and [f"{after.marks.get('вывод')}\n" for after in answers(block, 99)[:1]] != [block.text]
]


@pytest.mark.skipif(os.name != "posix", reason="команды — для sh")
@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"README:{block.line}")
def test_shell_commands_print_what_is_promised(block: Block, tmp_path: Path) -> None:
    """Каждая команда из текста печатает обещанные строки."""
    require(block)
    text = expected(block, 99)
    for script in SCRIPTS:
        shutil.copy(script, tmp_path)
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pyc*"))
    python3 = tmp_path / "bin" / "python3"
    python3.parent.mkdir()
    python3.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python3.chmod(0o755)
    path = f"{python3.parent}{os.pathsep}{os.environ['PATH']}"
    shown = run("bash", "-ec", block.text, folder=tmp_path, PATH=path).stdout
    if wrong := missing(text, shown):
        judged(shown)
        pytest.fail(f"нет строки «{wrong}»:\n{shown}")


def changed(experiment: Experiment) -> tuple[str, str]:
    """Программа после правки и вывод без неё; что меняют, стоит в программе ровно один раз."""
    if experiment.name == "выше":
        above = [block for block in PROGRAMS if block.line < experiment.line]
        codes = [(block.text, answers(block)[0].text) for block in above if answers(block)]
    else:
        codes = [((ROOT / experiment.name).read_text("utf-8"), OUTPUTS[experiment.name])]
    bodies = [("\n" + re.sub(r'^""".*?"""\n', "", code, flags=re.DOTALL), o) for code, o in codes]
    fit = [
        (code, shown)
        for code, shown in bodies
        if all(code.count(old) == 1 for old, _ in experiment.changes)
    ]
    assert fit, f"этого в программе нет или оно там не одно: {experiment.changes}"
    code, shown = fit[-1]
    for old, new in experiment.changes:
        code = code.replace(old, new)
    return code, shown


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: f"README:{e.line}")
def test_experiment_shows_what_is_promised(experiment: Experiment, tmp_path: Path) -> None:
    """Опыт из текста: правим, запускаем и видим обещанное, чего без правки не видно."""
    code, before = changed(experiment)
    assert experiment.promises, "что увидим?"
    assert broken(experiment.promises, before), "всё обещанное видно и без опыта"
    if needs := lacking(experiment.needs):
        pytest.skip(f"только: {', '.join(needs)}")
    (tmp_path / "experiment.py").write_text(code, "utf-8")
    done = run(sys.executable, "experiment.py", *experiment.options, folder=tmp_path)
    wrong = broken(experiment.promises, done.stdout)
    if done.returncode:  # об ошибке текст должен сказать
        last = lines(experiment.promises[-1][1])[-1]
        wrong += filter(None, [missing(last, lines(done.stdout)[-1])])
    if wrong:
        judged(done.stdout)
        pytest.fail(f"не так: {wrong}\n{done.stdout}")


def shape(text: str) -> list[str]:
    """Вывод до выводов без того, что меняется от запуска к запуску и от версии к версии."""
    table = text.partition("\nВывод: ")[0].partition("\n")[2]
    table = re.sub(r"\|[^|\n]*\|", "| |", table)  # шкала времени
    table = re.sub(r"(отказ).*", r"\1", table)  # слова об ошибке
    table = re.sub(r"0(, 0)+", "0", re.sub(r"\d+([.,]\d+)?", "0", table))
    return [line for line, _ in groupby(lines(table))]  # сколько строк у шкалы, решает система


@pytest.mark.skipif(
    sys.platform != "linux" or not GIL or CORES != 2,
    reason="вывод записан на Linux, на двух ядрах, с GIL",
)
@pytest.mark.parametrize("name", OUTPUTS)
def test_recorded_output_looks_like_a_fresh_one(name: str) -> None:
    """Записанный в тексте вывод — того же вида, что у нынешней программы."""
    recorded = OUTPUTS[name]
    said = re.match(r"Python 3\.(\d+)", recorded)
    assert said, "первая строка называет Python"
    if name.startswith("7") and (int(said[1]) >= 14) != (sys.version_info >= (3, 14)):
        pytest.skip("записано на Python, где есть (или нет) столбец «интерпретаторы»")
    shown = judged(output(int(name[0])))
    assert shape(recorded) == shape(shown), "запишите заново: tests/readme.py"


@pytest.mark.parametrize("name", OUTPUTS)
def test_recorded_conclusions_are_in_the_words_of_the_script(name: str) -> None:
    """Слова записи — из программы: после правки вывод надо записать заново."""
    source = (ROOT / name).read_text("utf-8")
    strange = [word for word in re.findall("[а-яё]{4,}", OUTPUTS[name]) if word not in source]
    assert not strange, "запишите заново: tests/readme.py"


def test_every_recording_names_its_interpreter() -> None:
    """Запись названа тем Python, который стоит в её первой строке."""
    for _, python, _, text in RECORDED.findall(TEXT):
        version = python.removeprefix("python3").strip(".t")
        gil = "выключен" if python.endswith("t") else "включён"
        assert re.match(rf"Python 3\.{version or r'1[45]'}\.\d+, GIL {gil}, Linux", text), python
