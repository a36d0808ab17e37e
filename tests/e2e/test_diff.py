"""Several runs in one recording, recordings merged, and two versions of a program compared."""
import subprocess
import sys

import pytest

SPIN = """
import time

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

def first():
    spin(0.03)
"""
BEFORE = SPIN + """
def second():
    spin(0.03)

first()
second()
"""
AFTER = "# a line that moves every other\n" + SPIN + """
def second():
    spin(0.09)

first()
second()
"""


@pytest.fixture
def recorded(run, script, tmp_path):
    """recorded(NAME, PROGRAM, RUNS): a recording of so many runs."""

    def record(name, program, runs):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "app.py").write_text(program)
        out = tmp_path / f"{name}.pit"
        run("run", "-o", out, "--repeat", str(runs), "--python", sys.executable, folder / "app.py").ok()
        return out

    return record


def hits(report):
    return {(f["function"], f["file"], f["first_line"]): (f["self"]["hits"], f["total"]["hits"]) for f in report["functions"]}


def test_repeat_makes_one_recording_of_fresh_runs(run, recorded):
    out = recorded("short", BEFORE, 20)
    report = run("report", "--json", out).ok().json
    assert len(report["runs"]) == 20 and len(report["processes"]) == 20
    assert len({p["pid"] for p in report["processes"]}) == 20
    assert [p["run"] for p in report["processes"]] == list(range(20))
    assert sum(r["hits"] for r in report["runs"]) == report["hits"]
    assert sum(r["wall_ns"] for r in report["runs"]) == report["wall_ns"]
    spin = next(f for f in report["functions"] if f["function"] == "spin")
    assert sum(r["self_hits"] for r in spin["between_runs"]["runs"]) == spin["self"]["hits"]
    between = spin["between_runs"]["self"]
    assert 0 < between["low"] < between["share"] < between["high"] < 1
    text = run("report", out).ok().out
    assert "20 runs" in text and "between 20 runs" in " ".join(text.split())


def test_merge_is_the_sum_by_function(run, recorded, tmp_path):
    parts = [recorded(name, BEFORE, runs) for name, runs in (("x", 1), ("y", 1), ("z", 2))]
    out = tmp_path / "merged.pit"
    done = run("merge", "-o", out, *parts).ok()
    assert "another command" in done.err  # x/app.py is not y/app.py
    assert not list(tmp_path.glob("*.part"))
    reports = [run("report", "--json", part).ok().json for part in parts]
    merged = run("report", "--json", out).ok().json
    assert merged["recording"]["complete"] and len(merged["runs"]) == 4
    assert merged["hits"] == sum(r["hits"] for r in reports)
    assert merged["wall_ns"] == sum(r["wall_ns"] for r in reports)
    assert merged["counters"]["ticks_taken"] == sum(r["counters"]["ticks_taken"] for r in reports)
    expected = {}
    for report in reports:
        for key, (own, total) in hits(report).items():
            before = expected.get(key, (0, 0))
            expected[key] = (before[0] + own, before[1] + total)
    assert hits(merged) == expected
    assert len({s["path"] for s in merged["sources"]}) == len(merged["sources"])


def test_merge_takes_damaged_files_up_to_the_damage_and_refuses_others(run, recorded, tmp_path):
    whole = recorded("whole", BEFORE, 2)
    out = tmp_path / "out.pit"
    cut = tmp_path / "cut.pit"
    cut.write_bytes(whole.read_bytes()[:-16])  # the end mark
    done = run("merge", "-o", out, whole, cut).ok()
    assert "cut.pit is not whole" in done.err
    assert len(run("report", "--json", out).ok().json["runs"]) == 4
    before = out.read_bytes()
    for content, says in ((b"", "empty"), (b"hello\n" * 10, "not a recording"), (whole.read_bytes()[:8], "cut off")):
        bad = tmp_path / "bad"
        bad.write_bytes(content)
        done = run("merge", "-o", out, whole, bad)
        assert done.status == 3 and says in done.err and done.err.count("\n") == 1
        assert out.read_bytes() == before  # what was there stays
    assert not list(tmp_path.glob("*.part"))
    assert run("merge", whole).status == 2
    assert run("merge", "-o", tmp_path / "app", tmp_path / "none.pit").status == 3


