#!/usr/bin/env python3
"""How often pitviper prove, pyperf and hyperfine are right about two programs whose difference is known. bench/README.md
says how to read it.

Each result is a line of .deps/bench/prove.jsonl at once, and is not measured again: stop it, go on later. --fresh begins
anew."""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import figures, machine, peers, targets
from harness.figures import Table, say

RUN_SECONDS = 0.18
TRUE = 0.05  # how much longer the longer of two different programs is
LEVEL = 0.05  # of the peers' tests, as they use it themselves
LOOP = "x = 0\nfor i in range(%d):\n    x += i & 7\n"
RESULTS = peers.OUT / "prove.jsonl"

THREADS = """
import hashlib, sys, threading
block = bytes(1 << 20)
def work():
    for _ in range(40):
        hashlib.sha256(block).digest()
"""
PARALLEL = {  # name: (A, B), of which B does the same work on two CPUs
    "two threads": (THREADS + "work()\nwork()\n",
                    THREADS + "t = [threading.Thread(target=work) for _ in '12']\n[x.start() for x in t]\n[x.join() for x in t]\n"),
    "two processes": ("def work(n):\n    return sum(i & 7 for i in range(n))\nwork(6000000)\nwork(6000000)\n",
                      "import os\ndef work(n):\n    return sum(i & 7 for i in range(n))\n"
                      "if os.fork() == 0:\n    work(6000000)\n    os._exit(0)\nwork(6000000)\nos.wait()\n"),
}


def cpu_seconds(python, source):
    """The median CPU time of some runs."""
    times = []
    for _ in range(15):
        before = os.times()
        subprocess.run([python, "-c", source], check=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return figures.median(times)


def calibrate(python):
    """Loops of a run of RUN_SECONDS, and of one that takes TRUE longer, its start included."""
    empty, full = cpu_seconds(python, "pass"), cpu_seconds(python, LOOP % 2_000_000)
    a_loop = (full - empty) / 2_000_000
    return round((RUN_SECONDS - empty) / a_loop), round((RUN_SECONDS * (1 + TRUE) - empty) / a_loop)


# ---- the tools: each gives "B faster", "B slower" or "none", and the ratio that it claims ----


def student_tail(t, freedom):
    """Two-sided, by Simpson's rule over the density."""
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    n, high = 2000, abs(t)
    step = high / n
    density = [constant * (1 + (i * step) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(n + 1)]
    inside = step / 3 * (density[0] + density[-1] + 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2]))
    return max(0.0, 1 - 2 * inside)


def welch(a, b):
    """p of equal means."""
    def part(x):
        mean = sum(x) / len(x)
        return mean, sum((v - mean) ** 2 for v in x) / (len(x) - 1) / len(x)

    (ma, va), (mb, vb) = part(a), part(b)
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return student_tail((mb - ma) / math.sqrt(va + vb), freedom)


def call(ratio, significant):
    return "none" if not significant else "B faster" if ratio < 1 else "B slower"


def by_pitviper(python, a, b, folder):
    words = [peers.pitviper(), "prove", "--json", "--budget", "14s", "%s %s" % (python, a), "%s %s" % (python, b)]
    told = json.loads(subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, check=False).stdout)
    return call(told["ratio"], told["verdict"] in ("faster", "slower")), told["ratio"], {
        key: told[key] for key in ("verdict", "low", "high", "runs", "mode", "steal", "pressure", "seed")}


