/* What one subject takes, as words, a table and a histogram. */
#include "cmd/bench.h"
#include "cmd/cmd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HISTOGRAM_ROWS 12
#define LABEL 14

static const char *seconds(char into[PLOT_TEXT], double value)
{
    return plot_number(into, value, PLOT_SECONDS);
}

/* "  label          words ...", wrapped under the first word. Clears the words. */
static void put_entry(
    struct buffer *out, const struct bench_view *v, const char *mark, const char *label, struct buffer *words)
{
    buffer_printf(out, "%-2s%-*s ", mark, LABEL, label);
    cmd_put_words(out, buffer_text(words), LABEL + 3, LABEL + 3, v->cells.width);
    buffer_clear(words);
}

/* "21.4 ms (21.2 ms to 21.7 ms)" */
static void put_centre(struct buffer *out, const struct stats_interval *i)
{
    char text[PLOT_TEXT];
    buffer_append_string(out, seconds(text, i->estimate));
    buffer_printf(out, " (%s", seconds(text, i->low));
    buffer_printf(out, " to %s)", seconds(text, i->high));
}

static void put_spread(struct buffer *out, const struct bench_result *r)
{
    const struct bench_figure *f = &r->figures[BENCH_WALL];
    char text[PLOT_TEXT];
    double part = 100 / fmax(f->centre.estimate, 1e-300);
    buffer_printf(out, "%.1f %% between processes", f->deviation * part);
    if (r->function)
        buffer_printf(out, ", %.1f %% within one", f->within * part);
    buffer_printf(out, "; half of all from %s", seconds(text, f->p25));
    buffer_printf(out, " to %s,", seconds(text, f->p75));
    buffer_printf(out, " the least %s", seconds(text, f->least));
    buffer_printf(out, ", the most %s", seconds(text, f->most));
}

static void put_state(struct buffer *out, const struct bench_result *r)
{
    bool first = true;
    char text[PLOT_TEXT];
    double longest = 0;
    for (size_t kind = 0; kind < 4; kind++) {
        if (r->classes[kind] == 0)
            continue;
        buffer_printf(
            out, "%s%s %zu", first ? "" : ", ", bench_class_words((enum stats_steady_kind)kind), r->classes[kind]);
        first = false;
    }
    buffer_printf(out, " of %zu processes", r->process_count);
    for (size_t i = 0; i < r->process_count; i++)
        if (r->processes[i].steady.kind != STATS_FLAT && isfinite(r->processes[i].warm_up))
            longest = fmax(longest, r->processes[i].warm_up);
    if (longest > 0)
        buffer_printf(out, "; steady after %s at the latest", seconds(text, longest));
    if (!r->steady)
        buffer_append_string(out, "; no steady state in most: the figures are of the last half of each, and may move");
}

static void put_start(struct buffer *out, const struct bench_result *r)
{
    put_centre(out, &r->start);
    if (r->function)
        buffer_append_string(out, " until the function can be called; not in the figures");
    else
        buffer_printf(out, " for `%s`: %.0f %% of it", r->start_of,
            100 * r->start.estimate / r->figures[BENCH_WALL].centre.estimate);
}

static void put_resources(
    struct buffer *out, struct buffer *words, const struct bench_view *v, const struct bench_result *r)
{
    char text[PLOT_TEXT];
    buffer_printf(words, "%s", plot_number(text, r->memory, PLOT_BYTES));
    buffer_printf(words, ", at most %s", plot_number(text, r->memory_most, PLOT_BYTES));
    put_entry(out, v, "", "peak memory", words);
    buffer_printf(words, "%.0f a process, %.0f of them from disk", r->minor_faults + r->major_faults, r->major_faults);
    put_entry(out, v, "", "page faults", words);
    buffer_printf(words, "%.0f a process by waiting, %.0f by losing the CPU", r->voluntary, r->involuntary);
    put_entry(out, v, "", "switches", words);
}

