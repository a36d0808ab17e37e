/* Findings as levels of the rubric: what is reached by computation alone, and what the evidence allows at most. */
#include "project/inside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PASS_POINTS 60u
#define PASS_CORRECTNESS 2
#define READABLE 0.8 /* of the readability beside before: the budget */
#define PASSABLE 0.5 /* below it, it is followed with effort at best */

enum criterion { BASELINE, PROFILING, CORRECTNESS, IMPROVEMENT, VALIDATION, READABILITY, REPORT, REVIEWS };
enum heading { QUESTION, BASE, WHERE, CHANGED, RIGHT, FASTER, ALONE, COST, WRONG };

static struct project_criterion *criterion(struct project *p, enum criterion which)
{
    return &p->r->criteria[which];
}

static void found(struct project_criterion *c, const char *format, ...) PRINTF_LIKE(2, 3);
static void found(struct project_criterion *c, const char *format, ...)
{
    CLEANUP(buffer_release) struct buffer safe;
    char line[900];
    size_t used = strlen(c->found);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    buffer_init(&safe, 4 * sizeof(line));
    text_append_safe(&safe, line, strlen(line));
    if (used + safe.size + 2 < sizeof(c->found))
        snprintf(c->found + used, sizeof(c->found) - used, "%s%s", used > 0 ? "\n" : "", buffer_text(&safe));
}

/* The first one that holds it down is told. */
static void hold(struct project_criterion *c, int most, const char *lift)
{
    if (c->most > most)
        c->most = (int8_t)most;
    if (c->lift[0] == '\0')
        snprintf(c->lift, sizeof(c->lift), "%s", lift);
}

static bool has(const struct project *p, enum heading h)
{
    return p->report.section_words[h] >= 5;
}

static void fill_baseline(struct project *p)
{
    struct project_criterion *c = criterion(p, BASELINE);
    const struct project_report *t = &p->report;
    found(c, "report.md: Question %zu words, %u figures; Baseline %zu words, %u figures", t->section_words[QUESTION],
        t->figures[QUESTION], t->section_words[BASE], t->figures[BASE]);
    if (!has(p, BASE) || t->figures[BASE] == 0)
        hold(c, 0, "write under Baseline what a run of before/ takes, on which input, with its unit");
    if (!has(p, QUESTION))
        hold(c, 1, "write the Question down: who waits, how long, and the number that would be enough");
    size_t said = strlen(p->manifest.python);
    bool same = said == 0 || p->o->version == NULL ||
                (strncmp(p->o->version, p->manifest.python, said) == 0 &&
                    !(p->o->version[said] >= '0' && p->o->version[said] <= '9'));
    if (!same)
        found(c, "project.json says Python %.20s; it was checked with %.20s", p->manifest.python, p->o->version);
    for (size_t i = 0; i < p->manifest.dependencies.count; i++)
        if (strstr(p->manifest.dependencies.items[i], "==") == NULL) {
            found(c, "not pinned: %.100s", p->manifest.dependencies.items[i]);
            hold(c, 2, "pin each dependency in project.json: NAME==VERSION");
        }
    if (t->figures[BASE] < 2)
        hold(c, 1, "a baseline is several runs: tell more than one figure");
}

static void fill_profiling(struct project *p)
{
    struct project_criterion *c = criterion(p, PROFILING);
    bool tool = p->second_tool[0] != '\0';
    found(c, "recordings: %s", p->recordings[0] != '\0' ? p->recordings : "report.md cites none by its name, NAME.pit");
    found(c, "second tool: %s", tool ? p->second_tool : "none found");
    if (p->of_before + p->of_after == 0)
        hold(c, tool ? 1 : 0,
            "record before and after ('pitviper run'), keep the .pit files beside report.md, and cite them there");
    else if (p->of_before == 0)
        hold(c, 1, "cite a recording of before/ as it lies there");
    else if (p->of_after == 0)
        hold(c, 1, "cite a recording of after/ as it lies there: record it again after the last change");
    if (!tool)
        hold(c, 1,
            "add what a tool of another kind printed (cProfile, tracemalloc, timeit), and name the file in "
            "'second_tool' of project.json");
}

static void put_cases(struct project *p, struct project_criterion *c)
{
    char line[500] = "";
    for (size_t i = 0; i < p->case_count; i++) {
        const struct case_result *one = &p->cases[i];
        size_t used = strlen(line);
        if (isnan(one->size))
            snprintf(line + used, sizeof(line) - used, "%s%.12s, %.12s", used > 0 ? "; " : "", one->digests[BEFORE],
                one->digests[AFTER]);
        else
            snprintf(line + used, sizeof(line) - used, "%sseed %llu size %.3g: %.12s, %.12s", used > 0 ? "; " : "",
                (unsigned long long)one->seed, one->size, one->digests[BEFORE],
                one->digests[AFTER][0] != '\0' ? one->digests[AFTER] : "-");
    }
    found(c, "behaviour of before and after: %s", line);
}

