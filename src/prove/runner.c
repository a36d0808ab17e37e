/* The runner: asks the spawner for processes, takes what they print and answer meanwhile. */
#include "prove/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_MS = 100,        /* between looks at the stop flag, should its signal have gone to another thread */
    DRAIN_MS = 200,       /* for the end of a pipe that a process which could not be ended holds */
    PIPE_BYTES = 1 << 20, /* so that a program that prints seldom waits for us */
    LAST_LINE = 300,      /* of stderr in an error line */
};

struct prove_runner {
    pid_t spawner;
    int socket;
    const volatile sig_atomic_t *stop;
};

int wire_read(int fd, void *into, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)into + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -EPIPE;
        done += (size_t)n;
    }
    return 0;
}

int wire_write(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = send(fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -EPIPE;
        done += (size_t)n;
    }
    return 0;
}

int prove_runner_open(struct prove_runner **ret, struct error *e)
{
    struct prove_runner *r = calloc(1, sizeof(*r));
    int ends[2];

    if (!r)
        return error_set(e, ENOMEM, "out of memory");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        free(r);
        return error_set(e, errno, "cannot start the process that starts the others: %s", strerror(errno));
    }
    r->spawner = fork();
    if (r->spawner == 0) {
        close(ends[0]);
        spawner_serve(ends[1]);
    }
    int number = errno;
    close(ends[1]);
    if (r->spawner < 0) {
        close(ends[0]);
        free(r);
        return error_set(e, number, "cannot start the process that starts the others: %s", strerror(number));
    }
    r->socket = ends[0];
    *ret = r;
    return 0;
}

void prove_runner_close(struct prove_runner *r)
{
    if (!r)
        return;
    close(r->socket);
    while (waitpid(r->spawner, NULL, 0) < 0 && errno == EINTR)
        continue;
    free(r);
}

void prove_runner_watch(struct prove_runner *r, const volatile sig_atomic_t *stop)
{
    r->stop = stop;
}

/* ---- output ---- */

static void output_add(struct prove_output *o, const uint8_t *data, size_t size)
{
    const uint64_t prime = UINT64_C(0x100000001b3); /* FNV-1a: the same however the pipe cuts it */
    size_t keep = PROVE_OUTPUT_HEAD - o->kept;

    for (size_t i = 0; i < size; i++)
        o->hash = (o->hash ^ data[i]) * prime;
    o->size += size;
    keep = keep < size ? keep : size;
    if (keep > 0 && (o->head || (o->head = malloc(PROVE_OUTPUT_HEAD)) != NULL)) {
        memcpy(o->head + o->kept, data, keep);
        o->kept += keep;
    }
    if (size >= sizeof(o->tail)) {
        memcpy(o->tail, data + size - sizeof(o->tail), sizeof(o->tail));
        o->last = sizeof(o->tail);
        return;
    }
    size_t over = o->last + size > sizeof(o->tail) ? o->last + size - sizeof(o->tail) : 0;
    memmove(o->tail, o->tail + over, o->last - over);
    memcpy(o->tail + o->last - over, data, size);
    o->last += size - over;
}

enum { PIPES = 3, PIPE_OUT = 0, PIPE_ERR, PIPE_ANSWER };

struct pipes {
    int fds[PROVE_AT_ONCE_MAX][PIPES];
    uint8_t block[65536];
};

static void pipes_close(struct pipes *p)
{
    for (size_t i = 0; i < PROVE_AT_ONCE_MAX; i++)
        for (size_t k = 0; k < PIPES; k++)
            fd_close(&p->fds[i][k]);
}

/* Takes what is there. */
static void pipe_take(struct pipes *p, size_t i, size_t which, struct prove_run *run)
{
    ssize_t n = read(p->fds[i][which], p->block, sizeof(p->block));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        fd_close(&p->fds[i][which]);
    else if (which == PIPE_ANSWER)
        (void)buffer_append(&run->answer, p->block, (size_t)n);
    else
        output_add(which == PIPE_OUT ? &run->out : &run->err, p->block, (size_t)n);
}

/* ---- a request ---- */

static int put_string(struct buffer *words, const char *text)
{
    return buffer_append(words, text, strlen(text) + 1);
}

