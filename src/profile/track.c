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

static int find_lane(struct load *l, uint32_t thread, struct run_thread *t)
{
    uint64_t key = (uint64_t)thread << 32 | t->task, lane = l->lanes.used;
    int r = map_get(&l->lanes, key, &lane) ? 0 : map_put(&l->lanes, key, lane);
    if (r < 0 || lane >= PROFILE_NONE)
        return -ENOMEM;
    t->lane = (uint32_t)lane;
    return 0;
}

static int find_cell(struct load *l, uint32_t thread, struct run_thread *t)
{
    int r = t->lane == PROFILE_NONE ? find_lane(l, thread, t) : 0;
    if (r < 0)
        return r;
    uint64_t key = (uint64_t)t->lane << 32 | t->node, index;
    if (!map_get(&l->cell_index, key, &index)) {
        index = l->p->cell_count;
        r = array_reserve(&l->w->cells, &l->w->cell_capacity, index + 1, sizeof(*l->w->cells));
        if (r == 0)
            r = index >= PROFILE_NONE ? -ENOMEM : map_put(&l->cell_index, key, index);
        if (r < 0)
            return r;
        l->w->cells[index] = (struct profile_cell){.thread = thread, .node = t->node, .task = t->task};
        l->p->cell_count++;
    }
    t->cell = (uint32_t)index;
    return 0;
}

/* Gives the ticks since the last change to what held during them. */
static int settle(struct load *l, uint32_t thread)
{
    struct run_thread *t = &l->threads[thread];
    uint64_t ticks = l->p->ticks - t->since, from_ns = t->since > l->run_start ? t->since_ns : l->run_first_ns;
    t->since = l->p->ticks;
    t->since_ns = l->p->last_ns;
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
    total->waits_for_gil += (t->state & RECORD_WAITS_FOR_GIL) != 0 ? ticks : 0;
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
    l->w->cells[t->cell].has_gil += (t->state & RECORD_HAS_GIL) != 0 ? ticks : 0;
    if (l->p->options.span == NULL)
        return 0;
    const struct profile_span span = {thread, t->node, t->state, from_ns, l->p->last_ns, ticks};
    return l->p->options.span(l->p->options.span_context, &span);
}

/* ---- tallies ---- */

static void tally_add(const struct load *l, struct tally *t, bool more)
{
    uint64_t sign = more ? 1 : UINT64_MAX;
    t->ticks += sign * l->p->ticks;
    t->n += sign * l->sum_n;
    t->square_ticks += (1 + sign * 2 * t->y) * l->p->ticks;
    t->y += sign;
}

struct profile_sums tally_sums(const struct load *l, const struct tally *t)
{
    uint64_t ticks = l->p->ticks;
    return (struct profile_sums){.y = t->y * ticks - t->ticks,
        .yy = (double)(t->y * t->y * ticks - t->square_ticks),
        .yn = (double)(t->y * l->sum_n - t->n)};
}

static int pairs_reserve(struct pair **pairs, size_t *capacity, size_t needed)
{
    size_t before = *capacity;
    int r = needed > before ? array_reserve(pairs, capacity, needed, sizeof(**pairs)) : 0;
    if (*capacity > before)
        memset(*pairs + before, 0, (*capacity - before) * sizeof(**pairs));
    return r;
}

/* ---- which nodes count ----
 * A recursive function counts once a stack: at the first node of the path from the root that has it. So each node knows
 * whether it is that, for its line and for its function. It is found out where a thread first moves to it, by a
 * cursor that walks from there to there and counts what is on its path. */

enum { FOUND_OUT = 1, FIRST_OF_LINE = 2, FIRST_OF_FUNCTION = 4 };

static int steps_reserve(struct load *l)
{
    struct path *c = &l->path;
    size_t steps = c->step_capacity, lines = c->line_capacity, functions = c->function_capacity;
    int r = array_reserve(&c->steps, &c->step_capacity, l->p->node_count, sizeof(*c->steps));
    if (r == 0)
        r = array_reserve(&c->lines, &c->line_capacity, l->p->line_count, sizeof(*c->lines));
    if (r == 0)
        r = array_reserve(&c->functions, &c->function_capacity, l->p->function_count, sizeof(*c->functions));
    if (c->step_capacity > steps)
        memset(c->steps + steps, 0, (c->step_capacity - steps) * sizeof(*c->steps));
    if (c->line_capacity > lines)
        memset(c->lines + lines, 0, (c->line_capacity - lines) * sizeof(*c->lines));
    if (c->function_capacity > functions)
        memset(c->functions + functions, 0, (c->function_capacity - functions) * sizeof(*c->functions));
    return r;
}

static void cursor_enter(struct load *l, uint32_t node)
{
    uint32_t line = l->w->nodes[node].line, function = l->w->lines[line].function;
    bool first_line = l->path.lines[line]++ == 0, first_function = l->path.functions[function]++ == 0;
    l->path.steps[node] = (struct step){l->w->nodes[node].parent, line, function,
        FOUND_OUT | (first_line ? FIRST_OF_LINE : 0) | (first_function ? FIRST_OF_FUNCTION : 0)};
}

static void cursor_leave(struct load *l, uint32_t node)
{
    l->path.lines[l->path.steps[node].line]--;
    l->path.functions[l->path.steps[node].function]--;
}

static int find_out(struct load *l, uint32_t node)
{
    struct path *c = &l->path;
    uint32_t from = c->cursor, to = node;
    size_t ahead = 0;
    if (node < c->step_capacity && c->steps[node].marks != 0)
        return 0;
    int r = steps_reserve(l);
    if (r < 0)
        return r;
    while (from != to) {
        if (from > to) {
            cursor_leave(l, from);
            from = c->cursor = l->w->nodes[from].parent;
        } else {
            r = array_reserve(&c->ahead, &c->ahead_capacity, ahead + 1, sizeof(*c->ahead));
            if (r < 0)
                return r;
            c->ahead[ahead++] = to;
            to = l->w->nodes[to].parent;
        }
    }
    while (ahead > 0)
        cursor_enter(l, c->ahead[--ahead]);
    c->cursor = node;
    return 0;
}

