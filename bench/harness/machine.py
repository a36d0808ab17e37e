"""The machine: is it idle, and who else ran during a measurement."""

import os
import resource
import time

TICK = os.sysconf("SC_CLK_TCK")
IDLE_CORES = 0.10  # others may use this much of one core


def read_stat():
    """(seconds busy, seconds stolen) of all cores since the start."""
    with open("/proc/stat") as stat:
        fields = [int(word) for word in stat.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq) / TICK, steal / TICK


def busy_cores(seconds=0.4):
    before, _ = read_stat()
    time.sleep(seconds)
    return (read_stat()[0] - before) / seconds


def wait_idle(limit=15.0):
    """Wait until nothing else runs, for so long at most; how many cores were busy at the end."""
    end = time.monotonic() + limit
    while True:
        busy = busy_cores()
        if busy <= IDLE_CORES or time.monotonic() > end:
            return busy


def own_cpu():
    """CPU seconds of this program and of its children that have ended."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total


class Quiet:
    """How quiet a measurement was: wrap it, after its children have been waited for.

    `others` is the CPU that anybody else used meanwhile, in cores; `steal` what
    the hypervisor took.
    """

    noisy_runs = 0
    runs = 0

    def __enter__(self):
        self.before = wait_idle()
        self.begin = time.monotonic()
        self.stat, self.cpu = read_stat(), own_cpu()
        return self

    def __exit__(self, *_):
        elapsed = max(time.monotonic() - self.begin, 1e-3)
        busy, steal = read_stat()
        self.others = max(0.0, (busy - self.stat[0]) - (own_cpu() - self.cpu)) / elapsed
        self.steal = (steal - self.stat[1]) / elapsed
        self.noisy = self.before > IDLE_CORES or self.others > IDLE_CORES or self.steal > 0.02
        Quiet.runs += 1
        Quiet.noisy_runs += self.noisy

    def mark(self):
        return "*" if self.noisy else ""


def verdict_of_quiet():
    """The line under a table."""
    if Quiet.noisy_runs:
        return (
            "the machine was not idle in %d of %d runs (marked *, or no under idle): others used more than %.0f %% of a core, or time was stolen;\n"
            "take these figures as bounds, not as measurements" % (Quiet.noisy_runs, Quiet.runs, IDLE_CORES * 100)
        )
    return "the machine was idle in all %d runs" % Quiet.runs


def describe():
    model = "unknown CPU"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return "%d cores, %s, Linux %s" % (os.cpu_count(), model, os.uname().release)
