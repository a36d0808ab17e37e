"""The final project as a learner does it: laid down, changed, checked; and what is missing, wrong, slow or hostile."""
import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from test_learn import DEADLINE, Learner, next_lines

sys.path.insert(0, str(ROOT / "bench"))
from harness import works  # noqa: E402

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
GOOD = works.good_weblog(COURSE)
SIZE = "0.15"
BUDGET = "8s"  # of the verdict; half of it for the second size and the A/A run


class Project(Learner):
    """A learner with a project under way."""

    def __init__(self, run, folder):
        super().__init__(run, folder)
        self("start").ok()

    @property
    def place(self):
        return self.course / "project"

    def begin(self, *words):
        self("project", "start", *(words or ["weblog"])).ok()

    def manifest(self, **change):
        path = self.place / "project.json"
        manifest = {**json.loads(path.read_text()), **change}
        path.write_text(json.dumps(manifest))
        return manifest

    def hand_in(self, after=None, **change):
        """All of it but recordings, with this program after."""
        self.begin()
        works.hand_in_project(self.place, after or GOOD.read_text(), SIZE)
        self.manifest(**change)

    def record(self, pitviper):
        works.record_project(
            lambda *words: subprocess.run([pitviper, *words], check=True, timeout=DEADLINE, capture_output=True), self.place)

    def check(self, *words, budget=BUDGET):
        done = self("project", "check", "--json", "--budget", budget, *words, timeout=600)
        assert done.out.startswith("{"), done.out + done.err
        facts = json.loads(done.out)
        facts["status"] = done.status
        facts["levels"] = {one["name"]: one for one in facts["criteria"]}
        return facts


@pytest.fixture
def project(run, tmp_path):
    return Project(run, tmp_path)


def level(facts, name):
    return next(one for one in facts["criteria"] if one["name"].startswith(name))


def changed(old, new):
    text = GOOD.read_text()
    assert text.count(old) == 1
    return text.replace(old, new)


# ---- the documents ----


