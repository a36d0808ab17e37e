#include "python/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct expected {
    uint32_t at;
    struct python_location location;
};
struct fixture {
    uint16_t version;
    uint32_t first_line;
    const uint8_t *table;
    size_t size;
    const struct expected *expected;
    size_t count;
};
#include "location_fixtures.h"

static void assert_location(
    const struct python_location *found, uint32_t line, uint32_t end_line, uint32_t column, uint32_t end_column)
{
    assert_int_equal(found->line, line);
    assert_int_equal(found->end_line, end_line);
    assert_int_equal(found->column, column);
    assert_int_equal(found->end_column, end_column);
}

static void every_instruction_lies_where_its_interpreter_says(void **state)
{
    (void)state;
    size_t versions = 0;
    for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
        const struct fixture *f = &fixtures[i];
        versions |= (size_t)1 << (f->version & 0xff);
        for (size_t k = 0; k < f->count; k++) {
            const struct python_location *e = &f->expected[k].location;
            struct python_location found;
            python_location_find(f->version, f->table, f->size, f->first_line, f->expected[k].at, &found);
            assert_location(&found, e->line, e->end_line, e->column, e->end_column);
        }
    }
    assert_int_equal(versions, 0xff00); /* 3.8 to 3.15 */
}

/* Objects/locations.md gives every form; these are made by hand from it. */
static void each_kind_of_location_entry_is_read(void **state)
{
    (void)state;
    static const uint8_t table[] = {
        0x80 | 3 << 3 | 1, 0x52,                      /* short: 2 units, columns 3*8+5 .. +2, the same line */
        0x80 | 10 << 3, 7, 9,                         /* the same line, columns 7 .. 9 */
        0x80 | 11 << 3, 200, 255,                     /* one line on */
        0x80 | 12 << 3 | 7, 0, 1,                     /* two lines on, 8 units */
        0x80 | 13 << 3, 0x0b,                         /* no columns: -5 lines */
        0x80 | 14 << 3, 0x50, 0x02, 3, 0x41, 0x02, 0, /* long: +72 lines, 3 lines high, column 129 less one, no end */
        0x80 | 15 << 3 | 1,                           /* nothing */
        0x80 | 0 << 3, 0x00,                          /* and the line is kept beyond it */
    };
    static const struct expected expected[] = {
        {0, {100, 100, 30, 32}}, {3, {100, 100, 30, 32}}, {4, {100, 100, 8, 10}}, {6, {101, 101, 201, 256}},
        {8, {103, 103, 1, 2}}, {23, {103, 103, 1, 2}}, {24, {98, 98, 0, 0}}, {26, {170, 173, 129, 0}},
        {28, {0, 0, 0, 0}}, {30, {0, 0, 0, 0}}, {32, {170, 170, 1, 1}}, {34, {0, 0, 0, 0}}, /* beyond the table */
    };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        const struct python_location *e = &expected[i].location;
        struct python_location found;
        python_location_find(0x030b, table, sizeof(table), 100, expected[i].at, &found);
        assert_location(&found, e->line, e->end_line, e->column, e->end_column);
    }
}

static void a_range_without_a_line_has_none(void **state)
{
    (void)state;
    static const uint8_t table[] = {4, 1, 2, 0x80, 2, 0xff, 0, 5, 2, 0};
    static const uint32_t lines[] = {11, 11, 0, 10, 15};
    for (uint32_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct python_location found;
        python_location_find(0x030a, table, sizeof(table), 10, 2 * i, &found);
        assert_int_equal(found.line, lines[i]);
    }
}

static void lines_may_go_back(void **state)
{
    (void)state;
    static const uint8_t table[] = {0, 5, 2, 0xfd, 255, 0, 1, 127};
    struct python_location found;
    python_location_find(0x0308, table, sizeof(table), 10, 0, &found);
    assert_int_equal(found.line, 15);
    python_location_find(0x0308, table, sizeof(table), 10, 257, &found);
    assert_int_equal(found.line, 12);
    python_location_find(0x0308, table, sizeof(table), 10, 258, &found);
    assert_int_equal(found.line, 139);
}

static void an_empty_table_says_nothing_or_the_first_line(void **state)
{
    (void)state;
    struct python_location found;
    for (uint16_t version = 0x030a; version <= 0x030f; version++) {
        python_location_find(version, NULL, 0, 7, 0, &found);
        assert_location(&found, 0, 0, 0, 0);
    }
    python_location_find(0x0309, NULL, 0, 7, 4, &found); /* co_lnotab is empty for a one-line function */
    assert_location(&found, 7, 7, 0, 0);
}

static void tables_of_a_megabyte_are_read_to_the_end(void **state)
{
    (void)state;
    size_t entries = 1 << 19;
    uint8_t *table = malloc(2 * entries);
    assert_non_null(table);
    for (size_t i = 0; i < entries; i++) {
        table[2 * i] = 0x80 | 13 << 3; /* one unit, no columns, */
        table[2 * i + 1] = 2;          /* a line on */
    }
    struct python_location found;
    python_location_find(0x030c, table, 2 * entries, 1, (uint32_t)(2 * (entries - 1)), &found);
    assert_int_equal(found.line, entries + 1);
    free(table);
}

static void lines_that_are_no_lines_are_unknown(void **state)
{
    (void)state;
    static const uint8_t back[] = {0x80 | 13 << 3, 0x0b}; /* five lines back */
    static const uint8_t huge[] = {
        0x80 | 14 << 3, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f};
    struct python_location found;
    python_location_find(0x030b, back, sizeof(back), 3, 0, &found);
    assert_int_equal(found.line, 0);
    python_location_find(0x030b, huge, sizeof(huge), 3, 0, &found);
    assert_int_equal(found.line, 0);
}

static void a_cut_table_is_read_up_to_the_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
        const struct fixture *f = &fixtures[i];
        for (size_t size = 0; size <= f->size; size++) {
            /* Exactly as large as it is said to be, so that a sanitizer sees a read beyond it. */
            uint8_t *table = malloc(size ? size : 1);
            struct python_location found;
            assert_non_null(table);
            memcpy(table, f->table, size);
            python_location_find(f->version, table, size, f->first_line, f->expected[f->count - 1].at, &found);
            free(table);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_lies_where_its_interpreter_says),
        cmocka_unit_test(each_kind_of_location_entry_is_read),
        cmocka_unit_test(a_range_without_a_line_has_none),
        cmocka_unit_test(lines_may_go_back),
        cmocka_unit_test(an_empty_table_says_nothing_or_the_first_line),
        cmocka_unit_test(tables_of_a_megabyte_are_read_to_the_end),
        cmocka_unit_test(lines_that_are_no_lines_are_unknown),
        cmocka_unit_test(a_cut_table_is_read_up_to_the_cut),
    };

    return cmocka_run_group_tests_name("location", tests, NULL, NULL);
}
