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
 */
#ifndef PITVIPER_PROFILE_H
#define PITVIPER_PROFILE_H

#include "record/record.h"

#define PROFILE_NONE UINT32_MAX

enum profile_mode { PROFILE_WALL, PROFILE_CPU, PROFILE_GIL };

struct profile_options {
    enum profile_mode mode;
    const char *thread; /* only threads that had this name at any time, or this kernel id in decimal; NULL: all */
    int64_t pid;        /* only this process; 0: all */
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
    struct profile_sums self, total;
};
/* Node 0 is the root, above all stacks. A parent comes before its children. */
struct profile_node {
    uint32_t parent, line;         /* line: index into lines; PROFILE_NONE at the root */
    uint32_t first_child, sibling; /* PROFILE_NONE: none */
    uint64_t self, total;
    uint64_t self_cpu, total_cpu; /* of its hits, those on a CPU */
};
struct profile_cell { /* hits of one thread with one node innermost */
    uint32_t thread, node;
    uint64_t hits, on_cpu;
};
struct profile_process {
    uint32_t id, parent;
    int32_t pid;
    uint64_t image, start_ns;
    const char *python, *command;
    bool ended;
    int32_t status;
    uint64_t end_ns, cpu_ns; /* as the kernel has it, when ended */
    uint64_t hits;
};
struct profile_thread {
    uint32_t process;
    int32_t tid;
    const char *name; /* its last */
    bool measured;    /* the kernel's figures are there */
    uint64_t kernel_cpu_ns, kernel_wait_ns;
    uint64_t present, on_cpu, has_gil; /* thread samples, whatever the view */
    uint64_t hits;
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

struct profile {
    struct profile_options options;
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
    struct profile_share on_cpu, has_gil; /* of `present` */
    uint64_t restarts;

    const struct profile_function *functions;
    const struct profile_line *lines;
    const struct profile_node *nodes;
    const struct profile_cell *cells;
    const struct profile_process *processes; /* by id */
    const struct profile_thread *threads;    /* by id */
    const struct profile_source *sources;
    const struct profile_meta *metas; /* in order; a key put again has its last value */
    size_t function_count, line_count, node_count, cell_count, process_count, thread_count, source_count, meta_count;
};

/* Reads a recording; a damaged one gives the profile of what came before the damage (see summary). */
int profile_read(
    int fd, const char *name, const struct profile_options *options, struct profile **ret, struct error *e);
int profile_read_memory(const void *data, size_t size, const char *name, const struct profile_options *options,
    struct profile **ret, struct error *e);
void profile_free(struct profile *p);

const char *profile_meta(const struct profile *p, const char *key); /* NULL: not there */
struct profile_share profile_share(const struct profile *p, const struct profile_sums *s);
/* Thread time that so many hits stand for, in nanoseconds. */
double profile_time_ns(const struct profile *p, uint64_t hits);

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

#endif
