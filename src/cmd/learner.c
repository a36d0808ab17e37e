/* What the files of `learn` share. */
#include "cmd/learner.h"
#include "history/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COURSE_FOLDER "course/performance-optimization-and-profiling"

int learner_read(struct learner *l, struct error *e)
{
    struct learn_log log;
    struct learn_state state;
    int r = learn_course_log(&l->course, &log, e);
    if (r < 0)
        return r;
    r = learn_state_compute(&log, l->labs, l->lab_count, l->course.machine, &state, e);
    if (r < 0) {
        learn_log_release(&log);
        return r;
    }
    learn_state_release(&l->state);
    learn_log_release(&l->log);
    l->log = log;
    l->state = state;
    return 0;
}

int learner_open(const char *from, struct learner *l)
{
    struct learn_course here = {.machine = ""};
    struct history_machine machine;
    struct error e;
    l->elsewhere = from != NULL && learn_course_find(NULL, &here, &e) < 0;
    int r = learn_course_find(from, &l->course, &e);
    l->elsewhere = l->elsewhere || (from != NULL && strcmp(here.root, l->course.root) != 0);
    if (r == 0)
        r = grade_labs(&l->labs, &l->lab_count, &e);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    history_machine_read(&machine);
    memcpy(l->course.machine, machine.id, sizeof(l->course.machine));
    return learner_read(l, &e) < 0 ? cmd_fail(CMD_FAILED, &e) : 0;
}

void learner_close(struct learner *l)
{
    learn_state_release(&l->state);
    learn_log_release(&l->log);
}

int learner_add(struct learner *l, struct learn_event *x)
{
    struct error e;
    int r = learn_log_add(&l->course, x, &e);
    if (r == 0)
        r = learner_read(l, &e);
    return r < 0 ? cmd_fail(CMD_FAILED, &e) : 0;
}

static const struct learn_lab_state *last_touched(const struct learner *l)
{
    const struct learn_lab_state *last = NULL;
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].begun && (last == NULL || l->state.labs[i].touched_ns > last->touched_ns))
            last = &l->state.labs[i];
    return last;
}

/* "4" and "04" are no lab, but one knows what is meant. "": something else is. */
static const char *first_of_module(const struct learner *l, const char *named)
{
    uint64_t module;
    if (parse_count(named, &module) < 0)
        return "";
    for (size_t i = 0; i < l->state.count; i++)
        if (l->state.labs[i].lab->module == module && l->state.labs[i].lab->kind != GRADE_PROGRAM)
            return l->state.labs[i].lab->id;
    return "";
}

const struct grade_lab *learner_lab(const struct learner *l, const char *named)
{
    char here[64];
    if (named != NULL) {
        const struct grade_lab *lab = grade_lab_find(named);
        const char *of_module = lab == NULL ? first_of_module(l, named) : "";
        if (of_module[0] != '\0')
            cmd_fail_text(CMD_USAGE, "%s is a module, and its first lab is %s: name that", named, of_module);
        else if (lab == NULL)
            cmd_fail_text(
                CMD_USAGE, "there is no lab '%.60s': 'pitviper learn progress' lists them, such as 3.1", named);
        return lab;
    }
    learn_lab_here(&l->course, ".", here, sizeof(here));
    const struct learn_lab_state *open = here[0] != '\0' ? learn_state_find(&l->state, here) : NULL;
    if (open == NULL && l->state.lab != NULL && l->state.lab->begun)
        open = l->state.lab;
    if (open == NULL)
        open = last_touched(l);
    if (open == NULL)
        cmd_fail_text(CMD_FAILED, "no lab is open: 'pitviper learn next' lays one down, or name one, such as 3.1");
    return open == NULL ? NULL : open->lab;
}

int learner_begin(
    const struct cmd_verb *verb, int argc, char **argv, int used, struct learner *l, const struct grade_lab **ret_lab)
{
    if (argc - used > 1)
        return cmd_fail_text(CMD_USAGE, "%s: name one lab, such as 3.1", verb->name);
    int status = learner_open(NULL, l);
    if (status != 0 || ret_lab == NULL)
        return status;
    *ret_lab = learner_lab(l, used < argc ? argv[used] : NULL);
    return *ret_lab != NULL ? 0 : used < argc ? CMD_USAGE : CMD_FAILED;
}

