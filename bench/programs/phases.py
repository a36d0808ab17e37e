"""The phases of work.py, each for some tens of microseconds, one after the other; at the end it says what part of the time
each took by its own clock, as JSON. A profile must give each the same.

Arguments: seconds.
"""

import json
import random
import sys
import time

import work


def phase_dumps(data):
    data.text = json.dumps(data.records, sort_keys=True)


def phase_loads(data):
    data.items = json.loads(data.text, object_hook=work.note_size)


def phase_sort(data):
    data.items.sort(key=work.by_area_then_name)


def phase_parse(data):
    work.parse_log(data.lines)


def phase_insert(data):
    data.tree = work.Node(data.values[0])
    for value in data.values[1:]:
        data.tree.insert(value)


def phase_walk(data):
    list(data.tree.walk())


def phase_depth(data):
    data.tree.depth()


def phase_stream(data):
    work.stream(400)


def phase_paths(data):
    work.paths(None, 5, 5)


PHASES = (phase_dumps, phase_loads, phase_sort, phase_parse, phase_insert, phase_walk, phase_depth, phase_stream, phase_paths)


class Data:
    def __init__(self, rng):
        self.records = work.make_records(rng, 40)
        self.lines = work.make_log(rng, 120)
        self.values = [rng.randrange(10000) for _ in range(100)]


def main(argv):
    data = Data(random.Random(7))
    spent = [0] * len(PHASES)
    clock = time.perf_counter_ns
    print("ready", flush=True)
    end = clock() + int(float(argv[1]) * 1e9)
    now = clock()
    while now < end:
        for number, phase in enumerate(PHASES):
            phase(data)
            then, now = now, clock()
            spent[number] += now - then
    print(json.dumps({phase.__name__: took / sum(spent) for phase, took in zip(PHASES, spent)}))


if __name__ == "__main__":
    main(sys.argv)
