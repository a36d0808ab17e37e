/*
 * Callees that the copy shows to be live above a stack's last frame, where the thread's pointer does not lead to them:
 * they came after it was read, or what it leads to had gone by the time that its memory was copied.
 */
#include "python/inside.h"

enum {
    C_STACK_BYTES = 16 << 20, /* entry frames of one thread lie so near to each other */
    ALIGNMENT = 16,           /* of objects (Objects/obmalloc.c) */
    LEADS_MOST = 8,           /* interpreter loops that one frame is known to have entered, looked for in the copy */
    AWAITED_SLOTS = 2,        /* of the value stack: what drives a generator keeps it there, or (3.15) below an index */
};

bool step_runs(const struct step *s)
{
    return s->stacktop == UINT32_MAX || s->at == 0; /* 0: it has not begun to */
}

bool step_has_returned(const struct python_process *p, const struct step *caller, const struct step *callee)
{
    if (is_old(p))
        return false;
    return (!caller->late && caller->stacktop == UINT32_MAX && (!callee->entered || p->layout.version >= 0x030e)) ||
           (!callee->heap && p->codes.items[callee->code]->generator);
}

bool step_is_popped(const struct python_process *p, const struct step *s)
{
    return p->layout.version >= 0x030d && !s->heap && s->stacktop == 0 && p->codes.items[s->code]->locals > 0;
}

/* Does it stand, its stack pointer saved, where it returns or lets go of something? */
static bool stands_at_drop(struct python_process *p, const struct step *s)
{
    return !step_runs(s) && codes_drops_at(p, s->code, s->at);
}

/* Up to 3.12 a popped frame is not marked. But it has saved its stack pointer, as one has that waits for a callee, and
 * stands where none is called: at its return (Python/bytecodes.c, RETURN_VALUE). */
static bool is_returning(struct python_process *p, const struct step *s)
{
    return !is_old(p) && p->layout.version < 0x030d && !s->heap && stands_at_drop(p, s);
}

/* Where the caller returns, or lets go of something, it has pushed no frame of its own. What lies above it has
 * returned, though it looks as it did at its own return, and the caller may be known to call it from elsewhere. */
static bool is_dropping(struct python_process *p, const struct step *caller, const struct step *callee)
{
    return !callee->entered && !callee->heap && stands_at_drop(p, caller);
}

bool step_may_be_innermost(struct python_process *p, const struct step *s)
{
    if (step_runs(s) || !s->entered || s->late || codes_instrumented_at(p, s))
        return true;
    return p->layout.version >= 0x030e && p->codes.items[s->code]->locals > 0 && !step_is_popped(p, s);
}

/* May that be an entry frame (3.12+)? Those of one thread lie near each other, and no other frame there. */
static bool on_c_stack(const struct thread *t, uint64_t address)
{
    return address - t->c_stack + C_STACK_BYTES < 2 * C_STACK_BYTES;
}

/* Does `previous`, read from a callee's frame, lead to this caller: straight, or through an entry frame (3.12+)? That
 * of a callee which lies right on its caller's end need not be read, which would be too late: it lies on the C stack,
 * where no other frame does. */
static bool leads_to(struct thread *t, uint64_t previous, uint64_t caller, bool adjoins, bool *ret_entered)
{
    const struct entry_frame *known = entry_slot(t, previous);

    *ret_entered = false;
    if (!previous || previous == caller)
        return previous == caller;
    *ret_entered =
        known->address == previous ? known->previous == caller || adjoins : adjoins && on_c_stack(t, previous);
    return *ret_entered;
}

/* Does the entry frame at `address` lead to the caller (3.12+)? Read now, unless it is known to: C may have called it
 * for a generator that lies between, or it may have been another one's before. */
static bool entry_leads_to(struct python_process *p, struct thread *t, uint64_t address, uint64_t caller)
{
    const struct entry_frame *known = entry_slot(t, address);

    if (known->address == address && known->previous == caller)
        return true;
    const uint8_t *frame = p->layout.version < 0x030c ? NULL : snapshot_at(p, t, address, p->frame_header);
    uint8_t owner = frame ? frame[p->layout.frame_owner] : 0;
    return owner >= OWNER_ENTRY && owner <= OWNER_LAST && walk_entry_learn(p, t, address, frame)->previous == caller;
}

