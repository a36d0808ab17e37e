#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FLAG_KERNEL_THREAD 0x00200000 /* PF_KTHREAD, include/linux/sched.h */

static int read_stat(const struct target *t, struct proc_stat *ret)
{
    char text[1024];
    ssize_t n = proc_read(t->proc_fd, "stat", text, sizeof(text));
    if (n < 0)
        return n == -ENOENT ? -ESRCH : (int)n;
    return proc_stat_parse(text, (size_t)n, ret);
}

/* A thread's id has a /proc directory of its own, though no listing shows it. */
static int refuse_thread(const struct target *t, struct error *e)
{
    char text[4096];
    const char *leader = NULL;
    if (proc_read(t->proc_fd, "status", text, sizeof(text)) > 0)
        leader = proc_status_field(text, "Tgid");
    if (!leader)
        return target_refuse(t->pid, ESRCH, e);
    return error_set(
        e, ESRCH, "%d is a thread, not a process: give its process, %d", (int)t->pid, (int)strtol(leader, NULL, 10));
}

static int read_root(struct target *t)
{
    char path[TARGET_PATH_MAX];
    t->root_fd = openat(t->proc_fd, proc_living(t, "root").text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->root_fd < 0)
        return -errno;
    ssize_t n = readlinkat(t->proc_fd, proc_living(t, "root").text, path, sizeof(path) - 1);
    if (n < 0)
        return -errno;
    path[n] = '\0';
    t->root_path = strdup(n == 1 ? "" : path);
    return t->root_path ? 0 : -ENOMEM;
}

static int open_into(struct target *t, struct error *e)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", (int)t->pid);
    t->proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->proc_fd < 0)
        return target_refuse(t->pid, errno == ENOENT ? ESRCH : errno, e);
    t->pidfd = (int)syscall(SYS_pidfd_open, t->pid, 0);
    if (t->pidfd < 0 && (errno == EINVAL || errno == ENOENT))
        return refuse_thread(t, e);
    if (t->pidfd < 0 && (errno == EMFILE || errno == ENFILE))
        return error_set(e, errno, "cannot watch process %d: %s; raise the limit on open files (ulimit -n)",
            (int)t->pid, strerror(errno));

    /* Read after the pidfd was taken: while the directory still answers, the number has not been given away,
     * so both handles are of one process. */
    struct proc_stat stat;
    int r = read_stat(t, &stat);
    if (r < 0)
        return target_refuse(t->pid, -r, e);
    t->start_time = (uint64_t)stat.field[PROC_STAT_START];
    if (stat.field[PROC_STAT_FLAGS] & FLAG_KERNEL_THREAD)
        return target_refuse(t->pid, EPERM, e);
    if (!target_alive(t))
        return target_refuse(t->pid, ESRCH, e);
    char byte;
    r = target_read(t, 1, &byte, 1); /* see memory_probe */
    if (r < 0 && r != -EFAULT)
        return target_refuse(t->pid, -r, e);
    r = read_root(t);
    if (r == -ENOMEM)
        return error_set(e, ENOMEM, "out of memory while opening process %d", (int)t->pid);
    if (r < 0)
        return target_refuse(t->pid, r == -EACCES ? EPERM : r == -ENOENT ? ESRCH : -r, e);
    return 0;
}

int target_open(pid_t pid, struct target **ret, struct error *e)
{
    if (pid <= 0)
        return error_set(e, ESRCH, "there is no process %d", (int)pid);
    struct target *t = calloc(1, sizeof(*t));
    if (!t)
        return error_set(e, ENOMEM, "out of memory while opening process %d", (int)pid);
    t->pid = pid;
    t->pidfd = t->proc_fd = t->root_fd = -1;
    t->live = calloc(1, sizeof(*t->live));
    int r;
    if (!t->live) {
        r = error_set(e, ENOMEM, "out of memory while opening process %d", (int)pid);
    } else {
        t->live->memory_tid = pid;
        r = open_into(t, e);
    }
    if (r < 0) {
        target_close(t);
        return r;
    }
    *ret = t;
    return 0;
}

void target_close(struct target *t)
{
    if (!t)
        return;
    if (t->live && t->live->stopped_count > 0)
        target_continue(t, NULL);
    fd_close(&t->pidfd);
    fd_close(&t->proc_fd);
    fd_close(&t->root_fd);
    free(t->root_path);
    if (t->live)
        free(t->live->stopped);
    free(t->live);
    free(t);
}

