"""Wrong: the totals of an empty season, for each season."""


def ridden(log):
    """Return ({chip: (plate, rides, metres)}, rides with a plate that no bike had) for the log of a season."""
    return {}, 0
