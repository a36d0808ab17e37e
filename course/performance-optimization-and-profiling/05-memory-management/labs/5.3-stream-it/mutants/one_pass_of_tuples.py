"""Slow: one pass, but what is kept of each visit is a tuple and two objects in it.

How long the roll cages of a parcel service stand in its depots, from the archive of a quarter."""
import gzip
import io

MINUTES_A_DAY = 24 * 60


class Depot:
    """The visits to one depot: (minutes, the cage as its place in the list of all cages)."""

    def __init__(self):
        self.visits = []

    def forgotten(self, total):
        """Yield the place of the cage for each visit longer than three times the average."""
        count = len(self.visits)
        for minutes, cage in self.visits:
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
        depot.visits.append(((int(left) - int(arrived)) % MINUTES_A_DAY, places.setdefault(cage, len(places))))
    return depots, list(places)


def report(archive):
    """Return {depot: (visits, minutes, forgotten cages)} for a gzipped log."""
    with gzip.open(io.BytesIO(archive), "rt", encoding="utf-8") as lines:
        depots, cages = read_visits(lines)
    result = {}
    for name, depot in depots.items():
        total = sum(minutes for minutes, _ in depot.visits)
        result[name] = len(depot.visits), total, [cages[place] for place in depot.forgotten(total)]
    return result
