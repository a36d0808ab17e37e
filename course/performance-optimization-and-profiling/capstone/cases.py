"""The grader's inputs: make_... of workloads.py, of a scenario and a size that one whole number says.

It runs in a process of its own, which has nothing of the learner's.
"""

import random as randoms

from workloads import SCENARIOS

NAMES = list(SCENARIOS)


def case(random, size):
    """size: 1000 times the scenario's number, from 1 on, and the size of its input in percent."""
    number, percent = divmod(size, 1000)
    name, seed = NAMES[number - 1], random.randrange(1, 10**9)
    # As run.py makes it, so that a learner can play the same input: run.py NAME --seed SEED --size SIZE
    given = SCENARIOS[name][0](randoms.Random("%s %s" % (name, seed)), percent / 100)
    return name, seed, percent / 100, given
