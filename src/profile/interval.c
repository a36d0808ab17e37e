/*
 * The 95 % interval of a share: mid-p Clopper-Pearson (Lancaster 1961) on an effective number of samples,
 * which the variance of the ratio estimator over ticks gives (Kish 1965; Korn and Graubard 1998).
 * docs/intervals.md says why and has the measured coverage.
 */
#include "profile/profile.h"
#include "stats/stats.h"

#include <math.h>

#define Z95 1.959963984540054
#define TAIL 0.025 /* below the interval, and above it */
/* Above this many effective hits, and misses, the exact limits and Wilson's agree to a hundredth of their
 * width. */
#define WILSON_FROM 2000.0

/* The chance of more than k hits of n (stats_beta: of at least a hits of a + b - 1), and half that of k. When all n
 * were hits, all of that of k, and with one miss three quarters: half would leave a hole in the coverage (down to 92 %)
 * where few misses were due and none or one came. */
static double mid_upper(double k, double n, double x)
{
    double misses = n - k, half = misses < 2 ? misses / 4 : 0.5;
    return (1 - half) * stats_beta(k, misses + 1, x) + half * stats_beta(k + 1, misses, x);
}

/* The probability at which k or more hits of n have the chance TAIL; the upper limit follows by symmetry. False
 * position with the Illinois rule: some ten steps where bisection takes fifty. */
static double lower_limit(double k, double n)
{
    if (k <= 0)
        return 0;
    double low = 0, high = k >= n ? 1 : k / n;
    double below = -TAIL, above = mid_upper(k, n, high) - TAIL;
    int side = 0;
    for (int i = 0; i < 100 && high - low > 1e-10 * high; i++) {
        double x = (low * above - high * below) / (above - below);
        if (!(x > low && x < high))
            x = (low + high) / 2;
        double value = mid_upper(k, n, x) - TAIL;
        if (fabs(value) < 1e-12)
            return x;
        if (value < 0) {
            low = x;
            below = value;
            above = side < 0 ? above / 2 : above;
            side = -1;
        } else {
            high = x;
            above = value;
            below = side > 0 ? below / 2 : below;
            side = 1;
        }
    }
    return (low + high) / 2;
}

static void wilson(double p, double n, struct profile_share *s)
{
    double z2 = Z95 * Z95, middle = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    s->low = middle - half;
    s->high = middle + half;
}

/* The effect is an estimate from as many ticks as have hits, and as many as have misses, the fewer: counted so that a
 * tick with more of them than others weighs more. Student's t for that many, over the normal deviate, squared; by the
 * first terms of the Cornish-Fisher expansion. (Twice as many ticks as freedom: measured to fit, in docs/intervals.md.)
 * With one thread sample a tick there is nothing to estimate. */
static double effect_doubt(double y, double yy, double n, double yn, double nn)
{
    double with = yy > 0 ? y * y / yy : 0;
    double without_square = nn - 2 * yn + yy;
    double without = without_square > 0 ? (n - y) * (n - y) / without_square : 0;
    double freedom = 2 * fmin(with, without) - 1;
    freedom = freedom > 3 ? freedom : 3;
    double z = Z95, z3 = z * z * z, z5 = z3 * z * z;
    double t = z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
    return t * t / (z * z);
}

/* Of a share p among so many independent hits. */
static struct profile_share limits(double p, double effective)
{
    struct profile_share s = {.share = p};
    double hits = p * effective, misses = (1 - p) * effective;
    if (hits > WILSON_FROM && misses > WILSON_FROM) {
        wilson(p, effective, &s);
    } else {
        s.low = lower_limit(hits, effective);
        s.high = 1 - lower_limit(misses, effective);
    }
    s.low = fmin(s.low, p);
    s.high = fmax(s.high, p);
    return s;
}

struct profile_share profile_interval(double y, double yy, double yn, double n, double nn, double ticks)
{
    struct profile_share s = {.low = 0, .high = 1};
    if (!(n > 0) || !(ticks > 0))
        return s;
    double p = y / n;
    p = p < 0 ? 0 : p > 1 ? 1 : p;

    /* Threads sampled at one tick are not independent of each other. With no spread to be seen (all or
     * nothing), they are taken to be all alike: every tick counts once. */
    double alike = nn / n;
    double effect = alike;
    double binomial = p * (1 - p) * n;
    if (binomial > 0) {
        double variance = yy - 2 * p * yn + p * p * nn;
        if (ticks > 1)
            variance *= ticks / (ticks - 1);
        effect = variance / binomial;
        /* Perfectly regular hits have no variance; what was not seen to happen may still do so in 3 of n. */
        double least = fmin(2.5 / binomial, alike);
        effect = effect > least ? effect : least;
    }
    effect *= 1 + (effect_doubt(y, yy, n, yn, nn) - 1) * fmin(1, alike - 1);
    return limits(p, n / effect);
}

/* ---- between runs ---- */

/* Runs are the clusters, and their mean share is what is asked for: a run counts once however long it was. The spread
 * between them, by Student's t, gives the effective number of samples (Korn and Graubard), and that the limits: so that
 * a share near 0 or 1 has the limits that it has in one run. */
struct profile_share profile_runs_interval(const double *hits, const double *n, size_t runs)
{
    struct profile_share s = {.low = 0, .high = 1};
    double count = 0, sum = 0, squares = 0, samples = 0;
    for (size_t i = 0; i < runs; i++) {
        if (!(n[i] > 0))
            continue;
        count++;
        samples += n[i];
        sum += hits[i] / n[i];
    }
    if (count < 1)
        return s;
    s.share = sum / count;
    if (count < 2)
        return s;
    double p = s.share, t = stats_student_quantile(2 * TAIL, count - 1);
    for (size_t i = 0; i < runs; i++)
        if (n[i] > 0)
            squares += (hits[i] / n[i] - p) * (hits[i] / n[i] - p);
    double variance = squares / (count - 1) / count, binomial = p * (1 - p), effective = samples;
    if (binomial > 0) {
        /* Equal counts by chance have no spread: what was not seen to differ may still do so in 3 of all. */
        double least = fmin(2.5 / (binomial * samples), 1) * binomial / samples;
        variance = fmax(variance, least);
        effective = binomial / variance * (Z95 / t) * (Z95 / t);
    } else {
        effective *= (Z95 / t) * (Z95 / t);
    }
    return limits(p, effective);
}
