/* `prove`: is B faster than A? */
#include "cmd/prove.h"
#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/prove_explain.h"
#include "cmd/scale.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (UINT64_C(1) << 28)
#define EXPLAIN_ROWS 8 /* of each table */

struct options {
    struct keep_options keep;
    bool json, git, same_output, growth, explain;
    int metric;
    uint64_t budget_ns, timeout_ns, seed;
    const char *claim, *same, *sizes, *setup, *args, *python, *input;
};

static const char *const metric_names[] = {"wall", "cpu", "memory", NULL};

static volatile sig_atomic_t stop;

static void on_stop(int number)
{
    (void)number;
    stop = 1;
}

/* ---- the two sides ---- */

struct sides {
    struct prove_runner *runner;
    struct prove_checkout *checkouts[2];
    struct prove_subject *subjects[2];
    char names[2][128]; /* as the report calls them */
};

static void sides_release(struct sides *s)
{
    for (int side = 0; side < 2; side++) {
        prove_subject_free(s->subjects[side]);
        prove_checkout_free(s->checkouts[side]);
    }
    prove_runner_close(s->runner);
}

static int make_subject(
    char **words, int count, const struct prove_subject_options *so, struct prove_subject **ret, struct error *e)
{
    return count == 1 ? prove_subject_new(words[0], so, ret, e) : prove_subject_new_command(words, so, ret, e);
}

/* Two commands or functions, a text each. */
static int take_texts(const struct options *o, char **words, struct sides *s, struct error *e)
{
    struct prove_subject_options so = {.python = o->python, .setup = o->setup, .args = o->args, .input = o->input};
    for (int side = 0; side < 2; side++) {
        int r = prove_subject_new(words[side], &so, &s->subjects[side], e);
        if (r < 0)
            return r;
        snprintf(s->names[side], sizeof(s->names[side]), "%s", words[side]);
    }
    return 0;
}

/* REV_A REV_B COMMAND... */
static int take_revisions(const struct options *o, int count, char **words, struct sides *s, struct error *e)
{
    bool dirty = false;
    int r = prove_tree_dirty(s->runner, &dirty, e);
    for (int side = 0; side < 2 && (r == 0 || r == -ENOTSUP); side++) {
        r = prove_checkout_new(s->runner, words[side], &s->checkouts[side], e);
        if (r < 0)
            break;
        const struct prove_checkout *c = s->checkouts[side];
        struct prove_subject_options so = {
            .python = o->python,
            .args = o->args,
            .input = o->input,
            .folder = c->folder,
            .environment = (const char *const *)c->environment,
        };
        r = make_subject(words + 2, count - 2, &so, &s->subjects[side], e);
        snprintf(s->names[side], sizeof(s->names[side]), "%.60s (%.12s)", words[side], c->revision);
    }
    if (r == 0 && dirty)
        cmd_fail_text(0, "the uncommitted changes of this work tree take no part: two revisions are compared");
    if (r == 0 && strcmp(s->checkouts[0]->revision, s->checkouts[1]->revision) == 0)
        cmd_fail_text(0, "%s and %s are the same commit", words[0], words[1]);
    for (int side = 0; side < 2 && r == 0 && o->setup; side++)
        if (s->subjects[side]->kind == PROVE_COMMAND)
            r = prove_checkout_setup(s->runner, s->checkouts[side], o->setup, e);
        else
            s->subjects[side]->options.setup = o->setup;
    for (int side = 0; side < 2 && r == 0; side++)
        r = prove_checkout_probe(s->runner, s->checkouts[side], s->subjects[side], o->timeout_ns, e);
    return r;
}

/* ---- while it runs ---- */

static void on_progress(void *context, const struct prove_progress *p)
{
    (void)context;
    fprintf(stderr, "\r%s: %llu runs, %.0f s", p->stage, (unsigned long long)p->runs, (double)p->spent_ns / 1e9);
    if (p->budget_ns > 0)
        fprintf(stderr, " of at most %.0f", (double)p->budget_ns / 1e9);
    if (isfinite(p->ratio))
        fprintf(stderr, "; B / A %.3f (%.3f to %.3f)", p->ratio, p->low, p->high);
    fputs("\033[K", stderr);
    fflush(stderr);
}

static int status_of(const struct prove_result *result)
{
    if (result->interrupted)
        return CMD_INTERRUPTED;
    switch (result->metrics[result->metric].decision.call) {
    case STATS_FASTER:
    case STATS_SAME:
        return CMD_OK;
    case STATS_SLOWER:
        return CMD_NO;
    default:
        return CMD_UNSETTLED;
    }
}

