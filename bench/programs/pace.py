"""How a bench program is told when to stop, and how it says how far it came.

    PROGRAM [SECONDS]          run for so long (default 3)
    PROGRAM --iterations N     do exactly so much work, however long it takes

It prints "ready" when its set-up is done, and at its end one line:

    progress N wall SECONDS cpu SECONDS switches INVOLUNTARY

Slowdown is measured from the second form: the same work, with and without a
profiler beside it.  Only the time after "ready" counts.  With PACE_HOLD set in
the environment, the work begins when a line comes on standard input, so that a
profiler can be there before it.
"""

import os
import resource
import sys
import time


class Pace:
    def __init__(self, argv, default=3.0):
        self.seconds = default
        self.iterations = 0
        if len(argv) > 2 and argv[1] == "--iterations":
            self.iterations = int(argv[2])
        elif len(argv) > 1:
            self.seconds = float(argv[1])
        self.done = 0

    def start(self):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        if os.environ.get("PACE_HOLD"):
            sys.stdin.readline()
        self.cpu = time.process_time()
        self.begin = time.perf_counter()

    def more(self):
        """Count an iteration; say whether there is another one to do."""
        self.done += 1
        if self.iterations:
            return self.done < self.iterations
        return time.perf_counter() - self.begin < self.seconds

    def finish(self):
        wall = time.perf_counter() - self.begin
        cpu = time.process_time() - self.cpu
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        print("progress %d wall %.6f cpu %.6f switches %d" % (self.done, wall, cpu, switches))
