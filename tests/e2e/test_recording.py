"""Recordings: read by a reader that knows the document only; cut short by kills, full disks and closed pipes."""
import collections
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest

import pit

APP = """
import os, sys, threading, time

class Deep:
    def down(self, n):
        return self.down(n - 1) if n else sum(range(2000))

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        Deep().down(20)

child = os.fork()
worker = threading.Thread(target=time.sleep, args=(0.8,), name="wörker")
worker.start()
spin(1.2)
worker.join()
if child:
    os.waitpid(child, 0)
"""

LOOP = """
import time
def work():
    return sum(range(500))
def loop():
    while True:
        work()
print("ready", flush=True)
loop()
"""


@pytest.fixture
def recording(run, script, tmp_path):
    done = run("run", "-o", "app.pit", "--rate", "5000", "--python", sys.executable, script(APP))
    assert (tmp_path / "app.pit").exists(), done.err
    return tmp_path / "app.pit"


def frame_text(frame):
    kind, name, file, line = frame
    if kind:
        return ["", "<garbage collector>", "<unknown callers>"][kind]
    place = "%s:%d" % (file, line) if line else file  # line 0: unknown
    return "%s (%s)" % (name.replace(";", ":"), place)


def same_as_report(run, path):
    mine = pit.Recording(path.read_bytes())
    report = run("report", "--json", path).ok().json
    told = report["recording"]
    assert (told["complete"], told["restarts"]) == (mine.complete, mine.restarts)
    assert report["ticks"] == len(mine.ticks)
    assert report["samples"] == sum(mine.samples.values()) > 0
    assert list(report["counters"].values())[: len(mine.counters)] == mine.counters
    programs = dict((key, value) for key, value in mine.metas if not key.startswith("note."))
    assert {key: value for key, value in report["program"].items() if value is not None} == {
        key: value for key, value in programs.items() if key in report["program"]}
    return mine, report


def test_a_reader_of_the_document_reads_the_same(run, recording):
    mine, report = same_as_report(run, recording)
    assert mine.complete and len(mine.processes) == 2
    for process in report["processes"]:
        theirs = mine.processes[process["id"]]
        assert {key: process[key] for key in theirs} == theirs
        if process["ended"]:
            assert {key: process[key] for key in mine.ends[process["id"]]} == mine.ends[process["id"]]
    for thread in report["threads"]:
        theirs = mine.threads[thread["id"]]
        assert (thread["process"], thread["tid"], thread["name"]) == (theirs["process"], theirs["tid"], theirs["name"])
        hits = [(flags, n) for (id, flags, _), n in mine.samples.items() if id == thread["id"]]
        assert thread["samples"] == sum(n for _, n in hits)
        assert thread["on_cpu_samples"] == sum(n for flags, n in hits if flags & 2)
        assert thread["has_gil_samples"] == sum(n for flags, n in hits if flags & 4)
    assert "wörker" in [thread["name"] for thread in report["threads"]]
    assert {source["path"]: source["sha256"] for source in report["sources"]} == {
        path: digest for path, (_, digest, _) in mine.sources.items()}
    stacks = collections.Counter()
    for (_, _, stack), n in mine.samples.items():
        stacks[";".join(map(frame_text, stack)) or "<no Python frame>"] += n
    exported = collections.Counter()
    for line in run("export", "--format", "collapsed", recording).ok().out.splitlines():
        stack, count = line.rsplit(" ", 1)
        exported[stack] += int(count)
    assert exported == stacks


def test_damage_in_the_middle_is_said_and_the_rest_is_read(run, recording, tmp_path):
    data = bytearray(recording.read_bytes())
    places = [at for at, kind, _, _ in pit.chunks(bytes(data)) if kind == pit.DATA]
    assert places
    data[places[-1] + 25] ^= 4
    (tmp_path / "hurt.pit").write_bytes(data)
    done = run("report", "hurt.pit")
    assert done.status == 0 and done.out.startswith("this recording is not whole")
    hurt = run("report", "--json", "hurt.pit").ok().json
    assert hurt["recording"]["complete"] is False and hurt["recording"]["damaged_at"] == places[-1]
    assert hurt["recording"]["bytes_lost"] > 0 and "bytes of the recording are damaged" in " ".join(done.out.split())


