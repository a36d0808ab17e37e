/* A plot as SVG, and the page around it. Colours are the page's variables, so that light and dark are one document. */
#include "plot/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 760, HEIGHT = 360, LEFT = 76, RIGHT = 16, TOP = 26, BOTTOM = 46 };

static const char style[] =
    ":root{--ground:#fdfbf7;--panel:#fff;--ink:#211c16;--muted:#6c6358;--line:#e9e2d7;--s0:#c2531f;--s1:#2c6aa0;"
    "--s2:#8b4f9f;--s3:#4c7a2f;--s4:#9a7210;--s5:#b03a5b;color-scheme:light}"
    "@media (prefers-color-scheme:dark){:root{--ground:#171410;--panel:#1e1a15;--ink:#ece5da;--muted:#a2978a;"
    "--line:#332d25;--s0:#f0905f;--s1:#7fb2e0;--s2:#cba0da;--s3:#9fc67c;--s4:#dfbd62;--s5:#ea92a9;color-scheme:dark}}"
    "body{margin:0 auto;max-width:820px;padding:24px;background:var(--ground);color:var(--ink);"
    "font:14px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}"
    "h1{font:600 20px/1.35 ui-monospace,monospace;overflow-wrap:anywhere}h2{font-size:15px;margin:24px 0 8px}"
    "svg{display:block;width:100%;height:auto;background:var(--panel);border:1px solid var(--line);border-radius:8px}"
    "svg text{fill:var(--muted);font:12px system-ui,sans-serif}.grid{stroke:var(--line)}"
    ".mark{stroke:var(--muted);stroke-dasharray:3 4}pre{overflow-x:auto}"
    "table{border-collapse:collapse}th,td{padding:3px 14px 3px "
    "0;text-align:right}th{color:var(--muted);font-weight:500}"
    "th:first-child,td:first-child{text-align:left}.verdict{font-size:17px}.quiet{color:var(--muted)}"
    ".s0{--c:var(--s0)}.s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}.s5{--c:var(--s5)}"
    ".line{fill:none;stroke:var(--c);stroke-width:1.8}.dashed{stroke-dasharray:6 5}.dot{fill:var(--c)}"
    ".range{stroke:var(--c);stroke-width:1.4;opacity:.55}";

void plot_html_text(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer safe;
    buffer_init(&safe, strlen(text) * 4 + 16);
    text_append_safe(&safe, text, strlen(text));
    text_append_markup(out, buffer_text(&safe), safe.size);
}

void plot_page_begin(struct buffer *out, const char *title)
{
    buffer_append_string(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                              "<meta name=\"viewport\" content=\"width=device-width\">"
                              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                              "style-src 'unsafe-inline'\"><title>");
    plot_html_text(out, title);
    buffer_printf(out, "</title><style>%s</style></head>\n<body><h1>", style);
    plot_html_text(out, title);
    buffer_append_string(out, "</h1>\n");
}

void plot_page_end(struct buffer *out)
{
    buffer_append_string(out, "</body></html>\n");
}

static double across(double value, const struct plot_scale *x)
{
    return LEFT + plot_place(value, x) * (WIDTH - LEFT - RIGHT);
}

static double down(double value, const struct plot_scale *y)
{
    return TOP + (1 - plot_place(value, y)) * (HEIGHT - TOP - BOTTOM);
}

static void put_axes(struct buffer *out, const struct plot *p, const struct plot_scale *x, const struct plot_scale *y)
{
    char text[PLOT_TEXT];
    for (size_t i = 0; i < y->tick_count; i++) {
        double at = down(y->ticks[i], y);
        buffer_printf(
            out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, at, at);
        buffer_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 8, at + 4,
            plot_number(text, y->ticks[i], p->y.unit));
    }
    for (size_t i = 0; i < x->tick_count; i++) {
        double at = across(x->ticks[i], x);
        buffer_printf(
            out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", at, at, TOP, HEIGHT - BOTTOM);
        buffer_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", at, HEIGHT - BOTTOM + 18,
            plot_number(text, x->ticks[i], p->x.unit));
    }
    buffer_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT, HEIGHT - 8);
    plot_html_text(out, p->x.title);
    buffer_printf(out, "</text><text x=\"8\" y=\"16\">");
    plot_html_text(out, p->y.title);
    buffer_append_string(out, "</text>\n");
}

