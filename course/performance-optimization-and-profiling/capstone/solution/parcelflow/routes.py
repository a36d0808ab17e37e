"""Scores the drivers' routes."""

QUEUE = 3  # minutes by which each pass makes a leg slower for the same driver in that hour


def score_route(route, start, legs):
    """The minutes that a route takes from its starting hour on.

    legs gives the minutes of each (from, to) for the 24 hours. It is everybody's: the driver's passes are noted apart."""
    passes = {}
    minutes = start * 60
    for leg in zip(route, route[1:]):
        hour = minutes // 60 % 24
        before = passes.get((leg, hour), 0)
        minutes += legs[leg][hour] + before
        passes[leg, hour] = before + QUEUE
    return minutes - start * 60


def score_routes(routes, legs):
    """The minutes of each (stops, starting hour), in the order given."""
    return [score_route(route, start, legs) for route, start in routes]
