/* `gate`: is anything slower than it was? For CI. */
#include "cmd/gate.h"
#include "cmd/bisect.h"
#include "cmd/cmd.h"
#include "cmd/keep.h"
#include "cmd/outfile.h"
#include "cmd/side.h"
#include "cmd/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX ((size_t)64 << 20)
#define BUDGET_EACH UINT64_C(60000000000)
#define COUNT_NS UINT64_C(20000000000) /* a call that takes longer, counted, is not counted */
#define CLAIM 0.05
#define PEAK_LEAST 4096 /* bytes: less is what an object more or less makes */
#define NOT_SAID (-1)

enum { UNSETTLED_TELL, UNSETTLED_OK, UNSETTLED_FAIL };

struct options {
    struct keep_options keep;
    bool json, tree, no_work, stored;
    int metric, unsettled;
    uint64_t budget_ns, timeout_ns, seed, width;
    const char *base, *claim, *work, *config, *prepare, *python, *junit, *markdown;
};

static const char *const metric_names[] = {"wall", "cpu", "memory", NULL};
static const char *const unsettled_names[] = {"tell", "ok", "fail", NULL};

struct gate {
    struct options o;
    struct prove_runner *runner;
    struct prove_options prove;
    struct keep keep;
    struct side sides[2]; /* base, head */
    struct gate_subjects subjects;
    struct gate_config config;
    struct gate_report report;
    size_t at;   /* the row that is being measured */
    size_t left; /* rows to be measured, that one included */
    uint64_t begun_ns;
};

/* ---- what was asked for: the line, then the file, then what is usual ---- */

static int read_config(struct gate *g, bool subjects_named, struct error *e)
{
    CLEANUP(buffer_release) struct buffer text;
    const char *path = g->o.config != NULL ? g->o.config : GATE_CONFIG;
    struct gate_subjects unused;
    buffer_init(&text, GATE_CONFIG_MAX);
    int r = file_read_all(AT_FDCWD, path, &text);
    if (r == -ENOENT && g->o.config == NULL)
        return 0;
    if (r < 0)
        return error_set(e, -r, "cannot read %s: %s", path, strerror(-r));
    gate_subjects_init(&unused);
    r = gate_config_parse(
        (const char *)text.data, text.size, path, &g->config, subjects_named ? &unused : &g->subjects, e);
    gate_subjects_release(&unused);
    return r;
}

static int find_choice(const char *const *names, const char *text)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return NOT_SAID;
}

static int take_part(const char *name, const char *line, const char *file, double usual, double *ret, struct error *e)
{
    const char *text = line != NULL ? line : file;
    *ret = usual;
    if (text == NULL || (parse_percent(text, ret) == 0 && *ret < 1))
        return 0;
    return error_set(e, EINVAL, "%s cannot be '%.40s': a percentage below 100, such as 5%%", name, text);
}

static int settle_options(struct gate *g, struct error *e)
{
    struct options *o = &g->o;
    struct gate_config *c = &g->config;
    int r = take_part("claim", o->claim, c->claim, CLAIM, &g->report.claim, e);
    if (r == 0 && !(g->report.claim > 0))
        r = error_set(e, EINVAL, "claim cannot be 0: nothing is ever that much the same");
    if (r == 0)
        r = take_part("work", o->work, c->work, g->report.claim, &g->report.work_claim, e);
    if (r == 0 && o->metric == NOT_SAID && c->metric != NULL && (o->metric = find_choice(metric_names, c->metric)) < 0)
        r = error_set(e, EINVAL, "metric cannot be '%.40s': wall, cpu or memory", c->metric);
    if (r == 0 && o->unsettled == NOT_SAID && c->unsettled != NULL &&
        (o->unsettled = find_choice(unsettled_names, c->unsettled)) < 0)
        r = error_set(e, EINVAL, "unsettled cannot be '%.40s': tell, ok or fail", c->unsettled);
    if (r == 0 && o->budget_ns == 0 && c->budget != NULL && parse_duration(c->budget, &o->budget_ns) < 0)
        r = error_set(e, EINVAL, "budget cannot be '%.40s': 90s, 5m", c->budget);
    o->metric = o->metric < 0 ? PROVE_WALL : o->metric;
    o->unsettled = o->unsettled < 0 ? UNSETTLED_TELL : o->unsettled;
    o->prepare = o->prepare != NULL ? o->prepare : c->prepare;
    o->python = o->python != NULL ? o->python : c->python;
    o->base = o->base != NULL ? o->base : c->base;
    g->report.metric = (enum prove_metric)o->metric;
    g->report.stored = o->stored;
    if (r == 0 && o->stored && (o->metric != PROVE_WALL || o->keep.off))
        r = error_set(
            e, EINVAL, "--stored is about wall time and counted work, of a store: without --metric and --no-store");
    g->report.unsettled_fails = o->unsettled == UNSETTLED_FAIL;
    g->report.unsettled_passes = o->unsettled == UNSETTLED_OK;
    return r;
}

