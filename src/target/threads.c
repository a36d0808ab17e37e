#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct list {
    pid_t *items;
    size_t max, count;
};

static int take(void *context, pid_t number)
{
    struct list *l = context;
    if (l->count < l->max)
        l->items[l->count] = number;
    l->count++;
    return 0;
}

int target_threads(const struct target *t, pid_t *tids, size_t max, size_t *ret_count)
{
    for (int attempt = 0;; attempt++) {
        struct list l = {.items = tids, .max = max};
        int r = proc_each_number(t->proc_fd, "task", take, &l);
        if (r == -ENOENT || (r == 0 && l.count == 0))
            return -ESRCH;
        if (r < 0)
            return r;
        if ((int64_t)l.count >= proc_thread_count(t) || attempt == LISTINGS_MAX - 1) {
            *ret_count = l.count;
            return 0;
        }
    }
}

/* The number of a thread in the process's own pid namespace; how many namespaces lie between (1: it is ours). */
static pid_t own_number(const struct target *t, pid_t tid, int *ret_levels)
{
    char path[64], text[4096];
    long number = 0;

    *ret_levels = 0;
    snprintf(path, sizeof(path), "task/%d/status", (int)tid);
    if (proc_read(t->proc_fd, path, text, sizeof(text)) <= 0)
        return 0;
    const char *at = proc_status_field(text, "NSpid");
    for (; proc_status_number(&at, &number); ++*ret_levels)
        continue;
    return (pid_t)number;
}

pid_t target_thread_number(const struct target *t, pid_t own)
{
    CLEANUP(free_pointer) pid_t *tids = NULL;
    char path[64];
    int levels;
    size_t count = 0, capacity = 64;

    if (own <= 0)
        return 0;
    if (t->live->pid_levels == 0)
        (void)own_number(t, t->pid, &t->live->pid_levels);
    if (t->live->pid_levels < 2) {
        snprintf(path, sizeof(path), "task/%d", (int)own);
        return faccessat(t->proc_fd, path, F_OK, 0) == 0 ? own : 0;
    }
    do {
        capacity = count > capacity ? count : capacity;
        free(tids);
        tids = calloc(capacity, sizeof(*tids));
    } while (tids && target_threads(t, tids, capacity, &count) == 0 && count > capacity);
    for (size_t i = 0; tids && i < count && i < capacity; i++)
        if (own_number(t, tids[i], &levels) == own)
            return tids[i];
    return 0;
}

static int gone(int r)
{
    return r == -ENOENT ? -ESRCH : r;
}

int target_thread_open(const struct target *t, pid_t tid, struct target_thread *ret)
{
    char path[64];
    struct target_thread h = {.tid = tid, .stat_fd = -1, .schedstat_fd = -1, .syscall_fd = -1};
    snprintf(path, sizeof(path), "task/%d/stat", (int)tid);
    h.stat_fd = openat(t->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (h.stat_fd < 0)
        return gone(-errno);
    snprintf(path, sizeof(path), "task/%d/schedstat", (int)tid);
    h.schedstat_fd = openat(t->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (h.schedstat_fd < 0 && errno != ENOENT) {
        int r = -errno;
        fd_close(&h.stat_fd);
        return r;
    }
    snprintf(path, sizeof(path), "task/%d/syscall", (int)tid);
    h.syscall_fd = openat(t->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (h.syscall_fd < 0)
        h.syscall_fd = -errno;
    *ret = h;
    return 0;
}

void target_thread_close(struct target_thread *h)
{
    fd_close(&h->stat_fd);
    fd_close(&h->schedstat_fd);
    fd_close(&h->syscall_fd);
}

/* Not more than one read: the kernel writes the whole line at once. */
static ssize_t read_line(int fd, char *into, size_t size)
{
    ssize_t n;
    do
        n = pread(fd, into, size - 1, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return gone(-errno);
    if (n == 0)
        return -ESRCH;
    into[n] = '\0';
    return n;
}

int target_thread_state(const struct target_thread *h, char *ret_state, int *ret_processor)
{
    char text[1024];
    ssize_t n = read_line(h->stat_fd, text, sizeof(text));
    return n < 0 ? (int)n : proc_stat_parse_state(text, (size_t)n, ret_state, ret_processor);
}

/* "NUMBER ARGUMENT..." in hexadecimal, "running", or "-1 ..." where it is in no call (proc(5)). */
uint64_t proc_syscall_futex(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || number != SYS_futex || *end != ' ')
        return 0;
    return strtoull(end, NULL, 16);
}

int target_thread_call(const struct target_thread *h, bool *ret_runs, uint64_t *ret_futex)
{
    char text[256];
    ssize_t n = h->syscall_fd < 0 ? h->syscall_fd : read_line(h->syscall_fd, text, sizeof(text));
    if (n < 0)
        return (int)n;
    *ret_runs = strncmp(text, "running", 7) == 0;
    *ret_futex = proc_syscall_futex(text);
    return 0;
}

/* "ran waited slices": proc(5), Documentation/scheduler/sched-stats.rst. Whether it is that; 0 for what is not there.
 */
static bool parse_schedstat(const char *text, uint64_t *ret_ran, uint64_t *ret_waited)
{
    char *end, *last;
    *ret_ran = strtoull(text, &end, 10);
    *ret_waited = strtoull(end, &last, 10);
    return end > text && last > end;
}

int target_wait_ns_of(pid_t pid, uint64_t *ret_ns)
{
    char path[64], text[128];
    uint64_t ran;
    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read_line(fd, text, sizeof(text));
    if (n < 0)
        return (int)n;
    return parse_schedstat(text, &ran, ret_ns) ? 0 : -EBADMSG;
}

int target_thread_stat(const struct target_thread *h, struct target_thread_stat *ret)
{
    char text[1024];
    struct proc_stat stat;
    struct target_thread_stat s = {0};
    ssize_t n = read_line(h->stat_fd, text, sizeof(text));
    if (n < 0)
        return (int)n;
    int r = proc_stat_parse(text, (size_t)n, &stat);
    if (r < 0)
        return r;
    s.state = stat.state;
    s.processor = (int)stat.field[PROC_STAT_PROCESSOR];
    snprintf(s.name, sizeof(s.name), "%.*s", (int)sizeof(s.name) - 1, stat.name);
    if (h->schedstat_fd >= 0) {
        n = read_line(h->schedstat_fd, text, sizeof(text));
        if (n < 0)
            return (int)n;
        (void)parse_schedstat(text, &s.cpu_ns, &s.wait_ns);
    }
    *ret = s;
    return 0;
}
