/* `bisect`: the commit that made it slow. */
#include "cmd/bisect.h"
#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/side.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MORE_BUDGET 4                       /* times, for a step that did not settle */
#define SETTLE_BUDGET UINT64_C(60000000000) /* of a second try where no budget was asked for */
#define STEPS_MAX 256

struct options {
    struct keep_options keep;
    bool json, first_parent;
    int metric;
    uint64_t budget_ns, timeout_ns, seed;
    const char *claim, *setup, *args, *python, *prepare;
};

static const char *const metric_names[] = {"wall", "cpu", "memory", NULL};

struct step {
    char revision[65];
    enum bisect_answer answer;
    bool measured;
    struct prove_result result;
    char why[320]; /* skipped: what was wrong */
};
struct search {
    const struct options *o;
    struct prove_runner *runner;
    struct prove_options prove;
    struct side_task task;
    struct keep keep;
    struct side good_side;
    struct prove_subject *good_subject;
    char good[65], bad[65], parent[65], subject[256]; /* subject: the commit's first line */
    const char *name;                                 /* of what is run */
    struct prove_result ends, proof;                  /* GOOD against BAD; the commit against the one before it */
    bool proven;                                      /* proof is of the commit and its parent; else of GOOD */
    struct bisect_step found;
    struct step *steps;
    size_t step_count;
    double claim;
    uint64_t begun_ns;
};

static const struct stats_decision *decision_of(const struct search *s, const struct prove_result *result)
{
    return &result->metrics[s->o->metric].decision;
}

static void on_progress(void *context, const struct prove_progress *p)
{
    const struct search *s = context;
    if (s->step_count == 0)
        waiting_show("GOOD against BAD: %.0f s", (double)p->spent_ns / 1e9);
    else
        waiting_show(
            "step %zu, %.10s: %.0f s", s->step_count, s->steps[s->step_count - 1].revision, (double)p->spent_ns / 1e9);
}

/* ---- one candidate ---- */

/* Built, set up and run once: 0, -ENOEXEC with e where this commit cannot be had running, else an error. */
static int make_candidate(
    struct search *s, const char *revision, struct side *side, struct prove_subject **ret, struct error *e)
{
    struct prove_process how = {.timeout_ns = s->prove.timeout_ns};
    struct prove_batch_options once = {.loops = 1, .batches = 1};
    struct prove_batches batches = {0};
    struct prove_run run = {0};
    int r = side_open(s->runner, revision, NULL, side, e);
    if (r < 0)
        return r;
    if (s->o->prepare != NULL && (r = prove_checkout_setup(s->runner, side->checkout, s->o->prepare, e)) < 0)
        return r == -ECANCELED ? r : -ENOEXEC;
    r = side_subject(s->runner, side, &s->task, s->prove.timeout_ns, ret, e);
    if (r < 0)
        return r == -ECANCELED || r == -EXDEV ? r : -ENOEXEC;
    r = prove_subject_run(s->runner, *ret, &once, &how, &batches, &run, e);
    if (r == 0)
        r = prove_run_check(&run, s->name, e);
    prove_batches_release(&batches);
    prove_run_release(&run);
    return r == 0 || r == -ECANCELED ? r : -ENOEXEC;
}

static bool is_undecided(const struct stats_decision *d)
{
    return (d->call == STATS_UNSETTLED || d->call == STATS_UNDECIDED) && !d->refuted;
}

/* GOOD against it, with a larger budget if need be. */
static int compare(struct search *s, const struct prove_subject *a, const struct prove_subject *b, double claim,
    struct prove_result *ret, struct error *e)
{
    struct prove_options how = s->prove;
    how.claim = claim;
    how.same = claim > 0 ? claim : 0.01;
    int r = prove_experiment(s->runner, a, b, &how, ret, e);
    if (r == 0 && !ret->interrupted && is_undecided(decision_of(s, ret))) {
        how.budget_ns = how.budget_ns != 0 ? MORE_BUDGET * how.budget_ns : SETTLE_BUDGET;
        how.seed = hash_mix(ret->seed, 1);
        r = prove_experiment(s->runner, a, b, &how, ret, e);
    }
    return r == 0 && ret->interrupted ? -ECANCELED : r;
}

