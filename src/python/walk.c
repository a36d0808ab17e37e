/*
 * From a copy of memory to a stack that can be believed: follow the chain of frames, see that it ends at the known
 * root, check every caller, and repair what fails.
 *
 * A stack that fails at one caller is repaired in this order. If the callee is known to be called from another
 * instruction of the same caller, the caller had merely moved on between the two reads: it is put there. Else the
 * stack is cut above the caller. Then it is extended by callees that the copy shows to be live.
 */
#include "python/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    OWNER_GENERATOR = 1,
    OWNER_ENTRY = 3, /* FRAME_OWNED_BY_CSTACK (3.12, 3.13), _BY_INTERPRETER (3.14+); 4 is _BY_CSTACK in 3.14 */
    OWNER_LAST = 4,
    THREAD_STATE_BYTES = 8192, /* of a PyThreadState, at most */
    ROOT_DEPTH = 4096,         /* frames rebuilt from the root at most */
    LEADS_MOST = 8,            /* interpreter loops that one frame is known to have entered, looked for in the copy */
    AWAITED_SLOTS = 2, /* of the value stack: what drives a generator keeps it there, or (3.15) below an index */
};

int walk_reserve(struct thread *t, size_t depth)
{
    if (array_reserve(&t->steps, &t->step_capacity, depth, sizeof(*t->steps)) < 0)
        return -ENOMEM;
    return array_reserve(&t->code_pointers, &t->code_pointers_capacity, depth, sizeof(*t->code_pointers));
}

static bool is_old(const struct python_process *p)
{
    return p->layout.version < 0x030b;
}

/* 3.8 to 3.10: f_executing (3.8, 3.9), or f_state, whose FRAME_EXECUTING is 0 (3.10). */
bool walk_executing(const struct python_process *p, const uint8_t *frame)
{
    return frame[p->layout.frame_state] == (p->layout.version == 0x030a ? 0 : 1);
}

bool walk_instruction_offset(struct python_process *p, const uint8_t *frame, struct step *s)
{
    const struct code *c = p->codes.items[s->code];
    uint16_t version = p->layout.version;
    int64_t at;

    s->bytecode = p->layout.frame_tlbc_index == PYTHON_FIELD_NONE
                      ? c->bytecode
                      : codes_bytecode(p, s->code, load32(frame + p->layout.frame_tlbc_index));

    if (version < 0x030b) { /* f_lasti: -1 before the first; in bytes, in 3.10 in code units (Python/ceval.c) */
        at = (int32_t)load32(frame + p->layout.frame_instr);
        at = at < 0 ? 0 : version == 0x030a ? at * 2 : at;
    } else {
        at = (int64_t)(load64(frame + p->layout.frame_instr) - s->bytecode);
        if (at == -2) /* prev_instr of a frame that has not begun */
            at = 0;
    }
    if (!s->bytecode || at < 0 || at >= c->bytecode_size || (at & 1))
        return false;
    s->at = (uint32_t)at;
    return true;
}

static uint32_t saved_stacktop(const struct python_process *p, const uint8_t *frame, uint64_t address)
{
    const struct python_layout *l = &p->layout;
    uint64_t slots;

    if (l->frame_stacktop == PYTHON_FIELD_NONE || is_old(p))
        return UINT32_MAX;
    if (l->version < 0x030e) {
        int32_t top = (int32_t)load32(frame + l->frame_stacktop);
        slots = top < 0 ? UINT32_MAX : (uint64_t)top;
    } else { /* a pointer; NULL while the frame runs (3.14, debug builds keep it) */
        uint64_t top = load64(frame + l->frame_stacktop);
        slots = top < address ? UINT32_MAX : (top - address - l->frame_localsplus) / 8;
    }
    return slots > 1u << 20 ? UINT32_MAX : (uint32_t)slots;
}

/* The copied frame at `address`, if all of it was planned to be read: nothing is fetched here, later than the rest. */
static const uint8_t *copied_frame(const struct python_process *p, const struct thread *t, uint64_t address)
{
    for (size_t i = 0; i < t->snapshot.planned; i++) {
        const struct region *r = &t->snapshot.regions[i];
        if (address - r->start + p->frame_header <= r->size)
            return t->snapshot.data + r->offset + (address - r->start);
    }
    return NULL;
}

