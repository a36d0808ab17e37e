/* Change points, and the steady state, of series whose truth is known. */
#include "stats/stats.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "noise.h"

enum { MOST = 10000 };

static double series[MOST];

static struct noise noise_of(uint64_t seed)
{
    struct noise n;
    noise_start(&n, NOISE_NORMAL, seed, NOISE_SD);
    return n;
}

/* series[from, to): a level, and noise of so much of it. */
static void put(struct noise *n, size_t from, size_t to, double level, double spread)
{
    for (size_t i = from; i < to; i++)
        series[i] = level * (1 + spread * noise_normal(n));
}

static size_t changes_of(size_t n, struct stats_change **ret)
{
    size_t count;
    assert_int_equal(stats_changes(series, n, 5, 0.05, ret, &count), 0);
    return count;
}

/* ---- changes ---- */

static void finds_a_step_where_it_is(void **state)
{
    (void)state;
    size_t near = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct noise n = noise_of(seed);
        struct stats_change *c;
        put(&n, 0, 40, 1, 0.01);
        put(&n, 40, 70, 1.03, 0.01);
        assert_int_equal(changes_of(70, &c), 1);
        near += c[0].at >= 38 && c[0].at <= 42;
        assert_true(fabs(c[0].before - 1) < 0.01 && fabs(c[0].after - 1.03) < 0.01 && c[0].p < 1e-4);
        free(c);
    }
    assert_true(near >= 48);
}

static void finds_both_ends_of_a_bump(void **state)
{
    (void)state;
    struct noise n = noise_of(2);
    struct stats_change *c;
    put(&n, 0, 100, 1, 0.01);
    put(&n, 100, 106, 1.1, 0.01);
    put(&n, 106, 200, 1, 0.01);
    assert_int_equal(changes_of(200, &c), 2);
    assert_int_equal(c[0].at, 100);
    assert_int_equal(c[1].at, 106);
    free(c);
}

static void finds_every_step_of_a_staircase(void **state)
{
    (void)state;
    struct noise n = noise_of(3);
    struct stats_change *c;
    for (size_t k = 0; k < 20; k++)
        put(&n, k * 20, k * 20 + 20, 1 + 0.1 * (double)(k * 7 % 20), 0.01);
    assert_int_equal(changes_of(400, &c), 19);
    for (size_t k = 0; k < 19; k++)
        assert_int_equal(c[k].at, (k + 1) * 20);
    free(c);
}

static void seldom_finds_what_is_not_there(void **state)
{
    (void)state;
    static const size_t lengths[] = {10, 30, 100, 300};
    for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
        int found = 0;
        for (uint64_t seed = 1; seed <= 300; seed++) {
            struct noise n = noise_of(seed);
            struct stats_change *c;
            put(&n, 0, lengths[k], 1, 0.05);
            found += changes_of(lengths[k], &c) > 0;
            free(c);
        }
        assert_true(found <= 300 * 0.05 + 3 * sqrt(300 * 0.05 * 0.95));
    }
}

static void an_outlier_is_no_change(void **state)
{
    (void)state;
    struct noise n = noise_of(4);
    struct stats_change *c;
    put(&n, 0, 100, 1, 0.01);
    series[50] = 3;
    assert_int_equal(changes_of(100, &c), 0);
    free(c);
}

static void exact_counts_change_exactly(void **state)
{
    (void)state;
    struct stats_change *c;
    for (size_t i = 0; i < 30; i++)
        series[i] = i < 17 ? 0.1 : 0.1000001;
    assert_int_equal(changes_of(30, &c), 1);
    assert_int_equal(c[0].at, 17);
    assert_true(c[0].p == 0);
    free(c);
    for (size_t i = 0; i < 30; i++)
        series[i] = 0.1;
    assert_int_equal(changes_of(30, &c), 0);
    free(c);
}

static void short_and_long_series_are_taken(void **state)
{
    (void)state;
    struct stats_change *c = NULL;
    size_t count;
    struct noise n = noise_of(5);
    assert_int_equal(changes_of(0, &c), 0);
    free(c);
    put(&n, 0, MOST, 1, 0.01);
    assert_int_equal(changes_of(9, &c), 0);
    free(c);
    put(&n, MOST / 2, MOST, 1.01, 0.01);
    assert_true(changes_of(MOST, &c) >= 1);
    free(c);
    assert_int_equal(stats_changes(series, MOST + 1, 5, 0.05, &c, &count), -EINVAL);
    assert_int_equal(stats_changes(series, 100, 1, 0.05, &c, &count), -EINVAL);
    assert_int_equal(stats_changes(series, 100, 5, 1, &c, &count), -EINVAL);
}

/* ---- the steady state ---- */

static struct stats_steady steady_of(size_t n)
{
    struct stats_steady s;
    assert_int_equal(stats_steady(series, n, 0.01, &s), 0);
    return s;
}

static void flat_is_flat(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 5, 10, 50, 500};
    for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
        int flat = 0;
        for (uint64_t seed = 1; seed <= 50; seed++) {
            struct noise n = noise_of(seed);
            put(&n, 0, lengths[k], 0.2, 0.02);
            struct stats_steady s = steady_of(lengths[k]);
            flat += s.kind == STATS_FLAT && s.from == 0 && fabs(s.level - 0.2) < 0.05;
        }
        assert_true(flat >= 48);
    }
}

