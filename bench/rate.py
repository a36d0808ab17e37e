#!/usr/bin/env python3
"""The highest rate that each tool keeps on the shared workload. bench/README.md says how to read it."""

import argparse

from harness import figures, machine, targets, tools
from harness.figures import Table, say

BAR = {"3.8": 60e3, "3.9": 60e3, "3.10": 60e3, "3.11": 150e3, "3.12": 200e3, "3.13": 200e3, "3.14": 150e3, "3.15": 150e3}
TOOLS = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY, tools.PY_SPY_NONBLOCKING, tools.TACHYON]


def one_run(tool, python, options):
    """(result, was the machine busy with other things)"""
    with machine.Quiet() as quiet:
        with targets.Target(python, options.program, options.seconds + 30) as target:
            result = tool.measure(target.pid, tool.top_hz, options.seconds)
    return result, quiet.noisy


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="all", help="versions, comma-separated (default: all)")
    parser.add_argument("--tools", type=lambda text: text.split(","))
    parser.add_argument("--program", default="work.py", help="a program of bench/programs (default: work.py)")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--pairs", type=int, default=3, help="runs of each tool, in turn")
    options = parser.parse_args()
    print("%s\nhighest rate kept on %s; %d runs of %g s each, in turn" % (
        machine.describe(), options.program, options.pairs, options.seconds))
    table = Table("version", "tool", "samples/s", "range", "rejected", "repaired", "us of CPU", "x best peer", "bar", "met", "idle")
    for version, python in targets.pick_pythons(options.pythons, []):
        runs = {tool: [] for tool in tools.usable(version, TOOLS, options.tools)}
        noisy = {tool: 0 for tool in runs}
        for turn in range(options.pairs):
            for tool in list(runs) if turn % 2 == 0 else list(reversed(runs)):
                say("%s %s, run %d" % (version, tool.name, turn + 1))
                try:
                    result, busy = one_run(tool, python, options)
                    runs[tool].append(result)
                    noisy[tool] += busy
                except tools.Failed as error:
                    print("(%s %s)" % (version, error))
        rates = {tool: figures.median([r.rate for r in results]) for tool, results in runs.items() if results}
        peers = [rate for tool, rate in rates.items() if tool is not tools.PITVIPER]
        for tool, results in runs.items():
            if not results:
                continue
            low, high = figures.median_interval([r.rate for r in results])
            repaired = [r.share(r.repaired) for r in results if r.repaired is not None]
            ours = tool is tools.PITVIPER
            table.add(
                version, tool.name, "%.0f" % rates[tool], "%.0f..%.0f" % (low, high),
                "%.2f %%" % (100 * figures.median([r.share(r.rejected) for r in results])),
                "%.2f %%" % (100 * figures.median(repaired)) if repaired else None,
                "%.1f" % figures.median([1e6 * r.cpu / max(1, r.samples) for r in results]),
                "%.2f" % (rates[tool] / max(peers)) if ours and peers else None,
                "%.0f" % BAR[version] if ours else None,
                ("yes" if rates[tool] >= BAR[version] else "no") if ours else None,
                "no (%d)" % noisy[tool] if noisy[tool] else "yes",
            )
    table.show()
    print("\nus of CPU: the tool's own CPU time for each sample that it kept, start and end included")
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
