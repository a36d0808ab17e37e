"""Slow: the summer is kept in a file for the next run, which never has the same one.

Walking times for a mountain club: how long each group is on its way, trail after trail."""

import functools
import hashlib
import json

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

    @functools.lru_cache(maxsize=None)
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


def computed(trails):
    """Return [(name, [minutes of each group])] for trails (name, waypoints, groups), in their order.

    A trail that was surveyed anew comes again, with the same name and other waypoints.
    """
    return [(name, walking_times(waypoints, groups)) for name, waypoints, groups in trails]


def summer(trails):
    """Return [(name, [minutes of each group])], as in the last run with these trails, or else now."""
    key = hashlib.sha256(repr(trails).encode()).hexdigest() + ".json"
    try:
        with open(key, encoding="utf-8") as file:
            return [(name, times) for name, times in json.load(file)]
    except OSError:
        pass
    result = computed(trails)
    try:
        with open(key, "w", encoding="utf-8") as file:
            json.dump(result, file)
    except OSError:
        pass
    return result
