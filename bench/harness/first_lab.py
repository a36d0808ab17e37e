"""What README.md says under "Take the course", typed into a fresh clone: to the first lab that is passed."""

import os
import re
import subprocess
import time
from pathlib import Path

from . import learner as typing

HEADING = "## Take the course"
FIRST = "1.1"
SECONDS = 1800  # of one command, after which it hangs


def commands(readme):
    """The commands of the section, without what is said of them."""
    section = readme.partition(HEADING + "\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^    (\S.*)$", section, re.M)
    return [line.partition("#")[0].strip() for line in lines]


def clone(root, place):
    """A fresh clone of what is committed in root."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(place)], check=True, timeout=SECONDS)
    return place


def type_line(line, place, environment):
    """Its status, what it said, and how long it took; as typed into a shell in the clone."""
    begin = time.monotonic()
    done = subprocess.run(["sh", "-c", line], cwd=place, env=environment, capture_output=True, text=True, errors="replace",
                          timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - begin


def take(place, home, path=None, runs=1):
    """Types them all; the sheet is filled in by the recordings before the last one. [(command, status, output, seconds)]"""
    learner = typing.Learner(Path(place) / "build/pitviper", place, home)
    learner.environment["PATH"] = path or os.environ["PATH"]
    lines, told = commands((Path(place) / "README.md").read_text()), []
    for number, line in enumerate(lines, 1):
        if number == len(lines):
            typing.answer_from_recordings(learner, next(learner.course.glob("*/%s-*" % FIRST)), runs)
        told.append((line, *type_line(line, place, learner.environment)))
        if told[-1][1] != 0:
            break
    return told
