/*
 * prove: is B faster than A? Fresh processes, run in blocks under control, judged by the room `stats`.
 *
 * A runner starts one process (or some at once) and says what it took. A subject is what to run: a command or a Python
 * function. A checkout is one git revision set aside. An experiment runs two subjects against each other until the
 * verdict is settled or the budget spent. `bench`, `scale`, `gate` and `bisect` build on the first three.
 *
 * Times are nanoseconds, memory is bytes. One thread uses a runner. Nothing here prints.
 */
#ifndef PITVIPER_PROVE_H
#define PITVIPER_PROVE_H

#include "base/base.h"
#include "stats/stats.h"

#include <signal.h>

/* ---- runner: starts processes through a small spawner, since ru_maxrss survives exec: a child of a large process
 * would be charged with that process's peak. Open it before anything large is allocated. ---- */
struct prove_runner;

int prove_runner_open(struct prove_runner **ret, struct error *e);
void prove_runner_close(struct prove_runner *r); /* accepts NULL; ends what still runs */
/* Once *stop is not 0, what runs is ended, and nothing more is run. NULL: never. */
void prove_runner_watch(struct prove_runner *r, const volatile sig_atomic_t *stop);

#define PROVE_AT_ONCE_MAX 4
#define PROVE_OUTPUT_HEAD (64u << 10) /* kept of stdout and of stderr; all of it is counted and hashed */
#define PROVE_ANSWER_MAX (16u << 20)  /* what a harness may answer */
#define PROVE_ANSWER_FD 3             /* where it answers */
#define PROVE_PADDING_MAX 4096        /* bytes of environment: layout luck is drawn anew for each process */

struct prove_process { /* zeroed but for argv: our environment, folder and CPUs, no input, no limit */
    char *const *argv; /* argv[0] is looked up on the path unless it has a slash */
    const char *folder;
    const char *const *environment; /* "NAME=VALUE" put over ours, NULL-terminated */
    const char *input;              /* a file for stdin; NULL: /dev/null */
    uint64_t timeout_ns;
    int cpu;
    uint32_t hash_seed;
    uint32_t padding; /* bytes of environment */
    bool pinned;      /* to `cpu` and no other */
    bool seeded;      /* PYTHONHASHSEED from hash_seed, unless the user has set it */
    bool answers;     /* PROVE_ANSWER_FD is a pipe whose bytes come back */
    bool watched;     /* its threads and processes are counted, a hundred times a second: not for timing */
};
struct prove_output {
    uint64_t size, hash; /* of all of it */
    size_t kept, last;   /* bytes of the head; those of the tail, which begins in the middle of a line */
    char *head;          /* at most PROVE_OUTPUT_HEAD, not terminated */
    char tail[512];      /* the end of it */
};
struct prove_run {
    int status; /* as wait4 gives it */
    bool timed_out, interrupted;
    bool queued_known;           /* whether this kernel tells queued_ns */
    uint64_t begun_ns;           /* CLOCK_MONOTONIC */
    uint64_t wall_ns;            /* from before the fork to after its end, by the spawner's CLOCK_MONOTONIC */
    uint64_t user_ns, system_ns; /* with those of all its descendants */
    uint64_t queued_ns;          /* of wall_ns: its first thread was ready to run, and another one had the CPU */
    uint64_t memory;             /* the largest peak of one of its processes */
    uint64_t minor_faults, major_faults, voluntary, involuntary; /* context switches: */
    uint32_t leftovers;                                          /* descendants that outlived it, and were ended */
    uint32_t threads, processes;                                 /* most at once, where it was watched; else 0 */
    struct prove_output out, err;
    struct buffer answer;
};
/* Runs `count` processes at the same time, waits for them and for all their descendants. 0 where all were started, even
 * if they failed, hung or were interrupted; then ret[0 .. count) are to be released. */
int prove_run(
    struct prove_runner *r, const struct prove_process *what, size_t count, struct prove_run *ret, struct error *e);
void prove_run_release(struct prove_run *run); /* accepts a zeroed one */
/* 0, or says in one line how the run failed, with the last line of its stderr: "'python a.py' failed with status 1:
 * ...". -ECANCELED: interrupted. */
int prove_run_check(const struct prove_run *run, const char *name, struct error *e);

