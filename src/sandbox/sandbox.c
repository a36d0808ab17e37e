/* The caller's side of a run: starts the keeper, feeds and reads the child, watches its limits, has it all killed. */
#include "sandbox/inside.h"
#include "target/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_NS 10000000u /* how often the tree is looked at */
#define DISK_TICKS 8      /* and how many looks apart its files are */
#define READ_STEP ((size_t)64 << 10)
#define DRAIN_MAX ((size_t)4 << 20) /* read of each pipe once its writers are dead: a pipe holds less */

enum pipe_name { PIPE_IN, PIPE_OUT, PIPE_ERR, PIPE_ANSWER, PIPES };

struct run {
    struct plan plan;
    struct sandbox_result *result;
    struct group group;
    pid_t keeper, child;
    int control, ends[PIPES]; /* ours */
    size_t fed;
    struct service service;
    bool ending, gone, failed; /* asked the keeper to end; it has; it could not even start */
    uint64_t began_ns, deadline_ns, tick_ns;
    unsigned ticks;
    struct tree tree;
    uint64_t cpu_then, maxrss_before;
    struct error error;
};

const char *sandbox_end_text(enum sandbox_end end)
{
    static const char *const texts[] = {
        [SANDBOX_ANSWERED] = "it answered",
        [SANDBOX_EXITED] = "it ended without an answer",
        [SANDBOX_BROKEN] = "what it sent is no answer",
        [SANDBOX_LATE] = "it took longer than it may and was stopped",
        [SANDBOX_BUSY] = "it used more CPU time than it may and was stopped",
        [SANDBOX_FAT] = "it used more memory than it may and was stopped",
        [SANDBOX_CROWD] = "it started more processes than it may and was stopped",
        [SANDBOX_FULL] = "it wrote more to disk than it may and was stopped",
        [SANDBOX_LOUD] = "it printed more than it may and was stopped",
        [SANDBOX_STOPPED] = "it was stopped on request",
        [SANDBOX_LOST] = "it killed the process that looks after it",
    };
    return (unsigned)end < ARRAY_SIZE(texts) ? texts[end] : "it ended";
}

void sandbox_result_release(struct sandbox_result *r)
{
    answer_release(&r->answer);
    buffer_release(&r->out);
    buffer_release(&r->err);
}

static void end_run(struct run *run, enum sandbox_end end)
{
    if (run->ending)
        return;
    run->ending = true;
    run->result->end = end;
    if (run->group.path[0])
        group_kill(&run->group);
    (void)!send(run->control, "k", 1, MSG_NOSIGNAL);
    run->deadline_ns = clock_monotonic_ns() + 2 * (uint64_t)SANDBOX_KILL_NS;
}

/* ---- what the tree uses ---- */
static uint64_t cpu_of_others(const struct run *run)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < run->tree.count && i < SANDBOX_TREE_MAX; i++)
        if (run->tree.pids[i] != run->child)
            sum += tree_cpu_ns(run->tree.pids[i]);
    return sum;
}

static void note_peak(struct run *run, uint64_t bytes)
{
    if (bytes > run->result->peak)
        run->result->peak = bytes;
}

static void look(struct run *run)
{
    uint64_t memory = 0, cpu = 0, written = 0;
    size_t others = 0;
    bool disk = run->ticks++ % DISK_TICKS == 0;
    tree_list(run->keeper, &run->tree);
    for (size_t i = 0; i < run->tree.count && i < SANDBOX_TREE_MAX; i++) {
        pid_t pid = run->tree.pids[i];
        memory += tree_memory(pid, run->plan.spec->sum_pss);
        cpu += tree_cpu_ns(pid);
        written += disk ? tree_written(pid) : 0;
        others += pid != run->child;
    }
    if (run->child > 0) /* before its exec, it is as large as we are */
        note_peak(run, memory);
    if (disk) {
        uint64_t held = scratch_size(run->plan.scratch, run->plan.limits.disk + 1);
        written = held > written ? held : written; /* a file that is open but removed is only seen being written */
    }
    if (memory > run->plan.limits.memory && run->child > 0)
        end_run(run, SANDBOX_FAT);
    else if (cpu > run->plan.limits.cpu_ns)
        end_run(run, SANDBOX_BUSY);
    else if (others > run->plan.limits.processes)
        end_run(run, SANDBOX_CROWD);
    else if (written > run->plan.limits.disk)
        end_run(run, SANDBOX_FULL);
}

