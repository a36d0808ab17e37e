/*
 * target: another process, seen from outside. Its memory, maps, executables, threads, children and
 * namespaces, and the rules that may forbid looking at them. Nothing here writes to the other process, stops
 * it (except target_stop, asked for by name), or changes its affinity, priority or environment.
 *
 * Every function may be called while the process is starting, forking, exec-ing, ending or gone: it then
 * returns -ESRCH (gone), -EFAULT (that address is not there) or -EPERM, never hangs.
 */
#ifndef PITVIPER_TARGET_H
#define PITVIPER_TARGET_H

#include "base/base.h"
#include <sched.h>
#include <sys/uio.h>

struct target;

/* ---- opening ---- */
/* Holds a pidfd, a directory handle of /proc/PID and one of its root, so that a recycled pid is never
 * mistaken for it and its files can still be opened after it died. -ESRCH, -EPERM (text from
 * target_facts_explain). */
int target_open(pid_t pid, struct target **ret, struct error *e);
void target_close(struct target *t); /* accepts NULL */
pid_t target_pid(const struct target *t);
int target_pidfd(const struct target *t);
bool target_alive(const struct target *t);          /* false once it has ended (a zombie has ended) */
uint64_t target_start_time(const struct target *t); /* clock ticks since boot, field 22 of stat; identity with pid */
/* Which program image is running: changes at every exec. A hash of the device, inode and start of the main
 * map. */
uint64_t target_image_id(const struct target *t);

/* ---- memory ---- */
int target_read(
    const struct target *t, uint64_t address, void *into, size_t size); /* all of it or -EFAULT/-ESRCH/-EPERM */
/* One process_vm_readv: the remote segments' bytes, one after the other, fill the local ones. Returns bytes read (may
 * be short at the first bad page) or a negative errno. At most IOV_MAX segments on each side. */
ssize_t target_readv(
    const struct target *t, const struct iovec *local, size_t locals, const struct iovec *remote, size_t remotes);

/* ---- maps ---- */
struct target_map {
    uint64_t start, end, offset, inode;
    uint32_t device_major, device_minor;
    bool readable, writable, executable;
    const char *path; /* "" if anonymous; as the process itself sees it; owned by the maps */
};
struct target_maps {
    struct target_map *items;
    size_t count;
    struct arena arena;
};
int target_maps_read(const struct target *t, struct target_maps *ret, struct error *e); /* ret is initialised here */
void target_maps_release(struct target_maps *m);

/* ---- files and ELF, through the process's own root (containers, chroots), deleted files included ---- */
int target_open_file(
    const struct target *t, const char *path, int *ret_fd); /* read-only, O_CLOEXEC; never a FIFO/device */
int target_open_mapped(const struct target *t, const struct target_map *map, int *ret_fd); /* map_files, else by path */
struct target_symbol {
    uint64_t address, size; /* in the process's memory, load bias applied */
};
/* The run-time address of a symbol in the object that `map` belongs to (.symtab, then .dynsym); -ENOENT.
 * Results are cached by device, inode, size and mtime, so that a child running the same file costs no second
 * parse. */
int target_find_symbol(const struct target *t, const struct target_maps *maps, const struct target_map *map,
    const char *name, struct target_symbol *ret, struct error *e);
/* The same for a section by name, such as ".PyRuntime"; name NULL: the span of the object's writable
 * segments, .bss included (what a scan for the runtime of a stripped executable has to look at; parts of it
 * may be unmapped or read-only now). */
int target_find_section(const struct target *t, const struct target_maps *maps, const struct target_map *map,
    const char *name, struct target_symbol *ret, struct error *e);

/* ---- what the kernel says of it ---- */
struct target_thread_stat {
    char state;       /* R S D Z T t X I, as in proc(5) */
    uint64_t cpu_ns;  /* time on a CPU, from schedstat; 0 where the kernel has none */
    uint64_t wait_ns; /* runnable but not running */
    int processor;    /* last run on */
    char name[16];
};
int target_threads(const struct target *t, pid_t *tids, size_t max, size_t *ret_count); /* ret_count may exceed max */
/* The thread that the process itself knows by this number, which may be another in a pid namespace of its own (a
 * container); 0: it has none such. */
pid_t target_thread_number(const struct target *t, pid_t own);
/* A handle kept open for a thread that is read often. */
struct target_thread {
    pid_t tid;
    int stat_fd, schedstat_fd;
    int syscall_fd; /* below 0: the negative errno that says why it cannot be read */
};
int target_thread_open(const struct target *t, pid_t tid, struct target_thread *ret);
void target_thread_close(struct target_thread *h);
int target_thread_state(
    const struct target_thread *h, char *ret_state, int *ret_processor); /* one pread. NULL: not wanted */
int target_thread_stat(const struct target_thread *h, struct target_thread_stat *ret);
/* Whether it runs, or could (state R), and the futex that it waits at in the kernel, 0 for none. One pread, of a third
 * of the price of target_thread_state's. A negative errno: that cannot be read (/proc/PID/task/TID/syscall needs the
 * right to trace, and a kernel that has it). */
