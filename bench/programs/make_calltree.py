"""Write a program of about 1,000 functions whose every legal call is known.

    make_calltree.py FOLDER [SEED]

writes FOLDER/calltree.py and FOLDER/calltree.json.  The program calls without
pause, some ten calls deep, a call every 100 ns or so (arguments: see pace.py).
The JSON file says which stacks are possible:

    functions   [[name, first line, last line], ...]; 0 is <module>
    edges       {"caller's index:line": [callee's index, ...], ...}
    sites       {kind of call site: ["caller's index:line", ...], ...}

Each call stands on its own line, so a frame's line says whom it may have
called.  Sites serve one callee, two that take turns, or eight; through globals,
locals, lists, closures, bound methods, keywords, star arguments, properties,
subscripts, operators, constructors, generators, and C functions that call back.
Levels are strict: a function calls only functions of the next level.
"""

import json
import os
import random
import sys

WIDTHS = (1, 4, 16, 48, 96, 140, 165, 175, 180, 175)
LEAF = len(WIDTHS) - 1


class Program:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.functions = [["<module>", 1, 0]]
        self.edges = {}
        self.sites = {}
        self.index = {}

    def write(self, text=""):
        self.lines.append(text)

    @property
    def here(self):
        """The number of the line that is written next."""
        return len(self.lines) + 1

    def begin(self, name, head):
        self.index[name] = len(self.functions)
        self.functions.append([name, self.here, self.here])
        self.write(head)

    def end(self, name):
        self.functions[self.index[name]][2] = len(self.lines)

    def call(self, caller, text, callees, kind):
        """A line that calls; the callees' indices are filled in when all are known."""
        self.edges.setdefault((caller, self.here), []).extend(callees)
        self.sites.setdefault(kind, []).append((caller, self.here))
        self.write(text)

    def facts(self):
        def key(site):
            return "%d:%d" % (self.index[site[0]] if site[0] else 0, site[1])

        self.functions[0][2] = len(self.lines)
        return {
            "functions": self.functions,
            "edges": {key(site): sorted({self.index[name] for name in callees}) for site, callees in self.edges.items()},
            "sites": {kind: [key(site) for site in sites] for kind, sites in self.sites.items()},
        }


# How a function is reached: (kind, how many callees a site of that kind serves).
# `plain` callees can be called from any site that calls a value.
PLAIN_SITES = (
    "direct", "local_two", "list_eight", "keyword_two", "star_two", "turns_two", "turns_eight", "double_star", "called_back",
)
SPECIAL = ("method", "closure", "property", "subscript", "operator", "constructor", "generator", "callable")


def name_of(level, number):
    return "f%d_%03d" % (level, number)


