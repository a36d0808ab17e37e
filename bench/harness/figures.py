"""Medians, intervals and tables."""

import math
import sys


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def median_interval(values, level=0.95):
    """A distribution-free interval of the median, from order statistics; the whole range under six values."""
    ordered = sorted(values)
    n = len(ordered)
    best = 0
    for k in range(n // 2):
        outside = 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n
        if outside > 1 - level:
            break
        best = k
    return ordered[best], ordered[n - 1 - best]


def poisson_upper(count, level=0.95):
    """The upper bound of a rare event's expected count, when `count` were seen."""
    low, high = float(count), count + 10 * math.sqrt(count + 1) + 10
    for _ in range(80):
        middle = (low + high) / 2
        term = below = math.exp(-middle) if middle < 700 else 0.0
        for k in range(1, count + 1):
            term *= middle / k
            below += term
        if below > 1 - level:
            low = middle
        else:
            high = middle
    return high


def total_variation(one, other):
    """Half the sum of the differences of two distributions given as counts."""
    a, b = sum(one.values()) or 1, sum(other.values()) or 1
    return sum(abs(one.get(key, 0) / a - other.get(key, 0) / b) for key in set(one) | set(other)) / 2


def spread(values, form="%.3g"):
    """'median (low..high)'."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    low, high = median_interval(values)
    return (form + " (" + form + ".." + form + ")") % (median(values), low, high)


def row(*cells):
    """One of a table as the documents have them."""
    print("| " + " | ".join(cells) + " |")


def head(*names):
    row(*names)
    print("|" + "---|" * len(names))


def percent(value):
    if value in (0, 100):
        return "%.0f" % value
    return ">99.99" if value > 99.99 else "%.2f" % value if value < 10 or value > 99 else "%.1f" % value


class Table:
    def __init__(self, *heads):
        self.rows = [heads]

    def add(self, *cells):
        self.rows.append(tuple("-" if cell is None else str(cell) for cell in cells))

    def show(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        for index, row in enumerate(self.rows):
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            print("  ".join(cells).rstrip())
            if index == 0:
                print("  ".join("-" * width for width in widths))
        sys.stdout.flush()


def say(text):
    """Progress, for whoever watches: on standard error."""
    print("   " + text, file=sys.stderr, flush=True)