static int put_series(
    struct buffer *out, const struct plot *p, size_t series, const struct plot_scale *x, const struct plot_scale *y)
{
    const struct plot_series *s = &p->series[series];
    size_t count = 0;
    struct plot_point *points = plot_sorted(s, x, y, &count);
    if (points == NULL)
        return -ENOMEM;
    buffer_printf(out, "<g class=\"s%zu\">", series);
    for (size_t i = 0; i < count; i++)
        if (plot_shown(points[i].low, y) && plot_shown(points[i].high, y))
            buffer_printf(out, "<line class=\"range\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
                across(points[i].x, x), across(points[i].x, x), down(points[i].low, y), down(points[i].high, y));
    if ((s->style & (PLOT_LINE | PLOT_DASHED)) != 0) {
        buffer_printf(out, "<polyline class=\"line%s\" points=\"", (s->style & PLOT_DASHED) != 0 ? " dashed" : "");
        for (size_t i = 0; i < count; i++)
            buffer_printf(out, "%s%.1f,%.1f", i > 0 ? " " : "", across(points[i].x, x), down(points[i].y, y));
        buffer_append_string(out, "\"/>");
    }
    for (size_t i = 0; (s->style & PLOT_DOTS) != 0 && i < count; i++) {
        char at[PLOT_TEXT], value[PLOT_TEXT];
        buffer_printf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s: %s</title></circle>",
            across(points[i].x, x), down(points[i].y, y), plot_number(at, points[i].x, p->x.unit),
            plot_number(value, points[i].y, p->y.unit));
    }
    buffer_append_string(out, "</g>\n");
    free(points);
    return 0;
}

static void put_legend(struct buffer *out, const struct plot *p)
{
    double at = LEFT + 12;
    for (size_t i = 0; i < p->series_count; i++) {
        if (p->series[i].name == NULL)
            continue;
        buffer_printf(out, "<g class=\"s%zu\"><line class=\"line%s\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%d\" y2=\"%d\"/></g>",
            i, (p->series[i].style & PLOT_DASHED) != 0 ? " dashed" : "", at, at + 22, HEIGHT - 12, HEIGHT - 12);
        buffer_printf(out, "<text x=\"%.0f\" y=\"%d\">", at + 28, HEIGHT - 8);
        plot_html_text(out, p->series[i].name);
        buffer_append_string(out, "</text>\n");
        at += 48 + 7.0 * (double)text_width(p->series[i].name, strlen(p->series[i].name));
    }
}

int plot_svg(struct buffer *out, const struct plot *p, const char *title)
{
    struct plot_scale x, y;
    int r = 0;
    if (p->series_count > PLOT_SERIES_MAX || !plot_scales(p, 9, 8, &x, &y))
        return -EINVAL;
    buffer_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>", WIDTH, HEIGHT);
    plot_html_text(out, title);
    buffer_append_string(out, "</title>\n");
    put_axes(out, p, &x, &y);
    for (size_t i = 0; i < p->mark_count; i++) {
        if (!plot_shown(p->marks[i].x, &x))
            continue;
        double at = across(p->marks[i].x, &x);
        buffer_printf(out,
            "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><text x=\"%.1f\" y=\"%d\">", at, at, TOP,
            HEIGHT - BOTTOM, at + 4, TOP + 10);
        plot_html_text(out, p->marks[i].label);
        buffer_append_string(out, "</text>\n");
    }
    for (size_t i = 0; r == 0 && i < p->series_count; i++)
        r = put_series(out, p, i, &x, &y);
    put_legend(out, p);
    buffer_append_string(out, "</svg>\n");
    return out->failed ? -ENOMEM : r;
}
