"""The workloads of the capstone: one for each kind of work that parcelflow does, and a whole day.

A scenario is a pair of functions: `make(random, size)` gives its input, and `play(flow, given, folder)` plays it on the
module `parcelflow.flow` and returns what was observed, as plain data. What depends on chance, such as the order in which
things end that run at the same time, is not part of it. size is 1 for measuring and smaller for trying something out.

The inputs hold what such programs trip over: equal distances, times on a boundary, repeats, damaged lines, stamps without
leading zeros, tariffs that change at midnight or are published in the middle of a day, queries that fail or are given up.
"""

import asyncio
import json
import os

DAY = 24 * 60
DAYS = 60
ZONES = ("Z1", "Z2", "Z3", "Z4", "Z5")
SIDE = 1000  # of the square in which everything lies; small enough for equal distances


def count(size, full, least=3):
    return max(least, int(full * size))


def moment(random):
    """A minute; often a midnight or one beside it."""
    if random.random() < 0.2:
        return random.randrange(1, DAYS) * DAY + random.choice((-1, 0, 1))
    return random.randrange(DAYS * DAY)


def make_depots(random, number):
    return [["D%03d" % place, random.randrange(SIDE), random.randrange(SIDE)] for place in random.sample(range(1000), number)]


def make_windows(random, depots, number):
    windows = []
    for place in random.sample(range(number), number):
        opens = moment(random) if random.random() < 0.5 else random.randrange(DAYS * 24) * 60
        windows.append([place, random.choice(depots)[0], opens, opens + random.choice((0, 60, 600, 2000))])
    return windows


# B1


def make_places(random, size):
    depots = make_depots(random, count(size, 150, 40))
    points = [(random.randrange(SIDE), random.randrange(SIDE)) for _ in range(count(size, 7000))]
    for left, right in zip(depots[:-20:2], depots[1:-20:2]):  # two that are equally far from a point between them
        apart = random.randrange(1, 9)
        right[1:] = [left[1] + 2 * apart, left[2]]
        points.append((left[1] + apart, left[2]))
    windows = make_windows(random, depots, count(size, 800)) + make_windows(random, depots[:1], 40)  # many in one place
    visits = [(random.choice(depots)[0], random.randrange(DAYS * 24) * 60) for _ in range(count(size, 7000))]
    for window in windows[:100]:  # on both ends, and just beyond
        visits += [(window[1], minute) for minute in (window[2] - 1, window[2], window[3], window[3] + 1)]
    visits.append(("D-none", 60))
    return depots, points, windows, visits


def play_places(flow, given, folder):
    depots, points, windows, visits = given
    return [flow.locate(points, depots), flow.windows_open(visits, windows)]


# B2


def scanner_line(random, parcel, kind, minute, flags):
    return json.dumps({
        "parcel": parcel, "kind": kind, "minute": minute, "x": random.randrange(SIDE), "y": random.randrange(SIDE),
        "grams": random.randrange(50, 32000, 50), "zone": random.choice(ZONES), "extra": {"flags": flags},
    })


DAMAGED = ("", "{", "[]", "7", '{"parcel": "P1"}', '{"label": 5}', '{"kind": "seen", "stamp": null, "x": 1, "y": 2}')


def make_scanner_lines(random, number, cash_share):
    """Each parcel is seen some times and then arrives; a tenth of the lines come again, some are damaged."""
    moves = []
    for place in range(number):
        parcel = "P%05d" % place
        minutes = sorted(moment(random) for _ in range(random.randrange(1, 5)))
        for step, minute in enumerate(minutes, 1):
            moves.append((minute, parcel, "arrive" if step == len(minutes) else random.choice(("seen", "sorted"))))
    moves.sort(key=lambda move: move[0])
    lines = []
    for minute, parcel, kind in moves:
        flags = ["cash"] if kind == "arrive" and random.random() < cash_share else []
        lines.append(scanner_line(random, parcel, kind, minute, flags))
        if random.random() < 0.1:
            lines.append(random.choice(lines[-50:]))
        if random.random() < 0.01:
            lines.append(random.choice(DAMAGED))
    return lines


