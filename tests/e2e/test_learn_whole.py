"""The scripted learner of bench/course.py on a part of the course: from `learn start` in a clean home to the report. Full checks where a
lab's gates hardly depend on the machine's other work, quick ones elsewhere; what a busy machine leaves open is skipped, and never
told as passed. bench/course.py takes all of it."""
import html.parser
import json
import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "bench"))
from harness import learner as typing  # noqa: E402

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
LABS = {manifest["id"]: (manifest, folder) for manifest, folder in typing.core_labs(COURSE)}
FULL = "7.2"  # it waits more than it computes
QUICK = ("2.2", "8.1")  # one of a thread, one of coroutines
ANSWERS = "1.3"


@pytest.fixture
def learner(pitviper, tmp_path):
    """In a folder that looks like a clone, with a home where nothing was before."""
    place = tmp_path / "clone"
    place.mkdir()
    (place / "course").symlink_to(ROOT / "course")
    it = typing.Learner(pitviper, place, tmp_path / "home")
    done = it.learn("start", cwd=place).ok()
    assert typing.next_command(done).endswith("pitviper learn next")
    assert it.course == place / "pitviper-course" and (it.course / ".pitviper-course").exists()
    return it


def settled(attempt):
    if not attempt.settled:
        pytest.skip(f"this machine is too busy: lab {attempt.lab} is not settled in {attempt.tries} checks: {attempt.feedback}")
    return attempt


def test_there_are_two_core_labs_for_each_module():
    modules = [folder.parent.parent.name[:2] for _, folder in LABS.values()]
    assert modules == sorted(modules) and modules == [f"{number:02}" for number in range(1, 10) for _ in range(2)]


def test_with_references_labs_pass_and_the_report_says_so(learner):
    first = typing.take_answers_lab(learner, ANSWERS, typing.answer_from_recordings)
    assert first.status == typing.PASSED, first.feedback
    done = typing.reflect(learner, 1, first).ok()
    assert typing.next_command(done) or typing.next_command(learner.learn().ok())
    for lab in QUICK:
        manifest, folder = LABS[lab]
        attempt = typing.take_code_lab(learner, lab, typing.source_of(manifest, folder, "references"), words=["--quick"])
        assert attempt.status != typing.NOT_PASSED, attempt.feedback
        assert learner.lab(lab)["attempts"] == 0  # a quick check counts for nothing
    hint = learner.learn("hint", FULL)
    assert hint.status == 1  # it is not begun
    manifest, folder = LABS[FULL]
    full = settled(typing.take_code_lab(learner, FULL, typing.source_of(manifest, folder, "references"), tries=2))
    assert full.status == typing.PASSED, full.feedback
    solution = learner.learn("solution", FULL).ok().out
    assert typing.source_of(manifest, folder, "references") in solution
    typing.reflect(learner, 7, full).ok()

    labs = {entry["id"]: entry for entry in learner.progress["labs"]}
    assert {lab for lab, entry in labs.items() if entry["passed"]} == {ANSWERS, FULL}
    assert all(0 < labs[lab]["points"] <= 100 for lab in (ANSWERS, FULL))
    report = learner.learn("report", "--name", "Ada").ok().out
    learner.learn("report", "--name", "Ada", "--html", "report.html").ok()
    page = "".join(text for text in Text.of((learner.course / "report.html").read_text()))
    for word in ("Ada", typing.WORDS[:60], *(labs[lab]["receipt"] for lab in (ANSWERS, FULL)), *(e["title"] for e in labs.values())):
        assert word in " ".join(report.split()) and word in " ".join(page.split()), word
    receipt = json.loads((learner.course / "receipts" / f"{labs[FULL]['receipt']}.json").read_text())
    assert receipt["outcome"] == "passed" and all(gate["samples"] for gate in receipt["gates"])


def test_with_starters_nothing_passes(learner):
    guessed = typing.take_answers_lab(learner, ANSWERS, typing.answer_by_guessing)
    assert guessed.outcome == "wrong answer", guessed.feedback
    for lab in QUICK:
        manifest, folder = LABS[lab]
        attempt = typing.take_code_lab(learner, lab, typing.source_of(manifest, folder, "starters"), words=["--quick"])
        assert attempt.status != typing.PASSED, attempt.feedback
    manifest, folder = LABS[FULL]
    slow = typing.take_code_lab(learner, FULL, typing.source_of(manifest, folder, "starters"), tries=1)
    assert slow.status != typing.PASSED and (not slow.settled or slow.outcome == "too slow"), slow.feedback
    assert learner.learn("solution", FULL).status == 1
    assert not any(entry["passed"] for entry in learner.progress["labs"])
    assert re.search(r"\b0 of 18\b", learner.learn("report").ok().out)
    typing.reflect(learner, 1, guessed).ok()  # what went wrong may be thought about too


class Text(html.parser.HTMLParser):
    """The text of a page."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)

    @classmethod
    def of(cls, page):
        it = cls()
        it.feed(page)
        return it.parts