int walk_step_read(struct python_process *p, struct thread *t, uint64_t address, uint64_t caller, struct step *ret,
    uint64_t *ret_code_pointer)
{
    const struct python_layout *l = &p->layout;
    const uint8_t *frame = snapshot_at(p, t, address, p->frame_header);
    uint64_t id;

    if (!frame)
        return -EAGAIN;
    uint64_t pointer = untag(load64(frame + l->frame_code));
    uint8_t owner = l->frame_owner == PYTHON_FIELD_NONE ? OWNER_GENERATOR : frame[l->frame_owner];
    if (owner >= OWNER_ENTRY)
        return -EAGAIN;
    struct step s = {.address = address,
        .previous = load64(frame + l->frame_previous),
        .caller_at = UINT32_MAX,
        .func = l->frame_func == PYTHON_FIELD_NONE ? 0 : untag(load64(frame + l->frame_func)),
        .heap = is_old(p) || owner != 0};
    if (l->frame_is_entry != PYTHON_FIELD_NONE)
        s.entered = frame[l->frame_is_entry] != 0;
    if (s.heap && !copied_frame(p, t, address)) {
        t->read_late = true;
        snapshot_foresee(t, address);
    }
    /* A frame that has returned or yielded since the thread's pointer to it was read has lost its caller. */
    if (is_old(p) && !walk_executing(p, frame))
        return -EAGAIN;
    s.stacktop = saved_stacktop(p, frame, address);
    if (map_get(&p->codes.by_address, pointer, &id)) {
        s.code = (uint32_t)id;
    } else {
        int r = codes_find(p, pointer, &s.code);
        if (r < 0)
            return r == -ESRCH ? r : -EAGAIN;
        frame = snapshot_at(p, t, address, p->frame_header);
    }
    if (frame && !walk_instruction_offset(p, frame, &s)) {
        /* The frame is torn, or the address holds another code object by now. */
        if (codes_verify(p, &s, 1, clock_monotonic_ns(), 1) < 0 || p->codes.items[s.code]->address ||
            codes_find(p, pointer, &s.code) < 0)
            return -EAGAIN;
        frame = snapshot_at(p, t, address, p->frame_header);
        if (frame && !walk_instruction_offset(p, frame, &s))
            return -EAGAIN;
    }
    if (!frame)
        return -EAGAIN;
    if (s.heap && !s.previous && !is_old(p)) { /* a generator had one a moment ago */
        s.previous = caller ? caller : snapshot_last_caller(t, address, s.code);
        if (!s.previous)
            return -EAGAIN;
        s.guessed = t->mended = true;
    }
    *ret = s;
    *ret_code_pointer = pointer;
    return 0;
}

static int chain_head(struct python_process *p, struct thread *t, uint64_t *ret)
{
    uint64_t at = t->address + p->layout.thread_frame;

    if (p->layout.cframe_current_frame != PYTHON_FIELD_NONE) {
        const uint8_t *cframe = snapshot_at(p, t, at, 8);
        if (!cframe)
            return -EAGAIN;
        t->cframe = load64(cframe);
        snapshot_cframe_met(t, t->cframe);
        at = t->cframe + p->layout.cframe_current_frame;
    }
    if (t->head_size == sizeof(t->head) && t->head_address == at) {
        *ret = t->head;
        return 0;
    }
    const uint8_t *field = snapshot_at(p, t, at, 8);
    if (!field)
        return -EAGAIN;
    *ret = load64(field);
    return 0;
}

static uint64_t data_stack_top(struct python_process *p, struct thread *t)
{
    const uint8_t *field = p->layout.thread_datastack_top == PYTHON_FIELD_NONE
                               ? NULL
                               : snapshot_at(p, t, t->address + p->layout.thread_datastack_top, 8);

    return field ? load64(field) : 0;
}

static struct entry_frame *entry_slot(struct thread *t, uint64_t address)
{
    return &t->entries[(address >> 4) % ARRAY_SIZE(t->entries)];
}

static const struct entry_frame *entry_learn(
    struct python_process *p, struct thread *t, uint64_t address, const uint8_t *frame)
{
    struct entry_frame *slot = entry_slot(t, address);
    uint64_t caller = load64(frame + p->layout.frame_previous);

    frame = caller ? snapshot_at(p, t, caller, p->frame_header) : NULL;
    *slot = (struct entry_frame){
        .address = address, .previous = caller, .instr = frame ? load64(frame + p->layout.frame_instr) : 0};
    return slot;
}

