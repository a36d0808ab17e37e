#include "target_child.h"

#include <pthread.h>
#include <sys/mman.h>

/* Shared with the children: what each of their threads has counted to. */
enum { THREADS = 8 };
static struct shared {
    volatile uint64_t counts[THREADS];
    volatile uint64_t made;
    volatile int signals;
} * shared;

static int map_shared(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? -1 : 0;
}

static int clear_shared(void **state)
{
    (void)state;
    memset((void *)shared, 0, sizeof(*shared));
    return 0;
}

static void *count_up(void *index)
{
    volatile uint64_t *count = &shared->counts[(uintptr_t)index];
    for (;;) {
        (*count)++;
        if (*count % 1024 == 0)
            sleep_ms(1);
    }
    return NULL;
}

static void child_with_threads(int ready_fd)
{
    for (uintptr_t i = 1; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, count_up, (void *)i) != 0) /* NOLINT(performance-no-int-to-ptr) */
            _exit(90);
    }
    child_ready(ready_fd);
    alarm(60);
    count_up(NULL);
}

static void copy_counts(uint64_t into[THREADS])
{
    for (size_t i = 0; i < THREADS; i++)
        into[i] = shared->counts[i];
}

static bool all_moved_on(const uint64_t since[THREADS])
{
    for (size_t i = 0; i < THREADS; i++)
        if (shared->counts[i] == since[i])
            return false;
    return true;
}

static void wait_until_all_move(void)
{
    uint64_t before[THREADS];
    copy_counts(before);
    for (int i = 0; i < 2000 && !all_moved_on(before); i++)
        sleep_ms(5);
    assert_true(all_moved_on(before));
}

static void holds_every_thread_and_lets_it_go(void **state)
{
    (void)state;
    pid_t pid = child_start(child_with_threads);
    struct target *t = open_target(pid);
    struct error e = {0};
    for (int round = 0; round < 5; round++) {
        uint64_t before[THREADS], after[THREADS];
        wait_until_all_move();
        assert_int_equal(target_stop(t, &e), 0);
        copy_counts(before);
        sleep_ms(30);
        copy_counts(after);
        assert_memory_equal(before, after, sizeof(before));
        int status;
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* its parent is told nothing */
        assert_int_equal(target_continue(t, &e), 0);
    }
    wait_until_all_move();
    child_end(pid);
    target_close(t);
}

static void lets_go_when_closed(void **state)
{
    (void)state;
    pid_t pid = child_start(child_with_threads);
    struct target *t = open_target(pid);
    struct error e = {0};
    assert_int_equal(target_stop(t, &e), 0);
    target_close(t);
    wait_until_all_move();
    child_end(pid);
}

static void *make_another(void *unused)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    shared->made++;
    for (int i = 0; i < 1000 && pthread_create(&thread, &attributes, make_another, NULL) != 0; i++)
        sleep_ms(1);
    return unused;
}

static void child_that_makes_threads(int ready_fd)
{
    make_another(NULL);
    child_waits(ready_fd);
}

static void catches_threads_made_meanwhile(void **state)
{
    (void)state;
    pid_t pid = child_start(child_that_makes_threads);
    struct target *t = open_target(pid);
    for (int round = 0; round < 20; round++) {
        struct error e = {0};
        if (target_stop(t, &e) < 0)
            fail_msg("%s", e.text);
        uint64_t made = shared->made;
        sleep_ms(5);
        assert_true(made == shared->made);
        assert_int_equal(target_continue(t, &e), 0);
        for (int i = 0; i < 1000 && shared->made == made; i++)
            sleep_ms(1);
        assert_true(shared->made > made);
    }
    child_end(pid);
    target_close(t);
}

static void note_signal(int number)
{
    (void)number;
    shared->signals++;
}

static void child_that_counts_signals(int ready_fd)
{
    signal(SIGRTMIN, note_signal);
    child_ready(ready_fd);
    alarm(60);
    for (;;)
        pause();
}

