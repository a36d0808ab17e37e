"""The course: its tree, its text, the code in its lessons, and its examples.

In a lesson, every ```python block of a page belongs to one program, in order.
An ```output block straight after one is what that block prints, on every
Python; a ```text block is one run's output on one machine and is not compared.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import OLDEST

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "course" / "performance-optimization-and-profiling"
EXAMPLES = COURSE / "02-profiling-tools" / "examples"
LESSONS = tuple(sorted(path.name for path in COURSE.iterdir() if path.is_dir() and path.name[0].isdigit()))

# The course's text as it was asked for, byte for byte; the page has links added to it.
COURSE_TEXT_SHA256 = "dd8aa0bb590aa6ebe9e6541b406bc6ee0cbc4fd72fabcac91dd96420c641ec6b"

EXAMPLE_OUTPUT = {
    "example1.py": (
        "308 stops, 4800 parcels\n"
        "285112 minutes on the way, 14389 changes\n"
        "income 65898.47\n"
        "busiest: Green-1 (1065), Grey-1 (897), Amber-3 (868)\n"
    ),
    "example2.py": (
        "210 batches noted, 315000 readings\n"
        "checksum 180918d0\n"
        "meter 53 used most: 6986476\n"
        "meters crc c663690a\n"
    ),
}

# With a number of rounds or batches, so that every interpreter has time for it.
EXAMPLE_SHORT = {
    "example1.py": (
        3,
        "308 stops, 36 parcels\n"
        "2233 minutes on the way, 108 changes\n"
        "income 519.68\n"
        "busiest: Green-1 (10), Coral-1 (9), Lime-17 (9)\n",
    ),
    "example2.py": (
        21,
        "21 batches noted, 31500 readings\n"
        "checksum b330119e\n"
        "meter 75 used most: 734942\n"
        "meters crc 0842b759\n",
    ),
}


def run_python(python, *args, **more):
    return subprocess.run(
        [str(python)] + [str(arg) for arg in args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=120,
        **more,
    )


LINK = re.compile(r"\[([^\]\n]*)\]\(([^)\n]*)\)")


def course_page_without_links():
    return LINK.sub(r"\1", (COURSE / "README.md").read_text(encoding="utf-8"))


def test_course_page_is_the_asked_text_to_the_letter():
    assert hashlib.sha256(course_page_without_links().encode("utf-8")).hexdigest() == COURSE_TEXT_SHA256


def test_every_heading_and_item_of_the_course_page_leads_to_what_delivers_it():
    text = (COURSE / "README.md").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if re.match(r"#+ |- |\d+\. ", line)]
    assert len(entries) == 52
    assert [entry for entry in entries if len(LINK.findall(entry)) != 1] == []


def tree_in_course_page():
    """The files that the page's own folder drawing names."""
    text = course_page_without_links()
    drawing = re.search(r"## Folder Structure\n```\n(.*?)```", text, re.S).group(1)
    files, folders = set(), []
    for line in drawing.splitlines()[1:]:
        entry = re.match(r"^([│├└─ ]*)(\S+)$", line)
        if not entry or entry.group(2) == "│":
            continue
        depth = len(entry.group(1)) // 4 - 1
        folders[depth:] = [entry.group(2).rstrip("/")]
        if not entry.group(2).endswith("/"):
            files.add("/".join(folders))
    return files


def test_course_tree_is_the_drawn_one():
    drawn = tree_in_course_page()
    assert len(drawn) == 11  # nine pages and two examples
    # What the course holds beyond the drawing: in its modules, and beside them.
    more = {"__pycache__", ".pytest_cache", "pictures", "labs", "capstone", "project", "reviews"}
    there = {
        str(path.relative_to(COURSE))
        for path in COURSE.rglob("*")
        if path.is_file() and not more & set(path.relative_to(COURSE).parts) and path.suffix != ".pit"
    }
    assert there == drawn | {"README.md"}


