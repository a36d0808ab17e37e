#!/usr/bin/env python3
"""How much longer a program takes while it is sampled, against a neighbour that only spins as much as the profiler
does. bench/README.md says how to read it."""

import argparse
import math
import os
import random
import subprocess
import time

from harness import figures, machine, peers, targets, tools
from harness.figures import Table, say

BAR = {1000: 1.01, 10000: 1.03, 100000: 1.10}
TOOLS = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY, tools.PY_SPY_NONBLOCKING, tools.TACHYON]
SETTLE = 0.5  # seconds that a profiler gets to attach before the target begins


class Neighbour:
    """The spin-only program, in the place of a profiler."""

    def __init__(self, hz, busy_us, seconds, cpu):
        words = [peers.spin_neighbour(), str(hz), "%.3f" % busy_us, str(seconds)]
        words += [str(cpu)] if cpu is not None else []
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)

    def finish(self):
        self.process.terminate()
        self.process.wait()


def cores(options):
    """(the target's core, the neighbour's), or (None, None) where all is left to the scheduler."""
    if options.unpinned or len(os.sched_getaffinity(0)) < 2:
        return None, None
    return tuple(sorted(os.sched_getaffinity(0))[:2])


def timed(python, options, beside=None):
    """Seconds that the target's work took, with `beside(pid)` started while the target is held. (seconds, what finish gave)"""
    with targets.Target(python, options.program, "--iterations", options.iterations, hold=True, cpu=cores(options)[0]) as target:
        helper = beside(target.pid) if beside else None
        time.sleep(SETTLE)
        target.go()
        progress = target.finish()
        ended = helper.finish() if isinstance(helper, Neighbour) else helper.result() if helper else None
    return progress["wall"], ended


def calibrate(python, options):
    """Set the number of iterations so that the work takes --seconds when nothing runs beside it."""
    with targets.Target(python, options.program, 1.5, cpu=cores(options)[0]) as target:
        progress = target.finish()
    options.iterations = max(1, int(progress["progress"] / progress["wall"] * options.seconds))


def duty_us(tool, python, options, hz):
    """How long the profiler is busy at each tick: its CPU by the kernel, per tick asked for."""
    _, result = timed(python, options, lambda pid: tool.attach(pid, hz, None if tool is tools.PITVIPER else options.seconds * 40))
    # What it does before and after sampling is not part of a tick; where the tool tells, take its own figure.
    cpu = result.sampling_cpu or result.cpu
    return 1e6 * cpu / max(1.0, result.seconds * hz), result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.13", help="versions, comma-separated, or all")
    parser.add_argument("--tools", type=lambda text: text.split(","), default=["pitviper", "austin", "py-spy nonblocking", "tachyon"])
    parser.add_argument("--rates", type=lambda text: [int(word) for word in text.split(",")], default=[1000, 10000, 100000])
    parser.add_argument("--program", default="work.py", help="a program of bench/programs (default: work.py)")
    parser.add_argument("--seconds", type=float, default=2, help="how long the work takes alone")
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--unpinned", action="store_true", help="leave the cores to the scheduler")
    parser.add_argument("--seed", type=int, default=3, help="of the order within pairs")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print("%s\nslowdown of %s: %d pairs of (profiler, neighbour that only spins as much), order by coin; the work takes %g s;\n%s" % (
        machine.describe(), options.program, options.pairs, options.seconds,
        "cores left to the scheduler" if cores(options)[0] is None else "target on core %d, neighbour on core %d, the profiler where it goes" % cores(options)))
    table = Table("version", "tool", "asked Hz", "kept/s", "busy us/tick", "ratio", "95 %", "bar", "missed?", "noisy runs")
    for version, python in targets.pick_pythons(options.pythons, []):
        calibrate(python, options)
        for tool in tools.usable(version, TOOLS, options.tools):
            for hz in options.rates:
                if hz > tool.top_hz:
                    continue
                # A tool that ends with its target needs no time limit; the others get one far beyond it.
                limit = None if tool is tools.PITVIPER else options.seconds * 40
                try:
                    busy, result = duty_us(tool, python, options, hz)
                except tools.Failed as error:
                    print("(%s %s)" % (version, error))
                    continue
                ratios, rates, noisy = [], [], 0
                for pair in range(options.pairs):
                    say("%s %s %d Hz, pair %d" % (version, tool.name, hz, pair + 1))
                    seconds = {}
                    order = ["tool", "spin"]
                    rng.shuffle(order)
                    try:
                        with machine.Quiet() as quiet:
                            for what in order:
                                if what == "tool":
                                    seconds[what], result = timed(python, options, lambda pid: tool.attach(pid, hz, limit))
                                    rates.append(result.rate)
                                else:
                                    seconds[what], _ = timed(
                                        python, options, lambda pid: Neighbour(hz, busy, options.seconds * 40, cores(options)[1]))
                    except tools.Failed as error:
                        print("(%s %s)" % (version, error))
                        continue
                    noisy += quiet.noisy
                    ratios.append(math.log(seconds["tool"] / seconds["spin"]))
                if not ratios:
                    continue
                middle = math.exp(figures.median(ratios))
                low, high = (math.exp(value) for value in figures.median_interval(ratios))
                bar = BAR.get(hz) if tool is tools.PITVIPER else None
                table.add(
                    version, tool.name, hz, "%.0f" % figures.median(rates), "%.1f" % busy, "%.3f" % middle,
                    "%.3f..%.3f" % (low, high), bar, ("yes" if low > bar else "no") if bar else None,
                    "%d of %d" % (noisy, len(ratios)),
                )
    table.show()
    print("\na bar counts as missed only if the interval's lower end lies above it")
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
