/*
 * The verdict on made-up noise of known truth: how often it calls what is not there, finds what is, and what it does at
 * its edges. bench/verdict.py has the same in full.
 */
#include "stats/stats.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "noise.h"

enum { NULL_RUNS = 500, EFFECT_RUNS = 200 };

static const struct stats_verdict_options defaults;

/* The most of `runs` that an event of chance p comes up in, but for one time in a thousand. */
static double most_of(double runs, double p)
{
    return runs * p + 3.1 * sqrt(runs * p * (1 - p)) + 1;
}

/* ---- rates ---- */

static void seldom_calls_a_change_that_is_not_there(void **state)
{
    (void)state;
    int in_all = 0, kinds = 0;
    for (int kind = 0; kind < NOISE_STANDARD; kind++, kinds++) {
        int calls = 0;
        for (uint64_t seed = 1; seed <= NULL_RUNS; seed++) {
            struct stats_decision d;
            assert_int_equal(noise_decide((enum noise_kind)kind, seed, NOISE_SD, 1, &defaults, &d), 0);
            calls += d.call == STATS_FASTER || d.call == STATS_SLOWER;
        }
        if (calls > most_of(NULL_RUNS, 0.02))
            fail_msg("%s: %d of %d", noise_names[kind], calls, NULL_RUNS);
        in_all += calls;
    }
    assert_true(in_all <= NULL_RUNS * kinds * 0.02);
    assert_true(in_all > 0); /* the noise is there */
}

static void finds_two_percent(void **state)
{
    (void)state;
    for (int kind = 0; kind < NOISE_STANDARD; kind++) {
        int right = 0, wrong = 0;
        long blocks = 0;
        for (uint64_t seed = 1; seed <= EFFECT_RUNS; seed++) {
            struct stats_decision d;
            bool faster = seed % 2 == 0;
            assert_int_equal(
                noise_decide((enum noise_kind)kind, seed, NOISE_SD, faster ? 0.98 : 1 / 0.98, &defaults, &d), 0);
            right += d.call == (faster ? STATS_FASTER : STATS_SLOWER);
            wrong += d.call != STATS_UNSETTLED && d.call != (faster ? STATS_FASTER : STATS_SLOWER);
            blocks += (long)d.blocks;
        }
        if (right < EFFECT_RUNS * 0.95 || wrong > 1 || blocks > 25 * EFFECT_RUNS)
            fail_msg("%s: %d right, %d wrong of %d, %ld blocks", noise_names[kind], right, wrong, EFFECT_RUNS, blocks);
    }
}

/* "Faster by at least x" has to be true of x too: the interval holds the truth. */
static void intervals_hold_the_truth(void **state)
{
    (void)state;
    int missed = 0;
    for (uint64_t seed = 1; seed <= NULL_RUNS; seed++) {
        struct stats_decision d;
        assert_int_equal(noise_decide(NOISE_NORMAL, seed, NOISE_SD, 0.95, &defaults, &d), 0);
        missed += !(d.low <= 0.95 && 0.95 <= d.high);
        assert_true(d.call != STATS_FASTER || fabs(d.at_least - 100 * (1 - d.high)) < 1e-12);
    }
    assert_true(missed <= most_of(NULL_RUNS, 0.02));
}

static void several_metrics_together_are_as_careful(void **state)
{
    (void)state;
    enum { METRICS = 4 };
    int calls = 0, found = 0;
    for (uint64_t seed = 1; seed <= NULL_RUNS; seed++) {
        struct stats_verdict *v[METRICS];
        struct stats_decision d[METRICS];
        for (int i = 0; i < METRICS; i++) {
            struct noise n;
            bool look;
            assert_int_equal(stats_verdict_new(&defaults, &v[i]), 0);
            noise_start(&n, NOISE_NORMAL, seed * METRICS + (uint64_t)i, NOISE_SD);
            for (int k = 0; k < 32; k++) {
                struct stats_block b;
                noise_next(&n, i == 3 ? 0.96 : 1, &b);
                assert_int_equal(stats_verdict_add(v[i], &b, &look), 0);
            }
        }
        assert_int_equal(stats_verdict_decide_all((const struct stats_verdict *const *)v, METRICS, d), 0);
        for (int i = 0; i < 3; i++)
            calls += d[i].call == STATS_FASTER || d[i].call == STATS_SLOWER;
        found += d[3].call == STATS_FASTER;
        for (int i = 0; i < METRICS; i++) {
            struct stats_decision alone;
            stats_verdict_decide(v[i], true, &alone);
            assert_true(d[i].low <= alone.low && d[i].high >= alone.high); /* corrected: never narrower */
            stats_verdict_free(v[i]);
        }
    }
    assert_true(calls <= most_of(NULL_RUNS, 0.0027));
    assert_true(found >= NULL_RUNS * 0.99);
}

