"""Files of other profilers, opened by report and export. The samples are written by hand in each program's format."""
import json
import pstats
import subprocess
import sys

import pytest

PY_SPY = """\
process 7:"python app.py";thread (0x7F10);<module> (app.py:9);work (lib/work.py:4) 30
process 7:"python app.py";thread (0x7F10);<module> (app.py:10) 10
"""
AUSTIN = """\
# austin: 3.6.0
# interval: 100
# mode: wall

P42;T0:42;/app/a.py:<module>:9;/app/a.py:work:7 1200
P42;T0:43;/app/b.py:run:2 300
"""


def speedscope(*profiles):
    frames = [{"name": "main", "file": "/app/a.py", "line": 3}, {"name": "work", "file": "/app/a.py", "line": 7}]
    schema = "https://www.speedscope.app/file-format-schema.json"
    return json.dumps({"$schema": schema, "shared": {"frames": frames}, "profiles": list(profiles)})


EVENTED = {
    "type": "evented", "name": "Main", "unit": "milliseconds", "startValue": 0, "endValue": 10,
    "events": [
        {"type": "O", "frame": 0, "at": 0}, {"type": "O", "frame": 1, "at": 2},
        {"type": "C", "frame": 1, "at": 9}, {"type": "C", "frame": 0, "at": 10},
    ],
}
SAMPLED = {"type": "sampled", "name": "Pool", "unit": "none", "startValue": 0, "endValue": 4, "samples": [[0], [0, 1]], "weights": [1, 3]}


@pytest.fixture
def imported(run, tmp_path):
    def read(content, *options):
        path = tmp_path / "profile"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run("report", *options, path)

    return read


def own(report, part="self"):
    return {f["function"]: f[part]["hits"] for f in report["functions"]}


def test_what_cprofile_wrote(run, pythons, tmp_path):
    program = tmp_path / "calls.py"
    program.write_text("def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n\ndef g():\n    return sorted(range(50000))\n\nf(15)\ng()\n")
    out = tmp_path / "calls.pstats"
    subprocess.run([pythons.path, "-m", "cProfile", "-o", out, program], check=True, capture_output=True)
    dump = "import marshal, json, sys; print(json.dumps([[*k, v[2], v[3]] for k, v in marshal.load(open(sys.argv[1], 'rb')).items()]))"
    expected = json.loads(subprocess.run([pythons.path, "-c", dump, out], check=True, capture_output=True, text=True).stdout)
    report = run("report", "--json", out).ok().json
    assert report["origin"] == "imported calls" and report["counters"] is None
    got = {(f["file"] or "~", f["first_line"], f["function"]): f for f in report["functions"]}
    for file, line, name, self_s, total_s in expected:
        if total_s <= 0:
            continue
        f = got[file, line, name]
        assert f["self"]["hits"] == pytest.approx(self_s * 1e9, abs=1)
        assert f["total"]["hits"] == pytest.approx(min(total_s * 1e9, report["hits"]), abs=1)
        assert f["self"]["low"] is None
    text = run("report", out).ok().out
    assert "calls measured by cProfile, its overhead included" in text and "no stacks" in text
    assert "heaviest path" not in text and "how far to trust" not in text


def test_own_export_comes_back(run, script, tmp_path):
    program = script("import time\ndef spin():\n    end = time.perf_counter() + 0.3\n    while time.perf_counter() < end:\n        pass\nspin()\n")
    run("run", "-o", "app.pit", "--python", sys.executable, program)
    before = run("report", "--json", tmp_path / "app.pit").ok().json
    run("export", "--format", "collapsed", "--threads", "-o", tmp_path / "app.txt", tmp_path / "app.pit").ok()
    after = run("report", "--json", tmp_path / "app.txt").ok().json
    assert after["origin"] == "imported samples" and after["hits"] == before["hits"]
    assert {t["name"] for t in after["threads"]} == {t["name"] for t in before["threads"] if t["hits"]}
    lines = {(x["function"], x["file"], x["line"]): x["self"]["hits"] for x in before["lines"]}
    merged = {}
    for (function, file, line), hits in lines.items():
        merged[function, file, line] = merged.get((function, file, line), 0) + hits
    assert {(x["function"], x["file"], x["line"]): x["self"]["hits"] for x in after["lines"]} == merged
    again = run("export", "--format", "collapsed", "--threads", tmp_path / "app.txt").ok().out
    assert sorted(again.splitlines()) == sorted((tmp_path / "app.txt").read_text().splitlines())


