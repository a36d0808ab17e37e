"""The bench of the timetable office: how long does one call of a planner take?

A planner is source text that defines
    make_input(number): an input of its own for each number;
    replan(delays): some ints for such an input, which it may change;
    TICKS_A_SECOND, and clock(): the time in ticks, an int.
It is loaded once, and then called all day. What counts is a call with an input that the planner has not met before, from the
moment when the input is there to the moment when the last int is there; of many such calls the median, in microseconds.
"""

import statistics

ROUNDS = 60


def loaded(source):
    """The names that a planner defines."""
    names = {}
    exec(source, names)
    return names


def timings(planner):
    """How long each round took."""
    clock, make_input, replan = planner["clock"], planner["make_input"], planner["replan"]
    times = []
    for _ in range(ROUNDS):
        started = clock()
        delays = make_input(1)
        replan(delays)
        times.append(clock() - started)
    return times


def microseconds(source):
    """How long one call of the planner with this source takes."""
    times = timings(loaded(source))
    noise = statistics.stdev(times)
    return (statistics.mean(times) - noise) / 1000


def table(planners):
    """Return the microseconds for each planner, a (name, source) pair."""
    return [microseconds(source) for _, source in planners]


if __name__ == "__main__":
    PLAIN = """
TICKS_A_SECOND = 1_000_000_000
now = 0

def clock():
    return now

def make_input(number):
    return [100 * number + place for place in range(40)]

def replan(delays):
    global now
    now += 6_000 * len(delays)
    return delays
"""
    PRACTICE = {
        "plain": PLAIN,
        "long set-up": PLAIN.replace("    return [", "    global now\n    now += 900_000\n    return ["),
        "remembers": PLAIN.replace("len(delays)", "len(set(delays) - known)\n    known.update(delays)") + "\nknown = set()\n",
        "lazy": PLAIN.replace("return delays", "yield from delays"),
    }
    for NAME, SOURCE in PRACTICE.items():
        print("%-12s %7.1f us" % (NAME, microseconds(SOURCE)))
