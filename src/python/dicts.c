/* Dicts and instance attributes of another process. Include/internal/pycore_dict.h, pycore_object.h. */
#include "python/layout_private.h"
#include "python/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANAGED_DICT_FLAG = 1 << 4,  /* Py_TPFLAGS_MANAGED_DICT (3.11+) */
    INLINE_VALUES_FLAG = 1 << 2, /* Py_TPFLAGS_INLINE_VALUES (3.13+) */
    KEYS_GENERAL = 0,            /* DictKeysKind (3.11+) */
    GENERAL_ENTRY = 24,          /* PyDictKeyEntry: hash, key, value */
    NAME_ENTRY = 16,             /* PyDictUnicodeEntry (3.11+): key, value */
    SEARCH_BATCH = 128,
};

struct keys {
    uint64_t entries; /* address of the first */
    size_t count;
    size_t entry_size;
};

static int read_word(const struct target *t, uint64_t address, uint64_t *ret)
{
    int r = target_read(t, address, ret, sizeof(*ret));

    return r == -EFAULT ? -EAGAIN : r;
}

static int keys_read(const struct target *t, const struct python_layout *l, uint64_t address, struct keys *ret)
{
    const struct python_object_layout *o = python_object_layout(l->version, l->free_threaded);
    uint8_t head[64];
    uint64_t size, index_bytes, count;

    if (!o || address < 4096 || (address & 7) || o->keys_indices > sizeof(head))
        return -EAGAIN;
    int r = target_read(t, address, head, o->keys_indices);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    memcpy(&count, head + o->keys_entries, sizeof(count));
    ret->entry_size = GENERAL_ENTRY;
    if (l->version < 0x030b) {
        memcpy(&size, head + o->keys_size, sizeof(size));
        if (size > 1ULL << 32)
            return -EAGAIN;
        index_bytes = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
    } else {
        if (head[o->keys_index_bytes] > 40 || head[o->keys_size] > 40)
            return -EAGAIN;
        size = 1ULL << head[o->keys_size];
        index_bytes = 1ULL << head[o->keys_index_bytes];
        if (head[o->keys_kind] != KEYS_GENERAL)
            ret->entry_size = NAME_ENTRY;
    }
    if (count > size || count > PYTHON_DICT_CAP)
        return -EAGAIN;
    ret->entries = address + o->keys_indices + index_bytes;
    ret->count = (size_t)count;
    return 0;
}

/* values: 0 for a combined table, else the address of the array of values. */
static int entries_read(const struct target *t, const struct python_layout *l, uint64_t keys_address, uint64_t values,
    struct python_dict_entry **ret_entries, size_t *ret_count)
{
    struct keys keys;
    int r = keys_read(t, l, keys_address, &keys);

    if (r < 0)
        return r;
    CLEANUP(free_pointer) uint8_t *table = malloc(keys.count * keys.entry_size + 1);
    CLEANUP(free_pointer) uint64_t *split = malloc(keys.count * 8 + 1);
    CLEANUP(free_pointer) struct python_dict_entry *entries = malloc(keys.count * sizeof(*entries) + 1);
    if (!table || !split || !entries)
        return -ENOMEM;
    r = keys.count ? target_read(t, keys.entries, table, keys.count * keys.entry_size) : 0;
    if (r == 0 && values && keys.count)
        r = target_read(t, values, split, keys.count * 8);
    if (r < 0)
        return r == -EFAULT ? -EAGAIN : r;
    size_t filled = 0;
    for (size_t i = 0; i < keys.count; i++) {
        const uint8_t *at = table + i * keys.entry_size + (keys.entry_size == GENERAL_ENTRY ? 8 : 0);
        struct python_dict_entry entry;
        memcpy(&entry.key, at, 8);
        memcpy(&entry.value, at + 8, 8);
        if (values)
            entry.value = split[i];
        if (entry.key && entry.value)
            entries[filled++] = entry;
    }
    *ret_entries = entries;
    *ret_count = filled;
    entries = NULL;
    return 0;
}

int python_dict_entries(const struct target *t, const struct python_layout *l, uint64_t dict,
    struct python_dict_entry **ret_entries, size_t *ret_count)
{
    const struct python_object_layout *o = python_object_layout(l->version, l->free_threaded);
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
    return entries_read(t, l, keys, values, ret_entries, ret_count);
}

/* Is this the head of the compact ASCII str `name`? Identifiers and module names are always of that form. */
static bool is_name(const struct python_layout *l, const uint8_t *head, const char *name, size_t size)
{
    uint64_t length;
    uint32_t state;

    memcpy(&length, head + l->unicode_length, sizeof(length));
    memcpy(&state, head + l->unicode_state, sizeof(state));
    struct python_str_state form = python_str_state(l, state);
    return length == size && form.compact && form.ascii && memcmp(head + l->unicode_ascii_data, name, size) == 0;
}

static int search(const struct target *t, const struct python_layout *l, const struct python_dict_entry *entries,
    size_t entry_count, const char *const *names, size_t count, uint64_t *values)
{
    size_t longest = 0;

    for (size_t i = 0; i < count; i++)
        longest = strlen(names[i]) > longest ? strlen(names[i]) : longest;
    size_t size = l->unicode_ascii_data + longest;
    if (size > PYTHON_HEAD_MAX || l->unicode_length + 8u > l->unicode_ascii_data ||
        l->unicode_state + 4u > l->unicode_ascii_data)
        return -EINVAL;
    for (size_t at = 0; at < entry_count; at += SEARCH_BATCH) {
        uint64_t keys[SEARCH_BATCH];
        uint8_t heads[SEARCH_BATCH * PYTHON_HEAD_MAX];
        size_t n = entry_count - at < SEARCH_BATCH ? entry_count - at : SEARCH_BATCH;

        for (size_t i = 0; i < n; i++)
            keys[i] = entries[at + i].key;
        int r = python_read_heads(t, keys, n, size, heads);
        if (r < 0)
            return r;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < count; k++)
                if (is_name(l, heads + i * size, names[k], strlen(names[k])))
                    values[k] = entries[at + i].value;
    }
    return 0;
}

int python_dict_get(
    const struct target *t, const struct python_layout *l, uint64_t dict, const char *key, uint64_t *ret_value)
{
    CLEANUP(free_pointer) struct python_dict_entry *entries = NULL;
    size_t count;
    uint64_t value = 0;
    int r = python_dict_entries(t, l, dict, &entries, &count);

    if (r == 0)
        r = search(t, l, entries, count, &key, 1, &value);
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
    const struct python_object_layout *o = python_object_layout(l->version, l->free_threaded);
    uint64_t type, flags, word;
    int r = python_type_flags(t, l, object, &type, &flags);

    *ret_dict = *ret_keys = *ret_values = 0;
    if (r < 0 || !o)
        return r < 0 ? r : -EINVAL;
    if (l->version >= 0x030b && (flags & MANAGED_DICT_FLAG)) {
        /* MANAGED_DICT_OFFSET: before the object and, but in free-threaded builds, its collector's two words */
        r = read_word(t, object - (l->free_threaded ? 8 : 24), &word);
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
    CLEANUP(free_pointer) struct python_dict_entry *entries = NULL;
    size_t entry_count;
    uint64_t dict, keys, array;
    int r = attributes_find(t, l, object, &dict, &keys, &array);

    memset(values, 0, count * sizeof(*values));
    if (r == 0)
        r = dict ? python_dict_entries(t, l, dict, &entries, &entry_count)
                 : entries_read(t, l, keys, array, &entries, &entry_count);
    return r < 0 ? r : search(t, l, entries, entry_count, names, count, values);
}
