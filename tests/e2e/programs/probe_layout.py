"""Runs in the interpreter under test. Reads {"layout": ...} on stdin and tries every offset of it on objects whose
contents Python itself tells. Prints {"tried": [fields], "wrong": [what was found instead]}."""
import ctypes
import gc
import json
import opcode
import sys
import threading
import time
import types
import weakref

LAYOUT = json.load(sys.stdin)["layout"]
MINOR = sys.version_info[1]
FREE_THREADED = "t" in getattr(sys, "abiflags", "")
GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
tried, wrong = set(), []
api = ctypes.pythonapi
for name in ("PyThreadState_Get", "PyInterpreterState_Get" if MINOR >= 9 else "PyInterpreterState_Main"):
    getattr(api, name).restype = ctypes.c_void_p
interpreter = (api.PyInterpreterState_Get if MINOR >= 9 else api.PyInterpreterState_Main)()
runtime = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime"))


def read(address, kind=ctypes.c_uint64):
    return kind.from_address(address).value


def at(base, field, kind=ctypes.c_uint64):
    return read(base + LAYOUT[field], kind)


def check(field, found, expected):
    tried.add(field)
    if found != expected:
        wrong.append(f"{field}: {found!r}, not {expected!r}")


def has(field):
    return field in LAYOUT


# ---- objects ----
class Shaped:
    pass


text, wide, data, items, number = "ascii text", "caf\xe9 \U0001f40d", b"some bytes", (1, "two"), 123456789012345678901
check("object.type", at(id(items), "object.type"), id(tuple))
check("type.name", ctypes.string_at(at(id(dict), "type.name")), b"dict")
check("type.flags", at(id(dict), "type.flags"), dict.__flags__)
check("type.basicsize", at(id(dict), "type.basicsize"), dict.__basicsize__)
check("type.base", at(id(bool), "type.base"), id(int))
check("type.dictoffset", at(id(BaseException), "type.dictoffset"), BaseException.__dictoffset__)
check("unicode.length", at(id(text), "unicode.length"), len(text))
state = at(id(text), "unicode.state", ctypes.c_uint32) >> (8 if FREE_THREADED else 2)
check("unicode.state", (state & 7, state >> 3 & 1, state >> 4 & 1), (1, 1, 1))
state = at(id(wide), "unicode.state", ctypes.c_uint32) >> (8 if FREE_THREADED else 2)
check("unicode.state", (state & 7, state >> 3 & 1, state >> 4 & 1), (4, 1, 0))
check("unicode.ascii_data", ctypes.string_at(id(text) + LAYOUT["unicode.ascii_data"]), text.encode())
check("unicode.compact_data", ctypes.string_at(id(wide) + LAYOUT["unicode.compact_data"], 4 * len(wide)),
      wide.encode("utf-32-le"))
check("bytes.size", at(id(data), "bytes.size"), len(data))
check("bytes.data", ctypes.string_at(id(data) + LAYOUT["bytes.data"]), data)
check("tuple.size", at(id(items), "tuple.size"), 2)
check("tuple.items", read(id(items) + LAYOUT["tuple.items"] + 8), id(items[1]))
digits = [number >> 30 * i & (1 << 30) - 1 for i in range(3)]
check("integer.tag", at(id(number), "integer.tag"), 3 << 3 if MINOR >= 12 else 3)
check("integer.digit", [read(id(number) + LAYOUT["integer.digit"] + 4 * i, ctypes.c_uint32) for i in range(3)], digits)
table = {1: 2, 3: 4, 5: 6}
check("dict.used", at(id(table), "dict.used"), 3)
check("dict.values", at(id(table), "dict.values"), 0)
# Split keys are shared: by a dict's keys pointer and its type.
first, second = Shaped(), Shaped()
first.a = second.a = 1
check("dict.keys", at(id(table.copy()), "dict.keys") != at(id(table), "dict.keys") and at(id(table), "dict.keys") != 0, True)
check("module.dict", at(id(sys), "module.dict"), id(sys.__dict__))
several = [text, wide, data]
check("list.size", at(id(several), "list.size"), 3)
check("list.items", read(at(id(several), "list.items") + 16), id(data))
several = set(range(1000, 1100))
check("set.mask", at(id(several), "set.mask") + 1 >= 128, True)
kept = [read(at(id(several), "set.table") + 16 * i) for i in range(at(id(several), "set.mask") + 1)]
check("set.table", set(map(id, several)) <= set(kept), True)
check("weakref.object", at(id(weakref.ref(Shaped)), "weakref.object"), id(Shaped))


