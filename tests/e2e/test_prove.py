"""`pitviper prove`. What is judged here differs by so much, or so little is asserted of it, that noise cannot turn it:
no verdict of a test depends on an idle machine."""
import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import PYTHONS, ROOT

PYTHON = sys.executable
HARNESS = ROOT / "src" / "prove" / "harness"
LOOP = "x = 0\nfor i in range(%d):\n    x += i\nprint('done')\n"
FIELDS = {"verdict", "ratio", "low", "high", "runs", "seconds", "control_low", "control_high", "detectable", "metrics"}
MODULE = """
import os, sys
def slow(n):
    s = 0
    for i in range(n):
        for k in range(4):
            s += 1
    return s // 4
def fast(n):
    s = 0
    for i in range(n):
        s += 1
    return s
def wrong(n):
    return n + 1
def boom(n):
    raise ValueError("no good")
def leaves(n):
    os._exit(0)
def unsteady(n):
    return os.getpid()
class K:
    @staticmethod
    def add(a, b):
        return a + b
number = 3
"""


@pytest.fixture
def two(script):
    """Commands of which B is far faster."""
    script(LOOP % 1_500_000, "old.py")
    script(LOOP % 10_000, "new.py")
    return f"{PYTHON} -S old.py", f"{PYTHON} -S new.py"


def git(folder, *words):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path):
    """Two commits of a package in lib/ and a script beside it; the second is far faster."""
    tree = tmp_path / "tree"
    (tree / "lib" / "pkg").mkdir(parents=True)
    (tree / "app.py").write_text("import sys; sys.path.insert(0, 'lib')\nimport pkg\nprint(pkg.work())\n")
    (tree / "plain.py").write_text("import pkg\nprint(pkg.work())\n")
    git(tree, "init", "-q")
    for count, name in (1_500_000, "one"), (10_000, "two"):
        text = f"def work():\n    s = 0\n    for i in range({count}):\n        s += 1\n    return 'done'\n"
        (tree / "lib" / "pkg" / "__init__.py").write_text(text)
        git(tree, "add", ".")
        git(tree, "commit", "-q", "-m", name)
    return tree


# ---- verdicts ----


def test_a_faster_command_is_called_faster_with_every_fact(run, two):
    done = run("prove", "--json", "--budget", "60s", "--metric", "cpu", "--seed", 7, *two).ok().json
    assert FIELDS <= set(done)
    assert done["verdict"] == "faster"
    assert done["low"] <= done["ratio"] <= done["high"] < 0.9
    assert done["at_least"] == pytest.approx(100 * (1 - done["high"]))
    assert set(done["metrics"]) == {"wall", "cpu", "memory"}
    assert done["metrics"]["cpu"]["a"] > done["metrics"]["cpu"]["b"] > 0
    assert done["runs"] >= 4 * done["blocks"] >= 16 and done["seed"] == 7
    assert done["mode"] in ("pinned", "duet")


def test_a_command_against_itself_is_never_called_wrong_by_much(run, two):
    # an interval around 1 may miss it; with seconds of runs it cannot miss it by half
    done = run("prove", "--json", "--metric", "cpu", "--budget", "3s", two[1], two[1])
    assert done.status in (0, 1, 4)
    ratio = done.json["ratio"]
    assert ratio is None or 0.5 < ratio < 2
    if done.status == 4:
        assert done.json["verdict"] == "unsettled"


def test_memory_can_be_the_question_and_more_of_it_is_status_1(run, script):
    script("x = bytearray(60_000_000)\n", "old.py")
    script("x = 1\n", "new.py")
    words = f"{PYTHON} -S old.py", f"{PYTHON} -S new.py"
    done = run("prove", "--json", "--budget", "60s", "--metric", "memory", *words).ok().json
    assert done["verdict"] == "faster" and done["high"] < 0.5
    assert done["metrics"]["memory"]["a"] > 60e6 > done["metrics"]["memory"]["b"]
    done = run("prove", "--budget", "60s", "--metric", "memory", *reversed(words))
    assert done.status == 1, done.out + done.err
    assert done.out.startswith("B takes more memory, by at least ")


