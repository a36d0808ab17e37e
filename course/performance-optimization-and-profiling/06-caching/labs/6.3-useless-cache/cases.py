"""Nights of blocks of consignment numbers: now and then one is printed again, as a whole or in part."""

AIRLINES = (6, 16, 20, 57, 125, 157, 176, 724)


def case(random, size):
    blocks, left = [], size
    jams = 0.1 if size < 1000 else 0.01
    while left > 0:
        count = min(left, random.randrange(1, 2 + min(size // 4, 2000)))
        if blocks and random.random() < jams:
            airline, first, _, pieces = random.choice(blocks)      # a jam: the printer starts again
        else:
            airline, first, pieces = random.choice(AIRLINES), random.randrange(9_000_000), random.randrange(1, 9)
        blocks.append((airline, first, count, pieces))
        left -= count
    return (blocks,)


def edges():
    return [
        ([],),
        ([(157, 0, 0, 3)],),
        ([(157, 176, 1, 1)],),
        ([(157, 176, 1, 1), (157, 176, 1, 1)],),
        ([(157, 176, 25, 1), (157, 180, 25, 1)],),
        ([(724, 9_999_990, 10, 2), (6, 0, 400, 2)],),
        ([(16, 500, 3, 2), (57, 500, 3, 2), (16, 500, 3, 4)],),
    ]
