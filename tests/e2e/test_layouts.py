"""The layout tables of src/python against running interpreters, and against their headers where those are here."""
import json
import subprocess
import sys
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
