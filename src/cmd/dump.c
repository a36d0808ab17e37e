/* `dump`: every thread's stack, once. */
#include "cmd/cmd.h"
#include "python/python.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_NS = 1000000000,
    TRIES = 200,
    AWAITERS_SHOWN = 4,
};

struct dump_options {
    bool consistent, json;
};

static const struct cmd_option dump_option_table[] = {
    {"consistent", 0, CMD_FLAG, offsetof(struct dump_options, consistent), NULL,
        "stop the program for the moment of reading, so that all threads are seen at one time", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct dump_options, json), NULL, "print the same facts as JSON", NULL},
    CMD_OPTION_END,
};

static const char *const results[] = {"checked", "repaired", "unreadable", "checked"};

struct dump {
    struct target *target;
    struct python_process *python;
    struct python_sample sample;
    struct python_tasks tasks;
    uint64_t spread_ns;
    bool consistent;
};

static int open_waiting(struct dump *d, struct error *e)
{
    const struct timespec nap = {0, 1000000};
    uint64_t until = clock_monotonic_ns() + READY_NS;
    int r;

    while ((r = python_open(d->target, true, &d->python, e)) == -EAGAIN && clock_monotonic_ns() < until)
        nanosleep(&nap, NULL);
    return r;
}

/* Until no thread is rejected: a stack that was torn by the reading is worth another look. */
static int take(struct dump *d, struct error *e)
{
    int r = -EAGAIN;

    for (int i = 0; i < TRIES; i++) {
        uint64_t began = clock_monotonic_ns();
        bool whole = i > 0; /* the first sample learns where things are, and takes longer */
        r = python_sample(d->python, &d->sample);
        d->spread_ns = clock_monotonic_ns() - began;
        if (r == -ESRCH)
            return error_set(e, ESRCH, "process %d has ended", target_pid(d->target));
        for (size_t k = 0; r == 0 && k < d->sample.count; k++)
            whole = whole && d->sample.threads[k].result != PYTHON_STACK_REJECTED;
        if (r == 0 && whole)
            return 0;
    }
    return r < 0 ? error_set(e, -r, "process %d cannot be read now: it is starting, ending or replaced itself",
                       target_pid(d->target))
                 : 0;
}

static char kernel_state(const struct dump *d, pid_t tid)
{
    struct target_thread h;
    char state = '?';

    if (tid > 0 && target_thread_open(d->target, tid, &h) == 0) {
        (void)target_thread_state(&h, &state, NULL);
        target_thread_close(&h);
    }
    return state;
}

/* Where threading was never imported there is no table of names; the first thread is the main one. */
static void name_read(struct dump *d, const struct python_thread *t, struct buffer *name, pid_t *tid)
{
    if (python_thread_name(d->python, t, name, tid) < 0 && *tid == target_pid(d->target)) {
        buffer_clear(name);
        buffer_append_string(name, "MainThread");
    }
}

static void print_frames(struct dump *d, struct buffer *out, const struct python_frame *frames, size_t depth)
{
    for (size_t k = depth; k-- > 0;) {
        const struct python_code *c = python_code(d->python, frames[k].code);
        struct python_location at;
        python_code_location(d->python, frames[k].code, frames[k].at, &at);
        buffer_append_string(out, "    ");
        text_append_safe(out, c->qualname, strlen(c->qualname));
        buffer_append_string(out, "  ");
        text_append_safe(out, c->file, strlen(c->file));
        buffer_printf(out, ":%u\n", at.line);
    }
}

/* The thread that runs this loop; NULL: none of those that were sampled. */
static const struct python_thread *loop_thread(const struct dump *d, const struct python_loop *loop)
{
    for (size_t i = 0; i < d->sample.count; i++)
        if (loop->ident && d->sample.threads[i].ident == loop->ident)
            return &d->sample.threads[i];
    return NULL;
}

static void print_task_name(struct buffer *out, const struct python_task *t)
{
    text_append_safe(out, t->name[0] ? t->name : "?", t->name[0] ? strlen(t->name) : 1);
}

