"""The gate of the nightly build: is the new version of a function slower than the base revision?"""

import math
import statistics

T = 6


def is_slower(base, new):
    """Whether these timings, in seconds, show that the new version is slower.

    base[i] and new[i] were taken directly one after the other; which of them came first changes from pair to pair.
    """
    logs = [math.log(after / before) for before, after in zip(base, new)]
    middle = statistics.median(logs)
    spread = statistics.median(abs(value - middle) for value in logs)
    return middle * math.sqrt(len(logs)) / spread > T


def decisions(recordings):
    """Return the gate's answer for each recording; a recording is (name, base, new)."""
    return [is_slower(base, new) for _, base, new in recordings]


if __name__ == "__main__":
    import random

    def practice(factor, rng):
        """A recording of a machine that drifts, is throttled for a while, and is disturbed now and then."""
        base, new, state = [], [], 1.0
        for pair in range(20):
            if rng.random() < 0.5:
                state = rng.choice((1.0, 2.2))
            for side, change in ((base, 1.0), (new, factor)):
                disturbed = rng.choice((3, 10, 0.6)) if rng.random() < 0.08 else 1
                side.append(0.02 * change * state * disturbed * (1 + 0.004 * pair) * rng.lognormvariate(0, 0.03))
        return "practice", base, new

    RNG = random.Random(9)
    SLOW = decisions([practice(1.5, RNG) for _ in range(500)])
    EQUAL = decisions([practice(1.0, RNG) for _ in range(500)])
    print("finds %.1f %% of the slow ones, %.1f %% false alarms" % (SLOW.count(True) / 5, EQUAL.count(True) / 5))
