/*
 * The exponent by weighted least squares over a grid of exponents, on the mean of the shorter half of repeated runs:
 * what disturbs a run makes it longer, often by as much again, and seldom more than half of them. Not a line through
 * logarithms: that takes what imports cost for a lack of growth, and the smallest sizes, which are mostly noise of
 * start-up, for as good as the largest.
 */
#include "grade/exponent.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define STEP 0.01
#define NOISE_RELATIVE 0.03 /* the least noise of a run's CPU time; what the runs themselves show, if that is more */
#define NOISE_SECONDS 0.001 /* and of start-up, whose median is subtracted; c may be as much below 0 */
/* The error of the mean of the shorter half of n runs, over their mean distance from it, times the root of n: of normal
 * noise, for 3 to 13 runs within a tenth. */
#define ERROR_OF_HALF 2.7

struct points {
    size_t count;
    double size[EXPONENT_SIZES_MAX], y[EXPONENT_SIZES_MAX], variance[EXPONENT_SIZES_MAX];
    double fixed, mean; /* seconds: the noise of start-up; the error of a y, over all sizes */
};

/* The least weighted sum of squares at this exponent, with a at least 0 and c below it by the noise of start-up at
 * most.
 */
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
    if (c < -p->fixed) {
        c = -p->fixed;
        a = fmax(0, (uy - c * u) / uu);
    }
    for (size_t i = 0; i < p->count; i++) {
        double off = p->y[i] - c - a * power[i];
        sum += off * off / p->variance[i];
    }
    return sum;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The mean of the shorter half of a size's runs, the middle one with them; and its error. */
static double shorter_half(const double (*seconds)[EXPONENT_SIZES_MAX], size_t rounds, size_t size, double *ret_error)
{
    double runs[EXPONENT_ROUNDS_MAX], sum = 0, off = 0;
    size_t half = (rounds + 1) / 2;
    for (size_t k = 0; k < rounds; k++)
        runs[k] = seconds[k][size];
    qsort(runs, rounds, sizeof(runs[0]), by_value);
    for (size_t k = 0; k < half; k++)
        sum += runs[k];
    for (size_t k = 0; k < half; k++)
        off += fabs(runs[k] - sum / (double)half);
    *ret_error = ERROR_OF_HALF * off / (double)half / sqrt((double)rounds);
    return sum / (double)half;
}

/* Noise of start-up is seen at the smaller sizes, where nothing else is; that of the work at the larger ones. */
static void set_points(
    struct points *p, const double *sizes, const double (*seconds)[EXPONENT_SIZES_MAX], size_t rounds)
{
    double fixed = 0, relative = 0, mean = 0, error;
    size_t half = p->count / 2;
    for (size_t i = 0; i < p->count; i++) {
        p->size[i] = sizes[i];
        p->y[i] = shorter_half(seconds, rounds, i, &error);
        mean += error / (double)p->count;
        if (i < half)
            fixed += error / (double)half;
        else if (p->y[i] > NOISE_SECONDS)
            relative += error / p->y[i] / (double)(p->count - half);
    }
    double few = sqrt((double)rounds);
    fixed = p->fixed = fmax(NOISE_SECONDS / few, fixed);
    p->mean = fmax(NOISE_SECONDS / few, mean);
    relative = fmax(NOISE_RELATIVE / few, relative);
    for (size_t i = 0; i < p->count; i++)
        p->variance[i] = fixed * fixed + relative * p->y[i] * relative * p->y[i];
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
    size_t half = size_count / 2; /* at so many sizes either noise is seen */
    double freedom = (double)(half * (rounds - 1));
    double q = rounds < 2 ? stats_normal_quantile(1 - tail / 2) : stats_student_quantile(tail, freedom);
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
    ret->growth_high = ret->growth + q * M_SQRT2 * p.mean;
    return 0;
}