/* ---- subject: what is run ---- */
enum prove_kind {
    PROVE_COMMAND,
    PROVE_FUNCTION,
};
struct prove_subject_options { /* all of it is borrowed */
    const char *python;        /* for functions and scripts; NULL: chosen as `run` does */
    const char *setup;         /* functions: an expression in the module's namespace, whose value is the argument */
    const char *args;          /* functions: a file that holds a JSON list, the arguments */
    const char *names;         /* functions: a JSON object of further names that the set-up sees; NULL: none */
    const char *folder;        /* NULL: ours */
    const char *input;         /* commands: a file for stdin */
    const char *const *environment;
};
struct prove_subject {
    enum prove_kind kind;
    const char *name;  /* as the user gave it */
    char *const *argv; /* commands: what is run; functions: {python, NULL} */
    bool shell;        /* commands: argv is sh -c NAME */
    struct prove_subject_options options;
    struct arena arena;
};
/* `text` is a function if it is one word MODULE:NAME or FILE.py:NAME; else a command, split at blanks with the quotes
 * of the shell; text with other syntax of the shell ($ ; & | < > ( ) ` * ? [ ~ # and assignments in front) goes through
 * sh -c. A script (.py) as the first word gets an interpreter before it. */
int prove_subject_new(
    const char *text, const struct prove_subject_options *options, struct prove_subject **ret, struct error *e);
/* A command whose words are split already. */
int prove_subject_new_command(
    char *const *argv, const struct prove_subject_options *options, struct prove_subject **ret, struct error *e);
void prove_subject_free(struct prove_subject *s); /* accepts NULL */
/* Where its python is a script that starts another one (the shims of pyenv and asdf), puts that one in its place, so
 * that the script is not measured too. Asks it once who it is. */
int prove_subject_resolve(struct prove_runner *r, struct prove_subject *s, struct error *e);

/* ---- functions: a harness of Python text, run as `python -c HARNESS SPEC` in a fresh process ---- */
/* src/prove/harness/subject.py: finds the function, makes its arguments, times batches, answers in JSON; it runs
 * nothing by itself. A harness is this text and a driver behind it, such as prove_harness_measure. */
extern const char prove_harness_subject[], prove_harness_measure[];
/* Runs subject and driver with a spec of the function's facts and of `extra` (the inside of a JSON object, such as
 * "\"sizes\":[1,2]", or NULL). The answer is checked: what the harness says has gone wrong (no such module, arguments
 * that it needs, an exception) comes back as the error. `how`: all but argv, environment, folder and answers is taken.
 */
int prove_harness_run(struct prove_runner *r, const struct prove_subject *s, const char *driver, const char *extra,
    const struct prove_process *how, struct prove_run *ret, struct error *e);

struct prove_batches {
    uint64_t loops;     /* calls a batch */
    uint64_t start;     /* nanoseconds until the function could be called: interpreter, imports */
    double *wall, *cpu; /* seconds a call, one of each batch, in order */
    size_t count;
    char *value; /* what one call returned, as repr, addresses blanked; its head. "" unless asked for */
    uint64_t value_hash;
};
struct prove_batch_options {
    uint64_t loops;    /* 0: calibrated, so that a batch takes batch_ns */
    uint64_t batch_ns; /* 0: 50 ms */
    uint32_t batches;  /* 0: 5 */
    bool value;
    bool shares; /* a CPU, with another run: wall times are without the waiting for it */
};
/* Runs a subject of either kind once; a command's process is a batch of one call. How it failed is the error.
 * `options` (for functions; NULL: the defaults) and `ret_run` may be NULL. */
int prove_subject_run(struct prove_runner *r, const struct prove_subject *s, const struct prove_batch_options *options,
    const struct prove_process *how, struct prove_batches *ret, struct prove_run *ret_run, struct error *e);
void prove_batches_release(struct prove_batches *b);

/* ---- git ---- */
/* `git WORDS...` in `folder` (NULL: ours), in English, with these variables more (NULL: none). Its output (the first
 * 64 KB) is appended; ret_status is its exit status, which is the caller's to judge; what it says on stderr goes into e
 * where that is not 0. -ECANCELED: interrupted. */
int prove_git(struct prove_runner *r, const char *folder, const char *const *environment, const char *const *words,
    struct buffer *out, int *ret_status, struct error *e);

