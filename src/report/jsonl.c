/* JSON lines: an object a line, everything defined before it is used. docs/exports.md has the schema. */
#include "report/export.h"
#include "report/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lines {
    const struct report_export *x;
    struct json j;
    bool *defined; /* by node */
    struct export_path path;
};

static void begin_line(struct lines *l, const char *type)
{
    l->j = (struct json){.out = l->x->out};
    json_object_begin(&l->j, NULL);
    json_text(&l->j, "type", type);
}

static int end_line(struct lines *l)
{
    json_object_end(&l->j);
    buffer_append_byte(l->x->out, '\n');
    return export_flush(l->x, false);
}

static int put_recording(struct lines *l)
{
    static const char *const keys[] = {"command", "host", "python", "started", "rate_hz"};
    const struct profile *p = l->x->p;
    begin_line(l, "recording");
    json_text(&l->j, "format", "pitviper spans");
    json_integer(&l->j, "version", 1);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *value = profile_meta(p, keys[i]);
        if (value != NULL)
            json_text(&l->j, keys[i], value);
        else
            json_null(&l->j, keys[i]);
    }
    json_text(&l->j, "mode", report_mode_name(p->options.mode));
    json_integer(&l->j, "first_ns", (int64_t)p->first_ns);
    json_integer(&l->j, "wall_ns", (int64_t)p->wall_ns);
    json_integer(&l->j, "ticks", (int64_t)p->ticks);
    json_integer(&l->j, "samples", (int64_t)p->hits);
    json_boolean(&l->j, "complete", p->summary.complete);
    return end_line(l);
}

static int put_counters(struct lines *l)
{
    const struct profile *p = l->x->p;
    if (!p->has_counters)
        return 0;
    begin_line(l, "counters");
#define PUT_COUNTER(name) json_integer(&l->j, #name, (int64_t)p->counters.name);
    RECORD_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    return end_line(l);
}

static int put_processes(struct lines *l)
{
    const struct profile *p = l->x->p;
    int r = 0;
    for (size_t i = 0; r == 0 && i < p->process_count; i++) {
        begin_line(l, "process");
        json_integer(&l->j, "process", p->processes[i].id);
        json_integer(&l->j, "parent", p->processes[i].parent);
        json_integer(&l->j, "pid", p->processes[i].pid);
        json_text(&l->j, "python", p->processes[i].python);
        json_text(&l->j, "command", p->processes[i].command);
        r = end_line(l);
    }
    return r;
}

static int put_thread(struct lines *l, uint32_t thread)
{
    const struct profile_thread *t = &l->x->p->threads[thread];
    begin_line(l, "thread");
    json_integer(&l->j, "thread", thread);
    json_integer(&l->j, "process", t->process);
    json_integer(&l->j, "tid", t->tid);
    json_text(&l->j, "name", t->name);
    json_integer(&l->j, "samples", (int64_t)t->hits);
    return end_line(l);
}

/* A stack is its parent's frames and one more. */
static int put_stack(struct lines *l, uint32_t node)
{
    const struct profile *p = l->x->p;
    const struct profile_node *n = &p->nodes[node];
    const struct profile_line *line = &p->lines[n->line];
    const struct profile_function *f = &p->functions[line->function];
    l->defined[node] = true;
    begin_line(l, "stack");
    json_integer(&l->j, "stack", node);
    json_integer(&l->j, "parent", n->parent);
    json_text(&l->j, "function", f->name);
    json_text(&l->j, "file", f->file);
    json_text(&l->j, "kind", export_kind_name(f->kind));
    json_integer(&l->j, "first_line", f->first_line);
    json_integer(&l->j, "line", line->line);
    json_integer(&l->j, "column", line->column);
    return end_line(l);
}

static int put_span(struct lines *l, const struct profile_span *s)
{
    int r = export_path_of(&l->path, l->x->p, s->node);
    for (size_t i = 0; r == 0 && i < l->path.depth; i++)
        if (!l->defined[l->path.nodes[i]])
            r = put_stack(l, l->path.nodes[i]);
    if (r != 0)
        return r;
    begin_line(l, "span");
    json_integer(&l->j, "thread", s->thread);
    json_integer(&l->j, "stack", s->node);
    json_integer(&l->j, "from_ns", (int64_t)(s->from_ns - l->x->p->first_ns));
    json_integer(&l->j, "to_ns", (int64_t)(s->to_ns - l->x->p->first_ns));
    json_integer(&l->j, "samples", (int64_t)s->ticks);
    json_boolean(&l->j, "on_cpu", (s->state & RECORD_ON_CPU) != 0);
    json_boolean(&l->j, "has_gil", (s->state & RECORD_HAS_GIL) != 0);
    json_boolean(&l->j, "waits_for_gil", (s->state & RECORD_WAITS_FOR_GIL) != 0);
    json_boolean(&l->j, "in_gc", (s->state & RECORD_IN_GC) != 0);
    json_boolean(&l->j, "repaired", (s->state & RECORD_REPAIRED) != 0);
    return end_line(l);
}

int export_jsonl(const struct report_export *x)
{
    const struct profile *p = x->p;
    struct lines l = {.x = x, .defined = calloc(p->node_count + 1, sizeof(*l.defined))};
    if (l.defined == NULL)
        return -ENOMEM;
    int r = put_recording(&l);
    if (r == 0)
        r = put_counters(&l);
    if (r == 0)
        r = put_processes(&l);
    for (uint32_t i = 0; r == 0 && i < p->thread_count; i++) {
        struct export_spans_reader reader;
        struct profile_span s;
        if (!export_spans_any(x->spans, i))
            continue;
        r = put_thread(&l, i);
        export_spans_start(&reader, x->spans, i);
        while (r == 0 && export_spans_next(&reader, &s))
            r = put_span(&l, &s);
    }
    free(l.defined);
    free(l.path.nodes);
    return r != 0 ? r : export_flush(x, true);
}
