"""Unreadable: right, bounded and fast, in a framework for all pipelines that there may ever be.

Catalogues a herbarium: unpacks the scan of each sheet, and asks a service what grows on it."""
import abc
import asyncio
import collections
import dataclasses
import enum
import typing
import zlib

from pitviper_lab import ask_async


class Signal(enum.Enum):
    ITEM = "item"
    END = "end"


@dataclasses.dataclass(frozen=True)
class Envelope:
    signal: Signal
    number: int = -1
    payload: typing.Any = None

    @classmethod
    def of(cls, number, payload):
        return cls(Signal.ITEM, number, payload)

    @classmethod
    def end(cls):
        return cls(Signal.END)

    @property
    def is_end(self):
        return self.signal is Signal.END


class Channel(abc.ABC):
    @abc.abstractmethod
    async def send(self, envelope):
        """Send an envelope."""

    @abc.abstractmethod
    async def receive(self):
        """Receive an envelope."""


class BoundedChannel(Channel):
    def __init__(self, room):
        self.room = room
        self.items = collections.deque()
        self.condition = asyncio.Condition()

    async def send(self, envelope):
        async with self.condition:
            await self.condition.wait_for(self.has_room)
            self.items.append(envelope)
            self.condition.notify_all()

    async def receive(self):
        async with self.condition:
            await self.condition.wait_for(self.has_items)
            envelope = self.items.popleft()
            self.condition.notify_all()
            return envelope

    def has_room(self):
        return len(self.items) < self.room

    def has_items(self):
        return len(self.items) > 0


class Decoder(abc.ABC):
    @abc.abstractmethod
    def decode(self, data):
        """Decode what was packed."""


class ZlibDecoder(Decoder):
    def decode(self, data):
        try:
            return Success(zlib.decompress(data))
        except zlib.error as error:
            return Failure(error)


@dataclasses.dataclass
class Success:
    value: typing.Any

    def fold(self, on_success, on_failure):
        return on_success(self.value)


@dataclasses.dataclass
class Failure:
    error: Exception

    def fold(self, on_success, on_failure):
        return on_failure(self.error)


class QuestionState(abc.ABC):
    @abc.abstractmethod
    def question(self, context):
        """The question to be asked."""

    @abc.abstractmethod
    def next_state(self, answer):
        """The state that follows; None at the end."""


class FirstLook(QuestionState):
    def question(self, context):
        return b"what grows on %08x" % zlib.crc32(context.scan)

    def next_state(self, answer):
        return CloserLook() if answer[:1] in b"0123" else None


class CloserLook(QuestionState):
    def question(self, context):
        return b"look closer at " + context.answer

    def next_state(self, answer):
        return CloserLook() if answer[:1] in b"0123" else None


@dataclasses.dataclass
class Context:
    scan: bytes
    answer: bytes = b""
    state: typing.Optional[QuestionState] = dataclasses.field(default_factory=FirstLook)

    async def advance(self):
        self.answer = await ask_async(self.state.question(self))
        self.state = self.state.next_state(self.answer)

    @property
    def is_done(self):
        return self.state is None

    def result(self):
        plant = self.answer[:12]
        return plant.decode(), zlib.crc32(self.scan, zlib.crc32(plant))


class Sink(abc.ABC):
    @abc.abstractmethod
    def accept(self, number, result):
        """Take a result."""


class OrderedSink(Sink):
    def __init__(self):
        self.results = {}

    def accept(self, number, result):
        self.results[number] = result

    def in_order(self):
        return [self.results[number] for number in sorted(self.results)]


class Stage(abc.ABC):
    @abc.abstractmethod
    async def run(self):
        """Run to the end."""


class ReaderStage(Stage):
    def __init__(self, sheets, decoder, channel, consumers):
        self.sheets = sheets
        self.decoder = decoder
        self.channel = channel
        self.consumers = consumers

    async def run(self):
        for number, sheet in enumerate(self.sheets):
            await self.channel.send(Envelope.of(number, self.decoder.decode(sheet)))
        for _ in range(self.consumers):
            await self.channel.send(Envelope.end())


class NamerStage(Stage):
    def __init__(self, channel, sink):
        self.channel = channel
        self.sink = sink

    async def run(self):
        while True:
            envelope = await self.channel.receive()
            if envelope.is_end:
                break
            context = envelope.payload.fold(Context, lambda error: None)
            self.sink.accept(envelope.number, await self.name(context))

    async def name(self, context):
        if context is None:
            return "damaged"
        while not context.is_done:
            await context.advance()
        return context.result()


class PipelineBuilder:
    def __init__(self):
        self.consumers = 1
        self.room = 1
        self.decoder = ZlibDecoder()
        self.sink = OrderedSink()

    def with_consumers(self, consumers):
        self.consumers = consumers
        return self

    def with_room(self, room):
        self.room = room
        return self

    def build(self, sheets):
        channel = BoundedChannel(self.room)
        stages = [ReaderStage(sheets, self.decoder, channel, self.consumers)]
        for _ in range(self.consumers):
            stages.append(NamerStage(channel, self.sink))
        return Pipeline(stages, self.sink)


class Pipeline:
    def __init__(self, stages, sink):
        self.stages = stages
        self.sink = sink

    async def execute(self):
        await asyncio.gather(*(stage.run() for stage in self.stages))
        return self.sink.in_order()


async def read_and_name(sheets):
    return await PipelineBuilder().with_consumers(8).with_room(2).build(sheets).execute()


def catalogue(sheets):
    """Return (plant, stamp), or "damaged", for each of the packed sheets, in their order."""
    return asyncio.run(read_and_name(sheets))