def test_each_module_page_has_title_objective_and_body():
    for number, folder in enumerate((COURSE / lesson for lesson in LESSONS), 1):
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert text.startswith("# %02d · " % number), folder
        assert "\n## Objective\n" in text, folder
        assert "\n## Summary\n" in text and "\n## Where you will use this\n" in text, folder
        assert "\n### Pitfall of this module: " in text, folder


def headings_of(page):
    """The names by which GitHub's renderer lets a link point at the headings of a page."""
    names = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M):
        plain = LINK.sub(r"\1", heading).lower()
        names.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return names


def test_links_in_pages_lead_somewhere():
    for page in COURSE.rglob("README.md"):
        for _, link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), (page, link)
            assert not heading or heading in headings_of(target), (page, link)


# Reading is counted at 180 words a minute, everything on the page a word, code and its output included.
WORDS_A_MINUTE = 180
LAB_MINUTES = (9, 9)  # the two core labs of a module
COURSE_MINUTES = 300


def reading_minutes(lesson):
    return len((COURSE / lesson / "README.md").read_text(encoding="utf-8").split()) / WORDS_A_MINUTE


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_names_each_of_its_labs(lesson):
    line = next(line for line in (COURSE / lesson / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("**Labs**"))
    core, _, further = line.partition("to go further")
    for manifest in (COURSE / lesson).glob("labs/*/lab.json"):
        lab = json.loads(manifest.read_text(encoding="utf-8"))
        link = "[%s %s](labs/%s/README.md)" % (lab["id"], lab["title"], manifest.parent.name)
        assert link in (core if lab["core"] else further), lab["id"]


def test_course_fits_into_five_hours():
    minutes = {lesson: reading_minutes(lesson) + sum(LAB_MINUTES) for lesson in LESSONS}
    for lesson in LESSONS:
        print("%-28s %4.1f minutes to read, %4.1f with its labs" % (lesson, reading_minutes(lesson), minutes[lesson]))
    print("%-28s %5.1f minutes" % ("all nine", sum(minutes.values())))
    assert 240 <= sum(minutes.values()) <= COURSE_MINUTES


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_says_how_long_it_takes(lesson):
    text = (COURSE / lesson / "README.md").read_text(encoding="utf-8")
    said = re.search(r"^\*\*Time:\*\* (\d+) minutes: (\d+) to read, two labs of (\d+)\b", text, re.M)
    assert said, lesson
    whole, reading, lab = map(int, said.groups())
    assert abs(reading - reading_minutes(lesson)) <= 0.75
    assert (lab, lab) == LAB_MINUTES and whole == reading + sum(LAB_MINUTES)


def test_lessons_manifests_and_verify_tell_the_same_minutes(run):
    told = run("learn", "verify", "--time", "--json").json
    said = {lesson: re.search(r"(\d+) to read, two labs of (\d+)", (COURSE / lesson / "README.md").read_text(encoding="utf-8"))
            for lesson in LESSONS}
    assert told["reading_minutes"] == sum(int(words.group(1)) for words in said.values())
    assert told["core_lab_minutes"] == sum(2 * int(words.group(2)) for words in said.values())
    for lesson, words in said.items():
        manifests = [json.loads(path.read_text()) for path in (COURSE / lesson).glob("labs/*/lab.json")]
        assert [entry["minutes"] for entry in manifests if entry["core"]] == [int(words.group(2))] * 2, lesson
    assert told["reading_minutes"] + told["core_lab_minutes"] <= COURSE_MINUTES and told["time_kept"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_pictures_are_small_and_told_in_words(lesson):
    text = (COURSE / lesson / "README.md").read_text(encoding="utf-8")
    marked = re.findall(r"<!-- picture (\S+): .*?<!-- end of picture -->", text, re.S)
    files = {path.stem: path for path in (COURSE / lesson / "pictures").glob("*.png")}
    assert set(marked) == set(files)
    for name, path in files.items():
        assert path.stat().st_size <= 100_000, path
        part = re.search(r"<!-- picture %s: .*?<!-- end of picture -->" % re.escape(name), text, re.S).group(0)
        alternative = re.search(r"!\[([^\]]+)\]\(pictures/%s\.png\)" % re.escape(name), part).group(1)
        assert len(alternative.split()) >= 8 and part.count("\n| ") >= 2, name


FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.S | re.M)
MARK = "\x01block %d\x01\n"


def lesson_blocks(lesson):
    """[(code, expected output or None)] of one page."""
    text = (COURSE / lesson / "README.md").read_text(encoding="utf-8")
    blocks = []
    end_of_code = None
    for fence in FENCE.finditer(text):
        if fence.group(1) == "python":
            blocks.append([fence.group(2), None])
            end_of_code = fence.end()
        elif fence.group(1) == "output":
            assert end_of_code is not None and not text[end_of_code : fence.start()].strip()
            blocks[-1][1] = fence.group(2)
    return blocks


def run_lesson(lesson, python, tmp_path):
    """What each block of a page printed."""
    program = tmp_path / "lesson.py"
    pieces = []
    for index, (code, _) in enumerate(lesson_blocks(lesson)):
        pieces.append("print(%r, end='', flush=True)\n" % (MARK % index) + code)
    program.write_text("\n".join(pieces), encoding="utf-8")
    done = run_python(python, "-X", "utf8", program, cwd=str(COURSE / lesson))
    assert done.returncode == 0, done.stderr
    return re.split("\x01block \\d+\x01\n", done.stdout)[1:]


@pytest.mark.parametrize("lesson", LESSONS)
def test_code_in_lesson_prints_what_the_lesson_says(lesson, few_pythons, tmp_path):
    if few_pythons.minor < OLDEST:
        pytest.skip("the course is for 3.10 and later")
    printed = run_lesson(lesson, few_pythons, tmp_path)
    expected = [output for _, output in lesson_blocks(lesson)]
    assert len(printed) == len(expected) and any(expected)
    for index, (got, wanted) in enumerate(zip(printed, expected)):
        if wanted is not None:
            assert got == wanted, "block %d of %s" % (index, lesson)


def test_commands_in_lessons_are_ones_that_the_program_has(run):
    commands = []
    for page in COURSE.rglob("README.md"):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M):
            commands += re.findall(r"^pitviper (\w+)([^#\n]*)", block, re.M)
        commands += re.findall(r"`pitviper (\w+)([^`\n]*)`", text)
    assert len(commands) > 15
    for verb, words in commands:
        told = run("help", verb).ok().out
        for option in re.findall(r"(?<= )--?[a-z][a-z-]*", words):
            assert re.search(r"(?<![\w-])%s(?![\w-])" % option, told), (verb, option)


