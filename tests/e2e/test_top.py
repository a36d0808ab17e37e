"""`pitviper top` on a pseudo-terminal: what is on the screen is read by pyte, a terminal emulator in Python."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest

from test_recording_limits import NAMES

ROOT = Path(__file__).resolve().parent.parent.parent
LONG = 60  # seconds after which what was waited for will not come; no test measures time by it

BUSY = """
import threading, time, sys
def hot(n):
    total = 0
    for i in range(n):
        total += i * i
    return total
def cool(n):
    return sum(range(n))
def doze():
    while True:
        time.sleep(0.05)
def main():
    threading.Thread(target=doze, name="dozing", daemon=True).start()
    print("ready", flush=True)
    while True:
        hot(20000)
        cool(4000)
main()
"""
ENDS = """
import time
def work():
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        sum(range(2000))
work()
print("said at the end")
raise SystemExit(7)
"""


# A shell in small: what it starts has a process group of its own. The kernel stops none that its session's leader leads.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
os.setpgid(child, child or 0)
if child == 0:
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
os.tcsetpgrp(0, child)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Screen(pyte.Screen):
    """With what curses uses and pyte does not know: back tabs, repeated characters, scrolling by several lines."""

    drawn = " "

    def draw(self, data):
        self.drawn = data[-1:] or self.drawn
        super().draw(data)

    def back_tab(self, count=1):
        for _ in range(count or 1):
            self.cursor.x = max((stop for stop in self.tabstops if stop < self.cursor.x), default=0)

    def repeat(self, count=1):
        super().draw(self.drawn * (count or 1))

    def scroll(self, row, move, count):
        """Within the margins, as at their last or first line."""
        kept = self.cursor.y
        self.cursor.y = row
        for _ in range(count or 1):
            move()
        self.cursor.y = kept

    def scroll_up(self, count=1):
        self.scroll(self.margins.bottom if self.margins else self.lines - 1, self.index, count)

    def scroll_down(self, count=1):
        self.scroll(self.margins.top if self.margins else 0, self.reverse_index, count)


class Stream(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "Z": "back_tab", "b": "repeat", "S": "scroll_up", "T": "scroll_down"}
    events = pyte.ByteStream.events | {"back_tab", "repeat", "scroll_up", "scroll_down"}


class Top:
    """The program on a terminal of its own, and what that terminal shows."""

    def __init__(self, words, rows=30, columns=120, env=None, cwd=None, shell=False):
        """shell: in a process group of its own, as a shell does; one that its parent leads the kernel will not stop."""
        self.columns, self.rows = columns, rows
        self.screen = Screen(columns, rows)
        self.stream = Stream(self.screen)
        self.raw = b""
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.before = termios.tcgetattr(self.slave)
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        environment.update(env or {})

        if shell:
            words = [sys.executable, "-c", SHELL, *words]

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([str(w) for w in words], stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=environment, cwd=cwd, preexec_fn=own_terminal)

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)
        if tell:
            os.kill(self.process.pid, signal.SIGWINCH)

    def pump(self, seconds):
        """Reads what the program draws for so long; False once it has gone and all is read."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not select.select([self.master], [], [], 0.02)[0]:
                if self.process.poll() is not None:
                    return False
                continue
            data = os.read(self.master, 65536)
            self.raw += data
            self.stream.feed(data)
        return True

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines)

    def until(self, wanted, what="the screen"):
        """Waits for a regular expression on the screen, or for a condition."""
        condition = wanted if callable(wanted) else lambda: re.search(wanted, self.text)
        end = time.monotonic() + LONG
        while not condition():
            alive = self.pump(0.05)
            assert time.monotonic() < end and (alive or condition()), f"{what}: no {wanted!r} in\n{self.text}"
        return self.text

    def gone(self, unwanted):
        return self.until(lambda: not re.search(unwanted, self.text), f"still {unwanted}")

    def press(self, keys, wanted=None):
        os.write(self.master, keys.encode())
        if wanted is None:
            self.pump(0.4)
            return self.text
        return self.until(wanted, f"after {keys!r}")

    def end(self):
        """Waits for its end; the exit status, or minus the signal."""
        end = time.monotonic() + LONG
        while self.process.poll() is None:
            self.pump(0.05)
            assert time.monotonic() < end, f"does not end:\n{self.text}"
        self.pump(0.1)
        return self.process.returncode

    def children(self):
        return [int(p) for p in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def check_restored(self):
        """The terminal is as it was: its settings, the first screen, the cursor."""
        assert termios.tcgetattr(self.slave) == self.before
        assert self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h") >= 0
        assert self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l") >= 0

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def top(pitviper, tmp_path):
    started = []

    def start(*words, **options):
        started.append(Top([pitviper, "top", *words], cwd=tmp_path, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def python():
    from conftest import PYTHONS

    return PYTHONS[-1]


@pytest.fixture
def busy(top, start_target, python):
    """top on a running program with one busy and one sleeping thread; .target is the program."""

    def start(**options):
        target = start_target(python, BUSY)
        t = top(*options.pop("words", []), target.pid, **options)
        t.target = target
        t.until(r"\bhot\b")
        return t

    return start


def row(t, name):
    return next(line for line in t.lines if re.search(rf"\b{name}\b", line))


# ---- what is on the screen ----


def test_the_hot_function_is_on_top_with_its_share(top, start_target, pythons):
    target = start_target(pythons, BUSY)
    t = top(target.pid)
    t.until(r"\bhot\b(.|\n)*\bcool\b")
    t.press("m", ", cpu|cpu,|cpu")
    t.until(lambda: " cpu, since start" in t.text and re.search(r"\d\.\d% .*\bhot\b", t.text))
    t.until(lambda: re.search(r"\bhot\b", t.lines[4]), "hot is the first row")
    share = float(re.match(r"\s*(\d+\.\d)%", t.lines[4]).group(1))
    assert share > 50
    assert f"pid {target.pid}" in t.lines[0]
    assert f"Python {pythons.full_version}" in t.lines[0]
    assert "target.py" in t.lines[0]
    assert re.search(r"\d+ samples/s .*on CPU \d+\.\d% .*GIL .*missed \d+ .*late \d+ .*repaired \d+ .*profiler \d", t.lines[1])
    t.press("q")
    assert t.end() == 0
    t.check_restored()
    assert target.poll() is None, "a program that was attached to runs on"


def test_threads_have_names_and_states(busy):
    t = busy()
    t.press("2", r"\bdozing\b")
    t.until(lambda: "waiting" in row(t, "dozing") and "doze" in row(t, "dozing"))
    main = t.until(lambda: re.search("CPU", row(t, "MainThread"))) and row(t, "MainThread")
    assert re.search(r"MainThread +(on CPU|CPU, GIL)", main)
    assert t.lines.index(row(t, "MainThread")) < t.lines.index(row(t, "dozing"))
    t.until(lambda: "\u2588" in row(t, "MainThread"), "activity of a busy thread")
    t.press("\r", r"thread \d+")
    t.until(lambda: not re.search(r"\bdoze\b", t.text), "only the chosen thread")
    t.press("a")
    t.until(r"\bdoze\b")


def test_processes_and_only_one_of_them(top, start_target, python):
    target = start_target(python, """
import os, sys, time
def child_work():
    while True: sum(range(1000))
def parent_work():
    while True: sum(range(1000))
if os.fork() == 0:
    child_work()
print("ready", flush=True)
parent_work()
""")
    t = top(target.pid)
    t.until(r"\bchild_work\b")
    t.until(r"\bparent_work\b")
    t.press("3", rf"(?m)^ +{target.pid} ")
    t.until(lambda: len([line for line in t.lines if "target.py" in line]) == 3)
    t.press(">", rf"COMMAND")
    t.press("\r", rf"pid {target.pid}\b")
    t.until(lambda: re.search(r"\bparent_work\b", t.text) and not re.search(r"\bchild_work\b", t.text), "one process only")
    t.press("\x1b")
    t.until(r"\bchild_work\b")


def test_lines_have_their_source(busy):
    t = busy()
    t.press("4", r"target\.py:6 +total \+= i \* i")


def test_source_has_a_heat_gutter(busy):
    t = busy()
    t.press("/hot\r", "/hot/")
    t.gone(r"\bcool\b")
    t.press("\r", r"6 source")
    t.until(r"(?m)^ *\d+\.\d% +\d+\.\d% .* 6 +total \+= i \* i")
    assert re.search(r"(?m)^ +3 +def hot\(n\):", t.text)
    t.press("\x1b", r"\bFUNCTION\b")


def test_flame_graph_moves_and_zooms(busy):
    t = busy()
    t.press("m")
    t.press("5", "of the time")
    t.until(r"\bhot\b")
    rows = {name: next(i for i, line in enumerate(t.lines) if i > 3 and re.search(name, line)) for name in ("main", "hot")}
    assert rows["hot"] == rows["main"] + 1
    t.press("\x1b[B", r"(?m)^\d+\.\d% of the time.*<module>")
    t.press("\x1b[B", r"of the time.* main ")
    t.press("\x1b[B", r"of the time.* hot ")
    t.until(r"(?m)^.*\bhot\b.*\bcool\b|^.*\bcool\b.*\bhot\b")
    boxes = next(line for line in t.lines[4:] if "hot" in line and "cool" in line)
    # The order is that of first sight, and which of the two was seen first is chance.
    to_cool, back = ("\x1b[C", "\x1b[D") if boxes.index("hot") < boxes.index("cool") else ("\x1b[D", "\x1b[C")
    t.press(to_cool, r"of the time.* cool ")
    t.press(back, r"of the time.* hot ")
    t.press("\r", r"(?m)100\.0% of this width.* hot ")
    assert not any(re.search("main", line) for line in t.lines[4:-1])
    t.press("\x1b", r"of the time.* hot ")
    t.until(lambda: any(re.search(r"\bmain\b", line) for line in t.lines[4:-1]), "zoomed out by one")


# ---- keys ----


def test_every_key_is_in_the_help_and_the_document(busy):
    t = busy(rows=50)
    t.press("?", "keys \\(")
    shown = [re.match(r" (.{14}) (.+)", line).groups() for line in t.lines[1:] if line.strip()]
    document = (ROOT / "docs/top.md").read_text()
    table = re.findall(r"(?m)^\| `(.+?)` \| (.+?) \|$", document)
    assert [(k.strip(), h) for k, h in shown] == [(k.replace("`", ""), h) for k, h in table]
    assert len(shown) > 25
    t.press("x", "FUNCTION")


TASKS = """
import asyncio
def burn(n): return sum(i * i for i in range(n))
async def worker():
    while True:
        burn(3000)
        await asyncio.sleep(0)
async def patient(): await asyncio.sleep(1000)
async def request(): burn(1000)
async def main():
    keep = [asyncio.ensure_future(worker())]
    keep[0].set_name("the worker")
    keep += [asyncio.ensure_future(patient()) for _ in range(3000)]
    await asyncio.sleep(0.01)
    print("ready", flush=True)
    while True:
        await asyncio.ensure_future(request())
asyncio.run(main())
"""


def test_tasks_have_states_times_and_what_they_await(top, start_target, python):
    t = top(start_target(python, TASKS).pid)
    t.until(r"\bburn\b")
    t.press("t", r"AWAITS IN   \(300[23] tasks: [01] running, \d ready, 300\d waiting\)")
    t.until(lambda: re.match(r" *\d+\.\d% (running|ready) +the worker +worker +", t.lines[4]), "the worker is first")
    t.until(r"(?m)^ *\d+\.\d% ended  +request")
    assert float(t.lines[4].split("%")[0]) > 30
    t.press("/patient\r", lambda: "the worker" not in t.text)
    t.until(r"  0.0% waiting  Task-\d+ +patient +sleep:\d+ for Future")
    t.press("\x1b", "the worker")
    t.press("\r", "(?m)^.*async def worker")


def test_a_program_without_asyncio_has_no_tasks(busy):
    t = busy()
    assert "t tasks" not in t.lines[2]
    t.press("t", "no asyncio tasks in this process")
    assert "t tasks" in t.lines[2]


def test_tab_goes_through_the_views(busy):
    t = busy()
    for title in ("NOW IN", "COMMAND", "SOURCE", "AWAITS IN", "of the time", "choose a function|LINE ", "OUTPUT|not started", "FUNCTION"):
        t.press("\t", title)
    t.press("\x1b[Z", "OUTPUT|not started")
    t.press("1", "FUNCTION")


def test_pause_holds_the_display_and_the_recording_goes_on(busy, run):
    t = busy()
    t.press(" ", "PAUSED")
    before = t.lines[0]
    t.pump(1.5)
    assert t.lines[0] == before
    t.press(" ")
    t.until(lambda: "PAUSED" not in t.text and t.lines[0] != before)


def test_filter_by_expression_and_by_text(busy):
    t = busy()
    t.press("/^(hot|cool)$\r", r"/\^\(hot")
    t.until(lambda: not re.search(r"\bdoze\b", "\n".join(t.lines[3:])), "others are left out")
    assert re.search(r"\bhot\b", t.text)
    t.press("\x1b")
    t.until(r"\bdoze\b")
    t.press("/no(such\r", "nothing matches")
    t.press("/\x1b")
    t.until(r"\bdoze\b")


def test_sorting_moves_to_the_next_column(busy):
    t = busy()
    t.press(">")  # by total: the outermost are first

    def totals():
        return [float(line[18:24].rstrip("%")) for line in t.lines[4:-1] if "%" in line]

    t.until(lambda: len(totals()) > 3 and totals() == sorted(totals(), reverse=True) and not re.search(r"\bhot\b", t.lines[4]))
    t.press(">")
    t.until(lambda: re.search(r"<module>|<no Python", t.lines[4]))
    names = [line[42:80].strip() for line in t.lines[4:-1] if "%" in line]
    assert len(names) > 3 and names == sorted(names)
    t.press("<<")
    t.until(lambda: re.search(r"\b(hot|doze)\b", t.lines[4]))


def test_mode_and_window_are_said(busy):
    t = busy()
    assert "wall, since start" in t.text
    t.press("m", "cpu, since start")
    t.until(lambda: re.search(r"\bhot\b", t.lines[4]) and float(t.lines[4][:6].rstrip("%")) > 60, "what sleeps is not on a CPU")
    t.press("m", "gil, since start")
    t.press("m", "wall, since start")
    t.press("w", "wall, last 10 s")


def test_moving_keeps_the_row(busy):
    t = busy()
    t.press("j")
    t.press("\x1b[B\x1b[A\x1b[6~\x1b[5~")
    t.press("G")
    t.press("g")
    t.press("k\x0c")
    assert t.process.poll() is None


def test_saves_a_recording_that_report_reads(busy, run, tmp_path):
    t = busy()
    t.press("s", "save as: top-")
    t.press("\x7f" * 40 + "kept.pit\r", "saved: pitviper report kept.pit")
    done = run("report", "--json", "kept.pit").ok().json
    assert done["recording"]["complete"] and done["recording"]["damage"] is None
    names = [f["function"] for f in done["functions"]]
    assert "hot" in names and "doze" in names
    t.press("s", "save as: top-")
    t.press("\x7f" * 40 + "kept.pit\r", "cannot save to 'kept.pit'")


def test_records_from_the_start_with_an_output_file(busy, run):
    t = busy(words=["-o", "all.pit"])
    t.press("q")
    assert t.end() == 0
    done = run("report", "--json", "all.pit").ok().json
    assert done["recording"]["complete"]
    assert "hot" in [f["function"] for f in done["functions"]]


# ---- a command that top starts ----


def test_the_recording_has_a_bound(top, start_target, run, tmp_path):
    target = start_target(sys.executable, NAMES)
    t = top("--max-size", "1M", "-o", "bound.pit", target.pid)
    t.until("has reached --max-size", "the end of the recording")
    os.kill(target.pid, 0)  # it runs on
    t.press("q")
    t.end()
    recording = tmp_path / "bound.pit"
    assert 500_000 < recording.stat().st_size <= 1_000_000
    report = run("report", "--json", recording).ok().json
    assert report["ticks"] > 0 and report["recording"]["bytes_lost"] == 0
    assert run("top", "--max-size", "10", "1").status == 2


def test_output_that_does_not_end_does_not_fill_the_disk(top, script, python):
    program = script("""
import sys, time
line = "x" * 99 + "\\n"
for i in range(60):
    sys.stdout.write(line * 10000)
sys.stdout.write("the end of it\\n")
sys.stdout.flush()
while True:
    sum(range(1000))
""")
    t = top("--python", python, "--", program)
    t.press("o", "the end of it")
    held = [os.stat(f"/proc/{t.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{t.process.pid}/fd")]
    output = max(held, key=lambda st: st.st_size)
    assert output.st_size > 60_000_000 > 25_000_000 > output.st_blocks * 512


def test_a_command_shows_its_output_and_ends_top_as_it_ended(top, script, python):
    t = top("--python", python, script(ENDS))
    t.until(r"\bwork\b")
    t.until("the program ended with status 7")
    assert "ENDED" in t.lines[0]
    t.press("o", "said at the end")
    t.press("1", r"\bwork\b")
    t.press("q")
    assert t.end() == 7
    t.check_restored()


def test_quitting_before_the_command_asks_and_ends_it(top, script, python):
    t = top("--", python, script("import os, time\nprint(os.getpid(), flush=True)\n" + BUSY))
    t.until(r"\bhot\b")
    pid = int(re.search(r"pid (\d+)", t.lines[0]).group(1))
    t.press("q", "still runs")
    t.press("x")
    t.gone("still runs")
    t.press("q", "still runs")
    t.press("q")
    assert t.end() == 0
    assert not Path(f"/proc/{pid}").exists()
    t.check_restored()


def test_a_command_ended_by_a_signal_ends_top_by_it(top, script, python):
    t = top("--", python, script(BUSY))
    t.until(r"\bhot\b")
    os.kill(int(re.search(r"pid (\d+)", t.lines[0]).group(1)), signal.SIGKILL)
    t.until("ended by signal 9")
    t.press("q")
    assert t.end() == -signal.SIGKILL
    t.check_restored()


def test_the_commands_output_cannot_reach_the_screen(top, script, python):
    t = top("--", python, script("import sys\nprint('\\x1b[2J\\x1b]0;owned\\x07wrecked \\x9b31m', flush=True)\n"
                                 "try: open('/dev/tty', 'w').write('through the back door')\n"
                                 "except OSError: print('no terminal', flush=True)\n" + BUSY))
    t.until(r"\bhot\b")
    t.press("o", "wrecked")
    assert "no terminal" in t.text
    assert b"owned\x07" not in t.raw and b"\x1b]0;" not in t.raw and b"back door" not in t.raw


def test_input_comes_from_a_file_where_asked(top, script, python, tmp_path):
    (tmp_path / "words").write_text("from the file\n")
    t = top("--stdin", "words", "--", python, script("print('read:', input(), flush=True)\n" + BUSY))
    t.until(r"\bhot\b")
    t.press("o", "read: from the file")


def test_attached_target_ends_and_top_stays(busy):
    t = busy()
    t.target.kill()
    t.until("the program ended; q quits")
    assert re.search(r"\bhot\b", t.text)
    t.press("q")
    assert t.end() == 0


# ---- the terminal is put back ----


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT])
def test_a_signal_restores_the_terminal(busy, number):
    t = busy()
    sampler = t.children()[0]
    t.process.send_signal(number)
    assert t.end() == -number
    t.check_restored()
    end = time.monotonic() + LONG
    while Path(f"/proc/{sampler}").exists() and "Z" not in Path(f"/proc/{sampler}/stat").read_text().rsplit(")")[1]:
        assert time.monotonic() < end, "the sampler outlived top"
        time.sleep(0.05)
    assert t.target.poll() is None


def test_the_interrupt_key_restores_the_terminal(busy):
    t = busy()
    t.press("\x03")
    assert t.end() == -signal.SIGINT
    t.check_restored()


def test_stops_and_continues(busy):
    t = busy(shell=True)
    pid = t.children()[0]
    t.press("\x1a")
    end = time.monotonic() + LONG
    while Path(f"/proc/{pid}/stat").read_text().rsplit(") ")[1][0] != "T":
        t.pump(0.05)
        assert time.monotonic() < end, "does not stop"
    t.pump(0.1)
    t.check_restored()
    os.kill(pid, signal.SIGCONT)
    t.until(lambda: t.raw.rfind(b"\x1b[?1049h") > t.raw.rfind(b"\x1b[?1049l"), "draws again")
    t.press("2", "MainThread")
    t.press("q")
    assert t.end() == 0
    t.check_restored()


def test_survives_the_kill_of_its_sampler(busy):
    t = busy()
    os.kill(t.children()[0], signal.SIGKILL)
    t.until("the sampler died")
    assert re.search(r"\bhot\b", t.text) and "SAMPLER DIED" in t.text
    t.press("2", "MainThread")
    t.press("q")
    assert t.end() == 0
    t.check_restored()


def test_ends_the_command_of_a_killed_sampler(top, script, python):
    t = top("--", python, script(BUSY))
    t.until(r"\bhot\b")
    pid = int(re.search(r"pid (\d+)", t.lines[0]).group(1))
    os.kill(t.children()[0], signal.SIGKILL)
    t.until("SAMPLER DIED")
    t.press("q", "still runs")
    t.press("q")
    assert t.end() == 0
    assert not Path(f"/proc/{pid}").exists()


# ---- terminals of every kind ----


def test_resize_storm_and_tiny_sizes(busy):
    t = busy()
    for view in "123456o?":
        t.press(view)
        for rows, columns in [(5, 20), (1, 1), (2, 200), (60, 3), (3, 20), (4, 11), (24, 80), (5, 20)]:
            t.resize(rows, columns)
            t.pump(0.03)
    t.resize(30, 120)
    t.press("x")
    t.press("1", r"\bhot\b")
    t.press("q")
    assert t.end() == 0
    t.check_restored()


@pytest.mark.parametrize("env", [{"TERM": "xterm"}, {"TERM": "vt100"}, {"TERM": "linux"}, {"TERM": "screen-256color"},
                                 {"NO_COLOR": "1"}, {"LC_ALL": "C"}],
                         ids=lambda e: "-".join(e.values()))
def test_every_terminal_shows_it(busy, env):
    t = busy(env=env)
    for view, wanted in (("2", "MainThread"), ("4", r"target\.py"), ("5", r"\bhot\b"), ("1", r"\bhot\b")):
        t.press(view, wanted)
    if "NO_COLOR" in env or env.get("TERM") == "vt100":
        assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|[34]8;5;\d+)(;\d+)*m", t.raw)
    if env.get("LC_ALL") == "C":
        assert max(t.raw) < 0x80
    t.press("q")
    assert t.end() == 0


