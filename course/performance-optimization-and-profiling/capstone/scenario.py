"""What the grader calls: one scenario of workloads.py on the parcelflow beside this file, in a process of its own.

It lies beside workloads.py and the package, in the sandbox. The answer is the text that run.py makes its digest of; of an
input as large as those that are measured the digest, which takes no memory.
"""

import hashlib
import json
import os
import tempfile
import time

import workloads
from parcelflow import flow

LARGE = 0.5  # of run.py's --size
RECORDS_MOST = 50000  # before it waits for the end: a file may not become too large


def play(name, seed, size, given):
    """seed and size say how run.py makes the same input."""
    with tempfile.TemporaryDirectory(prefix="parcelflow-") as folder:
        told = workloads.SCENARIOS[name][1](flow, given, folder)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text if size < LARGE else hashlib.sha256(text.encode("ascii")).hexdigest()


# The journal and a kill: one process appends until it is killed, another one reads what is there. What the first one writes
# to a file without a buffer is there after the kill, so that it says how far it had come.


def journal_path():
    return os.path.join(tempfile.gettempdir(), "killed.jsonl")


def record_of(number):
    return {"number": number, "text": "x" * (number * 37 % 400)}


def append_until_killed():
    """Notes of each record that append has returned. It never commits: syncing takes so long that most kills would meet it."""
    noted = os.open(journal_path() + ".noted", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    journal = flow.open_journal(journal_path())
    for number in range(1, RECORDS_MOST + 1):
        journal.append(record_of(number))
        os.pwrite(noted, b"%8d" % number, 0)
    time.sleep(3600)


def read_after_kill():
    """How many were noted and how many are there, as text; or what is wrong with them."""
    if not os.path.exists(journal_path() + ".noted"):
        return "0 0"
    with open(journal_path() + ".noted", "rb") as file:
        noted = int(file.read() or b"0")
    with open(journal_path(), "ab") as file:
        file.write(b'{"number": ')  # a kill in the middle of a record leaves such a line
    journal = flow.open_journal(journal_path())
    records = journal.records()
    journal.close()
    for number, record in enumerate(records, 1):
        if record != record_of(number):
            return "record %d is not the one that was appended" % number
    return "%d %d" % (noted, len(records))
