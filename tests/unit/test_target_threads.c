#include "target_child.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* 52 fields, as proc(5) numbers them; each but the first three is its own number. */
static size_t stat_text(char *into, size_t size, const char *name, const char *state)
{
    size_t n = (size_t)snprintf(into, size, "4711 (%s) %s", name, state);
    for (int field = 4; field <= 52; field++)
        n += (size_t)snprintf(into + n, size - n, " %d", field);
    n += (size_t)snprintf(into + n, size - n, "\n");
    return n;
}

static void reads_stat_whatever_the_name(void **state)
{
    (void)state;
    static const char *const names[] = {"python3", "a) R 1 2 3 (b", ")", "((", "", "x y\nz", ") S 0 0 0 0 0"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char text[1024], found;
        int processor;
        struct proc_stat stat;
        size_t n = stat_text(text, sizeof(text), names[i], "D");
        assert_int_equal(proc_stat_parse(text, n, &stat), 0);
        assert_string_equal(stat.name, names[i]);
        assert_int_equal(stat.state, 'D');
        for (int field = 4; field <= 52; field++)
            assert_int_equal(stat.field[field], field);
        assert_int_equal(proc_stat_parse_state(text, n, &found, &processor), 0);
        assert_int_equal(found, 'D');
        assert_int_equal(processor, 39);
    }
}

static void refuses_a_stat_that_is_cut(void **state)
{
    (void)state;
    char text[1024], found;
    int processor;
    struct proc_stat stat;
    size_t n = stat_text(text, sizeof(text), "name", "R");
    for (size_t cut = 0; cut < n; cut++) {
        char *copy = malloc(cut + 1); /* the sanitizer sees a read beyond it */
        assert_non_null(copy);
        memcpy(copy, text, cut);
        proc_stat_parse(copy, cut, &stat);
        if (proc_stat_parse_state(copy, cut, &found, &processor) == 0)
            assert_int_equal(found, 'R');
        free(copy);
    }
    assert_int_equal(proc_stat_parse("1 (x) R", 7, &stat), -EINVAL);
    assert_int_equal(proc_stat_parse("no stat at all", 14, &stat), -EINVAL);
    assert_int_equal(proc_stat_parse_state("", 0, &found, &processor), -EINVAL);
}

