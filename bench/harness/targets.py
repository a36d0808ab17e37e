"""Targets: a program of bench/programs, started and held until its profiler is there."""

import os
import subprocess
import sys

from .peers import OUT, PROGRAMS, pythons


class Target:
    """A running program that has said "ready".

    go() lets a held one begin; finish() waits for its end and returns what its
    progress line says: {"progress": n, "wall": s, "cpu": s, "switches": n}.
    """

    def __init__(self, python, program, *words, hold=False, cpu=None):
        path = program if os.path.isabs(str(program)) else str(PROGRAMS / program)
        self.file = os.path.realpath(path)
        self.python = python
        environment = dict(os.environ, PYTHONHASHSEED="0")
        environment.pop("PACE_HOLD", None)
        if hold:
            environment["PACE_HOLD"] = "1"

        def keep_to_core():
            os.sched_setaffinity(0, {cpu})

        self.process = subprocess.Popen(
            [python, "-u", path] + [str(word) for word in words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, universal_newlines=True,
            preexec_fn=keep_to_core if cpu is not None else None,
        )
        self.said = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("%s ended before it was ready" % path)
            if line.strip() == "ready":
                break
            self.said.append(line.strip())
        self.pid = self.process.pid

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self):
        out, _ = self.process.communicate()
        for line in out.splitlines():
            words = line.split()
            if words and words[0] == "progress":
                return dict(zip(words[::2], map(float, words[1::2])))
        raise RuntimeError("%s said nothing of its progress: %r" % (self.file, out))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def calltree(seed=11):
    """Make the generated call tree; the paths of the program and of its facts."""
    folder = OUT / ("calltree-%d" % seed)
    subprocess.run([sys.executable, str(PROGRAMS / "make_calltree.py"), str(folder), str(seed)], check=True)
    return str(folder / "calltree.py"), str(folder / "calltree.json")


def pick_pythons(wanted, default):
    """[(version, path)] from a comma-separated list, or the default list; those that are there."""
    there = pythons()
    names = there if wanted == "all" else (wanted.split(",") if wanted else default)
    return [(name, there[name]) for name in names if name in there]
