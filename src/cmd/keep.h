/*
 * What a verb measured goes into the project's history. A verb opens it before it measures, so that a store of someone
 * else is refused before time is spent; what is in the way later is one line on stderr, and never the verb's status.
 * Private to src/cmd.
 */
#ifndef PITVIPER_CMD_KEEP_H
#define PITVIPER_CMD_KEEP_H

#include "history/history.h"
#include "prove/prove.h"

struct keep {
    char *path; /* NULL: nothing is kept */
    struct history_machine machine;
    char revision[65], python[64];
    bool dirty;
};
struct keep_options {
    const char *store;
    bool off;
};
/* Rows of a verb's option table; `member` is the keep_options in its struct. */
#define KEEP_OPTIONS(type, member)                                                                                     \
    {"store", 0, CMD_TEXT, offsetof(type, member.store), "FILE",                                                       \
        "keep the results here (default: .pitviper/history.db of the project)", NULL},                                 \
    {                                                                                                                  \
        "no-store", 0, CMD_FLAG, offsetof(type, member.off), NULL, "keep no results", NULL                             \
    }

/* 0, or an exit status after having said why. */
int keep_open(const struct keep_options *o, struct prove_runner *r, struct keep *ret);
void keep_release(struct keep *k); /* accepts a zeroed one */
/* Asks the subject's interpreter for its name and version, which its results will bear; other commands have none. */
void keep_python(struct keep *k, struct prove_runner *r, const struct prove_subject *s);

/* A result of here and now; the caller sets what else it knows. */
struct history_result keep_result(
    const struct keep *k, const char *kind, const char *subject, const char *metric, const char *unit, double value);
void keep_add(const struct keep *k, const struct history_result *results, size_t count);
/* One comparison: each metric's ratio under `name`, and what each side took under its own name. Revisions: NULL, those
 * of the tree that we stand in. */
struct keep_side {
    const char *name, *revision;
};
void keep_experiment(const struct keep *k, const char *kind, const char *name, const struct keep_side sides[2],
    const struct prove_result *result);

const char *keep_call_name(enum stats_call call); /* "faster", "slower", "same", "unsettled" */
const char *keep_metric_name(enum prove_metric metric);

#endif
