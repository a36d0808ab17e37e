/*
 * A stack as it was when the thread's pointer to its innermost frame was read. What a copy shows to run is of the
 * moment when that part of it was made, and a copy goes up the data stack about as fast as calls do: it runs along with
 * a descent, and would show the deepest functions of short calls too often. The pointer is one word, read at once. So
 * it says how deep the stack was, and the copy who stood there: a function that has returned since is still named by
 * what it left, as long as nobody else's frame was pushed there.
 *
 * That cannot always be told. To leave out what has come since all the same, but not to put back what has gone, would
 * show stacks too shallow; so the one is done as often as the other could be.
 */
#include "python/inside.h"

enum {
    SHIFT_LEAST = 2, /* frames: what is shallower or deeper by less is shown as the copy has it, with its lines, but
                        for generators */
    LOOKS_FIRST = 8, /* samples of a thread, which may be all: dump balances nothing, and shows the pointer's moment */
    RETURNED_MOST = 64,  /* frames that have returned between the two, at most */
    MOMENTS_MOST = 4096, /* stacks after which what was counted before counts half */
};

/* How many of the stack's frames there are up to the one at `address`; 0: it is not among them. */
static size_t depth_of(const struct step *order, size_t count, uint64_t address)
{
    while (count > 0 && order[count - 1].address != address)
        count--;
    return count;
}

/* Where the caller of a frame stands, by what that has left; 0: not known. An entry frame says where the last caller of
 * C there stood: one on the data stack ends where its callee begins, so it may be another, that called such a callee
 * last. */
static uint64_t caller_of(const struct python_process *p, struct thread *t, struct step *s)
{
    const struct entry_frame *entry = entry_slot(t, s->previous);
    uint32_t code, at;
    uint64_t id;

    if (!s->previous || entry->address != s->previous)
        return s->previous;
    s->entered = true;
    const uint8_t *frame = snapshot_copied(p, t, entry->previous);
    if (s->heap || !snapshot_chunk_of(t, entry->previous) ||
        (frame && map_get(&p->codes.by_address, untag(load64(frame + p->layout.frame_code)), &id) &&
            entry->previous + p->codes.items[id]->frame_bytes == s->address))
        return entry->previous;
    return edges_entered_by(&p->edges, s->code, &code, &at) ? s->address - p->codes.items[code]->frame_bytes : 0;
}

/* From the frame at `at` down to one of the stack's, by what the frames have left; how many, the innermost first.
 * *ret_base: how deep that one is, 0: they do not lead to any. */
static size_t returned_read(struct python_process *p, struct thread *t, const struct step *order, size_t count,
    uint64_t at, struct step *path, size_t *ret_base)
{
    size_t n = 0;

    while ((*ret_base = depth_of(order, count, at)) == 0) {
        struct step *s = &path[n++];
        if (n == RETURNED_MOST || walk_returned_read(p, t, at, s) < 0)
            return 0;
        at = caller_of(p, t, s);
        if (!at || (!s->heap && at > s->address && snapshot_chunk_of(t, at) == snapshot_chunk_of(t, s->address)))
            return 0;
        if (n == 1 && p->codes.items[s->code]->shim) /* not shown: it stands for its caller */
            n = 0;
    }
    return n;
}

/* Is the callee known to be called by this caller, at whatever instruction? */
static bool known_caller(struct python_process *p, const struct step *caller, struct step *callee, uint64_t now_ns)
{
    return edges_known(&p->edges, caller, callee, false) || edges_reseat(p, caller, callee, now_ns, &callee->caller_at);
}

/*
 * The last frame of the path was called by one whose place another has taken since. Who that was is known by who called
 * such a callee last, if that one's frame fits there; and so on down, until the stack's own is a caller that is known.
 */
static bool callers_restore(
    struct python_process *p, const struct step *order, size_t *base, struct step *path, size_t *n, uint64_t now_ns)
{
    while (!p->codes.items[path[*n - 1].code]->shim && !p->codes.items[order[*base - 1].code]->shim &&
           !known_caller(p, &order[*base - 1], &path[*n - 1], now_ns)) {
        const struct step *there = &order[*base - 1];
        struct step caller = {
            .address = there->address, .previous = there->previous, .caller_at = UINT32_MAX, .stacktop = UINT32_MAX};
        if (*n == RETURNED_MOST || *base == 1 || there->heap || there->entered || path[*n - 1].heap ||
            path[*n - 1].entered || !edges_called_by(&p->edges, path[*n - 1].code, &caller.code, &caller.at) ||
            p->codes.items[caller.code]->frame_bytes != p->codes.items[there->code]->frame_bytes)
            return false;
        path[(*n)++] = caller;
        --*base;
    }
    return true;
}

