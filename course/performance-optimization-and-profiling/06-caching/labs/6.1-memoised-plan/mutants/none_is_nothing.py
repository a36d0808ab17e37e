"""Wrong: that there is no way is an answer, too, and it is looked for again each time; and a long trail is a RecursionError.

Where to sleep on a long-distance path, for the least money: each walker asks for a stretch and gets a plan for it."""

MOST_KM = 25           # in a day
LONG_KM = 18           # more is a long day, and nobody walks two long days in a row


def cheapest(trail, at, tired, known):
    """Return (cents, huts to sleep in) from one hut to the end of the trail, or None where there is no way.

    tired: yesterday was a long day. Of plans that cost the same it is the one that stops earlier, on the first day that differs.
    """
    if at == len(trail) - 1:
        return 0, []
    best = known.get((at, tired))
    if best is not None:
        return best
    for hut in range(at + 1, len(trail)):
        walked = trail[hut][0] - trail[at][0]
        if walked > (LONG_KM if tired else MOST_KM):
            break
        rest = cheapest(trail, hut, walked > LONG_KM, known)
        if rest is not None:
            cents = trail[hut][1] + rest[0]
            if best is None or cents < best[0]:
                best = cents, [hut] + rest[1]
    known[at, tired] = best
    return best


def plan_nights(trails):
    """Return the cheapest (cents, huts) for each trail, None where it can't be walked.

    A trail is a list of (kilometre, cents for a night), one for each hut. Walkers set out rested at the first, which costs them
    nothing, and sleep in the last as well. Huts are numbered from 0.
    """
    return [cheapest(trail, 0, False, {}) for trail in trails]
