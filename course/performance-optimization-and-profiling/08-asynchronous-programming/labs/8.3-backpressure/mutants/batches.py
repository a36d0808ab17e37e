"""Slow: eight at a time, and the next eight when the last of them is named.

Catalogues a herbarium: unpacks the scan of each sheet, and asks a service what grows on it."""
import asyncio
import zlib

from pitviper_lab import ask_async

AT_ONCE = 8                                # questions that the service takes at a time
END = object()                             # stands in the queue behind the last scan


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
    """Put the scans of the sheets into the queue, one after the other."""
    for sheet in sheets:
        await queue.put(unpack(sheet))
    await queue.put(END)


async def name_all(queue):
    """Return what `name` makes of each scan in the queue, in their order."""
    names = []
    scan = None
    while scan is not END:
        tasks = []
        while len(tasks) < AT_ONCE:
            scan = await queue.get()
            if scan is END:
                break
            tasks.append(asyncio.ensure_future(name(scan)))
        names += await asyncio.gather(*tasks)
    return names


async def read_and_name(sheets):
    """Read and name at the same time."""
    queue = asyncio.Queue(AT_ONCE)
    _, names = await asyncio.gather(read(sheets, queue), name_all(queue))
    return names


def catalogue(sheets):
    """Return (plant, stamp), or "damaged", for each of the packed sheets, in their order."""
    return asyncio.run(read_and_name(sheets))
