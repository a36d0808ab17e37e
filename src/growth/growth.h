/*
 * growth: how what a function costs grows with the size of its input. Fresh processes measure it at several sizes, by
 * CPU time and by counting what the interpreter did; each gets an exponent with its interval; a verdict says which of
 * the two is to be believed. Counters are exact but do not see work inside C (`x in list`, `list.pop(0)`, a regular
 * expression): where time grows faster, time decides, and the gap is named so.
 *
 * Times are seconds of one call (the start of the interpreter and the set-up are outside of it), memory is bytes.
 * A fit is over the GROWTH_TOP largest sizes: what a function does once rules the small ones. docs/scale.md.
 */
#ifndef PITVIPER_GROWTH_H
#define PITVIPER_GROWTH_H

#include "prove/prove.h"
#include "stats/stats.h"

#define GROWTH_SIZES_MAX 24
#define GROWTH_SIZES_MIN 3
#define GROWTH_SIZE_MOST 1e12
#define GROWTH_RUNS_MAX 9
#define GROWTH_TOP 5     /* sizes that a fit is over */
#define GROWTH_APART 0.3 /* exponents that differ by more are different growth */
#define GROWTH_LINES_MAX 8
#define GROWTH_CONFIDENCE 0.95

enum growth_measure {
    GROWTH_CPU,
    GROWTH_WALL,
    GROWTH_INSTRUCTIONS,
    GROWTH_LINES,
    GROWTH_CALLS,
    GROWTH_MEMORY,
    GROWTH_MEASURES,
};
enum growth_shape {
    GROWTH_UNKNOWN,
    GROWTH_CONSTANT,
    GROWTH_LOGARITHMIC, /* by counters only: a clock cannot tell it from constant */
    GROWTH_LINEAR,
    GROWTH_LINEAR_OR_LOG, /* n or n log n: what a clock can say */
    GROWTH_LINEARITHMIC,  /* n log n, by counters only */
    GROWTH_QUADRATIC,
    GROWTH_QUADRATIC_LOG, /* n^2 log n, by counters only */
    GROWTH_CUBIC,
    GROWTH_POWER, /* any other exponent */
    GROWTH_EXPONENTIAL,
};

/* ---- numbers in: fit.c ---- */
struct growth_sample {
    double n;
    double values[GROWTH_RUNS_MAX]; /* one of each process */
    size_t count;
};
struct growth_series {
    struct growth_sample samples[GROWTH_SIZES_MAX]; /* by rising n */
    size_t count;
};
struct growth_fit {
    enum growth_shape shape;
    struct stats_interval exponent;  /* of n: Theil-Sen on logarithms; of exponential growth: what it is at the top */
    struct stats_interval base;      /* exponential: by what 1 more in n multiplies; else NAN */
    double slopes[GROWTH_SIZES_MAX]; /* local ones, between each size and the next, over all sizes */
    size_t slope_count;
    bool bends;              /* over the sizes of the fit the local slopes go one way, by more than GROWTH_APART */
    bool same;               /* the runs of every size agree to the last digit */
    double from, to;         /* sizes of the fit */
    double line;             /* what the fitted line has at `to`; NAN: there is none */
    double low, value, high; /* at `to`: of the runs the least, the median, the most */
};
/* `exact`: counts, whose shape may tell n log n from n. -EINVAL: fewer than GROWTH_SIZES_MIN sizes. */
int growth_fit(const struct growth_series *s, bool exact, struct growth_fit *ret);
double growth_sample_value(const struct growth_sample *s); /* the median of its runs */
const char *growth_shape_words(enum growth_shape shape);   /* "linear", "n log n", ... */

