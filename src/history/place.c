/* Where a project's store is, and whether a file may be one. */
#include "history/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STORE_NAME ".pitviper/history.db"

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name) < 0 ? NULL : path;
}

static bool holds(const char *folder, const char *name)
{
    CLEANUP(free_pointer) char *path = join(folder, name);
    return path != NULL && access(path, F_OK) == 0;
}

int history_place(const char *asked, const char *folder, char **ret)
{
    CLEANUP(free_pointer) char *start = NULL, *root = NULL;
    if (asked == NULL) {
        start = realpath(folder != NULL ? folder : ".", NULL);
        root = start != NULL ? strdup(start) : NULL;
        if (root == NULL)
            return errno != 0 ? -errno : -ENOMEM;
    }
    while (root != NULL && !holds(root, ".git") && !holds(root, ".pitviper")) {
        char *slash = strrchr(root, '/');
        if (slash == NULL || slash[1] == '\0') { /* up to the root of all: there is no project */
            memcpy(root, start, strlen(start) + 1);
            break;
        }
        slash[slash == root] = '\0';
    }
    char *path = asked != NULL ? strdup(asked) : join(root, STORE_NAME);
    if (path == NULL)
        return -ENOMEM;
    *ret = path;
    return 0;
}

static bool has_default_name(const char *path)
{
    size_t size = strlen(path), name = strlen(STORE_NAME);
    return size >= name && strcmp(path + size - name, STORE_NAME) == 0 &&
           (size == name || path[size - name - 1] == '/');
}

bool store_is_ours(const char *path)
{
    static const uint8_t mark[4] = {
        STORE_MARK >> 24, STORE_MARK >> 16 & 0xff, STORE_MARK >> 8 & 0xff, STORE_MARK & 0xff};
    uint8_t head[100]; /* SQLite's header, the mark at 68 */
    CLEANUP(fd_close) int fd = -1;
    if (has_default_name(path))
        return true;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd >= 0 && file_read_at(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
           memcmp(head + 68, mark, sizeof(mark)) == 0;
}

int history_check(const char *path, struct error *e)
{
    struct stat is;
    struct history *h = NULL;
    if (stat(path, &is) < 0)
        return errno == ENOENT ? 0 : error_set(e, errno, "cannot use the store %s: %s", path, strerror(errno));
    if (!S_ISREG(is.st_mode))
        return error_set(e, EMEDIUMTYPE, "%s is no file that could be a store: name another with --store", path);
    if (is.st_size == 0 || has_default_name(path))
        return 0;
    int r = store_open(path, false, &h, e);
    history_close(h);
    return r == -EMEDIUMTYPE ? r : 0; /* what else is wrong is told when there is a result to keep */
}

/* Beside the file, by a name that is free. */
static int rename_aside(const char *path, const char *suffix, const char *aside)
{
    CLEANUP(free_pointer) char *from = NULL, *to = NULL;
    if (asprintf(&from, "%s%s", path, suffix) < 0 || asprintf(&to, "%s%s", aside, suffix) < 0)
        return -ENOMEM;
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int store_move_aside(const char *path, char **ret_name, struct error *e)
{
    char stamp[32];
    time_t now = (time_t)(clock_real_ns() / 1000000000u);
    struct tm tm;
    int r = -EEXIST;
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
    for (int attempt = 1; r == -EEXIST && attempt < 100; attempt++) {
        char *aside = NULL;
        if (asprintf(&aside, "%s.damaged-%s-%d", path, stamp, attempt) < 0)
            return -ENOMEM;
        r = rename_aside(path, "", aside);
        if (r == 0) {
            /* Its log goes with it: left behind, it would be played into the new store. */
            (void)rename_aside(path, "-wal", aside);
            (void)rename_aside(path, "-shm", aside);
            (void)rename_aside(path, "-journal", aside);
            *ret_name = aside;
            return 0;
        }
        free(aside);
    }
    return error_set(e, -r, "%s is damaged and cannot be moved aside: %s", path, strerror(-r));
}
