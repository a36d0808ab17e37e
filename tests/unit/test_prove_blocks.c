/* Blocks: their order, their guards, what the two sides print and the files that they share. */
#include "prove/experiment.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/pitviper-blocks-XXXXXX";
static struct prove_runner *runner;

static int setup(void **state)
{
    struct error e;
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? prove_runner_open(&runner, &e) : -1;
}

static int teardown(void **state)
{
    (void)state;
    prove_runner_close(runner);
    (void)unlink("order");
    (void)unlink("data");
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static struct prove_subject *command(const char *text)
{
    struct prove_subject *s;
    struct error e;
    assert_int_equal(prove_subject_new(text, NULL, &s, &e), 0);
    return s;
}

static void run_block(struct block_plan *plan, uint64_t *random, struct block *b)
{
    struct error e = {""};
    if (block_run(runner, plan, random, b, &e) < 0)
        fail_msg("%s", e.text);
}

static void read_order(char *into, size_t size)
{
    CLEANUP(fd_close) int fd = open("order", O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, into, size - 1);
    into[n < 0 ? 0 : n] = '\0';
    (void)unlink("order");
}

static void turns_each_block_by_a_coin(void **state)
{
    struct prove_subject *a = command("printf A >> order"), *b = command("printf B >> order");
    struct block_plan plan = {.subjects = {a, b}, .mode = PROVE_INTERLEAVED, .timeout_ns = 60000000000};
    uint64_t random = 12345;
    int count[2] = {0};
    char order[16];
    (void)state;
    for (int i = 0; i < 24; i++) {
        struct block block;
        run_block(&plan, &random, &block);
        block_release(&block);
        read_order(order, sizeof(order));
        if (strcmp(order, "ABBA") != 0 && strcmp(order, "BAAB") != 0)
            fail_msg("order %s", order);
        count[order[0] == 'B']++;
    }
    /* of a fair coin's 24 throws, fewer than 4 of a kind come once in 4,000 seeds: this seed is not one of them */
    assert_true(count[0] >= 4 && count[1] >= 4);
    prove_subject_free(a);
    prove_subject_free(b);
}

static void runs_of_a_duet_share_a_cpu(void **state)
{
    static const char text[] = "grep Cpus_allowed_list /proc/self/status";
    struct prove_subject *a = command(text), *b = command(text);
    struct block_plan plan = {.subjects = {a, b}, .mode = PROVE_DUET, .timeout_ns = 60000000000};
    uint64_t random = 1;
    struct block block;
    char wanted[40];
    (void)state;
    plan.cpu = cpu_for_measuring();
    snprintf(wanted, sizeof(wanted), "Cpus_allowed_list:\t%d\n", plan.cpu);
    run_block(&plan, &random, &block);
    for (int side = 0; side < SIDES; side++)
        for (int turn = 0; turn < TURNS; turn++) {
            const struct block_turn *t = &block.turns[side][turn];
            assert_int_equal(t->run.out.kept, strlen(wanted));
            assert_memory_equal(t->run.out.head, wanted, strlen(wanted));
        }
    block_release(&block);
    prove_subject_free(a);
    prove_subject_free(b);
}

/* Four loops share the CPU, and the wall time of each is told without what it waited for the others. */
static void waiting_for_the_shared_cpu_is_not_counted(void **state)
{
    static const char text[] = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
    struct prove_subject *a = command(text), *b = command(text);
    struct block_plan plan = {.subjects = {a, b}, .mode = PROVE_DUET, .timeout_ns = 60000000000};
    uint64_t random = 1;
    struct block block;
    (void)state;
    plan.cpu = cpu_for_measuring();
    run_block(&plan, &random, &block);
    for (int side = 0; side < SIDES; side++)
        for (int turn = 0; turn < TURNS; turn++) {
            const struct block_turn *t = &block.turns[side][turn];
            assert_true(t->run.queued_known);
            assert_true(t->run.queued_ns > t->run.wall_ns / 5 && t->run.queued_ns < t->run.wall_ns);
            assert_true(fabs(t->values[PROVE_WALL] - (double)(t->run.wall_ns - t->run.queued_ns) / 1e9) < 1e-9);
        }
    block_release(&block);
    prove_subject_free(a);
    prove_subject_free(b);
}

static void shares_the_hash_seed_within_a_block_only(void **state)
{
    struct prove_subject *a = command("printenv PYTHONHASHSEED"), *b = command("printenv PYTHONHASHSEED");
    struct block_plan plan = {.subjects = {a, b}, .mode = PROVE_PINNED, .timeout_ns = 60000000000};
    uint64_t random = 9;
    struct block one, two;
    (void)state;
    unsetenv("PYTHONHASHSEED");
    plan.cpu = cpu_for_measuring();
    run_block(&plan, &random, &one);
    run_block(&plan, &random, &two);
    assert_true(outputs_same(a, &one.turns[SIDE_A][0], &one.turns[SIDE_B][1]));
    assert_true(outputs_same(a, &one.turns[SIDE_A][0], &one.turns[SIDE_A][1]));
    assert_false(outputs_same(a, &one.turns[SIDE_A][0], &two.turns[SIDE_A][0]));
    block_release(&one);
    block_release(&two);
    prove_subject_free(a);
    prove_subject_free(b);
}

static void compares_logarithms(void **state)
{
    struct block b = {0};
    (void)state;
    b.turns[SIDE_A][0].values[PROVE_WALL] = 1;
    b.turns[SIDE_A][1].values[PROVE_WALL] = M_E;
    b.turns[SIDE_B][0].values[PROVE_WALL] = M_E * M_E;
    b.turns[SIDE_B][1].values[PROVE_WALL] = M_E;
    struct stats_block s = block_compare(&b, PROVE_WALL);
    assert_true(fabs(s.difference - 1) < 1e-12);
    assert_true(fabs(s.control_a + 1) < 1e-12);
    assert_true(fabs(s.control_b - 1) < 1e-12);
    assert_true(!isfinite(block_compare(&b, PROVE_CPU).difference));
}

static void takes_the_least_of_the_batches_or_of_a_duet_their_mean(void **state)
{
    static const double times[] = {5, 2, 3};
    (void)state;
    assert_true(batches_value(times, 3, PROVE_PINNED) == 2);
    assert_true(fabs(batches_value(times, 3, PROVE_DUET) - 10.0 / 3) < 1e-12);
    assert_true(isnan(batches_value(times, 0, PROVE_PINNED)));
}

/* ---- guards ---- */

static void reads_steal_of_its_cpus(void **state)
{
    /* proc_stat(5): user nice system idle iowait irq softirq steal guest guest_nice */
    static const char text[] = "cpu  10 0 10 100 0 0 0 77 0 0\ncpu0 5 0 5 50 0 0 0 30 0 0\n"
                               "cpu1 5 0 5 50 0 0 0 40 0 0\ncpu11 5 0 5 50 0 0 0 7 0 0\nintr 1 2 3\nctxt 8\n";
    static const int first[] = {0}, two[] = {1, 11};
    (void)state;
    assert_int_equal(machine_steal_parse(text, first, 1), 30);
    assert_int_equal(machine_steal_parse(text, two, 2), 47);
    assert_int_equal(machine_steal_parse("", two, 2), 0);
    struct machine_clock from = {.cpus = 2}, to = {.cpus = 2, .at_ns = 1000000000, .steal_ticks = 4};
    assert_true(fabs(machine_steal(&from, &to) - 4.0 / (double)sysconf(_SC_CLK_TCK) / 2) < 1e-12);
    assert_true(isnan(machine_pressure(&from, &to)));
}

/* ---- outputs ---- */

static void blame(const char *a, const char *b, char *into, size_t size)
{
    struct prove_subject s = {.kind = PROVE_COMMAND};
    struct block_turn x = {0}, y = {0};
    struct error e = {""};
    x.run.out = (struct prove_output){.size = strlen(a), .kept = strlen(a), .head = (char *)(uintptr_t)a};
    y.run.out = (struct prove_output){.size = strlen(b), .kept = strlen(b), .head = (char *)(uintptr_t)b};
    assert_int_equal(outputs_blame(&s, "A", &x, "B", &y, &e), -EXDEV);
    snprintf(into, size, "%s", e.text);
}

static void names_the_first_line_that_differs(void **state)
{
    char text[640];
    (void)state;
    blame("1\n2\n3\n", "1\n2\n4\n", text, sizeof(text));
    assert_string_equal(text, "the outputs differ in line 3: A prints '3', B '4'");
    blame("1\n", "1\n2\n", text, sizeof(text));
    assert_string_equal(text, "the outputs differ in line 2: A prints nothing more, B '2'");
    blame("", "\033[2Jx", text, sizeof(text));
    assert_string_equal(text, "the outputs differ in line 1: A prints nothing more, B '?[2Jx'");
}

/* ---- inputs ---- */

static void write_data(const char *text)
{
    FILE *file = fopen("data", "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void sees_a_file_that_changes(void **state)
{
    struct prove_subject *s = command("cat --squeeze=data");
    struct inputs in;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    (void)state;
    write_data("one");
    inputs_init(&in);
    assert_int_equal(inputs_note(&in, s), 0);
    assert_int_equal(in.count, 1);
    assert_true(in.items[0].named);
    assert_null(inputs_changed(&in));
    assert_int_equal(utimensat(AT_FDCWD, "data", times, 0), 0); /* touched, the same */
    assert_null(inputs_changed(&in));
    write_data("two");
    assert_non_null(inputs_changed(&in));
    write_data("one");
    assert_null(inputs_changed(&in));
    (void)unlink("data");
    assert_non_null(inputs_changed(&in));
    inputs_release(&in);
    prove_subject_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_each_block_by_a_coin),
        cmocka_unit_test(runs_of_a_duet_share_a_cpu),
        cmocka_unit_test(waiting_for_the_shared_cpu_is_not_counted),
        cmocka_unit_test(shares_the_hash_seed_within_a_block_only),
        cmocka_unit_test(compares_logarithms),
        cmocka_unit_test(takes_the_least_of_the_batches_or_of_a_duet_their_mean),
        cmocka_unit_test(reads_steal_of_its_cpus),
        cmocka_unit_test(names_the_first_line_that_differs),
        cmocka_unit_test(sees_a_file_that_changes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
