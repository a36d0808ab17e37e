"""What the tests of pages share: a browser, a page that may ask for nothing, and a program with names to break pages."""
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

# Markup, templates, line ends of script, overrides of direction, lone surrogates, NULs' neighbours and very long names:
# as names of functions and of files. A code object may have any name.
HOSTILE = r'''
import threading, time
SOURCE = "def f(seconds):\n    end = clock() + seconds\n    while clock() < end:\n        pass\n"
names = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "'\"><svg onload=alert(3)>", "${alert(4)}",
    "`${alert(5)}`", "<!--<script>", "-->", "]]>", "line\u2028separator\u2029", "evil\u202egnp.exe", "\x01\x1b[31m\x7f",
    "\udcff\ud800", "__proto__", "constructor", "@data@", "@script@", "&lt;b&gt;", "\n\n", "", "x" * 1000000,
]
for i, name in enumerate(names):
    file = "/tmp/<b onclick=alert(6)>%d</b>.py" % i if i != 18 else "</title><script>alert(7)</script>"
    space = {"clock": time.perf_counter}
    exec(compile(SOURCE, file, "exec"), space)
    f = space["f"]
    new = {"co_name": name}
    if hasattr(f.__code__, "co_qualname"):
        new["co_qualname"] = name
    f.__code__ = f.__code__.replace(**new)
    f(0.1)
thread = threading.Thread(target=f, args=(0.3,), name="</option></select><img src=x onerror=alert(8)>")
thread.start()
thread.join()
'''


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """show(recording or page, **context): its page, opened from the disk. The test fails if the page asked for anything,
    broke its content policy, or complained."""
    complaints, contexts = [], []

    def show(path, ready=True, **options):
        page_path = Path(path).with_suffix(".html")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()

        def route(handler):
            if handler.request.url == page_path.as_uri():
                handler.continue_()
            else:
                complaints.append(f"asked for {handler.request.url}")
                handler.abort()

        page.route("**/*", route)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url == page_path.as_uri() or complaints.append(f"requested {request.url}"))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.log('policy: ' + e.violatedDirective + e.blockedURI))")
        page.goto(page_path.as_uri())
        if ready:
            until(page, "document.documentElement.dataset.ready === 'true'")
        return page

    show.complaints = complaints
    yield show
    for context in contexts:
        context.close()
    assert complaints == []


def until(page, condition, seconds=60):
    """Waits for a condition. (Playwright's own way to wait evaluates text in the page, which its policy forbids.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


def drawn(page, canvas):
    """Different colours on a canvas."""
    return page.evaluate(
        """id => { const c = document.getElementById(id);
        const data = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
        return new Set(data).size; }""", canvas)


def point(page, row, part=0.5):
    box = page.locator("#flame-canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * part, box["y"] + row * 20 + 10)
