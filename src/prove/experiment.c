/* The experiment: a probe, a pilot that chooses how to run, blocks until the verdict is settled or the budget spent. */
#include "prove/experiment.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define TIMEOUT (60 * SECOND)
#define BUDGET_LEAST (15 * SECOND)
#define BUDGET_MOST (1800 * SECOND)
#define BUDGET_PAIRS 40  /* runs of each side that a budget nobody gave allows */
#define PILOT_SHARE 0.25 /* of the budget that the pilot may cost */
#define MEMORY_SHARE 0.5 /* of what is free that a duet may take */
#define STEAL_MOST 0.02  /* of a block's time, before it is run again */
#define RERUNS_MOST 32
#define BATCHES_FIRST 3
#define DUET_SECONDS 0.02 /* of a run at least: of shorter ones the start of the other one is a part */
/* A duet of which a side's runs are as much alike is kept without more ado; of others turns are taken if the pilot
 * finds them worth so many times as much: one block tells little, and a moment in which turns do well passes. */
#define DUET_ALIKE 0.05
#define TURNS_BETTER 10.0
#define PARALLEL 1.1        /* CPU time over wall time, beyond which more than one thread must have run */
#define START_DOMINATES 0.5 /* of a run's time */
#define START_SECONDS 0.005 /* no command does much in this */
#define PRESSURE_TOLD 0.2   /* of the time */
#define SPREAD_TOLD 0.08    /* of the CPU time of one side's runs: what does the same work takes the same */
#define PAGE 4096.0

struct experiment {
    struct prove_runner *runner;
    const struct prove_options *options;
    struct prove_result *result;
    struct block_plan plan;
    struct stats_verdict *verdicts[PROVE_METRICS];
    bool usable[PROVE_METRICS];
    struct values {
        double *items;
        size_t count, capacity;
    } values[SIDES][PROVE_METRICS];
    struct inputs inputs;
    uint64_t random, begun_ns, budget_ns;
    double run_seconds[SIDES]; /* as the probe found */
    uint64_t run_memory;       /* of both sides together */
    bool untried;              /* duets without a pilot */
    bool queued_known;         /* whether the kernel tells how long a run waited for the CPU */
    double block_seconds;
    double start_seconds; /* of an empty python; 0: unknown */
    double pressure_blocks;
    bool varies, differ; /* in what they print: from run to run of a side; between the sides */
};

static const char *const side_names[SIDES] = {"A", "B"};

static void note(struct experiment *x, const char *format, ...) PRINTF_LIKE(2, 3);
static void note(struct experiment *x, const char *format, ...)
{
    size_t used = strlen(x->result->notes), left = sizeof(x->result->notes) - used;
    va_list arguments;
    char line[512];
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (strlen(line) + 2 < left)
        snprintf(x->result->notes + used, left, "%s%s", used ? "\n" : "", line);
}

static uint64_t spent(const struct experiment *x)
{
    return clock_monotonic_ns() - x->begun_ns;
}

static void tell(const struct experiment *x, const char *stage, const struct stats_decision *d)
{
    struct prove_progress p = {
        .stage = stage,
        .runs = x->result->runs,
        .spent_ns = spent(x),
        .budget_ns = x->budget_ns,
        .ratio = d ? d->estimate : NAN,
        .low = d ? d->low : NAN,
        .high = d ? d->high : NAN,
    };
    if (x->options->progress)
        x->options->progress(x->options->context, &p);
}

/* ---- the probe: does it run at all, what does it print, does it run in parallel ---- */

static int probe_side(struct experiment *x, int side, int turn, struct block *b, uint32_t hash_seed, struct error *e)
{
    struct block_plan plan = x->plan;
    plan.mode = PROVE_INTERLEAVED;
    plan.watched = turn == 0;
    plan.value = true;
    plan.batches = BATCHES_FIRST;
    x->result->runs++;
    return block_turn_run(x->runner, &plan, side, turn, &x->random, hash_seed, b, e);
}

