/* A store's series as text, JSON and a page. */
#include "cmd/history_show.h"
#include "plot/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLOT_HEIGHT 14
#define PAGE_ROWS 200 /* of a series' table in the page */
#define REVISION_SHOWN 10

enum { TIME_TEXT = 32, VALUE_TEXT = 48 };

static const char *time_text(char into[TIME_TEXT], uint64_t ns, const char *format)
{
    time_t seconds = (time_t)(ns / 1000000000u);
    struct tm tm;
    if (ns == 0 || gmtime_r(&seconds, &tm) == NULL || strftime(into, TIME_TEXT, format, &tm) == 0)
        snprintf(into, TIME_TEXT, "-");
    return into;
}

/* Four digits, in the unit that makes them readable. */
static const char *value_text(char into[VALUE_TEXT], double value, const char *unit)
{
    static const struct {
        const char *unit, *name;
        double size;
    } steps[] = {{"s", "s", 1}, {"s", "ms", 1e-3}, {"s", "us", 1e-6}, {"s", "ns", 0}, {"bytes", "GiB", 1u << 30},
        {"bytes", "MiB", 1u << 20}, {"bytes", "KiB", 1u << 10}, {"bytes", "bytes", 0}};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        bool last = steps[i].size == 0;
        double size = !last ? steps[i].size : strcmp(unit, "s") == 0 ? 1e-9 : 1;
        if (strcmp(unit, steps[i].unit) == 0 && (last || fabs(value) >= steps[i].size)) {
            snprintf(into, VALUE_TEXT, "%.4g %s", value / size, steps[i].name);
            return into;
        }
    }
    if (strcmp(unit, "count") == 0 || strcmp(unit, "ratio") == 0 || strcmp(unit, "exponent") == 0 || unit[0] == '\0')
        snprintf(into, VALUE_TEXT, strcmp(unit, "count") == 0 ? "%.15g" : "%.4g", value);
    else
        snprintf(into, VALUE_TEXT, "%.4g %.20s", value, unit);
    return into;
}

static const char *interval_text(char into[2 * VALUE_TEXT + 8], const struct history_result *x)
{
    char low[VALUE_TEXT], high[VALUE_TEXT];
    if (isnan(x->low) || isnan(x->high))
        snprintf(into, 2 * VALUE_TEXT + 8, "-");
    else
        snprintf(
            into, 2 * VALUE_TEXT + 8, "%s to %s", value_text(low, x->low, x->unit), value_text(high, x->high, x->unit));
    return into;
}

static void revision_text(struct buffer *out, const struct history_result *x)
{
    size_t size = strlen(x->revision);
    text_append_safe(
        out, x->revision[0] != '\0' ? x->revision : "-", size < REVISION_SHOWN ? size + (size == 0) : REVISION_SHOWN);
    if (x->dirty)
        buffer_append_byte(out, '+');
}

static enum plot_unit plot_unit_of(const char *unit)
{
    return strcmp(unit, "s") == 0 ? PLOT_SECONDS : strcmp(unit, "bytes") == 0 ? PLOT_BYTES : PLOT_NUMBER;
}

/* Several series differ somewhere, so everything that a series is made of is in its title. */
static void put_title(struct buffer *out, const struct history_shown *s)
{
    const struct history_series *x = s->series;
    const struct history_machine *m = s->count > 0 ? s->points[s->count - 1].machine : NULL;
    buffer_printf(
        out, "%s: %s%s, by %s", x->subject, x->metric, strcmp(x->unit, "ratio") == 0 ? " ratio" : "", x->kind);
    if (x->python[0] != '\0')
        buffer_printf(out, ", %s", x->python);
    if (m != NULL && m->cpu[0] != '\0')
        buffer_printf(out, ", on %s with %llu CPUs (%s)", m->cpu, (unsigned long long)m->cores, x->machine);
    else
        buffer_printf(out, ", on %s", x->machine[0] != '\0' ? x->machine : "an unknown machine");
}

static void put_safe(struct buffer *out, struct buffer *text)
{
    const char *plain = buffer_text(text);
    text_append_safe(out, plain, strlen(plain));
    buffer_clear(text);
}

/* ---- the picture ---- */

struct picture {
    struct plot_point *points;
    struct plot_mark *marks;
    struct plot_series series;
    struct plot plot;
};

