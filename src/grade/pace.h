/*
 * How fast a CPU was while something ran on it. On a virtual machine, whose CPUs share their cores with strangers, the
 * same code takes half as long again for seconds at a time. So a pacemaker, a small Python program of ours, runs on the
 * same CPU as what is measured, takes turns of some milliseconds with it, and notes how far it comes: what the machine
 * did to one it did to the other. Private to grade; docs/gates.md has what that gains.
 */
#ifndef PITVIPER_GRADE_PACE_H
#define PITVIPER_GRADE_PACE_H

#include "base/base.h"
#include <sched.h>
#include <sys/types.h>

struct pace {
    cpu_set_t cpus;       /* the one CPU: for what is measured */
    pid_t pid;            /* 0: it does not run, and every pace is 1 */
    const uint64_t *ring; /* shared with it */
    double usual;         /* pieces a second of its CPU time, as first seen */
    double last;
};
/* Starts it, with this interpreter. Where that fails (no memory, no such right) there is none. */
void pace_start(struct pace *p, char *python);
void pace_stop(struct pace *p);
/* How fast the CPU was between two times of CLOCK_MONOTONIC, in ns, by how fast it was when first asked. Where the
 * pacemaker came to too little in between, as it was the last time. */
double pace_between(struct pace *p, uint64_t from_ns, uint64_t to_ns);

#endif
