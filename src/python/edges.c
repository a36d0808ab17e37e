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
 * that a callee's version is not the site's, where the slot (which needs no reading) does not speak for it. An edge
 * that nothing proves is weighed: weigh().
 */
#include "python/inside.h"

#include <errno.h>
#include <string.h>

enum {
    MET_INLINED = 3, /* sightings that stand for a second read that agrees, where the slot names the callable */
    MAKER_BACK = 4,  /* instructions between the call that made a generator and the one that drives it, at most */
    MET_ENTERED = 3, /* and where nothing does */
    CROWDED = 4,     /* so many times that, where the instruction is known to call another callee, */
    CLAIMED = 2,     /* and where the callee is known to be called through C from elsewhere */
    RIVALS = 4,      /* an instruction has this part of all sightings of its caller with the callee, at least; */
    RIVALS_CROWDED = 2,
    MET_OFTEN = 12,           /* with so many sightings half its part among */
    MET_TWICE = 2,            /* all instructions that were met so often, */
    PARTS_MOST = 16,          /* as many as this */
    LOOKED_AGE_NS = 20000000, /* an instruction may be replaced: instrumented, specialised, its code object freed */
    METHOD_FUNCTION = 16,     /* PyMethodObject.im_func, behind the object's head */
    LOOPS_CAP = 1 << 16,      /* interpreter loops in each other: as deep as the C stack */
};

enum acceptance { /* values of edges.accepted */
    PROVEN = 1,
    BY_NUMBERS = 2, /* as long as it is met often enough */
    BY_GUESS = 3,   /* a generator that had lost its caller: as long as nobody drives such a one without C */
};

int edges_init(struct edges *s)
{
    map_init(&s->accepted);
    map_init(&s->sites);
    map_init(&s->pending);
    map_init(&s->barren);
    map_init(&s->served);
    map_init(&s->claimed);
    map_init(&s->driven);
    map_init(&s->callers);
    map_init(&s->mismatched);
    map_init(&s->unsited);
    return 0;
}

void edges_release(struct edges *s)
{
    map_release(&s->accepted);
    map_release(&s->sites);
    map_release(&s->pending);
    map_release(&s->barren);
    map_release(&s->served);
    map_release(&s->claimed);
    map_release(&s->driven);
    map_release(&s->callers);
    map_release(&s->mismatched);
    map_release(&s->unsited);
}

static uint64_t edge_key(const struct step *caller, const struct step *callee)
{
    return hash_mix((uint64_t)caller->code << 32 | caller->at, (uint64_t)callee->code << 1 | callee->entered);
}

static uint64_t site_key(const struct step *caller, const struct step *callee)
{
    return hash_mix((uint64_t)caller->code << 32 | callee->code, callee->entered);
}

static uint64_t instruction_key(const struct step *caller)
{
    return (uint64_t)caller->code << 32 | caller->at;
}

static uint64_t place_key(const struct step *caller, const struct step *callee)
{
    return instruction_key(caller) << 1 | callee->entered;
}

/* Whatever the callee: the instruction there is none that can have pushed it. */
static enum edge_verdict refuse_place(
    struct python_process *p, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    (void)map_put(&p->edges.barren, place_key(caller, callee), now_ns);
    return EDGE_REFUSED;
}

/* Another instruction of the caller that is known to call the callee. */
static bool site_known(const struct edges *s, const struct step *caller, const struct step *callee, uint32_t *ret_at)
{
    uint64_t at;

    if (!map_get(&s->sites, site_key(caller, callee), &at))
        return false;
    *ret_at = (uint32_t)at;
    return true;
}

/* One more sighting of an edge that nothing proves; of its caller and callee, too, at whatever instruction. Above the
 * latter's count stands how many instructions were met MET_TWICE times. */
static void edge_meet(struct edges *s, const struct step *caller, const struct step *callee)
{
    uint64_t met = 0, all = 0;

    (void)map_get(&s->pending, edge_key(caller, callee), &met);
    (void)map_get(&s->pending, site_key(caller, callee), &all);
    if ((uint32_t)met == UINT32_MAX || (uint32_t)all == UINT32_MAX)
        return;
    (void)map_put(&s->pending, edge_key(caller, callee), met + 1);
    (void)map_put(
        &s->pending, site_key(caller, callee), all + 1 + ((uint32_t)met + 1 == MET_TWICE ? UINT64_C(1) << 32 : 0));
}

