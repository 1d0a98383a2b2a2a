"""Два процесса берут фотографии из очереди, уменьшают и кладут в другую. Но конца этому нет.

Что увидите: «начали», и программа висит. Завершите её клавишами Ctrl-C; в Windows
может понадобиться Ctrl-Break или закрыть окно.

Задание. Скопируйте этот файл в my.py и исправьте: процессы должны узнавать, что фотографий больше
не будет, и заканчиваться сами, а shrink_all() должна возвращать все уменьшенные фотографии.
Потом проверьте: python3 tests/homework.py 5 my.py

Проверка вызовет shrink_all(shrink, photos):
    shrink  её собственная функция от одной фотографии; её можно отправить в процесс;
    photos  список фотографий, каждая — байты (bytes), сотни килобайт.
Вернуть надо список уменьшенных фотографий, в любом порядке. Уменьшать должны хотя бы два процесса.
Когда shrink_all() вернула ответ, её процессы должны уже закончиться.
"""

from multiprocessing import Process, Queue


def every_second_byte(photo):
    """Уменьшить фотографию вдвое."""
    return photo[::2]


def worker(shrink, photos, small):
    """Процесс: брать фотографии из одной очереди, класть уменьшенные в другую."""
    while True:
        small.put(shrink(photos.get()))


def shrink_all(shrink, photos):
    """Уменьшить все фотографии двумя процессами."""
    queue, small = Queue(), Queue()
    workers = [Process(target=worker, args=(shrink, queue, small)) for _ in range(2)]
    for process in workers:
        process.start()
    for photo in photos:
        queue.put(photo)
    for process in workers:
        process.join()
    return [small.get() for _ in photos]


if __name__ == "__main__":
    print("начали", flush=True)
    photos = [bytes(300_000) for _ in range(8)]
    print("уменьшено фотографий:", len(shrink_all(every_second_byte, photos)))