/* ---- words of the keeper and of the child before its exec ---- */
static ssize_t receive(int fd, struct word *ret, pid_t *ret_pid)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec data = {.iov_base = ret, .iov_len = sizeof(*ret)};
    struct msghdr m = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
        struct ucred who;
        memcpy(&who, CMSG_DATA(c), sizeof(who));
        *ret_pid = who.pid;
    }
    return n;
}

static void hear(struct run *run)
{
    struct sandbox_result *r = run->result;
    struct word w;
    pid_t who = 0;
    ssize_t n = receive(run->control, &w, &who);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != (ssize_t)sizeof(w)) {
        run->gone = true;
        if (!run->failed)
            r->end = run->ending ? r->end : SANDBOX_LOST;
        return;
    }
    switch (w.kind) {
    case WORD_FAILED:
        w.step[sizeof(w.step) - 1] = '\0';
        run->failed =
            error_set(&run->error, w.number, "cannot set the sandbox up: %s: %s", w.step, strerror(w.number)) < 0;
        end_run(run, SANDBOX_EXITED);
        break;
    case WORD_EXEC:
        run->child = who;
        r->exec_ns = w.at_ns;
        if (run->plan.spec->started)
            run->plan.spec->started(run->plan.spec->context, who);
        break;
    case WORD_ENDED:
        r->ended = !run->ending;
        r->status = w.number;
        r->end_ns = w.at_ns;
        if (r->end != SANDBOX_ANSWERED && !run->ending)
            run->deadline_ns = w.at_ns; /* what is in the pipes is read first */
        break;
    case WORD_GONE:
        run->gone = true;
        r->unkillable = w.number != 0;
        r->user_ns = w.user_ns;
        r->sys_ns = w.sys_ns;
        if (r->end_ns == 0)
            r->end_ns = w.at_ns;
        if (w.maxrss > run->maxrss_before) /* it outlives an exec: below that it may be ours */
            note_peak(run, w.maxrss);
        break;
    }
}

/* ---- the answer ---- */
static void take_answer_state(struct run *run)
{
    struct sandbox_result *r = run->result;
    if (run->child == 0) /* its word to exec was sent before its answer, and may lie unread beside that */
        hear(run);
    note_peak(run, tree_high_water(run->child)); /* first: it is gone when the child ends */
    (void)target_wait_ns_of(run->child, &r->queued_ns);
    tree_list(run->keeper, &run->tree);
    for (size_t i = 0; i < run->tree.count && i < SANDBOX_TREE_MAX; i++)
        r->alive_at_answer += run->tree.pids[i] != run->child && !tree_is_zombie(run->tree.pids[i]);
    run->cpu_then = cpu_of_others(run);
    r->end = SANDBOX_ANSWERED;
    run->deadline_ns = clock_monotonic_ns() + run->plan.limits.linger_ns;
}

static void end_linger(struct run *run)
{
    tree_list(run->keeper, &run->tree);
    uint64_t now = cpu_of_others(run);
    run->result->cpu_after_answer = now > run->cpu_then ? now - run->cpu_then : 0;
    end_run(run, SANDBOX_ANSWERED);
}

static void feed_answer(struct run *run, const void *data, size_t size)
{
    struct answer *a = &run->result->answer;
    bool whole = a->kind != 0;
    int r = answer_feed(a, data, size, clock_monotonic_ns());
    if (r == -ENOMEM)
        run->failed = error_set(&run->error, ENOMEM, "out of memory for the answer") < 0;
    if (r < 0)
        end_run(run, SANDBOX_BROKEN);
    else if (!whole && a->kind && !run->ending)
        take_answer_state(run);
}

/* ---- pipes ---- */
static bool has_service(const struct run *run)
{
    return run->plan.spec->service_at_once > 0;
}

/* The input and then, where there is a service, its replies. */
static size_t next_input(const struct run *run, const char **ret)
{
    const struct sandbox_spec *spec = run->plan.spec;
    if (run->fed < spec->input_size) {
        *ret = (const char *)spec->input + run->fed;
        return spec->input_size - run->fed;
    }
    size_t left = run->service.replies.size - run->service.replies_sent;
    if (left > 0) /* else there may be no buffer yet */
        *ret = (const char *)run->service.replies.data + run->service.replies_sent;
    return left;
}

