"""Wrong: one pass, and each visit is compared with the average so far, not with that of all.

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


def gone_through(lines):
    """Return {depot: [visits, minutes, forgotten cages]}."""
    depots = {}
    for depot, cage, minutes in visits(lines):
        entry = depots.setdefault(depot, [0, 0, []])
        entry[0] += 1
        entry[1] += minutes
        if minutes * entry[0] > 3 * entry[1]:
            entry[2].append(cage)
    return depots


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    with open_lines(archive) as lines:
        depots = gone_through(lines)
    return {depot: tuple(entry) for depot, entry in depots.items()}
