#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Linear probing without tombstones: a removal shifts the run behind it back, so lookups stay short for the
 * life of a long recording. A key of 0 marks an empty slot; the real key 0 has a place of its own behind the
 * table, whose `key` is 1 while it is there. Sixteen bytes a slot, four slots a cache line.
 */
struct map_slot {
    uint64_t key, value;
};

#define FIRST_CAPACITY 16

uint64_t hash_mix(uint64_t a, uint64_t b)
{
    /* One-to-one in each word while the other stands still; the rounds are those of splitmix64. */
    uint64_t x = a ^ ((b << 32 | b >> 32) * UINT64_C(0x9e3779b97f4a7c15));
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t hash_bytes(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t hash = size, word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = hash_mix(hash, word);
    }
    if (size > 0) {
        word = 0;
        memcpy(&word, bytes, size);
        hash = hash_mix(hash, word);
    }
    return hash;
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_release(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

void map_clear(struct map *m)
{
    if (m->slots != NULL)
        memset(m->slots, 0, (m->capacity + 1) * sizeof *m->slots);
    m->used = 0;
}

static size_t home_of(const struct map *m, uint64_t key)
{
    /* Keys are mostly addresses, equal in their low bits: the product's high half has all of them mixed. */
    uint64_t x = key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(x ^ (x >> 32)) & (m->capacity - 1);
}

/* The slot that holds key, or the empty one where it belongs. key is not 0 and the table has an empty slot.
 */
static struct map_slot *find(const struct map *m, uint64_t key)
{
    size_t at = home_of(m, key);
    while (m->slots[at].key != 0 && m->slots[at].key != key)
        at = (at + 1) & (m->capacity - 1);
    return &m->slots[at];
}

bool map_get(const struct map *m, uint64_t key, uint64_t *ret_value)
{
    if (m->capacity == 0)
        return false;
    const struct map_slot *slot = key == 0 ? &m->slots[m->capacity] : find(m, key);
    if (slot->key == 0)
        return false;
    if (ret_value != NULL)
        *ret_value = slot->value;
    return true;
}

static int enlarge(struct map *m)
{
    size_t capacity = m->capacity == 0 ? FIRST_CAPACITY : m->capacity * 2;
    if (capacity > SIZE_MAX / 2 / sizeof(struct map_slot))
        return -ENOMEM;
    struct map larger = {.used = m->used, .capacity = capacity};
    larger.slots = calloc(capacity + 1, sizeof *larger.slots);
    if (larger.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].key != 0)
            *find(&larger, m->slots[i].key) = m->slots[i];
    }
    if (m->capacity > 0)
        larger.slots[capacity] = m->slots[m->capacity];
    free(m->slots);
    *m = larger;
    return 0;
}

int map_put(struct map *m, uint64_t key, uint64_t value)
{
    if (m->capacity > 0) {
        struct map_slot *slot = key == 0 ? &m->slots[m->capacity] : find(m, key);
        if (slot->key != 0) {
            slot->value = value;
            return 0;
        }
    }
    if (m->used + 1 > m->capacity / 3 * 2) {
        int result = enlarge(m);
        if (result < 0)
            return result;
    }
    struct map_slot *slot = key == 0 ? &m->slots[m->capacity] : find(m, key);
    slot->key = key == 0 ? 1 : key;
    slot->value = value;
    m->used++;
    return 0;
}

void map_remove(struct map *m, uint64_t key)
{
    if (m->capacity == 0)
        return;
    struct map_slot *slot = key == 0 ? &m->slots[m->capacity] : find(m, key);
    if (slot->key == 0)
        return;
    slot->key = 0;
    m->used--;
    if (key == 0)
        return;
    size_t mask = m->capacity - 1, hole = (size_t)(slot - m->slots);
    for (size_t at = (hole + 1) & mask; m->slots[at].key != 0; at = (at + 1) & mask) {
        size_t home = home_of(m, m->slots[at].key);
        /* It may fill the hole unless its home lies after the hole, cyclically: then a lookup would miss it.
         */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            m->slots[hole] = m->slots[at];
            m->slots[at].key = 0;
            hole = at;
        }
    }
}
