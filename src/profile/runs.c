/*
 * Several runs in one recording. Ticks belong to the newest run; what each function and line had in each is found once
 * the tree is complete, from the cells of the run's threads.
 */
#include "profile/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- where one ends and the next begins ---- */

uint64_t runs_wall_ns(uint64_t first_ns, uint64_t last_ns, uint64_t ticks)
{
    uint64_t span = last_ns - first_ns;
    return ticks > 1 ? span + span / (ticks - 1) : 0;
}

static void run_end(struct load *l)
{
    struct profile_run *run = &l->w->runs[l->p->run_count - 1];
    run->ticks = l->p->ticks - l->run_start;
    run->hits = l->p->hits - l->run_hits;
    if (run->ticks > 0)
        run->last_ns = l->p->last_ns;
    run->wall_ns = runs_wall_ns(run->first_ns, run->last_ns, run->ticks);
}

int runs_begin(struct load *l, uint32_t run)
{
    if (run < l->p->run_count)
        return 0;
    int r = array_reserve(&l->w->runs, &l->w->run_capacity, l->p->run_count + 1, sizeof(*l->w->runs));
    if (r == 0)
        r = track_settle(l);
    if (r < 0)
        return r;
    bool first = l->p->run_count == 0;
    if (!first)
        run_end(l);
    l->w->runs[l->p->run_count++] = (struct profile_run){.first_ns = first ? l->run_first_ns : 0};
    if (!first) {
        l->run_start = l->p->ticks;
        l->run_hits = l->p->hits;
    }
    return 0;
}

void runs_tick(struct load *l, uint64_t time_ns)
{
    if (l->p->ticks > l->run_start)
        return;
    /* Not from the last tick of the run before on: that time is no run's, whichever clock either had. */
    l->run_first_ns = l->p->last_ns = time_ns;
    if (l->p->run_count > 0)
        l->w->runs[l->p->run_count - 1].first_ns = time_ns;
}

/* ---- hits by run ---- */

/* Hits of many things, of which few are touched in a run. */
struct sums_of_run {
    uint64_t *self, *total;
    uint32_t *seen; /* the last cell that counted for it, from 1: once however often it recurs */
    uint32_t *touched;
    size_t touched_count;
    struct profile_run_hits *entries;
    uint32_t *of; /* whose each entry is */
    size_t count, capacity, of_capacity;
};

struct cell_order {
    uint32_t run, cell;
};

static int by_run(const void *a, const void *b)
{
    const struct cell_order *x = a, *y = b;
    return x->run != y->run ? (x->run > y->run) - (x->run < y->run) : (x->cell > y->cell) - (x->cell < y->cell);
}

static int sums_start(struct sums_of_run *s, size_t things)
{
    s->self = calloc(things + 1, sizeof(*s->self));
    s->total = calloc(things + 1, sizeof(*s->total));
    s->seen = calloc(things + 1, sizeof(*s->seen));
    s->touched = calloc(things + 1, sizeof(*s->touched));
    return s->self == NULL || s->total == NULL || s->seen == NULL || s->touched == NULL ? -ENOMEM : 0;
}

static void sums_release(struct sums_of_run *s)
{
    free(s->self);
    free(s->total);
    free(s->seen);
    free(s->touched);
    free(s->entries);
    free(s->of);
}

static void sums_add(struct sums_of_run *s, uint32_t thing, uint32_t stamp, uint64_t hits, bool self)
{
    if (s->total[thing] == 0 && hits > 0)
        s->touched[s->touched_count++] = thing;
    s->self[thing] += self ? hits : 0;
    if (s->seen[thing] == stamp)
        return;
    s->seen[thing] = stamp;
    s->total[thing] += hits;
}

static int sums_flush(struct sums_of_run *s, uint32_t run)
{
    int r = array_reserve(&s->entries, &s->capacity, s->count + s->touched_count, sizeof(*s->entries));
    if (r == 0)
        r = array_reserve(&s->of, &s->of_capacity, s->count + s->touched_count, sizeof(*s->of));
    if (r < 0)
        return r;
    for (size_t i = 0; i < s->touched_count; i++) {
        uint32_t thing = s->touched[i];
        s->of[s->count] = thing;
        s->entries[s->count++] =
            (struct profile_run_hits){.run = run, .self = s->self[thing], .total = s->total[thing]};
        s->self[thing] = s->total[thing] = 0;
    }
    s->touched_count = 0;
    return 0;
}

