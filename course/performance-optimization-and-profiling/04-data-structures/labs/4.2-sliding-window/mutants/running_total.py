"""Wrong: what rounding has taken from the total while a scale was overloaded is missing for ever.

The load of a sorting line: averages of what its scales read, over a moving window."""


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    if len(kilograms) < width:
        return []
    total = sum(kilograms[:width])
    averages = [total / width]
    for oldest, newest in zip(kilograms, kilograms[width:]):
        total += newest - oldest
        averages.append(total / width)
    return averages
