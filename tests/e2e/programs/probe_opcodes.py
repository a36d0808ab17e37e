"""Runs in the interpreter under test. Reads {"layout": ...} on stdin, prints what instructions did to the stack of frames.

Functions of every kind call look(), which walks its own thread's frames in memory and notes, for each callee, by which
instruction its caller was standing there, whether the callee runs in a loop of its own (entered through C), and what
the instruction's inline cache holds. The tables of src/python are then held against these notes by test_opcodes.py.
"""
import asyncio
import ctypes
import dis
import functools
import gc
import json
import opcode
import signal
import sys

LAYOUT = json.load(sys.stdin)["layout"]
MINOR = sys.version_info[1]
NAMES = {number: name for name, number in getattr(dis, "_all_opmap", dis.opmap).items() if number < 256}
ENTERED_OWNER = 3  # FRAME_OWNED_BY_CSTACK, FRAME_OWNED_BY_INTERPRETER
edges = {}  # (opcode, entered) -> {(counter, where the cache holds the callee's version, stack pointer saved): edges}
thread_state = ctypes.pythonapi.PyThreadState_Get
thread_state.restype = ctypes.c_void_p


def word(address):
    return ctypes.c_uint64.from_address(address).value


def half(address):
    return ctypes.c_uint32.from_address(address).value


@functools.lru_cache(maxsize=None)
def caches_of(number):
    """Inline cache entries by the interpreter's own account."""
    if MINOR < 11:
        return 0
    name = NAMES.get(number, "")
    if MINOR < 13:
        base = next((b for b, forms in opcode._specializations.items() if name in forms), name)
        if MINOR == 11 and name.endswith("_ADAPTIVE"):
            base = name[: -len("_ADAPTIVE")]
        if base.startswith("INSTRUMENTED_"):
            base = base[len("INSTRUMENTED_"):]
        return opcode._inline_cache_entries[dis.opmap[base]] if base in dis.opmap else 0
    base = next((b for b, forms in opcode._specializations.items() if name in forms), name)
    if base.startswith("INSTRUMENTED_"):
        base = base[len("INSTRUMENTED_"):]
    return opcode._inline_cache_entries.get(base, 0)


def code_bytes(code):
    size = word(code + LAYOUT["code.size"]) * 2
    return ctypes.string_at(code + LAYOUT["code.bytecode"], size)


def instruction_start(code, at):
    raw, start = code_bytes(code), 0
    while True:
        following = start + 2 + 2 * caches_of(raw[start])
        if following > at:
            return start
        start = following


def stack_pointer_is_saved(frame):
    """What tells a frame that waits for a callee from one that runs."""
    at = frame + LAYOUT["frame.stacktop"]
    return ctypes.c_int32.from_address(at).value >= 0 if MINOR < 14 else word(at) != 0


def note(number, entered, cache, version, saved):
    """cache: the instruction and what follows it; an inline cache begins with its counter."""
    needle = version.to_bytes(4, "little")
    places = tuple(at for at in range(4, 2 + 2 * caches_of(number), 2) if version and cache[at:at + 4] == needle)
    counter = int.from_bytes(cache[2:4], "little")
    seen = edges.setdefault((number, entered), {})
    seen[counter, places, saved] = seen.get((counter, places, saved), 0) + 1


looking = False


def look(*_, **__):
    """Note every edge of the stack; not again from the collector or a finaliser that this itself sets off."""
    global looking
    if looking:
        return 1
    looking = True
    try:
        return note_stack()
    finally:
        looking = False


def note_stack():
    if MINOR < 11:
        frame = sys._getframe().f_back
        while frame is not None:
            if frame.f_lasti >= 0:  # -1: a finaliser or the collector ran before its first instruction
                note(frame.f_code.co_code[frame.f_lasti], False, b"", 0, None)
            frame = frame.f_back
        return 1
    state = thread_state()
    # Not by word(): it would find its own frame, which is gone when it returns.
    callee = ctypes.c_uint64.from_address(state + LAYOUT["thread.frame"]).value
    if MINOR < 13:
        callee = ctypes.c_uint64.from_address(callee + LAYOUT["cframe.current_frame"]).value
    while callee:
        caller = word(callee + LAYOUT["frame.previous"])
        if not caller:
            break
        entered = False
        if MINOR == 11:
            entered = bool(ctypes.c_uint8.from_address(callee + LAYOUT["frame.is_entry"]).value)
        elif ctypes.c_uint8.from_address(caller + LAYOUT["frame.owner"]).value == ENTERED_OWNER:
            entered = True
            caller = word(caller + LAYOUT["frame.previous"])
            if not caller:
                break
        code = word(caller + LAYOUT["frame.code"]) & ~7
        at = word(caller + LAYOUT["frame.instr"]) - code - LAYOUT["code.bytecode"]
        if 0 <= at < word(code + LAYOUT["code.size"]) * 2:
            start = instruction_start(code, at)
            raw = code_bytes(code)
            # The shim under __init__ (CALL_ALLOC_AND_ENTER_INIT) has no function.
            function = word(callee + LAYOUT["frame.func"]) & ~7
            version = half(function + LAYOUT["function.version"]) if function else 0
            note(raw[start], entered, raw[start:start + 20], version, stack_pointer_is_saved(caller))
        callee = caller
    return 1


