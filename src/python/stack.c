/*
 * From a chain of frames to a stack that can be believed: see that every caller can have called its callee, and repair
 * what fails.
 *
 * A stack that fails at one caller is repaired in this order. If the callee is known to be called from another
 * instruction of the same caller, the caller had merely moved on between the two reads: it is put there. Else the
 * stack is cut above the caller. Then it is extended by callees that the copy shows to be live.
 */
#include "python/inside.h"

#include <errno.h>
#include <string.h>

enum {
    ROOT_DEPTH = 4096,  /* frames rebuilt from the root at most */
    JOIN_MOST = 16,     /* frames of the chain that one of the path is joined to, the innermost */
    RETURNED_MOST = 64, /* frames above the last one that executes, at most */
};

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

static int frames_reserve(struct thread *t, size_t depth)
{
    return array_reserve(&t->frames, &t->frames_capacity, depth, sizeof(*t->frames));
}
/* A caller is moved to the instruction of a call only where the callee is shown: what has returned since says nothing
 * of where it is now. */
void stack_publish_steps(struct python_process *p, struct thread *t, struct step *order, size_t depth, bool repaired)
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
        else if (i > 0 && i + 1 < depth)
            edges_made(&p->edges, &order[i - 1], &order[i + 1]);
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
    if (!is_old(p) && !saved_in_c && !callee->heap && !step_may_be_innermost(p, callee) &&
        (good + 1 == t->step_count || !step_runs(&order[t->step_count - 1]) ||
            step_has_returned(p, callee, &order[good + 1]) || !edge_accepted(p, t, order, good + 1, now_ns)))
        return false;
    return edge_accepted(p, t, order, good, now_ns);
}

void stack_publish(struct python_process *p, struct thread *t, uint64_t now_ns)
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
        if (step_has_returned(p, caller, callee) || (callee->entered && step_is_popped(p, callee))) {
            repaired = true;
            break;
        }
        bool stands = stands_on_last(p, t, order, good);
        if (!stands ||
            (!edges_known(&p->edges, caller, callee, !callee->guessed) && !edge_holds(p, t, order, good, now_ns))) {
            p->counters.edges_refused++;
            repaired = true;
            if (callee->named)
                edges_pair_met(p, caller, callee);
            /* The caller's own caller is not affected by where it is put. */
            if (!stands || !edges_reseat(p, caller, callee, now_ns, &callee->caller_at))
                break;
        }
        good++;
    }
    /* Up to 3.12 a frame that was popped is not marked, but it does not run either. */
    while (!is_old(p) && p->layout.version < 0x030d && good > 1 && !step_may_be_innermost(p, &order[good - 1])) {
        repaired = true;
        good--;
    }
    bool whole;
    size_t depth = callees_extend(p, t, order, good, n + 64, now_ns, repaired, &whole);
    depth = moment_restore(p, t, order, depth, n + 64, now_ns, &repaired);
    stack_publish_steps(p, t, order, depth, repaired);
}

/* Before 3.11: a frame as it lies in the copy, or as it is fetched, whether it is executing or has returned since.
 * False: it shows no code. */
static bool old_step_read(
    struct python_process *p, struct thread *t, uint64_t address, struct step *ret, uint64_t *ret_pointer)
{
    const uint8_t *frame = snapshot_at(p, t, address, p->frame_header);
    uint32_t code;

    *ret_pointer = frame ? load64(frame + p->layout.frame_code) : 0;
    if (!*ret_pointer || codes_find(p, *ret_pointer, &code) < 0)
        return false;
    frame = snapshot_at(p, t, address, p->frame_header);
    if (!frame)
        return false;
    codes_frame_met(&p->codes, code, address);
    *ret = (struct step){.address = address,
        .previous = load64(frame + p->layout.frame_previous),
        .code = code,
        .caller_at = UINT32_MAX,
        .stacktop = UINT32_MAX,
        .entered = true,
        .heap = true,
        .named = load64(frame + p->layout.frame_previous) != 0,
        .guessed = !walk_executing(p, frame)};
    return walk_instruction_offset(p, frame, ret);
}

