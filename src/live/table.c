/* A list of rows: where the user is in it while it is made anew several times a second. */
#include "live/inside.h"

#include <stdlib.h>

void table_release(struct table *t)
{
    free(t->rows);
}

int table_add(struct table *t, uint32_t row)
{
    int r = array_reserve(&t->rows, &t->capacity, t->count + 1, sizeof(*t->rows));
    if (r == 0)
        t->rows[t->count++] = row;
    return r;
}

static void scroll(struct table *t, int height)
{
    size_t shown = height > 0 ? (size_t)height : 1;
    if (t->at < t->top)
        t->top = t->at;
    if (t->at >= t->top + shown)
        t->top = t->at - shown + 1;
    if (t->top + shown > t->count)
        t->top = t->count > shown ? t->count - shown : 0;
}

void table_settle(struct table *t, int height)
{
    if (t->held == PROFILE_NONE)
        t->at = 0;
    for (size_t i = 0; i < t->count && t->held != PROFILE_NONE; i++)
        if (t->rows[i] == t->held)
            t->at = i;
    if (t->at >= t->count)
        t->at = t->count > 0 ? t->count - 1 : 0;
    scroll(t, height);
}

bool table_move(struct table *t, enum action a, int height)
{
    size_t page = height > 1 ? (size_t)height - 1 : 1;
    if (t->count == 0)
        return false;
    size_t last = t->count - 1;
    switch (a) {
    case ACTION_UP:
        t->at -= t->at > 0;
        break;
    case ACTION_DOWN:
        t->at += t->at < last;
        break;
    case ACTION_PAGE_UP:
        t->at -= t->at < page ? t->at : page;
        break;
    case ACTION_PAGE_DOWN:
        t->at = last - t->at < page ? last : t->at + page;
        break;
    case ACTION_FIRST:
        t->at = 0;
        break;
    case ACTION_LAST:
        t->at = last;
        break;
    default:
        return false;
    }
    /* On the first row one watches whatever is the hottest; elsewhere, a row of one's choice. */
    t->held = t->at == 0 ? PROFILE_NONE : t->rows[t->at];
    scroll(t, height);
    return true;
}
