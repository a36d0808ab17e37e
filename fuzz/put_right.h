/* Checksums, lengths and sequence numbers of a made-up recording put right, so that a fuzzer reaches what is behind
 * them. */
#ifndef PITVIPER_FUZZ_PUT_RIGHT_H
#define PITVIPER_FUZZ_PUT_RIGHT_H

#include "base/base.h"

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put_right(uint8_t *data, size_t size)
{
    if (size < 16)
        return;
    put_le32(data + 12, crc32c(0, data, 12));
    uint32_t sequence = 0;
    for (size_t at = 16; size - at >= 16; sequence++) {
        uint8_t *chunk = data + at;
        uint32_t length = (uint32_t)chunk[4] | (uint32_t)chunk[5] << 8 | (uint32_t)chunk[6] << 16;
        if (length > size - at - 16)
            length = (uint32_t)(size - at - 16);
        put_le32(chunk + 4, length);
        put_le32(chunk + 8, sequence);
        put_le32(chunk + 12, crc32c(crc32c(0, chunk, 12), chunk + 16, length));
        at += 16 + length;
    }
}

#endif
