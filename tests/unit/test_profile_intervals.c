/*
 * Do 95 % intervals hold the truth 95 times of 100? One thread: the exact coverage, summed over the binomial
 * distribution. Several threads: simulated runs of known truth with a fixed seed. PITVIPER_SHOW=1 prints the tables of
 * docs/intervals.md.
 */
#include "profile/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool show(void)
{
    return getenv("PITVIPER_SHOW") != NULL;
}

/* cmocka's own compares floats, in single precision. */
#define assert_near(value, expected, within) assert_true(fabs((value) - (expected)) <= (within))

static double uniform(uint64_t *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

static struct profile_share of_binomial(double k, double n)
{
    return profile_interval(k, k, k, n, n, n);
}

static double binomial_chance(double k, double n, double p)
{
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p));
}

/* The chance that the interval of a binomial count holds p. */
static double coverage_of(double n, double p)
{
    double spread = 9 * sqrt(n * p * (1 - p)) + 9, sum = 0;
    for (double k = floor(fmax(0, n * p - spread)); k <= fmin(n, n * p + spread); k++) {
        struct profile_share s = of_binomial(k, n);
        if (s.low <= p && p <= s.high)
            sum += binomial_chance(k, n, p);
    }
    return sum;
}

/* Textbook values: scipy.stats.binomtest(k, n).proportion_ci(method="exact") encloses a mid-p interval, and
 * method="wilson" is what large counts come to. */
static void agrees_with_known_limits(void **state)
{
    (void)state;
    struct profile_share s = of_binomial(0, 100);
    assert_near(s.low, 0, 0);
    assert_near(s.high, 1 - pow(0.025, 0.01), 1e-9); /* (1-p)^100 = 0.025, the exact one */
    s = of_binomial(100, 100);
    assert_near(s.low, pow(0.025, 0.01), 1e-9);
    assert_near(s.high, 1, 0);
    s = of_binomial(1, 1);
    assert_near(s.low, 0.025, 1e-9);
    s = of_binomial(10, 100); /* exact: 0.0490 to 0.1762 */
    assert_true(s.low > 0.04900469 && s.low < 0.055);
    assert_true(s.high < 0.17622260 && s.high > 0.168);
    s = of_binomial(300000, 1000000); /* Wilson: 0.2991025 to 0.3008991 */
    assert_near(s.low, 0.2991025, 1e-6);
    assert_near(s.high, 0.3008991, 1e-6);
    s = profile_interval(0, 0, 0, 0, 0, 0); /* nothing is known */
    assert_near(s.low, 0, 0);
    assert_near(s.high, 1, 0);
}

static void joins_the_exact_and_the_approximate_limits_smoothly(void **state)
{
    (void)state;
    for (double p = 0.05; p < 1; p += 0.15) {
        double n = 2000 / fmin(p, 1 - p);
        struct profile_share below = of_binomial(floor(n * p) - 2, floor(n) - 4);
        struct profile_share above = of_binomial(ceil(n * p) + 2, ceil(n) + 4);
        double width = above.high - above.low;
        assert_near(below.high - below.low, width, width * 0.01);
    }
}

static void holds_the_truth_of_one_thread(void **state)
{
    (void)state;
    static const double shares[] = {
        0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998};
    static const double counts[] = {100, 300, 1000, 3000, 10000, 100000};
    double sum = 0;
    int cases = 0;
    for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
        if (show())
            printf("| %5.1f %% |", shares[i] * 100);
        for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
            double coverage = coverage_of(counts[k], shares[i]);
            double rare = counts[k] * fmin(shares[i], 1 - shares[i]);
            if (show())
                printf(" %.1f |", coverage * 100);
            assert_true(coverage >= 0.93);
            /* Counts are whole: where few hits are due, no interval without randomness can be near 95 from above. */
            if (rare >= 3)
                assert_true(coverage <= 0.985);
            if (rare >= 10) {
                assert_true(coverage <= 0.97);
                sum += coverage;
                cases++;
            }
        }
        if (show())
            printf("\n");
    }
    assert_near(sum / cases, 0.95, 0.004);
}