static void put_result(struct buffer *out, const struct bench_view *v, const struct bench_result *r)
{
    CLEANUP(buffer_release) struct buffer words;
    buffer_init(&words, 1 << 16);
    put_centre(&words, &r->figures[BENCH_WALL].centre);
    buffer_printf(&words, " over %zu processes", r->process_count);
    put_entry(out, v, "", r->function ? "a call" : "a run", &words);
    put_centre(&words, &r->figures[BENCH_CPU].centre);
    put_entry(out, v, "", "CPU time", &words);
    put_spread(&words, r);
    put_entry(out, v, "", "spread", &words);
    if (r->function) {
        put_state(&words, r);
        put_entry(out, v, "", "warm-up", &words);
    }
    if (r->have_start) {
        put_start(&words, r);
        put_entry(out, v, "", "start-up", &words);
    }
    put_resources(out, &words, v, r);
    buffer_append_byte(out, '\n');
    (void)plot_histogram(out, r->values, r->value_count, PLOT_SECONDS, HISTOGRAM_ROWS, &v->cells);
}

static void put_choice(struct buffer *out, const struct bench_view *v, const struct bench_point *at, int width)
{
    for (size_t i = 0; i < v->parameter_count; i++) {
        const struct bench_parameter *p = &v->parameters[i];
        char text[32];
        snprintf(text, sizeof(text), "%.*s", (int)(p->sizes[at->choice[i]] < 31 ? p->sizes[at->choice[i]] : 31),
            p->values[at->choice[i]]);
        buffer_printf(out, "%*s", i == 0 ? width : 12, text);
    }
}

static void put_table(struct buffer *out, const struct bench_view *v)
{
    char text[PLOT_TEXT];
    for (size_t i = 0; i < v->parameter_count; i++)
        buffer_printf(out, "%*s", i == 0 ? 10 : 12, v->parameters[i].name);
    buffer_printf(out, "%12s%26s%12s%12s%9s\n", v->points[0].result->function ? "a call" : "a run", "interval",
        "CPU time", "memory", "spread");
    for (size_t i = 0; i < v->point_count; i++) {
        const struct bench_result *r = v->points[i].result;
        const struct bench_figure *f = &r->figures[BENCH_WALL];
        char interval[2 * PLOT_TEXT + 8], high[PLOT_TEXT];
        put_choice(out, v, &v->points[i], 10);
        buffer_printf(out, "%12s", seconds(text, f->centre.estimate));
        snprintf(interval, sizeof(interval), "%s to %s", seconds(text, f->centre.low), seconds(high, f->centre.high));
        buffer_printf(out, "%26s%12s", interval, seconds(text, r->figures[BENCH_CPU].centre.estimate));
        buffer_printf(out, "%12s%7.1f %%\n", plot_number(text, r->memory, PLOT_BYTES),
            100 * f->deviation / fmax(f->centre.estimate, 1e-300));
    }
}

static void put_noise(struct buffer *out, const struct bench_view *v)
{
    CLEANUP(buffer_release) struct buffer words;
    bool quiet = true;
    buffer_init(&words, 1 << 16);
    for (size_t i = 0; i < v->noise->count; i++)
        quiet = quiet && !v->noise->items[i].matters;
    buffer_printf(out, "\nthis machine%s\n", quiet ? ": nothing that disturbs was seen" : "");
    for (size_t i = 0; i < v->noise->count; i++) {
        const struct bench_noise_item *item = &v->noise->items[i];
        text_append_safe(&words, item->text, strlen(item->text));
        if (item->advice[0] != '\0')
            buffer_printf(&words, ": %s", item->advice);
        put_entry(out, v, item->matters ? "!" : "", item->key, &words);
    }
}

void bench_put_text(struct buffer *out, const struct bench_view *v)
{
    text_append_safe(out, v->name, strlen(v->name));
    buffer_append_byte(out, '\n');
    if (v->parameter_count > 0)
        put_table(out, v);
    else
        put_result(out, v, v->points[0].result);
    put_noise(out, v);
}