static int compare_outputs(struct experiment *x, const struct block *b, struct error *e)
{
    const struct prove_subject *s = x->plan.subjects[SIDE_A];
    bool values = x->plan.value || s->kind == PROVE_COMMAND; /* functions are asked in the probe only */
    if (!values || s->kind != x->plan.subjects[SIDE_B]->kind)
        return 0;
    for (int side = 0; side < SIDES; side++) {
        const struct block_turn *t = b->turns[side];
        if (!b->done[side][0] || !b->done[side][1] || outputs_same(s, &t[0], &t[1]))
            continue;
        x->varies = true;
        if (x->options->same_output) {
            outputs_blame(s, "one run", &t[0], "the next one", &t[1], e);
            error_prefix(
                e, "%s is not the same from run to run, so that nothing can be compared with it", side_names[side]);
            return -EXDEV;
        }
    }
    if (!outputs_same(s, &b->turns[SIDE_A][0], &b->turns[SIDE_B][0])) {
        x->differ = true;
        if (x->options->same_output)
            return outputs_blame(s, "A", &b->turns[SIDE_A][0], "B", &b->turns[SIDE_B][0], e);
    }
    return 0;
}

/* Who runs more than one thread, or NULL. */
static const char *why_parallel(const struct prove_run *run)
{
    double cpu = (double)(run->user_ns + run->system_ns);
    if (run->processes > 1)
        return "starts other processes";
    if (run->threads > 1)
        return "starts threads";
    return cpu > PARALLEL * (double)run->wall_ns ? "uses more than one CPU" : NULL;
}

/* How long a python takes to do nothing. */
static int probe_start(struct experiment *x, struct error *e)
{
    const struct prove_subject *s = x->plan.subjects[SIDE_B];
    char *argv[] = {s->argv[0], (char *)(uintptr_t) "-c", (char *)(uintptr_t) "", NULL};
    struct prove_process p = {.argv = argv,
        .folder = s->options.folder,
        .environment = s->options.environment,
        .timeout_ns = x->plan.timeout_ns};
    struct prove_run run;
    for (int i = 0; i < 2 && s->kind == PROVE_COMMAND && subject_is_python(s); i++) {
        int r = prove_run(x->runner, &p, 1, &run, e);
        if (r < 0)
            return r;
        double seconds = (double)run.wall_ns / 1e9;
        if (run.status == 0 && (x->start_seconds == 0 || seconds < x->start_seconds))
            x->start_seconds = seconds;
        prove_run_release(&run);
    }
    return 0;
}

static void choose_parallel(struct experiment *x, const struct block *b)
{
    static const char *const texts[SIDES] = {
        "A %s: nothing is pinned, and the two take turns", "B %s: nothing is pinned, and the two take turns"};
    for (int side = 0; side < SIDES; side++) {
        const char *why = why_parallel(&b->turns[side][0].run);
        if (!why || x->result->mode_why[0])
            continue;
        snprintf(x->result->mode_why, sizeof(x->result->mode_why), texts[side], why);
    }
    x->plan.mode = x->result->mode_why[0] ? PROVE_INTERLEAVED : PROVE_PINNED;
}

static int probe(struct experiment *x, struct block *b, struct error *e)
{
    int turns = x->options->same_output ? TURNS : 1, r = 0;
    uint32_t hash_seed = (uint32_t)(random_next(&x->random) >> 33) | 1u;

    tell(x, "probe", NULL);
    inputs_init(&x->inputs);
    for (int side = 0; side < SIDES && r == 0; side++)
        r = inputs_note(&x->inputs, x->plan.subjects[side]);
    if (r < 0)
        return error_set(e, -r, "out of memory");
    for (int i = 0; i < SIDES * turns && r == 0; i++)
        r = probe_side(x, i % SIDES, i / SIDES, b, hash_seed, e);
    if (r == 0) {
        x->plan.value = true;
        r = compare_outputs(x, b, e);
        x->plan.value = false;
    }
    if (r == 0)
        r = probe_start(x, e);
    if (r < 0)
        return r;
    for (int side = 0; side < SIDES; side++) {
        x->plan.loops[side] = b->turns[side][0].batches.loops;
        x->run_seconds[side] = (double)b->turns[side][turns - 1].run.wall_ns / 1e9;
        x->run_memory += b->turns[side][0].run.memory;
    }
    x->queued_known = b->turns[SIDE_A][0].run.queued_known;
    choose_parallel(x, b);
    return 0;
}

/* ---- the pilot ---- */

struct pilot {
    double variance, seconds; /* of ln of a side's runs; of a block */
};

