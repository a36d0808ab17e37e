/* `learn`: the course. Alone it says where the learner is and what comes next; its words are verbs of their own. */
#include "cmd/cmd.h"
#include "cmd/learner.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)

static const struct cmd_verb *const verbs[] = {
    &learn_start_verb,
    &learn_next_verb,
    &learn_run_verb,
    &learn_check_verb,
    &learn_watch_verb,
    &learn_hint_verb,
    &learn_solution_verb,
    &learn_reflect_verb,
    &learn_project_verb,
    &learn_review_verb,
    &learn_progress_verb,
    &learn_report_verb,
    &learn_verify_verb,
    NULL,
};

static int say_where(void)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct error e;
    struct learn_course unused = {.machine = ""};
    buffer_init(&out, OUTPUT_MAX);
    if (learn_course_find(NULL, &unused, &e) == -ENOENT) {
        buffer_append_string(&out, "no course has been started here\n\nnext: pitviper learn start\n");
        return cmd_print(STDOUT_FILENO, &out);
    }
    int status = learner_open(NULL, &l);
    if (status != 0)
        return status;
    learner_put_where(&out, &l);
    return cmd_print(STDOUT_FILENO, &out);
}

static int learn_run(const struct cmd_verb *verb, int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of write() then, and told */
    if (argc == 0)
        return say_where();
    const struct cmd_verb *below = cmd_verb_below(verb, argv[0]);
    if (below == NULL)
        return cmd_fail_text(CMD_USAGE, "no such verb 'learn %s': see 'pitviper help learn'", argv[0]);
    return below->run(below, argc - 1, argv + 1);
}

const struct cmd_verb cmd_learn_verb = {
    .name = "learn",
    .synopsis = "[start | next | run | check | ...] [options]",
    .summary = "the course: nine modules, labs that are checked, and what you have done of them",
    .details =
        "Alone it says where you are, and the one next command. 'pitviper help learn WORD' tells a word's options.\n"
        "Everything happens on this machine and offline. Your folder may be moved and copied; its log, log.jsonl, is\n"
        "only appended to, and 'learn progress --merge OTHER' takes in that of another machine.\n"
        "Exit status: 0 done, or passed; 1 not passed; 2 usage; 3 it could not be done; 4 not settled.",
    .run = learn_run,
    .below = verbs,
};
