"""asyncio tasks: what `dump` reads from outside against what asyncio itself says, for every interpreter found."""
import collections
import json
import sys
from pathlib import Path

import pytest
from conftest import PYTHONS
from pit import Recording

PROGRAM = (Path(__file__).parent / "programs" / "tasks.py").read_text()
MANY = """
import asyncio
async def worker(): await asyncio.sleep(1000)
async def main():
    tasks = [asyncio.ensure_future(worker()) for _ in range(3000)]
    await asyncio.sleep(0)
    print("ready", flush=True)
    await asyncio.gather(*tasks)
asyncio.run(main())
"""
# Tasks that nothing but their own names tell from others: of Python's own class, and eager ones.
PYTHON_ONLY = """
import asyncio, sys
sys.modules["_asyncio"] = None
import importlib
for name in [n for n in sys.modules if n.startswith("asyncio")]: del sys.modules[name]
import asyncio
async def main():
    print("ready", flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
EAGER = """
import asyncio, time
async def worker(future): await future
async def eager():
    asyncio.current_task().set_name("eager")  # before 3.14 a factory learns the name too late
    print("ready", flush=True)
    while True: pass
async def main():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.set_task_factory(asyncio.eager_task_factory)
    a = loop.create_task(worker(future), name="waits")
    b = loop.create_task(eager())
asyncio.run(main())
"""


def by_name(told):
    return {t["name"]: t for t in told["tasks"]}


def chain(task):
    return [[f["function"], f["file"], f["line"]] for f in task["frames"]]


def test_dump_shows_the_tasks_that_asyncio_itself_lists(pythons, run, start_target):
    target = start_target(pythons, PROGRAM)
    truth = json.loads(target.stdout.readline())
    told = json.loads(run("dump", "--json", target.pid).ok().out)
    found, expected = by_name(told), {t["name"]: t for t in truth["tasks"]}
    assert told["tasks_complete"]
    assert set(found) == set(expected) | {truth["running"], "elsewhere"}
    for name, task in expected.items():
        assert chain(found[name]) == task["chain"], name
        assert [f["function"].split(".")[-1] for f in found[name]["frames"]][-1:] == [s[0] for s in task["stack"]], name
        assert found[name]["frames"][-1]["line"] == task["stack"][0][1], name
        assert found[name]["state"] == ("ready" if name == "not begun" else "waiting"), name
    assert found["busy"]["state"] == "running"
    stack = next(t["frames"] for t in told["threads"] if t["name"] == "MainThread")
    assert found["busy"]["frames"] == stack[:[f["function"] for f in stack].index("busy") + 1]
    named = {name: sorted(told["tasks"][i]["name"] for i in t["awaited_by"]) for name, t in found.items()}
    if truth["awaited_by"]:
        assert {n: named[n] for n in expected} == {n: t["awaited_by"] for n, t in expected.items()}
    else:  # what follows from the futures that they wait for
        assert named["leaf"] == ["on leaf"] and named["on leaf"] == ["gathering"] and named["busy"] == []
    assert told["tasks"][found["on leaf"]["awaits_task"]]["name"] == "leaf"
    assert found["gathering"]["awaits"] == "_GatheringFuture" and found["queueing"]["awaits"] == "Future"
    loops = [told["loops"][found[name]["loop"]] for name in ("busy", "elsewhere")]
    threads = {t["tid"]: t["name"] for t in told["threads"]}
    assert [threads[loop["tid"]] for loop in loops] == ["MainThread", "other"]
    assert {loop["type"] for loop in loops} == {"_UnixSelectorEventLoop"}
    out = run("dump", "--consistent", target.pid).ok().out
    assert " asyncio tasks of a _UnixSelectorEventLoop in thread MainThread\n" in out
    assert "1 asyncio task of a _UnixSelectorEventLoop in thread other\n" in out
    assert "\ntask busy, running" in out and "\ntask on leaf, waiting for task leaf, awaited by " in out
    assert "\ntask not begun, ready to run\n" in out


def test_thousands_of_tasks_are_listed(pythons, run, start_target):
    target = start_target(pythons, MANY)
    told = json.loads(run("dump", "--json", target.pid).ok().out)
    assert len(told["tasks"]) == 3001 and told["tasks_complete"]
    chains = [[f["function"] for f in t["frames"]] for t in told["tasks"]]
    assert chains.count(["sleep", "worker"]) == 3000


def test_eager_tasks_are_listed(pythons, run, start_target):
    if pythons.minor < (3, 12):
        pytest.skip("eager tasks came with 3.12")
    found = by_name(json.loads(run("dump", "--json", start_target(pythons, EAGER).pid).ok().out))
    assert {n: t["state"] for n, t in found.items() if n != "Task-1"} == {"waits": "waiting", "eager": "running"}
    assert [f["function"] for f in found["eager"]["frames"]] == ["eager"]


def test_tasks_that_cannot_be_read_are_said(run, start_target):
    told = json.loads(run("dump", "--json", start_target(PYTHONS[-1], PYTHON_ONLY).pid).ok().out)
    assert told["tasks"] == [] and not told["tasks_complete"]
    assert "without the _asyncio extension module" in told["tasks_unreadable"]


def test_programs_without_asyncio_have_no_tasks(run, start_target):
    target = start_target(PYTHONS[-1], "print('ready', flush=True)\nimport sys\nsys.stdin.read()")
    told = json.loads(run("dump", "--json", target.pid).ok().out)
    assert told["tasks"] == [] and told["loops"] == [] and told["tasks_complete"]


# Two tasks of one coroutine that differ only by what they call, and many without a name of their own. Each burns CPU time
# by its own clock, so that the shares are known.
SHARES = """
import asyncio, time
def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
def heavy(): burn(0.006)
def light(): burn(0.003)
async def worker(work, spent):
    while True:
        began = time.thread_time()
        await step(work)
        spent[work.__name__] += time.thread_time() - began
        await asyncio.sleep(0)
