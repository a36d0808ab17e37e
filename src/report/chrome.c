/*
 * Chrome's trace events, for Perfetto and chrome://tracing. A frame is one slice from when it was first seen until its
 * stack is seen without it; a frame whose caller has moved to another line is a new call. Its name tells its place too:
 * readers take slices of one name for the same, and some match an end to its beginning by name and arguments. The state
 * of a thread is a counter track beside it, in steps of 0 and 1.
 */
#include "report/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct track {
    const struct report_export *x;
    struct json *j;
    uint32_t thread;
    int64_t pid, tid;
    struct export_path path;
    uint32_t *open; /* nodes of the slices that have begun */
    size_t depth, open_capacity;
    struct buffer name;
    uint32_t state;
    bool has_state;
};

static uint32_t function_of(const struct profile *p, uint32_t node)
{
    return p->lines[p->nodes[node].line].function;
}

/* Microseconds with three decimals, from the first tick on. */
static void put_time(struct json *j, const char *name, uint64_t ns)
{
    json_number(j, name, (double)ns / 1000);
}

static void begin_event(const struct track *t, const char *phase, uint64_t at_ns)
{
    json_object_begin(t->j, NULL);
    json_text(t->j, "ph", phase);
    json_integer(t->j, "pid", t->pid);
    json_integer(t->j, "tid", t->tid);
    put_time(t->j, "ts", at_ns - t->x->p->first_ns);
}

static int end_event(const struct track *t)
{
    json_object_end(t->j);
    return export_flush(t->x, false);
}

static int put_slice(struct track *t, const char *phase, uint32_t node, uint64_t at_ns)
{
    const struct profile *p = t->x->p;
    const struct profile_function *f = &p->functions[function_of(p, node)];
    buffer_clear(&t->name);
    buffer_append_string(&t->name, f->name);
    if (f->kind == PROFILE_PYTHON) {
        buffer_append_string(&t->name, " (");
        buffer_append_string(&t->name, f->file);
        buffer_printf(&t->name, ":%u)", f->first_line);
    }
    if (t->name.failed)
        return -ENOMEM;
    begin_event(t, phase, at_ns);
    json_string(t->j, "name", (const char *)t->name.data, t->name.size);
    json_text(t->j, "cat", export_kind_name(f->kind));
    return end_event(t);
}

static int close_slices(struct track *t, size_t depth, uint64_t at_ns)
{
    int r = 0;
    while (r == 0 && t->depth > depth)
        r = put_slice(t, "E", t->open[--t->depth], at_ns);
    return r;
}

static int open_slice(struct track *t, uint32_t node, uint64_t at_ns)
{
    int r = array_reserve(&t->open, &t->open_capacity, t->depth + 1, sizeof(*t->open));
    if (r < 0)
        return r;
    t->open[t->depth++] = node;
    return put_slice(t, "B", node, at_ns);
}

/* How many of the open slices go on in this stack. */
static size_t kept_slices(struct track *t)
{
    const struct profile *p = t->x->p;
    size_t i = 0;
    while (i < t->depth && i < t->path.depth && t->open[i] == t->path.nodes[i])
        i++;
    /* The same function on another line goes on; what it called before does not. */
    if (i < t->depth && i < t->path.depth && function_of(p, t->open[i]) == function_of(p, t->path.nodes[i])) {
        t->open[i] = t->path.nodes[i];
        i++;
    }
    return i;
}

static int put_state(struct track *t, uint32_t state, uint64_t at_ns)
{
    state &= RECORD_ON_CPU | RECORD_HAS_GIL | RECORD_WAITS_FOR_GIL | RECORD_IN_GC;
    if (t->has_state && t->state == state)
        return 0;
    t->has_state = true;
    t->state = state;
    char name[48];
    snprintf(name, sizeof(name), "state of %lld", (long long)t->tid);
    begin_event(t, "C", at_ns);
    json_text(t->j, "name", name);
    json_object_begin(t->j, "args");
    json_integer(t->j, "on cpu", (state & RECORD_ON_CPU) != 0);
    json_integer(t->j, "has gil", (state & RECORD_HAS_GIL) != 0);
    json_integer(t->j, "waits for gil", (state & RECORD_WAITS_FOR_GIL) != 0);
    json_integer(t->j, "in gc", (state & RECORD_IN_GC) != 0);
    json_object_end(t->j);
    return end_event(t);
}

