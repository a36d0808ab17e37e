"""Takes in what the depots upload at night: checks each upload's seal and sums up its records, while a heart beats."""
import asyncio
import hashlib
import hmac
import json
import threading
import time

from pitviper_lab import beat

PASSPHRASE = b"the depots and we"
BEAT_SECONDS = 0.01


def seal_of(depot, rounds, body):
    """Return the seal that an upload of this depot must have; its key takes so many rounds to derive."""
    key = hashlib.pbkdf2_hmac("sha256", PASSPHRASE, depot.encode(), rounds)
    return hmac.new(key, body, "sha256").hexdigest()


def add_up(records, sums):
    """Add records to {zone: (parcels, grams)}."""
    for record in records:
        parcels, grams = sums.get(record["zone"], (0, 0))
        sums[record["zone"]] = (parcels + 1, grams + record["grams"])


def totals(body):
    """Return {zone: (parcels, grams)} for a body with one JSON record a line; None if a line is damaged."""
    lines = body.splitlines()
    sums = {}
    try:
        add_up(json.loads(b"[" + b",".join(lines) + b"]"), sums)   # one call for all: several times as fast as one a line
    except ValueError:
        return None
    return sums


async def take_in(upload, done):
    """Return (depot, totals) for one upload (depot, rounds, body, seal); with a word instead of totals if it can't be used."""
    depot, rounds, body, seal = upload
    if seal_of(depot, rounds, body) != seal:
        result = depot, "broken seal"
    else:
        sums = totals(body)
        result = depot, "damaged" if sums is None else sums
    done.append(depot)
    return result


def heart(done, stopped):
    """Tell the load balancer, again and again, that this process still answers."""
    while not stopped.is_set():
        beat(b"%d uploads" % len(done))
        time.sleep(BEAT_SECONDS)


async def serve(uploads):
    done = []
    stopped = threading.Event()
    threading.Thread(target=heart, args=(done, stopped)).start()
    try:
        return await asyncio.gather(*(take_in(upload, done) for upload in uploads))
    finally:
        stopped.set()


def intake(uploads):
    """Return (depot, totals or word) for each upload, in the order of the uploads."""
    return asyncio.run(serve(uploads))


if __name__ == "__main__":
    ZONES = ("north", "south", "isle")
    LINES = [b'{"zone":"%s","grams":%d}' % (ZONES[n % 3].encode(), 50 + n * 7919 % 29_000) for n in range(300_000)]
    BODY = b"\n".join(LINES)
    print(intake([("Lyon", 200_000, BODY, seal_of("Lyon", 200_000, BODY)), ("Graz", 1000, LINES[0], "no seal")]))
