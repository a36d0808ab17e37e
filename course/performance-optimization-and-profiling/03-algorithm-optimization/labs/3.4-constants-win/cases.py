"""Nights of a radio telescope. Small ones have few transmitters and narrow bands whose ends are hit; sizes from LONG on have many."""

LONG = 1000
SPECTRUM = 100_000


def case(random, size):
    if size >= LONG:
        names, spectrum, width, kinds = 60, SPECTRUM, 8_000, (16, 4, 80)
    else:
        names, spectrum, width, kinds = random.choice((3, 8, 40)), 30, 6, random.choice(((2, 1, 4), (8, 1, 8)))
    events = []
    for kind in random.choices(("report", "clear", "peak"), kinds, k=size):
        name, low = "T%d" % random.randrange(names), random.randrange(spectrum)
        if kind == "report":
            events.append((kind, name, low, low + random.randrange(width)))
        else:
            events.append((kind, low if kind == "peak" else name))
    return (events,)


def full_list(places):
    return [("report", "T%d" % number, 10 * number, 10 * number + 5) for number in range(places)]


def edges():
    peaks = [("peak", khz) for khz in (0, 5, 6, 10, 15, 310, 320, 325)]
    nights = [
        [],
        [("peak", 7)],
        [("clear", "A"), ("peak", 7)],
        [("report", "A", 5, 7), ("peak", 4), ("peak", 5), ("peak", 7), ("peak", 8)],
        [("report", "A", 5, 5), ("peak", 5), ("clear", "A"), ("peak", 5)],
        [("report", "A", 0, 9), ("report", "B", 4, 6), ("peak", 5), ("peak", 8)],
        [("report", "B", 4, 6), ("report", "A", 0, 9), ("peak", 5)],  # the newest, not the narrowest
        [("report", "A", 0, 9), ("report", "B", 4, 6), ("report", "A", 1, 5), ("peak", 5), ("peak", 6), ("peak", 0)],
        [("report", "A", 0, 9), ("report", "B", 4, 6), ("clear", "B"), ("peak", 5)],
        full_list(32) + peaks,
        full_list(33) + peaks,  # the oldest has gone
        full_list(32) + [("report", "T31", 500, 505)] + peaks,  # it has its place already: nobody goes
        full_list(32) + [("report", "T0", 310, 312), ("report", "new", 320, 325)] + peaks,  # T1 is the oldest
        full_list(32) + [("clear", "T5"), ("report", "new", 320, 325)] + peaks,
    ]
    return [(events,) for events in nights]
