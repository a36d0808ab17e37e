#include "sandbox/sandbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int feed(struct answer *a, const char *bytes, size_t size, uint64_t at)
{
    return answer_feed(a, bytes, size, at);
}
#define FEED(a, text, at) feed(a, text, sizeof(text) - 1, at)

static void takes_frames_one_byte_at_a_time(void **state)
{
    (void)state;
    static const char all[] = "r\0\0\0\0p\2\0\0\0hip\0\0\0\0a\5\0\0\0hello";
    struct answer a;
    answer_init(&a, 100);
    for (size_t i = 0; i < sizeof(all) - 1; i++)
        assert_int_equal(feed(&a, all + i, 1, i + 1), 0);
    assert_int_equal(a.ready_ns, 5);
    assert_int_equal(a.progress_count, 2);
    assert_int_equal(a.progress[0].at_ns, 12);
    assert_memory_equal(a.digests.data + a.progress[0].offset, "hi", 2);
    assert_int_equal(a.progress[1].size, 0);
    assert_int_equal(a.kind, ANSWER_DATA);
    assert_int_equal(a.whole_ns, sizeof(all) - 1);
    assert_string_equal(buffer_text(&a.payload), "hello");
    answer_release(&a);
}

static void is_not_whole_before_its_last_byte(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a, 100);
    assert_int_equal(FEED(&a, "a\3\0\0\0ab", 1), 0);
    assert_int_equal(a.kind, 0);
    assert_int_equal(FEED(&a, "c", 2), 0);
    assert_int_equal(a.kind, ANSWER_DATA);
    assert_int_equal(a.whole_ns, 2);
    answer_release(&a);
}

static int note_request(void *context, uint32_t id, const void *data, size_t size)
{
    struct buffer *seen = context;
    if (id == 0xffffffffu)
        return -E2BIG;
    buffer_printf(seen, "%u:%.*s ", (unsigned)id, (int)size, (const char *)data);
    return 0;
}

static void passes_requests_on_where_there_is_a_service(void **state)
{
    (void)state;
    static const char all[] = "r\0\0\0\0q\6\0\0\0\1\0\0\0hip\1\0\0\0-q\4\0\0\0\2\1\0\0a\0\0\0\0";
    for (size_t step = 1; step < sizeof(all); step++) {
        struct answer a;
        struct buffer seen;
        answer_init(&a, 100);
        buffer_init(&seen, 100);
        a.ask = note_request;
        a.context = &seen;
        for (size_t at = 0; at < sizeof(all) - 1; at += step)
            assert_int_equal(feed(&a, all + at, sizeof(all) - 1 - at < step ? sizeof(all) - 1 - at : step, 1), 0);
        assert_int_equal(a.kind, ANSWER_DATA);
        assert_int_equal(a.progress_count, 1);
        assert_string_equal(buffer_text(&seen), "1:hi 258: ");
        answer_release(&a);
        buffer_release(&seen);
    }
}

static void refuses_requests_that_nobody_can_take(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        bool service;
        const char *why;
    } wrong[] = {
        {"q\4\0\0\0\1\0\0\0", 9, false, "a request where there is no service"},
        {"q\3\0\0\0\1\0\0", 8, true, "a request that is too short or too long"},
        {"q\5\0\1\0\1\0\0\0", 9, true, "a request that is too short or too long"},
        {"q\4\0\0\0\377\377\377\377", 9, true, "too many requests at once"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct answer a;
        struct buffer seen;
        answer_init(&a, 100);
        buffer_init(&seen, 100);
        a.ask = wrong[i].service ? note_request : NULL;
        a.context = &seen;
        assert_int_equal(feed(&a, wrong[i].bytes, wrong[i].size, 1), -EBADMSG);
        assert_string_equal(a.broken, wrong[i].why);
        answer_release(&a);
        buffer_release(&seen);
    }
}

static void refuses(const char *bytes, size_t size, const char *why)
{
    struct answer a;
    answer_init(&a, 4);
    assert_int_equal(feed(&a, bytes, size, 1), -EBADMSG);
    assert_string_equal(a.broken, why);
    assert_int_equal(FEED(&a, "a\0\0\0\0", 2), -EBADMSG); /* for good */
    answer_release(&a);
}
#define REFUSES(bytes, why) refuses(bytes, sizeof(bytes) - 1, why)

static void refuses_what_is_no_answer(void **state)
{
    (void)state;
    REFUSES("hello", "bytes that are no frame");
    REFUSES("a\5\0\0\0hello", "an answer that is too long");
    REFUSES("e\xff\xff\xff\xff", "an answer that is too long");
    REFUSES("p\1\1\0\0", "a progress frame that is too long");
    REFUSES("r\1\0\0\0", "a ready frame with a payload");
    REFUSES("r\0\0\0\0r\0\0\0\0", "a ready frame that is not the first");
    REFUSES("p\0\0\0\0r\0\0\0\0", "a ready frame that is not the first");
    REFUSES("a\1\0\0\0xa\1\0\0\0y", "bytes after the answer");
}

static void limits_the_number_of_heartbeats(void **state)
{
    (void)state;
    struct answer a;
    answer_init(&a, 4);
    for (size_t i = 0; i < ANSWER_PROGRESS_FRAMES_MAX; i++)
        assert_int_equal(FEED(&a, "p\1\0\0\0x", i), 0);
    assert_int_equal(FEED(&a, "p\1\0\0\0x", 1), -EBADMSG);
    assert_string_equal(a.broken, "too many progress frames");
    answer_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_frames_one_byte_at_a_time),
        cmocka_unit_test(is_not_whole_before_its_last_byte),
        cmocka_unit_test(passes_requests_on_where_there_is_a_service),
        cmocka_unit_test(refuses_requests_that_nobody_can_take),
        cmocka_unit_test(refuses_what_is_no_answer),
        cmocka_unit_test(limits_the_number_of_heartbeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