static void picture_release(struct picture *p)
{
    free(p->points);
    free(p->marks);
}

static int picture_make(struct picture *ret, const struct history_shown *s)
{
    struct picture p = {
        .points = calloc(s->count + 1, sizeof(*p.points)), .marks = calloc(s->change_count + 1, sizeof(*p.marks))};
    *ret = p;
    if (p.points == NULL || p.marks == NULL)
        return -1;
    for (size_t i = 0; i < s->count; i++) {
        const struct history_result *x = &s->points[i];
        bool interval = !isnan(x->low) && !isnan(x->high);
        p.points[i] = (struct plot_point){.x = (double)x->time_ns / 1e9,
            .y = x->value,
            .low = interval ? x->low : NAN,
            .high = interval ? x->high : NAN};
    }
    for (size_t i = 0; i < s->change_count; i++)
        p.marks[i] = (struct plot_mark){.x = p.points[s->changes[i].at].x, .label = "change"};
    p.series = (struct plot_series){.points = p.points, .count = s->count, .style = PLOT_DOTS | PLOT_LINE};
    p.plot = (struct plot){
        .x = {.title = "", .unit = PLOT_TIME},
        .y = {.title = s->series->metric, .unit = plot_unit_of(s->series->unit)},
        .series_count = 1,
        .marks = p.marks,
        .mark_count = s->change_count,
    };
    *ret = p;
    ret->plot.series = &ret->series;
    return 0;
}

/* ---- text ---- */

static void put_change(struct buffer *out, const struct history_shown *s, const struct stats_change *c)
{
    const struct history_result *x = &s->points[c->at];
    char when[TIME_TEXT], before[VALUE_TEXT], after[VALUE_TEXT];
    buffer_printf(out, "  from %s on, revision ", time_text(when, x->time_ns, "%Y-%m-%d %H:%M"));
    revision_text(out, x);
    buffer_printf(out, ": %s -> %s", value_text(before, c->before, x->unit), value_text(after, c->after, x->unit));
    if (c->before > 0)
        buffer_printf(out, " (%+.1f %%)", 100 * (c->after / c->before - 1));
    buffer_printf(out, c->p < 0.001 ? ", p < 0.001\n" : ", p = %.3f\n", c->p);
}

static void put_changes(struct buffer *out, const struct history_shown *s)
{
    if (s->change_count > 0)
        buffer_append_string(out, "changes of level, by E-divisive:\n");
    else if (s->count < 2 * HISTORY_SEGMENT_MIN)
        buffer_printf(out, "too few results to find a change of level in: %d are needed\n", 2 * HISTORY_SEGMENT_MIN);
    else
        buffer_append_string(out, "no change of level\n");
    for (size_t i = 0; i < s->change_count; i++)
        put_change(out, s, &s->changes[i]);
}

static void put_rows(struct buffer *out, const struct history_shown *s, size_t rows)
{
    size_t shown = s->count < rows ? s->count : rows;
    buffer_printf(out, "  %-16s  %-11s  %-12s  %-24s  %6s  %s\n", "when (UTC)", "revision", "value", "interval", "runs",
        "verdict");
    for (size_t i = 0; i < shown; i++) {
        const struct history_result *x = &s->points[s->count - 1 - i];
        char when[TIME_TEXT], value[VALUE_TEXT], interval[2 * VALUE_TEXT + 8];
        size_t before = out->size;
        buffer_printf(out, "  %-16s  ", time_text(when, x->time_ns, "%Y-%m-%d %H:%M"));
        revision_text(out, x);
        while (out->size - before < 33 && buffer_append_byte(out, ' ') == 0)
            ;
        buffer_printf(out, "%-12s  %-24s  %6llu  ", value_text(value, x->value, x->unit), interval_text(interval, x),
            (unsigned long long)x->runs);
        text_append_safe(out, x->verdict, strlen(x->verdict));
        while (out->size > 0 && out->data[out->size - 1] == ' ')
            out->size--;
        buffer_append_byte(out, '\n');
    }
    if (shown < s->count)
        buffer_printf(out, "  and %zu before (--rows shows more)\n", s->count - shown);
}

