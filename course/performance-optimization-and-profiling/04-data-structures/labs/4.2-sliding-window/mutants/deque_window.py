"""Slow: a deque saves the slice, and is summed up as a whole for each average as before.

The load of a sorting line: averages of what its scales read, over a moving window."""
from collections import deque


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    window = deque(maxlen=width)
    averages = []
    for reading in kilograms:
        window.append(reading)
        if len(window) == width:
            averages.append(sum(window) / width)
    return averages
