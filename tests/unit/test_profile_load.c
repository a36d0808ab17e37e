/*
 * The lazily counted model against one that looks at every thread at every tick, over made-up recordings.
 */
#include "profile/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "recording_log.h"

enum { TASKS = 5, THREADS = 6, FUNCTIONS = 7, LINES = 3, DEPTH = 9, STACKS = 60, PROCESSES = 2 };

struct stack {
    int depth;
    int function[DEPTH], line[DEPTH]; /* outermost first */
};

/* Sums as their definitions have them. */
struct sums {
    double y, yy, yn, cpu;
};
struct oracle {
    struct sums self[FUNCTIONS], total[FUNCTIONS], line_self[FUNCTIONS][LINES], line_total[FUNCTIONS][LINES];
    double hits, nn, ticks, no_frame, by_thread[THREADS], by_task[TASKS]; /* task 0: none */
};

/* Two that have names of their own, two that have not and one coroutine. */
static const struct {
    const char *name;
    int function;
} tasks[TASKS] = {{"", 0}, {"the first", 1}, {"the second", 1}, {"Task-7", 2}, {"Task-12", 2}};

struct program {
    char path[64];
    uint64_t random;
    struct record_writer *w;
    struct stack stacks[STACKS];
    uint32_t ids[STACKS]; /* the recording's */
    int now[THREADS];
    uint32_t state[THREADS], task[THREADS];
    uint64_t time;
    struct oracle oracles[3]; /* a mode */
    struct oracle thread_two; /* wall, thread 2 only */
    struct oracle *history;   /* where not NULL: that of wall before each tick */
    int history_size;
};

static int below(struct program *g, int n)
{
    return (int)(random_next(&g->random) % (uint64_t)n);
}

/* In a process of its own each function has its own code object, as equal workers have. */
static void put_definitions(struct program *g)
{
    uint32_t codes = 0, frames = 0, stacks = 0;
    for (uint32_t process = 0; process < PROCESSES; process++)
        for (int f = 0; f < FUNCTIONS; f++) {
            char name[16];
            snprintf(name, sizeof(name), "f%d", f);
            record_put_code(g->w, &(struct record_code){.id = codes++,
                                      .process = process,
                                      .qualname = name,
                                      .file = f % 2 == 0 ? "/even.py" : "/odd.py",
                                      .first_line = (uint32_t)f * 100 + 1});
        }
    for (uint32_t t = 1; t < TASKS; t++)
        record_put_task(g->w, &(struct record_task){.id = t,
                                  .process = t % PROCESSES,
                                  .code = (uint32_t)tasks[t].function + t % PROCESSES * FUNCTIONS,
                                  .name = tasks[t].name});
    for (int s = 0; s < STACKS; s++) {
        uint32_t parent = 0;
        for (int d = 0; d < g->stacks[s].depth; d++) {
            uint32_t code = (uint32_t)(g->stacks[s].function[d] + s % PROCESSES * FUNCTIONS);
            uint32_t line = (uint32_t)(g->stacks[s].function[d] * 100 + 10 + g->stacks[s].line[d]);
            record_put_frame(g->w, &(struct record_frame){.id = frames, .code = code, .line = line, .end_line = line});
            record_put_stack(g->w, ++stacks, parent, frames++);
            parent = stacks;
        }
        g->ids[s] = parent;
    }
}

static void make_stacks(struct program *g)
{
    for (int s = 0; s < STACKS; s++) {
        struct stack *k = &g->stacks[s];
        k->depth = s == 0 ? 0 : 1 + below(g, DEPTH);
        for (int d = 0; d < k->depth; d++) {
            /* Some of the stacks begin like the one before, as real ones do. */
            bool shared = s > 1 && d < g->stacks[s - 1].depth && d < 4;
            k->function[d] = shared ? g->stacks[s - 1].function[d] : below(g, FUNCTIONS);
            k->line[d] = shared ? g->stacks[s - 1].line[d] : below(g, LINES);
        }
    }
}

static bool counts(uint32_t state, enum profile_mode mode)
{
    return (state & RECORD_PRESENT) != 0 && (mode != PROFILE_CPU || (state & RECORD_ON_CPU) != 0) &&
           (mode != PROFILE_GIL || (state & RECORD_HAS_GIL) != 0);
}