void history_show_text(struct buffer *out, const struct history_shown *s, const struct history_show_options *how)
{
    CLEANUP(buffer_release) struct buffer title;
    CLEANUP(picture_release) struct picture p = {0};
    struct plot_cells cells = {.width = how->width, .height = PLOT_HEIGHT, .utf8 = how->utf8, .colour = how->colour};
    buffer_init(&title, 4 * HISTORY_TEXT_MAX);
    put_title(&title, s);
    buffer_append_string(out, how->colour ? "\033[1m" : "");
    put_safe(out, &title);
    buffer_append_string(out, how->colour ? "\033[0m\n" : "\n");
    if (s->count > 1 && picture_make(&p, s) == 0)
        (void)plot_text(out, &p.plot, &cells);
    put_changes(out, s);
    put_rows(out, s, how->rows);
}

static void put_padded(struct buffer *out, const char *text, size_t columns)
{
    size_t before = out->size;
    text_append_fitted(out, text, columns);
    size_t width = text_width((const char *)out->data + before, out->size - before);
    buffer_printf(out, "%*s", (int)(columns + 1 - (width < columns ? width : columns)), "");
}

/* Then which one it is tells its series apart. They are next to each other. */
static bool on_several_machines(const struct history_series *series, size_t count, size_t at)
{
    const struct history_series *x = &series[at];
    for (size_t i = at > 0 ? at - 1 : 0; i < count && i <= at + 1; i++) {
        const struct history_series *y = &series[i];
        if (strcmp(x->subject, y->subject) == 0 && strcmp(x->metric, y->metric) == 0 && strcmp(x->kind, y->kind) == 0 &&
            strcmp(x->machine, y->machine) != 0)
            return true;
    }
    return false;
}

void history_show_list(struct buffer *out, const struct history_series *series, size_t count, const char *store,
    const struct history_show_options *how)
{
    buffer_printf(out, "%zu series in ", count);
    text_append_safe(out, store, strlen(store));
    buffer_append_byte(out, '\n');
    for (size_t i = 0; i < count; i++) {
        const struct history_series *x = &series[i];
        char when[TIME_TEXT], metric[80], kind[24];
        if (i == 0 || strcmp(series[i - 1].subject, x->subject) != 0) {
            text_append_fitted(out, x->subject, how->width);
            buffer_append_byte(out, '\n');
        }
        snprintf(metric, sizeof(metric), "%.40s%s", x->metric, strcmp(x->unit, "ratio") == 0 ? " ratio" : "");
        snprintf(kind, sizeof(kind), "%.20s", x->kind);
        buffer_append_string(out, "    ");
        put_padded(out, metric, 14);
        put_padded(out, kind, 16);
        buffer_printf(out, "%5llu, last %s  ", (unsigned long long)x->count, time_text(when, x->last_ns, "%Y-%m-%d"));
        text_append_safe(out, x->python, strlen(x->python));
        if (on_several_machines(series, count, i)) {
            buffer_append_string(out, " on ");
            text_append_safe(out, x->machine, strlen(x->machine));
        }
        buffer_append_byte(out, '\n');
    }
}

/* ---- JSON ---- */

static void put_json_time(struct json *j, const char *name, uint64_t ns)
{
    char when[TIME_TEXT];
    time_text(when, ns, "%Y-%m-%dT%H:%M:%SZ");
    if (ns == 0)
        json_null(j, name);
    else
        json_text(j, name, when);
}

static void put_json_results(struct json *j, const struct history_shown *s)
{
    json_array_begin(j, "changes");
    for (size_t i = 0; i < s->change_count; i++) {
        const struct stats_change *c = &s->changes[i];
        json_object_begin(j, NULL);
        json_integer(j, "at", (int64_t)c->at);
        put_json_time(j, "time", s->points[c->at].time_ns);
        json_text(j, "revision", s->points[c->at].revision);
        json_number(j, "before", c->before);
        json_number(j, "after", c->after);
        json_number(j, "p", c->p);
        json_object_end(j);
    }
    json_array_end(j);
    json_array_begin(j, "results");
    for (size_t i = 0; i < s->count; i++) {
        const struct history_result *x = &s->points[i];
        json_object_begin(j, NULL);
        put_json_time(j, "time", x->time_ns);
        json_integer(j, "time_ns", (int64_t)(x->time_ns & INT64_MAX));
        json_number(j, "value", x->value);
        json_number(j, "low", x->low);
        json_number(j, "high", x->high);
        json_integer(j, "runs", (int64_t)(x->runs & INT64_MAX));
        json_text(j, "verdict", x->verdict);
        json_text(j, "revision", x->revision);
        json_boolean(j, "dirty", x->dirty);
        json_text(j, "cpu", x->machine->cpu);
        json_integer(j, "cores", (int64_t)(x->machine->cores & INT64_MAX));
        json_integer(j, "memory", (int64_t)(x->machine->memory & INT64_MAX));
        json_text(j, "kernel", x->machine->kernel);
        json_object_end(j);
    }
    json_array_end(j);
}

