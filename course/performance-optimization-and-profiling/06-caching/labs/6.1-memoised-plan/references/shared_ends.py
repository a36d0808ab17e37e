"""Where to sleep on a long-distance path, for the least money: each walker asks for a stretch and gets a plan for it."""
from collections import deque

MOST_KM = 25           # in a day
LONG_KM = 18           # more is a long day, and nobody walks two long days in a row


def cheapest(trail):
    """Return (cents, huts to sleep in) for a whole trail, or None where there is no way.

    A plan is (first hut, the plan from there), so that all plans share their ends, and those that nobody needs any more go.
    """
    end_km = trail[-1][0]
    ahead = deque([(len(trail) - 1, end_km, trail[-1][1], (0, None), (0, None))])     # huts within a day's walk, nearest first
    for at in reversed(range(len(trail) - 1)):
        here, price = trail[at]
        while ahead and ahead[-1][1] - here > MOST_KM:
            ahead.pop()
        best = best_tired = None
        for hut, kilometre, night, rested, tired in ahead:
            long = kilometre - here > LONG_KM
            rest = tired if long else rested
            if rest is not None and (best is None or night + rest[0] < best[0]):
                best = night + rest[0], (hut, rest[1])
            if not long:
                best_tired = best
        ahead.appendleft((at, here, price, best, best_tired))
    cents_and_plan = ahead[0][3]
    if cents_and_plan is None:
        return None
    cents, plan = cents_and_plan
    huts = []
    while plan is not None:
        hut, plan = plan
        huts.append(hut)
    return cents, huts


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
