"""report and export on recordings that `run` made, whole and damaged."""
import json
import subprocess
import sys

import pytest

APP = """
import threading, time

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

def nap():
    time.sleep(0.6)

sleeper = threading.Thread(target=nap, name="nap;per")
sleeper.start()
spin(0.5)
sleeper.join()
"""


@pytest.fixture
def recording(run, script, tmp_path):
    done = run("run", "-o", "app.pit", "--rate", "2000", "--python", sys.executable, script(APP))
    assert (tmp_path / "app.pit").exists(), done.err
    return tmp_path / "app.pit"


def collapsed(text):
    """{stack: count}, by the rule of the flame graph programs."""
    counts = {}
    for line in text.splitlines():
        stack, count = line.rsplit(" ", 1)
        counts[stack] = counts.get(stack, 0) + int(count)
    return counts


def test_json_adds_up(run, recording):
    report = run("report", "--json", recording).ok().json
    assert report["format"] == "pitviper report" and report["version"] == 1
    assert report["recording"]["complete"] is True and report["recording"]["damage"] is None
    assert sum(f["self"]["hits"] for f in report["functions"]) == report["hits"] > 0
    assert sum(t["hits"] for t in report["threads"]) == report["hits"]
    assert sum(p["hits"] for p in report["processes"]) == report["hits"]
    for row in report["functions"] + report["lines"]:
        for part in (row["self"], row["total"]):
            assert 0 <= part["low"] <= part["share"] <= part["high"] <= 1
            assert part["share"] == pytest.approx(part["hits"] / report["hits"])
        assert row["total"]["hits"] >= row["self"]["hits"]
    hottest = [f["function"] for f in report["functions"][:4]]
    assert "spin" in hottest
    source = {line["line"]: line["source"] for line in report["lines"] if line["function"] == "spin"}
    for number, text in source.items():
        assert text == APP.splitlines()[number - 1]


def test_views_take_their_part(run, recording):
    wall = run("report", "--json", recording).ok().json
    cpu = run("report", "--json", "--mode", "cpu", recording).ok().json
    assert cpu["hits"] == sum(t["on_cpu_samples"] for t in wall["threads"]) < wall["hits"]
    gil = run("report", "--json", "--mode", "gil", recording).ok().json
    assert gil["hits"] == sum(t["has_gil_samples"] for t in wall["threads"])
    one = run("report", "--json", "--thread", "MainThread", recording).ok().json
    assert one["hits"] == next(t["hits"] for t in wall["threads"] if t["name"] == "MainThread")


def test_collapsed_stacks_are_those_of_the_report(run, recording, tmp_path):
    report = run("report", "--json", recording).ok().json
    counts = collapsed(run("export", "--format", "collapsed", recording).ok().out)
    assert sum(counts.values()) == report["hits"]
    app = str(tmp_path / "app.py")
    spin = sum(n for stack, n in counts.items() if any(f.startswith(f"spin ({app}:") for f in stack.split(";")))
    assert spin == next(f["total"]["hits"] for f in report["functions"] if f["function"] == "spin")
    by_thread = collapsed(run("export", "--threads", "-o", "out.txt", recording).ok().out or (tmp_path / "out.txt").read_text())
    assert {stack.split(";")[0] for stack in by_thread} == {"MainThread", "nap:per"}
    assert sum(by_thread.values()) == report["hits"]


def test_text_is_for_people(run, recording):
    text = run("report", "--width", "80", recording).ok().out
    assert max(map(len, text.splitlines())) <= 80
    for part in ("spin", "95 % intervals", "how far to trust this", "hottest lines", "the heaviest path", "while time.perf_counter() < end:"):
        assert part in text
    assert "\x1b" not in text
    only = run("report", "--sort", "total", recording).ok().out
    assert "(total)" in only and "(self)" not in only


def test_reads_a_pipe(pitviper, run, recording):
    with open(recording, "rb") as file:
        through = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        done = subprocess.run([pitviper, "report", "--json", "-"], stdin=through.stdout, capture_output=True, timeout=60)
        through.stdout.close()
        through.wait()
    assert json.loads(done.stdout) == run("report", "--json", recording).json


def test_shows_all_before_the_damage(run, recording, tmp_path):
    data = recording.read_bytes()
    cut = tmp_path / "cut.pit"
    cut.write_bytes(data[: len(data) - 30])
    done = run("report", "--width", "80", cut).ok()
    assert done.out.startswith("this recording is not whole")
    flipped = tmp_path / "flipped.pit"
    flipped.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    assert run("report", "--json", flipped).ok().json["recording"]["damage"]
    exported = run("export", cut).ok()
    assert "not whole" in exported.err


@pytest.mark.parametrize(
    "content, word",
    [(b"", "empty"), (b"print('hello')\n", "not a recording"), (b"\x8bPIT\r\n\x1a", "cut off"), (b"\x8bPIT\r\n\x1a\n" + bytes(8), "damaged")],
)
def test_refuses_what_is_no_recording_in_one_line(run, tmp_path, content, word):
    path = tmp_path / "odd.pit"
    path.write_bytes(content)
    done = run("report", path)
    assert done.status == 3 and done.out == ""
    assert done.err.count("\n") == 1 and word in done.err and "odd.pit" in done.err


def test_a_rate_that_cannot_be_met_is_said_with_one_that_could(run, script):
    for rate in ("1M", "100"):
        run("run", "-o", "rate.pit", "--rate", rate, "--python", sys.executable, script(APP))
        notes = {note["about"]: note["text"] for note in run("report", "--json", "rate.pit").ok().json["notes"]}
        assert ("rate" in notes) == (rate == "1M"), notes
        if rate == "1M":
            named = int(notes["rate"].rpartition("--rate ")[2].split()[0])
            assert 100 <= named < 500000


def test_refuses_wrong_words(run, recording):
    for words in (["report"], ["report", recording, "two.pit"], ["report", "--mode", "fast", recording], ["export", "--format", "gif", recording]):
        done = run(*words)
        assert done.status == 2 and done.err.count("\n") == 1, words
    assert run("report", "/nonexistent.pit").status == 3
    assert run("export", "-o", "/nonexistent/out", recording).status == 3
    full = run("export", "-o", "/dev/full", recording)
    assert full.status == 3 and "/dev/full" in full.err
