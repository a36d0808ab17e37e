"""Where to sleep on a long-distance path, for the least money: each walker asks for a stretch and gets a plan for it."""

MOST_KM = 25           # in a day
LONG_KM = 18           # more is a long day, and nobody walks two long days in a row


def next_night(trail, at, most_km, known):
    """Return (cents to the end, hut of the next night), or None where there is no way; known tells it for the huts behind.

    Of nights that cost the same it is the earlier.
    """
    best = None
    for hut in range(at + 1, len(trail)):
        walked = trail[hut][0] - trail[at][0]
        if walked > most_km:
            break
        rest = known[hut, walked > LONG_KM]
        if rest is not None:
            cents = trail[hut][1] + rest[0]
            if best is None or cents < best[0]:
                best = cents, hut
    return best


def cheapest(trail):
    """Return (cents, huts to sleep in) for a whole trail, or None where there is no way."""
    last = len(trail) - 1
    known = {(last, False): (0, None), (last, True): (0, None)}          # {(hut, tired): what next_night says}
    for at in reversed(range(last)):
        known[at, False] = next_night(trail, at, MOST_KM, known)
        known[at, True] = next_night(trail, at, LONG_KM, known)
    if known[0, False] is None:
        return None
    huts, at, tired = [], 0, False
    while at != last:
        hut = known[at, tired][1]
        tired = trail[hut][0] - trail[at][0] > LONG_KM
        huts.append(hut)
        at = hut
    return known[0, False][0], huts


def plan_nights(trails):
    """Return the cheapest (cents, huts) for each trail, None where it can't be walked.

    A trail is a list of (kilometre, cents for a night), one for each hut. Walkers set out rested at the first, which costs them
    nothing, and sleep in the last as well. Huts are numbered from 0.
    """
    return [cheapest(trail) for trail in trails]


if __name__ == "__main__":
    TRAILS = []
    for START in range(12):
        TRAILS.append([(6 * HUT + (HUT + START) % 3, 1900 + HUT * 7919 % (START + 31) * 50) for HUT in range(17)])
    for CENTS, HUTS in plan_nights(TRAILS):
        print("%3d nights for %6.2f: %s" % (len(HUTS), CENTS / 100, ", ".join(map(str, HUTS))))