static void keep_step(struct search *s, const struct prove_result *result, const char *revision)
{
    const struct keep_side sides[2] = {{s->name, s->good}, {s->name, revision}};
    keep_experiment(&s->keep, "bisect", s->name, sides, result);
}

static int try_candidate(struct search *s, struct step *step, struct error *e)
{
    struct side side = {NULL};
    struct prove_subject *subject = NULL;
    int r = make_candidate(s, step->revision, &side, &subject, e);
    if (r == -ENOEXEC) {
        step->answer = BISECT_SKIP;
        snprintf(step->why, sizeof(step->why), "%.300s", e->text);
        r = 0;
    } else if (r == 0) {
        r = compare(s, s->good_subject, subject, s->claim, &step->result, e);
        step->measured = r == 0;
    }
    if (step->measured) {
        const struct stats_decision *d = decision_of(s, &step->result);
        step->answer = d->call == STATS_SLOWER ? BISECT_BAD : is_undecided(d) ? BISECT_SKIP : BISECT_GOOD;
        if (step->answer == BISECT_SKIP)
            snprintf(step->why, sizeof(step->why), "not settled");
        keep_step(s, &step->result, step->revision);
    }
    prove_subject_free(subject);
    side_close(&side);
    return r;
}

/* ---- the search ---- */

/* Is there anything to find? Then half of it, on the logarithmic scale, is what tells slow commits from fast ones. */
static int compare_ends(struct search *s, struct error *e)
{
    struct side side = {NULL};
    struct prove_subject *subject = NULL;
    double asked = 0;
    int r = s->o->claim != NULL ? parse_percent(s->o->claim, &asked) : 0;
    if (r == 0)
        r = side_open(s->runner, s->good, s->o->prepare, &s->good_side, e);
    if (r == 0)
        r = side_subject(s->runner, &s->good_side, &s->task, s->prove.timeout_ns, &s->good_subject, e);
    if (r < 0) {
        error_prefix(e, "GOOD (%.12s)", s->good);
        return r;
    }
    keep_python(&s->keep, s->runner, s->good_subject);
    r = make_candidate(s, s->bad, &side, &subject, e);
    if (r < 0)
        error_prefix(e, "BAD (%.12s)", s->bad);
    if (r == 0)
        r = compare(s, s->good_subject, subject, asked, &s->ends, e);
    if (r == 0) {
        const struct stats_decision *d = decision_of(s, &s->ends);
        s->claim = asked > 0 ? asked : d->low > 1 ? sqrt(d->low) - 1 : 0;
        keep_step(s, &s->ends, s->bad);
    }
    prove_subject_free(subject);
    side_close(&side);
    return r;
}

static int search_steps(struct search *s, struct error *e)
{
    struct bisection b = {.folder = NULL};
    struct bisect_step at;
    s->steps = calloc(STEPS_MAX, sizeof(*s->steps));
    if (s->steps == NULL)
        return error_set(e, ENOMEM, "out of memory");
    int r = bisection_open(s->runner, s->good, s->bad, s->o->first_parent, &b, &at, e);
    while (r == 0 && at.state == BISECT_GOES_ON && s->step_count < STEPS_MAX) {
        struct step *step = &s->steps[s->step_count++];
        snprintf(step->revision, sizeof(step->revision), "%s", at.next);
        r = try_candidate(s, step, e);
        if (r == 0)
            r = bisection_answer(&b, step->revision, step->answer, &at, e);
    }
    if (r == 0 && at.state == BISECT_GOES_ON)
        r = error_set(e, E2BIG, "%d steps did not find it", STEPS_MAX);
    if (r == 0)
        s->found = at;
    bisection_close(&b);
    return r;
}

