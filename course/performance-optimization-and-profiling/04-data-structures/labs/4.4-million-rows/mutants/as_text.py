"""Slow: each row is a text that is taken apart when it is used.

What a day's parcels cost their senders, from the day book of a depot."""
import json

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


def state(rows, number, what, value):
    """Put what is stated of one parcel into its row."""
    row = json.loads(rows[number])
    row[what] = value
    rows[number] = json.dumps(row)


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
                rows.append(json.dumps(new_parcel(sender, origin, destination, service, handed_to, size)))
        elif kind == "default":
            defaults[words[0]] = int(words[1])
        elif kind == "returned":
            state(rows, int(words[0]), "returned", True)
        else:
            state(rows, int(words[0]), kind, int(words[1]))
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


def settle(lines):
    """Return {sender: {(origin, destination): (parcels, cents)}} for the day book."""
    rows, defaults = read_day_book(lines)
    bills = {}
    for row in map(json.loads, rows):
        bill = bills.setdefault(row["sender"], {})
        lane = row["origin"], row["destination"]
        parcels, cents = bill.get(lane, (0, 0))
        bill[lane] = parcels + 1, cents + charge(row, defaults)
    return bills