static void add(struct sums *s, double y, double n, double cpu)
{
    s->y += y;
    s->yy += y * y;
    s->yn += y * n;
    s->cpu += cpu;
}

static void oracle_tick(struct program *g, struct oracle *o, enum profile_mode mode, int only)
{
    double n = 0, self[FUNCTIONS] = {0}, total[FUNCTIONS] = {0}, line_self[FUNCTIONS][LINES] = {{0}},
           line_total[FUNCTIONS][LINES] = {{0}}, self_cpu[FUNCTIONS] = {0}, total_cpu[FUNCTIONS] = {0};
    for (int t = 0; t < THREADS; t++) {
        const struct stack *k = &g->stacks[g->now[t]];
        bool in[FUNCTIONS] = {false}, line_in[FUNCTIONS][LINES] = {{false}};
        if (!counts(g->state[t], mode) || (only >= 0 && t != only))
            continue;
        n++;
        o->by_thread[t]++;
        o->by_task[g->task[t]]++;
        for (int d = 0; d < k->depth; d++) {
            in[k->function[d]] = true;
            line_in[k->function[d]][k->line[d]] = true;
        }
        int cpu = (g->state[t] & RECORD_ON_CPU) != 0;
        for (int f = 0; f < FUNCTIONS; f++) {
            total[f] += in[f];
            total_cpu[f] += in[f] && cpu;
            for (int i = 0; i < LINES; i++)
                line_total[f][i] += line_in[f][i];
        }
        if (k->depth == 0) {
            o->no_frame++;
            continue;
        }
        self[k->function[k->depth - 1]]++;
        self_cpu[k->function[k->depth - 1]] += cpu;
        line_self[k->function[k->depth - 1]][k->line[k->depth - 1]]++;
    }
    for (int f = 0; f < FUNCTIONS; f++) {
        add(&o->self[f], self[f], n, self_cpu[f]);
        add(&o->total[f], total[f], n, total_cpu[f]);
        for (int i = 0; i < LINES; i++) {
            add(&o->line_self[f][i], line_self[f][i], n, 0);
            add(&o->line_total[f][i], line_total[f][i], n, 0);
        }
    }
    o->hits += n;
    o->nn += n * n;
    o->ticks++;
}

static void run_program(struct program *g, int ticks, int threads, int restart_each)
{
    for (int i = 0; i < ticks; i++) {
        if (restart_each > 0 && i % restart_each == restart_each - 1) {
            record_put_restart(g->w);
            put_definitions(g);
            for (int t = 0; t < threads; t++) {
                record_put_state(g->w, (uint32_t)t, g->ids[g->now[t]], g->state[t]);
                if (g->task[t] != 0) /* a restart forgets it */
                    record_put_thread_task(g->w, (uint32_t)t, g->task[t]);
            }
        }
        for (int changes = below(g, 3); changes > 0; changes--) {
            int t = below(g, threads);
            g->now[t] = below(g, STACKS);
            g->state[t] = (uint32_t)below(g, 16);
            if (below(g, 4) > 0)
                g->state[t] |= RECORD_PRESENT;
            record_put_state(g->w, (uint32_t)t, g->ids[g->now[t]], g->state[t]);
            t = below(g, threads);
            g->task[t] = (uint32_t)below(g, TASKS);
            record_put_thread_task(g->w, (uint32_t)t, g->task[t]);
        }
        record_put_tick(g->w, g->time += 1000000);
        if (g->history != NULL)
            g->history[g->history_size++] = g->oracles[PROFILE_WALL];
        for (enum profile_mode m = PROFILE_WALL; m <= PROFILE_GIL; m++)
            oracle_tick(g, &g->oracles[m], m, -1);
        oracle_tick(g, &g->thread_two, PROFILE_WALL, 2);
    }
}

