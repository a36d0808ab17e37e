/*
 * Gates. Each asks for samples in batches (a block, a round over all sizes) and looks at what it has after each. Ratios
 * go to the sequential verdict of stats, moved by the logarithm of the limit, so that "faster" means on the good side
 * of it; the rest by order statistics and by the fit of exponent.c. docs/gates.md.
 */
#include "grade/gate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "grade/exponent.h"

#define BATCH_MAX (2 * GRADE_SIZES_MAX)
/* What is left below these after a null run is subtracted is start-up's own noise, and no measure of anything. */
#define SECONDS_LEAST 0.005
#define GAP_LEAST 0.001
#define BYTES_LEAST 1048576.0
#define SEEN_SECONDS 0.02 /* a run that lasted as long, and whose memory nobody saw, is no small one */
#define DROPPED_MAX 3     /* batches that had to be thrown away */

#define QUICK_NEAR 1.1 /* a single pair tells nothing within this factor of the limit */

#define TAIL 0.0027  /* of both sides of an interval that decides, as the verdict's */
#define LOOK_FIRST 2 /* blocks: a check has no time for many */
#define LOOK_FIRST_PAIRS 3
/* The most that blocks are taken to spread, unless they and their controls show more: that of a virtual machine whose
 * neighbours halve its speed for seconds at a time. Two blocks then tell what is 1.5 times the limit away. */
#define BLOCKS_SPREAD 0.2
/* Beside a pacemaker blocks are taken to spread by no more than that, where like runs of a block are as much alike as
 * ALIKE. The first one then decides alone if it is more than three standard deviations and half as much away from the
 * limit. */
#define PACED_SPREAD 0.1
#define ALIKE 0.15
#define ALONE 1.5
#define CONTROL_LEAST 4
#define CONTROL_CONFIDENCE 0.999
/* Of |ln limit|: a difference below it, which A B B A mostly undoes, changes no outcome. */
#define CONTROL_MATTERS 0.25
#define CONTROL_WIDTH_CONFIDENCE 0.95
#define CONTROL_WIDTH 0.5 /* of |ln limit|: the widest half of the interval that a limit can be told through */
/* A side condition that one batch finds by so much within its limit is not looked into further. */
#define PLAINLY_WITHIN 1.3
#define FEW_BLOCKS 8
#define EARLY_SPREAD 0.07 /* of a control, which has twice the variance of a block's difference */

#define SPEEDUP_LEAST 1.3 /* of the reference, for a machine that can grade what runs in parallel */
#define SPEEDUP_PAIRS 3
/* Of the CPUs that a learner keeps busy: who has no more gains nothing from them. On two CPUs that may be as near the
 * limit as 1.05 times, which no check has the time to tell; so it has to seem beyond the limit by QUICK_NEAR. */
#define ONE_CPU 1.2

#define GROWTH_SLACK 0.1    /* the estimate may be off by; the interval says which of the two limits is ruled out */
#define GROWTH_UNSEEN 0.005 /* seconds between the smallest size and the largest: nothing there that could grow */
#define GROWTH_SPAN 16.0    /* of the sizes that are asked for in any case */
#define GROWTH_ENOUGH 0.15  /* seconds at a size: no larger one is asked for */
#define GROWTH_REPEATS 2    /* runs of a size in a row: they share its input */

#define LEAK_SKIPS 3         /* epochs in which a program that leaks nothing may still grow */
#define LEAK_LEAST 1048576.0 /* bytes an epoch: what the starter must leak to be measured against */
#define LEAK_CONFIDENCE 0.99
#define LEAK_STARTER_ROUNDS 2
#define LEAK_ROUNDS 8

#define GAP_CONFIDENCE 0.99
#define GAP_PAIRS 20

