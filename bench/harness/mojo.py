"""Stacks out of austin's binary output (MOJO).

The stream is a magic ("MOJ" and a version), then events of one byte and their
fields: texts end with a zero byte; integers have six bits and a sign in their
first byte, seven in each further one, least significant first.
"""

import collections

METADATA, STACK, FRAME, INVALID, REFERENCE, KERNEL, GC, IDLE, TIME, MEMORY, STRING, STRING_REFERENCE = range(1, 13)


class Damaged(Exception):
    pass


class Reader:
    def __init__(self, data):
        if data[:3] != b"MOJ":
            raise Damaged("not a MOJO stream")
        self.data, self.at = data, 4

    def integer(self):
        byte = self.data[self.at]
        self.at += 1
        value, negative, shift = byte & 0x3F, byte & 0x40, 6
        while byte & 0x80:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
        return -value if negative else value

    def text(self):
        end = self.data.index(b"\0", self.at)
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text


def read(data):
    """({metadata}, Counter of stacks, invalid stacks). A stack is ((name, file, line), ...), outermost first."""
    reader = Reader(data)
    metadata, strings, frames = {}, {}, {}
    stacks = collections.Counter()
    stack, invalid, bad = None, 0, False
    try:
        while reader.at < len(data):
            event = data[reader.at]
            reader.at += 1
            if event == METADATA:
                key = reader.text()
                metadata[key] = reader.text()
            elif event == STACK:
                if stack is not None:
                    stacks[tuple(stack)] += 1
                    invalid += bad
                reader.integer(), reader.integer(), reader.text()
                stack, bad = [], False
            elif event == FRAME:
                key, file, scope, line = (reader.integer() for _ in range(4))
                reader.integer(), reader.integer(), reader.integer()
                frames[key] = (strings.get(scope, "?"), strings.get(file, "?"), line)
            elif event == REFERENCE:
                stack.append(frames.get(reader.integer(), ("?", "?", 0)))
            elif event == INVALID:
                stack.append(("<invalid>", "", 0))
                bad = True
            elif event in (GC, IDLE):
                pass
            elif event == KERNEL:
                reader.text()
            elif event in (TIME, MEMORY):
                reader.integer()
            elif event == STRING:
                key = reader.integer()
                strings[key] = reader.text()
            elif event == STRING_REFERENCE:
                reader.integer()
            else:
                raise Damaged("unknown event %d at %d" % (event, reader.at - 1))
    except (IndexError, ValueError):
        pass  # the stream was cut when its writer was stopped
    if stack is not None:
        stacks[tuple(stack)] += 1
        invalid += bad
    return metadata, stacks, invalid
