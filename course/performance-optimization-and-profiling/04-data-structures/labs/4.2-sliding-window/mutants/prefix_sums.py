"""Wrong: the difference of two sums that are large has lost the digits of the small readings between them.

The load of a sorting line: averages of what its scales read, over a moving window."""
from itertools import accumulate


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    sums = [0.0, *accumulate(kilograms)]
    return [(end - start) / width for start, end in zip(sums, sums[width:])]
