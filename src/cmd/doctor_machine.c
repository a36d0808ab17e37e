/* What this machine lets a profiler do, found by trying it. */
#include "cmd/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_ROUNDS = 2000,
    READ_LARGE = 16384,
    PYTHON_PATIENCE_NS = 3000000000u,
};

static int compare_times(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The median of many reads of our own memory: the same path through the kernel as for any other process. */
static int time_reads(size_t size, uint64_t *ret_ns)
{
    static uint8_t from[READ_LARGE], into[READ_LARGE];
    static uint64_t times[READ_ROUNDS];
    struct iovec local = {.iov_base = into, .iov_len = size}, remote = {.iov_base = from, .iov_len = size};

    for (size_t i = 0; i < READ_ROUNDS; i++) {
        uint64_t began = clock_monotonic_ns();
        if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)size)
            return -errno;
        times[i] = clock_monotonic_ns() - began;
    }
    qsort(times, READ_ROUNDS, sizeof(times[0]), compare_times);
    *ret_ns = times[READ_ROUNDS / 2];
    return 0;
}

/* Tried by a child, so that this program's own scheduling stays as it is. 0 or an errno. */
static int try_real_time(void)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        struct sched_param p = {.sched_priority = 1};
        _exit(sched_setscheduler(0, SCHED_FIFO, &p) == 0 ? 0 : errno & 0x7f);
    }
    if (pid < 0)
        return errno;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int usable_cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

void doctor_machine_collect(struct doctor_machine *ret)
{
    struct doctor_machine m = {0};
    struct rlimit files;

    target_facts_collect(getpid(), &m.facts);
    if (uname(&m.kernel) < 0)
        memset(&m.kernel, 0, sizeof(m.kernel));
    m.cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    m.usable_cores = usable_cores();
    m.read_errno = -time_reads(8, &m.read_small_ns);
    if (m.read_errno == 0)
        m.read_errno = -time_reads(READ_LARGE, &m.read_large_ns);
    m.real_time_errno = try_real_time();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        m.open_files = files.rlim_max == RLIM_INFINITY ? UINT64_MAX : files.rlim_max;
    *ret = m;
}

/* ---- interpreters ---- */
static bool is_python_name(const char *name)
{
    if (strncmp(name, "python", 6) != 0)
        return false;
    name += 6;
    return name[strspn(name, "0123456789.")] == '\0' && (*name == '\0' || name[strlen(name) - 1] != '.');
}

static void add_python(struct doctor_machine *m, const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat s;
    int size = snprintf(path, sizeof(path), "%s/%s", folder, name);

    if (size < 0 || (size_t)size >= sizeof(path) || m->python_count == DOCTOR_PYTHONS_MAX)
        return;
    if (stat(path, &s) < 0 || !S_ISREG(s.st_mode) || access(path, X_OK) < 0)
        return;
    /* python, python3 and python3.11 are mostly one file. */
    for (size_t i = 0; i < m->python_count; i++)
        if (m->pythons[i].device == s.st_dev && m->pythons[i].inode == s.st_ino)
            return;
    struct doctor_python *p = &m->pythons[m->python_count++];
    *p = (struct doctor_python){.device = s.st_dev, .inode = s.st_ino};
    memcpy(p->path, path, (size_t)size + 1);
}

static void find_pythons(struct doctor_machine *m)
{
    char folder[PATH_MAX];
    const char *path = getenv("PATH");

    for (; path && *path; path += *path == ':') {
        size_t size = strcspn(path, ":");
        if (size > 0 && size < sizeof(folder)) {
            struct dirent **names;
            memcpy(folder, path, size);
            folder[size] = '\0';
            int count = scandir(folder, &names, NULL, alphasort);
            for (int i = 0; i < count; i++) {
                if (is_python_name(names[i]->d_name))
                    add_python(m, folder, names[i]->d_name);
                free(names[i]);
            }
            if (count >= 0)
                free(names);
        }
        path += size;
    }
}

/* Until it is read, has ended, or has had its time: a shim is a shell first and becomes a Python later. */
static int read_until_up(pid_t pid, struct doctor_python *p, struct error *e)
{
    const struct timespec nap = {0, 2000000};
    uint64_t until = clock_monotonic_ns() + PYTHON_PATIENCE_NS;
    int r;

    do {
        struct target *t = NULL;
        struct python_process *python = NULL;
        struct python_sample sample = {0};
        r = target_open(pid, &t, e);
        if (r == 0)
            r = python_open(t, true, &python, e);
        if (r == 0) {
            if (target_executable(t, p->executable, sizeof(p->executable)) < 0)
                p->executable[0] = '\0';
            const struct python_info *info = python_info(python);
            snprintf(p->version, sizeof(p->version), "%s", info->version_text);
            snprintf(p->weaker, sizeof(p->weaker), "%s", info->weaker);
            /* Early on it knows no more than the minor version, which is what it is found by. */
            bool whole = strchr(p->version, '.') != strrchr(p->version, '.') ||
                         clock_monotonic_ns() > until - PYTHON_PATIENCE_NS / 2;
            r = whole ? python_sample(python, &sample) : -EAGAIN;
            if (r == 0 && (sample.count == 0 || sample.threads[0].result == PYTHON_STACK_REJECTED))
                r = -EAGAIN;
            if (r < 0)
                error_set(e, -r, "its stack could not be read");
        }
        python_close(python);
        target_close(t);
        if (r == 0 || r == -ENOTSUP || r == -EPERM || r == -ESRCH)
            return r;
        nanosleep(&nap, NULL);
    } while (clock_monotonic_ns() < until);
    return r;
}

/* What a shim that finds nothing prints is not for the user. Returns the descriptor to put back, or -1. */
static int mute_stderr(void)
{
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (saved >= 0 && null >= 0)
        (void)dup2(null, STDERR_FILENO);
    fd_close(&null);
    return saved;
}

static void unmute_stderr(int saved)
{
    if (saved >= 0)
        (void)dup2(saved, STDERR_FILENO);
    fd_close(&saved);
}

static void try_python(struct doctor_python *p)
{
    /* -S -E: what 2.7 to 3.15 all know. It ends by itself, should a shim have put a process of its own in
     * between. */
    char *argv[] = {p->path, (char *)"-S", (char *)"-E", (char *)"-c", (char *)"import time; time.sleep(5)", NULL};
    struct target_launched child;
    struct error e = {""};

    int saved = mute_stderr();
    int r = target_launch(&(struct target_launch){.argv = argv}, &child, &e);
    unmute_stderr(saved);
    if (r == 0) {
        int status = 0;
        r = read_until_up(child.pid, p, &e);
        (void)kill(child.pid, SIGKILL);
        while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
            ;
        p->ended = r == -ESRCH && WIFEXITED(status);
        if (p->ended)
            error_set(&e, ESRCH, "it ended at once with status %d: a shim for a version that is not set up?",
                WEXITSTATUS(status));
    }
    p->result = r;
    if (r < 0)
        snprintf(p->why, sizeof(p->why), "%s", e.text);
}

void doctor_machine_try_pythons(struct doctor_machine *m)
{
    find_pythons(m);
    for (size_t i = 0; i < m->python_count; i++)
        try_python(&m->pythons[i]);
}
