#!/usr/bin/env python3
"""Do good solutions pass, and does the unchanged starter fail, while the machine is at something else too? Each core lab's
references and starter are checked again and again with one core kept busy. bench/README.md says how to read it."""

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import figures, machine
from harness.figures import Table, say

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "course/performance-optimization-and-profiling"
RESULTS = ROOT / ".deps/bench/labs.jsonl"
MOST_SECONDS = {False: 20, True: 60}  # of a check, by "slow" in the manifest
SETTLED = ("slow", "wrong", "broken", "unreadable")
# Ends with its parent, and after so many seconds anyway.
SPIN = """
import os, sys, time
parent, end = os.getppid(), time.monotonic() + float(sys.argv[1])
while time.monotonic() < end and os.getppid() == parent:
    for _ in range(100000):
        pass
"""


class Busy:
    """One core that has something else to do, at the priority of everybody."""

    def __init__(self, cores, seconds):
        self.words = [sys.executable, "-S", "-c", SPIN, str(seconds)]
        self.cores = cores

    def __enter__(self):
        self.programs = [subprocess.Popen(self.words) for _ in range(self.cores)]

    def __exit__(self, *_):
        for program in self.programs:
            program.kill()
            program.wait()


class Lab:
    def __init__(self, folder):
        self.folder = folder
        self.manifest = json.loads((folder / "lab.json").read_text())
        self.id = self.manifest["id"]
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in (".py", ".json"))
        self.digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]

    def sources(self, mutants):
        """[(path below the folder, what it is)]"""
        own = [(path, "reference") for path in self.manifest["references"]] + [("starter/" + self.manifest["file"], "starter")]
        return own + [(m["file"], m["expected"]) for m in self.manifest["mutants"] if mutants]


def labs_of(course, wanted, all_of_them):
    labs = []
    for manifest in sorted(course.glob("*/labs/*/lab.json")):
        lab = Lab(manifest.parent)
        if lab.manifest["kind"] == "code" and (lab.id in wanted if wanted else all_of_them or lab.manifest["core"]):
            labs.append(lab)
    return labs


def load_results(path, fresh):
    if fresh and path.exists():
        path.unlink()
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def keep(path, results, facts):
    results.append(facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(facts) + "\n")


def check(program, lab, source, what, index, options):
    words = [program, lab.folder, lab.folder / source] + (["--python", options.python] if options.python else [])
    most = 2 * MOST_SECONDS[lab.manifest["slow"]] + 30
    facts = {"lab": lab.id, "digest": lab.digest, "source": source, "what": what, "index": index, "busy": options.busy}
    with Busy(options.busy, most):
        busy, steal = machine.read_stat()
        begin = time.monotonic()
        try:
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=most, check=False)
            said, error, status = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired:
            said, error, status = "", "it took more than %d s" % most, 3
        facts["seconds"] = round(time.monotonic() - begin, 2)
        after, stolen = machine.read_stat()
    facts["cores"] = round((after - busy) / facts["seconds"], 2)
    facts["steal"] = round((stolen - steal) / facts["seconds"], 3)
    if status in (0, 1) and said.startswith("{"):
        line, _, feedback = said.partition("\n")
        receipt = json.loads(line)
        facts.update(outcome=receipt["outcome"], points=receipt["points"], readability=receipt["readability"], gates=receipt["gates"],
                     level=receipt["machine"]["sandbox_level"], fault=receipt.get("fault"), feedback=feedback[:1200])
    else:
        facts.update(outcome="none", points=0, readability=None, gates=[], fault=error[-300:])
    return facts


def is_right(facts):
    """True, False, or None where it was not settled."""
    if facts["outcome"] not in (*SETTLED, "passed"):
        return None
    if facts["what"] == "reference":
        return facts["outcome"] == "passed"
    return facts["outcome"] in SETTLED if facts["what"] == "starter" else facts["outcome"] == facts["what"]


def counts(some):
    told = [is_right(facts) for facts in some]
    return "%d of %d" % (told.count(True), len(told)), str(told.count(None)), str(told.count(False))


