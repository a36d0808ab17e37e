#include "base/base.h"

static uint64_t fail(struct reader *r)
{
    r->failed = true;
    r->at = r->end; /* one failure is the last: what follows a bad length has no known place */
    return 0;
}

const uint8_t *reader_bytes(struct reader *r, size_t size)
{
    if (r->failed || size > (size_t)(r->end - r->at)) {
        fail(r);
        return NULL;
    }
    const uint8_t *bytes = r->at;
    if (size > 0)
        r->at += size;
    return bytes;
}

uint8_t reader_byte(struct reader *r)
{
    const uint8_t *bytes = reader_bytes(r, 1);
    return bytes == NULL ? 0 : bytes[0];
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at == r->end || r->failed)
            return fail(r);
        uint8_t byte = *r->at++;
        if (shift == 63 && byte > 1)
            return fail(r); /* a 65th bit, or an eleventh byte */
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    return fail(r);
}

int64_t reader_zigzag(struct reader *r)
{
    uint64_t word = reader_varint(r);
    uint64_t value = (word >> 1) ^ ((word & 1) != 0 ? UINT64_MAX : 0);
    return (int64_t)value;
}

uint32_t reader_le32(struct reader *r)
{
    const uint8_t *bytes = reader_bytes(r, 4);
    uint32_t value = 0;
    for (unsigned i = 0; bytes != NULL && i < 4; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

uint64_t reader_le64(struct reader *r)
{
    const uint8_t *bytes = reader_bytes(r, 8);
    uint64_t value = 0;
    for (unsigned i = 0; bytes != NULL && i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}
