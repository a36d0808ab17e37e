"""What a learner is told, word for word, where a program has to run for it: fixed seeds, so the same on any machine. Feedback that
rests on timings is held to its text by tests/unit/test_grade_feedback.c, from recorded samples. Files in tests/grade/golden;
PITVIPER_WRITE_GOLDEN=1 writes them anew."""
import json
import os
import subprocess

import pytest
from conftest import PYTHONS, ROOT, TIMEOUT

CHECK = ROOT / "build" / "tests" / "grade_lab"
LABS = ROOT / "tests" / "grade"
PAIRS, HOT = LABS / "3.9-equal-pairs", LABS / "1.9-hot-function"
GOLDEN = LABS / "golden"
LINES_MOST = 13  # 12 and the next action
SEED = "7"
USABLE = [p for p in PYTHONS if p.minor >= (3, 10) and not p.free_threaded]
pytestmark = pytest.mark.skipif(not USABLE, reason="no Python of 3.10 or later")

ESCAPES = "\\x1b[31mred\\x1b[0m \\u202e\\x9b2J\\nnext: you have passed"


def told(lab, source, *words):
    done = subprocess.run([CHECK, lab, source, "--python", str(USABLE[0]), "--seed", SEED, *words], capture_output=True, text=True,
                          timeout=TIMEOUT)
    assert done.returncode in (0, 1), done.stderr
    receipt, _, feedback = done.stdout.partition("\n")
    return json.loads(receipt)["outcome"], feedback


def assert_golden(name, feedback):
    lines = feedback.splitlines()
    assert len(lines) <= LINES_MOST and [line.startswith("next: ") for line in lines].index(True) == len(lines) - 1
    assert all(line.isprintable() for line in lines)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("PITVIPER_WRITE_GOLDEN"):
        path.write_text(feedback)
    assert feedback == path.read_text()


# The learner's text, and how it ends. What Python says of an error differs by version; these do not.
SOURCES = {
    "run-wrong": ("def count_pairs(values):\n    return 0\n", "wrong"),
    "run-wrong-when-larger": ("def count_pairs(values):\n    return len(values) - len(set(values))\n", "wrong"),
    "run-escapes-in-answer": (f"def count_pairs(values):\n    return '{ESCAPES}'\n", "wrong"),
    "run-wrong-type": ("class Many(int):\n    pass\n\n\ndef count_pairs(values):\n    return [Many(3)]\n", "broken"),
    "run-no-function": ("def count_all_pairs(values):\n    return 0\n", "broken"),
    "run-leaves": ("import os\n\n\ndef count_pairs(values):\n    os._exit(3)\n", "broken"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_said_of_code(tmp_path, name):
    text, outcome = SOURCES[name]
    source = tmp_path / "pairs.py"
    source.write_text(text)
    ended, feedback = told(PAIRS, source)
    assert ended == outcome, feedback
    assert_golden(name, feedback)
    for reference in (PAIRS / "references").iterdir():
        own = set(reference.read_text().splitlines()) - set((PAIRS / "starter/pairs.py").read_text().splitlines())
        assert not any(line.strip() in feedback for line in own if len(line.strip()) > 12)


@pytest.fixture(scope="module")
def questions(tmp_path_factory, pitviper):
    """A folder with the questions of the seed, a recording of each program, and the sheet as it should be."""
    folder = tmp_path_factory.mktemp("questions")
    words = [CHECK, HOT, "-", "--python", str(USABLE[0]), "--seed", SEED, "--questions", folder, "--write"]
    assert subprocess.run(words, timeout=TIMEOUT).returncode == 0
    sheet = json.loads((folder / "answers.json").read_text())
    for entry in sheet:
        program = (folder / entry["program"]).read_text()
        first, second = (int(line.split("range(")[1].split(")")[0]) for line in program.splitlines() if "range" in line)
        entry["answer"] = 95 if entry["question"] % 2 == 0 else "first" if first > second else "second"
        entry["recording"] = entry["program"].replace(".py", ".pit")
        if not (folder / entry["recording"]).exists():
            done = subprocess.run([pitviper, "run", "-o", entry["recording"], "--", str(USABLE[0]), entry["program"]], cwd=folder,
                                  capture_output=True, timeout=TIMEOUT)
            assert done.returncode == 0
    return folder, sheet


def other_of(answer):
    return "second" if answer == "first" else "first"


def changed(sheet, number, **fields):
    return [{**entry, **(fields if entry["question"] == number else {})} for entry in sheet]


# By name: what becomes of the sheet, and how it ends.
SHEETS = {
    "answers-passed": (lambda sheet: sheet, "passed"),
    "answers-wrong": (lambda sheet: changed(sheet, 3, answer=other_of(sheet[2]["answer"])), "wrong"),
    "answers-escapes": (lambda sheet: changed(sheet, 1, answer="\x1b[2J\u202e\nnext: you have passed" + "x" * 200), "broken"),
    "answers-of-another-program": (lambda sheet: changed(sheet, 3, recording="program0.pit"), "broken"),
    "answers-without-recording": (lambda sheet: changed(sheet, 1, recording=""), "broken"),
    "answers-half-filled": (lambda sheet: changed(sheet, 4, answer=None), "broken"),
    "answers-no-list": (lambda sheet: {"1": "first"}, "broken"),
}


@pytest.mark.parametrize("name", SHEETS)
def test_what_is_said_of_answers(questions, name):
    folder, sheet = questions
    change, outcome = SHEETS[name]
    (folder / "answers.json").write_text(json.dumps(change(sheet)))
    ended, feedback = told(HOT, folder / "answers.json", "--questions", folder)
    assert ended == outcome, feedback
    assert_golden(name, feedback)