def show(labs, results):
    table = Table("lab", "references passed", "open", "wrong", "starter failed", "open", "wrong", "others as expected", "open", "wrong",
                  "s", "most", "limit")
    for lab in labs:
        some = [facts for facts in results if facts["lab"] == lab.id]
        if not some:
            continue
        seconds = [facts["seconds"] for facts in some]
        sides = [[facts for facts in some if (facts["what"] if facts["what"] in ("reference", "starter") else "mutant") == side]
                 for side in ("reference", "starter", "mutant")]
        table.add(lab.id, *counts(sides[0]), *counts(sides[1]), *counts(sides[2]), "%.1f" % figures.median(seconds),
                  "%.1f" % max(seconds), "%d" % MOST_SECONDS[lab.manifest["slow"]])
    table.show()
    show_gates(labs, results)
    for facts in results:
        if is_right(facts) is not True:
            told = facts.get("fault") or ", ".join("%s %s" % (gate["kind"], gate["outcome"]) for gate in facts["gates"])
            print("%s %s, run %d: %s (%s)" % (facts["lab"], facts["source"], facts["index"], facts["outcome"], told))


def spread_of(gates):
    """By how much runs of the same program at one size differ, as a standard deviation; runs of 50 ms and more. None: too few."""
    squares = degrees = 0
    for gate in gates:
        times = {}
        for side, size, _, wall, cpu, *_ in gate["samples"]:
            times.setdefault((side, size), []).append(cpu if gate["kind"] in ("reach", "growth") else wall)
        for some in times.values():
            logs = [math.log(seconds) for seconds in some if seconds and seconds >= 0.05]  # None: killed by its limit
            if len(logs) > 1:
                squares += statistics.variance(logs) * (len(logs) - 1)
                degrees += len(logs) - 1
    return math.sqrt(squares / degrees) if degrees else None


def show_gates(labs, results):
    """How far from its limit each gate's measure is: the room that a lab has for noise, and what noise there was."""
    table = Table("lab", "gate", "limit", "references", "starter", "samples", "spread of a run")
    for lab in labs:
        for number, gate in enumerate(lab.manifest["gates"]):
            came = [(facts["what"], facts["gates"][number]) for facts in results
                    if facts["lab"] == lab.id and len(facts["gates"]) > number]
            if came:
                spread = spread_of([told for _, told in came])
                sides = [[told["estimate"] for what, told in came if what == side] for side in ("reference", "starter")]
                table.add(lab.id, gate["kind"], "%g" % gate["limit"], *(figures.spread(side) for side in sides),
                          figures.spread([len(told["samples"]) for _, told in came], "%d"), spread and "%.1f %%" % (100 * spread))
    table.show()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=lambda text: text.split(","), default=[], help="ids; else all core labs")
    parser.add_argument("--all", action="store_true", help="the others too")
    parser.add_argument("--shard", default="1/1", help="K/N: every N-th lab from the K-th on")
    parser.add_argument("--count", type=int, default=10, help="checks of each source")
    parser.add_argument("--mutants", action="store_true", help="each mutant too, against what its manifest expects")
    parser.add_argument("--busy", type=int, default=1, help="cores that are kept busy")
    parser.add_argument("--course", type=Path, default=COURSE)
    parser.add_argument("--python", help="the interpreter that runs the labs")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where each check is kept; a second start goes on from there")
    parser.add_argument("--fresh", action="store_true", help="forget the results that are there")
    parser.add_argument("--show", action="store_true", help="run nothing")
    options = parser.parse_args()
    shard, of = map(int, options.shard.split("/"))
    program = Path(os.environ.get("PITVIPER_GRADE_LAB", ROOT / "build/tests/grade_lab"))
    labs = labs_of(options.course, options.labs, options.all)[shard - 1 :: of]
    if not labs or not program.exists():
        sys.exit("labs.py: %s" % ("no such lab" if program.exists() else "no %s; ninja -C build" % program))
    results = load_results(options.results, options.fresh)
    current = {lab.id: lab.digest for lab in labs}  # a lab that was changed since is checked anew
    results = [facts for facts in results if current.get(facts["lab"]) == facts["digest"] and facts["busy"] == options.busy]
    done = {(facts["lab"], facts["source"], facts["index"]) for facts in results}
    print("%s\n%d cores kept busy" % (machine.describe(), options.busy), flush=True)
    for index in range(0 if options.show else options.count):
        for lab in labs:
            for source, what in lab.sources(options.mutants):
                if (lab.id, source, index) in done:
                    continue
                facts = check(program, lab, source, what, index, options)
                keep(options.results, results, facts)
                say("%s %s, run %d: %s in %.1f s" % (lab.id, source, index, facts["outcome"], facts["seconds"]))
    show(labs, results)
    return 1 if any(is_right(facts) is False for facts in results) else 0


if __name__ == "__main__":
    sys.exit(main())
