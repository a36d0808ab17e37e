/*
 * Line tables. Objects/lnotab_notes.txt (3.8, 3.9: pairs of unsigned byte and signed line increments; 3.10: ranges of
 * bytes with signed line deltas, -128 for none) and InternalDocs/code_objects.md (3.11+: locations with columns).
 */
#include "python/layout.h"

#include <string.h>

static uint32_t line_or_none(int64_t line)
{
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static void find_lnotab(const uint8_t *table, size_t size, int64_t line, uint32_t at, struct python_location *ret)
{
    uint64_t address = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        address += table[i];
        if (address > at)
            break;
        line += (int8_t)table[i + 1];
    }
    ret->line = line_or_none(line);
}

static void find_ranges(const uint8_t *table, size_t size, int64_t line, uint32_t at, struct python_location *ret)
{
    uint64_t end = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        int8_t delta = (int8_t)table[i + 1];
        end += table[i];
        if (delta != -128)
            line += delta;
        if (at < end) {
            ret->line = delta == -128 ? 0 : line_or_none(line);
            return;
        }
    }
}

/* Six bits a byte, least significant first; bit 6 says that more follow. */
static uint64_t location_varint(struct reader *r)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = reader_byte(r);
        if (shift < 60)
            value |= (uint64_t)(byte & 63) << shift;
        shift += 6;
    } while ((byte & 64) && !r->failed);
    return value;
}

static int64_t location_svarint(struct reader *r)
{
    uint64_t value = location_varint(r);

    return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static uint32_t column_or_none(uint64_t plus_one)
{
    return plus_one <= INT32_MAX ? (uint32_t)plus_one : 0;
}

static void find_locations(const uint8_t *table, size_t size, int64_t line, uint32_t at, struct python_location *ret)
{
    struct reader r = {.at = table, .end = table + size};
    uint64_t end = 0;

    while (r.at < r.end && !r.failed) {
        uint8_t first = reader_byte(&r);
        unsigned code = (first >> 3) & 15;
        uint64_t end_line_delta = 0, column = 0, end_column = 0; /* columns plus one: 0 is none */
        end += ((first & 7u) + 1) * 2;
        if (code <= 9) { /* short */
            uint8_t byte = reader_byte(&r);
            column = (code << 3 | byte >> 4) + 1;
            end_column = column + (byte & 15);
        } else if (code <= 12) { /* one line */
            line += code - 10;
            column = reader_byte(&r) + 1u;
            end_column = reader_byte(&r) + 1u;
        } else if (code == 13) { /* no columns */
            line += location_svarint(&r);
        } else if (code == 14) { /* long */
            line += location_svarint(&r);
            end_line_delta = location_varint(&r);
            column = location_varint(&r);
            end_column = location_varint(&r);
        }
        if (line > INT32_MAX || line < -(int64_t)INT32_MAX)
            return;
        if (at >= end)
            continue;
        if (code == 15 || r.failed)
            return;
        ret->line = line_or_none(line);
        ret->end_line = end_line_delta < INT32_MAX ? line_or_none(line + (int64_t)end_line_delta) : 0;
        ret->column = column_or_none(column);
        ret->end_column = column_or_none(end_column);
        return;
    }
}

void python_location_find(uint16_t version, const uint8_t *table, size_t size, uint32_t first_line, uint32_t at,
    struct python_location *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (!table)
        return;
    if (version < 0x030a)
        find_lnotab(table, size, first_line, at, ret);
    else if (version == 0x030a)
        find_ranges(table, size, first_line, at, ret);
    else
        find_locations(table, size, first_line, at, ret);
}
