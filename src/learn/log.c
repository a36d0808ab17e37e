/*
 * The log: appended to and never rewritten, under its lock (flock). What a full disk or a signal leaves half-written is
 * cut away again; what a crash leaves gets its line's end, and counts as damaged.
 */
#include "learn/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)256 << 20)
#define RECEIPTS_MAX 100000u

static int lock(int fd, int how)
{
    const struct timespec nap = {0, 2000000};
    uint64_t until = clock_monotonic_ns() + LEARN_WAIT_NS;
    while (flock(fd, how | LOCK_NB) < 0) {
        if (errno == ENOLCK || errno == EOPNOTSUPP)
            return 0; /* no locks here: appending in one write is what is left */
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (clock_monotonic_ns() >= until)
            return -EAGAIN;
        nanosleep(&nap, NULL);
    }
    return 0;
}

static int explain(const char *path, int r, struct error *e)
{
    const char *why = r == -EMEDIUMTYPE ? "it is no plain file"
                      : r == -EAGAIN    ? "another process holds it"
                      : r == -EFBIG     ? "it is larger than a log may be"
                      : r == -E2BIG     ? "it has more lines than a log may have"
                                        : strerror(-r);
    return error_set(e, -r, "cannot use the log %s: %s", path, why);
}

/* ---- reading ---- */

static int compare_events(const void *left, const void *right)
{
    const struct learn_event *a = left, *b = right;
    return a->time_ns != b->time_ns ? (a->time_ns < b->time_ns ? -1 : 1) : strcmp(a->id, b->id);
}

static int compare_ids(const void *left, const void *right)
{
    const struct learn_event *a = left, *b = right;
    int by_id = strcmp(a->id, b->id);
    /* Lines of one id that differ were made by hand: the same one has to stay, in whatever order they came. */
    if (by_id != 0)
        return by_id;
    size_t size = a->line_size < b->line_size ? a->line_size : b->line_size;
    int by_line = memcmp(a->line, b->line, size);
    return by_line != 0 ? by_line : (a->line_size > b->line_size) - (a->line_size < b->line_size);
}

static void put_in_order(struct learn_log *l)
{
    size_t kept = 0;
    if (l->count == 0)
        return;
    qsort(l->events, l->count, sizeof(*l->events), compare_ids);
    for (size_t i = 1; i < l->count; i++)
        if (strcmp(l->events[kept].id, l->events[i].id) != 0)
            l->events[++kept] = l->events[i];
    l->count = kept + 1;
    qsort(l->events, l->count, sizeof(*l->events), compare_events);
}

int log_parse(struct learn_log *l)
{
    const char *at = (const char *)l->text.data, *end = at + l->text.size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((stop == NULL ? end : stop) - at);
        if (l->count + l->damaged >= LEARN_EVENTS_MAX)
            return -E2BIG;
        if (array_reserve(&l->events, &l->capacity, l->count + 1, sizeof(*l->events)) < 0)
            return -ENOMEM;
        int r = size == 0 ? -ENOMSG : learn_event_parse(at, size, &l->arena, &l->events[l->count]);
        if (r == -ENOMEM)
            return r;
        l->count += r == 0;
        l->damaged += r == -EBADMSG;
        at += size + 1;
    }
    put_in_order(l);
    return 0;
}

/* From a descriptor that is locked already. */
static int read_locked(int fd, struct learn_log *ret)
{
    struct learn_log l = {.count = 0};
    char itself[32];
    arena_init(&l.arena, ARENA_MAX);
    buffer_init(&l.text, LEARN_LOG_MAX);
    snprintf(itself, sizeof(itself), "/proc/self/fd/%d", fd);
    int r = file_read_all(AT_FDCWD, itself, &l.text);
    if (r == 0)
        r = log_parse(&l);
    if (r < 0)
        learn_log_release(&l);
    else
        *ret = l;
    return r;
}