static void feed_input(struct run *run)
{
    const char *at = NULL;
    size_t size = next_input(run, &at);
    ssize_t n = size > 0 ? write(run->ends[PIPE_IN], at, size) : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        fd_close(&run->ends[PIPE_IN]); /* it closed its end */
        return;
    }
    if (n > 0 && run->fed < run->plan.spec->input_size)
        run->fed += (size_t)n;
    else if (n > 0)
        run->service.replies_sent += (size_t)n;
    if (run->fed == run->plan.spec->input_size && !has_service(run))
        fd_close(&run->ends[PIPE_IN]);
}

static int ask(void *context, uint32_t id, const void *data, size_t size)
{
    struct run *run = context;
    return service_ask(&run->service, id, data, size, clock_monotonic_ns());
}

/* Reads once; false when there is nothing more for now. */
static bool take(struct run *run, enum pipe_name name)
{
    static uint8_t piece[READ_STEP];
    ssize_t n = read(run->ends[name], piece, sizeof(piece));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        fd_close(&run->ends[name]);
        return false;
    }
    if (name == PIPE_ANSWER) {
        feed_answer(run, piece, (size_t)n);
        return true;
    }
    struct buffer *into = name == PIPE_OUT ? &run->result->out : &run->result->err;
    size_t room = into->max - into->size, kept = (size_t)n < room ? (size_t)n : room;
    buffer_append(into, piece, kept);
    if (kept < (size_t)n)
        end_run(run, SANDBOX_LOUD);
    return true;
}

static bool may_feed(const struct run *run)
{
    const char *at;
    if (run->plan.spec->input_when_ready && !run->result->answer.ready_ns)
        return false;
    return next_input(run, &at) > 0 || !has_service(run);
}

static void loop(struct run *run)
{
    struct sandbox_result *r = run->result;
    while (!run->gone) {
        struct pollfd fds[PIPES + 1] = {{.fd = run->control, .events = POLLIN}};
        uint64_t now = clock_monotonic_ns(), next = run->deadline_ns;
        if (service_answer(&run->service, now) < 0)
            run->failed = error_set(&run->error, ENOMEM, "out of memory for replies") < 0;
        for (int i = 0; i < PIPES; i++)
            fds[i + 1] = (struct pollfd){
                .fd = i == PIPE_IN && !may_feed(run) ? -1 : run->ends[i], .events = i == PIPE_IN ? POLLOUT : POLLIN};
        if (!run->ending && service_next_ns(&run->service) < next)
            next = service_next_ns(&run->service);
        if (!run->ending && run->tick_ns < next)
            next = run->tick_ns;
        struct timespec wait = {.tv_sec = next > now ? (time_t)((next - now) / 1000000000u) : 0,
            .tv_nsec = next > now ? (long)((next - now) % 1000000000u) : 0};
        int ready = ppoll(fds, ARRAY_SIZE(fds), &wait, NULL);
        if (ready > 0) {
            for (int i = PIPES - 1; i >= 0; i--) { /* the answer, whose time counts, first */
                if (!fds[i + 1].revents || run->ends[i] < 0)
                    continue;
                if (i == PIPE_IN)
                    feed_input(run);
                else
                    take(run, (enum pipe_name)i);
            }
            if (fds[0].revents)
                hear(run);
        }
        if (run->plan.spec->stop && *run->plan.spec->stop)
            end_run(run, SANDBOX_STOPPED);
        now = clock_monotonic_ns();
        if (!run->ending && now >= run->tick_ns) {
            look(run);
            run->tick_ns = now + TICK_NS;
        }
        if (now < run->deadline_ns || (ready > 0 && r->ended))
            continue;
        if (run->ending) /* the keeper itself does not end: only the kernel can help now */
            break;
        if (r->end == SANDBOX_ANSWERED)
            end_linger(run);
        else
            end_run(run, r->ended ? SANDBOX_EXITED : SANDBOX_LATE);
    }
}

/* Which of its own limits a child that was killed by the kernel ran into. */
static void name_signal(struct run *run)
{
    struct sandbox_result *r = run->result;
    if (r->end != SANDBOX_EXITED || !WIFSIGNALED(r->status))
        return;
    if (WTERMSIG(r->status) == SIGXCPU || r->user_ns + r->sys_ns >= run->plan.limits.cpu_ns)
        r->end = SANDBOX_BUSY;
    else if (WTERMSIG(r->status) == SIGXFSZ)
        r->end = SANDBOX_FULL;
}

