"""Fixtures of the end-to-end tests.

pitviper       path of the program: $PITVIPER, else build/pitviper
pythons        a Python; a test that takes it runs once for every interpreter found, as [py3.12]
few_pythons    the same, over four of them (FEW): for what hardly depends on the version, and takes its time
free_threaded_python    the same, for those without a GIL only; skips where none is found
old_python     a Python that Pitviper refuses (2.7, 3.6, 3.7); skips where none is found
script         script(source, name="app.py") writes a program into the test's folder
run            run(*words, **options) runs the program to its end and returns a Finished
start_target   start_target(python, source, *words) starts a program and waits until it prints "ready"
"""
import importlib.util
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytest.register_assert_rewrite("pages")

ROOT = Path(__file__).resolve().parent.parent.parent
SUPPORTED = [(3, minor) for minor in range(8, 16)]
FREE_THREADED = [(3, 14), (3, 15)]
FEW_MINORS = [(3, 8), (3, 10), (3, 12), (3, 15)]  # the oldest, the course's oldest, one between, the newest
REFUSED = [(2, 7), (3, 6), (3, 7)]
OLDEST = (3, 10)  # that the course is for
# Where shares, gates and verdicts are held against the truth: one of them at a time, however many workers there are.
MEASURING = {"test_matrix", "test_targets_places", "test_tasks", "test_gil_wait", "test_selftest", "test_scale", "test_prove",
             "test_gate", "test_grade", "test_top", "test_learn_whole", "test_take_the_course", "test_diff_page"}
TIMEOUT = 120  # seconds after which a run counts as hung; no test measures time by it

IDENTIFY = (
    "import sys, platform, os; print('|'.join(["
    "'%d.%d.%d' % sys.version_info[:3], platform.python_implementation(), os.path.realpath(sys.executable),"
    "str('t' in getattr(sys, 'abiflags', ''))]))"
)


@dataclass(frozen=True)
class Python:
    path: str
    version: tuple  # (3, 12, 1)
    free_threaded: bool
    id: str = field(default="", compare=False)

    @property
    def minor(self):
        return self.version[:2]

    @property
    def full_version(self):
        return "%d.%d.%d" % self.version + "t" * self.free_threaded

    def __str__(self):
        return self.path


def candidates():
    """Paths that may be an interpreter, the preferred one of each version first."""
    if os.environ.get("PITVIPER_PYTHONS"):
        yield from os.environ["PITVIPER_PYTHONS"].split(os.pathsep)
        return
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob("versions/*/bin/python")))
    yield from map(str, sorted(ROOT.glob(".deps/python/*/usr/bin/python?.[0-9]*[0-9t]")))
    for major, minor in SUPPORTED + REFUSED:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            yield os.path.join(folder, f"python{major}.{minor}")
            yield os.path.join(folder, f"python{major}.{minor}t")


def identify(path):
    """The Python at this path, or None if it is not one that runs."""
    try:
        told = subprocess.run([path, "-S", "-c", IDENTIFY], capture_output=True, text=True, timeout=30, check=True).stdout
        version, implementation, real, free_threaded = told.strip().split("|")
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if implementation != "CPython":
        return None
    return Python(real, tuple(map(int, version.split("."))), free_threaded == "True")


def find_pythons():
    """Every distinct interpreter, by version: the first of a minor version is py3.12, another one py3.12.1, py3.12.1b."""
    found, seen, taken = [], set(), set()
    for path in candidates():
        # A shim is a script, and a venv's python a link: the file behind it is what counts, and only once.
        if not os.access(path, os.X_OK) or os.path.realpath(path) in seen or f"{os.sep}shims{os.sep}" in path:
            continue
        python = identify(path)
        if python is None or python.path in seen:
            continue
        seen.update((os.path.realpath(path), python.path))
        build = "t" * python.free_threaded
        short = "py%d.%d" % python.minor + build
        full = "py%d.%d.%d" % python.version + build
        name = next(n for n in [short, full] + [full + letter for letter in "bcdefghijk"] if n not in taken)
        taken.add(name)
        found.append(Python(python.path, python.version, python.free_threaded, name))
    return sorted(found, key=lambda p: (p.version[:2], p.free_threaded, p.version))


ALL = find_pythons()
PYTHONS = [p for p in ALL if p.minor in (FREE_THREADED if p.free_threaded else SUPPORTED)]
FEW = [[p for p in PYTHONS if p.minor == minor and not p.free_threaded][:1] for minor in FEW_MINORS]
FEW = [p for first in FEW for p in first]
OLD = [p for p in ALL if p.minor in REFUSED]


