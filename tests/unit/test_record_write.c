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
    record_put_tick(f->w, 1000000);
    record_put_state(f->w, 0, 2, RECORD_PRESENT | RECORD_ON_CPU); /* nothing new */
    record_put_tick(f->w, 1001999);                               /* kept to the microsecond */
    record_put_tick(f->w, 900000);                                /* a clock that steps back counts as standing still */
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
        "tick 1000000\n"
        "tick 1001000\n"
        "tick 1001000\n"
        "state of 0: stack 3 flags 1\n"
        "state of 0: stack 1 flags 1\n"
        "tick 1152921504606846000\n"
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

static void a_restart_forgets_tasks(void **state)
{
    struct fixture *f = *state;
    put_one_process(f->w, 1);
    put_stacks(f->w, 1);
    record_put_task(f->w, &(struct record_task){.id = 1, .name = "Task-1"});
    record_put_task(f->w, &(struct record_task){.id = 2, .name = "\xc3\xa9"});
    record_put_thread_task(f->w, 0, 2);
    record_put_state(f->w, 0, 1, RECORD_PRESENT);
    record_put_tick(f->w, 1000000);
    record_put_thread_task(f->w, 0, 0);
    record_put_restart(f->w);
    put_stacks(f->w, 1);
    record_put_task(f->w, &(struct record_task){.id = 1, .name = ""});
    record_put_thread_task(f->w, 0, 1);
    close_and_read(f);
    const char *log = buffer_text(&f->log), *after = strstr(log, "restart\n");
    assert_non_null(strstr(log, "task 1 of 0 code 0 'Task-1'\ntask 2 of 0 code 0 '\xc3\xa9'\nthread 0 runs task 2\n"));
    assert_non_null(strstr(log, "tick 1000000\nthread 0 runs task 0\n"));
    assert_non_null(after);
    assert_non_null(strstr(after, "task 1 of 0 code 0 ''\nthread 0 runs task 1\n"));
    assert_true(f->summary.complete);
}

static void refuses_tasks_that_are_not_defined(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        put_one_process(f->w, 1);
        put_stacks(f->w, 1);
        if (i == 0)
            record_put_task(f->w, &(struct record_task){.id = 0, .name = "none"}); /* the first is 1 */
        else if (i == 1)
            record_put_task(f->w, &(struct record_task){.id = 1, .code = 1, .name = "of no code"});
        else if (i == 2)
            record_put_thread_task(f->w, 0, 1);
        else
            record_put_thread_task(f->w, 1, 0);
        assert_int_equal(record_writer_close(f->w, &f->e), -EINVAL);
        assert_non_null(strstr(f->e.text, "out of order"));
        f->w = NULL;
        assert_int_equal(record_writer_open(f->path, &f->w, &f->e), 0);
    }
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
        time += 1000 * (i < ARRAY_SIZE(edges) ? edges[i] : random_next(&random) >> (32 + i % 32));
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
    for (int i = 0; i < 900; i++)
        record_put_tick(f->w, time += 1000000); /* 1 kHz, for less than a chunk: it is packed when it closes */
    assert_in_range(record_writer_bytes(f->w) - start, 1000, 2700 + 100);
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
    record_put_tick(f->w, 100000);
    record_put_restart(f->w);
    record_put_code(f->w, &(struct record_code){.qualname = "g", .file = "/a.py", .first_line = 9});
    record_put_frame(f->w, &(struct record_frame){.line = 9, .end_line = 9});
    record_put_stack(f->w, 1, 0, 0);
    record_put_state(f->w, 0, 1, RECORD_PRESENT);
    record_put_tick(f->w, 200000);
    close_and_read(f);
    assert_true(f->summary.complete);
    assert_non_null(strstr(buffer_text(&f->log),
        "state of 0: stack 2 flags 1\ntick 100000\nrestart\n"
        "process 0 parent 0 pid 70 at 5 image 0 python '3.12.1' command 'a b'\nthread 0 of 0 tid 70 't'\ncode 0 of 0 "
        "'g' in '/a.py' line 9\n"
        "frame 0 code 0 kind 0 at 9:0 to 9:0\nstack 1 on 0 frame 0\nstate of 0: stack 1 flags 1\ntick "
        "200000\n"));
}

