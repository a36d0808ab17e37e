/* What changed between two sides: text for the terminal, JSON, and stacks for a differential flame graph. */
#include "report/export.h"
#include "report/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGE_COLUMNS = 10, RANGE_COLUMNS = 15, SIDE_COLUMNS = 8, POINTS_COLUMNS = 9, FLUSH_AT = 1 << 16 };

/* ---- text ---- */

static const char *amount_text(char into[NUMBER_TEXT], const struct diff *d, double amount)
{
    return d->unit == DIFF_SHARE ? share_text(into, amount) : time_text(into, amount);
}

static const char *signed_text(char into[NUMBER_TEXT], const struct diff *d, double amount)
{
    char size[NUMBER_TEXT];
    snprintf(into, NUMBER_TEXT, "%c%s", amount < 0 ? '-' : '+', amount_text(size, d, fabs(amount)));
    return into;
}

/* In the unit of the change, which stands beside it. */
static const char *range_text(char into[NUMBER_TEXT], const struct diff *d, const struct diff_measure *m)
{
    double size = fabs(m->b - m->a);
    double unit = d->unit == DIFF_SHARE ? 0.01 : size < 999.5e3 ? 1e3 : size < 999.5e6 ? 1e6 : 1e9;
    double most = fmax(fabs(m->low), fabs(m->high)) / unit;
    int decimals = most < 9.995 ? 2 : most < 99.95 ? 1 : 0;
    snprintf(into, NUMBER_TEXT, "%+.*f..%+.*f", decimals, m->low / unit, decimals, m->high / unit);
    return into;
}

static void put_measure(struct page *g, const struct diff *d, const struct diff_measure *m)
{
    char text[NUMBER_TEXT];
    page_style(g, m->b > m->a ? STYLE_HOT : STYLE_GOOD);
    page_column(g, signed_text(text, d, m->b - m->a), CHANGE_COLUMNS, true);
    page_style(g, STYLE_DIM);
    page_column(g, range_text(text, d, m), RANGE_COLUMNS, true);
    page_style(g, STYLE_PLAIN);
    page_column(g, m->a > 0 ? amount_text(text, d, m->a) : "-", SIDE_COLUMNS + 1, true);
    page_column(g, m->b > 0 ? amount_text(text, d, m->b) : "-", SIDE_COLUMNS + 1, true);
    if (d->unit == DIFF_SHARE)
        return;
    snprintf(text, sizeof(text), "%+.1f", 100 * (m->share_b - m->share_a));
    page_column(g, text, POINTS_COLUMNS - 2, true);
}

static void put_columns(struct page *g, const struct diff *d, const char *what)
{
    page_style(g, STYLE_DIM);
    page_column(g, "change", CHANGE_COLUMNS, true);
    page_column(g, "range", RANGE_COLUMNS, true);
    page_column(g, "a", SIDE_COLUMNS + 1, true);
    page_column(g, "b", SIDE_COLUMNS + 1, true);
    if (d->unit == DIFF_TIME)
        page_column(g, "points", POINTS_COLUMNS - 2, true);
    page_text(g, "  ");
    page_text(g, what);
    page_style(g, STYLE_PLAIN);
    page_end(g);
}

static void put_rest(struct page *g, size_t more, size_t not_sure, const char *what)
{
    char n[NUMBER_TEXT];
    page_style(g, STYLE_DIM);
    if (more > 0)
        page_printf(g, "  and %s more that changed", number_text(n, more));
    if (more > 0)
        page_end(g);
    page_printf(g, "  %s %s: no change that is sure", number_text(n, not_sure), what);
    page_style(g, STYLE_PLAIN);
    page_end(g);
}

static int put_functions(struct page *g, const struct diff *d, bool total)
{
    uint32_t *order = NULL;
    size_t count;
    int r = diff_functions_changed(d, total, &order, &count);
    if (r < 0)
        return r;
    page_title(g, total ? "functions, by the change of the time in them and in what they call (total)"
                        : "functions, by the change of the time in themselves (self)");
    if (count > 0)
        put_columns(g, d, "function");
    for (size_t i = 0; i < count && i < g->rows; i++) {
        const struct diff_function *f = &d->functions[order[i]];
        put_measure(g, d, total ? &f->total : &f->self);
        page_text(g, "  ");
        size_t left = g->width > g->column ? g->width - g->column : 0, place = left > 40 ? left * 9 / 20 : 0;
        page_column(g, f->name, left - place, false);
        if (place > 2 && f->file[0] != '\0') {
            page_text(g, "  ");
            page_place(g, f->file, f->line_b > 0 ? f->line_b : f->line_a, place - 2);
        }
        page_end(g);
    }
    put_rest(g, count > g->rows ? count - g->rows : 0,
        d->functions_compared > count ? d->functions_compared - count : 0, "functions");
    free(order);
    return 0;
}