def test_a_killed_profiler_loses_a_second_at_most(pitviper, start_target, tmp_path):
    """200 times, at random moments; 40 at a time, because a second has to pass to see what is missing of it."""
    target = start_target(sys.executable, LOOP)
    pick, worst = random.Random(7), 0.0
    for batch in range(5):
        started = []
        for i in range(40):
            path = tmp_path / ("%d-%d.pit" % (batch, i))
            process = subprocess.Popen(
                [pitviper, "attach", "--rate", "200", "-o", path, str(target.pid)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            started.append((time.monotonic() + 0.05 + pick.random() * 2.2, process, path))
        for due, process, path in sorted(started, key=lambda entry: entry[0]):
            time.sleep(max(0, due - time.monotonic()))
            process.send_signal(signal.SIGKILL)
            killed = time.monotonic_ns()
            assert process.wait() == -signal.SIGKILL
            data = path.read_bytes() if path.exists() else b""
            if len(data) < 16:
                continue  # not begun
            mine = pit.Recording(data)
            assert not mine.complete
            if mine.ticks:
                worst = max(worst, (killed - mine.ticks[-1]) / 1e9)
                told = subprocess.run([pitviper, "report", "--json", path], stdout=subprocess.PIPE, check=True)
                assert json.loads(told.stdout)["ticks"] == len(mine.ticks)
            path.unlink()
    # One second of an open chunk, and what the machine was late by in killing it and in writing.
    assert worst < 1.5, worst


def test_a_killed_program_leaves_a_whole_recording(pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, LOOP)
    process = subprocess.Popen([pitviper, "attach", "-o", tmp_path / "t.pit", str(target.pid)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    os.kill(target.pid, signal.SIGKILL)
    assert process.wait(30) == 0
    mine, _ = same_as_report(run, tmp_path / "t.pit")
    assert mine.complete


def test_a_full_disk_leaves_what_was_written(pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, LOOP)

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

    done = subprocess.run(
        [pitviper, "attach", "-r", "10k", "-d", "3", "--no-source", "-o", tmp_path / "f.pit", str(target.pid)], stderr=subprocess.PIPE,
        text=True, preexec_fn=small)
    assert done.returncode == 3 and "cannot write the recording to" in done.stderr and "File too large" in done.stderr
    assert not pit.Recording((tmp_path / "f.pit").read_bytes()).complete
    report = run("report", "--json", "f.pit").ok().json
    assert report["ticks"] > 0 and "without its end mark" in report["recording"]["damage"]
    done = run("attach", "-d", "1", "-o", "/dev/full", str(target.pid))
    assert done.status == 3 and len(done.err.splitlines()) == 1 and "No space left" in done.err


def test_a_closed_pipe_ends_the_sampling_with_a_line(pitviper, start_target):
    target = start_target(sys.executable, LOOP)
    process = subprocess.Popen(
        [pitviper, "attach", "-o", "-", str(target.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(16)[:8] == pit.MAGIC
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3 and b"Broken pipe" in err


def test_a_pipe_carries_the_same_recording(pitviper, start_target):
    target = start_target(sys.executable, LOOP)
    done = subprocess.run(
        [pitviper, "attach", "-d", "0.5", "-o", "-", str(target.pid)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    mine = pit.Recording(done.stdout)
    assert mine.complete and mine.ticks
    told = subprocess.run([pitviper, "report", "--json", "-"], input=done.stdout, stdout=subprocess.PIPE, check=True)
    assert json.loads(told.stdout)["samples"] == sum(mine.samples.values())


def test_a_bound_and_a_ring_need_a_file_and_say_so(run, start_target):
    target = start_target(sys.executable, LOOP)
    for option in (["--last", "5s"], ["--max-size", "1M"]):
        done = run("attach", *option, "-o", "-", str(target.pid))
        assert done.status == 3 and done.out == "" and len(done.err.splitlines()) == 1 and option[0] in done.err
    done = run("attach", "--last", "5s", "--max-size", "1M", str(target.pid))
    assert done.status == 3 and len(done.err.splitlines()) == 1
    done = run("cut", str(target.pid))
    assert done.status == 3 and "no pitviper that records with --last" in done.err
    assert run("cut", "x").status == 2
    os.kill(target.pid, 0)  # not signalled


def test_a_ring_is_cut_on_demand_by_signal_and_at_the_end(pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, LOOP)
    process = subprocess.Popen(
        [pitviper, "attach", "--last", "1s", "-o", "ring.pit", str(target.pid)], cwd=tmp_path, stderr=subprocess.DEVNULL)
    time.sleep(3.5)
    done = run("cut", str(process.pid)).ok()
    assert done.out == "%s\n" % (tmp_path / "ring-1.pit")
    process.send_signal(signal.SIGRTMIN)
    deadline = time.monotonic() + 20
    while not (tmp_path / "ring-2.pit").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    firsts = []
    for name in ("ring-1.pit", "ring-2.pit", "ring.pit"):
        mine, report = same_as_report(run, tmp_path / name)
        assert mine.complete and list(mine.sources), name
        seconds = (mine.ticks[-1] - mine.ticks[0]) / 1e9
        assert 0.9 < seconds < 3, (name, seconds)
        assert report["processes"][0]["pid"] == target.pid
        firsts.append(mine.ticks[0])
    assert firsts == sorted(firsts)
    assert sorted(path.name for path in tmp_path.glob("*.p*t*")) == ["ring-1.pit", "ring-2.pit", "ring.pit"]


def test_a_killed_ring_is_readable(pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, LOOP)
    process = subprocess.Popen(
        [pitviper, "attach", "--last", "1s", "-o", tmp_path / "ring.pit", str(target.pid)], stderr=subprocess.DEVNULL)
    time.sleep(4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    mine, report = same_as_report(run, tmp_path / "ring.pit")
    assert not mine.complete and report["recording"]["bytes_lost"] == 0
    assert 0.5 < (mine.ticks[-1] - mine.ticks[0]) / 1e9 < 4


def test_the_recording_is_named_as_a_terminal_and_a_shell_take_it(run, tmp_path):
    name = "it's \x1b[31m $(red)\n.pit"
    done = run("run", "-o", name, sys.executable, "-c", "sum(range(10**7))")
    (line,) = [line for line in done.err.splitlines() if line.startswith("recording: ")]
    assert (tmp_path / name).exists() and "\x1b" not in line
    told = line[line.index("(pitviper report ") + len("(pitviper report "):-1]
    words = subprocess.run(["sh", "-c", "printf %s " + told], capture_output=True, text=True).stdout
    assert words == name.replace("\x1b", "?").replace("\n", "?")


@pytest.mark.parametrize("changed", [False, True])
def test_a_source_that_was_written_since_is_said(run, script, tmp_path, changed):
    program = script("import time\nprint('ready', flush=True)\nend = time.time() + 30\nwhile time.time() < end: pass\n")
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        time.sleep(0.2)
        if changed:
            with open(program, "a") as file:
                file.write("# more")
        out = tmp_path / "changed.pit"
        run("attach", "--duration", "0.3s", "-o", out, process.pid).ok()
    finally:
        process.kill()
        process.communicate()
    notes = [value for key, value in pit.Recording(out.read_bytes()).metas if key == "note.source"]
    assert ["was written after the program began" in note for note in notes] == [True] * changed, notes


def test_what_is_no_python_is_said(run):
    assert "ended before a CPython was seen to run in it" in run("run", "sleep", "0.2").err
