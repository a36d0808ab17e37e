/*
 * Landlock: which paths the child may read, write and execute, and (from its 6th version on) that it signals nobody
 * outside and connects to no abstract socket of others. A process inside may not ptrace one outside either, which
 * covers /proc/PID/mem. What a kernel's version does not know yet is left out; docs/sandbox.md lists it.
 */
#include "sandbox/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's header ends at version 2. include/uapi/linux/landlock.h, Linux 6.12. */
#define FS_TRUNCATE (1u << 14)  /* version 3 */
#define FS_IOCTL_DEV (1u << 15) /* version 5 */
#define NET_BIND_TCP 1u         /* version 4 */
#define NET_CONNECT_TCP 2u
#define SCOPE_ABSTRACT_UNIX 1u /* version 6 */
#define SCOPE_SIGNAL 2u
struct ruleset {
    uint64_t files, net, scoped;
};

#define FS_READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_ALL_1 (((uint64_t)LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FS_ON_FILES                                                                                                    \
    ((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |             \
        FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_NEVER                                                                                                       \
    ((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | FS_IOCTL_DEV)

const char *const files_system[] = {
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/local/lib",
    "/usr/share/locale",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/locale.alias",
    NULL,
};
int files_landlock_abi(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

static int allow(int ruleset, const struct ruleset *known, const char *path, uint64_t access)
{
    CLEANUP(fd_close) int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat is;
    if (fd < 0 || fstat(fd, &is) < 0)
        return -errno;
    if (!S_ISDIR(is.st_mode))
        access &= FS_ON_FILES;
    struct landlock_path_beneath_attr rule = {.allowed_access = access & known->files, .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

/* What a machine may lack: a missing one is no error. */
static int allow_existing(int ruleset, const struct ruleset *known, const char *path, uint64_t access)
{
    int r = allow(ruleset, known, path, access);
    return r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : r;
}

static int add_rules(int ruleset, const struct ruleset *known, const struct plan *p)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    const uint64_t write = known->files & ~FS_NEVER, run = LANDLOCK_ACCESS_FS_EXECUTE | FS_READ;
    bool alone = plan_has(p, SANDBOX_NAMESPACES);
    int r = allow(ruleset, known, p->interpreter, run);
    if (r == 0 && p->loader)
        r = allow(ruleset, known, p->loader, run);
    for (size_t i = 0; r == 0 && files_system[i]; i++)
        r = allow_existing(ruleset, known, files_system[i], FS_READ);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(devices); i++)
        r = allow_existing(ruleset, known, devices[i], LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    for (size_t i = 0; r == 0 && p->readable[i]; i++)
        r = allow(ruleset, known, p->readable[i], FS_READ);
    if (r == 0)
        r = allow(ruleset, known, p->folder, FS_READ);
    if (r == 0)
        r = allow(ruleset, known, p->scratch, write);
    if (r == 0 && (alone || (p->allowed & SANDBOX_SHARED)))
        r = allow_existing(ruleset, known, "/dev/shm", write);
    if (r == 0 && alone) {
        r = allow_existing(ruleset, known, "/tmp", write);
        if (r == 0)
            r = allow_existing(ruleset, known, "/proc", FS_READ);
    }
    return r;
}

int files_restrict(const struct plan *p)
{
    int abi = p->landlock_abi;
    struct ruleset known = {.files = FS_ALL_1};
    size_t size = sizeof(known.files);
    if (abi >= 2)
        known.files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        known.files |= FS_TRUNCATE;
    if (abi >= 4) {
        known.net = NET_BIND_TCP | NET_CONNECT_TCP;
        size = offsetof(struct ruleset, scoped);
    }
    if (abi >= 5)
        known.files |= FS_IOCTL_DEV;
    if (abi >= 6) {
        known.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
        size = sizeof(known);
    }
    CLEANUP(fd_close) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &known, size, 0);
    if (ruleset < 0)
        return -errno;
    int r = add_rules(ruleset, &known, p);
    if (r < 0)
        return r;
    return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
