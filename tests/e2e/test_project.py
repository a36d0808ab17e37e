"""The programs supplied for the final project: right, the same everywhere, and of the promised size."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import load_program

PROJECT = Path(__file__).resolve().parents[2] / "course" / "performance-optimization-and-profiling" / "project"
PROGRAMS = ("weblog", "finder", "clinic")


def load(program):
    return load_program(PROJECT / program / f"{program}.py", program)


def run_program(program, *words, python=sys.executable, hash_seed="0"):
    done = subprocess.run(
        [str(python), "-B", str(PROJECT / program / (program + ".py")), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=120,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_makes_and_tells_the_same_everywhere(program, few_pythons, tmp_path):
    if few_pythons.minor < (3, 10):
        pytest.skip("the projects are for Python 3.10 and later")
    here, there = tmp_path / "here", tmp_path / "there"
    run_program(program, "make", here, "--seed", 3, "--size", 0.1)
    run_program(program, "make", there, "--seed", 3, "--size", 0.1, python=few_pythons.path, hash_seed="7")
    assert here.read_bytes() == there.read_bytes()
    told = run_program(program, "run", here)
    assert run_program(program, "run", here, python=few_pythons.path, hash_seed="7") == told
    assert "digest" in told.splitlines()[-1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_seed_is_another_digest(program, tmp_path):
    digests = set()
    for seed in (1, 2):
        run_program(program, "make", tmp_path / "in", "--seed", seed, "--size", 0.1)
        digests.add(run_program(program, "run", tmp_path / "in").splitlines()[-1])
    assert len(digests) == 2


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_has_the_promised_size(program):
    assert 120 <= len((PROJECT / program / (program + ".py")).read_text(encoding="utf-8").splitlines()) <= 250


def test_weblog_reads_a_log_as_a_person_would(tmp_path):
    weblog = load("weblog")
    begin = datetime.datetime(2024, 5, 1, 12, 0, 0)

    def line(visitor, seconds, page, status, ms):
        stamp = (begin + datetime.timedelta(seconds=seconds)).strftime("%d/%b/%Y:%H:%M:%S +0000")
        return '%s - - [%s] "GET %s HTTP/1.1" %d 100 %d\n' % (visitor, stamp, page, status, ms)

    lines = [line("a", 0, "/", 200, 10), line("a", 60, "/x?q=1", 200, 20), line("b", 60, "/x", 200, 30), line("a", 90, "/y", 200, 5)]
    lines += [line("a", 90 + 1800, "/", 200, 10), line("a", 90 + 1800 + 1801, "/", 404, 11), "nonsense\n"]
    lines += [line("c", 9000 + place * 10, "/pay", 500, 1) for place in range(5)]
    path = tmp_path / "log"
    path.write_text("".join(lines), encoding="utf-8")
    report = weblog.report_of(str(path))
    assert (report["requests"], report["damaged"], report["visits"]) == (11, 1, 4)
    assert report["top_pages"][:3] == [["/pay", 5, 500], ["/", 3, 300], ["/x", 2, 200]]
    assert report["page_times"] == {"/": [10, 11, 11], "/x": [20, 30, 30], "/y": [5, 5, 5]}
    assert report["top_ways"] == [["/ > /x > /y", 1], ["/pay > /pay > /pay", 1], ["/x > /y > /", 1]]
    noon = int(begin.replace(tzinfo=datetime.timezone.utc).timestamp())
    assert report["bursts"] == [[noon + 9000, 5]]


def test_finder_ranks_and_mends():
    finder = load("finder")
    texts = ["the red fox, and the Red hen", "a blue fox", "nothing at all"]
    assert finder.words_of(texts[0]) == ["red", "fox", "red", "hen"]
    assert [finder.distance(*pair) for pair in (("", "abc"), ("kitten", "sitting"), ("same", "same"))] == [3, 3, 0]
    answers = finder.answer_all({"texts": texts, "queries": ["fox", "fix", "red fox", "zzzzzz"]})
    # fox: once in four words and once in two, and in two of three texts
    assert [[entry[:2] for entry in answer["answers"]] for answer in answers] == [
        [[1, 500 * 1500], [0, 250 * 1500]],
        [[1, 500 * 1500], [0, 250 * 1500]],
        [[0, 500 * 3000 + 250 * 1500], [1, 500 * 1500]],
        [],
    ]
    assert answers[1]["query"] == "fox" and answers[3]["query"] == "zzzzzz"


def test_clinic_takes_the_most_urgent_and_then_the_longest_waiting():
    clinic = load("clinic")
    patients = [
        {"number": 0, "comes": 0, "urgency": 3, "way": [["ward", 130]]},
        {"number": 1, "comes": 1, "urgency": 5, "way": [["ward", 10]]},  # has waited two hours when the doctor is free
        {"number": 2, "comes": 20, "urgency": 2, "way": [["ward", 10]]},
        {"number": 3, "comes": 20, "urgency": 2, "way": [["ward", 10], ["x-ray", 5]]},
    ]
    played = clinic.Clinic({"ward": 1, "x-ray": 1}, patients)
    played.play()
    assert played.waits == [[0, "ward", 0], [1, "ward", 129], [2, "ward", 120], [3, "ward", 130], [3, "x-ray", 0]]
    figures = played.figures()
    assert figures["rooms"]["ward"] == {"treated": 4, "longest_queue": 3, "mean_wait": 94.75, "longest_wait": 130}
    assert figures["longest_stays"] == [3, 1, 0, 2]
    assert figures["states"][1] == {"ward": [1, 2, 3], "x-ray": []}
    assert json.loads(json.dumps(figures)) == figures
