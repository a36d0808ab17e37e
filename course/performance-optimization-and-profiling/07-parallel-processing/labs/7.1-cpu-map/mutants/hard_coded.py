"""How far is each address that a customer typed from a candidate of the register?"""


def distances(pairs):
    """Return the distance of each (typed, candidate) pair, in the order of the pairs."""
    return [0 if typed == candidate else 3 for typed, candidate in pairs]
