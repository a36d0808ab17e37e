"""Wrong: the average of a usual day, for each window."""


def moving_averages(kilograms, width):
    """Return the average of each window of so many readings in a row, the oldest first; [] if there are fewer readings."""
    return [15.025] * (len(kilograms) - width + 1)
