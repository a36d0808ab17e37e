"""How many of the points that must be watched for fires would a tower see from each place that was proposed for it?"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

TOWER = 30  # metres above the ground
kept = {}  # in a worker: what was given to it once, when it started


def keep(ground, tops, width, points):
    """Keep in this worker what all of its tasks need."""
    kept.update(land=(ground, tops, width), points=points)


def in_sight(ground, tops, width, place, point):
    """Does the straight line from the top of a tower at the place to the ground at the point stay above all between?"""
    (row, column), (point_row, point_column) = place, point
    rows, columns = point_row - row, point_column - column
    steps = max(abs(rows), abs(columns))
    top = ground[row * width + column] + TOWER
    fall = ground[point_row * width + point_column] - top
    for step in range(1, steps):
        cell = (row + rows * step // steps) * width + column + columns * step // steps
        if (tops[cell] - top) * steps >= fall * step:
            return False
    return True


def points_seen(place):
    """How many of the points a tower at this place would see: one task."""
    return sum(in_sight(*kept["land"], place, point) for point in kept["points"])


def survey(land, points, places, method):
    """Return how many of the points each of the places sees, in the order of the places.

    The land is a grid, in rows: how high the ground is, and the trees on it, in metres. Places and points are (row, column).
    Worker processes are started by this method: "fork", "spawn" or "forkserver".
    """
    context = multiprocessing.get_context(method)
    # Plain numbers, in memory that all workers see.
    ground = context.RawArray("h", [height for row in land for height, _ in row])
    tops = context.RawArray("h", [height + trees for row in land for height, trees in row])
    workers = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers, context, initializer=keep, initargs=(ground, tops, len(land[0]), points)) as pool:
        return list(pool.map(points_seen, places))


if __name__ == "__main__":
    SIDE = 300
    LAND = [
        [(400 + abs(row - 150) // 3 + abs(column - 120) // 4, row * column // 97 % 5) for column in range(SIDE)]
        for row in range(SIDE)
    ]
    POINTS = [(number * 7919 % SIDE, number * 104729 % SIDE) for number in range(400)]
    PLACES = [(number * 5003 % SIDE, number * 3001 % SIDE) for number in range(30)]
    SEEN = survey(LAND, POINTS, PLACES, "spawn")
    print("%d places; the best sees %d of %d points: %s" % (
        len(SEEN), max(SEEN), len(POINTS), PLACES[SEEN.index(max(SEEN))]))
