/* project.json: what is run, on what, and what counts as behaviour. Read with distrust. */
#include "project/project.h"

#include <errno.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>
#undef json_boolean

/* One word or name, which neither ends early nor leaves its folder where it is a file's. */
static int take_word(const json_t *value, const char *key, struct arena *a, const char **ret, struct error *e)
{
    const char *text = json_string_value(value);
    if (text == NULL)
        return error_set(e, EBADMSG, "project.json: '%s' has something that is no text", key);
    if (strlen(text) != json_string_length(value) || strlen(text) > PROJECT_WORD_MAX)
        return error_set(e, EBADMSG, "project.json: a word of '%s' is too long or has a zero byte", key);
    *ret = arena_strndup(a, text, strlen(text));
    return *ret == NULL ? error_set(e, ENOMEM, "out of memory") : 0;
}

static int take_words(const json_t *root, const char *key, struct arena *a, struct project_words *ret, struct error *e)
{
    const json_t *value = json_object_get(root, key);
    int r = 0;
    if (value == NULL || json_is_null(value))
        return 0;
    if (json_is_string(value)) {
        ret->count = 1;
        return take_word(value, key, a, &ret->items[0], e);
    }
    if (!json_is_array(value) || json_array_size(value) > PROJECT_WORDS_MAX)
        return error_set(
            e, EBADMSG, "project.json: '%s' is no list of at most %u words", key, (unsigned)PROJECT_WORDS_MAX);
    for (size_t i = 0; r == 0 && i < json_array_size(value); i++, ret->count++)
        r = take_word(json_array_get(value, i), key, a, &ret->items[i], e);
    return r;
}

static int take_text(const json_t *root, const char *key, struct arena *a, const char **ret, struct error *e)
{
    const json_t *value = json_object_get(root, key);
    return value == NULL ? 0 : take_word(value, key, a, ret, e);
}

/* A file below a folder: no way out of it. */
static bool stays_inside(const char *name)
{
    if (name[0] == '/' || name[0] == '\0' || name[0] == '-')
        return false;
    for (const char *at = name; at != NULL; at = strchr(at, '/'), at = at == NULL ? NULL : at + 1)
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return false;
    return true;
}

static bool is_python_file(const char *name)
{
    size_t size = name == NULL ? 0 : strlen(name);
    return size > 3 && strcmp(name + size - 3, ".py") == 0 && stays_inside(name);
}

static int check_names(const struct project_words *words, const char *key, struct error *e)
{
    for (size_t i = 0; i < words->count; i++)
        if (!stays_inside(words->items[i]))
            return error_set(e, EBADMSG, "project.json: '%s' may name files below the folder only", key);
    return 0;
}

static int check_manifest(const struct project_manifest *m, struct error *e)
{
    bool supplied = learn_project_supplied(m->program);
    if (!supplied && strcmp(m->program, "own") != 0)
        return error_set(e, EBADMSG, "project.json: 'program' is none of weblog, finder, clinic, own");
    if (m->command.count == 0 || !is_python_file(m->command.items[0]))
        return error_set(e, EBADMSG, "project.json: 'command' does not begin with a Python file of before/ and after/");
    if (m->make.count > 0 && !is_python_file(m->make.items[0]))
        return error_set(e, EBADMSG, "project.json: 'make' does not begin with a Python file of before/");
    if (supplied && m->make.count == 0)
        return error_set(e, EBADMSG, "project.json: 'make' is missing: a supplied program makes its own input");
    if (supplied && m->behaviour.count > 0)
        return error_set(e, EBADMSG, "project.json: the behaviour of a supplied program is what it prints");
    if (m->check.count > 0 && !is_python_file(m->check.items[0]))
        return error_set(e, EBADMSG, "project.json: 'check' does not begin with a Python file of the project's folder");
    if (supplied && m->redacted)
        return error_set(e, EBADMSG, "project.json: a supplied program is no secret: take 'redacted' out");
    int r = check_names(&m->inputs, "inputs", e);
    if (r == 0)
        r = check_names(&m->behaviour, "behaviour", e);
    return r < 0 ? r : check_names(&m->second_tool, "second_tool", e);
}

static int take_metric(const json_t *root, enum prove_metric *ret, struct error *e)
{
    const json_t *value = json_object_get(root, "metric");
    const char *text = json_string_value(value);
    if (value == NULL || (text != NULL && strcmp(text, "wall") == 0))
        *ret = PROVE_WALL;
    else if (text != NULL && strcmp(text, "cpu") == 0)
        *ret = PROVE_CPU;
    else
        return error_set(e, EBADMSG, "project.json: 'metric' is neither \"wall\" nor \"cpu\"");
    return 0;
}

static int take_all(const json_t *root, struct arena *a, struct project_manifest *m, struct error *e)
{
    const struct {
        const char *key;
        struct project_words *into;
    } lists[] = {
        {"command", &m->command},
        {"make", &m->make},
        {"inputs", &m->inputs},
        {"dependencies", &m->dependencies},
        {"behaviour", &m->behaviour},
        {"check", &m->check},
        {"gate", &m->gate},
        {"second_tool", &m->second_tool},
    };
    int r = take_text(root, "program", a, &m->program, e);
    if (r == 0)
        r = take_text(root, "python", a, &m->python, e);
    if (r == 0)
        r = take_metric(root, &m->metric, e);
    m->redacted = json_is_true(json_object_get(root, "redacted"));
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
        r = take_words(root, lists[i].key, a, lists[i].into, e);
    /* "stdout" is another word for what it prints. */
    if (r == 0 && m->behaviour.count == 1 && strcmp(m->behaviour.items[0], "stdout") == 0)
        m->behaviour = (struct project_words){.count = 0};
    return r < 0 ? r : check_manifest(m, e);
}

int project_manifest_parse(
    const char *text, size_t size, struct arena *a, struct project_manifest *ret, struct error *e)
{
    struct project_manifest m = {.program = "", .python = ""};
    json_error_t where;
    if (size > PROJECT_MANIFEST_MAX)
        return error_set(e, EBADMSG, "project.json: larger than %u KB", PROJECT_MANIFEST_MAX >> 10);
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    int r = json_is_object(root) ? take_all(root, a, &m, e)
            : root != NULL       ? error_set(e, EBADMSG, "project.json: no object {...}")
                                 : error_set(e, EBADMSG, "project.json: no JSON in line %d", where.line);
    json_decref(root);
    if (r == 0)
        *ret = m;
    return r;
}
