"""Exports, each read by somebody else's parser, against what `report --json` says of the same recording.

Gecko is the exception: no package of npm or PyPI reads the Firefox Profiler's processed profiles (speedscope and
mozgeckoprofiler read the browser's own raw format only), so a reader of the documented format stands here."""
import collections
import errno
import gzip
import json
import os
import pty
import re
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import fastjsonschema
import pytest
from conftest import PYTHONS, ROOT
from snakeviz.stats import json_stats, table_rows

NPM = ROOT / ".deps" / "npm"
FORMATS = ["collapsed", "speedscope", "pprof", "gecko", "chrome", "callgrind", "pstats", "jsonl"]
BINARY = ["pprof", "pstats"]

# Threads, a child, recursion of one and of two functions, a generator, and names that mean something to some format.
APP = r'''
import os, threading, time

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def even(n):
    return True if n == 0 else odd(n - 1)

def odd(n):
    return False if n == 0 else even(n - 1)

def gen(n):
    for i in range(n):
        yield sum(range(i % 300))

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        fib(12)
        even(60)
        for x in gen(50):
            pass

HOSTILE = ["se;mi", "quo\"te's\\", "new\nline\r\t", "</script><!--", "fn=(1)", "(2) x", "(7)", "calls=3 4", "\u2028sep\u2029",
           "\x01\x1b[31m\x7f", "x" * 100000, " lead", "cfn=(3)", "* 3", "+5 6", "# c", "\u202etrick", "%s%n", "\U0001f40d"]
FOLDER = os.fsdecode(b"/tmp/\xff\xfe;:")
SOURCE = "def f(t):\n  e = time.perf_counter() + t\n  while time.perf_counter() < e: pass\n"
for name in HOSTILE:
    space = {"time": time}
    exec(compile(SOURCE, FOLDER + name.lstrip("/") + ".py", "exec"), space)
    f = space["f"]
    names = {"co_name": name, "co_qualname": name} if hasattr(f.__code__, "co_qualname") else {"co_name": name}
    f.__code__ = f.__code__.replace(**names)
    f(0.015)

def nap():
    time.sleep(0.3)

child = os.fork()
if child == 0:
    spin(0.25)
    os._exit(0)
nappers = [threading.Thread(target=nap, name=n) for n in ('nap;per "x"\n</script>', "y" * 300)]
for t in nappers: t.start()
spin(0.4)
for t in nappers: t.join()
os.waitpid(child, 0)
'''
OURS = ["fib", "even", "odd", "gen", "spin", "nap"]


