/* `learn reflect`: one question a module, answered in writing, with a receipt and its figure. */
#include "cmd/cmd.h"
#include "cmd/learner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)1 << 20)
#define COMMENT '#' /* lines that begin with it are ours */

/* The module that was named: "3", "03". 0: it is none. */
static unsigned parse_module(const char *text)
{
    char *end;
    unsigned long module = strtoul(text, &end, 10);
    return *end == '\0' && end != text && module >= 1 && module <= GRADE_MODULES ? (unsigned)module : 0;
}

/* What may be cited of this module, best attempts first to be seen: id, lab, outcome, figure. */
static void put_receipts(struct buffer *out, const struct learner *l, unsigned module, const char *before)
{
    for (size_t i = 0; i < l->log.count; i++) {
        const struct learn_event *x = &l->log.events[i];
        const struct learn_lab_state *s = x->kind == LEARN_CHECK ? learn_state_find(&l->state, x->lab) : NULL;
        if (s == NULL || s->lab->module != module || x->receipt[0] == '\0' || x->figure_count == 0)
            continue;
        buffer_printf(out, "%s%.8s  lab %s, %s:", before, x->receipt, s->lab->id, grade_outcome_text(x->outcome));
        for (unsigned k = 0; k < x->figure_count && k < 6; k++)
            buffer_printf(out, " %.3g", x->figures[k]);
        buffer_append_byte(out, '\n');
    }
}

static void put_form(struct buffer *out, const struct learner *l, unsigned module)
{
    const struct grade_module *m = grade_module(module);
    buffer_printf(out,
        "\n# Module %02u, %s\n# %s\n#\n# At least %u words. Cite a receipt by its first eight digits, and quote a "
        "figure of it.\n"
        "# Lines that begin with %c are left out. Receipts of this module, with what they measured:\n",
        module, m == NULL ? "" : m->title, learn_reflect_question(module), LEARN_WORDS_LEAST, COMMENT);
    put_receipts(out, l, module, "#   ");
}

/* Without the lines that are comments, and without blanks around. */
static void strip(struct buffer *from, struct buffer *into)
{
    const char *at = buffer_text(from);
    while (*at != '\0') {
        size_t size = strcspn(at, "\n");
        size_t whole = size + (at[size] == '\n');
        if (*at != COMMENT)
            buffer_append(into, at, whole);
        at += whole;
    }
    while (into->size > 0 && strchr(" \t\r\n", into->data[into->size - 1]) != NULL)
        into->size--;
    size_t blanks = strspn(buffer_text(into), " \t\r\n");
    memmove(into->data, into->data + blanks, into->size - blanks);
    into->size -= blanks;
}

/* ---- the editor ---- */

/* It may be a command with words: git does the same. */
static int edit(const char *editor, const char *path)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        char command[1024];
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        snprintf(command, sizeof(command), "%s \"$1\"", editor);
        execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        return cmd_fail_text(CMD_FAILED, "cannot start a process: %s", strerror(errno));
    void (*old)(int) = signal(SIGINT, SIG_IGN);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    signal(SIGINT, old);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return cmd_fail_text(
            CMD_FAILED, "the editor '%.80s' failed; what you wrote, if anything, is in %s", editor, path);
    return 0;
}

