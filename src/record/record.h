/*
 * record: the `.pit` recording. A writer that a killed process leaves readable, and a reader that believes nothing.
 *
 * A file is a magic and checksummed chunks. Everything is defined before it is used: strings, processes, threads, code
 * objects, frames, stacks; then ticks. A *tick* is one scheduled sampling time; at each tick every thread that is
 * `present` was sampled once, with the stack and state that its last record_put_state gave. So a run in which nothing
 * changes costs a few bytes a tick, however many threads there are, and a reader pays for changes only.
 *
 * Ids are small integers given by the writer's caller, dense from 0 within their kind; stack 0 is the empty stack (no
 * Python frame). Times are CLOCK_MONOTONIC nanoseconds. A restart forgets strings, code, frames, stacks and tasks (not
 * processes and threads, which the writer repeats by itself): ids start anew, so that a writer's memory stays flat, and
 * the file is readable from there on, whatever became of what came before.
 */
#ifndef PITVIPER_RECORD_H
#define PITVIPER_RECORD_H

#include "base/base.h"

#include <sys/types.h>

/* ---- what is recorded ---- */
enum record_state {     /* flags of a thread at a tick */
    RECORD_PRESENT = 1, /* sampled; without it the thread is not part of the tick (not yet, rejected, or gone) */
    RECORD_ON_CPU = 2,  /* the kernel said running or runnable */
    RECORD_HAS_GIL = 4,
    RECORD_WAITS_FOR_GIL = 8, /* asleep in the kernel until it can have it; meta "gil_wait": this was looked at */
    RECORD_IN_GC = 16,        /* the collector is running in this thread */
    RECORD_REPAIRED = 32,     /* the stack was cut or extended after its check failed */
    RECORD_REJECTED = 64,     /* taken, but nothing of it could be trusted; PRESENT is not set */
    RECORD_STATE_STALE = 128, /* the kernel state is older than 2 ms (threads are read at up to 1 kHz each) */
};

enum record_frame_kind {
    RECORD_FRAME_PYTHON = 0,
    RECORD_FRAME_GC = 1,  /* the pseudo frame "<garbage collector>" */
    RECORD_FRAME_CUT = 2, /* the pseudo frame "<unknown callers>", where a chain had no root */
};

struct record_process {
    uint32_t id, parent; /* parent == id for the first */
    int32_t pid;
    uint64_t start_ns;   /* when it was first seen */
    uint64_t image;      /* counts execs within one pid: 0, 1, ... */
    uint32_t run;        /* of several runs in one recording; dense from 0. Ticks belong to the newest run. */
    const char *python;  /* "3.12.1", "" if not a Python process */
    const char *command; /* argv joined by spaces, shell-quoted */
};
struct record_thread {
    uint32_t id, process;
    int32_t tid;      /* 0 if unknown */
    const char *name; /* may be put again when it changes */
};
struct record_code {
    uint32_t id, process;
    const char *qualname, *file; /* co_qualname, or co_name before 3.11 */
    uint32_t first_line;
};
struct record_frame {
    uint32_t id, code;
    enum record_frame_kind kind;
    uint32_t line, end_line, column, end_column; /* line 0: unknown; columns are 1-based UTF-8 bytes, 0: unknown */
};
/* An asyncio task, told from others by its name and its own coroutine. Ids are dense from 1; a restart forgets them. */
struct record_task {
    uint32_t id, process, code;
    const char *name; /* "" where names were too many to be kept */
};
struct record_process_end {
    uint32_t process;
    uint64_t time_ns;
    uint64_t cpu_ns; /* the kernel's figure for the whole process while it was watched */
    int32_t status;  /* wait status, -1 unknown */
};
struct record_thread_cpu { /* cumulative since the thread was first seen; the last one counts */
    uint32_t thread;
    uint64_t kernel_cpu_ns, kernel_wait_ns;
};
/* The truth counters: cumulative, put about once a second and at the end; the last one counts. */
/* clang-format would lay this macro out anew each time. */
/* clang-format off */
#define RECORD_COUNTERS(X)                                                                                             \
    X(ticks_due)                                                                                                       \
    X(ticks_taken) X(ticks_late) X(ticks_missed) X(samples) X(repaired) X(rejected) X(longest_gap_ns)                  \
        X(profiler_cpu_ns) X(profiler_wall_ns) X(reads) X(read_ns) X(edges_checked) X(edges_refused)                   \
            X(edges_confirmed) X(children_found) X(children_late) X(recycled_codes) X(target_cost_ppm) X(bytes_lost)