static int setup(void **state)
{
    struct program *g = calloc(1, sizeof(*g));
    *state = g;
    g->random = 99;
    g->time = 5000000;
    if (record_writer_open(log_temporary(g->path), &g->w, NULL) < 0)
        return -1;
    for (uint32_t p = 0; p < PROCESSES; p++)
        record_put_process(
            g->w, &(struct record_process){.id = p, .pid = 100 + (int32_t)p, .python = "3.12.1", .command = "c"});
    for (uint32_t t = 0; t < THREADS; t++) {
        char name[16];
        snprintf(name, sizeof(name), "thread-%u", t);
        record_put_thread(
            g->w, &(struct record_thread){.id = t, .process = t % PROCESSES, .tid = 200 + (int32_t)t, .name = name});
    }
    make_stacks(g);
    put_definitions(g);
    return 0;
}

static int teardown(void **state)
{
    struct program *g = *state;
    record_writer_close(g->w, NULL);
    unlink(g->path);
    free(g);
    return 0;
}

static struct profile *load(struct program *g, const struct profile_options *options)
{
    struct profile *p = NULL;
    struct error e = {.text = ""};
    if (g->w != NULL)
        assert_int_equal(record_writer_close(g->w, &e), 0);
    g->w = NULL;
    int fd = open(g->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(profile_read(fd, g->path, options, &p, &e), 0);
    close(fd);
    return p;
}

static void check_sums(const struct profile_sums *got, const struct sums *due)
{
    assert_int_equal(got->y, (uint64_t)due->y);
    assert_true(got->yy == due->yy);
    assert_true(got->yn == due->yn);
}

static void check_tasks(const struct profile *p, const struct oracle *o)
{
    struct profile_task_group *groups = NULL;
    size_t count, unnamed = 0;
    assert_int_equal(p->task_count, TASKS - 1);
    for (size_t i = 0; i < p->task_count; i++) {
        int t = 1;
        while (strcmp(tasks[t].name, p->tasks[i].name) != 0)
            assert_true(++t < TASKS);
        assert_int_equal(p->functions[p->tasks[i].function].name[1] - '0', tasks[t].function);
        assert_int_equal(p->tasks[i].hits, (uint64_t)o->by_task[t]);
    }
    assert_int_equal(profile_task_groups(p, &groups, &count), 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || groups[i - 1].hits >= groups[i].hits);
        if (groups[i].name != NULL) {
            assert_int_equal(groups[i].tasks, 1);
            assert_int_equal(groups[i].hits, (uint64_t)o->by_task[strcmp(groups[i].name, "the first") == 0 ? 1 : 2]);
            continue;
        }
        unnamed++;
        assert_int_equal(groups[i].tasks, (o->by_task[3] > 0) + (o->by_task[4] > 0));
        assert_int_equal(groups[i].hits, (uint64_t)(o->by_task[3] + o->by_task[4]));
    }
    assert_int_equal(unnamed, o->by_task[3] + o->by_task[4] > 0);
    assert_int_equal(count, unnamed + (o->by_task[1] > 0 ? 1 : 0) + (o->by_task[2] > 0 ? 1 : 0));
    free(groups);
}

static void check(const struct profile *p, const struct oracle *o)
{
    check_tasks(p, o);
    assert_int_equal(p->ticks, (uint64_t)o->ticks);
    assert_int_equal(p->hits, (uint64_t)o->hits);
    assert_true(p->nn == o->nn);
    int functions = 0, lines = 0;
    for (size_t i = 0; i < p->function_count; i++) {
        const struct profile_function *f = &p->functions[i];
        if (f->kind == PROFILE_NO_FRAME) {
            assert_int_equal(f->self.y, (uint64_t)o->no_frame);
            continue;
        }
        int k = f->name[1] - '0';
        assert_int_equal(f->first_line, k * 100 + 1);
        assert_string_equal(f->file, k % 2 == 0 ? "/even.py" : "/odd.py");
        check_sums(&f->self, &o->self[k]);
        check_sums(&f->total, &o->total[k]);
        assert_int_equal(f->self_cpu, (uint64_t)o->self[k].cpu);
        assert_int_equal(f->total_cpu, (uint64_t)o->total[k].cpu);
        functions++;
    }
    for (size_t i = 0; i < p->line_count; i++) {
        const struct profile_line *line = &p->lines[i];
        if (p->functions[line->function].kind != PROFILE_PYTHON)
            continue;
        int k = p->functions[line->function].name[1] - '0';
        check_sums(&line->self, &o->line_self[k][line->line % 10]);
        check_sums(&line->total, &o->line_total[k][line->line % 10]);
        lines++;
    }
    /* Equal functions of the two processes are one, and so are those of each restart. */
    assert_int_equal(functions, FUNCTIONS);
    assert_int_equal(lines, FUNCTIONS * LINES);
    assert_int_equal(p->nodes[0].total, (uint64_t)o->hits);
    double by_process[PROCESSES] = {0};
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(p->threads[t].hits, (uint64_t)o->by_thread[t]);
        by_process[t % PROCESSES] += o->by_thread[t];
    }
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(p->processes[i].hits, (uint64_t)by_process[i]);
}

