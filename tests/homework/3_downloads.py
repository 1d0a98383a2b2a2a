"""Страницы скачиваются одна за другой, а первая же неудача прекращает всё.

Что увидите: четыре страницы за две секунды, а потом OSError: одна страница не нашлась,
и остальные пропали.

Задание. Скопируйте этот файл в my.py и исправьте download_all(): пусть страницы скачиваются
одновременно, но не больше пяти сразу, а неудача одной не мешает остальным. Годятся и потоки,
и корутины (asyncio.to_thread). Потом проверьте:
python3 tests/homework.py 3 my.py

Проверка вызовет download_all(download, addresses):
    download   её собственная медленная функция: download(address) вернёт страницу или вызовет
               OSError; это обычная функция, а не корутина, и в процесс её не отправить;
    addresses  список адресов, все разные.
Вернуть надо два значения, pages и failed: словарь «адрес: страница» и список адресов, которые
не скачались. Когда download_all() вернулась, её потоки должны уже закончиться.
"""

from time import perf_counter, sleep


def slow_page(address):
    """Страница, но не сразу."""
    sleep(0.5)
    if "нет" in address:
        raise OSError(f"не отвечает {address}")
    return f"текст страницы {address}"


def download_all(download, addresses):
    """Скачанные страницы и адреса, по которым скачать не удалось."""
    pages = {}
    failed = []
    for address in addresses:
        pages[address] = download(address)
    return pages, failed


if __name__ == "__main__":
    begin = perf_counter()
    print(download_all(slow_page, ["/дом", "/сад", "/лес", "/море"]))
    print(f"секунд: {perf_counter() - begin:.1f}")
    print(download_all(slow_page, ["/дом", "/нет", "/лес", "/море"]))
