"""Tests for fast versions of window_max: does one of them differ from what it promises?

window_max(readings, width) returns a new list, as long as readings: at each place the largest of the reading there and of the
width - 1 before it; of fewer at the beginning. Readings are ints, in a list that may be empty and that stays as it is. The
width is at least 1, and may be larger than the list.
"""

import random


def made_from(source):
    """The function window_max of a version's source text."""
    place = {}
    exec(source, place)
    return place["window_max"]


def plain(readings, width):
    """The slow version, plain enough to be believed."""
    return [max(readings[max(0, place - width + 1):place + 1]) for place in range(len(readings))]


def keeps_its_promise(window_max, readings, width):
    """Whether it gives the right answer for these readings, in a new list, and leaves the argument alone."""
    given = list(readings)
    try:
        found = window_max(given, width)
    except Exception:
        return False
    return found == plain(readings, width) and found is not given and given == readings


def drawn(rng):
    """Readings and a width that make ties, signs and borders likely; one in ten is long."""
    if rng.random() < 0.1:
        return [rng.randrange(-99, 99) for _ in range(rng.randrange(80, 150))], rng.randrange(1, 60)
    return [rng.randrange(-3, 4) for _ in range(rng.randrange(9))], rng.randrange(1, 12)


def differs(source):
    """Whether the version with this source breaks the promise of window_max for some input."""
    window_max = made_from(source)
    rng = random.Random(94)
    return not all(keeps_its_promise(window_max, *drawn(rng)) for _ in range(3_000))


def verdicts(versions):
    """Return for each version, a (name, source) pair, whether it differs."""
    return [differs(source) for _, source in versions]


if __name__ == "__main__":
    RIGHT = """
def window_max(readings, width):
    return [max(readings[max(0, place - width + 1):place + 1]) for place in range(len(readings))]
"""
    PRACTICE = {
        "right": RIGHT,
        "one too many": RIGHT.replace("place - width + 1", "place - width"),
        "looks ahead": RIGHT.replace("place + 1]", "place + 2]"),
        "stops at zero": RIGHT.replace("max(readings[", "max(0, *readings["),
    }
    for NAME, SOURCE in PRACTICE.items():
        print("%-14s %s" % (NAME, "differs" if differs(SOURCE) else "no difference found"))
