"""Catalogues a herbarium: unpacks the scan of each sheet, and asks a service what grows on it."""
import asyncio
import zlib

from pitviper_lab import ask_async

AT_ONCE = 8                                # questions that the service takes at a time
END = object()                             # stands in the queue behind the last scan, one for each worker


def unpack(sheet):
    """Return the scan that is packed in these bytes; None if it is damaged."""
    try:
        return zlib.decompress(sheet)
    except zlib.error:
        return None


async def name(scan):
    """Return (plant, stamp) for a scan, the stamp being of both together; "damaged" if there is none."""
    if scan is None:
        return "damaged"
    answer = await ask_async(b"what grows on %08x" % zlib.crc32(scan))
    while answer[:1] in b"0123":           # the service is not sure
        answer = await ask_async(b"look closer at " + answer)
    plant = answer[:12]
    return plant.decode(), zlib.crc32(scan, zlib.crc32(plant))


async def read(sheets, queue):
    """Put the scans of the sheets, with their numbers, into the queue, one after the other."""
    for number, sheet in enumerate(sheets):
        await queue.put((number, unpack(sheet)))
    for _ in range(AT_ONCE):
        await queue.put(END)


async def work(queue, names):
    """Name one scan of the queue after the other, until there is an END for this worker."""
    while True:
        item = await queue.get()
        if item is END:
            return
        number, scan = item
        names[number] = await name(scan)


async def read_and_name(sheets):
    """Read and name at the same time."""
    queue = asyncio.Queue(AT_ONCE // 4)
    names = [None] * len(sheets)
    await asyncio.gather(read(sheets, queue), *(work(queue, names) for _ in range(AT_ONCE)))
    return names


def catalogue(sheets):
    """Return (plant, stamp), or "damaged", for each of the packed sheets, in their order."""
    return asyncio.run(read_and_name(sheets))


if __name__ == "__main__":
    SHEETS = [zlib.compress((b"sheet %d; " % NUMBER) * 20_000) for NUMBER in range(400)]
    SHEETS[7] = SHEETS[7][:20]
    NAMES = catalogue(SHEETS)
    print("%d sheets, %d of them damaged; the last is %s" % (len(NAMES), NAMES.count("damaged"), NAMES[-1]))
