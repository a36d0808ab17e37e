/*
 * What could not be stored: FILE.pending, one JSON object a line, appended and taken in under its lock (flock). The
 * lock's file goes away with its content, so whoever gets the lock looks whether the file is still the one of that
 * name.
 */
#include "history/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char *pending_name(const char *store)
{
    char *name;
    return asprintf(&name, "%s.pending", store) < 0 ? NULL : name;
}

static int lock_fd(int fd, uint64_t until_ns)
{
    const struct timespec nap = {0, 10000000};
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (clock_monotonic_ns() >= until_ns)
            return -EAGAIN;
        nanosleep(&nap, NULL);
    }
    return 0;
}

int pending_lock(const char *store, bool make, uint64_t until_ns, int *ret_fd)
{
    CLEANUP(free_pointer) char *name = pending_name(store);
    if (name == NULL)
        return -ENOMEM;
    for (;;) {
        struct stat is;
        int fd =
            open(name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (make ? O_CREAT : 0), 0666);
        int r = fd < 0 || fstat(fd, &is) < 0 ? -errno : S_ISREG(is.st_mode) ? lock_fd(fd, until_ns) : -EMEDIUMTYPE;
        if (r == 0 && fstat(fd, &is) == 0 && is.st_nlink > 0) {
            *ret_fd = fd;
            return 0;
        }
        fd_close(&fd);
        if (r < 0)
            return r;
    }
}

/* ---- a line ---- */

static void put_line(struct buffer *b, const struct history_result *x)
{
    struct json j = {.out = b};
    json_object_begin(&j, NULL);
    json_integer(&j, "time_ns", (int64_t)(x->time_ns & INT64_MAX));
    json_text(&j, "kind", x->kind);
    json_text(&j, "subject", x->subject);
    json_text(&j, "metric", x->metric);
    json_text(&j, "unit", x->unit);
    json_number(&j, "value", x->value);
    json_number(&j, "low", x->low);
    json_number(&j, "high", x->high);
    json_integer(&j, "runs", (int64_t)(x->runs & INT64_MAX));
    json_text(&j, "verdict", x->verdict);
    json_text(&j, "machine", x->machine->id);
    json_text(&j, "cpu", x->machine->cpu);
    json_text(&j, "kernel", x->machine->kernel);
    json_integer(&j, "cores", (int64_t)(x->machine->cores & INT64_MAX));
    json_integer(&j, "memory", (int64_t)(x->machine->memory & INT64_MAX));
    json_text(&j, "python", x->python);
    json_text(&j, "revision", x->revision);
    json_boolean(&j, "dirty", x->dirty);
    json_array_begin(&j, "samples");
    for (size_t i = 0; i < x->sample_count && i < HISTORY_SAMPLES_MAX; i++)
        json_number(&j, NULL, x->samples[i]);
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(b, '\n');
}

/* ---- the file ---- */

int pending_append(const char *store, const struct history_result *results, size_t count, struct error *e)
{
    CLEANUP(buffer_release) struct buffer lines;
    CLEANUP(fd_close) int fd = -1;
    struct stat is;
    buffer_init(&lines, HISTORY_INPUT_MAX);
    for (size_t i = 0; i < count; i++)
        if (isfinite(results[i].value))
            put_line(&lines, &results[i]);
    int r = lines.failed ? -ENOMEM : pending_lock(store, true, clock_monotonic_ns() + HISTORY_WAIT_NS, &fd);
    if (r == 0 && fstat(fd, &is) < 0)
        r = -errno;
    if (r == 0 && (size_t)is.st_size + lines.size > HISTORY_INPUT_MAX)
        r = -EFBIG;
    if (r == 0) {
        r = file_write_all(fd, lines.data, lines.size);
        if (r == 0 && fdatasync(fd) < 0)
            r = -errno;
        if (r < 0 && ftruncate(fd, is.st_size) < 0) /* half a line would be read as damage */
            r = -errno;
    }
    return r == 0 ? 0 : error_set(e, -r, "%s.pending: %s", store, strerror(-r));
}

int pending_take(struct history *h, struct pending *ret, struct error *e)
{
    CLEANUP(buffer_release) struct buffer all;
    char path[32];
    struct pending p = {.fd = -1};
    buffer_init(&all, HISTORY_INPUT_MAX);
    /* One that is being written, or that cannot be, is for the next time. */
    if (pending_lock(h->path, false, 0, &p.fd) < 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", p.fd);
    int r = file_read_all(AT_FDCWD, path, &all);
    for (size_t at = 0; r == 0 && at < all.size;) {
        const char *line = (const char *)all.data + at;
        const char *end = memchr(line, '\n', all.size - at);
        size_t size = end == NULL ? all.size - at : (size_t)(end - line);
        struct arena a;
        struct history_result x;
        arena_init(&a, 1u << 20);
        if (pending_parse(line, size, &a, &x) < 0)
            p.bad++;
        else
            r = store_insert(h, &x, 1, e);
        arena_release(&a);
        at += size + 1;
    }
    if (r == -EFBIG)
        p.bad = 1;
    *ret = p;
    return r == -EFBIG ? 0 : r;
}

void pending_done(const char *store, struct pending *p, bool committed)
{
    CLEANUP(free_pointer) char *name = pending_name(store), *aside = NULL;
    if (p->fd >= 0 && committed && name != NULL) {
        if (p->bad == 0)
            (void)unlink(name);
        else
            (void)store_move_aside(name, &aside, NULL); /* what could not be read is kept for who wants to look */
    }
    fd_close(&p->fd);
}