/* The commit against the one before it; where that one does not run, against GOOD. */
static int prove_commit(struct search *s, struct error *e)
{
    struct side sides[2] = {{.checkout = NULL}, {.checkout = NULL}};
    struct prove_subject *subjects[2] = {NULL, NULL};
    char before[80];
    snprintf(before, sizeof(before), "%s^", s->found.next);
    int r = bisect_commit(s->runner, before, s->parent, e);
    if (r == 0)
        r = make_candidate(s, s->parent, &sides[0], &subjects[0], e);
    s->proven = r == 0;
    if (r == -ENOEXEC)
        r = 0;
    if (r == 0)
        r = make_candidate(s, s->found.next, &sides[1], &subjects[1], e);
    if (r == 0)
        r = compare(s, s->proven ? subjects[0] : s->good_subject, subjects[1], 0, &s->proof, e);
    for (int side = 0; side < 2; side++) {
        prove_subject_free(subjects[side]);
        side_close(&sides[side]);
    }
    bisect_subject(s->runner, s->found.next, s->subject, sizeof(s->subject));
    return r;
}

/* ---- what is told ---- */

static void put_ratio(struct json *j, const struct search *s, const struct prove_result *result)
{
    const struct stats_decision *d = decision_of(s, result);
    json_text(j, "verdict", keep_call_name(d->call));
    json_number(j, "ratio", d->estimate);
    json_number(j, "low", d->low);
    json_number(j, "high", d->high);
    json_integer(j, "runs", (int64_t)result->runs);
    json_number(j, "seconds", (double)result->spent_ns / 1e9);
}

static bool is_slower(const struct search *s)
{
    return decision_of(s, &s->ends)->call == STATS_SLOWER;
}

static int status_of(const struct search *s)
{
    if (!is_slower(s))
        return is_undecided(decision_of(s, &s->ends)) ? CMD_UNSETTLED : CMD_NO;
    return s->found.state == BISECT_FOUND ? CMD_OK : CMD_UNSETTLED;
}

static const char *const answers[] = {[BISECT_GOOD] = "fast", [BISECT_BAD] = "slow", [BISECT_SKIP] = "skipped"};

