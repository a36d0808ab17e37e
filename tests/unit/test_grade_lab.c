/* Manifests: what is taken from one, and that anything else is refused in one line. And the labs that are built in. */
#include "grade/grade.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "grade/inside.h"

#define FOLDER "03-algorithm-optimization/labs/3.1-interval-overlaps"

/* The manifest of the contract, in which one text may be put in the place of another. */
static const char whole[] =
    "{\"id\": \"3.1\", \"title\": \"Interval overlaps\", \"core\": true, \"slow\": false, \"minutes\": 12, \"kind\": "
    "\"code\", \"file\": \"overlaps.py\", \"function\": \"count_overlaps\", \"oracle\": \"reference\", \"python\": "
    "\"3.11\", \"python_why\": \"TaskGroup\", \"allow\": [\"threads\", \"shared\"], \"tolerance\": 1e-9, \"cases\": "
    "{\"count\": 24, \"sizes\": [0, 1, 2, 5, 12, 40]}, \"service\": {\"delay_ms\": 20, \"at_once\": 64}, \"gates\": "
    "[{\"kind\": \"speed\", \"limit\": 3.0, \"sizes\": [1500], \"hint\": \"sort first\"}, {\"kind\": \"growth\", "
    "\"limit\": 1.3, \"sizes\": [500, 1000, 2000, 4000, 8000], \"hint\": \"sweep\"}], \"references\": "
    "[\"references/sweep.py\", \"references/events.py\"], \"mutants\": [{\"file\": \"mutants/hard_coded.py\", "
    "\"expected\": \"wrong\"}, {\"file\": \"mutants/long.py\", \"expected\": \"unreadable\"}], \"hot\": "
    "[\"count_overlaps\"], \"hints\": [\"where\", \"which\", \"how\"]}";

static int parse(const char *from, const char *to, struct arena *arena, struct grade_lab *ret, struct error *e)
{
    char text[4096];
    const char *at = strstr(whole, from);
    assert_non_null(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    return lab_parse(text, strlen(text), FOLDER, arena, ret, e);
}

static void takes_every_field(void **state)
{
    (void)state;
    struct arena arena;
    struct grade_lab lab;
    struct error e = {""};
    arena_init(&arena, 1u << 20);
    assert_int_equal(parse("{\"id", "{\"id", &arena, &lab, &e), 0);
    assert_string_equal(lab.id, "3.1");
    assert_string_equal(lab.name, "interval-overlaps");
    assert_string_equal(lab.folder, FOLDER);
    assert_int_equal(lab.module, 3);
    assert_int_equal(lab.minutes, 12);
    assert_true(lab.core && !lab.slow);
    assert_int_equal(lab.kind, GRADE_CODE);
    assert_int_equal(lab.oracle, GRADE_BY_REFERENCE);
    assert_string_equal(lab.file, "overlaps.py");
    assert_string_equal(lab.function, "count_overlaps");
    assert_int_equal(lab.python_minor, 11);
    assert_int_equal(lab.allow, SANDBOX_THREADS | SANDBOX_SHARED);
    assert_true(lab.tolerance == 1e-9);
    assert_int_equal(lab.case_count, 24);
    assert_int_equal(lab.case_size_count, 6);
    assert_int_equal(lab.case_sizes[5], 40);
    assert_int_equal(lab.service_delay_ns, 20000000);
    assert_int_equal(lab.service_at_once, 64);
    assert_int_equal(lab.gate_count, 2);
    assert_int_equal(lab.gates[1].kind, GRADE_GROWTH);
    assert_true(lab.gates[1].limit == 1.3);
    assert_int_equal(lab.gates[1].size_count, 5);
    assert_string_equal(lab.gates[0].hint, "sort first");
    assert_int_equal(lab.reference_count, 2);
    assert_string_equal(lab.references[1], "references/events.py");
    assert_int_equal(lab.mutant_count, 2);
    assert_int_equal(lab.mutants[0].expected, GRADE_WRONG);
    assert_int_equal(lab.mutants[1].expected, GRADE_UNREADABLE);
    assert_string_equal(lab.hot[0], "count_overlaps");
    assert_int_equal(lab.hint_count, 3);
    arena_release(&arena);
}

static const struct {
    const char *from, *to, *said; /* said: in the error */
} refused[] = {
    {"{\"id\"", "[\"id\"", "JSON"},
    {"\"id\": \"3.1\"", "\"id\": \"3.2\"", "'id'"},
    {"\"id\": \"3.1\"", "\"id\": \"3.1\", \"id\": \"3.1\"", "JSON"},
    {"\"title\"", "\"titel\"", "'titel'"},
    {"Interval overlaps", "Interval\\u001b[2J", "'title'"},
    {"\"core\": true", "\"core\": 1", "'core'"},
    {"\"minutes\": 12", "\"minutes\": 12.5", "'minutes'"},
    {"\"minutes\": 12", "\"minutes\": -1", "'minutes'"},
    {"\"minutes\": 12", "\"minutes\": 99999999999999999999", "JSON"},
    {"\"kind\": \"code\"", "\"kind\": \"essay\"", "'kind'"},
    {"overlaps.py", "../overlaps.py", "'file'"},
    {"overlaps.py", "child.py", "'file'"},
    {"overlaps.py", "pitviper_lab.py", "'file'"},
    {"overlaps.py", "over-laps.py", "'file'"},
    {"\"count_overlaps\", \"oracle\"", "\"os.system\", \"oracle\"", "'function'"},
    {"\"oracle\": \"reference\"", "\"oracle\": \"learner\"", "'oracle'"},
    {"\"3.11\"", "\"3.9\"", "'python'"},
    {"\"TaskGroup\"", "\"\"", "'python_why'"},
    {"\"threads\", \"shared\"", "\"network\"", "'allow'"},
    {"\"threads\", \"shared\"", "3", "'allow'"},
    {"1e-9", "0.5", "'tolerance'"},
    {"\"count\": 24", "\"count\": 0", "'count'"},
    {"[0, 1, 2, 5, 12, 40]", "[]", "'sizes'"},
    {"[0, 1, 2, 5, 12, 40]", "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "'sizes'"},
    {"[0, 1, 2, 5, 12, 40]", "[-1]", "'sizes'"},
    {"\"at_once\": 64", "\"at_once\": 1000000", "'at_once'"},
    {"\"delay_ms\": 20", "\"delay\": 20", "'delay'"},
    {"\"limit\": 3.0", "\"limit\": 30", "'limit'"},
    {"\"limit\": 3.0", "\"limit\": \"3\"", "'limit'"},
    {"\"kind\": \"speed\"", "\"kind\": \"swift\"", "'kind'"},
    {"4000, 8000", "4000", "'sizes'"},
    {"4000, 8000", "8000, 4000", "'sizes'"},
    {"\"sort first\"", "\"\"", "'hint'"},
    {"references/sweep.py", "/etc/passwd", "'references'"},
    {"references/sweep.py", "references/../../x.py", "'references'"},
    {"[\"references/sweep.py\", \"references/events.py\"]", "[]", "'references'"},
    {"\"expected\": \"wrong\"", "\"expected\": \"passed\"", "'expected'"},
    {"mutants/long.py", "mutants//long.py", "'file'"},
};

static void refuses_anything_else_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct arena arena;
        struct grade_lab lab = {.id = "untouched"};
        struct error e = {""};
        arena_init(&arena, 1u << 20);
        int r = parse(refused[i].from, refused[i].to, &arena, &lab, &e);
        if (r != -EBADMSG || !strstr(e.text, refused[i].said) || strchr(e.text, '\n'))
            fail_msg("%s for %s: %d, '%s'", refused[i].to, refused[i].from, r, e.text);
        assert_string_equal(lab.id, "untouched");
        arena_release(&arena);
    }
}