static void check_all(struct program *g)
{
    for (enum profile_mode m = PROFILE_WALL; m <= PROFILE_GIL; m++) {
        struct profile *p = load(g, &(struct profile_options){.mode = m});
        check(p, &g->oracles[m]);
        assert_int_equal(p->present, (uint64_t)g->oracles[PROFILE_WALL].hits);
        assert_true(fabs(p->on_cpu.share - g->oracles[PROFILE_CPU].hits / g->oracles[PROFILE_WALL].hits) < 1e-12);
        assert_true(fabs(p->has_gil.share - g->oracles[PROFILE_GIL].hits / g->oracles[PROFILE_WALL].hits) < 1e-12);
        profile_free(p);
    }
}

static void counts_several_threads_as_one_by_one(void **state)
{
    run_program(*state, 5000, THREADS, 0);
    check_all(*state);
}

static void counts_one_thread_as_one_by_one(void **state)
{
    run_program(*state, 3000, 1, 0);
    check_all(*state);
}

static void counts_threads_that_come_late(void **state)
{
    run_program(*state, 1000, 1, 0);
    run_program(*state, 1000, THREADS, 0);
    run_program(*state, 1000, 2, 0);
    check_all(*state);
}

static void merges_across_restarts(void **state)
{
    run_program(*state, 2000, THREADS, 130);
    check_all(*state);
}

static void picks_a_thread_from_a_pipe(void **state)
{
    struct program *g = *state;
    run_program(g, 2000, THREADS, 0);
    profile_free(load(g, &(struct profile_options){0}));
    int ends[2], file = open(g->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char bytes[4096];
        ssize_t n;
        close(ends[0]);
        while ((n = read(file, bytes, sizeof(bytes))) > 0)
            if (write(ends[1], bytes, (size_t)n) != n)
                break;
        _exit(0);
    }
    close(ends[1]);
    struct profile *p = NULL;
    assert_int_equal(profile_read(ends[0], "pipe", &(struct profile_options){.thread = "thread-2"}, &p, NULL), 0);
    check(p, &g->thread_two);
    profile_free(p);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(file);
}

static void picks_a_thread_by_name_and_by_id(void **state)
{
    struct program *g = *state;
    run_program(g, 1000, THREADS, 500);
    /* Names that come late, or go, count for the whole run. */
    record_put_thread(g->w, &(struct record_thread){.id = 2, .tid = 202, .name = "renamed"});
    run_program(g, 1000, THREADS, 500);
    struct profile *p = load(g, &(struct profile_options){.thread = "thread-2"});
    check(p, &g->thread_two);
    profile_free(p);
    p = load(g, &(struct profile_options){.thread = "renamed"});
    check(p, &g->thread_two);
    profile_free(p);
    p = load(g, &(struct profile_options){.thread = "202"});
    check(p, &g->thread_two);
    profile_free(p);
    p = load(g, &(struct profile_options){.thread = "thread"});
    assert_int_equal(p->hits, 0);
    assert_int_equal(p->ticks, 2000);
    profile_free(p);
    p = load(g, &(struct profile_options){.pid = 101});
    assert_int_equal(p->processes[0].hits, 0);
    assert_int_equal(p->processes[1].hits, p->hits);
    double due = 0;
    for (int t = 1; t < THREADS; t += 2)
        due += g->oracles[PROFILE_WALL].by_thread[t];
    assert_int_equal(p->hits, (uint64_t)due);
    profile_free(p);
}

/* ---- a recording that is followed ---- */

static struct buffer recorded(struct program *g)
{
    struct buffer bytes;
    profile_free(load(g, &(struct profile_options){0}));
    buffer_init(&bytes, 64u << 20);
    assert_int_equal(file_read_all(AT_FDCWD, g->path, &bytes), 0);
    return bytes;
}

