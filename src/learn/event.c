/* One line of the log: read with distrust, written in one way. */
#include "learn/inside.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>
#undef json_boolean

static const char *const kind_names[LEARN_KINDS] = {
    [LEARN_START] = "start",
    [LEARN_SELF_CHECK] = "self-check",
    [LEARN_BEGIN] = "begin",
    [LEARN_RUN] = "run",
    [LEARN_CHECK] = "check",
    [LEARN_WATCH] = "watch",
    [LEARN_HINT] = "hint",
    [LEARN_SOLUTION] = "solution",
    [LEARN_REFLECT] = "reflect",
    [LEARN_PROJECT] = "project",
    [LEARN_REVIEW] = "review",
};

static const char *const outcome_words[] = {
    [GRADE_PASSED] = "passed",
    [GRADE_WRONG] = "wrong",
    [GRADE_BROKEN] = "broken",
    [GRADE_SLOW] = "slow",
    [GRADE_UNREADABLE] = "unreadable",
    [GRADE_UNRESOLVED] = "unresolved",
    [GRADE_FAULT] = "fault",
};

const char *learn_outcome_word(enum grade_outcome outcome)
{
    return (size_t)outcome < ARRAY_SIZE(outcome_words) ? outcome_words[outcome] : "fault";
}

bool learn_id_valid(const char *text)
{
    return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

/* ---- reading ---- */

/* Cut between two characters. NULL: out of memory. */
static const char *take_text(const json_t *object, const char *key, size_t most, struct arena *a)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    if (text == NULL)
        return "";
    if (size > most) {
        size = most;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    return arena_strndup(a, text, strnlen(text, size));
}

static uint64_t take_count(const json_t *object, const char *key, uint64_t most)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value < 0 ? 0 : (uint64_t)value > most ? most : (uint64_t)value;
}

/* Sixty-four bits do not fit into what JSON readers take for an integer. */
static uint64_t take_hexadecimal(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || text[0] == '\0' || strlen(text) > 16 || text[strspn(text, "0123456789abcdef")] != '\0')
        return 0;
    return strtoull(text, NULL, 16);
}

static int take_figures(const json_t *object, struct arena *a, struct learn_event *x)
{
    const json_t *array = json_object_get(object, "figures");
    size_t count = json_array_size(array);
    count = count < LEARN_FIGURES_MAX ? count : LEARN_FIGURES_MAX;
    double *figures = arena_alloc(a, (count + 1) * sizeof(*figures));
    if (figures == NULL)
        return -ENOMEM;
    x->figures = figures;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        if (json_is_number(value) && isfinite(json_number_value(value)))
            figures[x->figure_count++] = json_number_value(value);
    }
    return 0;
}

/* An outcome of another version settles nothing here. */
static enum grade_outcome take_outcome(const json_t *object)
{
    const char *text = json_string_value(json_object_get(object, "outcome"));
    for (size_t i = 0; text != NULL && i < ARRAY_SIZE(outcome_words); i++)
        if (strcmp(text, outcome_words[i]) == 0)
            return (enum grade_outcome)i;
    return GRADE_FAULT;
}

static enum learn_kind take_kind(const json_t *object)
{
    const char *text = json_string_value(json_object_get(object, "kind"));
    for (int i = LEARN_OTHER + 1; text != NULL && i < LEARN_KINDS; i++)
        if (strcmp(text, kind_names[i]) == 0)
            return (enum learn_kind)i;
    return LEARN_OTHER;
}

/* Levels of the rubric: whatever is none is open. */
static void take_levels(const json_t *object, const char *key, int8_t into[LEARN_CRITERIA])
{
    const json_t *array = json_object_get(object, key);
    for (size_t i = 0; i < LEARN_CRITERIA; i++) {
        const json_t *value = json_array_get(array, i);
        json_int_t level = json_integer_value(value);
        into[i] = json_is_integer(value) && level >= 0 && level <= 3 ? (int8_t)level : -1;
    }
}

