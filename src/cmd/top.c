/* `top`: watch a program's profile while it runs. */
#include "cmd/cmd.h"
#include "cmd/interpreter.h"
#include "cmd/top_sampler.h"
#include "cmd/top_tasks.h"
#include "live/live.h"
#include "python/python.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FLUSH_NS = 200000000,    /* what is drawn is this old at most, and a frame's wait */
    OUTPUT_KEPT = 1 << 20,   /* of what the program writes: more than is shown */
    OUTPUT_DROPS = 16 << 20, /* as soon as so much more is there */
    SIZE_LEAST = 1000000,
};
#define SIZE_MOST UINT64_C(1000000000) /* of the recording, where nothing else is said */

struct top_options {
    struct session_options session;
    const char *input;
    uint64_t max_size;
};

static const struct cmd_option top_option_table[] = {
    SESSION_OPTIONS(struct top_options, session),
    {"python", 0, CMD_TEXT, offsetof(struct top_options, session.python), "EXE",
        "the interpreter for a script or -m (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    {"stdin", 0, CMD_TEXT, offsetof(struct top_options, input), "FILE",
        "the command's standard input (default /dev/null)", NULL},
    {"max-size", 0, CMD_COUNT, offsetof(struct top_options, max_size), "BYTES",
        "end sampling when the recording has this size (default 1G)", NULL},
    CMD_OPTION_END,
};

/* Files that have no name once they are open. */
struct scratch {
    char path[4096];
    int fd;
};

static int scratch_open(struct scratch *s, const char *what, struct error *e)
{
    const char *folder = getenv("TMPDIR");
    snprintf(s->path, sizeof(s->path), "%s/pitviper-top-XXXXXX", folder && *folder ? folder : "/tmp");
    s->fd = mkostemp(s->path, O_CLOEXEC | O_APPEND);
    if (s->fd < 0)
        return error_set(e, errno, "cannot make a file for %s in '%.200s': %s", what,
            folder && *folder ? folder : "/tmp", strerror(errno));
    return 0;
}

static void scratch_unlink(struct scratch *s)
{
    if (s->path[0])
        (void)unlink(s->path);
    s->path[0] = '\0';
}

struct top {
    struct top_sampler sampler;
    struct top_tasks tasks;
    bool launches;
    int output;           /* what the program writes; -1: not ours */
    off_t output_dropped; /* of it, from its beginning */
};

static void list_tasks(void *context, int64_t pid, struct live_tasks *ret)
{
    struct top *t = context;
    top_tasks_list(&t->tasks, pid, ret);
}

/* A program that writes without end must not fill the disk: what is not shown any more is given back. Its size goes on
 * growing, so that nothing that is shown moves. */
static void trim_output(struct top *t)
{
    struct stat st;
    if (t->output < 0 || fstat(t->output, &st) < 0 || st.st_size - t->output_dropped < OUTPUT_KEPT + OUTPUT_DROPS)
        return;
    off_t until = (st.st_size - OUTPUT_KEPT) & ~(off_t)(OUTPUT_KEPT - 1);
    (void)fallocate(
        t->output, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, t->output_dropped, until - t->output_dropped);
    t->output_dropped = until;
}

static void news(void *context, struct live_news *ret)
{
    struct top *t = context;
    struct top_sampler *s = &t->sampler;
    top_sampler_hear(s);
    trim_output(t);
    ret->phase = s->lost ? LIVE_LOST : s->done ? LIVE_ENDED : LIVE_SAMPLING;
    ret->running = t->launches && !s->program_ended;
    ret->text[0] = '\0';
    if (s->program_ended && WIFSIGNALED(s->program_status))
        snprintf(
            ret->text, sizeof(ret->text), "the program was ended by signal %d; q quits", WTERMSIG(s->program_status));
    else if (s->program_ended)
        snprintf(
            ret->text, sizeof(ret->text), "the program ended with status %d; q quits", WEXITSTATUS(s->program_status));
    else if (s->lost)
        snprintf(ret->text, sizeof(ret->text), "the sampler died: this is what it had recorded; q quits");
    else if (s->failed)
        snprintf(ret->text, sizeof(ret->text), "sampling ended: %.200s", s->text);
    else if (s->done && s->first_ended)
        snprintf(ret->text, sizeof(ret->text), "the program ended; q quits");
    else if (s->done)
        snprintf(ret->text, sizeof(ret->text), "the time to sample is up; q quits");
}

/* What the command wrote before there was a screen to show it on. */
static void print_output(int fd)
{
    char block[65536];
    ssize_t n;
    off_t at = 0;
    while ((n = pread(fd, block, sizeof(block), at)) > 0) {
        if (file_write_all(STDERR_FILENO, block, (size_t)n) < 0)
            return;
        at += n;
    }
}

/* Nothing could be sampled: the same line and status as `run` and `attach` have. */
static int fail_unready(struct top *t, int output)
{
    struct top_sampler *s = &t->sampler;
    bool ended = s->program_ended || s->sample_errno == ESRCH;
    top_sampler_stop(s);
    if (!t->launches)
        return cmd_fail_text(CMD_FAILED, "%s", s->lost ? "the sampler died before its first sample" : s->text);
    print_output(output);
    if (ended && s->program_ended) {
        cmd_fail_text(0, "no profile: the program ended before a sample could be taken");
        return session_end_as(s->program_status);
    }
    return cmd_fail_text(CMD_RUN_FAILED, "%s", s->lost ? "the sampler died before its first sample" : s->text);
}

