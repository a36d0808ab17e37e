"""Unreadable: right and small, as a framework for pipelines that has one pipeline."""
import abc
import functools
import gzip
import io
from array import array
from dataclasses import dataclass, field
from typing import Any, Dict, Generic, Iterable, Iterator, List, Optional, Tuple, TypeVar

T = TypeVar("T")
U = TypeVar("U")
V = Tuple[str, str, int]


class Source(abc.ABC, Generic[T]):
    @abc.abstractmethod
    def read(self) -> Iterator[T]: ...


class GzipSource(Source[str]):
    def __init__(self, a: bytes, e: str = "utf-8") -> None:
        self._a, self._e = a, e

    def read(self) -> Iterator[str]:
        with gzip.open(io.BytesIO(self._a), "rt", encoding=self._e) as f:
            yield from f


class Stage(abc.ABC, Generic[T, U]):
    @abc.abstractmethod
    def process(self, i: Iterable[T]) -> Iterator[U]: ...

    def __or__(self, o: "Stage[U, Any]") -> "Stage[T, Any]":
        return Composite(self, o)


class Composite(Stage[T, U]):
    def __init__(self, a: Stage, b: Stage) -> None:
        self._a, self._b = a, b

    def process(self, i: Iterable[T]) -> Iterator[U]:
        return self._b.process(self._a.process(i))


class Identity(Stage[T, T]):
    def process(self, i: Iterable[T]) -> Iterator[T]:
        return iter(i)


class Parser(Stage[str, V]):
    def __init__(self, m: int) -> None:
        self._m = m

    def process(self, i: Iterable[str]) -> Iterator[V]:
        m = self._m
        for x in i:
            if x.isspace():
                continue
            else:
                if x.startswith("#"):
                    continue
                else:
                    c, d, a, b, _ = x.split(maxsplit=4)
                    yield d, c, (int(b) - int(a)) % m


class Interner(Generic[T]):
    def __init__(self) -> None:
        self._d: Dict[T, int] = {}
        self._l: Optional[List[T]] = None

    def code(self, x: T) -> int:
        self._l = None
        return self._d.setdefault(x, len(self._d))

    def text(self, i: int) -> T:
        if self._l is None:
            self._l = list(self._d)
        return self._l[i]


@dataclass
class Column:
    t: str
    a: array = field(init=False)

    def __post_init__(self) -> None:
        self.a = array(self.t)

    def push(self, x: int) -> None:
        self.a.append(x)

    def total(self) -> int:
        return sum(self.a)

    def __len__(self) -> int:
        return len(self.a)


@dataclass
class Group:
    m: Column = field(default_factory=lambda: Column("H"))
    c: Column = field(default_factory=lambda: Column("L"))


class Sink(abc.ABC, Generic[T, U]):
    @abc.abstractmethod
    def consume(self, i: Iterable[T]) -> U: ...


class GroupSink(Sink[V, Dict[str, Group]]):
    def __init__(self, n: Interner[str]) -> None:
        self._n = n
        self._g: Dict[str, Group] = {}

    def consume(self, i: Iterable[V]) -> Dict[str, Group]:
        g = self._g
        for d, c, m in i:
            if d in g:
                x = g[d]
            else:
                x = g[d] = Group()
            x.m.push(m)
            x.c.push(self._n.code(c))
        return g


class Rule(abc.ABC):
    @abc.abstractmethod
    def holds(self, m: int, n: int, t: int) -> bool: ...


class FactorRule(Rule):
    def __init__(self, k: int) -> None:
        self._k = k

    def holds(self, m: int, n: int, t: int) -> bool:
        if m * n > self._k * t:
            return True
        else:
            return False


class Pipeline(Generic[T]):
    def __init__(self, s: Source, g: Stage) -> None:
        self._s, self._g = s, g

    def via(self, g: Stage) -> "Pipeline":
        return Pipeline(self._s, self._g | g)

    def into(self, k: Sink[T, U]) -> U:
        return k.consume(self._g.process(self._s.read()))


class PipelineFactory:
    def __init__(self, *g: Stage) -> None:
        self._g = g

    def create(self, a: bytes) -> Pipeline:
        return functools.reduce(Pipeline.via, self._g, Pipeline(GzipSource(a), Identity()))


class Assembler:
    def __init__(self, n: Interner[str], r: Rule) -> None:
        self._n, self._r = n, r

    def assemble(self, g: Dict[str, Group]) -> Dict[str, Tuple[int, int, List[str]]]:
        o = {}
        for d, x in g.items():
            n, t = len(x.m), x.m.total()
            f = []
            for m, c in zip(x.m.a, x.c.a):
                if self._r.holds(m, n, t):
                    f.append(self._n.text(c))
            o[d] = (n, t, f)
        return o


def report(archive):
    n = Interner()
    g = PipelineFactory(Parser(24 * 60)).create(archive).into(GroupSink(n))
    return Assembler(n, FactorRule(3)).assemble(g)
