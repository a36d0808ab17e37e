/* `learn check`: one attempt. Its receipt is kept before its line in the log, which cites it, and both before anything
 * is told. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)8 << 20)
#define INPUT_NAME "wrong_input.py"
#define TURN_NS UINT64_C(90000000000)          /* longer than one check may take */
#define TURN_PROGRAM_NS UINT64_C(330000000000) /* and than one of the capstone, which another may wait for */

struct options {
    struct learner_check_options check;
};

static void on_progress(void *context, const char *stage, unsigned done, unsigned of)
{
    const struct grade_lab *lab = context;
    if (of > 1)
        waiting_show("lab %s: %s, %u of %u", lab->id, stage, done, of);
    else
        waiting_show("lab %s: %s", lab->id, stage);
}

int learner_check(struct learner *l, const struct grade_lab *lab, const struct learner_check_options *o,
    const volatile sig_atomic_t *stop, struct grade_result *ret, struct error *e)
{
    CLEANUP(fd_close) int turn = -1;
    const struct learn_lab_state *s = learn_state_find(&l->state, lab->id);
    struct learner_python python;
    char source[LEARN_PATH_MAX], folder[LEARN_PATH_MAX];
    int r = learner_python_find(o->python, &l->state, &python, e);
    if (r == 0 &&
        (learner_file(l, lab, learn_lab_file(lab), source) < 0 || learn_lab_folder(&l->course, lab, folder) < 0))
        r = error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    if (r == 0 && access(source, R_OK) < 0)
        r = error_set(e, errno, "cannot read %s: %s%s", source, strerror(errno),
            errno == ENOENT ? "; 'pitviper learn next' lays it down anew" : "");
    if (r == 0 && lab->kind != GRADE_CODE && s->seed == 0)
        r = error_set(e, ENOENT, "nothing was laid down for lab %s yet: 'pitviper learn next %s'", lab->id, lab->id);
    if (r == 0)
        r = learn_turn_take(&l->course, clock_monotonic_ns() + (lab->kind == GRADE_PROGRAM ? TURN_PROGRAM_NS : TURN_NS),
            stop, &turn, e);
    if (r < 0)
        return r;
    const struct grade_options how = {
        .python = python.path,
        .source = source,
        .questions = lab->kind != GRADE_CODE ? folder : NULL,
        .seed = lab->kind != GRADE_CODE ? s->seed : 0,
        .quick = o->quick,
        .level_most = o->level,
        .stop = stop,
        .progress = on_progress,
        .context = (void *)(uintptr_t)lab,
    };
    r = grade_check(lab, &how, ret, e);
    waiting_hide();
    return r;
}

/* ---- keeping ---- */

static unsigned take_capstone(const struct grade_result *r, double figures[LEARN_FIGURES_MAX])
{
    const struct grade_program *p = &r->program;
    unsigned count = LEARN_CAPSTONE_FIGURES;
    figures[LEARN_CAPSTONE_FOUND] = p->found;
    figures[LEARN_CAPSTONE_PLANTS] = p->plants;
    figures[LEARN_CAPSTONE_RIGHT] = p->repair.right;
    figures[LEARN_CAPSTONE_NAMED] = p->repair.named;
    figures[LEARN_CAPSTONE_SCENARIOS] = p->scenarios_passed;
    figures[LEARN_CAPSTONE_OF_SCENARIOS] = p->scenarios;
    figures[LEARN_CAPSTONE_DAY] = p->day_passed;
    figures[LEARN_CAPSTONE_OF_DAY] = p->day;
    for (unsigned i = 0; i < r->gate_count && count < LEARN_FIGURES_MAX; i++)
        if (isfinite(r->gates[i].measure.estimate))
            figures[count++] = r->gates[i].measure.estimate;
    return count;
}

static unsigned take_figures(const struct grade_result *r, double figures[LEARN_FIGURES_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < r->gate_count; i++) {
        const double all[] = {r->gates[i].measure.estimate, r->gates[i].measure.low, r->gates[i].measure.high};
        for (size_t k = 0; k < ARRAY_SIZE(all) && count < LEARN_FIGURES_MAX; k++)
            if (isfinite(all[k]))
                figures[count++] = all[k];
    }
    if (count == 0 && r->cases > 0) { /* answers, or an attempt that came to no gate */
        figures[count++] = r->right;
        figures[count++] = r->cases;
    }
    return count;
}

