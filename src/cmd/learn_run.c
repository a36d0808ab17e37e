/* `learn run`: the lab's file, or a program of its questions, under the verb `run`. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "cmd/session.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* Is it the name of one of the first `count` gates? */
static bool is_scenario(const struct grade_lab *lab, unsigned count, const char *word)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(lab->scenarios[i].name, word) == 0)
            return true;
    return false;
}

static int which_scenario(const struct grade_lab *lab)
{
    CLEANUP(buffer_release) struct buffer names;
    buffer_init(&names, 4096);
    for (unsigned i = 0; i < lab->gate_count; i++)
        if (!is_scenario(lab, i, lab->scenarios[i].name)) /* one name may have several gates */
            buffer_printf(&names, "%s%s", i > 0 ? ", " : "", lab->scenarios[i].name);
    return cmd_fail_text(
        CMD_USAGE, "which scenario? 'pitviper learn run %s SCENARIO': %s", lab->id, buffer_text(&names));
}

static int run_lab(struct learner *l, const struct grade_lab *lab, const struct options *o, int argc, char **argv)
{
    static char python_option[] = "--python", output_option[] = "-o", end[] = "--";
    char folder[LEARN_PATH_MAX], program[LEARN_PATH_MAX], recording[LEARN_PATH_MAX];
    struct learner_python python;
    struct error e;
    bool plays = lab->kind == GRADE_PROGRAM; /* a scenario, which is a word of its run.py */
    if (plays && !is_scenario(lab, lab->gate_count, argc > 0 ? argv[0] : ""))
        return which_scenario(lab);
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

static int is_program(const struct dirent *d)
{
    size_t size = strlen(d->d_name);
    return d->d_name[0] != '.' && size > 3 && strcmp(d->d_name + size - 3, ".py") == 0;
}

/* Is one of its recordings of the program as it lies there now? New questions come under the same names. */
static bool is_recorded(const char *folder, const char *name)
{
    char path[LEARN_PATH_MAX];
    struct stat program, recording;
    int stem = (int)strlen(name) - 3;
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) || stat(path, &program) < 0)
        return false;
    for (unsigned number = 1; number <= RECORDINGS_MAX; number++) {
        int size = snprintf(path, sizeof(path), "%s/%.*s-%u.pit", folder, stem, name, number);
        if (size >= (int)sizeof(path) || stat(path, &recording) < 0)
            return false;
        if (recording.st_mtim.tv_sec > program.st_mtim.tv_sec ||
            (recording.st_mtim.tv_sec == program.st_mtim.tv_sec && recording.st_mtim.tv_nsec > program.st_mtim.tv_nsec))
            return true;
    }
    return false;
}

/* Each program of a lab of questions that is not recorded yet. The first that fails ends it. */
static int run_programs(struct learner *l, const struct grade_lab *lab, const struct options *o)
{
    char folder[LEARN_PATH_MAX], path[LEARN_PATH_MAX];
    struct dirent **programs = NULL;
    int status = 0, run = 0;
    if (learn_lab_folder(&l->course, lab, folder) < 0)
        return cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
    int count = scandir(folder, &programs, is_program, alphasort);
    if (count <= 0)
        status = cmd_fail_text(CMD_FAILED, "%s has no programs: 'pitviper learn next %s'", folder, lab->id);
    for (int i = 0; i < count; i++) {
        char *word = path;
        if (status == 0 && !is_recorded(folder, programs[i]->d_name)) {
            bool fits = snprintf(path, sizeof(path), "%s/%s", folder, programs[i]->d_name) < (int)sizeof(path);
            status =
                fits ? run_lab(l, lab, o, 1, &word) : cmd_fail_text(CMD_FAILED, "the name of a program is too long");
            run++;
        }
        free(programs[i]);
    }
    free(programs);
    if (status == 0 && run == 0)
        status = cmd_fail_text(0,
            "each program of lab %s has its recording; one more of one of them: 'pitviper learn run PROGRAM.py'",
            lab->id);
    return status;
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
    int words = argc - used - named;
    if (lab == NULL)
        return CMD_FAILED;
    if (lab->kind == GRADE_ANSWERS && words == 0)
        return run_programs(&l, lab, &o);
    return run_lab(&l, lab, &o, words, argv + used + named);
}

static const struct cmd_option run_options[] = {
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE", "the Python (default: that of 'learn start')",
        NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_run_verb = {
    .name = "learn run",
    .synopsis = "[--python EXE] [LAB] [PROGRAM.py | SCENARIO [arguments]]",
    .summary = "profile the lab's file, the programs of its questions, or a scenario of the capstone",
    .options = run_options,
    .details = "It is 'pitviper run' with a recording of its own in the lab's folder: NAME-1.pit, NAME-2.pit ...\n"
               "It ends as the program does. Without a program, in a lab of questions: each that is not recorded yet.",
    .run = learn_run_run,
};
