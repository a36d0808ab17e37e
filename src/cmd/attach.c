/* `attach`: sample a program that is running already. */
#include "cmd/cmd.h"
#include "cmd/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READY_NS = 1000000000,
};

struct attach_options {
    struct session_options session;
};

static const struct cmd_option attach_option_table[] = {
    SESSION_OPTIONS(struct attach_options, session),
    SESSION_LIMIT_OPTIONS(struct attach_options, session),
    CMD_OPTION_END,
};

static void stop(int number)
{
    (void)number;
    session_stop = 1;
}

static int attach_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct attach_options o = {.session = SESSION_DEFAULTS};
    struct sigaction action = {.sa_handler = stop}, ignore = {.sa_handler = SIG_IGN};
    struct session session;
    struct sample_result result = {0};
    struct target *target;
    struct error e;
    uint64_t pid;
    char name[32];

    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used != 1 || parse_count(argv[used], &pid) < 0 || pid == 0 || pid > INT32_MAX)
        return cmd_fail_text(CMD_USAGE, "one process id is needed; see 'pitviper help attach'");
    if (target_open((pid_t)pid, &target, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    snprintf(name, sizeof(name), "%d", (int)pid);
    if (session_open(&session, &o.session, name, &e) < 0) {
        target_close(target);
        return cmd_fail(CMD_FAILED, &e);
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    int r = session_sample(&session, target, READY_NS, &result, &e);
    struct error close_error = {""};
    int closed = session_close(&session, &close_error);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    session_summary(&session, &result);
    if (closed < 0)
        return cmd_fail(CMD_FAILED, &close_error);
    return CMD_OK;
}

const struct cmd_verb cmd_attach_verb = {
    .name = "attach",
    .synopsis = "[options] PID",
    .summary = "sample a running program until it ends, the time is up, or Ctrl-C",
    .options = attach_option_table,
    .details = "The program is neither stopped nor written to.",
    .run = attach_run,
};
