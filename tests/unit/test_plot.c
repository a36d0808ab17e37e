/* Pictures of points whose places are known: where they stand, what is left out, and what text from outside becomes. */
#include "plot/plot.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POINT(at_x, at_y)                                                                                              \
    {                                                                                                                  \
        .x = (at_x), .y = (at_y), .low = NAN, .high = NAN                                                              \
    }

static const struct plot_point rising[] = {POINT(1, 10), POINT(10, 100), POINT(100, 1000), POINT(1000, 10000)};
static const struct plot_series rising_series = {"rising", rising, 4, PLOT_DOTS | PLOT_LINE};
static const struct plot log_log = {
    .x = {"n", PLOT_NUMBER, true}, .y = {"", PLOT_SECONDS, true}, .series = &rising_series, .series_count = 1};

static const char *numbers(double value, enum plot_unit unit)
{
    static char text[PLOT_TEXT];
    return plot_number(text, value, unit);
}

static void numbers_have_the_unit_that_people_say(void **state)
{
    (void)state;
    assert_string_equal(numbers(0, PLOT_NUMBER), "0");
    assert_string_equal(numbers(1500, PLOT_NUMBER), "1.5k");
    assert_string_equal(numbers(1e6, PLOT_NUMBER), "1M");
    assert_string_equal(numbers(999999, PLOT_NUMBER), "1M");
    assert_string_equal(numbers(2.5e-7, PLOT_SECONDS), "250 ns");
    assert_string_equal(numbers(0.0012, PLOT_SECONDS), "1.2 ms");
    assert_string_equal(numbers(90, PLOT_SECONDS), "90 s");
    assert_string_equal(numbers(10800, PLOT_SECONDS), "3 h");
    assert_string_equal(numbers(1572864, PLOT_BYTES), "1.5 MiB");
    assert_string_equal(numbers(1000000000, PLOT_TIME), "2001-09-09");
}

static void a_line_on_two_logarithmic_axes_is_straight(void **state)
{
    CLEANUP(buffer_release) struct buffer out;
    char *line, *rest;
    int row = 0, columns[64] = {0};
    (void)state;
    buffer_init(&out, 1 << 20);
    assert_int_equal(plot_text(&out, &log_log, &(struct plot_cells){.width = 60, .height = 20}), 0);
    for (line = strtok_r((char *)(uintptr_t)buffer_text(&out), "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *behind = strpbrk(line, "|+"), *mark = behind ? strchr(behind, 'o') : NULL;
        if (mark != NULL && strstr(line, "rising") == NULL)
            columns[row++] = (int)(mark - line);
    }
    assert_true(row > 10);
    double slope = (double)(columns[0] - columns[row - 1]) / (row - 1);
    assert_true(slope > 1);
    for (int i = 1; i < row; i++)
        assert_true(fabs(columns[i] - (columns[0] - slope * i)) <= 2.5);
}

static void what_cannot_stand_on_the_axis_is_left_out(void **state)
{
    CLEANUP(buffer_release) struct buffer out;
    static const struct plot_point bad[] = {POINT(0, 1), POINT(-5, 1), POINT(NAN, 2), POINT(3, INFINITY), POINT(2, -1)};
    struct plot_series series = {"bad", bad, 5, PLOT_DOTS};
    struct plot p = log_log;
    (void)state;
    buffer_init(&out, 1 << 20);
    p.series = &series;
    assert_int_equal(plot_text(&out, &p, &(struct plot_cells){.width = 60, .height = 10}), -EINVAL);
    assert_int_equal(plot_svg(&out, &p, "bad"), -EINVAL);
    assert_int_equal(out.size, 0);
    struct plot_point one = POINT(2, 3);
    series = (struct plot_series){"one", &one, 1, PLOT_DOTS};
    assert_int_equal(plot_text(&out, &p, &(struct plot_cells){.width = 60, .height = 10}), 0);
    assert_non_null(strchr(buffer_text(&out), 'o'));
}

static size_t columns_most(const char *text)
{
    size_t most = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, "\n"), width = text_width(text, size);
        most = width > most ? width : most;
        text += size + (text[size] == '\n');
    }
    return most;
}

static void keeps_to_its_width_in_both_alphabets(void **state)
{
    static const size_t widths[] = {24, 40, 80, 200};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            CLEANUP(buffer_release) struct buffer out;
            buffer_init(&out, 1 << 20);
            struct plot_cells cells = {.width = widths[i], .height = 12, .utf8 = utf8 != 0};
            assert_int_equal(plot_text(&out, &log_log, &cells), 0);
            assert_true(columns_most(buffer_text(&out)) <= widths[i]);
            for (size_t k = 0; !utf8 && k < out.size; k++)
                assert_true(out.data[k] < 0x80);
        }
}

static void a_page_is_one_file_that_asks_for_nothing(void **state)
{
    CLEANUP(buffer_release) struct buffer out;
    struct plot_series series = rising_series;
    struct plot p = log_log;
    (void)state;
    buffer_init(&out, 1 << 20);
    series.name = "<script>alert(1)</script>\033[31m";
    p.series = &series;
    plot_page_begin(&out, "a & b");
    assert_int_equal(plot_svg(&out, &p, "\"quoted\""), 0);
    plot_page_end(&out);
    const char *text = buffer_text(&out);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "http:"));
    assert_null(strstr(text, "https:"));
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "<title>a &amp; b</title>"));
    assert_non_null(strstr(text, "prefers-color-scheme:dark"));
    size_t dots = 0;
    for (const char *at = text; (at = strstr(at, "<circle")) != NULL; at++)
        dots++;
    assert_int_equal(dots, 4);
}

static void a_histogram_counts_every_value_once(void **state)
{
    CLEANUP(buffer_release) struct buffer out;
    double values[500];
    char *rest;
    unsigned long total = 0, largest = 0;
    uint64_t random = 5;
    (void)state;
    buffer_init(&out, 1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        values[i] = 0.01 + 0.001 * random_exponential(&random);
    struct plot_cells cells = {.width = 60, .height = 10};
    assert_int_equal(plot_histogram(&out, values, ARRAY_SIZE(values), PLOT_SECONDS, 12, &cells), 0);
    for (char *line = strtok_r((char *)(uintptr_t)buffer_text(&out), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        unsigned long here = strtoul(strrchr(line, ' '), NULL, 10);
        total += here;
        largest = here > largest ? here : largest;
    }
    assert_int_equal(total, ARRAY_SIZE(values));
    assert_true(largest > 100); /* an exponential's first bins */
    static const double same[] = {2, 2, 2};
    buffer_clear(&out);
    assert_int_equal(plot_histogram(&out, same, 3, PLOT_NUMBER, 10, &cells), 0);
    assert_int_equal(plot_histogram(&out, (const double[]){NAN}, 1, PLOT_NUMBER, 10, &cells), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_the_unit_that_people_say),
        cmocka_unit_test(a_line_on_two_logarithmic_axes_is_straight),
        cmocka_unit_test(what_cannot_stand_on_the_axis_is_left_out),
        cmocka_unit_test(keeps_to_its_width_in_both_alphabets),
        cmocka_unit_test(a_page_is_one_file_that_asks_for_nothing),
        cmocka_unit_test(a_histogram_counts_every_value_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
