"""The grader of src/grade, on labs of the tests' own (tests/grade): each outcome, what is said of it, and what it rests on."""
import hashlib
import json
import shutil
import subprocess
import sys

import pytest
from conftest import OLDEST, PYTHONS, ROOT, TIMEOUT

CHECK = ROOT / "build" / "tests" / "grade_lab"
LABS = ROOT / "tests" / "grade"
PAIRS = LABS / "3.9-equal-pairs"
LINES_MOST = 13  # 12 and the next action

sys.path.insert(0, str(ROOT / "src" / "grade" / "harness"))
import values  # noqa: E402

USABLE = [p for p in PYTHONS if p.minor >= OLDEST and not p.free_threaded]


@pytest.fixture(scope="module")
def python():
    if not USABLE:
        pytest.skip("no Python of 3.10 or later")
    return USABLE[0]


def check(python, lab, source, *words):
    """(receipt, lines of feedback)"""
    done = subprocess.run([CHECK, lab, source, "--python", str(python), *words], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode in (0, 1), done.stderr
    receipt, _, feedback = done.stdout.partition("\n")
    receipt, lines = json.loads(receipt), feedback.splitlines()
    assert (done.returncode == 0) == (receipt["outcome"] == "passed")
    assert len(lines) <= LINES_MOST and lines[-1].startswith("next: ")
    assert all(line.isprintable() for line in lines)
    return receipt, lines


def changed_lab(tmp_path, change, name="3.9-equal-pairs"):
    """A copy of the lab whose manifest went through change(manifest)."""
    lab = tmp_path / name
    shutil.copytree(LABS / name, lab)
    manifest = json.loads((lab / "lab.json").read_text())
    change(manifest)
    (lab / "lab.json").write_text(json.dumps(manifest))
    return lab


def no_gates_but(tmp_path, *gates):
    """The lab with these gates alone: what is about answers need not wait for timings."""
    return changed_lab(tmp_path, lambda manifest: manifest.update(gates=list(gates)))


@pytest.fixture
def lenient(tmp_path):
    """The lab with a gate that nothing misses, and that nothing is measured for: it counts neither way."""
    return no_gates_but(tmp_path, {"kind": "not-fatter", "limit": 10, "sizes": [10], "hint": "-"})


@pytest.mark.parametrize("reference", ["counter", "ordered"])
def test_references_pass(python, reference):
    receipt, lines = check(python, PAIRS, PAIRS / "references" / f"{reference}.py")
    if receipt["outcome"] in ("unresolved", "fault"):
        pytest.skip("this machine is too busy to settle a gate: " + lines[1])
    assert receipt["outcome"] == "passed", lines
    assert receipt["right"] == receipt["cases"] == 15
    assert 90 <= receipt["points"] <= 100  # the readability of the second is relative to the first
    assert [gate["kind"] for gate in receipt["gates"]] == ["speed", "growth"]


def test_starter_misses_a_gate_and_is_shown_where_its_time_is(python, tmp_path):
    recording = tmp_path / "where.pit"
    receipt, lines = check(python, PAIRS, PAIRS / "starter" / "pairs.py", "--recording", recording)
    if receipt["outcome"] in ("unresolved", "fault"):
        pytest.skip("this machine is too busy to settle a gate: " + lines[1])
    assert receipt["outcome"] == "slow"
    assert receipt["points"] <= 30  # its readability: nothing is gained for speed
    assert any("pairs.py line" in line and "count_pairs" in line for line in lines)
    assert recording.stat().st_size > 0
    report = subprocess.run([ROOT / "build" / "pitviper", "report", recording], capture_output=True, text=True, timeout=TIMEOUT)
    assert report.returncode == 0 and "count_pairs" in report.stdout


@pytest.mark.parametrize("mutant, outcome, said", [
    ("hard_coded", "wrong", "right        0"),
    ("raises", "wrong", "ValueError"),
    ("large_wrong", "wrong", "on an input of size 2400"),
    ("lazy", "broken", "Later"),
    ("leaves", "broken", "exit status 0"),
    ("no_function", "broken", "no function count_pairs"),
    ("hangs_when_large", "slow", "stopped before it ended"),
])
def test_mutants_end_as_they_must(python, mutant, outcome, said):
    receipt, lines = check(python, PAIRS, PAIRS / "mutants" / f"{mutant}.py")
    assert receipt["outcome"] == outcome, lines
    assert said in "\n".join(lines)
    assert receipt["points"] == 0 or outcome == "slow"


def test_nothing_is_remembered_between_processes(python):
    receipt, lines = check(python, PAIRS, PAIRS / "mutants" / "cached.py")
    assert receipt["outcome"] in ("slow", "unresolved"), lines
    assert receipt["gates"][0]["estimate"] < 2


def test_smallest_failing_input_is_shown(python, lenient, tmp_path):
    source = tmp_path / "pairs.py"
    source.write_text("def count_pairs(values):\n    return 0\n")
    receipt, lines = check(python, lenient, source)
    assert receipt["outcome"] == "wrong"
    assert "  call         count_pairs([7, 7, 7])" in lines  # the smallest of edges() that has an equal pair
    assert "  your answer  0" in lines and "  right        3" in lines
    assert receipt["right"] == 1


def test_place_where_a_large_answer_differs_is_named(python, tmp_path):
    lab = no_gates_but(tmp_path, {"kind": "not-fatter", "limit": 10, "sizes": [10], "hint": "-"})
    (lab / "cases.py").write_text("def case(random, size):\n    return (size,)\n")
    (lab / "starter" / "pairs.py").write_text("def count_pairs(n):\n    return {'rows': [(i, i * i) for i in range(n)]}\n")
    source = tmp_path / "pairs.py"
    source.write_text("def count_pairs(n):\n    return {'rows': [(i, i * i if i != 3 else 0) for i in range(n)]}\n")
    receipt, lines = check(python, lab, source)
    assert receipt["outcome"] == "wrong"
    assert "  they differ  at ['rows'][3][1]: 0 instead of 9" in lines


@pytest.mark.parametrize("statement, said", [
    ("raise ValueError('\\x1b[31mred\\x1b[0m\\nnext: you passed')", "ValueError"),
    ("print('\\x1b[2J' * 100); return '\\u202e\\x1b]0;title\\x07'", "your answer"),
    ("import os; os.write(3, b'a\\x05\\0\\0\\0I\\xff\\xff\\xff\\xff'); import time; time.sleep(9)", "no answer"),
    ("import os; os.write(2, b'\\x1b[2Joh' * 9); os._exit(3)", "exit status 3"),
    ("class Liar(int):\n        __eq__ = lambda *_: True\n    return [[Liar()]]", "Liar"),
    ("x = []\n    for _ in range(5000): x = [x]\n    return x", "nested"),
])
def test_what_learners_write_is_safe_to_print(python, lenient, tmp_path, statement, said):
    source = tmp_path / "pairs.py"
    source.write_text(f"def count_pairs(values):\n    {statement}\n")
    receipt, lines = check(python, lenient, source)  # which holds every line to be printable
    assert receipt["outcome"] in ("wrong", "broken")
    assert said in "\n".join(lines)


def test_own_answer_may_be_written_by_hand_and_is_judged(python, lenient, tmp_path):
    """The wire is the learner's to use: it is data, and no verdict."""
    source = tmp_path / "pairs.py"
    source.write_text("import os\n\ndef count_pairs(values):\n    os.write(3, b'a\\6\\0\\0\\0I\\1\\0\\0\\0\\7')\n    os._exit(0)\n")
    receipt, lines = check(python, lenient, source)
    assert receipt["outcome"] == "wrong" and "  your answer  7" in lines


def test_syntax_errors_name_their_line(python, lenient, tmp_path):
    source = tmp_path / "pairs.py"
    source.write_text("def count_pairs(values):\n    return (\n")
    receipt, lines = check(python, lenient, source)
    assert receipt["outcome"] == "broken"
    assert any("SyntaxError" in line for line in lines) and any("pairs.py, line" in line for line in lines)


def test_fault_of_the_lab_is_not_the_learners(python, lenient):
    (lenient / "starter" / "pairs.py").write_text("def count_pairs(values):\n    raise RuntimeError('a fault of the lab')\n")
    receipt, lines = check(python, lenient, lenient / "references" / "counter.py")
    assert receipt["outcome"] == "fault" and receipt["points"] == 0
    assert "neither way" in lines[0] and "a fault of the lab" in "\n".join(lines)


def test_fault_of_the_cases_is_not_the_learners(python, lenient):
    (lenient / "cases.py").write_text("def case(random, size):\n    return [size]\n")
    receipt, lines = check(python, lenient, lenient / "references" / "counter.py")
    assert receipt["outcome"] == "fault" and "tuple" in "\n".join(lines)


def test_judge_decides_where_the_lab_has_one(python, tmp_path):
    lab = changed_lab(tmp_path, lambda manifest: manifest.update(
        oracle="judge", gates=[{"kind": "not-fatter", "limit": 10, "sizes": [10], "hint": "-"}]))
    (lab / "cases.py").write_text(
        "def case(random, size):\n    return (size,)\n\n"
        "def judge(args, answer):\n    return None if answer in (args[0], -args[0]) else f'{answer} is not {args[0]} long'\n")
    source = tmp_path / "pairs.py"
    source.write_text("def count_pairs(n):\n    return -n if n % 2 else n\n")
    receipt, lines = check(python, lab, source)
    assert receipt["right"] == receipt["cases"], lines
    source.write_text("def count_pairs(n):\n    return n if n < 12 else 7\n")
    receipt, lines = check(python, lab, source)
    assert receipt["outcome"] == "wrong" and "  7 is not 12 long" in lines


def test_same_seed_makes_the_same_inputs(python, lenient, tmp_path):
    source = tmp_path / "pairs.py"
    source.write_text("def count_pairs(values):\n    return 0 if len(values) < 10 else -1\n")
    shown = [[line for line in check(python, lenient, source, "--seed", seed)[1] if "call" in line] for seed in "778"]
    assert shown[0] == shown[1]
    source.write_text("def count_pairs(values):\n    if len(values) == 40:\n        return -1\n"
                      "    return sum(values[:i].count(x) for i, x in enumerate(values))\n")
    shown = [[line for line in check(python, lenient, source, "--seed", seed)[1] if "call" in line] for seed in "778"]
    assert shown[0] == shown[1] != shown[2]


def test_receipt_says_what_was_run(python, lenient):
    source = lenient / "references" / "counter.py"
    receipt, _ = check(python, lenient, source, "--level", "1")
    assert receipt["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert receipt["starter_sha256"] == hashlib.sha256((lenient / "starter" / "pairs.py").read_bytes()).hexdigest()
    assert receipt["machine"]["python"].startswith("%d.%d.%d" % python.version)
    assert receipt["machine"]["sandbox_level"] == 1 and receipt["machine"]["child_could_read_the_course"] is True
    assert len(receipt["id"]) == 32
    assert str(lenient) not in json.dumps(receipt)


def test_quick_check_is_provisional(python):
    receipt, lines = check(python, PAIRS, PAIRS / "references" / "counter.py", "--quick")
    assert receipt["provisional"] is True
    assert 0 < receipt["right"] <= 15
    assert receipt["outcome"] in ("passed", "unresolved"), lines


def test_service_answers_and_refuses(python, tmp_path):
    lab = changed_lab(tmp_path, lambda manifest: manifest.update(
        allow=["threads"], service={"delay_ms": 5, "at_once": 3, "refuses": True},
        gates=[{"kind": "not-fatter", "limit": 10, "sizes": [6], "hint": "-"}]))
    (lab / "cases.py").write_text("def case(random, size):\n    return ([str(i).encode() for i in range(size)],)\n")
    (lab / "starter" / "pairs.py").write_text(
        "from pitviper_lab import ask\n\ndef count_pairs(values):\n    return [ask(value) for value in values]\n")
    source = tmp_path / "pairs.py"
    pool = ("from concurrent.futures import ThreadPoolExecutor\nfrom pitviper_lab import ask\n\ndef count_pairs(values):\n"
            "    with ThreadPoolExecutor(%d) as pool:\n        return list(pool.map(ask, values))\n")
    waits = ("import asyncio\nfrom pitviper_lab import ask_async\n\nasync def all_of(values):\n"
             "    turn = asyncio.Semaphore(%d)\n    async def one(value):\n        async with turn:\n"
             "            return await ask_async(value)\n    return await asyncio.gather(*map(one, values))\n\n"
             "def count_pairs(values):\n    return asyncio.run(all_of(values))\n")
    for text in (pool, waits):
        source.write_text(text % 3)
        receipt, lines = check(python, lab, source)
        assert receipt["right"] == receipt["cases"], lines
        source.write_text(text % 30)
        receipt, lines = check(python, lab, source)
        assert receipt["outcome"] == "wrong" and "Refused" in "\n".join(lines)
    source.write_text("import hashlib\n\ndef count_pairs(values):\n    return [hashlib.sha256(v).hexdigest().encode() for v in values]\n")
    receipt, lines = check(python, lab, source)
    assert receipt["right"] == receipt["cases"]  # the service's answers are what they are said to be


def test_longest_pause_between_heartbeats_is_measured(python, tmp_path):
    lab = no_gates_but(tmp_path, {"kind": "gap", "limit": 0.5, "sizes": [8], "hint": "beat more often"})
    (lab / "cases.py").write_text("def case(random, size):\n    return (size,)\n")
    text = ("import time\nfrom pitviper_lab import beat\n\ndef count_pairs(n):\n    for i in range(n):\n        time.sleep(0.02)\n"
            "        if i % EVERY == 0:\n            beat(b'%d' % i)\n    return n\n")
    (lab / "starter" / "pairs.py").write_text(text.replace("EVERY", "100"))
    (lab / "references" / "counter.py").write_text(text.replace("EVERY", "1"))
    receipt, lines = check(python, lab, lab / "references" / "counter.py")
    assert receipt["gates"][0]["estimate"] < 0.5, lines
    receipt, lines = check(python, lab, lab / "starter" / "pairs.py")
    assert receipt["gates"][0]["estimate"] > 0.5, lines


def test_memory_is_measured_from_outside(python, tmp_path):
    lab = no_gates_but(tmp_path, {"kind": "memory", "limit": 0.5, "sizes": [60], "hint": "hold less"})
    (lab / "cases.py").write_text("def case(random, size):\n    return (size,)\n")
    text = "def count_pairs(n):\n    rows = [b'x' * 1000000 for _ in range(n)]\n    return sum(map(len, rows))\n"
    (lab / "starter" / "pairs.py").write_text(text)
    (lab / "references" / "counter.py").write_text(text.replace("[", "(").replace("]", ")"))
    receipt, lines = check(python, lab, lab / "references" / "counter.py")
    assert receipt["gates"][0]["estimate"] < 0.3, lines
    receipt, lines = check(python, lab, lab / "starter" / "pairs.py")
    assert 0.9 < receipt["gates"][0]["estimate"] < 1.1, lines


def test_versions_that_are_too_old_are_refused_with_the_reason(python, lenient):
    manifest = json.loads((lenient / "lab.json").read_text())
    manifest.update(python="3.15", python_why="it uses what only 3.15 has")
    (lenient / "lab.json").write_text(json.dumps(manifest))
    old = [p for p in USABLE if p.minor < (3, 15)]
    if not old:
        pytest.skip("no Python below 3.15")
    done = subprocess.run([CHECK, lenient, lenient / "references" / "counter.py", "--python", str(old[0])], capture_output=True,
                          text=True, timeout=TIMEOUT)
    assert done.returncode == 3 and "3.15" in done.stderr and "it uses what only 3.15 has" in done.stderr


def test_pythons_are_graded_the_same(few_pythons, lenient):
    if few_pythons.minor < OLDEST:
        pytest.skip("the course is for 3.10 and later")
    for _ in range(4):  # a quick look takes a size once or twice: what another program disturbs just then looks like growth
        receipt, lines = check(few_pythons, PAIRS, PAIRS / "references" / "ordered.py", "--quick")
        if receipt["outcome"] != "slow":
            break
    assert receipt["outcome"] in ("passed", "unresolved") and receipt["right"] > 0, lines
    assert receipt["gates"][0]["estimate"] > 2.5
    receipt, _ = check(few_pythons, lenient, lenient / "mutants" / "lazy.py")
    assert receipt["outcome"] == "broken"
    receipt, lines = check(few_pythons, lenient, lenient / "references" / "counter.py")
    assert receipt["readability"] == 1 and receipt["right"] == receipt["cases"], lines


def laid_down(python, lab, folder):
    """(the words that check it, its open sheet)"""
    folder.mkdir()
    words = ["--seed", "7", "--questions", folder]
    assert subprocess.run([CHECK, lab, "-", "--python", str(python), *words, "--write"], timeout=TIMEOUT).returncode == 0
    return words, json.loads((folder / "answers.json").read_text())


def record(python, folder, name):
    done = subprocess.run([ROOT / "build" / "pitviper", "run", "-o", f"{name}.pit", "--", str(python), f"{name}.py"], cwd=folder,
                          capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0


@pytest.mark.parametrize("off, outcome", [(0, "passed"), (10, "passed"), (14, "wrong")])  # points; 6 are forgiven
def test_a_share_that_was_read_off_its_recording_is_right_within_reason(python, tmp_path, off, outcome):
    lab, folder = tmp_path / "1.9-hot-function", tmp_path / "questions"
    shutil.copytree(LABS / "1.9-hot-function", lab)
    asks = (lab / "questions.py").read_text()
    asks = asks.replace('if __name__ == "__main__":', "def main():").replace("    second()\n'''", "    second()\n\n\nmain()\n'''")
    asks = asks.replace('"answer": 100 * 20 / 21', '"answer": None, "share_of": hot')
    asks += "\n\ndef measure(question):\n    return 0\n"
    (lab / "questions.py").write_text(asks)
    words, sheet = laid_down(python, lab, folder)
    shown = {}
    for name in ("program0", "program1"):
        record(python, folder, name)
        told = json.loads(subprocess.run([ROOT / "build" / "pitviper", "report", "--json", f"{name}.pit"], cwd=folder, capture_output=True,
                                         timeout=TIMEOUT, check=True).stdout)
        own = [function for function in told["functions"] if function["file"].endswith(f"{name}.py")]
        totals = {function["function"]: function["total"]["hits"] for function in own}
        hot = max("first", "second", key=lambda stage: totals.get(stage, 0))
        shown[f"{name}.py"] = hot, 100 * totals[hot] / totals["main"]
    for entry in sheet:
        entry["answer"] = shown[entry["program"]][entry["question"] % 2 == 0]
        entry["recording"] = entry["program"].replace(".py", ".pit")
    measured = {name[:-3]: share - off for name, (_, share) in shown.items()}
    (lab / "questions.py").write_text(asks.replace("return 0\n", "return %r[question['program']['name'][:-3]]\n" % measured))
    (folder / "answers.json").write_text(json.dumps(sheet))
    receipt, lines = check(python, lab, folder / "answers.json", *words)
    assert receipt["outcome"] == outcome, lines
    for entry in sheet[1::2]:  # what is on neither side of the recording is not
        entry["answer"] = 60
    (folder / "answers.json").write_text(json.dumps(sheet))
    receipt, lines = check(python, lab, folder / "answers.json", *words)
    assert receipt["outcome"] == "wrong" and receipt["right"] == 2, lines


@pytest.mark.parametrize("value", [
    None, True, 0, -1, 127, 128, -129, 2**63, -(2**63) - 1, 10**40, 0.0, -0.0, 1e300, float("inf"), "", "é\n", "\ud800", b"\0\xff",
    [], [1, 2], [1, 2**70], [1.5, 2.5], [1.5, float("nan")], (1,), (1.0,), {}, {"b": 1, "a": [None]}, {(1, 2): {3}}, set(), {1, "a"},
    frozenset({b"x"}), [[[]]],
])
def test_values_survive_their_encoding(value):
    data = values.encode(value)
    again = values.decode(data)
    assert type(again) is type(value) and repr(again) == repr(value) or again == value
    assert values.encode(again) == data


@pytest.mark.parametrize("value", [
    object(), 1j, range(3), [iter(())], {1: bytearray()}, type("L", (list,), {})(), type("I", (int,), {})(1)])
def test_what_is_no_plain_data_has_no_encoding(value):
    with pytest.raises(values.NotData):
        values.encode(value)


def test_answers_need_a_recording_of_the_very_program(python, tmp_path):
    lab, folder = LABS / "1.9-hot-function", tmp_path / "questions"
    words, sheet = laid_down(python, lab, folder)
    assert {path.name for path in folder.iterdir()} == {"program0.py", "program1.py", "questions.md", "answers.json"}
    assert len(sheet) == 4 and all(entry["answer"] is None for entry in sheet)
    for entry in sheet:
        program = (folder / entry["program"]).read_text()
        first, second = (int(line.split("range(")[1].split(")")[0]) for line in program.splitlines() if "range" in line)
        entry["answer"] = 95 if entry["question"] % 2 == 0 else "first" if first > second else "second"
        entry["recording"] = entry["program"].replace(".py", ".pit")
    answers = folder / "answers.json"

    answers.write_text(json.dumps(sheet))
    receipt, lines = check(python, lab, answers, *words)
    assert receipt["outcome"] == "broken" and "cannot be opened" in "\n".join(lines)

    for name in ("program0", "program1"):
        record(python, folder, name)
    receipt, lines = check(python, lab, answers, *words)
    assert receipt["outcome"] == "passed" and receipt["right"] == 4, lines

    sheet[2]["recording"] = "program0.pit"
    answers.write_text(json.dumps(sheet))
    receipt, lines = check(python, lab, answers, *words)
    assert receipt["outcome"] == "broken" and "question 3 cites a recording of another program" in "\n".join(lines)

    for question, answer, said in ((3, "third", "none of its choices"), (2, "95", "asks for a number"), (1, None, "no answer yet")):
        slip = json.loads(json.dumps(sheet))
        slip[2]["recording"] = "program1.pit"
        slip[question - 1]["answer"] = answer
        answers.write_text(json.dumps(slip))
        receipt, lines = check(python, lab, answers, *words)
        assert receipt["outcome"] == "broken" and f"question {question} " in lines[0] and said in lines[0]

    sheet[2]["recording"], sheet[2]["answer"] = "program1.pit", "first" if sheet[2]["answer"] == "second" else "second"
    answers.write_text(json.dumps(sheet))
    receipt, lines = check(python, lab, answers, *words)
    assert receipt["outcome"] == "wrong" and receipt["right"] == 3 and f'  your answer  "{sheet[2]["answer"]}"' in lines

    answers.write_text("[1, 2")
    receipt, _ = check(python, lab, answers, *words)
    assert receipt["outcome"] == "broken"
