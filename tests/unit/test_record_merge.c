/* Recordings merged: numbered on, times one after the other, counters added, damage up to where it is. */
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "recording_log.h"

struct fixture {
    char inputs[3][64], output[64];
    struct record_merge *m;
    struct buffer log;
    struct record_summary summary;
    struct error e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    *state = f;
    buffer_init(&f->log, 1u << 20);
    for (int i = 0; i < 3; i++)
        log_temporary(f->inputs[i]);
    return record_merge_new(log_temporary(f->output), &f->m, &f->e);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    record_merge_close(f->m, NULL);
    for (int i = 0; i < 3; i++)
        unlink(f->inputs[i]);
    unlink(f->output);
    buffer_release(&f->log);
    free(f);
    return 0;
}

/* Two processes, a thread in each, three ticks from `start` on. */
static void write_input(const char *path, uint64_t start, const char *command, uint64_t gap)
{
    struct record_writer *w;
    uint8_t digest[32] = {7};
    assert_int_equal(record_writer_open(path, &w, NULL), 0);
    record_put_meta(w, "command", command);
    record_put_meta(w, "note.core", "shared");
    record_put_process(w, &(struct record_process){.pid = 70, .start_ns = start, .python = "3.12.1", .command = "a"});
    record_put_process(w, &(struct record_process){.id = 1, .parent = 0, .pid = 71, .start_ns = start, .command = "b"});
    record_put_thread(w, &(struct record_thread){.id = 0, .tid = 70, .name = "t"});
    record_put_thread(w, &(struct record_thread){.id = 1, .process = 1, .tid = 71, .name = "u"});
    record_put_code(w, &(struct record_code){.process = 1, .qualname = "f", .file = "/a.py", .first_line = 1});
    record_put_frame(w, &(struct record_frame){.line = 2, .end_line = 2});
    record_put_stack(w, 1, 0, 0);
    record_put_source(w, "/a.py", digest, "x\n", 2, true);
    record_put_state(w, 1, 1, RECORD_PRESENT);
    record_put_task(w, &(struct record_task){.id = 1, .process = 1, .name = "task"});
    record_put_thread_task(w, 1, 1);
    for (uint64_t i = 1; i <= 3; i++)
        record_put_tick(w, start + 10000 * i);
    record_put_counters(w, &(struct record_counters){.ticks_due = 2, .longest_gap_ns = gap});
    record_put_counters(w, &(struct record_counters){
                               .ticks_due = 4, .longest_gap_ns = gap, .profiler_wall_ns = gap, .target_cost_ppm = gap});
    record_put_process_end(w, &(struct record_process_end){.process = 0, .time_ns = start + 40000, .status = 0});
    assert_int_equal(record_writer_close(w, NULL), 0);
}

static int add(struct fixture *f, const char *path)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return record_merge_add(f->m, fd, path, &f->summary, &f->e);
}

struct seen {
    uint32_t processes, runs, threads;
    uint64_t ticks, start[3], first[3], last;
    struct record_counters counters;
    size_t sources, shared, differences;
    uint32_t run_of_process[8], process_of_thread[8];
    uint32_t process_of_task, threads_of_task[8], tasks; /* of the last task; of each */
};

static int see_process(void *context, const struct record_process *p)
{
    struct seen *s = context;
    s->run_of_process[p->id] = p->run;
    s->start[p->run] = p->start_ns;
    s->processes = p->id >= s->processes ? p->id + 1 : s->processes; /* restarts repeat those that have not ended */
    s->runs = p->run + 1;
    return 0;
}
static int see_thread(void *context, const struct record_thread *t)
{
    struct seen *s = context;
    s->process_of_thread[t->id] = t->process;
    s->threads = t->id >= s->threads ? t->id + 1 : s->threads;
    return 0;
}
static int see_task(void *context, const struct record_task *t)
{
    ((struct seen *)context)->process_of_task = t->process;
    return 0;
}
static int see_thread_task(void *context, uint32_t thread, uint32_t task)
{
    struct seen *s = context;
    assert_int_equal(task, 1);
    s->threads_of_task[s->tasks++] = thread;
    return 0;
}
static int see_tick(void *context, uint64_t time_ns)
{
    struct seen *s = context;
    if (s->ticks % 3 == 0)
        s->first[s->runs - 1] = time_ns;
    assert_true(time_ns >= s->last);
    s->last = time_ns;
    s->ticks++;
    return 0;
}
static int see_counters(void *context, const struct record_counters *c)
{
    ((struct seen *)context)->counters = *c;
    return 0;
}
static int see_source(
    void *context, const char *path, const uint8_t digest[32], const uint8_t *text, size_t size, bool whole)
{
    (void)path, (void)digest, (void)text, (void)size, (void)whole;
    ((struct seen *)context)->sources++;
    return 0;
}
static int see_meta(void *context, const char *key, const char *value)
{
    struct seen *s = context;
    (void)value;
    s->shared += strcmp(key, "note.core") == 0;
    s->differences += strcmp(key, "note.merge") == 0;
    return 0;
}