static int take_event(const json_t *object, struct arena *a, struct learn_event *x)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    const char *machine = json_string_value(json_object_get(object, "machine"));
    if (id == NULL || !learn_id_valid(id) || json_string_value(json_object_get(object, "kind")) == NULL)
        return -EBADMSG;
    memcpy(x->id, id, sizeof(x->id));
    if (machine != NULL && machine[strspn(machine, "0123456789abcdef")] == '\0')
        snprintf(x->machine, sizeof(x->machine), "%.16s", machine);
    x->kind = take_kind(object);
    x->time_ns = take_count(object, "time_ns", INT64_MAX);
    x->module = (unsigned)take_count(object, "module", GRADE_MODULES);
    x->step = (unsigned)take_count(object, "step", GRADE_HINTS_MAX);
    x->points = (unsigned)take_count(object, "points", 100);
    x->right = (unsigned)take_count(object, "right", 1000000);
    x->of = (unsigned)take_count(object, "of", 1000000);
    x->level = (int)take_count(object, "level", 100);
    x->spent_ns = take_count(object, "spent_ns", INT64_MAX);
    x->quick = json_is_true(json_object_get(object, "quick"));
    x->outcome = take_outcome(object);
    x->seed = take_hexadecimal(object, "seed");
    x->lab = take_text(object, "lab", LEARN_SHORT_MAX, a);
    x->receipt = take_text(object, "receipt", LEARN_SHORT_MAX, a);
    x->recording = take_text(object, "recording", LEARN_SHORT_MAX, a);
    x->python = take_text(object, "python", LEARN_PATH_MAX, a);
    x->version = take_text(object, "version", LEARN_SHORT_MAX, a);
    x->text = take_text(object, "text", LEARN_TEXT_MAX, a);
    x->work = take_text(object, "work", LEARN_SHORT_MAX, a);
    take_levels(object, "levels", x->levels);
    take_levels(object, "most", x->most);
    if (x->lab == NULL || x->receipt == NULL || x->recording == NULL || x->python == NULL || x->version == NULL ||
        x->text == NULL || x->work == NULL)
        return -ENOMEM;
    if (!learn_id_valid(x->receipt))
        x->receipt = "";
    return take_figures(object, a, x);
}

int learn_event_parse(const char *line, size_t size, struct arena *a, struct learn_event *ret)
{
    struct learn_event x = {.line = line, .line_size = size};
    if (size > LEARN_LINE_MAX)
        return -EBADMSG;
    json_error_t unsaid;
    json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &unsaid);
    int r = json_is_object(root) ? take_event(root, a, &x) : -EBADMSG;
    json_decref(root);
    if (r == 0)
        *ret = x;
    return r;
}

/* ---- writing ---- */

static void put_known(struct json *j, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_text(j, name, text);
}

static void put_seed(struct json *j, uint64_t seed)
{
    char text[17];
    snprintf(text, sizeof(text), "%llx", (unsigned long long)seed);
    if (seed != 0)
        json_text(j, "seed", text);
}

static void put_levels(struct json *j, const char *name, const int8_t levels[LEARN_CRITERIA])
{
    json_array_begin(j, name);
    for (size_t i = 0; i < LEARN_CRITERIA; i++)
        if (levels[i] >= 0)
            json_write_integer(j, NULL, levels[i]);
        else
            json_write_null(j, NULL);
    json_array_end(j);
}

static void put_check(struct json *j, const struct learn_event *x)
{
    json_text(j, "outcome", learn_outcome_word(x->outcome));
    json_boolean(j, "quick", x->quick);
    json_write_integer(j, "points", x->points);
    json_write_integer(j, "right", x->right);
    json_write_integer(j, "of", x->of);
    json_write_integer(j, "level", x->level);
    json_write_integer(j, "spent_ns", (int64_t)(x->spent_ns & INT64_MAX));
    json_array_begin(j, "figures");
    for (unsigned i = 0; i < x->figure_count; i++)
        json_number(j, NULL, x->figures[i]);
    json_array_end(j);
}

int learn_event_put(struct buffer *out, const struct learn_event *x)
{
    struct json j = {.out = out};
    if (x->kind <= LEARN_OTHER || x->kind >= LEARN_KINDS)
        return -EINVAL;
    json_object_begin(&j, NULL);
    json_text(&j, "id", x->id);
    json_write_integer(&j, "time_ns", (int64_t)(x->time_ns & INT64_MAX));
    json_text(&j, "machine", x->machine);
    json_text(&j, "kind", kind_names[x->kind]);
    put_known(&j, "lab", x->lab);
    if (x->module != 0)
        json_write_integer(&j, "module", x->module);
    if (x->step != 0)
        json_write_integer(&j, "step", x->step);
    put_known(&j, "work", x->work);
    if (x->kind == LEARN_CHECK || x->kind == LEARN_PROJECT)
        put_check(&j, x);
    if (x->kind == LEARN_PROJECT || x->kind == LEARN_REVIEW)
        put_levels(&j, "levels", x->levels);
    if (x->kind == LEARN_PROJECT)
        put_levels(&j, "most", x->most);
    if (x->kind == LEARN_SELF_CHECK || x->kind == LEARN_WATCH || x->kind == LEARN_REVIEW) {
        json_write_integer(&j, "right", x->right);
        json_write_integer(&j, "of", x->of);
    }
    put_seed(&j, x->seed);
    put_known(&j, "receipt", x->receipt);
    put_known(&j, "recording", x->recording);
    put_known(&j, "python", x->python);
    put_known(&j, "version", x->version);
    put_known(&j, "text", x->text);
    json_object_end(&j);
    buffer_append_byte(out, '\n');
    return out->failed ? -ENOMEM : 0;
}
