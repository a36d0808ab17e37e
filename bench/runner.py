#!/usr/bin/env python3
"""What pitviper's runner costs for each process, above posix_spawn and wait. bench/README.md says how to read it."""

import argparse
import json
import os
import subprocess
import time

from harness import figures, machine, peers
from harness.figures import Table, say

BAR_MS = 1.0


def spawn(seconds, path):
    """Milliseconds that one process takes by posix_spawn and waitpid, one after the other."""
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        os.waitpid(os.posix_spawn(path, [path], os.environ), 0)
        count += 1
    return 1e3 * (time.perf_counter() - begin) / count


def prove(seconds, path):
    """All that pitviper takes for a process, its own part included, and what it says that the process took."""
    words = [peers.pitviper(), "prove", "--json", "--budget", "%gs" % seconds, "--same", "0.0001%", path, path]
    told = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=False).stdout)
    return 1e3 * told["seconds"] / told["runs"], 1e3 * told["metrics"]["wall"]["a"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    path = "/bin/true"
    # All on one CPU, so that none of the two runs processes side by side, and both pay for every switch.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print("%s\nmilliseconds for one process of %s, one after the other on one CPU" % (machine.describe(), path))
    spawned, proved, measured = [], [], []
    with machine.Quiet():
        for index in range(options.rounds):
            say("round %d" % (index + 1))
            spawned.append(spawn(options.seconds, path))
            total, wall = prove(options.seconds, path)
            proved.append(total)
            measured.append(wall)
    above = [one - other for one, other in zip(proved, spawned)]
    table = Table("by", "ms a process", "above posix_spawn", "bar", "met")
    table.add("posix_spawn", figures.spread(spawned), None, None, None)
    table.add("pitviper, as it measures", figures.spread(measured), figures.spread([m - s for m, s in zip(measured, spawned)]),
              None, None)
    table.add("pitviper, all of it", figures.spread(proved), figures.spread(above), BAR_MS,
              "yes" if figures.median(above) <= BAR_MS else "no")
    table.show()


if __name__ == "__main__":
    main()
