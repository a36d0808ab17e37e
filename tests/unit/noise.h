/* Made-up measurements whose truth is known: blocks of two versions under several kinds of noise. Each has a standard
 * deviation of a block's difference that is asked for, NOISE_SD where the table of docs/verdict.md is meant. For
 * test_stats_verdict.c and verdict_table.c. */
#ifndef PITVIPER_TEST_NOISE_H
#define PITVIPER_TEST_NOISE_H

#include "stats/stats.h"

#include <math.h>
#include <string.h>

#define NOISE_SD 0.02
#define NOISE_BLOCKS 256

/* Of blocks: the differences are drawn, and controls beside them. Of runs: the four runs of a block are, one after the
 * other on a machine that goes on from block to block; a coin orders them. */
enum noise_kind {
    NOISE_NORMAL,
    NOISE_T3,
    NOISE_BIMODAL,                    /* two modes 1.9 standard deviations apart */
    NOISE_MODES,                      /* two narrow modes that the controls do not see: layout that a block shares */
    NOISE_BIMODAL_RUNS,               /* each run fast or slow */
    NOISE_DRIFT,                      /* the machine slows down (or speeds up) by one standard deviation a block */
    NOISE_WALK,                       /* its speed is a random walk */
    NOISE_CORRELATED,                 /* its speed is autocorrelated from run to run, 0.9 */
    NOISE_CORRELATED_5,               /* 0.5 */
    NOISE_SPREADS,                    /* the spread itself is a random walk, by a tenth a block */
    NOISE_OUTLIERS,                   /* 1 block in 20 with ten times the spread */
    NOISE_OUTLIER_RUNS,               /* 1 run in 20 slower, by 20 % on the average */
    NOISE_SKEWED_RUNS,                /* runs exponential: a floor, and slower by chance */
    NOISE_CLOCK,                      /* a clock whose step is a standard deviation */
    NOISE_STANDARD,                   /* those before it are what the verdict is held to */
    NOISE_BLOCKS_02 = NOISE_STANDARD, /* the difference itself autocorrelated: what random orders do not let happen */
    NOISE_BLOCKS_03,
    NOISE_BLOCKS_05,
    NOISE_SKEWED_BLOCKS, /* the difference exponential: unlike versions, unlike noise */
    NOISE_RARE_MODE,     /* and one of its blocks in ten in another mode */
    NOISE_KINDS
};
static const char *const noise_names[NOISE_KINDS] = {"normal", "Student's t, 3 d.f.", "bimodal", "two narrow modes",
    "bimodal runs", "drifting", "random walk", "autocorrelated 0.9", "autocorrelated 0.5", "changing spread",
    "outliers, 1 block in 20", "outliers, 1 run in 20", "skewed runs", "coarse clock", "blocks autocorrelated 0.2",
    "blocks autocorrelated 0.3", "blocks autocorrelated 0.5", "skewed blocks", "a rare mode, 1 block in 10"};

struct noise {
    enum noise_kind kind;
    uint64_t random;
    double sd;
    double level, spread, direction; /* of the machine; of the noise; of the drift */
    size_t run;
};

static inline double noise_uniform(struct noise *n)
{
    return (double)(random_next(&n->random) >> 11) * 0x1p-53;
}

static inline double noise_normal(struct noise *n)
{
    return sqrt(2 * random_exponential(&n->random)) * cos(2 * M_PI * noise_uniform(n));
}

static inline double noise_sign(struct noise *n)
{
    return (random_next(&n->random) >> 63) != 0 ? 1 : -1;
}

static inline double noise_t3(struct noise *n)
{
    double squares = 0;
    for (int i = 0; i < 3; i++) {
        double z = noise_normal(n);
        squares += z * z;
    }
    return noise_normal(n) / sqrt(squares / 3) / sqrt(3); /* its variance is 3 */
}

/* Goes on from what it was: an autoregressive series of variance 1. */
static inline double noise_correlated(struct noise *n, double rho)
{
    n->level = n->run == 0 ? noise_normal(n) : rho * n->level + sqrt(1 - rho * rho) * noise_normal(n);
    return n->level;
}

static inline void noise_start(struct noise *n, enum noise_kind kind, uint64_t seed, double sd)
{
    memset(n, 0, sizeof(*n));
    n->kind = kind;
    n->sd = sd;
    n->random = hash_mix(seed, kind + 1);
    n->spread = 1;
    n->direction = noise_sign(n);
}

