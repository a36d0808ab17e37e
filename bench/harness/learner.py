"""A learner who types: `pitviper learn` from `start` in a clean home to the completion report, lab by lab, with what a source says is
typed into the files. bench/course.py takes the whole course so, tests/e2e/test_learn_whole.py a part of it.

Nothing is known here but what the program prints, what it lays down, and what the course's folder holds for its authors (references
and starters). What happened is kept by the program itself, so a learner who is started again goes on."""

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

CHECK_SECONDS = 420  # after which a command hangs; the capstone's check may take five minutes
PASSED, NOT_PASSED, FAULT, UNSETTLED = 0, 1, 3, 4  # how `learn check` ends
WORDS = ("Before I measured, I expected another place to be the slow one, and the recording showed me that I was wrong about it. "
         "I changed one thing at a time and looked at the interval after each change. What I left alone is the rest of the program, "
         "since no share of its time was worth the trouble. With a hundred times the input the answer would be another one again, "
         "and I would measure again. ")


@dataclass
class Finished:
    """How a command ended."""

    words: tuple
    status: int
    out: str
    err: str

    def ok(self):
        assert self.status == 0, "%s: status %d\n%s%s" % (" ".join(self.words), self.status, self.out, self.err)
        return self


def next_command(done):
    """The one next command that it names, or None."""
    found = re.findall(r"^next: (.*)$", done.out, re.M)
    return found[0] if len(found) == 1 else None


class Learner:
    """Types in `place`, a clone or what looks like one, with a home of its own where nothing was before."""

    def __init__(self, program, place, home):
        self.program, self.place, self.course = str(program), Path(place), Path(place) / "pitviper-course"
        Path(home).mkdir(parents=True, exist_ok=True)
        self.environment = {name: value for name, value in os.environ.items()
                            if name in ("PATH", "LANG", "TMPDIR", "PYENV_ROOT") or name.startswith("LC_")}
        self.environment.update(HOME=str(home), TERM="dumb")

    def type(self, *words, cwd=None, input=None):
        """pitviper WORDS, to its end."""
        cwd = cwd or (self.course if self.course.exists() else self.place)
        words = tuple(map(str, words))
        done = subprocess.run([self.program, *words], cwd=cwd, env=self.environment, input=input, capture_output=True, text=True,
                              errors="replace", timeout=CHECK_SECONDS, stdin=subprocess.DEVNULL if input is None else None, check=False)
        assert "\033" not in done.stdout + done.stderr, "control sequences on what is no terminal"
        return Finished(("pitviper", *words), done.returncode, done.stdout, done.stderr)

    def learn(self, *words, **options):
        return self.type("learn", *words, **options)

    @property
    def progress(self):
        return json.loads(self.learn("progress", "--json").ok().out)

    def lab(self, lab):
        return next(entry for entry in self.progress["labs"] if entry["id"] == lab)

    def begin(self, lab):
        """Lays it down; its folder, and the file to be changed."""
        done = self.learn("next", lab).ok()
        path = re.search(r"^your file: (.*)$", done.out, re.M).group(1)
        file = (self.course / path).resolve()
        return file.parent, file


def figure_of(feedback):
    """A figure that the feedback tells of a gate, or of answers or inputs."""
    told = feedback.partition("\nreceipt ")[0]
    found = re.search(r"^  \S[^:]*: \D*(\d+\.\d+)[^;]*; at (?:least|most) ", told, re.M) or re.search(r"^[a-z ]+: (\d+) of \d+ ", told)
    return found.group(1) if found else None


def receipt_of(feedback):
    found = re.search(r"^receipt ([0-9a-f]{8})", feedback, re.M)
    return found.group(1) if found else None


# ---- labs ----


@dataclass
class Attempt:
    """What came of a lab."""

    lab: str
    outcome: str  # the first words of the last check
    status: int
    tries: int
    seconds: float
    feedback: str

    @property
    def settled(self):
        return self.status in (PASSED, NOT_PASSED)


def check(learner, lab, tries, *words):
    """Checks the lab until it is settled, so often at most."""
    return settle(learner, lab, tries, "check", *words, lab)


def settle(learner, what, tries, *words):
    """`learn WORDS`, which judges, until it is settled, so often at most."""
    begin = time.monotonic()
    for number in range(1, tries + 1):
        done = learner.learn(*words)
        assert done.status in (PASSED, NOT_PASSED, FAULT, UNSETTLED), "%s\n%s%s" % (done.words, done.out, done.err)
        assert next_command(done) is not None and ": " in done.out, done.out + done.err
        if done.status in (PASSED, NOT_PASSED):
            break
    outcome = done.out.partition(": ")[0]
    return Attempt(what, outcome, done.status, number, round(time.monotonic() - begin, 1), done.out)


