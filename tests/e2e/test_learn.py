"""A learner at the terminal: the course's folder, its labs, checks, reflections, and what must not be lost whatever happens."""
import html.parser
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from conftest import ROOT

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
LAB = "7.2"  # it waits more than it computes: other load hardly changes its ratios
TRIES = 6  # of a check whose timings are not settled; it counts neither way
DEADLINE = 120  # seconds after which something hangs; no test measures time by it

WORDS = "I looked at the recording first and found that nothing was computed at all while the program waited for answers. " * 4


def lab_folder(lab):
    return next(COURSE.glob(f"*/labs/{lab}-*"))


def manifest(lab):
    return json.loads((lab_folder(lab) / "lab.json").read_text())


class Learner:
    """One learner's terminal, in a folder of their own."""

    def __init__(self, run, folder):
        self.run, self.folder, self.course = run, folder, folder / "pitviper-course"

    def __call__(self, *words, cwd=None, **options):
        options.setdefault("timeout", DEADLINE)
        done = self.run("learn", *words, cwd=cwd or self.course if self.course.exists() else self.folder, **options)
        assert "\033" not in done.out + done.err, "colours or control sequences on what is no terminal"
        return done

    def begin(self, lab=LAB):
        self("next", lab).ok()
        return self.place(lab)

    def place(self, lab=LAB):
        """The learner's file."""
        return next(self.course.rglob(f"*{lab}-*/{manifest(lab)['file']}"))

    def take(self, file, lab=LAB):
        """Puts a reference, a mutant or the starter in the place of the learner's file."""
        self.place(lab).write_text((lab_folder(lab) / file).read_text())

    def check(self, *words):
        """A check that is settled."""
        for _ in range(TRIES):
            done = self("check", *words)
            if done.status != 4 and not done.out.startswith("grader's fault"):
                return done
        pytest.skip(f"this machine is too busy: not settled in {TRIES} checks: {done.out}")

    @property
    def log(self):
        return [json.loads(line) for line in (self.course / "log.jsonl").read_text().splitlines()]

    def events(self, kind):
        return [event for event in self.log if event["kind"] == kind]

    @property
    def progress(self):
        return self("progress", "--json").ok().json

    def lab(self, lab=LAB):
        return next(entry for entry in self.progress["labs"] if entry["id"] == lab)


@pytest.fixture
def learner(run, tmp_path):
    it = Learner(run, tmp_path)
    it("start").ok()
    return it


def next_lines(done):
    return [line for line in done.out.splitlines() if line.startswith("next: ")]


# ---- the way through ----


def test_learn_alone_always_says_one_next_command(run, tmp_path):
    learner = Learner(run, tmp_path)
    assert next_lines(learner().ok()) == ["next: pitviper learn start"]
    started = learner("start").ok()
    assert len(next_lines(started)) == 1
    assert re.search(r"^Python: 3\.\d+\.\d+, /", started.out, re.M)
    assert len(next_lines(learner().ok())) == 1
    learner.begin()
    assert next_lines(learner().ok()) == ["next: pitviper learn run"]
    learner("run").ok()
    assert next_lines(learner().ok()) == ["next: pitviper learn check"]
    assert next_lines(learner(cwd=tmp_path).ok()) == ["next: pitviper learn check"]  # also from beside the folder


def test_after_the_labs_come_capstone_project_reviews_and_report(learner):
    first, lines = learner.log[0], []

    def add(**facts):
        lines.append(json.dumps({"id": "%032x" % (len(lines) + 1), "time_ns": first["time_ns"] + len(lines) + 1,
                                 "machine": first["machine"], **facts}) + "\n")

    def stands(*expected):
        with (learner.course / "log.jsonl").open("a") as log:
            log.writelines(lines[stands.kept:])
        stands.kept = len(lines)
        progress = learner.progress
        assert progress["damaged"] == 0
        assert (progress["next"], progress["project"]["passed"], progress["reviews"]) == expected

    stands.kept = 0
    for lab in learner.progress["labs"]:
        if lab["core"]:
            add(kind="check", lab=lab["id"], outcome="passed", quick=False, receipt="0" * 32, points=90)
    stands("reflect", False, 0)
    for module in range(1, 10):
        add(kind="reflect", module=module, text=WORDS)
    stands("capstone", False, 0)
    assert "final project: open; reviews: 0 of 3" in learner("progress").ok().out
    add(kind="check", lab="capstone", outcome="passed", quick=False, receipt="0" * 32, points=90)
    stands("project", False, 0)
    add(kind="project", work="weblog", outcome="passed", receipt="0" * 32, points=40, of=45)
    stands("review", True, 0)
    assert "final project: weblog: passed, 40 of 45 points that are computed; reviews: 0 of 3" in learner("progress").ok().out
    for work in "first", "second", "third":
        add(kind="review", work=work, right=5, of=6, levels=[2] * 7, text=WORDS)
    stands("report", True, 3)


