/*
 * learn: the learner's side of the course. A folder of theirs, an append-only log in it, and what follows from the log:
 * where they are, what comes next, what they have seen, tried and passed, and how long it took.
 *
 * The folder is known by a marker file and may be moved, renamed or copied. The log is the only truth: one JSON object
 * a line, each with a random id, so that the logs of two machines merge by union and a lost state is computed anew.
 * Lines of a kind that is not known are kept. Nothing in the folder decides a grade; labs are built into the program.
 *
 * What is on disk is hostile: everything has a cap, and texts may hold what a terminal should not get. Nothing here
 * prints. Texts are NUL-terminated and never NULL. One thread; any number of processes.
 */
#ifndef PITVIPER_LEARN_H
#define PITVIPER_LEARN_H

#include "grade/grade.h"

#define LEARN_LOG_MAX ((size_t)64 << 20)   /* bytes of a log */
#define LEARN_LINE_MAX ((size_t)128 << 10) /* bytes of one line; longer ones count as damaged */
#define LEARN_EVENTS_MAX 100000u
#define LEARN_TEXT_MAX ((size_t)16 << 10) /* bytes of a reflection */
#define LEARN_SHORT_MAX 256u              /* bytes of any other text of an event */
#define LEARN_FIGURES_MAX 32u
#define LEARN_CRITERIA 8u /* of the rubric of the final project; the last is the reviews that were given */
#define LEARN_WORKS 3u    /* to review, alone */
#define LEARN_RECEIPT_MAX ((size_t)4 << 20)
#define LEARN_RECORDING_MAX ((size_t)256 << 20)
#define LEARN_PATH_MAX 4096u
#define LEARN_WAIT_NS UINT64_C(5000000000)     /* for another process that writes the log */
#define LEARN_BREAK_NS UINT64_C(1800000000000) /* a longer time between two events was a break, and is not counted */

/* ---- folder.c: where the course of this learner is ---- */
struct learn_course {
    char root[LEARN_PATH_MAX]; /* absolute */
    char machine[17];          /* who writes: history_machine.id, or any other hexadecimal name */
};
/* From this folder upwards (NULL: the current one), then in ./pitviper-course below it. -ENOENT: there is none. */
int learn_course_find(const char *from, struct learn_course *ret, struct error *e);
/* Makes the folder (NULL: ./pitviper-course) and its marker. -EEXIST: it is a course already, and ret is that. */
int learn_course_make(const char *folder, struct learn_course *ret, struct error *e);
/* A path below the root. -ENAMETOOLONG. */
int learn_path(const struct learn_course *c, char ret[LEARN_PATH_MAX], const char *format, ...) PRINTF_LIKE(3, 4);
/* A file of the course that is there whole or not at all, on disk when this returns. Makes its folder. Replaces a file
 * of this name only with `replace`; without it -EEXIST. */
int learn_file_write(const char *path, const void *data, size_t size, bool replace, struct error *e);
/* receipts/ID.json, and recordings/ID.pit where it is not empty. */
int learn_receipt_keep(const struct learn_course *c, const struct grade_result *r, struct error *e);
/* Held while something is measured: checks of one course take turns. -EAGAIN at until_ns, -ECANCELED by *stop. */
int learn_turn_take(
    const struct learn_course *c, uint64_t until_ns, const volatile sig_atomic_t *stop, int *ret_fd, struct error *e);

