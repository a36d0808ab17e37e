/* pitviper-gate.json: what is judged, and how. */
#include "cmd/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define TEXT_MAX 65536

struct reading {
    const char *name;
    struct arena *arena;
    struct error *e;
};

static int refuse(const struct reading *in, const char *what, const char *key)
{
    return error_set(in->e, EINVAL, "%s: %s '%.60s'", in->name, what, key);
}

/* Numbers are allowed where a text that is one would be: "claim": 5. */
static int take_text(const struct reading *in, const char *key, const json_t *value, const char **into)
{
    char number[40];
    const char *text = json_string_value(value);
    if (json_is_number(value)) {
        snprintf(number, sizeof(number), "%.15g", json_number_value(value));
        text = number;
    }
    if (text == NULL || strlen(text) > TEXT_MAX)
        return refuse(in, "there has to be a text for", key);
    *into = arena_strndup(in->arena, text, strlen(text));
    return *into == NULL ? error_set(in->e, ENOMEM, "out of memory") : 0;
}

static int take_subject(const struct reading *in, const json_t *value, struct gate_subjects *subjects)
{
    struct gate_subject one = {.name = NULL};
    const char *key;
    json_t *field;
    int r = 0;
    if (json_is_string(value)) {
        r = take_text(in, "subjects", value, &one.run);
        return r < 0 ? r : gate_subjects_add(subjects, &one, in->e);
    }
    if (!json_is_object(value))
        return refuse(in, "there has to be a text, or an object, for each of", "subjects");
    json_object_foreach((json_t *)(uintptr_t)value, key, field)
    {
        const char **into = strcmp(key, "run") == 0     ? &one.run
                            : strcmp(key, "name") == 0  ? &one.name
                            : strcmp(key, "setup") == 0 ? &one.setup
                            : strcmp(key, "args") == 0  ? &one.args
                                                        : NULL;
        r = into == NULL ? refuse(in, "a subject has no", key) : take_text(in, key, field, into);
        if (r < 0)
            return r;
    }
    if (one.run == NULL)
        return refuse(in, "a subject lacks its", "run");
    if (one.setup != NULL && one.args != NULL)
        return refuse(in, "setup and args both make the arguments of", one.run);
    return gate_subjects_add(subjects, &one, in->e);
}

static int take_subjects(const struct reading *in, const json_t *list, struct gate_subjects *subjects)
{
    int r = json_is_array(list) ? 0 : refuse(in, "there has to be a list for", "subjects");
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
        r = take_subject(in, json_array_get(list, i), subjects);
    return r;
}

static int take_key(const struct reading *in, const char *key, const json_t *value, struct gate_config *c,
    struct gate_subjects *subjects)
{
    const struct {
        const char *key;
        const char **into;
    } texts[] = {{"base", &c->base}, {"claim", &c->claim}, {"budget", &c->budget}, {"unsettled", &c->unsettled},
        {"prepare", &c->prepare}, {"python", &c->python}, {"metric", &c->metric}, {"work", &c->work}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (strcmp(key, texts[i].key) == 0)
            return take_text(in, key, value, texts[i].into);
    if (strcmp(key, "subjects") == 0)
        return take_subjects(in, value, subjects);
    if (strcmp(key, "discover") != 0)
        return refuse(in, "there is no", key);
    if (!json_is_boolean(value))
        return refuse(in, "there has to be true or false for", key);
    c->discover = json_is_true(value);
    return 0;
}

int gate_config_parse(const char *text, size_t size, const char *name, struct gate_config *ret,
    struct gate_subjects *subjects, struct error *e)
{
    struct gate_config c = {.discover = false};
    json_error_t why;
    const char *key;
    json_t *value, *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL)
        return error_set(e, EINVAL, "%s is no JSON that can be read: %s in line %d", name, why.text, why.line);
    arena_init(&c.arena, 4u << 20);
    struct reading in = {.name = name, .arena = &c.arena, .e = e};
    int r = json_is_object(root) ? 0 : error_set(e, EINVAL, "%s is no JSON object", name);
    if (r == 0)
        json_object_foreach(root, key, value) if (r == 0) r = take_key(&in, key, value, &c, subjects);
    json_decref(root);
    if (r < 0)
        arena_release(&c.arena);
    else
        *ret = c;
    return r;
}