def rows_of(text, header):
    table = text.split(header)[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")]


def test_rubric_document_and_program_have_the_same_criteria(project):
    told = [(one["name"], str(one["weight"])) for one in json.loads(project_json(project))["criteria"]]
    asked = rows_of((COURSE / "project" / "README.md").read_text(), "| criterion | weight | 0 | 1 | 2 | 3 |\n")
    documented = rows_of((ROOT / "docs" / "project.md").read_text(), "| criterion | weight | computed | held down by |\n")
    assert [(name.removesuffix(" (gate)"), weight) for name, weight, *_ in asked] == told
    assert [(name, weight) for name, weight, *_ in documented] == told


def project_json(project):
    """Facts of a check that ends at once: there is nothing to run."""
    project.begin()
    (project.place / "after" / "weblog.py").unlink()
    return project("project", "check", "--json").out


def test_document_names_every_member_of_project_json(project):
    project.begin()
    members = {row[0].strip("`") for row in rows_of((ROOT / "docs" / "project.md").read_text(), "| in `project.json` | is |\n")}
    members = {name.strip("`, ") for row in members for name in row.split("`, `")}
    (project.folder / "mine").mkdir()
    (project.folder / "mine" / "app.py").write_text("__main__\n")
    laid = set(project.manifest())
    shutil.rmtree(project.place)
    project.begin("own", project.folder / "mine")
    assert laid | set(project.manifest()) | {"redacted"} == members


# ---- laid down ----


@pytest.mark.parametrize("name", ("weblog", "finder", "clinic"))
def test_lays_a_supplied_program_down_and_overwrites_nothing(project, name):
    project.begin(name)
    program = COURSE / "project" / name / f"{name}.py"
    for side in ("before", "after"):
        assert (project.place / side / program.name).read_bytes() == program.read_bytes()
    headings = [line for line in (project.place / "report.md").read_text().splitlines() if line.startswith("## ")]
    asked = (COURSE / "project" / "README.md").read_text()
    assert len(headings) == 9 and all(f"*{heading[3:]}*" in asked.replace("\n", " ") for heading in headings)
    (project.place / "report.md").write_text("mine")
    again = project("project", "start", name)
    assert again.status == 3 and "a project lies in" in again.err
    assert (project.place / "report.md").read_text() == "mine"
    (project.place / "project.json").unlink()
    project.begin(name)  # what is gone comes back, what is there stays
    assert (project.place / "report.md").read_text() == "mine"
    assert [event["work"] for event in project.events("begin")] == [name, name]


def test_alone_it_says_where_the_project_stands(project):
    assert next_lines(project("project").ok()) == ["next: pitviper learn project start weblog"]
    project.hand_in()
    stands = project("project").ok()
    assert "after/: changed" in stands.out and "check: yes; gate: yes" in stands.out
    assert next_lines(stands) == ["next: pitviper learn project check"]
    (project.place / "project.json").write_text("{")
    assert "no JSON in line 1" in project("project").ok().out


def test_refuses_words_that_it_does_not_know(project):
    for words in (["start"], ["start", "other"], ["start", "own"], ["start", "weblog", "finder"], ["judge"], ["check", "weblog"]):
        assert project("project", *words).status == 2
    nothing = project("project", "check")
    assert nothing.status == 3 and "learn project start" in nothing.err


# ---- a good one ----


def test_takes_a_project_from_start_to_pass(project, pitviper):
    project.hand_in()
    project.record(pitviper)
    facts = project.check("--seed", "7")
    right, faster, gate = (level(facts, name) for name in ("Correctness", "Measured", "Quality"))
    assert right["computed"] == 3, right
    assert "refused 3 of 3 broken copies" in right["found"]
    assert right["found"].count("seed ") == 5
    profiling = level(facts, "Profiling")
    assert profiling["most"] == 3 and profiling["computed"] is None
    assert "before.pit: of before; after.pit: of after" in profiling["found"] and "cProfile" in profiling["found"]
    assert level(facts, "Readability")["most"] == 3
    assert level(facts, "Reviews")["most"] == 0 and "learn review" in level(facts, "Reviews")["lift"]
    event = project.events("project")[-1]
    assert event["work"] == "weblog" and event["receipt"] == facts["receipt"] and event["points"] == facts["points"]
    receipt = json.loads((project.course / "receipts" / f"{facts['receipt']}.json").read_text())
    assert all(case["before"] == case["after"] for case in receipt["behaviour"]) and len(receipt["behaviour"]) == 5
    assert receipt["seed"] == "7" and str(project.folder) not in json.dumps(receipt)
    assert set(receipt["verdict"]) >= {"wall", "cpu", "memory"}
    if facts["outcome"] != "passed":
        pytest.skip(f"this machine is too busy: {facts['why']}: {faster['found']}: {gate['found']}")
    assert facts["status"] == 0 and faster["computed"] >= 2 and gate["computed"] == 2
    assert "report.md says 400 times as fast" in faster["found"] and ": not so" in faster["found"]
    assert facts["of"] == 45 and facts["points"] >= 35
    report = project("report").ok().out
    assert "Final project: weblog: passed" in report and facts["receipt"] in report
    assert "Correctness evidence (15): level 3 computed, 3 at most" in report
    assert next_lines(project("project").ok()) == ["next: pitviper learn review"]


def test_says_what_the_evidence_allows_and_what_would_lift_it(project):
    project.begin()
    shutil.copy(GOOD, project.place / "after" / "weblog.py")
    project.manifest(make=["weblog.py", "make", "day.log", "--seed", "1", "--size", "0.05"], metric="cpu")
    told = project("project", "check", "--budget", "2s", timeout=600)
    assert told.status in (1, 4), told.out + told.err
    assert len(next_lines(told)) == 1
    lines = told.out.splitlines()
    assert [line for line in lines if line.startswith("Correctness evidence (15): ")] == [
        "Correctness evidence (15): level 1 computed, 1 at most"]
    assert "Profiling evidence (15): to be judged, 0 at most" in lines
    assert "Report and pitfalls (10): to be judged, 0 at most" in lines
    assert told.out.count("to lift it: ") >= 6
    assert all(len(line) <= 80 for line in lines if not line.startswith(("next: ", "computed: ", "unresolved", "does not run"))), told.out


# ---- wrong ones: they are never timed ----


def test_another_behaviour_is_wrong_and_not_timed(project):
    project.hand_in(changed("> VISIT_ENDS", "> VISIT_ENDS - 900"))
    facts = project.check()
    assert (facts["outcome"], facts["status"]) == ("wrong", 1)
    assert level(facts, "Correctness")["computed"] == 0 and "behaves differently" in facts["why"]
    assert "not measured" in level(facts, "Measured")["found"]
    assert "Final project: weblog: wrong answer" in project("report").ok().out


def test_a_program_that_raises_is_wrong(project):
    project.hand_in(changed("def report_of(path):", "def report_of(path):\n    raise ValueError('\\x1b[31mno')"))
    facts = project.check()
    assert facts["outcome"] == "wrong" and "ValueError" in facts["why"] and "\x1b" not in facts["why"]


def test_a_strangers_program_stays_in_the_sandbox(project):
    mark = project.folder / "written"
    project.hand_in(f"open({str(mark)!r}, 'w').write('here')\nprint('digest 0')\n")
    facts = project.check()
    assert facts["outcome"] == "wrong"
    receipt = json.loads((project.course / "receipts" / f"{facts['receipt']}.json").read_text())
    assert receipt["machine"]["sandbox_level"] < 2 or not mark.exists()


def test_a_check_that_sees_nothing_is_told_so(project):
    project.hand_in()
    (project.place / "check.py").write_text("pass\n")
    (project.place / "gate.py").write_text("raise SystemExit(0)\n")
    facts = project.check(budget="2s")
    right = level(facts, "Correctness")
    assert (right["computed"], right["most"]) == (2, 2) and "refused 0 of 3 broken copies" in right["found"]
    assert "for" in right["found"].split("it let pass: ")[1]
    gate = level(facts, "Quality")
    assert gate["computed"] == 1 and "your gate on an equal copy: passes" in gate["found"]
    assert "more CPU time: passes" in gate["found"] and "half as much time again" in gate["lift"]


def test_a_check_that_refuses_after_counts_against_it(project):
    project.hand_in()
    (project.place / "check.py").write_text("raise SystemExit('I do not like it')\n")
    (project.place / "gate.py").unlink()
    facts = project.check(budget="2s")
    assert facts["outcome"] == "wrong" and level(facts, "Correctness")["computed"] == 0
    assert "I do not like it" in level(facts, "Correctness")["found"]


def test_a_slower_program_does_not_pass(project):
    slower = changed("    report = report_of(options.file)", "    for _ in range(3):\n        report = report_of(options.file)")
    project.hand_in(slower)
    (project.place / "check.py").write_text("pass\n")
    (project.place / "gate.py").write_text("pass\n")
    facts = project.check(budget="3s")
    assert facts["outcome"] in ("slow", "unresolved"), facts
    assert facts["status"] in (1, 4)
    assert level(facts, "Measured")["computed"] == 0


# ---- something is missing, or hostile ----


@pytest.mark.parametrize("break_it, why", (
    (lambda p: (p.place / "before" / "weblog.py").write_text(GOOD.read_text()), "not the program as it was supplied"),
    (lambda p: (p.place / "after" / "weblog.py").unlink(), "after/weblog.py is not there"),
    (lambda p: shutil.rmtree(p.place / "after"), "cannot read the folder"),
    (lambda p: p.manifest(command=["../../weblog.py"]), "'command'"),
    (lambda p: p.manifest(command=["other.py", "run", "day.log"]), "not there"),
    (lambda p: p.manifest(make=["weblog.py", "make", "day.log"]), "--seed and --size"),
    (lambda p: p.manifest(make=["weblog.py", "make", "day.log", "--seed", "1", "--size", "1e9"]), "--seed and --size"),
    (lambda p: p.manifest(program="\x1b[31m"), "'program'"),
    (lambda p: (p.place / "project.json").write_text("[" * 100000), "project.json"),
    (lambda p: (p.place / "after" / "large.py").write_text("#" * (2 << 20)), "too large"),
))
def test_what_cannot_be_run_is_told_and_kept(project, break_it, why):
    project.hand_in()
    break_it(project)
    facts = project.check()
    assert (facts["outcome"], facts["status"]) == ("broken", 1), facts
    assert why in facts["why"] and "\x1b" not in facts["why"]
    assert facts["points"] == 0 and facts["of"] == 0
    assert project.events("project")[-1]["outcome"] == "broken"


def test_a_link_is_no_file_of_the_project(project):
    project.hand_in()
    after = project.place / "after" / "weblog.py"
    after.unlink()
    after.symlink_to(GOOD)
    assert "after/weblog.py is not there" in project.check()["why"]


def test_recordings_of_something_else_are_no_evidence(project, pitviper):
    project.hand_in(changed("> VISIT_ENDS", "> VISIT_ENDS - 900"))  # wrong: evidence is looked at all the same
    project.record(pitviper)
    text = (project.place / "after" / "weblog.py").read_text()
    (project.place / "after" / "weblog.py").write_text(text + "# changed after it was recorded\n")
    (project.place / "report.md").write_text(works.PROJECT_REPORT + "\nnoise.pit gone.pit ../../../etc/hosts.pit\n")
    (project.place / "noise.pit").write_bytes(bytes(range(256)) * 10)
    profiling = level(project.check(), "Profiling")
    assert "before.pit: of before" in profiling["found"]
    assert "after.pit: neither of before/ nor of after/" in profiling["found"]
    assert "noise.pit: no recording" in profiling["found"] and "gone.pit: not there" in profiling["found"]
    assert profiling["most"] == 1 and "record it again" in profiling["lift"]


def test_interrupted_it_counts_for_nothing(project, pitviper):
    project.hand_in()
    process = subprocess.Popen([pitviper, "learn", "project", "check"], cwd=project.course, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130 and b"counts for nothing" in err and out == b""
    assert project.events("project") == []


# ---- a program of one's own ----

OWN = '''
import sys
if sys.argv[1] == "make":
    with open("numbers.txt", "w") as file:
        file.write(" ".join(str(n * int(sys.argv[3]) % 1009) for n in range(int(1500 * float(sys.argv[5])))))
else:
    numbers = open("numbers.txt").read().split()
    print(len([n for n in numbers if WANTED]))
'''


def test_takes_a_program_of_ones_own(project):
    own = project.folder / "mine"
    (own / "lib").mkdir(parents=True)
    (own / "app.py").write_text(OWN.replace("WANTED", "numbers.count(n) == 1") + "# __main__\n")
    (own / "lib" / "more.py").write_text("pass\n")
    project.begin("own", own)
    assert (project.place / "before" / "lib" / "more.py").exists() and (project.place / "after" / "app.py").exists()
    assert project.manifest()["command"] == ["app.py"]
    project.manifest(command=["app.py", "run"], make=["app.py", "make", "--seed", "3", "--size", "1"], gate=[], metric="cpu")
    (project.place / "check.py").write_text("import sys\nsys.exit(len(sys.argv) != 3)\n")
    (project.place / "after" / "app.py").write_text("import collections\n" + OWN.replace("WANTED", "counted[n] == 1").replace(
        ".split()", ".split()\n    counted = collections.Counter(numbers)"))
    told = project("project", "check", "--budget", "2s", timeout=600)
    assert told.out.count("it ran as you, without the sandbox") == 1, told.out + told.err
    event = project.events("project")[-1]
    facts = json.loads((project.course / "receipts" / f"{event['receipt']}.json").read_text())
    assert facts["project"] == event["work"] == "own" and facts["outcome"] != "fault", facts
    assert "sandbox_level" not in facts["machine"]
    right = level(facts, "Correctness")
    assert right["computed"] == 1 or right["most"] == 1  # the report says nothing of it yet
    assert "broken copy of a program of your own is not run" in right["found"] and right["found"].count("seed ") == 5


def test_one_that_cannot_be_shown_is_marked_so(project):
    own = project.folder / "mine"
    own.mkdir()
    mark = project.folder / "it-ran"
    (own / "main.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    project.begin("own", own)
    project.manifest(redacted=True)
    facts = project.check()
    assert facts["status"] == 4 and "not reproduced" in facts["why"] and not mark.exists()
    report = project("report").ok().out
    assert "Final project: of their own, not reproduced" in report
