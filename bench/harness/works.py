"""The larger works of the scripted learner (learner.py): the capstone, the final project, and the reviews. For each there is a good way
and one that must not pass."""

import json
import shutil
import subprocess
import sys

from harness import learner as typing

PROJECT_CHECK = '''
import subprocess, sys
before, after = sys.argv[1:]
def run(folder, *words):
    return subprocess.run([sys.executable, "-B", folder + "/weblog.py", *words], stdout=subprocess.PIPE, check=True).stdout
for seed in range(4):
    run(before, "make", "in", "--seed", str(seed), "--size", "0.1")
    if run(before, "run", "in") != run(after, "run", "in"):
        sys.exit("they differ on seed %d" % seed)
open("in", "w").close()
if run(before, "run", "in") != run(after, "run", "in"):
    sys.exit("they differ on an empty log")
'''
PROJECT_GATE = '''
import os, resource, subprocess, sys
def cpu(folder):
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-B", folder + "/weblog.py", "run", "day.log"], stdout=subprocess.DEVNULL, check=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime
assert os.path.exists(os.environ["PITVIPER"])
taken = [[cpu(folder) for folder in sys.argv[1:]] for _ in range(9)]
sys.exit(min(row[1] for row in taken) > 1.25 * min(row[0] for row in taken))
'''
PROJECT_REPORT = """# Quicker

## Question
The office waits for ten logs a night; half the time, 0.5 of it, would be enough.

## Baseline
On seed 1 of this size five runs took 0.21 s, 0.22 s and more.

## Where the time goes
In before.pit most is in reading dates, in after.pit in matching lines; cProfile agrees.

## What I changed, and why that
Each line is parsed once; stamps are kept; pages are counted in one pass.

## Is it still right?
On five seeds, and on an empty log, which is the odd case here.

## How much faster?
At size 0.15 it is -40.1 % (-50.2 to -30.3), at size 0.075 somewhat less; memory is the same. That is 400 times as fast.

## What I left alone
The bursts of errors are quadratic, and few; they are left as they were.

## What it cost in clarity
One function more, and one cache that wants a pure function.

## What would make my number wrong
A log that is not in order of time makes the cache of stamps useless.
""" + "\nThe rest of these words only fill the report up to its length. " * 50


def good_weblog(course):
    """The faster weblog.py of the first work that is to be reviewed."""
    return course / "reviews" / "first" / "after" / "weblog.py"


# ---- the capstone ----


def variant_of(learner, course):
    """(the module that draws variants, the key of the learner's)"""
    log = (learner.course / "log.jsonl").read_text().splitlines()
    begun = next(event for event in map(json.loads, log) if event["kind"] == "begin" and event["lab"] == "capstone")
    sys.path.insert(0, str(course / "capstone"))
    try:
        import variant
    finally:
        sys.path.pop(0)
    return variant, variant.draw_variant(int(begun["seed"], 16))[1]


def take_capstone(learner, course, good, tries):
    """Each scenario is recorded as it was laid down; the key is named and the solution handed in. Or nothing is done."""
    learner.learn("next", "capstone").ok()
    folder = learner.course / "capstone"
    if good:
        gates = json.loads((course / "capstone" / "lab.json").read_text())["gates"]
        for scenario in dict.fromkeys(gate["name"] for gate in gates):
            learner.learn("run", "capstone", scenario, cwd=folder).ok()
        variant, key = variant_of(learner, course)
        findings = [{"function": item["function"], "kind": item.get("kind", "repair"), "scenario": item["scenario"],
                     "recording": item["scenario"] + "-1.pit"} for item in key["plants"] + key["decoys"]]
        (folder / "findings.json").write_text(json.dumps(findings))
        shutil.rmtree(folder / "app")
        variant.write_package(variant.read_package("solution"), str(folder / "app"))
    return typing.check(learner, "capstone", tries)


# ---- the final project ----


def record_project(pitviper, place):
    """A recording of each side by pitviper(*words), and what cProfile says of the first."""
    log = place.parent / "to-profile.log"
    for side in ("before", "after"):
        program = place / side / "weblog.py"
        subprocess.run([sys.executable, "-B", program, "make", log, "--size", "0.3"], check=True)
        pitviper("run", "-o", place / (side + ".pit"), program, "run", log)
    told = subprocess.run([sys.executable, "-B", "-m", "cProfile", place / "before" / "weblog.py", "run", log], check=True,
                          capture_output=True, text=True)
    (place / "cprofile.txt").write_text(told.stdout)


def hand_in_project(place, after, size):
    """All of it but recordings: weblog of this size, with this text of it afterwards."""
    manifest = json.loads((place / "project.json").read_text())
    words = [size if before == "--size" else word for before, word in zip(["", *manifest["make"]], manifest["make"])]
    (place / "project.json").write_text(json.dumps({**manifest, "make": words, "metric": "cpu"}))
    (place / "after" / "weblog.py").write_text(after)
    (place / "check.py").write_text(PROJECT_CHECK)
    (place / "gate.py").write_text(PROJECT_GATE)
    (place / "report.md").write_text(PROJECT_REPORT)


def take_project(learner, course, good, tries):
    learner.learn("project", "start", "weblog").ok()
    place = learner.course / "project"
    if good:
        hand_in_project(place, good_weblog(course).read_text(), "0.15")
        record_project(lambda *words: learner.type(*words).ok(), place)
    return typing.settle(learner, "project", tries, "project", "check")


# ---- the reviews ----


def take_reviews(learner, course, good, tries):
    """The three works, each judged as its reference does. Or the forms as they were laid down."""
    learner.learn("review", "start").ok()
    for work in ("first", "second", "third"):
        if good:
            text = (course / "reviews" / "reference" / (work + ".md")).read_text()
            (learner.course / "reviews" / ("review-%s.md" % work)).write_text(text)
        attempt = typing.settle(learner, "reviews", tries, "review", "check", work)
        attempt.outcome = "kept" if attempt.status == typing.PASSED else "not kept"
        if attempt.status != typing.PASSED:
            break
    return attempt


WORKS = {"capstone": take_capstone, "project": take_project, "reviews": take_reviews}
