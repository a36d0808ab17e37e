/*
 * Feeds arbitrary line tables to python_location_find. The first byte chooses the version, the next four the
 * instruction; the rest is the table. Beyond what the sanitizers see: versions without columns name none, and a line is
 * a positive int or unknown.
 */
#include "python/layout.h"

#include <stdlib.h>
#include <string.h>

enum {
    PREFIX = 5,
    FIRST = 0x0308,
    VERSIONS = 8,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    uint16_t version = (uint16_t)(FIRST + data[0] % VERSIONS);
    uint32_t at;
    memcpy(&at, data + 1, sizeof at);
    at %= 4 * (uint32_t)size + 8;

    struct python_location found;
    python_location_find(version, data + PREFIX, size - PREFIX, 1, at, &found);
    if (version < 0x030b && (found.column != 0 || found.end_column != 0))
        abort();
    if (found.line > INT32_MAX || found.end_line > INT32_MAX)
        abort();
    return 0;
}
