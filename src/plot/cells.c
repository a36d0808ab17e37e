/* A plot in a terminal: eight dots a cell in braille, one letter a cell in ASCII. */
#include "plot/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX 400u
#define BRAILLE 0x2800u

static const char letters[PLOT_SERIES_MAX] = {'o', 'x', '+', '*', '#', '@'};
static const char *const colours[PLOT_SERIES_MAX] = {
    "\033[33m", "\033[36m", "\033[35m", "\033[32m", "\033[34m", "\033[31m"};

struct cell {
    uint8_t dots;   /* of braille, as Unicode numbers them */
    uint8_t series; /* that drew last, from 1; 0: none */
    bool dim;       /* an interval or a mark, which points are drawn over */
};
struct canvas {
    struct cell *cells;
    size_t width, height; /* in cells */
    bool utf8;
};

static void put_dot(struct canvas *c, double x, double y, size_t series, bool dim)
{
    /* Dots 1-3 and 7 go down the left, 4-6 and 8 down the right. */
    static const uint8_t bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    size_t across = c->width * 2, down = c->height * 4;
    size_t column = (size_t)lround(x * (double)(across - 1)), row = (size_t)lround((1 - y) * (double)(down - 1));
    struct cell *at = &c->cells[row / 4 * c->width + column / 2];
    if (dim && at->series != 0 && !at->dim)
        return;
    if (at->dim && !dim)
        at->dots = 0;
    at->dots |= bits[row % 4][column % 2];
    at->series = (uint8_t)(series + 1);
    at->dim = dim;
}

/* With `gap`, every other stretch of so many dots is left out. */
static void put_line(struct canvas *c, double x1, double y1, double x2, double y2, size_t series, bool dim, size_t gap)
{
    double across = fabs(x2 - x1) * (double)(c->width * 2), down = fabs(y2 - y1) * (double)(c->height * 4);
    size_t steps = (size_t)ceil(fmax(fmax(across, down), 1));
    for (size_t i = 0; i <= steps; i++) {
        double part = (double)i / (double)steps;
        if (gap == 0 || i / gap % 2 == 0)
            put_dot(c, x1 + (x2 - x1) * part, y1 + (y2 - y1) * part, series, dim);
    }
}

static int draw_series(
    struct canvas *c, const struct plot *p, size_t series, const struct plot_scale *x, const struct plot_scale *y)
{
    const struct plot_series *s = &p->series[series];
    size_t count = 0;
    struct plot_point *points = plot_sorted(s, x, y, &count);
    if (points == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        double at = plot_place(points[i].x, x);
        if (plot_shown(points[i].low, y) && plot_shown(points[i].high, y))
            put_line(c, at, plot_place(points[i].low, y), at, plot_place(points[i].high, y), series, true, 0);
    }
    for (size_t i = 0; i < count; i++) {
        double at = plot_place(points[i].x, x), up = plot_place(points[i].y, y);
        if ((s->style & (PLOT_LINE | PLOT_DASHED)) != 0 && i > 0)
            put_line(c, plot_place(points[i - 1].x, x), plot_place(points[i - 1].y, y), at, up, series, false,
                (s->style & PLOT_DASHED) != 0 ? 2 : 0);
    }
    /* A dot that can be seen on a line is a whole cell's square of four. */
    for (size_t i = 0; (s->style & PLOT_DOTS) != 0 && i < count; i++) {
        double at = plot_place(points[i].x, x), up = plot_place(points[i].y, y);
        double right = 1.0 / (double)(c->width * 2 - 1), above = 1.0 / (double)(c->height * 4 - 1);
        for (int k = 0; k < 4; k++)
            put_dot(c, fmin(at + (k & 1) * right, 1), fmin(up + (k >> 1) * above, 1), series, false);
    }
    free(points);
    return 0;
}

static void put_cell(struct buffer *out, const struct cell *at, bool utf8)
{
    if (at->dots == 0)
        buffer_append_byte(out, ' ');
    else if (!utf8)
        buffer_append_byte(out, at->dim ? ':' : (uint8_t)letters[at->series - 1]);
    else {
        unsigned code = BRAILLE + at->dots;
        buffer_append_byte(out, (uint8_t)(0xe0 | code >> 12));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 0x3f)));
    }
}

