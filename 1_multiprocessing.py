"""Процессы: откуда берутся, что наследуют, сколько стоят, как завершаются.

Смотрите: у каждого процесса свой pid; то, что родитель изменил на ходу, видит
только ребёнок fork; между концом нашего ребёнка и join() остаётся зомби.
Попробуйте: вместо слова «исходное» напишите другое. Кто его увидит?
"""

import os
import pickle
import signal
import sys
from collections.abc import Iterator
from multiprocessing import get_all_start_methods, get_context, get_start_method
from multiprocessing.connection import wait
from statistics import median
from textwrap import fill
from time import perf_counter, process_time, sleep
from typing import NamedTuple

setting = "исходное"  # так в файле; а какое значение увидит ребёнок?


def change_setting() -> None:
    """Родитель: изменить значение на ходу, прежде чем запускать детей."""
    global setting
    setting = "изменено"


def introduce(sender) -> None:
    """Ребёнок: рассказать родителю, кто он, чей он и что видит."""
    sender.send((os.getpid(), os.getppid(), setting))


def ask_child(method: str) -> tuple:
    """Запустить процесс этим способом и узнать, что он о себе скажет.

    fork копирует родителя, spawn запускает новый Python, forkserver просит
    сервер (Python, запущенный при первой такой просьбе) скопировать себя.
    """
    context = get_context(method)  # multiprocessing с этим способом запуска
    receiver, sender = context.Pipe(duplex=False)  # канал: sender → receiver
    process = context.Process(target=introduce, args=(sender,), daemon=True)
    process.start()  # daemon: завершаясь сами, мы завершим и его
    sender.close()  # пишет теперь только ребёнок: умрёт — recv() не зависнет
    answer = receiver.recv()
    process.join()  # дождаться конца
    return answer


def try_lambda(method: str) -> str:
    """Что выйдет, если вместо функции дать процессу лямбду."""
    job = lambda: None
    process = get_context(method).Process(target=job, daemon=True)
    try:
        if sys.platform == "win32":
            pickle.dumps(job)  # та же ошибка, но пока ребёнок ещё не запущен
        process.start()
    except (AttributeError, pickle.PicklingError) as error:
        return f"отказ, {type(error).__name__}: {error}"
    process.join()
    return f"принята, код {process.exitcode}"


def live_and_die(method: str, seconds: float) -> tuple:
    """Код возврата процесса и что от него осталось до join() и после.

    Если seconds не 0, прожить столько ему не дадут.
    """
    context = get_context(method)
    process = context.Process(target=sleep, args=(seconds,), daemon=True)
    process.start()
    if seconds > 0:
        process.kill()  # kill() не ждёт: процесс умрёт чуть позже
    wait([process.sentinel])  # ждать завершения, но код возврата не спрашивать
    before = remains(process.pid)
    process.join()  # спросить код; теперь система может о процессе забыть
    return process.exitcode, before, remains(process.pid)


def remains(pid) -> str:
    """Что осталось у нас от завершившегося ребёнка: зомби или ничего."""
    if not hasattr(os, "waitid"):
        return "не узнать"  # нет в Windows, а в macOS есть с Python 3.13
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # не убирая его
        return "зомби"
    except ChildProcessError:  # такого нет: убран или не наш (forkserver)
        return "ничего"


# --- Измерения и вывод ------------------------------------------------------

ROUNDS = 6  # в каждом круге процесс запускается каждым способом по разу
LONGER = 1.1  # круг говорит «дольше», если дольше хотя бы во столько раз
FAIR = 0.5  # если ядро работало меньшую долю запуска, его отнимали


class Person(NamedTuple):
    """Что процесс рассказал о себе и что вышло с лямбдой вместо функции."""

    name: str
    pid: int
    parent: int
    setting: str
    answer: str


class Death(NamedTuple):
    """Как ребёнок завершился: код возврата и что от него осталось у нас."""

    method: str
    killed: bool
    code: int
    before: str
    after: str


class Start(NamedTuple):
    """Мс от start() до первой строки функции ребёнка; сколько работало ядро."""

    ms: float
    cpu: float


Round = dict[str, Start]  # способ: как запустился процесс


class Facts(NamedTuple):
    """Всё, что узнали: о родителе, о детях и их конце, о кругах, о пределе."""

    parent: Person
    children: list[Person]
    deaths: list[Death]
    rounds: list[Round]
    limit: str


