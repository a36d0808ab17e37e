"""Answers queries about parcels, many at a time.

A query and its answer are JSON objects. What the desk doesn't know itself, it asks a backend:
an async callable (kind, parcel) -> int that raises BackendError and may take its time.
"""

import asyncio
import hashlib
import json
import os

AT_ONCE = 16  # questions that the backend takes at the same moment; it refuses more
SEAL_ROUNDS = 8000


class BackendError(Exception):
    """The backend has no answer."""


def read_sections(path):
    """{name: text} of the forms in a file."""
    with open(path, encoding="utf-8") as file:
        return dict(section.split("\n", 1) for section in file.read().split("\n\n"))


async def all_or_none(coroutines):
    """Their results, in order. If one fails or the caller is cancelled, none of them goes on."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Desk:
    def __init__(self, forms, backend):
        """forms is the file of the labels' forms. It may be replaced by a new file at any time, and the new one counts."""
        self.forms = forms
        self.backend = backend
        self.active = 0
        self.sections = {}
        self.read_state = None
        self.reading = asyncio.Lock()
        self.slots = asyncio.Semaphore(AT_ONCE)

    async def answer(self, query):
        """The answer to one query. A failed one leaves nothing running behind."""
        self.active += 1
        try:
            if query["ask"] == "label":
                return {"label": await self.label(query["form"], query["parcel"])}
            if query["ask"] == "quotes":
                return {"quotes": await self.quotes(query["parcels"])}
            return {"error": "no such query"}
        except BackendError as error:
            return {"error": str(error)}
        except KeyError as error:
            return {"error": "no %s" % error}
        finally:
            self.active -= 1

    async def ask_backend(self, kind, parcel):
        async with self.slots:
            return await self.backend(kind, parcel)

    async def label(self, form, parcel):
        text = (await self.form_text(form)).replace("PARCEL", parcel)
        return [text, await self.seal_label(text)]

    async def form_text(self, name):
        """The text of a form: what stands below its name in the file, up to an empty line. KeyError if there is none."""
        async with self.reading:  # one reads, the others wait for it
            status = os.stat(self.forms)
            state = (status.st_ino, status.st_size, status.st_mtime_ns)
            if state != self.read_state:
                self.sections = await asyncio.to_thread(read_sections, self.forms)
                self.read_state = state
            return self.sections[name]

    async def seal_label(self, text):
        """A seal that is slow to forge."""
        seal = await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", text.encode("utf-8"), b"parcelflow", SEAL_ROUNDS)
        return seal.hex()[:16]

    async def quote(self, parcel):
        """In cents: the zone's price and the weight's."""
        zone, grams = await all_or_none([self.ask_backend("zone", parcel), self.ask_backend("grams", parcel)])
        return zone * 100 + grams // 10

    async def quotes(self, parcels):
        """The quote of each parcel, in the order given. All of them or, if one fails, its error."""
        return await all_or_none([self.quote(parcel) for parcel in parcels])


async def serve(desk, path):
    """A server on a Unix socket at path: a query a line, an answer a line."""

    async def handle(reader, writer):
        try:
            async for line in reader:
                answer = await desk.answer(json.loads(line))
                writer.write(json.dumps(answer, sort_keys=True).encode("utf-8") + b"\n")
                await writer.drain()
        finally:
            writer.close()

    return await asyncio.start_unix_server(handle, path)
