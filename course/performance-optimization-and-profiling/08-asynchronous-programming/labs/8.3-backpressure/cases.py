"""Packed scans of sheets. A size is a number of sheets; many of them are large scans, and all in order."""
import zlib

LARGE = 100
BYTES = 200_000


def sheet(random, size):
    tile = random.randbytes(random.randrange(200, 400))
    return zlib.compress((tile * (size // len(tile) + 1))[:size], 6)


def case(random, size):
    if size >= LARGE:
        return ([sheet(random, BYTES) for _ in range(size)],)
    sheets = [sheet(random, random.randrange(2000)) for _ in range(size)]
    for place in range(size):
        if random.random() < 0.15:         # torn off, or another sheet once more
            sheets[place] = random.choice((b"", sheets[place][:-6], b"no scan", sheets[0]))
    return (sheets,)


def edges():
    good = [zlib.compress(b"leaf %d" % number) for number in range(40)]
    return [
        ([],),
        ([b""],),
        ([zlib.compress(b"")],),
        (good[:3] + [b"torn"] + good[3:5],),
        ([b"torn"] * 40,),                 # more than can be asked for at a time, and none of them asks
        (good[:1] * 20,),
        (good,),
    ]
