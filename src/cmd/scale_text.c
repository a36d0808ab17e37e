/* A growth as words, tables and pictures: for the terminal and for a page. */
#include "cmd/cmd.h"
#include "cmd/scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOSTLY_SETUP 0.9
#define CURVE_POINTS 48
#define FILE_SHOWN 60
#define INDENT 2

static const struct {
    const char *title;
    enum growth_measure measure;
    enum plot_unit unit;
} columns[] = {
    {"CPU time", GROWTH_CPU, PLOT_SECONDS},
    {"instructions", GROWTH_INSTRUCTIONS, PLOT_NUMBER},
    {"lines", GROWTH_LINES, PLOT_NUMBER},
    {"calls", GROWTH_CALLS, PLOT_NUMBER},
    {"memory", GROWTH_MEMORY, PLOT_BYTES},
};

/* ---- sentences ---- */

static void put_interval(struct buffer *out, const struct stats_interval *i)
{
    if (i->high - i->low >= 0.005)
        buffer_printf(out, " (%.2f to %.2f)", i->low, i->high);
}

void scale_put_law(struct buffer *out, enum growth_shape shape, const struct stats_interval *exponent,
    const struct stats_interval *base)
{
    if (shape == GROWTH_EXPONENTIAL) {
        buffer_printf(out, "%.2f^n", base->estimate);
        put_interval(out, base);
    } else {
        buffer_printf(out, "n^%.2f", fabs(exponent->estimate) < 0.005 ? 0 : exponent->estimate);
        put_interval(out, exponent);
    }
}

static void put_law_of(struct buffer *out, const struct growth_fit *f)
{
    scale_put_law(out, f->shape, &f->exponent, &f->base);
}

static void put_heading(struct buffer *out, const struct growth_result *r)
{
    const struct growth_verdict *v = &r->verdict;
    if (!v->settled)
        buffer_append_string(out, "not settled; about ");
    if (v->shape == GROWTH_EXPONENTIAL) {
        buffer_printf(out, "exponential: 1 more in n multiplies it by %.2f", v->base.estimate);
        put_interval(out, &v->base);
        return;
    }
    bool power = v->shape == GROWTH_POWER || v->shape == GROWTH_UNKNOWN;
    buffer_printf(out, "%s%s", power ? "" : growth_shape_words(v->shape), power ? "" : ": ");
    scale_put_law(out, v->shape, &v->exponent, &v->base);
}

static void put_place(struct buffer *out, const struct growth_line *l)
{
    size_t size = strlen(l->file);
    const char *file = size > FILE_SHOWN ? l->file + size - FILE_SHOWN : l->file;
    const char *slash = strrchr(l->file, '/');
    file = slash != NULL ? slash + 1 : file;
    text_append_safe(out, file, strlen(file));
    buffer_printf(out, ":%u", l->line);
}

/* "app.py:12, `if x in seen:`, takes 97 % of it: it runs n^1.00 times, and each time takes n^0.98." */
static void put_line(struct buffer *out, const struct growth_line *l)
{
    put_place(out, l);
    if (l->text[0] != '\0') {
        buffer_append_string(out, ", `");
        text_append_fitted(out, l->text, 72);
        buffer_append_string(out, "`,");
    }
    buffer_printf(out, " takes %.0f %% of it", l->share * 100);
    if (isfinite(l->time_slope) && isfinite(l->hit_slope))
        buffer_printf(out, ": it runs n^%.1f times, and each time takes n^%.1f",
            fabs(l->hit_slope) < 0.05 ? 0 : l->hit_slope,
            fabs(l->time_slope - l->hit_slope) < 0.05 ? 0 : l->time_slope - l->hit_slope);
    buffer_append_byte(out, '.');
}

