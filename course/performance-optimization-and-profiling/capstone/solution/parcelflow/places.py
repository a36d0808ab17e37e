"""Where a scan was made, and whether the depot was open."""

from bisect import bisect_left


def nearest_depot(x, y, depots):
    """The code of the depot nearest to a point; of equally near ones the first by code. depots are ordered by x."""
    middle = bisect_left(depots, x, key=lambda depot: depot.x)
    best = None
    for side in (depots[middle:], reversed(depots[:middle])):
        for depot in side:
            across = (depot.x - x) ** 2
            if best is not None and across > best[0]:
                break
            distance = across + (depot.y - y) ** 2
            if best is None or (distance, depot.code) < best:
                best = (distance, depot.code)
    return best[1]


def assign_depots(points, depots):
    """The nearest depot's code for each (x, y)."""
    by_x = sorted(depots, key=lambda depot: depot.x)
    return [nearest_depot(x, y, by_x) for x, y in points]


def join_windows(visits, windows):
    """For each (depot, minute) the numbers of the windows open then, in the order of the windows."""
    by_depot = {}
    for place, window in enumerate(windows):
        by_depot.setdefault(window.depot, []).append((window.opens, window.closes, place, window.number))
    longest = {}
    for depot, spans in by_depot.items():
        spans.sort()
        longest[depot] = max(span[1] - span[0] for span in spans)
    joined = []
    for depot, minute in visits:
        hits = []
        if depot in by_depot:
            spans = by_depot[depot]
            for span in spans[bisect_left(spans, (minute - longest[depot],)):]:
                if span[0] > minute:
                    break
                if span[1] >= minute:
                    hits.append(span[2:])
        joined.append([number for _, number in sorted(hits)])
    return joined