def special_of(level, number):
    """What the function is, if it is not a plain one: every third of the middle levels."""
    if level < 3 or number % 3:
        return None
    return SPECIAL[number // 3 % len(SPECIAL)]


def define(program, level, number, body):
    """Write one function in its own form; `body` writes its lines, given name and indent."""
    name = name_of(level, number)
    form = special_of(level, number)
    if form is None or form == "generator":
        program.begin(name, "def %s(n):" % name)
        body(name, "    ")
        if form == "generator":
            program.write("    yield n")
        else:
            program.write("    return n")
        program.end(name)
    elif form == "closure":
        program.write("def make_%s(extra):" % name)
        program.begin(name, "    def %s(n):" % name)
        body(name, "        ")
        program.write("        return n + extra")
        program.end(name)
        program.write("    return %s" % name)
        program.write()
        program.write()
        program.write("c_%s = make_%s(0)" % (name, name))
    else:
        program.write("class K_%s:" % name)
        if form == "property":
            # The code of a decorated function begins at the line of its decorator (since 3.8).
            program.begin(name, "    @property")
            program.write("    def %s(self):" % name)
            program.write("        n = 1")
        elif form == "method":
            program.begin(name, "    def %s(self, n):" % name)
        else:
            dunder = {
                "subscript": "__getitem__", "operator": "__add__", "constructor": "__init__", "callable": "__call__",
            }[form]
            program.begin(name, "    def %s(self, n):" % dunder)
            program.functions[-1][0] = dunder
        body(name, "        ")
        program.write("        return None" if form == "constructor" else "        return n")
        program.end(name)
        if form != "constructor":
            program.write()
            program.write()
            program.write("o_%s = K_%s()" % (name, name))
            if form == "method":
                program.write("m_%s = o_%s.%s" % (name, name, name))
    program.write()
    program.write()


def value_of(level, number):
    """An expression that can be called with n, or None if this callee has a site form of its own."""
    name = name_of(level, number)
    form = special_of(level, number)
    if form is None:
        return name
    return {"closure": "c_" + name, "method": "m_" + name, "constructor": "K_" + name, "callable": "o_" + name}.get(form)


def special_call(program, caller, indent, level, number):
    name = name_of(level, number)
    form = special_of(level, number)
    text = {
        "property": "o_%s.%s" % (name, name),
        "subscript": "o_%s[n]" % name,
        "operator": "o_%s + n" % name,
    }.get(form)
    if text:
        program.call(caller, indent + text, [name], form)
    else:
        program.call(caller, indent + "for _ in %s(n):" % name, [name], form)
        program.write(indent + "    pass")


def plain_call(program, caller, indent, kind, values, names):
    """One call site of a kind, for the callees `values` (expressions) named `names`."""
    listed = "(" + ", ".join(values) + ("," if len(values) == 1 else "") + ")"
    if kind == "direct":
        program.call(caller, indent + "%s(n)" % values[0], names[:1], kind)
    elif kind == "double_star":
        # Arguments by name need callees that all call theirs `n`.
        program.call(caller, indent + "%s(**{'n': n})" % values[0], names[:1], kind)
    elif kind == "called_back":
        program.call(caller, indent + "list(map(%s, (n,)))" % values[0], names[:1], kind)
    elif kind == "local_two":
        turn = "N_%s_%d" % (caller, program.here)
        program.constants.append("%s = cycle((0, 1)).__next__" % turn)
        program.write(indent + "call = %s if %s() else %s" % (values[0], turn, values[1]))
        program.call(caller, indent + "call(n)", names[:2], kind)
    elif kind == "list_eight":
        constant = "L_%s_%d" % (caller, program.here)
        program.constants.append("%s = [%s]" % (constant, ", ".join(values)))
        program.constants.append("N%s = cycle(range(%d)).__next__" % (constant, len(values)))
        program.call(caller, indent + "%s[N%s()](n)" % (constant, constant), names, kind)
    else:
        constant = "T_%s_%d" % (caller, program.here)
        program.constants.append("%s = %s" % (constant, listed))
        program.write(indent + "for call in %s:" % constant)
        argument = {"keyword_two": "n=n", "star_two": "*(n,)"}.get(kind, "n")
        program.call(caller, indent + "    call(%s)" % argument, names, kind)


SERVES = {"direct": 1, "double_star": 1, "called_back": 1, "list_eight": 8, "turns_eight": 8}


def body_writer(program, level, number, unreached, placed):
    """What a function of this level does: a site or two into the next one.

    Callees that have a form of site to themselves (an operator, a property) get
    one such site in the whole program, `placed`, so that the tree stays slim.
    """

    def body(name, indent):
        if level == LEAF:
            program.write(indent + "n += 1")
            return
        rng = program.random
        width = WIDTHS[level + 1]
        budget = 4 if level == 0 else 2 if level < 4 else 1
        for turn in range(budget):
            kind = PLAIN_SITES[(number * 2 + turn + level) % len(PLAIN_SITES)]
            if kind == "turns_eight" and level < 8:
                kind = "list_eight"  # eight calls a visit would make the tree explode
            picked, special = [], []
            while len(picked) < min(SERVES.get(kind, 2), width):
                candidate = unreached[level + 1].pop() if unreached[level + 1] else rng.randrange(width)
                if candidate in picked:
                    continue
                if value_of(level + 1, candidate) is None:
                    special.append(candidate)
                    continue
                picked.append(candidate)
            for candidate in special:
                if candidate not in placed:
                    placed.add(candidate)
                    special_call(program, name, indent, level + 1, candidate)
            plain_call(
                program, name, indent, kind,
                [value_of(level + 1, c) for c in picked], [name_of(level + 1, c) for c in picked],
            )

    return body


def build(seed):
    program = Program(seed)
    program.constants = []
    unreached, placed = [], [set() for _ in WIDTHS]
    for width in WIDTHS:
        order = list(range(width))
        program.random.shuffle(order)
        unreached.append(order)
    program.write('"""Made by make_calltree.py; its legal calls are in calltree.json."""')
    program.write()
    program.write("import sys")
    program.write("from itertools import cycle")
    program.write()
    program.write("from pace import Pace")
    program.write()
    program.write()
    for level in range(LEAF + 1):
        for number in range(WIDTHS[level]):
            define(program, level, number, body_writer(program, level, number, unreached, placed[level]))
    if any(unreached[1:]):
        raise SystemExit("make_calltree.py: nobody calls %s" % unreached[1:])
    for constant in program.constants:
        program.write(constant)
    program.write()
    program.write()
    root = name_of(0, 0)
    program.begin("run", "def run(pace):")
    program.write("    n = 0")
    program.write("    while True:")
    program.call("run", "        %s(n)" % root, [root], "direct")
    program.write("        n += 1")
    program.write("        if not n & 7 and not pace.more():")
    program.write("            return")
    program.end("run")
    program.write()
    program.write()
    program.write("PACE = Pace(sys.argv)")
    program.write("PACE.start()")
    program.call(None, "run(PACE)", ["run"], "direct")
    program.write("PACE.finish()")
    return program


def main(argv):
    folder = argv[1]
    program = build(int(argv[2]) if len(argv) > 2 else 11)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "calltree.py"), "w") as out:
        out.write("\n".join(program.lines) + "\n")
    with open(os.path.join(folder, "calltree.json"), "w") as out:
        json.dump(program.facts(), out, indent=0, sort_keys=True)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pace.py")) as pace:
        with open(os.path.join(folder, "pace.py"), "w") as out:
            out.write(pace.read())


if __name__ == "__main__":
    main(sys.argv)