/* Where among these the frame at `address` is; their number: nowhere. */
static size_t place_of(const struct step *steps, size_t count, uint64_t address)
{
    size_t i = 0;

    while (i < count && steps[i].address != address)
        i++;
    return i;
}

/* Before 3.11: who drove a generator that does not run, and so names nobody, when it was last seen to run, or drove the
 * last one of its code; 0: not known. */
static uint64_t generator_caller(struct python_process *p, struct thread *t, const struct step *s)
{
    uint64_t last = snapshot_last_caller(t, s->address, s->code);
    uint32_t code, at;

    return last || !edges_entered_by(&p->edges, s->code, &code, &at) ? last : p->codes.items[code]->frame;
}

/* Before 3.11: is the callee known to be called by such a caller, at whatever instruction? */
static bool called_by(struct python_process *p, const struct step *caller, struct step *callee, uint64_t now_ns)
{
    if (edges_known(&p->edges, caller, callee, false))
        return true;
    if (callee->named && callee->previous == caller->address)
        edges_pair_met(p, caller, callee);
    return edges_reseat(p, caller, callee, now_ns, &callee->caller_at);
}

/* Before 3.11: the path does not lead to the chain: a generator that does not run names nobody, and where calls recurse
 * the last callers' names go round in a circle. Which of the chain is known to call one of the path? That one's place
 * in the chain; its length: none. */
static size_t path_join(struct python_process *p, struct thread *t, struct step *path, size_t *n, uint64_t now_ns)
{
    for (size_t k = *n; k-- > 0;)
        for (size_t i = 0; i < t->step_count && i < JOIN_MOST; i++)
            if (called_by(p, &t->steps[i], &path[k], now_ns)) {
                path[k].previous = t->steps[i].address;
                path[k].named = false;
                *n = k + 1;
                return i;
            }
    return t->step_count;
}

/*
 * Before 3.11: what the thread's pointer led to, and its callers down to one of the chain: they stand in place of what
 * that one has called since. Most have returned by the time that they are in the copy, or were fetched; one that still
 * executes was called again, or led nowhere by itself. A code object keeps its frame, and that keeps the code and the
 * name of its last caller (Objects/frameobject.c, frame_dealloc, does not clear f_back). f_lasti is written at each
 * instruction (Python/ceval.c, FAST_DISPATCH): a caller that stands in the copy at the call of a code was inside of it,
 * whatever came of that since.
 */
static int returned_add(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    struct step path[RETURNED_MOST];
    uint64_t pointers[RETURNED_MOST], at;
    size_t n = 0, base = 0;
    int r = walk_head(p, t, &at);

    while (r == 0 && at && (base = place_of(t->steps, t->step_count, at)) == t->step_count) {
        struct step *s = &path[n];
        if (!snapshot_copied(p, t, at))
            snapshot_foresee(t, at);
        if (n == RETURNED_MOST || place_of(path, n, at) < n || !old_step_read(p, t, at, s, &pointers[n]) ||
            (n > 0 && path[n - 1].guessed && !called_by(p, s, &path[n - 1], now_ns)))
            break;
        n++;
        if (!s->named)
            s->previous = generator_caller(p, t, s);
        at = s->previous;
    }
    if (r < 0 || (n == 0 && base < t->step_count))
        return r;
    if (base == t->step_count)
        base = path_join(p, t, path, &n, now_ns);
    moment_count(p, NULL, base < t->step_count);
    if (base == t->step_count)
        return 0;
    t->read_late = false; /* another read would show another moment */
    size_t kept = t->step_count - base;
    if (walk_reserve(t, kept + n) < 0)
        return -ENOMEM;
    memmove(t->steps + n, t->steps + base, kept * sizeof(*t->steps));
    memmove(t->code_pointers + n, t->code_pointers + base, kept * sizeof(*t->code_pointers));
    memcpy(t->steps, path, n * sizeof(*path));
    memcpy(t->code_pointers, pointers, n * sizeof(*pointers));
    t->step_count = kept + n;
    return 0;
}

