/*
 * The keeper's own namespaces: its user mapped to itself, and a root of almost nothing: the system's libraries, the
 * interpreter, the lab (all read-only), the scratch folder, five devices, and /tmp, /dev/shm and /proc of its own.
 */
#include "sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's and the kernel's mount headers cannot both be included. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define DETACH 2 /* MNT_DETACH */
#define OLD_NAME ".old"
#define OLD "/" OLD_NAME
#define PATH_SIZE 4200

static int write_file(const char *path, const char *text)
{
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : file_write_all(fd, text, strlen(text));
}

int view_map_user(uid_t uid, gid_t gid)
{
    char users[64], groups[64];
    snprintf(users, sizeof(users), "%u %u 1\n", (unsigned)uid, (unsigned)uid);
    snprintf(groups, sizeof(groups), "%u %u 1\n", (unsigned)gid, (unsigned)gid);
    /* The files of one that is not dumpable are root's. Nothing of the child's runs yet. */
    if (prctl(PR_SET_DUMPABLE, 1) < 0)
        return -errno;
    int r = write_file("/proc/self/setgroups", "deny");
    if (r == 0)
        r = write_file("/proc/self/uid_map", users);
    if (r == 0)
        r = write_file("/proc/self/gid_map", groups);
    return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : r;
}

static int make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int r = mkdir(path, 0755);
        *slash = '/';
        if (r < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

static int bind_as(const char *path, const char *name, uint64_t attributes)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    struct stat is;
    struct mount_attr attr = {.attr_set = attributes};
    if (strlen(path) + sizeof(OLD) > sizeof(from) || strlen(name) >= sizeof(to))
        return -ENAMETOOLONG;
    snprintf(from, sizeof(from), OLD "%s", path);
    snprintf(to, sizeof(to), "%s", name);
    if (lstat(from, &is) < 0)
        return -errno;
    int r = make_parents(to);
    if (r < 0)
        return r;
    if (S_ISLNK(is.st_mode)) { /* /lib, /etc/localtime: what it leads to is bound by its own name */
        ssize_t n = readlink(from, to, sizeof(to) - 1);
        if (n < 0)
            return -errno;
        to[n] = '\0';
        return symlink(to, name) < 0 && errno != EEXIST ? -errno : 0;
    }
    if (S_ISDIR(is.st_mode)) {
        if (mkdir(to, 0755) < 0 && errno != EEXIST)
            return -errno;
    } else {
        CLEANUP(fd_close) int fd = open(to, O_CREAT | O_RDONLY | O_CLOEXEC, 0644);
        if (fd < 0 && access(to, F_OK) < 0)
            return -errno;
    }
    if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
        return -errno;
    return syscall(SYS_mount_setattr, AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int bind(const char *path, uint64_t attributes)
{
    return bind_as(path, path, attributes);
}

/* A program under the name by which it is asked for, which may be that of a link. */
static int bind_program(const char *path, const char *name)
{
    if (name[0] != '/' || access(name, X_OK) == 0)
        return 0;
    return bind_as(path, name, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static int mount_small(const char *path)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return -errno;
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
               "mode=1777,nr_inodes=8k,size=" SANDBOX_VIEW_BYTES) < 0
               ? -errno
               : 0;
}

/* A kernel that knows no subset=pid, or a container whose /proc is masked, which lets nobody mount another: without. */
static void mount_proc(void)
{
    static const char *const options[] = {"hidepid=invisible,subset=pid", "hidepid=invisible", "hidepid=2"};
    if (mkdir("/proc", 0755) < 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options[i]) == 0)
            return;
}

static int fill(const struct plan *p)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    const uint64_t nothing = MOUNT_ATTR_NOSUID, read = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                   write = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    int r = mkdir("/dev", 0755) < 0 ? -errno : 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(devices); i++)
        r = bind(devices[i], nothing);
    if (r == 0)
        r = mount_small("/dev/shm");
    if (r == 0)
        r = mount_small("/tmp");
    for (size_t i = 0; r == 0 && files_system[i]; i++) {
        r = bind(files_system[i], read);
        r = r == -ENOENT ? 0 : r;
    }
    for (size_t i = 0; r == 0 && p->readable[i]; i++)
        r = bind(p->readable[i], read);
    if (r == 0)
        r = bind_program(p->interpreter, p->interpreter);
    if (r == 0)
        r = bind_program(p->interpreter, p->spec->argv[0]);
    if (r == 0 && p->loader)
        r = bind_program(p->loader, p->loader);
    if (r == 0 && p->loader)
        r = bind_program(p->loader, p->loader_name);
    if (r == 0)
        r = bind(p->folder, read);
    return r < 0 ? r : bind(p->scratch, write);
}

int view_enter(const struct plan *p)
{
    struct mount_attr read = {.attr_set = MOUNT_ATTR_RDONLY};
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -errno;
    /* Over any folder: it becomes the root, and what it hid is there again below the old one. */
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,nr_inodes=8k,size=1m") < 0)
        return -errno;
    if (chdir("/tmp") < 0 || mkdir(OLD_NAME, 0700) < 0 || syscall(SYS_pivot_root, ".", OLD_NAME) < 0 || chdir("/") < 0)
        return -errno;
    int r = fill(p);
    if (r < 0)
        return r;
    mount_proc(); /* while the old one is in sight, without which the kernel refuses */
    if (umount2(OLD, DETACH) < 0 || rmdir(OLD) < 0)
        return -errno;
    return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &read, sizeof(read)) < 0 ? -errno : 0;
}
