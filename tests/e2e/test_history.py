"""`pitviper history`: what is stored, series and their changes, other tools' files in and out."""
import json
import os
import re
import sqlite3
import subprocess
import sys
from html.parser import HTMLParser

import pytest

PYTHON = sys.executable


def pyperf_file(path, name, runs, date="2024-01-01 00:00:00.000000", **metadata):
    """Made by pyperf's own classes, each run a list of seconds."""
    source = (
        "import sys, json, pyperf\n"
        "path, name, runs, metadata = json.loads(sys.argv[1])\n"
        "runs = [pyperf.Run(values, metadata=metadata, collect_metadata=False) for values in runs]\n"
        "pyperf.BenchmarkSuite([pyperf.Benchmark(runs)]).dump(path, replace=True)\n"
    )
    metadata = {"name": name, "date": date, "cpu_model_name": "a cpu", "cpu_count": 2, "python_implementation": "cpython",
                "python_version": "3.12.1 (64-bit)", **metadata}
    subprocess.run([PYTHON, "-c", source, json.dumps([str(path), name, runs, metadata])], check=True, capture_output=True)


def pyperf(*words):
    return subprocess.run([PYTHON, "-m", "pyperf", *map(str, words)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def filled(run, tmp_path):
    """Twenty results of one subject, of which the last eight take twice as long."""
    path = tmp_path / "one.json"
    pyperf_file(path, "app", [[1.0], [1.0], [1.0]])
    suite = json.loads(path.read_text())
    for i in range(20):
        suite["metadata"] = {**suite.get("metadata", {}), "commit_id": f"{i:02}" + "a" * 38}
        for one in suite["benchmarks"][0]["runs"]:
            one["metadata"] = {"date": f"2024-01-{i + 1:02} 10:00:00.000000"}
            one["values"] = [(1.0 if i < 12 else 2.0) + 0.001 * (7 * i % 5)]
        path.write_text(json.dumps(suite))
        run("history", "--import", path).ok()


def test_a_series_and_where_its_level_changed(run, filled, tmp_path):
    listed = run("history", "--json").ok().json
    assert [s["subject"] for s in listed["series"]] == ["app"] and listed["series"][0]["count"] == 20
    series = run("history", "--json", "app").ok().json["series"][0]
    assert [r["value"] for r in series["results"]] == sorted((r["value"] for r in series["results"]), key=lambda v: v > 1.5)
    assert [r["time"][:10] for r in series["results"]] == [f"2024-01-{i + 1:02}" for i in range(20)]
    (change,) = series["changes"]
    assert change["at"] == 12 and change["revision"].startswith("12a") and change["p"] < 0.01
    assert 0.99 < change["before"] < 1.01 and 1.99 < change["after"] < 2.02
    text = run("history", "app", "--width", "80", env={"NO_COLOR": "1"}).ok().out
    assert "from 2024-01-13 10:00 on, revision 12aaaaaaaa" in text and "\x1b" not in text
    assert len([line for line in text.splitlines() if line.startswith("  2024-01")]) == 20
    assert max(map(len, text.splitlines())) <= 100


def test_the_page_stands_alone_and_quotes_what_it_shows(run, filled, tmp_path):
    pyperf_file(tmp_path / "evil.json", "<script>alert(1)</script>\x1b[31m", [[1.0], [1.0]])
    run("history", "--import", "evil.json").ok()
    run("history", "--html", "page.html").ok()
    page = (tmp_path / "page.html").read_text()
    assert re.search(r"<p> *from 2024-01-13 10:00 on, revision 12aaaaaaaa: 1\.\d+ s -&gt; 2\.\d+ s [^<]*</p>", page)
    tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            tags.append(tag)
            assert not any(name in ("src", "href") and "//" in (value or "") for name, value in attributes)

    Reader().feed(page)
    assert "svg" in tags and "table" in tags and "script" not in tags
    assert "alert(1)" in page and "\x1b" not in page
    assert "\x1b" not in run("history").ok().out and "\x1b" not in run("history", "alert").ok().out


def test_what_is_imported_is_what_pyperf_reads(run, tmp_path):
    pyperf_file(tmp_path / "in.json", "work", [[0.5, 0.7], [0.6, 0.8], [0.7, 0.9]])
    run("history", "--import", "in.json").ok()
    result = run("history", "--json", "work").ok().json["series"][0]["results"][0]
    shown = re.search(r"Mean \+- std dev: (\d+) ms", pyperf("show", tmp_path / "in.json"))
    assert round(result["value"] * 1000) == int(shown.group(1)) == 700
    # three runs of means 0.6, 0.7 and 0.8: t(0.975, 2) = 4.3027, s = 0.1
    assert result["runs"] == 3
    assert result["low"] == pytest.approx(0.7 - 4.3027 * 0.1 / 3**0.5, rel=1e-4)
    run("history", "--import", "in.json").ok()
    assert run("history", "--json", "work").ok().json["series"][0]["count"] == 1  # the same file twice


def test_pyperf_opens_what_is_exported(run, tmp_path):
    for name, level in ("old", 1.0), ("new", 2.0):
        pyperf_file(tmp_path / f"{name}.json", "app", [[level * f] for f in (1.0, 1.01, 0.99, 1.005)])
        pyperf_file(tmp_path / "other.json", "other", [[0.25], [0.26]])
        run("history", "--store", f"{name}.db", "--import", f"{name}.json").ok()
        run("history", "--store", f"{name}.db", "--import", "other.json").ok()
        run("history", "--store", f"{name}.db", "--export", "pyperf", "-o", f"{name}-out.json").ok()
    assert "Mean +- std dev: 1.00 sec" in pyperf("show", tmp_path / "old-out.json")
    compared = pyperf("compare_to", tmp_path / "old-out.json", tmp_path / "new-out.json")
    assert re.search(r"1\.00 sec .*-> .*2\.00 sec .*2\.00x slower", compared)
    assert "3.12.1" in pyperf("metadata", tmp_path / "old-out.json")
    done = run("history", "--store", "old.db", "--export", "pyperf", "--revision", "feed")
    assert done.status == 3 and done.err.count("\n") == 1


def test_pytest_benchmark_is_read(run, tmp_path):
    (tmp_path / "test_it.py").write_text("def test_sum(benchmark):\n    benchmark(sum, range(50))\n")
    subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "test_it.py", "--benchmark-json=out.json", "--benchmark-max-time=0.02",
         "--benchmark-min-rounds=3", "--benchmark-warmup=off", "-p", "no:cacheprovider"],
        cwd=tmp_path, check=True, capture_output=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")})
    told = json.loads((tmp_path / "out.json").read_text())
    run("history", "--import", "out.json").ok()
    series = run("history", "--json", "test_sum").ok().json["series"][0]
    assert series["subject"] == "test_it.py::test_sum" and series["kind"] == "pytest-benchmark"
    assert series["python"] == "CPython " + sys.version.split()[0]
    result = series["results"][0]
    assert result["value"] == told["benchmarks"][0]["stats"]["median"] and result["low"] is None
    assert result["cores"] == os.cpu_count()
    assert told["machine_info"]["node"] not in json.dumps(series)
    # a result of one process and no spread can be exported, too
    run("history", "--export", "pyperf", "-o", "again.json").ok()
    assert pyperf("show", "-q", tmp_path / "again.json").split()[1] in ("ns", "us")
    assert json.loads((tmp_path / "again.json").read_text())["benchmarks"][0]["metadata"]["name"] == "test_it.py::test_sum"


def test_prove_keeps_what_it_measured(run, script, tmp_path):
    script("x = sum(range(300_000))\n", "old.py")
    script("pass\n", "new.py")
    (tmp_path / ".git").mkdir()  # the project's root
    words = ["prove", "--budget", "2s", f"{PYTHON} -S old.py", f"{PYTHON} -S new.py"]
    done = run(*words, "--json")
    assert done.status in (0, 4)
    told = done.json
    series = {(s["subject"], s["metric"], s["unit"]): s for s in run("history", "--json", "old.py").ok().json["series"]}
    both = series[(f"{PYTHON} -S old.py -> {PYTHON} -S new.py", "wall", "ratio")]
    assert both["results"][0]["value"] == told["ratio"] and both["results"][0]["verdict"] == told["verdict"]
    assert both["kind"] == "prove" and both["python"].startswith("CPython " + sys.version.split()[0])
    assert series[(f"{PYTHON} -S old.py", "wall", "s")]["results"][0]["value"] > 0
    assert PYTHON not in both["python"]
    database = sqlite3.connect(tmp_path / ".pitviper" / "history.db")
    assert database.execute("pragma journal_mode").fetchone() == ("wal",)
    everything = " ".join(str(v) for row in database.execute("select * from machine") for v in row)
    assert os.uname().nodename not in everything.split()
    database.close()
    count = len(series)
    assert run(*words, "--no-store").status in (0, 4)
    assert sum(s["count"] for s in run("history", "--json", "old.py").ok().json["series"]) == count


def test_a_store_in_the_way_costs_no_result(run, script, tmp_path):
    script("pass\n", "a.py")
    words = ["prove", "--budget", "1s", "--json", f"{PYTHON} -S a.py", f"{PYTHON} -S a.py"]
    store = tmp_path / ".pitviper" / "history.db"
    store.parent.mkdir()
    store.write_bytes(b"this is no database " * 500)
    done = run(*words)
    assert "ratio" in done.json and done.err.count("was damaged: it is now") == 1
    aside = [p for p in store.parent.iterdir() if "damaged" in p.name]
    assert [p.read_bytes() for p in aside] == [b"this is no database " * 500]
    assert run("history", "--json").ok().json["series"]

    lock = sqlite3.connect(store, isolation_level=None)
    lock.execute("begin immediate")
    done = run(*words)
    assert "ratio" in done.json and "locked by another process; kept in" in done.err
    lock.close()
    wall = [s for s in run("history", "--json", "a.py ->").ok().json["series"] if s["metric"] == "wall"]
    assert wall[0]["count"] == 2

    (tmp_path / "notes.txt").write_text("mine\n")
    done = run(*words, "--store", "notes.txt")
    assert done.status == 2 and "no store of pitviper" in done.err and done.out == ""
    assert (tmp_path / "notes.txt").read_text() == "mine\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone who may not write here")
