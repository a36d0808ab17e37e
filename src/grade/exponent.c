/*
 * The exponent by weighted least squares over a grid of exponents, on medians of repeated runs. Not a line through
 * logarithms: that takes what imports cost for a lack of growth, and the smallest sizes, which are mostly noise of
 * start-up, for as good as the largest.
 */
#include "grade/exponent.h"

#include <errno.h>
#include <math.h>

#define STEP 0.01
#define NOISE_RELATIVE 0.03  /* the least noise of a run's CPU time; what the runs themselves show, if that is more */
#define NOISE_SECONDS 0.001  /* and of start-up, whose median is subtracted; c may be as much below 0 */
#define SD_OF_DEVIATION 1.26 /* a normal deviate's standard deviation over its mean distance from 0 */
#define MEDIAN_COST 1.58     /* variance of a median over that of a mean */

struct points {
    size_t count;
    double size[EXPONENT_SIZES_MAX], y[EXPONENT_SIZES_MAX], variance[EXPONENT_SIZES_MAX];
};

/* The least weighted sum of squares at this exponent, with a at least 0 and c hardly below it. */
static double misfit(const struct points *p, double b)
{
    double w = 0, u = 0, uu = 0, y = 0, uy = 0, sum = 0;
    double power[EXPONENT_SIZES_MAX];
    for (size_t i = 0; i < p->count; i++) {
        double weight = 1 / p->variance[i];
        power[i] = pow(p->size[i] / p->size[p->count - 1], b);
        w += weight;
        u += weight * power[i];
        uu += weight * power[i] * power[i];
        y += weight * p->y[i];
        uy += weight * power[i] * p->y[i];
    }
    double a = fmax(0, (w * uy - u * y) / (w * uu - u * u));
    double c = (y - a * u) / w;
    if (c < -NOISE_SECONDS) {
        c = -NOISE_SECONDS;
        a = fmax(0, (uy - c * u) / uu);
    }
    for (size_t i = 0; i < p->count; i++) {
        double off = p->y[i] - c - a * power[i];
        sum += off * off / p->variance[i];
    }
    return sum;
}

static void set_points(
    struct points *p, const double *sizes, const double (*seconds)[EXPONENT_SIZES_MAX], size_t rounds)
{
    double deviations = 0;
    for (size_t i = 0; i < p->count; i++) {
        double column[EXPONENT_ROUNDS_MAX];
        for (size_t k = 0; k < rounds; k++)
            column[k] = seconds[k][i];
        p->size[i] = sizes[i];
        p->y[i] = stats_median(column, rounds);
        double relative = NOISE_RELATIVE * p->y[i];
        p->variance[i] = NOISE_SECONDS * NOISE_SECONDS + relative * relative;
        for (size_t k = 0; k < rounds; k++)
            deviations += fabs(seconds[k][i] - p->y[i]) / sqrt(p->variance[i]);
    }
    double scale = rounds < 2 ? 1 : fmax(1, SD_OF_DEVIATION * deviations / (double)(p->count * (rounds - 1)));
    for (size_t i = 0; i < p->count; i++)
        p->variance[i] *= scale * scale * MEDIAN_COST / (double)rounds;
}

int exponent_fit(const double *sizes, size_t size_count, const double (*seconds)[EXPONENT_SIZES_MAX], size_t rounds,
    double tail, struct exponent *ret)
{
    if (size_count < 3 || size_count > EXPONENT_SIZES_MAX || rounds < 1 || rounds > EXPONENT_ROUNDS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < size_count; i++)
        if (!(sizes[i] > (i == 0 ? 0 : sizes[i - 1])))
            return -EINVAL;
    struct points p = {.count = size_count};
    set_points(&p, sizes, seconds, rounds);
    enum { GRID = (int)(EXPONENT_MOST / STEP + 0.5) };
    double misfits[GRID + 1], least = INFINITY; /* 0 apart: there n^b is a constant */
    int best = 1;
    for (int i = 1; i <= GRID; i++) {
        misfits[i] = misfit(&p, i * STEP);
        if (misfits[i] < least) {
            least = misfits[i];
            best = i;
        }
    }
    double q = rounds < 2 ? stats_normal_quantile(1 - tail / 2)
                          : stats_student_quantile(tail, (double)(size_count * (rounds - 1)));
    /* Where no power fits well, what is off counts as noise. */
    double free = (double)size_count - 3, worse = free > 0 ? fmax(1, least / free) : 1;
    int low = best, high = best;
    for (int i = 1; i <= GRID; i++)
        if (misfits[i] <= least + q * q * worse) {
            low = i < low ? i : low;
            high = i > high ? i : high;
        }
    ret->b = (struct stats_interval){best * STEP, low == 1 ? 0 : low * STEP, high * STEP};
    ret->growth = p.y[size_count - 1] - p.y[0];
    ret->growth_high = ret->growth + q * sqrt(p.variance[0] + p.variance[size_count - 1]);
    return 0;
}
