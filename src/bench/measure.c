/* Runs of one subject: how many, how long, and what they come to. */
#include "bench/bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET_NS UINT64_C(10000000000)
#define TIMEOUT_NS UINT64_C(60000000000)
#define PROCESSES 10u    /* of a function */
#define PROCESSES_MIN 2u /* that an interval takes */
#define RUNS_MIN 10u     /* of a command, unless the budget is far too small */
#define RUNS_MOST 100u
#define STARTS 10u      /* empty runs of the interpreter */
#define START_PART 0.15 /* of the budget, for those */
#define BATCH_NS 5000000u
#define BATCHES_MIN 5.0
#define BATCHES_MOST 500.0
#define TOLERANCE 0.01 /* levels that differ by less are one */

struct run_facts { /* of one process */
    double wall, cpu, start, memory, minor, major, voluntary, involuntary, deviation;
};
struct measuring {
    struct prove_runner *runner;
    const struct prove_subject *subject;
    struct bench_options o;
    struct bench_result *r;
    struct error *e;
    uint64_t began;
    struct run_facts *facts;
    size_t count, planned;
    size_t value_capacity;
};

const char *bench_class_words(enum stats_steady_kind kind)
{
    static const char *const words[] = {
        [STATS_FLAT] = "flat",
        [STATS_WARM_UP] = "warm-up",
        [STATS_SLOWDOWN] = "slowdown",
        [STATS_NO_STEADY_STATE] = "no steady state",
    };
    return words[kind];
}

static double spent(const struct measuring *m)
{
    return (double)(clock_monotonic_ns() - m->began) / 1e9;
}

static void tell(const struct measuring *m, const char *stage, size_t done, size_t planned)
{
    if (m->o.progress != NULL)
        m->o.progress(m->o.context, stage, done, planned);
}

static struct run_facts facts_of(const struct prove_run *run)
{
    return (struct run_facts){
        .wall = (double)run->wall_ns / 1e9,
        .cpu = (double)(run->user_ns + run->system_ns) / 1e9,
        .memory = (double)run->memory,
        .minor = (double)run->minor_faults,
        .major = (double)run->major_faults,
        .voluntary = (double)run->voluntary,
        .involuntary = (double)run->involuntary,
    };
}

static int keep_values(struct measuring *m, const double *values, size_t count)
{
    int r = array_reserve(&m->r->values, &m->value_capacity, m->r->value_count + count, sizeof(*values));
    if (r < 0)
        return error_set(m->e, ENOMEM, "out of memory");
    memcpy(m->r->values + m->r->value_count, values, count * sizeof(*values));
    m->r->value_count += count;
    return 0;
}

/* The median of one of the facts over all processes; `offset` of struct run_facts. */
static int column(const struct measuring *m, size_t offset, double **ret)
{
    double *values = calloc(m->count + 1, sizeof(*values));
    if (values == NULL)
        return error_set(m->e, ENOMEM, "out of memory");
    for (size_t i = 0; i < m->count; i++)
        memcpy(&values[i], (const char *)&m->facts[i] + offset, sizeof(double));
    *ret = values;
    return 0;
}

