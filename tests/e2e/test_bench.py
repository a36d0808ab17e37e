"""The benches' own truth: their programs, their judges of stacks, their figures. No bench is run here."""

import collections
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
PROGRAMS = BENCH / "programs"
sys.path.insert(0, str(BENCH))

from harness import figures, judge, mojo, tools  # noqa: E402


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "words",
    ["work.py", "two_chains.py", "two_chains.py --quarter --measure", "alternating.py", "threads.py --threads 20", "deep.py",
     "processes.py --processes 3"],
)
def test_program_does_the_work_it_is_asked_for(few_pythons, words):
    name, *options = words.split()
    lines = run(few_pythons, PROGRAMS / name, *options, "--iterations", 3).splitlines()
    assert "ready" in lines
    assert lines[-1].split()[:2] == ["progress", "3"]


@pytest.fixture(scope="module")
def calltree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calltree")
    run(sys.executable, PROGRAMS / "make_calltree.py", folder)
    return folder


def test_call_tree_makes_only_the_calls_that_its_facts_name(calltree, few_pythons):
    told = run(few_pythons, PROGRAMS.parents[1] / "tests/e2e/programs/count_calltree.py", calltree, 40)
    seen = json.loads(told.splitlines()[-1])
    assert seen["illegal"] == []
    assert seen["calls"] > 100_000 and seen["called"] >= 1000
    # What really happened is possible, in the judge's eyes.
    referee = judge.Calltree(calltree / "calltree.json")
    assert len(seen["stacks"]) > 100
    for stack in seen["stacks"]:
        assert referee.problem([tuple(frame) for frame in stack]) is None


def test_call_tree_has_sites_of_one_two_and_eight_callees(calltree):
    facts = json.loads((calltree / "calltree.json").read_text())
    served = collections.Counter(len(callees) for callees in facts["edges"].values())
    assert len(facts["functions"]) > 1000
    assert served[1] > 100 and served[2] > 100 and served[8] > 50


def test_judge_of_the_call_tree_finds_what_can_not_be(calltree):
    facts = json.loads((calltree / "calltree.json").read_text())
    referee = judge.Calltree(calltree / "calltree.json")

    # A possible stack, by following the facts from the top: the first callee of the first site of each function.
    site_of = {}
    for site, callees in facts["edges"].items():
        caller, line = map(int, site.split(":"))
        site_of.setdefault(caller, (line, callees[0]))
    index, good = 0, []
    while index in site_of:
        line, callee = site_of[index]
        good.append((facts["functions"][index][0], "calltree.py", line))
        index = callee
    good.append((facts["functions"][index][0], "calltree.py", facts["functions"][index][2]))
    assert len(good) > 8
    assert referee.problem(good) is None

    def verdict(stack):
        return (referee.problem(stack) or "").split(":")[0]

    assert verdict(good[1:]) == "no root"
    assert verdict(good[:4] + good[5:]) == "wrong caller"
    assert verdict(good[:4] + [("someone_else", "calltree.py", good[4][2])] + good[5:]) == "wrong name"
    judged = referee.judge(collections.Counter({tuple(good): 3, tuple(good[:4] + good[5:]): 2, (("x", "other.py", 1),): 1}))
    assert (judged.judged, judged.torn, judged.outside) == (5, 2, 1)


def test_judge_of_alternating_calls_goes_by_names():
    source = (PROGRAMS / "alternating.py").read_text().splitlines()

    def at(name, file="alternating.py"):
        return (name, file, next(n for n, line in enumerate(source, 1) if "def %s(" % name.rpartition(".")[2] in line))

    referee = judge.Alternating(str(PROGRAMS / "alternating.py"))
    top = [("<module>", "alternating.py", len(source)), at("main")]
    assert referee.problem(top + [at("p"), at("p_a"), at("p_a_u")]) is None
    assert referee.problem(top + [at("t"), at("t_a.t_step"), at("t_a.t_step_a")]) is None
    for wrong in (
        [at("p"), at("q_a")],
        [at("p"), at("p_a"), at("p_b_u")],
        [at("p"), at("p_a_u")],
        [at("p_a")],
        [at("t"), at("t_a.t_step"), at("t_b.t_step_b")],
        [at("p"), ("p_b", "alternating.py", at("p_a")[2])],
    ):
        assert referee.problem(top + wrong) is not None, wrong
    assert referee.problem([at("main"), at("p")]).startswith("no root")


