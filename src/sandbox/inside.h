/*
 * What the files of this room share. Nothing outside the room (its tests and fuzzers apart) includes it.
 *
 *   caller --fork or clone--> keeper --fork--> child, which execs
 * The keeper is the first process of the namespaces where there are any, and the reaper of orphans in any case.
 */
#ifndef PITVIPER_SANDBOX_INSIDE_H
#define PITVIPER_SANDBOX_INSIDE_H

#include "sandbox/sandbox.h"
#include <sys/types.h>

#define SANDBOX_TREE_MAX 4096       /* processes of one tree that are looked at */
#define SANDBOX_KILL_NS 5000000000u /* how long the dying may take */
#define SANDBOX_VIEW_BYTES "64m"    /* size of each private tmpfs */

/* What keeper and child tell the caller, one datagram each; the kernel adds the sender's pid as the caller sees it. */
enum word_kind {
    WORD_FAILED, /* number: an errno; step: what was being done */
    WORD_EXEC,   /* from the child, about to exec: at_ns */
    WORD_ENDED,  /* from the keeper: the child is reaped, `number` is its status */
    WORD_GONE,   /* from the keeper: the whole tree is; its times; number: 1 if something would not die */
};
struct word {
    enum word_kind kind;
    int number;
    uint64_t at_ns, user_ns, sys_ns, maxrss;
    char step[64];
};

/* Everything that keeper and child need, made by the caller: neither may fail for want of it. */
struct plan {
    const struct sandbox_spec *spec;
    struct sandbox_limits limits;
    uint32_t layers, allowed; /* as bits */
    int landlock_abi;
    char *interpreter, *loader, *folder, *scratch; /* resolved; loader: NULL for a static program */
    char *loader_name;                             /* as the program asks for it */
    char **readable;                               /* resolved, NULL at the end */
    pid_t caller;
    bool trial;               /* for the probe: everything but the exec */
    int control;              /* the keeper's end: words out; its end of file: the caller is gone */
    int in, out, err, answer; /* the child's ends */
    int group;                /* cgroup.procs of its cgroup; -1 */
};
static inline bool plan_has(const struct plan *p, enum sandbox_layer layer)
{
    return (p->layers & 1u << layer) != 0;
}

/* sandbox.c: the run under exactly these layers. */
int sandbox_run_layers(const struct sandbox_spec *spec, const struct sandbox_ladder *ladder, uint32_t layers,
    bool trial, struct sandbox_result *ret, struct error *e);

/* plan.c: who does what, with all paths resolved and all limits filled in. */
int plan_make(struct plan *p, const struct sandbox_spec *spec, const struct sandbox_ladder *ladder, uint32_t layers,
    struct error *e);
void plan_release(struct plan *p); /* its strings; descriptors are the run's */

/* A new folder in TMPDIR or /tmp. */
int plan_temporary_folder(char *into, size_t size, struct error *e);
/* interpreter.c: the dynamic loader that the program names, into an allocated string; NULL: none. */
int interpreter_loader(const char *path, char **ret);

/* keeper.c. Starts the keeper: its pid or a negative errno. */
pid_t keeper_start(const struct plan *p);
void keeper_say(const struct plan *p, const struct word *w);
_Noreturn void keeper_fail(const struct plan *p, const char *step, int number); /* says so and exits */

/* child.c: becomes the program. */
_Noreturn void child_run(const struct plan *p);
void child_drop_capabilities(void);

/* filter.c. After it the process cannot be asked for much: the last step before exec. 0 or a negative errno. */
int filter_install(const struct plan *p, pid_t keeper);

/* files.c: Landlock. */
int files_landlock_abi(void); /* 0: none */
int files_restrict(const struct plan *p);
extern const char *const files_system[]; /* what any interpreter reads of the system, NULL at the end */

/* view.c: in the keeper, alone in fresh namespaces: maps its user and puts a minimal root in place. */
int view_map_user(uid_t uid, gid_t gid);
int view_enter(const struct plan *p);

/* group.c */
struct group {
    char path[512]; /* "": none */
    int folder, procs;
    bool memory, pids;
};
int group_make(struct group *ret, const struct sandbox_limits *limits, char *why, size_t why_size);
void group_kill(const struct group *g);
void group_read(const struct group *g, uint64_t *ret_cpu_ns, uint64_t *ret_peak);
void group_remove(struct group *g);

/* tree.c: processes below one, as /proc shows them. */
struct tree {
    pid_t pids[SANDBOX_TREE_MAX];
    size_t count; /* may exceed the array: there were more */
};
void tree_list(pid_t root, struct tree *ret); /* without root itself */
uint64_t tree_cpu_ns(pid_t pid);
uint64_t tree_memory(pid_t pid, bool pss); /* resident bytes now */
uint64_t tree_high_water(pid_t pid);       /* VmHWM: the most since its last exec */
uint64_t tree_written(pid_t pid);          /* bytes for storage */
bool tree_is_zombie(pid_t pid);

/* service.c: requests in, replies out when they are due. Answers are all as long: a digest. */
struct service_request {
    uint64_t due_ns;
    uint8_t reply[8 + 64];
};
struct service {
    uint64_t delay_ns, asked;
    uint32_t at_once;
    uint64_t *free_ns; /* of each of at_once places: when it is free again */
    struct service_request *waiting;
    size_t first, count, capacity; /* waiting[first] to [count - 1], by due_ns */
    struct buffer replies;         /* due, of which so many bytes are sent */
    size_t replies_sent;
};
int service_init(struct service *s, uint64_t delay_ns, uint32_t at_once);
void service_release(struct service *s);
int service_ask(struct service *s, uint32_t id, const void *data, size_t size, uint64_t now_ns); /* -E2BIG, -ENOMEM */
uint64_t service_next_ns(const struct service *s);                                               /* UINT64_MAX: none */
int service_answer(struct service *s, uint64_t now_ns); /* puts what is due into replies; -ENOMEM */

/* wipe.c: bytes of all that is in the folder, and no further than `enough`. */
uint64_t scratch_size(const char *folder, uint64_t enough);

#endif
