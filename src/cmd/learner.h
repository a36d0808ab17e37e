/* What the files of `learn` share: the learner's course, read; and what every answer ends with. Private to src/cmd. */
#ifndef PITVIPER_CMD_LEARNER_H
#define PITVIPER_CMD_LEARNER_H

#include "cmd/cmd.h"
#include "learn/learn.h"

#define LEARNER_PYTHON_LEAST 10 /* 3.10 */

struct learner_python {
    char path[LEARN_PATH_MAX]; /* of the executable, as it says itself */
    char version[64];          /* "3.12.1" */
    unsigned minor;
};
/* The one that was asked for; else that of this machine's last `start`; else the virtual environment's, python3, and
 * whatever else is there. -ENOTSUP: it is too old, or no CPython. */
int learner_python_find(
    const char *asked, const struct learn_state *state, struct learner_python *ret, struct error *e);

struct learner {
    struct learn_course course;
    struct learn_log log;
    struct learn_state state;
    const struct grade_lab *labs;
    size_t lab_count;
    bool elsewhere; /* it is not found from the current folder: the next command has to go there first */
};
/* Finds it, from this folder (NULL: the current one), and reads it. 0, or an exit status after having said what is
 * wrong. */
int learner_open(const char *from, struct learner *l);
/* Reads the log again. */
int learner_read(struct learner *l, struct error *e);
void learner_close(struct learner *l); /* accepts a zeroed one */
/* Adds the event and reads the log again; 0, or CMD_FAILED after having said what is wrong. */
int learner_add(struct learner *l, struct learn_event *x);
/* The lab of this name (an id, or a name); without one that of the current folder, else the one they are at, else the
 * last one. NULL after having said what is wrong. */
const struct grade_lab *learner_lab(const struct learner *l, const char *named);
/* What a verb that takes one lab begins with, its options parsed up to argv[used]: opens the course, and finds the lab
 * as learner_lab does (ret_lab NULL: the verb finds it itself). 0, or an exit status after having said what is wrong.
 */
int learner_begin(
    const struct cmd_verb *verb, int argc, char **argv, int used, struct learner *l, const struct grade_lab **ret_lab);
/* Where its file lies, for this lab: PATH of the lab's folder and NAME. -ENAMETOOLONG. */
int learner_file(const struct learner *l, const struct grade_lab *lab, const char *name, char ret[LEARN_PATH_MAX]);
/* Has this Python what the lab needs? 0, or CMD_FAILED after having said what is missing. */
int learner_python_suits(const struct grade_lab *lab, const struct learner_python *python);

/* The path as it is best typed here: below the current folder without that. */
void learner_put_path(struct buffer *out, const char *path);
/* "17 minutes" */
void learner_put_minutes(struct buffer *out, uint64_t ns);
/* Where they are, in two or three lines, and exactly one next command. */
void learner_put_where(struct buffer *out, const struct learner *l);
/* The next command alone: "next: pitviper learn check". */
void learner_put_next(struct buffer *out, const struct learner *l);
/* The lesson of a module: its path where the course's folder is found near the program, else where it is in the
 * repository. */
void learner_put_lesson(struct buffer *out, unsigned module);
/* Done as planned, or why not: an exit status for an outcome. */
int learner_status(enum grade_outcome outcome);

/* learn_check.c: one attempt; the caller releases ret. */
struct learner_check_options {
    const char *python;
    int level; /* SANDBOX_LEVEL_BEST unless forced */
    bool quick, json;
};
int learner_check(struct learner *l, const struct grade_lab *lab, const struct learner_check_options *o,
    const volatile sig_atomic_t *stop, struct grade_result *ret, struct error *e);

/* learn_report.c, learn_page.c: the completion report. */
void learner_put_report(
    struct buffer *out, const struct learner *l, const char *name); /* name: whose; NULL: not said */
void learner_put_page(struct buffer *out, const struct learner *l, const char *name);
/* learn_work.c: of these, the final project and the reviews; and in a line how both stand. */
void learner_put_work_line(struct buffer *out, const struct learner *l);
void learner_put_work(struct buffer *out, const struct learner *l);
void learner_put_work_page(struct buffer *out, const struct learner *l);

extern const struct cmd_verb learn_start_verb, learn_next_verb, learn_run_verb, learn_check_verb, learn_watch_verb,
    learn_hint_verb, learn_solution_verb, learn_reflect_verb, learn_project_verb, learn_review_verb,
    learn_progress_verb, learn_report_verb, learn_verify_verb;

/* --sandbox-level N, 0 to 4; -1: not said */
#define LEARNER_LEVELS                                                                                                 \
    {                                                                                                                  \
        "0", "1", "2", "3", "4", NULL                                                                                  \
    }

#endif