# ---- code, functions ----
def function(a, b):
    c = a + b

    def inner():
        return c
    return inner


code = function.__code__
own = id(code)
check("code.filename", at(own, "code.filename"), id(code.co_filename))
check("code.name", at(own, "code.name"), id(code.co_name))
check("code.firstlineno", at(own, "code.firstlineno", ctypes.c_uint32), code.co_firstlineno)
check("code.flags", at(own, "code.flags", ctypes.c_uint32), code.co_flags)
check("code.stacksize", at(own, "code.stacksize", ctypes.c_uint32), code.co_stacksize)
check("code.linetable", ctypes.string_at(at(own, "code.linetable") + LAYOUT["bytes.data"], 6),
      (code.co_linetable if MINOR >= 10 else code.co_lnotab)[:6].ljust(6, b"\0"))
if MINOR < 11:
    check("code.bytecode", at(own, "code.bytecode"), id(code.co_code))
else:
    places = len(set(code.co_varnames) | set(code.co_cellvars) | set(code.co_freevars))
    check("code.qualname", at(own, "code.qualname"), id(code.co_qualname))
    check("code.size", at(own, "code.size") * 2, len(code.co_code))
    check("code.bytecode", ctypes.string_at(own + LAYOUT["code.bytecode"], len(code.co_code)), code._co_code_adaptive)
    check("code.nlocalsplus", at(own, "code.nlocalsplus", ctypes.c_uint32), places)
    check("function.version", at(id(function), "function.version", ctypes.c_uint32) < 1 << 24, True)
if has("code.framesize"):
    specials = LAYOUT["frame.localsplus"] // 8
    check("code.framesize", at(own, "code.framesize", ctypes.c_uint32), places + code.co_stacksize + specials)
check("function.code", at(id(function), "function.code"), own)
if has("code.version"):
    # A function that nothing was set on takes its version from its code (Objects/funcobject.c, 3.12+).
    for _ in range(200):
        function(1, 2)
    check("code.version", at(own, "code.version", ctypes.c_uint32), at(id(function), "function.version", ctypes.c_uint32))
    check("code.version", at(own, "code.version", ctypes.c_uint32) != 0, True)

# ---- tools ----
def watched(a):
    b = [a]
    c = {a: b}
    return c


if has("code.monitoring"):
    events, plain = sys.monitoring.events, watched.__code__.co_code
    sys.monitoring.use_tool_id(5, "probe")
    for event, field in ((events.LINE, "monitoring.lines"), (events.INSTRUCTION, "monitoring.instructions")):
        before = watched.__code__._co_code_adaptive
        sys.monitoring.set_local_events(5, watched.__code__, event)
        watched(1)
        after = watched.__code__._co_code_adaptive
        hidden = [i // 2 for i in range(0, len(plain), 2)
                  if before[i] == plain[i] != after[i] and opcode.opname[plain[i]] != "RESUME"]
        data, stride = at(at(id(watched.__code__), "code.monitoring"), field), 1
        if event == events.LINE:
            stride = 2 if MINOR < 14 else read(data, ctypes.c_uint8)
            data += MINOR >= 14
        kept = [read(data + i * stride, ctypes.c_uint8) for i in hidden]
        check(field, (len(kept) > 1, kept), (True, [plain[2 * i] for i in hidden]))
        sys.monitoring.set_local_events(5, watched.__code__, 0)
        watched(1)
    sys.monitoring.free_tool_id(5)
    tried.add("code.monitoring")