static void refuses_one_that_is_too_large(void **state)
{
    (void)state;
    struct arena arena;
    struct grade_lab lab;
    char *text = calloc(1, LAB_MANIFEST_MAX + 2);
    assert_non_null(text);
    memset(text, ' ', LAB_MANIFEST_MAX + 1);
    arena_init(&arena, 1u << 20);
    assert_int_equal(lab_parse(text, LAB_MANIFEST_MAX + 1, FOLDER, &arena, &lab, NULL), -EBADMSG);
    arena_release(&arena);
    free(text);
}

static void stand_in_has_the_figures_of_the_lab(void **state)
{
    (void)state;
    struct buffer b;
    struct grade_lab none = {.gate_count = 0}, waits = {.service_delay_ns = 20000000, .service_at_once = 64};
    buffer_init(&b, 1u << 16);
    assert_false(grade_lab_stand_in(&none, &b));
    assert_int_equal(b.size, 0);
    assert_true(grade_lab_stand_in(&waits, &b));
    assert_non_null(strstr(buffer_text(&b), "DELAY = 0.020 "));
    assert_non_null(strstr(buffer_text(&b), "AT_ONCE = 64 "));
    assert_null(strstr(buffer_text(&b), "@AT_ONCE@"));
    buffer_release(&b);
}

static void built_in_labs_are_whole(void **state)
{
    (void)state;
    const struct grade_lab *labs;
    size_t count;
    struct error e = {""};
    if (grade_labs(&labs, &count, &e) < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || strcmp(labs[i - 1].id, labs[i].id) < 0);
        assert_non_null(grade_lab_file(&labs[i], "lab.json"));
        assert_ptr_equal(grade_lab_find(labs[i].id), &labs[i]);
        assert_ptr_equal(grade_lab_find(labs[i].name), &labs[i]);
        assert_ptr_equal(grade_lab_find(labs[i].folder), &labs[i]);
    }
    assert_null(grade_lab_find("3.1-"));
}

static void built_in_files_are_found_by_their_paths(void **state)
{
    (void)state;
    for (const struct grade_file *f = grade_files; f->path; f++) {
        assert_ptr_equal(grade_file_find(f->path), f);
        assert_int_equal(f->data[f->size], '\0');
        assert_true(f == grade_files || strcmp(f[-1].path, f->path) < 0);
    }
    assert_null(grade_file_find("no/such/file"));
}

static void there_are_nine_modules(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= GRADE_MODULES; i++) {
        const struct grade_module *m = grade_module(i);
        assert_non_null(m);
        assert_int_equal(m->number, i);
        assert_int_equal(m->folder[1] - '0', i);
        assert_true(m->reading_minutes > 0 && m->title[0]);
    }
    assert_null(grade_module(0));
    assert_null(grade_module(GRADE_MODULES + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_field),
        cmocka_unit_test(refuses_anything_else_in_one_line),
        cmocka_unit_test(refuses_one_that_is_too_large),
        cmocka_unit_test(stand_in_has_the_figures_of_the_lab),
        cmocka_unit_test(built_in_labs_are_whole),
        cmocka_unit_test(built_in_files_are_found_by_their_paths),
        cmocka_unit_test(there_are_nine_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
