#!/usr/bin/env python3
"""What the live view costs: how long a program takes below `pitviper top`, against `pitviper attach` at the same rate, and
what each burns. bench/README.md says how to read it."""

import argparse
import fcntl
import math
import os
import pty
import random
import struct
import subprocess
import termios
import threading
import time

from harness import figures, machine, peers, targets, tools
from harness.figures import Table, say

SETTLE = 0.7  # seconds that it gets to attach before the target begins


class Viewed:
    """`pitviper top PID` on a terminal of 40 lines, whose picture is read and thrown away."""

    def __init__(self, pid, hz, folder):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            [peers.pitviper(), "top", "--rate", str(hz), "-o", os.path.join(folder, "top.pit"), str(pid)], stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True, env=dict(os.environ, TERM="xterm-256color"))
        os.close(slave)
        self.master, self.bytes = master, 0
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        try:
            while True:
                self.bytes += len(os.read(self.master, 65536))
        except OSError:  # the other end is closed
            pass

    def finish(self):
        """CPU seconds of both of its processes, and the bytes that it drew."""
        os.write(self.master, b"q")
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.reader.join()
        os.close(self.master)
        return usage.ru_utime + usage.ru_stime, self.bytes


def run_once(python, options, how, folder):
    """(seconds of the target's work, CPU seconds of the profiler, bytes drawn)"""
    with targets.Target(python, "work.py", "--iterations", options.iterations, hold=True) as target:
        helper = Viewed(target.pid, options.rate, folder) if how == "top" else tools.PITVIPER.attach(target.pid, options.rate, None)
        time.sleep(SETTLE)
        target.go()
        wall = target.finish()["wall"]
        if how == "top":
            cpu, drawn = helper.finish()
            return wall, cpu, drawn
        return wall, helper.result().cpu, 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.13", help="versions, comma-separated, or all")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3, help="how long the work takes alone")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=3, help="of the order within pairs")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    folder = str(peers.OUT)
    os.makedirs(folder, exist_ok=True)
    print("%s\nwork.py below top and below attach, %d Hz, %d pairs, order by coin" % (machine.describe(), options.rate, options.pairs))
    table = Table("version", "top / attach", "95 %", "CPU of top", "CPU of attach", "drawn a second", "noisy pairs")
    for version, python in targets.pick_pythons(options.pythons, []):
        with targets.Target(python, "work.py", 1.5) as target:
            progress = target.finish()
        options.iterations = max(1, int(progress["progress"] / progress["wall"] * options.seconds))
        ratios, cpu, drawn, noisy = [], {"top": [], "attach": []}, [], 0
        for pair in range(options.pairs):
            say("%s pair %d" % (version, pair + 1))
            order = ["top", "attach"]
            rng.shuffle(order)
            wall = {}
            with machine.Quiet() as quiet:
                for how in order:
                    wall[how], used, size = run_once(python, options, how, folder)
                    cpu[how].append(used / (wall[how] + SETTLE))
                    if how == "top":
                        drawn.append(size / (wall[how] + SETTLE))
            noisy += quiet.noisy
            ratios.append(math.log(wall["top"] / wall["attach"]))
        low, high = (math.exp(value) for value in figures.median_interval(ratios))
        table.add(version, "%.3f" % math.exp(figures.median(ratios)), "%.3f..%.3f" % (low, high), "%.1f %%" % (100 * figures.median(cpu["top"])),
                  "%.1f %%" % (100 * figures.median(cpu["attach"])), "%.0f bytes" % figures.median(drawn), "%d of %d" % (noisy, options.pairs))
    table.show()
    print("bar: the target takes no longer below top than below attach (missed only if the interval's lower end lies above 1)")
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