static void reads_the_futex_of_a_system_call(void **state)
{
    (void)state;
    char text[128];
    snprintf(text, sizeof(text),
        "%d 0x7fe50d540c74 0x89 0x0 0x7fe507ffebd0 0x0 0xffffffff 0x7fe507ffeaa0 0x7fe50cea3f16\n", SYS_futex);
    assert_int_equal(proc_syscall_futex(text), 0x7fe50d540c74);
    static const char *const others[] = {"running\n", "-1 0x7ffe528f8080 0x7fe50cea3f16\n", "", "\n", "0x10",
        "230 0x1 0x1 0x7fe5077fdbd0 0x0 0x0 0x7fe50d540c68 0x7fe5077fdb90 0x7fe50ceed545\n"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(proc_syscall_futex(others[i]), 0);
    snprintf(text, sizeof(text), "%d", SYS_futex);
    assert_int_equal(proc_syscall_futex(text), 0);
}

struct worker {
    pthread_t thread;
    volatile pid_t tid;
    volatile bool burn, stop;
};

static void *work(void *context)
{
    struct worker *w = context;
    prctl(PR_SET_NAME, "odd) R 9 (name");
    w->tid = (pid_t)syscall(SYS_gettid);
    while (!w->stop)
        if (!w->burn)
            sleep_ms(1);
    return NULL;
}

static void worker_start(struct worker *w)
{
    assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
    for (int i = 0; i < 1000 && w->tid == 0; i++)
        sleep_ms(5);
    assert_true(w->tid != 0);
}

static bool listed(const struct target *t, pid_t tid)
{
    pid_t tids[64];
    size_t count = 0;
    assert_int_equal(target_threads(t, tids, 64, &count), 0);
    for (size_t i = 0; i < count && i < 64; i++)
        if (tids[i] == tid)
            return true;
    return false;
}

static void follows_a_thread_from_start_to_end(void **state)
{
    (void)state;
    struct worker w = {.tid = 0};
    struct target *t = open_target(getpid());
    worker_start(&w);
    assert_true(listed(t, getpid()));
    assert_true(listed(t, w.tid));
    struct target_thread h;
    struct target_thread_stat stat;
    char found;
    int processor;
    assert_int_equal(target_thread_open(t, w.tid, &h), 0);
    assert_int_equal(target_thread_stat(&h, &stat), 0);
    assert_string_equal(stat.name, "odd) R 9 (name");
    w.burn = true;
    bool ran = false;
    for (int i = 0; i < 2000 && !ran; i++) {
        assert_int_equal(target_thread_state(&h, &found, &processor), 0);
        assert_true(processor >= 0 && processor < 4096);
        ran = found == 'R';
        sleep_ms(1);
    }
    assert_true(ran);
    if (h.syscall_fd >= 0) { /* the other file says the same: it runs, and once it naps, it does not */
        uint64_t futex;
        for (int burn = 1; burn >= 0; burn--) {
            bool runs = !burn;
            w.burn = burn;
            for (int i = 0; i < 2000 && runs != (bool)burn; i++) {
                assert_int_equal(target_thread_call(&h, &runs, &futex), 0);
                assert_int_equal(futex, 0);
                sleep_ms(1);
            }
            assert_int_equal(runs, burn);
        }
    }
    w.stop = true;
    pthread_join(w.thread, NULL);
    for (int i = 0; i < 1000 && target_thread_state(&h, &found, &processor) == 0; i++)
        sleep_ms(1);
    assert_int_equal(target_thread_state(&h, &found, &processor), -ESRCH);
    assert_int_equal(target_thread_stat(&h, &stat), -ESRCH);
    target_thread_close(&h);
    assert_false(listed(t, w.tid));
    assert_int_equal(target_thread_open(t, w.tid, &h), -ESRCH);
    target_close(t);
}

static void counts_threads_it_has_no_room_for(void **state)
{
    (void)state;
    enum { N = 20 };
    static struct worker workers[N];
    pid_t tids[8] = {0};
    size_t count = 0;
    struct target *t = open_target(getpid());
    for (size_t i = 0; i < N; i++)
        worker_start(&workers[i]);
    assert_int_equal(target_threads(t, tids, 4, &count), 0);
    assert_true(count >= N + 1);
    assert_true(tids[3] != 0 && tids[4] == 0);
    for (size_t i = 0; i < N; i++) {
        workers[i].stop = true;
        pthread_join(workers[i].thread, NULL);
    }
    target_close(t);
}

static void *end_at_once(void *unused)
{
    return unused;
}

static void child_with_short_threads(int ready_fd)
{
    child_ready(ready_fd);
    for (int i = 0; i < 100000; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
            pthread_join(thread, NULL);
    }
}

static void copes_with_threads_that_vanish(void **state)
{
    (void)state;
    pid_t pid = child_start(child_with_short_threads);
    struct target *t = open_target(pid);
    size_t opened = 0;
    for (int i = 0; i < 2000; i++) {
        pid_t tids[64];
        size_t count = 0;
        assert_int_equal(target_threads(t, tids, 64, &count), 0);
        for (size_t j = 0; j < count && j < 64; j++) {
            struct target_thread h;
            struct target_thread_stat stat;
            int r = target_thread_open(t, tids[j], &h);
            assert_true(r == 0 || r == -ESRCH);
            if (r < 0)
                continue;
            r = target_thread_stat(&h, &stat);
            assert_true(r == 0 || r == -ESRCH);
            opened += tids[j] != pid;
            target_thread_close(&h);
        }
    }
    assert_true(opened > 0);
    child_end(pid);
    target_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_stat_whatever_the_name),
        cmocka_unit_test(refuses_a_stat_that_is_cut),
        cmocka_unit_test(reads_the_futex_of_a_system_call),
        cmocka_unit_test(follows_a_thread_from_start_to_end),
        cmocka_unit_test(counts_threads_it_has_no_room_for),
        cmocka_unit_test(copes_with_threads_that_vanish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
