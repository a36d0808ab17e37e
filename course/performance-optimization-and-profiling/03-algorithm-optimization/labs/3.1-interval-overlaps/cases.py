"""Calendars of a machine hire: small ones in which ends touch and bookings repeat, and large ones of one machine or of many."""
from datetime import datetime, timedelta

ONE_MACHINE = 150  # bookings; from here on all are of one machine, half of them long, as growth is measured
MANY_MACHINES = 100_000  # what is above it are bookings of many
SHORT = (4, 8, 24, 48)


def line_of(machine, start, end, number):
    """Its times are hours since the year began."""
    begin, over = (datetime(2031, 1, 1) + timedelta(hours=hours) for hours in (start, end))
    return f"{machine} {begin.isoformat(timespec='minutes')} {over.isoformat(timespec='minutes')} customer {number}"


def large(random, size):
    machines, bookings = (75, size - MANY_MACHINES) if size > MANY_MACHINES else (1, size)
    for number in range(bookings):
        start = random.randrange(8_000)
        hours = random.choice(SHORT) if number % 2 else random.randrange(1_000, 6_000)
        yield line_of(f"crane-{random.randrange(machines)}", start, start + hours, number)


def small(random, size):
    machines, hours = random.randint(1, 3), random.randint(3, 8 + size)
    start, end = 0, 1
    for number in range(size):
        if random.random() < 0.8:  # else the same hours again
            start = random.randrange(hours)
            end = random.randint(start + 1, hours)
        yield line_of(f"crane-{random.randrange(machines)}", start, end, number)


def case(random, size):
    return ("\n".join((large if size >= ONE_MACHINE else small)(random, size)),)


def edges():
    calendars = [
        [],
        [("a", 0, 1)],
        [("a", 0, 5), ("a", 5, 9)],  # the next begins when the last is over
        [("a", 5, 9), ("a", 0, 5), ("a", 4, 6)],
        [("a", 2, 5), ("a", 2, 5), ("a", 2, 5)],  # the same hours three times
        [("a", 2, 5), ("b", 2, 5)],
        [("a", 0, 9), ("a", 3, 4), ("a", 0, 1), ("a", 8, 9), ("b", 0, 9)],
    ]
    return [("\n".join(line_of(*booking, number) for number, booking in enumerate(bookings)),) for bookings in calendars]
