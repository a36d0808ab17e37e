/* The pace of a CPU, from records of known truth, and from a live pacemaker that is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "grade/pace.h"
#include "sandbox/sandbox.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { ROWS = 65535, MS = 1000000 };

/* Records as a pacemaker makes them that gets the CPU for half of the time: piece `i` ends at 2 * i pieces' time. */
struct made {
    uint64_t ring[2 * (ROWS + 1)], now, used;
};

static struct pace pace_of(const struct made *m)
{
    return (struct pace){.pid = 1, .ring = m->ring, .last = 1};
}

static void work(struct made *m, unsigned pieces, uint64_t piece_ns)
{
    while (pieces-- > 0) {
        m->now += 2 * piece_ns;
        m->used += piece_ns;
        uint64_t *row = m->ring + 2 * (1 + m->ring[0] % ROWS);
        row[0] = m->now;
        row[1] = m->used;
        m->ring[0]++;
    }
}

static void test_a_slower_cpu_has_a_lower_pace(void **state)
{
    struct made *m = calloc(1, sizeof(*m));
    (void)state;
    work(m, 100, MS / 5);
    uint64_t usual = m->now;
    work(m, 100, MS / 2);
    struct pace p = pace_of(m);
    assert_float_equal(pace_between(&p, 0, usual), 1, 1e-9);
    assert_float_equal(pace_between(&p, usual, m->now), 0.4, 0.01);
    assert_float_equal(pace_between(&p, 0, usual), 1, 1e-9);
    /* Half of the CPU time at each: the mean is of pieces over time. */
    assert_float_equal(pace_between(&p, usual - 40 * MS, usual + 100 * MS), 200.0 / 350, 0.02);
    free(m);
}

static void test_too_little_says_what_was_said_before(void **state)
{
    struct made *m = calloc(1, sizeof(*m));
    (void)state;
    work(m, 100, MS / 5);
    struct pace p = pace_of(m);
    assert_float_equal(pace_between(&p, 0, m->now), 1, 1e-9);
    uint64_t then = m->now;
    work(m, 100, MS);
    assert_float_equal(pace_between(&p, then, m->now), 0.25, 1e-9); /* 0.2, but no further than a quarter */
    assert_float_equal(pace_between(&p, m->now, m->now + MS), 0.25, 1e-9);
    assert_float_equal(pace_between(&p, then, then + 2 * MS), 0.25, 1e-9);
    assert_float_equal(pace_between(&p, m->now, then), 0.25, 1e-9);
    free(m);
}

static void test_the_ring_goes_round(void **state)
{
    struct made *m = calloc(1, sizeof(*m));
    (void)state;
    work(m, ROWS, MS / 5);
    work(m, 1000, MS / 10);
    struct pace p = pace_of(m);
    uint64_t begin = m->now - 100 * MS;
    assert_float_equal(pace_between(&p, 0, m->now - 1000 * MS), 1, 1e-9);
    assert_float_equal(pace_between(&p, begin, m->now), 2, 0.01);
    free(m);
}

static void test_none_is_the_usual_pace(void **state)
{
    struct pace p = {0};
    (void)state;
    assert_float_equal(pace_between(&p, 0, 1000 * MS), 1, 0);
    pace_stop(&p);
    pace_start(&p, (char *)"/nowhere/python3");
    assert_int_equal(p.pid, 0);
    assert_float_equal(pace_between(&p, 0, 1000 * MS), 1, 0);
}

static void test_one_that_is_killed_leaves_its_last_word(void **state)
{
    struct sandbox_interpreter python;
    struct error e = {0};
    struct pace p;
    (void)state;
    if (sandbox_interpreter_find("/usr/bin/python3", &python, &e) < 0)
        skip();
    pace_start(&p, python.path);
    assert_true(p.pid > 0);
    assert_int_equal(CPU_COUNT(&p.cpus), 1);
    uint64_t from = clock_monotonic_ns();
    nanosleep(&(struct timespec){.tv_nsec = 100 * MS}, NULL);
    pace_between(&p, from, clock_monotonic_ns());
    assert_true(p.usual > 100 && p.usual < 1e6); /* pieces a second: the ring holds many seconds of them */
    assert_int_equal(kill(p.pid, SIGKILL), 0);
    nanosleep(&(struct timespec){.tv_nsec = 20 * MS}, NULL);
    double last = p.last;
    from = clock_monotonic_ns();
    assert_float_equal(pace_between(&p, from, from + 1000 * MS), last, 0);
    pid_t pid = p.pid;
    pace_stop(&p);
    assert_int_equal(p.pid, 0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    sandbox_interpreter_release(&python);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slower_cpu_has_a_lower_pace),
        cmocka_unit_test(test_too_little_says_what_was_said_before),
        cmocka_unit_test(test_the_ring_goes_round),
        cmocka_unit_test(test_none_is_the_usual_pace),
        cmocka_unit_test(test_one_that_is_killed_leaves_its_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
