#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CAP_BIT(number) (1ull << (number))
#define BIT_SYS_PTRACE CAP_BIT(19) /* include/uapi/linux/capability.h */
#define BIT_PERFMON CAP_BIT(38)
#define FLAG_KERNEL_THREAD 0x00200000
#define GENERATIONS_MAX 1000 /* of parents, or of user namespaces (the kernel allows 32) */

static const char whole_id_map[] = "0 0 4294967295 "; /* of the initial user namespace, blanks squeezed */

struct status {
    char text[8192];
    bool known;
};

static ssize_t read_of(pid_t pid, const char *name, char *into, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return proc_read(AT_FDCWD, path, into, size);
}

static void read_status(pid_t pid, struct status *ret)
{
    ret->known = read_of(pid, "status", ret->text, sizeof(ret->text)) > 0;
    if (!ret->known)
        ret->text[0] = '\0';
}

static uint64_t status_hex(const struct status *s, const char *key)
{
    const char *at = proc_status_field(s->text, key);
    return at ? strtoull(at, NULL, 16) : 0;
}

/* The first three of "real effective saved filesystem". */
static void status_ids(const struct status *s, const char *key, uid_t ret[3])
{
    const char *at = proc_status_field(s->text, key);
    for (int i = 0; at && i < 3; i++) {
        char *end;
        ret[i] = (uid_t)strtoul(at, &end, 10);
        at = end;
    }
}

static bool same_namespace(pid_t pid, const char *name, bool otherwise)
{
    char path[64];
    struct stat ours, its;
    snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
    if (stat(path, &ours) < 0)
        return true; /* a kernel without that kind has one for all */
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
    if (stat(path, &its) < 0)
        return otherwise;
    return ours.st_ino == its.st_ino && ours.st_dev == its.st_dev;
}

static void read_id_map(const char *path, char *into, size_t size)
{
    char text[1024];
    size_t to = 0;
    if (proc_read(AT_FDCWD, path, text, sizeof(text)) < 0)
        text[0] = '\0';
    for (const char *c = text; *c && to + 1 < size; c++) {
        char blank = *c == '\n' ? ' ' : *c;
        if (blank != ' ' || (to > 0 && into[to - 1] != ' '))
            into[to++] = blank;
    }
    into[to] = '\0';
}

/* The links below ns/ need the very right that may be missing; the id map is open to all and nearly as
 * telling. */
static bool same_user_namespace(pid_t pid)
{
    char path[64], ours[256], its[256];
    read_id_map("/proc/self/uid_map", ours, sizeof(ours));
    snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
    read_id_map(path, its, sizeof(its));
    return same_namespace(pid, "user", strcmp(ours, its) == 0);
}

static bool same_node(int a, int b)
{
    struct stat sa, sb;
    return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

/*
 * A capability of ours counts in our user namespace and those below it; and whoever made a namespace has all
 * capabilities in it, if still in the one above (cap_capable, security/commoncap.c).
 */
static bool cap_counts_in(pid_t pid, bool have_it_here)
{
    char path[64], map[256];
    CLEANUP(fd_close) int ours = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    CLEANUP(fd_close) int its = open(path, O_RDONLY | O_CLOEXEC);
    if (ours < 0)
        return have_it_here;
    if (its < 0) {
        /* Not to be seen. From the initial namespace all others are below. */
        read_id_map("/proc/self/uid_map", map, sizeof(map));
        return have_it_here && strcmp(map, whole_id_map) == 0;
    }
    for (int i = 0; i < GENERATIONS_MAX; i++) {
        if (same_node(ours, its))
            return have_it_here;
        int above = ioctl(its, NS_GET_PARENT);
        if (above < 0)
            return false;
        uid_t owner = (uid_t)-1;
        bool made_by_us = same_node(ours, above) && ioctl(its, NS_GET_OWNER_UID, &owner) == 0 && owner == geteuid();
        fd_close(&its);
        its = above;
        if (made_by_us)
            return true;
    }
    return false;
}

static bool read_stat_of(pid_t pid, struct proc_stat *ret)
{
    char text[1024];
    ssize_t n = read_of(pid, "stat", text, sizeof(text));
    return n > 0 && proc_stat_parse(text, (size_t)n, ret) == 0;
}

static bool is_descendant(pid_t pid)
{
    struct proc_stat stat;
    for (int i = 0; i < GENERATIONS_MAX && pid > 0; i++) {
        if (pid == getpid())
            return true;
        if (!read_stat_of(pid, &stat))
            return false;
        pid = (pid_t)stat.field[PROC_STAT_PPID];
    }
    return false;
}

/* The files below /proc/PID belong to its effective uid only while it is dumpable, else to root
 * (task_dump_owner, fs/proc/base.c). So nothing is learnt of a process of root. */
static int read_dumpable(pid_t pid, uid_t effective)
{
    char path[64];
    struct stat stat_of;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    if (effective == 0 || stat(path, &stat_of) < 0)
        return -1;
    return stat_of.st_uid == effective;
}

static int read_yama(void)
{
    char text[16];
    ssize_t n = proc_read(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text));
    return n > 0 && text[0] >= '0' && text[0] <= '3' ? text[0] - '0' : -1;
}

