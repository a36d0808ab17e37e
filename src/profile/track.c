/*
 * Counting as ticks go by. A thread's hits go to the cell of its node when its state changes, not at each tick. What
 * the intervals of several threads need besides, the sums of y squared and y n over ticks, is kept by tallies: when a
 * thread moves from one stack to another, only the lines and functions in which the two differ are touched.
 */
#include "profile/inside.h"

#include <errno.h>
#include <string.h>

static bool in_view(const struct load *l, uint32_t state)
{
    switch (l->p->options.mode) {
    case PROFILE_CPU:
        return (state & RECORD_ON_CPU) != 0;
    case PROFILE_GIL:
        return (state & RECORD_HAS_GIL) != 0;
    case PROFILE_WALL:
        break;
    }
    return true;
}

/* ---- cells ---- */

static int find_cell(struct load *l, uint32_t thread, struct run_thread *t)
{
    uint64_t key = (uint64_t)thread << 32 | t->node, index;
    if (!map_get(&l->cell_index, key, &index)) {
        index = l->p->cell_count;
        int r = array_reserve(&l->w->cells, &l->w->cell_capacity, index + 1, sizeof(*l->w->cells));
        if (r == 0)
            r = index >= PROFILE_NONE ? -ENOMEM : map_put(&l->cell_index, key, index);
        if (r < 0)
            return r;
        l->w->cells[index] = (struct profile_cell){.thread = thread, .node = t->node};
        l->p->cell_count++;
    }
    t->cell = (uint32_t)index;
    return 0;
}

/* Gives the ticks since the last change to what held during them. */
static int settle(struct load *l, uint32_t thread)
{
    struct run_thread *t = &l->threads[thread];
    uint64_t ticks = l->p->ticks - t->since;
    t->since = l->p->ticks;
    if (ticks == 0 || !t->picked)
        return 0;
    if ((t->state & RECORD_REJECTED) != 0)
        l->p->rejected += ticks;
    if ((t->state & RECORD_PRESENT) == 0)
        return 0;
    struct profile_thread *total = &l->w->threads[thread];
    total->present += ticks;
    total->on_cpu += (t->state & RECORD_ON_CPU) != 0 ? ticks : 0;
    total->has_gil += (t->state & RECORD_HAS_GIL) != 0 ? ticks : 0;
    l->p->repaired += (t->state & RECORD_REPAIRED) != 0 ? ticks : 0;
    if (!t->in_view)
        return 0;
    if (t->cell == PROFILE_NONE) {
        int r = find_cell(l, thread, t);
        if (r < 0)
            return r;
    }
    l->w->cells[t->cell].hits += ticks;
    l->w->cells[t->cell].on_cpu += (t->state & RECORD_ON_CPU) != 0 ? ticks : 0;
    return 0;
}

/* ---- tallies ---- */

static void tally_settle(const struct load *l, struct tally *t)
{
    uint64_t ticks = l->p->ticks - t->ticks;
    if (t->y > 0 && ticks > 0) {
        t->sums.y += t->y * ticks;
        t->sums.yy += (double)t->y * (double)t->y * (double)ticks;
        t->sums.yn += (double)t->y * (double)(l->sum_n - t->n);
    }
    t->ticks = l->p->ticks;
    t->n = l->sum_n;
}

static void tally_add(const struct load *l, struct tally *t, bool more)
{
    tally_settle(l, t);
    t->y += more ? 1 : (uint32_t)-1;
}

static int pairs_reserve(struct pair **pairs, size_t *capacity, size_t needed)
{
    size_t before = *capacity;
    int r = needed > before ? array_reserve(pairs, capacity, needed, sizeof(**pairs)) : 0;
    if (*capacity > before)
        memset(*pairs + before, 0, (*capacity - before) * sizeof(**pairs));
    return r;
}

/* Whether this is the first occurrence to come into the thread's stack, or the last to go. */
static int occur(struct load *l, uint64_t key, bool more, bool *ret_edge)
{
    uint64_t count = 0;
    bool known = map_get(&l->occurrences, key, &count);
    *ret_edge = more ? count == 0 : count == 1;
    if (more)
        return map_put(&l->occurrences, key, count + 1);
    if (!known)
        return -EINVAL;
    if (count > 1)
        return map_put(&l->occurrences, key, count - 1);
    map_remove(&l->occurrences, key);
    return 0;
}

/* Thread ids have 22 bits (FORMAT_THREADS_MAX), so that the thread, an id and one bit more fit into a key. */
static int frame_change(struct load *l, uint32_t thread, uint32_t node, bool more)
{
    uint32_t line = l->w->nodes[node].line, function = l->w->lines[line].function;
    uint64_t base = (uint64_t)thread << 33;
    bool edge;
    int r = occur(l, base | (uint64_t)line << 1, more, &edge);
    if (r < 0)
        return r;
    if (edge)
        tally_add(l, &l->line_pairs[line].total, more);
    r = occur(l, base | (uint64_t)function << 1 | 1, more, &edge);
    if (r == 0 && edge)
        tally_add(l, &l->function_pairs[function].total, more);
    return r;
}

