/* `learn run`: the lab's file, or a program of its questions, under the verb `run`. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDINGS_MAX 1000u
#define PLAYER "run.py" /* of the capstone */

struct options {
    const char *python;
};

/* What is run: the word as a path from here, else in the lab's folder. */
static int find_program(const char *folder, const char *word, char ret[LEARN_PATH_MAX])
{
    CLEANUP(free_pointer) char *real = realpath(word, NULL);
    int size =
        real != NULL ? snprintf(ret, LEARN_PATH_MAX, "%s", real) : snprintf(ret, LEARN_PATH_MAX, "%s/%s", folder, word);
    if (size < 0 || size >= (int)LEARN_PATH_MAX)
        return cmd_fail_text(CMD_FAILED, "the name '%.80s' is too long", word);
    if (access(ret, R_OK) < 0)
        return cmd_fail_text(CMD_FAILED, "cannot read %s: %s%s", ret, strerror(errno),
            errno == ENOENT ? "; 'pitviper learn next' lays down what is missing" : "");
    return 0;
}

/* NAME-1.pit and so on, in the lab's folder: a recording from before a change is worth something after it. */
static int name_recording(const char *folder, const char *name, char ret[LEARN_PATH_MAX])
{
    const char *dot = strrchr(name, '.');
    int stem = (int)(dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name));
    for (unsigned number = 1; number <= RECORDINGS_MAX; number++) {
        int size = snprintf(ret, LEARN_PATH_MAX, "%s/%.*s-%u.pit", folder, stem, name, number);
        if (size < 0 || size >= (int)LEARN_PATH_MAX)
            return cmd_fail_text(CMD_FAILED, "the name of %.80s is too long for a recording beside it", name);
        if (access(ret, F_OK) < 0)
            return 0;
    }
    return cmd_fail_text(CMD_FAILED, "there are too many recordings in %s: remove some", folder);
}

/* In a process of its own, because `run` ends as its program does, and the log is to have a line then. */
static int profile(const char *folder, char **words, int count)
{
    int status = 0;
    pid_t pid = fork();
    if (pid < 0)
        return cmd_fail_text(CMD_FAILED, "cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        if (chdir(folder) < 0)
            _exit(cmd_fail_text(CMD_RUN_FAILED, "cannot enter %s: %s", folder, strerror(errno)));
        exit(cmd_run_verb.run(&cmd_run_verb, count, words));
    }
    signal(SIGINT, SIG_IGN); /* it is the program's */
    signal(SIGQUIT, SIG_IGN);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static int run_lab(struct learner *l, const struct grade_lab *lab, const struct options *o, int argc, char **argv)
{
    static char python_option[] = "--python", output_option[] = "-o", end[] = "--";
    char folder[LEARN_PATH_MAX], program[LEARN_PATH_MAX], recording[LEARN_PATH_MAX];
    struct learner_python python;
    struct error e;
    bool plays = lab->kind == GRADE_PROGRAM; /* a scenario, which is a word of its run.py */
    if (argc == 0 && lab->kind == GRADE_ANSWERS)
        return cmd_fail_text(
            CMD_USAGE, "which program of lab %s? its folder has them: 'pitviper learn run PROGRAM.py'", lab->id);
    if (plays && (argc == 0 || argv[0][0] == '-' || strchr(argv[0], '/') != NULL))
        return cmd_fail_text(CMD_USAGE,
            "which scenario? 'pitviper learn run %s SCENARIO', such as day; the README has them all", lab->id);
    if (learner_python_find(o->python, &l->state, &python, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int status = learner_python_suits(lab, &python);
    if (status == 0 && learn_lab_folder(&l->course, lab, folder) < 0)
        status = cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
    if (status == 0)
        status = find_program(folder, plays ? PLAYER : argc > 0 ? argv[0] : learn_lab_file(lab), program);
    if (status == 0)
        status = name_recording(folder, plays ? argv[0] : strrchr(program, '/') + 1, recording);
    if (status != 0)
        return status;
    char **words = calloc((size_t)argc + 7, sizeof(*words));
    if (words == NULL)
        return cmd_fail_text(CMD_FAILED, "out of memory");
    char *const head[] = {python_option, python.path, output_option, recording, end, program};
    memcpy(words, head, sizeof(head));
    int count = ARRAY_SIZE(head);
    for (int i = plays ? 0 : 1; i < argc; i++)
        words[count++] = argv[i];
    int ended = profile(folder, words, count);
    free(words);
    struct learn_event x = {.kind = LEARN_RUN, .lab = lab->id, .recording = strrchr(recording, '/') + 1};
    status = access(recording, F_OK) == 0 ? learner_add(l, &x) : 0;
    return status != 0 ? status : session_end_as(ended);
}

static int learn_run_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct options o = {.python = NULL};
    int used = cmd_options_parse(verb, &o, argc, argv, false);
    if (used < 0)
        return CMD_USAGE;
    int status = learner_open(NULL, &l);
    if (status != 0)
        return status;
    const struct grade_lab *lab = NULL;
    bool named = used < argc && strchr(argv[used], '/') == NULL && (lab = grade_lab_find(argv[used])) != NULL;
    if (!named)
        lab = learner_lab(&l, NULL);
    return lab == NULL ? CMD_FAILED : run_lab(&l, lab, &o, argc - used - named, argv + used + named);
}

static const struct cmd_option run_options[] = {
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE", "the Python (default: that of 'learn start')",
        NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_run_verb = {
    .name = "learn run",
    .synopsis = "[--python EXE] [LAB] [PROGRAM.py | SCENARIO [arguments]]",
    .summary = "profile the lab's file, a program of its questions, or a scenario of the capstone",
    .options = run_options,
    .details = "It is 'pitviper run' with a recording of its own in the lab's folder: NAME-1.pit, NAME-2.pit ...\n"
               "It ends as the program does.",
    .run = learn_run_run,
};
