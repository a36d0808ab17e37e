#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "recording_log.h"

struct fixture {
    char path[64];
    struct record_writer *w;
    struct buffer log;
    struct record_summary summary;
    struct error e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    buffer_init(&f->log, 64u << 20);
    return record_writer_open(log_temporary(f->path), &f->w, &f->e);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    record_writer_close(f->w, NULL);
    unlink(f->path);
    buffer_release(&f->log);
    free(f);
    return 0;
}

static void close_and_read(struct fixture *f)
{
    assert_int_equal(record_writer_close(f->w, &f->e), 0);
    f->w = NULL;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    buffer_clear(&f->log);
    assert_int_equal(record_read(fd, f->path, &log_events, &f->log, &f->summary, &f->e), 0);
    close(fd);
}

static void put_one_process(struct record_writer *w, uint32_t threads)
{
    record_put_process(w, &(struct record_process){.pid = 70, .start_ns = 5, .python = "3.12.1", .command = "a b"});
    for (uint32_t i = 0; i < threads; i++)
        record_put_thread(w, &(struct record_thread){.id = i, .tid = 70 + (int32_t)i, .name = "t"});
}

static void put_stacks(struct record_writer *w, uint32_t n)
{
    record_put_code(w, &(struct record_code){.qualname = "f", .file = "/a.py", .first_line = 1});
    for (uint32_t i = 0; i < n; i++) {
        record_put_frame(w, &(struct record_frame){.id = i, .line = 10 + i, .end_line = 10 + i});
        record_put_stack(w, i + 1, i, i);
    }
}

