"""`pitviper gate` and `pitviper bisect`, on small generated repositories. The effects that are judged are so large, and CPU
time and counts so little moved by other programs, that noise cannot turn them."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

import junitparser
import pytest

from conftest import ROOT

PYTHON = sys.executable


class Repository:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message, **files):
        for name, text in files.items():
            (self.folder / name.replace("_py", ".py")).write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def is_untouched(self):
        return self.git("status", "--porcelain") == "" and not list((self.folder / ".git").glob("BISECT*")) \
            and self.git("for-each-ref", "refs/bisect") == "" and self.git("stash", "list") == ""


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "tree")


@pytest.fixture
def gate(run, repository):
    def gate(*words, env=None, verb="gate"):
        return run(verb, *words, cwd=repository.folder, env={"GITHUB_STEP_SUMMARY": "", "NO_COLOR": "1", **(env or {})})

    return gate


def perf(loops):
    return f'''"""
def perf_in_a_text():
    pass
"""
def setup_loop():
    return list(range({loops}))

def perf_loop(data):
    total = 0
    for x in data:
        total += x
    return total
'''


# ---- gate ----


def test_what_is_slower_fails_in_every_format(gate, repository, tmp_path):
    base = repository.commit("fast", perf_app_py=perf(500))
    head = repository.commit("slow", perf_app_py=perf(50_000) + "\ndef perf_new():\n    pass\n")
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = gate("--metric", "cpu", "--budget", "60s", "--json", "--junit", "junit.xml", "--markdown", "out.md",
                env={"GITHUB_STEP_SUMMARY": str(summary)})
    told = done.json
    assert done.status == 1, done.err
    assert told["base"]["revision"] == base and told["head"] == {"revision": head, "tree": False}
    rows = {row["name"]: row for row in told["subjects"]}
    assert set(rows) == {"perf_app.py:perf_loop", "perf_app.py:perf_new"}
    slow = rows["perf_app.py:perf_loop"]
    assert slow["verdict"] == "slower" and slow["low"] > 1.05 and slow["low"] < slow["ratio"] < slow["high"]
    assert rows["perf_app.py:perf_new"]["verdict"] == "new"
    # 49,500 more rounds of two lines each
    work = slow["work"]
    assert work["verdict"] == "more"
    assert work["head"]["lines"] - work["base"]["lines"] == 99_000 and work["head"]["calls"] == work["base"]["calls"]

    suite = junitparser.JUnitXml.fromfile(str(repository.folder / "junit.xml"))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (2, 1, 0, 1)
    cases = {case.name: case for one in suite for case in one}
    assert isinstance(cases["perf_loop"].result[0], junitparser.Failure) and "slower by" in cases["perf_loop"].result[0].message
    assert isinstance(cases["perf_new"].result[0], junitparser.Skipped)
    assert xml.parse(repository.folder / "junit.xml").getroot().tag == "testsuites"
    markdown = (repository.folder / "out.md").read_text()
    assert "**fail**" in markdown and summary.read_text() == "before\n" + markdown
    for name in "junit.xml", "out.md":
        (repository.folder / name).unlink()
    assert repository.is_untouched()
    stored = gate("--json", "perf_loop", verb="history").ok().json["series"]
    lines = next(s for s in stored if s["metric"] == "lines")
    assert [r["revision"] for r in lines["results"]] == [base, head]
    assert [r["value"] for r in lines["results"]] == [work["base"]["lines"], work["head"]["lines"]]


def test_counted_work_decides_alone_and_the_same_twice(gate, repository):
    repository.commit("one", perf_app_py=perf(1000))
    (repository.folder / "perf_app.py").write_text(perf(1200))
    work = []
    for _ in range(2):
        done = gate("--budget", "1ms", "--json", "--claim", "90%", "--work", "10%")
        assert done.status == 1 and done.json["head"]["tree"] is True
        work.append(done.json["subjects"][0]["work"])
    assert work[0] == work[1] and work[0]["verdict"] == "more"
    assert gate("--budget", "1ms", "--claim", "90%", "--work", "30%", "--unsettled", "ok").status == 0


def test_what_is_not_settled_has_the_status_that_was_asked_for(gate, repository):
    repository.commit("one", a_py="")
    for how, status in (["--unsettled", "ok"], 0), (["--unsettled", "fail"], 1), ([], 4):
        done = gate("--base", "HEAD", "--budget", "1ms", *how, "true")
        assert done.status == status and "not settled" in done.out


def test_what_was_interrupted_is_not_judged(pitviper, repository, tmp_path):
    repository.commit("one", a_py="")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [pitviper, "gate", "--json", "--base", "HEAD", f"touch {tmp_path}/begun; sleep 2", "true"]
    running = subprocess.Popen(command, cwd=repository.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "TMPDIR": str(scratch)})
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    told = json.loads(out)
    assert running.returncode == 130 and told["interrupted"] is True
    assert [row["verdict"] for row in told["subjects"]] == ["unsettled", "unsettled"]
    assert list(scratch.iterdir()) == []


def test_the_file_says_what_is_judged(gate, repository):
    repository.commit("one", app_py="import sys\nsys.exit(len(sys.argv) - 1)\n", perf_x_py="def perf_x():\n    pass\n")
    config = {"base": "HEAD", "budget": "1s", "claim": 50, "unsettled": "ok",
              "subjects": [f"{PYTHON} -S app.py", {"name": "bad", "run": f"{PYTHON} -S app.py 1"}]}
    (repository.folder / "pitviper-gate.json").write_text(json.dumps(config))
    done = gate("--json", "--junit", "j.xml")
    rows = {row["name"]: row for row in done.json["subjects"]}
    assert done.status == 3 and set(rows) == {f"{PYTHON} -S app.py", "bad"}
    assert rows["bad"]["verdict"] == "failed" and "status 1" in rows["bad"]["why"]
    suite = junitparser.JUnitXml.fromfile(str(repository.folder / "j.xml"))
    assert suite.errors == 1 and suite.failures == 0
    assert {row["name"] for row in gate("--json", "perf_x.py:perf_x").json["subjects"]} == {"perf_x.py:perf_x"}
    shown = re.search(r"^    (\{.*?\})$", (ROOT / "docs" / "gate.md").read_text(), re.M | re.S).group(1)
    (repository.folder / "pitviper-gate.json").write_text(shown)
    assert "no commit 'origin/main'" in gate().err  # all of it was understood
    for wrong, says in ({"subject": []}, "there is no 'subject'"), ({"subjects": [{"name": "x"}]}, "lacks its 'run'"), (
            {"subjects": ["a", "a"]}, "twice"), ({"claim": "much"}, "percentage"), ({"unsettled": "maybe"}, "tell, ok or fail"):
        (repository.folder / "pitviper-gate.json").write_text(json.dumps(wrong))
        done = gate()
        assert done.status == 2 and says in done.err and done.err.count("\n") == 1


def test_names_of_strangers_stay_text(gate, repository):
    evil = "true '<b>&\"|`@all` ]]>\x1b[31m'"
    repository.commit("one", a_py="")
    (repository.folder / "a.py").write_text("1\n")
    gate("--budget", "1ms", "--junit", "j.xml", "--markdown", "m.md", evil)
    (case,) = [case for one in junitparser.JUnitXml.fromfile(str(repository.folder / "j.xml")) for case in one]
    assert case.name == evil.replace("\x1b", "?")
    markdown = (repository.folder / "m.md").read_text()
    row = next(line for line in markdown.splitlines() if "true" in line)
    assert "<b>" not in row and "@all" not in row and "\x1b" not in row and row.replace("\\|", "").count("|") == 6


def test_what_cannot_be_judged_is_told_in_one_line(gate, repository, run, tmp_path):
    repository.commit("one", a_py="")
    for words, status, says in (
        ([], 3, "no commit before this one"),
        (["--base", "HEAD"], 3, "nothing to judge"),
        (["--base", "--upload-pack=x"], 3, "there is no commit"),
        (["--base", "HEAD", "--claim", "0", "true"], 2, "claim"),
        (["--config", "none.json"], 2, "cannot read none.json"),
    ):
        done = gate(*words)
        assert done.status == status and says in done.err and done.err.count("\n") == 1, done.err
    outside = tmp_path / "outside"
    outside.mkdir()
    done = run("gate", "true", cwd=outside, env={"GIT_CEILING_DIRECTORIES": str(tmp_path)})
    assert done.status == 3 and "no git work tree" in done.err and done.err.count("\n") == 1


# ---- bisect ----


def app(rounds, number):
    return f"# {number}\nx = 0\nfor i in range({rounds}):\n    x += i\n"


def test_the_commit_that_made_it_slow_is_found_beside_one_that_does_not_run(gate, repository):
    commits = []
    for number in range(1, 7):
        text = app(600_000 if number >= 4 else 150_000, number)
        commits.append(repository.commit(f"number {number}", app_py="def broken(:\n" if number == 5 else text))
    done = gate("--json", "--metric", "cpu", "--budget", "6s", commits[0], "HEAD", "--", PYTHON, "-S", "app.py", verb="bisect")
    assert done.status == 0, done.err
    told = done.json
    assert told["verdict"] == "found" and told["commit"] == commits[3] and told["subject"] == "number 4"
    assert told["proof"]["against"] == commits[2] and told["proof"]["low"] > 1
    skipped = [step for step in told["steps"] if step["answer"] == "skipped"]
    assert all(step["revision"] == commits[4] and "SyntaxError" in step["why"] for step in skipped)
    assert repository.is_untouched()


def test_a_merge_is_named_by_first_parent(gate, repository):
    repository.commit("good", app_py=app(100_000, 0))
    repository.git("checkout", "-q", "-b", "side")
    repository.commit("slow", app_py=app(600_000, 1))
    repository.commit("slow too", app_py=app(600_000, 2))
    repository.git("checkout", "-q", "main")
    repository.commit("other", other_py="")
    repository.git("merge", "-q", "--no-ff", "-m", "the merge", "side")
    merge = repository.git("rev-parse", "HEAD")
    done = gate("--json", "--first-parent", "--metric", "cpu", "--budget", "6s", "HEAD~2", "HEAD", "--", PYTHON, "-S", "app.py",
                verb="bisect")
    assert done.status == 0, done.err
    assert done.json["commit"] == merge and done.json["subject"] == "the merge"


def test_nothing_to_find_is_said(gate, repository):
    repository.commit("slow", app_py=app(600_000, 0))
    repository.commit("fast", app_py=app(60_000, 1))
    done = gate("--metric", "cpu", "--budget", "6s", "HEAD~1", "HEAD", "--", PYTHON, "-S", "app.py", verb="bisect")
    assert done.status == 1 and "is not slower than GOOD" in done.out
    for words, status, says in (
        (["HEAD", "HEAD~1", "--", "true"], 3, "has to come before"),
        (["nothing", "HEAD", "--", "true"], 3, "no commit 'nothing'"),
        (["HEAD~1", "HEAD"], 2, "name a good and a bad"),
        (["HEAD~1", "HEAD", "--", "false"], 3, "status 1"),
    ):
        done = gate(*words, verb="bisect")
        assert done.status == status and says in done.err and done.err.count("\n") == 1, done.err


def test_a_stored_base_serves_counts_and_times_of_this_machine(gate, repository):
    base = repository.commit("fast", perf_app_py=perf(500))
    first = gate("--base", "HEAD", "--stored", "--budget", "4s", "--json")
    assert first.status == 0 and first.json["counts"]["new"] == 1  # nothing is stored yet
    repository.commit("slow", perf_app_py=perf(50_000))
    done = gate("--stored", "--budget", "4s", "--json")
    (row,) = done.json["subjects"]
    assert done.status == 1 and done.json["base"] == {"name": "HEAD~1", "revision": base, "stored": True}
    assert row["verdict"] == "slower" and row["low"] > 1.05
    assert row["work"]["verdict"] == "more" and row["work"]["head"]["lines"] - row["work"]["base"]["lines"] == 99_000
    # on another machine the times are of no use, and the counts are
    database = sqlite3.connect(repository.folder / ".pitviper" / "history.db")
    database.execute("update machine set key = 'ffffffffffffffff'")
    database.commit()
    database.close()
    done = gate("--stored", "--budget", "1s", "--json")
    (row,) = done.json["subjects"]
    assert done.status == 1 and row["verdict"] == "new" and row["work"]["verdict"] == "more"
    assert gate("--stored", "--metric", "cpu").status == 2
