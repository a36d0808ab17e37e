"""The page of a comparison: it says what `diff --json` says, in a graph that can be read without colour and by keyboard,
and no name in it does anything but be shown."""
import json
import re
import subprocess
import sys

import pytest

from conftest import ROOT
from pages import HOSTILE, browser, drawn, point, show, until  # noqa: F401 (fixtures)
from test_diff import AFTER, BEFORE
from test_html import OWN_MOST, SMALL_MOST

RUNS = 6
CHANGED = {"BEFORE": BEFORE + "\ndef gone():\n    spin(0.06)\n\ngone()\n", "AFTER": AFTER}


@pytest.fixture(scope="module")
def sides(pitviper, tmp_path_factory):
    """Recordings of both versions of a program, one of RUNS runs and one of one run each."""
    folder, made = tmp_path_factory.mktemp("sides"), {}
    for name, program in CHANGED.items():
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(program)
        for runs in (RUNS, 1):
            made[name, runs] = folder / f"{name}{runs}.pit"
            subprocess.run([pitviper, "run", "-o", made[name, runs], "--repeat", str(runs), "--python", sys.executable,
                            folder / name / "app.py"], check=True, capture_output=True, timeout=120)
    return made


@pytest.fixture(scope="module")
def compared(pitviper, sides):
    """compared(runs): the page of a comparison, and the same as JSON."""
    made = {}

    def compared(runs):
        if runs not in made:
            pair = [sides[name, runs] for name in ("BEFORE", "AFTER")]
            page = pair[0].with_suffix(".html")
            subprocess.run([pitviper, "diff", "--html", page, *pair], check=True, timeout=60)
            told = subprocess.run([pitviper, "diff", "--json", *pair], check=True, capture_output=True, timeout=60).stdout
            made[runs] = page, json.loads(told)
        return made[runs]

    return compared


def rows(page, table):
    return page.eval_on_selector_all(
        f"#{table} tbody tr",
        "trs => trs.map(tr => Object.fromEntries([...tr.cells].map(c => [c.classList[0], c.textContent])))")


def time_text(ns):
    unit, name = (1e3, "\u00b5s") if abs(ns) < 999.5e3 else (1e6, "ms") if abs(ns) < 999.5e6 else (1e9, "s")
    value = abs(ns) / unit
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {name}"


def sign(measure):
    return "" if not measure["changed"] else "\u25b2" if measure["change_ns"] > 0 else "\u25bc"


@pytest.mark.parametrize("runs", [RUNS, 1])
def test_tables_have_the_numbers_of_the_json(show, compared, runs):
    path, told = compared(runs)
    page = show(path)
    page.click("#tab-functions")
    by_name = {r["name"]: r for r in rows(page, "function-table")}
    assert told["claim"] == ("between versions" if runs > 1 else "within these runs")
    assert ("between versions" in page.text_content("#whole")) == (runs > 1)
    seen = 0
    for f in told["functions"]:
        if f["function"] not in ("spin", "first", "second", "gone") or "/app.py" not in f["file"]:
            continue
        row, seen = by_name[f["function"]], seen + 1
        for kind in ("self", "total"):
            measure = f[kind]
            assert row[f"{kind}-sure"] == sign(measure)
            assert row[f"{kind}-change"] == ("\u2212" if measure["change_ns"] < 0 else "+") + time_text(measure["change_ns"])
            assert row[f"{kind}-a"] == (time_text(measure["a_ns"]) if measure["a_ns"] > 0 else "\u2013")
            assert row[f"{kind}-b"] == (time_text(measure["b_ns"]) if measure["b_ns"] > 0 else "\u2013")
            low, high = (float(part.replace("\u2212", "-")) for part in row[f"{kind}-range"].split(" to "))
            unit = 1e3 if abs(measure["change_ns"]) < 999.5e3 else 1e6 if abs(measure["change_ns"]) < 999.5e6 else 1e9
            assert low == pytest.approx(measure["low_ns"] / unit, abs=0.51, rel=0.01)
            assert high == pytest.approx(measure["high_ns"] / unit, abs=0.51, rel=0.01)
    assert seen == 4
    page.keyboard.press("l")
    lines = [r for r in rows(page, "line-table") if "time.perf_counter() < end" in r["text"]]
    wanted = [line for line in told["lines"] if line["source"] and "time.perf_counter() < end" in line["source"]]
    assert sorted(r["self-a"] for r in lines) == sorted(time_text(x["self"]["a_ns"]) if x["self"]["a_ns"] > 0 else "\u2013" for x in wanted)
    assert any(f"/app.py:{line['line_b']}" in r["place"] for r in lines for line in wanted)


