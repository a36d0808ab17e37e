/* Objects forged in this process's own memory, read as if it were another's: what is right is read, the rest refused.
 */
#include "python/layout_private.h"
#include "python/objects.h"

#include "published_fixtures.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    VERSION = 0x030c,
    TYPE_SIZE = 512,
    STATE_ASCII = 1 << 2 | 1 << 5 | 1 << 6, /* kind 1, compact, ascii (struct _PyUnicodeObject_state) */
    STATE_LATIN = 1 << 2 | 1 << 5,
    STATE_UCS2 = 2 << 2 | 1 << 5,
    STATE_UCS4 = 4 << 2 | 1 << 5,
    STATE_LEGACY = 1 << 2 | 1 << 6 | 1 << 7, /* 3.8-3.11: ready, not compact */
    PAGE = 4096,
};

static const struct python_layout *layout;
static struct target *self;
static _Alignas(8) uint8_t type_str[TYPE_SIZE], type_bytes[TYPE_SIZE], type_int[TYPE_SIZE], type_dict[TYPE_SIZE];
static _Alignas(8) uint8_t object[65536], keys[65536];

static uint64_t address_of(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static void put(uint8_t *at, size_t offset, uint64_t value, size_t size)
{
    memcpy(at + offset, &value, size);
}

static int start(void **state)
{
    (void)state;
    struct error e;
    const struct {
        uint8_t *type;
        uint64_t flag;
    } types[] = {{type_str, PYTHON_TYPE_STR}, {type_bytes, PYTHON_TYPE_BYTES}, {type_int, PYTHON_TYPE_INT},
        {type_dict, PYTHON_TYPE_DICT}};

    layout = python_layout_table(VERSION);
    assert_non_null(layout);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        put(types[i].type, layout->type_flags, types[i].flag, 8);
    return target_open(getpid(), &self, &e);
}

static int stop(void **state)
{
    (void)state;
    target_close(self);
    return 0;
}

static void forge(const uint8_t *type)
{
    memset(object, 0, sizeof(object));
    put(object, layout->object_type, address_of(type), 8);
}

static int read_str(uint32_t kind, uint64_t length, const void *data, size_t size, struct buffer *into)
{
    forge(type_str);
    put(object, layout->unicode_length, length, 8);
    put(object, layout->unicode_state, kind, 4);
    memcpy(object + (kind == STATE_ASCII ? layout->unicode_ascii_data : layout->unicode_compact_data), data, size);
    buffer_init(into, 1 << 20);
    return python_read_str(self, layout, address_of(object), into);
}

static void strings_of_every_width_become_utf8(void **state)
{
    (void)state;
    static const uint16_t ucs2[] = {'a', 0x20ac, 0xd800, 'z'}; /* with a lone surrogate */
    static const uint32_t ucs4[] = {0x1f40d, 0x110000, 'z'};   /* with no character at all */
    static const struct {
        uint32_t state;
        uint64_t length;
        const void *data;
        size_t size;
        const char *text;
    } cases[] = {
        {STATE_ASCII, 5, "plain", 5, "plain"},
        {STATE_ASCII, 0, "", 0, ""},
        {STATE_LATIN, 4, "caf\xe9", 4, "caf\xc3\xa9"},
        {STATE_UCS2, 4, ucs2, sizeof(ucs2), "a\xe2\x82\xac\xef\xbf\xbdz"},
        {STATE_UCS4, 3, ucs4, sizeof(ucs4), "\xf0\x9f\x90\x8d\xef\xbf\xbdz"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer text;
        assert_int_equal(read_str(cases[i].state, cases[i].length, cases[i].data, cases[i].size, &text), 0);
        assert_string_equal(buffer_text(&text), cases[i].text);
        buffer_release(&text);
    }
}

static void a_free_threaded_str_keeps_a_whole_byte_of_interned(void **state)
{
    (void)state;
    const struct python_layout *usual = layout;
    struct python_layout free_threaded;
    struct error e;
    struct buffer text;

    assert_int_equal(python_layout_from_debug_offsets(published_3_15t, sizeof(published_3_15t), &free_threaded, &e), 0);
    put(type_str, free_threaded.type_flags, PYTHON_TYPE_STR, 8);
    layout = &free_threaded;
    forge(type_str);
    put(object, layout->unicode_length, 5, 8);
    put(object, layout->unicode_state, STATE_ASCII << 6 | 3, 4); /* interned and immortal */
    memcpy(object + layout->unicode_ascii_data, "plain", 5);
    buffer_init(&text, 4096);
    assert_int_equal(python_read_str(self, layout, address_of(object), &text), 0);
    assert_string_equal(buffer_text(&text), "plain");
    buffer_release(&text);
    layout = usual;
}

static void a_long_string_is_visibly_cut(void **state)
{
    (void)state;
    static char data[PYTHON_STR_CAP + 1];
    struct buffer text;
    memset(data, 'x', sizeof(data));
    assert_int_equal(read_str(STATE_ASCII, PYTHON_STR_CAP, data, PYTHON_STR_CAP, &text), 0);
    assert_int_equal(text.size, PYTHON_STR_CAP);
    buffer_release(&text);
    assert_int_equal(read_str(STATE_ASCII, sizeof(data), data, sizeof(data), &text), 0);
    assert_int_equal(text.size, PYTHON_STR_CAP + 3);
    assert_memory_equal(text.data + PYTHON_STR_CAP, "\xe2\x80\xa6", 3);
    buffer_release(&text);
}

static void a_legacy_string_is_read_through_its_pointer(void **state)
{
    (void)state;
    const struct python_layout *old = python_layout_table(0x0308);
    static _Alignas(8) uint8_t type[TYPE_SIZE];
    struct buffer text;

    put(type, old->type_flags, PYTHON_TYPE_STR, 8);
    memset(object, 0, sizeof(object));
    put(object, old->object_type, address_of(type), 8);
    put(object, old->unicode_length, 6, 8);
    put(object, old->unicode_state, STATE_LEGACY, 4);
    put(object, old->unicode_compact_data, address_of("legacy"), 8);
    buffer_init(&text, 4096);
    assert_int_equal(python_read_str(self, old, address_of(object), &text), 0);
    assert_string_equal(buffer_text(&text), "legacy");
    buffer_release(&text);
}

static void strings_that_cannot_be_are_torn(void **state)
{
    (void)state;
    static const struct {
        uint32_t state;
        uint64_t length;
    } cases[] = {
        {0, 4}, {3 << 2 | 1 << 5, 4}, {7 << 2 | 1 << 5, 4}, {STATE_ASCII, UINT64_MAX}, {STATE_ASCII, 1ULL << 62}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer text;
        assert_int_equal(read_str(cases[i].state, cases[i].length, "text", 4, &text), -EAGAIN);
        buffer_release(&text);
    }
    static const uint64_t nowhere[] = {0, 1, 4095, 4097, 1ULL << 60, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
        struct buffer text;
        buffer_init(&text, 4096);
        assert_int_equal(python_read_str(self, layout, nowhere[i], &text), -EAGAIN);
        assert_int_equal(text.size, 0);
        buffer_release(&text);
    }
    struct buffer text;
    forge(type_bytes); /* no str */
    buffer_init(&text, 4096);
    assert_int_equal(python_read_str(self, layout, address_of(object), &text), -EAGAIN);
    buffer_release(&text);
}

static void bytes_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct buffer data;

    forge(type_bytes);
    put(object, layout->bytes_size, 5, 8);
    memcpy(object + layout->bytes_data, "a\0b\0c", 5);
    buffer_init(&data, 4096);
    assert_int_equal(python_read_bytes(self, layout, address_of(object), &data), 0);
    assert_int_equal(data.size, 5);
    assert_memory_equal(data.data, "a\0b\0c", 5);
    buffer_release(&data);
    static const uint64_t sizes[] = {PYTHON_BYTES_CAP + 1ULL, UINT64_MAX, 1ULL << 63};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        put(object, layout->bytes_size, sizes[i], 8);
        buffer_init(&data, 1ULL << 40);
        assert_int_equal(python_read_bytes(self, layout, address_of(object), &data), -EFBIG);
        buffer_release(&data);
    }
}

