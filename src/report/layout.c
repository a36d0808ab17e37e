#include "report/inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct page page_of(struct buffer *out, const struct profile *p, const struct report_options *options)
{
    return (struct page){
        .out = out,
        .p = p,
        .width = options->width == 0   ? 80
                 : options->width < 40 ? 40
                                       : options->width,
        .rows = options->rows == 0 ? 12 : options->rows,
        .colour = options->colour,
    };
}

/* ---- pieces of a line ---- */

static size_t room(const struct page *g)
{
    return g->column < g->width ? g->width - g->column : 0;
}

void page_fitted(struct page *g, const char *text, size_t columns)
{
    size_t limit = columns < room(g) ? columns : room(g), before = g->out->size;
    text_append_fitted(g->out, text, limit);
    if (!g->out->failed)
        g->column += text_width((const char *)g->out->data + before, g->out->size - before);
}

void page_text(struct page *g, const char *text)
{
    page_fitted(g, text, room(g));
}

void page_source(struct page *g, const char *text, size_t size)
{
    char copy[512];
    for (; size > 0 && (*text == ' ' || *text == '\t' || *text == '\f'); text++)
        size--;
    size = size < sizeof(copy) - 1 ? size : sizeof(copy) - 1;
    for (size_t i = 0; i < size; i++)
        copy[i] = text[i] == '\t' ? ' ' : text[i];
    copy[size] = '\0';
    /* A zero byte in the text ends it; the terminal sees none of them. */
    page_text(g, copy);
}

static void page_spaces(struct page *g, size_t count)
{
    for (size_t i = 0; i < count && room(g) > 0; i++) {
        buffer_append_byte(g->out, ' ');
        g->column++;
    }
}

void page_column(struct page *g, const char *text, size_t columns, bool right)
{
    size_t width = text_width(text, strlen(text));
    size_t padding = width < columns ? columns - width : 0, start = g->column;
    if (right)
        page_spaces(g, padding);
    page_fitted(g, text, columns);
    /* A wide character may leave a column free where the text was cut. */
    if (g->column - start < columns)
        page_spaces(g, columns - (g->column - start));
}

void page_printf(struct page *g, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    page_text(g, text);
}

void page_style(struct page *g, enum style style)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "\033[0m",
        [STYLE_TITLE] = "\033[1m",
        [STYLE_DIM] = "\033[2m",
        [STYLE_WARM] = "\033[33m",
        [STYLE_HOT] = "\033[1;31m",
        [STYLE_GOOD] = "\033[32m",
        [STYLE_BAD] = "\033[1;31m",
    };
    if (g->colour)
        buffer_append_string(g->out, codes[style]);
}

void page_end(struct page *g)
{
    while (!g->out->failed && g->out->size > 0 && g->out->data[g->out->size - 1] == ' ')
        g->out->size--;
    buffer_append_byte(g->out, '\n');
    g->column = 0;
}

void page_title(struct page *g, const char *text)
{
    page_end(g);
    page_style(g, STYLE_TITLE);
    page_text(g, text);
    page_style(g, STYLE_PLAIN);
    page_end(g);
}

void page_entry(struct page *g, const char *label, size_t label_columns, const char *text)
{
    size_t hanging = 2 + label_columns + (label_columns > 0);
    page_spaces(g, 2);
    page_style(g, STYLE_DIM);
    page_column(g, label, label_columns, false);
    page_style(g, STYLE_PLAIN);
    page_spaces(g, label_columns > 0);
    bool first = true;
    for (const char *at = text; *at != '\0';) {
        char word[256];
        size_t size = strcspn(at, " \n"), kept = size < sizeof(word) - 1 ? size : sizeof(word) - 1;
        memcpy(word, at, kept);
        word[kept] = '\0';
        at += kept;
        at += strspn(at, " \n");
        size_t columns = text_width(word, kept);
        if (!first && g->column + 1 + columns > g->width) {
            page_end(g);
            page_spaces(g, hanging);
            first = true;
        }
        if (!first)
            page_spaces(g, 1);
        page_text(g, word);
        first = false;
    }
    page_end(g);
}

/* ---- numbers ---- */

const char *number_text(char into[NUMBER_TEXT], uint64_t value)
{
    char digits[24];
    int count = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value), at = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            into[at++] = ',';
        into[at++] = digits[i];
    }
    into[at] = '\0';
    return into;
}

/* Three digits that mean something: 41.2, 0.42; and 100, never 100.0. */
static int percent(char *into, size_t size, double share)
{
    double value = share * 100;
    return snprintf(into, size, value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
}

const char *share_text(char into[NUMBER_TEXT], double share)
{
    int size = percent(into, NUMBER_TEXT - 3, share);
    memcpy(into + size, " %", 3);
    return into;
}

const char *interval_text(char into[NUMBER_TEXT], const struct profile_share *s)
{
    char low[16], high[16];
    percent(low, sizeof(low), s->low);
    percent(high, sizeof(high), s->high);
    snprintf(into, NUMBER_TEXT, "%s-%s", low, high);
    return into;
}

const char *time_text(char into[NUMBER_TEXT], double ns)
{
    static const struct {
        double below, unit;
        const char *name;
    } units[] = {{999.5e3, 1e3, "us"}, {999.5e6, 1e6, "ms"}, {1e300, 1e9, "s"}};
    size_t i = 0;
    while (ns >= units[i].below && i + 1 < ARRAY_SIZE(units))
        i++;
    double value = ns / units[i].unit;
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(into, NUMBER_TEXT, "%.*f %s", i == 0 && value < 1 ? 0 : decimals, fmin(value, 1e15), units[i].name);
    return into;
}

/* Where the path's last so many parts begin; a path of fewer parts is all of it. */
static const char *last_parts(const char *path, size_t parts)
{
    size_t at = strlen(path), slashes = 0;
    while (at > 0 && (path[at - 1] != '/' || ++slashes < parts))
        at--;
    return slashes < parts ? path : path + at;
}

void page_place(struct page *g, const char *path, uint32_t line, size_t columns)
{
    char number[16] = "";
    if (line > 0)
        snprintf(number, sizeof(number), ":%u", line);
    size_t digits = strlen(number), left = columns > digits ? columns - digits : 0;
    const char *shown = last_parts(path, 2);
    if (text_width(shown, strlen(shown)) > left)
        shown = last_parts(path, 1);
    page_fitted(g, shown, left);
    page_fitted(g, number, digits);
}

const char *report_mode_name(enum profile_mode mode)
{
    static const char *const names[] = {[PROFILE_WALL] = "wall", [PROFILE_CPU] = "cpu", [PROFILE_GIL] = "gil"};
    return names[mode];
}
