/*
 * record: the `.pit` recording. A writer that a killed process leaves readable, and a reader that believes nothing.
 *
 * A file is a magic and checksummed chunks. Everything is defined before it is used: strings, processes, threads, code
 * objects, frames, stacks; then ticks. A *tick* is one scheduled sampling time; at each tick every thread that is
 * `present` was sampled once, with the stack and state that its last record_put_state gave. So a run in which nothing
 * changes costs a few bytes a tick, however many threads there are, and a reader pays for changes only.
 *
 * Ids are small integers given by the writer's caller, dense from 0 within their kind; stack 0 is the empty stack (no
 * Python frame). Times are CLOCK_MONOTONIC nanoseconds. A restart forgets strings, code, frames and stacks (not
 * processes and threads): ids start anew, so that a writer's memory stays flat, and the file is readable from there on.
 */
#ifndef PITVIPER_RECORD_H
#define PITVIPER_RECORD_H

#include "base/base.h"

/* ---- what is recorded ---- */
enum record_state {     /* flags of a thread at a tick */
    RECORD_PRESENT = 1, /* sampled; without it the thread is not part of the tick (not yet, rejected, or gone) */
    RECORD_ON_CPU = 2,  /* the kernel said running or runnable */
    RECORD_HAS_GIL = 4,
    /* 8 is kept for a thread that is known to wait for it */
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
void record_put_code(struct record_writer *w, const struct record_code *c);
void record_put_frame(struct record_writer *w, const struct record_frame *f);
void record_put_stack(struct record_writer *w, uint32_t id, uint32_t parent, uint32_t frame); /* parent 0: outermost */
void record_put_state(
    struct record_writer *w, uint32_t thread, uint32_t stack, uint32_t state); /* holds from the next tick on */
void record_put_tick(struct record_writer *w, uint64_t time_ns);
void record_put_counters(struct record_writer *w, const struct record_counters *c);
void record_put_source(struct record_writer *w, const char *path, const uint8_t sha256[32], const void *text,
    size_t size, bool whole); /* whole: text is all of the file; else capped (text may be NULL: hash only) */
void record_put_restart(struct record_writer *w);
void record_writer_flush(struct record_writer *w, uint64_t now_ns, bool force); /* closes the chunk if it is due */
int record_writer_failure(const struct record_writer *w);                       /* 0, or the negative errno kept */
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
    int (*tick)(void *context, uint64_t time_ns);
    int (*counters)(void *context, const struct record_counters *c);
    int (*source)(
        void *context, const char *path, const uint8_t sha256[32], const uint8_t *text, size_t size, bool whole);
    int (*restart)(void *context);
};
struct record_summary {
    bool complete; /* the end chunk was there */
    uint64_t bytes, chunks;
    uint64_t damaged_at; /* offset of the first damage; meaningless when complete */
    char damage[160];    /* "", or what was wrong there ("truncated in the middle of a chunk", "checksum ...") */
};
/* Reads a whole recording from fd (a pipe is fine). Damage is no error: all before it has been called back, and
 * the summary says so. -EINVAL with a line in e if it is not a recording, is empty, or comes from a future version. */
int record_read(int fd, const char *name, const struct record_events *events, void *context, struct record_summary *ret,
    struct error *e);
int record_read_memory(const void *data, size_t size, const char *name, const struct record_events *events,
    void *context, struct record_summary *ret, struct error *e); /* the same, for the fuzzer */

#endif
