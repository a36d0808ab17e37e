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


def keeps_its_promise(window_max, readings, width):
    """Whether the answer for these readings looks right."""
    found = window_max(readings, width)
    return len(found) == len(readings) and all(largest >= reading for largest, reading in zip(found, readings))


def differs(source):
    """Whether the version with this source breaks the promise of window_max for some input."""
    return False


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
