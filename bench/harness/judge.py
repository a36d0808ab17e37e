"""Which stacks can't be: judged by the facts of a generated program."""

import ast
import collections
import json
import os


class Verdict:
    def __init__(self):
        self.judged = self.torn = self.outside = self.cut = 0
        self.by_reason = collections.Counter()
        self.examples = []

    def share(self):
        return self.torn / self.judged if self.judged else 0.0

    def add(self, problem, stack, count):
        self.judged += count
        if problem:
            self.torn += count
            self.by_reason[problem.split(":")[0]] += count
            if len(self.examples) < 5:
                self.examples.append((problem, stack))


def last_part(name):
    """The plain name: before 3.11 there is no other."""
    return name.rpartition(".")[2]


class Calltree:
    """Judge of calltree.py: every frame's function, and every caller's line, by calltree.json."""

    def __init__(self, facts_path, file="calltree.py"):
        with open(facts_path) as facts:
            facts = json.load(facts)
        self.file = file
        self.functions = facts["functions"]
        self.edges = {site: set(callees) for site, callees in facts["edges"].items()}
        for site, callees in facts["edges"].items():  # from line 0: from any
            self.edges.setdefault(site.partition(":")[0] + ":0", set()).update(callees)
        self.kind_of_site = {site: kind for kind, sites in facts["sites"].items() for site in sites}
        self.kind_of_callee = {}
        for site, callees in facts["edges"].items():
            for callee in callees:
                self.kind_of_callee.setdefault(callee, self.kind_of_site[site])
        self.at_line, self.of_name = {}, {}
        for index, (name, first, last) in enumerate(self.functions):
            if index:
                self.of_name.setdefault(name, []).append(index)
                for line in range(first, last + 1):
                    self.at_line[line] = index

    def functions_of(self, frame):
        """The indices of the functions that a frame can be of; none if name and line do not belong together.

        Line 0 is "unknown", which CPython itself has for the first instructions of a
        closure (3.11 and later), and pitviper shows of a caller before 3.11 that can be
        told by its function only; such a frame is known by its name.
        """
        name, _, line = frame
        if last_part(name) == "<module>":
            return [0]
        if line == 0:
            return self.of_name.get(last_part(name), [])
        index = self.at_line.get(line)
        return [index] if index is not None and self.functions[index][0] == last_part(name) else []

    def problem(self, stack):
        """Why this stack is impossible, or None."""
        above = set()  # what the last frame can have been: index:line
        for position, frame in enumerate(stack):
            indices = self.functions_of(frame)
            if not indices:
                return "wrong name: %s at line %d" % (frame[0], frame[2])
            if position == 0 and indices != [0]:
                return "no root: begins with %s" % frame[0]
            if position > 0:
                indices = [i for i in indices if any(i in self.edges.get(caller, ()) for caller in above)]
            if not indices:
                return "wrong caller: line %s does not call %s" % (" or ".join(sorted(above)), frame[0])
            above = {"%d:%d" % (index, frame[2]) for index in indices}
        return None

    def judge(self, stacks):
        verdict = Verdict()
        for stack, count in stacks.items():
            inside = [frame for frame in stack if os.path.basename(frame[1]) == self.file]
            shown_cut = any(frame[0] in ("<unknown callers>", "<invalid>") for frame in stack)
            if shown_cut:
                verdict.cut += count
            elif len(inside) != len(stack) or not stack:
                verdict.outside += count  # start-up, the end, pace.py, or a pseudo frame
            else:
                verdict.add(self.problem(stack), stack, count)
        return verdict

    def leaves(self, stacks):
        """Counter of innermost functions, by index, among the possible stacks."""
        leaves = collections.Counter()
        for stack, count in stacks.items():
            if stack and os.path.basename(stack[-1][1]) == self.file and not self.problem(stack):
                leaves[self.functions_of(stack[-1])[0]] += count
        return leaves


class Alternating:
    """Judge of alternating.py: a function's name is its caller's and one part more."""

    def __init__(self, path):
        self.file = os.path.basename(path)
        self.owner = {}  # line -> (class or None, name)
        with open(path) as source:
            tree = ast.parse(source.read())
        for node in tree.body:
            holder = node.name if isinstance(node, ast.ClassDef) else None
            for function in node.body if holder else [node]:
                if isinstance(function, ast.FunctionDef):
                    last = max(getattr(part, "lineno", 0) for part in ast.walk(function))
                    for line in range(function.lineno, last + 1):
                        self.owner[line] = (holder, function.name)

    def problem(self, stack):
        names = []
        for name, _, line in stack:
            if last_part(name) == "<module>":
                names.append((None, "<module>"))
            elif line == 0:  # an instruction that has none: the one that makes a generator, up to 3.12
                names.append((None, last_part(name)))
            elif self.owner.get(line, (None, None))[1] != last_part(name):
                return "wrong name: %s at line %d" % (name, line)
            else:
                names.append(self.owner[line])
        if names[0][1] != "<module>":
            return "no root: begins with %s" % names[0][1]
        for (upper_class, upper), (lower_class, lower) in zip(names, names[1:]):
            if upper == "<module>":
                legal = lower == "main"
            elif upper == "main":
                legal = "_" not in lower
            else:
                legal = lower.rpartition("_")[0] == upper and (not upper_class or upper_class == lower_class)
            if not legal:
                return "wrong caller: %s does not call %s" % (upper, lower)
        return None

    judge = Calltree.judge
