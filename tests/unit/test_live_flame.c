/* The flame graph's cells, for a tree whose boxes are known by hand. */
#include "live/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * all 100: a 60 (b 40 by two lines, 30 and 10; c 20), e 1, d 39
 * Lines are functions here, but for b, whose lines are 1 and 5.
 */
static const struct profile_function functions[] = {
    {.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "e"}, {.name = "d"}};
static const struct profile_line lines[] = {
    {.function = 0}, {.function = 1}, {.function = 2}, {.function = 3}, {.function = 4}, {.function = 1}};
static const struct profile_node nodes[] = {
    {.line = PROFILE_NONE, .first_child = 1, .sibling = PROFILE_NONE, .total = 100},
    {.line = 0, .parent = 0, .first_child = 4, .sibling = 2, .total = 60, .total_cpu = 30},
    {.line = 4, .parent = 0, .first_child = PROFILE_NONE, .sibling = 3, .total = 39},
    {.line = 3, .parent = 0, .first_child = PROFILE_NONE, .sibling = PROFILE_NONE, .total = 1},
    {.line = 2, .parent = 1, .first_child = PROFILE_NONE, .sibling = 5, .total = 20},
    {.line = 1, .parent = 1, .first_child = PROFILE_NONE, .sibling = 6, .total = 30},
    {.line = 5, .parent = 1, .first_child = PROFILE_NONE, .sibling = PROFILE_NONE, .total = 10},
};
static const struct profile tree = {.functions = functions,
    .lines = lines,
    .nodes = nodes,
    .function_count = 5,
    .line_count = 6,
    .node_count = 7,
    .hits = 100};

static void expect_box(const struct flame *f, size_t i, uint32_t function, int depth, int from, int to, uint64_t hits)
{
    assert_true(i < f->count);
    assert_int_equal(f->boxes[i].function, function);
    assert_int_equal(f->boxes[i].depth, depth);
    assert_int_equal(f->boxes[i].from, from);
    assert_int_equal(f->boxes[i].to, to);
    assert_int_equal(f->boxes[i].hits, hits);
}

static void boxes_are_as_wide_as_their_share(void **state)
{
    struct flame f = {0};
    (void)state;
    assert_int_equal(flame_layout(&f, &tree, 50, 10), 0);
    assert_int_equal(f.count, 5); /* e is narrower than a cell */
    expect_box(&f, 0, PROFILE_NONE, 0, 0, 50, 100);
    expect_box(&f, 1, 0, 1, 0, 30, 60);
    expect_box(&f, 2, 4, 1, 30, 50, 39);
    expect_box(&f, 3, 1, 2, 0, 20, 40); /* the two lines of b are one box */
    expect_box(&f, 4, 2, 2, 20, 30, 20);
    flame_release(&f);
}

static void zooms_into_a_box_and_back(void **state)
{
    struct flame f = {0};
    (void)state;
    assert_int_equal(flame_layout(&f, &tree, 60, 10), 0);
    flame_move(&f, ACTION_DOWN); /* to a, the widest */
    assert_int_equal(f.boxes[f.selected].function, 0);
    flame_move(&f, ACTION_RIGHT);
    assert_int_equal(f.boxes[f.selected].function, 4);
    flame_move(&f, ACTION_LEFT);
    assert_int_equal(flame_zoom(&f), 0);
    assert_int_equal(flame_layout(&f, &tree, 60, 10), 0);
    expect_box(&f, 0, 0, 0, 0, 60, 60);
    expect_box(&f, 1, 1, 1, 0, 40, 40);
    expect_box(&f, 2, 2, 1, 40, 60, 20);
    assert_true(flame_back(&f));
    assert_int_equal(flame_layout(&f, &tree, 60, 10), 0);
    assert_int_equal(f.boxes[f.selected].function, 0); /* what was zoomed is selected */
    assert_false(flame_back(&f));
    flame_release(&f);
}

static void a_selection_that_is_gone_falls_back_to_its_caller(void **state)
{
    struct flame f = {0};
    (void)state;
    assert_int_equal(flame_layout(&f, &tree, 60, 10), 0);
    flame_move(&f, ACTION_DOWN);
    flame_move(&f, ACTION_DOWN);
    assert_int_equal(f.boxes[f.selected].function, 1);
    assert_int_equal(flame_layout(&f, &tree, 60, 2), 0); /* b's row is not laid out */
    assert_int_equal(f.boxes[f.selected].function, 0);
    flame_release(&f);
}

static void nothing_fits_into_no_columns(void **state)
{
    static const struct profile_node root = {.line = PROFILE_NONE, .first_child = PROFILE_NONE};
    const struct profile empty = {.nodes = &root, .node_count = 1};
    struct flame f = {0};
    (void)state;
    for (int columns = 0; columns < 4; columns++) {
        assert_int_equal(flame_layout(&f, &tree, columns, 10), 0);
        for (size_t i = 0; i < f.count; i++)
            assert_in_range(f.boxes[i].to, f.boxes[i].from, columns);
        for (enum action a = ACTION_UP; a <= ACTION_LAST; a++)
            flame_move(&f, a);
    }
    assert_int_equal(flame_layout(&f, &empty, 80, 10), 0);
    assert_int_equal(f.count, 1);
    flame_release(&f);
}

static void a_held_row_is_followed_and_the_first_is_not(void **state)
{
    struct table t = {.held = PROFILE_NONE};
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(table_add(&t, i), 0);
    table_settle(&t, 4);
    assert_true(table_move(&t, ACTION_PAGE_DOWN, 4));
    assert_int_equal(t.at, 3);
    for (uint32_t i = 0; i < 10; i++)
        t.rows[i] = 9 - i;
    table_settle(&t, 4);
    assert_int_equal(t.rows[t.at], 3);
    assert_true(t.at >= t.top && t.at < t.top + 4);
    table_move(&t, ACTION_FIRST, 4);
    t.rows[0] = 77;
    table_settle(&t, 4);
    assert_int_equal(t.rows[t.at], 77);
    t.count = 0;
    table_settle(&t, 4);
    assert_false(table_move(&t, ACTION_DOWN, 4));
    table_release(&t);
}

static void every_key_has_one_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_count; i++)
        for (size_t k = 0; k < ARRAY_SIZE(keys[i].codes) && keys[i].codes[k] != 0; k++)
            assert_int_equal(key_action(keys[i].codes[k]), keys[i].action);
    assert_int_equal(key_action(0), ACTION_NONE);
    assert_int_equal(key_action('~'), ACTION_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_as_wide_as_their_share),
        cmocka_unit_test(zooms_into_a_box_and_back),
        cmocka_unit_test(a_selection_that_is_gone_falls_back_to_its_caller),
        cmocka_unit_test(nothing_fits_into_no_columns),
        cmocka_unit_test(a_held_row_is_followed_and_the_first_is_not),
        cmocka_unit_test(every_key_has_one_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
