"""Seven programs that pass the scans of a day through some stages, and two questions about each: which stage is hot, and how hot?

The hot stage is there by construction. Its share depends on the Python that runs it, so measure() takes it here and now.
"""
import time

COUNT = 7
SECONDS = 0.4                              # of one program, on the machine that the costs below were measured on
DEPOTS = ("Aarhus", "Bremen", "Graz", "Lyon", "Malaga", "Porto", "Turin", "Zwolle")

HEAD = '''"""{title}: what came in from the handheld scanners today."""
{imports}
SCANS = {scans}
DEPOTS = {depots}


def read_scans(count):
    """Return the scans as they come, one dict each."""
    scans = []
    for number in range(count):
        mixed = number * 7919 % 104729
        scans.append({{
            "number": number,
            "day": "2026-%02d-%02d" % (1 + mixed % 12, 1 + mixed % 28),
            "depot": DEPOTS[mixed % len(DEPOTS)],
            "customer": "C%05d" % (mixed % {customers}),
            "grams": 50 + mixed % 29000,
            "note": "left at %-{width}s by %d" % ("the door", mixed % 90),
        }})
    return scans
'''

# Stages by name: nanoseconds a scan, and more for each of `size` (trim_notes: for its square); imports; text.
HOT = {
    "mark_new_customers": ((220, 4.0), "", '''
def mark_new_customers(scans):
    """Say of each scan whether it is its customer's first one today."""
    seen = []
    for scan in scans:
        scan["new"] = scan["customer"] not in seen
        if scan["new"]:
            seen.append(scan["customer"])
    return scans
'''),
    "number_customers": ((100, 7.2), "", '''
CUSTOMERS = ["C%05d" % number for number in range({size})]


def number_customers(scans):
    """Give each scan the number of its customer's contract."""
    for scan in scans:
        scan["contract"] = CUSTOMERS.index(scan["customer"])
    return scans
'''),
    "find_urgent": ((450, 60), "", '''
URGENT_WORDS = ["%s %d" % (word, number) for word in ("urgent", "express", "cold", "alive") for number in range({quarter})]


def find_urgent(scans):
    """Say of each scan whether its note asks for haste."""
    for scan in scans:
        scan["urgent"] = any(word in scan["note"] for word in URGENT_WORDS)
    return scans
'''),
    "find_heavy": ((520, 9.2), "", '''
def find_heavy(scans):
    """Say of each scan whether it is among the {size} heaviest so far."""
    heaviest = []
    for scan in scans:
        heaviest = sorted(heaviest + [scan["grams"]])[-{size}:]
        scan["heavy"] = scan["grams"] >= heaviest[0]
    return scans
'''),
    "compare_with_before": ((220, 3.6), "", '''
def compare_with_before(scans):
    """Note how much heavier each scan is than the one {size} scans before it."""
    recent = [0] * {size}
    for scan in scans:
        scan["more"] = scan["grams"] - recent[0]
        recent = recent[1:] + [scan["grams"]]
    return scans
'''),
    "weigh_the_van": ((260, 8.8), "", '''
def weigh_the_van(scans):
    """Note the weight of the last {size} scans, which is a van's load."""
    weights = []
    for scan in scans:
        weights.append(scan["grams"])
        scan["load"] = sum(weights[-{size}:])
    return scans
'''),
    "trim_notes": ((1300, 4.6), "import re\n", '''
def trim_notes(scans):
    """Cut the blanks at the end of each note."""
    for scan in scans:
        scan["note"] = re.sub(r"\\s+$", "", scan["note"])
    return scans
'''),
    "shorten_notes": ((150, 115), "import textwrap\n", '''
def shorten_notes(scans):
    """Make the notes short enough for the small label, which {size} parcels of a hundred get."""
    for scan in scans:
        if scan["number"] % 100 < {size}:
            scan["note"] = textwrap.shorten(scan["note"], width=18)
    return scans
'''),
    "keep_originals": ((150, 57), "import copy\n", '''
def keep_originals(scans):
    """Keep {size} scans of a hundred as they came, beside what becomes of them: those are audited."""
    for scan in scans:
        if scan["number"] % 100 < {size}:
            scan["original"] = copy.deepcopy(scan)
    return scans
'''),
}
OF_A_HUNDRED = ("shorten_notes", "keep_originals")

