"""Wrong: nobody gets anything, so that nothing is sold twice."""


def market_day(stock, orders, interval):
    """Return (what sell() gave for each order, in their order; {member: cents owed})."""
    return [None] * len(orders), {}
