/* How large a difference is and how sure: Welch's interval between runs, or that of two shares in these runs; and
 * Holm's correction for all that were compared. */
#include "diff/inside.h"
#include "stats/stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Z95 1.959963984540054
#define LEVEL 0.05
/* Rarer than this on both sides together: not compared. The sum says nothing about the difference, so that leaving
 * these out costs the correction nothing. */
#define COMPARED_FROM 0.002

/* ---- sides ---- */

void tally_run(struct tally *t, double time, double share)
{
    t->time += time;
    t->time_squared += time * time;
    t->share += share;
    t->share_squared += share * share;
}

double hit_worth(const struct profile *p, uint32_t run)
{
    const struct profile_run *r = &p->runs[run];
    switch (p->origin) {
    case PROFILE_SAMPLES:
        return r->hits > 0 ? 1 / (double)r->hits : 0;
    case PROFILE_WEIGHTS:
    case PROFILE_CALLS:
        return 1; /* a hit is a nanosecond */
    case PROFILE_RECORDING:
        break;
    }
    return r->ticks > 1 ? (double)r->wall_ns / (double)r->ticks : profile_time_ns(p, 1);
}

static void side_start(struct side *s, const struct profile *const *profiles, size_t count)
{
    s->profiles = profiles;
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct profile *p = profiles[i];
        s->n += (double)p->hits;
        s->nn += p->nn;
        s->ticks += (double)p->ticks;
        for (uint32_t k = 0; k < p->run_count; k++) {
            if (p->runs[k].ticks == 0)
                continue; /* it ended before a sample: what it took is not known */
            s->runs++;
            tally_run(&s->whole, hit_worth(p, k) * (double)p->runs[k].hits, 1);
        }
    }
    s->gap = s->n > 0 ? s->whole.time / s->n : 0;
}

/* ---- one difference ---- */

static struct stats_mean mean_of(double sum, double squares, double least, double runs)
{
    struct stats_mean m = {.value = sum / runs, .freedom = runs - 1};
    double spread = (squares - sum * sum / runs) / (runs - 1);
    m.variance = fmax(spread > 0 ? spread / runs : 0, least);
    return m;
}

/* The difference's interval and the chance of one so large. */
static double welch(struct stats_mean a, struct stats_mean b, double *ret_low, double *ret_high)
{
    struct stats_welch w = stats_welch(a, b, 1 - LEVEL);
    *ret_low = w.difference.low;
    *ret_high = w.difference.high;
    return w.p;
}

static double between(const struct whole *w, const struct tally *a, const struct tally *b, struct diff_measure *m)
{
    const struct tally *t[2] = {a, b};
    struct stats_mean time[2], share[2];
    for (int i = 0; i < 2; i++) {
        const struct side *s = &w->sides[i];
        double runs = (double)s->runs, p = s->n > 0 ? t[i]->y / s->n : 0;
        /* Runs of equal counts by chance have no spread; sampling alone has that of their hits, one at least. */
        double counted = fmax(t[i]->y * (1 - p), 1) / (runs * runs);
        double share_counted = s->n > 0 ? counted * (runs / s->n) * (runs / s->n) : 0;
        time[i] = mean_of(t[i]->time, t[i]->time_squared, counted * s->gap * s->gap, runs);
        share[i] = mean_of(t[i]->share, t[i]->share_squared, share_counted, runs);
    }
    m->a = time[0].value;
    m->b = time[1].value;
    m->share_a = share[0].value;
    m->share_b = share[1].value;
    welch(share[0], share[1], &m->share_low, &m->share_high);
    return welch(time[0], time[1], &m->low, &m->high);
}

/* Two shares with an interval each: the interval of their difference is made of theirs (Newcombe 1998). */
static void newcombe(const struct profile_share *a, const struct profile_share *b, double scale_a, double scale_b,
    double *ret_low, double *ret_high)
{
    double difference = b->share * scale_b - a->share * scale_a;
    *ret_low = difference - hypot((b->share - b->low) * scale_b, (a->high - a->share) * scale_a);
    *ret_high = difference + hypot((b->high - b->share) * scale_b, (a->share - a->low) * scale_a);
}

