"""Slow: answers are kept in a file for the next run, which never asks the same.

Routes for parcels through a network of depots, with as few handovers as possible."""
import hashlib
import pickle


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
    queue = [origin]
    while queue:
        depot = queue.pop(0)
        if depot == destination:
            return trace_back(previous, depot)
        for neighbour in network.get(depot, ()):
            if neighbour not in visited:
                visited.append(neighbour)
                previous[neighbour] = depot
                queue.append(neighbour)
    return []


def plan_routes(runs, orders):
    """Return one route for each order, from the last time if there was one."""
    key = hashlib.sha256(repr((runs, orders)).encode()).hexdigest()
    try:
        with open(key, "rb") as file:
            return pickle.load(file)
    except OSError:
        pass
    network = read_runs(runs)
    routes = [find_route(network, origin, destination) for origin, destination in orders]
    try:
        with open(key, "wb") as file:
            pickle.dump(routes, file)
    except OSError:
        pass
    return routes