void history_show_json(struct buffer *out, const char *store, const struct history_series *series, size_t count,
    const struct history_shown *shown)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "store", store);
    json_array_begin(&j, "series");
    for (size_t i = 0; i < count; i++) {
        const struct history_series *x = &series[i];
        json_object_begin(&j, NULL);
        json_text(&j, "subject", x->subject);
        json_text(&j, "metric", x->metric);
        json_text(&j, "unit", x->unit);
        json_text(&j, "kind", x->kind);
        json_text(&j, "python", x->python);
        json_text(&j, "machine", x->machine);
        json_integer(&j, "count", (int64_t)x->count);
        put_json_time(&j, "first", x->first_ns);
        put_json_time(&j, "last", x->last_ns);
        if (shown != NULL)
            put_json_results(&j, &shown[i]);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
}

/* ---- the page ---- */

static void put_cell(struct buffer *out, const char *text)
{
    buffer_append_string(out, "<td>");
    plot_html_text(out, text);
    buffer_append_string(out, "</td>");
}

/* A paragraph a line. */
static void put_page_changes(struct buffer *out, const struct history_shown *s)
{
    CLEANUP(buffer_release) struct buffer text;
    char *line, *rest;
    buffer_init(&text, 1u << 20);
    put_changes(&text, s);
    for (line = strtok_r((char *)(uintptr_t)buffer_text(&text), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        buffer_append_string(out, "<p>");
        plot_html_text(out, line);
        buffer_append_string(out, "</p>\n");
    }
}

static void put_page_rows(struct buffer *out, const struct history_shown *s)
{
    CLEANUP(buffer_release) struct buffer text;
    size_t shown = s->count < PAGE_ROWS ? s->count : PAGE_ROWS;
    buffer_init(&text, 4 * HISTORY_TEXT_MAX);
    buffer_append_string(out, "<table><thead><tr><th>when (UTC)</th><th>revision</th><th>value</th><th>interval</th>"
                              "<th>runs</th><th>verdict</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < shown; i++) {
        const struct history_result *x = &s->points[s->count - 1 - i];
        char when[TIME_TEXT], value[VALUE_TEXT], interval[2 * VALUE_TEXT + 8];
        buffer_append_string(out, "<tr>");
        put_cell(out, time_text(when, x->time_ns, "%Y-%m-%d %H:%M"));
        buffer_clear(&text);
        revision_text(&text, x);
        put_cell(out, buffer_text(&text));
        put_cell(out, value_text(value, x->value, x->unit));
        put_cell(out, interval_text(interval, x));
        buffer_printf(out, "<td>%llu</td>", (unsigned long long)x->runs);
        put_cell(out, x->verdict);
        buffer_append_string(out, "</tr>\n");
    }
    buffer_append_string(out, "</tbody></table>\n");
    if (shown < s->count)
        buffer_printf(out, "<p>and %zu before</p>\n", s->count - shown);
}

void history_show_page(struct buffer *out, const struct history_shown *shown, size_t count)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, 1u << 20);
    plot_page_begin(out, "pitviper history");
    for (size_t i = 0; i < count; i++) {
        CLEANUP(picture_release) struct picture p = {0};
        put_title(&text, &shown[i]);
        buffer_append_string(out, "<section><h2>");
        plot_html_text(out, buffer_text(&text));
        buffer_append_string(out, "</h2>\n");
        if (shown[i].count > 1 && picture_make(&p, &shown[i]) == 0)
            (void)plot_svg(out, &p.plot, buffer_text(&text));
        buffer_clear(&text);
        put_page_changes(out, &shown[i]);
        put_page_rows(out, &shown[i]);
        buffer_append_string(out, "</section>\n");
    }
    plot_page_end(out);
}
