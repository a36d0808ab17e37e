/*
 * gate_table RUNS [GATE]: how often a gate (all, or the one of this number) says what, on made-up machines and programs
 * of known truth; bench/gates.py prints it as tables. A line each, with tabs between: gate, noise, standard deviation
 * of a run, truth, runs, passed, slow, unresolved, fault, seconds of the check's time in all, samples in all. The truth
 * is in the gate's own unit.
 */
#include "gate_world.h"

#include <stdio.h>
#include <stdlib.h>

#define BUDGET_SECONDS 16

static const enum noise_kind kinds[] = {
    NOISE_NORMAL, NOISE_BIMODAL_RUNS, NOISE_DRIFT, NOISE_WALK, NOISE_CORRELATED, NOISE_OUTLIER_RUNS, NOISE_SKEWED_RUNS};
static const double sds[] = {0.02, 0.05, 0.1, 0.25};
static const struct trial {
    const char *name;
    struct grade_gate spec;
    double truths[8]; /* 0 ends them */
} trials[] = {
    {"speed", {GRADE_SPEED, 1.5, {1000}, 1, ""}, {1, 1.35, 1.47, 1.53, 1.7, 2, 4}},
    {"speed", {GRADE_SPEED, 3, {1000}, 1, ""}, {1, 2.7, 2.94, 3.06, 3.4, 4, 8}},
    {"not-slower", {GRADE_NOT_SLOWER, 1.1, {1000}, 1, ""}, {0.5, 1, 1.1, 1.2, 1.5, 2}},
    {"reach", {GRADE_REACH, 2, {1000}, 1, ""}, {0.7, 1, 1.5, 1.96, 2.04, 3, 10}},
    {"parallel", {GRADE_PARALLEL, 0.7, {1000}, 1, ""}, {0.3, 0.5, 0.68, 0.72, 0.9, 1}},
    {"growth", {GRADE_GROWTH, 1.3, {150, 300, 600, 1200, 2400, 4800, 9600, 19200}, 8, ""}, {1, 1.2, 1.3, 1.5, 1.7, 2}},
    {"memory", {GRADE_MEMORY, 0.4, {1000}, 1, ""}, {0.1, 0.3, 0.38, 0.42, 0.6, 1}},
    {"not-fatter", {GRADE_NOT_FATTER, 1.1, {1000}, 1, ""}, {0.5, 1, 1.1, 1.2, 1.5}},
    {"memory-growth", {GRADE_MEMORY_GROWTH, 0.05, {3, 6, 9, 12}, 4, ""}, {1e-9, 0.02, 0.04, 0.06, 0.1, 1}},
    {"gap", {GRADE_GAP, 0.3, {1000}, 1, ""}, {0.05, 0.2, 0.28, 0.32, 0.5, 1}},
};

/* A world in which the learner's program is of this truth. */
static struct world world_of(const struct trial *t, enum noise_kind kind, double sd, double truth)
{
    struct world w = world_calm;
    struct world_side *starter = &w.sides[GATE_STARTER], *learner = &w.sides[GATE_LEARNER];
    w.kind = kind;
    w.sd = sd;
    w.start_up_sd = fmax(w.start_up_sd, START_UP_SECONDS / 2 * sd);
    switch (t->spec.kind) {
    case GRADE_SPEED:
        learner->seconds = starter->seconds / truth;
        break;
    case GRADE_NOT_SLOWER:
        learner->seconds = starter->seconds * truth;
        break;
    case GRADE_REACH:
        learner->seconds = w.sides[GATE_REFERENCE].seconds * truth;
        break;
    case GRADE_PARALLEL:
        learner->seconds = w.sides[GATE_REFERENCE].seconds / truth;
        learner->cpus = 2;
        break;
    case GRADE_GROWTH: /* and imports half as much as a start-up */
        learner->exponent = truth;
        learner->fixed = START_UP_SECONDS / 2;
        learner->seconds = truth < 1.6 ? 0.1 : 0.5 * pow(8, truth); /* half a second at 16 times the smallest */
        break;
    case GRADE_MEMORY:
    case GRADE_NOT_FATTER:
        starter->leak = learner->leak = 0;
        learner->peak = starter->peak * truth;
        break;
    case GRADE_MEMORY_GROWTH:
        learner->leak = starter->leak * truth;
        break;
    case GRADE_GAP:
        learner->gap = starter->gap * truth;
        break;
    }
    return w;
}

static int count_outcomes(const struct trial *t, enum noise_kind kind, double sd, double truth, long runs)
{
    struct world w = world_of(t, kind, sd, truth);
    long outcomes[GRADE_FAULT + 1] = {0}, samples = 0;
    double spent = 0;
    for (long run = 0; run < runs; run++) {
        struct grade_gate_result result;
        enum gate_cause cause;
        double seconds;
        int r = world_decide(&w, &t->spec, BUDGET_SECONDS, GATE_FULL, (uint64_t)run + 1, &result, &cause, &seconds);
        if (r < 0)
            return r;
        outcomes[result.outcome]++;
        samples += result.samples;
        spent += seconds;
    }
    printf("%s %g\t%s\t%g\t%g\t%ld\t%ld\t%ld\t%ld\t%ld\t%.1f\t%ld\n", t->name, t->spec.limit, noise_names[kind], sd,
        truth < 1e-6 ? 0 : truth, runs, outcomes[GRADE_PASSED], outcomes[GRADE_SLOW], outcomes[GRADE_UNRESOLVED],
        outcomes[GRADE_FAULT], spent, samples);
    return fflush(stdout);
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? strtol(argv[1], NULL, 10) : 0, only = argc > 2 ? strtol(argv[2], NULL, 10) : -1;
    if (runs < 1 || argc > 3) {
        fprintf(stderr, "usage: gate_table RUNS [GATE]\n");
        return 2;
    }
    for (size_t i = 0; i < ARRAY_SIZE(trials); i++)
        for (size_t k = 0; k < ARRAY_SIZE(kinds) && (only < 0 || i == (size_t)only); k++)
            for (size_t s = 0; s < ARRAY_SIZE(sds); s++)
                for (size_t v = 0; v < ARRAY_SIZE(trials[i].truths) && trials[i].truths[v] > 0; v++)
                    if (count_outcomes(&trials[i], kinds[k], sds[s], trials[i].truths[v], runs) < 0)
                        return 1;
    return 0;
}
