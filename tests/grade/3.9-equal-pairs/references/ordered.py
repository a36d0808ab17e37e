"""How many pairs of positions hold equal values."""


def count_pairs(values):
    """The number of pairs i < j with values[i] == values[j]."""
    pairs = run = 0
    last = None
    for value in sorted(values):
        run = run + 1 if value == last else 0
        pairs += run
        last = value
    return pairs
