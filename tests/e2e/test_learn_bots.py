"""Who guesses at the labs of answers: how often would they pass? Worked out from the questions alone, over many seeds, and as if
each answer cited a good recording; then what an answer is worth without one."""
import importlib.util
import json
import random
import subprocess
from collections import Counter

import pytest
from conftest import PYTHONS, ROOT, TIMEOUT

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
CHECK = ROOT / "build" / "tests" / "grade_lab"
LABS = [json.loads(path.read_text())["id"] for path in sorted(COURSE.glob("*/labs/*/lab.json"))
        if json.loads(path.read_text())["kind"] == "answers"]
SEEDS = range(1, 1501)  # of the sheets that are guessed at
LEARNT = range(100_000, 100_500)  # of those that a bot has seen the answers of
MOST = 0.01
USABLE = [python for python in PYTHONS if python.minor >= (3, 10) and not python.free_threaded]


def folder_of(lab):
    return next(COURSE.glob(f"*/labs/{lab}-*"))


def module_of(lab):
    spec = importlib.util.spec_from_file_location("questions", folder_of(lab) / "questions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=LABS)
def sheets(request):
    """(the sheets to be guessed at, those seen before): lists of questions. Shares are taken as planned: what a machine measures
    moves them all, and makes none easier to guess."""
    module = module_of(request.param)
    drawn = [[module.questions(random.Random(seed)) for seed in seeds] for seeds in (SEEDS, LEARNT)]
    for question in (question for sheets in drawn for sheet in sheets for question in sheet):
        if question["answer"] is None:
            question["answer"] = question["planned"]
    return drawn


def is_right(question, guess):
    if question["choices"]:
        return guess == question["answer"]
    return abs(guess - question["answer"]) <= question["tolerance"]


def passes(sheets, guess):
    """The share of sheets on which guess(question) is right throughout."""
    return sum(all(is_right(question, guess(question)) for question in sheet) for sheet in sheets) / len(sheets)


def best_number(questions):
    """The number that is right most often. Every one that is at the edge of some answer's tolerance is tried."""
    edges = {question["answer"] + question["tolerance"] for question in questions}
    return max(edges, key=lambda guess: sum(is_right(question, guess) for question in questions), default=0)


def numbers_of(sheets):
    return [question for sheet in sheets for question in sheet if not question["choices"]]


def test_a_sheet_has_enough_to_guess_at(sheets):
    for sheet in sheets[0]:
        ways = 1.0
        for question in sheet:  # a number is taken as right if it is one of a percent's tolerance
            ways *= len(question["choices"]) if question["choices"] else 100 / (2 * question["tolerance"])
        assert ways > 1 / MOST
        assert all(question["answer"] in question["choices"] for question in sheet if question["choices"])


def test_answers_at_random(sheets):
    """Exact: the chance on each sheet, and no drawing."""
    total = 0.0
    for sheet in sheets[0]:
        chance = 1.0
        for question in sheet:
            chance *= 1 / len(question["choices"]) if question["choices"] else 2 * question["tolerance"] / 100
        total += chance
    assert total / len(sheets[0]) < MOST


@pytest.mark.parametrize("place", [0, -1])
def test_always_the_same_choice(sheets, place):
    number = best_number(numbers_of(sheets[1]))
    assert passes(sheets[0], lambda question: question["choices"][place] if question["choices"] else number) < MOST


def test_the_commonest_answer_of_sheets_seen_before(sheets):
    seen = Counter(question["answer"] for sheet in sheets[1] for question in sheet if question["choices"])
    number = best_number(numbers_of(sheets[1]))
    assert passes(sheets[0], lambda question: max(question["choices"], key=lambda choice: seen[choice]) if question["choices"]
                  else number) < MOST


def stage_of(question):
    return question.get("share_of") or question["stage"]


def test_the_commonest_answer_about_the_same_stage(sheets):
    """Knows every answer that can be known from a name, and the best number for each: those who learn the programs by heart."""
    numbers = {}
    for question in numbers_of(sheets[1]):
        numbers.setdefault(stage_of(question), []).append(question)
    if not numbers:
        pytest.skip("it asks for no numbers, and its programs have no names of their own")
    best = {stage: best_number(questions) for stage, questions in numbers.items()}
    assert passes(sheets[0], lambda question: question["answer"] if question["choices"] else best[stage_of(question)]) < MOST


def test_a_bot_that_knew_would_pass(sheets):
    """The tests above can fail."""
    assert passes(sheets[0], lambda question: question["answer"]) == 1


def graded(lab, folder, seed, answers):
    """The receipt of this sheet, and what was said."""
    (folder / "answers.json").write_text(json.dumps(answers))
    done = subprocess.run([CHECK, lab, folder / "answers.json", "--python", str(USABLE[0]), "--seed", str(seed), "--questions", folder],
                          capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout.partition("\n")[0]), done.stdout


@pytest.mark.skipif(not USABLE, reason="no Python of 3.10 or later")
@pytest.mark.parametrize("lab", LABS)
def test_right_answers_without_their_recordings_count_nothing(lab, tmp_path, pitviper):
    """Each answer is right; it cites nothing, or a recording of a program that looks like its own."""
    seed = 11
    asked = module_of(lab).questions(random.Random(seed))
    other = "other.py"
    programs = asked[0].get("programs") or [asked[-1]["program"]]
    alike = next(program for program in programs if program["name"] != asked[0]["answer"])
    (tmp_path / other).write_text(alike["text"] + "\n")  # one byte makes it another program
    done = subprocess.run([pitviper, "run", "-o", "other.pit", "--", str(USABLE[0]), other], cwd=tmp_path, capture_output=True,
                          timeout=TIMEOUT)
    assert done.returncode == 0
    for recording, said in ((None, "cites no recording"), ("other.pit", "another program, or of a changed one")):
        sheet = [{"answer": question["planned"] if question["answer"] is None else question["answer"], "prediction": 1,
                  "recording": recording} for question in asked]
        receipt, told = graded(lab, tmp_path, seed, sheet)
        assert receipt["outcome"] == "broken" and receipt["right"] == 0 and said in told, told
