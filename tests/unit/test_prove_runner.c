/* The runner: what it says of processes whose needs are known. */
#include "prove/prove.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char program[4096]; /* this one: with a word it is the child */
static struct prove_runner *runner;
static volatile sig_atomic_t stop;

/* ---- the children ---- */

static void burn(double seconds)
{
    while ((double)clock_process_cpu_ns() < seconds * 1e9)
        continue;
}

static int child(const char *what, char **words)
{
    if (strcmp(what, "memory") == 0) {
        char *block = mmap(NULL, 50 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return 1;
        memset(block, 1, 50 << 20);
        return munmap(block, 50 << 20);
    }
    if (strcmp(what, "burn") == 0) {
        burn(0.1);
        return 0;
    }
    if (strcmp(what, "orphan") == 0) {
        int ends[2];
        char ready;
        if (pipe(ends) < 0)
            return 1;
        if (fork() == 0) {
            burn(0.05);
            printf("%d\n", (int)getpid());
            fflush(stdout);
            if (fork() == 0)
                setsid();
            else if (write(ends[1], "r", 1) != 1)
                _exit(1);
            sleep(1000);
        }
        if (read(ends[0], &ready, 1) != 1)
            return 1;
        _exit(0); /* leaves both */
    }
    if (strcmp(what, "hang") == 0) {
        fprintf(stderr, "waiting for Godot\n\n");
        for (;;)
            pause();
    }
    if (strcmp(what, "close") == 0) {
        close(1);
        close(2);
        usleep(50000);
        return 7;
    }
    if (strcmp(what, "print") == 0) {
        static char block[1 << 20];
        memset(block, 'x', sizeof(block));
        for (int i = 0; i < 100; i++)
            if (fwrite(block, 1, sizeof(block), stdout) != sizeof(block))
                return 1;
        puts("the end");
        return 0;
    }
    if (strcmp(what, "facts") == 0) {
        char folder[4096], byte;
        printf("%s|%s|%s|%s|%zd|%d\n", getcwd(folder, sizeof(folder)) ? folder : "?",
            getenv("PYTHONHASHSEED") ? getenv("PYTHONHASHSEED") : "-", getenv("GIVEN") ? getenv("GIVEN") : "-",
            getenv("PITVIPER_PADDING") ? "padded" : "-", read(0, &byte, 1), getpgrp() == getpid());
        return write(PROVE_ANSWER_FD, "answer", 6) != 6;
    }
    if (strcmp(what, "threads") == 0) {
        if (fork() == 0) {
            usleep(60000);
            _exit(0);
        }
        wait(NULL);
        return 0;
    }
    if (strcmp(what, "fail") == 0) {
        fprintf(stderr, "one\nValueError: \033[31mred\n");
        return 3;
    }
    return strcmp(words[0], "") != 0;
}

static void run_child(const char *what, struct prove_process *p, struct prove_run *ret)
{
    static char *argv[3] = {program};
    struct error e = {""};
    argv[1] = (char *)(uintptr_t)what;
    p->argv = argv;
    if (p->timeout_ns == 0)
        p->timeout_ns = 60 * UINT64_C(1000000000);
    if (prove_run(runner, p, 1, ret, &e) < 0)
        fail_msg("%s", e.text);
}

static int setup(void **state)
{
    struct error e;
    (void)state;
    return prove_runner_open(&runner, &e);
}

static int teardown(void **state)
{
    (void)state;
    prove_runner_close(runner);
    return 0;
}

/* ---- */

static void tells_memory_of_the_child_and_not_of_its_parents(void **state)
{
    struct prove_process p = {0};
    struct prove_run big, small;
    (void)state;
    /* ours is larger than the small child's: an exec of our own fork would be charged with it */
    char *ours = malloc(200 << 20);
    memset(ours, 1, 200 << 20);
    run_child("memory", &p, &big);
    run_child("fail", &p, &small);
    assert_in_range(big.memory, 50 << 20, 100 << 20);
    assert_in_range(small.memory, 1 << 16, 45 << 20);
    assert_int_equal(big.status, 0);
    assert_true(ours[7] == 1);
    free(ours);
    prove_run_release(&big);
    prove_run_release(&small);
}

static void tells_time_on_the_cpu(void **state)
{
    struct prove_process p = {0};
    struct prove_run run;
    (void)state;
    run_child("burn", &p, &run);
    assert_true(run.user_ns + run.system_ns >= 95000000);
    assert_true(run.user_ns + run.system_ns < 300000000);
    assert_true(run.wall_ns >= 95000000);
    assert_true(run.minor_faults > 0);
    prove_run_release(&run);
}

static void ends_and_counts_what_a_run_leaves_behind(void **state)
{
    struct prove_process p = {0};
    struct prove_run run;
    (void)state;
    run_child("orphan", &p, &run);
    assert_int_equal(run.status, 0);
    assert_int_equal(run.leftovers, 2);
    assert_true(run.user_ns + run.system_ns >= 45000000);
    pid_t orphan = (pid_t)strtol(run.out.head, NULL, 10);
    assert_true(orphan > 0);
    assert_int_equal(kill(orphan, 0), -1);
    prove_run_release(&run);
}

static void ends_what_hangs(void **state)
{
    struct prove_process p = {.timeout_ns = 300000000};
    struct prove_run run;
    struct error e;
    (void)state;
    run_child("hang", &p, &run);
    assert_true(run.timed_out);
    assert_true(run.wall_ns >= 300000000);
    assert_int_equal(prove_run_check(&run, "app", &e), -ETIMEDOUT);
    assert_non_null(strstr(e.text, "'app' did not end within 0.3"));
    assert_non_null(strstr(e.text, "waiting for Godot"));
    prove_run_release(&run);
}

static void waits_for_the_process_and_not_for_its_pipes(void **state)
{
    struct prove_process p = {0};
    struct prove_run run;
    (void)state;
    run_child("close", &p, &run);
    assert_int_equal(WEXITSTATUS(run.status), 7);
    assert_true(run.wall_ns >= 50000000);
    assert_int_equal(run.out.size, 0);
    prove_run_release(&run);
}

static void counts_all_that_is_printed_and_keeps_the_head(void **state)
{
    struct prove_process p = {0};
    struct prove_run run, again;
    (void)state;
    run_child("print", &p, &run);
    run_child("print", &p, &again);
    assert_int_equal(run.out.size, (100 << 20) + 8);
    assert_int_equal(run.out.kept, PROVE_OUTPUT_HEAD);
    assert_int_equal(run.out.head[PROVE_OUTPUT_HEAD - 1], 'x');
    assert_memory_equal(run.out.tail + run.out.last - 9, "xthe end\n", 9);
    assert_true(run.out.hash == again.out.hash);
    prove_run_release(&run);
    prove_run_release(&again);
}

static void hashes_as_fnv_1a(void **state)
{
    /* the published values of the 64-bit hash of "a" and of nothing */
    char *argv[] = {(char *)(uintptr_t) "printf", (char *)(uintptr_t) "a", NULL};
    struct prove_process p = {.argv = argv};
    struct prove_run run;
    struct error e;
    (void)state;
    assert_int_equal(prove_run(runner, &p, 1, &run, &e), 0);
    assert_true(run.out.hash == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(run.err.hash == UINT64_C(0xcbf29ce484222325));
    prove_run_release(&run);
}

static void gives_folder_environment_seed_input_and_answer(void **state)
{
    static const char *const given[] = {"GIVEN=here", NULL};
    struct prove_process p = {
        .folder = "/usr", .environment = given, .seeded = true, .hash_seed = 42, .padding = 100, .answers = true};
    struct prove_run run;
    (void)state;
    unsetenv("PYTHONHASHSEED");
    run_child("facts", &p, &run);
    assert_int_equal(run.status, 0);
    assert_memory_equal(run.out.head, "/usr|42|here|padded|0|1\n", 24);
    assert_string_equal(buffer_text(&run.answer), "answer");
    prove_run_release(&run);
}

static void leaves_a_hash_seed_of_the_user(void **state)
{
    struct prove_process p = {.folder = "/", .seeded = true, .hash_seed = 42, .answers = true};
    struct prove_run run;
    (void)state;
    setenv("PYTHONHASHSEED", "7", 1);
    run_child("facts", &p, &run);
    unsetenv("PYTHONHASHSEED");
    assert_null(memmem(run.out.head, run.out.kept, "|42|", 4));
    prove_run_release(&run);
}

static void counts_processes_where_it_watches(void **state)
{
    struct prove_process p = {.watched = true};
    struct prove_run run;
    (void)state;
    run_child("threads", &p, &run);
    assert_int_equal(run.processes, 2);
    assert_int_equal(run.threads, 2);
    prove_run_release(&run);
}

static void runs_two_at_once(void **state)
{
    char *first[] = {program, (char *)(uintptr_t) "close", NULL},
         *second[] = {program, (char *)(uintptr_t) "fail", NULL};
    struct prove_process p[2] = {{.argv = first}, {.argv = second}};
    struct prove_run run[2];
    struct error e;
    (void)state;
    assert_int_equal(prove_run(runner, p, 2, run, &e), 0);
    assert_int_equal(WEXITSTATUS(run[0].status), 7);
    assert_int_equal(WEXITSTATUS(run[1].status), 3);
    assert_int_equal(prove_run_check(&run[1], "b.py", &e), -ECHILD);
    assert_string_equal(e.text, "'b.py' failed with status 3: ValueError: ?[31mred");
    prove_run_release(&run[0]);
    prove_run_release(&run[1]);
}

static void says_what_cannot_be_started(void **state)
{
    char *argv[] = {(char *)(uintptr_t) "no-such-command-here", NULL};
    struct prove_process p = {.argv = argv};
    struct prove_run run;
    struct error e;
    (void)state;
    assert_int_equal(prove_run(runner, &p, 1, &run, &e), -ENOENT);
    assert_string_equal(e.text, "cannot run no-such-command-here: there is no such command on the path");
    p.input = "/no/such/input";
    assert_int_equal(prove_run(runner, &p, 1, &run, &e), -ENOENT);
}

static void interrupt(int number)
{
    (void)number;
    stop = 1;
}

/* The last one: a runner that was stopped runs nothing more. */
static void ends_what_runs_when_stopped(void **state)
{
    struct prove_process p = {0};
    struct prove_run run;
    struct error e;
    (void)state;
    prove_runner_watch(runner, &stop);
    (void)signal(SIGALRM, interrupt);
    (void)ualarm(150000, 0);
    run_child("hang", &p, &run);
    assert_true(run.interrupted);
    assert_int_equal(prove_run_check(&run, "app", &e), -ECANCELED);
    prove_run_release(&run);
    assert_int_equal(prove_run(runner, &p, 1, &run, &e), -ECANCELED);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child(argv[1], argv + 1);
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_memory_of_the_child_and_not_of_its_parents),
        cmocka_unit_test(tells_time_on_the_cpu),
        cmocka_unit_test(ends_and_counts_what_a_run_leaves_behind),
        cmocka_unit_test(ends_what_hangs),
        cmocka_unit_test(waits_for_the_process_and_not_for_its_pipes),
        cmocka_unit_test(counts_all_that_is_printed_and_keeps_the_head),
        cmocka_unit_test(hashes_as_fnv_1a),
        cmocka_unit_test(gives_folder_environment_seed_input_and_answer),
        cmocka_unit_test(leaves_a_hash_seed_of_the_user),
        cmocka_unit_test(counts_processes_where_it_watches),
        cmocka_unit_test(runs_two_at_once),
        cmocka_unit_test(says_what_cannot_be_started),
        cmocka_unit_test(ends_what_runs_when_stopped),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
