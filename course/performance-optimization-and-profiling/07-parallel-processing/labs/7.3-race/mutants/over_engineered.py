"""Unreadable: right and quick, as a framework for shops of any kind that has one kind."""
import abc
import contextlib
import dataclasses
import enum
import queue
import sys
import threading

from pitviper_lab import ask

AT_ONCE = 8


class State(enum.Enum):
    NEW = "new"
    GRANTED = "granted"
    REFUSED = "refused"
    BOOKED = "booked"
    FAILED = "failed"


@dataclasses.dataclass
class Settings:
    workers: int = AT_ONCE
    first: int = 1
    most: int = 40_000
    cents: int = 1400
    less: int = 35
    least: int = 900


@dataclasses.dataclass
class Job:
    place: int
    member: str
    kind: str
    crates: int
    state: State = State.NEW
    start: object = None
    receipt: object = None
    error: object = None

    def text(self):
        return "%s: crates %d to %d of %s" % (self.member, self.start, self.start + self.crates - 1, self.kind)

    def result(self):
        if self.state is State.BOOKED:
            return self.start, self.receipt
        else:
            if self.state is State.REFUSED:
                return None
            else:
                raise self.error


class Guarded:
    def __init__(self, value):
        self.value = value
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def held(self):
        self.lock.acquire()
        try:
            yield self.value
        finally:
            self.lock.release()


class Stage(abc.ABC):
    def __init__(self, settings):
        self.settings = settings

    @abc.abstractmethod
    def accepts(self, job): ...

    @abc.abstractmethod
    def run(self, job): ...


class Grant(Stage):
    def __init__(self, settings, stock):
        super().__init__(settings)
        self.stock = stock
        self.books = Guarded(({}, {}))

    def accepts(self, job):
        return job.state is State.NEW

    def price(self, job):
        cents = 0
        for crate in range(job.crates):
            each = self.settings.cents - self.settings.less * crate
            if each < self.settings.least:
                each = self.settings.least
            cents += each
        return cents

    def run(self, job):
        cents = self.price(job)
        with self.books.held() as (given, owed):
            if job.kind in self.stock:
                if job.kind not in given:
                    start = 0
                else:
                    start = given[job.kind]
                if start + job.crates <= self.stock[job.kind]:
                    if job.member in owed:
                        if owed[job.member] + cents <= self.settings.most:
                            owed[job.member] += cents
                            job.state = State.GRANTED
                        else:
                            job.state = State.REFUSED
                    else:
                        if cents <= self.settings.most:
                            owed[job.member] = cents
                            job.state = State.GRANTED
                        else:
                            job.state = State.REFUSED
                    if job.state is State.GRANTED:
                        job.start = start + self.settings.first
                        given[job.kind] = start + job.crates
                else:
                    job.state = State.REFUSED
            else:
                job.state = State.REFUSED


class Events:
    def __init__(self):
        self.listeners = {}
        self.counts = {}

    def on(self, name, listener):
        if name not in self.listeners:
            self.listeners[name] = []
        self.listeners[name].append(listener)

    def off(self, name, listener):
        if name in self.listeners:
            if listener in self.listeners[name]:
                self.listeners[name].remove(listener)

    def fire(self, name, *arguments):
        if name in self.counts:
            self.counts[name] += 1
        else:
            self.counts[name] = 1
        for listener in self.listeners.get(name, ()):
            listener(*arguments)


class Rule(abc.ABC):
    def __init__(self, name, events):
        self.name = name
        self.events = events

    def check(self, thing):
        if self.holds(thing):
            self.events.fire("held", self.name, thing)
            return True
        else:
            self.events.fire("broken", self.name, thing)
            return False

    @abc.abstractmethod
    def holds(self, thing): ...


class TypeRule(Rule):
    def __init__(self, name, events, *types):
        super().__init__(name, events)
        self.types = types

    def holds(self, thing):
        return isinstance(thing, self.types)


class LengthRule(Rule):
    def __init__(self, name, events, least, most):
        super().__init__(name, events)
        self.least = least
        self.most = most

    def holds(self, thing):
        return len(thing) >= self.least and len(thing) <= self.most


class Rules:
    def __init__(self, *rules):
        self.rules = list(rules)

    def check(self, thing):
        for rule in self.rules:
            if not rule.check(thing):
                raise ValueError("%s does not hold for %r" % (rule.name, thing))


def rules_for(length):
    events = Events()
    return Rules(TypeRule("type", events, tuple, list), LengthRule("length", events, length, length))


class Book(Stage):
    def accepts(self, job):
        return job.state is State.GRANTED

    def run(self, job):
        job.receipt = ask(job.text().encode()).decode()
        job.state = State.BOOKED


class Worker(threading.Thread):
    def __init__(self, jobs, stages):
        super().__init__(daemon=True)
        self.jobs = jobs
        self.stages = stages

    def run(self):
        while True:
            job = self.jobs.get()
            try:
                if job is None:
                    return
                for stage in self.stages:
                    if stage.accepts(job):
                        try:
                            stage.run(job)
                        except Exception as error:
                            job.error = error
                            job.state = State.FAILED
            finally:
                self.jobs.task_done()


class Market:
    def __init__(self, stock, settings=None):
        self.settings = settings or Settings()
        self.grant = Grant(self.settings, stock)
        self.stages = [self.grant, Book(self.settings)]
        self.rules = rules_for(3)
        self.jobs = queue.Queue()
        self.workers = []

    def __enter__(self):
        for _ in range(self.settings.workers):
            worker = Worker(self.jobs, self.stages)
            self.workers.append(worker)
            worker.start()
        return self

    def __exit__(self, kind, error, traceback):
        for _ in self.workers:
            self.jobs.put(None)
        for worker in self.workers:
            worker.join()
        return False

    def day(self, orders):
        jobs = [Job(place, *order) for place, order in enumerate(orders)]
        for job, order in zip(jobs, orders):
            self.rules.check(order)
            self.jobs.put(job)
        self.jobs.join()
        return [job.result() for job in jobs], self.grant.books.value[1]


def market_day(stock, orders, interval):
    """Return (what each order got, in their order; {member: cents owed})."""
    sys.setswitchinterval(interval)
    with Market(stock) as market:
        return market.day(orders)
