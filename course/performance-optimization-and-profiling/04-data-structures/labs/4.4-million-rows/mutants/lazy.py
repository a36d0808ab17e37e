"""Broken: not the bills, but an object that would make them.

What a day's parcels cost their senders, from the day book of a depot."""

CENTS = {"S": 390, "M": 490, "L": 790, "X": 1290}      # by size
SHOP_REBATE = 60


def new_parcel(sender, origin, destination, service, handed_to, size):
    """Return the row of one parcel. Its sender may still state "insured" (cents) and "pieces"."""
    return {
        "sender": sender,
        "origin": origin,
        "destination": destination,
        "service": service,
        "handed_to": handed_to,
        "size": size,
        "returned": False,
    }


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
                rows.append(new_parcel(sender, origin, destination, service, handed_to, size))
        elif kind == "default":
            defaults[words[0]] = int(words[1])
        elif kind == "returned":
            rows[int(words[0])]["returned"] = True
        else:
            rows[int(words[0])][kind] = int(words[1])
    return rows, defaults


def charge(row, defaults):
    """Return what one parcel costs, in cents."""
    cents = CENTS[row["size"]] * row.get("pieces", defaults["pieces"])
    if row["service"] == "express":
        cents += cents // 2
    if row["handed_to"] == "shop":
        cents -= SHOP_REBATE
    if row["returned"]:
        cents += CENTS[row["size"]] // 2
    return cents + row.get("insured", defaults["insured"]) // 200


class Bills(dict):
    """Bills that are written when somebody asks for one."""

    def __init__(self, lines):
        super().__init__()
        self.lines = lines

    def __missing__(self, sender):
        rows, defaults = read_day_book(self.lines)
        bill = {}
        for row in rows:
            if row["sender"] == sender:
                lane = row["origin"], row["destination"]
                parcels, cents = bill.get(lane, (0, 0))
                bill[lane] = parcels + 1, cents + charge(row, defaults)
        self[sender] = bill
        return bill


def settle(lines):
    """Return {sender: {(origin, destination): (parcels, cents)}} for the day book."""
    return Bills(lines)
