"""Hills with woods on them, points to be watched, and places for towers. Sizes from 200 on are the sides of a large grid."""

import math

LARGE = 200
METHODS = ("fork", "spawn")


def hills(random, side):
    """Ground and trees in metres, in rows: a few waves in each direction, and woods of many heights."""
    length = side / random.uniform(2.5, 5.0)
    along = [random.uniform(10, 22) * math.sin(row / length) for row in range(side)]
    across = [random.uniform(10, 22) * math.sin(column / length) for column in range(side)]
    woods = [random.randrange(4) for _ in range(997)]
    return [
        [(int(600 + high + wide), woods[(row * row + column) % 997]) for column, wide in enumerate(across)]
        for row, high in enumerate(along)
    ]


def somewhere(random, side):
    return random.randrange(side), random.randrange(side)


def case(random, size):
    large = size >= LARGE
    land = hills(random, size)
    points = [somewhere(random, size) for _ in range(500 if large else size)]
    places = [somewhere(random, size) for _ in range(24 if large else size)]
    # The start method of the large one is the one that costs least.
    return land, points, places, "fork" if large else random.choice(METHODS)


def edges():
    wall = [[(500, 0)] * 12 for _ in range(7)]
    for row in wall:
        row[6] = (500, 15)                 # trees half as high as a tower hide what lies behind them
    grazed = [[(500, 0), (500, 15), (500, 0)], [(500, 0), (500, 14), (500, 0)]]
    hole = [[(400, 0)] * 120 for _ in range(120)]
    for place in range(20, 60):
        hole[place][place] = (300, 0)      # a tower in there sees nothing beyond
    rim = [(0, place) for place in range(1, 120)] + [(119, place) for place in range(120)]
    return [
        ([[(500, 0)]], [], [], "fork"),
        ([[(500, 9)]], [(0, 0)], [(0, 0)], "spawn"),
        ([[(500, 0)]], [], [(0, 0), (0, 0)], "fork"),
        # The line to the end of the first row touches the trees in the middle: that hides it.
        (grazed, [(0, 2), (1, 2), (0, 0)], [(0, 0), (1, 0)], "fork"),
        (wall, [(row, column) for row in range(7) for column in range(12)], [(3, 0), (0, 11), (3, 6)], "spawn"),
        # The first place takes longer than all others together: the answers still come in the order of the places.
        (hole, rim * 2, [(0, 0)] + [(place, place) for place in range(20, 60)], "fork"),
    ]
