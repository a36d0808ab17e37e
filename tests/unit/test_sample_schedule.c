/* Which ticks count as late, deferred and missed: the schedule's times are set by hand, all of them in the past. */
#include "sample/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RATE_HZ = 1, MILLISECOND = 1000000, SERVICE_MS = 40 }; /* long, so that no busy machine mixes them up */

static struct schedule schedule;
static struct record_counters counters;

/* The next two ticks were due so long ago; one takes SERVICE_MS, always. */
static void due_before(uint64_t first_ms, uint64_t second_ms)
{
    uint64_t now = clock_monotonic_ns();

    memset(&counters, 0, sizeof(counters));
    schedule_init(&schedule, RATE_HZ, now);
    schedule.service_ns = SERVICE_MS * MILLISECOND;
    schedule.deviation_ns = 0;
    schedule.due = now - first_ms * MILLISECOND;
    schedule.next = now - second_ms * MILLISECOND;
}

static bool wait_now(void)
{
    uint64_t now = clock_monotonic_ns();

    return schedule_wait(&schedule, &counters, UINT64_MAX, NULL, &now);
}

static void gaps_shorter_than_a_sample_are_deferred(void **state)
{
    (void)state;
    due_before(50, 50 - SERVICE_MS / 2);
    uint64_t second = schedule.next;
    assert_true(wait_now());
    assert_int_equal(counters.ticks_due, 1);
    assert_int_equal(counters.ticks_missed, 0);
    uint64_t now = clock_monotonic_ns();
    schedule_taken(&schedule, now, now + 10 * MILLISECOND, &counters);
    assert_int_equal(counters.ticks_taken, 1);
    assert_int_equal(schedule.due, second);
}

static void a_tick_that_was_passed_by_is_missed(void **state)
{
    (void)state;
    due_before(5000, 2000);
    uint64_t second = schedule.next;
    assert_true(wait_now());
    assert_true(counters.ticks_missed >= 1);
    assert_int_equal(counters.ticks_due, counters.ticks_missed + 1);
    assert_true(schedule.due >= second);
    assert_true(schedule.due <= clock_monotonic_ns());
}

static void a_backlog_ends_by_missing(void **state)
{
    (void)state;
    due_before(20 * SERVICE_MS, 20 * SERVICE_MS - SERVICE_MS / 2);
    assert_true(wait_now());
    assert_true(counters.ticks_missed >= 1);
}

static void late_is_more_than_a_tenth_of_the_mean_gap(void **state)
{
    (void)state;
    due_before(0, 0);
    schedule.due = clock_monotonic_ns() - 500 * MILLISECOND;
    schedule.next = UINT64_MAX / 2;
    assert_true(wait_now());
    assert_int_equal(counters.ticks_late, 1);
    assert_int_equal(counters.ticks_missed, 0);
}

static void what_a_tick_takes_is_learnt(void **state)
{
    (void)state;
    due_before(50, 10);
    uint64_t began = schedule.due + 30 * MILLISECOND, before = schedule.service_ns;
    schedule.last_ended = 0;
    schedule_taken(&schedule, began, began + 200 * MILLISECOND, &counters);
    assert_true(schedule.service_ns > before);
    assert_true(schedule.deviation_ns > 0);
    assert_int_equal(counters.read_ns, 200 * MILLISECOND);
}

static void a_deferred_tick_takes_from_the_end_of_the_one_before(void **state)
{
    (void)state;
    due_before(1000, 500);
    schedule.last_ended = schedule.due + 400 * MILLISECOND;
    schedule.service_ns = 10 * MILLISECOND;
    schedule_taken(&schedule, schedule.last_ended, schedule.last_ended + 10 * MILLISECOND, &counters);
    assert_int_equal(schedule.service_ns, 10 * MILLISECOND);
    assert_int_equal(schedule.deviation_ns, 0);
}

static void until_comes_first(void **state)
{
    (void)state;
    due_before(0, 0);
    uint64_t now = clock_monotonic_ns();
    schedule.due = now + 1000000000;
    schedule.next = now + 2000000000;
    uint64_t before = now;
    assert_false(schedule_wait(&schedule, &counters, now + 1000000, NULL, &now));
    assert_true(now >= before + 1000000);
    now = before;
    assert_int_equal(counters.ticks_due, 0);
    assert_true(schedule_has_time(&schedule, now, 900000000));
    assert_false(schedule_has_time(&schedule, now, 1100000000));
}

static void a_stop_ends_the_wait(void **state)
{
    volatile sig_atomic_t stop = 1;
    uint64_t now = clock_monotonic_ns();

    (void)state;
    due_before(50, 10);
    assert_false(schedule_wait(&schedule, &counters, UINT64_MAX, &stop, &now));
    assert_int_equal(counters.ticks_due, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_shorter_than_a_sample_are_deferred),
        cmocka_unit_test(a_tick_that_was_passed_by_is_missed),
        cmocka_unit_test(a_backlog_ends_by_missing),
        cmocka_unit_test(late_is_more_than_a_tenth_of_the_mean_gap),
        cmocka_unit_test(what_a_tick_takes_is_learnt),
        cmocka_unit_test(a_deferred_tick_takes_from_the_end_of_the_one_before),
        cmocka_unit_test(until_comes_first),
        cmocka_unit_test(a_stop_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
