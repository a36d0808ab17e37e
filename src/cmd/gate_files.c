/* What a gate found, for programs: JSON, and JUnit's XML as CI systems read it. */
#include "cmd/gate.h"
#include "cmd/keep.h"

#include <math.h>
#include <string.h>

/* ---- JSON ---- */

static void put_counts(struct json *j, const struct gate_row *row)
{
    json_object_begin(j, "work");
    json_text(j, "verdict", gate_work_name(row->work));
    for (int side = 0; side < 2; side++) {
        if (!row->counted[side])
            continue;
        json_object_begin(j, side == 0 ? "base" : "head");
        json_text(j, "by", row->counts[side].by);
        for (int i = 0; i < GROWTH_COUNTS; i++) {
            json_number(j, gate_count_name(i), row->counts[side].values[i]);
        }
        json_array_begin(j, "repeatable");
        for (int i = 0; i < GROWTH_COUNTS; i++)
            if (row->counts[side].same[i])
                json_text(j, NULL, gate_count_name(i));
        json_array_end(j);
        json_object_end(j);
    }
    json_object_end(j);
}

static void put_metrics(struct json *j, const struct prove_result *result)
{
    json_object_begin(j, "metrics");
    for (int i = 0; i < PROVE_METRICS; i++) {
        const struct prove_estimate *m = &result->metrics[i];
        json_object_begin(j, keep_metric_name((enum prove_metric)i));
        json_text(j, "verdict", keep_call_name(m->decision.call));
        json_number(j, "ratio", m->decision.estimate);
        json_number(j, "low", m->decision.low);
        json_number(j, "high", m->decision.high);
        json_number(j, "base", m->a);
        json_number(j, "head", m->b);
        json_object_end(j);
    }
    json_object_end(j);
}

static void put_row(struct json *j, const struct gate_report *g, const struct gate_row *row)
{
    const struct stats_decision *d = &row->result.metrics[g->metric].decision;
    json_object_begin(j, NULL);
    json_text(j, "name", row->subject->name);
    json_text(j, "run", row->subject->run);
    json_text(j, "verdict", gate_verdict_name(row->verdict));
    json_boolean(j, "fails", gate_row_fails(g, row));
    if (row->why[0] != '\0')
        json_text(j, "why", row->why);
    if (row->measured) {
        json_number(j, "ratio", d->estimate);
        json_number(j, "low", d->low);
        json_number(j, "high", d->high);
        json_number(j, "p", d->p);
        json_number(j, "detectable", d->detectable);
        json_integer(j, "runs", (int64_t)row->result.runs);
        json_number(j, "seconds", (double)row->result.spent_ns / 1e9);
        put_metrics(j, &row->result);
    }
    put_counts(j, row);
    json_object_end(j);
}

void gate_put_json(struct buffer *out, const struct gate_report *g)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_object_begin(&j, "base");
    json_text(&j, "name", g->base_name);
    json_text(&j, "revision", g->base);
    json_boolean(&j, "stored", g->stored);
    json_object_end(&j);
    json_object_begin(&j, "head");
    json_text(&j, "revision", g->head);
    json_boolean(&j, "tree", g->tree);
    json_object_end(&j);
    json_text(&j, "metric", keep_metric_name(g->metric));
    json_number(&j, "claim", g->claim);
    json_number(&j, "work_claim", g->work_claim);
    json_object_begin(&j, "counts");
    for (int v = GATE_SAME; v <= GATE_FAILED; v++)
        json_integer(&j, gate_verdict_name((enum gate_verdict)v), (int64_t)gate_count(g, (enum gate_verdict)v));
    json_object_end(&j);
    json_array_begin(&j, "subjects");
    for (size_t i = 0; i < g->count; i++)
        put_row(&j, g, &g->rows[i]);
    json_array_end(&j);
    json_boolean(&j, "interrupted", g->interrupted);
    json_number(&j, "seconds", (double)g->spent_ns / 1e9);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

/* ---- JUnit ---- */

/* XML 1.0 has no place for most control characters, escaped or not; text_append_safe has taken them out. */
static void put_xml(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer safe;
    buffer_init(&safe, 1u << 20);
    text_append_safe(&safe, text, strlen(text));
    for (const char *at = buffer_text(&safe); *at != '\0'; at++) {
        if (strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0) {
            buffer_append_byte(out, '?'); /* U+FFFE and U+FFFF have none either */
            at += 2;
            continue;
        }
        text_append_markup(out, at, 1);
    }
}

static void put_element(struct buffer *out, const char *name, const char *message)
{
    buffer_printf(out, "      <%s message=\"", name);
    put_xml(out, message);
    buffer_append_string(out, "\"></");
    buffer_printf(out, "%s>\n", name);
}

static void put_case(struct buffer *out, const struct gate_report *g, const struct gate_row *row)
{
    CLEANUP(buffer_release) struct buffer text;
    const char *element = row->verdict == GATE_FAILED ? "error"
                          : gate_row_fails(g, row)    ? "failure"
                          : row->verdict == GATE_NEW || (row->verdict == GATE_UNSETTLED && !g->unsettled_passes)
                              ? "skipped"
                              : NULL;
    buffer_init(&text, 1u << 20);
    gate_put_words(&text, g, row);
    if (row->work != GATE_WORK_NONE) {
        buffer_append_string(&text, row->work == GATE_WORK_MORE ? "; more work: " : "; work: ");
        gate_put_work(&text, row);
    }
    buffer_append_string(out, "    <testcase classname=\"");
    put_xml(out, row->subject->file != NULL ? row->subject->file : "pitviper gate");
    buffer_append_string(out, "\" name=\"");
    put_xml(out, row->subject->function != NULL ? row->subject->function : row->subject->name);
    buffer_printf(out, "\" time=\"%.3f\">\n", (double)row->result.spent_ns / 1e9);
    if (element != NULL)
        put_element(out, element, buffer_text(&text));
    buffer_append_string(out, "      <system-out>");
    put_xml(out, buffer_text(&text));
    buffer_append_string(out, "</system-out>\n    </testcase>\n");
}

void gate_put_junit(struct buffer *out, const struct gate_report *g)
{
    size_t failures = 0, skipped = 0, errors = gate_count(g, GATE_FAILED);
    for (size_t i = 0; i < g->count; i++) {
        const struct gate_row *row = &g->rows[i];
        bool fails = gate_row_fails(g, row);
        failures += fails && row->verdict != GATE_FAILED ? 1 : 0;
        skipped +=
            !fails && (row->verdict == GATE_NEW || (row->verdict == GATE_UNSETTLED && !g->unsettled_passes)) ? 1 : 0;
    }
    buffer_printf(out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"pitviper gate\" tests=\"%zu\" "
        "failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
        g->count, failures, errors, skipped, (double)g->spent_ns / 1e9);
    for (size_t i = 0; i < g->count; i++)
        put_case(out, g, &g->rows[i]);
    buffer_append_string(out, "  </testsuite>\n</testsuites>\n");
}