/* Fed in pieces of up to `most` bytes, and looked at on the way. */
static struct profile_follow *follow(
    struct program *g, const struct buffer *bytes, const struct profile_options *options, int most)
{
    struct profile_follow *f = NULL;
    struct profile_view view;
    uint64_t ticks = 0, hits = 0;
    assert_int_equal(profile_follow_new("followed", options, &f), 0);
    for (size_t at = 0; at < bytes->size;) {
        size_t size = 1 + (size_t)below(g, most);
        size = size < bytes->size - at ? size : bytes->size - at;
        assert_int_equal(profile_follow_feed(f, bytes->data + at, size, NULL), 0);
        at += size;
        if (below(g, 20) > 0)
            continue;
        assert_int_equal(profile_follow_view(f, below(g, 2) ? 1000000000 : PROFILE_SINCE_START, &view), 0);
        assert_int_equal(profile_follow_view(f, PROFILE_SINCE_START, &view), 0);
        assert_true(view.p->ticks >= ticks && view.p->hits >= hits);
        assert_int_equal(view.p->nodes[0].total, view.p->hits);
        ticks = view.p->ticks;
        hits = view.p->hits;
    }
    assert_true(profile_follow_done(f));
    return f;
}

static void followed_in_pieces_says_the_same(void **state)
{
    struct program *g = *state;
    run_program(g, 500, 1, 0);
    run_program(g, 3000, THREADS, 130);
    CLEANUP(buffer_release) struct buffer bytes = recorded(g);
    static const int pieces[] = {50, 3000, 1 << 20};
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        for (enum profile_mode m = PROFILE_WALL; m <= PROFILE_GIL; m++) {
            struct profile_follow *f = follow(g, &bytes, &(struct profile_options){.mode = m}, pieces[i]);
            struct profile_view view;
            for (int again = 0; again < 2; again++) {
                assert_int_equal(profile_follow_view(f, PROFILE_SINCE_START, &view), 0);
                check(view.p, &g->oracles[m]);
                for (int t = 0; t < THREADS; t++) {
                    assert_int_equal(view.now[t].state, g->state[t]);
                    assert_int_equal(view.now[t].present, (uint64_t)g->oracles[PROFILE_WALL].by_thread[t]);
                }
            }
            profile_follow_free(f);
        }
    struct profile_follow *f = follow(g, &bytes, &(struct profile_options){.thread = "202"}, 5000);
    struct profile_view view;
    assert_int_equal(profile_follow_view(f, PROFILE_SINCE_START, &view), 0);
    check(view.p, &g->thread_two);
    profile_follow_free(f);
}

static void less(struct sums *a, const struct sums *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        a[i].y -= b[i].y;
        a[i].yy -= b[i].yy;
        a[i].yn -= b[i].yn;
        a[i].cpu -= b[i].cpu;
    }
}

static void a_window_has_what_came_in_it(void **state)
{
    struct program *g = *state;
    g->history = calloc(7000, sizeof(*g->history));
    uint64_t start = g->time + 1000000;
    run_program(g, 2500, 1, 0);
    run_program(g, 4500, THREADS, 900);
    CLEANUP(buffer_release) struct buffer bytes = recorded(g);
    struct profile_follow *f = follow(g, &bytes, &(struct profile_options){0}, 10000);
    static const uint64_t windows[] = {1000000000, 2000000000, 3500000000, 6000000000};
    for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
        struct profile_view view;
        assert_int_equal(profile_follow_view(f, windows[i], &view), 0);
        uint64_t span = view.p->last_ns - view.p->first_ns;
        assert_in_range(span, windows[i], windows[i] + 1000000000);
        size_t from = (size_t)((view.p->first_ns - start) / 1000000) + 1; /* the first tick within */
        struct oracle due = g->oracles[PROFILE_WALL];
        const struct oracle *then = &g->history[from];
        less(&due.self[0], &then->self[0], FUNCTIONS);
        less(&due.total[0], &then->total[0], FUNCTIONS);
        less(&due.line_self[0][0], &then->line_self[0][0], (size_t)FUNCTIONS * LINES);
        less(&due.line_total[0][0], &then->line_total[0][0], (size_t)FUNCTIONS * LINES);
        due.hits -= then->hits;
        due.nn -= then->nn;
        due.ticks -= then->ticks;
        due.no_frame -= then->no_frame;
        for (int t = 0; t < THREADS; t++)
            due.by_thread[t] -= then->by_thread[t];
        for (int t = 0; t < TASKS; t++)
            due.by_task[t] -= then->by_task[t];
        check(view.p, &due);
    }
    struct profile_view view;
    assert_int_equal(profile_follow_view(f, 50000000000, &view), 0); /* longer than the run: all of it */
    check(view.p, &g->oracles[PROFILE_WALL]);
    profile_follow_free(f);
    free(g->history);
    g->history = NULL;
}

