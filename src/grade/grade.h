/*
 * grade: the course's labs, and the judge of what was made of them. A lab passes when the answers are right on inputs
 * that nobody has seen, and every gate of its manifest is settled in the learner's favour.
 *
 * The parent owns clock, seeds, inputs, reference and verdict; the child returns data. Every program, the starter and
 * the references too, runs in the sandbox, one fresh process a sample, through the harness (harness/). Measured times
 * go to the verdict of the room `stats`; there is no second procedure. docs/grading.md.
 *
 * Labs are built into the program (tools/embed-course, from course/...), so that an edited or missing file on disk
 * changes no grade. Times are nanoseconds, memory is bytes, ratios are t(learner) over t(starter) unless said. One
 * thread. Nothing here prints. What learners wrote is hostile: their source, their answers, what they print.
 */
#ifndef PITVIPER_GRADE_H
#define PITVIPER_GRADE_H

#include "sandbox/sandbox.h"
#include "stats/stats.h"

/* ---- course.c: the embedded course ---- */
struct grade_file {   /* one file of the labs, the project or the reviews; embedded, never freed */
    const char *path; /* below the course's folder: "03-algorithm-optimization/labs/3.1-interval-overlaps/lab.json" */
    const char *data; /* a NUL behind it */
    size_t size;
};
extern const struct grade_file grade_files[]; /* by path, as bytes; the last has path NULL */
const struct grade_file *grade_file_find(const char *path);
struct grade_module {
    unsigned number;            /* 1 to 9 */
    const char *folder, *title; /* "03-algorithm-optimization", "Algorithm Optimization" */
    unsigned reading_minutes;   /* words of its README.md at 180 a minute, rounded */
};
#define GRADE_MODULES 9
extern const struct grade_module grade_modules[];         /* the last has number 0 */
const struct grade_module *grade_module(unsigned number); /* NULL: none */

