"""How long the roll cages of a parcel service stand in its depots, from the archive of a quarter."""
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
    with open_lines(archive) as lines:
        forgotten = forgotten_cages(lines, totals)
    return {depot: (*totals[depot], forgotten[depot]) for depot in totals}


if __name__ == "__main__":
    SCANNER = "scanner=dock-7 firmware=4.2.1-stable battery=83 signal=good temperature=12"
    LOG = []
    for NUMBER in range(500_000):
        STOOD = 20 + NUMBER * NUMBER % 50 + (400 if NUMBER % 97 == 0 else 0)
        DEPOT = ("north", "south", "coast")[NUMBER % 3]
        LOG.append("C%04d %s %d %d %s\n" % (NUMBER % 700, DEPOT, NUMBER % 1440, (NUMBER + STOOD) % 1440, SCANNER))
    ARCHIVE = gzip.compress("".join(LOG).encode(), 1)
    del LOG
    for DEPOT, (VISITS, MINUTES, FORGOTTEN) in report(ARCHIVE).items():
        print("%s: %d visits of %.1f minutes; forgotten %d times: %s ..." % (
            DEPOT, VISITS, MINUTES / VISITS, len(FORGOTTEN), ", ".join(FORGOTTEN[:5])))