def by_pyperf(python, a, b, folder):
    tool = [str(peers.peers_folder() / "python"), "-m", "pyperf"]
    times = []
    for name, script in (("a.json", a), ("b.json", b)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            os.unlink(path)
        subprocess.run(tool + ["command", "-q", "-o", path, "--", python, script], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        runs = json.load(open(path))["benchmarks"][0]["runs"]
        times.append([value for run in runs for value in run.get("values", ())])
    told = subprocess.run(tool + ["compare_to", "-v", "a.json", "b.json"], cwd=folder, check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout
    ratio = (sum(times[1]) / len(times[1])) / (sum(times[0]) / len(times[0]))
    return call(ratio, "not significant" not in told.lower()), ratio, {"told": told.strip()[:300]}


def hyperfine():
    """hyperfine 1.20, built by its own registry's client where there is none."""
    root = peers.ROOT / ".deps" / "hyperfine"
    program = root / "bin" / "hyperfine"
    if not program.exists():
        say("building hyperfine into %s" % root.relative_to(peers.ROOT))
        words = ["cargo", "install", "--quiet", "--locked", "--root", str(root), "hyperfine@1.20.0"]
        if subprocess.run(words, check=False).returncode != 0:
            return None
    return str(program)


def by_hyperfine(python, a, b, folder):
    path = os.path.join(folder, "hyperfine.json")
    subprocess.run([hyperfine(), "--export-json", path, "%s %s" % (python, a), "%s %s" % (python, b)], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    times = [result["times"] for result in json.load(open(path))["results"]]
    ratio = (sum(times[1]) / len(times[1])) / (sum(times[0]) / len(times[0]))
    return call(ratio, welch(*times) < LEVEL), ratio, {"p": welch(*times)}


TOOLS = {"pitviper": by_pitviper, "pyperf": by_pyperf, "hyperfine": by_hyperfine}


# ---- the comparisons ----


def load_results(fresh):
    if fresh and RESULTS.exists():
        RESULTS.unlink()
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def keep(results, facts):
    results.append(facts)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(facts) + "\n")


def compare(tool, python, truth, index, folder, seed):
    """One comparison: of the same program with itself, or of two of which a coin says which is the longer."""
    longer = random.Random("%d %s %d" % (seed, truth, index)).choice("ab") if truth == "5 %" else None
    names = ["long.py" if longer == side else "short.py" for side in "ab"]
    expected = {"a": "B faster", "b": "B slower", None: "none"}[longer]
    with machine.Quiet() as quiet:  # waits until the machine is idle, if it will be
        begin = time.perf_counter()
        said, ratio, more = TOOLS[tool](python, names[0], names[1], folder)
        seconds = time.perf_counter() - begin
    return {"tool": tool, "truth": truth, "index": index, "expected": expected, "said": said, "ratio": ratio, "seconds": seconds,
            "noisy": quiet.noisy, "more": more}


def show(results, tools):
    table = Table("tool", "comparisons", "A/A called different", "5 % found", "wrong way round", "seconds each", "longest")
    for tool in tools:
        same = [r for r in results if r["tool"] == tool and r["truth"] == "A/A"]
        differ = [r for r in results if r["tool"] == tool and r["truth"] == "5 %"]
        if not same and not differ:
            table.add(tool, 0)
            continue
        false = sum(r["said"] != "none" for r in same)
        right = sum(r["said"] == r["expected"] for r in differ)
        wrong = sum(r["said"] not in ("none", r["expected"]) for r in differ)
        seconds = [r["seconds"] for r in same + differ]
        table.add(tool, "%d + %d" % (len(same), len(differ)), "%d of %d" % (false, len(same)), "%d of %d" % (right, len(differ)),
                  "%d of %d" % (wrong, len(differ)), "%.1f" % figures.median(seconds), "%.1f" % max(seconds))
    table.show()
    print("bar for pitviper: at most 2 of 40, at least 38 of 40, 0, at most 15 s each")
    print("%d of %d comparisons on a machine that was not idle" % (sum(r["noisy"] for r in results), len(results)))


def show_parallel(python, folder):
    """Work that is the same, on one CPU and on two: half the time, if two CPUs are free."""
    table = Table("speed-up by", "verdict", "B / A", "interval", "how it was run")
    for name, sources in PARALLEL.items():
        for file, source in zip(("one.py", "two.py"), sources):
            Path(folder, file).write_text(source)
        words = [peers.pitviper(), "prove", "--json", "%s one.py" % python, "%s two.py" % python]
        told = json.loads(subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, check=False).stdout)
        table.add(name, told["verdict"], "%.3f" % told["ratio"], "%.3f..%.3f" % (told["low"], told["high"]), told["mode"])
    table.show()
    print("bar: faster, about 0.5 and a start; never pinned")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.13", help="one version")
    parser.add_argument("--count", type=int, default=40, help="comparisons of each kind by pitviper")
    parser.add_argument("--peer-count", type=int, default=10, help="by each of the others, which take longer")
    parser.add_argument("--tools", type=lambda text: text.split(","), default=list(TOOLS))
    parser.add_argument("--seed", type=int, default=5, help="of which program is the longer one")
    parser.add_argument("--fresh", action="store_true", help="forget the results that are there")
    parser.add_argument("--no-parallel", action="store_true")
    options = parser.parse_args()
    _, python = targets.pick_pythons(options.pythons, [])[0]
    results = load_results(options.fresh)
    done = {(r["tool"], r["truth"], r["index"]) for r in results}
    tools = [t for t in options.tools if t != "hyperfine" or hyperfine()]
    tools = [t for t in tools if t != "pyperf" or peers.peers_folder()]
    print("%s\nprograms of about %g s of Python, the longer one by %.0f %%" % (machine.describe(), RUN_SECONDS, 100 * TRUE))
    with tempfile.TemporaryDirectory() as folder:
        short, long = calibrate(python)
        Path(folder, "short.py").write_text(LOOP % short)
        Path(folder, "long.py").write_text(LOOP % long)
        for index in range(max(options.count, options.peer_count)):
            for tool in tools:
                for truth in ("A/A", "5 %"):
                    most = options.count if tool == "pitviper" else options.peer_count
                    if index >= most or (tool, truth, index) in done:
                        continue
                    facts = compare(tool, python, truth, index, folder, options.seed)
                    keep(results, facts)
                    say("%s %d, %s: %s (%.3f) in %.1f s" % (tool, index + 1, truth, facts["said"], facts["ratio"], facts["seconds"]))
        show(results, tools)
        if not options.no_parallel:
            show_parallel(python, folder)


if __name__ == "__main__":
    sys.exit(main())
