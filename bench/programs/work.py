"""The shared workload: JSON, regular expressions, sorting with a key function,
recursion and generators, at a mean stack depth of about seven.

Arguments: see pace.py.
"""

import json
import random
import re
import sys

from pace import Pace

LOG_LINE = re.compile(r"(?P<level>\w+) (?P<part>[a-z.]+): (?P<text>.*?) in (?P<ms>\d+) ms")


class Node:
    __slots__ = ("value", "left", "right")

    def __init__(self, value):
        self.value = value
        self.left = None
        self.right = None

    def insert(self, value):
        side = "left" if value < self.value else "right"
        below = getattr(self, side)
        if below is None:
            setattr(self, side, Node(value))
        else:
            below.insert(value)

    def walk(self):
        if self.left is not None:
            yield from self.left.walk()
        yield self.value
        if self.right is not None:
            yield from self.right.walk()

    def depth(self):
        left = self.left.depth() if self.left is not None else 0
        right = self.right.depth() if self.right is not None else 0
        return 1 + max(left, right)


def make_records(rng, count):
    return [
        {
            "id": number,
            "name": "item-%05d" % rng.randrange(99999),
            "tags": [rng.choice("abcdefgh") * 3 for _ in range(4)],
            "size": {"w": rng.randrange(500), "h": rng.randrange(500)},
        }
        for number in range(count)
    ]


def make_log(rng, count):
    return [
        "%s %s: %s in %d ms"
        % (
            rng.choice(("INFO", "WARN", "DEBUG")),
            rng.choice(("db.pool", "http", "cache.disk")),
            rng.choice(("query done", "reply sent", "entry dropped")),
            rng.randrange(900),
        )
        for _ in range(count)
    ]


def round_trip(records):
    text = json.dumps(records, sort_keys=True)
    return json.loads(text, object_hook=note_size)


def note_size(entry):
    if "w" in entry:
        entry["area"] = area(entry)
    return entry


def area(entry):
    return entry["w"] * entry["h"]


def by_area_then_name(record):
    return (record["size"]["area"], short_name(record))


def short_name(record):
    return record["name"].partition("-")[2]


def parse_log(lines):
    totals = {}
    for line in lines:
        match = LOG_LINE.match(line)
        if match:
            add_to(totals, match.group("part"), int(match.group("ms")))
    return totals


def add_to(totals, part, ms):
    totals[part] = totals.get(part, 0) + ms


def squares(values):
    for value in values:
        yield value * value


def only_odd(values):
    for value in values:
        if value & 1:
            yield value


def stream(count):
    return sum(only_odd(squares(range(count))))


def paths(grid, x, y):
    """Ways from a corner to (x, y), counted the long way round."""
    if x == 0 or y == 0:
        return 1
    return paths(grid, x - 1, y) + paths(grid, x, y - 1)


def one_round(records, lines, values):
    items = round_trip(records)
    items.sort(key=by_area_then_name)
    totals = parse_log(lines)
    tree = Node(values[0])
    for value in values[1:]:
        tree.insert(value)
    ordered = list(tree.walk())
    return len(items) + sum(totals.values()) + ordered[0] + tree.depth() + stream(400) + paths(None, 5, 5)


def main(argv):
    rng = random.Random(7)
    records = make_records(rng, 40)
    lines = make_log(rng, 120)
    values = [rng.randrange(10000) for _ in range(100)]
    pace = Pace(argv)
    pace.start()
    while True:
        one_round(records, lines, values)
        if not pace.more():
            break
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
