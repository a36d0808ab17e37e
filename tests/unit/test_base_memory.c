/* Out of memory at each allocation in turn: linked with --wrap, so that the n-th one fails. */
#include "base/base.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static long countdown = -1; /* allocations until one fails; negative: none does */

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool fails_now(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails_now() ? NULL : __real_realloc(memory, size);
}

/* Fails allocation 0, 1, 2 ... until `use` gets through, which must be after more than `least` failures. */
static void fail_each(bool (*use)(void), long least)
{
    long n = 0;
    for (; n < 1000; n++) {
        countdown = n;
        bool through = use();
        bool unused = countdown >= 0;
        countdown = -1;
        if (unused) {
            assert_true(through);
            break;
        }
        assert_false(through);
    }
    assert_in_range(n, least, 999);
}

static bool use_map(void)
{
    CLEANUP(map_release) struct map m;
    map_init(&m);
    uint64_t put = 0, value = 0;
    while (put < 100 && map_put(&m, put, put * 3) == 0)
        put++;
    for (uint64_t i = 0; i < put; i++)
        assert_true(map_get(&m, i, &value) && value == i * 3);
    return put == 100;
}

static bool use_strings(void)
{
    CLEANUP(strings_release) struct strings s;
    strings_init(&s, 1 << 20);
    uint32_t put = 0, id = 0;
    for (; put < 100; put++) {
        char text[8] = {(char)(put + 1), 'x'};
        if (strings_intern(&s, text, 2, &id) < 0)
            break;
        assert_int_equal(id, put);
    }
    assert_int_equal(s.count, put);
    for (uint32_t i = 0; i < put; i++)
        assert_int_equal(strings_get(&s, i, NULL)[0], (char)(i + 1));
    return put == 100;
}

static bool use_arena(void)
{
    CLEANUP(arena_release) struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < 100; i++) {
        unsigned char *piece = arena_alloc(&a, 1000);
        if (piece == NULL)
            return false;
        memset(piece, 1, 1000);
    }
    return true;
}

static bool use_buffer(void)
{
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 100000);
    for (int i = 0; i < 1000; i++)
        buffer_printf(&b, "%d,", i);
    assert_int_equal(strlen(buffer_text(&b)), b.failed ? 0 : b.size);
    return !b.failed;
}

static void map_survives_any_failed_allocation(void **state)
{
    (void)state;
    fail_each(use_map, 3);
}

static void strings_survive_any_failed_allocation(void **state)
{
    (void)state;
    fail_each(use_strings, 5);
}

static void arena_survives_any_failed_allocation(void **state)
{
    (void)state;
    fail_each(use_arena, 2);
}

static void buffer_survives_any_failed_allocation(void **state)
{
    (void)state;
    fail_each(use_buffer, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_survives_any_failed_allocation),
        cmocka_unit_test(strings_survive_any_failed_allocation),
        cmocka_unit_test(arena_survives_any_failed_allocation),
        cmocka_unit_test(buffer_survives_any_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