enum method { BY_BLOCKS, BY_PAIRS, BY_GAPS, BY_EXPONENT, BY_LEAK };
enum measure { WALL, CPU, PEAK, GAP };
static const struct gate_kind {
    enum method method;
    enum measure measure;
    enum gate_side against;
    bool at_least; /* the limit is of t(other) / t(learner) */
    bool lenient;  /* not settled is passed */
} kinds[] = {
    [GRADE_SPEED] = {BY_BLOCKS, WALL, GATE_STARTER, true, false},
    [GRADE_REACH] = {BY_BLOCKS, CPU, GATE_REFERENCE, false, false},
    [GRADE_GROWTH] = {BY_EXPONENT, CPU, GATE_LEARNER, false, false},
    [GRADE_NOT_SLOWER] = {BY_BLOCKS, WALL, GATE_STARTER, false, true},
    [GRADE_MEMORY] = {BY_PAIRS, PEAK, GATE_STARTER, false, false},
    [GRADE_NOT_FATTER] = {BY_PAIRS, PEAK, GATE_STARTER, false, true},
    [GRADE_MEMORY_GROWTH] = {BY_LEAK, PEAK, GATE_STARTER, false, false},
    [GRADE_GAP] = {BY_GAPS, GAP, GATE_STARTER, false, false},
    [GRADE_PARALLEL] = {BY_BLOCKS, WALL, GATE_REFERENCE, true, false},
};

struct gate {
    const struct grade_gate *spec;
    const struct gate_kind *kind;
    double sizes[GRADE_SIZES_MAX]; /* those that count */
    unsigned size_count;
    uint64_t budget_ns, spent_ns, batch_began_ns, batch_cost_ns, random;

    struct gate_want wants[BATCH_MAX]; /* the batch under way */
    double values[BATCH_MAX];
    unsigned asked, fed, dropped;
    uint64_t pair;

    double bar; /* BY_BLOCKS, BY_PAIRS: of t(learner) / t(other) */
    struct stats_verdict *verdict;
    unsigned blocks;
    double control[STATS_BUDGET]; /* ln of the first over the second, of what the learner is compared with */
    unsigned speedups;
    double speedup[SPEEDUP_PAIRS]; /* parallel: ln of the reference's */
    double wall, cpu;              /* of all the learner's runs */

    double gaps[2][GAP_PAIRS]; /* ln; [0] is the starter's */
    unsigned gap_count;

    unsigned climbed; /* BY_EXPONENT: how far it has come in looking for the largest size, from the smallest on */
    double rounds[2][EXPONENT_ROUNDS_MAX][EXPONENT_SIZES_MAX]; /* [0] is the starter's */
    unsigned round_count[2];

    struct grade_gate_result result;
    enum gate_cause cause;
    bool quick, paced, decided, climbing;
    bool unseen; /* of the batch: memory that should have been seen */
};

/* ---- making one ---- */

static bool is_curve(const struct gate *g)
{
    return g->kind->method == BY_EXPONENT || g->kind->method == BY_LEAK;
}

static int take_sizes(struct gate *g)
{
    for (unsigned i = 0; i < g->spec->size_count; i++) {
        unsigned size = g->spec->sizes[i];
        if (is_curve(g) && i > 0 && size <= g->spec->sizes[i - 1])
            return -EINVAL;
        if (g->kind->method != BY_LEAK || size >= LEAK_SKIPS)
            g->sizes[g->size_count++] = size;
    }
    unsigned least = g->kind->method == BY_EXPONENT ? 3 : g->kind->method == BY_LEAK ? 2 : 1;
    return g->size_count < least ? -EINVAL : 0;
}

static size_t first_look(const struct gate_kind *kind)
{
    return kind->method == BY_BLOCKS ? LOOK_FIRST : LOOK_FIRST_PAIRS;
}

int gate_new(const struct grade_gate *spec, uint64_t budget_ns, enum gate_way way, uint64_t seed, struct gate **ret)
{
    if ((size_t)spec->kind >= ARRAY_SIZE(kinds) || !(spec->limit > 0) || !isfinite(spec->limit) ||
        spec->size_count > GRADE_SIZES_MAX || (spec->kind == GRADE_GROWTH && spec->limit >= GATE_GROWTH_FAILS))
        return -EINVAL;
    struct gate *g = calloc(1, sizeof(*g));
    if (g == NULL)
        return -ENOMEM;
    g->spec = spec;
    g->kind = &kinds[spec->kind];
    g->budget_ns = budget_ns;
    g->quick = way == GATE_QUICK;
    g->paced = way == GATE_PACED;
    g->random = hash_mix(seed, spec->kind + 1u) | 1;
    g->climbing = g->kind->method == BY_EXPONENT;
    g->bar = g->kind->at_least ? 1 / spec->limit : spec->limit;
    g->result = (struct grade_gate_result){spec, GRADE_UNRESOLVED, {NAN, NAN, NAN}, 0, 0};
    g->cause = GATE_TIME;
    struct stats_verdict_options o = {
        .seed = seed, .first_look = first_look(g->kind), .spread = g->kind->method == BY_BLOCKS ? BLOCKS_SPREAD : 0};
    int r = take_sizes(g);
    if (r == 0 && (g->kind->method == BY_BLOCKS || g->kind->method == BY_PAIRS))
        r = stats_verdict_new(&o, &g->verdict);
    if (r < 0) {
        gate_free(g);
        return r;
    }
    *ret = g;
    return 0;
}