static void warm_up_is_found_and_left_out(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct noise n = noise_of(seed);
        put(&n, 0, 300, 1, 0.01);
        for (size_t i = 0; i < 40; i++) /* a compiler at work */
            series[i] *= 1 + 2 * exp(-(double)i / 10);
        struct stats_steady s = steady_of(300);
        assert_int_equal(s.kind, STATS_WARM_UP);
        assert_in_range(s.from, 25, 60);
        assert_true(fabs(s.level - 1) < 0.01);
    }
}

static void one_slow_first_iteration_is_warm_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct noise n = noise_of(seed);
        put(&n, 0, 20, 1, 0.01);
        series[0] = 2.5;
        struct stats_steady s = steady_of(20);
        assert_int_equal(s.kind, STATS_WARM_UP);
        assert_in_range(s.from, 1, 4);
    }
}

static void growing_slower_is_a_slowdown(void **state)
{
    (void)state;
    struct noise n = noise_of(6);
    put(&n, 0, 100, 1, 0.01);
    put(&n, 100, 300, 1.2, 0.01);
    struct stats_steady s = steady_of(300);
    assert_int_equal(s.kind, STATS_SLOWDOWN);
    assert_int_equal(s.from, 100);
    /* warm-up first does not make it one */
    put(&n, 0, 10, 2, 0.01);
    assert_int_equal(steady_of(300).kind, STATS_SLOWDOWN);
}

static void what_never_settles_is_told(void **state)
{
    (void)state;
    struct noise n = noise_of(7);
    for (size_t k = 0; k < 10; k++) /* to and fro */
        put(&n, k * 30, k * 30 + 30, k % 2 == 0 ? 1 : 1.1, 0.01);
    struct stats_steady s = steady_of(300);
    assert_int_equal(s.kind, STATS_NO_STEADY_STATE);
    assert_int_equal(s.from, 300);
    assert_true(isnan(s.level));
    put(&n, 0, 260, 1, 0.01); /* late */
    put(&n, 260, 300, 0.8, 0.01);
    assert_int_equal(steady_of(300).kind, STATS_NO_STEADY_STATE);
    for (size_t i = 0; i < 300; i++) /* a leak */
        series[i] = 1 + (double)i / 300 + 0.005 * noise_normal(&n);
    assert_int_equal(steady_of(300).kind, STATS_NO_STEADY_STATE);
}

static void single_pauses_are_no_level(void **state)
{
    (void)state;
    struct noise n = noise_of(8);
    put(&n, 0, 400, 1, 0.01);
    for (size_t i = 20; i < 400; i += 37) /* a collection of garbage */
        series[i] = 3;
    assert_int_equal(steady_of(400).kind, STATS_FLAT);
}

static void iterations_without_any_spread_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        series[i] = i < 10 ? 2 : 1;
    struct stats_steady s = steady_of(100);
    assert_int_equal(s.kind, STATS_WARM_UP);
    assert_int_equal(s.from, 10);
    assert_true(s.level == 1);
    memset(series, 0, sizeof(series));
    assert_int_equal(steady_of(100).kind, STATS_FLAT);
    assert_int_equal(stats_steady(series, 0, 0.01, &s), -EINVAL);
    assert_int_equal(stats_steady(series, MOST + 1, 0.01, &s), -EINVAL);
}

static void inner_iterations_follow_cost_and_spread(void **state)
{
    (void)state;
    /* ceil(sqrt((c2 / c1) (T1^2 / T2^2))) */
    assert_int_equal(stats_inner_count(1, 0.02, 16, 0.01, 100), 8);
    assert_int_equal(stats_inner_count(1, 0.02, 17, 0.01, 100), 9);
    assert_int_equal(stats_inner_count(0.1, 0.001, 0.02, 0.02, 100), 1); /* processes are cheap, and differ */
    assert_int_equal(stats_inner_count(0.001, 0.1, 10, 0.001, 100), 100);
    assert_int_equal(stats_inner_count(1, 0.1, 1, 0, 100), 100); /* processes are all alike */
    assert_int_equal(stats_inner_count(1, 0, 1, 0.1, 100), 1);   /* and here iterations */
    assert_int_equal(stats_inner_count(1, 0, 1, 0, 100), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_step_where_it_is),
        cmocka_unit_test(finds_both_ends_of_a_bump),
        cmocka_unit_test(finds_every_step_of_a_staircase),
        cmocka_unit_test(seldom_finds_what_is_not_there),
        cmocka_unit_test(an_outlier_is_no_change),
        cmocka_unit_test(exact_counts_change_exactly),
        cmocka_unit_test(short_and_long_series_are_taken),
        cmocka_unit_test(flat_is_flat),
        cmocka_unit_test(warm_up_is_found_and_left_out),
        cmocka_unit_test(one_slow_first_iteration_is_warm_up),
        cmocka_unit_test(growing_slower_is_a_slowdown),
        cmocka_unit_test(what_never_settles_is_told),
        cmocka_unit_test(single_pauses_are_no_level),
        cmocka_unit_test(iterations_without_any_spread_are_taken),
        cmocka_unit_test(inner_iterations_follow_cost_and_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