/* ---- checkout: one revision in a temporary folder; nothing is written into the user's tree or repository ---- */
struct prove_checkout {
    char *root;           /* the revision's top folder */
    char *folder;         /* what is there where the user stands in his tree */
    char revision[65];    /* the commit's full name */
    char *environment[2]; /* PYTHONPATH with the checkout first, NULL */
    char *tree;           /* the user's own top folder */
};
int prove_checkout_new(struct prove_runner *r, const char *revision, struct prove_checkout **ret, struct error *e);
void prove_checkout_free(struct prove_checkout *c); /* accepts NULL; removes the folder */
/* Runs `sh -c COMMAND` in its folder. */
int prove_checkout_setup(struct prove_runner *r, const struct prove_checkout *c, const char *command, struct error *e);
/* Whether the tree that we stand in has uncommitted changes of tracked files. */
int prove_tree_dirty(struct prove_runner *r, bool *ret, struct error *e);
/* Runs the command once and looks where what it imports comes from. -EXDEV: from elsewhere, although the checkout has
 * it too (an editable install, an absolute path). */
int prove_checkout_probe(struct prove_runner *r, const struct prove_checkout *c, const struct prove_subject *s,
    uint64_t timeout_ns, struct error *e);

/* ---- experiment ---- */
enum prove_metric {
    PROVE_WALL,
    PROVE_CPU,
    PROVE_MEMORY,
    PROVE_METRICS,
};
enum prove_mode {
    PROVE_INTERLEAVED, /* one after the other, on any CPU */
    PROVE_PINNED,      /* one after the other, on one CPU */
    PROVE_DUET,        /* both at once, twice each, on one CPU, which they share in turns of some milliseconds */
};
struct prove_progress {
    const char *stage; /* "probe", "pilot", "blocks" */
    uint64_t runs, spent_ns, budget_ns;
    double ratio, low, high; /* of the metric asked for; NAN before there are any */
};
struct prove_options {
    enum prove_metric metric;
    double same, claim;  /* as parts: 0.01 is 1 % */
    uint64_t budget_ns;  /* of wall time, the pilot included; 0: the time of 40 runs of each, at least 15 s */
    uint64_t timeout_ns; /* of one process; 0: 60 s */
    uint64_t seed;       /* of every coin; 0: from the clock */
    uint32_t family;     /* how many comparisons are judged together: each look's tail is divided by it; 0: one */
    bool same_output;    /* compare what the two print or return */
    const volatile sig_atomic_t *stop;
    void (*progress)(void *context, const struct prove_progress *p);
    void *context;
};
struct prove_estimate { /* ratios of B to A */
    struct stats_decision decision;
    struct stats_twin twin;
    double a, b; /* medians of the runs: seconds (of a call, for functions) or bytes */
};
#define PROVE_NOTES_MAX 2048
struct prove_result {
    struct prove_estimate metrics[PROVE_METRICS]; /* the one asked for, and those beside it, Holm-corrected */
    enum prove_metric metric;
    enum prove_mode mode;
    char mode_why[160];   /* "A starts threads: nothing is pinned, and the two take turns" */
    bool clocks_disagree; /* wall and CPU time say opposite things, or only one of them a change */
    bool start_dominates; /* the runs end so soon that starting is most of what was timed */
    bool interrupted;
    uint32_t blocks, reruns; /* reruns: blocks run again, since another guest took the CPU */
    uint64_t runs, spent_ns, seed;
    /* means of the blocks: shares of time (pressure: NAN unknown, or of duets, which press each other), switches a
     * second */
    double steal, pressure, involuntary;
    char notes[PROVE_NOTES_MAX]; /* what else the user has to know, one a line */
};
/* -EXDEV where same_output is asked for and the two differ: e tells the first line that does. */
int prove_experiment(struct prove_runner *r, const struct prove_subject *a, const struct prove_subject *b,
    const struct prove_options *options, struct prove_result *ret, struct error *e);

/* ---- explain: fresh runs of both sides under the sampler, in turn, none of them timed ---- */
#define PROVE_RECORDINGS_MAX 20 /* of a side */
struct prove_explain_options {
    uint64_t timeout_ns; /* of one run; 0: none */
    uint64_t seed;       /* of the order; 0: from the clock */
    void (*progress)(void *context, size_t done, size_t of);
    void *context;
};
struct prove_recordings {
    char folder[256]; /* a temporary one; "": none */
    char *names[2][PROVE_RECORDINGS_MAX];
    size_t count; /* of a side */
};
/* Three to twenty recordings a side, by how long a run takes. Of functions each run makes as many calls, on both sides.
 * What is no Python, or ends at once, leaves a recording without samples. -ECANCELED: interrupted. */
int prove_record(struct prove_runner *r, const struct prove_subject *const subjects[2],
    const struct prove_explain_options *options, struct prove_recordings *ret, struct error *e);
void prove_recordings_release(struct prove_recordings *p); /* removes them; accepts a zeroed one */

#endif
