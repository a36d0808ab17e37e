"""Wrong: a cache answers what was asked before, and asks as deep as before. A long trail is a RecursionError.

Where to sleep on a long-distance path, for the least money: each walker asks for a stretch and gets a plan for it."""
import functools

MOST_KM = 25           # in a day
LONG_KM = 18           # more is a long day, and nobody walks two long days in a row


def cheapest(trail):
    """Return (cents, huts to sleep in) for a whole trail, or None where there is no way.

    Of plans that cost the same it is the one that stops earlier, on the first day that differs.
    """
    @functools.lru_cache(maxsize=None)
    def from_hut(at, tired):
        if at == len(trail) - 1:
            return 0, []
        best = None
        for hut in range(at + 1, len(trail)):
            walked = trail[hut][0] - trail[at][0]
            if walked > (LONG_KM if tired else MOST_KM):
                break
            rest = from_hut(hut, walked > LONG_KM)
            if rest is not None:
                cents = trail[hut][1] + rest[0]
                if best is None or cents < best[0]:
                    best = cents, [hut] + rest[1]
        return best

    return from_hut(0, False)


def plan_nights(trails):
    """Return the cheapest (cents, huts) for each trail, None where it can't be walked.

    A trail is a list of (kilometre, cents for a night), one for each hut. Walkers set out rested at the first, which costs them
    nothing, and sleep in the last as well. Huts are numbered from 0.
    """
    return [cheapest(trail) for trail in trails]
