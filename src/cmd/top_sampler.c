/*
 * The sampling process of `top`. It does what `run` and `attach` do, in a session of its own, and writes the recording
 * to a file: whoever draws reads that, and neither its crash nor its stall can hold up a sample.
 */
#include "cmd/top_sampler.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    RUN_READY_NS = 2000000000, /* as `run` and `attach` wait */
    ATTACH_READY_NS = 1000000000,
    PATIENCE_MS = 2000, /* between SIGTERM and SIGKILL for a program that is to end */
    NAP_MS = 20,
};

enum told { TOLD_STARTED, TOLD_READY, TOLD_FAILED, TOLD_SAMPLED, TOLD_ENDED };
struct message { /* one write each, shorter than PIPE_BUF */
    enum told told;
    int32_t value;
    char text[256];
};

static void nap(void)
{
    const struct timespec t = {0, NAP_MS * 1000000};
    (void)nanosleep(&t, NULL);
}

/* SIGTERM, some patience, SIGKILL; its wait status. */
static int end_program(pid_t pid)
{
    int status = 0;
    (void)kill(pid, SIGTERM);
    for (int waited = 0; waited < PATIENCE_MS; waited += NAP_MS) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        nap();
    }
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* ---- in the sampling process ---- */

static int told_to; /* the pipe */

static void tell(enum told told, int value, const char *text)
{
    struct message m = {.told = told, .value = value};
    snprintf(m.text, sizeof(m.text), "%s", text);
    (void)!write(told_to, &m, sizeof(m));
}

static void stop(int number)
{
    (void)number;
    session_stop = 1;
}

/* The recording has reached its size: this process may write no further (setrlimit(2)). */
static volatile sig_atomic_t too_large;
static void stop_at_limit(int number)
{
    too_large = 1;
    stop(number);
}

/* Once the program is started, which is not to have the limit. */
static void begin(void *context)
{
    const struct top_sampler_options *o = context;
    struct sigaction action = {.sa_handler = stop_at_limit};
    (void)sigaction(SIGXFSZ, &action, NULL);
    (void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = o->max_size, .rlim_max = o->max_size});
    tell(TOLD_READY, 0, "");
}

static void leave_terminal(const struct top_sampler_options *o, pid_t parent)
{
    struct sigaction action = {.sa_handler = stop}, ignore = {.sa_handler = SIG_IGN};
    (void)setsid(); /* no signal and no byte of the terminal is for us or the program */
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        session_stop = 1;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)dup2(o->input >= 0 ? o->input : nothing, STDIN_FILENO);
    (void)dup2(o->output >= 0 ? o->output : nothing, STDOUT_FILENO);
    (void)dup2(o->output >= 0 ? o->output : nothing, STDERR_FILENO);
}

static int start_program(const struct top_sampler_options *o, struct target **ret, pid_t *ret_pid, struct error *e)
{
    if (o->attach != 0) {
        int r = target_open((pid_t)o->attach, ret, e);
        if (r == 0)
            tell(TOLD_STARTED, (int)o->attach, "");
        return r;
    }
    struct target_launched launched;
    struct target_launch how = {.argv = o->command};
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of the program stay findable below us */
    int r = target_launch(&how, &launched, e);
    if (r < 0)
        return r;
    *ret_pid = launched.pid;
    tell(TOLD_STARTED, launched.pid, "");
    return target_open(launched.pid, ret, e);
}

/* What was started runs on after sampling, until it ends or we are to. */
static void see_program_off(pid_t pid, bool failed)
{
    int status = 0;
    pid_t waited = 0;
    while (waited == 0 && !session_stop && !failed) {
        waited = waitpid(pid, &status, WNOHANG);
        if (waited == 0)
            nap();
    }
    if (waited != pid)
        status = end_program(pid);
    tell(TOLD_ENDED, status, "");
}

