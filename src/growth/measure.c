/* Which sizes, which processes, in which order, and for how long. */
#include "growth/inside.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_NS UINT64_C(10000000000)
#define TIMEOUT_NS UINT64_C(60000000000)
#define RUNS 3u
#define ARENA_MAX (UINT64_C(1) << 20)
#define AUTO_SIZES 8            /* that are measured, of those that the probe went through */
#define AUTO_DOUBLINGS 21       /* from 1: no larger size is tried unasked */
#define AUTO_MEMORY 400000000.0 /* bytes of the process, after which no larger size is tried unasked */
#define CALL_PART 20            /* of the budget that one call at the largest size may take */
#define AGAIN_PART 100          /* calls that take more of the budget are not repeated in their process */
#define EXPLODES 22.0           /* times a doubling: steeper than n^4, so sizes are added, not doubled */
#define FIRST_ROUND_PART 0.4    /* of the budget, for timing every size once */
#define TIME_PART 0.6           /* and for timing them again */
#define COUNT_PART 0.95         /* until which sizes are counted */
#define COUNT_RUNS 2            /* whose counts ought to be the same */
#define BATCHES 3
#define BATCH_SECONDS 0.02
#define REMEMBERS 3.0       /* later calls as so many times as fast as the first */
#define REMEMBERED 50e-6    /* and faster by so many seconds */
#define LINE_SECONDS 1.5e-6 /* what tracing a line takes, about */

struct size_runs { /* of one size */
    double n;
    struct growth_times times[GROWTH_RUNS_MAX];
    size_t count;
    double cost; /* wall seconds of a whole process that timed it */
};
struct measuring {
    struct prove_runner *runner;
    const struct prove_subject *subject;
    struct growth_options o;
    struct growth_result *r;
    struct error *e;
    uint64_t began;
    struct size_runs sizes[GROWTH_SIZES_MAX];
    size_t size_count;
};

static double spent(const struct measuring *m)
{
    return (double)(clock_monotonic_ns() - m->began) / 1e9;
}

static double budget(const struct measuring *m)
{
    return (double)m->o.budget_ns / 1e9;
}

static void end_with(struct measuring *m, const char *format, ...) PRINTF_LIKE(2, 3);
static void end_with(struct measuring *m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(m->r->ended, sizeof(m->r->ended), format, arguments);
    va_end(arguments);
}

/* One process of the harness. The answer's buffer is the caller's to release with the run. */
static int run_harness(struct measuring *m, const char *stage, double n, uint64_t timeout_ns, struct prove_run *ret,
    const char *format, ...) PRINTF_LIKE(6, 7);
static int run_harness(struct measuring *m, const char *stage, double n, uint64_t timeout_ns, struct prove_run *ret,
    const char *format, ...)
{
    char extra[2048];
    va_list arguments;
    struct prove_process how = {.seeded = true, .hash_seed = 0, .timeout_ns = timeout_ns};
    double least = m->size_count > 0 ? m->sizes[0].n : 1;
    int used = snprintf(extra, sizeof(extra), "\"names\":{\"n\":%.0f},\"n\":%.0f,\"least\":%.0f,", least, n, least);
    va_start(arguments, format);
    vsnprintf(extra + used, sizeof(extra) - (size_t)used, format, arguments);
    va_end(arguments);
    if (m->o.progress != NULL)
        m->o.progress(m->o.context,
            &(struct growth_progress){
                .stage = stage, .n = n, .spent_ns = clock_monotonic_ns() - m->began, .budget_ns = m->o.budget_ns});
    m->r->runs++;
    return prove_harness_run(m->runner, m->subject, growth_harness_grow, extra, &how, ret, m->e);
}

static int no_answer(struct measuring *m, int r)
{
    return r < 0 ? error_set(m->e, -r,
                       "cannot read what the harness of '%.100s' answered: does it write to descriptor %d?",
                       m->subject->name, PROVE_ANSWER_FD)
                 : r;
}

/* ---- which sizes ---- */

static int run_probe(struct measuring *m, const double *sizes, size_t count, double patience, struct growth_probe *ret)
{
    CLEANUP(buffer_release) struct buffer list;
    struct prove_run run = {0};
    buffer_init(&list, 1024);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&list, "%s%.0f", i > 0 ? "," : "", sizes[i]);
    int r = run_harness(m, "probe", sizes[0], m->o.timeout_ns, &run,
        "\"mode\":\"probe\",\"sizes\":[%s],\"limit\":%.9g,\"patience\":%.9g,\"memory\":%.0f", buffer_text(&list),
        budget(m) / CALL_PART, patience, AUTO_MEMORY);
    if (r < 0)
        return r;
    r = no_answer(m, growth_read_probe(&run.answer, ret));
    prove_run_release(&run);
    return r;
}