int target_thread_call(const struct target_thread *h, bool *ret_runs, uint64_t *ret_futex);
/* How long the first thread of a process was runnable but not running, also of one that has ended and is not reaped
 * yet; it need not be opened. A negative errno: it is gone, or the kernel does not tell (CONFIG_SCHED_INFO). */
int target_wait_ns_of(pid_t pid, uint64_t *ret_ns);
int target_cpu_ns(const struct target *t, uint64_t *ret_ns); /* of the whole process, by its CPU clock */
int target_parent(const struct target *t, pid_t *ret_parent);
int target_command(const struct target *t, struct buffer *into); /* argv, NUL between words; capped by the buffer */
int target_executable(const struct target *t, char *into, size_t size);                    /* as it sees it itself */
int target_environment(const struct target *t, const char *name, char *into, size_t size); /* -ENOENT */

/* ---- children ---- */
/* Direct children of all its threads. ret_count may exceed max. */
int target_children(const struct target *t, pid_t *pids, size_t max, size_t *ret_count);
/* The same of a process that need not be opened, such as one that is not dumpable; -ESRCH. */
int target_children_of(pid_t pid, pid_t *pids, size_t max, size_t *ret_count);
/* Cheap gate for the above: changes whenever any task is created in this pid namespace. -ENOENT: unknown,
 * always look. */
int target_last_pid(uint64_t *ret_value);

/* ---- starting a command as a child: what is not asked for below (files, terminal, environment, signal mask) is as we
 * were started with ---- */
#define TARGET_LAUNCH_FILES_MAX 8
struct target_launch {
    char *const *argv;        /* argv[0] is looked up on the path unless it has a slash */
    bool hold;                /* the child waits before exec until target_launch_release */
    char *const *environment; /* NULL: ours */
    const char *folder;       /* NULL: ours */
    const int *files;         /* its descriptors 0, 1, 2, ...; an entry of -1 is left as it is */
    size_t file_count;
    bool group;            /* a process group of its own */
    const cpu_set_t *cpus; /* NULL: ours */
};
struct target_launched {
    pid_t pid;
    int hold_fd;
};
int target_launch(
    const struct target_launch *how, struct target_launched *ret, struct error *e); /* exec failure is told here */
int target_launch_release(struct target_launched *l, struct error *e);

/* ---- the one thing that stops it: for `dump --consistent` ---- */
int target_stop(const struct target *t, struct error *e);     /* PTRACE_SEIZE + INTERRUPT on every thread */
int target_continue(const struct target *t, struct error *e); /* also undone by the kernel if we die */

/* ---- may we look at all? Decided from a record of facts, so that tests can supply the facts ---- */
struct target_facts {
    pid_t pid;
    bool exists, zombie, kernel_thread;
    /* Ours are the real ids, by which process_vm_readv is judged (PTRACE_MODE_ATTACH_REALCREDS); its are
     * real, effective, saved. */
    uid_t our_uid, our_gid, its_uid[3], its_gid[3];
    bool have_cap_sys_ptrace;  /* in the target's user namespace */
    bool cap_is_out_of_reach;  /* CAP_SYS_PTRACE is not in our bounding set: no sudo can give it (containers) */
    bool its_caps_exceed_ours; /* it is permitted a capability that we are not */
    bool have_cap_perfmon;
    int yama_scope; /* 0..3, -1 without Yama */
    bool is_our_descendant;
    int dumpable; /* 1 yes, 0 no, -1 unknown */
    bool same_user_namespace, same_pid_namespace, same_mount_namespace;
    int seccomp_mode;     /* ours: 0 none, 2 filter */
    int read_errno;       /* what process_vm_readv of one mapped page said: 0, EPERM, ENOSYS, ESRCH ... */
    int self_read_errno;  /* what process_vm_readv of ourselves said: only a filter or the kernel refuses that
                           */
    int maps_errno;       /* what opening /proc/PID/maps said */
    bool in_container;    /* we are (best guess) */
    bool proc_hidden;     /* hidepid in force */
    bool proc_is_foreign; /* /proc shows another pid namespace than the one we are in */
    pid_t number_here;    /* where !exists: a process that has this number in its own pid namespace; else 0 */
};
int target_facts_collect(pid_t pid, struct target_facts *ret);
enum target_rule {
    TARGET_RULE_NONE,
    TARGET_RULE_NO_PROCESS,
    TARGET_RULE_ZOMBIE,
    TARGET_RULE_KERNEL_THREAD,
    TARGET_RULE_UID,
    TARGET_RULE_YAMA,
    TARGET_RULE_CAPABILITY,
    TARGET_RULE_SECCOMP,
    TARGET_RULE_DUMPABLE,
    TARGET_RULE_USER_NAMESPACE,
    TARGET_RULE_PID_NAMESPACE,
    TARGET_RULE_HIDEPID,
    TARGET_RULE_UNKNOWN,
};
/* The exact rule in the way, and in `why` one line: the rule on this process, and the least change that lifts
 * it. */
enum target_rule target_facts_explain(const struct target_facts *f, struct buffer *why);
/* The least change that gives us CAP_SYS_PTRACE: "run pitviper with sudo". */
const char *target_facts_capability_change(const struct target_facts *f);

#endif
