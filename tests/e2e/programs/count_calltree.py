"""Run the generated call tree for a while, and compare every call that happens with what its facts allow.

Arguments: the folder of calltree.py and calltree.json, and the number of iterations. Prints a JSON line: calls seen,
calls that the facts do not allow, functions called, and some of the stacks, as a profiler would show them.
"""

import json
import os
import sys

folder, iterations = os.path.abspath(sys.argv[1]), sys.argv[2]
path = os.path.join(folder, "calltree.py")
with open(os.path.join(folder, "calltree.json")) as facts:
    facts = json.load(facts)
functions = facts["functions"]
edges = {site: set(callees) for site, callees in facts["edges"].items()}
first_lines = {first: index for index, (name, first, last) in enumerate(functions) if index}
seen = {"calls": 0, "illegal": [], "stacks": []}
called = set()


def index_of(frame):
    return first_lines.get(frame.f_code.co_firstlineno) if frame.f_code.co_name != "<module>" else 0


def stack_of(frame):
    stack = []
    while frame is not None and frame.f_code.co_filename == path:
        stack.append([frame.f_code.co_name, path, frame.f_lineno])
        frame = frame.f_back
    return stack[::-1]


def hook(frame, event, arg):
    code = frame.f_code
    if event != "call" or code.co_filename != path or code.co_firstlineno not in first_lines:
        return  # set-up, and the bodies of classes
    index, caller = index_of(frame), frame.f_back
    if functions[index][0] != code.co_name:
        return
    seen["calls"] += 1
    called.add(index)
    site = "%d:%d" % (index_of(caller), caller.f_lineno)
    if index not in edges.get(site, ()):
        seen["illegal"].append([site, functions[index][0]])
    if seen["calls"] % 997 == 0:
        seen["stacks"].append(stack_of(frame))


sys.path.insert(0, folder)
sys.argv = [path, "--iterations", iterations]
with open(path) as source:
    program = compile(source.read(), path, "exec")
sys.setprofile(hook)
exec(program, {"__name__": "__main__"})
sys.setprofile(None)
seen["called"] = len(called)
print(json.dumps(seen))
