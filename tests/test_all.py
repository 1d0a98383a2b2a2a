"""Что верно для всех семи программ: голый Python и вид вывода."""

import multiprocessing
import platform
import re
from itertools import pairwise

from conftest import *


@every_script
def test_output_comes_at_once_names_the_interpreter_and_fits_the_screen(number: int) -> None:
    text, moments = timed_output(number)
    assert moments[0] < 1.5  # обычно меньше 0.2 с
    assert max(after - before for before, after in pairwise(moments)) < 5  # обычно меньше 2 с
    assert moments[-1] < 30  # обычно меньше 5 с, у последней — меньше 10 с
    first, *lines = text.splitlines()
    gil = "включён" if GIL else "выключен"
    wanted = f"Python {platform.python_version()}, GIL {gil}, {platform.system()}, ядер: {CORES}"
    if "multiprocessing" in script(number).read_text("utf-8"):
        wanted += f", способ запуска: {multiprocessing.get_start_method()}"
    assert first == wanted
    assert max(map(len, [first, *lines])) <= 80 and len(lines) < 24
    assert not any(re.search(r"\s$|\t|\x1b", line) for line in lines)
    assert 1 <= len(conclusions(text)) <= 5
    assert lines[-1].startswith(("Вывод: ", "  "))
