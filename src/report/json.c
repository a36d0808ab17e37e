#include "report/export.h"
#include "report/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *origin_name(enum profile_origin origin)
{
    static const char *const names[] = {[PROFILE_RECORDING] = "recording",
        [PROFILE_SAMPLES] = "imported samples",
        [PROFILE_WEIGHTS] = "imported times",
        [PROFILE_CALLS] = "imported calls"};
    return names[origin];
}

static bool has_intervals(const struct profile *p)
{
    return p->origin == PROFILE_RECORDING || p->origin == PROFILE_SAMPLES;
}

static void put_share(struct json *j, const char *name, const struct profile_share *s)
{
    json_object_begin(j, name);
    json_number(j, "share", s->share);
    json_number(j, "low", s->low);
    json_number(j, "high", s->high);
    json_object_end(j);
}

static void put_hits(struct json *j, const char *name, const struct profile *p, uint64_t hits,
    const struct profile_share *s, const uint64_t *on_cpu)
{
    json_object_begin(j, name);
    json_integer(j, "hits", (int64_t)hits);
    json_number(j, "time_ns", profile_time_ns(p, hits));
    json_number(j, "share", s->share);
    json_number(j, "low", has_intervals(p) ? s->low : NAN);
    json_number(j, "high", has_intervals(p) ? s->high : NAN);
    if (on_cpu != NULL)
        json_integer(j, "on_cpu_hits", (int64_t)*on_cpu);
    json_object_end(j);
}

static void put_sums(
    struct json *j, const char *name, const struct profile *p, const struct profile_sums *s, const uint64_t *on_cpu)
{
    struct profile_share share = profile_share(p, s);
    put_hits(j, name, p, s->y, &share, on_cpu);
}

static void put_optional(struct json *j, const char *name, const char *text)
{
    if (text == NULL)
        json_null(j, name);
    else
        json_text(j, name, text);
}

static void put_recording(struct json *j, const struct profile *p)
{
    const struct record_summary *s = &p->summary;
    json_object_begin(j, "recording");
    json_boolean(j, "complete", s->complete);
    json_integer(j, "bytes", (int64_t)s->bytes);
    json_integer(j, "chunks", (int64_t)s->chunks);
    json_integer(j, "restarts", (int64_t)p->restarts);
    json_integer(j, "bytes_lost", (int64_t)s->bytes_lost);
    json_integer(j, "gaps", (int64_t)s->gaps);
    if (s->complete) {
        json_null(j, "damage");
        json_null(j, "damaged_at");
    } else {
        json_text(j, "damage", s->damage);
        json_integer(j, "damaged_at", (int64_t)s->damaged_at);
    }
    json_object_end(j);
}

static void put_program(struct json *j, const struct profile *p)
{
    static const char *const keys[] = {"command", "host", "python", "started", "rate_hz", "mode"};
    json_object_begin(j, "program");
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        put_optional(j, keys[i], profile_meta(p, keys[i]));
    json_object_end(j);
    json_object_begin(j, "view");
    json_text(j, "mode", report_mode_name(p->options.mode));
    put_optional(j, "thread", p->options.thread);
    if (p->options.pid == 0)
        json_null(j, "pid");
    else
        json_integer(j, "pid", p->options.pid);
    json_object_end(j);
}

