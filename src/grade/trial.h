/* One fresh process of somebody's source on one input, and the maker of inputs, which runs the lab's cases.py the same
 * way. Private to grade. */
#ifndef PITVIPER_GRADE_TRIAL_H
#define PITVIPER_GRADE_TRIAL_H

#include "grade/grade.h"
#include "grade/memo.h"
#include "grade/pace.h"

#define TRIAL_SOURCE_MAX ((size_t)1 << 20)
#define TRIAL_INPUT_MAX ((size_t)64 << 20)
#define TRIAL_WHY_MAX 1024

/* What every process of one check shares. */
struct runner {
    const struct grade_lab *lab;
    struct grade_memo *memo; /* the caller's; NULL */
    struct memo_machine machine;
    bool machine_is_shared; /* it is the memo's */
    int level_most;
    const volatile sig_atomic_t *stop;
    char place[512];          /* a folder of this check's own: lab/ and scratch/ in it are made anew for each process */
    struct buffer lab_module; /* pitviper_lab.py */
    char version[64];         /* "3.14.2 free-threaded", once something was made */
    unsigned minor;           /* 14 */
    bool in_memory;           /* that folder is: syncing to it costs nothing */
    bool own;                 /* the next processes are the lab's own code, and nothing compares their times */
    int level;                /* the lowest that a process of the learner's ran at */
    struct pace pace;         /* of the next samples, where it runs */
    uint32_t refused;         /* of the lab's allowances, those that the machine could not grant */
    void (*started)(void *context, pid_t child); /* for the next sample alone; NULL */
    void *context;
};
int runner_init(struct runner *s, const struct grade_lab *lab, const struct grade_options *o, struct error *e);
void runner_release(struct runner *s); /* removes its folder */

/* ---- sources ---- */
#define SOURCE_FILES_MAX 48u
struct source_file {
    const char *name; /* below the folder of the process: "overlaps.py", "parcelflow/flow.py" */
    const char *text;
    size_t size;
};
struct source { /* borrowed */
    const struct source_file *files;
    size_t count;
};

/* ---- inputs ---- */
struct input {
    const uint8_t *data, *shown; /* for the child, and as canonical bytes */
    size_t size, shown_size;
};
struct inputs {
    struct buffer payload;
    struct input *items;
    size_t count;
};
struct input_wish {
    uint64_t seed;
    unsigned size;
};
/* As many as wished for, by case(); or those of edges(). -EBADMSG where cases.py fails: the lab's fault. */
int inputs_make(struct runner *s, const struct input_wish *wishes, size_t count, struct inputs *ret, struct error *e);
int inputs_make_edges(struct runner *s, struct inputs *ret, struct error *e);
void trial_inputs_release(struct inputs *i);
/* What the lab's judge says of the answer; "" if it is right. */
int input_judge(
    struct runner *s, const struct input *input, const struct buffer *answer, struct buffer *ret_said, struct error *e);

/* The questions of an answers lab, as JSON; answered: with those answers that this machine has to measure. */
int questions_make(struct runner *s, uint64_t seed, bool answered, struct buffer *ret, struct error *e);

/* What the maker of a program makes of a seed: records as in harness/maker.py, places in *ret, which the caller
 * releases. */
int variant_make(struct runner *s, uint64_t seed, struct buffer *ret, struct reader *ret_at, struct error *e);

/* ---- samples ---- */
struct trial {
    enum grade_outcome outcome;  /* PASSED: there is an answer; WRONG: it raised; BROKEN, SLOW: out of time */
    char why[TRIAL_WHY_MAX];     /* lines, as the learner's code wrote them: not safe to print */
    struct buffer answer;        /* canonical bytes, checked */
    struct buffer digests;       /* of the heartbeats */
    double wall, cpu, peak, gap; /* as in gate_sample, but gross; peak NaN where none was seen. Beside a pacemaker, wall
                                    and cpu are what they would have been alone on a CPU of the usual pace. */
    size_t beats;
    uint64_t spent_ns;
};
/* 0 whatever the code did. Negative: the machine's fault, or -EINTR. ret is initialised here. */
int trial_run(struct runner *s, const struct source *source, const struct input *input, uint32_t hash_seed,
    uint64_t wall_ns, struct trial *ret, struct error *e);
/* The same of another function of the lab's file, without arguments. `first`: its scratch folder is new; it is left as
 * it is for the next one, and gone with the runner or by the next that is first. */
int trial_call(struct runner *s, const struct source *source, const char *function, bool first, uint64_t wall_ns,
    struct trial *ret, struct error *e);
void trial_release(struct trial *s);

#endif