@pytest.mark.parametrize("term", ["dumb", "", "no-such-terminal"])
def test_no_terminal_to_draw_on_is_one_line(top, start_target, python, term):
    target = start_target(python, BUSY)
    t = top(target.pid, env={"TERM": term})
    assert t.end() == 2
    assert t.raw.count(b"\n") == 1
    assert re.match(r"pitviper: top needs a terminal .*pitviper run", t.text.replace("\n", ""))
    assert b"\x1b[?1049h" not in t.raw


def test_a_pipe_is_no_terminal(run, start_target, python):
    done = run("top", start_target(python, BUSY).pid)
    assert done.status == 2 and done.out == ""
    assert done.err.startswith("pitviper: top needs a terminal") and done.err.count("\n") == 1


# ---- bad input, before the screen is touched ----


def same_as_attach(top, run, *words):
    t = top(*words)
    status, plain = t.end(), run("attach", "-o", "x.pit", *words)
    assert (status, t.raw.decode().replace("\r\n", "\n")) == (plain.status, plain.err)
    assert b"\x1b[?1049h" not in t.raw and plain.err.count("\n") == 1
    assert status == 3


def test_no_such_process_as_attach(top, run):
    same_as_attach(top, run, 4194000)


def test_no_python_as_attach(top, run):
    other = subprocess.Popen(["sleep", "100"])
    try:
        same_as_attach(top, run, other.pid)
    finally:
        other.kill()
        other.wait()


