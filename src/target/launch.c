#include "target/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What this program was started with, noted before main changes any of it, so that a target is started as if
 * by the user's own shell: signals that were blocked or ignored (nohup), and the limit on open files, which a
 * sampler of many threads has to raise and select() in a target may not survive. Written once, before main.
 */
static struct {
    sigset_t blocked, ignored;
    struct rlimit files;
    bool files_known;
} inherited;

static __attribute__((constructor)) void note_inherited(void)
{
    sigemptyset(&inherited.blocked);
    sigemptyset(&inherited.ignored);
    sigprocmask(SIG_BLOCK, NULL, &inherited.blocked);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            sigaddset(&inherited.ignored, number);
    }
    inherited.files_known = getrlimit(RLIMIT_NOFILE, &inherited.files) == 0;
}

/* Every path that argv[0] may stand for, made before the fork: the child may not allocate. */
static int list_candidates(const char *name, char *const *environment, struct arena *arena, char ***ret)
{
    const char *path = NULL;
    for (char *const *entry = environment; *entry && !path; entry++)
        path = strncmp(*entry, "PATH=", 5) == 0 ? *entry + 5 : NULL;
    if (!path)
        path = "/bin:/usr/bin"; /* as execvp does */
    if (strchr(name, '/'))
        path = "";
    size_t count = 1;
    for (const char *c = path; *c; c++)
        count += *c == ':';
    char **list = arena_alloc(arena, (count + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(path, ":"), size = length + strlen(name) + 2;
        char *one = arena_alloc(arena, size);
        if (!one)
            return -ENOMEM;
        memcpy(one, path, length);
        if (length > 0)
            one[length++] = '/';
        memcpy(one + length, name, strlen(name) + 1);
        list[i] = one;
        path += strcspn(path, ":");
        path += *path == ':';
    }
    *ret = list;
    return 0;
}

struct plan {
    char **candidates;
    const struct target_launch *how;
    char *const *environment;
    char **shell_argv; /* {"sh", path, argv[1]...}: for a script without a #! line, as execvp does */
    int fd;
};

/* In the child, where only async-signal-safe functions may be called. */
static void restore_inherited(void)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action = {.sa_handler = sigismember(&inherited.ignored, number) == 1 ? SIG_IGN : SIG_DFL};
        sigaction(number, &action, NULL);
    }
    if (inherited.files_known)
        setrlimit(RLIMIT_NOFILE, &inherited.files);
    sigprocmask(SIG_SETMASK, &inherited.blocked, NULL);
}

/* What is put at 0, 1, 2 may itself be one of these: all are moved out of the way first. */
static int place_files(const int *files, size_t count)
{
    int moved[TARGET_LAUNCH_FILES_MAX];
    for (size_t i = 0; i < count; i++) {
        moved[i] = files[i] < 0 ? -1 : fcntl(files[i], F_DUPFD_CLOEXEC, TARGET_LAUNCH_FILES_MAX);
        if (files[i] >= 0 && moved[i] < 0)
            return errno;
    }
    for (size_t i = 0; i < count; i++)
        if (moved[i] >= 0 && dup2(moved[i], (int)i) < 0)
            return errno;
    return 0;
}

static int settle(const struct target_launch *how)
{
    int number = how->files ? place_files(how->files, how->file_count) : 0;
    if (number == 0 && how->group && setpgid(0, 0) < 0)
        number = errno;
    if (number == 0 && how->cpus && sched_setaffinity(0, sizeof(*how->cpus), how->cpus) < 0)
        number = errno;
    if (number == 0 && how->folder && chdir(how->folder) < 0)
        number = errno;
    return number;
}