/* ---- edges ---- */

static struct stats_verdict *verdict_of(
    const struct stats_verdict_options *o, const double *d, size_t n, double control)
{
    struct stats_verdict *v;
    bool look;
    assert_int_equal(stats_verdict_new(o, &v), 0);
    for (size_t i = 0; i < n; i++) {
        struct stats_block b = {d[i % 8], control * (i % 2 == 0 ? 1 : -1), control};
        assert_int_equal(stats_verdict_add(v, &b, &look), 0);
    }
    return v;
}

static struct stats_decision decided(const struct stats_verdict_options *o, const double *d, size_t n, double control)
{
    struct stats_verdict *v = verdict_of(o, d, n, control);
    struct stats_decision ret;
    stats_verdict_decide(v, false, &ret);
    stats_verdict_free(v);
    return ret;
}

static void looks_come_at_four_six_eight_and_doubles(void **state)
{
    (void)state;
    static const size_t expected[] = {4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 100};
    size_t seen = 0;
    struct stats_verdict *v;
    bool look;
    assert_int_equal(stats_verdict_new(&(struct stats_verdict_options){.budget = 100}, &v), 0);
    for (size_t i = 1; i <= 100; i++) {
        assert_int_equal(stats_verdict_add(v, &(struct stats_block){0, NAN, NAN}, &look), 0);
        if (look)
            assert_int_equal(i, expected[seen++]);
    }
    assert_int_equal(seen, ARRAY_SIZE(expected));
    assert_int_equal(stats_verdict_add(v, &(struct stats_block){0, NAN, NAN}, &look), -EINVAL);
    stats_verdict_free(v);
}

static void a_large_change_needs_four_blocks(void **state)
{
    (void)state;
    static const double twice[8] = {-0.70, -0.68, -0.69, -0.71, -0.69, -0.70, -0.68, -0.70};
    assert_int_equal(decided(&defaults, twice, 3, 0.01).call, STATS_UNDECIDED);
    struct stats_decision d = decided(&defaults, twice, 4, 0.01);
    assert_int_equal(d.call, STATS_FASTER);
    assert_true(d.last && d.blocks == 4 && d.estimate > 0.49 && d.estimate < 0.51 && d.high < 0.65);
}

/* Where the caller has no time for more. Nothing but the large comes out of it. */
static void three_blocks_are_enough_where_asked_for(void **state)
{
    (void)state;
    static const double half[8] = {-0.70, -0.68, -0.69}, less[8] = {-0.51, -0.50, -0.49};
    const struct stats_verdict_options early = {.first_look = 3}, never = {.first_look = 2};
    struct stats_verdict *v;
    bool look;
    assert_int_equal(decided(&early, half, 3, 0.01).call, STATS_FASTER);
    assert_int_equal(decided(&early, less, 3, 0.01).call, STATS_UNDECIDED);
    assert_int_equal(stats_verdict_new(&never, &v), -EINVAL);
    assert_int_equal(stats_verdict_new(&early, &v), 0);
    for (size_t i = 1; i <= 4; i++) {
        assert_int_equal(stats_verdict_add(v, &(struct stats_block){0, NAN, NAN}, &look), 0);
        assert_true(look == (i >= 3));
    }
    stats_verdict_free(v);
}

/* Either side's control says as much of the spread as both together, but for chance. */
static void the_control_of_one_side_is_enough(void **state)
{
    (void)state;
    double width[3];
    for (int which = 0; which < 3; which++) {
        struct noise n;
        struct stats_verdict *v;
        struct stats_decision d;
        bool look;
        noise_start(&n, NOISE_NORMAL, 5, NOISE_SD);
        assert_int_equal(stats_verdict_new(&defaults, &v), 0);
        for (int i = 0; i < 64; i++) {
            struct stats_block b;
            noise_next(&n, 1, &b);
            b.control_a = which == 1 ? NAN : b.control_a;
            b.control_b = which == 2 ? NAN : b.control_b;
            assert_int_equal(stats_verdict_add(v, &b, &look), 0);
        }
        stats_verdict_decide(v, true, &d);
        assert_true(d.control.low < 1 && d.control.high > 1);
        width[which] = log(d.control.high / d.control.low);
        stats_verdict_free(v);
    }
    assert_true(width[1] > 0.7 * width[0] && width[1] < 1.4 * width[0]);
    assert_true(width[2] > 0.7 * width[0] && width[2] < 1.4 * width[0]);
}

