/* A verdict as text and as JSON. */
#include "cmd/prove.h"

#include <math.h>
#include <string.h>

static const char *const call_names[] = {
    [STATS_UNDECIDED] = "unsettled",
    [STATS_FASTER] = "faster",
    [STATS_SLOWER] = "slower",
    [STATS_SAME] = "same",
    [STATS_UNSETTLED] = "unsettled",
};
static const char *const metric_names[] = {"wall", "cpu", "memory"};
static const char *const mode_names[] = {
    [PROVE_INTERLEAVED] = "interleaved", [PROVE_PINNED] = "pinned", [PROVE_DUET] = "duet"};
static const char *const mode_texts[] = {[PROVE_INTERLEAVED] = "in turn, not pinned",
    [PROVE_PINNED] = "in turn, pinned to one CPU",
    [PROVE_DUET] = "both at once, sharing one CPU"};

/* A bound that is promised: rounded towards zero. */
static void append_floor(struct buffer *out, double percent)
{
    if (percent < 1)
        buffer_printf(out, "%.2f %%", floor(percent * 100) / 100);
    else
        buffer_printf(out, "%.1f %%", floor(percent * 10) / 10);
}

/* A bound beyond which something would have shown: rounded away from zero. */
static void append_ceiling(struct buffer *out, double percent)
{
    if (percent < 1)
        buffer_printf(out, "%.2f %%", ceil(percent * 100) / 100);
    else if (percent < 100)
        buffer_printf(out, "%.1f %%", ceil(percent * 10) / 10);
    else
        buffer_printf(out, "%.0f %%", ceil(percent));
}

#define DETECTABLE_TOLD 1000 /* percent; beyond it the number says nothing */

static double change(double ratio)
{
    return 100 * (ratio - 1);
}

/* ---- the heading ---- */

static void append_call(struct buffer *out, enum prove_metric metric, bool faster, double at_least)
{
    static const char *const less[] = {"B is faster", "B takes less CPU time", "B takes less memory"};
    static const char *const more[] = {"B is slower", "B takes more CPU time", "B takes more memory"};
    buffer_append_string(out, (faster ? less : more)[metric]);
    buffer_append_string(out, metric == PROVE_WALL ? " by at least " : ", by at least ");
    append_floor(out, at_least);
    if (faster && at_least >= 50)
        buffer_printf(out, " (%.1f times as %s)", floor(10 / (1 - at_least / 100)) / 10,
            metric == PROVE_MEMORY ? "small" : "fast");
}

static void append_unsettled(struct buffer *out, const struct prove_options *o, const struct stats_decision *d)
{
    buffer_append_string(out, "not settled: ");
    if (d->blocks == 0)
        buffer_append_string(out, "no block of runs was finished");
    else if (d->voided)
        buffer_append_string(out, "a side differs from itself (see the control), so that nothing can be said");
    else if (d->refuted)
        buffer_printf(out, "B is not faster by %.3g %%, and it is neither slower nor the same", 100 * o->claim);
    else if (!(d->detectable < DETECTABLE_TOLD))
        buffer_append_string(out, "too few blocks to say what would have shown");
    else {
        buffer_append_string(out, "a change above ");
        append_ceiling(out, d->detectable);
        buffer_append_string(out, " would have shown");
    }
}

void prove_write_heading(struct buffer *out, const struct prove_options *o, const struct prove_result *result)
{
    static const char *const what[] = {"time", "CPU time", "memory"};
    const struct stats_decision *d = &result->metrics[result->metric].decision;
    if (result->interrupted)
        buffer_append_string(out, "interrupted; so far: ");
    if (d->call == STATS_FASTER || d->call == STATS_SLOWER)
        append_call(out, result->metric, d->call == STATS_FASTER, d->at_least);
    else if (d->call == STATS_SAME)
        buffer_printf(out, "A and B take the same %s within %.3g %%", what[result->metric], 100 * o->same);
    else
        append_unsettled(out, o, d);
}

/* ---- text ---- */

