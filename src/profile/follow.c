/*
 * A profile of what is still being recorded. The model only ever grows; a look at it copies the counts, takes away what
 * they were when the window began, and makes totals of the copy. So no total is counted twice, and what is being looked
 * at holds still.
 */
#include "profile/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_NS UINT64_C(1000000000) /* between two marks */

struct cell_mark {
    uint64_t hits, on_cpu, has_gil, waits_for_gil;
};
/* All counts at one moment. */
struct mark {
    uint64_t time_ns, ticks, hits, present, repaired, rejected;
    double nn, present_squared;
    struct profile_sums cpu, gil, waits;
    struct cell_mark *cells, *threads;
    struct profile_sums *functions, *lines; /* two each */
    size_t cell_count, thread_count, function_count, line_count;
    size_t cell_capacity, thread_capacity, function_capacity, line_capacity;
};

struct profile_follow {
    struct load l;
    struct record_events events;
    struct record_reader *reader;
    struct whole view;
    struct profile_now *now;
    size_t now_capacity;
    struct mark marks[PROFILE_WINDOW_MAX + 1]; /* a ring of those taken so far */
    size_t mark_count, mark_next;
    int failure;
};

static int mark_take(struct load *l, struct mark *m)
{
    int r = track_settle(l);
    const struct profile *p = l->p;
    if (r == 0)
        r = array_reserve(&m->cells, &m->cell_capacity, p->cell_count, sizeof(*m->cells));
    if (r == 0)
        r = array_reserve(&m->threads, &m->thread_capacity, p->thread_count, sizeof(*m->threads));
    if (r == 0)
        r = array_reserve(&m->functions, &m->function_capacity, 2 * p->function_count, sizeof(*m->functions));
    if (r == 0)
        r = array_reserve(&m->lines, &m->line_capacity, 2 * p->line_count, sizeof(*m->lines));
    if (r < 0)
        return r;
    m->time_ns = p->last_ns;
    m->ticks = p->ticks;
    m->hits = p->hits;
    m->present = p->present;
    m->repaired = p->repaired;
    m->rejected = p->rejected;
    m->nn = p->nn;
    m->present_squared = l->w->present_squared;
    m->cpu = l->w->cpu;
    m->gil = l->w->gil;
    m->waits = l->w->waits;
    for (size_t i = 0; i < p->cell_count; i++)
        m->cells[i] = (struct cell_mark){l->w->cells[i].hits, l->w->cells[i].on_cpu, l->w->cells[i].has_gil, 0};
    for (size_t i = 0; i < p->thread_count; i++)
        m->threads[i] = (struct cell_mark){l->w->threads[i].present, l->w->threads[i].on_cpu, l->w->threads[i].has_gil,
            l->w->threads[i].waits_for_gil};
    for (size_t i = 0; i < p->function_count; i++) {
        m->functions[2 * i] = tally_sums(l, &l->function_pairs[i].self);
        m->functions[2 * i + 1] = tally_sums(l, &l->function_pairs[i].total);
    }
    for (size_t i = 0; i < p->line_count; i++) {
        m->lines[2 * i] = tally_sums(l, &l->line_pairs[i].self);
        m->lines[2 * i + 1] = tally_sums(l, &l->line_pairs[i].total);
    }
    m->cell_count = p->cell_count;
    m->thread_count = p->thread_count;
    m->function_count = p->function_count;
    m->line_count = p->line_count;
    return 0;
}

static int on_tick(void *context, uint64_t time_ns)
{
    struct load *l = context;
    struct profile_follow *f = (struct profile_follow *)l; /* its first member */
    const struct mark *last =
        f->mark_count > 0 ? &f->marks[(f->mark_next + ARRAY_SIZE(f->marks) - 1) % ARRAY_SIZE(f->marks)] : NULL;
    uint64_t since = last != NULL ? last->time_ns : l->p->first_ns;
    if (l->p->ticks > 0 && time_ns >= since + STEP_NS) {
        int r = mark_take(l, &f->marks[f->mark_next]);
        if (r < 0)
            return r;
        f->mark_next = (f->mark_next + 1) % ARRAY_SIZE(f->marks);
        f->mark_count += f->mark_count < ARRAY_SIZE(f->marks);
    }
    return load_events.tick(context, time_ns);
}

int profile_follow_new(const char *name, const struct profile_options *options, struct profile_follow **ret)
{
    struct profile_follow *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -ENOMEM;
    f->events = load_events;
    f->events.tick = on_tick;
    f->l.follows = true;
    int r = load_start(&f->l, options);
    if (r == 0)
        r = record_reader_new(name, &f->events, &f->l, &f->reader);
    if (r < 0) {
        profile_follow_free(f);
        return r;
    }
    *ret = f;
    return 0;
}

void profile_follow_free(struct profile_follow *f)
{
    if (f == NULL)
        return;
    record_reader_free(f->reader);
    load_release(&f->l);
    profile_free((struct profile *)f->l.w);
    load_release_tables(&f->view);
    free(f->now);
    for (size_t i = 0; i < ARRAY_SIZE(f->marks); i++) {
        free(f->marks[i].cells);
        free(f->marks[i].threads);
        free(f->marks[i].functions);
        free(f->marks[i].lines);
    }
    free(f);
}

int profile_follow_feed(struct profile_follow *f, const void *data, size_t size, struct error *e)
{
    struct error line = {.text = ""};
    if (f->failure == 0)
        f->failure = record_reader_feed(f->reader, data, size, &line);
    if (f->failure < 0 && line.text[0] == '\0')
        error_set(&line, -f->failure, "cannot go on reading the recording: %s", strerror(-f->failure));
    if (f->failure < 0 && e != NULL)
        *e = line;
    return f->failure;
}

