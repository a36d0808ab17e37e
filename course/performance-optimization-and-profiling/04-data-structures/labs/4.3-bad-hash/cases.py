"""Seasons of a bike hire. Sizes up to 100000 are numbers of bikes, with four rides for each; what larger ones are above that are
rides of 130 bikes. Plates are typed in all ways, and those that were taken off are used again."""

LETTERS = "CELT"
RIDES_A_BIKE = 4
BIKES = 130
BIKES_MOST = 100_000


def typed(random, plate):
    """A plate as a rider types it."""
    letter, digits = plate.split("-")
    return random.choice((letter, letter.lower())) + random.choice(("-", "", " ", " - ")) + digits


def case(random, size):
    bikes, rides = (size, RIDES_A_BIKE * size) if size <= BIKES_MOST else (BIKES, size - BIKES_MOST)
    numbers = random.sample(range(10, 100 + 20 * bikes), 2 * bikes)
    chips = ["chip-%d" % number for number in random.sample(range(10, 100 + 20 * bikes), bikes)]
    letters = [random.choice(LETTERS) for _ in chips]
    plates = ["%s-%d" % (letter, number) for letter, number in zip(letters, numbers)]
    unused = {letter: ["%s-%d" % (letter, number) for number in numbers[bikes + at::len(LETTERS)]] for at, letter in enumerate(LETTERS)}
    early = (bikes + 1) // 2                   # the others join during the season
    log = ["join;%s;%s" % pair for pair in zip(chips[:early], plates)]
    joined = early
    joins_at = {random.randrange(rides) for _ in range(bikes - early)}
    for at in range(rides):
        if at in joins_at:
            log.append("join;%s;%s" % (chips[joined], plates[joined]))
            joined += 1
        bike = random.randrange(joined)
        plate = plates[bike]
        spare = unused[letters[bike]]
        luck = random.random()
        if luck < 0.06 and spare:
            new = spare.pop(random.randrange(len(spare)))
            spare.append(plate)
            plates[bike] = new
            log.append("plate;%s;%s" % (chips[bike], typed(random, new)))
        elif luck < 0.07:
            log.append("plate;%s;%s" % (chips[bike], typed(random, plate)))      # the same again: the old one was bent
        elif luck < 0.12 and spare:
            plate = random.choice(spare)       # no bike has it, or not any more
        log.append("ride;%s;%d" % (typed(random, plate), random.randrange(200, 9000)))
    return (log,)


def edges():
    join = ["join;chip-1;C-204", "join;chip-2;C-205"]
    return [
        ([],),
        (join,),
        (["ride;C-204;900"] + join,),
        (join + ["ride;c 204;900", "ride;C204;800", "ride;c - 204;700", "ride;C-2040;600"],),
        (join + ["ride;C-204;900", "plate;chip-1;C-300", "ride;C-300;800", "ride;c300;50"],),
        (join + ["plate;chip-1;C-300", "ride;C-204;900"],),
        (join + ["ride;C-204;900", "plate;chip-1;c 204", "ride;C-204;800"],),
        (join + ["plate;chip-1;C-300", "ride;C-204;1", "plate;chip-2;C-204", "ride;C-204;30", "ride;C-205;500", "ride;C-300;7000"],),
        (join + ["plate;chip-1;C-300", "plate;chip-1;C-301", "ride;C-300;1", "ride;C-301;30", "plate;chip-1;C-204", "ride;C-204;500"],),
        (join + ["plate;chip-1;C-300", "join;chip-3;C-204", "ride;C-204;1", "ride;C-300;30"],),
    ]