static bool is_generator(const struct python_process *p, const uint8_t *frame)
{
    uint64_t code;

    return frame[p->layout.frame_owner] == OWNER_GENERATOR &&
           map_get(&p->codes.by_address, untag(load64(frame + p->layout.frame_code)), &code) &&
           p->codes.items[code]->generator;
}

/* Is what lies there in the copy the frame of a generator that is driven by the one at `caller`? */
static bool is_driven(struct python_process *p, struct thread *t, const uint8_t *frame, uint64_t caller)
{
    uint64_t previous = load64(frame + p->layout.frame_previous);
    bool entered;

    return (leads_to(t, previous, caller, false, &entered) ||
               (p->gap_ns >= HURRIED_NS && on_c_stack(t, previous) && entry_leads_to(p, t, previous, caller))) &&
           is_generator(p, frame);
}

/* Most words on a page have another one than any lead. */
static uint64_t lead_bit(uint64_t address)
{
    return UINT64_C(1) << (address >> 4 & 63);
}

/* One that was not met before, on the pages where others were: one that does not run has no caller. */
static uint64_t unmet_generator(struct python_process *p, struct thread *t, const struct step *caller)
{
    const struct snapshot *s = &t->snapshot;
    uint64_t leads[LEADS_MOST], some = 0; /* what its `previous` may be; bits of those */
    size_t count = 0;

    if (s->pages == s->pages_end)
        return 0;
    if (!step_runs(caller) || p->layout.version < 0x030c) /* 3.11 has no entry frames */
        leads[count++] = caller->address;
    for (size_t i = 0; i < ARRAY_SIZE(t->entries) && count < LEADS_MOST; i++)
        if (t->entries[i].address && t->entries[i].previous == caller->address)
            leads[count++] = t->entries[i].address;
    for (size_t k = 0; k < count; k++)
        some |= lead_bit(leads[k]);
    for (size_t i = s->pages; i < s->pages_end && count; i++)
        for (uint32_t at = p->layout.generator_frame % ALIGNMENT; at + p->frame_header <= s->regions[i].size;
             at += ALIGNMENT) {
            const uint8_t *frame = s->data + s->regions[i].offset + at;
            uint64_t previous = load64(frame + p->layout.frame_previous);
            for (size_t k = 0; (some & lead_bit(previous)) != 0 && k < count; k++)
                if (previous == leads[k] && is_driven(p, t, frame, caller->address))
                    return s->regions[i].start + at;
        }
    return 0;
}

/* Does the frame stand where it drives a generator itself, and wait for it (3.12+)? */
static bool waits_for_generator(const struct python_process *p, const struct step *s)
{
    return p->layout.version >= 0x030c && !step_runs(s) && edges_serve_generator(p, s);
}

/* A generator in the copy that is driven by this frame; 0: there is none. To `search` for an unmet one takes a while:
 * else it is looked for only where the frame stands at an instruction that is known to drive some. */
static uint64_t driven_generator(struct python_process *p, struct thread *t, const struct step *caller, bool search)
{
    for (size_t i = 0; i < t->heap_count; i++) {
        const uint8_t *frame = snapshot_heap_frame(p, t, &t->heap[i]);
        if (frame && is_driven(p, t, frame, caller->address))
            return t->heap[i].address;
    }
    return search || edges_serve_generator(p, caller) ? unmet_generator(p, t, caller) : 0;
}

/* An edge that the thread's pointer did not lead to. In a loop that keeps time with us, or where calls are short, that
 * may be the only way in which it is ever seen, so it is judged like any other. */
static bool live_edge_holds(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    const struct step both[2] = {*callee, *caller};

    return !edges_refused(p, t, caller, callee, now_ns) && codes_verify(p, both, 2, now_ns + 1, 1) == 0 &&
           p->codes.items[caller->code]->address && p->codes.items[callee->code]->address &&
           edges_judge(p, t, caller, callee, now_ns) == EDGE_ACCEPTED;
}

enum callee_found {
    CALLEE_NONE,    /* nothing there that runs for this caller */
    CALLEE_LET_GO,  /* one that has returned: the caller waits while what it held is freed */
    CALLEE_UNKNOWN, /* something does, but its edge is not accepted */
    CALLEE_LIVE,
};

