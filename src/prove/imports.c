/* Where modules came from, read from what python says under PYTHONVERBOSE. */
#include "prove/inside.h"

#include <stdio.h>
#include <string.h>

/* 'PATH' or "PATH", as repr writes it; names with escapes in them are left out. */
static size_t take_quoted(const char *at, const char *end, const char **ret)
{
    if (at == end || (*at != '\'' && *at != '"'))
        return 0;
    const char *stop = memchr(at + 1, *at, (size_t)(end - at - 1));
    if (!stop || memchr(at, '\\', (size_t)(stop - at)))
        return 0;
    *ret = at + 1;
    return (size_t)(stop - at - 1);
}

static const char *behind(const char *line, const char *end, const char *word)
{
    const char *found = memmem(line, (size_t)(end - line), word, strlen(word));
    return found ? found + strlen(word) : NULL;
}

/*
 * importlib/_bootstrap_external.py of 3.8 to 3.15: "# code object from FILE" where the source was compiled, "# PYC
 * matches FILE" where it was not, "# extension module 'NAME' loaded from 'FILE'".
 */
static size_t file_of_line(const char *line, const char *end, const char **ret)
{
    const char *at;
    if (end - line < 3 || line[0] != '#' || line[1] != ' ')
        return 0;
    at = behind(line, end, " loaded from ");
    if (at)
        return take_quoted(at, end, ret);
    at = behind(line, end, "# code object from ");
    at = at ? at : behind(line, end, ".pyc matches ");
    *ret = at;
    return at ? (size_t)(end - at) : 0;
}

bool imports_next(const char **at, const char *end, char *into, size_t size)
{
    while (*at < end) {
        const char *line = *at, *found = NULL, *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        *at = stop < end ? stop + 1 : end;
        size_t length = file_of_line(line, stop, &found);
        if (length > 0 && length < size && *found == '/' && !memchr(found, '\0', length)) {
            memcpy(into, found, length);
            into[length] = '\0';
            return true;
        }
    }
    return false;
}
