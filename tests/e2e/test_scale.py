"""`scale`: exponents of functions whose growth is known, by time and by counts, and what cannot be measured."""
import html.parser
import math
import re
import sys

import pytest

APP = '''
import functools, random, re, time

def pops(items):
    while items:
        items.pop(0)

def dedupe(items):
    seen = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen

def backtrack(n):
    found = 0
    for _ in range(3):
        found += bool(re.search("x*x*y", "x" * n))
    return found

def merge_sort(items):
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    out, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            out.append(left[i])
            i += 1
        else:
            out.append(right[j])
            j += 1
    return out + left[i:] + right[j:]

def total(n):
    sum = 0
    for i in range(n):
        sum += i
    return sum

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

@functools.lru_cache(None)
def remembered(n):
    return total(n)

def chance(n):
    random.seed()
    for _ in range(n):
        if random.random() < 0.5:
            total(2)

def limited(n):
    if n > 64:
        raise ValueError("no more than 64")
    return total(n)

def hangs(n):
    while n > 100:
        pass

def takes_two(a, b):
    pass

def always_fails(n):
    raise KeyError("nothing")
'''
DOUBLING = "256,512,1k,2k"


@pytest.fixture
def scale(run, script):
    """scale(FUNCTION, *words, python=): a run of `pitviper scale --json`; its status may be "not settled"."""
    script(APP)

    def scale(function, *words, python=sys.executable):
        done = run("scale", f"app.py:{function}", "--json", "--python", python, "--runs", "2", "--budget", "30", *words)
        assert done.status in (0, 4), done.err
        found = done.json
        assert found["settled"] == (done.status == 0)
        return found

    return scale


def sizes(found, measure):
    return {int(s["n"]): s["value"] for s in found["measures"][measure]["sizes"]}


def test_counts_are_what_the_program_does_and_time_sees_inside_c(scale, few_pythons):
    found = scale("dedupe", "--setup", "list(range(n))", "--sizes", "128,256,512", python=few_pythons)
    assert found["counted_by"] == ("sys.monitoring" if few_pythons.minor >= (3, 12) else "sys.settrace")
    assert found["deterministic"] and set(sizes(found, "calls").values()) == {1}
    # for, if and append once an item; the def's first line, the last look at the loop, the return
    lines = sizes(found, "lines")
    assert all(lines[2 * n] - lines[n] == 3 * n for n in (128, 256))
    assert abs(found["measures"]["instructions"]["exponent"]["estimate"] - 1) < 0.02
    assert 1.5 < found["measures"]["cpu_seconds"]["exponent"]["estimate"] < 2.5
    assert found["basis"] == "inside-c" and 1.5 < found["exponent"]["estimate"] < 2.5
    hottest = found["hot_lines"][0]
    assert hottest["text"] == "if item not in seen:" and hottest["function"] == "dedupe" and hottest["share"] > 0.3
    assert abs(hottest["hit_exponent"] - 1) < 0.01


@pytest.mark.parametrize("function,words,least", [
    ("pops", ("--setup", "list(range(n))", "--sizes", "8k,16k,32k"), 1.6),
    ("backtrack", ("--sizes", "64,128,256"), 2),
])
def test_work_inside_c_is_times_to_judge(scale, function, words, least):
    found = scale(function, *words)
    assert found["basis"] == "inside-c" and found["exponent"]["estimate"] >= least
    assert found["measures"]["instructions"]["exponent"]["estimate"] < 1.1 and found["gap"] > 0.5
    assert {"pops": "items.pop(0)", "backtrack": "re.search"}[function] in found["hot_lines"][0]["text"]


def test_counts_tell_n_log_n_from_n(scale):
    found = scale("merge_sort", "--setup", "random.Random(1).sample(range(n), n)", "--sizes", DOUBLING)
    assert found["basis"] == "counters" and found["shape"] == "n log n"
    assert all(calls == 2 * n - 1 for n, calls in sizes(found, "calls").items())
    found = scale("total", "--sizes", DOUBLING)
    assert found["basis"] == "counters" and found["shape"] == "linear" and found["settled"]
    low, high = found["exponent"]["low"], found["exponent"]["high"]
    assert 0.95 < low <= found["exponent"]["estimate"] <= high < 1.05


def test_exponential_growth_is_found_without_being_asked_for_sizes(scale):
    found = scale("fib", "--budget", "6")
    assert found["shape"] == "exponential"
    golden = (1 + math.sqrt(5)) / 2
    assert abs(found["base"]["estimate"] - golden) < 0.15
    fibonacci = [0, 1]
    while len(fibonacci) < 40:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    assert all(calls == 2 * fibonacci[n + 1] - 1 for n, calls in sizes(found, "calls").items())
    assert found["prediction"]["n"] > max(sizes(found, "cpu_seconds"))