/* Is the frame at `address` a callee of `caller` that the copy shows to be live, by an edge that is accepted? */
static enum callee_found live_callee(struct python_process *p, struct thread *t, const struct step *caller,
    uint64_t address, bool adjoins, uint64_t now_ns, struct step *ret)
{
    const struct python_layout *l = &p->layout;
    const uint8_t *frame = snapshot_copied(p, t, address);
    uint64_t pointer = 0;
    bool entered;

    if (!frame || !leads_to(t, load64(frame + l->frame_previous), caller->address, adjoins, &entered) ||
        walk_step_read(p, t, address, 0, ret, &pointer) < 0)
        return CALLEE_NONE;
    ret->entered = ret->entered || entered;
    /* Pushed after the thread's pointers were read, it ran when its caller's frame was copied; else it only holds on to
     * what is being let go. */
    bool ran = !step_is_popped(p, ret) || (!ret->entered && walk_data_stack_top(p, t) <= address);
    if (!ran || is_returning(p, ret))
        return CALLEE_LET_GO;
    if (step_has_returned(p, caller, ret) || is_dropping(p, caller, ret))
        return CALLEE_NONE;
    if (edges_known(&p->edges, caller, ret, ret->heap) ||
        ((ret->heap || ((l->version >= 0x030d || step_runs(ret)) &&
                           (!ret->entered || entry_leads_to(p, t, ret->previous, caller->address)))) &&
            live_edge_holds(p, t, caller, ret, now_ns)))
        return CALLEE_LIVE;
    /* Up to 3.12 a frame that was popped shows only by the instruction that it stands at. */
    bool moved =
        (ret->entered || caller->late || l->version >= 0x030d) && edges_reseat(p, caller, ret, now_ns, &ret->caller_at);
    return moved ? CALLEE_LIVE : CALLEE_UNKNOWN;
}

/* The frame outside the data stack that the thread's pointer led to, straight, or through one that it called and that
 * stands on the caller's `end` (0: straight alone); 0: there is none. */
static uint64_t led_outside(struct python_process *p, struct thread *t, uint64_t end)
{
    uint64_t at;

    if (walk_head(p, t, &at) < 0 || !at)
        return 0;
    const struct chunk *in = snapshot_chunk_of(t, at), *of_end = end ? snapshot_chunk_of(t, end) : NULL;
    if (in) {
        const uint8_t *above =
            of_end && (in > of_end || (in == of_end && at >= end)) ? snapshot_copied(p, t, end) : NULL;
        at = above ? load64(above + p->layout.frame_previous) : 0;
    }
    const struct entry_frame *entry = entry_slot(t, at);
    if (at && entry->address == at) /* 3.12+: between it and what C called */
        at = entry->previous;
    return at && !snapshot_chunk_of(t, at) ? at : 0;
}

/* A generator that was not foreseen, for which the frame of `caller` is seen to wait: it lies on that one's stack, next
 * to the saved top, as long as it is driven from there (3.12+: FOR_ITER_GEN, SEND_GEN). Where it is not known yet that
 * the instruction drives any, the thread's pointer must have led to it. Read now, later than the rest, it may stand at
 * another line, or have lost its caller. */
static enum callee_found awaited_generator(
    struct python_process *p, struct thread *t, const struct step *caller, uint64_t now_ns, struct step *ret)
{
    const struct python_layout *l = &p->layout;
    bool known = waits_for_generator(p, caller);
    uint64_t led = 0;

    if (l->generator_frame == PYTHON_FIELD_NONE || l->version < 0x030c || step_runs(caller) ||
        caller->stacktop < AWAITED_SLOTS || (!known && (caller->late || (led = led_outside(p, t, 0)) == 0)))
        return CALLEE_NONE;
    const uint8_t *slots = snapshot_at(
        p, t, caller->address + l->frame_localsplus + 8ULL * (caller->stacktop - AWAITED_SLOTS), 8 * AWAITED_SLOTS);
    uint64_t objects[AWAITED_SLOTS] = {0}, pointer = 0;
    for (int i = 0; slots && i < AWAITED_SLOTS; i++)
        objects[i] = untag(load64(slots + 8 * i));
    for (int i = AWAITED_SLOTS; i-- > 0;) {
        uint64_t at = objects[i] + l->generator_frame;
        if (!objects[i] || (!known && at != led) || walk_step_read(p, t, at, caller->address, ret, &pointer) < 0)
            continue;
        if (ret->heap && ret->previous == caller->address &&
            (edges_known(&p->edges, caller, ret, true) || (!known && live_edge_holds(p, t, caller, ret, now_ns))))
            return CALLEE_LIVE;
    }
    return CALLEE_NONE;
}

