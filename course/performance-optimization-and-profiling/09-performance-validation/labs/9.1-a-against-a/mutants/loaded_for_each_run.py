"""The workshop's comparison: does the new simulation of the ball take another time than the old one, on this cabinet?

A cabinet is source text that defines
    RUNS: how many runs there are before it is shipped;
    run(version): the seconds that one run takes now, of version "old" or "new".
It is loaded once.
"""

import math
import random
import statistics

SAME = 2.0  # per cent: nobody at the flippers notices less
T = 2.2     # 97.5 % point of Student's t for 12 values; for 18 it is 2.1


def loaded(source):
    """The names that a cabinet defines."""
    names = {}
    exec(source, names)
    return names


def changes(source):
    """The change from old to new, as a logarithm, once for each block of four runs in an order that is drawn."""
    found = []
    for _ in range(loaded(source)["RUNS"] // 4):
        times = {"old": 0.0, "new": 0.0}
        outer, inner = random.sample(("old", "new"), 2)
        for version in (outer, inner, inner, outer):
            times[version] += math.log(loaded(source)["run"](version)) / 2
        found.append(times["new"] - times["old"])
    return found


def interval(logs):
    """A 95 % interval for their mean, in per cent of the time."""
    middle, half = statistics.fmean(logs), T * statistics.stdev(logs) / math.sqrt(len(logs))
    return 100 * math.expm1(middle - half), 100 * math.expm1(middle + half)


def verdict(low, high):
    """What an interval for the change allows to be said."""
    if -SAME < low and high < SAME:
        return "same"
    if high < 0:
        return "faster"
    return "slower" if low > 0 else "not settled"


def report(source):
    """(verdict, low, high): what is said about new, and the change of its time in per cent, from low to high."""
    low, high = interval(changes(source))
    return verdict(low, high), low, high


def reports(cabinets):
    """Return the report on each cabinet, a (name, source) pair."""
    return [report(source) for _, source in cabinets]


if __name__ == "__main__":
    CABINET = """
from math import exp
from random import Random

RUNS, LUCK, done = 64, Random(NUMBER), 0

def run(version):
    global done
    assert done < RUNS, "the cabinet is shipped"
    done += 1
    return 0.02 * TIMES.get(version, 1) * exp(LUCK.gauss(0, 0.01) + SPECIAL)
"""
    PRACTICE = {
        "nothing special": "0",
        "gets warmer": "0.003 * done",
        "cold at first": "0.8 * 0.6 ** done",
        "every second run": "0.05 * (done % 2)",
        "every fourth run": "0.05 * (done % 4 == NUMBER % 4)",
    }

    def practice(special, new):
        """200 reports on cabinets of a kind, on which new takes so many times as long as old."""
        text = CABINET.replace("SPECIAL", special).replace("TIMES", "{'new': %r}" % new)
        return reports([(special, text.replace("NUMBER", str(number))) for number in range(200)])

    for NAME, SPECIAL in PRACTICE.items():
        DIFFER = [verdict in ("faster", "slower") for verdict, _, _ in practice(SPECIAL, 1)]
        FASTER = [verdict == "faster" for verdict, _, _ in practice(SPECIAL, 0.9)]
        print("%-17s A/A: %3.0f %% differ; a tenth faster: %3.0f %% found" % (NAME, sum(DIFFER) / 2, sum(FASTER) / 2))