if has("thread.traceobj"):
    def tool(*_):
        return None
    for field, set_it in (("thread.traceobj", sys.settrace), ("thread.profileobj", sys.setprofile)):
        set_it(tool)
        on = at(api.PyThreadState_Get(), field)
        set_it(None)
        check(field, (on, at(api.PyThreadState_Get(), field)), (id(tool), 0))

# ---- runtime, interpreter, GIL ----
check("runtime.finalizing", at(runtime, "runtime.finalizing"), 0)
check("runtime.interpreters_head", at(runtime, "runtime.interpreters_head"), interpreter)
check("interpreter.next", at(interpreter, "interpreter.next"), 0)
check("interpreter.id", at(interpreter, "interpreter.id"), 0)
check("interpreter.modules", at(interpreter, "interpreter.modules"), id(sys.modules))
check("interpreter.sysdict", at(interpreter, "interpreter.sysdict"), id(sys.__dict__))
collecting = "runtime.gc_collecting" if MINOR == 8 else "interpreter.gc_collecting"
base = runtime if MINOR == 8 else interpreter
during = []
gc.disable()
gc.callbacks.append(lambda phase, info: during.append(at(base, collecting, ctypes.c_uint32)))
gc.collect()
gc.callbacks.pop()
check(collecting, (during and set(during), at(base, collecting, ctypes.c_uint32)), ({1}, 0))

here = api.PyThreadState_Get()
gil = runtime + LAYOUT["runtime.gil"] if has("runtime.gil") else at(interpreter, "interpreter.gil")
tried.add("runtime.gil" if has("runtime.gil") else "interpreter.gil")
if has("gil.enabled"):  # INT_MAX: for good (Include/internal/pycore_gil.h)
    check("gil.enabled", at(gil, "gil.enabled", ctypes.c_uint32), (1 << 31) - 1 if GIL else 0)
if GIL:
    check("gil.last_holder", at(gil, "gil.last_holder"), here)
check("gil.locked", at(gil, "gil.locked", ctypes.c_uint32), int(GIL))
before = at(gil, "gil.switch_number")
thread = threading.Thread(target=time.sleep, args=(0.001,))
thread.start()
thread.join()
check("gil.switch_number", 0 < at(gil, "gil.switch_number") - before < 1000, GIL)

# ---- threads ----
check("thread.interpreter", at(here, "thread.interpreter"), interpreter)
check("thread.thread_id", at(here, "thread.thread_id"), threading.get_ident())
stop, addresses = threading.Event(), []


def wait():
    addresses.append(api.PyThreadState_Get())
    stop.wait()


others = [threading.Thread(target=wait, daemon=True) for _ in range(2)]
for thread in others:
    thread.start()
while len(addresses) < 2:
    time.sleep(0.001)
linked, previous = [], 0
each = at(interpreter, "interpreter.threads_head")
while each:
    check("thread.prev", at(each, "thread.prev"), previous)
    linked.append(each)
    previous, each = each, at(each, "thread.next")
check("thread.next", sorted(linked), sorted([here, *addresses]))
check("interpreter.threads_head", linked[-1], here)
if has("interpreter.threads_main"):
    check("interpreter.threads_main", at(interpreter, "interpreter.threads_main"), here)
if has("thread.native_thread_id"):
    check("thread.native_thread_id", at(here, "thread.native_thread_id"), threading.get_native_id())
if has("thread.holds_gil"):
    check("thread.holds_gil", [at(t, "thread.holds_gil", ctypes.c_uint32) for t in (here, *addresses)],
          [int(GIL), 0, 0])
if has("thread.gil_requested"):
    check("thread.gil_requested", [at(t, "thread.gil_requested", ctypes.c_uint32) for t in (here, *addresses)], [0, 0, 0])
if has("thread.state"):  # attached, detached (Include/internal/pycore_pystate.h)
    deadline = time.time() + 10  # until they have come to wait
    while any(at(t, "thread.state", ctypes.c_uint32) for t in addresses) and time.time() < deadline:
        time.sleep(0.001)
    check("thread.state", [at(t, "thread.state", ctypes.c_uint32) for t in (here, *addresses)], [1, 0, 0])
