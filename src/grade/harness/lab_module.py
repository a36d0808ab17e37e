# pitviper_lab inside of the sandbox: requests go up on descriptor 3, the grader answers on stdin, behind the input. There is no
# thread of its own: of those who wait, one reads for all.
import os
import threading

ANSWER_FD = 3
AT_ONCE, REFUSES = @AT_ONCE@, @REFUSES@
ASK_MAX = 64 << 10
BEAT_MAX = 256

_lock = threading.Condition()
_reading = False
_last = _answered = 0
_replies = {}  # number: bytes, until it is fetched
_futures = {}  # number: (event loop, future)
_buffer = b""


class Refused(ConnectionError):
    """More requests at a time than the service takes."""


def _send(kind, payload):
    data = kind + len(payload).to_bytes(4, "little") + payload
    while data:
        data = data[os.write(ANSWER_FD, data) :]


def _check(payload, most):
    if type(payload) is not bytes or len(payload) > most:
        raise TypeError("bytes are wanted, at most %d of them" % most)


def _request(payload):
    """Sends it, under the lock; its number."""
    global _last
    if REFUSES and _last - _answered >= AT_ONCE:
        raise Refused("the service takes %d requests at a time" % AT_ONCE)
    _last += 1
    _send(b"q", _last.to_bytes(4, "little") + payload)
    return _last


def _settle(future, reply):
    if not future.done():
        future.set_result(reply)


def _take(data):
    """Gives each whole reply to who waits for it; under the lock."""
    global _answered, _buffer
    _buffer += data
    while len(_buffer) >= 8:
        number, size = int.from_bytes(_buffer[:4], "little"), int.from_bytes(_buffer[4:8], "little")
        if len(_buffer) < 8 + size:
            break
        reply, _buffer = _buffer[8 : 8 + size], _buffer[8 + size :]
        _answered += 1
        if number in _futures:
            loop, future = _futures.pop(number)
            try:
                loop.call_soon_threadsafe(_settle, future, reply)
            except RuntimeError:  # its loop is closed
                pass
        else:
            _replies[number] = reply
    _lock.notify_all()


def _read():
    """Reads once, with the lock let go meanwhile; who calls has set _reading."""
    global _reading
    _lock.release()
    try:
        data = os.read(0, 1 << 16)
    finally:
        _lock.acquire()
        _reading = False
    if not data:
        _lock.notify_all()
        raise ConnectionError("the service is gone")
    _take(data)


def ask(payload):
    """The service's answer to these bytes; waits for it."""
    global _reading
    _check(payload, ASK_MAX)
    with _lock:
        number = _request(payload)
        while number not in _replies:
            if _reading:
                _lock.wait()
            else:
                _reading = True
                _read()
        return _replies.pop(number)


def _readable():
    global _reading
    with _lock:
        if not _reading:
            _reading = True
            _read()


async def ask_async(payload):
    """The same for a coroutine: others run meanwhile."""
    import asyncio

    _check(payload, ASK_MAX)
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    with _lock:
        number = _request(payload)
        if not any(other is loop for other, _ in _futures.values()):
            loop.add_reader(0, _readable)
        _futures[number] = loop, future
    try:
        return await future
    finally:
        with _lock:
            _futures.pop(number, None)
            if not any(other is loop for other, _ in _futures.values()):
                loop.remove_reader(0)


def beat(digest=b""):
    """A heartbeat: the work goes on; the digest is of what is done so far."""
    _check(digest, BEAT_MAX)
    with _lock:
        _send(b"p", digest)
