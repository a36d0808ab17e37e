"""Recordings at their limits: a disk that is really full, restarts in a long one, what a killed writer leaves, rings."""
import json
import os
import signal
import subprocess
import sys

import pytest

import pit
from test_recording import LOOP

# Stacks that are never the same again, of functions with long names that do not pack: megabytes in a second.
ENTROPY = """
import base64, random, sys, time
COUNT, DEPTH, NAME = 2000, 200, %d
pick = random.Random(1)
call = "def f%%d(path, i):\\n    return F[path[i]](path, i + 1) if i < {} else pause()\\n".format(DEPTH)
space = {"clock": time.perf_counter}
exec("def pause():\\n    end = clock() + 0.002\\n    while clock() < end:\\n        pass\\n" + "".join(call %% n for n in range(COUNT)), space)
F = space["F"] = [space["f%%d" %% n] for n in range(COUNT)]
for f in F:
    name = base64.b85encode(bytes(pick.choices(range(256), k=NAME))).decode()
    f.__code__ = f.__code__.replace(co_name=name, **({"co_qualname": name} if hasattr(f.__code__, "co_qualname") else {}))
sys.setrecursionlimit(10000)
print("ready", flush=True)
while True:
    path = pick.choices(range(COUNT), k=DEPTH + 1)
    F[path[0]](path, 1)
"""
NAMES, STACKS = ENTROPY % 2600, ENTROPY % 250


def readable(run, path):
    """The document's reader and the report agree, however early the file ends."""
    mine, report = pit.Recording(path.read_bytes()), run("report", "--json", path).ok().json
    assert report["ticks"] == len(mine.ticks) and report["samples"] == sum(mine.samples.values())
    return mine, report


def test_a_long_recording_can_be_read_from_a_restart_on(run, start_target, tmp_path):
    target = start_target(sys.executable, NAMES)
    run("attach", "--no-source", "-d", "2.5", "-o", "long.pit", str(target.pid)).ok()
    whole = run("report", "--json", "long.pit").ok().json
    assert whole["recording"]["complete"] and whole["recording"]["restarts"] >= 1
    data = bytearray((tmp_path / "long.pit").read_bytes())
    places = list(pit.chunks(bytes(data)))
    restart = next(at for at, kind, _, _ in places if kind == pit.RESTART)
    assert restart > 4 << 20
    data[places[0][0] + 30] ^= 1  # the first chunk, which all up to the restart need
    (tmp_path / "hurt.pit").write_bytes(data)
    hurt, report = readable(run, tmp_path / "hurt.pit")
    assert report["recording"]["gaps"] == 1 and report["recording"]["bytes_lost"] == restart - places[0][0]
    assert 0 < len(hurt.ticks) < whole["ticks"]


def full_disk(folder, size, *words):
    """Runs a program with a file system of this size mounted at `folder` for it alone, and brings what it left to `kept`."""
    disk, kept = folder / "disk", folder / "kept"
    disk.mkdir(exist_ok=True)
    kept.mkdir(exist_ok=True)
    within = "mount -t tmpfs -o size=%s none %s || exit 99; \"$@\"; status=$?; cp %s/* %s; exit $status" % (size, disk, disk, kept)
    return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", within, "sh", *map(str, words)],
                          cwd=folder, capture_output=True, text=True, errors="replace", timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture
def disks(tmp_path):
    if os.geteuid() != 0 or full_disk(tmp_path, "64k", "true").returncode == 99 or full_disk(tmp_path, "64k", "true").stderr.startswith("unshare"):
        pytest.skip("a file system of one's own needs root and namespaces")
    return lambda size, *words: full_disk(tmp_path, size, *words)


