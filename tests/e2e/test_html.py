"""The page, in Debian's Chromium: what it shows is what the report says, by mouse and by keyboard, and no name in a
recording does anything but be shown."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from pages import HOSTILE, browser, drawn, point, show, until  # noqa: F401 (fixtures)

OWN_MOST, SMALL_MOST = 150_000, 200_000

APP = """
import gc, threading, time

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

def crunch(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(2000))

def nap():
    time.sleep(0.5)

def early():
    spin(0.5)

def late():
    crunch(0.5)

sleeper = threading.Thread(target=nap, name="napper")
sleeper.start()
early()
late()
sleeper.join()
kept = [[i] for i in range(200000)]
for _ in range(5):
    gc.collect()
"""
FAMILY = """
import os, time

def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

def in_child():
    spin(0.4)

def in_parent():
    spin(0.3)

child = os.fork()
if child == 0:
    in_child()
else:
    in_parent()
    os.waitpid(child, 0)
"""


def make(folder, source, *words):
    program = os.environ.get("PITVIPER") or str(ROOT / "build" / "pitviper")
    script = folder / "app.py"
    script.write_text(source)
    recording = folder / "app.pit"
    done = subprocess.run(
        [program, "run", "-o", recording, "--rate", "2000", *words, "--python", sys.executable, script],
        capture_output=True, text=True, errors="replace", timeout=120)
    assert recording.exists(), done.stderr
    export(program, recording)
    return recording


def export(program, recording, *words):
    page = recording.with_suffix(".html")
    done = subprocess.run([program, "export", "--format", "html", *words, "-o", page, recording], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return page


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return make(tmp_path_factory.mktemp("page"), APP)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return make(tmp_path_factory.mktemp("hostile"), HOSTILE)


@pytest.fixture
def report(pitviper, recording):
    def report(*words):
        done = subprocess.run([pitviper, "report", "--json", *words, recording], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return report


def rows(page):
    """The table of functions: a dictionary a row, of texts."""
    page.click("#tab-functions")
    return page.eval_on_selector_all(
        "#function-table tbody tr",
        "trs => trs.map(tr => Object.fromEntries([...tr.cells].map(c => [c.classList[0], c.textContent])))")


def counts(table):
    return sorted((r["name"], *(int(n.replace(",", "")) for n in r["samples"].split(" / "))) for r in table)


def of_report(report):
    return sorted((f["function"], f["self"]["hits"], f["total"]["hits"]) for f in report["functions"])


def percent(share):
    value = share * 100
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def near(text, share):
    """Whether a percentage of three digits is this share, give or take its last digit."""
    digits = text.split(" ")[0]
    unit = 10 ** -len(digits.partition(".")[2])
    return abs(float(digits) - share * 100) <= unit * 0.51


def test_functions_have_the_numbers_of_the_report(show, recording, report):
    page, whole = show(recording), report()
    table = rows(page)
    assert counts(table) == of_report(whole)
    by_name = {r["name"]: r for r in table}
    for f in whole["functions"]:
        if [g["function"] for g in whole["functions"]].count(f["function"]) > 1:
            continue
        row = by_name[f["function"]]
        for kind in ("self", "total"):
            assert near(row[kind], f[kind]["share"]), (row, f)
            low, high = row[f"{kind}-range"].split("\u2013")
            assert near(low, f[kind]["low"]) and near(high, f[kind]["high"]), (row, f)
    assert page.text_content("h1").endswith("app.py")
    shares = page.text_content("#shares")
    assert percent(whole["on_cpu"]["share"]) in shares and percent(whole["has_gil"]["low"]) in shares


@pytest.mark.parametrize("mode", ["cpu", "gil"])
def test_modes_have_the_numbers_of_the_report(show, recording, report, mode):
    page = show(recording)
    page.get_by_role("radio", name=mode.upper(), exact=True).click()
    assert counts(rows(page)) == of_report(report("--mode", mode))
    assert page.get_attribute("#modes [role=radio]:nth-child(%d)" % {"cpu": 2, "gil": 3}[mode], "aria-checked") == "true"


def test_one_thread_has_the_numbers_of_the_report(show, recording, report):
    page, threads = show(recording), report()["threads"]
    # A thread that is being made may be seen with the id of its maker: one whose id is its own.
    thread = next(t for t in threads if t["hits"] > 100 and [u["tid"] for u in threads].count(t["tid"]) == 1)
    page.select_option("#thread", str(thread["id"]))
    table, alone = rows(page), report("--thread", str(thread["tid"]))
    assert counts(table) == of_report(alone)
    heaviest = alone["functions"][0]
    row = next(r for r in table if r["name"] == heaviest["function"])
    for kind in ("self", "total"):
        low, high = row[f"{kind}-range"].split("\u2013")
        assert near(low, heaviest[kind]["low"]) and near(high, heaviest[kind]["high"])
    page.click("#lane-names button[aria-pressed=true]")
    assert counts(rows(page)) == of_report(report())


def test_one_process_has_the_numbers_of_the_report(show, pitviper, tmp_path):
    path = make(tmp_path, FAMILY)

    def told(*words):
        done = subprocess.run([pitviper, "report", "--json", *words, path], capture_output=True, timeout=60, check=True)
        return json.loads(done.stdout)

    page, whole = show(path), told()
    processes = [p for p in whole["processes"] if p["hits"] > 0]
    assert len(processes) == 2 and page.locator("#process option").count() == 3
    for process in processes:
        page.select_option("#process", str(process["id"]))
        assert counts(rows(page)) == of_report(told("--pid", str(process["pid"])))
        names = {r["name"] for r in rows(page)}
        assert ("in_child" in names, "in_parent" in names) == (process["parent"] != process["id"], process["parent"] == process["id"])
    page.click("#tab-flame")
    page.keyboard.press("0")
    assert page.input_value("#process") == "-1" and counts(rows(page)) == of_report(whole)


def test_opens_in_the_mode_asked_for(show, recording, pitviper, report, tmp_path):
    other = tmp_path / "app.pit"
    shutil.copy(recording, other)
    export(pitviper, other, "--mode", "cpu")
    page = show(other)
    assert page.text_content("#modes [aria-checked=true]") == "CPU"
    assert counts(rows(page)) == of_report(report("--mode", "cpu"))


def test_the_columns_sort(show, recording):
    page = show(recording)
    heaviest = [int(r["samples"].split(" / ")[0].replace(",", "")) for r in rows(page)]
    assert heaviest == sorted(heaviest, reverse=True)
    page.click("#function-table thead .name button")
    names = [r["name"] for r in rows(page)]
    assert names == sorted(names) and page.get_attribute("#function-table thead .name", "aria-sort") == "ascending"
    page.click("#function-table thead .name button")
    assert [r["name"] for r in rows(page)] == sorted(names, reverse=True)


def test_dragging_over_the_time_line_filters_everything(show, recording, report):
    page, whole = show(recording), report()
    box = page.locator("#time-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.02, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 40, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40, steps=4)
    page.mouse.up()
    to = float(page.input_value("#to"))
    assert 0 < to < whole["wall_ns"] / 1e9 * 0.5
    names = {r["name"] for r in rows(page)}
    assert "spin" in names and "crunch" not in names
    # The two halves of the run make the whole of it.
    early = {name: (self, total) for name, self, total in counts(rows(page))}
    page.click("#everything")
    assert counts(rows(page)) == of_report(whole)
    assert early["spin"][0] < dict((n, s) for n, s, _ in of_report(whole))["spin"]


def test_time_ranges_add_up(show, recording, report):
    page, sums = show(recording), {}
    end = float(page.input_value("#to"))
    cuts = ["0", str(end / 3), str(end / 2), str(end)]
    for low, high in zip(cuts, cuts[1:]):
        page.fill("#to", high)
        page.press("#to", "Tab")
        page.fill("#from", low)
        page.press("#from", "Tab")
        for name, self, _ in counts(rows(page)):
            sums[name] = sums.get(name, 0) + self
        page.click("#everything")
    expected = {}
    for name, self, _ in of_report(report()):
        expected[name] = expected.get(name, 0) + self
    assert {n: s for n, s in sums.items() if s} == {n: s for n, s in expected.items() if s}


def test_search_tells_the_share_of_matches(show, recording, report):
    page, whole = show(recording), report()
    page.keyboard.press("/")
    page.keyboard.type("crunch")
    crunch = next(f for f in whole["functions"] if f["function"] == "crunch")
    until(page, "document.getElementById('found').textContent !== ''")
    assert page.text_content("#found") == f"1 function, in {percent(crunch['total']['share'])} % of the time"
    assert [r["name"] for r in rows(page)] == ["crunch"]
    page.fill("#search", "no such thing")
    until(page, "document.getElementById('found').textContent === 'no function matches'")


def test_source_lines_have_the_numbers_of_the_report(show, recording, report):
    page, whole = show(recording), report()
    page.click("#tab-functions")
    page.get_by_role("button", name="spin", exact=True).click()
    assert page.get_attribute("#tab-source", "aria-selected") == "true"
    lines = page.eval_on_selector_all(
        "#source-table tbody tr",
        "trs => trs.map(tr => Object.fromEntries([...tr.cells].map(c => [c.classList[0], c.textContent])))")
    by_number = {int(r["number"]): r for r in lines}
    for number, text in enumerate(APP.splitlines(), 1):
        assert by_number[number]["text"] == text
    checked = 0
    for line in whole["lines"]:
        if line["function"] in ("spin", "crunch", "nap"):
            row = by_number[line["line"]]
            for kind in ("self", "total"):
                assert near(row[kind], line[kind]["share"])
                low, high = row[f"{kind}-range"].split("\u2013")
                assert near(low, line[kind]["low"]) and near(high, line[kind]["high"])
            checked += 1
    assert checked >= 2


def test_the_flame_graph_zooms_and_turns(show, recording):
    page = show(recording)
    assert drawn(page, "flame-canvas") > 20 and drawn(page, "time-canvas") > 10
    point(page, 1, 0.1)
    name = page.text_content("#detail-text strong")
    assert name != "All of the view"
    page.mouse.down()
    page.mouse.up()
    assert page.locator("#crumbs li").all_text_contents() == ["all", name]
    page.click("#crumbs button")
    assert page.locator("#crumbs li").all_text_contents() == ["all"]
    page.get_by_role("radio", name="Callers").click()
    point(page, 1, 0.01)
    table = rows(page)
    heaviest = table[0]["name"]
    page.click("#tab-flame")
    point(page, 1, 0.02)
    assert page.text_content("#detail-text strong") == heaviest
    page.get_by_role("radio", name="By name").click()
    point(page, 1, 0.001)
    leaves = sorted(r["name"] for r in table if not r["samples"].startswith("0 /"))
    assert page.text_content("#detail-text strong") in leaves[:3]


def test_everything_by_keyboard(show, recording):
    page = show(recording)
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.id") == "flame-canvas"
    page.keyboard.press("Home")
    assert "All of the view" in page.text_content("#live")
    seen = []
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        seen.append(page.text_content("#live").split(",")[0])
    assert len(set(seen)) == 3 and "depth 3" in page.text_content("#live")
    page.keyboard.press("ArrowUp")
    assert page.text_content("#live").startswith(seen[1])
    page.keyboard.press("Enter")
    assert page.locator("#crumbs [aria-current]").text_content() == seen[1]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator("#crumbs li").all_text_contents() == ["all"]
    page.keyboard.press("m")
    assert page.text_content("#modes [aria-checked=true]") == "CPU"
    page.keyboard.press("i")
    assert page.text_content("#directions [aria-checked=true]") == "Callers"
    page.keyboard.press("o")
    assert page.text_content("#orders [aria-checked=true]") == "By name"
    page.keyboard.press("i")
    page.keyboard.press("0")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible() and "search" in page.text_content("#keys")
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page.keyboard.press("t")
    assert page.locator("#function-table").is_visible()
    page.focus("#tab-functions")
    page.keyboard.press("ArrowRight")
    assert page.locator("#source-table").is_visible() and page.evaluate("document.activeElement.id") == "tab-source"
    page.keyboard.press("f")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("s")
    assert page.locator("#source-table").is_visible()
    page.keyboard.press("/")
    page.keyboard.type("m?")
    assert page.input_value("#search") == "m?" and not page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""


def test_every_control_can_be_reached_and_shows_its_focus(show, recording):
    page = show(recording)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        where = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return e === document.body ? null : [e.id || e.closest('[id]')?.id || e.className, s.outlineStyle !== 'none' && s.outlineWidth]; }""")
        if where is None:
            break
        assert where[1] == "2px", where
        reached.add(where[0])
    wanted = {"theme", "help", "modes", "thread", "search", "from", "to", "lane-names", "tab-flame", "directions", "orders", "flame-canvas"}
    assert wanted <= reached


