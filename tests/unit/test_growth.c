/* Exponents of curves whose law is known, what is said of them, and of sizes that nobody measured. */
#include "growth/growth.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef double law(double n);

static double constant(double n)
{
    (void)n;
    return 7;
}
static double logarithm(double n)
{
    return 40 + 11 * log2(n);
}
static double linear(double n)
{
    return 25 + 6 * n;
}
static double less_a_bit(double n)
{
    return 9 * n - 30;
}
static double n_log_n(double n)
{
    return 12 + 5 * n + 3 * n * log2(n);
}
static double square(double n)
{
    return 30 + 14 * n + 4 * n * n;
}
static double cube(double n)
{
    return n * n * n;
}
static double three_halves(double n)
{
    return 100 * pow(n, 1.5);
}
static double golden(double n)
{
    return 9 * pow(1.6180339887, n);
}
static double doubling(double n)
{
    return 50 + pow(2, n);
}
static double late_square(double n)
{
    return 1000 * n + n * n;
}

static double uniform(uint64_t *state)
{
    return (double)(random_next(state) >> 11) / 9007199254740992.0;
}

/* `runs` values a size, each up to `noise` more than the law, as a busy machine's are. */
static struct growth_series series_of(
    law *f, double from, double factor, double step, size_t count, size_t runs, double noise, uint64_t *random)
{
    struct growth_series s = {.count = count};
    for (size_t i = 0; i < count; i++) {
        struct growth_sample *at = &s.samples[i];
        at->n = i == 0 ? from : s.samples[i - 1].n * factor + step;
        at->count = runs;
        for (size_t k = 0; k < runs; k++)
            at->values[k] = f(at->n) * (1 + noise * uniform(random));
    }
    return s;
}

static struct growth_fit fit_of(law *f, double from, size_t count, double noise, uint64_t *random)
{
    struct growth_series s = series_of(f, from, 2, 0, count, noise > 0 ? 3 : 2, noise, random);
    struct growth_fit fit;
    assert_int_equal(growth_fit(&s, noise == 0, &fit), 0);
    return fit;
}

static void counts_tell_the_law(void **state)
{
    static const struct {
        law *law;
        double from;
        enum growth_shape shape;
    } laws[] = {
        {constant, 64, GROWTH_CONSTANT},
        {logarithm, 64, GROWTH_LOGARITHMIC},
        {linear, 64, GROWTH_LINEAR},
        {less_a_bit, 64, GROWTH_LINEAR},
        {n_log_n, 64, GROWTH_LINEARITHMIC},
        {n_log_n, 4096, GROWTH_LINEARITHMIC},
        {square, 64, GROWTH_QUADRATIC},
        {cube, 16, GROWTH_CUBIC},
        {three_halves, 64, GROWTH_POWER},
    };
    uint64_t random = 1;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(laws); i++) {
        struct growth_fit f = fit_of(laws[i].law, laws[i].from, 8, 0, &random);
        if (f.shape != laws[i].shape)
            fail_msg("law %zu is said to be %s", i, growth_shape_words(f.shape));
        assert_true(f.same && f.exponent.low <= f.exponent.estimate && f.exponent.estimate <= f.exponent.high);
    }
    /* Exactly: the slope of 3/2 is 3/2 everywhere, and its interval no wider. */
    struct growth_fit f = fit_of(three_halves, 64, 8, 0, &random);
    assert_true(fabs(f.exponent.estimate - 1.5) < 1e-9 && f.exponent.high - f.exponent.low < 1e-9 && !f.bends);
}

static void noisy_times_hold_the_exponent(void **state)
{
    uint64_t random = 77;
    int held = 0, rounds = 300;
    (void)state;
    for (int i = 0; i < rounds; i++) {
        struct growth_fit f = fit_of(three_halves, 64, 8, 0.3, &random);
        held += f.exponent.low <= 1.5 && 1.5 <= f.exponent.high;
        assert_true(fabs(f.exponent.estimate - 1.5) < 0.15);
        assert_false(f.same);
    }
    assert_true(held >= rounds * 93 / 100);
}