static void put_basis(struct buffer *out, const struct growth_result *r)
{
    const struct growth_verdict *v = &r->verdict;
    const struct growth_fit *counts = &r->fits[GROWTH_INSTRUCTIONS], *time = &r->fits[GROWTH_CPU];
    switch (v->basis) {
    case GROWTH_BY_COUNTERS:
        buffer_append_string(out, "Counted instructions decide: CPU time agrees with ");
        put_law_of(out, time);
        buffer_append_byte(out, '.');
        break;
    case GROWTH_INSIDE_C:
        buffer_append_string(out, "CPU time decides: counted instructions grow only as ");
        put_law_of(out, counts);
        buffer_append_string(out, ", so the work is inside C, where nothing is counted.");
        break;
    case GROWTH_TIME_IS_BEHIND:
        buffer_append_string(out, "CPU time grows more slowly than counted instructions, ");
        put_law_of(out, counts);
        buffer_append_string(out, ": a fixed cost still hides the growth at these sizes. Name larger --sizes.");
        break;
    case GROWTH_BY_TIME:
        buffer_append_string(out, r->fitted[GROWTH_INSTRUCTIONS]
                                      ? "CPU time decides: it grows faster at sizes that are too large to be counted."
                                      : "CPU time decides alone: counting went beyond the budget.");
    }
}

typedef void put_note(struct buffer *out, const char *text, void *context);

static void each_note(const struct growth_result *r, put_note *put, void *context)
{
    CLEANUP(buffer_release) struct buffer note;
    const struct growth_fit *time = &r->fits[GROWTH_CPU], *counts = &r->fits[GROWTH_INSTRUCTIONS];
    buffer_init(&note, 4096);
    struct buffer *out = context;
    if (r->verdict.too_short) {
        char text[PLOT_TEXT];
        buffer_printf(&note,
            "A call takes only %s at the largest size, too little to say how it grows: name larger --sizes.",
            plot_number(text, time->value, PLOT_SECONDS));
        put(out, buffer_text(&note), context);
        buffer_clear(&note);
    }
    const struct growth_fit *bent = r->verdict.basis == GROWTH_BY_COUNTERS ? counts : time;
    if (bent->bends && bent->slope_count >= 2) {
        size_t first = bent->slope_count > GROWTH_TOP - 1 ? bent->slope_count - (GROWTH_TOP - 1) : 0;
        buffer_printf(&note,
            "The curve bends: n^%.2f between the first two of the sizes that decide, n^%.2f between the last two.",
            bent->slopes[first], bent->slopes[bent->slope_count - 1]);
        put(out, buffer_text(&note), context);
        buffer_clear(&note);
    }
    if (r->counts_differ)
        put(out,
            "The counts of one size differ between two runs with one hash seed: the function is not deterministic.",
            context);
    if (r->remembers)
        put(out,
            "Later calls are far faster than the first (does it remember?): the first call of each process was taken.",
            context);
    if (r->waits) {
        buffer_append_string(&note, "It waits more than it computes: wall time grows as ");
        put_law_of(&note, &r->fits[GROWTH_WALL]);
        buffer_append_byte(&note, '.');
        put(out, buffer_text(&note), context);
        buffer_clear(&note);
    }
    if (r->setup_share > MOSTLY_SETUP) {
        buffer_printf(&note,
            "The set-up takes %.0f %% of the largest size: the budget went there, and larger sizes were left out.",
            r->setup_share * 100);
        put(out, buffer_text(&note), context);
        buffer_clear(&note);
    }
    if (r->ended[0] != '\0') {
        buffer_append_string(&note, "The sizes end here: ");
        text_append_safe(&note, r->ended, strlen(r->ended));
        buffer_append_byte(&note, '.');
        put(out, buffer_text(&note), context);
    }
}

double scale_predicted(const struct growth_result *r, double asked)
{
    double top = r->fits[GROWTH_CPU].to;
    return asked > 0 ? asked : r->verdict.shape == GROWTH_EXPONENTIAL ? top + 10 : top * 10;
}

static bool put_prediction(struct buffer *out, const struct growth_result *r, double n)
{
    struct growth_prediction p;
    char at[PLOT_TEXT], text[PLOT_TEXT], low[PLOT_TEXT], high[PLOT_TEXT];
    if (growth_predict(r, scale_predicted(r, n), &p) < 0)
        return false;
    plot_number(at, p.n, PLOT_NUMBER);
    if (!(p.seconds < 3e17)) { /* seconds since the universe began, about */
        buffer_printf(out, "At n = %s: longer than the universe is old.", at);
        return true;
    }
    buffer_printf(out, "At n = %s: about %s", at, plot_number(text, p.seconds, PLOT_SECONDS));
    buffer_printf(out, " (%s to %s) of CPU time a call.", plot_number(low, p.low, PLOT_SECONDS),
        p.high < 3e17 ? plot_number(high, p.high, PLOT_SECONDS) : "for ever");
    return true;
}