/* `why`: NULL where no explanation was asked for, or none could be had. */
static int prove_print(const struct options *o, const struct prove_options *po, const struct sides *s,
    const struct prove_result *result, const struct diff_sides *why)
{
    CLEANUP(buffer_release) struct buffer out, explanation;
    const char *names[2] = {s->names[0], s->names[1]};
    const struct report_options how = {
        .width = (size_t)cmd_width(STDOUT_FILENO),
        .colour = cmd_colour(STDOUT_FILENO),
        .rows = EXPLAIN_ROWS,
    };
    int status = CMD_OK;
    buffer_init(&out, OUTPUT_MAX);
    buffer_init(&explanation, OUTPUT_MAX);
    if (why)
        status = diff_sides_write(&explanation, why, names, o->json ? NULL : &how);
    if (o->json) {
        prove_write_json(&out, po, s->subjects, names, result, why ? &explanation : NULL);
    } else {
        prove_write_text(&out, po, s->subjects, names, result, how.colour);
        if (why)
            buffer_append_string(&out, "\nwhy, by other runs of both under the sampler\n");
        buffer_append(&out, explanation.data, explanation.size);
    }
    int printed = cmd_print(STDOUT_FILENO, &out);
    return printed != CMD_OK ? printed : status != CMD_OK ? status : status_of(result);
}

/* Of two revisions each side is a point in the history of what was run; of two programs each has a history of its own.
 */
static void keep_sides(struct keep *k, const struct sides *s, const struct prove_result *result)
{
    CLEANUP(free_pointer) char *both = NULL;
    bool revisions = s->checkouts[0] != NULL;
    const char *names[2] = {s->subjects[0]->name, s->subjects[1]->name};
    struct keep_side sides[2];
    for (int side = 0; side < 2; side++)
        sides[side] = (struct keep_side){names[side], revisions ? s->checkouts[side]->revision : NULL};
    if (!revisions && asprintf(&both, "%s -> %s", names[0], names[1]) < 0)
        return;
    keep_python(k, s->runner, s->subjects[1]);
    keep_experiment(k, "prove", revisions ? names[1] : both, sides, result);
}

static int prove_sides(const struct options *o, struct prove_options *po, int count, char **words)
{
    struct sides s = {0};
    struct prove_result result;
    struct error e = {""};
    struct sigaction action = {.sa_handler = on_stop};
    struct keep keep = {.path = NULL};
    struct diff_sides *why = NULL;
    int unexplained = CMD_OK;

    int r = prove_runner_open(&s.runner, &e);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    prove_runner_watch(s.runner, &stop);
    int status = keep_open(&o->keep, s.runner, &keep);
    if (status != CMD_OK) {
        sides_release(&s);
        return status;
    }
    r = o->git ? take_revisions(o, count, words, &s, &e) : take_texts(o, words, &s, &e);
    for (int side = 0; side < 2 && r == 0; side++)
        r = prove_subject_resolve(s.runner, s.subjects[side], &e);
    if (r == 0)
        r = prove_experiment(s.runner, s.subjects[0], s.subjects[1], po, &result, &e);
    if (po->progress)
        fputs("\r\033[K", stderr);
    if (r == 0 && o->explain && !result.interrupted)
        why = prove_explain(s.runner, s.subjects, po, &unexplained);
    status = stop && r < 0 ? cmd_fail_text(CMD_INTERRUPTED, "interrupted before there was anything to compare")
             : r < 0       ? cmd_fail(CMD_FAILED, &e)
                           : prove_print(o, po, &s, &result, why);
    diff_sides_free(why);
    if (r == 0 && unexplained != CMD_OK)
        status = unexplained;
    if (r == 0 && !result.interrupted)
        keep_sides(&keep, &s, &result);
    keep_release(&keep);
    sides_release(&s);
    return status;
}

