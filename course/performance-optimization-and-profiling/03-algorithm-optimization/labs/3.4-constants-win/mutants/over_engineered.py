"""Unreadable: right and fast, with a class for each thing that a receiver might tell one day."""
from abc import ABC, abstractmethod
from typing import Any, Callable, Dict, Generic, Iterator, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")


class Store(ABC, Generic[T]):
    @abstractmethod
    def put(self, k: str, v: T) -> None: ...

    @abstractmethod
    def drop(self, k: str) -> None: ...

    @abstractmethod
    def rows(self) -> List[Tuple[str, T]]: ...


class NewestFirstStore(Store[Tuple[int, int]]):
    def __init__(self, n: int) -> None:
        self._n = n
        self._d: Dict[str, Tuple[int, int]] = {}
        self._r: Optional[List[Tuple[str, Tuple[int, int]]]] = None

    def put(self, k: str, v: Tuple[int, int]) -> None:
        self.drop(k)
        if len(self._d) >= self._n:
            for x in self._d:
                del self._d[x]
                break
        self._d[k] = v
        self._r = None

    def drop(self, k: str) -> None:
        if k in self._d:
            del self._d[k]
            self._r = None
        else:
            return

    def rows(self) -> List[Tuple[str, Tuple[int, int]]]:
        if self._r is None:
            self._r = list(reversed(self._d.items()))
        return self._r


class Matcher(ABC):
    @abstractmethod
    def find(self, s: Store, f: int) -> Optional[str]: ...


class FirstMatcher(Matcher):
    def find(self, s: Store, f: int) -> Optional[str]:
        for k, (a, b) in s.rows():
            if a <= f <= b:
                return k
        return None


class Sink(ABC):
    @abstractmethod
    def accept(self, k: Optional[str], f: int) -> None: ...

    @abstractmethod
    def result(self) -> Any: ...


class CountingSink(Sink):
    def __init__(self) -> None:
        self._c: Dict[str, int] = {}

    def accept(self, k: Optional[str], f: int) -> None:
        if k is not None:
            if k in self._c:
                self._c[k] += 1
            else:
                self._c[k] = 1

    def result(self) -> Dict[str, int]:
        return self._c


class SkySink(Sink):
    def __init__(self) -> None:
        self._s: List[int] = []

    def accept(self, k: Optional[str], f: int) -> None:
        if k is None:
            self._s.append(f)

    def result(self) -> List[int]:
        return self._s


class SinkRouter:
    def __init__(self, *s: Sink) -> None:
        self._s = s
        self._a, self._b = s[0].accept, s[1].accept

    def route(self, k: Optional[str], f: int) -> None:
        if k is None:
            self._b(k, f)
        else:
            self._a(k, f)

    def results(self) -> Tuple[Any, ...]:
        return tuple(x.result() for x in self._s)


class Handler(ABC):
    def __init__(self, s: Store, m: Matcher, r: SinkRouter) -> None:
        self.s, self.m, self.r = s, m, r

    @abstractmethod
    def handle(self, e: Tuple[Any, ...]) -> None: ...


class ReportHandler(Handler):
    def handle(self, e: Tuple[Any, ...]) -> None:
        _, k, a, b = e
        self.s.put(k, (a, b))


class ClearHandler(Handler):
    def handle(self, e: Tuple[Any, ...]) -> None:
        self.s.drop(e[1])


class PeakHandler(Handler):
    def handle(self, e: Tuple[Any, ...]) -> None:
        f = e[1]
        self.r.route(self.m.find(self.s, f), f)


class HandlerRegistry:
    def __init__(self) -> None:
        self._f: Dict[str, Callable[..., Handler]] = {}

    def register(self, k: str, f: Callable[..., Handler]) -> "HandlerRegistry":
        self._f[k] = f
        return self

    def create(self, *x: Any) -> Dict[str, Handler]:
        return {k: f(*x) for k, f in self._f.items()}


class EventSource:
    def __init__(self, e: Sequence[Tuple[Any, ...]]) -> None:
        self._e = e

    def __iter__(self) -> Iterator[Tuple[Any, ...]]:
        return iter(self._e)


class EngineBuilder:
    def __init__(self) -> None:
        self._g = HandlerRegistry()
        self._n = 1
        self._m: Matcher = FirstMatcher()

    def registry(self, g: HandlerRegistry) -> "EngineBuilder":
        self._g = g
        return self

    def places(self, n: int) -> "EngineBuilder":
        self._n = n
        return self

    def build(self) -> "Engine":
        r = SinkRouter(CountingSink(), SkySink())
        return Engine(self._g.create(NewestFirstStore(self._n), self._m, r), r)


class Engine:
    def __init__(self, h: Dict[str, Handler], r: SinkRouter) -> None:
        self._h, self._r = h, r

    def run(self, e: EventSource) -> Tuple[Any, ...]:
        h = {k: x.handle for k, x in self._h.items()}
        for x in e:
            h[x[0]](x)
        return self._r.results()


class Facade:
    def night(self, e: Sequence[Tuple[Any, ...]]) -> Tuple[Any, ...]:
        g = HandlerRegistry().register("report", ReportHandler).register("clear", ClearHandler).register("peak", PeakHandler)
        return EngineBuilder().registry(g).places(32).build().run(EventSource(e))


def sort_out(events):
    return Facade().night(events)