/* Before 3.11: who called a frame that is seen to execute, for when it is met again and has returned. */
static void caller_learn(struct python_process *p, struct thread *t, struct heap_frame *f, uint64_t now_ns)
{
    struct step caller, callee;
    uint64_t pointer;

    if (!old_step_read(p, t, f->address, &callee, &pointer))
        return;
    f->previous = callee.previous;
    f->code = callee.code;
    if (snapshot_copied(p, t, callee.previous) && old_step_read(p, t, callee.previous, &caller, &pointer) &&
        !caller.guessed && !edges_known(&p->edges, &caller, &callee, false) &&
        !edges_refused(p, t, &caller, &callee, now_ns))
        (void)edges_judge(p, t, &caller, &callee, now_ns);
}

/* Before 3.11: publishes the stack from this frame down, which executes, and above it what the thread's pointer led to.
 * False: it leads to no root, or to another than the thread's. */
static bool walk_and_add(struct python_process *p, struct thread *t, uint64_t address, uint64_t now_ns)
{
    if (walk_from(p, t, address) < 0 || t->mended || (t->root && t->steps[t->step_count - 1].address != t->root) ||
        returned_add(p, t, now_ns) < 0)
        return false;
    snapshot_learn(p, t);
    t->mended = true;
    stack_publish(p, t, now_ns);
    return true;
}

/* Before 3.11: who called what the thread's pointer leads to, where that has not begun to execute, or does no more
 * (Python/ceval.c sets f_executing after it was called, and clears it before it has returned); 0: nobody, or it does.
 */
static uint64_t caller_of_idle(struct python_process *p, struct thread *t)
{
    uint64_t at;
    const uint8_t *frame = walk_head(p, t, &at) == 0 && at ? snapshot_at(p, t, at, p->frame_header) : NULL;

    return frame && !walk_executing(p, frame) ? load64(frame + p->layout.frame_previous) : 0;
}

/* Before 3.11: the innermost of the frames in the copy that are executing and of which none that is executing has them
 * for its caller. The thread's own pointer told of one that had returned by then. What was met long ago may be another
 * thread's by now: its root tells. */
static bool walk_from_executing(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    if (!t->root) { /* nothing was met of this thread: its pointer is all there is */
        uint64_t caller = caller_of_idle(p, t);
        return caller && walk_and_add(p, t, caller, now_ns) && t->result != PYTHON_STACK_REJECTED;
    }
    for (size_t i = 0; i < t->heap_count; i++) {
        const uint8_t *frame = t->heap[i].idle > 0 ? snapshot_heap_frame(p, t, &t->heap[i]) : NULL;
        if (frame && walk_executing(p, frame))
            caller_learn(p, t, &t->heap[i], now_ns);
    }
    for (size_t i = 0; i < t->heap_count; i++) {
        const uint8_t *frame = snapshot_heap_frame(p, t, &t->heap[i]);
        if (frame && walk_executing(p, frame) && !walk_executing_callee(p, t, t->heap[i].address) &&
            walk_and_add(p, t, t->heap[i].address, now_ns))
            return t->result != PYTHON_STACK_REJECTED;
    }
    return false;
}

/* From the root up, along what runs in the copy. */
static bool walk_from_root(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    uint64_t pointer, bottom = t->chunk_count ? t->chunks[0].base + p->layout.chunk_data + 8 : 0;
    uint64_t top = walk_data_stack_top(p, t);
    bool whole;

    /* Nothing is on the data stack: what lies there has returned (Nuitka's functions have frames elsewhere). */
    if (!bottom || (top && top <= bottom))
        return false;
    if (walk_reserve(t, ROOT_DEPTH) < 0 || walk_step_read(p, t, bottom, 0, &t->steps[0], &pointer) < 0)
        return false;
    size_t depth = callees_extend(p, t, t->steps, 1, ROOT_DEPTH, now_ns, true, &whole);
    bool repaired = true;
    depth = moment_restore(p, t, t->steps, depth, ROOT_DEPTH, now_ns, &repaired);
    stack_publish_steps(p, t, t->steps, depth, repaired);
    return whole && t->result != PYTHON_STACK_REJECTED;
}

bool stack_otherwise(struct python_process *p, struct thread *t, uint64_t now_ns)
{
    return is_old(p) ? walk_from_executing(p, t, now_ns) : walk_from_root(p, t, now_ns);
}