static void fill_correctness(struct project *p)
{
    struct project_criterion *c = criterion(p, CORRECTNESS);
    c->shown = 0;
    if (!p->compared) {
        c->shown = -1;
        found(c, "nothing was compared");
        return;
    }
    put_cases(p, c);
    if (!p->right) {
        found(c, "%s", p->wrong);
        hold(c, 0, "make it right first: run both on that input and look for the first thing that differs");
        return;
    }
    c->shown = 1;
    if (!has(p, RIGHT))
        hold(c, 1, "say under Is it still right? which seeds, sizes and odd cases you tried");
    if (p->manifest.check.count == 0 || !p->check.run) {
        hold(c, 1,
            "hand in your check: a Python file of the project's folder, named by 'check' in project.json; it is "
            "called with the folders of both programs and ends with 0 where they behave the same");
        return;
    }
    if (p->check.status != 0) {
        found(c, "your check refuses after: %s", p->check.last);
        hold(c, 0, "your own check says that they differ: mend after/, or the check");
        c->shown = 0;
        return;
    }
    c->shown = 2;
    found(c, "your check passes on after, and refused %u of %u broken copies%s%s", p->caught, p->broken,
        p->broken == 0 ? ": " : "", p->broken == 0 ? p->unbroken : "");
    if (p->broken > 0 && p->caught < p->broken) {
        found(c, "it let pass: %s", p->escaped);
        hold(c, 2, "let your check see that copy: more seeds and sizes, or odd cases by hand");
    } else if (p->broken > 0) {
        c->shown = 3;
    }
}

static const char *call_text(enum stats_call call)
{
    return call == STATS_FASTER   ? "faster"
           : call == STATS_SLOWER ? "slower"
           : call == STATS_SAME   ? "same"
                                  : "not settled";
}

/* "CPU -53.6 % (-70.4 to -27.2, faster)". An interval that reaches ten times as much tells nothing but that. */
static void put_change(char *ret, size_t size, const char *metric, const struct stats_decision *d)
{
    if (isnan(d->estimate))
        snprintf(ret, size, "%s not measured", metric);
    else if (!(d->high < 10))
        snprintf(
            ret, size, "%s %+.1f %% (too few runs, or too noisy, for an interval)", metric, 100 * (d->estimate - 1));
    else
        snprintf(ret, size, "%s %+.1f %% (%+.1f to %+.1f, %s)", metric, 100 * (d->estimate - 1), 100 * (d->low - 1),
            100 * (d->high - 1), call_text(d->call));
}

static void put_experiment(struct project_criterion *c, const char *name, const struct experiment_result *x)
{
    static const char *const metrics[PROVE_METRICS] = {"wall", "CPU", "memory"};
    char line[600] = "";
    if (!x->done) {
        found(c, "%s: %s", name, x->why[0] != '\0' ? x->why : "not measured");
        return;
    }
    for (int i = 0; i < PROVE_METRICS; i++) {
        char change[160];
        size_t used = strlen(line);
        put_change(change, sizeof(change), metrics[i], &x->result.metrics[i].decision);
        snprintf(line + used, sizeof(line) - used, "%s%s", i > 0 ? "; " : "", change);
    }
    found(c, "%s: %s", name, line);
}

static void put_claims(struct project *p, struct project_criterion *c)
{
    const struct stats_decision *d = &p->verdict.result.metrics[p->manifest.metric].decision;
    for (size_t i = 0; i < p->report.claim_count && p->verdict.done && d->low > 0 && d->high < 10; i++) {
        double claim = p->report.claims[i];
        bool fits = claim >= 1 / d->high && claim <= 1 / d->low;
        found(c, "report.md says %.3g times as fast; measured here %.3g to %.3g: %s", claim, 1 / d->high, 1 / d->low,
            fits                  ? "it fits"
            : claim < 1 / d->high ? "it is more than that"
                                  : "not so");
    }
}