static void packs_a_chunk_where_that_helps_and_only_there(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 9, time = 0;
    put_one_process(f->w, 1);
    put_stacks(f->w, 3);
    for (uint32_t i = 0; i < 100000; i++) {
        record_put_state(f->w, 0, 1 + i % 3, RECORD_PRESENT);
        record_put_tick(f->w, time += 1000000);
    }
    record_writer_flush(f->w, time, true);
    uint64_t packed = record_writer_bytes(f->w);
    assert_in_range(packed, 100, 6000); /* of 300 KB: a loop of three ticks */
    for (uint32_t i = 0; i < 100000; i++)
        record_put_tick(f->w, time += 1000 * (random_next(&random) % 16000));
    record_writer_flush(f->w, time, true);
    assert_in_range(record_writer_bytes(f->w) - packed, 180000, 200000 + 20 * 900); /* no more than raw, and headers */
    close_and_read(f);
    assert_true(f->summary.complete);
}

static void wants_a_restart_every_few_megabytes(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 9, time = 0;
    uint32_t restarts = 0;
    put_one_process(f->w, 1);
    for (uint32_t i = 0; i < 5000000; i++) {
        record_put_tick(f->w, time += 1000 * (random_next(&random) % 16000));
        if (record_writer_wants_restart(f->w)) {
            record_put_restart(f->w);
            record_put_tick(f->w, time);
            record_writer_flush(f->w, time, true);
            restarts++;
        }
    }
    assert_in_range(restarts, 2, 4); /* 10 MB */
}

/* Three stacks in turn by chance, one in two, three and six; like the sampler, it begins anew when that is wanted. */
static void put_a_long_run(struct record_writer *w, uint32_t ticks)
{
    uint64_t random = 11, time = 0;
    put_one_process(w, 2);
    put_stacks(w, 3);
    for (uint32_t i = 1; i <= ticks; i++) {
        static const uint32_t in_turn[] = {1, 1, 1, 2, 2, 3};
        for (uint32_t thread = 0; thread < 2; thread++)
            record_put_state(w, thread, in_turn[random_next(&random) % 6], RECORD_PRESENT);
        record_put_tick(w, time += 1000 * (1 + random_next(&random) % 200));
        if (i % 10000 == 0 && record_writer_wants_restart(w)) {
            record_put_counters(w, &(struct record_counters){.ticks_taken = i});
            record_put_restart(w);
            put_stacks(w, 3);
        }
    }
    record_put_counters(w, &(struct record_counters){.ticks_taken = ticks});
}

struct kept {
    uint32_t stack[2], ticks, by_time[10], of_stack[4];
    uint64_t last_ns, span_ns;
    char thinned[16];
    struct record_counters counters;
};

static int kept_state(void *context, uint32_t thread, uint32_t stack, uint32_t state)
{
    (void)state;
    ((struct kept *)context)->stack[thread] = stack;
    return 0;
}

static int kept_tick(void *context, uint64_t time_ns)
{
    struct kept *k = context;
    assert_true(time_ns >= k->last_ns);
    k->last_ns = time_ns;
    k->ticks++;
    if (k->span_ns > 0)
        k->by_time[time_ns * 10 / (k->span_ns + 1)]++;
    k->of_stack[k->stack[0]]++;
    k->of_stack[k->stack[1]]++;
    return 0;
}

static int kept_restart(void *context)
{
    struct kept *k = context;
    k->stack[0] = k->stack[1] = 0;
    return 0;
}

static int kept_meta(void *context, const char *key, const char *value)
{
    if (strcmp(key, "thinned") == 0)
        snprintf(((struct kept *)context)->thinned, 16, "%s", value);
    return 0;
}

static int kept_counters(void *context, const struct record_counters *c)
{
    ((struct kept *)context)->counters = *c;
    return 0;
}

static void read_kept(struct fixture *f, struct kept *k)
{
    static const struct record_events events = {
        .state = kept_state, .tick = kept_tick, .restart = kept_restart, .meta = kept_meta, .counters = kept_counters};
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(record_read(fd, f->path, &events, k, &f->summary, &f->e), 0);
    close(fd);
}

