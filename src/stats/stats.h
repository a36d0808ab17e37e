/*
 * stats: distributions, estimators with their intervals, tests, change points, and the sequential verdict. Pure:
 * numbers in, numbers out; no clock, no file, no global state. What is random is drawn from a seed, so that the same
 * data and seed give the same answer.
 *
 * What scipy has too agrees with it to 1e-9 (tests/e2e/test_stats.py). Data is borrowed, never changed, and must be
 * finite. 0 or -ENOMEM or -EINVAL (too few data, a level outside (0, 1)); ret_... are untouched on failure. Intervals
 * are two-sided at a `confidence` such as 0.95; a `tail` is the chance of both sides together. docs/verdict.md.
 */
#ifndef PITVIPER_STATS_H
#define PITVIPER_STATS_H

#include "base/base.h"

#define STATS_PAIRS_MAX 20000000u /* pairs that Hodges-Lehmann and Theil-Sen hold at once; beyond it -EINVAL */
#define STATS_SERIES_MAX 10000u   /* values of a series that change points are looked for in; beyond it -EINVAL */

struct stats_interval {
    double estimate, low, high;
};

/* ---- distributions.c ---- */
double stats_beta(double a, double b, double x); /* the regularised incomplete beta function */
double stats_normal_cdf(double z);
double stats_normal_quantile(double p);                     /* -inf at 0, inf at 1, NaN outside */
double stats_student_tail(double t, double freedom);        /* the chance of a deviate beyond t on either side */
double stats_student_quantile(double tail, double freedom); /* the deviate, not negative, that has this tail */

/* ---- estimators.c ---- */
struct stats_mean { /* a mean, the variance of that mean (s squared over n), and the degrees of freedom of it */
    double value, variance, freedom;
};
struct stats_welch {
    struct stats_interval difference; /* b - a */
    double freedom, p;                /* p: two-sided */
};
double stats_sd(const double *x, size_t n);                      /* by n - 1; 0 of fewer than two */
double stats_median(double *x, size_t n);                        /* reorders x; NaN of none */
double stats_quantile(const double *sorted, size_t n, double q); /* of ascending data, linear (type 7, numpy's) */
struct stats_mean stats_mean(const double *x, size_t n);         /* n >= 1; variance and freedom 0 of one */
struct stats_interval stats_mean_interval(struct stats_mean m, double confidence);
/* Without any variance the interval is the difference itself, and p 1 or 0. */
struct stats_welch stats_welch(struct stats_mean a, struct stats_mean b, double confidence);
/* Medians of the Walsh averages, and of the differences b - a, between the limits that order statistics give: by
 * the exact distribution up to 50 values of a side, else by the normal one. Of few data the limits are the extremes,
 * whose confidence is less than asked for. */
int stats_hodges_lehmann(const double *x, size_t n, double confidence, struct stats_interval *ret);
int stats_hodges_lehmann_two(
    const double *a, size_t na, const double *b, size_t nb, double confidence, struct stats_interval *ret);
struct stats_line {
    struct stats_interval
        slope;        /* the median of the slopes of all pairs; limits by Kendall's tau with ties (Sen 1968) */
    double intercept; /* median(y) - slope median(x) */
};
int stats_theil_sen(const double *x, const double *y, size_t n, double confidence, struct stats_line *ret);

/* ---- tests.c ---- */
/* Whether the mean of x is 0, given that each sign was a coin's: |sum| among all sign flips. All of them up to
 * STATS_FLIPS_EXACT values, else a sample of STATS_FLIPS of them (p then counts the data themselves). Two-sided. */
#define STATS_FLIPS_EXACT 20
#define STATS_FLIPS 20000
double stats_sign_flip(const double *x, size_t n, uint64_t seed);
/* U of a, and two-sided p: exact where a side has at most 8 values and nothing is tied, else normal with correction for
 * ties and continuity; as scipy's "auto". */
int stats_mann_whitney(const double *a, size_t na, const double *b, size_t nb, double *ret_u, double *ret_p);
/* Holm's (1979) corrected p of each; ret may be p itself. */
int stats_holm(const double *p, size_t count, double *ret);

/* ---- bootstrap.c: of any statistic of one sample ---- */
enum stats_bootstrap { STATS_PERCENTILE, STATS_BCA };
typedef double stats_statistic(double *x, size_t n, void *context); /* may reorder x, a copy */
int stats_bootstrap(const double *x, size_t n, stats_statistic *statistic, void *context, enum stats_bootstrap kind,
    double confidence, size_t resamples, uint64_t seed, struct stats_interval *ret);

/* ---- changes.c: a history of results, one value a revision ---- */
struct stats_change {
    size_t at;            /* the first value of the new level */
    double before, after; /* means of the segments on both sides */
    double p; /* of Student's test between them, corrected for the places where the change could have been */
};
/* E-divisive: energy distance finds the place, a t-test whether it counts (deterministic). Segments have at least
 * `least` values (5 is usual); those changes are kept whose p is below `level`. Ascending; free(). */
