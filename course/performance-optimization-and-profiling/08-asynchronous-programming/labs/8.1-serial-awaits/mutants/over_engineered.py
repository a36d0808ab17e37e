"""Packs orders: each article is looked up, fetched and labelled by the warehouse's service."""
import asyncio
import dataclasses
import enum

from pitviper_lab import ask_async


class OutOfStock(Exception):
    """The warehouse has none of the article left."""


class Step(enum.Enum):
    STOCK = 1
    SHELF = 2
    STORE_ROOM = 3
    LABEL = 4
    DONE = 5


@dataclasses.dataclass
class Picking:
    order: int
    article: str
    place: int
    step: Step = Step.STOCK
    answer: bytes = b""
    label: str = ""

    def question(self):
        if self.step is Step.STOCK:
            return b"stock of %s for order %d" % (self.article.encode(), self.order)
        elif self.step is Step.SHELF:
            return b"shelf of " + self.answer
        elif self.step is Step.STORE_ROOM:
            return b"store room for " + self.answer
        elif self.step is Step.LABEL:
            return b"label for " + self.answer
        else:
            raise RuntimeError("nothing to ask")

    def take(self, answer):
        if self.step is Step.STOCK:
            if answer[:1] == b"0":
                raise OutOfStock(self.article)
            else:
                self.step = Step.SHELF
        elif self.step is Step.SHELF:
            if answer[:1] in b"0123":
                self.step = Step.STORE_ROOM
            else:
                self.step = Step.LABEL
        elif self.step is Step.STORE_ROOM:
            self.step = Step.LABEL
        elif self.step is Step.LABEL:
            self.label = answer.decode()[:12]
            self.step = Step.DONE
        self.answer = answer


class Journal:
    def __init__(self):
        self.lines = []

    def printed(self, picking):
        self.lines.append("label %s" % picking.label)

    def stopped(self, order):
        self.lines.append("stop %d" % order)


class Group:
    """A task group for Pythons that have none."""

    def __init__(self):
        self.tasks = []
        self.error = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        if error is not None:
            self.cancel()
        waiting = set(self.tasks)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    if task.exception() is not None:
                        if self.error is None:
                            self.error = task.exception()
                            self.cancel()
        if error is None and self.error is not None:
            raise self.error
        return False

    def cancel(self):
        for task in self.tasks:
            if not task.done():
                task.cancel()

    def start(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.tasks.append(task)
        return task


class Packer:
    def __init__(self, order, articles, journal):
        self.order = order
        self.pickings = [Picking(order, article, place) for place, article in enumerate(articles)]
        self.journal = journal
        self.labels = [None] * len(articles)

    async def run_one(self, picking):
        while picking.step is not Step.DONE:
            picking.take(await ask_async(picking.question()))
        self.journal.printed(picking)
        self.labels[picking.place] = picking.label

    async def run(self):
        try:
            async with Group() as group:
                for picking in self.pickings:
                    group.start(self.run_one(picking))
        except OutOfStock:
            self.journal.stopped(self.order)
            return None
        else:
            return self.labels


class Warehouse:
    def __init__(self, orders):
        self.orders = orders
        self.journal = Journal()
        self.packed = []

    async def run(self):
        for order, articles in enumerate(self.orders):
            packer = Packer(order, articles, self.journal)
            self.packed.append(await packer.run())
        return self.packed, self.journal.lines


def pack_orders(orders):
    """Return what pack returns for each order, and the journal: a line for each label printed and each order stopped."""
    return asyncio.run(Warehouse(orders).run())