def make_loads(random, number, rounds):
    return [("P%06d" % random.randrange(10**6), random.randrange(1, rounds)) for _ in range(number)]


def make_intake(random, size):
    return make_scanner_lines(random, count(size, 1150), 0), make_loads(random, count(size, 26000), 5)


def play_intake(flow, given, folder):
    lines, loads = given
    return [flow.take_in(lines, 450), flow.sort_belt(loads)]


# B3


def make_courier_lines(random, number):
    """Lines of some couriers who write often and of many who write once."""
    often = ["KQ%d" % place for place in range(20)]
    lines = []
    for place in range(number):
        courier = "C%04d.%d" % (random.randrange(3000), random.randrange(10)) if random.random() < 0.12 else random.choice(often)
        digits = "%05d" % random.randrange(100000)
        check = sum(map(int, digits)) % 10
        hour, minute, second = random.choice((0, 17, 18, 23, 9)), random.choice((0, 1, 30, 59)), random.choice((0, 59))
        stamp = "2024-%02d-%02dT%02d:%02d:%02d" % (random.randrange(1, 3), random.randrange(1, 29), hour, minute, second)
        record = {"kind": random.choice(("held", "moved")), "x": 1, "y": 2}
        chance = random.random()
        if chance < 0.01:
            stamp = "2024-%d-%dT%d:%d:%d" % (random.randrange(1, 3), random.randrange(1, 9), hour, minute, second)
        elif chance < 0.02:
            stamp = random.choice(("2024-02-30T10:00:00", "2024-W09-5T12:30:00", "2024-03-01T12:30+01", "2024-03-01 12:30:00", ""))
        elif chance < 0.03:
            check = (check + 1) % 10
        elif chance < 0.04:
            record["grams"] = 50 * random.randrange(1, 600)
        elif chance < 0.05:
            record["courier"] = "KQ"
        record["stamp"] = stamp
        record["label"] = "%s-%s-%d" % (courier, digits, check)
        record.setdefault("courier", courier)
        lines.append(json.dumps(record))
        if random.random() < 0.005:
            lines.append(random.choice(DAMAGED))
    return lines


def make_corrections(random, size):
    return make_courier_lines(random, count(size, 9000))


def play_corrections(flow, given, folder):
    return flow.correct(given)


# B4


def make_history(random, size):
    return random.getrandbits(64), count(size, 36000)


def moves_of(seed, parcels):
    """(parcel, minute, depot, whether it has arrived), some hundred parcels under way at a time. Made as they are used."""
    state = seed | 1
    under_way = []
    minute = 0
    for place in range(parcels):
        under_way.append(["P%06d" % place, 0])
        for _ in range(5):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            chosen = (state >> 33) % len(under_way)
            parcel = under_way[chosen]
            parcel[1] += 1
            minute += (state >> 60) & 1
            arrived = parcel[1] >= 5 and len(under_way) > 300
            if arrived:
                under_way[chosen] = under_way[-1]
                under_way.pop()
            yield parcel[0], minute, "D%03d" % (state >> 40 & 255), arrived
            if not under_way:
                break
    for parcel, _ in under_way:
        yield parcel, minute + 7, "D-end", True


def play_history(flow, given, folder):
    return flow.follow(moves_of(*given))


# B5


def make_version(random, number, day):
    return [number, day, random.randrange(200, 600), {zone: random.randrange(1, 9) for zone in ZONES}]


def make_prices(random, size):
    days = sorted(random.sample(range(1, DAYS), min(DAYS - 1, count(size, 40))))
    versions = [make_version(random, number, day) for number, day in enumerate(days)]
    versions += [make_version(random, 100 + number, random.randrange(1, DAYS)) for number in range(count(size, 90))]
    versions += [make_version(random, 300 + number, day) for number, day in enumerate(days[::2])]  # two for one day
    random.shuffle(versions)
    asks = []
    for place in range(count(size, 10000)):
        asks.append(("price", random.choice(ZONES), random.choice((0, 99, 100, 101, 29999, 30000, 40000, 777)), moment(random)))
        if random.random() < 0.004:
            asks.append(("publish", make_version(random, 1000 + place, random.randrange(1, DAYS))))
            asks.append(asks[-2])
    return versions, asks


