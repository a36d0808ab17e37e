"""Where a Python may be, and how it may have been made: each is found, and its stack is read."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change roots and namespaces")

PROGRAM = r"""
import sys, time
def place_of_work():
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not sys.stdin.closed:
        time.sleep(0.01)
place_of_work()
"""


@pytest.fixture
def start(tmp_path):
    """start(words, env=, cwd=): starts a command and waits for its "ready"; ended, with all it started, after the test."""
    running = []

    def start(words, **options):
        options["env"] = {**os.environ, **options.get("env", {})}
        process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
        running.append(process)
        line = process.stdout.readline()
        if line.strip() != "ready":
            process.kill()
            pytest.fail(f"the target said {line!r} instead of ready: {process.stderr.read()}")
        return process

    yield start
    for process in running:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def own_children(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def read(run, python, pid, file=None):
    """What dump and doctor say of the process; both have to know the version and see the program's function."""
    told = run("doctor", "--json", pid)
    assert told.status == 0, told.out + told.err
    told = json.loads(told.out)
    assert told["readable"] and told["rule"] == "none"
    version = python.full_version
    assert told["python"] == version
    seen = run("dump", "--json", pid).ok().json
    assert seen["python"] == version
    frames = [frame for thread in seen["threads"] for frame in thread["frames"]]
    found = [frame for frame in frames if frame["function"].endswith("place_of_work")]
    assert len(found) == 1, seen
    assert found[0]["line"] in (4, 5, 6, 7)  # "ready" is read while it is still being written
    if file is not None:
        assert found[0]["file"] == str(file)
    return told


