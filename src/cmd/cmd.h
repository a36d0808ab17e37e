/*
 * cmd: one file a verb. A verb parses its options, calls a room, prints, and sets the exit status. Only this room
 * prints.
 *
 * Options are tables; the parser, `help VERB` and the usage lines all come from them.
 */
#ifndef PITVIPER_CMD_H
#define PITVIPER_CMD_H

#include "base/base.h"

enum cmd_status {
    CMD_OK = 0,
    CMD_NO = 1, /* the answer is no: a gate failed, a self-test found a distance */
    CMD_USAGE = 2,
    CMD_FAILED = 3, /* could not do it */
    CMD_UNSETTLED = 4,
    CMD_RUN_FAILED = 125, /* `run` ends as its target did; this is its own failure */
    CMD_INTERRUPTED = 130,
};

enum cmd_option_kind {
    CMD_FLAG,     /* bool; given: true */
    CMD_FLAG_OFF, /* bool; given: false (--no-children) */
    CMD_TEXT,     /* const char *, borrowed from argv */
    CMD_COUNT,    /* uint64_t: 1000, 10k, 1M */
    CMD_DURATION, /* uint64_t nanoseconds: 10, 1.5s, 200ms, 2m */
    CMD_CHOICE,   /* int: index into choices */
};
struct cmd_option {
    const char *name; /* without the dashes */
    char letter;      /* or 0 */
    enum cmd_option_kind kind;
    size_t into;          /* offsetof in the verb's own options struct */
    const char *argument; /* what help calls the value: "HZ"; NULL for flags; for a choice NULL prints the choices */
    const char *help;     /* one sentence, no full stop; where it has a default, says so */
    const char *const *choices; /* NULL-terminated */
};
#define CMD_OPTION_END                                                                                                 \
    {                                                                                                                  \
        NULL, 0, CMD_FLAG, 0, NULL, NULL, NULL                                                                         \
    }

struct cmd_verb {
    const char *name, *synopsis, *summary; /* "run", "[options] [--] script.py | -m module | command...", "one line" */
    const struct cmd_option *options;      /* ends with CMD_OPTION_END; NULL: none */
    const char *details;                   /* paragraphs for `help VERB`; NULL: none */
    int (*run)(const struct cmd_verb *verb, int argc, char **argv); /* argv[0] is the first word after the verb */
    const struct cmd_verb *const *below; /* verbs of its own ("learn check"), NULL-terminated; NULL: none */
};

/* Parses options up to the first operand (or "--", which it skips) and stores them in *options. Returns the number of
 * words used, or a negative number after having printed the one line that says what is wrong (then: CMD_USAGE).
 * With `anywhere`, options may also follow operands, and argv is reordered: operands last. --help, and -h where the
 * verb has none of its own, print the verb's help and end the program: nothing has begun yet. */
int cmd_options_parse(const struct cmd_verb *verb, void *options, int argc, char **argv, bool anywhere);

extern const struct cmd_verb *const cmd_verbs[]; /* NULL-terminated, in the order that help lists them */
extern const struct cmd_verb cmd_run_verb, cmd_attach_verb, cmd_top_verb, cmd_dump_verb, cmd_report_verb,
    cmd_export_verb, cmd_cut_verb, cmd_merge_verb, cmd_diff_verb, cmd_prove_verb, cmd_bench_verb, cmd_scale_verb,
    cmd_history_verb, cmd_bisect_verb, cmd_gate_verb, cmd_learn_verb, cmd_doctor_verb, cmd_selftest_verb, cmd_help_verb;

const struct cmd_verb *cmd_verb_find(const char *name);
const struct cmd_verb *cmd_verb_below(const struct cmd_verb *verb, const char *word); /* NULL: it has no such */
int cmd_help(const struct cmd_verb *verb);                                            /* its options, to stdout */
int cmd_main(int argc, char **argv);

/* "pitviper: LINE" on stderr; returns status, so that `return cmd_fail(CMD_FAILED, &e)` reads well. */
int cmd_fail(int status, const struct error *e);
int cmd_fail_text(int status, const char *format, ...) PRINTF_LIKE(2, 3);
/* Writes a buffer to stdout or stderr; a closed pipe is no error, anything else is CMD_FAILED. */
int cmd_print(int fd, const struct buffer *b);
bool cmd_colour(int fd); /* a terminal, TERM not dumb, NO_COLOR unset */
int cmd_width(int fd);   /* columns of the terminal, else $COLUMNS, else 80; never below 40 */

/* Words in lines of at most `width` columns, each line begun with `hanging` blanks but for the first, which goes on at
 * `column`; with a line end behind them. The text has been made safe. */
void cmd_put_words(struct buffer *out, const char *text, size_t column, size_t hanging, size_t width);

/* report.c: the text report of a recording to fd, in the width and colours of that terminal. 0 or an exit status. */
int cmd_report_file(const char *path, int fd);

#endif
