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
    size_t head = data[8] == 1 ? 16 : 20;
    uint32_t sequence = 0;
    for (size_t at = 16; size - at >= head; sequence++) {
        uint8_t *chunk = data + at;
        uint32_t length = (uint32_t)chunk[4] | (uint32_t)chunk[5] << 8 | (uint32_t)chunk[6] << 16;
        if (length > size - at - head)
            length = (uint32_t)(size - at - head);
        put_le32(chunk + 4, length);
        put_le32(chunk + 8, sequence);
        put_le32(chunk + 12, crc32c(head == 16 ? crc32c(0, chunk, 12) : 0, chunk + head, length));
        if (head == 20)
            put_le32(chunk + 16, crc32c(0, chunk, 16));
        at += head + length;
    }
}

#endif
