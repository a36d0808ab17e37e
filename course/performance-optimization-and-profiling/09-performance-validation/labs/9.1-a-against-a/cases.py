"""Cabinets as source text, on which old and new can be run a limited number of times, in any order, at a known difference.

All about a cabinet is in its name, for who knows how to read it: the judge sees arguments and answer only.
"""

import hashlib
import math
import random as random_module

SAME = 2.0                                 # per cent
VERDICTS = ("faster", "slower", "same", "not settled")
SAID_TO_DIFFER = 5                         # one in so many pairs of identical versions may be
MISSED = 6                                 # one in so many intervals may be beside the truth
WIDER = 1.8                                # than noise alone makes a 95 % interval; on average, where no run is special
T = 2.05                                   # of which this is Student's t

MACHINE = '''from math import exp
from random import Random

RUNS = @RUNS@
LUCK = Random()
WARMER, PHASE = LUCK.choice((-1, 1)) * @DRIFT@, LUCK.randrange(4)
done = 0


def run(version):
    global done
    if done == RUNS:
        raise RuntimeError("the cabinet is shipped after %d runs" % RUNS)
    beside = @BESIDE@ if (done + PHASE) % @EVERY@ == 0 else 0.0
    log = WARMER * done + @COLD@ * exp(-done / @FADES@) + beside + LUCK.gauss(0, @NOISE@)
    done += 1
    return {"old": @OLD@, "new": @NEW@}[version] * exp(log)
'''

RHYTHMS = (                                # every so many runs one is slower; 0: none is
    (0, "that get warmer or cooler all the time"),
    (2, "on which every second run is slower"),
    (4, "on which every fourth run is slower"),
)
CHANGES = ((0, 0), (0, 0), (0.025, 0.05), (0.08, 0.25))  # of the logarithm of the time, in either direction
KINDS = len(RHYTHMS) * len(CHANGES)


def number_of(name):
    return int.from_bytes(hashlib.sha256(("a against a: " + name).encode()).digest()[:8], "big")


class Cabinet:
    """What is true of the cabinet with this name; all but seconds and runs is in logarithms of time."""

    def __init__(self, name):
        random, kind = random_module.Random(number_of(name)), number_of(name) % KINDS
        self.every, self.special = RHYTHMS[kind % len(RHYTHMS)]
        self.change = random.choice((-1, 1)) * random.uniform(*CHANGES[kind // len(RHYTHMS)])
        self.runs, self.seconds = 4 * random.randrange(14, 21), 10 ** random.uniform(-3, 0.3)
        self.noise, self.drift = 10 ** random.uniform(-2.6, -1.25), random.uniform(0.002, 0.006)
        self.cold, self.fades = random.uniform(0.15, 0.5), random.uniform(0.7, 1.3)
        self.beside = max(0.03, 2 * self.noise) * random.uniform(1, 1.5) if self.every else 0.0

    def source(self):
        text = MACHINE
        for word, value in (("RUNS", self.runs), ("EVERY", self.every or 1)):
            text = text.replace("@%s@" % word, "%d" % value)
        for word, value in (("DRIFT", self.drift), ("BESIDE", self.beside), ("COLD", self.cold), ("FADES", self.fades),
                            ("NOISE", self.noise), ("OLD", self.seconds), ("NEW", self.seconds * math.exp(self.change))):
            text = text.replace("@%s@" % word, "%.9f" % value)
        return text

    def width(self):
        """How wide a 95 % interval for the change is, if all that differs from pair to pair is noise."""
        return 2 * T * self.noise * math.sqrt(2 / (self.runs / 2))


def named(random, kind):
    while True:
        name = "%08x" % random.getrandbits(32)
        if number_of(name) % KINDS == kind:
            return name, Cabinet(name).source()


def case(random, size):
    made = [named(random, place % KINDS) for place in range(size)]
    random.shuffle(made)
    return (made,)


def edges():
    return [([],)]


def is_report(said):
    return (type(said) is tuple and len(said) == 3 and said[0] in VERDICTS
            and all(type(end) is float and -100 < end < math.inf for end in said[1:]) and said[1] <= said[2])


def follows(verdict, low, high):
    """Whether the interval bears the verdict out. Of a small change that is certain, two verdicts are true."""
    true = {"faster": high < 0, "slower": low > 0, "same": -SAME < low and high < SAME}
    return true.get(verdict, not any(true.values()))


def most_on(names):
    """The kind of cabinet that occurs most often among these."""
    specials = [Cabinet(name).special for name in names]
    return "%d of them on cabinets %s" % max((specials.count(special), special) for _, special in RHYTHMS)


def judge(args, answer):
    (given,) = args
    if type(answer) is not list or len(answer) != len(given) or not all(map(is_report, answer)):
        return "a list of %d tuples (verdict, low, high) is wanted, low and high floats in per cent" % len(given)
    differ, missed, wider = [], [], []
    for (name, _), (verdict, low, high) in zip(given, answer):
        if not follows(verdict, low, high):
            return "%s: %r doesn't follow from an interval of %+.2f to %+.2f %%" % (name, verdict, low, high)
        cabinet = Cabinet(name)
        low, high = math.log1p(low / 100), math.log1p(high / 100)
        if not cabinet.every:
            wider.append((high - low) / cabinet.width())
        if cabinet.change == 0 and not low <= 0 <= high:
            differ.append(name)
        if not low <= cabinet.change <= high:
            missed.append(name)
    equal = sum(Cabinet(name).change == 0 for name, _ in given)
    if len(differ) * SAID_TO_DIFFER > equal:
        return "of %d pairs of identical versions %d differ, by these intervals; 1 in %d is allowed. %s" % (
            equal, len(differ), SAID_TO_DIFFER, most_on(differ))
    if len(missed) * MISSED > len(given):
        return "%d of %d intervals don't hold the true change; 1 in %d is allowed. %s" % (
            len(missed), len(given), MISSED, most_on(missed))
    if sum(wider) > WIDER * len(wider):
        return "on average the intervals are %.1f times as wide as the noise alone makes them, where no run is special; %.1f is allowed" % (
            sum(wider) / len(wider), WIDER)
    return None
