"""How much harder one source is to read than another. By syntax tree and tokens alone: neither is run.

Reads from stdin two sources, each behind its length in 4 bytes; answers on descriptor 3 with one frame: the share as a
number, a line end, and one line that says what costs most. The source is a stranger's: whatever parsing it raises is an
answer.
"""
import ast
import bisect
import io
import os
import struct
import sys
import tokenize

FREE, NOTHING = 1.5, 3.0  # times the reference's
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try, *FUNCTIONS) + tuple(
    getattr(ast, name) for name in ("TryStar", "Match") if hasattr(ast, name))
BRANCHES = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.IfExp, ast.ExceptHandler, ast.comprehension) + tuple(
    getattr(ast, name) for name in ("match_case",) if hasattr(ast, name))
ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
SPACE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER)
LINE_STARTS = (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENCODING)


def docstring_of(node):
    """The statement that is its docstring, or None."""
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first
    return None


def is_elif(parent, node):
    return isinstance(parent, ast.If) and isinstance(node, ast.If) and parent.orelse == [node] and node.col_offset == parent.col_offset


def branches_of(node):
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    return isinstance(node, BRANCHES) + (len(node.ifs) if isinstance(node, ast.comprehension) else 0)


class Source:
    def __init__(self, text):
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self.functions = [node for node in self.nodes if isinstance(node, FUNCTIONS)]
        self.documented = [node for node in self.nodes if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS))]
        self.loaded = {node.id for node in self.nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}
        self.read_tokens(text)
        self.walk_blocks()

    def read_tokens(self, text):
        """Tokens that are code, and the lines that have one."""
        documents = {statement.lineno for statement in map(docstring_of, self.documented) if statement}
        self.tokens, lines, before = 0, set(), tokenize.ENCODING
        for token in tokenize.tokenize(io.BytesIO(text).readline):
            document = token.type == tokenize.STRING and token.start[0] in documents and before in LINE_STARTS
            before = token.type
            if token.type not in SPACE and not document:
                self.tokens += 1
                lines.update((token.start[0], token.end[0]))
        self.lines = sorted(lines)

    def walk_blocks(self):
        """Branches of each function (those of a function inside are its own), and the deepest nesting. No recursion: the
        tree may be as deep as the parser lets it be."""
        self.branches, self.nesting = {self.tree: 1}, 0
        todo = [(self.tree, None, self.tree, 0)]
        while todo:
            node, parent, function, depth = todo.pop()
            if isinstance(node, FUNCTIONS):
                self.branches[node] = 1
                depth = 0 if function is self.tree else depth + 1
                function = node
            elif isinstance(node, (*BLOCKS, ast.comprehension)) and not is_elif(parent, node):
                depth += 1
            self.branches[function] += branches_of(node)
            self.nesting = max(self.nesting, depth)
            todo += [(child, node, function, depth) for child in ast.iter_child_nodes(node)]

    def longest(self):
        """Lines of code of the longest function."""
        return max((bisect.bisect_right(self.lines, node.end_lineno) - bisect.bisect_left(self.lines, node.lineno)
                    for node in self.functions), default=len(self.lines))

    def short_names(self):
        """The share of one-letter names among those that it gives."""
        names = {node.id for node in self.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        names |= {node.arg for node in self.nodes if isinstance(node, ast.arg)} | {node.name for node in self.functions}
        names.discard("_")
        return sum(len(name) == 1 for name in names) / len(names) if names else 0.0

    def documents(self):
        """{name: has it a docstring?}, of the module and of each function and class."""
        return {getattr(node, "name", "the module"): bool(ast.get_docstring(node)) for node in self.documented}

    def top_names(self):
        return {node.name for node in self.tree.body if isinstance(node, (ast.ClassDef, *FUNCTIONS))}

    def idle(self, wanted):
        """What could be taken out, as texts: statements that are never reached or do nothing, names that are never read."""
        return [*self.idle_statements(), *self.idle_names(wanted)]

    def idle_statements(self):
        documents = set(map(id, filter(None, map(docstring_of, self.documented))))
        for node in self.nodes:
            for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
                statements = block if isinstance(block, list) else []  # a lambda's body is none
                for before, statement in zip(statements, statements[1:]):
                    if isinstance(before, ENDS):
                        yield f"line {statement.lineno} is never reached"
            if isinstance(node, (ast.If, ast.While)) and isinstance(node.test, ast.Constant) and not node.test.value:
                yield f"line {node.lineno} is never true"
            if isinstance(node, ast.Expr) and id(node) not in documents and self.does_nothing(node.value):
                yield f"line {node.lineno} does nothing"

    @staticmethod
    def does_nothing(value):
        if isinstance(value, ast.Constant):
            return value.value is not Ellipsis
        return isinstance(value, (ast.Name, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.List, ast.Dict, ast.Lambda))

    def idle_names(self, wanted):
        shared = {name for node in self.nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
        for node in self.nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    name = (alias.asname or alias.name).split(".")[0]
                    if name not in self.loaded and name != "*" and getattr(node, "module", "") != "__future__":
                        yield f"{name} is imported and not used"
        for node in self.tree.body:
            if isinstance(node, (ast.ClassDef, *FUNCTIONS)) and node.name not in self.loaded | wanted:
                yield f"{node.name} is never called"
        for function in self.functions:
            for node in ast.walk(function):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
                for target in targets:
                    if isinstance(target, ast.Name) and target.id not in self.loaded | shared and not target.id.startswith("_"):
                        yield f"{target.id} is set and never read"


def share_of(times):
    return min(1.0, max(0.0, (NOTHING - times) / (NOTHING - FREE)))


def compare(source, reference):
    """[(share, what costs, as text)], length and tangle first. Each count is moved a little, so that one more of few is
    not twice as much."""
    wanted = reference.top_names()
    idle, allowed = source.idle(wanted), reference.idle(wanted)
    ours, theirs = source.documents(), reference.documents()
    both = [name for name, has in theirs.items() if has and name in ours]
    gone = [name for name in both if not ours[name]]

    def part(name, mine, other, moved, text=None):
        return share_of((mine + moved) / (other + moved)), text or f"{name} {mine}, the reference {other}"

    return [
        part("tokens:", source.tokens, reference.tokens, 20),
        part("lines in the longest function:", source.longest(), reference.longest(), 3),
        part("branches in one function:", max(source.branches.values()), max(reference.branches.values()), 2),
        part("blocks inside each other:", source.nesting, reference.nesting, 1),
        part("", source.short_names(), reference.short_names(), 0.25,
             f"names of one letter: {source.short_names():.0%}, the reference {reference.short_names():.0%}"),
        (1 - len(gone) / len(both) if both else 1.0, "no docstring any more: " + ", ".join(gone)),
        part("", len(idle), len(allowed), 1, "could be taken out: " + "; ".join(idle[:2])),
    ]


def total(parts):
    """The mean; nothing at all where it is three times as long, or in two ways three times as tangled."""
    tokens, *tangle = [share for share, _ in parts[:4]]
    if tokens == 0 or tangle.count(0) >= 2:
        return 0.0
    return sum(share for share, _ in parts) / len(parts)


def read_source():
    size, = struct.unpack("<I", sys.stdin.buffer.read(4))
    return sys.stdin.buffer.read(size)


def answer(kind, text):
    data = text.encode("utf-8", "replace")
    with os.fdopen(3, "wb") as channel:
        channel.write(kind + struct.pack("<I", len(data)) + data)


def main():
    sys.setrecursionlimit(5000)
    source, reference = read_source(), read_source()
    try:
        reference = Source(reference)
    except Exception as e:
        return answer(b"e", f"{type(e).__name__}: {e}")
    try:
        parts = compare(Source(source), reference)
    except Exception as e:  # SyntaxError, ValueError, RecursionError, MemoryError; and codecs raise what they like
        return answer(b"a", f"0\nit cannot be read as Python: {type(e).__name__}: {str(e)[:200]}")
    costly = sorted((part for part in parts if part[0] < 1), key=lambda part: part[0])
    return answer(b"a", f"{total(parts)!r}\n" + "; ".join(text for _, text in costly[:2]))


main()
