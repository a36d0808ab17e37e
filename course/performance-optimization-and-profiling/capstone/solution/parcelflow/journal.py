"""Records that survive."""

import json
import os


def cut_torn_line(path):
    """Takes off what a kill has left of a record that was being written."""
    if not os.path.exists(path):
        return
    with open(path, "rb+") as file:
        whole = file.read()
        file.truncate(whole.rfind(b"\n") + 1)


class Journal:
    """Records, one JSON line each, in a file.

    A record for which append has returned survives a kill of this process. When commit has
    returned, all records so far survive a loss of power as well (they are synced to the disk)."""

    def __init__(self, path):
        self.path = path
        cut_torn_line(path)
        self.file = open(path, "a", encoding="utf-8")

    def append(self, record):
        self.file.write(json.dumps(record, sort_keys=True) + "\n")
        self.file.flush()

    def commit(self):
        os.fsync(self.file.fileno())

    def records(self):
        """All the records, oldest first."""
        if not os.path.exists(self.path):
            return []
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def close(self):
        """Nothing is appended after this."""
        self.file.close()
