/*
 * The system calls that the child may make. Two filters, of which the kernel takes the stricter word: a list of what is
 * allowed, where anything unknown is ENOSYS (which libraries are written for) and what is refused on purpose is EPERM;
 * and one of arguments that are refused in calls which are otherwise allowed. Nothing kills: Python turns both numbers
 * into exceptions. Other architectures' calls (32 bit, x32) are ENOSYS.
 *
 * Arguments that the kernel takes as int are compared by their low 32 bits: the high ones are the caller's to choose.
 */
#include "sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOW_32 0xffffffffu
#define PRCTL_SET_VMA 0x53564d41 /* PR_SET_VMA, which 5.17 brought: names for anonymous memory */

/* By name: libseccomp's number for what an architecture lacks is passed over. */
static const char *const allowed[] = {"access", "alarm", "arch_prctl", "brk", "cachestat", "capget", "chdir",
    "clock_getres", "clock_gettime", "clock_nanosleep", "close", "close_range", "copy_file_range", "dup", "dup2",
    "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd",
    "eventfd2", "execve", "exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fchdir", "fchmod", "fchmodat",
    "chmod", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "futex", "futex_requeue",
    "futex_wait", "futex_waitv", "futex_wake", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "geteuid",
    "getgid", "getgroups", "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
    "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid",
    "gettimeofday", "getuid", "getxattr", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "ioctl", "lgetxattr", "link", "linkat", "listxattr", "llistxattr", "lseek", "lstat", "madvise", "membarrier",
    "mincore", "mkdir", "mkdirat", "mmap", "mprotect", "mremap", "msync", "munmap", "nanosleep", "newfstatat", "open",
    "openat", "creat", "pause", "pidfd_open", "pipe", "pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll",
    "ppoll", "pread64", "preadv", "preadv2", "pselect6", "pwrite64", "pwritev", "pwritev2", "read", "readahead",
    "readlink", "readlinkat", "readv", "recvfrom", "recvmmsg", "recvmsg", "rename", "renameat", "renameat2",
    "restart_syscall", "rmdir", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
    "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_yield", "select",
    "sendfile", "sendmmsg", "sendmsg", "sendto", "set_robust_list", "set_tid_address", "setitimer", "setrlimit",
    "setsockopt", "shutdown", "sigaltstack", "signalfd", "signalfd4", "splice", "stat", "statfs", "statx", "symlink",
    "symlinkat", "sync_file_range", "sysinfo", "tee", "time", "timer_create", "timer_delete", "timer_getoverrun",
    "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime", "times", "truncate",
    "umask", "uname", "unlink", "unlinkat", "utime", "utimensat", "utimes", "vmsplice", "wait4", "waitid", "write",
    "writev"};

/* What attacks ask for by name, so that they hear "operation not permitted". */
static const char *const refused[] = {"_sysctl", "acct", "add_key", "adjtimex", "bpf", "capset", "chown", "chroot",
    "clock_adjtime", "clock_settime", "delete_module", "execveat", "fanotify_init", "fchown", "fchownat",
    "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "ioperm", "iopl", "ioprio_set", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lchown",
    "memfd_create", "memfd_secret", "migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages",
    "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "msgctl", "msgget",
    "msgrcv", "msgsnd", "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open", "personality",
    "pidfd_getfd", "pidfd_send_signal", "pivot_root", "process_madvise", "process_mrelease", "process_vm_readv",
    "process_vm_writev", "ptrace", "quotactl", "quotactl_fd", "reboot", "request_key", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo", "semctl", "semget", "semop", "semtimedop", "setdomainname", "setfsgid", "setfsuid", "setgid",
    "setgroups", "sethostname", "setns", "setpgid", "setregid", "setresgid", "setresuid", "setreuid", "setsid",
    "settimeofday", "setuid", "shmat", "shmctl", "shmdt", "shmget", "swapoff", "swapon", "sync", "syncfs", "syslog",
    "tkill", "umount2", "unshare", "userfaultfd", "vhangup"};

