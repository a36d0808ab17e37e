"""How long the roll cages of a parcel service stand in its depots, from the archive of a quarter."""
import gzip
import io
from array import array

MINUTES_A_DAY = 24 * 60


class Depot:
    """The visits to one depot: the minutes of each, and the cage, as its place in the list of all cages."""

    def __init__(self):
        self.minutes = array("H")
        self.cages = array("L")

    def forgotten(self, total):
        """Yield the place of the cage for each visit longer than three times the average."""
        count = len(self.minutes)
        for minutes, cage in zip(self.minutes, self.cages):
            if minutes * count > 3 * total:
                yield cage


def read_visits(lines):
    """Return (depots, cages): {name: Depot} and the names of the cages, for lines "CAGE DEPOT IN OUT SCANNER..."; remarks are left out."""
    depots = {}
    places = {}
    for line in lines:
        if line.isspace() or line.startswith("#"):
            continue
        cage, name, arrived, left, _ = line.split(maxsplit=4)
        if name not in depots:
            depots[name] = Depot()
        depot = depots[name]
        depot.minutes.append((int(left) - int(arrived)) % MINUTES_A_DAY)
        depot.cages.append(places.setdefault(cage, len(places)))
    return depots, list(places)


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    with gzip.open(io.BytesIO(archive), "rt", encoding="utf-8") as lines:
        depots, cages = read_visits(lines)
    result = {}
    for name, depot in depots.items():
        total = sum(depot.minutes)
        result[name] = len(depot.minutes), total, [cages[place] for place in depot.forgotten(total)]
    return result


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
