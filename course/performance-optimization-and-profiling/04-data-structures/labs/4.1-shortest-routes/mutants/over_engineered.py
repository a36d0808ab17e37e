"""Unreadable: right and fast, and a framework for a search of a dozen lines."""
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Deque, Dict, Generic, Hashable, Iterable, Iterator, List, Optional, Set, Tuple, TypeVar

N = TypeVar("N", bound=Hashable)


class Frontier(ABC, Generic[N]):
    @abstractmethod
    def add(self, n: N) -> None: ...

    @abstractmethod
    def take(self) -> N: ...

    @abstractmethod
    def is_empty(self) -> bool: ...


class FifoFrontier(Frontier[N]):
    def __init__(self) -> None:
        self._d: Deque[N] = deque()

    def add(self, n: N) -> None:
        self._d.append(n)

    def take(self) -> N:
        return self._d.popleft()

    def is_empty(self) -> bool:
        return not self._d


class LifoFrontier(FifoFrontier[N]):
    def take(self) -> N:
        return self._d.pop()


class Registry(Generic[N]):
    def __init__(self) -> None:
        self._s: Set[N] = set()

    def mark(self, n: N) -> bool:
        if n in self._s:
            return False
        self._s.add(n)
        return True


@dataclass
class Node(Generic[N]):
    k: N
    p: Optional["Node[N]"] = None

    def __iter__(self) -> Iterator[N]:
        c: Optional[Node[N]] = self
        while c is not None:
            yield c.k
            c = c.p


@dataclass
class Graph(Generic[N]):
    _t: Dict[N, List[N]] = field(default_factory=dict)

    @classmethod
    def build(cls, e: Iterable[Tuple[N, N]]) -> "Graph[N]":
        g: Graph[N] = cls()
        for a, b in e:
            g._t.setdefault(a, []).append(b)
        return g

    def adjacent(self, n: N) -> List[N]:
        return self._t.get(n, [])


class Strategy(ABC, Generic[N]):
    def __init__(self, g: Graph[N], f: Callable[[], Frontier[N]], r: Callable[[], Registry[N]]) -> None:
        self._g, self._f, self._r = g, f, r

    @abstractmethod
    def run(self, a: N, b: N) -> Optional[Node[N]]: ...


class BreadthFirst(Strategy[N]):
    def run(self, a: N, b: N) -> Optional[Node[N]]:
        f: Frontier = self._f()
        r: Registry[N] = self._r()
        f.add(Node(a))
        r.mark(a)
        while True:
            if f.is_empty():
                return None
            else:
                n = f.take()
                if n.k == b:
                    return n
                else:
                    for m in self._g.adjacent(n.k):
                        if r.mark(m):
                            f.add(Node(m, n))
                        else:
                            continue


class DepthFirst(BreadthFirst[N]):
    def __init__(self, g: Graph[N]) -> None:
        super().__init__(g, LifoFrontier, Registry)


class Formatter(Generic[N]):
    def format(self, n: Optional[Node[N]]) -> List[N]:
        if n is None:
            return []
        else:
            x = list(n)
            x.reverse()
            return x


class PlannerBuilder(Generic[N]):
    def __init__(self) -> None:
        self._g: Optional[Graph[N]] = None
        self._f: Callable[[], Frontier[N]] = FifoFrontier
        self._r: Callable[[], Registry[N]] = Registry
        self._o: Formatter[N] = Formatter()

    def with_graph(self, g: Graph[N]) -> "PlannerBuilder[N]":
        self._g = g
        return self

    def with_frontier(self, f: Callable[[], Frontier[N]]) -> "PlannerBuilder[N]":
        self._f = f
        return self

    def with_registry(self, r: Callable[[], Registry[N]]) -> "PlannerBuilder[N]":
        self._r = r
        return self

    def build(self) -> "Planner[N]":
        if self._g is None:
            raise ValueError("no graph")
        return Planner(BreadthFirst(self._g, self._f, self._r), self._o)


class Planner(Generic[N]):
    def __init__(self, s: Strategy[N], o: Formatter[N]) -> None:
        self._s, self._o = s, o

    def plan(self, a: N, b: N) -> List[N]:
        return self._o.format(self._s.run(a, b))


def plan_routes(runs, orders):
    p = PlannerBuilder().with_graph(Graph.build(runs)).with_frontier(FifoFrontier).with_registry(Registry).build()
    return [p.plan(a, b) for a, b in orders]
