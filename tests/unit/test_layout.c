#include "python/layout_private.h"

#include "published_fixtures.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Words of struct _Py_DebugOffsets of 3.13 (Include/internal/pycore_runtime.h), by their place. */
enum {
    WORD_VERSION = 1,
    WORD_FREE_THREADED = 2,
    WORD_RUNTIME_SIZE = 3,
    WORD_INTERPRETER_GC = 10,
    WORD_THREAD_PREV = 20,
    WORD_THREAD_NEXT = 21,
    WORD_FRAME_OWNER = 33,
    WORD_CODE_FIRSTLINENO = 39,
    WORD_GC_COLLECTING = 72,
    TABLE_WORDS = 256,
};

struct fixture {
    uint16_t version;
    const uint64_t *words;
    size_t size;
};
static const struct fixture fixtures[] = {
    {0x030d, published_3_13, sizeof(published_3_13)},
    {0x030e, published_3_14, sizeof(published_3_14)},
    {0x030f, published_3_15, sizeof(published_3_15)},
    {0x030e, published_3_14t, sizeof(published_3_14t)},
    {0x030f, published_3_15t, sizeof(published_3_15t)},
};

/* What a table of 3.13 with one word changed is said to be. */
static int parse_changed(size_t word, uint64_t value, struct error *e)
{
    uint64_t words[ARRAY_SIZE(published_3_13)];
    struct python_layout layout;

    memcpy(words, published_3_13, sizeof(words));
    words[word] = value;
    e->text[0] = 0;
    return python_layout_from_debug_offsets(words, sizeof(words), &layout, e);
}

static void reads_what_released_interpreters_publish(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
        struct python_layout l;
        struct error e = {.text = ""};
        assert_int_equal(python_layout_from_debug_offsets(fixtures[i].words, fixtures[i].size, &l, &e), 0);
        assert_int_equal(l.version, fixtures[i].version);
        assert_true(l.published);
        /* An object's head of a free-threaded build has two words more (Include/object.h). */
        unsigned more = fixtures[i].words[WORD_FREE_THREADED] ? 16 : 0;
        assert_int_equal(l.free_threaded, more != 0);
        assert_int_equal(l.object_type, 8 + more);
        assert_int_equal(l.tuple_items, (l.version >= 0x030e ? 32 : 24) + more); /* 3.14 put the hash before them */
        assert_int_equal(l.bytes_data, 32 + more);
        assert_int_equal(l.unicode_ascii_data, 40 + more);
        assert_int_equal(l.unicode_compact_data, 56 + more);
        assert_int_equal(l.thread_datastack_top, l.thread_datastack_chunk + 8);
        assert_int_equal(l.frame_func, l.frame_previous + 8);
        assert_int_equal(l.code_framesize, l.code_nlocalsplus + 4);
        assert_int_equal(l.gil_switch_number, l.free_threaded ? 32 : 24);
        assert_int_equal(l.code_tlbc == PYTHON_FIELD_NONE, !l.free_threaded);
        assert_int_equal(l.frame_tlbc_index == PYTHON_FIELD_NONE, !l.free_threaded);
        assert_int_equal(l.gil_enabled == PYTHON_FIELD_NONE, !l.free_threaded);
        assert_int_equal(l.frame_size, l.frame_localsplus);
    }
}

static void takes_fields_from_where_the_interpreter_says(void **state)
{
    (void)state;
    struct error e;
    uint64_t words[ARRAY_SIZE(published_3_13)];
    struct python_layout l;

    /* A patch release that put eight bytes before all of a code object: what is not published moves with it. */
    memcpy(words, published_3_13, sizeof(words));
    for (size_t i = WORD_CODE_FIRSTLINENO - 5; i < WORD_CODE_FIRSTLINENO + 5; i++)
        words[i] += 8;
    assert_int_equal(python_layout_from_debug_offsets(words, sizeof(words), &l, &e), 0);
    assert_int_equal(l.code_firstlineno, published_3_13[WORD_CODE_FIRSTLINENO] + 8);
    assert_int_equal(l.code_framesize, l.code_firstlineno + 8);
    assert_int_equal(l.code_flags, l.code_firstlineno - 20);
}

