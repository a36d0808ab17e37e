"""Unreadable: right and fast, with a class for each idea that a window might need one day."""
from abc import ABC, abstractmethod
from typing import Callable, Dict, Generic, Iterable, Iterator, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")


class Accumulator(ABC, Generic[T]):
    @abstractmethod
    def push(self, x: T) -> None: ...

    @abstractmethod
    def value(self) -> T: ...


class NeumaierAccumulator(Accumulator[float]):
    __slots__ = ("s", "c")

    def __init__(self) -> None:
        self.s = self.c = 0.0

    def push(self, x: float) -> None:
        s = self.s
        t = s + x
        if abs(s) >= abs(x):
            self.c += (s - t) + x
        else:
            self.c += (x - t) + s
        self.s = t

    def value(self) -> float:
        return self.s + self.c


class NaiveAccumulator(Accumulator[float]):
    def __init__(self) -> None:
        self.s = 0.0

    def push(self, x: float) -> None:
        self.s += x

    def value(self) -> float:
        return self.s


class AccumulatorRegistry:
    def __init__(self) -> None:
        self._d: Dict[str, Callable[[], Accumulator]] = {}

    def register(self, k: str, f: Callable[[], Accumulator]) -> "AccumulatorRegistry":
        self._d[k] = f
        return self

    def create(self, k: str) -> Accumulator:
        if k in self._d:
            return self._d[k]()
        else:
            raise KeyError(k)


class Event(Generic[T]):
    __slots__ = ("o", "n")

    def __init__(self, o: Optional[T], n: T) -> None:
        self.o, self.n = o, n


class EventSource(Generic[T]):
    def __init__(self, x: Sequence[T], w: int) -> None:
        self._x, self._w = x, w

    def warm_up(self) -> Iterator[T]:
        return iter(self._x[:self._w])

    def pairs(self) -> Iterator[Tuple[T, T]]:
        return zip(self._x, self._x[self._w:])

    def is_sufficient(self) -> bool:
        if len(self._x) >= self._w:
            return True
        else:
            return False


class Reducer(ABC):
    @abstractmethod
    def reduce(self, a: Accumulator, w: int) -> float: ...


class MeanReducer(Reducer):
    def reduce(self, a: Accumulator, w: int) -> float:
        return a.value() / w


class SumReducer(Reducer):
    def reduce(self, a: Accumulator, w: int) -> float:
        return a.value()


class WindowEngine:
    def __init__(self, a: Accumulator, r: Reducer, w: int) -> None:
        self._a, self._r, self._w = a, r, w

    def run(self, e: EventSource) -> List[float]:
        o: List[float] = []
        if not e.is_sufficient():
            return o
        a, r, w = self._a, self._r, self._w
        for x in e.warm_up():
            a.push(x)
        o.append(r.reduce(a, w))
        p, q, k = a.push, r.reduce, o.append
        for y, x in e.pairs():
            p(x)
            p(-y)
            k(q(a, w))
        return o


class EngineBuilder:
    def __init__(self) -> None:
        self._g = AccumulatorRegistry()
        self._k: str = "naive"
        self._r: Reducer = SumReducer()
        self._w: int = 1

    def registry(self, g: AccumulatorRegistry) -> "EngineBuilder":
        self._g = g
        return self

    def accumulator(self, k: str) -> "EngineBuilder":
        self._k = k
        return self

    def reducer(self, r: Reducer) -> "EngineBuilder":
        self._r = r
        return self

    def width(self, w: int) -> "EngineBuilder":
        self._w = w
        return self

    def build(self) -> WindowEngine:
        return WindowEngine(self._g.create(self._k), self._r, self._w)


class Facade:
    def __init__(self) -> None:
        self._g = AccumulatorRegistry().register("naive", NaiveAccumulator).register("neumaier", NeumaierAccumulator)

    def averages(self, x: Iterable[float], w: int) -> List[float]:
        b = EngineBuilder().registry(self._g).accumulator("neumaier").reducer(MeanReducer()).width(w)
        return b.build().run(EventSource(list(x), w))


def moving_averages(kilograms, width):
    return Facade().averages(kilograms, width)
