"""The workshop's comparison: does the new simulation of the ball take another time than the old one, on this cabinet?

A cabinet is source text that defines
    RUNS: how many runs there are before it is shipped;
    run(version): the seconds that one run takes now, of version "old" or "new".
It is loaded once.
"""

import math
import statistics

SAME = 2.0  # per cent: nobody at the flippers notices less
COLD = 8    # runs after which a cabinet is in its stride
T = 2.06    # 97.5 % point of Student's t for 24 values and more


def loaded(source):
    """The names that a cabinet defines."""
    names = {}
    exec(source, names)
    return names


def timings(cabinet):
    """Old and new times in seconds, taken in turns."""
    for _ in range(COLD):
        cabinet["run"]("new")
    half = (cabinet["RUNS"] - COLD) // 2
    taken = [(cabinet["run"]("old"), cabinet["run"]("new")) for _ in range(half)]
    return tuple(zip(*taken))


def interval(old, new):
    """From where to where the change is, in per cent, with 95 % confidence."""
    logs = [math.log(after / before) for before, after in zip(old, new)]
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    return [100 * math.expm1(statistics.fmean(logs) + side * T * error) for side in (-1, 1)]


def report(source):
    """(verdict, low, high): what is said about new, and the change of its time in per cent, from low to high."""
    low, high = interval(*timings(loaded(source)))
    if max(-low, high) < SAME:
        verdict = "same"
    elif low <= 0 <= high:
        verdict = "not settled"
    else:
        verdict = "slower" if low > 0 else "faster"
    return verdict, low, high


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