static _Noreturn void child(const struct plan *plan)
{
    char go;
    int kept = ENOENT;
    if (plan->how->hold) {
        ssize_t n;
        do
            n = read(plan->fd, &go, 1);
        while (n < 0 && errno == EINTR);
        if (n != 1)
            _exit(125); /* whoever held it has gone: the command never ran */
    }
    restore_inherited();
    int number = settle(plan->how);
    if (number != 0) {
        (void)!write(plan->fd, &number, sizeof(number));
        _exit(126);
    }
    for (char **path = plan->candidates; *path; path++) {
        execve(*path, plan->how->argv, plan->environment);
        if (errno == ENOEXEC) {
            plan->shell_argv[1] = *path;
            execve("/bin/sh", plan->shell_argv, plan->environment);
            errno = ENOEXEC;
        }
        if (errno == EACCES) {
            kept = EACCES;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            kept = errno;
            break;
        }
    }
    (void)!write(plan->fd, &kept, sizeof(kept));
    _exit(kept == ENOENT ? 127 : 126);
}

/* The child's end is closed by a successful exec, so end-of-file is success and a number is the reason why
 * not. */
static int exec_status(int fd, pid_t pid, struct error *e)
{
    int number = 0;
    size_t done = 0;
    while (done < sizeof(number)) {
        ssize_t n = read(fd, (char *)&number + done, sizeof(number) - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done == 0)
        return 0;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (done < sizeof(number) || number <= 0)
        number = EIO;
    return error_set(e, number, "cannot run the command: %s", strerror(number));
}

static void name_command(struct error *e, const char *name, int r)
{
    if (r == -ENOENT && !strchr(name, '/'))
        error_set(e, ENOENT, "cannot run %s: there is no such command on the path", name);
    else
        error_set(e, -r, "cannot run %s: %s", name, strerror(-r));
}

int target_launch(const struct target_launch *how, struct target_launched *ret, struct error *e)
{
    CLEANUP(arena_release) struct arena arena;
    struct plan plan = {.how = how, .environment = how->environment ? how->environment : environ};
    int ends[2];
    size_t count = 0;
    arena_init(&arena, 16u << 20);
    if (!how->argv || !how->argv[0] || !how->argv[0][0])
        return error_set(e, EINVAL, "there is no command to run");
    if (how->file_count > TARGET_LAUNCH_FILES_MAX)
        return error_set(e, EINVAL, "cannot start %s: more than %d files", how->argv[0], TARGET_LAUNCH_FILES_MAX);
    while (how->argv[count])
        count++;
    plan.shell_argv = arena_alloc(&arena, (count + 2) * sizeof(char *));
    if (!plan.shell_argv || list_candidates(how->argv[0], plan.environment, &arena, &plan.candidates) < 0)
        return error_set(e, ENOMEM, "out of memory while starting %s", how->argv[0]);
    plan.shell_argv[0] = (char *)"sh";
    memcpy(plan.shell_argv + 2, how->argv + 1, count * sizeof(char *)); /* with the NULL at its end */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set(e, errno, "cannot start %s: %s", how->argv[0], strerror(errno));
    plan.fd = fcntl(ends[1], F_DUPFD_CLOEXEC, TARGET_LAUNCH_FILES_MAX); /* clear of the files that are placed */
    if (plan.fd < 0) {
        int number = errno;
        close(ends[0]);
        close(ends[1]);
        return error_set(e, number, "cannot start %s: %s", how->argv[0], strerror(number));
    }
    fd_close(&ends[1]);

    /* No handler of ours may run in the child before its dispositions are put back. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(&plan);
    }
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(plan.fd);
    if (pid < 0) {
        close(ends[0]);
        return error_set(e, number, "cannot start %s: %s", how->argv[0], strerror(number));
    }
    if (how->hold) {
        *ret = (struct target_launched){.pid = pid, .hold_fd = ends[0]};
        return 0;
    }
    int r = exec_status(ends[0], pid, e);
    close(ends[0]);
    if (r < 0) {
        name_command(e, how->argv[0], r);
        return r;
    }
    *ret = (struct target_launched){.pid = pid, .hold_fd = -1};
    return 0;
}

int target_launch_release(struct target_launched *l, struct error *e)
{
    if (l->hold_fd < 0)
        return 0;
    int r = 0;
    ssize_t n;
    do
        n = send(l->hold_fd, "g", 1, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        r = error_set(e, ESRCH, "process %d was ended before its command could be run", (int)l->pid);
    else
        r = exec_status(l->hold_fd, l->pid, e);
    fd_close(&l->hold_fd);
    return r;
}
