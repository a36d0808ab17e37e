#!/usr/bin/env python3
"""How long a recording of ten million samples takes to load and report, and how much memory. bench/README.md says how to
read it."""

import argparse
import os
import random
import struct
import subprocess
import tempfile
import time

from harness import machine, peers
from harness.figures import Table, say

BAR_SECONDS, BAR_MB = 3.0, 300
CHUNK = 64 << 10


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def text(words):
    data = words.encode()
    return varint(len(data)) + data


def rare(op, payload):
    return bytes([op]) + varint(len(payload)) + payload


class File:
    """docs/format.md, as far as it is needed; payloads stay raw."""

    def __init__(self, path):
        self.file, self.sequence = open(path, "wb"), 0
        head = b"\x8bPIT\r\n\x1a\n" + struct.pack("<I", 2)
        self.file.write(head + struct.pack("<I", crc32c(head)))

    def chunk(self, kind, payload):
        head = struct.pack("<BBHIII", kind, 0, 0, len(payload), self.sequence, crc32c(payload))
        self.file.write(head + struct.pack("<I", crc32c(head)) + payload)
        self.sequence += 1


def generate(path, samples, threads, functions, stacks, seed=3):
    """Stacks of up to 40 frames, each a few returns and a call away from the one before, as a program's are. At each tick
    half of the threads have moved: nine times of ten to a stack that was met nearby, once to any."""
    pick, out = random.Random(seed), File(path)
    start = rare(0x21, varint(0) + varint(0) + zigzag(70) + varint(5) + varint(0) + text("3.13.0") + text("app"))
    for thread in range(threads):
        start += rare(0x23, varint(thread) + varint(0) + zigzag(70 + thread) + text("t%d" % thread))
    start += b"\x01" + text("/app/app.py")
    for i in range(functions):
        start += b"\x01" + text("function_%d" % i) + b"\x02" + varint(0) + varint(i + 1) + varint(0) + varint(10 * i)
        for line in range(3):
            start += b"\x03\x00" + zigzag(1 if line == 0 and i else 0) + varint(10 * i + line) + b"\0\0\0"
    out.chunk(1, start)
    parents, depth, definitions, last = [0], [0], bytearray(), 0
    for id in range(1, stacks + 1):
        parent = id - 1
        for _ in range(pick.choice((0, 0, 0, 1, 1, 2, 2)) if depth[parent] < 40 else 10):
            parent = parents[parent]
        parents.append(parent)
        frame = pick.randrange(3 * functions)
        definitions += b"\x04" + varint(id - 1 - parent) + zigzag(frame - last)
        last = frame
        depth.append(depth[parent] + 1)
        if len(definitions) > CHUNK - 32:
            out.chunk(1, bytes(definitions))
            definitions.clear()
    out.chunk(1, bytes(definitions))
    ticks, stack = samples // threads, [1] * threads
    payload = bytearray()
    for thread in range(threads):
        payload += b"\x78" + varint(thread) + b"\x03" + b"\0"
        stack[thread] = 0
    # A stretch of ticks made once and repeated, each ending where it began: making ten million in Python would take minutes.
    stretch, parts = 2000, []
    for variant in range(8):
        part, at, home = bytearray(), list(stack), list(stack)
        for tick in range(stretch):
            for thread in range(threads):
                if pick.random() < 0.5 or tick == stretch - 1:
                    to = min(stacks, max(1, at[thread] + pick.randrange(-20, 21) if pick.random() < 0.9 else pick.randrange(1, stacks + 1)))
                    to = home[thread] if tick == stretch - 1 else to
                    delta = to - at[thread]
                    code = delta * 2 if delta >= 0 else -delta * 2 - 1
                    part += bytes([0x60 | code & 7 | (8 if code >> 3 else 0)]) + varint(thread) + (varint(code >> 3) if code >> 3 else b"")
                    at[thread] = to
            gap = min(16000, int(pick.expovariate(1 / 100)))
            part += bytes([0x80 | gap >> 8, gap & 0xFF])
        parts.append(bytes(part))
    out.chunk(1, bytes(payload))
    checked = {}
    for turn in range(ticks // stretch):
        part = parts[turn % len(parts)]
        head = struct.pack("<BBHII", 1, 0, 0, len(part), out.sequence)
        checked.setdefault(part, crc32c(part))
        head += struct.pack("<I", checked[part])
        out.file.write(head + struct.pack("<I", crc32c(head)) + part)
        out.sequence += 1
    out.chunk(3, b"")
    out.file.close()
    return ticks // stretch * stretch * threads


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("--functions", type=int, default=2000)
    parser.add_argument("--stacks", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    ours = [peers.pitviper()]
    print(machine.describe())
    table = Table("threads", "samples", "stacks", "file MB", "command", "seconds", "bar", "peak MB", "bar", "met", "idle")
    with tempfile.TemporaryDirectory() as folder:
        for threads in (1, 10):
            path = os.path.join(folder, "%d.pit" % threads)
            say("making the recording with %d threads" % threads)
            samples = generate(path, options.samples, threads, options.functions, options.stacks)
            for words in (["report"], ["report", "--json"]):
                best, peak = None, 0
                with machine.Quiet() as quiet:
                    for _ in range(options.runs):
                        begin = time.perf_counter()
                        process = subprocess.Popen(ours + words + [path], stdout=subprocess.DEVNULL)
                        _, status, usage = os.wait4(process.pid, 0)
                        process.returncode = os.waitstatus_to_exitcode(status)
                        took = time.perf_counter() - begin
                        if process.returncode:
                            raise SystemExit("pitviper %s ended with %d" % (" ".join(words), process.returncode))
                        best = took if best is None else min(best, took)
                        peak = max(peak, usage.ru_maxrss / 1024)
                table.add(
                    threads, samples, options.stacks, "%.1f" % (os.path.getsize(path) / 1e6), " ".join(words), "%.2f" % best, "%g" % BAR_SECONDS,
                    "%.0f" % peak, BAR_MB, "yes" if best <= BAR_SECONDS and peak <= BAR_MB else "no", "no" if quiet.noisy else "yes")
    table.show()
    print("\nseconds: the shortest of %d runs, from start to end of the command" % options.runs)
    print(machine.verdict_of_quiet())


if __name__ == "__main__":
    main()
