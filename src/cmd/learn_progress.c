/* `learn progress`: all that was done, and the log of another machine taken in. */
#include "cmd/cmd.h"
#include "cmd/learner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)4 << 20)

struct options {
    const char *merge;
    bool json;
};

static const char *stand(const struct learn_lab_state *s)
{
    return s->best != NULL ? grade_outcome_text(s->best->outcome) : s->begun ? "begun" : "";
}

static void put_lab(struct buffer *out, const struct learn_lab_state *s)
{
    char title[64];
    bool program = s->lab->kind == GRADE_PROGRAM;
    snprintf(title, sizeof(title), "%s%s", s->lab->title, s->lab->core || program ? "" : " (more)");
    if (program)
        buffer_printf(out, "%s %-30s %-14s", s->lab->id, title, stand(s));
    else
        buffer_printf(out, "  %-4s %-32s %-14s", s->lab->id, title, stand(s));
    if (s->best != NULL)
        buffer_printf(out, " %3u points, receipt %.8s,", s->best->points, s->best->receipt);
    if (s->begun) {
        buffer_printf(out, " %u attempt%s, ", s->attempts, s->attempts == 1 ? "" : "s");
        if (s->unresolved > 0)
            buffer_printf(out, "%u not settled, ", s->unresolved);
        buffer_printf(out, "%u hint%s, ", s->hints, s->hints == 1 ? "" : "s");
        learner_put_minutes(out, s->spent_ns);
    }
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->size--;
    buffer_append_byte(out, '\n');
}

static void put_module(struct buffer *out, const struct learner *l, unsigned module)
{
    const struct grade_module *m = grade_module(module);
    const struct learn_module_state *s = &l->state.modules[module];
    buffer_printf(out, "%02u %s: ", module, m == NULL ? "" : m->title);
    buffer_printf(out, "%u of %u core labs, reflection %s; reading and writing ", s->core_passed, s->core,
        s->reflection != NULL ? "written" : "open");
    learner_put_minutes(out, s->spent_ns);
    buffer_append_byte(out, '\n');
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->module == module && l->state.labs[i].lab->kind != GRADE_PROGRAM)
            put_lab(out, &l->state.labs[i]);
}

static void put_text(struct buffer *out, const struct learner *l)
{
    for (unsigned module = 1; module <= GRADE_MODULES; module++)
        if (grade_module(module) != NULL)
            put_module(out, l, module);
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->kind == GRADE_PROGRAM)
            put_lab(out, &l->state.labs[i]);
    learner_put_work_line(out, l);
    if (l->state.self_check != NULL)
        buffer_printf(out, "self-check: %u of %u right\n", l->state.self_check->right, l->state.self_check->of);
    buffer_append_byte(out, '\n');
    learner_put_where(out, l);
}

/* ---- JSON ---- */

static void put_json_lab(struct json *j, const struct learn_lab_state *s)
{
    json_object_begin(j, NULL);
    json_text(j, "id", s->lab->id);
    json_text(j, "title", s->lab->title);
    json_integer(j, "module", s->lab->module);
    json_boolean(j, "core", s->lab->core);
    json_boolean(j, "begun", s->begun);
    json_boolean(j, "passed", s->passed);
    if (s->best != NULL) {
        json_text(j, "outcome", learn_outcome_word(s->best->outcome));
        json_integer(j, "points", s->best->points);
        json_text(j, "receipt", s->best->receipt);
    }
    json_integer(j, "attempts", s->attempts);
    json_integer(j, "not_counted", s->unresolved);
    json_integer(j, "runs", s->runs);
    json_integer(j, "hints", s->hints);
    json_boolean(j, "solution_seen", s->solution);
    json_number(j, "minutes", (double)s->spent_ns / 60e9);
    json_object_end(j);
}