def note_moment(sender) -> None:
    """Ребёнок: первым делом засечь время."""
    moment = perf_counter()  # эти часы общие для всех процессов
    sender.send((moment, process_time()))


def time_start(method: str) -> Start:
    """Запустить процесс и узнать, когда началась первая строка его функции."""
    context = get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=note_moment, args=(sender,), daemon=True)
    cpu = process_time()
    begin = perf_counter()
    process.start()
    sender.close()
    moment, cpu_of_child = receiver.recv()
    cpu = process_time() - cpu + cpu_of_child
    process.join()
    return Start(1000 * (moment - begin), 1000 * cpu)


def experiment(methods: list[str]) -> Iterator[Round]:
    """Круг за кругом: каждый способ по разу, через круг в обратном порядке."""
    for number in range(ROUNDS):
        order = methods if number % 2 == 0 else methods[::-1]
        yield {method: time_start(method) for method in order}


def endings(methods: list[str]) -> list[Death]:
    """Ребёнок каждого способа доживёт до конца, и ещё один будет убит."""
    deaths = []
    for method in methods:
        deaths.append(Death(method, False, *live_and_die(method, 0)))
    deaths.append(Death("spawn", True, *live_and_die("spawn", 3)))
    return deaths


def process_limit() -> str:
    """Сколько процессов система разрешает пользователю."""
    if "SC_CHILD_MAX" not in getattr(os, "sysconf_names", {}):
        return "система не сообщает"
    limit = os.sysconf("SC_CHILD_MAX")
    return "без предела" if limit == -1 else str(limit)


def comma(value: float, digits: int = 1) -> str:
    """Число с запятой: 32,4."""
    return f"{value:.{digits}f}".replace(".", ",")


def family(parent: Person, children: list[Person]) -> list[str]:
    """Строка на процесс: кто он, чей, что видит, принял ли лямбду."""
    rows = ["процесс           pid    родитель           setting    лямбда"]
    refusal = ""
    for person in [parent, *children]:
        whose = "(мы)" if person.parent == parent.pid else "(не мы)"
        if person is parent:
            whose = ""
        answer = person.answer
        if ":" in answer:
            refusal = answer  # текст ошибки один у всех, кто отказал
            answer = answer.split(":")[0]
        row = f"{person.name:12}{person.pid:9}{person.parent:12} {whose:10}"
        rows.append(f"{row}{person.setting:11}{answer}".rstrip())
    if refusal:
        rows.append(refusal if len(refusal) <= 80 else f"{refusal[:79]}…")
    return rows


def typical(rounds: list[Round]) -> dict[str, float]:
    """Медиана мс каждого способа; способы — от быстрого к медленному."""
    times = []
    for method in rounds[0]:
        times.append((median(one[method].ms for one in rounds), method))
    return {method: time for time, method in sorted(times)}


def fair(rounds: list[Round]) -> list[Round]:
    """Круги, в которых ядро не отнимали ни у быстрейшего, ни у медленнейшего.

    Если способ один, сравнивать не с чем, и годятся все.
    """
    fastest, *others = typical(rounds)
    if not others:
        return rounds
    found = []
    for one in rounds:
        fast, slow = one[fastest], one[others[-1]]
        if fast.cpu >= FAIR * fast.ms and slow.cpu >= FAIR * slow.ms:
            found.append(one)
    return found


def ratios(rounds: list[Round], slow: str, fast: str) -> list[float]:
    """Во сколько раз первый способ дольше второго, по кругам."""
    return [one[slow].ms / one[fast].ms for one in rounds]


def spread(found: list[float]) -> str:
    """Медиана и края: 28,4 (26,1–32,7)."""
    return f"{comma(median(found))} ({comma(min(found))}–{comma(max(found))})"


def table(deaths: list[Death], rounds: list[Round]) -> list[str]:
    """Строка на завершившегося ребёнка; здесь же время запуска."""
    times = typical(rounds)
    fastest = next(iter(times))
    head = f"дольше {fastest} (по кругам)" if len(times) > 1 else ""
    rows = [f"способ       медиана, мс  {head:29} код  до join() после"]
    for death in deaths:
        name, start, longer = death.method, "", ""
        if death.killed:
            name += ", убит"
        else:
            start = comma(times[death.method])
        if not death.killed and death.method != fastest:
            longer = spread(ratios(rounds, death.method, fastest))
        row = f"{name:12}{start:>12}  {longer:29}{death.code:4}  "
        rows.append(f"{row}{death.before:10}{death.after}")
    return rows


