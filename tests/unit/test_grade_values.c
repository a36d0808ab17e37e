/* Canonical values: which bytes are one, how one is shown (as Python's repr has it), and what differs. */
#include "grade/values.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IS_VALUE(bytes) (values_check(bytes, sizeof(bytes) - 1) == 0)
#define LONG_COLUMNS 200

static const char *shown(const void *data, size_t size, size_t columns)
{
    static char text[1024];
    struct buffer b;
    buffer_init(&b, sizeof(text) - 1);
    values_show(data, size, columns, &b);
    strncpy(text, buffer_text(&b), sizeof(text) - 1);
    buffer_release(&b);
    return text;
}
#define SHOWN(bytes) shown(bytes, sizeof(bytes) - 1, LONG_COLUMNS)

#define INT_7 "I\1\0\0\0\7"
#define INT_8 "I\1\0\0\0\x08"
#define ONE_HALF "D\x3f\xe0\0\0\0\0\0\0"
#define MAP_7_TRUE "M\1\0\0\0" INT_7 "T"

static void takes_values_in_their_one_form(void **state)
{
    (void)state;
    assert_true(IS_VALUE("N"));
    assert_true(IS_VALUE("I\1\0\0\0\0"));
    assert_true(IS_VALUE("I\2\0\0\0\0\x80"));
    assert_true(IS_VALUE("I\1\0\0\0\x80"));
    assert_true(IS_VALUE("L\0\0\0\0"));
    assert_true(IS_VALUE("L\2\0\0\0" INT_7 "N"));
    assert_true(IS_VALUE("i\1\0\0\0\7\0\0\0\0\0\0\0"));
    assert_true(IS_VALUE("E\2\0\0\0" INT_7 INT_8));
    assert_true(IS_VALUE("D\x7f\xf8\0\0\0\0\0\0"));
}

static void refuses_what_has_a_second_form(void **state)
{
    (void)state;
    assert_false(IS_VALUE("I\0\0\0\0"));                     /* no bytes */
    assert_false(IS_VALUE("I\2\0\0\0\0\x7f"));               /* a byte too many */
    assert_false(IS_VALUE("I\2\0\0\0\xff\x80"));             /* the same of a negative one */
    assert_false(IS_VALUE("L\1\0\0\0" INT_7));               /* could be packed */
    assert_false(IS_VALUE("U\1\0\0\0" ONE_HALF));            /* could be packed */
    assert_false(IS_VALUE("i\0\0\0\0"));                     /* packed, and empty */
    assert_false(IS_VALUE("E\2\0\0\0" INT_8 INT_7));         /* not ascending */
    assert_false(IS_VALUE("Z\2\0\0\0" INT_7 INT_7));         /* twice */
    assert_false(IS_VALUE("M\2\0\0\0" INT_7 "N" INT_7 "T")); /* a key twice */
    assert_false(IS_VALUE("D\x7f\xf8\0\0\0\0\0\1"));         /* another NaN */
    assert_false(IS_VALUE("d\1\0\0\0\0\0\0\0\0\0\xf8\x7f")); /* a packed NaN */
}

static void refuses_what_is_cut_or_goes_on(void **state)
{
    (void)state;
    static const char whole[] = "L\3\0\0\0" MAP_7_TRUE "S\2\0\0\0hi" ONE_HALF;
    assert_true(IS_VALUE(whole));
    for (size_t i = 0; i < sizeof(whole) - 1; i++)
        assert_int_equal(values_check(whole, i), -EBADMSG);
    assert_int_equal(values_check(whole, sizeof(whole)), -EBADMSG); /* its NUL too */
    assert_false(IS_VALUE("S\xff\xff\xff\xff"));
    assert_false(IS_VALUE("L\xff\xff\xff\xff"));
    assert_false(IS_VALUE("?"));
}

