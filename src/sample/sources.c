/* The text of sampled source files, so that a report can show the hot lines on any machine, any day. */
#include "sample/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    PIECE = 32 << 10, /* read and summed at a time, in a tenth of a millisecond: a pause between two ticks has room */
    SOURCE_CAP = 1 << 20, /* bytes of one file's text */
    CHANGES_TOLD = 5,
    SOURCES_CAP = 64 << 20, /* bytes of paths; a run that exec()s generated names for ever stops noting them */
};
#define CHANGE_LEAST_S 0.05 /* the start is known to a hundredth of a second */

static void source_close(struct sources *x)
{
    fd_close(&x->fd);
    x->fd = -1;
    free(x->current.path);
    x->current.path = NULL;
}

int sources_init(struct sources *x)
{
    memset(x, 0, sizeof(*x));
    x->fd = -1;
    buffer_init(&x->text, SOURCE_CAP + 1);
    return strings_init(&x->seen, SOURCES_CAP);
}

void sources_release(struct sources *x)
{
    for (size_t i = 0; i < x->count; i++)
        free(x->pending[i].path);
    free(x->pending);
    source_close(x);
    buffer_release(&x->text);
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

/* A file that was written since: what a program loaded before is not what stands there now. */
static void change_tell(struct sampler *s, const struct watched *w)
{
    struct sources *x = &s->sources;
    struct timespec wall, boot;
    struct stat file;
    char text[512];

    if (x->changed >= CHANGES_TOLD || fstat(x->fd, &file) < 0 || clock_gettime(CLOCK_REALTIME, &wall) < 0 ||
        clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
        return;
    double began = (double)target_start_time(w->target) / (double)sysconf(_SC_CLK_TCK);
    double age = (double)boot.tv_sec + (double)boot.tv_nsec / 1e9 - began;
    double since = (double)(wall.tv_sec - file.st_ctim.tv_sec) + (double)(wall.tv_nsec - file.st_ctim.tv_nsec) / 1e9;
    if (age - since < CHANGE_LEAST_S)
        return;
    x->changed++;
    snprintf(text, sizeof(text),
        "%.300s was written after the program began: what it loaded before may have other lines", x->current.path);
    record_put_meta(s->writer, "note.source", text);
}

static int source_open(struct sampler *s)
{
    struct sources *x = &s->sources;
    const struct source *one = &x->current;
    const struct watched *w = NULL;
    char path[4096];

    for (size_t i = 0; i < s->count && !w; i++)
        if (s->watched[i].id == one->process)
            w = &s->watched[i];
    if (!w || !w->target)
        return -ESRCH;
    int r = path_absolute(w, one->path, path, sizeof(path));
    if (r == 0)
        r = target_open_file(w->target, path, &x->fd);
    if (r == 0)
        change_tell(s, w);
    buffer_clear(&x->text);
    sha256_init(&x->sum);
    return r;
}

/* Returns how much came; 0 at the end of what is wanted. */
static size_t source_read(struct sources *x)
{
    size_t before = x->text.size, room = SOURCE_CAP + 1 - before;
    size_t want = room < PIECE ? room : PIECE;

    if (want == 0 || buffer_reserve(&x->text, want) < 0)
        return 0;
    ssize_t got = read(x->fd, x->text.data + before, want);
    if (got <= 0)
        return 0;
    x->text.size += (size_t)got;
    size_t summed = x->text.size < SOURCE_CAP ? x->text.size : SOURCE_CAP;
    sha256_update(&x->sum, x->text.data + before, summed - before);
    return (size_t)got;
}

bool sources_step(struct sampler *s)
{
    struct sources *x = &s->sources;
    uint8_t digest[32];

    if (!x->current.path) {
        if (x->count == 0)
            return false;
        x->current = x->pending[--x->count];
        if (source_open(s) < 0)
            source_close(x);
    } else if (source_read(x) == 0) {
        bool whole = x->text.size <= SOURCE_CAP;
        sha256_final(&x->sum, digest);
        record_put_source(s->writer, x->current.path, digest, x->text.data, whole ? x->text.size : SOURCE_CAP, whole);
        source_close(x);
    }
    return true;
}
