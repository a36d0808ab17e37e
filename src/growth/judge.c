/* Which series is to be believed, what it says of a size that nobody measured, and two subjects against each other. */
#include "growth/growth.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SHORT_CALL 2e-6 /* seconds: below it, the call itself is what takes the time */
#define WAITING 2.0     /* wall time over CPU time */

/* The sizes of `s` up to the largest one of `like`. */
static struct growth_series up_to(const struct growth_series *s, const struct growth_series *like)
{
    struct growth_series cut = *s;
    double most = like->count > 0 ? like->samples[like->count - 1].n : 0;
    while (cut.count > 0 && cut.samples[cut.count - 1].n > most)
        cut.count--;
    return cut;
}

static bool unsure(const struct stats_interval *i)
{
    return i->high - i->estimate > GROWTH_APART || i->estimate - i->low > GROWTH_APART;
}

static void take(struct growth_verdict *v, enum growth_basis basis, const struct growth_fit *f)
{
    v->basis = basis;
    v->shape = f->shape;
    v->exponent = f->exponent;
    v->base = f->base;
    v->settled = f->shape == GROWTH_EXPONENTIAL || !unsure(&f->exponent);
}

static void weigh(struct growth_result *r)
{
    struct growth_verdict *v = &r->verdict;
    const struct growth_fit *time = &r->fits[GROWTH_CPU], *counts = &r->fits[GROWTH_INSTRUCTIONS];
    struct growth_series shared_series = up_to(&r->series[GROWTH_CPU], &r->series[GROWTH_INSTRUCTIONS]);
    struct growth_fit shared;
    if (!r->fitted[GROWTH_INSTRUCTIONS] || growth_fit(&shared_series, false, &shared) < 0) {
        take(v, GROWTH_BY_TIME, time);
        return;
    }
    v->gap = shared.exponent.estimate - counts->exponent.estimate;
    bool apart = shared.exponent.low > counts->exponent.high || shared.exponent.high < counts->exponent.low;
    bool later = time->exponent.estimate - counts->exponent.estimate > GROWTH_APART && !counts->bends;
    bool explode = shared.shape == GROWTH_EXPONENTIAL && counts->shape == GROWTH_EXPONENTIAL;
    if (!explode && v->gap > GROWTH_APART) {
        take(v, GROWTH_INSIDE_C, time);
        v->settled = v->settled && apart;
    } else if (!explode && v->gap < -GROWTH_APART) {
        take(v, GROWTH_TIME_IS_BEHIND, time);
        v->settled = false;
    } else if (!explode && later) { /* at sizes that nothing was counted at */
        take(v, GROWTH_BY_TIME, time);
    } else {
        take(v, GROWTH_BY_COUNTERS, counts);
    }
}

void growth_judge(struct growth_result *r)
{
    r->verdict = (struct growth_verdict){.shape = GROWTH_UNKNOWN, .basis = GROWTH_BY_TIME, .gap = NAN};
    for (size_t m = 0; m < GROWTH_MEASURES; m++)
        r->fitted[m] = growth_fit(&r->series[m], m != GROWTH_CPU && m != GROWTH_WALL, &r->fits[m]) == 0;
    if (!r->fitted[GROWTH_CPU])
        return;
    r->counts_differ = r->fitted[GROWTH_INSTRUCTIONS] &&
                       !(r->fits[GROWTH_INSTRUCTIONS].same && r->fits[GROWTH_LINES].same && r->fits[GROWTH_CALLS].same);
    r->waits = r->fitted[GROWTH_WALL] && r->fits[GROWTH_WALL].low > WAITING * r->fits[GROWTH_CPU].high &&
               r->fits[GROWTH_WALL].low > 1e-3;
    weigh(r);
    r->verdict.too_short = r->fits[GROWTH_CPU].value < SHORT_CALL && r->verdict.basis != GROWTH_BY_COUNTERS;
    r->verdict.settled = r->verdict.settled && !r->verdict.too_short;
}

/* The size measured that is nearest to n. */
static const struct growth_sample *nearest(const struct growth_series *s, double n)
{
    const struct growth_sample *best = NULL;
    for (size_t i = 0; i < s->count; i++)
        if (s->samples[i].n > 0 && growth_sample_value(&s->samples[i]) > 0 &&
            (best == NULL || fabs(log(s->samples[i].n / n)) < fabs(log(best->n / n))))
            best = &s->samples[i];
    return best;
}

