#!/usr/bin/env python3
"""How long the profilers take to start. bench/README.md says how to read it."""

import argparse
import os
import subprocess
import tempfile
import time

from harness import figures, machine, peers, targets, tools
from harness.figures import Table, say

BAR_MS = 10.0


def milliseconds(words):
    begin = time.perf_counter()
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 1e3 * (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.13", help="one version: the target's")
    parser.add_argument("--runs", type=int, default=40)
    options = parser.parse_args()
    version, python = targets.pick_pythons(options.pythons, [])[0]
    print("%s\nmilliseconds from start to end of a command, %d runs of each in turn; target: Python %s" % (
        machine.describe(), options.runs, version))
    with tempfile.TemporaryDirectory() as folder, targets.Target(python, "work.py", 3600) as target:
        out = os.path.join(folder, "x.pit")
        empty = [python, "-I", "-S", "-c", "pass"]
        commands = {"/bin/true": ["/bin/true"], "the empty Python program": empty}
        ours = peers.pitviper()
        if ours:
            commands["pitviper --version"] = [ours, "--version"]
            commands["pitviper dump PID"] = [ours, "dump", str(target.pid)]
            commands["pitviper run (empty program)"] = [ours, "run", "-o", out, "--"] + empty
        if peers.austin():
            commands["austin --version"] = peers.austin() + ["--version"]
            commands["austin --where PID"] = peers.austin() + ["--where", str(target.pid)]
        if peers.py_spy():
            commands["py-spy --version"] = peers.py_spy() + ["--version"]
            commands["py-spy dump PID"] = peers.py_spy() + ["dump", "--pid", str(target.pid)]
        if peers.tachyon():
            commands["tachyon --help"] = peers.tachyon() + ["--help"]
        times = {name: [] for name in commands}
        with machine.Quiet() as quiet:
            for turn in range(options.runs):
                if turn % 10 == 0:
                    say("run %d" % (turn + 1))
                for name, words in commands.items():
                    times[name].append(milliseconds(words))
        target.stop()
    base = figures.median(times["/bin/true"])
    empty_ms = figures.median(times["the empty Python program"])
    table = Table("command", "ms", "range", "above /bin/true", "bar", "met")
    for name, values in times.items():
        low, high = figures.median_interval(values)
        above = figures.median(values) - (empty_ms if name.startswith("pitviper run") else base)
        bar = BAR_MS if name.startswith("pitviper") else None
        table.add(name, "%.2f" % figures.median(values), "%.2f..%.2f" % (low, high), "%.2f" % above, bar,
                  ("yes" if above <= bar else "no") if bar else None)
    table.show()
    print("\n'pitviper run' is set against the empty Python program that it runs")
    # The running target keeps one core busy, by intent; only the rest counts.
    print("others used %.2f cores beside the target" % max(0.0, quiet.others - 1.0))


if __name__ == "__main__":
    main()