/* A generator that C drives for `caller`, as next() does: it lies where such a call is known to have it, or the
 * thread's pointer led to it and the caller holds it. Where it is not in the copy it is read now, later than the rest,
 * and may stand at another line, or have lost its caller. */
static bool driven_by_c(struct python_process *p, struct thread *t, const struct step *caller, uint64_t end,
    uint64_t now_ns, struct step *ret)
{
    const struct python_layout *l = &p->layout;
    uint64_t at, pointer = 0;
    bool known = !caller->guessed && edges_driven(p, t, caller, &at);

    if (!known &&
        ((caller->late && !caller->guessed) || (at = led_outside(p, t, end)) == 0 || !edges_hold(p, t, caller, at)))
        return false;
    const uint8_t *copied = snapshot_copied(p, t, at);
    if (at == caller->address || (copied && load64(copied + l->frame_previous) == 0)) /* it has yielded */
        return false;
    if (!copied && walk_led_to(p, t) == caller->address) /* it did not run then, and what it does by now says nothing */
        return false;
    const uint8_t *frame = snapshot_at(p, t, at, p->frame_header);
    if (!frame || !is_generator(p, frame) || walk_step_read(p, t, at, caller->address, ret, &pointer) < 0)
        return false;
    bool flagged = ret->entered; /* 3.11 */
    ret->entered = true;
    if (caller->guessed) /* by now it stands elsewhere */
        return edges_reseat(p, caller, ret, now_ns, &ret->caller_at);
    if (known && edges_known(&p->edges, caller, ret, false))
        return true;
    /* Where it is not known yet which slot it is, to judge the edge is to learn that. */
    bool called = ret->guessed || (l->version < 0x030c ? flagged && ret->previous == caller->address
                                                       : entry_leads_to(p, t, ret->previous, caller->address));
    return called && live_edge_holds(p, t, caller, ret, now_ns);
}

/* A frame on the caller's end that the caller itself pushed: it was not a generator in between that called it. */
static bool pushed_by(struct python_process *p, struct thread *t, const struct step *caller, uint64_t end)
{
    if (!end || p->layout.version < 0x030c || step_runs(caller) || edges_serve_generator(p, caller))
        return false;
    const uint8_t *frame = snapshot_copied(p, t, end);
    return frame && load64(frame + p->layout.frame_previous) == caller->address;
}

size_t callees_extend(struct python_process *p, struct thread *t, struct step *order, size_t count, size_t room,
    uint64_t now_ns, bool search, bool *ret_whole)
{
    enum callee_found found = CALLEE_LIVE;
    uint64_t end = walk_data_stack_end(p, order, count);
    size_t sure = count;

    *ret_whole = false;
    if (is_old(p) || count == 0)
        return count;
    while (count < room && found == CALLEE_LIVE) {
        struct step *top = &order[count - 1], s;
        bool pushed = pushed_by(p, t, top, end);
        /* If there is one, what lies above is its own. */
        uint64_t generator = pushed ? 0 : driven_generator(p, t, top, search);
        if (!pushed && !generator && driven_by_c(p, t, top, end, now_ns, &s)) {
            order[count++] = s;
            continue;
        }
        found = generator ? live_callee(p, t, top, generator, false, now_ns, &s) : CALLEE_NONE;
        if (found == CALLEE_NONE && end) {
            found = live_callee(p, t, top, end, true, now_ns, &s);
            if (found == CALLEE_LIVE)
                end += p->codes.items[s.code]->frame_bytes;
        }
        if (found == CALLEE_NONE && !generator)
            found = awaited_generator(p, t, top, now_ns, &s);
        if (found == CALLEE_LIVE)
            order[count++] = s;
    }
    *ret_whole = found == CALLEE_LET_GO ||
                 (found == CALLEE_NONE &&
                     (p->layout.version >= 0x030e || order[count - 1].late || step_runs(&order[count - 1])));
    while (count > sure && !step_may_be_innermost(p, &order[count - 1]))
        count--;
    return count;
}