def test_only_sure_changes_and_what_changed_most_first(show, compared):
    path, told = compared(RUNS)
    page = show(path)
    page.click("#tab-functions")
    page.check("#sure")
    shown = [r["name"] for r in rows(page, "function-table")]
    sure = [f for f in told["functions"] if f["self"]["changed"] or f["total"]["changed"]]
    assert {"second", "gone"} <= set(shown) and sorted(shown) == sorted(f["function"] for f in sure)
    by_total = sorted((f for f in sure if f["total"]["changed"]), key=lambda f: -abs(f["total"]["change_ns"]))
    assert shown[: len(by_total)] == [f["function"] for f in by_total]


def frame(page, name):
    """The widest frame of this function, found by pointing: what is told of it, the mean of its red less its blue, and how
    many colours a row of its pixels below the text has. None where there is none."""
    return page.evaluate(
        """name => { const c = document.getElementById('flame-canvas'), place = c.getBoundingClientRect(), k = devicePixelRatio || 1;
        const at = (x, row) => { c.dispatchEvent(new PointerEvent('pointermove', {clientX: place.left + x, clientY: place.top + row * 20 + 10}));
          return document.querySelector('#detail-text strong')?.textContent === name; };
        let best = null;
        for (let row = 1; row < Math.min(12, place.height / 20); row++)
          for (let x = 1, from = -1; x < place.width; x += 3) {
            const is = at(x, row);
            if (is && from < 0) from = x;
            if ((!is || x + 3 >= place.width) && from >= 0) {
              if (best === null || x - from > best.w) best = {row, from, w: x - from};
              from = -1;
            }
          }
        if (best === null) return null;
        at(best.from + 1, best.row);
        const told = document.getElementById('detail-text').textContent;
        c.dispatchEvent(new PointerEvent('pointerleave'));
        const copy = new OffscreenCanvas(c.width, c.height).getContext('2d', {willReadFrequently: true});
        copy.drawImage(c, 0, 0);
        const data = copy.getImageData((best.from + 3) * k, (best.row * 20 + 17) * k, Math.max(1, (best.w - 9) * k), 1).data;
        let sum = 0; const seen = new Set();
        for (let i = 0; i < data.length; i += 4) { sum += data[i] - data[i + 2]; seen.add(data.slice(i, i + 3).join()); }
        return {told, red: sum / (data.length / 4), colours: seen.size}; }""", name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_grew_is_red_shrank_is_blue_and_hatched(show, compared, scheme):
    path, told = compared(RUNS)
    page = show(path, color_scheme=scheme)
    own = {f["function"]: f for f in told["functions"] if "/app.py" in f["file"]}
    grew, shrank = frame(page, "second"), frame(page, "gone")
    assert f"+{time_text(own['second']['total']['change_ns'])}" in grew["told"] and "surely grew" in grew["told"]
    assert "only in a" in shrank["told"] and "surely shrank" in shrank["told"]
    assert grew["red"] > 40 and shrank["red"] < -40
    assert shrank["colours"] > grew["colours"]  # told apart without colour: it is hatched


def test_everything_by_keyboard(show, compared):
    page = show(compared(RUNS)[0])
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.id") == "flame-canvas"
    page.keyboard.press("Home")
    assert page.text_content("#live").startswith("All of a run, ")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    told = page.text_content("#live")
    assert told.startswith("second, ") and "surely grew" in told and "depth 2" in told
    page.keyboard.press("Enter")
    assert page.locator("#crumbs li").all_text_contents() == ["all", "<module>", "second"]
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    assert page.locator("#crumbs li").all_text_contents() == ["all"]
    page.keyboard.press("l")
    assert page.locator("#line-table").is_visible()
    page.focus("#tab-lines")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-flame"
    page.keyboard.press("?")
    assert "width: both sides, a, b" in page.text_content("#keys")


def test_widths_colours_and_directions(show, compared):
    path, told = compared(RUNS)
    page = show(path)
    assert drawn(page, "flame-canvas") > 10
    assert frame(page, "gone") is not None
    for width in ("a", "b"):
        page.keyboard.press("w")
        assert page.text_content("#widths [aria-checked=true]") == width
    assert frame(page, "gone") is None  # it has no time in b
    page.keyboard.press("w")
    page.keyboard.press("c")
    assert page.text_content("#colours [aria-checked=true]") == "Self"
    page.keyboard.press("i")
    point(page, 1, 0.02)
    spin = next(f for f in told["functions"] if f["function"] == "spin")
    assert page.text_content("#detail-text strong") == "spin"
    # A frame's time is that of its hits, with the mean gap over all runs; the function's with each run's own.
    a, b = map(float, re.search(r"a ([\d.]+) ms, b ([\d.]+) ms", page.text_content("#detail-text")).groups())
    assert a == pytest.approx(spin["self"]["a_ns"] / 1e6, rel=0.05) and b == pytest.approx(spin["self"]["b_ns"] / 1e6, rel=0.05)
    page.mouse.down()
    page.mouse.up()
    assert page.locator("#crumbs li").all_text_contents() == ["all", "spin"]
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    assert page.locator("#crumbs li").all_text_contents() == ["all"]


def test_search_and_print(show, compared):
    page = show(compared(RUNS)[0], color_scheme="dark")
    page.keyboard.press("/")
    page.keyboard.type("gone")
    until(page, "document.getElementById('found').textContent.startsWith('1 function, in ')")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.fill("#search", "no such thing")
    until(page, "document.getElementById('found').textContent === 'no function matches'")
    assert page.text_content("#function-table tbody") == "Nothing matches."
    page.fill("#search", "")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for view in ("#flame-canvas", "#function-table", "#line-table", "#trust"):
        assert page.locator(view).is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def test_everything_has_a_name_and_its_focus(show, compared):
    page = show(compared(RUNS)[0])
    for tab in ("flame", "functions", "lines"):
        page.click(f"#tab-{tab}")
        assert page.evaluate(
            """() => [...document.querySelectorAll('button, input, canvas:not([aria-hidden]), [role=tabpanel], table')]
            .filter(e => e.offsetParent !== null && !e.textContent.trim() && !e.ariaLabel && !e.labels?.length
                && !e.getAttribute('aria-labelledby')).map(e => e.outerHTML)""") == []
    page.click("#tab-flame")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.id || document.activeElement.closest('[id]')?.id)"))
    assert {"widths", "colours", "sure", "search", "tab-flame", "directions", "orders", "flame-canvas"} <= reached