def test_a_claim_that_is_too_bold_is_not_confirmed(run, script):
    script("x = bytearray(60_000_000)\n", "old.py")
    script("x = bytearray(50_000_000)\n", "new.py")
    words = "--budget", "3s", "--metric", "memory", f"{PYTHON} -S old.py", f"{PYTHON} -S new.py"
    assert run("prove", "--claim", "50%", *words).status == 4
    assert run("prove", "--claim", "5%", *words).status in (0, 4)  # 4: a machine too slow for enough blocks


def test_the_harness_runs_on_every_python(pythons, script, tmp_path):
    script(MODULE, "m.py")
    text = "\n".join((HARNESS / name).read_text() for name in ("subject.py", "measure.py"))

    def answer(**spec):
        spec = {"fd": 1, "loops": 0, "batch": 0.002, "batches": 3, **spec}
        words = [pythons.path, "-c", text, json.dumps(spec)]
        return json.loads(subprocess.run(words, cwd=tmp_path, capture_output=True, check=True, text=True).stdout)

    slow, fast = (answer(target=target, setup="2000", value=True) for target in ("m:slow", "m.py:fast"))
    assert len(slow["wall"]) == len(slow["cpu"]) == 3 and slow["loops"] >= 1
    assert min(slow["cpu"]) > min(fast["cpu"]) > 0
    assert slow["value"] == "2000" and slow["value_hash"] == fast["value_hash"]
    assert "m has no none" in answer(target="m:none")["text"]
    assert "missing a required argument: 'n'" in answer(target="m:slow")["text"]
    assert answer(target="m:boom", setup="1")["text"].startswith("boom raised ValueError: no good (m.py:")


def test_a_faster_function_is_called_faster(run, script):
    script(MODULE, "m.py")
    done = run("prove", "--json", "--python", PYTHON, "--metric", "cpu", "--budget", "60s", "--setup", "20000",
               "--same-output", "m:slow", "m.py:fast").ok().json
    assert done["verdict"] == "faster" and done["kind"] == "function"
    assert done["metrics"]["wall"]["a"] > done["metrics"]["wall"]["b"]


EXPLAINED = """
def search(n):
    found = 0
    for i in range(n):
        for k in range(%d):
            found += 1
    return found
def rest(n):
    total = 0
    for i in range(n):
        total += i
    return total
def both(n):
    return search(n) + rest(5 * n)
if __name__ == "__main__":
    both(20_000)
"""


def test_explain_names_what_carries_the_difference(run, script):
    """search takes ten times as long in old.py; rest takes the same in both."""
    script(EXPLAINED % 200, "old.py")
    script(EXPLAINED % 20, "new.py")
    for words in ([f"{PYTHON} -S old.py", f"{PYTHON} -S new.py"],
                  ["old.py:both", "new.py:both", "--setup", "2000", "--python", PYTHON]):
        for _ in range(4):  # on a busy machine the runs may differ too much among themselves for anything to be settled
            why = run("prove", "--explain", "--json", "--budget", "4s", *words).json["explain"]
            assert why["claim"] == "between versions" and min(why["runs_a"], why["runs_b"]) >= 3
            changed = {f["function"]: f["self"] for f in why["functions"] if f["self"]["changed"]}
            if "search" in changed and any(line["self"]["changed"] for line in why["lines"]):
                break
        assert changed["search"]["change_ns"] < 0 and changed["search"]["high_ns"] < 0
        assert min(changed, key=lambda name: changed[name]["change_ns"]) == "search"
        line = min((line for line in why["lines"] if line["self"]["changed"]), key=lambda line: line["self"]["change_ns"])
        assert line["source"].strip() in ("for k in range(20):", "for k in range(200):", "found += 1")
    told = run("prove", "--explain", "--budget", "4s", f"{PYTHON} -S old.py", f"{PYTHON} -S new.py")
    assert "why, by other runs of both under the sampler" in told.out and "search" in told.out


