#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void places_commas_and_names(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 1000);
    struct json j = {.out = &b};
    json_object_begin(&j, NULL);
    json_array_begin(&j, "empty");
    json_array_end(&j);
    json_array_begin(&j, "list");
    json_integer(&j, NULL, INT64_MIN);
    json_object_begin(&j, NULL);
    json_object_end(&j);
    json_object_begin(&j, NULL);
    json_boolean(&j, "yes", true);
    json_boolean(&j, "no", false);
    json_object_end(&j);
    json_array_end(&j);
    json_null(&j, "nothing");
    json_text(&j, "na\"me", "v");
    json_object_end(&j);
    assert_string_equal(buffer_text(&b), "{\"empty\":[],\"list\":[-9223372036854775808,{},{\"yes\":true,\"no\":false}],"
                                         "\"nothing\":null,\"na\\\"me\":\"v\"}");
}

static void escapes_what_json_must_and_replaces_what_is_not_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *json;
    } cases[] = {
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\0\x01\n\t\r\x7f", 6, "\"\\u0000\\u0001\\n\\t\\u000d\\u007f\""},
        {"caf\xc3\xa9", 5, "\"caf\xc3\xa9\""},
        {"a\xff\xfe", 3, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xb3\xbf", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* what surrogateescape would write */
        {"", 0, "\"\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buffer_release) struct buffer b;
        buffer_init(&b, 100);
        struct json j = {.out = &b};
        json_string(&j, NULL, cases[i].text, cases[i].size);
        assert_string_equal(buffer_text(&b), cases[i].json);
    }
}

static void numbers_are_short_and_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"}, {0.1, "0.1"}, {-2.5, "-2.5"}, {1e300, "1e+300"}, {NAN, "null"}, {INFINITY, "null"},
        {-INFINITY, "null"}, {100000, "100000"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buffer_release) struct buffer b;
        buffer_init(&b, 100);
        struct json j = {.out = &b};
        json_number(&j, NULL, cases[i].value);
        assert_string_equal(buffer_text(&b), cases[i].text);
    }
    uint64_t seed = 3;
    for (int i = 0; i < 10000; i++) {
        double value = random_exponential(&seed) * 1e-3;
        CLEANUP(buffer_release) struct buffer b;
        buffer_init(&b, 100);
        struct json j = {.out = &b};
        json_number(&j, NULL, value);
        assert_true(strtod(buffer_text(&b), NULL) == value);
    }
}

static void a_full_buffer_is_told_once_at_the_end(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 20);
    struct json j = {.out = &b};
    json_array_begin(&j, NULL);
    for (int i = 0; i < 100; i++)
        json_integer(&j, NULL, i);
    json_array_end(&j);
    assert_true(b.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_commas_and_names),
        cmocka_unit_test(escapes_what_json_must_and_replaces_what_is_not_utf8),
        cmocka_unit_test(numbers_are_short_and_read_back_the_same),
        cmocka_unit_test(a_full_buffer_is_told_once_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
