/* Means, medians, quantiles; Welch; Hodges-Lehmann; Theil-Sen. */
#include "stats/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_RANKS_MAX 50 /* values of a side up to which the distributions of rank sums are counted out */

int stats_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool stats_level_valid(double level)
{
    return level > 0 && level < 1;
}

double *stats_copy_sorted(const double *x, size_t n)
{
    double *copy = malloc((n > 0 ? n : 1) * sizeof(*copy));
    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, x, n * sizeof(*copy));
    qsort(copy, n, sizeof(*copy), stats_by_value);
    return copy;
}

/* ---- means ---- */

/* Taken from the first value, so that equal ones have themselves as their mean, and no variance. */
static double mean_of(const double *x, size_t n)
{
    double sum = 0, off = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] - x[0];
    double mean = x[0] + sum / (double)n;
    for (size_t i = 0; i < n; i++) /* what rounding left */
        off += x[i] - mean;
    return mean + off / (double)n;
}

static double squares_of(const double *x, size_t n, double mean)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return squares;
}

double stats_sd(const double *x, size_t n)
{
    return n < 2 ? 0 : sqrt(squares_of(x, n, mean_of(x, n)) / (double)(n - 1));
}

struct stats_mean stats_mean(const double *x, size_t n)
{
    struct stats_mean m = {.value = mean_of(x, n)};
    if (n > 1) {
        m.freedom = (double)(n - 1);
        m.variance = squares_of(x, n, m.value) / m.freedom / (double)n;
    }
    return m;
}

struct stats_interval stats_mean_interval(struct stats_mean m, double confidence)
{
    double reach = m.freedom > 0 ? stats_student_quantile(1 - confidence, m.freedom) * sqrt(m.variance) : INFINITY;
    return (struct stats_interval){m.value, m.value - reach, m.value + reach};
}

struct stats_welch stats_welch(struct stats_mean a, struct stats_mean b, double confidence)
{
    double variance = a.variance + b.variance, difference = b.value - a.value;
    struct stats_welch w = {.difference = {difference, difference, difference}, .p = difference == 0};
    if (!(variance > 0))
        return w;
    double parts = 0;
    for (int i = 0; i < 2; i++) {
        const struct stats_mean *m = i == 0 ? &a : &b;
        if (m->variance > 0)
            parts += m->variance * m->variance / m->freedom;
    }
    w.freedom = variance * variance / parts;
    double error = sqrt(variance), reach = stats_student_quantile(1 - confidence, w.freedom) * error;
    w.difference.low = difference - reach;
    w.difference.high = difference + reach;
    w.p = stats_student_tail(difference / error, w.freedom);
    return w;
}

/* ---- order statistics ---- */

