"""The capstone as a learner takes it: laid down, recorded, checked; what is right, what is found, what is refused.

Checks here have gates that measure next to nothing: what is about behaviour and findings need not wait for timings. No test
asks for a gate's outcome.
"""
import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import PYTHONS, ROOT
from test_capstone import CAPSTONE, PLANTS, SCENARIOS, variant

CHECK = ROOT / "build" / "tests" / "grade_lab"
DEADLINE = 240  # seconds after which something hangs; no test measures time by it
LINES_MOST = 25
SEED = 5
USABLE = [p for p in PYTHONS if p.minor >= (3, 10) and not p.free_threaded]
CHEAP = {"kind": "not-fatter", "name": "history", "limit": 10, "sizes": [4004], "hint": "-"}  # nothing misses it

pytestmark = pytest.mark.skipif(not USABLE, reason="no Python of 3.10 or later")


def number_of(scenario):
    return 1 + SCENARIOS.index(scenario)


def changed(tmp_path, cases, gates=(CHEAP,)):
    """The capstone with these cases, as (scenario, percent), and these gates."""
    lab = tmp_path / "capstone"
    shutil.copytree(CAPSTONE, lab)
    manifest = json.loads((lab / "lab.json").read_text())
    sizes = [1000 * number_of(scenario) + percent for scenario, percent in cases]
    manifest.update(cases={"count": len(sizes), "sizes": sizes}, gates=list(gates))
    (lab / "lab.json").write_text(json.dumps(manifest))
    return lab


def laid_down(folder, python, seed=SEED):
    folder.mkdir(exist_ok=True)
    words = [CHECK, "capstone", "-", "--write", "--seed", str(seed), "--questions", folder, "--python", python.path]
    subprocess.run(words, check=True, timeout=DEADLINE, cwd=ROOT)
    return folder


