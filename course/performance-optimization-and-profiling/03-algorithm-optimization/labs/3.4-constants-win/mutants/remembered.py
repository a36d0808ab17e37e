"""Slow: answers are remembered until the list changes, and hardly a frequency comes twice until then.

Sort out what a radio telescope hears: which peaks come from a known transmitter, and which from the sky?

The receiver tells of three things, in the order in which they happen:

    ("report", name, low, high)   a transmitter is heard from low to high kHz, both included
    ("clear", name)               it is off the air
    ("peak", khz)                 something was heard

The receiver's list has 32 places, and frequencies are whole kHz below 131072. A transmitter that is reported has the newest place, also
if it was in the list already; when the list is full, the oldest goes. A peak belongs to the newest transmitter whose band covers it.
"""
import random
from operator import attrgetter

PLACES = 32
FREQUENCIES = 2**17  # kHz are below


class Band:
    """What is reported of one transmitter; of two bands the newer one has the greater number."""

    def __init__(self, name, low, high, number):
        self.name = name
        self.low = low
        self.high = high
        self.number = number

    def nodes(self):
        """The largest nodes of the tree that make up the band: at most two of each level."""
        first, behind = FREQUENCIES + self.low, FREQUENCIES + self.high + 1
        while first < behind:
            if first % 2:
                yield first
                first += 1
            if behind % 2:
                behind -= 1
                yield behind
            first //= 2
            behind //= 2


class BandIndex:
    """The receiver's list as a segment tree: a look-up takes O(log n) steps, and so does each change.

    Node 1 is the whole spectrum, nodes 2 and 3 are its halves, 4 to 7 its quarters, and so on down to single frequencies. A band is
    kept in those nodes that make it up, so a look-up has to visit one node of each level.
    """

    def __init__(self):
        self.bands = {}
        self.tree = {}
        self.reports = 0
        self.known = {}

    def report(self, name, low, high):
        self.known.clear()
        self.clear(name)
        if len(self.bands) == PLACES:
            oldest = min(self.bands.values(), key=attrgetter("number"))
            self.clear(oldest.name)
        self.reports += 1
        band = Band(name, low, high, self.reports)
        self.bands[name] = band
        for node in band.nodes():
            self.tree.setdefault(node, []).append(band)

    def clear(self, name):
        if name in self.bands:
            self.known.clear()
            band = self.bands.pop(name)
            for node in band.nodes():
                self.tree[node].remove(band)

    def covering(self, khz):
        """The newest band of each node over the frequency, from the frequency up to the whole spectrum."""
        node = FREQUENCIES + khz
        while node:
            bands = self.tree.get(node)
            if bands:
                yield bands[-1]
            node //= 2

    def newest_covering(self, khz):
        """The name of the newest transmitter that covers the frequency, or None."""
        if khz not in self.known:
            newest = max(self.covering(khz), key=attrgetter("number"), default=None)
            self.known[khz] = newest.name if newest else None
        return self.known[khz]


def sort_out(events):
    """Return ({name: its peaks}, [kHz of the peaks of no transmitter]) for the events of a night."""
    index = BandIndex()
    counts, from_the_sky = {}, []
    for kind, *facts in events:
        if kind == "report":
            index.report(*facts)
        elif kind == "clear":
            index.clear(*facts)
        else:
            khz = facts[0]
            name = index.newest_covering(khz)
            if name is None:
                from_the_sky.append(khz)
            else:
                counts[name] = counts.get(name, 0) + 1
    return counts, from_the_sky


def sample_night(events):
    """Events for trying it out."""
    rng = random.Random(1)
    night = []
    for _ in range(events):
        name, low = "T%d" % rng.randrange(60), rng.randrange(100_000)
        kind = rng.choices(("report", "clear", "peak"), (16, 4, 80))[0]
        night.append({"report": (kind, name, low, low + rng.randrange(8_000)), "clear": (kind, name), "peak": (kind, low)}[kind])
    return night


if __name__ == "__main__":
    COUNTS, FROM_THE_SKY = sort_out(sample_night(80_000))
    print(sum(COUNTS.values()), "peaks of", len(COUNTS), "transmitters,", len(FROM_THE_SKY), "from the sky")
