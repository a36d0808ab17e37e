"""Wrong: a search from both ends finds a shortest route, but not the one that the dispatchers prefer."""


def read_runs(runs):
    """Return {depot: the depots that its lorries drive to}, and the same backwards."""
    forward, backward = {}, {}
    for depot, neighbour in runs:
        forward.setdefault(depot, []).append(neighbour)
        backward.setdefault(neighbour, []).append(depot)
    return forward, backward


def trace_back(previous, depot):
    """Return the depots from the beginning of the search to this one."""
    route = []
    while depot is not None:
        route.append(depot)
        depot = previous[depot]
    route.reverse()
    return route


def one_step(network, edge, previous):
    """Go one handover further from the depots at the edge; return the new edge."""
    found = []
    for depot in edge:
        for neighbour in network.get(depot, ()):
            if neighbour not in previous:
                previous[neighbour] = depot
                found.append(neighbour)
    return found


def find_route(forward, backward, origin, destination):
    """Return the depots from origin to destination, both included; [] where no lorries lead there."""
    from_origin, from_destination = {origin: None}, {destination: None}
    near_origin, near_destination = [origin], [destination]
    while near_origin and near_destination:
        for depot in near_origin:
            if depot in from_destination:
                return trace_back(from_origin, depot) + trace_back(from_destination, depot)[-2::-1]
        near_origin = one_step(forward, near_origin, from_origin)
        for depot in near_origin:
            if depot in from_destination:
                return trace_back(from_origin, depot) + trace_back(from_destination, depot)[-2::-1]
        near_destination = one_step(backward, near_destination, from_destination)
    return []


def plan_routes(runs, orders):
    """Return one route for each order."""
    forward, backward = read_runs(runs)
    return [find_route(forward, backward, origin, destination) for origin, destination in orders]
