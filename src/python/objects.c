/* Strings, bytes and ints of another process. Include/cpython/unicodeobject.h, bytesobject.h, longintrepr.h. */
#include "python/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KIND_SHIFT = 2,        /* state: interned:2, kind:3, compact:1, ascii:1 (3.8 to 3.13) */
    COMPACT_SHIFT = 5,
    ASCII_SHIFT = 6,
};

static int torn(int r)
{
    return r == -EFAULT ? -EAGAIN : r;
}

int python_type_flags(const struct target *t, const struct python_layout *l, uint64_t object, uint64_t *ret_type,
    uint64_t *ret_flags)
{
    uint64_t type, flags;

    if (object < 4096 || (object & 7))
        return -EAGAIN;
    int r = target_read(t, object + l->object_type, &type, sizeof(type));
    if (r == 0 && (type < 4096 || (type & 7)))
        r = -EAGAIN;
    if (r == 0)
        r = target_read(t, type + l->type_flags, &flags, sizeof(flags));
    if (r < 0)
        return torn(r);
    *ret_type = type;
    *ret_flags = flags;
    return 0;
}

static int require(const struct target *t, const struct python_layout *l, uint64_t object, uint64_t flag)
{
    uint64_t type, flags;
    int r = python_type_flags(t, l, object, &type, &flags);

    return r < 0 ? r : flags & flag ? 0 : -EAGAIN;
}

static void append_code_point(struct buffer *into, uint32_t c)
{
    uint8_t u[4];
    size_t n;

    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        u[0] = (uint8_t)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (uint8_t)(0xc0 | c >> 6);
        u[1] = (uint8_t)(0x80 | (c & 63));
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (uint8_t)(0xe0 | c >> 12);
        u[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        u[2] = (uint8_t)(0x80 | (c & 63));
        n = 3;
    } else {
        u[0] = (uint8_t)(0xf0 | c >> 18);
        u[1] = (uint8_t)(0x80 | (c >> 12 & 63));
        u[2] = (uint8_t)(0x80 | (c >> 6 & 63));
        u[3] = (uint8_t)(0x80 | (c & 63));
        n = 4;
    }
    (void)buffer_append(into, u, n);
}

int python_read_str(const struct target *t, const struct python_layout *l, uint64_t address, struct buffer *into)
{
    uint8_t head[96], data[PYTHON_STR_CAP * 4];
    uint64_t length;
    uint32_t state;

    int r = require(t, l, address, PYTHON_TYPE_STR);
    if (r < 0)
        return r;
    if (l->unicode_compact_data + 8u > sizeof(head))
        return -EINVAL;
    r = target_read(t, address, head, l->unicode_compact_data);
    if (r < 0)
        return torn(r);
    memcpy(&length, head + l->unicode_length, sizeof(length));
    memcpy(&state, head + l->unicode_state, sizeof(state));
    /* 3.14 widened `interned` to 16 bits (struct _PyUnicodeObject_state) where the state is one of bytes. */
    unsigned shift = 0;
    uint32_t kind = state >> KIND_SHIFT & 7;
    if (l->version >= 0x030e && kind != 1 && kind != 2 && kind != 4) {
        shift = 16 - KIND_SHIFT;
        kind = state >> (KIND_SHIFT + shift) & 7;
    }
    bool compact = state >> (COMPACT_SHIFT + shift) & 1, ascii = state >> (ASCII_SHIFT + shift) & 1;
    if (kind != 1 && kind != 2 && kind != 4)
        return -EAGAIN;
    uint64_t from = address + (ascii ? l->unicode_ascii_data : l->unicode_compact_data);
    if (!compact) { /* a ready legacy string, or a subclass: a pointer to the data follows */
        r = target_read(t, address + l->unicode_compact_data, &from, sizeof(from));
        if (r < 0)
            return torn(r);
    }
    if (length > 1ULL << 40)
        return -EAGAIN;
    size_t count = length < PYTHON_STR_CAP ? (size_t)length : PYTHON_STR_CAP;
    r = count ? target_read(t, from, data, count * kind) : 0;
    if (r < 0)
        return torn(r);
    for (size_t i = 0; i < count; i++) {
        uint32_t c = 0;
        memcpy(&c, data + i * kind, kind); /* little-endian, as are both machines supported */
        append_code_point(into, c);
    }
    if (count < length)
        append_code_point(into, 0x2026);
    return into->failed ? -ENOMEM : 0;
}

int python_read_bytes(const struct target *t, const struct python_layout *l, uint64_t address, struct buffer *into)
{
    uint64_t size;
    int r = require(t, l, address, PYTHON_TYPE_BYTES);

    if (r == 0)
        r = target_read(t, address + l->bytes_size, &size, sizeof(size));
    if (r < 0)
        return torn(r);
    if (size > PYTHON_BYTES_CAP)
        return -EFBIG;
    r = buffer_reserve(into, size + 1);
    if (r < 0)
        return r;
    r = size ? target_read(t, address + l->bytes_data, into->data + into->size, size) : 0;
    if (r < 0)
        return torn(r);
    into->size += size;
    return 0;
}

int python_read_int(const struct target *t, const struct python_layout *l, uint64_t address, int64_t *ret_value)
{
    uint64_t tag, value = 0;
    uint32_t digits[3];
    int r = require(t, l, address, PYTHON_TYPE_INT);

    if (r == 0)
        r = target_read(t, address + l->integer_tag, &tag, sizeof(tag));
    if (r < 0)
        return torn(r);
    bool negative;
    uint64_t count;
    if (l->version >= 0x030c) { /* lv_tag: sign in the low two bits (0, 1 zero, 2 negative), count above bit 3 */
        negative = (tag & 3) == 2;
        count = (tag & 3) == 1 ? 0 : tag >> 3;
    } else { /* ob_size, negative for a negative number */
        negative = (int64_t)tag < 0;
        count = negative ? (uint64_t)-(int64_t)tag : tag;
    }
    if (count > ARRAY_SIZE(digits))
        return -ERANGE;
    r = count ? target_read(t, address + l->integer_digit, digits, count * 4) : 0;
    if (r < 0)
        return torn(r);
    for (size_t i = count; i-- > 0;) {
        if (value >> 33)
            return -ERANGE;
        value = value << 30 | (digits[i] & 0x3fffffff);
    }
    if (value > INT64_MAX)
        return -ERANGE;
    *ret_value = negative ? -(int64_t)value : (int64_t)value;
    return 0;
}