/*
 * An entry frame is written once, when C calls into the interpreter, so its caller can be told without reading it: it
 * is the one it was, if that is the frame on whose end the next one on the data stack begins (`above`; the stack's top
 * where there is none), and still stands where it stood: at another instruction a generator may lie between, which
 * takes no place on the data stack. The first one of a thread has no caller, and what is above it stands at the stack's
 * bottom.
 */
static bool entry_inferred(
    struct python_process *p, struct thread *t, uint64_t entry, uint64_t above, uint64_t *ret_previous)
{
    const struct entry_frame *known = entry_slot(t, entry), *base;
    uint64_t code;

    if (known->address != entry || !above)
        return false;
    base = entry_slot(t, known->previous); /* 3.15: behind the first one lies base_frame, in the thread state */
    if (!known->previous || (base->address == known->previous && !base->previous)) {
        *ret_previous = 0;
        return t->chunk_count > 0 && above == t->chunks[0].base + p->layout.chunk_data + 8;
    }
    if (known->previous >= above || above - known->previous > 1u << 16)
        return false;
    const uint8_t *caller = snapshot_at(p, t, known->previous, p->frame_header);
    if (!caller || load64(caller + p->layout.frame_instr) != known->instr ||
        !map_get(&p->codes.by_address, untag(load64(caller + p->layout.frame_code)), &code) ||
        caller[p->layout.frame_owner] != 0 || known->previous + p->codes.items[code]->frame_bytes != above)
        return false;
    *ret_previous = known->previous;
    return true;
}

/* The outermost frame stands at the very bottom of the first chunk (3.11+, Python/pystate.c keeps one word free there),
 * or is a generator that C itself drives; before 3.11 it has no caller and is executing. */
static bool root_known(
    const struct python_process *p, const struct thread *t, const struct step *root, bool ended_at_entry)
{
    if (is_old(p))
        return true;
    if (p->layout.version >= 0x030c ? !ended_at_entry : !root->entered)
        return false;
    if (root->heap)
        return ended_at_entry;
    return t->chunk_count > 0 && root->address == t->chunks[0].base + p->layout.chunk_data + 8;
}

/* Does a thread's pointer mean that it has no Python frame at all? Then it leads nowhere, in 3.11 and 3.12 from the
 * _PyCFrame that the thread state itself holds (root_cframe), or to what that holds (base_frame, 3.15). */
static bool no_frames(const struct python_process *p, const struct thread *t, uint64_t head)
{
    if (head)
        return head - t->address < THREAD_STATE_BYTES;
    return p->layout.cframe_current_frame == PYTHON_FIELD_NONE || t->cframe - t->address < THREAD_STATE_BYTES;
}

/* Follows the chain from the frame at `address`. */
static int chain_follow(struct python_process *p, struct thread *t, uint64_t address)
{
    const struct python_layout *l = &p->layout;
    bool entry_last = false;
    uint64_t above = data_stack_top(p, t), marked = 0, head = address;
    size_t n = 0;
    int r;

    t->step_count = 0;
    t->mended = t->read_late = false;
    for (; address; n++) {
        /* Frames read at different moments may point at each other. Brent's search finds a circle in the steps that it
         * takes to go round it. */
        if (n >= DEPTH_CAP || address == marked)
            return -EAGAIN;
        if ((n & (n - 1)) == 0)
            marked = address;
        if (!is_old(p) && l->version >= 0x030c) {
            uint64_t caller;
            if (t->step_count && entry_inferred(p, t, address, above, &caller)) {
                t->steps[t->step_count - 1].entered = true;
                entry_last = true;
                address = caller;
                continue;
            }
            const uint8_t *frame = snapshot_at(p, t, address, p->frame_header);
            /* Where an entry frame was, C has returned since, and its stack holds something else. */
            if (!frame || frame[l->frame_owner] > OWNER_LAST ||
                (frame[l->frame_owner] < OWNER_ENTRY && entry_slot(t, address)->address == address))
                return -EAGAIN;
            if (frame[l->frame_owner] >= OWNER_ENTRY) {
                if (t->step_count > 0)
                    t->steps[t->step_count - 1].entered = true;
                entry_last = true;
                address = entry_learn(p, t, address, frame)->previous;
                continue;
            }
        }
        if (walk_reserve(t, t->step_count + 1) < 0)
            return -ENOMEM;
        struct step *s = &t->steps[t->step_count];
        r = walk_step_read(p, t, address, 0, s, &t->code_pointers[t->step_count]);
        if (r == -EAGAIN && !is_old(p)) { /* half written: what is above it cannot be told, what is below can */
            const uint8_t *frame = snapshot_at(p, t, address, p->frame_header);
            uint64_t below = frame ? load64(frame + l->frame_previous) : 0;
            if (!below || (below & 7) || n > t->step_count + 64)
                return -EAGAIN;
            t->step_count = 0;
            t->mended = true;
            address = below;
            above = 0;
            continue;
        }
        if (r < 0)
            return r;
        /* 3.8-3.10 enter a new interpreter loop for every call */
        if (is_old(p))
            s->entered = true;
        entry_last = false;
        if (!s->heap)
            above = s->address;
        address = s->previous;
        t->step_count++;
    }
    if (t->step_count == 0)
        return !t->mended && no_frames(p, t, head) ? 0 : -EAGAIN;
    return root_known(p, t, &t->steps[t->step_count - 1], entry_last) ? 0 : -EAGAIN;
}