static struct moments *moments_of(struct python_process *p, const struct step *driver)
{
    return &p->moments[driver ? 1 + driver->code % (ARRAY_SIZE(p->moments) - 1) : 0];
}

/* As many of those that are met as could be put back: not by chance, but each so often. */
bool moment_leaves_out(struct python_process *p, const struct step *driver)
{
    struct moments *m = moments_of(p, driver);

    m->due += m->restored;
    if (m->due < m->met || m->met == 0)
        return false;
    m->due -= m->met;
    return true;
}

void moment_count(struct python_process *p, const struct step *driver, bool restored)
{
    struct moments *m = moments_of(p, driver);

    m->met++;
    m->restored += restored;
    if (m->met >= MOMENTS_MOST) {
        m->met /= 2;
        m->restored /= 2;
    }
}

/* Does each of the path's frames end where the next one on the data stack begins, and is each known to be called by the
 * one below it? *ret_shim_at: where the caller of the stack's last frame is shown, if that is the shim of a class. */
static bool path_holds(struct python_process *p, const struct step *order, size_t base, struct step *path, size_t n,
    uint64_t now_ns, uint32_t *ret_shim_at)
{
    uint64_t end = walk_data_stack_end(p, order, base);

    for (size_t i = n; i-- > 0;) {
        struct step *s = &path[i];
        const struct step *caller = i + 1 < n ? &path[i + 1] : &order[base - 1];
        if (!s->heap && (s->address != end || p->codes.items[s->code]->generator)) /* or it only made a generator */
            return false;
        end = s->heap ? end : end + p->codes.items[s->code]->frame_bytes;
        if (p->codes.items[s->code]->shim) /* judged with the __init__ above it */
            continue;
        if (p->codes.items[caller->code]->shim) {
            size_t below = base + n - i - 1; /* frames below s, the shim among them */
            uint32_t *at = i + 1 < n ? &path[i + 1].caller_at : ret_shim_at;
            if (below < 2 || !edges_make(&p->edges, i + 2 < n ? &path[i + 2] : &order[below - 2], s, at))
                return false;
        } else if (i + 1 < n && !known_caller(p, caller, s, now_ns)) { /* the last one's was seen to be known */
            return false;
        }
    }
    return true;
}

/* The stack's depth with all that the thread's pointer leads to on it; 0: that cannot be told any more. */
static size_t put_back(struct python_process *p, struct thread *t, struct step *order, size_t count, size_t room,
    uint64_t led, uint64_t now_ns)
{
    struct step path[RETURNED_MOST];
    size_t base, n = returned_read(p, t, order, count, led, path, &base);
    uint32_t shim_at = UINT32_MAX;

    if (base == 0 || (n > 0 && !callers_restore(p, order, &base, path, &n, now_ns)) || base + n > room ||
        !path_holds(p, order, base, path, n, now_ns, &shim_at))
        return 0;
    if (shim_at != UINT32_MAX)
        order[base - 1].caller_at = shim_at;
    while (n > 0)
        order[base++] = path[--n];
    return base;
}

/* Who drives the generator that the stack ends in; NULL: it ends on the data stack. */
static const struct step *driver_of(const struct step *order, size_t depth)
{
    return depth > 1 && order[depth - 1].heap ? &order[depth - 2] : NULL;
}

size_t moment_restore(struct python_process *p, struct thread *t, struct step *order, size_t depth, size_t room,
    uint64_t now_ns, bool *ret_repaired)
{
    uint64_t led = is_old(p) || depth == 0 ? 0 : walk_led_to(p, t);
    size_t base = depth_of(order, depth, led);
    const struct step *driver = driver_of(order, depth);
    bool first = t->learnt < LOOKS_FIRST;

    if (!led || base == depth || (base && depth - base < SHIFT_LEAST && !driver && !first))
        return depth;
    if (base)
        return first || moment_leaves_out(p, driver) ? base : depth;
    bool heap = !snapshot_chunk_of(t, led);
    if (!heap && led <= walk_data_stack_end(p, order, depth)) /* not even SHIFT_LEAST above it */
        return depth;
    const struct step last = order[depth - 1];
    base = put_back(p, t, order, depth, room, led, now_ns);
    driver = base ? driver_of(order, base) : &last;
    moment_count(p, heap ? driver : NULL, base != 0);
    *ret_repaired = *ret_repaired || base;
    return base ? base : depth;
}
