/*
 * A gate against what is stored of the base, instead of the base itself: counts serve on every machine, times on this
 * one only. The two were not run in turns, so what the machine did differently on the two days is in the difference.
 */
#include "bench/bench.h"
#include "cmd/gate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_LEAST 4 /* stored, of a time that another one is compared with */

/* The newest result of this revision, in any of the series of the query. NULL: there is none. */
static const struct history_result *find_result(
    struct history *h, const struct history_query *q, const char *unit, const char *revision, struct arena *a)
{
    struct history_series *series = NULL;
    size_t count = 0;
    const struct history_result *found = NULL;
    struct error unsaid;
    if (history_list(h, q, a, &series, &count, &unsaid) < 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct history_result *points = NULL;
        size_t at = 0;
        if (strcmp(series[i].unit, unit) != 0 || history_points(h, &series[i], a, &points, &at, &unsaid) < 0)
            continue;
        while (at > 0 && (points[at - 1].dirty || strcmp(points[at - 1].revision, revision) != 0))
            at--;
        if (at > 0 && (found == NULL || points[at - 1].time_ns > found->time_ns))
            found = &points[at - 1];
    }
    return found;
}

static void read_counts(
    struct history *h, const struct keep *k, const char *revision, struct gate_row *row, struct arena *a)
{
    struct growth_counts c = {.by = "stored"};
    for (int i = 0; i < GROWTH_COUNTS; i++) {
        const struct history_query q = {
            .subject = row->subject->name, .kind = "gate", .metric = gate_count_metric(i), .python = k->python};
        const struct history_result *x = find_result(h, &q, gate_count_unit(i), revision, a);
        if (x == NULL)
            continue;
        c.values[i] = x->value;
        c.same[i] = true;
        row->counted[0] = true;
    }
    row->counts[0] = c;
}

/* By logarithms, since it is ratios that are judged. */
static struct stats_mean mean_of_logs(const double *values, size_t count, double *logs)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (values[i] > 0)
            logs[used++] = log(values[i]);
    return used > 0 ? stats_mean(logs, used) : (struct stats_mean){.value = NAN};
}

static struct stats_decision decide(struct stats_mean a, struct stats_mean b, double claim, size_t family)
{
    double tail = 2 * (1 - stats_normal_cdf(STATS_Z));
    struct stats_welch w = stats_welch(a, b, 1 - tail / (double)(family > 0 ? family : 1));
    double beyond = fabs(w.difference.estimate) - log1p(claim), error = sqrt(a.variance + b.variance);
    struct stats_decision d = {
        .call = STATS_UNSETTLED,
        .estimate = exp(w.difference.estimate),
        .low = exp(w.difference.low),
        .high = exp(w.difference.high),
        .detectable = 100 * (exp((w.difference.high - w.difference.low) / 2 + log1p(claim)) - 1),
        .p = beyond <= 0 ? 1
             : error > 0 ? stats_student_tail(beyond / error, w.freedom)
                         : 0,
        .last = true,
    };
    d.call = d.low > 1 + claim                           ? STATS_SLOWER
             : d.high < 1 - claim                        ? STATS_FASTER
             : d.low >= 1 - claim && d.high <= 1 + claim ? STATS_SAME
                                                         : STATS_UNSETTLED;
    return d;
}

static int judge_time(const struct gate_report *g, const struct history_result *stored, const struct bench_result *now,
    const double *values, size_t count, size_t family, struct gate_row *row, struct error *e)
{
    struct prove_estimate *m = &row->result.metrics[PROVE_WALL];
    double *logs = calloc(stored->sample_count + count + 1, sizeof(*logs));
    if (logs == NULL)
        return error_set(e, ENOMEM, "out of memory");
    struct stats_mean a = mean_of_logs(stored->samples, stored->sample_count, logs);
    struct stats_mean b = mean_of_logs(values, count, logs);
    free(logs);
    for (int i = 0; i < PROVE_METRICS; i++)
        row->result.metrics[i] = (struct prove_estimate){
            .decision = {.call = STATS_UNSETTLED, .estimate = NAN, .low = NAN, .high = NAN}, .a = NAN, .b = NAN};
    m->decision = decide(a, b, g->claim, family);
    m->a = exp(a.value);
    m->b = exp(b.value);
    row->result.runs = now->process_count;
    row->result.spent_ns = now->spent_ns;
    row->measured = true;
    return 0;
}

/* What is measured now is what the next gate finds stored. */
static void keep_time(
    const struct keep *k, const struct gate_report *g, const struct gate_row *row, const double *values, size_t count)
{
    double *sorted = calloc(count + 1, sizeof(*sorted));
    if (sorted == NULL || values == NULL || count == 0) {
        free(sorted);
        return;
    }
    memcpy(sorted, values, count * sizeof(*sorted));
    struct history_result x = keep_result(k, "gate", row->subject->name, "wall", "s", stats_median(sorted, count));
    x.samples = values;
    x.sample_count = count;
    x.runs = count;
    if (!g->tree)
        x.revision = g->head;
    x.dirty = g->tree;
    keep_add(k, &x, 1);
    free(sorted);
}

static int measure_time(struct prove_runner *r, const struct prove_subject *s, const struct gate_report *g,
    const struct keep *k, const struct history_result *stored, uint64_t budget_ns, uint64_t timeout_ns, size_t family,
    struct gate_row *row, struct error *e)
{
    const struct bench_options how = {.budget_ns = budget_ns, .timeout_ns = timeout_ns};
    struct bench_result *now = NULL;
    int result = bench_measure(r, s, &how, &now, e);
    if (result < 0)
        return result;
    double *levels = calloc(now->process_count + 1, sizeof(*levels));
    if (levels == NULL) {
        bench_free(now);
        return error_set(e, ENOMEM, "out of memory");
    }
    for (size_t i = 0; now->function && i < now->process_count; i++)
        levels[i] = now->processes[i].level;
    const double *values = now->function ? levels : now->values;
    size_t count = now->function ? now->process_count : now->value_count;
    if (now->interrupted)
        result = -ECANCELED;
    else if (stored != NULL)
        result = judge_time(g, stored, now, values, count, family, row, e);
    if (result == 0)
        keep_time(k, g, row, values, count);
    free(levels);
    bench_free(now);
    return result;
}

int gate_stored_measure(struct prove_runner *r, const struct prove_subject *s, const struct gate_report *g,
    const struct keep *k, uint64_t budget_ns, uint64_t timeout_ns, size_t family, struct gate_row *row, struct error *e)
{
    struct history *h = NULL;
    struct arena a;
    const struct history_result *stored = NULL;
    const struct history_query q = {
        .subject = row->subject->name, .kind = "gate", .metric = "wall", .machine = k->machine.id, .python = k->python};
    struct error unsaid;
    arena_init(&a, HISTORY_ARENA_MAX);
    if (history_open(k->path, &h, &unsaid) == 0) {
        read_counts(h, k, g->base, row, &a);
        stored = find_result(h, &q, "s", g->base, &a);
    }
    history_close(h);
    if (stored != NULL && stored->sample_count < RUNS_LEAST)
        stored = NULL;
    int result = measure_time(r, s, g, k, stored, budget_ns, timeout_ns, family, row, e);
    arena_release(&a);
    return result;
}
