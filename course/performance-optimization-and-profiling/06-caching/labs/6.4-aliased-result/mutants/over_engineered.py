"""Unreadable: right and fast, with a layer for each idea that a cache might need one day."""
import abc
import collections
from typing import Any, Callable, Dict, Generic, Hashable, Iterator, List, Optional, Tuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Store(abc.ABC, Generic[K, V]):
    @abc.abstractmethod
    def get(self, k: K) -> Optional[V]: ...

    @abc.abstractmethod
    def put(self, k: K, v: V) -> None: ...


class BoundedStore(Store[K, V]):
    def __init__(self, n: int) -> None:
        self._n = n
        self._d: "collections.OrderedDict[K, V]" = collections.OrderedDict()

    def get(self, k: K) -> Optional[V]:
        if k in self._d:
            self._d.move_to_end(k)
            return self._d[k]
        else:
            return None

    def put(self, k: K, v: V) -> None:
        self._d[k] = v
        if len(self._d) > self._n:
            self._d.popitem(last=False)


class UnboundedStore(Store[K, V]):
    def __init__(self) -> None:
        self._d: Dict[K, V] = {}

    def get(self, k: K) -> Optional[V]:
        return self._d.get(k)

    def put(self, k: K, v: V) -> None:
        self._d[k] = v


class StoreFactory:
    def __init__(self) -> None:
        self._f: Dict[str, Callable[..., Store]] = {}

    def register(self, k: str, f: Callable[..., Store]) -> "StoreFactory":
        self._f[k] = f
        return self

    def create(self, k: str, *a: Any) -> Store:
        if k in self._f:
            return self._f[k](*a)
        else:
            raise KeyError(k)


class Statistics:
    def __init__(self) -> None:
        self.h = self.m = 0

    def hit(self) -> None:
        self.h += 1

    def miss(self) -> None:
        self.m += 1

    def rate(self) -> float:
        n = self.h + self.m
        if n:
            return self.h / n
        else:
            return 0.0


class Loader(abc.ABC, Generic[K, V]):
    @abc.abstractmethod
    def load(self, k: K) -> V: ...


class FareLoader(Loader[Tuple[int, int], Tuple[int, ...]]):
    def __init__(self, s: "Settings") -> None:
        self._s = s

    def load(self, k: Tuple[int, int]) -> Tuple[int, ...]:
        s = self._s
        m, w = k
        o = []
        for t in range(s.f, (s.l if m in s.s else s.w) + 1, s.e):
            c = 700
            if m in s.s:
                c += 200
            if w >= 5:
                c += 150
            if t < 600:
                c -= 200
            o.append(c)
        return tuple(o)


class LoadingCache(Generic[K, V]):
    def __init__(self, s: Store[K, V], l: Loader[K, V], t: Statistics) -> None:
        self._s, self._l, self._t = s, l, t

    def __call__(self, k: K) -> V:
        v = self._s.get(k)
        if v is None:
            self._t.miss()
            v = self._l.load(k)
            self._s.put(k, v)
        else:
            self._t.hit()
        return v


class Settings:
    def __init__(self) -> None:
        self.f, self.l, self.w, self.e, self.s, self.q = 480, 1200, 1080, 10, (6, 7, 8), 4


class CacheBuilder:
    def __init__(self) -> None:
        self._g = StoreFactory().register("bounded", BoundedStore).register("unbounded", UnboundedStore)
        self._k: str = "unbounded"
        self._a: Tuple[Any, ...] = ()
        self._l: Optional[Loader] = None

    def bounded(self, n: int) -> "CacheBuilder":
        self._k, self._a = "bounded", (n,)
        return self

    def loader(self, l: Loader) -> "CacheBuilder":
        self._l = l
        return self

    def build(self) -> LoadingCache:
        if self._l is None:
            raise ValueError("no loader")
        return LoadingCache(self._g.create(self._k, *self._a), self._l, Statistics())


class State:
    __slots__ = ("c", "r")

    def __init__(self, c: int, r: Dict[str, int]) -> None:
        self.c, self.r = c, r


class Overlay:
    def __init__(self, b: Tuple[int, ...], z: Tuple[int, int]) -> None:
        self._b, self._z = b, z
        self._d: Dict[int, State] = {}
        self._n = len(b)

    def cut(self, i: int) -> None:
        if i < self._n:
            self._n = i

    def find(self, i: int) -> Optional[State]:
        if i >= self._n:
            return None
        else:
            if i not in self._d:
                self._d[i] = State(self._b[i], {"cabin": self._z[0], "deck": self._z[1]})
            return self._d[i]


class Handler(abc.ABC):
    @abc.abstractmethod
    def handle(self, o: Overlay, i: int, k: str, n: int) -> Tuple[int, int, int]: ...


class StormHandler(Handler):
    def handle(self, o: Overlay, i: int, k: str, n: int) -> Tuple[int, int, int]:
        o.cut(i)
        return 0, 0, 0


class SaleHandler(Handler):
    def __init__(self, s: Settings) -> None:
        self._s = s

    def handle(self, o: Overlay, i: int, k: str, n: int) -> Tuple[int, int, int]:
        x = o.find(i)
        if x is None:
            return 0, n, 0
        else:
            if n > x.r[k]:
                return 0, n, 0
            else:
                x.r[k] -= n
                c = n * x.c
                if sum(x.r.values()) <= self._s.q:
                    x.c += 100
                return n, 0, c


class Engine:
    def __init__(self, s: Settings, c: LoadingCache) -> None:
        self._s, self._c = s, c
        h = SaleHandler(s)
        self._h: Dict[str, Handler] = {"storm": StormHandler(), "cabin": h, "deck": h}

    def results(self, b: Dict[str, Tuple[int, int]], d: List[tuple]) -> Iterator[Tuple[str, Tuple[int, int, int]]]:
        for l, m, w, e in d:
            o = Overlay(self._c((m, w)), b[l])
            for k, t, n in e:
                yield l, self._h[k].handle(o, (t - self._s.f) // self._s.e, k, n)


class Accumulator:
    def __init__(self, k: Any) -> None:
        self._d: Dict[str, List[int]] = {x: [0, 0, 0] for x in k}

    def add(self, k: str, v: Tuple[int, int, int]) -> None:
        x = self._d[k]
        for i in range(3):
            x[i] += v[i]

    def freeze(self) -> Dict[str, tuple]:
        return {k: tuple(v) for k, v in self._d.items()}


def season(boats, days):
    s = Settings()
    e = Engine(s, CacheBuilder().bounded(100).loader(FareLoader(s)).build())
    a = Accumulator(boats)
    for k, v in e.results(boats, days):
        a.add(k, v)
    return a.freeze()
