"""`bench`: one command or function, its figures held against clocks of its own, parameters, and bad input."""
import sys

import pytest

APP = '''
import os, time

def spin(n=1000):
    total = 0
    for i in range(n):
        total += i
    return total

def length(text):
    spin(len(text) * 10)

calls = 0

def slow_at_first():
    global calls
    calls += 1
    spin(400000 if calls <= 8 else 40000)

def naps():
    time.sleep(0.02)

def fails():
    raise OSError("the disk is gone")

def takes(a):
    pass
'''


@pytest.fixture
def bench(run, script):
    """bench(*words): the JSON of `pitviper bench`, results first."""
    script(APP)

    def bench(*words, python=sys.executable):
        return run("bench", *words, "--json", "--python", python).ok().json

    return bench


def test_a_function_over_versions(bench, pythons):
    found = bench("app.py:spin", "--setup", "5000", "--runs", "2", "--budget", "0.2", python=pythons)
    (result,) = found["results"]
    assert result["kind"] == "function" and result["processes"] == 2 == len(result["each"])
    centre = result["wall_seconds"]["centre"]
    assert 0 < centre["low"] <= centre["estimate"] <= centre["high"]
    assert sum(result["classes"].values()) == 2
    assert result["start_seconds"]["estimate"] > 0 and 1 << 20 < result["memory_bytes"] < 1 << 30
    assert {item["key"] for item in found["machine"]} >= {"load", "frequency"}


def test_warm_up_is_found_and_left_out(bench):
    """The first 8 calls do ten times the work; the batches are of one call, since one takes longer than a batch."""
    (result,) = bench("app.py:slow_at_first", "--runs", "3", "--budget", "3")["results"]
    (flat,) = bench("app.py:spin", "--setup", "40000", "--runs", "3", "--budget", "1")["results"]
    assert result["loops"] == 1
    warm = result["cpu_seconds"]["centre"]["estimate"]
    assert warm < 4 * flat["cpu_seconds"]["centre"]["estimate"]  # and not ten times
    assert result["classes"]["flat"] == 0


def test_a_waiting_function_has_wall_time_and_no_cpu_time(bench):
    (result,) = bench("app.py:naps", "--runs", "2", "--budget", "1")["results"]
    assert result["wall_seconds"]["centre"]["estimate"] >= 0.02
    assert result["cpu_seconds"]["centre"]["estimate"] < 0.01 and result["voluntary_switches"] > 0


def test_a_command_and_its_start_up(bench):
    """The program reports its own CPU time; the spawner's of the whole process is that and the start-up."""
    command = f"{sys.executable} -c 'import time; time.sleep(0.3)'"
    (result,) = bench(command, "--runs", "3")["results"]
    assert result["kind"] == "command" and len(result["values"]) == 3
    assert all(0.3 <= value < 60 for value in result["values"])
    assert result["start_of"].endswith("-c pass") and 0 < result["start_seconds"]["estimate"]
    assert min(result["values"]) - 0.3 > result["start_seconds"]["low"] / 10
    (large,) = bench(f"{sys.executable} -c 'bytearray(100_000_000)'", "--runs", "2")["results"]
    assert 100e6 < large["memory_bytes"] < 300e6 and large["minor_faults"] > 100e6 / 65536


def test_parameters_make_a_table(bench, run):
    found = bench("app.py:spin", "--param", "n=1000,100k", "--runs", "2", "--budget", "0.5", "--setup", "n + 0")
    assert [r["parameters"] for r in found["results"]] == [{"n": "1000"}, {"n": "100k"}]
    small, large = (r["cpu_seconds"]["centre"]["estimate"] for r in found["results"])
    assert 20 < large / small < 500
    found = bench("app.py:length", "--param", "n=10,20", "--param", "letter=a,b", "--setup", "letter * n", "--runs", "2", "--budget", "1")
    assert [tuple(r["parameters"].values()) for r in found["results"]] == [("10", "a"), ("10", "b"), ("20", "a"), ("20", "b")]
    found = bench("app.py:spin", "--param", "n=100,10000", "--runs", "2", "--budget", "0.5")  # is the argument itself
    small, large = (r["cpu_seconds"]["centre"]["estimate"] for r in found["results"])
    assert large > 10 * small
    done = run("bench", "sh -c 'exit {n}'", "--param", "n=0,3", "--runs", "2")
    assert done.status == 3 and "status 3" in done.err
    done = run("bench", "sh -c 'exit {n}'", "--param", "n=0", "--runs", "2", env={"LC_ALL": "C", "COLUMNS": "80"}).ok()
    assert "a run" in done.out and "this machine" in done.out


def test_the_text_has_a_histogram_of_every_value(run, script):
    script(APP)
    words = ("bench", f"{sys.executable} -c pass", "--runs", "8", "--budget", "3")
    done = run(*words, env={"LC_ALL": "C", "COLUMNS": "80"}).ok()
    bars = [line for line in done.out.split("this machine")[0].splitlines() if line.strip().endswith(tuple("12345678")) and "#" in line]
    assert sum(int(line.split()[-1]) for line in bars) == 8
    for label in ("a run", "CPU time", "spread", "start-up", "peak memory", "page faults", "switches"):
        assert f"\n  {label} " in done.out
    assert done.out.isascii() and done.err == ""


@pytest.mark.parametrize("words,status,says", [
    ((), 2, "name one command"),
    (("a", "b"), 2, "name one command"),
    (("app.py:spin", "--param", "n"), 2, "write it as"),
    (("app.py:spin", "--param", "1n=2"), 2, "write it as"),
    (("app.py:spin", "--param", "n=1,,2"), 2, "write it as"),
    (("app.py:spin", "--param", "n=1", "--param", "n=2"), 2, "twice"),
    (("app.py:spin", "--runs", "1"), 2, "--runs"),
    (("app.py:fails",), 3, "OSError: the disk is gone"),
    (("app.py:takes",), 3, "missing a required argument"),
    (("app.py:missing",), 3, "missing"),
    (("sh -c 'exit 7'",), 3, "status 7"),
    (("no-such-command-anywhere",), 3, "no-such-command-anywhere"),
    (("sleep 60", "--timeout", "0.3"), 3, "did not end within"),
])
def test_what_cannot_be_measured_is_one_line(run, script, words, status, says):
    script(APP)
    done = run("bench", *words)
    assert done.status == status and says in done.err and done.err.count("\n") == 1 and done.out == ""
