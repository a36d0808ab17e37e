/* `learn report`: what was completed, as text or as one page. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/outfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)16 << 20)

struct options {
    const char *name, *html, *output;
};

static void put_day(struct buffer *out, uint64_t time_ns)
{
    char day[32];
    time_t seconds = (time_t)(time_ns / 1000000000u);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) != NULL && strftime(day, sizeof(day), "%Y-%m-%d", &tm) > 0)
        buffer_append_string(out, day);
}

/* Text of the learner's, safe on a terminal, its lines kept. */
static void put_lines(struct buffer *out, const char *text, const char *before)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        buffer_append_string(out, before);
        text_append_safe(out, text, size);
        buffer_append_byte(out, '\n');
        text += size + (text[size] == '\n');
    }
}

static void put_lab(struct buffer *out, const struct learn_lab_state *s)
{
    if (s->lab->kind == GRADE_PROGRAM)
        buffer_printf(out, "  %s: ", s->lab->title);
    else
        buffer_printf(out, "  %s %s: ", s->lab->id, s->lab->title);
    if (s->best == NULL) {
        buffer_append_string(out, s->begun ? "begun\n" : s->lab->core ? "open\n" : "not taken\n");
        return;
    }
    buffer_printf(out, "%s, %u points, %u attempt%s, %u hint%s, ", grade_outcome_text(s->best->outcome),
        s->best->points, s->attempts, s->attempts == 1 ? "" : "s", s->hints, s->hints == 1 ? "" : "s");
    learner_put_minutes(out, s->spent_ns);
    buffer_append_string(out, "\n      receipt ");
    text_append_safe(out, s->best->receipt, strlen(s->best->receipt));
    buffer_append_string(out, ", ");
    put_day(out, s->best->time_ns);
    buffer_printf(out, ", sandbox level %d", s->best->level);
    if (s->best->figure_count > (s->lab->kind == GRADE_PROGRAM ? LEARN_CAPSTONE_FIGURES : 0))
        buffer_append_string(out, "; measured:");
    for (unsigned i = s->lab->kind == GRADE_PROGRAM ? LEARN_CAPSTONE_FIGURES : 0; i < s->best->figure_count; i++)
        buffer_printf(out, " %.3g", s->best->figures[i]);
    buffer_append_byte(out, '\n');
}

static void put_module(struct buffer *out, const struct learner *l, unsigned module)
{
    const struct grade_module *m = grade_module(module);
    const struct learn_module_state *s = &l->state.modules[module];
    buffer_printf(
        out, "\n%02u %s: %u of %u core labs; reading and writing ", module, m->title, s->core_passed, s->core);
    learner_put_minutes(out, s->spent_ns);
    buffer_append_byte(out, '\n');
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->module == module && l->state.labs[i].lab->kind != GRADE_PROGRAM)
            put_lab(out, &l->state.labs[i]);
    buffer_printf(out, "  %s\n", learn_reflect_question(module));
    if (s->reflection == NULL)
        buffer_append_string(out, "      not written yet\n");
    else
        put_lines(out, s->reflection->text, "      ");
}

/* Of its best attempt: what was named, what became faster. */
static void put_capstone(struct buffer *out, const struct learn_lab_state *s)
{
    const double *f = s->best == NULL ? NULL : s->best->figures;
    buffer_append_string(out, "\nCapstone\n");
    put_lab(out, s);
    if (f == NULL || s->best->figure_count < LEARN_CAPSTONE_FIGURES)
        return;
    if (f[LEARN_CAPSTONE_OF_SCENARIOS] < 1) {
        buffer_append_string(out, "      it did not come to findings and scenarios\n");
        return;
    }
    buffer_printf(out, "      findings: %.0f of %.0f bottlenecks; of %.0f named, %.0f right\n", f[LEARN_CAPSTONE_FOUND],
        f[LEARN_CAPSTONE_PLANTS], f[LEARN_CAPSTONE_NAMED], f[LEARN_CAPSTONE_RIGHT]);
    buffer_printf(out, "      scenarios: %.0f of %.0f meet their limits; the day: %.0f of %.0f\n",
        f[LEARN_CAPSTONE_SCENARIOS], f[LEARN_CAPSTONE_OF_SCENARIOS], f[LEARN_CAPSTONE_DAY], f[LEARN_CAPSTONE_OF_DAY]);
}

