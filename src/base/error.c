#include "base/base.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An error line quotes paths and names chosen by strangers and ends on a terminal, so it is cleaned here,
 * once, and not by each caller. The replacement is never longer than what it replaces. */
static void make_printable(char *text)
{
    size_t size = strlen(text), in = 0, out = 0;
    while (in < size) {
        uint32_t point = 0;
        size_t length = utf8_decode(text + in, size - in, &point);
        if (length == 0 || utf8_unsafe(point)) {
            text[out++] = '?';
            in += length == 0 ? 1 : length;
            continue;
        }
        memmove(text + out, text + in, length);
        out += length;
        in += length;
    }
    text[out] = '\0';
}

static void mark_cut(char *text, size_t capacity)
{
    memcpy(text + capacity - 4, "...", 4);
}

int error_set(struct error *e, int number, const char *format, ...)
{
    int saved = errno;
    if (e != NULL) {
        va_list args;
        va_start(args, format);
        int length = vsnprintf(e->text, sizeof e->text, format, args);
        va_end(args);
        if (length < 0)
            e->text[0] = '\0';
        else if ((size_t)length >= sizeof e->text)
            mark_cut(e->text, sizeof e->text);
        make_printable(e->text);
    }
    errno = saved;
    /* Callers hold both kinds, errno and results; either must leave as an error. */
    return number > 0 ? -number : number;
}

void error_prefix(struct error *e, const char *format, ...)
{
    if (e == NULL)
        return;
    int saved = errno;
    char prefix[sizeof e->text], whole[2 * sizeof e->text + 2];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    if (length > 0) {
        length = snprintf(whole, sizeof whole, "%s: %s", prefix, e->text);
        size_t keep = length < 0 ? 0 : (size_t)length;
        bool cut = keep >= sizeof e->text;
        if (cut)
            keep = sizeof e->text - 1;
        memcpy(e->text, whole, keep);
        e->text[keep] = '\0';
        if (cut)
            mark_cut(e->text, sizeof e->text);
        make_printable(e->text);
    }
    errno = saved;
}
