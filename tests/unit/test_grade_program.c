/* The capstone: when it is passed, what a learner's package may be, and what its manifest is. */
#include "grade/check.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "grade/inside.h"

/* ---- the rule ---- */

enum { P = GRADE_PASSED, M = GRADE_SLOW, O = GRADE_UNRESOLVED, F = GRADE_FAULT };

/* Eight scenarios and two gates of the day, as they ended. */
static struct grade_result score(const int gates[10], bool findings, unsigned come_to)
{
    static struct grade_lab lab = {.kind = GRADE_PROGRAM, .gate_count = 10};
    struct grade_result r = {.outcome = GRADE_PASSED, .gate_count = come_to};
    struct check *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    *c = (struct check){.lab = &lab, .r = &r};
    c->findings = (struct findings){.repair = {8, findings ? 7 : 3},
        .found = findings ? 7 : 3,
        .found_wanted = 6,
        .plants = 8,
        .precision_wanted = 0.75,
        .scenarios_wanted = 6,
        .pass = findings};
    for (unsigned i = 0; i < 10; i++) {
        lab.gates[i] = (struct grade_gate){.kind = GRADE_SPEED, .limit = 2};
        lab.scenarios[i].name = i < 8 ? "places" : GRADE_DAY;
        r.gates[i] = (struct grade_gate_result){&lab.gates[i], (enum grade_outcome)gates[i], {1, 1, 1}, 12, 0};
    }
    check_score_program(c);
    free(c);
    return r;
}

static void six_scenarios_and_the_day_pass(void **state)
{
    (void)state;
    static const struct {
        int gates[10];
        bool findings;
        unsigned come_to;
        enum grade_outcome outcome;
    } cases[] = {
        {{P, P, P, P, P, P, P, P, P, P}, true, 10, GRADE_PASSED},
        {{P, P, P, P, P, P, M, M, P, P}, true, 10, GRADE_PASSED},
        {{P, P, P, P, P, P, O, F, P, P}, true, 10, GRADE_PASSED},
        {{P, P, P, P, P, M, M, M, P, P}, true, 10, GRADE_SLOW},
        {{P, P, P, P, P, M, M, O, P, P}, true, 10, GRADE_UNRESOLVED}, /* the open one may be the sixth */
        {{P, P, P, P, P, O, F, O, P, P}, true, 10, GRADE_UNRESOLVED},
        {{P, P, P, P, P, P, P, P, M, P}, true, 10, GRADE_SLOW},
        {{P, P, P, P, P, P, P, P, P, M}, true, 10, GRADE_SLOW},
        {{P, P, P, P, P, P, P, P, O, P}, true, 10, GRADE_UNRESOLVED},
        {{P, P, P, P, P, P, P, P, P, P}, true, 9, GRADE_UNRESOLVED}, /* one that was not come to is open */
        {{P, P, P, P, P, P, P, P, P, P}, false, 10, GRADE_WRONG},
        {{O, O, O, O, O, O, O, O, O, O}, false, 10, GRADE_WRONG},
        {{M, M, M, M, M, M, M, M, M, M}, false, 10, GRADE_SLOW},
        {{F, F, F, F, F, F, F, F, F, F}, true, 10, GRADE_UNRESOLVED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct grade_result r = score(cases[i].gates, cases[i].findings, cases[i].come_to);
        if (r.outcome != cases[i].outcome)
            fail_msg("case %zu: %s", i, grade_outcome_text(r.outcome));
        assert_int_equal(r.program.scenarios, 8);
        assert_int_equal(r.program.day, 2);
    }
}

static void points_are_of_findings_scenarios_and_day(void **state)
{
    (void)state;
    static const int passed[10] = {P, P, P, P, P, P, P, P, P, P}, missed[10] = {M, M, M, M, M, M, M, M, M, M};
    assert_int_equal(score(passed, true, 10).points, 91); /* 7/8 of 24, 50, 20; no decoy */
    assert_int_equal(
        score(missed, false, 10).points, 5); /* 3/8 of 24, halved by its precision; a ratio of 1 of 2 earns 0 */
}

/* ---- packages ---- */

static char folder[64];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/pitviper-package-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sandbox_wipe(folder, NULL);
    return rmdir(folder);
}

