#!/usr/bin/env python3
"""How often change points are found that are not there, and those found that are: src/stats/changes.c on made-up
histories. bench/README.md says how to read it."""

import argparse
import ctypes
import math
import os
import random
import sys

from harness.figures import say

LEAST, LEVEL = 5, 0.05
FLAT = (12, 20, 50, 100, 200, 400)
STEPS = ((50, 45), (100, 95), (200, 195), (50, 42), (200, 190), (50, 25))
NOISE = {
    "normal": lambda: random.gauss(0, 1),
    "t3": lambda: random.gauss(0, 1) / math.sqrt(random.gammavariate(1.5, 2) / 3),
    "log-normal": lambda: math.exp(random.gauss(0, 1)),
}


class Change(ctypes.Structure):
    _fields_ = [("at", ctypes.c_size_t), ("before", ctypes.c_double), ("after", ctypes.c_double), ("p", ctypes.c_double)]


def changes(library, x):
    found, count = ctypes.POINTER(Change)(), ctypes.c_size_t()
    data = (ctypes.c_double * len(x))(*x)
    status = library.stats_changes(data, ctypes.c_size_t(len(x)), ctypes.c_size_t(LEAST), ctypes.c_double(LEVEL),
                                   ctypes.byref(found), ctypes.byref(count))
    if status != 0:
        sys.exit("changes.py: stats_changes: %d" % status)
    places = [found[i].at for i in range(count.value)]
    ctypes.CDLL(None).free(found)
    return places


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=2000, help="made-up series a cell (default 2000)")
    parser.add_argument("--library", default=os.path.join(here, "..", "build", "tests", "libstats_for_tests.so"))
    options = parser.parse_args()
    if not os.access(options.library, os.R_OK):
        sys.exit("changes.py: no library at %s; run ./dev build" % options.library)
    library = ctypes.CDLL(options.library)
    random.seed(1)
    print("\nflat series, percent of %d that show a change\n" % options.series)
    print("| values | " + " | ".join(NOISE) + " |\n|---|" + "---|" * len(NOISE))
    for n in FLAT:
        say("flat, %d values" % n)
        rates = []
        for draw in NOISE.values():
            rates.append(sum(bool(changes(library, [draw() for _ in range(n)])) for _ in range(options.series)))
        print("| %d | %s |" % (n, " | ".join("%.1f" % (100 * rate / options.series) for rate in rates)))
    print("\na step in normal noise, percent found within two values of it; another change beside it\n")
    print("| values | step before | 2 s.d. | 3 s.d. | 5 s.d. | another |\n|---|---|---|---|---|---|")
    for n, at in STEPS:
        say("step, %d values" % n)
        rates, others = [], 0
        for step in (2, 3, 5):
            hits = 0
            for _ in range(options.series):
                places = changes(library, [random.gauss(step * (i >= at), 1) for i in range(n)])
                hits += any(abs(place - at) <= 2 for place in places)
                others += len(places) > 1
            rates.append("%.1f" % (100 * hits / options.series))
        print("| %d | %d | %s | %.1f |" % (n, at, " | ".join(rates), 100 * others / options.series / 3))


main()