# ---- callees of every kind ----
def exact(a, b):
    return look()


def with_defaults(a, b=2):
    return look()


def keyword_only(a, *, b=2):
    return look()


def star(*args, **kwargs):
    return look()


def generate():
    while True:
        look()
        yield 1


def delegate():
    yield from generate()


class Plain:
    def __init__(self, a=1):
        look()
        self.a = a

    def method(self, a):
        return look()

    def method_default(self, a, b=1):
        return look()

    @property
    def prop(self):
        return look()

    def __getitem__(self, i):
        return look()

    def __add__(self, other):
        return look()

    def __lt__(self, other):
        return bool(look())

    def __eq__(self, other):
        return bool(look())

    __hash__ = object.__hash__

    def __bool__(self):
        return bool(look())

    def __contains__(self, x):
        return bool(look())

    def __enter__(self):
        look()

    def __exit__(self, *_):
        look()

    def __call__(self, a):
        return look()

    def __setattr__(self, name, value):
        look()
        object.__setattr__(self, name, value)

    def __iter__(self):
        look()
        return iter(())

    def __format__(self, how):
        look()
        return ""


class Attribute:
    def __getattribute__(self, name):
        return look()


class Dying:
    def __del__(self):
        look()


class Looking:
    def __iter__(self):
        return self

    def __next__(self):
        look()
        return 1


class Awaitable:
    def __await__(self):
        look()
        return iter(())


TIMES = 80


def calls(p, q):
    bound = p.method
    bound_default = p.method_default
    gone = None
    for i in range(TIMES):
        exact(1, 2)
        with_defaults(1)
        keyword_only(1)
        keyword_only(1, b=3)
        exact(a=1, b=2)
        star(1, 2, x=3)
        star(*(1, 2))
        star(*(1, 2), **{"x": 1})
        p.method(1)
        p.method_default(1)
        p.method_default(1, b=1)
        bound(1)
        bound_default(1)
        bound_default(1, b=1)
        Plain(1)
        p(1)
        p.prop
        p[0]
        p + 1
        p < q
        p == q
        if p:
            pass
        1 in p
        q.anything
        p.b = 1
        f"{p:x}"
        with p:
            pass
        for _ in p:
            pass
        gone = Dying()
        gone = None
        sorted([1], key=look)
        [look() for _ in (1,)]
        (lambda: look())()
    return gone


def iterations():
    for i, _ in enumerate(generate()):
        if i > TIMES:
            break
    n = 0
    for _ in generate():
        n += 1
        if n > TIMES:
            break
    n = 0
    for _ in delegate():
        n += 1
        if n > TIMES:
            break
    n = 0
    for _ in Looking():
        n += 1
        if n > TIMES:
            break


async def inner():
    look()
    await asyncio.sleep(0)
    look()


async def produce():
    for i in range(TIMES):
        look()
        yield i
        await asyncio.sleep(0)


class Managed:
    async def __aenter__(self):
        look()

    async def __aexit__(self, *_):
        look()


async def coroutines():
    for _ in range(TIMES):
        await inner()
        await Awaitable()
        async with Managed():
            pass
    async for _ in produce():
        look()


def interruptions():
    """Signal handlers and the collector's callbacks run wherever the interpreter looks up from its work."""
    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    gc.callbacks.append(look)
    total = 0
    for i in range(300000):
        total += i & 3
        if i % 1000 == 0:
            box = []
            box.append(box)
            gc.collect(0)
    while total > 0:
        total -= 7
    signal.setitimer(signal.ITIMER_PROF, 0)
    gc.callbacks.remove(look)


def alternating(f):
    return f(1, 2)


def other(a, b):
    return 2


def quiet(a, b):
    return 1


def miss():
    """The counter of a specialised call: fresh, after more hits, after one miss."""
    if MINOR < 11:
        return None
    code = id(alternating.__code__)
    number = {name: n for n, name in NAMES.items()}["CALL_PY_EXACT_ARGS"]

    def counter():
        raw, at = code_bytes(code), 0
        while at < len(raw):
            if raw[at] == number:
                return int.from_bytes(raw[at + 2:at + 4], "little")
            at += 2 + 2 * caches_of(raw[at])
        return None

    for _ in range(TIMES):
        alternating(quiet)
    fresh = counter()
    for _ in range(TIMES):
        alternating(quiet)
    hits = counter()
    alternating(other)
    return {"fresh": fresh, "after_hits": hits, "after_miss": counter()}


# EXTENDED_ARG before a call: 300 constants push the index of the names past a byte.
exec("def extended():\n    x = [" + ", ".join(f"{i}.5" for i in range(300)) + "]\n    look(" +
     ", ".join(f"{i}.25" for i in range(300)) + ")\n")


def main():
    counters = miss()
    calls(Plain(), Attribute())
    iterations()
    asyncio.run(coroutines())
    interruptions()
    for _ in range(3):
        extended()
    json.dump({
        "edges": [{"opcode": n, "name": NAMES.get(n, ""), "entered": entered, "counter": counter, "versions": places,
                   "saved": saved, "count": count}
                  for (n, entered), seen in edges.items() for (counter, places, saved), count in seen.items()],
        "counters": counters,
        "names": NAMES,
        "caches": {n: caches_of(n) for n in NAMES},
    }, sys.stdout)


main()
