"""The capstone: parcelflow as it is handed out, repaired, and as a learner's variant.

Behaviour is compared by digests. Where a bottleneck is, is counted: lines executed, comparisons, opened files, syncs.
"""

import ast
import builtins
import io
import itertools
import json
import keyword
import signal
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

CAPSTONE = Path(__file__).resolve().parents[2] / "course" / "performance-optimization-and-profiling" / "capstone"
SCENARIOS = ("places", "intake", "corrections", "history", "prices", "scores", "desk", "journal", "day")
PLANTS = json.loads((CAPSTONE / "plants.json").read_text(encoding="utf-8"))
SITES = [(plant["id"], site) for plant in PLANTS["plants"] for site in plant["sites"]]
DECOYS = {(decoy["id"], "") for decoy in PLANTS["decoys"]}
SCENARIO_OF = {plant["id"]: plant["scenario"] for plant in PLANTS["plants"]}
SMALL = 0.04


def load_variant():
    sys.path.insert(0, str(CAPSTONE))
    kept = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        import variant

        return variant
    finally:
        sys.dont_write_bytecode = kept
        sys.path.remove(str(CAPSTONE))


variant = load_variant()


def run_child(source, *words, python=sys.executable):
    done = subprocess.run(
        [str(python), "-B", "-c", "import sys; sys.path.insert(0, %r)\n" % str(CAPSTONE) + source, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


PLAY = r"""
import json, run
flow = run.load_flow(sys.argv[1])
digests = []
for scenario, seed, size in json.loads(sys.argv[3]):
    given = run.make_input(scenario, seed, size)
    try:
        digests.append(run.digest_of(run.play(scenario, flow, given, sys.argv[2])))
    except Exception as error:
        digests.append("raised %r" % error)
print(json.dumps(digests))
"""


def digests_of(app, plays, tmp_path, python=sys.executable):
    return run_child(PLAY, app, tmp_path, json.dumps(plays), python=python)


def written(package, tmp_path, names=itertools.count()):
    """A folder that holds this package."""
    folder = tmp_path / ("app%d" % next(names))
    variant.write_package(package, str(folder))
    return folder


ALL_PLAYS = [(scenario, seed, SMALL) for scenario in SCENARIOS for seed in (1, 2)]


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """The digests of the app, by (scenario, seed, size)."""
    folder = tmp_path_factory.mktemp("right")
    return dict(zip(ALL_PLAYS, digests_of(CAPSTONE / "app", ALL_PLAYS, folder)))


def test_app_and_solution_behave_alike_on_every_python(pythons, right, tmp_path):
    if pythons.minor < (3, 10):
        pytest.skip("parcelflow is for Python 3.10 and later")
    assert len(set(right.values())) == len(ALL_PLAYS) and not any(digest.startswith("raised") for digest in right.values())
    plays = ALL_PLAYS if pythons.path == sys.executable else [play for play in ALL_PLAYS if play[1] == 1]
    for app in ("app", "solution"):
        assert digests_of(CAPSTONE / app, plays, tmp_path, pythons.path) == [right[play] for play in plays], app


def test_solution_differs_in_the_repairs_alone():
    built, solution = variant.build(set()), variant.read_package("solution")
    assert built.keys() == solution.keys()
    for module, source in built.items():
        mine, theirs = variant.definitions_of(source), variant.definitions_of(solution[module])
        assert {name: ast.dump(found[2]) for name, found in mine.items()} == {
            name: ast.dump(found[2]) for name, found in theirs.items()
        }, module
    everything = variant.build(set(SITES) | DECOYS)
    assert everything == variant.read_package("app")


def test_app_has_the_promised_size():
    lines = sum(source.count("\n") for source in variant.read_package("app").values())
    assert 550 <= lines <= 750
    for module, source in variant.read_package("app").items():
        assert not any(word in source.lower() for word in ("slow(", "planted", "bottleneck", "decoy", "todo")), module


@pytest.mark.parametrize("plant, site", SITES)
def test_each_site_can_be_planted_or_repaired_alone(plant, site, right, tmp_path):
    play = (SCENARIO_OF[plant], 1, SMALL)
    for sites in ({(plant, site)}, (set(SITES) | DECOYS) - {(plant, site)}):
        app = written(variant.build(sites), tmp_path)
        assert digests_of(app, [play], tmp_path) == [right[play]], sites


# Variants


def test_variants_behave_as_the_app(right, tmp_path):
    plays = [(scenario, 2, SMALL) for scenario in SCENARIOS]
    for seed in range(6):
        app = written(variant.draw_variant(seed)[0], tmp_path)
        assert digests_of(app, plays, tmp_path) == [right[play] for play in plays], seed


def test_variant_of_a_seed_is_the_same_on_every_python(pythons):
    if pythons.minor < (3, 10):
        pytest.skip("parcelflow is for Python 3.10 and later")
    source = "import json, variant\nprint(json.dumps([variant.draw_variant(seed) for seed in ('ada', 7)]))"
    assert run_child(source, python=pythons.path) == json.loads(json.dumps([variant.draw_variant(seed) for seed in ("ada", 7)]))


def test_variants_differ():
    drawn = [variant.draw_variant(seed) for seed in range(20)]
    planted = {tuple((plant["id"], plant["site"]) for plant in key["plants"]) for _, key in drawn}
    named = {tuple(plant["function"] for plant in key["plants"]) for _, key in drawn}
    assert len(planted) >= 15 and len(named) == 20
    for _, key in drawn:
        assert {plant["id"] for plant in key["plants"]} == {"B%d" % number for number in range(1, 9)}


def test_key_names_what_the_variant_has():
    for seed in range(8):
        package, key = variant.draw_variant(seed)
        for item in key["plants"] + key["decoys"]:
            for name in [item["function"]] + item["also"]:
                module, _, function = name.partition(".")
                assert function in variant.definitions_of(package[module]), (seed, name)


def test_new_names_are_free_and_calls_from_outside_keep_theirs():
    table = json.loads((CAPSTONE / "names.json").read_text(encoding="utf-8"))
    taken, told = set(), set()
    for folder in ("app", "solution"):
        for source in variant.read_package(folder).values():
            for token in tokenize.generate_tokens(io.StringIO(source).readline):
                if token.type == tokenize.NAME:
                    taken.add(token.string)
                elif token.type == tokenize.STRING:
                    told.add(token.string.strip("'\""))
    modules = [name for others in table["modules"].values() for name in others]  # these stand in import lines only
    assert len(modules) == len(set(modules)) and not set(modules) & (set(variant.read_package("app")) | set(sys.stdlib_module_names))
    new = [name for others in table["names"].values() for name in others]
    assert len(new) == len(set(new)) and not set(new) & taken
    assert set(table["names"]) <= taken
    assert all(name.isidentifier() and not keyword.iskeyword(name) and not hasattr(builtins, name) for name in new)
    flow = ast.parse(variant.read_package("app")["flow"])
    called = {node.name for node in flow.body if isinstance(node, ast.FunctionDef)} | {"serve", "BackendError"}
    called |= {"answer", "active", "append", "commit", "records", "close", "flow", "publish"}
    assert not called & set(table["names"])
    slots = {"parcel", "minute", "depot", "steps", "ended"}
    assert slots <= told and not slots & set(table["names"])


# Where the work is: counted in the app with one site planted, and in the solution


COUNT_LINES = r"""
import json, run, threading, os
app, folder, scenario, size, function = sys.argv[1:6]
flow = run.load_flow(app)
given = run.make_input(scenario, 1, float(size))
total = below = depth = 0
def trace(frame, event, arg):
    global total, below, depth
    watched = frame.f_code.co_name == function and "parcelflow" in frame.f_code.co_filename
    if event == "call":
        depth += watched
    elif event == "return":
        depth -= watched
    elif event == "line":
        total += 1
        below += depth > 0
    return trace
sys.settrace(trace)
run.play(scenario, flow, given, folder)
sys.settrace(None)
print(json.dumps([below, total]))
"""


def lines_below(sites, scenario, function, tmp_path, size=0.1):
    """(lines executed in this function and what it calls, lines executed in all)"""
    return run_child(COUNT_LINES, written(variant.build(sites), tmp_path), tmp_path, scenario, size, function)


@pytest.mark.parametrize(
    "plant, site, function, share",
    [
        ("B1", "nearest", "nearest_depot", 0.5),
        ("B1", "windows", "join_windows", 0.5),
        ("B3", "label", "parcel_of", 0.5),
        ("B3", "stamp", "minute_of", 0.5),
        ("B3", "usual", "read_record", 0.5),
        ("B5", "steps", "price_steps", 0.5),
        ("B5", "version", "version_at", 0.2),  # the steps that are computed once count more where there are few prices
    ],
)
def test_planted_function_executes_many_lines(plant, site, function, share, tmp_path):
    below, total = lines_below({(plant, site)}, SCENARIO_OF[plant], function, tmp_path)
    repaired, _ = lines_below(set(), SCENARIO_OF[plant], function, tmp_path)
    assert below / total > share
    assert below > 2 * repaired


@pytest.mark.parametrize("function", ["parcel_of", "minute_of", "deepcopy"])
def test_parser_is_hot_under_the_second_workload_only(function, tmp_path):
    assert lines_below(set(SITES), "intake", function, tmp_path)[0] == 0


def test_ugly_function_is_cold(tmp_path):
    below, total = lines_below(set(SITES) | DECOYS, "day", "page_text", tmp_path)
    assert 0 < below / total < 0.03


MEASURE = r"""
import builtins, collections, gc, hashlib, importlib, json, os, random, threading, tracemalloc
import run, workloads
flow = run.load_flow(sys.argv[1])
what, folder = sys.argv[2:4]
def module(name):
    return importlib.import_module("parcelflow." + name)
def play(scenario, size=0.1):
    return run.play(scenario, flow, run.make_input(scenario, 1, size), folder)
def peak_of(call):
    tracemalloc.start()
    call()
    return tracemalloc.get_traced_memory()[1]
class Mark(str):
    compared = 0
    def __eq__(self, other):
        Mark.compared += 1
        return str.__eq__(self, other)
    __hash__ = str.__hash__
class Minutes(list):
    copied = 0
    def __iter__(self):
        Minutes.copied += 1
        return list.__iter__(self)
def repeats():
    Scan = module("model").Scan
    module("intake").drop_repeats([Scan(Mark("P%d" % place), "seen", place, 0, 0, 0, "Z1", {}) for place in range(300)])
    return Mark.compared
def belt():
    moved = 0
    def profile(frame, event, arg):
        nonlocal moved
        if event == "c_call" and isinstance(getattr(arg, "__self__", None), list) and arg.__name__ == "pop":
            moved += len(arg.__self__)
    sys.setprofile(profile)
    flow.sort_belt([("P%d" % place, 3) for place in range(500)])
    sys.setprofile(None)
    return moved
def rows():
    def fill():
        ledger = module("intake").Ledger()
        for place in range(2000):
            ledger.enter("P1", "D1", 5, 100, 200)
        return ledger
    return peak_of(fill)
def kept():
    return peak_of(lambda: play("history", 0.05))
def links():
    gc.disable()
    play("history", 0.02)
    return sum(type(thing).__name__ == "Trail" for thing in gc.get_objects())
def routes():
    routes, legs = run.make_input("scores", 1, 0.02)
    flow.score(routes, [[start, end, Minutes(minutes)] for start, end, minutes in legs])
    return Minutes.copied
def forms():
    opened = 0
    kept = builtins.open
    def count(path, *more, **others):
        nonlocal opened
        opened += str(path).endswith("forms.txt")
        return kept(path, *more, **others)
    builtins.open = count
    play("desk", 0.5)
    return opened
def seal():
    in_loop = 0
    kept = hashlib.pbkdf2_hmac
    def count(*words):
        nonlocal in_loop
        in_loop += threading.current_thread() is threading.main_thread()
        return kept(*words)
    hashlib.pbkdf2_hmac = count
    play("desk", 1)
    return in_loop
def awaits():
    rounds = 0
    async def sleep(delay, kept=workloads.asyncio.sleep):
        nonlocal rounds
        rounds = max(rounds, backends[0].running)
        await kept(delay)
    backends = []
    class Backend(workloads.Backend):
        def __init__(self, *words):
            super().__init__(*words)
            backends.append(self)
    workloads.Backend = Backend
    workloads.asyncio.sleep = sleep
    waves, forms = run.make_input("desk", 1, 0.1)
    waves = [[{"ask": "quotes", "parcels": ["P%d" % place for place in range(20)]}]] * 2
    run.play("desk", flow, (waves, forms), folder)
    return rounds
def append():
    synced = 0
    kept = os.fsync
    def count(descriptor):
        nonlocal synced
        synced += 1
    os.fsync = count
    play("journal", 1)
    return synced
print(json.dumps(globals()[what]()))
"""


def measure(sites, what, tmp_path):
    return run_child(MEASURE, written(variant.build(sites), tmp_path), what, tmp_path)


@pytest.mark.parametrize(
    "plant, site, times",
    [
        ("B2", "repeats", 100),
        ("B2", "belt", 100),
        ("B2", "rows", 1.5),
        ("B4", "kept", 3),
        ("B4", "links", 100),
        ("B6", "routes", 100),
        ("B7", "forms", 3),
        ("B7", "seal", 10),
        ("B8", "append", 10),
    ],
)
def test_planted_site_does_more_than_its_repair(plant, site, times, tmp_path):
    planted, repaired = (measure(sites, site, tmp_path) for sites in ({(plant, site)}, set()))
    assert planted >= times * max(1, repaired), (planted, repaired)


def test_planted_awaits_ask_one_question_at_a_time(tmp_path):
    assert measure({("B7", "awaits")}, "awaits", tmp_path) == 1
    assert measure(set(), "awaits", tmp_path) == 16


def test_cache_of_the_decoy_never_hits(tmp_path):
    hits = r"""
import importlib, json, run
flow = run.load_flow(sys.argv[1])
report = importlib.import_module("parcelflow.report")
class Watched(dict):
    hits = 0
    def __contains__(self, key):
        found = dict.__contains__(self, key)
        Watched.hits += found
        return found
report.SEALS = Watched()
run.play("day", flow, run.make_input("day", 1, 0.1), sys.argv[2])
print(json.dumps([Watched.hits, len(report.SEALS)]))
"""
    found, kept = run_child(hits, CAPSTONE / "app", tmp_path)
    assert found == 0 and kept > 50


# Wrong repairs: each is caught by its scenario


WRONG = {
    "stops at an equal distance": ("places", "places", "across > best[0]", "across >= best[0]"),
    "takes any of equally near depots": ("places", "places", "(distance, depot.code) < best", "distance < best[0]"),
    "shuts a window at its end": ("places", "places", "span[1] >= minute", "span[1] > minute"),
    "opens a window after its begin": ("places", "places", "span[0] > minute", "span[0] >= minute"),
    "gives windows by their times": ("places", "places", "in sorted(hits)", "in hits"),
    "keeps the last of equal scans": ("intake", "intake", "for scan in scans:\n        mark", "for scan in reversed(scans):\n        mark"),
    "puts the unfinished in front": ("intake", "intake", "belt.append(place)", "belt.appendleft(place)"),
    "orders equal weights by parcel": ("intake", "intake", "lambda row: -row.grams", "lambda row: (-row.grams, row.parcel)"),
    "takes any courier's label": (
        "corrections", "parse", "NUMBER.fullmatch(label, len(courier)) if label.startswith(courier) else None", "NUMBER.search(label)",
    ),
    "takes what fromisoformat takes": (
        "corrections", "parse", "match = STAMP.fullmatch(stamp)\n    if match:\n        when = datetime.datetime(*map(int, match.groups()))\n"
        '    else:\n        when = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S")', "when = datetime.datetime.fromisoformat(stamp)",
    ),
    "refuses stamps without leading zeros": (
        "corrections", "parse", '    else:\n        when = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S")\n',
        "    else:\n        raise ValueError(stamp)\n",
    ),
    "shares the usual values": ("corrections", "parse", "record = usual_fields()", "record = dict(SHARED)", "SHARED = usual_fields()\n"),
    "keeps one trail too few": ("history", "history", "deque(maxlen=KEPT_TRAILS)", "deque(maxlen=KEPT_TRAILS - 1)"),
    "points at the trail weakly": (
        "history", "history", "Step(self.parcel, minute, depot)", "Step(__import__('weakref').ref(self), minute, depot)",
        None, ("return [self.parcel, self.minute, self.depot]", "return [self.parcel().parcel, self.minute, self.depot]"),
        ('__slots__ = ("parcel", "steps", "ended")', '__slots__ = ("parcel", "steps", "ended", "__weakref__")'),
    ),
    "forgets the minute": ("prices", "tariffs", "    def price(", "    @lru_cache(maxsize=None)\n    def price_of(self, zone, grams):\n"
        "        return price_steps(self.version_at(30 * DAY), zone)[min(grams // STEP, STEPS - 1)]\n\n    def price(", None,
        ("        version = self.version_at(minute)\n", "        return self.price_of(zone, grams)\n        version = self.version_at(minute)\n"),
    ),
    "keeps a day's version for ever": ("prices", "tariffs", "    def version_at(self, minute):", "    def version_at(self, minute):\n"
        "        return self.version_of(minute // DAY)\n\n    @lru_cache(maxsize=None)\n    def version_of(self, day):\n        minute = day * DAY\n"),
    "changes tariffs a day late": ("prices", "tariffs", "bisect_right(self.versions, minute // DAY,", "bisect_right(self.versions, (minute - 1) // DAY,"),
    "forgets the number of a version": ("prices", "tariffs", "key=lambda version: (version.day, version.number))", "key=lambda version: version.day)"),
    "lets drivers share a table": ("scores", "routes", "    passes = {}\n", "", "passes = {}\n"),
    "gives scores by size": ("scores", "routes", "return [score_route(route, start, legs) for route, start in routes]",
        "return sorted(score_route(route, start, legs) for route, start in routes)"),
    "keeps an old form": ("desk", "desk", "if state != self.read_state:", "if self.read_state is None:"),
    "lets the others go on": ("desk", "desk", "    finally:\n        for task in tasks:\n            task.cancel()\n"
        "        await asyncio.gather(*tasks, return_exceptions=True)\n", "    finally:\n        pass\n"),
    "asks more than the backend takes": ("desk", "desk", "        async with self.slots:\n            return await", "        if True:\n            return await"),
    "makes the limit anew for each call": ("desk", "desk", "async with self.slots:", "async with asyncio.Semaphore(AT_ONCE):"),
    "swallows being given up": ("desk", "desk", "        except BackendError as error:", "        except asyncio.CancelledError:\n            return None\n        except BackendError as error:"),
    "leaves records in its buffer": ("journal", "journal", "        self.file.flush()\n", ""),
    "doesn't sync": ("journal", "journal", "os.fsync(self.file.fileno())", "self.file.flush()"),
    "writes after a torn line": ("journal", "journal", "        cut_torn_line(path)\n", ""),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_repair_is_caught(wrong, tmp_path):
    scenario, module, old, new, *more = WRONG[wrong]
    package = variant.read_package("solution")
    source = package[module]
    first = more[0] if more else None
    for before, after in [(old, new)] + list(more[1:]):
        assert source.count(before) == 1, (before, source.count(before))
        source = source.replace(before, after)
    package[module] = source + ("\n\n" + first if first else "")
    plays = [(scenario, 1, 0.1)]
    expected = digests_of(CAPSTONE / "solution", plays, tmp_path)
    assert digests_of(written(package, tmp_path), plays, tmp_path) != expected


def test_scores_in_order_of_need_a_copy_for_each(tmp_path):
    """The obvious first step, leaving out the copy, is wrong: the tasks change the table."""
    package = variant.read_package("app")
    copied = "own = {leg: list(by_hour) for leg, by_hour in legs.items()}"
    assert package["routes"].count(copied) == 1
    package["routes"] = package["routes"].replace(copied, "own = legs")
    plays = [("scores", 1, 0.1)]
    assert digests_of(written(package, tmp_path), plays, tmp_path) != digests_of(CAPSTONE / "app", plays, tmp_path)


# What needs a process of its own


KEEP_APPENDING = r"""
import itertools, run
journal = run.load_flow(sys.argv[1]).open_journal(sys.argv[2])
for number in itertools.count(1):
    journal.append({"number": number, "text": "x" * 300})
    print(number, flush=True)
"""


@pytest.mark.parametrize("app", ["app", "solution"])
def test_journal_survives_kill_of_its_writer(app, tmp_path):
    path = tmp_path / "journal.jsonl"
    source = "import sys; sys.path.insert(0, %r)\n" % str(CAPSTONE) + KEEP_APPENDING
    with subprocess.Popen(
        [sys.executable, "-B", "-c", source, str(CAPSTONE / app), str(path)], stdout=subprocess.PIPE, universal_newlines=True
    ) as process:
        try:
            for _ in range(25):
                process.stdout.readline()
        finally:
            process.send_signal(signal.SIGKILL)
        told = 25 + len([line for line in process.stdout if line.endswith("\n")])
    with open(path, "ab") as file:
        file.write(b'{"number": ')  # a kill in the middle of a record
    reread = "import json, run\njournal = run.load_flow(sys.argv[1]).open_journal(sys.argv[2])\nprint(json.dumps(journal.records()))\njournal.close()"
    numbers = [record["number"] for record in run_child(reread, CAPSTONE / app, path)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= told


ASK_OVER_SOCKET = r"""
import asyncio, json, run
flow = run.load_flow(sys.argv[1])
async def backend(kind, parcel):
    return 3 if kind == "zone" else 1000
async def main(path):
    server = await flow.serve(flow.open_desk("no forms", backend), path)
    reader, writer = await asyncio.open_unix_connection(path)
    answers = []
    for query in ({"ask": "quotes", "parcels": ["P1", "P2"]}, {"ask": "weather"}):
        writer.write(json.dumps(query).encode() + b"\n")
        answers.append(json.loads(await reader.readline()))
    writer.close()
    server.close()
    return answers
print(json.dumps(asyncio.run(main(sys.argv[2]))))
"""


@pytest.mark.parametrize("app", ["app", "solution"])
def test_desk_serves_over_a_socket(app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    assert run_child(ASK_OVER_SOCKET, CAPSTONE / app, "s") == [{"quotes": [400, 400]}, {"error": "no such query"}]


def test_runner_prints_digest_and_leaves_nothing(tmp_path):
    facts = []
    for app in ("app", "solution"):
        words = ["desk", "--size", "0.1", "--seed", "9", "--json", "--app", CAPSTONE / app, "--folder", tmp_path]
        done = subprocess.run(
            [sys.executable, "-B", str(CAPSTONE / "run.py"), *map(str, words)], stdout=subprocess.PIPE, universal_newlines=True, timeout=60
        )
        assert done.returncode == 0
        facts.append(json.loads(done.stdout))
    assert facts[0]["digest"] == facts[1]["digest"] and facts[0]["seconds"] > 0 and facts[0]["longest_gap_ms"] > 0
    assert list(tmp_path.iterdir()) == []
