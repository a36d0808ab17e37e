"""How far is each address that a customer typed from a candidate of the register? The nearest one will be offered."""

import multiprocessing
import os

todo = []


def distance(typed, candidate):
    """How many letters must be inserted, deleted or replaced, at least, to make one text of the other."""
    above = list(range(len(candidate) + 1))
    for row, letter in enumerate(typed, start=1):
        current = [row]
        for column, other in enumerate(candidate, start=1):
            cost = above[column - 1]
            if letter != other:
                cost = 1 + min(cost, above[column], current[column - 1])
            current.append(cost)
        above = current
    return above[-1]


def distance_at(place):
    """The distance of the pair at this place of the list that the worker has inherited."""
    return distance(*todo[place])


def distances(pairs):
    """Return the distance of each (typed, candidate) pair, in the order of the pairs."""
    todo[:] = pairs
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        try:
            return pool.map(distance_at, range(len(pairs)))
        finally:
            pool.close()
            pool.join()


if __name__ == "__main__":
    STREETS = ["Neue Lindengasse", "Obere Hauptstrasse", "Am Alten Markt", "Langer Kirchenweg", "Fliederallee", "Bahnhofplatz"]
    TYPED = ["%s %d" % (STREETS[number % 6], 1 + number % 90) for number in range(100)]
    REGISTER = ["%s %d" % (STREETS[number * number % 6], 1 + number * 3 % 80) for number in range(100)]
    FOUND = distances([(typed, candidate) for typed in TYPED for candidate in REGISTER])
    print(len(FOUND), "pairs,", FOUND.count(0), "the same, on average", sum(FOUND) / len(FOUND), "letters apart")