static int run_pilot(struct experiment *x, enum prove_mode mode, struct pilot *p, struct error *e)
{
    struct block_plan plan = x->plan;
    struct block b;

    plan.mode = mode;
    tell(x, "pilot", NULL);
    int r = block_run(x->runner, &plan, &x->random, &b, e);
    x->result->runs += SIDES * TURNS;
    if (r == 0) {
        struct stats_block s = block_compare(&b, x->options->metric);
        p->variance = (s.control_a * s.control_a + s.control_b * s.control_b) / 4;
        p->seconds = b.seconds;
    }
    block_release(&b);
    return r;
}

/* What speaks against running both sides at once, before it is tried; NULL: nothing. */
static const char *why_no_duet(const struct experiment *x)
{
    uint64_t available = machine_memory_available();
    if (inputs_written(&x->inputs))
        return "they write files, in whose way two at once would be";
    if (!x->queued_known)
        return "this kernel does not tell how long two that share a CPU wait for it";
    if (available > 0 && (double)(TURNS * x->run_memory) > MEMORY_SHARE * (double)available)
        return "they take too much memory to run at the same time";
    if (fmin(x->run_seconds[SIDE_A], x->run_seconds[SIDE_B]) < DUET_SECONDS)
        return "too short for duets";
    return NULL;
}

static void set_why(struct experiment *x, const char *why)
{
    snprintf(x->result->mode_why, sizeof(x->result->mode_why), "each is one thread; %s", why);
}

static const char not_at_once[] = "they do not run at the same time"; /* a port, a lock: alone each of them runs */

/* Of one thread a side: a duet if it can be one and serves. Sets the plan's mode. */
static int try_duet(struct experiment *x, const char **why, struct error *e)
{
    double budget = PILOT_SHARE * (double)x->budget_ns / 1e9;
    struct pilot pinned = {0}, duet = {0};

    *why = why_no_duet(x);
    if (*why)
        return 0;
    if (TURNS * (x->run_seconds[SIDE_A] + x->run_seconds[SIDE_B]) > budget) {
        x->plan.mode = PROVE_DUET;
        x->untried = true;
        *why = "the budget is too small for a pilot";
        return 0;
    }
    int r = run_pilot(x, PROVE_DUET, &duet, e);
    if (r < 0) {
        *why = not_at_once;
        return r == -ECANCELED ? r : 0;
    }
    x->plan.mode = PROVE_DUET;
    x->block_seconds = duet.seconds;
    *why = "in the pilot a side's runs were alike";
    if (duet.variance <= DUET_ALIKE * DUET_ALIKE)
        return 0;
    *why = "the budget is too small to try turns";
    if (2 * duet.seconds > budget)
        return 0;
    r = run_pilot(x, PROVE_PINNED, &pinned, e);
    *why = "in the pilot turns did not tell more";
    if (r < 0 || duet.variance * duet.seconds <= TURNS_BETTER * pinned.variance * pinned.seconds)
        return r;
    x->plan.mode = PROVE_PINNED;
    x->block_seconds = pinned.seconds;
    *why = "in the pilot turns told more than runs at once";
    return 0;
}

static int choose_mode(struct experiment *x, struct error *e)
{
    const char *why;
    if (x->plan.mode == PROVE_INTERLEAVED)
        return 0;
    int r = try_duet(x, &why, e);
    if (r == 0)
        set_why(x, why);
    return r;
}

/* ---- blocks ---- */

/* Bonferroni's correction, so that a look may stop at it; Holm's steps after it are the caller's. */
static double family_z(uint32_t family)
{
    return family < 2 ? 0 : -stats_normal_quantile((1 - stats_normal_cdf(STATS_Z)) / family);
}

static int verdicts_new(struct experiment *x, struct error *e)
{
    double left = fmax(0, (double)x->budget_ns - (double)spent(x)) / 1e9;
    if (x->block_seconds <= 0)
        x->block_seconds = TURNS * (x->run_seconds[SIDE_A] + x->run_seconds[SIDE_B]);
    /* the time decides, and not how long blocks took in the pilot; up to STATS_BUDGET its bounds are the same */
    double blocks = fmin(fmax(floor(left / fmax(x->block_seconds, 1e-4)), STATS_BUDGET), STATS_BLOCKS_MAX);
    for (int metric = 0; metric < PROVE_METRICS; metric++) {
        struct stats_verdict_options o = {
            .claim = x->options->claim,
            .equivalence = x->options->same,
            .budget = (size_t)blocks,
            .seed = hash_mix(x->result->seed, (uint64_t)metric),
            .z = family_z(x->options->family),
        };
        int r = stats_verdict_new(&o, &x->verdicts[metric]);
        if (r < 0)
            return error_set(e, -r, "cannot begin a verdict: %s", strerror(-r));
        x->usable[metric] = true;
    }
    return 0;
}

