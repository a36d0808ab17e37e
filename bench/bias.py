#!/usr/bin/env python3
"""Is what a tool shows what was there? Two chains of known shares, phases that time themselves, and the distance from a
stopped target's stacks. bench/README.md says how to read it."""

import argparse
import collections
import json
import os
import random
import subprocess
import tempfile
import time

from harness import figures, judge, machine, targets, tools
from harness.figures import Table, say

TOOLS = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY, tools.PY_SPY_NONBLOCKING, tools.TACHYON]
DISTANCE_PROGRAMS = ["two_chains.py", "work.py", "held_by_c.py"]
POINTS_BAR = 1.0
DISTANCE_BAR = 2.0


def side(stack):
    """The chain that a stack is in: by its innermost frame of either."""
    for name, _, _ in reversed(stack):
        word = judge.last_part(name)
        if word.startswith(("left_", "right_")):
            return word.partition("_")[0]
    return None


def left_share(stacks):
    count = collections.Counter()
    for stack, hits in stacks.items():
        count[side(stack)] += hits
    both = count["left"] + count["right"]
    return (count["left"] / both, both) if both else (None, 0)


def chains_table(options):
    table = Table("version", "tool", "asked Hz", "truth", "clock", "left", "range", "off by", "samples", "rejected", "bar", "met", "idle")
    print("\ntwo chains of equal cost, called in turn: the left one's share")
    for version, python in targets.pick_pythons(options.pythons, []):
        for truth, words in ((50.0, []), (25.0, ["--quarter"])):
            for tool in tools.usable(version, TOOLS, options.tools):
                for hz in options.rates:
                    say("%s %s %s Hz, truth %g %%" % (version, tool.name, hz or "top", truth))
                    shares, samples, rejected, clock, noisy = [], 0, [], [], 0
                    for _ in range(options.pairs):
                        try:
                            with machine.Quiet() as quiet:
                                with targets.Target(python, "two_chains.py", *words, "--measure", options.seconds + 30) as target:
                                    result = tool.measure(target.pid, hz or tool.top_hz, options.seconds)
                                    clock.append(100 * float(target.said[-1].split()[1]))
                        except tools.Failed as error:
                            print("(%s %s)" % (version, error))
                            continue
                        noisy += quiet.noisy
                        share, count = left_share(result.stacks)
                        if share is not None:
                            shares.append(100 * share)
                            samples += count
                            rejected.append(result.share(result.rejected))
                    if not shares:
                        continue
                    middle = figures.median(shares)
                    low, high = figures.median_interval(shares)
                    ours = tool is tools.PITVIPER
                    table.add(
                        version, tool.name, hz or "top", "%g %%" % truth, "%.1f %%" % figures.median(clock), "%.2f %%" % middle,
                        "%.2f..%.2f" % (low, high), "%+.2f" % (middle - truth), samples,
                        "%.1f %%" % (100 * figures.median(rejected)), "%g" % POINTS_BAR if ours else None,
                        ("yes" if abs(middle - truth) <= POINTS_BAR else "no") if ours else None,
                        "no (%d)" % noisy if noisy else "yes",
                    )
    table.show()


def phase_of(stack):
    return next((word for word in (judge.last_part(name) for name, _, _ in stack) if word.startswith("phase_")), None)


