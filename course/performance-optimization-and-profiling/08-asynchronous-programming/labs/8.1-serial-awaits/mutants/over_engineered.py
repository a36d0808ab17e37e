"""Packs orders: each article is looked up, fetched and labelled by the warehouse's service."""
import abc
import asyncio
import dataclasses

from pitviper_lab import ask_async


class OutOfStock(Exception):
    """The warehouse has none of the article left."""


class Transport(abc.ABC):
    @abc.abstractmethod
    async def request(self, payload):
        """Send a request, and return its answer."""


class ServiceTransport(Transport):
    async def request(self, payload):
        return await ask_async(payload)


class State(abc.ABC):
    """A stage of a picking on its way through the warehouse."""

    @abc.abstractmethod
    def question(self, picking):
        """What has to be asked."""

    @abc.abstractmethod
    def following(self, picking, answer):
        """The state that the answer leads to; None at the end."""


class StockState(State):
    def question(self, picking):
        return b"stock of %s for order %d" % (picking.article.encode(), picking.order)

    def following(self, picking, answer):
        if answer[:1] == b"0":
            raise OutOfStock(picking.article)
        else:
            return StateRegistry.get("shelf")


class ShelfState(State):
    def question(self, picking):
        return b"shelf of " + picking.answer

    def following(self, picking, answer):
        if answer[:1] in b"0123":
            return StateRegistry.get("store room")
        else:
            return StateRegistry.get("label")


class StoreRoomState(State):
    def question(self, picking):
        return b"store room for " + picking.answer

    def following(self, picking, answer):
        return StateRegistry.get("label")


class LabelState(State):
    def question(self, picking):
        return b"label for " + picking.answer

    def following(self, picking, answer):
        picking.label = answer.decode()[:12]
        return None


class StateRegistry:
    states = {}

    @classmethod
    def register(cls, name, state):
        cls.states[name] = state

    @classmethod
    def get(cls, name):
        return cls.states[name]


StateRegistry.register("stock", StockState())
StateRegistry.register("shelf", ShelfState())
StateRegistry.register("store room", StoreRoomState())
StateRegistry.register("label", LabelState())


@dataclasses.dataclass
class Picking:
    order: int
    article: str
    place: int
    state: State = dataclasses.field(default_factory=lambda: StateRegistry.get("stock"))
    answer: bytes = b""
    label: str = ""

    async def advance(self, transport):
        answer = await transport.request(self.state.question(self))
        self.state = self.state.following(self, answer)
        self.answer = answer

    @property
    def is_done(self):
        return self.state is None


class Listener(abc.ABC):
    @abc.abstractmethod
    def printed(self, picking):
        """A label was printed."""

    @abc.abstractmethod
    def stopped(self, order):
        """An order was stopped."""


class Journal(Listener):
    def __init__(self):
        self.lines = []

    def printed(self, picking):
        self.lines.append("label %s" % picking.label)

    def stopped(self, order):
        self.lines.append("stop %d" % order)


class Dispatcher(Listener):
    def __init__(self):
        self.listeners = []

    def add(self, listener):
        self.listeners.append(listener)
        return self

    def printed(self, picking):
        for listener in self.listeners:
            listener.printed(picking)

    def stopped(self, order):
        for listener in self.listeners:
            listener.stopped(order)


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
    def __init__(self, order, articles, transport, listener):
        self.order = order
        self.transport = transport
        self.listener = listener
        self.pickings = [Picking(order, article, place) for place, article in enumerate(articles)]
        self.labels = [None] * len(articles)

    async def run_one(self, picking):
        while not picking.is_done:
            await picking.advance(self.transport)
        self.listener.printed(picking)
        self.labels[picking.place] = picking.label

    async def run(self):
        try:
            async with Group() as group:
                for picking in self.pickings:
                    group.start(self.run_one(picking))
        except OutOfStock:
            self.listener.stopped(self.order)
            return None
        else:
            return self.labels


class Warehouse:
    def __init__(self, orders):
        self.orders = orders
        self.journal = Journal()
        self.listener = Dispatcher().add(self.journal)
        self.transport = ServiceTransport()
        self.packed = []

    async def run(self):
        for order, articles in enumerate(self.orders):
            packer = Packer(order, articles, self.transport, self.listener)
            self.packed.append(await packer.run())
        return self.packed, self.journal.lines


def pack_orders(orders):
    """Return what pack returns for each order, and the journal: a line for each label printed and each order stopped."""
    return asyncio.run(Warehouse(orders).run())
