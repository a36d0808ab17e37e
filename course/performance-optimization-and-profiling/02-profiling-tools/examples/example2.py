"""Collect the day's readings from a hundred meters, over a socket.

A program with threads and I/O, made to be profiled.  It starts a small meter
server on 127.0.0.1 by itself, and then runs

  - six fetcher threads, which ask the server for batches of readings,
  - one parser thread, which turns each batch into totals,
  - one journal, written by whichever fetcher has just got a batch.

Where is the time?  Ask twice, and compare the two answers:

    pitviper run --mode wall example2.py
    pitviper run --mode cpu example2.py

An optional argument sets the number of batches (default 210).
"""

import queue
import socket
import socketserver
import sys
import threading
import time
import zlib

FETCHERS = 6
DEFAULT_BATCHES = 210
READINGS_A_BATCH = 1500
METERS = 100
LOOKUP_SECONDS = 0.030  # the meter server needs this long to find a batch
JOURNAL_SECONDS = 0.012  # and this long to put an entry in its journal


class MeterServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class MeterHandler(socketserver.StreamRequestHandler):
    """One line asked, one line answered, until the client hangs up."""

    def handle(self):
        for line in self.rfile:
            verb, number = line.split()
            if verb == b"batch":
                time.sleep(LOOKUP_SECONDS)
                self.wfile.write(make_batch(int(number)))
            else:
                time.sleep(JOURNAL_SECONDS)
                self.wfile.write(b"noted\n")


def make_batch(number):
    """Readings as `meter:value` pairs, the same for the same number."""
    state = number * 2654435761 % 2**32
    fields = []
    for _ in range(READINGS_A_BATCH):
        state = (state * 1664525 + 1013904223) % 2**32
        fields.append("%d:%d" % (state % METERS, state >> 20))
    return ",".join(fields).encode() + b"\n"


class Client:
    """A connection to the meter server."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=30)
        self.file = self.socket.makefile("rwb")

    def ask(self, verb, number):
        self.file.write(b"%s %d\n" % (verb, number))
        self.file.flush()
        answer = self.file.readline()
        if not answer.endswith(b"\n"):
            raise ConnectionError("the meter server hung up")
        return answer

    def close(self):
        self.file.close()
        self.socket.close()


class Journal:
    """Every batch is noted before it is used; entries go in one by one."""

    def __init__(self, address):
        self.lock = threading.Lock()
        self.client = Client(address)
        self.entries = 0

    def note(self, number):
        with self.lock:
            self.client.ask(b"note", number)
            self.entries += 1


def fetcher(address, numbers, journal, batches):
    client = Client(address)
    while True:
        try:
            number = numbers.get_nowait()
        except queue.Empty:
            break
        batch = client.ask(b"batch", number)
        journal.note(number)
        batches.put(batch)
    client.close()


def checksum(fields):
    """A rolling check of the readings, in plain Python."""
    low, high = 1, 0
    for field in fields:
        for char in field:
            low = (low + ord(char)) % 65521
            high = (high + low) % 65521
    return high << 16 | low


def parser(batches, totals):
    while True:
        batch = batches.get()
        if batch is None:
            break
        fields = batch.decode().strip().split(",")
        totals["checksum"] ^= checksum(fields)
        for field in fields:
            meter, value = field.split(":")
            totals["meters"][int(meter)] += int(value)
        totals["readings"] += len(fields)


def main(argv):
    count = int(argv[1]) if len(argv) > 1 else DEFAULT_BATCHES
    server = MeterServer(("127.0.0.1", 0), MeterHandler)
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()

    numbers = queue.Queue()
    for number in range(count):
        numbers.put(number)
    batches = queue.Queue()
    journal = Journal(server.server_address)
    totals = {"readings": 0, "checksum": 0, "meters": [0] * METERS}

    parse = threading.Thread(target=parser, args=(batches, totals), name="parser")
    parse.start()
    fetch = [
        threading.Thread(
            target=fetcher,
            args=(server.server_address, numbers, journal, batches),
            name="fetcher-%d" % index,
        )
        for index in range(FETCHERS)
    ]
    for thread in fetch:
        thread.start()
    for thread in fetch:
        thread.join()
    batches.put(None)
    parse.join()
    server.shutdown()
    server.server_close()

    top = max(range(METERS), key=lambda meter: totals["meters"][meter])
    print("%d batches noted, %d readings" % (journal.entries, totals["readings"]))
    print("checksum %08x" % totals["checksum"])
    print("meter %d used most: %d" % (top, totals["meters"][top]))
    print("meters crc %08x" % zlib.crc32(repr(totals["meters"]).encode()))


if __name__ == "__main__":
    main(sys.argv)
