/* JSON from outside: its values, checked, and a line of what is pending. */
#include "history/inside.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

const char *input_text(const json_t *object, const char *key, struct arena *a)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    if (text == NULL)
        return "";
    for (; size > HISTORY_TEXT_MAX || (size > 0 && size == HISTORY_TEXT_MAX && (text[size] & 0xc0) == 0x80);)
        size = size > HISTORY_TEXT_MAX ? HISTORY_TEXT_MAX : size - 1;
    text = arena_strndup(a, text, size);
    return text == NULL ? "" : text;
}

double input_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

uint64_t input_count(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    json_int_t count = json_integer_value(value);
    return count > 0 ? (uint64_t)count : 0;
}

int input_numbers(const json_t *array, struct arena *a, const double **ret, size_t *ret_count)
{
    size_t count = json_array_size(array), kept = count < HISTORY_SAMPLES_MAX ? count : HISTORY_SAMPLES_MAX;
    double *numbers = arena_alloc(a, (kept + 1) * sizeof(*numbers));
    if (numbers == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < kept; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_number(value))
            return -EINVAL;
        numbers[i] = json_number_value(value);
    }
    *ret = numbers;
    *ret_count = kept;
    return 0;
}

static void copy_text(char *into, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(into, text, length);
    into[length] = '\0';
}

static int parse_object(const json_t *root, struct arena *a, struct history_result *ret)
{
    struct history_machine *m = arena_alloc(a, sizeof(*m));
    struct history_result x = {
        .time_ns = input_count(root, "time_ns"),
        .kind = input_text(root, "kind", a),
        .subject = input_text(root, "subject", a),
        .metric = input_text(root, "metric", a),
        .unit = input_text(root, "unit", a),
        .value = input_number(root, "value"),
        .low = input_number(root, "low"),
        .high = input_number(root, "high"),
        .runs = input_count(root, "runs"),
        .verdict = input_text(root, "verdict", a),
        .machine = m,
        .python = input_text(root, "python", a),
        .revision = input_text(root, "revision", a),
        .dirty = json_is_true(json_object_get(root, "dirty")),
    };
    if (m == NULL || !isfinite(x.value) || x.kind[0] == '\0' || x.metric[0] == '\0')
        return -EINVAL;
    copy_text(m->id, sizeof(m->id), input_text(root, "machine", a));
    copy_text(m->cpu, sizeof(m->cpu), input_text(root, "cpu", a));
    copy_text(m->kernel, sizeof(m->kernel), input_text(root, "kernel", a));
    m->cores = input_count(root, "cores");
    m->memory = input_count(root, "memory");
    int r = input_numbers(json_object_get(root, "samples"), a, &x.samples, &x.sample_count);
    if (r == 0)
        *ret = x;
    return r;
}

int pending_parse(const char *line, size_t size, struct arena *a, struct history_result *ret)
{
    json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    int r = json_is_object(root) ? parse_object(root, a, ret) : -EINVAL;
    json_decref(root);
    return r;
}