/* Alike by luck, or by a coarse clock: four blocks, or six, are no proof of a small change. */
static void few_equal_blocks_prove_little(void **state)
{
    (void)state;
    static const double alike[8] = {-0.02, -0.02, -0.02, -0.02, -0.02, -0.02, -0.02, -0.02};
    static const double none[8] = {0};
    assert_int_equal(decided(&defaults, alike, 4, 0).call, STATS_UNDECIDED);
    assert_int_equal(decided(&defaults, alike, 6, 0).call, STATS_UNDECIDED);
    assert_int_equal(decided(&defaults, alike, 8, 0).call, STATS_FASTER);
    assert_int_equal(decided(&defaults, alike, 8, 0.2).call, STATS_UNDECIDED); /* runs of one side differ by 20 % */
    assert_int_equal(decided(&defaults, none, 8, 0).call, STATS_UNDECIDED);
    assert_int_equal(decided(&defaults, none, 12, 0).call, STATS_SAME);
}

static void nothing_is_finer_than_the_clock(void **state)
{
    (void)state;
    static const double one_step[8] = {0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01};
    struct stats_verdict_options o = {.resolution = 0.011};
    struct stats_decision d = decided(&o, one_step, 64, 0);
    assert_int_equal(d.call, STATS_UNSETTLED);
    assert_true(d.low < 1 && d.high > 1 && d.last);
    o.resolution = 0.001;
    assert_int_equal(decided(&o, one_step, 8, 0).call, STATS_SLOWER);
}

static void a_claim_is_met_refuted_or_open(void **state)
{
    (void)state;
    static const double ten[8] = {-0.1, -0.11, -0.1, -0.105, -0.1, -0.11, -0.105, -0.1};
    struct stats_verdict_options o = {.claim = 0.05};
    struct stats_decision d = decided(&o, ten, 8, 0.01);
    assert_int_equal(d.call, STATS_FASTER);
    assert_true(d.at_least > 5 && !d.refuted);
    o.claim = 0.2;
    d = decided(&o, ten, 8, 0.01);
    assert_int_equal(d.call, STATS_UNSETTLED); /* faster, but not so much: more blocks cannot help */
    assert_true(d.refuted && d.last && d.high < 1);
    o.claim = 0.1;
    d = decided(&o, ten, 8, 0.01);
    assert_int_equal(d.call, STATS_UNDECIDED);
    assert_true(!d.refuted && !d.last);
}

static void swapping_the_sides_swaps_the_verdict(void **state)
{
    (void)state;
    static const double ten[8] = {-0.1, -0.11, -0.1, -0.105, -0.1, -0.11, -0.105, -0.1};
    double swapped[8];
    for (int i = 0; i < 8; i++)
        swapped[i] = -ten[i];
    struct stats_decision a = decided(&defaults, ten, 8, 0.01), b = decided(&defaults, swapped, 8, 0.01);
    assert_int_equal(a.call, STATS_FASTER);
    assert_int_equal(b.call, STATS_SLOWER);
    assert_true(fabs(a.low * b.high - 1) < 1e-12 && fabs(a.high * b.low - 1) < 1e-12);
    assert_true(fabs(b.at_least - 100 * (b.low - 1)) < 1e-12);
}

static void a_control_that_is_off_voids_the_verdict(void **state)
{
    (void)state;
    static const double ten[8] = {-0.1, -0.11, -0.1, -0.105, -0.1, -0.11, -0.105, -0.1};
    /* Controls get random signs, so that only luck makes them all alike: of a thousand seeds some do. */
    int voided = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct stats_verdict_options o = {.seed = seed};
        struct stats_decision d = decided(&o, ten, 8, 0.01);
        if (d.voided) {
            voided++;
            assert_int_equal(d.call, STATS_UNDECIDED);
            assert_true(d.control.low > 1 || d.control.high < 1);
        } else {
            assert_int_equal(d.call, STATS_FASTER);
        }
    }
    assert_in_range(voided, 1, 3000 / 50);
}

