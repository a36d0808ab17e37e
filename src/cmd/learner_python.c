/* The Python that the course is taken with. */
#include "cmd/interpreter.h"
#include "cmd/learner.h"
#include "python/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char question[] = "import sys; v = sys.version_info; "
                               "print('%d|%d|%d|%s|%s' % (v[0], v[1], v[2], sys.implementation.name, sys.executable))";

/* "3|12|1|cpython|/usr/bin/python3.12" */
static int ask(const char *path, struct learner_python *ret, struct error *e)
{
    struct learner_python p = {.minor = 0};
    char text[LEARN_PATH_MAX], name[32] = "";
    unsigned major = 0, minor = 0, micro = 0;
    int at = 0;
    if (!interpreter_ask(path, question, text, sizeof(text)))
        return error_set(e, ENOENT, "'%s' is no Python that runs: name another with --python", path);
    if (sscanf(text, "%3u|%3u|%3u|%31[a-z]|%n", &major, &minor, &micro, name, &at) != 4 || at == 0 || text[at] != '/')
        return error_set(e, ENOTSUP, "'%s' does not say which Python it is: name another with --python", path);
    if (strcmp(name, "cpython") != 0 || major != 3 || minor < LEARNER_PYTHON_LEAST)
        return error_set(e, ENOTSUP, "'%s' is %s %u.%u: the labs need CPython 3.%d or later; name one with --python",
            path, strcmp(name, "cpython") == 0 ? "CPython" : name, major, minor, LEARNER_PYTHON_LEAST);
    snprintf(p.path, sizeof(p.path), "%s", text + at);
    snprintf(p.version, sizeof(p.version), "%u.%u.%u", major, minor, micro);
    p.minor = minor;
    *ret = p;
    return 0;
}

/* The newest of all that are there. */
static int find_any(struct learner_python *ret)
{
    struct interpreters all = {.count = 0};
    struct error unsaid;
    int r = interpreters_find(&all) < 0 ? -ENOMEM : -ENOENT;
    for (size_t i = all.count; r != 0 && i > 0; i--)
        r = ask(all.paths[i - 1], ret, &unsaid);
    interpreters_release(&all);
    return r;
}

int learner_python_find(const char *asked, const struct learn_state *state, struct learner_python *ret, struct error *e)
{
    char path[LEARN_PATH_MAX];
    struct error unsaid;
    if (asked != NULL)
        return ask(asked, ret, e);
    if (state != NULL && state->start != NULL && state->start->python[0] == '/' &&
        ask(state->start->python, ret, &unsaid) == 0)
        return 0;
    python_choose(NULL, NULL, path, sizeof(path));
    int r = ask(path, ret, e);
    return r == 0 || find_any(ret) == 0 ? 0 : r;
}

int learner_python_suits(const struct grade_lab *lab, const struct learner_python *python)
{
    if (python->minor >= lab->python_minor)
        return 0;
    return cmd_fail_text(CMD_FAILED, "lab %s needs Python 3.%u or later, and this is %s: %s; name one with --python",
        lab->id, lab->python_minor, python->version,
        lab->python_why != NULL && lab->python_why[0] != '\0' ? lab->python_why : "it uses what came then");
}