static void put(const char *name, size_t size)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc('#', file);
    fclose(file);
}

static void expect_refused(const char *said)
{
    struct package p;
    struct error e = {""};
    int r = package_read(folder, &p, &e);
    if (r >= 0 || !strstr(e.text, said) || strchr(e.text, '\n'))
        fail_msg("%d: %s", r, e.text);
}

static void takes_plain_files_by_name(void **state)
{
    (void)state;
    struct package p;
    struct error e = {""};
    put("flow.py", 3);
    put("__init__.py", 0);
    put("notes.txt", 5);
    put(".hidden.py", 5);
    char path[256];
    snprintf(path, sizeof(path), "%s/__pycache__", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    if (package_read(folder, &p, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(p.count, 2);
    assert_string_equal(p.files[0].name, "parcelflow/__init__.py");
    assert_string_equal(p.files[1].name, "parcelflow/flow.py");
    assert_int_equal(p.files[1].size, 3);
    assert_string_equal(p.files[1].text, "###");
    package_release(&p);
}

static void refuses_links_folders_and_odd_names(void **state)
{
    (void)state;
    char path[256];
    expect_refused("no Python");
    put("flow.py", 3);
    snprintf(path, sizeof(path), "%s/secret.py", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    expect_refused("secret.py in your parcelflow is a link");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused("no plain file");
    unlink(path);
    snprintf(path, sizeof(path), "%s/more", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused("is a folder");
    rmdir(path);
    put("over-long.py", 1);
    expect_refused("cannot be imported");
}

static void refuses_too_much(void **state)
{
    (void)state;
    put("flow.py", PACKAGE_FILE_MAX + 1);
    expect_refused("larger than 256 KiB");
    put("flow.py", 1);
    for (unsigned i = 0; i < PACKAGE_FILES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "m%u.py", i);
        put(name, 1);
    }
    expect_refused("more than");
    struct package p;
    struct error e = {""};
    assert_int_equal(package_read("/no/such/folder", &p, &e), -ENOENT);
}

static void a_digest_tells_packages_apart(void **state)
{
    (void)state;
    const struct source_file one[] = {{"a.py", "xy", 2}, {"b.py", "z", 1}},
                             other[] = {{"a.py", "x", 1}, {"b.py", "yz", 2}};
    uint8_t a[32], b[32], plain[32];
    source_digest(&(struct source){one, 2}, a);
    source_digest(&(struct source){other, 2}, b);
    assert_memory_not_equal(a, b, sizeof(a));
    source_digest(&(struct source){one, 1}, a); /* of one file it is that of its text, as receipts always had it */
    sha256("xy", 2, plain);
    assert_memory_equal(a, plain, sizeof(a));
}

/* ---- the manifest ---- */

static void the_capstone_is_built_in(void **state)
{
    (void)state;
    const struct grade_lab *lab = grade_lab_find("capstone");
    unsigned day = 0;
    assert_non_null(lab);
    assert_int_equal(lab->kind, GRADE_PROGRAM);
    assert_int_equal(lab->module, 9);
    assert_false(lab->core);
    for (unsigned i = 0; i < lab->gate_count; i++)
        day += strcmp(lab->scenarios[i].name, GRADE_DAY) == 0;
    assert_int_equal(lab->gate_count, 10);
    assert_int_equal(day, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_scenarios_and_the_day_pass),
        cmocka_unit_test(points_are_of_findings_scenarios_and_day),
        cmocka_unit_test_setup_teardown(takes_plain_files_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_links_folders_and_odd_names, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_too_much, setup, teardown),
        cmocka_unit_test(a_digest_tells_packages_apart),
        cmocka_unit_test(the_capstone_is_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
