"""Банк переводит деньги с одного счёта на другой в нескольких потоках, и деньги пропадают.

Что увидите: на счетах не то, что должно быть; и вместе там было 3000, а осталось другое число.

Задание. Скопируйте этот файл в my.py и исправьте transfer(): деньги не должны ни пропадать, ни
появляться. Но разрешения, медленные, потоки должны ждать одновременно. Потом проверьте:
python3 tests/homework.py 2 my.py

Проверка вызовет transfer_all(approve, balances, transfers) много раз:
    approve    её собственная медленная функция: approve(who, whom, amount) вернёт True, если
               перевод разрешён, иначе False;
    balances   словарь «имя: сколько денег»;
    transfers  список переводов (who, whom, amount): от кого, кому и сколько.
Надо выполнить все разрешённые переводы, меняя сам словарь balances; остаток может стать и меньше
нуля. Возвращать ничего не надо. Когда transfer_all() вернулась, её потоки должны уже закончиться.
"""

from threading import Thread
from time import sleep


def slow_yes(who, whom, amount):
    """Разрешить всё, но не сразу."""
    sleep(0.01)
    return True


def transfer(approve, balances, who, whom, amount):
    """Один перевод."""
    before_who, before_whom = balances[who], balances[whom]
    if approve(who, whom, amount):
        balances[who] = before_who - amount
        balances[whom] = before_whom + amount


def transfer_all(approve, balances, transfers):
    """Все переводы, каждый в своём потоке."""
    threads = [Thread(target=transfer, args=(approve, balances, *one)) for one in transfers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    balances = {"Аня": 1000, "Боря": 1000, "Вера": 1000}
    transfers = [("Аня", "Боря", 30), ("Боря", "Вера", 20), ("Вера", "Аня", 10)] * 5
    transfer_all(slow_yes, balances, transfers)
    print("должно быть: {'Аня': 900, 'Боря': 1050, 'Вера': 1050} вместе 3000")
    print("вышло:      ", balances, "вместе", sum(balances.values()))
