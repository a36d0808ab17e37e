#include "grade/pace.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "grade/inside.h"

/* The ring: how many records were written, in the first 16 bytes, then records {CLOCK_MONOTONIC, CPU time of the
 * pacemaker}, 8 bytes each, both in ns. One is written in some 0.2 ms of its CPU time, so that the ring holds more
 * than a sample may take. */
#define RECORDS 65535u
#define RING_BYTES ((size_t)16 * (RECORDS + 1))
#define PACE_MOST 4.0   /* and a quarter: of the usual one */
#define PIECES_LEAST 8u /* of which a pace is told */
#define NICE 8          /* a sixth of what is measured gets */
#define RING_FD 3
#define START_NS 2000000000u

static uint64_t written(const struct pace *p)
{
    return __atomic_load_n(p->ring, __ATOMIC_ACQUIRE);
}

static const uint64_t *record_at(const struct pace *p, uint64_t index)
{
    return p->ring + 2 * (1 + index % RECORDS);
}

static _Noreturn void become(char *python, int ring, const cpu_set_t *cpus, pid_t parent)
{
    char *argv[] = {
        python, (char *)"-S", (char *)"-s", (char *)"-B", (char *)"-c", (char *)(uintptr_t)grade_harness_pace, NULL};
    char *env[] = {(char *)"LC_ALL=C.UTF-8", NULL};
    int nothing = open("/dev/null", O_RDWR);
    bool ready = setsid() > 0 && sched_setaffinity(0, sizeof(*cpus), cpus) == 0 &&
                 prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;

    for (int fd = 0; fd < RING_FD; fd++)
        ready &= dup2(nothing, fd) >= 0;
    ready &= ring == RING_FD ? fcntl(ring, F_SETFD, 0) == 0 : dup2(ring, RING_FD) >= 0;
    if (ready && close_range(RING_FD + 1, ~0u, 0) == 0)
        execve(python, argv, env);
    _exit(127);
}

/* Once it runs: on a busy CPU its start would else take seconds. Where sessions share the CPU, a session's own niceness
 * counts; elsewhere a process's. */
static void give_way(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/autogroup", (int)pid);
    CLEANUP(fd_close) int group = open(path, O_WRONLY | O_CLOEXEC);
    if (group >= 0)
        dprintf(group, "%d", NICE);
    setpriority(PRIO_PROCESS, (id_t)pid, NICE);
}

void pace_start(struct pace *p, char *python)
{
    *p = (struct pace){.last = 1};
    CLEANUP(fd_close) int ring = memfd_create("pace", MFD_CLOEXEC);
    if (ring < 0 || ftruncate(ring, (off_t)RING_BYTES) < 0)
        return;
    CPU_SET((size_t)cpu_for_measuring(), &p->cpus);
    void *map = mmap(NULL, RING_BYTES, PROT_READ, MAP_SHARED, ring, 0);
    if (map == MAP_FAILED)
        return;
    p->ring = map;
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid == 0)
        become(python, ring, &p->cpus, parent);
    uint64_t until = clock_monotonic_ns() + START_NS;
    siginfo_t ended = {.si_pid = 0};
    while (p->pid > 0 && ended.si_pid == 0 && written(p) < PIECES_LEAST && clock_monotonic_ns() < until) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        waitid(P_PID, (id_t)p->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
    }
    if (p->pid < 0 || written(p) < PIECES_LEAST)
        pace_stop(p);
    else
        give_way(p->pid);
}

void pace_stop(struct pace *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (p->ring)
        munmap((void *)(uintptr_t)p->ring, RING_BYTES);
    *p = (struct pace){.last = 1};
}

/* The first record, of those from `low` up to `high`, that was made no earlier than that; `high` if none was. */
static uint64_t first_from(const struct pace *p, uint64_t low, uint64_t high, uint64_t at_ns)
{
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (record_at(p, middle)[0] < at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double pace_between(struct pace *p, uint64_t from_ns, uint64_t to_ns)
{
    if (p->pid <= 0)
        return 1;
    uint64_t end = written(p), begin = end > RECORDS ? end - RECORDS + 1 : 0; /* the oldest one may be half new */
    uint64_t first = first_from(p, begin, end, from_ns), after = first_from(p, first, end, to_ns);
    if (after < first + PIECES_LEAST + 1)
        return p->last;
    uint64_t pieces = after - 1 - first, used = record_at(p, after - 1)[1] - record_at(p, first)[1];
    double pace = (double)pieces * 1e9 / (double)(used > 0 ? used : 1);
    if (p->usual <= 0)
        p->usual = pace;
    p->last = fmin(fmax(pace / p->usual, 1 / PACE_MOST), PACE_MOST); /* where nobody else may write there, it is */
    return p->last;
}
