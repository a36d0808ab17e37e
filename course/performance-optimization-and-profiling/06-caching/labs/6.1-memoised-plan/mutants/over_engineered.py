"""Unreadable: right and fast, with a state machine, a policy, a store and a walker that each have an interface."""
from abc import ABC, abstractmethod
from typing import Dict, Generic, Iterator, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")


class Limits(ABC):
    @abstractmethod
    def limit(self, t: int) -> int: ...

    @abstractmethod
    def next_state(self, d: int) -> int: ...


class DefaultLimits(Limits):
    __slots__ = ("m", "l")

    def __init__(self, m: int = 25, l: int = 18) -> None:
        self.m, self.l = m, l

    def limit(self, t: int) -> int:
        if t:
            return self.l
        else:
            return self.m

    def next_state(self, d: int) -> int:
        if d > self.l:
            return 1
        else:
            return 0


class Store(ABC, Generic[T]):
    @abstractmethod
    def get(self, i: int, t: int) -> Optional[T]: ...

    @abstractmethod
    def put(self, i: int, t: int, v: Optional[T]) -> None: ...


class ListStore(Store[T]):
    __slots__ = ("a",)

    def __init__(self, n: int) -> None:
        self.a: List[List[Optional[T]]] = [[None] * n, [None] * n]

    def get(self, i: int, t: int) -> Optional[T]:
        return self.a[t][i]

    def put(self, i: int, t: int, v: Optional[T]) -> None:
        self.a[t][i] = v


class DictStore(Store[T]):
    __slots__ = ("a",)

    def __init__(self) -> None:
        self.a: Dict[Tuple[int, int], Optional[T]] = {}

    def get(self, i: int, t: int) -> Optional[T]:
        return self.a.get((i, t))

    def put(self, i: int, t: int, v: Optional[T]) -> None:
        self.a[i, t] = v


class StoreFactory:
    def __init__(self, k: str) -> None:
        self._k = k

    def create(self, n: int) -> Store:
        if self._k == "list":
            return ListStore(n)
        elif self._k == "dict":
            return DictStore()
        else:
            raise ValueError(self._k)


class Preference(ABC):
    @abstractmethod
    def better(self, a: int, b: int) -> bool: ...


class EarlierPreference(Preference):
    def better(self, a: int, b: int) -> bool:
        return a < b


class LaterPreference(Preference):
    def better(self, a: int, b: int) -> bool:
        return a <= b


class Problem:
    __slots__ = ("k", "c", "n")

    def __init__(self, x: Sequence[Tuple[int, int]]) -> None:
        self.k = [i for i, j in x]
        self.c = [j for i, j in x]
        self.n = len(x)

    def is_trivial(self) -> bool:
        if self.n == 1:
            return True
        else:
            return False

    def order(self) -> Iterator[int]:
        return iter(range(self.n - 2, -1, -1))


class Solver(ABC):
    @abstractmethod
    def solve(self, p: Problem) -> Store: ...


class TableSolver(Solver):
    def __init__(self, l: Limits, f: StoreFactory, q: Preference) -> None:
        self._l, self._f, self._q = l, f, q
        self._m, self._s = l.limit(0), l.limit(1)

    def solve(self, p: Problem) -> Store:
        s = self._f.create(p.n)
        s.put(p.n - 1, 0, (0, -1))
        s.put(p.n - 1, 1, (0, -1))
        for i in p.order():
            self._fill(p, s, i)
        return s

    def _fill(self, p: Problem, s: Store, i: int) -> None:
        k, c, a, m, q, n = p.k, p.c, s.a, self._m, self._s, p.n
        r, t, h, g = None, None, k[i], i + 1
        while g < n:
            d = k[g] - h
            if d > m:
                break
            if d > q:
                v = a[1][g]
            else:
                v = a[0][g]
            if v is not None:
                w = v[0] + c[g]
                if r is None:
                    r = (w, g)
                elif w < r[0]:
                    r = (w, g)
            if d <= q:
                t = r
            g += 1
        s.put(i, 0, r)
        s.put(i, 1, t)


class Walker:
    def __init__(self, l: Limits) -> None:
        self._l = l

    def walk(self, p: Problem, s: Store) -> Optional[Tuple[int, List[int]]]:
        v = s.get(0, 0)
        if v is None:
            return None
        else:
            return v[0], self._huts(p, s)

    def _huts(self, p: Problem, s: Store) -> List[int]:
        o: List[int] = []
        i = t = 0
        while i != p.n - 1:
            g = s.get(i, t)[1]
            t = self._l.next_state(p.k[g] - p.k[i])
            o.append(g)
            i = g
        return o


class Planner:
    def __init__(self, s: Solver, w: Walker) -> None:
        self._s, self._w = s, w

    def plan(self, x: Sequence[Tuple[int, int]]) -> Optional[Tuple[int, List[int]]]:
        p = Problem(x)
        if p.is_trivial():
            return 0, []
        else:
            return self._w.walk(p, self._s.solve(p))


class PlannerBuilder:
    def __init__(self) -> None:
        self._l: Limits = DefaultLimits()
        self._q: Preference = LaterPreference()
        self._k: str = "dict"

    def limits(self, l: Limits) -> "PlannerBuilder":
        self._l = l
        return self

    def preference(self, q: Preference) -> "PlannerBuilder":
        self._q = q
        return self

    def store(self, k: str) -> "PlannerBuilder":
        self._k = k
        return self

    def build(self) -> Planner:
        return Planner(TableSolver(self._l, StoreFactory(self._k), self._q), Walker(self._l))


def plan_nights(trails):
    p = PlannerBuilder().limits(DefaultLimits()).preference(EarlierPreference()).store("list").build()
    return [p.plan(x) for x in trails]
