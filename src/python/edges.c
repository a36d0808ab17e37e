/*
 * Can this caller, at this instruction, have called this callee? A stack read from a running program is torn one time
 * in five: the caller is seen before it moved on, the callee after. The check that finds it:
 *
 * - the caller's instruction must be one that can call at all, and push a frame itself where the frame was pushed;
 * - a specialised call (CALL_PY_EXACT_ARGS and its kind) carries the version of the one function it is for. If that is
 *   the callee's, the edge is proven. If not, the site's counter tells more: CPython counts it down at every miss, so a
 *   counter that is still pristine means that no other function was ever called from there, and the edge is torn;
 * - else the callable is looked for where the caller left it: the frame's saved stack top stands just below it, and
 *   CPython does not clear the slot while the callee runs (3.11-3.15, Python/bytecodes.c, CALL).
 *
 * Only acceptances are remembered for good; for 20 ms also that an instruction is of a kind that pushes nothing, and
 * that a callee's version is not the site's, where the slot (which needs no reading) does not speak for it. An edge that rests on the slot alone is accepted when a second read shows the same
 * pair of frames unmoved, or when it has been met twice.
 */
#include "python/inside.h"

#include <errno.h>
#include <string.h>

enum {
    MET_INLINED = 2,     /* sightings that stand for a second read that agrees */
    LOOKED_AGE_NS = 20000000, /* an instruction may be replaced: instrumented, specialised, its code object freed */
    LOOPS_CAP = 1 << 16, /* interpreter loops in each other: as deep as the C stack */
};

int edges_init(struct edges *s)
{
    map_init(&s->accepted);
    map_init(&s->sites);
    map_init(&s->pending);
    map_init(&s->barren);
    map_init(&s->mismatched);
    return 0;
}

void edges_release(struct edges *s)
{
    map_release(&s->accepted);
    map_release(&s->sites);
    map_release(&s->pending);
    map_release(&s->barren);
    map_release(&s->mismatched);
}

static uint64_t edge_key(const struct step *caller, const struct step *callee)
{
    return hash_mix((uint64_t)caller->code << 32 | caller->at, (uint64_t)callee->code << 1 | callee->entered);
}

static uint64_t site_key(const struct step *caller, const struct step *callee)
{
    return hash_mix((uint64_t)caller->code << 32 | callee->code, callee->entered);
}

bool edges_known(const struct edges *s, const struct step *caller, const struct step *callee)
{
    uint64_t accepted;

    return map_get(&s->accepted, edge_key(caller, callee), &accepted);
}

static uint64_t place_key(const struct step *caller, const struct step *callee)
{
    return ((uint64_t)caller->code << 32 | caller->at) << 1 | callee->entered;
}

/* Whatever the callee: the instruction there is none that can have pushed it. */
static enum edge_verdict refuse_place(
    struct python_process *p, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    (void)map_put(&p->edges.barren, place_key(caller, callee), now_ns);
    return EDGE_REFUSED;
}

bool edges_reseat(const struct edges *s, const struct step *caller, const struct step *callee, uint32_t *ret_at)
{
    uint64_t at;

    if (!map_get(&s->sites, site_key(caller, callee), &at))
        return false;
    *ret_at = (uint32_t)at;
    return true;
}

static enum edge_verdict accept(struct edges *s, const struct step *caller, const struct step *callee)
{
    if (map_put(&s->accepted, edge_key(caller, callee), 1) == 0)
        (void)map_put(&s->sites, site_key(caller, callee), caller->at);
    return EDGE_ACCEPTED;
}

/* Is the callee's function in one of the slots that a call instruction has just freed? */
static bool callable_in_slot(
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

bool edges_refused(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    const struct edges *s = &p->edges;
    uint64_t read_ns;

    if (map_get(&s->barren, place_key(caller, callee), &read_ns) && now_ns - read_ns < LOOKED_AGE_NS)
        return true;
    return map_get(&s->mismatched, edge_key(caller, callee), &read_ns) && now_ns - read_ns < LOOKED_AGE_NS &&
           !callable_in_slot(p, t, caller, callee);
}

/* 3.11 marks a frame that was entered from C by a flag in the frame itself, which may be its last tenant's. But each
 * interpreter loop has a _PyCFrame on the C stack, and the frame that called out of it stays its current_frame
 * (Include/cpython/pystate.h; `previous` follows it). */
static bool called_out(struct python_process *p, struct thread *t, const struct step *caller)
{
    const struct python_layout *l = &p->layout;
    const uint8_t *field = snapshot_at(p, t, t->address + l->thread_frame, 8);
    uint64_t at = field ? load64(field) : 0;

    for (int i = 0; at && i < LOOPS_CAP; i++) {
        const uint8_t *cframe = snapshot_at(p, t, at + l->cframe_current_frame, 16);
        if (!cframe)
            return false;
        if (i > 0 && load64(cframe) == caller->address)
            return true;
        at = load64(cframe + 8);
    }
    return false;
}

/* Reads the two frames once more. A pair that has not moved was no accident of timing. */
static bool unmoved(struct python_process *p, const struct step *caller, const struct step *callee)
{
    const struct python_layout *l = &p->layout;
    uint8_t frames[2][256];
    struct iovec local[2] = {{frames[0], p->frame_header}, {frames[1], p->frame_header}};
    struct iovec remote[2] = {
        {(void *)(uintptr_t)caller->address, p->frame_header}, {(void *)(uintptr_t)callee->address, p->frame_header}};
    const struct step *steps[2] = {caller, callee};

    p->counters.reads++;
    if (target_readv(p->target, local, 2, remote, 2) != 2 * (ssize_t)p->frame_header)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct code *c = p->codes.items[steps[i]->code];
        if (untag(load64(frames[i] + l->frame_code)) != c->address)
            return false;
        uint32_t at = l->version < 0x030b ? load32(frames[i] + l->frame_instr) * (l->version == 0x030a ? 2u : 1u)
                                          : (uint32_t)(load64(frames[i] + l->frame_instr) - c->bytecode);
        if (i == 0 && at != steps[i]->at)
            return false;
    }
    return load64(frames[1] + l->frame_previous) == callee->previous;
}

