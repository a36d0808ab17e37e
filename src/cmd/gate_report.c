/* What a gate found, for people: a terminal, and Markdown. */
#include "cmd/gate.h"
#include "cmd/keep.h"

#include <math.h>
#include <string.h>

#define RATIO_TOLD 100 /* limits beyond it say no more than that there are none */

const char *gate_verdict_name(enum gate_verdict verdict)
{
    static const char *const names[] = {[GATE_SAME] = "same",
        [GATE_FASTER] = "faster",
        [GATE_SLOWER] = "slower",
        [GATE_UNSETTLED] = "unsettled",
        [GATE_NEW] = "new",
        [GATE_FAILED] = "failed"};
    return names[verdict];
}

const char *gate_work_name(enum gate_work work)
{
    static const char *const names[] = {[GATE_WORK_NONE] = "not counted",
        [GATE_WORK_SAME] = "same",
        [GATE_WORK_LESS] = "less",
        [GATE_WORK_MORE] = "more",
        [GATE_WORK_DIFFERS] = "not repeatable"};
    return names[work];
}

const char *gate_count_name(int count)
{
    static const char *const names[] = {[GROWTH_COUNT_CALLS] = "calls",
        [GROWTH_COUNT_LINES] = "lines",
        [GROWTH_COUNT_INSTRUCTIONS] = "instructions",
        [GROWTH_COUNT_PEAK] = "peak bytes"};
    return names[count];
}

const char *gate_count_metric(int count)
{
    return count == GROWTH_COUNT_PEAK ? "peak" : gate_count_name(count);
}

const char *gate_count_unit(int count)
{
    return count == GROWTH_COUNT_PEAK ? "bytes" : "count";
}

bool gate_row_fails(const struct gate_report *g, const struct gate_row *row)
{
    return row->verdict == GATE_SLOWER || row->verdict == GATE_FAILED || row->work == GATE_WORK_MORE ||
           (row->verdict == GATE_UNSETTLED && g->unsettled_fails);
}

size_t gate_count(const struct gate_report *g, enum gate_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++)
        count += g->rows[i].verdict == verdict ? 1 : 0;
    return count;
}

static const struct stats_decision *decision_of(const struct gate_report *g, const struct gate_row *row)
{
    return &row->result.metrics[g->metric].decision;
}

/* Holm's steps may call what the interval, made for all looks and subjects together, does not quite show. */
static double at_least(const struct gate_report *g, const struct gate_row *row)
{
    const struct stats_decision *d = decision_of(g, row);
    double by = row->verdict == GATE_SLOWER ? d->low - 1 : 1 - d->high;
    return 100 * fmax(by, g->claim);
}

void gate_put_words(struct buffer *out, const struct gate_report *g, const struct gate_row *row)
{
    const struct stats_decision *d = decision_of(g, row);
    switch (row->verdict) {
    case GATE_SLOWER:
    case GATE_FASTER:
        buffer_printf(out, "%s by at least %.1f %%", gate_verdict_name(row->verdict), at_least(g, row));
        break;
    case GATE_SAME:
        buffer_printf(out, "the same within %.1f %%", 100 * g->claim);
        break;
    case GATE_UNSETTLED:
        if (row->measured && d->detectable < 100 * RATIO_TOLD)
            buffer_printf(out, "not settled: a change above %.1f %% would have shown", d->detectable);
        else
            buffer_printf(out, "not settled%s", row->why[0] != '\0' ? ": " : "");
        text_append_safe(out, row->why, row->measured ? 0 : strlen(row->why));
        break;
    case GATE_NEW:
        buffer_append_string(
            out, g->stored ? "no time of the base is stored by this machine" : "new: the base does not have it");
        break;
    case GATE_FAILED:
        text_append_safe(out, row->why, strlen(row->why));
        break;
    }
}

void gate_put_work(struct buffer *out, const struct gate_row *row)
{
    bool any = false;
    for (int i = 0; i < GROWTH_COUNTS && row->counted[0] && row->counted[1]; i++) {
        double base = row->counts[0].values[i], head = row->counts[1].values[i];
        if (!row->counts[0].same[i] || !row->counts[1].same[i] || base == head)
            continue;
        buffer_printf(out, "%s%s %.0f -> %.0f", any ? ", " : "", gate_count_name(i), base, head);
        any = true;
    }
    if (!any)
        buffer_append_string(out, gate_work_name(row->work));
}

static void put_ratio(struct buffer *out, const struct gate_report *g, const struct gate_row *row)
{
    const struct stats_decision *d = decision_of(g, row);
    if (!row->measured || !isfinite(d->estimate))
        return;
    buffer_printf(out, "%+.1f %%", 100 * (d->estimate - 1));
    if (d->high < RATIO_TOLD)
        buffer_printf(out, " (%+.1f to %+.1f)", 100 * (d->low - 1), 100 * (d->high - 1));
    else
        buffer_append_string(out, " (too few runs for limits)");
}