static void refuses_what_is_nested_too_deep(void **state)
{
    (void)state;
    struct buffer b;
    for (unsigned depth = VALUES_DEPTH_MAX; depth <= VALUES_DEPTH_MAX + 1; depth++) {
        buffer_init(&b, 1024);
        for (unsigned i = 0; i < depth; i++)
            buffer_append(&b, "L\1\0\0\0", 5);
        buffer_append(&b, "N", 1);
        assert_int_equal(values_check(b.data, b.size), depth == VALUES_DEPTH_MAX ? 0 : -EBADMSG);
        buffer_release(&b);
    }
}

static void shows_what_python_would(void **state)
{
    (void)state;
    assert_string_equal(SHOWN("I\1\0\0\0\0"), "0");
    assert_string_equal(SHOWN("I\1\0\0\0\x80"), "-128");
    assert_string_equal(SHOWN("I\2\0\0\0\xff\x7f"), "-129");
    /* 10**30 and its negative, by int.to_bytes */
    assert_string_equal(
        SHOWN("I\15\0\0\0\x0c\x9f\x2c\x9c\xd0\x46\x74\xed\xea\x40\0\0\0"), "1000000000000000000000000000000");
    assert_string_equal(
        SHOWN("I\15\0\0\0\xf3\x60\xd3\x63\x2f\xb9\x8b\x12\x15\xc0\0\0\0"), "-1000000000000000000000000000000");
    assert_string_equal(SHOWN(ONE_HALF), "0.5");
    assert_string_equal(SHOWN("D\x3f\xb9\x99\x99\x99\x99\x99\x9a"), "0.1");
    assert_string_equal(SHOWN("D\x3f\xd3\x33\x33\x33\x33\x33\x34"), "0.30000000000000004");
    assert_string_equal(SHOWN("D\x40\x10\0\0\0\0\0\0"), "4.0");
    assert_string_equal(SHOWN("D\xff\xf0\0\0\0\0\0\0"), "-inf");
    assert_string_equal(SHOWN("S\5\0\0\0a'\n\\b"), "'a\\'\\n\\\\b'");
    assert_string_equal(SHOWN("B\3\0\0\0a\xff\0"), "b'a\\xff\\x00'");
    assert_string_equal(SHOWN("U\1\0\0\0N"), "(None,)");
    assert_string_equal(SHOWN("j\1\0\0\0\7\0\0\0\0\0\0\0"), "(7,)");
    assert_string_equal(SHOWN("i\2\0\0\0\7\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"), "[7, -1]");
    assert_string_equal(SHOWN("M\1\0\0\0" INT_7 "L\0\0\0\0"), "{7: []}");
    assert_string_equal(SHOWN("E\0\0\0\0"), "set()");
    assert_string_equal(SHOWN("E\1\0\0\0T"), "{True}");
    assert_string_equal(SHOWN("Z\1\0\0\0F"), "frozenset({False})");
}

static void shows_nothing_that_a_terminal_obeys(void **state)
{
    (void)state;
    const char *text = SHOWN("S\7\0\0\0\x1b[2J\xff\xe2\x80");
    for (; *text; text++)
        assert_true((unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f);
    assert_null(strstr(SHOWN("S\3\0\0\0\xe2\x80\xae"), "\xe2\x80\xae")); /* right to left from here on */
}

static void cuts_a_long_value_to_its_columns(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, (size_t)1 << 20);
    buffer_append(&b, "i\0\1\1\0", 5); /* 65792 of them */
    for (size_t i = 0; i < 65792; i++)
        buffer_append_le64(&b, i);
    assert_int_equal(values_check(b.data, b.size), 0);
    const char *text = shown(b.data, b.size, 40);
    assert_true(text_width(text, strlen(text)) <= 40);
    assert_memory_equal(text, "[0, 1, 2", 8);
    buffer_release(&b);
}

#define DIFFER(a, b, tolerance, d) values_differ(a, sizeof(a) - 1, b, sizeof(b) - 1, tolerance, d)

