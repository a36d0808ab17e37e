#!/usr/bin/env python3
"""Samples missed and late at 1 and 10 kHz. bench/README.md says how to read it."""

import argparse

from harness import figures, machine, targets, tools
from harness.figures import Table, say

BAR = {1000: 0.001, 10000: 0.005}
TOOLS = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY_NONBLOCKING, tools.TACHYON]


def missed_share(result):
    """The part of the ticks asked for that gave no sample, whatever the tool calls it."""
    asked = result.asked or int(result.hz * result.seconds)
    missed = result.missed if result.missed is not None else max(0, asked - result.samples - result.rejected)
    return missed / asked if asked else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.11,3.13,3.15", help="versions, comma-separated, or all")
    parser.add_argument("--tools", type=lambda text: text.split(","))
    parser.add_argument("--rates", type=lambda text: [int(word) for word in text.split(",")], default=[1000, 10000])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--pairs", type=int, default=3, help="runs of each tool, in turn")
    options = parser.parse_args()
    print("%s\nsamples missed on work.py; %d runs of %g s each, in turn" % (machine.describe(), options.pairs, options.seconds))
    table = Table("version", "tool", "asked Hz", "kept/s", "missed", "range", "rejected", "late", "longest gap", "bar", "met", "idle")
    notes = set()
    for version, python in targets.pick_pythons(options.pythons, []):
        kept_tools = tools.usable(version, TOOLS, options.tools)
        for hz in options.rates:
            runs, noisy = {tool: [] for tool in kept_tools}, {tool: 0 for tool in kept_tools}
            for turn in range(options.pairs):
                for tool in kept_tools if turn % 2 == 0 else kept_tools[::-1]:
                    say("%s %s %d Hz, run %d" % (version, tool.name, hz, turn + 1))
                    try:
                        with machine.Quiet() as quiet:
                            with targets.Target(python, "work.py", options.seconds + 30) as target:
                                runs[tool].append(tool.measure(target.pid, hz, options.seconds))
                    except tools.Failed as error:
                        print("(%s %s)" % (version, error))
                        continue
                    noisy[tool] += quiet.noisy
                    notes.update("%s: %s" % (tool.name, note) for note in runs[tool][-1].notes)
            for tool, results in runs.items():
                if not results:
                    continue
                shares = [missed_share(r) for r in results]
                low, high = figures.median_interval(shares)
                late = [r.late / r.asked for r in results if r.late is not None and r.asked]
                gaps = [r.longest_gap for r in results if r.longest_gap is not None]
                bar = BAR.get(hz) if tool is tools.PITVIPER else None
                table.add(
                    version, tool.name, hz, "%.0f" % figures.median([r.rate for r in results]),
                    "%.3f %%" % (100 * figures.median(shares)), "%.3f..%.3f" % (100 * low, 100 * high),
                    "%.2f %%" % (100 * figures.median([r.share(r.rejected) for r in results])),
                    "%.2f %%" % (100 * figures.median(late)) if late else None,
                    "%.1f ms" % (1e3 * figures.median(gaps)) if gaps else None,
                    "%.1f %%" % (100 * bar) if bar else None,
                    ("yes" if figures.median(shares) <= bar else "no") if bar else None,
                    "no (%d)" % noisy[tool] if noisy[tool] else "yes",
                )
    table.show()
    for note in sorted(notes):
        print(note)
    print("\n" + machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