static void gives_back_all_that_was_put(void **state)
{
    struct fixture *f = *state;
    uint8_t digest[32] = {[0] = 0xab, [31] = 0xcd};
    record_put_meta(f->w, "command", "python3 app.py");
    record_put_meta(f->w, "", "");
    record_put_process(f->w, &(struct record_process){.pid = 70, .start_ns = 5, .python = "3.12.1", .command = "a"});
    record_put_process(f->w, &(struct record_process){.id = 1,
                                 .parent = 0,
                                 .pid = INT32_MAX,
                                 .start_ns = INT64_MAX,
                                 .image = UINT64_MAX,
                                 .python = "",
                                 .command = "b"});
    record_put_thread(f->w, &(struct record_thread){.tid = 70, .name = "MainThread"});
    record_put_thread(f->w, &(struct record_thread){.id = 1, .process = 1, .tid = -1, .name = "\xc3\xa9"});
    record_put_thread(f->w, &(struct record_thread){.id = 0, .tid = 70, .name = "renamed"});
    record_put_code(f->w, &(struct record_code){.qualname = "f", .file = "/a.py", .first_line = 3});
    record_put_code(
        f->w, &(struct record_code){.id = 1, .process = 1, .qualname = "f", .file = "f", .first_line = UINT32_MAX});
    record_put_frame(f->w, &(struct record_frame){.line = 4, .end_line = 6, .column = 5, .end_column = 2});
    record_put_frame(f->w, &(struct record_frame){.id = 1, .kind = RECORD_FRAME_GC, .code = 999});
    record_put_frame(f->w, &(struct record_frame){.id = 2, .code = 1, .line = UINT32_MAX, .end_line = 0});
    record_put_frame(f->w, &(struct record_frame){.id = 3, .kind = RECORD_FRAME_CUT});
    record_put_stack(f->w, 1, 0, 0);
    record_put_stack(f->w, 2, 1, 1);
    record_put_stack(f->w, 3, 1, 3);
    record_put_state(f->w, 0, 2, RECORD_PRESENT | RECORD_ON_CPU);
    record_put_state(f->w, 1, 0, 0xff);
    record_put_tick(f->w, 1000);
    record_put_state(f->w, 0, 2, RECORD_PRESENT | RECORD_ON_CPU); /* nothing new */
    record_put_tick(f->w, 1001);
    record_put_tick(f->w, 900); /* a clock that steps back counts as standing still */
    record_put_state(f->w, 0, 3, RECORD_PRESENT);
    record_put_state(f->w, 0, 1, RECORD_PRESENT);
    record_put_tick(f->w, UINT64_C(1) << 60);
    record_put_thread_cpu(f->w, &(struct record_thread_cpu){.thread = 1, .kernel_cpu_ns = 7, .kernel_wait_ns = 8});
    record_put_counters(f->w, &(struct record_counters){.ticks_due = 4, .bytes_lost = UINT64_MAX});
    record_put_source(f->w, "/a.py", digest, "x = 1\n", 6, true);
    record_put_source(f->w, "/b.py", digest, NULL, 0, true);
    record_put_process_end(f->w, &(struct record_process_end){.process = 1, .time_ns = 9, .cpu_ns = 10, .status = -1});
    close_and_read(f);
    assert_string_equal(buffer_text(&f->log),
        "meta command=python3 app.py\n"
        "meta =\n"
        "process 0 parent 0 pid 70 at 5 image 0 python '3.12.1' command 'a'\n"
        "process 1 parent 0 pid 2147483647 at 9223372036854775807 image 18446744073709551615 python '' "
        "command "
        "'b'\n"
        "thread 0 of 0 tid 70 'MainThread'\n"
        "thread 1 of 1 tid -1 '\xc3\xa9'\n"
        "thread 0 of 0 tid 70 'renamed'\n"
        "code 0 of 0 'f' in '/a.py' line 3\n"
        "code 1 of 1 'f' in 'f' line 4294967295\n"
        "frame 0 code 0 kind 0 at 4:5 to 6:2\n"
        "frame 1 code 0 kind 1 at 0:0 to 0:0\n"
        "frame 2 code 1 kind 0 at 4294967295:0 to 0:0\n"
        "frame 3 code 0 kind 2 at 0:0 to 0:0\n"
        "stack 1 on 0 frame 0\n"
        "stack 2 on 1 frame 1\n"
        "stack 3 on 1 frame 3\n"
        "state of 0: stack 2 flags 3\n"
        "state of 1: stack 0 flags 255\n"
        "tick 1000\n"
        "tick 1001\n"
        "tick 1001\n"
        "state of 0: stack 3 flags 1\n"
        "state of 0: stack 1 flags 1\n"
        "tick 1152921504606846976\n"
        "thread 1 cpu 7 wait 8\n"
        "counters ticks_due=4 bytes_lost=18446744073709551615\n"
        "source /a.py ab..cd whole 6 bytes: x = 1\n\n"
        "source /b.py ab..cd part 0 bytes: \n"
        "process 1 ends at 9 cpu 10 status -1\n");
    assert_true(f->summary.complete);
    assert_string_equal(f->summary.damage, "");
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(f->summary.bytes, st.st_size);
}

static void keeps_every_gap_and_every_stack_distance(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buffer_release) struct buffer expected;
    buffer_init(&expected, 64u << 20);
    put_one_process(f->w, 300);
    put_stacks(f->w, 40000);
    close_and_read(f);
    size_t definitions = f->log.size;
    assert_int_equal(record_writer_open(f->path, &f->w, &f->e), 0);
    put_one_process(f->w, 300);
    put_stacks(f->w, 40000);
    uint64_t time = 0, random = 42;
    static const uint64_t edges[] = {
        0, 1, 0x3f, 0x3fff, 0x4000, 0x1fffff, 0x200000, 0xfffffff, 0x10000000, UINT64_C(0xffffffff), UINT64_C(1) << 40};
    uint32_t last_stack[300] = {0}, last_flags[300] = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t thread = i % 7 == 0 ? (uint32_t)(random_next(&random) % 300) : i % 3;
        uint32_t stack = (uint32_t)(random_next(&random) % (i % 5 == 0 ? 40001 : 9));
        uint32_t flags = (uint32_t)(random_next(&random) % (i % 2 == 0 ? 256 : 2));
        record_put_state(f->w, thread, stack, flags);
        if (stack != last_stack[thread] || flags != last_flags[thread])
            buffer_printf(&expected, "state of %u: stack %u flags %u\n", thread, stack, flags);
        last_stack[thread] = stack;
        last_flags[thread] = flags;
        time += i < ARRAY_SIZE(edges) ? edges[i] : random_next(&random) >> (32 + i % 32);
        record_put_tick(f->w, time);
        buffer_printf(&expected, "tick %" PRIu64 "\n", time);
    }
    close_and_read(f);
    assert_true(f->summary.complete);
    assert_true(f->summary.chunks > 2);
    assert_string_equal(buffer_text(&f->log) + definitions, buffer_text(&expected));
}

