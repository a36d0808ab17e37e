/* The text of sampled source files, so that a report can show the hot lines on any machine, any day. */
#include "sample/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SOURCE_CAP = 1 << 20,   /* bytes of one file's text */
    SOURCES_CAP = 64 << 20, /* bytes of paths; a run that exec()s generated names for ever stops noting them */
};

int sources_init(struct sources *x)
{
    memset(x, 0, sizeof(*x));
    return strings_init(&x->seen, SOURCES_CAP);
}

void sources_release(struct sources *x)
{
    for (size_t i = 0; i < x->count; i++)
        free(x->pending[i].path);
    free(x->pending);
    strings_release(&x->seen);
}

void sources_note(struct sampler *s, const struct watched *w, const char *path)
{
    struct sources *x = &s->sources;
    size_t before = x->seen.count;
    uint32_t id;

    if (!s->options.sources || path[0] == '<' || path[0] == '\0' ||
        strings_intern(&x->seen, path, strlen(path), &id) < 0 || x->seen.count == before ||
        array_reserve(&x->pending, &x->capacity, x->count + 1, sizeof(*x->pending)) < 0)
        return;
    char *copy = strdup(path);
    if (copy)
        x->pending[x->count++] = (struct source){.path = copy, .process = w->id};
}

/* A relative co_filename (a script's own before 3.9) is relative to where the program stood; where it stands now is the
 * best guess. */
static int path_absolute(const struct watched *w, const char *path, char *into, size_t size)
{
    char link[32], folder[2048];

    if (path[0] == '/')
        return snprintf(into, size, "%s", path) < (int)size ? 0 : -ENAMETOOLONG;
    snprintf(link, sizeof(link), "/proc/%d/cwd", target_pid(w->target));
    ssize_t n = readlink(link, folder, sizeof(folder) - 1);
    if (n < 0)
        return -errno;
    folder[n] = '\0';
    return snprintf(into, size, "%s/%s", folder, path) < (int)size ? 0 : -ENAMETOOLONG;
}

static void write_one(struct sampler *s, const struct source *one)
{
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(fd_close) int fd = -1;
    const struct watched *w = NULL;
    uint8_t digest[32];
    char path[4096];

    buffer_init(&text, SOURCE_CAP + 1);
    for (size_t i = 0; i < s->count && !w; i++)
        if (s->watched[i].id == one->process)
            w = &s->watched[i];
    if (!w || !w->target)
        return;
    if (path_absolute(w, one->path, path, sizeof(path)) < 0 || target_open_file(w->target, path, &fd) < 0)
        return;
    char block[65536];
    ssize_t got;
    while ((got = read(fd, block, sizeof(block))) > 0 && text.size <= SOURCE_CAP) {
        size_t room = SOURCE_CAP + 1 - text.size;
        if (buffer_append(&text, block, (size_t)got < room ? (size_t)got : room) < 0)
            return;
    }
    bool whole = text.size <= SOURCE_CAP;
    size_t size = whole ? text.size : SOURCE_CAP;
    sha256(text.data, size, digest);
    record_put_source(s->writer, one->path, digest, text.data, size, whole);
}

void sources_write(struct sampler *s, size_t most)
{
    struct sources *x = &s->sources;

    while (most-- > 0 && x->count > 0) {
        x->count--;
        write_one(s, &x->pending[x->count]);
        free(x->pending[x->count].path);
    }
}
