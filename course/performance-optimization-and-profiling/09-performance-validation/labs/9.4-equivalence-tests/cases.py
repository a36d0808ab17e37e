"""Versions of window_max as source text: ten mutants and three that are right, in an order of their own each time.

Which is which is in a version's name, for who knows how to read it: the judge sees arguments and answer only.
"""

import hashlib
import re

GROUP, MUTANTS = 13, 10
RIGHT = 31                                 # the kind of those that are right; the others are places in BROKEN

QUEUE = '''from collections import deque


def window_max(readings, width):
    QUEUE, FOUND = deque(), []
    for PLACE, VALUE in enumerate(readings):
        while QUEUE and readings[QUEUE[-1]] <= VALUE:
            QUEUE.pop()
        QUEUE.append(PLACE)
        if QUEUE[0] <= PLACE - width:
            QUEUE.popleft()
        FOUND.append(readings[QUEUE[0]])
    return FOUND
'''
VALUES = '''from collections import deque


def window_max(readings, width):
    QUEUE, FOUND = deque(), []
    for PLACE, VALUE in enumerate(readings):
        if PLACE >= width and QUEUE[0] == readings[PLACE - width]:
            QUEUE.popleft()
        while QUEUE and QUEUE[-1] < VALUE:
            QUEUE.pop()
        QUEUE.append(VALUE)
        FOUND.append(QUEUE[0])
    return FOUND
'''
BLOCKS = '''def window_max(readings, width):
    COUNT = len(readings)
    LEFT, RIGHT = list(readings), list(readings)
    for PLACE in range(1, COUNT):
        if PLACE % width:
            LEFT[PLACE] = max(LEFT[PLACE], LEFT[PLACE - 1])
    for PLACE in range(COUNT - 2, -1, -1):
        if (PLACE + 1) % width:
            RIGHT[PLACE] = max(RIGHT[PLACE], RIGHT[PLACE + 1])
    return [LEFT[PLACE] if PLACE < width else max(LEFT[PLACE], RIGHT[PLACE - width + 1]) for PLACE in range(COUNT)]
'''
DOUBLING = '''def window_max(readings, width):
    FOUND, REACH = list(readings), 1
    while REACH < width:
        STEP = min(REACH, width - REACH)
        FOUND = [max(VALUE, FOUND[PLACE - STEP]) if PLACE >= STEP else VALUE for PLACE, VALUE in enumerate(FOUND)]
        REACH += STEP
    return FOUND
'''
SORTED = '''from bisect import bisect_left, insort


def window_max(readings, width):
    QUEUE, FOUND = [], []
    for PLACE, VALUE in enumerate(readings):
        insort(QUEUE, VALUE)
        if PLACE >= width:
            del QUEUE[bisect_left(QUEUE, readings[PLACE - width])]
        FOUND.append(QUEUE[-1])
    return FOUND
'''
PADDED = '''from collections import deque


def window_max(readings, width):
    LEFT = [0] * (width - 1) + readings
    QUEUE, FOUND = deque(), []
    for PLACE, VALUE in enumerate(LEFT):
        while QUEUE and LEFT[QUEUE[-1]] <= VALUE:
            QUEUE.pop()
        QUEUE.append(PLACE)
        if QUEUE[0] <= PLACE - width:
            QUEUE.popleft()
        if PLACE >= width - 1:
            FOUND.append(LEFT[QUEUE[0]])
    return FOUND
'''
FROM_THE_FIRST = '''from collections import deque


def window_max(readings, width):
    QUEUE, FOUND = deque([0]), [readings[0]]
    for PLACE in range(1, len(readings)):
        while QUEUE and readings[QUEUE[-1]] <= readings[PLACE]:
            QUEUE.pop()
        QUEUE.append(PLACE)
        if QUEUE[0] <= PLACE - width:
            QUEUE.popleft()
        FOUND.append(readings[QUEUE[0]])
    return FOUND
'''
BATCHES = '''from collections import deque


def window_max(readings, width):
    FOUND = []
    for COUNT in range(0, len(readings), 64):
        LEFT, QUEUE = readings[COUNT:COUNT + 64], deque()
        for PLACE, VALUE in enumerate(LEFT):
            while QUEUE and LEFT[QUEUE[-1]] <= VALUE:
                QUEUE.pop()
            QUEUE.append(PLACE)
            if QUEUE[0] <= PLACE - width:
                QUEUE.popleft()
            FOUND.append(LEFT[QUEUE[0]])
    return FOUND
'''