/* ---- the verdict: judge.c ---- */
enum growth_basis {
    GROWTH_BY_COUNTERS,    /* time agrees with them */
    GROWTH_BY_TIME,        /* there are no counts, or none at the sizes where time grows faster */
    GROWTH_INSIDE_C,       /* time grows faster: time's verdict */
    GROWTH_TIME_IS_BEHIND, /* time grows more slowly: a fixed cost still hides the growth; time's, for these sizes */
};
struct growth_verdict {
    enum growth_basis basis;
    enum growth_shape shape;
    struct stats_interval exponent, base;
    double gap;     /* time's exponent less the counters', over the same sizes; NAN: no counts */
    bool settled;   /* the interval leaves no doubt about the exponent to GROWTH_APART, nor about the basis */
    bool too_short; /* a call at the largest size takes so little that its start is what was timed */
};
struct growth_line { /* of the largest size that was looked at, most time first */
    char *file, *function, *text;
    uint32_t line;
    double share;                 /* of that size's time */
    double time_slope, hit_slope; /* exponents between the two sizes; NAN: not there at the smaller one */
};
struct growth_result {
    struct growth_series series[GROWTH_MEASURES];
    struct growth_fit fits[GROWTH_MEASURES];
    bool fitted[GROWTH_MEASURES];
    struct growth_verdict verdict;
    struct growth_line lines[GROWTH_LINES_MAX]; /* looked for where time grows faster than counts */
    size_t line_count;
    char counted_by[32]; /* "sys.monitoring", "sys.settrace", "" */
    char ended[400];     /* why there are no larger sizes, "" where none were wanted */
    bool counts_differ;  /* between two runs of one size, with one hash seed */
    bool remembers;      /* later calls cost far less than the first: the first of each process was taken */
    bool waits;          /* wall time is mostly not CPU time */
    double setup_share;  /* of set-up and first call together, at the largest size */
    uint64_t runs, spent_ns;
    bool interrupted;
    struct arena arena;
};
void growth_judge(struct growth_result *r); /* fits the series and sets the verdict; growth_measure has done it */

struct growth_prediction {
    double n, seconds, low, high; /* CPU time of one call; may be infinite */
    bool outside;                 /* n is beyond the sizes that were measured */
};
/* -EINVAL: there is no fit of time. */
int growth_predict(const struct growth_result *r, double n, struct growth_prediction *ret);

/* A against B, for `prove --growth` and gates. */
struct growth_change {
    struct stats_interval difference; /* exponent of B less that of A; its ends are the intervals' ends */
    bool by_time;                     /* both exponents are those of CPU time: that of one of the two goes by it */
    bool rose, fell;                  /* by more than GROWTH_APART, or into or out of exponential growth, for sure */
    bool settled;                     /* rose, fell, or surely within GROWTH_APART */
};
void growth_compare(const struct growth_result *a, const struct growth_result *b, struct growth_change *ret);

/* ---- measuring: measure.c ---- */
struct growth_progress {
    const char *stage; /* "probe", "time", "counts", "memory", "lines" */
    double n;
    uint64_t spent_ns, budget_ns;
};
struct growth_options {
    double sizes[GROWTH_SIZES_MAX]; /* rising */
    size_t size_count;              /* 0: doubled until a call takes a twentieth of the budget */
    uint64_t budget_ns, timeout_ns; /* 0: 10 s, and 60 s of one process */
    uint32_t runs;                  /* processes a size that time it; 0: 3 */
    void (*progress)(void *context, const struct growth_progress *p);
    void *context;
};
/* The subject is a function; its set-up sees the size as `n`, and without a set-up it is called with n. Ended by the
 * runner's `stop` it returns 0 with `interrupted` if three sizes are there, else -ECANCELED. ret is to be released. */
int growth_measure(struct prove_runner *runner, const struct prove_subject *s, const struct growth_options *options,
    struct growth_result **ret, struct error *e);
void growth_free(struct growth_result *r); /* accepts NULL */

/* ---- one call, counted: count.c ---- */
enum { GROWTH_COUNT_CALLS, GROWTH_COUNT_LINES, GROWTH_COUNT_INSTRUCTIONS, GROWTH_COUNT_PEAK, GROWTH_COUNTS };
struct growth_counts {
    double values[GROWTH_COUNTS]; /* PEAK: the most bytes that it held beyond what was there */
    bool same[GROWTH_COUNTS];     /* in both of two fresh processes with one hash seed */
    char by[32];                  /* "sys.monitoring", "sys.settrace" */
};
/* Of the second call in a process, with the subject's own arguments: what only the first one does is left out. */
int growth_count(struct prove_runner *r, const struct prove_subject *s, uint64_t timeout_ns, struct growth_counts *ret,
    struct error *e);

#endif