static void stays_under_its_limit_and_keeps_all_of_the_run_alike(void **state)
{
    struct fixture *f = *state;
    const uint32_t ticks = 4000000;
    struct stat st;
    assert_int_equal(record_writer_limit(f->w, 1000, &f->e), -EINVAL);
    assert_int_equal(record_writer_limit(f->w, 1000000, &f->e), 0);
    put_a_long_run(f->w, ticks);
    assert_int_equal(record_writer_close(f->w, &f->e), 0);
    f->w = NULL;
    assert_int_equal(stat(f->path, &st), 0);
    assert_in_range(st.st_size, 300000, 1000000);
    struct kept first = {0}, k = {0};
    read_kept(f, &first);
    assert_true(f->summary.complete);
    k.span_ns = first.last_ns;
    read_kept(f, &k);
    uint64_t one_in = strtoull(k.thinned, NULL, 10);
    assert_true(one_in >= 8);
    assert_int_equal(k.counters.ticks_taken, ticks);
    assert_in_range(k.ticks, ticks / one_in - 100, ticks / one_in + 100);
    for (int i = 0; i < 10; i++)
        assert_in_range(k.by_time[i], k.ticks / 10 * 97 / 100, k.ticks / 10 * 103 / 100);
    assert_int_equal(k.of_stack[0], 0);
    assert_in_range(k.of_stack[1], (uint64_t)k.ticks * 98 / 100, (uint64_t)k.ticks * 102 / 100);
    assert_in_range(k.of_stack[2], (uint64_t)k.ticks * 2 / 3 * 98 / 100, (uint64_t)k.ticks * 2 / 3 * 102 / 100);
    char aside[80];
    snprintf(aside, sizeof(aside), "%s.thin", f->path);
    assert_int_equal(access(aside, F_OK), -1);
}

/* At whatever moment, thinning or not: the file is there, and is as long a run as was written. */
static void survives_kill_while_it_is_thinned(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 5;
    assert_int_equal(record_writer_close(f->w, NULL), 0);
    f->w = NULL;
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct record_writer *w = NULL;
            if (record_writer_open(f->path, &w, NULL) == 0 && record_writer_limit(w, 1000000, NULL) == 0)
                put_a_long_run(w, UINT32_MAX);
            _exit(1);
        }
        usleep(100000 + (useconds_t)(random_next(&random) % 300000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        struct kept k = {0};
        read_kept(f, &k);
        assert_true(k.ticks > 1000);
        char aside[80];
        snprintf(aside, sizeof(aside), "%s.thin", f->path);
        unlink(aside);
    }
}

/* A second is a thousand ticks. Sources are put once, at the start. */
static void put_a_ring(struct record_writer *w, uint32_t from, uint32_t ticks)
{
    uint8_t digest[32] = {7};
    if (from == 0) {
        put_one_process(w, 1);
        put_stacks(w, 3);
        record_put_source(w, "/a.py", digest, "x = 1\n", 6, true);
    }
    for (uint32_t i = from; i < from + ticks; i++) {
        record_put_state(w, 0, 1 + i % 3, RECORD_PRESENT);
        record_put_tick(w, UINT64_C(1000000) * (i + 1));
        if (i % 100 == 0 && record_writer_wants_restart(w)) {
            record_put_restart(w);
            put_stacks(w, 3);
        }
    }
}

static void read_ring(struct fixture *f, const char *path, uint64_t *ret_first, uint64_t *ret_last, size_t *ret_ticks)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    buffer_clear(&f->log);
    assert_int_equal(record_read(fd, path, &log_events, &f->log, &f->summary, &f->e), 0);
    close(fd);
    const char *log = buffer_text(&f->log);
    assert_non_null(strstr(log, "source /a.py 07..00 whole 6 bytes: x = 1"));
    *ret_ticks = 0;
    for (const char *at = log; (at = strstr(at, "\ntick ")) != NULL; at++) {
        *ret_last = strtoull(at + 6, NULL, 10);
        if ((*ret_ticks)++ == 0)
            *ret_first = *ret_last;
    }
}