/* ---- the two sides ---- */

/* A clean tree is judged by a checkout of its commit, so that both sides are made alike; a changed one as it is. */
static int open_sides(struct gate *g, struct error *e)
{
    struct gate_report *report = &g->report;
    bool dirty = false;
    int r = prove_tree_dirty(g->runner, &dirty, e);
    if (r == 0)
        r = bisect_commit(g->runner, "HEAD", report->head, e);
    if (r == -EIO || r == -ENOTSUP)
        return error_set(e, ENOTDIR, "gate compares revisions, and this folder is in no git work tree");
    if (r < 0)
        return r;
    report->tree = dirty || g->o.tree;
    report->base_name = g->o.base != NULL ? g->o.base : report->tree ? "HEAD" : "HEAD~1";
    r = bisect_commit(g->runner, report->base_name, report->base, e);
    if (r < 0) {
        if (g->o.base == NULL)
            error_set(
                e, ENOENT, "there is no commit before this one here: name a base with --base (and let CI fetch it)");
        return r;
    }
    if (report->tree && g->o.prepare != NULL)
        return error_set(e, EINVAL,
            "the tree has changes that are not committed, and --prepare would write into it: "
            "commit them first");
    if (!report->stored)
        r = side_open(g->runner, report->base, g->o.prepare, &g->sides[0], e);
    if (r == 0)
        r = side_open(g->runner, report->tree ? NULL : report->head, g->o.prepare, &g->sides[1], e);
    return r;
}

static bool is_new(const struct gate *g, const struct gate_subject *s)
{
    return !g->report.stored && s->file != NULL && !gate_has_function(side_folder(&g->sides[0]), s->file, s->function);
}

static int find_subjects(struct gate *g, struct error *e)
{
    int r = 0;
    if (g->subjects.count == 0 || g->config.discover)
        r = gate_subjects_discover(&g->subjects, side_folder(&g->sides[1]), e);
    if (r == 0 && g->subjects.count == 0)
        r = error_set(e, ENOENT,
            "there is nothing to judge: name commands or functions, or write functions perf_NAME in a file perf_*.py%s",
            g->report.tree ? "" : " that is committed");
    if (r < 0)
        return r;
    g->report.rows = calloc(g->subjects.count + 1, sizeof(*g->report.rows));
    if (g->report.rows == NULL)
        return error_set(e, ENOMEM, "out of memory");
    g->report.count = g->subjects.count;
    for (size_t i = 0; i < g->subjects.count; i++)
        g->report.rows[i] = (struct gate_row){
            .subject = &g->subjects.items[i], .verdict = is_new(g, &g->subjects.items[i]) ? GATE_NEW : GATE_UNSETTLED};
    return 0;
}

/* ---- one subject ---- */

static void on_progress(void *context, const struct prove_progress *p)
{
    const struct gate *g = context;
    waiting_show("%zu of %zu, %s: %.0f s", g->at + 1, g->report.count, g->report.rows[g->at].subject->name,
        (double)p->spent_ns / 1e9);
}

static void judge_work(struct gate_report *g, struct gate_row *row)
{
    row->work = GATE_WORK_SAME;
    bool any = false, more = false, less = false;
    for (int i = 0; i < GROWTH_COUNTS; i++) {
        double base = row->counts[0].values[i], head = row->counts[1].values[i];
        if (!row->counts[0].same[i] || !row->counts[1].same[i])
            continue;
        any = any || i != GROWTH_COUNT_PEAK;
        more = more || (head > base * (1 + g->work_claim) && (i != GROWTH_COUNT_PEAK || head - base > PEAK_LEAST));
        less = less || head < base;
    }
    row->work = !any ? GATE_WORK_DIFFERS : more ? GATE_WORK_MORE : less ? GATE_WORK_LESS : GATE_WORK_SAME;
}

