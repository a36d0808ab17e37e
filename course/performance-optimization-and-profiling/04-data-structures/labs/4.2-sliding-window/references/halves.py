"""The load of a sorting line: averages of what its scales read, over a moving window."""
from itertools import accumulate


def sums_within_blocks(readings, width):
    """Return, for each reading, the sum of its block up to it; a block has `width` readings."""
    sums = []
    for start in range(0, len(readings), width):
        sums += accumulate(readings[start:start + width])
    return sums


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings.

    A scale that is overloaded reads 1e12 kilograms, and such readings count like any other. Averages are right to nine
    digits.
    """
    # Each window is the rest of one block and the beginning of the next. Sums of both are made by adding alone: what was
    # subtracted from a sum would leave its rounding behind.
    whole = len(kilograms) // width * width
    rests = sums_within_blocks(kilograms[:whole][::-1], width)[::-1]
    beginnings = sums_within_blocks(kilograms, width)
    averages = []
    for start in range(len(kilograms) - width + 1):
        total = rests[start]
        if start % width:
            total += beginnings[start + width - 1]
        averages.append(total / width)
    return averages


if __name__ == "__main__":
    READINGS = [0.05 + (number * 7919 % 3001) / 100 for number in range(300_000)]
    for NUMBER in range(40_000, 300_000, 90_000):
        READINGS[NUMBER] = 1e12
    AVERAGES = moving_averages(READINGS, 600)
    print("%d windows; the first %.6f kg, the last %.6f kg, the least %.6f kg" % (
        len(AVERAGES), AVERAGES[0], AVERAGES[-1], min(AVERAGES)))
