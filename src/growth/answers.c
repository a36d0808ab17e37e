/* What the harness answers, from JSON. */
#include "growth/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define TEXT_MAX 400

static void free_answer(json_t **a)
{
    json_decref(*a);
}

static json_t *load(struct buffer *answer)
{
    return json_loadb((const char *)answer->data, answer->size, JSON_DISABLE_EOF_CHECK, NULL);
}

/* A number that is none is NAN, and no negative time or count is believed. */
static double number(const json_t *value)
{
    double x = json_is_number(value) ? json_number_value(value) : NAN;
    return x >= 0 && isfinite(x) ? x : NAN;
}

static double number_of(const json_t *object, const char *name)
{
    return number(json_object_get(object, name));
}

static void text_of(const json_t *object, const char *name, char *into, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    snprintf(into, size, "%s", text != NULL ? text : "");
}

int growth_read_probe(struct buffer *answer, struct growth_probe *ret)
{
    CLEANUP(free_answer) json_t *root = load(answer);
    const json_t *steps = json_object_get(root, "steps"), *step;
    struct growth_probe p = {.count = 0};
    size_t i;
    if (!json_is_array(steps) || json_array_size(steps) > GROWTH_STEPS_MAX)
        return -EPROTO;
    json_array_foreach(steps, i, step)
    {
        struct growth_step s = {
            .n = number_of(step, "n"),
            .setup = number_of(step, "setup"),
            .cpu = number_of(step, "cpu"),
            .wall = number_of(step, "wall"),
            .memory = number_of(step, "memory"),
        };
        if (isnan(s.n + s.setup + s.cpu + s.wall + s.memory))
            return -EPROTO;
        p.steps[p.count++] = s;
    }
    text_of(root, "ended", p.ended, sizeof(p.ended));
    text_of(root, "raised", p.raised, sizeof(p.raised));
    *ret = p;
    return 0;
}

int growth_read_times(struct buffer *answer, struct growth_times *ret)
{
    CLEANUP(free_answer) json_t *root = load(answer);
    const json_t *first = json_object_get(root, "first"), *batches = json_object_get(root, "batches"), *batch;
    struct growth_times t = {
        .setup = number_of(root, "setup"),
        .first_cpu = number(json_array_get(first, 0)),
        .first_wall = number(json_array_get(first, 1)),
        .cpu = INFINITY,
        .wall = INFINITY,
    };
    size_t i;
    if (isnan(t.setup + t.first_cpu + t.first_wall) || !json_is_array(batches))
        return -EPROTO;
    json_array_foreach(batches, i, batch)
    {
        double cpu = number(json_array_get(batch, 0)), wall = number(json_array_get(batch, 1));
        if (isnan(cpu + wall))
            return -EPROTO;
        t.cpu = fmin(t.cpu, cpu);
        t.wall = fmin(t.wall, wall);
        t.again = true;
    }
    *ret = t;
    return 0;
}

int growth_read_counts(struct buffer *answer, double ret_counts[3], char ret_by[32])
{
    CLEANUP(free_answer) json_t *root = load(answer);
    const json_t *list = json_object_get(root, "counts");
    double counts[3];
    for (size_t i = 0; i < 3; i++) {
        counts[i] = number(json_array_get(list, i));
        if (isnan(counts[i]))
            return -EPROTO;
    }
    memcpy(ret_counts, counts, sizeof(counts));
    text_of(root, "by", ret_by, 32);
    return 0;
}

int growth_read_memory(struct buffer *answer, double *ret)
{
    CLEANUP(free_answer) json_t *root = load(answer);
    double peak = number_of(root, "peak");
    if (isnan(peak))
        return -EPROTO;
    *ret = peak;
    return 0;
}

static double slope_between(const json_t *pair, double few, double more)
{
    double low = number(json_array_get(pair, 0)), high = number(json_array_get(pair, 1));
    return low > 0 && high > 0 ? log(high / low) / log(more / few) : NAN;
}

static char *keep_text(struct growth_result *r, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    text = text != NULL ? text : "";
    return arena_strndup(&r->arena, text, strnlen(text, TEXT_MAX));
}

int growth_read_lines(struct buffer *answer, double few, double more, struct growth_result *r)
{
    CLEANUP(free_answer) json_t *root = load(answer);
    const json_t *lines = json_object_get(root, "lines"), *line;
    size_t i;
    if (!json_is_array(lines))
        return -EPROTO;
    json_array_foreach(lines, i, line)
    {
        double number = number_of(line, "line"), share = number_of(line, "share");
        if (r->line_count == GROWTH_LINES_MAX)
            break;
        if (isnan(number + share) || number > UINT32_MAX || share > 1)
            return -EPROTO;
        struct growth_line *into = &r->lines[r->line_count];
        *into = (struct growth_line){
            .file = keep_text(r, line, "file"),
            .function = keep_text(r, line, "function"),
            .text = keep_text(r, line, "text"),
            .line = (uint32_t)number,
            .share = share,
            .time_slope = slope_between(json_object_get(line, "seconds"), few, more),
            .hit_slope = slope_between(json_object_get(line, "hits"), few, more),
        };
        if (into->file == NULL || into->function == NULL || into->text == NULL)
            return -ENOMEM;
        r->line_count++;
    }
    return 0;
}
