"""Every lab of the course (the capstone is in test_capstone_grade.py) by `learn verify --quick`: its references are right, and its mutants are what the manifest says, times apart.
What the gates say of their times is held to recorded ones by tests/unit/test_grade_recorded.c, and measured by bench/labs.py."""
import json

import pytest
from conftest import ROOT

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
MANIFESTS = [json.loads(path.read_text()) for path in sorted(COURSE.glob("*/labs/*/lab.json"))]
DEADLINE = 600  # seconds after which something hangs; no test measures time by it


def test_all_labs_are_here():
    assert len(MANIFESTS) >= 34


@pytest.mark.parametrize("lab", MANIFESTS, ids=lambda lab: lab["id"])
def test_programs_end_as_the_manifest_says(run, lab):
    done = run("learn", "verify", "--quick", "--json", lab["id"], timeout=DEADLINE)
    programs = {entry["program"]: entry for entry in done.json["programs"]}
    assert {name: entry for name, entry in programs.items() if entry["verdict"] != "ok"} == {}
    assert done.status == 0, done.err
    if lab["kind"] == "code":
        expected = {"starter/" + lab["file"]: None, **dict.fromkeys(lab["references"], "passed"),
                    **{mutant["file"]: mutant["expected"] for mutant in lab["mutants"]}}
        assert set(programs) == set(expected)
        for name, outcome in expected.items():
            if outcome in ("passed", "wrong", "broken", "unreadable"):
                assert programs[name]["outcome"] == outcome, programs[name]
    else:
        assert len(programs) == 1