def play_prices(flow, given, folder):
    return flow.price(*given)


# B6


def make_legs(random, stops):
    """From each stop to eight others."""
    names = ["S%03d" % place for place in range(stops)]
    legs = []
    for place, start in enumerate(names):
        for end in random.sample(names[:place] + names[place + 1:], 8):
            legs.append([start, end, [random.randrange(2, 30) for _ in range(24)]])
    return legs


def make_routes(random, size, number, stops, length):
    legs = make_legs(random, max(12, int(stops * size)))
    onward = {}
    for start, end, _ in legs:
        onward.setdefault(start, []).append(end)
    routes = []
    for _ in range(number):
        route = [random.choice(legs)[0]]
        for _ in range(length):
            back = len(route) > 1 and route[-2] in onward[route[-1]] and random.random() < 0.3
            route.append(route[-2] if back else random.choice(onward[route[-1]]))
        routes.append((route, random.randrange(24)))
    return routes, legs


def make_scores(random, size):
    return make_routes(random, size, count(size, 1600), 40, 120)


def play_scores(flow, given, folder):
    return flow.score(*given)


# B7


class Backend:
    """Takes its time, refuses what is too much at once, and has no answer for some parcels."""

    def __init__(self, error, delay, most):
        self.error, self.delay, self.most = error, delay, most
        self.running = 0

    async def __call__(self, kind, parcel):
        if self.running >= self.most:
            raise self.error("too many at once")
        self.running += 1
        try:
            await asyncio.sleep(self.delay * (20 if parcel.startswith("far") else 1))
            if parcel.startswith("lost"):
                raise self.error("%s is lost" % parcel)
            return sum(parcel.encode()) % 97 + (5 if kind == "zone" else 1000)
        finally:
            self.running -= 1


def make_forms(random, number):
    words = ["".join(random.choice("aeiklmnorst") for _ in range(7)) for _ in range(50)]
    texts = []
    for place in range(number):
        lines = [" ".join(random.choice(words) for _ in range(8)) for _ in range(6)]
        texts.append("form%d\n%s\nto: PARCEL" % (place, "\n".join(lines)))
    return "\n\n".join(texts)


def make_desk(random, size):
    waves = []
    for number in range(count(size, 6, 2)):
        wave = [{"ask": "label", "form": "form%d" % random.randrange(4), "parcel": "P%d" % place} for place in range(count(size, 10, 2))]
        for _ in range(2):
            wave.append({"ask": "quotes", "parcels": ["P%d" % random.randrange(10**5) for _ in range(count(size, 24, 12))]})
        if number % 2:
            wave[-1]["parcels"][2] = "lost%d" % number
        wave.append(random.choice(({"ask": "weather"}, {"ask": "label", "form": "none", "parcel": "P1"}, {"ask": "quotes"})))
        waves.append(wave)
    return waves, [make_forms(random, count(size, 2500, 5)), make_forms(random, count(size, 2500, 5))]