/* A line that only a was met at may still be one of b's, and then goes by b's number. */
static uint32_t line_number(const struct diff_line *line)
{
    return line->place > 0 ? line->place : line->line_a;
}

static int put_lines(struct page *g, const struct diff *d)
{
    uint32_t *order = NULL;
    size_t count;
    int r = diff_lines_changed(d, &order, &count);
    if (r < 0)
        return r;
    page_title(g, "lines, by the change of the time in themselves");
    if (count > 0)
        put_columns(g, d, "line");
    for (size_t i = 0; i < count && i < g->rows; i++) {
        const struct diff_line *line = &d->lines[order[i]];
        const struct diff_function *f = &d->functions[line->function];
        put_measure(g, d, &line->self);
        page_text(g, "  ");
        page_place(g, f->file[0] != '\0' ? f->file : f->name, line_number(line), 22);
        if (line->place == 0 && line->line_a > 0)
            page_text(g, " of a");
        page_end(g);
        if (line->text == NULL)
            continue;
        page_style(g, STYLE_DIM);
        page_column(g, "", CHANGE_COLUMNS + 2, false);
        if (line->text != NULL)
            page_source(g, line->text, line->size);
        page_style(g, STYLE_PLAIN);
        page_end(g);
    }
    put_rest(
        g, count > g->rows ? count - g->rows : 0, d->lines_compared > count ? d->lines_compared - count : 0, "lines");
    free(order);
    return 0;
}

static void put_side(
    struct page *g, const struct diff *d, const char *label, const char *command, size_t runs, double time)
{
    char n[NUMBER_TEXT], text[NUMBER_TEXT];
    page_style(g, STYLE_TITLE);
    page_text(g, label);
    page_style(g, STYLE_PLAIN);
    page_text(g, "  ");
    page_column(g, command == NULL || command[0] == '\0' ? "(unknown command)" : command, g->width - 36, false);
    page_printf(g, "  %s %s", number_text(n, runs), runs == 1 ? "run" : "runs");
    if (d->unit == DIFF_TIME)
        page_printf(g, ", %s each", time_text(text, time));
    page_end(g);
}

static void put_claim(struct page *g, const struct diff *d)
{
    char text[600], n[NUMBER_TEXT], a[NUMBER_TEXT], b[NUMBER_TEXT], change[NUMBER_TEXT], range[NUMBER_TEXT];
    bool between = d->claim == DIFF_BETWEEN_VERSIONS;
    const char *what = d->unit == DIFF_SHARE ? "These are counts of samples, which tell no time: shares are compared"
                                             : "Time is thread time a run";
    const char *points = d->unit == DIFF_SHARE ? "" : " Points: of the share, in percent.";
    page_end(g);
    if (between)
        snprintf(text, sizeof(text),
            "Change between versions, from the spread between %s and %s runs. %s; ranges are 95 %% intervals (Welch). "
            "Shown is what is still sure when it is counted that %s functions were compared (Holm).%s",
            number_text(a, d->runs_a), number_text(b, d->runs_b), what, number_text(n, d->functions_compared), points);
    else
        snprintf(text, sizeof(text),
            "Change within these two runs. It says nothing about versions: the next run of either may differ as much. "
            "For that, give two runs or more a side (pitviper run --repeat). %s; ranges are 95 %% intervals of what "
            "these runs took; shown is what is still sure when it is counted that %s functions were compared (Holm).%s",
            what, number_text(n, d->functions_compared), points);
    page_entry(g, "", 0, text);
    if (d->unit == DIFF_SHARE)
        return;
    page_end(g);
    const struct diff_measure *m = &d->whole;
    if (between)
        snprintf(text, sizeof(text), "All of a run: %s (%s)%s.", signed_text(change, d, m->b - m->a),
            range_text(range, d, m), m->changed ? "" : ", not a sure change");
    else
        snprintf(text, sizeof(text), "All of a run: %s.", signed_text(change, d, m->b - m->a));
    page_entry(g, "", 0, text);
}

int report_diff(
    struct buffer *out, const struct diff *d, const struct report_side sides[2], const struct report_options *options)
{
    struct page g = page_of(out, NULL, options);
    int r = 0;
    put_side(&g, d, "a", sides[0].command, d->runs_a, d->whole.a);
    put_side(&g, d, "b", sides[1].command, d->runs_b, d->whole.b);
    if (d->whole.a <= 0 || d->whole.b <= 0) {
        page_title(&g, d->whole.a <= 0 ? "a has no samples in this view" : "b has no samples in this view");
        return out->failed ? -ENOMEM : 0;
    }
    put_claim(&g, d);
    if (options->sort != REPORT_TOTAL)
        r = put_functions(&g, d, false);
    if (r == 0 && options->sort != REPORT_SELF)
        r = put_functions(&g, d, true);
    if (r == 0)
        r = put_lines(&g, d);
    return r < 0 ? r : out->failed ? -ENOMEM : 0;
}

