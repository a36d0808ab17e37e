/*
 * A gate as a decision: it asks for samples and is fed them, and touches neither clock nor process, so that recorded
 * timings decide it as live ones do. Private to grade. How each kind decides, and how often it is wrong: docs/gates.md.
 *
 * One thread. `spec` is borrowed and outlives the gate.
 */
#ifndef PITVIPER_GRADE_GATE_H
#define PITVIPER_GRADE_GATE_H

#include "grade/grade.h"

#define GATE_GROWTH_FAILS 1.7 /* an exponent from here on misses a gate of growth */

enum gate_side { GATE_STARTER, GATE_LEARNER, GATE_REFERENCE };
struct gate_want {
    enum gate_side side;
    unsigned size;
    uint64_t pair; /* samples of one pair have the same inputs and hash seed */
};
struct gate_sample {   /* net of a null run; a little below 0 where there was nothing to do */
    double wall, cpu;  /* seconds. INFINITY: a limit on time killed it; the learner's misses the gate at once. */
    double peak;       /* bytes; NaN: too short to be seen */
    double gap;        /* seconds: the longest between heartbeats, from the start to the answer */
    uint64_t spent_ns; /* what the sample took of the check's time */
};
/* Why a gate is not settled, or refused. */
enum gate_cause {
    GATE_SETTLED,
    GATE_NEAR,    /* too near its limit: more of the same would not tell */
    GATE_TIME,    /* out of budget */
    GATE_NOISY,   /* the same code twice differs too much */
    GATE_UNEQUAL, /* the second run of the same code differs from the first throughout */
    GATE_MACHINE, /* parallel: the reference itself gains too little here */
    GATE_LAB,     /* the starter, or the reference, is too short here to be measured against */
    GATE_UNSEEN,  /* memory: runs that nothing was seen of */
};
struct gate;

enum gate_way {
    GATE_FULL,
    GATE_QUICK, /* one pair (growth: one round), provisional, and no interval: its limits are NaN */
    GATE_PACED, /* full, of times taken beside a pacemaker (pace.h): one block may decide alone */
};
/* budget_ns: of spent_ns; when it is gone the gate decides on what it has. -EINVAL for a spec that cannot be decided,
 * -ENOMEM. */
int gate_new(const struct grade_gate *spec, uint64_t budget_ns, enum gate_way way, uint64_t seed, struct gate **ret);
void gate_free(struct gate *g);
/* False: it is decided. The same want again until it is fed. */
bool gate_next(struct gate *g, struct gate_want *ret);
/* Of the sample last asked for. -EINVAL where none was, or where what the gate measures is NaN. */
int gate_feed(struct gate *g, const struct gate_sample *s);
/* May be called at any time; before the end it is GRADE_UNRESOLVED with the measure of the last look (NaN: none;
 * its limits alone: of too little for an interval). */
void gate_decide(const struct gate *g, struct grade_gate_result *ret);
enum gate_cause gate_cause(const struct gate *g);
const char *gate_cause_text(enum gate_cause cause); /* one line for the learner, "" where it is settled */

#endif
