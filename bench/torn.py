#!/usr/bin/env python3
"""How many impossible stacks each tool shows, on programs whose every legal call is known; and for whose callees
samples are lost. bench/README.md says how to read it."""

import argparse
import collections

from harness import figures, judge, machine, targets, tools
from harness.figures import Table, say

LIMIT = {"3.11": 3e-5, "3.12": 3e-5, "3.13": 1e-5, "3.14": 1e-5, "3.15": 1e-5}


def collect(tool, python, program, hz, seconds, referee):
    """One run: (result, verdict, quiet)."""
    with machine.Quiet() as quiet:
        with targets.Target(python, program, seconds + 30) as target:
            result = tool.measure(target.pid, hz, seconds)
    return result, referee.judge(result.stacks), quiet


def shares_by_kind(referee, leaves):
    kinds = collections.Counter()
    for index, count in leaves.items():
        kinds[referee.kind_of_callee.get(index, "?")] += count
    return kinds


def torn_table(title, program, referee_of, options, tool_list):
    table = Table("version", "tool", "asked", "kept/s", "judged", "torn", "share", "95 % below", "limit", "rejected", "repaired", "idle")
    print("\n" + title)
    reasons = []
    for version, python in targets.pick_pythons(options.pythons, ["3.8", "3.11", "3.12", "3.13", "3.14", "3.15"]):
        for tool in tools.usable(version, tool_list, options.tools):
            for hz in options.rates:
                asked = tool.top_hz if hz == 0 else hz
                say("%s %s %s Hz" % (version, tool.name, asked))
                try:
                    result, verdict, quiet = collect(tool, python, program, asked, options.seconds, referee_of())
                except tools.Failed as error:
                    table.add(version, tool.name, asked, "failed", *[None] * 8)
                    reasons.append("%s %s" % (version, error))
                    continue
                upper = figures.poisson_upper(verdict.torn) / verdict.judged if verdict.judged else None
                table.add(
                    version, tool.name, "top" if hz == 0 else hz, "%.0f" % result.rate, verdict.judged, verdict.torn,
                    "%.1e" % verdict.share(), None if upper is None else "%.1e" % upper,
                    LIMIT.get(version) if tool is tools.PITVIPER else None,
                    "%.2f %%" % (100 * result.share(result.rejected)),
                    None if result.repaired is None else "%.2f %%" % (100 * result.share(result.repaired)),
                    "no" if quiet.noisy else "yes",
                )
                for problem, stack in verdict.examples[: options.examples]:
                    reasons.append("%s %s %s Hz: %s\n    %s" % (
                        version, tool.name, asked, problem, " > ".join("%s:%d" % (f[0], f[2]) for f in stack)))
    table.show()
    for reason in reasons:
        print(reason)


def loss_table(options):
    """Callees by the kind of call site that reaches them: their share here, against a stopped target's."""
    program, facts = targets.calltree()
    referee = judge.Calltree(facts)
    table = Table("version", "kind of call site", "truth", "pitviper", "lost", "95 %")
    print("\nfor whose callees samples are lost (innermost functions by the kind of call site that reaches them; truth: py-spy,\n"
          "which stops its target; lost: 1 - share / true share, whose interval comes from the counts of both)")
    for version, python in targets.pick_pythons(options.pythons, ["3.11", "3.13"]):
        if tools.PITVIPER.missing() or not tools.usable(version, [tools.PY_SPY]):
            continue
        say("%s: truth, then pitviper" % version)
        with machine.Quiet():
            with targets.Target(python, program, 600) as target:
                truth = tools.PY_SPY.measure(target.pid, 1000, options.truth_seconds)
                ours = tools.PITVIPER.measure(target.pid, 20000, options.truth_seconds)
        real = shares_by_kind(referee, referee.leaves(truth.stacks))
        seen = shares_by_kind(referee, referee.leaves(ours.stacks))
        for kind in sorted(real):
            p, q = real[kind] / sum(real.values()), seen[kind] / max(1, sum(seen.values()))
            error = 1.96 * q / p * (1 / max(1, real[kind]) + 1 / max(1, seen[kind])) ** 0.5
            table.add(version, kind, "%.2f %%" % (100 * p), "%.2f %%" % (100 * q), "%+.1f %%" % (100 * (1 - q / p)),
                      "± %.1f" % (100 * error))
    table.show()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", help="versions, comma-separated, or all")
    parser.add_argument("--tools", type=lambda text: text.split(","), help="only these tools, comma-separated")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--truth-seconds", type=float, default=20)
    parser.add_argument("--rates", type=lambda text: [int(word) for word in text.split(",")], default=[1000, 20000, 0],
                        help="comma-separated; 0: as fast as the tool can")
    parser.add_argument("--examples", type=int, default=0, help="print so many impossible stacks of each run")
    parser.add_argument("--only", choices=["calltree", "alternating", "loss"])
    options = parser.parse_args()
    print(machine.describe())
    tool_list = [tools.PITVIPER, tools.AUSTIN, tools.PY_SPY_NONBLOCKING, tools.TACHYON]
    if options.only in (None, "calltree"):
        program, facts = targets.calltree()
        referee = judge.Calltree(facts)
        torn_table("torn stacks, generated call tree of %d functions" % (len(referee.functions) - 1), program,
                   lambda: referee, options, tool_list)
    if options.only in (None, "alternating"):
        program = str(targets.PROGRAMS / "alternating.py")
        alternating = judge.Alternating(program)
        torn_table("torn stacks, fast calls that alternate", program, lambda: alternating, options, tool_list)
    if options.only in (None, "loss"):
        loss_table(options)
    print("\n" + machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
