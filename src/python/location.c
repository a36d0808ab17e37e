/*
 * From an instruction to a line and columns, by the table that its code object carries: co_lnotab (3.8, 3.9:
 * Objects/lnotab_notes.txt), co_linetable of line ranges (3.10: the same file), and the location table
 * of 3.11 to 3.15 (Objects/locations.md). All three are deltas, so one pass from the start; a megabyte takes
 * about a millisecond.
 *
 * Sums are kept in 64 bits and wrap at worst; a line that is no positive int becomes 0, unknown.
 */
#include "python/layout.h"

enum {
    VERSION_RANGES = 0x030a,
    VERSION_LOCATIONS = 0x030b,
    NO_LINE = -128, /* 3.10: this range has no line */
    UNIT = 2,       /* bytes of a code unit */
};

/* Entry kinds of 3.11+ (enum _PyCodeLocationInfoKind, Include/cpython/code.h). 0 to 9 are short forms. */
enum {
    KIND_ONE_LINE = 10, /* and 11, 12: a line later, two lines later */
    KIND_NO_COLUMNS = 13,
    KIND_LONG = 14,
    KIND_NONE = 15,
};

static uint32_t positive(uint64_t value)
{
    return (int64_t)value > 0 && (int64_t)value <= INT32_MAX ? (uint32_t)value : 0;
}

static void find_in_lnotab(
    const uint8_t *table, size_t size, uint32_t first_line, uint32_t at, struct python_location *ret)
{
    uint64_t line = first_line, start = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        start += table[i];
        if (start > at)
            break;
        line += (uint64_t)(int64_t)(int8_t)table[i + 1];
    }
    ret->line = ret->end_line = positive(line);
}

static void find_in_ranges(
    const uint8_t *table, size_t size, uint32_t first_line, uint32_t at, struct python_location *ret)
{
    uint64_t line = first_line, end = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        int8_t delta = (int8_t)table[i + 1];

        end += table[i];
        if (delta != NO_LINE)
            line += (uint64_t)(int64_t)delta;
        if (end > at) {
            ret->line = ret->end_line = delta == NO_LINE ? 0 : positive(line);
            return;
        }
    }
}

/* Six bits a byte, the lowest first; bit 6 says that more follow. */
static uint64_t read_varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = 0;
    unsigned shift = 0;

    while (*at < end) {
        uint8_t byte = *(*at)++;
        if (shift < 64)
            value |= (uint64_t)(byte & 63) << shift;
        shift += 6;
        if (!(byte & 64))
            break;
    }
    return value;
}

static uint64_t read_signed(const uint8_t **at, const uint8_t *end)
{
    uint64_t value = read_varint(at, end);
    return value & 1 ? 0 - (value >> 1) : value >> 1;
}

static uint8_t read_byte(const uint8_t **at, const uint8_t *end)
{
    return *at < end ? *(*at)++ : 0;
}

static void find_in_locations(
    const uint8_t *table, size_t size, uint32_t first_line, uint32_t at, struct python_location *ret)
{
    const uint8_t *next = table, *end = table + size;
    uint64_t line = first_line, covered = 0;

    while (next < end) {
        uint8_t head = *next++;
        unsigned kind = (head >> 3) & 15;
        uint64_t end_line = 0, column = 0, end_column = 0;

        covered += UNIT * ((head & 7u) + 1u);
        if (kind == KIND_LONG) {
            line += read_signed(&next, end);
            end_line = line + read_varint(&next, end);
            column = read_varint(&next, end); /* one more than the column already; 0: none */
            end_column = read_varint(&next, end);
        } else if (kind == KIND_NO_COLUMNS) {
            line += read_signed(&next, end);
            end_line = line;
        } else if (kind >= KIND_ONE_LINE && kind < KIND_NO_COLUMNS) {
            line += kind - KIND_ONE_LINE;
            end_line = line;
            column = read_byte(&next, end) + 1u;
            end_column = read_byte(&next, end) + 1u;
        } else if (kind < KIND_ONE_LINE) {
            uint8_t rest = read_byte(&next, end);
            end_line = line;
            column = (kind << 3 | rest >> 4) + 1u;
            end_column = column + (rest & 15u);
        }
        if (covered > at) {
            if (kind == KIND_NONE)
                return;
            ret->line = positive(line);
            ret->end_line = positive(end_line);
            ret->column = positive(column);
            ret->end_column = positive(end_column);
            return;
        }
    }
}

void python_location_find(
    uint16_t version, const uint8_t *table, size_t size, uint32_t first_line, uint32_t at, struct python_location *ret)
{
    *ret = (struct python_location){0};
    if (version >= VERSION_LOCATIONS) {
        /* An empty table says nothing; and NULL + 0 is not to be compared. */
        if (size > 0)
            find_in_locations(table, size, first_line, at, ret);
    } else if (version == VERSION_RANGES) {
        find_in_ranges(table, size, first_line, at, ret);
    } else {
        find_in_lnotab(table, size, first_line, at, ret);
    }
}