def test_no_placeholder_is_left_in_a_page():
    for page in COURSE.rglob("README.md"):
        assert not re.search(r"@@|TODO|TBD|FIXME", page.read_text(encoding="utf-8")), page


@pytest.mark.parametrize("example", sorted(EXAMPLE_OUTPUT))
def test_example_prints_what_it_should(example):
    done = run_python(sys.executable, EXAMPLES / example)
    assert (done.returncode, done.stdout, done.stderr) == (0, EXAMPLE_OUTPUT[example], "")


@pytest.mark.parametrize("example", sorted(EXAMPLE_SHORT))
def test_example_prints_the_same_everywhere(example, pythons):
    rounds, expected = EXAMPLE_SHORT[example]
    done = run_python(pythons, EXAMPLES / example, rounds)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


@pytest.mark.parametrize("example", sorted(EXAMPLE_OUTPUT))
def test_example_has_the_asked_size(example):
    assert 80 <= len((EXAMPLES / example).read_text(encoding="utf-8").splitlines()) <= 200


# The hot spot of example1 is a claim about time; lines executed and calls made
# are counted instead, which gives the same answer on a busy machine.
COUNT_LINES = r"""
import collections, json, runpy, sys
lines, calls, below = collections.Counter(), collections.Counter(), collections.Counter()
inside = []
path, rounds = sys.argv[1:3]
def trace(frame, event, arg):
    code = frame.f_code
    if code.co_filename != path:
        return None
    name = code.co_name
    if event == "call":
        calls[name] += 1
        inside.append(name)
        return trace
    if event == "line":
        lines[name] += 1
        for holder in set(inside):
            below[holder] += 1
    elif event == "return":
        inside.pop()
    return trace
sys.argv = [path, rounds]
sys.settrace(trace)
try:
    runpy.run_path(path, run_name="__main__")
finally:
    sys.settrace(None)
sys.stderr.write(json.dumps([lines, calls, below]))
"""


