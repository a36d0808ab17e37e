/*
 * project: the final project of the course. What was handed in, and as much of the rubric as can be computed:
 * behaviour, the check's and the gate's outcomes, the verdict, the readability, the recordings that the report cites.
 * What takes judgement is only bounded from above: "at most 2, because ...". docs/project.md.
 *
 * A supplied program and what was made of it run in the sandbox, but for what is timed (room `prove`) and for the gate,
 * which times too. A program of the learner's own runs as they run it. What lies in the folder is hostile: caps on
 * everything. Times are nanoseconds, ratios are t(after) over t(before). One thread. Nothing here prints.
 */
#ifndef PITVIPER_PROJECT_H
#define PITVIPER_PROJECT_H

#include "learn/learn.h"
#include "prove/prove.h"

#define PROJECT_FOLDER "project"
#define REVIEWS_FOLDER "reviews"
#define PROJECT_WORDS_MAX 32u            /* of one list of project.json */
#define PROJECT_WORD_MAX 1000u           /* bytes of a word */
#define PROJECT_MANIFEST_MAX (64u << 10) /* bytes of project.json */
#define PROJECT_REPORT_MAX (256u << 10)  /* bytes of report.md */
#define PROJECT_FILES_MAX 200u           /* of before/ or after/ */
#define PROJECT_FILE_MAX (1u << 20)      /* bytes of one of them */
#define PROJECT_HEADINGS 9u
#define PROJECT_RECORDINGS_MAX 16u /* cited, that are looked at */
#define PROJECT_CLAIMS_MAX 8u
#define PROJECT_WORDS_LEAST 600u
#define PROJECT_WORDS_MOST 1500u
#define PROJECT_PLANTED 0.5 /* of the CPU time of a run: the slowdown that the gate has to catch */

/* A plain file of the folder, through no link at its name, up to into's maximum. -EMEDIUMTYPE, -EFBIG, -ENOENT, ... */
int project_file_read(const char *folder, const char *name, struct buffer *into);

/* ---- manifest.c: project.json ---- */
struct project_words {
    const char *items[PROJECT_WORDS_MAX + 1]; /* NULL at the end */
    size_t count;
};
struct project_manifest {
    const char *program;          /* "weblog", "finder", "clinic" or "own" */
    const char *python;           /* "3.12"; "": not said */
    struct project_words command; /* its first word is a Python file of before/ and of after/ */
    struct project_words make;    /* the same; writes the inputs into the current folder. None: there is one input */
    struct project_words inputs;  /* files of the project's folder that it reads */
    struct project_words dependencies;
    struct project_words behaviour; /* files that it writes; none: what it prints */
    struct project_words check, gate, second_tool;
    enum prove_metric metric; /* of the verdict: wall or CPU */
    bool redacted;            /* of one's own: others cannot run it or may not see it, so that nothing of it is run */
};
/* Texts live in the arena. -EBADMSG and what is wrong with it. */
int project_manifest_parse(
    const char *text, size_t size, struct arena *a, struct project_manifest *ret, struct error *e);

/* ---- report.c: report.md ---- */
extern const char *const project_headings[PROJECT_HEADINGS];
struct project_report {
    size_t words; /* without code, comments and headings */
    bool there[PROJECT_HEADINGS];
    size_t section_words[PROJECT_HEADINGS];
    unsigned figures[PROJECT_HEADINGS]; /* numbers with a unit or a fraction */
    bool interval, memory, sizes;       /* "How much faster?" has "(a to b)"; names memory; names two sizes */
    bool second_tool;                   /* it shows what cProfile, tracemalloc or timeit prints */
    char recordings[PROJECT_RECORDINGS_MAX][128];
    size_t recording_count;
    double claims[PROJECT_CLAIMS_MAX]; /* "7.4 times as fast" */
    size_t claim_count;
};
void project_report_read(const char *text, size_t size, struct project_report *ret);

/* ---- lay.c ---- */
/* project/ with before/, after/, project.json and report.md: of a supplied program, or of one's own, whose files are
 * copied from the folder `own` into both. python: "3.12". -EEXIST: a project lies there, and nothing was written. */
int project_lay(const struct learn_course *c, const char *name, const char *own, const char *python,
    struct learn_laid *ret, struct error *e);
/* reviews/ with the three works, the programs as they were, and forms; never the reference. What is there stays. */
int project_lay_reviews(const struct learn_course *c, struct learn_laid *ret, struct error *e);
/* The reference review of a work ("first"), and its files as a reviewer may name them. */
const struct grade_file *project_reference(const char *work);
size_t project_work_files(const char *work, struct learn_work_file *files, size_t most);

/* ---- look.c: where it stands, without running anything ---- */
struct project_look {
    bool there;       /* a project.json lies there */
    char program[32]; /* "" where project.json cannot be read */
    char wrong[400];  /* what is wrong with project.json; "" */
    bool changed;     /* after/ is another program than before/ */
    bool check, gate, second_tool;
    size_t recordings; /* NAME.pit that the report cites and that are there */
    struct project_report report;
};
int project_look(const char *folder, struct project_look *ret, struct error *e);

/* ---- check.c ---- */
struct project_options {
    const char *folder;           /* the project's */
    const char *python, *version; /* its path, and "3.12.1" */
    int level_most;               /* SANDBOX_LEVEL_BEST unless forced */
    uint64_t budget_ns;         /* of the verdict; the second size and the A/A run have half of it each. 0: a minute */
    uint64_t seed;              /* of the inputs; 0: drawn */
    unsigned reviews, anchored; /* what was kept of the learner's own reviews */
    const volatile sig_atomic_t *stop;
    void (*progress)(void *context, const char *stage);
    void *context;
};
struct project_criterion {
    int8_t shown, most; /* 0 to 3; shown -1: nothing of it is computed, and it is to be judged */
    char found[1200];   /* what was found, a line each, safe to print */
    char lift[400];     /* what would lift it; "" where nothing that can be told would */
};
struct project_result {
    enum grade_outcome outcome;
    struct project_criterion criteria[LEARN_CRITERIA];
    unsigned points, of, most; /* points of what is computed, of how many; and what all criteria allow together */
    double figures[LEARN_FIGURES_MAX];
    unsigned figure_count;
    bool redacted;
    char program[32], why[400]; /* why: one line, where it is neither passed nor told by a criterion */
    int level;                  /* of the sandbox; -1: nothing ran in it */
    uint64_t seed, spent_ns;
    char id[33];
    struct buffer receipt; /* JSON */
};
/* 0 when there is a result; negative: it could not be begun, or was interrupted (-ECANCELED). ret is initialised. */
int project_check(const struct project_options *o, struct project_result *ret, struct error *e);
void project_result_release(struct project_result *r);

#endif