static void put_json(struct buffer *out, const struct learner *l)
{
    static const char *const steps[] = {
        [LEARN_STEP_NEXT] = "next",
        [LEARN_STEP_RUN] = "run",
        [LEARN_STEP_CHECK] = "check",
        [LEARN_STEP_REFLECT] = "reflect",
        [LEARN_STEP_CAPSTONE] = "capstone",
        [LEARN_STEP_PROJECT] = "project",
        [LEARN_STEP_REVIEW] = "review",
        [LEARN_STEP_REPORT] = "report",
    };
    const struct learn_work_state *work = &l->state.work;
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "course", l->course.root);
    json_integer(&j, "module", l->state.module);
    json_text(&j, "next", steps[l->state.step]);
    if (l->state.lab != NULL)
        json_text(&j, "lab", l->state.lab->lab->id);
    json_number(&j, "minutes", (double)l->state.spent_ns / 60e9);
    json_integer(&j, "events", (int64_t)l->log.count);
    json_integer(&j, "damaged", (int64_t)l->log.damaged);
    json_array_begin(&j, "modules");
    for (unsigned module = 1; module <= GRADE_MODULES; module++) {
        const struct learn_module_state *m = &l->state.modules[module];
        json_object_begin(&j, NULL);
        json_integer(&j, "module", module);
        json_integer(&j, "core", m->core);
        json_integer(&j, "core_passed", m->core_passed);
        json_boolean(&j, "reflected", m->reflection != NULL);
        json_number(&j, "minutes", (double)m->spent_ns / 60e9);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_array_begin(&j, "labs");
    for (size_t i = 0; i < l->state.count; i++)
        put_json_lab(&j, &l->state.labs[i]);
    json_array_end(&j);
    json_object_begin(&j, "project");
    json_boolean(&j, "begun", work->begun != NULL);
    json_boolean(&j, "passed", work->best != NULL && work->best->outcome == GRADE_PASSED);
    if (work->best != NULL) {
        json_text(&j, "name", work->best->work);
        json_text(&j, "outcome", learn_outcome_word(work->best->outcome));
        json_integer(&j, "points", work->best->points);
        json_integer(&j, "of", work->best->of);
        json_text(&j, "receipt", work->best->receipt);
    }
    json_integer(&j, "checks", work->checks);
    json_object_end(&j);
    json_integer(&j, "reviews", work->reviewed);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static int merge(struct learner *l, const char *other)
{
    CLEANUP(buffer_release) struct buffer out;
    struct learn_merged m;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    int r = learn_log_merge(&l->course, other, &m, &e);
    if (r == 0)
        r = learner_read(l, &e);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    buffer_printf(&out, "%zu event%s and %zu receipt%s are new here", m.events, m.events == 1 ? "" : "s", m.receipts,
        m.receipts == 1 ? "" : "s");
    if (m.damaged > 0)
        buffer_printf(&out, "; %zu line%s could not be read", m.damaged, m.damaged == 1 ? "" : "s");
    buffer_append_byte(&out, '\n');
    return cmd_print(STDERR_FILENO, &out);
}

static int progress_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct options o = {.merge = NULL};
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (used < argc)
        return cmd_fail_text(
            CMD_USAGE, "learn progress: '%.80s' is too much: another log goes with --merge", argv[used]);
    int status = learner_open(NULL, &l);
    if (status == 0 && o.merge != NULL)
        status = merge(&l, o.merge);
    if (status != 0)
        return status;
    if (o.json)
        put_json(&out, &l);
    else
        put_text(&out, &l);
    return cmd_print(STDOUT_FILENO, &out);
}

static const struct cmd_option progress_options[] = {
    {"merge", 0, CMD_TEXT, offsetof(struct options, merge), "OTHER",
        "take in the log and receipts of another machine's course folder (or its log alone)", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print one JSON object", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_progress_verb = {
    .name = "learn progress",
    .synopsis = "[--json] [--merge OTHER]",
    .summary = "every module, lab, project and review: attempts, hints, points, receipts, minutes",
    .options = progress_options,
    .details =
        "Minutes are those between two things that you did here, where they are at most 30 apart; what led to a\n"
        "check belongs to its lab, what led to the beginning of a lab to reading. Merging is a union: it may be\n"
        "done in any order and again.",
    .run = progress_run,
};