def test_everything_has_a_name(show, recording):
    page = show(recording)
    for tab in ("flame", "functions", "source"):
        page.click(f"#tab-{tab}")
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, canvas:not([aria-hidden]), [role=tabpanel], table')]
            .filter(e => e.offsetParent !== null && !e.textContent.trim() && !e.ariaLabel && !e.labels?.length
                && !e.getAttribute('aria-labelledby')).map(e => e.outerHTML)""")
        assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(show, recording, scheme):
    page = show(recording, color_scheme=scheme)

    def ground():
        return sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]))

    dark_first = scheme == "dark"
    assert (ground() < 200) == dark_first
    page.click("#theme")
    assert (ground() < 200) != dark_first
    page.keyboard.press("d")
    assert (ground() < 200) == dark_first
    assert drawn(page, "flame-canvas") > 10


def test_high_contrast_and_still(show, recording):
    page = show(recording, forced_colors="active", reduced_motion="reduce")
    assert drawn(page, "flame-canvas") > 5
    assert page.evaluate("getComputedStyle(document.getElementById('help')).transitionDuration") == "0s"


def test_prints_all_views(show, recording, tmp_path):
    page = show(recording, color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for view in ("#flame-canvas", "#function-table", "#source-table", "#trust"):
        assert page.locator(view).is_visible()
    assert not page.locator("#search").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert not page.locator("#function-table").is_visible()
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("width", [400, 768])
def test_fits_narrow_screens(show, recording, width):
    page = show(recording, viewport={"width": width, "height": 800})
    for tab in ("flame", "functions", "source"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_foot_has_the_truth(show, recording, report):
    page, whole = show(recording), report()
    foot = page.text_content("#trust")
    for name in ("ticks_due", "ticks_taken", "samples", "repaired"):
        assert f"{whole['counters'][name]:,}" in foot
    assert "slowed by an estimated" in foot and "longest gap" in foot


def test_damage_is_told_first(show, recording, pitviper, tmp_path):
    data = recording.read_bytes()
    cut = tmp_path / "cut.pit"
    cut.write_bytes(data[: len(data) - 30])
    export(pitviper, cut)
    page = show(cut)
    assert page.locator("#damage").is_visible() and "not whole" in page.text_content("#damage")


def test_sizes(recording, hostile):
    own = sum(path.stat().st_size for path in (ROOT / "web" / "report").iterdir())
    assert own <= OWN_MOST
    assert recording.with_suffix(".html").stat().st_size < SMALL_MOST


def test_the_policy_lets_nothing_in(show, recording):
    page = show(recording)
    policy = page.get_attribute("meta[http-equiv]", "content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy
    text = recording.with_suffix(".html").read_text()
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    page.evaluate(
        """() => { const s = document.createElement('script'); s.textContent = 'document.title = "ran"'; document.body.append(s);
        const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);
        document.body.insertAdjacentHTML('beforeend', '<b onclick="document.title = 1" style="color: red">x</b>'); }""")
    page.wait_for_timeout(200)
    assert page.title() != "ran"
    # These were meant to be refused, each by the policy.
    refused = [c for c in show.complaints if c.startswith("log: policy: ")]
    assert {re.match(r"log: policy: (\w+-src)", c).group(1) for c in refused} == {"script-src", "img-src", "style-src"}
    show.complaints.clear()


def test_names_are_only_shown(show, hostile, pitviper):
    text = hostile.with_suffix(".html").read_text()
    assert text.count("<script") == 2 and "onerror" not in text and "alert(" not in text
    page = show(hostile)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    whole = json.loads(subprocess.run([pitviper, "report", "--json", hostile], capture_output=True, check=True).stdout)
    table = rows(page)
    assert sum(n[1] for n in counts(table)) == whole["hits"]
    names = [r["name"] for r in table]
    for name in ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "${alert(4)}", "__proto__", "@data@", "&lt;b&gt;",
                 "line\ufffdseparator\ufffd", "evil\ufffdgnp.exe", "\ufffd\ufffd[31m\ufffd"):
        assert name in names, name
    assert any(re.fullmatch("x{300}\u2026", n) for n in names)
    assert not any(re.search("[\u0000-\u001f\u202e\u2028]", n) for n in names)
    for key in ("f", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "Enter", "i", "o", "m", "d", "s", "f", "0"):
        page.keyboard.press(key)
    page.fill("#search", "<img")
    page.click("#tab-source")
    for index in range(page.locator("#file option").count()):
        page.select_option("#file", index=index)
    assert page.evaluate("document.querySelectorAll('img, svg, b, iframe, script:not(#data)').length") == 1  # its own script
    assert page.evaluate("document.title").endswith("Pitviper")


def test_an_empty_recording_has_a_page(show, pitviper, recording, tmp_path):
    # The header alone, 16 bytes: a writer that was killed at once.
    (tmp_path / "none.pit").write_bytes(recording.read_bytes()[:16])
    export(pitviper, tmp_path / "none.pit")
    page = show(tmp_path / "none.pit")
    assert "no samples" in page.text_content("#whole")
    for key in ("f", "ArrowDown", "Enter", "t", "m", "i", "Escape", "0"):
        page.keyboard.press(key)


def test_a_broken_page_says_so(show, recording, tmp_path):
    text = recording.with_suffix(".html").read_text()
    at = text.index('id="data">') + 200
    (tmp_path / "broken.html").write_text(text[:at] + text[at + 64 :])
    page = show(tmp_path / "broken.html", ready=False)
    until(page, "!document.getElementById('damage').hidden")
    assert "cannot be read" in page.text_content("#damage")
    assert all("error" in c for c in show.complaints)
    show.complaints.clear()


def test_a_million_stacks(show, pitviper, tmp_path):
    wide = tmp_path / "wide.pit"
    subprocess.run([Path(pitviper).parent / "tests" / "wide_recording", wide, "1000000"], check=True, timeout=60)
    export(pitviper, wide)
    page = show(wide)
    assert drawn(page, "flame-canvas") > 10
    page.keyboard.press("/")
    page.keyboard.type("function_77")
    until(page, "document.getElementById('found').textContent.includes('functions, in')")
    for key in ("Escape", "f", "ArrowDown", "ArrowDown", "Enter", "i", "m", "t"):
        page.keyboard.press(key)
    assert page.locator("#function-table tbody tr").count() == 200


def test_report_writes_the_page_beside_the_recording(run, recording, tmp_path):
    shutil.copy(recording, tmp_path / "mine.pit")
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nprintf "%s" "$1" >"$0.shown"\n')
    browser.chmod(0o755)
    done = run("report", "--html", "mine.pit", env={"BROWSER": str(browser)}).ok()
    assert done.out == "mine.html\n" and (tmp_path / "mine.html").read_text().startswith("<!doctype html>")
    for _ in range(100):
        if (tmp_path / "browser.shown").exists() and (tmp_path / "browser.shown").read_text():
            break
        subprocess.run(["sleep", "0.05"])
    assert (tmp_path / "browser.shown").read_text() == "mine.html"
    done = run("report", "--html", "-", input="", env={"BROWSER": "", "DISPLAY": ""})
    assert done.status == 3 and done.err.count("\n") == 1
    assert run("report", "--html", "--json", "mine.pit").status == 2
    assert run("export", "--format", "html", "-o", "/dev/full", "mine.pit").status == 3