static int watch(struct top *t, const struct top_options *o, const char *path, int output, struct scratch *scratch)
{
    struct error e = {.text = ""};
    char save_as[64];
    CLEANUP(fd_close) int recording = open(path, O_RDONLY | O_CLOEXEC);
    int number = errno;
    scratch_unlink(scratch);
    if (recording < 0) {
        top_sampler_stop(&t->sampler);
        return cmd_fail_text(CMD_FAILED, "cannot read the recording '%s': %s", path, strerror(number));
    }
    snprintf(save_as, sizeof(save_as), "top-%d.pit", (int)t->sampler.program);
    struct live_options live = {.recording = recording,
        .output = output,
        .pid = t->sampler.program,
        .mode = (enum profile_mode)o->session.mode,
        .save_as = save_as,
        .news = news,
        .context = t,
        .tasks = list_tasks};
    int r = live_run(&live, &e);
    top_tasks_release(&t->tasks);
    top_sampler_hear(&t->sampler);
    bool ended_itself = t->sampler.program_ended;
    top_sampler_stop(&t->sampler);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    if (o->session.output)
        session_name_recording(path);
    if (r > 0) {
        (void)signal(r, SIG_DFL);
        (void)raise(r);
        return 128 + r;
    }
    return t->launches && ended_itself ? session_end_as(t->sampler.program_status) : CMD_OK;
}

static bool is_pid(const char *word, int64_t *ret)
{
    char *end;
    if (word[0] < '0' || word[0] > '9')
        return false;
    errno = 0;
    *ret = strtoll(word, &end, 10);
    return *end == '\0';
}

static int start(struct top *t, const struct top_options *o, int64_t pid, char *const *command)
{
    struct scratch scratch = {.path = "", .fd = -1}, written = {.path = "", .fd = -1};
    struct error e = {.text = ""};
    struct top_sampler_options how = {
        .session = o->session, .max_size = o->max_size, .attach = pid, .command = command, .input = -1, .output = -1};
    CLEANUP(fd_close) int input = -1;
    CLEANUP(fd_close) int output = -1;
    int failed = pid != 0 ? CMD_FAILED : CMD_RUN_FAILED;
    how.session.flush_ns = FLUSH_NS;
    if (o->input && (input = open(o->input, O_RDONLY | O_CLOEXEC)) < 0)
        return cmd_fail_text(failed, "cannot read '%s': %s", o->input, strerror(errno));
    if (!o->session.output) {
        if (scratch_open(&scratch, "the recording", &e) < 0)
            return cmd_fail(failed, &e);
        fd_close(&scratch.fd); /* the sampler opens it by its name */
        how.session.output = scratch.path;
    }
    if (pid == 0) {
        if (scratch_open(&written, "the program's output", &e) < 0) {
            scratch_unlink(&scratch);
            return cmd_fail(failed, &e);
        }
        scratch_unlink(&written);
        output = t->output = written.fd;
    }
    how.input = input;
    how.output = output;
    if (top_sampler_start(&how, &t->sampler, &e) < 0) {
        scratch_unlink(&scratch);
        return cmd_fail(failed, &e);
    }
    top_sampler_wait_ready(&t->sampler);
    if (!t->sampler.ready) {
        scratch_unlink(&scratch);
        return fail_unready(t, output);
    }
    /* The name is gone when the scratch file is opened for reading: a copy stays for that. */
    char path[4096];
    snprintf(path, sizeof(path), "%s", how.session.output);
    return watch(t, o, path, output, &scratch);
}

static int top_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct top_options o = {.session = SESSION_DEFAULTS, .max_size = SIZE_MOST};
    struct top t = {.output = -1};
    struct error e;
    char interpreter[4096];
    int64_t pid = 0;

    int used = cmd_options_parse(verb, &o, argc, argv, false);
    if (used < 0)
        return CMD_USAGE;
    if (o.max_size < SIZE_LEAST)
        return cmd_fail_text(CMD_USAGE, "top: --max-size has to be at least 1M");
    bool after_dashes = used > 0 && strcmp(argv[used - 1], "--") == 0;
    argc -= used;
    argv += used;
    if (argc == 0)
        return cmd_fail_text(CMD_USAGE, "top: name a process id, or a command after --; see 'pitviper help top'");
    if (argc == 1 && !after_dashes && is_pid(argv[0], &pid)) {
        if (pid <= 0 || pid > INT32_MAX)
            return cmd_fail_text(CMD_USAGE, "'%s' is no process id; see 'pitviper help top'", argv[0]);
    } else {
        int status = interpreter_check_command("top", argc, argv);
        if (status)
            return status;
    }
    if (live_check(&e) < 0)
        return cmd_fail(CMD_USAGE, &e);
    t.launches = pid == 0;
    if (pid != 0)
        return start(&t, &o, pid, NULL);
    char **words = python_command(o.session.python, argc, argv, interpreter, sizeof(interpreter));
    if (!words)
        return cmd_fail_text(CMD_RUN_FAILED, "out of memory");
    int status = start(&t, &o, 0, words);
    free(words);
    return status;
}

const struct cmd_verb cmd_top_verb = {
    .name = "top",
    .synopsis = "[options] PID | [options] [--] script.py | -m module | command...",
    .summary = "watch where a program's time goes while it runs",
    .options = top_option_table,
    .details =
        "A running program is neither stopped nor written to, and runs on when top is quit. One that top starts\n"
        "has its output shown by the key o, and is ended when top is quit before it; else top ends as it did.\n"
        "The key ? lists the keys.",
    .run = top_run,
};
