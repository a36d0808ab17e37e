"""Reads a town's water meters by radio, at night, when the air is free."""
import asyncio
import hashlib

ON_AIR_SECONDS = 0.002
TELEGRAM_BYTES = 6000
WORKERS = 200


async def on_air(telegram):
    """Stands for the radio and its watchdog, which are not ours: return the bytes that a meter sends back.

    One meter in sixteen is out of order. The watchdog cancels the task that asked it, so that nobody waits for ever.
    """
    await asyncio.sleep(ON_AIR_SECONDS)
    answer = hashlib.sha256(telegram.partition(b";")[0]).digest()
    if answer[0] < 16:
        asyncio.current_task().cancel()
        await asyncio.sleep(0)             # here it is raised
    return answer


async def read(meter):
    """Return the litres that a meter has counted."""
    number = b"%d;" % meter
    telegram = number * (TELEGRAM_BYTES // len(number))            # again and again, so that one gets through
    answer = await on_air(telegram)
    return int.from_bytes(answer[1:4], "big")


async def work(places, meters, found):
    """Read one meter after the other; all workers take theirs from the same iterator of places."""
    for place in places:
        reading = asyncio.ensure_future(read(meters[place]))
        await asyncio.wait([reading])      # the watchdog hits the reading, and not this worker
        found[place] = None if reading.cancelled() else reading.result()


async def read_all(meters):
    found = [None] * len(meters)
    places = iter(range(len(meters)))
    await asyncio.gather(*(work(places, meters, found) for _ in range(WORKERS)))
    return found


def readings(meters):
    """Return the litres of each meter, in the order of the meters; None for one whose reading was cancelled."""
    return asyncio.run(read_all(meters))


if __name__ == "__main__":
    FOUND = readings(range(500_000, 550_000))
    print("%d meters, %d of them silent, %d litres" % (
        len(FOUND), FOUND.count(None), sum(litres for litres in FOUND if litres is not None)))