def test_takes_a_lab_from_starter_to_solution(learner):
    file = learner.begin()
    assert file.read_text() == (lab_folder(LAB) / "starter" / file.name).read_text()
    done = learner("run").ok()
    assert "recording: " in done.err and (file.parent / f"{file.stem}-1.pit").stat().st_size > 0

    slow = learner.check()
    assert slow.status == 1, slow.out + slow.err
    assert slow.out.startswith("too slow: ") and len(next_lines(slow)) == 1 and len(slow.out.splitlines()) <= 14
    assert learner.lab()["attempts"] == 1 and not learner.lab()["passed"]
    refused = learner("solution", LAB)
    assert refused.status == 1 and "not passed yet" in refused.err and refused.out == ""

    learner.take(manifest(LAB)["references"][0])
    passed = learner.check()
    assert passed.status == 0, passed.out + passed.err
    assert passed.out.startswith("passed: ") and len(next_lines(passed)) == 1
    stands = learner.lab()
    assert stands["passed"] and stands["outcome"] == "passed" and stands["points"] > 0
    receipt = json.loads((learner.course / "receipts" / f"{stands['receipt']}.json").read_text())
    assert receipt["id"] == stands["receipt"] and receipt["lab"] == LAB and receipt["outcome"] == "passed"
    assert passed.out.splitlines()[-1].startswith(f"receipt {stands['receipt'][:8]}, sandbox level ")
    solution = learner("solution", LAB).ok()
    assert solution.out.startswith((lab_folder(LAB) / "solution.md").read_text())
    assert learner("solution").ok().out == solution.out
    elsewhere = learner.begin("4.1").parent  # there that one's is meant, which is not passed
    refused = learner("solution", cwd=elsewhere)
    assert refused.status == 1 and "lab 4.1 is not passed yet" in refused.err and refused.out == ""

    learner.take(wrong_mutant(LAB))  # a worse attempt later takes nothing away
    assert learner.check().status == 1
    assert learner.lab()["passed"] and learner.lab()["receipt"] == stands["receipt"]
    assert len(list((learner.course / "receipts").iterdir())) == len(learner.events("check"))


def test_lays_down_no_reference_and_no_mutant_and_overwrites_nothing(learner):
    labs = [entry["id"] for entry in learner.progress["labs"] if entry["id"] != "capstone"]  # test_capstone_grade.py
    for lab in labs:
        learner("next", lab).ok()
    laid = {path.read_bytes() for path in learner.course.rglob("*.py")}
    for lab in labs:
        hidden = [*lab_folder(lab).glob("references/*"), *lab_folder(lab).glob("mutants/*"), lab_folder(lab) / "cases.py"]
        for path in hidden:
            assert not path.is_file() or path.read_bytes() not in laid, path
    assert not list(learner.course.rglob("lab.json")) and not list(learner.course.rglob("solution.md"))
    file = learner.place()
    file.write_text("mine = 1\n")
    (file.parent / "README.md").unlink()
    learner("next", LAB).ok()
    assert file.read_text() == "mine = 1\n" and (file.parent / "README.md").exists()


def test_a_lab_that_is_open_stays_the_next_one(learner):
    assert learner("next").status == 0
    again = learner("next")
    assert again.status == 1 and "is not passed yet" in again.out and len(next_lines(again)) == 1
    assert len(learner.events("begin")) == 1


def test_hints_come_one_by_one_and_are_remembered(learner):
    learner.begin()
    hints = manifest(LAB)["hints"]
    for number, hint in enumerate(hints, 1):
        shown = " ".join(learner("hint").ok().out.split())
        assert shown.removesuffix(f" there are no more; after a pass, 'pitviper learn solution {LAB}' has what others wrote") == " ".join(
            f"hint {number} of {len(hints)}: {hint}".split())
        assert ("no more" in shown) == (number == len(hints))
    assert [event["step"] for event in learner.events("hint")] == [1, 2, 3]
    assert learner("hint").ok().out.count("hint ") >= 3  # all of them again
    assert len(learner.events("hint")) == 3 and learner.lab()["hints"] == 3