def test_a_run_that_fails_ends_the_series_with_its_status(run, script, tmp_path):
    program = script("import os, sys\nopen('count', 'a').write('x')\nsys.exit(7 if len(open('count').read()) > 1 else 0)\n")
    count = tmp_path / "count"
    done = run("run", "--repeat", "5", "-o", "fail.pit", "--python", sys.executable, program)
    assert done.status == 7 and "run 2 of 5 ended with status 7" in done.err
    assert count.read_text() == "xx"
    count.unlink()
    done = run("run", "--repeat", "4", "--keep-going", "-o", "fail.pit", "--python", sys.executable, program)
    assert done.status == 7 and count.read_text() == "xxxx"
    killed = script("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    done = run("run", "--repeat", "3", "-o", "fail.pit", "--python", sys.executable, killed)
    assert done.status == -15 and "run 1 of 3 ended by signal 15" in done.err


def test_input_is_read_anew_where_it_can_be(pitviper, script, tmp_path):
    program = script("import sys\nprint(len(sys.stdin.read()))\n")
    (tmp_path / "input").write_text("abcde")
    command = [str(pitviper), "run", "--repeat", "3", "-o", str(tmp_path / "in.pit"), "--python", sys.executable, str(program)]
    with open(tmp_path / "input") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, text=True)
    assert done.stdout.split() == ["5", "5", "5"] and "standard input" not in done.stderr
    done = subprocess.run(command, input="abcde", capture_output=True, text=True)
    assert done.stdout.split() == ["5", "0", "0"] and "only the first run had it" in done.stderr


def test_what_became_slower_is_found(run, recorded, tmp_path):
    before, after = recorded("before", BEFORE, 8), recorded("after", AFTER, 8)
    diff = run("diff", "--json", before, after).ok().json
    assert diff["claim"] == "between versions" and diff["runs_a"] == diff["runs_b"] == 8
    own = {f["function"]: f for f in diff["functions"] if f["file"].endswith("after/app.py")}
    assert own["spin"]["self"]["changed"] and own["second"]["total"]["changed"]
    assert own["second"]["total"]["low_ns"] > 0
    assert not own["first"]["total"]["changed"]
    assert own["first"]["first_line_b"] == own["first"]["first_line_a"] + 1
    moved = [line for line in diff["lines"] if line["function"] == "spin" and line["line_a"] and line["line_b"]]
    assert moved and all(line["line_b"] == line["line_a"] + 1 for line in moved)
    text = run("diff", "--width", "80", before, after).ok().out
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "Change between versions" in text and "spin" in text

    rows = [line.rsplit(" ", 2) for line in run("export", "--format", "collapsed-diff", before, after).ok().out.splitlines()]
    stacks = {stack: (int(a), int(b)) for stack, a, b in rows}
    assert len(stacks) == len(rows)  # a line that one side was never met at is the other's all the same
    own_a = sum(f["self"]["a_ns"] for f in diff["functions"]) / 1e3
    own_b = sum(f["self"]["b_ns"] for f in diff["functions"]) / 1e3
    assert sum(a for a, _ in stacks.values()) == pytest.approx(own_a, rel=0.01)
    assert sum(b for _, b in stacks.values()) == pytest.approx(own_b, rel=0.01)


def test_sides_are_told_as_one_likes(run, recorded):
    one, two = recorded("one", BEFORE, 1), recorded("two", BEFORE, 1)
    within = run("diff", one, two).ok().out
    assert "Change within these two runs" in within
    pairs = run("diff", "--json", one, two, two, one).ok().json
    named = run("diff", "--json", "--a", one, two, "--b", two, one).ok().json
    assert pairs == named and pairs["runs_a"] == 2
    assert not any(f["self"]["changed"] for f in pairs["functions"])  # a and b are the same runs
    assert run("diff", one).status == 2
    assert run("diff", one, two, one).status == 2
    done = run("diff", one, __file__)
    assert done.status == 3 and done.err.count("\n") == 1