/* A frame in the copy that is executing and was called by the one at `address`; 0: there is none. */
static uint64_t executing_callee(struct python_process *p, struct thread *t, uint64_t address)
{
    for (size_t i = 0; i < t->heap_count; i++) {
        const uint8_t *frame = snapshot_heap_frame(p, t, &t->heap[i]);
        if (frame && walk_executing(p, frame) && load64(frame + p->layout.frame_previous) == address)
            return t->heap[i].address;
    }
    return 0;
}

int walk_chain(struct python_process *p, struct thread *t)
{
    uint64_t address, above;
    int r = chain_head(p, t, &address);

    /* Before 3.11 the frames are read after the thread's pointer: callees that are executing by then belong to the
     * stack, or those that were left would be missed and those that were entered would not. */
    for (size_t n = 0; r == 0 && is_old(p) && n < t->heap_count && (above = executing_callee(p, t, address)) != 0; n++)
        address = above;
    return r < 0 ? r : chain_follow(p, t, address);
}

static int frames_reserve(struct thread *t, size_t depth)
{
    return array_reserve(&t->frames, &t->frames_capacity, depth, sizeof(*t->frames));
}

/*
 * A frame's memory is read after the thread's pointer to it, and outlives the frame: what had been called may have
 * returned by then. A frame that runs saves no stack pointer (Python/ceval.c, SET_LOCALS_FROM_FRAME: stacktop is -1;
 * 3.14+: stackpointer is NULL), and one that pushed a callee's frame itself has saved it; up to 3.13 one that called C
 * has not.
 */
static bool runs(const struct step *s)
{
    return s->stacktop == UINT32_MAX || s->at == 0; /* 0: it has not begun to */
}

/* The caller runs again. Or the callee only made a generator, into which its frame was copied (RETURN_GENERATOR). */
static bool has_returned(const struct python_process *p, const struct step *caller, const struct step *callee)
{
    if (is_old(p))
        return false;
    return (caller->stacktop == UINT32_MAX && (!callee->entered || p->layout.version >= 0x030e)) ||
           (!callee->heap && p->codes.items[callee->code]->generator);
}

/* The frame was popped, and what it held is let go in its caller's time: nothing is on its stack, not even its locals
 * (Python/frame.c, _PyFrame_ClearLocals, 3.13+). */
static bool is_popped(const struct python_process *p, const struct step *s)
{
    return p->layout.version >= 0x030d && !s->heap && s->stacktop == 0 && p->codes.items[s->code]->has_locals;
}

/* Up to 3.12 such a frame is not marked. But it has saved its stack pointer, as one has that waits for a callee, and
 * stands where none is called: at its return (Python/bytecodes.c, RETURN_VALUE). */
static bool is_returning(struct python_process *p, const struct step *s)
{
    return !is_old(p) && p->layout.version < 0x030d && !s->heap && !runs(s) && codes_drops_at(p, s->code, s->at);
}

/* May a frame that the thread's pointer does not lead to be the innermost? It runs, or has not begun to; or its caller
 * waits for it. */
static bool may_be_innermost(const struct python_process *p, const struct step *s)
{
    if (runs(s) || !s->entered)
        return true;
    return p->layout.version >= 0x030e && p->codes.items[s->code]->has_locals && !is_popped(p, s);
}

