/* Whether there is a terminal that can be drawn on. Apart, because <term.h> makes macros of everyday words. */
#include "live/inside.h"

#include <curses.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

int screen_check(struct error *e)
{
    const char *name = getenv("TERM");
    int known = 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(e, ENOTTY,
            "top needs a terminal for its input and output: without one, use 'pitviper run' or 'pitviper attach'");
    if (name == NULL || *name == '\0' || strcmp(name, "dumb") == 0 || setupterm(name, STDOUT_FILENO, &known) == ERR ||
        cursor_address == NULL)
        return error_set(e, ENOTTY,
            "top needs a terminal that can move its cursor, and TERM is '%s': use 'pitviper run' or 'pitviper attach'",
            name == NULL ? "" : name);
    return 0;
}