static void refuses_what_is_not_such_a_table(void **state)
{
    (void)state;
    struct error e = {.text = ""};
    struct python_layout l;
    uint64_t words[TABLE_WORDS] = {0};

    assert_int_equal(python_layout_from_debug_offsets(words, sizeof(words), &l, &e), -EINVAL);
    assert_int_equal(python_layout_from_debug_offsets(words, 0, &l, &e), -EINVAL);
    for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
        for (size_t size = 0; size < fixtures[i].size; size += 8) {
            /* Exactly as large as it is said to be, so that a sanitizer sees a read beyond it. */
            void *cut = malloc(size ? size : 1);
            assert_non_null(cut);
            memcpy(cut, fixtures[i].words, size);
            assert_int_equal(python_layout_from_debug_offsets(cut, size, &l, &e), -EINVAL);
            free(cut);
        }
    }
}

static void says_which_versions_it_cannot_read(void **state)
{
    (void)state;
    struct error e;

    assert_int_equal(parse_changed(WORD_VERSION, 0x030c01f0, &e), -ENOTSUP);
    assert_int_equal(parse_changed(WORD_VERSION, 0x031000f0, &e), -ENOTSUP);
    assert_non_null(strstr(e.text, "3.16.0"));
    assert_int_equal(parse_changed(WORD_VERSION, 0x040000f0, &e), -ENOTSUP);
    assert_int_equal(parse_changed(WORD_VERSION, 0x030d00a3, &e), -ENOTSUP);
    assert_non_null(strstr(e.text, "pre-release"));
    assert_int_equal(parse_changed(WORD_VERSION, 0x030d00c1, &e), 0); /* a release candidate */
    assert_int_equal(parse_changed(WORD_FREE_THREADED, 1, &e), -ENOTSUP);
    assert_non_null(strstr(e.text, "free-threaded"));
    assert_int_equal(parse_changed(WORD_FREE_THREADED, 7, &e), -EINVAL);
}

static void refuses_fields_that_cannot_be_and_names_them(void **state)
{
    (void)state;
    struct error e;

    assert_int_equal(parse_changed(WORD_THREAD_NEXT, 12, &e), -EINVAL); /* not aligned */
    assert_non_null(strstr(e.text, "thread_state.next = 12"));
    assert_int_equal(parse_changed(WORD_THREAD_NEXT, published_3_13[WORD_THREAD_PREV], &e), -EINVAL);
    assert_non_null(strstr(e.text, "on top of thread_state.prev"));
    assert_int_equal(parse_changed(WORD_THREAD_NEXT, 300, &e), -EINVAL); /* ends behind the struct of 304 bytes */
    assert_int_equal(parse_changed(WORD_THREAD_NEXT, UINT64_MAX - 7, &e), -EINVAL);
    assert_int_equal(parse_changed(WORD_RUNTIME_SIZE, 0, &e), -EINVAL);
    assert_int_equal(parse_changed(WORD_RUNTIME_SIZE, UINT64_MAX, &e), -EINVAL);
    assert_int_equal(parse_changed(WORD_INTERPRETER_GC, UINT64_MAX - 1, &e), -EINVAL);
    assert_int_equal(parse_changed(WORD_GC_COLLECTING, UINT64_MAX - 1, &e), -EINVAL);
    /* Its neighbours are told from it, and would begin before the struct. */
    assert_int_equal(parse_changed(WORD_FRAME_OWNER, 0, &e), -EINVAL);
    assert_int_equal(parse_changed(WORD_CODE_FIRSTLINENO, 0, &e), -EINVAL);
}

