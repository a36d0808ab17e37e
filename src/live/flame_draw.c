/* The flame graph on the terminal. */
#include "live/inside.h"

#include <stdio.h>
#include <string.h>

#define DEEPEST 2000 /* rows laid out; deeper callees are not shown before their caller is zoomed */

static const char *box_name(const struct live *l, const struct flame_box *b)
{
    return b->function == PROFILE_NONE ? "all" : l->model.view.p->functions[b->function].name;
}

static bool box_found(const struct live *l, const struct flame_box *b)
{
    if (l->filter[0] == '\0' || b->function == PROFILE_NONE)
        return false;
    const struct profile_function *f = &l->model.view.p->functions[b->function];
    return live_matches(l, f->name) || live_matches(l, f->file);
}

static void draw_box(const struct live *l, size_t index, int row)
{
    const struct flame_box *b = &l->flame.boxes[index];
    int width = b->to - b->from;
    bool found = box_found(l, b), other = l->filter[0] != '\0' && !found;
    unsigned shade = (unsigned)(hash_mix(b->function, 7) % FLAME_SHADES);
    unsigned style = other ? STYLE_FAINT : STYLE_FLAME + shade;
    if (index == l->flame.selected)
        style = STYLE_SELECTED;
    /* A cell between neighbours, where there is one to spare. */
    screen_text(
        row, b->from, width > 1 ? width - 1 : 1, style | (found ? STYLE_MATCH : 0), width > 3 ? box_name(l, b) : "");
}

static void draw_selected(const struct live *l, int row)
{
    const struct profile *p = l->model.view.p;
    const struct flame_box *b = &l->flame.boxes[l->flame.selected];
    char share[16], of[16];
    live_share(share, p->hits == 0 ? 0 : (double)b->hits / (double)p->hits);
    live_share(of, l->flame.boxes[0].hits == 0 ? 0 : (double)b->hits / (double)l->flame.boxes[0].hits);
    int cpu = b->hits == 0 ? 0 : (int)((double)b->cpu * 100 / (double)b->hits + 0.5);
    if (b->function == PROFILE_NONE) {
        screen_format(row, 0, l->columns, STYLE_HEAD, "all  %s of the time, on CPU %d%%", share, cpu);
        return;
    }
    const struct profile_function *f = &p->functions[b->function];
    char facts[80];
    snprintf(facts, sizeof(facts), "%s of the time, %s of this width, on CPU %d%%  ", share, of, cpu);
    int width = (int)strlen(facts);
    screen_text(row, 0, l->columns, STYLE_HEAD, facts);
    screen_format(row, width, l->columns - width, STYLE_HEAD, "%.150s  %.200s:%u", f->name, f->file, f->first_line);
}

int flame_draw(struct live *l)
{
    struct flame *f = &l->flame;
    int r = flame_layout(f, l->model.view.p, l->columns, DEEPEST), rows = l->height - 1;
    if (r < 0)
        return r;
    int depth = f->boxes[f->selected].depth;
    if (depth < f->top)
        f->top = depth;
    if (depth >= f->top + rows)
        f->top = depth - rows + 1;
    for (size_t i = 0; i < f->count; i++) {
        int row = f->boxes[i].depth - f->top;
        if (row >= 0 && row < rows)
            draw_box(l, i, BODY_ROW + 1 + row);
    }
    if (l->height > 0)
        draw_selected(l, BODY_ROW);
    return 0;
}