void gate_free(struct gate *g)
{
    if (g == NULL)
        return;
    stats_verdict_free(g->verdict);
    free(g);
}

/* ---- what it asks for ---- */

static void ask(struct gate *g, enum gate_side side, double size)
{
    g->wants[g->asked++] = (struct gate_want){side, (unsigned)size, g->pair};
}

static bool coin(struct gate *g)
{
    return random_next(&g->random) >> 63;
}

static void ask_both(struct gate *g, enum gate_side a, enum gate_side b, bool mirrored)
{
    bool swap = coin(g);
    enum gate_side first = swap ? b : a, second = swap ? a : b;
    ask(g, first, g->sizes[0]);
    ask(g, second, g->sizes[0]);
    if (mirrored) {
        ask(g, second, g->sizes[0]);
        ask(g, first, g->sizes[0]);
    }
}

/* All sizes, upwards or downwards by a coin, so that a machine that slows down bends no curve. */
static void ask_round(struct gate *g, enum gate_side side, unsigned repeats)
{
    bool down = coin(g);
    for (unsigned i = 0; i < g->size_count * repeats; i++)
        ask(g, side, g->sizes[down ? g->size_count - 1 - i / repeats : i / repeats]);
}

static bool wants_speedup(const struct gate *g)
{
    return g->spec->kind == GRADE_PARALLEL && g->speedups < (g->quick ? 1 : SPEEDUP_PAIRS);
}

static void plan(struct gate *g)
{
    g->asked = g->fed = 0;
    g->unseen = false;
    g->batch_began_ns = g->spent_ns;
    switch (g->kind->method) {
    case BY_BLOCKS:
        if (wants_speedup(g))
            ask_both(g, GATE_STARTER, GATE_REFERENCE, false);
        else
            ask_both(g, g->kind->against, GATE_LEARNER, !g->quick);
        break;
    case BY_PAIRS:
    case BY_GAPS:
        ask_both(g, g->kind->against, GATE_LEARNER, false);
        break;
    case BY_LEAK:
        if (g->round_count[0] < (g->quick ? 1 : LEAK_STARTER_ROUNDS))
            ask_round(g, GATE_STARTER, 1);
        ask_round(g, GATE_LEARNER, 1);
        break;
    case BY_EXPONENT:
        if (g->climbing)
            ask(g, GATE_LEARNER, g->sizes[g->climbed]);
        else
            ask_round(g, GATE_LEARNER, GROWTH_REPEATS);
        break;
    }
    g->pair += !g->climbing;
}

/* ---- what it makes of them ---- */

static void decide(struct gate *g, enum grade_outcome outcome, enum gate_cause cause)
{
    g->result.outcome = outcome;
    g->cause = cause;
    g->decided = true;
}

static double floor_of(const struct gate *g)
{
    return g->kind->measure == PEAK ? BYTES_LEAST : g->kind->measure == GAP ? GAP_LEAST : SECONDS_LEAST;
}

/* The batch's values of one side, in the order in which they were taken; as logarithms, none below the floor. */
static unsigned logs_of(const struct gate *g, enum gate_side side, double ret[BATCH_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < g->asked; i++)
        if (g->wants[i].side == side)
            ret[n++] = log(fmax(g->values[i], floor_of(g)));
    return n;
}

/* Whether the batch can be used. Time of the learner may be as short as it likes; not that of what it is compared with.
 */
static bool is_usable(struct gate *g)
{
    bool lab = false;
    for (unsigned i = 0; i < g->asked && !is_curve(g); i++)
        lab = lab || (g->wants[i].side != GATE_LEARNER && !(g->values[i] >= floor_of(g)));
    if (!lab && !g->unseen)
        return true;
    if (++g->dropped == DROPPED_MAX)
        decide(g, g->unseen ? GRADE_UNRESOLVED : GRADE_FAULT, g->unseen ? GATE_UNSEEN : GATE_LAB);
    return false;
}

