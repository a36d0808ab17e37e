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
    uint64_t spread_ns;
    bool consistent;
};

static int open_waiting(struct dump *d, struct error *e)
{
    const struct timespec nap = {0, 1000000};
    uint64_t until = clock_monotonic_ns() + READY_NS;
    int r;

    while ((r = python_open(d->target, &d->python, e)) == -EAGAIN && clock_monotonic_ns() < until)
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
        for (size_t k = t->depth; k-- > 0;) {
            const struct python_code *c = python_code(d->python, t->frames[k].code);
            struct python_location at;
            python_code_location(d->python, t->frames[k].code, t->frames[k].at, &at);
            buffer_append_string(out, "    ");
            text_append_safe(out, c->qualname, strlen(c->qualname));
            buffer_append_string(out, "  ");
            text_append_safe(out, c->file, strlen(c->file));
            buffer_printf(out, ":%u\n", at.line);
        }
        if (t->depth == 0)
            buffer_append_string(out, "    (no Python frame)\n");
        buffer_release(&name);
    }
    if (info->weaker[0])
        buffer_printf(out, "\n%s\n", info->weaker);
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
        json_array_begin(&j, "frames");
        for (size_t k = t->depth; k-- > 0;) {
            const struct python_code *c = python_code(d->python, t->frames[k].code);
            struct python_location at;
            python_code_location(d->python, t->frames[k].code, t->frames[k].at, &at);
            json_object_begin(&j, NULL);
            json_text(&j, "function", c->qualname);
            json_text(&j, "file", c->file);
            json_integer(&j, "line", at.line);
            json_integer(&j, "column", at.column);
            json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        buffer_release(&name);
    }
    json_array_end(&j);
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
        if (r == 0 && o.json)
            print_json(&d, &out);
        else if (r == 0)
            print_text(&d, &out);
        if (o.consistent)
            (void)target_continue(d.target, NULL);
    }
    int status = r < 0 ? cmd_fail(CMD_FAILED, &e) : cmd_print(STDOUT_FILENO, &out);
    python_close(d.python);
    target_close(d.target);
    return status;
}

const struct cmd_verb cmd_dump_verb = {
    .name = "dump",
    .synopsis = "[options] PID",
    .summary = "print every thread's stack, once",
    .options = dump_option_table,
    .run = dump_run,
};
