"""Runs every attack of attacks.py at every level that this machine reaches, as this user and, where this is root, as an
unprivileged one too, and says of each: blocked, detected (it came off, and the result shows it) or open.

tests/e2e/test_sandbox.py holds docs/sandbox.md against it; tools/sandbox-table writes the table there.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from attacks import ALONE, TRIES  # noqa: E402

LIMITS = ["memory=67108864", "file=8388608", "disk=16777216", "text=65536", "answer=65536", "processes=20", "wall_ms=4000",
          "cpu_ms=1500", "linger_ms=10"]
ANSWERED, EXITED, BROKEN, LATE, BUSY, FAT, CROWD, FULL, LOUD, STOPPED, LOST = range(11)
THREADS, FORK, SHARED, SOCKETS = 1, 2, 4, 8
ENDLESS = ("endless", "deaf", "stops")
NOBODY = 65534
OUTER_PYTHON = "/usr/bin/python3"


def interpreter():
    """An interpreter that any user may run, and the folders of its library."""
    told = subprocess.run([OUTER_PYTHON, "-c", "import sys, sysconfig, json; p = sysconfig.get_path; print(json.dumps(["
                           "sys.executable, sorted({p('stdlib'), p('platstdlib')})]))"], capture_output=True, text=True,
                          check=True, cwd="/").stdout
    return json.loads(told)


class World:
    """One user's place on the disk, a process of theirs that must come to no harm, and sockets that must not be reached."""

    def __init__(self, program, user):
        self.program, self.user = str(program), user
        self.place = Path(tempfile.mkdtemp(prefix="pit-sandbox-", dir="/tmp"))
        self.owner = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self.python, self.library = interpreter()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.abstract = "pitviper-test-%s" % self.place.name
        self.listeners = [self.tcp]
        self.bystander = None
        self.lay_out()
        for name in ("\0" + self.abstract, str(self.place / "outside/socket")):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(name)
            listener.listen()
            self.listeners.append(listener)
        self.give(self.place / "outside/socket")

    def give(self, path):
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def lay_out(self):
        os.chmod(self.place, 0o755)
        for name in ("lab", "scratch", "outside"):
            (self.place / name).mkdir(exist_ok=True)
            self.give(self.place / name)
        shutil.copy(HERE / "attacks.py", self.place / "lab")
        self.give(self.place / "lab/attacks.py")
        (self.place / "outside/reference.py").write_text("secret = 1\n")
        self.give(self.place / "outside/reference.py")
        self.give(self.place)
        if os.geteuid() == 0:
            shutil.copy("/usr/bin/id", self.place / "outside/setuid")
            os.chmod(self.place / "outside/setuid", 0o4755)

    def ensure_bystander(self):
        if self.bystander is None or self.bystander.poll() is not None:
            self.bystander = subprocess.Popen(["sleep", "600"], cwd="/", **self.owner)

    def run(self, level, what, allow=0, words=()):
        self.ensure_bystander()
        env = {"PLACE": self.place, "SCRATCH": self.place / "scratch", "PROGRAM": self.program, "PORT": self.tcp.getsockname()[1],
               "BYSTANDER": self.bystander.pid, "ABSTRACT": self.abstract, "SECRET_HINT": "4fd0-yzzif",
               "OUTER_SHM": os.stat("/dev/shm").st_dev, "OUTER_TMP": os.stat("/tmp").st_dev, "LC_ALL": "C.UTF-8"}
        command = [self.program, f"level={level}", f"folder={self.place}/lab", f"scratch={self.place}/scratch",
                   f"allow={allow}", "secret=fizzy-0df4", *LIMITS, *words]
        command += [f"read={folder}" for folder in self.library] + [f"env={k}={v}" for k, v in env.items()]
        command += ["--", self.python, "-S", "-E", "-s", "attacks.py", what, str(self.place)]
        done = subprocess.run(command, input=b"input", capture_output=True, timeout=60, cwd="/", **self.owner)
        result = json.loads(done.stdout) if done.returncode == 0 else {}
        result.update(returncode=done.returncode, raw=done.stdout, complaint=done.stderr.decode())
        return result

    def leftovers(self):
        """Processes of a run that are still there, ended by this."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            except OSError:
                continue
            if b"attacks.py" in words and str(self.place).encode() in words and self.program.encode() not in words:
                found.append(int(entry.name))
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return found

    def put_right(self):
        """After an attack that came off: nothing of it may help the next one."""
        away = self.place / "scratch.away"
        if away.exists():
            shutil.rmtree(away)
        for name in ("lab/cache", "lab/left_behind", "lab/display_runtime.txt", "outside/written"):
            (self.place / name).unlink(missing_ok=True)
        for folder in ("/tmp", "/dev/shm"):
            Path(folder, "pitviper-cache-" + self.abstract).unlink(missing_ok=True)
        self.lay_out()

    def close(self):
        for listener in self.listeners:
            listener.close()
        if self.bystander:
            self.bystander.kill()
            self.bystander.wait()
        self.leftovers()
        self.put_right()
        shutil.rmtree(self.place)


def judge(world, name, run, first):
    """(did it come off, does the result show it) of one attack that ran alone."""
    took_ns = run.get("whole_ns", 0) - run.get("exec_ns", 0)
    payload, end, kind = run.get("payload", ""), run.get("end"), run.get("kind")
    outside = (world.place / "outside/reference.py").exists()
    scratch = world.place / "scratch"
    judges = {
        "print_score": lambda: (kind != "", False),
        "orphan_lives": lambda: (bool(world.leftovers()), run["alive_at_answer"] > 0),
        "setuid_program": lambda: (run["out"].strip() == "0", False),
        "exec_capabilities": lambda: (run["out"].split()[1:2] not in ([], ["0" * 16]), False),
        "kill_grader": lambda: (run["returncode"] == -signal.SIGKILL, False),
        "kill_keeper": lambda: (end == LOST, end == LOST),
        "kill_other": lambda: (world.bystander.poll() is not None, False),
        "escape_codes": lambda: (b"\x1b" in run["raw"] or b"\x9b" in run["raw"].replace(b"\xc2\x9b", b""), False),
        "close_pipes": lambda: (run["returncode"] != 0, False),
        "delete_lab": lambda: (not (world.place / "lab/attacks.py").exists(), False),
        "swap_scratch": lambda: (payload == "done", run["scratch_gone"] and outside),
        "plant_links": lambda: (not outside, False),
        "deep_tree": lambda: (run["returncode"] != 0 or any(scratch.iterdir()), False),
    }
    for clock in ("result_file", "patched_clock", "precompute"):
        judges[clock] = lambda: (kind == "a" and took_ns < 50_000_000, False)
    for orphan in ("orphan_works", "orphan_works_allowed"):
        judges[orphan] = lambda: (kind == "a", run["alive_at_answer"] > 0 and run["cpu_after_answer"] > 0)
    for endless in ENDLESS:
        judges[endless] = lambda: (end not in (LATE, BUSY) or bool(world.leftovers()), False)
    if name in judges:
        return judges[name]()
    if name.startswith("cache_"):
        return payload.startswith("remembered"), first.get("shared_left", 0) > 0
    return run["returncode"] != 0 or payload == "done" or bool(world.leftovers()), False


def attack(world, level, name):
    how = ALONE[name].how
    allow = (FORK | SOCKETS) * how.get("with_fork", False) | SHARED * how.get("with_shared", False)
    words = {"deaf": ["wall_ms=400"], "stops": ["wall_ms=400"], "endless": ["cpu_ms=100"], "precompute": ["ready=1"],
             "orphan_works_allowed": ["linger_ms=200"], "orphan_works": ["linger_ms=200"]}.get(name, [])
    first = world.run(level, name, allow, words) if how.get("twice") else {}
    run = world.run(level, name, allow, words)
    if run["returncode"] == 3:
        raise AssertionError(f"{name} at level {level}: {run['complaint']}")
    came_off, noticed = judge(world, name, run, first)
    world.put_right()
    return "blocked" if not came_off else "detected" if noticed else "open"


def run_level(program, user, level):
    """{attack: outcome} of one user at one level, and what the tries said."""
    world = World(program, user)
    try:
        found = {}
        said = dict.fromkeys(TRIES, "")
        # With every allowance as well: a filter that refuses more may hide that the layer behind it does not hold.
        for allow in (0, THREADS | FORK | SOCKETS):
            tries = world.run(level, "tries", allow)
            assert tries.get("kind") == "a", tries
            for name, words in json.loads(tries["payload"]).items():
                said[name] = words if said[name] != "done" else "done"
            world.put_right()
        found.update((name, "open" if said[name] == "done" else "blocked") for name in TRIES)
        root = world.user is None and os.geteuid() == 0
        for name in ALONE:
            # Root has nothing to gain by setuid, and nobody else can make such a program.
            if name == "setuid_program" and (root or os.geteuid() != 0) or name == "exec_capabilities" and not root:
                continue
            found[name] = attack(world, level, name)
        return found, said
    finally:
        world.close()


def probe(program, user):
    owner = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    return json.loads(subprocess.run([str(program), "--probe"], capture_output=True, check=True, cwd="/", **owner).stdout)


def users():
    return {"root": None, "user": NOBODY} if os.geteuid() == 0 else {"user": None}


def measure(program, levels=range(5)):
    """{(user, level): {attack: outcome}}, the ladders by user, and what the tries said."""
    ladders = {name: probe(program, user) for name, user in users().items()}
    jobs = [(name, level) for name in ladders for level in levels if level <= ladders[name]["level"]]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda job: run_level(program, users()[job[0]], job[1]), jobs))
    return {job: found for job, (found, _) in zip(jobs, results)}, ladders, {job: said for job, (_, said) in zip(jobs, results)}


def table(outcomes):
    """The document's table: a row an attack, a column a level; where the two users differ, both."""
    rows = ["| attack | 0 | 1 | 2 | 3 | 4 |", "|---|---|---|---|---|---|"]
    for name, function in {**TRIES, **ALONE}.items():
        cells = []
        for level in range(5):
            each = {user: outcomes[user, level][name] for user in ("root", "user")
                    if (user, level) in outcomes and name in outcomes[user, level]}
            if len(set(each.values())) <= 1:
                cells.append(next(iter(each.values()), "-"))
            else:
                cells.append(f"{each['user']}; as root {each['root']}")
        rows.append(f"| {function.title} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def document_table(text):
    begin = text.index("| attack | 0 |")
    return text[begin:text.index("\n\n", begin) + 1]