/* ---- event.c: one line of the log ---- */
enum learn_kind {
    LEARN_OTHER,      /* of another version: kept, and not read */
    LEARN_START,      /* python, version */
    LEARN_SELF_CHECK, /* right, of */
    LEARN_BEGIN,      /* lab, and the seed of its questions; or work, the project: it was laid down */
    LEARN_RUN,        /* lab, recording */
    LEARN_CHECK,      /* lab, outcome, quick, receipt, points, right, of, seed, level, spent_ns, figures */
    LEARN_WATCH,      /* lab, of: how many quick checks */
    LEARN_HINT,       /* lab, step: from 1 on */
    LEARN_SOLUTION,   /* lab */
    LEARN_REFLECT,    /* module, receipt, text */
    LEARN_PROJECT,    /* work: "weblog" or "own"; outcome, receipt, points, of, levels, most, level, spent_ns, figures;
                         quick: not reproduced, since it cannot be run or shown */
    LEARN_REVIEW,     /* work: "first", or the name of somebody's; levels, right (sentences with an anchor), of, text */
    LEARN_KINDS,
};
/* What the figures of a checked capstone begin with; estimates of its gates come after these. */
enum learn_capstone_figure {
    LEARN_CAPSTONE_FOUND, /* bottlenecks that were named, of so many, */
    LEARN_CAPSTONE_PLANTS,
    LEARN_CAPSTONE_RIGHT, /* and how many of those that were named as one are right */
    LEARN_CAPSTONE_NAMED,
    LEARN_CAPSTONE_SCENARIOS, /* that meet their limit, of so many; the day's gates the same */
    LEARN_CAPSTONE_OF_SCENARIOS,
    LEARN_CAPSTONE_DAY,
    LEARN_CAPSTONE_OF_DAY,
    LEARN_CAPSTONE_FIGURES
};
struct learn_event {
    char id[33]; /* 128 random bits */
    char machine[17];
    uint64_t time_ns; /* since the epoch */
    enum learn_kind kind;
    const char *lab, *receipt, *recording, *python, *version, *text, *work; /* "": none */
    unsigned module, step, points, right, of;
    int level;
    bool quick;
    enum grade_outcome outcome;
    uint64_t seed, spent_ns;
    const double *figures; /* what the receipt measured: each gate's estimate and interval */
    unsigned figure_count;
    int8_t levels[LEARN_CRITERIA], most[LEARN_CRITERIA]; /* of the rubric, 0 to 3: reached, and possible; -1: open */
    const char *line;                                    /* as it stands in the log, without its end */
    size_t line_size;
};
/* -EBADMSG: no event. Texts live in the arena; `line` is borrowed. */
int learn_event_parse(const char *line, size_t size, struct arena *a, struct learn_event *ret);
/* With the line's end. */
int learn_event_put(struct buffer *out, const struct learn_event *x);
const char *learn_outcome_word(enum grade_outcome outcome); /* as in the log: "passed", "slow" */
/* "a1b2..." without anything that is no hexadecimal digit, 32 of them. */
bool learn_id_valid(const char *text);

/* ---- log.c ---- */
struct learn_log {
    struct arena arena;
    struct buffer text;
    struct learn_event *events; /* each id once, by time and id: the same for the same events, however they came here */
    size_t count, capacity;
    size_t damaged; /* lines that are no event; they are left where they are */
};
/* An empty log where there is no file. -E2BIG, -EFBIG: beyond the caps. */
int learn_log_read(const char *path, struct learn_log *ret, struct error *e);
void learn_log_release(struct learn_log *l);
/* x->id, time_ns and machine are set here. On disk when this returns; on failure the log is as it was. A last line that
 * was torn by a crash gets its end first. */
int learn_log_add(const struct learn_course *c, struct learn_event *x, struct error *e);
/* What `other` (a course's folder, or a log) has and this one has not, receipts and recordings too. */
struct learn_merged {
    size_t events, receipts, damaged;
};
int learn_log_merge(const struct learn_course *c, const char *other, struct learn_merged *ret, struct error *e);
int learn_course_log(const struct learn_course *c, struct learn_log *ret, struct error *e); /* its own */

/* ---- state.c: what follows from the log ---- */
struct learn_lab_state {
    const struct grade_lab *lab;
    bool begun, passed, solution;          /* solution: it was shown */
    unsigned hints, runs, attempts;        /* attempts: resolved ones */
    unsigned unresolved;                   /* and faults of the grader: they count neither way */
    bool unsettled_last;                   /* the newest check was one of these */
    const struct learn_event *best, *last; /* resolved attempts: the best stands. NULL: none */
    uint64_t spent_ns, touched_ns;
    uint64_t seed; /* of the questions, or of the variant, that lie in the folder */
};
struct learn_module_state {
    unsigned core, core_passed;
    const struct learn_event *reflection; /* the newest; NULL: none */
    uint64_t spent_ns;                    /* reading and reflecting, not the labs */
};
struct learn_work_state {                  /* what is done besides the labs */
    const struct learn_event *begun;       /* the project that was laid down last; NULL: none */
    const struct learn_event *best, *last; /* checks of it that were settled; NULL: none */
    const struct learn_event *redacted;    /* the last that was not reproduced, by their own word; NULL: none */
    const struct learn_event
        *reviews[LEARN_WORKS];           /* the first that was kept of each: the reference was not seen then */
    unsigned checks, reviewed, anchored; /* anchored: sentences of those reviews */
};
/* The one next thing. CAPSTONE, PROJECT and REVIEW come when the core labs and reflections are done. */
enum learn_step {
    LEARN_STEP_NEXT,
    LEARN_STEP_RUN,
    LEARN_STEP_CHECK,
    LEARN_STEP_REFLECT,
    LEARN_STEP_CAPSTONE,
    LEARN_STEP_PROJECT,
    LEARN_STEP_REVIEW,
    LEARN_STEP_REPORT,
};
struct learn_state {
    struct learn_lab_state *labs; /* in the course's order; free() by learn_state_release */
    size_t count;
    struct learn_module_state modules[GRADE_MODULES + 1]; /* by number */
    enum learn_step step;                                 /* the one next thing */
    const struct learn_lab_state *lab;                    /* NEXT, RUN, CHECK: which; NULL with the others */
    unsigned module;                                      /* where they are: 1 to 9 */
    const struct learn_event *self_check;
    const struct learn_event *start; /* the last of this machine, else the last; NULL: none */
    uint64_t spent_ns;               /* all of it */
    struct learn_work_state work;
};
/* Events are borrowed from the log. */
int learn_state_compute(const struct learn_log *log, const struct grade_lab *labs, size_t count, const char *machine,
    struct learn_state *ret, struct error *e);