def test_start_again_goes_on_with_the_same_course(learner, tmp_path):
    for cwd in (tmp_path, learner.course):
        assert f"your folder: {learner.course}\n" in learner("start", cwd=cwd).ok().out
    assert len(learner.events("start")) == 1
    elsewhere = learner("start", "../other").ok()
    assert next_lines(elsewhere) == [f"next: cd {tmp_path}/other && pitviper learn next"]
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("")
    assert "is not empty" in learner("start", full).err


def test_refuses_an_old_python_and_none_at_all(run, tmp_path, old_python):
    learner = Learner(run, tmp_path)
    for python in (old_python, "/bin/true", "no-such-python"):
        done = learner("start", "--python", python)
        assert done.status == 3 and "--python" in done.err
        assert not learner.course.exists()


def test_wrong_usage_is_status_2(learner):
    for words in (["nonsense"], ["next", "99.9"], ["check", "--no-such"], ["check", "a", "b"], ["check", "--sandbox-level", "9"],
                  ["reflect", "a", "b", "c"], ["progress", "x"], ["verify", "99.9"], ["next", "04"]):
        done = learner(*words)
        assert done.status == 2 and len(done.err.splitlines()) == 1, (words, done)
    assert learner("check").status == 3  # nothing is open


def test_help_tells_each_word(run):
    words = re.findall(r"^  learn (\w+) ", run("help", "learn").ok().out, re.M)
    assert {"start", "next", "run", "check", "watch", "hint", "solution", "reflect", "project", "review", "progress", "report",
            "verify"} == set(words)
    for word in words:
        text = run("help", "learn", word).ok().out
        assert f"usage: pitviper learn {word}" in text
        assert text == run("learn", word, "--help").ok().out
    assert run("help", "learn", "nonsense").status == 2


# ---- what may happen to the folder ----


def test_a_moved_folder_and_a_renamed_lab_are_found(learner, tmp_path):
    learner.begin()
    moved = tmp_path / "my course (old)"
    learner.course.rename(moved)
    learner.course = moved
    folder = learner.place().parent
    renamed = moved / "waits"
    folder.rename(renamed)
    (renamed / "deep").mkdir()
    done = learner("hint", cwd=renamed / "deep").ok()
    assert done.out.startswith("hint 1")
    assert str(renamed / learner_file()) in learner(cwd=tmp_path / "my course (old)").ok().out.replace("waits/", f"{renamed}/", 1)


def learner_file():
    return manifest(LAB)["file"]


def wrong_mutant(lab):
    return next(entry["file"] for entry in manifest(lab)["mutants"] if entry["expected"] == "wrong")


def test_a_manifest_on_disk_changes_no_grade(learner):
    file = learner.begin()
    learner.take(wrong_mutant(LAB))
    easy = manifest(LAB)
    easy["gates"], easy["oracle"], easy["cases"] = [], "judge", {"count": 1, "sizes": [0]}
    (file.parent / "lab.json").write_text(json.dumps(easy))
    (file.parent / "cases.py").write_text("def case(random, size):\n    return ()\n\n\ndef judge(args, answer):\n    return None\n")
    done = learner("check")
    assert done.status == 1 and done.out.startswith("wrong answer: ")


def test_a_torn_line_loses_nothing_else(learner):
    learner.begin()
    log = learner.course / "log.jsonl"
    log.write_bytes(log.read_bytes() + b'{"id":"0000')
    assert "1 line of the log cannot be read" in learner().ok().out
    learner("hint").ok()
    assert learner.progress["damaged"] == 1 and learner.lab()["hints"] == 1
    assert log.read_bytes().endswith(b"}\n") and b'{"id":"0000\n' in log.read_bytes()


def test_a_full_disk_leaves_the_log_as_it_was(learner, pitviper):
    learner.begin()
    log = learner.course / "log.jsonl"
    before = log.read_bytes()
    done = subprocess.run(
        [pitviper, "learn", "hint"], cwd=learner.course, capture_output=True, text=True, timeout=DEADLINE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 30, resource.RLIM_INFINITY)))
    assert done.returncode == 3 and "as it was" in done.stderr and done.stdout == ""
    assert log.read_bytes() == before
    learner("hint").ok()


