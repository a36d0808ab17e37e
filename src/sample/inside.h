/* What the files of this room share. */
#ifndef PITVIPER_SAMPLE_INSIDE_H
#define PITVIPER_SAMPLE_INSIDE_H

#include "python/python.h"
#include "sample/sample.h"

enum {
    STACKS_CAP = 1 << 20,           /* distinct stacks before the recording restarts: memory stays flat */
    TASKS_CAP = 1 << 20,            /* names of tasks between two restarts; those after have none */
    STATE_AGE_NS = 1000000,         /* a thread's kernel state is read at up to 1 kHz */
    STATE_AGE_RUNNING_NS = 1900000, /* below STATE_STALE_NS */
    STATE_AGE_LOST_NS = 200000,     /* once it has lost the GIL: it is as like as not asleep by now */
    STATE_AGE_STILL_NS = 4000000,
    CORE_AGE_NS = 50000000,        /* of the core that a running thread was seen on */
    STATE_AGE_QUIET_NS = 16000000, /* and less often while it sleeps and its stack is proven not to change */
    STATE_STALE_NS = 2000000,
    KEEP_NS = 10000000,       /* housekeeping: children, ends, new threads; */
    KEEP_MOST_NS = 15000000,  /* put off so long for a pause of */
    KEEP_TAKES_NS = 100000,   /* so much between ticks */
    SOURCE_TAKES_NS = 200000, /* a step of reading sources is done in a pause of so much, or every SLOW_NS */
    SLOW_NS = 100000000,      /* slow housekeeping: CPU figures, names */
    SECOND_NS = 1000000000,
};

/* ---- one thread as recorded ---- */
struct watched_thread {
    uint32_t id, serial;                /* recording id; python_thread.serial */
    uint32_t stack, state;              /* as last recorded */
    uint32_t task, running;             /* as last recorded; python_running_task's */
    uint32_t plain_stack;               /* the stack of `frames`, without pseudo frames */
    pid_t tid, told_tid;                /* one that is there; what its thread state said when it was named */
    bool named, kernel_open, kept;      /* kept: passes the --thread filter */
    bool shares_tid, counted_elsewhere; /* with another thread state; whose CPU time it is that the kernel tells */
    bool waits_for_gil;                 /* when its kernel state was read */
    bool had_gil;                       /* at the last sample */
    char kernel_state;
    uint64_t state_ns, state_age_ns, seen; /* when read; how long it may be used; the tick it was last seen at */
    uint64_t core_ns;                      /* when the core that it runs on was read */
    uint64_t cpu_start_ns, wait_start_ns;
    uint64_t name_next_ns, name_wait_ns; /* when a name that could not be had is asked for again */
    struct target_thread kernel;
    struct python_frame *frames; /* of the last sample, with the stack id at each depth */
    uint32_t *nodes;
    size_t depth, capacity, nodes_capacity;
};

/* ---- one process ---- */
struct watched {
    struct target *target;
    struct python_process *python; /* NULL: not (yet) a readable Python */
    uint32_t id, parent;
    uint64_t image, image_count, opened_ns, cpu_start_ns, cpu_last_ns;
    uint64_t try_again_ns, scan_ns;  /* when it is looked at for a Python again; when its data may be scanned for one */
    bool announced, ended, hopeless; /* hopeless: not a Python, until it execs */
    bool refused;                    /* we may not read it (any more), and that was said */
    uint32_t epoch;                  /* of the fold: codes below are valid for it only */
    uint32_t *codes;                 /* python code id -> recording code id + 1 */
    size_t codes_capacity;
    uint32_t *tasks; /* python_running_task's id -> recording task id, 0: none yet */
    size_t tasks_capacity;
    struct watched_thread *threads;
    size_t thread_count, thread_capacity;
    int failures; /* samples in a row that could not be read */
    struct python_counters counted;
    char python_text[32]; /* the version as last recorded, */
    bool no_gil;          /* and whether it had no GIL */
    bool gil_wait_told;   /* whether waiting for the GIL can be told from other waiting is in the recording */
};

