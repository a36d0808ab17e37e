"""Stored profiles of the five nightly runs of a town library, and two questions about each: what would a faster part do for the whole?

The profiles are drawn, so that the answers follow from their samples alone and are the same on each machine.
"""

SAMPLES = (2400, 7200)                     # of a stored run: ten a second
DOMINANT = (0.34, 0.56)                    # the share of the largest stage
SMALL = (0.07, 0.11)                       # of the helper that somebody would like to make faster; it stands below two stages
TOLERANCE = 0.02                           # of the right answer
FREE = "none of them"

# File: title; stages, and what they call; the helper.
RUNS = {
    "overdue": ("letters about loans that are overdue", {
        "read_loans": ("split_fields", "parse_date"),
        "find_overdue": ("add_open_days", "parse_date"),
        "look_up_members": ("read_card",),
        "write_letters": ("wrap_text", "address_of"),
    }, "parse_date"),
    "catalogue": ("the index by which readers search the catalogue", {
        "read_titles": ("decode_record", "plain_text"),
        "split_words": ("stem", "plain_text"),
        "merge_entries": ("compare_keys",),
        "write_index": ("pack_numbers", "sort_words"),
    }, "plain_text"),
    "exchange": ("books that the branches send each other tomorrow", {
        "load_requests": ("parse_line", "check_isbn"),
        "match_copies": ("nearest_branch", "check_isbn"),
        "plan_vans": ("swap_stops",),
        "print_slips": ("draw_barcode", "fit_title"),
    }, "check_isbn"),
    "figures": ("the yearly figures for the ministry", {
        "read_visits": ("parse_row", "age_group"),
        "group_readers": ("quarter_of", "age_group"),
        "count_subjects": ("subject_of",),
        "fill_tables": ("percentages", "round_fairly"),
    }, "age_group"),
    "acquisitions": ("what to buy, by what readers asked for in vain", {
        "read_searches": ("split_query", "same_spelling"),
        "join_wishes": ("distance", "same_spelling"),
        "rank_titles": ("score_of",),
        "ask_for_prices": ("parse_offer", "exchange_rate"),
    }, "same_spelling"),
}

TEXT = '''"""The stored profile of a nightly run: {title}.

It was sampled ten times a second on the library's server, where the run computes in one thread: each sample stands for 0.1 s.
A line is a stack, outermost function first, and how many samples had this very stack. Run the file, and stand-ins of the same
names play it within half a second.
"""
import time

STACKS = """\\
{stacks}
"""
PLAYED = 0.5  # seconds, for the whole of it
STAND_IN = """
def {{name}}(callees, until):
    if callees:
        callees[0](callees[1:], until)
    while time.perf_counter() < until:
        pass
"""


def stored():
    """Yields the functions and the samples of each stack."""
    for line in STACKS.splitlines():
        names, samples = line.split()
        yield names.split(";"), int(samples)


def play():
    functions = {{"time": time}}
    for name in {{name for names, _ in stored() for name in names}}:
        exec(STAND_IN.format(name=name), functions)
    whole = sum(samples for _, samples in stored())
    until = time.perf_counter()
    for names, samples in stored():
        until += PLAYED * samples / whole
        stack = [functions[name] for name in names]
        stack[0](stack[1:], until)


if __name__ == "__main__":
    play()
'''


def draw_stages(random, names):
    """The share of each stage, with all that it calls. No two of them are close."""
    largest, main = random.uniform(*DOMINANT), random.uniform(0.01, 0.03)
    parts = [random.uniform(1.0, 1.15), random.uniform(1.35, 1.55), random.uniform(1.8, 2.0)]
    shares = [largest] + [(1 - largest - main) * part / sum(parts) for part in parts]
    random.shuffle(shares)
    return dict(zip(names, shares))