/* Does `previous`, read from a callee's frame, lead to this caller: straight, or through an entry frame (3.12+)? That
 * of a callee which lies right on its caller's end need not be read, which would be too late. */
static bool leads_to(struct thread *t, uint64_t previous, uint64_t caller, bool adjoins, bool *ret_entered)
{
    const struct entry_frame *known = entry_slot(t, previous);

    *ret_entered = false;
    if (!previous || previous == caller)
        return previous == caller;
    *ret_entered =
        (known->address == previous && known->previous == caller) || (adjoins && !snapshot_chunk_of(t, previous));
    return *ret_entered;
}

/* Is what lies there in the copy the frame of a generator that is driven by the one at `caller`? */
static bool is_driven(const struct python_process *p, struct thread *t, const uint8_t *frame, uint64_t caller)
{
    const struct python_layout *l = &p->layout;
    bool entered;
    uint64_t code;

    return leads_to(t, load64(frame + l->frame_previous), caller, false, &entered) &&
           frame[l->frame_owner] == OWNER_GENERATOR &&
           map_get(&p->codes.by_address, untag(load64(frame + l->frame_code)), &code) &&
           p->codes.items[code]->generator;
}

/* One that was not met before, on the pages where others were: one that does not run has no caller. */
static uint64_t unmet_generator(const struct python_process *p, struct thread *t, const struct step *caller)
{
    const struct snapshot *s = &t->snapshot;
    uint64_t leads[LEADS_MOST]; /* what its `previous` may be */
    size_t count = 0;

    if (!runs(caller))
        leads[count++] = caller->address;
    for (size_t i = 0; i < ARRAY_SIZE(t->entries) && count < LEADS_MOST; i++)
        if (t->entries[i].address && t->entries[i].previous == caller->address)
            leads[count++] = t->entries[i].address;
    for (size_t i = s->pages; i < s->pages_end && count; i++)
        for (uint32_t at = 0; at + p->frame_header <= s->regions[i].size; at += 8) {
            const uint8_t *frame = s->data + s->regions[i].offset + at;
            uint64_t previous = load64(frame + p->layout.frame_previous);
            for (size_t k = 0; k < count; k++)
                if (previous == leads[k] && is_driven(p, t, frame, caller->address))
                    return s->regions[i].start + at;
        }
    return 0;
}

/* Does the frame stand where it drives a generator itself, and wait for it (3.12+)? */
static bool waits_for_generator(const struct python_process *p, const struct step *s)
{
    return p->layout.version >= 0x030c && !runs(s) && edges_serve_generator(p, s);
}

/* A generator in the copy that is driven by this frame; 0: there is none. To `search` for an unmet one takes a while:
 * else it is looked for only where the frame waits for one. */
static uint64_t driven_generator(
    const struct python_process *p, struct thread *t, const struct step *caller, bool search)
{
    for (size_t i = 0; i < t->heap_count; i++) {
        const uint8_t *frame = snapshot_heap_frame(p, t, &t->heap[i]);
        if (frame && is_driven(p, t, frame, caller->address))
            return t->heap[i].address;
    }
    return search || waits_for_generator(p, caller) ? unmet_generator(p, t, caller) : 0;
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
    const uint8_t *frame = copied_frame(p, t, address);
    uint64_t id, pointer = 0;
    bool entered;

    if (!frame || !leads_to(t, load64(frame + l->frame_previous), caller->address, adjoins, &entered) ||
        !map_get(&p->codes.by_address, untag(load64(frame + l->frame_code)), &id) ||
        walk_step_read(p, t, address, 0, ret, &pointer) < 0)
        return CALLEE_NONE;
    ret->entered = ret->entered || entered;
    /* Pushed after the thread's pointers were read, it ran when its caller's frame was copied; else it only holds on to
     * what is being let go. */
    bool ran = !is_popped(p, ret) || (!ret->entered && data_stack_top(p, t) <= address);
    if (!ran || is_returning(p, ret))
        return CALLEE_LET_GO;
    if (has_returned(p, caller, ret))
        return CALLEE_NONE;
    if (edges_known(&p->edges, caller, ret, ret->heap) ||
        ((ret->heap || (!ret->entered && (l->version >= 0x030d || runs(ret)))) &&
            live_edge_holds(p, t, caller, ret, now_ns)))
        return CALLEE_LIVE;
    /* Up to 3.12 a frame that was popped shows only by the instruction that it stands at. */
    bool moved = (ret->entered || l->version >= 0x030d) && edges_reseat(&p->edges, caller, ret, &ret->caller_at);
    return moved ? CALLEE_LIVE : CALLEE_UNKNOWN;
}

