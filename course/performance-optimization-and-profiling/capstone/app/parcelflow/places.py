"""Where a scan was made, and whether the depot was open."""


def nearest_depot(x, y, depots):
    """The code of the depot nearest to a point; of equally near ones the first by code."""
    best = None
    for depot in depots:
        distance = (depot.x - x) ** 2 + (depot.y - y) ** 2
        if best is None or (distance, depot.code) < best:
            best = (distance, depot.code)
    return best[1]


def assign_depots(points, depots):
    """The nearest depot's code for each (x, y)."""
    return [nearest_depot(x, y, depots) for x, y in points]


def join_windows(visits, windows):
    """For each (depot, minute) the numbers of the windows open then, in the order of the windows."""
    joined = []
    for depot, minute in visits:
        numbers = []
        for window in windows:
            if window.depot == depot and window.opens <= minute <= window.closes:
                numbers.append(window.number)
        joined.append(numbers)
    return joined
