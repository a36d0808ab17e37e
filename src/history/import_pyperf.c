/*
 * pyperf's JSON, version 1.0 (its documentation, "pyperf JSON format"): benchmarks of runs, a run being a process with
 * its values; metadata of all of them, of a benchmark and of a run, the inner ones first.
 */
#include "history/inside.h"
#include "stats/stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

struct metadata {
    const json_t *levels[3]; /* a run's, its benchmark's, all */
};

static const char *find_text(struct foreign *m, const struct metadata *d, const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(d->levels); i++)
        if (json_is_string(json_object_get(d->levels[i], key)))
            return input_text(d->levels[i], key, m->arena);
    return "";
}

static uint64_t find_count(const struct metadata *d, const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(d->levels); i++)
        if (json_is_integer(json_object_get(d->levels[i], key)))
            return input_count(d->levels[i], key);
    return 0;
}

static const struct history_machine *find_machine(struct foreign *m, const struct metadata *d)
{
    struct history_machine *machine = arena_alloc(m->arena, sizeof(*machine));
    if (machine == NULL)
        return NULL;
    snprintf(machine->cpu, sizeof(machine->cpu), "%s", find_text(m, d, "cpu_model_name"));
    snprintf(machine->kernel, sizeof(machine->kernel), "%s", find_text(m, d, "platform"));
    machine->cores = find_count(d, "cpu_count");
    machine_name(machine, "", "");
    return machine;
}

static const char *find_python(struct foreign *m, const struct metadata *d)
{
    static const char *const known[][2] = {{"cpython", "CPython"}, {"pypy", "PyPy"}};
    const char *implementation = find_text(m, d, "python_implementation"), *version = find_text(m, d, "python_version");
    char text[2 * HISTORY_TEXT_MAX + 2];
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(implementation, known[i][0]) == 0)
            implementation = known[i][1];
    /* "3.13.0 (64-bit) revision ...": the version alone is what names it elsewhere. */
    int size = snprintf(text, sizeof(text), "%s%s%.*s", implementation, *implementation && *version ? " " : "",
        (int)strcspn(version, " "), version);
    const char *copy = arena_strndup(m->arena, text, (size_t)size);
    return copy == NULL ? "" : copy;
}

/* Each run's mean: a run is a process, and only between processes does the spread tell of the next one. */
static int read_runs(struct foreign *m, const json_t *runs, struct history_result *x, uint64_t *ret_time)
{
    double *means = arena_alloc(m->arena, (json_array_size(runs) + 1) * sizeof(*means));
    size_t count = 0;
    if (means == NULL)
        return foreign_refuse(m, "holds more than can be read");
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i), *values = json_object_get(run, "values");
        size_t many = json_array_size(values);
        const char *date = json_string_value(json_object_get(json_object_get(run, "metadata"), "date"));
        double sum = 0;
        for (size_t k = 0; k < many; k++) {
            double value = json_number_value(json_array_get(values, k));
            if (!json_is_number(json_array_get(values, k)) || !(value >= 0))
                return foreign_refuse(m, "is no pyperf file that can be read: a value that is no number");
            sum += value;
        }
        if (date != NULL && foreign_time(date) > *ret_time)
            *ret_time = foreign_time(date);
        if (many > 0) /* a run that only calibrated has none */
            means[count++] = sum / (double)many;
    }
    if (count == 0)
        return foreign_refuse(m, "is no pyperf file that can be read: a benchmark without values");
    struct stats_interval mean = stats_mean_interval(stats_mean(means, count), 0.95);
    x->value = mean.estimate;
    x->runs = count;
    if (count > 1) {
        x->low = mean.low > 0 ? mean.low : 0;
        x->high = mean.high;
    }
    x->samples = means;
    x->sample_count = count < HISTORY_SAMPLES_MAX ? count : HISTORY_SAMPLES_MAX;
    return 0;
}

static int read_benchmark(struct foreign *m, const json_t *root, const json_t *benchmark)
{
    static const char *const units[][3] = {
        {"second", "wall", "s"}, {"byte", "memory", "bytes"}, {"integer", "count", "count"}};
    const json_t *runs = json_object_get(benchmark, "runs");
    struct metadata d = {.levels = {json_object_get(json_array_get(runs, 0), "metadata"),
                             json_object_get(benchmark, "metadata"), json_object_get(root, "metadata")}};
    struct history_result *x = foreign_add(m);
    uint64_t time = 0;
    size_t unit = 0;
    if (x == NULL)
        return -ENOMEM;
    const char *named = find_text(m, &d, "unit");
    while (named[0] != '\0' && unit < ARRAY_SIZE(units) && strcmp(named, units[unit][0]) != 0)
        unit++;
    if (unit == ARRAY_SIZE(units))
        return foreign_refuse(m, "is no pyperf file that can be read: a unit that is unknown");
    int r = read_runs(m, runs, x, &time);
    x->kind = "pyperf";
    x->subject = find_text(m, &d, "name");
    x->metric = units[unit][1];
    x->unit = units[unit][2];
    x->machine = find_machine(m, &d);
    x->python = find_python(m, &d);
    x->revision = find_text(m, &d, "commit_id");
    x->time_ns = time != 0 ? time : foreign_time(find_text(m, &d, "date"));
    if (r == 0 && x->machine == NULL)
        r = foreign_refuse(m, "holds more than can be read");
    if (r == 0 && x->subject[0] == '\0')
        r = foreign_refuse(m, "is no pyperf file that can be read: a benchmark without a name");
    return r;
}

int foreign_pyperf(struct foreign *m, const json_t *root)
{
    const json_t *benchmarks = json_object_get(root, "benchmarks");
    int r = 0;
    for (size_t i = 0; r == 0 && i < json_array_size(benchmarks); i++)
        r = read_benchmark(m, root, json_array_get(benchmarks, i));
    return r;
}
