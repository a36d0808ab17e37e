"""`pitviper selftest`: which Pythons it takes, and that it says how far each profile is from the truth."""
import json

from conftest import PYTHONS


def test_each_program_is_profiled_and_compared(run, pythons):
    done = run("selftest", "--json", "--python", pythons.path)
    assert done.status in (0, 1), done.err
    rows = json.loads(done.out)
    assert [row["program"] for row in rows] == ["slices", "sleeps", "generators"]
    for row in rows:
        assert row["python"].split("t")[0] == "%d.%d.%d" % pythons.version
        assert row["samples"] > 500
        # What the machine does meanwhile may move a share; a profiler that is wrong is off by far more.
        assert row["distance_points"] < 15, row


def test_what_only_looks_like_a_python_is_left_out(run, tmp_path):
    shim = tmp_path / "bin" / "python3.9"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'no such version is installed' >&2\nexit 127\n")
    shim.chmod(0o755)
    python = PYTHONS[0]
    real = shim.with_name("python3.%d" % python.minor[1])
    if real == shim:
        real.unlink()
    real.symlink_to(python.path)
    done = run("selftest", "--json", env={"PATH": str(shim.parent), "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)})
    assert done.status in (0, 1), done.err
    assert done.err == ""
    assert {row["python"].split("t")[0] for row in json.loads(done.out)} == {"%d.%d.%d" % python.version}


def test_no_python_at_all_is_one_clear_line(run, tmp_path):
    done = run("selftest", env={"PATH": str(tmp_path), "HOME": str(tmp_path), "PYENV_ROOT": str(tmp_path)})
    assert done.status == 3
    assert done.err == "pitviper: no CPython 3.8 to 3.15 is on the path: name one with --python\n"
