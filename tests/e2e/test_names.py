"""Thread names and kernel ids of every interpreter found, by the unit test that starts one and reads it from outside."""
import os
import subprocess
from pathlib import Path

import pytest
from tables import program


def test_threads_are_named_as_the_interpreter_names_them(pythons):
    test = Path(program()).with_name("test_python_names")
    if not test.exists():
        pytest.skip("test_python_names is not built here: meson test -C build python_names")
    done = subprocess.run([test], env={**os.environ, "PITVIPER_TEST_PYTHON": pythons.path}, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
