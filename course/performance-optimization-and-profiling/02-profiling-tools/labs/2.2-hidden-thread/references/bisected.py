"""Watch a gateway's log for accounts that were probably taken over.

The log is text, one login a line, in order of time (seconds since midnight):

    34127 failed office-17 from 10.4.7.9
    34131 ok office-17 from 10.4.7.9

A login that succeeds after many failures of the same account is suspicious. The main thread reads the log, and hands the
logins on in batches. The thread "detector" counts them and writes the alarms, so that reading never waits for counting.
"""
import queue
import random
import threading
from bisect import bisect_right
from typing import NamedTuple

BATCH = 500


class Login(NamedTuple):
    moment: int
    succeeded: bool
    account: str


class Detector(threading.Thread):
    """Takes batches of logins from its inbox until None comes; then alarms and worst are complete."""

    def __init__(self, limit, window):
        super().__init__(name="detector")
        self.limit = limit
        self.window = window
        self.inbox = queue.Queue()
        self.failures = {}  # account: moments of its failed logins, oldest first
        self.worst = {}  # account: the most failures that it had within one window
        self.alarms = []
        self.error = None

    def run(self):
        try:
            for batch in iter(self.inbox.get, None):
                for login in batch:
                    self.note(login)
        except Exception as error:  # for the main thread, which would never hear of it
            self.error = error

    def recent_failures(self, account, now):
        """How many failures the account had in the window that ends now."""
        moments = self.failures.get(account, [])
        return len(moments) - bisect_right(moments, now - self.window)

    def note(self, login):
        if not login.succeeded:
            self.failures.setdefault(login.account, []).append(login.moment)
        count = self.recent_failures(login.account, login.moment)
        self.worst[login.account] = max(count, self.worst.get(login.account, 0))
        if login.succeeded and count >= self.limit:
            thread = threading.current_thread().name
            self.alarms.append(f"{login.moment} [{thread}] {login.account}: ok after {count} failures in {self.window} s")


def parse(line):
    """The login of a line, or None for a line that is something else."""
    words = line.split()
    if len(words) != 5 or words[1] not in ("ok", "failed") or not words[0].isdigit():
        return None
    return Login(int(words[0]), words[1] == "ok", words[2])


def watch(log, limit, window):
    """The alarms of a log, the worst count of each account, and how many lines were no logins."""
    detector = Detector(limit, window)
    detector.start()
    batch, skipped = [], 0
    for line in log.splitlines():
        login = parse(line)
        if login is None:
            skipped += 1
            continue
        batch.append(login)
        if len(batch) == BATCH:
            detector.inbox.put(batch)
            batch = []
    detector.inbox.put(batch)
    detector.inbox.put(None)
    detector.join()
    if detector.error is not None:
        raise detector.error
    return {"alarms": detector.alarms, "worst": detector.worst, "skipped": skipped}


def sample_log(lines):
    rng = random.Random(1)
    moment, text = 0, []
    for _ in range(lines):
        moment += rng.randrange(3)
        outcome = rng.choice(("ok", "failed", "failed", "failed"))
        text.append(f"{moment} {outcome} office-{rng.randrange(25)} from 10.4.1.{rng.randrange(250)}")
    return "\n".join(text)


if __name__ == "__main__":
    found = watch(sample_log(36_000), limit=22, window=600)
    print(len(found["alarms"]), "alarms;", found["skipped"], "lines skipped")
