/* Which python runs a script: the one asked for, else the active virtual environment, else the script's own first line,
 * else the python3 on the path. */
#include "python/python.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool from_environment(char *into, size_t size)
{
    const char *folder = getenv("VIRTUAL_ENV");

    if (!folder || !*folder)
        return false;
    int n = snprintf(into, size, "%s/bin/python", folder);
    return n > 0 && (size_t)n < size && access(into, X_OK) == 0;
}

/* "#!/usr/bin/env python3.12 -u" and "#!/path/to/python": the word that names a python. */
static bool from_shebang(const char *script, char *into, size_t size)
{
    char line[512];
    CLEANUP(fd_close) int fd = open(script, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

    if (got < 4 || line[0] != '#' || line[1] != '!')
        return false;
    line[got] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    char *rest = line + 2;
    for (char *word; (word = strsep(&rest, " \t")) != NULL;) {
        const char *slash = strrchr(word, '/');
        const char *name = slash ? slash + 1 : word;
        if (*word == '\0' || *word == '-' || strcmp(name, "env") == 0)
            continue;
        if (strncmp(name, "python", 6) != 0 && strncmp(name, "pypy", 4) != 0)
            return false;
        snprintf(into, size, "%s", word);
        return true;
    }
    return false;
}

void python_choose(const char *asked, const char *script, char *into, size_t size)
{
    if (asked)
        snprintf(into, size, "%s", asked);
    else if (!from_environment(into, size) && !(script && from_shebang(script, into, size)))
        snprintf(into, size, "python3");
}

bool python_is_script(const char *word)
{
    size_t size = strlen(word);

    return (size > 3 && strcmp(word + size - 3, ".py") == 0) || (size > 4 && strcmp(word + size - 4, ".pyz") == 0) ||
           (strchr(word, '/') && access(word, X_OK) < 0 && access(word, F_OK) == 0);
}

char **python_command(const char *asked, int argc, char **argv, char *interpreter, size_t size)
{
    bool module = strcmp(argv[0], "-m") == 0, script = !module && python_is_script(argv[0]);
    char **words = calloc((size_t)argc + 2, sizeof(*words));
    size_t n = 0;

    if (!words)
        return NULL;
    if (module || script) {
        python_choose(asked, script ? argv[0] : NULL, interpreter, size);
        words[n++] = interpreter;
    }
    for (int i = 0; i < argc; i++)
        words[n++] = argv[i];
    return words;
}
