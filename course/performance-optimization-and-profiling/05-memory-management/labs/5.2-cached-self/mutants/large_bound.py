"""Slow: 3000 times of walking are the stages of some 110 trails, and each of these trails is kept.

Walking times for a mountain club: how long each group is on its way, trail after trail."""

import functools

STEP = 25                    # metres between two points of a trail


def heights_between(waypoints):
    """Return the height, in centimetres, of each point from the first waypoint to the last."""
    heights = [waypoints[0][1]]
    for (metres, height), (next_metres, next_height) in zip(waypoints, waypoints[1:]):
        steps = (next_metres - metres) // STEP
        rise = next_height - height
        heights += [height + rise * step // steps for step in range(1, steps + 1)]
    return heights


class Trail:
    """A trail with a hut at each of its waypoints, which are (metres from the beginning, height in centimetres)."""

    def __init__(self, waypoints):
        self.huts = [metres // STEP for metres, _ in waypoints]
        self.heights = heights_between(waypoints)

    @functools.lru_cache(maxsize=3000)
    def seconds(self, start, end):
        """Seconds from one hut to another, in either direction. Whoever has climbed gets slower."""
        first, last = self.huts[start], self.huts[end]
        heights = self.heights[min(first, last):max(first, last) + 1]
        if first > last:
            heights.reverse()
        seconds = climbed = 0
        for height, next_height in zip(heights, heights[1:]):
            rise = next_height - height
            pace = 20 + abs(rise) // 25
            if rise > 0:
                climbed += rise
                pace += rise // 20
            seconds += pace * (100000 + climbed) // 100000
        return seconds


def walking_times(waypoints, groups):
    """Return the minutes of each group; a group is the list of the huts that it goes to, one after the other."""
    trail = Trail(waypoints)
    times = []
    for huts in groups:
        seconds = sum(trail.seconds(start, end) for start, end in zip(huts, huts[1:]))
        times.append(seconds // 60)
    return times


def summer(trails):
    """Return [(name, [minutes of each group])] for trails (name, waypoints, groups), in their order.

    A trail that was surveyed anew comes again, with the same name and other waypoints.
    """
    return [(name, walking_times(waypoints, groups)) for name, waypoints, groups in trails]