/* ---- lab.c: manifests ---- */
enum grade_lab_kind {
    GRADE_CODE,    /* one file to make better */
    GRADE_ANSWERS, /* questions about programs to be profiled, drawn anew at each attempt */
    GRADE_PROGRAM, /* the capstone: a package of files, of which each learner has a variant; findings and scenarios */
};
enum grade_oracle {
    GRADE_BY_STARTER,   /* slow, and right */
    GRADE_BY_REFERENCE, /* the starter is wrong in something */
    GRADE_BY_JUDGE,     /* cases.py: judge(random, args, answer) says what is wrong */
};
enum grade_gate_kind {
    GRADE_SPEED,         /* t(starter) / t(learner) at least `limit`, 1.5 to 3.5, at `sizes[0]` */
    GRADE_REACH,         /* at a larger size, CPU time at most `limit` times the reference's */
    GRADE_GROWTH,        /* exponent of CPU time over `sizes`: at most 1.3 passes, at least 1.7 fails */
    GRADE_NOT_SLOWER,    /* fails only if t(learner) / t(starter) lies wholly above `limit` */
    GRADE_MEMORY,        /* peak over the starter's, both net of a null run, at most `limit` */
    GRADE_NOT_FATTER,    /* as NOT_SLOWER, of peaks */
    GRADE_MEMORY_GROWTH, /* slope of the peak over `sizes` (epochs) at most `limit` of the starter's */
    GRADE_GAP, /* the longest time between heartbeats over the starter's, medians over processes, at most `limit` */
    GRADE_PARALLEL, /* at least `limit` of the speed-up that the reference reaches here and now; where that is
                       under 1.3 this machine cannot grade it */
};
#define GRADE_GATES_MAX 10
#define GRADE_SIZES_MAX 8
#define GRADE_CASE_SIZES_MAX 32
#define GRADE_MUTANTS_MAX 16
#define GRADE_REFERENCES_MAX 4
#define GRADE_HINTS_MAX 8
#define GRADE_HOT_MAX 4
struct grade_gate {
    enum grade_gate_kind kind;
    double limit;
    unsigned sizes[GRADE_SIZES_MAX], size_count;
    const char *hint; /* the one next action where it is missed */
};
enum grade_outcome {
    GRADE_PASSED,
    GRADE_WRONG,      /* an answer is not right, or the code raised */
    GRADE_BROKEN,     /* it could not be run: syntax, import, function missing, killed by a limit, a wrong type */
    GRADE_SLOW,       /* a gate is missed */
    GRADE_UNREADABLE, /* fast, but far longer or more tangled than the reference */
    GRADE_UNRESOLVED, /* not settled: try again; counts neither way */
    GRADE_FAULT,      /* the grader's or the machine's; counts neither way */
};
struct grade_mutant {
    const char *file;            /* below the lab's folder: "mutants/hard_coded.py" */
    enum grade_outcome expected; /* WRONG, BROKEN, SLOW or UNREADABLE */
};
#define GRADE_DAY "day" /* the gates of this name count by themselves */
struct grade_scenario { /* what a program's gate is about */
    const char *name;
    bool disk; /* it is about syncing to a disk: where files are in memory, nothing can be told */
};
struct grade_lab {
    const char *id, *name, *title; /* "3.1", "interval-overlaps", "Interval overlaps"; both names "capstone" */
    const char *folder;            /* as in the course: "03-algorithm-optimization/labs/3.1-interval-overlaps" */
    unsigned module, minutes;
    bool core, slow; /* slow: a check may take 60 s, else 20 s; a program's 300 s */
    enum grade_lab_kind kind;
    enum grade_oracle oracle;
    unsigned python_minor; /* least; 10 for 3.10 */
    uint32_t allow;        /* enum sandbox_allowance */
    const char *python_why;
    const char *file, *function; /* code: the learner's file and what is called in it; program: ours beside it */
    const char *questions;       /* answers: "questions.py" */
    double tolerance;            /* relative, of floats in answers; 0: exact */
    uint64_t service_delay_ns;   /* 0: no service */
    unsigned service_at_once;    /* more requests at a time wait their turn, */
    bool service_refuses;        /* or are refused */
    unsigned case_count, case_size_count, gate_count, reference_count, mutant_count, hot_count, hint_count;
    unsigned case_sizes[GRADE_CASE_SIZES_MAX];
    struct grade_gate gates[GRADE_GATES_MAX];
    struct grade_scenario scenarios[GRADE_GATES_MAX]; /* program: of each gate; all 0 else */
    const char *references[GRADE_REFERENCES_MAX];
    struct grade_mutant mutants[GRADE_MUTANTS_MAX];
    const char *hot[GRADE_HOT_MAX];     /* the starter's hot functions, as qualified names */
    const char *hints[GRADE_HINTS_MAX]; /* from a vague one to almost the code */
    const struct grade_file *files;     /* all of its folder, by path; paths begin with `folder` */
    size_t file_count;
};
/* All labs, in the course's order. They are parsed once and kept; -EBADMSG and e for a manifest that is none. */
int grade_labs(const struct grade_lab **ret, size_t *ret_count, struct error *e);
/* By id, name or folder. NULL: none. */
const struct grade_lab *grade_lab_find(const char *text);
/* A lab that is being written, from its folder on disk. free() is grade_lab_free(). */
int grade_lab_load(const char *folder, struct grade_lab **ret, struct error *e);
void grade_lab_free(struct grade_lab *lab);
/* A file of the lab by its path below the lab's folder: "README.md". NULL: none. */
const struct grade_file *grade_lab_file(const struct grade_lab *lab, const char *path);
/* What lies beside the learner's file: the stand-in of pitviper_lab. False: the lab needs none. */
bool grade_lab_stand_in(const struct grade_lab *lab, struct buffer *into);

/* ---- check.c: one attempt ---- */
/* What several checks of one lab by one Python need but once: how the machine is, and, for inputs that come again (of
 * the same seed), what the lab's own code makes of them. No learner's program is ever in it. */
