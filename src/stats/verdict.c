/*
 * The sequential verdict. Student's interval of the mean block, wide enough for all looks together; a change is called
 * only where the sign flips, whose chance is the coins' alone, say it too. docs/verdict.md has the reasons and the
 * rates.
 */
#include "stats/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define Z_DOUBLED 0.05 /* each doubling of the budget brings two looks more */
#define FIRST_LOOK 4
#define FIRST_LOOK_LEAST 3
#define FIRST_LOOK_ASSUMED 2 /* where the spread is not to be learnt from the blocks alone */
/* Below this many blocks even all signs alike are no proof (2 of 2^n), so that there a change is called only where it
 * stands out of a spread of EARLY_SPREAD at least: from some 12 % on after six blocks, 25 % after four, which is more
 * than luck of memory layout usually makes. */
#define COINS_FROM 8
#define EARLY_SPREAD 0.05
#define SAME_FROM 12 /* a slow mode of one block in four stays unseen in 3 % of as many */
/* The blocks' spread is taken to be no less than this much of what the controls' makes it: few blocks may be alike by
 * luck, and all by a coarse clock. Not all of it, since the controls have the drift in them that the blocks have not.
 */
#define CONTROL_PART 0.5
#define KNOWN 1e6  /* degrees of freedom of what need not be learnt: normal */
#define SHOWN 0.95 /* the chance with which a detectable change shows */

struct stats_verdict {
    struct stats_verdict_options o;
    double tail;
    size_t count, controls; /* controls: blocks that have them */
    double *differences;
    double
        *control; /* with a random sign; of the same variance as a difference, were there nothing but noise of runs */
    uint64_t random;
};

int stats_verdict_new(const struct stats_verdict_options *options, struct stats_verdict **ret)
{
    struct stats_verdict_options o = *options;
    o.equivalence = o.equivalence == 0 ? STATS_EQUIVALENCE : o.equivalence;
    o.budget = o.budget == 0 ? STATS_BUDGET : o.budget;
    o.first_look = o.first_look == 0 ? FIRST_LOOK : o.first_look;
    if (o.z == 0)
        o.z = STATS_Z + Z_DOUBLED * fmax(0, log2((double)o.budget / STATS_BUDGET));
    if (!(o.spread >= 0) || !(o.claim >= 0 && o.claim < 1) || !(o.equivalence > 0 && o.equivalence < 1) ||
        !(o.resolution >= 0) || !(o.z > 0) || o.budget > STATS_BLOCKS_MAX ||
        o.first_look < (o.spread > 0 ? FIRST_LOOK_ASSUMED : FIRST_LOOK_LEAST))
        return -EINVAL;
    struct stats_verdict *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return -ENOMEM;
    v->o = o;
    v->tail = 2 * stats_normal_cdf(-o.z);
    v->random = hash_mix(o.seed, 1);
    v->differences = calloc(o.budget, sizeof(*v->differences));
    v->control = calloc(o.budget, sizeof(*v->control));
    if (v->differences == NULL || v->control == NULL) {
        stats_verdict_free(v);
        return -ENOMEM;
    }
    *ret = v;
    return 0;
}

void stats_verdict_free(struct stats_verdict *v)
{
    if (v == NULL)
        return;
    free(v->differences);
    free(v->control);
    free(v);
}

/* 4 (3, where that is asked for), 6, 8, 12, 16, 24 ...: two looks each time that the blocks double. */
static bool is_look(const struct stats_verdict *v)
{
    size_t n = v->count, odd = n >> __builtin_ctzll(n);
    return n >= v->o.first_look && (odd == 1 || odd == 3);
}

static double random_sign(uint64_t *state)
{
    return (random_next(state) >> 63) != 0 ? 1 : -1;
}

int stats_verdict_add(struct stats_verdict *v, const struct stats_block *block, bool *ret_look)
{
    if (v->count == v->o.budget || !isfinite(block->difference))
        return -EINVAL;
    double a = random_sign(&v->random) * block->control_a, b = random_sign(&v->random) * block->control_b;
    if (isfinite(a) && isfinite(b))
        v->control[v->controls++] = (a + b) / 2;
    else if (isfinite(a) || isfinite(b)) /* of the same variance as the mean of two */
        v->control[v->controls++] = (isfinite(a) ? a : b) * M_SQRT1_2;
    v->differences[v->count++] = block->difference;
    *ret_look = is_look(v) || v->count == v->o.budget;
    return 0;
}