static void tells_types_apart(void **state)
{
    (void)state;
    struct values_difference d;
    assert_true(DIFFER("I\1\0\0\0\1", "T", 0, &d));
    assert_true(DIFFER("I\1\0\0\0\1", "D\x3f\xf0\0\0\0\0\0\0", 0.1, &d));
    assert_true(DIFFER("L\0\0\0\0", "U\0\0\0\0", 0, &d));
    assert_true(DIFFER("S\1\0\0\0a", "B\1\0\0\0a", 0, &d));
    assert_false(DIFFER("D\x7f\xf8\0\0\0\0\0\0", "D\x7f\xf8\0\0\0\0\0\0", 0, &d));
    assert_string_equal(d.path, "");
}

static void names_the_first_place_that_differs(void **state)
{
    (void)state;
    struct values_difference d;
    static const char a[] = "L\2\0\0\0N" MAP_7_TRUE, b[] = "L\2\0\0\0NM\1\0\0\0" INT_7 "F";
    assert_true(DIFFER(a, b, 0, &d));
    assert_string_equal(d.path, "[1][7]");
    assert_string_equal(d.a, "True");
    assert_string_equal(d.b, "False");
    static const char c[] = "L\2\0\0\0i\2\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0N";
    static const char e[] = "L\2\0\0\0i\2\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0N";
    assert_true(DIFFER(c, e, 0, &d));
    assert_string_equal(d.path, "[0][1]");
    assert_string_equal(d.a, "2");
    assert_string_equal(d.b, "3");
}

static void shows_the_whole_where_lengths_or_keys_differ(void **state)
{
    (void)state;
    struct values_difference d;
    assert_true(DIFFER("L\1\0\0\0N", "L\2\0\0\0NN", 0, &d));
    assert_string_equal(d.path, "");
    assert_string_equal(d.a, "[None]");
    assert_string_equal(d.b, "[None, None]");
    assert_true(DIFFER(MAP_7_TRUE, "M\1\0\0\0" INT_8 "T", 0, &d));
    assert_string_equal(d.b, "{8: True}");
}

static void forgives_floats_within_the_tolerance_only(void **state)
{
    (void)state;
    struct values_difference d;
    static const char a[] = "d\2\0\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\x3f";   /* 1.0, 1.0 */
    static const char b[] = "d\2\0\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\x01\0\xf0\x3f"; /* 1.0, 1.00000095 (1 + 2**-20) */
    assert_true(DIFFER(a, b, 0, &d));
    assert_string_equal(d.path, "[1]");
    assert_true(DIFFER(a, b, 1e-7, &d));
    assert_false(DIFFER(a, b, 1e-6, &d));
    assert_true(DIFFER("D\x7f\xf0\0\0\0\0\0\0", "D\xff\xf0\0\0\0\0\0\0", 0.01, &d)); /* inf, -inf */
    assert_true(DIFFER("D\x7f\xf8\0\0\0\0\0\0", ONE_HALF, 0.01, &d));                /* NaN is no wildcard */
    assert_true(DIFFER("D\x7f\xf8\0\0\0\0\0\0", "D\x7f\xf0\0\0\0\0\0\0", 0.01, &d));
    assert_true(DIFFER("E\1\0\0\0" ONE_HALF, "E\1\0\0\0D\x3f\xe0\0\0\0\0\0\1", 0.01, &d)); /* in a set: exactly */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_values_in_their_one_form),
        cmocka_unit_test(refuses_what_has_a_second_form),
        cmocka_unit_test(refuses_what_is_cut_or_goes_on),
        cmocka_unit_test(refuses_what_is_nested_too_deep),
        cmocka_unit_test(shows_what_python_would),
        cmocka_unit_test(shows_nothing_that_a_terminal_obeys),
        cmocka_unit_test(cuts_a_long_value_to_its_columns),
        cmocka_unit_test(tells_types_apart),
        cmocka_unit_test(names_the_first_place_that_differs),
        cmocka_unit_test(shows_the_whole_where_lengths_or_keys_differ),
        cmocka_unit_test(forgives_floats_within_the_tolerance_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
