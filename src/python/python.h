/*
 * python: CPython's memory by version, read from outside. Finds the interpreter in a process, lists its threads, reads
 * their stacks, checks every caller, and resolves code objects to names and lines.
 *
 * One python_process belongs to one thread. Nothing here writes to the target or stops it. Sources of facts: CPython's
 * headers of each minor version, named in layout_3_*.c.
 */
#ifndef PITVIPER_PYTHON_H
#define PITVIPER_PYTHON_H

#include "target/target.h"

struct python_process;

/* ---- attaching ---- */
struct python_info {
    uint16_t version;      /* 0x030c for 3.12 */
    char version_text[32]; /* "3.12.1"; "3.14.2t": a free-threaded build */
    const char *found_by;  /* "symbol", "section", "scan" */
    bool no_gil;           /* free-threaded, and its GIL is not enabled, or only while it imports an extension */
    bool versions_checked; /* callers are checked by function version too, not only by their instruction */
    char weaker[160];      /* "", or why a weaker check is used */
};
/*
 * -ENOENT: not a Python process (now: it may be starting; try again). -EAGAIN: Python, but its runtime is not up yet.
 * -ENOTSUP: Python, but not one that can be read (2.7, 3.7, 3.13t); e says which. -ESRCH: gone. -EPERM.
 */
int python_open(struct target *t, struct python_process **ret, struct error *e);
void python_close(struct python_process *p);
const struct python_info *python_info(const struct python_process *p);

/* ---- code objects: kept for the life of the python_process, dense ids; a recycled address gets a new id ---- */
struct python_code {
    const char *qualname, *file; /* co_qualname, or co_name before 3.11 */
    uint32_t first_line;
    uint32_t flags;
};
const struct python_code *python_code(const struct python_process *p, uint32_t id);
struct python_location {
    uint32_t line, end_line, column, end_column; /* 1-based; 0 unknown. Columns count UTF-8 bytes, 3.11+ only */
};
void python_code_location(const struct python_process *p, uint32_t id, uint32_t at, struct python_location *ret);

/* ---- one sample ---- */
struct python_frame {
    uint32_t code; /* id */
    uint32_t at;   /* byte offset of the instruction in the code */
};
enum python_stack_result {
    PYTHON_STACK_OK,       /* every caller checked, ends at the known root */
    PYTHON_STACK_REPAIRED, /* cut where a check failed and extended by live callees */
    PYTHON_STACK_REJECTED, /* no known root, or unreadable */
    PYTHON_STACK_SAME,     /* proven not to have changed since the last sample: frames are the last ones */
};
struct python_thread {
    uint64_t address, ident; /* of the PyThreadState; threading.get_ident() */
    pid_t tid;               /* 0 while unknown */
    uint32_t serial;         /* new for every thread state, never used again */
    bool has_gil, in_gc;
    enum python_stack_result result;
    const struct python_frame *frames; /* [0] outermost; valid until the next sample */
    size_t depth;
    bool user_slot; /* the caller's: false when the thread is new */
};
struct python_sample {
    struct python_thread *threads;
    size_t count;
    uint64_t taken_ns; /* when the reading began */
};
struct python_counters {
    uint64_t reads, edges_checked, edges_refused, edges_confirmed, repaired, rejected, recycled_codes;
};
/* -ESRCH: gone. -EAGAIN: it exec-ed, is finalizing or has no interpreter: open anew. -EFAULT: nothing readable now. */
int python_sample(struct python_process *p, struct python_sample *ret);
const struct python_counters *python_counters(const struct python_process *p);

/* The threading module's name of the thread ("MainThread", "Thread-1 (work)"); -ENOENT if it has none. Also the
 * kernel thread id where it is only known there (before 3.11). Slow: for new threads and once in a while. */
int python_thread_name(
    struct python_process *p, const struct python_thread *t, struct buffer *ret_name, pid_t *ret_tid);

#endif