static int put_track(struct track *t)
{
    struct export_spans_reader reader;
    struct profile_span s;
    uint64_t at_ns = 0;
    int r = 0;
    export_spans_start(&reader, t->x->spans, t->thread);
    while (r == 0 && export_spans_next(&reader, &s)) {
        if (s.to_ns == s.from_ns) /* a slice without a length: some readers take its end for another's */
            continue;
        if (at_ns != 0 && s.from_ns > at_ns) { /* not there, or not in the view */
            r = close_slices(t, 0, at_ns);
            if (r == 0)
                r = put_state(t, 0, at_ns);
        }
        if (r == 0)
            r = export_path_of(&t->path, t->x->p, s.node);
        if (r == 0)
            r = close_slices(t, kept_slices(t), s.from_ns);
        if (r == 0)
            r = put_state(t, s.state, s.from_ns);
        while (r == 0 && t->depth < t->path.depth)
            r = open_slice(t, t->path.nodes[t->depth], s.from_ns);
        at_ns = s.to_ns;
    }
    if (r == 0)
        r = close_slices(t, 0, at_ns);
    return r != 0 ? r : put_state(t, 0, at_ns);
}

static int put_name(const struct track *t, const char *what, const char *name)
{
    begin_event(t, "M", t->x->p->first_ns);
    json_text(t->j, "name", what);
    json_object_begin(t->j, "args");
    json_text(t->j, "name", name);
    json_object_end(t->j);
    return end_event(t);
}

/* Two threads under one number would close each other's slices. */
static int choose_id(const struct profile *p, uint32_t thread, struct map *taken, int64_t *ret)
{
    int64_t tid = export_thread_id(p, thread, false);
    uint64_t key = (uint64_t)(uint32_t)p->processes[p->threads[thread].process].pid << 32 | (uint64_t)tid;
    *ret = map_get(taken, key, NULL) ? export_thread_id(p, thread, true) : tid;
    return map_put(taken, key, thread);
}

static int put_thread(const struct report_export *x, struct json *j, uint32_t thread, bool *named, struct map *taken)
{
    const struct profile *p = x->p;
    const struct profile_process *process = &p->processes[p->threads[thread].process];
    struct track t = {.x = x, .j = j, .thread = thread, .pid = process->pid};
    char spare[THREAD_SPARE];
    int r = choose_id(p, thread, taken, &t.tid);
    if (r < 0)
        return r;
    buffer_init(&t.name, SIZE_MAX);
    if (!named[p->threads[thread].process]) {
        named[p->threads[thread].process] = true;
        r = put_name(&t, "process_name", process->command);
    }
    if (r == 0)
        r = put_name(&t, "thread_name", export_thread_name(&p->threads[thread], spare));
    if (r == 0)
        r = put_track(&t);
    buffer_release(&t.name);
    free(t.open);
    free(t.path.nodes);
    return r;
}

int export_chrome(const struct report_export *x)
{
    const struct profile *p = x->p;
    struct json j = {.out = x->out};
    bool *named = calloc(p->process_count + 1, sizeof(*named));
    struct map taken;
    map_init(&taken);
    int r = named == NULL ? -ENOMEM : 0;
    json_object_begin(&j, NULL);
    json_text(&j, "displayTimeUnit", "ms");
    json_object_begin(&j, "otherData");
    json_text(&j, "exporter", "pitviper " PITVIPER_VERSION);
    for (size_t i = 0; i < p->meta_count; i++)
        if (strncmp(p->metas[i].key, "note.", 5) != 0) /* of which several may have one name */
            json_text(&j, p->metas[i].key, p->metas[i].value);
    json_object_end(&j);
    json_array_begin(&j, "traceEvents");
    for (uint32_t i = 0; r == 0 && i < p->thread_count; i++)
        if (export_spans_any(x->spans, i))
            r = put_thread(x, &j, i, named, &taken);
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(x->out, '\n');
    free(named);
    map_release(&taken);
    return r != 0 ? r : export_flush(x, true);
}
