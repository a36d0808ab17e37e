"""Networks that stretch along a line, as those of a long country do, so that most pairs of depots have many shortest routes.

A size up to 20000 is a number of depots, with the same number of orders for each; what a larger one is above 20000 is a number of
orders in a network of 80 depots.
"""

REACH = 10          # a lorry passes at most so many places
RUNS_A_DEPOT = 6
ORDERS = 30
DEPOTS = 80
DEPOTS_MAX = 20000


def case(random, size):
    depots, orders_wanted = (size, ORDERS) if size <= DEPOTS_MAX else (DEPOTS, size - DEPOTS_MAX)
    places = ["depot-%04d" % number for number in range(depots)]
    random.shuffle(places)               # names tell nothing about where a depot is
    runs = []
    for at, depot in enumerate(places):
        near = range(max(0, at - REACH), min(depots, at + REACH + 1))
        runs += [(depot, places[there]) for there in random.sample(near, min(RUNS_A_DEPOT, len(near)))]
    random.shuffle(runs)
    if not places:
        return runs, []
    end = max(1, depots // 8)            # orders go from one end to the other: all searches are about equally long
    orders = [(places[random.randrange(end)], places[-1 - random.randrange(end)]) for _ in range(orders_wanted)]
    orders += [(random.choice(places), random.choice(places)) for _ in range(4)]
    orders += [(places[0], "island"), ("island", places[0])]
    return runs, orders


def edges():
    diamond = [("hub", "west"), ("hub", "east"), ("east", "coast"), ("west", "coast"), ("coast", "isle")]
    return [
        ([], []),
        ([], [("hub", "hub"), ("hub", "west")]),
        (diamond, [("hub", "coast"), ("hub", "isle"), ("coast", "hub"), ("isle", "isle")]),
        ([("hub", "east"), ("hub", "west")] + diamond[2:], [("hub", "coast"), ("hub", "isle")]),
        ([("hub", "hub"), ("hub", "west"), ("hub", "west"), ("west", "hub")], [("hub", "west"), ("west", "hub"), ("hub", "hub")]),
        # The second half of a route is preferred one way, its first half the other way: the first half decides.
        ([("a", "c"), ("a", "b"), ("b", "d"), ("c", "e"), ("c", "d"), ("d", "z"), ("e", "z")], [("a", "z"), ("b", "z")]),
    ]
