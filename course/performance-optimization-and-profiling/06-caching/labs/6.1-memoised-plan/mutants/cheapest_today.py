"""Wrong: the hut that is cheapest for its kilometres, day by day, is not the cheapest plan.

Where to sleep on a long-distance path, for the least money: each walker asks for a stretch and gets a plan for it."""

MOST_KM = 25           # in a day
LONG_KM = 18           # more is a long day, and nobody walks two long days in a row


def cheapest(trail):
    """Return (cents, huts to sleep in) for a whole trail, or None where there is no way."""
    cents, huts, at, tired = 0, [], 0, False
    while at != len(trail) - 1:
        most = LONG_KM if tired else MOST_KM
        within = [hut for hut in range(at + 1, min(at + 26, len(trail))) if trail[hut][0] - trail[at][0] <= most]
        if not within:
            return None
        hut = min(within, key=lambda hut: trail[hut][1] / (trail[hut][0] - trail[at][0]))
        tired = trail[hut][0] - trail[at][0] > LONG_KM
        cents += trail[hut][1]
        huts.append(hut)
        at = hut
    return cents, huts


def plan_nights(trails):
    """Return the cheapest (cents, huts) for each trail, None where it can't be walked.

    A trail is a list of (kilometre, cents for a night), one for each hut. Walkers set out rested at the first, which costs them
    nothing, and sleep in the last as well. Huts are numbered from 0.
    """
    return [cheapest(trail) for trail in trails]
