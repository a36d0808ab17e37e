/*
 * profile: the model that a recording becomes. Functions, lines, threads, processes and one call tree, each with its
 * hits in one *view*; and for each share of the view's time its 95 % interval.
 *
 * A *hit* is one thread sample: one thread present at one tick. The view says which thread samples count: all of them
 * (wall), those on a CPU, or those that held the GIL; a thread or a process may be picked. *Self* hits of a function
 * had it innermost; *total* hits had it anywhere in the stack, once however often it recurs. Functions are the same
 * when qualified name, file and first line are, in whichever process: equal workers merge, and hits by thread (and so
 * by process) are kept in the cells.
 *
 * Loading costs what changes cost: while nothing changes, ticks are only counted. Memory is that of the distinct
 * stacks. The profile owns all that it points to; nothing in it changes after profile_read. One thread at a time.
 * A recording that is still being written is followed instead (profile_follow).
 */
#ifndef PITVIPER_PROFILE_H
#define PITVIPER_PROFILE_H

#include "record/record.h"

#define PROFILE_NONE UINT32_MAX

/* Where it came from. Of what others wrote, states of threads, times of samples and truth counters are not known. */
enum profile_origin {
    PROFILE_RECORDING,
    PROFILE_SAMPLES, /* counts of samples: shares have intervals; time is not known */
    PROFILE_WEIGHTS, /* times of stacks, in nanoseconds: of how many samples is not known, so no intervals */
    PROFILE_CALLS,   /* times of functions measured by cProfile, its overhead included; no stacks, no lines */
};

enum profile_mode { PROFILE_WALL, PROFILE_CPU, PROFILE_GIL };

/* A thread in one state with one stack: what so many ticks in a row found. Each tick stands for the time since the one
 * before it, so that a thread's spans follow each other without a gap while it lives. */
struct profile_span {
    uint32_t thread, node; /* indices into the profile's; node: the innermost frame */
    uint32_t state;        /* RECORD_... flags */
    uint64_t from_ns, to_ns, ticks;
};

struct profile_options {
    enum profile_mode mode;
    const char *thread; /* only threads that had this name at any time, or this kernel id in decimal; NULL: all */
    int64_t pid;        /* only this process; 0: all */
    bool columns;       /* places on one line that begin at different columns are different lines (of the model) */
    /* Called for each span in the view, as it ends: in order within a thread, not between threads. The profile's tables
     * still grow then; a node or thread keeps its index. May be NULL; what it returns other than 0 ends the reading. */
    int (*span)(void *context, const struct profile_span *s);
    void *span_context;
};

/* Sums over ticks, from which a share's interval comes: y hits of the thing at a tick, n hits of the view. */
struct profile_sums {
    uint64_t y;
    double yy, yn; /* the sum of y squared, and of y times n */
};

struct profile_share {
    double share, low, high; /* of the view's hits; the 95 % interval */
};

/* What a function stands for that is no Python function. */
enum profile_kind { PROFILE_PYTHON, PROFILE_GC, PROFILE_CUT, PROFILE_NO_FRAME };

