/* A machine and three programs whose times, memory and gaps are known, so that a gate can be asked thousands of times
 * what it says of them. For test_grade_gate.c and gate_table.c. */
#ifndef PITVIPER_TEST_GATE_WORLD_H
#define PITVIPER_TEST_GATE_WORLD_H

#include "grade/gate.h"

#include "noise.h"

#define START_UP_SECONDS 0.05

struct world_side {        /* at the size of the gate; where it has several, at the largest */
    double fixed, seconds; /* paid whatever the size; what grows with it */
    double exponent;
    double peak, leak; /* bytes; bytes a unit of size */
    double gap;        /* seconds */
    double cpus;       /* that it keeps busy; 0: one */
};
struct world {
    enum noise_kind kind;
    double sd;                  /* of ln t of a run */
    double start_up_sd;         /* seconds: what subtracting a null run leaves */
    double second;              /* ln: how much longer any run but a block's first takes; a machine that is at fault */
    unsigned *largest;          /* takes the largest size that was asked for; NULL: nobody wants it */
    struct world_side sides[3]; /* by enum gate_side */
};
static const struct world world_calm = {
    NOISE_NORMAL,
    0.03,
    0.001,
    0,
    NULL,
    {[GATE_STARTER] = {0, 0.4, 2, 64e6, 6e6, 0.4, 0},
        [GATE_LEARNER] = {0, 0.2, 1, 16e6, 0, 0.05, 0},
        [GATE_REFERENCE] = {0, 0.1, 1, 12e6, 0, 0.04, 0}},
};

static inline void world_sample(const struct world *w, struct noise *n, const struct grade_gate *spec,
    const struct gate_want *want, bool again, struct gate_sample *ret)
{
    const struct world_side *s = &w->sides[want->side];
    double grown = pow((double)want->size / spec->sizes[spec->size_count - 1], s->exponent);
    double noise = exp(w->sd * noise_run(n) + (again ? w->second : 0));
    n->run++;
    ret->wall = (s->fixed + s->seconds * grown) * noise + w->start_up_sd * noise_normal(n);
    ret->cpu = ret->wall * (s->cpus > 0 ? s->cpus : 1);
    ret->peak = (s->peak + s->leak * want->size) * (1 + 0.005 * noise_normal(n)) + 131072 * noise_normal(n);
    ret->gap = s->gap * noise + 0.002 * random_exponential(&n->random);
    ret->spent_ns = (uint64_t)((START_UP_SECONDS + fmax(0, ret->wall)) * 1e9);
}

/* One check. 0 or what a function of the gate returned. */
static inline int world_decide(const struct world *w, const struct grade_gate *spec, double budget_seconds,
    enum gate_way way, uint64_t seed, struct grade_gate_result *ret, enum gate_cause *ret_cause, double *ret_spent)
{
    struct gate *g;
    struct noise n;
    struct gate_want want;
    uint64_t pair = UINT64_MAX, spent = 0;
    unsigned seen[3] = {0};
    noise_start(&n, w->kind, seed, 1);
    int r = gate_new(spec, (uint64_t)(budget_seconds * 1e9), way, seed, &g);
    if (r < 0)
        return r;
    while (r == 0 && gate_next(g, &want)) {
        struct gate_sample s;
        if (want.pair != pair)
            memset(seen, 0, sizeof(seen));
        pair = want.pair;
        if (w->largest && want.size > *w->largest)
            *w->largest = want.size;
        world_sample(w, &n, spec, &want, seen[want.side]++ > 0, &s);
        spent += s.spent_ns;
        r = gate_feed(g, &s);
    }
    gate_decide(g, ret);
    *ret_cause = gate_cause(g);
    *ret_spent = (double)spent * 1e-9;
    gate_free(g);
    return r;
}

#endif
