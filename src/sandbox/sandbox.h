/*
 * sandbox: runs one program that a stranger wrote, takes one answer from it, and leaves nothing of it behind.
 * docs/sandbox.md says what that protects and what not, level by level.
 *
 * The caller owns the clock, the input and the verdict; the child returns data. The child runs below a keeper, a
 * fork of the caller that reaps and kills its whole tree; the keeper ends when the caller does, however that dies.
 * The caller must be a process of one thread. It is not dumpable any more after the first run, so that nobody of its
 * own uid can read its memory or open its descriptors.
 */
#ifndef PITVIPER_SANDBOX_H
#define PITVIPER_SANDBOX_H

#include "base/base.h"
#include <sched.h>
#include <signal.h>

/* ---- the answer: frames {kind, length in 4 bytes little-endian, payload} on descriptor 3 of the child ---- */
#define ANSWER_FD 3
#define ANSWER_PROGRESS_MAX 256 /* payload bytes of one progress frame */
#define ANSWER_PROGRESS_FRAMES_MAX (1u << 16)
#define ANSWER_ASK_MAX ((size_t)64 << 10) /* bytes of one request, its number apart */
enum answer_kind {
    ANSWER_READY = 'r',    /* no payload: everything is imported, the input may come; at most one, and first */
    ANSWER_PROGRESS = 'p', /* a heartbeat: a digest of the work done so far */
    ANSWER_ASK = 'q',      /* a number in 4 bytes and a request to the service, where there is one */
    ANSWER_DATA = 'a',     /* the answer; the last frame */
    ANSWER_ERROR = 'e',    /* the learner's code raised: the text to show; the last frame */
};
struct answer_progress {
    uint64_t at_ns; /* when its last byte was read */
    size_t offset, size;
};
struct answer {
    struct buffer payload; /* of the last frame */
    struct buffer digests; /* of the progress frames, one after the other */
    struct buffer request; /* the one that is being read */
    /* Takes a request; NULL: there may be none. 0 or a negative errno, -E2BIG where there are too many. */
    int (*ask)(void *context, uint32_t id, const void *data, size_t size);
    void *context;
    struct answer_progress *progress;
    size_t progress_count, progress_capacity;
    uint64_t ready_ns, whole_ns; /* when the last byte of the ready and of the last frame was read; 0: never */
    char kind;                   /* of the last frame: ANSWER_DATA or ANSWER_ERROR; 0: none came */
    const char *broken;          /* what is wrong with it; NULL: nothing so far */
    uint8_t head[5];
    size_t head_size, left;
};
void answer_init(struct answer *a, size_t max);
void answer_release(struct answer *a);
/* Takes what was read. -EBADMSG once it is no sequence of frames (a->broken says why), -ENOMEM. */
int answer_feed(struct answer *a, const void *data, size_t size, uint64_t now_ns);

/* ---- the ladder: layers of protection. The level is the highest of which all lower ones hold too. ---- */
enum sandbox_layer {
    SANDBOX_LIMITS,     /* 0 rlimits, own session, keeper, closed descriptors, no capabilities */
    SANDBOX_FILTER,     /* 1 no_new_privs and a list of allowed system calls */
    SANDBOX_FILES,      /* 2 Landlock */
    SANDBOX_NAMESPACES, /* 3 own users, processes, IPC, network and a minimal view of the files */
    SANDBOX_GROUP,      /* 4 a cgroup v2 of its own */
    SANDBOX_LAYERS,
};
#define SANDBOX_LEVEL_BEST (SANDBOX_LAYERS - 1)
struct sandbox_ladder {
    bool have[SANDBOX_LAYERS];
    int level;
    int landlock_abi;                  /* 0: none */
    bool group_memory, group_pids;     /* controllers that a cgroup of ours gets */
    char why_not[SANDBOX_LAYERS][160]; /* "" where had */
};
/* Tries each layer on a child. It takes some milliseconds: do it once and keep the result. */
int sandbox_probe(struct sandbox_ladder *ret, struct error *e);

/* ---- what an interpreter reads: asked of itself, once. It is the user's own, and trusted. ---- */
struct sandbox_interpreter {
    char *path;      /* of the executable; a venv's and a shim's is that of the Python behind it */
    char **readable; /* its library, NULL at the end: for sandbox_spec.readable */
    struct arena arena;
};
int sandbox_interpreter_find(const char *path, struct sandbox_interpreter *ret, struct error *e);
void sandbox_interpreter_release(struct sandbox_interpreter *i);

