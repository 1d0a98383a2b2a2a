"""Сколько разных слов в каждом письме? Письма считаются одно за другим, и занято одно ядро.

Что увидите: ответы на три письма через секунду-другую, а потом ValueError. Одно пустое письмо,
и ответы на остальные пропали.

Задание. Скопируйте этот файл в my.py и исправьте count_all(): пусть письма считают процессы,
несколько писем сразу, и пусть пустое письмо не губит остальных. Потом проверьте:
python3 tests/homework.py 1 my.py

Проверка вызовет count_all(count, letters):
    count    её собственная медленная функция от одного письма; её можно отправить в процесс;
    letters  список писем.
Вернуть надо список ответов в том же порядке, что и письма. Если на каком-то письме count()
вызвала ValueError, на его месте должно стоять None. Когда count_all() вернула ответ, её
процессы должны уже закончиться.
"""

from time import perf_counter


def count_words(letter):
    """Сколько в письме разных слов. Медленно: каждое сравнивается со всеми прежними."""
    if not letter:
        raise ValueError("пустое письмо")
    found = []
    for word in letter.split():
        if word not in found:
            found.append(word)
    return len(found)


def count_all(count, letters):
    """Ответы на все письма, по порядку."""
    return [count(letter) for letter in letters]


if __name__ == "__main__":
    letters = [" ".join(map(str, range(size))) for size in (9_000, 8_000, 7_000)]
    begin = perf_counter()
    print("разных слов:", count_all(count_words, letters))
    print(f"секунд: {perf_counter() - begin:.1f}")
    print("и ещё пустое письмо:", count_all(count_words, [*letters, ""]))
