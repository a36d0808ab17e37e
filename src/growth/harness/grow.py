# Driver of `scale`: what one call at a size costs, by the clock and by counting. spec["mode"] is one of
#
#   probe    one call at each size in turn, in a child that is killed when it hangs: how far can we go?
#   time     CPU and wall seconds of a call at spec["n"]: the first one, and then as many as can be measured
#   count    calls, lines and instructions of one call
#   memory   the most bytes that one call held beyond what was there, as tracemalloc sees it
#   where    seconds and hits by line, at two sizes
#
# Each but the probe first makes a call at a size below all that are measured, so that imports within the function and the
# like are over, but what it may remember of this size is not there yet. Without a size (spec["n"] is None) the function
# is called with its own arguments, twice: the second call is what counts.
import resource
import select
import signal

CALLS_MOST = 1000  # a batch, each on arguments of its own
SAME_CALLS_MOST = 50000  # a batch, all on the same ones
ARGUMENTS_SECONDS = 0.03  # for making a batch's arguments
LINES_TOLD = 8
CLOCK_ROUNDS = 5
WAITING = 4  # times its CPU time that a call may take on a busy machine


def cpu_clock():
    """Of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def made(subject, n):
    return subject.arguments() if n is None else subject.arguments(n=n)


def kept_waiting():
    """Seconds that the main thread was ready to run but had no CPU: the machine's doing, not the function's."""
    try:
        with open("/proc/self/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def warm_up(subject, spec):
    if spec["n"] is None:
        subject.call(made(subject, None))
    elif spec["least"] > 1:
        try:
            subject.function(*made(subject, spec["least"] // 2))
        except Exception:
            pass  # it does not take such a size


# ---- probe ----


def probe_here(subject, spec, fd):
    for n in spec["sizes"]:
        began = time.perf_counter()
        arguments = made(subject, n)
        start, cpu = time.perf_counter(), cpu_clock()
        try:
            subject.function(*arguments)
        except BaseException as error:
            import traceback

            told = {"n": n, "raised": " ".join(traceback.format_exception_only(type(error), error)[-1].split())[:300]}
        else:
            cpu, end = cpu_clock() - cpu, time.perf_counter()
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            told = {"n": n, "setup": start - began, "cpu": cpu, "wall": end - start, "memory": memory}
        os.write(fd, (json.dumps(told) + "\n").encode())
        if "raised" in told or told["memory"] > spec["memory"] or told["cpu"] > spec["limit"]:
            break
        if told["wall"] + told["setup"] > 2 * spec["limit"]:
            break


def probe(subject, spec):
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setpgid(0, 0)
        spec["fd"] = writing  # what subject says of a failure comes to the parent
        probe_here(subject, spec, writing)
        os._exit(0)
    os.close(writing)
    data, until, ended = b"", time.monotonic() + spec["patience"], ""
    while True:
        if not select.select([reading], [], [], max(0, until - time.monotonic()))[0]:
            ended = "hung"
            break
        part = os.read(reading, 65536)
        if not part:
            break
        data += part
        until = time.monotonic() + spec["patience"]
    for end in (lambda: os.killpg(child, signal.SIGKILL), lambda: os.kill(child, signal.SIGKILL)):
        try:
            end()
        except OSError:
            pass
    _, status = os.waitpid(child, 0)
    if not ended and os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
        ended = "died of signal %d" % os.WTERMSIG(status)
    told = [json.loads(line) for line in data.decode().splitlines()]
    failed = [t for t in told if "error" in t]
    if failed and len(told) == 1:
        answer(spec, failed[0])
    else:
        answer(spec, {"steps": [t for t in told if "wall" in t], "ended": ended,
                      "raised": next((t.get("raised") or t["text"] for t in told if "wall" not in t), "")})


# ---- time ----


def batch(subject, inputs):
    function = subject.function
    waited = kept_waiting()
    try:
        cpu, wall = cpu_clock(), time.perf_counter()
        for arguments in inputs:
            function(*arguments)
        wall = time.perf_counter() - wall
        cpu = cpu_clock() - cpu
        return cpu, max(wall - (kept_waiting() - waited), 0.0)
    except BaseException as error:
        blame(subject.spec, subject.name, error)


def without(clock, times):
    return [max(t - c, 0.0) for t, c in zip(times, clock)]


def measure_time(subject, spec):
    n = spec["n"]
    warm_up(subject, spec)
    began = time.perf_counter()
    inputs = [made(subject, n)]
    setup = time.perf_counter() - began
    clock = min(batch(subject, ()) for _ in range(CLOCK_ROUNDS))  # what reading the clocks takes
    first = without(clock, batch(subject, inputs))
    facts = {"setup": setup, "first": first, "calls": 0, "batches": []}
    length = max(first[0], first[1] / WAITING, 1e-7)
    if length <= spec["again"]:
        fresh = subject.code is not None  # the call may use up what the set-up made
        most = CALLS_MOST if fresh else SAME_CALLS_MOST
        calls = max(1, min(most, int(spec["batch"] / length)))
        if fresh:
            calls = max(1, min(calls, int(ARGUMENTS_SECONDS / max(setup, 1e-7))))
        for _ in range(spec["batches"]):
            inputs = None  # gone before the next are made, and not while the clock runs
            inputs = [made(subject, n) for _ in range(calls)] if fresh else [made(subject, n)] * calls
            facts["batches"].append([t / calls for t in without(clock, batch(subject, inputs))])
        facts["calls"] = calls
    answer(spec, facts)


# ---- counts ----


def count_by_monitoring(function, arguments):
    monitoring = sys.monitoring
    tool = next(i for i in (3, 4, 2, 1, 0, 5) if monitoring.get_tool(i) is None)
    calls = lines = instructions = 0

    def on_call(code, offset):
        nonlocal calls
        calls += 1

    def on_line(code, line):
        nonlocal lines
        lines += 1

    def on_instruction(code, offset):
        nonlocal instructions
        instructions += 1

    events = monitoring.events
    monitoring.use_tool_id(tool, "pitviper")
    callbacks = {events.PY_START: on_call, events.PY_RESUME: on_call, events.LINE: on_line, events.INSTRUCTION: on_instruction}
    for event, callback in callbacks.items():
        monitoring.register_callback(tool, event, callback)
    mask = events.PY_START | events.PY_RESUME | events.LINE | events.INSTRUCTION
    try:
        monitoring.set_events(tool, mask)
        function(*arguments)
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return calls, lines, instructions


def count_by_tracing(function, arguments):
    import threading

    counts = {"call": 0, "line": 0, "opcode": 0}

    def trace(frame, event, argument):
        if event in counts:
            counts[event] += 1
            if event == "call":
                frame.f_trace_opcodes = True
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return counts["call"], counts["line"], counts["opcode"]


def count(subject, spec):
    count_call = count_by_monitoring if hasattr(sys, "monitoring") else count_by_tracing
    warm_up(subject, spec)
    count_call(int, ())  # nothing, once, so that whatever counting itself does first is over
    nothing = count_call(int, ())
    arguments = made(subject, spec["n"])
    try:
        counts = count_call(subject.function, arguments)
    except BaseException as error:
        blame(spec, subject.name, error)
    answer(spec, {"by": "sys.monitoring" if count_call is count_by_monitoring else "sys.settrace",
                  "counts": [c - none for c, none in zip(counts, nothing)]})


def measure_memory(subject, spec):
    import gc
    import tracemalloc

    warm_up(subject, spec)
    arguments = made(subject, spec["n"])
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    subject.call(arguments)
    answer(spec, {"peak": tracemalloc.get_traced_memory()[1] - before})


# ---- where ----


def owners(subject):
    """A function from a frame to the one whose line its time is charged to: the caller in the user's own code, where the
    frame is the standard library's (unless that is what is measured)."""
    library, inside = os.path.dirname(os.__file__) + os.sep, {}

    def is_library(code):
        if code not in inside:
            name = code.co_filename
            inside[code] = name.startswith("<frozen") or (name.startswith(library) and "site-packages" not in name)
        return inside[code]

    def owner(frame):
        while is_library(frame.f_code) and frame.f_back is not None:
            frame = frame.f_back
        return frame

    code = getattr(subject.function, "__code__", None)
    return owner if code is not None and not is_library(code) else lambda frame: frame