static int median_fact(const struct measuring *m, size_t offset, double *ret)
{
    CLEANUP(free_pointer) double *values = NULL;
    int r = column(m, offset, &values);
    if (r == 0)
        *ret = stats_median(values, m->count);
    return r;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The centre and spread of a fact between processes; of `all` values its quantiles. */
static int figure_of(
    const struct measuring *m, size_t offset, const double *all, size_t all_count, struct bench_figure *ret)
{
    CLEANUP(free_pointer) double *values = NULL, *sorted = NULL;
    struct bench_figure f = {.within = 0};
    int r = column(m, offset, &values);
    if (r < 0 || values == NULL)
        return r;
    r = stats_hodges_lehmann(values, m->count, BENCH_CONFIDENCE, &f.centre);
    if (r < 0)
        return error_set(m->e, -r, "cannot find the centre of %zu values: %s", m->count, strerror(-r));
    f.deviation = stats_sd(values, m->count);
    if (all == NULL) {
        all = values;
        all_count = m->count;
    }
    sorted = calloc(all_count + 1, sizeof(*sorted));
    if (sorted == NULL)
        return error_set(m->e, ENOMEM, "out of memory");
    memcpy(sorted, all, all_count * sizeof(*sorted));
    qsort(sorted, all_count, sizeof(*sorted), compare_doubles);
    f.least = sorted[0];
    f.p5 = stats_quantile(sorted, all_count, 0.05);
    f.p25 = stats_quantile(sorted, all_count, 0.25);
    f.median = stats_quantile(sorted, all_count, 0.5);
    f.p75 = stats_quantile(sorted, all_count, 0.75);
    f.p95 = stats_quantile(sorted, all_count, 0.95);
    f.most = sorted[all_count - 1];
    *ret = f;
    return 0;
}

/* What both kinds have of their processes. */
static int sum_up(struct measuring *m)
{
    struct bench_result *r = m->r;
    int result = figure_of(m, offsetof(struct run_facts, wall), r->values, r->value_count, &r->figures[BENCH_WALL]);
    if (result == 0)
        result = figure_of(m, offsetof(struct run_facts, cpu), NULL, 0, &r->figures[BENCH_CPU]);
    if (result == 0)
        result = median_fact(m, offsetof(struct run_facts, memory), &r->memory);
    if (result == 0)
        result = median_fact(m, offsetof(struct run_facts, minor), &r->minor_faults);
    if (result == 0)
        result = median_fact(m, offsetof(struct run_facts, major), &r->major_faults);
    if (result == 0)
        result = median_fact(m, offsetof(struct run_facts, voluntary), &r->voluntary);
    if (result == 0)
        result = median_fact(m, offsetof(struct run_facts, involuntary), &r->involuntary);
    for (size_t i = 0; i < m->count; i++)
        r->memory_most = fmax(r->memory_most, m->facts[i].memory);
    r->process_count = m->count;
    return result;
}

/* ---- commands ---- */

static int run_command(struct measuring *m, const struct prove_subject *s, struct run_facts *ret)
{
    struct prove_batches batches;
    struct prove_run run;
    struct prove_process how = {.timeout_ns = m->o.timeout_ns};
    int r = prove_subject_run(m->runner, s, NULL, &how, &batches, &run, m->e);
    if (r < 0)
        return r;
    *ret = facts_of(&run);
    m->r->own_cpu += ret->cpu;
    prove_batches_release(&batches);
    prove_run_release(&run);
    return 0;
}

/* A python or a shell, run to do nothing: what it takes to start is in every run of the command. */
static int empty_run_of(const struct prove_subject *s, struct prove_subject **ret, char *name, size_t size)
{
    char *words[] = {s->argv[0], (char *)(uintptr_t) "-c", (char *)(uintptr_t) "pass", NULL};
    const char *slash = strrchr(s->argv[0], '/'), *base = slash != NULL ? slash + 1 : s->argv[0];
    struct prove_subject_options given = {.folder = s->options.folder, .environment = s->options.environment};
    if (strcmp(base, "sh") == 0 || strcmp(base, "bash") == 0 || strcmp(base, "dash") == 0)
        words[2] = (char *)(uintptr_t) ":";
    else if (strncmp(base, "python", 6) != 0)
        return -ENOTSUP;
    snprintf(name, size, "%.40s -c %s", base, words[2]);
    return prove_subject_new_command(words, &given, ret, NULL);
}

static int measure_start(struct measuring *m)
{
    struct prove_subject *empty = NULL;
    struct bench_result *r = m->r;
    double walls[STARTS], budget = (double)m->o.budget_ns / 1e9;
    size_t count = 0;
    if (empty_run_of(m->subject, &empty, r->start_of, sizeof(r->start_of)) < 0)
        return 0;
    int result = 0;
    while (result == 0 && count < STARTS && (count < PROCESSES_MIN || spent(m) < budget * START_PART)) {
        struct run_facts f;
        tell(m, "start-up", count, STARTS);
        result = run_command(m, empty, &f);
        if (result == 0)
            walls[count++] = f.wall;
    }
    prove_subject_free(empty);
    if (result < 0)
        return result;
    r->have_start = stats_hodges_lehmann(walls, count, BENCH_CONFIDENCE, &r->start) == 0;
    return 0;
}

static int measure_command(struct measuring *m)
{
    double budget = (double)m->o.budget_ns / 1e9;
    int r = measure_start(m);
    if (r < 0)
        return r;
    m->planned = m->o.runs != 0 ? m->o.runs : RUNS_MOST;
    while (m->count < m->planned) {
        tell(m, "runs", m->count, m->planned);
        r = run_command(m, m->subject, &m->facts[m->count]);
        if (r == -ECANCELED && m->count >= PROCESSES_MIN) {
            m->r->interrupted = true;
            break;
        }
        if (r < 0)
            return r;
        r = keep_values(m, &m->facts[m->count].wall, 1);
        if (r < 0)
            return r;
        m->count++;
        /* Twice the budget for the least number of runs, and then a command that takes long gets few. */
        double over = m->count >= RUNS_MIN ? 1 : m->count >= PROCESSES_MIN + 1 ? 2 : INFINITY;
        if (m->o.runs == 0 && spent(m) > budget * over)
            break;
    }
    return sum_up(m);
}

/* ---- functions ---- */

static double median_from(const double *x, size_t from, size_t n, double *work)
{
    memcpy(work, x + from, (n - from) * sizeof(*work));
    return stats_median(work, n - from);
}

/* One process: where it was steady, and what it took there. */
static int take_process(struct measuring *m, const struct prove_batches *b, const struct prove_run *run)
{
    struct bench_process *p = &m->r->processes[m->count];
    struct run_facts *f = &m->facts[m->count];
    CLEANUP(free_pointer) double *work = calloc(b->count, sizeof(*work));
    if (work == NULL)
        return error_set(m->e, ENOMEM, "out of memory");
    *f = facts_of(run);
    m->r->own_cpu += f->cpu;
    f->start = (double)b->start / 1e9;
    int r = stats_steady(b->wall, b->count, TOLERANCE, &p->steady);
    if (r < 0) /* too few batches to say */
        p->steady = (struct stats_steady){.kind = STATS_NO_STEADY_STATE, .from = b->count, .level = NAN};
    bool steady = p->steady.from < b->count;
    size_t from = steady ? p->steady.from : b->count / 2;
    p->warm_up = steady ? 0 : NAN;
    for (size_t i = 0; steady && i < from; i++)
        p->warm_up += b->wall[i] * (double)b->loops;
    p->level = f->wall = median_from(b->wall, from, b->count, work);
    f->cpu = median_from(b->cpu, from, b->count, work);
    f->deviation = stats_sd(b->wall + from, b->count - from);
    m->r->classes[p->steady.kind]++;
    return keep_values(m, b->wall + from, b->count - from);
}

/* How many calls a batch: a process of its own finds out, since what it calls warms it up. */
static int plan_function(struct measuring *m, struct prove_batch_options *ret)
{
    struct prove_batches b;
    struct prove_process how = {.timeout_ns = m->o.timeout_ns};
    struct prove_run run;
    tell(m, "calibration", 0, m->planned);
    int r = prove_subject_run(
        m->runner, m->subject, &(struct prove_batch_options){.batch_ns = BATCH_NS, .batches = 1}, &how, &b, &run, m->e);
    if (r < 0)
        return r;
    double batch = fmax(b.wall[0] * (double)b.loops, 1e-6);
    double left = fmax((double)m->o.budget_ns / 1e9 - spent(m), 0);
    double batches = left / (double)m->planned / batch;
    *ret = (struct prove_batch_options){
        .loops = b.loops, .batches = (uint32_t)fmin(fmax(batches, BATCHES_MIN), BATCHES_MOST)};
    m->r->loops = b.loops;
    m->r->batches = ret->batches;
    m->r->own_cpu += (double)(run.user_ns + run.system_ns) / 1e9;
    prove_batches_release(&b);
    prove_run_release(&run);
    return 0;
}

static int measure_function(struct measuring *m)
{
    struct prove_batch_options how_much;
    m->planned = m->o.runs != 0 ? m->o.runs : PROCESSES;
    int r = plan_function(m, &how_much);
    for (uint32_t i = 0; r == 0 && i < m->planned; i++) {
        struct prove_batches b;
        struct prove_run run;
        struct prove_process how = {
            .timeout_ns = m->o.timeout_ns,
            .seeded = true,
            .hash_seed = i + 1, /* luck with hashes and layout is part of the spread between processes */
            .padding = i * 64 % PROVE_PADDING_MAX,
        };
        tell(m, "processes", i, m->planned);
        /* A long call may have been quicker in the calibration than it is now. */
        if (m->count > PROCESSES_MIN && spent(m) > 2 * (double)m->o.budget_ns / 1e9)
            break;
        r = prove_subject_run(m->runner, m->subject, &how_much, &how, &b, &run, m->e);
        if (r == -ECANCELED && m->count >= PROCESSES_MIN) {
            m->r->interrupted = true;
            r = 0;
            break;
        }
        if (r < 0)
            return r;
        r = take_process(m, &b, &run);
        prove_batches_release(&b);
        prove_run_release(&run);
        m->count += r == 0;
    }
    if (r == 0)
        r = sum_up(m);
    if (r < 0)
        return r;
    m->r->steady = 2 * m->r->classes[STATS_NO_STEADY_STATE] < m->count;
    r = median_fact(m, offsetof(struct run_facts, deviation), &m->r->figures[BENCH_WALL].within);
    CLEANUP(free_pointer) double *starts = NULL;
    if (r == 0)
        r = column(m, offsetof(struct run_facts, start), &starts);
    if (r == 0)
        m->r->have_start = stats_hodges_lehmann(starts, m->count, BENCH_CONFIDENCE, &m->r->start) == 0;
    return r;
}

int bench_measure(struct prove_runner *runner, const struct prove_subject *s, const struct bench_options *options,
    struct bench_result **ret, struct error *e)
{
    struct bench_result *r = calloc(1, sizeof(*r));
    struct measuring m = {.runner = runner, .subject = s, .o = *options, .r = r, .e = e};
    if (m.o.runs == 1 || m.o.runs > BENCH_RUNS_MAX) {
        free(r);
        return error_set(e, EINVAL, "the runs have to be between %u and %d", PROCESSES_MIN, BENCH_RUNS_MAX);
    }
    m.facts = calloc(BENCH_RUNS_MAX, sizeof(*m.facts));
    if (r != NULL)
        r->processes = calloc(BENCH_RUNS_MAX, sizeof(*r->processes));
    if (r == NULL || m.facts == NULL || r->processes == NULL) {
        free(m.facts);
        bench_free(r);
        return error_set(e, ENOMEM, "out of memory");
    }
    m.began = clock_monotonic_ns();
    m.o.budget_ns = m.o.budget_ns != 0 ? m.o.budget_ns : BUDGET_NS;
    m.o.timeout_ns = m.o.timeout_ns != 0 ? m.o.timeout_ns : TIMEOUT_NS;
    r->function = s->kind == PROVE_FUNCTION;
    int result = r->function ? measure_function(&m) : measure_command(&m);
    r->spent_ns = clock_monotonic_ns() - m.began;
    free(m.facts);
    if (result < 0) {
        bench_free(r);
        return result;
    }
    *ret = r;
    return 0;
}

void bench_free(struct bench_result *r)
{
    if (r == NULL)
        return;
    free(r->values);
    free(r->processes);
    free(r);
}
