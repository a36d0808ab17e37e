/* What one subject takes, as JSON. docs/bench.md names the members. */
#include "cmd/bench.h"

static void put_interval(struct json *j, const char *name, const struct stats_interval *i)
{
    json_object_begin(j, name);
    json_number(j, "estimate", i->estimate);
    json_number(j, "low", i->low);
    json_number(j, "high", i->high);
    json_object_end(j);
}

static void put_figure(struct json *j, const char *name, const struct bench_figure *f)
{
    json_object_begin(j, name);
    put_interval(j, "centre", &f->centre);
    json_number(j, "deviation_between", f->deviation);
    json_number(j, "deviation_within", f->within);
    json_number(j, "least", f->least);
    json_number(j, "p5", f->p5);
    json_number(j, "p25", f->p25);
    json_number(j, "median", f->median);
    json_number(j, "p75", f->p75);
    json_number(j, "p95", f->p95);
    json_number(j, "most", f->most);
    json_object_end(j);
}

static void put_function(struct json *j, const struct bench_result *r)
{
    json_integer(j, "loops", (int64_t)r->loops);
    json_integer(j, "batches", (int64_t)r->batches);
    json_boolean(j, "steady", r->steady);
    json_object_begin(j, "classes");
    for (size_t kind = 0; kind < 4; kind++)
        json_integer(j, bench_class_words((enum stats_steady_kind)kind), (int64_t)r->classes[kind]);
    json_object_end(j);
    json_array_begin(j, "each");
    for (size_t i = 0; i < r->process_count; i++) {
        const struct bench_process *p = &r->processes[i];
        json_object_begin(j, NULL);
        json_text(j, "class", bench_class_words(p->steady.kind));
        json_number(j, "warm_up_seconds", p->warm_up);
        json_number(j, "level_seconds", p->level);
        json_object_end(j);
    }
    json_array_end(j);
}

static void put_point(struct json *j, const struct bench_view *v, const struct bench_point *at)
{
    const struct bench_result *r = at->result;
    json_object_begin(j, NULL);
    json_object_begin(j, "parameters");
    for (size_t i = 0; i < v->parameter_count; i++)
        json_string(
            j, v->parameters[i].name, v->parameters[i].values[at->choice[i]], v->parameters[i].sizes[at->choice[i]]);
    json_object_end(j);
    json_text(j, "kind", r->function ? "function" : "command");
    put_figure(j, "wall_seconds", &r->figures[BENCH_WALL]);
    put_figure(j, "cpu_seconds", &r->figures[BENCH_CPU]);
    json_integer(j, "processes", (int64_t)r->process_count);
    if (r->function)
        put_function(j, r);
    if (r->have_start) {
        put_interval(j, "start_seconds", &r->start);
        json_text(j, "start_of", r->start_of);
    }
    json_number(j, "memory_bytes", r->memory);
    json_number(j, "memory_most_bytes", r->memory_most);
    json_number(j, "minor_faults", r->minor_faults);
    json_number(j, "major_faults", r->major_faults);
    json_number(j, "voluntary_switches", r->voluntary);
    json_number(j, "involuntary_switches", r->involuntary);
    json_array_begin(j, "values");
    for (size_t i = 0; i < r->value_count; i++)
        json_number(j, NULL, r->values[i]);
    json_array_end(j);
    json_boolean(j, "interrupted", r->interrupted);
    json_number(j, "seconds", (double)r->spent_ns / 1e9);
    json_object_end(j);
}

void bench_put_json(struct buffer *out, const struct bench_view *v)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "subject", v->name);
    json_array_begin(&j, "results");
    for (size_t i = 0; i < v->point_count; i++)
        put_point(&j, v, &v->points[i]);
    json_array_end(&j);
    json_array_begin(&j, "machine");
    for (size_t i = 0; i < v->noise->count; i++) {
        const struct bench_noise_item *item = &v->noise->items[i];
        json_object_begin(&j, NULL);
        json_text(&j, "key", item->key);
        json_boolean(&j, "matters", item->matters);
        json_text(&j, "text", item->text);
        json_text(&j, "advice", item->advice);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}
