/*
 * The spawner: forked while pitviper is still small, since exec keeps the peak of the memory that it replaces
 * (setmax_mm_hiwater_rss, fs/exec.c). It starts, times, watches and ends what is measured, and is the reaper of all
 * that these leave behind, so that no run disturbs the next one.
 */
#include "prove/inside.h"
#include "target/target.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WATCH_NS = 2000000,        /* between two counts of threads and processes */
    REAP_NS = 2000000000,      /* for descendants that do not end although killed */
    DESCENDANTS_MAX = 1 << 14, /* counted or killed at a time */
};

struct spawned {
    pid_t pid;
    bool running;
    uint64_t begun_ns, deadline_ns; /* deadline 0: none */
    bool watched;
    struct spawn_usage usage;
};

struct spawner {
    int socket, signals;
    struct spawned each[PROVE_AT_ONCE_MAX];
    size_t count;
    bool interrupted, abandoned;
};

/* ---- starting ---- */

/* Cuts `count` strings off the words. NULL: out of memory, or the words end before. */
static char **take_strings(char **at, const char *end, size_t count, struct arena *arena)
{
    char **list = arena_alloc(arena, (count + 1) * sizeof(*list));
    for (size_t i = 0; list && i < count; i++) {
        char *stop = memchr(*at, '\0', (size_t)(end - *at));
        if (!stop)
            return NULL;
        list[i] = *at;
        *at = stop + 1;
    }
    return list;
}

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

/* Our environment with `over` put over it. */
static char **merge_environment(char *const *over, size_t count, struct arena *arena)
{
    size_t ours = 0, n = 0;
    while (environ[ours])
        ours++;
    char **merged = arena_alloc(arena, (ours + count + 1) * sizeof(*merged));
    for (size_t i = 0; merged && i < ours; i++) {
        bool replaced = false;
        for (size_t k = 0; k < count && !replaced; k++)
            replaced = name_length(over[k]) == name_length(environ[i]) &&
                       strncmp(over[k], environ[i], name_length(over[k])) == 0;
        if (!replaced)
            merged[n++] = environ[i];
    }
    for (size_t k = 0; merged && k < count; k++)
        merged[n++] = over[k];
    return merged;
}

static int start_one(struct spawned *s, const struct spawn_one *one, char **words, const char *end, const int *files,
    struct arena *arena, struct error *e)
{
    cpu_set_t cpus;
    char **argv = take_strings(words, end, one->argc, arena);
    char **over = argv ? take_strings(words, end, one->variables, arena) : NULL;
    char **folder = over ? take_strings(words, end, one->has_folder, arena) : NULL;
    struct target_launched launched;
    if (!folder)
        return error_set(e, ENOMEM, "out of memory while starting a process");
    struct target_launch how = {
        .argv = argv,
        .environment = merge_environment(over, one->variables, arena),
        .folder = folder[0],
        .files = files,
        .file_count = one->answers ? SPAWN_FILES : SPAWN_FILES - 1,
        .group = true,
        .cpus = one->pinned ? &cpus : NULL,
    };
    CPU_ZERO(&cpus);
    if (one->pinned)
        CPU_SET((size_t)one->cpu, &cpus);
    if (!how.environment)
        return error_set(e, ENOMEM, "out of memory while starting a process");
    s->begun_ns = clock_monotonic_ns();
    int r = target_launch(&how, &launched, e);
    if (r < 0)
        return r;
    s->pid = launched.pid;
    s->running = true;
    s->watched = one->watched;
    s->deadline_ns = one->timeout_ns ? s->begun_ns + one->timeout_ns : 0;
    return 0;
}

/* ---- what they took ---- */

static uint64_t timeval_ns(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_usec * 1000;
}

static void add_usage(struct spawn_usage *u, const struct rusage *r)
{
    uint64_t memory = (uint64_t)r->ru_maxrss * 1024;
    u->user_ns += timeval_ns(&r->ru_utime);
    u->system_ns += timeval_ns(&r->ru_stime);
    u->memory = memory > u->memory ? memory : u->memory;
    u->minor_faults += (uint64_t)r->ru_minflt;
    u->major_faults += (uint64_t)r->ru_majflt;
    u->voluntary += (uint64_t)r->ru_nvcsw;
    u->involuntary += (uint64_t)r->ru_nivcsw;
}

