"""Broken: a generator instead of the averages.

The load of a sorting line: averages of what its scales read, over a moving window."""


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    return (sum(kilograms[start:start + width]) / width for start in range(len(kilograms) - width + 1))
