#include "target_child.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

static void refuses_numbers_that_name_no_process(void **state)
{
    (void)state;
    static const pid_t none[] = {0, -1, INT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct target *t = NULL;
        struct error e = {0};
        char expected[64];
        snprintf(expected, sizeof(expected), "there is no process %d", (int)none[i]);
        assert_int_equal(target_open(none[i], &t, &e), -ESRCH);
        assert_string_equal(e.text, expected);
        assert_null(t);
    }
    target_close(NULL);
}

static void refuses_a_zombie_and_a_kernel_thread(void **state)
{
    (void)state;
    struct target *t = NULL;
    struct error e = {0};
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(target_open(pid, &t, &e), -ESRCH);
    assert_non_null(strstr(e.text, "zombie"));
    assert_int_equal(waitpid(pid, NULL, 0), pid);

    char name[16] = "";
    if (proc_read(AT_FDCWD, "/proc/2/comm", name, sizeof(name)) > 0 && strcmp(name, "kthreadd\n") == 0) {
        assert_int_equal(target_open(2, &t, &e), -EPERM);
        assert_non_null(strstr(e.text, "kernel"));
    }
}

static void *wait_long(void *tid)
{
    *(pid_t *)tid = (pid_t)syscall(SYS_gettid);
    sleep_ms(60000);
    return NULL;
}

static void names_the_process_of_a_thread(void **state)
{
    (void)state;
    volatile pid_t tid = 0;
    pthread_t thread;
    struct target *t = NULL;
    struct error e = {0};
    char expected[32];
    assert_int_equal(pthread_create(&thread, NULL, wait_long, (void *)&tid), 0);
    for (int i = 0; i < 500 && tid == 0; i++)
        sleep_ms(10);
    assert_int_equal(target_open(tid, &t, &e), -ESRCH);
    snprintf(expected, sizeof(expected), "process, %d", (int)getpid());
    assert_non_null(strstr(e.text, expected));
    pthread_cancel(thread);
    pthread_join(thread, NULL);
}

static void knows_what_proc_knows(void **state)
{
    (void)state;
    pid_t parent, pid = child_start(child_waits);
    struct target *t = open_target(pid);
    char path[4096], ours[4096] = "";
    assert_int_equal(target_pid(t), pid);
    assert_true(target_pidfd(t) >= 0);
    assert_true(target_alive(t));
    assert_int_equal(target_parent(t, &parent), 0);
    assert_int_equal(parent, getpid());
    assert_true(readlink("/proc/self/exe", ours, sizeof(ours) - 1) > 0);
    assert_int_equal(target_executable(t, path, sizeof(path)), 0);
    assert_string_equal(path, ours);
    assert_int_equal(target_executable(t, path, 4), -ENAMETOOLONG);
    struct buffer command;
    buffer_init(&command, 8);
    assert_int_equal(target_command(t, &command), 0);
    assert_true(command.size > 0 && command.size <= 8); /* capped, no failure */
    buffer_release(&command);
    child_end(pid);
    assert_false(target_alive(t));
    assert_int_equal(target_parent(t, &parent), -ESRCH);
    assert_int_equal(target_executable(t, path, sizeof(path)), -ESRCH);
    target_close(t);
}

static pid_t run_held(const char *script, struct target_launched *l)
{
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    struct error e = {0};
    if (target_launch(&(struct target_launch){.argv = argv, .hold = true}, l, &e) < 0)
        fail_msg("%s", e.text);
    return l->pid;
}

static void sees_an_exec(void **state)
{
    (void)state;
    struct target_launched l;
    struct error e = {0};
    pid_t pid = run_held("exec sleep 60", &l);
    struct target *t = open_target(pid);
    uint64_t start = target_start_time(t), before = target_image_id(t);
    assert_true(before == target_image_id(t));
    assert_int_equal(target_launch_release(&l, &e), 0);
    /* Ours, then sh, then sleep. */
    assert_true(target_image_id(t) != before);
    char path[4096] = "";
    for (int i = 0; i < 1000 && !strstr(path, "sleep") && !strstr(path, "coreutils") && !strstr(path, "busybox"); i++) {
        sleep_ms(5);
        target_executable(t, path, sizeof(path));
    }
    uint64_t now = target_image_id(t);
    assert_true(now != before && now != 0);
    assert_true(now == target_image_id(t));
    assert_true(start == target_start_time(t));
    child_end(pid);
    assert_true(target_image_id(t) == 0);
    target_close(t);
}

