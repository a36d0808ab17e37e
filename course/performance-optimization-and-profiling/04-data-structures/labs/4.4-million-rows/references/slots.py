"""What a day's parcels cost their senders, from the day book of a depot."""

CENTS = {"S": 390, "M": 490, "L": 790, "X": 1290}      # by size
SHOP_REBATE = 60


class Parcel:
    """One parcel. insured (cents) and pieces are None until its sender states them."""

    __slots__ = ("sender", "origin", "destination", "service", "handed_to", "size", "returned", "insured", "pieces")

    def __init__(self, sender, origin, destination, service, handed_to, size):
        self.sender = sender
        self.origin = origin
        self.destination = destination
        self.service = service
        self.handed_to = handed_to
        self.size = size
        self.returned = False
        self.insured = None
        self.pieces = None


def read_day_book(lines):
    """Return (rows, defaults): the parcels, numbered from 0 in the order of the book, and what holds where nothing is stated.

    load SENDER ORIGIN DESTINATION SERVICE HANDED_TO SIZES   one parcel for each letter of SIZES
    insured NUMBER CENTS, pieces NUMBER COUNT                stated for one parcel
    returned NUMBER                                          one parcel goes back
    default insured CENTS, default pieces COUNT              for all that have none stated, earlier ones too
    """
    rows = []
    defaults = {"insured": 5000, "pieces": 1}
    for line in lines:
        kind, *words = line.split()
        if kind == "load":
            sender, origin, destination, service, handed_to, sizes = words
            for size in sizes:
                rows.append(Parcel(sender, origin, destination, service, handed_to, size))
        elif kind == "default":
            defaults[words[0]] = int(words[1])
        elif kind == "returned":
            rows[int(words[0])].returned = True
        else:
            setattr(rows[int(words[0])], kind, int(words[1]))
    return rows, defaults


def charge(row, defaults):
    """Return what one parcel costs, in cents."""
    cents = CENTS[row.size] * (defaults["pieces"] if row.pieces is None else row.pieces)
    if row.service == "express":
        cents += cents // 2
    if row.handed_to == "shop":
        cents -= SHOP_REBATE
    if row.returned:
        cents += CENTS[row.size] // 2
    return cents + (defaults["insured"] if row.insured is None else row.insured) // 200


def settle(lines):
    """Return {sender: {(origin, destination): (parcels, cents)}} for the day book."""
    rows, defaults = read_day_book(lines)
    bills = {}
    for row in rows:
        bill = bills.setdefault(row.sender, {})
        lane = row.origin, row.destination
        parcels, cents = bill.get(lane, (0, 0))
        bill[lane] = parcels + 1, cents + charge(row, defaults)
    return bills


if __name__ == "__main__":
    LINES = []
    for NUMBER in range(3000):
        LINES.append("load sender%d north %s %s shop %s" % (
            NUMBER % 90, "east" if NUMBER % 3 else "south", "express" if NUMBER % 4 else "standard", "SSMLSMXS" * 25))
        LINES.append("insured %d %d" % (NUMBER * 190, NUMBER % 7 * 10000))
    LINES.append("default insured 10000")
    BILLS = settle(LINES)
    print(len(BILLS), "senders;", BILLS["sender1"])
