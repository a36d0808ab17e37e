#!/usr/bin/env python3
"""How often the verdict is right, on made-up noise: its rates beside those of a plain interval and of tests that are
read as they come. Prints the tables of docs/verdict.md. bench/README.md says how to read it."""

import argparse
import collections
import concurrent.futures
import os
import subprocess
import sys

from harness.figures import head, percent, row, say

RATIOS = [1, 0.995, 0.99, 0.98, 0.95, 0.9]
FALSE_BAR, FOUND_BAR = 2.0, 95.0
# What random order and fresh processes rule out; shown, not judged.
BEYOND = ("blocks autocorrelated 0.2", "blocks autocorrelated 0.3", "blocks autocorrelated 0.5", "skewed blocks",
          "a rare mode, 1 block in 10")
OLD_NOISE = ("normal", "Student's t, 3 d.f.")
KINDS = 19
SD, OTHER_SDS = 0.02, (0.005, 0.1, 0.3)


class Cell:
    """What came out of one kind of noise, at one true ratio; percents of the runs."""

    def __init__(self, line):
        self.kind, ratio, runs, *counts = line.split("\t")
        self.ratio, self.runs = float(ratio), int(runs)
        faster, slower, same, unsettled, voided, blocks, held = (int(count) / self.runs for count in counts)
        self.right, self.wrong = (100 * faster, 100 * slower) if self.ratio < 1 else (0, 100 * (faster + slower))
        self.change, self.same, self.voided = 100 * (faster + slower), 100 * same, 100 * voided
        self.blocks, self.held = blocks, 100 * held


def cells(program, rule, options, sd=SD, ratio=0):
    """{(kind, ratio): Cell}, by one process a kind of noise."""

    def of_kind(kind):
        say("%s, standard deviation %g, noise %d of %d" % (rule, sd, kind + 1, KINDS))
        words = [program, rule, options.runs, kind, ratio, sd, options.z if rule == "verdict" else 0, options.budget]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        lines = "".join(pool.map(of_kind, range(KINDS if rule == "verdict" else 2))).splitlines()
    return {(cell.kind, cell.ratio): cell for cell in map(Cell, lines)}


def pair(of, ratio, what):
    values = [what(of[kind, ratio]) for kind in OLD_NOISE]
    return " / ".join(values)


def print_beside(of):
    """The old table, normal / t3 noise, and this verdict in it."""
    head("true change", "naive: calls a change", "fixed 20: calls a change", "z = 2.60: calls a change", "calls \"same\"", "blocks",
         "**verdict: calls a change**", "**calls \"same\"**", "**blocks**")
    for ratio in RATIOS:
        columns = ["%g %%" % round(100 * (1 - ratio), 3)]
        columns += [pair(of[rule], ratio, lambda c: percent(c.change)) for rule in ("naive", "fixed")]
        for rule in ("plain", "verdict"):
            columns += [pair(of[rule], ratio, lambda c: percent(c.change)), pair(of[rule], ratio, lambda c: percent(c.same)),
                        pair(of[rule], ratio, lambda c: "%.1f" % c.blocks)]
        row(*columns)


def print_kinds(of, kinds, judged):
    head("noise", "0 %: false calls", "\"same\"", "voided", "blocks", "interval holds", "1 %: found", "2 %: found",
         "wrong way", "\"same\"", "blocks", "5 %: found", "blocks", "10 %: blocks", *(["met"] if judged else []))
    for kind in kinds:
        zero, one, two, five, ten = (of[kind, ratio] for ratio in (1, 0.99, 0.98, 0.95, 0.9))
        met = zero.change <= FALSE_BAR and two.right >= FOUND_BAR
        row(kind, percent(zero.change), percent(zero.same), percent(zero.voided), "%.1f" % zero.blocks, percent(zero.held),
            percent(one.right), percent(two.right), percent(two.wrong), percent(two.same), "%.1f" % two.blocks,
            percent(five.right), "%.1f" % five.blocks, "%.1f" % ten.blocks, *(["yes" if met else "**no**"] if judged else []))


def print_scales(of, kinds):
    """False calls when nothing differs, by how noisy the blocks are."""
    sds = sorted(of)
    head("noise", *("%g %%" % (100 * sd) for sd in sds))
    for kind in kinds:
        row(kind, *(percent(of[sd][kind, 1].change) for sd in sds))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20000, help="simulated verdicts a cell (default 20000)")
    parser.add_argument("--z", type=float, default=0, help="the constant (default the built one)")
    parser.add_argument("--budget", type=int, default=0, help="blocks (default 64)")
    parser.add_argument("--program", default=os.path.join(here, "..", "build", "tests", "verdict_table"))
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        sys.exit("verdict.py: no program at %s; run ./dev build" % options.program)
    of = collections.OrderedDict((rule, cells(options.program, rule, options)) for rule in ("naive", "fixed", "plain", "verdict"))
    print("\nnormal / t3 noise, standard deviation of a block 2 %%, %d runs a cell; percent\n" % options.runs)
    print_beside(of)
    kinds = list(collections.OrderedDict.fromkeys(kind for kind, _ in of["verdict"]))
    print("\nthe verdict by kind of noise; bar: at most %g %% false calls, %g %% of 2 %% found\n" % (FALSE_BAR, FOUND_BAR))
    standard = [kind for kind in kinds if kind not in BEYOND]
    print_kinds(of["verdict"], standard, True)
    scales = {sd: cells(options.program, "verdict", options, sd, 1) for sd in OTHER_SDS} | {SD: of["verdict"]}
    print("\nfalse calls when nothing differs, by the standard deviation of a block\n")
    print_scales(scales, standard)
    print("\nthe same where the order of runs is no coin's\n")
    print_kinds(of["verdict"], [kind for kind in kinds if kind in BEYOND], False)


main()