/* The instruction is known to call another callee. */
static bool crowded(const struct edges *s, const struct step *caller, const struct step *callee)
{
    uint64_t other;

    return map_get(&s->served, instruction_key(caller), &other) && other != callee->code;
}

bool edges_serve_generator(const struct python_process *p, const struct step *caller)
{
    uint64_t callee;

    return map_get(&p->edges.served, instruction_key(caller), &callee) && callee < p->codes.count &&
           p->codes.items[callee]->generator;
}

/* The callee is known to be called through C from elsewhere. */
static bool claimed(const struct edges *s, const struct step *caller, const struct step *callee)
{
    uint64_t other;

    return callee->entered && map_get(&s->claimed, callee->code, &other) && other != instruction_key(caller);
}

/* Torn stacks are the rarer ones, and rarer still at an instruction that calls nobody else. */
static bool often_enough(const struct edges *s, const struct step *caller, const struct step *callee)
{
    uint64_t met = 0, all = 0;

    (void)map_get(&s->pending, edge_key(caller, callee), &met);
    (void)map_get(&s->pending, site_key(caller, callee), &all);
    bool among_others = crowded(s, caller, callee);
    uint64_t parts = (among_others ? 1 : 2) * (all >> 32);
    parts = parts < PARTS_MOST ? parts : PARTS_MOST;
    met = (uint32_t)met;
    all = (uint32_t)all;
    return met * (among_others ? RIVALS_CROWDED : RIVALS) >= all ||
           (met >= MET_OFTEN * (among_others ? 2U : 1U) && met * parts >= all);
}

/* The callee is proven to be called by another instruction of this caller. */
static bool proven_elsewhere(const struct edges *s, const struct step *caller, const struct step *callee)
{
    struct step there = *caller;
    uint64_t how;

    return site_known(s, caller, callee, &there.at) && there.at != caller->at &&
           map_get(&s->accepted, edge_key(&there, callee), &how) && how == PROVEN;
}

/* Somebody else's own instruction is known to drive such a generator: so where one had lost its caller, it was no other
 * that drove it through C. */
static bool driven_straight(const struct edges *s, const struct step *caller, const struct step *callee)
{
    uint64_t other;

    return map_get(&s->callers, callee->code, &other) && other >> 32 != caller->code;
}

bool edges_known(struct edges *s, const struct step *caller, const struct step *callee, bool sighting)
{
    uint64_t accepted;

    if (!map_get(&s->accepted, edge_key(caller, callee), &accepted))
        return false;
    if (accepted == PROVEN)
        return true;
    if (accepted == BY_GUESS)
        return !driven_straight(s, caller, callee);
    if (sighting)
        edge_meet(s, caller, callee);
    return often_enough(s, caller, callee);
}

static enum edge_verdict accept_as(
    struct edges *s, const struct step *caller, const struct step *callee, enum acceptance how)
{
    if (map_put(&s->accepted, edge_key(caller, callee), how) == 0) {
        (void)map_put(&s->sites, site_key(caller, callee), caller->at);
        (void)map_put(&s->served, instruction_key(caller), callee->code);
        if (callee->entered || callee->heap)
            (void)map_put(&s->claimed, callee->code, instruction_key(caller));
        if (!callee->entered)
            (void)map_put(&s->callers, callee->code, instruction_key(caller));
    }
    return EDGE_ACCEPTED;
}

static enum edge_verdict accept(struct edges *s, const struct step *caller, const struct step *callee)
{
    return accept_as(s, caller, callee, PROVEN);
}

static bool caller_in(const struct map *m, uint32_t callee, uint32_t *ret_code, uint32_t *ret_at)
{
    uint64_t key;

    if (!map_get(m, callee, &key))
        return false;
    *ret_code = (uint32_t)(key >> 32);
    *ret_at = (uint32_t)key;
    return true;
}

bool edges_called_by(const struct edges *s, uint32_t callee, uint32_t *ret_code, uint32_t *ret_at)
{
    return caller_in(&s->callers, callee, ret_code, ret_at);
}

bool edges_entered_by(const struct edges *s, uint32_t callee, uint32_t *ret_code, uint32_t *ret_at)
{
    return caller_in(&s->claimed, callee, ret_code, ret_at);
}

/* The shim of CALL_ALLOC_AND_ENTER_INIT is one code object for all classes, so who calls it says nothing of whose
 * __init__ it calls. */