static void frame_change(struct load *l, const struct step *s, bool more)
{
    if ((s->marks & FIRST_OF_LINE) != 0)
        tally_add(l, &l->line_pairs[s->line].total, more);
    if ((s->marks & FIRST_OF_FUNCTION) != 0)
        tally_add(l, &l->function_pairs[s->function].total, more);
}

static void self_change(struct load *l, const struct step *s, bool more)
{
    tally_add(l, &l->line_pairs[s->line].self, more);
    tally_add(l, &l->function_pairs[s->function].self, more);
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
    if (r == 0)
        r = to != 0 ? find_out(l, to) : 0;
    if (r < 0)
        return r;
    const struct step *steps = l->path.steps;
    if (from != 0)
        self_change(l, &steps[from], false);
    if (to != 0)
        self_change(l, &steps[to], true);
    /* A parent has a smaller number than its children, so that the larger of two is never above the other. */
    while (from != to) {
        if (from > to) {
            frame_change(l, &steps[from], false);
            from = steps[from].parent;
        } else {
            frame_change(l, &steps[to], true);
            to = steps[to].parent;
        }
    }
    t->tracked_node = node;
    return 0;
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
    l->waits_for_gil += is_present && (state & RECORD_WAITS_FOR_GIL) != 0;
    l->present -= was_present;
    l->on_cpu -= was_present && (t->state & RECORD_ON_CPU) != 0;
    l->has_gil -= was_present && (t->state & RECORD_HAS_GIL) != 0;
    l->waits_for_gil -= was_present && (t->state & RECORD_WAITS_FOR_GIL) != 0;
    l->n -= t->in_view;
    t->in_view = is_present && in_view(l, state);
    l->n += t->in_view;
    if (t->node != node)
        t->cell = PROFILE_NONE;
    t->node = node;
    t->state = state;
    return l->tracking ? track_move(l, thread, t->in_view ? node : 0) : 0;
}

int track_task(struct load *l, uint32_t thread, uint32_t task)
{
    struct run_thread *t = &l->threads[thread];
    if (t->task == task)
        return 0;
    int r = settle(l, thread);
    t->task = task;
    t->lane = t->cell = PROFILE_NONE;
    return r;
}

int track_ticks(struct load *l, uint64_t count)
{
    if (l->n > 1 && !l->tracking) {
        int r = track_start(l);
        if (r < 0)
            return r;
    }
    double n = (double)l->n, present = (double)l->present, cpu = (double)l->on_cpu, gil = (double)l->has_gil;
    double waits = (double)l->waits_for_gil, times = (double)count;
    l->p->ticks += count;
    l->sum_n += l->n * count;
    l->p->hits += l->n * count;
    l->p->nn += n * n * times;
    if (l->n > l->p->max_threads)
        l->p->max_threads = l->n;
    l->p->present += l->present * count;
    l->w->present_squared += present * present * times;
    l->w->cpu.y += l->on_cpu * count;
    l->w->cpu.yy += cpu * cpu * times;
    l->w->cpu.yn += cpu * present * times;
    l->w->gil.y += l->has_gil * count;
    l->w->gil.yy += gil * gil * times;
    l->w->gil.yn += gil * present * times;
    l->w->waits.y += l->waits_for_gil * count;
    l->w->waits.yy += waits * waits * times;
    l->w->waits.yn += waits * present * times;
    return 0;
}

/* Before tracking began, or where one thread was alone, a hit's square is itself. */
static struct profile_sums whole_sums(
    const struct profile_sums *now, const struct profile_sums *before, const struct profile_sums *all)
{
    double untracked = (double)all->y - (double)(now->y - before->y);
    return (struct profile_sums){
        .y = all->y, .yy = now->yy - before->yy + untracked, .yn = now->yn - before->yn + untracked};
}

int track_settle(struct load *l)
{
    for (uint32_t i = 0; i < l->p->thread_count; i++) {
        int r = settle(l, i);
        if (r < 0)
            return r;
    }
    int r = pairs_reserve(&l->function_pairs, &l->function_pair_capacity, l->p->function_count);
    return r < 0 ? r : pairs_reserve(&l->line_pairs, &l->line_pair_capacity, l->p->line_count);
}

void track_sums(const struct load *l, const struct sums_before *before, struct whole *w)
{
    static const struct profile_sums none[2];
    for (size_t i = 0; i < w->p.function_count; i++) {
        struct profile_function *f = &w->functions[i];
        const struct profile_sums *was =
            before != NULL && i < before->function_count ? &before->functions[2 * i] : none;
        const struct profile_sums self = tally_sums(l, &l->function_pairs[i].self);
        const struct profile_sums total = tally_sums(l, &l->function_pairs[i].total);
        f->self = whole_sums(&self, &was[0], &f->self);
        f->total = whole_sums(&total, &was[1], &f->total);
    }
    for (size_t i = 0; i < w->p.line_count; i++) {
        struct profile_line *line = &w->lines[i];
        const struct profile_sums *was = before != NULL && i < before->line_count ? &before->lines[2 * i] : none;
        const struct profile_sums self = tally_sums(l, &l->line_pairs[i].self);
        const struct profile_sums total = tally_sums(l, &l->line_pairs[i].total);
        line->self = whole_sums(&self, &was[0], &line->self);
        line->total = whole_sums(&total, &was[1], &line->total);
    }
}
