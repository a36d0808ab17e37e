"""Slow: a look-up is quicker than any scan, and each change of the list pays for hundreds of them.

Sort out what a radio telescope hears: which peaks come from a known transmitter, and which from the sky?

The receiver tells of three things, in the order in which they happen:

    ("report", name, low, high)   a transmitter is heard from low to high kHz, both included
    ("clear", name)               it is off the air
    ("peak", khz)                 something was heard

The receiver's list has 32 places, and frequencies are whole kHz below 131072. A transmitter that is reported has the newest place, also
if it was in the list already; when the list is full, the oldest goes. A peak belongs to the newest transmitter whose band covers it.
"""
import random
from bisect import bisect_left, bisect_right

PLACES = 32


class BandIndex:
    """The receiver's list, cut into segments with one owner each: a look-up is a bisection, however many bands there are."""

    def __init__(self):
        self.bands = {}
        self.starts = []
        self.owners = []

    def report(self, name, low, high):
        self.bands.pop(name, None)
        if len(self.bands) == PLACES:
            del self.bands[next(iter(self.bands))]
        self.bands[name] = (low, high)
        self.rebuild()

    def clear(self, name):
        if self.bands.pop(name, None):
            self.rebuild()

    def rebuild(self):
        """Paint the bands over each other, the oldest first."""
        starts = {0}
        for low, high in self.bands.values():
            starts.update((low, high + 1))
        self.starts = sorted(starts)
        self.owners = [None] * len(starts)
        for name, (low, high) in self.bands.items():
            first, behind = bisect_left(self.starts, low), bisect_left(self.starts, high + 1)
            self.owners[first:behind] = [name] * (behind - first)

    def newest_covering(self, khz):
        """The name of the newest transmitter that covers the frequency, or None."""
        return self.owners[bisect_right(self.starts, khz) - 1] if self.starts else None


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
