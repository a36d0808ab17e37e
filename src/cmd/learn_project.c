/* `learn project`: the final project. Where it stands, laying it down, and the part of the rubric that can be computed.
 */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/waiting.h"
#include "project/project.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX ((size_t)1 << 20)
#define TURN_NS UINT64_C(600000000000) /* longer than one check may take */

struct options {
    const char *python;
    uint64_t budget_ns, seed;
    int level;
    bool json;
};

static int project_folder(const struct learner *l, char ret[LEARN_PATH_MAX])
{
    return learn_path(&l->course, ret, PROJECT_FOLDER) == 0
               ? 0
               : cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
}

static void put_safe(struct buffer *out, const char *text)
{
    text_append_safe(out, text, strlen(text));
}

/* ---- alone: where it stands ---- */

static void put_report_state(struct buffer *out, const struct project_report *r)
{
    unsigned empty = 0;
    for (size_t i = 0; i < PROJECT_HEADINGS; i++)
        empty += r->section_words[i] < 5;
    buffer_printf(out, "report.md: %zu words", r->words);
    if (empty > 0)
        buffer_printf(out, "; nothing yet under");
    for (size_t i = 0, told = 0; i < PROJECT_HEADINGS; i++)
        if (r->section_words[i] < 5)
            buffer_printf(out, "%s %s", told++ > 0 ? "," : "", project_headings[i]);
    buffer_append_byte(out, '\n');
}

static void put_last(struct buffer *out, const struct learn_work_state *w)
{
    if (w->last == NULL)
        return;
    buffer_printf(out, "last check: %s, %u of %u points that are computed", grade_outcome_text(w->last->outcome),
        w->last->points, w->last->of);
    if (w->best != w->last)
        buffer_printf(out, "; the best: %s, %u", grade_outcome_text(w->best->outcome), w->best->points);
    buffer_append_byte(out, '\n');
}

static int say_where(const struct learner *l)
{
    CLEANUP(buffer_release) struct buffer out;
    char folder[LEARN_PATH_MAX];
    struct project_look look;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    int status = project_folder(l, folder);
    if (status == 0 && project_look(folder, &look, &e) < 0)
        status = cmd_fail(CMD_FAILED, &e);
    if (status != 0)
        return status;
    if (!look.there) {
        buffer_append_string(&out,
            "no project yet. Supplied: weblog (an access log), finder (queries over texts), clinic (a "
            "simulation); or 'start own FOLDER'\n\nnext: pitviper learn project start weblog\n");
        return cmd_print(STDOUT_FILENO, &out);
    }
    buffer_printf(&out, "project %s in ", look.program[0] != '\0' ? look.program : "(project.json cannot be read)");
    learner_put_path(&out, folder);
    buffer_append_byte(&out, '\n');
    if (look.wrong[0] != '\0') {
        put_safe(&out, look.wrong);
        buffer_append_byte(&out, '\n');
    }
    put_report_state(&out, &look.report);
    buffer_printf(&out, "after/: %s\n", look.changed ? "changed" : "as before");
    buffer_printf(&out, "cited recordings that are there: %zu; second tool: %s; check: %s; gate: %s\n", look.recordings,
        look.second_tool ? "yes" : "no", look.check ? "yes" : "no", look.gate ? "yes" : "no");
    put_last(&out, &l->state.work);
    bool done = l->state.work.best != NULL && l->state.work.best->outcome == GRADE_PASSED;
    buffer_printf(&out, "\nnext: pitviper learn %s\n",
        !done                                  ? "project check"
        : l->state.work.reviewed < LEARN_WORKS ? "review"
                                               : "report");
    return cmd_print(STDOUT_FILENO, &out);
}

/* ---- start ---- */

