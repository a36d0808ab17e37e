#!/usr/bin/env python3
"""How often the gates of the course's labs are right, on made-up machines and programs whose truth is known. Prints the
tables of docs/gates.md. bench/README.md says how to read it."""

import argparse
import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

from harness.figures import head, percent, row, say

PROGRAM = Path(__file__).resolve().parent.parent / "build/tests/gate_table"
GATES = 10
# At the limit on either side, as gate_table has them: where each kind may neither pass nor fail.
WRONG_BAR = 2.0


class Cell:
    """What one gate said of one truth, under one noise; percents of the checks."""

    def __init__(self, line):
        self.gate, self.noise, sd, truth, checks, *counts, seconds, samples = line.split("\t")
        self.sd, self.truth, self.checks = float(sd), float(truth), int(checks)
        self.passed, self.slow, self.open, self.fault = (100 * int(count) / self.checks for count in counts)
        self.seconds, self.samples = float(seconds) / self.checks, int(samples) / self.checks
        self.limit = float(self.gate.split()[1])

    def wrong(self):
        """Percent of checks that say what is not so. A side condition that is just missed may pass."""
        at_least = self.gate.startswith(("speed", "parallel"))
        good = self.truth >= self.limit if at_least else self.truth <= self.limit
        if self.gate.startswith("growth"):
            return self.slow if self.truth <= 1.3 else self.passed if self.truth >= 1.7 else 0
        if self.gate.startswith("not-"):
            return self.slow if good else 0
        return self.slow if good else self.passed


def cells(checks):
    def of_gate(number):
        say("gate %d of %d" % (number + 1, GATES))
        return subprocess.run([str(PROGRAM), str(checks), str(number)], capture_output=True, text=True, check=True).stdout

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [Cell(line) for text in pool.map(of_gate, range(GATES)) for line in text.splitlines()]


def show_truths(of, noise, sd):
    head("gate", "truth", "passes", "fails", "open", "refuses", "samples", "s")
    for cell in of:
        if (cell.noise, cell.sd) == (noise, sd):
            row(cell.gate, "%g" % cell.truth, percent(cell.passed), percent(cell.slow), percent(cell.open), percent(cell.fault),
                "%.0f" % cell.samples, "%.1f" % cell.seconds)


def show_wrong(of):
    """The most that any truth is told wrongly, by noise."""
    sds = sorted({cell.sd for cell in of})
    head("gate", *("%s, %g %%" % (noise, 100 * sd) for noise in ("normal", "worst") for sd in sds))
    for gate in dict.fromkeys(cell.gate for cell in of):
        columns = []
        for normal in (True, False):
            for sd in sds:
                worst = max((c for c in of if c.gate == gate and c.sd == sd and (c.noise == "normal" or not normal)), key=Cell.wrong)
                columns.append(percent(worst.wrong()) + ("" if normal or not worst.wrong() else " (%s)" % worst.noise))
        row(gate, *columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=2000, help="of each truth under each noise")
    options = parser.parse_args()
    if not PROGRAM.exists():
        sys.exit("gates.py: no %s; ninja -C build" % PROGRAM)
    of = cells(options.checks)
    print("%d checks a cell; noise normal, 5 %% of a run's time\n" % options.checks)
    show_truths(of, "normal", 0.05)
    print("\npercent told wrongly, at the worst truth; by the standard deviation of a run's time\n")
    show_wrong(of)
    bad = [cell for cell in of if cell.wrong() > WRONG_BAR and cell.sd <= 0.05]
    for cell in bad:
        print("%s, %s, %g: truth %g told wrongly in %.2f %%" % (cell.gate, cell.noise, cell.sd, cell.truth, cell.wrong()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
