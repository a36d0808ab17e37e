"""Broken: a generator for each depot instead of its cages.

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


def forgotten_cages(lines, totals, depot):
    """Return the forgotten cages of one depot, a cage for each visit longer than three times the depot's average, as in the log."""
    count, total = totals[depot]
    return (cage for name, cage, minutes in visits(lines) if name == depot and minutes * count > 3 * total)


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    with open_lines(archive) as lines:
        totals = totals_by_depot(lines)
    forgotten = {depot: forgotten_cages(open_lines(archive), totals, depot) for depot in totals}
    return {depot: (*totals[depot], forgotten[depot]) for depot in totals}