static size_t affordable(const struct measuring *m, const struct growth_probe *p)
{
    size_t count = p->count;
    double limit = budget(m) / CALL_PART;
    while (count > 0 && (p->steps[count - 1].cpu > 2 * limit || p->steps[count - 1].wall > 4 * limit ||
                            p->steps[count - 1].setup > limit))
        count--;
    return count;
}

static void say_why_ended(struct measuring *m, const struct growth_probe *p, double next)
{
    if (p->raised[0] != '\0')
        end_with(m, "at n = %.0f it raised %s", next, p->raised);
    else if (strcmp(p->ended, "hung") == 0)
        end_with(m, "at n = %.0f a call takes more than its part of the budget", next);
    else if (p->ended[0] != '\0')
        end_with(m, "at n = %.0f the process %s", next, p->ended);
}

/* Doubles until a call costs too much; where a doubling is too coarse for what grows so fast, adds. */
static int choose_sizes(struct measuring *m)
{
    double sizes[GROWTH_STEPS_MAX], patience = fmax(0.5, budget(m) * 0.12);
    size_t count = 0;
    struct growth_probe p, finer;
    while (count < AUTO_DOUBLINGS) {
        sizes[count] = ldexp(1, (int)count);
        count++;
    }
    int r = run_probe(m, sizes, count, patience, &p);
    if (r < 0)
        return r;
    size_t good = affordable(m, &p);
    if (p.count == 0)
        return error_set(m->e, EINVAL, "'%.100s' cannot be called with n = 1: %s", m->subject->name,
            p.raised[0] != '\0'            ? p.raised
            : strcmp(p.ended, "hung") == 0 ? "it takes more than its part of the budget; name a larger --budget"
                                           : p.ended);
    double top = good > 0 ? p.steps[good - 1].n : 1, next = 2 * top;
    bool explodes = good >= 2 && p.steps[good - 1].cpu > EXPLODES * p.steps[good - 2].cpu;
    explodes = explodes || (p.count > good && good > 0 && p.steps[good].cpu > EXPLODES * p.steps[good - 1].cpu);
    if (explodes && top >= 8) {
        double step = fmax(1, floor(top / AUTO_SIZES));
        for (count = 0; count < AUTO_SIZES && top + step * (double)count < next; count++)
            sizes[count] = top + step * (double)count;
        r = run_probe(m, sizes, count, patience, &finer);
        if (r < 0)
            return r;
        size_t more = affordable(m, &finer);
        if (more > 0)
            top = finer.steps[more - 1].n;
        say_why_ended(m, &finer, top + step);
        for (size_t below = AUTO_SIZES; below-- > 0;)
            if (top - step * (double)below >= 1)
                m->sizes[m->size_count++].n = top - step * (double)below;
        return 0;
    }
    say_why_ended(m, &p, next);
    for (size_t i = good > AUTO_SIZES ? good - AUTO_SIZES : 0; i < good; i++)
        m->sizes[m->size_count++].n = p.steps[i].n;
    if (m->size_count < GROWTH_SIZES_MIN)
        return error_set(m->e, EINVAL, "'%.100s' can be measured at %zu sizes only, which is too few%s%s: name --sizes",
            m->subject->name, m->size_count, m->r->ended[0] != '\0' ? ": " : "", m->r->ended);
    return 0;
}

/* ---- time ---- */

static int time_once(struct measuring *m, struct size_runs *s)
{
    struct prove_run run = {0};
    uint64_t before = clock_monotonic_ns();
    int r = run_harness(m, "time", s->n, m->o.timeout_ns, &run,
        "\"mode\":\"time\",\"again\":%.9g,\"batch\":%g,\"batches\":%d", budget(m) / AGAIN_PART, BATCH_SECONDS, BATCHES);
    if (r < 0)
        return r;
    r = no_answer(m, growth_read_times(&run.answer, &s->times[s->count]));
    prove_run_release(&run);
    if (r == 0) {
        s->cost = fmax(s->cost, (double)(clock_monotonic_ns() - before) / 1e9);
        s->count++;
    }
    return r;
}

/* What the next size will take, from how the last two differ. */
static double next_cost(const struct measuring *m, size_t i)
{
    const struct size_runs *s = m->sizes;
    if (i < 2 || s[i - 1].count == 0)
        return 0;
    double slope = log(fmax(s[i - 1].cost / s[i - 2].cost, 1)) / log(s[i - 1].n / s[i - 2].n);
    return s[i - 1].cost * pow(s[i].n / s[i - 1].n, slope);
}

