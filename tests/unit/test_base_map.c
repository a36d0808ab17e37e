#include "base/base.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void holds_any_key_zero_included(void **state)
{
    (void)state;
    static const uint64_t keys[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, 0xdeadbeef};
    CLEANUP(map_release) struct map m;
    map_init(&m);
    uint64_t value = 7;
    assert_false(map_get(&m, 0, &value));
    map_remove(&m, 0); /* of an empty map */
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        assert_int_equal(map_put(&m, keys[i], i + 100), 0);
    assert_int_equal(m.used, ARRAY_SIZE(keys));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        assert_true(map_get(&m, keys[i], &value));
        assert_int_equal(value, i + 100);
    }
    assert_false(map_get(&m, 2, NULL));
    map_put(&m, 0, 5);
    assert_int_equal(m.used, ARRAY_SIZE(keys)); /* replaced, not added */
    assert_true(map_get(&m, 0, &value));
    assert_int_equal(value, 5);
    map_remove(&m, 0);
    assert_false(map_get(&m, 0, NULL));
    assert_true(map_get(&m, 1, NULL));
    map_clear(&m);
    assert_false(map_get(&m, 1, NULL));
}

static void agrees_with_a_plain_array_under_random_use(void **state)
{
    (void)state;
    enum { KEYS = 700, STEPS = 200000 };
    static uint64_t expected[KEYS];
    static bool there[KEYS];
    CLEANUP(map_release) struct map m;
    map_init(&m);
    uint64_t seed = 42;
    for (size_t step = 0; step < STEPS; step++) {
        uint64_t word = random_next(&seed);
        size_t k = (size_t)(word % KEYS);
        uint64_t key = (uint64_t)k << 4; /* as addresses are: equal low bits */
        /* Phases of growth and of shrinking, so that runs of slots form and are broken up. */
        bool remove = (word >> 32) % 4 < ((step / 20000) % 2 == 0 ? 1u : 3u);
        if (remove) {
            map_remove(&m, key);
            there[k] = false;
        } else {
            assert_int_equal(map_put(&m, key, word), 0);
            there[k] = true;
            expected[k] = word;
        }
        if (step % 97 != 0)
            continue;
        size_t count = 0;
        for (size_t i = 0; i < KEYS; i++) {
            uint64_t value = 0;
            assert_int_equal(map_get(&m, (uint64_t)i << 4, &value), there[i]);
            if (there[i])
                assert_true(value == expected[i]);
            count += there[i];
        }
        assert_int_equal(m.used, count);
    }
}

static void hash_tells_neighbours_apart(void **state)
{
    (void)state;
    CLEANUP(map_release) struct map m;
    map_init(&m);
    for (uint64_t a = 0; a < 300; a++) {
        for (uint64_t b = 0; b < 300; b++) {
            uint64_t hash = hash_mix(a, b);
            assert_false(map_get(&m, hash, NULL)); /* 90,000 of 2^64: a collision would be no accident */
            map_put(&m, hash, 1);
        }
    }
    assert_true(hash_bytes("a", 1) != hash_bytes("a\0", 2));
    assert_true(hash_bytes("", 0) != hash_bytes("\0", 1));
    assert_true(hash_bytes("0123456789", 10) == hash_bytes("0123456789", 10));
}

static void numbers_strings_in_order_of_arrival(void **state)
{
    (void)state;
    CLEANUP(strings_release) struct strings s;
    assert_int_equal(strings_init(&s, 1 << 20), 0);
    uint32_t id = 99;
    assert_int_equal(strings_intern(&s, "one", 3, &id), 0);
    assert_int_equal(id, 0);
    assert_int_equal(strings_intern(&s, "", 0, &id), 0);
    assert_int_equal(id, 1);
    assert_int_equal(strings_intern(&s, "a\0b", 3, &id), 0);
    assert_int_equal(id, 2);
    assert_int_equal(strings_intern(&s, "a\0c", 3, &id), 0);
    assert_int_equal(id, 3);
    assert_int_equal(strings_intern(&s, "onerous", 3, &id), 0); /* only the first three count */
    assert_int_equal(id, 0);
    size_t size = 0;
    assert_memory_equal(strings_get(&s, 2, &size), "a\0b", 4);
    assert_int_equal(size, 3);
    assert_string_equal(strings_get(&s, 4, &size), "");
    assert_int_equal(size, 0);
    assert_string_equal(strings_get(&s, UINT32_MAX, NULL), "");
}

