"""Writes a learner's own parcelflow, from a seed.

    python variant.py SEED FOLDER [--key FILE]

FOLDER   gets the package parcelflow; it must not hold one yet
--key    a file for what is planted where, in the names that this variant has. It stays with the grader.

Which of the sites of each plant are planted, and what modules, functions, classes and some variables are called, is drawn
from the seed. The same seed gives the same variant on every Python. A variant behaves as the app does: it consists of
definitions of app/ and, for the sites that it hasn't, of solution/, with names changed.
"""

import argparse
import ast
import io
import json
import os
import random
import tokenize

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT_MODULES = ("__init__", "flow")  # what other programs call has the same name in all variants


def read_text(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as file:
        return file.read()


def read_package(folder):
    """{module: source}"""
    names = sorted(name for name in os.listdir(os.path.join(HERE, folder, "parcelflow")) if name.endswith(".py"))
    return {name[:-3]: read_text(folder, "parcelflow", name) for name in names}


def read_plants():
    return json.loads(read_text("plants.json"))


# Exchanging definitions


def definition_name(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def definitions_of(source):
    """{qualified name: (first line, line after the last, node)} of what is defined in a module and in its classes."""
    found = {}

    def look(body, prefix):
        for node in body:
            name = definition_name(node)
            if name is None:
                continue
            first = min([node.lineno] + [mark.lineno for mark in getattr(node, "decorator_list", [])])
            found[prefix + name] = (first - 1, node.end_lineno, node)
            if isinstance(node, ast.ClassDef):
                look(node.body, prefix + name + ".")

    look(ast.parse(source).body, "")
    return found


def remove_definition(source, name):
    lines = source.splitlines(keepends=True)
    first, end, _ = definitions_of(source)[name]
    while end < len(lines) and not lines[end].strip():
        end += 1
    while first and not lines[first - 1].strip():
        first -= 1
    return "".join(lines[:first]) + gap_before(lines, first, end) + "".join(lines[end:])


def gap_before(lines, first, end):
    """The empty lines that belong between what stands before `first` and what comes at `end`."""
    if end >= len(lines):
        return ""
    together = all(lines[place][0].isupper() for place in (first - 1, end))  # constants stand together
    return "" if together else "\n" * (1 if lines[end][0].isupper() else 2)


def insert_definition(source, text, node, before):
    """Puts a new definition of the module in: a constant after the other constants, another one before what needs it."""
    found = definitions_of(source)
    lines = source.splitlines(keepends=True)
    constants = [end for _, end, other in found.values() if isinstance(other, ast.Assign) and other.col_offset == 0]
    if not isinstance(node, ast.Assign):
        place = found[before.split(".")[0]][0]
        return "".join(lines[:place]) + text + "\n\n" + "".join(lines[place:])
    if constants:
        place = max(constants)
        return "".join(lines[:place]) + text + "".join(lines[place:])
    place = max(node.end_lineno for node in ast.parse(source).body if isinstance(node, (ast.Import, ast.ImportFrom)))
    return "".join(lines[:place]) + "\n" + text + "".join(lines[place:])


def repair(source, repaired, names):
    """The source of a module with these definitions as they are in the repaired module."""
    theirs = definitions_of(repaired)
    their_lines = repaired.splitlines(keepends=True)
    for place, name in enumerate(names):
        mine = definitions_of(source)
        if name not in theirs:
            source = remove_definition(source, name)
            continue
        first, end, node = theirs[name]
        text = "".join(their_lines[first:end])
        if name in mine:
            lines = source.splitlines(keepends=True)
            source = "".join(lines[: mine[name][0]]) + text + "".join(lines[mine[name][1]:])
        else:
            source = insert_definition(source, text, node, next((other for other in names[place + 1:] if other in mine), None))
    return mend_imports(source, repaired)


def mend_imports(source, repaired):
    """Imports what the definitions use, and nothing else; both modules know where names come from."""
    whole, relative = {}, {}
    for text in (source, repaired):
        for node in ast.parse(text).body:
            if isinstance(node, ast.Import):
                whole.update((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    relative[alias.name] = "." * node.level + node.module
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    froms = {}
    for name, module in relative.items():
        if name in used:
            froms.setdefault(module, []).append(name)
    block = ["import %s\n" % name for name in sorted(whole) if name in used]
    said = ["from %s import %s\n" % (module, ", ".join(sorted(names))) for module, names in sorted(froms.items())]
    own = [line for line in said if line.startswith("from .")]
    block += [line for line in said if line not in own]
    block += (["\n"] if block and own else []) + own

    lines = source.splitlines(keepends=True)
    old = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    if old:
        first, end = old[0].lineno - 1, old[-1].end_lineno
        while not block and not lines[end].strip():
            end += 1
        return "".join(lines[:first] + block + lines[end:])
    if not block:
        return source
    end = tree.body[0].end_lineno  # the docstring
    return "".join(lines[:end] + ["\n"] + block + lines[end:])


def build(sites):
    """{module: source} of a package in which these sites (pairs of plant and site) are planted, and the others are not."""
    app, solution = read_package("app"), read_package("solution")
    plants = read_plants()
    for plant in plants["plants"]:
        for name, site in plant["sites"].items():
            if (plant["id"], name) not in sites:
                app[site["module"]] = repair(app[site["module"]], solution[site["module"]], site["repairs"])
    for decoy in plants["decoys"]:
        site = decoy["site"]
        if (decoy["id"], "") not in sites and site["repairs"]:
            app[site["module"]] = repair(app[site["module"]], solution[site["module"]], site["repairs"])
    return app


# Changing names


def rename(source, names):
    """The source with each name of the table replaced where it is a name, not in strings and comments."""
    lines = source.splitlines(keepends=True)
    places = [
        (token.start, token.end, names[token.string])
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.NAME and token.string in names
    ]
    for (row, start), (_, end), new in reversed(places):
        lines[row - 1] = lines[row - 1][:start] + new + lines[row - 1][end:]
    return "".join(lines)


def draw_names(draw):
    """(modules, names): a new name for each that the table has; some keep theirs."""
    table = json.loads(read_text("names.json"))
    return tuple(
        {name: draw.choice([name] + others) for name, others in sorted(table[part].items())} for part in ("modules", "names")
    )


def rename_module_imports(source, modules):
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            row = node.lineno - 1
            lines[row] = lines[row].replace("from .%s import" % node.module, "from .%s import" % modules.get(node.module, node.module))
    return "".join(lines)


# A variant


def draw_variant(seed):
    """({module: source}, key) for this seed."""
    draw = random.Random("parcelflow %s" % seed)
    plants = read_plants()
    chosen = {plant["id"]: draw.choice(plant["choices"]) for plant in plants["plants"]}
    sites = {(plant, site) for plant, names in chosen.items() for site in names}
    sites |= {(decoy["id"], "") for decoy in plants["decoys"]}
    modules, names = draw_names(draw)
    package = {
        modules.get(module, module): rename(rename_module_imports(source, modules), names)
        for module, source in build(sites).items()
    }

    def in_variant(module, function):
        return "%s.%s" % (modules[module], ".".join(names.get(part, part) for part in function.split(".")))

    key = {"seed": str(seed), "plants": [], "decoys": []}
    for plant in plants["plants"]:
        for name in chosen[plant["id"]]:
            site = plant["sites"][name]
            key["plants"].append({
                "id": plant["id"], "site": name, "scenario": plant["scenario"], "what": site["what"],
                "function": in_variant(site["module"], site["function"]),
                "also": [in_variant(site["module"], other) for other in site["also"]],
            })
    for decoy in plants["decoys"]:
        site = decoy["site"]
        key["decoys"].append({
            "id": decoy["id"], "kind": decoy["kind"], "scenario": decoy["scenario"], "what": site["what"],
            "function": in_variant(site["module"], site["function"]), "also": [],
        })
    return package, key


def write_package(package, folder):
    """Writes the modules into FOLDER/parcelflow, which must be new."""
    place = os.path.join(folder, "parcelflow")
    os.makedirs(place)
    for module, source in sorted(package.items()):
        with open(os.path.join(place, module + ".py"), "w", encoding="utf-8") as file:
            file.write(source)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("seed")
    parser.add_argument("folder")
    parser.add_argument("--key")
    options = parser.parse_args()
    package, key = draw_variant(options.seed)
    write_package(package, options.folder)
    if options.key:
        with open(options.key, "w", encoding="utf-8") as file:
            json.dump(key, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