/* ---- /dev/shm where it is the machine's ---- */
#define SHARED_MAX 4096
struct shared { /* files of ours; tmpfs gives no number twice */
    ino_t files[SHARED_MAX];
    size_t count;
};
static void list_shared(struct shared *ret)
{
    DIR *d = opendir("/dev/shm");
    ret->count = 0;
    for (struct dirent *entry; d && ret->count < SHARED_MAX && (entry = readdir(d));) {
        struct stat is;
        if (fstatat(dirfd(d), entry->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(is.st_mode) &&
            is.st_uid == geteuid())
            ret->files[ret->count++] = is.st_ino;
    }
    if (d)
        closedir(d);
}

/* How many are new: the mere number would hide one behind another that went meanwhile. */
static uint32_t count_new(const struct shared *before, const struct shared *after)
{
    uint32_t count = 0;
    for (size_t i = 0; i < after->count; i++) {
        bool known = false;
        for (size_t k = 0; k < before->count && !known; k++)
            known = before->files[k] == after->files[i];
        count += !known;
    }
    return count;
}

/* ---- before and after ---- */
static int open_pipes(struct run *run, struct error *e)
{
    int *const inner[] = {&run->plan.in, &run->plan.out, &run->plan.err, &run->plan.answer};
    int pair[2], on = 1;
    for (int i = 0; i < PIPES; i++) {
        if (pipe2(pair, O_CLOEXEC) < 0)
            return error_set(e, errno, "cannot make a pipe: %s", strerror(errno));
        run->ends[i] = pair[i == PIPE_IN];
        *inner[i] = pair[i != PIPE_IN];
        fcntl(run->ends[i], F_SETFL, O_NONBLOCK);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(e, errno, "cannot make a pair of sockets: %s", strerror(errno));
    run->control = pair[0];
    run->plan.control = pair[1];
    if (setsockopt(run->control, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
        return error_set(e, errno, "cannot ask for the sender of a message: %s", strerror(errno));
    return 0;
}

static void close_inner(struct run *run)
{
    fd_close(&run->plan.in);
    fd_close(&run->plan.out);
    fd_close(&run->plan.err);
    fd_close(&run->plan.answer);
    fd_close(&run->plan.control);
}

static void reap_keeper(struct run *run)
{
    if (!run->gone)
        kill(run->keeper, SIGKILL);
    fd_close(&run->control);
    while (waitpid(run->keeper, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void drain(struct run *run)
{
    for (int i = PIPE_OUT; i < PIPES; i++)
        for (size_t n = 0; run->ends[i] >= 0 && n < DRAIN_MAX && take(run, (enum pipe_name)i); n += READ_STEP)
            ;
    for (int i = 0; i < PIPES; i++)
        fd_close(&run->ends[i]);
}

static int empty_scratch(struct run *run, struct error *e)
{
    struct stat is;
    bool there = lstat(run->plan.scratch, &is) == 0;
    if (!there || !S_ISDIR(is.st_mode)) {
        run->result->scratch_gone = true;
        if (there && unlink(run->plan.scratch) < 0)
            return error_set(
                e, errno, "cannot remove what is in the place of %s: %s", run->plan.scratch, strerror(errno));
        if (mkdir(run->plan.scratch, 0700) < 0)
            return error_set(e, errno, "cannot make %s again: %s", run->plan.scratch, strerror(errno));
        return 0;
    }
    return run->plan.spec->keep_scratch ? 0 : sandbox_wipe(run->plan.scratch, e);
}

static int run_it(struct run *run, struct error *e)
{
    struct sandbox_result *r = run->result;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    bool shared = (run->plan.allowed & SANDBOX_SHARED) && plan_has(&run->plan, SANDBOX_FILES) &&
                  !plan_has(&run->plan, SANDBOX_NAMESPACES);
    static struct shared before_it, after_it; /* large; one run at a time */
    if (shared)
        list_shared(&before_it);

    run->maxrss_before = tree_high_water(getpid());
    sigaction(SIGPIPE, &ignore, &before); /* it may close its stdin */
    run->keeper = keeper_start(&run->plan);
    close_inner(run);
    if (run->keeper < 0) {
        sigaction(SIGPIPE, &before, NULL);
        return error_set(e, -run->keeper, "cannot start the sandbox: %s", strerror(-run->keeper));
    }
    run->began_ns = clock_monotonic_ns();
    run->deadline_ns = run->began_ns + run->plan.limits.wall_ns;
    run->tick_ns = run->began_ns + TICK_NS;
    r->end = SANDBOX_EXITED;
    loop(run);
    reap_keeper(run);
    sigaction(SIGPIPE, &before, NULL);
    drain(run);
    name_signal(run);
    if (run->group.path[0])
        group_read(&run->group, &r->group_cpu_ns, &r->peak_group);
    if (shared) {
        list_shared(&after_it);
        r->shared_left = count_new(&before_it, &after_it);
    }
    if (run->failed)
        return error_set(e, EIO, "%s", run->error.text);
    return empty_scratch(run, e);
}

int sandbox_run_layers(const struct sandbox_spec *spec, const struct sandbox_ladder *ladder, uint32_t layers,
    bool trial, struct sandbox_result *ret, struct error *e)
{
    struct sandbox_result result = {.layers = layers};
    struct run *run = calloc(1, sizeof(*run));
    if (!run)
        return error_set(e, ENOMEM, "out of memory");
    run->result = &result;
    run->control = -1;
    run->group = (struct group){.folder = -1, .procs = -1};
    memset(run->ends, -1, sizeof(run->ends));
    int r = prctl(PR_SET_DUMPABLE, 0) < 0 ? error_set(e, errno, "cannot hide our memory: %s", strerror(errno)) : 0;
    if (r == 0)
        r = plan_make(&run->plan, spec, ladder, layers, e);
    run->plan.trial = trial;
    result.allowed = run->plan.allowed;
    answer_init(&result.answer, run->plan.limits.answer);
    if (spec->service_at_once > 0) {
        result.answer.ask = ask;
        result.answer.context = run;
    }
    if (r == 0 && (spec->service_at_once > SERVICE_AT_ONCE_MAX ||
                      service_init(&run->service, spec->service_delay_ns, spec->service_at_once) < 0))
        r = error_set(e, spec->service_at_once > SERVICE_AT_ONCE_MAX ? EINVAL : ENOMEM, "cannot make its service");
    buffer_init(&result.out, run->plan.limits.text);
    buffer_init(&result.err, run->plan.limits.text);
    if (r == 0)
        r = open_pipes(run, e);
    if (r == 0 && layers & 1u << SANDBOX_GROUP) {
        char why[160] = "";
        r = group_make(&run->group, &run->plan.limits, why, sizeof(why));
        run->plan.group = run->group.procs;
        if (r < 0)
            error_set(e, -r, "%s", why);
    }
    if (r == 0)
        r = run_it(run, e);
    close_inner(run);
    for (int i = 0; i < PIPES; i++)
        fd_close(&run->ends[i]);
    fd_close(&run->control);
    group_remove(&run->group);
    plan_release(&run->plan);
    service_release(&run->service);
    result.answer.ask = NULL; /* it goes on living without us */
    free(run);
    if (r < 0)
        sandbox_result_release(&result);
    else
        *ret = result;
    return r;
}

int sandbox_run(
    const struct sandbox_spec *spec, const struct sandbox_ladder *ladder, struct sandbox_result *ret, struct error *e)
{
    uint32_t layers = 0;
    int level = ladder->level < spec->level_most ? ladder->level : spec->level_most;
    if (level < spec->level_least)
        return error_set(e, ENOTSUP, "this machine reaches sandbox level %d of the %d asked for: %s", ladder->level,
            spec->level_least, ladder->why_not[ladder->level < SANDBOX_LEVEL_BEST ? ladder->level + 1 : 0]);
    for (int i = 0; i <= spec->level_most && i < SANDBOX_LAYERS; i++) /* a layer above one that is missing helps too */
        if (ladder->have[i])
            layers |= 1u << i;
    int r = sandbox_run_layers(spec, ladder, layers, false, ret, e);
    if (r < 0)
        return r;
    ret->level = level;
    if (level < spec->level_most && level < SANDBOX_LEVEL_BEST)
        memcpy(ret->why_level, ladder->why_not[level + 1], sizeof(ret->why_level));
    return 0;
}