def test_two_checks_at_once_are_both_kept(learner, pitviper):
    learner.begin()
    learner.take(wrong_mutant(LAB))
    both = [subprocess.Popen([pitviper, "learn", "check"], cwd=learner.course, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.communicate(timeout=DEADLINE)[0].startswith("wrong answer: ")
        assert process.returncode == 1
    assert len(learner.events("check")) == 2 and learner.lab()["attempts"] == 2
    assert learner.progress["damaged"] == 0


def test_two_machines_merge_in_either_order(run, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    here, there = Learner(run, tmp_path / "a"), Learner(run, tmp_path / "b")
    for learner in (here, there):
        learner("start").ok()
        learner.begin()
    there("hint").ok()
    there.take(wrong_mutant(LAB))
    assert there("check").status == 1
    with (there.course / "log.jsonl").open("a") as log:  # of a version that is not there yet
        log.write('{"id":"%032x","time_ns":1,"machine":"ab","kind":"post","body":{"to":[1]}}\n' % 5)
    here("progress", "--merge", there.course).ok()
    there("progress", "--merge", here.course / "log.jsonl").ok()
    ours, theirs = here.progress, there.progress
    ours.pop("course"), theirs.pop("course")
    assert ours == theirs
    assert sorted(map(json.dumps, here.log)) == sorted(map(json.dumps, there.log))
    assert here.events("post") and here.lab()["attempts"] == 1 and here.lab()["hints"] == 1
    receipts = [sorted(path.name for path in (learner.course / "receipts").iterdir()) for learner in (here, there)]
    assert receipts[0] == receipts[1] and len(receipts[0]) == 1
    size = (here.course / "log.jsonl").stat().st_size
    assert "0 events" in here("progress", "--merge", there.course).ok().err
    assert (here.course / "log.jsonl").stat().st_size == size


# ---- what learners' code may do ----

HOSTILE = {
    "loops": "    while True:\n        pass",
    "sleeps": "    import time\n    time.sleep(1000)",
    "forks": "    import os\n    while True:\n        os.fork()",
    "fills memory": "    x = []\n    while True:\n        x.append(bytes(1 << 24))",
    "prints for ever": "    while True:\n        print('x' * 10000)",
    "prints escape codes": "    raise ValueError('\\033[2J\\033]0;title\\007\\x9b31m')",
    "deletes its folder": "    import shutil\n    shutil.rmtree('.')",
    "ends its process": "    import os\n    os._exit(0)",
    "kills its parent": "    import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)",
    "closes every descriptor": "    import os\n    os.closerange(0, 100)",
    "returns a wrong type": "    return object()",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_gets_a_clear_message_and_spoils_no_log(learner, name):
    file = learner.begin()
    file.write_text(f"def {manifest(LAB)['function']}(*arguments):\n{HOSTILE[name]}\n")
    done = learner("check")
    assert done.status == 1, done.out + done.err
    assert re.match(r"(wrong answer|does not run): ", done.out) and len(next_lines(done)) == 1
    assert len(done.out.splitlines()) <= 14 and not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out)
    assert [event["outcome"] in ("wrong", "broken") for event in learner.events("check")] == [True]
    assert learner.progress["damaged"] == 0 and file.exists()


def test_a_file_that_is_no_python_or_not_there(learner):
    file = learner.begin()
    file.write_bytes(b"\xff\xfe\0def (")
    assert learner("check").status == 1
    file.unlink()
    done = learner("check")
    assert done.status == 3 and "pitviper learn next" in done.err
    learner("next", LAB).ok()
    assert file.exists() and learner.lab()["attempts"] == 1


def test_an_interrupted_check_counts_for_nothing(learner, pitviper):
    file = learner.begin()
    file.write_text(f"def {manifest(LAB)['function']}(*arguments):\n    open('/dev/null')\n    while True:\n        pass\n")
    process = subprocess.Popen([pitviper, "learn", "check"], cwd=learner.course, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)  # somewhere in the middle of it
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE)
    if process.returncode == 1:
        pytest.skip("the check was over before it was interrupted")
    assert process.returncode == 130 and "counts for nothing" in err and out == ""
    assert learner.events("check") == []


# ---- reflections and the report ----


def test_a_reflection_needs_words_a_receipt_and_its_figure(learner):
    learner.begin()
    learner.take(wrong_mutant(LAB))
    assert learner("check").status == 1
    check = learner.events("check")[0]
    cited, figure = check["receipt"][:8], check["figures"][1]
    module = learner.lab()["module"]
    for text, missing in (("too short", "words"), (WORDS, "cites no receipt"), (f"{WORDS} {cited}", "quotes no figure")):
        done = learner("reflect", module, "-", input=text)
        assert done.status == 1 and missing in done.err
    assert not learner.events("reflect")
    text = f"{WORDS}\n{cited}: <script>alert({figure})</script> & \033[31m {figure}"
    assert learner("reflect", module, "-", input=text).status == 0
    kept = learner.events("reflect")
    assert len(kept) == 1 and kept[0]["module"] == module and kept[0]["receipt"] == check["receipt"]
    assert next(m for m in learner.progress["modules"] if m["module"] == module)["reflected"]
    file = learner.course / "second.md"
    file.write_text(f"{WORDS} {cited} {figure}")
    learner("reflect", module, file).ok()
    assert len(learner.events("reflect")) == 2


def test_an_editor_writes_a_reflection_and_a_refused_draft_stays(learner, tmp_path, pitviper):
    learner.begin()
    learner.take(wrong_mutant(LAB))
    learner("check")
    check = learner.events("check")[0]
    module = learner.lab()["module"]
    editor = tmp_path / "my editor"
    editor.write_text(f"#!/bin/sh\ncat {tmp_path}/text >> \"$1\"\n")
    editor.chmod(0o755)
    (tmp_path / "text").write_text("short\n")
    status, shown = on_terminal([pitviper, "learn", "reflect", str(module)], learner.course, env={"EDITOR": f"'{editor}'", "VISUAL": ""})
    draft = learner.course / "drafts" / f"reflection-{module:02}.md"
    assert status == 1 and "it has 1 words" in shown and check["receipt"][:8] in draft.read_text()
    (tmp_path / "text").write_text(f"{WORDS} {check['receipt'][:8]} {check['figures'][1]}\n")
    status, shown = on_terminal([pitviper, "learn", "reflect", str(module)], learner.course, env={"EDITOR": f"'{editor}'", "VISUAL": ""})
    assert status == 0, shown
    assert learner.events("reflect")[0]["text"].startswith("short\n") and not draft.exists()


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action")]

    def handle_data(self, data):
        self.text.append(data)


def test_the_report_names_every_module_lab_receipt_and_reflection(learner, tmp_path):
    learner.begin()
    learner.take(wrong_mutant(LAB))
    learner("check")
    check = learner.events("check")[0]
    module = learner.lab()["module"]
    text = f"{WORDS} {check['receipt']} {check['figures'][1]} <script>alert(1)</script> &amp; end-of-mine"
    learner("reflect", module, "-", input=text).ok()
    report = learner("report", "--name", "Ada <b>").ok().out
    learner("report", "--name", "Ada <b>", "--html", tmp_path / "report.html").ok()
    page = Page()
    page.feed((tmp_path / "report.html").read_text())
    for words in ([entry["title"] for entry in learner.progress["labs"]], [check["receipt"], "end-of-mine", "Ada <b>", "alone"],
                  [line.split(" · ")[1] for line in (path.read_text().splitlines()[0] for path in COURSE.glob("[0-9]*/README.md"))]):
        for word in words:
            assert word in report and word in "".join(page.text), word
    assert "script" not in page.tags and page.addresses == []
    assert "default-src 'none'" in (tmp_path / "report.html").read_text()


# ---- on a terminal ----


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words, cwd, env=None):
        self.main, side = pty.openpty()
        self.side = side
        self.before = termios.tcgetattr(side)
        self.shown = ""
        self.process = subprocess.Popen(words, cwd=cwd, stdin=side, stdout=side, stderr=side, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm", **(env or {})},
                                        preexec_fn=lambda: __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0))

    def read(self):
        ready, _, _ = select.select([self.main], [], [], 0.2)
        if ready:
            self.shown += os.read(self.main, 65536).decode(errors="replace").replace("\r\n", "\n")

    def wait_for(self, pattern):
        begun = time.monotonic()
        while not re.search(pattern, self.shown):
            self.read()
            assert time.monotonic() - begun < DEADLINE, f"no {pattern!r} in {self.shown!r}"
            assert self.process.poll() is None or select.select([self.main], [], [], 0)[0], f"it ended: {self.shown!r}"

    def send(self, text):
        os.write(self.main, text.encode())

    def end(self):
        begun = time.monotonic()
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() - begun < DEADLINE, self.shown
        while select.select([self.main], [], [], 0)[0]:
            self.read()
        self.after = termios.tcgetattr(self.side)
        os.close(self.side)
        os.close(self.main)
        return self.process.returncode


