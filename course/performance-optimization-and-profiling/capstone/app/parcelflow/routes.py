"""Scores the drivers' routes."""

from concurrent.futures import ThreadPoolExecutor

WORKERS = 8
QUEUE = 3  # minutes by which each pass makes a leg slower for the same driver in that hour


def score_route(route, start, legs):
    """The minutes that a route takes from its starting hour on.

    legs gives the minutes of each (from, to) for the 24 hours. It is the driver's own: passes are noted in it."""
    minutes = start * 60
    for leg in zip(route, route[1:]):
        by_hour = legs[leg]
        hour = minutes // 60 % 24
        minutes += by_hour[hour]
        by_hour[hour] += QUEUE
    return minutes - start * 60


def score_routes(routes, legs):
    """The minutes of each (stops, starting hour), in the order given."""
    with ThreadPoolExecutor(WORKERS) as pool:
        tasks = []
        for route, start in routes:
            own = {leg: list(by_hour) for leg, by_hour in legs.items()}
            tasks.append(pool.submit(score_route, route, start, own))
        return [task.result() for task in tasks]
