"""Unreadable: right and fast, with a class for each thing that a stroke might do one day."""
from abc import ABC, abstractmethod
from typing import Callable, Dict, Generic, Iterator, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")


class Buffer(ABC, Generic[T]):
    @abstractmethod
    def push(self, x: T) -> None: ...

    @abstractmethod
    def pop(self) -> T: ...

    @abstractmethod
    def value(self) -> str: ...


class ListBuffer(Buffer[str]):
    __slots__ = ("d",)

    def __init__(self) -> None:
        self.d: List[str] = []

    def push(self, x: str) -> None:
        self.d.append(x)

    def pop(self) -> str:
        return self.d.pop()

    def value(self) -> str:
        return "".join(self.d)


class State:
    __slots__ = ("b", "l", "p")

    def __init__(self, b: Buffer) -> None:
        self.b, self.l, self.p = b, "", None

    def is_line_begin(self) -> bool:
        if self.l == "" or self.l.endswith("\n"):
            return True
        else:
            return False

    def is_sentence_begin(self) -> bool:
        if self.is_line_begin() or self.l.endswith(".") or self.l.endswith("?"):
            return True
        else:
            return False


class Command(ABC):
    @abstractmethod
    def execute(self, s: State) -> None: ...


class UndoCommand(Command):
    def execute(self, s: State) -> None:
        if s.p is not None:
            s.b.pop()
            s.l, s.p = s.p, None
        else:
            return


class WriteCommand(Command):
    def __init__(self, w: str) -> None:
        self.w = w

    def commit(self, s: State, k: str, x: str) -> None:
        s.p = s.l
        s.b.push(k)
        s.l = x

    def execute(self, s: State) -> None:
        w = self.w
        if s.is_sentence_begin():
            w = w[0].upper() + w[1:]
        if not s.is_line_begin():
            w = " " + w
        self.commit(s, s.l, w)


class AttachCommand(WriteCommand):
    VOWELS: Tuple[str, ...] = ("a", "e", "i", "o", "u")

    def elide(self, l: str, x: str) -> str:
        for v in self.VOWELS:
            if x.startswith(v):
                if l.endswith("e"):
                    return l[:-1]
        return l

    def execute(self, s: State) -> None:
        x = self.w[1:]
        self.commit(s, self.elide(s.l, x), x)


class CommandRegistry:
    def __init__(self) -> None:
        self._r: List[Tuple[Callable[[str], bool], Callable[[str], Command]]] = []

    def register(self, p: Callable[[str], bool], f: Callable[[str], Command]) -> "CommandRegistry":
        self._r.append((p, f))
        return self

    def create(self, w: str) -> Command:
        for p, f in self._r:
            if p(w):
                return f(w)
        raise KeyError(w)


class Lexicon:
    def __init__(self, d: Dict[str, str]) -> None:
        self._d = d

    def resolve(self, x: str) -> str:
        if x in self._d:
            return self._d[x]
        else:
            return x


class CommandFactory:
    def __init__(self, g: CommandRegistry, l: Lexicon) -> None:
        self._g, self._l, self._c = g, l, {}

    def commands(self, x: Sequence[str]) -> Iterator[Command]:
        u = UndoCommand()
        for k in x:
            if k == "*":
                yield u
            else:
                if k not in self._c:
                    self._c[k] = self._g.create(self._l.resolve(k))
                yield self._c[k]


class EngineBuilder:
    def __init__(self) -> None:
        self._b: Optional[Buffer] = None
        self._f: Optional[CommandFactory] = None

    def buffer(self, b: Buffer) -> "EngineBuilder":
        self._b = b
        return self

    def factory(self, f: CommandFactory) -> "EngineBuilder":
        self._f = f
        return self

    def build(self) -> "Engine":
        if self._b is None or self._f is None:
            raise ValueError("incomplete")
        return Engine(self._b, self._f)


class Engine:
    def __init__(self, b: Buffer, f: CommandFactory) -> None:
        self._s, self._f = State(b), f

    def run(self, x: Sequence[str]) -> str:
        s = self._s
        for c in self._f.commands(x):
            c.execute(s)
        s.b.push(s.l)
        return s.b.value()


class Facade:
    def transcript(self, x: str, d: Dict[str, str]) -> str:
        g = CommandRegistry()
        g.register(lambda w: w.startswith("^"), AttachCommand).register(lambda w: True, WriteCommand)
        return EngineBuilder().buffer(ListBuffer()).factory(CommandFactory(g, Lexicon(d))).build().run(x.split())


def transcribe(strokes, dictionary):
    return Facade().transcript(strokes, dictionary)
