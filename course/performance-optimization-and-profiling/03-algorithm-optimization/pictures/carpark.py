"""How full does a car park get?  Module 03's example as a program that runs for a moment.

usage: python carpark.py pairs|sweep
"""
import random
import sys


def read_bookings(count):
    rng = random.Random(3)
    lines = []
    for number in range(count):
        start = rng.randrange(count * 10)
        lines.append("car-%d;%d;%d" % (number, start, start + rng.randrange(1, 400)))
    return lines


def parse(lines):
    bookings = []
    for line in lines:
        _, start, end = line.split(";")
        bookings.append((int(start), int(end)))
    return bookings


def most_by_pairs(bookings):
    most = 0
    for moment, _ in bookings:
        there = 0
        for start, end in bookings:
            there += start <= moment < end
        most = max(most, there)
    return most


def most_by_sweep(bookings):
    events = [(start, 1) for start, _ in bookings] + [(end, -1) for _, end in bookings]
    events.sort()
    most = there = 0
    for _, change in events:
        there += change
        most = max(most, there)
    return most


def main():
    most = {"pairs": most_by_pairs, "sweep": most_by_sweep}[sys.argv[1]]
    days = []
    for _ in range(3):
        days.append(most(parse(read_bookings(3000))))
    print(days)


if __name__ == "__main__":
    main()