struct profile_function {
    const char *name, *file; /* the qualified name; "<garbage collector>", "<unknown callers>", "<no Python frame>" */
    uint32_t first_line;
    enum profile_kind kind;
    struct profile_sums self, total;
    uint64_t self_cpu, total_cpu; /* of its hits, those on a CPU */
};
struct profile_line {
    uint32_t function, line; /* line 0: unknown */
    uint32_t column;         /* with profile_options.columns: from 1, in UTF-8 bytes; else, or where unknown, 0 */
    struct profile_sums self, total;
};
/* Node 0 is the root, above all stacks. A parent comes before its children. */
struct profile_node {
    uint32_t parent, line;         /* line: index into lines; PROFILE_NONE at the root */
    uint32_t first_child, sibling; /* PROFILE_NONE: none */
    uint64_t self, total;
    uint64_t self_cpu, total_cpu; /* of its hits, those on a CPU */
};
struct profile_cell { /* hits of one thread with one node innermost, in one task */
    uint32_t thread, node;
    uint32_t task;                  /* PROFILE_NONE: in none */
    uint64_t hits, on_cpu, has_gil; /* of the hits, those on a CPU, those that held the GIL */
};
struct profile_process {
    uint32_t id, parent, run;
    int32_t pid;
    uint64_t image, start_ns;
    const char *python, *command;
    bool ended;
    int32_t status;
    uint64_t end_ns, cpu_ns; /* as the kernel has it, when ended */
    uint64_t present;        /* its threads' samples, whatever the view */
    uint64_t hits;
};
struct profile_thread {
    uint32_t process;
    int32_t tid;
    const char *name; /* its last */
    bool measured;    /* the kernel's figures are there */
    uint64_t kernel_cpu_ns, kernel_wait_ns;
    uint64_t present, on_cpu, has_gil, waits_for_gil; /* thread samples, whatever the view */
    uint64_t hits;
};
/* An asyncio task: those of one name and one coroutine are the same, in whichever process. */
struct profile_task {
    const char *name;  /* "": one of more distinct names than the recording keeps */
    uint32_t function; /* its own coroutine */
    uint64_t hits, on_cpu;
};
struct profile_call { /* as cProfile measured it: who called whom */
    uint32_t caller, callee;
    uint64_t self, total; /* of the callee's hits (and in what it called), those when this caller had called it */
};
struct profile_source {
    const char *path, *text;
    size_t size;
    bool whole;
    uint8_t sha256[32];
};
struct profile_meta {
    const char *key, *value;
};
/* One of several runs in the recording: its own ticks, and no time between it and the next. */
struct profile_run {
    uint64_t ticks, first_ns, last_ns, wall_ns;
    uint64_t hits; /* in the view */
};
struct profile_run_hits { /* of a function or a line, in a run in which it had any */
    uint32_t run;
    uint64_t self, total;
};

struct profile {
    struct profile_options options;
    enum profile_origin origin;
    struct record_summary summary; /* whether the file is whole */
    struct record_counters counters;
    bool has_counters;
    uint64_t ticks, first_ns, last_ns;
    uint64_t wall_ns;     /* what the ticks stand for: first to last, and one mean gap */
    uint64_t hits;        /* thread samples in the view */
    double nn;            /* the sum over ticks of the view's hits, squared */
    uint64_t max_threads; /* most thread samples in the view at one tick */
    uint64_t present;     /* thread samples in all views, of the threads picked */
    uint64_t repaired, rejected;
    struct profile_share on_cpu, has_gil, waits_for_gil; /* of `present` */
    bool gil_wait_known;                                 /* whether it was recorded who waited for the GIL */
    uint64_t restarts;

    const struct profile_function *functions;
    const struct profile_line *lines;
    const struct profile_node *nodes;
    const struct profile_cell *cells;
    const struct profile_process *processes; /* by id */
    const struct profile_thread *threads;    /* by id */
    const struct profile_task *tasks;
    const struct profile_source *sources;
    const struct profile_meta *metas; /* in order; a key put again has its last value */
    const struct profile_run *runs;   /* at least one */
    const struct profile_call *calls; /* of PROFILE_CALLS, which has no stacks */
    size_t call_count;
    size_t run_count;
    size_t function_count, line_count, node_count, cell_count, process_count, thread_count, task_count, source_count,
        meta_count;
};

/* Reads a recording; a damaged one gives the profile of what came before the damage (see summary). */
int profile_read(
    int fd, const char *name, const struct profile_options *options, struct profile **ret, struct error *e);
int profile_read_memory(const void *data, size_t size, const char *name, const struct profile_options *options,
    struct profile **ret, struct error *e);
void profile_free(struct profile *p);

const char *profile_meta(const struct profile *p, const char *key); /* NULL: not there */
struct profile_share profile_share(const struct profile *p, const struct profile_sums *s);
/* The same while the recording is written: feed what has come, and look at the profile of it now and then. Looking
 * costs what a pass over the nodes costs, not over the ticks. options->thread is a name that a thread is born with, or
 * its kernel id: later names are not foreseen. */
