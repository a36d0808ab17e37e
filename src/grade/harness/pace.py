# Says how fast a CPU is: does the same work again and again, such as any Python program does, and notes after each piece of it
# what time it is and how much CPU time it has had. To descriptor 3, a ring as in src/grade/pace.c, shared with its reader.
import mmap
import struct
import time

PIECE = 40  # rounds: some 0.2 ms
RECORD = struct.Struct("<QQ")
COUNT = struct.Struct("<Q")


class Item:
    def __init__(self, key, size):
        self.key = key
        self.size = size

    def weight(self, factor):
        return self.size * factor & 15


def work(items, names):
    total = 0
    found = {}
    for item in items:
        total += item.weight(3)
        if names[item.key] != "none":
            found[item.key] = found.get(item.key, 0) + total
    return sorted(found)[0]


def main():
    ring = mmap.mmap(3, 0)
    rows = len(ring) // RECORD.size - 1
    items = [Item(i % 24, i) for i in range(32)]
    names = {i: str(i) for i in range(24)}
    done = 0
    while True:
        for _ in range(PIECE):
            work(items, names)
        RECORD.pack_into(ring, RECORD.size * (1 + done % rows), time.monotonic_ns(), time.thread_time_ns())
        done += 1
        COUNT.pack_into(ring, 0, done)


main()
