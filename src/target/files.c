#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define COMPARED_BYTES 4096

/* An O_PATH handle says what the file is without waking a device or waiting at a FIFO; only a regular file is
 * then opened for reading, through that handle, so that nothing can be put in its place in between. */
static int open_regular(int path_fd, int *ret_fd, struct stat *ret_stat)
{
    char path[32];
    if (fstat(path_fd, ret_stat) < 0)
        return -errno;
    if (!S_ISREG(ret_stat->st_mode))
        return S_ISDIR(ret_stat->st_mode) ? -EISDIR : -EACCES;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/* One more component on a path that holds no link. Links are followed by hand, absolute ones from the given
 * root. */
static int walk_step(int root_fd, char *done, const char *name, size_t size, char *rest, size_t rest_size, int *links)
{
    char link[TARGET_PATH_MAX], joined[TARGET_PATH_MAX];
    struct stat stat;
    size_t length = strlen(done);
    if (size == 2 && memcmp(name, "..", 2) == 0) {
        char *slash = strrchr(done, '/');
        *(slash ? slash : done) = '\0';
        return 0;
    }
    if (length + 1 + size >= TARGET_PATH_MAX)
        return -ENAMETOOLONG;
    size_t before = length;
    if (length > 0)
        done[length++] = '/';
    memcpy(done + length, name, size);
    done[length + size] = '\0';
    if (fstatat(root_fd, done, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISLNK(stat.st_mode))
        return 0;
    ssize_t n = readlinkat(root_fd, done, link, sizeof(link) - 1);
    if (n <= 0)
        return n < 0 ? -errno : -ENOENT;
    if (++*links > TARGET_LINKS_MAX)
        return -ELOOP;
    link[n] = '\0';
    done[link[0] == '/' ? 0 : before] = '\0';
    int needed = snprintf(joined, sizeof(joined), "%s/%s", link, rest);
    if (needed < 0 || (size_t)needed >= sizeof(joined) || (size_t)needed >= rest_size)
        return -ENAMETOOLONG;
    memcpy(rest, joined, (size_t)needed + 1);
    return 0;
}

/* For kernels before 5.6 and for sandboxes that know no openat2. */
static int walk_in_root(int root_fd, const char *path)
{
    char done[TARGET_PATH_MAX] = "", rest[TARGET_PATH_MAX], part[TARGET_PATH_MAX];
    int links = 0;
    if (strlen(path) >= sizeof(rest))
        return -ENAMETOOLONG;
    memcpy(rest, path, strlen(path) + 1);
    for (;;) {
        size_t skip = strspn(rest, "/");
        size_t size = strcspn(rest + skip, "/");
        if (size == 0)
            break;
        memcpy(part, rest + skip, size);
        memmove(rest, rest + skip + size, strlen(rest + skip + size) + 1);
        if (size == 1 && part[0] == '.')
            continue;
        int r = walk_step(root_fd, done, part, size, rest, sizeof(rest), &links);
        if (r < 0)
            return r;
    }
    int fd = openat(root_fd, done[0] ? done : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int files_open_in_root(int root_fd, const char *path, bool by_hand)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    if (!by_hand) {
        int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd >= 0)
            return fd;
        if (errno != ENOSYS && errno != EPERM)
            return -errno;
    }
    return walk_in_root(root_fd, path);
}

int target_open_file(const struct target *t, const char *path, int *ret_fd)
{
    struct stat stat;
    CLEANUP(fd_close) int fd = files_open_in_root(t->root_fd, path, false);
    return fd < 0 ? fd : open_regular(fd, ret_fd, &stat);
}

/*
 * Is this the file that is mapped? The inode decides where the device is the one that maps names; an overlay
 * or btrfs names another device there than stat does, and then the bytes decide: those at the map's offset,
 * where the process cannot have changed them (the first page of an ELF file holds its headers and its build
 * id).
 */
static bool is_mapped_file(const struct target *t, const struct target_map *map, int fd, const struct stat *stat)
{
    uint8_t theirs[COMPARED_BYTES], ours[COMPARED_BYTES];
    bool same_inode = stat->st_ino == map->inode;
    if (major(stat->st_dev) == map->device_major && minor(stat->st_dev) == map->device_minor)
        return same_inode;
    if (map->writable || !map->readable)
        return same_inode;
    ssize_t n = pread(fd, ours, sizeof(ours), (off_t)map->offset);
    return n > 0 && target_read(t, map->start, theirs, (size_t)n) == 0 && memcmp(ours, theirs, (size_t)n) == 0;
}

/* Takes path_fd, the result of an open or a negative errno. */
static int take_if_mapped(const struct target *t, const struct target_map *map, int path_fd, int *ret_fd)
{
    CLEANUP(fd_close) int from = path_fd;
    CLEANUP(fd_close) int fd = -1;
    struct stat stat;
    if (from < 0)
        return from;
    int r = open_regular(from, &fd, &stat);
    if (r < 0)
        return r;
    if (!is_mapped_file(t, map, fd, &stat))
        return -ESTALE;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int open_path(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int target_open_mapped(const struct target *t, const struct target_map *map, int *ret_fd)
{
    char path[TARGET_PATH_MAX];
    struct stat stat;
    if (map->inode == 0 && map->path[0] != '/')
        return -ENOENT;
    /* Always the mapped file itself, deleted or replaced; needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
    snprintf(path, sizeof(path), "map_files/%lx-%lx", (unsigned long)map->start, (unsigned long)map->end);
    CLEANUP(fd_close) int fd = open_path(t->proc_fd, proc_living(t, path).text);
    if (fd >= 0)
        return open_regular(fd, ret_fd, &stat);
    /* The executable itself, deleted or not, needs no more than the right to read the process. */
    if (take_if_mapped(t, map, open_path(t->proc_fd, proc_living(t, "exe").text), ret_fd) == 0)
        return 0;
    int r = take_if_mapped(t, map, files_open_in_root(t->root_fd, map->path, false), ret_fd);
    if (r == 0 || r == -EMFILE || r == -ENFILE)
        return r;
    /* A file whose own name ends in " (deleted)", which maps_parse took for the kernel's mark. */
    int needed = snprintf(path, sizeof(path), "%s (deleted)", map->path);
    if (needed > 0 && (size_t)needed < sizeof(path) &&
        take_if_mapped(t, map, files_open_in_root(t->root_fd, path, false), ret_fd) == 0)
        return 0;
    /* Opened before the process changed its root: the path is then one of ours. */
    if (map->path[0] == '/' && take_if_mapped(t, map, open_path(AT_FDCWD, map->path), ret_fd) == 0)
        return 0;
    return r;
}