/* Calls on a process named by number: on oneself only, which is 0. */
static const char *const on_self[] = {
    "get_robust_list", "prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler"};

static const int prctl_allowed[] = {PR_GET_DUMPABLE, PR_GET_NAME, PR_GET_PDEATHSIG, PR_GET_TIMERSLACK, PR_SET_NAME,
    PR_SET_TIMERSLACK, PR_GET_NO_NEW_PRIVS, PRCTL_SET_VMA, PR_CAPBSET_READ};

static int add(scmp_filter_ctx f, uint32_t action, const char *name, unsigned count, const struct scmp_arg_cmp *args)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) /* unknown to the library, or not of this architecture */
        return 0;
    return seccomp_rule_add_array(f, action, number, count, args);
}

static struct scmp_arg_cmp low(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static int add_one(scmp_filter_ctx f, uint32_t action, const char *name, struct scmp_arg_cmp arg)
{
    return add(f, action, name, 1, &arg);
}

static int add_names(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add(f, action, names[i], 0, NULL);
    return r;
}

/* Processes and threads. clone3 hides its flags in memory: unknown, and the C library falls back to clone. */
static int allow_tasks(scmp_filter_ctx f, const struct plan *p)
{
    const uint32_t no = SCMP_ACT_ERRNO(EPERM), later = SCMP_ACT_ERRNO(EAGAIN);
    bool fork = p->allowed & SANDBOX_FORK, threads = p->allowed & SANDBOX_THREADS;
    int r = add_one(f, fork ? SCMP_ACT_ALLOW : no, "clone", low(0, CLONE_THREAD, 0));
    if (r == 0)
        r = add_one(f, threads ? SCMP_ACT_ALLOW : later, "clone", low(0, CLONE_THREAD, CLONE_THREAD));
    if (r == 0)
        r = add(f, fork ? SCMP_ACT_ALLOW : no, "fork", 0, NULL);
    if (r == 0)
        r = add(f, fork ? SCMP_ACT_ALLOW : no, "vfork", 0, NULL);
    if (r < 0 || fork) /* signals to whom it likes but those that refuse_arguments names */
        return r < 0 ? r : add_names(f, SCMP_ACT_ALLOW, (const char *const[]){"kill", "tgkill"}, 2);
    uint32_t self = (uint32_t)getpid();
    r = add_one(f, SCMP_ACT_ALLOW, "kill", low(0, LOW_32, self));
    if (r == 0)
        r = add_one(f, SCMP_ACT_ALLOW, "kill", low(0, LOW_32, 0)); /* its own group */
    return r < 0 ? r : add_one(f, SCMP_ACT_ALLOW, "tgkill", low(0, LOW_32, self));
}

static int allow_sockets(scmp_filter_ctx f, const struct plan *p)
{
    static const char *const others[] = {"accept", "accept4", "bind", "connect", "listen"};
    const uint32_t no = SCMP_ACT_ERRNO(EPERM), listening = (p->allowed & SANDBOX_SOCKETS) ? SCMP_ACT_ALLOW : no;
    int r = add_one(f, SCMP_ACT_ALLOW, "socketpair", low(0, LOW_32, AF_UNIX));
    if (r == 0)
        r = add_names(f, listening, others, ARRAY_SIZE(others));
    if (r < 0 || listening == no)
        return r < 0 ? r : add(f, no, "socket", 0, NULL);
    return add_one(f, SCMP_ACT_ALLOW, "socket", low(0, LOW_32, AF_UNIX));
}

static int fill_allowed(scmp_filter_ctx f, const struct plan *p)
{
    int r = add_names(f, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
    if (r == 0)
        r = add_names(f, SCMP_ACT_ERRNO(EPERM), refused, ARRAY_SIZE(refused));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(on_self); i++)
        r = add_one(f, SCMP_ACT_ALLOW, on_self[i], low(0, LOW_32, 0));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(prctl_allowed); i++)
        r = add_one(f, SCMP_ACT_ALLOW, "prctl", low(0, LOW_32, (uint32_t)prctl_allowed[i]));
    struct scmp_arg_cmp own[] = {low(0, LOW_32, PRIO_PROCESS), low(1, LOW_32, 0)};
    if (r == 0)
        r = add(f, SCMP_ACT_ALLOW, "setpriority", ARRAY_SIZE(own), own);
    if (r == 0)
        r = add_one(f, SCMP_ACT_ALLOW, "mknod", low(1, S_IFMT, S_IFIFO));
    if (r == 0)
        r = add_one(f, SCMP_ACT_ALLOW, "mknodat", low(2, S_IFMT, S_IFIFO));
    /* Takes room on the disk that nobody is seen writing. Whoever asks does so by writing then. */
    if (r == 0)
        r = add(f, SCMP_ACT_ERRNO(EOPNOTSUPP), "fallocate", 0, NULL);
    if (r == 0)
        r = add(f, SCMP_ACT_ERRNO(EOPNOTSUPP), "setxattr", 0, NULL);
    if (r == 0)
        r = allow_tasks(f, p);
    return r < 0 ? r : allow_sockets(f, p);
}