static void a_bend_is_seen_and_the_upper_sizes_decide(void **state)
{
    uint64_t random = 3;
    (void)state;
    struct growth_fit f = fit_of(late_square, 64, 7, 0, &random);
    assert_true(f.bends);
    assert_int_equal(f.slope_count, 6);
    assert_true(f.slopes[0] < 1.2 && f.slopes[5] > 1.7);
    assert_true(f.exponent.low < 1.3 && f.exponent.high > 1.7 && f.to == 4096 && f.from == 256);
    assert_false(fit_of(square, 1024, 8, 0, &random).bends);
}

static void exponential_growth_is_no_power(void **state)
{
    uint64_t random = 3;
    struct growth_fit f;
    (void)state;
    for (int noisy = 0; noisy < 2; noisy++) {
        struct growth_series s = series_of(golden, 18, 1, 2, 8, 3, noisy * 0.2, &random);
        assert_int_equal(growth_fit(&s, false, &f), 0);
        assert_int_equal(f.shape, GROWTH_EXPONENTIAL);
        assert_true(fabs(f.base.estimate - 1.618) < 0.03 && f.base.low <= 1.619 && f.base.high >= 1.618);
        s = series_of(doubling, 1, 2, 0, 5, 1, 0, &random); /* 1 2 4 8 16 */
        assert_int_equal(growth_fit(&s, true, &f), 0);
        assert_int_equal(f.shape, GROWTH_EXPONENTIAL);
        s = series_of(cube, 10, 1, 2, 8, 3, noisy * 0.2, &random);
        assert_int_equal(growth_fit(&s, false, &f), 0);
        assert_int_not_equal(f.shape, GROWTH_EXPONENTIAL);
    }
}

static void too_little_is_refused(void **state)
{
    uint64_t random = 3;
    struct growth_fit f = {.value = 42};
    struct growth_series s = series_of(linear, 64, 2, 0, 2, 2, 0, &random);
    (void)state;
    assert_int_equal(growth_fit(&s, true, &f), -EINVAL);
    assert_true(f.value == 42);
}

/* ---- verdicts ---- */

static double linear_time(double n)
{
    return 1e-7 * n;
}
static double square_time(double n)
{
    return 1e-9 * n * n;
}
static double slow_start(double n)
{
    return 0.01 + 1e-7 * n;
}

static struct growth_result judged(law *time, law *count, size_t times, size_t counts, uint64_t *random)
{
    struct growth_result r = {.line_count = 0};
    r.series[GROWTH_CPU] = series_of(time, 1024, 2, 0, times, 3, 0.1, random);
    if (count != NULL)
        for (size_t m = GROWTH_INSTRUCTIONS; m <= GROWTH_CALLS; m++)
            r.series[m] = series_of(count, 1024, 2, 0, counts, 2, 0, random);
    growth_judge(&r);
    return r;
}

static void time_decides_where_it_grows_faster(void **state)
{
    uint64_t random = 5;
    (void)state;
    struct growth_result r = judged(linear_time, linear, 8, 6, &random);
    assert_int_equal(r.verdict.basis, GROWTH_BY_COUNTERS);
    assert_int_equal(r.verdict.shape, GROWTH_LINEAR);
    assert_true(r.verdict.settled && !r.counts_differ);
    r = judged(square_time, linear, 8, 8, &random);
    assert_int_equal(r.verdict.basis, GROWTH_INSIDE_C);
    assert_int_equal(r.verdict.shape, GROWTH_QUADRATIC);
    assert_true(r.verdict.settled && fabs(r.verdict.gap - 1) < 0.2);
    r = judged(square_time, constant, 8, 8, &random);
    assert_int_equal(r.verdict.basis, GROWTH_INSIDE_C);
    r = judged(slow_start, linear, 8, 8, &random);
    assert_int_equal(r.verdict.basis, GROWTH_TIME_IS_BEHIND);
    assert_false(r.verdict.settled);
    r = judged(square_time, NULL, 8, 0, &random);
    assert_int_equal(r.verdict.basis, GROWTH_BY_TIME);
    assert_int_equal(r.verdict.shape, GROWTH_QUADRATIC);
}

static double cheap_then_square(double n)
{
    return 1e-7 * n + (n > 16384 ? 1e-10 : 1e-13) * n * n;
}

static void counts_that_end_early_do_not_overrule_time(void **state)
{
    uint64_t random = 5;
    (void)state;
    struct growth_result r = judged(cheap_then_square, linear, 10, 4, &random);
    assert_true(r.verdict.basis != GROWTH_BY_COUNTERS);
    assert_true(r.verdict.exponent.estimate > 1.3);
}

