"""Day books: loads of parcels, and between them what is stated about single ones. A size is the number of parcels."""

DEPOTS = ("north", "south", "east", "west", "coast", "isle")
LETTERS = "SSSSMMMLLX"


def load(random, parcels):
    sender = "sender%02d" % random.randrange(40)
    origin, destination = random.sample(DEPOTS, 2)
    service = random.choice(("standard", "standard", "express"))
    sizes = "".join(random.choices(LETTERS, k=parcels))
    return "load %s %s %s %s %s %s" % (sender, origin, destination, service, random.choice(("door", "shop")), sizes)


def statement(random, parcels):
    """A line about one of the parcels so far, or about all of them."""
    number = random.randrange(parcels)
    kind = random.randrange(10)
    if kind == 0:
        return "default insured %d" % random.choice((0, 5000, 10000, 20000))
    if kind == 1:
        return "default pieces %d" % random.randrange(1, 4)
    if kind < 4:
        return "returned %d" % number
    if kind < 7:
        return "pieces %d %d" % (number, random.randrange(0, 5))
    return "insured %d %d" % (number, random.choice((0, 0, 5000, 25000, 100000)))


def case(random, size):
    lines, parcels = [], 0
    most = max(3, size // 400)
    while parcels < size:
        count = min(size - parcels, random.randrange(1, most + 1))
        lines.append(load(random, count))
        parcels += count
        lines += [statement(random, parcels) for _ in range(random.randrange(4))]
    return (lines,)


def edges():
    one = "load acme north south standard door M"
    return [
        ([],),
        (["default pieces 3"],),
        ([one],),
        ([one, "default insured 20000"],),                     # holds for those before it, too
        (["default insured 20000", one],),
        ([one, one, "insured 0 0", "pieces 1 0", "returned 1"],),  # nothing stated is not the same as 0 stated
        ([one, one, "insured 0 5000", "pieces 1 1", "default insured 20000", "default pieces 2"],),
        ([one, "insured 0 9000", "insured 0 400", "returned 0", "returned 0"],),
        (["load acme north south express shop SMLX", "load bolt south north express shop XLMS", "pieces 7 2"],),
    ]
