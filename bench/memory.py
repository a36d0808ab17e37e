#!/usr/bin/env python3
"""The profilers' memory: over a long run, with 200 threads, 900 frames deep, and over 50 processes; and what they
miss there. bench/README.md says how to read it."""

import argparse
import time

from harness import figures, machine, targets, tools
from harness.figures import Table, say

TOOLS = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY_NONBLOCKING, tools.TACHYON]
FLAT = 0.05  # a slope under 5 % of the memory at half-time per run counts as flat


def resident_kb(pid):
    try:
        with open("/proc/%d/status" % pid) as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


def watched(tool, pid, hz, seconds, every=0.25):
    """(result, [(second, resident kB)])"""
    series = []
    attached = tool.attach(pid, hz, seconds)
    while attached.process.returncode is None and time.monotonic() - attached.begin < seconds + 5:
        kb = resident_kb(attached.pid)
        if kb is None:
            break
        series.append((time.monotonic() - attached.begin, kb))
        time.sleep(every)
    return attached.result(), series


def slope_kb(series, seconds):
    """Growth from half-time to the end of sampling, in kB a minute (Theil and Sen)."""
    late = [(second, kb) for second, kb in series if seconds / 2 <= second <= seconds * 0.98]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(late) for b in late[i + 1 :] if b[0] > a[0]]
    return 60 * figures.median(slopes) if slopes else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.13", help="versions, comma-separated, or all")
    parser.add_argument("--tools", type=lambda text: text.split(","))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--long", type=float, default=120, help="seconds of the long run")
    parser.add_argument("--rate", type=int, default=1000)
    options = parser.parse_args()
    cases = [
        ("work.py, long run", "work.py", [], options.long),
        ("call tree, long run", None, [], options.long),
        ("200 threads", "threads.py", [], options.seconds),
        ("900 frames deep", "deep.py", [], options.seconds),
        ("50 processes", "processes.py", [], options.seconds),
    ]
    print("%s\nresident memory of the profiler at %d Hz" % (machine.describe(), options.rate))
    table = Table("version", "program", "tool", "samples", "missed", "rejected", "peak MB", "half-time MB", "kB/minute", "flat", "of a core", "idle")
    failures = []
    for tool in TOOLS:
        tool.everything = True
    for version, python in targets.pick_pythons(options.pythons, []):
        for title, program, words, seconds in cases:
            for tool in tools.usable(version, TOOLS, options.tools):
                say("%s %s, %s" % (version, title, tool.name))
                try:
                    with machine.Quiet() as quiet:
                        with targets.Target(python, program or targets.calltree()[0], *words, seconds + 30) as target:
                            result, series = watched(tool, target.pid, options.rate, seconds)
                except tools.Failed as error:
                    table.add(version, title, tool.name, "failed", *[None] * 8)
                    failures.append("%s %s: %s" % (version, title, error))
                    continue
                half = [kb for second, kb in series if second >= seconds / 2][:1]
                slope = slope_kb(series, seconds)
                grown = slope * seconds / 60 if slope is not None else None
                table.add(
                    version, title, tool.name, result.samples,
                    None if result.missed is None else "%.2f %%" % (100 * result.missed / max(1, result.asked)),
                    "%.2f %%" % (100 * result.share(result.rejected)),
                    "%.1f" % (max([kb for _, kb in series] or [0]) / 1024), "%.1f" % (half[0] / 1024) if half else None,
                    None if slope is None else "%.0f" % slope,
                    None if grown is None or not half else "yes" if grown <= FLAT * half[0] else "no",
                    "%.1f %%" % (100 * result.cpu / max(result.seconds, 1e-3)),
                    "no" if quiet.noisy else "yes",
                )
    table.show()
    for failure in failures:
        print(failure)
    print("\nthe profiler's own start and end are not in the slope: it is taken from half-time on")
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