static int prove_verb(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    struct prove_options po = {.same = 0.01, .stop = &stop};
    int used = cmd_options_parse(verb, &o, argc, argv, true);

    if (used < 0)
        return CMD_USAGE;
    argc -= used;
    argv += used;
    if (o.claim && (parse_percent(o.claim, &po.claim) < 0 || po.claim >= 1))
        return cmd_fail_text(CMD_USAGE, "--claim cannot be '%s': a percentage below 100, such as 5%%", o.claim);
    if (o.same && (parse_percent(o.same, &po.same) < 0 || po.same <= 0 || po.same >= 1))
        return cmd_fail_text(CMD_USAGE, "--same cannot be '%s': a percentage between 0 and 100, such as 1%%", o.same);
    if (o.setup && o.args)
        return cmd_fail_text(CMD_USAGE, "--setup and --args both make the arguments: give one of them");
    if (o.git && argc < 3)
        return cmd_fail_text(
            CMD_USAGE, "prove --git: name two revisions and a command, such as HEAD~1 HEAD -- python app.py");
    if (!o.git && argc != 2)
        return cmd_fail_text(CMD_USAGE, "prove: name two commands, each in quotes, or two functions; "
                                        "such as 'python old.py' 'python new.py'");
    if (o.growth && (o.git || o.args || o.same_output || o.claim))
        return cmd_fail_text(CMD_USAGE, "prove --growth compares two functions by --setup and --sizes alone");
    if (o.growth && o.explain)
        return cmd_fail_text(CMD_USAGE, "--explain goes with a verdict, not with --growth");
    if (o.sizes && !o.growth)
        return cmd_fail_text(CMD_USAGE, "--sizes belong to --growth");
    if (o.growth)
        return scale_compare(&(struct scale_sides){.names = {argv[0], argv[1]},
            .python = o.python,
            .setup = o.setup,
            .sizes = o.sizes,
            .keep = o.keep,
            .budget_ns = o.budget_ns,
            .timeout_ns = o.timeout_ns,
            .json = o.json});
    po.metric = (enum prove_metric)o.metric;
    po.budget_ns = o.budget_ns;
    po.timeout_ns = o.timeout_ns;
    po.seed = o.seed;
    po.same_output = o.same_output;
    po.progress = isatty(STDERR_FILENO) ? on_progress : NULL;
    return prove_sides(&o, &po, argc, argv);
}

static const struct cmd_option prove_options[] = {
    {"git", 0, CMD_FLAG, offsetof(struct options, git), NULL,
        "compare two revisions: the command runs in a checkout of each, made aside", NULL},
    {"metric", 0, CMD_CHOICE, offsetof(struct options, metric), NULL,
        "what the verdict is about; the others are told beside it (default wall)", metric_names},
    {"claim", 0, CMD_TEXT, offsetof(struct options, claim), "X%",
        "call it faster only where it is by more than this (default 0)", NULL},
    {"same", 0, CMD_TEXT, offsetof(struct options, same), "E%", "call it the same within this (default 1%)", NULL},
    {"budget", 0, CMD_DURATION, offsetof(struct options, budget_ns), "TIME",
        "stop after so long, settled or not (default: the time of 40 runs of each, at least 15s)", NULL},
    {"timeout", 0, CMD_DURATION, offsetof(struct options, timeout_ns), "TIME", "one run may take so long (default 1m)",
        NULL},
    {"same-output", 0, CMD_FLAG, offsetof(struct options, same_output), NULL,
        "refuse where A and B do not print or return the same", NULL},
    {"explain", 0, CMD_FLAG, offsetof(struct options, explain), NULL,
        "sample further runs of both, and say which functions and lines carry the difference", NULL},
    {"growth", 0, CMD_FLAG, offsetof(struct options, growth), NULL,
        "functions: compare how their time grows with n, which --setup sees or which is the argument", NULL},
    {"sizes", 0, CMD_TEXT, offsetof(struct options, sizes), "LIST",
        "with --growth: such as 1k,2k,4k (default: as `scale` chooses)", NULL},
    {"setup", 0, CMD_TEXT, offsetof(struct options, setup), "EXPR|CMD",
        "functions: an expression in their module, the argument (a tuple: all of them); --git: a command run once in "
        "each checkout",
        NULL},
    {"args", 0, CMD_TEXT, offsetof(struct options, args), "FILE", "functions: a JSON list, the arguments", NULL},
    {"input", 0, CMD_TEXT, offsetof(struct options, input), "FILE",
        "commands: what they read on stdin (default nothing)", NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE",
        "the interpreter for functions and scripts (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    {"seed", 0, CMD_COUNT, offsetof(struct options, seed), "N", "of every coin: the same order again", NULL},
    KEEP_OPTIONS(struct options, keep),
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print the same facts as JSON", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_prove_verb = {
    .name = "prove",
    .synopsis = "[options] A B | [options] --git REV_A REV_B -- command...",
    .summary = "say whether B is faster than A, by how much at least, and when to stop",
    .options = prove_options,
    .details =
        "A and B are commands, each one word of the shell ('python old.py'), or functions (module:name, "
        "file.py:name).\n"
        "Both are run in fresh processes, in blocks of A B B A or B A A B, until the answer is settled or the time is\n"
        "spent. Exit status: 0 B is faster or the same, 1 slower, 4 not settled, 3 it could not be done, 130 "
        "interrupted.",
    .run = prove_verb,
};