/* ---- stacks, folded ---- */
struct fold {
    struct map frames, stacks; /* (code, at) -> frame; (parent, frame) -> stack */
    uint32_t code_count, frame_count, stack_count, task_count, epoch;
};

struct source {
    char *path;
    uint32_t process;
};
struct sources {
    struct strings seen;
    struct source *pending;
    size_t count, capacity;
    struct source current; /* the one that is being read; path NULL: none */
    int fd;
    struct buffer text; /* what came of it, */
    struct sha256 sum;  /* and its checksum up to there */
    int changed;        /* files that were said to be newer than the program that runs */
};

struct schedule {
    double mean_gap_ns;
    uint64_t random, due, next;
    uint64_t service_ns, deviation_ns; /* from a tick's time to its end, smoothed */
    uint64_t last_taken, last_ended;
    bool spin; /* the gap is too short to sleep in */
    uint32_t spin_ns;
};

struct sampler {
    struct sample_options options;
    struct record_writer *writer;
    struct watched *watched;
    size_t count, capacity;
    struct fold fold;
    struct sources sources;
    struct schedule schedule;
    struct sample_result result;
    struct map pids; /* pid -> the look for children that it was there at last */
    uint64_t looks;
    size_t refused; /* of those that are there, how many we may not read */
    bool starter;   /* the first process is our child */
    uint32_t next_process, next_thread;
    uint64_t ticks, last_pid, kept_ns, slow_ns, second_ns, started_ns, cpu_started_ns, children_checked_ns, flushed_ns;
    int busy_core, avoided_core;
};

/* ---- schedule.c ---- */
void schedule_init(struct schedule *c, double rate_hz, uint64_t now_ns);
/* Sleeps, then spins, to the next tick; false if `stop` was set or until_ns came first. Counts due, late, missed.
 * *now_ns: the time, before and after. */
bool schedule_wait(struct schedule *c, struct record_counters *counters, uint64_t until_ns,
    const volatile sig_atomic_t *stop, uint64_t *now_ns);
void schedule_taken(struct schedule *c, uint64_t began_ns, uint64_t ended_ns, struct record_counters *counters);
/* No tick is due within for_ns. */
bool schedule_has_time(const struct schedule *c, uint64_t now_ns, uint64_t for_ns);
bool schedule_real_time(void);      /* asks for SCHED_FIFO; false where that is not allowed or unwise */
bool schedule_avoid_core(int core); /* moves this thread, and only it, off the core */

/* ---- fold.c ---- */
int fold_init(struct fold *f);
void fold_release(struct fold *f);
/* The recording's id of the thread's stack; defines what is new. */
uint32_t fold_stack(struct sampler *s, struct watched *w, struct watched_thread *t, const struct python_thread *from);
/* The recording's id of a task that python_running_task told of. */
uint32_t fold_task(struct sampler *s, struct watched *w, uint32_t running);
uint32_t fold_pseudo(struct sampler *s, uint32_t stack, enum record_frame_kind kind);
void fold_restart(struct sampler *s);

/* ---- watch.c ---- */
int watch_add(struct sampler *s, struct target *t, uint32_t parent);
void watch_release(struct watched *w);
/* Opens Python in it if there is one by now; 0, or python_open's errors. */
int watch_try(struct sampler *s, struct watched *w, uint64_t now_ns, struct error *e);
void watch_sample(struct sampler *s, struct watched *w);
void watch_end(struct sampler *s, struct watched *w, uint64_t now_ns);
void watch_slow(struct sampler *s, struct watched *w);
void watch_exec(struct sampler *s, struct watched *w);

/* A process that is there and may not be read, for this reason: said of the first, the others are counted. */
void refused_tell(struct sampler *s, const struct error *why);

/* ---- children.c ---- */
void children_init(struct sampler *s); /* once the first process is watched */
void children_find(struct sampler *s, uint64_t now_ns);

/* ---- sources.c ---- */
int sources_init(struct sources *x);
void sources_release(struct sources *x);
void sources_note(struct sampler *s, const struct watched *w, const char *path);
bool sources_step(struct sampler *s); /* opens, reads a piece of, or records a noted file; false: none are left */

#endif