/* ---- one look ---- */

struct look {
    double mean, error, freedom;     /* error: of the mean */
    double assumed, assumed_freedom; /* the same by the spread that the caller takes for granted; INFINITY: none */
};

/* The spread that was taken for granted; where blocks and controls together show more, theirs, which is known better
 * than that of the blocks alone. */
static void assume_spread(const struct stats_verdict *v, double variance, double squares, struct look *l)
{
    double freedom = (double)v->count - 1 + (double)v->controls;
    double pooled = sqrt((variance * ((double)v->count - 1) + squares) / freedom);
    l->assumed = fmax(pooled, v->o.spread) / sqrt((double)v->count);
    l->assumed_freedom = pooled <= v->o.spread ? KNOWN : freedom;
}

static struct look look_at(const struct stats_verdict *v)
{
    struct stats_mean m = stats_mean(v->differences, v->count);
    double n = (double)v->count, squares = 0, spread = sqrt(m.variance * n);
    for (size_t i = 0; i < v->controls; i++) /* their mean is 0, by the coins */
        squares += v->control[i] * v->control[i];
    struct look l = {.mean = m.value, .freedom = m.freedom, .assumed = INFINITY, .assumed_freedom = KNOWN};
    if (v->o.spread > 0)
        assume_spread(v, m.variance * n, squares, &l);
    if (v->controls > 0)
        spread = fmax(spread, CONTROL_PART * sqrt(squares / (double)v->controls));
    if (v->count < COINS_FROM)
        spread = fmax(spread, EARLY_SPREAD);
    l.error = spread / sqrt(n);
    return l;
}

static double reach_of(const struct stats_verdict *v, const struct look *l, double tail)
{
    double student = stats_student_quantile(tail, l->freedom) * l->error;
    double assumed = stats_student_quantile(tail, l->assumed_freedom) * l->assumed;
    return fmax(fmin(student, assumed), v->o.resolution);
}

/* Whether the coins alone could have made the mean as far beyond the claim as it is. */
static bool coins_agree(const struct stats_verdict *v, double shift, double tail)
{
    double moved[STATS_BLOCKS_MAX];
    for (size_t i = 0; i < v->count; i++)
        moved[i] = v->differences[i] - shift;
    return stats_sign_flip(moved, v->count, v->o.seed) <= fmax(tail, exp2(1 - (double)v->count)) * (1 + 1e-9);
}

/* A claim of x makes two limits: t(B) below 1 - x, and t(A) below 1 - x. */
static double claim_of(const struct stats_verdict *v)
{
    return -log1p(-v->o.claim);
}

static enum stats_call change_of(const struct stats_verdict *v, const struct look *l, double tail)
{
    double reach = reach_of(v, l, tail), claim = claim_of(v);
    if (v->count < v->o.first_look || !(fabs(l->mean) - reach > claim))
        return STATS_UNDECIDED;
    if (!coins_agree(v, copysign(claim, l->mean), tail))
        return STATS_UNDECIDED;
    return l->mean < 0 ? STATS_FASTER : STATS_SLOWER;
}

static bool is_same(const struct stats_verdict *v, const struct look *l, double tail)
{
    return v->count >= SAME_FROM && fabs(l->mean) + reach_of(v, l, tail) < log1p(v->o.equivalence);
}

/* How far beyond the reach a mean has to be so that it shows nearly always: the quotient of mean and spread is nearly
 * normal, of this variance (the noncentral t). */
static double shown_above(const struct look *l, double tail)
{
    double t = stats_student_quantile(tail, l->freedom);
    return stats_normal_quantile(SHOWN) * sqrt(1 + t * t / (2 * l->freedom)) * l->error;
}

static void set_control(const struct stats_verdict *v, struct stats_decision *d)
{
    d->control = (struct stats_interval){NAN, NAN, NAN};
    if (v->controls < 2)
        return;
    struct stats_interval i = stats_mean_interval(stats_mean(v->control, v->controls), 1 - v->tail);
    d->voided = v->controls >= FIRST_LOOK && (i.low > v->o.resolution || i.high < -v->o.resolution);
    d->control = (struct stats_interval){exp(i.estimate), exp(i.low), exp(i.high)};
}