/* ---- one run ---- */
enum sandbox_allowance {
    SANDBOX_THREADS = 1, /* threads */
    SANDBOX_FORK = 2,    /* child processes (of the interpreter alone from level 2 on) */
    /* POSIX semaphores and shared memory, which live in /dev/shm: private from level 3 on; at level 2 shared with the
     * machine, and what is new there after the run is counted in `shared_left`. */
    SANDBOX_SHARED = 4,
    /* Unix sockets that listen and connect (forkserver, managers). Refused at levels 1 and 2, where a socket file of
     * somebody else's could be connected to. Socket pairs need no allowance. */
    SANDBOX_SOCKETS = 8,
};
struct sandbox_limits { /* 0: the default */
    uint64_t wall_ns, cpu_ns, linger_ns;
    uint64_t memory;       /* bytes of address space of one process, and of memory of the tree */
    uint64_t file, disk;   /* bytes of one file, and of all in scratch */
    uint64_t text, answer; /* bytes of stdout, of stderr, and of the answer */
    uint32_t processes;    /* alive at once, where forking is allowed */
};
#define SANDBOX_WALL_NS 10000000000u
#define SANDBOX_CPU_NS 20000000000u
#define SANDBOX_LINGER_NS 50000000u
#define SANDBOX_MEMORY ((uint64_t)1 << 30)
#define SANDBOX_FILE ((uint64_t)64 << 20)
#define SANDBOX_DISK ((uint64_t)128 << 20)
#define SANDBOX_TEXT ((uint64_t)1 << 20)
#define SANDBOX_ANSWER ((uint64_t)16 << 20)
#define SANDBOX_PROCESSES 64u
#define SANDBOX_OPEN_FILES 256u
#define SERVICE_AT_ONCE_MAX 4096u
#define SERVICE_WAITING_MAX 65536u /* requests of one run that are not answered yet */

struct sandbox_spec {
    char *const *argv;           /* argv[0]: the interpreter's path, with a slash; run through its links */
    char *const *env;            /* the whole environment */
    const char *folder;          /* the lab: working directory, readable */
    const char *scratch;         /* writable; emptied after the run unless keep_scratch */
    const char *const *readable; /* further paths, NULL at the end: the interpreter's library */
    const void *input;           /* into the child's stdin, then end of file */
    size_t input_size;
    bool input_when_ready; /* not before the frame ANSWER_READY */
    /* A service for the child to wait for: it answers each request, service_at_once of them at a time, after this
     * delay with the SHA-256 of its bytes in hexadecimal, on stdin behind the input (which then has no end of file), as
     * {the request's number, length, bytes}, both 4 bytes little-endian. At once 0: none. */
    uint64_t service_delay_ns;
    uint32_t service_at_once; /* at most SERVICE_AT_ONCE_MAX */
    bool keep_scratch;
    bool sum_pss; /* sample memory as proportional set size: right for trees that share, dear for what is timed */
    uint32_t allow;
    const cpu_set_t *cpus;       /* where it may run; NULL: wherever we may */
    int level_most, level_least; /* most: SANDBOX_LEVEL_BEST but to force a lower one; -ENOTSUP if the machine does not
                                    reach level_least */
    struct sandbox_limits limits;
    const volatile sig_atomic_t *stop;           /* non-zero ends the run; NULL: nothing does */
    void (*started)(void *context, pid_t child); /* just before its exec; may be NULL */
    void *context;
};

enum sandbox_end {
    SANDBOX_ANSWERED, /* the last frame came whole */
    SANDBOX_EXITED,   /* it ended without one: see status */
    SANDBOX_BROKEN,   /* what it wrote is no answer: see answer.broken */
    SANDBOX_LATE,     /* wall_ns */
    SANDBOX_BUSY,     /* cpu_ns */
    SANDBOX_FAT,      /* memory */
    SANDBOX_CROWD,    /* processes */
    SANDBOX_FULL,     /* disk */
    SANDBOX_LOUD,     /* text */
    SANDBOX_STOPPED,  /* *stop */
    SANDBOX_LOST,     /* its keeper was killed, which at level 0 the child can do */
};
struct sandbox_result {
    enum sandbox_end end;
    bool ended; /* by itself, with `status` as of wait(2); else it was killed */
    int status;
    uint64_t exec_ns, end_ns;  /* CLOCK_MONOTONIC; the answer's times are in `answer` */
    uint64_t user_ns, sys_ns;  /* of the whole tree, all of it dead and reaped */
    uint64_t queued_ns;        /* of its first thread, up to the answer: runnable but not running; 0: not known */
    uint64_t group_cpu_ns;     /* the same by the cgroup; 0 without */
    uint64_t peak;             /* bytes: the most that was seen of the tree; 0: it was too short to see any */
    uint64_t peak_group;       /* by the cgroup's memory controller, exact; 0 without */
    uint32_t alive_at_answer;  /* descendants of the child */
    uint64_t cpu_after_answer; /* ns that they used in the linger time after it */
    uint32_t shared_left;      /* new files of ours in the machine's /dev/shm; only at level 2 with SANDBOX_SHARED */
    bool scratch_gone;         /* it removed its scratch folder, which is there again */
    bool unkillable;           /* something of it did not die in 5 s */
    int level;
    uint32_t layers, allowed; /* as bits; `allowed` is what of `allow` could be granted */
    char why_level[160];      /* why no higher; "" at the best or where level_most says so */
    struct answer answer;
    struct buffer out, err;
};
/* 0 when there is a result, whatever the child did. A negative errno when the run could not be made: the grader's
 * fault, never the child's. ret is initialised here. */
int sandbox_run(
    const struct sandbox_spec *spec, const struct sandbox_ladder *ladder, struct sandbox_result *ret, struct error *e);
void sandbox_result_release(struct sandbox_result *r);
/* One line for the learner: what ended it. */
const char *sandbox_end_text(enum sandbox_end end);
/* Removes what is in the folder, however deep, and follows no link. */
int sandbox_wipe(const char *folder, struct error *e);

#endif
