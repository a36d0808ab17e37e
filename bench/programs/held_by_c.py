"""Generators that C drives, and that no frame holds: an enumerate, a zip or a
map does, or, where C has made one of an object's __iter__, only C itself.

Each function drives 2,000 steps of one, some 50 nanoseconds each; they take
turns. Arguments: those of pace.py.
"""

import itertools
import sys

from pace import Pace

STEPS = 2000


class Bag:
    def __iter__(self):
        for i in range(STEPS):
            yield i


class Sack:
    def __iter__(self):
        for i in range(STEPS):
            yield i


def for_enumerate():
    for i in range(STEPS):
        yield i


def for_zip():
    for i in range(STEPS):
        yield i


def for_map():
    for i in range(STEPS):
        yield i


def for_chain():
    for i in range(STEPS):
        yield i


def for_sum():
    for i in range(STEPS):
        yield i


def by_enumerate():
    for _ in enumerate(for_enumerate()):
        pass


def by_zip():
    for _ in zip(for_zip(), range(STEPS)):
        pass


def by_map():
    list(map(str, for_map()))


def by_chain():
    list(itertools.chain(for_chain()))


def by_keys():
    dict.fromkeys(Bag(), 1)


def by_list():
    list(Sack())


def by_sum():
    sum(for_sum())


def by_join():
    ",".join(str(i) for i in range(STEPS))


DRIVERS = (by_enumerate, by_zip, by_map, by_chain, by_keys, by_list, by_sum, by_join)


def main(argv):
    pace = Pace(argv)
    pace.start()
    while True:
        for drive in DRIVERS:
            drive()
        if not pace.more():
            break
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