UGLY = {
    "shorten_depots": (250, '''
def shorten_depots(scans):
    for i in range(0, len(scans)):
        d = scans[i]["depot"]
        if d == "Aarhus":
            x = "AA"
        else:
            if d == "Bremen":
                x = "BR"
            else:
                if d == "Graz" or d == "Lyon":
                    x = d[0:2]
                    x = x.upper()
                else:
                    x = "%s%s" % (d[0], d[1])
        scans[i]["short"] = x
    return scans
'''),
    "check_digits": (1800, '''
def check_digits(scans):
    for i in range(0, len(scans)):
        t = 0
        s = "%07d" % scans[i]["number"]
        for j in range(0, 7):
            v = int(s[j])
            if j % 2 == 0:
                v = v * 3
            t = t + v
        scans[i]["check"] = (10 - t % 10) % 10
    return scans
'''),
    "price_them": (290, '''
def price_them(scans):
    for i in range(0, len(scans)):
        g = scans[i]["grams"]
        if g < 1000:
            p = 390
        elif g < 2000:
            p = 450
        elif g < 5000:
            p = 690
        elif g < 10000:
            p = 890
        else:
            p = 890 + ((g - 10000) // 1000) * 55
        if scans[i]["depot"] == "Porto" or scans[i]["depot"] == "Malaga":
            p = p + p * 8 // 100
        scans[i]["cents"] = p
    return scans
'''),
}
PLAIN = {
    "round_weights": (125, '''
def round_weights(scans):
    """Round each weight up to full 100 grams, as the tariff has it."""
    for scan in scans:
        scan["billed"] = -(-scan["grams"] // 100) * 100
    return scans
'''),
    "sort_by_day": (495, '''
def sort_by_day(scans):
    """Order the scans by day, then depot."""
    return sorted(scans, key=lambda scan: (scan["day"], scan["depot"]))
'''),
    "print_labels": (590, '''
def print_labels(scans):
    """Write the line for each scan's label."""
    for scan in scans:
        scan["label"] = "%-10s %s %8.2f kg" % (scan["depot"], scan["customer"], scan["grams"] / 1000)
    return scans
'''),
    "count_words": (300, '''
def count_words(scans):
    """Note how long each note is, in words."""
    for scan in scans:
        scan["words"] = len(scan["note"].split())
    return scans
'''),
}
READ = 1550                                # nanoseconds a scan of read_scans

MAIN = '''

def main():
    scans = read_scans(SCANS)
{calls}
    print(len(scans), "scans,", len(scans[0]), "fields each")
    return scans                           # that they are let go takes a while, and belongs to no stage


if __name__ == "__main__":
    main()
'''
TITLES = ("Morning round", "Night shift", "Return desk", "Sorting hall", "Customs shed", "Depot gate", "Evening van")


def program(random, place, hot):
    """Return (name, text, stages, share): `hot` is by far the costliest of the stages, and should have that share in percent."""
    (fixed, each), imports, text = HOT[hot]
    ugly, plain = random.choice(sorted(UGLY)), random.sample(sorted(PLAIN), 2)
    others = READ + UGLY[ugly][0] + sum(PLAIN[name][0] for name in plain)
    least = 1.7 * max(READ, UGLY[ugly][0])  # the hot one is so in each Python
    share = random.uniform(least / (least + others), 0.93)
    cost = max(share / (1 - share) * others, fixed + 100)
    if hot in OF_A_HUNDRED:
        cost = min(cost, fixed + 100 * each)
    size = 4 + int((cost - fixed) / each) // 4 * 4
    width, customers = 8, 997
    if hot == "trim_notes":                # it tries again at each blank of a run
        width += int(((cost - fixed) / each) ** 0.5)
    elif hot in ("mark_new_customers", "number_customers"):
        customers = size
    text = text.replace("{size}", str(size)).replace("{quarter}", str(size // 4))
    stages = [(hot, text), (ugly, UGLY[ugly][1])] + [(name, PLAIN[name][1]) for name in plain]
    random.shuffle(stages)
    head = HEAD.format(title=TITLES[place], imports=imports, scans=int(SECONDS * 1e9 / (cost + others)) // 100 * 100,
                       depots=DEPOTS, customers=customers, width=width)
    calls = "\n".join("    scans = %s(scans)" % name for name, _ in stages)
    whole = head + "".join("\n" + text for _, text in stages) + MAIN.format(calls=calls)
    return "scans%d.py" % (place + 1), whole, ["read_scans"] + [name for name, _ in stages], 100 * cost / (cost + others)


def questions(random):
    asked = []
    for place, hot in enumerate(random.sample(sorted(HOT), COUNT)):
        name, text, stages, share = program(random, place, hot)
        asked.append({
            "program": {"name": name, "text": text},
            "ask": "which stage has the largest total time?",
            "choices": sorted(stages), "answer": hot, "tolerance": 0, "predict": True})
        asked.append({
            "program": {"name": name, "text": text},
            "ask": "what share of main's total time is that stage's total time, in percent?",
            "choices": None, "answer": None, "tolerance": 9, "predict": True, "share_of": hot, "planned": share})
    return asked


def measure(question):
    """The share in percent of the stage that the question is about, as this Python spends it. What main() returns is let go after
    its time, as in a recording, where that is its caller's."""
    namespace, spent = {"__name__": "program"}, {}

    def timed(name, function):
        def call(*arguments):
            start = time.process_time()
            result = function(*arguments)
            spent[name] = time.process_time() - start
            return result
        return call

    exec(compile(question["program"]["text"], question["program"]["name"], "exec"), namespace)
    for name in (question["share_of"], "main"):
        namespace[name] = timed(name, namespace[name])
    namespace["main"]()
    return round(100 * spent[question["share_of"]] / spent["main"], 1)