def test_wrong_usage_is_one_line(top, run, tmp_path):
    for words in ([], ["0"], ["99999999999"], ["--nonsense", "1"]):
        done = run("top", *words)
        assert done.status == 2 and done.err.count("\n") == 1
    t = top("no-such-command")
    assert t.end() == 125 and t.raw.count(b"\n") == 1 and b"no-such-command" in t.raw
    t = top("--", "missing.py")
    assert t.end() == 125 and b"missing.py" in t.raw


def test_a_command_that_fails_at_once_shows_why(top, script, python):
    t = top("sh", "-c", "echo seen by the user >&2; exit 9")
    assert t.end() == 9
    assert b"seen by the user" in t.raw and b"no profile" in t.raw and b"\x1b[?1049h" not in t.raw
    t = top("sh", "-c", "sleep 100")
    assert t.end() == 125


# ---- names from strangers ----


def test_hostile_names_do_not_reach_the_terminal(top, start_target, python):
    target = start_target(python, r"""
import threading
names = ["\x1b]0;owned\x07", "\x1b[2Jclear", "a\u202eb", "wide\u754c\u754c", "e\u0301\u0301", "new\nline", "\x9b31m", "x" * 5000]
space = {}
code = compile("def f(n):\n    for i in range(n): pass\n", "/tmp/\x1b]0;owned\x07\u754c.py", "exec")
exec(code, space)
f = space["f"]
functions = []
for name in names:
    g = type(f)(f.__code__.replace(co_name=name), {}, name)
    if hasattr(f.__code__, "co_qualname"):
        g = type(f)(f.__code__.replace(co_name=name, co_qualname=name), {}, name)
    functions.append(g)
threading.current_thread().name = "\x1b]0;thread\x07"
print("ready", flush=True)
while True:
    for g in functions:
        g(20000)
""")
    t = top(target.pid)
    t.until("wide\u754c")
    for view in "123456":
        t.press(view)
    t.press("1")
    t.press("\r")
    t.resize(24, 40)
    t.press("5")
    t.pump(0.5)
    assert b"\x07" not in t.raw and b"\x1b]" not in t.raw and b"\x9b31" not in t.raw
    assert "\u202e".encode() not in t.raw
    t.press("q")
    assert t.end() == 0
    t.check_restored()