static void fill_improvement(struct project *p)
{
    struct project_criterion *c = criterion(p, IMPROVEMENT);
    const struct stats_decision *d = &p->verdict.result.metrics[p->manifest.metric].decision;
    char name[64];
    if (!p->right || !p->compared) {
        c->shown = p->compared ? 0 : -1;
        found(c, "not measured: a program that behaves otherwise is not compared");
        if (p->compared)
            hold(c, 0, "first the same behaviour");
        return;
    }
    snprintf(name, sizeof(name), "after against before%s", p->manifest.metric == PROVE_CPU ? ", by CPU time" : "");
    put_experiment(c, name, &p->verdict);
    if (p->has_size)
        put_experiment(c, "at half the size", &p->second);
    else
        found(c, "at another size: not measured, 'make' of project.json has no --size");
    put_claims(p, c);
    if (!p->verdict.done) {
        c->shown = -1;
        return;
    }
    if (d->call == STATS_FASTER) {
        c->shown = 2;
    } else if (d->call == STATS_SLOWER || d->call == STATS_SAME) {
        c->shown = 0;
        hold(c, 0, "it is not faster: record after/ and look where the time is now");
    } else {
        c->shown = d->estimate < 1 ? 1 : 0;
        if (isfinite(d->detectable) && d->detectable < 1000)
            found(c, "not settled in the time: a change above %.0f %% would have shown", d->detectable);
        snprintf(c->lift, sizeof(c->lift),
            "check again when the machine is quiet, or with a longer --budget; \"metric\": \"cpu\" is disturbed less");
    }
    if (!p->report.interval)
        hold(c, 1, "quote under How much faster? what 'pitviper prove' printed, with its interval (low to high)");
    else if (!p->report.memory || !p->report.sizes)
        hold(c, 2, "report memory too, and a second input size (size 1, size 0.5)");
    if (c->shown == 2 && p->report.interval && p->report.memory && p->report.sizes && p->second.done &&
        p->second.result.metrics[p->manifest.metric].decision.call == STATS_FASTER)
        c->shown = 3;
}

static const char *gate_text(const struct tried *g)
{
    return !g->run ? "not run" : g->status == 0 ? "passes" : g->status == 1 ? "fails" : "says neither";
}

static void fill_validation(struct project *p)
{
    struct project_criterion *c = criterion(p, VALIDATION);
    const struct stats_decision *d = &p->same.result.metrics[p->manifest.metric].decision;
    bool changed = p->same.done && (d->call == STATS_FASTER || d->call == STATS_SLOWER);
    if (!p->right || !p->compared) {
        c->shown = p->compared ? 0 : -1;
        found(c, "not measured");
        return;
    }
    put_experiment(c, "after against an equal copy (A/A)", &p->same);
    found(c, "your gate on an equal copy: %s%s%s", gate_text(&p->gate_equal), p->gate_equal.last[0] ? ", " : "",
        p->gate_equal.last);
    found(c, "your gate on a copy that takes %.0f %% more CPU time: %s%s%s", 100 * PROJECT_PLANTED,
        gate_text(&p->gate_slow), p->gate_slow.last[0] ? ", " : "", p->gate_slow.last);
    if (changed)
        found(c, "this machine calls two equal copies different: what was measured now is not to be trusted");
    bool passes = p->gate_equal.run && p->gate_equal.status == 0,
         catches = p->gate_slow.run && p->gate_slow.status == 1;
    c->shown = passes && catches ? 2 : passes || catches || p->same.done ? 1 : 0;
    if (!p->gate_equal.run)
        hold(c, 1,
            "hand in a gate, named by 'gate' in project.json: called with two folders, it ends with 0 where the "
            "second is not slower and with 1 where it is");
    else if (!passes)
        hold(c, 1, "your gate has to let an equal copy pass: its exit status is 0 then");
    else if (!catches && p->planted)
        hold(c, 1,
            "your gate has to fail (exit status 1) a copy that takes half as much time again; it has to time the "
            "command");
}

static void fill_readability(struct project *p)
{
    struct project_criterion *c = criterion(p, READABILITY);
    if (isnan(p->readability)) {
        found(c, "not measured: %s", p->readability_why);
    } else {
        found(c, "after beside before: %.0f of 100%s%s", 100 * p->readability, p->readability_why[0] ? "; " : "",
            p->readability_why);
        if (p->readability < PASSABLE)
            hold(c, 0, "it is much harder to read than before: smaller changes, with names");
        else if (p->readability < READABLE)
            hold(c, 1, "it is beyond the readability budget: see what costs most, above");
    }
    if (!has(p, COST))
        hold(c, 1, "say under What it cost in clarity what each change costs");
}

static void fill_report(struct project *p)
{
    struct project_criterion *c = criterion(p, REPORT);
    const struct project_report *t = &p->report;
    char missing[400] = "";
    unsigned count = 0, figures = 0;
    for (size_t i = 0; i < PROJECT_HEADINGS; i++) {
        figures += t->figures[i];
        if (t->there[i] && t->section_words[i] >= 5)
            continue;
        size_t used = strlen(missing);
        snprintf(missing + used, sizeof(missing) - used, "%s%s%s", count > 0 ? "; " : "", project_headings[i],
            t->there[i] ? " (empty)" : "");
        count++;
    }
    found(c, "report.md: %zu words, %u of %u headings, %u figures", t->words, PROJECT_HEADINGS - count,
        PROJECT_HEADINGS, figures);
    if (count > 0)
        found(c, "missing: %s", missing);
    if (t->words < 50)
        hold(c, 0, "write the report, under the headings that are laid down");
    if (count > 0)
        hold(c, 1, "write something under each heading");
    if (t->words < PROJECT_WORDS_LEAST || t->words > PROJECT_WORDS_MOST)
        hold(c, 2, "600 to 1500 words are asked for");
}

