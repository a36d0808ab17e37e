/* `learn start`: the learner's folder, the Python, and five minutes of questions. */
#include "cmd/cmd.h"
#include "cmd/learner.h"
#include "history/history.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)

struct options {
    const char *python;
    bool no_questions;
};

/* ---- the self-check ---- */

static int say(const char *text)
{
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, OUTPUT_MAX);
    buffer_append_string(&out, text);
    return cmd_print(STDOUT_FILENO, &out);
}

static void put_question(struct buffer *out, size_t number, const struct learn_question *q)
{
    buffer_printf(out, "\n%zu of %zu. ", number + 1, learn_question_count);
    cmd_put_words(out, q->text, 8, 0, (size_t)cmd_width(STDOUT_FILENO));
    for (int i = 0; q->choices[i] != NULL; i++)
        buffer_printf(out, "   %c) %s\n", 'a' + i, q->choices[i]);
    buffer_append_string(out, "your answer (a letter; Enter: don't know; q: no more questions): ");
}

/* The index that was chosen; -1: none, -2: no more questions. */
static int read_answer(const struct learn_question *q)
{
    char line[128];
    for (;;) {
        if (fgets(line, sizeof(line), stdin) == NULL)
            return -2;
        char *at = line + strspn(line, " \t");
        int letter = tolower((unsigned char)*at), choice = letter - 'a';
        if (letter == '\n' || letter == '\0')
            return -1;
        if (letter == 'q')
            return -2;
        if (choice >= 0 && choice < 4 && q->choices[choice] != NULL)
            return choice;
        say("a letter, please: ");
    }
}

/* What was not known, and where to read it up; nothing depends on it. */
static void ask_all(struct learn_event *result)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(buffer_release) struct buffer refresh;
    buffer_init(&out, OUTPUT_MAX);
    buffer_init(&refresh, OUTPUT_MAX);
    buffer_printf(&out,
        "\nA self-check of what the course takes for granted: %zu questions, about five minutes. It is for you "
        "alone.\n",
        learn_question_count);
    for (size_t i = 0; i < learn_question_count; i++) {
        const struct learn_question *q = &learn_questions[i];
        put_question(&out, i, q);
        cmd_print(STDOUT_FILENO, &out);
        buffer_clear(&out);
        int choice = read_answer(q);
        if (choice == -2)
            break;
        bool right = choice == (int)q->right;
        result->of++;
        result->right += right;
        if (right)
            buffer_append_string(&out, "right\n");
        else
            buffer_printf(&out, "it is %c) %s\n", 'a' + (int)q->right, q->choices[q->right]);
        if (!right)
            buffer_printf(&refresh, "  %s\n", q->refresh);
    }
    if (result->of > 0)
        buffer_printf(&out, "\n%u of %u right.", result->right, result->of);
    if (refresh.size > 0) {
        buffer_append_string(&out, " Worth reading again before you begin:\n");
        buffer_append(&out, refresh.data, refresh.size);
    } else {
        buffer_append_string(&out, "\n");
    }
    cmd_print(STDOUT_FILENO, &out);
}

static int self_check(struct learner *l, bool unwanted)
{
    struct learn_event x = {.kind = LEARN_SELF_CHECK};
    if (l->state.self_check != NULL || unwanted)
        return 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return say("the self-check is left out: there is no terminal; 'pitviper learn start' asks it on one\n");
    ask_all(&x);
    return x.of == 0 ? 0 : learner_add(l, &x);
}

/* ---- start ---- */

static int make(const char *folder, const struct options *o, struct learner *l)
{
    CLEANUP(buffer_release) struct buffer out;
    struct learn_course course = {.machine = ""};
    struct learner_python python;
    struct history_machine machine;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    int r = learner_python_find(o->python, NULL, &python, &e);
    if (r == 0)
        r = learn_course_make(folder, &course, &e);
    if (r < 0 && r != -EEXIST)
        return cmd_fail(CMD_FAILED, &e);
    int status = learner_open(course.root, l);
    if (status != 0)
        return status;
    history_machine_read(&machine);
    bool known = l->state.start != NULL && strcmp(l->state.start->machine, machine.id) == 0 &&
                 strcmp(l->state.start->python, python.path) == 0;
    struct learn_event x = {.kind = LEARN_START, .python = python.path, .version = python.version};
    status = known ? 0 : learner_add(l, &x);
    if (status != 0)
        return status;
    buffer_append_string(&out, "your folder: ");
    text_append_safe(&out, l->course.root, strlen(l->course.root));
    buffer_append_string(&out, "\nyour labs come there one by one; the lessons are in pitviper's repository\nPython: ");
    buffer_printf(&out, "%s, ", python.version);
    text_append_safe(&out, python.path, strlen(python.path));
    buffer_append_string(&out, " (another: pitviper learn start --python EXE)\n");
    return cmd_print(STDOUT_FILENO, &out);
}

static int start_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    struct learn_course there = {.machine = ""};
    struct options o = {.python = NULL};
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    if (argc - used > 1)
        return cmd_fail_text(CMD_USAGE, "learn start: name one folder");
    const char *folder = used < argc ? argv[used] : NULL;
    /* Within a course, or beside it, `start` means that one: a second by accident would split the learner's log. */
    if (folder == NULL && learn_course_find(NULL, &there, &e) == 0)
        folder = there.root;
    int status = make(folder, &o, &l);
    if (status == 0)
        status = self_check(&l, o.no_questions);
    if (status != 0)
        return status;
    buffer_append_byte(&out, '\n');
    learner_put_where(&out, &l);
    return cmd_print(STDOUT_FILENO, &out);
}

static const struct cmd_option start_options[] = {
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE",
        "the Python for the labs, 3.10 or later (default: $VIRTUAL_ENV, python3, the newest that is found)", NULL},
    {"no-questions", 0, CMD_FLAG, offsetof(struct options, no_questions), NULL, "leave out the self-check", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb learn_start_verb = {
    .name = "learn start",
    .synopsis = "[--python EXE] [FOLDER]",
    .summary = "make your folder (default ./pitviper-course), and check what you know already",
    .options = start_options,
    .details = "In or beside a course it goes on with that one. The self-check asks only on a terminal, and only once.",
    .run = start_run,
};