static void a_cut_off_series_is_unsettled_and_says_what_would_have_shown(void **state)
{
    (void)state;
    static const double noisy[8] = {0.03, -0.02, 0.01, -0.03, 0.02, -0.01, 0.015, -0.02};
    struct stats_decision d;
    for (size_t n = 0; n < 8; n++) {
        struct stats_verdict *v = verdict_of(&defaults, noisy, n, 0.01);
        stats_verdict_decide(v, true, &d);
        assert_int_equal(d.call, STATS_UNSETTLED);
        assert_true(d.last && d.blocks == n && d.low <= 1 && d.high >= 1);
        assert_true(d.detectable > 100 * (d.high - 1) || isinf(d.detectable));
        stats_verdict_free(v);
    }
    /* Such a change is found in 19 of 20. */
    d = decided(&(struct stats_verdict_options){.budget = 16}, noisy, 16, 0.01);
    assert_int_equal(d.call, STATS_UNSETTLED);
    int found = 0;
    for (uint64_t seed = 1; seed <= NULL_RUNS; seed++) {
        struct stats_verdict *v;
        struct noise n;
        bool look;
        double sd = stats_sd(noisy, 8) * sqrt(14.0 / 15); /* of the 16 */
        assert_int_equal(stats_verdict_new(&(struct stats_verdict_options){.budget = 16}, &v), 0);
        noise_start(&n, NOISE_NORMAL, seed, NOISE_SD);
        for (int k = 0; k < 16; k++) {
            struct stats_block b = {log1p(d.detectable / 100) + sd * noise_normal(&n), NAN, NAN};
            assert_int_equal(stats_verdict_add(v, &b, &look), 0);
        }
        struct stats_decision of;
        stats_verdict_decide(v, true, &of);
        found += of.call == STATS_SLOWER;
        stats_verdict_free(v);
    }
    assert_true(found >= NULL_RUNS * 0.95 - 3.1 * sqrt(NULL_RUNS * 0.05 * 0.95));
}

static void the_twin_sees_what_an_outlier_hides(void **state)
{
    (void)state;
    static const double hidden[8] = {-0.05, -0.05, -0.051, -0.049, -0.05, -0.05, 0.9, -0.05};
    static const double plain[8] = {-0.05, -0.05, -0.051, -0.049, -0.05, -0.05, -0.052, -0.05};
    struct stats_twin twin;
    struct stats_decision d;
    struct stats_verdict *v = verdict_of(&defaults, plain, 8, 0.01);
    stats_verdict_decide(v, false, &d);
    assert_int_equal(stats_verdict_twin(v, &d, &twin), 0);
    assert_int_equal(d.call, STATS_FASTER);
    assert_true(!twin.disagrees && fabs(log(twin.estimate) + 0.05) < 0.001 && twin.p == 2.0 / 256);
    stats_verdict_free(v);
    v = verdict_of(&defaults, hidden, 8, 0.01);
    stats_verdict_decide(v, false, &d);
    assert_int_equal(stats_verdict_twin(v, &d, &twin), 0);
    assert_int_equal(d.call, STATS_UNDECIDED);
    assert_true(d.estimate > 1 && twin.estimate < 1);
    stats_verdict_free(v);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct stats_verdict_options wrong[] = {{.claim = -0.1}, {.claim = 1}, {.claim = NAN},
        {.equivalence = -1}, {.equivalence = 1}, {.resolution = NAN}, {.z = -1}, {.budget = STATS_BLOCKS_MAX + 1}};
    struct stats_verdict *v = NULL;
    bool look;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(stats_verdict_new(&wrong[i], &v), -EINVAL);
    assert_null(v);
    stats_verdict_free(NULL);
    assert_int_equal(stats_verdict_new(&defaults, &v), 0);
    assert_int_equal(stats_verdict_add(v, &(struct stats_block){NAN, 0, 0}, &look), -EINVAL);
    assert_int_equal(stats_verdict_add(v, &(struct stats_block){INFINITY, 0, 0}, &look), -EINVAL);
    stats_verdict_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seldom_calls_a_change_that_is_not_there),
        cmocka_unit_test(finds_two_percent),
        cmocka_unit_test(intervals_hold_the_truth),
        cmocka_unit_test(several_metrics_together_are_as_careful),
        cmocka_unit_test(looks_come_at_four_six_eight_and_doubles),
        cmocka_unit_test(a_large_change_needs_four_blocks),
        cmocka_unit_test(three_blocks_are_enough_where_asked_for),
        cmocka_unit_test(the_control_of_one_side_is_enough),
        cmocka_unit_test(few_equal_blocks_prove_little),
        cmocka_unit_test(nothing_is_finer_than_the_clock),
        cmocka_unit_test(a_claim_is_met_refuted_or_open),
        cmocka_unit_test(swapping_the_sides_swaps_the_verdict),
        cmocka_unit_test(a_control_that_is_off_voids_the_verdict),
        cmocka_unit_test(a_cut_off_series_is_unsettled_and_says_what_would_have_shown),
        cmocka_unit_test(the_twin_sees_what_an_outlier_hides),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