static double within(const struct whole *w, const struct tally *a, const struct tally *b, struct diff_measure *m)
{
    const struct tally *t[2] = {a, b};
    struct profile_share share[2];
    double time[2];
    for (int i = 0; i < 2; i++) {
        const struct side *s = &w->sides[i];
        share[i] = profile_interval(t[i]->y, t[i]->yy, t[i]->yn, s->n, s->nn, s->ticks);
        time[i] = s->runs > 0 ? s->whole.time / (double)s->runs : 0;
    }
    m->share_a = share[0].share;
    m->share_b = share[1].share;
    m->a = share[0].share * time[0];
    m->b = share[1].share * time[1];
    newcombe(&share[0], &share[1], 1, 1, &m->share_low, &m->share_high);
    newcombe(&share[0], &share[1], time[0], time[1], &m->low, &m->high);
    /* From how many half widths zero is away. */
    double difference = m->b - m->a, half = difference > 0 ? difference - m->low : m->high - difference;
    return half > 0 ? erfc(fabs(difference) / half * Z95 / M_SQRT2) : difference == 0 ? 1 : 0;
}

static void measure(const struct whole *w, const struct tally t[2], struct diff_measure *m)
{
    *m = (struct diff_measure){.p = 1};
    double p = w->d.claim == DIFF_BETWEEN_VERSIONS ? between(w, &t[0], &t[1], m) : within(w, &t[0], &t[1], m);
    double all = 0, of_all = 0;
    for (int i = 0; i < 2; i++) {
        double runs = (double)(w->sides[i].runs > 0 ? w->sides[i].runs : 1);
        all += w->sides[i].whole.time / runs;
        of_all += t[i].time / runs;
    }
    m->p = of_all > 0 && of_all >= COMPARED_FROM * all ? fmin(p, 1) : 2; /* 2: not compared */
}

/* ---- many differences ---- */

/* Corrects the p of each, in place, for all that are compared: those whose p is not above 1. */
static int correct(struct diff_measure **all, size_t count, double *p, size_t *ret_compared)
{
    size_t compared = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i]->p <= 1)
            p[compared++] = all[i]->p;
    int r = stats_holm(p, compared, p);
    *ret_compared = compared;
    compared = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct diff_measure *m = all[i];
        m->p = m->p <= 1 ? p[compared++] : 1;
        m->changed = m->p < LEVEL && (m->low > 0 || m->high < 0);
    }
    return r;
}

static int compare_all(struct whole *w)
{
    struct diff *d = &w->d;
    size_t most = d->function_count > d->line_count ? d->function_count : d->line_count;
    CLEANUP(free_pointer) struct diff_measure **all = calloc(most + 1, sizeof(*all));
    CLEANUP(free_pointer) double *p = calloc(most + 1, sizeof(*p));
    size_t totals = 0;
    if (all == NULL || p == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < d->function_count; i++) {
        measure(w, w->function_tallies[i].self, &w->functions[i].self);
        measure(w, w->function_tallies[i].total, &w->functions[i].total);
    }
    for (size_t i = 0; i < d->line_count; i++)
        measure(w, w->line_tallies[i].self, &w->lines[i].self);
    for (size_t i = 0; i < d->function_count; i++)
        all[i] = &w->functions[i].total;
    int r = correct(all, d->function_count, p, &totals);
    for (size_t i = 0; i < d->function_count; i++)
        all[i] = &w->functions[i].self;
    if (r == 0)
        r = correct(all, d->function_count, p, &d->functions_compared);
    d->functions_compared = totals > d->functions_compared ? totals : d->functions_compared;
    for (size_t i = 0; i < d->line_count; i++)
        all[i] = &w->lines[i].self;
    return r == 0 ? correct(all, d->line_count, p, &d->lines_compared) : r;
}

static void compare_whole(struct whole *w)
{
    struct diff_measure *m = &w->d.whole;
    struct stats_mean mean[2];
    *m = (struct diff_measure){.share_a = 1, .share_b = 1, .p = 1};
    for (int i = 0; i < 2; i++) {
        const struct side *s = &w->sides[i];
        double runs = s->runs > 0 ? (double)s->runs : 1;
        mean[i] = runs > 1 ? mean_of(s->whole.time, s->whole.time_squared, 0, runs)
                           : (struct stats_mean){.value = s->whole.time};
    }
    m->a = mean[0].value;
    m->b = mean[1].value;
    m->low = m->high = m->b - m->a; /* these runs took what they took */
    if (w->d.claim == DIFF_BETWEEN_VERSIONS)
        m->p = welch(mean[0], mean[1], &m->low, &m->high);
    m->changed = m->p < LEVEL;
}

