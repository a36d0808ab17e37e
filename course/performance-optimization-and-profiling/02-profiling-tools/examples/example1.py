"""Plan a day of parcel routes over a city's tram stops.

A CPU-bound program, made to be profiled.  Before you run a profiler, read it
once from top to bottom and write down the function in which you think most
of the time goes, and how large its share is.  Then measure:

    pitviper run example1.py

An optional argument sets the number of delivery rounds (default 400).
"""

import heapq
import random
import re
import sys

LINES = (
    "amber", "black", "blue", "brown", "coral", "green", "grey",
    "ivory", "lime", "orange", "pink", "red", "violet", "white",
)
STOPS_A_LINE = 22
ORDERS_A_ROUND = 12
DEFAULT_ROUNDS = 400

SCAN = re.compile(
    r"^(?P<time>\d\d:\d\d)\s+(?P<sender>[A-Za-z]+-\s*\d+)"
    r"\s*->\s*(?P<receiver>[A-Za-z]+-\s*\d+)\s+(?P<grams>\d+)g$"
)


class Stop:
    """A tram stop.  Scanners spell lines as they please: Red, RED, red."""

    def __init__(self, line, number):
        self.line = line
        self.number = number

    def key(self):
        return (" ".join(self.line.split()).casefold(), self.number)

    def __eq__(self, other):
        return isinstance(other, Stop) and self.key() == other.key()

    def __hash__(self):
        return hash(self.key())

    def __str__(self):
        return "%s-%d" % (self.line.capitalize(), self.number)


class City:
    """Stops joined by track, each stretch with its minutes of travel."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tracks = {}
        for name in LINES:
            for number in range(1, STOPS_A_LINE):
                self.join(Stop(name, number), Stop(name, number + 1))
        for _ in range(len(LINES) * 3):
            first, second = self.random.sample(LINES, 2)
            self.join(
                Stop(first, self.random.randint(1, STOPS_A_LINE)),
                Stop(second, self.random.randint(1, STOPS_A_LINE)),
            )
        for first, second in zip(LINES, LINES[1:]):
            self.join(Stop(first, 1), Stop(second, 1))

    def join(self, first, second):
        minutes = self.random.randint(2, 9)
        self.tracks.setdefault(first, []).append((second, minutes))
        self.tracks.setdefault(second, []).append((first, minutes))

    def scan_lines(self, count):
        """Lines as the hand scanners write them, in their random spelling."""
        spell = (str.lower, str.upper, str.title)
        for index in range(count):
            ends = []
            for _ in range(2):
                name = self.random.choice(spell)(self.random.choice(LINES))
                ends.append("%s-%d" % (name, self.random.randint(1, STOPS_A_LINE)))
            yield "%02d:%02d %s -> %s %dg" % (
                6 + index * 12 // count,
                self.random.randrange(60),
                ends[0],
                ends[1],
                self.random.randint(50, 9000),
            )


def parse_scan(text):
    match = SCAN.match(text)
    if match is None:
        raise ValueError("not a scan line: %r" % text)
    ends = []
    for field in ("sender", "receiver"):
        line, number = match.group(field).split("-")
        ends.append(Stop(line, int(number)))
    return ends[0], ends[1], int(match.group("grams"))


def fastest_route(city, start, goal):
    """Dijkstra's algorithm: the minutes, and the stops on the way."""
    best = {start: 0}
    came_from = {}
    done = set()
    queue = [(0, 0, start)]
    pushed = 0
    while queue:
        minutes, _, stop = heapq.heappop(queue)
        if stop in done:
            continue
        done.add(stop)
        if stop == goal:
            break
        for neighbour, travel in city.tracks[stop]:
            total = minutes + travel
            if neighbour not in best or total < best[neighbour]:
                best[neighbour] = total
                came_from[neighbour] = stop
                pushed += 1
                heapq.heappush(queue, (total, pushed, neighbour))
    route = [goal]
    while route[-1] != start:
        route.append(came_from[route[-1]])
    route.reverse()
    return best[goal], route


def price_in_cents(grams, minutes, changes):
    base = 290 + 45 * changes
    for limit, extra in ((500, 0), (1000, 110), (2000, 240), (5000, 480)):
        if grams <= limit:
            return base + extra + 6 * minutes
    return base + 900 + 6 * minutes


def deliver_round(city, totals):
    for text in city.scan_lines(ORDERS_A_ROUND):
        start, goal, grams = parse_scan(text)
        minutes, route = fastest_route(city, start, goal)
        lines = [str(stop).split("-")[0] for stop in route]
        changes = sum(1 for here, after in zip(lines, lines[1:]) if here != after)
        totals["parcels"] += 1
        totals["minutes"] += minutes
        totals["changes"] += changes
        totals["cents"] += price_in_cents(grams, minutes, changes)
        for stop in route[1:-1]:
            totals["passing"][str(stop)] = totals["passing"].get(str(stop), 0) + 1


def main(argv):
    rounds = int(argv[1]) if len(argv) > 1 else DEFAULT_ROUNDS
    city = City(seed=20)
    totals = {"parcels": 0, "minutes": 0, "changes": 0, "cents": 0, "passing": {}}
    for _ in range(rounds):
        deliver_round(city, totals)
    busiest = sorted(totals["passing"].items(), key=lambda item: (-item[1], item[0]))
    print("%d stops, %d parcels" % (len(city.tracks), totals["parcels"]))
    print("%d minutes on the way, %d changes" % (totals["minutes"], totals["changes"]))
    print("income %d.%02d" % divmod(totals["cents"], 100))
    print("busiest: " + ", ".join("%s (%d)" % pair for pair in busiest[:3]))


if __name__ == "__main__":
    main(sys.argv)
