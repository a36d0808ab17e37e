/*
 * pytest-benchmark's JSON (--benchmark-json, --benchmark-autosave). All rounds of a benchmark are of one process, so
 * their spread says nothing of the next process: there is no interval.
 */
#include "history/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

static const struct history_machine *read_machine(struct foreign *m, const json_t *info)
{
    const json_t *cpu = json_object_get(info, "cpu");
    struct history_machine *machine = arena_alloc(m->arena, sizeof(*machine));
    if (machine == NULL)
        return NULL;
    snprintf(machine->cpu, sizeof(machine->cpu), "%s", input_text(cpu, "brand_raw", m->arena));
    if (machine->cpu[0] == '\0') /* before its version 3.4 */
        snprintf(machine->cpu, sizeof(machine->cpu), "%s", input_text(cpu, "brand", m->arena));
    snprintf(machine->kernel, sizeof(machine->kernel), "%.60s %.60s", input_text(info, "system", m->arena),
        input_text(info, "release", m->arena));
    machine->cores = input_count(cpu, "count");
    machine_name(machine, "", input_text(info, "machine", m->arena));
    return machine;
}

static int read_benchmark(struct foreign *m, const json_t *benchmark, const struct history_result *shared)
{
    const json_t *stats = json_object_get(benchmark, "stats");
    struct history_result *x = foreign_add(m);
    if (x == NULL)
        return -ENOMEM;
    *x = *shared;
    x->subject = input_text(benchmark, "fullname", m->arena);
    if (x->subject[0] == '\0')
        x->subject = input_text(benchmark, "name", m->arena);
    x->value = input_number(stats, "median");
    x->runs = 1;
    if (x->subject[0] == '\0')
        return foreign_refuse(m, "is no pytest-benchmark file that can be read: a benchmark without a name");
    if (!(x->value >= 0) || !isfinite(x->value))
        return foreign_refuse(m, "is no pytest-benchmark file that can be read: a benchmark without a median");
    return 0;
}

int foreign_pytest_benchmark(struct foreign *m, const json_t *root)
{
    const json_t *info = json_object_get(root, "machine_info"), *commit = json_object_get(root, "commit_info");
    const json_t *benchmarks = json_object_get(root, "benchmarks");
    const char *revision = input_text(commit, "id", m->arena);
    char python[256];
    snprintf(python, sizeof(python), "%.120s %.120s", input_text(info, "python_implementation", m->arena),
        input_text(info, "python_version", m->arena));
    struct history_result shared = {
        .time_ns = foreign_time(input_text(root, "datetime", m->arena)),
        .kind = "pytest-benchmark",
        .subject = "",
        .metric = "wall",
        .unit = "s",
        .low = NAN,
        .high = NAN,
        .verdict = "",
        .machine = read_machine(m, info),
        .python = arena_strndup(m->arena, python, strlen(python)),
        .revision = strcmp(revision, "unversioned") == 0 ? "" : revision, /* its word for no repository */
        .dirty = json_is_true(json_object_get(commit, "dirty")),
    };
    int r = shared.machine == NULL || shared.python == NULL ? foreign_refuse(m, "holds more than can be read") : 0;
    for (size_t i = 0; r == 0 && i < json_array_size(benchmarks); i++)
        r = read_benchmark(m, json_array_get(benchmarks, i), &shared);
    return r;
}