/* A generator that was not foreseen, for which the frame of `caller` is seen to wait: it lies on that one's stack, next
 * to the saved top, as long as it is driven from there (3.12+: FOR_ITER_GEN, SEND_GEN). Read now, later than the rest,
 * it may stand at another line, or have lost its caller. */
static enum callee_found awaited_generator(
    struct python_process *p, struct thread *t, const struct step *caller, struct step *ret)
{
    const struct python_layout *l = &p->layout;

    if (l->generator_frame == PYTHON_FIELD_NONE || !waits_for_generator(p, caller) || caller->stacktop < AWAITED_SLOTS)
        return CALLEE_NONE;
    const uint8_t *slots = snapshot_at(
        p, t, caller->address + l->frame_localsplus + 8ULL * (caller->stacktop - AWAITED_SLOTS), 8 * AWAITED_SLOTS);
    uint64_t objects[AWAITED_SLOTS] = {0}, pointer = 0;
    for (int i = 0; slots && i < AWAITED_SLOTS; i++)
        objects[i] = untag(load64(slots + 8 * i));
    for (int i = AWAITED_SLOTS; i-- > 0;) {
        uint64_t object = objects[i];
        if (!object || (object & 7) ||
            walk_step_read(p, t, object + l->generator_frame, caller->address, ret, &pointer) < 0)
            continue;
        if (ret->heap && ret->previous == caller->address && edges_known(&p->edges, caller, ret, true))
            return CALLEE_LIVE;
    }
    return CALLEE_NONE;
}

/* Callees that the copy shows above the top frame, one after the other, as long as each edge is accepted. The stack is
 * held leaf last in `order`; new steps are appended to it. search: for generators that were not met before, too.
 * *ret_whole: nothing more is seen to run above the last one. */
static size_t extend(struct python_process *p, struct thread *t, struct step *order, size_t count, size_t room,
    uint64_t now_ns, bool search, bool *ret_whole)
{
    enum callee_found found = CALLEE_LIVE;
    uint64_t end = 0;
    size_t sure = count;

    *ret_whole = false;
    if (is_old(p) || count == 0)
        return count;
    for (size_t i = count; i-- > 0 && !end;)
        if (!order[i].heap)
            end = order[i].address + p->codes.items[order[i].code]->frame_bytes;
    while (count < room && found == CALLEE_LIVE) {
        struct step *top = &order[count - 1], s;
        uint64_t generator = driven_generator(p, t, top, search); /* if there is one, what lies above is its own */
        found = generator ? live_callee(p, t, top, generator, false, now_ns, &s) : CALLEE_NONE;
        if (found == CALLEE_NONE && end) {
            found = live_callee(p, t, top, end, true, now_ns, &s);
            if (found == CALLEE_LIVE)
                end += p->codes.items[s.code]->frame_bytes;
        }
        if (found == CALLEE_NONE && !generator)
            found = awaited_generator(p, t, top, &s);
        if (found == CALLEE_LIVE)
            order[count++] = s;
    }
    *ret_whole =
        found == CALLEE_LET_GO || (found == CALLEE_NONE && (p->layout.version >= 0x030e || runs(&order[count - 1])));
    while (count > sure && !may_be_innermost(p, &order[count - 1]))
        count--;
    return count;
}

/* Codes met at a new edge, or not looked at for a while, may have been freed and their address reused. */
static int verify_codes(
    struct python_process *p, struct thread *t, uint64_t now_ns, uint64_t max_age_ns, size_t from, size_t to)
{
    /* A thread without frames may have no steps at all, and nothing is to be added to NULL. */
    int r = from < to ? codes_verify(p, t->steps + from, to - from, now_ns, max_age_ns) : 0;

    for (size_t i = from; i < to; i++)
        if (!p->codes.items[t->steps[i].code]->address && codes_find(p, t->code_pointers[i], &t->steps[i].code) < 0)
            r = -EAGAIN;
    return r < 0 ? -EAGAIN : 0;
}

/* A caller is moved to the instruction of a call only where the callee is shown: what has returned since says nothing
 * of where it is now. */