/* The first round finds out how far the budget goes; the further ones follow it, so that a machine that grows slow or
 * fast meanwhile does not look like a size. */
static int time_all(struct measuring *m)
{
    for (size_t i = 0; i < m->size_count; i++) {
        int r = 0;
        if (i >= GROWTH_SIZES_MIN && spent(m) + next_cost(m, i) > budget(m) * FIRST_ROUND_PART) {
            end_with(m, "n = %.0f was left out: the budget of %.3g s is spent", m->sizes[i].n, budget(m));
            m->size_count = i;
        } else {
            r = time_once(m, &m->sizes[i]);
        }
        if ((r == -ETIMEDOUT || r == -ECANCELED) && i >= GROWTH_SIZES_MIN) {
            end_with(m, r == -ETIMEDOUT ? "n = %.0f did not end in time: see --timeout" : "interrupted at n = %.0f",
                m->sizes[i].n);
            m->r->interrupted = r == -ECANCELED;
            m->size_count = i;
            r = 0;
        }
        if (r < 0)
            return r;
    }
    for (uint32_t round = 1; round < m->o.runs && !m->r->interrupted; round++)
        for (size_t i = 0; i < m->size_count && !m->r->interrupted; i++) {
            if (spent(m) + m->sizes[i].cost > budget(m) * TIME_PART)
                continue;
            int r = time_once(m, &m->sizes[i]);
            m->r->interrupted = r == -ECANCELED;
            if (r < 0 && r != -ECANCELED)
                return r;
        }
    return 0;
}

static double median_of(const struct size_runs *s, bool first)
{
    double values[GROWTH_RUNS_MAX];
    for (size_t i = 0; i < s->count; i++)
        values[i] = first || !s->times[i].again ? s->times[i].first_cpu : s->times[i].cpu;
    return stats_median(values, s->count);
}

static void put_times(struct measuring *m)
{
    const struct size_runs *top = &m->sizes[m->size_count - 1];
    for (size_t i = 0; i < m->size_count; i++)
        if (m->sizes[i].count > 0 && m->sizes[i].times[0].again)
            top = &m->sizes[i];
    double first = median_of(top, true), later = median_of(top, false);
    m->r->remembers = first > REMEMBERS * later && first - later > REMEMBERED;
    for (size_t i = 0; i < m->size_count; i++) {
        const struct size_runs *s = &m->sizes[i];
        struct growth_sample cpu = {.n = s->n}, wall = cpu;
        for (size_t k = 0; k < s->count; k++) {
            bool take_first = m->r->remembers || !s->times[k].again;
            cpu.values[cpu.count++] = take_first ? s->times[k].first_cpu : s->times[k].cpu;
            wall.values[wall.count++] = take_first ? s->times[k].first_wall : s->times[k].wall;
        }
        m->r->series[GROWTH_CPU].samples[m->r->series[GROWTH_CPU].count++] = cpu;
        m->r->series[GROWTH_WALL].samples[m->r->series[GROWTH_WALL].count++] = wall;
    }
    const struct growth_times *last = &m->sizes[m->size_count - 1].times[0];
    m->r->setup_share = last->setup / fmax(last->setup + last->first_cpu, 1e-12);
}

/* ---- counts ---- */

static void put_value(struct growth_series *s, double n, double value)
{
    if (s->count == 0 || s->samples[s->count - 1].n != n)
        s->samples[s->count++] = (struct growth_sample){.n = n};
    struct growth_sample *at = &s->samples[s->count - 1];
    at->values[at->count++] = value;
}

/* From the smallest size up, until the budget's part is spent; what cannot be counted any more is no error. The sizes
 * that a fit takes are counted once in any case: on a busy machine it is the counts that are to be trusted. */
