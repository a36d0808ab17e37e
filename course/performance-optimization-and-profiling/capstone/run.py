"""Plays one scenario on a parcelflow and prints a digest of what it did, and how long it took.

    python run.py SCENARIO [--seed N] [--size X] [--app FOLDER] [--folder FOLDER] [--json] [--null] [--beat FD]

SCENARIO  one of places intake corrections history prices scores desk journal, or day for everything together
--app     the folder that holds the package parcelflow (default: app, beside this file)
--folder  where to make a folder for the files that are written (default: the system's for temporary files).
          A folder in memory makes syncing cost nothing: there, the scenario journal doesn't show what it is to show.
--null    make the input and stop: what a run costs before it begins
--beat    in the scenario desk: a descriptor to which a byte is written about every two milliseconds

Two programs that behave alike have the same digest for the same scenario, seed and size.
The times and the memory are for you; a grade is measured from outside.
"""

import argparse
import hashlib
import importlib
import json
import os
import random
import sys
import tempfile
import time

from workloads import SCENARIOS

HERE = os.path.dirname(os.path.abspath(__file__))


def digest_of(told):
    """The same for equal plain data, whatever the order of a dict's keys."""
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def make_input(scenario, seed, size):
    return SCENARIOS[scenario][0](random.Random("%s %s" % (scenario, seed)), size)


def play(scenario, flow, given, folder, beat=None):
    function = SCENARIOS[scenario][1]
    with tempfile.TemporaryDirectory(prefix="parcelflow-", dir=folder) as place:
        return function(flow, given, place, beat) if beat else function(flow, given, place)


def load_flow(app):
    sys.path.insert(0, os.path.abspath(app))
    return importlib.import_module("parcelflow.flow")


def peak_kib():
    """The most memory that this process has had resident, or None where the system doesn't say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


def main(words):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("scenario", choices=list(SCENARIOS))
    parser.add_argument("--seed", default="1")
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--app", default=os.path.join(HERE, "app"))
    parser.add_argument("--folder")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--null", action="store_true")
    parser.add_argument("--beat", type=int)
    options = parser.parse_args(words)

    flow = load_flow(options.app)
    given = make_input(options.scenario, options.seed, options.size)
    if options.null:
        return
    beats = []

    def beat():
        beats.append(time.perf_counter())
        if options.beat is not None:
            os.write(options.beat, b".")

    wall, cpu = time.perf_counter(), time.process_time()
    told = play(options.scenario, flow, given, options.folder, beat if options.scenario == "desk" else None)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    facts = {
        "scenario": options.scenario, "seed": options.seed, "size": options.size, "digest": digest_of(told),
        "seconds": round(wall, 4), "cpu_seconds": round(cpu, 4), "peak_kib": peak_kib(),
    }
    if len(beats) > 1:
        facts["longest_gap_ms"] = round(1000 * max(b - a for a, b in zip(beats, beats[1:])), 1)
    if options.json:
        print(json.dumps(facts))
    else:
        for name, value in facts.items():
            print("%-15s %s" % (name, value))


if __name__ == "__main__":
    main(sys.argv[1:])
