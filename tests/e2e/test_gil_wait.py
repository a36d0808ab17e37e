"""Who waits for the GIL: held against what the kernel says of a thread that does nothing but run, wait for a CPU, or wait
for the GIL."""
import json

import pytest

SECONDS = 0.6
# Each thread tells how long it ran, and what the kernel has of that: on a CPU, or waiting for one. The main thread sleeps
# before they begin and until they have ended, so that nobody has the GIL when it goes to sleep and when it wakes.
TWO = """
import threading, time

def kernel():
    with open("/proc/thread-self/schedstat") as stat:
        return sum(map(int, stat.read().split()[:2]))

def spin(end):
    while time.perf_counter() < end:
        pass

def work(end):
    time.sleep(%s)
    began, known = time.perf_counter(), kernel()
    spin(end)
    known, ended = kernel() - known, time.perf_counter()
    told.append("%%s %%f" %% (threading.current_thread().name, (ended - began) - known / 1e9))

def nap():
    time.sleep(%s)

told, end = [], time.perf_counter() + %s
threads = [threading.Thread(target=work, args=(end,), name="spin%%d" %% i) for i in range(2)]
for thread in threads:
    thread.start()
nap()
print("\\n".join(told))
"""


def samples(run, recording):
    """{thread's name: [(innermost function, span)]}, and the report."""
    report = run("report", "--json", recording).ok().json
    names, stacks, found = {}, {0: None}, {}
    for line in run("export", "--format", "jsonl", recording).ok().out.splitlines():
        row = json.loads(line)
        if row["type"] == "thread":
            names[row["thread"]] = row["name"]
        elif row["type"] == "stack":
            stacks[row["stack"]] = row["function"]
        elif row["type"] == "span":
            found.setdefault(names[row["thread"]], []).append((stacks[row["stack"]], row))
    return found, report


def waited(spans, function):
    return sum(row["samples"] for name, row in spans if row["waits_for_gil"] and name == function)


def test_a_thread_that_wants_to_run_waits_for_the_gil(run, script, pythons, tmp_path):
    # Before 3.11 a thread's kernel id is found some time after the thread: only then is its state known.
    known = 0.1 if pythons.minor >= (3, 11) else 0.3
    done = run("run", "-o", "gil.pit", "--python", pythons, script(TWO % (known, known + SECONDS + 0.2, known + SECONDS))).ok()
    slept = {name: float(seconds) for name, seconds in (line.split() for line in done.out.splitlines())}
    found, report = samples(run, tmp_path / "gil.pit")
    # A state may be a millisecond older than its stack: one or two samples at the beginning of the sleep.
    assert waited(found["MainThread"], "nap") <= 2 < 100 < sum(row["samples"] for name, row in found["MainThread"] if name == "nap")
    if pythons.free_threaded:
        assert report["waits_for_gil"] is None and all(t["waits_for_gil_samples"] == 0 for t in report["threads"])
        return
    assert report["waits_for_gil"]["share"] == pytest.approx(
        sum(t["waits_for_gil_samples"] for t in report["threads"]) / report["samples"])
    gap = report["wall_ns"] / report["ticks"] / 1e9
    for name, seconds in slept.items():
        # It did nothing but run, wait for a CPU, or wait for the GIL.
        assert waited(found[name], "spin") * gap == pytest.approx(seconds, abs=0.15 * SECONDS), name
        assert not any(row["waits_for_gil"] and (row["has_gil"] or row["on_cpu"]) for _, row in found[name])
    assert sum(slept.values()) > 0.05 * SECONDS and len(slept) == 2
    text = " ".join(run("report", tmp_path / "gil.pit").ok().out.split())
    assert "waiting for it" in text
