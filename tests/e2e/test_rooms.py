"""The checker of the rooms is itself worth trusting only if it complains of each kind of breach."""
import subprocess
import sys

import pytest
from conftest import ROOT

TABLE = """
| room | holds | may use |
|---|---|---|
| `base` | the floor | - |
| `lower` | a room | `base` |
| `upper` | a room | `lower` |
| `cmd` | verbs | `upper` |
"""
BUILD = """rooms = {
  'base': [],
  'lower': ['base'],
  'upper': ['lower'],
  'cmd': ['upper'],
}
"""


@pytest.fixture
def tree(tmp_path):
    files = {
        "docs/architecture.md": TABLE,
        "meson.build": BUILD,
        "tests/meson.build": "['one', 'base'],",
        "tests/unit/test_one.c": "",
        "fuzz/meson.build": "",
        "src/main.c": '#include "cmd/cmd.h"\n',
        "src/lower/meson.build": "files('lower.c')",
        "src/lower/lower.c": '#include "base/base.h"\n#include "lower/private.h"\n#include <stdio.h>\n',
        "src/upper/meson.build": "files('upper.c')",
        "src/upper/upper.c": '#include "base/base.h"\n#include "lower/lower.h"\n',
        "src/cmd/meson.build": "files('run.c')",
        "src/cmd/run.c": '#include "base/base.h"\nvoid f(void) { printf("gets (x)"); } /* strcpy (a, b) */\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def complaints(root):
    done = subprocess.run([sys.executable, str(ROOT / "tests/rooms"), str(root)], capture_output=True, text=True)
    assert done.returncode == (1 if done.stdout else 0), done.stderr
    return done.stdout.splitlines()


def test_a_tidy_tree_passes(tree):
    assert complaints(tree) == []


@pytest.mark.parametrize(
    "file, text, complaint",
    [
        ("src/lower/lower.c", '#include "upper/upper.h"', "lower may not use upper"),
        ("src/lower/lower.h", '  #  include "cmd/cmd.h"', "lower may not use cmd"),
        ("src/upper/upper.c", '#include "lower/private.h"', "a private header of lower"),
        ("src/upper/upper.c", '#include "lower.h"', "write it as ROOM/HEADER.h"),
        ("src/upper/upper.c", '#include "upper/other.c"', "write it as ROOM/HEADER.h"),
        ("src/main.c", '#include "outside/outside.h"', "may not use outside"),
        ("src/cmd/run.c", "int f(char *s) { return atoi (s); }", "calls atoi"),
        ("src/upper/upper.c", 'void f(void) { printf("x"); }', "calls printf"),
        ("src/upper/upper.c", "int f(int n)\n{\n    CLEANUP(b_free) struct b b;\n\n    if (n)\n        return 1;\n    b_init(&b);\n}\n",
         "returns before b of line 3 is set up"),
        ("src/upper/upper.c", "int f(int n)\n{\n    CLEANUP(b_free) struct b b;\n    struct j j = {.out = &b};\n    if (n)\n        return 1;\n"
         "    b_init(&b);\n}\n", "returns before b of line 3 is set up"),
        pytest.param("src/upper/upper.c", "\n" * 801, "801 lines", id="long file"),
        ("src/upper/more.c", "", "not listed in src/upper/meson.build"),
        ("tests/unit/test_two.c", "", "not listed in tests/meson.build"),
        ("fuzz/reader.c", "", "not listed in fuzz/meson.build"),
        ("src/stray/stray.h", "", "not a room"),
        ("meson.build", BUILD.replace("['lower']", "['base']"), "differs from the table"),
        ("docs/architecture.md", TABLE.replace("| `base` |\n", "| `cmd` |\n"), "lower may use cmd"),
        ("docs/architecture.md", "", "has no table"),
    ],
)
def test_each_breach_is_named(tree, file, text, complaint):
    (tree / file).parent.mkdir(exist_ok=True)
    (tree / file).write_text(text)
    assert any(complaint in line for line in complaints(tree))
