"""Where the programs are: pitviper, the Pythons, and the peers in .deps/bench-venv."""

import glob
import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
PROGRAMS = BENCH / "programs"
VENV = ROOT / ".deps" / "bench-venv"
OUT = ROOT / ".deps" / "bench"


def version_of(path):
    try:
        told = subprocess.run(
            [path, "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, universal_newlines=True,
        )
        return told.stdout.strip() if told.returncode == 0 else None
    except (OSError, subprocess.SubprocessError):
        return None


def pythons():
    """{"3.8": path, ...} of this machine: $PITVIPER_PYTHONS, else pyenv's, .deps' and the path's."""
    if os.environ.get("PITVIPER_PYTHONS"):
        candidates = os.environ["PITVIPER_PYTHONS"].split(os.pathsep)
    else:
        pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
        candidates = sorted(glob.glob(pyenv + "/versions/*/bin/python3"))
        candidates += sorted(glob.glob(str(ROOT / ".deps/python/*/usr/bin/python3.[0-9]*[0-9]")))
        candidates += [os.path.join(d, "python3.%d" % m) for m in range(8, 16) for d in os.get_exec_path()]
    found = {}
    for path in candidates:
        if not os.access(path, os.X_OK) or os.sep + "shims" + os.sep in path:
            continue
        version = version_of(path)
        if version and (3, 8) <= tuple(int(part) for part in version.split(".")) <= (3, 15):
            found.setdefault(version, os.path.realpath(path))
    return dict(sorted(found.items(), key=lambda pair: int(pair[0].split(".")[1])))


def pitviper():
    path = os.environ.get("PITVIPER") or str(ROOT / "build" / "pitviper")
    return path if os.access(path, os.X_OK) else None


def peers_folder():
    """The venv's bin folder; makes it at the first call. None where there is no package index to ask."""
    folder = VENV / "bin"
    if all((folder / name).exists() for name in ("py-spy", "pyperf")):
        return folder
    print("   installing the peers into %s" % VENV.relative_to(ROOT), file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            [str(folder / "pip"), "-q", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes",
             "-r", str(BENCH / "requirements.txt")],
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        print("   no peers: %s" % error, file=sys.stderr)
        return None
    return folder


def starts(words):
    try:
        return subprocess.run(words + ["--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def py_spy():
    folder = peers_folder()
    return [str(folder / "py-spy")] if folder else None


def austin():
    """austin's command. Its 4.0.0 wheel asks for a C library of 2.38, which a fetched Python brings with it."""
    folder = peers_folder()
    if not folder:
        return None
    words = [str(folder / "austin")]
    if starts(words):
        return words
    for loader in sorted(glob.glob(str(ROOT / ".deps/python/*/usr/lib/*-linux-gnu/ld-linux-*.so.*")), reverse=True):
        through = [loader, "--library-path", os.path.dirname(loader)] + words
        if starts(through):
            return through
    return None


def tachyon():
    """The sampling profiler of the standard library, from 3.15 on; it can read only that same version."""
    path = pythons().get("3.15")
    if path and subprocess.run([path, "-c", "import profiling.sampling"], stderr=subprocess.DEVNULL).returncode == 0:
        return [path, "-m", "profiling.sampling"]
    return None


def compiled(name, *options):
    """A C program of this folder, compiled at its first use."""
    OUT.mkdir(parents=True, exist_ok=True)
    source, program = BENCH / (name + ".c"), OUT / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-std=gnu17", "-O2", *options, "-o", str(program), str(source)], check=True)
    return str(program)


def spin_neighbour():
    return compiled("spin_neighbour")


def floor():
    return compiled("floor")


def inside(python):
    """The library that samples from inside of this Python, whose headers it needs. ValueError: it is not for this version."""
    if version_of(python) != "3.13":
        raise ValueError("the sampler inside is for CPython 3.13, and %s is none" % python)
    told = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"],
                          stdout=subprocess.PIPE, check=True, universal_newlines=True)
    include = told.stdout.strip()
    return compiled("inside", "-shared", "-fPIC", "-I" + include, "-I" + include + "/internal")