/* Work that cannot be counted (too long, or the function ends its process) is no failure: its time is still judged. */
static int count_work(struct gate *g, struct gate_row *row, int side, const struct prove_subject *s)
{
    uint64_t timeout = g->o.timeout_ns != 0 && g->o.timeout_ns < COUNT_NS ? g->o.timeout_ns : COUNT_NS;
    struct error unsaid;
    if (g->o.no_work || s->kind != PROVE_FUNCTION)
        return 0;
    row->counted[side] = growth_count(g->runner, s, timeout, &row->counts[side], &unsaid) == 0;
    return *g->prove.stop ? -ECANCELED : 0;
}

static void keep_row(struct gate *g, const struct gate_row *row)
{
    const char *name = row->subject->name, *head = g->report.tree ? NULL : g->report.head;
    const struct keep_side sides[2] = {{name, g->report.base}, {name, head}};
    struct history_result counts[2 * GROWTH_COUNTS];
    size_t count = 0;
    if (!g->report.stored)
        keep_experiment(&g->keep, "gate", name, sides, &row->result);
    for (int side = g->report.stored ? 1 : 0; side < 2; side++)
        for (int i = 0; i < GROWTH_COUNTS && row->counted[side]; i++) {
            if (!row->counts[side].same[i])
                continue;
            counts[count] = keep_result(
                &g->keep, "gate", name, gate_count_metric(i), gate_count_unit(i), row->counts[side].values[i]);
            counts[count].runs = 2;
            if (sides[side].revision != NULL) {
                counts[count].revision = sides[side].revision;
                counts[count].dirty = false;
            }
            count++;
        }
    keep_add(&g->keep, counts, count);
}

/* The base is not there: what is stored of it, or in turns with the head. */
static int compare(struct gate *g, struct gate_row *row, struct prove_subject *const subjects[2], struct error *e)
{
    struct prove_options how = g->prove;
    uint64_t spent = clock_monotonic_ns() - g->begun_ns;
    uint64_t left = g->o.budget_ns > spent ? g->o.budget_ns - spent : 1;
    /* What one subject does not need goes to those after it. */
    how.budget_ns = left / g->left;
    how.seed = g->o.seed != 0 ? hash_mix(g->o.seed, g->at) | 1 : 0;
    if (g->report.stored)
        return gate_stored_measure(
            g->runner, subjects[1], &g->report, &g->keep, how.budget_ns, how.timeout_ns, how.family, row, e);
    int r = prove_experiment(g->runner, subjects[0], subjects[1], &how, &row->result, e);
    row->measured = r == 0;
    return r;
}

static int measure_row(struct gate *g, struct gate_row *row, struct prove_subject *const subjects[2], struct error *e)
{
    int r = 0;
    keep_python(&g->keep, g->runner, subjects[1]);
    for (int side = g->report.stored ? 1 : 0; side < 2 && r == 0; side++)
        r = count_work(g, row, side, subjects[side]);
    if (r == 0)
        r = compare(g, row, subjects, e);
    if (row->counted[0] && row->counted[1])
        judge_work(&g->report, row);
    if (r == 0 && !row->measured)
        row->verdict = GATE_NEW;
    if (r < 0 || !row->measured)
        return r;
    const struct stats_decision *d = &row->result.metrics[g->report.metric].decision;
    row->verdict = d->call == STATS_SLOWER                               ? GATE_SLOWER
                   : d->call == STATS_FASTER                             ? GATE_FASTER
                   : d->call == STATS_SAME || (d->refuted && !d->voided) ? GATE_SAME
                                                                         : GATE_UNSETTLED;
    return row->result.interrupted ? -ECANCELED : 0;
}