static void put_processes(struct json *j, const struct profile *p)
{
    json_array_begin(j, "processes");
    for (size_t i = 0; i < p->process_count; i++) {
        const struct profile_process *q = &p->processes[i];
        json_object_begin(j, NULL);
        json_integer(j, "id", q->id);
        json_integer(j, "parent", q->parent);
        json_integer(j, "run", q->run);
        json_integer(j, "pid", q->pid);
        json_integer(j, "image", (int64_t)q->image);
        json_text(j, "python", q->python);
        json_text(j, "command", q->command);
        json_integer(j, "start_ns", (int64_t)q->start_ns);
        json_boolean(j, "ended", q->ended);
        if (q->ended) {
            json_integer(j, "end_ns", (int64_t)q->end_ns);
            json_integer(j, "kernel_cpu_ns", (int64_t)q->cpu_ns);
            json_integer(j, "status", q->status);
        }
        json_integer(j, "hits", (int64_t)q->hits);
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_threads(struct json *j, const struct profile *p)
{
    json_array_begin(j, "threads");
    for (size_t i = 0; i < p->thread_count; i++) {
        const struct profile_thread *t = &p->threads[i];
        json_object_begin(j, NULL);
        json_integer(j, "id", (int64_t)i);
        json_integer(j, "process", t->process);
        json_integer(j, "tid", t->tid);
        json_text(j, "name", t->name);
        json_integer(j, "hits", (int64_t)t->hits);
        json_integer(j, "samples", (int64_t)t->present);
        json_integer(j, "on_cpu_samples", (int64_t)t->on_cpu);
        json_integer(j, "has_gil_samples", (int64_t)t->has_gil);
        json_integer(j, "waits_for_gil_samples", (int64_t)t->waits_for_gil);
        if (t->measured) {
            json_integer(j, "kernel_cpu_ns", (int64_t)t->kernel_cpu_ns);
            json_integer(j, "kernel_wait_ns", (int64_t)t->kernel_wait_ns);
        }
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_place(struct json *j, const struct profile_function *f)
{
    json_text(j, "function", f->name);
    json_text(j, "file", f->file);
    json_text(j, "kind", export_kind_name(f->kind));
}

/* What there is by run, where there are several. */
static void put_runs_of(struct json *j, const struct profile *p, const struct profile_run_hits *hits, size_t count)
{
    if (p->run_count < 2)
        return;
    struct profile_share self = profile_runs_share(p, hits, count, false);
    struct profile_share total = profile_runs_share(p, hits, count, true);
    json_object_begin(j, "between_runs");
    put_share(j, "self", &self);
    put_share(j, "total", &total);
    json_array_begin(j, "runs");
    for (size_t i = 0; i < count; i++) {
        json_object_begin(j, NULL);
        json_integer(j, "run", hits[i].run);
        json_integer(j, "self_hits", (int64_t)hits[i].self);
        json_integer(j, "total_hits", (int64_t)hits[i].total);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void put_runs(struct json *j, const struct profile *p)
{
    json_array_begin(j, "runs");
    for (size_t i = 0; i < p->run_count; i++) {
        json_object_begin(j, NULL);
        json_integer(j, "wall_ns", (int64_t)p->runs[i].wall_ns);
        json_integer(j, "ticks", (int64_t)p->runs[i].ticks);
        json_integer(j, "hits", (int64_t)p->runs[i].hits);
        json_object_end(j);
    }
    json_array_end(j);
}

static int put_functions(struct json *j, const struct profile *p, enum report_sort sort)
{
    uint32_t *order = NULL;
    size_t count;
    int r = sort == REPORT_TOTAL ? profile_functions_by_total(p, &order, &count)
                                 : profile_functions_by_self(p, &order, &count);
    if (r < 0)
        return r;
    json_array_begin(j, "functions");
    for (size_t i = 0; i < count; i++) {
        const struct profile_function *f = &p->functions[order[i]];
        json_object_begin(j, NULL);
        put_place(j, f);
        json_integer(j, "first_line", f->first_line);
        put_sums(j, "self", p, &f->self, &f->self_cpu);
        put_sums(j, "total", p, &f->total, &f->total_cpu);
        const struct profile_run_hits *runs = NULL;
        size_t run_count = profile_function_runs(p, order[i], &runs);
        put_runs_of(j, p, runs, run_count);
        json_object_end(j);
    }
    json_array_end(j);
    free(order);
    return 0;
}

static int put_lines(struct json *j, const struct profile *p)
{
    uint32_t *order = NULL;
    size_t count;
    int r = profile_lines_by_self(p, &order, &count);
    if (r < 0)
        return r;
    json_array_begin(j, "lines");
    for (size_t i = 0; i < count; i++) {
        const struct profile_line *line = &p->lines[order[i]];
        const struct profile_function *f = &p->functions[line->function];
        const char *text;
        size_t size;
        json_object_begin(j, NULL);
        put_place(j, f);
        json_integer(j, "line", line->line);
        put_sums(j, "self", p, &line->self, NULL);
        put_sums(j, "total", p, &line->total, NULL);
        const struct profile_run_hits *runs = NULL;
        size_t run_count = profile_line_runs(p, order[i], &runs);
        put_runs_of(j, p, runs, run_count);
        if (profile_source_line(p, f->file, line->line, &text, &size))
            json_string(j, "source", text, size);
        else
            json_null(j, "source");
        json_object_end(j);
    }
    json_array_end(j);
    free(order);
    return 0;
}

static int put_tasks(struct json *j, const struct profile *p)
{
    struct profile_task_group *groups = NULL;
    size_t count;
    int r = profile_task_groups(p, &groups, &count);
    if (r < 0)
        return r;
    json_array_begin(j, "tasks");
    for (size_t i = 0; i < count; i++) {
        struct profile_share share = profile_task_share(p, &groups[i]);
        json_object_begin(j, NULL);
        put_optional(j, "name", groups[i].name);
        put_place(j, &p->functions[groups[i].function]);
        json_integer(j, "first_line", p->functions[groups[i].function].first_line);
        json_integer(j, "tasks", (int64_t)groups[i].tasks);
        put_hits(j, "total", p, groups[i].hits, &share, &groups[i].on_cpu);
        json_object_end(j);
    }
    json_array_end(j);
    free(groups);
    return 0;
}

static int put_path(struct json *j, const struct profile *p)
{
    uint32_t *path = NULL;
    size_t count;
    int r = profile_heaviest_path(p, &path, &count);
    if (r < 0)
        return r;
    json_array_begin(j, "heaviest_path");
    for (size_t i = 0; i < count; i++) {
        const struct profile_line *line = &p->lines[p->nodes[path[i]].line];
        struct profile_share share = profile_node_share(p, path[i]);
        json_object_begin(j, NULL);
        put_place(j, &p->functions[line->function]);
        json_integer(j, "line", line->line);
        put_hits(j, "total", p, p->nodes[path[i]].total, &share, &p->nodes[path[i]].total_cpu);
        json_object_end(j);
    }
    json_array_end(j);
    free(path);
    return 0;
}

void report_json_truth(struct json *j, const struct profile *p)
{
    if (p->has_counters) {
        json_object_begin(j, "counters");
#define PUT_COUNTER(name) json_integer(j, #name, (int64_t)p->counters.name);
        RECORD_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
        json_object_end(j);
    } else {
        json_null(j, "counters");
    }
    struct report_kept kept = report_kept(p);
    json_object_begin(j, "kept");
    json_integer(j, "one_tick_in", kept.one_in > 0 ? (int64_t)kept.one_in : 1);
    json_integer(j, "last_ns", (int64_t)kept.last_ns);
    json_boolean(j, "dropped", kept.dropped);
    json_object_end(j);
    struct profile_reconciliation r = profile_reconcile(p);
    json_object_begin(j, "cpu_time");
    json_integer(j, "threads", (int64_t)r.threads);
    json_number(j, "sampled_ns", r.sampled);
    json_number(j, "kernel_cpu_ns", r.kernel_cpu);
    json_number(j, "kernel_wait_ns", r.kernel_wait);
    json_object_end(j);
    json_array_begin(j, "sources");
    for (size_t i = 0; i < p->source_count; i++) {
        const struct profile_source *s = &p->sources[i];
        char hex[65];
        for (size_t k = 0; k < 32; k++) {
            hex[2 * k] = "0123456789abcdef"[s->sha256[k] >> 4];
            hex[2 * k + 1] = "0123456789abcdef"[s->sha256[k] & 15];
        }
        hex[64] = '\0';
        json_object_begin(j, NULL);
        json_text(j, "path", s->path);
        json_text(j, "sha256", hex);
        json_integer(j, "bytes_recorded", (int64_t)s->size);
        json_boolean(j, "whole", s->whole);
        json_object_end(j);
    }
    json_array_end(j);
    json_array_begin(j, "notes");
    for (size_t i = 0; i < p->meta_count; i++) {
        if (strncmp(p->metas[i].key, "note.", 5) != 0)
            continue;
        json_object_begin(j, NULL);
        json_text(j, "about", p->metas[i].key + 5);
        json_text(j, "text", p->metas[i].value);
        json_object_end(j);
    }
    json_array_end(j);
}

void report_json_facts(struct json *j, const struct profile *p)
{
    put_recording(j, p);
    put_program(j, p);
    json_integer(j, "wall_ns", (int64_t)p->wall_ns);
    json_integer(j, "ticks", (int64_t)p->ticks);
    json_integer(j, "samples", (int64_t)p->present);
    json_integer(j, "repaired", (int64_t)p->repaired);
    json_integer(j, "rejected", (int64_t)p->rejected);
    json_integer(j, "hits", (int64_t)p->hits);
    json_number(j, "time_ns", profile_time_ns(p, p->hits));
    put_share(j, "on_cpu", &p->on_cpu);
    put_share(j, "has_gil", &p->has_gil);
    if (p->gil_wait_known)
        put_share(j, "waits_for_gil", &p->waits_for_gil);
    else
        json_null(j, "waits_for_gil");
    put_processes(j, p);
    put_threads(j, p);
}

int report_json(struct buffer *out, const struct profile *p, const struct report_options *options)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "format", "pitviper report");
    json_integer(&j, "version", 1);
    json_text(&j, "origin", origin_name(p->origin));
    report_json_facts(&j, p);
    put_runs(&j, p);
    int r = put_functions(&j, p, options->sort);
    if (r == 0)
        r = put_lines(&j, p);
    if (r == 0)
        r = put_tasks(&j, p);
    if (r == 0)
        r = put_path(&j, p);
    if (r < 0)
        return r;
    report_json_truth(&j, p);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
    return out->failed ? -ENOMEM : 0;
}
