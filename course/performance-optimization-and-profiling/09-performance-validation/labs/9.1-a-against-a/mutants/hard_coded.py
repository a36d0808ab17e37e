"""The workshop's comparison."""


def reports(cabinets):
    """Return the report on each cabinet: nothing ever changes."""
    return [("same", -1.0, 1.0) for _ in cabinets]