struct grade_memo *grade_memo_new(void); /* NULL: no memory, which is a memo that keeps nothing */
void grade_memo_free(struct grade_memo *m);
struct grade_options {
    const char *python;      /* an executable of 3.10 or later */
    const char *source;      /* path of the learner's file (code), answers (answers) or package (program) */
    const char *questions;   /* answers: the folder where the questions and their programs were laid down;
                                 program: that of findings.json and the recordings */
    uint64_t seed;           /* of inputs: 0 draws one; answers: that of the questions; program: of the variant */
    bool quick;              /* `watch`: correctness and one pair, provisional, 3 s; program: 60 s, without findings */
    bool untimed;            /* and quick: correctness and readability, no gate; what is slow is passed */
    uint64_t most_ns;        /* of the whole check; 0: as it is quick, and as the lab is slow */
    int level_most;          /* SANDBOX_LEVEL_BEST unless forced */
    struct grade_memo *memo; /* NULL: of this check alone */
    const volatile sig_atomic_t *stop;
    void (*progress)(void *context, const char *stage, unsigned done, unsigned of);
    void *context;
};
struct grade_gate_result {
    const struct grade_gate *gate;
    enum grade_outcome outcome;    /* PASSED, SLOW, UNRESOLVED or FAULT */
    struct stats_interval measure; /* in the gate's own unit */
    unsigned samples;
    double cpus; /* parallel: how many the learner's runs kept busy; 0: not known */
};
struct grade_named { /* of one kind of finding: how many were named, and how many of these are right */
    unsigned named, right;
};
struct grade_program { /* what the capstone is passed by, its behaviour apart */
    struct grade_named repair, remove, leave;
    unsigned found, plants; /* bottlenecks that a right finding names, of so many */
    unsigned refused;       /* findings whose recording does not count, and those of no function */
    bool findings_pass;
    unsigned scenarios, scenarios_passed, scenarios_missed, scenarios_wanted; /* gates; the rest is not settled */
    unsigned day, day_passed, day_missed;
};
struct grade_result {
    enum grade_outcome outcome;
    struct grade_gate_result gates[GRADE_GATES_MAX];
    unsigned gate_count; /* those that were come to */
    double readability;  /* 0 to 1, relative to the reference */
    unsigned points;     /* 0 to 100: performance 70, readability 30; 0 unless right */
    unsigned right, cases;
    struct grade_program program;
    int level; /* of the sandbox */
    bool provisional;
    uint64_t seed, spent_ns;
    char id[33];             /* of the receipt: 128 bits in hexadecimal */
    struct buffer feedback;  /* at most 12 lines of text (program: 24) and one next action; safe to print */
    struct buffer receipt;   /* JSON: what ran, where, level, seed, hashes of the sources, intervals, outcome */
    struct buffer recording; /* of a run of the learner's code where a gate was missed; empty else */
    struct buffer input; /* code: the arguments of a call that the feedback had to shorten, as Python writes a tuple;
                            empty else, and where they are too long for this, too */
};
/* 0 when there is a result, whatever its outcome; ret is initialised here. Negative: it could not even be begun (no
 * such file, no such Python). */
int grade_check(const struct grade_lab *lab, const struct grade_options *o, struct grade_result *ret, struct error *e);
void grade_result_release(struct grade_result *r);
const char *grade_outcome_text(enum grade_outcome outcome); /* "passed", "wrong answer", ... */

/* ---- receipt.c ---- */
/* What a receipt says of the machine: system, release, machine and cores. No name. */
void grade_put_system(struct json *j);

/* ---- questions.c: answers labs ---- */
/* Writes the questions of this seed and their programs into the folder, and an answers file to be filled in. */
int grade_questions_write(
    const struct grade_lab *lab, uint64_t seed, const char *python, const char *folder, struct error *e);

/* ---- program.c: the capstone ---- */
#define GRADE_PROGRAM_FOLDER "app/parcelflow"          /* the learner's, below the lab's */
#define GRADE_PROGRAM_UNTOUCHED "untouched/parcelflow" /* the same variant once more, to compare with */
/* Writes the variant of this seed into both folders, and what plays it beside them. What is there stays as it is, and
 * is counted by *kept. */
int grade_program_write(const struct grade_lab *lab, uint64_t seed, const char *python, const char *folder,
    unsigned *ret_written, unsigned *ret_kept, struct error *e);
/* What was planted in it, for after a pass, as text. */
int grade_program_key(
    const struct grade_lab *lab, uint64_t seed, const char *python, struct buffer *into, struct error *e);

/* ---- readability.c ---- */
/* How readable a source is beside another: 0 to 1, and in one line what costs most ("" where nothing does); neither is
 * run. -EBADMSG where the other one cannot be measured. docs/grading.md. */
int grade_readability(const char *python, const char *source, size_t size, const char *other, size_t other_size,
    double *ret_share, char *why, size_t why_size);

#endif
