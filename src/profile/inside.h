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
    struct profile_task *tasks;
    struct profile_source *sources;
    struct profile_meta *metas;
    struct profile_run *runs;
    struct profile_call *calls;
    struct profile_run_hits *function_runs, *line_runs;
    size_t *function_run_starts, *line_run_starts; /* NULL: one run */
    size_t function_capacity, line_capacity, node_capacity, cell_capacity, process_capacity, thread_capacity,
        task_capacity, source_capacity, meta_capacity, run_capacity, call_capacity;
    struct strings strings; /* every text but the sources' */
    struct arena texts;
    struct map source_index; /* path -> source */
    /* At each tick, of those present. */
    struct profile_sums cpu, gil, waits;
    double present_squared;
};

/* The sums of functions or lines at some earlier moment, to be taken from what they are now. */
struct sums_before {
    const struct profile_sums *functions, *lines; /* two each: self, total; none of those that are newer */
    size_t function_count, line_count;
};

/* Hits of one thing at each tick: y of them now, and of every change so far the change of y times the ticks, of y times
 * the sum of n, of y squared times the ticks, as they stood then. The sum of y over all ticks is so y times the ticks,
 * less the first; a change costs three additions, whatever happened before. Modulo 2^64, like the sums themselves. */
struct tally {
    uint64_t y, ticks, n, square_ticks;
};

struct pair { /* of one function, or one line */
    struct tally self, total;
};

struct run_thread { /* a thread between two changes */
    bool picked;    /* by the options */
    bool in_view, tracked;
    uint32_t node, state;
    uint32_t lane, cell; /* PROFILE_NONE: not looked up yet */
    uint32_t task;       /* index; PROFILE_NONE: none */
    uint32_t tracked_node;
    uint64_t since, since_ns; /* in ticks; the time of the last tick before */
};

/* A node as the moves of threads need it: side by side, since most moves go through many. */
struct step {
    uint32_t parent, line, function, marks;
};

/* The path from the root to a node, and what was found out on the way; track.c. */
struct path {
    uint32_t cursor;
    struct step *steps;          /* by node */
    uint32_t *lines, *functions; /* how often each is on the path */
    uint32_t *ahead;
    size_t step_capacity, line_capacity, function_capacity, ahead_capacity;
};

struct load {
    struct whole *w;
    struct profile *p;
    /* The recording's ids, between two restarts, to ours. */
    uint32_t *code_function, *frame_line, *stack_node, *task_index;
    size_t code_capacity, frame_capacity, stack_capacity, task_index_capacity;
    struct strings function_keys; /* a key's id is its function's index */
    struct map line_index, place_index, node_index, cell_index, meta_index;
    struct map lanes;           /* (thread, task) -> its number: with a node, the key of a cell */
    struct map task_names;      /* (name, function) -> index of the task */
    struct map named;           /* threads that at some time had the name asked for */
    struct run_thread *threads; /* by id, as many as p->thread_count */
    size_t thread_capacity;
    bool follows;      /* names cannot be looked for before the reading */
    struct map flat;   /* of an import without stacks: a function's time with what it called */
    uint32_t no_frame; /* the node that an empty stack is shown as; PROFILE_NONE: not needed yet */
    uint64_t run_start, run_hits, run_first_ns; /* ticks and hits before the present run */
    /* At each tick of the view. */
    uint64_t n, sum_n;
    uint64_t present, on_cpu, has_gil, waits_for_gil; /* picked threads, now */
    /* From the first tick on at which the view has two threads. Before it y squared is y, and y n is y. */
    bool tracking;
    struct pair *function_pairs, *line_pairs;
    size_t function_pair_capacity, line_pair_capacity;
    struct path path;
};

struct input { /* a recording: in memory, or from fd */
    int fd;
    const char *name;
    const void *data;
    size_t size;
    struct buffer spool; /* data, where it came from a pipe and is needed twice */
    uint8_t head[8];     /* its first bytes; of a pipe they cannot be read again */
    size_t head_size;
    bool foreign; /* no recording of ours */
};