stop.set()
for thread in others:
    thread.join()
if has("interpreter.code_generation"):
    # Counts code objects that were freed (_PyCode_Clear... of Objects/codeobject.c, 3.14+).
    before = at(interpreter, "interpreter.code_generation")
    for i in range(5):
        compile(f"x = {i}", "gone", "exec")
    gc.collect()  # which alone frees them in free-threaded builds
    check("interpreter.code_generation", at(interpreter, "interpreter.code_generation") - before >= 5, True)


# ---- frames ----
def current(wanted):
    """The address of the running frame of this function. at() and read() run in frames of their own, above it, and at
    the same addresses at every call (before 3.11: a code object keeps its last frame), so that a walk that begins in
    one of them is sound."""
    frame = at(api.PyThreadState_Get(), "thread.frame")
    if MINOR in (11, 12):
        frame = at(frame, "cframe.current_frame")
        tried.add("cframe.current_frame")
    while at(frame, "frame.code") & ~7 != id(wanted.__code__):
        frame = at(frame, "frame.previous")
    return frame


def bytecode(frame, function):
    """Where the instructions are that this frame of the function runs: a free-threaded build has copies by thread."""
    main = id(function.__code__) + LAYOUT["code.bytecode"]
    if not has("code.tlbc"):
        return main
    index, copies = at(frame, "frame.tlbc_index", ctypes.c_int32), at(id(function.__code__), "code.tlbc")
    check("code.tlbc", read(copies + 8), main)
    check("frame.tlbc_index", (0 <= index < read(copies), index > 0),
          (True, threading.current_thread() is not threading.main_thread()))
    return read(copies + 8 + 8 * index)


def callee(marker):
    state = api.PyThreadState_Get()
    frame = current(callee)
    tried.add("thread.frame")
    if MINOR < 11:
        check("thread.frame", frame, id(sys._getframe()))
    check("frame.code", at(frame, "frame.code") & ~7, id(callee.__code__))
    check("frame.localsplus", at(frame, "frame.localsplus") & ~7, id(marker))
    above = at(frame, "frame.previous")
    check("frame.previous", at(above, "frame.code") & ~7, id(caller.__code__))
    if MINOR < 11:
        check("frame.instr", at(frame, "frame.instr", ctypes.c_int) * (2 if MINOR == 10 else 1) <= sys._getframe().f_lasti,
              True)
        check("frame.instr", at(above, "frame.instr", ctypes.c_int) * (2 if MINOR == 10 else 1), sys._getframe(1).f_lasti)
        check("frame.state", at(frame, "frame.state", ctypes.c_int8), 0 if MINOR == 10 else 1)
        return
    check("frame.func", at(frame, "frame.func") & ~7, id(callee))
    start = bytecode(above, caller)
    place = at(above, "frame.instr") - start
    lasti = sys._getframe(1).f_lasti
    check("frame.instr", 0 <= place - lasti < 20 and place % 2 == 0, True)
    check("frame.owner", at(frame, "frame.owner", ctypes.c_uint8), 0)
    if MINOR == 11:
        check("frame.is_entry", at(frame, "frame.is_entry", ctypes.c_uint8), 0)
    if MINOR >= 14:
        depth = (at(above, "frame.stacktop") - above - LAYOUT["frame.localsplus"]) // 8
    else:
        depth = at(above, "frame.stacktop", ctypes.c_int)
    places = at(id(caller.__code__), "code.nlocalsplus", ctypes.c_uint32)
    check("frame.stacktop", places <= depth <= places + caller.__code__.co_stacksize, True)
    # A call leaves the callable in the first slot that it frees (or the second: 3.11 to 3.13 may put NULL first).
    slots = [read(above + LAYOUT["frame.localsplus"] + 8 * (depth + i)) & ~7 for i in range(3)]
    check("frame.stacktop", id(callee) in slots, True)
    if has("frame.return_offset"):
        # From the instruction to the one after it: CALL and its three cache entries; 3.12 counts from the last of them.
        check("frame.return_offset", at(above, "frame.return_offset", ctypes.c_uint16), 0 if MINOR == 12 else 4)
    chunk, top = at(state, "thread.datastack_chunk"), at(state, "thread.datastack_top")
    tried.update(("thread.datastack_chunk", "thread.datastack_top"))
    check("chunk.data", chunk + LAYOUT["chunk.data"] <= above < frame < top, True)
    check("chunk.size", at(chunk, "chunk.size"), 16384)
    check("chunk.previous", at(chunk, "chunk.previous"), 0)
    if MINOR >= 15:
        each = frame
        while at(each, "frame.previous"):
            each = at(each, "frame.previous")
        check("thread.base_frame", at(state, "thread.base_frame"), each)


