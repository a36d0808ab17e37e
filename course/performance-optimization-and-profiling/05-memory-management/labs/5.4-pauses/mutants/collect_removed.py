"""Slow: nobody asks for a collection any more, and the collector comes by itself.

The month of a guild of chimney sweeps: finds a sweep and a time for each booking, under the eyes of a watchdog."""
from pitviper_lab import beat

MINUTES = 20 * 8 * 60                      # of work in a month
QUARTER = 15
SWEEPS_PER_DISTRICT = 3
BEAT_AFTER = 10                            # bookings


class Sweep:
    """A sweep's month: which minutes are taken, and which houses come up in each quarter of an hour."""

    def __init__(self, district, number):
        self.district = district
        self.number = number
        self.taken = bytearray(MINUTES)    # 1 where a minute is taken
        self.houses = [[] for _ in range(MINUTES // QUARTER)]

    def name(self):
        return "%d/%d" % (self.district.number, self.number)

    def round(self):
        """Return the houses in the order of the month; within a quarter of an hour, in the order of their booking."""
        return [house for houses in self.houses for house in houses]


class District:
    """A part of the town, and its sweeps."""

    def __init__(self, number):
        self.number = number
        self.sweeps = [Sweep(self, place) for place in range(SWEEPS_PER_DISTRICT)]


class Draft:
    """A sweep's month with one more visit in it."""

    def __init__(self, sweep, house, earliest, minutes):
        self.sweep = sweep
        self.taken = sweep.taken[:]
        self.visit = Visit(self, house, earliest, minutes)

    def accept(self):
        self.sweep.taken = self.taken
        self.sweep.houses[self.visit.start // QUARTER].append(self.visit.house)


class Visit:
    """A house that is visited, as early as the draft allows; start is None if it does not allow it."""

    def __init__(self, draft, house, earliest, minutes):
        self.draft = draft
        self.house = house
        self.minutes = minutes
        start = draft.taken.find(bytes(minutes), earliest)
        self.start = None if start < 0 else start
        if start >= 0:
            draft.taken[start:self.end()] = b"\1" * minutes

    def end(self):
        return self.start + self.minutes

    def idle(self):
        """Return how many free minutes are left before it, since the visit that comes before."""
        return self.start - 1 - self.draft.taken.rfind(1, 0, self.start)

    def merit(self):
        """The least is the best: what begins early, and leaves few free minutes before it."""
        return self.start, self.idle()


def hire(districts):
    """Return the districts, each with its sweeps."""
    guild = []
    for number in range(districts):
        guild.append(District(number))
        beat(b"%d districts" % len(guild))
    return guild


def book(sweeps, house, earliest, minutes):
    """Give a house to the sweep who suits best, the first of equals; return whether there is one."""
    drafts = [Draft(sweep, house, earliest, minutes) for sweep in sweeps]
    drafts = [draft for draft in drafts if draft.visit.start is not None]
    if not drafts:
        return False
    min(drafts, key=lambda draft: draft.visit.merit()).accept()
    return True


def plan_month(districts, bookings):
    """Return {sweep: houses in the order of the month} for those who have any, and the houses that nobody has time for.

    A booking is "HOUSE DISTRICT EARLIEST MINUTES"; minutes are those of work, from the beginning of the month on. A visit
    may go over the evening, into the next morning.
    """
    guild = hire(districts)
    refused = []
    for number, booking in enumerate(bookings, 1):
        house, district, earliest, minutes = booking.split()
        if not book(guild[int(district)].sweeps, house, int(earliest), int(minutes)):
            refused.append(house)
        if number % BEAT_AFTER == 0:
            beat(b"%d bookings" % number)
    rounds = {}
    for district in guild:
        rounds.update((sweep.name(), sweep.round()) for sweep in district.sweeps if any(sweep.houses))
        beat(b"%d rounds" % len(rounds))
    return rounds, refused
