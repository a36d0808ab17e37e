"""Recordings of timings with a known truth: half of them of a version that takes 1.5 times as long, half of equal ones.

The truth is in the recording's name, for who knows how to read it: the judge sees arguments and answer only.
"""

import hashlib
import math
import random as random_module

SLOWER = 1.5
FOUND, FALSE = 37 / 40, 3 / 40              # at least, and at most, of either kind


def is_slow(name):
    return hashlib.sha256(("write a gate: " + name).encode()).digest()[0] % 2 == 1


def name_for(random, slow):
    while True:
        name = "%08x" % random.getrandbits(32)
        if is_slow(name) == slow:
            return name


def timings(random, change):
    """(base, new) in seconds, taken in turns on a machine that drifts, is throttled at times, and has other things to do."""
    seconds = 10 ** random.uniform(-3, 0.3)
    noise, drift = random.uniform(0.02, 0.1), random.gauss(0, 0.006)
    throttled, rests = random.uniform(1.8, 2.6), random.uniform(0.4, 0.6)
    state, place = 1.0 if random.random() < 0.5 else throttled, 0
    base, new = [], []
    for pair in range(random.randrange(20, 33)):
        if random.random() < 0.5:
            state = 1.0 if random.random() < rests else throttled
        sides = ((base, 1.0), (new, change))
        for side, factor in sides if pair % 2 == 0 else sides[::-1]:
            value = seconds * factor * state * math.exp(drift * place + random.gauss(0, noise))
            kind = random.random()
            if kind < 0.08:
                value *= 1 + min(30, random.expovariate(0.12))      # something else had the processor
            elif kind < 0.11:
                value *= random.uniform(0.5, 0.7)                   # everything was still in a cache
            side.append(value)
            place += 1
    return base, new


def recordings(random, slow, equal, change=1.0):
    made = [(name_for(random, True), *timings(random, SLOWER)) for _ in range(slow)]
    made += [(name_for(random, False), *timings(random, change)) for _ in range(equal)]
    random.shuffle(made)
    return made


def case(random, size):
    return (recordings(random, size // 2, size - size // 2),)


def coarse(random, slow):
    """A clock that ticks every 10 ms: most of its readings are the same."""
    def side(ticks):
        return [0.01 * (ticks + (random.random() < 0.05)) for _ in range(20)]
    return name_for(random, slow), side(6), side(9 if slow else 6)


def edges():
    random = random_module.Random(92)
    return [
        ([],),
        ([coarse(random, place % 2 == 1) for place in range(20)],),
        (recordings(random, 0, 20, change=1 / SLOWER),),            # faster is not slower
    ]


def judge(args, answer):
    (given,) = args
    if type(answer) is not list or len(answer) != len(given) or any(type(said) is not bool for said in answer):
        return "a list of %d bools is wanted, one for each recording" % len(given)
    slow = [said for (name, _, _), said in zip(given, answer) if is_slow(name)]
    equal = [said for (name, _, _), said in zip(given, answer) if not is_slow(name)]
    if slow.count(True) < FOUND * len(slow):
        return "finds %d of %d recordings that are 1.5 times as slow; 37 in 40 are wanted (and %d false alarms in %d)" % (
            slow.count(True), len(slow), equal.count(True), len(equal))
    if equal.count(True) > FALSE * len(equal):
        return "%d false alarms in %d recordings that are not slower; 3 in 40 are allowed (and %d of %d slow ones found)" % (
            equal.count(True), len(equal), slow.count(True), len(slow))
    return None