static void ints_up_to_63_bits_are_read(void **state)
{
    (void)state;
    static const struct {
        uint64_t tag;
        uint32_t digits[3];
        int r;
        int64_t value;
    } cases[] = {
        {1, {9, 9, 9}, 0, 0}, /* zero, whatever lies in the digits */
        {1 << 3, {42}, 0, 42},
        {1 << 3 | 2, {42}, 0, -42},
        {3 << 3, {0x3fffffff, 0x3fffffff, 7}, 0, INT64_MAX},
        {3 << 3, {0, 0, 8}, -ERANGE, 0},
        {4 << 3, {1, 1, 1}, -ERANGE, 0},
        {UINT64_MAX - 1, {1, 1, 1}, -ERANGE, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = 0;
        forge(type_int);
        put(object, layout->integer_tag, cases[i].tag, 8);
        memcpy(object + layout->integer_digit, cases[i].digits, sizeof(cases[i].digits));
        assert_int_equal(python_read_int(self, layout, address_of(object), &value), cases[i].r);
        assert_int_equal(value, cases[i].value);
    }
    /* ob_size of 3.8 to 3.11, the least there is: has no positive of its own. */
    const struct python_layout *old = python_layout_table(0x030b);
    uint8_t head[PYTHON_HEAD_MAX] = {0};
    int64_t value;
    put(head, old->integer_tag, 1ULL << 63, 8);
    assert_int_equal(python_int_from_head(old, head, &value), -ERANGE);
    put(head, old->integer_tag, (uint64_t)-1, 8);
    put(head, old->integer_digit, 7, 4);
    assert_int_equal(python_int_from_head(old, head, &value), 0);
    assert_int_equal(value, -7);
}

/* A dict of str keys in a combined table: `count` entries, all under the key at `key`, with values 4096 * i. */
static uint64_t forge_dict(uint64_t key, uint64_t count, uint8_t log2_size, uint8_t log2_bytes)
{
    const struct python_object_layout *o = python_object_layout(VERSION, false);
    static _Alignas(8) uint8_t dict[256];

    memset(dict, 0, sizeof(dict));
    memset(keys, 0, sizeof(keys));
    put(dict, layout->object_type, address_of(type_dict), 8);
    put(dict, layout->dict_keys, address_of(keys), 8);
    keys[o->keys_size] = log2_size;
    keys[o->keys_index_bytes] = log2_bytes;
    keys[o->keys_kind] = 1; /* DICT_KEYS_UNICODE */
    put(keys, o->keys_entries, count, 8);
    size_t at = o->keys_indices + (1u << (log2_bytes & 15));
    for (uint64_t i = 0; i < count && at + 16 <= sizeof(keys); i++, at += 16) {
        put(keys, at, key, 8);
        put(keys, at + 8, 4096 * (i + 1), 8);
    }
    return address_of(dict);
}

static void a_dict_is_searched_by_name(void **state)
{
    (void)state;
    struct buffer unused;
    uint64_t value = 0;

    assert_int_equal(read_str(STATE_ASCII, 7, "_active", 7, &unused), 0);
    buffer_release(&unused);
    uint64_t dict = forge_dict(address_of(object), 3, 3, 3);
    assert_int_equal(python_dict_get(self, layout, dict, "_active", &value), 0);
    assert_int_equal(value, 4096 * 3); /* there is only one in a real dict */
    assert_int_equal(python_dict_get(self, layout, dict, "_activ", &value), -ENOENT);
    assert_int_equal(python_dict_get(self, layout, dict, "_active_", &value), -ENOENT);
    assert_int_equal(python_dict_get(self, layout, dict, "", &value), -ENOENT);
    dict = forge_dict(0x1000, 300, 9, 10); /* keys that are not there */
    assert_int_equal(python_dict_get(self, layout, dict, "_active", &value), -ENOENT);
    dict = forge_dict(address_of(object), 0, 0, 3); /* empty */
    assert_int_equal(python_dict_get(self, layout, dict, "_active", &value), -ENOENT);
}

static void a_dict_that_cannot_be_is_torn(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        uint8_t log2_size, log2_bytes;
    } cases[] = {{9, 3, 3}, {UINT64_MAX, 40, 40}, {1ULL << 40, 40, 3}, {1, 255, 3}, {1, 3, 255}, {1 << 19, 20, 3}};
    uint64_t value;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t dict = forge_dict(address_of(object), cases[i].count, cases[i].log2_size, cases[i].log2_bytes);
        assert_int_equal(python_dict_get(self, layout, dict, "name", &value), -EAGAIN);
    }
    uint64_t dict = forge_dict(address_of(object), 1, 3, 3);
    uint8_t *bytes = (uint8_t *)(uintptr_t)dict;
    static const uint64_t nowhere[] = {0, 8, 1ULL << 62, UINT64_MAX - 7, 0x123457};
    for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
        put(bytes, layout->dict_keys, nowhere[i], 8);
        assert_int_equal(python_dict_get(self, layout, dict, "name", &value), -EAGAIN);
    }
    put(bytes, layout->object_type, address_of(type_str), 8);
    assert_int_equal(python_dict_get(self, layout, dict, "name", &value), -EAGAIN);
}