/* load.c: the events of a recording into a model, from none to the finished profile; one reading of an input; then the
 * node of a line under a parent. */
extern const struct record_events load_events; /* the context is a struct load */
int load_start(struct load *l, const struct profile_options *options);
void load_release(struct load *l);         /* all but l->w, which is profile_free's */
void load_release_tables(struct whole *w); /* what a copy of the counts owns: the tables, not their texts */
void load_show(struct whole *w);           /* times and shares of the whole; then lets the profile be seen */
int load_pass(const struct input *in, const struct record_events *of, void *context, struct record_summary *summary,
    struct error *e);
int load_function(
    struct load *l, enum profile_kind kind, const char *name, const char *file, uint32_t first_line, uint32_t *ret);
int load_line(struct load *l, uint32_t function, uint32_t line, uint32_t column, uint32_t *ret);
int load_node(struct load *l, uint32_t parent, uint32_t line, uint32_t *ret);

/* track.c */
int track_state(struct load *l, uint32_t thread, uint32_t node, uint32_t state); /* holds from the next tick on */
int track_task(struct load *l, uint32_t thread, uint32_t task); /* the same for the task that it runs */
int track_ticks(struct load *l, uint64_t count);                /* so many at which nothing changed */
int track_settle(struct load *l); /* every thread: what is counted is now all that ticked */
struct profile_sums tally_sums(const struct load *l, const struct tally *t); /* of all that ticked */
/* What intervals need, of w's functions and lines; after track_settle and totals_finish. before: may be NULL. */
void track_sums(const struct load *l, const struct sums_before *before, struct whole *w);

/* pick.c: whether the options name this thread; fills l->named, after which the input can be read once more. */
bool pick_matches(const struct profile_options *o, const struct record_thread *t);
int input_spool(struct input *in, struct error *e); /* all of it into memory */
int pick_threads(struct load *l, struct input *in, struct error *e);

/* totals.c: hits of nodes, functions, lines, threads, processes, from the cells' alone. */
int totals_finish(struct whole *w);

/* view.c: the share of so many hits, whose spread over ticks is taken to be that of `like` (NULL: at most one a tick).
 */
struct profile_share view_share_like(const struct profile *p, uint64_t hits, const struct profile_sums *like);

/* runs.c: where one run ends and the next begins, and the hits of each; the latter after totals_finish. */
int runs_begin(struct load *l, uint32_t run);
uint64_t runs_wall_ns(uint64_t first_ns, uint64_t last_ns, uint64_t ticks); /* with one mean gap; 0: not known */
void runs_tick(struct load *l, uint64_t time_ns);                           /* before it is counted */
int runs_finish(struct load *l);

/* ---- import.c: what other programs wrote, into the same model ---- */
#define IMPORT_BYTES_MAX (256u << 20)
#define IMPORT_DEPTH_MAX 10000u             /* frames of a stack */
#define IMPORT_HITS_MAX (UINT64_C(1) << 52) /* of the whole file: a double holds it */

bool import_is_foreign(const uint8_t *head, size_t size);
int import_read(struct load *l, const struct input *in, struct record_summary *summary, struct error *e);
int import_finish(struct load *l); /* after all totals */

struct import {
    struct load *l;
    const char *name; /* of the file, for errors */
    const char *data;
    size_t size;
    struct error *e;
    uint32_t thread, threads;
    struct strings thread_names; /* id: the thread's */
    struct map flat;             /* function -> time in it and in what it called, where there are no stacks */
};
/* Each returns 0 or a negative errno with a line in e. */
int import_collapsed(struct import *m);
int import_pstats(struct import *m);
int import_speedscope(struct import *m);
int import_refuse(struct import *m, const char *what);              /* -EINVAL: "NAME is not ...: WHAT" */
int import_thread(struct import *m, const char *name, size_t size); /* those that follow are its */
/* A frame as node under `parent`. The texts need not end. */
int import_frame(struct import *m, uint32_t parent, const char *name, size_t name_size, const char *file,
    size_t file_size, uint32_t first_line, uint32_t line, uint32_t *ret_node);
int import_hits(struct import *m, uint32_t node, uint64_t hits);

#endif