static void what_is_no_recording_is_not_followed(void **state)
{
    struct profile_follow *f = NULL;
    struct error e = {.text = ""};
    (void)state;
    assert_int_equal(profile_follow_new("nothing.pit", &(struct profile_options){0}, &f), 0);
    assert_int_equal(profile_follow_feed(f, "not a recording at all", 22, &e), -EINVAL);
    assert_non_null(strstr(e.text, "nothing.pit"));
    assert_int_equal(profile_follow_feed(f, "x", 1, &e), -EINVAL);
    profile_follow_free(f);
}

/* ---- the rest of the model ---- */

static void knows_processes_sources_and_the_kernels_figures(void **state)
{
    struct program *g = *state;
    uint8_t digest[32] = {5};
    static const char text[] = "one\r\ntwo\n\nlast";
    record_put_source(g->w, "/even.py", digest, text, sizeof(text) - 1, true);
    record_put_source(g->w, "/odd.py", digest, "cut\nhal", 7, false);
    record_put_source(g->w, "/none.py", digest, NULL, 0, false);
    record_put_meta(g->w, "rate_hz", "1");
    record_put_meta(g->w, "rate_hz", "2");
    record_put_meta(g->w, "note.core", "a");
    record_put_meta(g->w, "note.core", "b");
    record_put_state(g->w, 0, g->ids[3], RECORD_PRESENT | RECORD_ON_CPU);
    record_put_state(g->w, 1, 0, RECORD_REJECTED);
    for (int i = 0; i < 10; i++)
        record_put_tick(g->w, g->time += 1000);
    record_put_state(g->w, 0, g->ids[3], RECORD_PRESENT | RECORD_REPAIRED);
    for (int i = 0; i < 30; i++)
        record_put_tick(g->w, g->time += 1000);
    record_put_thread_cpu(g->w, &(struct record_thread_cpu){.thread = 0, .kernel_cpu_ns = 9000, .kernel_wait_ns = 500});
    record_put_thread_cpu(g->w, &(struct record_thread_cpu){.thread = 5, .kernel_cpu_ns = 7777});
    record_put_process_end(g->w, &(struct record_process_end){.process = 1, .time_ns = 8, .cpu_ns = 9, .status = 256});
    struct profile *p = load(g, &(struct profile_options){0});
    assert_int_equal(p->wall_ns, 40000);
    assert_true(profile_time_ns(p, 10) == 10000);
    assert_int_equal(p->rejected, 40);
    assert_int_equal(p->repaired, 30);
    assert_string_equal(profile_meta(p, "rate_hz"), "2");
    assert_null(profile_meta(p, "rate"));
    assert_int_equal(p->meta_count, 3);
    assert_true(p->processes[1].ended);
    assert_int_equal(p->processes[1].status, 256);
    struct profile_reconciliation r = profile_reconcile(p);
    assert_int_equal(r.threads, 1); /* thread 5 was never sampled */
    assert_true(r.sampled == 10000 && r.kernel_cpu == 9000 && r.kernel_wait == 500);
    const char *line;
    size_t size;
    assert_true(profile_source_line(p, "/even.py", 1, &line, &size));
    assert_int_equal(size, 3);
    assert_true(profile_source_line(p, "/even.py", 3, &line, &size));
    assert_int_equal(size, 0);
    assert_true(profile_source_line(p, "/even.py", 4, &line, &size));
    assert_memory_equal(line, "last", 4);
    assert_false(profile_source_line(p, "/even.py", 5, &line, &size));
    assert_false(profile_source_line(p, "/even.py", 0, &line, &size));
    assert_true(profile_source_line(p, "/odd.py", 1, &line, &size));
    assert_false(profile_source_line(p, "/odd.py", 2, &line, &size)); /* cut in its middle */
    assert_false(profile_source_line(p, "/none.py", 1, &line, &size));
    profile_free(p);
}