def replace_file(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


async def play_waves(flow, given, folder):
    waves, forms = given
    path = os.path.join(folder, "forms.txt")
    backend = Backend(flow.BackendError, 0.002, 16)
    desk = flow.open_desk(path, backend)
    told = []
    for number, wave in enumerate(waves):
        if number in (0, len(waves) // 2):
            replace_file(path, forms[number > 0])
        told.append(await asyncio.gather(*(desk.answer(query) for query in wave)))
        told.append([desk.active, backend.running])
    # One that fails: when its answer is there, nothing of it may still be running.
    told.append([await desk.answer({"ask": "quotes", "parcels": ["P1", "lost1", "far2", "far3", "P4"]}), backend.running])
    # One that is given up in the middle: it must end at once, and leave nothing behind.
    query = asyncio.ensure_future(desk.answer({"ask": "quotes", "parcels": ["P%d" % place for place in range(40)]}))
    await asyncio.sleep(0.003)
    query.cancel()
    ended = await asyncio.gather(query, return_exceptions=True)
    told.append([type(ended[0]).__name__, desk.active, backend.running])
    told.append(await desk.answer({"ask": "quotes", "parcels": ["P5", "P6"]}))
    return told


def play_desk(flow, given, folder, beat=None):
    """beat, if given, is called in the loop about every two milliseconds, so that a caller sees how long it was held up."""

    async def play():
        async def beats():
            while True:
                beat()
                await asyncio.sleep(0.002)

        pulse = asyncio.ensure_future(beats()) if beat else None
        try:
            return await play_waves(flow, given, folder)
        finally:
            if pulse:
                pulse.cancel()

    return asyncio.run(play())


# B8


def make_journal(random, size):
    records = [{"parcel": "P%05d" % place, "cents": random.randrange(10**6)} for place in range(count(size, 120, 12))]
    records[1]["note"] = "zwölf\nZeilen \u2028 \"und\" mehr"
    return records


class SyncWatch:
    """Counts what is synced to the disk while it is entered."""

    def __enter__(self):
        self.syncs = 0
        self.kept = os.fsync, os.fdatasync
        os.fsync, os.fdatasync = (self.counted(function) for function in self.kept)
        return self

    def counted(self, function):
        def sync(descriptor):
            self.syncs += 1
            return function(descriptor)

        return sync

    def __exit__(self, *error):
        os.fsync, os.fdatasync = self.kept


def whole_lines(path):
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def play_journal(flow, given, folder):
    """A kill takes what the process holds, not what the file holds already: so reading the file shows what would be left."""
    path = os.path.join(folder, "journal.jsonl")
    with open(path, "wb") as file:
        file.write(b'{"parcel": "P0"}\n{"parcel": "torn')
    told = []
    with SyncWatch() as watch:
        journal = flow.open_journal(path)
        for place, record in enumerate(given):
            journal.append(record)
            if place % 7 == 0:
                told.append(whole_lines(path))
            if place % 12 == 11:
                before = watch.syncs
                journal.commit()
                told.append(watch.syncs > before)
        journal.commit()
        told.append(journal.records())
        journal.close()
    again = flow.open_journal(path)
    again.append({"parcel": "P1"})
    told.append(len(again.records()))
    again.close()
    with open(path, "rb") as file:
        told.append(file.read().decode("utf-8"))
    return told


# The whole day


def make_day(random, size):
    depots = make_depots(random, count(size, 150))
    routes, legs = make_routes(random, size, count(size, 450), 40, 120)
    return {
        "lines": make_scanner_lines(random, count(size, 900), 0.06),
        "corrections": make_courier_lines(random, count(size, 5000)),
        "depots": depots,
        "windows": make_windows(random, depots, count(size, 900)),
        "versions": [make_version(random, number, number // 2) for number in range(2 * DAYS)],
        "loads": make_loads(random, count(size, 20000), 5),
        "routes": routes,
        "legs": legs,
    }, make_history(random, 0.6 * size)


def play_day(flow, given, folder):
    feed, moves = given
    told = [flow.run_day(folder, feed), flow.follow(moves_of(*moves))]
    for name in ("journal.jsonl", "report.txt"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            told.append(file.read())
    return told


SCENARIOS = {
    "places": (make_places, play_places),
    "intake": (make_intake, play_intake),
    "corrections": (make_corrections, play_corrections),
    "history": (make_history, play_history),
    "prices": (make_prices, play_prices),
    "scores": (make_scores, play_scores),
    "desk": (make_desk, play_desk),
    "journal": (make_journal, play_journal),
    "day": (make_day, play_day),
}
