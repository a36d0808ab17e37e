"""The load of a sorting line: averages of what its scales read, over a moving window."""


def added(total, lost, reading):
    """Return the total with the reading, and all that rounding has taken from it so far (Neumaier's summation)."""
    new = total + reading
    if abs(total) >= abs(reading):
        return new, lost + ((total - new) + reading)
    return new, lost + ((reading - new) + total)


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings.

    A scale that is overloaded reads 1e12 kilograms, and such readings count like any other. Averages are right to nine
    digits.
    """
    if len(kilograms) < width:
        return []
    total = lost = 0.0
    for reading in kilograms[:width]:
        total, lost = added(total, lost, reading)
    averages = [(total + lost) / width]
    for oldest, newest in zip(kilograms, kilograms[width:]):
        total, lost = added(total, lost, newest)
        total, lost = added(total, lost, -oldest)
        averages.append((total + lost) / width)
    return averages


if __name__ == "__main__":
    READINGS = [0.05 + (number * 7919 % 3001) / 100 for number in range(300_000)]
    for NUMBER in range(40_000, 300_000, 90_000):
        READINGS[NUMBER] = 1e12
    AVERAGES = moving_averages(READINGS, 600)
    print("%d windows; the first %.6f kg, the last %.6f kg, the least %.6f kg" % (
        len(AVERAGES), AVERAGES[0], AVERAGES[-1], min(AVERAGES)))