static bool proc_hides(void)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 4u << 20);
    if (file_read_all(AT_FDCWD, "/proc/self/mountinfo", &text) < 0)
        return false;
    bool hides = false;
    for (const char *line = buffer_text(&text); line && *line;) {
        const char *end = strchrnul(line, '\n');
        const char *super = memmem(line, (size_t)(end - line), " - proc ", 8);
        if (super && memmem(line, (size_t)(super - line), " /proc ", 7)) { /* a later one covers an earlier one */
            const char *option = memmem(super, (size_t)(end - super), "hidepid=", 8);
            hides = option && option[8] != '0' && strncmp(option + 8, "off", 3) != 0;
        }
        line = *end ? end + 1 : end;
    }
    return hides;
}

static bool contains(const char *path, const char *const *words)
{
    char text[4096];
    if (proc_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return false;
    for (; *words; words++)
        if (strstr(text, *words))
            return true;
    return false;
}

static bool guess_container(void)
{
    static const char *const words[] = {"docker", "kubepods", "containerd", "libpod", "lxc", NULL};
    return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
           access("/run/systemd/container", F_OK) == 0 || contains("/proc/self/cgroup", words);
}

struct number_search {
    pid_t wanted, found;
};

/* NSpid lists a process's numbers from this namespace down to its own. */
static int by_inner_number(void *context, pid_t pid)
{
    struct number_search *s = context;
    struct status status;
    read_status(pid, &status);
    const char *at = proc_status_field(status.text, "NSpid");
    long number;
    for (int level = 0; proc_status_number(&at, &number); level++)
        if (level > 0 && number == s->wanted) {
            s->found = pid;
            return 1;
        }
    return 0;
}

static bool proc_foreign(void)
{
    char text[32];
    ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);
    if (n < 0)
        return true; /* that namespace does not see us at all */
    text[n] = '\0';
    return strtol(text, NULL, 10) != getpid();
}

static int open_errno(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? errno : 0;
}

static int take_other(void *context, pid_t tid)
{
    pid_t *leader = context;
    if (tid == *leader)
        return 0;
    *leader = tid;
    return 1;
}

/* What speaks for a process whose first thread has left it. */
static pid_t another_thread(pid_t pid)
{
    char path[64];
    pid_t found = pid;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    proc_each_number(AT_FDCWD, path, take_other, &found);
    return found;
}

int target_facts_collect(pid_t pid, struct target_facts *ret)
{
    struct target_facts f = {
        .pid = pid, .dumpable = -1, .yama_scope = read_yama(), .our_uid = getuid(), .our_gid = getgid()};
    struct status ours, its;
    struct proc_stat stat = {0};
    f.proc_is_foreign = proc_foreign();
    f.exists = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
    f.in_container = guess_container();
    f.proc_hidden = proc_hides();
    f.self_read_errno = memory_probe(getpid());
    read_status(getpid(), &ours);
    f.seccomp_mode = (int)status_hex(&ours, "Seccomp");
    f.have_cap_sys_ptrace = cap_counts_in(pid, (status_hex(&ours, "CapEff") & BIT_SYS_PTRACE) != 0);
    f.cap_is_out_of_reach = ours.known && (status_hex(&ours, "CapBnd") & BIT_SYS_PTRACE) == 0;
    f.have_cap_perfmon = (status_hex(&ours, "CapEff") & BIT_PERFMON) != 0;
    if (!f.exists) {
        struct number_search s = {.wanted = pid};
        f.read_errno = f.maps_errno = ESRCH;
        if (pid > 0)
            proc_each_number(AT_FDCWD, "/proc", by_inner_number, &s);
        f.number_here = s.found;
        *ret = f;
        return 0;
    }
    read_status(pid, &its);
    status_ids(&its, "Uid", f.its_uid);
    status_ids(&its, "Gid", f.its_gid);
    if (read_stat_of(pid, &stat)) {
        f.kernel_thread = (stat.field[PROC_STAT_FLAGS] & FLAG_KERNEL_THREAD) != 0;
        /* A leader that left its threads behind is shown as a zombie, and they are listed beside it. */
        const char *threads = proc_status_field(its.text, "Threads");
        f.zombie = (stat.state == 'Z' || stat.state == 'X') && (!threads || strtol(threads, NULL, 10) <= 1);
    }
    f.its_caps_exceed_ours = its.known && (status_hex(&its, "CapPrm") & ~status_hex(&ours, "CapPrm")) != 0;
    f.is_our_descendant = is_descendant(pid);
    f.dumpable = its.known ? read_dumpable(pid, f.its_uid[1]) : -1;
    f.same_user_namespace = same_user_namespace(pid);
    f.same_pid_namespace = same_namespace(pid, "pid", true);
    f.same_mount_namespace = same_namespace(pid, "mnt", true);
    pid_t living = f.zombie || stat.state != 'Z' ? pid : another_thread(pid);
    f.read_errno = memory_probe(living);
    f.maps_errno = open_errno(living, "maps");
    *ret = f;
    return 0;
}
