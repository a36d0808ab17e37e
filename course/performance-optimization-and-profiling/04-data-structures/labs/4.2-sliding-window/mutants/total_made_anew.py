"""Wrong: the running total is made anew once in each `width` readings; until then it is as wrong as without.

The load of a sorting line: averages of what its scales read, over a moving window."""


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    averages = []
    total = 0.0
    for start in range(len(kilograms) - width + 1):
        if start % width == 0:
            total = sum(kilograms[start:start + width])
        else:
            total += kilograms[start + width - 1] - kilograms[start - 1]
        averages.append(total / width)
    return averages
