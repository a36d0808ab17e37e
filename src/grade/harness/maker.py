# Runs the lab's own cases.py or questions.py in the sandbox: maker.py make|edges|judge|questions|answers. It makes inputs from
# seeds, and judges answers where the lab says so; the learner's code is never in this process, nor this file in the learner's. Input
# and answer are records, each 4 bytes of length (little-endian) and as many bytes:
#
#   make    in: a line "SEED SIZE" each        out: for each, the arguments for the child, the same as canonical bytes
#   edges   in: nothing                        out: the same of edges()
#   judge   in: arguments, canonical answer    out: for each pair, the line that says what is wrong, or nothing
#   questions   in: a line "SEED 0"            out: the list of questions, as JSON
#   answers     in: the same                   out: the same; an answer that is None is what measure() says of the question
#   variant     in: the same                   out: of a program's variant, each file's name and text; then the key and the names of all
#                                                   that is defined in it, as JSON, their names being KEY and NAMES
# What is printed first is the version of this Python: "3.14.2 free-threaded".
import marshal
import os
import random
import sys

import values

MODE = sys.argv[1]
LINE_MAX = 400
if MODE in ("questions", "answers"):
    import questions as cases
elif MODE == "variant":
    import variant as cases
else:
    import cases


def read_records():
    with os.fdopen(0, "rb") as file:
        data = file.read()
    records, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        records.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return records


def arguments(made):
    if type(made) is not tuple:
        raise TypeError("cases.py must make a tuple of arguments, not %r" % type(made).__name__)
    return [marshal.dumps(made), values.encode(made)]


def make():
    for record in read_records():
        seed, size = record.split()
        yield from arguments(cases.case(random.Random(int(seed)), int(size)))


def edges():
    for made in getattr(cases, "edges", list)():
        yield from arguments(made)


def judge():
    records = read_records()
    for at in range(0, len(records), 2):
        said = cases.judge(marshal.loads(records[at]), values.decode(records[at + 1]))
        yield (said or "").split("\n")[0][:LINE_MAX].encode("utf-8", "replace")


def questions():
    import json

    for record in read_records():
        asked = cases.questions(random.Random(int(record.split()[0])))
        for question in asked:
            if MODE == "answers" and question["answer"] is None:
                question["answer"] = cases.measure(question)
        yield json.dumps(asked).encode()


def variant():
    import json

    for record in read_records():
        package, key = cases.draw_variant(int(record.split()[0]))
        names = ["%s.%s" % (module, name) for module, source in sorted(package.items()) for name in cases.definitions_of(source)]
        for module, source in sorted(package.items()):
            yield b"parcelflow/%s.py" % module.encode()
            yield source.encode("utf-8")
        for name, value in (("KEY", key), ("NAMES", names)):
            yield name.encode()
            yield json.dumps(value).encode()


def version():
    free_threaded = "t" in getattr(sys, "abiflags", "")
    return ("%d.%d.%d%s" % (*sys.version_info[:3], " free-threaded" if free_threaded else "")).encode()


def main():
    modes = {"make": make, "edges": edges, "judge": judge, "questions": questions, "answers": questions, "variant": variant}
    done = [version(), *modes[MODE]()]
    payload = b"".join(len(record).to_bytes(4, "little") + record for record in done)
    data = b"a" + len(payload).to_bytes(4, "little") + payload
    while data:
        data = data[os.write(3, data) :]


main()