static void keeps_the_last_seconds_and_their_sources(void **state)
{
    struct fixture *f = *state;
    const uint64_t second = 1000000000;
    uint64_t first = 0, last = 0;
    size_t ticks;
    char cut[4200], expected[80];
    assert_int_equal(record_writer_ring(f->w, 10 * second, &f->e), 0);
    put_a_ring(f->w, 0, 5000);
    assert_int_equal(record_writer_cut(f->w, cut, sizeof(cut)), 0);
    snprintf(expected, sizeof(expected), "%s-1.pit", f->path);
    assert_string_equal(cut, expected);
    read_ring(f, cut, &first, &last, &ticks); /* younger than asked for: all of it */
    unlink(cut);
    assert_true(f->summary.complete);
    assert_int_equal(ticks, 5000);
    put_a_ring(f->w, 5000, 95500);
    assert_int_equal(record_writer_cut(f->w, cut, sizeof(cut)), 0);
    read_ring(f, cut, &first, &last, &ticks);
    unlink(cut);
    assert_true(f->summary.complete);
    assert_int_equal(last, UINT64_C(1000000) * 100500);
    assert_in_range((last - first) / second, 10, 13);
    assert_int_equal(ticks, (last - first) / 1000000 + 1); /* without a gap */
    put_a_ring(f->w, 100500, 20000);
    record_writer_flush(f->w, 0, true);
    read_ring(f, f->path, &first, &last, &ticks); /* as a killed writer leaves it */
    assert_false(f->summary.complete);
    assert_int_equal(f->summary.bytes_lost, 0);
    assert_int_equal(ticks, 1 + (last - first) / 1000000);
    assert_in_range((last - first) / second, 10, 30);
    assert_int_equal(record_writer_close(f->w, &f->e), 0);
    f->w = NULL;
    read_ring(f, f->path, &first, &last, &ticks);
    assert_true(f->summary.complete);
    assert_int_equal(last, UINT64_C(1000000) * 120500);
    assert_in_range((last - first) / second, 10, 13);
    assert_int_equal(ticks, (last - first) / 1000000 + 1);
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
    record_put_tick(f->w, 5000);
    free(text);
    close_and_read(f);
    const char *log = buffer_text(&f->log);
    assert_true(f->summary.complete);
    assert_non_null(strstr(log, "source /small.py 00..00 whole 100000 bytes: xxx"));
    assert_non_null(strstr(log, "source /big.py 00..00 part 2097152 bytes: xxx"));
    assert_non_null(strstr(log, "x\xe2\x80\xa6' in 'xxx"));
    assert_non_null(strstr(log, "\ntick 5000\n"));
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
        uint64_t random = 5, time = 0;
        for (int i = 0; i < 200000; i++) /* gaps of chance: two bytes each, packed or not */
            record_put_tick(f->w, time += 1000 * (random_next(&random) % 16000));
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
    size_t ticks = 0;
    for (const char *at = buffer_text(&f->log); (at = strstr(at, "tick ")) != NULL; at++)
        ticks++;
    assert_in_range(ticks, 30000, 50000);
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
        TEST(a_restart_forgets_tasks),
        TEST(refuses_tasks_that_are_not_defined),
        TEST(keeps_every_gap_and_every_stack_distance),
        TEST(spends_few_bytes_on_a_tick_and_on_a_change),
        TEST(forgets_ids_at_a_restart),
        TEST(packs_a_chunk_where_that_helps_and_only_there),
        TEST(wants_a_restart_every_few_megabytes),
        TEST(stays_under_its_limit_and_keeps_all_of_the_run_alike),
        TEST(survives_kill_while_it_is_thinned),
        TEST(keeps_the_last_seconds_and_their_sources),
        TEST(carries_texts_larger_than_a_chunk),
        TEST(survives_kill_of_writer),
        TEST(keeps_the_first_failure_of_a_full_disk),
        TEST(outlives_the_reader_of_its_pipe),
        TEST(refuses_a_path_it_cannot_write),
        TEST(never_writes_an_id_that_its_reader_would_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
