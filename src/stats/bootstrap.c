/* Bootstrap intervals of one sample's statistic: Efron's percentiles, and the bias-corrected and accelerated ones
 * (Efron 1987; Efron and Tibshirani 1993, chapter 14). */
#include "stats/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES_MAX 10000000u

__extension__ typedef unsigned __int128 wide;

/* A whole number below n, each as likely: by the high half of a product, refused where it would favour some (Lemire
 * 2019). */
static size_t random_below(uint64_t *state, size_t n)
{
    for (;;) {
        wide product = (wide)random_next(state) * n;
        if ((uint64_t)product >= -(uint64_t)n % n)
            return (size_t)(product >> 64);
    }
}

/* The acceleration: skewness of the statistic when each value is left out in turn. */
static double acceleration(
    const double *x, size_t n, stats_statistic *statistic, void *context, double *copy, double *of)
{
    double mean = 0, squares = 0, cubes = 0;
    for (size_t out = 0; out < n; out++) {
        memcpy(copy, x, out * sizeof(*x));
        memcpy(copy + out, x + out + 1, (n - out - 1) * sizeof(*x));
        of[out] = statistic(copy, n - 1, context);
        mean += of[out] / (double)n;
    }
    for (size_t out = 0; out < n; out++) {
        double d = mean - of[out];
        squares += d * d;
        cubes += d * d * d;
    }
    return squares > 0 ? cubes / (6 * squares * sqrt(squares)) : 0;
}

int stats_bootstrap(const double *x, size_t n, stats_statistic *statistic, void *context, enum stats_bootstrap kind,
    double confidence, size_t resamples, uint64_t seed, struct stats_interval *ret)
{
    if (n < 2 || resamples < 1 || resamples > RESAMPLES_MAX || !stats_level_valid(confidence))
        return -EINVAL;
    CLEANUP(free_pointer) double *copy = malloc(n * sizeof(*copy));
    CLEANUP(free_pointer) double *left_out = malloc(n * sizeof(*left_out));
    CLEANUP(free_pointer) double *values = malloc(resamples * sizeof(*values));
    if (copy == NULL || left_out == NULL || values == NULL)
        return -ENOMEM;
    memcpy(copy, x, n * sizeof(*x));
    double estimate = statistic(copy, n, context), low = (1 - confidence) / 2, high = 1 - low, below = 0;
    for (size_t k = 0; k < resamples; k++) {
        for (size_t i = 0; i < n; i++)
            copy[i] = x[random_below(&seed, n)];
        values[k] = statistic(copy, n, context);
        /* Of those that equal it, half: a median has many. */
        below += values[k] < estimate ? 1 : values[k] == estimate ? 0.5 : 0;
    }
    qsort(values, resamples, sizeof(*values), stats_by_value);
    /* Where the statistic is beyond all its resamples there is no correction to be had; plain percentiles then. */
    if (kind == STATS_BCA && below > 0 && below < (double)resamples) {
        double bias = stats_normal_quantile(below / (double)resamples);
        double a = acceleration(x, n, statistic, context, copy, left_out);
        double *side[2] = {&low, &high};
        for (int i = 0; i < 2; i++) {
            double z = bias + stats_normal_quantile(*side[i]);
            *side[i] = stats_normal_cdf(bias + z / (1 - a * z));
        }
    }
    *ret = (struct stats_interval){
        estimate, stats_quantile(values, resamples, low), stats_quantile(values, resamples, high)};
    return 0;
}
