/* `run`: start a program, sample it to its end, end as it did. */
#include "cmd/cmd.h"
#include "cmd/interpreter.h"
#include "cmd/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READY_NS = 2000000000, /* a command that is no Python after this gets no profile, but runs on */
};

struct run_options {
    struct session_options session;
};

static const struct cmd_option run_option_table[] = {
    SESSION_OPTIONS(struct run_options, session),
    {"python", 0, CMD_TEXT, offsetof(struct run_options, session.python), "EXE",
        "the interpreter for a script or -m (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    CMD_OPTION_END,
};

static volatile sig_atomic_t child_pid;

static void forward(int number)
{
    int kept = errno;

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

static void signals_reset(void)
{
    static const int all[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGINT, SIGQUIT, SIGPIPE};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        (void)signal(all[i], SIG_DFL);
}

static int end_as(int status)
{
    if (WIFSIGNALED(status)) {
        signals_reset();
        (void)prctl(PR_SET_DUMPABLE, 0); /* its core dump is enough */
        raise(WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

/* Builds the command line: a script or -m gets an interpreter before it. Freed by the caller, words are borrowed. */
static char **command_words(const struct session_options *o, int argc, char **argv, char *interpreter, size_t size)
{
    bool module = strcmp(argv[0], "-m") == 0, script = !module && interpreter_is_script(argv[0]);
    char **words = calloc((size_t)argc + 2, sizeof(*words));
    size_t n = 0;

    if (!words)
        return NULL;
    if (module || script) {
        interpreter_choose(o->python, script ? argv[0] : NULL, interpreter, size);
        words[n++] = interpreter;
    }
    for (int i = 0; i < argc; i++)
        words[n++] = argv[i];
    return words;
}

static int check_command(int argc, char **argv)
{
    if (argc < 1)
        return cmd_fail_text(
            CMD_USAGE, "nothing to run: name a script, -m module or a command; see 'pitviper help run'");
    if (strcmp(argv[0], "-m") == 0 && argc < 2)
        return cmd_fail_text(CMD_USAGE, "-m needs the name of a module");
    if (strcmp(argv[0], "-m") != 0 && interpreter_is_script(argv[0]) && access(argv[0], R_OK) < 0)
        return cmd_fail_text(CMD_RUN_FAILED, "cannot read the script '%s': %s", argv[0], strerror(errno));
    return 0;
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static int run_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct run_options o = {.session = SESSION_DEFAULTS};
    struct session session;
    struct sample_result result = {0};
    struct target_launched launched;
    struct target *target;
    struct error e;
    char interpreter[4096];

    int used = cmd_options_parse(verb, &o, argc, argv, false);
    if (used < 0)
        return CMD_USAGE;
    argc -= used;
    argv += used;
    int status = check_command(argc, argv);
    if (status)
        return status;
    if (session_open(&session, &o.session, strcmp(argv[0], "-m") == 0 ? argv[1] : argv[0], &e) < 0)
        return cmd_fail(CMD_RUN_FAILED, &e);
    char **words = command_words(&o.session, argc, argv, interpreter, sizeof(interpreter));
    if (!words)
        return cmd_fail_text(CMD_RUN_FAILED, "out of memory");
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of the program stay findable below us */
    struct target_launch how = {.argv = words};
    int r = target_launch(&how, &launched, &e);
    free(words);
    if (r < 0) {
        session_close(&session, NULL);
        if (!o.session.output && session.seekable)
            (void)unlink(session.path);
        return cmd_fail(CMD_RUN_FAILED, &e);
    }
    child_pid = launched.pid;
    signals_set();
    r = target_open(launched.pid, &target, &e);
    if (r == 0)
        r = session_sample(&session, target, READY_NS, &result, &e);
    int sampled = r;
    struct error close_error = {""}, sample_error = e;
    int waited = wait_for(launched.pid);
    r = session_close(&session, &close_error);
    if (sampled < 0 && sampled != -ESRCH)
        cmd_fail_text(0, "no profile: %s", sample_error.text);
    else if (sampled == -ESRCH || result.counters.samples == 0)
        cmd_fail_text(0, "no profile: the program ended before a sample could be taken");
    else
        session_summary(&session, &result);
    if (r < 0)
        cmd_fail_text(0, "the recording is incomplete: %s", close_error.text);
    return end_as(waited);
}

const struct cmd_verb cmd_run_verb = {
    .name = "run",
    .synopsis = "[options] [--] script.py | -m module | command...",
    .summary = "start a program, sample it to its end, say where its time went",
    .options = run_option_table,
    .details =
        "The program's input, output, signals, terminal and exit status pass through untouched; the summary goes to\n"
        "stderr when it has ended. pitviper's own failure is exit status 125.",
    .run = run_run,
};