static double median_sorted(const double *x, size_t n)
{
    return n == 0 ? NAN : n % 2 == 1 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

double stats_median(double *x, size_t n)
{
    qsort(x, n, sizeof(*x), stats_by_value);
    return median_sorted(x, n);
}

double stats_quantile(const double *sorted, size_t n, double q)
{
    if (n == 0 || !(q >= 0 && q <= 1))
        return NAN;
    double at = q * (double)(n - 1), whole = floor(at);
    size_t i = (size_t)whole;
    return i + 1 < n ? sorted[i] + (at - whole) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* ---- Hodges-Lehmann: the median of pairs, between the k-th pair from below and the k-th from above ---- */

/* The most k for which no more than `half` of the chance lies below rank sum k: the sums 0 .. k-1 of a distribution
 * given by its counts. */
static size_t ranks_cut(const double *counts, size_t sums, double all, double half)
{
    double below = 0;
    size_t k = 0;
    while (k < sums && (below + counts[k]) / all <= half)
        below += counts[k++];
    return k;
}

/* Of Wilcoxon's signed-rank sum of n values: each rank is in the sum or is not. */
static int signed_rank_cut(size_t n, double half, size_t *ret)
{
    size_t sums = n * (n + 1) / 2 + 1;
    double *counts = calloc(sums, sizeof(*counts));
    if (counts == NULL)
        return -ENOMEM;
    counts[0] = 1;
    for (size_t rank = 1; rank <= n; rank++)
        for (size_t sum = sums - 1; sum >= rank; sum--)
            counts[sum] += counts[sum - rank];
    *ret = ranks_cut(counts, sums, exp2((double)n), half);
    free(counts);
    return 0;
}

int stats_u_counts(size_t na, size_t nb, double **ret, double *ret_all)
{
    /* The generating function: the product over i of (1 - x^(nb + i)) / (1 - x^i). Its lower half only, where nothing
     * cancels that matters; the other is its mirror image. */
    size_t sums = na * nb / 2 + 1;
    double *counts = calloc(sums, sizeof(*counts)), all = 1;
    if (counts == NULL)
        return -ENOMEM;
    counts[0] = 1;
    for (size_t i = 1; i <= na; i++) {
        for (size_t u = sums; u-- > nb + i;)
            counts[u] -= counts[u - nb - i];
        for (size_t u = i; u < sums; u++)
            counts[u] += counts[u - i];
        all *= (double)(nb + i) / (double)i;
    }
    *ret = counts;
    *ret_all = all;
    return 0;
}

static int rank_sum_cut(size_t na, size_t nb, double half, size_t *ret)
{
    double *counts, all;
    int r = stats_u_counts(na, nb, &counts, &all);
    if (r < 0)
        return r;
    *ret = ranks_cut(counts, na * nb / 2 + 1, all, half);
    free(counts);
    return 0;
}

/* From a mean and a variance of the sum: k such that the sums below it have half of the chance. */
static size_t normal_cut(double mean, double variance, double half)
{
    double k = floor(mean + stats_normal_quantile(half) * sqrt(variance));
    return k > 0 ? (size_t)k : 0;
}

static void pairs_interval(double *pairs, size_t count, size_t cut, struct stats_interval *ret)
{
    qsort(pairs, count, sizeof(*pairs), stats_by_value);
    size_t first = cut > 0 ? cut - 1 : 0;
    *ret = (struct stats_interval){median_sorted(pairs, count), pairs[first], pairs[count - 1 - first]};
}

int stats_hodges_lehmann(const double *x, size_t n, double confidence, struct stats_interval *ret)
{
    double m = (double)n, half = (1 - confidence) / 2;
    size_t count = n * (n + 1) / 2, cut, k = 0;
    if (n == 0 || n > STATS_PAIRS_MAX || count > STATS_PAIRS_MAX || !stats_level_valid(confidence))
        return -EINVAL;
    if (n > EXACT_RANKS_MAX)
        cut = normal_cut(m * (m + 1) / 4, m * (m + 1) * (2 * m + 1) / 24, half);
    else if (signed_rank_cut(n, half, &cut) < 0)
        return -ENOMEM;
    double *pairs = malloc(count * sizeof(*pairs));
    if (pairs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            pairs[k++] = (x[i] + x[j]) / 2;
    pairs_interval(pairs, count, cut, ret);
    free(pairs);
    return 0;
}

int stats_hodges_lehmann_two(
    const double *a, size_t na, const double *b, size_t nb, double confidence, struct stats_interval *ret)
{
    double p = (double)na, q = (double)nb, half = (1 - confidence) / 2;
    size_t count, cut, k = 0;
    if (na == 0 || nb == 0 || __builtin_mul_overflow(na, nb, &count) || count > STATS_PAIRS_MAX ||
        !stats_level_valid(confidence))
        return -EINVAL;
    if (na > EXACT_RANKS_MAX || nb > EXACT_RANKS_MAX)
        cut = normal_cut(p * q / 2, p * q * (p + q + 1) / 12, half);
    else if (rank_sum_cut(na, nb, half, &cut) < 0)
        return -ENOMEM;
    double *pairs = malloc(count * sizeof(*pairs));
    if (pairs == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < na; i++)
        for (size_t j = 0; j < nb; j++)
            pairs[k++] = b[j] - a[i];
    pairs_interval(pairs, count, cut, ret);
    free(pairs);
    return 0;
}

/* ---- Theil-Sen ---- */

/* The sum over runs of equal values of t (t - 1) (2 t + 5). */
static double tied(const double *sorted, size_t n)
{
    double sum = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end] == sorted[i]; end++)
            ;
        double t = (double)(end - i);
        sum += t * (t - 1) * (2 * t + 5);
    }
    return sum;
}

int stats_theil_sen(const double *x, const double *y, size_t n, double confidence, struct stats_line *ret)
{
    if (n < 2 || n > STATS_PAIRS_MAX || n * (n - 1) / 2 > STATS_PAIRS_MAX || !stats_level_valid(confidence))
        return -EINVAL;
    CLEANUP(free_pointer) double *slopes = malloc(n * (n - 1) / 2 * sizeof(*slopes));
    CLEANUP(free_pointer) double *xs = stats_copy_sorted(x, n);
    CLEANUP(free_pointer) double *ys = stats_copy_sorted(y, n);
    size_t count = 0;
    if (slopes == NULL || xs == NULL || ys == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (x[j] != x[i])
                slopes[count++] = (y[j] - y[i]) / (x[j] - x[i]);
    if (count == 0)
        return -EINVAL;
    qsort(slopes, count, sizeof(*slopes), stats_by_value);
    double m = (double)n, pairs = (double)count, middle = median_sorted(slopes, count);
    double variance = (m * (m - 1) * (2 * m + 5) - tied(xs, n) - tied(ys, n)) / 18;
    /* Ranks of the limits, as Sen (1968) has them; of few pairs the outermost, as scipy does it. */
    double reach = -stats_normal_quantile((1 - confidence) / 2) * sqrt(fmax(variance, 0));
    double high = nearbyint((pairs + reach) / 2), low = nearbyint((pairs - reach) / 2) - 1;
    high = fmin(high, pairs - 1);
    low = fmax(low, 0);
    ret->slope = (struct stats_interval){middle, slopes[(size_t)low], slopes[(size_t)high]};
    ret->intercept = median_sorted(ys, n) - middle * median_sorted(xs, n);
    return 0;
}