/* ---- JSON ---- */

static void json_measure(struct json *j, const struct diff *d, const char *name, const struct diff_measure *m)
{
    json_object_begin(j, name);
    if (d->unit == DIFF_TIME) {
        json_number(j, "a_ns", m->a);
        json_number(j, "b_ns", m->b);
        json_number(j, "change_ns", m->b - m->a);
        json_number(j, "low_ns", m->low);
        json_number(j, "high_ns", m->high);
    }
    json_number(j, "share_a", m->share_a);
    json_number(j, "share_b", m->share_b);
    json_number(j, "share_low", m->share_low);
    json_number(j, "share_high", m->share_high);
    json_number(j, "p", m->p);
    json_boolean(j, "changed", m->changed);
    json_object_end(j);
}

static void json_line(struct json *j, const struct diff *d, const struct diff_line *line, bool by_index)
{
    json_object_begin(j, NULL);
    if (by_index) {
        json_integer(j, "of", line->function);
    } else {
        json_text(j, "function", d->functions[line->function].name);
        json_text(j, "file", d->functions[line->function].file);
    }
    json_integer(j, "line_a", line->line_a);
    json_integer(j, "line_b", line->line_b);
    if (line->text == NULL)
        json_null(j, "source");
    else
        json_string(j, "source", line->text, line->size);
    json_measure(j, d, "self", &line->self);
    json_object_end(j);
}

void report_diff_facts(struct json *j, const struct diff *d, bool by_index)
{
    json_text(j, "unit", d->unit == DIFF_SHARE ? "share" : "ns");
    json_text(j, "claim", d->claim == DIFF_BETWEEN_VERSIONS ? "between versions" : "within these runs");
    json_integer(j, "runs_a", (int64_t)d->runs_a);
    json_integer(j, "runs_b", (int64_t)d->runs_b);
    json_integer(j, "functions_compared", (int64_t)d->functions_compared);
    json_integer(j, "lines_compared", (int64_t)d->lines_compared);
    json_measure(j, d, "whole", &d->whole);
    json_array_begin(j, "functions");
    for (size_t i = 0; i < d->function_count; i++) {
        const struct diff_function *f = &d->functions[i];
        json_object_begin(j, NULL);
        json_text(j, "function", f->name);
        json_text(j, "file", f->file);
        json_text(j, "kind", export_kind_name(f->kind));
        json_integer(j, "first_line_a", f->line_a);
        json_integer(j, "first_line_b", f->line_b);
        json_measure(j, d, "self", &f->self);
        json_measure(j, d, "total", &f->total);
        json_object_end(j);
    }
    json_array_end(j);
    json_array_begin(j, "lines");
    for (size_t i = 0; i < d->line_count; i++)
        if (d->lines[i].self.a > 0 || d->lines[i].self.b > 0)
            json_line(j, d, &d->lines[i], by_index);
    json_array_end(j);
}

int report_diff_json(struct buffer *out, const struct diff *d)
{
    struct json j = {.out = out};
    json_object_begin(&j, NULL);
    json_text(&j, "format", "pitviper diff");
    json_integer(&j, "version", 1);
    report_diff_facts(&j, d, false);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
    return out->failed ? -ENOMEM : 0;
}

/* ---- stacks with two counts ---- */

static void put_frame(struct buffer *out, const struct diff *d, uint32_t node)
{
    const struct diff_line *line = &d->lines[d->nodes[node].line];
    const struct diff_function *f = &d->functions[line->function];
    report_collapsed_frame(out, f->name, f->file, line_number(line), f->kind);
}

int report_diff_collapsed(
    struct buffer *out, const struct diff *d, int (*flush)(void *context, struct buffer *out), void *context)
{
    uint32_t *path = NULL;
    size_t capacity = 0;
    int r = 0;
    for (uint32_t i = 1; r == 0 && i < d->node_count; i++) {
        const struct diff_node *node = &d->nodes[i];
        uint64_t a = (uint64_t)(node->self_a / 1e3 + 0.5), b = (uint64_t)(node->self_b / 1e3 + 0.5);
        size_t depth = 0;
        if (a == 0 && b == 0)
            continue;
        for (uint32_t at = i; r == 0 && at != 0; at = d->nodes[at].parent) {
            r = array_reserve(&path, &capacity, depth + 1, sizeof(*path));
            if (r == 0)
                path[depth++] = at;
        }
        while (r == 0 && depth > 0) {
            put_frame(out, d, path[--depth]);
            if (depth > 0)
                buffer_append_byte(out, ';');
            if (out->size >= FLUSH_AT && flush != NULL)
                r = flush(context, out);
        }
        buffer_printf(out, " %llu %llu\n", (unsigned long long)a, (unsigned long long)b);
        r = r == 0 && out->failed ? -ENOMEM : r;
    }
    if (r == 0 && flush != NULL)
        r = flush(context, out);
    free(path);
    return r;
}