static int put_process(struct buffer *words, const struct prove_process *p, struct spawn_one *one)
{
    *one = (struct spawn_one){
        .has_folder = p->folder != NULL,
        .pinned = p->pinned,
        .watched = p->watched,
        .answers = p->answers,
        .cpu = p->cpu,
        .timeout_ns = p->timeout_ns,
    };
    while (p->argv[one->argc])
        put_string(words, p->argv[one->argc++]);
    while (p->environment && p->environment[one->variables])
        put_string(words, p->environment[one->variables++]);
    if (p->seeded && !getenv("PYTHONHASHSEED")) {
        buffer_printf(words, "PYTHONHASHSEED=%u", p->hash_seed);
        buffer_append_byte(words, 0);
        one->variables++;
    }
    if (p->padding > 0) {
        buffer_append_string(words, "PITVIPER_PADDING=");
        for (uint32_t i = 0; i < p->padding && i < PROVE_PADDING_MAX; i++)
            buffer_append_byte(words, 'x');
        buffer_append_byte(words, 0);
        one->variables++;
    }
    if (p->folder)
        put_string(words, p->folder);
    return words->failed ? -ENOMEM : 0;
}

static int open_pipe(int *ret_ours, int *ret_theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* refused beyond the user's quota: then it is 64 KB */
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret_ours = ends[0];
    *ret_theirs = ends[1];
    return 0;
}

static int open_files(const struct prove_process *p, int *ours, int *theirs, struct error *e)
{
    const char *input = p->input ? p->input : "/dev/null";
    theirs[0] = open(input, O_RDONLY | O_CLOEXEC);
    if (theirs[0] < 0)
        return error_set(e, errno, "cannot read the input '%s': %s", input, strerror(errno));
    for (int k = 0; k < PIPES; k++) {
        if (k == PIPE_ANSWER && !p->answers)
            continue;
        int r = open_pipe(&ours[k], &theirs[k + 1]);
        if (r < 0)
            return error_set(e, -r, "cannot make a pipe: %s", strerror(-r));
    }
    return 0;
}

/* The descriptors go with the first byte. Where no answer is asked for, its place holds any other one. */
static int send_request(
    struct prove_runner *r, const struct spawn_request *request, const struct buffer *words, int files[][SPAWN_FILES])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * SPAWN_FILES * PROVE_AT_ONCE_MAX)];
    } control = {0};
    size_t bytes = sizeof(int) * SPAWN_FILES * request->count;
    struct iovec part = {.iov_base = (void *)(uintptr_t)request, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(bytes)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    ssize_t n;

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(c), files, bytes);
    do
        n = sendmsg(r->socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        return -EPIPE;
    int sent = wire_write(r->socket, (const char *)request + 1, sizeof(*request) - 1);
    return sent < 0 ? sent : wire_write(r->socket, words->data, words->size);
}

/* ---- until the reply ---- */

static bool stopped(const struct prove_runner *r)
{
    return r->stop && *r->stop;
}

static bool pipes_open(const struct pipes *p)
{
    bool open = false;
    for (size_t i = 0; i < PROVE_AT_ONCE_MAX * PIPES; i++)
        open = open || p->fds[i / PIPES][i % PIPES] >= 0;
    return open;
}

/* One look at the pipes and, with `socket` not -1, at the reply. Whether a reply is there. */
static bool take_once(struct pipes *p, size_t count, int socket, struct prove_run *ret, int wait_ms)
{
    struct pollfd fds[PROVE_AT_ONCE_MAX * PIPES + 1];
    for (size_t i = 0; i < count * PIPES; i++)
        fds[i] = (struct pollfd){.fd = p->fds[i / PIPES][i % PIPES], .events = POLLIN};
    fds[count * PIPES] = (struct pollfd){.fd = socket, .events = POLLIN};
    if (poll(fds, count * PIPES + 1, wait_ms) <= 0)
        return false;
    for (size_t i = 0; i < count * PIPES; i++)
        if (fds[i].revents)
            pipe_take(p, i / PIPES, i % PIPES, &ret[i / PIPES]);
    return fds[count * PIPES].revents != 0;
}

static int take_reply(
    struct prove_runner *r, struct pipes *p, size_t count, struct spawn_reply *reply, struct prove_run *ret)
{
    bool told = false, replied = false;
    while (!replied) {
        if (stopped(r) && !told) {
            told = true;
            if (wire_write(r->socket, "k", 1) < 0)
                return -EPIPE;
        }
        replied = take_once(p, count, r->socket, ret, LOOK_MS);
    }
    int result = wire_read(r->socket, reply, sizeof(*reply));
    uint64_t until = clock_monotonic_ns() + DRAIN_MS * UINT64_C(1000000);
    while (pipes_open(p) && clock_monotonic_ns() < until)
        (void)take_once(p, count, -1, ret, DRAIN_MS);
    return result;
}

