"""Unreadable: right and fast, as a framework for surveys of any kind that has one kind."""

import abc
import concurrent.futures
import dataclasses
import enum
import logging
import multiprocessing
import os

log = logging.getLogger("lookouts")


class Mode(enum.Enum):
    BLOCKED = 0
    VISIBLE = 1


@dataclasses.dataclass
class Settings:
    tower: int = 30
    workers: int = 0
    name: str = "land"
    strict: bool = True

    def count(self):
        if self.workers > 0:
            return self.workers
        else:
            return len(os.sched_getaffinity(0))


@dataclasses.dataclass
class Cell:
    r: int
    c: int

    @classmethod
    def of(cls, p):
        return cls(p[0], p[1])


class Registry:
    def __init__(self):
        self.d = {}
        self.hooks = []

    def put(self, k, v):
        for h in self.hooks:
            h(k, v)
        self.d[k] = v

    def get(self, k):
        if k in self.d:
            return self.d[k]
        else:
            raise KeyError("nothing is kept as %s in this worker" % k)


registry = Registry()


class Test(abc.ABC):
    @abc.abstractmethod
    def run(self, a, b): ...


class SightTest(Test):
    def __init__(self, g, s):
        self.g = g
        self.s = s

    def run(self, a, b):
        g, r, c = self.g, a.r, a.c
        y = b.r - r
        x = b.c - c
        if abs(y) > abs(x):
            n = abs(y)
        else:
            n = abs(x)
        t = g[r][c][0] + self.s.tower
        f = g[b.r][b.c][0] - t
        if n > 1:
            if self.s.strict:
                for i in range(1, n):
                    h, w = g[r + y * i // n][c + x * i // n]
                    if (h + w - t) * n >= f * i:
                        if self.s.name:
                            return Mode.BLOCKED
                        else:
                            return Mode.BLOCKED
            else:
                for i in range(1, n):
                    h, w = g[r + y * i // n][c + x * i // n]
                    if (h + w - t) * n > f * i:
                        if self.s.name:
                            return Mode.BLOCKED
                        else:
                            return Mode.BLOCKED
        return Mode.VISIBLE


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


class Tally:
    def __init__(self):
        self.d = {m: 0 for m in Mode}

    def add(self, m):
        self.d[m] += 1

    def of(self, m):
        return self.d[m]


def start(s, g, p):
    registry.put("settings", s)
    registry.put(s.name, g)
    registry.put("points", [Cell.of(q) for q in p])


def work(a):
    s = registry.get("settings")
    t = SightTest(registry.get(s.name), s)
    y = Tally()
    for b in registry.get("points"):
        y.add(t.run(a, b))
    return y.of(Mode.VISIBLE)


class Surveyor:
    def __init__(self, g, p, m, s=None):
        self.g = g
        self.p = p
        self.s = s or Settings()
        self.c = multiprocessing.get_context(m)
        self.e = None
        self.k = rules_for(2)

    def __enter__(self):
        log.debug("starting %d workers", self.s.count())
        self.e = concurrent.futures.ProcessPoolExecutor(
            self.s.count(), self.c, initializer=start, initargs=(self.s, self.g, self.p)
        )
        return self

    def __exit__(self, k, e, t):
        self.e.shutdown()
        return False

    def survey(self, q):
        for a in q:
            self.k.check(a)
        f = {i: self.e.submit(work, Cell.of(a)) for i, a in enumerate(q)}
        d = {}
        for i in f:
            try:
                d[i] = f[i].result()
            except Exception as e:
                log.error("place %d: %s", i, e)
                raise
        return [d[i] for i in sorted(d)]


def survey(land, points, places, method):
    """Return how many of the points each of the places sees, in the order of the places."""
    with Surveyor(land, points, method) as s:
        return s.survey(places)


if __name__ == "__main__":
    SIDE = 300
    LAND = [
        [(400 + abs(row - 150) // 3 + abs(column - 120) // 4, row * column // 97 % 5) for column in range(SIDE)]
        for row in range(SIDE)
    ]
    POINTS = [(number * 7919 % SIDE, number * 104729 % SIDE) for number in range(400)]
    PLACES = [(number * 5003 % SIDE, number * 3001 % SIDE) for number in range(30)]
    SEEN = survey(LAND, POINTS, PLACES, "spawn")
    print("%d places; the best sees %d of %d points: %s" % (
        len(SEEN), max(SEEN), len(POINTS), PLACES[SEEN.index(max(SEEN))]))