static void decide_quick(struct gate *g, double good)
{
    if (fabs(log(good)) < log(QUICK_NEAR))
        decide(g, GRADE_UNRESOLVED, GATE_NEAR);
    else
        decide(g, good > 1 ? GRADE_PASSED : GRADE_SLOW, GATE_SETTLED);
}

static struct stats_interval in_own_unit(const struct gate *g, struct stats_interval ratio)
{
    if (!g->kind->at_least)
        return ratio;
    return (struct stats_interval){1 / ratio.estimate, 1 / ratio.high, 1 / ratio.low};
}

/* What two runs of the same code tell of the machine; GATE_SETTLED: nothing against it. Few blocks may be alike by
 * luck, so that their spread is taken to be EARLY_SPREAD at least, as the verdict does. */
static enum gate_cause control_of(const struct gate *g, bool settled)
{
    double limit = fabs(log(g->bar));
    if (g->kind->method != BY_BLOCKS || g->blocks < CONTROL_LEAST || limit == 0)
        return GATE_SETTLED;
    struct stats_mean m = stats_mean(g->control, g->blocks);
    if (g->blocks < FEW_BLOCKS)
        m.variance = fmax(m.variance, EARLY_SPREAD * EARLY_SPREAD / g->blocks);
    struct stats_interval i = stats_mean_interval(m, CONTROL_CONFIDENCE);
    if ((i.low > 0 || i.high < 0) && fabs(i.estimate) > CONTROL_MATTERS * limit)
        return GATE_UNEQUAL;
    i = stats_mean_interval(m, CONTROL_WIDTH_CONFIDENCE);
    return !settled && i.high - i.estimate > CONTROL_WIDTH * limit ? GATE_NOISY : GATE_SETTLED;
}

/* Of what runs in parallel: does it keep one CPU busy, and is not plainly within the limit all the same? `ratio`: of
 * t(learner) to what the bar allows. */
static bool stays_on_one_cpu(const struct gate *g, double ratio)
{
    return g->spec->kind == GRADE_PARALLEL && ratio * QUICK_NEAR > 1 && g->result.cpus < ONE_CPU;
}

static void look_at_ratio(struct gate *g, bool last)
{
    struct stats_decision d;
    stats_verdict_decide(g->verdict, last, &d);
    if (d.blocks > 0) { /* of fewer blocks than the verdict looks at the limits say nothing */
        bool few = d.blocks < first_look(g->kind);
        struct stats_interval i = {d.estimate * g->bar, few ? NAN : d.low * g->bar, few ? NAN : d.high * g->bar};
        g->result.measure = in_own_unit(g, i);
    }
    bool settled = d.call == STATS_FASTER || d.call == STATS_SLOWER;
    /* A side condition that nothing speaks against is met; it is looked into further only where it seems missed. */
    bool excused = g->kind->lenient && d.blocks >= CONTROL_LEAST && d.estimate <= 1;
    bool alone = d.blocks >= (last ? LOOK_FIRST : CONTROL_LEAST) && stays_on_one_cpu(g, d.estimate);
    if (!d.last && !excused && !alone)
        return;
    enum gate_cause control = control_of(g, settled || excused || alone);
    if (control != GATE_SETTLED)
        decide(g, GRADE_FAULT, control);
    else if (settled)
        decide(g, d.call == STATS_FASTER ? GRADE_PASSED : GRADE_SLOW, GATE_SETTLED);
    else if (alone)
        decide(g, GRADE_SLOW, GATE_SETTLED);
    else if (g->kind->lenient && d.blocks >= CONTROL_LEAST)
        decide(g, GRADE_PASSED, GATE_SETTLED);
    else
        decide(g, GRADE_UNRESOLVED, d.blocks < FEW_BLOCKS ? GATE_TIME : GATE_NEAR);
}

/* Of a side condition, between the looks. */
static void excuse(struct gate *g)
{
    struct stats_decision d;
    stats_verdict_decide(g->verdict, false, &d);
    if (d.blocks == 0 || d.estimate * PLAINLY_WITHIN > 1)
        return;
    g->result.measure = in_own_unit(g, (struct stats_interval){d.estimate * g->bar, NAN, NAN});
    decide(g, GRADE_PASSED, GATE_SETTLED);
}