static int start(struct learner *l, const struct options *o, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    struct learn_laid laid = {.written = 0};
    struct learner_python python;
    struct error e;
    char version[16];
    bool own = argc > 0 && strcmp(argv[0], "own") == 0;
    buffer_init(&out, OUTPUT_MAX);
    if (argc != (own ? 2 : 1) || (!own && !learn_project_supplied(argv[0])))
        return cmd_fail_text(CMD_USAGE, "learn project start: name weblog, finder or clinic; or 'own' and a folder");
    if (learner_python_find(o->python, &l->state, &python, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    snprintf(version, sizeof(version), "3.%u", python.minor);
    if (project_lay(&l->course, argv[0], own ? argv[1] : NULL, version, &laid, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    struct learn_event x = {.kind = LEARN_BEGIN, .work = argv[0]};
    int status = learner_add(l, &x);
    if (status != 0)
        return status;
    buffer_append_string(&out, "laid down in ");
    learner_put_path(&out, laid.folder);
    buffer_printf(&out, ": %u file%s", laid.written, laid.written == 1 ? "" : "s");
    if (laid.kept > 0)
        buffer_printf(&out, "; %u lay there already and stayed as they are", laid.kept);
    buffer_append_string(&out, "\nchange what is in after/, leave before/ as it is, and write report.md");
    if (own)
        buffer_append_string(&out, "\nproject.json says how your program is run: look it through first");
    buffer_append_string(&out, "\n\nnext: pitviper learn project\n");
    return cmd_print(STDOUT_FILENO, &out);
}

/* ---- check ---- */

static void on_progress(void *context, const char *stage)
{
    (void)context;
    waiting_show("project: %s", stage);
}

static int keep(struct learner *l, const struct project_result *r)
{
    struct grade_result receipt = {.receipt = r->receipt};
    struct error e;
    struct learn_event x = {
        .kind = LEARN_PROJECT,
        .work = r->program,
        .outcome = r->outcome,
        .quick = r->redacted,
        .receipt = r->id,
        .points = r->points,
        .of = r->of,
        .level = r->level < 0 ? 0 : r->level,
        .seed = r->seed,
        .spent_ns = r->spent_ns,
        .figures = r->figures,
        .figure_count = r->figure_count,
    };
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        x.levels[i] = r->criteria[i].shown;
        x.most[i] = r->criteria[i].most;
    }
    memcpy(receipt.id, r->id, sizeof(receipt.id));
    if (learn_receipt_keep(&l->course, &receipt, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    return learner_add(l, &x);
}

static void put_json(struct buffer *out, const struct project_result *r)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "project", r->program);
    json_text(&j, "outcome", learn_outcome_word(r->outcome));
    json_text(&j, "why", r->why);
    json_integer(&j, "points", r->points);
    json_integer(&j, "of", r->of);
    json_integer(&j, "most", r->most);
    json_array_begin(&j, "criteria");
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        json_object_begin(&j, NULL);
        json_text(&j, "name", learn_criteria[i]);
        json_integer(&j, "weight", learn_criterion_weights[i]);
        if (r->criteria[i].shown < 0)
            json_null(&j, "computed");
        else
            json_integer(&j, "computed", r->criteria[i].shown);
        json_integer(&j, "most", r->criteria[i].most);
        json_text(&j, "found", r->criteria[i].found);
        json_text(&j, "lift", r->criteria[i].lift);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_text(&j, "receipt", r->id);
    json_number(&j, "seconds", (double)r->spent_ns / 1e9);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static void put_criterion(struct buffer *out, size_t i, const struct project_criterion *c, size_t width)
{
    buffer_printf(out, "\n%s (%u): ", learn_criteria[i], learn_criterion_weights[i]);
    if (c->shown >= 0)
        buffer_printf(out, "level %d computed, %d at most\n", c->shown, c->most);
    else
        buffer_printf(out, "to be judged, %d at most\n", c->most);
    for (const char *at = c->found; *at != '\0';) {
        size_t size = strcspn(at, "\n");
        char line[1200];
        snprintf(line, sizeof(line), "%.*s", (int)size, at);
        buffer_append_string(out, "  ");
        cmd_put_words(out, line, 2, 4, width);
        at += size + (at[size] == '\n');
    }
    if (c->lift[0] != '\0') {
        buffer_append_string(out, "  to lift it: ");
        cmd_put_words(out, c->lift, 14, 4, width);
    }
}

/* What is held down and weighs most, first what weighs on the outcome. */
static void put_next(struct buffer *out, const struct learner *l, const struct project_result *r)
{
    const struct project_criterion *worst = NULL;
    unsigned most = 0;
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        const struct project_criterion *c = &r->criteria[i];
        int level = c->shown >= 0 ? c->shown : c->most;
        unsigned lost = (unsigned)(3 - level) * learn_criterion_weights[i];
        if (c->lift[0] != '\0' && lost > most) {
            worst = c;
            most = lost;
        }
    }
    if (r->outcome == GRADE_PASSED || r->redacted)
        buffer_printf(out, "\nnext: pitviper learn %s\n", l->state.work.reviewed < LEARN_WORKS ? "review" : "report");
    else if (r->outcome == GRADE_BROKEN && r->why[0] != '\0' && r->of == 0)
        buffer_printf(out, "\nnext: put that right, then pitviper learn project check\n");
    else if (worst != NULL)
        buffer_printf(out, "\nnext: %s\n", worst->lift);
    else
        buffer_append_string(out, "\nnext: pitviper learn project check\n");
}

static void put_result(struct buffer *out, const struct project_result *r)
{
    size_t width = (size_t)cmd_width(STDOUT_FILENO);
    buffer_printf(out, "%s: project %s", grade_outcome_text(r->outcome), r->program);
    if (r->why[0] != '\0') {
        buffer_append_string(out, ", ");
        put_safe(out, r->why);
    }
    buffer_append_byte(out, '\n');
    for (size_t i = 0; i < LEARN_CRITERIA; i++)
        put_criterion(out, i, &r->criteria[i], width);
    buffer_printf(
        out, "\ncomputed: %u of %u points; with what is to be judged %u of 100 at most\n", r->points, r->of, r->most);
    if (strcmp(r->program, "own") == 0)
        buffer_append_string(out, "it ran as you, without the sandbox: it is your own program\n");
    else if (r->level >= 0)
        buffer_printf(out, "what was timed, and your gate, ran as you; all else in the sandbox, level %d\n", r->level);
}

static int check(struct learner *l, const struct options *o)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(fd_close) int turn = -1;
    const volatile sig_atomic_t *stop = waiting_watch_interrupts();
    char folder[LEARN_PATH_MAX];
    struct learner_python python;
    struct project_result r;
    struct error e = {""};
    buffer_init(&out, OUTPUT_MAX);
    int status = project_folder(l, folder);
    if (status != 0)
        return status;
    if (learner_python_find(o->python, &l->state, &python, &e) < 0 ||
        learn_turn_take(&l->course, clock_monotonic_ns() + TURN_NS, stop, &turn, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    const struct project_options how = {
        .folder = folder,
        .python = python.path,
        .version = python.version,
        .level_most = o->level,
        .budget_ns = o->budget_ns,
        .seed = o->seed,
        .reviews = l->state.work.reviewed,
        .anchored = l->state.work.anchored,
        .stop = stop,
        .progress = on_progress,
    };
    int done = project_check(&how, &r, &e);
    waiting_hide();
    if (done < 0)
        return *stop ? cmd_fail_text(CMD_INTERRUPTED, "the check was interrupted and counts for nothing")
                     : cmd_fail(CMD_FAILED, &e);
    status = keep(l, &r);
    if (o->json) {
        put_json(&out, &r);
    } else {
        put_result(&out, &r);
        if (status == 0)
            buffer_printf(&out, "receipt %.8s, %.0f s\n", r.id, (double)r.spent_ns / 1e9);
        put_next(&out, l, &r);
    }
    int printed = cmd_print(STDOUT_FILENO, &out);
    status = status != 0 ? status : printed != 0 ? printed : learner_status(r.outcome);
    project_result_release(&r);
    return status;
}

/* ---- the verb ---- */

static int learn_project_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct options o = {.level = SANDBOX_LEVEL_BEST};
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    const char *word = used < argc ? argv[used] : "";
    bool known = word[0] == '\0' || strcmp(word, "start") == 0 || (strcmp(word, "check") == 0 && argc == used + 1);
    if (!known)
        return cmd_fail_text(CMD_USAGE, "learn project: alone, 'start NAME' or 'check'; not '%.60s'", word);
    int status = learner_open(NULL, &l);
    if (status != 0)
        return status;
    if (strcmp(word, "start") == 0)
        return start(&l, &o, argc - used - 1, argv + used + 1);
    return word[0] == '\0' ? say_where(&l) : check(&l, &o);
}

static const char *const levels[] = LEARNER_LEVELS;
static const struct cmd_option project_options[] = {
    {"budget", 0, CMD_DURATION, offsetof(struct options, budget_ns), "TIME",
        "of the verdict; a second size and the A/A run have half of it each (default 1m)", NULL},
    {"seed", 0, CMD_COUNT, offsetof(struct options, seed), "N", "the same inputs and copies again (default: drawn)",
        NULL},
    {"sandbox-level", 0, CMD_CHOICE, offsetof(struct options, level), NULL,
        "no more protection than this (default: what the machine has)", levels},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE", "the Python (default: that of 'learn start')",
        NULL},
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "check: print one JSON object", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_project_verb = {
    .name = "learn project",
    .synopsis = "[start weblog|finder|clinic | start own FOLDER | check]",
    .summary = "the final project: lay it down, and what of its rubric can be computed",
    .options = project_options,
    .details =
        "Alone it says where the project stands. 'check' takes some minutes: it compares behaviour, runs your check "
        "on\n"
        "broken copies and your gate on a slowed one, and measures. What takes judgement is bounded, not judged.\n"
        "Exit status of check: 0 passed, 1 not passed, 4 not settled, 3 it could not be done.",
    .run = learn_project_run,
};