/* The draft stays in the course's folder, so that a text that lacks something is not lost. */
static int compose(const struct learner *l, unsigned module, struct buffer *text, char draft[LEARN_PATH_MAX])
{
    CLEANUP(buffer_release) struct buffer form;
    const char *editor = getenv("VISUAL");
    struct error e;
    buffer_init(&form, OUTPUT_MAX);
    editor = editor != NULL && editor[0] != '\0' ? editor : getenv("EDITOR");
    if (editor == NULL || editor[0] == '\0' || !isatty(STDOUT_FILENO))
        return cmd_fail_text(CMD_USAGE,
            "learn reflect: name a file with your text, or - for standard input (or set $EDITOR): "
            "'pitviper learn reflect %u FILE'",
            module);
    if (learn_path(&l->course, draft, "drafts/reflection-%02u.md", module) < 0)
        return cmd_fail_text(CMD_FAILED, "the name of the course's folder is too long");
    put_form(&form, l, module);
    if (access(draft, F_OK) < 0 && learn_file_write(draft, form.data, form.size, false, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int status = edit(editor, draft);
    if (status != 0)
        return status;
    int r = file_read_all(AT_FDCWD, draft, text);
    return r < 0 ? cmd_fail_text(CMD_FAILED, "cannot read %s: %s", draft, strerror(-r)) : 0;
}

/* ---- the verb ---- */

static int read_text(const char *path, struct buffer *text)
{
    bool input = strcmp(path, "-") == 0;
    int r = file_read_all(AT_FDCWD, input ? "/proc/self/fd/0" : path, text);
    if (r == -EFBIG)
        return cmd_fail_text(CMD_FAILED, "a reflection has %zu KB at most", LEARN_TEXT_MAX >> 10);
    return r < 0 ? cmd_fail_text(CMD_FAILED, "cannot read %s: %s", input ? "standard input" : path, strerror(-r)) : 0;
}

static int say_question(const struct learner *l, unsigned module)
{
    CLEANUP(buffer_release) struct buffer out;
    const struct grade_module *m = grade_module(module);
    buffer_init(&out, OUTPUT_MAX);
    buffer_printf(&out, "module %02u, %s\n%s\n", module, m == NULL ? "" : m->title, learn_reflect_question(module));
    buffer_printf(&out, "at least %u words; cite a receipt, and quote a figure of it:\n", LEARN_WORDS_LEAST);
    put_receipts(&out, l, module, "  ");
    return cmd_print(STDERR_FILENO, &out);
}

static int keep(struct learner *l, unsigned module, struct buffer *text, const char *draft)
{
    CLEANUP(buffer_release) struct buffer out, plain;
    const struct learn_event *cited;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    buffer_init(&plain, LEARN_TEXT_MAX + 1);
    strip(text, &plain);
    if (learn_reflect_check(&l->log, buffer_text(&plain), &cited, &e) < 0)
        return cmd_fail_text(CMD_NO, "the reflection on module %02u is not taken: %s%s%s", module, e.text,
            draft[0] == '\0' ? "" : "; your text is in ", draft);
    struct learn_event x = {
        .kind = LEARN_REFLECT, .module = module, .receipt = cited->receipt, .text = buffer_text(&plain)};
    int status = learner_add(l, &x);
    if (status != 0)
        return status;
    if (draft[0] != '\0')
        (void)unlink(draft);
    buffer_printf(&out, "the reflection on module %02u is kept: %zu words\n\n", module, learn_reflect_words(x.text));
    learner_put_next(&out, l);
    return cmd_print(STDOUT_FILENO, &out);
}

static int reflect_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer text;
    CLEANUP(learner_close) struct learner l = {.lab_count = 0};
    char draft[LEARN_PATH_MAX] = "";
    buffer_init(&text, LEARN_TEXT_MAX);
    int used = cmd_options_parse(verb, NULL, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    int status = learner_open(NULL, &l);
    if (status != 0)
        return status;
    unsigned module = used < argc ? parse_module(argv[used]) : 0;
    used += module != 0;
    if (argc - used > 1)
        return cmd_fail_text(CMD_USAGE, "learn reflect: name a module, 1 to %u, and one file", GRADE_MODULES);
    module = module != 0 ? module : l.state.module;
    const struct learn_module_state *m = &l.state.modules[module];
    if (m->core_passed < m->core)
        cmd_fail_text(
            0, "module %02u has core labs that are not passed yet; a reflection may be written again later", module);
    if (used < argc && strcmp(argv[used], "-") == 0 && isatty(STDIN_FILENO))
        status = say_question(&l, module);
    if (status == 0)
        status = used < argc ? read_text(argv[used], &text) : compose(&l, module, &text, draft);
    return status != 0 ? status : keep(&l, module, &text, draft);
}

const struct cmd_verb learn_reflect_verb = {
    .name = "learn reflect",
    .synopsis = "[MODULE] [FILE | -]",
    .summary = "write down what you make of a module: 60 words, a receipt, its figure",
    .details =
        "Without a file it opens $VISUAL or $EDITOR, with the question and what may be cited. - is standard input.\n"
        "The newest text on a module counts; none is lost, and nobody grades them.",
    .run = reflect_run,
};
