"""Два повара, один нож и одна доска. Рано или поздно каждый возьмёт что-то одно и ждёт другого.

Что увидите: сколько-то строк «готово», и программа повисла. Завершите её клавишами Ctrl-C, два
раза; в Windows может понадобиться Ctrl-Break или закрыть окно.

Задание. Скопируйте этот файл в my.py и исправьте поваров: пусть оба, каждый в своём потоке,
всегда доводят дело до конца. И нож, и доску по-прежнему может держать только кто-то один. Потом
проверьте: python3 tests/homework.py 4 my.py

Проверка вызовет dinner(cook, knife, board, portions):
    cook          её собственная функция: cook("салат") или cook("суп") готовит одну порцию;
                  вызывать её можно, только пока держишь и нож, и доску;
    knife, board  два замка, такие же, как threading.Lock();
    portions      сколько приготовить порций салата и сколько порций супа.
Возвращать ничего не надо. Когда dinner() вернулась, её потоки должны уже закончиться.
"""

from threading import Lock, Thread
from time import sleep


def slow_cook(dish):
    """Приготовить одну порцию."""
    sleep(0.01)
    print("готово:", dish, flush=True)


def make_salad(cook, knife, board, portions):
    """Первый повар: взять нож, потом доску."""
    for _ in range(portions):
        with knife, board:
            cook("салат")


def make_soup(cook, knife, board, portions):
    """Второй повар: взять доску, потом нож."""
    for _ in range(portions):
        with board, knife:
            cook("суп")


def dinner(cook, knife, board, portions):
    """Оба повара работают одновременно."""
    cooks = [Thread(target=f, args=(cook, knife, board, portions)) for f in (make_salad, make_soup)]
    for thread in cooks:
        thread.start()
    for thread in cooks:
        thread.join()


if __name__ == "__main__":
    dinner(slow_cook, Lock(), Lock(), 1000)
    print("ужин готов")
