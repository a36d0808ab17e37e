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

#define PYTHON_STR_CAP 4096          /* code points of a name; a longer one ends in an ellipsis, visibly cut */
#define PYTHON_BYTES_CAP (64u << 20) /* of a line table */
#define PYTHON_DICT_CAP (1u << 20)   /* entries of a dict that are looked at */

/* Py_TPFLAGS_..._SUBCLASS of Include/object.h, the same in 3.8 to 3.15. */
#define PYTHON_TYPE_INT (1u << 24)
#define PYTHON_TYPE_LIST (1u << 25)
#define PYTHON_TYPE_TUPLE (1u << 26)
#define PYTHON_TYPE_BYTES (1u << 27)
#define PYTHON_TYPE_STR (1u << 28)
#define PYTHON_TYPE_DICT (1u << 29)
#define PYTHON_TYPE_TYPE (1u << 31)

/* struct _PyUnicodeObject_state: interned (2 bits; a byte in free-threaded builds), kind:3, compact:1, ascii:1. */
struct python_str_state {
    uint32_t kind;
    bool compact, ascii;
};
struct python_str_state python_str_state(const struct python_layout *l, uint32_t word);
/* Appends the str as UTF-8; lone surrogates become U+FFFD. A str longer than PYTHON_STR_CAP ends in U+2026. */
int python_read_str(const struct target *t, const struct python_layout *l, uint64_t address, struct buffer *into);
/* Appends the whole of the bytes object, up to PYTHON_BYTES_CAP and the buffer's own maximum (-EFBIG beyond). */
int python_read_bytes(const struct target *t, const struct python_layout *l, uint64_t address, struct buffer *into);
/* An int that fits in 64 bits, else -ERANGE. */
int python_read_int(const struct target *t, const struct python_layout *l, uint64_t address, int64_t *ret_value);
/* The type's own flags, by which the above check what they read. */
int python_type_flags(
    const struct target *t, const struct python_layout *l, uint64_t object, uint64_t *ret_type, uint64_t *ret_flags);

/*
 * The first `size` bytes of each of many objects, in few system calls: heads + i * size for the i-th. Where an object
 * cannot be read, zeros; where the memory ends before `size` bytes, zeros from there on.
 */
#define PYTHON_HEAD_MAX 256
int python_read_heads(const struct target *t, const uint64_t *addresses, size_t count, size_t size, uint8_t *heads);
/* What such a head of python_int_head_size(l) bytes says, for an int; -ERANGE. The type is not looked at. */
size_t python_int_head_size(const struct python_layout *l);
int python_int_from_head(const struct python_layout *l, const uint8_t *head, int64_t *ret_value);

/* ---- dicts: combined and split tables, general and str-only keys ---- */
struct python_dict_entry {
    uint64_t key, value; /* addresses of the objects */
};
/* All the filled entries at once; *ret_entries is for free(). */
int python_dict_entries(const struct target *t, const struct python_layout *l, uint64_t dict,
    struct python_dict_entry **ret_entries, size_t *ret_count);
/* The value under an ASCII str key; -ENOENT. Few system calls, however many entries. */
int python_dict_get(
    const struct target *t, const struct python_layout *l, uint64_t dict, const char *key, uint64_t *ret_value);
/* Up to `count` attributes of an instance by (ASCII) name, wherever this version keeps them (__dict__, managed dict,
 * values before or inside the object). An attribute that is not there is 0 in `values`. -ENOENT: it has no attributes.
 */
int python_attributes_get(const struct target *t, const struct python_layout *l, uint64_t object,
    const char *const *names, size_t count, uint64_t *values);

#endif
