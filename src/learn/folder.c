/* The learner's folder: its marker, its paths, and files in it that are whole or not there. */
#include "learn/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FOLDER_NAME "pitviper-course"
#define MARKER_MAX 256u
#define MARKER_FORMAT 1
static const char marker_text[] = "pitviper course, format 1\nThis file marks the folder of a course: leave it here.\n";
static const char marker_start[] = "pitviper course, format ";

int file_open(const char *path, int flags, int *ret_fd)
{
    struct stat is;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (fd < 0)
        return errno == ELOOP ? -EMEDIUMTYPE : -errno;
    int r = fstat(fd, &is) < 0 ? -errno : S_ISREG(is.st_mode) ? 0 : -EMEDIUMTYPE;
    if (r < 0)
        fd_close(&fd);
    else
        *ret_fd = fd;
    return r;
}

int file_read(const char *path, struct buffer *into)
{
    CLEANUP(fd_close) int fd = -1;
    char itself[32];
    int r = file_open(path, O_RDONLY, &fd);
    if (r < 0)
        return r;
    snprintf(itself, sizeof(itself), "/proc/self/fd/%d", fd);
    return file_read_all(AT_FDCWD, itself, into);
}

int folder_make(const char *path, struct error *e)
{
    struct stat is;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &is) == 0 && S_ISDIR(is.st_mode)))
        return 0;
    return error_set(e, errno, "cannot make the folder %s: %s", path, strerror(errno));
}

/* ---- the course ---- */

