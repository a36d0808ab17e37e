/* What the growth harness answers, read and checked. Private to src/growth. */
#ifndef PITVIPER_GROWTH_INSIDE_H
#define PITVIPER_GROWTH_INSIDE_H

#include "growth/growth.h"

extern const char growth_harness_grow[]; /* harness/grow.py */

#define GROWTH_STEPS_MAX 64
struct growth_step {
    double n, setup, cpu, wall, memory;
};
struct growth_probe {
    struct growth_step steps[GROWTH_STEPS_MAX];
    size_t count;
    char ended[64];   /* "hung", "died of signal 11" or "" */
    char raised[320]; /* what the call raised at the size behind the last step, or "" */
};
struct growth_times {
    double setup;
    double first_cpu, first_wall;
    bool again;       /* it was called more than once */
    double cpu, wall; /* the least of the batches of later calls; of CPU time, and of wall time */
};

/* -EPROTO: that is no such answer. The function under test can write to the descriptor, so nothing is believed. */
int growth_read_probe(struct buffer *answer, struct growth_probe *ret);
int growth_read_times(struct buffer *answer, struct growth_times *ret);
int growth_read_counts(struct buffer *answer, double ret_calls_lines_instructions[3], char ret_by[32]);
int growth_read_memory(struct buffer *answer, double *ret);
/* few, more: the two sizes. Into r->lines, strings in its arena. */
int growth_read_lines(struct buffer *answer, double few, double more, struct growth_result *r);

#endif
