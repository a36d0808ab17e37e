/* `run`: start a program, sample it to its end, end as it did. */
#include "cmd/cmd.h"
#include "cmd/interpreter.h"
#include "cmd/merge.h"
#include "cmd/session.h"
#include "python/python.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
    RUNS_MAX = 10000,
    READY_NS = 2000000000, /* a command that is no Python after this gets no profile, but runs on */
};

struct run_options {
    struct session_options session;
    uint64_t repeat;
    bool keep_going;
};

static const struct cmd_option run_option_table[] = {
    SESSION_OPTIONS(struct run_options, session),
    SESSION_LIMIT_OPTIONS(struct run_options, session),
    {"python", 0, CMD_TEXT, offsetof(struct run_options, session.python), "EXE",
        "the interpreter for a script or -m (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    {"repeat", 0, CMD_COUNT, offsetof(struct run_options, repeat), "N",
        "run it so many times, one after the other, into one recording", NULL},
    {"keep-going", 0, CMD_FLAG, offsetof(struct run_options, keep_going), NULL,
        "with --repeat: go on after a run that failed", NULL},
    CMD_OPTION_END,
};

static volatile sig_atomic_t child_pid, series_ended;

static void forward(int number)
{
    int kept = errno;

    series_ended = series_ended || number == SIGTERM || number == SIGHUP;
    if (child_pid > 0)
        (void)kill((pid_t)child_pid, number);
    errno = kept;
}

/* The terminal sends its signals to the program too: then they are its business. What is sent to us alone is passed on.
 */