static void append_seconds(struct buffer *out, double seconds)
{
    static const struct {
        double least, scale;
        const char *unit;
    } units[] = {{1, 1, "s"}, {1e-3, 1e3, "ms"}, {1e-6, 1e6, "us"}, {0, 1e9, "ns"}};
    size_t i = 0;
    while (seconds < units[i].least)
        i++;
    buffer_printf(out, "%.4g %s", seconds * units[i].scale, units[i].unit);
}

static void append_value(struct buffer *out, enum prove_metric metric, double value)
{
    if (metric == PROVE_MEMORY)
        buffer_printf(out, "%.1f MB", value / 1e6);
    else
        append_seconds(out, value);
}

/* +4.71, +1.2e+05 */
static void append_change(struct buffer *out, double ratio)
{
    double percent = change(ratio);
    buffer_printf(out, fabs(percent) < 1000 ? "%+.2f" : "%+.1e", percent);
}

/* Pads what was appended since `from` to `columns`. */
static void pad(struct buffer *out, size_t from, size_t columns)
{
    buffer_append_byte(out, ' ');
    while (!out->failed && out->size - from < columns)
        buffer_append_byte(out, ' ');
}

static void append_interval(struct buffer *out, size_t from, double estimate, double low, double high)
{
    append_change(out, estimate);
    buffer_append_string(out, " %");
    pad(out, from, 45);
    if (!isfinite(low) || !isfinite(high))
        return;
    buffer_append_byte(out, '(');
    append_change(out, low);
    buffer_append_string(out, " to ");
    append_change(out, high);
    buffer_append_byte(out, ')');
}

static void append_metric(struct buffer *out, enum prove_metric metric, const struct prove_estimate *m)
{
    const struct stats_decision *d = &m->decision;
    size_t from = out->size;
    buffer_printf(out, "  %s", metric_names[metric]);
    pad(out, from, 10);
    append_value(out, metric, m->a);
    buffer_append_string(out, " -> ");
    append_value(out, metric, m->b);
    pad(out, from, 34);
    if (!isfinite(d->estimate)) {
        buffer_append_byte(out, '\n');
        return;
    }
    append_interval(out, from, d->estimate, d->low, d->high);
    pad(out, from, 65);
    buffer_append_string(out, call_names[d->call]);
    buffer_append_byte(out, '\n');
}

static void append_safe_line(struct buffer *out, const char *title, const char *text)
{
    buffer_printf(out, "  %s  ", title);
    text_append_safe(out, text, strlen(text));
    buffer_append_byte(out, '\n');
}

static void append_notes(struct buffer *out, const struct prove_result *result)
{
    const struct prove_estimate *m = &result->metrics[result->metric];
    if (m->twin.disagrees)
        buffer_printf(out,
            "  note: a test that knows no distribution does not agree (%+.2f %%, p %.3g): a few runs stand far out\n",
            change(m->twin.estimate), m->twin.p);
    if (result->clocks_disagree)
        buffer_append_string(out, "  note: wall and CPU time do not agree: one of them changed, or they went apart\n");
    for (const char *at = result->notes; *at;) {
        size_t size = strcspn(at, "\n");
        buffer_append_string(out, "  note: ");
        text_append_safe(out, at, size);
        buffer_append_byte(out, '\n');
        at += size + (at[size] == '\n');
    }
}

void prove_write_text(struct buffer *out, const struct prove_options *o, struct prove_subject *const subjects[2],
    const char *const names[2], const struct prove_result *result, bool colour)
{
    const struct stats_decision *d = &result->metrics[result->metric].decision;
    if (colour)
        buffer_append_string(out, "\033[1m");
    prove_write_heading(out, o, result);
    buffer_append_string(out, colour ? "\033[0m\n\n" : "\n\n");
    append_safe_line(out, "A", names[0]);
    append_safe_line(out, "B", names[1]);
    if (strcmp(subjects[0]->name, names[0]) != 0)
        append_safe_line(out, "of", subjects[0]->name);
    buffer_append_byte(out, '\n');
    for (int metric = 0; metric < PROVE_METRICS && result->blocks > 0; metric++)
        append_metric(out, (enum prove_metric)metric, &result->metrics[metric]);
    if (isfinite(d->control.low)) {
        size_t from = out->size;
        buffer_append_string(out, "  control");
        pad(out, from, 34);
        append_interval(out, from, d->control.estimate, d->control.low, d->control.high);
        pad(out, from, 65);
        buffer_append_string(out, "a side against itself\n");
    }
    buffer_printf(out, "\n  %llu runs, %u block%s, %.1f s; %s", (unsigned long long)result->runs, result->blocks,
        result->blocks == 1 ? "" : "s", (double)result->spent_ns / 1e9, mode_texts[result->mode]);
    if (result->mode_why[0])
        buffer_printf(out, " (%s)", result->mode_why);
    buffer_append_byte(out, '\n');
    append_notes(out, result);
}