def slower(rounds: list[Round], counted: list[Round]) -> str:
    """Во сколько раз самый медленный запуск дольше самого быстрого."""
    fastest, *others = typical(rounds)
    if not others:
        return f"способ запуска здесь один, {fastest}: сравнивать не с чем"
    slowest = others[-1]
    found = ratios(counted, slowest, fastest)
    held = sum(ratio > LONGER for ratio in found)
    if len(found) < len(rounds) / 2 or held < 0.75 * len(found):
        return "о времени запуска судить нельзя: закройте лишнее и повторите"
    return (
        f"{slowest} запускает процесс в {comma(median(found))} раза дольше "
        f"{fastest}: так в {held} кругах из {len(found)}"
    )


def who(names: list[str]) -> str:
    """«никто», «только fork», «fork, spawn»."""
    if len(names) == 1:
        return f"только {names[0]}"
    return ", ".join(names) or "никто"


def zombies(deaths: list[Death]) -> str:
    """Кто остался зомби до join() и кто — после."""
    if all(death.before == "не узнать" for death in deaths):
        return "остаются ли от детей зомби, здесь не узнать"
    ended = [death for death in deaths if not death.killed]
    before = [death.method for death in ended if death.before == "зомби"]
    after = [death.method for death in ended if death.after == "зомби"]
    return f"кто остаётся зомби до join(): {who(before)}; после: {who(after)}"


def report(facts: Facts) -> list[str]:
    """Таблица и выводы — только по тому, что узнали."""
    counted = fair(facts.rounds)
    children = facts.children
    count = 1 + len(children)
    pids = {facts.parent.pid} | {child.pid for child in children}
    alike = [c.name for c in children if c.setting == facts.parent.setting]
    taking = [c.name for c in children if c.answer.startswith("принята")]
    own = f"у каждого из {count} процессов свой pid"
    texts = [
        own if len(pids) == count else f"процессов {count}, pid {len(pids)}",
        f"кто видит новое значение setting: {who(alike)}",
        f"кто принимает лямбду: {who(taking)}",
        slower(facts.rounds, counted),
        zombies(facts.deaths),
    ]
    lines = table(facts.deaths, counted or facts.rounds)
    lines += [f"процессов разрешено пользователю: {facts.limit}", ""]
    for text in texts:
        lines.append(fill(f"Вывод: {text}.", 80, subsequent_indent="  "))
    return lines


def main() -> None:
    print(f"{INTERPRETER}, способ запуска: {get_start_method()}\n")
    methods = sorted(get_all_start_methods())
    change_setting()
    parent = Person("родитель", os.getpid(), os.getppid(), setting, "")
    children = []
    for method in methods:
        pid, its_parent, seen = ask_child(method)
        answer = try_lambda(method)
        children.append(Person(method, pid, its_parent, seen, answer))
    print(*family(parent, children), sep="\n")

    print("\nот start() до первой строки ребёнка; точка — круг: ", end="")
    rounds = []
    for one in experiment(methods):
        rounds.append(one)
        print(".", end="", flush=True)
    print()
    facts = Facts(parent, children, endings(methods), rounds, process_limit())
    print(*report(facts), sep="\n")


# --- Служебное: одно и то же во всех файлах ---------------------------------
HAS_AFFINITY = hasattr(os, "sched_getaffinity")  # нет в Windows и macOS
CORES = len(os.sched_getaffinity(0)) if HAS_AFFINITY else os.cpu_count() or 1
GIL = sys.version_info < (3, 13) or sys._is_gil_enabled()
STATE = "включён" if GIL else "выключен"
SYSTEM = {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, "Linux")
VERSION = sys.version.split()[0]
INTERPRETER = f"Python {VERSION}, GIL {STATE}, {SYSTEM}, ядер: {CORES}"
DIRECT = sys.argv[0] not in ("", "-") and sys._getframe().f_back is None
if (DIRECT and not sys.flags.inspect) or __name__ == "__mp_main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C завершает сразу всех
if __name__ == "__main__":
    if "я".encode(sys.stdout.encoding, "replace") == b"?":  # нет кириллицы
        sys.stdout.reconfigure(encoding="utf-8")
    if not DIRECT:  # IDLE, Jupyter, отладчик, python3 < файл
        print("Запустите прямо в терминале: python3 имя_файла.py")
        sys.exit(1)
    sys.stdout.reconfigure(errors="replace", line_buffering=True)
    main()
