"""Wrong: nothing is kept, so what the book says later of a parcel can't reach it.

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
    bills = {}
    defaults = {"insured": 5000, "pieces": 1}
    for line in lines:
        kind, *words = line.split()
        if kind == "default":
            defaults[words[0]] = int(words[1])
        elif kind == "load":
            sender, origin, destination, service, handed_to, sizes = words
            bill = bills.setdefault(sender, {})
            parcels, cents = bill.get((origin, destination), (0, 0))
            for size in sizes:
                cents += charge(new_parcel(sender, origin, destination, service, handed_to, size), defaults)
            bill[origin, destination] = parcels + len(sizes), cents
    return bills
