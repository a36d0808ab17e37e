/* Option tables: the parser, and the help that is generated from them. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cmd_option *option_by_name(const struct cmd_verb *verb, const char *name, size_t size)
{
    for (const struct cmd_option *o = verb->options; o && o->name; o++)
        if (strlen(o->name) == size && memcmp(o->name, name, size) == 0)
            return o;
    return NULL;
}

static const struct cmd_option *option_by_letter(const struct cmd_verb *verb, char letter)
{
    for (const struct cmd_option *o = verb->options; o && o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

static bool takes_value(const struct cmd_option *o)
{
    return o->kind != CMD_FLAG && o->kind != CMD_FLAG_OFF;
}

static int complain(const struct cmd_verb *verb, const char *what, const char *word)
{
    cmd_fail_text(CMD_USAGE, "%s '%s': see 'pitviper help %s'", what, word, verb->name);
    return -EINVAL;
}

static int store(const struct cmd_verb *verb, const struct cmd_option *o, void *options, const char *value)
{
    void *into = (char *)options + o->into;
    uint64_t number;

    switch (o->kind) {
    case CMD_FLAG:
    case CMD_FLAG_OFF:
        *(bool *)into = o->kind == CMD_FLAG;
        return 0;
    case CMD_TEXT:
        *(const char **)into = value;
        return 0;
    case CMD_COUNT:
        if (parse_count(value, &number) < 0 || number == 0)
            break;
        *(uint64_t *)into = number;
        return 0;
    case CMD_DURATION:
        if (parse_duration(value, &number) < 0 || number == 0)
            break;
        *(uint64_t *)into = number;
        return 0;
    case CMD_CHOICE:
        for (int i = 0; o->choices[i]; i++)
            if (strcmp(o->choices[i], value) == 0) {
                *(int *)into = i;
                return 0;
            }
        break;
    }
    cmd_fail_text(CMD_USAGE, "--%s cannot be '%s': see 'pitviper help %s'", o->name, value, verb->name);
    return -EINVAL;
}

/* One word that begins with a dash; *used says how many words it took. */
static int parse_word(const struct cmd_verb *verb, void *options, int left, char **argv, int *used)
{
    const char *word = argv[0], *value = NULL;
    const struct cmd_option *o;

    *used = 1;
    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        o = option_by_name(verb, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
        value = equals ? equals + 1 : NULL;
    } else {
        o = option_by_letter(verb, word[1]);
        value = word[2] ? word + 2 : NULL;
    }
    if (!o)
        return complain(verb, "no such option", word);
    if (!takes_value(o))
        return value ? complain(verb, "this option takes no value:", word) : store(verb, o, options, NULL);
    if (!value) {
        if (left < 2)
            return complain(verb, "a value is missing after", word);
        value = argv[1];
        *used = 2;
    }
    return store(verb, o, options, value);
}

static bool asks_for_help(const struct cmd_verb *verb, const char *word)
{
    return strcmp(word, "--help") == 0 || (strcmp(word, "-h") == 0 && !option_by_letter(verb, 'h'));
}

int cmd_options_parse(const struct cmd_verb *verb, void *options, int argc, char **argv, bool anywhere)
{
    int at = 0, operands = 0; /* operands already seen are kept at argv[at - operands .. at) */

    while (at < argc) {
        if (strcmp(argv[at], "--") == 0) {
            memmove(&argv[at - operands + 1], &argv[at - operands], (size_t)operands * sizeof(*argv));
            return at + 1 - operands;
        }
        if (argv[at][0] != '-' || argv[at][1] == '\0') {
            if (!anywhere)
                return at;
            operands++;
            at++;
            continue;
        }
        /* `run -m module`: not an option of ours, and it ends ours, as it does python's */
        if (!anywhere && strcmp(argv[at], "-m") == 0 && !option_by_letter(verb, 'm'))
            return at;
        if (asks_for_help(verb, argv[at]))
            exit(cmd_help(verb));
        int used;
        int r = parse_word(verb, options, argc - at, argv + at, &used);
        if (r < 0)
            return r;
        char *words[2] = {argv[at], used == 2 ? argv[at + 1] : NULL};
        memmove(&argv[at - operands + used], &argv[at - operands], (size_t)operands * sizeof(*argv));
        memcpy(&argv[at - operands], words, (size_t)used * sizeof(*argv));
        at += used;
    }
    return at - operands;
}