static void survives_one_that_execs_in_a_loop(void **state)
{
    (void)state;
    struct target_launched l;
    struct error e = {0};
    setenv("C", "N=$((N + 1)); export N; test $N -lt 5000 || exec sleep 60; exec sh -c \"$C\"", 1);
    pid_t pid = run_held("N=0; export N; exec sh -c \"$C\"", &l);
    unsetenv("C");
    struct target *t = open_target(pid);
    assert_int_equal(target_launch_release(&l, &e), 0);
    uint64_t images = 0, last = 0;
    for (int i = 0; i < 400 || (images <= 3 && i < 100000); i++) { /* it may have no CPU for a while */
        struct target_maps maps;
        uint64_t word, image = target_image_id(t);
        images += image != last;
        last = image;
        int r = target_maps_read(t, &maps, &e);
        assert_true(r == 0 || r == -ESRCH);
        assert_true(target_alive(t));
        for (size_t j = 0; j < maps.count; j++) {
            r = target_read(t, maps.items[j].start, &word, sizeof(word));
            assert_true(r == 0 || r == -EFAULT || r == -ESRCH);
        }
        target_maps_release(&maps);
    }
    assert_true(images > 3);
    child_end(pid);
    target_close(t);
}

static void reads_a_variable_of_its_environment(void **state)
{
    (void)state;
    char *argv[] = {(char *)"sleep", (char *)"60", NULL}, value[32];
    struct target_launched l;
    struct error e = {0};
    setenv("PIT_ENV_TEST", "left = right", 1);
    setenv("PIT_ENV_TEST_LONGER", "wrong", 1);
    setenv("PIT_ENV_EMPTY", "", 1);
    assert_int_equal(target_launch(&(struct target_launch){.argv = argv}, &l, &e), 0);
    struct target *t = open_target(l.pid);
    assert_int_equal(target_environment(t, "PIT_ENV_TEST", value, sizeof(value)), 0);
    assert_string_equal(value, "left = right");
    assert_int_equal(target_environment(t, "PIT_ENV_EMPTY", value, sizeof(value)), 0);
    assert_string_equal(value, "");
    assert_int_equal(target_environment(t, "PIT_ENV", value, sizeof(value)), -ENOENT);
    assert_int_equal(target_environment(t, "PIT_ENV_TEST", value, 12), -ENAMETOOLONG);
    struct buffer command;
    buffer_init(&command, 4096);
    assert_int_equal(target_command(t, &command), 0);
    assert_int_equal(command.size, 9);
    assert_memory_equal(command.data, "sleep\00060\0", 9);
    buffer_release(&command);
    child_end(l.pid);
    target_close(t);
}

static void child_that_burns(int ready_fd)
{
    volatile uint64_t n = 0;
    struct timespec time;
    do {
        n++;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    } while (time.tv_sec == 0 && time.tv_nsec < 120000000);
    child_waits(ready_fd);
}

static void counts_its_cpu_time_as_it_does_itself(void **state)
{
    (void)state;
    uint64_t ns = 0;
    pid_t pid = child_start(child_that_burns);
    struct target *t = open_target(pid);
    assert_int_equal(target_cpu_ns(t, &ns), 0);
    assert_true(ns >= 120000000);
    struct target_thread h;
    struct target_thread_stat stat;
    assert_int_equal(target_thread_open(t, pid, &h), 0);
    assert_int_equal(target_thread_stat(&h, &stat), 0);
    assert_true(stat.cpu_ns == 0 || stat.cpu_ns >= 100000000);
    assert_true(stat.state == 'S' || stat.state == 'R');
    target_thread_close(&h);
    child_end(pid);
    assert_int_equal(target_cpu_ns(t, &ns), -ESRCH);
    target_close(t);
}

static void finds_children_both_ways(void **state)
{
    (void)state;
    enum { N = 5 };
    pid_t made[N], found[N + 2];
    struct target *t = open_target(getpid());
    uint64_t before = 0, after = 0;
    int known = target_last_pid(&before);
    for (size_t i = 0; i < N; i++)
        made[i] = child_start(child_waits);
    if (known == 0) {
        assert_int_equal(target_last_pid(&after), 0);
        assert_true(before != after);
    }
    for (int way = 0; way < 2; way++) {
        size_t count = 0;
        assert_int_equal((way ? children_scan : target_children)(t, found, N + 2, &count), 0);
        assert_int_equal(count, N);
        for (size_t i = 0; i < N; i++) {
            bool there = false;
            for (size_t j = 0; j < N; j++)
                there |= found[j] == made[i];
            assert_true(there);
        }
        found[2] = -7;
        assert_int_equal((way ? children_scan : target_children)(t, found, 2, &count), 0);
        assert_int_equal(count, N); /* more than there was room for */
        assert_int_equal(found[2], -7);
    }
    for (size_t i = 0; i < N; i++)
        child_end(made[i]);
    target_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_numbers_that_name_no_process),
        cmocka_unit_test(refuses_a_zombie_and_a_kernel_thread),
        cmocka_unit_test(names_the_process_of_a_thread),
        cmocka_unit_test(knows_what_proc_knows),
        cmocka_unit_test(sees_an_exec),
        cmocka_unit_test(survives_one_that_execs_in_a_loop),
        cmocka_unit_test(reads_a_variable_of_its_environment),
        cmocka_unit_test(counts_its_cpu_time_as_it_does_itself),
        cmocka_unit_test(finds_children_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