class Recorded:
    """A recording, its report, and its exports."""

    def __init__(self, pitviper, folder, python):
        self.pitviper, self.folder = pitviper, folder
        (folder / "app.py").write_text(APP)
        self.path = folder / "app.pit"
        done = subprocess.run([pitviper, "run", "-o", self.path, "--rate", "2000", "--python", str(python), folder / "app.py"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        assert self.path.exists(), done.stderr
        self.report = json.loads(subprocess.run([pitviper, "report", "--json", self.path], capture_output=True, check=True).stdout)
        self.file = str(folder / "app.py")
        self.ns_per_hit = self.report["time_ns"] / self.report["hits"]

    def export(self, name, *words):
        out = self.folder / f"out.{name}"
        subprocess.run([self.pitviper, "export", "--format", name, "-o", out, *words, self.path], check=True, timeout=120)
        return out

    def ours(self):
        """{name: the report's row} of the program's own functions."""
        rows = {f["function"]: f for f in self.report["functions"] if f["file"] == self.file and f["function"] in OURS}
        assert set(OURS) == set(rows), "the recording has not all that the tests are about"
        return rows

    def thread_hits(self):
        pids = {p["id"]: p["pid"] for p in self.report["processes"]}
        hits = collections.Counter()
        for t in self.report["threads"]:
            hits[pids[t["process"]], t["tid"]] += t["hits"]
        return +hits


RECORDED = {}


@pytest.fixture
def recorded(few_pythons, pitviper, tmp_path_factory):
    if few_pythons.path not in RECORDED:
        RECORDED[few_pythons.path] = Recorded(pitviper, tmp_path_factory.mktemp("recorded"), few_pythons)
    return RECORDED[few_pythons.path]


@pytest.fixture
def one(pitviper, tmp_path_factory):
    """The recording of one Python, for what does not depend on which."""
    if PYTHONS[-1].path not in RECORDED:
        RECORDED[PYTHONS[-1].path] = Recorded(pitviper, tmp_path_factory.mktemp("recorded"), PYTHONS[-1])
    return RECORDED[PYTHONS[-1].path]



def totals(stacks):
    """({function: self}, {function: total}) of [(functions from the outermost on, weight)]."""
    own, total = collections.Counter(), collections.Counter()
    for functions, weight in stacks:
        if functions:
            own[functions[-1]] += weight
            for f in set(functions):
                total[f] += weight
    return own, total


def expected(report, part, *names):
    """{(what `names` say of a function): hits}, of those that the names tell from all others."""
    keys = collections.Counter(tuple(f[n] for n in names) for f in report["functions"])
    return {k: f[part]["hits"] for f in report["functions"] if f[part]["hits"] and keys[k := tuple(f[n] for n in names)] == 1}


# ---- JSON lines ----

def read_jsonl(path):
    """(threads by id with pid, [(thread, stack as nodes, span)])"""
    stacks, threads, processes, spans = {0: ()}, {}, {}, []
    for line in path.read_bytes().decode("utf-8").split("\n")[:-1]:
        event = json.loads(line)
        if event["type"] == "process":
            processes[event["process"]] = event
        elif event["type"] == "thread":
            threads[event["thread"]] = {**event, "pid": processes[event["process"]]["pid"]}
        elif event["type"] == "stack":
            stacks[event["stack"]] = stacks[event["parent"]] + (event,)
        elif event["type"] == "span":
            spans.append((threads[event["thread"]], stacks[event["stack"]], event))
    return threads, spans


def tracks(threads):
    """{thread's id: (pid, tid)}: a tid that two threads of a process were recorded with is the first one's."""
    keys = {}
    for number, thread in sorted(threads.items()):
        key = thread["pid"], thread["tid"]
        keys[number] = key if key not in keys.values() else (thread["pid"], 2**31 + number)
    return keys


def place(node):
    return node["function"], node["file"], node["first_line"]


def test_json_lines_are_the_report(recorded):
    threads, spans = read_jsonl(recorded.export("jsonl"))
    report = recorded.report
    own, total = totals(([place(n) for n in stack], s["samples"]) for _, stack, s in spans)
    assert own == expected(report, "self", "function", "file", "first_line")
    assert total == expected(report, "total", "function", "file", "first_line")
    by_thread = collections.Counter()
    for thread, _, span in spans:
        by_thread[thread["pid"], thread["tid"]] += span["samples"]
    assert by_thread == recorded.thread_hits()
    assert sum(s["samples"] for _, _, s in spans if s["on_cpu"]) == sum(t["on_cpu_samples"] for t in report["threads"])
    assert sum(s["samples"] for _, _, s in spans if s["has_gil"]) == sum(t["has_gil_samples"] for t in report["threads"])
    assert sum(s["samples"] for _, _, s in spans if s["repaired"]) == report["repaired"]
    last = {}
    for thread, _, span in spans:
        assert last.get(thread["thread"], 0) <= span["from_ns"] <= span["to_ns"]
        last[thread["thread"]] = span["to_ns"]


def test_json_lines_hold_every_name(recorded):
    _, spans = read_jsonl(recorded.export("jsonl"))
    seen = {n["function"] for _, stack, _ in spans for n in stack}
    space = {}
    exec(APP[APP.index("HOSTILE ="):APP.index("FOLDER =")], space)
    cut = 4096  # the sampler's own, with an ellipsis
    assert {name if len(name) <= cut else name[:cut] + "…" for name in space["HOSTILE"]} <= seen
    assert any(t["name"] == 'nap;per "x"\n</script>' for t, _, _ in spans) or recorded.report["program"]["python"] < "3.11"


# ---- speedscope ----

def test_speedscope_accepts_its_format_and_counts_the_same(recorded):
    out = recorded.export("speedscope")
    profile = json.loads(out.read_text(encoding="utf-8"))
    schema = json.loads((NPM / "speedscope/dist/release/file-format-schema.json").read_text())
    fastjsonschema.compile(schema)(profile)
    frames = [(f["name"], f.get("file", "")) for f in profile["shared"]["frames"]]
    stacks, threads = [], collections.Counter()
    for p in profile["profiles"]:
        assert len(p["samples"]) == len(p["weights"]) and p["unit"] == "nanoseconds"
        assert p["endValue"] - p["startValue"] == sum(p["weights"])
        pid, tid = re.search(r" \(pid (\d+), tid (\d+)\)$", p["name"]).groups()
        for sample, weight in zip(p["samples"], p["weights"]):
            stacks.append(([frames[i] for i in sample], weight))
            threads[int(pid), int(tid)] += weight if sample else 0
    own, total = totals(stacks)
    rounding = len(stacks) / 2 + 1
    for part, found in (("self", own), ("total", total)):
        wanted = expected(recorded.report, part, "function", "file")
        assert wanted
        for key, hits in wanted.items():
            assert found[key] == pytest.approx(hits * recorded.ns_per_hit, abs=rounding), key
    for key, hits in recorded.thread_hits().items():
        assert threads[key] == pytest.approx(hits * recorded.ns_per_hit, abs=rounding)


def by_speedscope(path):
    reader = ROOT / "tests" / "e2e" / "read_with_speedscope.js"
    done = subprocess.run(["node", reader, NPM / "@elg/speedscope/dist/release", path], capture_output=True, timeout=120)
    assert done.returncode == 0 and done.stderr == b"", done.stderr[:2000]
    return json.loads(done.stdout)


def test_speedscope_reads_what_it_was_given(recorded):
    profiles = by_speedscope(recorded.export("speedscope"))
    own = collections.Counter()
    for p in profiles:
        for name, _, weight in p["frames"]:
            own[name] += weight
    for name, row in recorded.ours().items():
        assert own[name] == pytest.approx(row["self"]["hits"] * recorded.ns_per_hit, abs=1000), name


# ---- columns ----

POSITIONS = """
import sys
todo = [compile(open(sys.argv[1], encoding="utf-8").read(), "app", "exec")]
while todo:
    code = todo.pop()
    todo += [c for c in code.co_consts if hasattr(c, "co_code")]
    for line, _, column, _ in code.co_positions():
        if line is not None and column is not None:
            print(line, column + 1)
"""


def varints(data, at=0):
    """[(field, number or bytes)] of a protobuf message."""
    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        value = varint()
        if key & 7 == 2:
            at, value = at + value, data[at : at + value]
        yield key >> 3, value


def pprof_places(path):
    """{(line, column)} of profile.proto: Profile.location is field 4, Location.line 4, Line.line 2, Line.column 3."""
    found = set()
    for field, location in varints(gzip.decompress(path.read_bytes())):
        for inner, line in varints(location) if field == 4 else ():
            if inner == 4:
                of = dict(varints(line))
                found.add((of.get(2, 0), of.get(3, 0)))
    return found


def test_columns_are_where_expressions_begin(recorded, few_pythons):
    _, spans = read_jsonl(recorded.export("jsonl"))
    ours = {(f["line"], f["column"]) for _, stack, _ in spans for f in stack if f["file"] == recorded.file and f["line"]}
    if few_pythons.minor < (3, 11):
        assert ours and all(column == 0 for _, column in ours)
        return
    done = subprocess.run([few_pythons.path, "-c", POSITIONS, recorded.file], capture_output=True, text=True, check=True)
    true = {tuple(map(int, row.split())) for row in done.stdout.splitlines()}
    ours = {place for place in ours if place[1]}  # some instructions have a line and no column
    assert ours <= true and len(ours) > len({line for line, _ in ours})  # fib(n - 1) + fib(n - 2): two on one line
    speedscope = json.loads(recorded.export("speedscope").read_text(encoding="utf-8"))["shared"]["frames"]
    assert ours <= {(f.get("line"), f.get("col")) for f in speedscope if f.get("file") == recorded.file}
    places = pprof_places(recorded.export("pprof"))
    assert ours <= places
    gecko = json.loads(recorded.export("gecko").read_text(encoding="utf-8"))
    found = {place for t in gecko["threads"] for place in zip(t["frameTable"]["line"], t["frameTable"]["column"])}
    assert ours <= found


# ---- Chrome trace ----

def test_chrome_trace_is_read_by_speedscope(recorded):
    out = recorded.export("chrome")
    trace = json.loads(out.read_text(encoding="utf-8"))
    # Events of one time are in the order of the file; this reader orders them itself, so here they are picoseconds apart.
    for number, event in enumerate(trace["traceEvents"]):
        event["ts"] += number * 1e-6
    out.write_text(json.dumps(trace))
    profiles = by_speedscope(out)
    threads, spans = read_jsonl(recorded.export("jsonl"))
    keys, wanted = tracks(threads), collections.defaultdict(list)
    for thread, stack, span in spans:
        names = [f"{n['function']} ({n['file']}:{n['first_line']})" if n["kind"] == "python" else n["function"] for n in stack]
        wanted[keys[thread["thread"]]].append((names, (span["to_ns"] - span["from_ns"]) / 1000))
    found = {}
    for p in profiles:
        pid, tid = re.search(r"\(pid (\d+)\), .*\(tid (\d+)\)$", p["name"], re.S).groups()
        found[int(pid), int(tid)] = p["frames"]
    assert set(found) == set(wanted)
    for key, stacks in wanted.items():
        own, total = totals(stacks)
        for name, in_all, by_itself in found[key]:
            assert in_all == pytest.approx(total[name], abs=1), name[:80]
            assert by_itself == pytest.approx(own[name], abs=1), name[:80]
        assert {n for n, t in total.items() if t > 0} <= {name for name, _, _ in found[key]}


def test_chrome_trace_opens_and_closes_each_slice(recorded):
    trace = json.loads(recorded.export("chrome").read_text(encoding="utf-8"))
    open_slices, last, states, names = collections.defaultdict(list), {}, set(), {}
    for e in trace["traceEvents"]:
        track = e["pid"], e["tid"]
        assert e["ts"] >= 0
        if e["ph"] == "M":
            names[e["name"], track] = e["args"]["name"]
            continue
        assert e["ts"] >= last.get(track, 0)
        last[track] = e["ts"]
        if e["ph"] == "B":
            open_slices[track].append(e["name"])
        elif e["ph"] == "E":
            assert open_slices[track].pop() == e["name"]
        else:
            assert e["ph"] == "C" and set(e["args"]) == {"on cpu", "has gil", "waits for gil", "in gc"}
            states.add(tuple(e["args"].values()))
    assert not any(open_slices.values())
    assert (1, 1, 0, 0) in states or "t" in recorded.report["program"]["python"]
    threads, _ = read_jsonl(recorded.export("jsonl"))
    assert {track for what, track in names if what == "thread_name"} == set(tracks(threads).values())


# ---- pprof ----

def pprof(tmp_path, *words):
    done = subprocess.run(["go", "tool", "pprof", *map(str, words)], capture_output=True, text=True, errors="replace", timeout=120,
                          env={**os.environ, "PPROF_TMPDIR": str(tmp_path), "GOCACHE": str(ROOT / ".deps" / "go-cache")})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_go_tool_pprof_counts_the_same(recorded, tmp_path):
    out = recorded.export("pprof")
    top = pprof(tmp_path, "-top", "-sample_index=samples", "-nodecount=100000", "-nodefraction=0", out)
    assert f"Total samples = {recorded.report['hits']} " in top or f"Total samples = {recorded.report['hits']}\n" in top
    rows = dict((m[3], (int(m[1]), int(m[2]))) for m in re.finditer(r"^ *(\d+) +\S+ +\S+ +(\d+) +\S+  (.*)$", top, re.M))
    for name, row in recorded.ours().items():
        assert rows[name] == (row["self"]["hits"], row["total"]["hits"]), name


def test_go_tool_pprof_tells_threads_apart(recorded, tmp_path):
    raw = pprof(tmp_path, "-raw", recorded.export("pprof"))
    report = recorded.report
    assert "samples/count wall/nanoseconds[dflt] cpu/nanoseconds gil/nanoseconds" in raw
    assert "PeriodType: wall nanoseconds" in raw and f"Period: {round(recorded.ns_per_hit)}" in raw
    for name in ("ticks_taken", "repaired", "rejected"):
        assert f"{name}: {report['counters'][name]}" in raw
    body = raw[raw.index("Samples:"):raw.index("Locations")]
    threads, values = collections.Counter(), collections.Counter()
    pending = None
    for line in body.splitlines():
        sample = re.match(r" +(\d+) +(\d+) +(\d+) +(\d+): (?:\d+ )+$", line)
        labels = re.match(r" +pid:\[(\d+)\] tid:\[(\d+)\]$", line)
        if sample:
            pending = [int(v) for v in sample.groups()]
            values.update(dict(enumerate(pending)))
        elif labels and pending:
            threads[int(labels[1]), int(labels[2])] += pending[0]
            pending = None
    assert threads == recorded.thread_hits()
    assert values[0] == report["hits"]
    assert values[1] == pytest.approx(report["time_ns"], rel=1e-6)
    assert values[2] == pytest.approx(sum(t["on_cpu_samples"] for t in report["threads"]) * recorded.ns_per_hit, rel=1e-6)
    assert values[3] == pytest.approx(sum(t["has_gil_samples"] for t in report["threads"]) * recorded.ns_per_hit, rel=1e-6)


# ---- pstats ----

READ_PSTATS = """
import json, pstats, sys
s = pstats.Stats(sys.argv[1], stream=open(sys.argv[2], "w", encoding="utf-8"))
s.sort_stats("cumulative").print_stats()
s.print_callers()
s.calc_callees()
json.dump({"total": s.total_tt, "stats": [[k, v[:4], [[c, n] for c, n in v[4].items()]] for k, v in s.stats.items()]}, sys.stdout)
"""


def test_pstats_of_each_python_reads_it(recorded, tmp_path):
    out = recorded.export("pstats")
    for python in PYTHONS:
        done = subprocess.run([python.path, "-c", READ_PSTATS, out, tmp_path / "printed"], capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        read = json.loads(done.stdout)
        assert read["total"] * 1e9 == pytest.approx(recorded.report["time_ns"])
        stats = {tuple(key): (numbers, callers) for key, numbers, callers in read["stats"]}
        assert len(stats) == len(read["stats"])
        for f in recorded.report["functions"]:
            (primitive, calls, own, total), callers = stats[f["file"] or "~", f["first_line"], f["function"] or "<unnamed>"]
            assert primitive == f["total"]["hits"] <= calls
            assert own * 1e9 == pytest.approx(f["self"]["time_ns"]) and total * 1e9 == pytest.approx(f["total"]["time_ns"])
            for _, (by_primitive, by_calls, by_own, by_total) in callers:
                assert by_primitive <= by_calls <= calls and by_own <= own + 1e-9 and by_total <= total + 1e-9
        named = {key[2]: value for key, value in stats.items() if key[0] == recorded.file}
        assert named["fib"][0][1] > named["fib"][0][0]
        by_caller = {c[2]: n for c, n in named["fib"][1] if c[0] == recorded.file}
        assert by_caller["spin"][0] > 0.9 * named["fib"][0][0] and by_caller["fib"][1] > by_caller["fib"][0] > 0
        by_spin = next(n for c, n in named["gen"][1] if c[2] == "spin")
        assert by_spin[0] > 0.9 * named["gen"][0][0]


def test_snakeviz_opens_pstats(recorded):
    import pstats

    stats = pstats.Stats(str(recorded.export("pstats")))
    assert len(table_rows(stats)) == len(recorded.report["functions"])
    assert json_stats(stats)


# ---- callgrind ----

def callgrind(path, *words):
    """{file:function: (samples, nanoseconds)} as callgrind_annotate has it."""
    done = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=100", *words, str(path)], cwd="/", capture_output=True,
                          timeout=120)
    assert done.returncode == 0 and b"WARNING" not in done.stderr and b"malformed" not in done.stderr, done.stderr[:500]
    rows = {}
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        m = re.match(r" *([\d,]+) \([ \d.]+%\) +([\d,]+) \([ \d.]+%\)  (.*)$", line)
        if m and m[3] != "PROGRAM TOTALS":
            assert m[3] not in rows, m[3][:80]
            rows[m[3]] = int(m[1].replace(",", "")), int(m[2].replace(",", ""))
        elif m:
            rows[None] = int(m[1].replace(",", "")), int(m[2].replace(",", ""))
    return rows


@pytest.mark.parametrize("part, words", [("self", []), ("total", ["--inclusive=yes"])])
def test_callgrind_annotate_counts_the_same(recorded, part, words):
    rows = callgrind(recorded.export("callgrind"), *words)
    whole = rows.pop(None)
    assert whole == (recorded.report["hits"], pytest.approx(recorded.report["time_ns"], abs=1))
    rows.pop("~:<all threads>", None)
    if part == "self":
        assert sum(samples for samples, _ in rows.values()) == recorded.report["hits"]
    wanted = expected(recorded.report, part, "file", "function")
    plain = {k: hits for k, hits in wanted.items() if all(map(str.isprintable, k)) and "\ufffd" not in k[0] and k[0]}
    assert len(plain) > 10
    for (file, function), hits in plain.items():
        assert rows[f"{file}:{function}"] == (hits, pytest.approx(hits * recorded.ns_per_hit, abs=100)), function
    # Every function is a row of its own, whatever its name.
    assert len(rows) == sum(f[part]["hits"] > 0 for f in recorded.report["functions"])


# ---- Firefox Profiler ----

COLUMNS = {
    "samples": {"stack", "time", "weight", "threadCPUDelta"},
    "markers": {"data", "name", "startTime", "endTime", "phase", "category"},
    "stackTable": {"frame", "category", "subcategory", "prefix"},
    "frameTable": {"address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID", "implementation",
                   "line", "column"},
    "funcTable": {"name", "isJS", "relevantForJS", "resource", "fileName", "lineNumber", "columnNumber"},
    "resourceTable": {"lib", "name", "host", "type"},
    "nativeSymbols": {"libIndex", "address", "name", "functionSize"},
}


def read_gecko(profile):
    """[(pid, tid, [(functions from the outermost on, category, weight)])], by version 48 of the processed profile."""
    meta = profile["meta"]
    assert meta["preprocessedProfileVersion"] == 48 and profile["libs"] == []
    assert {"interval", "startTime", "processType", "product", "stackwalk", "version", "categories", "markerSchema"} <= set(meta)
    assert all(c["subcategories"] == ["Other"] and c["name"] and c["color"] for c in meta["categories"])
    assert any(c["color"] == "grey" for c in meta["categories"])
    read = []
    for t in profile["threads"]:
        for table, columns in COLUMNS.items():
            assert columns <= set(t[table])
            assert all(len(t[table][c]) == t[table]["length"] for c in columns), table
        strings, funcs, frames, stacks, samples = t["stringArray"], t["funcTable"], t["frameTable"], t["stackTable"], t["samples"]
        assert isinstance(t["pid"], str) and samples["weightType"] == "tracing-ms" and len(set(strings)) == len(strings)
        functions = [(strings[n], "" if f is None else strings[f], line or 0)
                     for n, f, line in zip(funcs["name"], funcs["fileName"], funcs["lineNumber"])]
        paths = []
        for i, (prefix, frame) in enumerate(zip(stacks["prefix"], stacks["frame"])):
            assert prefix is None or 0 <= prefix < i
            paths.append((paths[prefix] if prefix is not None else ()) + (functions[frames["func"][frame]],))
        assert samples["time"] == sorted(samples["time"])
        rows = [(paths[s] if s is not None else (), None if s is None else meta["categories"][stacks["category"][s]]["name"], w)
                for s, w in zip(samples["stack"], samples["weight"])]
        read.append((int(t["pid"].split(".")[0]), t["tid"], rows))
    return read


def test_gecko_profile_counts_the_same(recorded):
    threads = read_gecko(json.loads(recorded.export("gecko").read_text(encoding="utf-8")))
    own, total = totals((f, w) for _, _, rows in threads for f, _, w in rows)
    for part, found in (("self", own), ("total", total)):
        for key, hits in expected(recorded.report, part, "function", "file", "first_line").items():
            assert found[key] == pytest.approx(hits * recorded.ns_per_hit / 1e6, abs=0.01), key
    by_thread, by_category = collections.Counter(), collections.Counter()
    for pid, tid, rows in threads:
        for _, category, weight in rows:
            by_thread[pid, tid] += weight
            by_category[category] += weight
    for key, hits in recorded.thread_hits().items():
        assert by_thread[key] == pytest.approx(hits * recorded.ns_per_hit / 1e6, abs=0.01)
    off_cpu = sum(t["samples"] - t["on_cpu_samples"] for t in recorded.report["threads"])
    waited = by_category["Off CPU"] + by_category["Off CPU, has the GIL"] + by_category["Waits for the GIL"]
    collected = by_category["Garbage collection"]
    assert waited <= off_cpu * recorded.ns_per_hit / 1e6 + 0.01 <= waited + collected + 0.02


# ---- every format ----

@pytest.mark.parametrize("name", FORMATS)
def test_views_and_picks_hold(one, name):
    for words in (["--mode", "cpu"], ["--mode", "gil"], ["--thread", "MainThread"], ["--thread", "nobody"], ["--pid", "1"]):
        assert one.export(name, *words).stat().st_size > 0 or name == "collapsed"
    report = json.loads(subprocess.run([one.pitviper, "report", "--json", "--mode", "cpu", one.path], capture_output=True).stdout)
    if name == "jsonl":
        _, spans = read_jsonl(one.export(name, "--mode", "cpu"))
        assert sum(s["samples"] for _, _, s in spans) == report["hits"] and all(s["on_cpu"] for _, _, s in spans)
    if name == "callgrind":
        assert callgrind(one.export(name, "--mode", "cpu"))[None][0] == report["hits"]


@pytest.mark.parametrize("name", ["collapsed", "speedscope", "gecko", "chrome", "callgrind", "jsonl"])
def test_texts_are_utf8_without_control_characters(one, name):
    text = one.export(name).read_bytes().decode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)


def test_the_name_of_the_file_tells_the_format(one, run, tmp_path):
    suffixes = {"a.txt": "collapsed", "a.folded": "collapsed", "a.out": "collapsed", "a.speedscope.json": "speedscope", "a.pb.gz": "pprof",
                "a.gecko.json": "gecko", "a.trace.json": "chrome", "callgrind.out.7": "callgrind", "a.callgrind": "callgrind",
                "a.pstats": "pstats", "a.jsonl": "jsonl", "a.ndjson": "jsonl"}
    for file, name in suffixes.items():
        run("export", "-o", file, one.path).ok()
        assert (tmp_path / file).read_bytes() == one.export(name).read_bytes(), file
    for file in ("a.json", "a.gz", "a.prof"):
        done = run("export", "-o", file, one.path)
        assert done.status == 2 and "--format" in done.err and not (tmp_path / file).exists()


def test_threads_are_for_collapsed(one, run):
    for name in FORMATS[1:]:
        done = run("export", "--format", name, "--threads", one.path)
        assert done.status == 2 and done.err.count("\n") == 1 and "collapsed" in done.err


@pytest.mark.parametrize("name", FORMATS)
def test_a_terminal_gets_no_binary(one, name):
    master, slave = pty.openpty()
    done = subprocess.Popen([one.pitviper, "export", "--format", name, one.path], stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    seen = b""
    try:
        while data := os.read(master, 65536):
            seen += data
    except OSError as e:
        assert e.errno == errno.EIO
    os.close(master)
    told = done.communicate(timeout=60)[1]
    if name in BINARY:
        assert done.returncode == 2 and seen == b"" and b"-o" in told and told.count(b"\n") == 1
    else:
        assert done.returncode == 0 and seen


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_one_line(one, run, name):
    done = run("export", "--format", name, "-o", "/dev/full", one.path)
    assert done.status == 3 and done.err.count("\n") == 1 and "/dev/full" in done.err


@pytest.mark.parametrize("name", FORMATS)
def test_a_closed_pipe_is_one_line(one, name):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([one.pitviper, "export", "--format", name, one.path], stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert done.returncode == 3 and done.stderr.count(b"\n") == 1 and b"standard output" in done.stderr


@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_file_is_whole_or_as_it_was(one, tmp_path, before):
    out = tmp_path / "out.speedscope.json"
    if before is not None:
        out.write_bytes(before)

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = subprocess.run([one.pitviper, "export", "-o", out, one.path], preexec_fn=limit, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 3 and done.stderr.count(b"\n") == 1 and str(out).encode() in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ([] if before is None else [out.name])
    assert before is None or out.read_bytes() == before


def test_leaves_nothing_when_killed(one, tmp_path):
    """Whenever that is: the file is whole, or not there."""
    for wait in (0, 0.002, 0.005, 0.01, 0.02):
        done = subprocess.Popen([one.pitviper, "export", "-o", "out.jsonl", one.path], cwd=tmp_path)
        time.sleep(wait)
        done.kill()
        done.wait(60)
        assert {p.name for p in tmp_path.iterdir()} <= {"out.jsonl"}
        if (tmp_path / "out.jsonl").exists():
            assert (tmp_path / "out.jsonl").read_bytes() == one.export("jsonl").read_bytes()


def test_writes_behind_links_and_keeps_the_mode(one, run, tmp_path):
    real, link = tmp_path / "real", tmp_path / "link.txt"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    run("export", "-o", link, one.path).ok()
    assert link.is_symlink() and real.read_bytes() == one.export("collapsed").read_bytes()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_writes_a_fifo_in_place(one, tmp_path):
    fifo = tmp_path / "fifo.jsonl"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    subprocess.run([one.pitviper, "export", "-o", fifo, one.path], check=True, timeout=60)
    reader.join(60)
    assert got == [one.export("jsonl").read_bytes()] and stat.S_ISFIFO(fifo.stat().st_mode)


def test_commands_of_the_document_work(one, pitviper, tmp_path):
    text = (ROOT / "docs" / "exports.md").read_text()
    commands = re.findall(r"^    \$ (pitviper export .*)$", text, re.M)
    assert len(commands) >= 6
    (tmp_path / "app.pit").write_bytes(one.path.read_bytes())
    path = f"{Path(pitviper).parent}:{os.environ['PATH']}"
    for command in commands:
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, timeout=60, env={**os.environ, "PATH": path},
                       stdout=subprocess.DEVNULL)
    program = re.search(r"^    import collections.*?(?=\n\n|\Z)", text, re.M | re.S)[0]
    done = subprocess.run([sys.executable, "-c", re.sub("^    ", "", program, flags=re.M)], input=one.export("jsonl").read_bytes(),
                          capture_output=True, check=True, timeout=60)
    first = max((f["self"]["hits"], f["function"]) for f in one.report["functions"])
    assert done.stdout.decode().splitlines()[0] == f"{first[0]} {first[1]}"


def test_the_document_lists_every_format(run):
    text = (ROOT / "docs" / "exports.md").read_text()
    help_text = run("help", "export").ok().out
    for name in FORMATS:
        assert f"| `{name}` |" in text and name in help_text
