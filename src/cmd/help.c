/* The verb table, `help`, `--version`, and the way from main to a verb. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct cmd_verb *const cmd_verbs[] = {
    &cmd_run_verb,
    &cmd_attach_verb,
    &cmd_top_verb,
    &cmd_dump_verb,
    &cmd_report_verb,
    &cmd_diff_verb,
    &cmd_prove_verb,
    &cmd_bench_verb,
    &cmd_scale_verb,
    &cmd_gate_verb,
    &cmd_bisect_verb,
    &cmd_history_verb,
    &cmd_learn_verb,
    &cmd_export_verb,
    &cmd_merge_verb,
    &cmd_cut_verb,
    &cmd_doctor_verb,
    &cmd_selftest_verb,
    &cmd_help_verb,
    NULL,
};

const struct cmd_verb *cmd_verb_find(const char *name)
{
    for (size_t i = 0; cmd_verbs[i]; i++)
        if (strcmp(cmd_verbs[i]->name, name) == 0)
            return cmd_verbs[i];
    return NULL;
}

const struct cmd_verb *cmd_verb_below(const struct cmd_verb *verb, const char *word)
{
    for (size_t i = 0; verb->below != NULL && verb->below[i] != NULL; i++)
        if (strcmp(strrchr(verb->below[i]->name, ' ') + 1, word) == 0)
            return verb->below[i];
    return NULL;
}

static void help_overview(struct buffer *out)
{
    buffer_append_string(out,
        "pitviper finds the hot code in a Python program, from outside, on CPython 3.8 to 3.15.\n\n"
        "usage: pitviper VERB ...\n\n");
    for (size_t i = 0; cmd_verbs[i]; i++)
        buffer_printf(out, "  %-10s %s\n", cmd_verbs[i]->name, cmd_verbs[i]->summary);
    buffer_append_string(
        out, "\n'pitviper help VERB' tells a verb's options; 'pitviper --version' prints the version.\n");
}

static void help_option(struct buffer *out, const struct cmd_option *o)
{
    char letter[5] = "", value[96] = "", left[160];

    if (o->letter)
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    if (o->argument) {
        snprintf(value, sizeof(value), " %s", o->argument);
    } else if (o->kind == CMD_CHOICE) {
        size_t used = 0;
        for (int i = 0; o->choices[i] && used < sizeof(value); i++)
            used += (size_t)snprintf(value + used, sizeof(value) - used, "%c%s", i ? '|' : ' ', o->choices[i]);
    }
    snprintf(left, sizeof(left), "%s--%s%s", letter, o->name, value);
    buffer_printf(out, strlen(left) > 26 ? "  %s\n%30s%s\n" : "  %-26s%s  %s\n", left, "", o->help);
}

static void help_verb(struct buffer *out, const struct cmd_verb *v)
{
    buffer_printf(out, "%s\n\nusage: pitviper %s%s%s\n", v->summary, v->name, *v->synopsis ? " " : "", v->synopsis);
    if (v->below)
        buffer_append_string(out, "\n");
    for (size_t i = 0; v->below && v->below[i]; i++)
        buffer_printf(out, "  %-16s %s\n", v->below[i]->name, v->below[i]->summary);
    if (v->options)
        buffer_append_string(out, "\noptions:\n");
    for (const struct cmd_option *o = v->options; o && o->name; o++)
        help_option(out, o);
    if (v->details)
        buffer_printf(out, "\n%s\n", v->details);
}

int cmd_help(const struct cmd_verb *verb)
{
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, 1 << 20);
    help_verb(&out, verb);
    return cmd_print(STDOUT_FILENO, &out);
}

static int help_run(const struct cmd_verb *verb, int argc, char **argv)
{
    CLEANUP(buffer_release) struct buffer out;
    const struct cmd_verb *about = argc > 0 ? cmd_verb_find(argv[0]) : NULL;

    (void)verb;
    buffer_init(&out, 1 << 20);
    if (argc > 0 && !about)
        return cmd_fail_text(CMD_USAGE, "no such verb '%s': 'pitviper help' lists them", argv[0]);
    if (about && argc > 1 && about->below) {
        about = cmd_verb_below(about, argv[1]);
        if (!about)
            return cmd_fail_text(CMD_USAGE, "no such verb '%s %s': see 'pitviper help %s'", argv[0], argv[1], argv[0]);
    }
    if (about)
        return cmd_help(about);
    help_overview(&out);
    return cmd_print(STDOUT_FILENO, &out);
}

const struct cmd_verb cmd_help_verb = {
    .name = "help",
    .synopsis = "[VERB [WORD]]",
    .summary = "list the verbs, or tell one verb's options",
    .run = help_run,
};

int cmd_main(int argc, char **argv)
{
    if (argc < 2) {
        cmd_fail_text(CMD_USAGE, "a verb is missing: 'pitviper help' lists them");
        return CMD_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        CLEANUP(buffer_release) struct buffer out;
        buffer_init(&out, 256);
        buffer_printf(&out, "pitviper %s\n", PITVIPER_VERSION);
        return cmd_print(STDOUT_FILENO, &out);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help_run(&cmd_help_verb, argc - 2, argv + 2);
    const struct cmd_verb *verb = cmd_verb_find(word);
    if (!verb)
        return cmd_fail_text(CMD_USAGE, "no such verb '%s': 'pitviper help' lists them", word);
    if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
        return help_run(&cmd_help_verb, 1, &argv[1]);
    return verb->run(verb, argc - 2, argv + 2);
}
