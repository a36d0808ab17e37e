# Arguments and answers as bytes: data only, of exact types, one encoding for each value, so that equal bytes are equal
# values and nothing that the learner wrote takes part in a comparison. src/grade/values.c reads the same.
#
#   N T F                          None, True, False
#   I length bytes                 int: signed, big-endian, as short as it can be
#   D bytes                        float: 8 bytes, big-endian, every NaN the same
#   S length bytes, B length bytes str (UTF-8), bytes
#   L count items, U count items   list, tuple
#   i count bytes, d count bytes   list of ints of 64 bits, list of floats, not empty: 8 little-endian bytes each
#   j count bytes, e count bytes   the same as tuples
#   M count pairs, E and Z count items   dict, set and frozenset, ascending by the bytes of the key
# Lengths and counts are 4 bytes, little-endian.
import struct

DEPTH_MAX = 64
NAN = b"D\x7f\xf8\0\0\0\0\0\0"
PACKED = {list: (b"L", b"i", b"d"), tuple: (b"U", b"j", b"e")}
ONLY_INTS, ONLY_FLOATS = {int}, {float}


class NotData(TypeError):
    """The value holds something that is no plain data."""


def counted(tag, count):
    return tag + count.to_bytes(4, "little")


def encode_int(x):
    size = (x + (x < 0)).bit_length() // 8 + 1
    return counted(b"I", size) + x.to_bytes(size, "big", signed=True)


def encode_sequence(x, kind, depth):
    plain, ints, floats = PACKED[kind]
    kinds = set(map(type, x))
    if kinds == ONLY_INTS:
        try:
            return counted(ints, len(x)) + struct.pack("<%dq" % len(x), *x)
        except struct.error:  # one of them needs more than 64 bits
            pass
    elif kinds == ONLY_FLOATS and not any(item != item for item in x):
        return counted(floats, len(x)) + struct.pack("<%dd" % len(x), *x)
    return counted(plain, len(x)) + b"".join([encode_at(item, depth) for item in x])


def encode_at(x, depth):
    kind = type(x)
    if kind is int:
        return encode_int(x)
    if kind is str:
        text = x.encode("utf-8", "surrogatepass")
        return counted(b"S", len(text)) + text
    if kind is float:
        return NAN if x != x else b"D" + struct.pack(">d", x)
    if x is None:
        return b"N"
    if kind is bool:
        return b"T" if x else b"F"
    if kind is bytes:
        return counted(b"B", len(x)) + x
    if depth == 0:
        raise NotData("it is nested more than %d deep" % DEPTH_MAX)
    if kind is list or kind is tuple:
        return encode_sequence(x, kind, depth - 1)
    if kind is dict:
        pairs = sorted([(encode_at(key, depth - 1), encode_at(value, depth - 1)) for key, value in x.items()])
        return counted(b"M", len(pairs)) + b"".join([key + value for key, value in pairs])
    if kind is set or kind is frozenset:
        return counted(b"E" if kind is set else b"Z", len(x)) + b"".join(sorted([encode_at(item, depth - 1) for item in x]))
    raise NotData("it holds a value of type %s; plain data is wanted: None, bool, int, float, str, bytes, list, tuple, dict, set, frozenset"
                  % kind.__qualname__)


def encode(x):
    """Its bytes; NotData if any of it is of another type, a subclass of these included."""
    return encode_at(x, DEPTH_MAX)


def decode_items(data, at, count, depth):
    items = []
    for _ in range(count):
        item, at = decode_at(data, at, depth)
        items.append(item)
    return items, at


def decode_at(data, at, depth):
    tag, at = data[at : at + 1], at + 1
    if tag in (b"N", b"T", b"F"):
        return {b"N": None, b"T": True, b"F": False}[tag], at
    if tag == b"D":
        return struct.unpack_from(">d", data, at)[0], at + 8
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    if count > len(data) or depth == 0:
        raise ValueError("no such value")
    if tag in (b"I", b"S", b"B"):
        part = data[at : at + count]
        if tag == b"I":
            return int.from_bytes(part, "big", signed=True), at + count
        return part.decode("utf-8", "surrogatepass") if tag == b"S" else part, at + count
    if tag in (b"i", b"d", b"j", b"e"):
        items = struct.unpack_from("<%d%s" % (count, "q" if tag in (b"i", b"j") else "d"), data, at)
        return list(items) if tag in (b"i", b"d") else items, at + 8 * count
    if tag == b"M":
        items, at = decode_items(data, at, 2 * count, depth - 1)
        return dict(zip(items[::2], items[1::2])), at
    items, at = decode_items(data, at, count, depth - 1)
    return {b"L": list, b"U": tuple, b"E": set, b"Z": frozenset}[tag](items), at


def decode(data):
    """The value of bytes that encode() made."""
    return decode_at(data, 0, DEPTH_MAX + 1)[0]
