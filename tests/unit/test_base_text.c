#include "base/base.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void replaces_what_could_fool_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"plain \xc3\xa9 \xe4\xb8\xad \xf0\x9f\x90\x8d", "plain \xc3\xa9 \xe4\xb8\xad \xf0\x9f\x90\x8d"},
        {"a\x1b[31mb", "a?[31mb"},
        {"a\nb\tc\x7f", "a?b?c?"},
        {"csi \xc2\x9b"
         "2J",
            "csi ?2J"}, /* U+009B, the one-character CSI */
        {"x\xe2\x80\xae"
         "y",
            "x?y"}, /* U+202E right-to-left override */
        {"x\xe2\x81\xa6"
         "y",
            "x?y"}, /* U+2066 isolate */
        {"\xff\xfe", "??"},
        {"\xc0\xaf", "??"},           /* overlong '/' */
        {"\xed\xa0\x80", "???"},      /* a surrogate half */
        {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
        {"cut \xe4\xb8", "cut ??"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buffer_release) struct buffer b;
        buffer_init(&b, 100);
        assert_int_equal(text_append_safe(&b, cases[i].text, strlen(cases[i].text)), 0);
        assert_string_equal(buffer_text(&b), cases[i].shown);
    }
}

static void counts_the_columns_that_a_terminal_uses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        {"", 0}, {"abc", 3}, {"\xc3\xa9", 1}, {"e\xcc\x81", 1}, /* e and a combining acute */
        {"\xe4\xb8\xad\xe6\x96\x87", 4},                        /* two ideographs */
        {"\xf0\x9f\x90\x8d", 2},                                /* a snake */
        {"\xef\xbc\xa1", 2},                                    /* fullwidth A */
        {"\xe1\x84\x80\xe1\x85\xa1", 2},                        /* Hangul built of two parts */
        {"\xff", 1},                                            /* shown as '?' */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(text_width(cases[i].text, strlen(cases[i].text)), cases[i].width);
}

static void fits_any_text_into_any_width(void **state)
{
    (void)state;
    static const char *const texts[] = {"short", "/usr/lib/python3/dist-packages/numpy/core/_methods.py",
        "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4"
        "\xb8"
        "\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87",
        "bad \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "e\xcc\x81\xcc\x81\xcc\x81xyz"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        size_t whole = text_width(texts[i], strlen(texts[i]));
        for (size_t columns = 0; columns <= whole + 2; columns++) {
            CLEANUP(buffer_release) struct buffer b;
            buffer_init(&b, 1000);
            assert_int_equal(text_append_fitted(&b, texts[i], columns), 0);
            size_t width = text_width((const char *)b.data, b.size);
            assert_true(width <= columns);
            assert_true(width + 2 >= (columns < whole ? columns : whole)); /* two wide halves lost at most */
            bool cut = b.size >= 3 && strstr(buffer_text(&b), "\xe2\x80\xa6") != NULL;
            assert_int_equal(cut, columns > 0 && columns < whole);
        }
    }
}

static void keeps_both_ends_of_a_long_path(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 1000);
    text_append_fitted(&b, "/usr/lib/python3/dist-packages/numpy/core/_methods.py", 30);
    const char *text = buffer_text(&b);
    assert_int_equal(text_width(text, b.size), 30);
    assert_memory_equal(text, "/usr/lib/", 9);
    assert_string_equal(text + b.size - 11, "_methods.py");
}

static void reads_counts_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0}, {"1000", 1000}, {"10k", 10000}, {"1.5M", 1500000}, {"0.1M", 100000}, {"2G", 2000000000},
        {"1e6", 1000000}, {"2.5e3", 2500}, {"18446744073709551615", UINT64_MAX}, {"1.0", 1}, {".5k", 500},
        {"0.000000001G", 1}};
    static const char *const bad[] = {"", "k", ".", "1.", "1.5", "-1", "+1", " 1", "1 ", "1kk", "1e", "1e3k", "0x10",
        "18446744073709551616", "99999999999G", "1.0005k", "1..5k", "\xd9\xa1", "1.0000000000000000001k",
        "111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t value = 77;
        assert_int_equal(parse_count(good[i].text, &value), 0);
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t value = 77;
        assert_int_equal(parse_count(bad[i], &value), -EINVAL);
        assert_int_equal(value, 77);
    }
}

static void reads_durations_with_seconds_for_bare_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"10", UINT64_C(10000000000)}, {"1.5s", 1500000000}, {"200ms", 200000000},
        {"2m", UINT64_C(120000000000)}, {"1h", UINT64_C(3600000000000)}, {"5us", 5000}, {"7ns", 7}, {"0.5", 500000000},
        {"0", 0}};
    static const char *const bad[] = {"", "s", "1 s", "1M", "-1s", "1sm", "600000h0", "6000000000000h"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t value = 77;
        assert_int_equal(parse_duration(good[i].text, &value), 0);
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t value = 77;
        assert_int_equal(parse_duration(bad[i], &value), -EINVAL);
        assert_int_equal(value, 77);
    }
}

static void error_lines_are_one_line_whatever_they_quote(void **state)
{
    (void)state;
    struct error e;
    errno = EBADF;
    assert_int_equal(error_set(&e, ENOENT, "cannot open %s", "a\nb\x1b[2J\xff"), -ENOENT);
    assert_string_equal(e.text, "cannot open a?b?[2J?");
    assert_int_equal(errno, EBADF); /* left alone */
    assert_int_equal(error_set(&e, -EPERM, "x"), -EPERM);
    assert_int_equal(error_set(NULL, EIO, "%s", "nobody listens"), -EIO);
    error_prefix(NULL, "x");
    error_prefix(&e, "pid %d", 5);
    assert_string_equal(e.text, "pid 5: x");
}

static void error_lines_too_long_end_in_dots(void **state)
{
    (void)state;
    struct error e;
    char big[2000];
    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    error_set(&e, EIO, "%s", big);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_string_equal(e.text + sizeof e.text - 4, "...");
    error_set(&e, EIO, "kept");
    error_prefix(&e, "%s", big);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_string_equal(e.text + sizeof e.text - 4, "...");
}

static void writes_bytes_as_hexadecimal_digits(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 0x0f, 0xa0, 0xff};
    char text[9];
    text_hex(bytes, sizeof(bytes), text);
    assert_string_equal(text, "000fa0ff");
    text_hex(bytes, 0, text);
    assert_string_equal(text, "");
}

static void escapes_what_markup_reads_as_its_own(void **state)
{
    (void)state;
    static const char text[] = "a<b>&amp;\"'\n\xc3\xa9";
    struct buffer b;
    buffer_init(&b, 100);
    text_append_markup(&b, text, sizeof(text) - 1);
    assert_string_equal(buffer_text(&b), "a&lt;b&gt;&amp;amp;&quot;'\n\xc3\xa9");
    buffer_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_bytes_as_hexadecimal_digits),
        cmocka_unit_test(escapes_what_markup_reads_as_its_own),
        cmocka_unit_test(replaces_what_could_fool_a_terminal),
        cmocka_unit_test(counts_the_columns_that_a_terminal_uses),
        cmocka_unit_test(fits_any_text_into_any_width),
        cmocka_unit_test(keeps_both_ends_of_a_long_path),
        cmocka_unit_test(reads_counts_exactly),
        cmocka_unit_test(reads_durations_with_seconds_for_bare_numbers),
        cmocka_unit_test(error_lines_are_one_line_whatever_they_quote),
        cmocka_unit_test(error_lines_too_long_end_in_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