/* What an edge is judged by: the caller's instruction with its inline cache, and the callee's function, which must be
 * one of the callee's code: a frame that is half written shows the code of its last tenant and the function of the
 * next. */
struct evidence {
    uint8_t instruction[24];
    uint32_t instruction_size; /* 0: could not be read */
    uint32_t version;
    bool function_fits;
};

static int evidence_read(
    struct python_process *p, const struct step *caller, const struct step *callee, struct evidence *ret)
{
    const struct python_layout *l = &p->layout;
    const struct code *from = p->codes.items[caller->code], *to = p->codes.items[callee->code];
    uint32_t start = codes_instruction_start(p, caller->code, caller->at), low = 0, size = 0;
    uint8_t function[256];

    *ret = (struct evidence){0};
    if (start >= from->bytecode_size)
        return 0;
    uint32_t room = from->bytecode_size - start;
    ret->instruction_size = room < sizeof(ret->instruction) ? room : (uint32_t)sizeof(ret->instruction);
    batch_clear(&p->batch);
    int r = batch_add(
        &p->batch, from->bytecode + start, ret->instruction_size, ret->instruction, &ret->instruction_size);
    if (callee->func && !to->shim && l->function_version != PYTHON_FIELD_NONE) {
        low = l->function_code < l->function_version ? l->function_code : l->function_version;
        size = (l->function_code > l->function_version ? l->function_code : l->function_version) + 8u - low;
    }
    uint32_t wanted = size;
    if (r == 0 && size && size <= sizeof(function))
        r = batch_add(&p->batch, callee->func + low, size, function, &size);
    if (r == 0)
        r = batch_read(p);
    batch_clear(&p->batch);
    if (r == 0 && wanted && size == wanted) {
        ret->version = load32(function + l->function_version - low);
        ret->function_fits = load64(function + l->function_code - low) == to->address;
    }
    return r;
}

enum edge_verdict edges_judge(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    struct edges *s = &p->edges;
    const struct code *from = p->codes.items[caller->code], *to = p->codes.items[callee->code];
    struct evidence found;

    p->counters.edges_checked++;
    if (from->shim)
        return accept(s, caller, callee);
    if (evidence_read(p, caller, callee, &found) < 0 || found.instruction_size == 0)
        return EDGE_REFUSED;
    const uint8_t *bytes = found.instruction;
    uint32_t want = found.instruction_size;
    const struct python_opcode *op = &p->opcodes->by_number[bytes[0]];
    if (op->class == PYTHON_OP_OPAQUE)
        return accept(s, caller, callee);
    if (op->class == PYTHON_OP_UNKNOWN || op->class == PYTHON_OP_PURE)
        return refuse_place(p, caller, callee, now_ns);
    if (p->layout.version < 0x030b)
        return accept(s, caller, callee);

    if (op->class == PYTHON_OP_RUNS_C && !callee->entered && !op->may_have_inlined)
        return refuse_place(p, caller, callee, now_ns);

    bool versioned = op->class == PYTHON_OP_VERSIONED && op->version_at + 4u <= want;
    bool pristine = op->counter_at && op->counter_at + 2u <= want && p->opcodes->pristine_counter &&
                    load16(bytes + op->counter_at) == p->opcodes->pristine_counter;
    bool suspect = false;
    if (!to->shim && !found.function_fits && !unmoved(p, caller, callee))
        return EDGE_REFUSED;
    if (callee->entered) {
        suspect = versioned && pristine; /* a specialised Python call enters no new interpreter loop */
        if (p->layout.version == 0x030b && !called_out(p, t, caller))
            return EDGE_REFUSED;
    } else if (op->class == PYTHON_OP_RUNS_C) {
        /* it pushes no frame itself, but it may have been respecialised since, while the callee ran on */
        return unmoved(p, caller, callee) ? accept(s, caller, callee) : EDGE_REFUSED;
    } else if (to->shim) {
        return accept(s, caller, callee);
    } else if (versioned) {
        if (found.version && found.version == load32(bytes + op->version_at))
            return accept(s, caller, callee);
        suspect = true;
        if (pristine && !unmoved(p, caller, callee))
            return EDGE_REFUSED;
    } else if (op->generator) {
        suspect = !to->generator;
    } else if (op->call) {
        suspect = true;
    }
    if (!suspect)
        return accept(s, caller, callee);
    if (!callee->entered && op->call && !callable_in_slot(p, t, caller, callee)) {
        (void)map_put(&s->mismatched, edge_key(caller, callee), now_ns);
        return EDGE_REFUSED;
    }
    if (unmoved(p, caller, callee)) {
        p->counters.edges_confirmed++;
        return accept(s, caller, callee);
    }
    uint64_t key = edge_key(caller, callee), met = 0;
    if (!op->call || callee->entered)
        return EDGE_REFUSED;
    (void)map_get(&s->pending, key, &met);
    if (++met >= MET_INLINED) {
        map_remove(&s->pending, key);
        return accept(s, caller, callee);
    }
    (void)map_put(&s->pending, key, met);
    return EDGE_REFUSED;
}
