/* A file that a verb writes: whole, or not there. */
#include "cmd/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE_NAME ".pitviper-XXXXXX" /* short: the target's own name may be as long as names can be */

static mode_t new_file_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* The file behind symbolic links: it is the one to be replaced, not the link. */
static char *resolve(const char *path, bool exists)
{
    return exists ? realpath(path, NULL) : strdup(path);
}

/* In the target's folder a file without a name, which is gone with us; where that cannot be had, one with a name. */
static int make_aside(struct outfile *o, size_t folder)
{
    char *name = o->aside + folder;
    *name = '\0';
    o->fd = open(folder > 0 ? o->aside : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    o->nameless = o->fd >= 0;
    memcpy(name, ASIDE_NAME, sizeof(ASIDE_NAME));
    if (o->fd < 0)
        o->fd = mkostemp(o->aside, O_CLOEXEC);
    return o->fd < 0 ? -errno : 0;
}

/* The name is of our making, and taken anew until it is free. */
static int name_aside(struct outfile *o)
{
    char from[40];
    size_t digits = strlen("XXXXXX");
    char *at = o->aside + strlen(o->aside) - digits;
    snprintf(from, sizeof(from), "/proc/self/fd/%d", o->fd);
    for (int attempt = 0; attempt < 100; attempt++) {
        uint64_t random = hash_mix(clock_monotonic_ns(), (uint64_t)getpid());
        for (size_t i = 0; i < digits; i++, random /= 32)
            at[i] = "abcdefghijklmnopqrstuvwxyz234567"[random % 32];
        if (linkat(AT_FDCWD, from, AT_FDCWD, o->aside, AT_SYMLINK_FOLLOW) == 0) {
            o->nameless = false;
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    return -errno;
}

static int open_aside(struct outfile *o, mode_t mode)
{
    const char *slash = strrchr(o->target, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - o->target) + 1;
    o->aside = malloc(folder + sizeof(ASIDE_NAME));
    if (o->aside == NULL)
        return -ENOMEM;
    memcpy(o->aside, o->target, folder);
    int r = make_aside(o, folder);
    if (r == 0 && fchmod(o->fd, mode) < 0) {
        r = -errno;
        if (!o->nameless)
            unlink(o->aside);
        fd_close(&o->fd);
    }
    if (r < 0) {
        free(o->aside);
        o->aside = NULL;
    }
    return r;
}

static int open_in_place(struct outfile *o, const char *path)
{
    o->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    return o->fd < 0 ? -errno : 0;
}

static bool special(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

static int open_path(struct outfile *o, const char *path)
{
    struct stat is;
    bool exists = stat(path, &is) == 0;
    if (!exists && errno != ENOENT)
        return -errno;
    if (special(path) || (exists && !S_ISREG(is.st_mode)))
        return open_in_place(o, path);
    /* A link to nothing: where it points to is made. */
    if (!exists && lstat(path, &is) == 0)
        return open_in_place(o, path);
    if (exists && access(path, W_OK) < 0)
        return -errno;
    o->target = resolve(path, exists);
    if (o->target == NULL)
        return -errno;
    int r = open_aside(o, exists ? is.st_mode & 07777 : new_file_mode());
    /* A file that may be written in a folder that may not. */
    if (exists && (r == -EACCES || r == -EPERM || r == -EROFS)) {
        o->regular = true;
        r = open_in_place(o, path);
    }
    return r;
}

int outfile_open(const char *path, struct outfile *ret, struct error *e)
{
    struct outfile o = {.fd = STDOUT_FILENO};
    if (path != NULL && strcmp(path, "-") != 0) {
        int r = open_path(&o, path);
        if (r < 0) {
            free(o.target);
            return error_set(e, -r, "cannot write %s: %s", path, strerror(-r));
        }
    }
    *ret = o;
    return 0;
}

int outfile_close(struct outfile *o, bool whole)
{
    int r = 0;
    if (!whole && o->regular && ftruncate(o->fd, 0) < 0)
        r = -errno;
    if (o->nameless && whole)
        r = name_aside(o);
    /* close() is where quotas and network file systems tell what write() could not. */
    if (o->fd != STDOUT_FILENO && close(o->fd) < 0 && errno != EINTR)
        r = -errno;
    if (o->aside != NULL && whole && r == 0 && rename(o->aside, o->target) < 0)
        r = -errno;
    if (o->aside != NULL && !o->nameless && (!whole || r < 0))
        unlink(o->aside);
    free(o->target);
    free(o->aside);
    *o = (struct outfile){.fd = -1};
    return r;
}
