"""Takes scans in: without repeats, in order, each entered into the ledger."""

from .parse import parse_line


def read_scans(lines):
    """(scans, number of damaged lines)"""
    scans = []
    damaged = 0
    for line in lines:
        scan = parse_line(line)
        if scan is None:
            damaged += 1
        else:
            scans.append(scan)
    return scans, damaged


def drop_repeats(scans):
    """The scans without those that a scanner sent again. Of equal ones the first stays, in its place."""
    seen = []
    kept = []
    for scan in scans:
        mark = (scan.parcel, scan.kind, scan.minute)
        if mark not in seen:
            seen.append(mark)
            kept.append(scan)
    return kept


def empty_belt(loads):
    """The order in which parcels leave the sorting belt.

    loads are (parcel, rounds). The front parcel is handled; if it needs more rounds, it goes to the end."""
    belt = [[parcel, rounds] for parcel, rounds in loads]
    left = []
    while belt:
        place = belt.pop(0)
        place[1] -= 1
        if place[1] > 0:
            belt.append(place)
        else:
            left.append(place[0])
    return left


class Ledger:
    """What was charged for which parcel, where and when."""

    def __init__(self):
        self.rows = []

    def enter(self, parcel, depot, minute, grams, cents):
        self.rows.append({"parcel": parcel, "depot": depot, "minute": minute, "grams": grams, "cents": cents})

    def totals(self):
        """{depot: [parcels, grams, cents]}, depots in the order of their first row."""
        totals = {}
        for row in self.rows:
            if row["depot"] not in totals:
                totals[row["depot"]] = [0, 0, 0]
            total = totals[row["depot"]]
            total[0] += 1
            total[1] += row["grams"]
            total[2] += row["cents"]
        return totals

    def heaviest(self, count):
        """[parcel, grams] of the heaviest rows; of equal ones the earlier row first."""
        ordered = sorted(self.rows, key=lambda row: -row["grams"])
        return [[row["parcel"], row["grams"]] for row in ordered[:count]]