static int add_values(struct experiment *x, const struct block *b)
{
    for (int side = 0; side < SIDES; side++)
        for (int metric = 0; metric < PROVE_METRICS; metric++) {
            struct values *v = &x->values[side][metric];
            if (array_reserve(&v->items, &v->capacity, v->count + TURNS, sizeof(*v->items)) < 0)
                return -ENOMEM;
            for (int turn = 0; turn < TURNS; turn++)
                v->items[v->count++] = b->turns[side][turn].values[metric];
        }
    return 0;
}

static int add_block(struct experiment *x, const struct block *b, bool *ret_look, struct error *e)
{
    struct prove_result *result = x->result;
    int r = compare_outputs(x, b, e);
    if (r < 0)
        return r;
    for (int metric = 0; metric < PROVE_METRICS && r == 0; metric++) {
        struct stats_block s = block_compare(b, (enum prove_metric)metric);
        bool look = false;
        if (!isfinite(s.difference) || !isfinite(s.control_a) || !isfinite(s.control_b))
            x->usable[metric] = false;
        if (x->usable[metric])
            r = stats_verdict_add(x->verdicts[metric], &s, &look);
        if (metric == (int)x->options->metric)
            *ret_look = look;
    }
    if (r == 0)
        r = add_values(x, b);
    if (r < 0)
        return error_set(e, -r, "cannot keep a block: %s", strerror(-r));
    if (!x->usable[x->options->metric])
        return error_set(e, EDOM, "a run took no measurable amount of what is compared: see --metric");
    double n = ++result->blocks;
    result->steal += (b->steal - result->steal) / n;
    result->involuntary += (b->involuntary - result->involuntary) / n;
    if (isfinite(b->pressure))
        result->pressure += (b->pressure - result->pressure) / ++x->pressure_blocks;
    return 0;
}

/* One block that other guests left alone, as far as that can be had; what they take of a duet they take of both. */
static int run_guarded(struct experiment *x, struct block *b, struct error *e)
{
    for (;;) {
        int r = block_run(x->runner, &x->plan, &x->random, b, e);
        x->result->runs += SIDES * TURNS;
        if (r < 0 || x->plan.mode == PROVE_DUET || b->steal <= STEAL_MOST || x->result->reruns >= RERUNS_MOST ||
            spent(x) >= x->budget_ns)
            return r;
        x->result->reruns++;
        block_release(b);
    }
}

static int check_inputs(struct experiment *x)
{
    const struct input *changed = inputs_changed(&x->inputs);
    if (!changed)
        return 0;
    const char *slash = strrchr(changed->path, '/');
    note(x,
        changed->named ? "'%s' changed while the runs went on: not every run had the same task"
                       : "the runs change '%s' in their folder: if they read it too, not every run had the same task",
        slash && !changed->named ? slash + 1 : changed->path);
    return 1;
}

/* Whether the first block of duets without a pilot has failed: then turns are taken. */
static bool gives_up_duets(struct experiment *x, int r)
{
    if (r == -ECANCELED || !x->untried || x->result->blocks > 0)
        return false;
    x->untried = false;
    x->plan.mode = PROVE_PINNED;
    set_why(x, not_at_once);
    return true;
}

static int run_blocks(struct experiment *x, struct error *e)
{
    struct stats_decision d = {0};
    bool decided = false, have = false, changed = check_inputs(x) != 0;
    while (!decided) {
        struct block b;
        bool look = false;
        if (x->result->blocks > 0 && spent(x) + (uint64_t)(x->block_seconds * 1e9) > x->budget_ns)
            break;
        tell(x, "blocks", have ? &d : NULL);
        int r = run_guarded(x, &b, e);
        if (r < 0 && gives_up_duets(x, r)) {
            block_release(&b);
            continue;
        }
        if (r == 0)
            r = add_block(x, &b, &look, e);
        if (r == 0)
            x->block_seconds += (b.seconds - x->block_seconds) / 2;
        block_release(&b);
        if (r < 0)
            return r;
        if (look) {
            stats_verdict_decide(x->verdicts[x->options->metric], false, &d);
            have = true;
            decided = d.last;
        }
    }
    if (!changed)
        (void)check_inputs(x);
    return 0;
}

