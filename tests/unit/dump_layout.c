/*
 * Prints what the tables of src/python say of one version, as JSON, for tests/e2e/test_layouts.py and
 * test_opcodes.py.
 *
 * usage: dump_layout 3.X [FILE]    FILE: the first bytes at _PyRuntime, for 3.13 and later
 */
#include "python/layout_private.h"

#include <stdio.h>
#include <string.h>

static void print_layout(const struct python_layout *l)
{
    printf("\"layout\": {\"runtime_size\": %u, \"interpreter_size\": %u, \"thread_size\": %u, "
           "\"frame_size\": %u",
        l->runtime_size, l->interpreter_size, l->thread_size, l->frame_size);
#define PRINT(group, field)                                                                                            \
    if (l->group##_##field != PYTHON_FIELD_NONE)                                                                       \
        printf(",\n\"" #group "." #field "\": %u", l->group##_##field);
    PYTHON_LAYOUT_FIELDS(PRINT)
#undef PRINT
    printf("},\n");
}

static void print_objects(const struct python_object_layout *o)
{
    const struct {
        const char *name;
        uint16_t value;
    } fields[] = {
        {"keys_size", o->keys_size},
        {"keys_index_bytes", o->keys_index_bytes},
        {"keys_kind", o->keys_kind},
        {"keys_entries", o->keys_entries},
        {"keys_indices", o->keys_indices},
        {"values_capacity", o->values_capacity},
        {"values_valid", o->values_valid},
        {"values_items", o->values_items},
        {"type_cached_keys", o->type_cached_keys},
    };
    const char *comma = "";
    printf("\"objects\": {");
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (fields[i].value == PYTHON_FIELD_NONE)
            continue;
        printf("%s\"%s\": %u", comma, fields[i].name, fields[i].value);
        comma = ", ";
    }
    printf("},\n");
}

static void print_opcodes(const struct python_opcodes *o)
{
    static const char *const classes[] = {"unknown", "pure", "runs_c", "drops", "inlines", "versioned", "opaque"};
    printf("\"pristine_counter\": %u, \"opcodes\": [", o->pristine_counter);
    for (size_t i = 0; i < 256; i++) {
        const struct python_opcode *op = &o->by_number[i];
        printf("%s\n{\"class\": \"%s\", \"caches\": %u, \"version_at\": %u, \"counter_at\": %u, "
               "\"generator\": %s, "
               "\"call\": %s, \"may_have_inlined\": %s}",
            i ? "," : "", classes[op->class], op->caches, op->version_at, op->counter_at,
            op->generator ? "true" : "false", op->call ? "true" : "false", op->may_have_inlined ? "true" : "false");
    }
    printf("]\n");
}

int main(int argc, char **argv)
{
    unsigned minor;
    if (argc < 2 || sscanf(argv[1], "3.%u", &minor) != 1 || minor > 255)
        return 2;
    uint16_t version = (uint16_t)(0x300 | minor);
    struct python_layout layout;
    if (argc > 2) {
        static uint8_t data[4096];
        FILE *f = fopen(argv[2], "rbe");
        size_t size = f ? fread(data, 1, sizeof data, f) : 0;
        struct error e = {.text = ""};
        if (f)
            fclose(f);
        if (python_layout_from_debug_offsets(data, size, &layout, &e) < 0) {
            fprintf(stderr, "dump_layout: %s\n", e.text);
            return 3;
        }
    } else {
        const struct python_layout *table = python_layout_table(version);
        if (table == NULL) {
            fprintf(stderr, "dump_layout: no table of 3.%u\n", minor);
            return 3;
        }
        layout = *table;
    }
    printf("{\"version\": %u,\n", layout.version);
    print_layout(&layout);
    print_objects(python_object_layout(version, layout.free_threaded));
    print_opcodes(python_opcodes_table(version));
    printf("}\n");
    return 0;
}
