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
 * scan: where no file knows the symbol the data of all is looked through, some milliseconds. -ENOENT: not a Python
 * process (now: it may be starting; try again). -EAGAIN: Python, but its runtime is not up yet. -ENOTSUP: Python, but
 * not one that can be read (2.7, 3.7, 3.13t); e says which. -ESRCH: gone. -EPERM.
 */
int python_open(struct target *t, bool scan, struct python_process **ret, struct error *e);
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
    uint32_t at;   /* byte offset of the instruction in the code, or PYTHON_AT_START, PYTHON_AT_UNKNOWN */
};
#define PYTHON_AT_START UINT32_MAX         /* a coroutine that has not begun: on its code's first line */
#define PYTHON_AT_UNKNOWN (UINT32_MAX - 1) /* before 3.11: it called what stands above it, from whichever line */
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
/* The last sample once more, without reading anything: valid until the next one. */
void python_last_sample(const struct python_process *p, struct python_sample *ret);
const struct python_counters *python_counters(const struct python_process *p);
/* Whether who waits at this futex waits for a GIL: it lies in the condition variables and mutexes of an interpreter's
 * (Python/ceval_gil.c, take_gil; by glibc's futexes: musl waits elsewhere). No reading. */
bool python_futex_is_gil(const struct python_process *p, uint64_t futex);

/* ---- asyncio's tasks: docs/asyncio.md ---- */
/* The task that the thread runs in the last sample; 0: none, or it is not known. Reads nothing unless a coroutine is in
 * its stack; of a thread that is PYTHON_STACK_SAME, the answer is the last one. */
uint32_t python_running_task(struct python_process *p, const struct python_thread *t);
struct python_running {
    const char *name; /* as its get_name() said; "": one of more distinct names than are kept */
    uint32_t code;    /* id of its own coroutine's code */
};
struct python_running python_running(const struct python_process *p, uint32_t task); /* kept as code objects are */

enum python_task_state {
    PYTHON_TASK_RUNNING,
    PYTHON_TASK_READY,   /* has not begun, or is to be resumed as soon as its loop comes to it */
    PYTHON_TASK_WAITING, /* for a future */
};
struct python_task {
    uint64_t address;
    const char *name;
    enum python_task_state state;
    uint32_t loop; /* index of its event loop */
    const struct python_frame
        *frames;                /* its await chain, [0] its own coroutine; of a running one its stack from there */
    size_t depth;               /* 0: its coroutine is none of Python's own */
    const char *awaits;         /* type of the future that it waits for, "" none */
    uint32_t awaits_task;       /* index, where that is a task; else UINT32_MAX */
    const uint32_t *awaited_by; /* indices of the tasks that wait for it, as far as that is known */
    size_t awaited_by_count;
};
struct python_loop {
    uint64_t address, ident; /* ident: of the thread that runs it; 0: none does now, or not known */
    const char *type;        /* "_UnixSelectorEventLoop" */
};
struct python_tasks {
    struct python_task *items; /* by loop, then in the order of their names' numbers */
    struct python_loop *loops;
    size_t count, loop_count;
    bool cut;             /* there are more than can be listed, or the list changed while it was read */
    char unreadable[160]; /* "", or why the tasks of this program can't be read */
    struct arena arena;   /* holds all that is pointed to */
};
/* All tasks that are not done, read now: some microseconds a task, so that they may have moved meanwhile, unless the
 * process is stopped. After a python_sample. None where asyncio is not imported. 0, -ESRCH, -ENOMEM. */
int python_tasks_read(struct python_process *p, struct python_tasks *ret);
void python_tasks_release(struct python_tasks *t);

/* The threading module's name of the thread ("MainThread", "Thread-1 (work)"); -ENOENT if it has none. Also which
 * kernel thread it is, in any case, 0: not known. Slow: for new threads and once in a while. */
int python_thread_name(
    struct python_process *p, const struct python_thread *t, struct buffer *ret_name, pid_t *ret_tid);

/* ---- which python starts a script ---- */
/* asked: its name or NULL; script: its path, or NULL for a module. */
void python_choose(const char *asked, const char *script, char *into, size_t size);
/* Is the word a script (and not a command)? By its suffix, or a path that exists but cannot be executed. */
bool python_is_script(const char *word);
/* The command line: a script or -m gets a python before it. Freed by the caller, words are borrowed; NULL: out of
 * memory. */
char **python_command(const char *asked, int argc, char **argv, char *interpreter, size_t size);

#endif
