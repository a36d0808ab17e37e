"""The three works to review: what their references say of them is so. Behaviour and counts are run; times are not."""
import itertools
import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT, load_program

COURSE = ROOT / "course" / "performance-optimization-and-profiling"
REVIEWS, PROJECT = COURSE / "reviews", COURSE / "project"
WORKS = {"first": "weblog", "second": "finder", "third": "clinic"}


def both(work):
    program = WORKS[work]
    return (load_program(PROJECT / program / f"{program}.py", f"{program}_before"),
            load_program(REVIEWS / work / "after" / f"{program}.py", f"{program}_after"))


def digest(path, given):
    done = subprocess.run([sys.executable, "-B", path, "run", given], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("seed", (1, 2, 3))
def test_digests_are_equal_on_the_seeds_of_the_reports(work, seed, tmp_path):
    program = WORKS[work]
    before, after = PROJECT / program / f"{program}.py", REVIEWS / work / "after" / f"{program}.py"
    subprocess.run([sys.executable, "-B", before, "make", tmp_path / "in", "--seed", str(seed), "--size", "0.2"], check=True, timeout=120)
    assert digest(before, tmp_path / "in") == digest(after, tmp_path / "in")


@pytest.mark.parametrize("work", WORKS)
def test_no_work_names_its_author(work):
    text = "".join(path.read_text() for path in (REVIEWS / work).rglob("*") if path.suffix in (".md", ".py"))
    assert not re.search(r"/home/|/root/|/Users/|\w@\w+\.\w+|author:", text, re.I)


@pytest.mark.parametrize("work", WORKS)
def test_lines_that_a_reference_names_are_there(work):
    program = WORKS[work]
    lines = (REVIEWS / work / "after" / f"{program}.py").read_text().splitlines()
    for number in re.findall(rf"after/{program}\.py:(\d+)", (REVIEWS / "reference" / f"{work}.md").read_text()):
        assert lines[int(number) - 1].strip()


# ---- first: sound ----


def line_of(visitor, stamp, page="/", status=200):
    return f'{visitor} - - [{stamp}] "GET {page} HTTP/1.1" {status} 100 5\n'


@pytest.mark.parametrize("seconds, visits", ((1799, 1), (1800, 1), (1801, 2)))
def test_first_is_right_on_the_boundary_of_a_visit(seconds, visits, tmp_path):
    second = "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
    path = tmp_path / "log"
    path.write_text(line_of("a", "01/May/2024:00:00:00 +0000") + line_of("a", f"01/May/2024:{second} +0000"))
    reports = [module.report_of(str(path)) for module in both("first")]
    assert reports[0] == reports[1] and reports[0]["visits"] == visits


def test_first_keeps_stamps_of_different_zones_apart(tmp_path):
    path = tmp_path / "log"
    path.write_text(line_of("a", "01/May/2024:12:00:00 +0000") + line_of("a", "01/May/2024:12:00:00 +0200"))
    before, after = (module.read_log(str(path)) for module in both("first"))
    assert before == after and len({request["when"] for request in after[0]}) == 2


def test_first_cuts_targets_as_before():
    before, after = both("first")
    for target in ("/", "/?", "/a?b", "/a?b?c", "?", "/a%3Fb", "/a?b=\u2028c"):
        line = line_of("a", "01/May/2024:12:00:00 +0000", target).rstrip("\n")
        assert before.parse_line(line) == after.parse_line(line)


def test_first_counted_two_parses_for_each_request(tmp_path):
    before = both("first")[0]
    path = tmp_path / "log"
    with open(path, "w", encoding="utf-8") as file:
        before.make_log(file, "1", 1.0)
    counted, parse = itertools.count(), before.parse_line
    before.parse_line = lambda line: next(counted) is None or parse(line)
    requests, damaged = before.read_log(str(path))
    told = re.search(r"called ([\d,]+) times for ([\d,]+) requests", (REVIEWS / "first" / "report.md").read_text())
    calls, of = (int(number.replace(",", "")) for number in told.groups())
    assert len(requests) == of and next(counted) == 2 * of + damaged
    assert calls == 2 * of  # a damaged line comes to no date


# ---- second: fast, and wrong where the generator never looks ----


def test_second_no_longer_mends_what_is_two_letters_shorter():
    before, after = both("second")
    given = {"texts": ["bakelimo sesa"], "queries": ["bakeli"]}
    (right,), (wrong,) = before.answer_all(given), after.answer_all(given)
    assert right["query"] == "bakelimo" and right["answers"] and not wrong["answers"]
    assert before.distance("bakeli", "bakelimo") == 2 < before.TOO_FAR


def test_second_cuts_words_of_other_alphabets():
    before, after = both("second")
    assert before.words_of("café") == ["café"] and list(after.words_of("café")) == ["caf"]


def test_second_the_generator_cannot_show_it():
    before = both("second")[0]
    for seed in range(20):
        given = before.make_input(str(seed), 0.1)
        assert json.dumps(given, ensure_ascii=False).isascii()
        known = set(before.vocabulary(given["texts"]))
        for word in itertools.chain.from_iterable(query.split(" ") for query in given["queries"]):
            near = [other for other in known if abs(len(other) - len(word)) < 2]
            assert word in known or before.mend(word, known) in [word, *near]


# ---- third: right, and its claim false ----


def test_third_counts_calls_and_not_time():
    before, after = both("third")
    given = before.make_input("1", 1.0)
    counted, order = itertools.count(), before.Event.order
    before.Event.order = lambda event: next(counted) is None or order(event)
    clinic = before.Clinic(given["rooms"], given["patients"])
    clinic.play()
    assert next(counted) == 3394543 and "3394543" in (REVIEWS / "third" / "report.md").read_text()
    assert len(given["patients"]) == 1200
    # What the reference points to is as it was: each patient's way goes through the whole log.
    text = (REVIEWS / "third" / "after" / "clinic.py").read_text()
    way = re.search(r"    def way_of.*?\n\n", text, re.S).group(0)
    assert way in (PROJECT / "clinic" / "clinic.py").read_text() and "in self.log if" in way


def test_third_compares_a_profiled_run_with_one_that_is_not():
    text = (REVIEWS / "third" / "report.md").read_text()
    baseline, faster = text.index("-m cProfile"), text.index("$ time python3 after/clinic.py")
    assert "function calls" in text[baseline:faster] and "cProfile" not in text[faster:]
    profiled = re.search(r"in (\d+\.\d+) seconds", text).group(1)
    assert f"{float(profiled):.1f} s" in text[faster:], "the claim is made of the profiled figure"


def test_third_a_copy_that_compares_minutes_only_differs():
    before, after = both("third")
    given = before.make_input("1", 0.2)

    def play(module):
        clinic = module.Clinic(given["rooms"], json.loads(json.dumps(given["patients"])))
        clinic.play()
        return clinic.figures()

    assert play(before) == play(after)
    after.Event.__lt__ = lambda event, other: event.minute < other.minute
    assert play(before) != play(after)
