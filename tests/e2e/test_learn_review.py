"""The reviews as a learner writes them: laid down, vague, whole, hostile; and the reference that is shown only then."""
import json

import pytest
from conftest import ROOT
from test_learn import Learner, next_lines

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
REFERENCE = COURSE / "reviews" / "reference"
CRITERIA = ("Baseline and question", "Profiling evidence", "Correctness evidence", "Measured improvement", "Quality of validation",
            "Readability and trade-offs", "Report and pitfalls")
FIRST = "\n**To the author, first:** compare mend old and new on words of two letters less.\n"


def review(levels, sentence="after/finder.py:100 leaves out words that are near", first=FIRST):
    rows = "".join(f"| {name} | {level} | {sentence} |\n" for name, level in zip(CRITERIA, levels))
    return "# Review\n\n| criterion | level | because |\n|---|---|---|\n" + rows + first


class Reviewer(Learner):
    def __init__(self, run, folder):
        super().__init__(run, folder)
        self("start").ok()
        self("review", "start").ok()

    def write(self, work, text):
        path = self.course / "reviews" / f"review-{work}.md"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def judge(self, work, text):
        self.write(work, text)
        return self("review", "check", work)


@pytest.fixture
def reviewer(run, tmp_path):
    return Reviewer(run, tmp_path)


def test_lays_the_works_down_without_the_reference(reviewer):
    laid = sorted(path.relative_to(reviewer.course / "reviews").as_posix() for path in (reviewer.course / "reviews").rglob("*.*"))
    program = {"first": "weblog", "second": "finder", "third": "clinic"}
    assert laid == sorted([*(f"{work}/{file}" for work, name in program.items()
                             for file in ("report.md", f"after/{name}.py", f"before/{name}.py")), *(f"review-{work}.md" for work in program), "rubric.md"])
    assert (reviewer.course / "reviews" / "rubric.md").read_text().rstrip() in (COURSE / "project" / "README.md").read_text()
    for work, name in program.items():
        folder = reviewer.course / "reviews" / work
        assert (folder / "after" / f"{name}.py").read_bytes() == (COURSE / "reviews" / work / "after" / f"{name}.py").read_bytes()
        assert (folder / "before" / f"{name}.py").read_bytes() == (COURSE / "project" / name / f"{name}.py").read_bytes()
    text = "".join(path.read_text() for path in (reviewer.course / "reviews").rglob("*.*"))
    assert "Reference review" not in text and "In short" not in text
    reviewer.write("first", "mine")
    assert "that lay there stayed" in reviewer("review", "start").ok().out
    assert (reviewer.course / "reviews" / "review-first.md").read_text() == "mine"


def test_alone_it_says_what_is_left(run, tmp_path):
    learner = Learner(run, tmp_path)
    learner("start").ok()
    assert next_lines(learner("review").ok()) == ["next: pitviper learn review start"]
    learner("review", "start").ok()
    assert next_lines(learner("review").ok()) == ["next: pitviper learn review check first"]
    for words in (["check"], ["check", "fourth"], ["check", "../first"], ["start", "now"], ["judge"]):
        assert learner("review", *words).status == 2


def test_the_form_as_it_was_laid_down_is_not_taken(reviewer):
    done = reviewer("review", "check", "second")
    assert done.status == 1 and "is not whole" in done.out and len(next_lines(done)) == 1
    assert done.out.count("no level") == len(CRITERIA) and "To the author, first" in done.out
    assert "Reference review" not in done.out and reviewer.events("review") == []


def test_a_vague_review_is_not_taken(reviewer):
    done = reviewer.judge("second", review([2] * 7, "this part is very good and I liked it", "\n**To the author, first:** well done.\n"))
    assert done.status == 1 and done.out.count("names no place") == len(CRITERIA) and "what to do first" in done.out
    assert "Reference review" not in done.out and reviewer.events("review") == []


def test_a_whole_review_is_kept_and_the_reference_shown_beside_it(reviewer):
    text = review([2, 2, 3, 2, 2, 2, 1])
    done = reviewer.judge("second", text).ok()
    assert (REFERENCE / "second.md").read_text() in done.out
    assert "Correctness evidence: you 3, the reference 0" in done.out
    assert "Quality of validation: you 2, the reference 0" in done.out
    assert done.out.count(", the reference ") == 2
    (event,) = reviewer.events("review")
    assert event["work"] == "second" and event["text"] == text and event["levels"] == [2, 2, 3, 2, 2, 2, 1, None]
    assert event["right"] == 7
    assert "second: levels 2 2 3 2 2 2 1, 7 of" in reviewer("report").ok().out
    page = reviewer.folder / "report.html"
    reviewer("report", "--html", page).ok()
    assert "after/finder.py:100 leaves out" in page.read_text()