static int judge_row(struct gate *g, struct gate_row *row)
{
    static const char *const names[2] = {"the base", "the head"};
    const struct gate_subject *s = row->subject;
    const struct side_task task = {.text = s->run, .python = g->o.python, .setup = s->setup, .args = s->args};
    struct prove_subject *subjects[2] = {NULL, NULL};
    struct error e = {""};
    int r = 0;
    for (int side = 1; side >= (g->report.stored ? 1 : 0) && r == 0; side--) {
        r = side_subject(g->runner, &g->sides[side], &task, g->o.timeout_ns, &subjects[side], &e);
        if (r < 0)
            error_prefix(&e, "%s", names[side]);
    }
    if (r == 0)
        r = measure_row(g, row, subjects, &e);
    if (r == 0)
        keep_row(g, row);
    if (r < 0 && *g->prove.stop)
        r = -ECANCELED;
    if (r < 0 && r != -ECANCELED) {
        row->verdict = GATE_FAILED;
        snprintf(row->why, sizeof(row->why), "%.500s", e.text);
        r = 0;
    }
    prove_subject_free(subjects[0]);
    prove_subject_free(subjects[1]);
    return r;
}

/* ---- all of them ---- */

/* Holm (1979): the looks went by Bonferroni's share of the tail; what is left is stepped down over the last looks. */
static void step_down(struct gate_report *g, const bool *done, size_t family)
{
    double tail = 2 * (1 - stats_normal_cdf(STATS_Z));
    size_t called = 0;
    for (size_t i = 0; i < g->count; i++)
        called += done[i] && (g->rows[i].verdict == GATE_SLOWER || g->rows[i].verdict == GATE_FASTER) ? 1 : 0;
    while (called < family) {
        struct gate_row *least = NULL;
        for (size_t i = 0; i < g->count; i++) {
            struct gate_row *row = &g->rows[i];
            const struct stats_decision *d = &row->result.metrics[g->metric].decision;
            if (done[i] && row->verdict == GATE_UNSETTLED && !d->voided && isfinite(d->estimate) &&
                (least == NULL || d->p < least->result.metrics[g->metric].decision.p))
                least = row;
        }
        if (least == NULL || least->result.metrics[g->metric].decision.p > tail / (double)(family - called))
            return;
        least->verdict = least->result.metrics[g->metric].decision.estimate > 1 ? GATE_SLOWER : GATE_FASTER;
        called++;
    }
}

static int judge_all(struct gate *g)
{
    struct gate_report *report = &g->report;
    bool *done = calloc(report->count, sizeof(*done));
    int r = done == NULL ? -ENOMEM : 0;
    size_t family = report->count - gate_count(report, GATE_NEW);
    if (g->o.budget_ns == 0)
        g->o.budget_ns = BUDGET_EACH * family;
    g->begun_ns = clock_monotonic_ns(); /* checkouts and set-up are not measuring */
    g->prove.family = (uint32_t)family;
    g->left = family;
    for (g->at = 0; r == 0 && g->at < report->count; g->at++) {
        if (report->rows[g->at].verdict == GATE_NEW)
            continue;
        r = judge_row(g, &report->rows[g->at]);
        done[g->at] = r == 0 && report->rows[g->at].measured;
        g->left--;
    }
    if (done != NULL)
        step_down(report, done, family);
    free(done);
    report->interrupted = r == -ECANCELED;
    report->spent_ns = clock_monotonic_ns() - g->begun_ns;
    for (size_t i = 0; report->interrupted && i < report->count; i++)
        if (report->rows[i].verdict == GATE_UNSETTLED && !report->rows[i].measured)
            snprintf(report->rows[i].why, sizeof(report->rows[i].why), "interrupted before it was its turn");
    return report->interrupted ? 0 : r;
}

static int status_of(const struct gate_report *g)
{
    bool fails = false;
    if (g->interrupted)
        return CMD_INTERRUPTED;
    for (size_t i = 0; i < g->count; i++)
        fails = fails || (gate_row_fails(g, &g->rows[i]) && g->rows[i].verdict != GATE_FAILED);
    if (fails)
        return CMD_NO;
    if (gate_count(g, GATE_FAILED) > 0)
        return CMD_FAILED;
    return gate_count(g, GATE_UNSETTLED) > 0 && !g->unsettled_passes ? CMD_UNSETTLED : CMD_OK;
}

/* ---- where it is written ---- */