CALLED = """
import collections, json, runpy, sys
calls = collections.Counter()
def count(frame, event, _):
    if event == "call" and frame.f_code.co_filename == sys.argv[0]:
        calls[frame.f_code.co_name] += 1
del sys.argv[0]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
sys.setprofile(count)
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    sys.setprofile(None)
    del calls["<module>"]
    print(json.dumps(calls))
"""


def test_calls_that_alternate_leave_no_impossible_stack_and_no_callee_out(pitviper, pythons, tmp_path):
    program = PROGRAMS / "alternating.py"
    referee = judge.Alternating(str(program))
    recording, text = tmp_path / "alternating.pit", tmp_path / "alternating.txt"
    run(pitviper, "run", "--rate", "1000k", "-o", recording, "--python", pythons, program, 3)
    run(pitviper, "export", "--format", "collapsed", "-o", text, recording)
    stacks = tools.read_collapsed(text, tools.named_frame)
    judged = referee.judge(stacks)
    assert judged.judged > 10_000
    # An edge that is believed wrongly is shown for a thousandth of the samples and more.
    assert judged.torn < 2e-4 * judged.judged, judged.examples
    # Those that the program calls, by CPython's own hook; what is called seldom may not be met.
    called = json.loads(run(pythons, "-c", CALLED, program, "--iterations", 3).splitlines()[-1])
    seen = {judge.last_part(frame[0]) for stack in stacks for frame in stack}
    missing = {name for name, calls in called.items() if calls > 10} - seen
    # One in a hundred may be met too seldom to be known; before 3.11 no version tells, and as the copy shows it a third is.
    assert len(called) > 80 and len(missing) < (2 if pythons.minor >= (3, 11) else 16), sorted(missing)


def test_a_chain_of_short_calls_is_shown_as_deep_as_it_is(pitviper, pythons, tmp_path):
    """Sixteen functions that call each other and return, 0.03 microseconds each: all of them are innermost equally long."""
    recording, text = tmp_path / "chains.pit", tmp_path / "chains.txt"
    run(pitviper, "run", "--rate", "10k", "--mode", "cpu", "-o", recording, "--python", pythons, PROGRAMS / "two_chains.py", 4)
    run(pitviper, "export", "--format", "collapsed", "-o", text, recording)
    innermost = collections.Counter()
    for stack, hits in tools.read_collapsed(text, tools.named_frame).items():
        innermost[judge.last_part(stack[-1][0]).rpartition("_")[2]] += hits
    shown = [innermost["%02d" % depth] for depth in range(16)]
    assert sum(shown) > 5_000
    apart = sum(abs(hits / sum(shown) - 1 / 16) for hits in shown) / 2
    assert apart < 0.1, shown  # as the copy alone shows it, it is 0.10 to 0.22, before 3.11 0.35


def test_a_call_tree_is_shown_without_an_impossible_stack(calltree, pitviper, pythons, tmp_path):
    """Before 3.11 most frames have returned by the time that they are read, and no version says whom a call was for."""
    recording, text = tmp_path / "tree.pit", tmp_path / "tree.txt"
    run(pitviper, "run", "--rate", "10k", "-o", recording, "--python", pythons, calltree / "calltree.py", 4)
    run(pitviper, "export", "--format", "collapsed", "-o", text, recording)
    stacks = {  # without the start, which makes closures
        stack: hits for stack, hits in tools.read_collapsed(text, tools.named_frame).items() if stack[1:] and stack[1][0] == "run"
    }
    judged = judge.Calltree(calltree / "calltree.json").judge(stacks)
    assert judged.judged > 10_000
    assert judged.torn < 2e-4 * judged.judged, judged.examples
    # What is called most, the innermost level, is innermost most often. Shown as the copy has it, before 3.11 it is not.
    levels = collections.Counter()
    for stack, hits in stacks.items():
        levels[len(stack)] += hits
    assert levels[11] + levels[12] > 0.15 * judged.judged, levels


RECURSION = """
import time
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return False if n == 0 else even(n - 1)
def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        fib(12)
        even(60)
spin(2)
"""


