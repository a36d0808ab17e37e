/* The source of a function's file, each line with its heat. */
#include "live/inside.h"

#include <stdlib.h>
#include <string.h>

#define GUTTER 22
#define TAB 4

struct file_line {
    uint64_t self, total;
};

/* Hits of the file's lines by number, whichever function they are in. */
static struct file_line *file_lines(const struct live *l, const char *path, uint32_t *ret_count)
{
    const struct profile *p = l->model.view.p;
    uint32_t most = 0;
    for (size_t i = 0; i < p->line_count; i++)
        if (p->lines[i].line > most && p->lines[i].line < 10000000 &&
            strcmp(p->functions[p->lines[i].function].file, path) == 0)
            most = p->lines[i].line;
    struct file_line *lines = calloc((size_t)most + 1, sizeof(*lines));
    if (lines == NULL)
        return NULL;
    for (size_t i = 0; i < p->line_count; i++)
        if (p->lines[i].line <= most && strcmp(p->functions[p->lines[i].function].file, path) == 0) {
            lines[p->lines[i].line].self += p->lines[i].self.y;
            lines[p->lines[i].line].total += p->lines[i].total.y;
        }
    *ret_count = most;
    return lines;
}

/* The function's line with the most hits, a third of the way down. */
static int hottest_top(const struct live *l)
{
    const struct profile *p = l->model.view.p;
    uint64_t most = 0;
    uint32_t line = p->functions[l->function].first_line;
    for (size_t i = 0; i < p->line_count; i++)
        if (p->lines[i].function == l->function && p->lines[i].total.y > most) {
            most = p->lines[i].total.y;
            line = p->lines[i].line;
        }
    int top = (int)(line < 10000000 ? line : 1) - l->height / 3;
    return top < 1 ? 1 : top;
}

static void expand_tabs(struct buffer *into, const char *text, size_t size)
{
    for (size_t i = 0; i < size && into->size < 2000; i++)
        if (text[i] == '\t')
            do
                buffer_append_byte(into, ' ');
            while (into->size % TAB != 0);
        else
            buffer_append_byte(into, (uint8_t)text[i]);
}

static void draw_one(
    const struct live *l, int row, uint32_t number, struct file_line hits, const char *text, size_t size)
{
    CLEANUP(buffer_release) struct buffer line;
    const struct profile *p = l->model.view.p;
    double all = p->hits > 0 ? (double)p->hits : 1, share = (double)hits.self / all;
    unsigned style = share >= 0.2 ? STYLE_HOT : share >= 0.05 ? STYLE_WARM : STYLE_PLAIN;
    char self[16] = "", total[16] = "";
    buffer_init(&line, 4096);
    if (hits.self > 0)
        live_share(self, share);
    if (hits.total > 0)
        live_share(total, (double)hits.total / all);
    screen_format(row, 0, 15, style, "%6s %6s ", self, total);
    screen_bar(row, 14, 2, style, share > 1 ? 1 : share);
    screen_format(row, 16, 6, STYLE_FAINT, "%5u ", number);
    expand_tabs(&line, text, size);
    screen_text(row, GUTTER, l->columns - GUTTER, hits.self > 0 ? style : STYLE_PLAIN, buffer_text(&line));
}

void source_draw(struct live *l)
{
    const struct profile *p = l->model.view.p;
    if (l->height < 1)
        return;
    if (l->function == PROFILE_NONE || l->function >= p->function_count) {
        screen_text(BODY_ROW, 0, l->columns, STYLE_FAINT, "choose a function in view 1, 4 or 5 with Enter");
        return;
    }
    const struct profile_function *f = &p->functions[l->function];
    const struct profile_source *s = profile_source(p, f->file);
    screen_format(BODY_ROW, 0, l->columns, STYLE_HEAD, "  SELF  TOTAL    LINE %.150s  %.250s", f->name, f->file);
    if (s == NULL || s->size == 0) {
        screen_text(BODY_ROW + 1, 0, l->columns, STYLE_FAINT, "the text of this file was not recorded");
        return;
    }
    uint32_t count = 0;
    struct file_line *lines = file_lines(l, f->file, &count);
    if (lines == NULL)
        return;
    if (l->source_top == 0)
        l->source_top = hottest_top(l);
    const char *at = s->text, *end = s->text + s->size;
    int number = 1, row = BODY_ROW + 1;
    for (; at < end && row < BODY_ROW + l->height; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop == NULL ? end : stop;
        if (number >= l->source_top) {
            size_t size = (size_t)(stop - at);
            size -= size > 0 && at[size - 1] == '\r';
            draw_one(l, row++, (uint32_t)number, (uint32_t)number <= count ? lines[number] : (struct file_line){0}, at,
                size);
        }
        at = stop + (stop < end);
    }
    /* Beyond the end there is nothing to be seen: stop there. */
    if (row == BODY_ROW + 1 && number > 1)
        l->source_top = number - 1;
    free(lines);
}

void source_move(struct live *l, enum action a)
{
    int page = l->height > 2 ? l->height - 2 : 1;
    int by = a == ACTION_UP          ? -1
             : a == ACTION_DOWN      ? 1
             : a == ACTION_PAGE_UP   ? -page
             : a == ACTION_PAGE_DOWN ? page
                                     : 0;
    int top = l->source_top + by;
    if (a == ACTION_FIRST)
        top = 1;
    if (a == ACTION_LAST) {
        l->source_top = 0; /* back to the hottest line */
        return;
    }
    l->source_top = top < 1 ? 1 : top;
}