static struct seen read_output(struct fixture *f)
{
    static const struct record_events events = {.process = see_process,
        .thread = see_thread,
        .task = see_task,
        .thread_task = see_thread_task,
        .tick = see_tick,
        .counters = see_counters,
        .source = see_source,
        .meta = see_meta};
    struct seen s = {0};
    assert_int_equal(record_merge_close(f->m, &f->e), 0);
    f->m = NULL;
    CLEANUP(fd_close) int fd = open(f->output, O_RDONLY | O_CLOEXEC);
    assert_int_equal(record_read(fd, f->output, &events, &s, &f->summary, &f->e), 0);
    assert_true(f->summary.complete);
    return s;
}

static void numbers_on_and_lays_times_end_to_end(void **state)
{
    struct fixture *f = *state;
    write_input(f->inputs[0], 5000000, "run me", 9);
    write_input(f->inputs[1], 1000, "run me", 7); /* of a machine that was started later */
    for (int i = 0; i < 2; i++)
        assert_int_equal(add(f, f->inputs[i]), 0);
    assert_false(record_merge_differs(f->m));
    assert_int_equal(record_merge_runs(f->m), 2);
    struct seen s = read_output(f);
    assert_int_equal(s.processes, 4);
    assert_int_equal(s.threads, 4);
    assert_int_equal(s.runs, 2);
    assert_int_equal(s.run_of_process[1], 0);
    assert_int_equal(s.run_of_process[2], 1);
    assert_int_equal(s.process_of_thread[3], 3);
    assert_int_equal(s.process_of_task, 3);
    assert_int_equal(s.tasks, 2);
    assert_int_equal(s.threads_of_task[0], 1);
    assert_int_equal(s.threads_of_task[1], 3);
    assert_int_equal(s.ticks, 6);
    assert_int_equal(s.first[0], 5010000);
    assert_int_equal(s.start[1], 5040000); /* where the first ended */
    assert_int_equal(s.first[1], 5050000);
    assert_int_equal(s.last, 5070000);
    assert_int_equal(s.counters.ticks_due, 8);
    assert_int_equal(s.counters.longest_gap_ns, 9);
    assert_int_equal(s.counters.target_cost_ppm, 8); /* (9 * 9 + 7 * 7) / 16, rounded */
    assert_int_equal(s.sources, 1);
    assert_int_equal(s.shared, 2); /* put once, and repeated by the restart */
    assert_int_equal(s.differences, 0);
}

static void merges_what_was_merged(void **state)
{
    struct fixture *f = *state;
    struct record_merge *inner;
    write_input(f->inputs[0], 1000, "run me", 1);
    assert_int_equal(record_merge_new(f->inputs[1], &inner, &f->e), 0);
    for (int i = 0; i < 2; i++) {
        CLEANUP(fd_close) int fd = open(f->inputs[0], O_RDONLY | O_CLOEXEC);
        assert_int_equal(record_merge_add(inner, fd, "x", &f->summary, &f->e), 0);
    }
    assert_int_equal(record_merge_close(inner, &f->e), 0);
    assert_int_equal(add(f, f->inputs[0]), 0);
    assert_int_equal(add(f, f->inputs[1]), 0);
    struct seen s = read_output(f);
    assert_int_equal(s.runs, 3);
    assert_int_equal(s.processes, 6);
    assert_int_equal(s.ticks, 9);
    assert_int_equal(s.counters.ticks_due, 12);
}

static void tells_other_commands(void **state)
{
    struct fixture *f = *state;
    write_input(f->inputs[0], 1000, "run me", 1);
    write_input(f->inputs[1], 1000, "run it", 1);
    assert_int_equal(add(f, f->inputs[0]), 0);
    assert_false(record_merge_differs(f->m));
    assert_int_equal(add(f, f->inputs[1]), 0);
    assert_true(record_merge_differs(f->m));
    assert_int_equal(read_output(f).differences, 1);
}

static void takes_what_came_before_the_damage(void **state)
{
    struct fixture *f = *state;
    struct error e;
    write_input(f->inputs[0], 1000, "run me", 1);
    write_input(f->inputs[1], 1000, "run me", 1);
    assert_int_equal(truncate(f->inputs[1], 16 + 16), 0); /* nothing but heads */
    assert_int_equal(truncate(f->inputs[2], 0), 0);
    assert_int_equal(add(f, f->inputs[0]), 0);
    assert_int_equal(add(f, f->inputs[1]), 0);
    assert_false(f->summary.complete);
    assert_int_equal(add(f, f->inputs[2]), -EINVAL);
    e = f->e;
    assert_non_null(strstr(e.text, "is empty"));
    assert_int_equal(add(f, f->inputs[0]), 0);
    struct seen s = read_output(f);
    assert_int_equal(s.runs, 2);
    assert_int_equal(s.ticks, 6);
}

static void refuses_a_run_out_of_order(void **state)
{
    struct fixture *f = *state;
    struct record_writer *w;
    assert_int_equal(record_writer_open(f->inputs[0], &w, NULL), 0);
    record_put_process(w, &(struct record_process){.pid = 70, .run = 1, .command = ""});
    assert_int_equal(record_writer_failure(w), -EINVAL);
    record_writer_close(w, &f->e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_on_and_lays_times_end_to_end, setup, teardown),
        cmocka_unit_test_setup_teardown(merges_what_was_merged, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_other_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_what_came_before_the_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_run_out_of_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
