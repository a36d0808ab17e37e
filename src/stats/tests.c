/* Sign flips, Mann-Whitney, Holm. */
#include "stats/inside.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define EXACT_U_SIDE 8        /* as scipy: exact where one side has no more */
#define FLIPS_AT_ONCE 2000    /* of STATS_FLIPS */
#define EXACT_U_MAX 20000000u /* values of U that are counted out */

/* ---- sign flips ---- */

static_assert(STATS_FLIPS % FLIPS_AT_ONCE == 0, "whole batches");

/* Sums that differ by rounding alone are equal. */
static double sign_slack(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(x[i]);
    return sum * 1e-13;
}

/* All of them: each pattern differs from the one before by one sign (Gray's code). The last sign stays, since a pattern
 * and its opposite have the same |sum|. */
static double flips_exact(const double *x, size_t n, double least)
{
    uint64_t patterns = UINT64_C(1) << (n - 1), as_far = 0;
    double sign[STATS_FLIPS_EXACT], sum = 0;
    for (size_t i = 0; i < n; i++) {
        sign[i] = 1;
        sum += x[i];
    }
    for (uint64_t k = 1;; k++) {
        as_far += fabs(sum) >= least;
        if (k == patterns)
            break;
        int flipped = __builtin_ctzll(k);
        sign[flipped] = -sign[flipped];
        sum += 2 * sign[flipped] * x[flipped];
    }
    return (double)as_far / (double)patterns;
}

/* The sums of eight values (fewer at the end) under each of their 256 patterns of signs. */
static void sums_of_eight(const double *x, size_t n, double ret[256])
{
    ret[0] = 0;
    for (size_t i = 0; i < n; i++)
        ret[0] -= x[i];
    for (size_t bit = 0; bit < 8; bit++)
        for (size_t k = 0; k < (size_t)1 << bit; k++)
            ret[k + ((size_t)1 << bit)] = ret[k] + (bit < n ? 2 * x[bit] : 0);
}

static double flips_sampled(const double *x, size_t n, double least, uint64_t seed)
{
    size_t as_far = 1; /* the data */
    double sums[FLIPS_AT_ONCE], table[256];
    for (size_t done = 0; done < STATS_FLIPS; done += FLIPS_AT_ONCE) {
        for (size_t flip = 0; flip < FLIPS_AT_ONCE; flip++)
            sums[flip] = 0;
        for (size_t i = 0; i < n; i += 8) {
            uint64_t bits = 0;
            sums_of_eight(x + i, n - i < 8 ? n - i : 8, table);
            for (size_t flip = 0; flip < FLIPS_AT_ONCE; flip++) {
                bits = flip % 8 == 0 ? random_next(&seed) : bits >> 8;
                sums[flip] += table[bits & 255];
            }
        }
        for (size_t flip = 0; flip < FLIPS_AT_ONCE; flip++)
            as_far += fabs(sums[flip]) >= least;
    }
    return (double)as_far / (STATS_FLIPS + 1);
}

double stats_sign_flip(const double *x, size_t n, uint64_t seed)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    double least = fabs(sum) - sign_slack(x, n);
    if (n == 0)
        return 1;
    return n <= STATS_FLIPS_EXACT ? flips_exact(x, n, least) : flips_sampled(x, n, least, seed);
}

/* ---- Mann-Whitney ---- */

struct ranked {
    double value;
    bool of_a;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* The ranks' sum of a, equal values sharing the mean of theirs; and the sum over ties of t^3 - t. */
static void rank_sums(const struct ranked *order, size_t n, double *ret_sum, double *ret_ties)
{
    *ret_sum = *ret_ties = 0;
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && order[end].value == order[i].value; end++)
            ;
        double rank = ((double)i + 1 + (double)end) / 2, t = (double)(end - i);
        for (size_t k = i; k < end; k++)
            *ret_sum += order[k].of_a ? rank : 0;
        *ret_ties += t * t * t - t;
    }
}

static int u_exact(size_t na, size_t nb, double u, double *ret_p)
{
    double *counts, all, below = 0;
    int r = na < nb ? stats_u_counts(na, nb, &counts, &all) : stats_u_counts(nb, na, &counts, &all);
    if (r < 0)
        return r;
    for (size_t i = 0; i <= na * nb / 2 && (double)i <= u; i++)
        below += counts[i];
    free(counts);
    *ret_p = fmin(1, 2 * below / all);
    return 0;
}

int stats_mann_whitney(const double *a, size_t na, const double *b, size_t nb, double *ret_u, double *ret_p)
{
    size_t n = na + nb, products;
    if (na == 0 || nb == 0 || __builtin_mul_overflow(na, nb, &products))
        return -EINVAL;
    struct ranked *order = calloc(n, sizeof(*order));
    double sum, ties;
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        order[i] = i < na ? (struct ranked){a[i], true} : (struct ranked){b[i - na], false};
    qsort(order, n, sizeof(*order), by_rank);
    rank_sums(order, n, &sum, &ties);
    free(order);

    double p = (double)na, q = (double)nb, m = p + q;
    double u = sum - p * (p + 1) / 2, least = fmin(u, p * q - u);
    if ((na <= EXACT_U_SIDE || nb <= EXACT_U_SIDE) && ties == 0 && products <= EXACT_U_MAX) {
        int r = u_exact(na, nb, least, ret_p);
        if (r < 0)
            return r;
    } else {
        double sd = sqrt(p * q / 12 * (m + 1 - ties / (m * (m - 1))));
        *ret_p = sd > 0 ? fmin(1, 2 * stats_normal_cdf((least - p * q / 2 + 0.5) / sd)) : 1;
    }
    *ret_u = u;
    return 0;
}

/* ---- many p ---- */

struct order {
    double p;
    size_t index;
};

static int by_p(const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    return (x->p > y->p) - (x->p < y->p);
}

int stats_holm(const double *p, size_t count, double *ret)
{
    struct order *order = calloc(count + 1, sizeof(*order));
    double most = 0;
    if (order == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        order[i] = (struct order){p[i], i};
    qsort(order, count, sizeof(*order), by_p);
    /* The least of m is multiplied by m, the next by m - 1; none comes before one that was surer. */
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fmin(1, order[i].p * (double)(count - i)));
        ret[order[i].index] = most;
    }
    free(order);
    return 0;
}
