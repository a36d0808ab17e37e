"""Runs a function under pitviper, in a fresh interpreter. Python 3.8 to 3.15.

This text is put in front of a driver and run by `python -c`; it runs nothing by itself. A driver calls

    spec = read_spec()              the caller's facts: fd, target, setup, args, and what the driver asks for
    subject = load(spec)            the function and its arguments; ends the process with an answer if it cannot
    answer(spec, {...})             one JSON object over the private descriptor

and times with subject.batch(loops), which gives (wall, cpu) seconds of that many calls.
"""
import json
import os
import sys
import time


def read_spec():
    spec = json.loads(sys.argv[1])
    sys.argv = [spec["target"]]
    return spec


def answer(spec, facts):
    data = json.dumps(facts).encode()
    while data:
        data = data[os.write(spec["fd"], data):]


def fail(spec, kind, text):
    """kind: what a caller can tell apart; text: one line that says what to do."""
    answer(spec, {"error": kind, "text": " ".join(text.split())})
    sys.stdout.flush()
    os._exit(0)


def blame(spec, doing, error):
    """The exception, and the last line of the user's own file that it came through."""
    import traceback

    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != "<string>"]
    place = " (%s:%d)" % (os.path.basename(frames[-1].filename), frames[-1].lineno) if frames else ""
    fail(spec, "raised", "%s raised %s: %s%s" % (doing, type(error).__name__, str(error)[:300], place))


def find_module(spec, name):
    """A dotted module on the path, or a file: under its own name, its folder first on the path, as for a script."""
    import importlib
    import importlib.util

    if not name.endswith(".py"):
        if "" not in sys.path and os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and (name == error.name or name.startswith(error.name + ".")):
                fail(spec, "no-module", "there is no module %s (no module named %r from %s)" % (name, error.name, os.getcwd()))
            blame(spec, "importing " + name, error)
        except BaseException as error:
            blame(spec, "importing " + name, error)
    if not os.path.isfile(name):
        fail(spec, "no-module", "there is no file %s" % name)
    sys.path.insert(0, os.path.dirname(os.path.abspath(name)))
    title = os.path.basename(name)[:-3]
    loader = importlib.util.spec_from_file_location(title, name)
    module = importlib.util.module_from_spec(loader)
    sys.modules[title] = module
    try:
        loader.loader.exec_module(module)
    except BaseException as error:
        blame(spec, "importing " + name, error)
    return module


class Subject:
    """A function and how its arguments are made."""

    def __init__(self, spec):
        self.spec = spec
        module, _, name = spec["target"].rpartition(":")
        self.module = find_module(spec, module)
        function = self.module
        for part in name.split("."):
            if not hasattr(function, part):
                near = [n for n in dir(function) if not n.startswith("_") and callable(getattr(function, n, None))]
                fail(spec, "no-function", "%s has no %s%s" % (
                    module, name, "; it has " + ", ".join(near[:8]) if near else ""))
            function = getattr(function, part)
        if not callable(function):
            fail(spec, "no-function", "%s of %s is not a function but %s" % (name, module, type(function).__name__))
        self.function, self.name = function, name
        self.constant = None
        self.code = None
        self.schedstat = None
        if spec.get("setup") is not None:
            try:
                self.code = compile(spec["setup"], "<setup>", "eval")
            except (SyntaxError, ValueError) as error:
                fail(spec, "setup", "--setup is not an expression: %s" % error)
        elif spec.get("args") is not None:
            self.constant = self.read_arguments(spec["args"])
        self.check_arguments(self.arguments())

    def read_arguments(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                arguments = json.load(file)
        except (OSError, ValueError) as error:
            fail(self.spec, "args", "cannot read the arguments in %s: %s" % (path, error))
        if not isinstance(arguments, list):
            fail(self.spec, "args", "%s holds no JSON list of arguments" % path)
        return tuple(arguments)

    def arguments(self, **names):
        """New positional arguments: the set-up's value (a tuple: all of them), which sees `names` and the spec's; without
        a set-up, what the file of arguments holds, else the names' values."""
        names = dict(self.spec.get("names") or {}, **names)
        if self.code is None:
            return self.constant if self.constant is not None else tuple(names.values())
        try:
            value = eval(self.code, dict(vars(self.module), **names))
        except BaseException as error:
            blame(self.spec, "--setup", error)
        return value if isinstance(value, tuple) else (value,)

    def check_arguments(self, arguments):
        import inspect

        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):
            return  # a builtin that does not tell
        try:
            signature.bind(*arguments)
        except TypeError as error:
            given = "%d are given" % len(arguments) if arguments else "none are given: see --setup and --args"
            fail(self.spec, "arguments", "%s%s: %s; %s" % (self.name, signature, error, given))

    def call(self, arguments):
        """One call, whose exception ends the process with an answer."""
        try:
            return self.function(*arguments)
        except BaseException as error:
            blame(self.spec, self.name, error)

    def batch(self, loops, arguments=None):
        """(wall, cpu) seconds of `loops` calls on arguments of their own, made before the clock starts."""
        if arguments is None:
            arguments = self.arguments()
        function = self.function
        try:
            wall, cpu = self.clocks()
            for _ in range(loops):
                function(*arguments)
            wall_end, cpu_end = self.clocks()
            return wall_end - wall, cpu_end - cpu
        except BaseException as error:
            blame(self.spec, self.name, error)

    def clocks(self):
        """(wall, cpu) seconds. Where the CPU is shared with another run, wall time stands still while this one waits for it
        (schedstat's second figure); both are of one moment, so they are read again if the CPU was lost between."""
        if not self.spec.get("shares"):
            return time.perf_counter(), time.process_time()
        if self.schedstat is None:
            self.schedstat = os.open("/proc/self/schedstat", os.O_RDONLY)
        for _ in range(20):
            wall = time.perf_counter()
            queued = int(os.pread(self.schedstat, 100, 0).split()[1]) / 1e9
            cpu = time.process_time()
            if time.perf_counter() - wall < 0.0002:
                break
        return wall - queued, cpu

    def calibrate(self, seconds, most=1 << 30):
        """Calls a batch so that it takes about `seconds`; the first ones are warm-up too."""
        loops = 1
        while True:
            wall, _ = self.batch(loops)
            if wall >= seconds / 2 or loops >= most:
                return max(1, min(most, round(loops * seconds / wall))) if wall > 0 else loops
            loops = min(most, max(loops * 2, int(loops * min(64.0, 0.6 * seconds / max(wall, 1e-9)))))


def load(spec):
    return Subject(spec)


def describe(value):
    """repr without what differs from process to process: addresses."""
    import re

    try:
        text = repr(value)
    except Exception as error:
        text = "<repr raised %s>" % type(error).__name__
    return re.sub(r"\b0x[0-9a-fA-F]{6,}", "0x", text)
