/*
 * Samples of gates that were recorded by tools/record-timings, and the gates decided anew by them: the same on any
 * machine. A file holds, for each program, by gate, side and size, what was measured, in the order in which it was
 * taken; a gate that asks is fed the next of that side and size, so that the order in which it asks may change.
 */
#ifndef PITVIPER_TESTS_RECORDED_H
#define PITVIPER_TESTS_RECORDED_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "grade/check.h"
#include "grade/inside.h"

#undef json_string
#undef json_integer
#undef json_null
#include <jansson.h>

#define RECORDED_SIDES 3
#define RECORDED_SPENT_NS UINT64_C(1000000000000) /* of a sample: far more than any batch may be thought to cost */

struct recorded_gate {
    struct grade_gate spec;
    bool paced;
    json_t *samples; /* {side: {size: [...]}}; borrowed */
};

/* -EBADMSG for what tools/record-timings does not write. */
static inline int recorded_gate_read(json_t *from, struct recorded_gate *ret)
{
    const char *kind = json_string_value(json_object_get(from, "kind"));
    json_t *sizes = json_object_get(from, "sizes");
    *ret = (struct recorded_gate){.spec = {.limit = json_number_value(json_object_get(from, "limit")), .hint = ""},
        .paced = json_is_true(json_object_get(from, "paced")),
        .samples = json_object_get(from, "samples")};
    while (kind != NULL && ret->spec.kind <= GRADE_PARALLEL && strcmp(lab_gate_name(ret->spec.kind), kind) != 0)
        ret->spec.kind++;
    if (kind == NULL || ret->spec.kind > GRADE_PARALLEL || json_array_size(sizes) > GRADE_SIZES_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(sizes); i++)
        ret->spec.sizes[ret->spec.size_count++] = (unsigned)json_integer_value(json_array_get(sizes, i));
    return json_is_object(ret->samples) ? 0 : -EBADMSG;
}

/* The samples of this side and size; NULL: there are none. */
static inline json_t *recorded_list(const struct recorded_gate *g, const struct gate_want *want)
{
    static const char *const sides[RECORDED_SIDES] = {
        [GATE_STARTER] = "starter", [GATE_LEARNER] = "learner", [GATE_REFERENCE] = "reference"};
    char size[16];
    snprintf(size, sizeof(size), "%u", want->size);
    return json_object_get(json_object_get(g->samples, sides[want->side]), size);
}

/* null: the run was killed by a limit on time, or nothing of its memory was seen. */
static inline struct gate_sample recorded_sample(const struct recorded_gate *g, json_t *value)
{
    bool of_memory =
        g->spec.kind == GRADE_MEMORY || g->spec.kind == GRADE_NOT_FATTER || g->spec.kind == GRADE_MEMORY_GROWTH;
    double x = json_is_number(value) ? json_number_value(value) : of_memory ? (double)NAN : (double)INFINITY;
    if (of_memory)
        return (struct gate_sample){.wall = 1, .cpu = 1, .peak = x, .gap = 1, .spent_ns = RECORDED_SPENT_NS};
    return (struct gate_sample){.wall = x, .cpu = x, .peak = 0, .gap = x, .spent_ns = RECORDED_SPENT_NS};
}

static inline int recorded_feed(const struct recorded_gate *g, uint64_t budget_ns, bool quick,
    struct grade_gate_result *ret, enum gate_cause *ret_cause, uint64_t *ret_fed, bool *ret_dry)
{
    size_t next[RECORDED_SIDES][GRADE_SIZES_MAX] = {{0}};
    struct gate_want want;
    struct gate *gate;
    int r = gate_new(&g->spec, budget_ns, quick ? GATE_QUICK : g->paced ? GATE_PACED : GATE_FULL, 1, &gate);
    *ret_dry = false;
    for (*ret_fed = 0; r == 0 && gate_next(gate, &want); ++*ret_fed) {
        size_t size = 0;
        while (size + 1 < g->spec.size_count && g->spec.sizes[size] != want.size)
            size++;
        json_t *value = json_array_get(recorded_list(g, &want), next[want.side][size]++);
        *ret_dry = value == NULL;
        if (*ret_dry)
            break;
        const struct gate_sample s = recorded_sample(g, value);
        r = gate_feed(gate, &s);
    }
    if (r == 0) {
        gate_decide(gate, ret);
        *ret_cause = gate_cause(gate);
        gate_free(gate);
    }
    return r;
}

/* Decides the gate by what was recorded. Where that does not last, the time of the check is over with the last whole
 * batch, as it was when it was recorded. */
static inline int recorded_decide(
    const struct recorded_gate *g, bool quick, struct grade_gate_result *ret, enum gate_cause *ret_cause)
{
    uint64_t fed;
    bool dry;
    int r = recorded_feed(g, UINT64_MAX, quick, ret, ret_cause, &fed, &dry);
    if (r == 0 && dry)
        r = recorded_feed(g, fed * RECORDED_SPENT_NS, quick, ret, ret_cause, &fed, &dry);
    return r;
}

#endif
