/*
 * A cgroup v2 of its own below the one we are in, where that is ours to divide. The CPU time of the whole tree and
 * the end of all of it at once come with any; memory and pids only where the parent passes these controllers on.
 */
#include "sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)

static int read_text(int dirfd, const char *path, struct buffer *into)
{
    buffer_clear(into);
    int r = file_read_all(dirfd, path, into);
    return r < 0 ? r : buffer_text(into)[0] ? 0 : -ENODATA;
}

/* Where cgroup2 is mounted: the fifth word of its line in mountinfo, whose type comes behind " - ". */
static int find_mount(struct buffer *text, char *into, size_t size)
{
    int r = read_text(AT_FDCWD, "/proc/self/mountinfo", text);
    if (r < 0)
        return r;
    for (char *line = (char *)text->data, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        char *type = strstr(line, " - cgroup2 "), *at = line;
        for (int word = 1; at && word < 5; word++) {
            at = strchr(at, ' ');
            at += at != NULL;
        }
        if (!type || !at)
            continue;
        size_t length = strcspn(at, " ");
        if (length >= size)
            return -ENAMETOOLONG;
        memcpy(into, at, length);
        into[length] = '\0';
        return 0;
    }
    return -ENOENT;
}

static int find_own(struct buffer *text, char *into, size_t size)
{
    char mount[256];
    int r = find_mount(text, mount, sizeof(mount));
    if (r < 0)
        return r;
    r = read_text(AT_FDCWD, "/proc/self/cgroup", text);
    if (r < 0)
        return r;
    const char *own = strstr((const char *)text->data, "0::/");
    if (!own || (own > (const char *)text->data && own[-1] != '\n'))
        return -ENOENT;
    own += strlen("0::");
    int length = snprintf(into, size, "%s%.*s", mount, (int)strcspn(own, "\n"), own);
    return length >= (int)size ? -ENAMETOOLONG : 0;
}

static int set(const struct group *g, const char *name, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    CLEANUP(fd_close) int fd = openat(g->folder, name, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : file_write_all(fd, text, strlen(text));
}

static int open_group(struct group *g, struct buffer *text, const struct sandbox_limits *limits)
{
    g->folder = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g->procs = g->folder < 0 ? -1 : openat(g->folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (g->procs < 0)
        return -errno;
    if (faccessat(g->folder, "cgroup.kill", W_OK, 0) < 0) /* Linux 5.14 */
        return -errno;
    g->memory = faccessat(g->folder, "memory.peak", R_OK, 0) == 0 && set(g, "memory.max", limits->memory) == 0;
    g->pids = faccessat(g->folder, "pids.max", W_OK, 0) == 0 && set(g, "pids.max", limits->processes * 16u) == 0;
    return read_text(g->folder, "cpu.stat", text);
}

int group_make(struct group *ret, const struct sandbox_limits *limits, char *why, size_t why_size)
{
    static unsigned number;
    CLEANUP(buffer_release) struct buffer text;
    struct group g = {.folder = -1, .procs = -1};
    char own[400];
    buffer_init(&text, FILE_MAX);
    int r = find_own(&text, own, sizeof(own));
    if (r < 0) {
        snprintf(why, why_size, "this process is in no cgroup of version 2");
        return r;
    }
    snprintf(g.path, sizeof(g.path), "%s/pitviper-%d-%u", own, (int)getpid(), ++number);
    if (mkdir(g.path, 0700) < 0) {
        r = -errno;
        snprintf(why, why_size, "no cgroup can be made below %.60s: %s; a delegated one allows it", own, strerror(-r));
        return r;
    }
    r = open_group(&g, &text, limits);
    if (r < 0) {
        snprintf(why, why_size, "the cgroup made below %.60s cannot be used: %s", own, strerror(-r));
        group_remove(&g);
        return r;
    }
    *ret = g;
    return 0;
}

void group_kill(const struct group *g)
{
    (void)set(g, "cgroup.kill", 1);
}

void group_read(const struct group *g, uint64_t *ret_cpu_ns, uint64_t *ret_peak)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, FILE_MAX);
    if (read_text(g->folder, "cpu.stat", &text) == 0) {
        const char *at = strstr((const char *)text.data, "usage_usec ");
        if (at)
            *ret_cpu_ns = strtoull(at + strlen("usage_usec "), NULL, 10) * 1000;
    }
    if (g->memory && read_text(g->folder, "memory.peak", &text) == 0)
        *ret_peak = strtoull((const char *)text.data, NULL, 10);
}

/* It stays busy until its last dead process has been taken out of it, a moment after that was reaped. */
void group_remove(struct group *g)
{
    fd_close(&g->procs);
    fd_close(&g->folder);
    for (int i = 0; g->path[0] && rmdir(g->path) < 0 && errno == EBUSY && i < 100; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    g->path[0] = '\0';
}
