/* Dicts and instance attributes of another process. Include/internal/pycore_dict.h, pycore_object.h. */
#include "python/layout_private.h"
#include "python/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANAGED_DICT_FLAG = 1 << 4,   /* Py_TPFLAGS_MANAGED_DICT (3.11+) */
    INLINE_VALUES_FLAG = 1 << 2,  /* Py_TPFLAGS_INLINE_VALUES (3.13+) */
    KEYS_GENERAL = 0,             /* DictKeysKind (3.11+) */
};

struct keys {
    uint64_t entries;      /* address of the first */
    size_t count;
    size_t entry_size;     /* 24: hash, key, value; 16: key, value */
};

static int read_word(const struct target *t, uint64_t address, uint64_t *ret)
{
    int r = target_read(t, address, ret, sizeof(*ret));

    return r == -EFAULT ? -EAGAIN : r;
}

static int keys_read(const struct target *t, const struct python_layout *l, uint64_t address, struct keys *ret)
{
    const struct python_object_layout *o = python_object_layout(l->version);
    uint8_t head[64];
    uint64_t size, index_bytes, count;

    if (!o || address < 4096 || (address & 7) || o->keys_indices > sizeof(head))
        return -EAGAIN;
    int r = target_read(t, address, head, o->keys_indices);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    memcpy(&count, head + o->keys_entries, sizeof(count));
    ret->entry_size = 24;
    if (l->version < 0x030b) {
        memcpy(&size, head + o->keys_size, sizeof(size));
        if (size > 1ULL << 32)
            return -EAGAIN;
        index_bytes = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
    } else {
        if (head[o->keys_index_bytes] > 40)
            return -EAGAIN;
        index_bytes = 1ULL << head[o->keys_index_bytes];
        if (head[o->keys_kind] != KEYS_GENERAL)
            ret->entry_size = 16;
    }
    if (count > PYTHON_DICT_CAP)
        return -EAGAIN;
    ret->entries = address + o->keys_indices + index_bytes;
    ret->count = (size_t)count;
    return 0;
}

/* values: 0 for a combined table, else the address of the array of values. */
static int each(const struct target *t, const struct python_layout *l, uint64_t keys_address, uint64_t values,
    int (*visit)(void *context, const struct python_dict_entry *entry), void *context)
{
    struct keys keys;
    int r = keys_read(t, l, keys_address, &keys);

    if (r < 0 || keys.count == 0)
        return r;
    CLEANUP(free_pointer) uint8_t *entries = malloc(keys.count * keys.entry_size);
    CLEANUP(free_pointer) uint64_t *split = malloc(keys.count * 8);
    if (!entries || !split)
        return -ENOMEM;
    r = target_read(t, keys.entries, entries, keys.count * keys.entry_size);
    if (r == 0 && values)
        r = target_read(t, values, split, keys.count * 8);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    for (size_t i = 0; i < keys.count; i++) {
        const uint8_t *at = entries + i * keys.entry_size + (keys.entry_size == 24 ? 8 : 0);
        struct python_dict_entry entry;
        memcpy(&entry.key, at, 8);
        memcpy(&entry.value, at + 8, 8);
        if (values)
            entry.value = split[i];
        if (!entry.key || !entry.value)
            continue;
        r = visit(context, &entry);
        if (r)
            return r;
    }
    return 0;
}

int python_dict_each(const struct target *t, const struct python_layout *l, uint64_t dict,
    int (*visit)(void *context, const struct python_dict_entry *entry), void *context)
{
    const struct python_object_layout *o = python_object_layout(l->version);
    uint64_t type, flags, keys, values;
    int r = python_type_flags(t, l, dict, &type, &flags);

    if (r < 0)
        return r;
    if (!(flags & PYTHON_TYPE_DICT) || !o)
        return -EAGAIN;
    r = read_word(t, dict + l->dict_keys, &keys);
    if (r == 0)
        r = read_word(t, dict + l->dict_values, &values);
    if (r < 0)
        return r;
    if (values && l->version >= 0x030b) /* struct _dictvalues; before, the array itself */
        values += o->values_items;
    return each(t, l, keys, values, visit, context);
}

struct search {
    const struct target *target;
    const struct python_layout *layout;
    const char *const *names;
    size_t count;
    uint64_t *values;
};

static int search_visit(void *context, const struct python_dict_entry *entry)
{
    struct search *s = context;
    CLEANUP(buffer_release) struct buffer name;

    buffer_init(&name, PYTHON_STR_CAP * 4 + 8);
    if (python_read_str(s->target, s->layout, entry->key, &name) < 0)
        return 0; /* a key that is no str, or torn */
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->names[i], buffer_text(&name)) == 0)
            s->values[i] = entry->value;
    return 0;
}

int python_dict_get(const struct target *t, const struct python_layout *l, uint64_t dict, const char *key,
    uint64_t *ret_value)
{
    uint64_t value = 0;
    struct search s = {.target = t, .layout = l, .names = &key, .count = 1, .values = &value};
    int r = python_dict_each(t, l, dict, search_visit, &s);

    if (r < 0)
        return r;
    if (!value)
        return -ENOENT;
    *ret_value = value;
    return 0;
}

/* Where the instance keeps its attributes: a dict, or keys of the type with values of its own. */
static int attributes_find(const struct target *t, const struct python_layout *l, uint64_t object, uint64_t *ret_dict,
    uint64_t *ret_keys, uint64_t *ret_values)
{
    const struct python_object_layout *o = python_object_layout(l->version);
    uint64_t type, flags, word;
    int r = python_type_flags(t, l, object, &type, &flags);

    *ret_dict = *ret_keys = *ret_values = 0;
    if (r < 0 || !o)
        return r < 0 ? r : -EINVAL;
    if (l->version >= 0x030b && (flags & MANAGED_DICT_FLAG)) {
        r = read_word(t, object - 24, &word); /* before the object's head and its collector's two words */
        if (r < 0)
            return r;
        if (l->version == 0x030c && (word & 1)) { /* PyDictOrValues: the address less one */
            *ret_values = word + 1 + o->values_items;
        } else if (word) {
            *ret_dict = word;
            return 0;
        } else if (l->version == 0x030b) {
            r = read_word(t, object - 32, &word);
            if (r < 0)
                return r;
            *ret_values = word ? word + o->values_items : 0;
        } else if (l->version >= 0x030d && (flags & INLINE_VALUES_FLAG)) {
            uint64_t size;
            r = read_word(t, type + l->type_basicsize, &size);
            if (r < 0)
                return r;
            *ret_values = object + size + o->values_items;
        }
        if (!*ret_values)
            return -ENOENT;
        return read_word(t, type + o->type_cached_keys, ret_keys);
    }
    r = read_word(t, type + l->type_dictoffset, &word);
    if (r < 0)
        return r;
    if (word == 0 || word > 4096)
        return -ENOENT;
    r = read_word(t, object + word, ret_dict);
    return r < 0 ? r : *ret_dict ? 0 : -ENOENT;
}

int python_attributes_get(const struct target *t, const struct python_layout *l, uint64_t object,
    const char *const *names, size_t count, uint64_t *values)
{
    struct search s = {.target = t, .layout = l, .names = names, .count = count, .values = values};
    uint64_t dict, keys, array;
    int r = attributes_find(t, l, object, &dict, &keys, &array);

    memset(values, 0, count * sizeof(*values));
    if (r < 0)
        return r;
    return dict ? python_dict_each(t, l, dict, search_visit, &s) : each(t, l, keys, array, search_visit, &s);
}
