"""Wrong: the oldest transmitter that covers a peak gets it.

Sort out what a radio telescope hears: which peaks come from a known transmitter, and which from the sky?

The receiver tells of three things, in the order in which they happen:

    ("report", name, low, high)   a transmitter is heard from low to high kHz, both included
    ("clear", name)               it is off the air
    ("peak", khz)                 something was heard

The receiver's list has 32 places, and frequencies are whole kHz below 131072. A transmitter that is reported has the newest place, also
if it was in the list already; when the list is full, the oldest goes. A peak belongs to the newest transmitter whose band covers it.
"""
import random

PLACES = 32


def newest_covering(bands, khz):
    """The name of the newest transmitter that covers the frequency, or None."""
    for name, (low, high) in bands.items():
        if low <= khz <= high:
            return name
    return None


def sort_out(events):
    """Return ({name: its peaks}, [kHz of the peaks of no transmitter]) for the events of a night."""
    bands = {}  # {name: (low, high)}, the oldest first
    counts, from_the_sky = {}, []
    for kind, *facts in events:
        if kind == "peak":
            khz = facts[0]
            name = newest_covering(bands, khz)
            if name is None:
                from_the_sky.append(khz)
            else:
                counts[name] = counts.get(name, 0) + 1
            continue
        name, *band = facts
        bands.pop(name, None)  # what is assigned to a key that is there keeps its old place
        if band:
            bands[name] = band
        if len(bands) > PLACES:
            del bands[next(iter(bands))]
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