int learner_file(const struct learner *l, const struct grade_lab *lab, const char *name, char ret[LEARN_PATH_MAX])
{
    char folder[LEARN_PATH_MAX];
    int r = learn_lab_folder(&l->course, lab, folder);
    int size = snprintf(ret, LEARN_PATH_MAX, "%.*s/%s", (int)sizeof(folder), folder, name);
    return r < 0 || size < 0 || size >= (int)LEARN_PATH_MAX ? -ENAMETOOLONG : 0;
}

int learner_status(enum grade_outcome outcome)
{
    switch (outcome) {
    case GRADE_PASSED:
        return CMD_OK;
    case GRADE_WRONG:
    case GRADE_BROKEN:
    case GRADE_SLOW:
    case GRADE_UNREADABLE:
        return CMD_NO;
    case GRADE_UNRESOLVED:
        return CMD_UNSETTLED;
    case GRADE_FAULT:
        break;
    }
    return CMD_FAILED;
}

/* ---- what is told ---- */

void learner_put_path(struct buffer *out, const char *path)
{
    CLEANUP(free_pointer) char *here = realpath(".", NULL);
    size_t size = here == NULL ? 0 : strlen(here);
    if (size > 1 && strncmp(path, here, size) == 0 && path[size] == '/')
        path += size + 1;
    text_append_safe(out, path, strlen(path));
}

void learner_put_minutes(struct buffer *out, uint64_t ns)
{
    unsigned long long minutes = (ns + 30000000000u) / 60000000000u;
    buffer_printf(out, "%llu minute%s", minutes, minutes == 1 ? "" : "s");
}

