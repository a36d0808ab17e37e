"""Where the parcels of a lost consignment are, asked of the partner carrier one by one."""
import functools

from pitviper_lab import ask

# Our contract: so many requests at a time. The carrier refuses one more than these, and `ask` raises Refused.
AT_ONCE = 8

DEPOTS = ("Aarhus", "Bremen", "Graz", "Lyon", "Malaga", "Porto", "Turin", "Zwolle")
HOPS_MAX = 4


def read_answer(answer):
    """Return (depot, moved on) from the carrier's answer, 64 hexadecimal digits; the depot is None if it knows none.

    The first digit 0: the parcel is not known. Else the second one chooses the depot, and a third one below 2 says
    that the parcel has left it again.
    """
    unknown, depot, moved = (int(digit, 16) for digit in answer.decode()[:3])
    if unknown == 0:
        return None, False
    return DEPOTS[depot % len(DEPOTS)], moved < 2


@functools.lru_cache(maxsize=None)
def follow(parcel):
    """Return (parcel, depot, hops): the depot where it is now, after so many times of being sent on."""
    depot, moved = read_answer(ask(b"where is %s" % parcel.encode()))
    hops = 0
    while moved and hops < HOPS_MAX:
        hops += 1
        question = b"where is %s after %s, hop %d" % (parcel.encode(), depot.encode(), hops)
        depot, moved = read_answer(ask(question))
    return parcel, depot, hops


def whereabouts(parcels):
    """Return one row (parcel, depot, hops) for each number in the list, in the order of the list.

    The list comes from a handheld scanner. It may be empty, and a parcel that was scanned twice has two rows.
    """
    return [follow(parcel) for parcel in parcels]


if __name__ == "__main__":
    PARCELS = ["PX%07d" % (number * 7919 % 10_000_000) for number in range(160)]
    ROWS = whereabouts(PARCELS)
    print("%d parcels, %d of them unknown" % (len(ROWS), sum(depot is None for _, depot, _ in ROWS)))
    print(ROWS[0], ROWS[-1])