static void print_task(struct dump *d, struct buffer *out, const struct python_task *t)
{
    const struct python_tasks *all = &d->tasks;

    buffer_append_string(out, "\ntask ");
    print_task_name(out, t);
    if (t->state == PYTHON_TASK_RUNNING) {
        buffer_append_string(out, ", running");
    } else if (t->state == PYTHON_TASK_READY) {
        buffer_append_string(out, ", ready to run");
    } else if (t->awaits_task != UINT32_MAX) {
        buffer_append_string(out, ", waiting for task ");
        print_task_name(out, &all->items[t->awaits_task]);
    } else {
        buffer_append_string(out, t->awaits[0] ? ", waiting for a " : ", waiting");
        text_append_safe(out, t->awaits, strlen(t->awaits));
    }
    for (size_t i = 0; i < t->awaited_by_count && i < AWAITERS_SHOWN; i++) {
        buffer_append_string(out, i ? ", " : ", awaited by ");
        print_task_name(out, &all->items[t->awaited_by[i]]);
    }
    if (t->awaited_by_count > AWAITERS_SHOWN)
        buffer_printf(out, " and %zu more", t->awaited_by_count - AWAITERS_SHOWN);
    buffer_append_byte(out, '\n');
    print_frames(d, out, t->frames, t->depth);
    if (t->depth == 0)
        buffer_append_string(out, "    (a coroutine of an extension module)\n");
}

static void print_tasks(struct dump *d, struct buffer *out)
{
    const struct python_tasks *all = &d->tasks;

    for (size_t i = 0, end; i < all->count; i = end) {
        const struct python_loop *loop = &all->loops[all->items[i].loop];
        const struct python_thread *t = loop_thread(d, loop);
        for (end = i; end < all->count && all->items[end].loop == all->items[i].loop;)
            end++;
        buffer_printf(out, "\n%zu asyncio task%s of a ", end - i, end - i == 1 ? "" : "s");
        text_append_safe(out, loop->type, strlen(loop->type));
        if (t) {
            CLEANUP(buffer_release) struct buffer name;
            pid_t tid = t->tid;
            buffer_init(&name, 4096);
            name_read(d, t, &name, &tid);
            buffer_append_string(out, " in thread ");
            text_append_safe(out, name.size ? (const char *)name.data : "?", name.size ? name.size : 1);
        } else {
            buffer_append_string(out, loop->ident ? " in a thread that is not there" : " that is not running");
        }
        buffer_append_byte(out, '\n');
        for (size_t k = i; k < end; k++)
            print_task(d, out, &all->items[k]);
    }
    if (all->cut)
        buffer_append_string(out, "\nnot all tasks are listed: there are too many, or they came and went too fast; "
                                  "--consistent stops the program for it\n");
    if (all->unreadable[0])
        buffer_printf(out, "\n%s\n", all->unreadable);
}

static void print_text(struct dump *d, struct buffer *out)
{
    const struct python_info *info = python_info(d->python);

    buffer_printf(out, "process %d, Python %s%s, %zu thread%s, read within %.1f us%s\n", target_pid(d->target),
        info->version_text, info->no_gil ? " without a GIL" : "", d->sample.count, d->sample.count == 1 ? "" : "s",
        (double)d->spread_ns / 1e3, d->consistent ? " while stopped" : "");
    for (size_t i = 0; i < d->sample.count; i++) {
        const struct python_thread *t = &d->sample.threads[i];
        struct buffer name;
        pid_t tid = t->tid;
        buffer_init(&name, 4096);
        name_read(d, t, &name, &tid);
        buffer_append_string(out, "\nthread ");
        text_append_safe(out, name.size ? (const char *)name.data : "?", name.size ? name.size : 1);
        char state = kernel_state(d, tid);
        buffer_printf(out, " (%d, %s%s), %s\n", tid,
            state == 'R'   ? "running"
            : state == 'S' ? "waiting"
            : state == 'D' ? "waiting for a device"
                           : "stopped",
            t->has_gil ? ", holds the GIL" : "", results[t->result]);
        print_frames(d, out, t->frames, t->depth);
        if (t->depth == 0)
            buffer_append_string(out, "    (no Python frame)\n");
        buffer_release(&name);
    }
    print_tasks(d, out);
    if (info->weaker[0])
        buffer_printf(out, "\n%s\n", info->weaker);
}

static void json_frames(struct dump *d, struct json *j, const struct python_frame *frames, size_t depth)
{
    json_array_begin(j, "frames");
    for (size_t k = depth; k-- > 0;) {
        const struct python_code *c = python_code(d->python, frames[k].code);
        struct python_location at;
        python_code_location(d->python, frames[k].code, frames[k].at, &at);
        json_object_begin(j, NULL);
        json_text(j, "function", c->qualname);
        json_text(j, "file", c->file);
        json_integer(j, "line", at.line);
        json_integer(j, "column", at.column);
        json_object_end(j);
    }
    json_array_end(j);
}

