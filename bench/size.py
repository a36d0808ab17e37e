#!/usr/bin/env python3
"""How many bytes a sample the profilers write at 10 kHz, of the course's sample application. bench/README.md says how to
read it."""

import argparse
import glob
import os
import subprocess
import tempfile
import time

from harness import machine, peers, targets, tools
from harness.figures import Table, say

BAR = 4.0
PROGRAM = glob.glob(str(peers.ROOT / "course/*/02-profiling-tools/examples/example1.py"))[0]


def sized(tool):
    """The tool, told to note how large its file was before it is read."""

    class Sized(type(tool)):
        def read(self, result, out, log):
            result.bytes = os.path.getsize(out)
            super().read(result, out, log)

    tool.__class__ = Sized
    return tool


class NoSource(tools.Pitviper):
    name = "pitviper --no-source"

    def words(self, pid, hz, seconds, out):
        words = super().words(pid, hz, seconds, out)
        return words[:-1] + ["--no-source", words[-1]]


class TachyonBinary(tools.Tachyon):
    """Its binary format; `replay` counts what is in it."""

    name = "tachyon --binary"

    def __init__(self):
        self.blocking = False

    def words(self, pid, hz, seconds, out):
        return ["--binary" if word == "--collapsed" else word for word in tools.Tachyon.words(self, pid, hz, seconds, out)]

    def read(self, result, out, log):
        with tempfile.TemporaryDirectory() as folder:
            collapsed = os.path.join(folder, "collapsed")
            subprocess.run(self.command() + ["replay", "--collapsed", "-o", collapsed, out], check=True, stdout=subprocess.DEVNULL)
            result.samples = sum(tools.read_collapsed(collapsed, self.frame).values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.13,3.15", help="versions, comma-separated, or all")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--tools", type=lambda text: text.split(","))
    options = parser.parse_args()
    every = [tools.Pitviper(), NoSource(), tools.Austin(), tools.PySpy(False), TachyonBinary()]
    every = [sized(tool) for tool in every]
    print("%s\n%s at %d Hz for %g s, attached" % (machine.describe(), os.path.basename(PROGRAM), options.rate, options.seconds))
    table = Table("version", "tool", "samples", "bytes", "bytes a sample", "bar", "met", "idle")
    for version, python in targets.pick_pythons(options.pythons, []):
        for tool in tools.usable(version, every, options.tools):
            say("%s, %s" % (version, tool.name))
            # It would end by itself after its default of rounds.
            process = subprocess.Popen([python, PROGRAM, "1000000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                time.sleep(0.3)
                with machine.Quiet() as quiet:
                    result = tool.measure(process.pid, options.rate, options.seconds)
            except tools.Failed as error:
                print("%s %s" % (version, error))
                continue
            finally:
                process.kill()
                process.wait()
            share = result.bytes / max(1, result.samples)
            ours = tool.name == "pitviper"
            table.add(
                version, tool.name, result.samples, result.bytes, "%.2f" % share, "%g" % BAR if ours else None,
                None if not ours else "yes" if share <= BAR else "no", "no" if quiet.noisy else "yes")
    table.show()
    print("\nbytes include the program's source text, which only pitviper keeps; py-spy's raw counts equal stacks together and has no order in time")
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