static void keeps_a_hundred_thousand_strings_in_place(void **state)
{
    (void)state;
    CLEANUP(strings_release) struct strings s;
    strings_init(&s, (size_t)64 << 20);
    const char *first = NULL;
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 100000; i++) {
            char text[24];
            int size = snprintf(text, sizeof text, "name_%u", i);
            uint32_t id = 0;
            assert_int_equal(strings_intern(&s, text, (size_t)size, &id), 0);
            assert_int_equal(id, i);
        }
        if (first == NULL)
            first = strings_get(&s, 0, NULL);
    }
    assert_ptr_equal(strings_get(&s, 0, NULL), first);
    assert_string_equal(strings_get(&s, 99999, NULL), "name_99999");
}

static void full_strings_refuse_new_ones_and_keep_the_old(void **state)
{
    (void)state;
    CLEANUP(strings_release) struct strings s;
    strings_init(&s, 64);
    uint32_t id = 7;
    assert_int_equal(strings_intern(&s, "abc", 3, &id), 0);
    char big[100];
    memset(big, 'x', sizeof big);
    assert_int_equal(strings_intern(&s, big, sizeof big, &id), -ENOMEM);
    assert_int_equal(id, 0); /* untouched */
    assert_int_equal(strings_intern(&s, "abc", 3, &id), 0);
    assert_int_equal(s.count, 1);
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    CLEANUP(arena_release) struct arena a;
    arena_init(&a, (size_t)16 << 20);
    static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 5000, 3 << 20, 40, 100000, 8};
    unsigned char *pieces[ARRAY_SIZE(sizes)];
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        pieces[i] = arena_alloc(&a, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(pieces[i][j], 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(pieces[i][j], i + 1);
    }
}

static void arena_stops_at_its_maximum(void **state)
{
    (void)state;
    CLEANUP(arena_release) struct arena a;
    arena_init(&a, 4096);
    assert_null(arena_alloc(&a, 4097));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_strndup(&a, "", SIZE_MAX));
    size_t count = 0;
    while (arena_alloc(&a, 16) != NULL)
        count++;
    assert_int_equal(count, 256);
}

static void arena_copies_stop_at_a_nul_and_end_with_one(void **state)
{
    (void)state;
    CLEANUP(arena_release) struct arena a;
    arena_init(&a, 4096);
    assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(&a, "ab\0def", 6), "ab");
    assert_string_equal(arena_strndup(&a, NULL, 0), "");
}

static void arrays_grow_and_refuse_to_overflow(void **state)
{
    (void)state;
    uint32_t *items = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(array_reserve(&items, &capacity, i + 1, sizeof *items), 0);
        assert_true(capacity > i);
        items[i] = i;
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    size_t before = capacity;
    assert_int_equal(array_reserve(&items, &capacity, SIZE_MAX / 2, sizeof *items), -ENOMEM);
    assert_int_equal(capacity, before);
    assert_int_equal(items[999], 999);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_any_key_zero_included),
        cmocka_unit_test(agrees_with_a_plain_array_under_random_use),
        cmocka_unit_test(hash_tells_neighbours_apart),
        cmocka_unit_test(numbers_strings_in_order_of_arrival),
        cmocka_unit_test(keeps_a_hundred_thousand_strings_in_place),
        cmocka_unit_test(full_strings_refuse_new_ones_and_keep_the_old),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_stops_at_its_maximum),
        cmocka_unit_test(arena_copies_stop_at_a_nul_and_end_with_one),
        cmocka_unit_test(arrays_grow_and_refuse_to_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