void walk_publish_steps(struct python_process *p, struct thread *t, struct step *order, size_t depth, bool repaired)
{
    t->result = PYTHON_STACK_REJECTED;
    t->depth = 0;
    if (frames_reserve(t, depth + 1) < 0)
        return;
    for (size_t i = 1; i < depth; i++)
        if (order[i].caller_at != UINT32_MAX)
            order[i - 1].at = order[i].caller_at;
    for (size_t i = 0; i < depth; i++)
        if (!p->codes.items[order[i].code]->shim)
            t->frames[t->depth++] = (struct python_frame){.code = order[i].code, .at = order[i].at};
    t->order = (size_t)(order - t->steps);
    t->order_depth = depth;
    t->root = depth ? order[0].address : 0;
    t->result = repaired ? PYTHON_STACK_REPAIRED : PYTHON_STACK_OK;
    if (repaired)
        p->counters.repaired++;
}

/* CPython pushes a frame where the last one on the data stack ends (Python/pystate.c, _PyThreadState_PushFrame), so a
 * callee that begins elsewhere was not called from there, unless a chunk was full. Generators in between do not count:
 * they are not on the data stack. `order` holds the outermost first. */
static bool stands_on_last(
    const struct python_process *p, const struct thread *t, const struct step *order, size_t callee)
{
    const struct step *last = NULL;

    if (is_old(p) || order[callee].heap)
        return true;
    for (size_t i = callee; i-- > 0 && !last;)
        if (!order[i].heap)
            last = &order[i];
    if (!last || last->address + p->codes.items[last->code]->frame_bytes == order[callee].address)
        return true;
    for (size_t i = 1; i < t->chunk_count; i++)
        if (order[callee].address == t->chunks[i].base + p->layout.chunk_data)
            return true;
    return false;
}

/* The edge between order[good - 1] and the callee above it: known, or judged now. */
static bool edge_accepted(struct python_process *p, struct thread *t, struct step *order, size_t good, uint64_t now_ns)
{
    struct step *caller = &order[good - 1], *callee = &order[good];
    size_t n = t->step_count;

    if (edges_known(&p->edges, caller, callee, false))
        return true;
    if (edges_refused(p, t, caller, callee, now_ns) ||
        verify_codes(p, t, now_ns + 1, 1, n - 1 - good, n + 1 - good) < 0)
        return false;
    /* Another code object is there by now: a thread's copy of its bytecode is another one, too. */
    if (p->layout.free_threaded &&
        (caller->code != t->steps[n - good].code || callee->code != t->steps[n - 1 - good].code))
        return false;
    caller->code = t->steps[n - good].code;
    callee->code = t->steps[n - 1 - good].code;
    if (edges_known(&p->edges, caller, callee, false) || edges_judge(p, t, caller, callee, now_ns) == EDGE_ACCEPTED)
        return true;
    if (callee->entered) /* its entry frame is read at the next sample, not inferred */
        entry_slot(t, callee->previous)->address = 0;
    return false;
}

/* An edge that was not met before. Frames that have returned still lie there, unmoved, and the caller may since have
 * become another's: one that was entered from C must run, or wait for callees of its own, the last of which runs. */
static bool edge_holds(struct python_process *p, struct thread *t, struct step *order, size_t good, uint64_t now_ns)
{
    struct step *callee = &order[good];

    bool saved_in_c = p->layout.version >= 0x030e; /* so that it tells nothing */
    if (!is_old(p) && !saved_in_c && !callee->heap && !may_be_innermost(p, callee) &&
        (good + 1 == t->step_count || !runs(&order[t->step_count - 1]) || has_returned(p, callee, &order[good + 1]) ||
            !edge_accepted(p, t, order, good + 1, now_ns)))
        return false;
    return edge_accepted(p, t, order, good, now_ns);
}

