"""Slow: results are kept in a file for the next run, which never has the same archive.

How long the roll cages of a parcel service stand in its depots, from the archive of a quarter."""
import gzip
import hashlib
import pickle

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


def reported(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    lines = read_lines(archive)
    totals = totals_by_depot(lines)
    forgotten = forgotten_cages(lines, totals)
    return {depot: (*totals[depot], forgotten[depot]) for depot in totals}


def report(archive):
    """Return what reported() does, from the last time if there was one."""
    key = hashlib.sha256(archive).hexdigest()
    try:
        with open(key, "rb") as file:
            return pickle.load(file)
    except OSError:
        pass
    result = reported(archive)
    try:
        with open(key, "wb") as file:
            pickle.dump(result, file)
    except OSError:
        pass
    return result
