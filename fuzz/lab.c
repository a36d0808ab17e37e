/* Feeds manifests of labs to their reader; what it takes keeps to its caps. */
#include "grade/grade.h"

#include <stdlib.h>
#include <string.h>

#include "grade/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                                              \
    if (!(condition))                                                                                                  \
    abort()

static void expect_inside(const char *path)
{
    EXPECT(path && path[0] && path[0] != '/' && path[0] != '.' && !strstr(path, "/.") && strlen(path) <= LAB_TEXT_MAX);
}

static void feed_as_program(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct grade_lab lab;
    struct error e = {""};
    arena_init(&arena, 1u << 20);
    if (lab_parse((const char *)data, size, "capstone", &arena, &lab, &e) == 0) {
        EXPECT(lab.kind == GRADE_PROGRAM && strcmp(lab.id, "capstone") == 0 && !lab.core);
        EXPECT(lab.gate_count > 0 && lab.gate_count <= GRADE_GATES_MAX && lab.case_size_count <= GRADE_CASE_SIZES_MAX);
        expect_inside(lab.file);
        for (unsigned i = 0; i < lab.gate_count; i++)
            EXPECT(lab.scenarios[i].name && lab.scenarios[i].name[0]);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct grade_lab lab;
    struct error e = {""};
    feed_as_program(data, size);
    arena_init(&arena, 1u << 20);
    if (lab_parse((const char *)data, size, "x/labs/3.1-name", &arena, &lab, &e) < 0) {
        EXPECT(e.text[0] != '\0' && strchr(e.text, '\n') == NULL);
    } else {
        EXPECT(strcmp(lab.id, "3.1") == 0 && lab.gate_count <= GRADE_GATES_MAX);
        if (lab.kind == GRADE_CODE) {
            expect_inside(lab.file);
            EXPECT(lab.gate_count > 0 && lab.reference_count > 0 && lab.case_size_count > 0);
        }
        for (unsigned i = 0; i < lab.gate_count; i++)
            EXPECT(lab.gates[i].limit > 0 && lab.gates[i].size_count > 0 && lab_gate_name(lab.gates[i].kind));
        for (unsigned i = 0; i < lab.reference_count; i++)
            expect_inside(lab.references[i]);
        for (unsigned i = 0; i < lab.mutant_count; i++)
            expect_inside(lab.mutants[i].file);
    }
    arena_release(&arena);
    return 0;
}
