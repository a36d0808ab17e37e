"""Slow: one search for each origin, as slow as before. It helps on a busy day, and not in a large network.

Routes for parcels through a network of depots, with as few handovers as possible."""


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


def search(network, origin):
    """Return {depot: the depot before it} for all that can be reached."""
    previous = {origin: None}
    visited = [origin]
    queue = [origin]
    while queue:
        depot = queue.pop(0)
        for neighbour in network.get(depot, ()):
            if neighbour not in visited:
                visited.append(neighbour)
                previous[neighbour] = depot
                queue.append(neighbour)
    return previous


def plan_routes(runs, orders):
    """Return one route for each order."""
    network = read_runs(runs)
    searched = {}
    routes = []
    for origin, destination in orders:
        if origin not in searched:
            searched[origin] = search(network, origin)
        previous = searched[origin]
        routes.append(trace_back(previous, destination) if destination in previous else [])
    return routes
