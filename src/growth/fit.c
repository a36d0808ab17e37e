/* Exponents: Theil-Sen on logarithms, what the local slopes say of bends, of logarithms and of exponential growth. */
#include "growth/growth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX (GROWTH_SIZES_MAX * GROWTH_RUNS_MAX)
#define STEEP 3.5 /* no exponent below this is taken for exponential growth */

/* The sizes that have a value above 0, and its logarithm. */
struct curve {
    double n[GROWTH_SIZES_MAX], value[GROWTH_SIZES_MAX];
    size_t index[GROWTH_SIZES_MAX], count;
};

double growth_sample_value(const struct growth_sample *s)
{
    double values[GROWTH_RUNS_MAX];
    memcpy(values, s->values, s->count * sizeof(*values));
    return stats_median(values, s->count);
}

const char *growth_shape_words(enum growth_shape shape)
{
    static const char *const words[] = {
        [GROWTH_UNKNOWN] = "unknown",
        [GROWTH_CONSTANT] = "constant",
        [GROWTH_LOGARITHMIC] = "log n",
        [GROWTH_LINEAR] = "linear",
        [GROWTH_LINEAR_OR_LOG] = "linear or n log n",
        [GROWTH_LINEARITHMIC] = "n log n",
        [GROWTH_QUADRATIC] = "quadratic",
        [GROWTH_QUADRATIC_LOG] = "n^2 log n",
        [GROWTH_CUBIC] = "cubic",
        [GROWTH_POWER] = "a power",
        [GROWTH_EXPONENTIAL] = "exponential",
    };
    return words[shape];
}

static struct curve curve_of(const struct growth_series *s)
{
    struct curve c = {.count = 0};
    for (size_t i = 0; i < s->count; i++) {
        double value = s->samples[i].count > 0 ? growth_sample_value(&s->samples[i]) : 0;
        if (s->samples[i].n > 0 && value > 0 && isfinite(value)) {
            c.n[c.count] = s->samples[i].n;
            c.value[c.count] = value;
            c.index[c.count++] = i;
        }
    }
    return c;
}

static double slope_at(const struct curve *c, size_t i)
{
    return log(c->value[i + 1] / c->value[i]) / log(c->n[i + 1] / c->n[i]);
}

/* Mean squared distance of y from its least-squares line over x. */
static double residual(const double *x, const double *y, size_t count)
{
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0, yy = 0;
    for (size_t i = 0; i < count; i++) {
        mean_x += x[i] / (double)count;
        mean_y += y[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
    }
    return xx > 0 ? fmax(yy - xy * xy / xx, 0) : yy;
}

/* A power has one slope; an exponential's slope is proportional to n. The upper part of the curve decides, from where
 * it is steep enough for more than the fixed cost to show. c->count: it is none. */
static size_t exponential_from(const struct curve *c)
{
    double x[GROWTH_SIZES_MAX], log_x[GROWTH_SIZES_MAX], y[GROWTH_SIZES_MAX];
    size_t from = c->count - 1;
    while (from > 0 && slope_at(c, from - 1) >= 1)
        from--;
    size_t count = c->count - from;
    if (count < GROWTH_SIZES_MIN || slope_at(c, c->count - 2) < STEEP)
        return c->count;
    for (size_t i = 0; i < count; i++) {
        x[i] = c->n[from + i];
        log_x[i] = log(x[i]);
        y[i] = log(c->value[from + i]);
    }
    return residual(x, y, count) < 0.5 * residual(log_x, y, count) ? from : c->count;
}

/* Whether y / n^k rises by the same amount in each doubling: a factor log n. What comes of a fixed cost falls off. */
static bool has_logarithm(const struct curve *c, size_t from, double k)
{
    double first = 0, last = 0, sum = 0, top = c->value[c->count - 1] / pow(c->n[c->count - 1], k);
    size_t steps = c->count - 1 - from, half = steps / 2;
    double apart = (double)(steps - half), share = (double)half;
    if (steps < 2)
        return false;
    for (size_t i = from; i + 1 < c->count; i++) {
        double step =
            (c->value[i + 1] / pow(c->n[i + 1], k) - c->value[i] / pow(c->n[i], k)) / log2(c->n[i + 1] / c->n[i]) / top;
        if (step <= 0)
            return false;
        first += i < from + half ? step / share : 0;
        last += i + 1 >= c->count - half ? step / share : 0;
        sum += step;
    }
    /* A fixed cost's part halves with each doubling: the limit is half of that, on a logarithmic scale. */
    double limit = exp2(apart / 2);
    return sum / (double)steps > 0.004 && last > first / limit && last < first * limit;
}

static enum growth_shape shape_of_counts(const struct curve *c, size_t from, double exponent)
{
    double least = c->value[from], most = least;
    for (size_t i = from; i < c->count; i++) {
        least = fmin(least, c->value[i]);
        most = fmax(most, c->value[i]);
    }
    if (most <= least * 1.01)
        return GROWTH_CONSTANT;
    if (exponent < 0.5 && has_logarithm(c, from, 0))
        return GROWTH_LOGARITHMIC;
    if (exponent > 0.95 && exponent < 1.4 && has_logarithm(c, from, 1))
        return GROWTH_LINEARITHMIC;
    if (exponent > 1.95 && exponent < 2.4 && has_logarithm(c, from, 2))
        return GROWTH_QUADRATIC_LOG;
    return exponent < 0.05             ? GROWTH_CONSTANT
           : fabs(exponent - 1) < 0.15 ? GROWTH_LINEAR
           : fabs(exponent - 2) < 0.2  ? GROWTH_QUADRATIC
           : fabs(exponent - 3) < 0.25 ? GROWTH_CUBIC
                                       : GROWTH_POWER;
}

static enum growth_shape shape_of_times(double exponent)
{
    return exponent < 0.2                      ? GROWTH_CONSTANT
           : exponent > 0.8 && exponent < 1.35 ? GROWTH_LINEAR_OR_LOG
           : fabs(exponent - 2) < 0.3          ? GROWTH_QUADRATIC
           : fabs(exponent - 3) < 0.35         ? GROWTH_CUBIC
                                               : GROWTH_POWER;
}

/* Theil-Sen of every run of the sizes from c->index[from] on. */
static int fit_line(
    const struct growth_series *s, const struct curve *c, size_t from, bool same, bool log_n, struct stats_line *ret)
{
    double x[POINTS_MAX], y[POINTS_MAX];
    size_t count = 0;
    for (size_t i = from; i < c->count; i++) {
        const struct growth_sample *at = &s->samples[c->index[i]];
        for (size_t k = 0; k < (same ? 1 : at->count); k++) {
            if (at->values[k] <= 0)
                continue;
            x[count] = log_n ? log(at->n) : at->n;
            y[count++] = log(at->values[k]);
        }
    }
    return stats_theil_sen(x, y, count, GROWTH_CONFIDENCE, ret);
}

static bool runs_agree(const struct growth_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 1; k < s->samples[i].count; k++)
            if (s->samples[i].values[k] != s->samples[i].values[0])
                return false;
    return true;
}

