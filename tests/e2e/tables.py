"""What the tables of src/python say of one interpreter, by the program tests/unit/dump_layout.c."""
import json
import os
import subprocess

import pytest
from conftest import ROOT

# The whole of struct _Py_DebugOffsets of any version, and what follows.
PUBLISHED_SIZE = 4096
SAVE_PUBLISHED = """
import ctypes, sys
start = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
open(sys.argv[1], "wb").write(ctypes.string_at(start, int(sys.argv[2])))
"""


def program():
    pitviper = os.environ.get("PITVIPER") or ROOT / "build" / "pitviper"
    path = os.path.join(os.path.dirname(pitviper), "tests", "dump_layout")
    if not os.access(path, os.X_OK):
        pytest.fail(f"no program at {path}; run ./dev build", pytrace=False)
    return path


def save_published(python, folder):
    path = folder / "published"
    subprocess.run([python.path, "-I", "-c", SAVE_PUBLISHED, str(path), str(PUBLISHED_SIZE)], check=True, timeout=60)
    return path


def dump(python, folder):
    words = [program(), "3.%d" % python.minor[1]]
    if python.minor[1] >= 13:
        words.append(str(save_published(python, folder)))
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout)
