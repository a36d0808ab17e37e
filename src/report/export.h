/* What the exports share. Private to src/report. */
#ifndef PITVIPER_REPORT_EXPORT_H
#define PITVIPER_REPORT_EXPORT_H

#include "report/report.h"

/* ---- formats.c ---- */
int export_speedscope(const struct report_export *x);
int export_pprof(const struct report_export *x);
int export_gecko(const struct report_export *x);
int export_chrome(const struct report_export *x);
int export_callgrind(const struct report_export *x);
int export_pstats(const struct report_export *x);
int export_jsonl(const struct report_export *x);

/* Hands on what is in `out` where it is much, or with `all` in any case. 0, -ENOMEM once `out` has failed, or what
 * flush returned. */
int export_flush(const struct report_export *x, bool all);
uint64_t export_time_ns(const struct profile *p, uint64_t hits); /* thread time that so many hits stand for */
uint64_t export_started_ns(const struct profile *p);             /* since the epoch; 0: unknown */

#define THREAD_SPARE 32
/* A thread without a name goes by its kernel id. */
const char *export_thread_name(const struct profile_thread *t, char spare[THREAD_SPARE]);
/* Its kernel id; where that is not known, or `own` is asked for, a number that no other thread of the recording has. */
int64_t export_thread_id(const struct profile *p, uint32_t thread, bool own);
/* "python", "gc", "unknown_callers", "no_frame" */
const char *export_kind_name(enum profile_kind kind);

/* The nodes from the outermost frame to this one. The array is kept from one call to the next. */
struct export_path {
    uint32_t *nodes;
    size_t depth, capacity;
};
int export_path_of(struct export_path *path, const struct profile *p, uint32_t node);

/* Names of functions for formats that tell functions apart by their texts alone: clean, never empty, and no two with
 * the same file (and, with `lines`, the same first line) alike. */
struct export_names {
    struct strings texts;
    uint32_t *name, *file; /* by function: ids in texts */
};
int export_names_init(struct export_names *n, const struct profile *p,
    int (*clean)(struct buffer *b, const char *text, size_t size), bool lines);
void export_names_release(struct export_names *n);

/* ---- spans.c ---- */
/* kept of a span's state */
#define EXPORT_STATES (RECORD_ON_CPU | RECORD_HAS_GIL | RECORD_WAITS_FOR_GIL | RECORD_IN_GC | RECORD_REPAIRED)

struct export_spans_reader {
    struct reader bytes;
    struct profile_span at;
    const struct profile_span *held;
};
/* The spans of one thread, in order. False: it has none (any more). */
void export_spans_start(struct export_spans_reader *r, const struct report_spans *s, uint32_t thread);
bool export_spans_next(struct export_spans_reader *r, struct profile_span *ret);

/* The same without holes: where the thread was not there or not in the view, a span of node 0 with ticks 0. */
struct export_pieces {
    struct export_spans_reader reader;
    struct profile_span next;
    uint64_t at_ns;
    bool have;
};
void export_pieces_start(struct export_pieces *s, const struct report_spans *from, uint32_t thread);
bool export_pieces_next(struct export_pieces *s, struct profile_span *ret);
bool export_spans_any(const struct report_spans *s, uint32_t thread);

/* ---- calls.c: who calls whom, by the stacks that were seen ---- */
#define EXPORT_ROOT UINT32_MAX /* the caller of outermost frames */
struct export_call {
    uint32_t caller, callee; /* functions */
    uint32_t line;           /* of the caller, where it calls; 0: unknown */
    uint64_t hits;           /* with a call of this callee by this caller anywhere in the stack, once however often */
    uint64_t depth;          /* the same, as often as it recurs in a stack */
    uint64_t self;           /* with the callee innermost, called by it */
    uint64_t outermost;      /* where it is the callee's outermost frame: over all its calls, the callee's total */
};
/* Sorted by caller, line, callee. */
int export_calls(const struct profile *p, struct export_call **ret, size_t *ret_count);

#endif