static int write_file(
    const char *path, void (*put)(struct buffer *, const struct gate_report *), const struct gate_report *g)
{
    CLEANUP(buffer_release) struct buffer out;
    struct outfile file;
    struct error e;
    buffer_init(&out, OUTPUT_MAX);
    if (path == NULL)
        return CMD_OK;
    put(&out, g);
    if (out.failed)
        return cmd_fail_text(CMD_FAILED, "out of memory while writing %s", path);
    if (outfile_open(path, &file, &e) < 0)
        return cmd_fail(CMD_FAILED, &e);
    int written = file_write_all(file.fd, out.data, out.size), closed = outfile_close(&file, written == 0);
    if (written < 0 || closed < 0)
        return cmd_fail_text(CMD_FAILED, "cannot write %s: %s", path, strerror(written < 0 ? -written : -closed));
    return CMD_OK;
}

/* GitHub shows what a step appends to this file. */
static void append_summary(const struct gate_report *g)
{
    CLEANUP(buffer_release) struct buffer out;
    CLEANUP(fd_close) int fd = -1;
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    buffer_init(&out, OUTPUT_MAX);
    if (path == NULL || *path == '\0')
        return;
    gate_put_markdown(&out, g);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0 || file_write_all(fd, out.data, out.size) < 0)
        cmd_fail_text(0, "cannot append to $GITHUB_STEP_SUMMARY (%s): %s", path, strerror(errno));
}

static int print_all(const struct gate *g)
{
    CLEANUP(buffer_release) struct buffer out;
    const struct options *o = &g->o;
    buffer_init(&out, OUTPUT_MAX);
    if (o->json)
        gate_put_json(&out, &g->report);
    else
        gate_put_text(&out, &g->report, o->width != 0 ? (size_t)o->width : (size_t)cmd_width(STDOUT_FILENO),
            cmd_colour(STDOUT_FILENO));
    int status = cmd_print(STDOUT_FILENO, &out), junit = write_file(o->junit, gate_put_junit, &g->report);
    int markdown = write_file(o->markdown, gate_put_markdown, &g->report);
    append_summary(&g->report);
    return status != CMD_OK ? status : junit != CMD_OK ? junit : markdown != CMD_OK ? markdown : status_of(&g->report);
}

/* ---- the verb ---- */

static int gate_all(struct gate *g)
{
    struct error e = {""};
    int r = prove_runner_open(&g->runner, &e);
    if (r < 0)
        return cmd_fail(CMD_FAILED, &e);
    g->prove.stop = waiting_watch_interrupts();
    prove_runner_watch(g->runner, g->prove.stop);
    int status = keep_open(&g->o.keep, g->runner, &g->keep);
    if (status != CMD_OK)
        return status;
    r = open_sides(g, &e);
    if (r == 0)
        r = find_subjects(g, &e);
    if (r == 0 && !g->report.tree && strcmp(g->report.base, g->report.head) == 0)
        cmd_fail_text(0, "base and head are the same commit");
    if (r == 0 && (r = judge_all(g)) < 0)
        error_set(&e, -r, "out of memory");
    waiting_hide();
    if (r < 0)
        return *g->prove.stop ? cmd_fail_text(CMD_INTERRUPTED, "interrupted before anything was judged")
                              : cmd_fail(CMD_FAILED, &e);
    return print_all(g);
}

static void gate_release(struct gate *g)
{
    side_close(&g->sides[0]);
    side_close(&g->sides[1]);
    keep_release(&g->keep);
    prove_runner_close(g->runner);
    free(g->report.rows);
    gate_subjects_release(&g->subjects);
    arena_release(&g->config.arena);
}

static int gate_run(const struct cmd_verb *verb, int argc, char **argv)
{
    struct gate g = {.o = {.metric = NOT_SAID, .unsettled = NOT_SAID}};
    struct error e = {""};
    int status = CMD_USAGE, r = 0;
    int used = cmd_options_parse(verb, &g.o, argc, argv, true);
    if (used < 0)
        return CMD_USAGE;
    gate_subjects_init(&g.subjects);
    signal(SIGPIPE, SIG_IGN);
    for (int i = used; r == 0 && i < argc; i++)
        r = gate_subjects_add(&g.subjects, &(struct gate_subject){.run = argv[i]}, &e);
    if (r == 0)
        r = read_config(&g, used < argc, &e);
    if (r == 0)
        r = settle_options(&g, &e);
    if (r < 0) {
        cmd_fail_text(CMD_USAGE, "gate: %s", e.text);
    } else if (g.o.width > 10000) {
        cmd_fail_text(CMD_USAGE, "gate: --width has to be smaller");
    } else {
        g.prove = (struct prove_options){
            .metric = g.report.metric,
            .claim = g.report.claim,
            .same = g.report.claim,
            .timeout_ns = g.o.timeout_ns,
            .progress = on_progress,
            .context = &g,
        };
        status = gate_all(&g);
    }
    gate_release(&g);
    return status;
}

