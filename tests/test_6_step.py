"""T5d и игра --step: класс решает, чей ход, и исход известен заранее."""

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from conftest import conclusion, conclusions, copy, environment, load, posix, said, script

LESSON: Any = load(6)
ENTRY = r" *\d+   [12] "  # строка хода: номер, чей


def play(game: str, moves: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Сыграть так, как играет пользователь: ходы — со стандартного ввода."""
    command = [sys.executable, "-W", "error", str(path or script(6)), "--step", game]
    return subprocess.run(
        command,
        input=moves,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        check=False,
        timeout=60,
    )


def entries(text: str) -> list[str]:
    """Строки ходов."""
    return [line for line in text.splitlines() if re.match(ENTRY, line)]


LOSS = "потеряно 1|записал 1 и затёр записанное"
SAFE = "прибавлено 2, в счётчике 2, потеряно 0"
DEADLOCK = "взаимная блокировка (deadlock)|держит salt и ждёт pepper|держит pepper и ждёт salt"
GAMES = [  # игра, ходы; сколько строк ходов, что сказано, чего не сказано
    ("without_lock", "1122", 4, SAFE, "затёр"),
    ("without_lock", "2211", 4, SAFE, "затёр"),
    ("without_lock", "1221", 4, f"{LOSS} потоком 2 в ходе 3|в ходе 4 поток 1", "deadlock"),
    ("without_lock", "2112", 4, f"{LOSS} потоком 1 в ходе 3|в ходе 4 поток 2", "deadlock"),
    ("without_lock", "1 2\n1 2\n", 4, f"{LOSS} потоком 1 в ходе 3|в ходе 4 поток 2", ""),
    ("with_lock", "11112222", 8, SAFE, "затёр"),
    ("with_lock", "121212122222", 11, SAFE, "затёр"),
    ("with_lock", "2111222111111", 11, SAFE, "затёр"),
    ("two_locks", "1111122222", 10, SAFE, "deadlock"),
    ("two_locks", "1121111112222222", 14, SAFE, "deadlock"),
    ("two_locks", "1212", 4, f"{DEADLOCK}|один порядок для всех: оба дошли до конца", "потеряно"),
    ("two_locks", "2121", 4, f"{DEADLOCK}|один порядок для всех: оба дошли до конца", "потеряно"),
]
NAMES = [f"{game} {moves.split()}" for game, moves, *_ in GAMES]


@pytest.mark.parametrize(("game", "moves", "count", "words", "never"), GAMES, ids=NAMES)
def test_T5a_T5b_T5d_known_games_have_known_ends(
    game: str, moves: str, count: int, words: str, never: str
) -> None:
    """Одни и те же ходы дают один и тот же исход в любом Python и любой системе."""
    done = play(game, moves)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(entries(done.stdout)) == count
    told = " ".join(conclusions(done.stdout))
    assert [word for word in words.split("|") if word not in told] == []
    assert not never or never not in told
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert len(done.stdout.splitlines()) <= 24


def test_T5a_each_move_shows_the_line_the_counter_and_what_each_thread_read() -> None:
    """Ход: чей, какая строка, общий счётчик и собственное before каждого потока."""
    first, second, third, fourth = entries(play("without_lock", "1221").stdout)
    assert first.split()[:5] == ["1", "1", "before", "=", "counter"]
    assert fourth.split()[:7] == ["4", "1", "counter", "=", "before", "+", "found"]
    assert [said(line)[2:] for line in (first, second, third, fourth)] == [
        [0, 0],
        [0, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
    ]


def test_T5b_T5d_each_move_shows_who_holds_and_who_waits() -> None:
    """Кто держит замок и кто его ждёт, видно после каждого хода."""
    rows = entries(play("with_lock", "1 2 111 2 222").stdout)
    assert [row.count("ждёт lock") for row in rows] == [0, 1, 1, 1, 1, 0, 0, 0, 0]
    assert rows[0].split()[-2:] == ["lock", "—"]
    assert rows[5].split()[-1] == "lock"
    *_, last = entries(play("two_locks", "1212").stdout)
    assert "salt, ждёт pepper" in last
    assert "pepper, ждёт salt" in last


# --- случайные игры против модели ---

COUNT = ["read", "write"]
UNDER_LOCK = ["take lock", *COUNT, "give lock"]
CROSS = ["take {0}", "take {1}", "add", "give {1}", "give {0}"]
PROGRAMS: dict[str, list[list[str]]] = {  # что делает каждый поток, по одному ходу
    "without_lock": [COUNT * 3] * 2,
    "with_lock": [UNDER_LOCK * 3] * 2,
    "two_locks": [[word.format(*names) for word in CROSS] for names in ("ab", "ba")],
}
FOUND = [True, True, False]  # числа 2, 3, 4: простое, простое, нет
ARGUMENTS = {
    "without_lock": [(range(2, 5),)] * 2,
    "with_lock": [(range(2, 5),)] * 2,
    "two_locks": LESSON.OPPOSITE,
}


class Model:
    """Что должно быть: два списка действий, общий счётчик и замки."""

    def __init__(self, game: str) -> None:
        self.programs = [list(program) for program in PROGRAMS[game]]
        self.done = [0, 0]
        self.holder: dict[str, int] = {}
        self.waits: list[str] = ["", ""]
        self.before = [0, 0]
        self.counter = self.added = 0
        self.seen = [0, 0]  # сколько записей было, когда поток читал
        self.writes: list[int] = []  # номера ходов
        self.over: list[int] = []  # ходы, которые затёрли чужое

    def move(self, number: int, who: int) -> None:
        """Сделать ход потока who."""
        if self.done[who] == len(self.programs[who]):
            return
        action, _, name = self.programs[who][self.done[who]].partition(" ")
        if action == "take":
            if self.holder.get(name, who) != who:
                self.waits[who] = name
                return
            self.waits[who] = ""
            self.holder[name] = who
        elif action == "give":
            del self.holder[name]
        elif action == "read":
            self.before[who], self.seen[who] = self.counter, len(self.writes)
        elif action == "write":
            reads = self.programs[who][: self.done[who]].count("read")
            self.added += FOUND[reads - 1]
            self.counter = self.before[who] + FOUND[reads - 1]
            if self.seen[who] < len(self.writes):
                self.over.append(number)
            self.writes.append(number)
        else:
            self.counter += 1
            self.added += 1
        self.done[who] += 1

    def ended(self) -> bool:
        return all(self.done[who] == len(self.programs[who]) for who in (0, 1))

    def deadlock(self) -> bool:
        one, two = self.waits
        return bool(one and two) and self.holder.get(one) == 1 and self.holder.get(two) == 0


@pytest.mark.parametrize("game", LESSON.GAMES)
@pytest.mark.parametrize("seed", range(20))
def test_T5a_T5b_T5d_random_games_go_as_the_model_says(game: str, seed: int) -> None:
    """Двадцать случайных игр каждой: после каждого хода всё так, как должно быть."""
    chance = random.Random(seed)
    turns: Iterator[int] = (chance.choice([1, 2]) for _ in cycle([0]))
    work, _ = LESSON.GAMES[game]
    model, moves = Model(game), []
    for move in LESSON.play(work, ARGUMENTS[game], turns):
        moves.append(move)
        model.move(move.number, move.who - 1)
        where = f"ход {move.number} из {[one.who for one in moves]}"
        assert move.counter == model.counter, where
        waiting = ["ждёт" in state for state in move.states]
        assert waiting == [bool(name) for name in model.waits], where
        assert (move.ended, move.deadlock) == (model.ended(), model.deadlock()), where
    assert model.ended() or model.deadlock()
    told = LESSON.outcome(moves)
    if model.deadlock():
        assert "deadlock" in told[0]
        return
    assert said(told[0]) == [model.added, model.counter, model.added - model.counter]
    assert [said(text)[0] for text in told[1:]] == model.over
    if game != "without_lock":
        assert model.added == model.counter


def orders(length: int) -> Iterator[str]:
    """Все способы перемешать ходы двух потоков, по length каждого."""
    for number in range(2 ** (2 * length)):
        moves = f"{number:0{2 * length}b}".replace("0", "2")
        if moves.count("1") == length:
            yield moves


def test_T5a_every_order_but_two_loses() -> None:
    """Из шести порядков двух чтений и двух записей теряют четыре."""
    work, arguments = LESSON.GAMES["without_lock"]
    ends = {}
    for moves in orders(2):
        *_, last = LESSON.play(work, arguments, map(int, moves))
        ends[moves] = last.counter
    assert ends == {"1122": 2, "2211": 2, "1212": 1, "2121": 1, "1221": 1, "2112": 1}


def test_T5d_one_order_for_all_never_hangs() -> None:
    """При одном порядке любые ходы, если их продолжать, кончаются благополучно."""
    for moves in orders(3):
        turns = [*map(int, moves), *[1, 2] * 20]
        *_, last = LESSON.play(LESSON.two_locks, LESSON.SAME, turns)
        assert (last.ended, last.deadlock, last.counter) == (True, False, 2)
        assert not LESSON.salt.locked() and not LESSON.pepper.locked()


def test_T5d_who_holds_what_is_seen_and_not_known() -> None:
    """Кто что держит и чего ждёт, взято из игры: наоборот — так наоборот."""
    reverse = [(LESSON.pepper, LESSON.salt), (LESSON.salt, LESSON.pepper)]
    moves = list(LESSON.play(LESSON.two_locks, reverse, [1, 2, 1, 2]))
    assert moves[-1].deadlock
    _, who = LESSON.outcome(moves)
    assert "поток 1 держит pepper и ждёт salt" in who
    assert "поток 2 держит salt и ждёт pepper" in who


def test_T5d_the_cure_is_played_and_not_only_promised() -> None:
    """«Оба дошли до конца» сказано по игре: плохой порядок не помогает и там."""
    bad = ("SAME = [(salt, pepper), (salt, pepper)]", "SAME = OPPOSITE")
    text = play("two_locks", "1212", copy(6, bad)).stdout
    assert "оба дошли до конца" not in conclusion(text, "один порядок")


def test_T5d_the_game_runs_the_functions_of_the_page() -> None:
    """Игра идёт по строкам самой программы: без замка на странице и она теряет."""
    no_lock = ("        with lock:\n            before", "        if True:\n            before")
    text = play("with_lock", "1221", copy(6, no_lock)).stdout
    assert said(conclusion(text, "прибавлено")) == [2, 1, 1]
    same = ("OPPOSITE = [(salt, pepper), (pepper, salt)]", "OPPOSITE = [(salt, pepper)] * 2")
    text = play("two_locks", "1212" + "12" * 10, copy(6, same)).stdout
    assert said(conclusion(text, "прибавлено")) == [2, 2, 0]


# --- когда ходы не такие ---


@pytest.mark.parametrize("game", LESSON.GAMES)
@pytest.mark.parametrize("moves", ["", "12", "1" * 300])
def test_T5d_too_few_moves_get_a_clear_word(game: str, moves: str) -> None:
    """Ввод кончился раньше игры: слово, код 1, и никто не ждёт вечно."""
    done = play(game, moves)
    assert (done.returncode, done.stderr) == (1, "")
    assert "ходов не хватило" in done.stdout.splitlines()[-1]
    assert conclusions(done.stdout) == []


@pytest.mark.parametrize("sign", ["x", "3", "й"])
def test_T5d_wrong_sign_in_the_input_is_named(sign: str) -> None:
    """Не тот знак во вводе назван; код 1."""
    done = play("without_lock", f"1{sign}21")
    assert (done.returncode, done.stderr) == (1, "")
    assert sign in done.stdout.splitlines()[-1]
    assert len(entries(done.stdout)) == 1


def test_T5d_unknown_game_is_refused_by_argparse() -> None:
    """Игры с таким именем нет: слова самого argparse и код 2."""
    done = play("three_locks", "12")
    assert done.returncode == 2
    assert "two_locks" in done.stderr


def test_T5d_heading_stays_on_the_screen_in_a_long_game() -> None:
    """Заголовок повторяется: на экране он виден над любым ходом."""
    rows = play("with_lock", "1" + "2" * 97).stdout.splitlines()
    since = 0
    for row in rows:
        since = 0 if row.startswith("ход ") else since + 1
        assert since <= 16


def test_T5d_mistake_in_a_function_shows_its_line() -> None:
    """Ошибка ученика в функции: traceback с её строкой и код 1."""
    wrong = (
        "before = counter\n        found = is_prime(",
        "before = counter\n        found = is_prim(",
    )
    done = play("without_lock", "1221", copy(6, wrong))
    assert done.returncode == 1
    assert "is_prim(number)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("NameError")


# --- клавиши ---


class Terminal:
    """Игра в терминале: клавиши по одной."""

    def __init__(self, game: str) -> None:
        self.master, self.slave = os.openpty()
        self.usual = self.modes()
        ends: dict[str, Any] = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave}
        command = [sys.executable, str(script(6)), "--step", game]
        env = environment()
        self.process = subprocess.Popen(command, env=env, start_new_session=True, **ends)
        self.shown = ""
        self.until(lambda: self.modes() != self.usual)

    def modes(self) -> Any:
        import termios

        return termios.tcgetattr(self.slave)

    def until(self, holds: Callable[[], bool]) -> None:
        """Читать экран, пока не станет так."""
        deadline = time.monotonic() + 30
        os.set_blocking(self.master, False)
        while not holds():
            assert time.monotonic() < deadline, self.shown
            try:
                self.shown += os.read(self.master, 65536).decode("utf-8", "replace")
            except BlockingIOError:
                time.sleep(0.01)

    def press(self, keys: str, moves: int) -> None:
        """Нажать клавиши и дождаться стольких ходов на экране."""
        os.write(self.master, keys.encode())
        self.until(lambda: len(re.findall(rf"(?m)^{ENTRY}|\r{ENTRY}", self.shown)) >= moves)

    def end(self) -> int:
        """Дождаться конца; терминал должен стать прежним."""
        self.until(lambda: self.process.poll() is not None)
        self.until(lambda: "Вывод" in self.shown or "прервана" in self.shown)
        assert self.modes() == self.usual, "терминал остался без эха и без Ctrl-C"
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode


@posix
def test_T5d_keys_need_no_enter_and_a_wrong_one_changes_nothing() -> None:
    """Ход — одна клавиша; не та названа и ничего не меняет; терминал потом прежний."""
    terminal = Terminal("two_locks")
    terminal.press("1", 1)
    terminal.press("x\x1b[A", 1)
    terminal.press("2", 2)
    terminal.press("12", 4)
    assert terminal.end() == 0
    assert "deadlock" in terminal.shown
    assert "'x' — не ход" in terminal.shown
    assert "\x1b" not in terminal.shown


@posix
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_T5d_ctrl_c_ends_the_game_with_a_word(key: str) -> None:
    """Ctrl-C и Ctrl-D посреди игры: слово, код 1, терминал прежний."""
    terminal = Terminal("with_lock")
    terminal.press("12", 2)
    terminal.press(key, 2)
    assert terminal.end() == 1
    assert "игра прервана" in terminal.shown
    assert "Traceback" not in terminal.shown
