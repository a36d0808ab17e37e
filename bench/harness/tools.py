"""The profilers, each behind the same few words: attach, wait, result."""

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from . import mojo, peers

FRAME = re.compile(r"^(.*) \((.*?)(?::(\d+))?\)$", re.S)


class Result:
    """What a profiler said of a run, in the same terms for all.

    samples   stacks that it kept          rejected  those that it says it threw away
    missed    ticks that it did not take   repaired  those that it says it mended
    seconds   that it sampled              cpu       CPU seconds that it used itself, start to end
    stacks    Counter of ((name, file, line), ...), outermost first
    """

    def __init__(self, tool, hz):
        self.tool, self.hz = tool, hz
        self.samples = self.rejected = self.seconds = self.cpu = 0
        self.repaired = self.missed = self.late = self.asked = None
        self.sampling_cpu = None  # the part of cpu that went into sampling, where the tool tells
        self.longest_gap = None
        self.peak_kb = 0
        self.stacks = collections.Counter()
        self.notes = []

    @property
    def rate(self):
        return self.samples / self.seconds if self.seconds else 0.0

    def share(self, part):
        taken = self.samples + self.rejected
        return part / taken if taken else 0.0


class Failed(Exception):
    pass


class Tool:
    name = "?"
    top_hz = 1_000_000  # what is asked for when the highest rate is wanted
    everything = False  # all threads and child processes, where that has to be asked for

    def can(self, version):
        return True

    def missing(self):
        """Why it can't be run here, or None."""
        return None if self.command() else "not found"

    def attach(self, pid, hz, seconds):
        return Attached(self, pid, hz, seconds)

    def measure(self, pid, hz, seconds):
        return self.attach(pid, hz, seconds).result()