/* ---- the result ---- */

static bool is_change(const struct stats_decision *d)
{
    return d->call == STATS_FASTER || d->call == STATS_SLOWER;
}

static void compare_clocks(struct prove_result *result)
{
    const struct stats_decision *wall = &result->metrics[PROVE_WALL].decision;
    const struct stats_decision *cpu = &result->metrics[PROVE_CPU].decision;
    bool opposite = is_change(wall) && is_change(cpu) && wall->call != cpu->call;
    bool only_one = (is_change(wall) && cpu->call == STATS_SAME) || (is_change(cpu) && wall->call == STATS_SAME);
    result->clocks_disagree = opposite || only_one;
}

static int conclude(struct experiment *x, struct error *e)
{
    const struct stats_verdict *all[PROVE_METRICS];
    struct stats_decision together[PROVE_METRICS];
    struct prove_result *result = x->result;
    int order[PROVE_METRICS], r = 0;
    size_t count = 0;

    for (int metric = 0; metric < PROVE_METRICS; metric++) {
        struct prove_estimate *m = &result->metrics[metric];
        m->decision = (struct stats_decision){
            .call = STATS_UNSETTLED, .estimate = NAN, .low = NAN, .high = NAN, .detectable = NAN, .last = true};
        m->decision.control = (struct stats_interval){NAN, NAN, NAN};
        m->twin = (struct stats_twin){.estimate = NAN, .p = NAN};
        m->a = stats_median(x->values[SIDE_A][metric].items, x->values[SIDE_A][metric].count);
        m->b = stats_median(x->values[SIDE_B][metric].items, x->values[SIDE_B][metric].count);
        if (x->usable[metric] && result->blocks > 0) {
            order[count] = metric;
            all[count++] = x->verdicts[metric];
        }
    }
    if (count == 0)
        return 0;
    r = stats_verdict_decide_all(all, count, together);
    for (size_t i = 0; i < count && r == 0; i++) {
        struct prove_estimate *m = &result->metrics[order[i]];
        m->decision = together[i];
        if (order[i] == (int)result->metric)
            stats_verdict_decide(all[i], true, &m->decision); /* what was asked for stands for itself */
        r = stats_verdict_twin(all[i], &m->decision, &m->twin);
    }
    if (r < 0)
        return error_set(e, -r, "cannot conclude: %s", strerror(-r));
    compare_clocks(result);
    return 0;
}

static double least_of(const struct values *v)
{
    double least = INFINITY;
    for (size_t i = 0; i < v->count; i++)
        least = fmin(least, v->items[i]);
    return least;
}

/* The standard deviation of a side's runs, as a share of them: of duets of those of one block. */
static double spread_of_side(const struct values *v, enum prove_mode mode)
{
    double sum = 0;
    if (v->count < TURNS)
        return 0;
    if (mode != PROVE_DUET) {
        double mean = stats_mean(v->items, v->count).value;
        return mean > 0 ? stats_sd(v->items, v->count) / mean : 0;
    }
    for (size_t i = 0; i + 1 < v->count; i += TURNS)
        sum += pow(log(v->items[i] / v->items[i + 1]), 2) / 2;
    return sqrt(sum * TURNS / (double)v->count);
}

/* Why an open verdict is open, where neither steal nor waiting tells. */
static void note_spread(struct experiment *x)
{
    enum prove_mode mode = x->result->mode;
    double spread =
        fmax(spread_of_side(&x->values[SIDE_A][PROVE_CPU], mode), spread_of_side(&x->values[SIDE_B][PROVE_CPU], mode));
    if (x->result->metrics[x->result->metric].decision.call != STATS_UNSETTLED || !(spread >= SPREAD_TOLD))
        return;
    if (mode == PROVE_DUET)
        note(x,
            "runs of one side differ by %.0f %% in CPU time, though made at once on one CPU: they don't do the same "
            "work",
            100 * spread);
    else
        note(x,
            "runs of one side differ by %.0f %% in CPU time: either they don't do the same work each time, or this "
            "machine changes its speed (its clock, a neighbour on the same core), which only more runs or a quieter "
            "hour help",
            100 * spread);
}