def ask(python, expression):
    done = subprocess.run(
        [str(python), "-S", "-c", f"import sys, sysconfig; print({expression})"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# ---- where it is ----


def test_through_a_symbolic_link(run, start, program, pythons, tmp_path):
    link = tmp_path / "some name"
    link.symlink_to(str(pythons))
    process = start([link, program])
    read(run, pythons, process.pid, program)


def test_in_a_virtual_environment(run, start, program, pythons, tmp_path):
    venv = tmp_path / "venv"
    made = subprocess.run([str(pythons), "-m", "venv", "--without-pip", str(venv)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"{pythons.id} has no venv module: {made.stderr.strip().splitlines()[-1:]}")
    process = start([venv / "bin" / "python", program])
    read(run, pythons, process.pid, program)


def test_started_through_the_loader(run, start, program, pythons):
    headers = subprocess.run(["readelf", "-l", str(pythons)], capture_output=True, text=True, check=True).stdout
    loader = headers.split("interpreter: ")[1].split("]")[0]
    process = start([loader, str(pythons), program], env={"PYTHONHOME": ask(pythons, "sys.prefix")})
    assert os.readlink(f"/proc/{process.pid}/exe") != str(pythons)
    read(run, pythons, process.pid, program)


@needs_root
def test_that_changed_its_root(run, start, pythons, tmp_path):
    """The executable was mapped before: its path is one of the old root."""
    jail = tmp_path / "jail"
    jail.mkdir()
    program = tmp_path / "program.py"
    program.write_text(f"import os; os.chroot({str(jail)!r})" + PROGRAM)
    process = start([str(pythons), program])
    assert os.readlink(f"/proc/{process.pid}/root") == str(jail)
    read(run, pythons, process.pid)


@needs_root
def test_inside_a_root_of_its_own(run, start, program, pythons, tmp_path):
    """chroot in a mount namespace: the program's path exists in there only."""
    root = tmp_path / "root"
    root.mkdir()
    script = (
        "set -e; mount --rbind / $1; mount -t tmpfs none $1/mnt; mkdir $1/mnt/only-here; "
        'cp $2 $1/mnt/only-here/program.py; exec chroot $1 $3 /mnt/only-here/program.py'
    )
    process = start(["unshare", "-m", "sh", "-c", script, "sh", root, program, str(pythons)])
    assert not os.path.exists("/mnt/only-here")
    told = read(run, pythons, process.pid, "/mnt/only-here/program.py")
    assert told["same_mount_namespace"] is False


@needs_root
def test_in_another_mount_namespace_with_its_own_python(run, start, program, pythons, tmp_path):
    """The executable itself is visible in there only, at a path that is something else outside."""
    copy, _, env = copy_of(pythons, tmp_path / "copy")
    place = tmp_path / "place"
    place.mkdir()
    (place / "python").write_text("not a program")
    script = 'set -e; mount -t tmpfs none "$1"; cp "$2" "$1/python"; shift 2; exec env "$@"'
    there = [*(f"{name}={value}" for name, value in env.items()), place / "python", program]
    process = start(["unshare", "-m", "sh", "-c", script, "sh", place, copy, *there])
    assert (place / "python").read_text() == "not a program"
    read(run, pythons, process.pid, program)


@needs_root
def test_in_another_pid_namespace(run, start, program, pythons):
    process = start(["unshare", "-p", "-f", "--mount-proc", str(pythons), program])
    (pid,) = own_children(process.pid)
    told = read(run, pythons, pid, program)
    assert told["same_pid_namespace"] is False


TWO_THREADS = r"""
import ctypes, os, sys, threading, time
def idle():
    time.sleep(3600)
def spin():
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        pass
fork = {"": lambda: 0, "os": os.fork, "C": ctypes.PyDLL(None).fork}[sys.argv[1]]
if fork() == 0:
    threading.Thread(target=idle, name="idle", daemon=True).start()
    spin()
time.sleep(30)
"""


def kernel_threads(run, pid):
    """What dump says of each of the process's threads: {name: (tid, state)}; each tid must be one of the process's.

    The idle thread is given time to come to its sleep: as long as others have the CPUs, "R" is true of it.
    """
    deadline = time.monotonic() + 60
    while True:
        seen = run("dump", "--json", pid).ok().json["threads"]
        there = set(map(int, os.listdir(f"/proc/{pid}/task")))
        assert {t["tid"] for t in seen} == there, (seen, there)
        threads = {t["name"]: (t["tid"], t["state"]) for t in seen}
        if threads["idle"][1] == "S" or time.monotonic() > deadline:
            return threads
        time.sleep(0.1)


@needs_root
def test_threads_of_another_pid_namespace_are_known_by_our_numbers(run, start, pythons, tmp_path):
    program = tmp_path / "two.py"
    program.write_text(TWO_THREADS)
    process = start(["unshare", "-p", "-f", "--mount-proc", str(pythons), program, ""])
    (pid,) = own_children(process.pid)
    threads = kernel_threads(run, pid)
    assert threads["MainThread"][0] == pid and threads["idle"][1] == "S", threads


@pytest.mark.parametrize("fork", ["os", "C"])
def test_a_forked_process_has_threads_of_its_own(run, start, pythons, tmp_path, fork):
    """Python's own numbers are those of the parent there: up to 3.10, and where C forked."""
    program = tmp_path / "two.py"
    program.write_text(TWO_THREADS)
    process = start([pythons, program, fork])
    (pid,) = own_children(process.pid)
    threads = kernel_threads(run, pid)
    assert threads["MainThread"] == (pid, "R") and threads["idle"][1] == "S", threads


NOT_DUMPABLE = r"""
import ctypes, os, sys, time
def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
def hide():
    assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE
if sys.argv[1] == "child":
    for _ in range(3):
        if os.fork() == 0:
            hide()
            work(0.5)
            os._exit(0)
work(0.4)
if sys.argv[1] == "itself":
    hide()
work(0.4)
"""


@pytest.mark.parametrize("who", ["itself", "child"])
def test_what_may_not_be_read_any_more_is_said(pitviper, run, script, pythons, tmp_path, who):
    """A plain user's program that makes itself not dumpable; root without CAP_SYS_PTRACE is such a user."""
    plain = ["setpriv", "--bounding-set=-sys_ptrace"] if os.geteuid() == 0 else []
    out = tmp_path / "run.pit"
    words = [*plain, pitviper, "run", "--python", str(pythons), "-o", out, script(NOT_DUMPABLE), who]
    subprocess.run(words, check=True, capture_output=True)
    notes = {note["about"]: note["text"] for note in run("report", "--json", out).ok().json["notes"]}
    assert "dumpable" in notes["refused"], notes
    if who == "itself":
        assert re.match(r"not sampled after 0\.\d+ s: process \d+ ", notes["refused"]), notes
    else:
        assert notes["refused_more"] == "2 more processes could not be read", notes


def test_in_another_user_namespace(run, start, program, pythons):
    if subprocess.run(["unshare", "-U", "-r", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets us make no user namespace")
    process = start(["unshare", "-U", "-r", str(pythons), program])
    told = read(run, pythons, process.pid, program)
    assert told["same_user_namespace"] is False


# ---- how it was made ----


def copy_of(python, folder):
    """The executable and, if it has one, its libpython, in a folder; and the environment that they need there."""
    folder.mkdir()
    copy = folder / "python"
    shutil.copy(str(python), copy)
    linked = subprocess.run(["ldd", str(python)], capture_output=True, text=True).stdout
    libraries = [Path(line.split("=> ")[1].split(" (")[0]) for line in linked.splitlines() if "=> /" in line]
    objects = [copy]
    for library in libraries:
        if library.name.startswith("libpython"):
            shutil.copy(library, folder / library.name)
            objects.append(folder / library.name)
    # Where the original found the rest, its run path may have been relative to itself.
    path = os.pathsep.join(dict.fromkeys(map(str, [folder, *(library.parent for library in libraries)])))
    return copy, objects, {"LD_LIBRARY_PATH": path, "PYTHONHOME": ask(python, "sys.prefix")}


def test_stripped(run, start, program, pythons, tmp_path):
    copy, objects, env = copy_of(pythons, tmp_path / "stripped")
    subprocess.run(["strip", *map(str, objects)], check=True)
    process = start([copy, program], env=env)
    read(run, pythons, process.pid, program)


def test_without_section_headers(run, start, program, pythons, tmp_path):
    copy, objects, env = copy_of(pythons, tmp_path / "bare")
    for path in objects:
        with open(path, "r+b") as file:
            file.seek(40)
            file.write(bytes(8))  # e_shoff
            file.seek(58)
            file.write(bytes(6))  # e_shentsize, e_shnum, e_shstrndx
    process = start([copy, program], env=env)
    read(run, pythons, process.pid, program)


@needs_root
def test_deleted_and_replaced_since_it_started(run, start, program, pythons, tmp_path):
    copy, objects, env = copy_of(pythons, tmp_path / "gone")
    process = start([copy, program], env=env)
    for path in objects:
        path.unlink()
        path.write_text("something else")
    read(run, pythons, process.pid, program)


HOST = r"""
#include <Python.h>
#include <pthread.h>
#include <stdio.h>

static int run_program(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return 1;
    Py_Initialize();
    int r = PyRun_SimpleFileExFlags(file, path, 1, NULL);
    Py_FinalizeEx();
    return r;
}

#ifdef IN_THREAD
static void *thread(void *path)
{
    run_program(path);
    return NULL;
}

/* The first thread goes; the process lives on in the other. */
int main(int argc, char **argv)
{
    pthread_t t;
    if (argc < 2 || pthread_create(&t, NULL, thread, argv[1]) != 0)
        return 1;
    pthread_exit(NULL);
}
#else
int main(int argc, char **argv)
{
    return argc < 2 ? 1 : run_program(argv[1]);
}
#endif
"""


def build_host(python, folder, *flags, static=False):
    """A C program that embeds the interpreter, and the environment to run it in."""
    include = Path(ask(python, "sysconfig.get_path('include')"))
    plain = Path(ask(python, "sysconfig.get_config_var('LIBDIR')"))
    config = Path(ask(python, "sysconfig.get_config_var('LIBPL')"))
    name = "python%d.%d" % python.minor
    if not (include / "Python.h").exists():
        pytest.skip(f"{python.id} has no headers")
    library = next((p for p in (config / f"lib{name}.a", plain / f"lib{name}.a") if p.exists()), None)
    if static and library is None:
        pytest.skip(f"{python.id} has no static lib{name}.a")
    if not static and not (plain / f"lib{name}.so").exists():
        pytest.skip(f"{python.id} has no shared lib{name}.so")
    source = folder / "host.c"
    source.write_text(HOST)
    host = folder / "host"
    command = ["gcc", "-O1", f"-I{include}", *flags, str(source), "-o", str(host)]
    if static:
        needed = ask(python, "' '.join(sysconfig.get_config_var(n) or '' for n in ('LIBS', 'SYSLIBS', 'MODLIBS'))").split()
        command += [str(library), *needed, "-lpthread", "-ldl", "-lutil", "-lm"]
    else:
        command += [f"-L{plain}", f"-l{name}", f"-Wl,-rpath,{plain}"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"a host for {python.id} cannot be linked here: {made.stderr.strip().splitlines()[0]}")
    return host, {"PYTHONHOME": ask(python, "sys.prefix")}


@pytest.mark.parametrize("flags", [("-pie", "-fPIE"), ("-no-pie", "-fno-pie")], ids=["pie", "fixed"])
def test_embedded_by_its_shared_library(run, start, program, pythons, tmp_path, flags):
    host, env = build_host(pythons, tmp_path, *flags)
    process = start([host, program], env=env)
    read(run, pythons, process.pid)


@pytest.mark.parametrize("flags", [("-no-pie",), ("-no-pie", "-s"), ("-no-pie", "-rdynamic", "-s")], ids=["plain", "stripped", "exported"])
def test_embedded_by_its_static_library(run, start, program, pythons, tmp_path, flags):
    host, env = build_host(pythons, tmp_path, *flags, static=True)
    process = start([host, program], env=env)
    read(run, pythons, process.pid)


def test_in_a_thread_that_outlived_the_first(run, start, program, pythons, tmp_path):
    host, env = build_host(pythons, tmp_path, "-DIN_THREAD")
    process = start([host, program], env=env)
    read(run, pythons, process.pid)


# ---- what is in the way ----


def one_line(finished, status):
    assert finished.status == status, finished.out + finished.err
    lines = finished.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("pitviper: "), finished.err
    return lines[0]


@pytest.mark.parametrize("verb", ["dump", "attach"])
def test_another_implementation_of_python(run, verb, tmp_path):
    other = tmp_path / "pypy3.10"
    shutil.copy("/bin/sleep", other)
    process = subprocess.Popen([other, "30"])
    try:
        assert f"process {process.pid} runs PyPy, and only CPython" in one_line(run(verb, process.pid), 3)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("verb", ["dump", "attach"])
def test_no_such_process(run, verb):
    dead = subprocess.Popen(["true"])
    dead.wait()
    assert f"there is no process {dead.pid}" in one_line(run(verb, dead.pid), 3)


def test_doctor_names_a_missing_process(run):
    dead = subprocess.Popen(["true"])
    dead.wait()
    told = run("doctor", "--json", dead.pid)
    assert told.status == 1
    assert told.json["rule"] == "no process" and not told.json["readable"]


def test_a_zombie(run):
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert "zombie" in one_line(run("dump", child.pid), 3)
    assert run("doctor", "--json", child.pid).json["rule"] == "zombie"
    child.wait()


def test_one_that_is_no_python(run):
    child = subprocess.Popen(["sleep", "60"])
    try:
        line = one_line(run("dump", child.pid), 3)
        assert "Python" in line
        told = run("doctor", child.pid)
        assert told.status == 1 and "Python" in told.out
    finally:
        child.kill()
        child.wait()


def test_an_interpreter_that_is_too_old(run, start, program, old_python):
    process = start([str(old_python), program])
    version = "%d.%d" % old_python.minor
    assert version in one_line(run("dump", process.pid), 3)
    told = run("doctor", "--json", process.pid)
    assert told.status == 1 and version in told.json["why"]


@needs_root
def test_another_user(pitviper, start, program, tmp_path):
    process = start(["python3", program])
    tool = Path("/tmp") / f"pitviper-{os.getpid()}"  # where that user may run it
    shutil.copy(pitviper, tool)
    tool.chmod(0o755)
    try:
        as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", str(tool)]
        told = subprocess.run([*as_nobody, "doctor", "--json", str(process.pid)], capture_output=True, text=True, cwd="/")
        assert told.returncode == 1, told.stderr
        told = json.loads(told.stdout)
        assert told["rule"] == "uid" and "0/0/0" in told["why"]
        dumped = subprocess.run([*as_nobody, "dump", str(process.pid)], capture_output=True, text=True, cwd="/")
        assert dumped.returncode == 3
        assert dumped.stderr == f"pitviper: {told['why']}\n"
    finally:
        tool.unlink()


# ---- doctor on the machine ----


def test_doctor_tries_the_pythons_on_the_path(run, pythons, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(str(pythons))
    (tmp_path / "bin" / "python").symlink_to("python3")
    broken = tmp_path / "bin" / "python3.99"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    told = run("doctor", "--json", env={"PATH": str(tmp_path / "bin")}).ok().json
    found = {Path(p["path"]).name: p for p in told["pythons"]}
    assert len(found) == 2, found  # one file under two names is one python
    assert not found.pop("python3.99")["readable"]
    (whole,) = found.values()
    assert whole["readable"] and whole["version"] == pythons.full_version, whole
    assert whole["executable"] == os.path.realpath(str(pythons))


def test_doctor_agrees_with_the_machine(run):
    told = run("doctor", "--json", env={"PATH": "/nowhere"}).ok().json
    assert told["kernel"] == os.uname().release
    assert told["machine"] == os.uname().machine
    assert told["usable_cores"] == len(os.sched_getaffinity(0))
    assert told["pythons"] == []
    yama = Path("/proc/sys/kernel/yama/ptrace_scope")
    assert told["yama_scope"] == (int(yama.read_text()) if yama.exists() else None)
    text = run("doctor", env={"PATH": "/nowhere"}).ok().out
    assert os.uname().release in text and "none on the path" in text