struct profile_follow;
struct profile_now { /* of a thread, as it was at the last tick, and in all since the start */
    uint32_t node, state;
    uint64_t present, on_cpu, has_gil;
};
struct profile_view {
    const struct profile *p;       /* its summary is empty; counters are those since the start */
    const struct profile_now *now; /* by thread */
};
#define PROFILE_SINCE_START 0
int profile_follow_new(const char *name, const struct profile_options *options, struct profile_follow **ret);
void profile_follow_free(struct profile_follow *f);
/* 0; or a negative errno with a line in e, and then nothing further may be fed. */
int profile_follow_feed(struct profile_follow *f, const void *data, size_t size, struct error *e);
bool profile_follow_done(const struct profile_follow *f); /* at its end mark, or damaged */
/* What was fed, in all or of the last window_ns (in steps of a second, at most PROFILE_WINDOW_MAX of them). What it
 * shows stays as it is until the next call, or the end; feeding does not change it. */
#define PROFILE_WINDOW_MAX 60
int profile_follow_view(struct profile_follow *f, uint64_t window_ns, struct profile_view *ret);

/* Thread time that so many hits stand for, in nanoseconds. */
double profile_time_ns(const struct profile *p, uint64_t hits);

/* By run, in their order; 0 of them where there is only one run. */
size_t profile_function_runs(const struct profile *p, uint32_t function, const struct profile_run_hits **ret);
size_t profile_line_runs(const struct profile *p, uint32_t line, const struct profile_run_hits **ret);
/* The share that a run of this program has, from the spread between the runs that there are: what the next run will be
 * an example of. share: the mean over runs. With fewer than two runs that have hits in the view, 0 to 1. */
struct profile_share profile_runs_share(
    const struct profile *p, const struct profile_run_hits *hits, size_t count, bool total);

/* Indices of the functions or lines, most hits first (ties by name, then place); functions without any hits and lines
 * without self hits are left out. The caller frees *ret with free(). */
int profile_functions_by_self(const struct profile *p, uint32_t **ret, size_t *ret_count);
int profile_functions_by_total(const struct profile *p, uint32_t **ret, size_t *ret_count);
int profile_lines_by_self(const struct profile *p, uint32_t **ret, size_t *ret_count);

/* The costliest child of the costliest child and so on from the root, until a node's self hits outweigh each child.
 * Nodes from the outermost on; freed with free(). */
int profile_heaviest_path(const struct profile *p, uint32_t **ret, size_t *ret_count);
/* The share of a node's total. With several threads its spread over ticks is taken to be that of its function. */
struct profile_share profile_node_share(const struct profile *p, uint32_t node);

/* Tasks as people look at them: one that was given a name by itself; those that have only the name that asyncio gives
 * ("Task-17"), and those without, together by their coroutine. Most hits first; freed with free(). */
struct profile_task_group {
    const char *name; /* NULL: tasks of no name of their own */
    uint32_t function;
    uint64_t hits, on_cpu;
    uint64_t tasks; /* distinct names that were seen to run */
};
int profile_task_groups(const struct profile *p, struct profile_task_group **ret, size_t *ret_count);
/* Its spread over ticks is taken to be that of its coroutine. */
struct profile_share profile_task_share(const struct profile *p, const struct profile_task_group *g);

/* The recorded text of a line, without its line end; false where it was not recorded. */
bool profile_source_line(const struct profile *p, const char *path, uint32_t line, const char **ret, size_t *ret_size);
const struct profile_source *profile_source(const struct profile *p, const char *path); /* NULL: not there */

/* CPU time as sampled and as the kernel has it, for the threads that the kernel's figures are there for. A thread that
 * waits for a CPU counts as on it in samples, so `kernel_wait` stands beside `kernel_cpu`. Nanoseconds. */
struct profile_reconciliation {
    size_t threads;
    double sampled, kernel_cpu, kernel_wait;
};
struct profile_reconciliation profile_reconcile(const struct profile *p);

/* The interval of a share by itself: sums over `ticks` ticks of y, y squared, y n, n, n squared. docs/intervals.md. */
struct profile_share profile_interval(double y, double yy, double yn, double n, double nn, double ticks);

/* The 95 % interval of the mean of a share over runs: `hits` of `n` in each. docs/intervals.md. */
struct profile_share profile_runs_interval(const double *hits, const double *n, size_t runs);

#endif
