/* Adding so that nothing is lost: into the store, else beside it; a damaged store out of the way first. */
#include "history/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The folder of our own, which must not make the user's tree look changed. */
static void make_folder(const char *path)
{
    static const char ignore[] = "*\n";
    const char *slash = strrchr(path, '/');
    CLEANUP(free_pointer) char *folder = slash == NULL ? NULL : strndup(path, (size_t)(slash - path));
    CLEANUP(fd_close) int at = -1;
    CLEANUP(fd_close) int fd = -1;
    if (folder == NULL || strcmp(slash, "/history.db") != 0)
        return;
    const char *name = strrchr(folder, '/');
    if (strcmp(name == NULL ? folder : name + 1, ".pitviper") != 0 || mkdir(folder, 0777) < 0)
        return;
    at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = at < 0 ? -1 : openat(at, ".gitignore", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0)
        (void)file_write_all(fd, ignore, strlen(ignore));
}

static int insert_all(struct history *h, const struct history_result *results, size_t count, struct error *e)
{
    struct pending pending = {.fd = -1};
    int r = store_run(h, "BEGIN IMMEDIATE", e);
    if (r == 0)
        r = store_insert(h, results, count, e);
    if (r == 0)
        r = pending_take(h, &pending, e);
    if (r == 0)
        r = store_run(h, "COMMIT", e);
    pending_done(h->path, &pending, r == 0);
    return r;
}

static int add_once(const char *path, const struct history_result *results, size_t count, struct error *e)
{
    struct history *h = NULL;
    int r = store_open(path, true, &h, e);
    if (r == 0)
        r = insert_all(h, results, count, e);
    history_close(h);
    return r;
}

static int add_patiently(const char *path, const struct history_result *results, size_t count, struct error *e)
{
    uint64_t until = clock_monotonic_ns() + HISTORY_WAIT_NS;
    const struct timespec nap = {0, 20000000};
    int r;
    while ((r = add_once(path, results, count, e)) == -EBUSY && clock_monotonic_ns() < until)
        nanosleep(&nap, NULL);
    return r;
}

/* Whoever holds the lock moves; the others find a sound store when they look again. */
static int replace_damaged(const char *path, const struct history_result *results, size_t count, struct error *e)
{
    CLEANUP(fd_close) int lock = -1;
    CLEANUP(free_pointer) char *aside = NULL;
    int r = pending_lock(path, true, clock_monotonic_ns() + HISTORY_WAIT_NS, &lock);
    if (r < 0)
        return error_set(e, -r, "the store %s is damaged and its folder cannot be used: %s", path, strerror(-r));
    r = add_patiently(path, results, count, e);
    if (r != -EBADMSG)
        return r;
    r = store_move_aside(path, &aside, e);
    if (r == 0)
        r = add_patiently(path, results, count, e);
    if (r == 0)
        error_set(e, 0, "the store %s was damaged: it is now %s, and a new one has begun", path, aside);
    return r;
}

int history_add(const char *path, const struct history_result *results, size_t count, struct error *note)
{
    struct error e = {""}, first, why;
    make_folder(path);
    int r = add_patiently(path, results, count, &e);
    if (r == 0)
        e.text[0] = '\0';
    if (r == -EBADMSG)
        r = replace_damaged(path, results, count, &e);
    first = e;
    if (r < 0 && r != -EMEDIUMTYPE) {
        if (pending_append(path, results, count, &why) == 0) {
            error_set(&e, 0, "%s; kept in %s.pending, to be taken in when it can be", first.text, path);
            r = 0;
        } else {
            error_set(&e, 0, "%s; nor can it be kept beside it: %s", first.text, why.text);
        }
    }
    if (note != NULL)
        *note = e;
    return r;
}

int history_open(const char *path, struct history **ret, struct error *e)
{
    struct history *h = NULL;
    struct stat is;
    CLEANUP(fd_close) int waiting = -1;
    bool pending = pending_lock(path, false, 0, &waiting) != -ENOENT;
    fd_close(&waiting);
    if (pending) {
        struct error unsaid;
        (void)add_once(path, NULL, 0, &unsaid);
    }
    if (stat(path, &is) < 0)
        return error_set(
            e, errno, errno == ENOENT ? "nothing is stored in %s yet" : "the store %s cannot be opened", path);
    int r = store_open(path, false, &h, e);
    if (r == -EBADMSG)
        error_set(e, 0, "the store %s is damaged: the next result moves it aside and begins a new one", path);
    if (r == 0)
        *ret = h;
    return r;
}
