"""tools/transcript, which makes what the README shows of a report."""
import os
import subprocess
import sys
import xml.etree.ElementTree as xml

from conftest import ROOT

PROGRAM = """
import time
def hot(until):
    while time.perf_counter() < until:
        sum(range(100))
hot(time.perf_counter() + 0.5)
"""


def test_the_transcript_and_the_picture_show_the_report(tmp_path):
    script, readme, picture = tmp_path / "app.py", tmp_path / "README.md", tmp_path / "report.svg"
    script.write_text(PROGRAM)
    marks = ("<!-- tools/transcript: begin -->\n", "<!-- tools/transcript: end -->\n")
    readme.write_text("before\n" + marks[0] + "stale\n" + marks[1] + "after\n")
    pitviper = os.environ.get("PITVIPER") or ROOT / "build" / "pitviper"
    subprocess.run([sys.executable, ROOT / "tools" / "transcript", "--program", pitviper, "--readme", readme, "--picture",
                    picture, script], check=True, timeout=60)
    text = readme.read_text()
    assert text.startswith("before\n" + marks[0]) and text.endswith(marks[1] + "after\n")
    assert "stale" not in text and "\033" not in text
    assert " hot " in text and "how far to trust this" in text
    drawn = "".join(xml.parse(picture).getroot().itertext())
    assert "functions, by the time in themselves" in drawn and "hot" in drawn and "\033" not in drawn


def test_the_readme_holds_a_transcript():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("<!-- tools/transcript: begin -->")[1].split("<!-- tools/transcript: end -->")[0]
    assert "how far to trust this" in block
    assert "functions, by the time in themselves" in "".join(xml.parse(ROOT / "docs" / "report.svg").getroot().itertext())
