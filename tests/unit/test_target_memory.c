#include "target_child.h"

#include <pthread.h>
#include <sys/mman.h>

#define WORDS 4096
static uint64_t words[WORDS]; /* the same address in a forked child */

static void child_with_words(int ready_fd)
{
    for (size_t i = 0; i < WORDS; i++)
        words[i] = i * i;
    child_waits(ready_fd);
}

static void reads_what_the_other_wrote(void **state)
{
    (void)state;
    uint64_t copy[WORDS] = {0};
    pid_t pid = child_start(child_with_words);
    struct target *t = open_target(pid);
    assert_int_equal(target_read(t, (uintptr_t)words, copy, sizeof(copy)), 0);
    for (size_t i = 0; i < WORDS; i++)
        assert_true(copy[i] == i * i);
    assert_true(words[5] == 0); /* the child's, not ours */
    child_end(pid);
    target_close(t);
}

static void gathers_from_many_places_in_one_call(void **state)
{
    (void)state;
    enum { N = 1024 };
    static struct iovec local[N], remote[N];
    uint64_t copy[N] = {0};
    pid_t pid = child_start(child_with_words);
    struct target *t = open_target(pid);
    for (size_t i = 0; i < N; i++) {
        local[i] = (struct iovec){.iov_base = &copy[i], .iov_len = 8};
        remote[i] = (struct iovec){.iov_base = &words[i * 3], .iov_len = 8};
    }
    assert_int_equal(target_readv(t, local, N, remote, N), N * 8);
    for (size_t i = 0; i < N; i++)
        assert_true(copy[i] == 9 * i * i);
    remote[0].iov_len = 24; /* one segment there, three here */
    assert_int_equal(target_readv(t, local, 3, remote, 1), 24);
    assert_true(copy[0] == 0 && copy[1] == 1 && copy[2] == 4);
    child_end(pid);
    target_close(t);
}

static void stops_at_the_first_bad_page(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    assert_int_equal(munmap(p + page, page), 0);
    uint8_t copy[64];
    struct target *t = open_target(getpid());
    memset(p + page - 16, 0x5a, 16);
    assert_int_equal(target_read(t, (uintptr_t)p + page - 16, copy, 16), 0);
    assert_int_equal(copy[15], 0x5a);
    assert_int_equal(target_read(t, (uintptr_t)p + page - 16, copy, 17), -EFAULT);
    struct iovec local[2] = {{copy, 16}, {copy + 16, 16}}, remote[2] = {{p + page - 16, 16}, {p + page, 16}};
    assert_int_equal(target_readv(t, local, 2, remote, 2), 16);
    assert_int_equal(target_readv(t, local, 1, remote + 1, 1), -EFAULT);
    static const uint64_t nowhere[] = {
        0, 1, 0x7fffffffffff, 0x800000000000, 0xffffffff81000000, UINT64_MAX, UINT64_MAX - 8};
    for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++)
        assert_int_equal(target_read(t, nowhere[i], copy, 16), -EFAULT);
    target_close(t);
    munmap(p, page);
}

static void says_that_it_has_ended(void **state)
{
    (void)state;
    uint64_t copy;
    siginfo_t info;
    pid_t pid = child_start(child_with_words);
    struct target *t = open_target(pid);
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(target_alive(t)); /* a zombie */
    assert_int_equal(target_read(t, (uintptr_t)words, &copy, 8), -ESRCH);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(target_read(t, (uintptr_t)words, &copy, 8), -ESRCH);
    target_close(t);
}

static void *outlive(void *ready)
{
    sleep_ms(50);
    child_ready(*(int *)ready);
    for (int i = 0; i < 600; i++)
        sleep_ms(100);
    return NULL;
}

static void child_whose_leader_leaves(int ready_fd)
{
    static int fd;
    pthread_t thread;
    fd = ready_fd;
    words[1] = 77;
    if (pthread_create(&thread, NULL, outlive, &fd) != 0)
        _exit(98);
    pthread_exit(NULL);
}