def test_says_what_is_odd_about_the_function(scale):
    found = scale("remembered", "--sizes", "4k,8k,16k")
    assert found["remembers"] and 0.7 < found["measures"]["cpu_seconds"]["exponent"]["estimate"] < 1.3
    assert found["shape"].startswith("linear")
    found = scale("chance", "--sizes", "1k,2k,4k")
    assert not found["deterministic"]
    runs = [s["runs"] for s in found["measures"]["instructions"]["sizes"]]
    assert any(len(set(values)) > 1 for values in runs)
    found = scale("limited", "--budget", "5")
    assert "ValueError: no more than 64" in found["ended"] and max(sizes(found, "cpu_seconds")) == 64


def test_prediction_of_a_larger_size_holds_what_it_takes(scale):
    small = scale("total", "--sizes", "2k,4k,8k,16k", "--predict", "1e5")
    large = scale("total", "--sizes", "50k,100k,200k")
    assert small["prediction"]["n"] == 1e5 and small["prediction"]["low"] <= small["prediction"]["seconds"]
    measured = sizes(large, "cpu_seconds")[100000]
    assert small["prediction"]["low"] / 2 < measured < small["prediction"]["high"] * 2


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        self.text += data


def test_text_and_page_say_the_same(run, script, tmp_path):
    script(APP)
    words = ("scale", "app.py:total", "--sizes", "1k,2k,4k", "--runs", "1", "--python", sys.executable, "--html", "out.html")
    done = run(*words, env={"LC_ALL": "C", "COLUMNS": "80"})
    assert done.status in (0, 4), done.err
    assert done.err == "" and "app.py:total is " in done.out and done.out.isascii()
    assert all(len(line) <= 80 for line in done.out.splitlines() if not line.startswith(("app.py", "usage")))
    page = Page()
    page.feed((tmp_path / "out.html").read_text())
    assert "svg" in page.tags and "script" not in page.tags and not page.links
    assert "prefers-color-scheme:dark" in (tmp_path / "out.html").read_text()
    law = re.search(r"n\^\d\.\d\d", done.out).group()
    assert law in page.text and "4000" in page.text
    braille = run(*words[:-2], env={"LC_ALL": "C.UTF-8"})
    assert any("\u2800" < c <= "\u28ff" for c in braille.out)


@pytest.mark.parametrize("words,status,says", [
    ((), 2, "name one function"),
    (("app.py:total", "app.py:fib"), 2, "name one function"),
    (("python3 app.py",), 2, "not a function"),
    (("app.py:total", "--sizes", "1k,2k"), 2, "at least 3"),
    (("app.py:total", "--sizes", "1k,x,4k"), 2, "'x' in --sizes is not a size"),
    (("app.py:total", "--sizes", "1k,4k,2k"), 2, "have to rise"),
    (("app.py:total", "--sizes", "0,1,2"), 2, "not a size"),
    (("app.py:takes_two", "--sizes", "1,2,3"), 3, "missing a required argument"),
    (("app.py:always_fails", "--sizes", "1,2,3"), 3, "KeyError"),
    (("app.py:always_fails",), 3, "KeyError"),
    (("app.py:nothing", "--sizes", "1,2,3"), 3, "no nothing"),
    (("app.py:dedupe", "--setup", "list(range(", "--sizes", "1,2,3"), 3, "--setup"),
    (("app.py:dedupe", "--setup", "list(range(m))", "--sizes", "1,2,3"), 3, "NameError"),
    (("app.py:hangs", "--sizes", "1k,2k,4k", "--timeout", "1"), 3, "did not end within"),
])
def test_what_cannot_be_measured_is_one_line(run, script, words, status, says):
    script(APP)
    done = run("scale", *words, *(("--python", sys.executable) if status == 3 else ()))
    assert done.status == status and says in done.err and done.err.count("\n") == 1 and done.out == ""


def test_prove_compares_the_growth_of_two_functions(run, script):
    script(APP)
    words = ("--growth", "--json", "--python", sys.executable, "--budget", "30", "--sizes", "256,512,1k")
    setup = ("--setup", "list(range(n))")
    done = run("prove", "app.py:merge_sort", "app.py:dedupe", *setup, *words)
    assert (done.status, done.json["verdict"]) in ((1, "grows-faster"), (4, "unsettled")), done.err
    assert done.json["difference"]["estimate"] > 0.4
    series = run("history", "--json").ok().json["series"]
    assert {"app.py:merge_sort", "app.py:dedupe"} <= {entry["subject"] for entry in series}
    done = run("prove", "app.py:total", "app.py:total", *words)
    assert (done.status, done.json["verdict"]) in ((0, "same"), (4, "unsettled")) and done.json["a"]["subject"] == "app.py:total"
    difference = done.json["difference"]
    assert difference["low"] <= 0 <= difference["high"], difference
    by_counts = all(done.json[side]["basis"] == "counters" for side in "ab")
    assert difference["basis"] == ("counters" if by_counts else "time")
    for bad in (("python3 -c pass", "app.py:total"), ("app.py:nothing", "app.py:total")):
        done = run("prove", *bad, *words)
        assert done.status == 3 and done.err.count("\n") == 1
