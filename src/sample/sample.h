/*
 * sample: the sampling loop. It watches a process and its descendants, takes a sample of all their threads at each
 * tick, folds stacks, and writes a recording. One thread; it sleeps between ticks and spins only for the last
 * microseconds.
 *
 * A *tick* is one scheduled time; gaps are exponential (random), so that sampling cannot fall into step with the
 * program. *Late*: taken more than 10 % of the mean gap after its time. *Missed*: not taken before the next one was
 * due; gaps shorter than a read are deferred and counted late.
 */
#ifndef PITVIPER_SAMPLE_H
#define PITVIPER_SAMPLE_H

#include "record/record.h"
#include "target/target.h"

#include <signal.h>

enum sample_mode { SAMPLE_WALL, SAMPLE_CPU, SAMPLE_GIL }; /* which thread samples are kept */

struct sample_options {
    double rate_hz;
    enum sample_mode mode;
    uint64_t duration_ns; /* 0: until the first process ends or `stop` is set */
    bool children;        /* follow descendants into the same recording */
    bool sources;         /* put the text of sampled source files into the recording */
    uint64_t flush_ns;    /* what was recorded is written at least so often; 0: as the writer does, each second */
    const char *thread;   /* only threads of this name or kernel id; NULL: all */
    const volatile sig_atomic_t *stop;
    volatile sig_atomic_t *cut; /* set: cut a ring's recording out, and clear it; NULL: never */
};

struct sample_result {
    struct record_counters counters;
    uint64_t wall_ns;
    uint32_t processes, threads, python_processes;
    bool first_ended; /* the first process ended (or exec-ed into something that is no Python) */
    bool real_time;   /* the loop ran under SCHED_FIFO */
    bool own_core;    /* a core could be kept for it that the target was not on */
    char python[32];  /* version of the first Python found, "" if none was */
    char note[200];   /* "", or what the user should know */
};

struct sampler;

/* The sampler takes ownership of `first`, and borrows the writer. */
int sampler_new(const struct sample_options *options, struct target *first, struct record_writer *writer,
    struct sampler **ret, struct error *e);
void sampler_free(struct sampler *s);
/* Waits until the first process is a readable Python, at most for_ns. 0; -ENOENT if it is none by then; -ESRCH if it
 * ended before; -ENOTSUP, -EPERM. While waiting, exec and children are followed. */
int sampler_wait_ready(struct sampler *s, uint64_t for_ns, struct error *e);
/* Samples until there is a reason to stop. 0, or a negative errno if it could not go on (what was recorded stays). */
int sampler_run(struct sampler *s, struct sample_result *ret, struct error *e);

#endif