static void spends_few_bytes_on_a_tick_and_on_a_change(void **state)
{
    struct fixture *f = *state;
    put_one_process(f->w, 50);
    put_stacks(f->w, 500);
    for (uint32_t i = 0; i < 50; i++)
        record_put_state(f->w, i, 1, RECORD_PRESENT);
    uint64_t start = record_writer_bytes(f->w), time = UINT64_C(1) << 50;
    record_put_tick(f->w, time);
    start = record_writer_bytes(f->w);
    for (int i = 0; i < 1000; i++)
        record_put_tick(f->w, time += 5000); /* 200 kHz, 50 threads */
    assert_in_range(record_writer_bytes(f->w) - start, 1000, 2000 + 100);
    start = record_writer_bytes(f->w);
    for (int i = 0; i < 1000; i++)
        record_put_tick(f->w, time += 1000000); /* 1 kHz */
    assert_in_range(record_writer_bytes(f->w) - start, 1000, 3000 + 100);
    start = record_writer_bytes(f->w);
    for (uint32_t i = 0; i < 1000; i++)
        record_put_state(f->w, 3, 1 + i * 77 % 500, RECORD_PRESENT);
    assert_in_range(record_writer_bytes(f->w) - start, 1000, 2000 + 100);
}

static void forgets_ids_at_a_restart(void **state)
{
    struct fixture *f = *state;
    put_one_process(f->w, 1);
    put_stacks(f->w, 2);
    record_put_state(f->w, 0, 2, RECORD_PRESENT);
    record_put_tick(f->w, 100);
    record_put_restart(f->w);
    record_put_code(f->w, &(struct record_code){.qualname = "g", .file = "/a.py", .first_line = 9});
    record_put_frame(f->w, &(struct record_frame){.line = 9, .end_line = 9});
    record_put_stack(f->w, 1, 0, 0);
    record_put_state(f->w, 0, 1, RECORD_PRESENT);
    record_put_tick(f->w, 200);
    close_and_read(f);
    assert_true(f->summary.complete);
    assert_non_null(strstr(buffer_text(&f->log),
        "state of 0: stack 2 flags 1\ntick 100\nrestart\ncode 0 of 0 'g' in '/a.py' line 9\n"
        "frame 0 code 0 kind 0 at 9:0 to 9:0\nstack 1 on 0 frame 0\nstate of 0: stack 1 flags 1\ntick "
        "200\n"));
}

static void carries_texts_larger_than_a_chunk(void **state)
{
    struct fixture *f = *state;
    size_t size = 3u << 20;
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    uint8_t digest[32] = {0};
    put_one_process(f->w, 1);
    record_put_source(f->w, "/small.py", digest, text, 100000, true);
    record_put_source(f->w, "/big.py", digest, text, size, true); /* cut, and said so */
    record_put_code(f->w, &(struct record_code){.qualname = text, .file = text + 1});
    text[size - 1] = 'y';
    record_put_code(f->w, &(struct record_code){.id = 1, .qualname = text, .file = "b"});
    record_put_tick(f->w, 5);
    free(text);
    close_and_read(f);
    const char *log = buffer_text(&f->log);
    assert_true(f->summary.complete);
    assert_non_null(strstr(log, "source /small.py 00..00 whole 100000 bytes: xxx"));
    assert_non_null(strstr(log, "source /big.py 00..00 part 2097152 bytes: xxx"));
    assert_non_null(strstr(log, "x\xe2\x80\xa6' in 'xxx"));
    assert_non_null(strstr(log, "\ntick 5\n"));
}