def test_what_py_spy_and_austin_wrote(imported):
    report = imported(PY_SPY, "--json").ok().json
    assert own(report)["work"] == 30 and own(report, "total")["<module>"] == 40
    assert [(x["file"], x["line"]) for x in report["lines"] if x["function"] == "work"] == [("lib/work.py", 4)]
    assert report["functions"][0]["self"]["low"] is not None
    report = imported(AUSTIN, "--json").ok().json
    assert report["origin"] == "imported times" and report["wall_ns"] == 1_500_000
    assert own(report) == {"work": 1_200_000, "<module>": 0, "run": 300_000}
    assert {t["name"] for t in report["threads"]} == {"T0:42", "T0:43"}
    assert report["functions"][0]["self"]["low"] is None
    one = imported(AUSTIN, "--json", "--thread", "T0:43").ok().json
    assert own(one)["run"] == one["hits"] == 300_000


def test_what_speedscope_reads(imported):
    report = imported(speedscope(EVENTED), "--json").ok().json
    assert report["origin"] == "imported times" and own(report) == {"work": 7_000_000, "main": 3_000_000}
    assert own(report, "total")["main"] == 10_000_000
    report = imported(speedscope(SAMPLED, dict(SAMPLED, name="Other")), "--json").ok().json
    assert report["origin"] == "imported samples" and own(report) == {"work": 6, "main": 2}
    assert {t["name"] for t in report["threads"]} == {"Pool", "Other"}


def test_a_pipe_will_do(run):
    assert own(run("report", "--json", "-", input="main (a.py:1);work (b.py:2) 5\n").ok().json) == {"work": 5, "main": 0}


@pytest.mark.parametrize("content, says", [
    (b"hello\n", "no file that can be opened"),
    (b"\x7fELF\0\0\0\0\0\0", "no file that can be opened"),
    (b"main;work 5\nnothing\n", "no collapsed stack"),
    (b"main 99999999999999999999\n", "no file that can be opened"),
    (b"a;b 4503599627370496\nc 1\n", "more samples"),
    (b'{"a": 1}', "not of speedscope"),
    (b'{"a": ', "no JSON"),
    (speedscope(dict(EVENTED, events=EVENTED["events"][1:])).encode(), "not innermost"),
    (speedscope(dict(SAMPLED, samples=[[9], [0]])).encode(), "frame is missing"),
    (speedscope(dict(SAMPLED, weights=[1])).encode(), "not as many"),
    (b"{)\x03", "pstats file that can be read"),
    (b"{r\0\0\0\0", "not of speedscope|no JSON"),
    (b"", "empty"),
])
def test_what_is_none_of_them_gets_one_line(imported, content, says):
    done = imported(content)
    assert done.status == 3 and done.err.count("\n") == 1
    assert any(part in done.err for part in says.split("|")), done.err


def test_modes_that_are_not_known_are_refused(imported):
    done = imported(PY_SPY, "--mode", "cpu")
    assert done.status == 3 and "only --mode wall" in done.err


def test_names_of_strangers_do_not_reach_the_terminal(imported):
    done = imported("\x1b[2Jmain (a\x07.py:1);<script>\u202e (b.py:2) 5\n").ok()
    assert "\x1b[2J" not in done.out and "\x07" not in done.out and "\u202e" not in done.out


