#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_ENTRY UINT32_MAX

struct string_entry {
    const char *text;
    size_t size;
    uint32_t next; /* another string of the same hash */
};

int strings_init(struct strings *s, size_t max_bytes)
{
    *s = (struct strings){0};
    arena_init(&s->arena, max_bytes);
    map_init(&s->index);
    return 0;
}

void strings_release(struct strings *s)
{
    arena_release(&s->arena);
    map_release(&s->index);
    free(s->entries);
    s->entries = NULL;
    s->count = s->capacity = 0;
}

int strings_intern(struct strings *s, const char *text, size_t size, uint32_t *ret_id)
{
    uint64_t hash = hash_bytes(text, size), first = NO_ENTRY;
    if (map_get(&s->index, hash, &first)) {
        for (uint32_t id = (uint32_t)first; id != NO_ENTRY; id = s->entries[id].next) {
            const struct string_entry *entry = &s->entries[id];
            if (entry->size == size && (size == 0 || memcmp(entry->text, text, size) == 0)) {
                *ret_id = id;
                return 0;
            }
        }
    }
    if (s->count >= NO_ENTRY || size == SIZE_MAX)
        return -ENOMEM;
    int result = array_reserve(&s->entries, &s->capacity, s->count + 1, sizeof *s->entries);
    if (result < 0)
        return result;
    char *copy = arena_alloc(&s->arena, size + 1);
    if (copy == NULL)
        return -ENOMEM;
    if (size > 0)
        memcpy(copy, text, size);
    uint32_t id = (uint32_t)s->count;
    result = map_put(&s->index, hash, id);
    if (result < 0)
        return result;
    s->entries[id] = (struct string_entry){.text = copy, .size = size, .next = (uint32_t)first};
    s->count++;
    *ret_id = id;
    return 0;
}

const char *strings_get(const struct strings *s, uint32_t id, size_t *ret_size)
{
    bool known = id < s->count;
    if (ret_size != NULL)
        *ret_size = known ? s->entries[id].size : 0;
    return known ? s->entries[id].text : "";
}
