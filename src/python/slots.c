/*
 * What lies in a caller's frame: its variables and its value stack, whose slots name what it has called.
 */
#include "python/inside.h"

enum {
    GENERATOR_HEADER = 160, /* bytes of a generator object before its frame, at most */
    VALUES_MOST = 256,      /* slots of a value stack in which a generator is looked for */
    ALIGNMENT = 16,         /* of objects (Objects/obmalloc.c) */
    LOWEST_OBJECT = 65536,  /* nothing is mapped below (vm.mmap_min_addr) */
    OBJECT_HEADER = 16,
    OBJECT_BYTES = 64, /* of an object: its first fields, or a tuple's first items */
    OBJECTS_MOST = 32,
    OBJECTS_APART = 2, /* objects between a value stack and a generator: a zip and its tuple of iterators */
};

/* How many slots a frame of this code has; 0: that is not known. */
static uint32_t slots_count(const struct python_process *p, const struct code *c)
{
    return c->frame_bytes > p->layout.frame_localsplus ? (c->frame_bytes - p->layout.frame_localsplus) / 8 : 0;
}

/* Slots [from, to) of the caller's frame; NULL: they are not there. */
const uint8_t *slots_read(
    struct python_process *p, struct thread *t, const struct step *caller, uint32_t from, uint32_t to)
{
    return from < to && to <= slots_count(p, p->codes.items[caller->code])
               ? snapshot_at(p, t, caller->address + p->layout.frame_localsplus + 8ULL * from, 8 * (to - from))
               : NULL;
}

/* The slots of its value stack, from number *ret_first on; NULL: none. The top is saved while C runs from 3.14 on;
 * before, what lies above it is seen, too. */
static const uint8_t *value_stack(
    struct python_process *p, struct thread *t, const struct step *caller, uint32_t *ret_first, uint32_t *ret_count)
{
    const struct code *c = p->codes.items[caller->code];
    uint32_t end = slots_count(p, c);

    if (p->layout.version >= 0x030e && caller->stacktop < end)
        end = caller->stacktop;
    *ret_first = c->locals < end ? c->locals : end;
    *ret_count = end - *ret_first < VALUES_MOST ? end - *ret_first : VALUES_MOST;
    return slots_read(p, t, caller, *ret_first, *ret_first + *ret_count);
}

uint32_t slots_find(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame)
{
    uint32_t first, all, found = SLOT_NONE;
    const uint8_t *slots = value_stack(p, t, caller, &first, &all);

    for (uint32_t i = 0; slots && i < all; i++)
        if (untag(load64(slots + 8 * i)) + p->layout.generator_frame == frame) {
            if (found != SLOT_NONE)
                return SLOT_NONE;
            found = first + i;
        }
    return found;
}

bool slots_hold_callable(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee)
{
    if (caller->stacktop == UINT32_MAX || !callee->func)
        return false;
    const uint8_t *slots =
        snapshot_at(p, t, caller->address + p->layout.frame_localsplus + 8ULL * caller->stacktop, 3 * 8);
    for (int i = 0; slots && i < 3; i++)
        if (untag(load64(slots + 8 * i)) == callee->func)
            return true;
    return false;
}

bool slots_hold_generator(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee)
{
    if (caller->stacktop == UINT32_MAX)
        return false;
    uint32_t first = caller->stacktop > 2 ? caller->stacktop - 2 : 0, last = caller->stacktop + 2;
    const uint8_t *slots =
        snapshot_at(p, t, caller->address + p->layout.frame_localsplus + 8ULL * first, 8 * (last - first));
    for (uint32_t i = 0; slots && i < last - first; i++)
        if (callee->address - untag(load64(slots + 8 * i)) < GENERATOR_HEADER)
            return true;
    return false;
}

bool slots_hold_anywhere(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame)
{
    uint32_t start = p->layout.frame_localsplus, size = p->codes.items[caller->code]->frame_bytes;
    if (caller->stacktop != UINT32_MAX && start + 8ULL * caller->stacktop < size)
        size = start + 8 * caller->stacktop;
    const uint8_t *slots = size > start ? snapshot_at(p, t, caller->address + start, size - start) : NULL;

    for (uint32_t i = 0; slots && i + 8 <= size - start; i += 8)
        if (frame - untag(load64(slots + i)) < GENERATOR_HEADER)
            return true;
    return false;
}

static bool may_be_object(uint64_t word)
{
    return word >= LOWEST_OBJECT && word % ALIGNMENT == 0;
}

/* Is the generator a field of one of these objects, or of one that they hold? Read now. */
static bool objects_lead_to(struct python_process *p, uint64_t *objects, size_t count, uint64_t frame)
{
    uint8_t bytes[OBJECTS_MOST][OBJECT_BYTES];
    uint32_t sizes[OBJECTS_MOST];
    int r = 0;

    for (int apart = 0; apart < OBJECTS_APART && count > 0; apart++) {
        batch_clear(&p->batch);
        for (size_t i = 0; i < count && r == 0; i++) {
            sizes[i] = OBJECT_BYTES;
            r = batch_add(&p->batch, objects[i], OBJECT_BYTES, bytes[i], &sizes[i]);
        }
        r = r < 0 ? r : batch_read(p);
        batch_clear(&p->batch);
        if (r < 0)
            return false;
        size_t read = count;
        count = 0;
        for (size_t i = 0; i < read; i++)
            for (uint32_t at = OBJECT_HEADER; at + 8 <= sizes[i]; at += 8) {
                uint64_t field = untag(load64(bytes[i] + at));
                if (frame - field < GENERATOR_HEADER)
                    return true;
                if (count < OBJECTS_MOST && may_be_object(field))
                    objects[count++] = field;
            }
    }
    return false;
}

bool slots_lead_to(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame, bool by_self)
{
    const uint8_t *variables = by_self ? snapshot_at(p, t, frame + p->layout.frame_localsplus, 8) : NULL;
    uint64_t objects[OBJECTS_MOST], self = variables ? untag(load64(variables)) : 0;
    uint32_t first, all;
    size_t count = 0;

    const uint8_t *slots = value_stack(p, t, caller, &first, &all);
    for (uint32_t i = 0; slots && i < all && count < OBJECTS_MOST; i++) {
        uint64_t object = untag(load64(slots + 8 * i));
        if (!may_be_object(object))
            continue;
        if (object == self)
            return true;
        objects[count++] = object;
    }
    return objects_lead_to(p, objects, count, frame);
}
