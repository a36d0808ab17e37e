"""Readings of a scale, now and then overloaded. Sizes up to 1000000 are numbers of readings, with windows of a quarter of them;
what larger ones are above that are readings with windows of 300."""

WIDTH = 300
WIDE_MOST = 1_000_000
OVERLOADED = 1e12


def case(random, size):
    size, width = (size - WIDE_MOST, WIDTH) if size > WIDE_MOST else (size, max(1, size // 4))
    kilograms = [random.uniform(0.05, 30.0) for _ in range(size)]
    if size >= 8:      # the earlier ones are out of the window for the rest of the readings
        for _ in range(random.randrange(1, 4)):
            kilograms[random.randrange(size // 2)] = OVERLOADED
    return kilograms, width


def edges():
    return [
        ([], 1),
        ([2.5], 1),
        ([2.5], 2),
        ([2.5, 0.5], 2),
        ([OVERLOADED, 0.1, 0.2, 0.3, 0.4], 1),
        ([0.1, OVERLOADED, 0.3, 0.7, 0.4, 0.9, 0.2], 2),
        ([0.1, 0.2, OVERLOADED, OVERLOADED, 0.3, 0.7, 0.4, 0.9, 0.2, 0.6, 0.5], 3),
        ([OVERLOADED] * 4 + [0.001] * 8, 4),
        ([0.7] * 9, 9),
    ]