/* Does the first block beside a pacemaker decide? a, b: ln of the runs of both sides. */
static bool decides_alone(struct gate *g, const double *a, const double *b, double difference)
{
    double beyond = log(g->bar) - difference;
    if (!g->paced || g->blocks > 0 || fabs(a[0] - a[1]) > ALIKE || fabs(b[0] - b[1]) > ALIKE ||
        fabs(beyond) < log(ALONE))
        return false;
    double reach = stats_normal_quantile(1 - TAIL / 2) * PACED_SPREAD;
    struct stats_interval ratio = {exp(difference), exp(difference - reach), exp(difference + reach)};
    g->result.measure = in_own_unit(g, ratio);
    decide(g, beyond > 0 ? GRADE_PASSED : GRADE_SLOW, GATE_SETTLED);
    return true;
}

static int take_ratio(struct gate *g)
{
    double a[BATCH_MAX], b[BATCH_MAX];
    unsigned na = logs_of(g, g->kind->against, a), nb = logs_of(g, GATE_LEARNER, b);
    double difference = stats_mean(b, nb).value - stats_mean(a, na).value;
    if (g->quick) {
        struct stats_interval ratio = {exp(difference), NAN, NAN};
        g->result.measure = in_own_unit(g, ratio);
        decide_quick(g, g->bar / ratio.estimate);
        return 0;
    }
    if (g->kind->method == BY_BLOCKS && decides_alone(g, a, b, difference))
        return 0;
    struct stats_block block = {difference - log(g->bar), na == 2 ? a[0] - a[1] : NAN, NAN};
    bool look;
    int r = stats_verdict_add(g->verdict, &block, &look);
    if (r < 0)
        return r;
    g->control[g->blocks++] = block.control_a;
    if (look)
        look_at_ratio(g, false);
    else if (g->kind->lenient)
        excuse(g);
    return 0;
}

static void take_speedup(struct gate *g)
{
    double starter[BATCH_MAX], reference[BATCH_MAX];
    logs_of(g, GATE_STARTER, starter);
    logs_of(g, GATE_REFERENCE, reference);
    g->speedup[g->speedups++] = starter[0] - reference[0];
    if (!wants_speedup(g) && stats_median(g->speedup, g->speedups) < log(SPEEDUP_LEAST))
        decide(g, GRADE_UNRESOLVED, GATE_MACHINE);
}

static int look_at_gaps(struct gate *g, bool last)
{
    static const unsigned looks[] = {5, 7, 10, 14, GAP_PAIRS};
    bool due = last;
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        due = due || g->gap_count == looks[i];
    if (!due)
        return 0;
    struct stats_interval i = {NAN, NAN, NAN};
    if (g->gap_count > 0) {
        int r = stats_hodges_lehmann_two(g->gaps[0], g->gap_count, g->gaps[1], g->gap_count, GAP_CONFIDENCE, &i);
        if (r < 0)
            return r;
        i = (struct stats_interval){exp(i.estimate), exp(i.low), exp(i.high)};
        bool few = g->gap_count < looks[0];
        g->result.measure = few ? (struct stats_interval){i.estimate, NAN, NAN} : i;
    }
    if (g->gap_count >= looks[0] && (i.high <= g->spec->limit || i.low > g->spec->limit))
        decide(g, i.high <= g->spec->limit ? GRADE_PASSED : GRADE_SLOW, GATE_SETTLED);
    else if (last || g->gap_count == GAP_PAIRS)
        decide(g, GRADE_UNRESOLVED, g->gap_count == GAP_PAIRS ? GATE_NEAR : GATE_TIME);
    return 0;
}

static int take_gaps(struct gate *g)
{
    double starter[BATCH_MAX], learner[BATCH_MAX];
    logs_of(g, GATE_STARTER, starter);
    logs_of(g, GATE_LEARNER, learner);
    if (g->quick) {
        g->result.measure = (struct stats_interval){exp(learner[0] - starter[0]), NAN, NAN};
        decide_quick(g, g->spec->limit / g->result.measure.estimate);
        return 0;
    }
    g->gaps[0][g->gap_count] = starter[0];
    g->gaps[1][g->gap_count++] = learner[0];
    return look_at_gaps(g, false);
}

/* One size more, unless the last one took long and is far enough from the first. What is slow is so asked for small
 * sizes only, and what is quick for such as take measurable time. The way up is the first round. */
