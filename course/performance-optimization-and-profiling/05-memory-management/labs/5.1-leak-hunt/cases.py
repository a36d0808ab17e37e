"""Recorded traffic. A size is a number of days: quiet ones below three, else with 3000 visitors each, of whom some hundreds are
there at a time."""

PLACES = ("north", "south", "east", "west", "coast", "isle")


def day(random, following, visitors, most, at_once, parcels, scans):
    """The lines of one day. following: the parcels of the open pages, oldest first; changed here."""
    lines = []
    while visitors > 0:
        count = min(visitors, random.randrange(1, most + 1))
        parcel = "parcel%d" % random.randrange(parcels)
        lines.append("open %d %s" % (count, parcel))
        following += [parcel] * count
        visitors -= count
        if random.random() < scans:
            parcel, place = random.choice(following), random.choice(PLACES + ("delivered",) * 2)
            lines.append("scan %s %s" % (parcel, place))
            if place == "delivered":
                following[:] = [other for other in following if other != parcel]
        if len(following) > at_once:
            count = len(following) - random.randrange(at_once // 2, at_once)
            lines.append("leave %d" % count)
            del following[:count]
    return "\n".join(lines)


def case(random, size):
    following = []
    if size < 3:
        return ([day(random, following, 60, 4, 25, 5, 0.5) for _ in range(size)],)
    return ([day(random, following, 3000, 100, 500, 40, 0.25) for _ in range(size)],)


def edges():
    return [
        ([],),
        (["", ""],),
        (["scan parcel1 north"],),
        (["open 1 parcel1\nscan parcel1 north\nscan parcel2 north\nscan parcel1 south"],),
        (["open 3 parcel1\nscan parcel1 delivered"],),           # three pages close while the scan is told
        (["open 2 parcel1\nopen 2 parcel2\nscan parcel1 delivered\nscan parcel2 delivered\nscan parcel1 north"],),
        (["open 2 parcel1\nleave 1\nscan parcel1 north\nleave 5\nscan parcel1 south\nleave 1"],),
        (["open 2 parcel1", "open 1 parcel1\nscan parcel1 north", "scan parcel1 delivered\nopen 1 parcel1\nscan parcel1 east"],),
    ]