def time_lines(subject, arguments):
    """{(code, line): [CPU seconds, hits]} of one call, without what tracing takes; a line's time is its own."""
    table, clock, owner = {}, time.thread_time, owners(subject)
    entry, last = [0.0, 0], 0.0

    def trace(frame, event, argument):
        nonlocal entry, last
        entry[0] += clock() - last
        own = frame.f_back if event == "return" else frame
        if own is not None:
            own = owner(own)
            entry = table.setdefault((own.f_code, own.f_lineno), [0.0, 0])
            entry[1] += event == "line" and own is frame
        last = clock()
        return trace

    last = clock()
    sys.settrace(trace)
    try:
        subject.call(arguments)
    finally:
        sys.settrace(None)
    return table


def where(subject, spec):
    import linecache

    warm_up(subject, spec)
    few, many = (time_lines(subject, made(subject, n)) for n in (spec["n"], spec["more"]))
    own = {function.__code__ for function in (time_lines, Subject.call)}
    lines = sorted((item for item in many.items() if item[0][0] not in own), key=lambda item: -item[1][0])
    total = sum(seconds for _, (seconds, _) in lines) or 1.0
    answer(spec, {"lines": [
        {
            "file": code.co_filename,
            "line": line,
            "function": getattr(code, "co_qualname", code.co_name),
            "text": linecache.getline(code.co_filename, line).strip()[:200],
            "share": seconds / total,
            "seconds": [few.get((code, line), (0.0, 0))[0], seconds],
            "hits": [few.get((code, line), (0.0, 0))[1], hits],
        }
        for (code, line), (seconds, hits) in lines[:LINES_TOLD]
    ]})


def grow():
    spec = read_spec()
    subject = load(spec)
    drivers = {"probe": probe, "time": measure_time, "count": count, "memory": measure_memory, "where": where}
    drivers[spec["mode"]](subject, spec)
    try:
        sys.stdout.flush()
    except OSError:
        pass
    os._exit(0)


grow()
