/* Other tools' files: what is taken from them, what is refused in one line, and what pyperf's file is made of. */
#include "history/history.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct history_batch import(const char *text)
{
    struct history_batch b;
    struct error e = {""};
    if (history_import(text, strlen(text), "file", &b, &e) < 0)
        fail_msg("%s", e.text);
    return b;
}

#define PYPERF(runs)                                                                                                   \
    "{\"version\":\"1.0\",\"metadata\":{\"python_implementation\":\"cpython\",\"python_version\":\"3.12.1 (64-bit)\"," \
    "\"cpu_model_name\":\"a cpu\",\"cpu_count\":4,\"commit_id\":\"abc\"},\"benchmarks\":[{\"metadata\":{\"name\":"     \
    "\"sum\"},\"runs\":[" runs "]}]}"

/* Runs of means 11, 12 and 13: mean 12, s 1, and t(0.975, 2) is 4.30265 (tables), so 12 +- 4.30265 / sqrt(3). */
static void a_run_of_pyperf_counts_as_one(void **state)
{
    (void)state;
    struct history_batch b = import(
        PYPERF("{\"metadata\":{\"date\":\"2024-02-29 12:00:01.5\"},\"values\":[10.5,11.5]},{\"values\":[12,12,12,12]},"
               "{\"values\":[13]},{\"warmups\":[[1,2.0]]}"));
    assert_int_equal(b.count, 1);
    const struct history_result *x = &b.results[0];
    assert_string_equal(x->subject, "sum");
    assert_string_equal(x->kind, "pyperf");
    assert_string_equal(x->metric, "wall");
    assert_string_equal(x->unit, "s");
    assert_string_equal(x->python, "CPython 3.12.1");
    assert_string_equal(x->revision, "abc");
    assert_string_equal(x->machine->cpu, "a cpu");
    assert_int_equal(x->machine->cores, 4);
    assert_int_equal(x->runs, 3);
    assert_int_equal(x->sample_count, 3);
    assert_true(x->time_ns == UINT64_C(1709208001500000000));
    assert_true(fabs(x->value - 12) < 1e-12);
    assert_true(fabs(x->low - (12 - 4.30265 / sqrt(3))) < 1e-4 && fabs(x->high - (12 + 4.30265 / sqrt(3))) < 1e-4);
    history_batch_release(&b);
}

static void one_run_has_no_interval(void **state)
{
    (void)state;
    struct history_batch b = import(PYPERF("{\"values\":[1,2]}"));
    assert_true(isnan(b.results[0].low) && isnan(b.results[0].high) && b.results[0].value == 1.5);
    history_batch_release(&b);
}

static void pytest_benchmark_gives_its_median_and_no_interval(void **state)
{
    (void)state;
    struct history_batch b = import(
        "{\"machine_info\":{\"node\":\"my-host\",\"machine\":\"x86_64\",\"system\":\"Linux\",\"release\":\"6.1\","
        "\"python_implementation\":\"CPython\",\"python_version\":\"3.11.7\",\"cpu\":{\"brand_raw\":\"a cpu\","
        "\"count\":2}},\"commit_info\":{\"id\":\"feed\",\"dirty\":true},\"datetime\":"
        "\"2024-02-29T14:00:01.500000+02:00\",\"benchmarks\":[{\"name\":\"t\",\"fullname\":\"f.py::t\",\"stats\":"
        "{\"min\":1,\"mean\":9,\"median\":2.5,\"rounds\":3}}]}");
    const struct history_result *x = &b.results[0];
    assert_int_equal(b.count, 1);
    assert_string_equal(x->subject, "f.py::t");
    assert_string_equal(x->kind, "pytest-benchmark");
    assert_string_equal(x->python, "CPython 3.11.7");
    assert_string_equal(x->revision, "feed");
    assert_string_equal(x->machine->kernel, "Linux 6.1");
    assert_null(strstr(x->machine->id, "my-host"));
    assert_true(x->dirty && x->value == 2.5 && isnan(x->low) && isnan(x->high));
    assert_true(x->time_ns == UINT64_C(1709208001500000000));
    history_batch_release(&b);
}

