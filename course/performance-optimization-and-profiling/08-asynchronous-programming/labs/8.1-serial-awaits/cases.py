"""Orders for a warehouse that answers with SHA-256 digests, and what their packing must look like."""
import collections
import hashlib

LARGE = 30  # articles: from here on two orders, both in stock


def answer(question):
    return hashlib.sha256(question).hexdigest().encode()


def stock_of(order, article):
    return answer(b"stock of %s for order %d" % (article.encode(), order))


def out_of_stock(order, article):
    return stock_of(order, article)[:1] == b"0"


def label_of(order, article):
    place = answer(b"shelf of " + stock_of(order, article))
    if place[:1] in b"0123":
        place = answer(b"store room for " + place)
    return answer(b"label for " + place).decode()[:12]


def article_for(random, order, missing):
    """An article that this order will find in stock, or not."""
    while True:
        article = "article %d" % random.randrange(100_000)
        if out_of_stock(order, article) == missing:
            return article


def order_of(random, order, size, stopped):
    articles = [article_for(random, order, False) for _ in range(size)]
    if size > 2 and random.random() < 0.3:
        articles[size - 1] = articles[0]   # the same thing twice
    if stopped:
        articles[random.randrange(size)] = article_for(random, order, True)
    return articles


def case(random, size):
    if size >= LARGE:
        return ([order_of(random, order, size // 2, False) for order in range(2)],)
    orders = []
    while size > 0:
        articles = min(size, random.randrange(1, 8))
        size -= articles
        orders.append(order_of(random, len(orders), articles, random.random() < 0.4))
    return (orders,)


class Known:
    """Stands for `random` where the same orders are wanted each time: counts up."""

    def __init__(self):
        self.number = 0

    def randrange(self, _):
        self.number += 1
        return self.number


def edges():
    known = Known()
    first, second = ([article_for(known, order, False) for _ in range(6)] for order in range(2))
    missing = [article_for(known, 0, True) for _ in range(2)]
    return [
        ([],),
        ([[]],),
        ([first[:1]],),
        ([first, second],),
        ([first[:1] * 3],),
        ([missing[:1] + first[1:], second],),
        ([first[:5] + missing[:1], second],),
        ([first[:2] + missing + first[2:], second],),
        ([first[:3] + missing[:1]],),
    ]


def judge_order(order, articles, labels, journal):
    missing = [place for place, article in enumerate(articles) if out_of_stock(order, article)]
    wanted = [label_of(order, article) for article in articles]
    printed = collections.Counter(line[6:] for line in journal if line.startswith("label "))
    stop = "stop %d" % order
    if not missing:
        if labels != wanted:
            return "order %d: its labels are %r, not %r" % (order, wanted, labels)
        if any(printed[label] != count for label, count in collections.Counter(wanted).items()):
            return "order %d: a label of it is in the journal more or less often than it has such articles" % order
        return "order %d: nothing is out of stock, and it was stopped" % order if stop in journal else None
    if labels is not None:
        return "order %d: an article is out of stock, so the answer is None, not %r" % (order, labels)
    if journal.count(stop) != 1:
        return "order %d: the journal must say '%s' once" % (order, stop)
    if any(line[6:] in wanted for line in journal[journal.index(stop):]):
        return "order %d: a label of it was printed after the line '%s'" % (order, stop)
    allowed = collections.Counter(wanted[:missing[0]])
    if any(printed[label] > allowed[label] for label in wanted):
        return "order %d: a label was printed for an article behind the one that is out of stock" % order
    return None


def judge(args, answer):
    (orders,) = args
    if type(answer) is not tuple or len(answer) != 2 or [type(part) for part in answer] != [list, list]:
        return "a tuple of two lists is wanted: what each order's packing gave, and the journal"
    packed, journal = answer
    if len(packed) != len(orders):
        return "%d results for %d orders" % (len(packed), len(orders))
    known = {"label " + label_of(order, article) for order, articles in enumerate(orders) for article in articles}
    known.update("stop %d" % order for order in range(len(orders)))
    for line in journal:
        if type(line) is not str or line not in known:
            return "the journal holds a line that is of no order: %.60r" % (line,)
    for order, (articles, labels) in enumerate(zip(orders, packed)):
        said = judge_order(order, articles, labels, journal)
        if said:
            return said
    return None
