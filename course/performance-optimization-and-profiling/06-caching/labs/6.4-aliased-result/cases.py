"""Seasons of excursion boats. A size is the number of days that are sold; boats are small, and few days differ from each other."""

BOATS = ((6, 4), (8, 6), (12, 8), (5, 10))
FIRST = 8 * 60
LATEST = 20 * 60 + 50                  # later than the last departure


def minute(random):
    return random.randrange(FIRST, LATEST, 10)


def events_of(random):
    """Orders in groups, since many want the same departure, and now and then a storm between them."""
    events = []
    for _ in range(random.choice((1, 1, 1, 2))):
        wanted = minute(random)
        for _ in range(random.choice((1, 1, 2, 3))):
            events.append((random.choice(("cabin", "deck")), wanted, random.randrange(1, 7)))
    if random.random() < 0.08:
        events.insert(random.randrange(len(events) + 1), ("storm", minute(random), 0))
    return events


def case(random, size):
    boats = {"landing%d" % number: random.choice(BOATS) for number in range(min(40, 1 + size // 3))}
    landings = list(boats)
    # Few days are all of one month, and on two weekdays, or else a departure would hardly be asked for twice.
    months = (random.randrange(4, 11),) if size <= 100 else range(4, 11)
    weekdays = random.sample(range(7), 2) if size <= 100 else range(7)
    popular = minute(random)
    days = []
    for _ in range(size):
        events = events_of(random)
        if size <= 100:
            events.append((random.choice(("cabin", "deck")), popular, random.randrange(1, 5)))
        days.append((random.choice(landings), random.choice(months), random.choice(weekdays), events))
    return boats, days


def edges():
    boats = {"pier": (3, 2), "mole": (3, 2)}
    two, last = ("deck", 600, 2), ("deck", 1080, 1)
    return [
        ({}, []),
        (boats, []),
        (boats, [("pier", 5, 1, [])]),
        (boats, [("pier", 5, 1, [two, two])]),
        (boats, [("pier", 5, 1, [two]), ("pier", 5, 1, [two])]),
        (boats, [("pier", 5, 1, [two]), ("mole", 5, 1, [two])]),
        (boats, [("pier", 5, 1, [two]), ("pier", 5, 1, [("cabin", 600, 1)])]),               # the fare of the last seats
        (boats, [("pier", 5, 1, [("storm", 600, 0), two]), ("pier", 5, 1, [two])]),
        (boats, [("pier", 5, 1, [two, ("storm", 610, 0), two, ("cabin", 600, 1)]), ("mole", 5, 1, [last])]),
        (boats, [("pier", 5, 1, [("storm", 600, 0), ("storm", 900, 0), ("deck", 890, 1)])]),
        (boats, [("pier", 9, 6, [last, ("deck", 1090, 1)]), ("pier", 7, 6, [("deck", 1090, 1), ("deck", 1200, 1)])]),
    ]