def count_work(example, argument, python):
    done = run_python(python, "-c", COUNT_LINES, EXAMPLES / example, argument)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr)


def test_example1_spends_its_calls_where_no_call_is_written(few_pythons):
    lines, calls, below = count_work("example1.py", 3, few_pythons)
    hot = calls["key"] + calls["__hash__"] + calls["__eq__"]
    assert hot / sum(calls.values()) > 0.95
    assert calls["key"] > 1000 * calls["fastest_route"]
    # Nobody writes a call of __hash__ or __eq__, and key is called only by these two.
    source = (EXAMPLES / "example1.py").read_text(encoding="utf-8")
    assert len(re.findall(r"\.key\(\)", source)) == 3
    assert "__hash__(" in source and not re.search(r"\.__(hash|eq)__\(", source)
    assert calls["key"] == calls["__hash__"] + 2 * calls["__eq__"]


def test_example1_suspects_are_innocent(few_pythons):
    lines, calls, below = count_work("example1.py", 3, few_pythons)
    everything = sum(lines.values())
    for suspect in ("parse_scan", "scan_lines", "price_in_cents", "deliver_round"):
        assert lines[suspect] / everything < 0.05, suspect
    assert below["fastest_route"] / everything > 0.9


def test_example1_without_the_hot_spot_gives_the_same_answer(pythons, tmp_path):
    source = (EXAMPLES / "example1.py").read_text(encoding="utf-8")
    slow = '        return (" ".join(self.line.split()).casefold(), self.number)\n'
    assert source.count(slow) == 1
    fixed = source.replace(slow, "        return self._key\n").replace(
        "        self.number = number\n",
        '        self.number = number\n        self._key = (" ".join(line.split()).casefold(), number)\n',
        1,
    )
    changed = tmp_path / "example1.py"
    changed.write_text(fixed, encoding="utf-8")
    before = run_python(pythons, EXAMPLES / "example1.py", 3)
    after = run_python(pythons, changed, 3)
    assert after.returncode == 0, after.stderr
    assert after.stdout == before.stdout and before.stdout


# How many fetchers are inside the two waits at the same moment.  The barrier
# in `batch` lets its answers go only when all fetchers have asked, so the
# count does not depend on how the threads are scheduled.
COUNT_WAITERS = r"""
import importlib.util, sys, threading
spec = importlib.util.spec_from_file_location("example2", sys.argv[1])
example2 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example2)
guard = threading.Lock()
now, most = {}, {}
gate = threading.Barrier(example2.FETCHERS)
ask = example2.Client.ask
def counted(self, verb, number):
    with guard:
        now[verb] = now.get(verb, 0) + 1
        most[verb] = max(most.get(verb, 0), now[verb])
    try:
        if verb == b"batch":
            gate.wait(30)
        return ask(self, verb, number)
    finally:
        with guard:
            now[verb] -= 1
example2.Client.ask = counted
example2.main(["example2.py", str(example2.FETCHERS * 2)])
print(most[b"batch"] == example2.FETCHERS, most[b"note"])
"""


def test_example2_fetches_together_but_notes_one_by_one(few_pythons):
    done = run_python(few_pythons, "-c", COUNT_WAITERS, EXAMPLES / "example2.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "True 1"