/* Changes at one tail, sameness at another: they differ where many are decided together. */
static void decide(
    const struct stats_verdict *v, double tail_change, double tail_same, bool last, struct stats_decision *ret)
{
    struct stats_decision d = {.call = STATS_UNDECIDED, .estimate = NAN, .high = INFINITY, .p = 1, .blocks = v->count};
    d.detectable = INFINITY;
    set_control(v, &d);
    if (v->count > 0)
        d.estimate = exp(stats_mean(v->differences, v->count).value);
    if (v->count > 1) {
        struct look l = look_at(v);
        double reach = reach_of(v, &l, tail_change), claim = claim_of(v);
        double beyond = fabs(l.mean) - claim;
        d.call = change_of(v, &l, tail_change);
        if (d.call == STATS_UNDECIDED && is_same(v, &l, tail_same)) {
            d.call = STATS_SAME;
            reach = reach_of(v, &l, tail_same);
        }
        d.low = exp(l.mean - reach);
        d.high = exp(l.mean + reach);
        d.p = beyond > 0 ? l.error > 0 ? stats_student_tail(beyond / l.error, l.freedom) : 0 : 1;
        d.detectable = 100 * expm1(claim + reach + shown_above(&l, tail_change));
        d.refuted = v->o.claim > 0 && v->count >= v->o.first_look && fabs(l.mean) + reach < claim;
        /* Neither the claim nor sameness can come any more. */
        last = last || (d.refuted && fabs(l.mean) - reach > log1p(v->o.equivalence));
    }
    if (d.voided)
        d.call = STATS_UNDECIDED;
    d.last = last || v->count == v->o.budget || d.call != STATS_UNDECIDED;
    if (d.last && d.call == STATS_UNDECIDED)
        d.call = STATS_UNSETTLED;
    if (d.call == STATS_FASTER)
        d.at_least = 100 * (1 - d.high);
    if (d.call == STATS_SLOWER)
        d.at_least = 100 * (d.low - 1);
    *ret = d;
}

void stats_verdict_decide(const struct stats_verdict *v, bool last, struct stats_decision *ret)
{
    decide(v, v->tail, v->tail, last, ret);
}

int stats_verdict_twin(const struct stats_verdict *v, const struct stats_decision *d, struct stats_twin *ret)
{
    struct stats_interval middle;
    int r = stats_hodges_lehmann(v->differences, v->count, 0.95, &middle);
    if (r < 0)
        return r;
    double e = log1p(v->o.equivalence), certain = fmax(0.05, exp2(1 - (double)v->count)) * (1 + 1e-9);
    ret->estimate = exp(middle.estimate);
    ret->p = stats_sign_flip(v->differences, v->count, v->o.seed);
    ret->disagrees = false;
    if (d->call == STATS_FASTER || d->call == STATS_SLOWER)
        ret->disagrees = (d->call == STATS_FASTER) != (middle.estimate < 0) || ret->p > certain;
    else if (d->call == STATS_SAME)
        ret->disagrees = fabs(middle.estimate) > e;
    else
        ret->disagrees = v->count >= COINS_FROM && (middle.low > 0 || middle.high < 0) && ret->p <= v->tail;
    return 0;
}

/* ---- many together ---- */

struct order {
    double p; /* over its tail: below 1 it would be called alone */
    size_t index;
};

static int by_p(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    return (x->p > y->p) - (x->p < y->p);
}

int stats_verdict_decide_all(const struct stats_verdict *const *v, size_t count, struct stats_decision *ret)
{
    struct order *order = calloc(count + 1, sizeof(*order));
    size_t left = count; /* the surest has all of them to compete with, the next one fewer; from the first that fails on
                          * it stays */
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        stats_verdict_decide(v[i], true, &ret[i]);
        order[i] = (struct order){ret[i].p / v[i]->tail, i};
    }
    qsort(order, count, sizeof(*order), by_p);
    for (size_t i = 0; i < count; i++) {
        const struct stats_verdict *of = v[order[i].index];
        struct stats_decision *d = &ret[order[i].index];
        decide(of, of->tail / (double)left, of->tail / (double)count, true, d);
        if (left == count - i && (d->call == STATS_FASTER || d->call == STATS_SLOWER))
            left--;
    }
    free(order);
    return 0;
}
