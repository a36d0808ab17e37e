/*
 * bench: what one subject takes. A command is run again and again; a function is called in batches in several fresh
 * processes, and each process is asked whether and from when on it was in a steady state. Beside it, what the machine
 * did meanwhile that a figure may owe its spread to.
 *
 * Times are seconds, memory is bytes. docs/bench.md says which estimators, and why.
 */
#ifndef PITVIPER_BENCH_H
#define PITVIPER_BENCH_H

#include "prove/prove.h"
#include "stats/stats.h"

#define BENCH_RUNS_MAX 1000
#define BENCH_CONFIDENCE 0.95

/* ---- the machine: noise.c ---- */
#define BENCH_NOISE_MAX 12
struct bench_noise_item {
    char key[24]; /* "steal", "load", "clock", "frequency", "turbo", "smt", "quota", "pressure", "guest" */
    bool matters; /* enough to be in the figures; then there is advice */
    char text[160], advice[160];
};
struct bench_noise {
    struct bench_noise_item items[BENCH_NOISE_MAX];
    size_t count;
};
struct bench_ticks { /* of all CPUs, since boot; from /proc/stat, in clock ticks */
    double busy, idle, steal, throttled, pressure_us;
    double at; /* seconds */
};
/* `root` is put before /proc and /sys: "" but for tests. What is not there is left out. */
void bench_noise_begin(const char *root, struct bench_ticks *ret);
/* own_cpu: CPU seconds that the runs took themselves since `from`. */
void bench_noise_end(const char *root, const struct bench_ticks *from, double own_cpu, struct bench_noise *ret);

/* ---- one subject ---- */
struct bench_figure {
    struct stats_interval centre; /* Hodges-Lehmann over the processes, with its interval */
    double deviation;             /* standard deviation between processes */
    double within;                /* the median, over processes, of the deviation within; 0: one value a process */
    double least, p5, p25, median, p75, p95, most; /* of all values */
};
struct bench_process {          /* a fresh process of a function */
    struct stats_steady steady; /* its classes: STATS_FLAT, STATS_WARM_UP, ... */
    double warm_up;             /* seconds of calls until it was steady; NAN where it never was */
    double level;               /* the median of its steady batches, or of its last half */
};
enum bench_metric { BENCH_WALL, BENCH_CPU, BENCH_METRICS };
struct bench_result {
    bool function;
    struct bench_figure figures[BENCH_METRICS]; /* of one call of a function, or one run of a command */
    double *values;                             /* of the wall time: a command's runs, a function's steady batches */
    size_t value_count;
    struct bench_process *processes; /* functions only */
    size_t process_count;            /* or runs of a command */
    size_t classes[4];               /* processes by stats_steady_kind */
    bool steady;                     /* most processes reached a steady state */
    uint64_t loops;                  /* calls a batch */
    size_t batches;                  /* a process */
    bool have_start;
    struct stats_interval start; /* functions: until one can be called; commands: an empty run of their interpreter */
    char start_of[64];           /* whose: "python3.13 -c pass" */
    double memory, memory_most, minor_faults, major_faults, voluntary, involuntary; /* of a process: medians */
    double own_cpu;                                                                 /* of all runs together */
    uint64_t spent_ns;
    bool interrupted;
};
struct bench_options {
    uint64_t budget_ns, timeout_ns; /* 0: 10 s, and 60 s of one process */
    uint32_t runs;                  /* 0: of a function 10 processes, of a command what the budget holds, 10 to 100 */
    void (*progress)(void *context, const char *stage, size_t done, size_t planned);
    void *context;
};
/* Ended by the runner's `stop`: 0 with `interrupted` if there are two processes, else -ECANCELED. */
int bench_measure(struct prove_runner *runner, const struct prove_subject *s, const struct bench_options *options,
    struct bench_result **ret, struct error *e);
void bench_free(struct bench_result *r); /* accepts NULL */

/* "flat", "warm-up", "slowdown", "no steady state" */
const char *bench_class_words(enum stats_steady_kind kind);

#endif