/* ---- the plot ---- */

struct picture {
    struct plot_point measured[GROWTH_SIZES_MAX], fitted[CURVE_POINTS];
    struct plot_series series[2];
    struct plot plot;
};

static void picture_make(struct picture *p, const struct growth_result *r, double predict)
{
    const struct growth_series *cpu = &r->series[GROWTH_CPU];
    const struct growth_fit *f = &r->fits[GROWTH_CPU];
    double last = predict > 0 && predict < f->to * 100 && f->shape != GROWTH_EXPONENTIAL ? fmax(predict, f->to) : f->to;
    size_t points = 0;
    for (size_t i = 0; i < cpu->count; i++) {
        const struct growth_sample *s = &cpu->samples[i];
        struct plot_point at = {.x = s->n, .y = growth_sample_value(s), .low = INFINITY, .high = 0};
        for (size_t k = 0; k < s->count; k++) {
            at.low = fmin(at.low, s->values[k]);
            at.high = fmax(at.high, s->values[k]);
        }
        p->measured[i] = at;
    }
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        struct growth_prediction at;
        double n = f->from * pow(last / f->from, (double)i / (CURVE_POINTS - 1)), steps = n - f->to;
        double value = f->line * (f->shape == GROWTH_EXPONENTIAL ? pow(f->base.estimate, steps)
                                                                 : pow(n / f->to, f->exponent.estimate));
        if (n > f->to && growth_predict(r, n, &at) == 0)
            value = at.seconds;
        p->fitted[points++] = (struct plot_point){.x = n, .y = value, .low = NAN, .high = NAN};
    }
    p->series[0] = (struct plot_series){"fitted", p->fitted, points, PLOT_DASHED};
    p->series[1] = (struct plot_series){"measured", p->measured, cpu->count, PLOT_DOTS};
    p->plot = (struct plot){
        .x = {"n", PLOT_NUMBER, true},
        .y = {"CPU time of one call", PLOT_SECONDS, true},
        .series = p->series,
        .series_count = 2,
    };
}

/* ---- the terminal ---- */

static const struct growth_sample *sample_at(const struct growth_series *s, double n)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->samples[i].n == n)
            return &s->samples[i];
    return NULL;
}

static void put_cell(struct buffer *out, size_t column, const char *text)
{
    buffer_printf(out, "%*s", (int)(column == 0 ? 11 : 14), text);
}

static void put_table(struct buffer *out, const struct growth_result *r)
{
    char text[PLOT_TEXT];
    const struct growth_series *cpu = &r->series[GROWTH_CPU];
    buffer_printf(out, "%8s", "n");
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
        if (r->fitted[columns[c].measure])
            put_cell(out, c, columns[c].title);
    buffer_append_byte(out, '\n');
    for (size_t i = 0; i < cpu->count; i++) {
        buffer_printf(out, "%8.0f", cpu->samples[i].n);
        for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
            const struct growth_sample *s = sample_at(&r->series[columns[c].measure], cpu->samples[i].n);
            if (r->fitted[columns[c].measure])
                put_cell(out, c, s != NULL ? plot_number(text, growth_sample_value(s), columns[c].unit) : "-");
        }
        buffer_append_byte(out, '\n');
    }
    buffer_printf(out, "%8s", "grows as");
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
        const struct growth_fit *f = &r->fits[columns[c].measure];
        if (!r->fitted[columns[c].measure])
            continue;
        double shown = f->shape == GROWTH_EXPONENTIAL ? f->base.estimate : f->exponent.estimate;
        snprintf(
            text, sizeof(text), f->shape == GROWTH_EXPONENTIAL ? "%.2f^n" : "n^%.2f", fabs(shown) < 0.005 ? 0 : shown);
        put_cell(out, c, text);
    }
    buffer_append_byte(out, '\n');
}

static void wrap_into(struct buffer *out, struct buffer *text, const struct scale_view *v)
{
    cmd_put_words(out, buffer_text(text), 0, INDENT, v->cells.width);
    buffer_clear(text);
}

struct note_context {
    struct buffer *out;
    const struct scale_view *view;
};

static void put_note_text(struct buffer *out, const char *text, void *context)
{
    const struct note_context *c = context;
    (void)out;
    cmd_put_words(c->out, text, 0, INDENT, c->view->cells.width);
}

