"""Planners as source text, on machines whose clock is wound by hand: what a call takes is known to the nanosecond.

What a bench may stumble over at a planner is in its name, for who knows how to read it: the judge sees arguments and answer only.
"""

import hashlib
import math
import random as random_module
import re
import statistics

GROUP = 12
TOLERANCE = 0.15
TRUTH_CALLS = 121

MACHINE = '''from random import Random

TICKS_A_SECOND = @TICKS@
NOW, LUCK = 0.0, Random(@LUCK@)


def clock():
    return int(NOW * TICKS_A_SECOND)


def PASS(seconds):
    global NOW
    NOW += seconds


def make_input(number):
    rng = Random(@SEED@ + 1000003 * number)
    stops = rng.randrange(24, 41) + rng.randrange(24, 41)
    PASS(stops * @MAKING@)
    return rng.sample(range(5000), stops)


'''
PLAIN = '''def replan(delays):
    FOUND = []
    for DELAY in delays:
        PASS(@COST@)
        FOUND.append(DELAY * 7 % 601)
    return FOUND
'''
LAZY = '''def replan(delays):
    for DELAY in delays:
        PASS(@COST@)
        yield DELAY * 7 % 601
'''
MAPPED = '''def LATER(DELAY):
    PASS(@COST@)
    return DELAY * 7 % 601


def replan(delays):
    PASS(@COST@)
    return map(LATER, delays)
'''
REMEMBERS = '''KNOWN = {}


def replan(delays):
    KEY = tuple(delays)
    if KEY not in KNOWN:
        FOUND = []
        for DELAY in delays:
            PASS(@COST@)
            FOUND.append(DELAY * 7 % 601)
        KNOWN[KEY] = FOUND
    PASS(@COST@)
    return KNOWN[KEY]
'''
SORTS = '''def replan(delays):
    LAST = 0
    for DELAY in delays:
        PASS(@COST@ * (1.6 if DELAY < LAST else 0.1))
        LAST = DELAY
    delays.sort()
    return delays
'''
DISTURBED = '''def replan(delays):
    FOUND = []
    SLOWER = 1.0 if LUCK.random() < 0.88 else LUCK.uniform(4, 20)
    for DELAY in delays:
        PASS(@COST@ * SLOWER)
        FOUND.append(DELAY * 7 % 601)
    return FOUND
'''
LOADS = '''KNOWN = {}


def replan(delays):
    FOUND = []
    if not KNOWN:
        PASS(@COST@ * 20000)
        KNOWN.update((DELAY, DELAY * 7 % 601) for DELAY in range(5000))
    for DELAY in delays:
        PASS(@COST@)
        FOUND.append(KNOWN[DELAY])
    return FOUND
'''
ALL = '''KNOWN = {}


def replan(delays):
    KEY = tuple(delays)
    if KEY not in KNOWN:
        KNOWN[KEY] = 1.0 if LUCK.random() < 0.88 else LUCK.uniform(4, 20)
        for DELAY in delays:
            PASS(@COST@ * KNOWN[KEY])
            yield DELAY * 7 % 601
    else:
        yield from delays
'''

QUICK, LONG = 1e-7, 3e-5                   # for each stop of an input, to make it
USUAL, OTHERS = 1_000_000_000, (3_579_545, 10_000_000, 24_000_000)
KINDS = (                                  # what a bench gets wrong at it, replan, seconds to make a stop, its clock
    ("nothing at all", PLAIN, QUICK, (USUAL,)),
    ("an input that takes long to make", PLAIN, LONG, (USUAL,)),
    ("inputs that it has met before, and remembers", REMEMBERS, QUICK, (USUAL,)),
    ("inputs that it leaves changed, and finds easier then", SORTS, QUICK, (USUAL,)),
    ("a clock that doesn't tick a thousand times a microsecond", PLAIN, QUICK, OTHERS),
    ("a machine that is disturbed in one call of eight", DISTURBED, QUICK, (USUAL,)),
    ("a first call that takes longer than all others", LOADS, QUICK, (USUAL,)),
    ("ints that are worked out when somebody asks for them", LAZY, QUICK, (USUAL,)),
    ("ints that are worked out when somebody asks for them, by map", MAPPED, QUICK, (USUAL,)),
    ("all of this at once", ALL, LONG, OTHERS),
)

NAMES = {
    "NOW": ("now", "elapsed", "gone_by"), "LUCK": ("luck", "mood", "weather"), "PASS": ("spend", "wait", "pass_by"),
    "FOUND": ("found", "later", "result"), "DELAY": ("delay", "stop", "late"), "KNOWN": ("known", "kept", "seen"),
    "KEY": ("key", "line", "morning"), "LAST": ("last", "before", "previous"), "SLOWER": ("slower", "factor", "load"),
    "LATER": ("departs", "shifted", "replanned"),
}


def kind_of(name):
    return hashlib.sha256(("the bench: " + name).encode()).digest()[0] % 16


def planner(random, kind):
    """(name, source), with identifiers and costs of its own."""
    _, replan, making, clocks = KINDS[kind]
    chosen = {"@TICKS@": str(random.choice(clocks)), "@SEED@": str(random.randrange(10**6)), "@LUCK@": str(random.randrange(10**6)),
              "@MAKING@": "%.2e" % (making * random.uniform(0.7, 1.4)), "@COST@": "%.2e" % random.uniform(2e-6, 9e-6)}
    chosen.update((word, random.choice(names)) for word, names in NAMES.items())
    source = re.sub(r"@[A-Z]+@|\b[A-Z]+\b", lambda found: chosen.get(found.group(), found.group()), MACHINE + replan)
    while True:
        name = "%08x" % random.getrandbits(32)
        if kind_of(name) == kind:
            return name, source


def group(random):
    """One planner of each kind, and some more."""
    kinds = [*range(len(KINDS)), *random.choices(range(len(KINDS)), k=GROUP - len(KINDS))]
    random.shuffle(kinds)
    return [planner(random, kind) for kind in kinds]


def case(random, size):
    return ([one for _ in range(size // GROUP) for one in group(random)],)


def edges():
    random = random_module.Random(93)
    return [([],), ([planner(random, 0)],)]


def truth(source):
    """The median in microseconds, of inputs that the learner's bench will hardly take."""
    names = {}
    exec(source, names)
    calls = []
    for number in range(10**6, 10**6 + TRUTH_CALLS):
        delays = names["make_input"](number)
        started = names["clock"]()
        for _ in names["replan"](delays):
            pass
        calls.append(names["clock"]() - started)
    return 1e6 * statistics.median(calls) / names["TICKS_A_SECOND"]


def judge(args, answer):
    (given,) = args
    if type(answer) is not list or len(answer) != len(given) or any(type(figure) not in (int, float) for figure in answer):
        return "a list of %d numbers is wanted, one for each planner" % len(given)
    wrong = []
    for (name, source), figure in zip(given, answer):
        true, kind = truth(source), kind_of(name)
        if not abs(figure - true) <= TOLERANCE * true:
            wrong.append((kind != len(KINDS) - 1, abs(math.log(max(figure, 1e-3) / true)), name, true, figure, kind))
    if wrong:                              # the one that is worst off, and of all at once only where no other is
        _, _, name, true, figure, kind = max(wrong)
        return "%d of %d are off: %s takes %.1f us, not %.1f. Special about it: %s" % (
            len(wrong), len(given), name, true, figure, KINDS[kind][0])
    return None
