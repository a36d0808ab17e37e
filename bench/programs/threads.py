"""Many threads: one computes, some take turns with the GIL, the others wait.

Arguments: [--threads N] (default 200) and those of pace.py.
"""

import sys
import threading
import time

from pace import Pace


def wait_for(event):
    wait_deeper(event, 5)


def wait_deeper(event, depth):
    if depth:
        wait_deeper(event, depth - 1)
    else:
        event.wait()


def nap_until(event):
    while not event.is_set():
        compute(200)
        time.sleep(0.01)


def compute(count):
    return sum(number * number for number in range(count))


def main(argv):
    count = 200
    if "--threads" in argv:
        at = argv.index("--threads")
        count = int(argv[at + 1])
        del argv[at : at + 2]
    pace = Pace(argv)
    over = threading.Event()
    started = [
        threading.Thread(target=nap_until if index % 10 == 0 else wait_for, args=(over,), name="worker-%03d" % index)
        for index in range(count)
    ]
    for thread in started:
        thread.start()
    pace.start()
    while pace.more():
        compute(20000)
    over.set()
    for thread in started:
        thread.join()
    pace.finish()


if __name__ == "__main__":
    main(sys.argv)