void learn_state_release(struct learn_state *s);
struct learn_lab_state *learn_state_find(const struct learn_state *s, const char *lab_id);

/* ---- work.c: the final project and the reviews, in the log ---- */
extern const char *const learn_work_names[LEARN_WORKS];        /* "first", "second", "third" */
extern const char *const learn_criteria[LEARN_CRITERIA];       /* as in the rubric */
extern const unsigned learn_criterion_weights[LEARN_CRITERIA]; /* 100 together */
extern const char *const learn_projects[];                     /* supplied: "weblog" ...; NULL at the end */
bool learn_project_supplied(const char *name);

/* ---- review.c: one review, as it is written ---- */
#define LEARN_REVIEW_CRITERIA 7u /* the last of the rubric is about these reviews */
struct learn_review {
    int8_t levels[LEARN_REVIEW_CRITERIA]; /* -1: none given */
    bool placed[LEARN_REVIEW_CRITERIA];   /* its sentence names a place */
    bool first;                           /* it says what to do first */
    unsigned sentences, anchored;         /* anchored: `file:line`, a receipt's id or a recording */
    size_t words;
};
/* A file of the work that a review may name: report.md, after/weblog.py. */
struct learn_work_file {
    const char *name, *text;
    size_t size;
};
/* Reads the table of criteria and "To the author, first". An anchor to a line counts where the work has that line. The
 * receipts are the log's; NULL: none. Text that is no review gives one in which all is missing. */
void learn_review_read(const char *text, size_t size, const struct learn_work_file *files, size_t count,
    const struct learn_log *log, struct learn_review *ret);
/* What is missing, a line each; nothing where it is whole. */
void learn_review_missing(const struct learn_review *r, struct buffer *out);

/* ---- lay.c: a lab in the learner's folder ---- */
struct learn_laid {
    char folder[LEARN_PATH_MAX];
    unsigned written, kept; /* files: what is there is never overwritten */
};
/* Where this lab lies: by its marker, so that a renamed folder is found. The usual place where it lies nowhere. */
int learn_lab_folder(const struct learn_course *c, const struct grade_lab *lab, char ret[LEARN_PATH_MAX]);
/* The lab that this folder, or one above it within the course, belongs to: its id, or "". */
void learn_lab_here(const struct learn_course *c, const char *folder, char *ret_id, size_t size);
/* README.md, the starter, and the stand-in pitviper_lab.py where it is used; for answers, the questions of this seed (a
 * filled-in answers file is moved aside); for the capstone the variant of this seed, twice, and what plays it. Never
 * references or mutants. */
int learn_lab_lay(const struct learn_course *c, const struct grade_lab *lab, uint64_t seed, const char *python,
    struct learn_laid *ret, struct error *e);
/* The file that the learner changes, by name; of the capstone the folder of its package. */
const char *learn_lab_file(const struct grade_lab *lab);

/* ---- reflect.c ---- */
#define LEARN_WORDS_LEAST 60u
/* What is asked after this module: the brief's own after 02, 04, 07 and 09. */
const char *learn_reflect_question(unsigned module);
size_t learn_reflect_words(const char *text);
/* Has it the words, the id of one of the log's receipts (8 digits of it are enough), and a figure of that receipt?
 * 0 and that check; -EINVAL and e, which says what is missing. */
int learn_reflect_check(const struct learn_log *log, const char *text, const struct learn_event **ret, struct error *e);

/* ---- questions.c: the self-check of what the course takes for granted ---- */
struct learn_question {
    const char *text;
    const char *choices[4]; /* NULL behind the last */
    unsigned right;         /* index */
    const char *refresh;    /* what to read again */
};
extern const struct learn_question learn_questions[];
extern const size_t learn_question_count;

#endif