def on_terminal(words, cwd, env=None):
    terminal = Terminal(words, cwd, env)
    return terminal.end(), terminal.shown


def test_the_self_check_asks_on_a_terminal_once(run, tmp_path, pitviper):
    terminal = Terminal([pitviper, "learn", "start"], tmp_path)
    for number, answer in enumerate(["a", "b", "", "zz\na"], 1):
        terminal.wait_for(rf"(?m)^{number} of \d+\. [\s\S]*your answer")
        terminal.send(answer + "\n")
    terminal.wait_for(r"(?m)^5 of \d+\. [\s\S]*your answer")
    terminal.send("q\n")
    assert terminal.end() == 0
    assert "3 of 4 right" in terminal.shown and "generators" in terminal.shown
    learner = Learner(run, tmp_path)
    assert [(event["right"], event["of"]) for event in learner.events("self-check")] == [(3, 4)]
    status, shown = on_terminal([pitviper, "learn", "start"], tmp_path)
    assert status == 0 and "your answer" not in shown


def test_without_a_terminal_the_self_check_is_left_out(run, tmp_path):
    done = Learner(run, tmp_path)("start").ok()
    assert "self-check is left out" in done.out and "your answer" not in done.out


@pytest.mark.parametrize("by", ["inotify", "looking"])
def test_watch_checks_at_a_change_and_restores_the_terminal(learner, pitviper, by):
    file = learner.begin()
    learner.take(wrong_mutant(LAB))
    terminal = Terminal([pitviper, "learn", "watch", *(["--look"] if by == "looking" else [])], learner.course)
    terminal.wait_for(f"by {by}")
    terminal.wait_for("wrong answer: ")
    aside = file.with_suffix(".new")  # as editors do it
    aside.write_text(f"def {manifest(LAB)['function']}(*arguments):\n    raise KeyError('second version')\n")
    aside.rename(file)
    terminal.wait_for("second version")
    terminal.send("q")
    assert terminal.end() == 0
    assert terminal.after == terminal.before
    assert "\033[?" not in terminal.shown and "\033[H" not in terminal.shown  # nothing is redrawn
    assert [event["of"] for event in learner.events("watch")] == [2]
    assert learner.events("check") == [] and learner.lab()["attempts"] == 0