static uint64_t made_key(const struct step *maker, const struct step *init)
{
    return hash_mix((uint64_t)maker->code << 32 | init->code, 2);
}

void edges_made(struct edges *s, const struct step *maker, const struct step *init)
{
    uint64_t at;

    if (!map_get(&s->sites, made_key(maker, init), &at) || at != maker->at)
        (void)map_put(&s->sites, made_key(maker, init), maker->at);
}

bool edges_make(const struct edges *s, const struct step *maker, const struct step *init, uint32_t *ret_at)
{
    uint64_t at;

    if (!map_get(&s->sites, made_key(maker, init), &at))
        return false;
    *ret_at = (uint32_t)at;
    return true;
}

bool edges_driven(struct python_process *p, struct thread *t, const struct step *caller, uint64_t *ret_frame)
{
    uint64_t slot;
    const uint8_t *value = map_get(&p->edges.driven, instruction_key(caller), &slot)
                               ? slots_read(p, t, caller, (uint32_t)slot, (uint32_t)slot + 1)
                               : NULL;

    *ret_frame = value ? untag(load64(value)) + p->layout.generator_frame : 0;
    return value != NULL;
}

bool edges_hold(struct python_process *p, struct thread *t, const struct step *caller, uint64_t frame)
{
    return slots_find(p, t, caller, frame) != SLOT_NONE ||
           (caller->guessed && slots_hold_anywhere(p, t, caller, frame));
}

/* What was read speaks against this callee, and nothing in the caller's frame for it. */
static enum edge_verdict refuse_pair(
    struct python_process *p, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    (void)map_put(&p->edges.mismatched, edge_key(caller, callee), now_ns);
    return EDGE_REFUSED;
}

bool edges_refused(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    const struct edges *s = &p->edges;
    uint64_t read_ns;

    if (map_get(&s->barren, place_key(caller, callee), &read_ns) && now_ns - read_ns < LOOKED_AGE_NS)
        return true;
    return map_get(&s->mismatched, edge_key(caller, callee), &read_ns) && now_ns - read_ns < LOOKED_AGE_NS &&
           !(callee->heap ? slots_hold_generator(p, t, caller, callee) : slots_hold_callable(p, t, caller, callee));
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
        snapshot_cframe_met(t, at);
        if (i > 0 && load64(cframe) == caller->address)
            return true;
        at = load64(cframe + 8);
    }
    return false;
}

/* Reads the two frames once more, and the entry frame between them (3.12+). A pair that has not moved was no accident
 * of timing. */
static bool unmoved(struct python_process *p, const struct step *caller, const struct step *callee)
{
    const struct python_layout *l = &p->layout;
    uint8_t frames[3][256];
    size_t count = callee->entered && l->version >= 0x030c ? 3 : 2;
    struct iovec local[3] = {{frames[0], p->frame_header}, {frames[1], p->frame_header}, {frames[2], p->frame_header}};
    struct iovec remote[3] = {{(void *)(uintptr_t)caller->address, p->frame_header},
        {(void *)(uintptr_t)callee->address, p->frame_header}, {(void *)(uintptr_t)callee->previous, p->frame_header}};
    const struct step *steps[2] = {caller, callee};

    p->counters.reads++;
    if (target_readv(p->target, local, count, remote, count) != (ssize_t)(count * p->frame_header))
        return false;
    if (count == 3 && load64(frames[2] + l->frame_previous) != caller->address)
        return false;
    /* By now the callee may have returned, and neither has moved since: one that waits for a frame that it pushed
     * itself has saved its stack pointer. */
    struct step now = *callee;
    now.stacktop = walk_saved_stacktop(p, frames[1], callee->address);
    if (!is_old(p) && (step_is_popped(p, &now) ||
                          (!callee->entered && walk_saved_stacktop(p, frames[0], caller->address) == UINT32_MAX)))
        return false;
    /* A generator that waits at its yield does not move either, nor does what it called last: it has no caller. */
    if (caller->heap && !is_old(p) && load64(frames[0] + l->frame_previous) == 0)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct code *c = p->codes.items[steps[i]->code];
        if (untag(load64(frames[i] + l->frame_code)) != c->address)
            return false;
        uint32_t at = l->version < 0x030b ? load32(frames[i] + l->frame_instr) * (l->version == 0x030a ? 2u : 1u)
                                          : (uint32_t)(load64(frames[i] + l->frame_instr) - steps[i]->bytecode);
        if ((i == 0 && at != steps[i]->at) || (is_old(p) && !walk_executing(p, frames[i])))
            return false;
    }
    return load64(frames[1] + l->frame_previous) == callee->previous;
}