bool profile_follow_done(const struct profile_follow *f)
{
    return record_reader_done(f->reader);
}

/* The youngest mark that is at least that old; NULL: all since the start is no older. */
static const struct mark *mark_before(const struct profile_follow *f, uint64_t window_ns)
{
    const struct mark *best = NULL;
    for (size_t i = 0; i < f->mark_count; i++) {
        const struct mark *m = &f->marks[i];
        if (m->time_ns + window_ns <= f->l.p->last_ns && (best == NULL || m->time_ns > best->time_ns))
            best = m;
    }
    return best;
}

/* Copies an array of `count` elements into one that grows; room for one more, so that it is never NULL. */
static int copy_array(void *to, size_t *capacity, const void *from, size_t count, size_t size)
{
    void *items;
    int r = array_reserve(to, capacity, count + 1, size);
    if (r < 0)
        return r;
    memcpy(&items, to, sizeof items); /* `to` points to a pointer of any type */
    if (count > 0)
        memcpy(items, from, count * size);
    return 0;
}

static int copy_counts(const struct whole *from, struct whole *to)
{
    const struct profile *p = &from->p;
    int r =
        copy_array(&to->functions, &to->function_capacity, from->functions, p->function_count, sizeof(*to->functions));
    if (r == 0)
        r = copy_array(&to->lines, &to->line_capacity, from->lines, p->line_count, sizeof(*to->lines));
    if (r == 0)
        r = copy_array(&to->nodes, &to->node_capacity, from->nodes, p->node_count, sizeof(*to->nodes));
    if (r == 0)
        r = copy_array(&to->cells, &to->cell_capacity, from->cells, p->cell_count, sizeof(*to->cells));
    if (r == 0)
        r = copy_array(
            &to->processes, &to->process_capacity, from->processes, p->process_count, sizeof(*to->processes));
    if (r == 0)
        r = copy_array(&to->threads, &to->thread_capacity, from->threads, p->thread_count, sizeof(*to->threads));
    if (r == 0)
        r = copy_array(&to->tasks, &to->task_capacity, from->tasks, p->task_count, sizeof(*to->tasks));
    if (r == 0)
        r = copy_array(&to->sources, &to->source_capacity, from->sources, p->source_count, sizeof(*to->sources));
    if (r == 0)
        r = copy_array(&to->metas, &to->meta_capacity, from->metas, p->meta_count, sizeof(*to->metas));
    if (r < 0)
        return r;
    to->p = *p;
    to->cpu = from->cpu;
    to->gil = from->gil;
    to->waits = from->waits;
    to->present_squared = from->present_squared;
    return 0;
}

static struct profile_sums sums_less(struct profile_sums a, const struct profile_sums *b)
{
    return (struct profile_sums){a.y - b->y, a.yy - b->yy, a.yn - b->yn};
}

static void take_away(struct whole *w, const struct mark *m)
{
    for (size_t i = 0; i < m->cell_count; i++) {
        w->cells[i].hits -= m->cells[i].hits;
        w->cells[i].on_cpu -= m->cells[i].on_cpu;
        w->cells[i].has_gil -= m->cells[i].has_gil;
    }
    for (size_t i = 0; i < m->thread_count; i++) {
        w->threads[i].present -= m->threads[i].hits;
        w->threads[i].on_cpu -= m->threads[i].on_cpu;
        w->threads[i].has_gil -= m->threads[i].has_gil;
        w->threads[i].waits_for_gil -= m->threads[i].waits_for_gil;
    }
    w->p.first_ns = m->time_ns;
    w->p.ticks -= m->ticks;
    w->p.hits -= m->hits;
    w->p.present -= m->present;
    w->p.repaired -= m->repaired;
    w->p.rejected -= m->rejected;
    w->p.nn -= m->nn;
    w->present_squared -= m->present_squared;
    w->cpu = sums_less(w->cpu, &m->cpu);
    w->gil = sums_less(w->gil, &m->gil);
    w->waits = sums_less(w->waits, &m->waits);
}

int profile_follow_view(struct profile_follow *f, uint64_t window_ns, struct profile_view *ret)
{
    struct load *l = &f->l;
    struct whole *w = &f->view;
    int r = track_settle(l);
    if (r == 0)
        r = copy_counts(l->w, w);
    if (r == 0)
        r = array_reserve(&f->now, &f->now_capacity, l->p->thread_count + 1, sizeof(*f->now));
    if (r < 0)
        return r;
    for (size_t i = 0; i < l->p->thread_count; i++)
        f->now[i] = (struct profile_now){l->threads[i].node, l->threads[i].state, w->threads[i].present,
            w->threads[i].on_cpu, w->threads[i].has_gil};
    const struct mark *m = window_ns != PROFILE_SINCE_START ? mark_before(f, window_ns) : NULL;
    if (m != NULL)
        take_away(w, m);
    r = totals_finish(w);
    if (r < 0)
        return r;
    struct sums_before before = {0};
    if (m != NULL)
        before = (struct sums_before){m->functions, m->lines, m->function_count, m->line_count};
    track_sums(l, &before, w);
    w->p.wall_ns = runs_wall_ns(w->p.first_ns, w->p.last_ns, w->p.ticks);
    if (w->p.wall_ns == 0)
        w->p.wall_ns = w->p.counters.profiler_wall_ns;
    load_show(w);
    w->p.runs = l->w->runs;
    *ret = (struct profile_view){.p = &w->p, .now = f->now};
    return 0;
}
