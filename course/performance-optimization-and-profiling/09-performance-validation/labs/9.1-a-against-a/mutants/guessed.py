"""The workshop's comparison."""

import random

GUESSES = [("faster", -20.0, -2.0), ("slower", 2.0, 20.0), ("same", -1.5, 1.5), ("same", -1.5, 1.5), ("not settled", -4.0, 4.0)]


def reports(cabinets):
    """Return the report on each cabinet."""
    return [random.choice(GUESSES) for _ in cabinets]
