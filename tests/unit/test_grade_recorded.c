/* Are gates decided as they were when tools/record-timings took their samples? Of each core lab of code a reference,
 * the starter and a slow mutant; no program is run, so it is the same on any machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "recorded.h"

#define PROGRAMS_LEAST 2 /* of a lab: a reference, and what must not pass */
#define TIMINGS TESTS_FOLDER "/grade/timings"

/* Every complaint is told, not only the first. */
static unsigned complaints;
#define COMPLAIN(...) (print_error(__VA_ARGS__), complaints++)

/* What the check says by its gates alone. */
static enum grade_outcome decide(json_t *program, const struct grade_lab *lab)
{
    json_t *gates = json_object_get(program, "gates");
    struct grade_result result = {.outcome = GRADE_PASSED, .readability = 1};
    struct check check = {.lab = lab, .r = &result};
    for (size_t i = 0; i < json_array_size(gates) && i < GRADE_GATES_MAX; i++) {
        struct recorded_gate g;
        enum gate_cause cause = GATE_SETTLED;
        assert_int_equal(recorded_gate_read(json_array_get(gates, i), &g), 0);
        assert_int_equal(recorded_decide(&g, false, &result.gates[i], &cause), 0);
        result.gates[i].gate = &lab->gates[i];
        result.gate_count++;
    }
    check_score(&check);
    return result.outcome;
}

/* Recordings of other gates would say nothing about those that the lab has. */
static void assert_same_gates(const struct grade_lab *lab, json_t *program)
{
    json_t *gates = json_object_get(program, "gates");
    for (size_t i = 0; i < json_array_size(gates); i++) {
        struct recorded_gate g;
        assert_int_equal(recorded_gate_read(json_array_get(gates, i), &g), 0);
        const struct grade_gate *now = &lab->gates[i];
        if (i >= lab->gate_count || now->kind != g.spec.kind || now->limit != g.spec.limit ||
            now->size_count != g.spec.size_count || memcmp(now->sizes, g.spec.sizes, sizeof(now->sizes)) != 0)
            COMPLAIN("gate %zu of lab %s is another one by now; tools/record-timings %s\n", i + 1, lab->id, lab->id);
    }
}

static void for_each_program(void (*f)(const struct grade_lab *lab, json_t *program))
{
    const struct grade_lab *labs;
    size_t count;
    struct error e = {""};
    complaints = 0;
    assert_int_equal(grade_labs(&labs, &count, &e), 0);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), TIMINGS "/%s.json", labs[i].id);
        json_t *all = json_load_file(path, 0, NULL), *programs = json_object_get(all, "programs");
        if (labs[i].core && labs[i].kind == GRADE_CODE && json_array_size(programs) < PROGRAMS_LEAST)
            COMPLAIN("too little is recorded of lab %s; tools/record-timings %s\n", labs[i].id, labs[i].id);
        for (size_t k = 0; k < json_array_size(programs); k++)
            f(&labs[i], json_array_get(programs, k));
        json_decref(all);
    }
    if (complaints > 0)
        fail_msg("%u complaints", complaints);
}

static void assert_decided_as_recorded(const struct grade_lab *lab, json_t *program)
{
    const char *wanted = json_string_value(json_object_get(program, "outcome"));
    enum grade_outcome outcome = decide(program, lab),
                       other = strcmp(wanted, "passed") == 0 ? GRADE_PASSED : GRADE_SLOW;
    if (outcome != other)
        COMPLAIN("lab %s, %s: %s instead of %s\n", lab->id, json_string_value(json_object_get(program, "program")),
            grade_outcome_text(outcome), wanted);
}

static void recorded_samples_are_decided_as_they_were(void **state)
{
    (void)state;
    for_each_program(assert_decided_as_recorded);
}

static void recorded_gates_are_those_of_the_labs(void **state)
{
    (void)state;
    for_each_program(assert_same_gates);
}

/* The starter's samples in the place of the reference's must not pass: what is recorded tells the two apart. */
static void assert_not_passed_by_the_starter(const struct grade_lab *lab, json_t *program)
{
    json_t *gates = json_object_get(program, "gates");
    if (strcmp(json_string_value(json_object_get(program, "outcome")), "passed") != 0)
        return;
    bool missed = false, against_starter = false;
    for (size_t i = 0; i < json_array_size(gates); i++) {
        struct recorded_gate g;
        struct grade_gate_result result;
        enum gate_cause cause = GATE_SETTLED;
        assert_int_equal(recorded_gate_read(json_array_get(gates, i), &g), 0);
        json_t *starter = json_object_get(g.samples, "starter");
        if (starter == NULL || g.spec.kind == GRADE_NOT_SLOWER || g.spec.kind == GRADE_NOT_FATTER ||
            g.spec.kind == GRADE_PARALLEL) /* which has few of the starter's */
            continue;
        against_starter = true;
        json_object_set(g.samples, "learner", starter);
        assert_int_equal(recorded_decide(&g, false, &result, &cause), 0);
        missed = missed || result.outcome == GRADE_SLOW;
        if (result.outcome == GRADE_PASSED)
            COMPLAIN("lab %s: the starter passes gate %zu\n", lab->id, i + 1);
    }
    if (against_starter && !missed)
        COMPLAIN("lab %s: the starter misses no gate\n", lab->id);
}

static void starters_samples_pass_no_gate(void **state)
{
    (void)state;
    for_each_program(assert_not_passed_by_the_starter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_samples_are_decided_as_they_were),
        cmocka_unit_test(recorded_gates_are_those_of_the_labs),
        cmocka_unit_test(starters_samples_pass_no_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