int learn_path(const struct learn_course *c, char ret[LEARN_PATH_MAX], const char *format, ...)
{
    char below[LEARN_PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(below, sizeof(below), format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof(below))
        return -ENAMETOOLONG;
    size = snprintf(ret, LEARN_PATH_MAX, "%s/%s", strcmp(c->root, "/") == 0 ? "" : c->root, below);
    return size < 0 || size >= (int)LEARN_PATH_MAX ? -ENAMETOOLONG : 0;
}

/* 0: the folder is a course's; -ENOENT: it is not. */
static int look_at_marker(const char *folder, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    struct learn_course c = {.machine = ""};
    char path[LEARN_PATH_MAX];
    buffer_init(&text, MARKER_MAX);
    snprintf(c.root, sizeof(c.root), "%s", folder);
    int r = learn_path(&c, path, MARKER_NAME);
    if (r == 0)
        r = file_read(path, &text);
    if (r < 0)
        return r == -EACCES ? error_set(e, EACCES, "cannot read %s: %s", path, strerror(EACCES)) : -ENOENT;
    const char *at = buffer_text(&text);
    if (strncmp(at, marker_start, strlen(marker_start)) != 0)
        return -ENOENT;
    unsigned long format = strtoul(at + strlen(marker_start), NULL, 10);
    if (format > MARKER_FORMAT)
        return error_set(e, ENOTSUP, "%s is a course of a newer pitviper (format %lu)", folder, format);
    return 0;
}

int learn_course_find(const char *from, struct learn_course *ret, struct error *e)
{
    CLEANUP(free_pointer) char *start = realpath(from == NULL ? "." : from, NULL);
    struct learn_course c = {.machine = ""};
    if (start == NULL)
        return error_set(
            e, errno, "cannot look for the course in %s: %s", from == NULL ? "this folder" : from, strerror(errno));
    if (strlen(start) + sizeof(FOLDER_NAME) + 1 >= sizeof(c.root))
        return error_set(e, ENAMETOOLONG, "the name of this folder is too long");
    snprintf(c.root, sizeof(c.root), "%s", start);
    int r = look_at_marker(c.root, e);
    while (r == -ENOENT && strcmp(c.root, "/") != 0) {
        char *slash = strrchr(c.root, '/');
        slash[slash == c.root] = '\0';
        r = look_at_marker(c.root, e);
    }
    if (r == -ENOENT) { /* where `start` was given no name, and the learner has not gone in yet */
        snprintf(c.root, sizeof(c.root), "%s%s" FOLDER_NAME, start, strcmp(start, "/") == 0 ? "" : "/");
        r = look_at_marker(c.root, e);
    }
    if (r == -ENOENT)
        return error_set(e, ENOENT, "there is no course here: 'pitviper learn start' begins one");
    if (r == 0)
        memcpy(ret->root, c.root, sizeof(c.root));
    return r;
}

int learn_course_make(const char *folder, struct learn_course *ret, struct error *e)
{
    char path[LEARN_PATH_MAX];
    struct learn_course c = *ret;
    folder = folder == NULL ? FOLDER_NAME : folder;
    bool made = mkdir(folder, 0777) == 0;
    if (!made && errno != EEXIST)
        return error_set(e, errno, "cannot make the folder %s: %s", folder, strerror(errno));
    CLEANUP(free_pointer) char *real = realpath(folder, NULL);
    if (real == NULL || strlen(real) >= sizeof(c.root))
        return error_set(e, real == NULL ? errno : ENAMETOOLONG, "cannot use the folder %s", folder);
    snprintf(c.root, sizeof(c.root), "%s", real);
    int r = look_at_marker(c.root, e);
    if (r != -ENOENT) {
        if (r < 0)
            return r;
        memcpy(ret->root, c.root, sizeof(c.root));
        return -EEXIST;
    }
    /* rmdir tells an empty folder from one of somebody's without reading it. */
    if (!made && rmdir(c.root) < 0)
        return error_set(e, errno == ENOTEMPTY || errno == EEXIST ? ENOTEMPTY : errno,
            "%s is not empty: name a folder that is, or one that is not there yet", folder);
    r = folder_make(c.root, e);
    if (r == 0 && learn_path(&c, path, MARKER_NAME) < 0)
        r = error_set(e, ENAMETOOLONG, "the name of the folder %s is too long", folder);
    if (r == 0)
        r = learn_file_write(path, marker_text, sizeof(marker_text) - 1, false, e);
    if (r == 0)
        memcpy(ret->root, c.root, sizeof(c.root));
    return r;
}

/* ---- files ---- */

static int sync_folder(const char *path)
{
    char folder[LEARN_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return 0;
    slash[slash == folder] = '\0';
    CLEANUP(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A file system that cannot sync a folder says EINVAL. */
    return fd < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -errno : 0;
}

/* Not every file system knows RENAME_NOREPLACE, and not every one knows hard links. */
static int take_name(const char *aside, const char *path, bool replace)
{
    struct stat is;
    if (!replace) {
        if (renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EINVAL && errno != ENOSYS)
            return -errno;
        if (lstat(path, &is) == 0)
            return -EEXIST;
    }
    return rename(aside, path) < 0 ? -errno : 0;
}

int learn_file_write(const char *path, const void *data, size_t size, bool replace, struct error *e)
{
    char aside[LEARN_PATH_MAX], folder[LEARN_PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        int r = folder_make(folder, e);
        if (r < 0)
            return r;
    }
    int length = snprintf(aside, sizeof(aside), "%.*s.new-XXXXXX", (int)(slash == NULL ? 0 : slash - folder + 1), path);
    if (length < 0 || (size_t)length >= sizeof(aside) || strlen(path) >= sizeof(folder))
        return error_set(e, ENAMETOOLONG, "cannot write %s: %s", path, strerror(ENAMETOOLONG));
    CLEANUP(fd_close) int fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return error_set(e, errno, "cannot write %s: %s", path, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    int r = file_write_all(fd, data, size);
    if (r == 0 && (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r == 0)
        r = take_name(aside, path, replace);
    if (r < 0)
        (void)unlink(aside);
    else
        r = sync_folder(path);
    return r < 0 ? error_set(e, -r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

int learn_receipt_keep(const struct learn_course *c, const struct grade_result *r, struct error *e)
{
    char path[LEARN_PATH_MAX];
    if (!learn_id_valid(r->id))
        return error_set(e, EINVAL, "the receipt has no id");
    if (r->receipt.size > LEARN_RECEIPT_MAX || r->recording.size > LEARN_RECORDING_MAX)
        return error_set(e, EFBIG, "the receipt is too large to be kept");
    if (learn_path(c, path, "receipts/%s.json", r->id) < 0)
        return error_set(e, ENAMETOOLONG, "the name of the course's folder is too long");
    int status = learn_file_write(path, r->receipt.data, r->receipt.size, true, e);
    if (status == 0 && r->recording.size > 0 && learn_path(c, path, "recordings/%s.pit", r->id) == 0)
        status = learn_file_write(path, r->recording.data, r->recording.size, true, e);
    return status;
}

int learn_turn_take(
    const struct learn_course *c, uint64_t until_ns, const volatile sig_atomic_t *stop, int *ret_fd, struct error *e)
{
    const struct timespec nap = {0, 50000000};
    char path[LEARN_PATH_MAX];
    int fd = -1, r = learn_path(c, path, MARKER_NAME);
    if (r == 0)
        r = file_open(path, O_RDONLY, &fd);
    while (r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            break; /* a file system without locks: then they do not take turns, and the verdict has to cope */
        r = stop != NULL && *stop ? -ECANCELED : clock_monotonic_ns() >= until_ns ? -EAGAIN : 0;
        nanosleep(&nap, NULL);
    }
    if (r == 0) {
        *ret_fd = fd;
        return 0;
    }
    fd_close(&fd);
    return error_set(e, -r, r == -EAGAIN ? "another check of this course is still running: %s" : "cannot use %s",
        r == -EAGAIN ? "wait for its end, or end it" : path);
}
