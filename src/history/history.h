/*
 * history: what was measured, kept in one file of a project so that it can be looked at over time.
 *
 * The store is SQLite in WAL mode: `.pitviper/history.db` in the project's root, which is the nearest folder above that
 * holds `.git` or `.pitviper`, or a file that the user names. Many processes may add to one store. A result that cannot
 * be stored now (locked, damaged, of a newer format) goes to FILE.pending beside it and is taken in at the next
 * opening; a damaged store is moved aside, never removed. Adding one result twice adds it once.
 *
 * A series is the results of one subject and metric in one unit, by one verb, on one machine, with one interpreter:
 * machines are never mixed. What is on disk is hostile: schema, sizes and numbers are checked, texts are cut, and they
 * may hold anything that a terminal should not get. docs/history.md.
 */
#ifndef PITVIPER_HISTORY_H
#define PITVIPER_HISTORY_H

#include "base/base.h"

#define HISTORY_TEXT_MAX 1024                /* bytes of one text */
#define HISTORY_SAMPLES_MAX 4096             /* of one result */
#define HISTORY_BATCH_MAX 20000              /* results of one imported file */
#define HISTORY_SERIES_MAX 20000             /* of one store, listed */
#define HISTORY_POINTS_MAX 20000             /* of one series: the newest */
#define HISTORY_INPUT_MAX ((size_t)64 << 20) /* bytes of an imported file, and of what is pending */
#define HISTORY_ARENA_MAX ((size_t)512 << 20)

/* No name, no address: `id` is a hash that tells machines apart and nothing about them. */
struct history_machine {
    char id[17], cpu[128], kernel[128];
    uint64_t cores, memory; /* memory in bytes */
};
void history_machine_read(struct history_machine *ret);

/* Texts are NUL-terminated, never NULL; "" is not known. Borrowed from who made it. */
struct history_result {
    uint64_t time_ns; /* since the epoch */
    const char *kind; /* the verb that measured: prove, bench, scale, gate; pyperf, pytest-benchmark */
    const char *subject, *metric, *unit; /* "python app.py", "wall", "s" */
    double value, low, high;             /* low, high: NaN where there is no interval */
    uint64_t runs;                       /* processes behind it */
    const char *verdict;                 /* faster, slower, same, unsettled, ... */
    const struct history_machine *machine;
    const char *python;    /* "CPython 3.13.0": no path */
    const char *revision;  /* of git */
    bool dirty;            /* the tree was not that revision */
    const double *samples; /* one number a run, where they were kept */
    size_t sample_count;
};

/* ---- where ---- */

/* The store's path, free(): `asked`, or by the folder (NULL: the current one). */
int history_place(const char *asked, const char *folder, char **ret);
/* Before anything is measured: may this path become, or is it, a store? A file of someone else is refused. */
int history_check(const char *path, struct error *e);

/* ---- adding ---- */

/* 0 when the results are safe, in the store or in what is pending; then note->text is "" or a line for the user that
 * says what was in the way. Negative when they are nowhere. Waits at most some HISTORY_WAIT_NS for other processes. */
#define HISTORY_WAIT_NS UINT64_C(2000000000)
int history_add(const char *path, const struct history_result *results, size_t count, struct error *note);

/* ---- reading ---- */

struct history;
/* Takes in what is pending, if it can. -ENOENT: nothing was ever stored. A damaged store stays where it is. */
int history_open(const char *path, struct history **ret, struct error *e);
void history_close(struct history *h); /* accepts NULL */

struct history_query {   /* NULL: any */
    const char *subject; /* exactly this, or part of it if `partly` */
    bool partly;
    const char *kind, *metric, *machine, *python;
};
struct history_series {
    const char *kind, *subject, *metric, *unit, *machine, *python;
    uint64_t count, first_ns, last_ns;
};
/* Ordered by subject, metric and the rest. Arrays and texts live in the arena. */
int history_list(struct history *h, const struct history_query *q, struct arena *a, struct history_series **ret,
    size_t *ret_count, struct error *e);
/* In the order of time. */
int history_points(struct history *h, const struct history_series *s, struct arena *a, struct history_result **ret,
    size_t *ret_count, struct error *e);

/* ---- other tools' files ---- */

struct history_batch {
    struct arena arena;
    struct history_result *results;
    size_t count;
};
void history_batch_release(struct history_batch *b);
/* pyperf's JSON, or pytest-benchmark's, by its content. `name` is for messages. */
int history_import(const char *data, size_t size, const char *name, struct history_batch *ret, struct error *e);
/* pyperf's JSON (version 1.0): each result a benchmark, each of its runs a run of one value. Two results of one name
 * are told apart by what differs. Only units that pyperf knows: seconds, bytes and counts; `*ret_left` are the others.
 */
int history_export_pyperf(struct buffer *out, const struct history_result *results, size_t count, size_t *ret_left);

#endif