class Attached:
    """A profiler at work."""

    def __init__(self, tool, pid, hz, seconds):
        self.tool, self.hz, self.asked_seconds = tool, hz, seconds
        self.folder = tempfile.mkdtemp(prefix="bench-")
        self.out = os.path.join(self.folder, "out")
        self.log_path = os.path.join(self.folder, "log")
        with open(self.log_path, "wb") as log:
            self.begin = time.monotonic()
            self.process = subprocess.Popen(
                tool.words(pid, hz, seconds, self.out), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=dict(os.environ, NO_COLOR="1", PYTHON_COLORS="0"),
            )
        self.pid = self.process.pid

    def end(self):
        """Ask it to stop now."""
        try:
            self.process.send_signal(signal.SIGINT)
        except ProcessLookupError:
            pass

    def result(self):
        _, status, usage = os.wait4(self.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        result = Result(self.tool, self.hz)
        result.seconds = time.monotonic() - self.begin
        result.cpu = usage.ru_utime + usage.ru_stime
        result.peak_kb = usage.ru_maxrss
        with open(self.log_path, errors="replace") as log:
            text = log.read()
        try:
            self.tool.read(result, self.out, text)
        except (OSError, ValueError, KeyError, AttributeError, mojo.Damaged, subprocess.CalledProcessError) as error:
            last = text.strip().splitlines()[-1:] or ["said nothing"]
            raise Failed("%s ended with %d: %s (%s)" % (self.tool.name, self.process.returncode, last[0], error))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return result


def read_collapsed(path, frame):
    """A collapsed file; `frame` turns a frame's text into (name, file, line) or None."""
    stacks = collections.Counter()
    with open(path, errors="replace") as lines:
        for line in lines:
            text, _, count = line.rstrip("\n").rpartition(" ")
            if text:
                stacks[tuple(f for f in map(frame, text.split(";")) if f)] += int(count)
    return stacks


def named_frame(text):
    """`name (file:line)`; pseudo frames have no place."""
    match = FRAME.match(text)
    return (match.group(1), match.group(2), int(match.group(3) or 0)) if match else (text, "", 0)


class Pitviper(Tool):
    name = "pitviper"

    def command(self):
        path = peers.pitviper()
        return [path] if path else None

    def words(self, pid, hz, seconds, out):
        words = self.command() + ["attach", "--rate", str(int(hz)), "-o", out]
        return words + (["--duration", str(seconds)] if seconds else []) + [str(pid)]

    def report(self, out):
        told = subprocess.run(self.command() + ["report", "--json", out], stdout=subprocess.PIPE, check=True)
        return json.loads(told.stdout)

    def read(self, result, out, log):
        report = self.report(out)
        counters = report["counters"] or {}
        result.samples = report["samples"]
        result.rejected, result.repaired = report["rejected"], report["repaired"]
        result.seconds = report["wall_ns"] / 1e9
        result.asked, result.late = counters.get("ticks_due"), counters.get("ticks_late")
        result.missed = counters.get("ticks_missed")
        result.sampling_cpu = counters.get("profiler_cpu_ns", 0) / 1e9
        result.longest_gap = counters.get("longest_gap_ns", 0) / 1e9
        result.notes = [note["text"] for note in report["notes"]]
        result.counters = counters
        collapsed = out + ".txt"
        subprocess.run(self.command() + ["export", "--format", "collapsed", "-o", collapsed, out], check=True)
        result.stacks = read_collapsed(collapsed, named_frame)


class PySpy(Tool):
    name = "py-spy"
    top_hz = 20_000

    def __init__(self, blocking=True):
        self.blocking = blocking
        self.name = "py-spy" if blocking else "py-spy nonblocking"

    def can(self, version):
        return version != "3.15"

    def command(self):
        return peers.py_spy()

    def words(self, pid, hz, seconds, out):
        words = self.command() + ["record", "--full-filenames", "--idle", "-f", "raw", "-r", str(int(hz)), "-o", out]
        words += ["-d", str(max(1, round(seconds)))] if seconds else []
        words += ["--subprocesses"] if self.everything else []
        return words + ([] if self.blocking else ["--nonblocking"]) + ["-p", str(pid)]

    def read(self, result, out, log):
        told = re.search(r"Samples: (\d+) Errors: (\d+)", log)
        result.samples, result.rejected = int(told.group(1)), int(told.group(2))
        result.stacks = read_collapsed(out, named_frame)
        result.samples = sum(result.stacks.values()) or result.samples


class Austin(Tool):
    name = "austin"

    def can(self, version):
        return version not in ("3.8", "3.15")

    def command(self):
        return peers.austin()

    def words(self, pid, hz, seconds, out):
        words = self.command() + ["-i", "%dus" % max(1, round(1e6 / hz)), "-o", out] + (["-C"] if self.everything else [])
        return words + (["-x", str(max(1, round(seconds)))] if seconds else []) + ["-p", str(pid)]

    def read(self, result, out, log):
        with open(out, "rb") as data:
            facts, result.stacks, invalid = mojo.read(data.read())
        result.samples = sum(result.stacks.values())
        result.rejected = int(facts.get("errors", "0").partition("/")[0])
        if "duration" in facts:
            result.seconds = int(facts["duration"]) / 1e6
        result.asked = int(result.seconds * result.hz)
        result.missed = max(0, result.asked - result.samples)


class Tachyon(Tool):
    name = "tachyon"

    def __init__(self, blocking=False):
        self.blocking = blocking
        self.name = "tachyon blocking" if blocking else "tachyon"

    def can(self, version):
        return version == "3.15"

    def command(self):
        return peers.tachyon()

    def words(self, pid, hz, seconds, out):
        words = self.command() + ["attach", "-r", str(int(hz)), "--collapsed", "-o", out]
        words += ["-d", str(max(1, round(seconds)))] if seconds else []
        words += ["-a"] if self.everything else []  # its child processes get a file each
        return words + (["--blocking"] if self.blocking else []) + [str(pid)]

    @staticmethod
    def frame(text):
        if text.startswith("tid:"):
            return None
        file, name, line = (text.rsplit(":", 2) + ["0", "0"])[:3]
        return (name, file, int(line)) if line.isdigit() else (text, "", 0)

    def read(self, result, out, log):
        took = re.search(r"Captured ([\d,]+) samples in ([\d.]+) seconds", log)
        result.samples, result.seconds = int(took.group(1).replace(",", "")), float(took.group(2))
        errors = re.search(r"Error rate: ([\d.]+)", log)
        result.stacks = read_collapsed(out, self.frame)
        kept = sum(result.stacks.values())
        # It counts what it tried; the share of errors is what it could not read.
        result.rejected = round(result.samples * float(errors.group(1)) / 100) if errors else result.samples - kept
        result.samples = kept
        missed = re.search(r"missed ([\d,]+) samples from the expected total of ([\d,]+)", log)
        if missed:
            result.missed, result.asked = (int(text.replace(",", "")) for text in missed.groups())
        else:
            result.missed, result.asked = 0, kept + result.rejected


PITVIPER, AUSTIN, TACHYON = Pitviper(), Austin(), Tachyon()
PY_SPY, PY_SPY_NONBLOCKING, TACHYON_BLOCKING = PySpy(), PySpy(False), Tachyon(True)
ALL = [PITVIPER, AUSTIN, PY_SPY, PY_SPY_NONBLOCKING, TACHYON, TACHYON_BLOCKING]


def usable(version, tools=ALL, only=None):
    """Those of the tools that are here and can read this version; says once what is missing."""
    kept = []
    for tool in tools:
        if only and tool.name not in only:
            continue
        if not tool.can(version):
            continue
        if tool.missing():
            if tool.name not in usable.told:
                usable.told.add(tool.name)
                print("(%s: %s, left out)" % (tool.name, tool.missing()))
            continue
        kept.append(tool)
    return kept


usable.told = set()