static void mark_bend(struct growth_fit *f, const struct curve *c, size_t from)
{
    double first = slope_at(c, from), last = slope_at(c, c->count - 2), before = first;
    bool up = true, down = true;
    for (size_t i = from + 1; i + 1 < c->count; i++) {
        double here = slope_at(c, i);
        up = up && here > before;
        down = down && here < before;
        before = here;
    }
    f->bends = (up || down) && fabs(last - first) > GROWTH_APART;
}

int growth_fit(const struct growth_series *s, bool exact, struct growth_fit *ret)
{
    struct growth_fit f = {.base = {NAN, NAN, NAN}, .line = NAN, .same = runs_agree(s)};
    struct stats_line power, growing;
    struct curve c = curve_of(s);
    if (s->count < GROWTH_SIZES_MIN)
        return -EINVAL;
    if (c.count < GROWTH_SIZES_MIN) { /* nothing, or next to nothing, to be counted */
        f.shape = GROWTH_CONSTANT;
        f.from = s->samples[0].n;
        f.to = s->samples[s->count - 1].n;
        *ret = f;
        return 0;
    }
    size_t from = c.count > GROWTH_TOP ? c.count - GROWTH_TOP : 0, exponential = exponential_from(&c);
    int r = fit_line(s, &c, from, f.same, true, &power);
    if (r == 0 && exponential < c.count)
        r = fit_line(s, &c, exponential, f.same, false, &growing);
    if (r < 0)
        return r;
    f.exponent = power.slope;
    f.to = c.n[c.count - 1];
    f.line = exp(power.intercept + power.slope.estimate * log(f.to));
    for (size_t i = 0; i + 1 < c.count; i++)
        f.slopes[f.slope_count++] = slope_at(&c, i);
    if (exponential < c.count) {
        f.base = (struct stats_interval){exp(growing.slope.estimate), exp(growing.slope.low), exp(growing.slope.high)};
        f.line = exp(growing.intercept + growing.slope.estimate * f.to);
        f.shape = GROWTH_EXPONENTIAL;
        from = exponential;
    } else {
        f.shape = exact ? shape_of_counts(&c, from, f.exponent.estimate) : shape_of_times(f.exponent.estimate);
        mark_bend(&f, &c, from);
    }
    f.from = c.n[from];
    const struct growth_sample *top = &s->samples[c.index[c.count - 1]];
    f.value = c.value[c.count - 1];
    f.low = f.high = f.value;
    for (size_t k = 0; k < top->count; k++) {
        f.low = fmin(f.low, top->values[k]);
        f.high = fmax(f.high, top->values[k]);
    }
    *ret = f;
    return 0;
}