@pytest.mark.parametrize("width", [400, 768])
def test_fits_narrow_screens(show, compared, width):
    page = show(compared(RUNS)[0], viewport={"width": width, "height": 800})
    for tab in ("flame", "functions", "lines"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_are_only_shown(show, pitviper, sides, tmp_path):
    (tmp_path / "app.py").write_text(HOSTILE)
    hostile, page_path = tmp_path / "hostile.pit", tmp_path / "hostile.html"
    subprocess.run([pitviper, "run", "-o", hostile, "--python", sys.executable, tmp_path / "app.py"], capture_output=True, timeout=60)
    subprocess.run([pitviper, "diff", "--html", page_path, sides["BEFORE", 1], hostile], check=True, timeout=60)
    text = page_path.read_text()
    assert text.count("<script") == 2 and "onerror" not in text and "alert(" not in text
    page = show(page_path)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.keyboard.press("t")
    names = [r["name"] for r in rows(page, "function-table")]
    for name in ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "__proto__", "@data@", "line\ufffdseparator\ufffd"):
        assert name in names, name
    for key in ("f", "ArrowDown", "ArrowDown", "ArrowRight", "Enter", "i", "o", "w", "c", "d", "l", "t", "f", "0"):
        page.keyboard.press(key)
    page.fill("#search", "<img")
    assert page.evaluate("document.querySelectorAll('img, svg, b, iframe, script:not(#data)').length") == 1  # its own script


def test_several_files_a_side_empty_ones_and_wrong_use(show, run, sides, tmp_path):
    one, other = sides["BEFORE", 1], sides["AFTER", 1]
    run("diff", "--html", tmp_path / "named.html", "--a", one, one, "--b", other, other).ok()
    assert "a: 2 runs" in show(tmp_path / "named.html").text_content("#facts")
    (tmp_path / "none.pit").write_bytes(one.read_bytes()[:16])  # the header alone
    done = run("diff", "--html", tmp_path / "none.html", one, tmp_path / "none.pit").ok()
    assert "not whole" in done.err
    page = show(tmp_path / "none.html")
    assert "not whole" in page.text_content("#trust")
    assert run("diff", "--html", "x.html", "--json", one, other).status == 2
    done = run("diff", "--html", "/dev/full", one, other)
    assert done.status == 3 and done.err.count("\n") == 1
    assert run("diff", "--html", "-", one, other).ok().out.startswith("<!doctype html>")


def test_sizes(compared):
    own = sum((ROOT / "web" / "report" / name).stat().st_size for name in
              ("page.html", "diff.html", "style.css", "text.js", "data.js", "model.js", "flame.js", "tables.js", "shell.js", "diff.js"))
    assert own <= OWN_MOST
    assert compared(RUNS)[0].stat().st_size < SMALL_MOST
