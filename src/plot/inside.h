/* Private to src/plot. */
#ifndef PITVIPER_PLOT_INSIDE_H
#define PITVIPER_PLOT_INSIDE_H

#include "plot/plot.h"

#define PLOT_TICKS_MAX 12

/* An axis with its span: where a value stands on it, from 0 to 1. */
struct plot_scale {
    double low, high; /* as they are shown: logarithms on a logarithmic axis */
    bool log;
    double ticks[PLOT_TICKS_MAX]; /* values */
    size_t tick_count;
};

/* False where there is no point to show. */
bool plot_scales(
    const struct plot *p, size_t most_x, size_t most_y, struct plot_scale *ret_x, struct plot_scale *ret_y);
bool plot_shown(double value, const struct plot_scale *s); /* finite, and positive where it has to be */
double plot_place(double value, const struct plot_scale *s);
/* The largest of 1, 2 or 5 times a power of ten that gives no more than `most` steps. */
double plot_step(double span, size_t most);
/* The points of a series that can be shown, by x; freed by the caller. NULL: out of memory. */
struct plot_point *plot_sorted(
    const struct plot_series *s, const struct plot_scale *x, const struct plot_scale *y, size_t *ret_count);

#endif
