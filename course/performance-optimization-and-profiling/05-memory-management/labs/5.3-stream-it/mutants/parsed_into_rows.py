"""Slow: each line is taken apart once instead of twice, which is quicker, and all of them are in memory as before.

How long the roll cages of a parcel service stand in its depots, from the archive of a quarter."""
import gzip

MINUTES_A_DAY = 24 * 60


def read_lines(archive):
    """Return the lines of a gzipped log."""
    return gzip.decompress(archive).decode().splitlines()


def visits(lines):
    """Yield (depot, cage, minutes) for each line "CAGE DEPOT IN OUT SCANNER..."; remarks are left out.

    IN and OUT are minutes since midnight; no cage stands for a whole day.
    """
    for line in lines:
        if line and not line.startswith("#"):
            cage, depot, arrived, left, _ = line.split(maxsplit=4)
            yield depot, cage, (int(left) - int(arrived)) % MINUTES_A_DAY


def totals_by_depot(rows):
    """Return {depot: (visits, minutes)}."""
    totals = {}
    for depot, _, minutes in rows:
        count, total = totals.get(depot, (0, 0))
        totals[depot] = count + 1, total + minutes
    return totals


def forgotten_cages(rows, totals):
    """Return {depot: its forgotten cages}, a cage for each visit longer than three times the depot's average, as in the log."""
    forgotten = {depot: [] for depot in totals}
    for depot, cage, minutes in rows:
        count, total = totals[depot]
        if minutes * count > 3 * total:
            forgotten[depot].append(cage)
    return forgotten


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    rows = list(visits(read_lines(archive)))
    totals = totals_by_depot(rows)
    forgotten = forgotten_cages(rows, totals)
    return {depot: (*totals[depot], forgotten[depot]) for depot in totals}