static struct spawned *find_spawned(struct spawner *s, pid_t pid)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->each[i].running && s->each[i].pid == pid)
            return &s->each[i];
    return NULL;
}

/* Takes all that have ended. An orphan counts for the first of the runs: side by side run only those that make none. */
static bool reap(struct spawner *s)
{
    struct rusage usage;
    int status;
    for (;;) {
        siginfo_t ended = {0};
        int r = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 || ended.si_pid == 0)
            return r == 0; /* some still run */
        uint64_t now = clock_monotonic_ns();
        struct spawned *one = find_spawned(s, ended.si_pid);
        if (one)
            one->usage.queued_known = target_wait_ns_of(one->pid, &one->usage.queued_ns) == 0;
        if (wait4(ended.si_pid, &status, 0, &usage) < 0)
            continue; /* interrupted: it is still there */
        if (one) {
            one->running = false;
            one->usage.status = status;
            one->usage.begun_ns = one->begun_ns;
            one->usage.wall_ns = now - one->begun_ns;
        }
        add_usage(one ? &one->usage : &s->each[0].usage, &usage);
    }
}

/* The descendants of a process, depth first. */
static size_t list_descendants(pid_t root, pid_t *into, size_t max, uint32_t *threads)
{
    struct target *t;
    size_t found = 0, count = 0;
    pid_t tid;
    if (max == 0 || target_open(root, &t, NULL) < 0)
        return 0;
    if (threads && target_threads(t, &tid, 1, &found) == 0)
        *threads += (uint32_t)found;
    if (target_children(t, into, max, &count) < 0)
        count = 0;
    target_close(t);
    count = count < max ? count : max;
    for (size_t i = 0, direct = count; i < direct; i++)
        count += list_descendants(into[i], into + count, max - count, threads);
    return count;
}

static void count_tasks(struct spawned *s, pid_t *list)
{
    uint32_t threads = 0;
    size_t below = list_descendants(s->pid, list, DESCENDANTS_MAX, &threads);
    s->usage.threads = threads > s->usage.threads ? threads : s->usage.threads;
    s->usage.processes = below + 1 > s->usage.processes ? (uint32_t)below + 1 : s->usage.processes;
}

/* ---- ending ---- */

static void kill_runs(struct spawner *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->each[i].running)
            (void)kill(-s->each[i].pid, SIGKILL);
}

/* What outlived the runs was handed to us by the kernel. Killing one hands us its children in turn. */
static void end_leftovers(struct spawner *s, pid_t *list)
{
    uint64_t until = clock_monotonic_ns() + REAP_NS;
    size_t most = 0;
    while (reap(s) && clock_monotonic_ns() < until) {
        size_t count = list_descendants(getpid(), list, DESCENDANTS_MAX, NULL);
        most = count > most ? count : most;
        for (size_t i = 0; i < count; i++)
            (void)kill(list[i], SIGKILL);
        (void)poll(NULL, 0, 1);
    }
    s->each[0].usage.leftovers = (uint32_t)most;
}

static bool any_runs(const struct spawner *s)
{
    bool any = false;
    for (size_t i = 0; i < s->count; i++)
        any = any || s->each[i].running;
    return any;
}

/* The time until something is due, and what is due now is done. -1: nothing is. */
static int64_t look_at_clock(struct spawner *s, pid_t *list)
{
    int64_t left = -1;
    for (size_t i = 0; i < s->count; i++) {
        struct spawned *one = &s->each[i];
        uint64_t now = clock_monotonic_ns();
        if (!one->running)
            continue;
        if (one->deadline_ns && now >= one->deadline_ns) {
            one->usage.timed_out = true;
            one->deadline_ns = 0;
            kill_runs(s);
        }
        if (one->watched) {
            count_tasks(one, list);
            left = WATCH_NS;
        }
        int64_t due = one->deadline_ns ? (int64_t)(one->deadline_ns - now) : -1;
        left = due >= 0 && (left < 0 || due < left) ? due : left;
    }
    return left;
}