static void loses_no_signal(void **state)
{
    (void)state;
    enum { N = 200 };
    pid_t pid = child_start(child_that_counts_signals);
    struct target *t = open_target(pid);
    struct error e = {0};
    for (int i = 0; i < N; i++) {
        assert_int_equal(sigqueue(pid, SIGRTMIN, (union sigval){.sival_int = i}), 0); /* these queue up */
        assert_int_equal(target_stop(t, &e), 0);
        assert_int_equal(target_continue(t, &e), 0);
    }
    for (int i = 0; i < 1000 && shared->signals < N; i++)
        sleep_ms(5);
    assert_int_equal(shared->signals, N);
    child_end(pid);
    target_close(t);
}

static char state_of(pid_t pid)
{
    struct target *t = open_target(pid);
    struct target_thread h;
    char state = 0;
    int processor;
    assert_int_equal(target_thread_open(t, pid, &h), 0);
    assert_int_equal(target_thread_state(&h, &state, &processor), 0);
    target_thread_close(&h);
    target_close(t);
    return state;
}

static void leaves_one_that_was_stopped_stopped(void **state)
{
    (void)state;
    int status;
    struct error e = {0};
    pid_t pid = child_start(child_with_threads);
    struct target *t = open_target(pid);
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_int_equal(target_stop(t, &e), 0);
    assert_int_equal(target_continue(t, &e), 0);
    for (int i = 0; i < 200 && state_of(pid) != 'T'; i++)
        sleep_ms(5);
    uint64_t before[THREADS], after[THREADS];
    copy_counts(before);
    sleep_ms(30);
    copy_counts(after);
    assert_memory_equal(before, after, sizeof(before));
    kill(pid, SIGCONT);
    wait_until_all_move();
    child_end(pid);
    target_close(t);
}

static void child_that_ends_soon(int ready_fd)
{
    child_ready(ready_fd);
    for (volatile int i = 0; i < 200000; i++)
        ;
    _exit(61);
}

static void leaves_the_exit_status_to_the_parent(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct error e = {0};
        int status = 0;
        pid_t pid = child_start(child_that_ends_soon);
        struct target *t;
        if (target_open(pid, &t, &e) == 0) {
            int r = 0;
            for (int i = 0; i < 20000 && r == 0; i++) {
                r = target_stop(t, &e);
                if (r == 0)
                    target_continue(t, NULL);
                if (i > 2000) /* on a full machine it hardly runs between two stops */
                    sleep_ms(1);
            }
            assert_int_equal(r, -ESRCH);
            target_close(t);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 61);
    }
}

static void names_the_tracer_in_the_way(void **state)
{
    (void)state;
    struct error e = {0};
    pid_t pid = child_start(child_with_threads);
    struct target *t = open_target(pid);
    struct target *other = open_target(pid);
    assert_int_equal(target_stop(other, &e), 0);
    assert_int_equal(target_stop(t, &e), -EPERM);
    char expected[64];
    snprintf(expected, sizeof(expected), "tracer, process %d", (int)getpid());
    assert_non_null(strstr(e.text, expected));
    assert_int_equal(target_continue(other, &e), 0);
    wait_until_all_move();
    child_end(pid);
    target_close(t);
    target_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(holds_every_thread_and_lets_it_go, clear_shared),
        cmocka_unit_test_setup(lets_go_when_closed, clear_shared),
        cmocka_unit_test_setup(catches_threads_made_meanwhile, clear_shared),
        cmocka_unit_test_setup(loses_no_signal, clear_shared),
        cmocka_unit_test_setup(leaves_one_that_was_stopped_stopped, clear_shared),
        cmocka_unit_test_setup(leaves_the_exit_status_to_the_parent, clear_shared),
        cmocka_unit_test_setup(names_the_tracer_in_the_way, clear_shared),
    };
    return cmocka_run_group_tests(tests, map_shared, NULL);
}