def check(lab, folder, python=None, seed=SEED, status=(0, 1)):
    """(receipt, lines of feedback) of what lies in this folder"""
    words = [lab, folder / "app" / "parcelflow", "--questions", folder, "--seed", str(seed), "--python", (python or USABLE[-1]).path]
    done = subprocess.run([CHECK, *words], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode in status, done.stderr
    if done.returncode == 3:
        return None, done.stderr.splitlines()
    receipt, _, feedback = done.stdout.partition("\n")
    lines = feedback.splitlines()
    assert len(lines) <= LINES_MOST and lines[-1].startswith("next: ") and all(line.isprintable() for line in lines)
    return json.loads(receipt), lines


def put_package(package, folder):
    """In the place of the learner's."""
    shutil.rmtree(folder / "app")
    variant.write_package(package, str(folder / "app"))


def repaired(module, old, new):
    package = variant.read_package("solution")
    assert package[module].count(old) == 1
    package[module] = package[module].replace(old, new)
    return package


# ---- the manifest ----


def test_gates_are_those_that_the_readme_promises():
    manifest = json.loads((CAPSTONE / "lab.json").read_text())
    told = [(gate["name"], gate["kind"], gate["limit"]) for gate in manifest["gates"]]
    day = PLANTS["scoring"]["day"]
    expected = [(plant["scenario"], plant["gate"]["kind"], plant["gate"]["limit"]) for plant in PLANTS["plants"]]
    assert told == expected + [("day", "speed", day["speed"]), ("day", "memory", day["memory"])]
    for gate in manifest["gates"]:
        assert gate["sizes"][0] // 1000 == number_of(gate["name"]) and gate["sizes"][0] % 1000 >= 100
    assert {size // 1000 for size in manifest["cases"]["sizes"]} == set(range(1, 10))
    assert manifest["cases"]["count"] >= 3 * len(SCENARIOS)


# ---- behaviour ----


@pytest.mark.parametrize("python", USABLE[::max(len(USABLE) - 1, 1)], ids=lambda python: python.id)
def test_untouched_copy_and_repair_behave_alike_in_a_check(python, tmp_path):
    lab = changed(tmp_path, [(scenario, 2) for scenario in SCENARIOS])
    folder = laid_down(tmp_path / "mine", python)
    for package in (None, variant.read_package("solution")):
        if package:
            put_package(package, folder)
        receipt, lines = check(lab, folder, python)
        assert receipt["right"] == receipt["cases"] == len(SCENARIOS), lines
        assert receipt["outcome"] == "wrong" and "the findings are not enough" in lines[0]
        assert "there is no findings.json yet" in lines[1]
        assert receipt["findings"] == {"repair": {"named": 0, "right": 0}, "remove": {"named": 0, "right": 0},
            "leave": {"named": 0, "right": 0}, "found": 0, "plants": 8, "refused": 0, "passed": False}
        assert receipt["variant"] == str(SEED)


BROKEN = {
    "places": ("places", "span[1] >= minute", "span[1] > minute"),
    "intake": ("intake", "lambda row: -row.grams", "lambda row: row.grams"),
    "corrections": ("parse", '    else:\n        when = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S")\n', "    else:\n        raise ValueError(stamp)\n"),
    "history": ("history", "deque(maxlen=KEPT_TRAILS)", "deque(maxlen=KEPT_TRAILS - 1)"),
    "prices": ("tariffs", "bisect_right(self.versions, minute // DAY,", "bisect_right(self.versions, (minute - 1) // DAY,"),
    "desk": ("desk", "        async with self.slots:\n            return await", "        if True:\n            return await"),
    "journal": ("journal", "os.fsync(self.file.fileno())", "self.file.flush()"),
}


@pytest.mark.parametrize("scenario", BROKEN)
def test_broken_repair_is_told_with_its_scenario(scenario, tmp_path):
    lab = changed(tmp_path, [("scores", 4)] + 2 * [(scenario, 10)])
    folder = laid_down(tmp_path / "mine", USABLE[-1])
    put_package(repaired(*BROKEN[scenario]), folder)
    receipt, lines = check(lab, folder)
    assert receipt["outcome"] == "wrong" and receipt["points"] == 0, lines
    call = next(line for line in lines if line.startswith("  call "))
    assert 'play("%s", ' % scenario in call.replace("'", '"')
    assert any(line.startswith("  your answer") for line in lines) and any(line.startswith("  right") for line in lines)
    assert "run.py's scenario" in lines[-1]


def test_input_of_a_wrong_answer_can_be_played_by_hand(tmp_path):
    """Its first three words are run.py's: both copies then have different digests."""
    lab = changed(tmp_path, [("prices", 10)])
    folder = laid_down(tmp_path / "mine", USABLE[-1])
    put_package(repaired(*BROKEN["prices"]), folder)
    _, lines = check(lab, folder)
    call = next(line for line in lines if line.startswith("  call "))
    scenario, seed, size = call.split("play(")[1].split(", ")[:3]
    digests = set()
    for app in ("app", "untouched"):
        words = [USABLE[-1].path, "-B", "run.py", scenario.strip("'\""), "--seed", seed, "--size", size, "--app", app, "--json"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, timeout=DEADLINE)
        digests.add(json.loads(done.stdout)["digest"])
    assert len(digests) == 2


# It writes what run.py looks at, each seventh time, and at commit: only a kill shows what is missing.
LAZY = ("        self.file.flush()\n", "        self.appended = getattr(self, 'appended', -1) + 1\n        if self.appended % 7 == 0:\n            self.file.flush()\n")


def test_records_that_a_kill_takes_are_missed(tmp_path):
    lab = changed(tmp_path, [("journal", 10)])
    folder = laid_down(tmp_path / "mine", USABLE[-1])
    package = variant.read_package("solution")
    synced = "        os.fsync(self.file.fileno())\n"
    assert LAZY[0] in package["journal"] and synced in package["journal"]
    put_package(dict(package, journal=package["journal"].replace(*LAZY).replace(synced, LAZY[0] + synced)), folder)
    for _ in range(3):  # by chance, one check in 7 ** 3 has its kills where nothing is missing
        receipt, lines = check(lab, folder)
        if receipt["outcome"] == "wrong" and "survive a kill" in lines[0]:
            break
    assert "the journal does not survive a kill" in lines[0], lines
    assert "when the process was killed" in lines[1]


@pytest.mark.parametrize("statement, outcome, said", [
    ("raise ValueError('\\x1b[31mred\\nnext: you passed')", "wrong", "ValueError"),
    ("import os; os._exit(3)", "broken", "exit status 3"),
    ("def no colon", "broken", "SyntaxError"),
    ("from parcelflow import nothing_there", "broken", "nothing_there"),
])
def test_package_that_does_not_run_gets_a_clear_message(statement, outcome, said, tmp_path):
    lab = changed(tmp_path, [("places", 4)])
    folder = laid_down(tmp_path / "mine", USABLE[-1])
    package = variant.read_package("solution")
    if outcome == "wrong":
        package["places"] = package["places"].replace("def assign_depots(points, depots):\n", "def assign_depots(points, depots):\n    %s\n" % statement)
    else:
        package["flow"] += "\n\n%s\n" % statement
    put_package(package, folder)
    receipt, lines = check(lab, folder)
    assert receipt["outcome"] == outcome and said in "\n".join(lines), lines


def test_package_of_links_or_folders_is_refused(tmp_path):
    folder = laid_down(tmp_path / "mine", USABLE[-1])
    package = folder / "app" / "parcelflow"
    (package / "secret.py").symlink_to("/etc/passwd")
    assert "secret.py in your parcelflow is a link" in check("capstone", folder, status=(3,))[1][0]
    (package / "secret.py").unlink()
    (package / "more").mkdir()
    assert "more in your parcelflow is a folder" in check("capstone", folder, status=(3,))[1][0]
    (package / "more").rmdir()
    os.mkfifo(folder / "findings.json")
    assert "cannot read findings.json" in check("capstone", folder, status=(3,))[1][0]


def test_processes_may_be_used(tmp_path):
    """A pool is no good repair of the scores here, but a right one."""
    lab = changed(tmp_path, [("scores", 4)])
    folder = laid_down(tmp_path / "mine", USABLE[-1])
    package = variant.read_package("solution")
    old = "    return [score_route(route, start, legs) for route, start in routes]\n"
    assert old in package["routes"]
    package["routes"] = "import concurrent.futures\nimport multiprocessing\n" + package["routes"].replace(old, (
        "    how = multiprocessing.get_context('fork')\n"
        "    with concurrent.futures.ProcessPoolExecutor(2, mp_context=how) as pool:\n"
        "        return list(pool.map(score_route, *zip(*routes), [legs] * len(routes), chunksize=50))\n"))
    put_package(package, folder)
    receipt, lines = check(lab, folder)
    if receipt["machine"]["sandbox_level"] < 3 and receipt["outcome"] in ("broken", "fault"):
        pytest.skip("this machine grants no processes: " + lines[1])
    assert receipt["right"] == receipt["cases"] == 1 and "the findings are not enough" in lines[0], lines


# ---- findings ----


def record_all(folder, python):
    """(folder, key, Python): a variant with a recording of each scenario."""
    laid_down(folder, python)
    for scenario in SCENARIOS:
        record(folder, scenario, python)
    return folder, variant.draw_variant(SEED)[1], python


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return record_all(tmp_path_factory.mktemp("recorded") / "mine", USABLE[-1])


def record(folder, scenario, python, name=None, app="app"):
    words = [ROOT / "build" / "pitviper", "run", "--python", python.path, "-o", name or scenario + ".pit", "--", "run.py", scenario, "--app", app]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr


def finding(item, kind="repair", recording=None):
    scenario = item["scenario"]
    return {"function": item["function"], "kind": item.get("kind", kind), "scenario": scenario, "recording": recording or scenario + ".pit"}


def whole_key(key):
    return [finding(item) for item in key["plants"] + key["decoys"]]


def judged(recorded, tmp_path, findings):
    """The receipt's findings, and the lines about them."""
    folder, _, python = recorded
    (folder / "findings.json").write_text(findings if isinstance(findings, str) else json.dumps(findings))
    receipt, lines = check(changed(tmp_path, [("places", 4)]), folder, python)
    return receipt["findings"], lines


@pytest.mark.parametrize("python", ["newest", "oldest"])
def test_whole_key_with_recordings_is_right(python, recorded, tmp_path):
    """The oldest knows the last parts of names alone."""
    if python == "oldest":
        recorded = record_all(tmp_path / "mine", USABLE[0])
    told, lines = judged(recorded, tmp_path, whole_key(recorded[1]))
    assert told["found"] == told["plants"] == 8 and told["passed"], lines
    # A bottleneck of several places may be in one of them alone as far as samples show.
    assert told["refused"] <= len(recorded[1]["plants"]) - 8
    assert told["repair"]["right"] == told["repair"]["named"] == len(recorded[1]["plants"]) - told["refused"]
    assert told["remove"] == told["leave"] == {"named": 1, "right": 1}
    assert "8 of 8 bottlenecks named" in lines[1] and "`remove`: right; `leave`: right" in lines[1]


def test_five_are_not_enough_and_the_others_are_not_told(recorded, tmp_path):
    key = recorded[1]
    told, lines = judged(recorded, tmp_path, [finding(item) for item in key["plants"] if item["id"] <= "B5"])
    assert told["found"] == 5 and not told["passed"], lines
    rest = {item["function"] for item in key["plants"] if item["id"] > "B5"}
    assert rest and not any(function in line for function in rest for line in lines)


def test_naming_everything_fails(recorded, tmp_path):
    """Each function that has 2 % of a recording, as its report says."""
    some = []
    for scenario in SCENARIOS:
        words = [ROOT / "build" / "pitviper", "report", "--json", recorded[0] / (scenario + ".pit")]
        report = json.loads(subprocess.run(words, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout)
        for entry in report["functions"]:
            module = os.path.basename(entry["file"])[:-3]
            if "/parcelflow/" in entry["file"] and entry["total"]["share"] >= 0.02:
                some.append({"function": "%s.%s" % (module, entry["function"]), "kind": "repair", "scenario": scenario, "recording": scenario + ".pit"})
    told, lines = judged(recorded, tmp_path, some[:64])
    assert told["found"] >= 6 and told["repair"]["named"] > 20 and not told["passed"], lines


def test_foreign_recordings_are_refused_and_told(recorded, tmp_path):
    folder, key, python = recorded
    place = next(item for item in key["plants"] if item["id"] == "B1")
    prices = next(item for item in key["plants"] if item["id"] == "B5")
    variant.write_package(variant.read_package("solution"), str(tmp_path / "other"))
    record(folder, "places", python, "repaired.pit", str(tmp_path / "other"))
    (folder / "text.pit").write_text("no recording")
    told, lines = judged(recorded, tmp_path, [finding(place, recording="repaired.pit"), finding(prices, recording="places.pit"),
        finding(prices, recording="text.pit"), finding(prices, recording="gone.pit"), finding(dict(prices, function="nowhere.nothing"))])
    assert told["found"] == 0 and told["refused"] == 5 and told["repair"] == {"named": 0, "right": 0}
    text = "\n".join(lines)
    for said in ("not one of your untouched copy", "of the scenario places", "its recording is none", "cannot be opened", "nothing of this name"):
        assert said in text, lines


@pytest.mark.parametrize("sheet, said", [
    ("[" * 100000, "no JSON"),
    ('[{"function": "\\u001b[2J\\u202e", "kind": "repair", "scenario": "day", "recording": "day.pit"}]', "nothing of this name"),
], ids=["deep", "escapes"])
def test_hostile_findings_get_a_clear_message(recorded, tmp_path, sheet, said):
    told, lines = judged(recorded, tmp_path, sheet)
    assert not told["passed"] and said in "\n".join(lines)


# ---- the verbs ----


@pytest.fixture
def learner(run, tmp_path):
    def learn(*words, **options):
        course = tmp_path / "pitviper-course"
        return run("learn", *words, cwd=course if course.exists() else tmp_path, timeout=DEADLINE, **options)

    learn("start", "--python", USABLE[-1].path).ok()
    learn.course = tmp_path / "pitviper-course"
    learn.folder = learn.course / "capstone"
    learn.events = lambda: [json.loads(line) for line in (learn.course / "log.jsonl").read_text().splitlines()]
    return learn


def test_next_lays_the_learners_variant_down(learner):
    done = learner("next", "capstone").ok()
    assert done.out.splitlines()[-1] == "next: pitviper learn run capstone SCENARIO"
    seed = int(next(event for event in learner.events() if event["kind"] == "begin")["seed"], 16)
    package, key = variant.draw_variant(seed)
    for copy in ("app", "untouched"):
        laid = {path.stem: path.read_text() for path in (learner.folder / copy / "parcelflow").iterdir()}
        assert laid == package
    names = {path.relative_to(learner.folder).as_posix() for path in learner.folder.rglob("*") if path.is_file()}
    assert {name for name in names if "/" not in name} == {".pitviper-lab", "README.md", "run.py", "workloads.py"}
    flow = learner.folder / "app" / "parcelflow" / "flow.py"
    flow.write_text("mine = 1\n")
    (learner.folder / "run.py").unlink()
    learner("next", "capstone").ok()
    assert flow.read_text() == "mine = 1\n" and (learner.folder / "run.py").exists()
    assert len([event for event in learner.events() if event["kind"] == "begin"]) == 1


def test_run_records_a_scenario(learner):
    learner("next", "capstone").ok()
    assert learner("run", "capstone").status == 2
    assert "which scenario?" in learner("run", "capstone", "--", "-x").err
    unknown = learner("run", "capstone", "jounral")
    assert unknown.status == 2 and "places, intake," in unknown.err and not list(learner.folder.glob("*.pit"))
    learner("run", "capstone", "journal", "--size", "0.2").ok()
    learner("run", "capstone", "journal", "--app", "untouched").ok()
    assert (learner.folder / "journal-1.pit").exists() and (learner.folder / "journal-2.pit").exists()
    runs = [event for event in learner.events() if event["kind"] == "run"]
    assert [event["recording"] for event in runs] == ["journal-1.pit", "journal-2.pit"]
    assert learner("watch", "capstone").status == 2


def test_attempt_is_kept_and_the_report_has_it_in_a_row_of_its_own(learner):
    learner("next", "capstone").ok()
    (learner.folder / "app" / "parcelflow" / "flow.py").write_text("raise RuntimeError('no')\n")
    done = learner("check", "capstone", "--json")
    assert done.status == 1 and done.json["outcome"] == "broken" and done.json["findings"]["found"] == 0
    assert learner("solution", "capstone").status == 1
    report = learner("report").ok().out
    assert report.count("Parcelflow: does not run") == 1 and "it did not come to findings" in report
    # A passed one, as another machine's log would bring it: what follows from it is looked at here, not the check.
    first = next(event for event in learner.events() if event["kind"] == "begin")
    figures = [7, 8, 9, 10, 6, 8, 2, 2, 4.5, 0.07]
    event = {"id": "ab" * 16, "time_ns": first["time_ns"] + 10**9, "machine": first["machine"], "kind": "check", "lab": "capstone",
        "outcome": "passed", "points": 90, "right": 27, "of": 27, "level": 4, "figures": figures, "receipt": "cd" * 16}
    with open(learner.course / "log.jsonl", "a") as log:
        log.write(json.dumps(event) + "\n")
    report = learner("report", "--html", "report.html", "-o", "report.txt").ok() and (learner.course / "report.txt").read_text()
    row = report[report.index("\nCapstone\n"):]
    assert "Parcelflow: passed, 90 points" in row and "findings: 7 of 8 bottlenecks; of 10 named, 9 right" in row
    assert "scenarios: 6 of 8 meet their limits; the day: 2 of 2" in row and "measured: 4.5 0.07" in row
    page = (learner.course / "report.html").read_text()
    assert "<h2>Capstone</h2>" in page and "7 of 8 bottlenecks found; of 10 named, 9 right; 6 of 8 scenarios" in page
    assert "capstone Parcelflow" in " ".join(learner("progress").ok().out.split())
    told = learner("solution", "capstone").ok().out
    key = variant.draw_variant(int(first["seed"], 16))[1]
    for item in key["plants"] + key["decoys"]:
        assert "`%s`" % item["function"] in told and item["what"] in told