static void signals_set(void)
{
    static const int passed_on[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
    struct sigaction action = {.sa_handler = forward, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
        (void)sigaction(passed_on[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGQUIT, &action, NULL);
    (void)sigaction(SIGPIPE, &action, NULL);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* What one run came to. */
struct outcome {
    int waited; /* its wait status */
    struct sample_result result;
};

/* Starts the program, samples it, waits for it. 0; or an exit status, told, where it could not be started. */
static int run_once(
    const struct session_options *o, int argc, char **argv, struct session *session, struct outcome *ret)
{
    struct target_launched launched;
    struct target *target;
    struct error e;
    char interpreter[4096];

    if (session_open(session, o, strcmp(argv[0], "-m") == 0 ? argv[1] : argv[0], &e) < 0)
        return cmd_fail(CMD_RUN_FAILED, &e);
    char **words = python_command(o->python, argc, argv, interpreter, sizeof(interpreter));
    if (!words)
        return cmd_fail_text(CMD_RUN_FAILED, "out of memory");
    struct target_launch how = {.argv = words};
    int r = target_launch(&how, &launched, &e);
    free(words);
    if (r < 0) {
        session_close(session, NULL);
        if (!o->output && session->seekable)
            (void)unlink(session->path);
        return cmd_fail(CMD_RUN_FAILED, &e);
    }
    child_pid = launched.pid;
    signals_set();
    r = target_open(launched.pid, &target, &e);
    if (r == 0)
        r = session_sample(session, target, READY_NS, &ret->result, &e);
    int sampled = r;
    struct error close_error = {""}, sample_error = e;
    ret->waited = wait_for(launched.pid);
    child_pid = 0;
    r = session_close(session, &close_error);
    if (sampled < 0 && sampled != -ESRCH)
        cmd_fail_text(0, "no profile: %s", sample_error.text);
    else if (sampled == -ESRCH || ret->result.counters.samples == 0)
        cmd_fail_text(0, "no profile: the program ended before %s",
            ret->result.python_processes ? "a sample could be taken" : "a CPython was seen to run in it");
    if (r < 0)
        cmd_fail_text(0, "the recording is incomplete: %s", close_error.text);
    return 0;
}

static int run_single(const struct run_options *o, int argc, char **argv)
{
    struct session session;
    struct outcome outcome = {0};
    int status = run_once(&o->session, argc, argv, &session, &outcome);

    if (status != 0)
        return status;
    if (outcome.result.counters.samples > 0)
        session_summary(&session, &outcome.result);
    return session_end_as(outcome.waited);
}

/* ---- several runs ---- */

struct series {
    const struct run_options *o;
    struct merge_output out;
    char piece[4096]; /* the recording of one run, until it is merged */
    off_t input;      /* where standard input began; -1: it cannot be read again */
    struct termios terminal;
    bool has_terminal;
    uint64_t begun_ns;
    uint64_t done;
    int worst; /* the wait status of the last run that failed */
};

static int series_open(struct series *s, const char *name, struct error *e)
{
    const char *folder = getenv("TMPDIR");
    struct session session;
    int r = session_path(&session, &s->o->session, name, e);
    if (r == 0)
        r = merge_output_open(&s->out, session.path, e);
    if (r < 0)
        return r;
    snprintf(s->piece, sizeof(s->piece), "%s/pitviper-XXXXXX", folder && *folder ? folder : "/tmp");
    CLEANUP(fd_close) int fd = mkostemp(s->piece, O_CLOEXEC);
    if (fd < 0) {
        r = error_set(e, errno, "cannot write the recording of one run to '%s': %s", s->piece, strerror(errno));
        merge_output_drop(&s->out);
        return r;
    }
    s->has_terminal = tcgetattr(STDIN_FILENO, &s->terminal) == 0;
    s->input = lseek(STDIN_FILENO, 0, SEEK_CUR);
    s->begun_ns = clock_monotonic_ns();
    return 0;
}

/* Each run is to find what the first one found: its input from the start, the terminal as it was, no child of the last.
 */
static void series_reset(struct series *s)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    if (s->has_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->terminal);
        return;
    }
    if (s->input >= 0 && lseek(STDIN_FILENO, s->input, SEEK_SET) >= 0)
        return;
    CLEANUP(fd_close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (s->done == 1 && fcntl(STDIN_FILENO, F_GETFD) >= 0)
        cmd_fail_text(0, "standard input cannot be read twice: only the first run had it");
    if (null >= 0)
        (void)dup2(null, STDIN_FILENO);
}

static void series_progress(const struct series *s)
{
    uint64_t left = s->o->repeat - s->done;
    if (!isatty(STDERR_FILENO))
        return;
    if (s->done == 0)
        fprintf(stderr, "pitviper: %llu runs\n", (unsigned long long)left);
    else if (left > 0)
        fprintf(stderr, "pitviper: %llu of %llu runs, about %.0f s left\n", (unsigned long long)s->done,
            (unsigned long long)s->o->repeat,
            (double)(clock_monotonic_ns() - s->begun_ns) / 1e9 / (double)s->done * (double)left);
}

/* Whether the series goes on after this run. */
static bool series_judge(struct series *s, int waited)
{
    if (WIFEXITED(waited) && WEXITSTATUS(waited) == 0)
        return !series_ended;
    s->worst = waited;
    /* Ctrl-C is meant for all of it, and so is what was sent to us. */
    bool over = series_ended || (WIFSIGNALED(waited) && (WTERMSIG(waited) == SIGINT || WTERMSIG(waited) == SIGQUIT));
    bool goes_on = s->o->keep_going && !over;
    cmd_fail_text(0, "run %llu of %llu ended %s %d%s", (unsigned long long)s->done, (unsigned long long)s->o->repeat,
        WIFSIGNALED(waited) ? "by signal" : "with status", WIFSIGNALED(waited) ? WTERMSIG(waited) : WEXITSTATUS(waited),
        goes_on || s->done == s->o->repeat ? ""
        : over                             ? ": the series ends here"
                                           : ": the series ends here (see --keep-going)");
    return goes_on;
}

static int run_series(const struct run_options *o, int argc, char **argv)
{
    struct series s = {.o = o};
    struct session_options each = o->session;
    struct session session;
    struct error e;
    int status = 0;

    if (series_open(&s, strcmp(argv[0], "-m") == 0 ? argv[1] : argv[0], &e) < 0)
        return cmd_fail(CMD_RUN_FAILED, &e);
    each.output = s.piece;
    for (bool goes_on = true; goes_on && s.done < o->repeat;) {
        struct outcome outcome = {0};
        series_progress(&s);
        status = run_once(&each, argc, argv, &session, &outcome);
        if (status != 0)
            break;
        s.done++;
        if (merge_output_add(&s.out, s.piece, &e) < 0) {
            status = cmd_fail(CMD_RUN_FAILED, &e);
            break;
        }
        goes_on = series_judge(&s, outcome.waited);
        if (goes_on && s.done < o->repeat)
            series_reset(&s);
    }
    (void)unlink(s.piece);
    if (s.done == 0) {
        merge_output_drop(&s.out);
        return status;
    }
    bool seekable = s.out.aside[0] != '\0';
    if (merge_output_close(&s.out, &e) < 0)
        cmd_fail_text(0, "no recording: %s", e.text);
    else if (seekable && cmd_report_file(s.out.path, STDERR_FILENO) == 0)
        fprintf(stderr, "\nrecording: %s   (pitviper report %s)\n", s.out.path, s.out.path);
    return status != 0 ? status : session_end_as(s.worst);
}

static int run_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct run_options o = {.session = SESSION_DEFAULTS, .repeat = 1};
    int used = cmd_options_parse(verb, &o, argc, argv, false);
    if (used < 0)
        return CMD_USAGE;
    if (o.repeat > RUNS_MAX)
        return cmd_fail_text(CMD_USAGE, "--repeat can be %d at most", RUNS_MAX);
    if (o.repeat > 1 && (o.session.last_ns > 0 || o.session.max_size > 0))
        return cmd_fail_text(CMD_USAGE, "--repeat does not go with --last or --max-size");
    argc -= used;
    argv += used;
    int status = interpreter_check_command("run", argc, argv);
    if (status)
        return status;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of the program stay findable below us */
    return o.repeat > 1 ? run_series(&o, argc, argv) : run_single(&o, argc, argv);
}

const struct cmd_verb cmd_run_verb = {
    .name = "run",
    .synopsis = "[options] [--] script.py | -m module | command...",
    .summary = "start a program, sample it to its end, say where its time went",
    .options = run_option_table,
    .details =
        "The program's input, output, signals, terminal and exit status pass through untouched; the summary goes to\n"
        "stderr when it has ended. pitviper's own failure is exit status 125. With --last, SIGRTMIN to pitviper writes "
        "out what\n"
        "it has, as 'pitviper cut' does; all other signals are the program's.\n"
        "With --repeat, each run is a fresh process. Standard input is read anew where it is a file; else only the\n"
        "first run has it. A run that fails ends the series; the exit status is that of the last run that failed.",
    .run = run_run,
};
