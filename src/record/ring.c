/*
 * A recording of the last so many seconds. The file is an ordinary one with a restart every quarter of that time; when
 * more than half of it is older than asked for, what is not is written aside and renamed over it.
 */
#include "record/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ring_release(struct ring *g)
{
    free(g->sources);
}

bool ring_wants_restart(const struct ring *g, uint64_t now_ns)
{
    return g->last_ns > 0 && g->count > 0 && now_ns - g->restarts[g->count - 1].time_ns >= g->last_ns / RING_PARTS;
}

/* The newest restart that has all of the time asked for after it; 0: all is needed. */
static size_t oldest_needed(const struct ring *g, uint64_t now_ns)
{
    size_t i = g->count;
    while (i > 0 && (now_ns < g->last_ns || g->restarts[i - 1].time_ns > now_ns - g->last_ns))
        i--;
    return i > 0 ? i - 1 : 0;
}

/* Chunks in [from, to) of the recording, numbered from *sequence on, to the end of `into`. */
static int copy_chunks(int fd, uint64_t from, uint64_t to, int into, uint32_t *sequence)
{
    CLEANUP(buffer_release) struct buffer chunk;
    buffer_init(&chunk, FORMAT_CHUNK_HEADER + FORMAT_CHUNK_MAX);
    int r = 0;
    for (uint64_t at = from; r == 0 && at < to;) {
        r = output_copy(fd, at, &chunk);
        if (r < 0)
            return r;
        output_number(chunk.data, (*sequence)++);
        r = file_write_all(into, chunk.data, chunk.size);
        at += chunk.size;
    }
    return r;
}

/* The recording from `from` on to a new file, with the source texts that stand before. The file's descriptor. */
static int cut_to(const struct ring *g, const struct output *o, uint64_t from, const char *path, uint64_t *ret_rest,
    uint32_t *ret_sequence)
{
    char self[64];
    uint8_t head[FORMAT_HEADER_SIZE];
    uint32_t sequence = 0;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", o->fd);
    CLEANUP(fd_close) int fd = open(self, O_RDONLY | O_CLOEXEC);
    int into = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    int r = fd < 0 || into < 0 ? -errno : 0;
    if (r == 0)
        r = pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) ? file_write_all(into, head, sizeof(head)) : -EIO;
    for (size_t i = 0; r == 0 && i < g->source_count && g->sources[i].at < from; i++)
        r = copy_chunks(fd, g->sources[i].at, g->sources[i].at + g->sources[i].size, into, &sequence);
    off_t rest = r == 0 ? lseek(into, 0, SEEK_END) : 0;
    if (r == 0)
        r = rest < 0 ? -errno : copy_chunks(fd, from, o->bytes, into, &sequence);
    if (r < 0) {
        if (into >= 0) {
            close(into);
            (void)unlink(path);
        }
        return r;
    }
    *ret_rest = (uint64_t)rest;
    *ret_sequence = sequence;
    return into;
}

static int drop_before(struct ring *g, struct output *o, size_t first)
{
    char aside[4200];
    uint64_t from = g->restarts[first].at, rest, at = FORMAT_HEADER_SIZE;
    uint32_t sequence;
    snprintf(aside, sizeof(aside), "%s" RING_SUFFIX, o->path);
    int fd = cut_to(g, o, from, aside, &rest, &sequence);
    if (fd < 0)
        return fd;
    if (rename(aside, o->path) < 0) {
        int failure = -errno;
        close(fd);
        (void)unlink(aside);
        return failure;
    }
    close(o->fd);
    o->fd = fd;
    o->sequence = sequence;
    for (size_t i = 0; i < g->source_count; i++) {
        bool before = g->sources[i].at < from;
        g->sources[i].at = before ? at : g->sources[i].at - from + rest;
        at += before ? g->sources[i].size : 0;
    }
    for (size_t i = first; i < g->count; i++)
        g->restarts[i - first] = (struct ring_part){g->restarts[i].at - from + rest, g->restarts[i].time_ns};
    g->count -= first;
    o->bytes = o->bytes - from + rest;
    o->restart_at = o->restart_at < from ? rest : o->restart_at - from + rest;
    return 0;
}

int ring_restart(struct ring *g, struct output *o, uint64_t now_ns)
{
    size_t first = oldest_needed(g, now_ns);
    int r = 0;
    if (first > 0 && (g->count == ARRAY_SIZE(g->restarts) || g->restarts[first].at > o->bytes / 2))
        r = drop_before(g, o, first);
    if (g->count == ARRAY_SIZE(g->restarts)) { /* more often than by time: two parts become one */
        memmove(&g->restarts[1], &g->restarts[2], (g->count - 2) * sizeof(g->restarts[0]));
        g->count--;
    }
    g->restarts[g->count++] = (struct ring_part){o->bytes, now_ns};
    return r;
}

int ring_source(struct ring *g, uint64_t at, uint64_t size)
{
    if (array_reserve(&g->sources, &g->source_capacity, g->source_count + 1, sizeof(*g->sources)) < 0)
        return -ENOMEM;
    g->sources[g->source_count++] = (struct ring_source){at, size};
    return 0;
}

int ring_end(struct ring *g, struct output *o, uint64_t now_ns)
{
    size_t first = oldest_needed(g, now_ns);
    return first > 0 ? drop_before(g, o, first) : 0;
}

int ring_cut(struct ring *g, struct output *o, uint64_t now_ns, char *path, size_t size)
{
    char aside[4200];
    uint64_t rest;
    uint32_t sequence;
    size_t first = oldest_needed(g, now_ns), stem = strlen(o->path);
    if (stem > 4 && strcmp(o->path + stem - 4, ".pit") == 0)
        stem -= 4;
    for (unsigned number = 1; number == 1 || access(path, F_OK) == 0; number++)
        snprintf(path, size, "%.*s-%u.pit", (int)stem, o->path, number);
    snprintf(aside, sizeof(aside), "%s" RING_SUFFIX, path);
    uint64_t from = first > 0 ? g->restarts[first].at : FORMAT_HEADER_SIZE;
    struct output cut = {.failure = 0};
    /* With nothing to drop the sources stand where they are. */
    cut.fd = cut_to(g, o, from, aside, &rest, &sequence);
    if (cut.fd < 0)
        return cut.fd;
    uint8_t end[FORMAT_CHUNK_HEADER];
    output_end(end, sequence);
    int r = file_write_all(cut.fd, end, sizeof(end));
    if (close(cut.fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(aside, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(aside);
    return r;
}