pid_t target_pid(const struct target *t)
{
    return t->pid;
}

int target_pidfd(const struct target *t)
{
    return t->pidfd;
}

uint64_t target_start_time(const struct target *t)
{
    return t->start_time;
}

bool target_alive(const struct target *t)
{
    if (t->pidfd >= 0) {
        /* Readable once every thread has ended, zombie or reaped; a dead leader with living threads is not.
         */
        struct pollfd p = {.fd = t->pidfd, .events = POLLIN};
        int r;
        do
            r = poll(&p, 1, 0);
        while (r < 0 && errno == EINTR);
        return r == 0;
    }
    struct proc_stat stat;
    return read_stat(t, &stat) == 0 && stat.state != 'Z' && stat.state != 'X';
}

uint64_t target_image_id(const struct target *t)
{
    struct proc_stat stat;
    struct stat file;
    if (read_stat(t, &stat) < 0)
        return 0;
    /* The start of the code tells two runs of one PIE apart, the random top of the stack two runs of a
     * non-PIE. */
    uint64_t id = hash_mix((uint64_t)stat.field[PROC_STAT_CODE], (uint64_t)stat.field[PROC_STAT_STACK]);
    id = hash_mix(id, (uint64_t)stat.field[PROC_STAT_ARGUMENTS]);
    if (fstatat(t->proc_fd, proc_living(t, "exe").text, &file, 0) == 0)
        id = hash_mix(hash_mix(id, (uint64_t)file.st_dev), (uint64_t)file.st_ino);
    return id;
}

int target_parent(const struct target *t, pid_t *ret_parent)
{
    struct proc_stat stat;
    int r = read_stat(t, &stat);
    if (r == 0)
        *ret_parent = (pid_t)stat.field[PROC_STAT_PPID];
    return r;
}

int target_cpu_ns(const struct target *t, uint64_t *ret_ns)
{
    clockid_t clock;
    struct timespec time;
    int r = clock_getcpuclockid(t->pid, &clock);
    if (r != 0)
        return r == EPERM ? -EPERM : -ESRCH;
    if (clock_gettime(clock, &time) < 0)
        return -ESRCH;
    *ret_ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    return 0;
}

int target_command(const struct target *t, struct buffer *into)
{
    CLEANUP(fd_close) int fd = openat(t->proc_fd, proc_living(t, "cmdline").text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    char block[4096];
    for (;;) {
        ssize_t n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        size_t room = into->max > into->size ? into->max - into->size : 0;
        size_t part = (size_t)n < room ? (size_t)n : room;
        int r = buffer_append(into, block, part);
        if (r < 0)
            return r;
        if (part < (size_t)n)
            return 0;
    }
}

int target_executable(const struct target *t, char *into, size_t size)
{
    static const char deleted[] = " (deleted)";
    char path[TARGET_PATH_MAX];
    ssize_t n = readlinkat(t->proc_fd, proc_living(t, "exe").text, path, sizeof(path) - 1);
    if (n < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    size_t length = (size_t)n;
    path[length] = '\0';
    if (length > sizeof(deleted) - 1 && strcmp(path + length - (sizeof(deleted) - 1), deleted) == 0) {
        length -= sizeof(deleted) - 1;
        path[length] = '\0';
    }
    const char *from = path;
    size_t root = strlen(t->root_path);
    if (root > 0 && strncmp(path, t->root_path, root) == 0 && path[root] == '/') {
        from += root;
        length -= root;
    }
    if (length >= size)
        return -ENAMETOOLONG;
    memcpy(into, from, length + 1);
    return 0;
}

int target_environment(const struct target *t, const char *name, char *into, size_t size)
{
    CLEANUP(buffer_release) struct buffer all;
    buffer_init(
        &all, 4u << 20); /* the kernel's own cap on one string is 128 KB, on all of them a quarter of the stack */
    int r = file_read_all(t->proc_fd, proc_living(t, "environ").text, &all);
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    size_t length = strlen(name);
    for (size_t at = 0; at < all.size;) {
        const char *word = (const char *)all.data + at;
        size_t rest = strnlen(word, all.size - at);
        if (rest > length && word[length] == '=' && memcmp(word, name, length) == 0) {
            rest -= length + 1;
            if (rest >= size)
                return -ENAMETOOLONG;
            memcpy(into, word + length + 1, rest);
            into[rest] = '\0';
            return 0;
        }
        at += rest + 1;
    }
    return -ENOENT;
}