static void climb(struct gate *g)
{
    double *first = g->rounds[1][0], seconds = 0;
    unsigned last = g->climbed++;
    first[last] = g->values[0];
    bool wide = last >= 2 && g->sizes[last] >= GROWTH_SPAN * g->sizes[0];
    if (g->climbed < g->size_count && !(wide && first[last] >= GROWTH_ENOUGH))
        return;
    g->climbing = false;
    g->size_count = g->climbed;
    g->round_count[1] = 1;
    g->pair++;
    for (unsigned i = 0; i < g->size_count; i++)
        seconds += fmax(0, first[i]);
    g->batch_cost_ns = (uint64_t)(seconds * 1e9); /* a round takes this at least */
}

static int look_at_growth(struct gate *g, bool last)
{
    unsigned n = g->round_count[1];
    if (n == 0 || (!last && !g->quick && n != 3 && n != 5 && n != 9 && n != EXPONENT_ROUNDS_MAX)) {
        if (last)
            decide(g, GRADE_UNRESOLVED, GATE_TIME);
        return 0;
    }
    struct exponent x;
    int r = exponent_fit(g->sizes, g->size_count, (const double(*)[EXPONENT_SIZES_MAX])g->rounds[1], n, TAIL, &x);
    if (r < 0)
        return r;
    struct stats_interval b = x.b;
    g->result.measure = n < 2 ? (struct stats_interval){b.estimate, NAN, NAN} : b;
    bool nothing = (g->quick ? x.growth : x.growth_high) < GROWTH_UNSEEN;
    /* Which of the two can be ruled out? In a quick look the estimate stands for the interval. */
    double limit = g->spec->limit, slack = g->quick ? 0 : GROWTH_SLACK;
    bool good = b.estimate <= limit + slack, bad = b.estimate >= GATE_GROWTH_FAILS - slack;
    if (nothing || (good && (g->quick || (n > 1 && b.low <= limit && b.high < GATE_GROWTH_FAILS))))
        decide(g, GRADE_PASSED, GATE_SETTLED);
    else if (bad && (g->quick || (n > 1 && b.low > limit && b.high >= GATE_GROWTH_FAILS)))
        decide(g, GRADE_SLOW, GATE_SETTLED);
    else if (last || g->quick || n == EXPONENT_ROUNDS_MAX)
        decide(g, GRADE_UNRESOLVED, n == EXPONENT_ROUNDS_MAX || g->quick ? GATE_NEAR : GATE_TIME);
    return 0;
}

static int slope_of(const struct gate *g, size_t side, struct stats_interval *ret)
{
    double x[LEAK_ROUNDS * GRADE_SIZES_MAX], y[LEAK_ROUNDS * GRADE_SIZES_MAX];
    size_t n = 0;
    for (unsigned k = 0; k < g->round_count[side]; k++)
        for (unsigned i = 0; i < g->size_count; i++, n++) {
            x[n] = g->sizes[i];
            y[n] = g->rounds[side][k][i];
        }
    struct stats_line line;
    int r = stats_theil_sen(x, y, n, LEAK_CONFIDENCE, &line);
    if (r == 0)
        *ret = line.slope;
    return r;
}

static int look_at_leak(struct gate *g, bool last)
{
    unsigned n = g->round_count[1];
    if (n < (g->quick ? 1 : 2)) {
        if (last)
            decide(g, GRADE_UNRESOLVED, GATE_TIME);
        return 0;
    }
    struct stats_interval starter, learner;
    int r = slope_of(g, 0, &starter);
    if (r == 0)
        r = slope_of(g, 1, &learner);
    if (r < 0)
        return r;
    if (!(starter.estimate >= LEAK_LEAST)) {
        decide(g, GRADE_FAULT, GATE_LAB);
        return 0;
    }
    double limit = g->spec->limit, by = starter.estimate;
    struct stats_interval m = {learner.estimate / by, learner.low / by, learner.high / by};
    if (g->quick) {
        g->result.measure = (struct stats_interval){m.estimate, NAN, NAN};
        decide(g, m.estimate <= limit ? GRADE_PASSED : GRADE_SLOW, GATE_SETTLED);
        return 0;
    }
    g->result.measure = m;
    if (m.high <= limit || m.low > limit)
        decide(g, m.high <= limit ? GRADE_PASSED : GRADE_SLOW, GATE_SETTLED);
    else if (last || n == LEAK_ROUNDS)
        decide(g, GRADE_UNRESOLVED, n == LEAK_ROUNDS ? GATE_NEAR : GATE_TIME);
    return 0;
}