/* ---- JSON ---- */

static void json_decision(struct json *j, const struct stats_decision *d)
{
    json_text(j, "verdict", call_names[d->call]);
    json_number(j, "ratio", d->estimate);
    json_number(j, "low", d->low);
    json_number(j, "high", d->high);
    json_number(j, "at_least", d->at_least);
    json_number(j, "detectable", d->detectable);
    json_number(j, "control_low", d->control.low);
    json_number(j, "control_high", d->control.high);
}

static void json_metric(struct json *j, enum prove_metric metric, const struct prove_estimate *m)
{
    json_object_begin(j, metric_names[metric]);
    json_decision(j, &m->decision);
    json_number(j, "a", m->a);
    json_number(j, "b", m->b);
    json_number(j, "robust_ratio", m->twin.estimate);
    json_number(j, "robust_p", m->twin.p);
    json_boolean(j, "robust_disagrees", m->twin.disagrees);
    json_object_end(j);
}

void prove_write_json(struct buffer *out, const struct prove_options *o, struct prove_subject *const subjects[2],
    const char *const names[2], const struct prove_result *result, const struct buffer *why)
{
    CLEANUP(buffer_release) struct buffer heading;
    struct json j = {.out = out};

    buffer_init(&heading, 4096);
    prove_write_heading(&heading, o, result);
    json_object_begin(&j, NULL);
    json_decision(&j, &result->metrics[result->metric].decision);
    json_text(&j, "heading", buffer_text(&heading));
    json_text(&j, "metric", metric_names[result->metric]);
    json_text(&j, "a", names[0]);
    json_text(&j, "b", names[1]);
    json_text(&j, "kind", subjects[0]->kind == PROVE_FUNCTION ? "function" : "command");
    json_number(&j, "claim", 100 * o->claim);
    json_number(&j, "same_within", 100 * o->same);
    json_integer(&j, "runs", (int64_t)result->runs);
    json_integer(&j, "blocks", result->blocks);
    json_integer(&j, "reruns", result->reruns);
    json_number(&j, "seconds", (double)result->spent_ns / 1e9);
    json_text(&j, "mode", mode_names[result->mode]);
    json_text(&j, "mode_why", result->mode_why);
    json_boolean(&j, "voided_by_control", result->metrics[result->metric].decision.voided);
    json_boolean(&j, "clocks_disagree", result->clocks_disagree);
    json_boolean(&j, "start_dominates", result->start_dominates);
    json_boolean(&j, "interrupted", result->interrupted);
    json_number(&j, "steal", result->steal);
    json_number(&j, "pressure", result->pressure);
    json_number(&j, "involuntary_switches_per_second", result->involuntary);
    json_integer(&j, "seed", (int64_t)result->seed);
    json_object_begin(&j, "metrics");
    for (int metric = 0; metric < PROVE_METRICS; metric++)
        json_metric(&j, (enum prove_metric)metric, &result->metrics[metric]);
    json_object_end(&j);
    json_array_begin(&j, "notes");
    for (const char *at = result->notes; *at;) {
        size_t size = strcspn(at, "\n");
        json_string(&j, NULL, at, size);
        at += size + (at[size] == '\n');
    }
    json_array_end(&j);
    if (why) {
        buffer_append_string(out, ",\"explain\":");
        buffer_append(out, why->data, why->size);
    }
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}