static void add_notes(struct experiment *x)
{
    struct prove_result *result = x->result;
    double least = fmin(least_of(&x->values[SIDE_A][PROVE_WALL]), least_of(&x->values[SIDE_B][PROVE_WALL]));
    bool command = x->plan.subjects[SIDE_A]->kind == PROVE_COMMAND;
    result->start_dominates = command && (least < START_SECONDS || x->start_seconds > START_DOMINATES * least);
    if (result->start_dominates && x->start_seconds > 0)
        note(x, "of the %.3g ms of a run %.3g are the start of python: give it more work, or compare functions",
            least * 1e3, x->start_seconds * 1e3);
    else if (result->start_dominates)
        note(x, "a run takes %.3g ms, most of it to start: give it more work, or compare functions", least * 1e3);
    if (!x->options->same_output && x->differ && !x->varies)
        note(x, "A and B do not %s the same: --same-output shows where", command ? "print" : "return");
    if (result->steal > STEAL_MOST)
        note(x, "other guests of this machine took %.1f %% of the CPU's time", 100 * result->steal);
    else if (result->reruns > 0)
        note(x, "blocks in which other guests of this machine took the CPU were run again: %u", result->reruns);
    const struct stats_decision *wall = &result->metrics[PROVE_WALL].decision,
                                *cpu = &result->metrics[PROVE_CPU].decision;
    if (result->metric == PROVE_WALL && wall->call == STATS_UNSETTLED && (is_change(cpu) || cpu->call == STATS_SAME))
        note(x, "CPU time, which other programs disturb less, is settled: see --metric cpu");
    if (result->pressure > PRESSURE_TOLD && result->mode == PROVE_PINNED)
        note(x,
            "something waited for a CPU in %.0f %% of the time: other programs run beside the two, and the "
            "interval is wider for it",
            100 * result->pressure);
    note_spread(x);
}

static void release(struct experiment *x)
{
    for (int metric = 0; metric < PROVE_METRICS; metric++) {
        stats_verdict_free(x->verdicts[metric]);
        for (int side = 0; side < SIDES; side++)
            free(x->values[side][metric].items);
    }
    inputs_release(&x->inputs);
}

static void set_budget(struct experiment *x)
{
    double pair = x->run_seconds[SIDE_A] + x->run_seconds[SIDE_B];
    double wanted = fmin(fmax(BUDGET_PAIRS * pair * 1e9, (double)BUDGET_LEAST), (double)BUDGET_MOST);
    x->budget_ns = x->options->budget_ns ? x->options->budget_ns : (uint64_t)wanted;
}

static int run_experiment(struct experiment *x, struct error *e)
{
    struct block b = {0};
    int r = probe(x, &b, e);
    block_release(&b);
    if (r < 0)
        return r;
    set_budget(x);
    r = choose_mode(x, e);
    if (r == 0)
        r = verdicts_new(x, e);
    if (r == 0)
        r = run_blocks(x, e);
    x->result->mode = x->plan.mode;
    return r;
}

int prove_experiment(struct prove_runner *runner, const struct prove_subject *a, const struct prove_subject *b,
    const struct prove_options *options, struct prove_result *ret, struct error *e)
{
    struct prove_result result = {.metric = options->metric};
    struct experiment x = {.runner = runner, .options = options, .result = &result, .begun_ns = clock_monotonic_ns()};

    x.plan = (struct block_plan){
        .subjects = {a, b},
        .batches = BATCHES_FIRST,
        .timeout_ns = options->timeout_ns ? options->timeout_ns : TIMEOUT,
    };
    result.seed =
        options->seed ? options->seed : 1 + (hash_mix(clock_real_ns(), x.begun_ns) >> 33); /* easily typed again */
    x.random = hash_mix(result.seed, 7);
    x.plan.cpu = cpu_for_measuring();
    if (options->stop)
        prove_runner_watch(runner, options->stop);
    int r = run_experiment(&x, e);
    if (r == -ECANCELED && options->stop && *options->stop) {
        result.interrupted = true;
        r = 0;
    }
    if (r == 0)
        r = conclude(&x, e);
    if (r == 0) {
        add_notes(&x);
        result.spent_ns = spent(&x);
        *ret = result;
    }
    release(&x);
    return r;
}
