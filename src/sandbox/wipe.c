/* What a stranger left in its folder: trees deeper than any path, folders that nobody may enter, links to elsewhere. */
#include "sandbox/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY_BYTES 4096u /* what an entry takes at least, so that empty files fill a folder too */

static int open_folder(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0) /* a folder of ours: seen before */
        fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool is_folder(int dirfd, const struct dirent *entry)
{
    struct stat is;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(is.st_mode);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *list(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d && copy >= 0)
        close(copy);
    if (d)
        rewinddir(d);
    return d;
}

/*
 * Empties one folder: removes its files, and moves its folders up into `top` under new numbers, so that no depth needs
 * a deeper path, call or descriptor. 0, 1 where something was moved, or a negative errno.
 */
static int flatten(int top, int fd, uint64_t *number)
{
    char name[32];
    int moved = 0;
    DIR *d = list(fd);
    if (!d)
        return -errno;
    for (struct dirent *entry; moved >= 0 && (entry = readdir(d));) {
        if (is_dots(entry->d_name))
            continue;
        if (!is_folder(fd, entry)) {
            if (unlinkat(fd, entry->d_name, 0) < 0)
                moved = -errno;
        } else if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0) {
            /* To rename a folder is to write to it: its ".." changes. */
            (void)fchmodat(fd, entry->d_name, 0700, 0);
            do
                snprintf(name, sizeof(name), "%llu", (unsigned long long)++*number);
            while (faccessat(top, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
            moved = renameat(fd, entry->d_name, top, name) < 0 ? -errno : 1;
        }
    }
    closedir(d);
    return moved;
}

static int empty(int top)
{
    uint64_t number = 0;
    for (bool again = true; again;) {
        again = false;
        DIR *d = list(top);
        if (!d)
            return -errno;
        int r = 0;
        for (struct dirent *entry; r == 0 && (entry = readdir(d));) {
            if (is_dots(entry->d_name))
                continue;
            again = true;
            if (!is_folder(top, entry)) {
                r = unlinkat(top, entry->d_name, 0) < 0 ? -errno : 0;
                continue;
            }
            CLEANUP(fd_close) int fd = open_folder(top, entry->d_name);
            r = fd < 0 ? fd : flatten(top, fd, &number);
            if (r >= 0)
                r = unlinkat(top, entry->d_name, AT_REMOVEDIR) < 0 ? -errno : 0;
        }
        closedir(d);
        if (r < 0)
            return r;
    }
    return 0;
}

int sandbox_wipe(const char *folder, struct error *e)
{
    CLEANUP(fd_close) int top = open_folder(AT_FDCWD, folder);
    int r = top < 0 ? top : fchmod(top, 0700) < 0 ? -errno : empty(top);
    return r < 0 ? error_set(e, -r, "cannot empty %s: %s; remove it by hand", folder, strerror(-r)) : 0;
}

/* One folder: its entries counted, the folders in it looked at with what depth is left. */
static uint64_t size_of(int fd, unsigned depth, uint64_t enough)
{
    uint64_t sum = 0;
    DIR *d = list(fd);
    if (!d)
        return 0;
    for (struct dirent *entry; sum < enough && (entry = readdir(d));) {
        struct stat is;
        if (is_dots(entry->d_name) || fstatat(fd, entry->d_name, &is, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        uint64_t bytes = (uint64_t)is.st_blocks * 512;
        sum += bytes > ENTRY_BYTES ? bytes : ENTRY_BYTES;
        if (S_ISDIR(is.st_mode) && depth > 0) {
            CLEANUP(fd_close) int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0)
                sum += size_of(below, depth - 1, enough - (sum < enough ? sum : enough));
        }
    }
    closedir(d);
    return sum;
}

uint64_t scratch_size(const char *folder, uint64_t enough)
{
    CLEANUP(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? 0 : size_of(fd, 64, enough);
}