static _Noreturn void sample(const struct top_sampler_options *o, pid_t parent)
{
    struct session session;
    struct sample_result result = {0};
    struct target *target = NULL;
    struct error e = {.text = ""}, close_error = {.text = ""};
    pid_t pid = 0;
    leave_terminal(o, parent);
    int r = session_open(&session, &o->session, "top", &e);
    if (r == 0 && !session.seekable)
        r = error_set(&e, EINVAL, "top records into a regular file only, and '%.100s' is none", o->session.output);
    if (r == 0)
        r = start_program(o, &target, &pid, &e);
    session.ready = begin;
    session.context = (void *)o;
    if (r == 0)
        r = session_sample(&session, target, o->attach != 0 ? ATTACH_READY_NS : RUN_READY_NS, &result, &e);
    int closed = session_close(&session, &close_error);
    if (too_large && r == 0)
        r = error_set(&e, EFBIG, "the recording has reached --max-size: it ends here, and the program runs on");
    else if (closed < 0 && r == 0)
        r = error_set(&e, EIO, "the recording is incomplete: %.200s", close_error.text);
    if (r < 0)
        tell(TOLD_FAILED, -r, e.text);
    else
        tell(TOLD_SAMPLED, result.first_ended, "");
    if (pid != 0)
        see_program_off(pid, r < 0 && r != -ESRCH && r != -EFBIG);
    _exit(0);
}

/* ---- in the process that draws ---- */

int top_sampler_start(const struct top_sampler_options *o, struct top_sampler *ret, struct error *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(e, errno, "cannot start sampling: %s", strerror(errno));
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* the program of a sampler that was killed is ours to wait for */
    pid_t pid = fork();
    if (pid < 0) {
        int number = errno;
        close(ends[0]);
        close(ends[1]);
        return error_set(e, number, "cannot start sampling: %s", strerror(number));
    }
    if (pid == 0) {
        close(ends[0]);
        told_to = ends[1];
        sample(o, parent);
    }
    close(ends[1]);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret = (struct top_sampler){.pid = pid, .messages = ends[0], .started = o->attach == 0};
    return 0;
}

static void take(struct top_sampler *s, const struct message *m)
{
    switch (m->told) {
    case TOLD_STARTED:
        s->program = m->value;
        break;
    case TOLD_READY:
        s->ready = true;
        break;
    case TOLD_FAILED:
        s->failed = s->done = true;
        s->sample_errno = m->value;
        snprintf(s->text, sizeof(s->text), "%.255s", m->text);
        break;
    case TOLD_SAMPLED:
        s->done = true;
        s->first_ended = m->value != 0;
        break;
    case TOLD_ENDED:
        s->program_ended = true;
        s->program_status = m->value;
        break;
    }
}

/* Whose parent the sampler was is our child once that is gone. */
static void hear_program(struct top_sampler *s)
{
    int status;
    if (s->pid == 0 && s->started && s->program > 0 && !s->program_ended &&
        waitpid(s->program, &status, WNOHANG) == s->program) {
        s->program_ended = true;
        s->program_status = status;
    }
}

void top_sampler_hear(struct top_sampler *s)
{
    struct message m;
    /* Asked first: what it told before it ended is in the pipe then. */
    bool gone = s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == s->pid;
    while (read(s->messages, &m, sizeof(m)) == (ssize_t)sizeof(m))
        take(s, &m);
    if (gone) {
        s->pid = 0;
        s->lost = !s->done;
        s->done = true;
    }
    hear_program(s);
}

void top_sampler_wait_ready(struct top_sampler *s)
{
    while (!s->ready && !s->done) {
        struct pollfd heard = {.fd = s->messages, .events = POLLIN};
        (void)poll(&heard, 1, NAP_MS * 10);
        top_sampler_hear(s);
    }
}

void top_sampler_stop(struct top_sampler *s)
{
    if (s->pid > 0)
        (void)kill(s->pid, SIGTERM);
    while (s->pid > 0) {
        top_sampler_hear(s);
        if (s->pid > 0)
            nap();
    }
    if (s->started && s->program > 0 && !s->program_ended) {
        s->program_status = end_program(s->program);
        s->program_ended = true;
    }
    fd_close(&s->messages);
}