static const struct cmd_option gate_options[] = {
    {"base", 0, CMD_TEXT, offsetof(struct options, base), "REV",
        "the revision to compare with (default: HEAD where the tree has changes, else HEAD~1)", NULL},
    {"claim", 0, CMD_TEXT, offsetof(struct options, claim), "X%", "slower by more than this fails (default 5%)", NULL},
    {"metric", 0, CMD_CHOICE, offsetof(struct options, metric), NULL, "what is judged (default wall)", metric_names},
    {"budget", 0, CMD_DURATION, offsetof(struct options, budget_ns), "TIME",
        "of all subjects together (default: a minute for each)", NULL},
    {"unsettled", 0, CMD_CHOICE, offsetof(struct options, unsettled), NULL,
        "what an unsettled subject does to the exit status: 4, 0, or 1 (default tell)", unsettled_names},
    {"work", 0, CMD_TEXT, offsetof(struct options, work), "X%",
        "functions: so much more work, counted, fails (default: as --claim)", NULL},
    {"no-work", 0, CMD_FLAG, offsetof(struct options, no_work), NULL,
        "do not count calls, lines, instructions and memory", NULL},
    {"tree", 0, CMD_FLAG, offsetof(struct options, tree), NULL,
        "judge the work tree as it is, also where it has no changes", NULL},
    {"stored", 0, CMD_FLAG, offsetof(struct options, stored), NULL,
        "do not run the base: compare with what is stored of it, counts of any machine and times of this one", NULL},
    {"prepare", 0, CMD_TEXT, offsetof(struct options, prepare), "CMD",
        "a command run once in each checkout, to build it", NULL},
    {"python", 0, CMD_TEXT, offsetof(struct options, python), "EXE",
        "the interpreter for functions and scripts (default: $VIRTUAL_ENV, the script's #! line, python3)", NULL},
    {"timeout", 0, CMD_DURATION, offsetof(struct options, timeout_ns), "TIME", "one run may take so long (default 1m)",
        NULL},
    {"config", 0, CMD_TEXT, offsetof(struct options, config), "FILE",
        "subjects and defaults (default: " GATE_CONFIG ", if it is there)", NULL},
    {"junit", 0, CMD_TEXT, offsetof(struct options, junit), "FILE", "write JUnit's XML", NULL},
    {"markdown", 0, CMD_TEXT, offsetof(struct options, markdown), "FILE",
        "write a summary in Markdown (it is also appended to $GITHUB_STEP_SUMMARY)", NULL},
    KEEP_OPTIONS(struct options, keep),
    {"seed", 0, CMD_COUNT, offsetof(struct options, seed), "N", "of every coin: the same order again", NULL},
    {"width", 0, CMD_COUNT, offsetof(struct options, width), "COLUMNS",
        "width of the text (default: the terminal's, else 80)", NULL},
    {"json", 0, CMD_FLAG, offsetof(struct options, json), NULL, "print one JSON object", NULL},
    CMD_OPTION_END,
};

const struct cmd_verb cmd_gate_verb = {
    .name = "gate",
    .synopsis = "[options] [COMMAND | MODULE:FUNCTION ...]",
    .summary = "for CI: fail where anything has become slower than at a base revision",
    .options = gate_options,
    .details =
        "Subjects are named here (a command is one word), or in " GATE_CONFIG ", or are functions perf_NAME in files\n"
        "perf_*.py, to which setup_NAME() gives the argument. Each is compared between a checkout of the base and one "
        "of\n"
        "the commit (or the tree, where it has changes), and all together make a false call as rarely as one alone.\n"
        "Exit status: 0 none is slower, 1 one is, or does more work, 4 not settled, 3 it could not be done.",
    .run = gate_run,
};