/* From the order of runs to that of things, by counting; within a thing the runs stay in order. */
static int sums_sort(struct sums_of_run *s, size_t things, struct profile_run_hits **ret, size_t **ret_starts)
{
    struct profile_run_hits *sorted = calloc(s->count + 1, sizeof(*sorted));
    size_t *starts = calloc(things + 2, sizeof(*starts));
    if (sorted == NULL || starts == NULL) {
        free(sorted);
        free(starts);
        return -ENOMEM;
    }
    for (size_t i = 0; i < s->count; i++)
        starts[s->of[i] + 2]++;
    for (size_t i = 2; i < things + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < s->count; i++)
        sorted[starts[s->of[i] + 1]++] = s->entries[i];
    *ret = sorted;
    *ret_starts = starts;
    return 0;
}

static int count_cells(
    struct load *l, const struct cell_order *order, struct sums_of_run *functions, struct sums_of_run *lines)
{
    const struct whole *w = l->w;
    for (size_t i = 0; i < l->p->cell_count; i++) {
        const struct profile_cell *c = &w->cells[order[i].cell];
        for (uint32_t node = c->node; node != 0; node = w->nodes[node].parent) {
            uint32_t line = w->nodes[node].line;
            sums_add(lines, line, (uint32_t)i + 1, c->hits, node == c->node);
            sums_add(functions, w->lines[line].function, (uint32_t)i + 1, c->hits, node == c->node);
        }
        if (i + 1 < l->p->cell_count && order[i + 1].run == order[i].run)
            continue;
        int r = sums_flush(functions, order[i].run);
        if (r == 0)
            r = sums_flush(lines, order[i].run);
        if (r < 0)
            return r;
    }
    return 0;
}

static int by_runs(struct load *l)
{
    struct whole *w = l->w;
    struct sums_of_run functions = {0}, lines = {0};
    struct cell_order *order = calloc(l->p->cell_count + 1, sizeof(*order));
    int r = order == NULL ? -ENOMEM : sums_start(&functions, l->p->function_count);
    if (r == 0)
        r = sums_start(&lines, l->p->line_count);
    if (r == 0) {
        for (uint32_t i = 0; i < l->p->cell_count; i++)
            order[i] = (struct cell_order){w->processes[w->threads[w->cells[i].thread].process].run, i};
        qsort(order, l->p->cell_count, sizeof(*order), by_run);
        r = count_cells(l, order, &functions, &lines);
    }
    if (r == 0)
        r = sums_sort(&functions, l->p->function_count, &w->function_runs, &w->function_run_starts);
    if (r == 0)
        r = sums_sort(&lines, l->p->line_count, &w->line_runs, &w->line_run_starts);
    free(order);
    sums_release(&functions);
    sums_release(&lines);
    return r;
}

int runs_finish(struct load *l)
{
    struct profile *p = l->p;
    int r = runs_begin(l, 0); /* a recording that ended before its first process has one run too */
    if (r < 0)
        return r;
    run_end(l);
    for (size_t i = 0; i < p->run_count; i++) {
        const struct profile_run *run = &l->w->runs[i];
        p->wall_ns += run->wall_ns;
        /* A stranger's runs need not follow each other. */
        p->first_ns = run->ticks > 0 && run->first_ns < p->first_ns ? run->first_ns : p->first_ns;
        p->last_ns = run->last_ns > p->last_ns ? run->last_ns : p->last_ns;
    }
    if (p->wall_ns == 0)
        p->wall_ns = p->counters.profiler_wall_ns;
    return p->run_count > 1 ? by_runs(l) : 0;
}

/* ---- questions ---- */

static size_t part(
    const struct profile_run_hits *all, const size_t *starts, uint32_t at, const struct profile_run_hits **ret)
{
    if (starts == NULL)
        return 0;
    *ret = all + starts[at];
    return starts[at + 1] - starts[at];
}

size_t profile_function_runs(const struct profile *p, uint32_t function, const struct profile_run_hits **ret)
{
    const struct whole *w = (const struct whole *)p;
    return part(w->function_runs, w->function_run_starts, function, ret);
}

size_t profile_line_runs(const struct profile *p, uint32_t line, const struct profile_run_hits **ret)
{
    const struct whole *w = (const struct whole *)p;
    return part(w->line_runs, w->line_run_starts, line, ret);
}

struct profile_share profile_runs_share(
    const struct profile *p, const struct profile_run_hits *hits, size_t count, bool total)
{
    struct profile_share s = {.low = 0, .high = 1};
    double *of = calloc(2 * p->run_count + 1, sizeof(*of));
    if (of == NULL)
        return s;
    double *all = of + p->run_count;
    for (size_t i = 0; i < p->run_count; i++)
        all[i] = (double)p->runs[i].hits;
    for (size_t i = 0; i < count; i++)
        of[hits[i].run] = (double)(total ? hits[i].total : hits[i].self);
    s = profile_runs_interval(of, all, p->run_count);
    free(of);
    return s;
}
