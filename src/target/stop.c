#include "target/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 2000000000u /* for all threads to stop: one in uninterruptible sleep stops when that ends */
#define PASSES_MAX 1000 /* listings of the threads, against a process that makes them faster than we stop them */

/* PTRACE_SEIZE and PTRACE_INTERRUPT send no signal, so nothing of the stop is seen by the process or its
 * parent; and the kernel lets go of all threads should we die (exit_ptrace, kernel/ptrace.c). */

static bool knows(const struct target_live *live, pid_t tid)
{
    for (size_t i = 0; i < live->stopped_count; i++)
        if (live->stopped[i].tid == tid)
            return true;
    return false;
}

static bool has_ended(const struct target *t, pid_t tid)
{
    char path[64], text[1024];
    struct proc_stat stat;
    snprintf(path, sizeof(path), "task/%d/stat", (int)tid);
    ssize_t n = proc_read(t->proc_fd, path, text, sizeof(text));
    return n <= 0 || (proc_stat_parse(text, (size_t)n, &stat) == 0 && (stat.state == 'Z' || stat.state == 'X'));
}

struct pass {
    const struct target *t;
    struct target_live *live;
    int error;
    bool found;
    int64_t listed;
};

static int seize(void *context, pid_t tid)
{
    struct pass *p = context;
    struct target_live *live = p->live;
    p->listed++;
    if (knows(live, tid))
        return 0;
    if (array_reserve(&live->stopped, &live->stopped_capacity, live->stopped_count + 1, sizeof(*live->stopped)) < 0) {
        p->error = ENOMEM;
        return 1;
    }
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) {
        int number = errno;
        /* The kernel says EPERM of a thread that has ended but is still listed, as a leader is that left
         * first. */
        if (number == ESRCH || (number == EPERM && has_ended(p->t, tid))) {
            p->found |= tid != p->t->pid;
            return 0;
        }
        p->error = number;
        return 1;
    }
    live->stopped[live->stopped_count++] = (struct target_stopped){.tid = tid};
    p->found = true;
    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 && errno != ESRCH) {
        p->error = errno;
        return 1;
    }
    return 0;
}

/* The end of the leader, if it is our own child, is for whoever waits for the child. */
static bool may_reap(const struct target *t, pid_t tid)
{
    pid_t parent = 0;
    return tid != t->pid || (target_parent(t, &parent) == 0 && parent != getpid());
}

enum news { NEWS_NONE, NEWS_STOPPED, NEWS_ENDED };

/* Asks once, without waiting. A thread that ends while it is traced stays until its tracer has asked for its
 * end; and a stop is told whether asked for or not (wait_task_stopped, kernel/exit.c), so that one question
 * takes both. */
static enum news ask_news(const struct target *t, pid_t tid, int *ret_signal)
{
    siginfo_t info = {0};
    bool reap = may_reap(t, tid);
    if (waitid(P_PID, (id_t)tid, &info, WSTOPPED | (reap ? WEXITED : 0) | WNOHANG | __WALL) < 0)
        return NEWS_ENDED;
    if (info.si_pid != tid)
        return !reap && !target_alive(t) ? NEWS_ENDED : NEWS_NONE;
    if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
        return NEWS_ENDED;
    /* Stopped by us, or just before a signal was delivered, which has to be passed on. */
    *ret_signal = info.si_status >> 8 == PTRACE_EVENT_STOP ? 0 : info.si_status & 0x7f;
    return NEWS_STOPPED;
}

/* Returns how many have not stopped yet. */
static size_t collect_stops(const struct target *t)
{
    struct target_live *live = t->live;
    size_t waiting = 0;
    for (size_t i = 0; i < live->stopped_count;) {
        struct target_stopped *s = &live->stopped[i];
        enum news news = s->stopped ? NEWS_STOPPED : ask_news(t, s->tid, &s->signal);
        if (news == NEWS_ENDED) {
            *s = live->stopped[--live->stopped_count];
            continue;
        }
        s->stopped = news == NEWS_STOPPED;
        waiting += !s->stopped;
        i++;
    }
    return waiting;
}

static int wait_for_stops(const struct target *t, uint64_t until)
{
    long pause = 20000;
    while (collect_stops(t) > 0) {
        if (clock_monotonic_ns() >= until)
            return -ETIMEDOUT;
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
        if (pause < 1000000)
            pause *= 2;
    }
    return 0;
}

int target_stop(const struct target *t, struct error *e)
{
    uint64_t until = clock_monotonic_ns() + PATIENCE_NS;
    int number = 0;
    for (int pass = 0;; pass++) {
        struct pass p = {.t = t, .live = t->live};
        int r = proc_each_number(t->proc_fd, "task", seize, &p);
        number = p.error ? p.error : r < 0 ? -r : 0;
        /* All that were listed are stopped and none was new; and no other can have hidden behind an ending
         * one. */
        if (number == 0 && !p.found && p.listed == proc_thread_count(t))
            break;
        if (number == 0)
            number = -wait_for_stops(t, until);
        if (number == 0 && pass == PASSES_MAX)
            number = ETIMEDOUT;
        if (number != 0)
            break;
    }
    if (number == 0 && t->live->stopped_count > 0)
        return 0;
    target_continue(t, NULL);
    if (number == 0 || number == ESRCH || number == ENOENT || !target_alive(t))
        return error_set(e, ESRCH, "process %d has ended", (int)t->pid);
    if (number == ETIMEDOUT)
        return error_set(e, ETIMEDOUT,
            "process %d did not stop within 2 s: a thread is waiting inside the kernel; "
            "leave out --consistent",
            (int)t->pid);
    if (number == EPERM) {
        char text[4096];
        const char *tracer = NULL;
        if (proc_read(t->proc_fd, "status", text, sizeof(text)) > 0)
            tracer = proc_status_field(text, "TracerPid");
        if (tracer && *tracer != '0')
            return error_set(e, EPERM,
                "process %d is held by another tracer, process %d: end that one, or leave out "
                "--consistent",
                (int)t->pid, (int)strtol(tracer, NULL, 10));
        return target_refuse(t->pid, EPERM, e);
    }
    return error_set(e, number, "cannot stop process %d: %s", (int)t->pid, strerror(number));
}

int target_continue(const struct target *t, struct error *e)
{
    struct target_live *live = t->live;
    int r = 0;
    /* One that had not stopped in time has an interrupt pending and would stay stopped: give it one more
     * chance. */
    if (live->stopped_count > 0)
        wait_for_stops(t, clock_monotonic_ns() + PATIENCE_NS / 10);
    for (size_t i = 0; i < live->stopped_count; i++) {
        const struct target_stopped *s = &live->stopped[i];
        void *signal = (void *)(uintptr_t)s->signal; /* NOLINT(performance-no-int-to-ptr) */
        if (ptrace(PTRACE_DETACH, s->tid, NULL, signal) == 0)
            continue;
        int number = errno, ignored;
        if (ask_news(t, s->tid, &ignored) != NEWS_ENDED)
            r = error_set(e, number, "cannot let thread %d of process %d go on: it will when this program ends",
                (int)s->tid, (int)t->pid);
    }
    live->stopped_count = 0;
    return r;
}
