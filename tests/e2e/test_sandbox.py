"""The sandbox of src/sandbox: every attack at every level that this machine reaches, docs/sandbox.md against what they did,
and a learner's ordinary Python inside."""
import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import OLDEST, ROOT

sys.path.insert(0, str(ROOT / "tests" / "sandbox"))
import suite  # noqa: E402

RUNNER = ROOT / "build" / "tests" / "run_in_sandbox"
LANDLOCK_SCOPES = 6  # the version from which docs/sandbox.md's table holds


@pytest.fixture(scope="module")
def measured():
    if not RUNNER.exists():
        pytest.fail(f"no program at {RUNNER}; ninja -C build", pytrace=False)
    return suite.measure(RUNNER)


def test_nothing_comes_off_unseen_at_level_2_and_above(measured):
    outcomes, _, said = measured
    wrong = {(user, level, name): said[user, level].get(name) for (user, level), found in outcomes.items()
             for name, outcome in found.items() if level >= 2 and outcome not in ("blocked", "detected")}
    assert not wrong


def test_attacks_come_off_where_nothing_stops_them(measured):
    """Or the suite would prove nothing: at level 0 each of these needs nobody's mistake."""
    outcomes, _, _ = measured
    for name in ("read_reference", "write_outside", "signal_other", "tcp", "unix_path", "unix_abstract", "exec_program", "delete_lab",
                 "kill_grader", "cache_lab", "cache_tmp", "cache_shm"):
        assert outcomes["user", 0][name] == "open", name


def test_what_is_only_detected_is_said(measured):
    outcomes, _, _ = measured
    detected = {name for (_, level), found in outcomes.items() if level >= 2 for name, o in found.items() if o == "detected"}
    assert detected <= {"orphan_works_allowed", "cache_shm_allowed"}


def test_document_shows_what_was_measured(measured):
    outcomes, ladders, _ = measured
    if ladders.get("root", {}).get("level") != 4 or ladders["root"]["landlock_abi"] < LANDLOCK_SCOPES:
        pytest.skip("this machine does not reach every level as root, as the document's did")
    shown = suite.document_table((ROOT / "docs/sandbox.md").read_text())
    assert shown == suite.table(outcomes), "tools/sandbox-table writes it anew"


def run_ordinary(python, folder, level, allow, names):
    shutil.copy(ROOT / "tests/sandbox/ordinary.py", folder / "lab")
    words = [f"level={level}", f"folder={folder}/lab", f"scratch={folder}/scratch", f"allow={allow}", "memory=2147483648",
             "wall_ms=60000", "cpu_ms=60000", f"env=TMPDIR={folder}/scratch", f"env=HOME={folder}/scratch", "env=LC_ALL=C.UTF-8"]
    done = subprocess.run([RUNNER, *words, "--", python, "-S", "-E", "-s", "ordinary.py", *names], input="", capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["end"] == suite.ANSWERED, (result["end_text"], result["err"])
    return result, json.loads(result["payload"])


@pytest.fixture
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("p")  # short: multiprocessing's sockets lie below it
    for name in ("lab", "scratch"):
        (folder / name).mkdir()
    return folder


@pytest.mark.parametrize("level", [2, 4])
def test_ordinary_python_works(few_pythons, place, level):
    if few_pythons.minor < OLDEST:
        pytest.skip("the course is for 3.10 and later")
    names = ["files", "library", "clocks", "event_loop", "threads", "children", "pool_fork"]
    allow = suite.THREADS | suite.FORK | suite.SHARED
    if level == 4:
        names += ["pool_forkserver"]  # spawn's children start the same way
        allow |= suite.SOCKETS
    ladder = suite.probe(RUNNER, None)
    if ladder["level"] < min(level, 3):
        pytest.skip(f"no level {level} here: {[layer['why_not'] for layer in ladder['layers']]}")
    result, found = run_ordinary(few_pythons.path, place, level, allow, names)
    assert found == dict.fromkeys(names, "fine")
    assert result["allowed"] == allow and result["shared_left"] == 0
    assert list((place / "scratch").iterdir()) == []


def test_what_is_not_allowed_is_refused_in_words_python_knows(place):
    _, found = run_ordinary(suite.OUTER_PYTHON, place, 4, 0, ["event_loop", "threads", "children"])
    assert found["event_loop"] == "fine"
    assert "can't start new thread" in found["threads"]
    assert "PermissionError" in found["children"] or "BlockingIOError" in found["children"]


def test_memory_of_a_tree_is_its_proportional_size(place):
    """Three processes that share 64 MB have them once by PSS, thrice by resident size."""
    (place / "lab/share.py").write_text(
        "import os, time, struct\n"
        "block = bytearray(os.urandom(1 << 20) * 64)\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        sum(block[::4096])\n"
        "        time.sleep(0.4)\n"
        "        os._exit(0)\n"
        "time.sleep(0.4)\n"
        "os.write(3, b'a' + struct.pack('<I', 0))\n")
    peak = {}
    for pss in (0, 1):
        done = subprocess.run([RUNNER, f"folder={place}/lab", f"scratch={place}/scratch", "allow=2", f"pss={pss}", "--", suite.OUTER_PYTHON,
                               "-S", "-E", "share.py"], input="", capture_output=True, text=True, timeout=60, check=True)
        peak[pss] = json.loads(done.stdout)["peak"] / (1 << 20)
    assert peak[1] >= 64 and peak[0] >= 128
    assert peak[1] < peak[0] - 64


def test_time_in_the_queue_of_a_shared_cpu_is_told(place):
    cpu = max(os.sched_getaffinity(0))
    (place / "lab/spin.py").write_text(
        "import os, struct, time\n"
        "began = time.process_time()\n"
        "while time.process_time() < began + 0.1: pass\n"
        "text = repr(os.sched_getaffinity(0)).encode()\n"
        "os.write(3, b'a' + struct.pack('<I', len(text)) + text)\n")
    other = subprocess.Popen([suite.OUTER_PYTHON, "-S", "-c", "import os\nos.sched_setaffinity(0, {%d})\nprint(flush=True)\nwhile True: pass" % cpu],
                             stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        done = subprocess.run([RUNNER, f"folder={place}/lab", f"scratch={place}/scratch", f"cpu={cpu}", "--", suite.OUTER_PYTHON, "-S", "-E",
                               "spin.py"], input="", capture_output=True, text=True, timeout=60, check=True)
    finally:
        other.kill()
        other.wait()
    result = json.loads(done.stdout)
    assert result["payload"] == repr({cpu})
    used = result["user_ns"] + result["sys_ns"]
    assert used // 10 < result["queued_ns"] < result["whole_ns"] - result["exec_ns"]


@pytest.mark.skipif(os.geteuid() != 0, reason="asks as an unprivileged user beside root")
def test_ladder_needs_no_root():
    ladder = suite.probe(RUNNER, suite.NOBODY)
    assert ladder["layers"][0]["have"] and ladder["layers"][1]["have"]
    for layer in ladder["layers"]:
        assert layer["have"] or layer["why_not"]
