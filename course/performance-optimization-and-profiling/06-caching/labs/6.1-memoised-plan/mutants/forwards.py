"""Wrong: from the first hut on it finds plans as cheap, and decides between equal ones on the last day that differs.

Where to sleep on a long-distance path, for the least money: each walker asks for a stretch and gets a plan for it."""

MOST_KM = 25           # in a day
LONG_KM = 18           # more is a long day, and nobody walks two long days in a row


def cheapest(trail):
    """Return (cents, huts to sleep in) for a whole trail, or None where there is no way."""
    known = {(0, False): (0, None)}            # {(hut, tired): (cents up to here, the state before)}
    for hut in range(1, len(trail)):
        for before in range(hut - 1, -1, -1):
            walked = trail[hut][0] - trail[before][0]
            if walked > MOST_KM:
                break
            for tired in (False, True):
                if (before, tired) in known and not (tired and walked > LONG_KM):
                    cents = known[before, tired][0] + trail[hut][1]
                    state = hut, walked > LONG_KM
                    if state not in known or cents <= known[state][0]:
                        known[state] = cents, (before, tired)
    ends = [state for state in ((len(trail) - 1, False), (len(trail) - 1, True)) if state in known]
    if not ends:
        return None
    state = min(ends, key=known.get)
    cents, huts = known[state][0], []
    while state[0] != 0:
        huts.append(state[0])
        state = known[state][1]
    return cents, huts[::-1]


def plan_nights(trails):
    """Return the cheapest (cents, huts) for each trail, None where it can't be walked.

    A trail is a list of (kilometre, cents for a night), one for each hut. Walkers set out rested at the first, which costs them
    nothing, and sleep in the last as well. Huts are numbered from 0.
    """
    return [cheapest(trail) for trail in trails]