/* ---- from outside ---- */

void diff_free(struct diff *d)
{
    struct whole *w = (struct whole *)d;
    if (w == NULL)
        return;
    free(w->functions);
    free(w->lines);
    free(w->nodes);
    free(w->function_tallies);
    free(w->line_tallies);
    strings_release(&w->function_keys);
    strings_release(&w->path_names);
    map_release(&w->line_index);
    map_release(&w->node_index);
    map_release(&w->paths);
    free(w);
}

int diff_make(
    const struct profile *const *a, size_t a_count, const struct profile *const *b, size_t b_count, struct diff **ret)
{
    struct whole *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    side_start(&w->sides[0], a, a_count);
    side_start(&w->sides[1], b, b_count);
    struct diff *d = &w->d;
    d->runs_a = w->sides[0].runs;
    d->runs_b = w->sides[1].runs;
    d->hit_a = d->runs_a > 0 ? w->sides[0].gap / (double)d->runs_a : 0;
    d->hit_b = d->runs_b > 0 ? w->sides[1].gap / (double)d->runs_b : 0;
    enum profile_origin origin = a_count > 0 ? a[0]->origin : PROFILE_RECORDING;
    d->unit = origin == PROFILE_SAMPLES ? DIFF_SHARE : DIFF_TIME;
    d->counted = origin == PROFILE_RECORDING || origin == PROFILE_SAMPLES;
    d->claim = d->runs_a > 1 && d->runs_b > 1 ? DIFF_BETWEEN_VERSIONS : DIFF_WITHIN_RUNS;
    int r = strings_init(&w->function_keys, SIZE_MAX);
    if (r == 0)
        r = strings_init(&w->path_names, SIZE_MAX);
    if (r == 0)
        r = array_reserve(&w->nodes, &w->node_capacity, 1, sizeof(*w->nodes));
    if (r == 0) {
        w->nodes[0] = (struct diff_node){.line = PROFILE_NONE};
        d->node_count = 1;
        r = match_paths(w);
    }
    for (size_t i = 0; r == 0 && i < a_count; i++)
        r = match_profile(w, 0, a[i]);
    for (size_t i = 0; r == 0 && i < b_count; i++)
        r = match_profile(w, 1, b[i]);
    if (r == 0)
        r = compare_all(w);
    if (r < 0) {
        diff_free(d);
        return r;
    }
    compare_whole(w);
    d->functions = w->functions;
    d->lines = w->lines;
    d->nodes = w->nodes;
    *ret = d;
    return 0;
}

/* ---- orders ---- */

struct order {
    const struct diff_measure *m;
    uint32_t index;
};

static int by_size(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    double d = fabs(x->m->b - x->m->a), e = fabs(y->m->b - y->m->a);
    return d != e ? (d < e) - (d > e) : (x->index > y->index) - (x->index < y->index);
}

/* What changed surely, the largest first. */
static int changed(const struct diff_measure *first, size_t stride, size_t count, uint32_t **ret, size_t *ret_count)
{
    struct order *order = calloc(count + 1, sizeof(*order));
    uint32_t *indices = calloc(count + 1, sizeof(*indices));
    size_t kept = 0;
    count = first == NULL ? 0 : count;
    if (order == NULL || indices == NULL) {
        free(order);
        free(indices);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct diff_measure *m = (const struct diff_measure *)((const char *)first + i * stride);
        if (m->changed)
            order[kept++] = (struct order){m, (uint32_t)i};
    }
    qsort(order, kept, sizeof(*order), by_size);
    for (size_t i = 0; i < kept; i++)
        indices[i] = order[i].index;
    free(order);
    *ret = indices;
    *ret_count = kept;
    return 0;
}

int diff_functions_changed(const struct diff *d, bool total, uint32_t **ret, size_t *ret_count)
{
    const struct diff_function *f = d->functions;
    const struct diff_measure *first = f == NULL ? NULL : total ? &f->total : &f->self;
    return changed(first, sizeof(*f), d->function_count, ret, ret_count);
}

int diff_lines_changed(const struct diff *d, uint32_t **ret, size_t *ret_count)
{
    return changed(d->lines == NULL ? NULL : &d->lines->self, sizeof(*d->lines), d->line_count, ret, ret_count);
}