/* The repository that this program was built in, if it still lies there. */
static bool find_repository(char ret[LEARN_PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", ret, LEARN_PATH_MAX - 1);
    if (size <= 0)
        return false;
    ret[size] = '\0';
    for (char *slash; (slash = strrchr(ret, '/')) != NULL;) {
        char course[LEARN_PATH_MAX + sizeof(COURSE_FOLDER) + 16];
        *slash = '\0';
        snprintf(course, sizeof(course), "%s/" COURSE_FOLDER "/README.md", ret);
        if (access(course, R_OK) == 0)
            return true;
    }
    return false;
}

void learner_put_lesson(struct buffer *out, unsigned module)
{
    char root[LEARN_PATH_MAX], path[2 * LEARN_PATH_MAX];
    const struct grade_module *m = grade_module(module);
    if (m == NULL)
        return;
    if (find_repository(root)) {
        snprintf(path, sizeof(path), "%s/" COURSE_FOLDER "/%s/README.md", root, m->folder);
        learner_put_path(out, path);
    } else {
        buffer_printf(out, COURSE_FOLDER "/%s/README.md in pitviper's repository", m->folder);
    }
}

void learner_put_next(struct buffer *out, const struct learner *l)
{
    static const char *const words[] = {
        [LEARN_STEP_NEXT] = "next",
        [LEARN_STEP_RUN] = "run",
        [LEARN_STEP_CHECK] = "check",
        [LEARN_STEP_REFLECT] = "reflect",
        [LEARN_STEP_CAPSTONE] = "next capstone",
        [LEARN_STEP_PROJECT] = "project",
        [LEARN_STEP_REVIEW] = "review",
        [LEARN_STEP_REPORT] = "report",
    };
    buffer_append_string(out, "next: ");
    if (l->elsewhere) {
        buffer_append_string(out, "cd ");
        text_append_word(out, l->course.root);
        buffer_append_string(out, " && ");
    }
    bool plays = l->state.step == LEARN_STEP_RUN && l->state.lab != NULL && l->state.lab->lab->kind == GRADE_PROGRAM;
    buffer_printf(out, "pitviper learn %s%s\n", words[l->state.step], plays ? " capstone SCENARIO" : "");
}

static void put_totals(struct buffer *out, const struct learner *l)
{
    unsigned core = 0, passed = 0, reflections = 0, stretch = 0;
    for (unsigned module = 1; module <= GRADE_MODULES; module++) {
        core += l->state.modules[module].core;
        passed += l->state.modules[module].core_passed;
        reflections += l->state.modules[module].reflection != NULL;
    }
    for (size_t i = 0; i < l->state.count; i++)
        stretch += !l->state.labs[i].lab->core && l->state.labs[i].passed;
    buffer_printf(out, "%u of %u core labs passed", passed, core);
    if (stretch > 0)
        buffer_printf(out, ", and %u more", stretch);
    buffer_printf(out, "; %u of %u reflections; ", reflections, GRADE_MODULES);
    learner_put_minutes(out, l->state.spent_ns);
    buffer_append_byte(out, '\n');
}

static void put_lab(struct buffer *out, const struct learner *l, const struct learn_lab_state *s)
{
    char path[LEARN_PATH_MAX];
    buffer_printf(out, "lab %s, %s: ", s->lab->id, s->lab->title);
    if (!s->begun)
        buffer_printf(out, "not begun, about %u minutes\n", s->lab->minutes);
    else if (s->last == NULL)
        buffer_append_string(out, s->unresolved > 0 ? "checked, and not settled yet\n"
                                  : s->runs > 0     ? "profiled, not checked yet\n"
                                                    : "begun, not profiled yet\n");
    else
        buffer_printf(out, "%s at the last of %u attempt%s%s\n", grade_outcome_text(s->last->outcome), s->attempts,
            s->attempts == 1 ? "" : "s", s->unsettled_last ? "; checked since, and not settled" : "");
    if (s->begun && learner_file(l, s->lab, learn_lab_file(s->lab), path) == 0) {
        buffer_append_string(out, "your file: ");
        learner_put_path(out, path);
        buffer_append_string(
            out, access(path, F_OK) < 0 ? " (it is not there: 'pitviper learn next' lays it down anew)\n" : "\n");
    }
}

/* What is left when the core labs are passed. */
static void put_beyond(struct buffer *out, const struct learn_state *s)
{
    buffer_append_string(out, "all core labs are passed, and all reflections written\n");
    if (s->step == LEARN_STEP_CAPSTONE)
        buffer_append_string(out, "the capstone comes next: a whole application, made faster\n");
    else if (s->step == LEARN_STEP_PROJECT)
        buffer_append_string(out, "the final project is left, and the reviews\n");
    else if (s->step == LEARN_STEP_REVIEW)
        buffer_printf(out, "%u of %u works are reviewed\n", s->work.reviewed, LEARN_WORKS);
}

void learner_put_where(struct buffer *out, const struct learner *l)
{
    const struct learn_state *s = &l->state;
    const struct grade_module *m = grade_module(s->module);
    buffer_append_string(out, "course: ");
    text_append_safe(out, l->course.root, strlen(l->course.root));
    buffer_append_byte(out, '\n');
    if (s->step < LEARN_STEP_CAPSTONE)
        buffer_printf(out, "module %02u of %02u, %s\n", s->module, GRADE_MODULES, m == NULL ? "" : m->title);
    if (s->lab != NULL)
        put_lab(out, l, s->lab);
    else if (s->step == LEARN_STEP_REFLECT)
        buffer_append_string(out, "its core labs are passed; the reflection is to be written\n");
    else
        put_beyond(out, s);
    if (s->step == LEARN_STEP_NEXT && s->modules[s->module].core_passed == 0) {
        buffer_append_string(out, "its lesson first: ");
        learner_put_lesson(out, s->module);
        buffer_printf(out, " (%u minutes)\n", m == NULL ? 0 : m->reading_minutes);
    }
    put_totals(out, l);
    if (l->log.damaged > 0)
        buffer_printf(out, "%zu line%s of the log cannot be read and stand%s there as before\n", l->log.damaged,
            l->log.damaged == 1 ? "" : "s", l->log.damaged == 1 ? "s" : "");
    buffer_append_byte(out, '\n');
    learner_put_next(out, l);
}
