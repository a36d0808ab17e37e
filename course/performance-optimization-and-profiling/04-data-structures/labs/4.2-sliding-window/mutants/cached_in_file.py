"""Slow: averages are kept in a file for the next run, which never has the same readings.

The load of a sorting line: averages of what its scales read, over a moving window."""
import hashlib
import pickle


def window_average(kilograms, start, width):
    """Return the average of so many readings from start on."""
    window = kilograms[start:start + width]
    return sum(window) / width


def averages_of(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings.

    A scale that is overloaded reads 1e12 kilograms, and such readings count like any other. Averages are right to nine
    digits.
    """
    averages = []
    for start in range(len(kilograms) - width + 1):
        averages.append(window_average(kilograms, start, width))
    return averages


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    key = hashlib.sha256(repr((width, kilograms)).encode()).hexdigest()
    try:
        with open(key, "rb") as file:
            return pickle.load(file)
    except OSError:
        pass
    averages = averages_of(kilograms, width)
    try:
        with open(key, "wb") as file:
            pickle.dump(averages, file)
    except OSError:
        pass
    return averages
