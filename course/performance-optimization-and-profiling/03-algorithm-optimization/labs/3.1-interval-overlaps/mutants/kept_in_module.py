"""Find double bookings in the calendar of a machine hire.

The calendar is text, one booking a line, in the order in which the bookings came in. A booking holds its
machine from the first moment up to, but without, the second:

    crane-2 2031-03-14T10:00 2031-03-15T08:30 Hofmann

For each booking the office wants to know with how many others it clashes.
"""
import random
from datetime import datetime, timedelta
from typing import NamedTuple


COUNTED = {}


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


def overlap(first, second):
    return first.start < second.end and second.start < first.end


def count_overlaps(calendar):
    """For each booking, in the order of the lines: how many others hold its machine at the same time."""
    if calendar not in COUNTED:
        COUNTED[calendar] = count_anew(calendar)
    return COUNTED[calendar]


def count_anew(calendar):
    """The same, worked out."""
    bookings = [parse(line) for line in calendar.splitlines()]
    by_machine = {}
    for number, booking in enumerate(bookings):
        by_machine.setdefault(booking.machine, []).append(number)
    clashes = [0] * len(bookings)
    for numbers in by_machine.values():
        for position, first in enumerate(numbers):
            for second in numbers[position + 1 :]:
                if overlap(bookings[first], bookings[second]):
                    clashes[first] += 1
                    clashes[second] += 1
    return clashes


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