/* No share between the ones in the table may have a hole in it. */
static void has_no_hole_between_shares(void **state)
{
    (void)state;
    double least = 1;
    for (double n = 50; n <= 2000; n *= 3)
        for (double expected = 0.01; expected < n / 2; expected *= 1.1)
            least = fmin(least, coverage_of(n, expected / n));
    if (show())
        printf("least coverage of one thread, at any share: %.2f %%\n", least * 100);
    assert_true(least >= 0.93);
}

/* ---- several threads ---- */

struct tick {
    int y, n;
};

/* Every thread on its own. */
static struct tick independent(uint64_t *random, double p, int threads)
{
    struct tick t = {0, threads};
    for (int i = 0; i < threads; i++)
        t.y += uniform(random) < p;
    return t;
}
/* All threads do the same at any time. */
static struct tick alike(uint64_t *random, double p, int threads)
{
    return (struct tick){uniform(random) < p ? threads : 0, threads};
}
/* One at a time, as under the GIL: the rest wait somewhere else. */
static struct tick in_turn(uint64_t *random, double p, int threads)
{
    return (struct tick){uniform(random) < p * threads, threads};
}
/* Phases: busy ones, in which each thread is four times as likely to be there as on average. */
static struct tick phases(uint64_t *random, double p, int threads)
{
    return uniform(random) < 0.25 ? independent(random, 4 * p, threads) : (struct tick){0, threads};
}
/* A pool that grows when there is work of this kind: the count of threads and the share go together. */
static struct tick growing(uint64_t *random, double p, int threads)
{
    bool grown = uniform(random) < 0.2;
    int n = grown ? threads : 1 + (int)(uniform(random) * 3);
    /* The truth is 0.2 t 2p + 0.8 * 2 * q over 0.2 t + 0.8 * 2. */
    double q = p * (1.6 - 0.2 * threads) / 1.6;
    return independent(random, grown ? 2 * p : q, n);
}
/* Threads come and go on their own. */
static struct tick coming_and_going(uint64_t *random, double p, int threads)
{
    int n = 0;
    for (int i = 0; i < threads; i++)
        n += uniform(random) < 0.4;
    return independent(random, p, n);
}

static void holds_the_truth_of_several_threads(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct tick (*tick)(uint64_t *random, double p, int threads);
        int threads;
    } programs[] = {
        {"independent, 8", independent, 8},
        {"all alike, 8", alike, 8},
        {"in turn, 8", in_turn, 8},
        {"phases, 8", phases, 8},
        {"growing pool, 1 to 6", growing, 6},
        {"coming and going, 10", coming_and_going, 10},
        {"phases, 30", phases, 30},
    };
    static const double shares[] = {0.002, 0.02, 0.12};
    static const int counts[] = {100, 1000};
    const int runs = 1000;
    double sum = 0;
    int cases = 0;
    uint64_t random = 20240607;
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        for (size_t s = 0; s < ARRAY_SIZE(shares); s++) {
            double p = shares[s];
            if (show())
                printf("| %s | %.1f %% |", programs[i].name, p * 100);
            for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
                int held = 0, with = 0;
                for (int run = 0; run < runs; run++) {
                    double y = 0, yy = 0, yn = 0, n = 0, nn = 0;
                    for (int t = 0; t < counts[k]; t++) {
                        struct tick one = programs[i].tick(&random, p, programs[i].threads);
                        y += one.y;
                        yy += one.y * one.y;
                        yn += one.y * one.n;
                        n += one.n;
                        nn += one.n * one.n;
                        with += one.y > 0;
                    }
                    struct profile_share share = profile_interval(y, yy, yn, n, nn, counts[k]);
                    held += share.low <= p && p <= share.high;
                }
                double coverage = (double)held / runs, mean_with = (double)with / runs;
                assert_true(coverage >= 0.93);
                if (mean_with >= 10 && mean_with <= counts[k] - 10) {
                    assert_true(coverage <= 0.975);
                    sum += coverage;
                    cases++;
                }
                if (show())
                    printf(" %.1f (%.0f) |", coverage * 100, mean_with);
            }
            if (show())
                printf("\n");
        }
    }
    assert_true(cases > 20);
    assert_near(sum / cases, 0.95, 0.006);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_known_limits),
        cmocka_unit_test(joins_the_exact_and_the_approximate_limits_smoothly),
        cmocka_unit_test(holds_the_truth_of_one_thread),
        cmocka_unit_test(has_no_hole_between_shares),
        cmocka_unit_test(holds_the_truth_of_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
