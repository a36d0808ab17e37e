/* What a verb measured, on its way into the project's history. */
#include "cmd/keep.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_NS UINT64_C(20000000000)

static const char *const metric_names[PROVE_METRICS] = {"wall", "cpu", "memory"};
static const char *const metric_units[PROVE_METRICS] = {"s", "s", "bytes"};

const char *keep_call_name(enum stats_call call)
{
    return call == STATS_FASTER   ? "faster"
           : call == STATS_SLOWER ? "slower"
           : call == STATS_SAME   ? "same"
                                  : "unsettled";
}

const char *keep_metric_name(enum prove_metric metric)
{
    return metric_names[metric];
}

static bool is_python(const struct prove_subject *s)
{
    const char *slash = strrchr(s->argv[0], '/'), *name = slash == NULL ? s->argv[0] : slash + 1;
    return !s->shell && (strncmp(name, "python", 6) == 0 || strncmp(name, "pypy", 4) == 0);
}

/* "CPython 3.13.0", "CPython 3.14.0 free-threaded debug": what makes one slower than another, and no path. */
void keep_python(struct keep *k, struct prove_runner *r, const struct prove_subject *s)
{
    static const char *const question =
        "import sys,platform\n"
        "print(platform.python_implementation(),platform.python_version(),"
        "*(['free-threaded'] if not getattr(sys,'_is_gil_enabled',lambda:True)() else []),"
        "*(['debug'] if hasattr(sys,'gettotalrefcount') else []))";
    char *argv[] = {s->argv[0], (char *)(uintptr_t) "-I", (char *)(uintptr_t) "-S", (char *)(uintptr_t) "-c",
        (char *)(uintptr_t)question, NULL};
    struct prove_process p = {.argv = argv, .timeout_ns = ASK_NS};
    struct prove_run run;
    struct error e;
    k->python[0] = '\0';
    if (k->path == NULL || !is_python(s) || prove_run(r, &p, 1, &run, &e) < 0)
        return;
    if (run.status == 0 && run.out.kept > 0)
        snprintf(k->python, sizeof(k->python), "%.*s", (int)strcspn(run.out.head, "\n"), run.out.head);
    prove_run_release(&run);
}

static void ask_git(struct prove_runner *r, struct keep *k)
{
    static const char *const head[] = {"rev-parse", "--verify", "--quiet", "HEAD", NULL};
    CLEANUP(buffer_release) struct buffer out;
    struct error e;
    int status;
    buffer_init(&out, 4096);
    if (prove_git(r, NULL, NULL, head, &out, &status, &e) < 0 || status != 0)
        return;
    snprintf(k->revision, sizeof(k->revision), "%.*s", (int)strcspn(buffer_text(&out), "\n"), buffer_text(&out));
    if (prove_tree_dirty(r, &k->dirty, &e) < 0)
        k->dirty = false;
}

int keep_open(const struct keep_options *o, struct prove_runner *r, struct keep *ret)
{
    struct keep k = {.path = NULL};
    struct error e;
    *ret = k;
    if (o->off)
        return CMD_OK;
    int result = history_place(o->store, NULL, &k.path);
    if (result < 0)
        return cmd_fail_text(CMD_FAILED, "cannot find the project's folder: %s", strerror(-result));
    if (history_check(k.path, &e) < 0) {
        free(k.path);
        return cmd_fail(CMD_USAGE, &e);
    }
    history_machine_read(&k.machine);
    ask_git(r, &k);
    *ret = k;
    return CMD_OK;
}

void keep_release(struct keep *k)
{
    free(k->path);
    k->path = NULL;
}

struct history_result keep_result(
    const struct keep *k, const char *kind, const char *subject, const char *metric, const char *unit, double value)
{
    return (struct history_result){
        .time_ns = clock_real_ns(),
        .kind = kind,
        .subject = subject,
        .metric = metric,
        .unit = unit,
        .value = value,
        .low = NAN,
        .high = NAN,
        .verdict = "",
        .machine = &k->machine,
        .python = k->python,
        .revision = k->revision,
        .dirty = k->dirty,
    };
}

void keep_add(const struct keep *k, const struct history_result *results, size_t count)
{
    struct error note;
    if (k->path == NULL || count == 0)
        return;
    if (history_add(k->path, results, count, &note) < 0)
        cmd_fail_text(0, "%s; --no-store leaves it out", note.text);
    else if (note.text[0] != '\0')
        cmd_fail(0, &note);
}

void keep_experiment(const struct keep *k, const char *kind, const char *name, const struct keep_side sides[2],
    const struct prove_result *result)
{
    struct history_result all[3 * PROVE_METRICS];
    size_t count = 0;
    for (int metric = 0; metric < PROVE_METRICS; metric++) {
        const struct prove_estimate *m = &result->metrics[metric];
        if (!isfinite(m->decision.estimate))
            continue;
        struct history_result *ratio = &all[count++];
        *ratio = keep_result(k, kind, name, metric_names[metric], "ratio", m->decision.estimate);
        ratio->low = m->decision.low;
        ratio->high = m->decision.high;
        ratio->runs = result->runs;
        ratio->verdict = keep_call_name(m->decision.call);
        if (sides[1].revision != NULL) {
            ratio->revision = sides[1].revision;
            ratio->dirty = false;
        }
        for (int side = 0; side < 2; side++) {
            double value = side == 0 ? m->a : m->b;
            if (!isfinite(value))
                continue;
            struct history_result *x = &all[count++];
            *x = keep_result(k, kind, sides[side].name, metric_names[metric], metric_units[metric], value);
            x->runs = result->runs / 2;
            if (sides[side].revision != NULL) {
                x->revision = sides[side].revision;
                x->dirty = false;
            }
        }
    }
    keep_add(k, all, count);
}