int stats_changes(const double *x, size_t n, size_t least, double level, struct stats_change **ret, size_t *ret_count);

/* ---- steady.c: the iterations of one process (Barrett et al., OOPSLA 2017) ---- */
enum stats_steady_kind { STATS_FLAT, STATS_WARM_UP, STATS_SLOWDOWN, STATS_NO_STEADY_STATE };
struct stats_steady {
    enum stats_steady_kind kind;
    size_t from;     /* the first iteration of the steady state; n where there is none */
    size_t segments; /* between change points */
    double level;    /* mean from there on; NaN where there is none */
};
/* Change points of mean and variance, penalty 15 ln n; segments whose means differ by less than `tolerance` of the last
 * one's (0.01 is usual), or by chance, are of one level. Steady: no other level within the last quarter. Times that are
 * not negative. Fewer than six iterations are always flat. */
int stats_steady(const double *x, size_t n, double tolerance, struct stats_steady *ret);
/* How often to iterate inside a process: Kalibera and Jones (2013). Costs and standard deviations of an iteration and
 * of a process (its start, warm-up; between processes). At least 1, at most `most`. */
size_t stats_inner_count(
    double cost_iteration, double sd_iteration, double cost_process, double sd_process, size_t most);

/* ---- verdict.c: is B faster than A? One block at a time; at each look a decision ---- */
#define STATS_BLOCKS_MAX 4096u
#define STATS_BUDGET 64u
#define STATS_EQUIVALENCE 0.01
#define STATS_Z 3.0 /* to 64 blocks; 0.05 more each time that the budget doubles. docs/verdict.md */
enum stats_call { STATS_UNDECIDED, STATS_FASTER, STATS_SLOWER, STATS_SAME, STATS_UNSETTLED };

struct stats_verdict_options { /* 0: the default */
    double claim;              /* x: faster where t(B) < (1 - x) t(A), slower where t(A) < (1 - x) t(B); default 0 */
    double equivalence;        /* e: the same where within this; default STATS_EQUIVALENCE */
    double resolution;         /* the measure's smallest step, as a share of it; no interval is narrower on a side */
    size_t budget;             /* blocks; default STATS_BUDGET, at most STATS_BLOCKS_MAX */
    double z;                  /* the constant: the tail of every look; default STATS_Z, by the budget */
    size_t first_look; /* blocks: the default is 4; at 3 only what is 1.8 times the limit is told from it; 2 needs
                          `spread` */
    double spread;     /* the most that blocks are taken to spread, while nothing seen speaks against it; 0: unknown */
    uint64_t seed;     /* of the control's signs and the twin's flips */
};
struct stats_block {             /* one A B B A or B A A B, the order by a coin */
    double difference;           /* mean ln t(B) - mean ln t(A) */
    double control_a, control_b; /* ln t(A, first) - ln t(A, second), and of B; NaN: not there; one is enough */
};
/* Ratios are t(B) / t(A). */
struct stats_decision {
    double estimate, low, high; /* the interval holds at all looks together */
    double at_least;            /* percent: 100 (1 - high) when faster, 100 (low - 1) when slower, else 0 */
    double detectable;          /* percent: a change above this would have shown, in 95 of 100 */
    double p;                   /* of this look alone, of no change above the claim */
    size_t blocks;
    struct stats_interval control; /* ratio of a side with itself; NaN without controls */
    enum stats_call call;
    bool last;    /* nothing is to be added: decided, out of budget, or no call is possible any more */
    bool refuted; /* the interval shows that the change is smaller than a claim above 0 */
    bool voided;  /* the control excludes 1: no call is made */
};
struct stats_twin {  /* the same question to methods that know no distribution */
    double estimate; /* Hodges-Lehmann, as a ratio */
    double p;        /* of the sign flips */
    bool disagrees;
};
struct stats_verdict;

int stats_verdict_new(const struct stats_verdict_options *options, struct stats_verdict **ret);
void stats_verdict_free(struct stats_verdict *v);
/* Adds a block. ret_look: the decision is due (stats_verdict_decide); between looks there is none. */
int stats_verdict_add(struct stats_verdict *v, const struct stats_block *block, bool *ret_look);
/* The decision on what is there. `last`: nothing will be added (out of time, interrupted), so it is not undecided. */
void stats_verdict_decide(const struct stats_verdict *v, bool last, struct stats_decision *ret);
int stats_verdict_twin(const struct stats_verdict *v, const struct stats_decision *d, struct stats_twin *ret);
/* Decides several metrics or subjects together, each on what is there: changes by Holm's correction of the tails,
 * sameness by Bonferroni's. As last decisions. */
int stats_verdict_decide_all(const struct stats_verdict *const *v, size_t count, struct stats_decision *ret);

#endif
