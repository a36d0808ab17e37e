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
from pitviper_lab import beat

LARGE = 0.5  # of run.py's --size
RECORDS_MOST = 50000  # before it waits for the end: a record is told by a heartbeat, and of these there may be so many


def play(name, seed, size, given):
    """seed and size say how run.py makes the same input."""
    with tempfile.TemporaryDirectory(prefix="parcelflow-") as folder:
        told = workloads.SCENARIOS[name][1](flow, given, folder)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text if size < LARGE else hashlib.sha256(text.encode("ascii")).hexdigest()


# The journal and a kill: one process appends until it is killed, another one reads what is there.


def journal_path():
    return os.path.join(tempfile.gettempdir(), "killed.jsonl")


def record_of(number):
    return {"number": number, "text": "x" * (number * 37 % 400)}


def append_until_killed():
    """Tells of each record once append has returned."""
    journal = flow.open_journal(journal_path())
    for number in range(1, RECORDS_MOST + 1):
        journal.append(record_of(number))
        beat()
        if number % 50 == 0:
            journal.commit()
    time.sleep(3600)


def read_after_kill():
    """How many records are there, as text; or what is wrong with them."""
    with open(journal_path(), "ab") as file:
        file.write(b'{"number": ')  # a kill in the middle of a record leaves such a line
    journal = flow.open_journal(journal_path())
    records = journal.records()
    journal.close()
    for number, record in enumerate(records, 1):
        if record != record_of(number):
            return "record %d is not the one that was appended" % number
    return str(len(records))