/* What a thread was given to trace or profile it, a function or a method of one. 3.11 calls it from whichever
 * instruction the thread is at, later versions from instrumented ones. */
enum tool {
    TOOL_NONE,
    TOOL_SOME,
    TOOL_THIS, /* it is the callee */
};

static enum tool tool_of(struct python_process *p, struct thread *t, const struct step *callee)
{
    const uint16_t fields[2] = {p->layout.thread_traceobj, p->layout.thread_profileobj};
    enum tool found = TOOL_NONE;

    for (int i = 0; i < 2; i++) {
        const uint8_t *field = fields[i] == PYTHON_FIELD_NONE ? NULL : snapshot_at(p, t, t->address + fields[i], 8);
        uint64_t object = field ? load64(field) : 0;
        if (!object)
            continue;
        const uint8_t *method = object == callee->func ? NULL : snapshot_at(p, t, object + METHOD_FUNCTION, 8);
        if (object == callee->func || (method && load64(method) == callee->func))
            return TOOL_THIS;
        found = TOOL_SOME;
    }
    return found;
}

static uint32_t start_of(struct python_process *p, const struct step *caller)
{
    return codes_instruction_start(p, caller->code, caller->at);
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
    uint32_t start = start_of(p, caller), low = 0, size = 0;
    uint8_t function[256];

    *ret = (struct evidence){0};
    if (start >= from->bytecode_size)
        return 0;
    uint32_t room = from->bytecode_size - start;
    ret->instruction_size = room < sizeof(ret->instruction) ? room : (uint32_t)sizeof(ret->instruction);
    batch_clear(&p->batch);
    int r =
        batch_add(&p->batch, caller->bytecode + start, ret->instruction_size, ret->instruction, &ret->instruction_size);
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

/* What runs there, not what hides it. 3.8 and 3.9: f_lasti stays at the EXTENDED_ARG before it. */
static uint8_t opcode_of(struct python_process *p, const struct step *caller, const struct evidence *found)
{
    uint32_t i = 0;

    if (!is_old(p))
        return codes_opcode_behind(p, caller->code, start_of(p, caller), found->instruction[0]);
    while (i + 4 <= found->instruction_size && p->opcodes->by_number[found->instruction[i]].class == PYTHON_OP_OPAQUE)
        i += 2;
    return found->instruction[i];
}

/* The caller's frame shows by now whom it belongs to, not whose it was then. A code object keeps one for its next call
 * (co_zombieframe, Objects/frameobject.c, frame_dealloc); where calls recurse frames go from code to code, and only a
 * caller that loads a function of that name speaks for it. */
void edges_pair_met(struct python_process *p, const struct step *caller, const struct step *callee)
{
    struct edges *s = &p->edges;
    const struct code *from = p->codes.items[caller->code];
    uint64_t known, key = site_key(caller, callee);
    uint32_t at = PYTHON_AT_UNKNOWN;

    if (!map_get(&s->sites, key, &known)) {
        bool loads =
            !map_get(&s->unsited, key, &known) && codes_load_before(p, caller->code, callee->code, caller->at, &at);
        if (!loads)
            (void)map_put(&s->unsited, key, 0);
        if (!loads && (from->roams || !codes_keep_frame(p, caller->code, caller->address)))
            return;
        (void)map_put(&s->sites, key, at);
    }
    (void)map_put(&s->claimed, callee->code, instruction_key(caller));
}

bool edges_reseat(
    struct python_process *p, const struct step *caller, const struct step *callee, uint64_t now_ns, uint32_t *ret_at)
{
    struct step there = *caller;
    struct evidence found;
    uint64_t looked_ns, key = site_key(caller, callee);

    if (p->codes.items[callee->code]->shim) /* whose caller is at any of the calls that make an object: edges_make() */
        return false;
    if (site_known(&p->edges, caller, callee, ret_at))
        return *ret_at != PYTHON_AT_UNKNOWN || !p->codes.items[caller->code]->roams;
    if (callee->entered || callee->heap ||
        (map_get(&p->edges.unsited, key, &looked_ns) && now_ns - looked_ns < LOOKED_AGE_NS))
        return false;
    if (evidence_read(p, caller, callee, &found) < 0 || !found.function_fits ||
        !codes_call_before(p, caller->code, caller->bytecode, found.version, caller->at, &there.at)) {
        (void)map_put(&p->edges.unsited, key, now_ns);
        return false;
    }
    *ret_at = there.at;
    return accept(&p->edges, &there, callee) == EDGE_ACCEPTED;
}

/*
 * An edge that nothing proves and nothing refutes. Two more reads that show the pair unmoved speak for it, but a loop
 * may tear the same way again and again: they count as long as they agree in at least every other try. Else it goes by
 * how often it is met (`enough` 0: never). A torn stack shows the caller where it stood a moment before, often at a
 * call of another callee: so an instruction that is known to call another one must be met more often. Not so where the
 * callee is a generator that C drives and the caller holds it as an argument: it is driven by more than one instruction
 * (next, send), and each drives many. But what lies above the stack's top is another frame's, so nobody else may be
 * known to drive it.
 */
static enum edge_verdict weigh(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, unsigned enough)
{
    struct edges *s = &p->edges;
    uint64_t tries = 0, all = 0;

    edge_meet(s, caller, callee);
    (void)map_get(&s->pending, edge_key(caller, callee), &tries);
    uint32_t met = (uint32_t)tries, agreed = (uint32_t)(tries >> 32);
    if (unmoved(p, caller, callee) && unmoved(p, caller, callee)) {
        agreed++;
        (void)map_put(&s->pending, edge_key(caller, callee), (uint64_t)agreed << 32 | met);
    }
    if (agreed && 2 * agreed >= met) {
        p->counters.edges_confirmed++;
        return accept(s, caller, callee);
    }
    bool elsewhere = map_get(&s->claimed, callee->code, &all) && all >> 32 != caller->code;
    bool held = callee->heap && callee->entered && !elsewhere && edges_hold(p, t, caller, callee->address);
    /* A generator that had lost its caller by then: who lies there now need not be who drove it. So with a caller that
     * was read late: it may have been freed, and another generator lies there. */
    bool guessed = callee->guessed && callee->entered;
    if ((guessed && !held) || (caller->late && elsewhere))
        return EDGE_REFUSED;
    enough *= guessed ? CROWDED : 1;
    /* In 3.11 a flag in the callee's frame is all that says that C lay between. */
    if (claimed(s, caller, callee))
        enough *= p->layout.version == 0x030b ? CROWDED : CLAIMED;
    if (held) {
        (void)map_get(&s->pending, site_key(caller, callee), &all);
        return enough > 0 && met >= enough && met * RIVALS >= (uint32_t)all
                   ? accept_as(s, caller, callee, guessed ? BY_GUESS : PROVEN)
                   : EDGE_REFUSED;
    }
    if (crowded(s, caller, callee) && !slots_hold_callable(p, t, caller, callee))
        enough *= CROWDED;
    if (enough == 0 || met < enough || !often_enough(s, caller, callee) || proven_elsewhere(s, caller, callee))
        return EDGE_REFUSED;
    return accept_as(s, caller, callee, BY_NUMBERS);
}

/*
 * A generator is mostly made by the call right before the GET_ITER or GET_AWAITABLE of the instruction that drives it,
 * and that call holds a version, too. 1: the callee's, -1: another one's and no other function was ever called there,
 * 0: it does not tell.
 */
static int maker_speaks(
    struct python_process *p, const struct step *caller, uint32_t driver_at, const struct evidence *found)
{
    const struct code *from = p->codes.items[caller->code];
    uint32_t at = driver_at;

    for (int i = 0; i < MAKER_BACK && found->version; i++) {
        uint8_t bytes[24];
        if (!codes_instruction_before(p, caller->code, at, &at) || from->bytecode_size - at < sizeof(bytes))
            return 0;
        p->counters.reads++;
        if (target_read(p->target, caller->bytecode + at, bytes, sizeof(bytes)) < 0)
            return 0;
        const struct python_opcode *op = &p->opcodes->by_number[bytes[0]];
        if (op->class == PYTHON_OP_VERSIONED && op->call && op->version_at + 4u <= sizeof(bytes)) {
            if (load32(bytes + op->version_at) == found->version)
                return 1;
            return load16(bytes + op->counter_at) == p->opcodes->pristine_counter ? -1 : 0;
        }
        if (op->call)
            return 0;
    }
    return 0;
}

static bool named(const struct code *c, const char *name)
{
    size_t size = strlen(c->public.qualname), wanted = strlen(name);

    return size >= wanted && strcmp(c->public.qualname + size - wanted, name) == 0 &&
           (size == wanted || c->public.qualname[size - wanted - 1] == '.');
}

/* The callee's frame was pushed by an interpreter loop of its own: C lies between, and no version says whom it called.
 */
static enum edge_verdict judge_entered(struct python_process *p, struct thread *t, const struct step *caller,
    const struct step *callee, const struct python_opcode *op, bool pristine)
{
    /* While an interpreter loop is in C it holds the frame's stack pointer itself; one that is saved (up to 3.13) tells
     * of a frame that was pushed without C, or of a trace function. */
    bool saved = p->layout.version < 0x030e && caller->stacktop != UINT32_MAX;

    /* What C drives has been handed to it, list(generator), or something that has it. A task holds its coroutine. */
    const struct code *to = p->codes.items[callee->code];
    if (callee->heap && to->generator && !to->coroutine && !slots_hold_anywhere(p, t, caller, callee->address) &&
        !slots_lead_to(p, t, caller, callee->address, named(to, "__iter__")))
        return weigh(p, t, caller, callee, 0);
    if (p->layout.version == 0x030b && !called_out(p, t, caller))
        return EDGE_REFUSED;
    if (saved && p->layout.version >= 0x030c) /* trace functions have instructions of their own there */
        return EDGE_REFUSED;
    if (op->class == PYTHON_OP_DROPS)
        return weigh(p, t, caller, callee, named(p->codes.items[callee->code], "__del__") ? MET_ENTERED : 0);
    /* A specialised call enters no new loop before it missed, and other specialised forms call nothing. */
    if (saved || (pristine && (op->class == PYTHON_OP_VERSIONED || op->generator || op->drops_while_hit)))
        return weigh(p, t, caller, callee, 0);
    return weigh(p, t, caller, callee, MET_ENTERED);
}

static enum edge_verdict judge_inlined(struct python_process *p, struct thread *t, const struct step *caller,
    const struct step *callee, const struct python_opcode *op, bool pristine, const struct evidence *found,
    uint64_t now_ns)
{
    const struct code *to = p->codes.items[callee->code];

    if (op->class == PYTHON_OP_RUNS_C) /* it may have been specialised anew since, while the callee ran on */
        return weigh(p, t, caller, callee, 0);
    if (op->class == PYTHON_OP_VERSIONED && op->version_at + 4u <= found->instruction_size && found->version &&
        found->version == load32(found->instruction + op->version_at))
        return accept(&p->edges, caller, callee);
    if (op->generator && !callee->heap) /* half written: its caller is the last tenant's */
        return refuse_pair(p, caller, callee, now_ns);
    if (callee->heap) {
        /* The slot alone is no proof: the next generator often gets the place of the last one. */
        return op->generator && slots_hold_generator(p, t, caller, callee) ? weigh(p, t, caller, callee, MET_ENTERED)
                                                                           : refuse_pair(p, caller, callee, now_ns);
    }
    if (to->shim) /* of CALL_ALLOC_AND_ENTER_INIT; what it calls is checked for itself */
        return accept(&p->edges, caller, callee);
    if (op->class == PYTHON_OP_VERSIONED && pristine)
        return weigh(p, t, caller, callee, 0);
    if (op->call)
        return slots_hold_callable(p, t, caller, callee) ? weigh(p, t, caller, callee, MET_INLINED)
                                                         : refuse_pair(p, caller, callee, now_ns);
    return weigh(p, t, caller, callee, MET_ENTERED);
}

/* Before 3.11 there are no versions. A caller that loads a function of the callee's name does so on the line of the
 * call; where it loads none of that name, the call is the one at which a second read shows both unmoved. */
static enum edge_verdict judge_by_name(struct python_process *p, const struct step *caller, const struct step *callee,
    const struct python_opcode *op, uint64_t now_ns)
{
    struct python_location here, there;
    uint32_t at;

    if (op->class == PYTHON_OP_DROPS && !named(p->codes.items[callee->code], "__del__"))
        return refuse_pair(p, caller, callee, now_ns);
    if (!codes_load_before(p, caller->code, callee->code, caller->at, &at))
        return unmoved(p, caller, callee) ? accept(&p->edges, caller, callee) : refuse_pair(p, caller, callee, now_ns);
    python_code_location(p, caller->code, caller->at, &here);
    python_code_location(p, caller->code, at, &there);
    if (here.line == there.line)
        return accept(&p->edges, caller, callee);
    (void)map_put(&p->edges.sites, site_key(caller, callee), at);
    return refuse_pair(p, caller, callee, now_ns);
}

enum edge_verdict edges_judge(
    struct python_process *p, struct thread *t, const struct step *caller, const struct step *callee, uint64_t now_ns)
{
    struct edges *s = &p->edges;
    const struct code *from = p->codes.items[caller->code], *to = p->codes.items[callee->code];
    struct evidence found;
    uint64_t driven;

    p->counters.edges_checked++;
    if (callee->guessed && callee->entered && driven_straight(s, caller, callee))
        return EDGE_REFUSED;
    if (callee->heap && callee->entered && edges_driven(p, t, caller, &driven) && driven == callee->address)
        return accept_as(s, caller, callee, callee->guessed ? BY_GUESS : PROVEN);
    /* Nothing was read that says who called it, but that it is an argument or what the instruction drives. */
    if (callee->guessed && !(callee->entered ? edges_hold(p, t, caller, callee->address)
                                             : callee->heap && slots_hold_generator(p, t, caller, callee)))
        return EDGE_REFUSED;
    if (from->shim && (callee->heap || callee->entered)) /* it lies where the real caller was */
        return EDGE_REFUSED;
    if (from->shim) /* it serves __init__, by whatever name the function was defined */
        return named(to, "__init__") ? accept(s, caller, callee) : weigh(p, t, caller, callee, MET_ENTERED);
    if (evidence_read(p, caller, callee, &found) < 0 || found.instruction_size == 0)
        return EDGE_REFUSED;
    const struct python_opcode *stands = &p->opcodes->by_number[found.instruction[0]],
                               *op = &p->opcodes->by_number[opcode_of(p, caller, &found)];
    bool instrumented = stands->instrumented || op->instrumented;
    p->tools_met = p->tools_met || instrumented;
    enum tool tool =
        callee->entered && (instrumented || p->layout.version == 0x030b) ? tool_of(p, t, callee) : TOOL_NONE;
    if (tool == TOOL_THIS && found.function_fits)
        return accept(s, caller, callee);
    if (callee->entered && (instrumented || tool == TOOL_SOME)) /* a frame's own trace function, sys.monitoring's */
        return weigh(p, t, caller, callee, MET_ENTERED);
    if (op->class == PYTHON_OP_OPAQUE)
        return weigh(p, t, caller, callee, MET_INLINED);
    if (op->class == PYTHON_OP_UNKNOWN || op->class == PYTHON_OP_PURE)
        return refuse_place(p, caller, callee, now_ns);
    if (p->layout.version < 0x030b)
        return judge_by_name(p, caller, callee, op, now_ns);
    if (!callee->entered && (op->class == PYTHON_OP_DROPS || (op->class == PYTHON_OP_RUNS_C && !op->may_have_inlined)))
        return refuse_place(p, caller, callee, now_ns);
    if (!to->shim && !found.function_fits && !unmoved(p, caller, callee))
        return EDGE_REFUSED;
    bool pristine = op->counter_at && op->counter_at + 2u <= found.instruction_size && p->opcodes->pristine_counter &&
                    load16(found.instruction + op->counter_at) == p->opcodes->pristine_counter;
    if (callee->heap && to->generator && op->class != PYTHON_OP_DROPS && !op->call) {
        int maker = maker_speaks(p, caller, start_of(p, caller), &found);
        if (maker)
            return maker > 0 ? accept(s, caller, callee) : refuse_pair(p, caller, callee, now_ns);
    }
    if (!callee->entered)
        return judge_inlined(p, t, caller, callee, op, pristine, &found, now_ns);
    enum edge_verdict r = judge_entered(p, t, caller, callee, op, pristine);
    uint32_t slot =
        r == EDGE_ACCEPTED && callee->heap && to->generator ? slots_find(p, t, caller, callee->address) : SLOT_NONE;
    if (slot != SLOT_NONE)
        (void)map_put(&s->driven, instruction_key(caller), slot);
    return r;
}
