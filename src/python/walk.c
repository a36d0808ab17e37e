/*
 * From a copy of memory to a chain of frames: from the thread's pointer to the innermost one down to the known root.
 */
#include "python/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREAD_STATE_BYTES = 8192, /* of a PyThreadState, at most */
};

int walk_reserve(struct thread *t, size_t depth)
{
    if (array_reserve(&t->steps, &t->step_capacity, depth, sizeof(*t->steps)) < 0)
        return -ENOMEM;
    return array_reserve(&t->code_pointers, &t->code_pointers_capacity, depth, sizeof(*t->code_pointers));
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

uint32_t walk_saved_stacktop(const struct python_process *p, const uint8_t *frame, uint64_t address)
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

/* The step of the frame at `address`, copied to `frame`, which runs the code object at `pointer`. */
static int step_fill(struct python_process *p, struct thread *t, uint64_t address, const uint8_t *frame,
    uint64_t caller, uint64_t pointer, struct step *ret)
{
    const struct python_layout *l = &p->layout;
    uint64_t id;

    uint8_t owner = l->frame_owner == PYTHON_FIELD_NONE ? OWNER_GENERATOR : frame[l->frame_owner];
    if (owner >= OWNER_ENTRY)
        return -EAGAIN;
    struct step s = {.address = address,
        .previous = load64(frame + l->frame_previous),
        .caller_at = UINT32_MAX,
        .func = l->frame_func == PYTHON_FIELD_NONE ? 0 : untag(load64(frame + l->frame_func)),
        .heap = is_old(p) || owner != 0,
        .named = is_old(p)};
    if (l->frame_is_entry != PYTHON_FIELD_NONE)
        s.entered = frame[l->frame_is_entry] != 0;
    if (s.heap && !snapshot_copied(p, t, address)) {
        t->read_late = s.late = true;
        snapshot_foresee(t, address);
    }
    /* A frame that has returned or yielded since the thread's pointer to it was read has lost its caller. */
    if (is_old(p) && !walk_executing(p, frame))
        return -EAGAIN;
    s.stacktop = walk_saved_stacktop(p, frame, address);
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
    if (is_old(p))
        codes_frame_met(&p->codes, s.code, address);
    *ret = s;
    return 0;
}

int walk_step_read(struct python_process *p, struct thread *t, uint64_t address, uint64_t caller, struct step *ret,
    uint64_t *ret_code_pointer)
{
    const uint8_t *frame = snapshot_at(p, t, address, p->frame_header);

    if (!frame)
        return -EAGAIN;
    *ret_code_pointer = untag(load64(frame + p->layout.frame_code));
    return step_fill(p, t, address, frame, caller, *ret_code_pointer, ret);
}

int walk_returned_read(struct python_process *p, struct thread *t, uint64_t address, struct step *ret)
{
    const uint8_t *frame = snapshot_copied(p, t, address);
    uint64_t id;
    uint32_t code;

    if (!frame)
        return -EAGAIN;
    uint64_t pointer = untag(load64(frame + p->layout.frame_code));
    if (!pointer && codes_of_instruction(p, load64(frame + p->layout.frame_instr), &code))
        pointer = p->codes.items[code]->address;
    return map_get(&p->codes.by_address, pointer, &id) ? step_fill(p, t, address, frame, 0, pointer, ret) : -EAGAIN;
}

int walk_head(struct python_process *p, struct thread *t, uint64_t *ret)
{
    uint64_t at = t->address + p->layout.thread_frame;

    if (p->layout.cframe_current_frame != PYTHON_FIELD_NONE) {
        const uint8_t *cframe = (const uint8_t *)&t->cframe_first;
        if (t->cframe_size < sizeof(t->cframe_first) && (cframe = snapshot_at(p, t, at, 8)) == NULL)
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

uint64_t walk_led_to(struct python_process *p, struct thread *t)
{
    uint64_t at;

    if (walk_head(p, t, &at) < 0 || !at)
        return 0;
    const struct entry_frame *entry = entry_slot(t, at);
    if (entry->address != at)
        return at;
    /* On its way out of a loop. 3.12 says so a moment later than which loop it was in: it ran there. */
    return p->layout.cframe_current_frame == PYTHON_FIELD_NONE ? entry->previous : 0;
}

uint64_t walk_data_stack_top(struct python_process *p, struct thread *t)
{
    const uint8_t *field = p->layout.thread_datastack_top == PYTHON_FIELD_NONE
                               ? NULL
                               : snapshot_at(p, t, t->address + p->layout.thread_datastack_top, 8);

    return field ? load64(field) : 0;
}

uint64_t walk_data_stack_end(const struct python_process *p, const struct step *order, size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (!order[i].heap)
            return order[i].address + p->codes.items[order[i].code]->frame_bytes;
    return 0;
}

const struct entry_frame *walk_entry_learn(
    struct python_process *p, struct thread *t, uint64_t address, const uint8_t *frame)
{
    struct entry_frame *slot = entry_slot(t, address);
    uint64_t caller = load64(frame + p->layout.frame_previous);

    frame = caller ? snapshot_at(p, t, caller, p->frame_header) : NULL;
    *slot = (struct entry_frame){
        .address = address, .previous = caller, .instr = frame ? load64(frame + p->layout.frame_instr) : 0};
    if (caller) /* the last one, which has none, may lie elsewhere (3.15: in the thread state) */
        t->c_stack = address;
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

int walk_from(struct python_process *p, struct thread *t, uint64_t address)
{
    const struct python_layout *l = &p->layout;
    bool entry_last = false;
    uint64_t above = walk_data_stack_top(p, t), marked = 0, head = address;
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
                address = walk_entry_learn(p, t, address, frame)->previous;
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

uint64_t walk_executing_callee(struct python_process *p, struct thread *t, uint64_t address)
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
    int r = walk_head(p, t, &address);

    /* Before 3.11 the frames are read after the thread's pointer: callees that are executing by then belong to the
     * stack, or those that were left would be missed and those that were entered would not. */
    for (size_t n = 0; r == 0 && is_old(p) && n < t->heap_count &&
                       (above = walk_executing_callee(p, t, address)) != 0 && (n > 0 || !moment_leaves_out(p, NULL));
         n++)
        address = above;
    return r < 0 ? r : walk_from(p, t, address);
}
