/* `learn next`, `hint` and `solution`: a lab laid down, and what may be seen of it when. */
#include "cmd/cmd.h"
#include "cmd/learner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)4 << 20)

struct options {
    const char *python;
};

/* ---- next ---- */

/* The lab that `next` without a name means: the open one again, else the first core lab that is not passed. */
static const struct grade_lab *choose(const struct learner *l)
{
    if (l->state.lab != NULL)
        return l->state.lab->lab;
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->core && !l->state.labs[i].passed)
            return l->state.labs[i].lab;
    return NULL;
}

/* One that could be taken instead: its id, or "". */
static const char *another(const struct learner *l, const struct grade_lab *lab)
{
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab != lab && l->state.labs[i].lab->core && !l->state.labs[i].begun)
            return l->state.labs[i].lab->id;
    return "";
}

static void put_stretch(struct buffer *out, const struct learner *l)
{
    bool any = false;
    for (size_t i = 0; i < l->state.count; i++) {
        const struct learn_lab_state *s = &l->state.labs[i];
        if (s->lab->core || s->passed)
            continue;
        buffer_append_string(out, any ? "" : "labs beyond the core, each by 'pitviper learn next ID':\n");
        buffer_printf(out, "  %s  %s (about %u minutes)\n", s->lab->id, s->lab->title, s->lab->minutes);
        any = true;
    }
}

static void put_begun(
    struct buffer *out, const struct learner *l, const struct grade_lab *lab, const struct learn_laid *laid)
{
    char path[LEARN_PATH_MAX];
    buffer_printf(out, "lab %s, %s: about %u minutes%s\n", lab->id, lab->title, lab->minutes,
        laid->written == 0 && lab->kind != GRADE_ANSWERS ? "; its files are there, and were left as they are" : "");
    if (learner_file(l, lab, "README.md", path) == 0) {
        buffer_append_string(out, "its story: ");
        learner_put_path(out, path);
    }
    if (learner_file(l, lab, learn_lab_file(lab), path) == 0) {
        buffer_append_string(out, lab->kind == GRADE_PROGRAM ? "\nyour files: " : "\nyour file: ");
        learner_put_path(out, path);
    }
    if (lab->kind != GRADE_PROGRAM) {
        buffer_append_string(out, "\nits lesson: ");
        learner_put_lesson(out, lab->module);
    }
    buffer_append_string(out, "\n");
}

