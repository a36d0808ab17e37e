"""Find double bookings in the calendar of a machine hire.

The calendar is text, one booking a line, in the order in which the bookings came in. A booking holds its
machine from the first moment up to, but without, the second:

    crane-2 2031-03-14T10:00 2031-03-15T08:30 Hofmann

For each booking the office wants to know with how many others it clashes.
"""
import random
from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from typing import NamedTuple


class Booking(NamedTuple):
    machine: str
    start: int  # minutes
    end: int


def minutes(text):
    """A moment as a number that is cheap to compare."""
    moment = datetime.fromisoformat(text)
    return (moment.toordinal() * 24 + moment.hour) * 60 + moment.minute


def parse(line):
    machine, start, end, _ = line.split(" ", 3)
    return Booking(machine, minutes(start), minutes(end))


def count_overlaps(calendar):
    """For each booking, in the order of the lines: how many others hold its machine at the same time."""
    bookings = [parse(line) for line in calendar.splitlines()]
    by_machine = {}
    for number, booking in enumerate(bookings):
        by_machine.setdefault(booking.machine, []).append(number)
    counts = {}
    for numbers in by_machine.values():
        held = {bookings[number] for number in numbers}
        starts = sorted(booking.start for booking in held)
        ends = sorted(booking.end for booking in held)
        for number in numbers:
            begun = bisect_left(starts, bookings[number].end)
            over = bisect_right(ends, bookings[number].start)
            counts[bookings[number]] = begun - over - 1  # it does not clash with itself
    return [counts[booking] for booking in bookings]


def sample_calendar(bookings, machines):
    rng = random.Random(1)
    lines = []
    for number in range(bookings):
        start = datetime(2031, 1, 1) + timedelta(hours=rng.randrange(8_000))
        end = start + timedelta(hours=rng.choice((4, 8, 24, 48, 500, 3_000)))
        lines.append(f"crane-{rng.randrange(machines)} {start:%Y-%m-%dT%H:%M} {end:%Y-%m-%dT%H:%M} customer {number}")
    return "\n".join(lines)


if __name__ == "__main__":
    found = count_overlaps(sample_calendar(12_000, machines=16))
    print(len(found), "bookings,", sum(found) // 2, "clashes; the worst has", max(found))
