/* opcodes_private: the generated tables (opcodes_3_*.c). Private to src/python. */
#ifndef PITVIPER_PYTHON_OPCODES_PRIVATE_H
#define PITVIPER_PYTHON_OPCODES_PRIVATE_H

#include "python/layout.h"

extern const struct python_opcodes python_opcodes_3_8, python_opcodes_3_9, python_opcodes_3_10, python_opcodes_3_11,
    python_opcodes_3_12, python_opcodes_3_13, python_opcodes_3_14, python_opcodes_3_15;

#endif
