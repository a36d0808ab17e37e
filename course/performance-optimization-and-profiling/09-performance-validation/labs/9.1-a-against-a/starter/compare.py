"""The workshop's comparison: does the new simulation of the ball take another time than the old one, on this cabinet?

A cabinet is source text that defines
    RUNS: how many runs there are before it is shipped;
    run(version): the seconds that one run takes now, of version "old" or "new".
It is loaded once.
"""

import statistics

SAME = 2.0  # per cent: nobody at the flippers notices less


def loaded(source):
    """The names that a cabinet defines."""
    names = {}
    exec(source, names)
    return names


def timings(cabinet):
    """Old and new times in seconds."""
    half = cabinet["RUNS"] // 2
    old = [cabinet["run"]("old") for _ in range(half)]
    new = [cabinet["run"]("new") for _ in range(half)]
    return old, new


def report(source):
    """(verdict, low, high): what is said about new, and the change of its time in per cent, from low to high."""
    old, new = timings(loaded(source))
    change = 100 * (statistics.mean(new) / statistics.mean(old) - 1)
    if change < -SAME:
        verdict = "faster"
    else:
        verdict = "slower" if change > SAME else "same"
    return verdict, change, change


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
