"""Slow: sold under one lock, and kept in a file for the next day, which never has the same orders."""
import hashlib
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from pitviper_lab import ask

# The bank takes so many requests at a time; others wait their turn.
AT_ONCE = 8

CENTS_A_CRATE = 1400
CENTS_LESS = 35  # that each further crate of an order costs less
CENTS_LEAST = 900
CENTS_OWED_MOST = 40_000  # by one member


def price(crates):
    """Cents for an order of so many crates."""
    return sum(max(CENTS_LEAST, CENTS_A_CRATE - CENTS_LESS * crate) for crate in range(crates))


class Shop:
    """What was there in the morning, what is given so far, and what each member owes."""

    def __init__(self, stock):
        self.stock = stock
        self.given = {}
        self.owed = {}
        self.lock = threading.Lock()

    def sell(self, order):
        """Return (number of its first crate, the bank's receipt) for an order.

        None if too few crates are left, or the member would owe too much. Crates of one kind are numbered from 1 on, in
        the order in which they are given.
        """
        member, kind, crates = order
        with self.lock:
            given, owed = self.given.get(kind, 0), self.owed.get(member, 0)
            cents = price(crates)
            if given + crates > self.stock.get(kind, 0) or owed + cents > CENTS_OWED_MOST:
                return None
            booking = "%s: crates %d to %d of %s" % (member, given + 1, given + crates, kind)
            receipt = ask(booking.encode()).decode()
            self.given[kind] = given + crates
            self.owed[member] = owed + cents
            return given + 1, receipt


def sold_day(stock, orders, interval):
    """Return (what sell() gave for each order, in their order; {member: cents owed}).

    The stock is {kind: crates}, an order (member, kind, crates). Threads take turns after so many seconds.
    """
    sys.setswitchinterval(interval)
    shop = Shop(stock)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sales = list(pool.map(shop.sell, orders))
    return sales, shop.owed


def market_day(stock, orders, interval):
    """Return what sold_day() does, from the last time if there was one."""
    key = hashlib.sha256(repr((stock, orders)).encode()).hexdigest()
    try:
        with open(key, "rb") as file:
            return pickle.load(file)
    except OSError:
        pass
    result = sold_day(stock, orders, interval)
    try:
        with open(key, "wb") as file:
            pickle.dump(result, file)
    except OSError:
        pass
    return result


if __name__ == "__main__":
    KINDS = ["carrots", "leeks", "carrots", "pumpkins", "carrots", "beets"]
    ORDERS = [("M%02d" % (number * 7 % 90), KINDS[number % 6], 1 + number % 5) for number in range(900)]
    STOCK = {"carrots": 1000, "leeks": 400, "pumpkins": 300, "beets": 440}
    SALES, OWED = market_day(STOCK, ORDERS, 0.005)
    SOLD = {kind: 0 for kind in STOCK}
    for (_, KIND, CRATES), SALE in zip(ORDERS, SALES):
        SOLD[KIND] += CRATES if SALE else 0
    print("of", STOCK, "sold", SOLD)
    print("%d members owe %.2f" % (len(OWED), sum(OWED.values()) / 100))
