/*
 * Between the caller and the child: the reaper of all that the child leaves behind, so that it can be counted and
 * killed; where there are namespaces, the first process in them, with which all others there end. A fork of the
 * caller: it holds the caller's memory, and so is not dumpable either.
 */
#include "sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FD_CONTROL = ANSWER_FD + 1, FD_GROUP, FD_FIRST_FREE, FD_ASIDE = 64 };

void keeper_say(const struct plan *p, const struct word *w)
{
    while (send(p->control, w, sizeof(*w), MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

_Noreturn void keeper_fail(const struct plan *p, const char *step, int number)
{
    struct word w = {.kind = WORD_FAILED, .number = number};
    snprintf(w.step, sizeof(w.step), "%s", step);
    keeper_say(p, &w);
    _exit(125);
}

/* The child's descriptors to their numbers and the caller's own away, the other ends of the pipes among them. */
static int take_descriptors(struct plan *p)
{
    int *const all[] = {&p->in, &p->out, &p->err, &p->answer, &p->control, &p->group};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (*all[i] < 0)
            continue;
        *all[i] = fcntl(*all[i], F_DUPFD_CLOEXEC, FD_ASIDE);
        if (*all[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (*all[i] < 0)
            continue;
        if (dup3(*all[i], (int)i, i < FD_CONTROL ? 0 : O_CLOEXEC) < 0)
            return -errno;
        *all[i] = (int)i;
    }
    return close_range(p->group < 0 ? FD_GROUP : FD_FIRST_FREE, ~0u, 0) < 0 ? -errno : 0;
}

/* Reaps what has ended, but leaves the child: its number is its group's, and must stay taken until that is killed. */
static bool reap(pid_t child, int *ret_status)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return false;
        if (info.si_pid == child) {
            bool exited = info.si_code == CLD_EXITED;
            *ret_status =
                exited ? (info.si_status & 0xff) << 8 : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
            return true;
        }
        waitpid(info.si_pid, NULL, WNOHANG);
    }
}

/* True once nothing is left. The dead are reaped here and so count in our own times. */
static bool kill_tree(const struct plan *p, pid_t child)
{
    static struct tree tree; /* large, and of this process alone */
    uint64_t until = clock_monotonic_ns() + SANDBOX_KILL_NS;
    kill(-child, SIGKILL); /* all of its session at once: at level 1 and above none can leave it */
    do {
        if (plan_has(p, SANDBOX_NAMESPACES)) {
            kill(-1, SIGKILL);
        } else {
            tree_list(getpid(), &tree);
            for (size_t i = 0; i < tree.count && i < SANDBOX_TREE_MAX; i++)
                kill(tree.pids[i], SIGKILL);
        }
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0 && errno == ECHILD)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    } while (clock_monotonic_ns() < until);
    return false;
}

static uint64_t to_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

static _Noreturn void watch(const struct plan *p, pid_t child, int signals)
{
    struct pollfd fds[] = {{.fd = p->control, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    struct signalfd_siginfo ignored;
    bool told = false;
    struct word ended = {.kind = WORD_ENDED};
    do {
        if (!told && reap(child, &ended.number)) {
            told = true;
            ended.at_ns = clock_monotonic_ns();
            keeper_say(p, &ended);
        }
        fds[1].fd = told ? -1 : signals;
        if (poll(fds, ARRAY_SIZE(fds), -1) > 0 && fds[1].revents)
            (void)!read(signals, &ignored, sizeof(ignored));
    } while (!fds[0].revents); /* a word to end, or the caller's own end */

    char word;
    (void)!recv(p->control, &word, 1, MSG_DONTWAIT); /* left unread, it would reset the connection and lose our own */
    struct word gone = {.kind = WORD_GONE, .number = !kill_tree(p, child), .at_ns = clock_monotonic_ns()};
    struct rusage used;
    if (getrusage(RUSAGE_CHILDREN, &used) == 0) {
        gone.user_ns = to_ns(used.ru_utime);
        gone.sys_ns = to_ns(used.ru_stime);
        gone.maxrss = (uint64_t)used.ru_maxrss * 1024;
    }
    keeper_say(p, &gone);
    _exit(0);
}

static _Noreturn void keep(struct plan *p, bool map, uid_t uid, gid_t gid)
{
    sigset_t all, ended;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_NAME, "keeper");
    int r = setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : take_descriptors(p);
    if (r < 0)
        keeper_fail(p, "preparing its keeper", -r);
    if (plan_has(p, SANDBOX_NAMESPACES)) {
        r = map ? view_map_user(uid, gid) : 0;
        if (r < 0)
            keeper_fail(p, "mapping its user", -r);
        r = view_enter(p);
        if (r < 0)
            keeper_fail(p, "making its view of the files", -r);
    }
    int signals = signalfd(-1, &ended, SFD_CLOEXEC);
    pid_t child = signals < 0 ? -1 : fork();
    if (child == 0)
        child_run(p);
    if (child < 0)
        keeper_fail(p, "starting it", errno);
    close_range(0, ANSWER_FD, 0);
    if (p->group >= 0)
        close(p->group);
    watch(p, child, signals);
}

pid_t keeper_start(const struct plan *p)
{
    struct plan own = *p;
    bool map = true;
    uid_t uid = geteuid(); /* inside, before it is mapped, we are nobody */
    gid_t gid = getegid();
    long pid;
    if (plan_has(p, SANDBOX_NAMESPACES)) {
        int flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | SIGCHLD;
        pid = syscall(SYS_clone, flags | CLONE_NEWUSER, NULL, NULL, NULL, NULL);
        if (pid < 0 && uid == 0) { /* where user namespaces are switched off, root needs none */
            map = false;
            pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
        }
    } else {
        pid = fork();
    }
    if (pid == 0)
        keep(&own, map, uid, gid);
    return pid < 0 ? -errno : (pid_t)pid;
}
