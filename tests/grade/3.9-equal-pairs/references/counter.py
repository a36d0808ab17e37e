"""How many pairs of positions hold equal values."""
from collections import Counter


def count_pairs(values):
    """The number of pairs i < j with values[i] == values[j]."""
    return sum(times * (times - 1) // 2 for times in Counter(values).values())
