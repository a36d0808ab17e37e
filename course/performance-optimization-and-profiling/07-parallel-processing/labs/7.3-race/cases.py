"""Market days: kinds that everybody wants, and too few crates of most. Which order comes to its turn first is the shop's business,
so an answer is judged by what must hold for any sequence."""

import hashlib

KINDS = ("carrots", "leeks", "pumpkins", "beets", "kale", "onions", "celery", "parsnips")
LARGE = 200
TINY = 1e-6        # seconds after which threads take turns, where the test is to be a hard one
USUAL = 0.005
OWED_MOST = 40_000


def case(random, size):
    kinds = random.sample(KINDS, 5)
    members = ["M%02d" % random.randrange(100) for _ in range(2 + size // 10)]
    orders = [
        (random.choice(members), random.choices(kinds, (8, 3, 2, 2, 1))[0], random.randrange(1, 9))
        for _ in range(size)
    ]
    wanted = {kind: sum(crates for _, other, crates in orders if other == kind) for kind in kinds}
    stock = {kind: int(wanted[kind] * random.choice((0.6, 0.8, 1.2))) for kind in kinds}
    return stock, orders, USUAL if size >= LARGE else TINY


def edges():
    return [
        ({}, [], USUAL),
        ({}, [("M01", "kale", 1)], USUAL),
        ({"kale": 3}, [("M01", "kale", 3)], USUAL),
        ({"kale": 3}, [("M01", "kale", 4), ("M02", "kale", 4)], USUAL),
        ({"kale": 1}, [("M%02d" % number, "kale", 1) for number in range(8)], TINY),
        ({"kale": 8}, [("M01", "kale", 1) for _ in range(8)], TINY),
        # One member orders of everything: at some time it is too much.
        ({kind: 3 for kind in KINDS}, [("M01", kind, 3) for kind in KINDS * 3], TINY),
        ({"kale": 100}, [("M%02d" % (number % 3), "kale", 5) for number in range(40)], TINY),
    ]


def price(crates):
    return sum(max(900, 1400 - 35 * crate) for crate in range(crates))


def judge_kind(kind, there, orders, sales):
    """What is wrong with the sales of one kind, where each has the right form."""
    left, sold = there, []
    for (_, other, crates), sale in zip(orders, sales):
        if other == kind and sale is not None:
            left -= crates
            sold.append((sale[0], crates))
    if left < 0:
        return "%d crates of %s were sold, and %d were there" % (there - left, kind, there)
    expected = 1
    for first, crates in sorted(sold):
        if first != expected:
            return "crates of %s from number %d on: an order has its first at %d, so some were given twice or to nobody" % (
                kind, expected, first)
        expected += crates
    return None


def judge_bills(orders, sales, owed):
    bills = {}
    for (member, _, crates), sale in zip(orders, sales):
        if sale is not None:
            bills[member] = bills.get(member, 0) + price(crates)
    for member in sorted(bills.keys() | owed.keys()):
        if bills.get(member) != owed.get(member):
            return "%s owes %r cents, and %r were entered" % (member, bills.get(member), owed.get(member))
        if bills[member] > OWED_MOST:
            return "%s owes %d cents, and %d are allowed" % (member, bills[member], OWED_MOST)
    return None


def judge_refusals(stock, orders, sales, owed):
    """Crates only go, and debts only grow: what fits in the end did fit before."""
    left = dict(stock)
    for (_, kind, crates), sale in zip(orders, sales):
        if sale is not None:
            left[kind] -= crates
    for order, sale in zip(orders, sales):
        member, kind, crates = order
        if sale is None and crates <= left.get(kind, 0) and owed.get(member, 0) + price(crates) <= OWED_MOST:
            return "%r was sent away, with %d crates left, and %d cents owed" % (order, left[kind], owed.get(member, 0))
    return None


def judge_sale(order, sale):
    member, kind, crates = order
    if sale is None:
        return None
    if type(sale) is not tuple or len(sale) != 2 or type(sale[0]) is not int or type(sale[1]) is not str:
        return "a sale is None or a tuple (first crate, receipt), not %.60r" % (sale,)
    booking = "%s: crates %d to %d of %s" % (member, sale[0], sale[0] + crates - 1, kind)
    if sale[1] != hashlib.sha256(booking.encode()).hexdigest():
        return "the receipt of %r is not the bank's for '%s'" % (order, booking)
    return None


def judge(args, answer):
    stock, orders, _ = args
    if type(answer) is not tuple or len(answer) != 2 or [type(part) for part in answer] != [list, dict]:
        return "a tuple is wanted: the list of sales, and the dict of what members owe"
    sales, owed = answer
    if len(sales) != len(orders):
        return "%d sales for %d orders" % (len(sales), len(orders))
    for order, sale in zip(orders, sales):
        said = judge_sale(order, sale)
        if said:
            return said
    for kind in sorted({kind for _, kind, _ in orders}):
        said = judge_kind(kind, stock.get(kind, 0), orders, sales)
        if said:
            return said
    return judge_bills(orders, sales, owed) or judge_refusals(stock, orders, sales, owed)