def written(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    return tmp_path / name


def test_counts_of_samples_are_compared_by_share(run, tmp_path):
    a = written(tmp_path, "a.txt", "main (a.py:1);work (b.py:2) 300\nmain (a.py:1);rest (b.py:9) 700\n")
    b = written(tmp_path, "b.txt", "main (a.py:1);work (b.py:2) 1200\nmain (a.py:1);rest (b.py:9) 800\n")
    told = run("diff", "--json", a, b).ok().json
    assert told["unit"] == "share" and told["claim"] == "within these runs" and "a_ns" not in told["whole"]
    work = next(f for f in told["functions"] if f["function"] == "work")["self"]
    assert (work["share_a"], work["share_b"]) == (pytest.approx(0.3), pytest.approx(0.6)) and work["changed"]
    # Newcombe's interval by hand: Wilson's limits of 300 of 1000 and 1200 of 2000, which near the middle are the mid-p's.
    assert work["share_low"] == pytest.approx(0.264, abs=0.003) and work["share_high"] == pytest.approx(0.335, abs=0.003)
    text = run("diff", a, b).ok().out
    assert "shares are compared" in " ".join(text.split()) and "+30.0 %" in text and " ms" not in text
    assert text.startswith(f"a  {a}"[:20])
    again = run("diff", "--json", "--a", a, a, "--b", b, b).ok().json
    assert again["claim"] == "between versions"
    run("diff", "--html", tmp_path / "page.html", a, b).ok()


def test_times_are_compared_with_two_files_a_side(run, tmp_path):
    sides = {"a": (100, 110), "b": (300, 310)}
    files = {side: [written(tmp_path, f"{side}{ms}.txt", f"# austin: 3.6.0\nP1;T1;a.py:main:1 {ms}000\nP1;T1;a.py:other:2 50000\n")
                    for ms in times] for side, times in sides.items()}
    told = run("diff", "--json", "--a", *files["a"], "--b", *files["b"]).ok().json
    main = next(f for f in told["functions"] if f["function"] == "main")["self"]
    assert told["unit"] == "ns" and main["a_ns"] == pytest.approx(105e6) and main["change_ns"] == pytest.approx(200e6)
    # Welch: means 105 and 305 ms, each with a variance of 50 / 2 ms^2, so 2 degrees of freedom: 200 -+ 4.3027 * sqrt(50).
    assert main["low_ns"] == pytest.approx(200e6 - 4.3027 * 50**0.5 * 1e6, rel=1e-3)
    done = run("diff", files["a"][0], files["b"][0])
    assert done.status == 3 and "two files or more a side" in done.err and done.err.count("\n") == 1
    counts = written(tmp_path, "counts.txt", PY_SPY)
    done = run("diff", *files["a"], counts, counts)
    assert done.status == 3 and "cannot be compared" in done.err and done.err.count("\n") == 1
    done = run("merge", "-o", tmp_path / "out.pit", counts)
    assert done.status == 3 and "not a recording" in done.err and not (tmp_path / "out.pit").exists()


def test_pstats_are_compared_with_two_files_a_side(run, tmp_path):
    program = "import cProfile, sys, time\ndef slow():\n    time.sleep(float(sys.argv[1]))\ncProfile.run('slow()', sys.argv[2])\n"
    (tmp_path / "app.py").write_text(program)
    files = {}
    for side, seconds in (("a", "0.05"), ("b", "0.25")):
        files[side] = [tmp_path / f"{side}{i}.pstats" for i in range(3)]
        for path in files[side]:
            subprocess.run([sys.executable, tmp_path / "app.py", seconds, path], check=True, timeout=60)
    told = run("diff", "--json", "--a", *files["a"], "--b", *files["b"]).ok().json
    slow = next(f for f in told["functions"] if f["function"] == "slow")
    assert told["claim"] == "between versions" and slow["total"]["changed"] and slow["total"]["low_ns"] > 0


CALLS = """
import cProfile, sys
def leaf(n):
    return sum(i for i in range(n))
def a():
    leaf(30000)
def b():
    leaf(90000)
    a()
def again(n):
    return leaf(1000) if n == 0 else again(n - 1)
def main():
    a()
    b()
    again(20)
    sorted(range(1000), key=lambda x: -x)
cProfile.run("main()", sys.argv[1])
"""


def test_callers_of_pstats_are_kept(run, pythons, tmp_path):
    (tmp_path / "app.py").write_text(CALLS)
    subprocess.run([pythons.path, tmp_path / "app.py", tmp_path / "in.pstats"], check=True, capture_output=True, timeout=60)
    run("export", "-o", tmp_path / "out.pstats", tmp_path / "in.pstats").ok()
    before, after = (pstats.Stats(str(tmp_path / name)).stats for name in ("in.pstats", "out.pstats"))
    called = 0
    for key, (_, _, own_time, total, callers) in before.items():
        if total < 1e-8 and key not in after:
            continue  # no nanosecond was spent in it
        assert after[key][2] == pytest.approx(own_time, abs=1e-8) and after[key][3] == pytest.approx(total, abs=1e-8)
        kept = {caller: numbers[2:] for caller, numbers in after[key][4].items()}
        for caller, numbers in callers.items():
            called += 1
            assert kept[caller] == pytest.approx(numbers[2:], abs=1e-8), (key, caller)
        assert set(kept) == set(callers)
    assert called > 5
    run("export", "--format", "callgrind", "-o", tmp_path / "out.callgrind", tmp_path / "in.pstats").ok()
    text = (tmp_path / "out.callgrind").read_text()
    assert "cfn=" in text.split("fn=(0) <all threads>")[0]