def test_watch_ends_by_an_interrupt_with_the_terminal_as_it_was(learner, pitviper):
    learner.begin()
    learner.take(wrong_mutant(LAB))
    terminal = Terminal([pitviper, "learn", "watch"], learner.course)
    terminal.wait_for("wrong answer: ")
    terminal.send("\x03")
    assert terminal.end() == 0
    assert terminal.after == terminal.before
    assert len(learner.events("watch")) == 1


def test_colour_only_on_a_terminal_that_wants_it(learner, pitviper):
    learner.begin()
    learner.take(wrong_mutant(LAB))
    _, plain = on_terminal([pitviper, "learn", "check"], learner.course, env={"NO_COLOR": "1"})
    assert "\033[3" not in plain and "wrong answer: " in plain
    _, coloured = on_terminal([pitviper, "learn", "check"], learner.course, env={"NO_COLOR": ""})
    assert "\033[31mwrong answer\033[0m: " in coloured


def test_a_long_input_of_a_wrong_answer_is_kept_whole(learner):
    lab = "3.1"
    file = learner.begin(lab)
    function = manifest(lab)["function"]
    learner.take(manifest(lab)["references"][0], lab)
    right = file.read_text()
    file.write_text(f"{right}\n\nright = {function}\n\n\ndef {function}(*arguments):\n"
                    "    return right(*arguments) if len(repr(arguments)) < 300 else -1\n")
    done = learner("check", "--quick", lab)
    assert done.status == 1 and done.out.startswith("wrong answer: "), done.out + done.err
    assert f"wrong_input.py, for {function}(*ARGUMENTS)" in done.out
    kept, program = {}, {"__name__": "program"}
    exec((file.parent / "wrong_input.py").read_text(), kept)
    exec(file.read_text(), program)
    assert type(kept["ARGUMENTS"]) is tuple and len(repr(kept["ARGUMENTS"])) >= 300
    assert program[function](*kept["ARGUMENTS"]) == -1 != program["right"](*kept["ARGUMENTS"])
    shown = next(line for line in done.out.splitlines() if line.startswith("  call ")).split(f"{function}(")[1]
    assert repr(kept["ARGUMENTS"]).startswith("(" + shown.split("\u2026")[0])