def test_a_disk_that_is_full_leaves_what_was_written(disks, pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, STACKS)
    attach = [pitviper, "attach", "--no-source", "-d", "2"]
    done = disks("200k", *attach, "-o", "disk/full.pit", target.pid)
    assert done.returncode == 3 and "No space left" in done.stderr
    mine, report = readable(run, tmp_path / "kept" / "full.pit")
    assert not mine.complete and report["ticks"] > 0 and report["recording"]["bytes_lost"] == 0
    # There is no room to rewrite in: the file stays whole up to where it was written, and nothing lies about.
    for option in (["--last", "1s"], ["--max-size", "1M"]):
        for left in (tmp_path / "kept").iterdir():
            left.unlink()
        done = disks("400k", *attach, *option, "-o", "disk/bound.pit", target.pid)
        assert done.returncode == 3 and "No space left" in done.stderr
        readable(run, tmp_path / "kept" / "bound.pit")
        assert [path.name for path in (tmp_path / "kept").iterdir()] == ["bound.pit"]
    # What is written aside is not there at all, or what it was before.
    whole = tmp_path / "kept" / "bound.pit"
    for words in (["merge", "-o", "disk/out.pit", whole, whole], ["export", "--format", "jsonl", "-o", "disk/out.jsonl", whole],
                  ["export", "--format", "html", "-o", "disk/out.html", whole], ["diff", "--html", "disk/out.html", whole, whole]):
        for left in (tmp_path / "kept").glob("out*"):
            left.unlink()
        done = disks("16k", pitviper, *words)
        assert done.returncode == 3 and "No space left" in done.stderr, done.stderr
        assert not list((tmp_path / "kept").glob("out*"))


def test_what_a_killed_writer_left_is_cleaned_away(run, start_target, tmp_path):
    target = start_target(sys.executable, LOOP)
    run("attach", "-d", "0.2", "-o", "app.pit", str(target.pid)).ok()
    whole = (tmp_path / "app.pit").read_bytes()
    (tmp_path / "app.pit.part").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "app.pit.thin").write_bytes(whole[:4])
    (tmp_path / "other.pit.part").write_bytes(whole)
    run("attach", "-d", "0.2", "-o", "app.pit", str(target.pid)).ok()
    assert sorted(path.name for path in tmp_path.glob("*.pit*")) == ["app.pit", "other.pit.part"]
    # Somebody else's file of that name stays.
    (tmp_path / "app.pit.part").write_text("a download")
    run("attach", "-d", "0.2", "-o", "app.pit", str(target.pid)).ok()
    assert (tmp_path / "app.pit.part").read_text() == "a download"


def test_a_kill_while_it_rewrites_leaves_a_whole_recording(pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, STACKS)
    command = [pitviper, "attach", "--no-source", "--max-size", "1M", "-r", "3k", "-d", "10", "-o", tmp_path / "thin.pit", str(target.pid)]
    rewriting = tmp_path / "thin.pit.thin"
    for _ in range(6):  # it may be there for a few milliseconds only, once in ten seconds
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        while process.poll() is None and not rewriting.exists():
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        if rewriting.exists():
            break
    assert rewriting.exists()
    mine, _ = readable(run, tmp_path / "thin.pit")
    assert mine.ticks
    run("attach", "-d", "0.2", "-o", "thin.pit", str(target.pid)).ok()
    assert [path.name for path in tmp_path.glob("thin*")] == ["thin.pit"]


def test_a_ring_says_that_it_is_one(pitviper, run, start_target, tmp_path):
    target = start_target(sys.executable, LOOP)
    run("attach", "--last", "20s", "-d", "0.3", "-o", "all.pit", str(target.pid)).ok()
    report = run("report", "--json", "all.pit").ok().json
    assert report["kept"] == {"one_tick_in": 1, "last_ns": 20_000_000_000, "dropped": False}
    assert "nothing was dropped" in " ".join(run("report", "all.pit").ok().out.split())
    run("attach", "--last", "1s", "-d", "3.5", "-o", "ring.pit", str(target.pid)).ok()
    report = run("report", "--json", "ring.pit").ok().json
    assert report["kept"] == {"one_tick_in": 1, "last_ns": 1_000_000_000, "dropped": True}
    assert report["counters"]["ticks_taken"] > report["ticks"]
    text = " ".join(run("report", "ring.pit").ok().out.split())
    assert "recorded with --last 1.00 s; the counts here are of all" in text
    run("attach", "-d", "0.2", "-o", "plain.pit", str(target.pid)).ok()
    assert json.loads(run("report", "--json", "plain.pit").ok().out)["kept"] == {"one_tick_in": 1, "last_ns": 0, "dropped": False}
