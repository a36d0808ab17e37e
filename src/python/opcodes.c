#include "python/opcodes_private.h"

enum { FIRST_MINOR = 8 };

static const struct python_opcodes *const opcode_tables[] = {&python_opcodes_3_8, &python_opcodes_3_9,
    &python_opcodes_3_10, &python_opcodes_3_11, &python_opcodes_3_12, &python_opcodes_3_13, &python_opcodes_3_14,
    &python_opcodes_3_15};

const struct python_opcodes *python_opcodes_table(uint16_t version)
{
    if (version >> 8 != 3 || (version & 0xff) < FIRST_MINOR)
        return NULL;
    size_t index = (size_t)(version & 0xff) - FIRST_MINOR;
    return index < ARRAY_SIZE(opcode_tables) ? opcode_tables[index] : NULL;
}