/* What the child wrote and flushed before it was killed has to be there. */
static void survives_kill_of_writer(void **state)
{
    struct fixture *f = *state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        put_one_process(f->w, 1);
        put_stacks(f->w, 3);
        for (uint64_t t = 1; t <= 3000; t++) { /* 1 ms a tick: three chunks by age */
            record_put_state(f->w, 0, 1 + (uint32_t)t % 3, RECORD_PRESENT);
            record_put_tick(f->w, t * 1000000);
        }
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready[0]);
    close(ready[1]);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(record_read(fd, f->path, &log_events, &f->log, &f->summary, &f->e), 0);
    close(fd);
    assert_false(f->summary.complete);
    assert_non_null(strstr(f->summary.damage, "killed"));
    assert_non_null(strstr(buffer_text(&f->log), "tick 1000000\n"));
    assert_non_null(strstr(buffer_text(&f->log), "tick 2000000000\n"));
}

static void keeps_the_first_failure_of_a_full_disk(void **state)
{
    struct fixture *f = *state;
    struct record_writer *w = NULL;
    int r = record_writer_open("/dev/full", &w, &f->e);
    assert_int_equal(r, -ENOSPC);
    assert_null(w);
    assert_non_null(strstr(f->e.text, "/dev/full"));

    /* A file that may not grow stands for a disk that fills up later. */
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {100000, 100000};
        setrlimit(RLIMIT_FSIZE, &limit);
        put_one_process(f->w, 1);
        put_stacks(f->w, 3);
        for (uint64_t t = 1; t <= 200000; t++)
            record_put_tick(f->w, t * 1000);
        bool kept = record_writer_failure(f->w) == -EFBIG;
        record_put_meta(f->w, "later", "puts do nothing");
        struct error e = {0};
        kept = record_writer_close(f->w, &e) == -EFBIG && kept;
        _exit(kept && strstr(e.text, f->path) != NULL ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(record_read(fd, f->path, &log_events, &f->log, &f->summary, &f->e), 0);
    close(fd);
    assert_non_null(strstr(f->summary.damage, "without its end mark")); /* the half chunk was taken back */
    assert_non_null(strstr(buffer_text(&f->log), "tick 30000000\n"));
}

static void outlives_the_reader_of_its_pipe(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    int end = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct record_writer *w = NULL;
    assert_int_equal(record_writer_open(f->path, &w, &f->e), 0);
    put_one_process(w, 1);
    record_writer_flush(w, 0, true);
    assert_int_equal(record_writer_failure(w), 0);
    close(end);
    record_put_tick(w, 1);
    record_writer_flush(w, 0, true); /* SIGPIPE would end this test */
    assert_int_equal(record_writer_failure(w), -EPIPE);
    record_put_tick(w, 2);
    assert_int_equal(record_writer_close(w, &f->e), -EPIPE);
    sigset_t pending;
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

static void refuses_a_path_it_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct record_writer *w = NULL;
    assert_int_equal(record_writer_open("/", &w, &f->e), -EISDIR);
    assert_int_equal(record_writer_open("/nonexistent/x.pit", &w, &f->e), -ENOENT);
    assert_non_null(strstr(f->e.text, "/nonexistent/x.pit"));
}

static void never_writes_an_id_that_its_reader_would_refuse(void **state)
{
    struct fixture *f = *state;
    put_one_process(f->w, 1);
    put_stacks(f->w, 1);
    record_put_tick(f->w, 1);
    record_put_state(f->w, 0, 7, RECORD_PRESENT); /* no such stack */
    assert_int_equal(record_writer_failure(f->w), -EINVAL);
    assert_int_equal(record_writer_close(f->w, &f->e), -EINVAL);
    assert_non_null(strstr(f->e.text, "out of order"));
    f->w = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_back_all_that_was_put),
        TEST(keeps_every_gap_and_every_stack_distance),
        TEST(spends_few_bytes_on_a_tick_and_on_a_change),
        TEST(forgets_ids_at_a_restart),
        TEST(carries_texts_larger_than_a_chunk),
        TEST(survives_kill_of_writer),
        TEST(keeps_the_first_failure_of_a_full_disk),
        TEST(outlives_the_reader_of_its_pipe),
        TEST(refuses_a_path_it_cannot_write),
        TEST(never_writes_an_id_that_its_reader_would_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
