/* Strings, bytes and ints of another process. Include/cpython/unicodeobject.h, bytesobject.h, longintrepr.h.
 */
#include "python/objects.h"

#include <errno.h>
#include <string.h>

enum {
    INT_DIGITS = 3, /* 63 bits fit in three digits of 30 (PYLONG_BITS_IN_DIGIT) */
    DIGIT_BITS = 30,
    READ_BATCH = 256,
    PAGE = 4096, /* the least page size there is */
};

static int torn(int r)
{
    return r == -EFAULT ? -EAGAIN : r;
}

int python_type_flags(
    const struct target *t, const struct python_layout *l, uint64_t object, uint64_t *ret_type, uint64_t *ret_flags)
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

struct python_str_state python_str_state(const struct python_layout *l, uint32_t word)
{
    uint32_t bits = word >> (l->free_threaded ? 8 : 2);

    return (struct python_str_state){.kind = bits & 7, .compact = bits >> 3 & 1, .ascii = bits >> 4 & 1};
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
    struct python_str_state form = python_str_state(l, state);
    uint32_t kind = form.kind;
    if (kind != 1 && kind != 2 && kind != 4)
        return -EAGAIN;
    uint64_t from = address + (form.ascii ? l->unicode_ascii_data : l->unicode_compact_data);
    if (!form.compact) { /* a ready legacy string, or a subclass: a pointer to the data follows */
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

int python_read_heads(const struct target *t, const uint64_t *addresses, size_t count, size_t size, uint8_t *heads)
{
    memset(heads, 0, count * size);
    for (size_t at = 0; at < count;) {
        struct iovec local[READ_BATCH], remote[READ_BATCH];
        size_t n = count - at < READ_BATCH ? count - at : READ_BATCH;

        for (size_t i = 0; i < n; i++) {
            local[i] = (struct iovec){heads + (at + i) * size, size};
            remote[i] =
                (struct iovec){(void *)(uintptr_t)addresses[at + i], size}; /* NOLINT(performance-no-int-to-ptr) */
        }
        ssize_t got = target_readv(t, local, n, remote, n);
        if (got < 0 && got != -EFAULT)
            return (int)got;
        at += got > 0 ? (size_t)got / size : 0;
        if (got >= 0 && (size_t)got == n * size)
            continue;
        /* The object that the call stopped at: what there is of it up to the end of its page. */
        size_t rest = PAGE - addresses[at] % PAGE;
        memset(heads + at * size, 0, size);
        (void)target_read(t, addresses[at], heads + at * size, rest < size ? rest : size);
        at++;
    }
    return 0;
}

size_t python_int_head_size(const struct python_layout *l)
{
    size_t size = l->integer_digit + INT_DIGITS * 4u, least = l->integer_tag + 8u;

    size = size > least ? size : least;
    return size <= PYTHON_HEAD_MAX ? size : PYTHON_HEAD_MAX;
}

int python_int_from_head(const struct python_layout *l, const uint8_t *head, int64_t *ret_value)
{
    uint64_t tag, count, value = 0;
    bool negative;

    if (python_int_head_size(l) < l->integer_digit + INT_DIGITS * 4u)
        return -EAGAIN;
    memcpy(&tag, head + l->integer_tag, sizeof(tag));
    if (l->version >= 0x030c) { /* lv_tag: sign in the low two bits (0, 1 zero, 2 negative), count above bit 3 */
        negative = (tag & 3) == 2;
        count = (tag & 3) == 1 ? 0 : tag >> 3;
    } else { /* ob_size, negative for a negative number */
        negative = (int64_t)tag < 0;
        count = negative ? 0 - tag : tag;
    }
    if (count > INT_DIGITS)
        return -ERANGE;
    for (size_t i = (size_t)count; i-- > 0;) {
        uint32_t digit;
        memcpy(&digit, head + l->integer_digit + 4 * i, sizeof(digit));
        if (value >> (63 - DIGIT_BITS))
            return -ERANGE;
        value = value << DIGIT_BITS | (digit & ((1u << DIGIT_BITS) - 1));
    }
    *ret_value = negative ? -(int64_t)value : (int64_t)value;
    return 0;
}

int python_read_int(const struct target *t, const struct python_layout *l, uint64_t address, int64_t *ret_value)
{
    uint8_t head[PYTHON_HEAD_MAX];
    int r = require(t, l, address, PYTHON_TYPE_INT);

    if (r == 0)
        r = python_read_heads(t, &address, 1, python_int_head_size(l), head);
    return r < 0 ? torn(r) : python_int_from_head(l, head, ret_value);
}