static void keeps_what_came_before_damage(void **state)
{
    struct program *g = *state;
    run_program(g, 3000, THREADS, 0);
    profile_free(load(g, &(struct profile_options){0}));
    assert_int_equal(truncate(g->path, 5000), 0);
    struct profile *p = load(g, &(struct profile_options){0});
    assert_false(p->summary.complete);
    assert_non_null(strstr(p->summary.damage, "truncated"));
    profile_free(p);
    struct error e;
    assert_int_equal(profile_read_memory("", 0, "nothing.pit", &(struct profile_options){0}, &p, &e), -EINVAL);
    assert_non_null(strstr(e.text, "nothing.pit"));
}

static void follows_the_costliest_child(void **state)
{
    struct program *g = *state;
    run_program(g, 2000, THREADS, 0);
    struct profile *p = load(g, &(struct profile_options){0});
    uint32_t *path = NULL;
    size_t count = 0;
    assert_int_equal(profile_heaviest_path(p, &path, &count), 0);
    assert_true(count >= 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t above = i == 0 ? 0 : path[i - 1];
        assert_int_equal(p->nodes[path[i]].parent, above);
        assert_true(p->nodes[path[i]].total >= p->nodes[above].self);
        for (uint32_t c = p->nodes[above].first_child; c != PROFILE_NONE; c = p->nodes[c].sibling)
            assert_true(p->nodes[c].total <= p->nodes[path[i]].total);
        struct profile_share s = profile_node_share(p, path[i]);
        assert_true(s.low < s.share && s.share < s.high);
        assert_true(fabs(s.share - (double)p->nodes[path[i]].total / (double)p->hits) < 1e-12);
    }
    uint32_t last = path[count - 1];
    for (uint32_t c = p->nodes[last].first_child; c != PROFILE_NONE; c = p->nodes[c].sibling)
        assert_true(p->nodes[c].total < p->nodes[last].self || p->nodes[c].total == 0);
    free(path);
    profile_free(p);
}

static void orders_by_hits(void **state)
{
    struct program *g = *state;
    run_program(g, 3000, THREADS, 0);
    struct profile *p = load(g, &(struct profile_options){0});
    uint32_t *order = NULL;
    size_t count = 0;
    assert_int_equal(profile_functions_by_self(p, &order, &count), 0);
    assert_in_range(count, 2, FUNCTIONS + 1);
    for (size_t i = 1; i < count; i++)
        assert_true(p->functions[order[i - 1]].self.y >= p->functions[order[i]].self.y);
    free(order);
    assert_int_equal(profile_functions_by_total(p, &order, &count), 0);
    assert_int_equal(count, FUNCTIONS + 1);
    for (size_t i = 1; i < count; i++)
        assert_true(p->functions[order[i - 1]].total.y >= p->functions[order[i]].total.y);
    free(order);
    assert_int_equal(profile_lines_by_self(p, &order, &count), 0);
    for (size_t i = 1; i < count; i++)
        assert_true(p->lines[order[i - 1]].self.y >= p->lines[order[i]].self.y);
    free(order);
    struct profile_share s = profile_share(p, &p->functions[0].total);
    assert_true(s.low < s.share && s.share < s.high && s.high <= 1);
    profile_free(p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(counts_several_threads_as_one_by_one),
        TEST(counts_one_thread_as_one_by_one),
        TEST(counts_threads_that_come_late),
        TEST(merges_across_restarts),
        TEST(picks_a_thread_by_name_and_by_id),
        TEST(picks_a_thread_from_a_pipe),
        TEST(followed_in_pieces_says_the_same),
        TEST(a_window_has_what_came_in_it),
        TEST(what_is_no_recording_is_not_followed),
        TEST(knows_processes_sources_and_the_kernels_figures),
        TEST(keeps_what_came_before_damage),
        TEST(follows_the_costliest_child),
        TEST(orders_by_hits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