SOUND = (QUEUE, VALUES, BLOCKS, DOUBLING, SORTED)
EXPIRY = "        if QUEUE[0] <= PLACE - width:\n            QUEUE.popleft()\n"
HEAD = "def window_max(readings, width):\n"
BROKEN = (                                 # what it is wrong about, its source
    ("equal readings in one window", VALUES.replace("QUEUE[-1] < VALUE", "QUEUE[-1] <= VALUE")),
    ("readings below zero", PADDED),
    ("a width larger than the list", QUEUE.replace(
        HEAD, HEAD + "    if readings and width > len(readings):\n        return [max(readings)] * len(readings)\n")),
    ("the empty list", FROM_THE_FIRST),
    ("the list that it was given: it comes back changed", BLOCKS.replace(
        "    LEFT, RIGHT", "    if COUNT % width:\n        readings.extend(readings[-1:] * (width - COUNT % width))\n    LEFT, RIGHT")),
    ("the new list: at width 1 it is the argument itself", DOUBLING.replace(
        HEAD, HEAD + "    if width == 1:\n        return readings\n")),
    ("long lists", BATCHES),
    ("wide windows", QUEUE.replace(HEAD, HEAD + "    width = min(width, 24)\n")),
    ("one reading too many in the window", QUEUE.replace("QUEUE[0] <= PLACE - width", "QUEUE[0] < PLACE - width")),
    ("one reading too few in the window", QUEUE.replace("PLACE - width", "PLACE - max(1, width - 1)")),
    ("readings that should have left the window", QUEUE.replace(EXPIRY, "")),
    ("the call before, which it remembers", QUEUE.replace("(readings, width)", "(readings, width, QUEUE=deque())").replace(
        "QUEUE, FOUND = deque(), []", "FOUND = []")),
    ("the beginning, where it looks ahead", BLOCKS.replace(
        "LEFT[PLACE] if PLACE < width else max(LEFT[PLACE], RIGHT[PLACE - width + 1])",
        "max(LEFT[PLACE], RIGHT[max(0, PLACE - width + 1)])")),
    ("the borders of its blocks", BLOCKS.replace("if PLACE % width:", "if (PLACE + 1) % width:")),
)
CAREFUL = 8                                # of these at the top a careless test sees nothing

NAMES = {
    "QUEUE": ("queue", "kept", "candidates", "waiting"), "FOUND": ("found", "result", "out", "largest"),
    "PLACE": ("place", "i", "index", "at"), "VALUE": ("value", "reading", "x", "current"), "COUNT": ("count", "n", "size", "total"),
    "LEFT": ("left", "ahead", "prefix", "part"), "RIGHT": ("right", "behind", "suffix", "rest"),
    "REACH": ("reach", "covered", "span", "done"), "STEP": ("step", "shift", "jump", "more"),
}


def kind_of(name):
    return hashlib.sha256(("equivalence: " + name).encode()).digest()[0] % 32


def version(random, kind, source):
    """(name, source), with identifiers of its own."""
    chosen = {word: random.choice(names) for word, names in NAMES.items()}
    source = re.sub(r"\b[A-Z]+\b", lambda found: chosen.get(found.group(), found.group()), source)
    while True:
        name = "%08x" % random.getrandbits(32)
        if kind_of(name) == kind:
            return name, source


def group(random):
    kinds = random.sample(range(CAREFUL), 6) + random.sample(range(CAREFUL, len(BROKEN)), MUTANTS - 6)
    made = [version(random, kind, BROKEN[kind][1]) for kind in kinds]
    made += [version(random, RIGHT, source) for source in random.sample(SOUND, GROUP - MUTANTS)]
    random.shuffle(made)
    return made


def case(random, size):
    return ([one for _ in range(size // GROUP) for one in group(random)],)


def edges():
    return [([],)]


def judge_group(given, answer):
    kinds = [kind_of(name) for name, _ in given]
    refused = [place for place, kind in enumerate(kinds) if kind == RIGHT and answer[place]]
    if refused:
        return "version %s is right, and was said to differ" % given[refused[0]][0]
    alive = [kind for kind, said in zip(kinds, answer) if kind != RIGHT and not said]
    if len(alive) > 2:
        return "finds %d of %d mutants, 8 are wanted; it lets live one that is wrong about %s" % (
            MUTANTS - len(alive), MUTANTS, BROKEN[alive[0]][0])
    return None


def judge(args, answer):
    (given,) = args
    if type(answer) is not list or len(answer) != len(given) or any(type(said) is not bool for said in answer):
        return "a list of %d bools is wanted, one for each version" % len(given)
    for first in range(0, len(given), GROUP):
        said = judge_group(given[first:first + GROUP], answer[first:first + GROUP])
        if said:
            return said
    return None