def test_what_ends_before_a_sample_is_not_explained(run):
    told = run("prove", "--explain", "--budget", "2s", "/bin/true", "/bin/true")
    assert told.status == 3
    assert told.out.splitlines()[0] and "no explanation: no sample could be taken of /bin/true" in told.err


def test_arguments_come_from_a_file_or_a_tuple(run, script, tmp_path):
    script(MODULE, "m.py")
    (tmp_path / "args.json").write_text("[1, 2]")
    for words in ("--args", "args.json"), ("--setup", "(number, 2)"):
        done = run("prove", "--budget", "1s", "--same-output", "--python", PYTHON, *words, "m:K.add", "m:K.add")
        assert done.status in (0, 1, 4), done.err


def test_parallel_code_is_not_pinned(run, script):
    source = "import threading\nt = [threading.Thread(target=sum, args=(range(300000),)) for _ in range(3)]\n"
    script(source + "[x.start() for x in t]\n[x.join() for x in t]\n", "threads.py")
    done = run("prove", "--json", "--budget", "1s", f"{PYTHON} -S threads.py", f"{PYTHON} -S threads.py").json
    assert done["mode"] == "interleaved" and "threads" in done["mode_why"]
    done = run("prove", "--json", "--budget", "1s", "sleep 0.05 | cat", "sleep 0.05").json
    assert done["mode"] == "interleaved" and "processes" in done["mode_why"]