int learn_log_read(const char *path, struct learn_log *ret, struct error *e)
{
    CLEANUP(fd_close) int fd = -1;
    int r = file_open(path, O_RDONLY, &fd);
    if (r == -ENOENT) {
        struct learn_log l = {.count = 0};
        arena_init(&l.arena, ARENA_MAX);
        buffer_init(&l.text, LEARN_LOG_MAX);
        *ret = l;
        return 0;
    }
    if (r == 0)
        r = lock(fd, LOCK_SH);
    if (r == 0)
        r = read_locked(fd, ret);
    return r == 0 ? 0 : explain(path, r, e);
}

void learn_log_release(struct learn_log *l)
{
    free(l->events);
    arena_release(&l->arena);
    buffer_release(&l->text);
    *l = (struct learn_log){.count = 0};
}

static int log_path(const struct learn_course *c, char path[LEARN_PATH_MAX], struct error *e)
{
    return learn_path(c, path, LOG_NAME) == 0
               ? 0
               : error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
}

int learn_course_log(const struct learn_course *c, struct learn_log *ret, struct error *e)
{
    char path[LEARN_PATH_MAX];
    int r = log_path(c, path, e);
    return r < 0 ? r : learn_log_read(path, ret, e);
}

/* ---- adding ---- */

/* All of it, or the file as it was. */
static int append(int fd, const struct buffer *lines)
{
    struct stat is;
    char last = '\n';
    if (fstat(fd, &is) < 0)
        return -errno;
    if (is.st_size > 0 && file_read_at(fd, &last, 1, (uint64_t)is.st_size - 1) != 1)
        return -EIO;
    if ((size_t)is.st_size + lines->size + 1 > LEARN_LOG_MAX)
        return -EFBIG;
    int r = last == '\n' ? 0 : file_write_all(fd, "\n", 1);
    if (r == 0)
        r = file_write_all(fd, lines->data, lines->size);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r < 0)
        (void)ftruncate(fd, is.st_size);
    return r;
}

static int open_locked(const char *path, int *ret_fd)
{
    int fd = -1, r = file_open(path, O_RDWR | O_APPEND | O_CREAT, &fd);
    if (r == 0)
        r = lock(fd, LOCK_EX);
    if (r < 0)
        fd_close(&fd);
    else
        *ret_fd = fd;
    return r;
}

static int new_id(char ret[33])
{
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return -EIO;
    text_hex(bytes, sizeof(bytes), ret);
    return 0;
}

int learn_log_add(const struct learn_course *c, struct learn_event *x, struct error *e)
{
    CLEANUP(buffer_release) struct buffer line;
    CLEANUP(fd_close) int fd = -1;
    char path[LEARN_PATH_MAX];
    buffer_init(&line, LEARN_LINE_MAX);
    int r = log_path(c, path, e);
    if (r < 0)
        return r;
    x->time_ns = clock_real_ns();
    snprintf(x->machine, sizeof(x->machine), "%s", c->machine);
    r = new_id(x->id);
    if (r == 0)
        r = learn_event_put(&line, x);
    if (r == 0)
        r = open_locked(path, &fd);
    if (r == 0)
        r = append(fd, &line);
    if (r < 0)
        return error_set(e, -r, "the log %s could not take this in, and is as it was: %s", path,
            r == -EFBIG ? "it is as large as a log may be" : strerror(-r));
    return 0;
}

/* ---- merging ---- */

static const struct learn_event *find_id(const struct learn_log *l, const char *id)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->events[i].id, id) == 0)
            return &l->events[i];
    return NULL;
}

static int merge_events(int fd, const struct learn_log *theirs, struct learn_merged *m)
{
    CLEANUP(buffer_release) struct buffer lines;
    struct learn_log ours;
    struct map known; /* hashes of ids; a collision is looked up */
    buffer_init(&lines, LEARN_LOG_MAX);
    int r = read_locked(fd, &ours);
    if (r < 0)
        return r;
    map_init(&known);
    for (size_t i = 0; r == 0 && i < ours.count; i++)
        r = map_put(&known, hash_bytes(ours.events[i].id, 32), i);
    for (size_t i = 0; r == 0 && i < theirs->count; i++) {
        const struct learn_event *x = &theirs->events[i];
        uint64_t at = 0;
        if (map_get(&known, hash_bytes(x->id, 32), &at) &&
            (strcmp(ours.events[at].id, x->id) == 0 || find_id(&ours, x->id) != NULL))
            continue;
        buffer_append(&lines, x->line, x->line_size);
        buffer_append_byte(&lines, '\n');
        m->events++;
    }
    if (r == 0 && ours.count + ours.damaged + m->events > LEARN_EVENTS_MAX)
        r = -E2BIG;
    if (r == 0)
        r = lines.failed ? -EFBIG : lines.size > 0 ? append(fd, &lines) : 0;
    map_release(&known);
    learn_log_release(&ours);
    return r;
}

