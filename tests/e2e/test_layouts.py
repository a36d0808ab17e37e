"""The layout tables of src/python against running interpreters, and against their headers where those are here."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, include_directory
from tables import dump, program, save_published

PROBE = Path(__file__).parent / "programs" / "probe_layout.py"
GENERATE = ROOT / "tools" / "layout" / "generate"


def test_every_offset_leads_to_what_python_says(pythons, tmp_path):
    table = dump(pythons, tmp_path)
    for options in ([], ["-X", "gil=1"]) if pythons.free_threaded else ([],):
        told = subprocess.run([pythons.path, "-I", *options, str(PROBE)], input=json.dumps({"layout": table["layout"]}),
                              capture_output=True, text=True, timeout=120)
        assert told.returncode == 0, told.stderr
        found = json.loads(told.stdout)
        assert found["wrong"] == [], options
    assert set(found["tried"]) == {name for name in table["layout"] if "." in name}


def test_every_offset_is_that_of_the_headers(pythons, tmp_path):
    include = include_directory(pythons)
    if include is None:
        pytest.skip("no internal headers of this interpreter here")
    told = subprocess.run([sys.executable, str(GENERATE), "--json", "--include", str(include), pythons.path],
                          check=True, capture_output=True, text=True, timeout=120)
    facts, table = json.loads(told.stdout), dump(pythons, tmp_path)
    offsets = {name: at for name, at in table["layout"].items() if "." in name}
    if pythons.free_threaded:  # its headers are Debian's, where the interpreter state holds locks of another size
        del offsets["interpreter.tlbc_generation"], facts["field"]["interpreter.tlbc_generation"]
    assert offsets == facts["field"]
    assert table["objects"] == facts["object"]
    assert table["layout"]["frame_size"] == facts["size"]["frame_size"]


def test_a_damaged_table_is_refused_in_one_line(pythons, tmp_path):
    """Each 8-byte word of what is published, spoilt in turn: refused, or read as something that is still in span."""
    if pythons.minor < (3, 13):
        pytest.skip("nothing is published before 3.13")
    path = save_published(pythons, tmp_path)
    whole, refused = path.read_bytes(), 0
    for at in range(0, 320, 8):
        path.write_bytes(whole[:at] + b"\xff" * 8 + whole[at + 8:])
        done = subprocess.run([program(), "3.%d" % pythons.minor[1], str(path)], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 3), done.stderr
        if done.returncode == 3:
            assert done.stderr.count("\n") == 1
            refused += 1
    assert refused >= 30


CHAINS = """
import ctypes, sys
sys.path.insert(0, sys.argv[1])
import two_chains
state = ctypes.pythonapi.PyThreadState_Get
state.restype = ctypes.c_void_p
print(state(), flush=True)
two_chains.in_turn(10**12)
"""
ENTRY_OWNERS = (3, 4)  # Include/internal/pycore_interpframe_structs.h, enum _frameowner: frames of no function


def depth_by_the_pointer(memory, layout, state):
    """How many functions the thread is in, by its own pointer to the innermost frame, and each frame's to its caller."""

    def read(address, size=8):
        return int.from_bytes(os.pread(memory, size, address), "little")

    at = read(state + layout["thread.frame"])
    if "cframe.current_frame" in layout:
        at = read(at + layout["cframe.current_frame"])
    depth = 0
    while at:
        depth += "frame.owner" not in layout or read(at + layout["frame.owner"], 1) not in ENTRY_OWNERS
        at = read(at + layout["frame.previous"])
    return depth


def test_a_stopped_thread_is_as_deep_as_its_own_pointer_says(run, pythons, tmp_path):
    """What lies above has returned, though it may look as it did while it ran."""
    layout = dump(pythons, tmp_path)["layout"]
    words = [pythons.path, "-I", "-c", CHAINS, str(ROOT / "bench" / "programs")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as target:
        try:
            state = int(target.stdout.readline())
            memory = os.open(f"/proc/{target.pid}/mem", os.O_RDONLY)
            shown, there = [], []
            for _ in range(60):
                time.sleep(0.002)
                os.kill(target.pid, signal.SIGSTOP)
                os.waitid(os.P_PID, target.pid, os.WSTOPPED)
                there.append(depth_by_the_pointer(memory, layout, state))
                (thread,) = run("dump", "--json", target.pid).ok().json["threads"]
                shown.append(len(thread["frames"]))
                os.kill(target.pid, signal.SIGCONT)
            os.close(memory)
        finally:
            target.kill()
    assert len(set(there)) > 8 and shown == there