def test_recursions_that_share_their_frames_are_told_apart(pitviper, pythons, tmp_path):
    """Before 3.11 a frame goes from code to code where calls recurse, and keeps the name of its last caller's."""
    (tmp_path / "app.py").write_text(RECURSION)
    recording, text = tmp_path / "app.pit", tmp_path / "app.txt"
    run(pitviper, "run", "--rate", "5k", "-o", recording, "--python", pythons, tmp_path / "app.py")
    run(pitviper, "export", "--format", "collapsed", "-o", text, recording)
    pairs, legal = collections.Counter(), {("spin", "fib"), ("spin", "even"), ("fib", "fib"), ("even", "odd"), ("odd", "even")}
    for stack, hits in tools.read_collapsed(text, tools.named_frame).items():
        names = [judge.last_part(frame[0]) for frame in stack]
        for pair in {pair for pair in zip(names, names[1:]) if pair[1] in ("fib", "even", "odd")}:
            pairs[pair] += hits
    assert sum(pairs.values()) > 2_000
    assert sum(hits for pair, hits in pairs.items() if pair not in legal) < 1e-3 * sum(pairs.values()), pairs


def integer(value):
    """A MOJO integer."""
    out, value = [value & 0x3F], value >> 6
    while value:
        out[-1] |= 0x80
        out.append(value & 0x7F)
        value >>= 7
    return bytes(out)


def test_mojo_stacks_are_read():
    def string(key, text):
        return bytes([mojo.STRING]) + integer(key) + text.encode() + b"\0"

    def frame(key, file, scope, line):
        return bytes([mojo.FRAME]) + b"".join(map(integer, (key, file, scope, line, line, 1, 9)))

    def stack(*keys):
        start = bytes([mojo.STACK]) + integer(4242) + integer(0) + b"1092\0"
        return start + b"".join(bytes([mojo.REFERENCE]) + integer(key) for key in keys) + bytes([mojo.TIME]) + integer(1000)

    data = b"MOJ\x03\x01mode\0wall\0" + string(70_000, "/a.py") + string(70_001, "main") + string(70_002, "work")
    data += frame(1, 70_000, 70_001, 118) + frame(2, 70_000, 70_002, 9000)
    data += stack(1, 2) + stack(1, 2) + stack(1)
    facts, stacks, invalid = mojo.read(data)
    assert facts == {"mode": "wall"} and invalid == 0
    outer, inner = ("main", "/a.py", 118), ("work", "/a.py", 9000)
    assert stacks == {(outer, inner): 2, (outer,): 1}
    assert sum(mojo.read(data[:-9])[1].values()) == 3  # cut within the last stack


def test_frames_of_collapsed_stacks_are_read():
    assert tools.named_frame("Stop.key (/x/a b.py:12)") == ("Stop.key", "/x/a b.py", 12)
    assert tools.named_frame("<garbage collector>") == ("<garbage collector>", "", 0)
    assert tools.Tachyon.frame("example.py:Stop.key:39") == ("Stop.key", "example.py", 39)
    assert tools.Tachyon.frame("tid:12") is None


def test_bounds_of_rare_counts_are_those_of_the_tables():
    # One-sided 95 % limits of a Poisson mean, as printed in every table of them.
    for count, bound in ((0, 2.996), (1, 4.744), (2, 6.296), (5, 10.513), (10, 16.962)):
        assert figures.poisson_upper(count) == pytest.approx(bound, abs=0.001)


def test_interval_of_the_median_is_that_of_order_statistics():
    # Ranks of the sign test's 95 % interval: n = 10: 2nd and 9th; n = 20: 6th and 15th; n = 30: 10th and 21st.
    for n, low, high in ((10, 2, 9), (20, 6, 15), (30, 10, 21)):
        assert figures.median_interval(range(1, n + 1)) == (low, high)
    assert figures.median_interval([3, 1, 2]) == (1, 3)


def test_distance_of_distributions():
    assert figures.total_variation({"a": 1, "b": 1}, {"a": 5, "b": 5}) == 0
    assert figures.total_variation({"a": 1}, {"b": 7}) == 1
    assert figures.total_variation({"a": 3, "b": 1}, {"a": 1, "b": 1}) == pytest.approx(0.25)