static void put_row(struct buffer *out, const struct canvas *c, size_t row, bool colour)
{
    const struct cell *cells = &c->cells[row * c->width];
    size_t last = c->width;
    unsigned drawing = 0;
    while (last > 0 && cells[last - 1].dots == 0)
        last--;
    for (size_t i = 0; i < last; i++) {
        unsigned series = cells[i].dots == 0 ? drawing : cells[i].dim ? PLOT_SERIES_MAX + 1 : cells[i].series;
        if (colour && series != drawing)
            buffer_printf(out, "\033[0m%s", series > PLOT_SERIES_MAX ? "\033[2m" : colours[series - 1]);
        drawing = series;
        put_cell(out, &cells[i], c->utf8);
    }
    if (colour && drawing != 0)
        buffer_append_string(out, "\033[0m");
    buffer_append_byte(out, '\n');
}

static void put_legend(struct buffer *out, const struct plot *p, const struct plot_cells *how)
{
    size_t column = 0;
    for (size_t i = 0; i < p->series_count; i++) {
        if (p->series[i].name == NULL)
            continue;
        size_t width = text_width(p->series[i].name, strlen(p->series[i].name)) + 4;
        if (column > 0 && column + width > how->width) {
            buffer_append_byte(out, '\n');
            column = 0;
        }
        bool dashed = (p->series[i].style & PLOT_DASHED) != 0;
        buffer_append_string(out, column > 0 ? "   " : "  ");
        buffer_append_string(out, how->colour ? colours[i] : "");
        if (how->utf8)
            buffer_append_string(out, dashed ? "\xe2\xa0\x92\xe2\xa0\x92" : "\xe2\xa0\xb6\xe2\xa0\xb6");
        else
            buffer_append_byte(out, (uint8_t)letters[i]);
        buffer_append_string(out, how->colour ? "\033[0m " : " ");
        text_append_safe(out, p->series[i].name, strlen(p->series[i].name));
        column += width + 2;
    }
    if (column > 0)
        buffer_append_byte(out, '\n');
}

/* The labels below: each centred at its tick where there is room beside the one before. */
static void put_labels(struct buffer *out, const struct plot *p, const struct plot_scale *x, size_t left, size_t width)
{
    char text[PLOT_TEXT];
    size_t column = 0;
    for (size_t i = 0; i < x->tick_count; i++) {
        plot_number(text, x->ticks[i], p->x.unit);
        size_t size = strlen(text), at = left + (size_t)lround(plot_place(x->ticks[i], x) * (double)(width - 1));
        at = at > size / 2 ? at - size / 2 : 0;
        if ((column > 0 && at < column + 2) || at + size > left + width + 4)
            continue;
        buffer_printf(out, "%*s%s", (int)(at - column), "", text);
        column = at + size;
    }
    if (p->x.title[0] != '\0')
        buffer_printf(out, "  %s", p->x.title);
    buffer_append_byte(out, '\n');
}

static void put_rows(struct buffer *out, const struct plot *p, const struct canvas *c, const struct plot_scale *x,
    const struct plot_scale *y, size_t left, bool colour)
{
    char text[PLOT_TEXT];
    const char *wall = c->utf8 ? "\xe2\x94\x82" : "|", *tick = c->utf8 ? "\xe2\x94\xa4" : "+";
    for (size_t row = 0; row < c->height; row++) {
        const char *label = "";
        for (size_t i = 0; i < y->tick_count; i++)
            if ((size_t)lround((1 - plot_place(y->ticks[i], y)) * (double)(c->height * 4 - 1)) / 4 == row)
                label = plot_number(text, y->ticks[i], p->y.unit);
        buffer_printf(out, "%*s %s", (int)left - 2, label, label[0] != '\0' ? tick : wall);
        put_row(out, c, row, colour);
    }
    buffer_printf(out, "%*s%s", (int)left - 1, "", c->utf8 ? "\xe2\x94\x94" : "+");
    for (size_t i = 0; i < c->width; i++)
        buffer_append_string(out, c->utf8 ? "\xe2\x94\x80" : "-");
    buffer_append_byte(out, '\n');
    put_labels(out, p, x, left, c->width);
}