def phases_run(tool, python, hz, seconds):
    """(shares by the program's own clock, shares shown, samples) of one run."""
    command = ["taskset", "-c", "0", python, str(targets.PROGRAMS / "phases.py"), str(seconds + 2)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as target:
        target.stdout.readline()
        try:
            result = tool.measure(target.pid, hz, seconds)
        except tools.Failed:
            target.kill()
            raise
        clock = json.loads(target.stdout.readline())
    count = collections.Counter()
    for stack, hits in result.stacks.items():
        count[phase_of(stack)] += hits
    count.pop(None, None)
    samples = sum(count.values())
    return clock, {name: count[name] / max(samples, 1) for name in clock}, samples


def phases_table(options):
    table = Table("version", "tool", "asked Hz", "distance", "range", "most off, in points", "samples", "idle")
    print("\nnine phases of some tens of microseconds: distance (total variation, 0..1) from the program's own clock in the same run")
    for version, python in targets.pick_pythons(options.pythons, []):
        for tool in tools.usable(version, TOOLS, options.tools):
            for hz in options.rates:
                say("%s %s %s Hz, phases" % (version, tool.name, hz or "top"))
                apart, off, samples, noisy = [], collections.defaultdict(list), 0, 0
                for _ in range(options.pairs):
                    try:
                        with machine.Quiet() as quiet:
                            clock, shown, count = phases_run(tool, python, hz or tool.top_hz, options.truth_seconds)
                    except tools.Failed as error:
                        print("(%s %s)" % (version, error))
                        continue
                    noisy += quiet.noisy
                    samples += count
                    apart.append(figures.total_variation(shown, clock))
                    for name in clock:
                        off[name].append(100 * (shown[name] - clock[name]))
                if not apart:
                    continue
                most = sorted(((figures.median(points), name) for name, points in off.items()), key=lambda pair: -abs(pair[0]))
                table.add(
                    version, tool.name, hz or "top", "%.3f" % figures.median(apart), "%.3f..%.3f" % (min(apart), max(apart)),
                    ", ".join("%s %+.2f" % (name.partition("_")[2], points) for points, name in most[:3]), samples,
                    "no (%d)" % noisy if noisy else "yes",
                )
    table.show()


def dumped_truth(pid, seconds):
    """Stacks of a target that pitviper stops for each: many dumps, at random moments."""
    stacks = collections.Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        told = subprocess.run([tools.peers.pitviper(), "dump", "--consistent", "--json", str(pid)], stdout=subprocess.PIPE)
        if told.returncode:
            continue
        for thread in json.loads(told.stdout)["threads"]:
            frames = [(f["function"], f["file"], f["line"]) for f in thread["frames"]]
            stacks[tuple(reversed(frames))] += 1
        time.sleep(random.expovariate(200))
    return stacks


def by_depth(stacks):
    count = collections.Counter()
    for stack, hits in stacks.items():
        count[len(stack)] += hits
    return count


def innermost(what):
    """A view of stacks: how often what(depth, name, file, line) is innermost."""
    def view(stacks):
        count = collections.Counter()
        for stack, hits in stacks.items():
            if stack:
                name, file, line = stack[-1]
                count[what(len(stack), judge.last_part(name), file, line)] += hits
        return count
    return view


by_function = innermost(lambda depth, name, file, line: name)
by_function_of_file = innermost(lambda depth, name, file, line: (name, os.path.basename(file)))
by_place = innermost(lambda depth, name, file, line: (depth, name, line))


def thin(stacks, wanted, rng):
    """So many of the samples, picked at random: distances shrink with the number of samples, so it must be the same."""
    pool = [stack for stack, hits in stacks.items() for _ in range(hits)]
    rng.shuffle(pool)
    return collections.Counter(pool[:wanted])


def distances(view, seen, truths, rng):
    """(from two truths, in the mean; between these), by this view; all thinned to the same number of samples."""
    wanted = min(sum(stacks.values()) for stacks in truths + [seen])
    one, other, shown = (view(thin(stacks, wanted, rng)) for stacks in truths + [seen])
    away = (figures.total_variation(shown, one) + figures.total_variation(shown, other)) / 2
    return away, figures.total_variation(one, other)


def distance_table(options):
    table = Table("version", "program", "tool", "asked Hz", "depth", "truths", "ratio", "function", "truths", "ratio", "depth+line", "truths", "ratio", "bar", "met")
    print("\ndistance (total variation, 0..1) from the stacks of a stopped target, beside that of two such truths from each other;\n"
          "all thinned to the same number of samples")
    program, _ = targets.calltree()
    rng = random.Random(5)
    for version, python in targets.pick_pythons(options.pythons, []):
        for path in options.programs or [*DISTANCE_PROGRAMS, program]:
            path = path if os.path.isabs(path) else str(targets.PROGRAMS / path)
            say("%s %s: truth" % (version, os.path.basename(path)))
            # The target runs all along, so only the moment before it starts can be seen to be idle.
            with machine.Quiet(), targets.Target(python, path, 3600) as target:
                stopping = tools.usable(version, [tools.PY_SPY])
                use_py_spy = stopping and options.truth == "py-spy"
                truths = []
                for _ in range(2):
                    if use_py_spy:
                        truths.append(tools.PY_SPY.measure(target.pid, 1000, options.truth_seconds).stacks)
                    elif tools.peers.pitviper():
                        truths.append(dumped_truth(target.pid, options.truth_seconds))
                if len(truths) < 2:
                    continue
                for tool in tools.usable(version, TOOLS, options.tools):
                    if tool is tools.PY_SPY:
                        continue
                    for hz in options.rates:
                        say("%s %s %s Hz" % (version, tool.name, hz or "top"))
                        try:
                            result = tool.measure(target.pid, hz or tool.top_hz, options.truth_seconds)
                        except tools.Failed as error:
                            print("(%s %s)" % (version, error))
                            continue
                        if not result.stacks:
                            continue
                        cells = []
                        for view in (by_depth, by_function, by_place):
                            away, apart = distances(view, result.stacks, truths, rng)
                            cells.append((away, apart, away / apart if apart else float("inf")))
                        ours = tool is tools.PITVIPER
                        table.add(
                            version, os.path.basename(path), tool.name, hz or "top",
                            *(text for cell in cells for text in ("%.3f %.3f %.2f" % cell).split()),
                            "%g" % DISTANCE_BAR if ours else None,
                            ("yes" if cells[-1][2] <= DISTANCE_BAR else "no") if ours else None,
                        )
    table.show()


def command_profile(tool, hz, command):
    """Its stacks from 0.3 s after its start, when any tool can attach to it, to its end."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(0.3)
        result = tool.attach(process.pid, hz, None if tool is tools.PITVIPER else 3600).result()
    # Only pitviper shows the collector, as a frame of its own.
    merged = collections.Counter()
    for stack, hits in result.stacks.items():
        merged[tuple(frame for frame in stack if frame[0] != "<garbage collector>")] += hits
    result.stacks = merged
    return result


def inside_profile(command):
    """The stacks that the command's own main thread had, by the sampler inside of it, from 0.3 s after its start."""
    with tempfile.TemporaryDirectory() as folder:
        inside = {"LD_PRELOAD": tools.peers.inside(command[0]), "INSIDE_OUT": folder + "/stacks", "INSIDE_DELAY_MS": "300"}
        with subprocess.Popen(command, env={**os.environ, **inside}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            process.wait()
        return tools.read_collapsed("%s/stacks.%d" % (folder, process.pid), tools.named_frame)


def shares(count):
    total = sum(count.values())
    return {what: hits / total for what, hits in count.items()}


def command_table(options):
    """A program that nobody here wrote: run anew for each tool, twice for the truth."""
    inside = options.truth == "inside"
    print("\ndistance from the stacks of %s of the same command, run anew each time: %s" % (
        "a sampler inside (1 kHz)" if inside else "a stopped target (py-spy, 250 Hz)", " ".join(options.command)))
    table = Table("tool", "asked Hz", "depth", "truths", "function", "truths", "most off, in points", "samples", "repaired", "of a core")
    rng = random.Random(5)
    truths = []
    for number in range(2):
        say("truth, run %d" % (number + 1))
        truths.append(inside_profile(options.command) if inside else command_profile(tools.PY_SPY, 250, options.command).stacks)
    for hz in options.rates:
        say("pitviper %s Hz" % hz)
        result = command_profile(tools.PITVIPER, hz or tools.PITVIPER.top_hz, options.command)
        cells = []
        for view in (by_depth, by_function_of_file):
            cells += ["%.3f" % distance for distance in distances(view, result.stacks, truths, rng)]
        seen, truth = shares(by_function_of_file(result.stacks)), shares(by_function_of_file(truths[0] + truths[1]))
        off = {what: 100 * (seen.get(what, 0) - truth.get(what, 0)) for what in set(seen) | set(truth)}
        most = sorted(off, key=lambda what: -abs(off[what]))[:3]
        table.add("pitviper", hz or "top", *cells, ", ".join("%s %+.2f" % (what[0], off[what]) for what in most), result.samples,
                  "%.1f %%" % (100 * result.share(result.repaired)), "%.1f %%" % (100 * result.cpu / max(result.seconds, 1e-3)))
    table.show()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.11,3.13,3.15", help="versions, comma-separated, or all")
    parser.add_argument("--tools", type=lambda text: text.split(","))
    parser.add_argument("--rates", type=lambda text: [int(word) for word in text.split(",")], default=[1000, 10000, 0],
                        help="comma-separated; 0: as fast as the tool can")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--truth-seconds", type=float, default=15)
    parser.add_argument("--truth", choices=["py-spy", "dump", "inside"], default="py-spy",
                        help="who stops the target (3.15: always pitviper dump --consistent); of a COMMAND on 3.13 also inside: a\n"
                             "sampler in the program itself, which nobody stops")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", choices=["chains", "phases", "distance"])
    parser.add_argument("--programs", type=lambda text: text.split(","), help="of bench/programs, for the distance (default: all)")
    parser.add_argument("command", nargs="*", metavar="COMMAND",
                        help="after --: a Python program to compare on instead, with its arguments")
    options = parser.parse_args()
    if options.truth == "inside" and not options.command:
        parser.error("--truth inside needs a COMMAND")
    print(machine.describe())
    if options.command:
        command_table(options)
        print("\n" + machine.verdict_of_quiet())
        return
    if options.only in (None, "chains"):
        chains_table(options)
    if options.only in (None, "phases"):
        phases_table(options)
    if options.only in (None, "distance"):
        distance_table(options)
    print("\n" + machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