void scale_put_text(struct buffer *out, const struct growth_result *r, const struct scale_view *v)
{
    CLEANUP(buffer_release) struct buffer words;
    struct picture p;
    struct note_context context = {.out = out, .view = v};
    buffer_init(&words, 1 << 16);
    text_append_safe(out, v->name, strlen(v->name));
    buffer_append_string(out, v->cells.colour ? " is \033[1m" : " is ");
    put_heading(out, r);
    buffer_append_string(out, v->cells.colour ? "\033[0m\n" : "\n");
    put_basis(&words, r);
    wrap_into(out, &words, v);
    if (r->line_count > 0) {
        put_line(&words, &r->lines[0]);
        wrap_into(out, &words, v);
    }
    if (put_prediction(&words, r, v->predict))
        wrap_into(out, &words, v);
    each_note(r, put_note_text, &context);
    buffer_append_byte(out, '\n');
    put_table(out, r);
    buffer_append_byte(out, '\n');
    picture_make(&p, r, v->predict);
    (void)plot_text(out, &p.plot, &v->cells);
    buffer_append_byte(out, '\n');
    buffer_printf(&words, "%llu processes in %.1f s. CPU time is the least of a process, and the median of %zu.",
        (unsigned long long)r->runs, (double)r->spent_ns / 1e9, r->series[GROWTH_CPU].samples[0].count);
    if (r->counted_by[0] != '\0')
        buffer_printf(&words, " Counted by %s, with one hash seed.", r->counted_by);
    wrap_into(out, &words, v);
}

/* ---- the page ---- */

static void put_paragraph(struct buffer *out, const char *text, void *context)
{
    (void)out;
    buffer_append_string(context, "<p>");
    plot_html_text(context, text);
    buffer_append_string(context, "</p>\n");
}

static void put_html_table(struct buffer *out, const struct growth_result *r)
{
    char text[PLOT_TEXT];
    const struct growth_series *cpu = &r->series[GROWTH_CPU];
    buffer_append_string(out, "<table><thead><tr><th>n</th>");
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
        if (r->fitted[columns[c].measure])
            buffer_printf(out, "<th>%s</th>", columns[c].title);
    buffer_append_string(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < cpu->count; i++) {
        buffer_printf(out, "<tr><td>%.0f</td>", cpu->samples[i].n);
        for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
            const struct growth_sample *s = sample_at(&r->series[columns[c].measure], cpu->samples[i].n);
            if (r->fitted[columns[c].measure])
                buffer_printf(
                    out, "<td>%s</td>", s != NULL ? plot_number(text, growth_sample_value(s), columns[c].unit) : "-");
        }
        buffer_append_string(out, "</tr>\n");
    }
    buffer_append_string(out, "</tbody><tfoot><tr><th>grows as</th>");
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
        if (r->fitted[columns[c].measure]) {
            buffer_append_string(out, "<td>");
            put_law_of(out, &r->fits[columns[c].measure]);
            buffer_append_string(out, "</td>");
        }
    buffer_append_string(out, "</tr></tfoot></table>\n");
}

void scale_put_page(struct buffer *out, const struct growth_result *r, const struct scale_view *v)
{
    CLEANUP(buffer_release) struct buffer words;
    struct picture p;
    buffer_init(&words, 1 << 16);
    plot_page_begin(out, v->name);
    buffer_append_string(out, "<p class=\"verdict\">");
    put_heading(&words, r);
    plot_html_text(out, buffer_text(&words));
    buffer_append_string(out, "</p>\n");
    buffer_clear(&words);
    put_basis(&words, r);
    put_paragraph(out, buffer_text(&words), out);
    buffer_clear(&words);
    if (put_prediction(&words, r, v->predict))
        put_paragraph(out, buffer_text(&words), out);
    picture_make(&p, r, v->predict);
    (void)plot_svg(out, &p.plot, "CPU time of one call by size, on logarithmic axes");
    each_note(r, put_paragraph, out);
    buffer_append_string(out, "<h2>Figures</h2>\n");
    put_html_table(out, r);
    if (r->line_count > 0)
        buffer_append_string(out, "<h2>Where the time goes</h2>\n");
    for (size_t i = 0; i < r->line_count; i++) {
        buffer_clear(&words);
        put_line(&words, &r->lines[i]);
        put_paragraph(out, buffer_text(&words), out);
    }
    plot_page_end(out);
}