/* Of one run: of ln t, in such units that a block of independent ones has a standard deviation of 1. */
static inline double noise_run(struct noise *n)
{
    switch (n->kind) {
    case NOISE_BIMODAL_RUNS:
        return 0.98 * noise_sign(n) + 0.199 * noise_normal(n);
    case NOISE_DRIFT:
        return noise_normal(n) + n->direction * 0.25 * (double)n->run;
    case NOISE_WALK: /* a block's difference has half of a step's variance: 0.25 + 1.5 / 2 */
        n->level += sqrt(1.5) * noise_normal(n);
        return 0.5 * noise_normal(n) + n->level;
    case NOISE_CORRELATED: /* (4 - 2 r - 4 r^2 + 2 r^3) / 4 is the variance of a block */
        return noise_correlated(n, 0.9) / sqrt(0.1045);
    case NOISE_CORRELATED_5:
        return noise_correlated(n, 0.5) / sqrt(0.5625);
    case NOISE_OUTLIER_RUNS: { /* 20 % is 10 units; its variance 0.05 (2 100) - 0.25 beside 0.1 */
        double late = noise_uniform(n) < 0.05 ? 10 * random_exponential(&n->random) : 0;
        return 0.3 * noise_normal(n) + late / sqrt(9.75) * sqrt(0.91);
    }
    case NOISE_SKEWED_RUNS:
        return random_exponential(&n->random);
    default:
        return noise_normal(n);
    }
}

/* Of a block, or of its controls: variance 1. */
static inline double noise_block(struct noise *n, bool control)
{
    switch (n->kind) {
    case NOISE_T3:
        return noise_t3(n);
    case NOISE_BIMODAL:
        return 0.95 * noise_sign(n) + sqrt(1 - 0.95 * 0.95) * noise_normal(n);
    case NOISE_MODES:
        return control ? 0.1 * noise_normal(n) : 0.995 * noise_sign(n) + 0.1 * noise_normal(n);
    case NOISE_SPREADS:
        return n->spread * noise_normal(n);
    case NOISE_OUTLIERS:
        return (noise_uniform(n) < 0.05 ? 10 : 1) * noise_normal(n) / sqrt(5.95);
    case NOISE_BLOCKS_02:
        return control ? noise_normal(n) : noise_correlated(n, 0.2);
    case NOISE_BLOCKS_03:
        return control ? noise_normal(n) : noise_correlated(n, 0.3);
    case NOISE_BLOCKS_05:
        return control ? noise_normal(n) : noise_correlated(n, 0.5);
    case NOISE_SKEWED_BLOCKS:
        return control ? noise_normal(n) : random_exponential(&n->random) - 1;
    case NOISE_RARE_MODE:
        return control ? 0.2 * noise_normal(n)
                       : 0.98 * ((noise_uniform(n) < 0.1) - 0.1) / 0.3 + 0.199 * noise_normal(n);
    default:
        return noise_normal(n);
    }
}

static inline bool noise_is_of_runs(enum noise_kind kind)
{
    return (kind >= NOISE_BIMODAL_RUNS && kind <= NOISE_CORRELATED_5) || kind == NOISE_OUTLIER_RUNS ||
           kind == NOISE_SKEWED_RUNS;
}

/* The next block, where B takes `ratio` of A's time. */
static inline void noise_next(struct noise *n, double ratio, struct stats_block *ret)
{
    double first, second, between;
    if (noise_is_of_runs(n->kind)) {
        double x[4];
        for (int i = 0; i < 4; i++, n->run++)
            x[i] = n->sd * noise_run(n);
        first = x[0] - x[3];
        second = x[1] - x[2];
        between = (x[1] + x[2] - x[0] - x[3]) / 2;
        if (noise_sign(n) < 0) { /* B A A B */
            double swapped = first;
            between = -between;
            first = second;
            second = swapped;
        }
    } else {
        if (n->kind == NOISE_SPREADS) /* exp(0.02 k - 0.64) is the mean variance of block k: 1 at the 32nd */
            n->spread = n->run == 0 ? exp(-0.32) : n->spread * exp(0.1 * noise_normal(n));
        between = n->sd * noise_block(n, false);
        first = M_SQRT2 * n->sd * noise_block(n, true);
        second = M_SQRT2 * n->sd * noise_block(n, true);
        n->run++;
    }
    *ret = (struct stats_block){between + log(ratio), first, second};
    if (n->kind == NOISE_CLOCK)
        ret->difference = n->sd * nearbyint(ret->difference / n->sd);
}

/* Blocks until the verdict is in. */
static inline int noise_decide(enum noise_kind kind, uint64_t seed, double sd, double ratio,
    const struct stats_verdict_options *o, struct stats_decision *ret)
{
    struct noise n;
    struct stats_verdict *v;
    bool look;
    int r = stats_verdict_new(o, &v);
    noise_start(&n, kind, seed, sd);
    for (ret->last = false; r == 0 && !ret->last;) {
        struct stats_block block;
        noise_next(&n, ratio, &block);
        r = stats_verdict_add(v, &block, &look);
        if (r == 0 && look)
            stats_verdict_decide(v, false, ret);
    }
    stats_verdict_free(v);
    return r;
}

#endif
