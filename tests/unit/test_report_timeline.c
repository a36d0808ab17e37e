/* The page's time line: no tick is lost, each is in its bucket, and there are never too many buckets or slices. */
#include "report/inside.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BUCKETS_MOST 2048

static int setup(void **state)
{
    struct report_timeline *t = NULL;
    int r = report_timeline_new(&t);
    *state = t;
    return r;
}

static int teardown(void **state)
{
    report_timeline_free(*state);
    return 0;
}

static void put(struct report_timeline *t, uint32_t thread, uint32_t node, uint64_t from, uint64_t to, uint64_t ticks)
{
    const struct profile_span span = {thread, node, RECORD_PRESENT | RECORD_ON_CPU, from, to, ticks};
    assert_int_equal(report_timeline_span(t, &span), 0);
}

static uint64_t sum(const struct report_timeline *t, uint64_t *ret_most)
{
    uint64_t all = 0, most = 0;
    for (size_t i = 0; i < t->count; i++) {
        assert_in_range(t->slices[i].bucket, t->first, t->last);
        all += t->slices[i].ticks;
        most = t->slices[i].ticks > most ? t->slices[i].ticks : most;
    }
    if (ret_most != NULL)
        *ret_most = most;
    return all;
}

static void has_each_tick_at_its_time(void **state)
{
    struct report_timeline *t = *state;
    const uint64_t start = 5000000000;
    for (uint64_t i = 0; i < 20; i++)
        put(t, 0, 1, start + i * 1000000, start + (i + 1) * 1000000, 1);
    timeline_settle(t);
    assert_int_equal(t->count, 20);
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(t->slices[i].bucket, (start + (i + 1) * 1000000) >> t->shift);
        assert_int_equal(t->slices[i].ticks, 1);
        assert_int_equal(t->slices[i].state, RECORD_ON_CPU);
    }
}

static void spreads_a_long_span_evenly(void **state)
{
    struct report_timeline *t = *state;
    const uint64_t ten_hours = UINT64_C(36000000000000), ticks = 36000000;
    uint64_t most;
    put(t, 0, 1, 1000, 1000 + ten_hours, ticks);
    timeline_settle(t);
    uint64_t buckets = t->last - t->first + 1;
    assert_in_range(buckets, BUCKETS_MOST / 2, BUCKETS_MOST);
    assert_int_equal(sum(t, &most), ticks);
    assert_in_range(most, 1, ticks * (UINT64_C(1) << t->shift) / ten_hours + 1);
}

static void takes_threads_in_any_order(void **state)
{
    struct report_timeline *t = *state;
    put(t, 1, 2, 900000000000, 1000000000000, 1000);
    put(t, 0, 1, 0, 500000000000, 2000);
    put(t, 0, 2, 500000000000, 500000000001, 1);
    timeline_settle(t);
    assert_true(t->last - t->first < BUCKETS_MOST);
    assert_int_equal(sum(t, NULL), 3001);
    for (size_t i = 1; i < t->count; i++)
        assert_true(t->slices[i - 1].bucket <= t->slices[i].bucket);
}

/* As many as the program has stacks, and no more than that many times the few buckets that are left. */
static void keeps_its_memory_bounded(void **state)
{
    struct report_timeline *t = *state;
    const uint64_t spans = 3000000;
    for (uint64_t i = 0; i < spans; i++)
        put(t, (uint32_t)(i % 4), (uint32_t)(i * 7919 % 50000), i * 100000, (i + 1) * 100000, 1);
    timeline_settle(t);
    assert_int_equal(sum(t, NULL), spans);
    assert_true(t->capacity <= 4u << 20);
    assert_true(t->count <= 256u << 10 || t->last - t->first + 1 <= 128);
}

static void has_ticks_without_time(void **state)
{
    struct report_timeline *t = *state;
    put(t, 0, 1, 7, 7, 5);
    put(t, 0, 1, UINT64_MAX >> 1, UINT64_MAX >> 1, 5);
    timeline_settle(t);
    assert_int_equal(sum(t, NULL), 10);
    assert_true(t->last - t->first < BUCKETS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(has_each_tick_at_its_time),
        TEST(spreads_a_long_span_evenly),
        TEST(takes_threads_in_any_order),
        TEST(keeps_its_memory_bounded),
        TEST(has_ticks_without_time),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