static void heads_are_read_around_what_cannot_be(void **state)
{
    (void)state;
    enum { COUNT = 600, SIZE = 40 };
    static uint64_t addresses[COUNT];
    static uint8_t heads[COUNT * SIZE];
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    memset(pages, 7, 2 * PAGE);
    assert_int_equal(munmap(pages + PAGE, PAGE), 0);
    for (size_t i = 0; i < COUNT; i++)
        addresses[i] = i % 3 == 0 ? address_of(pages) : i % 3 == 1 ? 8 * i : address_of(pages + PAGE - 16);
    assert_int_equal(python_read_heads(self, addresses, COUNT, SIZE, heads), 0);
    for (size_t i = 0; i < COUNT; i++) {
        size_t expected = i % 3 == 0 ? SIZE : i % 3 == 1 ? 0 : 16;
        for (size_t k = 0; k < SIZE; k++)
            assert_int_equal(heads[i * SIZE + k], k < expected ? 7 : 0);
    }
    assert_int_equal(munmap(pages, PAGE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_of_every_width_become_utf8),
        cmocka_unit_test(a_free_threaded_str_keeps_a_whole_byte_of_interned),
        cmocka_unit_test(a_long_string_is_visibly_cut),
        cmocka_unit_test(a_legacy_string_is_read_through_its_pointer),
        cmocka_unit_test(strings_that_cannot_be_are_torn),
        cmocka_unit_test(bytes_are_read_whole_or_not_at_all),
        cmocka_unit_test(ints_up_to_63_bits_are_read),
        cmocka_unit_test(a_dict_is_searched_by_name),
        cmocka_unit_test(a_dict_that_cannot_be_is_torn),
        cmocka_unit_test(heads_are_read_around_what_cannot_be),
    };

    return cmocka_run_group_tests_name("python_objects", tests, start, stop);
}