static void json_tasks(struct dump *d, struct json *j)
{
    static const char *const states[] = {"running", "ready", "waiting"};
    const struct python_tasks *all = &d->tasks;

    json_array_begin(j, "loops");
    for (size_t i = 0; i < all->loop_count; i++) {
        const struct python_thread *t = loop_thread(d, &all->loops[i]);
        json_object_begin(j, NULL);
        json_text(j, "type", all->loops[i].type);
        if (t) {
            CLEANUP(buffer_release) struct buffer name;
            pid_t tid = t->tid;
            buffer_init(&name, 4096);
            name_read(d, t, &name, &tid);
            json_integer(j, "tid", tid);
        } else {
            json_null(j, "tid");
        }
        json_object_end(j);
    }
    json_array_end(j);
    json_array_begin(j, "tasks"); /* `loop`, `awaits_task` and `awaited_by` are places in these two arrays */
    for (size_t i = 0; i < all->count; i++) {
        const struct python_task *t = &all->items[i];
        json_object_begin(j, NULL);
        json_text(j, "name", t->name);
        json_text(j, "state", states[t->state]);
        json_integer(j, "loop", t->loop);
        json_text(j, "awaits", t->awaits);
        if (t->awaits_task != UINT32_MAX)
            json_integer(j, "awaits_task", t->awaits_task);
        else
            json_null(j, "awaits_task");
        json_array_begin(j, "awaited_by");
        for (size_t k = 0; k < t->awaited_by_count; k++)
            json_integer(j, NULL, t->awaited_by[k]);
        json_array_end(j);
        json_frames(d, j, t->frames, t->depth);
        json_object_end(j);
    }
    json_array_end(j);
    json_boolean(j, "tasks_complete", !all->cut && !all->unreadable[0]);
    if (all->unreadable[0])
        json_text(j, "tasks_unreadable", all->unreadable);
}

static void print_json(struct dump *d, struct buffer *out)
{
    struct json j = {.out = out};

    json_object_begin(&j, NULL);
    json_integer(&j, "pid", target_pid(d->target));
    json_text(&j, "python", python_info(d->python)->version_text);
    json_text(&j, "found_by", python_info(d->python)->found_by);
    json_boolean(&j, "consistent", d->consistent);
    json_number(&j, "spread_us", (double)d->spread_ns / 1e3);
    json_array_begin(&j, "threads");
    for (size_t i = 0; i < d->sample.count; i++) {
        const struct python_thread *t = &d->sample.threads[i];
        struct buffer name;
        pid_t tid = t->tid;
        char state[2] = "";
        buffer_init(&name, 4096);
        name_read(d, t, &name, &tid);
        state[0] = kernel_state(d, tid);
        json_object_begin(&j, NULL);
        json_string(&j, "name", name.size ? (const char *)name.data : "", name.size);
        json_integer(&j, "tid", tid);
        json_text(&j, "state", state);
        json_boolean(&j, "has_gil", t->has_gil);
        json_text(&j, "check", results[t->result]);
        json_frames(d, &j, t->frames, t->depth);
        json_object_end(&j);
        buffer_release(&name);
    }
    json_array_end(&j);
    json_tasks(d, &j);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static int dump_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out = {0};
    struct dump_options o = {0};
    struct dump d = {0};
    struct error e;
    uint64_t pid;

    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used != 1 || parse_count(argv[used], &pid) < 0 || pid == 0 || pid > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "one process id is needed; see 'pitviper help dump'");
    d.consistent = o.consistent;
    buffer_init(&out, 1 << 30);
    int r = target_open((pid_t)pid, &d.target, &e);
    if (r == 0)
        r = open_waiting(&d, &e);
    if (r == 0 && o.consistent)
        r = target_stop(d.target, &e);
    if (r == 0) {
        r = take(&d, &e);
        if (r == 0) {
            r = python_tasks_read(d.python, &d.tasks);
            if (r < 0)
                (void)error_set(
                    &e, -r, "the tasks of process %d cannot be read: %s", target_pid(d.target), strerror(-r));
        }
        if (r == 0 && o.json)
            print_json(&d, &out);
        else if (r == 0)
            print_text(&d, &out);
        if (o.consistent)
            (void)target_continue(d.target, NULL);
    }
    int status = r < 0 ? cmd_fail(CMD_FAILED, &e) : cmd_print(STDOUT_FILENO, &out);
    python_tasks_release(&d.tasks);
    python_close(d.python);
    target_close(d.target);
    return status;
}

const struct cmd_verb cmd_dump_verb = {
    .name = "dump",
    .synopsis = "[options] PID",
    .summary = "print every thread's stack and every asyncio task, once",
    .options = dump_option_table,
    .run = dump_run,
};