static int refuse_arguments(scmp_filter_ctx f, const struct plan *p, pid_t keeper)
{
    static const uint32_t namespaces[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
        CLONE_NEWPID, CLONE_NEWNET, CLONE_PARENT}; /* the last makes a sibling, not a descendant */
    static const uint32_t commands[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE, F_NOTIFY}; /* signals to others */
    static const uint32_t controls[] = {FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX};
    static const struct {
        const char *name;
        unsigned argument;
    } modes[] = {{"chmod", 1}, {"fchmod", 1}, {"fchmodat", 2}, {"open", 2}, {"openat", 3}, {"creat", 1}, {"mkdir", 1},
        {"mkdirat", 2}};
    const uint32_t no = SCMP_ACT_ERRNO(EPERM), others[] = {(uint32_t)p->caller, (uint32_t)keeper};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(namespaces); i++)
        r = add_one(f, no, "clone", low(0, namespaces[i], namespaces[i]));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(commands); i++)
        r = add_one(f, no, "fcntl", low(1, LOW_32, commands[i]));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(controls); i++)
        r = add_one(f, no, "ioctl", low(1, LOW_32, controls[i]));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(modes); i++) /* a program that is its maker to whoever runs it */
        r = add_one(f, no, modes[i].name, low(modes[i].argument, S_ISUID, S_ISUID));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(modes); i++)
        r = add_one(f, no, modes[i].name, low(modes[i].argument, S_ISGID, S_ISGID));
    /* In a process namespace of its own the caller has no number, and somebody else there may have that one. */
    for (size_t i = plan_has(p, SANDBOX_NAMESPACES); r == 0 && i < ARRAY_SIZE(others); i++) {
        r = add_one(f, no, "kill", low(0, LOW_32, others[i]));
        if (r == 0)
            r = add_one(f, no, "tgkill", low(0, LOW_32, others[i]));
    }
    return r < 0 ? r : add_one(f, no, "kill", low(0, 0x80000000u, 0x80000000u)); /* a group, or everybody */
}

static int load(uint32_t otherwise, const struct plan *p, pid_t keeper)
{
    bool strict = otherwise != SCMP_ACT_ALLOW;
    scmp_filter_ctx f = seccomp_init(otherwise);
    if (!f)
        return -ENOMEM;
    int r = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    if (r == 0)
        r = strict ? fill_allowed(f, p) : refuse_arguments(f, p, keeper);
    if (r == 0)
        seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree instead of a list; libraries before 2.5 lack it */
    if (r == 0)
        r = seccomp_load(f);
    seccomp_release(f);
    return r;
}

int filter_install(const struct plan *p, pid_t keeper)
{
    int r = load(SCMP_ACT_ALLOW, p, keeper);
    return r < 0 ? r : load(SCMP_ACT_ERRNO(ENOSYS), p, keeper);
}
