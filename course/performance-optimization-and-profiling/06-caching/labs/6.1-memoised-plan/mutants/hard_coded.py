"""Wrong: nobody gets through, on each trail."""


def plan_nights(trails):
    """Return the cheapest (cents, huts) for each trail, None where it can't be walked."""
    return [None if len(trail) > 1 else (0, []) for trail in trails]