static void put_sides(struct buffer *out, const struct gate_report *g)
{
    buffer_printf(out, "%.12s", g->head);
    if (g->tree)
        buffer_append_string(out, " and the changes in the tree");
    buffer_append_string(out, g->stored ? " against what is stored of " : " against ");
    text_append_safe(out, g->base_name, strlen(g->base_name));
    buffer_printf(out, " (%.12s), %s, claim %.3g %%", g->base, keep_metric_name(g->metric), 100 * g->claim);
}

static void put_counts(struct buffer *out, const struct gate_report *g)
{
    bool any = false;
    for (int v = GATE_SAME; v <= GATE_FAILED; v++) {
        size_t count = gate_count(g, (enum gate_verdict)v);
        if (count > 0)
            buffer_printf(out, "%s%zu %s", any ? ", " : "", count, gate_verdict_name((enum gate_verdict)v));
        any = any || count > 0;
    }
    size_t more = 0;
    for (size_t i = 0; i < g->count; i++)
        more += g->rows[i].work == GATE_WORK_MORE ? 1 : 0;
    if (more > 0)
        buffer_printf(out, "; %zu do more work", more);
    buffer_printf(out, " in %.0f s%s", (double)g->spent_ns / 1e9, g->interrupted ? ", interrupted" : "");
}

void gate_put_text(struct buffer *out, const struct gate_report *g, size_t width, bool colour)
{
    put_sides(out, g);
    buffer_append_byte(out, '\n');
    for (size_t i = 0; i < g->count; i++) {
        const struct gate_row *row = &g->rows[i];
        bool bad = gate_row_fails(g, row);
        buffer_printf(out, "  %s%-9s%s  ", colour && bad ? "\033[1;31m" : "", gate_verdict_name(row->verdict),
            colour && bad ? "\033[0m" : "");
        text_append_fitted(out, row->subject->name, width > 60 ? width - 16 : 44);
        buffer_append_string(out, "\n             ");
        if (row->verdict == GATE_UNSETTLED || row->verdict == GATE_NEW || row->verdict == GATE_FAILED ||
            row->verdict == GATE_SLOWER || row->verdict == GATE_FASTER || !row->measured) {
            gate_put_words(out, g, row);
            buffer_append_string(out, row->measured ? ": " : "");
        }
        put_ratio(out, g, row);
        if (row->work != GATE_WORK_NONE) {
            buffer_append_string(out, "; work: ");
            gate_put_work(out, row);
        }
        buffer_append_byte(out, '\n');
    }
    put_counts(out, g);
    buffer_append_byte(out, '\n');
}

/* ---- Markdown (GitHub's): text of strangers as text ---- */

static void put_md(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer safe;
    buffer_init(&safe, 1u << 20);
    text_append_safe(&safe, text, strlen(text));
    for (const char *at = buffer_text(&safe); *at != '\0'; at++) {
        if (*at == '<' || *at == '>' || *at == '&' || *at == '@' || *at == '#')
            buffer_printf(out, "&#%d;", *at);
        else if (strchr("\\`*_{}[]()|!~$:", *at) != NULL)
            buffer_printf(out, "\\%c", *at);
        else
            buffer_append_byte(out, (uint8_t)*at);
    }
}

void gate_put_markdown(struct buffer *out, const struct gate_report *g)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 1u << 20);
    bool bad = false;
    for (size_t i = 0; i < g->count; i++)
        bad = bad || gate_row_fails(g, &g->rows[i]);
    buffer_printf(out, "### pitviper gate: %s\n\n",
        bad                                 ? "failed"
        : gate_count(g, GATE_UNSETTLED) > 0 ? "not settled"
                                            : "passed");
    put_sides(&text, g);
    put_md(out, buffer_text(&text));
    buffer_append_string(out, "\n\n| | subject | change | verdict | work |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < g->count; i++) {
        const struct gate_row *row = &g->rows[i];
        buffer_printf(out, "| %s | ",
            gate_row_fails(g, row)           ? "**fail**"
            : row->verdict == GATE_UNSETTLED ? "?"
                                             : "ok");
        put_md(out, row->subject->name);
        buffer_append_string(out, " | ");
        put_ratio(out, g, row);
        buffer_append_string(out, " | ");
        buffer_clear(&text);
        gate_put_words(&text, g, row);
        put_md(out, buffer_text(&text));
        buffer_append_string(out, " | ");
        buffer_clear(&text);
        gate_put_work(&text, row);
        put_md(out, row->work != GATE_WORK_NONE ? buffer_text(&text) : "");
        buffer_append_string(out, " |\n");
    }
    buffer_append_byte(out, '\n');
    buffer_clear(&text);
    put_counts(&text, g);
    put_md(out, buffer_text(&text));
    buffer_append_string(out, "\n");
}
