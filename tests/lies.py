"""Ложь, которую обязаны заметить тесты тех утверждений, что названы в её первой строке.

Строка с цифры — номер программы, утверждения, в чём ложь; «-» — что заменить, «+» — чем.
"""

from typing import NamedTuple


class Lie(NamedTuple):
    """Ложь: номер программы, на какие утверждения нападает, в чём состоит, что чем заменить."""

    number: int
    claims: list[str]
    pretends: str
    old: str
    new: str


TABLE = """
1 P1: разные pid не сосчитаны
-разных pid {len(pids)}
+разных pid {ROUNDS * len(births)}
1 P1: pid детей придуманы
-{pid:12}
+{os.getpid() - 1 - sorted(births).index(method):12}
1 P1 P2: чей ребёнок, решено по названию способа
-"мы" if parent == os.getpid() else "не мы"
+"не мы" if method == "forkserver" else "мы"
1 P2: кто видит setting, решено по названию способа
-if tries[-1][-1] == setting]
+if method == "fork"]
1 P2: что видит ребёнок, напечатано по названию способа
-        whose = "мы" if
+        seen = setting if method == "fork" else "исходное"
+        whose = "мы" if
1 M1: часы пущены после process.start()
-    start = perf_counter()
-    process.start()
+    process.start()
+    start = perf_counter()
1 M1: во сколько раз быстрее, известно заранее
-{cost[method] / cost[fastest]:.1f}
+{4.1 * len(method) ** 2 / 16:.1f}
1 R2: зомби или нет, решено по названию способа
-before = state(process.pid)
+before = "ничего" if method == "forkserver" else "зомби"
1 R2: после join() никто не смотрел
-before, state(process.pid)
+before, "ничего"
1 R2: код возврата решён по судьбе
-return process.exitcode, before
+return -9 if fate == "убит" else 0, before
1 R3: отказ напечатан без попытки
-    target = lambda: None
+    if method != "fork":
+        return "отказ, AttributeError: Can't pickle local object …"
+    target = lambda: None
1 M3: предел известен заранее
-os.sysconf("SC_CHILD_MAX") if
+127_235 if
2 P4 M2: содержимое у родителя — с копии, снятой до детей
-{original:19}{memory()}
+{original:19}{original}
2 P4 M2: вывод о родителе верен всегда
-"прежнее" if memory() == original else "новое"
+"прежнее"
2 P4: ребёнок говорит, что изменил, но не меняет
-    sender.send((os.getpid(), before, memory()))
+    sender.send((os.getpid(), before, "[1, 2, 3] {'x': 1, 'y': 2} 8"))
2 P4: pid родителя придуман
-{os.getpid():7}
+{os.getpid() - 3:7}
2 P5: Value увеличил сам родитель
-Value=(counter, value.value)
+Value=(counter, counter + 1)
2 P5: через что дошло, известно заранее
-for name, (old, new) in seen.items() if old != new]
+for name in seen]
2 R1: общий блок заполнен один раз, до кругов
-        data = bytes([number]) * block.size  # все байты равны номеру круга
-        begin = perf_counter()
-        queue.put(data)  # упаковать (pickle), пропустить через канал, распаковать
-        by_queue = receiver.recv()
-        middle = perf_counter()
-        block.buf[:] = data  # записать в сам блок: он виден обоим
+        data = bytes([1]) * block.size
+        block.buf[:] = data if number == 1 else block.buf[:]
+        number = 1
+        begin = perf_counter()
+        queue.put(data)
+        by_queue = receiver.recv()
+        middle = perf_counter()
2 R1: через очередь идёт один байт
-queue.put(data)  # упаковать
+sleep(0.06), queue.put(data[-1:])  # упаковать
2 R1: очередь перед отправкой дремлет
-        queue.put(data)  # упаковать
+        sleep(0.05), queue.put(data)  # упаковать
2 M5: что дошло от убитого, известно заранее
-        return received, type(error).__name__
+        return 3, "OSError"
3 P6a: занято ядро — всегда ровно одно
-{run.busy:.2f} из
+{1:.2f} из
3 P6a: ответы не сверены
-right = sum(r.primes == ANSWERS[r.limit] for r in records)
+right = len(records)
3 P6a: напечатан ответ, который известен, а не тот, что получен
-{r.primes:9}
+{ANSWERS[r.limit]:9}
3 P6a: порядок заданий известен заранее
-f"внахлёст {overlaps} раз" if overlaps else "строго одно за другим"
+"строго одно за другим"
3 P6a: сколько раз отняли ядро, придумано
-раз: {run.preempted}
+раз: {len(run.records) // 2}
4 P6b: перед каждым заданием базы — дремота
-if n else [work(job) for job in jobs]))
+if n else [__import__("time").sleep(0.01) or work(job) for job in jobs]))
4 P6b: занято ядер столько, сколько их есть
-[f"{run.busy:.2f}" for run in best.values()]
+[f"{min(max(n, 1), CORES) - 0.03 * n:.2f}" for n in best]
4 P6b: ответы не сверены
-right = sum(r.primes == ANSWERS[r.limit] for r in records)
+right = len(records)
4 P6b: ускорение — от худшего круга базы
-alone, run, more = min(runs[0]),
+alone, run, more = max(runs[0]),
4 P6b: ускорение в таблице — от худшего круга базы
-f"{best[0].seconds / run.seconds:.2f}" for
+f"{max(runs[0]).seconds / run.seconds:.2f}" for
4 O1: одновременно, что бы ни измерено
-    if cores > 1 and run.busy < 1.3:
-        return ["второе ядро не досталось, судить нельзя: закройте лишнее и повторите"]
-    together = "шли одновременно" if run.busy > 1.3 else "шли попеременно"
+    together = "шли одновременно"
4 O1: шкала нарисована не по времени
-        left, right = round((r.begin - start) / column), round((r.end - start) / column)
+        left = width // 3 * ("ABCDEF".index(letter) // 2)
+        right = left + width // 3
4 O1 R4: pid на шкале придуманы
-f"pid {pid:<8}|
+f"pid {os.getpid() - 1 - list(rows).index(pid):<8}|
4 R4: сколько сделал каждый, поделено поровну
-{done.count(pid)}
+{len(done) // len(rows)}
4 R4: задания розданы заранее, а не взяты из очереди
-pool.map(work, jobs, timeout=25)
+pool.map(work, jobs, timeout=25, chunksize=max(1, len(jobs) // workers))
4 M3 M4: вытеснения придуманы
-    return getrusage(RUSAGE_SELF).ru_nivcsw
+    return round(process_time() * 90)
4 M3 M4: лишние процессы не помогают, что бы ни измерено
-"стало быстрее" if ratio < 0.8 else "заметно быстрее не стало"
+"заметно быстрее не стало"
5 T1: к запуску процесса добавлено 10 мс
-    return 1000 * (perf_counter() - begin)
+    return 1000 * (perf_counter() - begin) + 10 * (kind is Process)
5 T1: процесс общий, что бы ни записано
-"процесс у них общий" if len(pids) == 1 else f"процессов {len(pids)}"
+"процесс у них общий"
5 T1: во сколько раз дольше, известно заранее
-{process / thread:.1f}
+{11.3:.1f}
5 T1: номера потоков придуманы
-поток {thread:<8}|
+поток {os.getpid() - 7 - len(rows):<8}|
5 T2: очередь хода — не измерена, а взята из настроек
-turn = median(run.turns or [1000 * run.seconds])
+turn = 1000 * sys.getswitchinterval()
5 T2: через сколько можно потребовать GIL, известно заранее
-{1000 * sys.getswitchinterval():g}
+{5:g}
5 T2 O2: шкала нарисована не по записям
-        row = "".join(" ░▒▓█"[min(4, round(4 * share))] for share in worked)
+        row = (("███▓    " * 2)[4 * (len(rows) % 2) :] * width)[:width]
5 O2: попеременно, что бы ни измерено
-    if run.busy > 1.3:
+    if run.busy > cores + 1:
5 O2 T3: занято ядер столько, сколько учит урок
-[f"{run.busy:.2f}" for run in best]
+[f"{0.98 + 0.01 * len(run.notes):.2f}" for run in best]
5 T3: смены потока не сосчитаны, а прикинуты
-len(handovers), turns
+round(seconds / 0.009) if workers > 1 else 0, turns
5 T3: ответы не сверены
-right = sum(primes == ANSWER for own in notes.values() for _, primes in own)
+right = portions
5 T3: ускорение — от худшего круга одного потока
-f"ускорение {alone.seconds / run.seconds:.2f};
+f"ускорение {max(one).seconds / run.seconds:.2f};
6 T4: кто сколько записал, поделено поровну
-{[*own.values()]}
+{[len(taken) // workers] * workers}
6 T5a: потери без замка придуманы
-lost[way].append(total - counted)
+lost[way].append((total * (3 + number) // 9) if way is without_lock else total - counted)
6 T5a: сколько должно быть обновлений, известно заранее
-list(totals.values()))
+[7840, 7840, 800000])
6 T5a: доля потерь — из худшего круга
-{sum(shares) / ROUNDS:.0f}
+{max(shares):.0f}
6 T5a: counter += 1 ничего не теряет, что бы ни измерено
-counter += 1 потерял {sum(lost[plus_one])}
+counter += 1 потерял {0}
6 T5b: потери под замком напечатаны нулём
-lost[way].append(total - counted)
+lost[way].append(0 if way is with_lock else total - counted)
6 T5b: цена замка — по худшему кругу
-min(times[with_lock]) / min(
+max(times[with_lock]) / min(
6 T5b: время — не лучшее, а последнее
-f"{min(tries):.2f}"
+f"{tries[-1]:.2f}"
6 T5c: выданное дважды не сосчитано
-{len(taken) - once}
+{0}
6 T5c: потерянное в очереди не сосчитано
-{ITEMS - once}
+{0}
7 T6 T7: ускорение — от худшего круга базы
-f"{seconds / run.seconds:.2f}" for
+f"{max(alone).seconds / run.seconds:.2f}" for
7 T6 T6x T7: ускорение в выводе — от худшего круга базы
-min(alone).seconds / min(tries).seconds,
+max(alone).seconds / min(tries).seconds,
7 T6 T6x: занято ядер столько, сколько учит урок
-[f"{run.busy:.2f}" for run in best]
+[f"{busy:.2f}" for busy in (0.98, 0.97, 1.9, 1.9)[: len(best)]]
7 T6: потоки не ускоряют счёт, что бы ни измерено
-(busy > 1.3 or not counting)
+(busy > 1.3 and way != "потоки" or not counting)
7 T6x: хеш в потоках ускорен, что бы ни измерено
-        if speedup > 1.1 and (
+        if (kind, way) == ("счёт в C", "потоки") or speedup > 1.1 and (
7 T6 T6x: ответы не сверены
-    if set(answers) != {right}:
+    if not answers:
7 O3: под именем потоков работают процессы
-partial(in_pool, futures.ThreadPoolExecutor(JOBS))
+partial(in_pool, processes)
7 O3 T6: столбцы названы наоборот
-print_row("", list(ways)[1:])
+print_row("", list(ways)[:0:-1])
7 T7: сервер отвечает сразу
-await asyncio.sleep(DELAY)
+await asyncio.sleep(DELAY / 3)
7 T7: вместо ответа сервера — сон
-    with socket.create_connection(address, timeout=10) as conn, conn.makefile() as file:
-        return file.read()
+    __import__("time").sleep(DELAY)
+    return "OK"
7 T7: корутины ждут не ответа, а будильника
-    reader, writer = await asyncio.open_connection(*address)
-    answer = await reader.read()
-    writer.close()
-    return answer.decode()
+    await asyncio.sleep(DELAY)
+    return "OK"
7 T7: сколько потоков ждало, известно заранее
-(min(runs[way]).threads for way in ("потоки", "корутины"))
+(JOBS, 1)
7 T7: ожидание ускоряют все, что бы ни измерено
-        if speedup > 1.1 and (
+        if not counting or speedup > 1.1 and (
"""


def parse(table: str) -> list[Lie]:
    """Разобрать таблицу: заголовок, строки с «-», строки с «+»."""
    lies: list[Lie] = []
    for line in table.strip("\n").splitlines():
        if line[0].isdigit():
            claims, pretends = line[2:].split(": ", 1)
            lies.append(Lie(int(line[0]), claims.split(), pretends, "", ""))
        elif line[0] == "-":
            lies[-1] = lies[-1]._replace(old="\n".join([*filter(None, [lies[-1].old]), line[1:]]))
        else:
            lies[-1] = lies[-1]._replace(new="\n".join([*filter(None, [lies[-1].new]), line[1:]]))
    return lies


LIES = parse(TABLE)