async def step(work): work()
async def request(spent):
    for _ in range(2):
        began = time.thread_time()
        burn(0.0005)
        spent["request"] += time.thread_time() - began
        await asyncio.sleep(0)
async def main():
    spent = dict.fromkeys(("heavy", "light", "request"), 0)
    workers = [asyncio.ensure_future(worker(work, spent)) for work in (heavy, light)]
    workers[0].set_name("heavy")
    workers[1].set_name("light")
    end = time.time() + 0.7
    while time.time() < end:
        await asyncio.gather(request(spent), request(spent))
    import json
    print(json.dumps(spent))
asyncio.run(main())
"""


def test_time_goes_to_the_task_that_ran(pythons, run, script, tmp_path):
    done = run("run", "-o", "shares.pit", "--", pythons, script(SHARES)).ok()
    spent = json.loads(done.out.splitlines()[0])
    report = run("report", "--json", "shares.pit").ok().json
    groups = {t["name"] or t["function"]: t for t in report["tasks"]}
    assert groups["heavy"]["function"] == groups["light"]["function"] == "worker"
    assert groups["heavy"]["tasks"] == groups["light"]["tasks"] == 1 and groups["request"]["name"] is None
    hits = {name: groups[name]["total"]["hits"] for name in spent}
    for name, seconds in spent.items():  # what chance may do, four standard deviations, and what the loop adds
        expected = seconds / sum(spent.values())
        assert abs(hits[name] / sum(hits.values()) - expected) < 0.02 + 2 / sum(hits.values()) ** 0.5, (name, spent, hits)
    stacks = collections.Counter()
    for line in run("export", "--tasks", "shares.pit").ok().out.splitlines():
        stack, count = line.rsplit(" ", 1)
        task, *frames = stack.split(";")
        stacks[task, next((f.split(" ")[0] for f in frames if f.startswith(("heavy ", "light "))), None)] += int(count)
    # The stack and its task are two reads: between them a switch may fall, once in a long while.
    assert stacks["heavy", "light"] + stacks["light", "heavy"] <= 0.01 * sum(hits.values())
    assert stacks["<no task>", "heavy"] + stacks["<no task>", "light"] <= 0.02 * sum(hits.values())
    read = Recording((tmp_path / "shares.pit").read_bytes())
    by_name = collections.Counter()
    for (_, name, coroutine), count in read.task_samples.items():
        by_name[coroutine if not name or name.startswith("Task-") else name] += count
    assert {name: by_name[name] for name in hits} == hits


# A request is over before its task, or its name, could be read.
SHORT = """
import asyncio, time
spent = dict.fromkeys(("worker", "request"), 0)
def burn(n, name):
    began = time.perf_counter()
    sum(i * i for i in range(n))
    spent[name] += time.perf_counter() - began
async def worker():
    while time.time() < end:
        burn(3000, "worker")
        await asyncio.sleep(0)
async def request(): burn(1000, "request")
async def main():
    keep = asyncio.ensure_future(worker())
    while time.time() < end:
        await asyncio.ensure_future(request())
end = time.time() + 0.8
asyncio.run(main())
import json
print(json.dumps(spent))
"""


def test_short_tasks_are_not_lost(pythons, run, script):
    done = run("run", "-o", "short.pit", "--", pythons, script(SHORT)).ok()
    spent = json.loads(done.out.splitlines()[0])
    report = run("report", "--json", "short.pit").ok().json
    functions = {f["function"]: f["total"]["hits"] for f in report["functions"]}
    tasks = collections.Counter()
    for task in report["tasks"]:
        tasks[task["function"]] += task["total"]["hits"]
    expected = spent["request"] / sum(spent.values())
    for hits in (functions, tasks):
        total = hits["worker"] + hits["request"]
        assert 0.5 * expected < hits["request"] / total < 1.6 * expected, (hits, spent)


def test_the_report_has_no_tasks_where_there_are_none(run, script, tmp_path):
    run("run", "-o", "none.pit", "--", sys.executable, script("sum(range(10**7))")).ok()
    assert run("report", "--json", "none.pit").ok().json["tasks"] == []
    assert "asyncio tasks" not in run("report", "none.pit").ok().out
