/*
 * The interval between runs against a known truth: a program whose share varies from run to run, sampled. Each
 * simulated series is one interval; so many of them have to hold the mean share over all runs that could be.
 */
#include "profile/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SERIES = 4000, MOST_RUNS = 50 };

static double uniform(uint64_t *state)
{
    return (double)(random_next(state) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    return sqrt(-2 * log(1 - uniform(state))) * cos(2 * M_PI * uniform(state));
}

static double binomial(uint64_t *state, double n, double p)
{
    double hits = 0;
    for (int i = 0; i < (int)n; i++)
        hits += uniform(state) < p;
    return hits;
}

/* The share of a run is normal about `share`, by `spread` of it; cut where it would be no share. */
static double coverage(double share, double spread, size_t runs, double samples, uint64_t seed)
{
    uint64_t state = seed * 2654435761u + 1;
    int held = 0;
    for (int i = 0; i < SERIES; i++) {
        double hits[MOST_RUNS], n[MOST_RUNS];
        for (size_t k = 0; k < runs; k++) {
            double p = share * (1 + spread * fmax(-3, fmin(3, normal(&state))));
            n[k] = floor(samples * (0.8 + 0.4 * uniform(&state)));
            hits[k] = binomial(&state, n[k], fmax(0, fmin(1, p)));
        }
        struct profile_share s = profile_runs_interval(hits, n, runs);
        held += s.low <= share && share <= s.high;
    }
    return 100.0 * held / SERIES;
}

static void holds_the_mean_over_runs(void **state)
{
    static const double shares[] = {0.02, 0.1, 0.4, 0.9}, spreads[] = {0, 0.05, 0.2};
    static const size_t runs[] = {3, 5, 10, 20, 50};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
        for (size_t k = 0; k < ARRAY_SIZE(spreads); k++) {
            if (shares[i] * (1 + 3 * spreads[k]) > 1)
                continue;
            if (getenv("PITVIPER_SHOW") != NULL)
                print_message("| %.0f %% | %.0f %% |", 100 * shares[i], 100 * spreads[k]);
            for (size_t m = 0; m < ARRAY_SIZE(runs); m++) {
                double held = coverage(shares[i], spreads[k], runs[m], 100, 7 + i * 100 + k * 10 + m);
                if (getenv("PITVIPER_SHOW") != NULL)
                    print_message(" %.1f |", held);
                else if (held < 93 || (held > 97.5 && shares[i] * 100 * (double)runs[m] > 10))
                    fail_msg("share %g, spread %g, %zu runs: %.1f %%", shares[i], spreads[k], runs[m], held);
            }
            if (getenv("PITVIPER_SHOW") != NULL)
                print_message("\n");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_mean_over_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
