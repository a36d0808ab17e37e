/* A growth as JSON. docs/scale.md names its members. */
#include "cmd/scale.h"

#include <math.h>

static const char *const measure_names[GROWTH_MEASURES] = {
    [GROWTH_CPU] = "cpu_seconds",
    [GROWTH_WALL] = "wall_seconds",
    [GROWTH_INSTRUCTIONS] = "instructions",
    [GROWTH_LINES] = "lines",
    [GROWTH_CALLS] = "calls",
    [GROWTH_MEMORY] = "memory_bytes",
};
static const char *const basis_names[] = {
    [GROWTH_BY_COUNTERS] = "counters",
    [GROWTH_BY_TIME] = "time",
    [GROWTH_INSIDE_C] = "inside-c",
    [GROWTH_TIME_IS_BEHIND] = "time-is-behind",
};

static void put_interval(struct json *j, const char *name, const struct stats_interval *i)
{
    json_object_begin(j, name);
    json_number(j, "estimate", i->estimate);
    json_number(j, "low", i->low);
    json_number(j, "high", i->high);
    json_object_end(j);
}

static void put_measure(struct json *j, const struct growth_result *r, enum growth_measure m)
{
    const struct growth_fit *f = &r->fits[m];
    json_object_begin(j, measure_names[m]);
    if (r->fitted[m]) {
        json_text(j, "shape", growth_shape_words(f->shape));
        put_interval(j, "exponent", &f->exponent);
        if (f->shape == GROWTH_EXPONENTIAL)
            put_interval(j, "base", &f->base);
        json_number(j, "from", f->from);
        json_number(j, "to", f->to);
        json_boolean(j, "bends", f->bends);
        json_array_begin(j, "slopes");
        for (size_t i = 0; i < f->slope_count; i++)
            json_number(j, NULL, f->slopes[i]);
        json_array_end(j);
    }
    json_array_begin(j, "sizes");
    for (size_t i = 0; i < r->series[m].count; i++) {
        const struct growth_sample *s = &r->series[m].samples[i];
        json_object_begin(j, NULL);
        json_number(j, "n", s->n);
        json_number(j, "value", growth_sample_value(s));
        json_array_begin(j, "runs");
        for (size_t k = 0; k < s->count; k++)
            json_number(j, NULL, s->values[k]);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

void scale_put_object(struct json *j, const char *name, const struct growth_result *r, const struct scale_view *v)
{
    struct growth_prediction p;
    json_object_begin(j, name);
    json_text(j, "subject", v->name);
    if (v->setup != NULL)
        json_text(j, "setup", v->setup);
    json_text(j, "shape", growth_shape_words(r->verdict.shape));
    put_interval(j, "exponent", &r->verdict.exponent);
    if (r->verdict.shape == GROWTH_EXPONENTIAL)
        put_interval(j, "base", &r->verdict.base);
    json_text(j, "basis", basis_names[r->verdict.basis]);
    json_number(j, "gap", r->verdict.gap);
    json_boolean(j, "settled", r->verdict.settled);
    json_boolean(j, "too_short", r->verdict.too_short);
    json_boolean(j, "deterministic", !r->counts_differ);
    json_boolean(j, "remembers", r->remembers);
    json_boolean(j, "waits", r->waits);
    json_boolean(j, "interrupted", r->interrupted);
    json_number(j, "setup_share", r->setup_share);
    json_text(j, "ended", r->ended);
    json_text(j, "counted_by", r->counted_by);
    if (growth_predict(r, scale_predicted(r, v->predict), &p) == 0) {
        json_object_begin(j, "prediction");
        json_number(j, "n", p.n);
        json_number(j, "seconds", p.seconds);
        json_number(j, "low", p.low);
        json_number(j, "high", p.high);
        json_object_end(j);
    }
    json_object_begin(j, "measures");
    for (size_t m = 0; m < GROWTH_MEASURES; m++)
        put_measure(j, r, (enum growth_measure)m);
    json_object_end(j);
    json_array_begin(j, "hot_lines");
    for (size_t i = 0; i < r->line_count; i++) {
        const struct growth_line *l = &r->lines[i];
        json_object_begin(j, NULL);
        json_text(j, "file", l->file);
        json_integer(j, "line", l->line);
        json_text(j, "function", l->function);
        json_text(j, "text", l->text);
        json_number(j, "share", l->share);
        json_number(j, "time_exponent", l->time_slope);
        json_number(j, "hit_exponent", l->hit_slope);
        json_object_end(j);
    }
    json_array_end(j);
    json_integer(j, "processes", (int64_t)r->runs);
    json_number(j, "seconds", (double)r->spent_ns / 1e9);
    json_object_end(j);
}

void scale_put_json(struct buffer *out, const struct growth_result *r, const struct scale_view *v)
{
    struct json j = {.out = out};
    scale_put_object(&j, NULL, r, v);
    buffer_append_byte(out, '\n');
}