/* clang-format on */
struct record_counters {
#define RECORD_COUNTER_FIELD(name) uint64_t name;
    RECORD_COUNTERS(RECORD_COUNTER_FIELD)
#undef RECORD_COUNTER_FIELD
};

/* ---- writer: one thread. The first failure (full disk, closed pipe) is kept; later puts do nothing, and
 * record_writer_close reports it. A chunk is closed at 64 KB or 1 s, whichever is first, by one write. ---- */
struct record_writer;
/* A regular path is created or truncated; a device, FIFO or socket is opened and written in place; "-" is stdout. */
int record_writer_open(const char *path, struct record_writer **ret, struct error *e);
int record_writer_close(struct record_writer *w, struct error *e); /* frees w in any case; writes the end chunk */
void record_put_meta(struct record_writer *w, const char *key, const char *value);
void record_put_process(struct record_writer *w, const struct record_process *p);
void record_put_process_end(struct record_writer *w, const struct record_process_end *p);
void record_put_thread(struct record_writer *w, const struct record_thread *t);
void record_put_thread_cpu(struct record_writer *w, const struct record_thread_cpu *c);
/* It is present no more, and its id is not used again: restarts do not repeat it. */
void record_put_thread_end(struct record_writer *w, uint32_t thread);
void record_put_code(struct record_writer *w, const struct record_code *c);
void record_put_frame(struct record_writer *w, const struct record_frame *f);
void record_put_stack(struct record_writer *w, uint32_t id, uint32_t parent, uint32_t frame); /* parent 0: outermost */
void record_put_state(
    struct record_writer *w, uint32_t thread, uint32_t stack, uint32_t state); /* holds from the next tick on */
void record_put_task(struct record_writer *w, const struct record_task *t);
/* What the thread runs from the next tick on, while it is present; 0: no task, as it is after a restart. */
void record_put_thread_task(struct record_writer *w, uint32_t thread, uint32_t task);
void record_put_tick(struct record_writer *w, uint64_t time_ns); /* kept to the microsecond */
void record_put_counters(struct record_writer *w, const struct record_counters *c);
void record_put_source(struct record_writer *w, const char *path, const uint8_t sha256[32], const void *text,
    size_t size, bool whole); /* whole: text is all of the file; else capped (text may be NULL: hash only) */
void record_put_restart(struct record_writer *w); /* and repeats processes, threads, meta and counters */
/* Keeps the last last_ns of a regular file at least, and the rest for some time more. 0 or -EINVAL. */
int record_writer_ring(struct record_writer *w, uint64_t last_ns, struct error *e);
/* Writes what a ring has now to NAME-1.pit, NAME-2.pit, ... beside it; path becomes its name. 0 or a negative errno. */
int record_writer_cut(struct record_writer *w, char *path, size_t size);
/* Enough was written since the last one; the caller has to begin its ids anew. */
/* Keeps a regular file under so many bytes: when it is nearly full, every second tick of all that was recorded is
 * dropped, and of what comes. 0, or -EINVAL where what is written is no regular file, or too little is allowed. */
int record_writer_limit(struct record_writer *w, uint64_t bytes, struct error *e);
bool record_writer_wants_restart(const struct record_writer *w);
void record_writer_flush(struct record_writer *w, uint64_t now_ns, bool force); /* closes the chunk if it is due */
int record_writer_failure(const struct record_writer *w);                       /* 0, or the negative errno kept */
pid_t record_writer_helper(const struct record_writer *w); /* a child of this process that works for it now; 0: none */
uint64_t record_writer_bytes(const struct record_writer *w);

/* ---- reader: calls back in file order. Any callback may be NULL; a non-zero return ends the reading with it. Ids are
 * validated (defined, in range, parents before children) before a callback sees them. ---- */
