/* From the fork to the exec: what the child gives up for good, in the order in which each step allows the next. */
#include "sandbox/inside.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS 1000000000u

static int limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return -errno;
    if (now.rlim_max != RLIM_INFINITY && hard > now.rlim_max)
        hard = now.rlim_max;
    struct rlimit wanted = {.rlim_cur = soft < hard ? soft : hard, .rlim_max = hard};
    return setrlimit((__rlimit_resource_t)resource, &wanted) < 0 ? -errno : 0;
}

static int limit_all(const struct plan *p)
{
    const struct sandbox_limits *l = &p->limits;
    uint64_t cpu = l->cpu_ns / SECOND_NS + 1;
    /* Threads reserve far more addresses than they use; the tree's memory itself is watched by the caller. */
    uint64_t space = 2 * l->memory + ((uint64_t)1 << 30);
    bool alone = plan_has(p, SANDBOX_NAMESPACES), tasks = p->allowed & (SANDBOX_FORK | SANDBOX_THREADS);
    int r = limit(RLIMIT_CORE, 0, 0);
    if (r == 0)
        r = limit(RLIMIT_CPU, cpu, cpu + 1);
    if (r == 0)
        r = limit(RLIMIT_AS, space, space);
    if (r == 0)
        r = limit(RLIMIT_FSIZE, l->file, l->file);
    if (r == 0)
        r = limit(RLIMIT_NOFILE, SANDBOX_OPEN_FILES, SANDBOX_OPEN_FILES);
    if (r == 0)
        r = limit(RLIMIT_MSGQUEUE, 0, 0);
    /* It counts every task of the user, but for a user namespace, which counts its own; and none of root's. */
    if (r == 0 && (alone || !tasks))
        r = limit(RLIMIT_NPROC, tasks ? 16 * l->processes : 1, tasks ? 16 * l->processes : 1);
    return r;
}

void child_drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    for (int capability = 0; capability < 64; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); /* what the kernel has not, or we may not, is refused */
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    prctl(PR_SET_SECUREBITS,
        SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED);
    syscall(SYS_capset, &head, none);
}

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void child_run(const struct plan *p)
{
    pid_t keeper = getppid();
    const char *step = "starting a session";
    int r = setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;

    reset_signals();
    umask(077);
    if (r == 0 && p->group >= 0) {
        step = "entering its cgroup";
        r = file_write_all(p->group, "0", 1);
    }
    if (r == 0) {
        step = "going to the lab's folder";
        r = chdir(p->folder) < 0 ? -errno : 0;
    }
    if (r == 0) {
        step = "setting limits";
        r = limit_all(p);
    }
    if (r == 0 && p->spec->cpus) {
        step = "keeping it on its CPUs";
        r = sched_setaffinity(0, sizeof(*p->spec->cpus), p->spec->cpus) < 0 ? -errno : 0;
    }
    child_drop_capabilities();
    if (r == 0 && (plan_has(p, SANDBOX_FILTER) || plan_has(p, SANDBOX_FILES))) {
        step = "giving up new privileges";
        r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
    }
    if (r == 0 && plan_has(p, SANDBOX_FILES)) {
        step = "restricting files";
        r = files_restrict(p);
    }
    if (r == 0 && plan_has(p, SANDBOX_FILTER)) {
        step = "filtering system calls";
        r = filter_install(p, keeper);
    }
    if (r < 0)
        keeper_fail(p, step, -r);
    keeper_say(p, &(struct word){.kind = WORD_EXEC, .at_ns = clock_monotonic_ns()});
    if (p->trial)
        _exit(0);
    execve(p->interpreter, p->spec->argv, p->spec->env);
    keeper_fail(p, "running the interpreter", errno);
}
