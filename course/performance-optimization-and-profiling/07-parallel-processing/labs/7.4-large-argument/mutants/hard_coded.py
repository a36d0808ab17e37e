"""Wrong: as if each place saw a fifth of the points."""


def survey(land, points, places, method):
    """Return how many of the points each of the places sees, in the order of the places."""
    return [len(points) // 5 for _ in places]