def test_the_first_that_was_kept_stands(reviewer):
    reviewer.judge("second", review([2, 2, 3, 2, 2, 2, 1])).ok()
    again = reviewer.judge("second", review([2, 2, 0, 2, 0, 2, 1])).ok()
    assert "no level is two or more apart" in again.out and "the first one" in again.out
    assert len(reviewer.events("review")) == 2
    assert "second: levels 2 2 3" in reviewer("report").ok().out


@pytest.mark.parametrize("work", ("first", "second", "third"))
def test_the_references_are_whole_by_the_same_rule(reviewer, work):
    text = (REFERENCE / f"{work}.md").read_text()
    done = reviewer.judge(work, text).ok()
    assert "no level is two or more apart" in done.out
    assert all(level is not None for level in reviewer.events("review")[0]["levels"][:7])


def test_three_reviews_and_two_anchors_are_told(reviewer):
    for work, line in (("first", "weblog.py:55"), ("second", "finder.py:100"), ("third", "clinic.py:129")):
        reviewer.judge(work, review([1] * 7, f"see {line} for that")).ok()
    stands = reviewer("review").ok()
    assert "anchored sentences: 21" in stands.out and next_lines(stands) == ["next: pitviper learn report"]
    assert "Reviews: 3 of 3, taken alone; 21 anchored sentences" in reviewer("report").ok().out


def test_a_line_that_is_not_there_is_no_anchor(reviewer):
    done = reviewer.judge("first", review([1] * 7, "see weblog.py:99999 for that"))
    assert done.status == 1 and done.out.count("names no place") == 7
    reviewer.judge("first", review([1] * 7, "see line 17 for that")).ok()
    assert reviewer.events("review")[0]["right"] == 0  # a place, and no anchor


@pytest.mark.parametrize("text", (
    b"", b"\0" * 1000, b"\xff\xfe" * 500, b"|" * 10000, b"<!--" * 3000, ("\x1b[31m" + review([1] * 7, "\x1b[2J line 7 \u202e is bad")).encode(),
    review(["9"] * 7).encode(), review(["1; rm -rf /"] * 7).encode(),
), ids=range(8))
def test_hostile_reviews_do_no_harm(reviewer, text):
    done = reviewer.judge("first", text)
    assert done.status in (0, 1) and "\x1b" not in done.out + done.err
    reported = reviewer("report").ok().out
    assert "\x1b" not in reported and "\u202e" not in reported
    page = reviewer.folder / "report.html"
    reviewer("report", "--html", page).ok()
    assert "\x1b" not in page.read_text()


def test_what_is_no_plain_file_is_not_read(reviewer):
    path = reviewer.course / "reviews" / "review-first.md"
    path.unlink()
    path.symlink_to("/etc/passwd")
    done = reviewer("review", "check", "first")
    assert done.status == 3 and "root:" not in done.out + done.err
    path.unlink()
    assert "learn review start" in reviewer("review", "check", "first").err
    path.write_text("x" * 20000)
    done = reviewer("review", "check", "first")
    assert done.status == 3 and "16 KB" in done.err


def test_markup_of_a_review_is_text_on_the_page(reviewer):
    reviewer.judge("first", review([1] * 7, "<script>alert(1)</script> & line 7")).ok()
    page = reviewer.folder / "report.html"
    reviewer("report", "--html", page).ok()
    assert "<script>" not in page.read_text() and "&lt;script&gt;" in page.read_text()


def test_events_of_other_peoples_works_have_their_place(reviewer):
    reviewer.judge("first", review([1] * 7, "see line 17")).ok()
    (event,) = reviewer.events("review")
    foreign = {**event, "id": "f" * 32, "work": "sha256:0123"}
    with open(reviewer.course / "log.jsonl", "a") as log:
        log.write(json.dumps(foreign) + "\n")
    assert "Reviews: 1 of 3" in reviewer("report").ok().out
