"""What a day's parcels cost their senders, from the day book of a depot."""

CENTS = {"S": 390, "M": 490, "L": 790, "X": 1290}      # by size
SHOP_REBATE = 60
NOTHING = {}


def read_day_book(lines):
    """Return (loads, stated, defaults).

    loads: [(sender, origin, destination, service, handed to, sizes)], as in the book; their parcels are numbered from 0
    stated: {number: {"insured": cents, "pieces": count, "returned": True}}, of the few parcels that have anything stated
    defaults: what holds where nothing is
    """
    loads = []
    stated = {}
    defaults = {"insured": 5000, "pieces": 1}
    for line in lines:
        kind, *words = line.split()
        if kind == "load":
            loads.append(tuple(words))
        elif kind == "default":
            defaults[words[0]] = int(words[1])
        else:
            value = True if kind == "returned" else int(words[1])
            stated.setdefault(int(words[0]), {})[kind] = value
    return loads, stated, defaults


def charge(size, service, handed_to, stated, defaults):
    """Return what one parcel costs, in cents."""
    cents = CENTS[size] * stated.get("pieces", defaults["pieces"])
    if service == "express":
        cents += cents // 2
    if handed_to == "shop":
        cents -= SHOP_REBATE
    if "returned" in stated:
        cents += CENTS[size] // 2
    return cents + stated.get("insured", defaults["insured"]) // 200


def settle(lines):
    """Return {sender: {(origin, destination): (parcels, cents)}} for the day book."""
    loads, stated, defaults = read_day_book(lines)
    bills = {}
    number = 0
    for sender, origin, destination, service, handed_to, sizes in loads:
        bill = bills.setdefault(sender, {})
        parcels, cents = bill.get((origin, destination), (0, 0))
        for size in sizes:
            cents += charge(size, service, handed_to, stated.get(number, NOTHING), defaults)
            number += 1
        bill[origin, destination] = parcels + len(sizes), cents
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
