# Runs one call of a learner's function in the sandbox: child.py MODULE FUNCTION, in a folder with values.py and the module.
# The answer goes to descriptor 3, in frames of src/sandbox/sandbox.h: ready, once everything is imported; then the answer's
# bytes, or what went wrong, as a word and lines of text. What the grader knows is not in this process.
import marshal
import sys
import time

sys.path[:1] = []  # this folder: last, so that nothing in it takes the place of the library

import os

sys.path.append(os.getcwd())

import values

ANSWER_FD = 3
TEXT_MAX = 600
FRAMES_MAX = 3
HARNESS = ("child.py", "values.py", "pitviper_lab.py")


def send(kind, payload):
    data = kind + len(payload).to_bytes(4, "little") + payload
    while data:
        data = data[os.write(ANSWER_FD, data) :]


def read_input():
    parts, left = [], 4
    while left:
        part = os.read(0, left)
        if not part:
            raise EOFError("the input ended early")
        parts.append(part)
        left -= len(part)
    left, parts = int.from_bytes(b"".join(parts), "little"), []
    while left:
        part = os.read(0, min(left, 1 << 20))
        if not part:
            raise EOFError("the input ended early")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def where(error, folder):
    """The last of its frames in the learner's folder, without those of the harness."""
    places, traceback = [], error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename.startswith(folder) and os.path.basename(code.co_filename) not in HARNESS:
            places.append("%s, line %d, in %s" % (code.co_filename[len(folder):], traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        places.append("%s, line %s" % (os.path.basename(error.filename), error.lineno))
    return places[-FRAMES_MAX:]


def fail(word, error, folder):
    try:
        text = str(error)
    except BaseException:
        text = "(it has no text)"
    if isinstance(error, SyntaxError):
        text = error.msg
    lines = [word, ("%s: %s" % (type(error).__name__, text)).replace("\n", " ")[:TEXT_MAX], *where(error, folder)]
    send(b"e", "\n".join(lines).encode("utf-8", "replace"))


def main():
    folder = os.getcwd() + os.sep
    word = "import"
    try:
        module = __import__(sys.argv[1])
        function = getattr(module, sys.argv[2], None)
        if not callable(function):
            raise AttributeError("there is no function %s" % sys.argv[2])
        send(b"r", b"")
        arguments = marshal.loads(read_input())
        word = "raised"
        answer = function(*arguments)
        word = "type"
        payload = values.encode(answer)
        if len(payload) > 1 << 24:
            raise values.NotData("the answer is larger than 16 MB")
    except BaseException as error:
        fail("raised" if word == "type" and not isinstance(error, values.NotData) else word, error, folder)
    else:
        send(b"a", payload)
    time.sleep(0.05)  # so that the grader sees how much memory this process had before it goes


if __name__ == "__main__":
    main()