def test_ctrl_c_prints_the_verdict_so_far(pitviper, tmp_path):
    # four blocks, without which nothing is settled, take 8 s
    words = [pitviper, "prove", "--budget", "100s", "sleep 0.5", "sleep 0.5"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out.startswith("interrupted; so far: not settled: ")


# ---- what the two print ----


def test_a_fast_wrong_answer_is_no_answer(run, script):
    script("print('same')\nprint('left')\n", "a.py")
    script("print('same')\nprint('right\\033[31m')\n", "b.py")
    done = run("prove", "--same-output", f"{PYTHON} a.py", f"{PYTHON} b.py")
    assert done.status == 3
    assert done.err == "pitviper: the outputs differ in line 2: A prints 'left', B 'right?[31m'\n"
    script(MODULE, "m.py")
    done = run("prove", "--same-output", "--python", PYTHON, "--setup", "5", "m:fast", "m:wrong")
    assert (done.status, done.err) == (3, "pitviper: the answers differ: A returns '5', B '6'\n")


def test_what_varies_from_run_to_run_cannot_be_compared(run, script):
    script("import os\nprint(os.getpid())\n", "a.py")
    done = run("prove", "--same-output", f"{PYTHON} a.py", f"{PYTHON} a.py")
    assert done.status == 3 and "A is not the same from run to run" in done.err
    # the seed of hashes is the same within a block, so the order of a set is no difference
    script("print({'a', 'b', 'c', 'd', 'e', 'f'})\n", "b.py")
    done = run("prove", "--same-output", "--budget", "1s", f"{PYTHON} b.py", f"{PYTHON} b.py")
    assert done.status in (0, 1, 4), done.err


# ---- bad input: one line, the right status ----


@pytest.mark.parametrize("words, status, line", [
    (["{py} fail.py", "{py} ok.py"], 3, "'{py} fail.py' failed with status 1: ValueError: b?d"),
    (["{py} ok.py", "{py} fail.py"], 3, "'{py} fail.py' failed with status 1: ValueError: b?d"),
    (["--timeout", "0.2s", "{py} hang.py", "{py} ok.py"], 3, "'{py} hang.py' did not end within 0."),
    (["no-such-command x", "{py} ok.py"], 3, "cannot run no-such-command: there is no such command on the path"),
    (["{py} 'ok.py", "{py} ok.py"], 3, "in '{py} 'ok.py': a single quote is not closed"),
    (["{py} ok.py"], 2, "prove: name two commands"),
    (["--claim", "x", "a", "b"], 2, "--claim cannot be 'x'"),
    (["--same", "0%", "a", "b"], 2, "--same cannot be '0%'"),
    (["--git", "HEAD", "--", "x"], 2, "prove --git: name two revisions"),
    (["--python", "{py}", "m:fast", "m:slow"], 3, "m:fast: fast(n): missing a required argument: 'n'; none are given"),
    (["--python", "{py}", "m:none", "m:slow"], 3, "m:none: m has no none; it has K, boom, fast"),
    (["--python", "{py}", "m:number", "m:slow"], 3, "m:number: number of m is not a function but int"),
    (["--python", "{py}", "no_module:f", "m:slow"], 3, "no_module:f: there is no module no_module"),
    (["--python", "{py}", "none.py:f", "m:slow"], 3, "none.py:f: there is no file none.py"),
    (["--python", "{py}", "--setup", "1", "m:boom", "m:slow"], 3, "m:boom: boom raised ValueError: no good (m.py:"),
    (["--python", "{py}", "--setup", "1 +", "m:fast", "m:slow"], 3, "m:fast: --setup is not an expression"),
    (["--python", "{py}", "--setup", "what", "m:fast", "m:slow"], 3, "m:fast: --setup raised NameError"),
    (["--python", "{py}", "--args", "none.json", "m:fast", "m:slow"], 3, "cannot read the arguments in 'none.json'"),
    (["--python", "{py}", "--setup", "1", "m:leaves", "m:slow"], 3, "m:leaves: its process ended without an answer"),
])
def test_bad_input_is_one_line(run, script, words, status, line):
    script(MODULE, "m.py")
    script("raise ValueError('b\\033d')\n", "fail.py")
    script("pass\n", "ok.py")
    script("import time\ntime.sleep(100)\n", "hang.py")
    done = run("prove", *(word.format(py=PYTHON) for word in words))
    assert done.status == status, done.err
    assert done.err.startswith("pitviper: " + line.format(py=PYTHON)), done.err
    assert done.err.count("\n") == 1 and done.out == ""


def test_a_command_that_changes_what_it_reads_is_told(run, script, tmp_path):
    script("import sys\nn = int(open('data').read())\nopen('data', 'w').write(str(n + 1))\n", "count.py")
    (tmp_path / "data").write_text("1")
    done = run("prove", "--budget", "1s", f"{PYTHON} count.py data", f"{PYTHON} count.py data").out
    assert "note: 'data' changed while the runs went on" in done
    done = run("prove", "--budget", "20s", "--same", "30%", f"{PYTHON} -S count.py", f"{PYTHON} -S count.py").out
    assert "note: the runs change 'data' in their folder" in done
    assert "they write files" in done  # two at once would find it half written


@pytest.mark.parametrize("budget", ("20s", "500ms"))  # with a pilot, and without
def test_what_cannot_run_twice_at_a_time_takes_turns(run, script, budget):
    script(f"import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0pitviper-{os.getpid()}')\nsum(range(2_000_000))\n", "alone.py")
    words = f"{PYTHON} -S alone.py"
    done = run("prove", "--json", "--budget", budget, "--same", "30%", words, words).json
    assert done["mode"] == "pinned" and "do not run at the same time" in done["mode_why"], done
    assert done["blocks"] >= 1


def test_runs_that_differ_of_themselves_are_told(run):
    words = f"{PYTHON} -S -c 'import random; sum(range(random.choice((1, 8)) * 500000))'"
    done = run("prove", "--budget", "2s", words, words).out
    assert "not settled" in done and "runs of one side differ by" in done


def test_a_command_that_only_starts_is_told(run):
    assert "most of it to start" in run("prove", "--budget", "1s", "true", "true").out
    words = f"{PYTHON} -c pass", f"{PYTHON} -c pass"
    assert "are the start of python" in run("prove", "--budget", "1s", *words).out


# ---- revisions ----


def test_two_revisions_leave_the_tree_alone(run, repository, tmp_path):
    (repository / "app.py").write_text((repository / "app.py").read_text() + "# dirty\n")
    index = (repository / ".git" / "index").read_bytes()
    before = sorted(str(p) for p in repository.rglob("*"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = run("prove", "--no-store", "--json", "--budget", "60s", "--metric", "cpu", "--same-output", "--git", "HEAD~1", "HEAD", "--", PYTHON, "app.py",
               cwd=repository, env={"TMPDIR": str(scratch)})
    assert done.status == 0, done.err
    assert done.json["verdict"] == "faster" and done.json["a"].startswith("HEAD~1 (")
    assert done.err == "pitviper: the uncommitted changes of this work tree take no part: two revisions are compared\n"
    assert (repository / ".git" / "index").read_bytes() == index
    assert sorted(str(p) for p in repository.rglob("*")) == before
    assert list(scratch.iterdir()) == []


def test_an_interrupted_comparison_of_revisions_leaves_nothing(pitviper, repository, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = [pitviper, "prove", "--git", "HEAD~1", "HEAD", "--", PYTHON, "-c", "import time; time.sleep(100)"]
    with subprocess.Popen(words, cwd=repository, env={**os.environ, "TMPDIR": str(scratch)}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted before" in err
    assert list(scratch.iterdir()) == []


def test_setup_runs_once_in_each_checkout_in_the_folder_of_the_user(run, repository, tmp_path):
    log = tmp_path / "log"
    done = run("prove", "--budget", "1s", "--setup", f"pwd >> {log}", "--git", "HEAD~1", "HEAD", "--", PYTHON, "-c",
               "import pkg; pkg.work()", cwd=repository / "lib")
    assert done.status in (0, 1, 4), done.err
    folders = log.read_text().split()
    assert len(folders) == 2 and folders[0] != folders[1]
    assert all(folder.endswith("/lib") and not folder.startswith(str(repository)) for folder in folders)
    done = run("prove", "--setup", "echo no luck >&2; exit 4", "--git", "HEAD~1", "HEAD", "--", "true", cwd=repository)
    assert done.status == 3 and "failed with status 4: no luck" in done.err


@pytest.mark.parametrize("python", [PYTHONS[0], PYTHONS[-1]], ids=str)
def test_an_editable_install_is_refused(run, repository, tmp_path, python):
    """The trap: what is imported is the user's own tree, on both sides."""
    venv = tmp_path / "venv"
    subprocess.run([python.path, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "editable.pth").write_text(str(repository / "lib") + "\n")
    done = run("prove", "--git", "HEAD~1", "HEAD", "--", venv / "bin" / "python", "plain.py", cwd=repository)
    assert done.status == 3, done.out + done.err
    assert "editable install" in done.err and "lib/pkg/__init__.py" in done.err and done.err.count("\n") == 1
    assert not list(repository.rglob("__pycache__"))


def test_bad_revisions_are_one_line(run, repository, tmp_path):
    done = run("prove", "--git", "HEAD", "nonsense", "--", "true", cwd=repository)
    assert (done.status, done.err) == (3, "pitviper: --git: there is no commit 'nonsense' in this repository\n")
    done = run("prove", "--git", "HEAD~1", "HEAD", "--", PYTHON, repository / "app.py", cwd=repository)
    assert done.status == 3 and "is your own file" in done.err
    done = run("prove", "--git", "HEAD~1", "HEAD", "--", "true", cwd="/")
    assert (done.status, done.err) == (3, "pitviper: --git: this folder is in no git work tree\n")


def test_json_numbers_are_numbers_or_null(run):
    done = run("prove", "--json", "--budget", "0.1s", "sleep 0.05", "sleep 0.05")
    facts = json.loads(done.out, parse_constant=lambda name: pytest.fail(name))
    assert facts["verdict"] == "unsettled" and done.status == 4
    assert facts["ratio"] is None or math.isfinite(facts["ratio"])
