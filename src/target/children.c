#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct search {
    const struct target *t;
    pid_t *pids;
    size_t max, count;
    int64_t threads;
    bool unknown; /* no `children` file: a kernel without CONFIG_PROC_CHILDREN */
};

static void found(struct search *s, pid_t pid)
{
    if (s->count < s->max)
        s->pids[s->count] = pid;
    s->count++;
}

/* Numbers with a blank behind each; a block may end in the middle of one. */
static int read_numbers(int fd, struct search *s)
{
    char block[4096];
    int64_t value = 0;
    bool digits = false;
    for (;;) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        for (ssize_t i = 0; i < n; i++) {
            if (block[i] >= '0' && block[i] <= '9' && value < INT32_MAX / 10) {
                value = value * 10 + (block[i] - '0');
                digits = true;
            } else if (digits) {
                found(s, (pid_t)value);
                value = 0;
                digits = false;
            }
        }
    }
}

static int children_of_thread(void *context, pid_t tid)
{
    struct search *s = context;
    char path[64];
    s->threads++;
    snprintf(path, sizeof(path), "task/%d/children", (int)tid);
    CLEANUP(fd_close) int fd = openat(s->t->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return read_numbers(fd, s);
    if (errno != ENOENT)
        return -errno;
    snprintf(path, sizeof(path), "task/%d/stat", (int)tid);
    if (faccessat(s->t->proc_fd, path, F_OK, 0) != 0)
        return 0; /* that thread has ended since */
    s->unknown = true;
    return 1;
}

static int child_by_parent(void *context, pid_t pid)
{
    struct search *s = context;
    char path[32], text[1024];
    struct proc_stat stat;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    ssize_t n = proc_read(AT_FDCWD, path, text, sizeof(text));
    if (n > 0 && proc_stat_parse(text, (size_t)n, &stat) == 0 && stat.field[PROC_STAT_PPID] == s->t->pid)
        found(s, pid);
    return 0;
}

int children_scan(const struct target *t, pid_t *pids, size_t max, size_t *ret_count)
{
    struct search s = {.t = t, .pids = pids, .max = max};
    int r = proc_each_number(AT_FDCWD, "/proc", child_by_parent, &s);
    if (r == 0)
        *ret_count = s.count;
    return r;
}

int target_children(const struct target *t, pid_t *pids, size_t max, size_t *ret_count)
{
    for (int attempt = 0;; attempt++) {
        struct search s = {.t = t, .pids = pids, .max = max};
        int r = proc_each_number(t->proc_fd, "task", children_of_thread, &s);
        if (s.unknown)
            return children_scan(t, pids, max, ret_count);
        if (r < 0)
            return r == -ENOENT ? -ESRCH : r;
        if (s.threads >= proc_thread_count(t) || attempt == LISTINGS_MAX - 1) {
            *ret_count = s.count;
            return 0;
        }
    }
}

int target_children_of(pid_t pid, pid_t *pids, size_t max, size_t *ret_count)
{
    struct target t = {.pid = pid, .pidfd = -1, .root_fd = -1};
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    t.proc_fd = fd;
    return target_children(&t, pids, max, ret_count);
}

/* The file is asked some hundred times a second: it is kept open. */
static uint64_t last_number(const char *path, int *fd)
{
    char text[256];

    if (*fd == -1)
        *fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    ssize_t n = *fd < 0 ? -1 : pread(*fd, text, sizeof(text) - 1, 0);
    if (n <= 0) {
        fd_close(fd);
        *fd = -2; /* not there, and not asked again */
        return 0;
    }
    text[n] = '\0';
    const char *last = strrchr(text, ' ');
    return strtoull(last ? last : text, NULL, 10);
}

int target_last_pid(uint64_t *ret_value)
{
    /* Only with CONFIG_CHECKPOINT_RESTORE, but lxcfs does not put a slow one of its own in its place. */
    static int sysctl = -1, loadavg = -1;
    uint64_t value = last_number("/proc/sys/kernel/ns_last_pid", &sysctl);

    if (value == 0)
        value = last_number("/proc/loadavg", &loadavg);
    if (value == 0)
        return -ENOENT;
    *ret_value = value;
    return 0;
}
