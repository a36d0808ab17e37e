#!/usr/bin/env python3
"""What the profilers themselves cost: CPU at 1 kHz and at the highest rate. bench/README.md says how to read it."""

import argparse
import subprocess

from harness import figures, machine, peers, targets, tools
from harness.figures import Table, say

TOOLS = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY, tools.PY_SPY_NONBLOCKING, tools.TACHYON]
CORE_BAR_AT_1_KHZ = 0.03
SECONDS_A_MILLION_BAR = 5.0


def bar_of(tool, hz):
    if tool is not tools.PITVIPER:
        return None
    return {0: SECONDS_A_MILLION_BAR, 1000: CORE_BAR_AT_1_KHZ}.get(hz)


def wakeups_alone(hz, seconds):
    """CPU seconds a second of a process that only wakes up so often: what no sampler of that rate can be below."""
    told = subprocess.run([peers.spin_neighbour(), str(hz), "0.001", str(seconds)], stdout=subprocess.PIPE, check=True,
                          universal_newlines=True)
    return float(told.stdout.split()[3]) / seconds


def reading_alone(pid, hz, seconds):
    """The same of one that also reads the target so often, in five segments, and looks at nothing of that."""
    told = subprocess.run([peers.floor(), str(pid), str(hz), str(seconds), "5"], stdout=subprocess.PIPE, check=True,
                          universal_newlines=True)
    return float(told.stdout.split()[3]) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.11,3.13,3.15", help="versions, comma-separated, or all")
    parser.add_argument("--tools", type=lambda text: text.split(","))
    parser.add_argument("--rates", type=lambda text: [int(word) for word in text.split(",")], default=[1000, 10000, 0],
                        help="comma-separated; 0: as fast as the tool can")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--pairs", type=int, default=3, help="runs of each tool, in turn")
    options = parser.parse_args()
    print("%s\nCPU that the profiler uses on work.py; %d runs of %g s each, in turn" % (
        machine.describe(), options.pairs, options.seconds))
    table = Table("version", "tool", "asked Hz", "kept/s", "of a core", "range", "CPU s per million", "bar", "met", "idle")
    for version, python in targets.pick_pythons(options.pythons, []):
        kept_tools = tools.usable(version, TOOLS, options.tools)
        for hz in options.rates:
            runs, noisy = {tool: [] for tool in kept_tools}, {tool: 0 for tool in kept_tools}
            floors = {"wake-ups alone": [], "and one read": []}
            for turn in range(options.pairs):
                for tool in kept_tools if turn % 2 == 0 else kept_tools[::-1]:
                    say("%s %s %s Hz, run %d" % (version, tool.name, hz or "top", turn + 1))
                    try:
                        with machine.Quiet() as quiet:
                            with targets.Target(python, "work.py", options.seconds + 30) as target:
                                runs[tool].append(tool.measure(target.pid, hz or tool.top_hz, options.seconds))
                    except tools.Failed as error:
                        print("(%s %s)" % (version, error))
                        continue
                    noisy[tool] += quiet.noisy
                if hz:
                    with machine.Quiet():
                        with targets.Target(python, "work.py", 2 * options.seconds + 30) as target:
                            floors["wake-ups alone"].append(wakeups_alone(hz, options.seconds))
                            floors["and one read"].append(reading_alone(target.pid, hz, options.seconds))
            for name, floor in floors.items() if hz else ():
                low, high = figures.median_interval(floor)
                table.add(version, name, hz, None, "%.1f %%" % (100 * figures.median(floor)),
                          "%.1f..%.1f" % (100 * low, 100 * high), "%.1f" % (1e6 * figures.median(floor) / hz), None, None, None)
            for tool, results in runs.items():
                if not results:
                    continue
                cores = [r.cpu / max(r.seconds, 1e-3) for r in results]
                million = figures.median([1e6 * r.cpu / max(1, r.samples) for r in results])
                low, high = figures.median_interval(cores)
                bar = bar_of(tool, hz)
                reached = million if hz == 0 else figures.median(cores)
                table.add(
                    version, tool.name, hz or "top", "%.0f" % figures.median([r.rate for r in results]),
                    "%.1f %%" % (100 * figures.median(cores)), "%.1f..%.1f" % (100 * low, 100 * high), "%.1f" % million,
                    None if bar is None else "%g s" % bar if hz == 0 else "%g %%" % (100 * bar),
                    None if bar is None else "yes" if reached <= bar else "no",
                    "no (%d)" % noisy[tool] if noisy[tool] else "yes",
                )
    table.show()
    print("\nCPU by the kernel (wait4) from the tool's start to its end, so its start-up and its report are in it;\n"
          "wake-ups alone: bench/spin_neighbour.c, which sleeps, wakes up, and sleeps again; and one read: bench/floor.c, which reads the target each time")
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