/* Whatever is accepted, every field is inside its struct: the reader relies on it without looking again. */
static void every_accepted_table_stays_in_span(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (size_t i = 0; i < 30000; i++) {
        const struct fixture *f = &fixtures[i % ARRAY_SIZE(fixtures)];
        uint64_t words[TABLE_WORDS];
        struct python_layout l;
        struct error e;

        memcpy(words, f->words, f->size);
        for (uint64_t n = 1 + random_next(&random) % 3; n > 0; n--)
            words[WORD_RUNTIME_SIZE + random_next(&random) % (f->size / 8 - WORD_RUNTIME_SIZE)] =
                random_next(&random) >> random_next(&random) % 64;
        if (python_layout_from_debug_offsets(words, f->size, &l, &e) < 0) {
            assert_true(e.text[0] != 0 && strchr(e.text, '\n') == NULL);
            continue;
        }
        assert_true(l.thread_frame + 8u <= l.thread_size);
        assert_true(l.thread_datastack_top + 8u <= l.thread_size);
        assert_true(l.interpreter_gil + 8u <= l.interpreter_size);
        assert_true(l.runtime_interpreters_head + 8u <= l.runtime_size);
        assert_true(l.frame_previous + 8u <= 1024);
        assert_true(l.code_version + 4u <= 2048);
        assert_true(!l.free_threaded || l.interpreter_tlbc_generation + 4u <= l.interpreter_size);
        assert_true(!l.free_threaded || (l.thread_state + 4u <= l.thread_size && l.code_tlbc + 8u <= 2048));
    }
}

static void tables_are_there_for_the_versions_that_publish_nothing(void **state)
{
    (void)state;
    for (uint16_t version = 0x0308; version <= 0x030c; version++) {
        const struct python_layout *l = python_layout_table(version);
        assert_non_null(l);
        assert_int_equal(l->version, version);
        assert_false(l->published);
        assert_int_equal(l->frame_code == PYTHON_FIELD_NONE, 0);
        assert_int_equal(l->code_version == PYTHON_FIELD_NONE, version < 0x030c);
        assert_int_equal(l->frame_is_entry == PYTHON_FIELD_NONE, version != 0x030b);
    }
    static const uint16_t none[] = {0, 0x0207, 0x0307, 0x030d, 0x0310, 0x0408, 0xffff};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        assert_null(python_layout_table(none[i]));
}

static void opcode_tables_agree_with_themselves(void **state)
{
    (void)state;
    for (uint16_t version = 0x0308; version <= 0x030f; version++) {
        const struct python_opcodes *o = python_opcodes_table(version);
        assert_non_null(o);
        assert_int_equal(o->pristine_counter != 0, version >= 0x030b);
        for (size_t i = 0; i < 256; i++) {
            const struct python_opcode *op = &o->by_number[i];
            assert_true(op->class <= PYTHON_OP_OPAQUE);
            assert_int_equal(op->version_at != 0, op->class == PYTHON_OP_VERSIONED);
            assert_true(op->version_at == 0 || op->version_at + 4u <= 2u + 2u * op->caches);
            assert_true(op->counter_at == 0 || op->counter_at + 2u <= 2u + 2u * op->caches);
            assert_true(op->class != PYTHON_OP_VERSIONED || op->counter_at != 0);
            assert_false(op->may_have_inlined && op->class != PYTHON_OP_RUNS_C);
            assert_false(op->call && op->class != PYTHON_OP_INLINES && op->class != PYTHON_OP_VERSIONED);
        }
    }
    assert_null(python_opcodes_table(0x0307));
    assert_null(python_opcodes_table(0x0310));
    assert_null(python_opcodes_table(0x0208));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_released_interpreters_publish),
        cmocka_unit_test(takes_fields_from_where_the_interpreter_says),
        cmocka_unit_test(refuses_what_is_not_such_a_table),
        cmocka_unit_test(says_which_versions_it_cannot_read),
        cmocka_unit_test(refuses_fields_that_cannot_be_and_names_them),
        cmocka_unit_test(every_accepted_table_stays_in_span),
        cmocka_unit_test(tables_are_there_for_the_versions_that_publish_nothing),
        cmocka_unit_test(opcode_tables_agree_with_themselves),
    };

    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
