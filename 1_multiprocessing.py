"""Процессы: кто их порождает, что они наследуют, сколько стоят и чем кончаются.

Смотрите: у каждого процесса свой pid; то, что родитель изменил на ходу, видит
только ребёнок fork; между концом нашего ребёнка и join() остаётся зомби.
Попробуйте: в строке setting = "исходное" напишите другое слово. Кто его увидит?
"""

import os
import pickle
import platform
import signal
import sys
from argparse import ArgumentParser, RawTextHelpFormatter
from multiprocessing import get_all_start_methods, get_context, get_start_method
from multiprocessing.connection import wait
from statistics import median
from textwrap import shorten
from time import perf_counter, sleep

ROUNDS = 5  # сколько раз запустить процесс каждым способом

setting = "исходное"  # родитель изменит это значение на ходу; какое увидит ребёнок?


def introduce_myself(sender) -> None:
    """Ребёнок: первым делом засечь время, потом рассказать о себе родителю."""
    now = perf_counter()  # эти часы — общие для всех процессов
    sender.send((now, os.getpid(), os.getppid(), setting))


def give_birth(method: str) -> tuple[float, int, int, str]:
    """Породить процесс: мс от start() до его первой строки, его pid, pid родителя, setting.

    fork копирует родителя, spawn запускает новый Python, forkserver просит сервер — Python,
    запущенный при первой такой просьбе и не выполнявший main(), — скопировать себя.
    """
    context = get_context(method)  # всё, что есть в multiprocessing, но с этим способом запуска
    receiver, sender = context.Pipe(duplex=False)  # канал: пишут в sender, читают из receiver
    process = context.Process(target=introduce_myself, args=(sender,))
    start = perf_counter()
    process.start()
    sender.close()  # пишет теперь один ребёнок: умрёт — recv() не станет ждать, а даст ошибку
    now, pid, parent, seen = receiver.recv()
    process.join()
    return 1000 * (now - start), pid, parent, seen


def live(fate: str) -> None:
    """Ребёнок: прожить жизнь, какая досталась."""
    if fate == "убит":
        sleep(3)  # но столько прожить ему не дадут


def live_and_die(fate: str, method: str) -> tuple[int, str, str]:
    """Код возврата процесса и что от него осталось у нас до join() и после."""
    process = get_context(method).Process(target=live, args=(fate,))
    process.start()
    if fate == "убит":
        process.kill()  # в Linux и macOS это сигнал 9, отсюда код возврата -9
    wait([process.sentinel])  # ждать знака, что он кончился; о коде возврата пока не спрашивать
    before = state(process.pid)
    process.join()  # спросить код возврата; теперь система может о процессе забыть
    return process.exitcode, before, state(process.pid)


def state(pid: int) -> str:
    """Что осталось у нас от ребёнка, который кончился: зомби или ничего."""
    if not hasattr(os, "waitid"):
        return "не узнать"  # в Windows нет ни зомби, ни waitid; в macOS waitid есть с Python 3.13
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # дождаться конца, но зомби не убирать
        return "зомби"
    except ChildProcessError:  # у нас такого ребёнка уже нет; ребёнок forkserver и не был нашим
        return "ничего"


# --- Измерения и вывод -----------------------------------------------------------------


def try_lambda(method: str) -> str:
    """Что выйдет, если вместо функции дать процессу лямбду."""
    target = lambda: None
    process = get_context(method).Process(target=target)
    try:
        if sys.platform == "win32":
            pickle.dumps(target)  # иначе об ошибке напечатает ещё и начатый ребёнок
        process.start()
    except (AttributeError, pickle.PicklingError) as error:
        return f"отказ, {type(error).__name__}: {error}"
    process.join()
    return f"принята, код возврата {process.exitcode}"


def main() -> None:
    global setting
    ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter).parse_args()
    print(f"Python {platform.python_version()}, GIL {GIL}, {platform.system()}", end=", ")
    print(f"ядер: {CORES}, способ запуска: {get_start_method()}")

    setting = "изменено"
    print(f"\nродитель: pid {os.getpid()}, его родитель {os.getppid()}, setting = {setting!r}")
    print("способ запуска      pid   родитель          setting    до начала, медиана")
    births: dict[str, list] = {method: [] for method in sorted(get_all_start_methods())}
    for _ in range(ROUNDS):
        for method, tries in births.items():
            tries.append(give_birth(method))
    cost = {method: median(ms for ms, *_ in tries) for method, tries in births.items()}
    for method, tries in births.items():
        _, pid, parent, seen = tries[-1]
        whose = "мы" if parent == os.getpid() else "не мы"
        print(f"{method:11}{pid:12}   {parent:<8} {whose:8} {seen:10}{cost[method]:13.1f} мс")

    print("\nсудьба ребёнка   способ запуска   код возврата   до join()   после join()")
    zombies: list[str] = []
    for method, fate in [(method, "дошёл до конца") for method in births] + [("spawn", "убит")]:
        code, before, after = live_and_die(fate, method)
        print(f"{fate:17}{method:16}{code:>13}   {before:12}{after}")
        if before == "зомби" and method not in zombies:
            zombies.append(method)
    print()
    answers = {method: try_lambda(method) for method in births}
    for method, answer in answers.items():
        print(f"лямбда, {method:11}{shorten(answer, 61, placeholder=' …')}")
    limit = os.sysconf("SC_CHILD_MAX") if hasattr(os, "sysconf") else "система не сообщает"
    print(f"процессов разрешено пользователю: {limit if limit != -1 else 'без предела'}\n")
    pids = {pid for tries in births.values() for _, pid, _, _ in tries}
    seeing = [method for method, tries in births.items() if tries[-1][-1] == setting]
    taking = [method for method, answer in answers.items() if answer.startswith("принята")]
    fastest, *others = sorted(cost, key=cost.get)
    slower = [f"быстрее {method} в {cost[method] / cost[fastest]:.1f} раза" for method in others]
    for text in (
        f"опрошено детей {ROUNDS * len(births)}, разных pid {len(pids)}",
        f"новое значение setting видит: {', '.join(seeing) or 'никто'}",
        f"запуск {fastest} {', '.join(slower) or 'здесь единственный'}",
        f"лямбду принимает: {', '.join(taking) or 'никто'}",
        f"зомби до join() оставляют: {', '.join(zombies) or 'узнать нельзя'}",
    ):
        print(f"Вывод: {text.replace('.', ',')}.")


# --- Служебное: одно и то же во всех файлах ----------------------------------------------
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GIL = "включён" if sys.version_info < (3, 13) or sys._is_gil_enabled() else "выключен"
if __name__ in ("__main__", "__mp_main__"):  # в программе и в детях, которые импортируют её заново
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C завершает сразу — и родителя, и детей
if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):  # в IDLE его нет
        sys.stdout.reconfigure(errors="replace", line_buffering=True)  # нет буквы — будет «?»
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")  # без его предупреждений
    try:
        main()
    except (EOFError, ImportError, OSError, RuntimeError) as error:  # отказ системы, смерть детей
        print(f"Дальше не вышло: {type(error).__name__}: {error}", file=sys.stderr)
        os._exit(1)  # не дожидаясь детей: они кончатся вслед за нами