def take_code_lab(learner, lab, source, tries=3, words=()):
    """Profiles the starter, puts `source` in its place, and checks."""
    folder, file = learner.begin(lab)
    learner.learn("run", cwd=folder).ok()
    file.write_text(source)
    return check(learner, lab, tries, *words)


def choices_of(folder):
    """{number of the question: its choices}, as questions.md shows them."""
    text = (folder / "questions.md").read_text()
    return {int(number): re.findall(r'^ *- "(.*)"$', rest, re.M)
            for number, rest in re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", text, re.S | re.M)}


def record_programs(learner, folder, runs=1):
    """Records each program of the lab that is not recorded yet, so often; {program: (a recording, the reports of all)}"""
    learner.learn("run", cwd=folder).ok()
    told = {}
    for program in sorted(folder.glob("*.py")):
        for _ in range(runs - 1):
            learner.learn("run", program.name, cwd=folder).ok()
        recordings = [folder / ("%s-%d.pit" % (program.stem, number + 1)) for number in range(runs)]
        told[program.name] = recordings[0].name, [json.loads(learner.type("report", "--json", path).ok().out) for path in recordings]
    return told


def cpu_seconds(reports):
    return sum(process["kernel_cpu_ns"] for report in reports for process in report["processes"]) / 1e9


def total_hits(reports, program):
    """{function of the program: samples in it and below}, of all reports together."""
    hits = {}
    for entry in (entry for report in reports for entry in report["functions"]):
        if Path(entry["file"]).name == program:
            hits[entry["function"]] = hits.get(entry["function"], 0) + entry["total"]["hits"]
    return hits


def answer_from_recordings(learner, folder, runs=1):
    """Fills the sheet in by what the reports say: of several programs the one that computes least is to be left alone; of one
    program the stage with the most samples below it, then its share of main's. On a busy machine more runs make a share better."""
    told = record_programs(learner, folder, runs)
    sheet = json.loads((folder / "answers.json").read_text())
    choices, stage = choices_of(folder), None
    for entry in sheet:
        names = choices.get(entry["question"], [])
        if names and all(name in told for name in names):
            program = entry["answer"] = min(names, key=lambda name: cpu_seconds(told[name][1]))
        else:
            program = entry["program"]
            totals = total_hits(told[program][1], program)
            if names:
                stage = entry["answer"] = max(names, key=lambda name: totals.get(name, 0))
            else:
                entry["answer"] = round(100 * totals[stage] / totals["main"], 1)
        entry["recording"] = told[program][0]
        if "prediction" in entry:
            entry["prediction"] = entry["answer"]
    (folder / "answers.json").write_text(json.dumps(sheet))


def answer_by_guessing(learner, folder):
    """The first choice, and a half; each with the recording that is asked for."""
    sheet = json.loads((folder / "answers.json").read_text())
    choices = choices_of(folder)
    for entry in sheet:
        names = choices.get(entry["question"], [])
        entry["answer"] = names[0] if names else 50
        program = folder / (entry.get("program") or names[0])
        entry["recording"] = program.stem + "-1.pit"
        if not (folder / entry["recording"]).exists():
            learner.learn("run", program.name, cwd=folder).ok()
        if "prediction" in entry:
            entry["prediction"] = entry["answer"]
    (folder / "answers.json").write_text(json.dumps(sheet))


def take_answers_lab(learner, lab, answer, tries=3):
    folder, _ = learner.begin(lab)
    answer(learner, folder)
    attempt = check(learner, lab, tries)
    if attempt.outcome == "wrong answer" and answer is answer_from_recordings:  # a share at the edge: new questions, once more
        for recording in folder.glob("*.pit"):
            recording.unlink()
        answer(learner, folder, runs=4)
        attempt = check(learner, lab, tries)
        attempt.tries += 1
    return attempt


# ---- beside the labs ----


def reflect(learner, module, attempt):
    """Answers the module's question, with the receipt and a figure of an attempt."""
    text = "%s\nThe receipt is %s, and it says %s." % (WORDS, receipt_of(attempt.feedback), figure_of(attempt.feedback))
    return learner.learn("reflect", module, "-", input=text)


def core_labs(course):
    """[(manifest, its folder)], in the course's order."""
    found = [(json.loads(path.read_text()), path.parent) for path in course.glob("*/labs/*/lab.json")]
    return sorted(((manifest, folder) for manifest, folder in found if manifest["core"]), key=lambda lab: lab[0]["id"])


def source_of(manifest, folder, what):
    """The text of "references" (the first one) or "starters"."""
    path = manifest["references"][0] if what == "references" else "starter/" + manifest["file"]
    return (folder / path).read_text()


def take_lab(learner, manifest, folder, what, tries=3):
    if manifest["kind"] == "answers":
        return take_answers_lab(learner, manifest["id"], answer_from_recordings if what == "references" else answer_by_guessing, tries)
    return take_code_lab(learner, manifest["id"], source_of(manifest, folder, what), tries)