/* Files ID.suffix that this course has not. What has another name is not looked at. */
static int merge_files(const struct learn_course *c, const char *other, const char *folder, const char *suffix,
    size_t max, size_t *count, struct error *e)
{
    struct learn_course from = {.machine = ""};
    char place[LEARN_PATH_MAX], source[LEARN_PATH_MAX], target[LEARN_PATH_MAX];
    snprintf(from.root, sizeof(from.root), "%s", other);
    if (learn_path(&from, place, "%s", folder) < 0)
        return error_set(e, ENAMETOOLONG, "the name of %s is too long", other);
    DIR *all = opendir(place);
    int r = all == NULL && errno != ENOENT ? error_set(e, errno, "cannot read %s: %s", place, strerror(errno)) : 0;
    size_t seen = 0;
    for (struct dirent *d; r == 0 && all != NULL && seen < RECEIPTS_MAX && (d = readdir(all)) != NULL; seen++) {
        char id[33];
        struct buffer data;
        snprintf(id, sizeof(id), "%.32s", d->d_name);
        if (!learn_id_valid(id) || strcmp(d->d_name + 32, suffix) != 0 ||
            learn_path(&from, source, "%s/%s", folder, d->d_name) < 0 ||
            learn_path(c, target, "%s/%s", folder, d->d_name) < 0 || access(target, F_OK) == 0)
            continue;
        buffer_init(&data, max);
        int read = file_read(source, &data);
        if (read == 0)
            r = learn_file_write(target, data.data, data.size, true, e);
        if (read == 0 && r == 0)
            (*count)++;
        buffer_release(&data);
    }
    if (all != NULL)
        closedir(all);
    return r;
}

int learn_log_merge(const struct learn_course *c, const char *other, struct learn_merged *ret, struct error *e)
{
    CLEANUP(fd_close) int fd = -1;
    struct learn_merged m = {.events = 0};
    struct learn_course from = {.machine = ""};
    struct learn_log theirs;
    struct stat is;
    char path[LEARN_PATH_MAX], source[LEARN_PATH_MAX];
    if (stat(other, &is) < 0)
        return error_set(e, errno, "cannot read %s: %s", other, strerror(errno));
    bool folder = S_ISDIR(is.st_mode);
    snprintf(from.root, sizeof(from.root), "%s", other);
    snprintf(source, sizeof(source), "%s", other);
    if (strlen(other) >= sizeof(source) || (folder && learn_path(&from, source, LOG_NAME) < 0))
        return error_set(e, ENAMETOOLONG, "the name of %s is too long", other);
    if (access(source, F_OK) < 0)
        return error_set(e, errno, "%s is no course and no log of one", other);
    int r = log_path(c, path, e);
    if (r == 0)
        r = learn_log_read(source, &theirs, e);
    if (r < 0)
        return r;
    m.damaged = theirs.damaged;
    /* Receipts first, so that no line of the log cites one that is not there. */
    if (folder)
        r = merge_files(c, other, "receipts", ".json", LEARN_RECEIPT_MAX, &m.receipts, e);
    size_t recordings = 0;
    if (folder && r == 0)
        r = merge_files(c, other, "recordings", ".pit", LEARN_RECORDING_MAX, &recordings, e);
    if (r == 0) {
        r = open_locked(path, &fd);
        if (r == 0)
            r = merge_events(fd, &theirs, &m);
        if (r < 0)
            explain(path, r, e);
    }
    learn_log_release(&theirs);
    if (r == 0)
        *ret = m;
    return r;
}
