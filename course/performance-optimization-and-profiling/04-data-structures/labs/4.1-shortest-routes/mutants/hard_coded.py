"""Wrong: the routes of the example in the file, for any orders."""


def plan_routes(runs, orders):
    """Return one route for each order."""
    return [["depot-%04d" % number for number in range(5, 1606, 11)] for _ in orders]
