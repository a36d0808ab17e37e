/* Axes: the span of what is shown, round ticks, numbers with their units. */
#include "plot/inside.h"

#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool plot_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* ---- numbers ---- */

struct unit {
    double from, is;
    const char *name;
};

/* Three digits that mean something, without zeros behind the point that say nothing on an axis. */
static const char *number_in(char into[PLOT_TEXT], double value, const struct unit *units, size_t count)
{
    size_t i = count - 1;
    while (i > 0 && fabs(value) < units[i].from * 0.9995)
        i--;
    snprintf(into, PLOT_TEXT, "%.3g%s", value / units[i].is, units[i].name);
    return into;
}

const char *plot_number(char into[PLOT_TEXT], double value, enum plot_unit unit)
{
    static const struct unit numbers[] = {
        {0, 1, ""}, {1e3, 1e3, "k"}, {1e6, 1e6, "M"}, {1e9, 1e9, "G"}, {1e12, 1e12, "T"}};
    static const struct unit seconds[] = {{0, 1e-9, " ns"}, {1e-6, 1e-6, " us"}, {1e-3, 1e-3, " ms"}, {1, 1, " s"},
        {120, 60, " min"}, {7200, 3600, " h"}, {172800, 86400, " days"}, {63115200, 31557600, " years"}};
    static const struct unit bytes[] = {{0, 1, " B"}, {1024, 1024, " KiB"}, {1048576, 1048576, " MiB"},
        {1073741824, 1073741824, " GiB"}, {1099511627776, 1099511627776, " TiB"}};
    if (unit == PLOT_SECONDS)
        return number_in(into, value, seconds, ARRAY_SIZE(seconds));
    if (unit == PLOT_BYTES)
        return number_in(into, value, bytes, ARRAY_SIZE(bytes));
    time_t at = fabs(value) < 1e11 ? (time_t)value : 0;
    struct tm parts;
    if (unit == PLOT_TIME && gmtime_r(&at, &parts) != NULL && strftime(into, PLOT_TEXT, "%Y-%m-%d", &parts) > 0)
        return into;
    return number_in(into, value, numbers, ARRAY_SIZE(numbers));
}

/* ---- spans ---- */

bool plot_shown(double value, const struct plot_scale *s)
{
    return isfinite(value) && (!s->log || value > 0);
}

static double raised(double value, const struct plot_scale *s)
{
    return s->log ? log10(value) : value;
}

double plot_place(double value, const struct plot_scale *s)
{
    return fmin(fmax((raised(value, s) - s->low) / (s->high - s->low), 0), 1);
}

double plot_step(double span, size_t most)
{
    static const double round_ones[] = {1, 2, 5, 10};
    double least = span / (double)most, power = pow(10, floor(log10(least)));
    for (size_t i = 0; i < ARRAY_SIZE(round_ones); i++)
        if (round_ones[i] * power >= least * (1 - 1e-9))
            return round_ones[i] * power;
    return 10 * power;
}

static void widen(struct plot_scale *s, double value)
{
    if (!plot_shown(value, s))
        return;
    s->low = fmin(s->low, raised(value, s));
    s->high = fmax(s->high, raised(value, s));
}

static void put_ticks(struct plot_scale *s, size_t most)
{
    static const double within[] = {1, 2, 5};
    most = most > PLOT_TICKS_MAX ? PLOT_TICKS_MAX : most < 2 ? 2 : most;
    double decades = floor(s->high + 1e-9) - ceil(s->low - 1e-9);
    if (!s->log || decades < 1) {
        double low = s->log ? pow(10, s->low) : s->low, high = s->log ? pow(10, s->high) : s->high;
        double step = plot_step(high - low, most - 1);
        for (double at = ceil(low / step - 1e-9) * step; at <= high + step * 1e-9 && s->tick_count < most; at += step)
            s->ticks[s->tick_count++] = fabs(at) < step * 1e-9 ? 0 : at;
        return;
    }
    size_t parts = decades * 3 + 3 <= (double)most ? 3 : 1;
    double every = parts == 3 ? 1 : ceil((decades + 1) / (double)most);
    double first = ceil(s->low - 1e-9) - (parts == 3);
    for (size_t step = 0; first + every * (double)step <= s->high + 1e-9; step++)
        for (size_t i = 0; i < parts; i++) {
            double at = first + every * (double)step + log10(within[i]);
            if (at >= s->low - 1e-9 && at <= s->high + 1e-9 && s->tick_count < most)
                s->ticks[s->tick_count++] = pow(10, at);
        }
}

static bool settle(struct plot_scale *s, size_t most)
{
    if (s->low > s->high)
        return false;
    double span = s->high - s->low;
    if (span < 1e-9 * fmax(1e-6, fabs(s->high))) {
        span = s->log ? 1 : fmax(fabs(s->high) * 0.2, 1e-12);
        s->low -= span / 2;
        s->high += span / 2;
    } else {
        s->low -= span * 0.03;
        s->high += span * 0.03;
    }
    put_ticks(s, most);
    return true;
}

bool plot_scales(const struct plot *p, size_t most_x, size_t most_y, struct plot_scale *ret_x, struct plot_scale *ret_y)
{
    struct plot_scale x = {.low = INFINITY, .high = -INFINITY, .log = p->x.log}, y = x;
    y.log = p->y.log;
    for (size_t i = 0; i < p->series_count; i++)
        for (size_t k = 0; k < p->series[i].count; k++) {
            const struct plot_point *at = &p->series[i].points[k];
            if (!plot_shown(at->x, &x) || !plot_shown(at->y, &y))
                continue;
            widen(&x, at->x);
            widen(&y, at->y);
            widen(&y, at->low);
            widen(&y, at->high);
        }
    for (size_t i = 0; i < p->mark_count && x.low <= x.high; i++)
        widen(&x, p->marks[i].x);
    if (!settle(&x, most_x) || !settle(&y, most_y))
        return false;
    *ret_x = x;
    *ret_y = y;
    return true;
}

static int compare_x(const void *a, const void *b)
{
    const struct plot_point *left = a, *right = b;
    return (left->x > right->x) - (left->x < right->x);
}

struct plot_point *plot_sorted(
    const struct plot_series *s, const struct plot_scale *x, const struct plot_scale *y, size_t *ret_count)
{
    struct plot_point *points = calloc(s->count + 1, sizeof(*points));
    size_t count = 0;
    if (points == NULL)
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (plot_shown(s->points[i].x, x) && plot_shown(s->points[i].y, y))
            points[count++] = s->points[i];
    qsort(points, count, sizeof(*points), compare_x);
    *ret_count = count;
    return points;
}
