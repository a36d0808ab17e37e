"""Trails with huts. A size up to 100000 is a number of huts: of two trails, of which the second can't be walked to its end. What a larger
one is above that is a number of trails with ten huts each; what one is above a million, of trails with six, whose plans weigh more than
the making of them."""

HUTS = 10
HUTS_MOST = 100_000
FEW_HUTS = 6
LONG_MOST = 1_000_000


def trail(random, huts):
    """Huts 4 to 8 kilometres apart, so that a day leads to three to six of them; few prices, so that many plans cost the same."""
    kilometre, there = 0, []
    for _ in range(huts):
        there.append((kilometre, 100 * random.randrange(15, 26)))
        kilometre += random.randrange(4, 9)
    return there


def with_gap(random, huts):
    """The same with a gap, near the end, that no day is long enough for; or one that only the rested can cross."""
    there = trail(random, huts)
    gap = random.choice((30, 30, 20)) if huts < 100 else 30
    start = max(1, huts - 3)
    return there[:start] + [(kilometre + gap, cents) for kilometre, cents in there[start:]]


def case(random, size):
    if size > LONG_MOST:
        return ([trail(random, FEW_HUTS) for _ in range(size - LONG_MOST)],)
    if size > HUTS_MOST:
        return ([trail(random, HUTS) for _ in range(size - HUTS_MOST)],)
    return ([trail(random, size), with_gap(random, size)],)


def edges():
    return [
        ([],),
        ([[(0, 2000)]],),
        ([[(0, 2000), (25, 1500)], [(0, 2000), (26, 1500)]],),
        ([[(0, 0), (18, 10), (36, 10), (54, 10)], [(0, 0), (19, 10), (38, 10)]],),            # two long days in a row
        ([[(0, 0), (6, 50), (19, 10), (38, 10)], [(0, 0), (1, 99), (19, 10), (38, 10)]],),    # the dear hut saves the plan
        ([[(0, 0), (5, 10), (10, 10), (15, 10), (20, 10), (25, 10)]],),
        ([[(0, 0), (10, 10), (12, 10), (30, 10), (32, 10), (50, 10)]],),                      # all cost the same
        ([[(0, 0), (8, 10), (16, 0), (24, 10), (32, 0), (40, 10), (48, 0), (56, 10)]],),
        ([[(0, 0), (20, 10), (22, 50), (42, 10)], [(0, 0), (2, 30), (20, 10), (22, 0), (42, 10)]],),
    ]
