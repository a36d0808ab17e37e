/* What a profile is made of while it is being loaded. Private to src/profile. */
#ifndef PITVIPER_PROFILE_INSIDE_H
#define PITVIPER_PROFILE_INSIDE_H

#include "profile/profile.h"

#define SOURCE_BYTES_MAX (256u << 20) /* of source texts kept; beyond it a source has its hash only */

/* The profile as its owner sees it: what the public struct shows as const, and what holds it. */
struct whole {
    struct profile p; /* first: the two are one address */
    struct profile_function *functions;
    struct profile_line *lines;
    struct profile_node *nodes;
    struct profile_cell *cells;
    struct profile_process *processes;
    struct profile_thread *threads;
    struct profile_source *sources;
    struct profile_meta *metas;
    size_t function_capacity, line_capacity, node_capacity, cell_capacity, process_capacity, thread_capacity,
        source_capacity, meta_capacity;
    struct strings strings; /* every text but the sources' */
    struct arena texts;
    struct map source_index; /* path -> source */
};

/* Hits of one thing, counted lazily: y has held since the view's sums stood at `ticks` and `n`. */
struct tally {
    uint32_t y;
    uint64_t ticks, n;
    struct profile_sums sums;
};

struct pair { /* of one function, or one line */
    struct tally self, total;
};

struct run_thread { /* a thread between two changes */
    bool picked;    /* by the options */
    bool in_view, tracked;
    uint32_t node, state, cell; /* cell PROFILE_NONE: not looked up yet */
    uint32_t tracked_node;
    uint64_t since; /* in ticks */
};

struct load {
    struct whole *w;
    struct profile *p;
    /* The recording's ids, between two restarts, to ours. */
    uint32_t *code_function, *frame_line, *stack_node;
    size_t code_capacity, frame_capacity, stack_capacity;
    struct strings function_keys; /* a key's id is its function's index */
    struct map line_index, node_index, cell_index, meta_index;
    struct map named;           /* threads that at some time had the name asked for */
    struct run_thread *threads; /* by id, as many as p->thread_count */
    size_t thread_capacity;
    uint32_t no_frame; /* the node that an empty stack is shown as; PROFILE_NONE: not needed yet */
    /* At each tick of the view. */
    uint64_t n, sum_n;
    uint64_t present, on_cpu, has_gil; /* picked threads, now */
    struct profile_sums cpu, gil;      /* of those present */
    double present_squared;
    /* From the first tick on at which the view has two threads. Before it y squared is y, and y n is y. */
    bool tracking;
    struct pair *function_pairs, *line_pairs;
    size_t function_pair_capacity, line_pair_capacity;
    struct map occurrences; /* of a thread and a line or function: how often they are in its stack */
};

struct input { /* a recording: in memory, or from fd */
    int fd;
    const char *name;
    const void *data;
    size_t size;
    struct buffer spool; /* data, where it came from a pipe and is needed twice */
};

/* load.c: one reading of it; then the node of a line under a parent. */
int load_pass(const struct input *in, const struct record_events *of, void *context, struct record_summary *summary,
    struct error *e);
int load_node(struct load *l, uint32_t parent, uint32_t line, uint32_t *ret);

/* track.c */
int track_state(struct load *l, uint32_t thread, uint32_t node, uint32_t state); /* holds from the next tick on */
int track_tick(struct load *l);
int track_finish(struct load *l); /* settles every thread and every tally */

/* pick.c: fills l->named; the input can be read once more afterwards. */
int pick_threads(struct load *l, struct input *in, struct error *e);

/* totals.c: hits of nodes, functions, lines, threads, processes; after track_finish. */
int totals_finish(struct load *l);

#endif
