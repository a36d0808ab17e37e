"""Trails of a mountain club, and the groups that walk them. A size is the number of trails."""

HUTS = 12
STEP = 25


def trail(random, number):
    waypoints = [(0, random.randrange(60_000, 200_000))]
    for _ in range(HUTS - 1):
        metres, height = waypoints[-1]
        waypoints.append((metres + STEP * random.randrange(80, 160), max(40_000, height + random.randrange(-50_000, 50_000))))
    # All groups take one of two marked tours, out and back: the same stages in the same order, again and again.
    turn = random.randrange(6, HUTS - 1)
    tours = [[*range(turn), *range(turn, -1, -1)], [*range(HUTS - 1, 0, -2), *range(2, HUTS, 2)]]
    groups = [tours[turn % 2] for turn in range(random.randrange(6, 9))]
    if random.random() < 0.3:
        groups.append(random.sample(range(HUTS), 4))
    return "trail %d" % number, waypoints, groups


def case(random, size):
    trails = [trail(random, number) for number in range(size)]
    for place in range(2, size, 5):          # surveyed anew
        name, waypoints, groups = trails[place - 1]
        trails[place] = name, [(metres, height + random.randrange(30_000)) for metres, height in waypoints], groups
    return (trails,)


def edges():
    hill = [(0, 50_000), (1000, 60_000), (3000, 55_000)]
    ridge = [(0, 90_000), (500, 99_000), (3000, 110_000)]
    return [
        ([],),
        ([("hill", hill, [])],),
        ([("hill", hill, [[0], [], [1, 1]])],),
        ([("hill", hill, [[0, 1, 2], [2, 1, 0], [0, 2]])],),
        ([("hill", hill, [[0, 1, 2]] * 3), ("ridge", ridge, [[0, 1, 2]] * 2), ("hill", hill, [[0, 1, 2]])],),
        ([("hill", hill, [[0, 2]]), ("hill", ridge, [[0, 2]])],),
        ([("hill", hill, [[0, 2]]), ("hill", hill[:2], [[0, 1]]), ("hill", hill, [[1, 2]])],),
    ]