static int count_all(struct measuring *m, const char *mode, uint32_t runs, double part)
{
    double cost = 0;
    bool memory = strcmp(mode, "memory") == 0;
    for (size_t i = 0; i < m->size_count; i++) {
        double ratio = i > 0 ? fmax(m->sizes[i].n / m->sizes[i - 1].n,
                                   median_of(&m->sizes[i], true) / fmax(median_of(&m->sizes[i - 1], true), 1e-9))
                             : 1;
        double left = budget(m) * part - spent(m);
        if (cost * fmin(ratio, 64) * runs > left && i >= (memory ? 1 : GROWTH_SIZES_MIN))
            return 0;
        for (uint32_t k = 0; k < (cost > left ? 1 : runs); k++) {
            struct prove_run run = {0};
            double counts[3] = {0};
            uint64_t before = clock_monotonic_ns();
            uint64_t timeout = (uint64_t)(fmax(left, 2) * 1e9);
            int r = run_harness(m, memory ? "memory" : "counts", m->sizes[i].n,
                timeout < m->o.timeout_ns ? timeout : m->o.timeout_ns, &run, "\"mode\":\"%s\"", mode);
            if (r == -ETIMEDOUT)
                return 0;
            if (r < 0)
                return r;
            r = no_answer(m, memory ? growth_read_memory(&run.answer, &counts[0])
                                    : growth_read_counts(&run.answer, counts, m->r->counted_by));
            prove_run_release(&run);
            if (r < 0)
                return r;
            cost = (double)(clock_monotonic_ns() - before) / 1e9;
            if (memory) {
                put_value(&m->r->series[GROWTH_MEMORY], m->sizes[i].n, counts[0]);
                continue;
            }
            put_value(&m->r->series[GROWTH_CALLS], m->sizes[i].n, counts[0]);
            put_value(&m->r->series[GROWTH_LINES], m->sizes[i].n, counts[1]);
            put_value(&m->r->series[GROWTH_INSTRUCTIONS], m->sizes[i].n, counts[2]);
        }
    }
    return 0;
}

/* ---- lines ---- */

/* How long the lines of size i take to trace, by the lines that were counted. */
static double trace_cost(const struct measuring *m, size_t i)
{
    const struct growth_series *lines = &m->r->series[GROWTH_LINES];
    const struct growth_sample *last = &lines->samples[lines->count - 1];
    double slope = fmax(m->r->fits[GROWTH_LINES].exponent.estimate, 0);
    double count = growth_sample_value(last) * pow(fmax(m->sizes[i].n / last->n, 1), slope);
    return count * LINE_SECONDS + median_of(&m->sizes[i], true);
}

static int look_at_lines(struct measuring *m)
{
    struct prove_run run = {0};
    size_t more = m->size_count - 1;
    while (more > 2 && trace_cost(m, more) > fmax(1, budget(m) * 0.1))
        more--;
    size_t few = more >= 2 ? more - 2 : 0;
    int r = run_harness(
        m, "lines", m->sizes[few].n, m->o.timeout_ns, &run, "\"mode\":\"where\",\"more\":%.0f", m->sizes[more].n);
    if (r == -ETIMEDOUT)
        return 0;
    if (r < 0)
        return r;
    r = no_answer(m, growth_read_lines(&run.answer, m->sizes[few].n, m->sizes[more].n, m->r));
    prove_run_release(&run);
    return r;
}

/* ---- all of it ---- */

static int measure(struct measuring *m)
{
    int r = 0;
    for (size_t i = 0; i < m->o.size_count; i++)
        m->sizes[m->size_count++].n = m->o.sizes[i];
    if (m->size_count == 0)
        r = choose_sizes(m);
    if (r == 0)
        r = time_all(m);
    if (r < 0)
        return r;
    put_times(m);
    if (!m->r->interrupted)
        r = count_all(m, "count", COUNT_RUNS, COUNT_PART);
    if (r == 0 && !m->r->interrupted)
        r = count_all(m, "memory", 1, 1);
    growth_judge(m->r);
    if (r == 0 && !m->r->interrupted && m->r->verdict.basis == GROWTH_INSIDE_C && m->r->fitted[GROWTH_LINES])
        r = look_at_lines(m);
    if (r == -ECANCELED) {
        m->r->interrupted = true;
        r = 0;
    }
    return r;
}

int growth_measure(struct prove_runner *runner, const struct prove_subject *s, const struct growth_options *options,
    struct growth_result **ret, struct error *e)
{
    struct measuring *m = calloc(1, sizeof(*m));
    struct growth_result *r = calloc(1, sizeof(*r));
    if (m == NULL || r == NULL) {
        free(m);
        free(r);
        return error_set(e, ENOMEM, "out of memory");
    }
    arena_init(&r->arena, ARENA_MAX);
    *m = (struct measuring){.runner = runner, .subject = s, .o = *options, .r = r, .e = e};
    m->began = clock_monotonic_ns();
    m->o.budget_ns = m->o.budget_ns != 0 ? m->o.budget_ns : BUDGET_NS;
    m->o.timeout_ns = m->o.timeout_ns != 0 ? m->o.timeout_ns : TIMEOUT_NS;
    m->o.runs = m->o.runs == 0 ? RUNS : m->o.runs > GROWTH_RUNS_MAX ? GROWTH_RUNS_MAX : m->o.runs;
    int result = measure(m);
    r->spent_ns = clock_monotonic_ns() - m->began;
    free(m);
    if (result < 0) {
        growth_free(r);
        return result;
    }
    *ret = r;
    return 0;
}

void growth_free(struct growth_result *r)
{
    if (r == NULL)
        return;
    arena_release(&r->arena);
    free(r);
}
