/*
 * layout_private: the shapes of the generated tables (layout_3_*.c), and what only this room's object reader
 * needs of a version. Private to src/python.
 */
#ifndef PITVIPER_PYTHON_LAYOUT_PRIVATE_H
#define PITVIPER_PYTHON_LAYOUT_PRIVATE_H

#include "python/layout.h"

/* ---- the structs of CPython, one group of fields each ---- */
enum python_group {
    PYTHON_GROUP_runtime,
    PYTHON_GROUP_interpreter,
    PYTHON_GROUP_gil,
    PYTHON_GROUP_thread,
    PYTHON_GROUP_cframe,
    PYTHON_GROUP_chunk,
    PYTHON_GROUP_frame,
    PYTHON_GROUP_code,
    PYTHON_GROUP_monitoring,
    PYTHON_GROUP_function,
    PYTHON_GROUP_object,
    PYTHON_GROUP_type,
    PYTHON_GROUP_unicode,
    PYTHON_GROUP_bytes,
    PYTHON_GROUP_tuple,
    PYTHON_GROUP_integer,
    PYTHON_GROUP_dict,
    PYTHON_GROUP_module,
    PYTHON_GROUP_list,
    PYTHON_GROUP_set,
    PYTHON_GROUP_weakref,
    PYTHON_GROUP_generator,
    PYTHON_GROUP_COUNT,
};

/* A field of struct python_layout, by its place in that struct and the struct of CPython that it belongs to.
 */
#define PYTHON_MEMBER(group, field) offsetof(struct python_layout, group##_##field), PYTHON_GROUP_##group
#define PYTHON_NO_BASE UINT16_MAX, PYTHON_GROUP_COUNT

/* ---- 3.13+: which words of _Py_DebugOffsets publish which field ---- */
enum python_word {
    PYTHON_WORD,       /* the field is that word */
    PYTHON_WORD_PLUS,  /* that word and the second one added: a struct inside a struct */
    PYTHON_WORD_MINUS, /* published from the start of an outer struct: minus where the inner one starts */
};
struct python_published_field {
    uint16_t member;
    uint8_t group;         /* enum python_group */
    uint8_t width;         /* bytes that are read there */
    uint8_t how;           /* enum python_word */
    uint16_t word, second; /* byte offsets in _Py_DebugOffsets */
    const char *name;      /* as CPython names the word */
};
struct python_distance {
    uint16_t member;
    uint8_t group, width;
    uint16_t base; /* a published member of the same struct, or UINT16_MAX: from the start of the struct */
    uint8_t base_group;
    int16_t distance;
    const char *name;
};
struct python_published {
    uint16_t version;
    bool free_threaded;
    uint16_t size; /* of _Py_DebugOffsets in this minor version */
    const struct python_published_field *fields;
    size_t field_count;
    const struct python_distance *distances;
    size_t distance_count;
    uint16_t sizes[PYTHON_GROUP_COUNT]; /* the word that publishes the struct's size; 0: none */
};

/* ---- what objects.c alone needs: struct _dictkeysobject, struct _dictvalues and PyHeapTypeObject ---- */
struct python_object_layout {
    uint16_t keys_size;        /* dk_size (3.8-3.10), dk_log2_size, one byte (3.11+) */
    uint16_t keys_index_bytes; /* dk_log2_index_bytes */
    uint16_t keys_kind, keys_entries, keys_indices;
    uint16_t values_capacity, values_valid, values_items;
    uint16_t type_cached_keys;
};
const struct python_object_layout *python_object_layout(uint16_t version, bool free_threaded);

extern const struct python_layout python_layout_3_8, python_layout_3_9, python_layout_3_10, python_layout_3_11,
    python_layout_3_12;
extern const struct python_published python_published_3_13, python_published_3_14, python_published_3_15,
    python_published_3_14t, python_published_3_15t;
extern const struct python_object_layout python_object_layout_3_8, python_object_layout_3_9, python_object_layout_3_10,
    python_object_layout_3_11, python_object_layout_3_12, python_object_layout_3_13, python_object_layout_3_14,
    python_object_layout_3_15, python_object_layout_3_14t, python_object_layout_3_15t;

#endif
