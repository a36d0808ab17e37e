"""Packs orders: each article is looked up, fetched and labelled by the warehouse's service."""
import asyncio

from pitviper_lab import ask_async


ANSWERS = {}


async def ask_once(question):
    """Ask the service, unless it was asked the same before."""
    if question not in ANSWERS:
        ANSWERS[question] = await ask_async(question)
    return ANSWERS[question]


class OutOfStock(Exception):
    """The warehouse has none of the article left."""


async def pick(order, article, journal):
    """Look up one article of an order, fetch it, print its label, and return the label.

    The service answers with 64 hexadecimal digits. One that begins with 0 for the stock: there is none left. One that
    begins with 0 to 3 for the shelf: the shelf is empty, and the store room has to be asked as well.
    """
    stock = await ask_once(b"stock of %s for order %d" % (article.encode(), order))
    if stock[:1] == b"0":
        raise OutOfStock(article)
    place = await ask_once(b"shelf of " + stock)
    if place[:1] in b"0123":
        place = await ask_once(b"store room for " + place)
    label = (await ask_once(b"label for " + place)).decode()[:12]
    journal.append("label %s" % label)     # it is on paper now
    return label


async def pack(order, articles, journal):
    """Return the labels of one order, in the order of its articles; None if an article is out of stock.

    Then the order is stopped at once, and the journal says so: no label of it may come after that.
    """
    labels = []
    try:
        for article in articles:
            labels.append(await pick(order, article, journal))
    except OutOfStock:
        journal.append("stop %d" % order)
        return None
    return labels


async def pack_all(orders):
    journal = []
    packed = []
    for order, articles in enumerate(orders):
        packed.append(await pack(order, articles, journal))
    return packed, journal


def pack_orders(orders):
    """Return what pack returns for each order, and the journal: a line for each label printed and each order stopped."""
    return asyncio.run(pack_all(orders))


if __name__ == "__main__":
    ORDERS = [["article %d" % (100 * order + place) for place in range(13)] for order in range(8)]
    PACKED, JOURNAL = pack_orders(ORDERS)
    print("%d orders, %d of them stopped, %d labels" % (
        len(ORDERS), PACKED.count(None), sum(line.startswith("label") for line in JOURNAL)))
