/*
 * speedscope's JSON (its file-format-spec.ts): shared frames, and profiles that are lists of samples or of frames that
 * open and close. Each profile is shown as a thread.
 */
#include "profile/inside.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

struct open_frames {
    uint32_t nodes[IMPORT_DEPTH_MAX + 1]; /* nodes[0]: the root */
    json_int_t frames[IMPORT_DEPTH_MAX + 1];
    size_t depth;
};

/* Nanoseconds of one unit; 0: counts of samples or of something else. */
static double unit_of(const json_t *profile)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"nanoseconds", 1}, {"microseconds", 1e3}, {"milliseconds", 1e6}, {"seconds", 1e9}};
    const char *unit = json_string_value(json_object_get(profile, "unit"));
    for (size_t i = 0; unit != NULL && i < ARRAY_SIZE(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

static int put_frame(struct import *m, const json_t *frames, json_int_t index, uint32_t parent, uint32_t *ret)
{
    const json_t *frame = index < 0 ? NULL : json_array_get(frames, (size_t)index);
    const json_t *name = json_object_get(frame, "name"), *file = json_object_get(frame, "file");
    json_int_t line = json_integer_value(json_object_get(frame, "line"));
    if (!json_is_string(name))
        return import_refuse(m, "is no speedscope file that can be read: a frame is missing");
    return import_frame(m, parent, json_string_value(name), json_string_length(name), json_string_value(file),
        json_string_length(file), 0, line > 0 && line < UINT32_MAX ? (uint32_t)line : 0, ret);
}

static int put_weight(struct import *m, uint32_t node, double weight, double unit)
{
    double hits = unit > 0 ? weight * unit : weight;
    if (!(hits >= 0) || hits > (double)IMPORT_HITS_MAX)
        return import_refuse(m, "is no speedscope file that can be read: a weight that is no time");
    return import_hits(m, node, (uint64_t)llround(hits));
}

static int put_sampled(struct import *m, const json_t *frames, const json_t *profile)
{
    const json_t *samples = json_object_get(profile, "samples"), *weights = json_object_get(profile, "weights");
    if (!json_is_array(samples) || !json_is_array(weights) || json_array_size(samples) != json_array_size(weights))
        return import_refuse(m, "is no speedscope file that can be read: samples and weights are not as many");
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const json_t *stack = json_array_get(samples, i);
        uint32_t node = 0;
        if (json_array_size(stack) > IMPORT_DEPTH_MAX)
            return import_refuse(m, "has a stack that is too deep");
        for (size_t k = 0; k < json_array_size(stack); k++) {
            int r = put_frame(m, frames, json_integer_value(json_array_get(stack, k)), node, &node);
            if (r < 0)
                return r;
        }
        int r = put_weight(m, node, json_number_value(json_array_get(weights, i)), unit_of(profile));
        if (r < 0)
            return r;
    }
    return 0;
}

static int put_event(struct import *m, const json_t *frames, const json_t *event, struct open_frames *open)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    json_int_t frame = json_integer_value(json_object_get(event, "frame"));
    if (type != NULL && strcmp(type, "C") == 0) {
        if (open->depth == 0 || open->frames[open->depth] != frame)
            return import_refuse(m, "is no speedscope file that can be read: a frame closes that is not innermost");
        open->depth--;
        return 0;
    }
    if (type == NULL || strcmp(type, "O") != 0)
        return import_refuse(m, "is no speedscope file that can be read: an event that neither opens nor closes");
    if (open->depth == IMPORT_DEPTH_MAX)
        return import_refuse(m, "has a stack that is too deep");
    open->frames[open->depth + 1] = frame;
    int r = put_frame(m, frames, frame, open->nodes[open->depth], &open->nodes[open->depth + 1]);
    open->depth += r == 0;
    return r;
}

/* Between two events the time is the innermost open frame's. */
static int put_evented(struct import *m, const json_t *frames, const json_t *profile)
{
    const json_t *events = json_object_get(profile, "events");
    double last = json_number_value(json_object_get(profile, "startValue")), unit = unit_of(profile);
    struct open_frames *open = calloc(1, sizeof(*open));
    int r = open == NULL ? -ENOMEM : json_is_array(events) ? 0 : import_refuse(m, "has a profile without events");
    for (size_t i = 0; r == 0 && i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        double at = json_number_value(json_object_get(event, "at"));
        r = at < last ? import_refuse(m, "is no speedscope file that can be read: its events are not in order")
                      : put_weight(m, open->nodes[open->depth], at - last, unit);
        last = at;
        if (r == 0)
            r = put_event(m, frames, event, open);
    }
    free(open);
    return r;
}

/* Only of samples that count one each is it known how many there were. */
static bool counts_samples(const json_t *profiles)
{
    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const json_t *p = json_array_get(profiles, i), *weights = json_object_get(p, "weights");
        const char *unit = json_string_value(json_object_get(p, "unit"));
        if (unit == NULL || strcmp(unit, "none") != 0 || !json_is_array(weights))
            return false;
        for (size_t k = 0; k < json_array_size(weights); k++) {
            double weight = json_number_value(json_array_get(weights, k));
            if (weight != floor(weight))
                return false;
        }
    }
    return true;
}

static int put_profiles(struct import *m, const json_t *root)
{
    const json_t *frames = json_object_get(json_object_get(root, "shared"), "frames");
    const json_t *profiles = json_object_get(root, "profiles");
    if (!json_is_array(frames) || !json_is_array(profiles))
        return import_refuse(m, "is JSON, but not of speedscope: pitviper opens its own recordings, collapsed stacks, "
                                "pstats and speedscope");
    m->l->p->origin = counts_samples(profiles) ? PROFILE_SAMPLES : PROFILE_WEIGHTS;
    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const json_t *p = json_array_get(profiles, i), *name = json_object_get(p, "name");
        const char *type = json_string_value(json_object_get(p, "type"));
        int r = import_thread(m, json_is_string(name) ? json_string_value(name) : "", json_string_length(name));
        if (r == 0 && m->l->p->origin == PROFILE_WEIGHTS && unit_of(p) <= 0)
            r = import_refuse(m, "holds neither samples nor times: its unit is no time");
        if (r == 0)
            r = type != NULL && strcmp(type, "sampled") == 0   ? put_sampled(m, frames, p)
                : type != NULL && strcmp(type, "evented") == 0 ? put_evented(m, frames, p)
                                                               : import_refuse(m, "has a profile of unknown type");
        if (r < 0)
            return r;
    }
    return 0;
}

int import_speedscope(struct import *m)
{
    json_error_t why;
    json_t *root = json_loadb(m->data, m->size, 0, &why);
    if (root == NULL)
        return error_set(m->e, EINVAL, "%s is no JSON that can be read: %s in line %d", m->name, why.text, why.line);
    int r = put_profiles(m, root);
    json_decref(root);
    return r;
}
