/* What the user sees of a verb's end: one line for a failure, whole buffers for an answer. */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int cmd_fail_text(int status, const char *format, ...)
{
    CLEANUP(buffer_release) struct buffer line;
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buffer_init(&line, 8192);
    buffer_append_string(&line, "pitviper: ");
    text_append_safe(&line, text, strlen(text));
    buffer_append_byte(&line, '\n');
    (void)file_write_all(STDERR_FILENO, line.data, line.size);
    return status;
}

int cmd_fail(int status, const struct error *e)
{
    return cmd_fail_text(status, "%s", e->text);
}

int cmd_print(int fd, const struct buffer *b)
{
    if (b->failed)
        return cmd_fail_text(CMD_FAILED, "out of memory while writing the answer");
    int r = file_write_all(fd, b->data, b->size);
    if (r < 0 && r != -EPIPE)
        return cmd_fail_text(CMD_FAILED, "cannot write the answer: %s", strerror(-r));
    return CMD_OK;
}

bool cmd_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

int cmd_width(int fd)
{
    struct winsize size;
    uint64_t columns = 0;
    const char *text = getenv("COLUMNS");

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    else if (!text || parse_count(text, &columns) < 0)
        columns = 80;
    return columns < 40 ? 40 : columns > 400 ? 400 : (int)columns;
}

void cmd_put_words(struct buffer *out, const char *text, size_t column, size_t hanging, size_t width)
{
    bool first = true;
    text += strspn(text, " ");
    while (*text != '\0') {
        size_t size = strcspn(text, " "), columns = text_width(text, size);
        if (!first && column + 1 + columns > width) {
            buffer_append_byte(out, '\n');
            column = 0;
            first = true;
        }
        if (first && column < hanging)
            buffer_printf(out, "%*s", (int)(hanging - column), "");
        column = first ? (column < hanging ? hanging : column) : column + 1;
        buffer_append_string(out, first ? "" : " ");
        buffer_append(out, text, size);
        column += columns;
        first = false;
        text += size;
        text += strspn(text, " ");
    }
    buffer_append_byte(out, '\n');
}
