#!/usr/bin/env python3
"""The whole course as a learner types it: `learn start` in a clean home, every core lab, the capstone, the final project, the reviews, a
reflection for each module, the completion report; once with each lab's first reference, once with its starter (and the larger works as
they were laid down). References are to pass, starters are not. bench/README.md says how to read it."""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

from harness import learner as typing
from harness import machine, works
from harness.figures import Table, say

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "course/performance-optimization-and-profiling"
STATE = ROOT / ".deps/bench/course"
SIDES = ("references", "starters")


def digest_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in (".py", ".json"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


class Way:
    """One way through the course, in a folder that stays; what is known of each lab is kept beside it."""

    def __init__(self, program, state, side):
        self.side, self.place, self.kept = side, state / side, state / (side + ".jsonl")
        self.place.mkdir(parents=True, exist_ok=True)
        for name in ("course", "build"):  # as in a clone
            if not (self.place / name).is_symlink():
                (self.place / name).symlink_to(ROOT / name)
        self.learner = typing.Learner(program, self.place, state / (side + "-home"))
        lines = self.kept.read_text().splitlines() if self.kept.exists() else []
        self.results = {facts["lab"]: facts for facts in map(json.loads, lines)}

    def start(self):
        began = time.monotonic()
        done = self.learner.learn("start", cwd=self.place).ok()
        print("%s: learn start took %.2f s" % (self.side, time.monotonic() - began))
        assert typing.next_command(done), done.out

    def take(self, manifest, folder, tries):
        """The lab's facts; those of an earlier start if nothing has changed since and it was settled."""
        facts = self.results.get(manifest["id"])
        if facts and facts["digest"] == digest_of(folder) and facts["settled"]:
            return
        for left in self.learner.course.glob("*/%s-*" % manifest["id"]):  # an attempt that was not settled, or another lab's now
            shutil.rmtree(left)
        attempt = typing.take_lab(self.learner, manifest, folder, self.side, tries)
        state = self.learner.lab(manifest["id"])
        self.keep(manifest["id"], digest_of(folder), attempt, state["module"], state["passed"], state.get("points") or 0)

    def take_work(self, name, tries):
        """The same for the capstone, the project or the reviews, which are laid down once: what stays open is checked again."""
        digest = digest_of(COURSE / name)
        facts = self.results.get(name)
        if facts and facts["digest"] == digest and facts["settled"]:
            return
        attempt = works.WORKS[name](self.learner, COURSE, self.side == "references", tries)
        self.keep(name, digest, attempt, None, attempt.status == typing.PASSED, points_of(attempt.feedback))

    def keep(self, name, digest, attempt, module, passed, points):
        facts = {"lab": name, "module": module, "digest": digest, "outcome": attempt.outcome, "settled": attempt.settled, "passed": passed,
                 "points": points, "tries": attempt.tries, "seconds": attempt.seconds, "receipt": typing.receipt_of(attempt.feedback),
                 "feedback": attempt.feedback}
        self.results[name] = facts
        with self.kept.open("a") as file:
            file.write(json.dumps(facts) + "\n")
        say("%s, %s: %s in %.0f s, %d tries" % (name, self.side, attempt.outcome, attempt.seconds, attempt.tries))

    def look_around(self, manifest):
        """A hint before it is passed, the solution after: what a learner sees of a lab besides."""
        done = self.learner.learn("hint", manifest["id"])
        assert done.status == 0 and done.out.startswith("hint "), done.out + done.err
        done = self.learner.learn("solution", manifest["id"])
        passed = self.results[manifest["id"]]["passed"]
        assert done.status == (0 if passed else 1) and (len(done.out) > 200) == passed, done.out + done.err

    def reflect(self, module):
        """On the module's last lab that was settled. None: there is none yet."""
        if next(entry for entry in self.learner.progress["modules"] if entry["module"] == module)["reflected"]:
            return True
        cited = [facts for facts in self.results.values() if facts["module"] == module and typing.figure_of(facts["feedback"])]
        if not cited:
            return None
        last = cited[-1]
        done = typing.reflect(self.learner, module, typing.Attempt(
            last["lab"], last["outcome"], 0, 1, 0, last["feedback"]))
        if done.status != 0:
            say("reflection %d, %s: %s" % (module, self.side, done.err.strip()))
        return done.status == 0

    def report(self):
        """Text and page; how many of the labs the text names."""
        text = self.learner.learn("report", "--name", "A Learner").ok().out
        page = self.place / "report.html"
        self.learner.learn("report", "--name", "A Learner", "--html", page).ok()
        return sum(entry["title"] in text and entry["title"] in page.read_text() for entry in self.learner.progress["labs"])


def points_of(feedback):
    found = re.search(r"(\d+) (?:points of 100|of \d+ points)", feedback)
    return int(found.group(1)) if found else 0


def show(labs, ways):
    table = Table("lab", *(head for way in ways for head in (way.side, "points", "tries", "s")))
    rows = [(manifest["id"], "%s %s" % (manifest["id"], manifest["title"])) for manifest, _ in labs]
    for name, title in rows + [(name, name) for name in works.WORKS if any(name in way.results for way in ways)]:
        cells = []
        for way in ways:
            facts = way.results.get(name)
            cells += [facts["outcome"], facts["points"], facts["tries"], "%.0f" % facts["seconds"]] if facts else ["-"] * 4
        table.add(title, *map(str, cells))
    table.show()


def is_wrong(way, facts):
    """Whether the course said what is not so. What is not settled says nothing."""
    return facts["settled"] and facts["passed"] != (way.side == "references")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=lambda text: text.split(","), default=[], help="ids; else all core labs")
    parser.add_argument("--side", choices=SIDES, help="only this way")
    parser.add_argument("--tries", type=int, default=3, help="of a check that is not settled")
    parser.add_argument("--state", type=Path, default=STATE, help="where the learners' folders are; a second start goes on from there")
    parser.add_argument("--fresh", action="store_true", help="forget what is there")
    options = parser.parse_args()
    program = Path(os.environ.get("PITVIPER", ROOT / "build/pitviper"))
    labs = [lab for lab in typing.core_labs(COURSE) if not options.labs or lab[0]["id"] in options.labs]
    if not labs or not program.exists():
        sys.exit("course.py: %s" % ("no such lab" if program.exists() else "no %s; ./dev build" % program))
    if options.fresh:
        shutil.rmtree(options.state, ignore_errors=True)
    print(machine.describe(), flush=True)
    ways = [Way(program, options.state, side) for side in SIDES if options.side in (None, side)]
    larger = () if options.labs else tuple(works.WORKS)
    wanted = {manifest["id"] for manifest, _ in labs}.union(larger)
    wrong = open_labs = 0
    for way in ways:
        way.start()
        for manifest, folder in labs:
            way.take(manifest, folder, options.tries)
            way.look_around(manifest)
        for name in larger:
            way.take_work(name, options.tries)
        modules = sorted({facts["module"] for facts in way.results.values() if facts["module"]})
        reflected = sum(way.reflect(module) is True for module in modules)
        said = [facts for facts in way.results.values() if facts["lab"] in wanted]
        wrong += sum(is_wrong(way, facts) for facts in said)
        open_labs += sum(not facts["settled"] for facts in said)
        print("%s: %d of %d labs and works passed, %d not settled in %d tries; %d of %d reflections kept; the report names %d labs" % (
            way.side, sum(facts["passed"] for facts in said), len(wanted), sum(not facts["settled"] for facts in said), options.tries,
            reflected, len(modules), way.report()))
    show(labs, ways)
    print("said what is not so: %d; not settled: %d, which counts neither way" % (wrong, open_labs))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