static void predictions_hold_what_comes(void **state)
{
    uint64_t random = 8;
    int held = 0, rounds = 200;
    struct growth_prediction p;
    (void)state;
    for (int i = 0; i < rounds; i++) {
        struct growth_result r = judged(square_time, linear, 8, 8, &random);
        assert_int_equal(growth_predict(&r, 1e6, &p), 0);
        assert_true(p.low <= p.seconds && p.seconds <= p.high && p.outside);
        double truth = square_time(1e6) * 1.05;
        held += p.low <= truth && truth <= p.high;
        assert_true(p.seconds > truth / 2 && p.seconds < truth * 2);
    }
    assert_true(held >= rounds * 93 / 100);
    struct growth_result r = judged(linear_time, linear, 8, 8, &random);
    assert_int_equal(growth_predict(&r, 2048, &p), 0);
    assert_true(!p.outside && fabs(p.seconds / linear_time(2048) - 1.05) < 0.1);
    assert_int_equal(growth_predict(&r, 10, &p), 0); /* below: the limits are still in order */
    assert_true(p.low <= p.seconds && p.seconds <= p.high);
}

static void compares_two_subjects(void **state)
{
    uint64_t random = 8;
    struct growth_change c;
    (void)state;
    struct growth_result a = judged(linear_time, linear, 8, 8, &random), b = judged(square_time, square, 8, 8, &random);
    growth_compare(&a, &b, &c);
    assert_true(c.rose && !c.fell && c.settled && !c.by_time && fabs(c.difference.estimate - 1) < 0.1);
    growth_compare(&b, &a, &c);
    assert_true(!c.rose && c.fell && c.settled);
    growth_compare(&a, &a, &c);
    assert_true(!c.rose && !c.fell && c.settled);
    struct growth_result explodes = {.verdict = {.shape = GROWTH_EXPONENTIAL, .base = {2, 1.9, 2.1}}};
    growth_compare(&a, &explodes, &c);
    assert_true(c.rose && c.settled);
    struct growth_result vague = {.verdict = {.shape = GROWTH_POWER, .exponent = {1.4, 0.6, 2.4}, .settled = true}};
    vague.fits[GROWTH_CPU].exponent = vague.verdict.exponent;
    growth_compare(&a, &vague, &c);
    assert_true(!c.rose && !c.fell && !c.settled);
}

static double with_a_cache(double n) /* its exponent lies some 0.3 above that of its counts */
{
    return 1e-7 * pow(n, 1.3);
}

static void compares_like_with_like(void **state)
{
    size_t by_time = 0, rose = 0, mixed = 0, rounds = 300;
    struct growth_change c;
    (void)state;
    for (uint64_t random = 1; random <= rounds; random++) {
        uint64_t of_a = random, of_b = random + rounds;
        struct growth_result a = judged(with_a_cache, linear, 5, 5, &of_a);
        struct growth_result b = judged(with_a_cache, linear, 5, 5, &of_b);
        growth_compare(&a, &b, &c);
        bool counted_a = a.verdict.basis == GROWTH_BY_COUNTERS, counted_b = b.verdict.basis == GROWTH_BY_COUNTERS;
        mixed += counted_a != counted_b;
        by_time += c.by_time;
        rose += c.rose || c.fell;
        assert_true(c.by_time == !(counted_a && counted_b));
    }
    assert_true(mixed > rounds / 4 && by_time > mixed);
    assert_int_equal(rose, 0);
    uint64_t random = 9; /* what differs is seen nevertheless */
    struct growth_result a = judged(linear_time, linear, 8, 8, &random), b = judged(square_time, linear, 8, 8, &random);
    growth_compare(&a, &b, &c);
    assert_true(c.by_time && c.rose && c.settled && fabs(c.difference.estimate - 1) < 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_tell_the_law),
        cmocka_unit_test(noisy_times_hold_the_exponent),
        cmocka_unit_test(a_bend_is_seen_and_the_upper_sizes_decide),
        cmocka_unit_test(exponential_growth_is_no_power),
        cmocka_unit_test(too_little_is_refused),
        cmocka_unit_test(time_decides_where_it_grows_faster),
        cmocka_unit_test(counts_that_end_early_do_not_overrule_time),
        cmocka_unit_test(predictions_hold_what_comes),
        cmocka_unit_test(compares_two_subjects),
        cmocka_unit_test(compares_like_with_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
