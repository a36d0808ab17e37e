"""Work at the end of a deep recursion: 900 frames, each of which returns now and then.

Arguments: [--depth N] (default 900) and those of pace.py.
"""

import sys

from pace import Pace


def down(depth, pace):
    """Go down, stay at the bottom for a while, and come up again."""
    if depth:
        return down(depth - 1, pace)
    total = 0
    for _ in range(200):
        total += compute(300)
    return total


def compute(count):
    return sum(range(count))


def main(argv):
    depth = 900
    if "--depth" in argv:
        at = argv.index("--depth")
        depth = int(argv[at + 1])
        del argv[at : at + 2]
    sys.setrecursionlimit(depth + 100)
    pace = Pace(argv)
    pace.start()
    while True:
        down(depth, pace)
        if not pace.more():
            break
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