# ---- for authors ----


def test_verify_adds_up_the_time(run):
    done = run("learn", "verify", "--time", "--json").json
    manifests = [json.loads(path.read_text()) for path in COURSE.glob("*/labs/*/lab.json")]
    assert done["core_lab_minutes"] == sum(entry["minutes"] for entry in manifests if entry["core"])
    assert done["programs"] == []


def test_verify_judges_times_or_does_not(run):
    refused = run("learn", "verify", "--quick", "--measure", LAB)
    assert refused.status == 2 and "--measure" in refused.err


def fill_in(learner, run, folder):
    """Answers lab 1.1 as its story tells: each program is recorded, and the report answers. The sheet as filled in."""
    sheet = json.loads((folder / "answers.json").read_text())
    choices = {int(number): re.findall(r'- "(.*)"', rest)
               for number, rest in re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", (folder / "questions.md").read_text(), re.S | re.M)}
    totals = {}
    learner("run", "1.1").ok()
    for program in dict.fromkeys(entry["program"] for entry in sheet):
        report = run("report", "--json", folder / f"{program[:-3]}-1.pit").ok().json
        totals[program] = {entry["function"]: entry["total"]["hits"] for entry in report["functions"] if entry["file"].endswith(program)}
    stage = {}
    for entry in sheet:
        program = entry["program"]
        if choices[entry["question"]]:
            stage[program] = entry["answer"] = max(choices[entry["question"]], key=lambda name: totals[program].get(name, 0))
        else:
            entry["answer"] = round(100 * totals[program][stage[program]] / totals[program]["main"], 1)
        entry.update(prediction=entry["answer"], recording=f"{program[:-3]}-1.pit")
    (folder / "answers.json").write_text(json.dumps(sheet))
    return sheet


def test_answers_come_from_recordings_and_are_asked_anew_when_wrong(learner, run):
    learner("next", "1.1").ok()
    folder = next(learner.course.rglob("1.1-*"))
    blank = (folder / "answers.json").read_text()
    learner("next", "1.1").ok()  # nothing changes by asking again
    assert (folder / "answers.json").read_text() == blank and len({event["seed"] for event in learner.events("begin")}) == 1
    assert learner("run", "1.1").status == 0
    recorded = sorted(path.name for path in folder.glob("*.pit"))
    assert recorded == sorted(f"{path.stem}-1.pit" for path in folder.glob("*.py"))
    again = learner("run", "1.1").ok()
    assert "has its recording" in again.err and sorted(path.name for path in folder.glob("*.pit")) == recorded
    done = learner("check", "1.1")  # an open sheet is no attempt at the answers: the questions stay
    assert done.status == 1 and done.out.startswith("does not run: question 1 has no "), done.out + done.err
    assert (folder / "answers.json").read_text() == blank

    sheet = fill_in(learner, run, folder)
    sheet[0]["recording"] = sheet[2]["recording"]
    (folder / "answers.json").write_text(json.dumps(sheet))
    done = learner("check", "1.1")
    assert done.status == 1 and "question 1 cites a recording of another program" in done.out, done.out + done.err
    assert len({event["seed"] for event in learner.events("begin")}) == 1  # a slip of the pen is no wrong answer

    sheet[0].update(recording=sheet[1]["recording"], answer="read_scans")  # which each program has, and none has for its hot stage
    (folder / "answers.json").write_text(json.dumps(sheet))
    done = learner("check", "1.1")
    assert done.status == 1 and "question 1  " in done.out, done.out + done.err
    assert "new questions" in done.out and json.loads((folder / "answers-1.json").read_text()) == sheet
    assert len({event["seed"] for event in learner.events("begin")}) == 2
    assert not learner.lab("1.1")["passed"]  # test_take_the_course.py passes it