static void wait_for_runs(struct spawner *s, pid_t *list)
{
    struct pollfd fds[2] = {{.fd = s->signals, .events = POLLIN}, {.fd = s->socket, .events = POLLIN}};
    while (any_runs(s)) {
        int64_t left = look_at_clock(s, list);
        struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        if (ppoll(fds, 2, left < 0 ? NULL : &wait, NULL) < 0)
            continue;
        if (fds[0].revents) {
            struct signalfd_siginfo information;
            (void)!read(s->signals, &information, sizeof(information));
            (void)reap(s);
        }
        if (fds[1].revents) {
            char what;
            s->abandoned = recv(s->socket, &what, 1, MSG_DONTWAIT) == 0;
            s->interrupted = true;
            fds[1].fd = s->abandoned ? -1 : fds[1].fd;
            kill_runs(s);
        }
    }
    end_leftovers(s, list);
}

/* ---- serving ---- */

/* The first bytes of a request and the descriptors that come with them: 0, or a negative errno. */
static int receive(int socket, struct spawn_request *request, int *files, size_t max)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * SPAWN_FILES * PROVE_AT_ONCE_MAX)];
    } control;
    struct iovec part = {.iov_base = request, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        return -EPIPE;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(files, CMSG_DATA(c),
            c->cmsg_len - CMSG_LEN(0) < max * sizeof(int) ? c->cmsg_len - CMSG_LEN(0) : max * sizeof(int));
    return wire_read(socket, (char *)request + 1, sizeof(*request) - 1);
}

static int serve_one(struct spawner *s, pid_t *list)
{
    CLEANUP(arena_release) struct arena arena;
    struct spawn_request request = {0};
    struct spawn_reply reply = {0};
    struct error e = {""};
    int files[PROVE_AT_ONCE_MAX][SPAWN_FILES];

    arena_init(&arena, 4 * SPAWN_WORDS_MAX);
    memset(files, -1, sizeof(files));
    int r = receive(s->socket, &request, files[0], PROVE_AT_ONCE_MAX * SPAWN_FILES);
    char *words = r == 0 ? arena_alloc(&arena, (size_t)request.words + 1) : NULL, *at = words;
    if (!words)
        return r < 0 ? r : -ENOMEM;
    r = wire_read(s->socket, words, request.words);
    if (r < 0)
        return r;
    s->count = 0;
    s->interrupted = false;
    for (uint32_t i = 0; i < request.count && reply.result == 0; i++) {
        s->each[i] = (struct spawned){0};
        reply.result = start_one(&s->each[i], &request.each[i], &at, words + request.words, files[i], &arena, &e);
        s->count += reply.result == 0;
    }
    for (size_t i = 0; i < PROVE_AT_ONCE_MAX; i++)
        for (size_t k = 0; k < SPAWN_FILES; k++)
            fd_close(&files[i][k]);
    if (reply.result < 0)
        kill_runs(s);
    wait_for_runs(s, list);
    reply.interrupted = s->interrupted;
    memcpy(reply.why, e.text, sizeof(reply.why) - 1);
    for (size_t i = 0; i < s->count; i++)
        reply.each[i] = s->each[i].usage;
    return s->abandoned ? -EPIPE : wire_write(s->socket, &reply, sizeof(reply));
}

_Noreturn void spawner_serve(int socket)
{
    struct spawner s = {.socket = socket};
    sigset_t child;
    /* not touched, and so not resident, before there is something to list */
    pid_t *list = calloc(DESCENDANTS_MAX, sizeof(*list));

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    /* the terminal's Ctrl-C is for pitviper, which then says what is to end */
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_NAME, "pitviper-spawn");
    s.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    while (list && s.signals >= 0 && serve_one(&s, list) == 0)
        continue;
    _exit(0);
}