static int keep(struct learner *l, const struct grade_lab *lab, const struct grade_result *r, bool quick)
{
    double figures[LEARN_FIGURES_MAX];
    struct error e;
    struct learn_event x = {
        .kind = LEARN_CHECK,
        .lab = lab->id,
        .outcome = r->outcome,
        .quick = quick,
        .receipt = r->id,
        .points = r->points,
        .right = r->right,
        .of = r->cases,
        .level = r->level,
        .seed = r->seed,
        .spent_ns = r->spent_ns,
        .figures = figures,
        .figure_count = lab->kind == GRADE_PROGRAM ? take_capstone(r, figures) : take_figures(r, figures),
    };
    if (learn_receipt_keep(&l->course, r, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    return learner_add(l, &x);
}

/* After a settled attempt that did not pass: other questions, so that answers cannot be tried out one by one. */
static int ask_anew(struct learner *l, const struct grade_lab *lab, const char *python, struct buffer *out)
{
    struct learn_event x = {.kind = LEARN_BEGIN, .lab = lab->id};
    struct learner_python found;
    struct learn_laid laid;
    struct error e;
    if (getrandom(&x.seed, sizeof(x.seed), 0) != (ssize_t)sizeof(x.seed))
        return cmd_fail_text(CMD_FAILED, "there are no random numbers: %s", strerror(errno));
    x.seed |= 1;
    if (learner_python_find(python, &l->state, &found, &e) < 0 ||
        learn_lab_lay(&l->course, lab, x.seed, found.path, &laid, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    buffer_append_string(
        out, "new questions are in the lab's folder; your answers lie beside them, as answers-N.json\n");
    return learner_add(l, &x);
}

/* ---- telling ---- */

static void put_json_capstone(struct json *j, const struct grade_program *p)
{
    json_object_begin(j, "findings");
    json_integer(j, "found", p->found);
    json_integer(j, "of", p->plants);
    json_integer(j, "named", p->repair.named);
    json_integer(j, "right", p->repair.right);
    json_integer(j, "refused", p->refused);
    json_boolean(j, "passed", p->findings_pass);
    json_object_end(j);
    json_integer(j, "scenarios_passed", p->scenarios_passed);
    json_integer(j, "scenarios_missed", p->scenarios_missed);
    json_integer(j, "day_passed", p->day_passed);
}

static void put_json(struct buffer *out, const struct grade_lab *lab, const struct grade_result *r)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "lab", lab->id);
    json_text(&j, "outcome", learn_outcome_word(r->outcome));
    json_boolean(&j, "provisional", r->provisional);
    json_integer(&j, "points", r->points);
    json_integer(&j, "right", r->right);
    json_integer(&j, "cases", r->cases);
    json_integer(&j, "level", r->level);
    json_number(&j, "seconds", (double)r->spent_ns / 1e9);
    if (lab->kind == GRADE_PROGRAM)
        put_json_capstone(&j, &r->program);
    json_text(&j, "receipt", r->id);
    json_string(&j, "feedback", (const char *)r->feedback.data, r->feedback.size);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

/* The outcome's words, and nothing else, in colour: who sees none misses nothing. */
static void put_feedback(struct buffer *out, const struct grade_result *r)
{
    const char *colour = r->outcome == GRADE_PASSED             ? "\033[32m"
                         : learner_status(r->outcome) == CMD_NO ? "\033[31m"
                                                                : "\033[33m";
    const char *text = (const char *)r->feedback.data;
    const char *colon = r->feedback.size > 0 ? memchr(text, ':', r->feedback.size) : NULL;
    size_t size = colon != NULL && cmd_colour(STDOUT_FILENO) ? (size_t)(colon - text) : 0;
    if (size > 0)
        buffer_printf(out, "%s%.*s\033[0m", colour, (int)size, text);
    buffer_append(out, text + size, r->feedback.size - size);
}

static void put_kept(struct buffer *out, const struct grade_result *r)
{
    buffer_printf(out, "receipt %.8s, sandbox level %d, %.1f s%s\n", r->id, r->level, (double)r->spent_ns / 1e9,
        r->provisional ? "; provisional, it counts for nothing" : "");
}

/* The input of a wrong answer, where the feedback has room for a part of it only. */
static void put_input(
    const struct learner *l, const struct grade_lab *lab, const struct grade_result *r, struct buffer *out)
{
    CLEANUP(buffer_release) struct buffer text;
    char folder[LEARN_PATH_MAX], path[LEARN_PATH_MAX + sizeof(INPUT_NAME)];
    struct error e;
    buffer_init(&text, r->input.size + 4096);
    if (r->input.size == 0 || learn_lab_folder(&l->course, lab, folder) < 0)
        return;
    snprintf(path, sizeof(path), "%s/%s", folder, INPUT_NAME);
    buffer_printf(&text,
        "# The input that %s(*ARGUMENTS) had no right answer to, in the attempt of receipt %.8s.\nARGUMENTS = ",
        lab->function, r->id);
    buffer_append(&text, r->input.data, r->input.size);
    buffer_append_byte(&text, '\n');
    if (text.failed)
        return;
    if (learn_file_write(path, text.data, text.size, true, &e) < 0)
        buffer_printf(out, "the whole input is not kept: %s\n", e.text);
    else
        buffer_printf(out, "the whole input is in %s, for %s(*ARGUMENTS)\n", INPUT_NAME, lab->function);
}

static int check_lab(struct learner *l, const struct grade_lab *lab, const struct options *o)
{
    CLEANUP(buffer_release) struct buffer out;
    const volatile sig_atomic_t *stop = waiting_watch_interrupts();
    struct learner_python python;
    struct grade_result r;
    struct error e = {""};
    buffer_init(&out, OUTPUT_MAX);
    if (!learn_state_find(&l->state, lab->id)->begun)
        return cmd_fail_text(CMD_FAILED, "lab %s is not begun: 'pitviper learn next %s'", lab->id, lab->id);
    if (learner_python_find(o->check.python, &l->state, &python, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int status = learner_python_suits(lab, &python);
    if (status != 0)
        return status;
    if (learner_check(l, lab, &o->check, stop, &r, &e) < 0)
        return *stop ? cmd_fail_text(CMD_INTERRUPTED, "the check was interrupted and counts for nothing")
                     : cmd_fail(CMD_FAILED, &e);
    int kept = keep(l, lab, &r, o->check.quick);
    if (o->check.json) {
        put_json(&out, lab, &r);
    } else {
        put_feedback(&out, &r);
        if (kept == 0) {
            put_kept(&out, &r);
            put_input(l, lab, &r, &out);
        }
    }
    status = learner_status(r.outcome);
    if (kept == 0 && lab->kind == GRADE_ANSWERS && !o->check.quick && r.outcome == GRADE_WRONG)
        kept = ask_anew(l, lab, o->check.python, &out);
    grade_result_release(&r);
    int printed = cmd_print(STDOUT_FILENO, &out);
    return kept != 0 ? kept : printed != 0 ? printed : status;
}

static int check_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct options o = {.check = {.level = SANDBOX_LEVEL_BEST}};
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    const struct grade_lab *lab;
    int status = learner_begin(verb, argc, argv, used, &l, &lab);
    if (status != 0)
        return status;
    return check_lab(&l, lab, &o);
}

static const char *const levels[] = LEARNER_LEVELS;
static const struct cmd_option check_options[] = {
    {"quick", 'q', CMD_FLAG, offsetof(struct options, check.quick), NULL,
        "in about 3 seconds (of the capstone a minute), and provisional: right or wrong, and one look at each gate",
        NULL},
    {"sandbox-level", 0, CMD_CHOICE, offsetof(struct options, check.level), NULL,
        "no more protection than this (default: what the machine has)", levels},
    {"python", 0, CMD_TEXT, offsetof(struct options, check.python), "EXE",
        "the Python (default: that of 'learn start')", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct options, check.json), NULL, "print one JSON object", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_check_verb = {
    .name = "learn check",
    .synopsis = "[options] [LAB]",
    .summary = "is it right, and is it fast? The attempt is kept; the best one stands",
    .options = check_options,
    .details =
        "Exit status: 0 passed, 1 not passed, 4 not settled (try again), 3 it could not be checked. The last two\n"
        "count neither way. Without a name it is the lab of the current folder, else the one that is open.",
    .run = check_run,
};