def draw_stacks(random, stages, helper):
    """{stack: samples}, a stack being the names of its functions, outermost first."""
    shares = draw_stages(random, stages)
    small, first = random.uniform(*SMALL), random.uniform(0.4, 0.6)
    pieces = [small * first, small * (1 - first)]
    stacks = {("main",): 1 - sum(shares.values())}
    for stage, callees in stages.items():
        rest = shares[stage]
        if helper in callees:
            stacks["main", stage, helper] = pieces.pop()
            rest -= stacks["main", stage, helper]
        others = [callee for callee in callees if callee != helper]
        parts = [random.uniform(0.3, 1) for _ in range(len(others) + 1)]
        for stack, part in zip([("main", stage)] + [("main", stage, callee) for callee in others], parts):
            stacks[stack] = rest * part / sum(parts)
    whole = random.randint(*SAMPLES)
    return {stack: round(whole * share) for stack, share in stacks.items()}


def samples_of(stacks, name):
    """The samples in which a function stands, wherever that is."""
    return sum(samples for stack, samples in stacks.items() if name in stack)


def number(stage, ask, answer):
    return {"ask": ask, "choices": None, "answer": round(answer, 3), "tolerance": round(TOLERANCE * answer, 4), "stage": stage}


def saved(random, stacks, stages, helper):
    """The trap: a fine gain on a small part."""
    times = random.choice((2, 2, 3))
    seconds = samples_of(stacks, helper) / 10 * (1 - 1 / times)
    return number(helper, "%s becomes %d times as fast, wherever it is called. By how many seconds does the run get shorter?"
                  % (helper, times), seconds)


def share_then(random, stacks, stages, helper):
    """The next optimisation has another profile."""
    faster = max(stages, key=lambda stage: samples_of(stacks, stage))
    other = random.choice(sorted(set(stages) - {faster}))
    times = random.choice((2, 3, 4, 5, 10))
    whole = samples_of(stacks, "main") - samples_of(stacks, faster) * (1 - 1 / times)
    return number(other, "%s, with all that it calls, becomes %d times as fast. What share of the run's time does %s have then, in percent?"
                  % (faster, times, other), 100 * samples_of(stacks, other) / whole)


def times_needed(random, stacks, stages, helper):
    """Amdahl, solved for the part."""
    stage = max(stages, key=lambda stage: samples_of(stacks, stage))
    whole, part = samples_of(stacks, "main") / 10, samples_of(stacks, stage) / 10
    goal = round(whole - part * (1 - 1 / random.uniform(1.6, 6)))
    return number(stage, "the run has to be done in %d seconds. How many times as fast does %s have to become, with all that it calls?"
                  % (goal, stage), part / (part - (whole - goal)))


def enough_alone(random, stacks, stages, helper):
    """The most that can be won: is it enough?"""
    whole = samples_of(stacks, "main") / 10
    gains = sorted((samples_of(stacks, stage) / 10, stage) for stage in stages)
    second, (largest, stage) = gains[-2][0], gains[-1]
    if random.random() < 0.4:
        goal, answer = round(whole - largest * random.uniform(1.08, 1.3)), FREE
    else:
        goal, answer = round(whole - second - (largest - second) * random.uniform(0.3, 0.7)), stage
    return {"ask": "which of these would bring the run down to %d seconds, if it cost nothing at all any more, and nothing else changed?" % goal,
            "choices": sorted(stages) + [FREE], "answer": answer, "tolerance": 0}


def questions(random):
    kinds = [share_then, share_then, times_needed, times_needed, enough_alone]
    random.shuffle(kinds)
    asked = []
    for (name, (title, stages, helper)), kind in zip(RUNS.items(), kinds):
        stacks = draw_stacks(random, stages, helper)
        lines = "\n".join("%s %d" % (";".join(stack), samples) for stack, samples in sorted(stacks.items()))
        program = {"name": name + ".py", "text": TEXT.format(title=title, stacks=lines)}
        for ask in (saved, kind):
            asked.append({"program": program, **ask(random, stacks, stages, helper)})
    return asked
