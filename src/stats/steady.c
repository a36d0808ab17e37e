/*
 * Whether the iterations of a process settle, and from where: the classes of Barrett et al. (OOPSLA 2017), by change
 * points of mean and variance. The partition is the best there is (Jackson et al. 2005), which PELT finds too. And how
 * often to iterate (Kalibera and Jones, ISMM 2013).
 */
#include "stats/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PENALTY 15.0     /* times ln n, a change point: flat noise is all but never cut */
#define LEAST 3          /* iterations of a segment */
#define WINDOW 100       /* iterations on either side, among which one is an outlier */
#define OUTLIER 3.0      /* distances from the 10th to the 90th percentile, from the median */
#define LEAST_SPREAD 0.1 /* of the tolerance: less spread than this is none */
#define CHANCE 3.0       /* standard errors that a segment of the last level may be off */
#define LAST_PART 4      /* the last quarter is to be of one level */

/* A single iteration far from those around it, a collection or another program's doing, is no level: it is put at the
 * limit. Not the first: a slow first one is warm-up. */
static int tame_outliers(const double *x, size_t n, double *tame)
{
    CLEANUP(free_pointer) double *window = calloc(2 * WINDOW + 1, sizeof(*window));
    CLEANUP(free_pointer) int8_t *side = calloc(n + 2, sizeof(*side)); /* of x[i - 1]: below, in, above */
    if (window == NULL || side == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t from = i > WINDOW ? i - WINDOW : 0, to = i + WINDOW < n ? i + WINDOW + 1 : n, count = 0;
        for (size_t k = from; k < to; k++)
            window[count++] = x[k];
        double middle = stats_median(window, count);
        double reach = OUTLIER * (stats_quantile(window, count, 0.9) - stats_quantile(window, count, 0.1));
        side[i + 1] = (int8_t)((x[i] > middle + reach) - (x[i] < middle - reach));
        tame[i] = fmax(fmin(x[i], middle + reach), middle - reach);
    }
    for (size_t i = 0; i < n; i++)
        if (i == 0 || side[i] == side[i + 1] || side[i + 2] == side[i + 1])
            tame[i] = x[i];
    return 0;
}

struct partition {
    size_t n;
    double floor;           /* of a variance */
    double *sums, *squares; /* of the first k */
    double *best;           /* the least cost of the first k */
    size_t *last;           /* where their last segment begins */
};

static double cost(const struct partition *p, size_t from, size_t to)
{
    double n = (double)(to - from), sum = p->sums[to] - p->sums[from];
    double variance = (p->squares[to] - p->squares[from] - sum * sum / n) / n;
    return n * log(fmax(variance, p->floor));
}

/* Segments of x[0, n): their ends, ascending, in ends[0, *ret). */
static int partition_make(const double *x, size_t n, double least_sd, size_t *ends, size_t *ret)
{
    struct partition p = {.n = n, .floor = least_sd * least_sd};
    CLEANUP(free_pointer) double *table = calloc(3 * (n + 1), sizeof(*table));
    CLEANUP(free_pointer) size_t *last = calloc(n + 1, sizeof(*last));
    double middle = stats_mean(x, n).value, penalty = PENALTY * log((double)n);
    size_t count = 0;
    if (table == NULL || last == NULL)
        return -ENOMEM;
    p.sums = table;
    p.squares = table + (n + 1);
    p.best = table + 2 * (n + 1);
    p.last = last;
    for (size_t i = 0; i < n; i++) {
        double v = x[i] - middle;
        p.sums[i + 1] = p.sums[i] + v;
        p.squares[i + 1] = p.squares[i] + v * v;
    }
    p.best[0] = -penalty;
    for (size_t to = 1; to <= n; to++) {
        p.best[to] = INFINITY;
        for (size_t from = 0; from + LEAST <= to; from = from == 0 ? LEAST : from + 1) {
            double of = p.best[from] + cost(&p, from, to) + penalty;
            if (of < p.best[to]) {
                p.best[to] = of;
                p.last[to] = from;
            }
        }
    }
    for (size_t to = n; to > 0; to = p.last[to])
        ends[count++] = to;
    for (size_t i = 0; i < count / 2; i++) {
        size_t swapped = ends[i];
        ends[i] = ends[count - 1 - i];
        ends[count - 1 - i] = swapped;
    }
    *ret = count;
    return 0;
}

static void classify(
    const double *x, size_t n, const size_t *ends, size_t count, double tolerance, struct stats_steady *ret)
{
    size_t last_from = count > 1 ? ends[count - 2] : 0, from = 0;
    double level = stats_mean(x + last_from, n - last_from).value, sd = stats_sd(x + last_from, n - last_from);
    bool faster_before = false;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t start = i > 0 ? ends[i - 1] : 0, size = ends[i] - start;
        double mean = stats_mean(x + start, size).value;
        if (fabs(mean - level) <= fmax(tolerance * fabs(level), CHANCE * sd / sqrt((double)size)))
            continue;
        from = ends[i];
        faster_before = faster_before || mean < level;
    }
    *ret = (struct stats_steady){.from = from, .segments = count, .kind = STATS_FLAT};
    if (from > n - n / LAST_PART)
        *ret = (struct stats_steady){.from = n, .segments = count, .kind = STATS_NO_STEADY_STATE, .level = NAN};
    else if (from > 0)
        ret->kind = faster_before ? STATS_SLOWDOWN : STATS_WARM_UP;
    if (ret->from < n)
        ret->level = stats_mean(x + ret->from, n - ret->from).value;
}

int stats_steady(const double *x, size_t n, double tolerance, struct stats_steady *ret)
{
    if (n == 0 || n > STATS_SERIES_MAX || !(tolerance > 0))
        return -EINVAL;
    CLEANUP(free_pointer) double *tame = calloc(n, sizeof(*tame));
    CLEANUP(free_pointer) double *sorted = stats_copy_sorted(x, n);
    CLEANUP(free_pointer) size_t *ends = calloc(n + 1, sizeof(*ends));
    size_t count = 1;
    if (tame == NULL || sorted == NULL || ends == NULL)
        return -ENOMEM;
    int r = tame_outliers(x, n, tame);
    double least_sd = LEAST_SPREAD * tolerance * fabs(stats_quantile(sorted, n, 0.5));
    ends[0] = n;
    if (r == 0 && n >= 2 * LEAST)
        r = partition_make(tame, n, fmax(least_sd, 1e-300), ends, &count);
    if (r == 0)
        classify(tame, n, ends, count, tolerance, ret);
    return r;
}

size_t stats_inner_count(
    double cost_iteration, double sd_iteration, double cost_process, double sd_process, size_t most)
{
    if (!(sd_iteration > 0) || most < 1)
        return 1;
    double r = ceil(sqrt(cost_process / cost_iteration) * sd_iteration / sd_process);
    return r >= (double)most ? most : r >= 1 ? (size_t)r : 1;
}
