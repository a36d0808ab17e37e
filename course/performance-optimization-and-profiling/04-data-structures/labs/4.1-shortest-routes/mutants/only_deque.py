"""Slow: the queue is cured, the list of visited depots is not.

Routes for parcels through a network of depots, with as few handovers as possible."""
from collections import deque


def read_runs(runs):
    """Return {depot: the depots that its lorries drive to, in the dispatchers' order of preference}."""
    network = {}
    for depot, neighbour in runs:
        network.setdefault(depot, []).append(neighbour)
    return network


def trace_back(previous, depot):
    """Return the depots from the beginning of the search to this one."""
    route = []
    while depot is not None:
        route.append(depot)
        depot = previous[depot]
    route.reverse()
    return route


def find_route(network, origin, destination):
    """Return the depots from origin to destination, both included; [] where no lorries lead there.

    Of several routes with equally few handovers it is the one that the dispatchers prefer: at the first depot where
    they part, the one that takes the run listed earlier.
    """
    previous = {origin: None}
    visited = [origin]
    queue = deque([origin])
    while queue:
        depot = queue.popleft()
        if depot == destination:
            return trace_back(previous, depot)
        for neighbour in network.get(depot, ()):
            if neighbour not in visited:
                visited.append(neighbour)
                previous[neighbour] = depot
                queue.append(neighbour)
    return []


def plan_routes(runs, orders):
    """Return one route for each order.

    runs: (depot, neighbour) pairs; lorries drive one way, and those listed earlier are preferred
    orders: (origin, destination) pairs
    """
    network = read_runs(runs)
    return [find_route(network, origin, destination) for origin, destination in orders]