int growth_predict(const struct growth_result *r, double n, struct growth_prediction *ret)
{
    const struct growth_verdict *v = &r->verdict;
    const struct growth_sample *at = r->fitted[GROWTH_CPU] && n > 0 ? nearest(&r->series[GROWTH_CPU], n) : NULL;
    if (at == NULL || v->shape == GROWTH_UNKNOWN)
        return -EINVAL;
    double value = growth_sample_value(at), low = value, high = value, factors[3];
    for (size_t k = 0; k < at->count; k++) {
        low = fmin(low, at->values[k]);
        high = fmax(high, at->values[k]);
    }
    /* Of three runs the extremes hold the median only three times in four. */
    double spread = high - low;
    low = fmax(low - spread / 2, low / 2);
    high += spread / 2;
    const struct growth_fit *time = &r->fits[GROWTH_CPU];
    if (at->n == time->to && time->line > 0) { /* an odd largest size is not to carry the whole prediction */
        low = fmin(low, time->line);
        high = fmax(high, time->line);
    }
    if (v->shape == GROWTH_EXPONENTIAL) {
        struct stats_interval base = time->shape == GROWTH_EXPONENTIAL ? time->base : v->base;
        factors[0] = pow(base.low, n - at->n);
        factors[1] = pow(base.estimate, n - at->n);
        factors[2] = pow(base.high, n - at->n);
    } else {
        /* The counters' exponent is exact; what the machine makes of it (caches, allocation) is time's to say. */
        struct stats_interval e = v->exponent, by_time = time->exponent;
        double ratio = n / at->n;
        factors[0] = pow(ratio, fmin(e.low, by_time.low));
        factors[1] = v->shape == GROWTH_LINEARITHMIC && n > 1 && at->n > 1 ? ratio * log(n) / log(at->n)
                                                                           : pow(ratio, e.estimate);
        factors[2] = pow(ratio, fmax(e.high, by_time.high));
    }
    if (factors[0] > factors[2]) { /* below what was measured */
        double swap = factors[0];
        factors[0] = factors[2];
        factors[2] = swap;
    }
    *ret = (struct growth_prediction){
        .n = n,
        .seconds = value * factors[1],
        .low = low * fmin(factors[0], factors[1]),
        .high = high * fmax(factors[2], factors[1]),
        .outside = n > time->to || n < r->series[GROWTH_CPU].samples[0].n,
    };
    return 0;
}

void growth_compare(const struct growth_result *a, const struct growth_result *b, struct growth_change *ret)
{
    const struct growth_verdict *va = &a->verdict, *vb = &b->verdict;
    bool known = va->shape != GROWTH_UNKNOWN && vb->shape != GROWTH_UNKNOWN;
    bool exponential_a = va->shape == GROWTH_EXPONENTIAL, exponential_b = vb->shape == GROWTH_EXPONENTIAL;
    bool counted_a = va->basis == GROWTH_BY_COUNTERS, counted_b = vb->basis == GROWTH_BY_COUNTERS;
    /* Like with like: time of a cache that fills, say, lies a fifth above the counts in both, here just within
     * GROWTH_APART of them and there just beyond. */
    bool by_time = !(counted_a && counted_b);
    const struct stats_interval *of_a = by_time ? &a->fits[GROWTH_CPU].exponent : &va->exponent;
    const struct stats_interval *of_b = by_time ? &b->fits[GROWTH_CPU].exponent : &vb->exponent;
    struct growth_change c = {
        .difference =
            {
                .estimate = of_b->estimate - of_a->estimate,
                .low = of_b->low - of_a->high,
                .high = of_b->high - of_a->low,
            },
        .by_time = by_time,
    };
    if (known && exponential_a != exponential_b) {
        c.rose = exponential_b;
        c.fell = exponential_a;
    } else if (known && exponential_a) {
        c.rose = vb->base.low > va->base.high;
        c.fell = vb->base.high < va->base.low;
    } else if (known && va->settled && vb->settled && !unsure(of_a) && !unsure(of_b)) {
        c.rose = c.difference.low > 0 && c.difference.estimate > GROWTH_APART;
        c.fell = c.difference.high < 0 && c.difference.estimate < -GROWTH_APART;
    }
    bool within = known && !exponential_a && !exponential_b && c.difference.low > -GROWTH_APART &&
                  c.difference.high < GROWTH_APART;
    c.settled = c.rose || c.fell || within;
    *ret = c;
}