static void put_json(struct buffer *out, const struct search *s)
{
    struct json j = {.out = out};
    static const char *const states[] = {
        [BISECT_GOES_ON] = "unsettled", [BISECT_FOUND] = "found", [BISECT_LEFT] = "left"};
    bool found = is_slower(s) && s->found.state == BISECT_FOUND;
    json_object_begin(&j, NULL);
    json_text(&j, "verdict",
        is_slower(s)                             ? states[s->found.state]
        : is_undecided(decision_of(s, &s->ends)) ? "unsettled"
                                                 : "not slower");
    json_text(&j, "good", s->good);
    json_text(&j, "bad", s->bad);
    json_object_begin(&j, "ends");
    put_ratio(&j, s, &s->ends);
    json_object_end(&j);
    json_number(&j, "claim", s->claim);
    if (found) {
        json_text(&j, "commit", s->found.next);
        json_text(&j, "subject", s->subject);
        json_object_begin(&j, "proof");
        json_text(&j, "against", s->proven ? s->parent : s->good);
        put_ratio(&j, s, &s->proof);
        json_object_end(&j);
    }
    json_array_begin(&j, "left");
    for (size_t i = 0; is_slower(s) && i < s->found.left_count; i++)
        json_text(&j, NULL, s->found.left[i]);
    json_array_end(&j);
    json_array_begin(&j, "steps");
    for (size_t i = 0; i < s->step_count; i++) {
        const struct step *step = &s->steps[i];
        json_object_begin(&j, NULL);
        json_text(&j, "revision", step->revision);
        json_text(&j, "answer", answers[step->answer]);
        if (step->measured)
            put_ratio(&j, s, &step->result);
        if (step->why[0] != '\0')
            json_text(&j, "why", step->why);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_number(&j, "seconds", (double)(clock_monotonic_ns() - s->begun_ns) / 1e9);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

static void put_change(struct buffer *out, const struct stats_decision *d)
{
    buffer_printf(out, "%+.1f %% (%+.1f to %+.1f)", 100 * (d->estimate - 1), 100 * (d->low - 1), 100 * (d->high - 1));
}

static void put_steps(struct buffer *out, const struct search *s)
{
    for (size_t i = 0; i < s->step_count; i++) {
        const struct step *step = &s->steps[i];
        buffer_printf(out, "  %.12s  %-7s  ", step->revision, answers[step->answer]);
        if (step->measured)
            put_change(out, decision_of(s, &step->result));
        buffer_append_string(out, step->measured && step->why[0] != '\0' ? ", " : "");
        text_append_safe(out, step->why, strlen(step->why));
        buffer_append_byte(out, '\n');
    }
}

static void put_text(struct buffer *out, const struct search *s)
{
    const struct stats_decision *ends = decision_of(s, &s->ends);
    if (!is_slower(s)) {
        buffer_printf(out, "BAD (%.12s) is not slower than GOOD (%.12s)%s: ", s->bad, s->good,
            is_undecided(ends) ? ", as far as this was settled" : "");
        put_change(out, ends);
        buffer_append_byte(out, '\n');
        return;
    }
    if (s->found.state == BISECT_FOUND) {
        buffer_printf(out, "%s made it slower: ", s->found.next);
        put_change(out, decision_of(s, &s->proof));
        buffer_printf(out, " against %s\n    ",
            s->proven ? "the commit before it" : "GOOD, since the commit before it does not run");
        text_append_safe(out, s->subject, strlen(s->subject));
        buffer_append_byte(out, '\n');
    } else {
        buffer_append_string(out, "one of these made it slower; the others could not be run, or did not settle:\n");
        for (size_t i = 0; i < s->found.left_count; i++)
            buffer_printf(out, "    %s\n", s->found.left[i]);
    }
    buffer_printf(out, "BAD (%.12s) against GOOD (%.12s): ", s->bad, s->good);
    put_change(out, ends);
    buffer_printf(out, "; a commit was slow beyond %+.1f %%\n", 100 * s->claim);
    put_steps(out, s);
    buffer_printf(out, "%zu steps in %.0f s\n", s->step_count, (double)(clock_monotonic_ns() - s->begun_ns) / 1e9);
}

static int search_print(const struct search *s)
{
    CLEANUP(buffer_release) struct buffer out;
    buffer_init(&out, 1u << 20);
    if (s->o->json)
        put_json(&out, s);
    else
        put_text(&out, s);
    int printed = cmd_print(STDOUT_FILENO, &out);
    return printed != CMD_OK ? printed : status_of(s);
}

/* ---- the verb ---- */

static int search_all(struct search *s, const char *good, const char *bad, struct error *e)
{
    int r = bisect_commit(s->runner, good, s->good, e);
    if (r == 0)
        r = bisect_commit(s->runner, bad, s->bad, e);
    if (r == 0 && (strcmp(s->good, s->bad) == 0 || !bisect_is_ancestor(s->runner, s->good, s->bad)))
        r = error_set(e, EINVAL, "GOOD (%.12s) has to come before BAD (%.12s) in this history", s->good, s->bad);
    if (r == 0)
        r = compare_ends(s, e);
    if (r == 0 && is_slower(s))
        r = search_steps(s, e);
    if (r == 0 && is_slower(s) && s->found.state == BISECT_FOUND)
        r = prove_commit(s, e);
    return r;
}

static int search_run(struct search *s, const char *good, const char *bad)
{
    struct error e = {""};
    int r = prove_runner_open(&s->runner, &e);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    s->prove.stop = waiting_watch_interrupts();
    prove_runner_watch(s->runner, s->prove.stop);
    int status = keep_open(&s->o->keep, s->runner, &s->keep);
    if (status == CMD_OK) {
        r = search_all(s, good, bad, &e);
        waiting_hide();
        status = r == -ECANCELED || (r < 0 && *s->prove.stop)
                     ? cmd_fail_text(CMD_INTERRUPTED, "interrupted after %zu steps", s->step_count)
                 : r < 0 ? cmd_fail(CMD_FAILED, &e)
                         : search_print(s);
    }
    prove_subject_free(s->good_subject);
    side_close(&s->good_side);
    keep_release(&s->keep);
    prove_runner_close(s->runner);
    free(s->steps);
    return status;
}

static int bisect_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct options o = {0};
    int used = cmd_options_parse(verb, &o, argc, argv, true);
    double claim;
    if (used < 0)
        return CMD_USAGE;
    argc -= used;
    argv += used;
    if (argc < 3)
        return cmd_fail_text(CMD_USAGE, "bisect: name a good and a bad revision and a command, such as "
                                        "v1.0 HEAD -- python app.py");
    if (o.claim != NULL && (parse_percent(o.claim, &claim) < 0 || claim <= 0 || claim >= 1))
        return cmd_fail_text(
            CMD_USAGE, "--claim cannot be '%s': a percentage between 0 and 100, such as 20%%", o.claim);
    if (o.setup != NULL && o.args != NULL)
        return cmd_fail_text(CMD_USAGE, "--setup and --args both make the arguments: give one of them");
    struct search s = {
        .o = &o,
        .name = argv[2],
        .begun_ns = clock_monotonic_ns(),
        .prove = {.metric = (enum prove_metric)o.metric,
            .budget_ns = o.budget_ns,
            .timeout_ns = o.timeout_ns,
            .seed = o.seed,
            .progress = on_progress},
        .task =
            {.text = argv[2], .argv = argc > 3 ? argv + 2 : NULL, .python = o.python, .setup = o.setup, .args = o.args},
    };
    CLEANUP(buffer_release) struct buffer name;
    buffer_init(&name, 1u << 20);
    for (int i = 2; i < argc; i++)
        buffer_printf(&name, "%s%s", i > 2 ? " " : "", argv[i]);
    s.name = buffer_text(&name);
    s.prove.context = &s;
    return search_run(&s, argv[0], argv[1]);
}

static const struct cmd_option bisect_options[] = {
    {"metric", 0, CMD_CHOICE, offsetof(struct options, metric), NULL, "what it is to be slower by (default wall)",
        metric_names},
    {"claim", 0, CMD_TEXT, offsetof(struct options, claim), "X%",
        "a commit is slow where it is slower than GOOD by more than this (default: half of what BAD is)", NULL},
    {"first-parent", 0, CMD_FLAG, offsetof(struct options, first_parent), NULL,
        "follow only the first parent of merges: find the merge that brought it", NULL},
    {"budget", 0, CMD_DURATION, offsetof(struct options, budget_ns), "TIME",
        "of each step; four times that once, where it does not settle it (default: as prove)", NULL},
    {"timeout", 0, CMD_DURATION, offsetof(struct options, timeout_ns), "TIME", "one run may take so long (default 1m)",
        NULL},
    {"prepare", 0, CMD_TEXT, offsetof(struct options, prepare), "CMD",
        "a command run once in each checkout, to build it; a commit where it fails is skipped", NULL},
    {"setup", 0, CMD_TEXT, offsetof(struct options, setup), "EXPR",
        "functions: an expression in their module, the argument (a tuple: all of them)", NULL},
    {"args", 0, CMD_TEXT, offsetof(struct options, args), "FILE", "functions: a JSON list, the arguments", NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE",
        "the interpreter for functions and scripts (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    {"seed", 0, CMD_COUNT, offsetof(struct options, seed), "N", "of every coin: the same order again", NULL},
    KEEP_OPTIONS(struct options, keep),
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print one JSON object", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_bisect_verb = {
    .name = "bisect",
    .synopsis = "[options] GOOD BAD -- command... | module:function",
    .summary = "find the commit that made it slow",
    .options = bisect_options,
    .details = "GOOD is compared with BAD, and then with the commits between them that git bisect names, each in a "
               "checkout made\n"
               "aside. A commit that does not run, or whose verdict does not settle, is skipped.\n"
               "Exit status: 0 found, 1 BAD is not slower, 4 not settled, 3 it could not be done, 130 interrupted.",
    .run = bisect_run,
};
