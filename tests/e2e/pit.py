"""A reader of recordings, written from docs/format.md alone: the tests hold the program against it.

Recording(bytes) has complete, lost (bytes), restarts, metas, processes, threads, counters, sources, ticks, and samples: a
Counter of (thread, flags, stack), where a stack is a tuple of (kind, qualname, file, line), outermost first; and task_samples:
a Counter of (thread, name, qualname) of the tasks that threads ran.
"""
import collections
import struct

import zstandard

MAGIC = b"\x8bPIT\r\n\x1a\n"
CHUNK_MAX = 4 << 20
DATA, RESTART, END = 1, 2, 3
PRESENT = 1

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def chunks(data):
    """(offset, type, sequence, payload) of every chunk; after damage, of those from the next restart on."""
    at, expected, looking = 16, 0, False
    while at + 20 <= len(data):
        kind, encoding, zero, size, sequence, payload_crc, header_crc = struct.unpack_from("<BBHIIII", data, at)
        if kind not in (DATA, RESTART, END) or zero or size > CHUNK_MAX or crc32c(data[at : at + 16]) != header_crc:
            at, looking = at + 1, True
            continue
        stored = data[at + 20 : at + 20 + size]
        if len(stored) < size or crc32c(stored) != payload_crc:
            at, looking = at + 1, True
            continue
        looking = looking or (sequence != expected and not (at == 16 and kind == RESTART))
        if not looking or (kind != DATA and sequence >= expected):
            payload = zstandard.ZstdDecompressor().decompress(stored) if encoding == 1 else stored
            yield at, kind, sequence, payload
            looking, expected = False, sequence + 1
            if kind == END:
                return
        at += 20 + size


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1

    def bytes(self, size):
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]

    def text(self):
        return self.bytes(self.varint()).decode("utf-8", "replace")


class Recording:
    def __init__(self, data):
        assert data[:8] == MAGIC and struct.unpack_from("<I", data, 12)[0] == crc32c(data[:12])
        self.version = struct.unpack_from("<I", data, 8)[0]
        assert self.version == 2
        self.complete, self.lost, self.restarts = False, 0, 0
        self.metas, self.processes, self.ends, self.threads, self.cpu, self.sources = [], {}, {}, {}, {}, {}
        self.counters, self.ticks, self.samples, self.task_samples = [], [], collections.Counter(), collections.Counter()
        self.first_chunk = True
        self.forget()
        for _, kind, _, payload in chunks(data):
            if kind == END:
                self.complete = True
                break
            if kind == RESTART:
                self.restarts += 1
                self.forget()
            self.events(Cursor(payload))

    def forget(self):
        self.strings, self.codes, self.frames, self.stacks = [], [], [], [()]
        self.tasks, self.running = [("", "")], {}
        self.states, self.last_thread, self.frame_code, self.stack_frame, self.time = {}, 0, 0, 0, 0

    def events(self, c):
        while c.at < len(c.data):
            op = c.byte()
            if op >= 0x80:
                self.tick(c, op)
            elif op >= 0x40:
                self.state(c, op)
            elif op >= 0x20:
                self.rare(op, Cursor(c.bytes(c.varint())))
            elif op == 1:
                self.strings.append(c.text())
            elif op == 2:
                process, name, file, line = (c.varint() for _ in range(4))
                self.codes.append((self.strings[name], self.strings[file], line))
            elif op == 3:
                kind, self.frame_code = c.byte(), self.frame_code + c.zigzag()
                line = c.varint()
                c.zigzag(), c.varint(), c.varint()
                name, file, _ = self.codes[self.frame_code] if kind == 0 else ("", "", 0)
                self.frames.append((kind, name, file, line))
            elif op == 4:
                parent = len(self.stacks) - 1 - c.varint()
                self.stack_frame += c.zigzag()
                self.stacks.append(self.stacks[parent] + (self.frames[self.stack_frame],))
            else:
                raise ValueError("event %#x" % op)

    def tick(self, c, op):
        if op < 0xC0:
            delta = (op & 0x3F) << 8 | c.byte()
        elif op < 0xE0:
            delta = (op & 0x1F) << 16 | int.from_bytes(c.bytes(2), "big")
        elif op < 0xF0:
            delta = (op & 0x0F) << 24 | int.from_bytes(c.bytes(3), "big")
        else:
            assert op == 0xF0
            delta = c.varint()
        self.time += delta
        self.ticks.append(self.time * 1000)
        for thread, (stack, flags) in self.states.items():
            if flags & PRESENT:
                self.samples[thread, flags, self.stacks[stack]] += 1
                if self.running.get(thread):
                    self.task_samples[(thread, *self.tasks[self.running[thread]])] += 1

    def state(self, c, op):
        if op & 0x20:
            self.last_thread = c.varint()
        stack, flags = self.states.get(self.last_thread, (0, 0))
        if op & 0x10:
            flags = c.byte()
        delta = op & 7
        if op & 8:
            delta |= c.varint() << 3
        stack += delta >> 1 if delta % 2 == 0 else -(delta >> 1) - 1
        self.states[self.last_thread] = stack, flags

    def rare(self, op, c):
        if op == 0x20:
            self.metas.append((c.text(), c.text()))
        elif op == 0x21:
            id, parent, pid, start, image = c.varint(), c.varint(), c.zigzag(), c.varint(), c.varint()
            self.processes[id] = {"parent": parent, "pid": pid, "start_ns": start, "image": image, "python": c.text(), "command": c.text()}
        elif op == 0x22:
            id = c.varint()
            self.ends[id] = {"end_ns": c.varint(), "kernel_cpu_ns": c.varint(), "status": c.zigzag()}
        elif op == 0x23:
            id, process, tid = c.varint(), c.varint(), c.zigzag()
            self.threads[id] = {"process": process, "tid": tid, "name": c.text()}
        elif op == 0x24:
            id = c.varint()
            self.cpu[id] = c.varint(), c.varint()
        elif op == 0x25:
            self.counters = []
            while c.at < len(c.data):
                self.counters.append(c.varint())
        elif op == 0x26:
            whole, digest, path = c.byte(), c.bytes(32), c.text()
            self.sources[path] = whole, digest.hex(), c.bytes(c.varint())
        elif op == 0x27:
            id, _, code = c.varint(), c.varint(), c.varint()
            assert id == len(self.tasks)
            self.tasks.append((c.text(), self.codes[code][0]))
        elif op == 0x28:
            thread = c.varint()
            self.running[thread] = c.varint()
            assert self.running[thread] < len(self.tasks)
