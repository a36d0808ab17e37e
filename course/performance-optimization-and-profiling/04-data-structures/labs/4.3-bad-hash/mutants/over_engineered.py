"""Unreadable: right and fast, with an event bus, a repository and a strategy for each word of the log."""
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Callable, Dict, Generic, Iterable, Iterator, List, Optional, Tuple, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Normaliser(ABC):
    @abstractmethod
    def apply(self, s: str) -> str: ...


class Without(Normaliser):
    def __init__(self, c: str) -> None:
        self._c = c

    def apply(self, s: str) -> str:
        return s.replace(self._c, "")


class Upper(Normaliser):
    def apply(self, s: str) -> str:
        return s.upper()


class Chain(Normaliser):
    def __init__(self, *n: Normaliser) -> None:
        self._n = n

    def apply(self, s: str) -> str:
        for n in self._n:
            s = n.apply(s)
        return s


@dataclass
class Tally:
    r: int = 0
    m: int = 0

    def add(self, m: int) -> None:
        self.r += 1
        self.m += m


@dataclass
class Record:
    c: str
    p: str
    k: str
    t: Tally = field(default_factory=Tally)


class Repository(Generic[K, V]):
    def __init__(self) -> None:
        self._d: Dict[K, V] = {}

    def put(self, k: K, v: V) -> None:
        self._d[k] = v

    def get(self, k: K) -> Optional[V]:
        return self._d.get(k)

    def drop(self, k: K) -> None:
        del self._d[k]

    def values(self) -> Iterator[V]:
        return iter(self._d.values())


@dataclass
class Context:
    n: Normaliser
    a: Repository = field(default_factory=Repository)
    b: Repository = field(default_factory=Repository)
    u: int = 0

    def key(self, s: str) -> str:
        return self.n.apply(s)


class Handler(ABC):
    @abstractmethod
    def handle(self, x: Context, a: str, b: str) -> None: ...


class JoinHandler(Handler):
    def handle(self, x: Context, a: str, b: str) -> None:
        r = Record(a, b, x.key(b))
        x.a.put(a, r)
        x.b.put(r.k, r)


class RideHandler(Handler):
    def handle(self, x: Context, a: str, b: str) -> None:
        r = x.b.get(x.key(a))
        if r is None:
            x.u += 1
        else:
            r.t.add(int(b))


class PlateHandler(Handler):
    def handle(self, x: Context, a: str, b: str) -> None:
        r = x.a.get(a)
        if r is None:
            raise KeyError(a)
        else:
            x.b.drop(r.k)
            r.p, r.k = b, x.key(b)
            x.b.put(r.k, r)


class Dispatcher:
    def __init__(self) -> None:
        self._h: Dict[str, Handler] = {}

    def on(self, k: str, h: Handler) -> "Dispatcher":
        self._h[k] = h
        return self

    def dispatch(self, x: Context, k: str, a: str, b: str) -> None:
        self._h[k].handle(x, a, b)


class Parser:
    def __init__(self, s: str) -> None:
        self._s = s

    def parse(self, g: Iterable[str]) -> Iterator[Tuple[str, str, str]]:
        for i in g:
            k, a, b = i.split(self._s)
            yield k, a, b


class Presenter:
    def __init__(self, f: Callable[[Record], Tuple[str, int, int]]) -> None:
        self._f = f

    def present(self, x: Context) -> Tuple[Dict[str, Tuple[str, int, int]], int]:
        o: Dict[str, Tuple[str, int, int]] = {}
        for r in x.a.values():
            o[r.c] = self._f(r)
        return o, x.u


class Listener(ABC):
    @abstractmethod
    def before(self, k: str, a: str, b: str) -> None: ...

    @abstractmethod
    def after(self, k: str, a: str, b: str) -> None: ...


class CountingListener(Listener):
    def __init__(self) -> None:
        self._d: Dict[str, int] = {}

    def before(self, k: str, a: str, b: str) -> None:
        if k in self._d:
            self._d[k] += 1
        else:
            self._d[k] = 1

    def after(self, k: str, a: str, b: str) -> None:
        if self._d[k] < 1:
            raise ValueError(k)


class Application:
    def __init__(self, d: Dispatcher, p: Parser, q: Presenter, n: Normaliser) -> None:
        self._d, self._p, self._q, self._n = d, p, q, n
        self._l: List[Listener] = []

    def listen(self, l: Listener) -> "Application":
        self._l.append(l)
        return self

    def run(self, g: Iterable[str]) -> Tuple[Dict[str, Tuple[str, int, int]], int]:
        x = Context(self._n)
        for k, a, b in self._p.parse(g):
            if self._l:
                self._observed(x, k, a, b)
            else:
                self._d.dispatch(x, k, a, b)
        return self._q.present(x)

    def _observed(self, x: Context, k: str, a: str, b: str) -> None:
        for l in self._l:
            l.before(k, a, b)
        self._d.dispatch(x, k, a, b)
        for l in self._l:
            l.after(k, a, b)


class ApplicationBuilder:
    def __init__(self) -> None:
        self._d = Dispatcher()
        self._n: List[Normaliser] = []

    def handler(self, k: str, h: Handler) -> "ApplicationBuilder":
        self._d.on(k, h)
        return self

    def normaliser(self, n: Normaliser) -> "ApplicationBuilder":
        self._n.append(n)
        return self

    def build(self) -> Application:
        q = Presenter(lambda r: (r.p, r.t.r, r.t.m))
        return Application(self._d, Parser(";"), q, Chain(*self._n))


def ridden(log: List[str]):
    b = ApplicationBuilder()
    b.handler("join", JoinHandler()).handler("ride", RideHandler()).handler("plate", PlateHandler())
    b.normaliser(Without("-")).normaliser(Without(" ")).normaliser(Upper())
    return b.build().run(log)
