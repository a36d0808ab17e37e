"""What a lab waits for, without the grader: the same functions, answered by a sleep, so that the lab can be run and profiled by
hand. In a check the grader's own takes its place."""
import asyncio
import hashlib
import threading
import time

DELAY = @DELAY@  # seconds until an answer
AT_ONCE = @AT_ONCE@  # requests that are served at a time
REFUSES = @REFUSES@  # one more: else it waits its turn

_places = threading.Semaphore(AT_ONCE)


class Refused(ConnectionError):
    """More requests at a time than the service takes."""


def _refuse():
    raise Refused("the service takes %d requests at a time" % AT_ONCE)


def _answer(payload):
    return hashlib.sha256(payload).hexdigest().encode()


def ask(payload):
    """The service's answer to these bytes; waits for it."""
    if not _places.acquire(blocking=not REFUSES):
        _refuse()
    try:
        time.sleep(DELAY)
    finally:
        _places.release()
    return _answer(payload)


async def ask_async(payload):
    """The same for a coroutine: others run meanwhile."""
    while not _places.acquire(blocking=False):
        if REFUSES:
            _refuse()
        await asyncio.sleep(DELAY / 20)
    try:
        await asyncio.sleep(DELAY)
    finally:
        _places.release()
    return _answer(payload)


def beat(digest=b""):
    """A heartbeat: the work goes on; the digest is of what is done so far. Nobody listens here."""
