"""Alters a source, and runs none of it: copies that are broken in one place, or one that is slower by a known share.

    python -c TEXT break SEED       copies that each differ in one operator or number
    python -c TEXT plant SHARE      one whose process goes on computing for SHARE of the CPU time that it took

Reads the source from stdin; answers on descriptor 3 with one frame: JSON. The source is a stranger's: whatever parsing it
raises is an answer too.
"""
import ast
import json
import os
import random
import struct
import sys

COPIES_MAX = 40
SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.And: ast.Or, ast.Or: ast.And,
}
PLANT = """import atexit as _planted_atexit, time as _planted_time
def _planted_spin(share=%s):
    until = _planted_time.process_time() * (1 + share)
    while _planted_time.process_time() < until:
        pass
_planted_atexit.register(_planted_spin)
"""


def places(tree):
    """(holder of the operator or number, its field and index, line) of all that may be changed: input and options are left alone."""
    left_alone = ("make", "main")
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith(left_alone):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and getattr(node.test.left, "id", "") == "__name__":
            continue
        if isinstance(node, ast.Compare):
            yield from ((node, "ops", place) for place, op in enumerate(node.ops) if type(op) in SWAPS)
        elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPS:
            yield node, "op", None
        elif isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value < 1 << 31:
            yield node, "value", None
        stack.extend(ast.iter_child_nodes(node))


def changed(value):
    return value + 1 if isinstance(value, int) else SWAPS[type(value)]()


def shown(value):
    return str(value) if isinstance(value, int) else type(value).__name__


def broken_copies(source, seed):
    tree = ast.parse(source)
    found = list(places(tree))
    random.Random(seed).shuffle(found)
    copies = []
    for node, field, place in found[:COPIES_MAX]:
        old = getattr(node, field) if place is None else getattr(node, field)[place]
        new = changed(old)
        for value in (new, old):
            if place is None:
                setattr(node, field, value)
            else:
                getattr(node, field)[place] = value
            if value is new:
                text = ast.unparse(tree)
        copies.append({"line": node.lineno, "what": "%s for %s" % (shown(new), shown(old)), "text": text})
    return copies


def planted(source, share):
    """The text that slows, behind the docstring and what must come first."""
    tree = ast.parse(source)
    line = 0
    for place, node in enumerate(tree.body):
        first = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if not first and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        line = node.end_lineno
    lines = source.split("\n")
    return "\n".join([*lines[:line], PLANT % share, *lines[line:]])


def main():
    mode, number = sys.argv[1:]
    try:
        source = sys.stdin.buffer.read().decode("utf-8")
        answer = broken_copies(source, int(number)) if mode == "break" else planted(source, float(number))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        answer = {"error": type(error).__name__}
    payload = json.dumps(answer).encode("ascii")
    os.write(3, b"a" + struct.pack("<I", len(payload)))
    while payload:
        payload = payload[os.write(3, payload) :]


main()