static void fill_reviews(struct project *p)
{
    struct project_criterion *c = criterion(p, REVIEWS);
    found(c, "%u of %u reviews kept, with %u anchored sentences", p->o->reviews, LEARN_WORKS, p->o->anchored);
    if (p->o->reviews == 0)
        hold(c, 0, "review the three works: 'pitviper learn review'");
    else if (p->o->reviews < LEARN_WORKS)
        hold(c, 2, "review all three works: 'pitviper learn review'");
    if (p->o->anchored < 2)
        hold(c, 1, "let two sentences at least name a line (after/weblog.py:117), a receipt or a recording");
}

/* ---- all together ---- */

static void add_points(struct project *p)
{
    struct project_result *r = p->r;
    double points = 0, most = 0;
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        struct project_criterion *c = &r->criteria[i];
        c->shown = c->shown > c->most ? c->most : c->shown;
        most += (double)learn_criterion_weights[i] * c->most / 3.0;
        if (c->shown < 0)
            continue;
        points += (double)learn_criterion_weights[i] * c->shown / 3.0;
        r->of += learn_criterion_weights[i];
    }
    r->points = (unsigned)(points + 0.5);
    r->most = (unsigned)(most + 0.5);
}

/* Passed: what can be computed has level 2 throughout, and the rest can still bring it to the points that are needed.
 */
static void decide(struct project *p)
{
    struct project_result *r = p->r;
    const struct stats_decision *d = &p->verdict.result.metrics[p->manifest.metric].decision;
    bool settled = p->verdict.done && d->call != STATS_UNSETTLED && d->call != STATS_UNDECIDED;
    bool validated = r->criteria[VALIDATION].shown >= 2;
    if (p->manifest.redacted && p->refused[0] == '\0') {
        r->outcome = GRADE_UNRESOLVED;
        snprintf(r->why, sizeof(r->why), "not reproduced: project.json says that it cannot be run or shown here");
    } else if (p->refused[0] != '\0') {
        r->outcome = GRADE_BROKEN;
        snprintf(r->why, sizeof(r->why), "%s", p->refused);
    } else if (!p->right || (p->check.run && p->check.status != 0)) {
        r->outcome = GRADE_WRONG;
        snprintf(r->why, sizeof(r->why), "%s", !p->right ? p->wrong : "your own check refuses it");
    } else if (!p->verdict.done) {
        r->outcome = GRADE_FAULT;
        snprintf(r->why, sizeof(r->why), "it could not be timed: %.300s", p->verdict.why);
    } else if (settled && d->call != STATS_FASTER) {
        r->outcome = GRADE_SLOW;
        snprintf(r->why, sizeof(r->why), "after is not faster than before");
    } else if (r->criteria[CORRECTNESS].shown < PASS_CORRECTNESS || (settled && !validated) || r->most < PASS_POINTS) {
        r->outcome = GRADE_BROKEN;
        snprintf(r->why, sizeof(r->why), "something that was asked for is missing: see below");
    } else if (!settled) {
        r->outcome = GRADE_UNRESOLVED;
        snprintf(r->why, sizeof(r->why), "the timings do not decide whether it is faster");
    } else {
        r->outcome = GRADE_PASSED;
    }
}

/* Of each comparison the metric of the verdict first. */
static void add_figures(struct project *p)
{
    const struct experiment_result *all[] = {&p->verdict, &p->second, &p->same};
    struct project_result *r = p->r;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        for (int k = 0; all[i]->done && k < PROVE_METRICS; k++) {
            int first = (int)p->manifest.metric, metric = k == 0 ? first : k - (k <= first);
            const struct stats_decision *d = &all[i]->result.metrics[metric].decision;
            const double three[] = {d->estimate, d->low, d->high};
            for (size_t m = 0; m < 3 && r->figure_count < LEARN_FIGURES_MAX; m++)
                if (isfinite(three[m]))
                    r->figures[r->figure_count++] = three[m];
        }
}

void rubric_fill(struct project *p)
{
    for (size_t i = 0; i < LEARN_CRITERIA; i++)
        p->r->criteria[i] = (struct project_criterion){.shown = -1, .most = 3};
    fill_baseline(p);
    fill_profiling(p);
    fill_correctness(p);
    fill_improvement(p);
    fill_validation(p);
    fill_readability(p);
    fill_report(p);
    fill_reviews(p);
    add_points(p);
    decide(p);
    add_figures(p);
}
