/* pyperf's JSON, version 1.0: what `python -m pyperf show`, `stats` and `compare_to` open. */
#include "history/inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *pyperf_unit(const char *unit)
{
    static const char *const units[][2] = {{"s", "second"}, {"bytes", "byte"}, {"count", "integer"}};
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcmp(unit, units[i][0]) == 0)
            return units[i][1];
    return NULL;
}

static void put_value(struct json *j, double value, const char *unit)
{
    if (strcmp(unit, "second") == 0)
        json_number(j, NULL, value);
    else
        json_integer(j, NULL, (int64_t)(value + 0.5)); /* pyperf takes whole numbers only */
}

static void put_run(struct json *j, const struct history_result *x, double value, const char *unit)
{
    char date[64];
    time_t seconds = (time_t)(x->time_ns / 1000000000u);
    struct tm tm;
    size_t size = strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &tm));
    snprintf(date + size, sizeof(date) - size, ".%06u", (unsigned)(x->time_ns / 1000 % 1000000));
    json_object_begin(j, NULL);
    json_object_begin(j, "metadata");
    json_text(j, "date", date);
    json_object_end(j);
    json_array_begin(j, "values");
    put_value(j, value, unit);
    json_array_end(j);
    json_object_end(j);
}

static void put_known(struct json *j, const char *name, const char *text)
{
    if (text[0] != '\0') /* pyperf refuses empty texts */
        json_text(j, name, text);
}

static void put_metadata(struct json *j, const struct history_result *x, const char *name, const char *unit)
{
    const char *space = strchr(x->python, ' ');
    char implementation[64];
    json_object_begin(j, "metadata");
    json_text(j, "name", name);
    json_text(j, "unit", unit);
    json_integer(j, "loops", 1);
    put_known(j, "cpu_model_name", x->machine->cpu);
    put_known(j, "platform", x->machine->kernel);
    if (x->machine->cores > 0 && x->machine->cores < 1u << 20)
        json_integer(j, "cpu_count", (int64_t)x->machine->cores);
    if (space != NULL) {
        snprintf(implementation, sizeof(implementation), "%.*s", (int)(space - x->python), x->python);
        for (char *c = implementation; *c != '\0'; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        put_known(j, "python_implementation", implementation);
        put_known(j, "python_version", space + 1);
    }
    put_known(j, "commit_id", x->revision);
    json_object_end(j);
}

static bool same_name(const struct history_result *a, const struct history_result *b)
{
    return pyperf_unit(b->unit) != NULL && strcmp(a->subject, b->subject) == 0;
}

/* pyperf wants each name once: the metric, or what else differs, is put behind those that are there more than once. */
static void make_name(struct buffer *name, const struct history_result *results, size_t count, size_t at)
{
    const struct history_result *x = &results[at];
    const char *const parts[] = {x->metric, x->kind, x->python, x->machine->id};
    bool differs[ARRAY_SIZE(parts)] = {false};
    size_t earlier = 0;
    for (size_t i = 0; i < count; i++) {
        const struct history_result *y = &results[i];
        if (i == at || !same_name(x, y))
            continue;
        const char *const others[] = {y->metric, y->kind, y->python, y->machine->id};
        bool any = false;
        for (size_t k = 0; k < ARRAY_SIZE(parts); k++) {
            bool differ = strcmp(parts[k], others[k]) != 0;
            differs[k] = differs[k] || differ;
            any = any || differ;
        }
        earlier += !any && i < at;
    }
    buffer_append_string(name, x->subject[0] != '\0' ? x->subject : "?");
    for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
        if (differs[k])
            buffer_printf(name, " %s", parts[k]);
    if (earlier > 0)
        buffer_printf(name, " #%zu", earlier + 1);
}

int history_export_pyperf(struct buffer *out, const struct history_result *results, size_t count, size_t *ret_left)
{
    CLEANUP(buffer_release) struct buffer name;
    struct json j = {.out = out};
    size_t left = 0;
    buffer_init(&name, 8 * HISTORY_TEXT_MAX);
    json_object_begin(&j, NULL);
    json_text(&j, "version", "1.0");
    json_array_begin(&j, "benchmarks");
    for (size_t i = 0; i < count; i++) {
        const struct history_result *x = &results[i];
        const char *unit = pyperf_unit(x->unit);
        if (unit == NULL || x->value <= 0) {
            left++;
            continue;
        }
        buffer_clear(&name);
        make_name(&name, results, count, i);
        json_object_begin(&j, NULL);
        put_metadata(&j, x, buffer_text(&name), unit);
        json_array_begin(&j, "runs");
        for (size_t k = 0; k < x->sample_count; k++)
            put_run(&j, x, x->samples[k], unit);
        if (x->sample_count == 0)
            put_run(&j, x, x->value, unit);
        json_array_end(&j);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
    *ret_left = left;
    return out->failed || name.failed ? -ENOMEM : 0;
}
