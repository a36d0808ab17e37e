#!/usr/bin/env python3
"""How long the page of a million distinct stacks takes in headless Chromium: to its first flame graph, and for zoom,
search, mode, direction and time range. bench/README.md says how to read it."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".deps" / "venv" / "bin" / "python"  # where ./dev test puts Playwright

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    if VENV.exists() and Path(sys.prefix) != VENV.parent.parent:
        os.execv(VENV, [VENV, *sys.argv])
    print("bench/page.py: left out, Playwright is not there; ./dev test installs it")
    sys.exit(0)

# Each runs what its key or control runs, to the end of the drawing; what the compositor does after it is not in it.
STEPS = {
    "zoom into the heaviest frame": """() => { const c = document.getElementById('flame-canvas'); c.focus();
        c.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown'})); const t = performance.now();
        c.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'})); return performance.now() - t; }""",
    "zoom out": "() => { const t = performance.now(); dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'})); return performance.now() - t; }",
    "mode: CPU": "() => { const t = performance.now(); document.querySelectorAll('#modes button')[1].click(); return performance.now() - t; }",
    "a quarter of the time": """() => { const to = document.getElementById('to'); to.value = Number(to.value) / 4; const t = performance.now();
        to.dispatchEvent(new Event('change')); return performance.now() - t; }""",
    "whole run": "() => { const t = performance.now(); document.getElementById('everything').click(); return performance.now() - t; }",
    "callers": "() => { const t = performance.now(); document.querySelectorAll('#directions button')[1].click(); return performance.now() - t; }",
    "table of functions": "() => { const t = performance.now(); document.getElementById('tab-functions').click(); return performance.now() - t; }",
}
SEARCH = """() => new Promise(done => { const found = document.getElementById('found'), t = performance.now();
    new MutationObserver(() => found.textContent && done(performance.now() - t)).observe(found, {childList: true});
    const s = document.getElementById('search'); s.value = 'function_77'; s.dispatchEvent(new Event('input')); })"""


def milliseconds(values):
    return "%6.0f ms   (%.0f to %.0f)" % (statistics.median(values), min(values), max(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=ROOT / "build" / "pitviper")
    parser.add_argument("--stacks", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    make = Path(options.program).parent / "tests" / "wide_recording"
    if not os.access(make, os.X_OK):
        sys.exit("bench/page.py: no %s; run ./dev build" % make)
    taken = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        recording, page_path = Path(folder, "wide.pit"), Path(folder, "wide.html")
        subprocess.run([make, recording, str(options.stacks)], check=True)
        begin = time.monotonic()
        subprocess.run([options.program, "export", "--format", "html", "-o", page_path, recording], check=True)
        print("%d distinct stacks: a page of %.1f MB, written in %.1f s" %
              (options.stacks, page_path.stat().st_size / 1e6, time.monotonic() - begin))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for _ in range(options.runs):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(page_path.as_uri())
            page.wait_for_selector("html[data-ready]", timeout=120000)
            taken.setdefault("open to first flame graph", []).append(page.evaluate("performance.getEntriesByName('drawn')[0].startTime"))
            taken.setdefault("search", []).append(page.evaluate(SEARCH))
            for name, step in STEPS.items():
                taken.setdefault(name, []).append(page.evaluate(step))
            page.close()
        browser.close()
    for name, values in taken.items():
        print("%-30s %s" % (name, milliseconds(values)))


main()