static void goes_on_when_the_first_thread_has_left(void **state)
{
    (void)state;
    uint64_t copy = 0;
    struct target_maps maps;
    struct error e = {0};
    pid_t pid = child_start(child_whose_leader_leaves);
    for (int i = 0; i < 200 && memory_probe(pid) == 0; i++)
        sleep_ms(10);
    assert_int_equal(memory_probe(pid), ESRCH); /* what makes this case special */
    struct target *t = open_target(pid);
    assert_true(target_alive(t));
    assert_int_equal(target_read(t, (uintptr_t)&words[1], &copy, 8), 0);
    assert_true(copy == 77);
    assert_int_equal(target_maps_read(t, &maps, &e), 0);
    assert_true(maps.count > 5);
    target_maps_release(&maps);
    child_end(pid);
    assert_int_equal(target_read(t, (uintptr_t)&words[1], &copy, 8), -ESRCH);
    target_close(t);
}

static bool expected_of_the_dying(int r)
{
    return r == 0 || r == -ESRCH || r == -EFAULT;
}

static void never_hangs_on_one_that_dies_while_read(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        uint64_t copy[WORDS];
        pid_t pid = child_start(child_with_words);
        struct target *t = open_target(pid);
        struct target_maps maps;
        struct target_thread_stat stat;
        struct target_thread thread;
        pid_t tids[8];
        size_t count;
        assert_int_equal(target_thread_open(t, pid, &thread), 0);
        if (round % 4 == 0)
            kill(pid, SIGKILL);
        bool ended = false;
        for (int i = 0; i < 100000 && !ended; i++) {
            if (i == round * 10)
                kill(pid, SIGKILL);
            int r = target_read(t, (uintptr_t)words, copy, sizeof(copy));
            assert_true(expected_of_the_dying(r));
            ended = r == -ESRCH;
            if (i % 16 == 0) {
                assert_true(expected_of_the_dying(target_maps_read(t, &maps, NULL)));
                target_maps_release(&maps);
                assert_true(expected_of_the_dying(target_threads(t, tids, 8, &count)));
                assert_true(expected_of_the_dying(target_thread_stat(&thread, &stat)));
                target_image_id(t);
            }
        }
        assert_true(ended);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(target_thread_stat(&thread, &stat), -ESRCH);
        assert_int_equal(target_threads(t, tids, 8, &count), -ESRCH);
        target_thread_close(&thread);
        target_close(t);
    }
}

static void child_that_forks(int ready_fd)
{
    child_ready(ready_fd);
    for (int i = 0; i < 20000; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid > 0)
            waitpid(pid, NULL, 0);
    }
}

static void reads_one_that_forks_in_a_loop(void **state)
{
    (void)state;
    pid_t pid = child_start(child_that_forks);
    struct target *t = open_target(pid);
    uint64_t last = 0, changes = 0;
    for (int i = 0; i < 300; i++) {
        pid_t pids[16];
        size_t count = 0;
        uint64_t copy, now = 0;
        assert_int_equal(target_read(t, (uintptr_t)words, &copy, 8), 0);
        assert_int_equal(target_children(t, pids, 16, &count), 0);
        assert_true(count <= 1);
        struct target *child;
        if (count == 1 && target_open(pids[0], &child, NULL) == 0) {
            assert_true(expected_of_the_dying(target_read(child, (uintptr_t)words, &copy, 8)));
            target_close(child);
        }
        if (target_last_pid(&now) == 0 && now != last)
            changes++;
        last = now;
    }
    assert_true(changes > 1);
    child_end(pid);
    target_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_other_wrote),
        cmocka_unit_test(gathers_from_many_places_in_one_call),
        cmocka_unit_test(stops_at_the_first_bad_page),
        cmocka_unit_test(says_that_it_has_ended),
        cmocka_unit_test(goes_on_when_the_first_thread_has_left),
        cmocka_unit_test(never_hangs_on_one_that_dies_while_read),
        cmocka_unit_test(reads_one_that_forks_in_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
