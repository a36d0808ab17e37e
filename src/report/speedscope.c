/*
 * speedscope's own file format: one sampled profile a thread, in the order of time. A weight is the thread time that
 * the samples stand for, as everywhere in a report, so that speedscope's totals are the report's; where a thread was
 * not there or not in the view, an empty stack of the clock's length holds its place.
 */
#include "report/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t weight_of(const struct profile *p, const struct profile_span *s)
{
    return s->ticks > 0 ? export_time_ns(p, s->ticks) : s->to_ns - s->from_ns;
}

static int put_frames(const struct report_export *x, struct json *j)
{
    const struct profile *p = x->p;
    json_array_begin(j, "frames");
    for (size_t i = 0; i < p->line_count; i++) {
        const struct profile_function *f = &p->functions[p->lines[i].function];
        json_object_begin(j, NULL);
        json_text(j, "name", f->name);
        if (f->kind == PROFILE_PYTHON)
            json_text(j, "file", f->file);
        if (p->lines[i].line > 0)
            json_integer(j, "line", p->lines[i].line);
        if (p->lines[i].column > 0)
            json_integer(j, "col", p->lines[i].column);
        json_object_end(j);
        int r = export_flush(x, false);
        if (r != 0)
            return r;
    }
    json_array_end(j);
    return 0;
}

static int put_samples(const struct report_export *x, struct json *j, uint32_t thread, struct export_path *path)
{
    struct export_pieces pieces;
    struct profile_span s;
    export_pieces_start(&pieces, x->spans, thread);
    json_array_begin(j, "samples");
    while (export_pieces_next(&pieces, &s)) {
        int r = export_path_of(path, x->p, s.node);
        json_array_begin(j, NULL);
        for (size_t i = 0; r == 0 && i < path->depth; i++) {
            json_integer(j, NULL, x->p->nodes[path->nodes[i]].line);
            r = export_flush(x, false);
        }
        json_array_end(j);
        if (r == 0)
            r = export_flush(x, false);
        if (r != 0)
            return r;
    }
    json_array_end(j);
    export_pieces_start(&pieces, x->spans, thread);
    json_array_begin(j, "weights");
    while (export_pieces_next(&pieces, &s)) {
        json_integer(j, NULL, (int64_t)weight_of(x->p, &s));
        int r = export_flush(x, false);
        if (r != 0)
            return r;
    }
    json_array_end(j);
    return 0;
}

static int put_thread(const struct report_export *x, struct json *j, uint32_t thread, struct export_path *path)
{
    const struct profile *p = x->p;
    const struct profile_thread *t = &p->threads[thread];
    char spare[THREAD_SPARE], ids[64];
    struct export_pieces pieces;
    struct profile_span s;
    uint64_t start = 0, length = 0;
    export_pieces_start(&pieces, x->spans, thread);
    while (export_pieces_next(&pieces, &s)) {
        if (length == 0)
            start = s.from_ns - p->first_ns;
        length += weight_of(p, &s);
    }
    struct buffer name;
    buffer_init(&name, SIZE_MAX);
    buffer_append_string(&name, export_thread_name(t, spare));
    snprintf(ids, sizeof(ids), " (pid %d, tid %d)", p->processes[t->process].pid, t->tid);
    buffer_append_string(&name, ids);
    json_object_begin(j, NULL);
    json_text(j, "type", "sampled");
    json_string(j, "name", (const char *)name.data, name.size);
    json_text(j, "unit", "nanoseconds");
    json_integer(j, "startValue", (int64_t)start);
    json_integer(j, "endValue", (int64_t)(start + length));
    int r = name.failed ? -ENOMEM : put_samples(x, j, thread, path);
    json_object_end(j);
    buffer_release(&name);
    return r;
}

int export_speedscope(const struct report_export *x)
{
    const struct profile *p = x->p;
    struct json j = {.out = x->out};
    struct export_path path = {0};
    const char *command = profile_meta(p, "command");
    json_object_begin(&j, NULL);
    json_text(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
    json_text(&j, "exporter", "pitviper@" PITVIPER_VERSION);
    json_text(&j, "name", command != NULL ? command : "");
    json_object_begin(&j, "shared");
    int r = put_frames(x, &j);
    json_object_end(&j);
    json_array_begin(&j, "profiles");
    size_t count = 0, busiest = 0;
    uint64_t most = 0;
    for (uint32_t i = 0; r == 0 && i < p->thread_count; i++) {
        if (!export_spans_any(x->spans, i))
            continue;
        if (p->threads[i].hits > most) {
            most = p->threads[i].hits;
            busiest = count;
        }
        count++;
        r = put_thread(x, &j, i, &path);
    }
    json_array_end(&j);
    if (count > 0)
        json_integer(&j, "activeProfileIndex", (int64_t)busiest);
    json_object_end(&j);
    buffer_append_byte(x->out, '\n');
    free(path.nodes);
    return r != 0 ? r : export_flush(x, true);
}
