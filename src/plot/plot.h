/*
 * plot: series of points as a picture. In a terminal's cells (braille, or ASCII where there is no UTF-8), as SVG, and
 * the one self-contained page around SVGs: light and dark by the reader's setting, no request to anywhere.
 *
 * A plot borrows everything it is given. Points may come in any order; those that are not finite, or not positive on a
 * logarithmic axis, are left out. Nothing here prints: everything is appended to a buffer.
 */
#ifndef PITVIPER_PLOT_H
#define PITVIPER_PLOT_H

#include "base/base.h"

enum plot_unit {
    PLOT_NUMBER,  /* 1, 20, 1k, 2.5M */
    PLOT_SECONDS, /* 250 ns, 1.20 ms, 3.0 h */
    PLOT_BYTES,   /* 512 B, 1.5 MiB */
    PLOT_TIME,    /* seconds since the epoch: a date, in UTC */
};
struct plot_axis {
    const char *title; /* "" for none */
    enum plot_unit unit;
    bool log;
};
struct plot_point {
    double x, y;
    double low, high; /* an interval around y; both NAN: none */
};
enum plot_style {
    PLOT_DOTS = 1,
    PLOT_LINE = 2, /* in order of x */
    PLOT_DASHED = 4,
};
struct plot_series {
    const char *name; /* in the legend; NULL: not there */
    const struct plot_point *points;
    size_t count;
    unsigned style; /* of enum plot_style, ored */
};
struct plot_mark { /* a vertical line, such as a change point */
    double x;
    const char *label;
};
#define PLOT_SERIES_MAX 6
struct plot {
    struct plot_axis x, y;
    const struct plot_series *series;
    size_t series_count; /* at most PLOT_SERIES_MAX: there are no more colours that can be told apart */
    const struct plot_mark *marks;
    size_t mark_count;
};

/* ---- in a terminal ---- */
struct plot_cells {
    size_t width, height; /* of everything, axes and legend included; at least 24 x 6 */
    bool utf8, colour;
};
/* Does the locale's terminal take UTF-8? (Call setlocale before.) */
bool plot_utf8(void);
/* Series are told apart by colour, and without colour by their letter in ASCII. -EINVAL: not one point to draw. */
int plot_text(struct buffer *out, const struct plot *p, const struct plot_cells *cells);
/* A line a bin: its lower limit, a bar, its count. At most `rows` bins of a round width. */
int plot_histogram(struct buffer *out, const double *values, size_t count, enum plot_unit unit, size_t rows,
    const struct plot_cells *cells);

/* ---- in a page ---- */
/* <svg> whose colours come from the page's style; `title` is what a screen reader says of it. */
int plot_svg(struct buffer *out, const struct plot *p, const char *title);
/* <!doctype html> to <body>, with the heading; then any HTML, plot_svg ...; then the end. */
void plot_page_begin(struct buffer *out, const char *title);
void plot_page_end(struct buffer *out);
/* Text from anywhere, escaped and with control characters replaced, as HTML. */
void plot_html_text(struct buffer *out, const char *text);

/* ---- numbers as the axes show them ---- */
#define PLOT_TEXT 48
const char *plot_number(char into[PLOT_TEXT], double value, enum plot_unit unit);

#endif
