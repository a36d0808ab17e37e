#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16
#define FIRST_BLOCK ((size_t)4 << 10)
#define LARGEST_BLOCK ((size_t)1 << 20)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(ALIGNMENT) unsigned char data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_release(struct arena *a)
{
    struct arena_block *block = a->blocks;
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *a = (struct arena){.max = a->max};
}

static struct arena_block *new_block(size_t size)
{
    /* calloc: arena memory is zeroed by promise, and the kernel's fresh pages are already zero. */
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->size = size;
    return block;
}

static struct arena_block *block_with_room(struct arena *a, size_t size)
{
    struct arena_block *head = a->blocks;
    if (head != NULL && head->size - head->used >= size)
        return head;
    size_t next_size = head == NULL ? FIRST_BLOCK : head->size * 2;
    if (next_size > LARGEST_BLOCK)
        next_size = LARGEST_BLOCK;
    if (size > next_size / 4) {
        /* A large piece gets its own block behind the head, so that the head's free rest is not lost. */
        struct arena_block *block = new_block(size);
        if (block == NULL)
            return NULL;
        if (head == NULL) {
            a->blocks = block;
        } else {
            block->next = head->next;
            head->next = block;
        }
        return block;
    }
    struct arena_block *block = new_block(next_size);
    if (block == NULL)
        return NULL;
    block->next = head;
    a->blocks = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - LARGEST_BLOCK)
        return NULL;
    size_t rounded = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (a->used > a->max || rounded > a->max - a->used)
        return NULL;
    struct arena_block *block = block_with_room(a, rounded);
    if (block == NULL)
        return NULL;
    void *memory = block->data + block->used;
    block->used += rounded;
    a->used += rounded;
    return memory;
}

char *arena_strndup(struct arena *a, const char *text, size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    /* All of `size` is allocated although the copy may stop at a NUL, so that (result, size) stays a valid
     * span. */
    char *copy = arena_alloc(a, size + 1);
    if (copy != NULL && size > 0)
        memcpy(copy, text, strnlen(text, size));
    return copy;
}

int array_reserve(void *array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return 0;
    size_t larger = *capacity < 8 ? 8 : *capacity;
    while (larger < needed)
        larger = larger > SIZE_MAX / 2 ? needed : larger * 2;
    size_t bytes;
    if (__builtin_mul_overflow(larger, size, &bytes))
        return -ENOMEM;
    /* `array` points to a pointer of any type, which only memcpy may read as void *. */
    void *items;
    memcpy(&items, array, sizeof items);
    items = realloc(items, bytes);
    if (items == NULL)
        return -ENOMEM;
    memcpy(array, &items, sizeof items);
    *capacity = larger;
    return 0;
}