struct record_events {
    int (*meta)(void *context, const char *key, const char *value);
    int (*process)(void *context, const struct record_process *p);
    int (*process_end)(void *context, const struct record_process_end *p);
    int (*thread)(void *context, const struct record_thread *t);
    int (*thread_cpu)(void *context, const struct record_thread_cpu *c);
    int (*code)(void *context, const struct record_code *c);
    int (*frame)(void *context, const struct record_frame *f);
    int (*stack)(void *context, uint32_t id, uint32_t parent, uint32_t frame);
    int (*state)(void *context, uint32_t thread, uint32_t stack, uint32_t state);
    int (*task)(void *context, const struct record_task *t);
    int (*thread_task)(void *context, uint32_t thread, uint32_t task);
    int (*tick)(void *context, uint64_t time_ns);
    int (*counters)(void *context, const struct record_counters *c);
    int (*source)(
        void *context, const char *path, const uint8_t sha256[32], const uint8_t *text, size_t size, bool whole);
    int (*restart)(void *context);
};
struct record_summary {
    bool complete;          /* the end chunk was there, and nothing was lost before it */
    uint64_t bytes, chunks; /* that were sound */
    uint64_t damaged_at;    /* offset of the first damage; meaningless when complete */
    uint64_t bytes_lost;    /* all that could not be read, up to the next restart each time */
    uint32_t gaps;          /* how often */
    char damage[160];       /* "", or what was wrong first ("truncated in the middle of a chunk", "checksum ...") */
};
/* Reads a whole recording from fd (a pipe is fine). Damage is no error: all before it is called back, and
 * all from the next sound restart on, and the summary says so. Ids that a reader sees have no gaps, whatever was lost.
 * -EINVAL with a line in e if it is not a recording, is empty, or comes from a future version. */
int record_read(int fd, const char *name, const struct record_events *events, void *context, struct record_summary *ret,
    struct error *e);
int record_read_memory(const void *data, size_t size, const char *name, const struct record_events *events,
    void *context, struct record_summary *ret, struct error *e);

/* The same piece by piece, for who reads while it is written. `name` and `events` are borrowed until the end. */
struct record_reader;
int record_reader_new(const char *name, const struct record_events *events, void *context, struct record_reader **ret);
void record_reader_free(struct record_reader *r);
/* The next bytes, cut anywhere: calls back for each chunk that is now whole. 0; -EINVAL, -ENOMEM with a line in e; or
 * what a callback returned, and then nothing further may be fed. */
int record_reader_feed(struct record_reader *r, const void *data, size_t size, struct error *e);
bool record_reader_done(const struct record_reader *r); /* at its end mark: what is fed now is not looked at */
/* No more bytes will come. 0; -EINVAL with a line in e where there were too few for a recording; or
 * what a callback returned: damage at the end may have hidden a chunk. */
int record_reader_end(struct record_reader *r, struct record_summary *ret, struct error *e);

/* Copies what is whole of a recording, which may still be written to, and ends it: a recording of its own. `from` is a
 * file and is read by position; `to` is written in place. -EINVAL if it has no recording's first bytes yet. */
int record_copy(int from, int to);

/* ---- merge: several recordings into one, one after the other, in the memory of one's definitions. Processes, threads
 * and runs are numbered on; each input begins with a restart, and its times are shifted to follow those before it;
 * counters are added; a source text is kept once. ---- */
struct record_merge;
int record_merge_new(const char *path, struct record_merge **ret, struct error *e); /* opened as by a writer */
/* One more, from fd. Damage is no error: all before it is in, and the summary says so. Of what is refused in its first
 * bytes (no recording, empty, from a future version) nothing is in. */
int record_merge_add(struct record_merge *m, int fd, const char *name, struct record_summary *ret, struct error *e);
uint32_t record_merge_runs(const struct record_merge *m);
bool record_merge_differs(const struct record_merge *m);         /* not all were of one command */
int record_merge_close(struct record_merge *m, struct error *e); /* as record_writer_close; frees m in any case */

#endif
