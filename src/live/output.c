/* What the program wrote: the end of the file that its output goes to. */
#include "live/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_BYTES (256 << 10)

static int read_end(int fd, struct buffer *into)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    off_t from = st.st_size > SHOWN_BYTES ? st.st_size - SHOWN_BYTES : 0;
    int r = buffer_reserve(into, SHOWN_BYTES);
    if (r < 0)
        return r;
    ssize_t n = pread(fd, into->data, SHOWN_BYTES, from);
    if (n < 0)
        return -errno;
    into->size = (size_t)n;
    return 0;
}

void output_draw(struct live *l)
{
    CLEANUP(buffer_release) struct buffer text;
    buffer_init(&text, SHOWN_BYTES);
    if (l->height < 1)
        return;
    screen_text(BODY_ROW, 0, l->columns, STYLE_HEAD, "OUTPUT OF THE PROGRAM");
    if (l->o->output < 0) {
        screen_text(
            BODY_ROW + 1, 0, l->columns, STYLE_FAINT, "the program was not started by top: its output is its own");
        return;
    }
    if (read_end(l->o->output, &text) < 0)
        return;
    /* From the last line upwards; long lines are cut, not folded. */
    const char *start = (const char *)text.data, *end = start + text.size;
    int skip = l->output_back, row = BODY_ROW + l->height - 1;
    if (end > start && end[-1] == '\n')
        end--;
    while (end > start && row > BODY_ROW) {
        const char *line = memrchr(start, '\n', (size_t)(end - start));
        line = line == NULL ? start : line + 1;
        if (skip > 0 && line > start) {
            skip--;
        } else {
            char one[512];
            size_t size = (size_t)(end - line) < sizeof(one) - 1 ? (size_t)(end - line) : sizeof(one) - 1;
            for (size_t i = 0; i < size; i++)
                one[i] = line[i] == '\t' || line[i] == '\r' || line[i] == '\0' ? ' ' : line[i];
            one[size] = '\0';
            screen_text(row--, 0, l->columns, STYLE_PLAIN, one);
        }
        end = line > start ? line - 1 : start;
    }
    l->output_back -= skip;
}

void output_move(struct live *l, enum action a)
{
    int page = l->height > 2 ? l->height - 2 : 1;
    int by = a == ACTION_UP          ? 1
             : a == ACTION_DOWN      ? -1
             : a == ACTION_PAGE_UP   ? page
             : a == ACTION_PAGE_DOWN ? -page
                                     : 0;
    l->output_back += by;
    if (a == ACTION_FIRST)
        l->output_back = SHOWN_BYTES;
    if (a == ACTION_LAST || l->output_back < 0)
        l->output_back = 0;
}