def caller(marker):
    callee(marker)


def generator():
    if MINOR >= 11:
        check("frame.owner", at(current(generator), "frame.owner", ctypes.c_uint8), 1)
    yield


def deep(n):
    """Deep enough to need a second chunk; the first one's top then says how far it is used."""
    if n:
        return deep(n - 1)
    chunk = at(api.PyThreadState_Get(), "thread.datastack_chunk")
    first = at(chunk, "chunk.previous")
    check("chunk.previous", first != 0, True)
    check("chunk.top", 0 < at(first, "chunk.top") * 8 <= at(first, "chunk.size"), True)


def suspended():
    """A coroutine's frame, its state (as it is created, awaits, and is done), and what it awaits on its saved stack."""
    async def outer():
        await inner

    @types.coroutine
    def inner_most():
        yield

    states = {8: (), 9: (), 10: (), 11: (-2, -1, 4), 12: (-2, -1, 4), 13: (-3, -1, 4),
              14: (-3, -1, 4), 15: (0, 2, 5)}.get(MINOR)
    inner = inner_most()
    told = outer()
    kind = ctypes.c_int8
    state = [at(id(told), "generator.state", kind)] if has("generator.state") else []
    told.send(None)
    state += [at(id(told), "generator.state", kind)] if has("generator.state") else []
    frame = id(told) + LAYOUT["generator.frame"] if MINOR >= 11 else at(id(told), "generator.frame")
    check("generator.frame", at(frame, "frame.code") & ~7, id(told.cr_code))
    if MINOR >= 14:  # 3.15 keeps a second word for what is iterated
        top = at(frame, "frame.stacktop") - (16 if MINOR >= 15 else 8)
    elif MINOR >= 11:
        top = frame + LAYOUT["frame.localsplus"] + 8 * (at(frame, "frame.stacktop", ctypes.c_int) - 1)
    elif MINOR == 10:
        top = at(frame, "frame.valuestack") + 8 * (at(frame, "frame.stackdepth", ctypes.c_int) - 1)
        check("frame.stackdepth", at(frame, "frame.stackdepth", ctypes.c_int), 1)
        check("frame.valuestack", read(top), id(inner))
    else:
        top = at(frame, "frame.stackdepth") - 8
        check("frame.valuestack", at(frame, "frame.valuestack"), top)
        check("frame.stackdepth", read(top), id(inner))
    check("generator.frame", read(top) & ~7, id(inner))
    try:
        told.send(None)
    except StopIteration:
        pass
    if has("generator.state"):
        state.append(at(id(told), "generator.state", kind))
        check("generator.state", tuple(state), states)


caller(object())
suspended()
next(generator())
if has("code.tlbc"):  # the generation changes when a thread gets an index, and when it gives it back
    before = at(interpreter, "interpreter.tlbc_generation", ctypes.c_uint32)
    in_thread = threading.Thread(target=caller, args=(object(),))
    in_thread.start()
    in_thread.join()
    check("interpreter.tlbc_generation", at(interpreter, "interpreter.tlbc_generation", ctypes.c_uint32) - before, 2)
if MINOR >= 11:
    in_thread = threading.Thread(target=deep, args=(300,))
    in_thread.start()
    in_thread.join()
json.dump({"tried": sorted(tried), "wrong": wrong}, sys.stdout)