def test_a_folder_that_cannot_be_written_costs_no_result(pitviper, script, tmp_path, run):
    script("pass\n", "a.py")
    program = tmp_path / "pitviper"
    program.write_bytes(open(pitviper, "rb").read())
    program.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    done = subprocess.run(
        [str(program), "prove", "--budget", "1s", "--json", "true a.py", "true a.py"], cwd=tmp_path, user=65534, group=65534,
        extra_groups=[], capture_output=True, text=True)
    if "ratio" not in done.stdout:
        pytest.skip("this user may not even run here: " + done.stderr)
    assert "nor can it be kept beside it" in done.stderr and done.stderr.count("\n") == 1


def test_bad_input_is_told_in_one_line(run, tmp_path):
    (tmp_path / "bad.json").write_text("{")
    for words, status, says in (
        (["history"], 3, "nothing is stored"),
        (["history", "--import", "bad.json"], 3, "no JSON"),
        (["history", "--import", "none.json"], 3, "cannot read none.json"),
        (["history", "a", "b"], 2, "one subject"),
        (["history", "--json", "--html", "x"], 2, "exclude each other"),
        (["history", "-o", "x"], 2, "--export"),
        (["history", "--store", "."], 3, "no file that could be a store"),
    ):
        done = run(*words)
        assert done.status == status and says in done.err and done.err.count("\n") == 1 and done.out == ""