/* As many rounds as there are samples of each size. */
static void take_rounds(struct gate *g)
{
    unsigned count[2][GRADE_SIZES_MAX] = {{0}};
    for (unsigned i = 0; i < g->asked; i++) {
        size_t side = g->wants[i].side == GATE_LEARNER;
        for (unsigned k = 0; k < g->size_count; k++)
            if (g->wants[i].size == (unsigned)g->sizes[k])
                g->rounds[side][g->round_count[side] + count[side][k]++][k] = g->values[i];
    }
    for (size_t side = 0; side < 2; side++)
        g->round_count[side] += count[side][0];
}

static int look(struct gate *g, bool last)
{
    switch (g->kind->method) {
    case BY_GAPS:
        return look_at_gaps(g, last);
    case BY_EXPONENT:
        return look_at_growth(g, last);
    case BY_LEAK:
        return look_at_leak(g, last);
    default:
        look_at_ratio(g, last);
        return 0;
    }
}

static int take(struct gate *g)
{
    if (!is_usable(g))
        return 0;
    if (wants_speedup(g)) {
        take_speedup(g);
        return 0;
    }
    if (g->kind->method == BY_GAPS)
        return take_gaps(g);
    if (!is_curve(g))
        return take_ratio(g);
    if (g->climbing)
        climb(g);
    else
        take_rounds(g);
    return look(g, false);
}

/* ---- from outside ---- */

bool gate_next(struct gate *g, struct gate_want *ret)
{
    if (g->decided)
        return false;
    if (g->fed == g->asked) { /* a batch that would not be done in time is not begun */
        if (g->spent_ns >= g->budget_ns || g->batch_cost_ns > g->budget_ns - g->spent_ns) {
            if (look(g, true) < 0 || !g->decided)
                decide(g, GRADE_UNRESOLVED, GATE_TIME);
            return false;
        }
        plan(g);
    }
    *ret = g->wants[g->fed];
    return true;
}

static double value_of(const struct gate *g, const struct gate_sample *s)
{
    const double values[] = {[WALL] = s->wall, [CPU] = s->cpu, [PEAK] = s->peak, [GAP] = s->gap};
    return values[g->kind->measure];
}

int gate_feed(struct gate *g, const struct gate_sample *s)
{
    if (g->decided || g->fed == g->asked)
        return -EINVAL;
    double value = value_of(g, s);
    bool unseen = g->kind->measure == PEAK && isnan(value);
    bool late = (isinf(s->wall) && s->wall > 0) || (isinf(s->cpu) && s->cpu > 0) || (isinf(value) && value > 0);
    if (!late && !unseen && !isfinite(value))
        return -EINVAL;
    bool learner = g->wants[g->fed].side == GATE_LEARNER;
    g->values[g->fed++] = unseen ? 0 : value;
    g->unseen = g->unseen || (unseen && (s->wall > SEEN_SECONDS || is_curve(g)));
    g->spent_ns += s->spent_ns;
    if (learner && g->spec->kind == GRADE_PARALLEL && !late) {
        g->wall += s->wall;
        g->cpu += s->cpu;
        g->result.cpus = g->cpu / fmax(g->wall, SECONDS_LEAST);
    }
    g->result.samples++;
    if (late) {
        decide(g, learner ? GRADE_SLOW : GRADE_FAULT, learner ? GATE_SETTLED : GATE_LAB);
        return 0;
    }
    if (g->fed < g->asked)
        return 0;
    g->batch_cost_ns = g->spent_ns - g->batch_began_ns;
    return take(g);
}

void gate_decide(const struct gate *g, struct grade_gate_result *ret)
{
    *ret = g->result;
}

enum gate_cause gate_cause(const struct gate *g)
{
    return g->cause;
}

const char *gate_cause_text(enum gate_cause cause)
{
    switch (cause) {
    case GATE_SETTLED:
        return "";
    case GATE_NEAR:
        return "too near the limit to be told from it";
    case GATE_TIME:
        return "the time of the check was over before it was settled";
    case GATE_NOISY:
        return "the same code takes too different times here: other programs are at work, or the machine is slowed "
               "down";
    case GATE_UNEQUAL:
        return "of two runs of the same code the second differs from the first throughout: the machine changes its "
               "speed";
    case GATE_MACHINE:
        return "this machine cannot grade it: even the reference gains too little from running in parallel here";
    case GATE_LAB:
        return "the lab's own code cannot be measured on this machine";
    case GATE_UNSEEN:
        return "the memory of a run could not be seen";
    }
    return "";
}