int plot_text(struct buffer *out, const struct plot *p, const struct plot_cells *how)
{
    struct plot_scale x, y;
    struct canvas c = {.utf8 = how->utf8};
    size_t left = 0;
    char text[PLOT_TEXT];
    int r = 0;
    c.width = how->width > CELLS_MAX ? CELLS_MAX : how->width < 24 ? 24 : how->width;
    c.height = (how->height > CELLS_MAX ? CELLS_MAX : how->height < 6 ? 6 : how->height) - 3;
    if (p->series_count > PLOT_SERIES_MAX || !plot_scales(p, c.width / 12, c.height / 2, &x, &y))
        return -EINVAL;
    for (size_t i = 0; i < y.tick_count; i++)
        left = strlen(plot_number(text, y.ticks[i], p->y.unit)) > left ? strlen(text) : left;
    left += 2;
    c.width -= left + (strlen(p->x.title) < c.width / 4 ? strlen(p->x.title) : 0);
    c.cells = calloc(c.width * c.height, sizeof(*c.cells));
    if (c.cells == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < p->mark_count; i++)
        if (plot_shown(p->marks[i].x, &x))
            put_line(&c, plot_place(p->marks[i].x, &x), 0, plot_place(p->marks[i].x, &x), 1, 0, true, 1);
    for (size_t i = 0; r == 0 && i < p->series_count; i++)
        r = draw_series(&c, p, i, &x, &y);
    if (r == 0) {
        if (p->y.title[0] != '\0')
            buffer_printf(out, "%*s%s\n", (int)left - 1, "", p->y.title);
        put_rows(out, p, &c, &x, &y, left, how->colour);
        put_legend(out, p, how);
        r = out->failed ? -ENOMEM : 0;
    }
    free(c.cells);
    return r;
}

/* ---- histogram ---- */

static void put_bar(struct buffer *out, double cells, bool utf8)
{
    static const char *const parts[] = {"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d", "\xe2\x96\x8c",
        "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89"};
    size_t eighths = (size_t)lround(cells * 8);
    if (!utf8) {
        for (size_t i = 0; i < (eighths + 7) / 8; i++)
            buffer_append_byte(out, '#');
        return;
    }
    for (size_t i = 0; i < eighths / 8; i++)
        buffer_append_string(out, "\xe2\x96\x88");
    buffer_append_string(out, parts[eighths % 8]);
}

int plot_histogram(struct buffer *out, const double *values, size_t count, enum plot_unit unit, size_t rows,
    const struct plot_cells *how)
{
    double low = INFINITY, high = -INFINITY;
    size_t bins[64] = {0}, most = 0, total = 0;
    char text[PLOT_TEXT];
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            low = fmin(low, values[i]);
            high = fmax(high, values[i]);
            total++;
        }
    if (total == 0 || rows < 2)
        return -EINVAL;
    rows = rows > ARRAY_SIZE(bins) ? ARRAY_SIZE(bins) : rows;
    double span = high - low > fabs(high) * 1e-9 ? high - low : fmax(fabs(high) * 0.01, 1e-12);
    double step = plot_step(span, rows - 1), first = floor(low / step) * step;
    size_t bin_count = (size_t)floor((high - first) / step) + 1;
    bin_count = bin_count > rows ? rows : bin_count;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            size_t bin = (size_t)fmax(floor((values[i] - first) / step), 0);
            bin = bin >= bin_count ? bin_count - 1 : bin;
            most = ++bins[bin] > most ? bins[bin] : most;
        }
    size_t room = how->width > 24 + 12 ? how->width - 24 : 12;
    for (size_t i = 0; i < bin_count; i++) {
        buffer_printf(out, "  %10s ", plot_number(text, first + (double)i * step, unit));
        buffer_append_string(out, how->colour ? colours[0] : "");
        put_bar(out, (double)bins[i] / (double)most * (double)room, how->utf8);
        buffer_printf(out, "%s %zu\n", how->colour ? "\033[0m" : "", bins[i]);
    }
    return out->failed ? -ENOMEM : 0;
}