void learner_put_report(struct buffer *out, const struct learner *l, const char *name)
{
    unsigned core = 0, passed = 0, written = 0;
    for (unsigned module = 1; module <= GRADE_MODULES; module++) {
        core += l->state.modules[module].core;
        passed += l->state.modules[module].core_passed;
        written += l->state.modules[module].reflection != NULL;
    }
    buffer_append_string(out, "Performance Optimization and Profiling: completion report\n");
    if (name != NULL) {
        text_append_safe(out, name, strlen(name));
        buffer_append_string(out, ", ");
    }
    buffer_append_string(out, "taken alone, checked on the learner's own machine\n");
    buffer_printf(
        out, "%u of %u core labs passed, %u of %u reflections written, ", passed, core, written, GRADE_MODULES);
    learner_put_minutes(out, l->state.spent_ns);
    if (l->log.count > 0) {
        buffer_append_string(out, ", from ");
        put_day(out, l->log.events[0].time_ns);
        buffer_append_string(out, " to ");
        put_day(out, l->log.events[l->log.count - 1].time_ns);
    }
    buffer_append_byte(out, '\n');
    if (l->state.start != NULL && l->state.start->version[0] != '\0') {
        buffer_append_string(out, "Python ");
        text_append_safe(out, l->state.start->version, strlen(l->state.start->version));
        buffer_append_byte(out, '\n');
    }
    if (l->state.self_check != NULL)
        buffer_printf(out, "self-check: %u of %u right\n", l->state.self_check->right, l->state.self_check->of);
    for (unsigned module = 1; module <= GRADE_MODULES; module++)
        if (grade_module(module) != NULL)
            put_module(out, l, module);
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->kind == GRADE_PROGRAM)
            put_capstone(out, &l->state.labs[i]);
    learner_put_work(out, l);
    buffer_append_string(out,
        "\nEach receipt is a file receipts/ID.json of the course's folder. A check that a learner "
        "runs proves nothing to\nothers: a grade is what somebody else's run of the same source says.\n");
}

static int write_file(const char *path, const struct buffer *b)
{
    struct outfile f;
    struct error e;
    if (b->failed)
        return cmd_fail_text(CMD_FAILED, "out of memory while writing the report");
    if (outfile_open(path, &f, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int r = file_write_all(f.fd, b->data, b->size), closed = outfile_close(&f, r == 0);
    r = r < 0 ? r : closed;
    return r < 0 && r != -EPIPE ? cmd_fail_text(CMD_FAILED, "cannot write %s: %s", path, strerror(-r)) : CMD_OK;
}

static int report_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct options o = {.name = NULL};
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (used < argc)
        return cmd_fail_text(CMD_USAGE, "learn report: '%.80s' is too much", argv[used]);
    int status = learner_open(NULL, &l);
    if (status == 0 && o.html != NULL) {
        learner_put_page(&out, &l, o.name);
        status = write_file(o.html, &out);
        buffer_clear(&out);
    }
    if (status != 0 || (o.html != NULL && o.output == NULL))
        return status;
    learner_put_report(&out, &l, o.name);
    return o.output != NULL ? write_file(o.output, &out) : cmd_print(STDOUT_FILENO, &out);
}

static const struct cmd_option report_options[] = {
    {"name", 0, CMD_TEXT, offsetof(struct options, name), "TEXT", "whose it is (default: it says no name)", NULL},
    {"html", 0, CMD_TEXT, offsetof(struct options, html), "FILE",
        "write it as one page, which asks nothing of any host", NULL},
    {"output", 'o', CMD_TEXT, offsetof(struct options, output), "FILE",
        "write the text there (default: standard output)", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_report_verb = {
    .name = "learn report",
    .synopsis = "[--name TEXT] [--html FILE] [-o FILE]",
    .summary = "what you completed: every module, lab, receipt and reflection",
    .options = report_options,
    .run = report_run,
};
