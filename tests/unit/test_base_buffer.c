#include "base/base.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void refuses_what_goes_beyond_its_maximum(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 10);
    assert_int_equal(buffer_append(&b, "0123456789", 10), 0);
    assert_string_equal(buffer_text(&b), "0123456789"); /* full, and text all the same */
    assert_int_equal(buffer_append_byte(&b, 'x'), -EFBIG);
    assert_true(b.failed);
    assert_int_equal(b.size, 10);
}

static void keeps_failing_until_cleared(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 4);
    assert_true(buffer_append(&b, "12345", 5) < 0);
    assert_true(buffer_append(&b, "1", 1) < 0);
    assert_string_equal(buffer_text(&b), "");
    buffer_clear(&b);
    assert_int_equal(buffer_append(&b, "1234", 4), 0);
    assert_string_equal(buffer_text(&b), "1234");
}

static void prints_texts_longer_than_its_scratch_space(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 1000);
    assert_int_equal(buffer_printf(&b, "%s=%0998d", "x", 7), 0);
    assert_int_equal(b.size, 1000);
    assert_memory_equal(b.data, "x=0", 3);
    assert_int_equal(b.data[999], '7');
    assert_true(buffer_printf(&b, "%d", 1) < 0);

    buffer_clear(&b);
    assert_int_equal(buffer_printf(&b, "%01001d", 7), -EFBIG);
}

static void holds_a_maximum_of_all_memory(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, SIZE_MAX);
    assert_int_equal(buffer_append_string(&b, "abc"), 0);
    assert_int_equal(buffer_reserve(&b, SIZE_MAX - 2), -EFBIG); /* would wrap */
}

static void writes_varints_as_leb128(void **state)
{
    (void)state;
    /* The DWARF standard's own examples of unsigned LEB128, and the two ends of the range. */
    static const struct {
        uint64_t value;
        size_t size;
        uint8_t bytes[10];
    } cases[] = {
        {0, 1, {0}},
        {2, 1, {2}},
        {127, 1, {127}},
        {128, 2, {0x80, 1}},
        {129, 2, {0x81, 1}},
        {12857, 2, {57 + 0x80, 100}},
        {UINT64_MAX, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buffer_release) struct buffer b;
        buffer_init(&b, 10);
        assert_int_equal(buffer_append_varint(&b, cases[i].value), 0);
        assert_int_equal(b.size, cases[i].size);
        assert_memory_equal(b.data, cases[i].bytes, b.size);
    }
}

static void zigzag_gives_small_numbers_small_codes(void **state)
{
    (void)state;
    /* The table in the Protocol Buffers encoding guide. */
    static const struct {
        int64_t value;
        uint64_t code;
    } cases[] = {{0, 0}, {-1, 1}, {1, 2}, {-2, 3}, {INT32_MAX, 0xfffffffe}, {INT32_MIN, 0xffffffff},
        {INT64_MAX, UINT64_MAX - 1}, {INT64_MIN, UINT64_MAX}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buffer_release) struct buffer b;
        buffer_init(&b, 10);
        assert_int_equal(buffer_append_zigzag(&b, cases[i].value), 0);
        struct reader r = {.at = b.data, .end = b.data + b.size};
        assert_int_equal(reader_varint(&r), cases[i].code);
        r = (struct reader){.at = b.data, .end = b.data + b.size};
        assert_true(reader_zigzag(&r) == cases[i].value);
        assert_false(r.failed);
    }
}

static void reads_back_every_kind_in_turn(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer b;
    buffer_init(&b, 100);
    buffer_append_byte(&b, 0xab);
    buffer_append_le32(&b, 0x01020304);
    buffer_append_le64(&b, UINT64_C(0x0102030405060708));
    buffer_append(&b, "tail", 4);
    assert_false(b.failed);
    assert_int_equal(b.data[1], 4); /* least significant first */
    assert_int_equal(b.data[5], 8);

    struct reader r = {.at = b.data, .end = b.data + b.size};
    assert_int_equal(reader_byte(&r), 0xab);
    assert_int_equal(reader_le32(&r), 0x01020304);
    assert_true(reader_le64(&r) == UINT64_C(0x0102030405060708));
    assert_memory_equal(reader_bytes(&r, 4), "tail", 4);
    assert_false(r.failed);
    assert_ptr_equal(r.at, r.end);
}

static void reader_yields_zero_for_ever_after_its_end(void **state)
{
    (void)state;
    uint8_t bytes[] = {1, 2, 3};
    struct reader r = {.at = bytes, .end = bytes + sizeof bytes};
    assert_int_equal(reader_le32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_byte(&r), 0); /* although three bytes had been left */
    assert_int_equal(reader_varint(&r), 0);
    assert_null(reader_bytes(&r, 0));
    r = (struct reader){.at = bytes, .end = bytes + sizeof bytes};
    assert_null(reader_bytes(&r, SIZE_MAX));
}

static void reader_refuses_varints_beyond_64_bits(void **state)
{
    (void)state;
    uint8_t eleven[11], high[10];
    memset(eleven, 0x80, sizeof eleven);
    eleven[10] = 0;
    memset(high, 0xff, sizeof high);
    high[9] = 2;
    struct reader r = {.at = eleven, .end = eleven + sizeof eleven};
    assert_int_equal(reader_varint(&r), 0);
    assert_true(r.failed);
    r = (struct reader){.at = high, .end = high + sizeof high};
    assert_int_equal(reader_varint(&r), 0);
    assert_true(r.failed);
    r = (struct reader){.at = high, .end = high + 3}; /* ends in the middle */
    assert_int_equal(reader_varint(&r), 0);
    assert_true(r.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_goes_beyond_its_maximum),
        cmocka_unit_test(keeps_failing_until_cleared),
        cmocka_unit_test(prints_texts_longer_than_its_scratch_space),
        cmocka_unit_test(holds_a_maximum_of_all_memory),
        cmocka_unit_test(writes_varints_as_leb128),
        cmocka_unit_test(zigzag_gives_small_numbers_small_codes),
        cmocka_unit_test(reads_back_every_kind_in_turn),
        cmocka_unit_test(reader_yields_zero_for_ever_after_its_end),
        cmocka_unit_test(reader_refuses_varints_beyond_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
