"""Many processes: each computes a little and naps, so that all of them can be sampled on few cores.

Arguments: [--processes N] (default 50) and those of pace.py.
"""

import os
import subprocess
import sys
import time

from pace import Pace


def compute(count):
    return sum(number * number for number in range(count))


def child():
    """Ends when its parent does: its standard input is then at its end."""
    import select

    while not select.select([0], [], [], 0)[0]:
        compute(500)
        time.sleep(0.02)


def main(argv):
    count = 50
    if "--processes" in argv:
        at = argv.index("--processes")
        count = int(argv[at + 1])
        del argv[at : at + 2]
    if "--child" in argv:
        return child()
    pace = Pace(argv)
    children = [
        subprocess.Popen([sys.executable, os.path.abspath(__file__), "--child"], stdin=subprocess.PIPE)
        for _ in range(count)
    ]
    pace.start()
    while pace.more():
        compute(500)
        time.sleep(0.02)
    for process in children:
        process.stdin.close()
    for process in children:
        process.wait()
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