static void refuses_in_one_line_what_it_cannot_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "no JSON"},
        {"{", "no JSON"},
        {"[]", "neither pyperf's nor pytest-benchmark's"},
        {"{\"benchmarks\":{}}", "neither pyperf's nor pytest-benchmark's"},
        {"{\"benchmarks\":[]}", "holds no result"},
        {"{\"benchmarks\":[1]}", "a benchmark without values"},
        {PYPERF("{\"values\":[\"x\"]}"), "a value that is no number"},
        {PYPERF("{\"values\":[-1]}"), "a value that is no number"},
        {PYPERF("{\"metadata\":{\"unit\":\"furlong\"},\"values\":[1]}"), "a unit that is unknown"},
        {"{\"benchmarks\":[{\"runs\":[{\"values\":[1]}]}]}", "a benchmark without a name"},
        {"{\"machine_info\":{},\"benchmarks\":[{\"name\":\"x\"}]}", "a benchmark without a median"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct history_batch b;
        struct error e = {""};
        assert_true(history_import(cases[i][0], strlen(cases[i][0]), "file", &b, &e) < 0);
        if (strstr(e.text, cases[i][1]) == NULL || strstr(e.text, "file") == NULL || strchr(e.text, '\n') != NULL)
            fail_msg("'%s' instead of '%s'", e.text, cases[i][1]);
    }
}

static void refuses_more_than_can_be_taken_in(void **state)
{
    CLEANUP(buffer_release) struct buffer text;
    struct history_batch b;
    struct error e = {""};
    (void)state;
    buffer_init(&text, HISTORY_INPUT_MAX);
    buffer_append_string(&text, "{\"benchmarks\":[");
    for (int i = 0; i <= HISTORY_BATCH_MAX; i++)
        buffer_printf(&text, "%s{\"metadata\":{\"name\":\"x\"},\"runs\":[{\"values\":[1]}]}", i > 0 ? "," : "");
    buffer_append_string(&text, "]}");
    assert_true(history_import((const char *)text.data, text.size, "file", &b, &e) < 0);
    assert_non_null(strstr(e.text, "more results than"));
}

static void names_of_what_is_exported_are_told_apart(void **state)
{
    CLEANUP(buffer_release) struct buffer out;
    static const struct history_machine m = {.id = "0123456789abcdef", .cpu = "a cpu", .cores = 2};
    static const double samples[] = {1.5, 2.5};
    struct history_result x[5];
    size_t left = 0;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(x); i++)
        x[i] = (struct history_result){.kind = "bench",
            .subject = "app",
            .metric = "wall",
            .unit = "s",
            .value = 2,
            .low = NAN,
            .high = NAN,
            .runs = 2,
            .verdict = "",
            .machine = &m,
            .python = "CPython 3.13.0",
            .revision = "",
            .samples = samples,
            .sample_count = 2};
    x[1].metric = "cpu";
    x[2].python = "CPython 3.8.18";
    x[3].subject = "other";
    x[4].unit = "ratio";
    buffer_init(&out, 1u << 20);
    assert_int_equal(history_export_pyperf(&out, x, ARRAY_SIZE(x), &left), 0);
    assert_int_equal(left, 1);
    struct history_batch b = import(buffer_text(&out));
    assert_int_equal(b.count, 4);
    assert_string_equal(b.results[0].subject, "app wall CPython 3.13.0");
    assert_string_equal(b.results[1].subject, "app cpu CPython 3.13.0");
    assert_string_equal(b.results[2].subject, "app wall CPython 3.8.18");
    assert_string_equal(b.results[3].subject, "other");
    assert_string_equal(b.results[3].python, "CPython 3.13.0");
    assert_true(b.results[0].value == 2 && b.results[0].runs == 2);
    history_batch_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_of_pyperf_counts_as_one),
        cmocka_unit_test(one_run_has_no_interval),
        cmocka_unit_test(pytest_benchmark_gives_its_median_and_no_interval),
        cmocka_unit_test(refuses_in_one_line_what_it_cannot_read),
        cmocka_unit_test(refuses_more_than_can_be_taken_in),
        cmocka_unit_test(names_of_what_is_exported_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
