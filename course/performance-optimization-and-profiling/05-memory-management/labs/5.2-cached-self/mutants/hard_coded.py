"""Wrong: five hours for each group."""


def summer(trails):
    """Return [(name, [minutes of each group])] for trails (name, waypoints, groups), in their order."""
    return [(name, [300] * len(groups)) for name, _, groups in trails]