static void self_change(struct load *l, uint32_t node, bool more)
{
    uint32_t line = l->w->nodes[node].line;
    tally_add(l, &l->line_pairs[line].self, more);
    tally_add(l, &l->function_pairs[l->w->lines[line].function].self, more);
}

/* Moves a thread's mark in the tallies from its last node to this one; node 0 is no stack at all. */
static int track_move(struct load *l, uint32_t thread, uint32_t node)
{
    struct run_thread *t = &l->threads[thread];
    uint32_t from = t->tracked_node, to = node;
    if (from == to)
        return 0;
    int r = pairs_reserve(&l->function_pairs, &l->function_pair_capacity, l->p->function_count);
    if (r == 0)
        r = pairs_reserve(&l->line_pairs, &l->line_pair_capacity, l->p->line_count);
    if (r < 0)
        return r;
    if (from != 0)
        self_change(l, from, false);
    if (to != 0)
        self_change(l, to, true);
    /* A parent has a smaller number than its children, so that the larger of two is never above the other. */
    while (r == 0 && from != to) {
        if (from > to) {
            r = frame_change(l, thread, from, false);
            from = l->w->nodes[from].parent;
        } else {
            r = frame_change(l, thread, to, true);
            to = l->w->nodes[to].parent;
        }
    }
    t->tracked_node = node;
    return r;
}

static int track_start(struct load *l)
{
    l->tracking = true;
    for (uint32_t i = 0; i < l->p->thread_count; i++) {
        int r = l->threads[i].in_view ? track_move(l, i, l->threads[i].node) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- changes and ticks ---- */

int track_state(struct load *l, uint32_t thread, uint32_t node, uint32_t state)
{
    struct run_thread *t = &l->threads[thread];
    int r = settle(l, thread);
    if (r < 0)
        return r;
    bool was_present = t->picked && (t->state & RECORD_PRESENT) != 0;
    bool is_present = t->picked && (state & RECORD_PRESENT) != 0;
    l->present += is_present;
    l->on_cpu += is_present && (state & RECORD_ON_CPU) != 0;
    l->has_gil += is_present && (state & RECORD_HAS_GIL) != 0;
    l->present -= was_present;
    l->on_cpu -= was_present && (t->state & RECORD_ON_CPU) != 0;
    l->has_gil -= was_present && (t->state & RECORD_HAS_GIL) != 0;
    l->n -= t->in_view;
    t->in_view = is_present && in_view(l, state);
    l->n += t->in_view;
    if (t->node != node)
        t->cell = PROFILE_NONE;
    t->node = node;
    t->state = state;
    return l->tracking ? track_move(l, thread, t->in_view ? node : 0) : 0;
}

int track_tick(struct load *l)
{
    if (l->n > 1 && !l->tracking) {
        int r = track_start(l);
        if (r < 0)
            return r;
    }
    double n = (double)l->n, present = (double)l->present, cpu = (double)l->on_cpu, gil = (double)l->has_gil;
    l->p->ticks++;
    l->sum_n += l->n;
    l->p->hits += l->n;
    l->p->nn += n * n;
    if (l->n > l->p->max_threads)
        l->p->max_threads = l->n;
    l->p->present += l->present;
    l->present_squared += present * present;
    l->cpu.y += l->on_cpu;
    l->cpu.yy += cpu * cpu;
    l->cpu.yn += cpu * present;
    l->gil.y += l->has_gil;
    l->gil.yy += gil * gil;
    l->gil.yn += gil * present;
    return 0;
}

/* Before tracking began, or where one thread was alone, a hit's square is itself. */
static struct profile_sums whole_sums(const struct tally *t, const struct profile_sums *all)
{
    double untracked = (double)(all->y - t->sums.y);
    return (struct profile_sums){.y = all->y, .yy = t->sums.yy + untracked, .yn = t->sums.yn + untracked};
}

int track_finish(struct load *l)
{
    for (uint32_t i = 0; i < l->p->thread_count; i++) {
        int r = settle(l, i);
        if (r < 0)
            return r;
    }
    int r = totals_finish(l);
    if (r == 0)
        r = pairs_reserve(&l->function_pairs, &l->function_pair_capacity, l->p->function_count);
    if (r == 0)
        r = pairs_reserve(&l->line_pairs, &l->line_pair_capacity, l->p->line_count);
    if (r < 0)
        return r;
    for (size_t i = 0; i < l->p->function_count; i++) {
        struct profile_function *f = &l->w->functions[i];
        tally_settle(l, &l->function_pairs[i].self);
        tally_settle(l, &l->function_pairs[i].total);
        f->self = whole_sums(&l->function_pairs[i].self, &f->self);
        f->total = whole_sums(&l->function_pairs[i].total, &f->total);
    }
    for (size_t i = 0; i < l->p->line_count; i++) {
        struct profile_line *line = &l->w->lines[i];
        tally_settle(l, &l->line_pairs[i].self);
        tally_settle(l, &l->line_pairs[i].total);
        line->self = whole_sums(&l->line_pairs[i].self, &line->self);
        line->total = whole_sums(&l->line_pairs[i].total, &line->total);
    }
    return 0;
}