def include_directory(python):
    """Where its Python.h is, or None. Beside the interpreter: an unpacked package tells where it would be installed."""
    place = Path(python.path).parent.parent / "include" / ("python%d.%d" % python.minor)
    return place if (place / "internal" / "pycore_pystate.h").exists() else None


def pytest_generate_tests(metafunc):
    for mark in metafunc.definition.iter_markers("parametrize"):
        if isinstance(mark.args[1], (set, frozenset)):
            raise pytest.UsageError(f"{metafunc.function.__name__}: a set has another order in each worker; use a list")
    if "pythons" in metafunc.fixturenames:
        metafunc.parametrize("pythons", PYTHONS, ids=[p.id for p in PYTHONS])
    if "few_pythons" in metafunc.fixturenames:
        metafunc.parametrize("few_pythons", FEW, ids=[p.id for p in FEW])
    if "free_threaded_python" in metafunc.fixturenames:
        found = [p for p in PYTHONS if p.free_threaded]
        metafunc.parametrize("free_threaded_python", found, ids=[p.id for p in found])
    if "old_python" in metafunc.fixturenames:
        metafunc.parametrize("old_python", OLD, ids=[p.id for p in OLD])


def shares_a_fixture(item):
    """Takes one of its module's: made once for all tests that take it, if one worker runs them."""
    return any(known[-1].scope == "module" for known in item._fixtureinfo.name2fixturedefs.values())


def pytest_collection_modifyitems(items):
    measuring, sharing, others = [], [], []
    for item in items:
        if item.path.stem in MEASURING:
            item.add_marker(pytest.mark.xdist_group("measuring"))
            measuring.append(item)
        elif shares_a_fixture(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
            sharing.append(item)
        else:
            others.append(item)
    items[:] = measuring + sharing + others


def pytest_report_header():
    return "interpreters: " + (", ".join(f"{p.id} ({p.full_version})" for p in ALL) or "none")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    here = {p.minor for p in PYTHONS if not p.free_threaded}
    free_threaded = {p.minor for p in PYTHONS if p.free_threaded}
    missing = ["%d.%d" % minor for minor in SUPPORTED if minor not in here]
    missing += ["%d.%dt" % minor for minor in FREE_THREADED if minor not in free_threaded]
    terminalreporter.section("versions")
    terminalreporter.line("tested:     " + (", ".join(p.full_version for p in PYTHONS) or "none"))
    terminalreporter.line("not tested: " + (", ".join(missing) + " (no such interpreter here)" if missing else "none"))


@pytest.fixture(scope="session")
def pitviper():
    path = Path(os.environ.get("PITVIPER") or ROOT / "build" / "pitviper")
    if not os.access(path, os.X_OK):
        pytest.fail(f"no program at {path}; run ./dev build", pytrace=False)
    return str(path.resolve())


@dataclass
class Finished:
    """How a run of the program ended. status is the exit status, or minus the signal."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def ok(self):
        assert self.status == 0, f"status {self.status}\n{self.err}"
        return self


@pytest.fixture
def run(pitviper, tmp_path):
    """run(*words, timeout=, env=, cwd=, input=): runs `pitviper WORDS` in the test's own folder."""

    def run(*words, timeout=TIMEOUT, env=None, cwd=None, input=None):
        done = subprocess.run(
            [pitviper, *map(str, words)],
            cwd=cwd or tmp_path,
            env={**os.environ, **(env or {})},
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


def load_program(path, name):
    """The module of that file, under that name; nothing is written beside it."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = kept
    return module


@pytest.fixture
def script(tmp_path):
    """script(source, name="app.py"): writes a program into the test's folder and returns its path."""

    def script(source, name="app.py"):
        path = tmp_path / name
        path.write_text(source)
        return path

    return script


@pytest.fixture
def start_target(script):
    """start_target(python, source, *words): a running program that has printed "ready" as its first line.

    Killed with its whole session at the end of the test. Its stdin stays open; it should end when that closes."""
    running = []

    def start(python, source, *words, name="target.py", env=None):
        process = subprocess.Popen(
            [str(python), "-u", str(script(source, name)), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            text=True,
            start_new_session=True,
        )
        running.append(process)
        line = process.stdout.readline()
        assert line.strip() == "ready", f"the target said {line!r} instead of ready"
        return process

    yield start
    for process in running:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.stdin.close()
        process.stdout.close()
        process.wait()
