/*
 * objects: reading CPython objects out of another process's memory. Every object is hostile: it may be freed,
 * half-written or forged, so each function checks types by what it needs of them, caps what it follows, and
 * fills nothing on failure (an `into` buffer may hold a partial tail after an error: the caller clears it).
 *
 * Errors: -EFAULT/-ESRCH/-EPERM from target_read; -EAGAIN: what was read makes no sense (a torn read, try again
 * later); -ENOMEM. Private to src/python.
 */
#ifndef PITVIPER_PYTHON_OBJECTS_H
#define PITVIPER_PYTHON_OBJECTS_H

#include "python/layout.h"
#include "target/target.h"

#define PYTHON_STR_CAP 4096             /* code points of a name; a longer one ends in an ellipsis, visibly cut */
#define PYTHON_BYTES_CAP (64u << 20)    /* of a line table */
#define PYTHON_TUPLE_CAP 4096u
#define PYTHON_DICT_CAP (1u << 20)      /* entries of a dict that are looked at */

/* Py_TPFLAGS_..._SUBCLASS of Include/object.h, the same in 3.8 to 3.15. */
#define PYTHON_TYPE_INT (1u << 24)
#define PYTHON_TYPE_LIST (1u << 25)
#define PYTHON_TYPE_TUPLE (1u << 26)
#define PYTHON_TYPE_BYTES (1u << 27)
#define PYTHON_TYPE_STR (1u << 28)
#define PYTHON_TYPE_DICT (1u << 29)
#define PYTHON_TYPE_TYPE (1u << 31)

/* Appends the str as UTF-8; lone surrogates become U+FFFD. A str longer than PYTHON_STR_CAP ends in U+2026. */
int python_read_str(const struct target *t, const struct python_layout *l, uint64_t address, struct buffer *into);
/* Appends the whole of the bytes object, up to PYTHON_BYTES_CAP and the buffer's own maximum (-EFBIG beyond). */
int python_read_bytes(const struct target *t, const struct python_layout *l, uint64_t address, struct buffer *into);
/* Up to max items of a tuple; *ret_count is its true length and may exceed max. */
int python_read_tuple(const struct target *t, const struct python_layout *l, uint64_t address, uint64_t *items,
    size_t max, size_t *ret_count);
/* An int that fits in 64 bits, else -ERANGE. */
int python_read_int(const struct target *t, const struct python_layout *l, uint64_t address, int64_t *ret_value);
/* The type's own flags, by which the above check what they read. */
int python_type_flags(const struct target *t, const struct python_layout *l, uint64_t object, uint64_t *ret_type,
    uint64_t *ret_flags);

/* ---- dicts: combined and split tables, general and str-only keys ---- */
struct python_dict_entry {
    uint64_t key, value; /* addresses of the objects */
};
/* Calls visit for each filled entry, in insertion order; a non-zero return ends the walk with it. */
int python_dict_each(const struct target *t, const struct python_layout *l, uint64_t dict,
    int (*visit)(void *context, const struct python_dict_entry *entry), void *context);
/* The value under a str key (compared as UTF-8); -ENOENT. */
int python_dict_get(const struct target *t, const struct python_layout *l, uint64_t dict, const char *key,
    uint64_t *ret_value);
/* Up to `count` attributes of an instance by name, wherever this version keeps them (__dict__, managed dict, values
 * before or inside the object). An attribute that is not there is 0 in `values`. -ENOENT: it has no attributes. */
int python_attributes_get(const struct target *t, const struct python_layout *l, uint64_t object,
    const char *const *names, size_t count, uint64_t *values);

#endif