void walk_publish(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    size_t n = t->step_count;
    bool repaired = t->mended;

    t->result = PYTHON_STACK_REJECTED;
    t->depth = 0;
    if (verify_codes(p, t, now_ns, p->codes.age_ns, 0, n) < 0 || walk_reserve(t, 2 * n + 64) < 0)
        return;
    /* Turned round into the free half of the same array: [0] is the outermost there. */
    struct step *order = t->steps + n;
    for (size_t i = 0; i < n; i++)
        order[i] = t->steps[n - 1 - i];
    size_t good = n ? 1 : 0;
    while (good < n) {
        struct step *caller = &order[good - 1], *callee = &order[good];
        if (has_returned(p, caller, callee) || (callee->entered && is_popped(p, callee))) {
            repaired = true;
            break;
        }
        bool stands = stands_on_last(p, t, order, good);
        if (!stands ||
            (!edges_known(&p->edges, caller, callee, !callee->guessed) && !edge_holds(p, t, order, good, now_ns))) {
            p->counters.edges_refused++;
            repaired = true;
            /* The caller's own caller is not affected by where it is put. */
            if (!stands || !edges_reseat(&p->edges, caller, callee, &callee->caller_at))
                break;
        }
        good++;
    }
    /* Up to 3.12 a frame that was popped is not marked, but it does not run either. */
    while (!is_old(p) && p->layout.version < 0x030d && good > 1 && !may_be_innermost(p, &order[good - 1])) {
        repaired = true;
        good--;
    }
    bool whole;
    size_t depth = extend(p, t, order, good, n + 64, now_ns, repaired, &whole);
    walk_publish_steps(p, t, order, depth, repaired);
}

/*
 * Before 3.11, above the last walk's leaf: what the thread's pointer led to, if that was not foreseen and had returned
 * by the time it was fetched. f_lasti is written at each instruction (Python/ceval.c, FAST_DISPATCH), so a caller that
 * stands in the copy at the call of that code was inside of it then, whatever came of it since.
 */
static int returned_leaf_add(struct python_process *p, struct thread *t)
{
    const struct python_layout *l = &p->layout;
    struct step s = {.caller_at = UINT32_MAX, .stacktop = UINT32_MAX, .entered = true, .heap = true};
    uint64_t id;
    int r = chain_head(p, t, &s.address);

    if (r < 0 || copied_frame(p, t, s.address))
        return r;
    const uint8_t *frame = snapshot_at(p, t, s.address, p->frame_header);
    uint64_t pointer = frame ? load64(frame + l->frame_code) : 0;
    if (!frame || walk_executing(p, frame) || !map_get(&p->codes.by_address, pointer, &id))
        return 0;
    s.code = (uint32_t)id;
    s.previous = t->steps[0].address;
    if (!walk_instruction_offset(p, frame, &s) || !edges_known(&p->edges, &t->steps[0], &s, false))
        return 0;
    if (walk_reserve(t, t->step_count + 1) < 0)
        return -ENOMEM;
    memmove(t->steps + 1, t->steps, t->step_count * sizeof(*t->steps));
    memmove(t->code_pointers + 1, t->code_pointers, t->step_count * sizeof(*t->code_pointers));
    t->steps[0] = s;
    t->code_pointers[0] = pointer;
    t->step_count++;
    return 0;
}

/* Before 3.11: the innermost of the frames in the copy that are executing and of which none that is executing has them
 * for its caller. The thread's own pointer told of one that had returned by then. What was met long ago may be another
 * thread's by now: its root tells. */
static bool walk_from_executing(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    for (size_t i = 0; i < t->heap_count; i++) {
        const uint8_t *frame = snapshot_heap_frame(p, t, &t->heap[i]);
        if (!frame || !walk_executing(p, frame) || executing_callee(p, t, t->heap[i].address) ||
            chain_follow(p, t, t->heap[i].address) < 0 || t->mended || t->steps[t->step_count - 1].address != t->root ||
            returned_leaf_add(p, t) < 0)
            continue;
        t->mended = true;
        walk_publish(p, t, now_ns);
        return t->result != PYTHON_STACK_REJECTED;
    }
    return false;
}

/* From the root up, along what runs in the copy. */
static bool walk_from_root(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    uint64_t pointer;
    bool whole;

    if (t->chunk_count == 0 || walk_reserve(t, ROOT_DEPTH) < 0 ||
        walk_step_read(p, t, t->chunks[0].base + p->layout.chunk_data + 8, 0, &t->steps[0], &pointer) < 0)
        return false;
    size_t depth = extend(p, t, t->steps, 1, ROOT_DEPTH, now_ns, true, &whole);
    walk_publish_steps(p, t, t->steps, depth, true);
    return whole && t->result != PYTHON_STACK_REJECTED;
}

bool walk_otherwise(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    return is_old(p) ? walk_from_executing(p, t, now_ns) : walk_from_root(p, t, now_ns);
}