static void put_usage(struct prove_run *run, const struct spawn_usage *u, bool interrupted)
{
    run->status = u->status;
    run->timed_out = u->timed_out;
    run->interrupted = interrupted;
    run->begun_ns = u->begun_ns;
    run->wall_ns = u->wall_ns;
    run->user_ns = u->user_ns;
    run->system_ns = u->system_ns;
    run->queued_ns = u->queued_ns;
    run->queued_known = u->queued_known;
    run->memory = u->memory;
    run->minor_faults = u->minor_faults;
    run->major_faults = u->major_faults;
    run->voluntary = u->voluntary;
    run->involuntary = u->involuntary;
    run->leftovers = u->leftovers;
    run->threads = u->threads;
    run->processes = u->processes;
}

int prove_run(
    struct prove_runner *r, const struct prove_process *what, size_t count, struct prove_run *ret, struct error *e)
{
    struct spawn_request request = {.count = (uint32_t)count};
    struct spawn_reply reply = {0};
    struct prove_run runs[PROVE_AT_ONCE_MAX] = {0};
    struct pipes pipes;
    int theirs[PROVE_AT_ONCE_MAX][SPAWN_FILES], result = 0;
    CLEANUP(buffer_release) struct buffer words;

    buffer_init(&words, SPAWN_WORDS_MAX);
    memset(pipes.fds, -1, sizeof(pipes.fds));
    memset(theirs, -1, sizeof(theirs));
    for (size_t i = 0; i < count; i++) {
        buffer_init(&runs[i].answer, PROVE_ANSWER_MAX);
        runs[i].out.hash = runs[i].err.hash = UINT64_C(0xcbf29ce484222325);
        if (result == 0 && put_process(&words, &what[i], &request.each[i]) < 0)
            result = error_set(e, E2BIG, "cannot run %s: its words and environment are too long", what[i].argv[0]);
        if (result == 0)
            result = open_files(&what[i], pipes.fds[i], theirs[i], e);
        if (theirs[i][SPAWN_FILES - 1] < 0)
            theirs[i][SPAWN_FILES - 1] = dup(theirs[i][0]);
    }
    request.words = (uint32_t)words.size;
    if (result == 0 && stopped(r))
        result = error_set(e, ECANCELED, "interrupted");
    bool sent = result == 0;
    if (sent)
        result = send_request(r, &request, &words, theirs);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < SPAWN_FILES; k++)
            fd_close(&theirs[i][k]);
    if (sent && result == 0)
        result = take_reply(r, &pipes, count, &reply, runs);
    pipes_close(&pipes);
    if (sent && result < 0)
        error_set(e, EPIPE, "the process that starts the others has ended; run pitviper again");
    else if (sent && reply.result < 0)
        result = error_set(e, -reply.result, "%s", reply.why);
    for (size_t i = 0; i < count; i++) {
        put_usage(&runs[i], &reply.each[i], reply.interrupted);
        if (result < 0)
            prove_run_release(&runs[i]);
        else
            ret[i] = runs[i];
    }
    return result;
}

void prove_run_release(struct prove_run *run)
{
    free(run->out.head);
    free(run->err.head);
    buffer_release(&run->answer);
    *run = (struct prove_run){0};
}

/* ---- how it ended ---- */

/* The last line that says something. */
static size_t last_line(const struct prove_output *o, const char **ret)
{
    size_t end = o->last, begin;
    while (end > 0 && strchr(" \t\r\n", o->tail[end - 1]))
        end--;
    for (begin = end; begin > 0 && o->tail[begin - 1] != '\n';)
        begin--;
    *ret = o->tail + begin;
    return end - begin < LAST_LINE ? end - begin : LAST_LINE;
}

int prove_run_check(const struct prove_run *run, const char *name, struct error *e)
{
    CLEANUP(buffer_release) struct buffer line;
    const char *last;

    buffer_init(&line, 4096);
    if (run->interrupted)
        return error_set(e, ECANCELED, "interrupted");
    size_t size = last_line(&run->err, &last);
    if (size > 0) {
        buffer_append_string(&line, ": ");
        text_append_safe(&line, last, size);
    }
    if (run->timed_out)
        return error_set(e, ETIMEDOUT, "'%.100s' did not end within %.3g s: see --timeout%s", name,
            (double)run->wall_ns / 1e9, buffer_text(&line));
    if (WIFSIGNALED(run->status))
        return error_set(e, ECHILD, "'%.100s' was ended by signal %d (%s)%s", name, WTERMSIG(run->status),
            strsignal(WTERMSIG(run->status)), buffer_text(&line));
    if (WEXITSTATUS(run->status) != 0)
        return error_set(
            e, ECHILD, "'%.100s' failed with status %d%s", name, WEXITSTATUS(run->status), buffer_text(&line));
    return 0;
}