static int lay(struct learner *l, const struct grade_lab *lab, const struct learner_python *python, struct buffer *out)
{
    const struct learn_lab_state *s = learn_state_find(&l->state, lab->id);
    struct learn_event x = {.kind = LEARN_BEGIN, .lab = lab->id};
    struct learn_laid laid;
    struct error e;
    char path[LEARN_PATH_MAX];
    bool there = learner_file(l, lab, learn_lab_file(lab), path) == 0 && access(path, F_OK) == 0;
    /* Questions stay as they are while they are there: whoever asks again by mistake has not lost their answers. A
     * variant is drawn once. */
    bool draws = lab->kind == GRADE_ANSWERS ? !(there && s != NULL && s->seed != 0)
                                            : lab->kind == GRADE_PROGRAM && (s == NULL || s->seed == 0);
    if (draws && getrandom(&x.seed, sizeof(x.seed), 0) != (ssize_t)sizeof(x.seed))
        return cmd_fail_text(CMD_FAILED, "there are no random numbers: %s", strerror(errno));
    x.seed |= x.seed != 0;
    uint64_t seed = x.seed == 0 && s != NULL && lab->kind == GRADE_PROGRAM ? s->seed : x.seed;
    if (learn_lab_lay(&l->course, lab, seed, python->path, &laid, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int status = s != NULL && s->begun && x.seed == 0 ? 0 : learner_add(l, &x);
    if (status == 0)
        put_begun(out, l, lab, &laid);
    return status;
}

static int next_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct learner_python python;
    struct options o = {.python = NULL};
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    int status = learner_begin(verb, argc, argv, used, &l, NULL);
    if (status != 0)
        return status;
    bool open = l.state.lab != NULL && l.state.lab->begun;
    const struct grade_lab *lab = used < argc ? learner_lab(&l, argv[used]) : choose(&l);
    if (lab == NULL && used < argc)
        return CMD_USAGE;
    if (lab == NULL) {
        put_stretch(&out, &l);
        learner_put_next(&out, &l);
        return cmd_print(STDOUT_FILENO, &out);
    }
    if (learner_python_find(o.python, &l.state, &python, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    status = learner_python_suits(lab, &python);
    if (status != 0)
        return status;
    if (used == argc && open)
        buffer_printf(&out, "lab %s is not passed yet; another one goes by its name: 'pitviper learn next %s'\n",
            lab->id, another(&l, lab));
    if (used == argc && l.state.step == LEARN_STEP_REFLECT)
        buffer_printf(&out, "the reflection on module %02u is still to be written: 'pitviper learn reflect %u'\n",
            l.state.module, l.state.module);
    status = lay(&l, lab, &python, &out);
    if (status != 0)
        return status;
    buffer_append_byte(&out, '\n');
    learner_put_next(&out, &l);
    int printed = cmd_print(STDOUT_FILENO, &out);
    return used == argc && open && printed == 0 ? CMD_NO : printed;
}

/* ---- hint ---- */

static int hint_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, NULL, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    const struct grade_lab *lab;
    int status = learner_begin(verb, argc, argv, used, &l, &lab);
    if (status != 0)
        return status;
    const struct learn_lab_state *s = learn_state_find(&l.state, lab->id);
    unsigned seen = s->hints < lab->hint_count ? s->hints : lab->hint_count;
    if (!s->begun)
        return cmd_fail_text(CMD_NO, "lab %s is not begun: 'pitviper learn next %s'", lab->id, lab->id);
    if (lab->hint_count == 0)
        return cmd_fail_text(CMD_NO, "lab %s has no hints", lab->id);
    unsigned from = seen, to = seen;
    if (seen == lab->hint_count)
        from = 0; /* all of them again */
    else
        to = seen + 1;
    struct learn_event x = {.kind = LEARN_HINT, .lab = lab->id, .step = to};
    status = to > seen ? learner_add(&l, &x) : 0;
    if (status != 0)
        return status;
    for (unsigned i = from; i < to; i++) {
        buffer_printf(&out, "hint %u of %u: ", i + 1, lab->hint_count);
        cmd_put_words(&out, lab->hints[i], 13, 0, (size_t)cmd_width(STDOUT_FILENO));
    }
    if (to == lab->hint_count)
        buffer_printf(
            &out, "there are no more; after a pass, 'pitviper learn solution %s' has what others wrote\n", lab->id);
    return cmd_print(STDOUT_FILENO, &out);
}

/* ---- solution ---- */

static int put_key(struct buffer *out, const struct learner *l, const struct learn_lab_state *s)
{
    struct learner_python python;
    struct error e;
    if (learner_python_find(NULL, &l->state, &python, &e) < 0 ||
        grade_program_key(s->lab, s->seed, python.path, out, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    return 0;
}

static int solution_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, NULL, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    int status = learner_begin(verb, argc, argv, used, &l, NULL);
    if (status != 0)
        return status;
    /* Without a name: that of this folder, else the one that was passed last. */
    char here[64];
    const struct learn_lab_state *s = NULL;
    learn_lab_here(&l.course, ".", here, sizeof(here));
    for (size_t i = 0; used == argc && here[0] == '\0' && i < l.state.count; i++)
        if (l.state.labs[i].passed && (s == NULL || l.state.labs[i].touched_ns > s->touched_ns))
            s = &l.state.labs[i];
    const struct grade_lab *lab = s != NULL ? s->lab : learner_lab(&l, used < argc ? argv[used] : NULL);
    if (lab == NULL)
        return used < argc ? CMD_USAGE : CMD_FAILED;
    s = learn_state_find(&l.state, lab->id);
    if (!s->passed)
        return cmd_fail_text(CMD_NO,
            "lab %s is not passed yet; its solution is shown after that, and 'pitviper learn hint' before", lab->id);
    const struct grade_file *text = grade_lab_file(lab, "solution.md");
    if (text == NULL && lab->kind != GRADE_PROGRAM)
        return cmd_fail_text(CMD_FAILED, "lab %s has no solution text", lab->id);
    struct learn_event x = {.kind = LEARN_SOLUTION, .lab = lab->id};
    status = s->solution ? 0 : learner_add(&l, &x);
    if (status == 0 && text == NULL)
        status = put_key(&out, &l, learn_state_find(&l.state, lab->id));
    if (status != 0)
        return status;
    if (text != NULL)
        buffer_append(&out, text->data, text->size);
    for (unsigned i = 0; i < lab->reference_count; i++) {
        const struct grade_file *f = grade_lab_file(lab, lab->references[i]);
        if (f == NULL)
            continue;
        buffer_printf(&out, "\n## %s\n\n```python\n", strrchr(lab->references[i], '/') + 1);
        buffer_append(&out, f->data, f->size);
        buffer_append_string(&out, "```\n");
    }
    return cmd_print(STDOUT_FILENO, &out);
}

static const struct cmd_option next_options[] = {
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE", "the Python (default: that of 'learn start')",
        NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_next_verb = {
    .name = "learn next",
    .synopsis = "[--python EXE] [LAB]",
    .summary = "lay down the next lab, or the one that you name",
    .options = next_options,
    .details = "What lies in your folder is never overwritten: remove or rename your file to get the starter again.\n"
               "Without a name, a lab that is open stays the next one, and the exit status is 1.",
    .run = next_run,
};
const struct cmd_verb learn_hint_verb = {
    .name = "learn hint",
    .synopsis = "[LAB]",
    .summary = "one hint more: where to look, then which idea, then almost the code",
    .run = hint_run,
};
const struct cmd_verb learn_solution_verb = {
    .name = "learn solution",
    .synopsis = "[LAB]",
    .summary = "after you have passed: what was slow, and two good ways out",
    .run = solution_run,
};
