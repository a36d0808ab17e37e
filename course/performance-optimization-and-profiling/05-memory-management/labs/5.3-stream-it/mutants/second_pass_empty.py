"""Wrong: the second pass goes through a file that was read to its end, and finds no visit at all.

How long the roll cages of a parcel service stand in its depots, from the archive of a quarter."""
import gzip
import io

MINUTES_A_DAY = 24 * 60


def open_lines(archive):
    """Return a file that yields the lines of a gzipped log, once."""
    return gzip.open(io.BytesIO(archive), "rt", encoding="utf-8")


def visits(lines):
    """Yield (depot, cage, minutes) for each line "CAGE DEPOT IN OUT SCANNER..."; remarks are left out.

    IN and OUT are minutes since midnight; no cage stands for a whole day.
    """
    for line in lines:
        if not line.isspace() and not line.startswith("#"):
            cage, depot, arrived, left, _ = line.split(maxsplit=4)
            yield depot, cage, (int(left) - int(arrived)) % MINUTES_A_DAY


def totals_by_depot(lines):
    """Return {depot: (visits, minutes)}."""
    totals = {}
    for depot, _, minutes in visits(lines):
        count, total = totals.get(depot, (0, 0))
        totals[depot] = count + 1, total + minutes
    return totals


def forgotten_cages(lines, totals):
    """Return {depot: its forgotten cages}, a cage for each visit longer than three times the depot's average, as in the log."""
    forgotten = {depot: [] for depot in totals}
    for depot, cage, minutes in visits(lines):
        count, total = totals[depot]
        if minutes * count > 3 * total:
            forgotten[depot].append(cage)
    return forgotten


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    with open_lines(archive) as lines:
        totals = totals_by_depot(lines)
        forgotten = forgotten_cages(lines, totals)
    return {depot: (*totals[depot], forgotten[depot]) for depot in totals}
