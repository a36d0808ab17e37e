/*
 * One link of a chain of awaits: where a coroutine stands, and what it awaits. What a suspended one awaits lies on top
 * of its saved stack (Objects/genobject.c, _PyGen_yf); that it does await there, and not just yield, is said by its
 * state (3.13+), by the RESUME behind the instruction (3.11, 3.12) or by that being YIELD_FROM (before).
 */
#include "python/asyncio.h"

#include <errno.h>

enum {
    YIELD_FROM = 72,       /* Include/opcode.h of 3.8 to 3.10 */
    RESUME_AFTER_YIELD = 1 /* RESUME's argument, in its low two bits: 2 after `yield from`, 3 after `await` */
};

/* enum _frame_state: Include/internal/pycore_frame.h (3.11+), Include/cpython/frameobject.h (3.10). */
static enum asyncio_progress progress_of(const struct python_process *p, int8_t state, bool *ret_awaits)
{
    uint16_t version = p->layout.version;

    if (version >= 0x030f) { /* 0 created, 1 suspended, 2 and 3 at an await, 4 executing, 5 cleared */
        *ret_awaits = state == 2 || state == 3;
        return state <= 0   ? ASYNCIO_CREATED
               : state <= 3 ? ASYNCIO_SUSPENDED
               : state == 4 ? ASYNCIO_EXECUTING
                            : ASYNCIO_FINISHED;
    }
    *ret_awaits = version >= 0x030d && state == -1;
    if (state > 0)
        return ASYNCIO_FINISHED;
    if (state == 0)
        return ASYNCIO_EXECUTING;
    return state == (version >= 0x030d ? -3 : -2) ? ASYNCIO_CREATED : ASYNCIO_SUSPENDED;
}

static int frame_place(struct python_process *p, const uint8_t *frame, uint64_t address, struct asyncio_link *ret)
{
    uint64_t pointer = untag(load64(frame + p->layout.frame_code));
    struct step s = {.address = address};

    int r = codes_find(p, pointer, &s.code);
    if (r < 0)
        return r;
    r = codes_verify(p, &s, 1, clock_monotonic_ns(), p->codes.age_ns);
    if (r == 0 && !p->codes.items[s.code]->address)
        r = codes_find(p, pointer, &s.code);
    if (r < 0)
        return r;
    if (!walk_instruction_offset(p, frame, &s))
        return -EAGAIN;
    ret->frame = address;
    ret->place = (struct python_frame){.code = s.code, .at = s.at};
    return 0;
}

/* The instruction behind the one it stands at; false if that can't be read. */
static bool instruction_next(struct python_process *p, const struct asyncio_link *link, uint8_t ret_unit[2])
{
    const struct code *c = p->codes.items[link->place.code];

    if (c->bytecode_size < 4 || link->place.at > c->bytecode_size - 4)
        return false;
    p->counters.reads++;
    return target_read(p->target, c->bytecode + link->place.at + 2, ret_unit, 2) == 0;
}

static uint64_t word_at(struct python_process *p, uint64_t address)
{
    uint64_t word;

    p->counters.reads++;
    return target_read(p->target, address, &word, sizeof(word)) == 0 ? untag(word) : 0;
}

/* 3.8 to 3.10: the frame is an object of its own. */
static int link_read_old(struct python_process *p, uint64_t generator, struct asyncio_link *ret)
{
    const struct python_layout *l = &p->layout;
    uint8_t frame[PYTHON_HEAD_MAX], unit[2];
    uint64_t address = word_at(p, generator + l->generator_frame), top;

    if (!address) {
        ret->progress = ASYNCIO_FINISHED;
        return 0;
    }
    p->counters.reads++;
    if (p->frame_header > sizeof(frame) || (address & 7) || l->frame_stackdepth + 8u > p->frame_header ||
        l->frame_valuestack + 8u > p->frame_header || target_read(p->target, address, frame, p->frame_header) < 0)
        return -EAGAIN;
    int r = frame_place(p, frame, address, ret);
    if (r < 0)
        return r;
    if (walk_executing(p, frame)) {
        ret->progress = ASYNCIO_EXECUTING;
        return 0;
    }
    bool begun = (int32_t)load32(frame + l->frame_instr) >= 0;
    ret->progress = begun ? ASYNCIO_SUSPENDED : ASYNCIO_CREATED;
    if (!begun)
        ret->place.at = PYTHON_AT_START;
    if (!begun || !instruction_next(p, ret, unit) || unit[0] != YIELD_FROM)
        return 0;
    top = load64(frame + l->frame_stackdepth); /* f_stacktop */
    if (l->version == 0x030a)                  /* f_stackdepth */
        top = load64(frame + l->frame_valuestack) + 8 * (uint64_t)load32(frame + l->frame_stackdepth);
    ret->awaits = top >= 8 ? word_at(p, top - 8) : 0;
    return 0;
}

int asyncio_link_read(struct python_process *p, uint64_t generator, struct asyncio_link *ret)
{
    const struct python_layout *l = &p->layout;
    uint8_t object[2 * PYTHON_HEAD_MAX], unit[2];
    uint32_t size = (uint32_t)l->generator_frame + l->frame_localsplus;
    bool awaits;
    uint64_t top;

    *ret = (struct asyncio_link){0};
    if (generator < 4096 || (generator & 7))
        return -EAGAIN;
    if (l->version < 0x030b)
        return link_read_old(p, generator, ret);
    p->counters.reads++;
    if (size > sizeof(object) || l->generator_state >= size || target_read(p->target, generator, object, size) < 0)
        return -EAGAIN;
    ret->progress = progress_of(p, (int8_t)object[l->generator_state], &awaits);
    if (ret->progress == ASYNCIO_FINISHED)
        return 0;
    const uint8_t *frame = object + l->generator_frame;
    uint64_t address = generator + l->generator_frame;
    int r = frame_place(p, frame, address, ret);
    if (ret->progress == ASYNCIO_CREATED)
        ret->place.at = PYTHON_AT_START;
    if (r < 0 || ret->progress != ASYNCIO_SUSPENDED)
        return r;
    if (l->version < 0x030d)
        awaits = instruction_next(p, ret, unit) && (unit[1] & 3) > RESUME_AFTER_YIELD;
    if (!awaits)
        return 0;
    if (l->version >= 0x030e) { /* 3.15 keeps a second word for what is iterated */
        top = load64(frame + l->frame_stacktop) - (l->version >= 0x030f ? 16 : 8);
    } else {
        int32_t depth = (int32_t)load32(frame + l->frame_stacktop);
        top = depth > 0 ? address + l->frame_localsplus + 8 * ((uint64_t)depth - 1) : 0;
    }
    ret->awaits = top > address && top - address < 1u << 20 ? word_at(p, top) : 0;
    return 0;
}

uint64_t asyncio_next(struct python_process *p, uint64_t awaited)
{
    for (int i = 0; i < 4; i++) {
        const struct asyncio_type *type = asyncio_type_of(p, awaited);
        if (!type || (type->kind != ASYNCIO_GENERATOR && type->kind != ASYNCIO_WRAPPER))
            return 0;
        if (type->kind == ASYNCIO_GENERATOR)
            return awaited;
        awaited = word_at(p, awaited + p->layout.object_type + 8);
    }
    return 0;
}
